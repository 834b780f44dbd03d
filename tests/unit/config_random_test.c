/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random trees, and the files of the tests with random bytes changed: what
 * is left after the mistakes prints, and reads back as an equal tree.
 *
 * The seeds are fixed, so that a failure comes again.
 */
#include "unit/config_fixture.h"

#include <stdlib.h>
#include <string.h>

#define TREES 1500
#define CHANGES 12 /* of each file */

struct dice {
	uint64_t state;
};

/* xorshift64* (Vigna 2014); the state is not 0. */
static unsigned
roll(struct dice *dice, unsigned sides)
{
	dice->state ^= dice->state >> 12;
	dice->state ^= dice->state << 25;
	dice->state ^= dice->state >> 27;
	return (unsigned)((dice->state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) %
	       sides;
}

#define PICK(dice, list) (list)[roll(dice, BASE_COUNT(list))]

static const char *const names[] = {"a", "B-2", "c.d", "1e", "f_$@!", "G#h",
    "i=j", "\xc3\xa4", "host", "Program", "include", "Active"};
static const char *const paths[] = {"plug", "./lib/p.so", "/usr/lib/x",
    "'quoted path'", "\"a\\\"b\\\\c\"", "p", "'stream'", "\"$FOO/\\$x\"",
    "\"\\x01\xc3\xa4\""};
static const char *const symbols[] = {
    "f()", "make_it()", "object", "remove()", "a.b$c()", "_1"};
static const char *const strings[] = {"\"\"", "''", "\"a b\"",
    "'say \"x y\" z'", "\"it\\'s '$FOO $NOPE'\"", "\"\\\\ \\n\\t\\x41 \\$A\"",
    "\"${NOPE:-a b} ${EMPTYV}\"", "\"joined \\\n line\"", "'\\\"\\''",
    "\"\t\xe2\x82\xac # { } ; = :\"", "'\"\\\\\" \\\\'"};
static const char *const attributes_of_services[] = {
    "listen = tcp:*:7 udp:[0::1]:007", "listen += unix:/run/x",
    "listen = @abstract \"unix:/run/a b;c\"",
    "listen =", "port = $PORT; bind = 127.0.0.1", "port = echo; protocol = udp",
    "backlog = 7", "v6only = yes", "nodelay = no", "instances = unlimited",
    "instances = 5", "idle_timeout = 90", "drain = 1500ms", "linger = 1h",
    "input_limit = 1536", "output_limit = 3M", "concurrency = reactive"};
static const char *const attributes_of_hosts[] = {"reload = script",
    "pid_file = \"/run/my pid\"", "plugin_path = /a:/b", "log_level = 4",
    "watchdog = 0", "shutdown = 3s"};
static const char *const blanks[] = {" ", "\n", "\t ", " # comment\n", "\r\n"};

static void
put(struct dice *dice, struct text *text, const char *word)
{
	text_printf(text, "%s%s", word, PICK(dice, blanks));
}

static void
put_block(
    struct dice *dice, struct text *text, const char *const *list, size_t count)
{
	/* One of the list or two that cannot be the same key. */
	size_t first = roll(dice, (unsigned)count);
	size_t second = first / 2 + count / 2;

	text_printf(text, "{%s%s", roll(dice, 2) ? "\n\t" : " ", list[first]);
	if (first < 2 && second > 5)
		text_printf(
		    text, "%s%s", roll(dice, 2) ? "\n" : " ; ", list[second]);
	put(dice, text, roll(dice, 2) ? " }" : "\n}");
}

static void
put_service(struct dice *dice, struct text *text, const char *type)
{
	bool dynamic = roll(dice, 3) > 0;

	/* Our own keywords are names if they are on the line. */
	text_printf(text, dynamic ? "dynamic " : "static ");
	put(dice, text, PICK(dice, names));
	if (dynamic) {
		text_printf(text, "%s * %s:", type, PICK(dice, paths));
		put(dice, text, PICK(dice, symbols));
		if (roll(dice, 4) == 0)
			put(dice, text, roll(dice, 2) ? "active" : "inactive");
	}
	if (roll(dice, 2))
		put(dice, text, PICK(dice, strings));
	if (roll(dice, 2))
		put_block(dice, text, attributes_of_services,
		    BASE_COUNT(attributes_of_services));
}

static void
put_verb(struct dice *dice, struct text *text)
{
	static const char *const verbs[] = {"remove", "suspend", "resume"};

	text_printf(text, "%s ", PICK(dice, verbs));
	put(dice, text, PICK(dice, names));
}

static void
put_stream(struct dice *dice, struct text *text)
{
	text_printf(text, "stream ");
	if (roll(dice, 2))
		put(dice, text, PICK(dice, names));
	else
		put_service(dice, text, "STREAM");
	if (roll(dice, 3) == 0)
		return;
	put(dice, text, "{");
	for (unsigned i = roll(dice, 4); i > 0; i--) {
		if (roll(dice, 2))
			put_service(dice, text, "Module");
		else
			put_verb(dice, text);
	}
	put(dice, text, "}");
}

static void
put_directive(struct dice *dice, struct text *text)
{
	switch (roll(dice, 8)) {
	case 0:
		put(dice, text, "defaults");
		put_block(dice, text, attributes_of_services + 6,
		    BASE_COUNT(attributes_of_services) - 6);
		break;
	case 1:
		put(dice, text, "host");
		put_block(dice, text, attributes_of_hosts,
		    BASE_COUNT(attributes_of_hosts));
		break;
	case 2:
		put_stream(dice, text);
		break;
	case 3:
		put_verb(dice, text);
		break;
	default:
		put_service(dice, text, "Service_Object");
		break;
	}
}

static void
test_trees(void **state)
{
	struct dice dice = {.state = 20261121};
	unsigned directives = 0;

	(void)state;
	for (unsigned i = 0; i < TREES; i++) {
		struct reading reading;
		const struct directive *each;
		AUTO_TEXT text = {0};

		for (unsigned n = roll(&dice, 8); n > 0; n--)
			put_directive(&dice, &text);
		reading_init_string(&reading, text_string(&text));
		if (errors_count(reading.errors) != 0)
			print_error("%s\n", text_string(&text));
		assert_string_equal(text_string(&reading.messages), "");
		reading_check_round_trip(&reading);
		TAILQ_FOREACH (each, &reading.tree->directives, link)
			directives++;
		reading_fini(&reading);
	}
	assert_true(directives > TREES);
}

static void
change(struct dice *dice, struct text *text)
{
	static const char bytes[] = "{}();:*=+-#\"'\\$\n\r\t azAZ09/\xc3\x7f\1";
	size_t at;

	for (unsigned n = 1 + roll(dice, 4); n > 0 && text->size > 0; n--) {
		at = roll(dice, (unsigned)text->size);
		text->data[at] = bytes[roll(dice, sizeof(bytes) - 1)];
	}
}

static void
try_file(struct dice *dice, const char *name)
{
	for (unsigned i = 0; i < CHANGES; i++) {
		struct reading reading;
		AUTO_TEXT text = {0};

		corpus_read(name, ".conf", &text);
		change(dice, &text);
		reading_init_string(&reading, text_string(&text));
		reading_check_round_trip(&reading);
		reading_fini(&reading);
	}
}

static void
test_changes(void **state)
{
	static const char *const folders[] = {"config", "config-bad"};
	struct dice dice = {.state = 42};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(folders); i++) {
		struct corpus corpus;

		corpus_enter(folders[i]);
		corpus_list(".conf", &corpus);
		for (size_t j = 0; corpus.name[j][0] != '\0'; j++)
			try_file(&dice, corpus.name[j]);
		corpus_leave();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trees),
	    cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
