/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trust: whose certificates are believed: the file of authorities, and of what
 * they have revoked.
 *
 * A session may be resumed only where the same are believed, so that nobody
 * comes in on a ticket whom the authorities of today would not let in: the
 * name of a context's sessions is made from the files' bytes.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "context.h"

struct trust {
	struct tls_context *context;
	struct tls_report *report;
	X509_STORE *store;
	EVP_MD_CTX *digest;
};

static int
add(struct trust *trust, const X509_INFO *info)
{
	struct tls_context *context = trust->context;

	if (info->crl != NULL &&
	    X509_STORE_add_crl(trust->store, info->crl) != 1)
		return 0;
	if (info->x509 == NULL)
		return 1;
	if (X509_STORE_add_cert(trust->store, info->x509) != 1)
		return 0;
	/* A server tells its clients whose certificates it wants. */
	return context->options->host != NULL ||
	       SSL_CTX_add_client_CA(context->ctx, info->x509) == 1;
}

static int
add_all(struct trust *trust, struct berth_bytes bytes, const char *path)
{
	BIO *bio = BIO_new_mem_buf(bytes.data, (int)bytes.size);
	STACK_OF(X509_INFO) *infos = bio == NULL ? NULL
						 : PEM_X509_INFO_read_bio(
						       bio, NULL, NULL, NULL);
	int count = sk_X509_INFO_num(infos);
	bool good = infos != NULL;

	for (int i = 0; good && i < count; i++)
		good = add(trust, sk_X509_INFO_value(infos, i)) == 1;
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	BIO_free(bio);
	if (good && count > 0)
		return 0;
	if (good)
		return tls_wrong(trust->report, EINVAL,
		    "%s: neither a certificate nor a list of revoked ones",
		    path);
	return tls_wrong_openssl(trust->report, "%s", path);
}

static int
read_file(struct trust *trust, const char *path)
{
	struct tls_context *context = trust->context;
	struct berth_bytes bytes;
	void *data;
	int result;

	if (path == NULL)
		return 0;
	result = tls_file_read(path, false,
	    &context->trust[context->trust_count], &bytes, trust->report);
	if (result != 0)
		return result;
	context->trust_count++;
	result = add_all(trust, bytes, path);
	if (result == 0 &&
	    EVP_DigestUpdate(trust->digest, bytes.data, bytes.size) != 1)
		result = tls_wrong_openssl(trust->report, "%s", path);
	memcpy(&data, &bytes.data, sizeof(data));
	OPENSSL_clear_free(data, bytes.size);
	return result;
}

static int
name_sessions(struct trust *trust)
{
	unsigned char name[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (EVP_DigestFinal_ex(trust->digest, name, &size) != 1 ||
	    SSL_CTX_set_session_id_context(trust->context->ctx, name, size) !=
		1)
		return tls_wrong_openssl(trust->report, "sessions");
	return 0;
}

static int
use(struct trust *trust)
{
	const struct tls_options *options = trust->context->options;
	int result;

	trust->store = SSL_CTX_get_cert_store(trust->context->ctx);
	if (trust->digest == NULL ||
	    EVP_DigestInit_ex(trust->digest, EVP_sha256(), NULL) != 1)
		return tls_wrong(trust->report, ENOMEM, "no memory");
	result = read_file(trust, options->ca);
	if (result == 0)
		result = read_file(trust, options->crl);
	if (result != 0)
		return result;
	if (options->crl != NULL)
		X509_STORE_set_flags(trust->store, X509_V_FLAG_CRL_CHECK);
	/* A client without a file believes those whom the system does. */
	if (options->host != NULL && options->ca == NULL &&
	    SSL_CTX_set_default_verify_paths(trust->context->ctx) != 1)
		return tls_wrong_openssl(
		    trust->report, "the system's authorities");
	return name_sessions(trust);
}

int
tls_trust_use(struct tls_context *context, struct tls_report *report)
{
	struct trust trust = {
	    .context = context, .report = report, .digest = EVP_MD_CTX_new()};
	int result = use(&trust);

	EVP_MD_CTX_free(trust.digest);
	return result;
}
