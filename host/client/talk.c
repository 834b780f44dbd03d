/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk: one line out, one line of JSON in, each within the time limit.
 *
 * A host that refuses a client before it was asked for JSON says ERR in plain
 * text.  Any other answer that is not an object with `ok` is no host's.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <jansson.h>

#include "client/client_priv.h"

#define REPLY_LIMIT ((size_t)256 << 20)
#define JSON_ON "json on"

/* A line, valid until more is heard. */
struct talk_line {
	const char *data;
	size_t size;
};

static int
tell(const struct talk *talk, int result)
{
	if (result == -ENOMEM)
		return result;
	if (result == -ETIMEDOUT)
		client_tell(talk->client, "no answer from %s within %g s",
		    talk->address->text, (double)talk->timeout_ms / 1000);
	else
		client_tell(talk->client, "lost the host at %s: %s",
		    talk->address->text, strerror(-result));
	return CLIENT_FAILED;
}

/* --- lines out --- */

static void
advance(struct iovec *parts, size_t sent)
{
	for (int i = 0; i < 2; i++) {
		size_t part = sent < parts[i].iov_len ? sent : parts[i].iov_len;

		parts[i].iov_base = (char *)parts[i].iov_base + part;
		parts[i].iov_len -= part;
		sent -= part;
	}
}

static int
say(struct talk *talk, const char *line, size_t size, struct mono until)
{
	char newline = '\n';
	/* sendmsg(2) does not write to it. */
	struct iovec parts[2] = {
	    {(void *)(uintptr_t)line, size}, {&newline, 1}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t sent;
	int result = 0;

	while (result == 0 && parts[1].iov_len > 0) {
		sent = sendmsg(talk->fd, &message, MSG_NOSIGNAL);
		if (sent >= 0)
			advance(parts, (size_t)sent);
		else if (errno == EAGAIN)
			result = talk_wait(talk, POLLOUT, until);
		else if (errno != EINTR)
			result = -errno;
	}
	return result;
}

/* --- lines in --- */

/* More bytes.  0, -EPIPE at the end, or another negative errno. */
static int
hear(struct talk *talk, struct mono until)
{
	char bytes[65536];
	ssize_t size = read(talk->fd, bytes, sizeof(bytes));

	if (size > 0 && talk->in.size + (size_t)size > REPLY_LIMIT)
		return -EMSGSIZE;
	if (size > 0)
		return text_add(&talk->in, bytes, (size_t)size);
	if (size == 0)
		return -EPIPE;
	if (errno == EAGAIN)
		return talk_wait(talk, POLLIN, until);
	return errno == EINTR ? 0 : -errno;
}

static int
hear_line(struct talk *talk, struct mono until, struct talk_line *ret_line)
{
	size_t seen = talk->taken;
	const char *end = NULL;
	int result;

	for (;;) {
		if (talk->in.size > seen)
			end = memchr(
			    talk->in.data + seen, '\n', talk->in.size - seen);
		if (end != NULL)
			break;
		seen = talk->in.size;
		result = hear(talk, until);
		if (result < 0)
			return result;
	}
	ret_line->data = talk->in.data + talk->taken;
	ret_line->size = (size_t)(end - ret_line->data);
	talk->taken += ret_line->size + 1;
	return 0;
}

/* --- replies --- */

static int
tell_strange(const struct talk *talk, struct talk_line line)
{
	AUTO_TEXT words;

	text_init(&words);
	if (line.size > 4 && memcmp(line.data, "ERR ", 4) == 0) {
		text_printable(&words, line.data + 4, line.size - 4);
		client_tell(talk->client, "%s", text_string(&words));
		return CLIENT_REFUSED;
	}
	client_tell(talk->client,
	    "what answers at %s is no host of Berth's, or an older one",
	    talk->address->text);
	return CLIENT_FAILED;
}

static int
read_reply(
    const struct talk *talk, struct talk_line line, struct reply *ret_reply)
{
	json_t *root, *ok;

	root = json_loadb(line.data, line.size, JSON_ALLOW_NUL, NULL);
	if (json_memory_failed()) {
		json_decref(root);
		return -ENOMEM;
	}
	ok = json_object_get(root, "ok");
	if (!json_is_boolean(ok)) {
		json_decref(root);
		return tell_strange(talk, line);
	}
	ret_reply->ok = json_is_true(ok);
	ret_reply->root = root;
	ret_reply->value = json_object_get(
	    root, ret_reply->ok ? "result" : "error");
	return 0;
}

const char *
reply_error(const struct reply *reply)
{
	const char *words = json_string_value(reply->value);

	return words != NULL && *words != '\0' ? words : "the host refused it";
}

int
talk_ask(
    struct talk *talk, const char *line, size_t size, struct reply *ret_reply)
{
	struct mono until = {mono_now().ns + MONO_MS(talk->timeout_ms)};
	struct talk_line answer = {NULL, 0};
	int result = say(talk, line, size, until);

	/* Who hangs up may have said why before. */
	if (result == 0 || result == -EPIPE || result == -ECONNRESET)
		result = hear_line(talk, until, &answer);
	if (result == -EPIPE) {
		client_tell(talk->client, "%s hung up without an answer",
		    talk->address->text);
		return CLIENT_FAILED;
	}
	return result < 0 ? tell(talk, result)
			  : read_reply(talk, answer, ret_reply);
}

int
talk_open(struct talk *talk)
{
	struct reply reply;
	int result;

	text_init(&talk->in);
	result = talk_connect(talk);
	if (result != 0)
		return result;
	result = talk_ask(talk, JSON_ON, strlen(JSON_ON), &reply);
	if (result != 0)
		return result;
	if (!reply.ok) {
		client_tell(talk->client, "%s", reply_error(&reply));
		result = CLIENT_REFUSED;
	}
	json_decref(reply.root);
	return result;
}

void
talk_close(struct talk *talk)
{
	fd_close(&talk->fd);
	text_fini(&talk->in);
}
