/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a refused connection costs: from accept(2) to close(2) no memory is
 * asked for, whatever the reason and however the client is told.
 */
#include "unit/session_bed.h"

#define REFUSALS 200u

static unsigned allocations;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

void *
__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	allocations++;
	return __real_realloc(old, size);
}

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
	allocations++;
	return __real_reallocarray(old, count, size);
}

static void
limit_instances(struct settings *settings)
{
	settings->instances = 1;
	settings->on_instances = POLICY_REJECT;
}

static void
reset_instances(struct settings *settings)
{
	settings->instances = 1;
	settings->on_instances = POLICY_RESET;
}

static void
limit_source(struct settings *settings)
{
	settings->per_source = 1;
}

static void
limit_source_rate(struct settings *settings)
{
	settings->source_cps = (struct rate){1, 3600000, 0};
	settings->on_source_cps = POLICY_RESET;
}

static void
limit_rate(struct settings *settings)
{
	settings->cps = (struct rate){1, 3600000, 3600000};
	settings->on_cps = POLICY_REJECT;
}

static void
limit_times(struct settings *settings)
{
	/* Only the first client comes in time. */
	settings->access_times.is_set = true;
	settings->on_access_times = POLICY_REJECT;
}

/* The banner's file is what tells the load. */
static void
limit_load(struct settings *settings)
{
	settings->max_load_percent = 100;
	settings->on_max_load = POLICY_RESET;
}

static const char *const nobody[] = {"10.0.0.0/8", "192.0.2.7"};
static const char *const here[] = {"127.0.0.0/8"};

static void
list_others(struct settings *settings)
{
	settings->only_from = (struct word_list){
	    .word = nobody, .count = BASE_COUNT(nobody), .is_set = true};
}

static void
list_here(struct settings *settings)
{
	settings->no_access = (struct word_list){
	    .word = here, .count = BASE_COUNT(here), .is_set = true};
	settings->on_access = POLICY_RESET;
}

static const struct limit {
	enum guard_reason reason;
	void (*set)(struct settings *settings);
	bool told; /* by a banner */
} limits[] = {
    {GUARD_INSTANCES, limit_instances, false},
    {GUARD_INSTANCES, limit_instances, true},
    {GUARD_INSTANCES, reset_instances, false},
    {GUARD_PER_SOURCE, limit_source, false},
    {GUARD_PER_SOURCE, limit_source, true},
    {GUARD_SOURCE_CPS, limit_source_rate, false},
    {GUARD_CPS, limit_rate, true},
    {GUARD_TIME, limit_times, false},
    {GUARD_LOAD, limit_load, false},
    {GUARD_ADDRESS, list_others, false},
    {GUARD_ADDRESS, list_others, true},
    {GUARD_ADDRESS, list_here, false},
};

static const struct berth_session_type echo = {.input = stage_echo};

struct door {
	struct stage *stage;
	const char *banner;
	struct guards *guards;
	struct guard *guard;
	struct guard_rules *rules;
};

static void
set_up(struct door *door, const struct limit *limit)
{
	const struct guards_options options = {.load_path = door->banner};
	struct bed *bed = door->stage->bed;
	struct settings *settings = &bed->settings;

	stage_serve(door->stage, &echo, "tcp:127.0.0.1:0");
	assert_int_equal(guards_new(&options, &door->guards), 0);
	assert_int_equal(guard_acquire(door->guards, "test", &door->guard), 0);
	limit->set(settings);
	if (limit->told)
		settings->banner_fail = door->banner;
	assert_int_equal(
	    guard_rules_new(settings, NULL, bed->errors, &door->rules), 0);
}

static void
clean_up(struct door *door)
{
	server_set_guard(door->stage->server, NULL, NULL);
	guard_rules_free(door->rules);
	guard_unref(door->guard);
	guards_free(door->guards);
}

static void
be_refused(const struct door *door, const struct limit *limit)
{
	struct stage *stage = door->stage;
	int client = bed_connect(stage->listener);
	bool reset = guard_policy(&stage->bed->settings, limit->reason) ==
		     POLICY_RESET;
	size_t bytes = 0;

	assert_int_equal(
	    stage_until_end(stage, client, &bytes), reset ? ECONNRESET : 0);
	assert_int_equal(bytes > 0, limit->told);
	close(client);
}

static void
try_limit(const struct limit *limit, const char *banner)
{
	struct door door = {.banner = banner};
	void *state;
	int first;

	stage_setup(&state);
	door.stage = state;
	set_up(&door, limit);
	/* Would it be refused as well? */
	if (limit->reason == GUARD_TIME || limit->reason == GUARD_LOAD ||
	    limit->reason == GUARD_ADDRESS)
		server_set_guard(door.stage->server, NULL, NULL);
	else
		server_set_guard(door.stage->server, door.guard, door.rules);
	first = bed_connect(door.stage->listener);
	stage_until_opened(door.stage, 1);
	server_set_guard(door.stage->server, door.guard, door.rules);
	/* The first is told of in the log. */
	be_refused(&door, limit);
	allocations = 0;
	for (unsigned i = 0; i < REFUSALS; i++)
		be_refused(&door, limit);
	assert_int_equal(allocations, 0);
	assert_int_equal(
	    stage_counters(door.stage)->refused[limit->reason], REFUSALS + 1);
	close(first);
	stage_until_closed(door.stage, 1);
	clean_up(&door);
	stage_teardown(&state);
}

static void
test_a_refusal_costs_no_memory(void **state)
{
	char path[] = "/tmp/berth-banner-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "9.99\n", 5), 5);
	close(fd);
	for (size_t i = 0; i < BASE_COUNT(limits); i++)
		try_limit(&limits[i], path);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_refusal_costs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
