/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_priv: what the files of this room share: tokens become directives
 * (parser), words values (value_type), all of it within one reading.
 *
 * Functions that read return 0, -ENOMEM, or CONFIG_E_MISTAKE.
 */
#ifndef CONFIG_CONFIG_PRIV_H
#define CONFIG_CONFIG_PRIV_H

#include <sys/stat.h>

#include "config/config.h"
#include "config/config_lexer.h"

/* The mistake is told, at its place; reading goes on behind it. */
#define CONFIG_E_MISTAKE 1

/* --- read.c: one reading --------------------------------------------------
 */

struct value {
	const char *text;
	struct place place;
};

/* xinetd's words that make up one endpoint; those not given have no text. */
struct endpoint_words {
	struct value port, bind, socket_type, protocol;
};

/* Open files, innermost first; on the stack of include.c. */
struct frame {
	const struct frame *up;
	const struct source *source;
	struct place from; /* of the include that opened it */
	dev_t device;
	ino_t inode;
};

struct reader {
	struct tree *tree;
	const struct config_options *options;
	struct errors *errors;
	unsigned mistakes;
	unsigned quiet; /* above 0: they are not told */
	struct settings defaults;
	struct settings *plain; /* a copy, for all who add none; may be NULL */
	struct endpoint_words default_words;
	const struct frame *files;
	unsigned depth;
	unsigned file_count;
	size_t total_bytes;
	enum config_format format; /* of what is being read */
	const char *address;	   /* of the input, or NULL */
	struct inetd *inetd;	   /* while such a file is read, or NULL */
	struct xinetd *xinetd;
	const struct place *at; /* of all mistakes, if not NULL */
	bool of_program;	/* whose attributes are read */
	struct text scratch;
	struct value *values; /* of one attribute */
	unsigned value_room;
};

/* A text with its name, both copied; without the byte order mark of UTF-8. */
const struct source *reader_source(struct reader *reader, const char *name,
    const char *data, size_t size, bool is_file);
/* Tells a mistake and returns CONFIG_E_MISTAKE. */
BASE_PRINTF(3, 4)
int reader_tell(
    struct reader *reader, const struct place *place, const char *format, ...);
/* A warning; `lost`: of what cannot be carried over. */
BASE_PRINTF(4, 5)
void reader_warn(struct reader *reader, const struct place *place, bool lost,
    const char *format, ...);
int reader_add_value(
    struct reader *reader, unsigned count, const struct value *value);
/* "; did you mean 'best'?", or "" without one. */
struct hint {
	char text[96];
};
const char *hint(const struct suggestion *suggestion, struct hint *ret_hint);

/* --- source.c: files ------------------------------------------------------
 */

#define SOURCE_LIMIT_BYTES (64u << 20)

/* Reads a file whole, if its kind, owner and mode are right; tells at `from`,
 * or at the file itself if that has no place. */
int source_open(struct reader *reader, const char *path, bool included,
    const struct place *from, struct frame *ret_frame);
/* Why a regular file is not to be trusted, or NULL. */
const char *source_distrust(const struct stat *status);
/* A word from the arena in which `path`, as `from` wrote it, can be opened. */
const char *source_relative(
    struct reader *reader, const struct place *from, const char *path);

/* --- parser.c: tokens to directives ----------------------------------------
 */

struct parser {
	struct reader *reader;
	struct lexer lexer;
	struct token token; /* the next one, not taken yet */
	struct token last;  /* the one before */
	struct directive_list *into;
	const struct token *block; /* the { of a block of modules, or NULL */
	unsigned nesting;	   /* of such blocks */
	bool defining;		   /* behind `stream dynamic` */
};

int parser_read(struct reader *reader, const struct source *source);
/* Directives up to the end or, in a block, to its closing brace. */
int parser_directives(struct parser *parser);
void parser_advance(struct parser *parser);
/* Is the next token on the line of the last one? */
bool parser_same_line(const struct parser *parser);
/* "expected WHAT, not …" at the right place. */
int parser_expected(struct parser *parser, const char *what);
/* Takes the word of a service's or stream's name. */
int parser_name(struct parser *parser, struct directive *directive);
/* The keyword of a directive; of one that ACE knows, and so no name. */
bool keyword_begins(const struct token *token);
/* A word of ACE's that cannot be a name. */
bool parser_is_reserved(const struct token *token);
bool keyword_is_directive(const struct token *token);

/* parse_service.c, parse_location.c, parse_stream.c, include.c */
int parse_dynamic(struct parser *parser, struct directive *directive);
int parse_static(struct parser *parser, struct directive *directive);
int parse_location(struct parser *parser, struct directive *directive);
int parse_type(struct parser *parser, struct directive *directive);
const char *type_name(uint32_t type);
int parse_stream(struct parser *parser, struct directive *directive);
/* The next token is {: is it a block of modules? */
bool parser_at_modules(const struct parser *parser);
int parse_modules(struct parser *parser, struct directive *directive);
int parse_include(struct parser *parser, struct directive *directive);
int parse_includedir(struct parser *parser, struct directive *directive);
int include_file(struct reader *reader, const char *path, bool included,
    const struct place *from);
/* All files of a folder by xinetd's rule. */
int include_folder(
    struct reader *reader, const char *path, const struct place *place);

/* For those who watch what the configuration is made of. */
int reader_remember(struct reader *reader, const char *path, bool is_folder);

/* access_file.c: of an access list; reads what the word names, if it names a
 * file that was not read yet. */
int access_file_check(struct reader *reader, const struct value *value);
/* Another one when one of the files among the words has other content. */
uint64_t access_files_stamp(
    const struct tree *tree, const char *const *words, unsigned count);

/* parse_block.c: { key = value … }; the next token is its { */
int parse_block(struct parser *parser, enum attribute_scope scope, void *values,
    struct endpoint_words *defaults);
int parse_defaults(struct parser *parser, struct directive *directive);
int parse_host(struct parser *parser, struct directive *directive);

/* --- expand.c, arguments.c: strings ----------------------------------------
 */

/* A string or a bare word on its way to its value. */
struct expansion {
	struct reader *reader;
	struct cursor at;
	size_t end;  /* offset behind its last byte */
	bool strict; /* an undefined variable is a mistake */
	struct text *out;
};

/* At a backslash; pairs: \\ stays two. */
int expand_escape(struct expansion *expansion, bool pairs);
/* At a dollar. */
int expand_variable(struct expansion *expansion);
/* The value of a word or string, in the arena. */
int expand_token(
    struct reader *reader, const struct token *token, const char **ret_text);
/* arguments, argc and argv; token: the string, or NULL. */
int arguments_read(struct reader *reader, const struct token *token,
    struct directive *directive);

/* --- values ----------------------------------------------------------------
 */

struct message {
	char text[200];
};

typedef int(value_read_fn)(const struct attribute *attribute, const char *word,
    void *field, struct message *ret_message);
typedef void(value_print_fn)(
    const struct attribute *attribute, const void *field, struct text *text);

struct value_type {
	value_read_fn *read; /* 0, or -EINVAL with a message for people */
	value_print_fn *print;
	bool (*equal)(const void *a, const void *b); /* two fields */
};

const struct value_type *value_type(enum value_kind kind);
value_read_fn number_read, size_read, time_read, mode_read;
value_read_fn nice_read, load_read, rlimit_read;
value_print_fn number_print, size_print, time_print, mode_print;
value_print_fn nice_print, load_print, rlimit_print;
/* As an attribute of that kind would read and print it. */
int config_count(const char *word, uint64_t *ret_count);
void print_time(uint64_t time_ms, struct text *text);

/* capability_words.c; ends with NULL */
extern const char *const capability_words[];

/* endpoints.c: `listen`, and xinetd's words for it */
int endpoints_assign(struct reader *reader, enum token_kind how,
    const struct value *values, unsigned count, struct settings *settings);
/* proxy_word.c: what is wrong with it, or NULL */
const char *check_proxy_word(const char *word);
/* Are the words of a block about endpoints that the service has?  Told at the
 * first of those, and then, as words of `defaults` for others, not given. */
int endpoints_check_words(struct reader *reader, const struct given *written,
    struct settings *settings);
int endpoints_combine(struct reader *reader, const struct place *place,
    const struct endpoint_words *words, struct settings *settings);
/* One of xinetd's words, by its attribute's name. */
int endpoint_word_set(struct reader *reader, const struct attribute *attribute,
    const struct value *value, struct endpoint_words *words);
/* list.c: values of several words, of which there may be none */
bool list_takes(const struct attribute *attribute);
int list_assign(struct reader *reader, const struct attribute *attribute,
    enum token_kind how, const struct value *values, unsigned count,
    const struct place *place, void *field);
void words_print(
    const struct attribute *attribute, const void *field, struct text *text);
int line_rate_read(const struct attribute *attribute, const char *word,
    void *field, struct message *ret_message);
void line_rate_print(
    const struct attribute *attribute, const void *field, struct text *text);
void rate_print(
    const struct attribute *attribute, const void *field, struct text *text);
/* numbers.c: values of two numbers */
value_read_fn workers_read;
value_print_fn workers_print;
int workers_assign(struct reader *reader, const struct attribute *attribute,
    const struct value *values, unsigned count, void *field);
bool workers_equal(const void *a, const void *b);
bool words_equal(const void *a, const void *b);
bool rate_equal(const void *a, const void *b);
value_read_fn prefixes_read;
value_print_fn prefixes_print;
bool prefixes_equal(const void *a, const void *b);

/* --- concurrency.c: a word with its bounds --------------------------------*/

value_read_fn concurrency_read; /* the word alone */
int concurrency_assign(struct reader *reader, const struct attribute *attribute,
    const struct value *values, unsigned count, void *field);
value_print_fn concurrency_print;
bool concurrency_equal(const void *a, const void *b);

/* attribute_words.c, limit_words.c: what is wrong with the word, or NULL */
const char *attribute_check_variable(const char *word);
const char *attribute_check_env(const char *word);
const char *attribute_check_access(const char *word);
const char *attribute_check_capability(const char *word);
const char *attribute_check_path(const char *word);
const char *attribute_check_call(const char *word);
const char *attribute_check_memory(const char *word);
const char *attribute_check_tasks(const char *word);
const char *attribute_check_cpu(const char *word);
const char *attribute_check_errno(const char *word);
const char *attribute_check_span(const char *word);
/* Keeps where a row was written, if somebody may ask. */
int attribute_keep_place(struct reader *reader,
    const struct attribute *attribute, const struct place *place,
    struct settings *settings);
/* "not yet" for a row that nothing applies, but for conversions; a warning for
 * one that is not of programs. */
int attribute_check(struct reader *reader, const struct attribute *attribute,
    const struct place *place);
/* The message for a word that is none of these. */
int value_tell_words(const struct attribute *attribute, const char *word,
    const char *const *words, struct message *ret_message);
/* A word of the endpoint's kind that is near to it. */
void endpoint_suggest(struct suggestion *suggestion);

/* print.c: arguments in the quotes that they do not hold, behind a blank */
void print_arguments(const char *arguments, struct text *text);
/* A value that can be read again; bare or in quotes. */
void print_value(const char *value, struct text *text);

/* tree.c */
struct tree *tree_new(struct errors *errors);
struct directive *tree_add(
    struct tree *tree, enum directive_kind kind, const struct place *place);
/* Names declared twice, if the tree is exact. */
int tree_check_names(struct reader *reader);

#endif
