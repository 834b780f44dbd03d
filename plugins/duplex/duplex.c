/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * duplex: answers its clients and sends to them of its own accord, told to by
 * another thread.
 *
 * Each client has a worker, which is waiting for three things at once: bytes
 * of its socket, commands to send, and the command to stop.  Commands are given
 * by one thread, the commander, which fills the worker's queue and then sets
 * an event; here that is a post.  Events merge, commands don't: who is woken
 * clears the event first and looks at everything then, so nothing is lost.
 * What a worker can't send yet stays in its queue, and the commander waits with
 * what has no room there: nothing grows, however slowly a client reads.
 *
 * The list of workers is changed by the loop alone, under the lock; so the loop
 * reads it without.  All that is marked is touched under the lock only.
 */
#include <berth/berth.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#define LINE_BYTES 512u
#define QUEUE 64u
#define EVENTS_MOST 1000000u

struct worker {
	LIST_ENTRY(worker) link;
	struct berth_session *session;
	char line[LINE_BYTES + 16]; /* what is being sent */
	size_t size;
	size_t sent;
	/* Under the lock. */
	unsigned queue[QUEUE]; /* numbers of events, a ring */
	unsigned head;
	unsigned count;
	unsigned last;	 /* number that the commander has given */
	unsigned wanted; /* events that it has still to give */
	bool ends;	 /* is to be stopped after them */
	bool stop;	 /* the stop event, behind all that is in the queue */
};

struct duplex {
	struct berth_service *service;
	LIST_HEAD(, worker) workers;
	pthread_mutex_t lock;
	int wake_fd; /* the commander's event */
	bool posted; /* the workers' event; under the lock */
};

static struct duplex *
duplex_of(const struct worker *worker)
{
	return worker->session->service->state;
}

/* --- the commander ---------------------------------------------------------*/

static void
wake(const struct duplex *duplex)
{
	static const uint64_t one = 1;

	/* An event that is set already is enough. */
	if (write(duplex->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* Under the lock.  Did it command anything? */
static bool
command(struct worker *worker)
{
	bool any = false;

	for (; worker->wanted > 0 && worker->count < QUEUE; worker->wanted--) {
		unsigned at = (worker->head + worker->count++) % QUEUE;

		worker->queue[at] = ++worker->last;
		any = true;
	}
	if (worker->wanted > 0 || !worker->ends || worker->stop)
		return any;
	worker->stop = true;
	return true;
}

static void deliver(void *arg);

static void
command_all(struct duplex *duplex)
{
	struct worker *worker;
	bool any = false;

	pthread_mutex_lock(&duplex->lock);
	LIST_FOREACH (worker, &duplex->workers, link)
		any |= command(worker);
	any = any && !duplex->posted;
	if (any)
		duplex->posted = berth_post(duplex->service, deliver, duplex) ==
				 0;
	pthread_mutex_unlock(&duplex->lock);
}

static void
commander(struct berth_thread *thread, void *arg)
{
	struct duplex *duplex = arg;
	struct pollfd fds[] = {
	    {berth_thread_stop_fd(duplex->service, thread), POLLIN, 0},
	    {duplex->wake_fd, POLLIN, 0}};

	for (;;) {
		uint64_t times;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents != 0)
			return;
		/* Cleared first, then everything is looked at. */
		if (read(duplex->wake_fd, &times, sizeof(times)) > 0)
			command_all(duplex);
	}
}

/* --- a worker --------------------------------------------------------------*/

/* Is all that was begun on its way? */
static bool
flush(struct worker *worker)
{
	int sent;

	if (worker->sent < worker->size) {
		sent = berth_write(
		    worker->session, berth_bytes(worker->line + worker->sent,
					 worker->size - worker->sent));
		if (sent < 0)
			return false;
		worker->sent += (size_t)sent;
	}
	return worker->sent == worker->size;
}

static bool
say(struct worker *worker, int size)
{
	worker->size = (size_t)size;
	worker->sent = 0;
	return flush(worker);
}

enum told { TOLD_NOTHING, TOLD_SEND, TOLD_STOP };

static enum told
next_command(struct worker *worker, unsigned *ret_number)
{
	struct duplex *duplex = duplex_of(worker);
	enum told told = TOLD_NOTHING;
	bool was_full;

	pthread_mutex_lock(&duplex->lock);
	was_full = worker->count == QUEUE;
	if (worker->count > 0) {
		*ret_number = worker->queue[worker->head];
		worker->head = (worker->head + 1) % QUEUE;
		worker->count--;
		told = TOLD_SEND;
	} else if (worker->stop) {
		told = TOLD_STOP;
	}
	pthread_mutex_unlock(&duplex->lock);
	if (was_full)
		wake(duplex);
	return told;
}

static void
obey(struct worker *worker)
{
	unsigned number = 0;

	while (flush(worker)) {
		switch (next_command(worker, &number)) {
		case TOLD_NOTHING:
			return;
		case TOLD_STOP:
			berth_close(worker->session);
			return;
		case TOLD_SEND:
			break;
		}
		say(worker, snprintf(worker->line, sizeof(worker->line),
				"event %u\r\n", number));
	}
}

/* On the loop: the workers' event. */
static void
deliver(void *arg)
{
	struct duplex *duplex = arg;
	struct worker *worker, *next;

	pthread_mutex_lock(&duplex->lock);
	duplex->posted = false;
	pthread_mutex_unlock(&duplex->lock);
	for (worker = LIST_FIRST(&duplex->workers); worker != NULL;
	     worker = next) {
		next = LIST_NEXT(worker, link);
		obey(worker);
	}
}

/* --- what clients say ------------------------------------------------------*/

/* Is asked of the commander. */
static void
ask(struct worker *worker, unsigned events, bool ends)
{
	struct duplex *duplex = duplex_of(worker);

	pthread_mutex_lock(&duplex->lock);
	worker->wanted += events;
	worker->ends |= ends;
	pthread_mutex_unlock(&duplex->lock);
	wake(duplex);
}

static bool
is_word(struct berth_bytes line, const char *word)
{
	size_t size = strlen(word);

	return line.size == size && memcmp(line.data, word, size) == 0;
}

/* `send N`: the number, or 0. */
static unsigned
events_of(struct berth_bytes line)
{
	char text[16] = "", *end;
	unsigned long number;

	if (line.size < 6 || line.size - 5 >= sizeof(text) ||
	    memcmp(line.data, "send ", 5) != 0)
		return 0;
	memcpy(text, (const char *)line.data + 5, line.size - 5);
	number = strtoul(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
		       number <= EVENTS_MOST
		   ? (unsigned)number
		   : 0;
}

static bool
understand(struct worker *worker, struct berth_bytes line)
{
	unsigned events = events_of(line);

	if (events > 0 || is_word(line, "stop")) {
		ask(worker, events, events == 0);
		return true;
	}
	return say(worker,
	    snprintf(worker->line, sizeof(worker->line), "you said %.*s\r\n",
		(int)line.size, (const char *)line.data));
}

static int
duplex_input(struct berth_session *session, struct berth_bytes in)
{
	static const struct berth_frame_codec lines = {
	    .kind = BERTH_FRAME_LINE, .size = LINE_BYTES - 16};
	struct worker *worker = session->state;
	struct berth_bytes line;
	size_t done = 0;
	int used = 0;

	/* Who does not read is not listened to. */
	while (flush(worker) && (used = berth_frame_next(&lines,
				     berth_bytes_from(in, done), &line)) > 0) {
		done += (size_t)used;
		if (!understand(worker, line))
			break;
	}
	return used < 0 ? used : (int)done;
}

/* He gets what he has asked for, and then the end. */
static int
duplex_eof(struct berth_session *session, struct berth_bytes rest)
{
	(void)rest;
	ask(session->state, 0, true);
	return 0;
}

static int
duplex_output_ready(struct berth_session *session)
{
	obey(session->state);
	return 0;
}

static int
duplex_open(struct berth_session *session)
{
	struct duplex *duplex = session->service->state;
	struct worker *worker = session->state;

	worker->session = session;
	pthread_mutex_lock(&duplex->lock);
	LIST_INSERT_HEAD(&duplex->workers, worker, link);
	pthread_mutex_unlock(&duplex->lock);
	return 0;
}

static void
duplex_closed(struct berth_session *session, int reason)
{
	struct duplex *duplex = session->service->state;
	struct worker *worker = session->state;

	(void)reason;
	pthread_mutex_lock(&duplex->lock);
	LIST_REMOVE(worker, link);
	pthread_mutex_unlock(&duplex->lock);
}

/* --- the service -----------------------------------------------------------*/

static void
duplex_fini(struct berth_service *service)
{
	struct duplex *duplex = service->state;

	pthread_mutex_destroy(&duplex->lock);
	close(duplex->wake_fd);
}

static int
duplex_init(struct berth_service *service, int argc, char **argv)
{
	struct duplex *duplex = service->state;
	int result;

	if (argc > 1)
		return berth_fail(
		    service, EINVAL, "takes no words, not '%s'", argv[1]);
	duplex->service = service;
	duplex->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (duplex->wake_fd < 0)
		return berth_fail(
		    service, errno, "eventfd: %s", strerror(errno));
	pthread_mutex_init(&duplex->lock, NULL);
	result = berth_thread_start(service, "commander", commander, duplex);
	if (result < 0) {
		duplex_fini(service);
		return berth_fail(service, -result,
		    "no thread for the "
		    "commander: %s",
		    strerror(-result));
	}
	return 0;
}

BERTH_SERVICE(make_duplex, .summary = "answers, and sends when it is told to",
    .state_size = sizeof(struct duplex), .init = duplex_init,
    .fini = duplex_fini,
    .session = {.state_size = sizeof(struct worker),
	.open = duplex_open,
	.input = duplex_input,
	.output_ready = duplex_output_ready,
	.eof = duplex_eof,
	.closed = duplex_closed});
