/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search: from the path of a location to an open file.
 *
 * An absolute path is looked for where it says, any other, `./plug` too, in
 * the folders of plugin_path and never in the working directory.  In each
 * folder three names are tried: libNAME.so, NAME.so, NAME.  The first that
 * exists is the one: when it is not trusted or can't be read the search ends
 * there, because what comes later is not what was meant.
 *
 * One error tells all names that were tried, each with its cause, and the name
 * that may have been meant.
 */
#include "plugin/plugin_priv.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
	const struct plugins *plugins;
	const struct report *report;
	/* "A, B: No such file or directory; C: Is a directory" */
	struct text tries;
	int cause;  /* of the last name, which is told once for a run of them */
	char *file; /* what was found */
	int fd;
};

static void
end_tries(struct search *search)
{
	if (search->cause)
		(void)text_printf(
		    &search->tries, ": %s", strerror(-search->cause));
}

static void
add_try(struct search *search, const char *file, int cause)
{
	if (search->cause && search->cause != cause) {
		end_tries(search);
		(void)text_printf(&search->tries, "; %s", file);
	} else {
		(void)text_printf(&search->tries, "%s%s",
		    search->tries.size ? ", " : "", file);
	}
	search->cause = cause;
}

/* Nothing of that name is there: go on. */
static bool
is_absent(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -EISDIR ||
	       r == -ENAMETOOLONG;
}

/* One name.  Absent: -ENOENT.  Other failures are told. */
static int
try_file(struct search *search, const char *file)
{
	AUTO_TEXT why;
	int r;

	text_init(&why);
	r = trust_open(file, search->plugins->trust_owner, &why, &search->fd);
	if (r == 0)
		return 0;
	if (is_absent(r)) {
		add_try(search, file, r);
		return -ENOENT;
	}
	if (why.size)
		return complain(search->report, r, "%s: not trusted: %s", file,
		    text_string(&why));
	return complain(search->report, r, "%s: %s", file, strerror(-r));
}

/* The three names of `name` (DIR/BASE or BASE) in one folder. */
static int
try_folder(struct search *search, const char *folder, const char *name)
{
	static const char *const forms[][2] = {
	    {"lib", ".so"}, {"", ".so"}, {"", ""}};
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	char *file;
	size_t i;
	int r;

	for (i = 0; i < BASE_COUNT(forms); i++) {
		if (asprintf(&file, "%s/%.*s%s%s%s", folder, (int)(base - name),
			name, forms[i][0], base, forms[i][1]) < 0)
			return complain(
			    search->report, -ENOMEM, "out of memory");
		r = try_file(search, file);
		if (r == 0) {
			search->file = file;
			return 0;
		}
		free(file);
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

static int
try_all(struct search *search, const char *path)
{
	const struct plugins *plugins = search->plugins;
	unsigned i;
	int r = -ENOENT;

	if (path[0] == '/')
		return try_folder(search, "", path + strspn(path, "/"));
	while (path[0] == '.' && path[1] == '/')
		path += 1 + strspn(path + 1, "/");
	for (i = 0; i < plugins->folder_count && r == -ENOENT; i++)
		r = try_folder(search, plugins->folders[i], path);
	return r;
}

/* --- did you mean --- */

/* NAME of libNAME.so or NAME.so; false for other files. */
static bool
plain_name(const char *file, char *name)
{
	size_t size = strlen(file);

	if (size <= 3 || size > NAME_MAX || strcmp(file + size - 3, ".so") != 0)
		return false;
	size -= 3;
	if (size > 3 && strncmp(file, "lib", 3) == 0) {
		file += 3;
		size -= 3;
	}
	memcpy(name, file, size);
	name[size] = '\0';
	return true;
}

/* best: room for the nearest name so far, of NAME_MAX + 1 bytes. */
static void
offer_folder(const char *folder, struct suggestion *suggestion, char *best)
{
	char name[NAME_MAX + 1];
	struct dirent *entry;
	DIR *dir = opendir(folder);

	while (dir && (entry = readdir(dir))) {
		if (!plain_name(entry->d_name, name))
			continue;
		suggestion_offer(suggestion, name);
		if (suggestion->best == name)
			suggestion->best = strcpy(best, name);
	}
	if (dir)
		closedir(dir);
}

static int
complain_absent(struct search *search, const char *path)
{
	struct suggestion suggestion;
	char best[NAME_MAX + 1];
	unsigned i;

	suggestion_init(&suggestion, path);
	for (i = 0; !strchr(path, '/') && i < search->plugins->folder_count;
	     i++)
		offer_folder(search->plugins->folders[i], &suggestion, best);
	end_tries(search);
	return complain(search->report, -ENOENT,
	    "cannot find plugin '%s': tried %s%s%s%s", path,
	    text_string(&search->tries),
	    suggestion.best ? "; did you mean '" : "",
	    suggestion.best ? suggestion.best : "",
	    suggestion.best ? "'?" : "");
}

/* Whether one of the components is "..". */
static bool
climbs(const char *path)
{
	size_t size;

	for (; *path; path += size + (path[size] == '/')) {
		size = strcspn(path, "/");
		if (size == 2 && memcmp(path, "..", 2) == 0)
			return true;
	}
	return false;
}

int
search_open(const struct plugins *plugins, const char *path,
    const struct report *report, char **ret_file, int *ret_fd)
{
	size_t size = strlen(path);
	struct search search = {.plugins = plugins, .report = report, .fd = -1};
	int r;

	if (size == 0 || path[size - 1] == '/')
		return complain(report, -EINVAL,
		    "'%s' is not the name of a plugin file", path);
	if (path[0] != '/' && climbs(path))
		return complain(report, -EINVAL,
		    "'%s': a path with '..' must be absolute", path);
	if (path[0] != '/' && plugins->folder_count == 0)
		return complain(report, -ENOENT,
		    "cannot find plugin '%s': plugin_path is empty", path);
	text_init(&search.tries);
	r = try_all(&search, path);
	if (r == -ENOENT)
		complain_absent(&search, path);
	text_fini(&search.tries);
	if (r < 0)
		return r;
	*ret_file = search.file;
	*ret_fd = search.fd;
	return 0;
}
