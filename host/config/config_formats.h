/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_formats: what the readers and printers of the other languages
 * share: how a directive is made from words that were read elsewhere.
 */
#ifndef CONFIG_CONFIG_FORMATS_H
#define CONFIG_CONFIG_FORMATS_H

#include "config/config_priv.h"

/* format.c: by the reader's format, or by what the text looks like. */
int format_read(struct reader *reader, const struct source *source);
enum config_format format_detect(const struct source *source);
static inline bool
format_is_inetd(enum config_format format)
{
	return format >= CONFIG_INETD && format <= CONFIG_INETD_GNU;
}

/* Each reads one source of its language.  0, CONFIG_E_MISTAKE or -ENOMEM. */
int inetd_read(struct reader *reader, const struct source *source);
int xinetd_read(struct reader *reader, const struct source *source);
int yaml_read(struct reader *reader, const struct source *source);

/* --- make.c ----------------------------------------------------------------
 */

/* A service that is not in the tree yet; NULL: no memory. */
struct directive *make_program(
    struct reader *reader, const struct value *name, const struct value *path);
struct directive *make_static(struct reader *reader, const struct value *name);
/* Any service, of which nothing but the name is known yet. */
struct directive *make_directive(
    struct reader *reader, enum directive_kind kind, const struct value *name);
/* Of a static service: `dynamic NAME Service_Object * :OF()`. */
int make_instance(
    struct reader *reader, struct directive *directive, const char *of);
struct making_values {
	const struct value *values;
	unsigned count;
	enum token_kind how;	   /* =, += or -= */
	const struct place *place; /* of the attribute */
};
/* ATTRIBUTE = VALUES, with all checks. */
int make_change(struct reader *reader, struct settings *settings,
    const char *attribute, const struct making_values *given);
int make_set(struct reader *reader, struct settings *settings,
    const char *attribute, const struct value *values, unsigned count,
    const struct place *place);
int make_set_word(struct reader *reader, struct settings *settings,
    const char *attribute, const char *word, const struct place *place);
/* One more endpoint. */
int make_listen(struct reader *reader, struct settings *settings,
    const char *endpoint, const struct place *place);
/* argc, argv and the string that would be written for them; without argv[0].
 */
int make_arguments(struct reader *reader, struct directive *directive,
    const struct value *words, unsigned count);
/* A word in which nothing means anything to arguments_read(). */
void make_quote(const char *word, struct text *text);
/* A name for a service, of what another language calls it. */
const char *make_name(struct reader *reader, const char *from);
bool make_is_static(const char *name);
void make_suggest_static(struct suggestion *suggestion);
struct value make_value(struct reader *reader, const struct place *place,
    const char *data, size_t size);

/* --- convert.c: printers of other languages --------------------------------
 */

struct printing {
	const struct tree *tree;
	enum config_format format;
	struct errors *errors;
	struct text *text;
	unsigned losses;
};

void print_yaml(struct printing *printing);
void print_inetd(struct printing *printing);
void print_xinetd(struct printing *printing);
/* Tells what is left out. */
BASE_PRINTF(3, 4)
void printing_lose(struct printing *printing, const struct place *place,
    const char *format, ...);
/* Given, and not what it is anyway. */
bool printing_has(const struct directive *directive, const char *attribute);
/* Of an attribute that is none of these: NULL-terminated. */
void printing_lose_rest(struct printing *printing,
    const struct directive *directive, const char *const *carried);
/* The name of the internal service that it is, or NULL. */
const char *printing_internal(const struct directive *directive);
/* Tells of directives that are no services; true: it is one. */
bool printing_is_service(
    struct printing *printing, const struct directive *directive);
/* Can the word stand between blanks? */
bool printing_is_word(const char *word);

/* --- lines.c: words of a line, where blanks are all that counts ------------
 */

struct line {
	const struct source *source;
	unsigned number;
	const char *begin, *end; /* without the newline */
};

/* The next line of the source, or false. */
bool line_next(struct line *line);
/* The next word at *at, which moves behind it; size 0: there is none. */
struct place line_word(const struct line *line, const char **at);

#endif
