/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the reading of shared objects: any file is judged, with one text when
 * it is refused.  Nothing is opened as code.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "plugin/plugin_priv.h"

static int
fill(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	BASE_ASSERT(fd >= 0);
	BASE_ASSERT(write(fd, data, size) == (ssize_t)size);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct plugin_location where = {
	    .symbol = "make_x", .factory = true, .kind = BERTH_KIND_SERVICE};
	const struct plugin_identity identity = {.size = (int64_t)size};
	struct errors *errors = errors_new(0);
	const struct report report = {errors, NULL};
	struct facts *facts = facts_new(&identity);
	AUTO_FD fd = fill(data, size);
	int r;

	BASE_ASSERT(errors && facts);
	r = elf_examine(fd, "x.so", &report, facts);
	if (r == 0)
		r = judge(facts, "x.so", &where, &report);
	BASE_ASSERT(errors_count(errors) == (r < 0 ? 1u : 0u));
	BASE_ASSERT(r == 0 || r == -ENOEXEC || r == -ENOENT);
	facts_unref(facts);
	errors_free(errors);
	return 0;
}
