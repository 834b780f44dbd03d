/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_inetd: what the files that read inetd.conf share.
 */
#ifndef CONFIG_CONFIG_INETD_H
#define CONFIG_CONFIG_INETD_H

#include "config/config_formats.h"

/* One service as a line, or a statement of NetBSD's, has it; what is missing
 * has no text. */
struct inetd_entry {
	struct value service, type, protocol, wait, user, program;
	struct value group; /* of a statement */
	const struct value *addresses;
	unsigned address_count;
	const struct value *words; /* argv[0] first */
	unsigned word_count;
	const struct value *extra; /* key, value, key, value: attributes */
	unsigned extra_count;
};

/* Of all files of one reading; on the stack of inetd_read(). */
struct inetd {
	const struct value *addresses; /* of lines without one of their own */
	unsigned address_count;
	bool quotes; /* group words, as in NetBSD's */
	struct inetd_name *names;
};

/* inetd_entry.c: makes it a directive */
int inetd_entry(struct reader *reader, const struct inetd_entry *entry);
/* inetd_merge.c: into the tree, or into a service of the same name */
int inetd_add(struct reader *reader, struct directive *directive);
void inetd_names_free(struct inetd *inetd);
/* inetd_pairs.c: NetBSD's `service on key = value, … ;`; *line moves to where
 * it ends. */
int inetd_pairs(
    struct reader *reader, struct line *line, const struct inetd_entry *begun);
/* inetd_words.c: what single fields mean */
int inetd_wait(struct reader *reader, const struct value *value,
    struct settings *settings, bool internal);
/* cps or source_cps: so many a minute, and as these hosts pause; 0: any. */
int inetd_rate(struct reader *reader, struct settings *settings,
    const char *attribute, const struct value *number);
int inetd_user(struct reader *reader, const struct inetd_entry *entry,
    struct settings *settings);
int inetd_buffers(struct reader *reader, const struct value *protocol,
    struct settings *settings);
/* What NetBSD's accept filter is as a value of defer_accept. */
struct value inetd_accept_filter(
    struct reader *reader, const struct value *filter);
/* A list of addresses with commas between them. */
int inetd_addresses(struct reader *reader, const struct value *value,
    const struct value **ret_list, unsigned *ret_count);

#endif
