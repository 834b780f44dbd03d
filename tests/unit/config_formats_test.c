/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in other languages: tests/config-LANGUAGE/NN-name.conf prints as
 * NN-name.ok and tells NN-name.err, of which either is missing when there is
 * nothing to print or to tell.  A name with a dialect in it is read in that;
 * all others in the language that their content shows.
 *
 * What was read prints as svc.conf and reads back as an equal tree; and in
 * each language that could hold all of it, too.
 *
 * A host that was built without libyaml prints YAML, but reads none.
 *
 * With CONFIG_UPDATE in the environment the expectations are written anew;
 * read the difference before you keep it.
 */
#include "unit/config_fixture.h"

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_AT_LEAST 100

#ifdef WITH_YAML
#define READS_YAML true
#else
#define READS_YAML false
#endif

static const char *const folders[] = {
    "config-inetd", "config-xinetd", READS_YAML ? "config-yaml" : NULL};

static void
update(const char *folder, const char *name, const char *ending,
    const struct text *found)
{
	AUTO_FD fd = -1;
	char path[600];

	snprintf(path, sizeof(path), "%s/%s/%.*s%s", TESTS_FOLDER, folder,
	    (int)(strrchr(name, '.') - name), name, ending);
	unlink(path);
	if (found->size == 0)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(
	    write(fd, text_string(found), found->size), (ssize_t)found->size);
}

static bool
exists(const char *name, const char *ending)
{
	char path[128];

	snprintf(path, sizeof(path), "%.*s%s", (int)(strrchr(name, '.') - name),
	    name, ending);
	return access(path, R_OK) == 0;
}

static void
expect(const char *folder, const char *name, const char *ending,
    const struct text *found)
{
	AUTO_TEXT expected = {0};

	if (getenv("CONFIG_UPDATE") != NULL)
		return update(folder, name, ending, found);
	if (exists(name, ending))
		corpus_read(name, ending, &expected);
	if (strcmp(text_string(found), text_string(&expected)) != 0)
		fprintf(stderr, "%s/%s:\n%s", folder, name, text_string(found));
	assert_string_equal(text_string(found), text_string(&expected));
}

static enum config_format
format_of(const char *name)
{
	enum config_format format = CONFIG_INETD_FREEBSD;

	for (; format <= CONFIG_INETD_GNU; format++)
		if (strstr(name, config_format_name(format)) != NULL)
			return format;
	return CONFIG_AUTO;
}

/* Where nothing is lost, the other language gives an equal tree. */
static unsigned
try_print(const struct reading *reading, enum config_format format)
{
	struct errors *errors = errors_new(0);
	struct config_input input = {CONFIG_STRING, NULL, NULL, format, NULL};
	struct reading again;
	AUTO_TEXT text = {0};
	int result;

	result = tree_print_as(reading->tree, format, errors, &text);
	assert_int_equal(result, errors_kept(errors) > 0 ? CONFIG_E_LOST : 0);
	errors_free(errors);
	if (result != 0)
		return 0;
	if (format == CONFIG_YAML && !READS_YAML)
		return 1;
	input.text = text_string(&text);
	reading_init_convert(&again, &input);
	if (!tree_equal(reading->tree, again.tree))
		fprintf(stderr, "%s%s%s", text_string(&reading->print),
		    text_string(&text), text_string(&again.messages));
	assert_true(tree_equal(reading->tree, again.tree));
	reading_fini(&again);
	return 1;
}

static unsigned printed; /* without a loss */

static void
try_file(const char *folder, const char *name)
{
	const struct config_input input = {
	    CONFIG_FILE, name, NULL, format_of(name), NULL};
	AUTO_TEXT messages = {0};
	struct reading reading;

	reading_init_convert(&reading, &input);
	assert_int_equal(reading.tree->host.reload, RELOAD_EXACT);
	errors_print(reading.errors, &messages);
	expect(folder, name, ".ok", &reading.print);
	expect(folder, name, ".err", &messages);
	reading_check_round_trip(&reading);
	assert_int_equal(try_print(&reading, CONFIG_YAML), 1);
	for (enum config_format to = CONFIG_INETD; to <= CONFIG_XINETD; to++)
		printed += try_print(&reading, to);
	reading_fini(&reading);
}

static void
test_files(void **state)
{
	size_t files = 0;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(folders) && folders[i] != NULL; i++) {
		struct corpus corpus;

		corpus_enter(folders[i]);
		corpus_list(".conf", &corpus);
		for (size_t j = 0; corpus.name[j][0] != '\0'; j++, files++)
			try_file(folders[i], corpus.name[j]);
		corpus_leave();
	}
	assert_true(files >= FILES_AT_LEAST);
	assert_true(printed >= FILES_AT_LEAST);
}

#define SERVICE(type_, wait_, more_)                                           \
	"service in.testd\n{\n\tsocket_type = " type_                          \
	"\n\tport = 7\n\ttype = UNLISTED\n\tuser = root\n\twait = " wait_      \
	"\n\tserver = /bin/cat\n" more_ "}\n"

/* While there is something to ask, xinetd's services ask, as with xinetd. */
static void
test_wraps(void **state)
{
	static const struct {
		const char *text, *wrapped, *not_wrapped;
	} cases[] = {
	    {SERVICE("stream", "no", ""), "auto", NULL},
	    {SERVICE("stream", "no", "\tlibwrap = x\n"), "x", "x"},
	    {SERVICE("stream", "no", "\tflags = NOLIBWRAP\n"), NULL, NULL},
	    {SERVICE("stream", "yes", ""), "auto", NULL},
	    {SERVICE("dgram", "yes", ""), "auto", NULL},
	};

	(void)state;
	for (size_t i = 0; i < 2 * BASE_COUNT(cases); i++) {
		const struct config_input input = {CONFIG_STRING,
		    cases[i / 2].text, NULL, CONFIG_XINETD, NULL};
		const struct config_options options = {.wraps = i % 2 == 0};
		const char *wanted = options.wraps ? cases[i / 2].wrapped
						   : cases[i / 2].not_wrapped;
		struct errors *errors = errors_new(0);
		const struct settings *settings;
		struct tree *tree;

		assert_int_equal(
		    config_read(&input, 1, &options, errors, &tree), 0);
		assert_int_equal(errors_count(errors), 0);
		settings = TAILQ_FIRST(&tree->directives)->settings;
		if (wanted == NULL)
			assert_null(settings->libwrap);
		else
			assert_string_equal(settings->libwrap, wanted);
		tree_free(tree);
		errors_free(errors);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
