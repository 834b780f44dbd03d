/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: options before and after the verb, words that stay as they
 * are, every kind of mistake; and that help and berthctl(1) know the verbs and
 * options of the tables, no more and no less.
 */
#include "unit/unit.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_priv.h"

#define MOST_WORDS 10

struct parsed {
	struct client client;
	struct options options;
	struct text line; /* the words joined */
	int result;
	char *argv[MOST_WORDS + 2];
};

static void
parse(struct parsed *parsed, const char *const *words)
{
	int argc = 1;

	memset(parsed, 0, sizeof(*parsed));
	client_init(&parsed->client);
	text_init(&parsed->line);
	parsed->argv[0] = strdup("berthctl");
	for (; words[argc - 1] != NULL; argc++)
		parsed->argv[argc] = strdup(words[argc - 1]);
	parsed->result = options_parse(
	    &parsed->client, argc, parsed->argv, &parsed->options);
	if (parsed->result == 0 && parsed->options.action == OPTIONS_RUN)
		parsed->result = words_join(
		    &parsed->client, &parsed->options, &parsed->line);
}

static void
drop(struct parsed *parsed)
{
	for (int i = 0; parsed->argv[i] != NULL; i++)
		free(parsed->argv[i]);
	client_fini(&parsed->client);
	text_fini(&parsed->line);
}

static void
test_defaults(void **state)
{
	const char *const words[] = {"list", NULL};
	struct parsed p;

	(void)state;
	parse(&p, words);
	assert_int_equal(p.result, 0);
	assert_int_equal(p.options.action, OPTIONS_RUN);
	assert_string_equal(p.options.socket, "/run/berth/control");
	assert_int_equal(p.options.timeout_ms, 60000);
	assert_null(p.options.token_path);
	assert_false(p.options.json || p.options.no_colour);
	drop(&p);
}

static void
test_all(void **state)
{
	static const char *const forms[][MOST_WORDS + 1] = {
	    {"-js", "/x", "--token", "/t", "--timeout", "1.5", "--no-color",
		"show", "a", NULL},
	    {"show", "--json", "a", "--socket=/x", "--token=/t",
		"--timeout=1.5", "--no-color", NULL},
	    {"--json", "show", "-s/x", "--token=/t", "--timeout", "1.5",
		"--no-c", "--", "a", NULL},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(forms); i++) {
		struct parsed p;

		parse(&p, forms[i]);
		assert_int_equal(p.result, 0);
		assert_true(p.options.json && p.options.no_colour);
		assert_string_equal(p.options.socket, "/x");
		assert_string_equal(p.options.token_path, "/t");
		assert_int_equal(p.options.timeout_ms, 1500);
		assert_string_equal(text_string(&p.line), "show a");
		drop(&p);
	}
}

/* What the host reads. */
static void
test_lines(void **state)
{
	static const struct {
		const char *const words[MOST_WORDS];
		const char *line;
	} lines[] = {
	    {{"list"}, "list"},
	    {{"suspend", "all", "for", "30s"}, "suspend all for 30s"},
	    {{"dynamic", "Echo", "Service_Object *", "echo:make_echo",
		 "\"-x\""},
		"dynamic Echo Service_Object * echo:make_echo \"-x\""},
	    {{"static", "e", "-j", "--", "-h"}, "static e -j -- -h"},
	    {{"-j", "stream", "s", "{", "-h", "}"}, "stream s { -h }"},
	    {{"--", "list"}, "list"},
	    {{"show", "--", "-x"}, "show -x"},
	    {{"remove", "Größe"}, "remove Größe"},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(lines); i++) {
		struct parsed p;

		parse(&p, lines[i].words);
		assert_int_equal(p.result, 0);
		assert_string_equal(text_string(&p.line), lines[i].line);
		drop(&p);
	}
}

static void
test_ends(void **state)
{
	static const struct {
		const char *const words[MOST_WORDS];
		enum options_action action;
	} ends[] = {
	    {{"-h"}, OPTIONS_HELP},
	    {{"--help", "--nonsense"}, OPTIONS_HELP},
	    {{"show", "-h"}, OPTIONS_HELP},
	    {{"-V", "-x"}, OPTIONS_VERSION},
	    {{"list", "--version"}, OPTIONS_VERSION},
	    {{"--completion", "bash"}, OPTIONS_COMPLETION},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(ends); i++) {
		struct parsed p;

		parse(&p, ends[i].words);
		assert_int_equal(p.result, 0);
		assert_int_equal(p.options.action, ends[i].action);
		drop(&p);
	}
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *const words[MOST_WORDS];
		const char *message;
	} mistakes[] = {
	    {{NULL}, "which command? see berthctl --help"},
	    {{"-j"}, "which command? see berthctl --help"},
	    {{"-o", "list"}, "there is no option '-o'"},
	    {{"list", "-o"}, "there is no option '-o'"},
	    {{"list", "--jsno"},
		"there is no option '--jsno'; did you mean '--json'?"},
	    {{"--json=1", "list"}, "option '--json' takes no value"},
	    {{"list", "-s"}, "option '--socket' needs a PATH"},
	    {{"--token", "", "list"}, "option '--token' needs a FILE"},
	    {{"--timeout", "0", "list"}, "'0' is no number of seconds"},
	    {{"--timeout", "-1", "list"}, "'-1' is no number of seconds"},
	    {{"--timeout", "nan", "list"}, "'nan' is no number of seconds"},
	    {{"--timeout", "1m", "list"}, "'1m' is no number of seconds"},
	    {{"--timeout", "1e9", "list"}, "'1e9' is no number of seconds"},
	    {{"convert", "--to", "yml", "f"},
		"no language 'yml'; did you mean 'yaml'?"},
	    {{"--from=cobol", "convert", "f"},
		"no language 'cobol'; see berth-formats(5)"},
	    {{"convert"}, "usage: berthctl convert FILE"},
	    {{"list", "x"}, "usage: berthctl list"},
	    {{"show"}, "usage: berthctl show NAME"},
	    {{"show", "a", "b"}, "usage: berthctl show NAME"},
	    {{"suspend"}, "usage: berthctl suspend NAME|all [for TIME]"},
	    {{"static"}, "usage: berthctl static NAME ..."},
	    {{"static", "a", "{ x = 1\n}"},
		"a command is one line; between attributes, a semicolon does "
		"what a newline does"},
	    {{"remove", "a\rshutdown"},
		"a command is one line; between attributes, a semicolon does "
		"what a newline does"},
	    {{"frob\nshutdown"},
		"a command is one line; between attributes, a semicolon does "
		"what a newline does"},
	    {{"show", "a\xff"},
		"the protocol cannot carry the byte 0xff: not UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(mistakes); i++) {
		char expected[256];
		struct parsed p;

		parse(&p, mistakes[i].words);
		assert_int_equal(p.result, CLIENT_USAGE);
		snprintf(expected, sizeof(expected), "berthctl: %s\n",
		    mistakes[i].message);
		assert_string_equal(text_string(&p.client.err), expected);
		drop(&p);
	}
}

static void
test_addresses(void **state)
{
	static const struct {
		const char *text;
		int family;	  /* -1: refused */
		const char *host; /* or the path */
		const char *port;
	} addresses[] = {
	    {"/run/x", AF_UNIX, "/run/x", NULL},
	    {"unix:x", AF_UNIX, "x", NULL},
	    {"tcp:localhost:7", AF_UNSPEC, "localhost", "7"},
	    {"tcp4:127.0.0.1:http", AF_INET, "127.0.0.1", "http"},
	    {"tcp6:[::1]:7", AF_INET6, "::1", "7"},
	    {"tcp:[::1]:7", AF_UNSPEC, "::1", "7"},
	    {"unix:", -1, NULL, NULL},
	    {"tcp:", -1, NULL, NULL},
	    {"tcp::7", -1, NULL, NULL},
	    {"tcp:a", -1, NULL, NULL},
	    {"tcp:a:", -1, NULL, NULL},
	    {"tcp:::1:7", -1, NULL, NULL},
	    {"tcp:[::1]", -1, NULL, NULL},
	    {"tcp:[]:7", -1, NULL, NULL},
	    {"tcp:[::1:7", -1, NULL, NULL},
	    {"tcp:[::1]x:7", -1, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(addresses); i++) {
		struct address address;
		struct client client;
		char host[64];
		int result;

		client_init(&client);
		result = address_parse(addresses[i].text, &client, &address);
		client_fini(&client);
		if (addresses[i].family < 0) {
			assert_int_equal(result, CLIENT_USAGE);
			continue;
		}
		assert_int_equal(result, 0);
		assert_int_equal(address.family, addresses[i].family);
		if (address.family == AF_UNIX) {
			assert_string_equal(
			    address.path.sun_path, addresses[i].host);
			continue;
		}
		snprintf(host, sizeof(host), "%.*s", (int)address.host_size,
		    address.host);
		assert_string_equal(host, addresses[i].host);
		assert_string_equal(address.port, addresses[i].port);
	}
}

static void
test_long_paths(void **state)
{
	struct address address;
	struct client client;
	char path[120];

	(void)state;
	client_init(&client);
	memset(path, 'x', sizeof(path));
	path[107] = '\0';
	assert_int_equal(address_parse(path, &client, &address), 0);
	path[107] = 'x';
	path[108] = '\0';
	assert_int_equal(address_parse(path, &client, &address), CLIENT_USAGE);
	path[0] = '@';
	path[5] = '\0'; /* what is abstract is as long as its name */
	assert_int_equal(address_parse(path, &client, &address), 0);
	assert_int_equal(
	    address.path_size, offsetof(struct sockaddr_un, sun_path) + 5);
	client_fini(&client);
}

/* --- help and the manual --- */

static void
test_help(void **state)
{
	const char *line;
	AUTO_TEXT help;
	char form[128];

	(void)state;
	text_init(&help);
	help_print(&help);
	for (const struct option_row *row = options_table(); row->name != NULL;
	     row++) {
		snprintf(form, sizeof(form), "--%s %s", row->name,
		    row->argument == NULL ? " " : row->argument);
		assert_non_null(strstr(text_string(&help), form));
	}
	for (const struct verb *verb = verbs_table(); verb->name != NULL;
	     verb++) {
		snprintf(
		    form, sizeof(form), "\n  %s %s", verb->name, verb->syntax);
		assert_non_null(strstr(text_string(&help), form));
	}
	for (line = text_string(&help); *line != '\0';
	     line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") < 80);
}

/* The page's items that begin so, one a line, without the macro. */
static void
read_page(const char *macro, struct text *items)
{
	const char *srcdir = getenv("srcdir");
	char path[PATH_MAX], line[256];
	FILE *page;

	text_add(items, "\n", 1);
	snprintf(path, sizeof(path), "%s/man/berthctl.1",
	    srcdir == NULL ? "." : srcdir);
	page = fopen(path, "r");
	assert_non_null(page);
	while (fgets(line, sizeof(line), page) != NULL)
		if (strncmp(line, macro, strlen(macro)) == 0)
			text_add(items, line + strlen(macro),
			    strlen(line + strlen(macro)));
	fclose(page);
}

/* Each of the expected is in the page, and nothing else is. */
static void
compare(const struct text *page, struct text *expected, unsigned count)
{
	char *rest = expected->data, *item;
	unsigned lines = 0;

	while ((item = strsep(&rest, "\n")) != NULL) {
		char line[256];

		if (*item == '\0')
			continue;
		snprintf(line, sizeof(line), "\n%s\n", item);
		if (strstr(text_string(page), line) == NULL)
			fail_msg("berthctl(1) lacks: %s", item);
	}
	for (const char *c = text_string(page) + 1; *c != '\0'; c++)
		lines += *c == '\n';
	assert_int_equal(lines, count);
}

static void
add_lower(struct text *text, const char *words)
{
	for (; *words != '\0'; words++)
		text_printf(text, "%c", tolower((unsigned char)*words));
}

static void
test_page_options(void **state)
{
	unsigned count = 0;
	AUTO_TEXT page;
	AUTO_TEXT expected;

	(void)state;
	text_init(&page);
	text_init(&expected);
	read_page(".It Fl ", &page);
	for (const struct option_row *row = options_table(); row->name != NULL;
	     row++, count++) {
		AUTO_TEXT argument;

		text_init(&argument);
		if (row->argument != NULL) {
			text_printf(&argument, " Ar ");
			add_lower(&argument, row->argument);
		}
		if (row->letter != 0)
			text_printf(&expected, "%c%s , Fl ", row->letter,
			    text_string(&argument));
		text_printf(
		    &expected, "-%s%s\n", row->name, text_string(&argument));
	}
	compare(&page, &expected, count);
}

/* "NAME|all [for TIME]" of the table is
 * "Ar name | Cm all Op Cm for Ar time" in the page. */
static void
add_syntax(struct text *text, const char *syntax)
{
	const char *macro = "";

	for (; *syntax != '\0'; syntax++) {
		size_t size = strcspn(syntax, "|[] ");
		const char *next = isupper((unsigned char)*syntax) ? " Ar"
								   : " Cm";

		if (*syntax == '|' || *syntax == '[') {
			text_printf(text, *syntax == '|' ? " |" : " Op");
			macro = "";
		}
		if (size == 0)
			continue;
		if (strcmp(macro, next) != 0 && *syntax != '.')
			text_printf(text, "%s", next);
		macro = next;
		text_printf(text, " ");
		for (const char *end = syntax + size; syntax < end; syntax++)
			text_printf(
			    text, "%c", tolower((unsigned char)*syntax));
		syntax--;
	}
}

static void
test_page_verbs(void **state)
{
	unsigned count = 0;
	AUTO_TEXT page;
	AUTO_TEXT expected;

	(void)state;
	text_init(&page);
	text_init(&expected);
	read_page(".It Cm ", &page);
	for (const struct verb *verb = verbs_table(); verb->name != NULL;
	     verb++, count++) {
		text_printf(&expected, "%s", verb->name);
		add_syntax(&expected, verb->syntax);
		text_add(&expected, "\n", 1);
	}
	compare(&page, &expected, count);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_long_paths),
	    cmocka_unit_test(test_help),
	    cmocka_unit_test(test_page_options),
	    cmocka_unit_test(test_page_verbs),
	};

	unsetenv("BERTH_CONTROL");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
