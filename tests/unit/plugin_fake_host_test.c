/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake host keeps the contract that services are tested against.
 */
#include "fake_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct tiny {
	struct berth_handler handler;
	struct berth_service *service;
	int timeouts;
	int pipe[2];
	char got[8];
	uintptr_t token;
	bool posted;
	bool replied;
	int status;
	char reply[32];
};

static int
tiny_timeout(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct tiny *tiny = (struct tiny *)(void *)handler;

	(void)now_ns;
	tiny->token = (uintptr_t)token;
	return ++tiny->timeouts == 3 ? -1 : 0;
}

static int
tiny_input(struct berth_handler *handler, int fd)
{
	struct tiny *tiny = (struct tiny *)(void *)handler;

	return read(fd, tiny->got, sizeof(tiny->got)) > 0 ? 0 : -1;
}

static const struct berth_handler_type tiny_handler = {
    .input = tiny_input,
    .timeout = tiny_timeout,
};

static int
tiny_init(struct berth_service *service, int argc, char **argv)
{
	struct tiny *tiny = service->state;

	tiny->handler.type = &tiny_handler;
	tiny->service = service;
	if (argc > 1 && strcmp(argv[1], "fail") == 0)
		return berth_fail(service, EINVAL, "told to %s", argv[1]);
	if (argc > 1)
		return berth_listen(service, argv[1]);
	return 0;
}

static void
tiny_info(struct berth_service *service, struct berth_text *text)
{
	(void)berth_text_printf(text, "I am %s", service->name);
}

static int
tiny_session_input(struct berth_session *session, struct berth_bytes in)
{
	if (in.size && *(const char *)in.data == '!')
		return -EPROTO;
	return berth_write(session, in);
}

static int
tiny_datagram(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

static const struct berth_service_type *
make_tiny(void)
{
	static const struct berth_service_type type = {
	    .header = BERTH_TYPE_HEADER(
		BERTH_KIND_SERVICE, struct berth_service_type, make_tiny),
	    .state_size = sizeof(struct tiny),
	    .init = tiny_init,
	    .info = tiny_info,
	    .session = {.input = tiny_session_input, .datagram = tiny_datagram},
	};
	return &type;
}

static void
services(void **state)
{
	struct fake_host host;
	struct fake_service service;

	(void)state;
	fake_host_init(&host);
	assert_int_equal(fake_service_start(&service, &host, make_tiny(),
			     "Tiny", "fail \"two words\" ''"),
	    -EINVAL);
	assert_string_equal(host.fail_text.data, "told to fail");
	assert_int_equal(fake_service_start(&service, &host, make_tiny(),
			     "Tiny", " tcp:*:7  'a b'\"c\" ''"),
	    0);
	assert_int_equal(service.argc, 4);
	assert_string_equal(service.argv[2], "a bc");
	assert_string_equal(service.argv[3], "");
	assert_null(service.argv[4]);
	assert_string_equal(host.endpoints[0], "tcp:*:7");
	host.listen_count = 2;
	assert_int_equal(berth_endpoints(&service.public), 3);
	assert_string_equal(fake_service_info(&service), "I am Tiny");
	berth_log(&service.public, BERTH_WARNING, "n=%d", 3);
	assert_string_equal(host.log.data, "warning Tiny: n=3\n");
	fake_service_stop(&service);
	fake_host_fini(&host);
}

static void
sessions(void **state)
{
	struct fake_host host;
	struct fake_service service;
	struct fake_session session;

	(void)state;
	fake_host_init(&host);
	fake_service_start(&service, &host, make_tiny(), "Tiny", "");
	fake_session_open(&session, &service);
	session.output_limit = 4;
	assert_int_equal(fake_session_send(&session, "abcdef"), 4);
	assert_string_equal(session.output.data, "abcd");
	assert_string_equal(session.input.data, "ef");
	assert_int_equal(fake_session_drain(&session), 2);
	assert_string_equal(session.output.data, "abcdef");
	assert_int_equal(fake_session_send(&session, "!"), -EPROTO);
	assert_true(session.ended);
	assert_int_equal(session.reason, BERTH_CLOSED_ABORTED);
	fake_session_fini(&session);

	fake_session_open(&session, &service);
	fake_session_eof(&session);
	assert_true(session.closing);
	assert_int_equal(
	    berth_write(&session.public, berth_str("late")), -EPIPE);
	fake_session_fini(&session);
	assert_int_equal(session.reason, BERTH_CLOSED_ORDERLY);

	fake_session_datagram(&session, &service, NULL, "x", 1);
	assert_int_equal(session.writes, 1);
	fake_session_fini(&session);
	fake_service_stop(&service);
	fake_host_fini(&host);
}

static void
set_posted(void *arg)
{
	((struct tiny *)arg)->posted = true;
}

static void
post_until_stopped(struct berth_thread *thread, void *arg)
{
	struct tiny *tiny = arg;

	(void)thread;
	(void)berth_post(tiny->service, set_posted, tiny);
}

static void
events(void **state)
{
	struct fake_host host;
	struct fake_service service;
	struct tiny *tiny;
	berth_timer_id id;

	(void)state;
	fake_host_init(&host);
	fake_service_start(&service, &host, make_tiny(), "Tiny", "");
	tiny = service.public.state;
	berth_schedule(&service.public, &tiny->handler, (void *)7, 10, 10, &id);
	assert_int_equal(fake_host_advance(&host, 9), 0);
	assert_int_equal(fake_host_advance(&host, 1), 1);
	assert_int_equal(tiny->token, 7);
	fake_host_advance(&host, 100); /* missed periods are skipped */
	assert_int_equal(tiny->timeouts, 2);
	fake_host_advance(&host, 10); /* the third says: no more */
	assert_int_equal(berth_cancel(&service.public, id, NULL), -ENOENT);

	assert_int_equal(pipe(tiny->pipe), 0);
	berth_add(&service.public, &tiny->handler, tiny->pipe[0], BERTH_READ);
	assert_int_equal(fake_host_turn(&host, 0), 0);
	assert_int_equal(write(tiny->pipe[1], "x", 2), 2);
	assert_int_equal(fake_host_turn(&host, 0), 1);
	assert_string_equal(tiny->got, "x");

	berth_thread_start(&service.public, "poster", post_until_stopped, tiny);
	while (!tiny->posted)
		fake_host_turn(&host, 1000);
	close(tiny->pipe[0]);
	close(tiny->pipe[1]);
	fake_service_stop(&service);
	assert_int_equal(service.left_descriptors, 1);
	assert_int_equal(service.left_timers, 0);
	fake_host_fini(&host);
}

static void
set_reply(void *arg, int status, struct berth_bytes text)
{
	struct tiny *tiny = arg;

	tiny->replied = true;
	tiny->status = status;
	memcpy(tiny->reply, text.data, text.size);
}

static void
commands(void **state)
{
	struct fake_host host;
	struct fake_service service;
	struct tiny *tiny;
	struct berth_command *command;

	(void)state;
	fake_host_init(&host);
	fake_service_start(&service, &host, make_tiny(), "Tiny", "");
	tiny = service.public.state;
	berth_command(&service.public, "list", 0, set_reply, tiny, &command);
	berth_command(&service.public, "help", 0, set_reply, tiny, &command);
	berth_command_cancel(&service.public, command);
	assert_string_equal(host.commands[0]->line, "list");
	assert_true(host.commands[1]->cancelled);
	fake_host_answer(&host, 0, 1, "no");
	assert_int_equal(tiny->status, 1);
	assert_string_equal(tiny->reply, "no");
	berth_shutdown(&service.public);
	assert_true(host.shut_down);
	fake_service_stop(&service);
	fake_host_fini(&host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(services),
	    cmocka_unit_test(sessions),
	    cmocka_unit_test(events),
	    cmocka_unit_test(commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
