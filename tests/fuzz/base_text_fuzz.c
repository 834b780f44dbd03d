/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes what makes foreign bytes harmless, and the printing of mistakes in
 * them: whatever comes in, nothing comes out that a terminal obeys.
 */
#include "fuzz/fuzz.h"

#include "base/base.h"

static void
expect_harmless(const struct text *text, const char *allowed)
{
	for (size_t i = 0; i < text->size; i++) {
		unsigned char byte = (unsigned char)text->data[i];

		BASE_ASSERT(byte != 0x7f);
		if (byte < 0x20)
			BASE_ASSERT(byte != 0 && byte == allowed[0]);
	}
}

static void
try_escapes(const char *data, size_t size)
{
	AUTO_TEXT text;

	text_init(&text);
	text_escape(&text, data, size);
	expect_harmless(&text, "");
	text_reset(&text);
	text_printable(&text, data, size);
	expect_harmless(&text, "\t");
	text_reset(&text);
	text_json(&text, data, size);
	expect_harmless(&text, "");
}

static void
try_errors(const char *data, size_t size)
{
	struct source source = {"f", data, size, false};
	struct errors *errors = errors_new(0);
	struct place place = {&source, 1, 1, 1};
	AUTO_TEXT text;

	text_init(&text);
	/* A place from the data itself, in it or not. */
	if (size >= 3) {
		place.line = (unsigned char)data[0];
		place.column = (unsigned char)data[1];
		place.length = (unsigned char)data[2];
	}
	if (errors == NULL)
		return;
	errors_add(errors, SEVERITY_ERROR, 0, &place, "%.*s", (int)size, data);
	errors_print(errors, &text);
	errors_print_json(errors, &text);
	errors_free(errors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	try_escapes(bytes, size);
	try_errors(bytes, size);
	return 0;
}
