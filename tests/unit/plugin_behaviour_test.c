/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test plugins do what their names say: run on the fake host, so that a
 * test of the real one that sees no harm has seen the sin.
 */
#include "plugin_kit.h"

#include <fcntl.h>

#include "fake_host.h"

/* Opens tests/plugins/WHAT.so; a factory of that name, or make_sin. */
static const struct berth_service_type *
load(struct kit *kit, const char *what, const char *factory)
{
	char location[128];

	kit_copy(kit, what, "x.so");
	snprintf(location, sizeof(location), "x:%s()", factory);
	if (kit_open(kit, location) < 0)
		fail_msg("%s: %s", what, kit_message(kit));
	return kit->type;
}

static void
good(void **state)
{
	struct kit *kit = *state;
	struct fake_host host;
	struct fake_service service;
	struct fake_session session;
	const struct berth_service_type *type;

	type = load(kit, "good", "_make_Svc");
	fake_host_init(&host);
	assert_int_equal(
	    fake_service_start(&service, &host, type, "A", "x 'y z' ''"), 0);
	type->suspend(&service.public);
	assert_int_equal(type->resume(&service.public), 0);
	fake_session_open(&session, &service);
	assert_string_equal(fake_service_info(&service), "good, 1 sessions");
	fake_session_send(&session, "hello");
	assert_string_equal(session.output.data, "hello");
	fake_session_fini(&session);
	assert_string_equal(fake_service_info(&service), "good, 0 sessions");
	fake_service_stop(&service);
	assert_string_equal(host.log.data,
	    "notice A: init <x><y z><>\nnotice A: suspend\nnotice A: resume\n"
	    "notice A: fini\n");
	assert_int_equal(
	    fake_service_start(&service, &host, type, "A", "fail"), -EINVAL);
	assert_string_equal(host.fail_text.data, "told to fail");
	assert_int_equal(fake_service_start(&service, &host, type, "A",
			     "rfail state=s listen=tcp:*:1"),
	    0);
	assert_int_equal(type->resume(&service.public), -EIO);
	assert_string_equal(host.endpoints[0], "tcp:*:1");
	assert_string_equal(fake_service_info(&service), "s, 0 sessions");
	fake_service_stop(&service);
	fake_host_fini(&host);
	assert_int_equal(image_unref(kit->image), 0);
}

/* With a file as its first argument it writes there. */
static void
good_file(void **state)
{
	struct kit *kit = *state;
	struct fake_host host;
	struct fake_service service;
	struct text text;
	char file[256];
	int fd;

	load(kit, "good", "make_good");
	snprintf(file, sizeof(file), "%s", kit_path(kit, "told"));
	fake_host_init(&host);
	assert_int_equal(
	    fake_service_start(&service, &host, kit->type, "A", file), 0);
	fake_service_stop(&service);
	fake_host_fini(&host);
	assert_int_equal(image_unref(kit->image), 0);

	text_init(&text);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_all(fd, 4096, &text), 0);
	assert_string_equal(text_string(&text), "A init\nA fini\n");
	close(fd);
	text_fini(&text);
}

static void
hooks_fail(void **state)
{
	struct kit *kit = *state;
	struct fake_host host;
	struct fake_service service;

	fake_host_init(&host);
	load(kit, "init_fails", "make_sin");
	assert_int_equal(
	    fake_service_start(&service, &host, kit->type, "Sin", ""), -EINVAL);
	assert_string_equal(host.fail_text.data, "Sin never starts");
	assert_int_equal(image_unref(kit->image), 0);
	load(kit, "init_positive", "make_sin");
	assert_int_equal(
	    fake_service_start(&service, &host, kit->type, "Sin", ""), 1);
	assert_int_equal(image_unref(kit->image), 0);
	load(kit, "resume_fails", "make_sin");
	assert_int_equal(
	    fake_service_start(&service, &host, kit->type, "Sin", ""), 0);
	assert_int_equal(kit->type->resume(&service.public), -EIO);
	fake_service_stop(&service);
	fake_host_fini(&host);
	assert_int_equal(image_unref(kit->image), 0);
}

static void
leftovers(void **state)
{
	struct kit *kit = *state;
	struct fake_host host;
	struct fake_service service;

	fake_host_init(&host);
	load(kit, "keeps_handler", "make_sin");
	fake_service_start(&service, &host, kit->type, "Sin", "");
	assert_int_equal(fake_host_turn(&host, 0), 1);
	assert_int_equal(fake_host_turn(&host, 0), 1);
	fake_service_stop(&service);
	assert_int_equal(service.left_descriptors, 1);
	assert_int_equal(image_unref(kit->image), 0);

	load(kit, "keeps_timer", "make_sin");
	fake_service_start(&service, &host, kit->type, "Sin", "");
	assert_int_equal(fake_host_advance(&host, 1000000), 1);
	fake_service_stop(&service);
	assert_int_equal(service.left_timers, 1);
	assert_int_equal(service.left_posts, 1);
	assert_int_equal(image_unref(kit->image), 0);
	fake_host_fini(&host);
}

/* The fake host joins threads: the file that ends this one is there first. */
static void
thread(void **state)
{
	struct kit *kit = *state;
	struct fake_host host;
	struct fake_service service;
	char file[256];

	fake_host_init(&host);
	load(kit, "leaks_thread", "make_sin");
	snprintf(file, sizeof(file), "%s", kit_path(kit, "end"));
	assert_int_equal(
	    fake_service_start(&service, &host, kit->type, "Sin", file), 0);
	kit_write(kit, "end", "", 0);
	fake_service_stop(&service);
	assert_int_equal(
	    fake_service_start(&service, &host, kit->type, "Sin", ""), -EINVAL);
	fake_host_fini(&host);
	assert_int_equal(image_unref(kit->image), 0);
}

static void
sessions(void **state)
{
	struct kit *kit = *state;
	struct fake_host host;
	struct fake_service service;
	struct fake_session session;

	fake_host_init(&host);
	load(kit, "blocks", "make_sin");
	fake_service_start(&service, &host, kit->type, "Sin", "");
	fake_session_open(&session, &service);
	fake_session_send(&session, "1");
	assert_string_equal(session.output.data, "slept\n");
	fake_session_fini(&session);
	fake_service_stop(&service);
	assert_int_equal(image_unref(kit->image), 0);

	load(kit, "crashes", "make_sin");
	fake_service_start(&service, &host, kit->type, "Sin", "");
	fake_session_open(&session, &service);
	fake_session_send(&session, "do not");
	assert_string_equal(session.output.data, "do not");
	fake_session_fini(&session);
	fake_service_stop(&service);
	assert_int_equal(image_unref(kit->image), 0);
	fake_host_fini(&host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(good, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(good_file, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		hooks_fail, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(leftovers, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(thread, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(sessions, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
