/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel: packets on their way, and their form: a header of 16 bytes that
 * says what it is and how long, then the payload.
 *
 * Whatever comes is checked, though both ends are ours: a worker runs the code
 * of others, which may write where it should not.  At most one descriptor is
 * taken from a packet; others are closed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/worker_channel.h"

#define MAGIC 0x6b726f77u /* "work" */

struct header {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;
	uint32_t id;
	uint32_t size;
};

#define PACKET_MAX (sizeof(struct header) + CHANNEL_PAYLOAD_MAX)
/* What somebody may send along at most, to be closed. */
#define DESCRIPTORS 16u

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
};

int
channel_pair(int ret_fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, ret_fds) < 0)
		return -errno;
	return 0;
}

/* --- sending ---------------------------------------------------------------
 */

static void
attach(struct msghdr *packet, union control *control, int fd)
{
	struct cmsghdr *first;

	packet->msg_control = control->bytes;
	packet->msg_controllen = CMSG_SPACE(sizeof(int));
	first = CMSG_FIRSTHDR(packet);
	first->cmsg_level = SOL_SOCKET;
	first->cmsg_type = SCM_RIGHTS;
	first->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(first), &fd, sizeof(fd));
}

int
channel_send(int fd, const struct channel_message *message)
{
	struct header header = {MAGIC, CHANNEL_VERSION, (uint16_t)message->kind,
	    message->id, (uint32_t)message->size};
	struct iovec parts[2] = {{&header, sizeof(header)}};
	struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
	union control control;
	ssize_t sent;

	if (message->size > CHANNEL_PAYLOAD_MAX)
		return -EMSGSIZE;
	/* sendmsg(2) does not write there. */
	memcpy(&parts[1].iov_base, &message->data, sizeof(message->data));
	parts[1].iov_len = message->size;
	if (message->fd >= 0) {
		memset(&control, 0, sizeof(control));
		attach(&packet, &control, message->fd);
	}
	do
		sent = sendmsg(fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* --- receiving -------------------------------------------------------------
 */

int
channel_parse(
    const void *packet, size_t size, struct channel_message *ret_message)
{
	struct header header;

	if (size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, packet, sizeof(header));
	if (header.magic != MAGIC || header.kind == 0 ||
	    header.kind >= CHANNEL_KINDS ||
	    header.size != size - sizeof(header) ||
	    header.size > CHANNEL_PAYLOAD_MAX ||
	    /* A hello is understood in every version: it tells it. */
	    (header.version != CHANNEL_VERSION && header.kind != CHANNEL_HELLO))
		return -EBADMSG;
	ret_message->kind = (enum channel_kind)header.kind;
	ret_message->id = header.id;
	ret_message->data = (const char *)packet + sizeof(header);
	ret_message->size = header.size;
	ret_message->fd = -1;
	return 0;
}

/* The first one; the rest is closed. */
static int
take_fd(struct msghdr *packet)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(packet);
	int taken = -1, fd;

	for (; part != NULL; part = CMSG_NXTHDR(packet, part)) {
		size_t size = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET ||
		    part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(fd) <= size; at += sizeof(fd)) {
			memcpy(&fd, CMSG_DATA(part) + at, sizeof(fd));
			if (taken < 0)
				taken = fd;
			else
				fd_close(&fd);
		}
	}
	return taken;
}

/* Bytes of the next packet, 0: the end; or a negative errno. */
static ssize_t
next_size(int fd)
{
	char none;
	ssize_t size;

	do
		size = recv(fd, &none, sizeof(none),
		    MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	while (size < 0 && errno == EINTR);
	if (size < 0 && errno == ECONNRESET)
		return 0;
	return size < 0 ? -errno : size;
}

static int
receive(int fd, size_t size, struct channel_inbox *inbox)
{
	struct iovec part = {inbox->packet, size};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
	union control control;
	ssize_t got;
	int taken;

	packet.msg_control = control.bytes;
	packet.msg_controllen = sizeof(control.bytes);
	do
		got = recvmsg(fd, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	taken = take_fd(&packet);
	if ((packet.msg_flags & MSG_TRUNC) != 0 ||
	    channel_parse(inbox->packet, (size_t)got, &inbox->message) < 0) {
		fd_close(&taken);
		return -EBADMSG;
	}
	inbox->message.fd = taken;
	return 0;
}

int
channel_receive(int fd, struct channel_inbox *ret_inbox)
{
	struct channel_inbox inbox = {.packet = NULL};
	ssize_t size = next_size(fd);
	int result;

	if (size <= 0)
		return size == 0 ? CHANNEL_E_CLOSED : (int)size;
	/* Too long: read what fits, and it does not parse. */
	if ((size_t)size > PACKET_MAX)
		size = sizeof(struct header);
	inbox.packet = malloc((size_t)size);
	if (inbox.packet == NULL)
		return -ENOMEM;
	result = receive(fd, (size_t)size, &inbox);
	if (result < 0) {
		free(inbox.packet);
		return result;
	}
	*ret_inbox = inbox;
	return 0;
}

void
channel_inbox_fini(struct channel_inbox *inbox)
{
	free(inbox->packet);
	inbox->packet = NULL;
	fd_close(&inbox->message.fd);
}

/* --- payloads --------------------------------------------------------------
 */

int
channel_read(
    const struct channel_message *message, void *ret_payload, size_t size)
{
	if (message->size < size)
		return -EBADMSG;
	memcpy(ret_payload, message->data, size);
	return 0;
}

int
channel_answer_begin(struct text *answer, int32_t result)
{
	return text_add(answer, (const char *)&result, sizeof(result));
}

int
channel_answer_add(
    struct text *answer, enum severity severity, const char *words)
{
	uint32_t head[2] = {(uint32_t)severity, (uint32_t)strlen(words)};

	/* What is too much for one packet is left out, whole. */
	if (answer->size + sizeof(head) + head[1] > CHANNEL_PAYLOAD_MAX)
		return 0;
	text_add(answer, (const char *)head, sizeof(head));
	return text_add(answer, words, head[1]);
}

int
channel_answer_read(const struct channel_message *message, int32_t *ret_result,
    struct channel_words *ret_words)
{
	if (channel_read(message, ret_result, sizeof(*ret_result)) < 0)
		return -EBADMSG;
	ret_words->at = (const char *)message->data + sizeof(*ret_result);
	ret_words->left = message->size - sizeof(*ret_result);
	return 0;
}

bool
channel_answer_next(struct channel_words *words, enum severity *ret_severity,
    const char **ret_text, size_t *ret_size)
{
	uint32_t head[2];

	if (words->left < sizeof(head))
		return false;
	memcpy(head, words->at, sizeof(head));
	if (head[0] > SEVERITY_NOTE || head[1] > words->left - sizeof(head))
		return false;
	*ret_severity = (enum severity)head[0];
	*ret_text = words->at + sizeof(head);
	*ret_size = head[1];
	words->at += sizeof(head) + head[1];
	words->left -= sizeof(head) + head[1];
	return true;
}
