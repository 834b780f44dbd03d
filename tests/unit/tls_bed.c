/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_bed: two engines, and who carries their bytes.  Its own memory comes from
 * reallocarray(3), which no test makes fail.
 */
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/tls_bed.h"

#define ROOM 16384

static void
warned(void *arg, const char *text)
{
	struct side *side = arg;
	size_t size = strlen(side->warnings);

	snprintf(
	    side->warnings + size, sizeof(side->warnings) - size, "%s\n", text);
}

/* Zeroed. */
static char *
make(size_t size)
{
	char *made = reallocarray(NULL, 1, size);

	assert_non_null(made);
	return memset(made, 0, size);
}

/* The words, with paths for {NAME}; a blank is between words. */
static int
cut(struct side *side, const char *words)
{
	size_t room = strlen(words) + 40 * 64;
	char *to = side->words = make(room);
	int argc = 0;

	side->argv[argc++] = to;
	to = stpcpy(to, "TLS") + 1;
	for (const char *at = words; *at != '\0';) {
		size_t size = strcspn(at, " ");
		size_t brace = strcspn(at, "{");

		side->argv[argc++] = to;
		while (brace < size) {
			char name[64] = "";
			size_t end = strcspn(at, "}");

			memcpy(to, at, brace);
			memcpy(name, at + brace + 1, end - brace - 1);
			to = stpcpy(to + brace, made_path(name));
			size -= end + 1;
			at += end + 1;
			brace = strcspn(at, "{");
		}
		memcpy(to, at, size);
		to += size + 1;
		at += size + strspn(at + size, " ");
	}
	side->argv[argc] = NULL;
	return argc;
}

int
side_try(struct side *side, const char *words)
{
	int argc, result;

	memset(side, 0, sizeof(*side));
	side->report.warn = warned;
	side->report.arg = side;
	argc = cut(side, words);
	assert_int_equal(tls_tickets_init(&side->tickets, &side->report), 0);
	result = tls_options_read(
	    &side->options, argc, side->argv, &side->report);
	if (result == 0)
		result = tls_context_new(&side->options, &side->tickets,
		    &side->context, &side->report);
	return result;
}

void
side_init(struct side *side, const char *words)
{
	if (side_try(side, words) != 0)
		fail_msg("%s: %s\n", words, side->report.why);
}

void
side_fini(struct side *side)
{
	side_close(side);
	tls_context_unref(side->context);
	tls_options_fini(&side->options);
	tls_tickets_fini(&side->tickets);
	free(side->words);
}

void
side_reload(struct side *side)
{
	struct tls_context *fresh;

	assert_int_equal(tls_context_new(&side->options, &side->tickets, &fresh,
			     &side->report),
	    0);
	tls_context_unref(side->context);
	side->context = fresh;
}

void
side_open(struct side *side)
{
	side_close(side);
	assert_int_equal(
	    tls_engine_new(side->context, &side->engine, &side->report), 0);
	side->got = make(1);
	side->result = 0;
}

void
side_close(struct side *side)
{
	side->engine = tls_engine_free(side->engine);
	free(side->got);
	side->got = NULL;
	side->got_size = 0;
}

void
side_send(struct side *side, const char *text)
{
	assert_int_equal(
	    tls_engine_send(side->engine, berth_str(text)), strlen(text));
}

void
side_expect(struct side *side, const char *text)
{
	if (strcmp(side->got, text) != 0)
		fail_msg("'%s', not '%s'; %s\n", side->got, text,
		    tls_engine_why(side->engine));
	side->got_size = 0;
	side->got[0] = '\0';
}

static void
keep(struct side *side, const char *data, size_t size)
{
	side->got = reallocarray(side->got, 1, side->got_size + size + 1);
	assert_non_null(side->got);
	memcpy(side->got + side->got_size, data, size);
	side->got_size += size;
	side->got[side->got_size] = '\0';
}

void
side_hear(struct side *side, struct berth_bytes in)
{
	char plain[ROOM];
	int result;

	do {
		result = tls_engine_receive(
		    side->engine, &in, plain, sizeof(plain));
		if (result > 0)
			keep(side, plain, (size_t)result);
	} while (result > 0);
	if (result == 0)
		assert_int_equal(in.size, 0);
	side->result = result;
}

/* What one has for the other; how much. */
static size_t
carry(struct side *from, struct side *to, size_t chunk)
{
	struct berth_bytes out = tls_engine_output(from->engine);
	char *copy;

	if (out.size == 0)
		return 0;
	if (chunk != 0 && out.size > chunk)
		out.size = chunk;
	/* Exactly so many, for the sanitizer to watch. */
	copy = make(out.size);
	memcpy(copy, out.data, out.size);
	tls_engine_sent(from->engine, out.size);
	side_hear(to, berth_bytes(copy, out.size));
	free(copy);
	return out.size;
}

void
talk(struct side *client, struct side *server, size_t chunk)
{
	while (carry(client, server, chunk) + carry(server, client, chunk) > 0)
		continue;
}

void
meet(struct side *client, struct side *server)
{
	side_open(server);
	side_open(client);
	talk(client, server, 0);
	if (tls_engine_state(client->engine) != TLS_OPEN ||
	    tls_engine_state(server->engine) != TLS_OPEN)
		fail_msg("client '%s' server '%s'\n",
		    tls_engine_why(client->engine),
		    tls_engine_why(server->engine));
}

void
part(struct side *client, struct side *server)
{
	assert_int_equal(tls_engine_end(client->engine), 0);
	assert_int_equal(tls_engine_end(server->engine), 0);
	talk(client, server, 0);
	assert_int_equal(tls_engine_state(client->engine), TLS_ENDED);
	assert_int_equal(tls_engine_state(server->engine), TLS_ENDED);
	side_close(client);
	side_close(server);
}
