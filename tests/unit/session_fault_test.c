/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation and every system call of net and session is made to fail in
 * turn, the first, the second, … until nothing failed any more.  What cannot
 * be had is said with its error and leaves nothing behind; what fails while
 * clients are served costs at most the client whom it hit, and the next one is
 * served.
 */
#include "unit/fault.h"
#include "unit/session_bed.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/stat.h>

FAULT(void *, reallocarray, (void *old, size_t n, size_t size), (old, n, size),
    ENOMEM, NULL);
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL);
FAULT(
    char *, getcwd, (char *buffer, size_t size), (buffer, size), ENOMEM, NULL);
FAULT(int, socket, (int family, int type, int protocol),
    (family, type, protocol), EMFILE, -1);
FAULT(int, bind, (int fd, const struct sockaddr *address, socklen_t size),
    (fd, address, size), EACCES, -1);
FAULT(int, listen, (int fd, int backlog), (fd, backlog), EADDRINUSE, -1);
FAULT(int, accept4,
    (int fd, struct sockaddr *address, socklen_t *size, int flags),
    (fd, address, size, flags), ENFILE, -1);
FAULT(int, setsockopt,
    (int fd, int level, int name, const void *value, socklen_t size),
    (fd, level, name, value, size), ENOPROTOOPT, -1);
FAULT(int, getsockname, (int fd, struct sockaddr *address, socklen_t *size),
    (fd, address, size), ENOBUFS, -1);
FAULT(int, lstat, (const char *path, struct stat *status), (path, status),
    EACCES, -1);
FAULT(int, chmod, (const char *path, mode_t mode), (path, mode), EPERM, -1);
FAULT(int, fchmod, (int fd, mode_t mode), (fd, mode), EPERM, -1);
FAULT(ssize_t, recv, (int fd, void *room, size_t size, int flags),
    (fd, room, size, flags), ECONNRESET, -1);
FAULT(ssize_t, send, (int fd, const void *data, size_t size, int flags),
    (fd, data, size, flags), EPIPE, -1);
FAULT(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags),
    (fd, message, flags), ECONNREFUSED, -1);
FAULT(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
    (fd, message, flags), ECONNREFUSED, -1);

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

/* --- the service: an echo that ends at `q` ---------------------------------*/

static int
echo_until_q(struct berth_session *session, struct berth_bytes in)
{
	int taken = berth_write(session, in);

	if (memchr(in.data, 'q', in.size) != NULL)
		berth_close(session);
	return taken;
}

static int
echo_datagram(struct berth_session *session, struct berth_bytes in)
{
	berth_write(session, in);
	return 0;
}

static const struct berth_session_type type = {
    .input = echo_until_q, .datagram = echo_datagram};

/* What the test itself does is not to fail. */
static int
spare(void)
{
	int was = countdown;

	countdown = 0;
	return was;
}

/* --- making ----------------------------------------------------------------*/

static int
add(struct stage *stage, const char *word)
{
	struct listener *listener;
	int result = bed_try_listen(stage->bed, word, &listener);

	if (result != 0)
		return result;
	result = server_add_listener(stage->server, listener);
	if (result != 0)
		listener_unref(listener);
	return result;
}

static int
make(struct stage *stage, const char *path)
{
	const struct server_options options = {
	    .owner = &stage->owner,
	    .service = &stage->service,
	    .type = &type,
	    .settings = &stage->bed->settings,
	    .listeners = stage->bed->listeners,
	};
	int result = server_new(&options, &stage->server);

	if (result == 0)
		result = add(stage, "tcp:127.0.0.1:0");
	if (result == 0)
		result = add(stage, path);
	if (result == 0)
		result = add(stage, "udp4:*:0");
	return result;
}

/* --- serving ---------------------------------------------------------------*/

/* Turns, of which none may fail for good, while the client has no word. */
static ssize_t
wait_for(struct stage *stage, int client, char *room, size_t size)
{
	uint64_t end = mono_now().ns + MONO_MS(30000);
	ssize_t got;
	int was;

	for (;;) {
		was = spare();
		got = recv(client, room, size, 0);
		if (mono_now().ns > end)
			fail_msg("the client heard nothing");
		countdown = was;
		if (got >= 0 || errno != EAGAIN)
			return got;
		reactor_turn(stage->bed->reactor, MONO_MS(1));
	}
}

/* A word, its echo, the end.  False: the connection broke. */
static bool
talk(struct stage *stage, unsigned listener)
{
	char word[64];
	ssize_t got;
	int client, was = spare();

	client = bed_connect(server_listener(stage->server, listener));
	send(client, "word", 4, MSG_NOSIGNAL);
	countdown = was;
	got = wait_for(stage, client, word, sizeof(word));
	if (got == 4) {
		was = spare();
		send(client, "q", 1, MSG_NOSIGNAL);
		countdown = was;
		got = wait_for(stage, client, word, 1);
		if (got == 1)
			got = wait_for(stage, client, word, 1);
		else
			got = -1;
	} else {
		got = -1;
	}
	close(client);
	return got == 0;
}

/* Much, and nothing read before all is stuck.  False: the connection broke. */
static bool
talk_much(struct stage *stage)
{
	static char block[65536], room[65536];
	size_t sent = 0, received = 0;
	ssize_t size;
	int client, was = spare(), quiet = 0;

	client = bed_connect(server_listener(stage->server, 1));
	while (quiet < 3) {
		countdown = 0;
		size = send(client, block, sizeof(block), MSG_NOSIGNAL);
		countdown = was;
		if (size > 0)
			sent += (size_t)size;
		quiet = reactor_turn(stage->bed->reactor, MONO_MS(1)) <= 0 &&
				size <= 0
			    ? quiet + 1
			    : 0;
		was = countdown;
	}
	while (received < sent) {
		size = wait_for(stage, client, room, sizeof(room));
		if (size <= 0)
			break;
		received += (size_t)size;
	}
	close(client);
	return received == sent;
}

/* Datagrams may be lost; one of a few is answered. */
static void
talk_datagram(struct stage *stage)
{
	struct listener *listener = server_listener(stage->server, 2);
	struct sockaddr_storage address;
	void *any = &address;
	socklen_t size;
	char word[16];
	int client, was = spare(), i;
	ssize_t got = -1;

	client = bed_datagram_client(listener, NULL);
	bed_address(listener, &address, &size);
	for (i = 0; i < 3 && got < 0; i++) {
		was = countdown;
		countdown = 0;
		sendto(client, "word", 4, 0, any, size);
		countdown = was;
		reactor_turn(stage->bed->reactor, MONO_MS(100));
		was = spare();
		got = recv(client, word, sizeof(word), 0);
		countdown = was;
	}
	close(client);
	assert_int_equal(got, 4);
}

static void
serve(struct stage *stage)
{
	unsigned broken = 0;

	server_accept(stage->server, true);
	broken += talk(stage, 0) ? 0 : 1;
	broken += talk(stage, 1) ? 0 : 1;
	broken += talk_much(stage) ? 0 : 1;
	talk_datagram(stage);
	/* One call failed: one client at most has felt it. */
	assert_true(broken <= 1);
	assert_true(talk(stage, 0));
}

static bool
is_over(void *context)
{
	return stage_counters(context)->sessions_active == 0;
}

/* True: nothing failed any more. */
static bool
play(struct stage *stage, int n)
{
	const char *path = bed_path(stage->bed, "unix:", "fault");
	struct stat status;
	int before = bed_count_descriptors(), result;

	failed = false;
	countdown = n;
	result = make(stage, path);
	if (result == 0)
		serve(stage);
	else
		assert_true(failed);
	countdown = 0;
	if (stage->server != NULL) {
		server_drain(stage->server, 0);
		bed_until(stage->bed, is_over, stage);
		stage->server = server_free(stage->server);
	}
	bed_settle(stage->bed);
	assert_int_equal(bed_count_descriptors(), before);
	assert_int_equal(stage->owner.timers, 0);
	/* A path whose identity could not be looked at is left behind. */
	if (stat(strchr(path, ':') + 1, &status) == 0)
		unlink(strchr(path, ':') + 1);
	return !failed;
}

static void
test_every_call_fails_once(void **state)
{
	struct stage *stage = *state;
	int n;

	stage->bed->settings.linger_ms = 100;
	stage->bed->settings.idle_timeout_ms = 3600000;
	for (n = 1; !play(stage, n); n++)
		assert_true(n < 1000);
	/* It is about something. */
	assert_true(n > 50);
}

static int
bound_socket(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	void *any = &address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, any, sizeof(address)), 0);
	return fd;
}

static void
test_adoption_fails(void **state)
{
	struct stage *stage = *state;
	int n, result, before = bed_count_descriptors();

	for (n = 1;; n++) {
		int fd = bound_socket();

		failed = false;
		countdown = n;
		result = listeners_adopt(stage->bed->listeners, fd);
		countdown = 0;
		if (result == 0)
			break;
		assert_true(failed);
		assert_int_equal(bed_count_descriptors(), before);
	}
	assert_true(n > 2);
}

static void
test_registry_fails(void **state)
{
	struct stage *stage = *state;
	struct listeners *listeners;
	int n, result;

	for (n = 1;; n++) {
		failed = false;
		countdown = n;
		result = listeners_new(stage->bed->reactor, NULL, &listeners);
		countdown = 0;
		if (result == 0)
			break;
		assert_int_equal(result, -ENOMEM);
	}
	listeners_free(listeners);
	assert_true(n > 2);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_every_call_fails_once),
	    TEST(test_adoption_fails),
	    TEST(test_registry_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
