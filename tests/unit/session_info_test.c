/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service and the host are told of sessions.
 */
#include "unit/session_bed.h"

static const struct berth_session_type echo = {.input = stage_echo};

/* --- what is told ----------------------------------------------------------*/

static void
look_at(void *context, const struct session_info *info)
{
	struct session_info *copy = context;

	*copy = *info;
	copy->peer = strdup(info->peer);
	assert_non_null(copy->peer);
}

static int
tell_addresses(struct berth_session *session, struct berth_bytes in)
{
	char peer[128], local[128];

	(void)in;
	assert_true(berth_peer(session, peer, sizeof(peer)) > 0);
	assert_true(berth_local(session, local, sizeof(local)) > 0);
	berth_printf(session, "%s %s", peer, local);
	return (int)in.size;
}

static void
test_each_session_and_addresses(void **state)
{
	static const struct berth_session_type type = {.input = tell_addresses};
	struct stage *stage = *state;
	struct session_info info = {.id = 0};
	struct sockaddr_in own;
	socklen_t size = sizeof(own);
	void *any = &own;
	char text[128];
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	assert_int_equal(getsockname(client, any, &size), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u %s", ntohs(own.sin_port),
	    listener_text(stage->listener) + 4);
	stage_send(stage, client, "?");
	stage_expect(stage, client, text);
	server_each_session(stage->server, look_at, &info);
	assert_int_equal(info.id, 1);
	assert_int_equal(info.bytes_in, 1);
	assert_int_equal(info.bytes_out, strlen(text));
	assert_int_equal(info.output_pending_bytes, 0);
	assert_string_equal(info.state, "open");
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(own.sin_port));
	assert_string_equal(info.peer, text);
	free((void *)(uintptr_t)info.peer);
	close(client);
	stage_until_closed(stage, 1);
}

static int
tell_user(struct berth_session *session, struct berth_bytes in)
{
	uint32_t uid = 0, gid = 0;
	int result = session_peer_user(session, &uid, &gid);

	berth_printf(session, "%d %u %u", result, uid, gid);
	return (int)in.size;
}

static void
test_unix_peer(void **state)
{
	static const struct berth_session_type type = {.input = tell_user};
	struct stage *stage = *state;
	char text[128];
	int client;

	stage_serve(stage, &type, "unix:@berth-test");
	stage_also(stage, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "?");
	snprintf(text, sizeof(text), "0 %u %u", getuid(), getgid());
	stage_expect(stage, client, text);
	close(client);
	client = bed_connect(server_listener(stage->server, 1));
	stage_send(stage, client, "?");
	snprintf(text, sizeof(text), "%d 0 0", -EOPNOTSUPP);
	stage_expect(stage, client, text);
	close(client);
	stage_until_closed(stage, 2);
}

static int
tell_id(struct berth_session *session)
{
	berth_printf(session, "%u", (unsigned)berth_session_id(session));
	berth_close(session);
	return 0;
}

static void
test_ids_are_unique(void **state)
{
	static const struct berth_session_type type = {.open = tell_id};
	static const char *const ids[] = {"1", "2", "3"};
	struct stage *stage = *state;
	unsigned i;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	for (i = 0; i < BASE_COUNT(ids); i++) {
		client = bed_connect(stage->listener);
		stage_expect(stage, client, ids[i]);
		close(client);
	}
}

static void
test_R_LIS_4_peer_is_logged(void **state)
{
	struct stage *stage = *state;
	struct sockaddr_in own;
	socklen_t size = sizeof(own);
	void *any = &own;
	char text[128];
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	assert_int_equal(getsockname(client, any, &size), 0);
	stage_until_opened(stage, 1);
	snprintf(text, sizeof(text),
	    "7 test: session 1 from 127.0.0.1:%u: opened\n",
	    ntohs(own.sin_port));
	assert_non_null(strstr(text_string(&stage->bed->lines), text));
	close(client);
	stage_until_closed(stage, 1);
}

static void
test_hook_for_the_socket_is_asked(void **state)
{
	struct stage *stage = *state;
	struct listener *udp = bed_listen(stage->bed, "udp:127.0.0.1:0");

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	assert_int_equal(
	    server_add_listener(stage->server, udp), -EPROTONOSUPPORT);
	assert_int_equal(server_listener_count(stage->server), 1);
	listener_unref(udp);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_each_session_and_addresses),
	    TEST(test_unix_peer),
	    TEST(test_ids_are_unique),
	    TEST(test_R_LIS_4_peer_is_logged),
	    TEST(test_hook_for_the_socket_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
