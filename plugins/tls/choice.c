/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * choice: what is chosen while hands are shaken: a server's certificate, by the
 * name that the client asks for, and the protocol that will be spoken; a
 * client's session to resume, and the host that it wants to find.
 *
 * Called by OpenSSL, in the thread of the connection.
 */
#include <errno.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "context.h"

static const struct tls_certificate *
find(const struct tls_context *context, const char *host)
{
	const struct tls_certificate *wild = NULL;

	for (unsigned i = 0; i < context->certificate_count; i++) {
		const struct tls_certificate *one = &context->certificates[i];

		if (one->name == NULL || !tls_name_matches(one->name, host))
			continue;
		if (*one->name != '*')
			return one;
		if (wild == NULL)
			wild = one;
	}
	return wild;
}

/* Who asks for another name, or none, gets the certificate for all. */
static int
on_server_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls_context *context = arg;
	const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct tls_certificate *found;

	found = host == NULL ? NULL : find(context, host);
	if (found == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	/* Or one for all with a key of another kind might be preferred. */
	SSL_certs_clear(ssl);
	if (SSL_use_cert_and_key(
		ssl, found->leaf, found->key, found->chain, 1) != 1) {
		*alert = SSL_AD_INTERNAL_ERROR;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	return SSL_TLSEXT_ERR_OK;
}

/* The first of ours that the client knows; RFC 7301 3.2 for none. */
static int
on_alpn(SSL *ssl, const unsigned char **ret_out, unsigned char *ret_size,
    const unsigned char *in, unsigned in_size, void *arg)
{
	const struct tls_options *options = arg;
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, ret_size, options->alpn,
		(unsigned)options->alpn_size, in,
		in_size) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret_out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* 1: it is kept. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_context *context = SSL_CTX_get_app_data(
	    SSL_get_SSL_CTX(ssl));

	pthread_mutex_lock(&context->lock);
	SSL_SESSION_free(context->session);
	context->session = session;
	pthread_mutex_unlock(&context->lock);
	return 1;
}

void
tls_choice_use(struct tls_context *context)
{
	const struct tls_options *options = context->options;
	void *lent;

	if (options->host != NULL) {
		SSL_CTX_set_session_cache_mode(context->ctx,
		    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(context->ctx, on_session);
		return;
	}
	/* What a session is made of is the client's, sealed. */
	SSL_CTX_set_session_cache_mode(context->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_tlsext_servername_callback(context->ctx, on_server_name);
	SSL_CTX_set_tlsext_servername_arg(context->ctx, context);
	memcpy(&lent, &options, sizeof(lent));
	if (options->alpn_size > 0)
		SSL_CTX_set_alpn_select_cb(context->ctx, on_alpn, lent);
}

/* From TLS 1.3 on once only: a session that is used twice tells that both are
 * one client, and each connection brings new ones. */
static SSL_SESSION *
take_session(struct tls_context *context)
{
	SSL_SESSION *session;

	pthread_mutex_lock(&context->lock);
	session = context->session;
	if (session != NULL &&
	    SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION)
		SSL_SESSION_up_ref(session);
	else
		context->session = NULL;
	pthread_mutex_unlock(&context->lock);
	return session;
}

static int
want_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
	void *name; /* OpenSSL's macro would cast the const away */

	if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host) == 1)
		return 0;
	X509_VERIFY_PARAM_set_hostflags(
	    wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	memcpy(&name, &host, sizeof(name));
	if (X509_VERIFY_PARAM_set1_host(wanted, host, 0) != 1 ||
	    SSL_set_tlsext_host_name(ssl, name) != 1)
		return -ENOMEM;
	return 0;
}

int
tls_choice_begin(struct tls_context *context, SSL *ssl)
{
	SSL_SESSION *session;

	if (context->options->host == NULL) {
		SSL_set_accept_state(ssl);
		return 0;
	}
	SSL_set_connect_state(ssl);
	session = take_session(context);
	if (session != NULL)
		SSL_set_session(ssl, session);
	SSL_SESSION_free(session);
	return want_host(ssl, context->options->host);
}
