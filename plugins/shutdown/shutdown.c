/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server_shutdown: ends the host when it is told to (C++NPv2, 4.4).  The
 * manual is berth-server-shutdown(8).
 *
 * Who may say so: root and the user of the host, over a Unix socket; and with
 * -i whoever writes to the host's standard input, as in the book.
 */
#include <berth/berth.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LINE_MOST 80

struct stopper {
	struct berth_handler handler; /* of standard input */
	struct berth_service *service;
	const char *word;
	int fd; /* -1: standard input is not read */
	char line[LINE_MOST];
	size_t size;
};

static const struct berth_frame_codec lines = {
    .kind = BERTH_FRAME_LINE, .size = LINE_MOST};

/* Whether it is the word. */
static int
obey(struct stopper *stopper, struct berth_bytes line, const char *who)
{
	if (line.size != strlen(stopper->word) ||
	    memcmp(line.data, stopper->word, line.size) != 0)
		return 0;
	berth_log(
	    stopper->service, BERTH_NOTICE, "told by %s to end the host", who);
	berth_shutdown(stopper->service);
	return 1;
}

/* --- connections -----------------------------------------------------------*/

static int
open_session(struct berth_session *session)
{
	uint32_t uid = 0, gid = 0;

	if (berth_peer_user(session, &uid, &gid) == 0 &&
	    (uid == 0 || uid == geteuid()))
		return 0;
	berth_printf(session, "this is not for you\n");
	berth_close(session);
	return 0;
}

static int
input(struct berth_session *session, struct berth_bytes in)
{
	struct stopper *stopper = session->service->state;
	struct berth_bytes line;
	char peer[128];
	int used, taken = 0;

	berth_peer(session, peer, sizeof(peer));
	while ((used = berth_frame_next(&lines, in, &line)) > 0) {
		if (obey(stopper, line, peer))
			berth_close(session);
		else
			berth_printf(session, "say %s\n", stopper->word);
		in = berth_bytes_from(in, (size_t)used);
		taken += used;
	}
	return used < 0 ? used : taken;
}

/* --- standard input --------------------------------------------------------*/

static void
take_lines(struct stopper *stopper)
{
	struct berth_bytes in = berth_bytes(stopper->line, stopper->size), line;
	int used;

	while ((used = berth_frame_next(&lines, in, &line)) > 0) {
		obey(stopper, line, "standard input");
		in = berth_bytes_from(in, (size_t)used);
	}
	/* A line that is too long is none. */
	if (used < 0 || in.size == sizeof(stopper->line))
		in.size = 0;
	memmove(stopper->line, in.data, in.size);
	stopper->size = in.size;
}

static int
on_input(struct berth_handler *handler, int fd)
{
	struct stopper *stopper = (struct stopper *)handler;
	ssize_t size = read(fd, stopper->line + stopper->size,
	    sizeof(stopper->line) - stopper->size);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (size == 0)
		return -1;
	stopper->size += (size_t)size;
	take_lines(stopper);
	return 0;
}

static const struct berth_handler_type handler_type = {.input = on_input};

static int
watch_input(struct stopper *stopper)
{
	int result;

	/* Its flags are shared with others; level-triggered reading does not
	 * wait for what is there. */
	stopper->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	if (stopper->fd < 0)
		return berth_fail(stopper->service, errno, "standard input: %s",
		    strerror(errno));
	stopper->handler.type = &handler_type;
	result = berth_add(
	    stopper->service, &stopper->handler, stopper->fd, BERTH_READ);
	if (result != 0)
		close(stopper->fd);
	return result;
}

/* --- the service -----------------------------------------------------------*/

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct stopper *stopper = service->state;
	int reads = 0;

	stopper->service = service;
	stopper->fd = -1;
	stopper->word = "quit";
	for (int at = 1; at < argc; at++) {
		if (strcmp(argv[at], "-i") == 0)
			reads = 1;
		else if (strcmp(argv[at], "-w") == 0 && at + 1 < argc &&
			 strlen(argv[at + 1]) < LINE_MOST)
			stopper->word = argv[++at];
		else
			return berth_fail(service, EINVAL,
			    "'%s': -i, or -w and a word, is expected",
			    argv[at]);
	}
	if (reads)
		return watch_input(stopper);
	if (berth_endpoints(service) == 0)
		return berth_fail(service, EINVAL,
		    "it has no `listen`, and does not read standard input "
		    "(-i)");
	return 0;
}

static void
fini(struct berth_service *service)
{
	struct stopper *stopper = service->state;

	if (stopper->fd < 0)
		return;
	berth_remove(service, stopper->fd, BERTH_IO_EVENTS | BERTH_DONT_CALL);
	close(stopper->fd);
}

BERTH_SERVICE(make_server_shutdown, .summary = "ends the host when told to",
    .flags = BERTH_EPHEMERAL, .state_size = sizeof(struct stopper),
    .init = init, .fini = fini,
    .session = {.open = open_session, .input = input});
