/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/text.h>: texts that the host keeps and a service writes to, such as
 * the one of the info hook.
 */
#ifndef BERTH_TEXT_H
#define BERTH_TEXT_H

#include <berth/calls.h>

/* First in every such text; the rest is the host's. */
struct berth_text {
	const struct berth_host *host;
};

/* Append.  0, or -ENOMEM. */
BERTH_PRINTF(2, 3)
static inline int
berth_text_printf(struct berth_text *t, const char *format, ...)
{
	va_list ap;
	int result;

	va_start(ap, format);
	result = t->host->text(t, format, ap);
	va_end(ap);
	return result;
}

/* Append bytes of any value.  0, or -ENOMEM. */
static inline int
berth_text_add(struct berth_text *t, struct berth_bytes bytes)
{
	return t->host->text_add(t, bytes);
}

#endif
