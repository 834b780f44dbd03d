/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream: messages, the queues that they wait in, modules, and streams of
 * them.  The contract stands in <berth/message.h>.
 */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include <berth/message.h>

/* What the host's table points to. */
extern const struct berth_message_calls message_calls;

#endif
