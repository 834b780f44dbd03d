/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xinetd_words: lines of a section, looked up; and those that are words of
 * ours as well, which a table names.
 *
 * A section's `=` replaces what `defaults` said, `+=` and `-=` change it.
 * What concerns programs alone is not looked at for services of the host.
 */
#include "config/config_xinetd.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct xinetd_line *
xinetd_find(struct xinetd_section *section, const char *key)
{
	struct xinetd_line *line, *first = NULL;

	if (section == NULL)
		return NULL;
	TAILQ_FOREACH (line, &section->lines, link)
		if (strcmp(line->key.text, key) == 0) {
			line->used = true;
			first = first != NULL ? first : line;
		}
	return first;
}

bool
xinetd_has(struct xinetd_section *section, const char *key, const char *word)
{
	const struct xinetd_line *line = xinetd_find(section, key);

	for (unsigned i = 0; line != NULL && i < line->count; i++)
		if (strcasecmp(line->values[i].text, word) == 0)
			return true;
	return false;
}

int
xinetd_word(struct reader *reader, struct xinetd_section *section,
    const char *key, struct value *ret_value)
{
	const struct xinetd_line *line = xinetd_find(section, key);

	*ret_value = (struct value){.text = NULL};
	if (line == NULL)
		return 0;
	if (line->how != TOKEN_ASSIGN)
		return reader_tell(reader, &line->how_place,
		    "'%s' is no list, and is set with '='", key);
	if (line->count != 1)
		return reader_tell(reader,
		    line->count == 0 ? &line->how_place
				     : &line->values[1].place,
		    "'%s' takes one value", key);
	*ret_value = line->values[0];
	return 0;
}

int
xinetd_flag(struct reader *reader, struct xinetd_section *section,
    const char *key, bool *ret_flag)
{
	struct value value;
	int result = xinetd_word(reader, section, key, &value);

	if (result != 0 || value.text == NULL)
		return result;
	if (strcasecmp(value.text, "yes") != 0 &&
	    strcasecmp(value.text, "no") != 0)
		return reader_tell(reader, &value.place,
		    "%s: '%.60s' is none of: yes | no", key, value.text);
	*ret_flag = strcasecmp(value.text, "yes") == 0;
	return 0;
}

/* --- the same words --------------------------------------------------------
 */

static const struct same {
	const char *key;
	bool list;    /* += and -= */
	bool program; /* of programs only */
	bool defaults;
} rows[] = {
    {"user", false, true, false},
    {"group", false, true, false},
    {"groups", false, true, true},
    {"nice", false, true, false},
    {"umask", false, true, true},
    {"env", true, true, false},
    {"passenv", true, true, true},
    {"rlimit_as", false, true, false},
    {"rlimit_cpu", false, true, false},
    {"rlimit_data", false, true, false},
    {"rlimit_rss", false, true, false},
    {"rlimit_stack", false, true, false},
    {"rlimit_files", false, true, false},
    {"instances", false, false, true},
    {"per_source", false, false, true},
    {"cps", false, false, true},
    {"max_load", false, false, true},
    {"only_from", true, false, true},
    {"no_access", true, false, true},
    {"access_times", false, false, true},
    {"libwrap", false, false, false},
    {"log_type", false, false, true},
    {"log_on_success", true, false, true},
    {"log_on_failure", true, false, true},
    {"banner", false, false, true},
    {"banner_success", false, false, true},
    {"banner_fail", false, false, true},
    {"v6only", false, false, true},
};

struct applying {
	struct reader *reader;
	struct settings *settings;
	const struct same *row;
};

static int
apply(const struct applying *applying, struct xinetd_line *line,
    enum token_kind how)
{
	const struct making_values given = {
	    line->values, line->count, how, &line->key.place};

	if (how != TOKEN_ASSIGN && !applying->row->list)
		return reader_tell(applying->reader, &line->how_place,
		    "'%s' is no list, and is set with '='", applying->row->key);
	return make_change(
	    applying->reader, applying->settings, applying->row->key, &given);
}

/* All lines of a section with the row's key. */
static int
apply_all(const struct applying *applying, struct xinetd_section *section,
    bool defaults)
{
	const struct same *row = applying->row;
	struct xinetd_line *line, *first = NULL;
	int result = 0;

	if (section == NULL)
		return 0;
	TAILQ_FOREACH (line, &section->lines, link) {
		enum token_kind how = line->how;
		int answer;

		if (strcmp(line->key.text, row->key) != 0)
			continue;
		line->used = true;
		/* In `defaults`, lists grow. */
		if (defaults && row->list && how == TOKEN_ASSIGN)
			how = TOKEN_ADD;
		if (first != NULL && how == TOKEN_ASSIGN)
			answer = reader_tell(applying->reader, &line->key.place,
			    "'%s' is set twice; the first is in line %u",
			    row->key, first->key.place.line);
		else
			answer = apply(applying, line, how);
		first = first != NULL ? first : line;
		if (answer < 0)
			return answer;
		result = answer > 0 ? answer : result;
	}
	return result;
}

int
xinetd_settings(struct reader *reader, struct xinetd_section *section,
    struct settings *settings, bool program)
{
	bool defaults = section == reader->xinetd->defaults;
	int result = 0;

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct applying applying = {reader, settings, &rows[i]};
		int answer = 0;

		if (rows[i].program && !program)
			xinetd_find(section, rows[i].key);
		else if (rows[i].defaults || !defaults)
			answer = apply_all(&applying, section, defaults);
		if (answer < 0)
			return answer;
		result = answer > 0 ? answer : result;
	}
	return result;
}
