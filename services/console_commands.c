/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session of the manager may say.
 *
 * The commands are the host's, which also judges which of them change
 * something: without BERTH_COMMAND_CONTROL it refuses those.  Only the three
 * that concern the session itself are answered here: login, json, quit.
 *
 * In the protocol of ACE (-l) a request is `help`, `reconfigure`, or anything
 * else, which gets no answer.  Nobody can log in there, so that anything else
 * may look only, in vain; `reconfigure` is carried out for everybody, as it
 * does no more than read the administrator's own files again.
 */
#include "services_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define LOGIN_LIMIT 3 /* wrong tokens in one session */

/* The host carries them out for anybody: not worth a line in the log.  One
 * that is missing here is logged, no more. */
static const char *const looks[] = {"help", "list", "show", "sessions", "stats",
    "check", "plan", "report", "version", NULL};

struct peer {
	char name[160];
};

/* Who it is, for the log: an address, or the user of a Unix peer. */
static const char *
name_peer(struct berth_session *session, struct peer *peer)
{
	uint32_t uid, gid;

	if (berth_peer_user(session, &uid, &gid) == 0)
		snprintf(peer->name, sizeof(peer->name), "user %" PRIu32, uid);
	else if (berth_peer(session, peer->name, sizeof(peer->name)) < 0)
		return "somebody";
	return peer->name;
}

static int
run_quit(struct berth_session *session, const char *argument)
{
	struct console *console = session->state;

	(void)argument;
	console->last = true;
	return console_answer(session, 0, "");
}

static int
run_json(struct berth_session *session, const char *argument)
{
	struct console *console = session->state;

	if (strcmp(argument, "on") == 0)
		console->form = REPLY_JSON;
	else if (strcmp(argument, "off") == 0)
		console->form = REPLY_PLAIN;
	else
		return console_answer(session, EINVAL, "json is on or off");
	return console_answer(session, 0, "");
}

static bool
token_right(struct berth_service *service, const char *guess)
{
	const struct manager *manager = service->state;
	struct token token;
	const char *reason;
	bool right;

	if (token_read(manager->token_path, &token, &reason) != 0) {
		berth_log(service, BERTH_ERROR,
		    "cannot read the token in %s: %s", manager->token_path,
		    reason);
		return false;
	}
	right = token_equal(&token, guess);
	token_wipe(&token);
	return right;
}

static int
run_login(struct berth_session *session, const char *argument)
{
	const struct manager *manager = session->service->state;
	struct console *console = session->state;
	struct peer peer;

	if (manager->token_path == NULL)
		return console_answer(session, EPERM,
		    "nobody can log in here: see -t in berth-manager(8)");
	if (token_right(session->service, argument)) {
		console->control = true;
		berth_log(session->service, BERTH_NOTICE, "%s logged in",
		    name_peer(session, &peer));
		return console_answer(session, 0, "");
	}
	berth_log(session->service, BERTH_WARNING,
	    "%s failed to log in: wrong token", name_peer(session, &peer));
	console->last = ++console->wrong_tokens >= LOGIN_LIMIT;
	return console_answer(session, EACCES,
	    console->last ? "wrong token, once too often" : "wrong token");
}

/* Cuts blanks at both ends, puts the first word in small letters, as every
 * command is. */
static void
tidy(char *line)
{
	size_t size = strlen(line), before = strspn(line, " \t");

	while (
	    size > before && (line[size - 1] == ' ' || line[size - 1] == '\t'))
		size--;
	size -= before;
	memmove(line, line + before, size);
	line[size] = '\0';
	for (; *line != '\0' && *line != ' ' && *line != '\t'; line++)
		if (*line >= 'A' && *line <= 'Z')
			*line = (char)(*line - 'A' + 'a');
}

/* What follows the word in this line, or NULL if another word begins it. */
static const char *
after(const char *line, const char *word)
{
	size_t size = strlen(word);

	if (strncmp(line, word, size) != 0)
		return NULL;
	if (line[size] != '\0' && line[size] != ' ' && line[size] != '\t')
		return NULL;
	return line + size + strspn(line + size, " \t");
}

/* Every command that changes something leaves its trace in the log, and a
 * session that may not change anything leaves one. */
static void
audit(struct berth_session *session, const char *line, bool allowed)
{
	struct console *console = session->state;
	struct peer peer;
	int i;

	for (i = 0; looks[i] != NULL; i++)
		if (after(line, looks[i]) != NULL)
			return;
	if (!allowed && console->told_refusal)
		return;
	console->told_refusal = !allowed;
	berth_log(session->service, BERTH_NOTICE, "%s%s: %.512s",
	    name_peer(session, &peer), allowed ? "" : " (read-only)", line);
}

static int
ask_host(struct berth_session *session, const char *line, bool control)
{
	struct console *console = session->state;
	unsigned flags = control ? BERTH_COMMAND_CONTROL : 0;
	int result;

	if (console->form == REPLY_JSON)
		flags |= BERTH_COMMAND_JSON;
	audit(session, line, control);
	result = berth_command(session->service, line, flags, console_replied,
	    session, &console->command);
	if (result < 0)
		return console_answer(session, -result, strerror(-result));
	return 0;
}

static int
run_legacy(struct berth_session *session, const char *line)
{
	struct console *console = session->state;

	console->last = true;
	if (strcmp(line, "help") == 0) {
		console->form = REPLY_ACE_LIST;
		return ask_host(session, "report", false);
	}
	console->form = REPLY_ACE_NOTHING;
	if (strcmp(line, "reconfigure") != 0)
		return ask_host(session, line, false);
	console->form = REPLY_ACE_DONE;
	return ask_host(session, line, true);
}

static int run_help(struct berth_session *session, const char *argument);

/* As the host's own table of commands. */
static const struct own {
	const char *name;
	const char *syntax;
	const char *help;
	int (*run)(struct berth_session *session, const char *argument);
} owns[] = {
    {"quit", "", "end this session", run_quit},
    {"json", "on | off", "replies as JSON, one object a line", run_json},
    {"login", "TOKEN", "allow this session to change things", run_login},
    {"help", NULL, NULL, run_help},
    {NULL, NULL, NULL, NULL},
};

static int
add_help(struct console *console, const struct own *own)
{
	char line[128];
	int size;

	/* The columns are those of the host's help, which it stands above. */
	size = snprintf(line, sizeof(line), "%-11s %-22s %s\n", own->name,
	    own->syntax, own->help);
	return outbox_add(&console->outbox, berth_bytes(line, (size_t)size));
}

/* The host's help, with ours before it; in JSON it is the host's alone. */
static int
run_help(struct berth_session *session, const char *argument)
{
	struct console *console = session->state;
	const struct own *own;
	int result;

	for (own = owns; own->help != NULL && console->form == REPLY_PLAIN;
	     own++) {
		if (argument[0] != '\0' && strcmp(own->name, argument) != 0)
			continue;
		result = add_help(console, own);
		if (result < 0)
			return result;
		if (argument[0] != '\0')
			return console_answer(session, 0, "");
	}
	return ask_host(session, console->line.data, false);
}

int
console_run(struct berth_session *session)
{
	const struct manager *manager = session->service->state;
	struct console *console = session->state;
	const char *line = console->line.data, *argument;
	const struct own *own;
	int result;

	tidy(console->line.data);
	if (manager->idle_ms != 0) {
		result = berth_session_timeout(session, manager->idle_ms);
		if (result < 0)
			return result;
	}
	if (manager->legacy)
		return run_legacy(session, line);
	for (own = owns; own->name != NULL; own++) {
		argument = after(line, own->name);
		if (argument != NULL)
			return own->run(session, argument);
	}
	return ask_host(session, line, console->control);
}
