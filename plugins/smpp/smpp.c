/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smpp: the part of SMPP that a short message centre cannot do without: bind,
 * enquire_link, submit_sm.  What is submitted is a line of the log.
 *
 *	-u USER -p PASSWORD [-a]
 *
 * A model of a protocol with length-prefixed frames, written in sequence: a
 * frame is answered as soon as it is whole, however it came and whatever comes
 * behind it, and one of an unknown kind is passed over, it alone.  One that is
 * shorter than its header or too long is the end.
 */
#include <berth/berth.h>
#include <stdbool.h>

#include "smpp.h"

static const struct berth_frame_codec codec = {
    .kind = BERTH_FRAME_LENGTH,
    .flags = BERTH_FRAME_WHOLE,
    .size = FRAME_BYTES,
    .header = HEADER_BYTES,
    .length_at = 0,
    .length_size = 4,
};

static void
put_number(unsigned char *at, uint32_t number)
{
	at[0] = (unsigned char)(number >> 24);
	at[1] = (unsigned char)(number >> 16);
	at[2] = (unsigned char)(number >> 8);
	at[3] = (unsigned char)number;
}

static uint32_t
get_number(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

/* With a text and its NUL; NULL: without a body. */
static int
reply(struct berth_session *session, const struct request *request,
    uint32_t status, const char *text)
{
	unsigned char frame[HEADER_BYTES + USER_BYTES];
	size_t body = text != NULL ? strlen(text) + 1 : 0;

	put_number(frame, (uint32_t)(HEADER_BYTES + body));
	put_number(frame + 4, request->command | RESPONSE);
	put_number(frame + 8, status);
	put_number(frame + 12, request->sequence);
	if (body > 0)
		memcpy(frame + HEADER_BYTES, text, body);
	return berth_write(session, berth_bytes(frame, HEADER_BYTES + body));
}

static int
do_bind(struct berth_session *session, struct request *request)
{
	const struct smpp *smpp = session->service->state;
	const char *user, *password;
	bool right;

	if (!take_string(&request->body, USER_BYTES, &user) ||
	    !take_string(&request->body, USER_BYTES, &password))
		return reply(session, request, STATUS_LENGTH, NULL);
	right = strcmp(user, smpp->user) == 0 &&
		strcmp(password, smpp->password) == 0;
	*request->bound = right;
	return reply(
	    session, request, right ? STATUS_OK : STATUS_PASSWORD, user);
}

static int
do_enquire_link(struct berth_session *session, struct request *request)
{
	return reply(session, request, STATUS_OK, NULL);
}

static int
do_submit(struct berth_session *session, struct request *request)
{
	const struct smpp *smpp = session->service->state;
	struct submitted message;

	if (!*request->bound && !smpp->anybody)
		return reply(session, request, STATUS_NOT_BOUND, NULL);
	if (!submitted_parse(request->body, &message))
		return reply(session, request, STATUS_LENGTH, NULL);
	submitted_log(session->service, &message);
	return reply(session, request, STATUS_OK, "7");
}

static int
answer(struct berth_session *session, struct request *request)
{
	static const struct {
		uint32_t command;
		int (*run)(
		    struct berth_session *session, struct request *request);
	} commands[] = {
	    {BIND_TRANSCEIVER, do_bind},
	    {ENQUIRE_LINK, do_enquire_link},
	    {SUBMIT_SM, do_submit},
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].command == request->command)
			return commands[i].run(session, request);
	return 0;
}

static int
smpp_serve(struct berth_session *session)
{
	bool bound = false;
	int result;

	do {
		struct berth_bytes frame;
		struct request request = {.bound = &bound};

		result = berth_read_frame(session, &codec, &frame);
		if (result <= 0)
			break;
		request.command = get_number(
		    (const unsigned char *)frame.data + 4);
		request.sequence = get_number(
		    (const unsigned char *)frame.data + 12);
		request.body = berth_bytes_from(frame, HEADER_BYTES);
		result = answer(session, &request);
	} while (result >= 0);
	/* What is no frame ends the session, but not what was answered. */
	return result == -EMSGSIZE || result == -EBADMSG ? 0 : result;
}

static int
smpp_init(struct berth_service *service, int argc, char **argv)
{
	struct smpp *smpp = service->state;

	for (int at = 1; at < argc; at++) {
		const char *word = argv[at];

		if (strcmp(word, "-a") == 0)
			smpp->anybody = true;
		else if (at + 1 < argc && strcmp(word, "-u") == 0)
			smpp->user = argv[++at];
		else if (at + 1 < argc && strcmp(word, "-p") == 0)
			smpp->password = argv[++at];
		else
			return berth_fail(service, EINVAL,
			    "'%s': -u USER, -p PASSWORD and -a are all that "
			    "there is",
			    word);
	}
	if (smpp->user == NULL || smpp->password == NULL)
		return berth_fail(
		    service, EINVAL, "-u USER and -p PASSWORD are needed");
	if (strlen(smpp->user) >= USER_BYTES)
		return berth_fail(service, EINVAL,
		    "-u: a user has at most %u bytes", USER_BYTES - 1);
	return 0;
}

BERTH_SERVICE(make_smpp, .summary = "short messages, to the log",
    .flags = BERTH_CONCURRENT, .state_size = sizeof(struct smpp),
    .init = smpp_init, .session = {.serve = smpp_serve});
