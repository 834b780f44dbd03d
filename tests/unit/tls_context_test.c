/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugin tls: who is believed, which certificate is shown, what is agreed,
 * which session is resumed, and what is wrong with options and files.
 */
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "unit/tls_bed.h"

#define SERVER "-c {server.pem} -k {server.key} "
#define MUTUAL SERVER "-a {ca.pem} "
#define CLIENT "-C host.test -a {ca.pem} "
#define ALICE CLIENT "-c {alice.pem} -k {alice.key} "

static struct side client, server;

static void
end(void)
{
	side_fini(&client);
	side_fini(&server);
}

static void
try(const char *client_words, const char *server_words)
{
	side_init(&server, server_words);
	side_init(&client, client_words);
	side_open(&server);
	side_open(&client);
	talk(&client, &server, 0);
}

static void
expect_words(const char *text, const char *word)
{
	if (strstr(text, word) == NULL)
		fail_msg("'%s' is not in '%s'\n", word, text);
}

static void
who_is_believed(void **state)
{
	static const struct {
		const char *client, *server;
		const char *client_why, *server_why; /* "": all is well */
	} cases[] = {
	    {CLIENT, SERVER, "", ""},
	    {"-C host.test -v none", SERVER, "", ""},
	    {"-C other.test -a {ca.pem}", SERVER, "hostname mismatch", "alert"},
	    {"-C 127.0.0.1 -a {ca.pem}", SERVER, "IP address mismatch",
		"alert"},
	    {"-C host.test -a {other.pem}", SERVER,
		"unable to get local issuer certificate", "unknown ca"},
	    {"-C host.test", SERVER, "unable to get local issuer certificate",
		"unknown ca"},
	    {CLIENT, "-c {old.pem} -k {old.key}", "certificate has expired",
		"certificate expired"},
	    {CLIENT, MUTUAL, "certificate required",
		"peer did not return a certificate"},
	    {CLIENT, MUTUAL "-v optional", "", ""},
	    {ALICE, MUTUAL, "", ""},
	    {CLIENT "-c {mallory.pem} -k {mallory.key}", MUTUAL, "unknown ca",
		"unable to get local issuer certificate"},
	    {CLIENT "-c {mallory.pem} -k {mallory.key}", MUTUAL "-v optional",
		"unknown ca", "unable to get local issuer certificate"},
	    {ALICE, MUTUAL "-r {ca.crl}", "", ""},
	    {CLIENT "-c {bob.pem} -k {bob.key}", MUTUAL "-r {ca.crl}",
		"certificate revoked", "certificate revoked"},
	    {CLIENT "-M 1.2", SERVER "-m 1.3", "protocol version",
		"unsupported protocol"},
	    {CLIENT "-M 1.2 -i ECDHE-ECDSA-AES128-GCM-SHA256",
		SERVER "-i ECDHE-ECDSA-AES256-GCM-SHA384", "handshake failure",
		"no shared cipher"},
	    {CLIENT "-M 1.2 -m 1.0 -i ALL:@SECLEVEL=0", SERVER "-m 1.3",
		"protocol version", "unsupported protocol"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		try(cases[i].client, cases[i].server);
		if (*cases[i].server_why == '\0') {
			assert_int_equal(
			    tls_engine_state(server.engine), TLS_OPEN);
			side_send(&server, "welcome");
			talk(&client, &server, 0);
			side_expect(&client, "welcome");
			part(&client, &server);
		} else {
			expect_words(
			    tls_engine_why(client.engine), cases[i].client_why);
			expect_words(
			    tls_engine_why(server.engine), cases[i].server_why);
		}
		end();
	}
}

static void
who_the_client_is(void **state)
{
	char name[100], room[6];

	(void)state;
	try(ALICE, MUTUAL);
	assert_int_equal(tls_engine_peer(server.engine, name, sizeof(name)), 8);
	assert_string_equal(name, "CN=alice");
	assert_int_equal(tls_engine_peer(server.engine, room, sizeof(room)), 5);
	assert_string_equal(room, "CN=al");
	end();
	try(CLIENT, MUTUAL "-v optional");
	assert_int_equal(
	    tls_engine_peer(server.engine, name, sizeof(name)), -ENOENT);
	end();
	try("-C host.test -v none", SERVER);
	assert_int_equal(
	    tls_engine_peer(client.engine, name, sizeof(name)), -ENOENT);
	end();
}

static void
which_certificate_is_shown(void **state)
{
	static const struct {
		const char *host, *subject;
	} cases[] = {
	    {"host.test", "CN=server"},
	    {"one.test", "CN=one"},
	    {"ONE.test", "CN=one"},
	    {"x.wild.test", "CN=wild"},
	    {"y.wild.test", "CN=exact"},
	};
	const char *words = "-c {server.pem} -k {server.key} "
			    "-n one.test:{one.pem}:{one.key} "
			    "-n *.wild.test:{wild.pem}:{wild.key} "
			    "-n y.wild.test:{exact.pem}:{exact.key}";
	char name[100], options[100];

	(void)state;
	for (unsigned version = 2; version <= 3; version++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			snprintf(options, sizeof(options),
			    "-C %s -a {ca.pem} -M 1.%u", cases[i].host,
			    version);
			try(options, words);
			assert_true(tls_engine_peer(
					client.engine, name, sizeof(name)) > 0);
			assert_string_equal(name, cases[i].subject);
			part(&client, &server);
			end();
		}
		/* Nobody's: the one for all. */
		try("-C a.b.wild.test -a {ca.pem}", words);
		expect_words(
		    tls_engine_why(client.engine), "hostname mismatch");
		end();
	}
}

/* Keys of two kinds: each client gets what it can read, under its name only. */
static void
kinds_of_keys(void **state)
{
	const char *words = "-c {server.pem} -k {server.key} "
			    "-c {rsa.pem} -k {rsa.key} "
			    "-n one.test:{one.pem}:{one.key}";
	char name[100];

	(void)state;
	try(CLIENT "-M 1.2 -i aRSA", words);
	assert_true(tls_engine_peer(client.engine, name, sizeof(name)) > 0);
	assert_string_equal(name, "CN=rsa");
	end();
	try("-C one.test -a {ca.pem} -M 1.2 -i aRSA", words);
	expect_words(tls_engine_why(server.engine), "no shared cipher");
	end();
}

static void
what_will_be_spoken(void **state)
{
	static const struct {
		const char *client, *server, *agreed; /* NULL: refused */
	} cases[] = {
	    {"", "", ""},
	    {"-p h2,http/1.1", "", ""},
	    {"", "-p h2", ""},
	    {"-p h2,http/1.1", "-p http/1.1,h2", "http/1.1"},
	    {"-p irc", "-p http/1.1", NULL},
	};
	char words[2][200];
	struct tls_facts facts;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(
		    words[0], sizeof(words[0]), CLIENT "%s", cases[i].client);
		snprintf(
		    words[1], sizeof(words[1]), SERVER "%s", cases[i].server);
		try(words[0], words[1]);
		if (cases[i].agreed == NULL) {
			expect_words(tls_engine_why(client.engine),
			    "no application protocol");
			end();
			continue;
		}
		tls_engine_facts(server.engine, &facts);
		assert_int_equal(facts.alpn.size, strlen(cases[i].agreed));
		assert_memory_equal(
		    facts.alpn.data, cases[i].agreed, facts.alpn.size);
		assert_string_equal(facts.server_name, "host.test");
		end();
	}
}

static bool
resumes(void)
{
	struct tls_facts facts;

	meet(&client, &server);
	side_send(&server, "x");
	talk(&client, &server, 0);
	tls_engine_facts(server.engine, &facts);
	part(&client, &server);
	return facts.resumed;
}

static void
sessions_are_resumed(void **state)
{
	char words[200], name[100];

	(void)state;
	for (unsigned version = 2; version <= 3; version++) {
		snprintf(words, sizeof(words), ALICE "-M 1.%u", version);
		side_init(&server, MUTUAL);
		side_init(&client, words);
		assert_false(resumes());
		assert_true(resumes());
		/* Another certificate, and still who the client is. */
		made_certificate("server", "ca", "host.test", 0);
		assert_true(tls_context_stale(server.context));
		side_reload(&server);
		assert_false(tls_context_stale(server.context));
		meet(&client, &server);
		assert_true(
		    tls_engine_peer(server.engine, name, sizeof(name)) > 0);
		assert_string_equal(name, "CN=alice");
		part(&client, &server);
		assert_true(resumes());
		assert_int_equal(tls_tickets_turn(&server.tickets), 0);
		assert_true(resumes());
		assert_int_equal(tls_tickets_turn(&server.tickets), 0);
		assert_int_equal(tls_tickets_turn(&server.tickets), 0);
		assert_false(resumes());
		/* Others are believed now: who they are is to be shown. */
		assert_true(resumes());
		made_crl("ca", "bob");
		side_fini(&server);
		side_init(&server, MUTUAL "-r {ca.crl}");
		assert_false(resumes());
		end();
	}
}

static void
trust_that_changed_resumes_nobody(void **state)
{
	(void)state;
	side_init(&server, MUTUAL "-r {ca.crl}");
	side_init(&client, ALICE);
	resumes();
	assert_true(resumes());
	made_crl("ca", "alice");
	assert_true(tls_context_stale(server.context));
	side_reload(&server);
	side_open(&server);
	side_open(&client);
	talk(&client, &server, 0);
	expect_words(tls_engine_why(server.engine), "certificate revoked");
	made_crl("ca", "bob");
	end();
}

static void
options_that_are_wrong(void **state)
{
	static const struct {
		const char *words, *why;
	} cases[] = {
	    {"", "a server needs a certificate"},
	    {"-c", "option -c needs a value"},
	    {"-x 1", "there is no option -x"},
	    {"here", "unexpected argument 'here'"},
	    {"-k {server.key}", "-k "},
	    {"-n one.test:{one.pem}:{one.key}", "a server needs"},
	    {SERVER "-n one.test", "-n one.test: should be NAME:"},
	    {SERVER "-n :x", "-n :x: should be NAME:"},
	    {SERVER "-n a*.test:x", "a star stands for the first label"},
	    {SERVER "-v required", "-v: by whose"},
	    {SERVER "-v maybe -a {ca.pem}", "-v maybe: should be none,"},
	    {SERVER "-r {ca.crl}", "-r needs -a"},
	    {SERVER "-m 2", "-m 2: should be a version"},
	    {SERVER "-m 1.3 -M 1.2", "-M is an older version"},
	    {SERVER "-p a,,b", "-p a,,b: should be names"},
	    {SERVER "-t 0", "-t 0: should be a time"},
	    {SERVER "-t 10h", "-t 10h: should be a time"},
	    {SERVER "-i NONSENSE", "-i NONSENSE: no cipher match"},
	    {SERVER "-I NONSENSE", "-I NONSENSE: no cipher match"},
	    {"-c {none.pem} -k {server.key}", "none.pem: No such file"},
	    {"-c {server.pem} -k {none.key}", "none.key: No such file"},
	    {"-c / -k {server.key}", "/: Is a directory"},
	    {"-c {fifo} -k {server.key}", "fifo: No such device"},
	    {"-c {text} -k {server.key}", "text: no certificate in it"},
	    {"-c {server.pem}", "server.pem: no key in it"},
	    {"-c {server.pem} -k {text}", "text: no key in it"},
	    {"-c {server.pem} -k {one.key}",
		"one.key: this key does not belong to the certificate in "},
	    {"-c {locked.pem} -k {locked.key}",
		"locked.key: the key has a password"},
	    {SERVER "-a {text}", "text: neither a certificate nor"},
	    {SERVER "-n one.test:{one.pem}:{server.key}",
		"server.key: this key does not belong"},
	    {"-C host.test -a {none.pem}", "none.pem: No such file"},
	};
	struct side side;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int result = side_try(&side, cases[i].words);

		if (result >= 0)
			fail_msg("'%s' is taken\n", cases[i].words);
		expect_words(side.report.why, cases[i].why);
		side_fini(&side);
	}
}

static void
files_to_be_warned_of(void **state)
{
	struct side side;

	(void)state;
	side_init(&side, "-c {old.pem} -k {old.key}");
	expect_words(side.warnings, "old.pem: the certificate has expired");
	side_fini(&side);
	side_init(&side, "-c {open.pem} -k {open.key}");
	expect_words(side.warnings, "open.key: this key may be read by");
	side_fini(&side);
	side_init(&side, SERVER);
	assert_string_equal(side.warnings, "");
	assert_false(tls_context_stale(side.context));
	made_certificate("fresh", "ca", "host.test", 0);
	made_rename("fresh.key", "server.key");
	assert_true(tls_context_stale(side.context));
	made_rename("fresh.pem", "server.pem");
	side_reload(&side);
	assert_false(tls_context_stale(side.context));
	side_fini(&side);
}

static int
set_up(void **state)
{
	(void)state;
	made_begin();
	made_certificate("ca", NULL, NULL, 0);
	made_certificate("other", NULL, NULL, 0);
	made_certificate("server", "ca", "host.test", 0);
	made_certificate("one", "ca", "one.test", 0);
	made_certificate("wild", "ca", "*.wild.test", 0);
	made_certificate("exact", "ca", "y.wild.test", 0);
	made_certificate("rsa", "ca", "host.test", MADE_RSA);
	made_certificate("old", "ca", "host.test", MADE_EXPIRED);
	made_certificate("locked", "ca", "host.test", MADE_PASSWORD);
	made_certificate("open", "ca", "host.test", 0);
	chmod(made_path("open.key"), 0644);
	made_certificate("alice", "ca", NULL, 0);
	made_certificate("bob", "ca", NULL, 0);
	made_certificate("mallory", "other", NULL, 0);
	made_crl("ca", "bob");
	made_file("text", "neither this nor that\n", 0600);
	return mkfifo(made_path("fifo"), 0600);
}

static int
tear_down(void **state)
{
	(void)state;
	made_end();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_is_believed),
	    cmocka_unit_test(who_the_client_is),
	    cmocka_unit_test(which_certificate_is_shown),
	    cmocka_unit_test(kinds_of_keys),
	    cmocka_unit_test(what_will_be_spoken),
	    cmocka_unit_test(sessions_are_resumed),
	    cmocka_unit_test(trust_that_changed_resumes_nobody),
	    cmocka_unit_test(options_that_are_wrong),
	    cmocka_unit_test(files_to_be_warned_of),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
