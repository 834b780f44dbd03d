/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoints: the list of `listen`, and one endpoint made up of xinetd's words
 * `port`, `bind`, `socket_type` and `protocol`.
 *
 * A list may be shared with `defaults`: it is never changed in place.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <string.h>

/* More are a mistake, and would cost a descriptor each. */
#define ENDPOINT_LIMIT 256u

static int
tell_endpoint(
    struct reader *reader, const struct value *value, const char *reason)
{
	const char *colon = strchr(value->text, ':');
	struct suggestion suggestion;
	struct hint near;
	char kind[32] = "";

	if (colon != NULL && (size_t)(colon - value->text) < sizeof(kind))
		memcpy(kind, value->text, (size_t)(colon - value->text));
	suggestion_init(&suggestion, kind);
	endpoint_suggest(&suggestion);
	/* A kind that is right needs no hint. */
	if (suggestion.best != NULL && strcmp(suggestion.best, kind) == 0)
		suggestion.best = NULL;
	return reader_tell(reader, &value->place, "bad endpoint '%.100s': %s%s",
	    value->text, reason, hint(&suggestion, &near));
}

static int
parse_value(struct reader *reader, const struct value *value,
    struct endpoint_spec *ret_spec)
{
	const char *reason;
	int result = endpoint_parse(
	    reader->tree->arena, value->text, ret_spec, &reason);

	if (result == -EINVAL)
		return tell_endpoint(reader, value, reason);
	if (result == 0)
		ret_spec->place = value->place;
	return result;
}

static unsigned
find(const struct endpoint_spec *list, unsigned count, const char *text)
{
	unsigned i = 0;

	while (i < count && strcmp(list[i].text, text) != 0)
		i++;
	return i;
}

static int
add(struct reader *reader, const struct value *value,
    struct endpoint_spec *list, unsigned *count)
{
	struct endpoint_spec spec;
	int result = parse_value(reader, value, &spec);

	if (result != 0)
		return result;
	if (find(list, *count, spec.text) < *count)
		return reader_tell(reader, &value->place,
		    "'%.100s' is in the list already", value->text);
	if (*count == ENDPOINT_LIMIT)
		return reader_tell(reader, &value->place,
		    "more than %u endpoints", ENDPOINT_LIMIT);
	list[(*count)++] = spec;
	return 0;
}

static int
take(struct reader *reader, const struct value *value,
    struct endpoint_spec *list, unsigned *count)
{
	struct endpoint_spec spec;
	int result = parse_value(reader, value, &spec);
	unsigned at;

	if (result != 0)
		return result;
	at = find(list, *count, spec.text);
	if (at == *count)
		return reader_tell(reader, &value->place,
		    "'%.100s' is not in the list", value->text);
	memmove(&list[at], &list[at + 1], (*count - at - 1) * sizeof(*list));
	--*count;
	return 0;
}

int
endpoints_assign(struct reader *reader, enum token_kind how,
    const struct value *values, unsigned count, struct settings *settings)
{
	unsigned kept = how == TOKEN_ASSIGN ? 0 : settings->listen_count;
	unsigned room = how == TOKEN_TAKE ? kept : kept + count;
	struct endpoint_spec *list;
	int result = 0;

	if (room > ENDPOINT_LIMIT)
		room = ENDPOINT_LIMIT;
	list = arena_alloc(reader->tree->arena, (room + 1) * sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	if (kept > 0)
		memcpy(list, settings->listen, kept * sizeof(*list));
	for (unsigned i = 0; i < count; i++) {
		int answer = how == TOKEN_TAKE
				 ? take(reader, &values[i], list, &kept)
				 : add(reader, &values[i], list, &kept);

		if (answer < 0)
			return answer;
		result = answer > 0 ? answer : result;
	}
	if (result == 0) {
		settings->listen = list;
		settings->listen_count = kept;
	}
	return result;
}

/* --- xinetd's words --------------------------------------------------------
 */

static const char *const type_words[] = {"stream", "dgram", NULL};
static const char *const protocol_words[] = {
    "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", NULL};

static int
check_word(struct reader *reader, const struct attribute *attribute,
    const struct value *value, const char *const *words)
{
	struct message message;

	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], value->text) == 0)
			return 0;
	value_tell_words(attribute, value->text, words, &message);
	return reader_tell(reader, &value->place, "%s", message.text);
}

int
endpoint_word_set(struct reader *reader, const struct attribute *attribute,
    const struct value *value, struct endpoint_words *words)
{
	const char *name = attribute->name;
	struct value *word = &words->bind; /* or interface */
	int result = 0;

	if (strcmp(name, "port") == 0) {
		word = &words->port;
	} else if (strcmp(name, "socket_type") == 0) {
		word = &words->socket_type;
		result = check_word(reader, attribute, value, type_words);
	} else if (strcmp(name, "protocol") == 0) {
		word = &words->protocol;
		result = check_word(reader, attribute, value, protocol_words);
	}
	if (result == 0)
		*word = *value;
	return result;
}

/* The protocol that both words agree on; NULL: they do not. */
static const char *
pair_up(const char *type, const char *protocol)
{
	bool datagram = type != NULL && strcmp(type, "dgram") == 0;

	if (protocol == NULL)
		return datagram ? "udp" : "tcp";
	if (type == NULL || (protocol[0] == 'u') == datagram)
		return protocol;
	return NULL;
}

int
endpoints_combine(struct reader *reader, const struct place *place,
    const struct endpoint_words *words, struct settings *settings)
{
	const char *host = words->bind.text;
	const char *protocol = pair_up(
	    words->socket_type.text, words->protocol.text);
	struct value value = words->port;
	bool bare6;

	if (value.text == NULL)
		return reader_tell(
		    reader, place, "'port' is missing beside it");
	if (protocol == NULL)
		return reader_tell(reader, &words->protocol.place,
		    "protocol '%s' does not go with socket_type '%s'",
		    words->protocol.text, words->socket_type.text);
	host = host != NULL ? host : "*";
	bare6 = host[0] != '[' && strchr(host, ':') != NULL;
	value.text = arena_printf(reader->tree->arena,
	    bare6 ? "%s:[%s]:%s" : "%s:%s:%s", protocol, host, value.text);
	if (value.text == NULL)
		return -ENOMEM;
	return endpoints_assign(reader, TOKEN_ASSIGN, &value, 1, settings);
}

/* Back to its default, as if nobody had named it. */
static void
forget(struct settings *settings, const struct attribute *row, unsigned index)
{
	void *field = (char *)settings + row->offset;
	struct message message;

	if (row->kind == VALUE_WORD)
		*(const char **)field = NULL;
	else
		(void)value_type(row->kind)->read(
		    row, row->initial, field, &message);
	given_take(&settings->given, index);
}

int
endpoints_check_words(struct reader *reader, const struct given *written,
    struct settings *settings)
{
	const struct attribute *row = attributes(ATTRIBUTE_SERVICE);
	unsigned kinds = 0;
	int result = 0;

	for (unsigned i = 0; i < settings->listen_count; i++)
		kinds |= ENDPOINT_BIT(settings->listen[i].kind);
	for (unsigned i = 0; kinds != 0 && row[i].name != NULL; i++) {
		if (row[i].kinds == 0 || (row[i].kinds & kinds) != 0 ||
		    !given_has(&settings->given, i))
			continue;
		if (given_has(written, i))
			result = reader_tell(reader, &settings->listen[0].place,
			    "'%s' is not about such an endpoint, and the "
			    "service has no other",
			    row[i].name);
		forget(settings, &row[i], i);
	}
	return result;
}
