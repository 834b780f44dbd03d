/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream_priv: what the files of the room share.
 */
#ifndef STREAM_STREAM_PRIV_H
#define STREAM_STREAM_PRIV_H

#include <stdatomic.h>

#include "base/base.h"
#include "stream/stream.h"

/* --- message.c, queue.c: the calls of <berth/message.h>
 * ---------------------*/

struct berth_message *message_make(size_t size);
struct berth_message *message_borrow(
    void *data, size_t size, berth_lender_fn *lender, void *arg);
struct berth_message *message_duplicate(const struct berth_message *message);
struct berth_message *message_clone(const struct berth_message *message);
void message_release(struct berth_message *message);
int message_reserve(struct berth_message *message, size_t space);

#endif
