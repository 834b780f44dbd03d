/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_bed: certificates, keys and lists of revoked ones in files.
 */
#include "unit/unit.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/tls_bed.h"

#define DAY_S 86400

static char folder[] = "/tmp/berth-tls-XXXXXX";
static long serial = 1;

char *
made_path(const char *name)
{
	static char paths[4][300];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static char *
path_of(const char *name, const char *suffix)
{
	char full[64];

	snprintf(full, sizeof(full), "%s.%s", name, suffix);
	return made_path(full);
}

void
made_begin(void)
{
	assert_non_null(mkdtemp(folder));
}

void
made_end(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		unlink(made_path(entry->d_name));
	closedir(dir);
	rmdir(folder);
}

static FILE *
create(const char *path, unsigned mode)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(chmod(path, mode), 0);
	return file;
}

void
made_file(const char *name, const char *text, unsigned mode)
{
	FILE *file = create(made_path(name), mode);

	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

void
made_rename(const char *from, const char *to)
{
	assert_int_equal(rename(made_path(from), made_path(to)), 0);
}

static X509 *
read_certificate(const char *name)
{
	FILE *file = fopen(path_of(name, "pem"), "re");
	X509 *read;

	assert_non_null(file);
	read = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	assert_non_null(read);
	return read;
}

static EVP_PKEY *
read_key(const char *name)
{
	FILE *file = fopen(path_of(name, "key"), "re");
	EVP_PKEY *read;

	assert_non_null(file);
	read = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	assert_non_null(read);
	return read;
}

static void
extend(X509 *made, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, made, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(made, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *
make(const char *name, EVP_PKEY *key, unsigned flags)
{
	X509 *made = X509_new();

	assert_non_null(made);
	X509_set_version(made, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
	X509_gmtime_adj(X509_getm_notBefore(made), -2 * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(made),
	    (flags & MADE_EXPIRED) != 0 ? -DAY_S : 2 * DAY_S);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN",
	    MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	assert_int_equal(X509_set_pubkey(made, key), 1);
	return made;
}

static void
write_pair(const char *name, X509 *made, EVP_PKEY *key, unsigned flags)
{
	const EVP_CIPHER *cipher = (flags & MADE_PASSWORD) != 0
				       ? EVP_aes_128_cbc()
				       : NULL;
	unsigned char password[] = "secret";
	FILE *file = create(path_of(name, "pem"), 0644);

	assert_int_equal(PEM_write_X509(file, made), 1);
	fclose(file);
	file = create(path_of(name, "key"), 0600);
	assert_int_equal(PEM_write_PrivateKey(file, key, cipher, password,
			     cipher != NULL ? 6 : 0, NULL, NULL),
	    1);
	fclose(file);
}

void
made_certificate(
    const char *name, const char *issuer, const char *host, unsigned flags)
{
	EVP_PKEY *key = (flags & MADE_RSA) != 0 ? EVP_RSA_gen(2048)
						: EVP_EC_gen("P-256");
	X509 *made = make(name, key, flags);
	X509 *by = issuer != NULL ? read_certificate(issuer) : made;
	EVP_PKEY *signer = issuer != NULL ? read_key(issuer) : key;
	char names[128];

	X509_set_issuer_name(made, X509_get_subject_name(by));
	extend(made, by, NID_basic_constraints,
	    issuer == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
	snprintf(names, sizeof(names), "DNS:%s", host != NULL ? host : "");
	if (host != NULL)
		extend(made, by, NID_subject_alt_name, names);
	assert_true(X509_sign(made, signer, EVP_sha256()) > 0);
	write_pair(name, made, key, flags);
	if (issuer != NULL) {
		X509_free(by);
		EVP_PKEY_free(signer);
	}
	X509_free(made);
	EVP_PKEY_free(key);
}

static void
add_revoked(X509_CRL *crl, const char *name, ASN1_TIME *now)
{
	X509 *certificate = read_certificate(name);
	X509_REVOKED *revoked = X509_REVOKED_new();

	X509_REVOKED_set_serialNumber(
	    revoked, X509_get_serialNumber(certificate));
	X509_REVOKED_set_revocationDate(revoked, now);
	assert_int_equal(X509_CRL_add0_revoked(crl, revoked), 1);
	X509_free(certificate);
}

void
made_crl(const char *name, const char *revoked)
{
	X509 *issuer = read_certificate(name);
	EVP_PKEY *key = read_key(name);
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, -60);
	ASN1_TIME *then = X509_gmtime_adj(NULL, DAY_S);
	FILE *file = create(path_of(name, "crl"), 0644);

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, then);
	if (revoked != NULL)
		add_revoked(crl, revoked, now);
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509_CRL(file, crl), 1);
	fclose(file);
	ASN1_TIME_free(now);
	ASN1_TIME_free(then);
	X509_CRL_free(crl);
	X509_free(issuer);
	EVP_PKEY_free(key);
}
