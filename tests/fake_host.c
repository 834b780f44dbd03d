/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake host's table: log, errors, endpoints, commands, and the services
 * that run on it.  Sessions, the reactor and threads have files of their own.
 */
#include "fake_host_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct fake_info {
	struct berth_text public;
	struct fake_buffer *buffer;
};

void
fake_check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: fake host: %s\n", file, line, what);
	abort();
}

void *
fake_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	FAKE_CHECK(p);
	return p;
}

void
fake_buffer_init(struct fake_buffer *buffer)
{
	buffer->data = (char *)fake_alloc(1);
	buffer->size = 0;
}

void
fake_buffer_fini(struct fake_buffer *buffer)
{
	free(buffer->data);
	buffer->data = NULL;
	buffer->size = 0;
}

void
fake_buffer_add(struct fake_buffer *buffer, const void *data, size_t size)
{
	buffer->data = realloc(buffer->data, buffer->size + size + 1);
	FAKE_CHECK(buffer->data);
	if (size)
		memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
	buffer->data[buffer->size] = '\0';
}

void
fake_buffer_vprintf(struct fake_buffer *buffer, const char *format, va_list ap)
{
	va_list again;
	char *text;
	int size;

	va_copy(again, ap);
	size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	FAKE_CHECK(size >= 0);
	text = fake_alloc((size_t)size + 1);
	vsnprintf(text, (size_t)size + 1, format, ap);
	fake_buffer_add(buffer, text, (size_t)size);
	free(text);
}

void
fake_buffer_cut(struct fake_buffer *buffer, size_t front)
{
	FAKE_CHECK(front <= buffer->size);
	buffer->size -= front;
	memmove(buffer->data, buffer->data + front, buffer->size + 1);
}

/* --- the table ------------------------------------------------------------ */

static const char *
level_name(int level)
{
	switch (level) {
	case BERTH_ERROR:
		return "error";
	case BERTH_WARNING:
		return "warning";
	case BERTH_NOTICE:
		return "notice";
	case BERTH_INFO:
		return "info";
	case BERTH_DEBUG:
		return "debug";
	}
	return "unknown level";
}

BERTH_PRINTF(3, 0)
static void
host_log(
    struct berth_service *service, int level, const char *format, va_list ap)
{
	struct fake_host *host = fake_host_of(service);
	const char *words[] = {level_name(level), " ", service->name, ": "};
	size_t i;

	pthread_mutex_lock(&host->lock);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		fake_buffer_add(&host->log, words[i], strlen(words[i]));
	fake_buffer_vprintf(&host->log, format, ap);
	fake_buffer_add(&host->log, "\n", 1);
	pthread_mutex_unlock(&host->lock);
}

BERTH_PRINTF(3, 0)
static int
host_fail(
    struct berth_service *service, int code, const char *format, va_list ap)
{
	struct fake_host *host = fake_host_of(service);

	host->fail_code = code;
	fake_buffer_cut(&host->fail_text, host->fail_text.size);
	fake_buffer_vprintf(&host->fail_text, format, ap);
	return -code;
}

static int
host_listen(struct berth_service *service, const char *endpoint)
{
	struct fake_host *host = fake_host_of(service);

	if (host->listen_result < 0)
		return host->listen_result;
	FAKE_CHECK(host->endpoint_count < FAKE_MAX);
	host->endpoints[host->endpoint_count++] = strdup(endpoint);
	return 0;
}

static int
host_endpoints(struct berth_service *service)
{
	struct fake_host *host = fake_host_of(service);

	return host->listen_count + (int)host->endpoint_count;
}

static int
host_command(struct berth_service *service, const char *line, unsigned flags,
    berth_reply_fn *reply, void *arg, struct berth_command **ret_command)
{
	struct fake_host *host = fake_host_of(service);
	struct fake_command *command;

	if (host->command_result < 0)
		return host->command_result;
	FAKE_CHECK(host->command_count < FAKE_MAX);
	command = fake_alloc(sizeof(*command));
	command->line = strdup(line);
	command->flags = flags;
	command->reply = reply;
	command->arg = arg;
	host->commands[host->command_count++] = command;
	if (ret_command)
		*ret_command = (struct berth_command *)(void *)command;
	return 0;
}

static void
host_command_cancel(
    struct berth_service *service, struct berth_command *command)
{
	struct fake_command *mine = (struct fake_command *)(void *)command;

	(void)service;
	FAKE_CHECK(!mine->answered && !mine->cancelled);
	mine->cancelled = true;
}

static void
host_shutdown(struct berth_service *service)
{
	fake_host_of(service)->shut_down = true;
}

static uint64_t
host_now(struct berth_service *service)
{
	return fake_host_of(service)->now_ns;
}

BERTH_PRINTF(2, 0)
static int
host_text(struct berth_text *text, const char *format, va_list ap)
{
	struct fake_info *info = (struct fake_info *)(void *)text;

	fake_buffer_vprintf(info->buffer, format, ap);
	return 0;
}

static int
host_text_add(struct berth_text *text, struct berth_bytes bytes)
{
	struct fake_info *info = (struct fake_info *)(void *)text;

	fake_buffer_add(info->buffer, bytes.data, bytes.size);
	return 0;
}

static const struct berth_host service_table = {
    .magic = BERTH_MAGIC,
    .abi_major = BERTH_ABI_MAJOR,
    .abi_minor = BERTH_ABI_MINOR,
    .size = sizeof(struct berth_host),
    .log = host_log,
    .fail = host_fail,
    .listen = host_listen,
    .endpoints = host_endpoints,
    .command = host_command,
    .command_cancel = host_command_cancel,
    .shutdown = host_shutdown,
    .now = host_now,
    .text = host_text,
    .text_add = host_text_add,
};

void
fake_host_init(struct fake_host *host)
{
	memset(host, 0, sizeof(*host));
	host->table = service_table;
	fake_reactor_table(&host->table);
	fake_session_table(&host->table);
	fake_thread_table(&host->table);
	host->now_ns = 1000000000u;
	fake_buffer_init(&host->log);
	fake_buffer_init(&host->fail_text);
	TAILQ_INIT(&host->registrations);
	pthread_mutex_init(&host->lock, NULL);
	host->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	FAKE_CHECK(host->wake_fd >= 0);
}

void
fake_host_fini(struct fake_host *host)
{
	unsigned i;

	fake_thread_stop(host, NULL);
	fake_reactor_revoke(host, NULL);
	for (i = 0; i < host->endpoint_count; i++)
		free(host->endpoints[i]);
	for (i = 0; i < host->command_count; i++) {
		free(host->commands[i]->line);
		free(host->commands[i]);
	}
	fake_buffer_fini(&host->log);
	fake_buffer_fini(&host->fail_text);
	pthread_mutex_destroy(&host->lock);
	close(host->wake_fd);
	memset(host, 0, sizeof(*host));
}

void
fake_host_answer(
    struct fake_host *host, unsigned command, int status, const char *text)
{
	struct fake_command *mine;

	FAKE_CHECK(command < host->command_count);
	mine = host->commands[command];
	FAKE_CHECK(!mine->answered && !mine->cancelled);
	mine->answered = true;
	mine->reply(mine->arg, status, berth_str(text));
}

/* --- services ------------------------------------------------------------- */

/* Cuts service->words into argv, in place. */
static void
split(struct fake_service *service)
{
	char *from = service->words, *to = from;
	char quote = '\0';

	for (;;) {
		while (isspace((unsigned char)*from))
			from++;
		if (!*from)
			return;
		FAKE_CHECK(service->argc < FAKE_MAX - 1);
		service->argv[service->argc++] = to;
		for (; *from && (quote || !isspace((unsigned char)*from));
		     from++) {
			if (quote ? *from == quote
				  : *from == '\'' || *from == '"')
				quote = quote ? '\0' : *from;
			else
				*to++ = *from;
		}
		if (*from)
			from++;
		*to++ = '\0';
	}
}

int
fake_service_start(struct fake_service *service, struct fake_host *host,
    const struct berth_service_type *type, const char *name,
    const char *arguments)
{
	int r = 0;

	memset(service, 0, sizeof(*service));
	service->public.host = &host->table;
	service->public.name = strdup(name);
	service->public.state = fake_alloc(type->state_size);
	service->host = host;
	service->type = type;
	/* One byte more: the words are cut in place, and a last word at the
	 * very end needs room for its NUL. */
	service->words = fake_alloc(strlen(arguments) + 2);
	memcpy(service->words, arguments, strlen(arguments));
	fake_buffer_init(&service->info);
	service->argv[service->argc++] = (char *)(uintptr_t)
					     service->public.name;
	split(service);
	if (type->init)
		r = type->init(&service->public, service->argc, service->argv);
	service->running = r == 0;
	if (r != 0)
		fake_service_stop(service);
	return r;
}

void
fake_service_stop(struct fake_service *service)
{
	if (service->running && service->type->fini)
		service->type->fini(&service->public);
	service->running = false;
	if (!service->public.name)
		return;
	fake_thread_stop(service->host, &service->public);
	fake_reactor_revoke(service->host, service);
	free(service->public.state);
	free((void *)(uintptr_t)service->public.name);
	free(service->words);
	fake_buffer_fini(&service->info);
	service->public.name = NULL;
	service->public.state = NULL;
	service->words = NULL;
}

const char *
fake_service_info(struct fake_service *service)
{
	struct fake_info info = {{&service->host->table}, &service->info};

	fake_buffer_cut(&service->info, service->info.size);
	if (service->type->info)
		service->type->info(&service->public, &info.public);
	return service->info.data;
}
