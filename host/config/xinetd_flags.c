/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xinetd_flags: `type` and `flags` of a section of xinetd.conf, and what
 * xinetd does where no flag says otherwise.
 */
#include "config/config_xinetd.h"

#include <string.h>
#include <strings.h>

enum meaning {
	NOTHING, /* it is so already */
	INTERNAL,
	UNLISTED,
	MUX,
	MUX_PLUS,
	IPV4,
	NAME_IN_ARGS,
	KEEPALIVE,
	NODELAY,
	LOST,
	REFUSED
};

struct flag {
	const char *word;
	enum meaning meaning;
	const char *why; /* LOST and REFUSED */
};

static const struct flag type_words[] = {
    {"INTERNAL", INTERNAL, NULL},
    {"UNLISTED", UNLISTED, NULL},
    {"TCPMUX", MUX, NULL},
    {"TCPMUXPLUS", MUX_PLUS, NULL},
    {"SPECIAL", NOTHING, NULL},
    {"RPC", REFUSED, "there is no port mapper"},
    {NULL, NOTHING, NULL},
};

static const struct flag flag_words[] = {
    {"INTERCEPT", LOST, "the first client alone is looked at"},
    {"NORETRY", NOTHING, NULL},
    {"IDONLY", REFUSED, "clients are not asked who their user is"},
    {"NAMEINARGS", NAME_IN_ARGS, NULL},
    {"NODELAY", NODELAY, NULL},
    {"KEEPALIVE", KEEPALIVE, NULL},
    {"NOLIBWRAP", NOTHING, NULL},
    {"SENSOR", REFUSED, "there are no sensors"},
    {"IPv4", IPV4, NULL},
    {"IPv6", NOTHING, NULL},
    {"LABELED", REFUSED, "labels of clients are not looked at"},
    {"REUSE", NOTHING, NULL},
    {NULL, NOTHING, NULL},
};

static int
heed(struct xinetd_making *making, const struct flag *flag,
    const struct value *word)
{
	struct reader *reader = making->reader;

	switch (flag->meaning) {
	case INTERNAL:
		making->internal = true;
		break;
	case UNLISTED:
		making->unlisted = true;
		break;
	case MUX:
		making->mux = "yes";
		break;
	case MUX_PLUS:
		making->mux = "plus";
		break;
	case IPV4:
		making->family = "4";
		break;
	case NAME_IN_ARGS:
		making->name_in_args = true;
		break;
	case LOST:
		reader_warn(reader, &word->place, true,
		    "'%s' is not carried: %s", flag->word, flag->why);
		break;
	case REFUSED:
		return reader_tell(reader, &word->place,
		    "'%s' is not carried: %s", flag->word, flag->why);
	case KEEPALIVE:
	case NODELAY:
	case NOTHING:
		break;
	}
	return 0;
}

static int
unknown_flag(struct reader *reader, const char *key, const struct flag *table,
    const struct value *word)
{
	struct suggestion suggestion;
	struct hint near;

	suggestion_init(&suggestion, word->text);
	for (; table->word != NULL; table++)
		suggestion_offer(&suggestion, table->word);
	return reader_tell(reader, &word->place, "unknown %s '%.60s'%s", key,
	    word->text, hint(&suggestion, &near));
}

static int
heed_all(
    struct xinetd_making *making, const char *key, const struct flag *table)
{
	const struct xinetd_line *line = xinetd_find(making->section, key);
	int result = 0;

	for (unsigned i = 0; line != NULL && i < line->count && result == 0;
	     i++) {
		const struct flag *flag = table;

		while (flag->word != NULL &&
		       strcasecmp(flag->word, line->values[i].text) != 0)
			flag++;
		result = flag->word == NULL
			     ? unknown_flag(
				   making->reader, key, table, &line->values[i])
			     : heed(making, flag, &line->values[i]);
	}
	return result;
}

int
xinetd_heed_flags(struct xinetd_making *making)
{
	int result = heed_all(making, "type", type_words);

	return result != 0 ? result : heed_all(making, "flags", flag_words);
}

/* Flags that are attributes of ours. */
int
xinetd_set_flags(struct xinetd_making *making)
{
	static const char *const words[][2] = {
	    {"KEEPALIVE", "keepalive"}, {"NODELAY", "nodelay"}};
	int result = 0;

	for (size_t i = 0; i < BASE_COUNT(words) && result == 0; i++)
		if (xinetd_has(making->section, "flags", words[i][0]))
			result = make_set_word(making->reader,
			    making->directive->settings, words[i][1], "yes",
			    &making->section->name.place);
	return result;
}

/* What xinetd does without being told. */
int
xinetd_set_wrap(struct xinetd_making *making)
{
	const struct config_options *options = making->reader->options;
	struct settings *settings = making->directive->settings;

	if (options == NULL || !options->wraps || settings->libwrap != NULL ||
	    xinetd_has(making->section, "flags", "NOLIBWRAP"))
		return 0;
	return make_set_word(making->reader, settings, "libwrap", LIBWRAP_AUTO,
	    &making->section->name.place);
}
