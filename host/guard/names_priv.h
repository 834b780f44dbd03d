/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside names: the cache, which is the loop's, and the desk where threads take
 * questions and leave answers.
 */
#ifndef GUARD_NAMES_PRIV_H
#define GUARD_NAMES_PRIV_H

#include "guard/names.h"

enum names_kind { NAMES_ADDRESSES_OF, NAMES_NAME_OF };

/* One question with its answer; in one hand at a time. */
struct names_job {
	STAILQ_ENTRY(names_job) link;
	enum names_kind kind;
	struct access_prefix address;
	char name[NAMES_TEXT_MAX];
	struct access_prefix prefixes[NAMES_PREFIXES_MAX];
	unsigned count;
	int result;
	struct names_entry *entry; /* the loop's */
};

STAILQ_HEAD(names_jobs, names_job);

struct names_desk;

/* event_fd is written to when there are answers; stays the caller's. */
int names_desk_new(const struct names_resolver *resolver, int event_fd,
    struct names_desk **ret_desk);
/* Answers that come later are thrown away. */
struct names_desk *names_desk_free(struct names_desk *desk);
/* Takes the job, unless there is no thread and none can be had. */
int names_desk_ask(struct names_desk *desk, struct names_job *job);
/* Answers that are there; NULL without one. */
struct names_job *names_desk_take(struct names_desk *desk);

extern const struct names_resolver names_system_resolver;

#endif
