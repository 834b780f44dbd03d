/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules and streams: rows 21 to 23 of the checklist of C++NPv2 chapter 9,
 * flow control, and changes while messages are on their way.
 */
#include "unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/stream.h"

static const struct berth_host table = {
    .messages = &message_calls,
    .streams = &stream_calls,
};
static struct berth_service service = {.host = &table};

/* What happened, in order: "+name" opened, "-name" closed. */
static char trace[512];

static void
note(const char *what, const char *name)
{
	strcat(strcat(strcat(trace, what), name), " ");
}

static struct berth_service
named(const char *name)
{
	return (struct berth_service){.host = &table, .name = name};
}

/* --- modules ---------------------------------------------------------------*/

static int
open_noted(struct berth_side *side)
{
	note("+", side->module->name);
	return strcmp(side->module->name, "broken") == 0 ? -EPROTO : 0;
}

static void
close_noted(struct berth_side *side)
{
	note("-", side->module->name);
}

/* Adds the module's name to what goes by. */
static int
put_signed(struct berth_side *side, struct berth_message *m, uint64_t deadline)
{
	assert_int_equal(
	    berth_message_add(m, berth_str(side->module->name)), 0);
	return berth_put_next(side, m, deadline);
}

static const struct berth_module_type both_ways = {
    .down = {.open = open_noted, .close = close_noted, .put = put_signed},
    .up = {.put = put_signed},
};

static const struct berth_module_type down_only = {
    .down = {.open = open_noted, .close = close_noted, .put = put_signed},
};

static const struct berth_module_type neither = {.layer_size = 8};

static int
put_back(struct berth_side *side, struct berth_message *m, uint64_t deadline)
{
	return berth_reply(side, m, deadline);
}

static const struct berth_module_type mirror = {.down = {.put = put_back}};

/* Serves its queue; a BERTH_MB_STOP goes on and ends it. */
static void
serve(struct berth_side *side)
{
	struct berth_message *m;
	bool stop = false;

	while (!stop && berth_getq(side, &m, BERTH_WAIT) == 0) {
		stop = m->type == BERTH_MB_STOP;
		if (berth_put_next(side, m, BERTH_WAIT) != 0)
			berth_message_release(m);
	}
}

static const struct berth_module_type active = {
    .down = {.svc = serve, .high_bytes = 64},
};

static const struct berth_module_type crew = {
    .down = {.svc = serve, .threads = 4},
};

/* --- helpers ---------------------------------------------------------------*/

static struct stream *
new_stream(unsigned flags)
{
	struct berth_stream_options options = {.flags = flags};
	struct stream *stream;

	trace[0] = '\0';
	assert_int_equal(stream_new(&options, &stream), 0);
	return stream;
}

static void
push(struct stream *stream, const struct berth_module_type *type,
    struct berth_service *module)
{
	assert_int_equal(stream_push(stream, type, module), 0);
}

static struct berth_message *
text(const char *words)
{
	struct berth_message *m = berth_message_make(&service, 16);

	assert_non_null(m);
	assert_int_equal(berth_message_add(m, berth_str(words)), 0);
	return m;
}

static struct berth_message *
of_type(uint32_t type)
{
	struct berth_message *m = text("");

	m->type = type;
	return m;
}

static void
assert_got(struct stream *stream, const char *expected)
{
	struct berth_message *m;

	assert_int_equal(
	    berth_stream_get(stream_public(stream), &m, BERTH_NO_WAIT), 0);
	assert_int_equal(berth_message_length(m), strlen(expected));
	assert_memory_equal(m->read, expected, strlen(expected));
	berth_message_release(m);
}

/* --- rows ------------------------------------------------------------------*/

/* E21: opened on push, closed on pop; what nobody claims is released; a side
 * that is missing passes on. */
static void
test_life(void **state)
{
	static const unsigned kinds[] = {0, BERTH_STREAM_UNSYNCHRONISED};
	struct berth_service a = named("a"), b = named("b"), n = named("n");

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct stream *stream = new_stream(kinds[i]);
		struct berth_stream *public = stream_public(stream);

		push(stream, &both_ways, &a);
		push(stream, &neither, &n);
		push(stream, &down_only, &b);
		assert_string_equal(trace, "+a +b ");
		assert_string_equal(berth_stream_name(public, 0), "b");
		assert_string_equal(berth_stream_name(public, 1), "n");
		assert_string_equal(berth_stream_name(public, 2), "a");
		assert_null(berth_stream_name(public, 3));
		assert_int_equal(
		    berth_stream_put(public, text("x"), BERTH_NO_WAIT), 0);
		assert_int_equal(
		    berth_stream_feed(public, text("x"), BERTH_NO_WAIT), 0);
		assert_got(stream, "xa");
		assert_int_equal(stream_pop(stream, BERTH_NO_WAIT), 0);
		assert_string_equal(trace, "+a +b -b ");
		stream_free(stream);
		assert_string_equal(trace, "+a +b -b -a ");
	}
}

/* A control message that nobody answers comes back; a flush empties the
 * head. */
static void
test_ends(void **state)
{
	struct berth_service a = named("a"), r = named("r");
	struct stream *stream = new_stream(0);
	struct berth_stream *public = stream_public(stream);
	struct berth_message *m;

	(void)state;
	push(stream, &mirror, &r);
	push(stream, &both_ways, &a);
	assert_int_equal(berth_stream_put(public, text("."), BERTH_WAIT), 0);
	assert_got(stream, ".aa");
	assert_int_equal(stream_pop(stream, BERTH_NO_WAIT), 0);
	assert_int_equal(stream_pop(stream, BERTH_NO_WAIT), 0);
	assert_int_equal(stream_pop(stream, BERTH_NO_WAIT), -ENOENT);
	assert_int_equal(
	    berth_stream_put(public, of_type(BERTH_MB_CONTROL), BERTH_WAIT), 0);
	assert_int_equal(berth_stream_get(public, &m, BERTH_NO_WAIT), 0);
	assert_int_equal(m->type, BERTH_MB_CONTROL);
	berth_message_release(m);
	assert_int_equal(berth_stream_feed(public, text("1"), BERTH_WAIT), 0);
	assert_int_equal(
	    berth_stream_feed(public, of_type(BERTH_MB_FLUSH), BERTH_WAIT), 0);
	assert_int_equal(
	    berth_stream_get(public, &m, BERTH_NO_WAIT), -EWOULDBLOCK);
	stream_free(stream);
}

static void
test_link(void **state)
{
	struct berth_service a = named("a"), b = named("b");
	struct stream *one = new_stream(0), *two = new_stream(0);

	(void)state;
	push(one, &both_ways, &a);
	push(two, &both_ways, &b);
	assert_int_equal(
	    berth_stream_link(stream_public(one), stream_public(two)), 0);
	assert_int_equal(
	    berth_stream_link(stream_public(two), stream_public(one)), -EBUSY);
	assert_int_equal(
	    berth_stream_put(stream_public(one), text("."), BERTH_WAIT), 0);
	assert_got(two, ".ab");
	assert_int_equal(
	    berth_stream_put(stream_public(two), text("."), BERTH_WAIT), 0);
	assert_got(one, ".ba");
	berth_stream_unlink(stream_public(two));
	assert_int_equal(
	    berth_stream_put(stream_public(one), text("."), BERTH_WAIT), 0);
	stream_free(one);
	stream_free(two);
}

/* E22: a stop goes through every module and ends the active ones. */
static void
test_stop(void **state)
{
	struct berth_service a = named("a"), b = named("b"), c = named("c");
	struct stream *stream = new_stream(0);
	struct berth_stream *public = stream_public(stream);

	(void)state;
	push(stream, &mirror, &c);
	push(stream, &active, &b);
	push(stream, &both_ways, &c);
	push(stream, &active, &a);
	assert_int_equal(
	    berth_stream_wait(public, BERTH_NO_WAIT), -EWOULDBLOCK);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
		    berth_stream_put(public, text("."), BERTH_WAIT), 0);
	assert_int_equal(
	    berth_stream_put(public, of_type(BERTH_MB_STOP), BERTH_WAIT), 0);
	assert_int_equal(berth_stream_wait(public, BERTH_WAIT), 0);
	for (int i = 0; i < 100; i++)
		assert_got(stream, ".cc");
	stream_free(stream);
}

/* E23: what does not open is not there, and leaves nothing. */
static void
test_half_open(void **state)
{
	static const struct berth_module_type up_fails = {
	    .down = {.svc = serve, .close = close_noted, .threads = 3},
	    .up = {.open = open_noted, .put = put_signed},
	};
	struct berth_service broken = named("broken");
	struct stream *stream = new_stream(0);

	(void)state;
	assert_int_equal(stream_push(stream, &up_fails, &broken), -EPROTO);
	assert_string_equal(trace, "+broken -broken ");
	assert_null(stream_first(stream));
	stream_free(stream);
	/* On the loop no side may have threads. */
	stream = new_stream(BERTH_STREAM_UNSYNCHRONISED);
	assert_int_equal(stream_push(stream, &active, &broken), -ENOTSUP);
	stream_free(stream);
}

/* --- flow control ----------------------------------------------------------*/

static atomic_bool stuck;

static int
put_when_free(
    struct berth_side *side, struct berth_message *m, uint64_t deadline)
{
	while (atomic_load(&stuck))
		usleep(200);
	return berth_put_next(side, m, deadline);
}

static const struct berth_module_type valve = {.down = {.put = put_when_free}};

static atomic_int room;

static int
put_asking(struct berth_side *side, struct berth_message *m, uint64_t deadline)
{
	atomic_store(&room, berth_can_put(side));
	return berth_put_next(side, m, deadline);
}

static const struct berth_module_type asking = {.down = {.put = put_asking}};

/* Puts until there is no room; how many were taken. */
static int
fill(struct berth_stream *stream)
{
	struct berth_message *m = text("0123456789");
	int sent = 0;

	while (berth_stream_put(stream, m, BERTH_NO_WAIT) == 0) {
		m = text("0123456789");
		sent++;
	}
	berth_message_release(m);
	return sent;
}

/* A module that does not get on holds up those before it, down to the sender;
 * nothing is lost. */
static void
test_flow(void **state)
{
	struct berth_service a = named("a"), v = named("v"), r = named("r");
	struct stream *stream = new_stream(0);
	struct berth_stream *public = stream_public(stream);
	struct berth_message *m;
	int sent;

	(void)state;
	push(stream, &mirror, &r);
	push(stream, &valve, &v);
	push(stream, &active, &a);
	push(stream, &asking, &v);
	atomic_store(&stuck, true);
	sent = fill(public);
	/* 64 bytes in the queue of `active`, and one in its hands. */
	assert_in_range(sent, 7, 8);
	assert_int_equal(atomic_load(&room), 0);
	assert_int_equal(
	    stream_still_layer(layer_next(stream_first(stream)), 1),
	    -EWOULDBLOCK);
	atomic_store(&stuck, false);
	while (sent-- > 0) {
		assert_int_equal(berth_stream_get(public, &m, BERTH_WAIT), 0);
		berth_message_release(m);
	}
	stream_free(stream);
}

/* Takes two, puts the second and then the first back, and serves all. */
static void
serve_after_all(struct berth_side *side)
{
	struct berth_message *first, *second;
	struct berth_queue_facts facts;

	if (berth_getq(side, &first, BERTH_WAIT) != 0 ||
	    berth_getq(side, &second, BERTH_WAIT) != 0)
		return;
	/* Others have filled the queue meanwhile. */
	do
		berth_queue_facts(berth_side_queue(side), &facts);
	while (facts.bytes <= facts.high_bytes);
	assert_int_equal(berth_ungetq(side, second), 0);
	assert_int_equal(berth_ungetq(side, first), 0);
	serve(side);
}

static const struct berth_module_type hesitant = {
    .down = {.svc = serve_after_all, .high_bytes = 3},
};

/* What is put back comes first again, and the marks are no matter. */
static void
test_put_back(void **state)
{
	struct berth_service h = named("h"), r = named("r");
	struct stream *stream = new_stream(0);
	struct berth_stream *public = stream_public(stream);
	struct berth_message *m;

	(void)state;
	push(stream, &mirror, &r);
	push(stream, &hesitant, &h);
	for (char word[] = "0"; word[0] <= '9'; word[0]++)
		assert_int_equal(
		    berth_stream_put(public, text(word), BERTH_WAIT), 0);
	for (char digit = '0'; digit <= '9'; digit++) {
		assert_int_equal(berth_stream_get(public, &m, BERTH_WAIT), 0);
		assert_int_equal(*m->read, digit);
		berth_message_release(m);
	}
	stream_free(stream);
}

/* --- changes under load ----------------------------------------------------*/

#define CHANGES 1000

struct load {
	struct berth_stream *stream;
	atomic_bool stop;
	atomic_ullong sent;
	uint64_t next;	 /* that the tail expects */
	uint64_t strays; /* lost, doubled, or out of order */
};

static int
count_at_tail(void *arg, struct berth_message *m, uint64_t deadline)
{
	struct load *load = arg;
	uint64_t number;

	(void)deadline;
	assert_int_equal(berth_message_length(m), sizeof(number));
	memcpy(&number, m->read, sizeof(number));
	if (number != load->next)
		load->strays++;
	load->next = number + 1;
	berth_message_release(m);
	return 0;
}

static void *
send_numbers(void *arg)
{
	struct load *load = arg;

	for (uint64_t number = 0; !atomic_load(&load->stop); number++) {
		struct berth_message *m = berth_message_make(&service, 8);

		assert_non_null(m);
		assert_int_equal(
		    berth_message_add(m, berth_bytes(&number, sizeof(number))),
		    0);
		assert_int_equal(
		    berth_stream_put(load->stream, m, BERTH_WAIT), 0);
		atomic_store(&load->sent, number + 1);
	}
	return NULL;
}

/* Until something has been sent since. */
static void
await_traffic(struct load *load)
{
	uint64_t before = atomic_load(&load->sent);

	while (atomic_load(&load->sent) < before + 2)
		sched_yield();
}

static int
put_on(struct berth_side *side, struct berth_message *m, uint64_t deadline)
{
	return berth_put_next(side, m, deadline);
}

static const struct berth_module_type passive = {
    .down = {.put = put_on},
    .up = {.put = put_on},
};

static void
change(struct stream *stream, unsigned number, struct berth_service *module)
{
	const struct berth_module_type *type = number % 2 == 0 ? &passive
							       : &active;
	struct layer *layer, *old = layer_next(stream_first(stream));

	switch (number % 3) {
	case 0:
		assert_int_equal(
		    stream_open_layer(stream, type, module, &layer), 0);
		stream_insert(stream, stream_first(stream), layer);
		break;
	case 1:
		assert_int_equal(
		    stream_open_layer(stream, type, module, &layer), 0);
		assert_int_equal(stream_still_layer(old, BERTH_WAIT), 0);
		stream_replace(old, layer);
		break;
	default:
		assert_int_equal(stream_still_layer(old, BERTH_WAIT), 0);
		stream_remove(old);
		break;
	}
}

/* Every message arrives once, in order, while modules come and go. */
static void
test_changes(void **state)
{
	struct berth_service module = named("m");
	struct load load = {.sent = 0};
	struct berth_stream_options options = {
	    .at_tail = count_at_tail,
	    .arg = &load,
	};
	struct stream *stream;
	pthread_t sender;

	(void)state;
	assert_int_equal(stream_new(&options, &stream), 0);
	load.stream = stream_public(stream);
	push(stream, &active, &module);
	push(stream, &passive, &module);
	assert_int_equal(pthread_create(&sender, NULL, send_numbers, &load), 0);
	for (unsigned i = 0; i < CHANGES; i++) {
		await_traffic(&load);
		change(stream, i, &module);
	}
	atomic_store(&load.stop, true);
	pthread_join(sender, NULL);
	stream_stop(stream);
	assert_int_equal(berth_stream_wait(load.stream, BERTH_WAIT), 0);
	assert_int_equal(load.strays, 0);
	assert_int_equal(load.next, atomic_load(&load.sent));
	stream_free(stream);
}

/* Many threads in one side: nothing is lost, though the order is. */
static int
sum_at_tail(void *arg, struct berth_message *m, uint64_t deadline)
{
	(void)deadline;
	atomic_fetch_add((atomic_ulong *)arg, 1);
	berth_message_release(m);
	return 0;
}

static void
test_crew(void **state)
{
	struct berth_service module = named("crew");
	atomic_ulong count = 0;
	struct berth_stream_options options = {
	    .at_tail = sum_at_tail,
	    .arg = &count,
	};
	struct stream *stream;

	(void)state;
	assert_int_equal(stream_new(&options, &stream), 0);
	push(stream, &crew, &module);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(berth_stream_put(stream_public(stream),
				     text("."), BERTH_WAIT),
		    0);
	/* Freeing serves what is queued. */
	stream_free(stream);
	assert_int_equal(atomic_load(&count), 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_life),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_link),
	    cmocka_unit_test(test_stop),
	    cmocka_unit_test(test_half_open),
	    cmocka_unit_test(test_flow),
	    cmocka_unit_test(test_put_back),
	    cmocka_unit_test(test_changes),
	    cmocka_unit_test(test_crew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
