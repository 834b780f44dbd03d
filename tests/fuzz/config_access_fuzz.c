/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the reader of access lists: the lines of a file, and each line as a
 * word.  What is taken is a prefix within its family, without bits behind it;
 * mistakes are told at places that exist; the same text has the same stamp.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_access.h"

static void
check_prefix(const struct access_prefix *prefix)
{
	struct access_prefix trimmed = *prefix;

	BASE_ASSERT(prefix->bits <= (prefix->v6 ? 128 : 32));
	access_prefix_trim(&trimmed);
	BASE_ASSERT(trimmed.high == prefix->high);
	BASE_ASSERT(trimmed.low == prefix->low);
}

static int
check_entry(void *context, const struct access_entry *entry)
{
	unsigned *count = context;

	++*count;
	if (entry->kind == ACCESS_PREFIX || entry->kind == ACCESS_ALL)
		check_prefix(&entry->prefix);
	for (unsigned i = 0; i < 256 && entry->kind == ACCESS_FACTORS; i++) {
		struct access_prefix prefix = access_factor(entry, i);

		check_prefix(&prefix);
	}
	if (entry->kind == ACCESS_NAME || entry->kind == ACCESS_DOMAIN)
		BASE_ASSERT(entry->name[0] != '\0');
	BASE_ASSERT(entry->kind != ACCESS_FILE || entry->name[0] == '/');
	return 0;
}

static void
try_words(const char *text)
{
	char *copy = strdup(text), *rest = NULL;
	unsigned count = 0;

	BASE_ASSERT(copy != NULL);
	for (char *word = strtok_r(copy, "\n", &rest); word != NULL;
	     word = strtok_r(NULL, "\n", &rest)) {
		struct access_entry entry;

		if (access_parse(word, &entry) == NULL)
			check_entry(&count, &entry);
	}
	free(copy);
}

static void
try_file(const uint8_t *data, size_t size)
{
	struct errors *errors = errors_new(0);
	struct place place = {0};
	uint64_t stamp = 0, again = 0;
	unsigned count = 0;
	char path[64];
	AUTO_FD fd = memfd_create("access", MFD_CLOEXEC);
	int result;

	BASE_ASSERT(errors != NULL && fd >= 0 && fchmod(fd, 0600) == 0);
	BASE_ASSERT(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	result = access_file_read(
	    path, &place, errors, check_entry, &count, &stamp);
	BASE_ASSERT((result == 0) == (errors_count(errors) == 0));
	BASE_ASSERT(
	    access_file_read(path, &place, NULL, NULL, NULL, &again) == result);
	BASE_ASSERT(stamp == again);
	for (unsigned i = 0; i < errors_kept(errors); i++)
		BASE_ASSERT(errors_get(errors, i)->place.line > 0);
	errors_free(errors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	BASE_ASSERT(text != NULL);
	if (size != 0)
		memcpy(text, data, size);
	text[size] = '\0';
	try_words(text);
	try_file(data, size);
	free(text);
	return 0;
}
