/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker: this program as a worker, started by a host and led by it over
 * descriptor 3 (worker/worker_channel.h).
 *
 * It is a host like any other, with one service, and the stream around its
 * connections.  What it needs comes first,
 * while nothing runs yet: the copies of the plugins, the listening sockets, the
 * directive.  Its log goes to standard error, which is the host's to read.
 * Nobody else is to lead it: signals of a terminal are ignored, SIGTERM ends it
 * in order.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "main/program.h"
#include "services/services.h"
#include "worker/worker_channel.h"

#define SOCKETS_MAX 1024u
#define PLUGINS_MAX 32u /* of the service, and of the stream around it */

/* What the host has said so far. */
struct errand {
	int channel;
	uint32_t id; /* of what is to be answered */
	struct channel_start start;
	struct {
		char *path; /* in the arena of the options */
		int fd;
	} plugins[PLUGINS_MAX];
	unsigned plugin_count;
	const char *directive; /* likewise; NULL: not said yet */
	int sockets[SOCKETS_MAX];
	unsigned socket_count;
};

static void
errand_fini(struct errand *errand)
{
	fd_close(&errand->channel);
	while (errand->plugin_count > 0)
		fd_close(&errand->plugins[--errand->plugin_count].fd);
	while (errand->socket_count > 0)
		fd_close(&errand->sockets[--errand->socket_count]);
}

/* --- what it is told -------------------------------------------------------
 */

static int
take_hello(struct errand *errand, const struct channel_message *message)
{
	const struct channel_hello own = {
	    CHANNEL_VERSION, CHANNEL_VERSION, CHANNEL_PAYLOAD_MAX, 0};
	const struct channel_message reply = {
	    .kind = CHANNEL_HELLO,
	    .data = &own,
	    .size = sizeof(own),
	    .fd = -1,
	};
	struct channel_hello hello;
	int result = channel_read(message, &hello, sizeof(hello));

	if (result == 0)
		result = channel_send(errand->channel, &reply);
	if (result < 0)
		return result;
	return hello.oldest <= CHANNEL_VERSION &&
		       hello.newest >= CHANNEL_VERSION
		   ? 0
		   : -EPROTONOSUPPORT;
}

/* The text behind some bytes; NULL: there is none. */
static char *
copy_text(
    struct arena *arena, const struct channel_message *message, size_t from)
{
	const char *text = message->data;

	if (message->size <= from || text[message->size - 1] != '\0')
		return NULL;
	return arena_string(arena, text + from);
}

static int
take_plugin(
    struct errand *errand, struct arena *arena, struct channel_message *message)
{
	char *path = copy_text(arena, message, 0);

	if (path == NULL || message->fd < 0 ||
	    errand->plugin_count == PLUGINS_MAX)
		return -EBADMSG;
	errand->plugins[errand->plugin_count].path = path;
	errand->plugins[errand->plugin_count].fd = base_take_fd(&message->fd);
	errand->plugin_count++;
	return 0;
}

static int
take_socket(struct errand *errand, struct channel_message *message)
{
	if (message->fd < 0 || errand->socket_count == SOCKETS_MAX)
		return -EBADMSG;
	errand->sockets[errand->socket_count++] = base_take_fd(&message->fd);
	return 0;
}

static int
take_start(struct errand *errand, struct arena *arena,
    const struct channel_message *message)
{
	int result = channel_read(
	    message, &errand->start, sizeof(errand->start));

	errand->id = message->id;
	errand->directive = copy_text(arena, message, sizeof(errand->start));
	return errand->directive == NULL ? -EBADMSG : result;
}

static int
take(
    struct errand *errand, struct arena *arena, struct channel_message *message)
{
	switch (message->kind) {
	case CHANNEL_HELLO:
		return take_hello(errand, message);
	case CHANNEL_PLUGIN:
		return take_plugin(errand, arena, message);
	case CHANNEL_SOCKET:
		return take_socket(errand, message);
	case CHANNEL_START:
		return take_start(errand, arena, message);
	default:
		return -EBADMSG;
	}
}

/* Until it is told to start. */
static int
listen_to_host(struct errand *errand, struct arena *arena)
{
	struct pollfd fd = {.fd = errand->channel, .events = POLLIN};
	struct channel_inbox inbox;
	int result = 0;

	while (result == 0 && errand->directive == NULL) {
		result = channel_receive(errand->channel, &inbox);
		if (result == -EAGAIN) {
			result = poll(&fd, 1, -1) < 0 && errno != EINTR ? -errno
									: 0;
			continue;
		}
		if (result != 0)
			break;
		result = take(errand, arena, &inbox.message);
		channel_inbox_fini(&inbox);
	}
	return result;
}

/* --- the host in it --------------------------------------------------------
 */

static int
open_host(struct program *program, struct errand *errand)
{
	const struct config_input input = {
	    .kind = CONFIG_STRING,
	    .text = errand->directive,
	    .name = "worker",
	};
	struct host_options options = {
	    .inputs = &input,
	    .input_count = 1,
	    .statics = berth_static_services,
	    .log = &program->sink.log,
	    .keep_log_level = true,
	    .is_worker = true,
	    .stack = program_print_stack,
	    .context = program,
	};
	int result = host_new(&options, &program->host);

	if (result == 0)
		result = crash_watch(program->host, &program->sink);
	for (unsigned i = 0; result == 0 && i < errand->plugin_count; i++)
		result = host_offer_plugin(program->host,
		    errand->plugins[i].path,
		    base_take_fd(&errand->plugins[i].fd));
	while (result == 0 && errand->socket_count > 0)
		result = host_adopt_socket(program->host,
		    base_take_fd(&errand->sockets[--errand->socket_count]));
	return result;
}

static int
start(struct program *program, struct errand *errand)
{
	struct log *log = &program->sink.log;
	int result = open_host(program, errand);

	if (result < 0) {
		errors_add(program->errors, SEVERITY_ERROR, result, NULL,
		    "a worker cannot be made: %s", strerror(-result));
		host_refuse_fleet(errand->channel, errand->id, program->errors);
		return result;
	}
	result = host_start(program->host, program->errors);
	if (result != 0) {
		host_refuse_fleet(errand->channel, errand->id, program->errors);
		return result;
	}
	result = signals_watch(&program->signals, program->host, log);
	if (result == 0)
		result = host_serve_fleet(program->host,
		    base_take_fd(&errand->channel), errand->id,
		    errand->start.max_requests);
	return result;
}

/* Those of a terminal are the host's alone. */
static int
ignore_terminal(void)
{
	static const int ignored[] = {SIGINT, SIGHUP, SIGQUIT};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < BASE_COUNT(ignored); i++) {
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			return -errno;
		sigaddset(&set, ignored[i]);
	}
	/* What is blocked is kept, even if it is ignored. */
	return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static int
work(struct program *program, struct errand *errand)
{
	int result = signals_block(&program->signals, SIGHUP, true);

	if (result == 0)
		result = ignore_terminal();
	if (result == 0)
		result = listen_to_host(errand, program->options.arena);
	if (result != 0)
		return result;
	program->sink.log.level = (int)errand->start.log_level;
	result = fd_raise_limit();
	if (result < 0)
		log_printf(&program->sink.log, BERTH_WARNING, NULL,
		    "limit of descriptors: %s", strerror(-result));
	result = start(program, errand);
	return result == 0 ? host_run(program->host) : result;
}

enum status
program_work(struct program *program)
{
	struct errand errand = {.channel = CHANNEL_WORKER_FD};
	int result;

	/* Else it would be called after the descriptor that it was run by. */
	prctl(PR_SET_NAME, "berthd-worker", 0, 0, 0);
	/*
	 * Its end is that of the host, even if it hangs.  Here, since execve(2)
	 * forgets it when it gives rights back; a host that has died before is
	 * noticed by the channel.
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	log_sink_to_host(&program->sink);
	if (fcntl(errand.channel, F_SETFD, FD_CLOEXEC) < 0) {
		log_printf(&program->sink.log, BERTH_ERROR, NULL,
		    "--worker is for hosts, which start their workers so");
		return STATUS_USAGE;
	}
	result = work(program, &errand);
	program_close_host(program);
	errand_fini(&errand);
	return result == 0 ? STATUS_GOOD : STATUS_FAILED;
}
