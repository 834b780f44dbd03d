/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The token that a client of the manager logs in with: the first line of a
 * file.  It is read at each log-in, so that changing the file is enough, and
 * does not stay in memory.
 *
 * A file that group or others may read or write, or that belongs to somebody
 * else than root or this process's user, is refused: a secret that was open to
 * others is none.
 */
#include "services_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* NULL, or why this file can't hold a secret. */
static const char *
judge(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return "belongs to somebody else";
	if ((st.st_mode & 077) != 0)
		return "group or others may use it: chmod 600";
	return NULL;
}

/* The first line; *token is wiped by the caller if there is a reason. */
static const char *
read_line(int fd, struct token *token)
{
	char more;
	ssize_t size;
	const char *end;

	size = read(fd, token->data, TOKEN_LIMIT);
	if (size < 0)
		return strerror(errno);
	end = memchr(token->data, '\n', (size_t)size);
	if (end == NULL && size == TOKEN_LIMIT && read(fd, &more, 1) != 0)
		return "its first line is too long";
	if (end != NULL)
		size = end - token->data;
	while (size > 0 && strchr(" \t\r", token->data[size - 1]) != NULL)
		size--;
	if (size == 0)
		return "its first line is empty";
	memset(token->data + size, 0, TOKEN_LIMIT - (size_t)size);
	token->size = (size_t)size;
	return NULL;
}

int
token_read(const char *path, struct token *ret_token, const char **ret_reason)
{
	struct token token;
	const char *reason;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		*ret_reason = strerror(errno);
		return -errno;
	}
	memset(&token, 0, sizeof(token));
	reason = judge(fd);
	if (reason == NULL)
		reason = read_line(fd, &token);
	close(fd);
	if (reason == NULL)
		*ret_token = token;
	else
		*ret_reason = reason;
	token_wipe(&token);
	return reason == NULL ? 0 : -EPERM;
}

bool
token_equal(const struct token *token, const char *guess)
{
	size_t size = strlen(guess), i;
	char padded[TOKEN_LIMIT] = {0};
	volatile size_t difference = token->size ^ size;

	memcpy(padded, guess, size < TOKEN_LIMIT ? size : TOKEN_LIMIT);
	for (i = 0; i < TOKEN_LIMIT; i++)
		difference |= (unsigned char)(token->data[i] ^ padded[i]);
	explicit_bzero(padded, sizeof(padded));
	return difference == 0;
}

void
token_wipe(struct token *token)
{
	explicit_bzero(token, sizeof(*token));
}
