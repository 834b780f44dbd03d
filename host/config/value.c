/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * value: what the kinds of values have in common, and those made of words:
 * flags, one of several, levels, paths.  Numbers stand in number.c, lists of
 * endpoints in endpoints.c.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const flag_words[] = {"no", "yes", NULL};
static const char *const reload_words[] = {
    [RELOAD_SCRIPT] = "script", [RELOAD_EXACT] = "exact", NULL};
static const char *const suspend_words[] = {
    [SUSPEND_CLIENTS] = "clients", [SUSPEND_SESSIONS] = "sessions", NULL};
static const char *const policy_words[] = {[POLICY_QUEUE] = "queue",
    [POLICY_REJECT] = "reject",
    [POLICY_RESET] = "reset",
    NULL};
static const char *const tcpmux_words[] = {
    [TCPMUX_NO] = "no", [TCPMUX_YES] = "yes", [TCPMUX_PLUS] = "plus", NULL};
static const char *const proxy_words[] = {[PROXY_NO] = "no",
    [PROXY_ONE] = "v1",
    [PROXY_TWO] = "v2",
    [PROXY_ANY] = "any",
    NULL};
static const char *const log_format_words[] = {[LOG_FORMAT_XINETD] = "xinetd",
    [LOG_FORMAT_LOGFMT] = "logfmt",
    [LOG_FORMAT_JSON] = "json",
    NULL};
static const char *const level_words[] = {
    "error", "warning", "notice", "info", "debug", NULL};

/* What people write who mean yes or no. */
static const char *
meant_flag(const char *word)
{
	static const char *const meanings[][2] = {{"true", "yes"},
	    {"on", "yes"}, {"1", "yes"}, {"false", "no"}, {"off", "no"},
	    {"0", "no"}};

	for (size_t i = 0; i < BASE_COUNT(meanings); i++)
		if (strcasecmp(word, meanings[i][0]) == 0)
			return meanings[i][1];
	return NULL;
}

int
value_tell_words(const struct attribute *attribute, const char *word,
    const char *const *words, struct message *ret_message)
{
	struct suggestion suggestion;
	struct hint near;

	suggestion_init(&suggestion, word);
	for (size_t i = 0; words[i] != NULL; i++)
		suggestion_offer(&suggestion, words[i]);
	if (words == flag_words && suggestion.best == NULL)
		suggestion.best = meant_flag(word);
	snprintf(ret_message->text, sizeof(ret_message->text),
	    "%s: '%.60s' is none of: %s%s", attribute->name, word,
	    attribute->syntax, hint(&suggestion, &near));
	return -EINVAL;
}

static int
find_word(const struct attribute *attribute, const char *word,
    const char *const *words, int *ret_index, struct message *ret_message)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(word, words[i]) == 0) {
			*ret_index = i;
			return 0;
		}
	return value_tell_words(attribute, word, words, ret_message);
}

static int
flag_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	int index = 0;
	int result = find_word(
	    attribute, word, flag_words, &index, ret_message);

	if (result == 0)
		*(bool *)field = index != 0;
	return result;
}

static int
reload_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	int index = 0;
	int result = find_word(
	    attribute, word, reload_words, &index, ret_message);

	if (result == 0)
		*(enum reload_mode *)field = (enum reload_mode)index;
	return result;
}

static int
suspend_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	int index = 0;
	int result = find_word(
	    attribute, word, suspend_words, &index, ret_message);

	if (result == 0)
		*(enum suspend_mode *)field = (enum suspend_mode)index;
	return result;
}

static int
tcpmux_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	int index = 0;
	int result = find_word(
	    attribute, word, tcpmux_words, &index, ret_message);

	if (result == 0)
		*(enum tcpmux_mode *)field = (enum tcpmux_mode)index;
	return result;
}

static int
proxy_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	int index = 0;
	int result = find_word(
	    attribute, word, proxy_words, &index, ret_message);

	if (result == 0)
		*(enum proxy_protocol *)field = (enum proxy_protocol)index;
	return result;
}

static int
policy_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	int index = 0;
	int result = find_word(attribute, word, policy_words + attribute->low,
	    &index, ret_message);

	if (result == 0)
		*(unsigned *)field = (unsigned)attribute->low + (unsigned)index;
	return result;
}

static int
log_format_read(const struct attribute *attribute, const char *word,
    void *field, struct message *ret_message)
{
	int index = 0;
	int result = find_word(
	    attribute, word, log_format_words, &index, ret_message);

	if (result == 0)
		*(enum log_format *)field = (enum log_format)index;
	return result;
}

static int
word_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	if (word[0] == '\0' || strpbrk(word, " \t\r\n") != NULL) {
		snprintf(ret_message->text, sizeof(ret_message->text),
		    "%s: one word is expected, without blanks",
		    attribute->name);
		return -EINVAL;
	}
	if (attribute->check != NULL && attribute->check(word) != NULL) {
		snprintf(ret_message->text, sizeof(ret_message->text),
		    "%s: '%.60s': %s", attribute->name, word,
		    attribute->check(word));
		return -EINVAL;
	}
	*(const char **)field = word;
	return 0;
}

static int
level_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	int level = log_level_parse(word);

	if (level < 0 || (uint64_t)level < attribute->low ||
	    (uint64_t)level > attribute->high)
		return value_tell_words(
		    attribute, word, level_words, ret_message);
	*(int *)field = level;
	return 0;
}

/* NULL, or the part of a list that does not begin with a slash. */
static bool
is_absolute(const char *path, bool list)
{
	if (path[0] != '/')
		return false;
	while (list && (path = strchr(path, ':')) != NULL) {
		path++;
		if (path[0] != '/')
			return false;
	}
	return true;
}

static int
path_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	if (!is_absolute(word, attribute->kind == VALUE_PATH_LIST)) {
		snprintf(ret_message->text, sizeof(ret_message->text),
		    "%s: '%.60s' is not absolute; a path begins with '/'",
		    attribute->name, word);
		return -EINVAL;
	}
	*(const char **)field = word;
	return 0;
}

/* --- printing --------------------------------------------------------------
 */

static void
flag_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	text_printf(text, "%s", flag_words[*(const bool *)field ? 1 : 0]);
}

static void
reload_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	text_printf(text, "%s", reload_words[*(const enum reload_mode *)field]);
}

static void
suspend_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	text_printf(
	    text, "%s", suspend_words[*(const enum suspend_mode *)field]);
}

static void
proxy_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	text_printf(
	    text, "%s", proxy_words[*(const enum proxy_protocol *)field]);
}

static void
tcpmux_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	text_printf(text, "%s", tcpmux_words[*(const enum tcpmux_mode *)field]);
}

static void
policy_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	text_printf(text, "%s", policy_words[*(const unsigned *)field]);
}

static void
log_format_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	text_printf(
	    text, "%s", log_format_words[*(const enum log_format *)field]);
}

static void
level_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	text_printf(text, "%s", log_level_name(*(const int *)field));
}

static void
path_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	const char *path = *(const char *const *)field;

	(void)attribute;
	if (path != NULL)
		print_value(path, text);
}

/* `listen` is at the field, its count beside it. */
static const struct settings *
settings_of(const void *field)
{
	const char *start = field;

	return (const void *)(start - offsetof(struct settings, listen));
}

static void
endpoints_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	const struct settings *settings = settings_of(field);

	(void)attribute;
	for (unsigned i = 0; i < settings->listen_count; i++) {
		if (i > 0)
			text_add(text, " ", 1);
		print_value(settings->listen[i].text, text);
	}
}

/* --- comparing -------------------------------------------------------------
 */

static bool
flag_equal(const void *a, const void *b)
{
	return *(const bool *)a == *(const bool *)b;
}

/* enums are as large as int in our ABI */
static bool
int_equal(const void *a, const void *b)
{
	return *(const int *)a == *(const int *)b;
}

static bool
unsigned_equal(const void *a, const void *b)
{
	return *(const unsigned *)a == *(const unsigned *)b;
}

static bool
long_equal(const void *a, const void *b)
{
	return *(const uint64_t *)a == *(const uint64_t *)b;
}

static bool
path_equal(const void *a, const void *b)
{
	const char *one = *(const char *const *)a;
	const char *two = *(const char *const *)b;

	if (one == NULL || two == NULL)
		return one == two;
	return strcmp(one, two) == 0;
}

static bool
endpoints_equal(const void *a, const void *b)
{
	const struct settings *one = settings_of(a), *two = settings_of(b);

	if (one->listen_count != two->listen_count)
		return false;
	for (unsigned i = 0; i < one->listen_count; i++)
		if (strcmp(one->listen[i].text, two->listen[i].text) != 0)
			return false;
	return true;
}

const struct value_type *
value_type(enum value_kind kind)
{
	static const struct value_type types[] = {
	    [VALUE_FLAG] = {flag_read, flag_print, flag_equal},
	    [VALUE_COUNT] = {number_read, number_print, unsigned_equal},
	    [VALUE_LIMIT] = {number_read, number_print, unsigned_equal},
	    [VALUE_SIZE] = {size_read, size_print, long_equal},
	    [VALUE_TIME] = {time_read, time_print, long_equal},
	    [VALUE_MODE] = {mode_read, mode_print, unsigned_equal},
	    [VALUE_SUSPEND] = {suspend_read, suspend_print, int_equal},
	    [VALUE_RELOAD] = {reload_read, reload_print, int_equal},
	    [VALUE_LEVEL] = {level_read, level_print, int_equal},
	    [VALUE_PATH] = {path_read, path_print, path_equal},
	    [VALUE_PATH_LIST] = {path_read, path_print, path_equal},
	    [VALUE_WORD] = {word_read, path_print, path_equal},
	    [VALUE_NICE] = {nice_read, nice_print, int_equal},
	    [VALUE_LOAD] = {load_read, load_print, unsigned_equal},
	    [VALUE_TCPMUX] = {tcpmux_read, tcpmux_print, int_equal},
	    [VALUE_PROXY] = {proxy_read, proxy_print, int_equal},
	    [VALUE_RLIMIT] = {rlimit_read, rlimit_print, long_equal},
	    [VALUE_RLIMIT_SIZE] = {rlimit_read, rlimit_print, long_equal},
	    [VALUE_LINE_RATE] = {line_rate_read, line_rate_print, rate_equal},
	    [VALUE_LOG_FORMAT] = {log_format_read, log_format_print, int_equal},
	    /* Reading is list_assign()'s. */
	    [VALUE_RATE] = {NULL, rate_print, rate_equal},
	    [VALUE_PREFIXES] = {prefixes_read, prefixes_print, prefixes_equal},
	    [VALUE_POLICY] = {policy_read, policy_print, unsigned_equal},
	    [VALUE_CONCURRENCY] = {concurrency_read, concurrency_print,
		concurrency_equal},
	    [VALUE_WORKERS] = {workers_read, workers_print, workers_equal},
	    [VALUE_WORDS] = {NULL, words_print, words_equal},
	    [VALUE_LOG_TYPE] = {NULL, words_print, words_equal},
	    /* Reading is endpoints_assign()'s and that of parts the block's. */
	    [VALUE_ENDPOINTS] = {NULL, endpoints_print, endpoints_equal},
	    [VALUE_PART] = {NULL, NULL, NULL},
	};

	return &types[kind];
}
