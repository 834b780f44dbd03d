/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of a relay against a model: a list of numbers, each of which is a
 * record.  Whatever is put, sent, lost, acknowledged and spooled, what leaves
 * is every record, in order.
 */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logging/client.h"

#define TEXT_MOST 6000u

static char folder[] = "/tmp/berth-queue-XXXXXX";
static char path[64];

struct bed {
	struct queue queue;
	uint32_t put;	  /* records that it took */
	uint32_t arrived; /* that were acknowledged */
};

static size_t
text_size(uint32_t number)
{
	return 4 + number * 2654435761u % TEXT_MOST;
}

static size_t
make(uint32_t number, char *buffer)
{
	static char text[TEXT_MOST + 4];
	struct record record = {
	    .form = number & 3, .text = text, .pid = (int32_t)number};
	size_t size = 0;

	record.text_size = (uint32_t)text_size(number);
	memset(text, 'x', record.text_size);
	assert_int_equal(record_encode(&record, buffer, RECORD_MOST, &size), 0);
	return size;
}

static int
put(struct bed *bed)
{
	char buffer[RECORD_MOST];
	size_t size = make(bed->put, buffer);
	int result = queue_put(&bed->queue, buffer, size);

	if (result == 0)
		bed->put++;
	return result;
}

/* The records in memory are those from arrived on. */
static void
check(const struct bed *bed)
{
	const struct queue *queue = &bed->queue;
	uint32_t number = bed->arrived;
	size_t size;

	assert_true(queue->head <= queue->sent && queue->sent <= queue->tail);
	assert_true(queue->tail <= queue->room && queue->room <= queue->most);
	assert_true(queue->spool_size <= queue->spool_most);
	for (size_t at = queue->head; at < queue->tail; at += size) {
		struct record record;

		assert_int_equal(record_measure(queue->data + at,
				     queue->tail - at, RECORD_MOST, &size),
		    0);
		assert_int_equal(
		    record_decode(queue->data + at, size, &record), 0);
		assert_int_equal(record.pid, (int32_t)number);
		number++;
	}
	assert_true(number <= bed->put);
}

static void
start(struct bed *bed, int with_spool)
{
	memset(bed, 0, sizeof(*bed));
	bed->queue.most = 256u << 10;
	bed->queue.spool_most = 1u << 20;
	bed->queue.fd = -1;
	bed->queue.path = with_spool ? path : NULL;
	assert_int_equal(queue_open(&bed->queue), 0);
}

/* Acknowledges all that was sent; the number of records. */
static void
arrive(struct bed *bed)
{
	struct queue *queue = &bed->queue;
	uint32_t count = 0;
	size_t size;

	for (size_t at = queue->head; at < queue->sent; at += size) {
		assert_int_equal(record_measure(queue->data + at,
				     queue->tail - at, RECORD_MOST, &size),
		    0);
		if (at + size > queue->sent)
			break;
		count++;
	}
	if (count > 0)
		count = 1 + (uint32_t)random() % count;
	queue_arrived(queue, count);
	bed->arrived += count;
}

static void
step(struct bed *bed)
{
	struct queue *queue = &bed->queue;
	size_t unsent;

	switch (random() % 8) {
	case 0:
		queue->sent = queue->head; /* the connection broke */
		return;
	case 1:
	case 2:
		arrive(bed);
		return;
	case 3:
		assert_int_equal(queue_refill(queue), 0);
		return;
	case 4:
		unsent = queue->tail - queue->sent;
		if (unsent > 0)
			queue->sent += 1 + (size_t)random() % unsent;
		return;
	default:
		put(bed);
		return;
	}
}

static void
drain(struct bed *bed)
{
	struct queue *queue = &bed->queue;

	while (bed->arrived < bed->put) {
		assert_int_equal(queue_refill(queue), 0);
		queue->sent = queue->tail;
		check(bed);
		arrive(bed);
	}
	assert_int_equal(queue->head, queue->tail);
	assert_true(queue->spool_size == 0);
}

static void
test_against_a_model(void **state)
{
	(void)state;
	for (int with_spool = 0; with_spool < 2; with_spool++) {
		struct bed bed;

		srandom(7);
		start(&bed, with_spool);
		for (int i = 0; i < 20000; i++) {
			step(&bed);
			check(&bed);
		}
		drain(&bed);
		assert_true(bed.put > 2000);
		assert_true(queue_close(&bed.queue) == 0);
	}
}

/* Memory, then the spool, then no more; and all of it comes out again. */
static void
test_full(void **state)
{
	struct bed bed;

	(void)state;
	start(&bed, 1);
	while (put(&bed) == 0)
		continue;
	assert_int_equal(put(&bed), -ENOSPC);
	assert_true(bed.queue.spool_size > bed.queue.spool_most - RECORD_MOST);
	assert_true(bed.queue.tail > bed.queue.most - RECORD_MOST);
	drain(&bed);
	assert_int_equal(put(&bed), 0);
	drain(&bed);
	queue_close(&bed.queue);
}

static void
test_saved(void **state)
{
	struct bed bed;
	struct queue *queue = &bed.queue;
	uint32_t put_before;
	int fd;

	(void)state;
	start(&bed, 1);
	while (put(&bed) == 0)
		continue;
	queue->sent = queue->tail / 2;
	arrive(&bed);
	put_before = bed.put;
	assert_true(queue_close(queue) == 0);
	/* A part of a record behind it, as after a crash. */
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0 && write(fd, "\1\0\0\0\x30\0\0\0abc", 11) == 11);
	close(fd);
	{
		uint32_t arrived = bed.arrived;

		start(&bed, 1);
		queue->spool_most = 4u << 20;
		bed.arrived = arrived;
		bed.put = put_before;
	}
	assert_int_equal(put(&bed), 0);
	drain(&bed);
	queue_close(queue);
}

static void
test_window(void **state)
{
	struct bed bed;
	struct queue *queue = &bed.queue;

	(void)state;
	start(&bed, 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(put(&bed), 0);
	queue_trim(queue, 0);
	assert_int_equal(queue->head, 0); /* nothing is sent yet */
	queue->sent = queue->tail - 1;
	queue_trim(queue, 10000);
	assert_true(queue->sent - queue->head <= 10000);
	assert_true(queue->sent - queue->head > 10000 - RECORD_MOST / 8);
	queue_trim(queue, 0);
	/* The last is not all sent, and stays. */
	assert_true(queue->tail - queue->head > 28);
	queue->sent = queue->tail;
	queue_trim(queue, 0);
	assert_int_equal(queue->head, queue->tail);
	assert_true(queue_close(queue) == 0);
}

static void
test_lost_without_a_spool(void **state)
{
	struct bed bed;
	char buffer[RECORD_MOST];

	(void)state;
	start(&bed, 0);
	assert_int_equal(put(&bed), 0);
	assert_true(queue_close(&bed.queue) == (int64_t)make(0, buffer));
}

static void
test_in_use(void **state)
{
	struct bed bed, other;

	(void)state;
	start(&bed, 1);
	other = bed;
	assert_int_equal(queue_open(&other.queue), -EBUSY);
	close(other.queue.fd);
	queue_close(&bed.queue);
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/spool", folder);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_against_a_model),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_saved),
	    cmocka_unit_test(test_window),
	    cmocka_unit_test(test_lost_without_a_spool),
	    cmocka_unit_test(test_in_use),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
