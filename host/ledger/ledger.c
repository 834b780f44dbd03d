/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger: the host's table of ledgers, their making and their end.
 *
 * A ledger never changes: other attributes are another one, and whoever holds
 * the pointer changes that.  Its windows, the sinks and the line that is being
 * put together are under the host's lock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger_priv.h"

/* --- the host's ------------------------------------------------------------*/

int
ledgers_new(
    struct reactor *reactor, struct log *log, struct ledgers **ret_ledgers)
{
	struct ledgers *ledgers = calloc(1, sizeof(*ledgers));
	int result;

	if (ledgers == NULL)
		return -ENOMEM;
	result = reactor_owner_init(&ledgers->owner, reactor, "ledger");
	if (result < 0) {
		free(ledgers);
		return result;
	}
	pthread_mutex_init(&ledgers->lock, NULL);
	ledgers->handler.type = &rate_handler_type;
	ledgers->log = log;
	LIST_INIT(&ledgers->ledgers);
	LIST_INIT(&ledgers->sinks);
	text_init(&ledgers->line);
	ledgers_set_sockets(ledgers, NULL, NULL);
	*ret_ledgers = ledgers;
	return 0;
}

struct ledgers *
ledgers_free(struct ledgers *ledgers)
{
	if (ledgers == NULL)
		return NULL;
	BASE_ASSERT(LIST_EMPTY(&ledgers->ledgers));
	BASE_ASSERT(LIST_EMPTY(&ledgers->sinks));
	reactor_owner_fini(&ledgers->owner);
	text_fini(&ledgers->line);
	pthread_mutex_destroy(&ledgers->lock);
	free(ledgers);
	return NULL;
}

void
ledgers_set_sockets(
    struct ledgers *ledgers, const char *syslog, const char *journal)
{
	pthread_mutex_lock(&ledgers->lock);
	ledgers->syslog = syslog != NULL ? syslog : LEDGER_SYSLOG;
	ledgers->journal = journal != NULL ? journal : LEDGER_JOURNAL;
	pthread_mutex_unlock(&ledgers->lock);
}

void
ledgers_reopen(struct ledgers *ledgers)
{
	struct sink *sink;

	pthread_mutex_lock(&ledgers->lock);
	LIST_FOREACH (sink, &ledgers->sinks, link)
		if (sink->spec.kind == SINK_FILE)
			sink_file_reopen(sink);
	pthread_mutex_unlock(&ledgers->lock);
}

/* --- a service's -----------------------------------------------------------*/

static unsigned
wants_of(const struct ledger *ledger)
{
	const unsigned begin = SHOW_PID | SHOW_HOST | SHOW_USERID;
	const unsigned end = SHOW_EXIT | SHOW_DURATION | SHOW_TRAFFIC;
	unsigned show = ledger->show_success, wants = 0;

	if ((show & begin) != 0)
		wants |= LEDGER_BEGIN;
	if ((show & SHOW_HOST) != 0)
		wants |= LEDGER_BEGIN_PEER;
	if ((show & end) != 0)
		wants |= LEDGER_END;
	/* In xinetd's line of an end there is no client. */
	if ((wants & LEDGER_END) != 0 && (show & SHOW_HOST) != 0 &&
	    ledger->format != LOG_FORMAT_XINETD)
		wants |= LEDGER_END_PEER;
	/* Every word of it implies ATTEMPT. */
	if (ledger->show_failure != 0)
		wants |= LEDGER_REFUSAL;
	if ((ledger->show_failure & SHOW_HOST) != 0)
		wants |= LEDGER_REFUSAL_PEER;
	return wants;
}

static int
make(struct ledger *ledger, const char *service,
    const struct settings *settings, const struct sink_spec *spec)
{
	atomic_init(&ledger->references, 1);
	ledger->priority = spec->priority;
	ledger->format = settings->log_format;
	ledger->rate = settings->log_rate.count;
	ledger->span_ns = MONO_MS(settings->log_rate.per_ms);
	ledger->show_success = words_shown(&settings->log_on_success);
	ledger->show_failure = words_shown(&settings->log_on_failure);
	ledger->wants = wants_of(ledger);
	ledger->service = strdup(service);
	return ledger->service == NULL ? -ENOMEM : 0;
}

static void
tell_open(const struct settings *settings, const char *service,
    const struct sink_spec *spec, int result, struct errors *errors)
{
	const struct place *place = settings_place(settings, "log_type");

	if (spec->kind != SINK_FILE)
		errors_add(errors, SEVERITY_ERROR, result, place,
		    "log_type of '%s': no socket: %s", service,
		    strerror(-result));
	else if (result == -ELOOP)
		errors_add(errors, SEVERITY_ERROR, result, place,
		    "log_type of '%s': '%s' is a symbolic link; name the file "
		    "itself",
		    service, spec->path);
	else
		errors_add(errors, SEVERITY_ERROR, result, place,
		    "log_type of '%s': cannot open '%s': %s", service,
		    spec->path, strerror(-result));
}

static struct ledger *
ledger_free(struct ledger *ledger)
{
	free(ledger->service);
	free(ledger);
	return NULL;
}

int
ledger_new(struct ledgers *ledgers, const char *service,
    const struct settings *settings, struct errors *errors,
    struct ledger **ret_ledger)
{
	struct sink_spec spec;
	struct ledger *ledger;
	int result;

	if (settings->log_on_success.count == 0 &&
	    settings->log_on_failure.count == 0) {
		*ret_ledger = NULL;
		return 0;
	}
	result = words_read_sink(settings, service, errors, &spec);
	if (result < 0)
		return result;
	ledger = calloc(1, sizeof(*ledger));
	if (ledger == NULL || make(ledger, service, settings, &spec) < 0) {
		free(ledger);
		return -ENOMEM;
	}
	ledger->ledgers = ledgers;
	pthread_mutex_lock(&ledgers->lock);
	result = sink_acquire(ledgers, &spec, &ledger->sink);
	if (result == 0)
		LIST_INSERT_HEAD(&ledgers->ledgers, ledger, link);
	pthread_mutex_unlock(&ledgers->lock);
	if (result < 0) {
		if (result != -ENOMEM)
			tell_open(settings, service, &spec, result, errors);
		ledger_free(ledger);
		return result;
	}
	*ret_ledger = ledger;
	return 0;
}

struct ledger *
ledger_ref(struct ledger *ledger)
{
	if (ledger != NULL)
		atomic_fetch_add_explicit(
		    &ledger->references, 1, memory_order_relaxed);
	return ledger;
}

struct ledger *
ledger_unref(struct ledger *ledger)
{
	struct ledgers *ledgers;

	if (ledger == NULL || atomic_fetch_sub(&ledger->references, 1) > 1)
		return NULL;
	ledgers = ledger->ledgers;
	pthread_mutex_lock(&ledgers->lock);
	rate_flush(ledger);
	LIST_REMOVE(ledger, link);
	sink_release(ledger->sink);
	pthread_mutex_unlock(&ledgers->lock);
	return ledger_free(ledger);
}

unsigned
ledger_wants(const struct ledger *ledger)
{
	return ledger->wants;
}
