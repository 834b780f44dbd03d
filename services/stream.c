/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream: a stream as it is, without hooks: `dynamic NAME STREAM * :stream()`.
 */
#include "services.h"

static const struct berth_stream_type stream_type = {
    .header = BERTH_TYPE_HEADER(
	BERTH_KIND_STREAM, struct berth_stream_type, make_stream),
    .summary = "modules in a row",
};

/* Of the other kinds the table knows the header only. */
const struct berth_service_type *
make_stream(void)
{
	const void *type = &stream_type;

	return type;
}
