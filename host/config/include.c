/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * include: files within files, and folders of them by xinetd's rule: names
 * with a dot in them or a tilde at their end are skipped, the others are read
 * in the order of their bytes.
 *
 * A file may be included twice, but not from within itself: the message shows
 * the way round.  Files are known by device and inode, not by name.
 */
#include "config/config_formats.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_LIMIT 32u

/* "a:1 includes 'b', b:4 includes 'c', ": from `first` to `frame`. */
static void
print_way(
    const struct frame *frame, const struct frame *first, struct text *text)
{
	if (frame == first)
		return;
	print_way(frame->up, first, text);
	text_printf(text, "%s:%u includes '%s', ", frame->from.source->name,
	    frame->from.line, frame->source->name);
}

static int
check_loop(struct reader *reader, const struct frame *frame)
{
	const struct frame *same = reader->files;
	const char *file;
	AUTO_TEXT way = {0};

	while (same != NULL &&
	       (same->device != frame->device || same->inode != frame->inode))
		same = same->up;
	if (same == NULL)
		return 0;
	print_way(reader->files, same, &way);
	if (way.failed)
		return -ENOMEM;
	file = frame->from.source->name;
	return reader_tell(reader, &frame->from,
	    "include loop: %s%s:%u includes '%s'", text_string(&way), file,
	    frame->from.line, same->source->name);
}

int
reader_remember(struct reader *reader, const char *path, bool is_folder)
{
	struct tree *tree = reader->tree;
	struct tree_path *entry = arena_alloc(tree->arena, sizeof(*entry));

	if (entry == NULL)
		return -ENOMEM;
	entry->path = arena_string(tree->arena, path);
	entry->is_folder = is_folder;
	entry->next = tree->paths;
	tree->paths = entry;
	return entry->path == NULL ? -ENOMEM : 0;
}

int
include_file(struct reader *reader, const char *path, bool included,
    const struct place *from)
{
	struct frame frame = {.up = reader->files};
	int result;

	if (from != NULL)
		frame.from = *from;
	if (reader->depth >= DEPTH_LIMIT)
		return reader_tell(reader, from,
		    "files include each other more than %u deep", DEPTH_LIMIT);
	result = reader_remember(reader, path, false);
	if (result == 0)
		result = source_open(reader, path, included, from, &frame);
	if (result == 0)
		result = check_loop(reader, &frame);
	if (result != 0)
		return result;
	reader->files = &frame;
	reader->depth++;
	result = format_read(reader, frame.source);
	reader->depth--;
	reader->files = frame.up;
	return result;
}

/* The path behind the keyword, as it can be opened. */
static int
take_path(struct parser *parser, const char **ret_path)
{
	struct reader *reader = parser->reader;
	struct token string = parser->token;
	struct token_name name;
	const char *path;
	int result;

	if (string.kind == TOKEN_WORD && parser_same_line(parser))
		return reader_tell(reader, &string.place,
		    "%s: the path stands in quotes: \"%.*s\"",
		    token_name(&parser->last, &name),
		    string.size > 200 ? 200 : (int)string.size, string.text);
	if (string.kind != TOKEN_STRING)
		return parser_expected(parser, "a path in quotes");
	parser_advance(parser);
	result = expand_token(reader, &string, &path);
	if (result != 0)
		return result;
	if (path[0] == '\0')
		return reader_tell(reader, &string.place, "the path is empty");
	path = source_relative(reader, &string.place, path);
	if (path == NULL)
		return -ENOMEM;
	*ret_path = path;
	return 0;
}

/* The mistakes of a file are its own: they do not derail the one around. */
static int
absorb(int result)
{
	return result < 0 ? result : 0;
}

int
parse_include(struct parser *parser, struct directive *directive)
{
	struct place place = parser->token.place;
	const char *path;
	int result = take_path(parser, &path);

	(void)directive;
	if (result != 0)
		return result;
	return absorb(include_file(parser->reader, path, true, &place));
}

static bool
is_skipped(const char *name)
{
	return strchr(name, '.') != NULL || name[strlen(name) - 1] == '~';
}

/* A name of the folder that xinetd's rule lets through. */
static int
include_entry(struct reader *reader, const char *folder, const char *name,
    const struct place *from)
{
	const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
	const char *path = arena_printf(
	    reader->tree->arena, "%s%s%s", folder, slash, name);
	struct stat status;

	if (path == NULL)
		return -ENOMEM;
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return 0;
	return absorb(include_file(reader, path, true, from));
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The folder's names, unsorted, as a list from malloc(3). */
struct names {
	const char **list;
	size_t count;
	size_t room;
};

static int
add_name(struct reader *reader, struct names *names, const char *name)
{
	const char **list;

	if (names->count == names->room) {
		names->room = names->room == 0 ? 64 : names->room * 2;
		list = reallocarray(names->list, names->room, sizeof(*list));
		if (list == NULL)
			return -ENOMEM;
		names->list = list;
	}
	name = arena_string(reader->tree->arena, name);
	if (name == NULL)
		return -ENOMEM;
	names->list[names->count++] = name;
	return 0;
}

static int
read_names(struct reader *reader, DIR *folder, struct names *names)
{
	const struct dirent *entry;

	errno = 0;
	while ((entry = readdir(folder)) != NULL) {
		int result;

		if (is_skipped(entry->d_name))
			continue;
		result = add_name(reader, names, entry->d_name);
		if (result < 0)
			return result;
		errno = 0;
	}
	return -errno;
}

/* What holds for a file holds for the folder, that chooses the files. */
static int
check_folder(struct reader *reader, DIR *folder, const char *path,
    const struct place *from)
{
	struct stat status;

	if (fstat(dirfd(folder), &status) < 0)
		return -errno;
	if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0)
		return reader_tell(reader, from,
		    "cannot read '%s': everybody may write to it (chmod o-w)",
		    path);
	return 0;
}

static int
list_folder(struct reader *reader, const char *path, const struct place *from,
    struct names *names)
{
	DIR *folder;
	int result = reader_remember(reader, path, true);

	if (result < 0)
		return result;
	folder = opendir(path); /* CLOEXEC by itself */
	if (folder == NULL)
		return errno == ENOMEM ? -ENOMEM
				       : reader_tell(reader, from,
					     "cannot read the folder '%s': %s",
					     path, strerror(errno));
	result = check_folder(reader, folder, path, from);
	if (result == 0)
		result = read_names(reader, folder, names);
	closedir(folder);
	if (result < 0 && result != -ENOMEM)
		return reader_tell(reader, from,
		    "cannot read the folder '%s': %s", path, strerror(-result));
	return result;
}

int
include_folder(
    struct reader *reader, const char *path, const struct place *place)
{
	struct names names = {NULL, 0, 0};
	int result = list_folder(reader, path, place, &names);

	if (result == 0 && names.count > 0)
		qsort(names.list, names.count, sizeof(*names.list),
		    compare_names);
	for (size_t i = 0; i < names.count && result == 0; i++)
		result = include_entry(reader, path, names.list[i], place);
	free(names.list);
	return absorb(result);
}

int
parse_includedir(struct parser *parser, struct directive *directive)
{
	struct place place = parser->token.place;
	const char *path;
	int result = take_path(parser, &path);

	(void)directive;
	if (result != 0)
		return result;
	return include_folder(parser->reader, path, &place);
}
