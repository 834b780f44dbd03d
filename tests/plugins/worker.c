/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does what its client says, a word a session: for tests of workers.
 *
 *   pid                 says its process
 *   segv abort exit     ends the process so
 *   hang                never returns
 *   bomb                takes memory until there is none
 *   say WORDS           writes to standard error
 *   socket              says the errno of making one, or 0
 *   open PATH           says the errno of reading it, or 0
 *   anything else       is echoed
 *
 * Its argument: `fail` refuses the start with words, `die` aborts it, `slow`
 * never ends it, `listen` asks for an endpoint of its own.
 */
#include <berth/berth.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int
start(struct berth_service *service, int argc, char **argv)
{
	if (argc < 2)
		return 0;
	if (strcmp(argv[1], "fail") == 0)
		return berth_fail(
		    service, EINVAL, "it says '%s'", argv[argc - 1]);
	if (strcmp(argv[1], "die") == 0) {
		fprintf(stderr, "now it dies\n");
		abort();
	}
	while (strcmp(argv[1], "slow") == 0)
		pause();
	if (strcmp(argv[1], "listen") == 0)
		return berth_listen(service, "tcp:127.0.0.1:0");
	return 0;
}

static void
bomb(void)
{
	for (;;) {
		volatile char *block = malloc(1 << 20);

		/* Without memory it has nothing left to do. */
		if (block == NULL)
			abort();
		block[0] = 1;
	}
}

static void
obey(const char *word)
{
	static volatile int for_ever = 1;

	if (strcmp(word, "segv") == 0)
		(void)raise(SIGSEGV);
	if (strcmp(word, "abort") == 0)
		abort();
	if (strcmp(word, "exit") == 0)
		_exit(0);
	if (strcmp(word, "bomb") == 0)
		bomb();
	while (strcmp(word, "hang") == 0 && for_ever)
		continue;
	if (strncmp(word, "say ", 4) == 0)
		fprintf(stderr, "%s\n", word + 4);
}

static int
try_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int
try_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int
input(struct berth_session *session, struct berth_bytes in)
{
	char word[256] = "";
	size_t size = in.size < sizeof(word) ? in.size : sizeof(word) - 1;

	memcpy(word, in.data, size);
	word[strcspn(word, "\n")] = '\0';
	if (strcmp(word, "pid") == 0) {
		(void)berth_printf(session, "%ld\n", (long)getpid());
		return (int)in.size;
	}
	if (strncmp(word, "open ", 5) == 0) {
		(void)berth_printf(session, "%d\n", try_open(word + 5));
		return (int)in.size;
	}
	if (strcmp(word, "socket") == 0) {
		(void)berth_printf(session, "%d\n", try_socket());
		return (int)in.size;
	}
	obey(word);
	return berth_write(session, in);
}

BERTH_SERVICE(make_worker, .init = start, .session = {.input = input});
