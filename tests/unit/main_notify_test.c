/* SPDX-License-Identifier: BSD-2-Clause */
/* What a supervisor is told, by path and by abstract name; the watchdog. */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main/main.h"
#include "reactor/reactor.h"

/* The supervisor's end. */
static int
open_supervisor(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, name, size);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
	    0);
	return fd;
}

static void
receive(int fd, char *text, size_t room)
{
	ssize_t size = recv(fd, text, room - 1, 0);

	assert_true(size > 0);
	text[size] = '\0';
}

static void
set_watchdog(const char *usec, const char *pid)
{
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	if (usec != NULL)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid != NULL)
		setenv("WATCHDOG_PID", pid, 1);
}

static void
test_silent(void **state)
{
	struct notify notify;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_init(&notify), 0);
	assert_int_equal(notify_send(&notify, "READY=1"), 0);
	assert_int_equal(notify_reloading(&notify), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_init(&notify), 0);
	assert_int_equal(notify_state(&notify, "READY=1", "x"), 0);
}

static void
test_messages(void **state)
{
	static const char *const names[] = {
	    "/tmp/main_notify_test_%ld", "@main_notify_test_%ld"};
	struct notify notify;
	char name[64], text[2048];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(name, sizeof(name), names[i], (long)getpid());
#pragma GCC diagnostic pop
		unlink(name);

		AUTO_FD fd = open_supervisor(name);

		setenv("NOTIFY_SOCKET", name, 1);
		assert_int_equal(notify_init(&notify), 0);
		assert_null(getenv("NOTIFY_SOCKET"));
		assert_int_equal(
		    notify_send(&notify, "READY=1\nMAINPID=%d", 4711), 0);
		receive(fd, text, sizeof(text));
		assert_string_equal(text, "READY=1\nMAINPID=4711");
		notify_fini(&notify);
		unlink(name);
	}
}

struct pair {
	struct notify notify;
	int fd;
	char name[64];
};

static void
open_pair(struct pair *pair)
{
	snprintf(pair->name, sizeof(pair->name), "@main_notify_pair_%ld",
	    (long)getpid());
	pair->fd = open_supervisor(pair->name);
	setenv("NOTIFY_SOCKET", pair->name, 1);
	assert_int_equal(notify_init(&pair->notify), 0);
}

static void
close_pair(struct pair *pair)
{
	notify_fini(&pair->notify);
	assert_int_equal(pair->notify.fd, -1);
	fd_close(&pair->fd);
}

/* A supervisor that was restarted is told as before. */
static void
test_restart(void **state)
{
	struct pair pair;
	char text[64];

	(void)state;
	open_pair(&pair);
	assert_int_equal(notify_send(&pair.notify, "READY=1"), 0);
	fd_close(&pair.fd);
	assert_int_equal(notify_send(&pair.notify, "lost"), -ECONNREFUSED);
	pair.fd = open_supervisor(pair.name);
	assert_int_equal(notify_send(&pair.notify, "found"), 0);
	receive(pair.fd, text, sizeof(text));
	assert_string_equal(text, "found");
	close_pair(&pair);
}

static void
test_state(void **state)
{
	char text[2048], long_text[5000];
	struct pair pair;

	(void)state;
	open_pair(&pair);
	notify_state(&pair.notify, "STOPPING=1", NULL);
	receive(pair.fd, text, sizeof(text));
	assert_string_equal(text, "STOPPING=1");
	notify_state(&pair.notify, "READY=1", "");
	receive(pair.fd, text, sizeof(text));
	assert_string_equal(text, "READY=1");
	/* A text must not add assignments of its own. */
	notify_state(&pair.notify, "READY=1", "+ added\nMAINPID=1");
	receive(pair.fd, text, sizeof(text));
	assert_string_equal(text, "READY=1\nSTATUS=+ added");
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(notify_state(&pair.notify, "READY=1", long_text), 0);
	receive(pair.fd, text, sizeof(text));
	assert_int_equal(strlen(text), strlen("READY=1\nSTATUS=") + 200);
	assert_int_equal(notify_send(&pair.notify, "%s", long_text), -EMSGSIZE);
	close_pair(&pair);
}

static void
test_reloading(void **state)
{
	unsigned long long before = mono_now().ns / 1000, told, after;
	struct pair pair;
	char text[2048];

	(void)state;
	open_pair(&pair);
	assert_int_equal(notify_reloading(&pair.notify), 0);
	receive(pair.fd, text, sizeof(text));
	after = mono_now().ns / 1000;
	assert_int_equal(
	    sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=", &told),
	    1);
	assert_true(before <= told && told <= after);
	close_pair(&pair);
}

static void
test_addresses(void **state)
{
	struct notify notify;
	char name[200];

	(void)state;
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_init(&notify), -EAFNOSUPPORT);
	assert_int_equal(notify_send(&notify, "READY=1"), 0);
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(notify_init(&notify), -EAFNOSUPPORT);
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(notify.address.sun_path)] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_init(&notify), -ENAMETOOLONG);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	assert_int_equal(notify_init(&notify), 0);
	assert_int_equal(notify_send(&notify, "READY=1"), -ENOENT);
	notify_fini(&notify);
}

static void
test_watchdog_environment(void **state)
{
	char self[16];
	const struct {
		const char *usec, *pid;
		uint64_t ns;
	} cases[] = {
	    {NULL, NULL, 0},
	    {"30000000", NULL, 30000000000u},
	    {"30000000", self, 30000000000u},
	    {"30000000", "1", 0},
	    {NULL, self, 0},
	    {"", NULL, 0},
	    {"x", NULL, 0},
	    {"-5", NULL, 0},
	    {"5s", NULL, 0},
	    {"18446744073709551615", NULL, 0},
	    {"99999999999999999999", NULL, 0},
	};
	struct notify notify;

	(void)state;
	snprintf(self, sizeof(self), "%ld", (long)getpid());
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		set_watchdog(cases[i].usec, cases[i].pid);
		notify_init(&notify);
		assert_int_equal(notify.watchdog_ns, cases[i].ns);
		assert_null(getenv("WATCHDOG_USEC"));
		assert_null(getenv("WATCHDOG_PID"));
	}
}

static struct mono
fake_clock(void *context)
{
	return *(struct mono *)context;
}

static bool
pinged(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char text[64];

	if (poll(&wait, 1, 0) != 1)
		return false;
	receive(fd, text, sizeof(text));
	assert_string_equal(text, "WATCHDOG=1");
	return true;
}

static void
test_watchdog(void **state)
{
	struct mono now = {1000000000u};
	struct reactor_options options = {
	    .clock = fake_clock, .clock_context = &now};
	struct reactor_owner owner;
	struct reactor *reactor;
	struct pair pair;

	(void)state;
	assert_int_equal(reactor_new(&options, &reactor), 0);
	assert_int_equal(reactor_owner_init(&owner, reactor, "test"), 0);
	set_watchdog("10000000", NULL);
	open_pair(&pair);
	assert_int_equal(notify_watch(&pair.notify, &owner), 0);
	assert_int_equal(owner.timers, 1);
	now.ns += MONO_MS(4999);
	reactor_turn(reactor, 0);
	assert_false(pinged(pair.fd));
	for (int i = 0; i < 3; i++) {
		now.ns += MONO_MS(i == 0 ? 2 : 5000);
		reactor_turn(reactor, 0);
		assert_true(pinged(pair.fd));
		assert_false(pinged(pair.fd));
	}
	/* Nobody asked for pings. */
	reactor_revoke(&owner, true);
	pair.notify.watchdog_ns = 0;
	assert_int_equal(notify_watch(&pair.notify, &owner), 0);
	assert_int_equal(owner.timers, 0);
	close_pair(&pair);
	reactor_owner_fini(&owner);
	reactor_free(reactor);
}

/* One that does not read does not hold the host up for ever. */
static void
test_full(void **state)
{
	struct pair pair;
	int result = 0;

	(void)state;
	open_pair(&pair);
	for (int i = 0; result == 0 && i < 100000; i++)
		result = notify_send(&pair.notify, "WATCHDOG=1");
	assert_int_equal(result, -EAGAIN);
	close_pair(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_silent),
	    cmocka_unit_test(test_messages),
	    cmocka_unit_test(test_restart),
	    cmocka_unit_test(test_state),
	    cmocka_unit_test(test_reloading),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_watchdog_environment),
	    cmocka_unit_test(test_watchdog),
	    cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
