/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fleet_talk: what is said to a worker, and what its words mean.
 *
 * Nothing waits for a worker here: what it does not read is lost to it, and it
 * is replaced.  What it says is checked; a worker that says what cannot be
 * understood is killed, since its memory is not what it was.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "worker/fleet_priv.h"

/* Messages in one turn. */
#define TALK_BUDGET 64u

/* --- to it -----------------------------------------------------------------
 */

static int
tell_descriptor(
    struct member *member, enum channel_kind kind, int fd, const char *words)
{
	const struct channel_message message = {
	    .kind = kind,
	    .data = words,
	    .size = strlen(words) + 1,
	    .fd = fd,
	};

	return channel_send(member->channel, &message);
}

static int
tell_hello(struct member *member)
{
	const struct channel_hello hello = {
	    CHANNEL_VERSION, CHANNEL_VERSION, CHANNEL_PAYLOAD_MAX, 0};
	const struct channel_message message = {
	    .kind = CHANNEL_HELLO,
	    .data = &hello,
	    .size = sizeof(hello),
	    .fd = -1,
	};

	return channel_send(member->channel, &message);
}

static int
tell_start(struct member *member)
{
	struct fleet *fleet = member->fleet;
	const struct channel_start start = {
	    .log_level = fleet->log != NULL ? (uint32_t)fleet->log->level : 0,
	    .max_requests = fleet->per_client ? 0
					      : fleet->settings->max_requests,
	};
	struct channel_message message = {
	    .kind = CHANNEL_START, .id = ++fleet->numbers, .fd = -1};
	AUTO_TEXT text;

	text_init(&text);
	text_add(&text, (const char *)&start, sizeof(start));
	text_add(&text, fleet->directive, strlen(fleet->directive) + 1);
	if (text.failed)
		return -ENOMEM;
	message.data = text.data;
	message.size = text.size;
	member->asked = message.id;
	return channel_send(member->channel, &message);
}

static int
tell_plugins(struct member *member)
{
	const struct fleet *fleet = member->fleet;
	const struct fleet_plugin *plugin;
	int result = 0;

	if (fleet->plugin_fd >= 0)
		result = tell_descriptor(member, CHANNEL_PLUGIN,
		    fleet->plugin_fd, fleet->plugin_path);
	STAILQ_FOREACH (plugin, &fleet->plugins, link)
		if (result == 0)
			result = tell_descriptor(
			    member, CHANNEL_PLUGIN, plugin->fd, plugin->path);
	return result;
}

/* All at once: it reads when it has come so far. */
int
member_greet(struct member *member)
{
	struct fleet *fleet = member->fleet;
	unsigned count = fleet->per_client
			     ? 0
			     : server_listener_count(fleet->server);
	int result = tell_hello(member);

	if (result == 0)
		result = tell_plugins(member);
	for (unsigned i = 0; result == 0 && i < count; i++) {
		struct listener *listener = server_listener(fleet->server, i);

		result = tell_descriptor(member, CHANNEL_SOCKET,
		    listener_fd(listener), listener_text(listener));
	}
	return result == 0 ? tell_start(member) : result;
}

int
member_say(struct member *member, enum channel_kind kind, uint32_t id)
{
	const struct channel_message message = {
	    .kind = kind, .id = id, .fd = -1};

	if (member->channel < 0)
		return -EPIPE;
	return channel_send(member->channel, &message);
}

int
member_ask(
    struct member *member, enum channel_kind kind, const char *directives)
{
	const struct channel_message message = {
	    .kind = kind,
	    .id = ++member->fleet->numbers,
	    .data = directives,
	    .size = strlen(directives) + 1,
	    .fd = -1,
	};
	int result = member->channel < 0
			 ? -EPIPE
			 : channel_send(member->channel, &message);

	/* A start that is not answered yet stays the question. */
	if (result == 0 && member->state != MEMBER_STARTING)
		member->asked = message.id;
	return result;
}

/* --- from it ---------------------------------------------------------------
 */

static void
distrust(struct member *member, const char *why)
{
	log_printf(member->fleet->log, BERTH_ERROR, member->fleet->name,
	    "process %d says what cannot be understood (%s)", member->pid, why);
	member_kill(member, SIGKILL);
}

static void
pass_words(struct member *member, struct channel_words *words)
{
	enum severity severity;
	const char *text;
	size_t size;

	while (channel_answer_next(words, &severity, &text, &size)) {
		struct fleet *fleet = member->fleet;

		if (fleet->waiting && fleet->errors != NULL)
			errors_add(fleet->errors, severity, 0, fleet->place,
			    "%.*s", (int)size, text);
		else
			log_printf(fleet->log,
			    severity == SEVERITY_ERROR ? BERTH_ERROR
						       : BERTH_WARNING,
			    fleet->name, "[%d] %.*s", member->pid, (int)size,
			    text);
		if (severity == SEVERITY_ERROR)
			member->told = true;
	}
}

static void
now_serves(struct member *member)
{
	struct fleet *fleet = member->fleet;

	member->state = MEMBER_SERVING;
	member->busy_ns = reactor_now(fleet->reactor).ns;
	if (fleet->suspended) {
		AUTO_TEXT text;

		text_init(&text);
		text_printf(&text, "suspend %s", fleet->name);
		if (text.failed ||
		    member_ask(member, CHANNEL_APPLY, text.data) < 0)
			member_kill(member, SIGKILL);
	}
	if (fleet->per_client)
		clients_want_more(fleet);
	else if (fleet->accepting && member_say(member, CHANNEL_ACCEPT, 1) < 0)
		member_kill(member, SIGKILL);
}

static void
take_answer(struct member *member, const struct channel_message *message)
{
	struct fleet *fleet = member->fleet;
	struct channel_words words;
	int32_t result;

	if (channel_answer_read(message, &result, &words) < 0) {
		distrust(member, "an answer");
		return;
	}
	/* It may be about to end, and then it says no. */
	if (member->client != NULL)
		return;
	pass_words(member, &words);
	if (member->asked == message->id) {
		member->asked = 0;
		fleet_answered(fleet, result != 0 ? -ECHILD : 0);
	}
	if (result == 0 && member->state == MEMBER_STARTING)
		now_serves(member);
	else if (result != 0 && member->state == MEMBER_SERVING &&
		 !fleet->waiting)
		/* It is not as it should be: another one is. */
		slots_vacate(fleet, member);
	if (fleet->per_client)
		clients_settle(fleet);
}

static void
take_hello(struct member *member, const struct channel_message *message)
{
	struct channel_hello hello;

	if (channel_read(message, &hello, sizeof(hello)) < 0) {
		distrust(member, "its hello");
		return;
	}
	if (hello.oldest <= CHANNEL_VERSION && hello.newest >= CHANNEL_VERSION)
		return;
	fleet_tell(member, -EPROTONOSUPPORT,
	    "a worker of '%s' speaks version %u to %u, its host %u",
	    member->fleet->name, hello.oldest, hello.newest, CHANNEL_VERSION);
	member_kill(member, SIGKILL);
}

static void
take_beat(struct member *member, const struct channel_message *message)
{
	struct fleet *fleet = member->fleet;
	unsigned limit = fleet->per_client ? 0 : fleet->settings->max_requests;

	if (channel_read(message, &member->beat, sizeof(member->beat)) < 0) {
		distrust(member, "a heartbeat");
		return;
	}
	if (member->beat.sessions_active > 0)
		member->busy_ns = reactor_now(fleet->reactor).ns;
	/* It counts by itself, but by the limit that it began with. */
	if (limit > 0 && member->beat.sessions_total >= limit &&
	    member->state == MEMBER_SERVING)
		slots_vacate(fleet, member);
}

static void
take(struct member *member, const struct channel_message *message)
{
	member->silent_ms = 0;
	switch (message->kind) {
	case CHANNEL_HELLO:
		take_hello(member, message);
		break;
	case CHANNEL_ANSWER:
		take_answer(member, message);
		break;
	case CHANNEL_BEAT:
		take_beat(member, message);
		break;
	case CHANNEL_SPENT:
		if (member->state == MEMBER_SERVING && member->client == NULL)
			slots_vacate(member->fleet, member);
		break;
	default:
		distrust(member, "what only a host says");
		break;
	}
}

static void
hang_up(struct member *member)
{
	reactor_remove(member->fleet->options.server.owner, member->channel,
	    BERTH_IO_EVENTS | BERTH_DONT_CALL);
	fd_close(&member->channel);
}

void
member_listen(struct member *member)
{
	struct channel_inbox inbox;
	int result = 0;

	for (unsigned i = 0; i < TALK_BUDGET && member->channel >= 0; i++) {
		result = channel_receive(member->channel, &inbox);
		if (result != 0)
			break;
		take(member, &inbox.message);
		channel_inbox_fini(&inbox);
	}
	if (result == 0 || result == -EAGAIN || result == -ENOMEM)
		return;
	if (result == -EBADMSG)
		distrust(member, "no message");
	/* It ends, or cannot be led any more. */
	hang_up(member);
	member_await_end(member);
}

static int
channel_input(struct berth_handler *handler, int fd)
{
	(void)fd;
	member_listen(BASE_CONTAINER(handler, struct member, channel_handler));
	return 0;
}

const struct berth_handler_type member_channel_type = {
    .input = channel_input,
};
