/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access lists: every form of an address, what counts when several match, and
 * files of entries.
 */
#include "unit/guard_peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_access.h"

/* --- who matches -----------------------------------------------------------
 */

struct list_case {
	const char *only_from;
	const char *no_access;
	const char *served; /* clients; "unix" for one of a Unix socket */
	const char *refused;
};

static const struct list_case lists[] = {
    /* Not set: everybody.  Set and empty: nobody. */
    {NULL, NULL, "192.0.2.1 2001:db8::1 unix", ""},
    {"", NULL, "", "192.0.2.1 2001:db8::1 unix"},
    {NULL, "", "192.0.2.1 ::1 unix", ""},
    /* One address; what came through a v6 socket is the same. */
    {"192.0.2.1", NULL, "192.0.2.1 ::ffff:192.0.2.1 unix",
	"192.0.2.2 192.0.2.0 ::1 ::192.0.2.1"},
    {"::ffff:192.0.2.1", NULL, "192.0.2.1", "192.0.2.2"},
    {"::ffff:192.0.2.0/120", NULL, "192.0.2.7 ::ffff:192.0.2.9", "192.0.3.0"},
    {"2001:db8::1", NULL, "2001:db8::1", "2001:db8::2 192.0.2.1"},
    /* Lengths and masks; bits behind them do not count. */
    {"10.0.0.0/8", NULL, "10.0.0.0 10.255.255.255", "9.255.255.255 11.0.0.0"},
    {"10.1.2.3/9", NULL, "10.127.255.255", "10.128.0.0"},
    {"192.0.2.128/25", NULL, "192.0.2.128 192.0.2.255", "192.0.2.127"},
    {"192.0.2.6/31", NULL, "192.0.2.6 192.0.2.7", "192.0.2.5 192.0.2.8"},
    {"192.0.2.7/32", NULL, "192.0.2.7", "192.0.2.6 192.0.2.8"},
    {"172.16.0.0/255.240.0.0", NULL, "172.31.255.255", "172.32.0.0"},
    {"10.0.0.0/0.0.0.0", NULL, "1.2.3.4", "::1"},
    {"0.0.0.0/0", NULL, "1.2.3.4 255.255.255.255", "2001:db8::1"},
    {"0.0.0.0/32", NULL, "0.0.0.0", "0.0.0.1"},
    {"::/0", NULL, "2001:db8::1 ::", "1.2.3.4 ::ffff:1.2.3.4"},
    {"2001:db8::/32", NULL, "2001:db8:ffff::1", "2001:db9::"},
    {"2001:db8::/61", NULL, "2001:db8:0:7::1", "2001:db8:0:8::"},
    {"2001:db8::/65", NULL, "2001:db8::7fff:0:0:1", "2001:db8::8000:0:0:0"},
    {"fe80::/127", NULL, "fe80:: fe80::1", "fe80::2"},
    /* xinetd: zeros from the right stand for any. */
    {"128.138.0.0", NULL, "128.138.255.1", "128.139.0.0"},
    {"128.138.12.0", NULL, "128.138.12.255", "128.138.13.0"},
    {"10.0.0.0", NULL, "10.9.8.7", "11.0.0.1"},
    {"10.0.5.0", NULL, "10.0.5.1", "10.0.4.1"},
    {"0.0.0.0", NULL, "1.2.3.4 2001:db8::1", ""},
    {"0.0.0.0", "0.0.0.0", "", "1.2.3.4 2001:db8::1"},
    /* What an address begins with. */
    {"128.138", NULL, "128.138.0.0 128.138.255.255", "128.137.0.0"},
    {"10.", NULL, "10.255.0.1", "11.0.0.1"},
    {"10.0", NULL, "10.0.255.1", "10.1.0.1"},
    {"192.0.2.", NULL, "192.0.2.99", "192.0.3.99"},
    {"10.1/16", NULL, "10.1.255.255", "10.2.0.0"},
    /* Factors. */
    {"128.138.12.{6,7,23}", NULL, "128.138.12.6 128.138.12.7 128.138.12.23",
	"128.138.12.5 128.138.12.8 128.138.12.0"},
    {"128.{138,140}", NULL, "128.138.1.1 128.140.9.9", "128.139.1.1"},
    {"10.{0,255}", NULL, "10.0.0.1 10.255.0.1", "10.1.0.1"},
    /* What is longer counts; of the same length, no_access. */
    {"10.0.0.0/8", "10.1.0.0/16", "10.0.0.1 10.2.0.1", "10.1.0.1 11.0.0.1"},
    {"10.1.0.0/16", "10.0.0.0/8", "10.1.0.1", "10.0.0.1 10.2.0.1 11.0.0.1"},
    {"10.1.0.0/16", "10.1.0.0/16", "", "10.1.0.1"},
    {"10.1.2.3", "10.1.2.3", "", "10.1.2.3"},
    {NULL, "10.0.0.0/8", "11.0.0.1 ::1 unix", "10.0.0.1"},
    {NULL, "0.0.0.0", "unix", "10.0.0.1 ::1"},
    {"10.0.0.0/8 10.1.1.1", "10.1.0.0/16", "10.0.0.1 10.1.1.1", "10.1.1.2"},
    {"0.0.0.0/0 10.1.1.0/24", "10.0.0.0/8 10.1.1.128/25",
	"1.1.1.1 10.1.1.1 10.1.1.127", "10.1.1.128 10.1.2.1 10.2.0.1"},
    {"10.0.0.0/8 10.0.0.0/8 10.0.0.0", NULL, "10.1.1.1", "11.1.1.1"},
    {"0.0.0.0/0", "128.0.0.0/1", "127.255.255.255", "128.0.0.0"},
    {"2001:db8::/32", "2001:db8:1::/48 2001:db8:1:2::3",
	"2001:db8::1 2001:db8:2::", "2001:db8:1::1 2001:db8:1:2::3 ::1"},
};

static void
check_each(const struct list_case *at, const struct acl *acl,
    const char *clients, enum acl_answer wanted)
{
	char copy[256], *rest = NULL;

	assert_true(strlen(clients) < sizeof(copy));
	memcpy(copy, clients, strlen(clients) + 1);
	for (char *word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		const char *text = strcmp(word, "unix") == 0 ? "" : word;

		if (peer_check(acl, text) != wanted)
			fail_msg("only_from=%s no_access=%s: %s\n",
			    at->only_from != NULL ? at->only_from : "(unset)",
			    at->no_access != NULL ? at->no_access : "(unset)",
			    word);
	}
}

static void
test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(lists); i++) {
		struct acl *acl = peer_acl(
		    lists[i].only_from, lists[i].no_access);

		check_each(&lists[i], acl, lists[i].served, ACL_ALLOWED);
		check_each(&lists[i], acl, lists[i].refused, ACL_DENIED);
		acl_free(acl);
	}
}

static void
test_everybody_is_no_list(void **state)
{
	(void)state;
	assert_null(peer_acl(NULL, NULL));
	assert_null(peer_acl(NULL, ""));
	assert_int_equal(acl_size(NULL).prefixes, 0);
	assert_null(acl_free(NULL));
}

/* --- words -----------------------------------------------------------------
 */

struct word_case {
	const char *word;
	const char *reason; /* begins so; NULL: it is good */
};

static const struct word_case words[] = {
    {"192.0.2.1", NULL},
    {"localhost", NULL},
    {"my_net", NULL},
    {"3com.example", NULL},
    {".example.org", NULL},
    {"file:/etc/berth/allow.list", NULL},
    {"", "between the dots"},
    {".", "between the dots"},
    {"a..b", "between the dots"},
    {"example.", "between the dots"},
    {"a*b", "no address, no network and no name"},
    {"a b", "no address, no network and no name"},
    {"host/24", "a name has no length"},
    {"10", "a number alone"},
    {"256.1.1.1", "the numbers of an address"},
    {"10.0.0.01", "the numbers of an address"},
    {"010.0.0.1", "the numbers of an address"},
    {"1.2.3.4.5", "an address has four"},
    {"1.2.3.4.", "an address has four"},
    {"1..2", "no address, no network and no name"},
    {"10.0.0.0/33", "behind the slash"},
    {"10.0.0.0/", "behind the slash"},
    {"10.0.0.0/8/8", "behind the slash"},
    {"10.0.0.0/08", "behind the slash"},
    {"10.0.0.0/255.0.255.0", "the mask has holes"},
    {"10.0.0.0/255.0", "a mask has four"},
    {"10.0.0.0/256.0.0.0", "the mask is no address"},
    {"10.{1,2}.3", "braces stand for one"},
    {"10.1.2.3{4}", "braces stand for one"},
    {"10.1.2{4}", "braces stand for one"},
    {"10.1.2.{4", "the brace is not closed"},
    {"10.1.2.{}", "in braces"},
    {"10.1.2.{1,}", "in braces"},
    {"10.1.2.{256}", "in braces"},
    {"10.1.2.{1}/24", "braces stand for one"},
    {"a.{1,2}", "no address, no network and no name"},
    {"2001:db8::/129", "behind the slash"},
    {"2001:db8::g", "no IPv6 address"},
    {"2001:db8:", "no IPv6 address"},
    {"[::1]", "no IPv6 address"},
    {"fe80::1%lo", "an access list knows no zones"},
    {"file:", "a path begins"},
    {"file:here", "a path begins"},
};

static void
test_words(void **state)
{
	char label[80], name[300];
	struct access_entry entry;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		const char *wanted = words[i].reason;
		const char *reason = access_parse(words[i].word, &entry);

		if ((reason == NULL) != (wanted == NULL) ||
		    (wanted != NULL &&
			strncmp(reason, wanted, strlen(wanted)) != 0))
			fail_msg("'%s': %s\n", words[i].word,
			    reason != NULL ? reason : "taken");
	}
	memset(label, 'a', 64);
	label[64] = '\0';
	assert_non_null(access_parse(label, &entry));
	label[63] = '\0';
	assert_null(access_parse(label, &entry));
	memset(name, 'a', sizeof(name));
	for (size_t i = 9; i < sizeof(name); i += 10)
		name[i] = '.';
	name[254] = '\0';
	assert_non_null(access_parse(name, &entry));
	name[253] = '\0';
	assert_null(access_parse(name, &entry));
}

/* --- files -----------------------------------------------------------------
 */

struct file {
	char path[64];
	struct errors *errors;
};

static int
setup(void **state)
{
	struct file *file = calloc(1, sizeof(*file));
	int fd;

	assert_non_null(file);
	strcpy(file->path, "/tmp/berth-acl-XXXXXX");
	fd = mkstemp(file->path);
	assert_true(fd >= 0);
	close(fd);
	file->errors = errors_new(0);
	*state = file;
	return 0;
}

static int
teardown(void **state)
{
	struct file *file = *state;

	unlink(file->path);
	errors_free(file->errors);
	free(file);
	return 0;
}

static void
write_file(const struct file *file, const char *text, size_t size)
{
	FILE *out = fopen(file->path, "we");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

static const char *
file_word(const struct file *file)
{
	static char word[80];

	snprintf(word, sizeof(word), "file:%s", file->path);
	return word;
}

static void
test_file(void **state)
{
	static const char text[] = "# offices\n"
				   "192.0.2.0/24\n"
				   "\t198.51.100.{1,2}  # two\r\n"
				   "\n"
				   "2001:db8::/32#v6\n"
				   "203.0.113.9";
	struct file *file = *state;
	struct acl *acl;

	write_file(file, text, sizeof(text) - 1);
	acl = peer_acl(file_word(file), "192.0.2.66");
	assert_int_equal(peer_check(acl, "192.0.2.1"), ACL_ALLOWED);
	assert_int_equal(peer_check(acl, "192.0.2.66"), ACL_DENIED);
	assert_int_equal(peer_check(acl, "198.51.100.2"), ACL_ALLOWED);
	assert_int_equal(peer_check(acl, "198.51.100.3"), ACL_DENIED);
	assert_int_equal(peer_check(acl, "2001:db8::9"), ACL_ALLOWED);
	assert_int_equal(peer_check(acl, "203.0.113.9"), ACL_ALLOWED);
	assert_int_equal(acl_size(acl).prefixes, 6);
	acl_free(acl);
	/* Empty: nobody is in it. */
	write_file(file, "", 0);
	acl = peer_acl(file_word(file), NULL);
	assert_int_equal(peer_check(acl, "192.0.2.1"), ACL_DENIED);
	acl_free(acl);
}

static void
test_file_mistakes(void **state)
{
	static const char text[] = "10.0.0.0/8\n  10.0.0.0/99\n"
				   "10.1.0.0 10.2.0.0\nfile:/etc/passwd\n"
				   "a\0b\n";
	static const char wanted[] = ":2:3: error: '10.0.0.0/99': behind "
				     "the slash";
	struct file *file = *state;
	struct settings settings;
	struct acl *acl = NULL;
	AUTO_TEXT printed = {0};

	write_file(file, text, sizeof(text) - 1);
	peer_settings(&settings, file_word(file), NULL);
	assert_int_equal(
	    acl_new(&settings, NULL, file->errors, &acl), ACL_E_MISTAKE);
	assert_null(acl);
	errors_print(file->errors, &printed);
	assert_int_equal(errors_count(file->errors), 4);
	assert_non_null(strstr(text_string(&printed), wanted));
	assert_non_null(strstr(text_string(&printed),
	    ":3:10: error: '10.2.0.0': one entry stands a line"));
	assert_non_null(strstr(text_string(&printed),
	    ":4:1: error: 'file:/etc/passwd': a file does not name"));
	assert_non_null(strstr(text_string(&printed), ":5:1: error: 'a"));
}

static void
test_file_distrusted(void **state)
{
	struct file *file = *state;
	struct settings settings;
	struct acl *acl = NULL;

	peer_settings(&settings, file_word(file), NULL);
	assert_int_equal(chmod(file->path, 0666), 0);
	assert_int_equal(
	    acl_new(&settings, NULL, file->errors, &acl), ACL_E_MISTAKE);
	assert_non_null(strstr(
	    errors_get(file->errors, 0)->text, "everybody may write to it"));
	unlink(file->path);
	assert_int_equal(
	    acl_new(&settings, NULL, file->errors, &acl), ACL_E_MISTAKE);
	peer_settings(&settings, "file:/tmp", NULL);
	assert_int_equal(
	    acl_new(&settings, NULL, file->errors, &acl), ACL_E_MISTAKE);
	assert_int_equal(errors_count(file->errors), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_matches),
	    cmocka_unit_test(test_everybody_is_no_list),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test_setup_teardown(test_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_file_mistakes, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_file_distrusted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
