/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group_place: where the host's own control group of a controller lies.
 *
 * /proc/self/cgroup has a line "N:CONTROLLERS:PATH" for each hierarchy of the
 * first version, and "0::PATH" for the one of the second; /proc/self/mountinfo
 * says where these are mounted.  A controller of the first version is not one
 * of the second.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/groups.h"

/* The folder into which a host of the second version moves itself: none may
 * have processes and limits of those below. */
#define OWN_LEAF "/" GROUP_OWN_NAME

/* "," between the words of the list. */
static bool
has_word(const char *list, const char *word)
{
	size_t size = strlen(word);

	for (; *list != '\0'; list += strcspn(list, ",") +
				      (list[strcspn(list, ",")] == ',' ? 1 : 0))
		if (strcspn(list, ",") == size && memcmp(list, word, size) == 0)
			return true;
	return false;
}

/* The path in the line, if it is of the controller, or of the second version.
 */
static char *
path_in(char *line, const char *controller, bool *ret_v2)
{
	char *controllers = strchr(line, ':');
	char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;

	if (path == NULL)
		return NULL;
	*controllers++ = '\0';
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	*ret_v2 = strcmp(line, "0") == 0 && controllers[0] == '\0';
	return *ret_v2 || has_word(controllers, controller) ? path : NULL;
}

/* The path within its hierarchy, to be freed. */
static int
find_path(const char *membership, const char *controller, char **ret_path,
    bool *ret_v2)
{
	FILE *file = fopen(membership, "re");
	char *line = NULL, *found = NULL;
	size_t room = 0;
	int result = 0;

	if (file == NULL)
		return -errno;
	while (result == 0 && getline(&line, &room, file) >= 0) {
		bool v2 = false;
		char *path = path_in(line, controller, &v2);

		/* That of the first version is the one that has it. */
		if (path == NULL || (v2 && found != NULL))
			continue;
		free(found);
		found = strdup(path);
		*ret_v2 = v2;
		if (found == NULL)
			result = -ENOMEM;
	}
	free(line);
	fclose(file);
	if (result == 0 && found == NULL)
		result = -ENOENT;
	if (result == 0)
		*ret_path = found;
	return result;
}

struct mount {
	char *root, *point;
};

/* Is the line of mountinfo, proc(5), of that hierarchy? */
static bool
is_mount(char *line, const char *controller, bool v2, struct mount *mount)
{
	char *rest = strstr(line, " - "), *type, *options, *save;
	unsigned field = 0;

	if (rest == NULL)
		return false;
	*rest = '\0';
	type = strtok_r(rest + 3, " \n", &save);
	strtok_r(NULL, " \n", &save); /* its source */
	options = strtok_r(NULL, " \n", &save);
	if (type == NULL || options == NULL ||
	    (v2 ? strcmp(type, "cgroup2") != 0
		: strcmp(type, "cgroup") != 0 ||
			!has_word(options, controller)))
		return false;
	for (char *word = strtok_r(line, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save), field++) {
		if (field == 3)
			mount->root = word;
		if (field == 4)
			mount->point = word;
	}
	return field > 4;
}

/* A container sees a part of the hierarchy, and maybe the path of the whole. */
static char *
join(const struct mount *mount, const char *path, bool v2)
{
	size_t root = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);
	size_t size, leaf = strlen(OWN_LEAF);
	char *folder;

	if (root > 0 && strncmp(path, mount->root, root) == 0 &&
	    (path[root] == '/' || path[root] == '\0'))
		path += root;
	if (asprintf(&folder, "%s%s", mount->point, path) < 0)
		return NULL;
	size = strlen(folder);
	if (v2 && size > leaf && strcmp(folder + size - leaf, OWN_LEAF) == 0)
		folder[size - leaf] = '\0';
	size = strlen(folder);
	if (size > 1 && folder[size - 1] == '/')
		folder[size - 1] = '\0';
	return folder;
}

int
group_place_find(const struct groups_sources *sources, const char *controller,
    struct group_place *ret_place)
{
	struct mount mount = {NULL, NULL};
	char *path = NULL, *line = NULL;
	size_t room = 0;
	bool v2 = false;
	int result = find_path(sources->membership, controller, &path, &v2);
	FILE *file;

	if (result < 0)
		return result;
	file = fopen(sources->mounts, "re");
	result = file != NULL ? -ENOENT : -errno;
	while (result == -ENOENT && file != NULL &&
	       getline(&line, &room, file) >= 0) {
		if (!is_mount(line, controller, v2, &mount))
			continue;
		ret_place->folder = join(&mount, path, v2);
		ret_place->v2 = v2;
		result = ret_place->folder != NULL ? 0 : -ENOMEM;
	}
	if (file != NULL)
		fclose(file);
	free(line);
	free(path);
	return result;
}
