/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stacks: memory that coroutines run on, and the pool of what they leave.
 *
 * A stack is a mapping of its own, at its low end the guard, larger than most
 * frames so that none steps over it, at its top the struct coroutine.  The
 * kernel gives memory for pages that are touched only. A few stacks stay as
 * they are for whoever comes next; more give their memory back, but for the
 * page at the top, and keep the addresses; the rest is unmapped.
 *
 * The guard is made without a mapping of its own where the kernel knows how
 * (Linux 6.13), since a process may have some 65,000 only.
 */
#include "session/coroutine_priv.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef COROUTINE_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define WARM_MAX 16u
#define COLD_MAX 1024u
#define STACK_MIN 16384u
#define GUARD_BYTES 65536u
/* Sanitizers make frames several times as large. */
#if defined(COROUTINE_ASAN) || defined(COROUTINE_TSAN)
#define STACK_FACTOR 4u
#else
#define STACK_FACTOR 1u
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static size_t
page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Whole pages, of whatever size. */
static size_t
guard_size(void)
{
	size_t page = page_size();

	return page > GUARD_BYTES ? page : GUARD_BYTES;
}

static size_t
mapping_size_of(size_t size)
{
	size_t page = page_size();

	if (size < STACK_MIN)
		size = STACK_MIN;
	return (size * STACK_FACTOR + page - 1) / page * page + guard_size();
}

char *
stack_bottom(const struct coroutine *coroutine)
{
	return coroutine->mapping + guard_size();
}

size_t
stack_size(const struct coroutine *coroutine)
{
	const char *top = (const char *)coroutine;

	return (size_t)(top - stack_bottom(coroutine));
}

/* Stacks that all begin at the same place of a page would share a few lines of
 * the processor's cache. */
static struct coroutine *
place_in(char *mapping, size_t size)
{
	size_t color = (uintptr_t)mapping / size % 8 * 128;
	size_t need = sizeof(struct coroutine) + color;
	void *at = mapping + size - (need + 63) / 64 * 64;

	return at;
}

static int
make(size_t wanted, struct coroutine **ret_coroutine)
{
	size_t guard = guard_size(), size = mapping_size_of(wanted);
	struct coroutine *coroutine;
	char *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (mapping == MAP_FAILED)
		return -ENOMEM;
	/* A huge page would be memory for nothing; not every kernel knows. */
	madvise(mapping, size, MADV_NOHUGEPAGE);
	if (madvise(mapping, guard, MADV_GUARD_INSTALL) != 0 &&
	    mprotect(mapping, guard, PROT_NONE) != 0) {
		munmap(mapping, size);
		return -ENOMEM;
	}
	coroutine = place_in(mapping, size);
	coroutine->mapping = mapping;
	coroutine->mapping_size = size;
	coroutine->valgrind_id = VALGRIND_STACK_REGISTER(
	    mapping + guard, mapping + size);
	*ret_coroutine = coroutine;
	return 0;
}

static void
unmake(struct coroutine *coroutine)
{
	VALGRIND_STACK_DEREGISTER(coroutine->valgrind_id);
	munmap(coroutine->mapping, coroutine->mapping_size);
}

/* All but the page that the coroutine lies in, and is about to be used. */
static void
cool(struct coroutine *coroutine)
{
	size_t page = page_size();
	char *from = stack_bottom(coroutine);
	uintptr_t top = (uintptr_t)coroutine / page * page;

	madvise(from, top - (uintptr_t)from, MADV_DONTNEED);
}

static void
drop_all(struct coroutine **list)
{
	struct coroutine *coroutine;

	while ((coroutine = *list) != NULL) {
		*list = coroutine->next;
		unmake(coroutine);
	}
}

void
stacks_init(struct stacks *stacks, size_t size)
{
	stacks->warm = NULL;
	stacks->cold = NULL;
	stacks->warm_count = 0;
	stacks->cold_count = 0;
	stacks->size = size;
}

void
stacks_fini(struct stacks *stacks)
{
	drop_all(&stacks->warm);
	drop_all(&stacks->cold);
	stacks->warm_count = 0;
	stacks->cold_count = 0;
}

void
stacks_resize(struct stacks *stacks, size_t size)
{
	if (size != stacks->size)
		stacks_fini(stacks);
	stacks->size = size;
}

int
stacks_take(struct stacks *stacks, struct coroutine **ret_coroutine)
{
	struct coroutine **list = &stacks->warm;
	unsigned *count = &stacks->warm_count;

	if (*list == NULL) {
		list = &stacks->cold;
		count = &stacks->cold_count;
	}
	if (*list == NULL)
		return make(stacks->size, ret_coroutine);
	*ret_coroutine = *list;
	*list = (*list)->next;
	(*count)--;
	return 0;
}

void
stacks_give(struct stacks *stacks, struct coroutine *coroutine)
{
	struct coroutine **list = &stacks->warm;

#ifdef COROUTINE_ASAN
	__asan_unpoison_memory_region(
	    stack_bottom(coroutine), stack_size(coroutine));
#endif
	if (coroutine->mapping_size != mapping_size_of(stacks->size) ||
	    stacks->cold_count >= COLD_MAX) {
		unmake(coroutine);
		return;
	}
	if (stacks->warm_count < WARM_MAX) {
		stacks->warm_count++;
	} else {
		cool(coroutine);
		list = &stacks->cold;
		stacks->cold_count++;
	}
	coroutine->next = *list;
	*list = coroutine;
}
