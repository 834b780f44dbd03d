/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The accept loop and its consumers.
 */
#include "unit/net_bed.h"

#include <sys/resource.h>

struct taker {
	struct listener_consumer consumer;
	int fds[512];
	unsigned count;
	unsigned limit; /* ready() says no from here on */
	unsigned asked;
	unsigned readable;
	struct listener *drop; /* the reference goes at the first connection */
	struct taker *next;    /* the listener goes to it, too */
};

static struct taker *
taker_of(struct listener_consumer *consumer)
{
	return BASE_CONTAINER(consumer, struct taker, consumer);
}

static int
take(struct listener_consumer *consumer, struct listener *listener, int fd)
{
	struct taker *taker = taker_of(consumer);

	assert_true(taker->count < BASE_COUNT(taker->fds));
	taker->fds[taker->count++] = fd;
	if (taker->next != NULL)
		listener_attach(listener, &taker->next->consumer);
	if (taker->drop != NULL) {
		listener_detach(listener, consumer);
		taker->drop = listener_unref(taker->drop);
	}
	return 0;
}

static int
read_one(struct listener_consumer *consumer, struct listener *listener, int fd)
{
	struct taker *taker = taker_of(consumer);
	char byte;

	(void)listener;
	taker->readable++;
	return recv(fd, &byte, 1, 0) >= 0;
}

static bool
is_ready(struct listener_consumer *consumer)
{
	struct taker *taker = taker_of(consumer);

	taker->asked++;
	return taker->limit == 0 || taker->count < taker->limit;
}

static const struct listener_consumer_type taker_type = {
    .accepted = take, .readable = read_one, .ready = is_ready};

static void
taker_init(struct taker *taker, const char *name)
{
	memset(taker, 0, sizeof(*taker));
	taker->consumer.type = &taker_type;
	taker->consumer.name = name;
}

static void
taker_fini(struct taker *taker)
{
	while (taker->count > 0)
		close(taker->fds[--taker->count]);
}

struct wish {
	struct taker *taker;
	unsigned count;
};

static bool
has_taken(void *context)
{
	struct wish *wish = context;

	return wish->taker->count >= wish->count;
}

static void
until_taken(struct bed *bed, struct taker *taker, unsigned count)
{
	struct wish wish = {taker, count};

	bed_until(bed, has_taken, &wish);
}

static void
connect_many(struct listener *listener, int *clients, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		clients[i] = bed_connect(listener);
}

static void
close_many(int *clients, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		close(clients[i]);
}

static void
test_R_ACC_2_accepted_is_cloexec_and_nonblock(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:127.0.0.1:0");
	struct taker taker;
	int client = bed_connect(listener);

	taker_init(&taker, "a");
	listener_attach(listener, &taker.consumer);
	until_taken(bed, &taker, 1);
	assert_true(fcntl(taker.fds[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(taker.fds[0], F_GETFL) & O_NONBLOCK);
	close(client);
	taker_fini(&taker);
	listener_detach(listener, &taker.consumer);
	listener_unref(listener);
}

static void
test_R_ACC_1_reset_before_accept(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:127.0.0.1:0");
	struct taker taker;
	int client;

	bed_reset(bed_connect(listener));
	client = bed_connect(listener);
	taker_init(&taker, "a");
	listener_attach(listener, &taker.consumer);
	/* The first comes or does not, as the kernel has it; the second does.
	 */
	until_taken(bed, &taker, 1);
	bed_settle(bed);
	assert_true(send(client, "x", 1, MSG_NOSIGNAL) == 1);
	assert_true(taker.count >= 1 && taker.count <= 2);
	close(client);
	taker_fini(&taker);
	listener_detach(listener, &taker.consumer);
	listener_unref(listener);
}

static unsigned
occurrences(const struct bed *bed, const char *what)
{
	const char *at = text_string(&bed->lines);
	unsigned count = 0;

	while ((at = strstr(at, what)) != NULL) {
		count++;
		at++;
	}
	return count;
}

static unsigned
highest_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* Numbers are given from the lowest: below it all are taken. */
	close(fd);
	return (unsigned)fd;
}

static bool
said_once(void *context)
{
	return occurrences(context, "cannot accept on") == 1;
}

static void
test_R_ACC_3_no_descriptor_left(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:127.0.0.1:0");
	struct rlimit before, none;
	struct taker taker;
	uint64_t begun = mono_now().ns;
	int clients[3], i;

	connect_many(listener, clients, 3);
	taker_init(&taker, "a");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = highest_descriptor();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	listener_attach(listener, &taker.consumer);
	bed_until(bed, said_once, bed);
	/* Several tries, one line; no spin: after 20 ms, and 40 more. */
	for (i = 0; i < 4; i++)
		assert_int_equal(reactor_turn(bed->reactor, MONO_MS(5000)), 1);
	assert_true(mono_now().ns - begun >= MONO_MS(60));
	assert_true(taker.asked >= 3);
	assert_int_equal(taker.count, 0);
	assert_true(said_once(bed));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	until_taken(bed, &taker, 3);
	assert_int_equal(occurrences(bed, "there is room again"), 1);
	close_many(clients, 3);
	taker_fini(&taker);
	listener_detach(listener, &taker.consumer);
	listener_unref(listener);
}

static void
test_R_ACC_3_two_listeners_starve(void **state)
{
	struct bed *bed = *state;
	struct listener *a = bed_listen(bed, "unix:@berth-a");
	struct listener *b = bed_listen(bed, "unix:@berth-b");
	struct rlimit before, none;
	struct taker taker;
	int clients[2] = {bed_connect(a), bed_connect(b)};

	taker_init(&taker, "a");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = highest_descriptor();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	listener_attach(a, &taker.consumer);
	listener_attach(b, &taker.consumer);
	bed_until(bed, said_once, bed);
	bed_settle(bed);
	assert_true(said_once(bed));
	/* One of them goes away while it waits. */
	listener_detach(a, &taker.consumer);
	listener_unref(a);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	until_taken(bed, &taker, 1);
	assert_int_equal(occurrences(bed, "there is room again"), 1);
	close_many(clients, 2);
	taker_fini(&taker);
	listener_detach(b, &taker.consumer);
	listener_unref(b);
}

static void
test_fairness_budget(void **state)
{
	struct bed *bed = *state;
	struct listener *busy = bed_listen(bed, "tcp:127.0.0.1:0");
	struct listener *calm = bed_listen(bed, "unix:@berth-calm");
	static int clients[200];
	struct taker many, one;
	int client;

	bed->settings.backlog = 512;
	listener_tune(busy, &bed->settings);
	connect_many(busy, clients, 200);
	client = bed_connect(calm);
	taker_init(&many, "many");
	taker_init(&one, "one");
	listener_attach(busy, &many.consumer);
	listener_attach(calm, &one.consumer);
	/* A turn serves both; the busy one has its budget in it. */
	assert_true(reactor_turn(bed->reactor, MONO_MS(1000)) > 0);
	assert_int_equal(one.count, 1);
	assert_int_equal(many.count, 64);
	assert_true(reactor_turn(bed->reactor, MONO_MS(1000)) > 0);
	assert_int_equal(many.count, 128);
	until_taken(bed, &many, 200);
	close_many(clients, 200);
	close(client);
	taker_fini(&many);
	taker_fini(&one);
	listener_detach(busy, &many.consumer);
	listener_detach(calm, &one.consumer);
	listener_unref(busy);
	listener_unref(calm);
}

static void
test_clients_wait_without_a_consumer(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:127.0.0.1:0");
	int client = bed_connect(listener);
	struct taker taker;

	/* Nobody is there: not even a turn is spent on it. */
	assert_int_equal(reactor_turn(bed->reactor, 0), 0);
	taker_init(&taker, "a");
	listener_attach(listener, &taker.consumer);
	until_taken(bed, &taker, 1);
	close(client);
	client = bed_connect(listener);
	listener_pause(listener);
	assert_int_equal(reactor_turn(bed->reactor, 0), 0);
	listener_resume(listener);
	until_taken(bed, &taker, 2);
	close(client);
	taker_fini(&taker);
	listener_detach(listener, &taker.consumer);
	listener_unref(listener);
}

static void
test_consumer_switch(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:127.0.0.1:0");
	int fd = listener_fd(listener), clients[3];
	struct taker old, new;

	taker_init(&old, "old");
	taker_init(&new, "new");
	old.next = &new;
	listener_attach(listener, &old.consumer);
	connect_many(listener, clients, 3);
	/* It changes hands in the middle of a batch. */
	until_taken(bed, &new, 2);
	assert_int_equal(old.count, 1);
	assert_int_equal(listener_fd(listener), fd);
	assert_ptr_equal(listener_consumer(listener), &new.consumer);
	/* Whoever was displaced has no say any more. */
	listener_detach(listener, &old.consumer);
	assert_ptr_equal(listener_consumer(listener), &new.consumer);
	close_many(clients, 3);
	taker_fini(&old);
	taker_fini(&new);
	listener_detach(listener, &new.consumer);
	listener_unref(listener);
}

static void
test_last_reference_dropped_inside(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:127.0.0.1:0");
	struct taker taker;
	int clients[2];

	taker_init(&taker, "a");
	taker.drop = listener;
	listener_attach(listener, &taker.consumer);
	connect_many(listener, clients, 2);
	until_taken(bed, &taker, 1);
	bed_settle(bed);
	assert_int_equal(taker.count, 1);
	close_many(clients, 2);
	taker_fini(&taker);
}

static void
test_ready_says_no(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:127.0.0.1:0");
	struct taker taker;
	int clients[3];

	taker_init(&taker, "a");
	taker.limit = 2;
	listener_attach(listener, &taker.consumer);
	connect_many(listener, clients, 3);
	until_taken(bed, &taker, 2);
	bed_settle(bed);
	assert_int_equal(taker.count, 2);
	assert_int_equal(reactor_turn(bed->reactor, 0), 0);
	taker.limit = 3;
	listener_resume(listener);
	until_taken(bed, &taker, 3);
	close_many(clients, 3);
	taker_fini(&taker);
	listener_detach(listener, &taker.consumer);
	listener_unref(listener);
}

static void
test_datagram_is_the_consumers(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "udp:127.0.0.1:0");
	struct taker taker;
	int client = bed_connect(listener);

	taker_init(&taker, "a");
	listener_attach(listener, &taker.consumer);
	assert_int_equal(send(client, "a", 1, 0), 1);
	assert_int_equal(send(client, "b", 1, 0), 1);
	bed_settle(bed);
	/* Two that came, one that did not. */
	assert_int_equal(taker.readable, 3);
	close(client);
	listener_detach(listener, &taker.consumer);
	listener_unref(listener);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_R_ACC_1_reset_before_accept),
	    TEST(test_R_ACC_2_accepted_is_cloexec_and_nonblock),
	    TEST(test_R_ACC_3_no_descriptor_left),
	    TEST(test_R_ACC_3_two_listeners_starve),
	    TEST(test_fairness_budget),
	    TEST(test_clients_wait_without_a_consumer),
	    TEST(test_consumer_switch),
	    TEST(test_last_reference_dropped_inside),
	    TEST(test_ready_says_no),
	    TEST(test_datagram_is_the_consumers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
