/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes what a worker may say: whatever the bytes, a message lies within
 * them, and so do the words of an answer.
 */
#include "fuzz/fuzz.h"

#include "worker/worker_channel.h"

static void
walk_answer(const struct channel_message *message)
{
	const char *end = (const char *)message->data + message->size;
	struct channel_words words;
	enum severity severity;
	const char *text;
	int32_t result;
	size_t size;

	if (channel_answer_read(message, &result, &words) < 0)
		return;
	while (channel_answer_next(&words, &severity, &text, &size)) {
		BASE_ASSERT(severity <= SEVERITY_NOTE);
		BASE_ASSERT(text + size <= end);
		BASE_ASSERT(words.at + words.left == end);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct channel_message message;
	struct channel_hello hello;
	struct channel_beat beat;
	struct channel_connection connection;
	const char *first = (const char *)data;

	if (channel_parse(data, size, &message) < 0)
		return 0;
	BASE_ASSERT(message.kind > 0 && message.kind < CHANNEL_KINDS);
	BASE_ASSERT((const char *)message.data + message.size == first + size);
	BASE_ASSERT(message.size <= CHANNEL_PAYLOAD_MAX && message.fd == -1);
	(void)channel_read(&message, &hello, sizeof(hello));
	(void)channel_read(&message, &beat, sizeof(beat));
	(void)channel_read(&message, &connection, sizeof(connection));
	walk_answer(&message);
	return 0;
}
