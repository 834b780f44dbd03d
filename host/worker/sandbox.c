/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox: made once for all starts of a program, from the words of its
 * settings.  Each subject is a file of its own.
 *
 * What the administrator asks for and the machine does not have is an error by
 * default: a sandbox with a hole that nobody knows of is worse than none.  With
 * `sandbox_strict = no` it is left out, and kept as text for who looks.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "worker/filter.h"
#include "worker/groups.h"

const struct place *
sandbox_place(const struct sandbox_maker *maker, const char *attribute)
{
	const struct place *place = settings_place(
	    maker->request->settings, attribute);

	return place != NULL ? place : maker->place;
}

int
sandbox_mistake(
    struct sandbox_maker *maker, const char *attribute, const char *format, ...)
{
	AUTO_TEXT text;
	va_list ap;

	text_init(&text);
	va_start(ap, format);
	text_vprintf(&text, format, ap);
	va_end(ap);
	errors_add(maker->errors, SEVERITY_ERROR, -EINVAL,
	    sandbox_place(maker, attribute), "'%s': %s: %s",
	    maker->request->name, attribute, text_string(&text));
	return -EINVAL;
}

int
sandbox_lack(struct sandbox_maker *maker, int code, const char *attribute,
    const char *format, ...)
{
	AUTO_TEXT text;
	va_list ap;

	text_init(&text);
	va_start(ap, format);
	text_vprintf(&text, format, ap);
	va_end(ap);
	if (!maker->request->settings->sandbox_strict) {
		text_printf(&maker->missing, "%s%s (%s)",
		    maker->missing.size > 0 ? ", " : "", attribute,
		    text_string(&text));
		return maker->missing.failed ? -ENOMEM : 0;
	}
	errors_add(maker->errors, SEVERITY_ERROR, code,
	    sandbox_place(maker, attribute),
	    "'%s': %s: %s; 'sandbox_strict = no' goes on without",
	    maker->request->name, attribute, text_string(&text));
	return code;
}

static bool
is_wanted(const struct settings *settings)
{
	return settings->capability_bounding_set.is_set ||
	       settings->ambient_capabilities.is_set ||
	       settings->system_call_filter.is_set || paths_wanted(settings) ||
	       groups_wanted(settings);
}

static void
close_all(struct spawn_sandbox *sandbox)
{
	if (sandbox->ruleset_fd != 0)
		close(sandbox->ruleset_fd);
	sandbox->ruleset_fd = 0;
	sandbox->group = group_unref(sandbox->group);
}

static int
keep_missing(struct sandbox_maker *maker, struct spawn_template *template)
{
	if (maker->missing.size == 0)
		return 0;
	template->not_applied = arena_string(
	    maker->arena, text_string(&maker->missing));
	return template->not_applied == NULL ? -ENOMEM : 0;
}

int
sandbox_new(struct sandbox_maker *maker, struct spawn_template *template)
{
	struct spawn_sandbox *sandbox;
	int result;

	if (!is_wanted(maker->request->settings))
		return 0;
	sandbox = arena_alloc(maker->arena, sizeof(*sandbox));
	if (sandbox == NULL)
		return -ENOMEM;
	text_init(&maker->missing);
	result = capabilities_new(maker, sandbox);
	if (result == 0)
		result = paths_new(maker, sandbox);
	if (result == 0)
		result = filter_new(maker, sandbox);
	if (result == 0)
		result = groups_join(maker, sandbox);
	if (result == 0)
		result = keep_missing(maker, template);
	text_fini(&maker->missing);
	if (result < 0) {
		close_all(sandbox);
		return result;
	}
	template->sandbox = sandbox;
	/* Else only the mightiest could restrict themselves. */
	if (sandbox->ruleset_fd != 0 || sandbox->filter != NULL)
		template->no_new_privs = true;
	return 0;
}

void
template_warn(const struct spawn_template *template, const struct place *place,
    const char *name, struct errors *errors)
{
	if (template->not_applied != NULL)
		errors_add(errors, SEVERITY_WARNING, 0, place,
		    "'%s' goes on without %s", name, template->not_applied);
}

void
template_release(struct spawn_template *template)
{
	if (template != NULL && template->sandbox != NULL)
		close_all(template->sandbox);
}
