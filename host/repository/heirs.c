/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heirs: services that others may hand a connection to, by name (tcpmux).
 *
 * Only those whose attribute says so, whatever else runs.  Names are compared
 * without case, as RFC 1078 has it; one that is written exactly so comes
 * first.
 */
#include <errno.h>
#include <strings.h>

#include "repository/repository_priv.h"

static struct instance *
heir_of(struct record *record)
{
	struct instance *instance = record_current(record);

	if (instance == NULL ||
	    instance->definition->settings->tcpmux == TCPMUX_NO)
		return NULL;
	return instance;
}

static struct instance *
find(struct repository *repository, const char *name)
{
	struct record *record = repository_find(repository, name);
	struct instance *heir = record != NULL ? heir_of(record) : NULL;

	if (heir != NULL)
		return heir;
	for (record = repository_first(repository); record != NULL;
	     record = record_next(record))
		if (strcasecmp(record_name(record), name) == 0 &&
		    heir_of(record) != NULL)
			return heir_of(record);
	return NULL;
}

int
heir_hand_over(struct berth_session *session, const char *name)
{
	struct instance *from = instance_of(session->service);
	struct instance *heir = find(from->repository, name);
	enum visitor_way way = VISITOR_MUX;

	if (heir == NULL || heir == from)
		return -ENOENT;
	if (heir->definition->settings->tcpmux == TCPMUX_PLUS)
		way = VISITOR_MUX_PLUS;
	return session_hand_over(session, heir->server, way);
}

void
heir_each(struct berth_service *service,
    void (*each)(void *arg, const char *name), void *arg)
{
	struct instance *from = instance_of(service);
	struct record *record = repository_first(from->repository);

	for (; record != NULL; record = record_next(record))
		if (heir_of(record) != NULL && heir_of(record) != from)
			each(arg, record_name(record));
}
