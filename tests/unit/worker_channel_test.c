/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel: what arrives of what a host and a worker say, what is refused.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/unit.h"
#include "worker/worker_channel.h"

struct pair {
	int fd[2];
};

static void
open_pair(struct pair *pair)
{
	assert_int_equal(channel_pair(pair->fd), 0);
}

static void
close_pair(struct pair *pair)
{
	fd_close(&pair->fd[0]);
	fd_close(&pair->fd[1]);
}

static void
test_a_message_arrives_whole(void **state)
{
	static char payload[CHANNEL_PAYLOAD_MAX];
	const size_t sizes[] = {0, 1, 4096, CHANNEL_PAYLOAD_MAX};
	struct pair pair;

	(void)state;
	open_pair(&pair);
	memset(payload, 'x', sizeof(payload));
	for (size_t i = 0; i < BASE_COUNT(sizes); i++) {
		const struct channel_message sent = {
		    .kind = CHANNEL_APPLY,
		    .id = 7,
		    .data = payload,
		    .size = sizes[i],
		    .fd = -1,
		};
		struct channel_inbox inbox;

		assert_int_equal(channel_send(pair.fd[0], &sent), 0);
		assert_int_equal(channel_receive(pair.fd[1], &inbox), 0);
		assert_int_equal(inbox.message.kind, CHANNEL_APPLY);
		assert_int_equal(inbox.message.id, 7);
		assert_int_equal(inbox.message.size, sizes[i]);
		assert_int_equal(inbox.message.fd, -1);
		assert_memory_equal(inbox.message.data, payload, sizes[i]);
		channel_inbox_fini(&inbox);
	}
	close_pair(&pair);
}

static void
test_too_much_is_not_sent(void **state)
{
	static char payload[CHANNEL_PAYLOAD_MAX + 1];
	const struct channel_message message = {
	    .kind = CHANNEL_APPLY,
	    .data = payload,
	    .size = sizeof(payload),
	    .fd = -1,
	};
	struct pair pair;

	(void)state;
	open_pair(&pair);
	assert_int_equal(channel_send(pair.fd[0], &message), -EMSGSIZE);
	close_pair(&pair);
}

static void
test_descriptors_go_along(void **state)
{
	struct channel_message message = {.kind = CHANNEL_SOCKET};
	struct channel_inbox inbox;
	struct pair pair;
	int ends[2];
	char byte = 0;

	(void)state;
	open_pair(&pair);
	assert_int_equal(pipe(ends), 0);
	message.fd = ends[1];
	assert_int_equal(channel_send(pair.fd[0], &message), 0);
	assert_int_equal(channel_receive(pair.fd[1], &inbox), 0);
	assert_true(inbox.message.fd >= 0);
	assert_int_equal(
	    fcntl(inbox.message.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(write(inbox.message.fd, "x", 1), 1);
	channel_inbox_fini(&inbox);
	assert_int_equal(inbox.message.fd, -1);
	close(ends[1]);
	/* It was the only other copy: the pipe ends behind the byte. */
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	close_pair(&pair);
}

static void
test_nothing_waits(void **state)
{
	const struct channel_message message = {.kind = CHANNEL_PING, .fd = -1};
	struct channel_inbox inbox;
	struct pair pair;
	int result = 0;

	(void)state;
	open_pair(&pair);
	assert_int_equal(channel_receive(pair.fd[1], &inbox), -EAGAIN);
	while (result == 0)
		result = channel_send(pair.fd[0], &message);
	assert_int_equal(result, -EAGAIN);
	fd_close(&pair.fd[0]);
	while (channel_receive(pair.fd[1], &inbox) == 0)
		channel_inbox_fini(&inbox);
	assert_int_equal(channel_receive(pair.fd[1], &inbox), CHANNEL_E_CLOSED);
	close_pair(&pair);
}

/* A packet as it is on its way. */
struct raw {
	uint32_t magic;
	uint16_t version, kind;
	uint32_t id, size;
	char payload[8];
};

static const struct {
	const char *what;
	struct raw raw;
	size_t bytes;
} bad[] = {
    {"short", {0x6b726f77, 1, 1, 0, 0, ""}, 15},
    {"magic", {0x6b726f78, 1, 1, 0, 0, ""}, 16},
    {"kind 0", {0x6b726f77, 1, 0, 0, 0, ""}, 16},
    {"unknown kind", {0x6b726f77, 1, CHANNEL_KINDS, 0, 0, ""}, 16},
    {"longer than it says", {0x6b726f77, 1, 1, 0, 4, ""}, 24},
    {"shorter than it says", {0x6b726f77, 1, 1, 0, 9, ""}, 24},
    {"version", {0x6b726f77, 2, CHANNEL_BEAT, 0, 8, ""}, 24},
};

static void
test_what_is_no_message(void **state)
{
	const struct channel_message good = {.kind = CHANNEL_PING, .fd = -1};
	struct channel_inbox inbox;
	struct pair pair;

	(void)state;
	open_pair(&pair);
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		assert_int_equal(send(pair.fd[0], &bad[i].raw, bad[i].bytes, 0),
		    bad[i].bytes);
		assert_int_equal(channel_receive(pair.fd[1], &inbox), -EBADMSG);
	}
	/* The next one is. */
	assert_int_equal(channel_send(pair.fd[0], &good), 0);
	assert_int_equal(channel_receive(pair.fd[1], &inbox), 0);
	channel_inbox_fini(&inbox);
	close_pair(&pair);
}

static void
test_a_hello_is_understood_in_every_version(void **state)
{
	const struct raw hello = {
	    0x6b726f77, 9, CHANNEL_HELLO, 0, 8, "versions"};
	struct channel_message message;

	(void)state;
	assert_int_equal(channel_parse(&hello, 24, &message), 0);
	assert_int_equal(message.kind, CHANNEL_HELLO);
}

static void
test_answers(void **state)
{
	struct channel_message message = {.kind = CHANNEL_ANSWER};
	struct channel_words words;
	enum severity severity;
	const char *text;
	size_t size;
	int32_t result = 0;
	AUTO_TEXT answer;

	(void)state;
	text_init(&answer);
	channel_answer_begin(&answer, -5);
	channel_answer_add(&answer, SEVERITY_ERROR, "one");
	channel_answer_add(&answer, SEVERITY_WARNING, "");
	message.data = answer.data;
	message.size = answer.size;
	assert_int_equal(channel_answer_read(&message, &result, &words), 0);
	assert_int_equal(result, -5);
	assert_true(channel_answer_next(&words, &severity, &text, &size));
	assert_int_equal(severity, SEVERITY_ERROR);
	assert_int_equal(size, 3);
	assert_memory_equal(text, "one", 3);
	assert_true(channel_answer_next(&words, &severity, &text, &size));
	assert_int_equal(severity, SEVERITY_WARNING);
	assert_int_equal(size, 0);
	assert_false(channel_answer_next(&words, &severity, &text, &size));
	message.size = 3;
	assert_int_equal(
	    channel_answer_read(&message, &result, &words), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_message_arrives_whole),
	    cmocka_unit_test(test_too_much_is_not_sent),
	    cmocka_unit_test(test_descriptors_go_along),
	    cmocka_unit_test(test_nothing_waits),
	    cmocka_unit_test(test_what_is_no_message),
	    cmocka_unit_test(test_a_hello_is_understood_in_every_version),
	    cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
