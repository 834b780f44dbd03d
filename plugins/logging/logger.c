/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * berth-logger: sends log records to a logging server or its local relay.
 * The manual is berth-logger(1).
 *
 * The words are one record; without words, each line of standard input is.
 * It ends when the server has closed the connection too, which it does after
 * it has read all.
 *
 * Exit status: 0, 1 when something was not sent, 2 for a mistake in the words.
 */
#include <berth/log_client.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"

struct logger {
	struct berth_log_options options;
	struct berth_log_client *client;
	uint32_t priority;
};

static int
complain(const char *what, int error)
{
	const char *why = error == -ENXIO	? "there is no such host"
			  : error == -ETIMEDOUT ? "the server is silent"
						: strerror(-error);

	fprintf(stderr, "berth-logger: %s: %s\n", what, why);
	return 1;
}

/* 0 or the exit status. */
static int
put(struct logger *logger, const char *text, size_t size)
{
	int result = berth_log_client_send(
	    logger->client, logger->priority, text, size);

	return result == 0 ? 0 : complain("not sent", result);
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
		return complain("not sent", -ENOMEM);
	for (char **word = words; *word != NULL; word++) {
		strcat(text, *word);
		if (word[1] != NULL)
			strcat(text, " ");
	}
	result = put(logger, text, strlen(text));
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
		result = put(logger, line, (size_t)size);
		/* Somebody who types sees each line arrive. */
		if (result == 0 && isatty(STDIN_FILENO) &&
		    berth_log_client_flush(logger->client) != 0)
			break;
	}
	free(line);
	if (result == 0 && ferror(stdin))
		result = complain("standard input", -errno);
	return result;
}

/* 0 or the exit status. */
static int
run(struct logger *logger, char **words)
{
	const struct berth_log_options *options = &logger->options;
	int result = berth_log_client_open(options, &logger->client), error;

	if (result != 0)
		return complain(options->path != NULL	? options->path
				: options->host != NULL ? options->host
							: "localhost",
		    result);
	result = *words != NULL ? send_words(logger, words)
				: send_lines(logger);
	error = berth_log_client_close(logger->client);
	if (result == 0 && error != 0)
		result = complain("not sent", error);
	return result;
}

/* --- the words -------------------------------------------------------------*/

/* 0 or the exit status. */
static int
take_option(struct logger *logger, int letter)
{
	struct berth_log_options *options = &logger->options;

	switch (letter) {
	case 'b':
		options->flags |= BERTH_LOG_BIG_ENDIAN;
		return 0;
	case 'h':
		options->host = optarg;
		return 0;
	case 'i':
		options->pid = (int32_t)strtol(optarg, NULL, 10);
		return 0;
	case 'p':
		options->port = optarg;
		return 0;
	case 't':
		if (record_type_of(optarg, &logger->priority) == 0)
			return 0;
		fprintf(stderr,
		    "berth-logger: %s: no priority such as INFO or ERROR\n",
		    optarg);
		return 2;
	case 'u':
		options->path = optarg;
		return 0;
	case 'w':
		options->flags |= BERTH_LOG_WIDE;
		return 0;
	case '?':
	default:
		fputs("usage: berth-logger [-bw] [-h HOST] [-i PID] [-p PORT]"
		      " [-t PRIORITY] [-u PATH] [WORD ...]\n",
		    stderr);
		return 2;
	}
}

int
main(int argc, char **argv)
{
	struct logger logger = {
	    .options = {.pid = getppid()}, .priority = BERTH_LOG_INFO};
	int letter, result = 0;

	while (
	    result == 0 && (letter = getopt(argc, argv, "+bh:i:p:t:u:w")) != -1)
		result = take_option(&logger, letter);
	return result == 0 ? run(&logger, argv + optind) : result;
}
