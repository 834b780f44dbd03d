/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the static services share: options, the start of a listening service,
 * lines from a telnet client, replies that wait for a slow reader, the token.
 */
#ifndef SERVICES_SERVICES_PRIV_H
#define SERVICES_SERVICES_PRIV_H

#include <berth/berth.h>
#include <stdbool.h>

/* --- options: getopt(3) without its global state ----------------------- */

struct service_options {
	char **argv;
	const char *letters; /* as for getopt: "p:d", `:` takes a value */
	int argc;
	int index;	   /* of the next word */
	const char *rest;  /* of a word such as -dp, or NULL */
	const char *value; /* of the option that was returned */
};

void service_options_init(struct service_options *options, int argc,
    char **argv, const char *letters);
/* The next letter, 0 at the end, or -EINVAL with the reason told to the host
 * by berth_fail(): an unknown letter, a missing value, a word too many. */
int service_options_next(
    struct service_options *options, struct berth_service *service);
/* The init hook of a service without options. */
int service_options_none(struct berth_service *service, int argc, char **argv);
/* A decimal number up to high, or -EINVAL told to the host. */
int service_options_number(const struct service_options *options,
    struct berth_service *service, uint32_t high, uint32_t *ret_number);

/* Serves tcp:127.0.0.1:PORT; a failure is told to the host. */
int service_listen(struct berth_service *service, const char *port);

/* --- line: one command from the bytes of a telnet client ----------------- */

#define LINE_LIMIT 8192 /* bytes, without the end of line */

/* Results of line_feed() and line_end(). */
#define LINE_E_READY 1 /* `data` is a line with something in it */
#define LINE_E_LONG 2  /* it grew over the limit; its rest will be skipped */

enum line_state {
	LINE_PLAIN,
	LINE_IAC,	/* after the escape byte of RFC 854 */
	LINE_OPTION,	/* after WILL, WONT, DO, DONT */
	LINE_SUBOPTION, /* between SB and SE */
	LINE_SUBOPTION_IAC
};

/* Embedded and zeroed; line_reset() also frees. */
struct line {
	char *data; /* NUL-terminated when ready */
	size_t size;
	size_t room;
	enum line_state state;
	bool skip; /* the rest of an overlong line */
};

/* Takes bytes up to the end of one line.  0: all taken, no line yet. */
int line_feed(struct line *line, struct berth_bytes in, size_t *ret_taken);
/* The client has ended: what it sent last is a line as well. */
int line_end(struct line *line);
/* Forgets the line (it may have held the token), ready for the next. */
void line_reset(struct line *line);

/* --- outbox: what a client has yet to read -------------------------------- */

/* All that waits for the clients of one instance, bytes; so many slow readers
 * of long replies cost no more. */
#define OUTBOX_BUDGET ((size_t)64 << 20)

struct outbox_budget {
	size_t used;
};

struct outbox {
	struct outbox_budget *budget;
	char *data;
	size_t size;
	size_t sent;
	size_t room;
};

void outbox_init(struct outbox *outbox, struct outbox_budget *budget);
void outbox_fini(struct outbox *outbox);
/* Append.  0, -ENOMEM, or -ENOBUFS when the budget is used up. */
int outbox_add(struct outbox *outbox, struct berth_bytes bytes);
/* As outbox_add(), but tries to send first and keeps only the rest. */
int outbox_send(struct outbox *outbox, struct berth_session *session,
    struct berth_bytes bytes);
/* Sends what can be sent; call it again from output_ready. */
int outbox_flush(struct outbox *outbox, struct berth_session *session);
bool outbox_pending(const struct outbox *outbox);

/* --- reply: how a manager's answer is framed ----------------------------- */

enum reply_form {
	/* The lines of the text, then one line that begins with OK or ERR; a
	 * line of the text that begins so is moved right by one blank. */
	REPLY_PLAIN,
	/* One object on one line; the text is a JSON value. */
	REPLY_JSON,
	/* ACE's replies: to `help`, to `reconfigure`, to all else. */
	REPLY_ACE_LIST,
	REPLY_ACE_DONE,
	REPLY_ACE_NOTHING
};

/* status 0 is OK. */
int reply_add(struct outbox *outbox, enum reply_form form, int status,
    struct berth_bytes text);
/* The same for the manager's own short texts: plain words without quotes. */
int reply_add_own(
    struct outbox *outbox, enum reply_form form, int status, const char *words);

/* --- token: the secret that allows control -------------------------------- */

#define TOKEN_LIMIT 256 /* bytes */

struct token {
	char data[TOKEN_LIMIT];
	size_t size;
};

/* The first line of a file that nobody else may read.  0, or a negative errno
 * and the reason. */
int token_read(
    const char *path, struct token *ret_token, const char **ret_reason);
/* Takes the same time for every guess. */
bool token_equal(const struct token *token, const char *guess);
void token_wipe(struct token *token);

/* --- console: a session of the manager --------------------------------------
 */

struct manager {
	struct outbox_budget budget;
	const char *port;	/* of -p, the usual one, or NULL */
	const char *token_path; /* of -t, or NULL: nobody logs in */
	uint32_t idle_ms;	/* 0: no limit */
	bool control;
	bool legacy;
};

struct console {
	struct berth_command *command; /* on its way, or NULL */
	struct line line;
	struct outbox outbox;
	enum reply_form form;
	uint8_t wrong_tokens;
	bool control;	   /* it may change things */
	bool told_refusal; /* the log says that it may change nothing */
	bool last;	   /* after what is on its way: the end */
};

/* The hooks. */
int console_open(struct berth_session *session);
int console_input(struct berth_session *session, struct berth_bytes in);
int console_output_ready(struct berth_session *session);
int console_timeout(struct berth_session *session);
int console_eof(struct berth_session *session, struct berth_bytes rest);
void console_closed(struct berth_session *session, int reason);

/* Answers at once, with words of the manager's own. */
int console_answer(
    struct berth_session *session, int status, const char *words);
/* Takes the reply of the host; a berth_reply_fn for the session. */
void console_replied(void *arg, int status, struct berth_bytes text);
/* Carries out console->line, or hands it to the host. */
int console_run(struct berth_session *session);

#endif
