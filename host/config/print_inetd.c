/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print_inetd: a tree as lines of inetd.conf, one for each endpoint.
 *
 * It holds programs and internal services, their users, how they wait, and
 * rates of a minute or FreeBSD's three numbers; names only if they are what
 * the reader would make of the service.
 */
#include "config/config_formats.h"

#include <stdlib.h>
#include <string.h>

static const char *const carried[] = {"listen", "user", "group", "wait",
    "argv0", "tcpmux", "instances", "per_source", "source_cps", "cps",
    "socket_user", "socket_group", "socket_mode", "receive_buffer",
    "send_buffer", NULL};

struct line_of {
	struct printing *printing;
	const struct directive *directive;
	const struct settings *settings;
	const struct endpoint_spec *spec; /* NULL: reached by tcpmux */
	const char *internal;
};

static void
lose(const struct line_of *line, const char *what)
{
	printing_lose(line->printing, &line->directive->name_place,
	    "%s of '%s' is not carried", what, line->directive->name);
}

/* --- the service -----------------------------------------------------------
 */

static const char *
family(const struct line_of *line)
{
	enum config_format format = line->printing->format;
	enum endpoint_kind kind = line->spec->kind;
	const char *host = line->spec->host;

	if (strchr(host, ':') != NULL)
		return "6";
	if (kind == ENDPOINT_TCP4 || kind == ENDPOINT_UDP4)
		return "4";
	if (kind == ENDPOINT_TCP6 || kind == ENDPOINT_UDP6)
		return format == CONFIG_INETD_GNU ? "6only" : "6";
	if (strspn(host, "0123456789.") == strlen(host) ||
	    format == CONFIG_INETD || format == CONFIG_INETD_DEBIAN)
		return "";
	if (format == CONFIG_INETD_GNU)
		return "6";
	if (format == CONFIG_INETD_FREEBSD)
		return "46";
	lose(line, "IPv6");
	return "";
}

static void
put_owner(const struct line_of *line)
{
	const struct settings *settings = line->settings;

	bool mode = printing_has(line->directive, "socket_mode");

	if (!mode && !printing_has(line->directive, "socket_user") &&
	    !printing_has(line->directive, "socket_group") &&
	    line->printing->format != CONFIG_INETD_FREEBSD)
		return;
	text_printf(line->printing->text, ":%s:%s:",
	    settings->socket_user != NULL ? settings->socket_user : "",
	    settings->socket_group != NULL ? settings->socket_group : "");
	/* An empty one is the reader's default. */
	if (mode)
		text_printf(
		    line->printing->text, "%04o", settings->socket_mode);
	text_printf(line->printing->text, ":");
}

static void
put_where(const struct line_of *line)
{
	struct text *text = line->printing->text;
	const struct endpoint_spec *spec = line->spec;

	if (spec == NULL) {
		text_printf(text, "tcpmux/%s%s stream tcp",
		    line->settings->tcpmux == TCPMUX_PLUS ? "+" : "",
		    line->directive->name);
		return;
	}
	if (spec->host == NULL) {
		put_owner(line);
		text_printf(text, "%s %s unix", spec->path,
		    spec->kind == ENDPOINT_UNIX		? "stream"
		    : spec->kind == ENDPOINT_UNIX_DGRAM ? "dgram"
							: "seqpacket");
		return;
	}
	if (strchr(spec->host, ':') != NULL)
		text_printf(text, "[%s]:", spec->host);
	else if (strcmp(spec->host, "*") != 0)
		text_printf(text, "%s:", spec->host);
	text_printf(text, "%s %s %s%s", spec->port,
	    endpoint_is_datagram(spec->kind) ? "dgram" : "stream",
	    endpoint_is_datagram(spec->kind) ? "udp" : "tcp", family(line));
}

static void
put_buffers(const struct line_of *line)
{
	struct text *text = line->printing->text;

	if (line->settings->send_buffer_bytes != 0)
		text_printf(text, ",sndbuf=%llu",
		    (unsigned long long)line->settings->send_buffer_bytes);
	if (line->settings->receive_buffer_bytes != 0)
		text_printf(text, ",rcvbuf=%llu",
		    (unsigned long long)line->settings->receive_buffer_bytes);
}

/* --- how -------------------------------------------------------------------
 */

static bool
is_rate(const struct rate *rate, uint64_t pause_ms)
{
	return rate->per_ms == 60000 && rate->pause_ms == pause_ms;
}

static void
put_rates(const struct line_of *line)
{
	const struct settings *settings = line->settings;
	const struct rate *rate = &settings->cps;
	const struct rate *source = &settings->source_cps;
	struct text *text = line->printing->text;
	bool children = settings->instances != 0 || settings->per_source != 0 ||
			source->count != 0;

	if (rate->count != 0 && (children || !is_rate(rate, 600000)))
		lose(line, "'cps'");
	else if (rate->count != 0)
		text_printf(text, ".%u", rate->count);
	if (source->count != 0 && !is_rate(source, 0))
		lose(line, "the pause of 'source_cps'");
	if (!children)
		return;
	text_printf(text, "/%u", settings->instances);
	if (source->count != 0 || settings->per_source != 0)
		text_printf(text, "/%u", source->count);
	if (settings->per_source != 0)
		text_printf(text, "/%u", settings->per_source);
}

static void
put_user(const struct line_of *line)
{
	const struct settings *settings = line->settings;
	const char *user = settings->user;

	if (user == NULL && line->internal == NULL)
		lose(line, "the host's user as the user");
	text_printf(line->printing->text, " %s", user != NULL ? user : "root");
	if (settings->group != NULL)
		text_printf(line->printing->text, ":%s", settings->group);
}

/* --- what ------------------------------------------------------------------
 */

static void
put_word(const struct line_of *line, const char *word)
{
	struct text *text = line->printing->text;
	bool quotes = line->printing->format == CONFIG_INETD_NETBSD;
	bool plain = printing_is_word(word) &&
		     !(quotes && (word[0] == '"' || word[0] == '\''));

	if (plain) {
		text_printf(text, " %s", word);
		return;
	}
	if (!quotes || strpbrk(word, "\n\r") != NULL ||
	    (strchr(word, '"') != NULL && strchr(word, '\'') != NULL)) {
		printing_lose(line->printing, &line->directive->arguments_place,
		    "an argument of '%s' with blanks in it is not carried",
		    line->directive->name);
		return;
	}
	text_printf(
	    text, strchr(word, '"') == NULL ? " \"%s\"" : " '%s'", word);
}

static void
put_program(const struct line_of *line)
{
	const struct directive *directive = line->directive;
	const char *slash = strrchr(directive->path, '/');

	put_word(line, directive->path);
	put_word(line,
	    line->settings->argv0 != NULL ? line->settings->argv0 : slash + 1);
	for (int i = 1; i < directive->argc; i++)
		put_word(line, directive->argv[i]);
}

static void
put_line(const struct line_of *line)
{
	struct text *text = line->printing->text;
	bool waits = line->settings->wait ||
		     (line->internal != NULL && line->spec != NULL &&
			 endpoint_is_datagram(line->spec->kind));

	put_where(line);
	put_buffers(line);
	text_printf(text, waits ? " wait" : " nowait");
	put_rates(line);
	put_user(line);
	if (line->internal != NULL)
		text_printf(text, " internal");
	else
		put_program(line);
	text_printf(text, "\n");
}

/* --- services --------------------------------------------------------------
 */

/* Would the reader give it that name? */
static bool
is_its_name(const struct directive *directive)
{
	const struct endpoint_spec *spec = directive->settings->listen;
	const char *from, *name = directive->name;
	size_t size;

	if (directive->settings->listen_count == 0)
		return true;
	from = spec->host != NULL ? spec->port : strrchr(spec->path, '/');
	if (from == NULL)
		return false;
	from += spec->host != NULL ? 0 : 1;
	size = strlen(from);
	return strncmp(name, from, size) == 0 &&
	       (name[size] == '\0' || strncmp(name + size, "-tcp", 4) == 0 ||
		   strncmp(name + size, "-udp", 4) == 0);
}

static bool
can_be_several(const struct settings *settings)
{
	return !settings->wait && settings->instances == 0 &&
	       settings->per_source == 0 && settings->cps.count == 0 &&
	       settings->source_cps.count == 0;
}

static void
check_name(const struct line_of *line)
{
	const struct directive *directive = line->directive;
	const char *name = directive->name;

	if (!is_its_name(directive) ||
	    (line->internal != NULL && line->spec != NULL &&
		strcmp(line->internal,
		    line->spec->port != NULL ? line->spec->port : "") != 0))
		printing_lose(line->printing, &directive->name_place,
		    "the name '%s' is not carried: services are named by "
		    "their port",
		    name);
}

static void
put_service(struct printing *printing, const struct directive *directive)
{
	struct line_of line = {printing, directive, directive->settings, NULL,
	    printing_internal(directive)};
	unsigned count = directive->settings->listen_count;

	if (line.internal == NULL && directive->type != CONFIG_KIND_PROGRAM) {
		printing_lose(printing, &directive->name_place,
		    "'%s' is not carried: it is neither a program nor "
		    "internal",
		    directive->name);
		return;
	}
	printing_lose_rest(printing, directive, carried);
	if (line.internal != NULL && directive->argc > 1)
		lose(&line, "the arguments");
	if (count > 1 && !can_be_several(directive->settings))
		lose(&line, "that limits hold for all endpoints");
	if (count == 0 && directive->settings->tcpmux == TCPMUX_NO)
		lose(&line, "that nobody reaches it: a line");
	if (directive->settings->tcpmux != TCPMUX_NO)
		put_line(&line);
	for (unsigned i = 0; i < count; i++) {
		line.spec = &directive->settings->listen[i];
		if (i == 0)
			check_name(&line);
		put_line(&line);
	}
}

void
print_inetd(struct printing *printing)
{
	const struct directive *directive;

	TAILQ_FOREACH (directive, &printing->tree->directives, link)
		if (printing_is_service(printing, directive))
			put_service(printing, directive);
}
