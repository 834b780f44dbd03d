/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The well-behaved plugin.  It tells each hook with its arguments, as a line
 *
 *	NAME init <first><second>
 *
 * in the log or, when its first argument is an absolute path, at the end of
 * that file.  It serves echo on connections and datagrams.  Words among its
 * arguments:
 *
 *	fail         init fails
 *	rfail        resume fails
 *	listen=X     serves the endpoint X as well
 *	state=X      X is told by info
 *
 * make_good and _make_Svc are two names of it, for `good:make_good()` and for
 * the conformance list, which says `plug:_make_Svc()`.
 */
#include <berth/berth.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct good {
	const char *file; /* NULL: the log */
	const char *info;
	int resume_fails;
	unsigned sessions;
};

static void
tell(struct berth_service *service, const char *what, const char *arguments)
{
	struct good *good = service->state;
	char line[1024];
	int fd, size;

	if (!good->file) {
		berth_log(service, BERTH_NOTICE, "%s%s", what, arguments);
		return;
	}
	size = snprintf(
	    line, sizeof(line), "%s %s%s\n", service->name, what, arguments);
	if (size >= (int)sizeof(line))
		size = (int)sizeof(line) - 1;
	fd = open(good->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)size) != size)
		berth_log(service, BERTH_ERROR, "%s: %s", good->file,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
}

static int
take_argument(struct berth_service *service, const char *word)
{
	struct good *good = service->state;

	if (strcmp(word, "fail") == 0)
		return berth_fail(service, EINVAL, "told to fail");
	if (strcmp(word, "rfail") == 0)
		good->resume_fails = 1;
	if (strncmp(word, "listen=", 7) == 0)
		return berth_listen(service, word + 7);
	if (strncmp(word, "state=", 6) == 0)
		good->info = word + 6;
	return 0;
}

static int
good_init(struct berth_service *service, int argc, char **argv)
{
	struct good *good = service->state;
	char all[512] = " ";
	size_t size = 1;
	int i, r = 0;

	if (argc > 1 && argv[1][0] == '/')
		good->file = argv[1];
	for (i = good->file ? 2 : 1; i < argc && size < sizeof(all); i++)
		size += (size_t)snprintf(
		    all + size, sizeof(all) - size, "<%s>", argv[i]);
	tell(service, "init", size > 1 ? all : "");
	for (i = 1; i < argc && r >= 0; i++)
		r = take_argument(service, argv[i]);
	return r;
}

static void
good_fini(struct berth_service *service)
{
	tell(service, "fini", "");
}

static void
good_suspend(struct berth_service *service)
{
	tell(service, "suspend", "");
}

static int
good_resume(struct berth_service *service)
{
	struct good *good = service->state;

	tell(service, "resume", "");
	if (good->resume_fails)
		return berth_fail(service, EIO, "told to fail");
	return 0;
}

static void
good_info(struct berth_service *service, struct berth_text *text)
{
	struct good *good = service->state;

	(void)berth_text_printf(text, "%s, %u sessions",
	    good->info ? good->info : "good", good->sessions);
}

static int
good_open(struct berth_session *session)
{
	((struct good *)session->service->state)->sessions++;
	return 0;
}

static int
good_echo(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

static void
good_closed(struct berth_session *session, int reason)
{
	(void)reason;
	((struct good *)session->service->state)->sessions--;
}

#define GOOD(symbol)                                                           \
	BERTH_SERVICE(symbol, .summary = "the well-behaved test plugin",       \
	    .state_size = sizeof(struct good), .init = good_init,              \
	    .fini = good_fini, .suspend = good_suspend, .resume = good_resume, \
	    .info = good_info,                                                 \
	    .session = {.open = good_open,                                     \
		.input = good_echo,                                            \
		.closed = good_closed,                                         \
		.datagram = good_echo})

GOOD(make_good);
GOOD(_make_Svc);
