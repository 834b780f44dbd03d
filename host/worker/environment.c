/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The environment of a program.  Of the host's own it has what says how to
 * find programs, which time zone and language there is, and what `passenv`
 * names: a secret in the host's environment stays there.  Then who it runs as,
 * when a user was named, and `env`, which has the last word.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/worker_priv.h"

#define DEFAULT_PATH                                                           \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *const passed[] = {"TZ", "LANG", "LC_ALL", "LC_CTYPE",
    "LC_COLLATE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"};

/* All that is named here, and the user's four, PATH. */
#define OWN_VARIABLES (BASE_COUNT(passed) + 5)

/* Instead of one of the same name. */
static int
put(struct arena *arena, struct spawn_template *template, const char *variable)
{
	size_t name = strcspn(variable, "=") + 1;
	char *copy = arena_string(arena, variable);
	unsigned i = 0;

	if (copy == NULL)
		return -ENOMEM;
	while (i < template->env_count &&
	       strncmp(template->envp[i], variable, name) != 0)
		i++;
	template->envp[i] = copy;
	if (i == template->env_count)
		template->env_count++;
	return 0;
}

static int
set(struct arena *arena, struct spawn_template *template, const char *name,
    const char *value)
{
	const char *variable;

	if (value == NULL)
		return 0;
	variable = arena_printf(arena, "%s=%s", name, value);
	if (variable == NULL)
		return -ENOMEM;
	return put(arena, template, variable);
}

static int
set_user(struct arena *arena, struct spawn_template *template,
    const struct account *account)
{
	int result = set(arena, template, "USER", account->name);

	if (result == 0)
		result = set(arena, template, "LOGNAME", account->name);
	if (result == 0)
		result = set(arena, template, "HOME", account->home);
	if (result == 0)
		result = set(arena, template, "SHELL", account->shell);
	return result;
}

static int
set_given(struct arena *arena, struct spawn_template *template,
    const struct settings *settings)
{
	int result = 0;

	for (unsigned i = 0; result == 0 && i < settings->passenv.count; i++)
		result = set(arena, template, settings->passenv.word[i],
		    getenv(settings->passenv.word[i]));
	for (unsigned i = 0; result == 0 && i < settings->env.count; i++)
		result = put(arena, template, settings->env.word[i]);
	return result;
}

int
environment_new(struct arena *arena, const struct settings *settings,
    const struct account *account, struct spawn_template *template)
{
	size_t room = OWN_VARIABLES + settings->passenv.count +
		      settings->env.count + SPAWN_VARIABLES + 1;
	const char *path = getenv("PATH");
	int result;

	template->envp = arena_alloc(arena, room * sizeof(char *));
	if (template->envp == NULL)
		return -ENOMEM;
	template->env_count = 0;
	result = set(
	    arena, template, "PATH", path != NULL ? path : DEFAULT_PATH);
	for (unsigned i = 0; result == 0 && i < BASE_COUNT(passed); i++)
		result = set(arena, template, passed[i], getenv(passed[i]));
	if (result == 0 && settings->user != NULL)
		result = set_user(arena, template, account);
	if (result == 0)
		result = set_given(arena, template, settings);
	return result;
}
