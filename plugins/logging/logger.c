/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * berth-logger: sends log records to a logging server or its local relay.
 * The manual is berth-logger(1).
 *
 * The words are one record; without words, each line of standard input is.
 * A text that is longer than a record may be becomes several.  It ends when the
 * server has closed the connection too, which it does after it has read all.
 *
 * Exit status: 0, 1 when something was not sent, 2 for a mistake in the words.
 */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "record.h"

#define TEXT_MOST (RECORD_MOST - RECORD_HEADER_BYTES - RECORD_WIDE_BYTES)
#define WAIT_MS 10000

struct logger {
	const char *host, *port, *path;
	struct record record;
	size_t size; /* of what waits in buffer */
	int fd;
	char buffer[2 * RECORD_MOST];
};

static int
complain(const char *what, const char *why)
{
	fprintf(stderr, "berth-logger: %s: %s\n", what, why);
	return 1;
}

static void
usage(FILE *out)
{
	fputs("usage: berth-logger [-bw] [-h HOST] [-i PID] [-p PORT]"
	      " [-t PRIORITY] [-u PATH] [WORD ...]\n",
	    out);
}

/* --- the connection --- */

static int
open_unix(struct logger *logger)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	const void *any = &where;
	size_t size = strlen(logger->path);

	if (size >= sizeof(where.sun_path))
		return complain(logger->path, strerror(ENAMETOOLONG));
	memcpy(where.sun_path, logger->path, size);
	logger->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (logger->fd < 0 || connect(logger->fd, any, sizeof(where)) != 0)
		return complain(logger->path, strerror(errno));
	return 0;
}

static int
open_inet(struct logger *logger)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found, *each;
	int result = getaddrinfo(logger->host, logger->port, &wanted, &found);
	int error = 0;

	if (result == EAI_SERVICE && strcmp(logger->port, "ace_logger") == 0)
		result = getaddrinfo(logger->host, "9700", &wanted, &found);
	if (result != 0)
		return complain(logger->host, gai_strerror(result));
	for (each = found; each != NULL && logger->fd < 0;
	     each = each->ai_next) {
		int fd = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd >= 0 &&
		    connect(fd, each->ai_addr, each->ai_addrlen) == 0) {
			logger->fd = fd;
			continue;
		}
		error = errno;
		if (fd >= 0)
			close(fd);
	}
	freeaddrinfo(found);
	return logger->fd >= 0 ? 0 : complain(logger->host, strerror(error));
}

static int
flush(struct logger *logger)
{
	size_t at = 0;

	while (at < logger->size) {
		ssize_t sent = send(logger->fd, logger->buffer + at,
		    logger->size - at, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return complain("not sent", strerror(errno));
		at += sent > 0 ? (size_t)sent : 0;
	}
	logger->size = 0;
	return 0;
}

/* Until the server has read all and closed. */
static int
finish(struct logger *logger)
{
	struct pollfd wait = {.fd = logger->fd, .events = POLLIN};
	char any[64];
	ssize_t size;

	if (flush(logger) != 0)
		return 1;
	if (shutdown(logger->fd, SHUT_WR) != 0)
		return complain("not sent", strerror(errno));
	do {
		int ready = poll(&wait, 1, WAIT_MS);

		if (ready == 0)
			return complain("not sent", "the server is silent");
		size = ready > 0 ? recv(logger->fd, any, sizeof(any), 0) : -1;
	} while (size > 0 || (size < 0 && errno == EINTR));
	return size == 0 ? 0 : complain("not sent", strerror(errno));
}

/* --- records --- */

static int
put_piece(struct logger *logger, const char *text, size_t size)
{
	struct timespec now;
	size_t whole;

	if (sizeof(logger->buffer) - logger->size < RECORD_MOST &&
	    flush(logger) != 0)
		return 1;
	clock_gettime(CLOCK_REALTIME, &now);
	logger->record.secs = now.tv_sec;
	logger->record.usecs = (int32_t)(now.tv_nsec / 1000);
	logger->record.text = text;
	logger->record.text_size = (uint32_t)size;
	if (record_encode(&logger->record, logger->buffer + logger->size,
		sizeof(logger->buffer) - logger->size, &whole) != 0)
		return complain("not sent", strerror(EMSGSIZE));
	logger->size += whole;
	return 0;
}

static int
put_text(struct logger *logger, const char *text, size_t size)
{
	int result;

	do {
		size_t piece = size < TEXT_MOST ? size : TEXT_MOST;

		result = put_piece(logger, text, piece);
		text += piece;
		size -= piece;
	} while (result == 0 && size > 0);
	return result;
}

static int
send_words(struct logger *logger, char **words)
{
	size_t size = 0;
	char *text;
	int result;

	for (char **word = words; *word != NULL; word++)
		size += strlen(*word) + 1;
	text = calloc(1, size + 1);
	if (text == NULL)
		return complain("not sent", strerror(ENOMEM));
	for (char **word = words; *word != NULL; word++) {
		strcat(text, *word);
		if (word[1] != NULL)
			strcat(text, " ");
	}
	result = put_text(logger, text, strlen(text));
	free(text);
	return result;
}

static int
send_lines(struct logger *logger)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t size;
	int result = 0;

	while (result == 0 && (size = getline(&line, &room, stdin)) >= 0) {
		if (size > 0 && line[size - 1] == '\n')
			size--;
		result = put_text(logger, line, (size_t)size);
		/* Somebody who types sees each line arrive. */
		if (result == 0 && isatty(STDIN_FILENO))
			result = flush(logger);
	}
	free(line);
	if (result == 0 && ferror(stdin))
		result = complain("standard input", strerror(errno));
	return result;
}

/* --- the words --- */

/* 0, or the exit status plus one. */
static int
take_option(struct logger *logger, int letter)
{
	switch (letter) {
	case 'b':
		logger->record.form &= ~RECORD_LITTLE;
		return 0;
	case 'h':
		logger->host = optarg;
		return 0;
	case 'i':
		logger->record.pid = (int32_t)strtol(optarg, NULL, 10);
		return 0;
	case 'p':
		logger->port = optarg;
		return 0;
	case 't':
		if (record_type_of(optarg, &logger->record.type) == 0)
			return 0;
		complain(optarg, "no priority such as INFO or ERROR");
		return 3;
	case 'u':
		logger->path = optarg;
		return 0;
	case 'w':
		logger->record.form |= RECORD_WIDE;
		return 0;
	case '?':
	default:
		usage(stderr);
		return 3;
	}
}

int
main(int argc, char **argv)
{
	struct logger *logger = calloc(1, sizeof(*logger));
	int letter, result = 0;

	if (logger == NULL)
		return complain("no memory", strerror(errno));
	logger->host = "localhost";
	logger->port = "ace_logger";
	logger->fd = -1;
	logger->record.form = record_native_form();
	logger->record.pid = getppid();
	record_type_of("INFO", &logger->record.type);
	while (
	    result == 0 && (letter = getopt(argc, argv, "+bh:i:p:t:u:w")) != -1)
		result = take_option(logger, letter);
	if (result == 0) {
		result = logger->path != NULL ? open_unix(logger)
					      : open_inet(logger);
		if (result == 0)
			result = argv[optind] != NULL
				     ? send_words(logger, argv + optind)
				     : send_lines(logger);
		if (result == 0)
			result = finish(logger);
	} else {
		result--;
	}
	if (logger->fd >= 0)
		close(logger->fd);
	free(logger);
	return result;
}
