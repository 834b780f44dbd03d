/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages: windows, sharing, lenders, room.
 */
#include "unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "stream/stream.h"

static const struct berth_host table = {.messages = &message_calls};
static struct berth_service service = {.host = &table};

static void
assert_bytes(const struct berth_message *message, const char *expected)
{
	assert_int_equal(berth_message_length(message), strlen(expected));
	assert_memory_equal(message->read, expected, strlen(expected));
}

static struct berth_message *
of(const char *text)
{
	struct berth_message *message = berth_message_make(&service, 4);

	assert_non_null(message);
	assert_int_equal(berth_message_add(message, berth_str(text)), 0);
	return message;
}

static void
test_window(void **state)
{
	struct berth_message *message = berth_message_make(&service, 8);

	(void)state;
	assert_int_equal(message->type, BERTH_MB_DATA);
	assert_int_equal(message->size, 8);
	assert_int_equal(berth_message_length(message), 0);
	assert_int_equal(berth_message_space(message), 8);
	assert_int_equal(berth_message_add(message, berth_str("abcdef")), 0);
	assert_int_equal(berth_message_space(message), 2);
	message->read += 4;
	assert_bytes(message, "ef");
	/* What was read makes way; no new memory. */
	assert_int_equal(berth_message_reserve(message, 6), 0);
	assert_int_equal(message->size, 8);
	assert_ptr_equal(message->read, message->base);
	assert_bytes(message, "ef");
	assert_int_equal(berth_message_add(message, berth_str("0123456")), 0);
	assert_true(message->size > 8);
	assert_bytes(message, "ef0123456");
	berth_message_reset(message);
	assert_int_equal(berth_message_length(message), 0);
	assert_int_equal(berth_message_space(message), message->size);
	assert_int_equal(berth_message_reserve(message, SIZE_MAX), -ENOMEM);
	berth_message_release(message);
	berth_message_release(NULL);
	assert_null(berth_message_make(&service, SIZE_MAX - 8));
}

static void
test_chain(void **state)
{
	struct berth_message *head = of("head "), *copy, *twin;

	(void)state;
	head->type = BERTH_MB_USER;
	head->priority = 7;
	head->cont = of("body ");
	head->cont->cont = of("tail");
	assert_int_equal(berth_message_total(head), 14);
	twin = berth_message_duplicate(head);
	copy = berth_message_clone(head);
	assert_int_equal(berth_message_total(twin), 14);
	assert_int_equal(twin->type, BERTH_MB_USER);
	assert_int_equal(twin->priority, 7);
	assert_int_equal(copy->type, BERTH_MB_USER);
	assert_int_equal(copy->priority, 7);
	assert_ptr_equal(twin->cont->base, head->cont->base);
	assert_ptr_not_equal(copy->cont->base, head->cont->base);
	/* Windows are each one's own. */
	twin->cont->read += 2;
	assert_bytes(head->cont, "body ");
	assert_bytes(twin->cont, "dy ");
	berth_message_release(head);
	assert_bytes(twin->cont, "dy ");
	assert_bytes(twin->cont->cont, "tail");
	berth_message_release(twin);
	assert_bytes(copy->cont->cont, "tail");
	berth_message_release(copy);
}

/* Who writes is alone: sharers never see it. */
static void
test_writing_parts(void **state)
{
	struct berth_message *first = of("shared"), *second;

	(void)state;
	second = berth_message_duplicate(first);
	assert_int_equal(berth_message_add(first, berth_str("+1")), 0);
	assert_int_equal(berth_message_add(second, berth_str("+2")), 0);
	assert_bytes(first, "shared+1");
	assert_bytes(second, "shared+2");
	assert_ptr_not_equal(first->base, second->base);
	berth_message_release(first);
	assert_int_equal(berth_message_add(second, berth_str("!")), 0);
	assert_bytes(second, "shared+2!");
	berth_message_release(second);
}

static void
count_return(void *arg, void *data)
{
	int *count = arg;

	assert_string_equal(data, "borrowed");
	++*count;
}

static void
test_lender(void **state)
{
	char memory[] = "borrowed";
	struct berth_message *message, *twin;
	int count = 0;

	(void)state;
	message = berth_message_borrow(
	    &service, memory, 8, count_return, &count);
	twin = berth_message_duplicate(message);
	assert_ptr_equal(twin->read, memory);
	berth_message_release(message);
	assert_int_equal(count, 0);
	/* Borrowed memory is not written to. */
	assert_int_equal(berth_message_add(twin, berth_str("!")), 0);
	assert_int_equal(count, 1);
	assert_bytes(twin, "borrowed!");
	assert_string_equal(memory, "borrowed");
	berth_message_release(twin);
	assert_int_equal(count, 1);
	message = berth_message_borrow(&service, memory, 8, NULL, NULL);
	berth_message_release(message);
}

#define THREADS 4
#define ROUNDS 20000

static atomic_int returns;
static char shared_byte[1];

static void
return_shared(void *arg, void *data)
{
	(void)arg;
	(void)data;
	atomic_fetch_add(&returns, 1);
}

static void *
share_and_release(void *arg)
{
	struct berth_message *mine = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct berth_message *twin = berth_message_duplicate(mine);

		assert_non_null(twin);
		berth_message_release(mine);
		mine = twin;
	}
	berth_message_release(mine);
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t threads[THREADS];
	struct berth_message *message;

	(void)state;
	message = berth_message_borrow(
	    &service, shared_byte, 1, return_shared, NULL);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, share_and_release,
			berth_message_duplicate(message)),
		    0);
	berth_message_release(message);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&returns), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_window),
	    cmocka_unit_test(test_chain),
	    cmocka_unit_test(test_writing_parts),
	    cmocka_unit_test(test_lender),
	    cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
