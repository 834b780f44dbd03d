/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verbs: what berthctl can be told, in one table.  Each but `convert` is a
 * command of the host under the same name; `reload` and the others that change
 * something want a door that lets them.  Words are judged by the host: here
 * they are counted.
 */
#include <string.h>

#include "client/client.h"

static const struct verb table[] = {
    {"list", "", "all services, a line each", 0, 0, 0, WORDS_NONE, NULL, NULL},
    {"show", "NAME", "all about a service", 1, 1, 0, WORDS_SERVICE, NULL, NULL},
    {"sessions", "NAME", "the sessions of a service", 1, 1, 0, WORDS_SERVICE,
	NULL, NULL},
    {"stats", "", "counters of the host", 0, 0, 0, WORDS_NONE, NULL, NULL},
    {"check", "", "judge the host's files, change nothing", 0, 0, 0, WORDS_NONE,
	view_check, NULL},
    {"plan", "", "what a reload would change, whose sessions", 0, 0, 0,
	WORDS_NONE, view_plan, NULL},
    {"reload", "", "read the files again and apply them", 0, 0, VERB_CHANGES,
	WORDS_NONE, NULL, NULL},
    {"convert", "FILE", "print a file in another language", 1, 1, 0, WORDS_FILE,
	NULL, convert_run},
    {"suspend", "NAME|all [for TIME]", "let new clients wait", 1, 3,
	VERB_CHANGES, WORDS_SERVICE_OR_ALL, NULL, NULL},
    {"resume", "NAME|all", "serve them", 1, 1, VERB_CHANGES,
	WORDS_SERVICE_OR_ALL, NULL, NULL},
    {"remove", "NAME", "drain a service and unload it", 1, 1, VERB_CHANGES,
	WORDS_SERVICE, NULL, NULL},
    {"dynamic", "NAME TYPE LOCATION ...", "add or change a service", 1,
	WORDS_MANY, VERB_CHANGES | VERB_RAW, WORDS_SERVICE, NULL, NULL},
    {"static", "NAME ...", "add or change a built-in service", 1, WORDS_MANY,
	VERB_CHANGES | VERB_RAW, WORDS_SERVICE, NULL, NULL},
    {"log", "LEVEL", "log so much; reopen opens the log files anew", 1, 1,
	VERB_CHANGES, WORDS_LEVEL, NULL, NULL},
    {"version", "", "of berthctl and of the host", 0, 0, 0, WORDS_NONE,
	view_version, NULL},
    {"help", "[COMMAND]", "the commands that the host knows", 0, 1, 0,
	WORDS_VERB, NULL, NULL},
    {"shutdown", "", "end the host in order", 0, 0, VERB_CHANGES, WORDS_NONE,
	NULL, NULL},
    {NULL, NULL, NULL, 0, 0, 0, WORDS_NONE, NULL, NULL},
};

const struct verb *
verbs_table(void)
{
	return table;
}

const char *const *
verbs_levels(void)
{
	static const char *const levels[] = {
	    "error", "warning", "notice", "info", "debug", "reopen", NULL};

	return levels;
}

const struct verb *
verbs_find(const char *name)
{
	for (const struct verb *verb = table; verb->name != NULL; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}
