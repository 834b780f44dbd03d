/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * static: the services that are linked into the host, by name or alias.  Their
 * type objects are judged as those of plugins are.
 */
#include "plugin/plugin_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool
is_called(const struct berth_static_service *service, const char *name)
{
	return strcmp(service->name, name) == 0 ||
	       (service->alias && strcmp(service->alias, name) == 0);
}

const struct berth_static_service *
plugin_static(struct plugins *plugins, const char *name)
{
	const struct berth_static_service *service = plugins->statics;

	for (; service && service->name; service++)
		if (is_called(service, name))
			return service;
	return NULL;
}

void
plugin_suggest_static(struct plugins *plugins, struct suggestion *suggestion)
{
	const struct berth_static_service *service = plugins->statics;

	for (; service && service->name; service++) {
		suggestion_offer(suggestion, service->name);
		if (service->alias)
			suggestion_offer(suggestion, service->alias);
	}
}

static int
complain_name(
    struct plugins *plugins, const char *name, const struct report *report)
{
	struct suggestion suggestion;

	suggestion_init(&suggestion, name);
	plugin_suggest_static(plugins, &suggestion);
	return complain(report, -ENOENT, "no static service named '%s'%s%s%s",
	    name, suggestion.best ? "; did you mean '" : "",
	    suggestion.best ? suggestion.best : "",
	    suggestion.best ? "'?" : "");
}

int
static_open(struct plugins *plugins, const struct plugin_location *where,
    const struct report *report, const struct berth_service_type **ret_type)
{
	const struct berth_static_service *service;
	const struct berth_service_type *type;
	char who[128];
	int r;

	service = plugin_static(plugins, where->symbol);
	if (!service)
		return complain_name(plugins, where->symbol, report);
	(void)snprintf(who, sizeof(who), "static service '%s'", where->symbol);
	type = service->make();
	if (!type)
		return complain(
		    report, -ENOEXEC, "%s: its factory gave NULL", who);
	r = judge_type(type, who, where->kind, report);
	if (r < 0)
		return r;
	*ret_type = type;
	return 0;
}

int
static_check(struct plugins *plugins, const struct plugin_location *where,
    const struct report *report, struct plugin_identity *ret_identity)
{
	const struct berth_service_type *type;
	int r;

	r = static_open(plugins, where, report, &type);
	if (r < 0)
		return r;
	memset(ret_identity, 0, sizeof(*ret_identity));
	ret_identity->flags_known = true;
	ret_identity->flags = type->flags;
	return 0;
}
