/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rate: so many lines of a kind in each span of time; the others are counted,
 * and one line says how many there were when the span is over.
 *
 * A span begins with the first line after the last one's end.  One timer of
 * the host ends spans in which something was suppressed; without memory for
 * it, the next line does.
 */
#include "ledger/ledger_priv.h"

static void
arm(struct ledgers *ledgers, uint64_t due_ns, uint64_t now_ns)
{
	berth_timer_id id;

	if (ledgers->due_ns != 0 && ledgers->due_ns <= due_ns)
		return;
	/* An earlier one, if there is, comes in vain: it looks, no more. */
	if (reactor_schedule(&ledgers->owner, &ledgers->handler, NULL,
		due_ns > now_ns ? due_ns - now_ns : 0, 0, &id) == 0)
		ledgers->due_ns = due_ns;
}

static void
tell(struct ledger *ledger, enum ledger_event event, struct window *window)
{
	struct record record = {
	    .event = EVENT_SUPPRESSED,
	    .suppressed = event,
	    .lines = window->suppressed,
	    .service = ledger->service,
	    .port = -1,
	};

	if (window->suppressed == 0)
		return;
	window->suppressed = 0;
	record_write(ledger, &record);
}

void
rate_flush(struct ledger *ledger)
{
	for (unsigned i = 0; i < EVENT_KINDS; i++)
		tell(ledger, (enum ledger_event)i, &ledger->windows[i]);
}

bool
rate_allows(struct ledger *ledger, enum ledger_event event)
{
	struct window *window = &ledger->windows[event];
	uint64_t now;

	if (ledger->rate == 0)
		return true;
	now = mono_now().ns;
	if (window->count == 0 || now - window->since_ns >= ledger->span_ns) {
		tell(ledger, event, window);
		window->since_ns = now;
		window->count = 0;
	}
	if (window->count < ledger->rate) {
		window->count++;
		return true;
	}
	if (window->suppressed++ == 0)
		arm(ledger->ledgers, window->since_ns + ledger->span_ns, now);
	return false;
}

/* Tells what is due of it; when the next is, or 0. */
static uint64_t
look_at(struct ledger *ledger, uint64_t now)
{
	uint64_t next = 0;

	for (unsigned i = 0; i < EVENT_KINDS; i++) {
		struct window *window = &ledger->windows[i];
		uint64_t due = window->since_ns + ledger->span_ns;

		if (window->suppressed == 0)
			continue;
		if (due <= now) {
			tell(ledger, (enum ledger_event)i, window);
			window->count = 0;
		} else if (next == 0 || due < next) {
			next = due;
		}
	}
	return next;
}

static int
spans_over(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct ledgers *ledgers = BASE_CONTAINER(
	    handler, struct ledgers, handler);
	uint64_t now = mono_now().ns, next = 0;
	struct ledger *ledger;

	(void)now_ns;
	(void)token;
	pthread_mutex_lock(&ledgers->lock);
	ledgers->due_ns = 0;
	LIST_FOREACH (ledger, &ledgers->ledgers, link) {
		uint64_t due = look_at(ledger, now);

		if (due != 0 && (next == 0 || due < next))
			next = due;
	}
	if (next != 0)
		arm(ledgers, next, now);
	pthread_mutex_unlock(&ledgers->lock);
	return 0;
}

const struct berth_handler_type rate_handler_type = {
    .timeout = spans_over,
};
