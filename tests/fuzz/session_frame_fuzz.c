/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes <berth/frame.h>: frames lie within what came, are no longer than
 * allowed, and are the same whether the bytes come at once or in two pieces.
 */
#include "fuzz/fuzz.h"

#include <berth/berth.h>

#include "base/base.h"

/* The first bytes choose the codec; returns how many they are. */
static size_t
choose(const uint8_t *data, struct berth_frame_codec *codec)
{
	*codec = (struct berth_frame_codec){
	    .kind = (enum berth_frame_kind)(data[0] % 6),
	    .flags = data[0] / 8u,
	    .size = data[1],
	    .delimiter = {data + 2, data[4] % 4u},
	    .header = data[2] % 16u,
	    .length_at = data[3] % 8u,
	    .length_size = data[4] % 10u,
	};
	return 5;
}

/* How much of the bytes was taken, and a sum of the frames. */
static size_t
take_all(const struct berth_frame_codec *codec, struct berth_bytes in,
    uint64_t *sum, int *ret_result)
{
	const char *from = in.data, *data;
	struct berth_bytes frame;
	size_t size = in.size, i;
	int used;

	while ((used = berth_frame_next(codec, in, &frame)) > 0) {
		data = frame.data;
		BASE_ASSERT((size_t)used <= in.size);
		BASE_ASSERT(data >= from && data + frame.size <= from + size);
		BASE_ASSERT(frame.size <= codec->size);
		*sum = *sum * 31 + frame.size + 1;
		for (i = 0; i < frame.size; i++)
			*sum = *sum * 31 + (unsigned char)data[i];
		in = berth_bytes_from(in, (size_t)used);
	}
	*ret_result = used;
	return size - in.size;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct berth_frame_codec codec;
	struct berth_bytes in, frame;
	uint64_t whole = 0, pieces = 0;
	size_t taken, half, skip;
	int result, first;

	if (size < 6)
		return 0;
	skip = choose(data, &codec);
	in = berth_bytes(data + skip, size - skip);
	take_all(&codec, in, &whole, &result);
	half = data[1] * in.size / 256;
	taken = take_all(&codec, berth_bytes(in.data, half), &pieces, &first);
	if (first < 0)
		return 0; /* seen before the rest came */
	taken += take_all(&codec, berth_bytes_from(in, taken), &pieces, &first);
	BASE_ASSERT(whole == pieces && first == result);
	if (result == 0 &&
	    berth_frame_last(&codec, berth_bytes_from(in, taken), &frame) > 0)
		BASE_ASSERT(frame.size <= codec.size);
	return 0;
}
