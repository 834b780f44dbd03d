/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules: times of day by a clock that is handed in, the load by a file, users,
 * banners, and the mistakes that are told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guard/guard.h"
#include "unit/unit.h"

struct post {
	struct guards *guards;
	struct guard *guard;
	struct guard_rules *rules;
	struct settings settings;
	struct errors *errors;
	time_t wall;
	char path[64];
};

static time_t
wall(void *context)
{
	return ((struct post *)context)->wall;
}

static int
setup(void **state)
{
	struct post *post = calloc(1, sizeof(*post));
	int fd;

	assert_non_null(post);
	setenv("TZ", "UTC", 1);
	snprintf(post->path, sizeof(post->path), "/tmp/berth-guard-XXXXXX");
	fd = mkstemp(post->path);
	assert_true(fd >= 0);
	close(fd);
	settings_init(&post->settings);
	post->errors = errors_new(0);
	assert_non_null(post->errors);
	assert_int_equal(
	    guards_new(
		&(struct guards_options){
		    .load_path = post->path, .wall = wall, .context = post},
		&post->guards),
	    0);
	assert_int_equal(guard_acquire(post->guards, "a", &post->guard), 0);
	*state = post;
	return 0;
}

static int
teardown(void **state)
{
	struct post *post = *state;

	guard_rules_free(post->rules);
	guard_unref(post->guard);
	guards_free(post->guards);
	errors_free(post->errors);
	unlink(post->path);
	free(post);
	return 0;
}

static int
make(struct post *post)
{
	const struct place none = {.line = 0};

	post->rules = guard_rules_free(post->rules);
	return guard_rules_new(
	    &post->settings, &none, post->errors, &post->rules);
}

static enum guard_reason
gate(struct post *post, uint64_t now_ms)
{
	const struct guard_question question = {
	    .guard = post->guard,
	    .rules = post->rules,
	    .settings = &post->settings,
	    .now = {MONO_MS(now_ms)},
	};

	return guard_gate(&question);
}

static void
write_file(const struct post *post, const char *data, size_t size)
{
	int fd = open(post->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void
test_nothing_asked_is_no_rules(void **state)
{
	struct post *post = *state;

	assert_int_equal(make(post), 0);
	assert_null(post->rules);
	assert_false(guard_has_gate(NULL));
	assert_false(guard_has_door(NULL));
	assert_int_equal(guard_banner(NULL, GUARD_BANNER).size, 0);
}

static void
test_times_of_day(void **state)
{
	static const char *const words[] = {
	    "8:00-12:00", "13:30-24:00", "00:00-00:01"};
	static const struct {
		unsigned hour, minute, second;
		bool within;
	} cases[] = {
	    {0, 0, 0, true},
	    {0, 0, 59, true},
	    {0, 1, 0, false},
	    {7, 59, 59, false},
	    {8, 0, 0, true},
	    {11, 59, 59, true},
	    {12, 0, 0, false},
	    {13, 29, 59, false},
	    {13, 30, 0, true},
	    {23, 59, 59, true},
	};
	struct post *post = *state;
	enum guard_reason reason = GUARD_SERVED;
	struct guard_question question;

	post->settings.access_times = (struct word_list){
	    .word = words, .count = 3, .is_set = true};
	assert_int_equal(make(post), 0);
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		post->wall = 1700006400 / 86400 * 86400 +
			     (time_t)cases[i].hour * 3600 +
			     cases[i].minute * 60 + cases[i].second;
		if ((gate(post, 1) == GUARD_SERVED) != cases[i].within)
			fail_msg("%02u:%02u", cases[i].hour, cases[i].minute);
	}
	/* Who may wait looks again at the next minute. */
	post->settings.on_access_times = POLICY_QUEUE;
	post->wall = 1700006400 / 86400 * 86400 + 12 * 3600 + 50;
	question = (struct guard_question){
	    .guard = post->guard,
	    .rules = post->rules,
	    .settings = &post->settings,
	};
	assert_int_equal(guard_wait(&question, &reason), MONO_MS(10000));
	assert_int_equal(reason, GUARD_TIME);
	/* An empty list is never. */
	post->settings.on_access_times = POLICY_REJECT;
	post->settings.access_times = (struct word_list){
	    .word = words, .count = 0, .is_set = true};
	assert_int_equal(make(post), 0);
	assert_int_equal(gate(post, 1), GUARD_TIME);
}

static void
test_the_load_is_read_once_a_second(void **state)
{
	struct post *post = *state;

	post->settings.max_load_percent = 250;
	post->settings.on_max_load = POLICY_REJECT;
	assert_int_equal(make(post), 0);
	write_file(post, "2.49 9.00 9.00 1/100 1\n", 23);
	assert_int_equal(gate(post, 1000), GUARD_SERVED);
	write_file(post, "2.50 0.00 0.00 1/100 1\n", 23);
	assert_int_equal(gate(post, 1999), GUARD_SERVED);
	assert_int_equal(gate(post, 2000), GUARD_LOAD);
	write_file(post, "12.5 0.00 0.00 1/100 1\n", 23);
	assert_int_equal(gate(post, 4000), GUARD_LOAD);
	/* It recovers by itself; what can't be read is no load. */
	write_file(post, "0.10 0.00 0.00 1/100 1\n", 23);
	assert_int_equal(gate(post, 6000), GUARD_SERVED);
	write_file(post, "what\n", 5);
	assert_int_equal(gate(post, 8000), GUARD_SERVED);
}

static void
test_users_of_this_machine(void **state)
{
	static const char *const users[] = {"root", "4711"};
	static const char *const groups[] = {"815"};
	static const struct {
		uid_t uid;
		gid_t gid;
		enum guard_reason reason;
	} cases[] = {
	    {0, 0, GUARD_SERVED},
	    {4711, 1, GUARD_SERVED},
	    {4712, 1, GUARD_USER},
	    {4712, 815, GUARD_SERVED},
	};
	struct post *post = *state;
	struct sockaddr peer = {.sa_family = AF_UNIX};
	struct guard_source *source;

	post->settings.only_users = (struct word_list){
	    .word = users, .count = 2, .is_set = true};
	post->settings.only_groups = (struct word_list){
	    .word = groups, .count = 1, .is_set = true};
	assert_int_equal(make(post), 0);
	assert_true(guard_has_door(post->rules));
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		const struct ucred user = {
		    .uid = cases[i].uid, .gid = cases[i].gid};
		const struct guard_question question = {
		    .guard = post->guard,
		    .rules = post->rules,
		    .settings = &post->settings,
		};

		assert_int_equal(guard_door(&question, &peer,
				     sizeof(sa_family_t), &user, &source),
		    cases[i].reason);
	}
}

static void
test_mistakes_are_told(void **state)
{
	static const char *const users[] = {"no-such-user", "root"};
	struct post *post = *state;
	static char much[8193];

	post->settings.only_users = (struct word_list){
	    .word = users, .count = 2, .is_set = true};
	post->settings.banner = "/nonexistent/banner";
	assert_int_equal(make(post), -ENOENT);
	assert_null(post->rules);
	assert_int_equal(errors_count(post->errors), 2);
	post->settings.only_users.is_set = false;
	write_file(post, much, sizeof(much));
	post->settings.banner = post->path;
	assert_int_equal(make(post), -EFBIG);
	assert_int_equal(errors_count(post->errors), 3);
	write_file(post, "hello\n", 6);
	assert_int_equal(make(post), 0);
	assert_memory_equal(
	    guard_banner(post->rules, GUARD_BANNER).data, "hello\n", 6);
	assert_int_equal(guard_banner(post->rules, GUARD_BANNER_FAIL).size, 0);
}

static void
test_every_reason_has_its_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GUARD_REASONS; i++) {
		assert_non_null(guard_reason_name(i));
		assert_non_null(guard_reason_text(i));
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_nothing_asked_is_no_rules),
	    TEST(test_times_of_day),
	    TEST(test_the_load_is_read_once_a_second),
	    TEST(test_users_of_this_machine),
	    TEST(test_mistakes_are_told),
	    TEST(test_every_reason_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
