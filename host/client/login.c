/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login: the first line of a file as the token that a manager port wants.
 *
 * Unlike the host, this end does not judge who may read the file: it may as
 * well be a pipe from something that keeps secrets.  The token is wiped when
 * it was sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "client/client_priv.h"

#define LOGIN "login "
#define TOKEN_LIMIT 256

struct token_line {
	char data[sizeof(LOGIN) + TOKEN_LIMIT];
	size_t size;
};

/* All of a short file; as much as fits of a long one. */
static int
fill(int fd, struct token_line *line)
{
	ssize_t size;

	while (line->size < sizeof(line->data)) {
		size = read(fd, line->data + line->size,
		    sizeof(line->data) - line->size);
		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			return size < 0 ? -errno : 0;
		line->size += (size_t)size;
	}
	return 0;
}

/* Cuts what follows the first line, and blanks at its end.  NULL, or why it is
 * no token. */
static const char *
cut(struct token_line *line)
{
	const char *start = line->data + strlen(LOGIN);
	size_t size = line->size - strlen(LOGIN);
	const char *end = memchr(start, '\n', size);

	if (end == NULL && line->size == sizeof(line->data))
		return "its first line is too long";
	if (end != NULL)
		size = (size_t)(end - start);
	while (size > 0 && strchr(" \t\r", start[size - 1]) != NULL)
		size--;
	line->size = strlen(LOGIN) + size;
	return size == 0 ? "its first line is empty" : NULL;
}

static const char *
load(const char *path, struct token_line *line)
{
	/* It blocks: the file may be a pipe, and nobody else waits. */
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int result;

	memcpy(line->data, LOGIN, strlen(LOGIN));
	line->size = strlen(LOGIN);
	if (fd < 0)
		return strerror(errno);
	result = fill(fd, line);
	return result < 0 ? strerror(-result) : cut(line);
}

static int
send_token(struct talk *talk, const struct token_line *line)
{
	struct reply reply;
	int result = talk_ask(talk, line->data, line->size, &reply);

	if (result != 0)
		return result;
	if (!reply.ok) {
		client_tell(
		    talk->client, "log-in refused: %s", reply_error(&reply));
		result = CLIENT_REFUSED;
	}
	json_decref(reply.root);
	return result;
}

int
talk_login(struct talk *talk, const char *token_path)
{
	struct token_line line;
	const char *reason = load(token_path, &line);
	int result = CLIENT_USAGE;

	if (reason == NULL)
		result = send_token(talk, &line);
	else
		client_tell(
		    talk->client, "token file %s: %s", token_path, reason);
	explicit_bzero(&line, sizeof(line));
	return result;
}
