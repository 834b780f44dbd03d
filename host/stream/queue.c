/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: messages in order, with marks, deadlines and three states
 * (C++NPv2 6.2).
 *
 * Bytes are counted as a message comes, and the same number is taken off as it
 * goes.  Two counters tell sleepers why they were woken: `drains` grows when
 * the bytes have fallen to the low mark, `alarms` when the queue is
 * deactivated or pulsed.  A sleeper compares them with what he saw when he
 * began to wait, so that nothing that happens meanwhile is missed and what
 * comes later is not his.
 *
 * The unsynchronised kind does the same without locks and never sleeps.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "stream/stream_priv.h"

#define QUEUE_MAGIC 0x51554555u

/* What is queued, in order, linked by next and prev. */
struct entry_list {
	struct berth_message *first;
	struct berth_message *last;
};

struct queue {
	struct berth_queue public; /* first */
	uint32_t magic;
	bool locks;
	bool ending; /* queue_end() */
	enum berth_queue_state state;
	struct entry_list list;
	size_t bytes;
	size_t messages;
	size_t high_bytes;
	size_t low_bytes;
	uint64_t drains;
	uint64_t alarms;
	unsigned producers; /* asleep */
	unsigned consumers;
	pthread_mutex_t mutex;
	pthread_cond_t room;
	pthread_cond_t stock;
	void (*notify)(void *arg);
	void *arg;
};

static struct queue *
queue_of(struct berth_queue *public)
{
	struct queue *queue = BASE_CONTAINER(public, struct queue, public);

	BASE_ASSERT(queue->magic == QUEUE_MAGIC);
	return queue;
}

static void
lock(struct queue *queue)
{
	if (queue->locks)
		pthread_mutex_lock(&queue->mutex);
}

static void
unlock(struct queue *queue)
{
	if (queue->locks)
		pthread_mutex_unlock(&queue->mutex);
}

/* --- life ------------------------------------------------------------------*/

int
condition_new(pthread_cond_t *condition)
{
	pthread_condattr_t how;
	int result = pthread_condattr_init(&how);

	if (result != 0)
		return -result;
	pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
	result = pthread_cond_init(condition, &how);
	pthread_condattr_destroy(&how);
	return -result;
}

static int
make_locks(struct queue *queue)
{
	int result = condition_new(&queue->room);

	if (result != 0)
		return result;
	result = condition_new(&queue->stock);
	if (result == 0)
		result = -pthread_mutex_init(&queue->mutex, NULL);
	else
		goto no_stock;
	if (result == 0) {
		queue->locks = true;
		return 0;
	}
	pthread_cond_destroy(&queue->stock);
no_stock:
	pthread_cond_destroy(&queue->room);
	return result;
}

static void
set_marks(struct queue *queue, size_t high_bytes, size_t low_bytes)
{
	queue->high_bytes = high_bytes;
	queue->low_bytes = low_bytes < high_bytes ? low_bytes : high_bytes;
}

static int
queue_make(
    const struct berth_queue_options *options, struct berth_queue **ret_queue)
{
	size_t high = options->high_bytes != 0 ? options->high_bytes
					       : BERTH_QUEUE_BYTES;
	size_t low = options->low_bytes != 0 ? options->low_bytes : high;
	struct queue *queue;
	int result = 0;

	if (low > high || (options->flags & ~BERTH_QUEUE_UNSYNCHRONISED) != 0)
		return -EINVAL;
	queue = calloc(1, sizeof(*queue));
	if (queue == NULL)
		return -ENOMEM;
	if ((options->flags & BERTH_QUEUE_UNSYNCHRONISED) == 0)
		result = make_locks(queue);
	if (result != 0) {
		free(queue);
		return result;
	}
	queue->public.calls = &message_calls;
	queue->magic = QUEUE_MAGIC;
	queue->notify = options->notify;
	queue->arg = options->arg;
	set_marks(queue, high, low);
	*ret_queue = &queue->public;
	return 0;
}

/* --- the list --------------------------------------------------------------*/

/* Before which one? NULL: the last. */
static struct berth_message *
find_place(const struct queue *queue, const struct berth_message *message,
    enum berth_queue_end end)
{
	struct berth_message *at = queue->list.last;

	if (end == BERTH_QUEUE_HEAD)
		return queue->list.first;
	if (end == BERTH_QUEUE_TAIL)
		return NULL;
	/* From the end: most are of one priority. */
	while (at != NULL && at->priority < message->priority)
		at = at->prev;
	return at != NULL ? at->next : queue->list.first;
}

static void
insert(struct queue *queue, struct berth_message *message,
    enum berth_queue_end end)
{
	struct berth_message *next = find_place(queue, message, end);
	struct berth_message *prev = next != NULL ? next->prev
						  : queue->list.last;

	message->next = next;
	message->prev = prev;
	*(prev != NULL ? &prev->next : &queue->list.first) = message;
	*(next != NULL ? &next->prev : &queue->list.last) = message;
	queue->bytes += berth_message_total(message);
	queue->messages++;
}

/* Nobody changes a message while it is queued. */
static struct berth_message *
take(struct queue *queue, enum berth_queue_end end)
{
	struct berth_message *message = end == BERTH_QUEUE_TAIL
					    ? queue->list.last
					    : queue->list.first;

	*(message->prev != NULL ? &message->prev->next
				: &queue->list.first) = message->next;
	*(message->next != NULL ? &message->next->prev
				: &queue->list.last) = message->prev;
	message->next = NULL;
	message->prev = NULL;
	queue->bytes -= berth_message_total(message);
	queue->messages--;
	return message;
}

/* --- waiting ---------------------------------------------------------------*/

bool
condition_wait(
    pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline_ns)
{
	const uint64_t second = UINT64_C(1000000000);
	struct timespec until = {
	    .tv_sec = (time_t)(deadline_ns / second),
	    .tv_nsec = (long)(deadline_ns % second),
	};

	if (deadline_ns == BERTH_WAIT) {
		pthread_cond_wait(condition, mutex);
		return true;
	}
	return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT;
}

static bool
doze(struct queue *queue, pthread_cond_t *condition, uint64_t deadline_ns)
{
	return condition_wait(condition, &queue->mutex, deadline_ns);
}

static bool
is_full(const struct queue *queue)
{
	return queue->bytes > queue->high_bytes;
}

/* 0: there is room. */
static int
wait_for_room(struct queue *queue, uint64_t deadline_ns)
{
	uint64_t alarms = queue->alarms, drains;
	bool in_time = queue->locks && deadline_ns != BERTH_NO_WAIT;

	while (is_full(queue)) {
		drains = queue->drains;
		queue->producers++;
		while (in_time && alarms == queue->alarms &&
		       drains == queue->drains)
			in_time = doze(queue, &queue->room, deadline_ns);
		queue->producers--;
		if (alarms != queue->alarms)
			return -ESHUTDOWN;
		/* Room that came with the deadline is room. */
		if (!in_time && drains == queue->drains)
			return -EWOULDBLOCK;
	}
	return 0;
}

/* 0: there is a message. */
static int
wait_for_stock(struct queue *queue, uint64_t deadline_ns)
{
	uint64_t alarms = queue->alarms;
	bool in_time = queue->locks && deadline_ns != BERTH_NO_WAIT;

	queue->consumers++;
	while (in_time && queue->messages == 0 && !queue->ending &&
	       alarms == queue->alarms)
		in_time = doze(queue, &queue->stock, deadline_ns);
	queue->consumers--;
	if (alarms != queue->alarms)
		return -ESHUTDOWN;
	if (queue->messages > 0)
		return 0;
	return queue->ending ? -ESHUTDOWN : -EWOULDBLOCK;
}

static void
wake_producers(struct queue *queue)
{
	if (queue->bytes > queue->low_bytes)
		return;
	queue->drains++;
	if (queue->producers > 0)
		pthread_cond_broadcast(&queue->room);
}

static void
sound_alarm(struct queue *queue)
{
	queue->alarms++;
	if (queue->producers > 0)
		pthread_cond_broadcast(&queue->room);
	if (queue->consumers > 0)
		pthread_cond_broadcast(&queue->stock);
}

/* --- the calls -------------------------------------------------------------*/

static int
enqueue(struct berth_queue *public, struct berth_message *message,
    enum berth_queue_end end, uint64_t deadline_ns)
{
	struct queue *queue = queue_of(public);
	void (*notify)(void *) = queue->notify;
	void *arg = queue->arg;
	int result = -ESHUTDOWN;

	lock(queue);
	if (queue->state != BERTH_QUEUE_DEACTIVATED)
		result = wait_for_room(queue, deadline_ns);
	if (result == 0) {
		insert(queue, message, end);
		if (queue->consumers > 0)
			pthread_cond_signal(&queue->stock);
	}
	unlock(queue);
	if (result == 0 && notify != NULL)
		notify(arg);
	return result;
}

int
queue_put_back(struct berth_queue *public, struct berth_message *message)
{
	struct queue *queue = queue_of(public);
	int result = -ESHUTDOWN;

	lock(queue);
	if (queue->state != BERTH_QUEUE_DEACTIVATED) {
		insert(queue, message, BERTH_QUEUE_HEAD);
		if (queue->consumers > 0)
			pthread_cond_signal(&queue->stock);
		result = 0;
	}
	unlock(queue);
	return result;
}

static int
dequeue(struct berth_queue *public, enum berth_queue_end end,
    uint64_t deadline_ns, struct berth_message **ret_message)
{
	struct queue *queue = queue_of(public);
	int result = -ESHUTDOWN;

	lock(queue);
	if (queue->state != BERTH_QUEUE_DEACTIVATED)
		result = wait_for_stock(queue, deadline_ns);
	if (result == 0) {
		*ret_message = take(queue, end);
		wake_producers(queue);
	}
	unlock(queue);
	return result;
}

static void
queue_marks(struct berth_queue *public, size_t high_bytes, size_t low_bytes)
{
	struct queue *queue = queue_of(public);

	lock(queue);
	set_marks(queue, high_bytes, low_bytes);
	wake_producers(queue);
	unlock(queue);
}

static enum berth_queue_state
queue_state(struct berth_queue *public, enum berth_queue_state state)
{
	struct queue *queue = queue_of(public);
	enum berth_queue_state before;

	lock(queue);
	before = queue->state;
	queue->state = state;
	if (state != BERTH_QUEUE_ACTIVATED)
		sound_alarm(queue);
	unlock(queue);
	return before;
}

void
queue_end(struct berth_queue *public)
{
	struct queue *queue = queue_of(public);

	lock(queue);
	queue->ending = true;
	sound_alarm(queue);
	unlock(queue);
}

static size_t
empty(struct queue *queue, bool deactivate)
{
	struct berth_message *first, *next;
	size_t count;

	lock(queue);
	if (deactivate) {
		queue->state = BERTH_QUEUE_DEACTIVATED;
		sound_alarm(queue);
	}
	first = queue->list.first;
	count = queue->messages;
	queue->list.first = NULL;
	queue->list.last = NULL;
	queue->bytes = 0;
	queue->messages = 0;
	wake_producers(queue);
	unlock(queue);
	/* A lender may call anything: not under the lock. */
	for (; first != NULL; first = next) {
		next = first->next;
		message_release(first);
	}
	return count;
}

static size_t
queue_flush(struct berth_queue *public)
{
	return empty(queue_of(public), false);
}

static size_t
queue_close(struct berth_queue *public)
{
	return empty(queue_of(public), true);
}

static void
queue_free(struct berth_queue *public)
{
	struct queue *queue = queue_of(public);

	empty(queue, true);
	if (queue->locks) {
		pthread_cond_destroy(&queue->stock);
		pthread_cond_destroy(&queue->room);
		pthread_mutex_destroy(&queue->mutex);
	}
	queue->magic = 0;
	free(queue);
}

static void
queue_facts(struct berth_queue *public, struct berth_queue_facts *ret_facts)
{
	struct queue *queue = queue_of(public);

	lock(queue);
	*ret_facts = (struct berth_queue_facts){
	    .state = queue->state,
	    .bytes = queue->bytes,
	    .messages = queue->messages,
	    .high_bytes = queue->high_bytes,
	    .low_bytes = queue->low_bytes,
	};
	unlock(queue);
}

const struct berth_message_calls message_calls = {
    .magic = BERTH_MAGIC,
    .abi_major = BERTH_ABI_MAJOR,
    .abi_minor = BERTH_ABI_MINOR,
    .size = sizeof(struct berth_message_calls),
    .make = message_make,
    .borrow = message_borrow,
    .duplicate = message_duplicate,
    .clone = message_clone,
    .release = message_release,
    .reserve = message_reserve,
    .queue_make = queue_make,
    .queue_free = queue_free,
    .enqueue = enqueue,
    .dequeue = dequeue,
    .queue_marks = queue_marks,
    .queue_state = queue_state,
    .queue_flush = queue_flush,
    .queue_close = queue_close,
    .queue_facts = queue_facts,
};
