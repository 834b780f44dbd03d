/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print: a tree as svc.conf, one directive a line, in the form that reads
 * back as an equal tree.
 *
 * Includes are spliced in, defaults are merged, every attribute that was
 * given is written with its service.  Arguments stay as they were written,
 * variables and all; values of attributes and paths are what they became.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <string.h>

/* In quotes, so that nothing in it means anything. */
static void
print_quoted(const char *value, struct text *text)
{
	text_add(text, "\"", 1);
	for (; *value != '\0'; value++) {
		unsigned char byte = (unsigned char)*value;

		if (byte < 0x20 || byte == 0x7f) {
			text_printf(text, "\\x%02x", byte);
			continue;
		}
		if (strchr("\"\\$", byte) != NULL)
			text_add(text, "\\", 1);
		text_add(text, value, 1);
	}
	text_add(text, "\"", 1);
}

static bool
is_plain(const char *value, const char *marks)
{
	if (value[0] == '\0')
		return false;
	for (; *value != '\0'; value++) {
		bool letter = (*value >= 'a' && *value <= 'z') ||
			      (*value >= 'A' && *value <= 'Z') ||
			      (*value >= '0' && *value <= '9');

		if (!letter && strchr(marks, *value) == NULL)
			return false;
	}
	return true;
}

void
print_value(const char *value, struct text *text)
{
	if (value[0] != '=' && is_plain(value, "_-./:*@+,%[]="))
		text_printf(text, "%s", value);
	else
		print_quoted(value, text);
}

static void
print_path(const char *path, struct text *text)
{
	const struct token word = {
	    .kind = TOKEN_WORD, .text = path, .size = strlen(path)};

	if (is_plain(path, "_-./@+,%") && !keyword_begins(&word))
		text_printf(text, "%s", path);
	else
		print_quoted(path, text);
}

int
directive_print_location(const struct directive *directive, struct text *text)
{
	if (directive->path != NULL)
		print_path(directive->path, text);
	if (directive->symbol != NULL)
		text_printf(text, ":%s%s", directive->symbol,
		    directive->factory ? "()" : "");
	return text->failed ? -ENOMEM : 0;
}

/* As written; the quotes are those that it does not hold. */
void
print_arguments(const char *arguments, struct text *text)
{
	const char *quote = "\"";

	for (const char *at = arguments; *at != '\0'; at++) {
		if (*at == '"')
			quote = "'";
		else if (*at == '\\' && at[1] != '\0')
			at++;
	}
	text_printf(text, " %s%s%s", quote, arguments, quote);
}

static void
print_attribute(
    const struct attribute *attribute, const void *values, struct text *text)
{
	size_t before;

	text_printf(text, "%s = ", attribute->name);
	before = text->size;
	attribute_print(attribute, values, text);
	/* An empty list. */
	if (text->size == before && !text->failed)
		text->data[--text->size] = '\0';
}

static void
print_attributes(enum attribute_scope scope, const void *values,
    const struct given *given, struct text *text)
{
	const struct attribute *table = attributes(scope);
	const char *before = "{ ";

	if (!given_any(given))
		return;
	for (unsigned row = 0; table[row].name != NULL; row++) {
		if (!given_has(given, row))
			continue;
		text_printf(text, "%s", before);
		print_attribute(&table[row], values, text);
		before = "; ";
	}
	text_printf(text, " }");
}

static void
print_made(const struct directive *directive, struct text *text)
{
	if (directive->kind == DIRECTIVE_DYNAMIC) {
		text_printf(text, " %s * ", type_name(directive->type));
		directive_print_location(directive, text);
		if (directive->inactive)
			text_printf(text, " inactive");
	}
	if (directive->argc > 1)
		print_arguments(directive->arguments, text);
	if (given_any(&directive->settings->given))
		text_add(text, " ", 1);
	print_attributes(ATTRIBUTE_SERVICE, directive->settings,
	    &directive->settings->given, text);
}

static void
print_head(const struct directive *directive, struct text *text)
{
	text_printf(text, "%s %s", directive_kind_name(directive->kind),
	    directive->name);
	if (directive->settings != NULL)
		print_made(directive, text);
}

static void
print_stream(const struct directive *directive, struct text *text)
{
	const struct directive *module;

	if (directive->defines != NULL) {
		text_printf(text, "stream ");
		print_head(directive->defines, text);
	} else {
		text_printf(text, "stream %s", directive->name);
	}
	if (!directive->has_block)
		return;
	text_printf(text, " {");
	TAILQ_FOREACH (module, &directive->modules, link) {
		text_printf(text, "\n\t");
		print_head(module, text);
	}
	text_printf(text, TAILQ_EMPTY(&directive->modules) ? " }" : "\n}");
}

int
directive_print(const struct directive *directive, struct text *text)
{
	if (directive->kind == DIRECTIVE_STREAM)
		print_stream(directive, text);
	else
		print_head(directive, text);
	return text->failed ? -ENOMEM : 0;
}

int
tree_print(const struct tree *tree, struct text *text)
{
	const struct directive *directive;

	if (given_any(&tree->host.given)) {
		text_printf(text, "host ");
		print_attributes(
		    ATTRIBUTE_HOST, &tree->host, &tree->host.given, text);
		text_printf(text, "\n");
	}
	TAILQ_FOREACH (directive, &tree->directives, link) {
		directive_print(directive, text);
		text_printf(text, "\n");
	}
	return text->failed ? -ENOMEM : 0;
}
