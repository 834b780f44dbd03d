/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the reader of the PROXY protocol: what it takes for a header lies
 * within the bytes, and is one whatever follows; no part of it is one.
 */
#include "fuzz/fuzz.h"

#include <berth/proxy_read.h>
#include <errno.h>

#include "base/base.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct berth_proxy_header header, again;
	const unsigned both = BERTH_PROXY_V1 | BERTH_PROXY_V2;
	int result = berth_proxy_read(data, size, both, &header);

	BASE_ASSERT(result == 0 || result == -EAGAIN || result == -EBADMSG);
	if (result == -EAGAIN)
		BASE_ASSERT(size < BERTH_PROXY_HEADER_MAX);
	if (result != 0)
		return 0;
	BASE_ASSERT(header.size > 0 && header.size <= size &&
		    header.size <= BERTH_PROXY_HEADER_MAX);
	BASE_ASSERT(berth_proxy_read(data, header.size, both, &again) == 0);
	BASE_ASSERT(again.size == header.size && again.told == header.told);
	BASE_ASSERT(
	    berth_proxy_read(data, header.size - 1, both, &again) == -EAGAIN);
	return 0;
}
