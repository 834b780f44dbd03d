/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See services_desk.h.  The host of the desk keeps the contract of
 * berth_pause(): what input has left is offered again when the service goes
 * on, and a client's end is told after that.
 */
#include "services_desk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "services.h"

#define BIG 100000

int
desk_start(struct desk *desk, const char *arguments)
{
	memset(desk, 0, sizeof(*desk));
	fake_host_init(&desk->host);
	return fake_service_start(
	    &desk->service, &desk->host, make_manager(), "M", arguments);
}

void
desk_stop(struct desk *desk)
{
	fake_service_stop(&desk->service);
	fake_host_fini(&desk->host);
}

void
desk_connect(struct desk *desk)
{
	fake_session_open(&desk->client, &desk->service);
}

void
desk_disconnect(struct desk *desk)
{
	fake_session_fini(&desk->client);
}

static void
answer_big(struct desk *desk)
{
	char *text = malloc(BIG + 1);
	int i;

	for (i = 0; i < BIG; i++)
		text[i] = i % 50 == 49 ? '\n' : (char)('a' + i % 26);
	text[BIG] = '\0';
	fake_host_answer(&desk->host, desk->answered, 0, text);
	free(text);
}

static void
answer_line(struct desk *desk, const struct fake_command *command)
{
	const char *quote = command->flags & BERTH_COMMAND_JSON ? "\"" : "";
	char text[8400];

	snprintf(text, sizeof(text), "%sran: %s%s%s", quote, command->line,
	    command->flags & BERTH_COMMAND_CONTROL ? " control" : "", quote);
	fake_host_answer(&desk->host, desk->answered, 0, text);
}

static void
answer(struct desk *desk)
{
	const struct fake_command *command =
	    desk->host.commands[desk->answered];
	bool json = command->flags & BERTH_COMMAND_JSON;

	if (command->cancelled)
		return;
	if (strcmp(command->line, "fail") == 0)
		fake_host_answer(&desk->host, desk->answered, 1,
		    json ? "\"no such thing\"" : "no such thing");
	else if (strcmp(command->line, "empty") == 0)
		fake_host_answer(&desk->host, desk->answered, 0, "");
	else if (strcmp(command->line, "report") == 0)
		fake_host_answer(&desk->host, desk->answered, 0,
		    "A (active)  info of A\nB (paused)  \n");
	else if (strcmp(command->line, "big") == 0)
		answer_big(desk);
	else
		answer_line(desk, command);
}

void
desk_settle(struct desk *desk)
{
	struct fake_session *client = &desk->client;

	for (;;) {
		/* The fake host has no room for more. */
		if (desk->host.command_count >= FAKE_MAX)
			desk->host.command_result = -EAGAIN;
		if (client->aborted)
			fake_session_end(client, BERTH_CLOSED_ABORTED);
		if (desk->answered < desk->host.command_count) {
			answer(desk);
			desk->answered++;
		} else if (client->input.size > 0 && !client->paused &&
			   !client->closing && !client->ended) {
			fake_session_input(client, "", 0);
		} else {
			return;
		}
	}
}

void
desk_type(struct desk *desk, const void *bytes, size_t size)
{
	fake_session_input(&desk->client, bytes, size);
	desk_settle(desk);
}

void
desk_say(struct desk *desk, const char *text)
{
	desk_type(desk, text, strlen(text));
}

void
desk_hang_up(struct desk *desk)
{
	desk_settle(desk);
	if (!desk->client.closing)
		fake_session_eof(&desk->client);
	desk_settle(desk);
}

void
desk_read(struct desk *desk)
{
	fake_session_drain(&desk->client);
	desk_settle(desk);
}
