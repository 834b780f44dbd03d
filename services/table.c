/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of static services: the names that svc.conf(5) promises.
 */
#include "services.h"

const struct berth_static_service berth_static_services[] = {
    {"Service_Manager", make_manager, "ACE_Service_Manager"},
    {"Service_Reporter", make_reporter, NULL},
    {"echo", make_echo, NULL},
    {"discard", make_discard, NULL},
    {"daytime", make_daytime, NULL},
    {"time", make_time, NULL},
    {"chargen", make_chargen, NULL},
    {"tcpmux", make_tcpmux, NULL},
    {"stream", make_stream, NULL},
    {NULL, NULL, NULL},
};
