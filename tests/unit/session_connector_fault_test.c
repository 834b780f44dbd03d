/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation and every system call of a connector is made to fail in
 * turn, the first, the second, … until nothing failed any more.  Each attempt
 * ends in one hook, or in the result of the call, and leaves nothing behind.
 */
#include "unit/fault.h"
#include "unit/net_bed.h"

#include <poll.h>
#include <sys/epoll.h>

#include "session/connector.h"

FAULT(int, socket, (int family, int type, int protocol),
    (family, type, protocol), EMFILE, -1);
FAULT(int, connect, (int fd, const struct sockaddr *address, socklen_t size),
    (fd, address, size), ENETUNREACH, -1);
FAULT(int, bind, (int fd, const struct sockaddr *address, socklen_t size),
    (fd, address, size), EADDRNOTAVAIL, -1);
FAULT(int, setsockopt,
    (int fd, int level, int name, const void *value, socklen_t size),
    (fd, level, name, value, size), ENOPROTOOPT, -1);
FAULT(int, getsockopt,
    (int fd, int level, int name, void *value, socklen_t *size),
    (fd, level, name, value, size), ENOTSOCK, -1);

/* Only an addition can fail: it needs memory. */
int __real_epoll_ctl(int set, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int set, int op, int fd, struct epoll_event *event);
int
__wrap_epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
	if (op == EPOLL_CTL_ADD && fails(ENOSPC))
		return -1;
	return __real_epoll_ctl(set, op, fd, event);
}

struct outcome {
	unsigned told;
	int fd;
	int error;
};

static int
on_connected(void *arg, int fd)
{
	struct outcome *outcome = arg;

	outcome->told++;
	outcome->fd = fd;
	return 0;
}

static void
on_failed(void *arg, int error, uint64_t again_ns)
{
	struct outcome *outcome = arg;

	(void)again_ns;
	outcome->told++;
	outcome->error = error;
}

static bool
is_told(void *arg)
{
	const struct outcome *outcome = arg;

	return outcome->told > 0;
}

/* Result of the call, or what the hook was told. */
static int
attempt(struct bed *bed, const char *to, const char *from)
{
	struct outcome outcome = {.fd = -1};
	struct berth_connect_options options = {.to = to,
	    .from = from,
	    .timeout_ns = MONO_MS(60000),
	    .connected = on_connected,
	    .failed = on_failed,
	    .arg = &outcome};
	struct reactor_owner owner;
	struct connectors connectors;
	struct berth_connector *connector = NULL;
	int result = reactor_owner_init(&owner, bed->reactor, "test");

	if (result != 0)
		return result;
	connectors_init(&connectors, &owner, NULL);
	result = connector_new(&connectors, &options, &connector);
	if (result == 0) {
		bed_until(bed, is_told, &outcome);
		assert_int_equal(outcome.told, 1);
		assert_true((outcome.fd >= 0) != (outcome.error < 0));
		result = outcome.error;
	}
	fd_close(&outcome.fd);
	connectors_fini(&connectors);
	assert_int_equal(owner.descriptors, 0);
	assert_int_equal(owner.timers, 0);
	reactor_owner_fini(&owner);
	bed_settle(bed);
	return result;
}

static int
attempt_here(struct bed *bed, const char *to, const char *from)
{
	struct berth_connect_options options = {
	    .to = to, .from = from, .timeout_ns = MONO_MS(60000)};
	int fd = connector_wait(&options, false, -1);

	(void)bed;
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

typedef int(attempt_fn)(struct bed *, const char *to, const char *from);

static void
walk(struct bed *bed, attempt_fn *one, const char *to, const char *from)
{
	int before = bed_count_descriptors();
	unsigned failures = 0;

	for (int n = 1;; n++) {
		int result;

		failed = false;
		countdown = n;
		result = one(bed, to, from);
		countdown = 0;
		assert_int_equal(bed_count_descriptors(), before);
		if (!failed) {
			assert_int_equal(result, 0);
			break;
		}
		assert_true(result <= 0);
		failures += result < 0;
	}
	assert_true(failures > 2);
}

static void
every_step(void **state)
{
	struct bed *bed = *state;
	struct listener *tcp = bed_listen(bed, "tcp4:127.0.0.1:0");
	struct listener *local = bed_listen(bed, bed_path(bed, "unix:", "it"));

	walk(bed, attempt, listener_text(tcp), "tcp:127.0.0.1:0");
	walk(bed, attempt, listener_text(local), NULL);
	walk(bed, attempt_here, listener_text(tcp), "tcp:127.0.0.1:0");
	walk(bed, attempt_here, listener_text(local), NULL);
	listener_unref(tcp);
	listener_unref(local);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		every_step, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
