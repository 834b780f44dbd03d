/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See host_fixture.h.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <berth/berth.h>

#include "unit/host_fixture.h"

struct text fixture_calls;
_Atomic bool fixture_let_go;

/* --- the probe --- */

struct probe {
	struct berth_handler timer;
	int asked; /* ready */
	int argc;
	char **argv;
};

static bool
has_word(const struct probe *probe, const char *word)
{
	for (int i = 1; i < probe->argc; i++)
		if (strcmp(probe->argv[i], word) == 0)
			return true;
	return false;
}

static void
note(const char *call, struct berth_service *service)
{
	text_printf(&fixture_calls, "%s %s", call, service->name);
}

static int
probe_timeout(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct berth_service *service = token;
	char line[128];

	(void)handler;
	(void)now_ns;
	note("timeout", service);
	text_add(&fixture_calls, "\n", 1);
	snprintf(line, sizeof(line), "remove %s", service->name);
	assert_int_equal(berth_command(service, line, BERTH_COMMAND_CONTROL,
			     NULL, NULL, NULL),
	    0);
	return 0;
}

static const struct berth_handler_type timer_type = {
    .timeout = probe_timeout,
};

static void
obedient(struct berth_thread *thread, void *arg)
{
	struct berth_service *service = arg;
	struct pollfd stop = {
	    .fd = berth_thread_stop_fd(service, thread),
	    .events = POLLIN,
	};

	while (poll(&stop, 1, -1) < 0 && errno == EINTR)
		continue;
}

static void
stubborn(struct berth_thread *thread, void *arg)
{
	(void)thread;
	(void)arg;
	while (!atomic_load(&fixture_let_go))
		usleep(1000);
}

static void
replied(void *arg, int status, struct berth_bytes text)
{
	struct berth_service *service = arg;

	note("reply", service);
	text_printf(&fixture_calls, " %d %.*s", status, (int)text.size,
	    (const char *)text.data);
}

static int
begin(struct berth_service *service, struct probe *probe)
{
	int result = 0;

	probe->timer.type = &timer_type;
	if (has_word(probe, "timer"))
		result = berth_schedule(
		    service, &probe->timer, service, MONO_MS(3600000), 0, NULL);
	if (has_word(probe, "self"))
		result = berth_schedule(
		    service, &probe->timer, service, 1, 0, NULL);
	if (result == 0 && has_word(probe, "thread"))
		result = berth_thread_start(
		    service, "obedient", obedient, service);
	if (result == 0 && has_word(probe, "stubborn"))
		result = berth_thread_start(
		    service, "stubborn", stubborn, service);
	for (int i = 1; i < probe->argc && result == 0; i++)
		if (strncmp(probe->argv[i], "command=", 8) == 0)
			result = berth_command(service, probe->argv[i] + 8,
			    BERTH_COMMAND_CONTROL, replied, service, NULL);
	return result;
}

static int
probe_init(struct berth_service *service, int argc, char **argv)
{
	struct probe *probe = service->state;

	assert_string_equal(argv[0], service->name);
	assert_null(argv[argc]);
	probe->argc = argc;
	probe->argv = argv;
	note("init", service);
	for (int i = 1; i < argc; i++)
		text_printf(&fixture_calls, " %s", argv[i]);
	text_add(&fixture_calls, "\n", 1);
	if (has_word(probe, "fail"))
		return berth_fail(service, ENODEV, "no %s today", "luck");
	if (has_word(probe, "silent"))
		return -ENODEV;
	if (has_word(probe, "positive"))
		return 1;
	return begin(service, probe);
}

static void
probe_fini(struct berth_service *service)
{
	note("fini", service);
	text_add(&fixture_calls, "\n", 1);
}

static void
probe_suspend(struct berth_service *service)
{
	note("suspend", service);
	text_add(&fixture_calls, "\n", 1);
}

static int
probe_resume(struct berth_service *service)
{
	struct probe *probe = service->state;

	note("resume", service);
	text_add(&fixture_calls, "\n", 1);
	if (has_word(probe, "rfail"))
		return berth_fail(service, EBUSY, "still tired");
	return 0;
}

static int
probe_save(struct berth_service *service, struct berth_text *text)
{
	note("save", service);
	text_add(&fixture_calls, "\n", 1);
	return berth_text_printf(text, "kept by %s", service->name);
}

static int
probe_restore(
    struct berth_service *service, uint32_t version, struct berth_bytes state)
{
	const struct probe *probe = service->state;

	note("restore", service);
	text_printf(&fixture_calls, " %u %.*s\n", version, (int)state.size,
	    (const char *)state.data);
	if (has_word(probe, "forgetful"))
		return berth_fail(service, EPROTO, "can't read that");
	return 0;
}

static int
probe_ready(struct berth_service *service)
{
	struct probe *probe = service->state;

	probe->asked++;
	if (has_word(probe, "unready"))
		return berth_fail(service, EIO, "no database");
	if (has_word(probe, "never"))
		return 1;
	return has_word(probe, "later") && probe->asked < 3 ? 1 : 0;
}

static void
probe_info(struct berth_service *service, struct berth_text *text)
{
	berth_text_printf(text, "info of %s", service->name);
}

static int
probe_open(struct berth_session *session)
{
	const struct probe *probe = session->service->state;
	const char *first = probe->argc > 1 ? probe->argv[1] : "";

	return berth_printf(
		   session, "I am %s %s\n", session->service->name, first) < 0
		   ? -EPIPE
		   : 0;
}

static int
probe_input(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

#define PROBE_TYPE(symbol_, flags_, save_, restore_)                           \
	{                                                                      \
		.header = BERTH_TYPE_HEADER(                                   \
		    BERTH_KIND_SERVICE, struct berth_service_type, symbol_),   \
		.summary = "writes down its calls", .flags = (flags_),         \
		.state_size = sizeof(struct probe), .init = probe_init,        \
		.fini = probe_fini, .suspend = probe_suspend,                  \
		.resume = probe_resume, .info = probe_info,                    \
		.state_version = 7, .save = (save_), .restore = (restore_),    \
		.ready = probe_ready,                                          \
		.session = {.open = probe_open, .input = probe_input},         \
	}

static const struct berth_service_type *
make_probe(void)
{
	static const struct berth_service_type type = PROBE_TYPE(
	    make_probe, 0, NULL, NULL);

	return &type;
}

static const struct berth_service_type *
make_keeper(void)
{
	static const struct berth_service_type type = PROBE_TYPE(
	    make_keeper, 0, probe_save, probe_restore);

	return &type;
}

static const struct berth_service_type *
make_lonely(void)
{
	static const struct berth_service_type type = PROBE_TYPE(
	    make_lonely, BERTH_EXCLUSIVE, probe_save, probe_restore);

	return &type;
}

static const struct berth_static_service statics[] = {
    {"probe", make_probe, "second_name"},
    {"keeper", make_keeper, NULL},
    {"lonely", make_lonely, NULL},
    {NULL, NULL, NULL},
};

/* --- the host --- */

static void
log_write(
    struct log *log, int level, const char *who, const char *line, size_t size)
{
	struct fixture *fixture = log->context;

	text_printf(&fixture->logged, "%s %s: %.*s\n", log_level_name(level),
	    who == NULL ? "host" : who, (int)size, line);
}

void
fixture_write(struct fixture *fixture, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void
fixture_init(struct fixture *fixture, const char *svc_conf)
{
	struct config_input input = {.kind = CONFIG_FILE};
	struct host_options options = {
	    .inputs = &input,
	    .input_count = 1,
	    .statics = statics,
	    .control = make_probe,
	    .log = &fixture->log,
	};

	memset(fixture, 0, sizeof(*fixture));
	text_init(&fixture_calls);
	text_init(&fixture->logged);
	text_init(&fixture->reply);
	atomic_store(&fixture_let_go, false);
	fixture->log.write = log_write;
	fixture->log.level = BERTH_DEBUG;
	fixture->log.context = fixture;
	options.keep_log_level = true;
	strcpy(fixture->folder, "/tmp/berth-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->file, sizeof(fixture->file), "%s/svc.conf",
	    fixture->folder);
	fixture_write(fixture, "svc.conf", svc_conf);
	input.text = fixture->file;
	fixture->errors = errors_new(20);
	assert_non_null(fixture->errors);
	assert_int_equal(host_new(&options, &fixture->host), 0);
}

void
fixture_fini(struct fixture *fixture)
{
	char command[128];

	atomic_store(&fixture_let_go, true);
	fixture->host = host_free(fixture->host);
	fixture->errors = errors_free(fixture->errors);
	text_fini(&fixture->logged);
	text_fini(&fixture->reply);
	text_fini(&fixture_calls);
	snprintf(command, sizeof(command), "rm -rf %s", fixture->folder);
	assert_int_equal(system(command), 0);
}

int
fixture_start(struct fixture *fixture)
{
	return host_start(fixture->host, fixture->errors);
}

void
fixture_settle(struct fixture *fixture)
{
	struct reactor *reactor = host_owner(fixture->host)->reactor;
	int idle = 0;

	/* What one turn defers, the next may defer again: the end of the
	 * sessions, then the end of the instance. */
	while (idle < 3)
		idle = reactor_turn(reactor, 0) > 0 ? 0 : idle + 1;
}

void
fixture_until(
    struct fixture *fixture, bool (*condition)(struct fixture *fixture))
{
	struct reactor *reactor = host_owner(fixture->host)->reactor;
	uint64_t end_ns = mono_now().ns + MONO_MS(60000);

	while (!condition(fixture)) {
		assert_true(mono_now().ns < end_ns);
		assert_true(reactor_turn(reactor, MONO_MS(10)) >= 0);
	}
}

enum command_status
fixture_command(struct fixture *fixture, const char *line)
{
	enum command_status status;

	text_reset(&fixture->reply);
	status = host_command(
	    fixture->host, line, COMMAND_CONTROL, &fixture->reply);
	if (status != COMMAND_OK)
		print_message("%s\n%s", line, text_string(&fixture->reply));
	fixture_settle(fixture);
	return status;
}

bool
fixture_has_call(const char *call)
{
	return strstr(text_string(&fixture_calls), call) != NULL;
}

void
fixture_expect_calls(const char *expected)
{
	assert_string_equal(text_string(&fixture_calls), expected);
	text_reset(&fixture_calls);
}

void
fixture_expect_states(struct fixture *fixture, const char *expected)
{
	struct text list, states;
	char name[64], state[32];
	const char *line;

	text_init(&list);
	text_init(&states);
	assert_int_equal(host_command(fixture->host, "list", 0, &list), 0);
	for (line = text_string(&list); *line != '\0';
	     line = strchr(line, '\n') + 1) {
		assert_int_equal(sscanf(line, "%63s %31s", name, state), 2);
		text_printf(&states, "%s %s\n", name, state);
	}
	assert_string_equal(text_string(&states), expected);
	text_fini(&list);
	text_fini(&states);
}
