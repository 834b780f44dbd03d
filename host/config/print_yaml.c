/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print_yaml: a tree as YAML, which holds all of it but bytes that are no
 * UTF-8.
 */
#include "config/config_formats.h"

#include <string.h>

static bool
is_plain(const char *value)
{
	size_t size = strlen(value);
	bool first = (value[0] >= 'a' && value[0] <= 'z') ||
		     (value[0] >= 'A' && value[0] <= 'Z') ||
		     (value[0] >= '0' && value[0] <= '9') || value[0] == '/';

	return first && strcmp(value, "null") != 0 && value[size - 1] != ':' &&
	       strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-./:*@+%=()") == size;
}

static void
put_quoted(const char *value, struct text *text)
{
	text_add(text, "\"", 1);
	for (; *value != '\0'; value++) {
		unsigned char byte = (unsigned char)*value;

		if (byte < 0x20 || byte == 0x7f)
			text_printf(text, "\\x%02x", byte);
		else if (byte == '"' || byte == '\\')
			text_printf(text, "\\%c", byte);
		else
			text_add(text, value, 1);
	}
	text_add(text, "\"", 1);
}

static void
put(const char *value, struct text *text)
{
	if (is_plain(value))
		text_printf(text, "%s", value);
	else
		put_quoted(value, text);
}

static void
put_words(const struct word_list *words, struct text *text)
{
	text_printf(text, "[");
	for (unsigned i = 0; i < words->count; i++) {
		text_printf(text, i == 0 ? "" : ", ");
		put(words->word[i], text);
	}
	text_printf(text, "]");
}

static void
put_endpoints(const struct settings *settings, struct text *text)
{
	text_printf(text, "[");
	for (unsigned i = 0; i < settings->listen_count; i++) {
		text_printf(text, i == 0 ? "" : ", ");
		put(settings->listen[i].text, text);
	}
	text_printf(text, "]");
}

static void
put_value(const struct attribute *row, const void *values, struct text *text)
{
	const void *field = (const char *)values + row->offset;
	const char *const *string = field;

	switch (row->kind) {
	case VALUE_WORDS:
	case VALUE_LOG_TYPE:
		put_words(field, text);
		break;
	case VALUE_ENDPOINTS:
		put_endpoints(values, text);
		break;
	case VALUE_PATH:
	case VALUE_PATH_LIST:
	case VALUE_WORD:
		put(*string != NULL ? *string : "", text);
		break;
	default:
		attribute_print(row, values, text);
		break;
	}
}

static void
put_attributes(enum attribute_scope scope, const void *values,
    const struct given *given, const char *indent, struct text *text)
{
	const struct attribute *row = attributes(scope);

	for (unsigned i = 0; row[i].name != NULL; i++) {
		if (!given_has(given, i))
			continue;
		text_printf(text, "%s%s: ", indent, row[i].name);
		put_value(&row[i], values, text);
		text_printf(text, "\n");
	}
}

/* Behind "- ": the keyword, and keys below at the indentation. */
static void
put_directive(
    const struct directive *directive, const char *indent, struct text *text)
{
	AUTO_TEXT location = {.failed = false};

	text_printf(text, "%s: ", directive_kind_name(directive->kind));
	put(directive->name, text);
	text_printf(text, "\n");
	if (directive->kind == DIRECTIVE_DYNAMIC) {
		text_init(&location);
		text_printf(text, "%stype: %s\n%slocation: ", indent,
		    type_name(directive->type), indent);
		if (directive_print_location(directive, &location) < 0)
			text->failed = true;
		put(text_string(&location), text);
		text_printf(text, "\n");
		if (directive->inactive)
			text_printf(text, "%sstate: inactive\n", indent);
	}
	if (directive->argc > 1) {
		text_printf(text, "%sarguments: ", indent);
		put_quoted(directive->arguments, text);
		text_printf(text, "\n");
	}
	if (directive->settings != NULL)
		put_attributes(ATTRIBUTE_SERVICE, directive->settings,
		    &directive->settings->given, indent, text);
}

static void
put_stream(const struct directive *directive, struct text *text)
{
	const struct directive *module;

	text_printf(text, "stream:");
	if (directive->defines != NULL) {
		text_printf(text, "\n    ");
		put_directive(directive->defines, "    ", text);
	} else {
		text_printf(text, " ");
		put(directive->name, text);
		text_printf(text, "\n");
	}
	if (!directive->has_block)
		return;
	text_printf(text, "  modules:%s",
	    TAILQ_EMPTY(&directive->modules) ? " []\n" : "\n");
	TAILQ_FOREACH (module, &directive->modules, link) {
		text_printf(text, "    - ");
		put_directive(module, "      ", text);
	}
}

void
print_yaml(struct printing *printing)
{
	const struct tree *tree = printing->tree;
	const struct directive *directive;
	struct text *text = printing->text;

	text_printf(text, "---\n");
	if (given_any(&tree->host.given)) {
		text_printf(text, "- host:\n");
		put_attributes(ATTRIBUTE_HOST, &tree->host, &tree->host.given,
		    "    ", text);
	}
	TAILQ_FOREACH (directive, &tree->directives, link) {
		text_printf(text, "- ");
		if (directive->kind == DIRECTIVE_STREAM)
			put_stream(directive, text);
		else
			put_directive(directive, "  ", text);
	}
}
