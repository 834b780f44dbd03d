/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base_errors: what people are told about a mistake: one object with a place
 * and a text, filled once where the cause is known, printed in compiler style.
 */
#ifndef BASE_BASE_ERRORS_H
#define BASE_BASE_ERRORS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text;

/* A text that was read: a file, a -S string, a command.  Owner: the reader. */
struct source {
	const char *name; /* "svc.conf", "-S #3", "command" */
	const char *data;
	size_t size;
	bool is_file; /* else a string: gone after it was run */
};

/* A span of one line of a source; line and column count from 1, in bytes. */
struct place {
	const struct source *source; /* NULL: no place is known */
	unsigned line;
	unsigned column;
	unsigned length; /* bytes to underline, at least 1 */
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };

struct error {
	enum severity severity;
	int code;	    /* a negative errno, or 0 when none fits */
	struct place place; /* source is NULL in a stored error: see below */
	const char *file;
	const char *text;
	const char *line_text; /* the source line, without newline; or NULL */
};

/*
 * All mistakes of one reading, in order.  The list copies what it prints, so
 * that it outlives the sources.  At most `limit` errors a file are kept; the
 * rest is counted.
 */
struct errors;

struct errors *errors_new(unsigned limit_per_file);
struct errors *errors_free(struct errors *errors);
void errors_reset(struct errors *errors);
__attribute__((format(printf, 5, 6))) void errors_add(struct errors *errors,
    enum severity severity, int code, const struct place *place,
    const char *format, ...);
__attribute__((format(printf, 5, 0))) void errors_vadd(struct errors *errors,
    enum severity severity, int code, const struct place *place,
    const char *format, va_list ap);
/* In the order of their places; notes stay with their message. */
void errors_sort(struct errors *errors);
/* Of severity error, those beyond the limit included. */
unsigned errors_count(const struct errors *errors);
unsigned errors_kept(const struct errors *errors); /* of every severity */
const struct error *errors_get(const struct errors *errors, unsigned index);

/*
 * "svc.conf:12:8: error: TEXT" and, where the line is known, the line with a
 * caret under it.  errors_print() prints all, with "… and 3 more errors".
 */
void error_print(const struct error *error, struct text *text);
void errors_print(const struct errors *errors, struct text *text);
/*
 * [{"file":…,"line":…,"column":…,"length":…,"severity":…,"text":…,
 * "line_text":…}, …], null where there is none: enough to make the errors
 * again and print them.  Where the limit left some out, an object stands last:
 * {"severity":"more","of":"error","count":…,"text":…}.
 */
void errors_print_json(const struct errors *errors, struct text *text);

#endif
