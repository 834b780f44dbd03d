/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues: rows 1 to 7 of the checklist of C++NPv2 6.2, by number.
 *
 * A thread that shall wait is known to wait when the kernel says that it
 * sleeps: no test guesses a time.
 */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stream/stream.h"

static const struct berth_host table = {.messages = &message_calls};
static struct berth_service service = {.host = &table};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)now.tv_nsec;
}

static struct berth_queue *
queue_of(size_t high, size_t low, unsigned flags)
{
	struct berth_queue_options options = {
	    .high_bytes = high,
	    .low_bytes = low,
	    .flags = flags,
	};
	struct berth_queue *queue;

	assert_int_equal(berth_queue_make(&service, &options, &queue), 0);
	return queue;
}

static struct berth_message *
message_of(size_t size, uint32_t priority)
{
	struct berth_message *message = berth_message_make(&service, size);

	assert_non_null(message);
	memset(message->base, 'x', size);
	message->write += size;
	message->priority = priority;
	return message;
}

static void
put(struct berth_queue *queue, size_t size)
{
	assert_int_equal(berth_enqueue(queue, message_of(size, 0),
			     BERTH_QUEUE_TAIL, BERTH_NO_WAIT),
	    0);
}

/* The size of the first message. */
static size_t
get(struct berth_queue *queue)
{
	struct berth_message *message;
	size_t size;

	assert_int_equal(
	    berth_dequeue(queue, BERTH_QUEUE_HEAD, BERTH_NO_WAIT, &message), 0);
	size = berth_message_total(message);
	berth_message_release(message);
	return size;
}

static struct berth_queue_facts
facts(struct berth_queue *queue)
{
	struct berth_queue_facts facts;

	berth_queue_facts(queue, &facts);
	return facts;
}

static int
try_put(struct berth_queue *queue, size_t size, uint64_t deadline)
{
	struct berth_message *message = message_of(size, 0);
	int result = berth_enqueue(queue, message, BERTH_QUEUE_TAIL, deadline);

	if (result != 0)
		berth_message_release(message);
	return result;
}

static int
try_get(struct berth_queue *queue, uint64_t deadline)
{
	struct berth_message *message;
	int result = berth_dequeue(queue, BERTH_QUEUE_HEAD, deadline, &message);

	if (result == 0)
		berth_message_release(message);
	return result;
}

/* --- somebody who waits ----------------------------------------------------*/

struct waiter {
	pthread_t thread;
	struct berth_queue *queue;
	size_t size; /* 0: wants a message */
	uint64_t deadline;
	atomic_int tid;
	atomic_bool done;
	int result;
};

static void *
wait_in_thread(void *arg)
{
	struct waiter *waiter = arg;

	atomic_store(&waiter->tid, (int)syscall(SYS_gettid));
	waiter->result = waiter->size > 0
			     ? try_put(waiter->queue, waiter->size,
				   waiter->deadline)
			     : try_get(waiter->queue, waiter->deadline);
	atomic_store(&waiter->done, true);
	return NULL;
}

static bool
sleeps(int tid)
{
	char path[64], line[512], *after;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (size <= 0)
		return false;
	line[size] = '\0';
	return strtol(line, &after, 10) == SYS_futex && after != line;
}

static void
begin(struct waiter *waiter)
{
	atomic_init(&waiter->tid, 0);
	atomic_init(&waiter->done, false);
	assert_int_equal(
	    pthread_create(&waiter->thread, NULL, wait_in_thread, waiter), 0);
	while (atomic_load(&waiter->tid) == 0 ||
	       !sleeps(atomic_load(&waiter->tid)))
		usleep(200);
	assert_false(atomic_load(&waiter->done));
}

static int
result_of(struct waiter *waiter)
{
	pthread_join(waiter->thread, NULL);
	return waiter->result;
}

/* --- rows ------------------------------------------------------------------*/

/* E1: at the high mark it is taken, beyond it is not. */
static void
test_high_mark(void **state)
{
	static const unsigned kinds[] = {0, BERTH_QUEUE_UNSYNCHRONISED};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct berth_queue *queue = queue_of(100, 50, kinds[i]);

		put(queue, 100);
		put(queue, 500);
		assert_int_equal(facts(queue).bytes, 600);
		assert_int_equal(
		    try_put(queue, 1, BERTH_NO_WAIT), -EWOULDBLOCK);
		assert_int_equal(facts(queue).messages, 2);
		berth_queue_free(queue);
	}
	/* Nothing counts for nothing, and chains count whole. */
	struct berth_queue *queue = queue_of(100, 100, 0);
	struct berth_message *chain = message_of(60, 0);

	chain->cont = message_of(41, 0);
	assert_int_equal(
	    berth_enqueue(queue, chain, BERTH_QUEUE_TAIL, BERTH_NO_WAIT), 0);
	assert_int_equal(try_put(queue, 0, BERTH_NO_WAIT), -EWOULDBLOCK);
	berth_queue_free(queue);
}

/* E1, unsynchronised: it never waits, whatever the deadline says. */
static void
test_unsynchronised(void **state)
{
	struct berth_queue *queue = queue_of(
	    10, 10, BERTH_QUEUE_UNSYNCHRONISED);

	(void)state;
	assert_int_equal(try_get(queue, BERTH_WAIT), -EWOULDBLOCK);
	put(queue, 11);
	assert_int_equal(try_put(queue, 1, BERTH_WAIT), -EWOULDBLOCK);
	assert_int_equal(get(queue), 11);
	put(queue, 1);
	berth_queue_set(queue, BERTH_QUEUE_DEACTIVATED);
	assert_int_equal(try_get(queue, BERTH_NO_WAIT), -ESHUTDOWN);
	berth_queue_free(queue);
}

/* E2: who waits for room goes on at the low mark, not below the high one. */
static void
test_low_mark(void **state)
{
	struct waiter waiter = {.size = 7, .deadline = BERTH_WAIT};

	(void)state;
	waiter.queue = queue_of(100, 20, 0);
	for (int i = 0; i < 11; i++)
		put(waiter.queue, 10);
	begin(&waiter);
	for (int bytes = 110; bytes > 30; bytes -= 10) {
		assert_int_equal(get(waiter.queue), 10);
		assert_false(atomic_load(&waiter.done));
		assert_true(sleeps(atomic_load(&waiter.tid)));
	}
	assert_int_equal(get(waiter.queue), 10);
	assert_int_equal(result_of(&waiter), 0);
	assert_int_equal(facts(waiter.queue).bytes, 27);
	berth_queue_free(waiter.queue);
}

/* Marks may be moved while somebody waits. */
static void
test_moved_marks(void **state)
{
	struct waiter waiter = {.size = 7, .deadline = BERTH_WAIT};

	(void)state;
	waiter.queue = queue_of(10, 10, 0);
	put(waiter.queue, 30);
	begin(&waiter);
	berth_queue_marks(waiter.queue, 40, 100);
	assert_int_equal(result_of(&waiter), 0);
	assert_int_equal(facts(waiter.queue).low_bytes, 40);
	berth_queue_free(waiter.queue);
}

/* E3: deactivating wakes all; nothing is lost. */
static void
test_deactivate(void **state)
{
	struct berth_queue *full = queue_of(10, 10, 0);
	struct berth_queue *hollow = queue_of(10, 10, 0);
	struct waiter waiters[] = {
	    {.queue = full, .size = 1, .deadline = BERTH_WAIT},
	    {.queue = full, .size = 2, .deadline = BERTH_WAIT},
	    {.queue = hollow, .deadline = BERTH_WAIT},
	    {.queue = hollow, .deadline = BERTH_WAIT},
	};

	(void)state;
	put(full, 11);
	for (unsigned i = 0; i < 4; i++)
		begin(&waiters[i]);
	assert_int_equal(berth_queue_set(full, BERTH_QUEUE_DEACTIVATED), 0);
	berth_queue_set(hollow, BERTH_QUEUE_DEACTIVATED);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(result_of(&waiters[i]), -ESHUTDOWN);
	assert_int_equal(try_put(full, 1, BERTH_WAIT), -ESHUTDOWN);
	assert_int_equal(try_get(full, BERTH_WAIT), -ESHUTDOWN);
	assert_int_equal(facts(full).messages, 1);
	assert_int_equal(berth_queue_set(full, BERTH_QUEUE_ACTIVATED),
	    BERTH_QUEUE_DEACTIVATED);
	assert_int_equal(get(full), 11);
	berth_queue_free(full);
	berth_queue_free(hollow);
}

/* E4: a pulse wakes who waits; what is begun later works. */
static void
test_pulse(void **state)
{
	struct waiter waiter = {.deadline = BERTH_WAIT};

	(void)state;
	waiter.queue = queue_of(10, 10, 0);
	begin(&waiter);
	assert_int_equal(berth_queue_set(waiter.queue, BERTH_QUEUE_PULSED), 0);
	assert_int_equal(result_of(&waiter), -ESHUTDOWN);
	assert_int_equal(facts(waiter.queue).state, BERTH_QUEUE_PULSED);
	begin(&waiter);
	put(waiter.queue, 3);
	assert_int_equal(result_of(&waiter), 0);
	berth_queue_free(waiter.queue);
}

static void
count_notify(void *arg)
{
	++*(int *)arg;
}

/* E5: closing releases all and deactivates; flushing releases only. */
static void
test_close_and_flush(void **state)
{
	int notified = 0;
	struct berth_queue_options options = {
	    .notify = count_notify,
	    .arg = &notified,
	};
	struct berth_queue *queue;

	(void)state;
	assert_int_equal(berth_queue_make(&service, &options, &queue), 0);
	assert_int_equal(facts(queue).high_bytes, BERTH_QUEUE_BYTES);
	assert_int_equal(facts(queue).low_bytes, BERTH_QUEUE_BYTES);
	put(queue, 1);
	put(queue, 2);
	assert_int_equal(notified, 2);
	assert_int_equal(berth_queue_flush(queue), 2);
	assert_int_equal(facts(queue).state, BERTH_QUEUE_ACTIVATED);
	assert_int_equal(facts(queue).bytes, 0);
	put(queue, 3);
	assert_int_equal(berth_queue_close(queue), 1);
	assert_int_equal(try_put(queue, 1, BERTH_NO_WAIT), -ESHUTDOWN);
	assert_int_equal(notified, 3);
	berth_queue_free(queue);
	berth_queue_free(NULL);
	options.high_bytes = 10;
	options.low_bytes = 11;
	assert_int_equal(berth_queue_make(&service, &options, &queue), -EINVAL);
}

/* E6: by priority, and among equals as they came. */
static void
test_priority(void **state)
{
	static const uint32_t priorities[] = {1, 5, 1, 9, 5, 0, 9};
	/* Sizes are 1 + the index above. */
	static const size_t order[] = {4, 7, 2, 5, 1, 3, 6};
	struct berth_queue *queue = queue_of(1000, 1000, 0);
	struct berth_message *message;

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(
		    berth_enqueue(queue, message_of(i + 1, priorities[i]),
			BERTH_QUEUE_PRIORITY, BERTH_NO_WAIT),
		    0);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(get(queue), order[i]);
	/* The ends take whatever comes, by its place alone. */
	put(queue, 1);
	assert_int_equal(berth_enqueue(queue, message_of(2, 0),
			     BERTH_QUEUE_HEAD, BERTH_NO_WAIT),
	    0);
	put(queue, 3);
	assert_int_equal(
	    berth_dequeue(queue, BERTH_QUEUE_TAIL, BERTH_NO_WAIT, &message), 0);
	assert_int_equal(berth_message_total(message), 3);
	berth_message_release(message);
	assert_int_equal(get(queue), 2);
	assert_int_equal(get(queue), 1);
	berth_queue_free(queue);
}

/* E7: deadlines are times; none is over before it is. */
static void
test_deadline(void **state)
{
	struct berth_queue *queue = queue_of(10, 10, 0);
	uint64_t deadline = now_ns() + UINT64_C(30000000);

	(void)state;
	assert_int_equal(try_get(queue, deadline), -EWOULDBLOCK);
	assert_true(now_ns() >= deadline);
	put(queue, 11);
	deadline = now_ns() + UINT64_C(30000000);
	assert_int_equal(try_put(queue, 1, deadline), -EWOULDBLOCK);
	assert_true(now_ns() >= deadline);
	/* One that is past long since is never waited for. */
	assert_int_equal(try_put(queue, 1, 1), -EWOULDBLOCK);
	assert_int_equal(get(queue), 11);
	assert_int_equal(try_get(queue, 1), -EWOULDBLOCK);
	assert_int_equal(try_get(queue, BERTH_NO_WAIT), -EWOULDBLOCK);
	berth_queue_free(queue);
}

/* --- many ------------------------------------------------------------------*/

#define CREW 3
#define LOAD 5000

static atomic_ulong sum;

static void *
produce(void *arg)
{
	for (size_t i = 1; i <= LOAD; i++)
		assert_int_equal(try_put(arg, i % 50 + 1, BERTH_WAIT), 0);
	return NULL;
}

static void *
consume(void *arg)
{
	struct berth_message *message;

	while (
	    berth_dequeue(arg, BERTH_QUEUE_HEAD, BERTH_WAIT, &message) == 0) {
		atomic_fetch_add(&sum, berth_message_total(message));
		berth_message_release(message);
	}
	return NULL;
}

static void
test_crowd(void **state)
{
	struct berth_queue *queue = queue_of(200, 100, 0);
	pthread_t producers[CREW], consumers[CREW];
	unsigned long expected = 0;

	(void)state;
	for (size_t i = 1; i <= LOAD; i++)
		expected += CREW * (i % 50 + 1);
	for (int i = 0; i < CREW; i++) {
		pthread_create(&consumers[i], NULL, consume, queue);
		pthread_create(&producers[i], NULL, produce, queue);
	}
	for (int i = 0; i < CREW; i++)
		pthread_join(producers[i], NULL);
	while (facts(queue).messages > 0)
		usleep(200);
	berth_queue_set(queue, BERTH_QUEUE_DEACTIVATED);
	for (int i = 0; i < CREW; i++)
		pthread_join(consumers[i], NULL);
	assert_int_equal(atomic_load(&sum), expected);
	assert_int_equal(facts(queue).bytes, 0);
	berth_queue_free(queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_high_mark),
	    cmocka_unit_test(test_unsynchronised),
	    cmocka_unit_test(test_low_mark),
	    cmocka_unit_test(test_moved_marks),
	    cmocka_unit_test(test_deactivate),
	    cmocka_unit_test(test_pulse),
	    cmocka_unit_test(test_close_and_flush),
	    cmocka_unit_test(test_priority),
	    cmocka_unit_test(test_deadline),
	    cmocka_unit_test(test_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
