/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_peers: clients by their address as text, and access lists by their
 * words, for the tests of the room guard.
 */
#ifndef UNIT_GUARD_PEERS_H
#define UNIT_GUARD_PEERS_H

#include "unit/unit.h"

#include <sys/socket.h>

#include "config/config_access.h"
#include "guard/acl.h"

struct peer {
	struct sockaddr_storage storage;
	socklen_t size;
};

/* "192.0.2.1", "2001:db8::1"; "" is a client of a Unix socket. */
struct peer peer_of(const char *text);
enum acl_answer peer_check(const struct acl *acl, const char *text);

/* Words with blanks between them; NULL: the attribute is not set.  The words
 * live until the next call. */
void peer_settings(
    struct settings *settings, const char *only_from, const char *no_access);
/* Fails the test when it can't. */
struct acl *peer_acl(const char *only_from, const char *no_access);

#endif
