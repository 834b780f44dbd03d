/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes from a pipe to the client, which the service does not look at.
 */
#include "unit/session_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#define ROOM (1 << 20)

static int ends[2];
static size_t filled, left;
static unsigned again;

/* As much as the kernel lets a pipe hold. */
static void
fill(void)
{
	static char block[65536];
	ssize_t size;

	while ((size = write(ends[1], block, sizeof(block))) > 0)
		left += (size_t)size;
	filled += left;
}

static void
make(void)
{
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	fcntl(ends[1], F_SETPIPE_SZ, ROOM);
	left = filled = 0;
	again = 0;
	fill();
}

static void
empty(void)
{
	close(ends[0]);
	close(ends[1]);
}

static int
move(struct berth_session *session)
{
	int moved = session_splice(session, ends[0], left);

	if (moved < 0)
		return moved; /* it is gone */
	left -= (size_t)moved;
	if (left == 0 && again > 0)
		session_close(session);
	return 0;
}

static int
begin(struct berth_session *session, struct berth_bytes in)
{
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(session_splice(session, ends[0], 0), 0);
	assert_int_equal(session_splice(session, file, 1), -EINVAL);
	close(file);
	berth_printf(session, "before");
	/* However much the kernel takes, a hook may not send for ever. */
	do {
		if (left == 0)
			fill();
	} while (move(session) == 0 && left == 0);
	return (int)in.size;
}

static int
go_on(struct berth_session *session)
{
	again++;
	if (move(session) == 0 && left == 0)
		assert_int_equal(session_splice(session, ends[0], 1), -EPIPE);
	return 0;
}

static const struct berth_session_type type = {
    .input = begin, .output_ready = go_on};

/* A client that reads late: the rest waits in the pipe, and comes in order. */
static void
test_slow_client(void **state)
{
	struct stage *stage = *state;
	size_t received = 0;
	int client;

	make();
	stage_serve(stage, &type, "unix:@berth-test");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "go");
	while (left == filled || left == 0)
		bed_turn(stage->bed);
	stage_expect(stage, client, "before");
	assert_int_equal(stage_until_end(stage, client, &received), 0);
	assert_int_equal(received, filled);
	assert_true(again > 0);
	close(client);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
	assert_int_equal(stage_counters(stage)->bytes_out, filled + 6);
	empty();
}

static int
refused(struct berth_session *session, struct berth_bytes in)
{
	assert_int_equal(session_splice(session, ends[0], 0), -EOPNOTSUPP);
	assert_int_equal(session_splice(session, ends[0], left), -EOPNOTSUPP);
	berth_printf(session, "no");
	return (int)in.size;
}

static void
test_records_have_bounds(void **state)
{
	static const struct berth_session_type records = {.input = refused};
	struct stage *stage = *state;
	int client;

	make();
	stage_serve(stage, &records, "unix-seqpacket:@berth-test");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "go");
	stage_expect(stage, client, "no");
	close(client);
	stage_until_closed(stage, 1);
	empty();
}

/* One that is gone costs its session, not the process. */
static void
test_gone_client(void **state)
{
	struct linger none = {.l_onoff = 1, .l_linger = 0};
	struct stage *stage = *state;
	int client;

	make();
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "go");
	while (left == filled || left == 0)
		bed_turn(stage->bed);
	setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(client);
	stage_until_closed(stage, 1);
	empty();
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_slow_client),
	    TEST(test_records_have_bounds),
	    TEST(test_gone_client),
	};

	/* As in the host. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
