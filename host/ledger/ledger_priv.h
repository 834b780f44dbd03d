/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_priv: what the files of the room share.
 *
 * One lock, the host's, is held from the count of a line to its end: lines are
 * rare, and those of one file come one after another anyway.
 */
#ifndef LEDGER_LEDGER_PRIV_H
#define LEDGER_LEDGER_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "ledger/ledger.h"

#define LEDGER_SYSLOG "/dev/log"
#define LEDGER_JOURNAL "/run/systemd/journal/socket"
#define LEDGER_IDENT "berthd"

/* --- sink.c: where lines go, shared by all who name the same ---------------
 */

struct record;
struct sink;
LIST_HEAD(sink_list, sink);
LIST_HEAD(ledger_list, ledger);

enum sink_kind { SINK_HOST, SINK_SYSLOG, SINK_JOURNAL, SINK_FILE };

/* What attributes say of it. */
struct sink_spec {
	enum sink_kind kind;
	const char *path;    /* of a file */
	uint64_t soft_bytes; /* 0: no limit */
	uint64_t hard_bytes;
	int priority; /* facility and level, as syslog(3) has them */
};

struct sink {
	LIST_ENTRY(sink) link;
	struct ledgers *ledgers;
	struct sink_spec spec; /* the path is the sink's own */
	unsigned users;
	int fd;
	bool soft_told;
	bool torn;     /* the last line has no end */
	bool failing;  /* the last line was lost */
	bool told;     /* that it fails */
	uint64_t lost; /* since it was last told */
	uint64_t told_ns;
};

/* A line on its way. */
struct sink_line {
	const struct record *record;
	int priority;
	const char *data; /* no newline in it, none at the end */
	size_t size;
};

int sink_acquire(struct ledgers *ledgers, const struct sink_spec *spec,
    struct sink **ret_sink);
void sink_release(struct sink *sink);
void sink_write(struct sink *sink, const struct sink_line *line);
/* "log file '/x'", "syslog at '/dev/log'"; 0 or negative, and not there. */
const char *sink_name(const struct sink *sink, char *buffer, size_t size);

#define SINK_NAME_MAX 256u

/* sink_file.c: 0 or a negative errno; -EFBIG: its hard limit */
int sink_file_open(struct sink *sink);
void sink_file_reopen(struct sink *sink);
int sink_file_write(struct sink *sink, const struct sink_line *line);

/* sink_socket.c */
int sink_socket_open(struct sink *sink);
int sink_syslog_write(struct sink *sink, const struct sink_line *line);
int sink_journal_write(struct sink *sink, const struct sink_line *line);

/* --- words.c: attributes into what they mean -------------------------------
 */

int words_read_sink(const struct settings *settings, const char *service,
    struct errors *errors, struct sink_spec *ret_spec);
unsigned words_shown(const struct word_list *words);

/* --- ledger.c --------------------------------------------------------------*/

enum ledger_event { EVENT_START, EVENT_END, EVENT_REFUSED, EVENT_SUPPRESSED };
#define EVENT_KINDS 3u /* that are counted */

/* Words of log_on_success and log_on_failure. */
#define SHOW_PID 0x01u
#define SHOW_HOST 0x02u
#define SHOW_EXIT 0x04u
#define SHOW_DURATION 0x08u
#define SHOW_TRAFFIC 0x10u
#define SHOW_ATTEMPT 0x20u
#define SHOW_USERID 0x40u

struct window {
	uint64_t since_ns;
	uint64_t count;
	uint64_t suppressed;
};

struct ledger {
	struct ledgers *ledgers;
	LIST_ENTRY(ledger) link;
	atomic_uint references;
	struct sink *sink;
	int priority;
	enum log_format format;
	unsigned wants;
	unsigned show_success;
	unsigned show_failure;
	uint64_t rate; /* lines of a kind in each span; 0: any number */
	uint64_t span_ns;
	struct window windows[EVENT_KINDS];
	char *service;
};

struct ledgers {
	struct reactor_owner owner;
	struct berth_handler handler; /* its timer */
	struct log *log;
	pthread_mutex_t lock;
	struct ledger_list ledgers;
	struct sink_list sinks;
	const char *syslog;
	const char *journal;
	uint64_t due_ns; /* when the timer comes; 0: it is not set */
	struct text line;
};

/* --- rate.c: with the lock held --------------------------------------------
 */

/* Is this line one too many? */
bool rate_allows(struct ledger *ledger, enum ledger_event event);
/* Says what was suppressed until now. */
void rate_flush(struct ledger *ledger);
extern const struct berth_handler_type rate_handler_type;

/* --- record.c, format.c ----------------------------------------------------
 */

struct record {
	enum ledger_event event;
	unsigned show;
	const char *service;
	const struct ledger_visit *visit; /* NULL: none */
	const struct ledger_end *end;	  /* NULL: it is not one */
	const char *reason;
	char client[128]; /* without its port; "": not known */
	int port;	  /* -1: it has none */
	enum ledger_event suppressed;
	uint64_t lines;
};

/* With the lock held. */
void record_write(struct ledger *ledger, const struct record *record);

enum field_kind { FIELD_TEXT, FIELD_NUMBER, FIELD_MILLISECONDS };

struct field {
	const char *key;
	enum field_kind kind;
	const char *string;
	uint64_t number;
};

#define FIELDS_MAX 21u

/* What a record says, in order. */
unsigned record_fields(
    const struct record *record, struct field fields[FIELDS_MAX]);

/* Adds the line, without its end; nothing is in it that could end it. */
void format_xinetd(const struct record *record, struct text *text);
void format_logfmt(const struct record *record, struct text *text);
void format_json(const struct record *record, struct text *text);
/* As the journal's own protocol has fields; only the record's own. */
void format_journal(const struct record *record, struct text *text);
/* The time in front of xinetd's lines in a file. */
void format_xinetd_time(struct text *text);

#endif
