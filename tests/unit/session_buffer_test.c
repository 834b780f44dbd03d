/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers and back-pressure: clients that are fast, slow, or both.
 */
#include "unit/session_bed.h"

#define MEGABYTE (1024u * 1024)

static const struct berth_session_type echo = {.input = stage_echo};

/* --- a client with a stream of its own -------------------------------------*/

/* Bytes that tell their position, so that none is lost, doubled or moved. */
static unsigned char
byte_at(uint64_t position)
{
	return (unsigned char)(position * 31 + (position >> 8) * 7 +
			       (position >> 16));
}

struct pump {
	int fd;
	uint64_t sent, received, total;
	bool shut; /* end our side after the last byte */
	bool ended;
};

static void
pump_send(struct pump *pump)
{
	unsigned char data[65536];
	uint64_t left;
	size_t size, i;
	ssize_t sent;

	do {
		left = pump->total - pump->sent;
		size = left < sizeof(data) ? (size_t)left : sizeof(data);
		for (i = 0; i < size; i++)
			data[i] = byte_at(pump->sent + i);
		sent = send(pump->fd, data, size, MSG_NOSIGNAL);
		if (sent > 0)
			pump->sent += (uint64_t)sent;
	} while (sent > 0 && pump->sent < pump->total);
	if (pump->sent == pump->total && pump->shut) {
		assert_int_equal(shutdown(pump->fd, SHUT_WR), 0);
		pump->shut = false;
	}
}

static void
pump_receive(struct pump *pump)
{
	unsigned char data[65536];
	ssize_t got, i;

	while ((got = recv(pump->fd, data, sizeof(data), 0)) > 0) {
		for (i = 0; i < got; i++) {
			if (data[i] != byte_at(pump->received + (uint64_t)i))
				fail_msg("a wrong byte at %llu",
				    (unsigned long long)pump->received);
		}
		pump->received += (uint64_t)got;
	}
	if (got < 0 && errno != EAGAIN)
		fail_msg("the connection broke: %s", strerror(errno));
	pump->ended = got == 0;
}

static bool
pump_both(void *context)
{
	struct pump *pump = context;

	if (pump->sent < pump->total || pump->shut)
		pump_send(pump);
	pump_receive(pump);
	return pump->received == pump->total;
}

static bool
pump_to_the_end(void *context)
{
	struct pump *pump = context;

	return pump_both(pump) && pump->ended;
}

/* Sends without reading until the host takes no more. */
static void
pump_until_stuck(struct stage *stage, struct pump *pump)
{
	uint64_t before;
	unsigned quiet = 0;

	while (quiet < 20) {
		before = pump->sent;
		pump_send(pump);
		if (reactor_turn(stage->bed->reactor, MONO_MS(1)) == 0 &&
		    pump->sent == before)
			quiet++;
		else
			quiet = 0;
		if (pump->sent == pump->total)
			fail_msg("all was taken");
	}
}

static uint64_t
resident_bytes(void)
{
	unsigned long pages = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &pages, &resident), 2);
	fclose(file);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
test_R_BUF_2_100_MB_never_read(void **state)
{
	struct stage *stage = *state;
	struct pump pump = {.total = 100u * MEGABYTE};
	uint64_t held, before;
	int others[50], round;
	unsigned i;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	pump.fd = bed_connect(stage->listener);
	for (i = 0; i < BASE_COUNT(others); i++)
		others[i] = bed_connect(stage->listener);
	stage_until_opened(stage, 51);
	before = resident_bytes();
	for (round = 0; round < 20; round++) {
		pump_send(&pump);
		for (i = 0; i < BASE_COUNT(others); i++)
			stage_send(stage, others[i], "ping");
		for (i = 0; i < BASE_COUNT(others); i++)
			stage_expect(stage, others[i], "ping");
	}
	pump_until_stuck(stage, &pump);
	held = stage_counters(stage)->bytes_in -
	       stage_counters(stage)->bytes_out;
	assert_true(held <= stage->bed->settings.input_limit_bytes +
				stage->bed->settings.output_limit_bytes);
	assert_true(resident_bytes() < before + 4u * MEGABYTE);
	/* Then it reads, and nothing was lost. */
	pump.total = pump.sent;
	bed_until(stage->bed, pump_both, &pump);
	assert_int_equal(
	    stage_counters(stage)->bytes_in, stage_counters(stage)->bytes_out);
	for (i = 0; i < BASE_COUNT(others); i++)
		close(others[i]);
	close(pump.fd);
	stage_until_closed(stage, 51);
}

static void
test_R_BUF_10_pipelined_byte_exact(void **state)
{
	static const char *const endpoints[] = {
	    "tcp:127.0.0.1:0", "unix:@berth-test"};
	struct stage *stage = *state;
	unsigned i;

	stage_serve(stage, &echo, endpoints[0]);
	stage_also(stage, endpoints[1]);
	for (i = 0; i < BASE_COUNT(endpoints); i++) {
		struct pump pump = {.total = 10u * MEGABYTE, .shut = true};

		pump.fd = bed_connect(server_listener(stage->server, i));
		/* As far as it goes without reading; then both ways. */
		pump_until_stuck(stage, &pump);
		bed_until(stage->bed, pump_to_the_end, &pump);
		close(pump.fd);
		stage_until_closed(stage, i + 1);
		assert_int_equal(stage->notes.reasons[i], BERTH_CLOSED_ORDERLY);
	}
}

static void
test_R_BUF_5_tiny_send_buffer(void **state)
{
	struct stage *stage = *state;
	struct pump pump = {.total = 1u * MEGABYTE, .shut = true};
	int tiny = 1;

	/* The kernel makes it its minimum; connections inherit it. */
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	assert_int_equal(setsockopt(listener_fd(stage->listener), SOL_SOCKET,
			     SO_SNDBUF, &tiny, sizeof(tiny)),
	    0);
	pump.fd = bed_connect(stage->listener);
	bed_until(stage->bed, pump_to_the_end, &pump);
	close(pump.fd);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
}

/* --- marks -----------------------------------------------------------------*/

static unsigned ready_calls;

static int
fill(struct berth_session *session, struct berth_bytes in)
{
	static const char block[65536];
	int result;

	(void)in;
	do {
		result = berth_write(
		    session, berth_bytes(block, sizeof(block)));
		assert_true(result >= 0);
	} while (result == (int)sizeof(block));
	assert_int_equal(berth_writable(session), 0);
	/* It was not taken: it comes again. */
	return 0;
}

static int
count_ready(struct berth_session *session)
{
	struct stage *stage = stage_of(session);
	uint64_t limit = stage->bed->settings.output_limit_bytes;

	/* R-BUF-3: the low-water mark is half of the limit. */
	assert_true(limit - berth_writable(session) <= limit / 2);
	ready_calls++;
	return 0;
}

static bool
read_until_ready(void *context)
{
	int *client = context;
	char data[4096];

	assert_true(recv(*client, data, sizeof(data), 0) != 0);
	return ready_calls > 0;
}

static void
test_R_BUF_3_low_water_mark(void **state)
{
	static const struct berth_session_type type = {
	    .input = fill, .output_ready = count_ready};
	struct stage *stage = *state;
	int client;

	ready_calls = 0;
	stage_serve(stage, &type, "unix:@berth-test");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "x");
	while (stage_counters(stage)->bytes_in == 0)
		bed_turn(stage->bed);
	bed_settle(stage->bed);
	/* Stopped: what else the client sends stays in the kernel. */
	stage_send(stage, client, "yz");
	assert_int_equal(reactor_turn(stage->bed->reactor, MONO_MS(5)), 0);
	assert_int_equal(stage_counters(stage)->bytes_in, 1);
	assert_int_equal(ready_calls, 0);
	bed_until(stage->bed, read_until_ready, &client);
	close(client);
	stage_until_closed(stage, 1);
}

static int
take_lines(struct berth_session *session, struct berth_bytes in)
{
	const char *end = memrchr(in.data, '\n', in.size);
	size_t size = end == NULL ? 0
				  : (size_t)(end - (const char *)in.data) + 1;

	berth_write(session, berth_bytes(in.data, size));
	return (int)size;
}

static const struct berth_session_type lines = {.input = take_lines};

static void
test_R_BUF_4_line_without_an_end(void **state)
{
	struct stage *stage = *state;
	char piece[512];
	int client;

	memset(piece, 'x', sizeof(piece));
	stage->bed->settings.input_limit_bytes = 16384;
	stage_serve(stage, &lines, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	while (stage->notes.closed == 0) {
		send(client, piece, sizeof(piece), MSG_NOSIGNAL);
		bed_turn(stage->bed);
	}
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_OVERFLOW);
	assert_int_equal(stage_counters(stage)->sessions_failed, 1);
	/* The limit is exact, and counts bytes. */
	assert_int_equal(stage_counters(stage)->bytes_in, 16384);
	close(client);
}

static void
test_R_BUF_4_exactly_the_limit(void **state)
{
	struct stage *stage = *state;
	char line[513] = "";
	int client;

	memset(line, 'x', 512);
	stage->bed->settings.input_limit_bytes = 512;
	stage_serve(stage, &lines, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, line);
	/* Nothing that may still come can help. */
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_OVERFLOW);
	close(client);
}

static void
test_R_BUF_4_longest_line(void **state)
{
	struct stage *stage = *state;
	char line[4097];
	int client;

	stage->bed->settings.input_limit_bytes = 4096;
	stage_serve(stage, &lines, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	memset(line, 'x', sizeof(line));
	line[4095] = '\n';
	line[4096] = '\0';
	stage_send(stage, client, line);
	stage_expect(stage, client, line);
	close(client);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
}

static void
test_lines_in_any_pieces(void **state)
{
	static const char text[] = "first\nsecond\n\nfourth line\n";
	struct stage *stage = *state;
	size_t split, size = sizeof(text) - 1;
	int client;

	stage_serve(stage, &lines, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	for (split = 0; split <= size; split++) {
		assert_int_equal(send(client, text, split, 0), split);
		bed_settle(stage->bed);
		assert_int_equal(
		    send(client, text + split, size - split, 0), size - split);
		stage_expect(stage, client, text);
	}
	close(client);
	stage_until_closed(stage, 1);
}

/* Nothing is taken while it is small; the limit is above the shared buffer. */
static int
take_big(struct berth_session *session, struct berth_bytes in)
{
	struct stage *stage = stage_of(session);

	if (in.size < 150000)
		return 0;
	assert_int_equal(
	    byte_at(149999), ((const unsigned char *)in.data)[149999]);
	stage->listener = NULL;
	return (int)in.size;
}

static bool
is_taken(void *context)
{
	struct stage *stage = context;

	return stage->listener == NULL;
}

static void
test_limit_above_the_shared_buffer(void **state)
{
	static const struct berth_session_type type = {.input = take_big};
	struct stage *stage = *state;
	struct pump pump = {.total = 150000};

	stage->bed->settings.input_limit_bytes = 200000;
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	pump.fd = bed_connect(stage->listener);
	while (!is_taken(stage)) {
		if (pump.sent < pump.total)
			pump_send(&pump);
		bed_turn(stage->bed);
	}
	close(pump.fd);
	stage_until_closed(stage, 1);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_R_BUF_2_100_MB_never_read),
	    TEST(test_R_BUF_3_low_water_mark),
	    TEST(test_R_BUF_4_line_without_an_end),
	    TEST(test_R_BUF_4_exactly_the_limit),
	    TEST(test_R_BUF_4_longest_line),
	    TEST(test_lines_in_any_pieces),
	    TEST(test_limit_above_the_shared_buffer),
	    TEST(test_R_BUF_5_tiny_send_buffer),
	    TEST(test_R_BUF_10_pipelined_byte_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
