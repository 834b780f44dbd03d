/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes what berthctl makes of a host's JSON: whatever the host says, and
 * however narrow the screen, nothing comes out that a terminal obeys.
 */
#include "fuzz/fuzz.h"

#include <locale.h>

#include <jansson.h>

#include "client/client.h"

static void
expect_harmless(const struct text *text)
{
	for (size_t i = 0; i < text->size; i++) {
		unsigned char byte = (unsigned char)text->data[i];

		BASE_ASSERT(byte >= 0x20 || byte == '\n' || byte == '\t');
		BASE_ASSERT(byte != 0x7f);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const views[])(struct client *, struct json_t *) = {
	    view_value, view_plan, view_check, view_version};
	json_t *json;

	if (size < 1)
		return 0;
	setlocale(LC_CTYPE, "C.UTF-8");
	json = json_loadb((const char *)data + 1, size - 1,
	    JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
	for (size_t i = 0; json != NULL && i < BASE_COUNT(views); i++) {
		struct client client;

		client_init(&client);
		client.screen.columns = data[0];
		views[i](&client, json);
		expect_harmless(&client.out);
		expect_harmless(&client.err);
		client_fini(&client);
	}
	json_decref(json);
	return 0;
}
