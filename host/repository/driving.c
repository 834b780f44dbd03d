/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which service can be driven how: what svc.conf(5) has as a table.
 *
 * It is judged by the text of a directive and by what its code says of itself,
 * so that a check tells what a start would.  Each reason is one row.
 */
#include <errno.h>
#include <string.h>

#include "repository/repository.h"

struct case_of {
	const struct directive *directive;
	const struct settings *settings;
	uint32_t flags;
};

static bool
has(const struct case_of *it, enum concurrency_kind kind)
{
	return it->settings->concurrency.kind == kind;
}

static bool
is_code(const struct case_of *it)
{
	return it->directive->type == BERTH_KIND_SERVICE ||
	       it->directive->kind == DIRECTIVE_STATIC;
}

static bool
is_program_driven(const struct case_of *it)
{
	return it->directive->type == CONFIG_KIND_PROGRAM &&
	       !has(it, CONCURRENCY_REACTIVE) && !has(it, CONCURRENCY_PROCESS);
}

static bool
is_program_in_workers(const struct case_of *it)
{
	return it->directive->type == CONFIG_KIND_PROGRAM &&
	       it->settings->workers.most > 0;
}

static bool
is_not_concurrent(const struct case_of *it)
{
	return (has(it, CONCURRENCY_THREAD) || has(it, CONCURRENCY_POOL)) &&
	       (it->flags & BERTH_CONCURRENT) == 0;
}

static bool
has_no_clients(const struct case_of *it)
{
	return has(it, CONCURRENCY_PROCESS) && !is_code(it) &&
	       it->directive->type != CONFIG_KIND_PROGRAM;
}

static bool
has_datagrams(const struct case_of *it)
{
	const struct settings *settings = it->settings;

	if (!has(it, CONCURRENCY_PROCESS) || !is_code(it))
		return false;
	for (unsigned i = 0; i < settings->listen_count; i++)
		if (endpoint_is_datagram(settings->listen[i].kind))
			return true;
	return false;
}

static bool
hands_over_from_outside(const struct case_of *it)
{
	return (it->flags & BERTH_PEEKS) != 0 && is_code(it) &&
	       definition_has_workers(it->settings, it->directive->type);
}

static bool
hands_over_around(const struct case_of *it)
{
	return (it->flags & BERTH_PEEKS) != 0 && it->settings->stream != NULL &&
	       it->settings->stream[0] != '\0';
}

static const struct reason {
	bool (*is_so)(const struct case_of *it);
	const char *words; /* behind the name */
} reasons[] = {
    {is_program_driven,
	"is a program, which is a process for each client: take its "
	"concurrency away, or write process [MAX]"},
    {is_program_in_workers,
	"is a program, which is a process for each client: workers are for "
	"code that the host loads"},
    {is_not_concurrent,
	"can't run in several threads: its code does not say that it may "
	"(BERTH_CONCURRENT); use reactive or iterative, or processes"},
    {has_no_clients, "can't have a process for each client: it has no clients"},
    {has_datagrams,
	"can't have a process for each client at its datagram endpoint "
	"(udp, unix-dgram): a datagram is no connection to hand over"},
    {hands_over_from_outside,
	"hands connections over to services of the host, which its workers "
	"do not have: it can't have workers or process"},
    {hands_over_around,
	"hands connections over as they came: it can't have stream"},
};

int
repository_check_concurrency(
    const struct directive *directive, uint32_t flags, struct errors *errors)
{
	const struct case_of it = {directive, directive->settings, flags};

	for (size_t i = 0; i < BASE_COUNT(reasons); i++) {
		if (!reasons[i].is_so(&it))
			continue;
		errors_add(errors, SEVERITY_ERROR, -ENOTSUP,
		    &directive->name_place, "'%s' %s", directive->name,
		    reasons[i].words);
		return -ENOTSUP;
	}
	return 0;
}
