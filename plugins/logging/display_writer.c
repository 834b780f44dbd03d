/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writer: the module at the end, which writes what comes to a file, from a
 * thread of its own.
 *
 * All blocks of a message are one writev(2), so that lines of several writers
 * do not mix.  What was written is handed on: behind the last module a stream
 * releases it.  A BERTH_MB_STOP ends the thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "display.h"

#define PARTS_MOST 64

struct writer {
	int fd;
};

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct writer *writer = service->state;

	if (argc != 2)
		return berth_fail(service, EINVAL,
		    "it writes one file; '-' is standard output");
	if (strcmp(argv[1], "-") == 0)
		writer->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	else
		writer->fd = open(argv[1],
		    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
	if (writer->fd < 0)
		return berth_fail(
		    service, errno, "%s: %s", argv[1], strerror(errno));
	return 0;
}

static void
fini(struct berth_service *service)
{
	const struct writer *writer = service->state;

	close(writer->fd);
}

/* Takes so much off what is to be written. */
static void
advance(struct iovec **part, int *count, size_t written)
{
	while (*count > 0 && written >= (*part)->iov_len) {
		written -= (*part)->iov_len;
		++*part;
		--*count;
	}
	if (*count > 0) {
		(*part)->iov_base = (char *)(*part)->iov_base + written;
		(*part)->iov_len -= written;
	}
}

/* 0 or a negative errno. */
static int
write_parts(int fd, struct iovec *part, int count)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};

	advance(&part, &count, 0);
	while (count > 0) {
		ssize_t written = writev(fd, part, count);

		if (written >= 0)
			advance(&part, &count, (size_t)written);
		else if (errno == EAGAIN)
			poll(&wait, 1, -1);
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int
write_message(int fd, const struct berth_message *m)
{
	struct iovec parts[PARTS_MOST];
	int result = 0;

	while (m != NULL && result == 0) {
		int count = 0;

		for (; m != NULL && count < PARTS_MOST; m = m->cont, count++) {
			parts[count].iov_base = m->read;
			parts[count].iov_len = berth_message_length(m);
		}
		result = write_parts(fd, parts, count);
	}
	return result;
}

static void
run(struct berth_side *side)
{
	const struct writer *writer = side->module->state;
	struct berth_message *m;
	int stop = 0, before = 0;

	while (!stop && berth_getq(side, &m, BERTH_WAIT) == 0) {
		int result = write_message(writer->fd, m);

		/* Said once, until something is written again. */
		if (result != 0 && result != before)
			berth_log(side->module, BERTH_ERROR, "not written: %s",
			    strerror(-result));
		before = result;
		stop = m->type == BERTH_MB_STOP;
		if (berth_put_next(side, m, BERTH_WAIT) != 0)
			berth_message_release(m);
	}
}

BERTH_MODULE(make_writer, .summary = "writes lines to a file",
    .state_size = sizeof(struct writer), .init = init, .fini = fini,
    .down = {.svc = run});
