/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yaml_missing: in the place of the reader, where libyaml was not found.
 */
#include "config/config_formats.h"

int
yaml_read(struct reader *reader, const struct source *source)
{
	const struct place place = {source, 1, 1, 1};

	return reader_tell(reader, &place,
	    "this is YAML, and the host was built without libyaml");
}
