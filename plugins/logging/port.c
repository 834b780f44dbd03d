/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port: the default port of logging servers.
 */
#include <netdb.h>
#include <stddef.h>

#include "port.h"

#define PORT_NAME "ace_logger"

const char *
default_port(void)
{
	struct servent entry, *found = NULL;
	char buffer[1024];

	if (getservbyname_r(PORT_NAME, "tcp", &entry, buffer, sizeof(buffer),
		&found) != 0 ||
	    found == NULL)
		return "9700";
	return PORT_NAME;
}
