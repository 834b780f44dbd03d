/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connectors: the six rows of C++NPv2's table, delays that double, names,
 * cancelling, and who owns what.
 */
#include "unit/net_bed.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "session/connector.h"

#define HOUR_NS UINT64_C(3600000000000)
#define CALLS_MOST 32

struct stage {
	struct bed *bed;
	struct reactor_owner owner;
	struct names *names;
	struct connectors connectors;
	struct berth_connector *connector;
	/* What the hooks were told. */
	int fds[CALLS_MOST], errors[CALLS_MOST];
	uint64_t delays[CALLS_MOST];
	unsigned connected, failed;
	int answer;    /* of the connected hook */
	bool ends;     /* the hooks end the connector */
	char full[64]; /* an endpoint that does not answer */
	int full_fd, waiting[64];
	unsigned waits;
};

/* Questions wait while it is shut.  The threads that were asked may look at it
 * when the stage is gone. */
static atomic_bool gate;

/* --- what the host would have ----------------------------------------------*/

static struct access_prefix
prefix_of(const char *text)
{
	struct access_entry entry;

	assert_null(access_parse(text, &entry));
	return entry.prefix;
}

static int
find_addresses(void *context, const char *name, struct access_prefix *prefixes,
    unsigned *ret_count)
{
	(void)context;
	while (atomic_load(&gate))
		poll(NULL, 0, 1);
	if (strcmp(name, "two.test") != 0 && strcmp(name, "one.test") != 0)
		return strcmp(name, "none.test") == 0 ? -ENOENT : -EAGAIN;
	prefixes[0] = prefix_of("::1");
	prefixes[1] = prefix_of("127.0.0.1");
	*ret_count = 2;
	return 0;
}

static int
find_name(void *context, const struct access_prefix *address,
    char name[NAMES_TEXT_MAX])
{
	(void)context;
	(void)address;
	(void)name;
	return -ENOENT;
}

/* The backlog is full: whoever comes is not answered. */
static void
make_full(struct stage *stage)
{
	struct sockaddr_in where = {.sin_family = AF_INET};
	socklen_t size = sizeof(where);
	void *any = &where;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd wait = {.events = POLLOUT};

	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, any, size), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, any, &size), 0);
	stage->full_fd = fd;
	snprintf(stage->full, sizeof(stage->full), "tcp:127.0.0.1:%u",
	    ntohs(where.sin_port));
	do {
		assert_true(stage->waits < 64);
		wait.fd = socket(
		    AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		stage->waiting[stage->waits++] = wait.fd;
		assert_int_equal(connect(wait.fd, any, size), -1);
	} while (poll(&wait, 1, 300) == 1);
}

static int
setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct names_resolver resolver = {find_addresses, find_name, stage};
	void *bed;

	if (stage == NULL || bed_setup_ahead(&bed) != 0)
		return -1;
	stage->bed = bed;
	stage->full_fd = -1;
	assert_int_equal(
	    reactor_owner_init(&stage->owner, stage->bed->reactor, "test"), 0);
	assert_int_equal(
	    names_new(stage->bed->reactor, &resolver, &stage->names), 0);
	connectors_init(&stage->connectors, &stage->owner, stage->names);
	*state = stage;
	return 0;
}

static int
teardown(void **state)
{
	struct stage *stage = *state;
	void *bed = stage->bed;

	connectors_fini(&stage->connectors);
	assert_int_equal(stage->owner.descriptors, 0);
	assert_int_equal(stage->owner.timers, 0);
	atomic_store(&gate, false);
	names_free(stage->names);
	reactor_owner_fini(&stage->owner);
	for (unsigned i = 0; i < stage->connected; i++)
		if (stage->fds[i] >= 0)
			close(stage->fds[i]);
	while (stage->waits > 0)
		close(stage->waiting[--stage->waits]);
	if (stage->full_fd >= 0)
		close(stage->full_fd);
	free(stage);
	return bed_teardown(&bed);
}

/* --- hooks
 * ------------------------------------------------------------------*/

static void
end(struct stage *stage)
{
	stage->connector = connector_free(stage->connector);
}

static int
on_connected(void *arg, int fd)
{
	struct stage *stage = arg;

	assert_true(stage->connected < CALLS_MOST);
	stage->fds[stage->connected++] = stage->answer < 0 ? -1 : fd;
	if (stage->ends)
		end(stage);
	return stage->answer;
}

static void
on_failed(void *arg, int error, uint64_t again_ns)
{
	struct stage *stage = arg;

	assert_true(stage->failed < CALLS_MOST);
	stage->errors[stage->failed] = error;
	stage->delays[stage->failed++] = again_ns;
	if (stage->ends)
		end(stage);
}

static struct berth_connect_options
options_to(struct stage *stage, const char *to)
{
	return (struct berth_connect_options){
	    .to = to,
	    .timeout_ns = HOUR_NS,
	    .connected = on_connected,
	    .failed = on_failed,
	    .arg = stage,
	};
}

static void
start(struct stage *stage, const struct berth_connect_options *options)
{
	unsigned told = stage->connected + stage->failed;

	assert_int_equal(
	    connector_new(&stage->connectors, options, &stage->connector), 0);
	/* Nobody is told inside the call. */
	assert_int_equal(stage->connected + stage->failed, told);
}

static bool
is_told(void *context)
{
	const struct stage *stage = context;

	return stage->connected + stage->failed > 0;
}

static int
outcome(struct stage *stage, const struct berth_connect_options *options)
{
	int result;

	stage->failed = 0;
	start(stage, options);
	bed_until(stage->bed, is_told, stage);
	result = stage->failed > 0 ? stage->errors[0] : 0;
	end(stage);
	if (stage->failed == 0)
		close(stage->fds[--stage->connected]);
	return result;
}

static const char *
dead_port(struct stage *stage)
{
	static char word[64];
	struct sockaddr_in where = {.sin_family = AF_INET};
	socklen_t size = sizeof(where);
	void *any = &where;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, any, size), 0);
	assert_int_equal(getsockname(fd, any, &size), 0);
	snprintf(word, sizeof(word), "tcp:127.0.0.1:%u", ntohs(where.sin_port));
	/* It stays bound, to be nobody else's, and never listens. */
	stage->waiting[stage->waits++] = fd;
	return word;
}

/* --- the six rows -----------------------------------------------------------
 * Checklist E, row 18: not at once, by who waits and for how long.
 */

static void
rows_of_the_loop(void **state)
{
	struct stage *stage = *state;
	struct berth_connect_options options;

	make_full(stage);
	options = options_to(stage, stage->full);
	options.timeout_ns = BERTH_CONNECT_AT_ONCE;
	assert_int_equal(outcome(stage, &options), -EWOULDBLOCK);

	options.timeout_ns = HOUR_NS;
	stage->failed = 0;
	start(stage, &options);
	bed_settle(stage->bed);
	assert_int_equal(stage->failed, 0);
	stage->bed->ahead_ns += HOUR_NS - MONO_MS(60000);
	bed_settle(stage->bed);
	assert_int_equal(stage->failed, 0);
	stage->bed->ahead_ns += MONO_MS(60001);
	bed_until(stage->bed, is_told, stage);
	assert_int_equal(stage->errors[0], -ETIME);
	end(stage);

	options.timeout_ns = BERTH_CONNECT_FOREVER;
	stage->failed = 0;
	start(stage, &options);
	bed_settle(stage->bed);
	stage->bed->ahead_ns += 1000 * HOUR_NS;
	bed_settle(stage->bed);
	assert_int_equal(stage->connected + stage->failed, 0);
	end(stage);
}

struct waiting {
	struct berth_connect_options options;
	int stop_fd;
	int result;
};

static void *
wait_there(void *arg)
{
	struct waiting *waiting = arg;

	waiting->result = connector_wait(
	    &waiting->options, false, waiting->stop_fd);
	return NULL;
}

static void
rows_of_a_thread(void **state)
{
	struct stage *stage = *state;
	struct berth_connect_options options;
	struct waiting waiting = {.stop_fd = eventfd(0, EFD_CLOEXEC)};
	const uint64_t one = 1;
	pthread_t thread;

	make_full(stage);
	options = options_to(stage, stage->full);
	options.timeout_ns = BERTH_CONNECT_AT_ONCE;
	assert_int_equal(connector_wait(&options, true, -1), -EWOULDBLOCK);
	assert_int_equal(connector_wait(&options, false, -1), -EWOULDBLOCK);
	options.timeout_ns = MONO_MS(20);
	assert_int_equal(connector_wait(&options, false, -1), -ETIME);
	/* The loop can't wait. */
	assert_int_equal(connector_wait(&options, true, -1), -EPERM);

	options.timeout_ns = BERTH_CONNECT_FOREVER;
	waiting.options = options;
	assert_int_equal(
	    pthread_create(&thread, NULL, wait_there, &waiting), 0);
	assert_true(write(waiting.stop_fd, &one, sizeof(one)) > 0);
	pthread_join(thread, NULL);
	assert_int_equal(waiting.result, -ECANCELED);
	close(waiting.stop_fd);
}

/* What is settled at once takes no heed of the time. */
static void
at_once(void **state)
{
	struct stage *stage = *state;
	struct berth_connect_options options = options_to(
	    stage, "unix:/nonexistent/socket");
	struct listener *listener = bed_listen(
	    stage->bed, bed_path(stage->bed, "unix:", "it"));
	static const uint64_t times[] = {
	    BERTH_CONNECT_AT_ONCE, HOUR_NS, BERTH_CONNECT_FOREVER};

	for (unsigned i = 0; i < 3; i++) {
		options.timeout_ns = times[i];
		options.to = "unix:/nonexistent/socket";
		assert_int_equal(outcome(stage, &options), -ENOENT);
		assert_int_equal(connector_wait(&options, false, -1), -ENOENT);
		options.to = listener_text(listener);
		assert_int_equal(outcome(stage, &options), 0);
		close(connector_wait(&options, false, -1));
	}
	listener_unref(listener);
}

static void
over_tcp(void **state)
{
	struct stage *stage = *state;
	struct listener *listener = bed_listen(stage->bed, "tcp4:127.0.0.1:0");
	struct berth_connect_options options = options_to(
	    stage, listener_text(listener));
	struct sockaddr_in mine = {.sin_family = AF_UNSPEC};
	socklen_t size = sizeof(mine);
	void *any = &mine;
	int fd;

	options.from = "tcp:127.0.0.9:0";
	start(stage, &options);
	bed_until(stage->bed, is_told, stage);
	assert_int_equal(stage->connected, 1);
	fd = stage->fds[0];
	assert_int_equal(getsockname(fd, any, &size), 0);
	assert_int_equal(ntohl(mine.sin_addr.s_addr), 0x7f000009);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	/* It is ours now: the connector's end does not close it. */
	end(stage);
	assert_int_equal(getsockname(fd, any, &size), 0);
	fd = connector_wait(&options, false, -1);
	assert_true(fd >= 0);
	close(fd);
	listener_unref(listener);
}

/* --- again and again
 * --------------------------------------------------------*/

static bool
has_given_up(void *context)
{
	const struct stage *stage = context;

	return stage->failed > 0 && stage->delays[stage->failed - 1] == 0;
}

static void
delays_double(void **state)
{
	static const uint64_t wanted[] = {1, 2, 4, 5, 5, 0};
	struct stage *stage = *state;
	struct berth_connect_options options = options_to(
	    stage, dead_port(stage));

	options.retry_ns = MONO_MS(1);
	options.retry_most_ns = MONO_MS(5);
	options.attempts = 6;
	for (unsigned turn = 0; turn < 2; turn++) {
		stage->failed = 0;
		if (turn == 0)
			start(stage, &options);
		else
			assert_int_equal(connector_again(stage->connector), 0);
		bed_until(stage->bed, has_given_up, stage);
		assert_int_equal(stage->failed, 6);
		for (unsigned i = 0; i < 6; i++) {
			assert_int_equal(stage->errors[i], -ECONNREFUSED);
			assert_int_equal(stage->delays[i], MONO_MS(wanted[i]));
		}
		/* Nothing more comes of it. */
		bed_settle(stage->bed);
		assert_int_equal(stage->failed, 6);
	}
}

static bool
is_twice(void *context)
{
	const struct stage *stage = context;

	return stage->connected == 2;
}

static void
lost_and_made_again(void **state)
{
	struct stage *stage = *state;
	struct listener *listener = bed_listen(
	    stage->bed, bed_path(stage->bed, "unix:", "it"));
	struct berth_connect_options options = options_to(
	    stage, listener_text(listener));

	options.retry_ns = HOUR_NS;
	start(stage, &options);
	bed_until(stage->bed, is_told, stage);
	assert_int_equal(connector_again(stage->connector), 0);
	assert_int_equal(connector_again(stage->connector), 0);
	bed_settle(stage->bed);
	assert_int_equal(stage->connected, 1); /* the delay is not over */
	stage->bed->ahead_ns += HOUR_NS + 1;
	bed_until(stage->bed, is_twice, stage);
	listener_unref(listener);
}

/* A hook that says no: the host closes, and it was a failure. */
static void
refused_by_the_hook(void **state)
{
	struct stage *stage = *state;
	struct listener *listener = bed_listen(
	    stage->bed, bed_path(stage->bed, "unix:", "it"));
	struct berth_connect_options options = options_to(
	    stage, listener_text(listener));
	int before = bed_count_descriptors();

	stage->answer = -EACCES;
	options.retry_ns = MONO_MS(1);
	options.retry_most_ns = MONO_MS(9);
	options.attempts = 3;
	start(stage, &options);
	bed_until(stage->bed, has_given_up, stage);
	assert_int_equal(stage->failed, 3);
	assert_int_equal(stage->errors[2], -EACCES);
	assert_int_equal(stage->delays[1], MONO_MS(2));
	assert_int_equal(bed_count_descriptors(), before);
	listener_unref(listener);
}

/* --- names
 * ------------------------------------------------------------------*/

/* The first address does not serve, the second does. */
static void
every_address_of_a_name(void **state)
{
	struct stage *stage = *state;
	struct listener *listener = bed_listen(stage->bed, "tcp4:127.0.0.1:0");
	char word[64];
	struct berth_connect_options options = options_to(stage, word);

	snprintf(word, sizeof(word), "tcp:two.test:%u", bed_port(listener));
	assert_int_equal(outcome(stage, &options), 0);
	snprintf(word, sizeof(word), "tcp4:one.test:%u", bed_port(listener));
	assert_int_equal(outcome(stage, &options), 0);
	snprintf(word, sizeof(word), "tcp6:one.test:%u", bed_port(listener));
	assert_true(outcome(stage, &options) < 0);
	listener_unref(listener);
}

static void
names_that_there_are_not(void **state)
{
	struct stage *stage = *state;
	struct berth_connect_options options = options_to(
	    stage, "tcp:none.test:7");

	assert_int_equal(outcome(stage, &options), -ENXIO);
	options.to = "tcp:broken.test:7";
	assert_int_equal(outcome(stage, &options), -EHOSTUNREACH);
	options.to = "tcp:other.test:7";
	options.timeout_ns = BERTH_CONNECT_AT_ONCE;
	assert_int_equal(outcome(stage, &options), -EWOULDBLOCK);
	assert_int_equal(connector_wait(&options, true, -1), -EWOULDBLOCK);
	stage->connectors.names = NULL;
	assert_int_equal(outcome(stage, &options), -EHOSTUNREACH);
}

static void
a_name_that_takes_long(void **state)
{
	struct stage *stage = *state;
	struct berth_connect_options options = options_to(
	    stage, "tcp:one.test:7");

	atomic_store(&gate, true);
	options.timeout_ns = MONO_MS(2000);
	start(stage, &options);
	bed_settle(stage->bed);
	stage->bed->ahead_ns += MONO_MS(2001);
	bed_until(stage->bed, is_told, stage);
	assert_int_equal(stage->errors[0], -ETIME);
	end(stage);
	stage->failed = 0;
	/* One that is ended while it asks. */
	start(stage, &options);
	bed_settle(stage->bed);
	end(stage);
	atomic_store(&gate, false);
	bed_settle(stage->bed);
	assert_false(is_told(stage));
}

/* --- its end
 * ----------------------------------------------------------------*/

/* Checklist E, row 17: who cancels is told nothing, and nothing is left. */
static void
cancelled(void **state)
{
	struct stage *stage = *state;
	struct berth_connect_options options;
	int before;

	make_full(stage);
	before = bed_count_descriptors();
	options = options_to(stage, stage->full);
	options.retry_ns = HOUR_NS;
	start(stage, &options);
	end(stage); /* before it began */
	start(stage, &options);
	bed_settle(stage->bed);
	assert_int_equal(bed_count_descriptors(), before + 1);
	end(stage);
	assert_int_equal(bed_count_descriptors(), before);
	options.to = dead_port(stage);
	before++;
	start(stage, &options);
	bed_until(stage->bed, is_told, stage);
	end(stage); /* while it waits */
	stage->bed->ahead_ns += 2 * HOUR_NS;
	bed_settle(stage->bed);
	assert_int_equal(stage->failed, 1);
	assert_int_equal(stage->connected, 0);
	assert_int_equal(bed_count_descriptors(), before);
	assert_null(connector_free(NULL));
}

static void
ended_by_its_hooks(void **state)
{
	struct stage *stage = *state;
	struct listener *listener = bed_listen(
	    stage->bed, bed_path(stage->bed, "unix:", "it"));
	struct berth_connect_options options = options_to(
	    stage, listener_text(listener));

	stage->ends = true;
	options.retry_ns = MONO_MS(1);
	start(stage, &options);
	bed_until(stage->bed, is_told, stage);
	assert_null(stage->connector);
	stage->connected = 0;
	close(stage->fds[0]);
	stage->answer = -EACCES; /* it ends, and says no as well */
	start(stage, &options);
	bed_until(stage->bed, is_told, stage);
	bed_settle(stage->bed);
	assert_int_equal(stage->connected, 1);
	assert_int_equal(stage->failed, 0);
	stage->connected = 0;
	options.to = "unix:/nonexistent/socket";
	start(stage, &options);
	bed_until(stage->bed, is_told, stage);
	bed_settle(stage->bed);
	assert_int_equal(stage->failed, 1);
	listener_unref(listener);
}

static void
ended_with_its_service(void **state)
{
	struct stage *stage = *state;
	struct berth_connect_options options;

	make_full(stage);
	options = options_to(stage, stage->full);
	for (unsigned i = 0; i < 10; i++)
		start(stage, &options);
	bed_settle(stage->bed);
	assert_int_equal(stage->owner.descriptors, 10);
	assert_int_equal(connectors_fini(&stage->connectors), 10);
	assert_int_equal(stage->owner.descriptors, 0);
	assert_int_equal(connectors_fini(&stage->connectors), 0);
	assert_false(is_told(stage));
}

static void
mistakes(void **state)
{
	static const char *const words[] = {NULL, "", "nonsense",
	    "tcp:127.0.0.1", "tcp:*:7", "tcp:127.0.0.1:no-such-port", "unix:"};
	struct stage *stage = *state;
	struct berth_connect_options options = options_to(stage, NULL);
	struct berth_connector *connector = NULL;

	for (unsigned i = 0; i < BASE_COUNT(words); i++) {
		options.to = words[i];
		assert_int_equal(
		    connector_new(&stage->connectors, &options, &connector),
		    -EINVAL);
		assert_int_equal(connector_wait(&options, false, -1), -EINVAL);
	}
	options.to = "tcp:127.0.0.1:7";
	options.from = "tcp:localhost:0";
	assert_int_equal(
	    connector_new(&stage->connectors, &options, &connector), -EINVAL);
	options.from = NULL;
	options.connected = NULL;
	assert_int_equal(
	    connector_new(&stage->connectors, &options, &connector), -EINVAL);
	assert_null(connector);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(rows_of_the_loop),
	    CASE(rows_of_a_thread),
	    CASE(at_once),
	    CASE(over_tcp),
	    CASE(delays_double),
	    CASE(lost_and_made_again),
	    CASE(refused_by_the_hook),
	    CASE(every_address_of_a_name),
	    CASE(names_that_there_are_not),
	    CASE(a_name_that_takes_long),
	    CASE(cancelled),
	    CASE(ended_by_its_hooks),
	    CASE(ended_with_its_service),
	    CASE(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
