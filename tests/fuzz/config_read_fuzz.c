/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the reader of svc.conf: whatever comes in is told as mistakes or
 * gives a tree whose print, read again, gives an equal tree.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static const char *
environment(void *context, const char *name)
{
	(void)context;
	return strcmp(name, "HOME") == 0 ? "/home/x y" : NULL;
}

/* The tree, or NULL when there were mistakes. */
static struct tree *
read_text(const char *text, struct errors *errors)
{
	const struct config_options options = {.environment = environment};
	const struct config_input input = {
	    .kind = CONFIG_STRING, .text = text, .name = "fuzz"};
	struct tree *tree = NULL;

	if (config_read(&input, 1, &options, errors, &tree) < 0)
		return NULL;
	return errors_count(errors) == 0 ? tree : tree_free(tree);
}

static void
print_again(const struct tree *tree)
{
	struct errors *errors = errors_new(0);
	struct tree *again;
	AUTO_TEXT text;

	text_init(&text);
	BASE_ASSERT(errors != NULL);
	BASE_ASSERT(tree_print(tree, &text) == 0);
	again = read_text(text_string(&text), errors);
	BASE_ASSERT(again != NULL);
	BASE_ASSERT(tree_equal(tree, again));
	tree_free(again);
	errors_free(errors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errors *errors = errors_new(20);
	char *text = malloc(size + 1);
	struct tree *tree;
	AUTO_TEXT printed;

	text_init(&printed);
	BASE_ASSERT(errors != NULL && text != NULL);
	if (size != 0)
		memcpy(text, data, size);
	text[size] = '\0';
	tree = read_text(text, errors);
	errors_print(errors, &printed);
	if (tree != NULL)
		print_again(tree);
	tree_free(tree);
	errors_free(errors);
	free(text);
	return 0;
}
