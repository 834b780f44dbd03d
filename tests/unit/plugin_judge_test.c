/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One plugin for each sin, and the exact text that its author reads.
 */
#include "plugin_kit.h"

#include <elf.h>

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)
/* The interface of this host. */
#define OURS NUMBER(BERTH_ABI_MAJOR) "." NUMBER(BERTH_ABI_MINOR)

static const struct {
	const char *plugin;
	const char *location;
	int code;
	const char *message;
} sins[] = {
    {"bad_magic", "x:make_sin()", -ENOEXEC,
	"@/x.so: the magic of its Berth note is 0x12345678, not 0x48545242: "
	"damaged, or not made by <berth/berth.h>"},
    {"bad_major", "x:make_sin()", -ENOEXEC,
	"@/x.so: needs interface 2." NUMBER(
	    BERTH_ABI_MINOR) ", this host has " OURS ": use a newer host or "
			     "rebuild the plugin"},
    {"newer_minor", "x:make_sin()", -ENOEXEC,
	"@/x.so: needs interface 1.7, this host has " OURS
	": use a newer host or "
	"rebuild the plugin"},
    {"descriptor_size", "x:make_sin()", -ENOEXEC,
	"@/x.so: its descriptor has 24 bytes, in interface " OURS
	" it has 120: "
	"rebuild the plugin"},
    {"type_size", "x:make_sin()", -ENOEXEC,
	"@/x.so: its type object has 4096 bytes, in interface " OURS
	" it has %zu: "
	"rebuild the plugin"},
    {"no_note", "x:make_sin()", -ENOEXEC,
	"@/x.so: not a Berth plugin: it has no note of BERTH_SERVICE()"},
    {"not_exported", "x:make_sin()", -ENOEXEC,
	"@/x.so: 'make_sin' has a note, but the symbol is not exported"},
    {"module_kind", "x:make_sin()", -ENOEXEC,
	"@/x.so: 'make_sin' makes a Module, it is declared as Service_Object"},
    {"executable_stack", "x:make_sin()", -ENOEXEC,
	"@/x.so: asks for an executable stack: link it with -z noexecstack"},
    {"relative_runpath", "x:make_sin()", -ENOEXEC,
	"@/x.so: looks for libraries in 'lib', which is not an absolute "
	"folder: link it without -rpath"},
    {"object", "x:object_type()", -ENOEXEC,
	"@/x.so: 'object_type' is an object, not a factory: write object_type "
	"without parentheses"},
    {"two", "x:make_first", -ENOEXEC,
	"@/x.so: 'make_first' is a factory: write make_first()"},
    {"two", "x:make_frist()", -ENOENT,
	"@/x.so: no 'make_frist' in it, it offers make_first(), make_second(); "
	"did you mean 'make_first'?"},
    {"object", "x:something_else", -ENOENT,
	"@/x.so: no 'something_else' in it, it offers object_type"},
};

static void
refused(void **state)
{
	struct kit *kit = *state;
	char want[512];
	size_t i;

	for (i = 0; i < BASE_COUNT(sins); i++) {
		kit_copy(kit, sins[i].plugin, "x.so");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
		snprintf(want, sizeof(want), sins[i].message,
		    sizeof(struct berth_service_type));
#pragma GCC diagnostic pop
		kit_refused(kit, sins[i].location, sins[i].code, want);
		assert_false(kit_mapped("x.so"));
	}
}

/* What only shows when code runs: the check is content, open is not. */
static const struct {
	const char *plugin;
	const char *location;
	int code;
	const char *message;
} late[] = {
    {"null_factory", "x:make_sin()", -ENOEXEC, "@/x.so: make_sin() gave NULL"},
    {"wild_pointer", "x:make_sin()", -ENOEXEC,
	"@/x.so: make_sin() gave a wild pointer"},
    {"undefined", "x:make_sin()", -ELIBACC,
	"@/x.so: cannot be loaded: undefined symbol: "
	"nobody_has_this_function"},
    {"garbage_type", "x:make_magic()", -ENOEXEC,
	"@/x.so: make_magic(): the magic of its type object is 0xffffffff, "
	"not 0x48545242: damaged, or not made by <berth/berth.h>"},
    {"garbage_type", "x:make_major()", -ENOEXEC,
	"@/x.so: make_major(): needs interface 9." NUMBER(
	    BERTH_ABI_MINOR) ", this host has " OURS ": use a "
			     "newer host or rebuild the plugin"},
    {"garbage_type", "x:make_kind()", -ENOEXEC,
	"@/x.so: make_kind(): the type object is a STREAM, it is declared as "
	"Service_Object"},
    {"garbage_type", "x:make_size()", -ENOEXEC,
	"@/x.so: make_size(): its type object has 8 bytes, in interface " OURS
	" it "
	"has %zu: rebuild the plugin"},
    {"garbage_type", "x:make_flags()", -ENOEXEC,
	"@/x.so: make_flags(): sets flags 0x80000000, which this host does not "
	"know"},
    {"garbage_type", "x:make_hook()", -ENOEXEC,
	"@/x.so: make_hook(): has a session hook that this host does not "
	"know"},
};

static void
refused_late(void **state)
{
	struct kit *kit = *state;
	char want[512];
	size_t i;

	for (i = 0; i < BASE_COUNT(late); i++) {
		kit_copy(kit, late[i].plugin, "x.so");
		assert_int_equal(kit_check(kit, late[i].location), 0);
		assert_string_equal(kit_message(kit), "");
		assert_int_equal(kit_open(kit, late[i].location), late[i].code);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
		snprintf(want, sizeof(want), late[i].message,
		    sizeof(struct berth_service_type));
#pragma GCC diagnostic pop
		assert_string_equal(kit_message(kit), want);
		assert_false(kit_mapped("x.so"));
	}
}

/* Row L17: every kind, declared as every other. */
static void
kinds(void **state)
{
	struct kit *kit = *state;
	struct plugin_location where;

	kit_copy(kit, "good", "x.so");
	where = kit_location(kit, "x:_make_Svc()");
	where.kind = BERTH_KIND_STREAM;
	assert_int_equal(plugin_open(kit->plugins, &where, NULL, kit->errors,
			     &kit->image, &kit->type, &kit->identity),
	    -ENOEXEC);
	assert_string_equal(kit_message(kit),
	    "@/x.so: '_make_Svc' makes a Service_Object, it is declared as "
	    "STREAM");
	where.kind = BERTH_KIND_MODULE;
	errors_reset(kit->errors);
	assert_int_equal(plugin_check(kit->plugins, &where, NULL, kit->errors,
			     &kit->identity),
	    -ENOEXEC);
	assert_string_equal(kit_message(kit),
	    "@/x.so: '_make_Svc' makes a Service_Object, it is declared as "
	    "Module");
}

/* What a type object says is seen before its code runs. */
static void
flags_in_the_file(void **state)
{
	static const struct {
		const char *plugin, *location;
		bool known;
		uint32_t flags;
	} cases[] = {
	    {"banner1", "x:make_banner()", true, BERTH_CONCURRENT},
	    {"good", "x:_make_Svc()", true, 0},
	    {"two", "x:make_second()", true, 0},
	    {"object", "x:object_type", true, 0},
	    {"garbage_type", "x:make_flags()", true, 0x80000000u},
	    {"null_factory", "x:make_sin()", false, 0},
	};
	struct kit *kit = *state;

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		kit_copy(kit, cases[i].plugin, "x.so");
		assert_int_equal(kit_check(kit, cases[i].location), 0);
		assert_int_equal(kit->identity.flags_known, cases[i].known);
		assert_int_equal(kit->identity.flags, cases[i].flags);
	}
}

/* Constructors run inside dlopen: not before the file was judged. */
static void
no_code_before(void **state)
{
	struct kit *kit = *state;
	char mark[256];

	snprintf(mark, sizeof(mark), "%s", kit_path(kit, "mark"));
	setenv("BERTH_TEST_CONSTRUCTOR", mark, 1);
	kit_copy(kit, "constructor_refused", "x.so");
	kit_refused(kit, "x:make_constructor()", -ENOEXEC,
	    "@/x.so: needs interface 1.99, this host has " OURS
	    ": use a newer host "
	    "or rebuild the plugin");
	kit_copy(kit, "constructor", "x.so");
	assert_int_equal(kit_check(kit, "x:make_constructor()"), 0);
	assert_int_equal(access(mark, F_OK), -1);
	assert_int_equal(kit_open(kit, "x:make_constructor()"), 0);
	assert_int_equal(access(mark, F_OK), 0);
	assert_int_equal(image_unref(kit->image), 0);
	unsetenv("BERTH_TEST_CONSTRUCTOR");
}

static void
read_plugin(struct kit *kit, const char *what, struct text *bytes)
{
	FILE *file;
	char buffer[4096];
	size_t n;

	kit_copy(kit, what, "x.so");
	file = fopen(kit_path(kit, "x.so"), "re");
	assert_non_null(file);
	while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
		text_add(bytes, buffer, n);
	fclose(file);
}

/* Files that are no shared objects of this machine. */
static void
not_elf(void **state)
{
	struct kit *kit = *state;
	struct text bytes;
	Elf64_Ehdr *header;

	kit_write(kit, "x.so", "", 0);
	kit_refused(kit, "x:make_good()", -ENOEXEC, "@/x.so: not an ELF file");
	text_init(&bytes);
	text_printf(&bytes, "%0200d", 0);
	kit_write(kit, "x.so", bytes.data, bytes.size);
	kit_refused(kit, "x:make_good()", -ENOEXEC, "@/x.so: not an ELF file");

	text_reset(&bytes);
	read_plugin(kit, "good", &bytes);
	header = (Elf64_Ehdr *)(void *)bytes.data;
	if (header->e_ident[EI_CLASS] != ELFCLASS64) {
		text_fini(&bytes);
		return;
	}
	header->e_type = ET_REL;
	kit_write(kit, "x.so", bytes.data, bytes.size);
	kit_refused(kit, "x:make_good()", -ENOEXEC,
	    "@/x.so: an object file, not a shared object: link it with "
	    "-shared");
	header->e_type = ET_EXEC;
	kit_write(kit, "x.so", bytes.data, bytes.size);
	kit_refused(kit, "x:make_good()", -ENOEXEC,
	    "@/x.so: not a shared object: link it with -shared");
	header->e_type = ET_DYN;
	header->e_machine = EM_S390;
	kit_write(kit, "x.so", bytes.data, bytes.size);
	assert_int_equal(kit_check(kit, "x:make_good()"), -ENOEXEC);
	assert_non_null(strstr(kit_message(kit),
	    "@/x.so: built for another machine (ELF machine 22, this host "
	    "is "));
	text_fini(&bytes);
}

/* The program headers of a file in memory. */
static Elf64_Phdr *
segments(struct text *bytes, unsigned *ret_count)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)bytes->data;

	*ret_count = header->e_phnum;
	return (Elf64_Phdr *)(void *)(bytes->data + header->e_phoff);
}

enum edit { NOTES_GONE, STACK_GONE, WRITABLE_CODE };

static void
edit(struct text *bytes, enum edit what)
{
	Elf64_Phdr *segment;
	unsigned count;

	for (segment = segments(bytes, &count); count > 0; count--, segment++) {
		if (what == NOTES_GONE && segment->p_type == PT_NOTE)
			segment->p_type = PT_NULL;
		if (what == STACK_GONE && segment->p_type == PT_GNU_STACK)
			segment->p_type = PT_NULL;
		if (what == WRITABLE_CODE && segment->p_type == PT_LOAD &&
		    segment->p_flags & PF_X)
			segment->p_flags |= PF_W;
	}
}

/* What no compiler here makes. */
static void
edited(void **state)
{
	struct kit *kit = *state;
	struct text bytes;
	char *name;

	if (sizeof(void *) != 8)
		return; /* the edits are of 64-bit files */
	text_init(&bytes);
	read_plugin(kit, "good", &bytes);
	/* Without a note segment the section is found. */
	edit(&bytes, NOTES_GONE);
	kit_write(kit, "x.so", bytes.data, bytes.size);
	assert_int_equal(kit_check(kit, "x:make_good()"), 0);
	edit(&bytes, WRITABLE_CODE);
	kit_write(kit, "x.so", bytes.data, bytes.size);
	kit_refused(kit, "x:make_good()", -ENOEXEC,
	    "@/x.so: has a segment that is both writable and executable");
	text_reset(&bytes);
	read_plugin(kit, "good", &bytes);
	edit(&bytes, STACK_GONE);
	kit_write(kit, "x.so", bytes.data, bytes.size);
	kit_refused(kit, "x:make_good()", -ENOEXEC,
	    "@/x.so: asks for an executable stack: link it with -z "
	    "noexecstack");
	text_reset(&bytes);
	read_plugin(kit, "good", &bytes);
	name = memmem(bytes.data, bytes.size, "libc.so", 7);
	assert_non_null(name);
	memcpy(name, "lib/.so", 7);
	kit_write(kit, "x.so", bytes.data, bytes.size);
	kit_refused(kit, "x:make_good()", -ENOEXEC,
	    "@/x.so: needs the library 'lib/.so.6' by a relative path");
	text_fini(&bytes);
}

/* The end may be missing at any place: a text, never a signal. */
static void
truncated(void **state)
{
	struct kit *kit = *state;
	struct text bytes;
	size_t size;

	text_init(&bytes);
	read_plugin(kit, "good", &bytes);
	for (size = bytes.size - 1; size > 64; size -= size / 17 + 1) {
		kit_write(kit, "x.so", bytes.data, size);
		assert_int_equal(kit_open(kit, "x:make_good()"), -ENOEXEC);
		assert_int_equal(errors_count(kit->errors), 1);
	}
	kit_write(kit, "x.so", bytes.data, bytes.size / 2);
	snprintf(kit->file, sizeof(kit->file),
	    "@/x.so: truncated or damaged: parts of it lie beyond its end at "
	    "%zu bytes",
	    bytes.size / 2);
	assert_int_equal(kit_open(kit, "x:make_good()"), -ENOEXEC);
	assert_string_equal(kit_message(kit), kit->file);
	text_fini(&bytes);
}

static void
statics(void **state)
{
	struct kit *kit = *state;
	struct suggestion suggestion;

	assert_int_equal(kit_open(kit, ":tick()"), 0);
	assert_null(kit->image);
	assert_string_equal(kit->type->header.symbol, "make_tick");
	assert_int_equal(kit->identity.inode, 0);
	assert_int_equal(kit_check(kit, ":ACE_tick()"), 0);
	kit_refused(kit, ":tack()", -ENOENT,
	    "no static service named 'tack'; did you mean 'tick'?");
	kit_refused(
	    kit, ":telnet()", -ENOENT, "no static service named 'telnet'");
	kit_refused(kit, ":broken()", -ENOEXEC,
	    "static service 'broken': sets flags 0x40000000, which this host "
	    "does not know");
	kit_refused(kit, ":nothing()", -ENOEXEC,
	    "static service 'nothing': its factory gave NULL");
	assert_string_equal(
	    plugin_static(kit->plugins, "ACE_tick")->name, "tick");
	assert_null(plugin_static(kit->plugins, "Tick"));
	suggestion_init(&suggestion, "ace_tikc");
	plugin_suggest_static(kit->plugins, &suggestion);
	assert_string_equal(suggestion.best, "ACE_tick");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(refused, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		refused_late, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(kinds, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		flags_in_the_file, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		no_code_before, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(not_elf, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(edited, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(truncated, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(statics, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
