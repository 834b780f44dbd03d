/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image: a file's private copy, opened as code.
 *
 * The loader knows an object by the name it was opened under, and answers a
 * name that it knows with the object that it has.  Hence every image has a name
 * of its own, /proc/self/fd/N, where N is the descriptor of the copy: as long
 * as the loader may hold the object, N stays open, and no other can get that
 * name.  An image that would not go away keeps N for good.
 *
 * Unloading is verified.  What stays mapped (STB_GNU_UNIQUE, -z nodelete, a
 * thread-local destructor to come, a thread that did not end) stays in the list
 * without references, is never given out again, and is looked at once more
 * whenever another image is opened.
 */
#include "plugin/plugin_priv.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_BYTES 32

struct image {
	struct plugins *plugins;
	struct facts *facts;
	char *file;	       /* as found */
	char name[NAME_BYTES]; /* for the loader */
	int memfd;
	void *handle; /* NULL once closed */
	unsigned references;
	bool pinned;
	LIST_ENTRY(image) link;
};

/* Not linked in the list. */
static struct image *
image_free(struct image *image)
{
	if (!image)
		return NULL;
	if (image->facts && image->facts->image == image)
		image->facts->image = NULL;
	facts_unref(image->facts);
	fd_close(&image->memfd);
	free(image->file);
	free(image);
	return NULL;
}

static struct image *
image_new(struct plugins *plugins, struct found *found)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		return NULL;
	image->memfd = -1;
	image->file = strdup(found->file);
	if (!image->file)
		return image_free(image);
	image->plugins = plugins;
	image->references = 1;
	image->memfd = base_take_fd(&found->memfd);
	image->facts = facts_ref(found->facts);
	(void)snprintf(
	    image->name, NAME_BYTES, "/proc/self/fd/%d", image->memfd);
	return image;
}

/* What the loader says, without the name that only it knows. */
static const char *
loader_text(const struct image *image)
{
	const char *text = dlerror();
	size_t size = strlen(image->name);

	if (!text)
		return "the loader gives no reason";
	if (strncmp(text, image->name, size) == 0 && text[size] == ':')
		return text + size + 1 + strspn(text + size + 1, " ");
	return text;
}

int
image_open(
    struct plugins *plugins, struct found *found, const struct report *report)
{
	struct image *image = found->facts->image;
	int r;

	image_sweep(plugins, false);
	if (image) {
		found->image = image_ref(image);
		return 0;
	}
	BASE_ASSERT(found->memfd >= 0);
	image = image_new(plugins, found);
	if (!image)
		return complain(report, -ENOMEM, "out of memory");
	image->handle = dlopen(image->name, RTLD_NOW | RTLD_LOCAL);
	if (!image->handle) {
		r = complain(report, -ELIBACC, "%s: cannot be loaded: %s",
		    image->file, loader_text(image));
		image_free(image);
		return r;
	}
	image->facts->image = image;
	LIST_INSERT_HEAD(&plugins->images, image, link);
	found->image = image;
	return 0;
}

/* --- the type ----------------------------------------------------------------
 */

/* Whether an object that a factory gave can be looked at without a fault. */
static bool
is_mapped(const void *object, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)object & ~(page - 1);
	uintptr_t end = (uintptr_t)object + size;
	unsigned char in_core;

	if ((uintptr_t)object % _Alignof(struct berth_service_type) != 0 ||
	    end < from)
		return false;
	for (; from < end; from += page)
		if (mincore((void *)from, page, &in_core) < 0)
			return false;
	return true;
}

/* NULL: told. */
static const struct berth_service_type *
get_type(struct image *image, const struct plugin_location *where,
    const struct report *report)
{
	const struct berth_service_type *type;
	berth_service_factory_fn *make;
	void *symbol;

	(void)dlerror();
	symbol = dlsym(image->handle, where->symbol);
	if (!symbol) {
		complain(report, -ENOEXEC, "%s: no '%s' in it: %s", image->file,
		    where->symbol, loader_text(image));
		return NULL;
	}
	if (!where->factory)
		return symbol;
	/* ISO C has no cast from an object's to a function's address. */
	memcpy(&make, &symbol, sizeof(make));
	type = make();
	if (!type)
		complain(report, -ENOEXEC, "%s: %s() gave NULL", image->file,
		    where->symbol);
	return type;
}

int
image_type(struct image *image, const struct plugin_location *where,
    const struct report *report, const struct berth_service_type **ret_type)
{
	const struct berth_service_type *type;
	AUTO_TEXT who;
	int r;

	text_init(&who);
	type = get_type(image, where, report);
	if (!type)
		return -ENOEXEC;
	if (text_printf(&who, "%s: %s%s", image->file, where->symbol,
		where->factory ? "()" : "") < 0)
		return complain(report, -ENOMEM, "out of memory");
	if (!is_mapped(type, type_size(where->kind)))
		return complain(report, -ENOEXEC, "%s gave a wild pointer",
		    text_string(&who));
	r = judge_type(type, text_string(&who), where->kind, report);
	if (r < 0)
		return r;
	*ret_type = type;
	return 0;
}

/* --- references
 * --------------------------------------------------------------- */

struct image *
image_ref(struct image *image)
{
	BASE_ASSERT(image->references > 0);
	image->references++;
	return image;
}

static bool
is_loaded(const struct image *image)
{
	void *again = dlopen(image->name, RTLD_NOLOAD | RTLD_LAZY);

	if (!again)
		return false;
	dlclose(again);
	return true;
}

int
image_unref(struct image *image)
{
	BASE_ASSERT(image->references > 0);
	if (--image->references > 0)
		return 0;
	/* Whoever opens the file from now on gets code of its own. */
	if (image->facts->image == image)
		image->facts->image = NULL;
	if (image->pinned)
		return IMAGE_E_STILL_MAPPED;
	dlclose(image->handle);
	image->handle = NULL;
	if (is_loaded(image))
		return IMAGE_E_STILL_MAPPED;
	LIST_REMOVE(image, link);
	image_free(image);
	return 0;
}

void
image_pin(struct image *image)
{
	image->pinned = true;
}

void
image_sweep(struct plugins *plugins, bool all)
{
	struct image *image, *next;

	for (image = LIST_FIRST(&plugins->images); image; image = next) {
		next = LIST_NEXT(image, link);
		BASE_ASSERT(!all || image->references == 0);
		if (image->references > 0)
			continue;
		if (image->pinned || is_loaded(image)) {
			if (!all)
				continue;
			/* Left open, so that the loader's name for it is not
			 * given to another. */
			(void)base_take_fd(&image->memfd);
		}
		LIST_REMOVE(image, link);
		image_free(image);
	}
}

int
image_memfd(const struct image *image)
{
	return image->memfd;
}

const char *
image_file(const struct image *image)
{
	return image->file;
}

unsigned
image_references(const struct image *image)
{
	return image->references;
}

const struct plugin_identity *
image_identity(const struct image *image)
{
	return &image->facts->identity;
}

const char *
image_sticky(const struct image *image)
{
	return image->pinned ? "a thread of it did not end"
			     : image->facts->sticky;
}

void
plugins_each(struct plugins *plugins,
    void (*fn)(void *context, struct image *image), void *context)
{
	struct image *image, *next;

	for (image = LIST_FIRST(&plugins->images); image; image = next) {
		next = LIST_NEXT(image, link);
		fn(context, image);
	}
}
