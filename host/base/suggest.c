/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suggest: "did you mean …", by the optimal string alignment distance
 * (Damerau-Levenshtein with each pair swapped at most once), letters of
 * either case being the same.
 *
 * Near enough is one slip in a word of up to three letters, otherwise two, or
 * one in three letters of a long word.  Of equally near candidates the first
 * stays.  Words over WORD_MAX bytes have no neighbours.
 */
#include "base/base.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 64u

static unsigned
near_enough(size_t length)
{
	if (length <= 3)
		return 1;
	return length < 6 ? 2 : (unsigned)(length / 3);
}

static bool
same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Both at most WORD_MAX long. */
static unsigned
distance(const char *a, const char *b)
{
	/* Three rows of the matrix are enough: this one and two above. */
	unsigned rows[3][WORD_MAX + 1];
	size_t wide = strlen(b), i, j;

	for (j = 0; j <= wide; j++)
		rows[0][j] = (unsigned)j;
	for (i = 1; a[i - 1] != '\0'; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *up = rows[(i + 2) % 3];
		const unsigned *up2 = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (j = 1; j <= wide; j++) {
			unsigned cost = same(a[i - 1], b[j - 1]) ? 0 : 1;

			row[j] = least(
			    up[j - 1] + cost, least(up[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]))
				row[j] = least(row[j], up2[j - 2] + 1);
		}
	}
	return rows[(i + 2) % 3][wide];
}

void
suggestion_init(struct suggestion *suggestion, const char *word)
{
	suggestion->word = word;
	suggestion->best = NULL;
	suggestion->distance = near_enough(strlen(word)) + 1;
}

void
suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
	size_t a = strlen(suggestion->word), b = strlen(candidate);
	unsigned found;

	if (a > WORD_MAX || b > WORD_MAX || a == 0 || b == 0)
		return;
	/* The lengths alone make it too far. */
	if ((a > b ? a - b : b - a) >= suggestion->distance)
		return;
	found = distance(suggestion->word, candidate);
	if (found >= suggestion->distance)
		return;
	suggestion->distance = found;
	suggestion->best = candidate;
}
