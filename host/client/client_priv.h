/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client_priv: the parts from inside: fields of JSON objects as the views show
 * them, the conversation with the host.
 */
#ifndef CLIENT_CLIENT_PRIV_H
#define CLIENT_CLIENT_PRIV_H

#include <sys/socket.h>
#include <sys/un.h>

#include "client/client.h"

/* How the value of a key is shown. */
enum field_kind {
	FIELD_PLAIN,
	FIELD_STATE, /* coloured by its word */
	FIELD_AGE,   /* milliseconds */
	FIELD_AGO,   /* likewise, since when */
	FIELD_BYTES
};

struct field {
	const char *key;
	const char *title; /* of a column; NULL: the key */
	enum field_kind kind;
	bool shrinks;
	bool if_any; /* no column when all are zero */
};

/* A row for every key: one of its own, or one by its form. */
const struct field *field_of(const char *key);
#define FIELD_NAME_ROOM 64

/* Without its unit, in ASCII, in `room` bytes at `name`. */
void field_name(const char *key, char *name, size_t room);
/* The value as text, arrays with blanks between their elements. */
void field_print(
    const struct field *field, struct json_t *value, struct text *text);
enum paint field_paint(const struct field *field, struct json_t *value);

/* The value as JSON on a line.  0 or -ENOMEM. */
int json_line(struct json_t *value, struct text *text);

/* Before the library is used, and after. */
void json_memory_watch(void);
bool json_memory_failed(void);

/* --- address: where the host listens ------------------------------------ */

#define ADDRESS_DEFAULT "/run/berth/control"

/* Points into the text that it was read from. */
struct address {
	const char *text;
	const char *host; /* not ended; NULL: a Unix socket */
	size_t host_size;
	const char *port;
	int family; /* AF_UNIX, AF_INET, AF_INET6, or AF_UNSPEC */
	struct sockaddr_un path;
	socklen_t path_size;
};

/* 0, or CLIENT_USAGE after telling. */
int address_parse(
    const char *text, struct client *client, struct address *ret_address);

/* --- talk: commands out, replies in ---------------------------------------
 *
 * Results: 0; -ENOMEM; or, after telling, the exit status it comes to:
 * CLIENT_FAILED when there is no host, CLIENT_REFUSED when it wants none of
 * us, CLIENT_USAGE.
 */

/* Embedded: zeroed, but for the first three, and fd, which is -1. */
struct talk {
	struct client *client; /* is told what goes wrong */
	const struct address *address;
	uint64_t timeout_ms; /* for connecting, and for each reply */
	int fd;
	struct text in;
	size_t taken; /* of `in`: replies that were read */
};

struct reply {
	bool ok;
	struct json_t *root;  /* the caller's to json_decref() */
	struct json_t *value; /* result or error, part of root; or NULL */
};

/* Connects and switches to JSON; talk_close() is due after any result. */
int talk_open(struct talk *talk);
void talk_close(struct talk *talk);
/* The line has no newline. */
int talk_ask(
    struct talk *talk, const char *line, size_t size, struct reply *ret_reply);
/* Logs in with the first line of a file. */
int talk_login(struct talk *talk, const char *token_path);
/* What a refusal says, or a word that stands for none. */
const char *reply_error(const struct reply *reply);

int talk_connect(struct talk *talk);
/* 0, -ETIMEDOUT, or another negative errno; nobody was told. */
int talk_wait(const struct talk *talk, short events, struct mono until);

/* The words of a command as one line.  0, -ENOMEM, or CLIENT_USAGE after
 * telling what the protocol cannot carry. */
int words_join(
    struct client *client, const struct options *options, struct text *line);

#endif
