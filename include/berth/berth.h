/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/berth.h>: all that a plugin includes.
 */
#ifndef BERTH_BERTH_H
#define BERTH_BERTH_H

#ifdef __cplusplus
extern "C" {
#endif

#include <berth/abi.h>
#include <berth/session.h>
#include <berth/service.h>
#include <berth/reactor.h>
#include <berth/host.h>
#include <berth/calls.h>
#include <berth/text.h>
#include <berth/events.h>
#include <berth/connect.h>
#include <berth/log.h>
#include <berth/sender.h>
#include <berth/message.h>
#include <berth/stream.h>
#include <berth/filter.h>
#include <berth/frame.h>
#include <berth/serve.h>

#ifdef __cplusplus
}
#endif

#endif
