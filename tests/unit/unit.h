/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit: cmocka with what it wants included before it.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A common word: the host's table and our own functions have it. */
#undef fail

#endif
