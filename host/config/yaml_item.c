/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yaml_item: a mapping that begins with a directive's keyword.
 *
 * Names, types and locations are read by the parser of svc.conf, from a text
 * of their own; what it tells is told at the scalar.
 */
#include "config/config_yaml.h"

#include <errno.h>
#include <string.h>

/* Keys of a service that are no attributes. */
static const char *const head_keys[] = {
    "dynamic", "static", "type", "location", "state", "arguments"};

static bool
is_head(const char *key)
{
	for (size_t i = 0; i < BASE_COUNT(head_keys); i++)
		if (strcmp(head_keys[i], key) == 0)
			return true;
	return false;
}

typedef int(parse_fn)(struct parser *parser, struct directive *directive);

/* A scalar through a function of the parser. */
static int
parse_scalar(const struct yaml *yaml, const struct value *value,
    const char *behind, parse_fn *parse, struct directive *directive)
{
	struct reader *reader = yaml->reader;
	struct parser parser = {.reader = reader};
	const char *text = arena_printf(
	    reader->tree->arena, "%s%s", value->text, behind);
	const struct source *source;
	int result;

	if (text == NULL)
		return -ENOMEM;
	source = reader_source(
	    reader, yaml->source->name, text, strlen(text), false);
	if (source == NULL)
		return -ENOMEM;
	lexer_init(&parser.lexer, source);
	parser_advance(&parser);
	parser.last = parser.token; /* its line is the scalar's */
	reader->at = &value->place;
	if (parser.token.kind == TOKEN_END)
		result = reader_tell(reader, &value->place, "it is empty");
	else
		result = parse(&parser, directive);
	if (result == 0 && parser.token.kind != TOKEN_END)
		result = reader_tell(reader, &value->place,
		    "'%.60s' goes on behind its end", value->text);
	reader->at = NULL;
	return result;
}

static const yaml_node_t *
find(const struct yaml *yaml, const yaml_node_t *node, const char *key)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;

	for (; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(
		    yaml->document, pair->key);

		if (name->type == YAML_SCALAR_NODE &&
		    strcmp((const char *)name->data.scalar.value, key) == 0)
			return yaml_document_get_node(
			    yaml->document, pair->value);
	}
	return NULL;
}

/* --- arguments -------------------------------------------------------------
 */

/* What cannot stand between quotes of svc.conf; NULL: it can. */
static const char *
check_string(const char *at)
{
	bool single = false, twice = false;

	for (; *at != '\0'; at++) {
		if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f)
			return "a control character; \\n and \\xHH are ones";
		single = single || *at == '\'';
		twice = twice || *at == '"';
		if (*at == '\\' && *++at == '\0')
			return "a backslash with nothing behind it";
	}
	return single && twice ? "both kinds of quotes; write one as \\\" "
			       : NULL;
}

static int
read_string(const struct yaml *yaml, const struct value *value,
    struct directive *directive)
{
	struct reader *reader = yaml->reader;
	const char *reason = check_string(value->text);
	struct token token = {.kind = TOKEN_STRING, .place = value->place};
	const struct source *source;
	int result;

	if (reason != NULL)
		return reader_tell(
		    reader, &value->place, "arguments: %s", reason);
	source = reader_source(reader, yaml->source->name, value->text,
	    strlen(value->text), false);
	if (source == NULL)
		return -ENOMEM;
	token.text = source->data;
	token.size = source->size;
	token.inside = (struct cursor){.source = source, .line = 1};
	reader->at = &value->place;
	result = arguments_read(reader, &token, directive);
	reader->at = NULL;
	return result;
}

static int
read_arguments(const struct yaml *yaml, const yaml_node_t *node,
    struct directive *directive)
{
	struct value value;
	unsigned count = 0;
	int result;

	if (node == NULL)
		return 0;
	if (node->type == YAML_SCALAR_NODE) {
		result = yaml_text(yaml, node, &value);
		return result != 0 ? result
				   : read_string(yaml, &value, directive);
	}
	result = yaml_values(yaml, node, false, &count);
	if (result != 0)
		return result;
	return make_arguments(
	    yaml->reader, directive, yaml->reader->values, count);
}

/* --- services --------------------------------------------------------------
 */

static int
read_part(const struct yaml *yaml, const yaml_node_t *node, const char *behind,
    parse_fn *parse, struct directive *directive)
{
	struct value value;
	int result = yaml_text(yaml, node, &value);

	return result != 0
		   ? result
		   : parse_scalar(yaml, &value, behind, parse, directive);
}

static int
read_state(const struct yaml *yaml, const yaml_node_t *node,
    struct directive *directive)
{
	struct value value;
	int result = node != NULL ? yaml_text(yaml, node, &value) : 0;

	if (node == NULL || result != 0)
		return result;
	directive->inactive = strcmp(value.text, "inactive") == 0;
	if (!directive->inactive && strcmp(value.text, "active") != 0)
		return reader_tell(yaml->reader, &value.place,
		    "state: '%.60s' is none of: active | inactive", value.text);
	return 0;
}

static int
read_dynamic(const struct yaml *yaml, const yaml_node_t *node,
    struct directive *directive)
{
	const yaml_node_t *type = find(yaml, node, "type");
	const yaml_node_t *location = find(yaml, node, "location");
	int result = 0;

	directive->type = BERTH_KIND_SERVICE;
	if (type != NULL)
		result = read_part(yaml, type, " *", parse_type, directive);
	if (result == 0 && location == NULL)
		return reader_tell(yaml->reader, &directive->name_place,
		    "'location' is missing");
	if (result == 0)
		result = read_part(
		    yaml, location, "", parse_location, directive);
	if (result == 0)
		directive->location_place = yaml_place(yaml, location);
	if (result == 0)
		result = read_state(yaml, find(yaml, node, "state"), directive);
	return result;
}

static int
check_head(const struct yaml *yaml, const yaml_node_t *node)
{
	static const char *const keys[] = {"type", "location", "state"};

	for (size_t i = 0; i < BASE_COUNT(keys); i++) {
		const yaml_node_t *found = find(yaml, node, keys[i]);
		struct place place;

		if (found == NULL)
			continue;
		place = yaml_place(yaml, found);
		return reader_tell(yaml->reader, &place,
		    "'%s' belongs to 'dynamic' only", keys[i]);
	}
	return 0;
}

static int
read_service(const struct yaml *yaml, const yaml_node_t *node,
    struct directive *directive)
{
	struct reader *reader = yaml->reader;
	int result, answer;

	directive->settings = arena_alloc(
	    reader->tree->arena, sizeof(*directive->settings));
	if (directive->settings == NULL)
		return -ENOMEM;
	*directive->settings = reader->defaults;
	result = make_arguments(reader, directive, NULL, 0);
	if (result == 0)
		result = directive->kind == DIRECTIVE_DYNAMIC
			     ? read_dynamic(yaml, node, directive)
			     : check_head(yaml, node);
	if (result == 0)
		result = read_arguments(
		    yaml, find(yaml, node, "arguments"), directive);
	if (result < 0)
		return result;
	/* Its attributes are looked at whatever else is wrong. */
	reader->of_program = directive->type == CONFIG_KIND_PROGRAM;
	answer = yaml_block(
	    yaml, node, ATTRIBUTE_SERVICE, directive->settings, is_head);
	reader->of_program = false;
	return answer < 0 ? answer : result;
}

static int
make(const struct yaml *yaml, const yaml_node_t *node, enum directive_kind kind,
    const struct value *name)
{
	struct reader *reader = yaml->reader;
	unsigned before = reader->mistakes;
	bool service = kind == DIRECTIVE_DYNAMIC || kind == DIRECTIVE_STATIC;
	struct directive *directive = tree_add(
	    reader->tree, kind, &name->place);
	int result;

	if (directive == NULL)
		return -ENOMEM;
	result = parse_scalar(yaml, name, "", parser_name, directive);
	directive->name_place = name->place;
	if (result == 0 && service)
		result = read_service(yaml, node, directive);
	if (result == 0 && reader->mistakes == before)
		TAILQ_INSERT_TAIL(&reader->tree->directives, directive, link);
	return result;
}

/* --- others ----------------------------------------------------------------
 */

static int
read_settings(const struct yaml *yaml, const yaml_node_t *node, bool host)
{
	struct reader *reader = yaml->reader;
	struct place place = yaml_place(yaml, node);

	if (node->type != YAML_MAPPING_NODE)
		return reader_tell(
		    reader, &place, "attributes are expected here");
	if (host)
		reader->tree->host_place = place;
	if (host)
		return yaml_block(
		    yaml, node, ATTRIBUTE_HOST, &reader->tree->host, NULL);
	reader->plain = NULL;
	return yaml_block(
	    yaml, node, ATTRIBUTE_SERVICE, &reader->defaults, NULL);
}

static int
read_include(const struct yaml *yaml, const struct value *path, bool folder)
{
	struct reader *reader = yaml->reader;
	const char *name = source_relative(reader, &path->place, path->text);

	if (name == NULL)
		return -ENOMEM;
	if (name[0] == '\0')
		return reader_tell(reader, &path->place, "the path is empty");
	return folder ? include_folder(reader, name, &path->place)
		      : include_file(reader, name, true, &path->place);
}

enum verb_kind { MAKE, STREAM, INCLUDE, FOLDER, DEFAULTS, HOST };

static const struct verb {
	const char *word;
	enum verb_kind kind;
	enum directive_kind makes;
	bool alone; /* no other key beside it */
} verbs[] = {
    {"dynamic", MAKE, DIRECTIVE_DYNAMIC, false},
    {"static", MAKE, DIRECTIVE_STATIC, false},
    {"remove", MAKE, DIRECTIVE_REMOVE, true},
    {"suspend", MAKE, DIRECTIVE_SUSPEND, true},
    {"resume", MAKE, DIRECTIVE_RESUME, true},
    {"stream", STREAM, DIRECTIVE_STREAM, false},
    {"include", INCLUDE, DIRECTIVE_DYNAMIC, true},
    {"includedir", FOLDER, DIRECTIVE_DYNAMIC, true},
    {"defaults", DEFAULTS, DIRECTIVE_DYNAMIC, true},
    {"host", HOST, DIRECTIVE_DYNAMIC, true},
};

static const struct verb *
find_verb(const struct yaml *yaml, const struct value *word)
{
	struct suggestion suggestion;
	struct hint near;

	suggestion_init(&suggestion, word->text);
	for (size_t i = 0; i < BASE_COUNT(verbs); i++) {
		if (strcmp(verbs[i].word, word->text) == 0)
			return &verbs[i];
		suggestion_offer(&suggestion, verbs[i].word);
	}
	reader_tell(yaml->reader, &word->place, "unknown directive '%.60s'%s",
	    word->text, hint(&suggestion, &near));
	return NULL;
}

static int
run_verb(const struct yaml *yaml, const struct verb *verb,
    const yaml_node_t *item, const yaml_node_t *node)
{
	struct value value;
	int result;

	if (verb->kind == STREAM)
		return yaml_stream(yaml, item);
	if (verb->kind == DEFAULTS || verb->kind == HOST)
		return read_settings(yaml, node, verb->kind == HOST);
	result = yaml_text(yaml, node, &value);
	if (result != 0)
		return result;
	if (verb->kind == MAKE)
		return make(yaml, item, verb->makes, &value);
	return read_include(yaml, &value, verb->kind == FOLDER);
}

int
yaml_item(const struct yaml *yaml, const yaml_node_t *node)
{
	struct place place = yaml_place(yaml, node);
	const yaml_node_pair_t *pair;
	const struct verb *verb;
	struct value key;
	int result;

	if (node->type != YAML_MAPPING_NODE ||
	    node->data.mapping.pairs.start == node->data.mapping.pairs.top)
		return reader_tell(yaml->reader, &place,
		    "a directive is expected, such as 'static: echo'");
	pair = node->data.mapping.pairs.start;
	result = yaml_text(
	    yaml, yaml_document_get_node(yaml->document, pair->key), &key);
	if (result != 0)
		return result;
	verb = find_verb(yaml, &key);
	if (verb == NULL)
		return CONFIG_E_MISTAKE;
	if (verb->alone && pair + 1 < node->data.mapping.pairs.top) {
		place = yaml_place(
		    yaml, yaml_document_get_node(yaml->document, pair[1].key));
		return reader_tell(yaml->reader, &place,
		    "'%s' has no keys beside it", verb->word);
	}
	return run_verb(yaml, verb, node,
	    yaml_document_get_node(yaml->document, pair->value));
}
