/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault: what tests share in which the first, the second, ... n-th call fails.
 *
 * A test is linked with --wrap for each function that it has a FAULT of, and
 * for malloc, calloc and realloc.  It sets `countdown`, runs its scenario, and
 * is through with them all when nothing has `failed`.
 */
#ifndef UNIT_FAULT_H
#define UNIT_FAULT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static int countdown; /* 0: none is to fail */
static bool failed;

static bool
fails(int error)
{
	if (countdown == 0 || --countdown != 0)
		return false;
	failed = true;
	errno = error;
	return true;
}

#define FAULT(type, name, parameters, arguments, error, result)                \
	type __real_##name parameters;                                         \
	type __wrap_##name parameters;                                         \
	type __wrap_##name parameters                                          \
	{                                                                      \
		return fails(error) ? (result) : __real_##name arguments;      \
	}                                                                      \
	struct fault_ends_here

FAULT(void *, malloc, (size_t size), (size), ENOMEM, NULL);
FAULT(void *, calloc, (size_t n, size_t size), (n, size), ENOMEM, NULL);
FAULT(void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL);

#endif
