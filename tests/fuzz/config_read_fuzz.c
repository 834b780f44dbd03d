/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the reader of svc.conf.  Whatever comes in, mistakes are told at
 * places that exist, and what is left over prints as a text without mistakes
 * that reads as an equal tree and prints the same.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static const char *
environment(void *context, const char *name)
{
	(void)context;
	if (strcmp(name, "EMPTY") == 0)
		return "";
	return strcmp(name, "HOME") == 0 ? "/home/x y" : NULL;
}

static struct tree *
read_text(const char *text, struct errors *errors)
{
	const struct config_options options = {.environment = environment};
	const struct config_input input = {
	    .kind = CONFIG_STRING, .text = text, .name = "fuzz"};
	struct tree *tree = NULL;

	BASE_ASSERT(errors != NULL);
	BASE_ASSERT(config_read(&input, 1, &options, errors, &tree) == 0);
	return tree;
}

static void
print_again(const struct tree *tree)
{
	struct errors *errors = errors_new(0);
	struct tree *again;
	AUTO_TEXT text;
	AUTO_TEXT twice;

	text_init(&text);
	text_init(&twice);
	BASE_ASSERT(tree_print(tree, &text) == 0);
	again = read_text(text_string(&text), errors);
	BASE_ASSERT(errors_count(errors) == 0);
	BASE_ASSERT(tree_equal(tree, again));
	BASE_ASSERT(tree_print(again, &twice) == 0);
	BASE_ASSERT(strcmp(text_string(&text), text_string(&twice)) == 0);
	tree_free(again);
	errors_free(errors);
}

/* The length of that line, or -1. */
static long
line_size(const char *text, unsigned line)
{
	while (--line > 0) {
		text = strchr(text, '\n');
		if (text == NULL)
			return -1;
		text++;
	}
	return (long)strcspn(text, "\n");
}

static void
check_places(const struct errors *errors, const char *text)
{
	for (unsigned i = 0; i < errors_kept(errors); i++) {
		const struct error *error = errors_get(errors, i);
		const struct place *place = &error->place;

		BASE_ASSERT(error->file != NULL && error->text[0] != '\0');
		/* An included file has lines of its own. */
		if (strcmp(error->file, "fuzz") != 0)
			continue;
		BASE_ASSERT(place->line > 0 && place->column > 0);
		BASE_ASSERT(place->length > 0);
		BASE_ASSERT(
		    (long)place->column <= line_size(text, place->line) + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errors *errors = errors_new(0);
	char *text = malloc(size + 1);
	struct tree *tree;
	AUTO_TEXT printed;

	text_init(&printed);
	BASE_ASSERT(text != NULL);
	if (size != 0)
		memcpy(text, data, size);
	text[size] = '\0';
	tree = read_text(text, errors);
	check_places(errors, text);
	errors_print(errors, &printed);
	print_again(tree);
	tree_free(tree);
	errors_free(errors);
	free(text);
	return 0;
}
