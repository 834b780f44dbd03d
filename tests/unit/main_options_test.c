/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: what each option does, every kind of mistake, what is
 * read, and that the help text and berthd(8) know the options of the table.
 */
#include "unit/unit.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main/options.h"

#define MOST_WORDS 12

struct parsed {
	char *argv[MOST_WORDS + 2]; /* what the options point into */
	struct options options;
	struct text message;
	int result;
};

/* The words after the program's name, ended by NULL. */
static void
parse_as(struct parsed *parsed, const char *name, const char *const *words)
{
	int argc = 0;

	memset(parsed, 0, sizeof(*parsed));
	parsed->argv[argc++] = strdup(name);
	for (; *words != NULL; words++)
		parsed->argv[argc++] = strdup(*words);
	text_init(&parsed->message);
	parsed->result = options_parse(
	    argc, parsed->argv, &parsed->options, &parsed->message);
}

static void
parse(struct parsed *parsed, const char *const *words)
{
	parse_as(parsed, "berthd", words);
}

static void
drop(struct parsed *parsed)
{
	options_fini(&parsed->options);
	text_fini(&parsed->message);
	for (char **word = parsed->argv; *word != NULL; word++)
		free(*word);
}

static void
test_defaults(void **state)
{
	const char *const words[] = {NULL};
	struct parsed p;

	(void)state;
	parse(&p, words);
	assert_int_equal(p.result, 0);
	assert_int_equal(p.options.action, OPTIONS_RUN);
	assert_int_equal(p.options.reload_signal, SIGHUP);
	assert_false(p.options.daemon || p.options.debug || p.options.print ||
		     p.options.no_static || p.options.no_dynamic);
	assert_null(p.options.pid_file);
	assert_null(p.options.plugin_path);
	drop(&p);
}

static void
test_all_short(void **state)
{
	const char *const words[] = {
	    "-bdnT", "-p", "/p", "-sUSR1", "-f", "/a", "-S", "remove x", NULL};
	struct parsed p;

	(void)state;
	parse(&p, words);
	assert_int_equal(p.result, 0);
	assert_int_equal(p.options.action, OPTIONS_CHECK);
	assert_true(p.options.daemon && p.options.debug && p.options.print &&
		    p.options.no_static);
	assert_int_equal(p.options.reload_signal, SIGUSR1);
	assert_string_equal(p.options.pid_file, "/p");
	assert_int_equal(p.options.input_count, 2);
	drop(&p);
}

static void
test_all_long(void **state)
{
	const char *const words[] = {"--daemon", "--debug", "--no-static",
	    "--static", "--no-dynamic", "--plugin-path=/a:/b", "--pid-file=/p",
	    "--signal", "sigusr2", "--check", "--file=/a", NULL};
	struct parsed p;

	(void)state;
	parse(&p, words);
	assert_int_equal(p.result, 0);
	assert_int_equal(p.options.action, OPTIONS_CHECK);
	assert_true(
	    p.options.daemon && p.options.debug && p.options.no_dynamic);
	assert_false(p.options.print || p.options.no_static);
	assert_int_equal(p.options.reload_signal, SIGUSR2);
	assert_string_equal(p.options.pid_file, "/p");
	assert_string_equal(p.options.plugin_path, "/a:/b");
	drop(&p);
}

/* Help and version end the reading: what follows does not matter. */
static void
test_ends(void **state)
{
	static const struct {
		const char *word;
		enum options_action action;
	} cases[] = {
	    {"-h", OPTIONS_HELP},
	    {"--help", OPTIONS_HELP},
	    {"-V", OPTIONS_VERSION},
	    {"--version", OPTIONS_VERSION},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		const char *const words[] = {
		    cases[i].word, "--nonsense", "-s", NULL};
		struct parsed p;

		parse(&p, words);
		assert_int_equal(p.result, 0);
		assert_int_equal(p.options.action, cases[i].action);
		drop(&p);
	}
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *const words[4];
		const char *message;
	} cases[] = {
	    {{"-o", "x"}, "there is no option '-o'"},
	    {{"-bq"}, "there is no option '-q'"},
	    {{"--chekc"},
		"there is no option '--chekc'; did you mean '--check'?"},
	    {{"--xyzzy"}, "there is no option '--xyzzy'"},
	    {{"--p=3"}, "there is no option '--p=3'"},
	    {{"--daemon=yes"}, "option '--daemon' takes no value"},
	    {{"-f"}, "option '--file' needs a FILE"},
	    {{"--signal"}, "option '--signal' needs a SIGNAL"},
	    {{"-f", ""}, "option '--file': the FILE is empty"},
	    {{"--pid-file="}, "option '--pid-file': the FILE is empty"},
	    {{"-s", "bogus"}, "-s: there is no signal 'bogus'"},
	    {{"-s", "0"}, "-s: there is no signal '0'"},
	    {{"-s", "999"}, "-s: there is no signal '999'"},
	    {{"-s", "KILL"}, "-s: 'KILL' cannot ask for a reload: it cannot "
			     "be caught"},
	    {{"-s", "15"}, "-s: '15' cannot ask for a reload: it stops the "
			   "host"},
	    {{"--format", "xinet"}, "--format: there is no language 'xinet'; "
				    "did you mean 'xinetd'?"},
	    {{"svc.conf"}, "'svc.conf' is no option"},
	    {{"-d", "--", "-b"}, "'-b' is no option"},
	    {{"--plugin-path", "/a::/b"},
		"--plugin-path '/a::/b': a folder is empty"},
	    {{"--plugin-path", "/a:"},
		"--plugin-path '/a:': a folder is empty"},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct parsed p;

		parse(&p, cases[i].words);
		assert_string_equal(text_string(&p.message), cases[i].message);
		assert_int_equal(p.result, OPTIONS_E_USAGE);
		drop(&p);
	}
}

/* An empty folder of this test's own is the current one. */
static int
enter_folder(void **state)
{
	char name[] = "/tmp/main_options_XXXXXX";

	if (mkdtemp(name) == NULL || chdir(name) != 0)
		return -1;
	*state = strdup(name);
	return *state == NULL ? -1 : 0;
}

static int
leave_folder(void **state)
{
	int result;

	unlink("svc.conf");
	result = chdir("/") == 0 && rmdir(*state) == 0 ? 0 : -1;
	free(*state);
	return result;
}

static void
check_inputs(const char *const *words, const char *expected)
{
	AUTO_TEXT text;
	struct parsed p;

	text_init(&text);
	parse(&p, words);
	assert_int_equal(p.result, 0);
	for (unsigned i = 0; i < p.options.input_count; i++) {
		const struct config_input *input = &p.options.inputs[i];

		if (input->format != CONFIG_AUTO)
			text_printf(
			    &text, "%s", config_format_name(input->format));
		if (input->kind == CONFIG_FILE)
			text_printf(&text, "[%s]", input->text);
		else
			text_printf(
			    &text, "{%s: %s}", input->name, input->text);
	}
	assert_string_equal(text_string(&text), expected);
	drop(&p);
}

/* Row E06 of the conformance list, and the order of processing. */
static void
test_inputs(void **state)
{
	static const struct {
		bool exists; /* ./svc.conf */
		const char *const words[MOST_WORDS];
		const char *inputs;
	} cases[] = {
	    {false, {NULL}, "[svc.conf]"},
	    {true, {NULL}, "[svc.conf]"},
	    {false, {"-S", "a"}, "{-S #1: a}"},
	    {true, {"-S", "a"}, "[svc.conf]{-S #1: a}"},
	    {true, {"-f", "x"}, "[x]"},
	    {true, {"-f", "x", "-f", "y", "-f", "x"}, "[x][y][x]"},
	    {true,
		{"-f", "x", "--format", "inetd", "-f", "y", "-f", "z",
		    "--format=auto", "-f", "w"},
		"[x]inetd[y]inetd[z][w]"},
	    {true, {"--format", "yaml"}, "yaml[svc.conf]"},
	    {true, {"-S", "a", "-f", "x", "-S", "b", "-f", "/y", "-S", "c"},
		"[x][/y]{-S #1: a}{-S #2: b}{-S #3: c}"},
	};
	int fd;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		unlink("svc.conf");
		if (cases[i].exists) {
			fd = open("svc.conf", O_CREAT | O_WRONLY, 0600);
			assert_true(fd >= 0);
			close(fd);
		}
		check_inputs(cases[i].words, cases[i].inputs);
	}
}

/* Row P01: relative paths mean the caller's folder, where that is left. */
static void
test_paths(void **state)
{
	static const struct {
		const char *const words[MOST_WORDS];
		const char *expected; /* %: the current folder */
	} cases[] = {
	    {{"-b", "-f", "x", "-p", "pid"}, "% %/x %/pid"},
	    {{"-b", "-f", "/x", "-p", "/pid"}, "% /x /pid"},
	    {{"-f", "x", "-p", "pid"}, " x pid"},
	    {{"-bt", "-f", "x", "-p", "pid"}, "% x pid"},
	};
	char expected[4 * PATH_MAX];

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		AUTO_TEXT text;
		struct parsed p;
		char *to = expected;

		text_init(&text);
		for (const char *c = cases[i].expected; *c != '\0'; c++)
			to += *c == '%'
				  ? sprintf(to, "%s", (const char *)*state)
				  : sprintf(to, "%c", *c);
		parse(&p, cases[i].words);
		assert_int_equal(p.result, 0);
		text_printf(&text, "%s %s %s",
		    p.options.cwd == NULL ? "" : p.options.cwd,
		    p.options.inputs[0].text, p.options.pid_file);
		assert_string_equal(text_string(&text), expected);
		drop(&p);
	}
}

static void
test_plugin_path(void **state)
{
	const char *const words[] = {"--plugin-path", "a:/b:../c", NULL};
	char expected[2 * PATH_MAX];
	struct parsed p;

	parse(&p, words);
	assert_int_equal(p.result, 0);
	snprintf(expected, sizeof(expected), "%s/a:/b:%s/../c",
	    (const char *)*state, (const char *)*state);
	assert_string_equal(p.options.plugin_path, expected);
	drop(&p);
}

static void
test_help(void **state)
{
	const struct option_row *row;
	const char *line;
	AUTO_TEXT help;
	char form[64];

	(void)state;
	text_init(&help);
	options_help(options_table_of("berthd"), &help);
	for (row = options_table(); row->name != NULL; row++) {
		snprintf(form, sizeof(form), "--%s %s", row->name,
		    row->argument == NULL ? " " : row->argument);
		assert_non_null(strstr(text_string(&help), form));
	}
	for (line = text_string(&help); *line != '\0';
	     line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") < 80);
}

/* The items of the page's list of options, such as "f file , -file file" for
 * -f, in the order of the page. */
static void
read_page(struct text *items)
{
	const char *srcdir = getenv("srcdir");
	char path[PATH_MAX], line[256];
	FILE *page;

	snprintf(path, sizeof(path), "%s/man/berthd.8",
	    srcdir == NULL ? "." : srcdir);
	page = fopen(path, "r");
	assert_non_null(page);
	while (fgets(line, sizeof(line), page) != NULL)
		if (strncmp(line, ".It Fl ", 7) == 0)
			text_add(items, line + 7, strlen(line + 7));
	fclose(page);
}

/* "FILE" of the table is "Ar file" in the page. */
static void
print_argument(struct text *text, const char *argument)
{
	if (argument == NULL)
		return;
	text_printf(text, " Ar ");
	if (strcmp(argument, "DIR[:DIR]") == 0) {
		text_printf(text, "dir Ns Op : Ns Ar dir ...");
		return;
	}
	for (; *argument != '\0'; argument++)
		text_printf(text, "%c", tolower((unsigned char)*argument));
}

static void
test_page(void **state)
{
	const struct option_row *row;
	unsigned lines = 0;
	AUTO_TEXT page;

	(void)state;
	text_init(&page);
	text_add(&page, "\n", 1);
	read_page(&page);
	for (row = options_table(); row->name != NULL; row++) {
		AUTO_TEXT item;

		text_init(&item);
		text_printf(&item, "\n");
		if (row->letter != 0) {
			text_printf(&item, "%c", row->letter);
			print_argument(&item, row->argument);
			text_printf(&item, " , Fl ");
		}
		text_printf(&item, "-%s", row->name);
		print_argument(&item, row->argument);
		text_printf(&item, "\n");
		if (strstr(text_string(&page), text_string(&item)) == NULL)
			fail_msg("berthd(8) lacks:%s", text_string(&item));
		lines++;
	}
	for (const char *c = text_string(&page) + 1; *c != '\0'; c++)
		lines -= *c == '\n';
	assert_int_equal(lines, 0);
}

/* What inetd's options say of all services. */
static void
test_inetd(void **state)
{
	static const struct {
		const char *words[MOST_WORDS + 1];
		const char *defaults;
	} cases[] = {
	    {{"-i", NULL}, NULL},
	    {{"-l", NULL}, "defaults { libwrap = auto; }"},
	    {{"-w", NULL}, "defaults { libwrap = auto; }"},
	    {{"-R", "0", "-W", "-c", "7", NULL},
		"defaults { cps = unlimited; libwrap = auto; instances = 7; }"},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct parsed parsed;

		parse_as(&parsed, "/usr/sbin/openbsd-inetd", cases[i].words);
		assert_int_equal(parsed.result, 0);
		if (cases[i].defaults == NULL)
			assert_null(parsed.options.defaults);
		else
			assert_string_equal(
			    parsed.options.defaults, cases[i].defaults);
		drop(&parsed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_help),
	    cmocka_unit_test(test_page),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_all_short),
	    cmocka_unit_test(test_all_long),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_inetd),
	    cmocka_unit_test_setup_teardown(
		test_inputs, enter_folder, leave_folder),
	    cmocka_unit_test_setup_teardown(
		test_paths, enter_folder, leave_folder),
	    cmocka_unit_test_setup_teardown(
		test_plugin_path, enter_folder, leave_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
