/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * assert: the end of a process whose programmer was wrong.
 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void
base_assert_failed(const char *what, const char *file, int line)
{
	/* Not by the log sink: it may be what is broken. */
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
	abort();
}
