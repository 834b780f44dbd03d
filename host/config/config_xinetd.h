/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_xinetd: what the files that read xinetd.conf share.
 */
#ifndef CONFIG_CONFIG_XINETD_H
#define CONFIG_CONFIG_XINETD_H

#include "config/config_formats.h"

/* KEY OPERATOR VALUE … of one line. */
struct xinetd_line {
	TAILQ_ENTRY(xinetd_line) link;
	struct value key; /* in lower case */
	enum token_kind how;
	struct place how_place;
	const struct value *values;
	unsigned count;
	bool used;
};
TAILQ_HEAD(xinetd_lines, xinetd_line);

/* `service NAME { … }`, or `defaults { … }` without a name. */
struct xinetd_section {
	TAILQ_ENTRY(xinetd_section) link;
	struct value name;
	struct xinetd_lines lines;
};
TAILQ_HEAD(xinetd_sections, xinetd_section);

/* Of all files of one reading: `defaults` may stand behind its services. */
struct xinetd {
	struct xinetd_section *defaults;
	struct settings for_programs, for_others; /* what it says */
	struct xinetd_sections services;
};

/* A section on its way to a directive. */
struct xinetd_making {
	struct reader *reader;
	struct xinetd_section *section;
	struct directive *directive;
	struct value id;
	bool internal, unlisted, relay;
	const char *mux;
	const char *family; /* "4" or "" */
	bool name_in_args;
};

/* xinetd_flags.c: what they say of the section; those that are attributes of
 * ours; and libwrap, which is xinetd's own idea, when all else is set. */
int xinetd_heed_flags(struct xinetd_making *making);
int xinetd_set_flags(struct xinetd_making *making);
int xinetd_set_wrap(struct xinetd_making *making);
/* xinetd_service.c: all sections, when all files are read */
int xinetd_finish(struct reader *reader);
/* xinetd_words.c: the line of that key, or NULL; it is used then */
struct xinetd_line *xinetd_find(
    struct xinetd_section *section, const char *key);
/* Its one word; without a text if there is no such line. */
int xinetd_word(struct reader *reader, struct xinetd_section *section,
    const char *key, struct value *ret_value);
int xinetd_flag(struct reader *reader, struct xinetd_section *section,
    const char *key, bool *ret_flag);
bool xinetd_has(
    struct xinetd_section *section, const char *key, const char *word);
/* Attributes of a section that are words of ours, too. */
int xinetd_settings(struct reader *reader, struct xinetd_section *section,
    struct settings *settings, bool program);

#endif
