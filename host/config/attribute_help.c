/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attribute_help: the table of attributes for people, as text and as a list
 * in mdoc(7).
 */
#include "config/config_priv.h"

#include <errno.h>
#include <string.h>

const char *
attribute_change_text(enum attribute_change change)
{
	switch (change) {
	case CHANGE_LIVE:
		return "at once";
	case CHANGE_SESSION:
		return "to sessions that begin afterwards";
	case CHANGE_REBIND:
		return "by binding the endpoints anew; sessions stay";
	case CHANGE_REPLACE:
		return "by replacing the service";
	case CHANGE_RESTART:
		break;
	}
	return "at the next start";
}

static void
print_text(const struct attribute *row, struct text *text)
{
	text_printf(
	    text, "%s = %s\n\t%s\n\t", row->name, row->syntax, row->help);
	if (row->initial[0] != '\0')
		text_printf(text, "Default: %s.  ", row->initial);
	if (row->pending)
		text_printf(text, "Not yet: it is refused.  ");
	text_printf(
	    text, "A change applies %s.\n", attribute_change_text(row->change));
}

/* Capitals are for the user to fill in; | is mdoc's own delimiter. */
static const char *
mdoc_macro(const char *word)
{
	if (word[0] == '|')
		return "";
	return word[0] >= 'A' && word[0] <= 'Z' ? "Ar " : "Cm ";
}

static void
print_mdoc_syntax(const char *syntax, struct text *text)
{
	while (*syntax != '\0') {
		size_t size = strcspn(syntax, " ");

		/* Dots belong to what they repeat. */
		text_printf(text, " %s%.*s",
		    syntax[0] == '.' ? "" : mdoc_macro(syntax), (int)size,
		    syntax);
		syntax += size + strspn(syntax + size, " ");
	}
}

static void
print_mdoc(const struct attribute *row, struct text *text)
{
	text_printf(text, ".It Cm %s No =", row->name);
	print_mdoc_syntax(row->syntax, text);
	text_printf(text, "\n%s\n", row->help);
	if (row->initial[0] != '\0')
		text_printf(text, "Default:\n.Cm %s .\n", row->initial);
	if (row->pending)
		text_printf(text, "Not yet: this release refuses it.\n");
	text_printf(
	    text, "A change applies %s.\n", attribute_change_text(row->change));
}

int
attributes_print_text(enum attribute_scope scope, struct text *text)
{
	const struct attribute *row = attributes(scope);

	for (; row->name != NULL; row++)
		print_text(row, text);
	return text->failed ? -ENOMEM : 0;
}

int
attributes_print_mdoc(enum attribute_scope scope, struct text *text)
{
	const struct attribute *row = attributes(scope);

	text_printf(text, ".Bl -tag -width Ds\n");
	for (; row->name != NULL; row++)
		print_mdoc(row, text);
	text_printf(text, ".El\n");
	return text->failed ? -ENOMEM : 0;
}
