/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows G and A, and those of D, E, L and S that a reader can show, of the
 * list of what ACE 7.0.8 does with svc.conf, with what is right here: the
 * same, or better where svc.conf(5) says so.  Each row gives the text, the
 * canonical print of what may run, and the messages.
 */
#include "unit/config_fixture.h"

#include <stdio.h>
#include <string.h>

#define SVC "Service_Object * plug:_make_Svc()"

struct row {
	const char *id;
	const char *text;
	const char *print;
	const char *messages;
};

static const struct row grammar[] = {
    {"G01", "dynamic A " SVC "\ndynamic B " SVC "\n",
	"dynamic A " SVC "\ndynamic B " SVC "\n", ""},
    {"G02 no newline at the end", "remove A", "remove A\n", ""},
    {"G02 CRLF", "remove A\r\nremove B\r\n", "remove A\nremove B\n", ""},
    {"G02 comment only", "# nothing", "", ""},
    {"G02 empty", "", "", ""},
    {"G02 byte order mark", "\xef\xbb\xbfremove A\n", "remove A\n", ""},
    {"G03",
	"dynamic\nA\nService_Object\n*\nplug\n:\n_make_Svc\n(\n)\n\"a b\"\n",
	"dynamic A " SVC " \"a b\"\n", ""},
    {"G04 tight", "dynamic A Service_Object*plug:_make_Svc()\"tight\"",
	"dynamic A " SVC " \"tight\"\n", ""},
    {"G04 loose", "dynamic A Service_Object * plug : _make_Svc ( ) \"f\"",
	"dynamic A " SVC " \"f\"\n", ""},
    {"G05", "dynamic A " SVC " \"a\" remove B dynamic C " SVC " 'c'",
	"dynamic A " SVC " \"a\"\nremove B\ndynamic C " SVC " \"c\"\n", ""},
    {"G06", "dynamic A " SVC " inactive \"x\"",
	"dynamic A " SVC " inactive \"x\"\n", ""},
    {"G06 active", "dynamic A " SVC " active \"x\"",
	"dynamic A " SVC " \"x\"\n", ""},
    {"G07", "dynamic A " SVC " \"a\" active\nremove B\n", "remove B\n",
	"1:49: 'active' stands before the string and the attributes\n"},
    {"G08", "dynamic E " SVC " active inactive \"e\"\nremove B", "remove B\n",
	"1:52: 'inactive' after the state is said already\n"},
    {"G09 dash and dot", "remove A-b remove A.b remove 1A",
	"remove A-b\nremove A.b\nremove 1A\n", ""},
    {"G09 quoted", "remove \"quoted name\"\nremove B", "remove B\n",
	"1:8: a name stands without quotes\n"},
    {"G09 keyword", "remove static\nremove Module\nremove B", "remove B\n",
	"1:8: 'static' is a keyword and cannot be a name\n"
	"2:8: 'Module' is a keyword and cannot be a name\n"},
    {"G09 path", "remove a/b\nremove B", "remove B\n",
	"1:9: '/' cannot stand in a name\n"},
    {"G09 our keywords are names to ACE",
	"remove host remove include remove defaults remove includedir "
	"remove Program remove Stream",
	"remove host\nremove include\nremove defaults\nremove includedir\n"
	"remove Program\nremove Stream\n",
	""},
    {"G10", "remove A_1$@! remove \xc3\x84 remove Active",
	"remove A_1$@!\nremove \xc3\x84\nremove Active\n", ""},
    {"G11", "dynamic A Service_Object * p:_make_Svc()",
	"dynamic A Service_Object * p:_make_Svc()\n", ""},
    {"G12 in a name", "remove A#x", "remove A#x\n", ""},
    {"G12 behind ()", "dynamic A " SVC " #c\n \"b\"",
	"dynamic A " SVC " \"b\"\n", ""},
    {"G12 behind a string", "dynamic A " SVC " \"b\" #c\nremove B",
	"dynamic A " SVC " \"b\"\nremove B\n", ""},
    {"G13", "dynamic A " SVC " \"c\" # has \"quote\" in comment\nremove B",
	"dynamic A " SVC " \"c\"\nremove B\n", ""},
    {"G14", "dynamic A " SVC " \"one\" \"two\"\nremove B", "remove B\n",
	"1:51: a second string; one string holds all arguments\n"},
    {"G15 TAB and UTF-8", "dynamic A " SVC " \"a\tb \xc3\x84\"",
	"dynamic A " SVC " \"a\tb \xc3\x84\"\n", ""},
    {"G15 newline", "dynamic A " SVC " \"a\nb\"\nremove B", "remove B\n",
	"1:45: the string is not closed on its line; a backslash at the end "
	"of the line continues it\n"},
    {"G15 joined", "dynamic A " SVC " \"a \\\nb\\\r\nc\"",
	"dynamic A " SVC " \"a bc\"\n", ""},
    {"G15 control character", "dynamic A " SVC " \"a\001\"\nremove B",
	"remove B\n",
	"1:47: a control character in a string; write it as \\xHH\n"},
    {"G17", "dynamic A Service_Object * \"./libplug.so\":f() \"x\"",
	"dynamic A Service_Object * ./libplug.so:f() \"x\"\n", ""},
    {"G18", "dynamic A " SVC " \"one\ndynamic B " SVC, "dynamic B " SVC "\n",
	"1:45: the string is not closed on its line; a backslash at the end "
	"of the line continues it\n"},
    {"G19", "remove A\ndynamic B Service_Object plug:f()\nremove C",
	"remove A\nremove C\n", "2:26: expected '*', not 'plug'\n"},
    {"G20", "broken one\nbroken two\n\"three\"\nremove A", "remove A\n",
	"1:1: unknown directive 'broken'\n"
	"2:1: unknown directive 'broken'\n"},
    {"G20 with three words", "dynamc A\nfoo\nbar baz\nremove A", "remove A\n",
	"1:1: unknown directive 'dynamc'; did you mean 'dynamic'?\n"
	"2:1: unknown directive 'foo'\n"
	"3:1: unknown directive 'bar'\n"},
    {"G21", "remove A\nremove B\nremove C\n   bogus\n",
	"remove A\nremove B\nremove C\n", "4:4: unknown directive 'bogus'\n"},
    {"G22 braces", "{ }\n}\nremove A", "remove A\n",
	"1:1: '{' without a directive before it\n"
	"2:1: '}' without a '{' before it\n"},
    {"G22 static alone", "static\nsuspend\nremove A\nresume", "remove A\n",
	"1:1: expected a name after 'static'\n"
	"2:1: expected a name after 'suspend'\n"
	"4:1: expected a name after 'resume'\n"},
    {"G23 case", "Dynamic A " SVC "\nremove B", "remove B\n",
	"1:1: unknown directive 'Dynamic'; did you mean 'dynamic'?\n"},
    {"G23 include", "include foo.conf\nremove B", "remove B\n",
	"1:9: 'include': the path stands in quotes: \"foo.conf\"\n"},
    {"D01, D02",
	"dynamic A Service_Object * plug:f() "
	"dynamic A Service_Object * libplug:f() "
	"dynamic A Service_Object * libplug.so:f() "
	"dynamic A Service_Object * ./plug:f() "
	"dynamic A Service_Object * ./libplug.so:f() "
	"dynamic A Service_Object * /opt/libplug.so:f() "
	"dynamic A Service_Object * plug.v1:f()",
	"dynamic A Service_Object * plug:f()\n"
	"dynamic A Service_Object * libplug:f()\n"
	"dynamic A Service_Object * libplug.so:f()\n"
	"dynamic A Service_Object * ./plug:f()\n"
	"dynamic A Service_Object * ./libplug.so:f()\n"
	"dynamic A Service_Object * /opt/libplug.so:f()\n"
	"dynamic A Service_Object * plug.v1:f()\n",
	""},
    {"L01: the order is the text's", "static A static B static A",
	"static A\nstatic B\nstatic A\n", ""},
    {"L17: a type is believed until the plugin is read",
	"dynamic S STREAM * plug:f() dynamic M Module * plug:g()",
	"dynamic S STREAM * plug:f()\ndynamic M Module * plug:g()\n", ""},
    {"S01, S02",
	"stream dynamic S STREAM * plug:s() active { dynamic A Module *plug:m()"
	" \"pa\" dynamic B Module *plug:m() \"pb\" dynamic C Module *plug:m() }"
	" suspend S resume S stream S { remove B } remove S",
	"stream dynamic S STREAM * plug:s() {\n"
	"\tdynamic A Module * plug:m() \"pa\"\n"
	"\tdynamic B Module * plug:m() \"pb\"\n"
	"\tdynamic C Module * plug:m()\n"
	"}\n"
	"suspend S\nresume S\nstream S {\n\tremove B\n}\nremove S\n",
	""},
    {"S03: a mistake before it does not empty a stream",
	"remove\nstream dynamic S STREAM * plug:s() {\n"
	"dynamic A Module * plug:m()\n}\n",
	"stream dynamic S STREAM * plug:s() {\n"
	"\tdynamic A Module * plug:m()\n}\n",
	"1:1: expected a name after 'remove'\n"},
    {"S04: one module of three is wrong",
	"stream dynamic S STREAM * plug:s() {\ndynamic A Module * plug:m()\n"
	"dynamic B Module plug:m()\ndynamic C Module * plug:m()\n}\nremove Z",
	"remove Z\n", "3:18: expected '*', not 'plug'\n"},
    {"S05", "stream S { suspend M resume M }",
	"stream S {\n\tsuspend M\n\tresume M\n}\n", ""},
    {"S06",
	"stream Nope { remove A } stream static Y { static X } remove B "
	"remove S",
	"stream Nope {\n\tremove A\n}\nstream static Y {\n\tstatic X\n}\n"
	"remove B\nremove S\n",
	""},
};

static void
run(const struct row *row)
{
	struct reading reading;

	reading_init_string(&reading, row->text);
	if (strcmp(text_string(&reading.messages), row->messages) != 0 ||
	    strcmp(text_string(&reading.print), row->print) != 0)
		fprintf(stderr, "row %s:\n%s", row->id, row->text);
	assert_string_equal(text_string(&reading.messages), row->messages);
	assert_string_equal(text_string(&reading.print), row->print);
	reading_check_round_trip(&reading);
	reading_fini(&reading);
}

static void
test_grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(grammar); i++)
		run(&grammar[i]);
}

/* G16: ACE's scanner stops at 4096 bytes. */
static void
test_long_string(void **state)
{
	AUTO_TEXT text = {0};
	struct reading reading;

	(void)state;
	text_printf(&text, "dynamic A " SVC " \"");
	for (unsigned i = 0; i < 5000; i++)
		text_add(&text, "x", 1);
	text_printf(&text, "\"");
	reading_init_string(&reading, text_string(&text));
	assert_string_equal(text_string(&reading.messages), "");
	assert_int_equal(
	    strlen(TAILQ_FIRST(&reading.tree->directives)->argv[1]), 5000);
	reading_check_round_trip(&reading);
	reading_fini(&reading);
}

/* The string as it stands in the file, and the words, or the messages. */
static const struct {
	const char *id;
	const char *string;
	const char *words;
	const char *messages;
} arguments[] = {
    {"A01", "\"  lead  trail  \"", "<lead><trail>", ""},
    {"A01 empty", "\"\"", "", ""},
    {"A01 none", "", "", ""},
    {"A02", "'single \"inner\" quoted'", "<single><inner><quoted>", ""},
    {"A02 grouped", "\"dq 'in ner' x\"", "<dq><in ner><x>", ""},
    {"A03", "\"a \\\\ b\"", "<a><\\\\><b>", ""},
    {"A03 blank", "\"a b\\ c d\"", "<a><b\\><c><d>", ""},
    {"A04", "\"x 'unbalanced\"", "",
	"1:13: the quote is not closed within the string; \\' is the "
	"character\n"},
    {"A05", "\"#hash first\"", "<#hash><first>", ""},
    {"A06", "\"x $FOO $NOPE $EMPTYV $FOO/y pre$FOO\"",
	"<x><foo><$NOPE><><foo/y><prefoo>", ""},
    {"a value with a blank is one word", "\"$BLANK x$BLANK\"", "<a b><xa b>",
	""},
    {"in quotes too", "\"'$FOO $NOPE' \\\"$FOO\\\"\"", "<foo $NOPE><\"foo\">",
	""},
    {"in braces", "\"${FOO} ${FOO}x ${NOPE} ${EMPTYV}\"",
	"<foo><foox><${NOPE}><>", ""},
    {"default", "\"${FOO:-no} ${NOPE:-a b} ${EMPTYV:-e} ${NOPE:-}\"",
	"<foo><a b><e><>", ""},
    {"escapes in a default", "\"${NOPE:-\\x7d\\\"}\"", "<}\">", ""},
    {"no default's end", "\"a ${NOPE:-b\"", "",
	"1:13: expected ${NAME} or ${NAME:-default}; '\\$' is a dollar\n"},
    {"no name", "\"${}\"", "",
	"1:11: expected ${NAME} or ${NAME:-default}; '\\$' is a dollar\n"},
    {"dollars", "\"$ $$ a$ \\$FOO $1\"", "<$><$$><a$><$FOO><$1>", ""},
    {"escapes", "\"\\\"a\\\" \\'b x\\ty\\n \\x41\\x20b\"",
	"<\"a\"><'b><x\ty\n><A b>", ""},
    {"a pair within quotes is one", "\"'C:\\\\new' C:\\\\new\"",
	"<C:\\new><C:\\\\new>", ""},
    {"a pair before the end", "\"a\\\\\"", "<a\\\\>", ""},
    {"other backslashes stay", "\"\\d+ a\\\\|b \\:\"", "<\\d+><a\\\\|b><\\:>",
	""},
    {"bad byte", "\"a \\xg0\"", "",
	"1:13: '\\x' needs two hexadecimal digits behind it\n"},
    {"NUL", "\"\\x00\"", "", "1:11: a NUL byte cannot stand in a string\n"},
    {"empty words", "\"'' a '' \"", "<><a><>", ""},
    {"glued", "\"a'b c'd\"", "<ab cd>", ""},
    {"joined lines do not split", "\"a\\\nb \\\n c\"", "<ab><c>", ""},
    {"a joined line is no word", "\"\\\n\\\n\"", "", ""},
};

static void
test_arguments(void **state)
{
	AUTO_TEXT text = {0};
	AUTO_TEXT words = {0};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(arguments); i++) {
		struct reading reading;

		text_reset(&text);
		text_printf(&text, "static A %s\n", arguments[i].string);
		reading_init_string(&reading, text_string(&text));
		reading_words(&reading, &words);
		if (strcmp(text_string(&words), arguments[i].words) != 0)
			fprintf(stderr, "row %s: ", arguments[i].id);
		assert_string_equal(
		    text_string(&reading.messages), arguments[i].messages);
		assert_string_equal(text_string(&words), arguments[i].words);
		reading_check_round_trip(&reading);
		reading_fini(&reading);
	}
}

/* E05: each string is read, with its own name and count. */
static void
test_strings(void **state)
{
	const struct config_input inputs[] = {
	    {CONFIG_STRING, "static echo", "-S #1", CONFIG_AUTO, NULL},
	    {CONFIG_STRING, "remove Q", "-S #2", CONFIG_AUTO, NULL},
	    {CONFIG_STRING, "static x bogus", "-S #3", CONFIG_AUTO, NULL},
	};
	AUTO_TEXT text = {0};
	struct reading reading;

	(void)state;
	reading_init(&reading, inputs, BASE_COUNT(inputs));
	errors_print(reading.errors, &text);
	assert_string_equal(text_string(&text),
	    "-S #3:1:10: error: 'bogus' does not belong behind 'x'\n"
	    "    1 | static x bogus\n"
	    "      |          ^~~~~\n");
	assert_string_equal(
	    text_string(&reading.print), "static echo\nremove Q\n");
	reading_fini(&reading);
}

/* E03: a missing file is told, and what is behind it is read as well. */
static void
test_missing_file(void **state)
{
	const struct config_input inputs[] = {
	    {CONFIG_STRING, "static a", "-S #1", CONFIG_AUTO, NULL},
	    {CONFIG_FILE, "no-such-file", NULL, CONFIG_AUTO, NULL},
	    {CONFIG_STRING, "remov b", "-S #2", CONFIG_AUTO, NULL},
	};
	AUTO_TEXT text = {0};
	struct reading reading;

	(void)state;
	reading_init(&reading, inputs, BASE_COUNT(inputs));
	errors_print(reading.errors, &text);
	assert_string_equal(text_string(&text),
	    "no-such-file: error: cannot read it: No such file or directory\n"
	    "-S #2:1:1: error: unknown directive 'remov'; did you mean "
	    "'remove'?\n"
	    "    1 | remov b\n"
	    "      | ^~~~~\n");
	assert_string_equal(text_string(&reading.print), "static a\n");
	reading_fini(&reading);
}

/* One text: what the first input sets by default holds in the second. */
static void
test_one_text(void **state)
{
	const struct config_input inputs[] = {
	    {CONFIG_STRING, "defaults { backlog = 7 } host { reload = exact }",
		NULL, CONFIG_AUTO, NULL},
	    {CONFIG_STRING, "static echo", NULL, CONFIG_AUTO, NULL},
	    {CONFIG_STRING, "static echo", "second", CONFIG_AUTO, NULL},
	};
	struct reading reading;

	(void)state;
	reading_init(&reading, inputs, 2);
	assert_string_equal(text_string(&reading.print),
	    "host { reload = exact }\nstatic echo { backlog = 7 }\n");
	reading_fini(&reading);
	reading_init(&reading, inputs, 3);
	assert_string_equal(text_string(&reading.messages),
	    "1:8: 'echo' is declared twice; the first is at "
	    "directive:1:8\n");
	reading_fini(&reading);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_grammar),
	    cmocka_unit_test(test_long_string),
	    cmocka_unit_test(test_arguments),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_missing_file),
	    cmocka_unit_test(test_one_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
