/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugins: the room's object: where to look, what is known of files, and the
 * two questions: is this location good (check), and give me its type (open).
 *
 * What is known of a file is kept by device and inode and is good as long as
 * its size and times stay.  Times are coarse: of a file that had only just
 * changed when it was read, the content is read again and compared.
 */
#include "plugin/plugin_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define FACTS_KEY_SIZE (2 * sizeof(uint64_t)) /* device, inode */
/* So many files are remembered, and all of which there is an image. */
#define FACTS_MAX 256u

int
complain(const struct report *report, int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	errors_vadd(
	    report->errors, SEVERITY_ERROR, code, report->place, format, ap);
	va_end(ap);
	return code;
}

static int
out_of_memory(const struct report *report)
{
	return complain(report, -ENOMEM, "out of memory");
}

void
found_fini(struct found *found)
{
	free(found->file);
	found->file = NULL;
	found->facts = facts_unref(found->facts);
	fd_close(&found->memfd);
}

/* --- what is known of files ------------------------------------------------
 */

static void
forget_facts(struct plugins *plugins, struct facts *facts)
{
	HASH_DEL(plugins->facts, facts);
	facts->cached = false;
	facts_unref(facts);
}

static void
forget_unused(struct plugins *plugins)
{
	struct facts *facts, *next;

	for (facts = plugins->facts; facts; facts = next) {
		next = facts->hh.next;
		if (facts->references == 1)
			forget_facts(plugins, facts);
	}
}

/* Of that state of the file; or NULL. */
static struct facts *
known_facts(struct plugins *plugins, const struct plugin_identity *identity)
{
	struct facts *facts;

	HASH_FIND(hh, plugins->facts, &identity->device, FACTS_KEY_SIZE, facts);
	if (facts && facts->identity.size == identity->size &&
	    facts->identity.mtime_ns == identity->mtime_ns &&
	    facts->identity.ctime_ns == identity->ctime_ns)
		return facts;
	return NULL;
}

/* In place of what was known of an earlier state. */
static int
keep_facts(struct plugins *plugins, struct facts *facts)
{
	struct facts *old;

	HASH_FIND(
	    hh, plugins->facts, &facts->identity.device, FACTS_KEY_SIZE, old);
	if (old)
		forget_facts(plugins, old);
	if (HASH_COUNT(plugins->facts) >= FACTS_MAX)
		forget_unused(plugins);
	HASH_ADD(hh, plugins->facts, identity.device, FACTS_KEY_SIZE, facts);
	if (!facts->hh.tbl)
		return -ENOMEM;
	facts_ref(facts)->cached = true;
	return 0;
}

/* Copies and reads the file; found->memfd and found->facts. */
static int
examine(struct plugins *plugins, int fd, const struct plugin_identity *identity,
    const struct report *report, struct found *found)
{
	struct facts *old = known_facts(plugins, identity), *facts;
	int r;

	facts = found->facts = facts_new(identity);
	if (!facts)
		return out_of_memory(report);
	r = copy_file(fd, found->file, report, &found->memfd);
	if (r == 0)
		r = elf_examine(found->memfd, found->file, report, facts);
	if (r < 0)
		return r;
	if (old && old->identity.content == facts->identity.content) {
		/* It stayed as it was: the old facts may have an image. */
		old->fresh = facts->fresh;
		found->facts = facts_ref(old);
		facts_unref(facts);
		return 0;
	}
	r = keep_facts(plugins, facts);
	return r < 0 ? out_of_memory(report) : 0;
}

/* Facts of an open file, from memory where that is enough. */
static int
learn(struct plugins *plugins, int fd, bool for_code,
    const struct report *report, struct found *found)
{
	struct plugin_identity identity;
	struct facts *facts;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return complain(
		    report, -errno, "%s: %s", found->file, strerror(errno));
	copy_identity(&st, &identity);
	facts = known_facts(plugins, &identity);
	if (facts && !facts->fresh && (facts->image || !for_code)) {
		found->facts = facts_ref(facts);
		return 0;
	}
	return examine(plugins, fd, &identity, report, found);
}

/* --- snapshots --------------------------------------------------------------
 */

static struct lookup *
lookup_free(struct lookup *lookup)
{
	if (!lookup)
		return NULL;
	facts_unref(lookup->facts);
	free(lookup->path);
	free(lookup->file);
	free(lookup);
	return NULL;
}

void
plugins_snapshot(struct plugins *plugins, bool on)
{
	struct lookup *lookup, *next;

	plugins->snapshot = on;
	for (lookup = plugins->lookups; lookup; lookup = next) {
		next = lookup->hh.next;
		HASH_DEL(plugins->lookups, lookup);
		lookup_free(lookup);
	}
}

/* 0: found in the snapshot. */
static int
recall(struct plugins *plugins, const char *path, bool for_code,
    struct found *found)
{
	struct lookup *lookup;

	HASH_FIND_STR(plugins->lookups, path, lookup);
	if (!lookup || (for_code && !lookup->facts->image))
		return -ENOENT;
	found->file = strdup(lookup->file);
	if (!found->file)
		return -ENOMEM;
	found->facts = facts_ref(lookup->facts);
	return 0;
}

/* Without memory the location is only looked up again. */
static void
remember(struct plugins *plugins, const char *path, const struct found *found)
{
	struct lookup *lookup, *old;

	if (!plugins->snapshot)
		return;
	HASH_FIND_STR(plugins->lookups, path, old);
	if (old) {
		HASH_DEL(plugins->lookups, old);
		lookup_free(old);
	}
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return;
	lookup->path = strdup(path);
	lookup->file = strdup(found->file);
	lookup->facts = facts_ref(found->facts);
	if (lookup->path && lookup->file)
		HASH_ADD_KEYPTR(hh, plugins->lookups, lookup->path,
		    strlen(lookup->path), lookup);
	if (!lookup->hh.tbl)
		lookup_free(lookup);
}

/* --- check and open ---------------------------------------------------------
 */

/* A copy that was handed in, of which nothing is remembered. */
static int
find_offered(struct plugins *plugins, const char *path,
    const struct report *report, struct found *found)
{
	struct plugin_identity identity;
	struct stat st;
	int r = offer_open(plugins, path, &found->memfd);

	if (r < 0)
		return r;
	if (fstat(found->memfd, &st) < 0)
		return complain(
		    report, -errno, "%s: %s", path, strerror(errno));
	copy_identity(&st, &identity);
	found->file = strdup(path);
	found->facts = facts_new(&identity);
	if (!found->file || !found->facts)
		return out_of_memory(report);
	return elf_examine(found->memfd, found->file, report, found->facts);
}

static int
find(struct plugins *plugins, const char *path, bool for_code,
    const struct report *report, struct found *found)
{
	AUTO_FD fd = -1;
	int r;

	if (plugins->no_dynamic)
		return complain(report, -EPERM,
		    "plugin '%s' is refused: this host loads no plugins "
		    "(--no-dynamic)",
		    path);
	r = find_offered(plugins, path, report, found);
	if (r != -ENOENT)
		return r;
	r = recall(plugins, path, for_code, found);
	if (r == -ENOMEM)
		return out_of_memory(report);
	if (r == 0)
		return 0;
	r = search_open(plugins, path, report, &found->file, &fd);
	if (r == 0)
		r = learn(plugins, fd, for_code, report, found);
	if (r == 0)
		remember(plugins, path, found);
	return r;
}

static void
identify(const struct facts *facts, const struct plugin_location *where,
    struct plugin_identity *ret_identity)
{
	*ret_identity = facts->identity;
	facts_offer_words(facts, where->symbol, ret_identity);
}

int
plugin_check(struct plugins *plugins, const struct plugin_location *where,
    const struct place *place, struct errors *errors,
    struct plugin_identity *ret_identity)
{
	const struct report report = {errors, place};
	struct found found = {.memfd = -1};
	int r;

	if (!where->path)
		return static_check(plugins, where, &report, ret_identity);
	r = find(plugins, where->path, false, &report, &found);
	if (r == 0)
		r = judge(found.facts, found.file, where, &report);
	if (r == 0)
		identify(found.facts, where, ret_identity);
	found_fini(&found);
	return r;
}

/* found->image and the type. */
static int
open_found(struct plugins *plugins, const struct plugin_location *where,
    struct found *found, const struct report *report,
    const struct berth_service_type **ret_type)
{
	int r;

	r = judge(found->facts, found->file, where, report);
	if (r < 0)
		return r;
	r = image_open(plugins, found, report);
	if (r < 0)
		return r;
	r = image_type(found->image, where, report, ret_type);
	if (r < 0)
		(void)image_unref(found->image);
	return r;
}

int
plugin_open(struct plugins *plugins, const struct plugin_location *where,
    const struct place *place, struct errors *errors, struct image **ret_image,
    const struct berth_service_type **ret_type,
    struct plugin_identity *ret_identity)
{
	const struct report report = {errors, place};
	struct found found = {.memfd = -1};
	int r;

	if (!where->path) {
		r = static_open(plugins, where, &report, ret_type);
		if (r < 0)
			return r;
		*ret_image = NULL;
		memset(ret_identity, 0, sizeof(*ret_identity));
		return 0;
	}
	r = find(plugins, where->path, true, &report, &found);
	if (r == 0)
		r = open_found(plugins, where, &found, &report, ret_type);
	if (r == 0) {
		*ret_image = found.image;
		identify(found.facts, where, ret_identity);
	}
	found_fini(&found);
	return r;
}

/* The descriptor of an image that runs here already, or the one just read. */
static int
give_copy(struct found *found, int *ret_fd)
{
	int fd = found->memfd >= 0 ? found->memfd
				   : image_memfd(found->facts->image);

	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int
plugin_copy(struct plugins *plugins, const struct plugin_location *where,
    const struct place *place, struct errors *errors, int *ret_fd,
    struct plugin_identity *ret_identity)
{
	const struct report report = {errors, place};
	struct found found = {.memfd = -1};
	int r;

	if (!where->path) {
		*ret_fd = -1;
		return static_check(plugins, where, &report, ret_identity);
	}
	r = find(plugins, where->path, true, &report, &found);
	if (r == 0)
		r = judge(found.facts, found.file, where, &report);
	if (r == 0)
		r = give_copy(&found, ret_fd);
	if (r == 0)
		*ret_identity = found.facts->identity;
	found_fini(&found);
	return r;
}

bool
plugin_identity_equal(
    const struct plugin_identity *a, const struct plugin_identity *b)
{
	return a->size == b->size && a->content == b->content &&
	       strcmp(a->build_id, b->build_id) == 0;
}

/* --- the object -------------------------------------------------------------
 */

static void
free_folders(char **folders, unsigned count)
{
	while (count > 0)
		free(folders[--count]);
	free(folders);
}

/* "DIR:DIR"; empty ones, as in "DIR:", are skipped. */
static int
split_path(const char *path, char ***ret_folders, unsigned *ret_count)
{
	char **folders = NULL, **more;
	unsigned count = 0;
	size_t size;
	int r = 0;

	for (; r == 0 && *path; path += size + (path[size] == ':')) {
		size = strcspn(path, ":");
		if (size == 0)
			continue;
		if (path[0] != '/') {
			r = -EINVAL;
			break;
		}
		more = reallocarray(folders, count + 1, sizeof(*folders));
		if (more) {
			folders = more;
			folders[count] = strndup(path, size);
		}
		if (!more || !folders[count++])
			r = -ENOMEM;
	}
	if (r < 0) {
		free_folders(folders, count);
		return r;
	}
	*ret_folders = folders;
	*ret_count = count;
	return 0;
}

int
plugins_set_path(struct plugins *plugins, const char *path)
{
	char **folders;
	unsigned count;
	int r;

	r = split_path(path, &folders, &count);
	if (r < 0)
		return r;
	free_folders(plugins->folders, plugins->folder_count);
	plugins->folders = folders;
	plugins->folder_count = count;
	plugins_snapshot(plugins, plugins->snapshot);
	return 0;
}

int
plugins_new(const struct plugin_options *options, struct plugins **ret_plugins)
{
	struct plugins *plugins = calloc(1, sizeof(*plugins));
	int r;

	if (!plugins)
		return -ENOMEM;
	LIST_INIT(&plugins->images);
	LIST_INIT(&plugins->offers);
	plugins->statics = options->statics;
	plugins->no_dynamic = options->no_dynamic;
	plugins->trust_owner = options->trust_owner;
	r = plugins_set_path(plugins, options->path ? options->path : "");
	if (r < 0) {
		plugins_free(plugins);
		return r;
	}
	*ret_plugins = plugins;
	return 0;
}

struct plugins *
plugins_free(struct plugins *plugins)
{
	struct facts *facts, *next;

	if (!plugins)
		return NULL;
	plugins_snapshot(plugins, false);
	offers_drop(plugins);
	image_sweep(plugins, true);
	for (facts = plugins->facts; facts; facts = next) {
		next = facts->hh.next;
		forget_facts(plugins, facts);
	}
	free_folders(plugins->folders, plugins->folder_count);
	free(plugins);
	return NULL;
}
