/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables at several widths: what shrinks, what is left out, characters that
 * take two columns or none, colours, and what the environment says of the
 * screen.
 */
#include "unit/unit.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/client.h"

static const struct column columns[] = {
    {"NAME", false, true},
    {"STATE", false, false},
    {"SESSIONS", true, false},
    {"ENDPOINTS", false, true},
};

static const char *const cells[] = {"echo", "active", "12",
    "tcp:127.0.0.1:7 udp:127.0.0.1:7", "größter_dienst_von_allen", "suspended",
    "0", "tcp:*:80", "日本", "failed", "1234", ""};

static void
print(const struct screen *screen, struct text *text)
{
	struct table *table = table_new(columns, BASE_COUNT(columns));

	assert_non_null(table);
	for (size_t i = 0; i < BASE_COUNT(cells); i++)
		table_add(table, i % 4 == 1 ? PAINT_GREEN : PAINT_NONE,
		    cells[i], strlen(cells[i]));
	assert_int_equal(table_print(table, screen, text), 0);
	assert_null(table_free(table));
}

static void
test_widths(void **state)
{
	static const struct {
		unsigned columns;
		const char *text;
	} cases[] = {
	    {0, "NAME                      STATE      SESSIONS  ENDPOINTS\n"
		"echo                      active           12  "
		"tcp:127.0.0.1:7 udp:127.0.0.1:7\n"
		"größter_dienst_von_allen  suspended         0  tcp:*:80\n"
		"日本                      failed         1234\n"},
	    /* The endpoints shrink first, */
	    {70, "NAME                      STATE      SESSIONS  ENDPOINTS\n"
		 "echo                      active           12  "
		 "tcp:127.0.0.1:7 udp:12…\n"
		 "größter_dienst_von_allen  suspended         0  tcp:*:80\n"
		 "日本                      failed         1234\n"},
	    /* then the names, */
	    {50, "NAME             STATE      SESSIONS  ENDPOINTS\n"
		 "echo             active           12  tcp:127.0.0…\n"
		 "größter_dienst…  suspended         0  tcp:*:80\n"
		 "日本             failed         1234\n"},
	    /* then the columns on the right go, */
	    {40, "NAME          STATE      SESSIONS\n"
		 "echo          active           12\n"
		 "größter_die…  suspended         0\n"
		 "日本          failed         1234\n"},
	    {25, "NAME          STATE\n"
		 "echo          active\n"
		 "größter_die…  suspended\n"
		 "日本          failed\n"},
	    /* and last the names are cut; two columns are not cut to one. */
	    {4, "NAME\necho\ngrö…\n日本\n"},
	    {3, "NA…\nec…\ngr…\n日…\n"},
	    {2, "N…\ne…\ng…\n…\n"},
	    {1, "…\n…\n…\n…\n"},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct screen screen = {.columns = cases[i].columns};
		AUTO_TEXT text;

		text_init(&text);
		print(&screen, &text);
		assert_string_equal(text_string(&text), cases[i].text);
	}
}

/* At no width is a line wider than the screen, or ends with a blank. */
static void
test_every_width(void **state)
{
	(void)state;
	for (unsigned width = 1; width < 120; width++) {
		struct screen screen = {.columns = width};
		const char *line;
		AUTO_TEXT text;
		size_t size;

		text_init(&text);
		print(&screen, &text);
		for (line = text_string(&text); *line != '\0';
		     line += size + 1) {
			size = strcspn(line, "\n");
			assert_true(screen_width(line, size) <= width);
			assert_true(size > 0 && line[size - 1] != ' ');
		}
	}
}

static void
test_colour(void **state)
{
	static const struct column two[] = {
	    {"A", false, false}, {"B", false, false}};
	struct screen screen = {.colour = true};
	struct table *table = table_new(two, 2);
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	table_add(table, PAINT_RED, "x", 1);
	table_add(table, PAINT_NONE, "y", 1);
	table_add(table, PAINT_GREEN, "", 0);
	table_add(table, PAINT_YELLOW, "z", 1);
	assert_int_equal(table_print(table, &screen, &text), 0);
	assert_string_equal(text_string(&text),
	    "\033[1mA\033[0m  \033[1mB\033[0m\n"
	    "\033[31mx\033[0m  y\n"
	    "   \033[33mz\033[0m\n");
	table_free(table);
}

/* What a service put into its name moves no cursor and breaks no line. */
static void
test_harmless(void **state)
{
	static const struct column two[] = {
	    {"A", false, true}, {"B", false, false}};
	struct table *table = table_new(two, 2);
	struct screen screen = {.columns = 0};
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	table_add(table, PAINT_NONE, "a\033[2J\nb\tc\xff", 10);
	table_add(table, PAINT_NONE, "|", 1);
	assert_int_equal(table_print(table, &screen, &text), 0);
	assert_string_equal(text_string(&text), "A                    B\n"
						"a\\x1b[2J\\x0ab c\\xff  |\n");
	table_free(table);
}

/* --- screens --- */

static void
test_no_terminal(void **state)
{
	static const struct {
		const char *columns;
		unsigned expected;
	} cases[] = {
	    {NULL, 0},
	    {"", 0},
	    {"100", 100},
	    {"0", 0},
	    {"-5", 0},
	    {"12x", 0},
	    {"99999999999999999999", 0},
	};
	AUTO_FD fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct screen screen;

	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		unsetenv("COLUMNS");
		if (cases[i].columns != NULL)
			setenv("COLUMNS", cases[i].columns, 1);
		screen_init(&screen, fd);
		assert_int_equal(screen.columns, cases[i].expected);
		assert_false(screen.colour);
	}
}

static void
test_terminal(void **state)
{
	struct winsize size = {.ws_row = 24, .ws_col = 91};
	int master, slave;
	struct screen screen;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	unsetenv("COLUMNS");
	screen_init(&screen, slave);
	assert_int_equal(screen.columns, 91);
	assert_true(screen.colour);
	setenv("COLUMNS", "70", 1);
	setenv("NO_COLOR", "", 1);
	screen_init(&screen, slave);
	assert_int_equal(screen.columns, 70);
	assert_true(screen.colour);
	unsetenv("COLUMNS");
	size.ws_col = 0; /* it does not know */
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	setenv("NO_COLOR", "1", 1);
	screen_init(&screen, slave);
	assert_int_equal(screen.columns, 80);
	assert_false(screen.colour);
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	screen_init(&screen, slave);
	assert_false(screen.colour);
	unsetenv("TERM");
	screen_init(&screen, slave);
	assert_false(screen.colour);
	close(master);
	close(slave);
}

static int
set_utf8(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	assert_string_equal(nl_langinfo(CODESET), "UTF-8");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_widths),
	    cmocka_unit_test(test_every_width),
	    cmocka_unit_test(test_colour),
	    cmocka_unit_test(test_harmless),
	    cmocka_unit_test(test_no_terminal),
	    cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, set_utf8, NULL);
}
