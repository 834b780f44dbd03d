/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the commands that look write: the same facts as lines for people or as
 * fields of a JSON object.
 */

#include <string.h>

#include "control/control_priv.h"

void
show_put(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

/* `,"key":"value"`, the comma unless it is the first of its object. */
void
show_field(struct text *text, const char *key, const char *value)
{
	if (text->size > 0 && text->data[text->size - 1] != '{')
		show_put(text, ",");
	text_json(text, key, strlen(key));
	show_put(text, ":");
	text_json(text, value, strlen(value));
}

void
show_count(struct text *text, const char *key, uint64_t value)
{
	if (text->size > 0 && text->data[text->size - 1] != '{')
		show_put(text, ",");
	text_json(text, key, strlen(key));
	text_printf(text, ":%llu", (unsigned long long)value);
}

void
show_key(struct text *text, const char *key)
{
	show_put(text, ",");
	text_json(text, key, strlen(key));
	show_put(text, ":");
}

/* One line or field; the two forms of show are the same facts. */
void
show_fact(struct text *text, bool json, const char *key, const char *value)
{
	if (value[0] == '\0')
		return;
	if (json)
		show_field(text, key, value);
	else
		text_printf(text, "%-14s %s\n", key, value);
}

void
show_number(struct text *text, bool json, const char *key, uint64_t value)
{
	if (json)
		show_count(text, key, value);
	else
		text_printf(
		    text, "%-14s %llu\n", key, (unsigned long long)value);
}

/* NULL once the server is gone, at the very end of an instance. */
void
show_counters_of(
    const struct instance *instance, struct server_counters *counters)
{
	const struct server *server = instance_server(instance);

	memset(counters, 0, sizeof(*counters));
	if (server != NULL)
		server_counters(server, counters);
}

/* How many, and of each reason that there was: "cps 3, address 1". */
void
show_refusals(const struct server_counters *counters, const char *key,
    struct text *text, bool json)
{
	uint64_t total = counters->datagrams_refused;
	const char *comma = "";
	AUTO_TEXT reasons;

	text_init(&reasons);
	if (total > 0) {
		text_printf(&reasons, json ? "\"loop\":%llu" : "loop %llu",
		    (unsigned long long)total);
		comma = json ? "," : ", ";
	}
	for (unsigned i = GUARD_SERVED + 1; i < GUARD_REASONS; i++) {
		if (counters->refused[i] == 0)
			continue;
		total += counters->refused[i];
		text_printf(&reasons, json ? "%s\"%s\":%llu" : "%s%s %llu",
		    comma, guard_reason_name(i),
		    (unsigned long long)counters->refused[i]);
		comma = json ? "," : ", ";
	}
	show_number(text, json, key, total);
	if (json) {
		show_key(text, "refusals");
		text_printf(text, "{%s}", text_string(&reasons));
	} else {
		show_fact(text, json, "refusals", text_string(&reasons));
	}
}

unsigned
show_draining_count(const struct record *record)
{
	const struct instance *old = record_first_draining(record);
	unsigned count = 0;

	for (; old != NULL; old = instance_next_draining(old))
		count++;
	return count;
}
