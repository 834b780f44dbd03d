/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin: finds, checks, opens and closes shared objects, and knows the table
 * of static services.
 *
 * A file is judged before any code of it runs: found on plugin_path or at an
 * absolute path, owner and mode of file and folders checked, copied into
 * memory, its ELF headers and Berth notes read.  Only then is the copy opened
 * with dlopen(RTLD_NOW | RTLD_LOCAL).  The installed file is never mapped.
 *
 * One image for each state of a file: two services of one unchanged file share
 * it; a file that was changed, or only touched, gives a new one beside the old.
 *
 * All calls belong to one thread, and none of them to a frame of a plugin's
 * code.
 */
#ifndef PLUGIN_PLUGIN_H
#define PLUGIN_PLUGIN_H

#include <berth/filter.h>

#include "base/base.h"

struct plugins; /* the cache of images, and where to look */
struct image;	/* one opened copy, reference-counted */

struct plugin_options {
	const char *path; /* as for plugins_set_path(); NULL: empty */
	const struct berth_static_service *statics; /* ends with a NULL name */
	bool no_dynamic;  /* refuse every shared object */
	bool trust_owner; /* tests only: skip owner and mode checks */
};

int plugins_new(
    const struct plugin_options *options, struct plugins **ret_plugins);
/* Every image must have lost its last reference. */
struct plugins *plugins_free(struct plugins *plugins);
/* "DIR:DIR", copied; "" is no folder.  -EINVAL when one is not absolute: the
 * working directory is never searched. */
int plugins_set_path(struct plugins *plugins, const char *path);

/*
 * While on, each location is found and read once: a plan sees every file in one
 * state, and ten thousand services of one file cost one look at it.  Turning it
 * on or off forgets what was seen.
 */
void plugins_snapshot(struct plugins *plugins, bool on);

/* Which file a location names now, and in what state it is. */
struct plugin_identity {
	uint64_t device;
	uint64_t inode;
	int64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns;
	uint64_t content;  /* digest of all bytes */
	char build_id[41]; /* hexadecimal, shortened to 40; or "" */
	/* Of what the location names: */
	bool is_filter;	  /* BERTH_FORM_FILTER */
	bool flags_known; /* as its data says; else its code has to be asked */
	uint32_t flags;	  /* BERTH_CONCURRENT and kin */
};

/* The same code: equal in content.  A file that was only touched, or installed
 * again as it was, is no reason to replace a service. */
bool plugin_identity_equal(
    const struct plugin_identity *a, const struct plugin_identity *b);

/*
 * A location, as in a directive: path NULL for `:symbol()` and `static symbol`.
 * kind is what the directive declares, BERTH_KIND_*.  Errors are told at
 * `place` with every name that was tried and every cause; the result is
 * negative then:
 *
 *   -ENOENT   no such file, static service, or symbol in the file
 *   -EACCES   the file is not trusted, or may not be read
 *   -EPERM    no_dynamic
 *   -EINVAL   not a path of a plugin
 *   -ENOEXEC  not a plugin for this host and this directive
 *   -ELIBACC  the loader refused it
 *   -ENOMEM, and what reading the file gave
 */
struct plugin_location {
	const char *path;
	const char *symbol;
	bool factory;
	uint32_t kind;
};

/* Finds, reads and judges; runs no code of the plugin: for -t and the plan.  A
 * static location gives an identity of zeros, but for its flags. */
int plugin_check(struct plugins *plugins, const struct plugin_location *where,
    const struct place *place, struct errors *errors,
    struct plugin_identity *ret_identity);

/* The same, then opens the file's code and asks it for the type, which lives as
 * long as the image.  Of another kind than services it is a struct
 * berth_module_type or berth_stream_type, whose first members are the same.
 * *ret_image holds a reference; NULL for a static one. */
int plugin_open(struct plugins *plugins, const struct plugin_location *where,
    const struct place *place, struct errors *errors, struct image **ret_image,
    const struct berth_service_type **ret_type,
    struct plugin_identity *ret_identity);

/*
 * The private copy itself, judged like for plugin_open(), for others who are
 * to run it: workers.  No code of it runs here.  *ret_fd is -1 for a static
 * service.
 */
int plugin_copy(struct plugins *plugins, const struct plugin_location *where,
    const struct place *place, struct errors *errors, int *ret_fd,
    struct plugin_identity *ret_identity);
/* The location of that path is this copy, whatever is in the file system.
 * Takes the descriptor; -EINVAL: it is not a sealed copy. */
int plugins_offer(struct plugins *plugins, const char *path, int fd);

/* By the name or alias of the static table; NULL: none. */
const struct berth_static_service *plugin_static(
    struct plugins *plugins, const char *name);
/* For "did you mean": offers every static name. */
void plugin_suggest_static(
    struct plugins *plugins, struct suggestion *suggestion);

#define IMAGE_E_STILL_MAPPED 1 /* unref: closed, but the loader keeps it */

struct image *image_ref(struct image *image);
/* 0: references remain, or the image is gone from memory (verified).
 * IMAGE_E_STILL_MAPPED: last reference, yet something pins it.  Never call it
 * from a frame of the image's own code. */
int image_unref(struct image *image);
/* Never unload this image: a thread of it did not end. */
void image_pin(struct image *image);
const char *image_file(const struct image *image); /* the installed path */
/* 0: it was closed, but is still mapped. */
unsigned image_references(const struct image *image);
const struct plugin_identity *image_identity(const struct image *image);
/* Why it can't be unloaded, for people; NULL when nothing is known that stands
 * against it.  Ask before the last image_unref(). */
const char *image_sticky(const struct image *image);
/* All images, those that stay mapped included, for `show`. */
void plugins_each(struct plugins *plugins,
    void (*fn)(void *context, struct image *image), void *context);

#endif
