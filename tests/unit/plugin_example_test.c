/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The examples of docs/example/ do what their readers are told.
 */
#include "plugin_kit.h"

#include "fake_host.h"

struct stage {
	struct fake_host host;
	struct fake_service service;
	struct fake_session session;
};

static void
raise_curtain(struct kit *kit, struct stage *stage, const char *name,
    const char *arguments)
{
	char location[64];

	kit_copy(kit, name, "x.so");
	snprintf(location, sizeof(location), "x:make_%s()", name);
	assert_int_equal(kit_open(kit, location), 0);
	fake_host_init(&stage->host);
	assert_int_equal(fake_service_start(&stage->service, &stage->host,
			     kit->type, name, arguments),
	    0);
	assert_int_equal(
	    fake_session_open(&stage->session, &stage->service), 0);
}

static void
drop_curtain(struct kit *kit, struct stage *stage)
{
	fake_session_fini(&stage->session);
	fake_service_stop(&stage->service);
	fake_host_fini(&stage->host);
	assert_int_equal(image_unref(kit->image), 0);
}

static void
echo(void **state)
{
	struct kit *kit = *state;
	struct stage stage;

	raise_curtain(kit, &stage, "echo", "");
	fake_session_send(&stage.session, "hello");
	assert_string_equal(stage.session.output.data, "hello");
	drop_curtain(kit, &stage);
}

static void
upper_lines(void **state)
{
	struct kit *kit = *state;
	struct stage stage;

	raise_curtain(kit, &stage, "upper", "-l 10");
	assert_int_equal(fake_session_send(&stage.session, "one\ntw"), 4);
	assert_string_equal(stage.session.output.data, "ONE\n");
	assert_int_equal(fake_session_send(&stage.session, "o\n"), 4);
	assert_string_equal(stage.session.output.data, "ONE\nTWO\n");
	assert_string_equal(fake_service_info(&stage.service), "2 lines");
	fake_session_send(&stage.session, "end");
	fake_session_eof(&stage.session);
	assert_string_equal(stage.session.output.data, "ONE\nTWO\nEND");
	assert_true(stage.session.closing);
	drop_curtain(kit, &stage);
	raise_curtain(kit, &stage, "upper", "-l 10");
	fake_session_send(&stage.session, "far too long");
	assert_string_equal(stage.session.output.data, "line too long\n");
	assert_true(stage.session.closing);
	drop_curtain(kit, &stage);
}

/* Lines wait, whole, for a client who does not read. */
static void
upper_slow_client(void **state)
{
	struct kit *kit = *state;
	struct stage stage;

	raise_curtain(kit, &stage, "upper", "");
	stage.session.output_limit = 6;
	assert_int_equal(fake_session_send(&stage.session, "a1\nb2\nc3\n"), 6);
	assert_string_equal(stage.session.output.data, "A1\nB2\n");
	assert_int_equal(fake_session_drain(&stage.session), 3);
	assert_string_equal(stage.session.output.data, "A1\nB2\nC3\n");
	drop_curtain(kit, &stage);
}

static void
upper_arguments(void **state)
{
	static const struct {
		const char *arguments;
		const char *message;
	} cases[] = {
	    {"-x", "usage: [-l LENGTH]"},
	    {"-l", "usage: [-l LENGTH]"},
	    {"-l 0", "-l wants 1 to 1000"},
	    {"-l 1001", "-l wants 1 to 1000"},
	};
	struct kit *kit = *state;
	struct stage stage;
	struct fake_service service;
	size_t i;

	raise_curtain(kit, &stage, "upper", "-l 10");
	for (i = 0; i < BASE_COUNT(cases); i++) {
		assert_int_equal(fake_service_start(&service, &stage.host,
				     kit->type, "Upper", cases[i].arguments),
		    -EINVAL);
		assert_string_equal(
		    stage.host.fail_text.data, cases[i].message);
	}
	drop_curtain(kit, &stage);
}

static void
upper_datagram(void **state)
{
	struct kit *kit = *state;
	struct stage stage;

	raise_curtain(kit, &stage, "upper", "");
	fake_session_fini(&stage.session);
	fake_session_datagram(&stage.session, &stage.service, NULL, "hey", 3);
	assert_string_equal(stage.session.output.data, "HEY");
	drop_curtain(kit, &stage);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(echo, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		upper_lines, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		upper_slow_client, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		upper_arguments, kit_setup, kit_teardown),
	    cmocka_unit_test_setup_teardown(
		upper_datagram, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
