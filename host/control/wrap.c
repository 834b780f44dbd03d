/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wrap: where hosts.allow and hosts.deny are, and who asks them, as the
 * settings of the host say.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/control_priv.h"

static const char *
or_else(const char *path, const char *usual)
{
	return path != NULL ? path : usual;
}

static struct wrapper_paths
paths_of(const struct host_settings *settings)
{
	return (struct wrapper_paths){
	    .program = or_else(settings->hosts_access, BERTH_HOSTS_ACCESS),
	    .allow = or_else(settings->hosts_allow, "/etc/hosts.allow"),
	    .deny = or_else(settings->hosts_deny, "/etc/hosts.deny"),
	};
}

int
wrap_open(struct host *host)
{
	const struct wrapper_paths paths = paths_of(&host->settings);

	return wrapper_new(&paths, &host->wrapper);
}

void
wrap_update(struct host *host, const struct host_settings *settings)
{
	const struct wrapper_paths paths = paths_of(settings);

	wrapper_set_paths(host->wrapper, &paths);
}

bool
wrap_has_rules(const struct host *host)
{
	const struct server_wrapper *wrapper = wrapper_ops(host->wrapper);

	return wrapper->has_rules(wrapper->context);
}

/* One that says auto is content while there is nothing to ask. */
static bool
has_to_ask(const struct host *host, const struct directive *directive)
{
	const char *name = directive->settings != NULL
			       ? directive->settings->libwrap
			       : NULL;

	return name != NULL &&
	       (strcmp(name, LIBWRAP_AUTO) != 0 || wrap_has_rules(host));
}

void
wrap_check(
    const struct host *host, const struct tree *tree, struct errors *errors)
{
	const char *program = paths_of(&tree->host).program;
	const struct directive *directive;
	int code = access(program, X_OK) == 0 ? 0 : errno;

	if (code == 0)
		return;
	TAILQ_FOREACH (directive, &tree->directives, link)
		if (has_to_ask(host, directive))
			errors_add(errors, SEVERITY_ERROR, -code,
			    &directive->name_place,
			    "'%s' has libwrap, and '%s', which asks "
			    "hosts.allow and hosts.deny, cannot be run: %s; "
			    "see hosts_access in 'host'",
			    directive->name, program, strerror(code));
}
