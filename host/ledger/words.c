/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words: log_type and the lists of what is shown, read into what they mean.
 *
 * The readers of the configuration have judged the words already; what they
 * could not know is told here, at the place of log_type.
 */
#define SYSLOG_NAMES
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "ledger/ledger_priv.h"

/* What xinetd adds to a soft limit when there is no hard one. */
#define HARD_LEAST UINT64_C(5120)
#define HARD_MOST UINT64_C(20480)

static int
code_of(const CODE *names, const char *word)
{
	for (; names->c_name != NULL; names++)
		if (strcasecmp(names->c_name, word) == 0)
			return names->c_val;
	return -1;
}

/* 4096, 100k, 2M. */
static int
read_bytes(const char *word, uint64_t *ret_bytes)
{
	char *end;
	unsigned long long number;
	unsigned shift = 0;

	errno = 0;
	number = strtoull(word, &end, 10);
	if (end == word || errno != 0)
		return -EINVAL;
	if (*end == 'k' || *end == 'K')
		shift = 10;
	else if (*end == 'm' || *end == 'M')
		shift = 20;
	if (shift != 0)
		end++;
	if (*end != '\0' || number == 0 || number > UINT64_MAX >> (shift + 1))
		return -EINVAL;
	*ret_bytes = (uint64_t)number << shift;
	return 0;
}

static uint64_t
default_hard(uint64_t soft)
{
	uint64_t more = soft / 100;

	if (more < HARD_LEAST)
		more = HARD_LEAST;
	return soft + (more > HARD_MOST ? HARD_MOST : more);
}

static const char *
read_file(const struct word_list *words, struct sink_spec *spec)
{
	spec->path = words->word[1];
	if (words->count < 3)
		return NULL;
	if (read_bytes(words->word[2], &spec->soft_bytes) < 0)
		return "the soft limit is no number of bytes";
	spec->hard_bytes = default_hard(spec->soft_bytes);
	if (words->count > 3 &&
	    read_bytes(words->word[3], &spec->hard_bytes) < 0)
		return "the hard limit is no number of bytes";
	return spec->hard_bytes < spec->soft_bytes
		   ? "the hard limit is below the soft one"
		   : NULL;
}

static const char *
read_syslog(const struct word_list *words, struct sink_spec *spec)
{
	int facility = LOG_DAEMON, level = LOG_INFO;

	if (words->count > 1)
		facility = code_of(facilitynames, words->word[1]);
	if (words->count > 2)
		level = code_of(prioritynames, words->word[2]);
	if (facility < 0)
		return "there is no such facility";
	if (level < 0)
		return "there is no such level";
	spec->priority = facility | level;
	return NULL;
}

int
words_read_sink(const struct settings *settings, const char *service,
    struct errors *errors, struct sink_spec *ret_spec)
{
	const struct word_list *words = &settings->log_type;
	struct sink_spec spec = {.kind = SINK_HOST, .priority = LOG_INFO};
	const char *first = words->count > 0 ? words->word[0] : "HOST";
	const char *mistake = NULL;

	if (strcmp(first, "FILE") == 0 && words->count > 1) {
		spec.kind = SINK_FILE;
		mistake = read_file(words, &spec);
	} else if (strcmp(first, "SYSLOG") == 0) {
		spec.kind = SINK_SYSLOG;
		mistake = read_syslog(words, &spec);
	} else if (strcmp(first, "JOURNAL") == 0) {
		spec.kind = SINK_JOURNAL;
	}
	if (mistake != NULL) {
		errors_add(errors, SEVERITY_ERROR, -EINVAL,
		    settings_place(settings, "log_type"),
		    "log_type of '%s': %s", service, mistake);
		return -EINVAL;
	}
	*ret_spec = spec;
	return 0;
}

unsigned
words_shown(const struct word_list *words)
{
	static const struct {
		const char *word;
		unsigned bit;
	} rows[] = {
	    {"PID", SHOW_PID},
	    {"HOST", SHOW_HOST},
	    {"EXIT", SHOW_EXIT},
	    {"DURATION", SHOW_DURATION},
	    {"TRAFFIC", SHOW_TRAFFIC},
	    {"ATTEMPT", SHOW_ATTEMPT},
	    {"USERID", SHOW_USERID},
	};
	unsigned shown = 0;

	for (unsigned i = 0; i < words->count; i++)
		for (size_t j = 0; j < BASE_COUNT(rows); j++)
			if (strcmp(rows[j].word, words->word[i]) == 0)
				shown |= rows[j].bit;
	return shown;
}
