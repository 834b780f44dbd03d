/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filters around a connection: every allocation and every call on its
 * socket is made to fail in turn, which costs at most the client whom it hits,
 * and leaves nothing behind; and an end that is asked for outside of hooks.
 */
#include "unit/fault.h"
#include "unit/session_bed.h"

#include <arpa/inet.h>

#include "session/chain.h"

FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL);
FAULT(ssize_t, recv, (int fd, void *room, size_t size, int flags),
    (fd, room, size, flags), ECONNRESET, -1);
FAULT(ssize_t, send, (int fd, const void *data, size_t size, int flags),
    (fd, data, size, flags), EPIPE, -1);

/* --- filters ---------------------------------------------------------------*/

static unsigned opened, closed;

static int
count_open(struct berth_filter *f)
{
	(void)f;
	opened++;
	return 0;
}

static void
count_closed(struct berth_filter *f, int reason)
{
	(void)f;
	(void)reason;
	closed++;
}

/* Says who the client is, and is ready when he has said `!`. */
static int
shy_open(struct berth_filter *f)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	const void *any = &from;
	int result;

	from.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
	result = chain_calls.set_peer(f, any, NULL);
	if (result == 0)
		result = chain_calls.set_identity(f, "somebody");
	if (result < 0)
		return result;
	opened++;
	return 3600000;
}

static int
shy_up(struct berth_filter *f, struct berth_bytes in)
{
	bool *ready = f->state;
	int result;

	if (*ready) {
		result = chain_calls.pass_up(f, in);
		return result < 0 ? result : (int)in.size;
	}
	if (*(const char *)in.data != '!')
		return -EPROTO;
	*ready = true;
	result = chain_calls.ready(f);
	return result < 0 ? result : 1;
}

static int
say_bye(struct berth_filter *f)
{
	return chain_calls.pass_down(f, berth_str("bye"));
}

/* Two bytes at a time, so that the rest is kept. */
static int
slow_up(struct berth_filter *f, struct berth_bytes in)
{
	size_t size = in.size < 2 ? in.size : 2;
	int result = chain_calls.pass_up(f, berth_bytes(in.data, size));

	if (result == 0 && size < in.size) {
		chain_calls.hold_up(f, 1);
		result = (chain_calls.timeout)(f, 1);
	}
	return result < 0 ? result : (int)size;
}

static int
slow_timeout(struct berth_filter *f)
{
	chain_calls.hold_up(f, 0);
	return 0;
}

static const struct berth_filter_type shy = {.state_size = sizeof(bool),
    .open = shy_open,
    .up = shy_up,
    .down_end = say_bye,
    .close = count_closed};
static const struct berth_filter_type slow = {.open = count_open,
    .up = slow_up,
    .timeout = slow_timeout,
    .close = count_closed};

static struct berth_service module = {.name = "S/M"};

static struct chain_plan *around; /* of both; made and freed by main() */

static int
find_around(void *context, struct chain_plan **ret_plan)
{
	(void)context;
	chain_plan_ref(around);
	*ret_plan = around;
	return 0;
}

/* --- the service -----------------------------------------------------------*/

static struct berth_session *present;

static int
greet(struct berth_session *session)
{
	present = session;
	return 0;
}

static int
echo(struct berth_session *session, struct berth_bytes in)
{
	char identity[16];
	int taken = session_write(session, in);

	if (chain_calls.peer_identity(session, identity, sizeof(identity)) != 8)
		return -EPERM;
	if (memchr(in.data, 'q', in.size) != NULL)
		session_close(session);
	return taken;
}

static void
gone(struct berth_session *session, int reason)
{
	(void)reason;
	if (present == session)
		present = NULL;
}

static const struct berth_session_type type = {
    .open = greet, .input = echo, .closed = gone};

static int
make(struct stage *stage)
{
	const struct server_options options = {
	    .owner = &stage->owner,
	    .service = &stage->service,
	    .type = &type,
	    .settings = &stage->bed->settings,
	    .listeners = stage->bed->listeners,
	    .around = find_around,
	};
	struct listener *listener;
	int result = server_new(&options, &stage->server);

	if (result != 0)
		return result;
	result = bed_try_listen(stage->bed, "tcp:127.0.0.1:0", &listener);
	if (result == 0)
		result = server_add_listener(stage->server, listener);
	return result;
}

/* What comes until the end; -1: the connection broke, or was cut off. */
static ssize_t
hear(struct stage *stage, int client, char *room, size_t size)
{
	uint64_t end = mono_now().ns + MONO_MS(30000);
	size_t heard = 0;

	for (;;) {
		int was = countdown;
		ssize_t got;

		countdown = 0;
		got = recv(client, room + heard, size - heard, 0);
		if (mono_now().ns > end)
			fail_msg("the client heard nothing");
		countdown = was;
		if (got == 0)
			return (ssize_t)heard;
		if (got < 0 && errno != EAGAIN)
			return -1;
		if (got > 0)
			heard += (size_t)got;
		else
			reactor_turn(stage->bed->reactor, MONO_MS(1));
	}
}

static bool
talk(struct stage *stage)
{
	char said[64];
	int was = countdown, client;
	ssize_t got;

	countdown = 0;
	client = bed_connect(server_listener(stage->server, 0));
	send(client, "!one two q", 10, MSG_NOSIGNAL);
	countdown = was;
	got = hear(stage, client, said, sizeof(said));
	close(client);
	return got == 12 && memcmp(said, "one two qbye", 12) == 0;
}

static bool
is_over(void *context)
{
	return stage_counters(context)->sessions_active == 0;
}

static void
end(struct stage *stage)
{
	server_drain(stage->server, 0);
	bed_until(stage->bed, is_over, stage);
	stage->server = server_free(stage->server);
	bed_settle(stage->bed);
	assert_int_equal(opened, closed);
	assert_int_equal(around->users, 0);
	assert_int_equal(stage->owner.timers, 0);
}

static void
test_every_call_fails_once(void **state)
{
	struct stage *stage = *state;
	int n, before = bed_count_descriptors();

	stage->bed->settings.stream = "S";
	stage->bed->settings.linger_ms = 100;
	for (n = 1, failed = true; failed; n++) {
		assert_int_equal(make(stage), 0);
		server_accept(stage->server, true);
		failed = false;
		countdown = n;
		assert_true(talk(stage) || failed);
		countdown = 0;
		assert_true(talk(stage));
		end(stage);
		assert_int_equal(bed_count_descriptors(), before);
		assert_true(n < 1000);
	}
	/* It is about something. */
	assert_true(n > 10);
}

static bool
is_present(void *context)
{
	(void)context;
	return present != NULL;
}

/* Between two turns, as a service's timer does it; the filter has a last word.
 */
static void
test_an_end_outside_of_hooks(void **state)
{
	struct stage *stage = *state;
	char said[64];
	int client, how;

	stage->bed->settings.stream = "S";
	assert_int_equal(make(stage), 0);
	server_accept(stage->server, true);
	for (how = 0; how < 2; how++) {
		client = bed_connect(server_listener(stage->server, 0));
		send(client, "!", 1, MSG_NOSIGNAL);
		bed_until(stage->bed, is_present, NULL);
		session_write(present, berth_str("so "));
		if (how == 0)
			session_close(present);
		else
			assert_int_equal(session_half_close(present), 0);
		assert_int_equal(hear(stage, client, said, sizeof(said)), 6);
		assert_memory_equal(said, "so bye", 6);
		close(client);
		bed_until(stage->bed, is_over, stage);
	}
	end(stage);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_every_call_fails_once, stage_setup, stage_teardown),
	    cmocka_unit_test_setup_teardown(
		test_an_end_outside_of_hooks, stage_setup, stage_teardown),
	};
	int result;

	around = calloc(1, sizeof(*around) + 2 * sizeof(around->modules[0]));
	if (around == NULL)
		return 1;
	around->count = 2;
	around->modules[0] = (struct chain_module){&shy, &module};
	around->modules[1] = (struct chain_module){&slow, &module};
	result = cmocka_run_group_tests(tests, NULL, NULL);
	free(around);
	return result;
}
