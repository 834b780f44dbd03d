/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service_Manager: who may change something, where it listens, what it logs.
 */
#include "services.h"
#include "services_desk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN "correct horse battery"

static char directory[] = "/tmp/berth-token-XXXXXX";
static char path[64];

static void
write_token(const char *text, mode_t mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int
start(struct desk *desk, const char *before)
{
	char words[PATH_MAX];

	snprintf(words, sizeof(words), "%s -t %s", before, path);
	return desk_start(desk, words);
}

static void
options(void **state)
{
	static const struct {
		const char *words;
		int listen_count;
		const char *endpoint; /* NULL: none of its own */
		const char *info;
	} cases[] = {
	    {"", 0, "tcp:127.0.0.1:10000",
		"10000/tcp # lists all services in the daemon"},
	    {"", 1, NULL, "# lists all services in the daemon"},
	    {"-p 3911", 1, "tcp:127.0.0.1:3911",
		"3911/tcp # lists all services in the daemon"},
	    /* ACE's own line: -d and -s change nothing */
	    {"-d -p 3911 -s 1", 0, "tcp:127.0.0.1:3911",
		"3911/tcp # lists all services in the daemon"},
	};
	struct desk desk;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_host_init(&desk.host);
		desk.host.listen_count = cases[i].listen_count;
		assert_int_equal(fake_service_start(&desk.service, &desk.host,
				     make_manager(), "M", cases[i].words),
		    0);
		assert_int_equal(
		    desk.host.endpoint_count, cases[i].endpoint ? 1 : 0);
		if (cases[i].endpoint)
			assert_string_equal(
			    desk.host.endpoints[0], cases[i].endpoint);
		assert_string_equal(
		    fake_service_info(&desk.service), cases[i].info);
		desk_stop(&desk);
	}
}

static void
mistakes(void **state)
{
	static const struct {
		const char *words;
		const char *failure;
	} cases[] = {
	    {"-x", "unknown option -x"},
	    {"list", "unexpected argument 'list'"},
	    {"-i x", "'x' is not a number from 0 to 604800"},
	    {"-i 604801", "'604801' is not a number from 0 to 604800"},
	    {"-t /x", "-t is for -c, which is missing"},
	    {"-c -t x", "the token file 'x' is not an absolute path"},
	    {"-c -t /nowhere/at/all",
		"token file /nowhere/at/all: No such file or directory"},
	    {"-c -t /", "token file /: not a regular file"},
	    {"-c -t /dev/null", "token file /dev/null: not a regular file"},
	    {"-l -c", "-l is ACE's protocol, which has no place for -c"},
	    {"-l -t /x", "-t is for -c, which is missing"},
	};
	struct desk desk;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(desk_start(&desk, cases[i].words) < 0);
		assert_string_equal(desk.host.fail_text.data, cases[i].failure);
		assert_int_equal(desk.host.endpoint_count, 0);
		fake_host_fini(&desk.host);
	}
}

static void
token_files(void **state)
{
	char line[300];
	struct desk desk;
	char failure[512];
	size_t i;

	const struct {
		const char *text;
		mode_t mode;
		const char *reason; /* NULL: good */
	} cases[] = {
	    {TOKEN, 0600, NULL},
	    {TOKEN "\n", 0400, NULL},
	    {TOKEN " \r\nmore\n", 0600, NULL},
	    {line + 300 - 1 - 256, 0600, NULL},
	    {TOKEN, 0640, "group or others may use it: chmod 600"},
	    {TOKEN, 0604, "group or others may use it: chmod 600"},
	    {TOKEN, 0620, "group or others may use it: chmod 600"},
	    {"", 0600, "its first line is empty"},
	    {" \n" TOKEN, 0600, "its first line is empty"},
	    {line + 300 - 1 - 257, 0600, "its first line is too long"},
	};

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_token(cases[i].text, cases[i].mode);
		if (cases[i].reason == NULL) {
			assert_int_equal(start(&desk, "-c"), 0);
			assert_string_equal(desk.host.log.data, "");
			desk_stop(&desk);
			continue;
		}
		assert_int_equal(start(&desk, "-c"), -EPERM);
		snprintf(failure, sizeof(failure), "token file %s: %s", path,
		    cases[i].reason);
		assert_string_equal(desk.host.fail_text.data, failure);
		fake_host_fini(&desk.host);
	}
	write_token("short", 0600);
	assert_int_equal(start(&desk, "-c"), 0);
	assert_non_null(
	    strstr(desk.host.log.data, "is shorter than 16 characters"));
	desk_stop(&desk);
}

static void
log_in(void **state)
{
	struct desk desk;

	(void)state;
	write_token(TOKEN "\n", 0600);
	assert_int_equal(start(&desk, "-c"), 0);
	assert_string_equal(fake_service_info(&desk.service),
	    "10000/tcp # lists and steers all services in the daemon");
	desk_connect(&desk);
	desk_say(&desk, "remove A\nLogin  " TOKEN " \r\nremove A\n");
	assert_string_equal(desk.client.output.data,
	    "ran: remove A\nOK\nOK\nran: remove A control\nOK\n");
	/* json and quit go with it; the flags are independent */
	fake_session_clear(&desk.client);
	desk_say(&desk, "json on\nremove B\n");
	assert_string_equal(desk.client.output.data,
	    "{\"ok\":true,\"result\":null}\n"
	    "{\"ok\":true,\"result\":\"ran: remove B control\"}\n");
	desk_disconnect(&desk);

	/* The next session knows nothing of it. */
	desk_connect(&desk);
	desk_say(&desk, "remove A\n");
	assert_string_equal(desk.client.output.data, "ran: remove A\nOK\n");
	desk_disconnect(&desk);
	desk_stop(&desk);
}

/* Over a Unix socket the kernel says who it is: the host's user and root need
 * not log in, others may. */
static void
owners(void **state)
{
	static const struct {
		const char *words;
		bool is_unix;
		int64_t uid; /* -1: the host's own */
		const char *reply;
	} cases[] = {
	    {"-c", true, -1, "ran: remove A control\nOK\n"},
	    {"-c", true, 0, "ran: remove A control\nOK\n"},
	    {"-c", true, 4711, "ran: remove A\nOK\n"},
	    {"-c", false, 0, "ran: remove A\nOK\n"},
	    {"", true, -1, "ran: remove A\nOK\n"},
	    {"", true, 0, "ran: remove A\nOK\n"},
	};
	struct desk desk;
	char who[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(desk_start(&desk, cases[i].words), 0);
		desk.host.peers_are_unix = cases[i].is_unix;
		desk.host.peer_uid = cases[i].uid < 0 ? geteuid()
						      : (uid_t)cases[i].uid;
		desk_connect(&desk);
		desk_say(&desk, "remove A\n");
		assert_string_equal(desk.client.output.data, cases[i].reply);
		snprintf(
		    who, sizeof(who), "user %u", (unsigned)desk.host.peer_uid);
		assert_non_null(strstr(desk.host.log.data,
		    cases[i].is_unix ? who : "127.0.0.1:40000"));
		desk_disconnect(&desk);
		desk_stop(&desk);
	}
	assert_int_equal(desk_start(&desk, "-c"), 0);
	desk_connect(&desk);
	desk_say(&desk, "login \n");
	assert_string_equal(desk.client.output.data,
	    "ERR nobody can log in here: see -t in berth-manager(8)\n");
	desk_disconnect(&desk);
	desk_stop(&desk);
}

static void
wrong_tokens(void **state)
{
	static const char *const guesses[] = {"login\n",
	    "login correct horse batterz\n", "login correct horse batter\n",
	    "login correct horse battery!\n", "login orrect horse battery\n",
	    "login CORRECT horse battery\n"};
	struct desk desk;
	size_t i;

	(void)state;
	write_token(TOKEN, 0600);
	assert_int_equal(start(&desk, "-c"), 0);
	for (i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
		desk_connect(&desk);
		desk_say(&desk, guesses[i]);
		assert_string_equal(
		    desk.client.output.data, "ERR wrong token\n");
		desk_say(&desk, "remove A\n");
		assert_string_equal(desk.client.output.data,
		    "ERR wrong token\nran: remove A\nOK\n");
		desk_disconnect(&desk);
	}
	/* The third guess of a session is its last. */
	desk_connect(&desk);
	desk_say(&desk, "login 1\nlogin 2\nlogin 3\nlogin " TOKEN "\nlist\n");
	assert_string_equal(desk.client.output.data,
	    "ERR wrong token\nERR wrong token\n"
	    "ERR wrong token, once too often\n");
	assert_true(desk.client.closing);
	desk_disconnect(&desk);
	desk_stop(&desk);
}

/* The file is read at each log-in: a new token counts at once, and a file that
 * has become readable for others opens nothing. */
static void
new_token(void **state)
{
	struct desk desk;

	(void)state;
	write_token(TOKEN, 0600);
	assert_int_equal(start(&desk, "-c"), 0);
	desk_connect(&desk);
	write_token("another one, as good", 0600);
	desk_say(&desk, "login " TOKEN "\nlogin another one, as good\n");
	assert_string_equal(desk.client.output.data, "ERR wrong token\nOK\n");
	desk_disconnect(&desk);
	desk_connect(&desk);
	write_token(TOKEN, 0644);
	desk_say(&desk, "login " TOKEN "\n");
	assert_string_equal(desk.client.output.data, "ERR wrong token\n");
	assert_non_null(strstr(desk.host.log.data, "error M: cannot read the"));
	desk_disconnect(&desk);
	desk_stop(&desk);
}

static void
audit(void **state)
{
	struct desk desk;

	(void)state;
	write_token(TOKEN, 0600);
	assert_int_equal(start(&desk, "-c"), 0);
	desk_connect(&desk);
	desk_say(&desk, "list\nshow A\nHelp\nremove A\nremove B\n");
	assert_string_equal(desk.host.log.data,
	    "notice M: 127.0.0.1:40000 (read-only): remove A\n");
	desk_say(&desk, "login wrong\nlogin " TOKEN "\nlist\n"
			"remove A\nREMOVE B\nlistless\n");
	assert_string_equal(desk.host.log.data,
	    "notice M: 127.0.0.1:40000 (read-only): remove A\n"
	    "warning M: 127.0.0.1:40000 failed to log in: wrong token\n"
	    "notice M: 127.0.0.1:40000 logged in\n"
	    "notice M: 127.0.0.1:40000: remove A\n"
	    "notice M: 127.0.0.1:40000: remove B\n"
	    "notice M: 127.0.0.1:40000: listless\n");
	desk_disconnect(&desk);
	desk_stop(&desk);
}

/* ACE's protocol: only its own two words do anything. */
static void
legacy_rights(void **state)
{
	static const struct {
		const char *line;
		const char *command;
		unsigned flags;
	} cases[] = {
	    {"help\n", "report", 0},
	    {"reconfigure\n", "reconfigure", BERTH_COMMAND_CONTROL},
	    {"reconfigure now\n", "reconfigure now", 0},
	    {"dynamic X Service_Object * x:y()\n",
		"dynamic X Service_Object * x:y()", 0},
	};
	struct desk desk;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(desk_start(&desk, "-l"), 0);
		desk_connect(&desk);
		desk_say(&desk, cases[i].line);
		assert_int_equal(desk.host.command_count, 1);
		assert_string_equal(
		    desk.host.commands[0]->line, cases[i].command);
		assert_int_equal(desk.host.commands[0]->flags, cases[i].flags);
		desk_disconnect(&desk);
		desk_stop(&desk);
	}
}

static int
group_setup(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/token", directory);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(token_files),
	    cmocka_unit_test(log_in),
	    cmocka_unit_test(owners),
	    cmocka_unit_test(wrong_tokens),
	    cmocka_unit_test(new_token),
	    cmocka_unit_test(audit),
	    cmocka_unit_test(legacy_rights),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
