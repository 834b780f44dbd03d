/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge: holds what a plugin says of itself against what this host is and what
 * the directive wants.  No code of the plugin is needed for it, but to get at
 * the type object, which repeats the numbers.
 *
 * Each mismatch has a text of its own with both sides' values.  Result: 0, or
 * -ENOEXEC with the error told (-ENOENT for a symbol that is not offered).
 */
#include "plugin/plugin_priv.h"

#include <errno.h>
#include <string.h>

const char *
kind_name(uint32_t kind)
{
	switch (kind) {
	case BERTH_KIND_SERVICE:
		return "Service_Object";
	case BERTH_KIND_MODULE:
		return "Module";
	case BERTH_KIND_STREAM:
		return "STREAM";
	}
	return "thing of an unknown kind";
}

/* who: the file, or the file and the symbol.  Majors equal, minor not newer. */
static int
judge_version(const char *who, unsigned major, unsigned minor,
    const struct report *report)
{
	if (major == BERTH_ABI_MAJOR && minor <= BERTH_ABI_MINOR)
		return 0;
	return complain(report, -ENOEXEC,
	    "%s: needs interface %u.%u, this host has %u.%u: %srebuild the "
	    "plugin",
	    who, major, minor, BERTH_ABI_MAJOR, BERTH_ABI_MINOR,
	    major < BERTH_ABI_MAJOR ? "" : "use a newer host or ");
}

static int
judge_magic(const char *who, const char *what, uint32_t magic,
    const struct report *report)
{
	if (magic == BERTH_MAGIC)
		return 0;
	return complain(report, -ENOEXEC,
	    "%s: the magic of its %s is 0x%08x, not 0x%08x: damaged, or not "
	    "made by <berth/berth.h>",
	    who, what, magic, BERTH_MAGIC);
}

static int
judge_size(const char *who, const char *what, uint32_t size, size_t want,
    const struct report *report)
{
	if (size == want)
		return 0;
	return complain(report, -ENOEXEC,
	    "%s: its %s has %u bytes, in interface %u.%u it has %zu: rebuild "
	    "the plugin",
	    who, what, size, BERTH_ABI_MAJOR, BERTH_ABI_MINOR, want);
}

static bool
is_identifier(const char *name, size_t room)
{
	size_t i;

	for (i = 0; i < room && name[i]; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz0123456789_$.",
			name[i]))
			return false;
	return i > 0 && i < room;
}

size_t
type_size(uint32_t kind)
{
	switch (kind) {
	case BERTH_KIND_SERVICE:
		return sizeof(struct berth_service_type);
	case BERTH_KIND_MODULE:
		return sizeof(struct berth_module_type);
	case BERTH_KIND_STREAM:
		return sizeof(struct berth_stream_type);
	default:
		return 0;
	}
}

static int
judge_offer(
    const char *file, const struct offer *offer, const struct report *report)
{
	const struct berth_descriptor *d = &offer->descriptor;
	int r;

	/* In this order: each makes sense only when those before it do. */
	r = judge_magic(file, "Berth note", d->magic, report);
	if (r == 0)
		r = judge_version(file, d->abi_major, d->abi_minor, report);
	if (r == 0)
		r = judge_size(file, "descriptor", d->size, sizeof(*d), report);
	if (r == 0)
		r = judge_size(
		    file, "Berth note", offer->note_size, sizeof(*d), report);
	if (r < 0)
		return r;
	if (!is_identifier(d->symbol, sizeof(d->symbol)) ||
	    !memchr(d->version, '\0', sizeof(d->version)))
		return complain(report, -ENOEXEC,
		    "%s: its Berth note is damaged: a name or version is not "
		    "text",
		    file);
	return 0;
}

/* --- the one that is wanted ----------------------------------------------- */

static bool
is_factory(uint32_t form)
{
	return form == BERTH_FORM_FACTORY || form == BERTH_FORM_FILTER;
}

static const char *
parentheses(const struct offer *offer)
{
	return is_factory(offer->descriptor.form) ? "()" : "";
}

/* "it offers make_a(), make_b(); did you mean 'make_a'?" */
static int
complain_symbol(const struct facts *facts, const char *file, const char *symbol,
    const struct report *report)
{
	struct suggestion suggestion;
	AUTO_TEXT list;
	unsigned i;

	text_init(&list);
	suggestion_init(&suggestion, symbol);
	for (i = 0; i < facts->offer_count; i++) {
		suggestion_offer(
		    &suggestion, facts->offers[i].descriptor.symbol);
		(void)text_printf(&list, "%s%s%s", i ? ", " : "",
		    facts->offers[i].descriptor.symbol,
		    parentheses(&facts->offers[i]));
	}
	return complain(report, -ENOENT,
	    "%s: no '%s' in it, it offers %s%s%s%s", file, symbol,
	    text_string(&list), suggestion.best ? "; did you mean '" : "",
	    suggestion.best ? suggestion.best : "",
	    suggestion.best ? "'?" : "");
}

static int
judge_form(const struct offer *offer, const char *file,
    const struct plugin_location *where, const struct report *report)
{
	uint32_t form = offer->descriptor.form;

	if (is_factory(form) && !where->factory)
		return complain(report, -ENOEXEC,
		    "%s: '%s' is a factory: write %s()", file, where->symbol,
		    where->symbol);
	if (form == BERTH_FORM_OBJECT && where->factory)
		return complain(report, -ENOEXEC,
		    "%s: '%s' is an object, not a factory: write %s without "
		    "parentheses",
		    file, where->symbol, where->symbol);
	if (!is_factory(form) && form != BERTH_FORM_OBJECT)
		return complain(report, -ENOEXEC,
		    "%s: '%s' is of form %u, which this host does not know",
		    file, where->symbol, form);
	return 0;
}

static int
judge_wanted(const struct facts *facts, const struct offer *offer,
    const char *file, const struct plugin_location *where,
    const struct report *report)
{
	const struct berth_descriptor *d = &offer->descriptor;
	int r;

	if (d->kind != where->kind)
		return complain(report, -ENOEXEC,
		    "%s: '%s' makes a %s, it is declared as %s", file,
		    where->symbol, kind_name(d->kind), kind_name(where->kind));
	r = judge_form(offer, file, where, report);
	if (r == 0 && type_size(d->kind))
		r = judge_size(file, "type object", d->type_size,
		    type_size(d->kind), report);
	if (r == 0 && facts->symbols_known && !offer->exported)
		r = complain(report, -ENOEXEC,
		    "%s: '%s' has a note, but the symbol is not exported", file,
		    where->symbol);
	return r;
}

int
judge(const struct facts *facts, const char *file,
    const struct plugin_location *where, const struct report *report)
{
	unsigned i;
	int r;

	for (i = 0; i < facts->offer_count; i++) {
		r = judge_offer(file, &facts->offers[i], report);
		if (r < 0)
			return r;
	}
	for (i = 0; i < facts->offer_count; i++)
		if (strcmp(facts->offers[i].descriptor.symbol, where->symbol) ==
		    0)
			return judge_wanted(
			    facts, &facts->offers[i], file, where, report);
	return complain_symbol(facts, file, where->symbol, report);
}

/* One style or the other: the hooks would never be called. */
static int
judge_style(const struct berth_session_type *type, const char *who,
    const struct report *report)
{
	const char *hook = NULL;

	if (type->serve == NULL)
		return 0;
	if (type->timeout != NULL)
		hook = "timeout";
	if (type->eof != NULL)
		hook = "eof";
	if (type->output_ready != NULL)
		hook = "output_ready";
	if (type->input != NULL)
		hook = "input";
	if (hook == NULL)
		return 0;
	return complain(report, -ENOEXEC,
	    "%s: has both serve and %s: a session is sequential or driven by "
	    "events, see berth_session(3)",
	    who, hook);
}

static bool
any_hook(void (*const *hooks)(void), size_t count)
{
	while (count > 0 && hooks[count - 1] == NULL)
		count--;
	return count > 0;
}

/* What the file says of itself before its code is there has to be true. */
static int
judge_filter(const struct berth_module_type *type, const char *who,
    const struct report *report)
{
	const struct berth_filter_type *filter = type->filter;

	if (filter == NULL)
		return 0;
	if (any_hook(filter->reserved, BASE_COUNT(filter->reserved)) ||
	    (filter->flags & ~BERTH_FILTER_FLAGS_KNOWN) != 0)
		return complain(report, -ENOEXEC,
		    "%s: its filter has a hook or flag that this host does not "
		    "know",
		    who);
	if (filter->up != NULL || filter->down != NULL || filter->open != NULL)
		return 0;
	return complain(report, -ENOEXEC,
	    "%s: its filter has none of open, up and down: see "
	    "berth_filter(3)",
	    who);
}

/* One style or the other, or a place around connections. */
static int
judge_kind(const void *type, const char *who, uint32_t kind,
    const struct report *report)
{
	const struct berth_service_type *service = type;

	if (kind == BERTH_KIND_SERVICE)
		return judge_style(&service->session, who, report);
	return kind == BERTH_KIND_MODULE ? judge_filter(type, who, report) : 0;
}

static int
judge_hooks(const void *type, const char *who, uint32_t kind,
    const struct report *report)
{
	/* The first members of all kinds are the same. */
	const struct berth_service_type *service = type;
	const struct berth_module_type *module = type;
	const struct berth_stream_type *stream = type;
	uint32_t known = kind == BERTH_KIND_SERVICE ? BERTH_FLAGS_KNOWN : 0;
	bool unknown;

	if ((service->flags & ~known) != 0)
		return complain(report, -ENOEXEC,
		    "%s: sets flags 0x%x, which this host does not know", who,
		    service->flags & ~known);
	if (kind == BERTH_KIND_SERVICE)
		unknown = any_hook(service->session.reserved,
		    BASE_COUNT(service->session.reserved));
	else if (kind == BERTH_KIND_STREAM)
		unknown = any_hook(
		    stream->reserved, BASE_COUNT(stream->reserved));
	else
		unknown = any_hook(
			      module->reserved, BASE_COUNT(module->reserved)) ||
			  any_hook(module->down.reserved,
			      BASE_COUNT(module->down.reserved)) ||
			  any_hook(module->up.reserved,
			      BASE_COUNT(module->up.reserved));
	if (!unknown)
		return judge_kind(type, who, kind, report);
	return complain(report, -ENOEXEC,
	    kind == BERTH_KIND_SERVICE
		? "%s: has a session hook that this host does not know"
		: "%s: has a hook that this host does not know",
	    who);
}

int
judge_type(const void *type, const char *who, uint32_t kind,
    const struct report *report)
{
	const struct berth_type_header *header = type;
	int r;

	r = judge_magic(who, "type object", header->magic, report);
	if (r == 0)
		r = judge_version(
		    who, header->abi_major, header->abi_minor, report);
	if (r == 0 && header->kind != kind)
		r = complain(report, -ENOEXEC,
		    "%s: the type object is a %s, it is declared as %s", who,
		    kind_name(header->kind), kind_name(kind));
	if (r == 0)
		r = judge_size(
		    who, "type object", header->size, type_size(kind), report);
	return r == 0 ? judge_hooks(type, who, kind, report) : r;
}
