/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine: one connection, without a connection: bytes that came are taken,
 * bytes that are to go are kept until somebody has sent them.
 *
 * OpenSSL reads from what the caller of the moment lends it, and writes into
 * one buffer, which is there only while something is in it.  Before that holds
 * too much, nothing is taken in either direction; so no peer makes it grow.
 *
 * What is left of it after a failure is an alert for the peer, and words.
 */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"

/* Of output; a record and what a handshake says fit in between. */
#define OUTPUT_MOST (4 * TLS_OUTPUT_BYTES)
#define OUTPUT_ROOM 4096u
#define RECORD_BYTES 16384u

struct tls_engine {
	SSL *ssl;
	struct tls_context *context;
	struct berth_bytes in; /* lent during a call */
	char *output;	       /* NULL: nothing is in it */
	size_t output_at, output_size, output_room;
	char *why; /* NULL: it has not failed, or there was no memory */
	int error; /* negative: it failed */
	unsigned starving : 1;	 /* no memory for output */
	unsigned end_wanted : 1; /* tls_engine_end() was called */
	unsigned ended : 1;	 /* the peer was told */
	unsigned peer_ended : 1;
	unsigned heard : 1; /* since it was told */
};

/* --- what OpenSSL calls --- */

static int
pipe_read(BIO *bio, char *data, size_t size, size_t *ret_size)
{
	struct tls_engine *engine = BIO_get_data(bio);
	struct berth_bytes *in = &engine->in;

	BIO_clear_retry_flags(bio);
	if (in->size == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	if (size > in->size)
		size = in->size;
	memcpy(data, in->data, size);
	*in = berth_bytes((const char *)in->data + size, in->size - size);
	*ret_size = size;
	return 1;
}

static int
make_room(struct tls_engine *engine, size_t size)
{
	size_t room = engine->output_room;
	char *data;

	/* What went makes way. */
	engine->output_size -= engine->output_at;
	if (engine->output_at > 0)
		memmove(engine->output, engine->output + engine->output_at,
		    engine->output_size);
	engine->output_at = 0;
	if (engine->output_size + size <= room)
		return 0;
	room = room < OUTPUT_ROOM ? OUTPUT_ROOM : 2 * room;
	while (room < engine->output_size + size)
		room *= 2;
	data = realloc(engine->output, room);
	if (data == NULL)
		return -ENOMEM;
	engine->output = data;
	engine->output_room = room;
	return 0;
}

static int
pipe_write(BIO *bio, const char *data, size_t size, size_t *ret_size)
{
	struct tls_engine *engine = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (engine->output_size - engine->output_at > OUTPUT_MOST) {
		BIO_set_retry_write(bio);
		return 0;
	}
	if (make_room(engine, size) != 0) {
		engine->starving = 1;
		return 0;
	}
	memcpy(engine->output + engine->output_size, data, size);
	engine->output_size += size;
	*ret_size = size;
	return 1;
}

static long
pipe_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *
tls_pipe_new(void)
{
	BIO_METHOD *pipe = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "berth");

	if (pipe != NULL && (BIO_meth_set_read_ex(pipe, pipe_read) != 1 ||
				BIO_meth_set_write_ex(pipe, pipe_write) != 1 ||
				BIO_meth_set_ctrl(pipe, pipe_ctrl) != 1)) {
		BIO_meth_free(pipe);
		pipe = NULL;
	}
	return pipe;
}

/* --- failures --- */

__attribute__((format(printf, 3, 4))) static int
fail(struct tls_engine *engine, int error, const char *format, ...)
{
	va_list ap;

	if (engine->error != 0)
		return engine->error;
	engine->error = -error;
	va_start(ap, format);
	if (vasprintf(&engine->why, format, ap) < 0)
		engine->why = NULL;
	va_end(ap);
	return engine->error;
}

/* A certificate that was not believed: why not. */
static const char *
verify_words(const struct tls_engine *engine)
{
	long result = SSL_get_verify_result(engine->ssl);

	if (ERR_GET_REASON(ERR_peek_error()) != SSL_R_CERTIFICATE_VERIFY_FAILED)
		return "";
	return X509_verify_cert_error_string(result);
}

static int
fail_openssl(struct tls_engine *engine)
{
	const char *verify = verify_words(engine);
	const char *when = SSL_is_init_finished(engine->ssl) ? ""
							     : "handshake: ";
	char words[TLS_WHY_MOST];
	int error = tls_openssl_words(words, sizeof(words));

	if (engine->starving || error == ENOMEM)
		return fail(engine, ENOMEM, "no memory");
	return fail(engine, EPROTO, "%s%s%s%s", when, words,
	    *verify != '\0' ? ": " : "", verify);
}

/* What a call of OpenSSL that did nothing means: 0, not now. */
static int
judge(struct tls_engine *engine, int result)
{
	switch (SSL_get_error(engine->ssl, result)) {
	case SSL_ERROR_NONE:
		return 0;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		if (engine->starving)
			return fail_openssl(engine);
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		engine->peer_ended = 1;
		return 0;
	default:
		return fail_openssl(engine);
	}
}

/* --- the calls --- */

static bool
output_is_full(const struct tls_engine *engine)
{
	return engine->output_size - engine->output_at >= TLS_OUTPUT_BYTES;
}

static int
say_end(struct tls_engine *engine)
{
	int result;

	if (!engine->end_wanted || engine->ended ||
	    !SSL_is_init_finished(engine->ssl))
		return 0;
	engine->ended = 1;
	ERR_clear_error();
	result = SSL_shutdown(engine->ssl);
	/* What SSL_read() has seen of the peer's end is known already. */
	return result >= 0 ? 0 : judge(engine, result);
}

int
tls_engine_receive(
    struct tls_engine *engine, struct berth_bytes *in, void *plain, size_t room)
{
	size_t size = 0;
	int result;

	if (engine->error != 0)
		return engine->error;
	if (engine->peer_ended) {
		/* Nothing counts behind the end. */
		*in = berth_bytes((const char *)in->data + in->size, 0);
		return 0;
	}
	if (output_is_full(engine))
		return 0;
	if (room > INT32_MAX)
		room = INT32_MAX;
	engine->in = *in;
	ERR_clear_error();
	result = SSL_read_ex(engine->ssl, plain, room, &size);
	*in = engine->in;
	engine->in = berth_bytes(NULL, 0);
	if (result == 1) {
		engine->heard |= engine->ended;
		return (int)size;
	}
	result = judge(engine, result);
	return result != 0 ? result : say_end(engine);
}

int
tls_engine_send(struct tls_engine *engine, struct berth_bytes plain)
{
	const char *at = plain.data;
	size_t taken = 0, size;
	int result = 1;

	if (engine->error != 0)
		return engine->error;
	if (engine->end_wanted)
		return -EPIPE;
	if (!SSL_is_init_finished(engine->ssl))
		return 0;
	ERR_clear_error();
	while (result == 1 && taken < plain.size && !output_is_full(engine)) {
		size = plain.size - taken;
		if (size > RECORD_BYTES)
			size = RECORD_BYTES;
		result = SSL_write_ex(engine->ssl, at + taken, size, &size);
		if (result == 1)
			taken += size;
	}
	if (result != 1)
		result = judge(engine, result);
	return result < 0 ? result : (int)taken;
}

int
tls_engine_end(struct tls_engine *engine)
{
	if (engine->error != 0)
		return engine->error;
	engine->end_wanted = 1;
	return say_end(engine);
}

int
tls_engine_eof(struct tls_engine *engine)
{
	if (engine->error != 0)
		return engine->error;
	/* Who was told that no more comes, and had no more, need not say so:
	 * RFC 5246 7.2.1. */
	if (engine->peer_ended || (engine->ended && !engine->heard))
		return 0;
	if (!SSL_is_init_finished(engine->ssl))
		return fail(engine, ECONNRESET,
		    "handshake: the connection ended within it");
	return fail(engine, ECONNRESET,
	    "the connection ended without close_notify: something may be "
	    "missing");
}

struct berth_bytes
tls_engine_output(const struct tls_engine *engine)
{
	if (engine->output == NULL)
		return berth_bytes(NULL, 0);
	return berth_bytes(engine->output + engine->output_at,
	    engine->output_size - engine->output_at);
}

void
tls_engine_sent(struct tls_engine *engine, size_t size)
{
	engine->output_at += size;
	if (engine->output_at < engine->output_size)
		return;
	free(engine->output);
	engine->output = NULL;
	engine->output_at = engine->output_size = engine->output_room = 0;
}

enum tls_state
tls_engine_state(const struct tls_engine *engine)
{
	if (engine->error != 0)
		return TLS_FAILED;
	if (!SSL_is_init_finished(engine->ssl))
		return TLS_HANDSHAKING;
	return engine->ended && engine->peer_ended ? TLS_ENDED : TLS_OPEN;
}

bool
tls_engine_peer_ended(const struct tls_engine *engine)
{
	return engine->peer_ended;
}

const char *
tls_engine_why(const struct tls_engine *engine)
{
	if (engine->error == 0)
		return "";
	return engine->why != NULL ? engine->why : "no memory";
}

/* --- start and end --- */

static int
begin(struct tls_engine *engine)
{
	BIO *bio = BIO_new(engine->context->pipe);
	int result;

	engine->ssl = SSL_new(engine->context->ctx);
	if (bio == NULL || engine->ssl == NULL) {
		BIO_free(bio);
		return -ENOMEM;
	}
	BIO_set_data(bio, engine);
	BIO_set_init(bio, 1);
	SSL_set_bio(engine->ssl, bio, bio);
	result = tls_choice_begin(engine->context, engine->ssl);
	if (result != 0 || engine->context->options->host == NULL)
		return result;
	result = SSL_do_handshake(engine->ssl);
	return result == 1 ? 0 : judge(engine, result);
}

int
tls_engine_new(struct tls_context *context, struct tls_engine **ret_engine,
    struct tls_report *report)
{
	struct tls_engine *engine = calloc(1, sizeof(*engine));
	int result;

	if (engine == NULL)
		return tls_wrong(report, ENOMEM, "no memory");
	engine->context = tls_context_ref(context);
	ERR_clear_error();
	result = begin(engine);
	if (result != 0) {
		tls_wrong(report, -result, "%s",
		    engine->error != 0 ? tls_engine_why(engine) : "no memory");
		ERR_clear_error();
		tls_engine_free(engine);
		return result;
	}
	*ret_engine = engine;
	return 0;
}

struct tls_engine *
tls_engine_free(struct tls_engine *engine)
{
	if (engine == NULL)
		return NULL;
	/* Its session may be resumed, also when nobody said good-bye. */
	if (engine->ssl != NULL && engine->error == 0)
		SSL_set_shutdown(
		    engine->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(engine->ssl);
	tls_context_unref(engine->context);
	free(engine->output);
	free(engine->why);
	free(engine);
	return NULL;
}

/* --- what is known --- */

void
tls_engine_facts(const struct tls_engine *engine, struct tls_facts *ret_facts)
{
	const unsigned char *alpn = NULL;
	unsigned size = 0;

	SSL_get0_alpn_selected(engine->ssl, &alpn, &size);
	*ret_facts = (struct tls_facts){
	    .version = SSL_get_version(engine->ssl),
	    .cipher = SSL_get_cipher_name(engine->ssl),
	    .server_name = SSL_get_servername(
		engine->ssl, TLSEXT_NAMETYPE_host_name),
	    .alpn = berth_bytes(alpn, size),
	    .resumed = SSL_session_reused(engine->ssl) == 1,
	};
}

int
tls_engine_peer(const struct tls_engine *engine, char *buffer, size_t size)
{
	X509 *peer = SSL_get0_peer_certificate(engine->ssl);

	if (peer == NULL || SSL_get_verify_result(engine->ssl) != X509_V_OK ||
	    engine->context->options->verify == TLS_VERIFY_NONE)
		return -ENOENT;
	return tls_name_print(X509_get_subject_name(peer), buffer, size);
}
