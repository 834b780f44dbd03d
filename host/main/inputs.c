/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inputs: what the options make the host read, and where that is found.
 *
 * Files come before directives, each in the order of the command line.
 * Without -f, ./svc.conf is read; it has to exist, unless there are
 * directives.  A host that leaves its folder (-b) keeps absolute paths; one
 * that stays has the paths as they were written, so that messages name them
 * so.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "main/options.h"

#define DEFAULT_FILE "svc.conf"

/* A path as it is found after the daemon has left its folder. */
static const char *
locate(const struct options *options, const char *path)
{
	bool leaves = options->daemon && options->action == OPTIONS_RUN;

	if (!leaves || path[0] == '/')
		return path;
	return arena_printf(options->arena, "%s/%s", options->cwd, path);
}

static int
find_cwd(struct options *options, struct text *message)
{
	char cwd[PATH_MAX];
	int error;

	if (getcwd(cwd, sizeof(cwd)) == NULL) {
		error = errno;
		text_printf(message, "the working folder: %s", strerror(error));
		return -error;
	}
	options->cwd = arena_string(options->arena, cwd);
	return options->cwd == NULL ? -ENOMEM : 0;
}

/* The loader takes absolute folders only, and a relative one on the command
 * line means the caller's. */
static int
absolute_folders(struct options *options, struct text *message)
{
	const char *rest = options->plugin_path;
	const char *path = "";
	int size;

	while (rest != NULL) {
		size = (int)strcspn(rest, ":");
		if (size == 0) {
			text_printf(message,
			    "--plugin-path '%s': a folder is "
			    "empty",
			    options->plugin_path);
			return OPTIONS_E_USAGE;
		}
		path = arena_printf(options->arena, "%s%s%s%s%.*s", path,
		    *path == '\0' ? "" : ":", *rest == '/' ? "" : options->cwd,
		    *rest == '/' ? "" : "/", size, rest);
		if (path == NULL)
			return -ENOMEM;
		rest = rest[size] == ':' ? rest + size + 1 : NULL;
	}
	options->plugin_path = path;
	return 0;
}

static int
add_file(struct options *options, const char *path, enum config_format format)
{
	struct config_input *input = &options->inputs[options->input_count];

	input->kind = CONFIG_FILE;
	input->format = format;
	input->address = options->address;
	input->text = locate(options, path);
	if (input->text == NULL)
		return -ENOMEM;
	options->input_count++;
	return 0;
}

static int
add_directive(struct options *options, const char *text, unsigned number)
{
	struct config_input *input = &options->inputs[options->input_count];

	input->kind = CONFIG_STRING;
	input->text = text;
	input->name = arena_printf(options->arena, "-S #%u", number);
	if (input->name == NULL)
		return -ENOMEM;
	options->input_count++;
	return 0;
}

/* What a command line says of all services, as a text before the files. */
static int
add_defaults(struct options *options)
{
	struct config_input *input = &options->inputs[options->input_count];

	if (options->defaults == NULL)
		return 0;
	input->kind = CONFIG_STRING;
	input->text = options->defaults;
	input->name = "options";
	options->input_count++;
	return 0;
}

static int
make_inputs(struct options *options)
{
	unsigned most = options->file_count + options->directive_count + 2;
	int result;

	options->inputs = arena_alloc(
	    options->arena, most * sizeof(*options->inputs));
	if (options->inputs == NULL)
		return -ENOMEM;
	result = add_defaults(options);
	if (options->file_count == 0 &&
	    (options->directive_count == 0 || access(DEFAULT_FILE, F_OK) == 0))
		result = add_file(options, DEFAULT_FILE, options->format);
	for (unsigned i = 0; result == 0 && i < options->file_count; i++)
		result = add_file(
		    options, options->files[i].path, options->files[i].format);
	for (unsigned i = 0; result == 0 && i < options->directive_count; i++)
		result = add_directive(options, options->directives[i], i + 1);
	return result;
}

int
options_resolve(struct options *options, struct text *message)
{
	int result = 0;

	if (options->daemon || options->plugin_path != NULL)
		result = find_cwd(options, message);
	if (result == 0 && options->plugin_path != NULL)
		result = absolute_folders(options, message);
	if (result == 0)
		result = make_inputs(options);
	if (result == 0 && options->pid_file != NULL) {
		options->pid_file = locate(options, options->pid_file);
		if (options->pid_file == NULL)
			result = -ENOMEM;
	}
	return result;
}
