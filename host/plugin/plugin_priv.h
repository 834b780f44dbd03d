/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin_priv: what the files of the room share.
 *
 * The way of a file: search finds it, trust opens it, copy takes it into
 * memory, elf reads it into facts, judge holds the facts against the
 * directive, image opens the copy as code.
 */
#ifndef PLUGIN_PLUGIN_PRIV_H
#define PLUGIN_PLUGIN_PRIV_H

#include <gelf.h>
#include <sys/stat.h>

#include "plugin/plugin.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Where mistakes are told; passed down as one. */
struct report {
	struct errors *errors;
	const struct place *place;
};

/* Adds an error; returns code. */
BASE_PRINTF(3, 4)
int complain(const struct report *report, int code, const char *format, ...);

/* --- facts: what a file says about itself --------------------------------- */

/* One Berth note, as found; its size in the file comes first. */
struct offer {
	uint32_t note_size;
	struct berth_descriptor descriptor;
	bool exported; /* a dynamic symbol of that name is defined */
	bool flags_known;
	uint32_t flags; /* of the type object, if it was found in the file */
};

#define FACTS_OFFERS_MAX 256u

/*
 * Read once for each state of a file, never changed but for the links.  Held
 * by the cache, by lookups and by the image.
 */
struct facts {
	unsigned references;
	struct plugin_identity identity;
	/* Read so soon after the file's last change that the next one could
	 * leave the same times: the content decides, not the identity. */
	bool fresh;
	struct offer *offers;
	unsigned offer_count;
	bool symbols_known;  /* there is a section of dynamic symbols */
	const char *sticky;  /* why it can't be unloaded; static; or NULL */
	struct image *image; /* the one to share, or NULL */
	bool cached;
	UT_hash_handle hh; /* in plugins->facts, by identity's device, inode */
};

struct facts *facts_new(const struct plugin_identity *identity);
struct facts *facts_ref(struct facts *facts);
struct facts *facts_unref(struct facts *facts); /* takes and gives NULL */
/* What the note, or the data, says of what this symbol gives: is_filter,
 * flags_known, flags. */
void facts_offer_words(const struct facts *facts, const char *symbol,
    struct plugin_identity *identity);

/* --- the room's object ---------------------------------------------------- */

/* A location that was looked up in the present snapshot. */
struct lookup {
	char *path; /* as in the directive; the key */
	char *file;
	struct facts *facts;
	UT_hash_handle hh;
};

LIST_HEAD(image_list, image);

/* A copy that was handed in, by the path of its location. */
struct offered {
	LIST_ENTRY(offered) link;
	char *path;
	int memfd;
};

struct plugins {
	char **folders;
	unsigned folder_count;
	const struct berth_static_service *statics;
	bool no_dynamic;
	bool trust_owner;
	bool snapshot;
	struct facts *facts;
	struct lookup *lookups; /* empty outside a snapshot */
	struct image_list images;
	LIST_HEAD(, offered) offers;
};

/* A file on its way: found, read, judged, opened. */
struct found {
	char *file; /* as found: FOLDER/NAME */
	struct facts *facts;
	int memfd;	     /* the copy, or -1 when the facts were known */
	struct image *image; /* once it is open */
};

void found_fini(struct found *found);

/* --- steps ---------------------------------------------------------------- */

/*
 * Opens a file for reading by its absolute path, judging every folder, link
 * and the file itself on the way.  -EACCES with *why filled: not trusted.
 * -EISDIR, -ENOENT and so on with nothing in *why.
 */
int trust_open(
    const char *path, bool trust_owner, struct text *why, int *ret_fd);

/* Finds the file of a location; errors are told. */
int search_open(const struct plugins *plugins, const char *path,
    const struct report *report, char **ret_file, int *ret_fd);

/* A sealed copy in memory.  -EBUSY, told: it changed meanwhile. */
int copy_file(
    int fd, const char *file, const struct report *report, int *ret_memfd);
void copy_identity(const struct stat *st, struct plugin_identity *identity);

/* offer.c: the copy that was handed in for a path, a descriptor of the
 * caller's; -ENOENT: none was. */
int offer_open(const struct plugins *plugins, const char *path, int *ret_memfd);
void offers_drop(struct plugins *plugins);

/* Reads the copy; fills all of facts but the links.  Errors are told. */
int elf_examine(int memfd, const char *file, const struct report *report,
    struct facts *facts);

/* A file while it is read. */
struct elf_file {
	const char *name;
	size_t size;
	Elf *elf;
	GElf_Ehdr header;
	size_t segments;
	bool saw_stack;
	bool stack_executable;
	struct facts *facts;
	const struct report *report;
};

/* Dynamic section and symbols: flags, libraries, what is exported. */
int elf_read_dynamic(struct elf_file *file);
/* Flags of type objects, where they are seen. */
void elf_read_types(struct elf_file *file);

/* Judges the numbers of all offers, then the one that the location wants. */
int judge(const struct facts *facts, const char *file,
    const struct plugin_location *where, const struct report *report);
/* Judges a type object; who is "FILE: make_x()". */
int judge_type(const void *type, const char *who, uint32_t kind,
    const struct report *report);
/* A type object is as large as its kind and version say. */
size_t type_size(uint32_t kind);
const char *kind_name(uint32_t kind);

/* A static service: check and open of a location without a path. */
int static_check(struct plugins *plugins, const struct plugin_location *where,
    const struct report *report, struct plugin_identity *ret_identity);
int static_open(struct plugins *plugins, const struct plugin_location *where,
    const struct report *report, const struct berth_service_type **ret_type);

/* Opens the copy as code, or shares the image of these facts: found->image,
 * with a reference.  Takes found->memfd when it makes a new one. */
int image_open(
    struct plugins *plugins, struct found *found, const struct report *report);
/* Resolves and calls the factory, or takes the object. */
int image_type(struct image *image, const struct plugin_location *where,
    const struct report *report, const struct berth_service_type **ret_type);
int image_memfd(const struct image *image);
/* Closes what went away meanwhile; all: forgets those that stay mapped, too. */
void image_sweep(struct plugins *plugins, bool all);

#endif
