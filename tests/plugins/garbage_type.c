/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: the note is good, the type objects are not what it says.  One factory
 * for each number. */
#include "sin.h"

SIN_NOTE(make_magic, .form = BERTH_FORM_FACTORY);
SIN_FACTORY(make_magic, .header.magic = 0xffffffffu);

SIN_NOTE(make_major, .form = BERTH_FORM_FACTORY);
SIN_FACTORY(make_major, .header.abi_major = 9);

SIN_NOTE(make_kind, .form = BERTH_FORM_FACTORY);
SIN_FACTORY(make_kind, .header.kind = BERTH_KIND_STREAM);

SIN_NOTE(make_size, .form = BERTH_FORM_FACTORY);
SIN_FACTORY(make_size, .header.size = 8);

SIN_NOTE(make_flags, .form = BERTH_FORM_FACTORY);
SIN_FACTORY(make_flags, .flags = 0x80000000u);

static void
hook_of_the_future(void)
{
}

SIN_NOTE(make_hook, .form = BERTH_FORM_FACTORY);
SIN_FACTORY(make_hook, .session.reserved = {hook_of_the_future});
