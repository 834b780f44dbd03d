/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which service can be driven how: what svc.conf(5) has as a table.
 *
 * A type that does not say that it may run in several threads at once is never
 * run so; a program is a process for each client in any case.
 */
#include <errno.h>

#include "repository/repository.h"

static int
tell(const struct directive *directive, struct errors *errors, const char *why)
{
	errors_add(errors, SEVERITY_ERROR, -ENOTSUP, &directive->name_place,
	    "'%s' %s", directive->name, why);
	return -ENOTSUP;
}

/* A reason, or NULL. */
static const char *
judge_program(const struct concurrency *how)
{
	if (how->kind == CONCURRENCY_REACTIVE ||
	    how->kind == CONCURRENCY_PROCESS)
		return NULL;
	return "is a program, which is a process for each client: take its "
	       "concurrency away, or write process [MAX]";
}

static const char *
judge_code(const struct concurrency *how, const struct berth_service_type *type)
{
	switch (how->kind) {
	case CONCURRENCY_REACTIVE:
	case CONCURRENCY_ITERATIVE:
		break;
	case CONCURRENCY_THREAD:
	case CONCURRENCY_POOL:
		if ((type->flags & BERTH_CONCURRENT) == 0)
			return "can't run in several threads: its code does "
			       "not say that it may (BERTH_CONCURRENT); use "
			       "reactive or iterative, or processes";
		break;
	case CONCURRENCY_PROCESS:
		/* Of services its own process would judge. */
		return "can't have a process for each client: it has no "
		       "clients";
	}
	return NULL;
}

int
repository_check_concurrency(const struct directive *directive,
    const struct berth_service_type *type, struct errors *errors)
{
	const struct concurrency *how = &directive->settings->concurrency;
	const char *why = directive->type == CONFIG_KIND_PROGRAM
			      ? judge_program(how)
			      : judge_code(how, type);

	if (why == NULL && (type->flags & BERTH_PEEKS) != 0 &&
	    directive->settings->stream != NULL &&
	    directive->settings->stream[0] != '\0')
		why = "hands connections over as they came: it can't have "
		      "stream";
	return why == NULL ? 0 : tell(directive, errors, why);
}
