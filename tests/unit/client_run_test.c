/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * berthctl from its arguments to its exit status, against a host that knows
 * the conversation by heart: what is sent, what is said, which status.
 */
#include "unit/unit.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/client.h"
#include "unit/client_script.h"

#define MOST_WORDS 8
#define MOST_LINES 12

#define JSON_ON "> json on", "< {\"ok\":true,\"result\":null}"
#define NAMED "the name stands here" /* ADDRESS in an expected text */

struct run_case {
	const char *words[MOST_WORDS];
	const char *lines[MOST_LINES];
	enum client_status status;
	const char *out;
	const char *err; /* % stands for the address */
};

static const struct run_case cases[] = {
    /* done */
    {{"shutdown"},
	{JSON_ON, "> shutdown", "< {\"ok\":true,\"result\":\"shutting down\"}"},
	CLIENT_GOOD, "shutting down\n", ""},
    {{"stats"},
	{JSON_ON, "> stats", "<<{\"ok\":true,",
	    "<<\"result\":{\"a\":", "< 1}}"},
	CLIENT_GOOD, "a  1\n", ""},
    {{"reload"}, {JSON_ON, "> reload", "< {\"ok\":true,\"result\":null}"},
	CLIENT_GOOD, "", ""},
    /* both replies in one packet */
    {{"list"},
	{"> json on",
	    "<<{\"ok\":true,\"result\":null}\n{\"ok\":true,\"result\":[\"x\"]",
	    "> list", "< }"},
	CLIENT_GOOD, "x\n", ""},
    /* words */
    {{"suspend", "all", "for", "30s"},
	{JSON_ON, "> suspend all for 30s", "< {\"ok\":true}"}, CLIENT_GOOD, "",
	""},
    {{"dynamic", "Echo", "Service_Object *", "echo:make_echo", "\"-x\""},
	{JSON_ON, "> dynamic Echo Service_Object * echo:make_echo \"-x\"",
	    "< {\"ok\":true}"},
	CLIENT_GOOD, "", ""},
    {{"static", "echo", "--json", "{ listen = tcp:*:7; drain = 1s }"},
	{JSON_ON, "> static echo --json { listen = tcp:*:7; drain = 1s }",
	    "< {\"ok\":true}"},
	CLIENT_GOOD, "", ""},
    /* JSON */
    {{"list", "--json"},
	{JSON_ON, "> list",
	    "< {\"ok\": true, \"result\": [ {\"b\": 1, \"a\": \"ü\"} ] }"},
	CLIENT_GOOD, "[{\"b\":1,\"a\":\"ü\"}]\n", ""},
    {{"-j", "version"},
	{JSON_ON, "> version", "< {\"ok\":true,\"result\":\"berthd 1\"}"},
	CLIENT_GOOD, "\"berthd 1\"\n", ""},
    {{"-j", "remove", "x"}, {JSON_ON, "> remove x", "< {\"ok\":true}"},
	CLIENT_GOOD, "null\n", ""},
    {{"-j", "show", "x"},
	{JSON_ON, "> show x", "< {\"ok\":false,\"error\":\"no x\"}"},
	CLIENT_REFUSED, "\"no x\"\n", "berthctl: no x\n"},
    {{"-j", "plan"},
	{JSON_ON, "> plan",
	    "< {\"ok\":false,\"error\":{\"changes\":[],\"errors\":"
	    "[{\"text\":\"bad\"}]}}"},
	CLIENT_REFUSED, "{\"changes\":[],\"errors\":[{\"text\":\"bad\"}]}\n",
	"error: bad\n! nothing changed: 1 error\n"},
    /* refused */
    {{"show", "x"},
	{JSON_ON, "> show x", "< {\"ok\":false,\"error\":\"no \\u001b x\"}"},
	CLIENT_REFUSED, "", "berthctl: no \\x1b x\n"},
    {{"check"},
	{JSON_ON, "> check",
	    "< {\"ok\":false,\"error\":{\"changes\":[],\"errors\":"
	    "[{\"text\":\"bad\"}]}}"},
	CLIENT_REFUSED, "", "error: bad\n"},
    {{"stats"}, {JSON_ON, "> stats", "< {\"ok\":false,\"error\":null}"},
	CLIENT_REFUSED, "", "berthctl: the host refused it\n"},
    {{"stats"}, {JSON_ON, "> stats", "< {\"ok\":false}"}, CLIENT_REFUSED, "",
	"berthctl: the host refused it\n"},
    {{"list"}, {"> json on", "< {\"ok\":false,\"error\":\"go away\"}"},
	CLIENT_REFUSED, "", "berthctl: go away\n"},
    {{"list"}, {"> json on", "< ERR too many sessions"}, CLIENT_REFUSED, "",
	"berthctl: too many sessions\n"},
    /* commands that are not ours */
    {{"frob", "-j", "x"},
	{JSON_ON, "> help", "< {\"ok\":true,\"result\":[{\"name\":\"frob\"}]}",
	    "> frob -j x", "< {\"ok\":true,\"result\":\"frobbed\"}"},
	CLIENT_GOOD, "frobbed\n", ""},
    {{"frbo"},
	{JSON_ON, "> help",
	    "< {\"ok\":true,\"result\":[{\"name\":\"frob\"},7,{}]}"},
	CLIENT_USAGE, "",
	"berthctl: no command 'frbo'; did you mean 'frob'?\n"},
    {{"lits"}, {JSON_ON, "> help", "< {\"ok\":true,\"result\":[]}"},
	CLIENT_USAGE, "",
	"berthctl: no command 'lits'; did you mean 'list'?\n"},
    {{"xyzzy"}, {JSON_ON, "> help", "< {\"ok\":false,\"error\":\"no\"}"},
	CLIENT_USAGE, "", "berthctl: no command 'xyzzy'; try --help\n"},
    /* no host, or one that fails us */
    {{"list"}, {"> json on"}, CLIENT_FAILED, "",
	"berthctl: % hung up without an answer\n"},
    {{"list"}, {JSON_ON, "> list", "<<{\"ok\":true,\"result\":[]}"},
	CLIENT_FAILED, "", "berthctl: % hung up without an answer\n"},
    {{"list"}, {"> json on", "< HTTP/1.1 400 Bad Request"}, CLIENT_FAILED, "",
	"berthctl: what answers at % is no host of Berth's, or an older one\n"},
    {{"list"}, {JSON_ON, "> list", "< [1]"}, CLIENT_FAILED, "",
	"berthctl: what answers at % is no host of Berth's, or an older one\n"},
    {{"list"}, {JSON_ON, "> list", "< {\"ok\":1}"}, CLIENT_FAILED, "",
	"berthctl: what answers at % is no host of Berth's, or an older one\n"},
    {{"list"}, {JSON_ON, "> list", "! 100000", "< "}, CLIENT_FAILED, "",
	"berthctl: what answers at % is no host of Berth's, or an older one\n"},
    {{"--timeout", "2.5", "list"}, {JSON_ON, "> list", "..."}, CLIENT_FAILED,
	"", "berthctl: no answer from % within 2.5 s\n"},
};

/* Runs the words, with -s ADDRESS before them unless it is NULL. */
static enum client_status
run(struct client *client, const char *address, const char *const *words)
{
	char *argv[MOST_WORDS + 4] = {strdup("berthctl")};
	enum client_status status;
	int argc = 1;

	client_init(client);
	if (address != NULL) {
		argv[argc++] = strdup("-s");
		argv[argc++] = strdup(address);
	}
	for (; *words != NULL; words++)
		argv[argc++] = strdup(*words);
	/* getopt may reorder what it is given. */
	char *copy[MOST_WORDS + 4];
	memcpy(copy, argv, sizeof(argv));
	status = client_run(client, argc, copy);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return status;
}

static void
expect(const struct text *text, const char *pattern, const char *address)
{
	const char *name = strchr(pattern, '%');
	AUTO_TEXT expected;

	text_init(&expected);
	if (name == NULL)
		text_printf(&expected, "%s", pattern);
	else
		text_printf(&expected, "%.*s%s%s", (int)(name - pattern),
		    pattern, address, name + 1);
	assert_string_equal(text_string(text), text_string(&expected));
}

static void
run_case(const struct run_case *one, bool tcp)
{
	struct script script = {one->lines, tcp};
	struct script_host *host = script_start(&script);
	char address[128];
	struct client client;
	enum client_status status;
	const char *wrong;

	strcpy(address, script_address(host));
	status = run(&client, address, one->words);
	wrong = script_stop(host);
	if (wrong != NULL)
		fail_msg("%s: %s", one->words[0], wrong);
	expect(&client.err, one->err, address);
	expect(&client.out, one->out, address);
	assert_int_equal(status, one->status);
	client_fini(&client);
}

static void
test_conversations(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++)
		run_case(&cases[i], false);
}

static void
test_tcp(void **state)
{
	static const struct run_case refused = {{"reload"},
	    {JSON_ON, "> reload", "< {\"ok\":false,\"error\":\"not here\"}"},
	    CLIENT_REFUSED, "",
	    "berthctl: not here\n"
	    "berthctl: to change something over TCP, log in: --token FILE\n"};
	static const struct run_case looked = {{"show", "x"},
	    {JSON_ON, "> show x", "< {\"ok\":false,\"error\":\"no x\"}"},
	    CLIENT_REFUSED, "", "berthctl: no x\n"};

	(void)state;
	run_case(&cases[0], true);
	run_case(&refused, true);
	run_case(&looked, true);
}

/* --- tokens --- */

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void
test_token(void **state)
{
	static const char *const files[] = {
	    "s3cret", "s3cret\n", "s3cret \t\r\nsecond line\n"};
	char path[] = "/tmp/berth-token-XXXXXX";
	const struct run_case accepted = {{"--token", path, "reload"},
	    {JSON_ON, "> login s3cret", "< {\"ok\":true,\"result\":null}",
		"> reload", "< {\"ok\":true,\"result\":null}"},
	    CLIENT_GOOD, "", ""};
	const struct run_case wrong = {{"--token", path, "reload"},
	    {JSON_ON, "> login s3cret",
		"< {\"ok\":false,\"error\":\"wrong token\"}"},
	    CLIENT_REFUSED, "", "berthctl: log-in refused: wrong token\n"};

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < BASE_COUNT(files); i++) {
		write_file(path, files[i]);
		run_case(&accepted, true);
	}
	run_case(&wrong, true);
	unlink(path);
}

static void
test_no_token(void **state)
{
	char path[] = "/tmp/berth-token-XXXXXX", err[256];
	const char *const words[] = {"--token", path, "list", NULL};
	const char *const lines[] = {JSON_ON, "...", NULL};
	const struct script script = {lines, false};
	char long_line[400];
	const struct {
		const char *text; /* NULL: no such file */
		const char *reason;
	} mistakes[] = {
	    {"\nx\n", "its first line is empty"},
	    {"", "its first line is empty"},
	    {long_line, "its first line is too long"},
	    {NULL, "No such file or directory"},
	};

	(void)state;
	memset(long_line, 'x', sizeof(long_line));
	long_line[sizeof(long_line) - 1] = '\0';
	close(mkstemp(path));
	for (size_t i = 0; i < BASE_COUNT(mistakes); i++) {
		struct script_host *host = script_start(&script);
		struct client client;

		if (mistakes[i].text != NULL)
			write_file(path, mistakes[i].text);
		else
			unlink(path);
		assert_int_equal(
		    run(&client, script_address(host), words), CLIENT_USAGE);
		snprintf(err, sizeof(err), "berthctl: token file %s: %s\n",
		    path, mistakes[i].reason);
		assert_string_equal(text_string(&client.err), err);
		client_fini(&client);
		assert_null(script_stop(host));
	}
}

/* --- hosts that are not there --- */

static void
test_unreachable(void **state)
{
	static const struct {
		const char *address;
		const char *reason;
	} none[] = {
	    {"/tmp/berth-no-such-folder/control", "No such file or directory"},
	    {"unix:/tmp/berth-no-such-folder/control",
		"No such file or directory"},
	    {"@berth-nobody-has-this-name", "Connection refused"},
	    {"/dev/null", "Connection refused"},
	};
	const char *const words[] = {"list", NULL};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(none); i++) {
		struct client client;
		char start[256];

		assert_int_equal(
		    run(&client, none[i].address, words), CLIENT_FAILED);
		snprintf(start, sizeof(start),
		    "berthctl: cannot reach the host at %s: %s\nberthctl: ",
		    none[i].address, none[i].reason);
		assert_int_equal(
		    strncmp(text_string(&client.err), start, strlen(start)), 0);
		assert_string_equal(text_string(&client.out), "");
		client_fini(&client);
	}
}

static void
test_nobody_at_port(void **state)
{
	const char *const lines[] = {NULL}, *const words[] = {"list", NULL};
	const struct script script = {lines, true};
	struct script_host *host = script_start(&script);
	struct client client;
	char address[128];

	(void)state;
	strcpy(address, script_address(host));
	assert_string_equal(script_stop(host), "nobody came");
	assert_int_equal(run(&client, address, words), CLIENT_FAILED);
	assert_non_null(
	    strstr(text_string(&client.err), "Connection refused\n"));
	client_fini(&client);
}

/* A host that is so busy that it accepts nobody. */
static void
test_full_backlog(void **state)
{
	const char *const words[] = {"--timeout", "0.05", "list", NULL};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	AUTO_FD listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	AUTO_FD other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char folder[] = "/tmp/berth-XXXXXX";
	struct client client;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s/control", folder);
	assert_int_equal(
	    bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(
	    connect(other, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(run(&client, address.sun_path, words), CLIENT_FAILED);
	assert_non_null(
	    strstr(text_string(&client.err), "Connection timed out"));
	client_fini(&client);
	unlink(address.sun_path);
	rmdir(folder);
}

static void
test_environment(void **state)
{
	const char *const words[] = {"shutdown", NULL};
	struct script script = {cases[0].lines, false};
	struct script_host *host = script_start(&script);
	struct client client;

	(void)state;
	setenv("BERTH_CONTROL", script_address(host), 1);
	assert_int_equal(run(&client, NULL, words), CLIENT_GOOD);
	client_fini(&client);
	assert_null(script_stop(host));
	unsetenv("BERTH_CONTROL");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_conversations),
	    cmocka_unit_test(test_tcp),
	    cmocka_unit_test(test_token),
	    cmocka_unit_test(test_no_token),
	    cmocka_unit_test(test_unreachable),
	    cmocka_unit_test(test_nobody_at_port),
	    cmocka_unit_test(test_full_backlog),
	    cmocka_unit_test(test_environment),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
