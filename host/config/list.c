/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list: attributes of several words: lists that `+=` and `-=` change, rates,
 * and where a log goes.
 *
 * A list may be shared with `defaults`: it is never changed in place.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DAY_MS (24u * 3600u * 1000u)

bool
list_takes(const struct attribute *attribute)
{
	return attribute->kind == VALUE_WORDS ||
	       attribute->kind == VALUE_LOG_TYPE ||
	       attribute->kind == VALUE_RATE ||
	       attribute->kind == VALUE_PREFIXES ||
	       attribute->kind == VALUE_CONCURRENCY ||
	       attribute->kind == VALUE_WORKERS;
}

static bool
is_conversion(const struct reader *reader)
{
	return reader->options != NULL && reader->options->convert;
}

int
attribute_check(struct reader *reader, const struct attribute *attribute,
    const struct place *place)
{
	if (reader->of_program && attribute->not_of_programs != NULL)
		reader_warn(reader, place, false,
		    "'%s' is not applied to programs: %s", attribute->name,
		    attribute->not_of_programs);
	if (!attribute->pending || is_conversion(reader))
		return 0;
	return reader_tell(reader, place,
	    "not yet: this release does not apply '%s'", attribute->name);
}

/* --- lists -----------------------------------------------------------------
 */

/* The word as it is kept; tells when there is no such one. */
static int
check_word(struct reader *reader, const struct attribute *attribute,
    const struct value *value, const char **ret_word)
{
	const char *const *choice = attribute->choices;
	const char *reason;
	struct message message;

	for (; choice != NULL && *choice != NULL; choice++)
		if (strcasecmp(*choice, value->text) == 0) {
			*ret_word = *choice;
			return 0;
		}
	if (choice != NULL) {
		value_tell_words(
		    attribute, value->text, attribute->choices, &message);
		return reader_tell(reader, &value->place, "%s", message.text);
	}
	reason = value->text[0] == '\0' ? "it is empty" : NULL;
	if (reason == NULL && attribute->check != NULL)
		reason = attribute->check(value->text);
	if (reason != NULL)
		return reader_tell(reader, &value->place, "%s: '%.60s': %s",
		    attribute->name, value->text, reason);
	*ret_word = value->text;
	return attribute->names_files ? access_file_check(reader, value) : 0;
}

static unsigned
find(const char *const *list, unsigned count, const char *word)
{
	unsigned i = 0;

	while (i < count && strcmp(list[i], word) != 0)
		i++;
	return i;
}

static int
change(struct reader *reader, enum token_kind how, const struct value *value,
    const char *word, const char **list, unsigned *count)
{
	unsigned at = find(list, *count, word);

	if (how != TOKEN_TAKE) {
		if (at == *count)
			list[(*count)++] = word;
		return 0;
	}
	if (at == *count)
		return reader_tell(reader, &value->place,
		    "'%.100s' is not in the list", value->text);
	memmove(&list[at], &list[at + 1], (*count - at - 1) * sizeof(*list));
	--*count;
	return 0;
}

/* xinetd's word for a question to the client's machine (RFC 1413), whose
 * answer proves nothing. */
static void
warn_of_word(struct reader *reader, const struct value *value)
{
	if (strcasecmp(value->text, "USERID") == 0 && !is_conversion(reader))
		reader_warn(reader, &value->place, false,
		    "'USERID' is not carried out: no client is asked for its "
		    "user's name");
}

static int
assign_words(struct reader *reader, const struct attribute *attribute,
    enum token_kind how, const struct value *values, unsigned count,
    struct word_list *words)
{
	unsigned kept = how == TOKEN_ASSIGN ? 0 : words->count;
	const char **list = arena_alloc(
	    reader->tree->arena, ((size_t)kept + count + 1) * sizeof(*list));
	int result = 0;

	if (list == NULL)
		return -ENOMEM;
	if (kept > 0)
		memcpy(list, words->word, kept * sizeof(*list));
	for (unsigned i = 0; i < count; i++) {
		const char *word = NULL;
		int answer = check_word(reader, attribute, &values[i], &word);

		if (answer == 0)
			answer = change(
			    reader, how, &values[i], word, list, &kept);
		if (answer == 0)
			warn_of_word(reader, &values[i]);
		result = answer != 0 ? answer : result;
	}
	if (result == 0)
		*words = (struct word_list){list, kept, true,
		    access_files_stamp(reader->tree, list, kept)};
	return result;
}

/* --- log_type --------------------------------------------------------------
 */

static const char *const facilities[] = {"daemon", "auth", "authpriv", "user",
    "mail", "lpr", "news", "uucp", "ftp", "cron", "local0", "local1", "local2",
    "local3", "local4", "local5", "local6", "local7", NULL};
static const char *const levels[] = {"emerg", "alert", "crit", "err", "warning",
    "notice", "info", "debug", NULL};

static bool
is_one_of(const char *const *words, const char *word)
{
	while (*words != NULL && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

static const char *const log_types[] = {
    "SYSLOG", "FILE", "JOURNAL", "HOST", NULL};

/* As the table has it, or NULL. */
static const char *
log_type(const char *word)
{
	const char *const *type = log_types;

	while (*type != NULL && strcasecmp(*type, word) != 0)
		type++;
	return *type;
}

/* Index of the word that cannot stand there; count if all can. */
static unsigned
check_log(const struct value *values, unsigned count)
{
	const char *type = log_type(values[0].text);
	bool file = type != NULL && strcmp(type, "FILE") == 0;

	if (type == NULL)
		return 0;
	if (!file && strcmp(type, "SYSLOG") != 0)
		return 1; /* nothing stands behind it */
	for (unsigned i = 1; i < count; i++) {
		const char *word = values[i].text;
		bool good;

		if (file)
			good = i == 1 ? word[0] == '/'
				      : i < 4 && word[0] != '\0' &&
					    strspn(word, "0123456789kKmM") ==
						strlen(word);
		else
			good = i < 3 &&
			       is_one_of(i == 1 ? facilities : levels, word);
		if (!good)
			return i;
	}
	return count;
}

static int
assign_log(struct reader *reader, const struct attribute *attribute,
    const struct value *values, unsigned count, struct word_list *words)
{
	unsigned bad = check_log(values, count);
	const char **list, *type;

	if (bad < count)
		return reader_tell(reader, &values[bad].place,
		    "%s: '%.60s' cannot stand there: %s", attribute->name,
		    values[bad].text, attribute->syntax);
	type = log_type(values[0].text);
	if (count == 1 &&
	    (strcmp(type, "FILE") == 0 || strcmp(type, "SYSLOG") == 0))
		return reader_tell(reader, &values[0].place,
		    "%s: more is expected: %s", attribute->name,
		    attribute->syntax);
	list = arena_alloc(reader->tree->arena, count * sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		list[i] = values[i].text;
	list[0] = type;
	*words = (struct word_list){list, count, true, 0};
	return 0;
}

/* --- rates -----------------------------------------------------------------
 */

static bool
parse_rate(const struct value *values, unsigned count, struct rate *rate)
{
	const char *slash = strchr(values[0].text, '/');
	size_t size = slash != NULL ? (size_t)(slash - values[0].text)
				    : strlen(values[0].text);
	uint64_t number = 0;
	char digits[16] = "";

	if (size >= sizeof(digits) || count > 2)
		return false;
	memcpy(digits, values[0].text, size);
	*rate = (struct rate){.per_ms = 1000, .pause_ms = 0};
	if (config_count(digits, &number) < 0 || number > UINT32_MAX)
		return false;
	rate->count = (unsigned)number;
	if (slash != NULL && config_time(slash + 1, &rate->per_ms) < 0)
		return false;
	return count < 2 || config_time(values[1].text, &rate->pause_ms) == 0;
}

static int
assign_rate(struct reader *reader, const struct attribute *attribute,
    const struct value *values, unsigned count, struct rate *ret_rate)
{
	struct rate rate = {0};

	if (count == 1 && strcasecmp(values[0].text, "unlimited") == 0) {
		*ret_rate = rate;
		return 0;
	}
	if (!parse_rate(values, count, &rate))
		return reader_tell(reader, &values[count - 1].place,
		    "%s: '%.60s' cannot stand there: %s", attribute->name,
		    values[count - 1].text, attribute->syntax);
	if (rate.count < attribute->low || rate.count > attribute->high ||
	    rate.per_ms == 0 || rate.per_ms > DAY_MS || rate.pause_ms > DAY_MS)
		return reader_tell(reader, &values[0].place,
		    "%s: '%.60s' is out of range", attribute->name,
		    values[0].text);
	*ret_rate = rate;
	return 0;
}

/* --- prefixes --------------------------------------------------------------
 */

static int
assign_prefixes(struct reader *reader, const struct attribute *attribute,
    const struct value *values, unsigned count, struct prefixes *ret_prefixes)
{
	static const uint64_t limits[] = {32, 128};
	uint64_t bits[] = {0, 64};

	for (unsigned i = 0; i < count; i++) {
		const char *word = values[i].text;

		if (word[0] == '/')
			word++;
		if (i == BASE_COUNT(bits) || config_count(word, &bits[i]) < 0 ||
		    bits[i] > limits[i])
			return reader_tell(reader, &values[i].place,
			    "%s: '%.60s' cannot stand there: %s, up to 32 and "
			    "128",
			    attribute->name, values[i].text, attribute->syntax);
	}
	ret_prefixes->v4 = (unsigned)bits[0];
	ret_prefixes->v6 = (unsigned)bits[1];
	return 0;
}

int
list_assign(struct reader *reader, const struct attribute *attribute,
    enum token_kind how, const struct value *values, unsigned count,
    const struct place *place, void *field)
{
	if (attribute->kind == VALUE_WORDS)
		return assign_words(
		    reader, attribute, how, values, count, field);
	if (count == 0)
		return reader_tell(reader, place, "'%s' needs a value: %s",
		    attribute->name, attribute->syntax);
	if (attribute->kind == VALUE_LOG_TYPE)
		return assign_log(reader, attribute, values, count, field);
	if (attribute->kind == VALUE_PREFIXES)
		return assign_prefixes(reader, attribute, values, count, field);
	if (attribute->kind == VALUE_CONCURRENCY)
		return concurrency_assign(
		    reader, attribute, values, count, field);
	if (attribute->kind == VALUE_WORKERS)
		return workers_assign(reader, attribute, values, count, field);
	return assign_rate(reader, attribute, values, count, field);
}

int
line_rate_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	const struct value value = {.text = word};
	struct rate rate = {0};

	if (strcasecmp(word, "unlimited") != 0 &&
	    (!parse_rate(&value, 1, &rate) || rate.count < attribute->low ||
		rate.count > attribute->high || rate.per_ms == 0 ||
		rate.per_ms > DAY_MS)) {
		snprintf(ret_message->text, sizeof(ret_message->text),
		    "%s: '%.60s' cannot stand there: %s", attribute->name, word,
		    attribute->syntax);
		return -EINVAL;
	}
	rate.pause_ms = 0;
	*(struct rate *)field = rate;
	return 0;
}

/* --- printing and comparing ------------------------------------------------
 */

void
words_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	const struct word_list *words = field;

	(void)attribute;
	for (unsigned i = 0; i < words->count; i++) {
		if (i > 0)
			text_add(text, " ", 1);
		print_value(words->word[i], text);
	}
}

void
line_rate_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	const struct rate *rate = field;

	(void)attribute;
	if (rate->count == 0) {
		text_printf(text, "unlimited");
		return;
	}
	text_printf(text, "%u", rate->count);
	if (rate->per_ms != 1000) {
		text_add(text, "/", 1);
		print_time(rate->per_ms, text);
	}
}

void
rate_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	const struct rate *rate = field;

	line_rate_print(attribute, field, text);
	if (rate->count != 0 && rate->pause_ms != 0) {
		text_add(text, " ", 1);
		print_time(rate->pause_ms, text);
	}
}

/* Of the table: "32 64". */
int
prefixes_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	struct prefixes prefixes;

	if (sscanf(word, "%u %u", &prefixes.v4, &prefixes.v6) != 2) {
		snprintf(ret_message->text, sizeof(ret_message->text),
		    "%s: not %s", attribute->name, attribute->syntax);
		return -EINVAL;
	}
	*(struct prefixes *)field = prefixes;
	return 0;
}

void
prefixes_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	const struct prefixes *prefixes = field;

	(void)attribute;
	text_printf(text, "%u %u", prefixes->v4, prefixes->v6);
}

bool
prefixes_equal(const void *a, const void *b)
{
	const struct prefixes *one = a, *two = b;

	return one->v4 == two->v4 && one->v6 == two->v6;
}

bool
words_equal(const void *a, const void *b)
{
	const struct word_list *one = a, *two = b;

	if (one->count != two->count || one->is_set != two->is_set ||
	    one->stamp != two->stamp)
		return false;
	for (unsigned i = 0; i < one->count; i++)
		if (strcmp(one->word[i], two->word[i]) != 0)
			return false;
	return true;
}

bool
rate_equal(const void *a, const void *b)
{
	const struct rate *one = a, *two = b;

	return one->count == two->count && one->per_ms == two->per_ms &&
	       one->pause_ms == two->pause_ms;
}
