/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context: all that connections share, made of the options and of their files
 * as they are now.  It does not change afterwards: when files do, another one
 * is made beside it, and it lives on for the connections that began with it.
 */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "context.h"

/* Not more than keys of tickets are kept for. */
#define SESSION_S (6 * 3600)

static void
set_verify(struct tls_context *context)
{
	static const int modes[] = {[TLS_VERIFY_NONE] = SSL_VERIFY_NONE,
	    [TLS_VERIFY_OPTIONAL] = SSL_VERIFY_PEER,
	    [TLS_VERIFY_REQUIRED] = SSL_VERIFY_PEER |
				    SSL_VERIFY_FAIL_IF_NO_PEER_CERT};

	SSL_CTX_set_verify(context->ctx, modes[context->options->verify], NULL);
}

static int
set_protocol(struct tls_context *context, struct tls_report *report)
{
	const struct tls_options *options = context->options;
	SSL_CTX *ctx = context->ctx;

	if (SSL_CTX_set_min_proto_version(ctx, options->least) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, options->most) != 1)
		return tls_wrong_openssl(report, "-m, -M");
	if (options->ciphers != NULL &&
	    SSL_CTX_set_cipher_list(ctx, options->ciphers) != 1)
		return tls_wrong_openssl(report, "-i %s", options->ciphers);
	if (options->suites != NULL &&
	    SSL_CTX_set_ciphersuites(ctx, options->suites) != 1)
		return tls_wrong_openssl(report, "-I %s", options->suites);
	if (options->host != NULL && options->alpn_size > 0 &&
	    SSL_CTX_set_alpn_protos(
		ctx, options->alpn, (unsigned)options->alpn_size) != 0)
		return tls_wrong_openssl(report, "-p");
	return 0;
}

static void
set_habits(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
				     SSL_OP_NO_COMPRESSION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_timeout(ctx, SESSION_S);
}

/* One for a name belongs to connections that ask for it; whether it is good
 * enough is seen on one that is never used. */
static int
try_certificate(SSL_CTX *ctx, const struct tls_certificate *one)
{
	SSL *ssl = SSL_new(ctx);
	int result = ssl != NULL ? SSL_use_cert_and_key(
				       ssl, one->leaf, one->key, one->chain, 1)
				 : 0;

	SSL_free(ssl);
	return result;
}

static int
use_certificate(
    struct tls_context *context, unsigned i, struct tls_report *report)
{
	const struct tls_pair *pair = &context->options->pairs[i];
	struct tls_certificate *one = &context->certificates[i];
	int result = tls_certificate_read(one, pair, report);

	if (result != 0)
		return result;
	context->certificate_count++;
	if (pair->name != NULL)
		result = try_certificate(context->ctx, one);
	else
		result = SSL_CTX_use_cert_and_key(
		    context->ctx, one->leaf, one->key, one->chain, 1);
	return result == 1 ? 0
			   : tls_wrong_openssl(report, "%s", pair->certificate);
}

static int
use_certificates(struct tls_context *context, struct tls_report *report)
{
	const struct tls_options *options = context->options;
	int result = 0;

	context->certificates = calloc(
	    options->pair_count + 1, sizeof(*context->certificates));
	if (context->certificates == NULL)
		return tls_wrong(report, ENOMEM, "no memory");
	for (unsigned i = 0; result == 0 && i < options->pair_count; i++)
		result = use_certificate(context, i, report);
	return result;
}

static int
fill(struct tls_context *context, struct tls_report *report)
{
	int result;

	context->pipe = tls_pipe_new();
	context->ctx = SSL_CTX_new(context->options->host != NULL
				       ? TLS_client_method()
				       : TLS_server_method());
	if (context->pipe == NULL || context->ctx == NULL)
		return tls_wrong_openssl(report, "OpenSSL");
	SSL_CTX_set_app_data(context->ctx, context);
	set_habits(context->ctx);
	result = set_protocol(context, report);
	if (result == 0)
		result = use_certificates(context, report);
	if (result == 0)
		result = tls_trust_use(context, report);
	if (result != 0)
		return result;
	set_verify(context);
	tls_choice_use(context);
	tls_tickets_use(context->ctx);
	return 0;
}

static struct tls_context *
context_free(struct tls_context *context)
{
	for (unsigned i = 0; i < context->certificate_count; i++)
		tls_certificate_fini(&context->certificates[i]);
	free(context->certificates);
	SSL_SESSION_free(context->session);
	SSL_CTX_free(context->ctx);
	BIO_meth_free(context->pipe);
	pthread_mutex_destroy(&context->lock);
	free(context);
	return NULL;
}

int
tls_context_new(const struct tls_options *options, struct tls_tickets *tickets,
    struct tls_context **ret_context, struct tls_report *report)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	int result;

	if (context == NULL)
		return tls_wrong(report, ENOMEM, "no memory");
	atomic_init(&context->references, 1);
	pthread_mutex_init(&context->lock, NULL);
	context->options = options;
	context->tickets = tickets;
	ERR_clear_error();
	result = fill(context, report);
	ERR_clear_error();
	if (result != 0)
		context_free(context);
	else
		*ret_context = context;
	return result;
}

struct tls_context *
tls_context_ref(struct tls_context *context)
{
	atomic_fetch_add(&context->references, 1);
	return context;
}

struct tls_context *
tls_context_unref(struct tls_context *context)
{
	if (context != NULL && atomic_fetch_sub(&context->references, 1) == 1)
		context_free(context);
	return NULL;
}

bool
tls_context_stale(const struct tls_context *context)
{
	bool stale = false;

	for (unsigned i = 0; !stale && i < context->certificate_count; i++)
		stale = tls_certificate_changed(&context->certificates[i]);
	for (unsigned i = 0; !stale && i < context->trust_count; i++)
		stale = tls_file_changed(&context->trust[i]);
	return stale;
}

int
tls_context_describe(const struct tls_context *context, char *name,
    size_t name_size, char *until, size_t until_size)
{
	const X509 *leaf = SSL_CTX_get0_certificate(context->ctx);
	struct tm end;
	int result;

	if (leaf == NULL)
		return -ENOENT;
	result = tls_name_print(X509_get_subject_name(leaf), name, name_size);
	if (result < 0)
		return result;
	if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &end) != 1 ||
	    strftime(until, until_size, "%Y-%m-%d %H:%M:%SZ", &end) == 0)
		*until = '\0';
	return 0;
}
