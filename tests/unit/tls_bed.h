/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_bed: certificates that are made when they are wanted, and two engines
 * that talk to each other in memory.  What fails ends the test.
 */
#ifndef TESTS_UNIT_TLS_BED_H
#define TESTS_UNIT_TLS_BED_H

#include "tls/engine.h"

/* --- certificates --- */

#define MADE_EXPIRED 0x1u
#define MADE_RSA 0x2u
#define MADE_PASSWORD 0x4u /* its key has one */

/* Makes files NAME.pem and NAME.key in a folder that goes with the program:
 * by this issuer's, or its own authority (NULL).  The subject is CN=NAME, and
 * hosts a name for which it is good, or NULL. */
void made_certificate(
    const char *name, const char *issuer, const char *host, unsigned flags);
/* NAME.crl of the issuer NAME, with that certificate in it, or none. */
void made_crl(const char *name, const char *revoked);
/* The path of a file there; good until the fourth call after it. */
char *made_path(const char *name);
void made_file(const char *name, const char *text, unsigned mode);
/* Takes that file's place, as by rename(2). */
void made_rename(const char *from, const char *to);
void made_begin(void);
void made_end(void);

/* --- one side --- */

struct side {
	struct tls_options options;
	struct tls_tickets tickets;
	struct tls_context *context;
	struct tls_engine *engine;
	struct tls_report report;
	char warnings[1024];
	char *words;
	char *argv[40];
	int result; /* of the last call of the engine */
	char *got;  /* plaintext */
	size_t got_size;
};

/* Options, and the context made by them: {NAME} stands for the path of a file.
 * The result; then side->report.why. */
int side_try(struct side *side, const char *words);
void side_init(struct side *side, const char *words);
void side_fini(struct side *side);
/* Exchanges its context for a new one. */
void side_reload(struct side *side);
void side_open(struct side *side);
void side_close(struct side *side);
/* Ciphertext comes; all of it has to be taken. */
void side_hear(struct side *side, struct berth_bytes in);
/* Sends; all of it has to be taken. */
void side_send(struct side *side, const char *text);
/* Has it got just that? */
void side_expect(struct side *side, const char *text);

/* --- both --- */

/* Opens both, and carries bytes to and fro until nobody has any; chunk at a
 * time, or all with 0. */
void talk(struct side *client, struct side *server, size_t chunk);
void meet(struct side *client, struct side *server);
void part(struct side *client, struct side *server);

#endif
