/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inetd_merge: lines of inetd.conf have no names.  Those with the same
 * service that differ in their endpoints only are one service with several;
 * one that differs otherwise is a service of its own, with its protocol in
 * its name: `time` and `time-udp`.
 *
 * A program that is handed its endpoint has one, and limits are an
 * endpoint's in inetd: such lines are never put together.
 */
#include "config/config_inetd.h"

#include <errno.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

struct inetd_name {
	UT_hash_handle hh;
	struct directive *directive;
	const char *service; /* its static one */
	bool lost;
};

static struct inetd_name *
find(const struct inetd *inetd, const char *name)
{
	struct inetd_name *found;

	HASH_FIND_STR(inetd->names, name, found);
	return found;
}

void
inetd_names_free(struct inetd *inetd)
{
	HASH_CLEAR(hh, inetd->names);
}

static bool
may_merge(const struct settings *settings)
{
	return !settings->wait && settings->tcpmux == TCPMUX_NO &&
	       settings->instances == 0 && settings->cps.count == 0 &&
	       settings->source_cps.count == 0 && settings->per_source == 0;
}

/* Equal but for the endpoints? */
static bool
agree(const struct directive *a, const struct directive *b)
{
	struct settings settings = *b->settings;
	struct directive other = *b;

	settings.listen = a->settings->listen;
	settings.listen_count = a->settings->listen_count;
	other.settings = &settings;
	return may_merge(a->settings) && may_merge(&settings) &&
	       directive_equal(a, &other);
}

static bool
has_endpoint(const struct settings *settings, const char *text)
{
	for (unsigned i = 0; i < settings->listen_count; i++)
		if (strcmp(settings->listen[i].text, text) == 0)
			return true;
	return false;
}

static int
merge(
    struct reader *reader, struct directive *into, const struct directive *from)
{
	const struct settings *settings = from->settings;
	int result = 0;

	for (unsigned i = 0; i < settings->listen_count && result == 0; i++) {
		const struct endpoint_spec *spec = &settings->listen[i];

		if (has_endpoint(into->settings, spec->text))
			result = reader_tell(reader, &from->name_place,
			    "'%s' on %s is declared twice; the first is in "
			    "line %u",
			    from->name, spec->text, into->name_place.line);
		else
			result = make_listen(
			    reader, into->settings, spec->text, &spec->place);
	}
	return result;
}

static const char *
suffix(const struct directive *directive)
{
	const struct settings *settings = directive->settings;

	if (settings->tcpmux != TCPMUX_NO || settings->listen_count == 0)
		return "tcpmux";
	return endpoint_is_datagram(settings->listen[0].kind) ? "udp" : "tcp";
}

static int
put(struct reader *reader, struct directive *directive)
{
	struct inetd *inetd = reader->inetd;
	struct inetd_name *entry = arena_alloc(
	    reader->tree->arena, sizeof(*entry));

	if (entry == NULL)
		return -ENOMEM;
	entry->directive = directive;
	HASH_ADD_KEYPTR(
	    hh, inetd->names, directive->name, strlen(directive->name), entry);
	if (entry->lost)
		return -ENOMEM;
	TAILQ_INSERT_TAIL(&reader->tree->directives, directive, link);
	return 0;
}

/* Under the next name that is free. */
static int
rename_it(struct reader *reader, struct directive *directive)
{
	const char *old = directive->name;

	for (unsigned i = 1; find(reader->inetd, directive->name); i++) {
		directive->name = i == 1 ? arena_printf(reader->tree->arena,
					       "%s-%s", old, suffix(directive))
					 : arena_printf(reader->tree->arena,
					       "%s-%s-%u", old,
					       suffix(directive), i);
		if (directive->name == NULL)
			return -ENOMEM;
	}
	if (directive->argv != NULL) {
		directive->argv[0] = arena_string(
		    reader->tree->arena, directive->name);
		if (directive->argv[0] == NULL)
			return -ENOMEM;
	}
	if (directive->kind == DIRECTIVE_STATIC)
		return make_instance(reader, directive, old);
	return 0;
}

int
inetd_add(struct reader *reader, struct directive *directive)
{
	struct inetd_name *same = find(reader->inetd, directive->name);
	int result = 0;

	if (same != NULL && agree(same->directive, directive))
		return merge(reader, same->directive, directive);
	if (same != NULL)
		result = rename_it(reader, directive);
	return result != 0 ? result : put(reader, directive);
}
