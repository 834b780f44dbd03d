/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of a manager's reply.
 *
 * A script reads lines until one begins with OK or ERR: there is exactly one,
 * and it is the last.  An error is summed up on it by the first line of the
 * text that is not indented; if there are more, all of them come before.
 */
#include "services_priv.h"

#define JSON_BEGIN(status)                                                     \
	((status) == 0 ? "{\"ok\":true,\"result\":"                            \
		       : "{\"ok\":false,\"error\":")

struct part {
	const char *at;
	size_t size; /* without the newline */
};

/* Cuts the first line off the text; false at its end. */
static bool
next_line(struct berth_bytes *text, struct part *ret_line)
{
	const char *at = text->data, *end;
	size_t size;

	if (text->size == 0)
		return false;
	end = memchr(at, '\n', text->size);
	size = end == NULL ? text->size : (size_t)(end - at);
	*ret_line = (struct part){at, size};
	size = end == NULL ? size : size + 1;
	*text = berth_bytes(at + size, text->size - size);
	return true;
}

static bool
begins(const struct part *line, const char *word)
{
	size_t size = strlen(word);

	return line->size >= size && memcmp(line->at, word, size) == 0;
}

static int
add_line(struct outbox *outbox, const char *before, const struct part *line)
{
	int result;

	result = outbox_add(outbox, berth_str(before));
	if (result == 0)
		result = outbox_add(outbox, berth_bytes(line->at, line->size));
	if (result == 0)
		result = outbox_add(outbox, berth_str("\n"));
	return result;
}

static int
add_body(struct outbox *outbox, struct berth_bytes text)
{
	struct part line;
	int result;

	while (next_line(&text, &line)) {
		result = add_line(outbox,
		    begins(&line, "OK") || begins(&line, "ERR") ? " " : "",
		    &line);
		if (result < 0)
			return result;
	}
	return 0;
}

static bool
sums_up(const struct part *line)
{
	return line->size > 0 && line->at[0] != ' ' && line->at[0] != '\t';
}

static int
add_error(struct outbox *outbox, struct berth_bytes text)
{
	static const char failed[] = "failed";
	struct part summary = {failed, sizeof(failed) - 1}, line;
	struct berth_bytes rest = text;
	bool found = false;
	int result = 0;

	while (!found && next_line(&rest, &line))
		found = sums_up(&line);
	if (found)
		summary = line;
	/* One line is not said twice. */
	if (!found || summary.at != text.data || rest.size > 0)
		result = add_body(outbox, text);
	if (result < 0)
		return result;
	return add_line(outbox, "ERR ", &summary);
}

static int
add_json(struct outbox *outbox, int status, struct berth_bytes text)
{
	struct part line;
	int result;

	result = outbox_add(outbox, berth_str(JSON_BEGIN(status)));
	if (result == 0 && text.size == 0)
		result = outbox_add(outbox, berth_str("null"));
	/* A newline in a JSON value is a blank between its tokens. */
	while (result == 0 && next_line(&text, &line))
		result = outbox_add(outbox, berth_bytes(line.at, line.size));
	if (result == 0)
		result = outbox_add(outbox, berth_str("}\n"));
	return result;
}

static int
add_plain(struct outbox *outbox, int status, struct berth_bytes text)
{
	int result;

	if (status != 0)
		return add_error(outbox, text);
	result = add_body(outbox, text);
	if (result < 0)
		return result;
	return outbox_add(outbox, berth_str("OK\n"));
}

int
reply_add(struct outbox *outbox, enum reply_form form, int status,
    struct berth_bytes text)
{
	static const char done[] = "done\n"; /* ACE sends the NUL as well */

	switch (form) {
	case REPLY_PLAIN:
		return add_plain(outbox, status, text);
	case REPLY_JSON:
		return add_json(outbox, status, text);
	case REPLY_ACE_LIST:
		return outbox_add(outbox, text);
	case REPLY_ACE_DONE:
		return outbox_add(outbox, berth_bytes(done, sizeof(done)));
	case REPLY_ACE_NOTHING:
		break;
	}
	return 0;
}

static int
add_words(struct outbox *outbox, const char *const words[4])
{
	int i, result = 0;

	for (i = 0; i < 4 && result == 0; i++)
		result = outbox_add(outbox, berth_str(words[i]));
	return result;
}

int
reply_add_own(
    struct outbox *outbox, enum reply_form form, int status, const char *words)
{
	bool none = words[0] == '\0';
	const char *const plain[4] = {
	    status == 0 ? "OK" : "ERR", none ? "" : " ", words, "\n"};
	const char *const json[4] = {JSON_BEGIN(status), none ? "null" : "\"",
	    words, none ? "}\n" : "\"}\n"};

	if (form == REPLY_PLAIN)
		return add_words(outbox, plain);
	if (form == REPLY_JSON)
		return add_words(outbox, json);
	return 0;
}
