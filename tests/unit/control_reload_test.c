/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reload as a transaction, in a whole host with real sockets: endpoints that
 * move, generations that drain, services that can't be up twice, state that
 * is handed over, new instances on trial, suspensions, watched files.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit/host_fixture.h"

#define PROBE " Service_Object * :probe() "
#define KEEPER " Service_Object * :keeper() "
#define LONELY " Service_Object * :lonely() "
#define ANYWHERE "{ listen = tcp:127.0.0.1:0 }"

/* The first TCP port that `list` tells for a service. */
static int
port_of(struct fixture *f, const char *name)
{
	char line[64];
	const char *at;

	snprintf(line, sizeof(line), "show %s", name);
	assert_int_equal(fixture_command(f, line), COMMAND_OK);
	at = strstr(text_string(&f->reply), "tcp:127.0.0.1:");
	assert_non_null(at);
	return atoi(at + strlen("tcp:127.0.0.1:"));
}

static int
try_dial(int port)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	void *address = &to;

	assert_true(fd >= 0);
	if (connect(fd, address, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -errno;
}

static int
dial(int port)
{
	int fd = try_dial(port);

	assert_true(fd >= 0);
	return fd;
}

/* What comes, up to a newline, while the host runs; "" at the end. */
static void
expect_line(struct fixture *f, int fd, const char *expected)
{
	struct reactor *reactor = host_owner(f->host)->reactor;
	uint64_t end_ns = mono_now().ns + MONO_MS(60000);
	char line[128] = "";
	size_t size = 0;

	while (size == 0 || line[size - 1] != '\n') {
		ssize_t got = recv(fd, line + size, 1, MSG_DONTWAIT);

		assert_true(mono_now().ns < end_ns);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			break;
		if (got > 0)
			size += (size_t)got;
		else
			reactor_turn(reactor, MONO_MS(1));
	}
	line[size] = '\0';
	assert_string_equal(line, expected);
}

static void
say(int fd, const char *words)
{
	assert_int_equal(
	    send(fd, words, strlen(words), MSG_NOSIGNAL), strlen(words));
}

static void
a_replaced_service_keeps_its_port_and_sessions(void **state)
{
	struct fixture f;
	int port, old, new;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'one' " ANYWHERE "\n");
	assert_int_equal(fixture_start(&f), 0);
	port = port_of(&f, "A");
	old = dial(port);
	expect_line(&f, old, "I am A one\n");
	assert_int_equal(
	    fixture_command(&f, "dynamic A" PROBE "'two' " ANYWHERE),
	    COMMAND_OK);
	assert_int_equal(port_of(&f, "A"), port);
	new = dial(port);
	expect_line(&f, new, "I am A two\n");
	say(old, "still here\n");
	expect_line(&f, old, "still here\n");
	assert_int_equal(fixture_command(&f, "list"), COMMAND_OK);
	assert_non_null(
	    strstr(text_string(&f.reply), "(1 old generation draining)"));
	assert_false(fixture_has_call("fini"));
	close(old);
	fixture_settle(&f);
	assert_true(fixture_has_call("fini A"));
	close(new);
	fixture_fini(&f);
}

static void
several_generations_drain_at_once(void **state)
{
	struct fixture f;
	int clients[5];

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'0' " ANYWHERE "\n");
	assert_int_equal(fixture_start(&f), 0);
	for (int i = 0; i < 5; i++) {
		char line[128];

		snprintf(line, sizeof(line), "dynamic A" PROBE "'%d' " ANYWHERE,
		    i + 1);
		clients[i] = dial(port_of(&f, "A"));
		snprintf(line + 96, 32, "I am A %d\n", i);
		expect_line(&f, clients[i], line + 96);
		assert_int_equal(fixture_command(&f, line), COMMAND_OK);
	}
	assert_int_equal(fixture_command(&f, "list"), COMMAND_OK);
	assert_non_null(
	    strstr(text_string(&f.reply), "(5 old generations draining)"));
	for (int i = 0; i < 5; i++) {
		say(clients[i], "x\n");
		expect_line(&f, clients[i], "x\n");
		close(clients[i]);
	}
	fixture_settle(&f);
	assert_int_equal(fixture_command(&f, "list"), COMMAND_OK);
	assert_null(strstr(text_string(&f.reply), "draining"));
	fixture_fini(&f);
}

static void
drain_has_an_end(void **state)
{
	struct fixture f;
	int client;

	(void)state;
	fixture_init(&f,
	    "dynamic A" PROBE "{ listen = tcp:127.0.0.1:0; drain = 50ms }\n");
	assert_int_equal(fixture_start(&f), 0);
	client = dial(port_of(&f, "A"));
	expect_line(&f, client, "I am A \n");
	assert_int_equal(fixture_command(&f, "remove A"), COMMAND_OK);
	expect_line(&f, client, ""); /* the end of the stream */
	close(client);
	fixture_settle(&f);
	fixture_expect_states(&f, "");
	fixture_fini(&f);
}

static void
a_port_moves_from_one_service_to_another(void **state)
{
	char first[256], second[256];
	struct fixture f;
	int port, client;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE ANYWHERE "\n");
	assert_int_equal(fixture_start(&f), 0);
	port = port_of(&f, "A");
	snprintf(first, sizeof(first),
	    "dynamic B" PROBE "{ listen = tcp:127.0.0.1:%d }", port);
	assert_int_equal(fixture_command(&f, first), COMMAND_REFUSED);
	assert_non_null(strstr(text_string(&f.reply), "'A'"));
	/* one file that takes it from A and gives it to B */
	snprintf(second, sizeof(second),
	    "dynamic A" PROBE "\n"
	    "dynamic B" PROBE "{ listen = tcp:127.0.0.1:%d }\n",
	    port);
	client = dial(port);
	expect_line(&f, client, "I am A \n");
	fixture_write(&f, "svc.conf", second);
	text_reset(&fixture_calls);
	assert_int_equal(fixture_command(&f, "reconfigure"), COMMAND_OK);
	assert_string_equal(text_string(&f.reply), "~ A (listen)\n+ B\n");
	fixture_expect_calls("init B\n");
	say(client, "same session\n");
	expect_line(&f, client, "same session\n");
	close(client);
	client = dial(port);
	expect_line(&f, client, "I am B \n");
	close(client);
	fixture_fini(&f);
}

static void
a_unix_path_moves_too(void **state)
{
	char conf[256], path[96];
	struct fixture f;
	struct stat before, after;

	(void)state;
	fixture_init(&f, "");
	snprintf(path, sizeof(path), "%s/socket", f.folder);
	snprintf(conf, sizeof(conf),
	    "dynamic A" PROBE "{ listen = unix:%s; socket_mode = 0640 }\n",
	    path);
	fixture_write(&f, "svc.conf", conf);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0640);
	snprintf(conf, sizeof(conf),
	    "remove A\ndynamic B" PROBE
	    "{ listen = unix:%s; socket_mode = 0640 }\n",
	    path);
	fixture_write(&f, "svc.conf", conf);
	assert_int_equal(fixture_command(&f, "reconfigure"), COMMAND_OK);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(fixture_command(&f, "remove B"), COMMAND_OK);
	assert_int_equal(stat(path, &after), -1);
	fixture_fini(&f);
}

static void
a_failure_leaves_no_endpoint_behind(void **state)
{
	char line[256];
	struct fixture f;
	int port;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE ANYWHERE "\n");
	assert_int_equal(fixture_start(&f), 0);
	port = port_of(&f, "A");
	assert_int_equal(fixture_command(&f, "remove A"), COMMAND_OK);
	snprintf(line, sizeof(line),
	    "dynamic A" PROBE "'fail' { listen = tcp:127.0.0.1:%d }", port);
	assert_int_equal(fixture_command(&f, line), COMMAND_REFUSED);
	assert_int_equal(try_dial(port), -ECONNREFUSED);
	fixture_fini(&f);
}

static void
one_failure_abandons_all(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1'\ndynamic S" PROBE "inactive\n");
	assert_int_equal(fixture_start(&f), 0);
	text_reset(&fixture_calls);
	fixture_write(&f, "svc.conf",
	    "dynamic A" PROBE "'2'\ndynamic S" PROBE "\ndynamic B" PROBE "\n"
	    "dynamic C" PROBE "'fail'\n");
	assert_int_equal(fixture_command(&f, "reconfigure"), COMMAND_REFUSED);
	fixture_expect_calls("init A 2\nresume S\ninit B\ninit C fail\n"
			     "suspend S\nfini B\nfini A\n");
	fixture_expect_states(&f, "A active\nS suspended\n");
	fixture_fini(&f);
}

/* --- exclusive --- */

static void
exclusive_old_ends_before_new_begins(void **state)
{
	struct fixture f;
	int port, client;

	(void)state;
	fixture_init(&f, "dynamic A" LONELY "'1' " ANYWHERE "\n");
	assert_int_equal(fixture_start(&f), 0);
	port = port_of(&f, "A");
	client = dial(port);
	expect_line(&f, client, "I am A 1\n");
	text_reset(&fixture_calls);
	assert_int_equal(
	    fixture_command(&f, "dynamic A" LONELY "'2' " ANYWHERE),
	    COMMAND_OK);
	fixture_expect_calls(
	    "save A\nfini A\ninit A 2\nrestore A 7 kept by A\n");
	expect_line(&f, client, "");
	close(client);
	client = dial(port);
	expect_line(&f, client, "I am A 2\n");
	close(client);
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&f);
}

static void
exclusive_old_starts_again_when_new_fails(void **state)
{
	struct fixture f;
	int port, client;

	(void)state;
	fixture_init(&f, "dynamic A" LONELY "'1' " ANYWHERE "\n");
	assert_int_equal(fixture_start(&f), 0);
	port = port_of(&f, "A");
	text_reset(&fixture_calls);
	assert_int_equal(
	    fixture_command(&f, "dynamic A" LONELY "'fail' " ANYWHERE),
	    COMMAND_REFUSED);
	fixture_expect_calls("save A\nfini A\ninit A fail\ninit A 1\n");
	fixture_expect_states(&f, "A active\n");
	assert_int_equal(port_of(&f, "A"), port);
	client = dial(port);
	expect_line(&f, client, "I am A 1\n");
	close(client);
	/* and it can be replaced afterwards */
	assert_int_equal(
	    fixture_command(&f, "dynamic A" LONELY "'2' " ANYWHERE),
	    COMMAND_OK);
	fixture_fini(&f);
}

static void
exclusive_new_ends_when_another_service_fails(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" LONELY "'1'\ndynamic B" LONELY "'1'\n");
	assert_int_equal(fixture_start(&f), 0);
	text_reset(&fixture_calls);
	fixture_write(&f, "svc.conf",
	    "dynamic A" LONELY "'2'\ndynamic B" LONELY "'fail'\n");
	assert_int_equal(fixture_command(&f, "reconfigure"), COMMAND_REFUSED);
	fixture_expect_calls("save A\nfini A\ninit A 2\nrestore A 7 kept by A\n"
			     "save B\nfini B\ninit B fail\n"
			     "init B 1\nfini A\ninit A 1\n");
	fixture_expect_states(&f, "A active\nB active\n");
	fixture_fini(&f);
}

/* --- state --- */

static void
state_is_handed_over(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" KEEPER "'1'\n");
	assert_int_equal(fixture_start(&f), 0);
	text_reset(&fixture_calls);
	assert_int_equal(
	    fixture_command(&f, "dynamic A" KEEPER "'2'"), COMMAND_OK);
	fixture_expect_calls(
	    "save A\ninit A 2\nrestore A 7 kept by A\nfini A\n");
	assert_int_equal(fixture_command(&f, "dynamic A" KEEPER "'forgetful'"),
	    COMMAND_REFUSED);
	assert_non_null(strstr(
	    text_string(&f.reply), "restore of 'A' failed: can't read that"));
	fixture_expect_calls("save A\ninit A forgetful\n"
			     "restore A 7 kept by A\nfini A\n");
	fixture_expect_states(&f, "A active\n");
	/* a type that keeps nothing hands nothing over */
	assert_int_equal(
	    fixture_command(&f, "dynamic A" PROBE "'3'"), COMMAND_OK);
	fixture_expect_calls("init A 3\nfini A\n");
	fixture_fini(&f);
}

/* --- ready --- */

static void
unready_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1'\n");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fixture_command(&f, "dynamic A" PROBE "'unready'"),
	    COMMAND_REFUSED);
	assert_non_null(
	    strstr(text_string(&f.reply), "ready of 'A' failed: no database"));
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&f);
}

static bool
has_fini(struct fixture *f)
{
	(void)f;
	return fixture_has_call("fini");
}

static void
ready_later_stands_by_until_then(void **state)
{
	struct fixture f;
	int port, client;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1' " ANYWHERE "\n");
	assert_int_equal(fixture_start(&f), 0);
	port = port_of(&f, "A");
	assert_int_equal(
	    fixture_command(&f, "dynamic A" PROBE "'later' " ANYWHERE),
	    COMMAND_OK);
	client = dial(port);
	expect_line(&f, client, "I am A later\n");
	fixture_until(&f, has_fini);
	fixture_settle(&f);
	fixture_expect_calls("init A 1\ninit A later\nfini A\n");
	close(client);
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&f);
}

static void
never_ready_is_rolled_back(void **state)
{
	struct fixture f;
	int port, client;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1' " ANYWHERE "\n");
	assert_int_equal(fixture_start(&f), 0);
	port = port_of(&f, "A");
	assert_int_equal(
	    fixture_command(&f,
		"dynamic A" PROBE
		"'never' { listen = tcp:127.0.0.1:0; ready_timeout = 50ms }"),
	    COMMAND_OK);
	fixture_until(&f, has_fini);
	fixture_settle(&f);
	fixture_expect_calls("init A 1\ninit A never\nfini A\n");
	assert_non_null(strstr(
	    text_string(&f.logged), "was not ready within its ready_timeout"));
	client = dial(port);
	expect_line(&f, client, "I am A 1\n");
	close(client);
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&f);
}

static void
never_ready_and_exclusive(void **state)
{
	struct fixture f;
	int port, client;

	(void)state;
	fixture_init(&f, "dynamic A" LONELY "'1' " ANYWHERE "\n");
	assert_int_equal(fixture_start(&f), 0);
	port = port_of(&f, "A");
	text_reset(&fixture_calls);
	assert_int_equal(
	    fixture_command(&f,
		"dynamic A" LONELY
		"'never' { listen = tcp:127.0.0.1:0; ready_timeout = 50ms }"),
	    COMMAND_OK);
	text_reset(&fixture_calls);
	fixture_until(&f, has_fini);
	fixture_settle(&f);
	fixture_expect_calls("fini A\ninit A 1\n");
	client = dial(port);
	expect_line(&f, client, "I am A 1\n");
	close(client);
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&f);
}

static void
never_ready_with_nothing_before_fails(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(
	    fixture_command(
		&f, "dynamic A" PROBE "'never' { ready_timeout = 20ms }"),
	    COMMAND_OK);
	while (strstr(text_string(&f.logged), "not ready") == NULL)
		reactor_turn(host_owner(f.host)->reactor, MONO_MS(5));
	fixture_expect_states(&f, "A failed\n");
	assert_int_equal(fixture_command(&f, "resume A"), COMMAND_OK);
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&f);
}

/* --- suspend --- */

static void
suspend_queues_and_resume_serves(void **state)
{
	struct fixture f;
	int before, waits[20];

	(void)state;
	fixture_init(&f, "dynamic A" PROBE ANYWHERE "\n");
	assert_int_equal(fixture_start(&f), 0);
	before = dial(port_of(&f, "A"));
	expect_line(&f, before, "I am A \n");
	assert_int_equal(fixture_command(&f, "suspend A"), COMMAND_OK);
	for (int i = 0; i < 20; i++)
		waits[i] = dial(port_of(&f, "A"));
	say(before, "goes on\n");
	expect_line(&f, before, "goes on\n");
	for (int i = 0; i < 20; i++) {
		char byte;

		assert_int_equal(recv(waits[i], &byte, 1, MSG_DONTWAIT), -1);
	}
	assert_int_equal(fixture_command(&f, "reconfigure"), COMMAND_OK);
	assert_int_equal(fixture_command(&f, "resume A"), COMMAND_OK);
	for (int i = 0; i < 20; i++) {
		expect_line(&f, waits[i], "I am A \n");
		close(waits[i]);
	}
	close(before);
	fixture_fini(&f);
}

static void
suspend_sessions_holds_them(void **state)
{
	struct fixture f;
	char byte;
	int client;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE
			 "{ listen = tcp:127.0.0.1:0; suspend = sessions }\n");
	assert_int_equal(fixture_start(&f), 0);
	client = dial(port_of(&f, "A"));
	expect_line(&f, client, "I am A \n");
	assert_int_equal(fixture_command(&f, "suspend A"), COMMAND_OK);
	say(client, "wait\n");
	fixture_settle(&f);
	assert_int_equal(recv(client, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(fixture_command(&f, "resume A"), COMMAND_OK);
	expect_line(&f, client, "wait\n");
	close(client);
	fixture_fini(&f);
}

static bool
is_active(struct fixture *f)
{
	text_reset(&f->reply);
	host_command(f->host, "list", 0, &f->reply);
	return strstr(text_string(&f->reply), "suspended") == NULL;
}

static void
suspend_for_a_time(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "\ndynamic B" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(
	    fixture_command(&f, "suspend A for 100ms"), COMMAND_OK);
	fixture_expect_states(&f, "A suspended\nB active\n");
	assert_int_equal(fixture_command(&f, "reconfigure"), COMMAND_OK);
	fixture_until(&f, is_active);
	assert_int_equal(
	    fixture_command(&f, "suspend all for 100ms"), COMMAND_OK);
	fixture_expect_states(&f, "A suspended\nB suspended\n");
	fixture_until(&f, is_active);
	assert_int_equal(fixture_command(&f, "suspend all"), COMMAND_OK);
	assert_int_equal(fixture_command(&f, "resume all"), COMMAND_OK);
	fixture_expect_states(&f, "A active\nB active\n");
	assert_int_equal(
	    fixture_command(&f, "suspend A for ever"), COMMAND_USAGE);
	assert_int_equal(fixture_command(&f, "resume A for 1s"), COMMAND_USAGE);
	fixture_fini(&f);
}

/* --- watch --- */

static bool
has_b(struct fixture *f)
{
	text_reset(&f->reply);
	host_command(f->host, "list", 0, &f->reply);
	return strstr(text_string(&f->reply), "B ") != NULL;
}

static void
a_watched_file_is_read_when_it_changes(void **state)
{
	char from[128];
	struct fixture f;

	(void)state;
	fixture_init(&f, "host { watch = yes }\ndynamic A" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	/* as editors do: a new file, then a rename */
	fixture_write(&f, "svc.conf.new",
	    "host { watch = yes }\ndynamic A" PROBE "\ndynamic B" PROBE
	    "\ninclude \"more\"\n");
	fixture_write(&f, "more", "# nothing\n");
	snprintf(from, sizeof(from), "%s/svc.conf.new", f.folder);
	assert_int_equal(rename(from, f.file), 0);
	fixture_until(&f, has_b);
	/* a file that is included is watched as well */
	fixture_write(&f, "more", "dynamic C" PROBE "\n");
	while (!fixture_has_call("init C"))
		reactor_turn(host_owner(f.host)->reactor, MONO_MS(10));
	fixture_fini(&f);
}

static void
control_socket_is_a_door_of_its_own(void **state)
{
	char conf[256];
	struct fixture f;
	struct stat status;

	(void)state;
	fixture_init(&f, "");
	snprintf(conf, sizeof(conf), "host { control = %s/new/control }\n",
	    f.folder);
	fixture_write(&f, "svc.conf", conf);
	assert_int_equal(fixture_start(&f), 0);
	snprintf(conf, sizeof(conf), "%s/new/control", f.folder);
	assert_int_equal(stat(conf, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	/* it is no service: nobody can remove it by accident */
	fixture_expect_states(&f, "");
	fixture_write(&f, "svc.conf", "\n");
	assert_int_equal(fixture_command(&f, "reconfigure"), COMMAND_OK);
	fixture_settle(&f);
	assert_int_equal(stat(conf, &status), -1);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_replaced_service_keeps_its_port_and_sessions),
	    cmocka_unit_test(several_generations_drain_at_once),
	    cmocka_unit_test(drain_has_an_end),
	    cmocka_unit_test(a_port_moves_from_one_service_to_another),
	    cmocka_unit_test(a_unix_path_moves_too),
	    cmocka_unit_test(a_failure_leaves_no_endpoint_behind),
	    cmocka_unit_test(one_failure_abandons_all),
	    cmocka_unit_test(exclusive_old_ends_before_new_begins),
	    cmocka_unit_test(exclusive_old_starts_again_when_new_fails),
	    cmocka_unit_test(exclusive_new_ends_when_another_service_fails),
	    cmocka_unit_test(state_is_handed_over),
	    cmocka_unit_test(unready_is_refused),
	    cmocka_unit_test(ready_later_stands_by_until_then),
	    cmocka_unit_test(never_ready_is_rolled_back),
	    cmocka_unit_test(never_ready_and_exclusive),
	    cmocka_unit_test(never_ready_with_nothing_before_fails),
	    cmocka_unit_test(suspend_queues_and_resume_serves),
	    cmocka_unit_test(suspend_sessions_holds_them),
	    cmocka_unit_test(suspend_for_a_time),
	    cmocka_unit_test(a_watched_file_is_read_when_it_changes),
	    cmocka_unit_test(control_socket_is_a_door_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
