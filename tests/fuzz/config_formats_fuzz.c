/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the readers of inetd.conf, xinetd.conf and YAML; the first byte says
 * which.  Whatever comes in, what is left over prints as svc.conf and as YAML
 * without a loss, and reads back from the former as an equal tree.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static bool
user_exists(void *context, const char *name)
{
	(void)context;
	return strchr(name, '.') == NULL;
}

static struct tree *
read_text(const char *text, enum config_format format, struct errors *errors)
{
	const struct config_options options = {
	    .convert = true, .user_exists = user_exists};
	const struct config_input input = {
	    CONFIG_STRING, text, "fuzz", format, NULL};
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
	AUTO_TEXT text = {.failed = false};
	AUTO_TEXT other = {.failed = false};

	text_init(&text);
	text_init(&other);
	BASE_ASSERT(tree_print(tree, &text) == 0);
	again = read_text(text_string(&text), CONFIG_SVC, errors);
	BASE_ASSERT(errors_count(errors) == 0);
	BASE_ASSERT(tree_equal(tree, again));
	tree_free(again);
	BASE_ASSERT(tree_print_as(tree, CONFIG_YAML, errors, &other) == 0);
	tree_print_as(tree, CONFIG_INETD, errors, &other);
	tree_print_as(tree, CONFIG_XINETD, errors, &other);
	errors_free(errors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum config_format format = CONFIG_YAML;
	struct errors *errors;
	struct tree *tree;
	char *text;

	if (size == 0)
		return 0;
	format = (enum config_format)(
	    CONFIG_INETD + data[0] % (CONFIG_YAML - CONFIG_INETD + 1));
	text = malloc(size);
	errors = errors_new(0);
	BASE_ASSERT(text != NULL && errors != NULL);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	/* No file of this machine. */
	if (strstr(text, "include") == NULL) {
		tree = read_text(text, format, errors);
		print_again(tree);
		tree_free(tree);
	}
	errors_free(errors);
	free(text);
	return 0;
}
