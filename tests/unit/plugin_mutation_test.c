/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Good plugins with a few bytes changed: thousands of files that are nearly
 * right.  Each is read and judged, or refused with one text; none crashes the
 * reader (run it under the address sanitizer), and none is opened as code.
 */
#include "plugin_kit.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "plugin/plugin_priv.h"

#define ROUNDS 3000

/* The same sequence in every run: a failure can be looked at again. */
static uint64_t
next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Headers, notes and dynamic tables stand at both ends of a file. */
static size_t
pick_place(uint64_t *seed, size_t size)
{
	uint64_t random = next_random(seed);

	switch (random & 3) {
	case 0:
		return (random >> 8) % 64;
	case 1:
		return (random >> 8) % 1536;
	case 2:
		return size - 1 - (random >> 8) % 4096;
	default:
		return (random >> 8) % size;
	}
}

static void
mutate(uint64_t *seed, char *bytes, size_t size)
{
	static const uint64_t extremes[] = {0, 1, 0x7fffffff, 0xffffffff,
	    0x7fffffffffffffff, 0xffffffffffffffff, 0xfffffffffffff000};
	unsigned changes = 1 + next_random(seed) % 4;
	uint64_t value;
	size_t at, width;

	while (changes-- > 0) {
		value = next_random(seed);
		if (value & 1)
			value = extremes[(value >> 8) % BASE_COUNT(extremes)];
		width = (size_t)1 << (next_random(seed) & 3);
		at = pick_place(seed, size) & ~(width - 1);
		if (at + width <= size)
			memcpy(bytes + at, &value, width);
	}
}

/* Reads and judges; 0 or the refusal's code. */
static int
look(const char *bytes, size_t size)
{
	const struct plugin_location where = {.symbol = "make_first",
	    .factory = true,
	    .kind = BERTH_KIND_SERVICE};
	const struct plugin_identity identity = {.size = (int64_t)size};
	struct errors *errors = errors_new(0);
	const struct report report = {errors, NULL};
	struct facts *facts = facts_new(&identity);
	AUTO_FD fd = memfd_create("mutant", MFD_CLOEXEC);
	int r;

	assert_non_null(errors);
	assert_non_null(facts);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	r = elf_examine(fd, "x.so", &report, facts);
	if (r == 0)
		r = judge(facts, "x.so", &where, &report);
	assert_int_equal(errors_count(errors), r < 0 ? 1 : 0);
	assert_true(r == 0 || r == -ENOEXEC || r == -ENOENT);
	facts_unref(facts);
	errors_free(errors);
	return r;
}

static void
mutants(void **state)
{
	struct kit *kit = *state;
	unsigned i, good = 0, bad = 0;
	uint64_t seed = 0x42455254485f3031;
	struct text original;
	char *bytes;
	int fd;

	kit_copy(kit, "two", "x.so");
	text_init(&original);
	fd = open(kit_path(kit, "x.so"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_all(fd, 64 << 20, &original), 0);
	close(fd);
	assert_int_equal(look(original.data, original.size), 0);
	bytes = malloc(original.size);
	assert_non_null(bytes);
	for (i = 0; i < ROUNDS; i++) {
		memcpy(bytes, original.data, original.size);
		mutate(&seed, bytes, original.size);
		if (look(bytes, original.size) == 0)
			good++;
		else
			bad++;
	}
	/* Both answers were given: the mutations are neither all harmless nor
	 * all seen at the first byte. */
	assert_true(good > ROUNDS / 20);
	assert_true(bad > ROUNDS / 20);
	free(bytes);
	text_fini(&original);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(mutants, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
