/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sequential session in which every allocation, mapping and system call fails
 * in turn: it costs at most that client, whose serve returns; the next one is
 * served, and nothing is left.
 */
#include "unit/fault.h"
#include "unit/session_bed.h"

#include <sys/epoll.h>
#include <sys/mman.h>

FAULT(void *, reallocarray, (void *old, size_t n, size_t size), (old, n, size),
    ENOMEM, NULL);
FAULT(void *, mmap,
    (void *at, size_t size, int protection, int flags, int fd, off_t offset),
    (at, size, protection, flags, fd, offset), ENOMEM, MAP_FAILED);
FAULT(int, mprotect, (void *at, size_t size, int protection),
    (at, size, protection), ENOMEM, -1);
FAULT(int, madvise, (void *at, size_t size, int advice), (at, size, advice),
    EINVAL, -1);
FAULT(int, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event),
    (epfd, op, fd, event), ENOMEM, -1);
FAULT(ssize_t, recv, (int fd, void *data, size_t size, int flags),
    (fd, data, size, flags), ECONNRESET, -1);
FAULT(ssize_t, send, (int fd, const void *data, size_t size, int flags),
    (fd, data, size, flags), ECONNRESET, -1);

static unsigned begun, returned;

/* Waits in each way. */
static int
serve(struct berth_session *session)
{
	char text[16];
	int result;

	begun++;
	result = berth_deadline(session, 60000);
	if (result == 0)
		result = berth_sleep(session, 1);
	while (result >= 0 && (result = berth_read_line(
				   session, text, sizeof(text), NULL)) > 0) {
		result = berth_printf(session, "<%s>", text);
		if (result >= 0)
			result = berth_printf(session, "%*s", 6000, "");
	}
	returned++;
	return result;
}

static const struct berth_session_type type = {.serve = serve};

struct talk {
	int client;
	size_t got;
	bool over;
};

static bool
is_over(void *context)
{
	struct talk *talk = context;
	char data[4096];
	int keep = countdown;
	ssize_t got;

	/* The client's own calls do not count. */
	countdown = 0;
	got = recv(talk->client, data, sizeof(data), 0);
	countdown = keep;
	if (got > 0)
		talk->got += (size_t)got;
	else if (got == 0 || errno != EAGAIN)
		talk->over = true;
	return talk->over;
}

/* True: the client got all. */
static bool
talk(struct stage *stage, int n)
{
	struct talk one = {.client = bed_connect(stage->listener)};
	int turn;

	stage_send(stage, one.client, "one\ntwo\nthr");
	countdown = n;
	/* Over the sleep; a turn of the loop may itself fail. */
	for (turn = 0; turn < 8; turn++)
		(void)reactor_turn(stage->bed->reactor, MONO_MS(1));
	countdown = 0;
	/* A reset may be before the rest. */
	send(one.client, "ee\n", 3, MSG_NOSIGNAL);
	shutdown(one.client, SHUT_WR);
	bed_until(stage->bed, is_over, &one);
	close(one.client);
	return one.got == 5 + 5 + 7 + 3 * 6000;
}

/* True: nothing failed any more. */
static bool
play(struct stage *stage, int n)
{
	bool all;

	failed = false;
	stage_serve(stage, &type, "unix:@berth-serve-fault");
	all = talk(stage, n);
	assert_true(all || failed);
	assert_true(talk(stage, 0));
	server_drain(stage->server, 0);
	stage_until_active(stage, 0);
	assert_int_equal(begun, returned);
	bed_settle(stage->bed);
	stage->server = server_free(stage->server);
	assert_int_equal(stage->owner.timers, 0);
	assert_int_equal(stage->owner.descriptors, 0);
	return !failed;
}

static void
test_every_call_fails_once(void **state)
{
	void *fresh;
	struct stage *stage;
	bool over = false;
	int n;

	(void)state;
	for (n = 1; !over; n++) {
		assert_true(n < 1000);
		stage_setup(&fresh);
		stage = fresh;
		stage->bed->settings.output_limit_bytes = 512;
		/* The bed's log allocates, and can't fail. */
		stage->bed->log.level = 0;
		over = play(stage, n);
		stage_teardown(&fresh);
	}
	assert_true(n > 8);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_call_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
