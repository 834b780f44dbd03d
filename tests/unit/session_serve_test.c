/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sequential sessions on a shared loop: each call, however the bytes come, with
 * others being served meanwhile; deadlines, slow clients, the end.
 */
#include "unit/session_bed.h"

#include <signal.h>

#include "session/session_priv.h"

#define LISTEN "tcp:127.0.0.1:0"

/* What serve told the test. */
struct told {
	int results[512];
	unsigned count;
};

struct scene {
	struct berth_session_type type; /* first: the stage's context */
	struct told told;
};

static struct told *
told_of(struct berth_session *session)
{
	struct scene *scene = stage_of(session)->context;

	return &scene->told;
}

static int
tell(struct berth_session *session, int result)
{
	struct told *told = told_of(session);

	assert_true(told->count < BASE_COUNT(told->results));
	told->results[told->count++] = result;
	return result;
}

static void
set(struct stage *stage, struct scene *scene,
    int (*serve)(struct berth_session *))
{
	memset(scene, 0, sizeof(*scene));
	scene->type.serve = serve;
	stage_serve(stage, &scene->type, LISTEN);
}

struct told_count {
	struct scene *scene;
	unsigned count;
};

static bool
has_told(void *context)
{
	struct told_count *wanted = context;

	return wanted->scene->told.count >= wanted->count;
}

static void
until_told(struct stage *stage, struct scene *scene, unsigned count)
{
	struct told_count wanted = {scene, count};

	bed_until(stage->bed, has_told, &wanted);
}

/* --- reading ---------------------------------------------------------------*/

static int
echo_lines(struct berth_session *session)
{
	char line[64];
	int result;

	while ((result = berth_read_line(session, line, sizeof(line), NULL)) !=
	       0) {
		if (result == -EMSGSIZE)
			berth_printf(session, "too long\n");
		else if (result < 0)
			return tell(session, result);
		else
			berth_printf(session, "<%s>\n", line);
	}
	tell(session, 0);
	return 0;
}

static void
test_lines_at_every_split(void **state)
{
	static const char in[] = "one\r\n\ntwo\nthree\r\rx\n"
				 "0123456789012345678901234567890123456789"
				 "01234567890123456789012\n"
				 "0123456789012345678901234567890123456789"
				 "012345678901234567890123\nlast";
	static const char out[] = "<one>\n<>\n<two>\n<three\r\rx>\n"
				  "<0123456789012345678901234567890123456789"
				  "01234567890123456789012>\n"
				  "too long\n<last>\n";
	struct stage *stage = *state;
	static struct scene scene;
	size_t split;
	int client;

	set(stage, &scene, echo_lines);
	for (split = 1; split < sizeof(in) - 1; split++) {
		client = bed_connect(stage->listener);
		assert_int_equal(send(client, in, split, 0), split);
		bed_settle(stage->bed);
		stage_send(stage, client, in + split);
		shutdown(client, SHUT_WR);
		stage_expect(stage, client, out);
		assert_int_equal(stage_until_end(stage, client, NULL), 0);
		close(client);
		stage_until_closed(stage, (unsigned)split);
		assert_int_equal(
		    stage->notes.reasons[split - 1], BERTH_CLOSED_ORDERLY);
		scene.told.count = 0;
	}
}

static void
test_lines_byte_by_byte(void **state)
{
	static const char in[] = "ab\r\n\r\nc\n";
	struct stage *stage = *state;
	static struct scene scene;
	size_t i;
	int client;

	set(stage, &scene, echo_lines);
	client = bed_connect(stage->listener);
	for (i = 0; i < sizeof(in) - 1; i++) {
		assert_int_equal(send(client, in + i, 1, 0), 1);
		bed_settle(stage->bed);
	}
	stage_expect(stage, client, "<ab>\n<>\n<c>\n");
	/* Nothing of it is kept. */
	assert_null(LIST_FIRST(&stage->server->home.sessions)->input);
	close(client);
	stage_until_closed(stage, 1);
}

static int
read_parts(struct berth_session *session)
{
	char data[8];

	tell(session, berth_read_exact(session, data, 4));
	assert_memory_equal(data, "abcd", 4);
	tell(session, berth_read(session, data, 2));
	assert_memory_equal(data, "ef", 2);
	tell(session, berth_read(session, data, sizeof(data)));
	tell(session, berth_read_exact(session, data, 4));
	tell(session, berth_read(session, data, sizeof(data)));
	return 0;
}

static void
test_read_and_read_exact(void **state)
{
	static const int results[] = {1, 2, 1, -EBADMSG, 0};
	struct stage *stage = *state;
	static struct scene scene;
	unsigned i;
	int client;

	set(stage, &scene, read_parts);
	client = bed_connect(stage->listener);
	stage_send(stage, client, "ab");
	bed_settle(stage->bed);
	assert_int_equal(scene.told.count, 0);
	stage_send(stage, client, "cdefg");
	until_told(stage, &scene, 3);
	stage_send(stage, client, "hi");
	shutdown(client, SHUT_WR);
	stage_until_closed(stage, 1);
	for (i = 0; i < BASE_COUNT(results); i++)
		assert_int_equal(scene.told.results[i], results[i]);
	close(client);
}

static int
echo_frames(struct berth_session *session)
{
	static const struct berth_frame_codec codec = {
	    .kind = BERTH_FRAME_LENGTH,
	    .size = 1000,
	    .header = 2,
	    .length_size = 2};
	struct berth_bytes frame;
	int result;

	while ((result = berth_read_frame(session, &codec, &frame)) > 0)
		berth_write(session, frame);
	return tell(session, result);
}

struct coming {
	int client;
	size_t size;
	char data[64];
};

static bool
has_arrived(void *context)
{
	struct coming *coming = context;
	ssize_t got = recv(
	    coming->client, coming->data, coming->size, MSG_PEEK);

	return got == (ssize_t)coming->size;
}

static void
test_frames(void **state)
{
	static const char in[] = "\0\3abc\0\0\0\1x";
	struct stage *stage = *state;
	static struct scene scene;
	struct coming coming = {.size = 20};
	size_t i;
	int client;

	set(stage, &scene, echo_frames);
	client = bed_connect(stage->listener);
	coming.client = client;
	assert_int_equal(send(client, in, 10, 0), 10);
	for (i = 0; i < sizeof(in) - 1; i++) {
		send(client, in + i, 1, 0);
		bed_settle(stage->bed);
	}
	bed_until(stage->bed, has_arrived, &coming);
	assert_memory_equal(coming.data, in, 10);
	assert_memory_equal(coming.data + 10, in, 10);
	send(client, "\xff\xff", 2, 0);
	until_told(stage, &scene, 1);
	assert_int_equal(scene.told.results[0], -EMSGSIZE);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ABORTED);
	close(client);
}

/* --- writing ---------------------------------------------------------------*/

#define MUCH (8u * 1024 * 1024)

static int
write_much(struct berth_session *session)
{
	char *data = malloc(MUCH);
	int result;
	size_t i;

	assert_non_null(data);
	for (i = 0; i < MUCH; i++)
		data[i] = (char)(i % 251);
	result = berth_write(session, berth_bytes(data, MUCH));
	free(data);
	if (result == (int)MUCH)
		result = berth_printf(session, "%*s\n", 700000, "end");
	return tell(session, result) < 0 ? result : 0;
}

static void
test_write_waits_for_a_slow_reader(void **state)
{
	struct stage *stage = *state;
	static struct scene scene;
	size_t bytes;
	int client, other;

	set(stage, &scene, write_much);
	client = bed_connect(stage->listener);
	bed_settle(stage->bed);
	assert_int_equal(scene.told.count, 0);
	/* Others are served meanwhile, as slowly. */
	other = bed_connect(stage->listener);
	assert_int_equal(stage_until_end(stage, other, &bytes), 0);
	assert_int_equal(bytes, MUCH + 700001);
	assert_int_equal(stage_until_end(stage, client, &bytes), 0);
	assert_int_equal(bytes, MUCH + 700001);
	assert_int_equal(scene.told.count, 2);
	assert_int_equal(scene.told.results[0], 700001);
	close(client);
	close(other);
	stage_until_closed(stage, 2);
}

static int
echo_peeked(struct berth_session *session)
{
	struct berth_bytes in;
	int result;

	while ((result = berth_peek(session, 0, &in)) > 0) {
		result = berth_write(session, in);
		if (result < 0)
			return result;
		berth_take(session, (size_t)result);
	}
	return result;
}

/* What is lent is still there when a write of it had to wait. */
static void
test_write_of_what_was_lent(void **state)
{
	struct stage *stage = *state;
	static struct scene scene;
	size_t sent = 0, got = 0, size = 3u * 1024 * 1024, i;
	unsigned char data[8192];
	ssize_t moved;
	int client;

	stage->bed->settings.output_limit_bytes = 4096;
	set(stage, &scene, echo_peeked);
	client = bed_connect(stage->listener);
	/* Nothing is read before nothing more can be sent. */
	for (;;) {
		for (i = 0; i < sizeof(data); i++)
			data[i] = (unsigned char)((sent + i) % 253);
		moved = sent < size ? send(client, data, sizeof(data), 0) : -1;
		if (moved > 0)
			sent += (size_t)moved;
		bed_settle(stage->bed);
		if (moved > 0)
			continue;
		moved = recv(client, data, sizeof(data), 0);
		for (i = 0; moved > 0 && i < (size_t)moved; i++)
			assert_int_equal(data[i], (got + i) % 253);
		if (moved > 0)
			got += (size_t)moved;
		if (got >= size)
			break;
	}
	assert_int_equal(got, sent);
	shutdown(client, SHUT_WR);
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	close(client);
	stage_until_closed(stage, 1);
}

/* --- time ------------------------------------------------------------------*/

static int
dream(struct berth_session *session)
{
	char line[64];

	tell(session, berth_sleep(session, 20));
	while (berth_read_line(session, line, sizeof(line), NULL) > 0)
		berth_printf(session, "%s\n", line);
	tell(session, berth_deadline(session, 30));
	tell(session, berth_sleep(session, 1000000));
	tell(session, berth_sleep(session, 1));
	tell(session, berth_read(session, line, sizeof(line)));
	tell(session, berth_deadline(session, 0));
	tell(session, berth_sleep(session, 1));
	tell(session, berth_printf(session, "good morning\n"));
	return 0;
}

static void
test_sleep_and_deadline(void **state)
{
	static const int results[] = {
	    0, 0, -ETIMEDOUT, -ETIMEDOUT, 0, 0, 0, 13};
	struct stage *stage = *state;
	static struct scene scene;
	unsigned i;
	int client;

	set(stage, &scene, dream);
	client = bed_connect(stage->listener);
	/* What comes during a sleep, in pieces, is there afterwards. */
	stage_send(stage, client, "a\nb");
	bed_settle(stage->bed);
	stage_send(stage, client, "c\n");
	shutdown(client, SHUT_WR);
	stage_expect(stage, client, "a\nbc\ngood morning\n");
	stage_until_closed(stage, 1);
	assert_int_equal(scene.told.count, BASE_COUNT(results));
	for (i = 0; i < BASE_COUNT(results); i++)
		assert_int_equal(scene.told.results[i], results[i]);
	assert_int_equal(stage->owner.timers, 0);
	close(client);
}

static int
read_by_deadline(struct berth_session *session)
{
	char data[8];

	berth_deadline(session, 20);
	tell(session, berth_read_exact(session, data, sizeof(data)));
	tell(session, berth_printf(session, "late\n"));
	return 0;
}

static void
test_deadline_of_a_read(void **state)
{
	struct stage *stage = *state;
	static struct scene scene;
	int client;

	set(stage, &scene, read_by_deadline);
	client = bed_connect(stage->listener);
	stage_send(stage, client, "half");
	stage_expect(stage, client, "late\n");
	assert_int_equal(scene.told.results[0], -ETIMEDOUT);
	close(client);
	stage_until_closed(stage, 1);
}

static int
write_by_deadline(struct berth_session *session)
{
	static const char data[65536];
	int result;

	berth_deadline(session, 20);
	do {
		result = berth_write(session, berth_bytes(data, sizeof(data)));
	} while (result > 0);
	return tell(session, result);
}

static void
test_deadline_of_a_write(void **state)
{
	struct stage *stage = *state;
	static struct scene scene;
	int client;

	set(stage, &scene, write_by_deadline);
	client = bed_connect(stage->listener);
	until_told(stage, &scene, 1);
	assert_int_equal(scene.told.results[0], -ETIMEDOUT);
	stage_until_closed(stage, 1);
	close(client);
}

/* --- the end ---------------------------------------------------------------*/

/* Waits in one way, then asks all of them once more. */
static int
wait_in(struct berth_session *session, int way)
{
	static const char data[65536];
	char byte;
	struct berth_bytes in;
	int i, result = 0;

	while (result >= 0 && way == 0)
		result = berth_read(session, &byte, 1);
	while (result >= 0 && way == 1)
		result = berth_sleep(session, 1000000);
	while (result >= 0 && way == 2)
		result = berth_write(session, berth_bytes(data, sizeof(data)));
	while (result >= 0 && way == 3)
		result = berth_printf(session, "%*s", 500000, "");
	while (result >= 0 && way == 4)
		result = berth_peek(session, 100, &in);
	tell(session, result);
	for (i = 0; i < 2000; i++) {
		assert_true(berth_read(session, &byte, 1) < 0);
		assert_true(berth_sleep(session, 1) < 0);
		assert_true(berth_write(session, berth_str("x")) < 0);
	}
	assert_true(berth_deadline(session, 1) <= 0);
	return 0;
}

static int
wait_read(struct berth_session *session)
{
	return wait_in(session, 0);
}

static int
wait_sleep(struct berth_session *session)
{
	return wait_in(session, 1);
}

static int
wait_write(struct berth_session *session)
{
	return wait_in(session, 2);
}

static int
wait_printf(struct berth_session *session)
{
	return wait_in(session, 3);
}

static int
wait_peek(struct berth_session *session)
{
	return wait_in(session, 4);
}

static int (*const waits[])(struct berth_session *) = {
    wait_read, wait_sleep, wait_write, wait_printf, wait_peek};

typedef int(ending_fn)(struct stage *stage, int client);

static int
by_drain(struct stage *stage, int client)
{
	(void)client;
	stage->bed->settings.linger_ms = 10;
	server_drain(stage->server, MONO_MS(5));
	return -ECANCELED;
}

static int
by_abort(struct stage *stage, int client)
{
	(void)client;
	server_abort(stage->server, BERTH_CLOSED_DRAINED);
	/* They have all returned within the call. */
	assert_int_equal(stage->notes.closed, 1);
	return -ECANCELED;
}

static int
by_reset(struct stage *stage, int client)
{
	(void)stage;
	bed_reset(client);
	return -ECONNRESET;
}

static int
by_idleness(struct stage *stage, int client)
{
	(void)client;
	stage->bed->settings.idle_timeout_ms = 20;
	server_update(stage->server, &stage->bed->settings);
	return -ECANCELED;
}

static ending_fn *const endings[] = {by_drain, by_abort, by_reset, by_idleness};

static void
end_one(struct stage *stage, unsigned way, unsigned how)
{
	static struct scene scene;
	void *again = stage;
	int client, expected;

	set(stage, &scene, waits[way]);
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	bed_settle(stage->bed);
	assert_int_equal(scene.told.count, 0);
	expected = endings[how](stage, client);
	stage_until_closed(stage, 1);
	assert_int_equal(scene.told.count, 1);
	if (endings[how] == by_reset)
		assert_true(scene.told.results[0] < 0);
	else
		assert_int_equal(scene.told.results[0], expected);
	if (endings[how] != by_reset)
		close(client);
	stage_teardown(&again);
}

static void
test_every_wait_is_ended(void **state)
{
	unsigned way, how;
	void *fresh;

	(void)state;
	for (way = 0; way < BASE_COUNT(waits); way++)
		for (how = 0; how < BASE_COUNT(endings); how++) {
			stage_setup(&fresh);
			end_one(fresh, way, how);
		}
}

static int
close_itself(struct berth_session *session)
{
	char byte;

	berth_printf(session, "bye\n");
	berth_close(session);
	tell(session, berth_read(session, &byte, 1));
	tell(session, berth_printf(session, "x"));
	return -EIO;
}

static void
test_close_within(void **state)
{
	struct stage *stage = *state;
	static struct scene scene;
	size_t bytes;
	int client;

	set(stage, &scene, close_itself);
	client = bed_connect(stage->listener);
	assert_int_equal(stage_until_end(stage, client, &bytes), 0);
	assert_int_equal(bytes, 4);
	assert_int_equal(scene.told.results[0], -ECANCELED);
	assert_int_equal(scene.told.results[1], -EPIPE);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
	close(client);
}

static int
fail_at_once(struct berth_session *session)
{
	return tell(session, -EIO);
}

static int
refuse(struct berth_session *session)
{
	(void)session;
	return -EACCES;
}

static void
test_results_of_serve_and_open(void **state)
{
	struct stage *stage = *state;
	static struct scene scene;
	int client;

	memset(&scene, 0, sizeof(scene));
	scene.type.serve = fail_at_once;
	stage_serve(stage, &scene.type, LISTEN);
	client = bed_connect(stage->listener);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ABORTED);
	close(client);
	scene.type.open = refuse;
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 2);
	stage_until_active(stage, 0);
	/* Refused by open: neither serve nor closed is called. */
	assert_int_equal(scene.told.count, 1);
	assert_int_equal(stage->notes.closed, 1);
	close(client);
}

/* --- who may call ----------------------------------------------------------*/

static int
use_other(struct berth_session *session)
{
	static struct berth_session *first;
	struct berth_bytes in;

	if (stage_of(session)->notes.opened == 1) {
		first = session;
		return berth_peek(session, 0, &in);
	}
	tell(session, berth_peek(first, 0, &in));
	tell(session, berth_sleep(first, 1));
	tell(session, berth_deadline(first, 1));
	tell(session, berth_session_timeout(session, 1));
	/* This does not wait. */
	tell(session, berth_write(first, berth_str("hello")));
	return 0;
}

static void
test_calls_for_another(void **state)
{
	static const int results[] = {-EPERM, -EPERM, -EPERM, -EOPNOTSUPP, 5};
	struct stage *stage = *state;
	static struct scene scene;
	int first, second;
	unsigned i;

	set(stage, &scene, use_other);
	first = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	second = bed_connect(stage->listener);
	stage_expect(stage, first, "hello");
	for (i = 0; i < BASE_COUNT(results); i++)
		assert_int_equal(scene.told.results[i], results[i]);
	close(first);
	close(second);
	stage_until_closed(stage, 2);
}

static int
peek_in_hook(struct berth_session *session, struct berth_bytes in)
{
	assert_int_equal(berth_peek(session, 0, &in), -EOPNOTSUPP);
	assert_int_equal(berth_sleep(session, 1), -EOPNOTSUPP);
	assert_int_equal(berth_deadline(session, 1), -EOPNOTSUPP);
	berth_take(session, 1);
	return berth_write(session, in);
}

static void
test_calls_of_a_hook(void **state)
{
	static const struct berth_session_type type = {.input = peek_in_hook};
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &type, LISTEN);
	client = bed_connect(stage->listener);
	stage_send(stage, client, "abc");
	stage_expect(stage, client, "abc");
	close(client);
	stage_until_closed(stage, 1);
}

/* --- many ------------------------------------------------------------------*/

static void
test_many_take_turns(void **state)
{
	enum { MANY = 300 };
	struct stage *stage = *state;
	static struct scene scene;
	char line[32], expected[64];
	int clients[MANY], i, round;

	set(stage, &scene, echo_lines);
	for (i = 0; i < MANY; i++) {
		clients[i] = bed_connect(stage->listener);
		bed_turn(stage->bed);
	}
	for (round = 0; round < 3; round++) {
		for (i = 0; i < MANY; i++) {
			snprintf(line, sizeof(line), "%d.%d\n", round, i);
			stage_send(stage, clients[i], line);
		}
		for (i = 0; i < MANY; i++) {
			snprintf(
			    expected, sizeof(expected), "<%d.%d>\n", round, i);
			stage_expect(stage, clients[i], expected);
		}
	}
	for (i = 0; i < MANY; i++)
		close(clients[i]);
	server_abort(stage->server, BERTH_CLOSED_DRAINED);
	stage_until_active(stage, 0);
}

int
main(void)
{
#define STAGED(name)                                                           \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    STAGED(test_lines_at_every_split),
	    STAGED(test_lines_byte_by_byte),
	    STAGED(test_read_and_read_exact),
	    STAGED(test_frames),
	    STAGED(test_write_waits_for_a_slow_reader),
	    STAGED(test_write_of_what_was_lent),
	    STAGED(test_sleep_and_deadline),
	    STAGED(test_deadline_of_a_read),
	    STAGED(test_deadline_of_a_write),
	    cmocka_unit_test(test_every_wait_is_ended),
	    STAGED(test_close_within),
	    STAGED(test_results_of_serve_and_open),
	    STAGED(test_calls_for_another),
	    STAGED(test_calls_of_a_hook),
	    STAGED(test_many_take_turns),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
