/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: what programs find of it, what is told of words that name nothing,
 * and that every group is one.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "config.h"
#include "unit/worker_desk.h"
#include "worker/filter.h"

static const char *const calls[] = {
    "call", "getppid", "socket", "mkdirat", "personality", NULL};

static int
make(struct desk *desk, const char *words, const char *error)
{
	desk_give(desk, &desk->settings.system_call_filter, words);
	desk->settings.system_call_error_number = error;
	return desk_make(desk, calls);
}

/* --- groups ------------------------------------------------------------------
 */

/* Each word of it is a group above, or looks like a call. */
static void
check_group(const struct filter_group *group)
{
	const char *word = group->calls;
	size_t size;

	for (; *word != '\0'; word += size + (word[size] == ' ' ? 1 : 0)) {
		size = strcspn(word, " ");
		assert_true(size > 0);
		if (word[0] == '@') {
			const struct filter_group *other = filter_group_find(
			    word, size);

			if (other == NULL || other->calls == group->calls ||
			    (strchr(other->calls, '@') != NULL))
				fail_msg(
				    "%s: %.*s", group->name, (int)size, word);
		} else if (strspn(word, "abcdefghijklmnopqrstuvwxyz_"
					"0123456789") != size) {
			fail_msg("%s: %.*s", group->name, (int)size, word);
		}
	}
}

static void
test_groups(void **state)
{
	const struct filter_group *group;
	size_t i = 0;

	(void)state;
	for (; (group = filter_group_at(i)) != NULL; i++) {
		assert_int_equal(group->name[0], '@');
		assert_ptr_equal(
		    filter_group_find(group->name, strlen(group->name)), group);
		check_group(group);
	}
	assert_true(i > 25);
	assert_null(filter_group_find("@none", 5));
}

#ifdef HAVE_SECCOMP

/* --- what programs find ------------------------------------------------------
 */

/* What the probe needs itself. */
#define NEEDS "@basic-io @file-system"

struct filtered {
	const char *words, *error;
	const char *said;
	int signal;
};

static const struct filtered filtered[] = {
    {"@system-service", NULL,
	"getppid 0\nsocket 0\nmkdirat 17\npersonality 0\n", 0},
    {NEEDS, "EPERM", "getppid 0\nsocket 1\nmkdirat 17\npersonality 1\n", 0},
    {NEEDS " socket ~mkdirat", "13",
	"getppid 0\nsocket 0\nmkdirat 13\npersonality 13\n", 0},
    {NEEDS " ~mkdirat:EROFS", "EPERM",
	"getppid 0\nsocket 1\nmkdirat 30\npersonality 1\n", 0},
    {NEEDS " ~mkdirat:EPERM", "EPERM",
	"getppid 0\nsocket 1\nmkdirat 1\npersonality 1\n", 0},
    {NEEDS, NULL, "getppid 0\n", SIGSYS},
    {NEEDS, "kill", "getppid 0\n", SIGSYS},
    {"~@network-io ~personality:ENOSYS", "EACCES",
	"getppid 0\nsocket 13\nmkdirat 17\npersonality 38\n", 0},
    {"~@network-io socket", "EACCES",
	"getppid 0\nsocket 0\nmkdirat 17\npersonality 0\n", 0},
    {"~mkdirat", NULL, "getppid 0\nsocket 0\n", SIGSYS},
    {"~mkdirat:kill ~socket", "EPERM", "getppid 0\nsocket 1\n", SIGSYS},
    /* How it is started is not in question. */
    {"~@process ~@privileged", "EPERM",
	"getppid 0\nsocket 0\nmkdirat 17\npersonality 0\n", 0},
};

static void
check(struct desk *desk, const struct filtered *want)
{
	int status;

	assert_int_equal(make(desk, want->words, want->error), 0);
	assert_true(desk->template->no_new_privs);
	assert_null(desk->template->not_applied);
	status = desk_run(desk);
	if (strcmp(desk->said, want->said) != 0 ||
	    (want->signal == 0
		    ? status != 0
		    : !WIFSIGNALED(status) || WTERMSIG(status) != want->signal))
		fail_msg("'%s', %s: status %x, '%s'", want->words,
		    want->error != NULL ? want->error : "-", (unsigned)status,
		    desk->said);
}

static void
test_what_programs_find(void **state)
{
	struct desk *desk = *state;

	for (size_t i = 0; i < BASE_COUNT(filtered); i++)
		check(desk, &filtered[i]);
	/* One that nothing handles ends as well. */
	desk->worker = true;
	check(desk, &filtered[5]);
	assert_int_equal(errors_count(desk->errors), 0);
}

static void
test_a_check_makes_none(void **state)
{
	struct desk *desk = *state;

	desk->check = true;
	assert_int_equal(make(desk, "@system-service", NULL), 0);
	assert_null(desk->template->sandbox->filter);
}

/* --- what is told ------------------------------------------------------------
 */

static void
test_unknown_names(void **state)
{
	struct desk *desk = *state;

	desk->check = true;
	assert_int_equal(make(desk, "~nosuchcall ~socket", "EPERM"), 0);
	assert_int_equal(errors_kept(desk->errors), 1);
	assert_int_equal(
	    errors_get(desk->errors, 0)->severity, SEVERITY_WARNING);
	assert_non_null(strstr(errors_get(desk->errors, 0)->text,
	    "system_call_filter: 'nosuchcall' is no system call"));
	/* Once is enough: the start says nothing, and has the others. */
	desk->check = false;
	assert_int_equal(make(desk, "~nosuchcall ~socket", "EPERM"), 0);
	assert_int_equal(errors_kept(desk->errors), 1);
	assert_int_equal(desk_run(desk), 0);
	assert_non_null(strstr(desk->said, "socket 1\n"));
}

static void
test_mistakes(void **state)
{
	static const char *const words[] = {"@none", "~@none", "~execve"};
	struct desk *desk = *state;

	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		assert_int_equal(make(desk, words[i], NULL), -EINVAL);
		assert_int_equal(errors_count(desk->errors), i + 1);
	}
}

static void
test_names_of_numbers(void **state)
{
	char name[32];

	(void)state;
	filter_call_name(0, name, sizeof(name));
	assert_true(name[0] != '\0');
	filter_call_name(100000, name, sizeof(name));
	assert_string_equal(name, "");
}

#else

static void
test_without_the_library(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(make(desk, "@system-service", NULL), -ENOTSUP);
	desk->settings.sandbox_strict = false;
	assert_int_equal(make(desk, "@system-service", NULL), 0);
	assert_non_null(
	    strstr(desk->template->not_applied, "without libseccomp"));
	assert_int_equal(desk_run(desk), 0);
}

#endif

#define TEST(function_)                                                        \
	cmocka_unit_test_setup_teardown(function_, desk_setup, desk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_groups),
#ifdef HAVE_SECCOMP
	    TEST(test_what_programs_find),
	    TEST(test_a_check_makes_none),
	    TEST(test_unknown_names),
	    TEST(test_mistakes),
	    TEST(test_names_of_numbers),
#else
	    TEST(test_without_the_library),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
