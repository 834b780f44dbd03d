/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * certificates: a certificate with its chain and its key, from their files;
 * PEM, and both may be in one.
 *
 * A key with a password is refused: nobody is there to be asked for it.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <strings.h>

#include "context.h"

/* Otherwise OpenSSL would ask at the terminal. */
static int
no_password(char *buffer, int size, int writes, void *asked)
{
	(void)buffer;
	(void)size;
	(void)writes;
	*(bool *)asked = true;
	return -1;
}

/* The end of a PEM file is an error like any other. */
static bool
at_end(void)
{
	unsigned long code = ERR_peek_last_error();

	if (ERR_GET_LIB(code) != ERR_LIB_PEM ||
	    ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
		return false;
	ERR_clear_error();
	return true;
}

static int
parse_chain(struct tls_certificate *certificate, BIO *bio, const char *path,
    struct tls_report *report)
{
	bool asked = false;
	X509 *next;

	certificate->leaf = PEM_read_bio_X509(bio, NULL, no_password, &asked);
	if (certificate->leaf == NULL)
		return tls_wrong_openssl(
		    report, "%s: no certificate in it", path);
	certificate->chain = sk_X509_new_null();
	if (certificate->chain == NULL)
		return tls_wrong(report, ENOMEM, "no memory");
	for (;;) {
		next = PEM_read_bio_X509(bio, NULL, no_password, &asked);
		if (next == NULL)
			return at_end() ? 0
					: tls_wrong_openssl(report,
					      "%s: a bad certificate", path);
		if (sk_X509_push(certificate->chain, next) == 0) {
			X509_free(next);
			return tls_wrong(report, ENOMEM, "no memory");
		}
	}
}

static int
parse_key(struct tls_certificate *certificate, BIO *bio, const char *path,
    struct tls_report *report)
{
	bool asked = false;

	certificate->key = PEM_read_bio_PrivateKey(
	    bio, NULL, no_password, &asked);
	if (certificate->key != NULL)
		return 0;
	if (asked) {
		ERR_clear_error();
		return tls_wrong(report, EINVAL,
		    "%s: the key has a password; it should be stored without",
		    path);
	}
	return tls_wrong_openssl(report, "%s: no key in it", path);
}

typedef int(parse_fn)(
    struct tls_certificate *, BIO *, const char *, struct tls_report *);

static int
read_one(struct tls_certificate *certificate, const char *path, bool secret,
    parse_fn *parse, struct tls_report *report)
{
	struct berth_bytes bytes;
	void *data;
	BIO *bio;
	int result = tls_file_read(
	    path, secret, &certificate->files[secret], &bytes, report);

	if (result != 0)
		return result;
	bio = BIO_new_mem_buf(bytes.data, (int)bytes.size);
	result = bio == NULL ? tls_wrong(report, ENOMEM, "no memory")
			     : parse(certificate, bio, path, report);
	BIO_free(bio);
	memcpy(&data, &bytes.data, sizeof(data));
	OPENSSL_clear_free(data, bytes.size);
	return result;
}

static void
look_at_time(const struct tls_certificate *certificate, const char *path,
    struct tls_report *report)
{
	if (X509_cmp_current_time(X509_get0_notAfter(certificate->leaf)) < 0)
		tls_warn(report, "%s: the certificate has expired", path);
	if (X509_cmp_current_time(X509_get0_notBefore(certificate->leaf)) > 0)
		tls_warn(report, "%s: the certificate is not valid yet", path);
}

int
tls_certificate_read(struct tls_certificate *certificate,
    const struct tls_pair *pair, struct tls_report *report)
{
	int result;

	memset(certificate, 0, sizeof(*certificate));
	certificate->name = pair->name;
	result = read_one(
	    certificate, pair->certificate, false, parse_chain, report);
	if (result == 0)
		result = read_one(
		    certificate, pair->key, true, parse_key, report);
	if (result == 0 &&
	    X509_check_private_key(certificate->leaf, certificate->key) != 1) {
		ERR_clear_error();
		result = tls_wrong(report, EINVAL,
		    "%s: this key does not belong to the certificate in %s",
		    pair->key, pair->certificate);
	}
	if (result != 0)
		tls_certificate_fini(certificate);
	else
		look_at_time(certificate, pair->certificate, report);
	return result;
}

void
tls_certificate_fini(struct tls_certificate *certificate)
{
	X509_free(certificate->leaf);
	EVP_PKEY_free(certificate->key);
	sk_X509_pop_free(certificate->chain, X509_free);
	memset(certificate, 0, sizeof(*certificate));
}

bool
tls_certificate_changed(const struct tls_certificate *certificate)
{
	return tls_file_changed(&certificate->files[0]) ||
	       tls_file_changed(&certificate->files[1]);
}

/* As in certificates: the star is exactly one label. */
bool
tls_name_matches(const char *pattern, const char *host)
{
	if (strncmp(pattern, "*.", 2) != 0)
		return strcasecmp(pattern, host) == 0;
	host = strchr(host, '.');
	return host != NULL && strcasecmp(pattern + 1, host) == 0;
}

int
tls_name_print(const X509_NAME *name, char *buffer, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long length;

	if (bio == NULL ||
	    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0) {
		BIO_free(bio);
		return -ENOMEM;
	}
	length = BIO_get_mem_data(bio, &text);
	if ((size_t)length >= size)
		length = (long)size - 1;
	memcpy(buffer, text, (size_t)length);
	buffer[length] = '\0';
	BIO_free(bio);
	return (int)length;
}
