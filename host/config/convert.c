/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * convert: a tree in another language, and what is lost on the way.
 *
 * Nothing is left out in silence: an attribute that was given and says
 * something else than its default, and that the language has no word for, is
 * told at its service.
 */
#include "config/config_formats.h"

#include <errno.h>
#include <string.h>

void
printing_lose(struct printing *printing, const struct place *place,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	errors_vadd(printing->errors, SEVERITY_WARNING, 0, place, format, ap);
	va_end(ap);
	printing->losses++;
}

static bool
says_something(const struct attribute *row, const struct settings *settings)
{
	struct settings initial;
	unsigned index = (unsigned)(row - attributes(ATTRIBUTE_SERVICE));

	settings_init(&initial);
	return given_has(&settings->given, index) &&
	       !attribute_equal(row, settings, &initial);
}

bool
printing_has(const struct directive *directive, const char *attribute)
{
	const struct attribute *row = attribute_find(
	    ATTRIBUTE_SERVICE, attribute);

	BASE_ASSERT(row != NULL);
	return says_something(row, directive->settings);
}

static bool
is_one_of(const char *const *words, const char *word)
{
	while (*words != NULL && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

void
printing_lose_rest(struct printing *printing, const struct directive *directive,
    const char *const *carried)
{
	const struct attribute *row = attributes(ATTRIBUTE_SERVICE);

	for (; row->name != NULL; row++)
		if (!is_one_of(carried, row->name) && row->kind != VALUE_PART &&
		    says_something(row, directive->settings))
			printing_lose(printing, &directive->name_place,
			    "'%s' of '%s' is not carried", row->name,
			    directive->name);
}

const char *
printing_internal(const struct directive *directive)
{
	const char *name = directive->symbol;

	if (directive->kind == DIRECTIVE_STATIC)
		name = directive->name;
	else if (directive->type != BERTH_KIND_SERVICE ||
		 directive->path != NULL)
		return NULL;
	return name != NULL && make_is_static(name) ? name : NULL;
}

bool
printing_is_service(
    struct printing *printing, const struct directive *directive)
{
	if (directive->kind != DIRECTIVE_DYNAMIC &&
	    directive->kind != DIRECTIVE_STATIC) {
		printing_lose(printing, &directive->place,
		    "'%s %s' is not carried",
		    directive_kind_name(directive->kind), directive->name);
		return false;
	}
	if (directive->inactive)
		printing_lose(printing, &directive->name_place,
		    "that '%s' is inactive is not carried", directive->name);
	return true;
}

bool
printing_is_word(const char *word)
{
	if (word[0] == '\0')
		return false;
	for (; *word != '\0'; word++)
		if ((unsigned char)*word <= ' ' || *word == 0x7f)
			return false;
	return true;
}

/* Languages that have services only. */
static void
lose_host(struct printing *printing)
{
	const struct attribute *row = attributes(ATTRIBUTE_HOST);
	const struct host_settings *host = &printing->tree->host;

	for (unsigned i = 0; row[i].name != NULL; i++)
		if (given_has(&host->given, i) &&
		    strcmp(row[i].name, "reload") != 0)
			printing_lose(printing, &printing->tree->host_place,
			    "'%s' of the host is not carried", row[i].name);
}

int
tree_print_as(const struct tree *tree, enum config_format format,
    struct errors *errors, struct text *text)
{
	struct printing printing = {tree, format, errors, text, 0};

	if (format == CONFIG_SVC || format == CONFIG_AUTO)
		return tree_print(tree, text);
	if (format == CONFIG_YAML) {
		print_yaml(&printing);
	} else {
		lose_host(&printing);
		(format == CONFIG_XINETD ? print_xinetd : print_inetd)(
		    &printing);
	}
	if (text->failed)
		return -ENOMEM;
	return printing.losses > 0 ? CONFIG_E_LOST : 0;
}

int
config_convert(const struct config_input *from, enum config_format to,
    const struct config_options *options, struct errors *errors,
    struct text *text)
{
	struct config_options all = {.convert = true};
	struct tree *tree;
	int result;

	if (options != NULL)
		all = *options;
	all.convert = true;
	result = config_read(from, 1, &all, errors, &tree);
	if (result < 0)
		return result;
	result = tree_print_as(tree, to, errors, text);
	if (result == 0 && (tree->losses > 0 || errors_count(errors) > 0))
		result = CONFIG_E_LOST;
	tree_free(tree);
	return result;
}
