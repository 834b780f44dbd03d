/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port: where a logging server listens when nobody says where.
 */
#ifndef LOGGING_PORT_H
#define LOGGING_PORT_H

/* "ace_logger" if services(5) has it, or "9700". */
const char *default_port(void);

#endif
