/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words: the options of a module, as a table of what each is and where it goes.
 */
#ifndef PLUGINS_AROUND_WORDS_H
#define PLUGINS_AROUND_WORDS_H

#include <berth/berth.h>
#include <stdbool.h>

enum word_kind {
	WORD_END = 0,
	WORD_FLAG,  /* bool: no value follows */
	WORD_SIZE,  /* size_t: 512, 64K, 2M, 1G */
	WORD_COUNT, /* size_t */
	WORD_TIME,  /* uint32_t, milliseconds: 500ms, 5s, 1m */
	WORD_TEXT,  /* const char *: as it stands */
	WORD_BYTES  /* struct berth_bytes: \r \n \t \0 \\ \xHH are read, in
		     * place */
};

struct word {
	char letter;
	enum word_kind kind;
	size_t offset; /* in what words_read() is handed */
	uint64_t low;  /* of a number */
	uint64_t high; /* 0: as the kind has it */
};

/* -X VALUE, -XVALUE, or -X; nothing else may follow.  0 or negative, told. */
int words_read(struct berth_service *module, const struct word *table, void *to,
    int argc, char **argv);

#endif
