/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print_xinetd: a tree as sections of xinetd.conf, one for each endpoint.
 */
#include "config/config_formats.h"

#include <inttypes.h>
#include <string.h>

static const char *const carried[] = {"listen", "user", "group", "groups",
    "wait", "argv0", "tcpmux", "nice", "umask", "env", "passenv", "rlimit_as",
    "rlimit_cpu", "rlimit_data", "rlimit_rss", "rlimit_stack", "rlimit_files",
    "instances", "per_source", "cps", "max_load", "only_from", "no_access",
    "access_times", "libwrap", "log_type", "log_on_success", "log_on_failure",
    "banner", "banner_success", "banner_fail", "v6only", "keepalive", "nodelay",
    NULL};

struct section {
	struct printing *printing;
	const struct directive *directive;
	const struct settings *settings;
	const struct endpoint_spec *spec; /* NULL: reached by tcpmux */
	unsigned index;			  /* of the endpoint */
	const char *internal;
	bool relay;
};

static void
lose(const struct section *section, const char *what)
{
	printing_lose(section->printing, &section->directive->name_place,
	    "%s of '%s' is not carried", what, section->directive->name);
}

static void
put(const struct section *section, const char *key, const char *value)
{
	text_printf(section->printing->text, "\t%s = %s\n", key, value);
}

/* --- attributes ------------------------------------------------------------
 */

static void
put_rlimit(
    const struct section *section, const struct attribute *row, uint64_t value)
{
	struct text *text = section->printing->text;

	if (value == RLIMIT_UNLIMITED)
		put(section, row->name, "UNLIMITED");
	else if (value != RLIMIT_INHERIT)
		text_printf(text, "\t%s = %" PRIu64 "\n", row->name, value);
}

static void
put_rate(const struct section *section, const struct rate *rate)
{
	if (rate->count == 0)
		return;
	if (rate->per_ms != 1000 || rate->pause_ms % 1000 != 0) {
		lose(section, "'cps' of another time than a second");
		return;
	}
	text_printf(section->printing->text, "\tcps = %u %" PRIu64 "\n",
	    rate->count, rate->pause_ms / 1000);
}

static void
put_words(const struct section *section, const struct attribute *row,
    const struct word_list *words)
{
	struct text *text = section->printing->text;

	text_printf(text, "\t%s =", row->name);
	for (unsigned i = 0; i < words->count; i++) {
		if (printing_is_word(words->word[i]))
			text_printf(text, " %s", words->word[i]);
		else
			lose(section, "a value with blanks");
	}
	text_printf(text, "\n");
}

/* It knows files and syslog. */
static void
put_log_type(const struct section *section, const struct attribute *row,
    const struct word_list *words)
{
	const char *first = words->count > 0 ? words->word[0] : "HOST";

	if (strcmp(first, "FILE") == 0 || strcmp(first, "SYSLOG") == 0)
		put_words(section, row, words);
	else
		lose(section, "a log of neither a file nor syslog");
}

static void
put_attribute(const struct section *section, const struct attribute *row)
{
	const void *field = (const char *)section->settings + row->offset;
	const char *const *string = field;
	struct text *text = section->printing->text;

	switch (row->kind) {
	case VALUE_RLIMIT:
	case VALUE_RLIMIT_SIZE:
		put_rlimit(section, row, *(const uint64_t *)field);
		break;
	case VALUE_RATE:
		put_rate(section, field);
		break;
	case VALUE_WORDS:
		put_words(section, row, field);
		break;
	case VALUE_LOG_TYPE:
		put_log_type(section, row, field);
		break;
	case VALUE_PATH:
	case VALUE_WORD:
		if (field == &section->settings->libwrap && *string != NULL &&
		    strcmp(*string, LIBWRAP_AUTO) == 0)
			break; /* as it is there anyway */
		if (*string != NULL && printing_is_word(*string))
			put(section, row->name, *string);
		else
			lose(section, "a value with blanks");
		break;
	case VALUE_LIMIT:
		if (*(const unsigned *)field == 0) {
			put(section, row->name, "UNLIMITED");
			break;
		}
		/* fall through */
	default:
		text_printf(text, "\t%s = ", row->name);
		attribute_print(row, section->settings, text);
		text_printf(text, "\n");
		break;
	}
}

static void
put_attributes(const struct section *section)
{
	static const char *const elsewhere[] = {
	    "listen", "wait", "argv0", "tcpmux", "keepalive", "nodelay", NULL};
	const struct attribute *row = attributes(ATTRIBUTE_SERVICE);
	bool user = section->settings->user != NULL;

	for (unsigned i = 0; row[i].name != NULL; i++) {
		const char *const *word = carried, *const *other = elsewhere;

		while (*word != NULL && strcmp(*word, row[i].name) != 0)
			word++;
		while (*other != NULL && strcmp(*other, row[i].name) != 0)
			other++;
		if (*word != NULL && *other == NULL &&
		    given_has(&section->settings->given, i))
			put_attribute(section, &row[i]);
	}
	if (user || section->internal != NULL || section->relay)
		return;
	lose(section, "the host's user as the user");
	put(section, "user", "root");
}

/* --- where -----------------------------------------------------------------
 */

static bool
is_number(const char *port)
{
	return strspn(port, "0123456789") == strlen(port);
}

static void
put_type(const struct section *section)
{
	struct text *text = section->printing->text;
	bool unlisted = section->spec == NULL || is_number(section->spec->port);

	if (section->internal == NULL && !unlisted)
		return;
	text_printf(text, "\ttype =%s%s%s\n",
	    section->internal != NULL ? " INTERNAL" : "",
	    section->spec != NULL		       ? ""
	    : section->settings->tcpmux == TCPMUX_PLUS ? " TCPMUXPLUS"
						       : " TCPMUX",
	    unlisted ? " UNLISTED" : "");
	if (section->spec != NULL && unlisted)
		put(section, "port", section->spec->port);
}

static bool
is_of(const struct section *section, enum endpoint_kind a, enum endpoint_kind b)
{
	return section->spec != NULL &&
	       (section->spec->kind == a || section->spec->kind == b);
}

static void
put_flags(const struct section *section)
{
	const struct directive *directive = section->directive;
	bool four = is_of(section, ENDPOINT_TCP4, ENDPOINT_UDP4);
	bool args = section->settings->argv0 != NULL;
	unsigned row = (unsigned)(attribute_find(ATTRIBUTE_SERVICE, "nodelay") -
				  attributes(ATTRIBUTE_SERVICE));
	bool nodelay = section->settings->nodelay &&
		       given_has(&section->settings->given, row);
	bool keepalive = printing_has(directive, "keepalive");

	if (is_of(section, ENDPOINT_TCP6, ENDPOINT_UDP6)) {
		lose(section, "IPv6 alone, but by 'v6only',");
		put(section, "v6only", "yes");
	}
	if (!four && !args && !nodelay && !keepalive)
		return;
	text_printf(section->printing->text, "\tflags =%s%s%s%s\n",
	    four ? " IPv4" : "", args ? " NAMEINARGS" : "",
	    nodelay ? " NODELAY" : "", keepalive ? " KEEPALIVE" : "");
}

static void
put_where(const struct section *section)
{
	bool datagram = section->spec != NULL &&
			endpoint_is_datagram(section->spec->kind);

	put_type(section);
	put(section, "socket_type", datagram ? "dgram" : "stream");
	put(section, "protocol", datagram ? "udp" : "tcp");
	if (section->spec != NULL && strcmp(section->spec->host, "*") != 0)
		put(section, "bind", section->spec->host);
	put_flags(section);
}

/* --- what ------------------------------------------------------------------
 */

static void
put_arguments(const struct section *section, const char *key)
{
	const struct directive *directive = section->directive;
	const char *argv0 = section->settings->argv0;
	struct text *text = section->printing->text;

	if (directive->argc < 2 && argv0 == NULL)
		return;
	text_printf(text, "\t%s =", key);
	if (argv0 != NULL)
		text_printf(text, " %s", argv0);
	for (int i = 1; i < directive->argc; i++) {
		if (printing_is_word(directive->argv[i]) &&
		    directive->argv[i][0] != '#')
			text_printf(text, " %s", directive->argv[i]);
		else
			lose(section, "an argument with blanks or '#'");
	}
	text_printf(text, "\n");
}

static void
put_what(const struct section *section)
{
	const struct directive *directive = section->directive;

	put(section, "wait",
	    section->settings->wait ||
		    (section->internal != NULL && section->spec != NULL &&
			endpoint_is_datagram(section->spec->kind))
		? "yes"
		: "no");
	if (section->relay)
		put_arguments(section, "redirect");
	if (section->internal != NULL || section->relay)
		return;
	if (!printing_is_word(directive->path))
		lose(section, "a path with blanks");
	put(section, "server", directive->path);
	put_arguments(section, "server_args");
}

static void
put_section(const struct section *section)
{
	const struct directive *directive = section->directive;
	const char *name = section->internal;
	struct text *text = section->printing->text;

	if (name == NULL)
		name = section->spec == NULL || is_number(section->spec->port)
			   ? directive->name
			   : section->spec->port;
	text_printf(text, "service %s\n{\n", name);
	if (section->index > 0)
		text_printf(
		    text, "\tid = %s-%u\n", directive->name, section->index);
	else if (strcmp(name, directive->name) != 0)
		put(section, "id", directive->name);
	put_where(section);
	put_what(section);
	put_attributes(section);
	text_printf(text, "}\n\n");
}

/* --- services --------------------------------------------------------------
 */

static bool
is_relay(const struct directive *directive)
{
	return directive->type == BERTH_KIND_SERVICE &&
	       directive->path != NULL &&
	       strcmp(directive->path, "redirect") == 0 && directive->argc == 3;
}

static void
put_endpoint(struct section *section)
{
	const struct endpoint_spec *spec = section->spec;

	if (spec->host == NULL)
		printing_lose(section->printing,
		    &section->directive->name_place,
		    "'%s' of '%s' is not carried: there are no Unix sockets",
		    spec->text, section->directive->name);
	else if (section->internal != NULL && !is_number(spec->port) &&
		 strcmp(spec->port, section->internal) != 0)
		lose(section, "an internal service on another port's name");
	else
		put_section(section);
}

static void
put_service(struct printing *printing, const struct directive *directive)
{
	const struct settings *settings = directive->settings;
	struct section section = {printing, directive, settings, NULL, 0,
	    printing_internal(directive), is_relay(directive)};

	if (section.internal == NULL && !section.relay &&
	    directive->type != CONFIG_KIND_PROGRAM) {
		lose(&section, "what is neither a program nor internal");
		return;
	}
	printing_lose_rest(printing, directive, carried);
	if (section.internal != NULL && directive->argc > 1)
		lose(&section, "the arguments");
	if (settings->listen_count + (settings->tcpmux != TCPMUX_NO) != 1)
		lose(&section, "having not one endpoint");
	if (settings->tcpmux != TCPMUX_NO)
		put_section(&section);
	for (unsigned i = 0; i < settings->listen_count; i++) {
		section.spec = &settings->listen[i];
		section.index = i;
		put_endpoint(&section);
	}
}

void
print_xinetd(struct printing *printing)
{
	const struct directive *directive;

	TAILQ_FOREACH (directive, &printing->tree->directives, link)
		if (printing_is_service(printing, directive))
			put_service(printing, directive);
}
