/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * numbers: values that are two numbers, from so many to so many: "2 8".
 */
#include <errno.h>
#include <stdio.h>

#include "config/config_priv.h"

static int
refuse(const struct attribute *attribute, const char *word,
    struct message *ret_message)
{
	snprintf(ret_message->text, sizeof(ret_message->text),
	    "%s: '%.60s' cannot stand there: %s", attribute->name, word,
	    attribute->syntax);
	return -EINVAL;
}

static int
read_one(const struct attribute *attribute, const char *word, unsigned *field,
    struct message *ret_message)
{
	uint64_t number = 0;

	if (config_count(word, &number) < 0 || number < attribute->low ||
	    number > attribute->high)
		return refuse(attribute, word, ret_message);
	*field = (unsigned)number;
	return 0;
}

int
workers_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	struct worker_span *span = field;
	int result = read_one(attribute, word, &span->least, ret_message);

	if (result == 0)
		span->most = span->least;
	return result;
}

int
workers_assign(struct reader *reader, const struct attribute *attribute,
    const struct value *values, unsigned count, void *field)
{
	struct worker_span span = {0, 0};
	struct message message;
	const struct value *at = &values[0];
	int result = workers_read(attribute, at->text, &span, &message);

	if (result == 0 && count > 1) {
		at = &values[1];
		result = read_one(attribute, at->text, &span.most, &message);
	}
	if (result < 0)
		return reader_tell(reader, &at->place, "%s", message.text);
	if (count > 2)
		return reader_tell(reader, &values[2].place,
		    "%s: two numbers at most: %s", attribute->name,
		    attribute->syntax);
	if (span.most < span.least || (span.least == 0 && span.most > 0))
		return reader_tell(reader, &at->place,
		    "%s: at least %u and at most %u is not possible",
		    attribute->name, span.least, span.most);
	*(struct worker_span *)field = span;
	return 0;
}

void
workers_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	const struct worker_span *span = field;

	(void)attribute;
	text_printf(text, "%u", span->least);
	if (span->most != span->least)
		text_printf(text, " %u", span->most);
}

bool
workers_equal(const void *a, const void *b)
{
	const struct worker_span *one = a, *two = b;

	return one->least == two->least && one->most == two->most;
}
