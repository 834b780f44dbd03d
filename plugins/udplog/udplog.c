/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udplog: each datagram is a line of the host's log, with who sent it.
 *
 *	[-l LEVEL] [-n BYTES]
 *
 * Nobody is answered.  A datagram is a line whatever is in it: what ends it is
 * left off, what cannot be printed is escaped by the host, and what is longer
 * than -n is cut and marked.
 */
#include <berth/berth.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_BYTES 1024u
#define LINE_BYTES_MOST 8192u
#define PEER_BYTES 128u

struct udplog {
	size_t size; /* of a line, at most */
	int level;
};

static int
take_level(struct berth_service *service, const char *word)
{
	static const struct {
		const char *word;
		int level;
	} levels[] = {{"error", BERTH_ERROR}, {"warning", BERTH_WARNING},
	    {"notice", BERTH_NOTICE}, {"info", BERTH_INFO},
	    {"debug", BERTH_DEBUG}};
	struct udplog *udplog = service->state;

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i].word, word) == 0) {
			udplog->level = levels[i].level;
			return 0;
		}
	return berth_fail(service, EINVAL,
	    "-l: error, warning, notice, info or debug, not '%s'", word);
}

static int
take_size(struct berth_service *service, const char *word)
{
	struct udplog *udplog = service->state;
	char *end;
	long size = strtol(word, &end, 10);

	if (end == word || *end != '\0' || size < 1 || size > LINE_BYTES_MOST)
		return berth_fail(service, EINVAL,
		    "-n: a number from 1 to %u, not '%s'", LINE_BYTES_MOST,
		    word);
	udplog->size = (size_t)size;
	return 0;
}

static int
udplog_init(struct berth_service *service, int argc, char **argv)
{
	struct udplog *udplog = service->state;
	int result = 0;

	udplog->size = LINE_BYTES;
	udplog->level = BERTH_INFO;
	for (int at = 1; at < argc && result == 0; at += 2) {
		if (strcmp(argv[at], "-l") != 0 && strcmp(argv[at], "-n") != 0)
			return berth_fail(service, EINVAL,
			    "there is no option '%s'", argv[at]);
		if (at + 1 == argc)
			return berth_fail(service, EINVAL,
			    "option %s needs a value", argv[at]);
		result = argv[at][1] == 'l' ? take_level(service, argv[at + 1])
					    : take_size(service, argv[at + 1]);
	}
	return result;
}

/* What ends a line is left off; its size. */
static size_t
make_line(const char *text, size_t size, char *line)
{
	while (size > 0 && strchr("\r\n", text[size - 1]) != NULL)
		size--; /* a NUL, too */
	for (size_t i = 0; i < size; i++)
		line[i] = text[i] != '\0' ? text[i] : ' ';
	return size;
}

static int
udplog_datagram(struct berth_session *session, struct berth_bytes in)
{
	struct udplog *udplog = session->service->state;
	char line[LINE_BYTES_MOST], peer[PEER_BYTES] = "somebody";
	bool cut = in.size > udplog->size;
	size_t size = make_line(in.data, cut ? udplog->size : in.size, line);

	berth_peer(session, peer, sizeof(peer));
	berth_log(session->service, udplog->level, "%s: %.*s%s", peer,
	    (int)size, line, cut ? " ..." : "");
	return 0;
}

BERTH_SERVICE(make_udplog, .summary = "logs datagrams",
    .state_size = sizeof(struct udplog), .init = udplog_init,
    .session = {.datagram = udplog_datagram});
