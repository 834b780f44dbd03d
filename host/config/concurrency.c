/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * concurrency: how connections are driven, as a word and its bounds.
 *
 *   reactive | iterative | thread [MAX] | pool N [queue M] | process [MAX]
 *
 * A bound that is not written is BOUND_DEFAULT, and is not printed either.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BOUND_DEFAULT 256u
#define QUEUE_MAX 65535u

enum bound { BOUND_NONE, BOUND_MAY, BOUND_MUST };

static const char *const words[] = {[CONCURRENCY_REACTIVE] = "reactive",
    [CONCURRENCY_ITERATIVE] = "iterative",
    [CONCURRENCY_THREAD] = "thread",
    [CONCURRENCY_POOL] = "pool",
    [CONCURRENCY_PROCESS] = "process",
    NULL};

static const enum bound bounds[] = {
    [CONCURRENCY_REACTIVE] = BOUND_NONE,
    [CONCURRENCY_ITERATIVE] = BOUND_NONE,
    [CONCURRENCY_THREAD] = BOUND_MAY,
    [CONCURRENCY_POOL] = BOUND_MUST,
    [CONCURRENCY_PROCESS] = BOUND_MAY,
};

int
concurrency_read(const struct attribute *attribute, const char *word,
    void *field, struct message *ret_message)
{
	struct concurrency *concurrency = field;
	unsigned kind = 0;

	while (words[kind] != NULL && strcmp(words[kind], word) != 0)
		kind++;
	if (words[kind] == NULL)
		return value_tell_words(attribute, word, words, ret_message);
	*concurrency = (struct concurrency){
	    .kind = (enum concurrency_kind)kind,
	    .count = bounds[kind] == BOUND_NONE ? 1 : BOUND_DEFAULT,
	};
	return 0;
}

/* Tells a mistake at the value. */
static int
read_bound(struct reader *reader, const struct attribute *attribute,
    const struct value *value, uint64_t high, unsigned *ret_bound)
{
	uint64_t number;

	if (config_count(value->text, &number) < 0 || number < attribute->low ||
	    number > high)
		return reader_tell(reader, &value->place,
		    "%s: '%.60s' is no number from %" PRIu64 " to %" PRIu64,
		    attribute->name, value->text, attribute->low, high);
	*ret_bound = (unsigned)number;
	return 0;
}

/* What stands behind `pool N`. */
static int
read_queue(struct reader *reader, const struct attribute *attribute,
    const struct value *values, unsigned count, unsigned *ret_queue)
{
	if (count == 0)
		return 0;
	if (strcmp(values[0].text, "queue") != 0)
		return reader_tell(reader, &values[0].place,
		    "%s: '%.60s' cannot stand there: pool N [queue M]",
		    attribute->name, values[0].text);
	if (count == 1)
		return reader_tell(reader, &values[0].place,
		    "%s: 'queue' needs a number behind it: pool N [queue M]",
		    attribute->name);
	return read_bound(reader, attribute, &values[1], QUEUE_MAX, ret_queue);
}

int
concurrency_assign(struct reader *reader, const struct attribute *attribute,
    const struct value *values, unsigned count, void *field)
{
	struct concurrency result;
	struct message message;
	unsigned most;
	int error;

	if (concurrency_read(attribute, values[0].text, &result, &message) != 0)
		return reader_tell(
		    reader, &values[0].place, "%s", message.text);
	if (bounds[result.kind] == BOUND_MUST && count == 1)
		return reader_tell(reader, &values[0].place,
		    "%s: '%s' needs the number of its threads behind it",
		    attribute->name, values[0].text);
	most = result.kind == CONCURRENCY_POOL ? 4 : 2;
	if (bounds[result.kind] == BOUND_NONE)
		most = 1;
	if (count > most)
		return reader_tell(reader, &values[most].place,
		    "%s: '%.60s' is one too many behind '%s'", attribute->name,
		    values[most].text, values[0].text);
	error = count < 2 ? 0
			  : read_bound(reader, attribute, &values[1],
				attribute->high, &result.count);
	if (error == 0 && count > 2)
		error = read_queue(
		    reader, attribute, &values[2], count - 2, &result.queue);
	if (error == 0)
		memcpy(field, &result, sizeof(result));
	return error;
}

void
concurrency_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	const struct concurrency *concurrency = field;
	enum bound bound = bounds[concurrency->kind];

	(void)attribute;
	text_printf(text, "%s", words[concurrency->kind]);
	if (bound == BOUND_MUST ||
	    (bound == BOUND_MAY && concurrency->count != BOUND_DEFAULT))
		text_printf(text, " %u", concurrency->count);
	if (concurrency->queue > 0)
		text_printf(text, " queue %u", concurrency->queue);
}

bool
concurrency_equal(const void *a, const void *b)
{
	const struct concurrency *one = a, *two = b;

	return one->kind == two->kind && one->count == two->count &&
	       one->queue == two->queue;
}
