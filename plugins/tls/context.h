/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context: what its makers share: files, certificates, the choice among them,
 * and sessions that a client may resume.
 */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <stdatomic.h>
#include <sys/stat.h>

#include "engine.h"

/* --- files.c: files as they were when they were read ------------------- */

struct tls_file {
	const char *path;
	dev_t device;
	ino_t inode;
	off_t bytes;
	struct timespec modified, changed;
};

/* The whole file, for OPENSSL_clear_free(); *ret_file is how it was.  secret:
 * warn when all may read it. */
int tls_file_read(const char *path, bool secret, struct tls_file *ret_file,
    struct berth_bytes *ret_bytes, struct tls_report *report);
/* Another one by now, or gone. */
bool tls_file_changed(const struct tls_file *file);

/* --- certificates.c ------------------------------------------------------ */

/* A pair when it was read. */
struct tls_certificate {
	const char *name;
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) * chain;
	struct tls_file files[2];
};

int tls_certificate_read(struct tls_certificate *certificate,
    const struct tls_pair *pair, struct tls_report *report);
void tls_certificate_fini(struct tls_certificate *certificate);
bool tls_certificate_changed(const struct tls_certificate *certificate);
/* Does the pattern mean this host? */
bool tls_name_matches(const char *pattern, const char *host);
/* As RFC 2253 writes it, cut to the buffer; the length of that. */
int tls_name_print(const X509_NAME *name, char *buffer, size_t size);

/* ----------------------------------------------------------------- */

struct tls_context {
	atomic_uint references;
	const struct tls_options *options;
	struct tls_tickets *tickets;
	SSL_CTX *ctx;
	BIO_METHOD *pipe; /* how OpenSSL reaches an engine's bytes */
	struct tls_certificate *certificates;
	unsigned certificate_count;
	struct tls_file trust[2]; /* ca, crl */
	unsigned trust_count;
	pthread_mutex_t lock; /* of session */
	SSL_SESSION *session; /* a client's, for the next connection */
};

/* --- choice.c: what is chosen while hands are shaken --- */
void tls_choice_use(struct tls_context *context);
/* A client's: resume what there is, and verify the host. */
int tls_choice_begin(struct tls_context *context, SSL *ssl);

/* --- trust.c: whose certificates are believed --- */
int tls_trust_use(struct tls_context *context, struct tls_report *report);

/* --- tickets.c --- */
/* ctx is a context's. */
void tls_tickets_use(SSL_CTX *ctx);

/* --- engine.c --- */
BIO_METHOD *tls_pipe_new(void);

#endif
