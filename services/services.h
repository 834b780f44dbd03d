/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services: the services that are linked into the host.
 *
 * They are written against <berth/berth.h> and libc alone, exactly as a
 * plugin is; `static NAME` and `dynamic X Service_Object * :NAME()` find them
 * in this table.
 */
#ifndef SERVICES_SERVICES_H
#define SERVICES_SERVICES_H

#include <berth/stream.h>

/* Ends with a NULL name. */
extern const struct berth_static_service berth_static_services[];

berth_service_factory_fn make_manager;
berth_service_factory_fn make_reporter;
berth_service_factory_fn make_echo;
berth_service_factory_fn make_discard;
berth_service_factory_fn make_daytime;
berth_service_factory_fn make_time;
berth_service_factory_fn make_chargen;
berth_service_factory_fn make_stream;
berth_service_factory_fn make_tcpmux;

#endif
