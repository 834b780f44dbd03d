/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format: which language a file is in.
 *
 * It is known by the first line that only one of them could have: a
 * directive's keyword, a dash or a key of YAML, `service NAME`, or the socket
 * type in the second field of inetd.conf.  A file without such a line (all
 * comments) goes by its name, and is svc.conf otherwise.  What a file
 * includes is in its own language.
 */
#include "config/config_formats.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct language {
	const char *name;
	int (*read)(struct reader *reader, const struct source *source);
} languages[] = {
    [CONFIG_AUTO] = {"auto", NULL},
    [CONFIG_SVC] = {"svc", parser_read},
    [CONFIG_INETD] = {"inetd", inetd_read},
    [CONFIG_INETD_FREEBSD] = {"inetd-freebsd", inetd_read},
    [CONFIG_INETD_NETBSD] = {"inetd-netbsd", inetd_read},
    [CONFIG_INETD_OPENBSD] = {"inetd-openbsd", inetd_read},
    [CONFIG_INETD_DEBIAN] = {"inetd-debian", inetd_read},
    [CONFIG_INETD_GNU] = {"inetd-gnu", inetd_read},
    [CONFIG_XINETD] = {"xinetd", xinetd_read},
    [CONFIG_YAML] = {"yaml", yaml_read},
};

const char *
config_format_name(enum config_format format)
{
	return (size_t)format < BASE_COUNT(languages) ? languages[format].name
						      : NULL;
}

int
config_format_parse(const char *name, enum config_format *ret_format)
{
	for (size_t i = 0; i < BASE_COUNT(languages); i++)
		if (strcmp(languages[i].name, name) == 0) {
			*ret_format = (enum config_format)i;
			return 0;
		}
	return -EINVAL;
}

/* --- by content ------------------------------------------------------------
 */

/* The first words of a line. */
struct sample {
	char word[3][48]; /* cut */
	unsigned count;
};

static void
take_sample(const struct line *line, struct sample *sample)
{
	const char *at = line->begin;

	memset(sample, 0, sizeof(*sample));
	while (sample->count < BASE_COUNT(sample->word)) {
		struct place place = line_word(line, &at);
		size_t size = place.length;

		if (size == 0)
			return;
		if (size >= sizeof(sample->word[0]))
			size = sizeof(sample->word[0]) - 1;
		memcpy(sample->word[sample->count++], at - place.length, size);
	}
}

static bool
is_socket_type(const char *word)
{
	static const char *const types[] = {
	    "stream", "dgram", "raw", "rdm", "seqpacket"};

	for (size_t i = 0; i < BASE_COUNT(types); i++) {
		size_t size = strlen(types[i]);

		if (strncmp(word, types[i], size) == 0 &&
		    (word[size] == '\0' || word[size] == ',' ||
			word[size] == ':'))
			return true;
	}
	return false;
}

static bool
looks_like_inetd(const struct sample *sample)
{
	const char *first = sample->word[0];

	if (strcmp(first, ".include") == 0 || strncmp(first, "#@", 2) == 0)
		return true;
	if (sample->count > 1 && is_socket_type(sample->word[1]))
		return true;
	if (sample->count > 2 && (strcmp(sample->word[1], "on") == 0 ||
				     strcmp(sample->word[1], "off") == 0))
		return true;
	/* An address for the lines below. */
	return sample->count == 1 && first[strlen(first) - 1] == ':' &&
	       (strpbrk(first, ".*") != NULL || first[0] == '[');
}

static bool
looks_like_xinetd(const struct sample *sample)
{
	const char *first = sample->word[0], *second = sample->word[1];

	if (strcasecmp(first, "service") == 0)
		return true;
	if (strcasecmp(first, "include") == 0 ||
	    strcasecmp(first, "includedir") == 0)
		return second[0] != '\0' && second[0] != '"' &&
		       second[0] != '\'';
	return false;
}

static bool
looks_like_svc(const struct sample *sample)
{
	static const char *const words[] = {"dynamic", "static", "remove",
	    "suspend", "resume", "stream", "host"};

	if (strncmp(sample->word[0], "include", 7) == 0)
		return sample->word[1][0] == '"' || sample->word[1][0] == '\'';
	for (size_t i = 0; i < BASE_COUNT(words); i++)
		if (strcmp(sample->word[0], words[i]) == 0)
			return true;
	return false;
}

static bool
looks_like_yaml(const struct sample *sample)
{
	const char *first = sample->word[0];

	return strcmp(first, "-") == 0 || strcmp(first, "---") == 0 ||
	       strncmp(first, "%YAML", 5) == 0 || strncmp(first, "[", 1) == 0;
}

static enum config_format
judge(const struct sample *sample)
{
	static const struct {
		bool (*looks)(const struct sample *sample);
		enum config_format format;
	} judges[] = {{looks_like_yaml, CONFIG_YAML},
	    {looks_like_inetd, CONFIG_INETD},
	    {looks_like_xinetd, CONFIG_XINETD}, {looks_like_svc, CONFIG_SVC}};

	for (size_t i = 0; i < BASE_COUNT(judges); i++)
		if (judges[i].looks(sample))
			return judges[i].format;
	return CONFIG_AUTO;
}

static bool
ends_with(const char *name, const char *ending)
{
	size_t size = strlen(name), tail = strlen(ending);

	return size >= tail && strcmp(name + size - tail, ending) == 0;
}

static enum config_format
by_name(const char *name)
{
	static const struct {
		const char *ending;
		enum config_format format;
	} endings[] = {{"xinetd.conf", CONFIG_XINETD},
	    {"inetd.conf", CONFIG_INETD}, {".yaml", CONFIG_YAML},
	    {".yml", CONFIG_YAML}};

	for (size_t i = 0; i < BASE_COUNT(endings); i++)
		if (ends_with(name, endings[i].ending))
			return endings[i].format;
	return strstr(name, "xinetd.d/") != NULL ? CONFIG_XINETD : CONFIG_SVC;
}

enum config_format
format_detect(const struct source *source)
{
	struct line line = {.source = source};
	enum config_format found = CONFIG_AUTO;

	while (found == CONFIG_AUTO && line_next(&line)) {
		struct sample sample;

		take_sample(&line, &sample);
		if (sample.count > 0 &&
		    (sample.word[0][0] != '#' || sample.word[0][1] == '@'))
			found = judge(&sample);
	}
	return found != CONFIG_AUTO ? found : by_name(source->name);
}

/* These say all there is: what they do not mention goes. */
static void
set_exact(struct host_settings *host)
{
	const struct attribute *row = attribute_find(ATTRIBUTE_HOST, "reload");

	BASE_ASSERT(row != NULL);
	host->reload = RELOAD_EXACT;
	given_add(&host->given, (unsigned)(row - attributes(ATTRIBUTE_HOST)));
}

int
format_read(struct reader *reader, const struct source *source)
{
	bool exact;
	int result;

	if (reader->format == CONFIG_AUTO)
		reader->format = format_detect(source);
	exact = reader->format != CONFIG_SVC;
	if (exact)
		set_exact(&reader->tree->host);
	result = languages[reader->format].read(reader, source);
	if (exact)
		reader->tree->host.reload = RELOAD_EXACT;
	return result;
}
