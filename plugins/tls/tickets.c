/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tickets: the keys with which a server seals what a client needs to resume a
 * session.  They stay in memory, and are exchanged while the service runs, so
 * that who learns one reads no more than what was sealed in its time.
 *
 * The keys do not depend on certificates: those may be exchanged, and tickets
 * stay good.  Any thread may come here.
 */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>

#include "context.h"

/* Not less than a session lasts, so that one former key is enough. */
#define TURN_S (12 * 3600)

static time_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Under the lock. */
static int
turn(struct tls_tickets *tickets)
{
	struct tls_ticket_key fresh;

	if (RAND_bytes((unsigned char *)&fresh, sizeof(fresh)) != 1)
		return -EIO;
	tickets->keys[1] = tickets->keys[0];
	tickets->keys[0] = fresh;
	tickets->made_s = now_s();
	OPENSSL_cleanse(&fresh, sizeof(fresh));
	return 0;
}

int
tls_tickets_turn(struct tls_tickets *tickets)
{
	int result;

	pthread_mutex_lock(&tickets->lock);
	result = turn(tickets);
	if (result == 0)
		tickets->has_former = true;
	pthread_mutex_unlock(&tickets->lock);
	return result;
}

int
tls_tickets_init(struct tls_tickets *tickets, struct tls_report *report)
{
	memset(tickets, 0, sizeof(*tickets));
	if (turn(tickets) != 0)
		return tls_wrong_openssl(report, "keys of tickets");
	pthread_mutex_init(&tickets->lock, NULL);
	return 0;
}

void
tls_tickets_fini(struct tls_tickets *tickets)
{
	pthread_mutex_destroy(&tickets->lock);
	OPENSSL_cleanse(tickets->keys, sizeof(tickets->keys));
}

/* The present key, a new one when that is due. */
static struct tls_ticket_key
present(struct tls_tickets *tickets)
{
	struct tls_ticket_key key;

	pthread_mutex_lock(&tickets->lock);
	if (now_s() - tickets->made_s >= TURN_S && turn(tickets) == 0)
		tickets->has_former = true;
	key = tickets->keys[0];
	pthread_mutex_unlock(&tickets->lock);
	return key;
}

/* 1: the present key; 2: the one before; 0: none of ours. */
static int
find(struct tls_tickets *tickets, const unsigned char *name,
    struct tls_ticket_key *ret_key)
{
	const struct tls_ticket_key *key = &tickets->keys[0];
	int found = 0;

	pthread_mutex_lock(&tickets->lock);
	if (memcmp(key->name, name, sizeof(key->name)) == 0)
		found = 1;
	else if (tickets->has_former &&
		 memcmp(key[1].name, name, sizeof(key->name)) == 0)
		found = 2;
	if (found != 0)
		*ret_key = key[found - 1];
	pthread_mutex_unlock(&tickets->lock);
	return found;
}

static int
seal(struct tls_ticket_key *key, unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int encrypts)
{
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(
		OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
	    OSSL_PARAM_construct_utf8_string(
		OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
	    OSSL_PARAM_construct_end()};

	return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher,
		   iv, encrypts) == 1 &&
	       EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* OpenSSL asks: -1 an error, 0 no ticket, 1 good, 2 good but make a new one. */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypts)
{
	struct tls_context *context = SSL_CTX_get_app_data(
	    SSL_get_SSL_CTX(ssl));
	struct tls_tickets *tickets = context->tickets;
	struct tls_ticket_key key;
	int found = 1;

	if (encrypts) {
		key = present(tickets);
		memcpy(name, key.name, sizeof(key.name));
		if (RAND_bytes(
			iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return -1;
	} else {
		found = find(tickets, name, &key);
		/* From TLS 1.3 on a ticket is good for one connection. */
		if (found == 1 && SSL_version(ssl) >= TLS1_3_VERSION)
			found = 2;
	}
	if (found != 0 && !seal(&key, iv, cipher, mac, encrypts))
		found = -1;
	OPENSSL_cleanse(&key, sizeof(key));
	return found;
}

void
tls_tickets_use(SSL_CTX *ctx)
{
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}
