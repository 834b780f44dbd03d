/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main: berthctl's process: its character set, its standard descriptors, what
 * it writes and the exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"

/* No connection gets the number of a stream that the caller has closed. */
static void
open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* The host's texts are UTF-8 whatever the user's locale is. */
static void
set_characters(void)
{
	const char *set = setlocale(LC_CTYPE, "") == NULL
			      ? ""
			      : nl_langinfo(CODESET);

	if (strcmp(set, "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

static int
write_all(int fd, const struct text *text)
{
	size_t at = 0;
	ssize_t size;

	while (at < text->size) {
		size = write(fd, text->data + at, text->size - at);
		if (size >= 0)
			at += (size_t)size;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Messages come first, so that a long output does not hide them. */
static enum client_status
say(struct client *client, enum client_status status)
{
	int result;

	write_all(STDERR_FILENO, &client->err);
	result = write_all(STDOUT_FILENO, &client->out);
	if (result == 0)
		return status;
	text_reset(&client->err);
	client_tell(client, "standard output: %s", strerror(-result));
	write_all(STDERR_FILENO, &client->err);
	return CLIENT_FAILED;
}

int
main(int argc, char **argv)
{
	enum client_status status;
	struct client client;

	open_standard();
	set_characters();
	client_init(&client);
	screen_init(&client.screen, STDOUT_FILENO);
	status = say(&client, client_run(&client, argc, argv));
	client_fini(&client);
	return (int)status;
}
