/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client: from the command line to the exit status.
 *
 * A command that is not in our table goes to the host as it is if the host's
 * own help knows it.  With --json the reply's value, result or error, is one
 * line of the output; what was refused, and why, is told to people either way.
 */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "config.h"
#include "client/client_priv.h"

void
client_init(struct client *client)
{
	memset(client, 0, sizeof(*client));
	text_init(&client->out);
	text_init(&client->err);
}

void
client_fini(struct client *client)
{
	text_fini(&client->out);
	text_fini(&client->err);
}

void
client_tell(struct client *client, const char *format, ...)
{
	AUTO_TEXT line;
	va_list ap;

	text_init(&line);
	va_start(ap, format);
	text_vprintf(&line, format, ap);
	va_end(ap);
	text_printf(&client->err, "berthctl: ");
	text_printable(&client->err, text_string(&line), line.size);
	text_add(&client->err, "\n", 1);
	client->err.failed |= line.failed;
}

/* --- replies --- */

static int
view(struct client *client, const struct options *options, json_t *value)
{
	if (options->verb != NULL && options->verb->view != NULL)
		return options->verb->view(client, value);
	return view_value(client, value);
}

/* A report tells itself, mistake by mistake. */
static int
tell_refusal(struct client *client, const struct options *options,
    const struct reply *reply)
{
	const struct verb *verb = options->verb;

	if (report_is(reply->value))
		return view(client, options, reply->value);
	client_tell(client, "%s", reply_error(reply));
	if (verb != NULL && (verb->flags & VERB_CHANGES) != 0 &&
	    strncmp(options->socket, "tcp", 3) == 0 &&
	    options->token_path == NULL)
		client_tell(client,
		    "to change something over TCP, log in: --token FILE");
	return 0;
}

static int
show_reply(struct client *client, const struct options *options,
    const struct reply *reply)
{
	int result = 0;

	if (!reply->ok)
		result = tell_refusal(client, options, reply);
	else if (!options->json)
		result = view(client, options, reply->value);
	if (result == 0 && options->json) {
		text_reset(&client->out);
		result = reply->value != NULL
			     ? json_line(reply->value, &client->out)
			     : text_printf(&client->out, "null");
		text_add(&client->out, "\n", 1);
	}
	if (result < 0)
		return result;
	return reply->ok ? CLIENT_GOOD : CLIENT_REFUSED;
}

/* --- a command of the host's that we do not know --- */

static bool
is_among(json_t *rows, const char *name, struct suggestion *suggestion)
{
	const char *candidate;
	json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		candidate = json_string_value(json_object_get(row, "name"));
		if (candidate == NULL)
			continue;
		if (strcmp(candidate, name) == 0)
			return true;
		suggestion_offer(suggestion, candidate);
	}
	return false;
}

static void
tell_unknown(struct client *client, const struct suggestion *suggestion)
{
	client_tell(client, "no command '%s'%s%s%s", suggestion->word,
	    suggestion->best != NULL ? "; did you mean '" : "; try --help",
	    suggestion->best != NULL ? suggestion->best : "",
	    suggestion->best != NULL ? "'?" : "");
}

/* 0, CLIENT_USAGE after telling, or as talk_ask(). */
static int
ask_whether_known(struct talk *talk, const char *name)
{
	struct suggestion suggestion;
	const struct verb *verb;
	struct reply reply;
	int result;

	result = talk_ask(talk, "help", strlen("help"), &reply);
	if (result != 0)
		return result;
	suggestion_init(&suggestion, name);
	for (verb = verbs_table(); verb->name != NULL; verb++)
		suggestion_offer(&suggestion, verb->name);
	if (!is_among(reply.value, name, &suggestion)) {
		tell_unknown(talk->client, &suggestion);
		result = CLIENT_USAGE;
	}
	json_decref(reply.root);
	return result;
}

/* --- the whole of it --- */

static int
converse(
    struct talk *talk, const struct options *options, const struct text *line)
{
	struct reply reply;
	int result = talk_open(talk);

	if (result == 0 && options->token_path != NULL)
		result = talk_login(talk, options->token_path);
	if (result == 0 && options->verb == NULL)
		result = ask_whether_known(talk, options->name);
	if (result == 0)
		result = talk_ask(talk, line->data, line->size, &reply);
	if (result != 0)
		return result;
	result = show_reply(talk->client, options, &reply);
	json_decref(reply.root);
	return result;
}

static int
steer(struct client *client, const struct options *options)
{
	struct address address;
	struct talk talk = {
	    .client = client,
	    .address = &address,
	    .timeout_ms = options->timeout_ms,
	    .fd = -1,
	};
	AUTO_TEXT line;
	int result;

	text_init(&line);
	result = address_parse(options->socket, client, &address);
	if (result == 0)
		result = words_join(client, options, &line);
	if (result != 0)
		return result;
	result = converse(&talk, options, &line);
	talk_close(&talk);
	return result;
}

static int
act(struct client *client, const struct options *options)
{
	switch (options->action) {
	case OPTIONS_HELP:
		help_print(&client->out);
		return CLIENT_GOOD;
	case OPTIONS_VERSION:
		text_printf(&client->out, "berthctl %s\n", PACKAGE_VERSION);
		return CLIENT_GOOD;
	case OPTIONS_COMPLETION:
		if (completion_print(options->shell, &client->out) == 0)
			return CLIENT_GOOD;
		client_tell(client, "no completion for '%s'; for bash and zsh",
		    options->shell);
		return CLIENT_USAGE;
	case OPTIONS_RUN:
		break;
	}
	if (options->no_colour)
		client->screen.colour = false;
	if (options->verb != NULL && options->verb->run != NULL)
		return options->verb->run(client, options);
	return steer(client, options);
}

enum client_status
client_run(struct client *client, int argc, char **argv)
{
	struct options options;
	int result;

	json_memory_watch();
	result = options_parse(client, argc, argv, &options);
	if (result == 0)
		result = act(client, &options);
	/* No other error is forwarded to here. */
	if (result < 0 || client->out.failed || client->err.failed ||
	    json_memory_failed()) {
		text_reset(&client->out);
		text_reset(&client->err);
		client_tell(client, "no memory");
		return CLIENT_FAILED;
	}
	return (enum client_status)result;
}
