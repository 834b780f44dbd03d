/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of berthd around a fake host: what is called in which order, and
 * which exit status and message each failure gives.
 */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "main/program.h"
#include "services/services.h"

#define PID_FILE "main_program_test.pid"

/* What the fake host answers, and what it was asked. */
static struct script {
	const char *const words[8];
	int make, adopt, start, check, run;
	const char *pid_file; /* of the file's host block */
	bool held;	      /* the pid file, by somebody else */
	enum status status;
	const char *calls;
	const char *message; /* a part of what is printed; "": nothing is */
} script;

static FILE *calls;

struct host {
	struct host_options options;
	struct reactor *reactor;
	struct reactor_owner owner;
	struct host_settings settings;
};

const struct berth_static_service berth_static_services[] = {{.name = NULL}};

const struct berth_service_type *
make_manager(void)
{
	return NULL;
}

static void
called(const char *name)
{
	fprintf(calls, "%s ", name);
	fflush(calls);
}

int
host_new(const struct host_options *options, struct host **ret_host)
{
	struct host *host;

	called(options->statics == NULL ? "new-bare" : "new");
	if (script.make != 0)
		return script.make;
	host = calloc(1, sizeof(*host));
	if (host == NULL || reactor_new(NULL, &host->reactor) != 0 ||
	    reactor_owner_init(&host->owner, host->reactor, "host") != 0)
		abort();
	host->options = *options;
	host->settings.pid_file = script.pid_file;
	*ret_host = host;
	return 0;
}

struct host *
host_free(struct host *host)
{
	if (host == NULL)
		return NULL;
	called(access(PID_FILE, F_OK) == 0 ? "free-with-pid" : "free");
	reactor_owner_fini(&host->owner);
	reactor_free(host->reactor);
	free(host);
	return NULL;
}

const char *
host_busy_name(const struct host *host)
{
	(void)host;
	return NULL;
}

struct reactor_owner *
host_owner(struct host *host)
{
	return &host->owner;
}

int
host_adopt_socket(struct host *host, int fd)
{
	(void)host, (void)fd;
	called("adopt");
	return script.adopt;
}

static int
answer(int result, struct errors *errors)
{
	if (result == HOST_E_REFUSED)
		errors_add(errors, SEVERITY_ERROR, 0, NULL, "a mistake");
	return result;
}

int
host_check(struct host *host, struct errors *errors, struct text *print)
{
	(void)host;
	called("check");
	if (print != NULL)
		text_printf(print, "the tree\n");
	return answer(script.check, errors);
}

int
host_start(struct host *host, struct errors *errors)
{
	(void)host;
	called("start");
	return answer(script.start, errors);
}

const struct host_settings *
host_settings(const struct host *host)
{
	return &host->settings;
}

void
host_needs_root(const struct host *host, struct text *text)
{
	(void)host;
	text_printf(text, "ports below 1024");
}

int
host_run(struct host *host)
{
	called(access(PID_FILE, F_OK) == 0 ? "run-with-pid" : "run");
	host->options.event(
	    host->options.context, HOST_RELOADED, true, "f:1: x\ny");
	return script.run;
}

void
host_reopen_logs(struct host *host)
{
	(void)host;
}

void
host_reload(struct host *host)
{
	(void)host;
}

void
host_stop(struct host *host)
{
	(void)host;
}

/* --- the tests --- */

/* In a child: berthd without its main(). */
static _Noreturn void
be_berthd(int output)
{
	struct program program;
	char *argv[10];
	AUTO_TEXT message;
	enum status status = STATUS_FAILED;
	int argc = 0;

	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(99);
	argv[argc++] = strdup("berthd");
	for (size_t i = 0; script.words[i] != NULL; i++)
		argv[argc++] = strdup(script.words[i]);
	text_init(&message);
	if (program_init(&program) == 0 &&
	    options_parse(argc, argv, &program.options, &message) == 0)
		status = program.options.action == OPTIONS_CHECK
			     ? program_check(&program)
			     : program_run(&program);
	program_fini(&program);
	_exit((int)status);
}

static void
read_back(int fd, struct text *text)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, 1 << 16, text), 0);
}

static void
play(const struct script *next)
{
	AUTO_TEXT trace, output;
	struct pid_file other = {.fd = -1};
	int status, fd;
	FILE *file = tmpfile();
	pid_t pid, holder;

	text_init(&trace);
	text_init(&output);
	memcpy(&script, next, sizeof(script));
	calls = tmpfile();
	assert_true(calls != NULL && file != NULL);
	fd = fileno(file);
	if (script.held)
		assert_int_equal(pid_file_open(&other, PID_FILE, &holder), 0);
	pid = fork();
	if (pid == 0)
		be_berthd(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	read_back(fileno(calls), &trace);
	read_back(fd, &output);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != (int)next->status)
		fail_msg(
		    "status %x: %s", (unsigned)status, text_string(&output));
	assert_string_equal(text_string(&trace), next->calls);
	if (*next->message == '\0')
		assert_string_equal(text_string(&output), "");
	else if (strstr(text_string(&output), next->message) == NULL)
		fail_msg(
		    "'%s' lacks '%s'", text_string(&output), next->message);
	pid_file_close(&other);
	assert_int_not_equal(access(PID_FILE, F_OK), 0);
	fclose(calls);
	fclose(file);
}

static void
test_run(void **state)
{
	static const struct script scripts[] = {
	    {{NULL}, .calls = "new start run free ",
		.message = " is up, process "},
	    {{"-n"}, .calls = "new-bare start run free ",
		.message = " is up, process "},
	    {{"-p", PID_FILE}, .calls = "new start run-with-pid free-with-pid ",
		.message = " is up, process "},
	    {{NULL}, .pid_file = PID_FILE,
		.calls = "new start run-with-pid free-with-pid ",
		.message = " is up, process "},
	    {{"-p", PID_FILE}, .pid_file = "/nowhere/pid",
		.calls = "new start run-with-pid free-with-pid ",
		.message = " is up, process "},
	    {{NULL}, .make = -ENOMEM, .status = STATUS_FAILED, .calls = "new ",
		.message = "cannot make a host: Cannot allocate memory"},
	    {{NULL}, .start = HOST_E_REFUSED, .status = STATUS_REFUSED,
		.calls = "new start free ",
		.message = "not started: the configuration has 1 mistake\n"},
	    {{NULL}, .start = -EMFILE, .status = STATUS_FAILED,
		.calls = "new start free ",
		.message = "cannot start: Too many open files"},
	    {{NULL}, .run = -EIO, .status = STATUS_FAILED,
		.calls = "new start run free ",
		.message = "the event loop: Input/output error"},
	    {{"-p", "/nowhere/pid"}, .status = STATUS_REFUSED, .calls = "",
		.message = "pid file /nowhere/pid: No such file"},
	    {{"-p", "/dev/null"}, .status = STATUS_REFUSED, .calls = "",
		.message = "pid file /dev/null: not a regular file"},
	    {{"-p", PID_FILE}, .held = true, .status = STATUS_REFUSED,
		.calls = "", .message = "is running already"},
	    {{NULL}, .pid_file = PID_FILE, .held = true,
		.status = STATUS_REFUSED, .calls = "new start free-with-pid ",
		.message = "is running already"},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(scripts); i++)
		play(&scripts[i]);
}

static void
test_check(void **state)
{
	static const struct script scripts[] = {
	    {{"-t"}, .calls = "new check free ",
		.message = "the configuration is good\n"},
	    {{"-T"}, .calls = "new check free ", .message = "the tree\n"},
	    {{"-bt", "-p", PID_FILE}, .pid_file = PID_FILE,
		.calls = "new check free ",
		.message = "the configuration is good\n"},
	    {{"-t"}, .check = HOST_E_REFUSED, .status = STATUS_REFUSED,
		.calls = "new check free ", .message = "error: a mistake\n"},
	    {{"-T"}, .check = -ENOMEM, .status = STATUS_FAILED,
		.calls = "new check free ",
		.message = "cannot check the configuration: Cannot allocate"},
	    {{"-t"}, .make = -ENOMEM, .status = STATUS_FAILED, .calls = "new ",
		.message = "cannot check the configuration: Cannot allocate"},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(scripts); i++)
		play(&scripts[i]);
}

/* The supervisor's view; nothing but one status of a line. */
static void
test_notifications(void **state)
{
	static const struct script run = {{NULL},
	    .calls = "new start run free ", .message = " is up, process "};
	static const char *const expected[] = {
	    "READY=1\nSTATUS=ready",
	    "READY=1\nSTATUS=reload refused: f:1: x",
	};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char name[64], text[200];
	ssize_t size;

	(void)state;
	snprintf(name, sizeof(name), "@main_program_test_%ld", (long)getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			    strlen(name))),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	play(&run);
	unsetenv("NOTIFY_SOCKET");
	for (size_t i = 0; i < BASE_COUNT(expected); i++) {
		size = recv(fd, text, sizeof(text) - 1, 0);
		assert_true(size > 0);
		text[size] = '\0';
		assert_string_equal(text, expected[i]);
	}
	assert_int_equal(recv(fd, text, sizeof(text), 0), -1);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_run),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_notifications),
	};

	unsetenv("NOTIFY_SOCKET");
	unsetenv("LISTEN_FDS");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
