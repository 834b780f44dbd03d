/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside session: the header of the PROXY protocol, read.
 */
#ifndef SESSION_PROXY_H
#define SESSION_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* A header with more than this, TLVs included, is not accepted. */
#define PROXY_HEADER_MAX 4096u

struct proxy_header {
	size_t size; /* in bytes */
	bool told;   /* there are addresses; else the connection's own count */
	struct sockaddr_storage from, to;
	socklen_t address_size;
};

#define PROXY_V1 0x1u
#define PROXY_V2 0x2u

/* 0; -EAGAIN: it is not complete; -EBADMSG: there is no such header.  versions:
 * those that are accepted. */
int proxy_parse(const void *data, size_t size, unsigned versions,
    struct proxy_header *ret_header);

#endif
