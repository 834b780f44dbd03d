/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls: what the files of this plugin share, but the module itself.  Nothing
 * here knows sockets, a loop or a host: files become a context, and an engine
 * turns bytes of one kind into bytes of the other.
 *
 * Results are 0 or more, or a negative errno with the reason told in words.
 */
#ifndef TLS_ENGINE_H
#define TLS_ENGINE_H

#include <berth/session.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>

#define TLS_WHY_MOST 320

/* Where mistakes and warnings are told. */
struct tls_report {
	void (*warn)(void *arg, const char *text); /* NULL: nobody listens */
	void *arg;
	char why[TLS_WHY_MOST]; /* of the last failure */
};

/* --- report.c --- */
__attribute__((format(printf, 3, 4))) int tls_wrong(
    struct tls_report *report, int code, const char *format, ...);
/* The same with OpenSSL's words behind; -EINVAL or -ENOMEM. */
__attribute__((format(printf, 2, 3))) int tls_wrong_openssl(
    struct tls_report *report, const char *format, ...);
__attribute__((format(printf, 2, 3))) void tls_warn(
    struct tls_report *report, const char *format, ...);
/* OpenSSL's words for what went wrong first; its list is empty afterwards.
 * The code of the failure: ENOMEM or EPROTO. */
int tls_openssl_words(char *words, size_t size);

/* --- options.c: the words of the configuration -------------------------- */

enum tls_verify { TLS_VERIFY_NONE, TLS_VERIFY_OPTIONAL, TLS_VERIFY_REQUIRED };

/* A certificate with its chain, and its key, by their files. */
struct tls_pair {
	const char *name; /* "host", "*.domain"; NULL: for all others */
	const char *certificate;
	const char *key;
};

/* Strings lie in argv, or in the words that options_fini() frees. */
struct tls_options {
	const char *host; /* be a client, of this server; NULL: a server */
	struct tls_pair *pairs;
	unsigned pair_count;
	const char *ca;
	const char *crl;
	bool verify_named;
	enum tls_verify verify;
	int least, most;	 /* versions; 0: no limit */
	const char *ciphers;	 /* of TLS 1.2; NULL: OpenSSL's default */
	const char *suites;	 /* of TLS 1.3 */
	unsigned char alpn[256]; /* as on the wire */
	size_t alpn_size;
	uint32_t handshake_ms; /* until it has to be done */
	char *words;	       /* what the options of names were cut from */
};

int tls_options_read(struct tls_options *options, int argc, char **argv,
    struct tls_report *report);
void tls_options_fini(struct tls_options *options);

/* --- tickets.c: keys of session tickets --------------------------------- */

struct tls_ticket_key {
	unsigned char name[16], cipher[32], mac[32];
};

/* They outlive the contexts, so that a client resumes with a new one. */
struct tls_tickets {
	pthread_mutex_t lock;
	struct tls_ticket_key keys[2]; /* the present one, that before it */
	time_t made_s;		       /* monotonic */
	bool has_former;
};

int tls_tickets_init(struct tls_tickets *tickets, struct tls_report *report);
void tls_tickets_fini(struct tls_tickets *tickets);
/* New keys; tickets of those before are taken still. */
int tls_tickets_turn(struct tls_tickets *tickets);

/* --- context.c: all that connections share ------------------------------ */

struct tls_context; /* counted; used by many threads, changed by none */

/* options and tickets stay until its last engine is gone. */
int tls_context_new(const struct tls_options *options,
    struct tls_tickets *tickets, struct tls_context **ret_context,
    struct tls_report *report);
struct tls_context *tls_context_ref(struct tls_context *context);
struct tls_context *tls_context_unref(struct tls_context *context);
/* Was any of its files changed or exchanged since it was read? */
bool tls_context_stale(const struct tls_context *context);
/* The name in the certificate for all, and how long that is good; -ENOENT
 * without one. */
int tls_context_describe(const struct tls_context *context, char *name,
    size_t name_size, char *until, size_t until_size);

/* --- engine.c: one connection ------------------------------------------- */

enum tls_state {
	TLS_HANDSHAKING,
	TLS_OPEN,
	TLS_ENDED, /* both sides have said that no more comes */
	TLS_FAILED /* nothing goes any more, but what is to be sent still is */
};

/* No more than this waits to be sent, and one record. */
#define TLS_OUTPUT_BYTES 32768u

struct tls_engine;

/* A client's begins with something to be sent. */
int tls_engine_new(struct tls_context *context, struct tls_engine **ret_engine,
    struct tls_report *report);
struct tls_engine *tls_engine_free(struct tls_engine *engine);

/*
 * Bytes that came: *in shrinks by those that were taken.  Returns how many
 * bytes of plaintext were put into the room; 0: no more without more input,
 * or, where input is left, before tls_engine_output() was sent; -EPROTO or
 * -ENOMEM: it failed, or had failed.
 */
int tls_engine_receive(struct tls_engine *engine, struct berth_bytes *in,
    void *plain, size_t room);

/*
 * Bytes to be sent.  Returns how many were taken: fewer while the output is
 * full, none before the handshake is over; -EPIPE after tls_engine_end(); or
 * as above.
 */
int tls_engine_send(struct tls_engine *engine, struct berth_bytes plain);

/* No more is to be sent: says so to the peer, when the handshake is over. */
int tls_engine_end(struct tls_engine *engine);

/* The connection has ended on the peer's side.  0 when that was said before, or
 * nothing came any more after our own end; -ECONNRESET: something may be
 * missing. */
int tls_engine_eof(struct tls_engine *engine);

/* What is to go to the peer; valid until the next call. */
struct berth_bytes tls_engine_output(const struct tls_engine *engine);
/* So much of it went. */
void tls_engine_sent(struct tls_engine *engine, size_t size);

enum tls_state tls_engine_state(const struct tls_engine *engine);
/* The peer has said that no more comes. */
bool tls_engine_peer_ended(const struct tls_engine *engine);
/* Why it failed, for people; "" when it did not. */
const char *tls_engine_why(const struct tls_engine *engine);

/* What is known when the handshake is over. */
struct tls_facts {
	const char *version; /* "TLSv1.3" */
	const char *cipher;
	const char *server_name; /* NULL: none was asked for */
	struct berth_bytes alpn; /* empty: none was agreed */
	bool resumed;
};
void tls_engine_facts(
    const struct tls_engine *engine, struct tls_facts *ret_facts);
/* The name in the peer's certificate, if it was verified: as RFC 2253 writes
 * it, cut to the buffer.  Its length, or -ENOENT. */
int tls_engine_peer(const struct tls_engine *engine, char *buffer, size_t size);

#endif
