/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names in access lists: what counts, who waits, and a resolver that tells
 * lies, fails, or does not answer.
 */
#include "unit/guard_peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* --- a resolver of the test's ----------------------------------------------
 */

struct host {
	const char *name;
	const char *address; /* or NETWORK/BITS; NULL: nobody knows now */
};

static const struct host hosts[] = {
    {"one.example.org", "192.0.2.1"},
    {"two.example.org", "192.0.2.2"},
    {"two.example.org", "2001:db8::2"},
    {"bad.example.org", "192.0.2.66"},
    {"deep.sub.example.org", "192.0.2.3"},
    {"office", "198.51.100.0/24"},
    {"broken.example.org", NULL},
};

/* What an address says that its name is. */
static const struct host names_told[] = {
    {"ONE.Example.ORG", "192.0.2.1"},
    {"two.example.org", "2001:db8::2"},
    {"bad.example.org", "192.0.2.66"},
    {"deep.sub.example.org", "192.0.2.3"},
    {"one.example.org", "203.0.113.9"}, /* a lie */
    {"unknown.example.org", "203.0.113.10"},
};

struct bed {
	struct reactor *reactor;
	struct names *names;
	struct mono now;
	atomic_uint asked;
	atomic_uint passed; /* of them; they no longer use the bed */
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool closed; /* the gate: questions wait at it */
	unsigned called;
};

static struct access_prefix
prefix_of(const char *text)
{
	struct access_entry entry;

	assert_null(access_parse(text, &entry));
	return entry.prefix;
}

static void
pass_gate(struct bed *bed)
{
	atomic_fetch_add(&bed->asked, 1);
	pthread_mutex_lock(&bed->lock);
	while (bed->closed)
		pthread_cond_wait(&bed->opened, &bed->lock);
	pthread_mutex_unlock(&bed->lock);
	atomic_fetch_add(&bed->passed, 1);
}

static void
set_gate(struct bed *bed, bool closed)
{
	pthread_mutex_lock(&bed->lock);
	bed->closed = closed;
	pthread_cond_broadcast(&bed->opened);
	pthread_mutex_unlock(&bed->lock);
}

static int
find_addresses(void *context, const char *name, struct access_prefix *prefixes,
    unsigned *ret_count)
{
	unsigned count = 0;

	pass_gate(context);
	for (size_t i = 0; i < BASE_COUNT(hosts); i++) {
		if (strcasecmp(hosts[i].name, name) != 0)
			continue;
		if (hosts[i].address == NULL)
			return -EAGAIN;
		prefixes[count++] = prefix_of(hosts[i].address);
	}
	*ret_count = count;
	return count > 0 ? 0 : -ENOENT;
}

static int
find_name(void *context, const struct access_prefix *address,
    char name[NAMES_TEXT_MAX])
{
	pass_gate(context);
	for (size_t i = 0; i < BASE_COUNT(names_told); i++) {
		struct access_prefix one = prefix_of(names_told[i].address);

		if (one.high != address->high || one.low != address->low ||
		    one.v6 != address->v6)
			continue;
		strcpy(name, names_told[i].name);
		return 0;
	}
	return -ENOENT;
}

static struct mono
tell_time(void *context)
{
	struct bed *bed = context;

	return bed->now;
}

static int
setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	const struct names_resolver resolver = {find_addresses, find_name, bed};
	const struct reactor_options options = {
	    .clock = tell_time, .clock_context = bed};

	assert_non_null(bed);
	bed->now.ns = MONO_MS(1000000);
	pthread_mutex_init(&bed->lock, NULL);
	pthread_cond_init(&bed->opened, NULL);
	assert_int_equal(reactor_new(&options, &bed->reactor), 0);
	assert_int_equal(names_new(bed->reactor, &resolver, &bed->names), 0);
	*state = bed;
	return 0;
}

static int
teardown(void **state)
{
	struct bed *bed = *state;

	set_gate(bed, false);
	names_free(bed->names);
	reactor_free(bed->reactor);
	pthread_mutex_destroy(&bed->lock);
	pthread_cond_destroy(&bed->opened);
	free(bed);
	return 0;
}

struct client {
	struct names_waiter waiter;
	struct bed *bed;
	const struct acl *acl;
	struct peer peer;
	enum acl_answer answer;
};

static void try(struct client *client);

static void
again(struct names_waiter *waiter)
{
	struct client *client = BASE_CONTAINER(waiter, struct client, waiter);

	client->bed->called++;
	try(client);
}

static void
try(struct client *client)
{
	const void *address = &client->peer.storage;
	const struct acl_peer peer = {address, client->peer.size};

	client->answer = acl_ask(
	    client->acl, client->bed->names, &peer, &client->waiter, again);
}

static void
begin(struct client *client, struct bed *bed, const struct acl *acl,
    const char *address)
{
	memset(client, 0, sizeof(*client));
	client->bed = bed;
	client->acl = acl;
	client->peer = peer_of(address);
	try(client);
}

/* The threads' answers come by a descriptor; the clock stands still. */
static void
finish(struct client *client)
{
	for (unsigned i = 0; client->answer == ACL_UNKNOWN; i++) {
		assert_true(i < 10000);
		if (reactor_turn(client->bed->reactor, 0) == 0)
			usleep(1000);
	}
}

static enum acl_answer
check(struct bed *bed, const struct acl *acl, const char *address)
{
	struct client client;

	begin(&client, bed, acl, address);
	finish(&client);
	return client.answer;
}

/* --- what counts -----------------------------------------------------------
 */

struct list_case {
	const char *only_from;
	const char *no_access;
	const char *served;
	const char *refused;
};

static const struct list_case lists[] = {
    {"one.example.org", NULL, "192.0.2.1 ::ffff:192.0.2.1",
	"192.0.2.2 203.0.113.9 2001:db8::2"},
    {"two.example.org", NULL, "192.0.2.2 2001:db8::2", "192.0.2.1"},
    {"nobody.example.org", NULL, "", "192.0.2.1"},
    {"broken.example.org 192.0.2.1", NULL, "192.0.2.1", "192.0.2.2"},
    {NULL, "bad.example.org", "192.0.2.1", "192.0.2.66"},
    {NULL, "nobody.example.org", "192.0.2.1", ""},
    /* Nobody knows whom it means. */
    {NULL, "broken.example.org", "", "192.0.2.1"},
    {"192.0.2.0/24", "bad.example.org", "192.0.2.9", "192.0.2.66 10.0.0.1"},
    {"one.example.org", "192.0.2.0/24", "192.0.2.1", "192.0.2.2"},
    {"one.example.org", "192.0.2.1", "", "192.0.2.1"},
    {"192.0.2.66", "bad.example.org", "", "192.0.2.66"},
    /* Domains: forward-confirmed, in any case. */
    {".example.org", NULL, "192.0.2.1 192.0.2.3 2001:db8::2",
	"203.0.113.9 203.0.113.10 10.0.0.1"},
    {".EXAMPLE.org", NULL, "192.0.2.1", "10.0.0.1"},
    {".ample.org", NULL, "", "192.0.2.1"},
    {".sub.example.org", NULL, "192.0.2.3", "192.0.2.1"},
    {".example.org", ".sub.example.org", "192.0.2.1", "192.0.2.3 10.0.0.1"},
    {".sub.example.org", ".example.org", "192.0.2.3", "192.0.2.1"},
    {".example.org", ".example.org", "", "192.0.2.1"},
    {".example.org", "192.0.2.0/24", "192.0.2.1", "192.0.2.9"},
    {".example.org", "192.0.2.1", "192.0.2.3", "192.0.2.1"},
    /* Who has no name that leads back may be of that domain. */
    {NULL, ".example.org", "", "192.0.2.1 203.0.113.9 10.0.0.1"},
    {"10.0.0.1", ".example.org", "10.0.0.1", "10.0.0.2"},
    {"0.0.0.0/0 .example.org", NULL, "10.0.0.1 2001:db8::2", "2001:db8::9"},
    /* Networks with names: nearer than numbers, farther than domains. */
    {"office", NULL, "198.51.100.7", "198.51.101.7"},
    {"198.51.100.0/25", "office", "", "198.51.100.7 198.51.100.200"},
    {"office", "198.51.100.7", "198.51.100.8", "198.51.100.7"},
};

static void
check_each(struct bed *bed, const struct list_case *at, const char *clients,
    enum acl_answer wanted)
{
	struct acl *acl = peer_acl(at->only_from, at->no_access);
	char copy[256], *rest = NULL;

	memcpy(copy, clients, strlen(clients) + 1);
	for (char *word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		if (check(bed, acl, word) != wanted)
			fail_msg("only_from=%s no_access=%s: %s\n",
			    at->only_from != NULL ? at->only_from : "(unset)",
			    at->no_access != NULL ? at->no_access : "(unset)",
			    word);
	acl_free(acl);
}

static void
test_matches(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(lists); i++) {
		check_each(*state, &lists[i], lists[i].served, ACL_ALLOWED);
		check_each(*state, &lists[i], lists[i].refused, ACL_DENIED);
	}
}

/* What names cannot change is answered without them. */
static void
test_not_asked(void **state)
{
	struct bed *bed = *state;
	struct acl *acl = peer_acl("192.0.2.0/24 .example.org", "192.0.2.66");

	assert_int_equal(check(bed, acl, "192.0.2.66"), ACL_DENIED);
	assert_int_equal(check(bed, acl, "192.0.2.9"), ACL_ALLOWED);
	assert_int_equal(check(bed, acl, ""), ACL_ALLOWED);
	assert_int_equal(atomic_load(&bed->asked), 0);
	acl_free(acl);
}

/* --- who waits -------------------------------------------------------------
 */

static void
test_single_flight(void **state)
{
	struct bed *bed = *state;
	struct acl *acl = peer_acl("one.example.org", NULL);
	struct client clients[20];

	set_gate(bed, true);
	for (size_t i = 0; i < BASE_COUNT(clients); i++) {
		begin(&clients[i], bed, acl, i % 2 ? "192.0.2.1" : "10.0.0.1");
		assert_int_equal(clients[i].answer, ACL_UNKNOWN);
	}
	/* One of them goes. */
	names_unwait(&clients[7].waiter);
	set_gate(bed, false);
	finish(&clients[19]);
	for (size_t i = 0; i < BASE_COUNT(clients); i++)
		assert_int_equal(clients[i].answer, i == 7  ? ACL_UNKNOWN
						    : i % 2 ? ACL_ALLOWED
							    : ACL_DENIED);
	assert_int_equal(bed->called, 19);
	assert_int_equal(atomic_load(&bed->asked), 1);
	/* For a minute it is known. */
	begin(&clients[0], bed, acl, "192.0.2.1");
	assert_int_equal(clients[0].answer, ACL_ALLOWED);
	bed->now.ns += MONO_MS(NAMES_GOOD_MS);
	assert_int_equal(check(bed, acl, "192.0.2.1"), ACL_ALLOWED);
	assert_int_equal(atomic_load(&bed->asked), 2);
	acl_free(acl);
}

static void
test_patience(void **state)
{
	struct bed *bed = *state;
	struct acl *slow = peer_acl("one.example.org", NULL);
	struct acl *quick = peer_acl("two.example.org", NULL);
	struct client client, other;

	set_gate(bed, true);
	begin(&client, bed, slow, "192.0.2.1");
	assert_int_equal(client.answer, ACL_UNKNOWN);
	bed->now.ns += MONO_MS(NAMES_PATIENCE_MS) - 1;
	while (reactor_turn(bed->reactor, 0) > 0)
		;
	assert_int_equal(client.answer, ACL_UNKNOWN);
	bed->now.ns += 1;
	finish(&client);
	assert_int_equal(client.answer, ACL_DENIED);
	/* It came after all. */
	set_gate(bed, false);
	begin(&other, bed, quick, "192.0.2.2");
	finish(&other);
	assert_int_equal(other.answer, ACL_ALLOWED);
	for (unsigned i = 0; client.answer != ACL_ALLOWED; i++) {
		assert_true(i < 10000);
		if (reactor_turn(bed->reactor, 0) == 0)
			usleep(1000);
		begin(&client, bed, slow, "192.0.2.1");
	}
	assert_int_equal(atomic_load(&bed->asked), 2);
	acl_free(slow);
	acl_free(quick);
}

/* One that hangs does not keep others, nor the end. */
static void
test_hanging(void **state)
{
	struct bed *bed = *state;
	struct acl *acl = peer_acl("one.example.org", NULL);
	struct client client;
	unsigned i;

	set_gate(bed, true);
	begin(&client, bed, acl, "192.0.2.1");
	for (i = 0; atomic_load(&bed->asked) == 0 && i < 10000; i++)
		usleep(1000);
	assert_true(i < 10000);
	names_unwait(&client.waiter);
	bed->names = names_free(bed->names);
	assert_int_equal(client.answer, ACL_UNKNOWN);
	acl_free(acl);
	set_gate(bed, false);
	while (atomic_load(&bed->passed) == 0)
		usleep(1000);
}

static void
test_cache_is_bounded(void **state)
{
	struct bed *bed = *state;
	struct acl *acl = peer_acl(".example.org", NULL);
	char address[32];

	for (unsigned i = 0; i < NAMES_CACHE_MAX + 100; i++) {
		snprintf(
		    address, sizeof(address), "10.1.%u.%u", i / 256, i % 256);
		assert_int_equal(check(bed, acl, address), ACL_DENIED);
	}
	assert_int_equal(check(bed, acl, "192.0.2.1"), ACL_ALLOWED);
	acl_free(acl);
}

/* The system's own, with what every machine knows. */
static void
test_system(void **state)
{
	struct bed *bed = *state;
	struct acl *acl = peer_acl("localhost", NULL);

	names_free(bed->names);
	bed->names = NULL;
	assert_int_equal(names_new(bed->reactor, NULL, &bed->names), 0);
	assert_int_equal(check(bed, acl, "127.0.0.1"), ACL_ALLOWED);
	assert_int_equal(check(bed, acl, "192.0.2.1"), ACL_DENIED);
	acl_free(acl);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_matches),
	    TEST(test_not_asked),
	    TEST(test_single_flight),
	    TEST(test_patience),
	    TEST(test_hanging),
	    TEST(test_cache_is_bounded),
	    TEST(test_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
