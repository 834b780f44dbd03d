/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf: reads a shared object, as a file, into facts.
 *
 * The file may be anything: every offset is held against its size before it is
 * used, here or in libelf.  What dlopen(3) would crash on, such as a segment
 * beyond the end of a truncated file, is refused here with a text.  Results:
 * 0, or -ENOEXEC with the error told, or -ENOMEM.
 */
#include "plugin/plugin_priv.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Our own header, put here by the linker: what class, byte order and machine
 * a plugin must have. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static int
out_of_memory(const struct elf_file *file)
{
	return complain(file->report, -ENOMEM, "%s: out of memory", file->name);
}

static int
check_ident(const struct elf_file *file)
{
	const unsigned char *theirs = file->header.e_ident;
	const unsigned char *ours = __ehdr_start.e_ident;

	if (theirs[EI_CLASS] != ours[EI_CLASS])
		return complain(file->report, -ENOEXEC,
		    "%s: a %d-bit file, this host is %d-bit", file->name,
		    theirs[EI_CLASS] == ELFCLASS64 ? 64 : 32,
		    ours[EI_CLASS] == ELFCLASS64 ? 64 : 32);
	if (file->header.e_machine != __ehdr_start.e_machine ||
	    theirs[EI_DATA] != ours[EI_DATA])
		return complain(file->report, -ENOEXEC,
		    "%s: built for another machine (ELF machine %u, this "
		    "host is %u)",
		    file->name, file->header.e_machine, __ehdr_start.e_machine);
	return 0;
}

/* ELF kind, class, machine and type. */
static int
check_header(struct elf_file *file)
{
	if (elf_kind(file->elf) != ELF_K_ELF ||
	    !gelf_getehdr(file->elf, &file->header))
		return complain(
		    file->report, -ENOEXEC, "%s: not an ELF file", file->name);
	if (check_ident(file) < 0)
		return -ENOEXEC;
	if (file->header.e_type == ET_REL)
		return complain(file->report, -ENOEXEC,
		    "%s: an object file, not a shared object: link it with "
		    "-shared",
		    file->name);
	if (file->header.e_type != ET_DYN)
		return complain(file->report, -ENOEXEC,
		    "%s: not a shared object: link it with -shared",
		    file->name);
	return 0;
}

static bool
inside(const struct elf_file *file, uint64_t offset, uint64_t size)
{
	return offset <= file->size && size <= file->size - offset;
}

static int
truncated(const struct elf_file *file)
{
	return complain(file->report, -ENOEXEC,
	    "%s: truncated or damaged: parts of it lie beyond its end at %zu "
	    "bytes",
	    file->name, file->size);
}

static int
check_segment(struct elf_file *file, const GElf_Phdr *segment)
{
	if (segment->p_type == PT_GNU_STACK) {
		file->saw_stack = true;
		file->stack_executable = segment->p_flags & PF_X;
	}
	if (segment->p_type == PT_LOAD &&
	    (segment->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
		return complain(file->report, -ENOEXEC,
		    "%s: has a segment that is both writable and executable",
		    file->name);
	if (segment->p_type == PT_NULL)
		return 0;
	if (!inside(file, segment->p_offset, segment->p_filesz))
		return truncated(file);
	return 0;
}

static int
check_segments(struct elf_file *file)
{
	GElf_Phdr segment;
	size_t count, i;
	int r;

	if (elf_getphdrnum(file->elf, &count) != 0 ||
	    !inside(
		file, file->header.e_phoff, count * file->header.e_phentsize))
		return truncated(file);
	file->segments = count;
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &segment))
			return truncated(file);
		r = check_segment(file, &segment);
		if (r < 0)
			return r;
	}
	if (!file->saw_stack || file->stack_executable)
		return complain(file->report, -ENOEXEC,
		    "%s: asks for an executable stack: link it with "
		    "-z noexecstack",
		    file->name);
	return 0;
}

/* The table of sections stands last in most files: missing when truncated. */
static int
check_sections(const struct elf_file *file)
{
	if (file->header.e_shoff == 0)
		return 0;
	if (!inside(file, file->header.e_shoff,
		(uint64_t)file->header.e_shnum * file->header.e_shentsize))
		return truncated(file);
	return 0;
}

/* --- notes ---------------------------------------------------------------- */

static int
take_offer(struct elf_file *file, const void *bytes, size_t size)
{
	struct facts *facts = file->facts;
	struct offer *offers, *offer;

	if (facts->offer_count == FACTS_OFFERS_MAX)
		return complain(file->report, -ENOEXEC,
		    "%s: more than %u Berth notes", file->name,
		    FACTS_OFFERS_MAX);
	offers = reallocarray(
	    facts->offers, facts->offer_count + 1, sizeof(*offers));
	if (!offers)
		return out_of_memory(file);
	facts->offers = offers;
	offer = &offers[facts->offer_count++];
	memset(offer, 0, sizeof(*offer));
	offer->note_size = (uint32_t)size;
	if (size > sizeof(offer->descriptor))
		size = sizeof(offer->descriptor);
	memcpy(&offer->descriptor, bytes, size);
	return 0;
}

static void
take_build_id(struct facts *facts, const unsigned char *bytes, size_t size)
{
	char *id = facts->identity.build_id;
	size_t i;

	if (size > (sizeof(facts->identity.build_id) - 1) / 2)
		size = (sizeof(facts->identity.build_id) - 1) / 2;
	for (i = 0; i < size; i++)
		(void)snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

static bool
is_note(
    const GElf_Nhdr *note, const char *owner, const char *want, uint32_t type)
{
	size_t size = strlen(want) + 1;

	return note->n_type == type && note->n_namesz == size &&
	       memcmp(owner, want, size) == 0;
}

/* All notes of a segment or section. */
static int
read_notes(struct elf_file *file, Elf_Data *data)
{
	size_t at = 0, next, owner, bytes;
	GElf_Nhdr note;
	const char *base;
	int r = 0;

	if (!data || !data->d_buf)
		return 0;
	base = data->d_buf;
	while (r == 0 && at < data->d_size) {
		next = gelf_getnote(data, at, &note, &owner, &bytes);
		if (next == 0)
			break;
		if (is_note(&note, base + owner, "GNU", NT_GNU_BUILD_ID))
			take_build_id(file->facts,
			    (const unsigned char *)base + bytes, note.n_descsz);
		if (is_note(
			&note, base + owner, BERTH_NOTE_OWNER, BERTH_NOTE_TYPE))
			r = take_offer(file, base + bytes, note.n_descsz);
		at = next;
	}
	return r;
}

static int
read_note_segments(struct elf_file *file)
{
	GElf_Phdr segment;
	size_t i;
	int r = 0;

	for (i = 0; i < file->segments && r == 0; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &segment) ||
		    segment.p_type != PT_NOTE)
			continue;
		r = read_notes(
		    file, elf_getdata_rawchunk(file->elf,
			      (int64_t)segment.p_offset, segment.p_filesz,
			      segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR));
	}
	return r;
}

/* For a linker that made no note segment: sections of that type or name. */
static int
read_note_sections(struct elf_file *file)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;
	const char *name;
	int r = 0;

	if (elf_getshdrstrndx(file->elf, &names) != 0)
		return 0;
	while (r == 0 && (section = elf_nextscn(file->elf, section))) {
		if (!gelf_getshdr(section, &header) ||
		    header.sh_type == SHT_NOBITS ||
		    !inside(file, header.sh_offset, header.sh_size))
			continue;
		name = elf_strptr(file->elf, names, header.sh_name);
		if (!name || strcmp(name, ".note.berth") != 0)
			continue;
		r = read_notes(file,
		    elf_getdata_rawchunk(file->elf, (int64_t)header.sh_offset,
			header.sh_size, ELF_T_NHDR));
	}
	return r;
}

static int
compare_offers(const void *a, const void *b)
{
	const struct offer *one = a, *other = b;

	return strncmp(one->descriptor.symbol, other->descriptor.symbol,
	    sizeof(one->descriptor.symbol));
}

/* --- the whole ------------------------------------------------------------ */

static int
examine(struct elf_file *file)
{
	int r;

	r = check_header(file);
	if (r == 0)
		r = check_segments(file);
	if (r == 0)
		r = check_sections(file);
	if (r == 0)
		r = read_note_segments(file);
	if (r == 0 && file->facts->offer_count == 0)
		r = read_note_sections(file);
	if (r == 0 && file->facts->offer_count == 0)
		r = complain(file->report, -ENOEXEC,
		    "%s: not a Berth plugin: it has no note of BERTH_SERVICE()",
		    file->name);
	if (r < 0)
		return r;
	/* The compiler's order says nothing; messages list them all. */
	qsort(file->facts->offers, file->facts->offer_count,
	    sizeof(struct offer), compare_offers);
	r = elf_read_dynamic(file);
	if (r == 0)
		elf_read_types(file);
	return r;
}

static uint64_t
mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

/* Tells one content from another, not from one made to collide; never 0. */
static uint64_t
digest(const unsigned char *at, size_t size)
{
	uint64_t hash = size, word;

	for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, at, size);
	hash = mix(hash, word);
	return hash ? hash : 1;
}

int
elf_examine(int memfd, const char *name, const struct report *report,
    struct facts *facts)
{
	struct elf_file file = {.name = name, .report = report, .facts = facts};
	void *map;
	int r;

	file.size = (size_t)facts->identity.size;
	if (file.size < sizeof(ElfW(Ehdr)))
		return complain(report, -ENOEXEC, "%s: not an ELF file", name);
	/* Sealed: it can't shrink under us. */
	map = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, memfd, 0);
	if (map == MAP_FAILED)
		return out_of_memory(&file);
	facts->identity.content = digest(map, file.size);
	(void)elf_version(EV_CURRENT);
	file.elf = elf_memory(map, file.size);
	r = file.elf ? examine(&file)
		     : complain(report, -ENOEXEC, "%s: damaged: %s", name,
			   elf_errmsg(-1));
	elf_end(file.elf);
	munmap(map, file.size);
	return r;
}
