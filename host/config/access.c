/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access: one word of an access list.
 *
 * The forms are xinetd's and those that everybody knows: addresses with a
 * length or a mask, what an address begins with, factors, names.  A form that
 * other programs read differently (an octal number, a mask with holes) is a
 * mistake: a list that admits somebody else than was meant is worse than none.
 *
 * Results: NULL, or a constant text that says what is wrong.
 */
#include "config/config_access.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define NAME_MAX_BYTES 253u
#define LABEL_MAX_BYTES 63u

static const char no_form[] = "no address, no network and no name";

/* --- prefixes --------------------------------------------------------------
 */

/* The upper bits of 64, of which there may be more or none. */
static uint64_t
upper(unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

void
access_prefix_trim(struct access_prefix *prefix)
{
	prefix->high &= upper(prefix->bits);
	prefix->low &= prefix->bits > 64 ? upper(prefix->bits - 64u) : 0;
}

struct access_prefix
access_prefix_v4(uint32_t address, unsigned bits)
{
	struct access_prefix prefix = {
	    .high = (uint64_t)address << 32, .bits = (uint8_t)bits};

	access_prefix_trim(&prefix);
	return prefix;
}

static uint64_t
read_word(const uint8_t *bytes)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < 8; i++)
		word = word << 8 | bytes[i];
	return word;
}

struct access_prefix
access_prefix_v6(const uint8_t address[16], unsigned bits)
{
	struct access_prefix prefix = {.high = read_word(address),
	    .low = read_word(address + 8),
	    .bits = (uint8_t)bits,
	    .v6 = true};

	if (prefix.high == 0 && prefix.low >> 32 == 0xffff && bits >= 96)
		return access_prefix_v4((uint32_t)prefix.low, bits - 96);
	access_prefix_trim(&prefix);
	return prefix;
}

/* --- numbers ---------------------------------------------------------------
 */

/* A decimal number at *text, which moves behind it; or -1. */
static int
read_number(const char **text, int high)
{
	const char *at = *text;
	size_t size = strspn(at, "0123456789");
	int number = 0;

	if (size == 0 || size > 3 || (at[0] == '0' && size > 1))
		return -1;
	for (size_t i = 0; i < size; i++)
		number = number * 10 + (at[i] - '0');
	*text = at + size;
	return number <= high ? number : -1;
}

struct quad {
	uint32_t address; /* missing numbers are zero */
	unsigned count;
	bool dot; /* behind the last number */
};

/* Up to four numbers at *text, which moves behind them. */
static const char *
read_quad(const char **text, struct quad *ret_quad)
{
	struct quad quad = {0};

	do {
		int number;

		number = read_number(text, 255);
		if (number < 0)
			return "the numbers of an address are 0 to 255, "
			       "without a zero before them";
		if (quad.count == 4)
			return "an address has four numbers";
		quad.address |= (uint32_t)number << (24 - 8 * quad.count);
		quad.count++;
		quad.dot = **text == '.';
		*text += quad.dot ? 1 : 0;
	} while (quad.dot && isdigit((unsigned char)**text));
	*ret_quad = quad;
	return NULL;
}

/* --- IPv4 ------------------------------------------------------------------
 */

/* xinetd's rule: numbers that are zero, from the right, stand for any. */
static unsigned
implied_bits(const struct quad *quad)
{
	unsigned bits = 8 * quad->count;

	if (quad->count < 4)
		return bits;
	while (bits > 0 && (quad->address >> (32 - bits) & 0xff) == 0)
		bits -= 8;
	return bits;
}

static const char *
read_mask(const char *text, unsigned *ret_bits)
{
	struct quad mask;
	const char *reason = read_quad(&text, &mask);
	uint32_t holes;

	if (reason != NULL)
		return "the mask is no address";
	if (mask.count != 4 || mask.dot || *text != '\0')
		return "a mask has four numbers";
	holes = ~mask.address;
	if ((holes & (holes + 1)) != 0)
		return "the mask has holes";
	*ret_bits = holes == 0 ? 32 : (unsigned)__builtin_clz(holes);
	return NULL;
}

static const char *
read_length(const char *text, int high, unsigned *ret_bits)
{
	int bits = read_number(&text, high);

	if (bits < 0 || *text != '\0')
		return high == 32 ? "behind the slash stands a number from 0 "
				    "to 32, or a mask"
				  : "behind the slash stands a number from 0 "
				    "to 128";
	*ret_bits = (unsigned)bits;
	return NULL;
}

static const char *
read_factors(
    const char *text, const struct quad *quad, struct access_entry *entry)
{
	if (!quad->dot || quad->count > 3)
		return "braces stand for one number, the last";
	do {
		int number;

		text++;
		number = read_number(&text, 255);
		if (number < 0)
			return "in braces stand numbers from 0 to 255, with "
			       "commas between them";
		entry->factors[number / 64] |= UINT64_C(1) << (number % 64);
	} while (*text == ',');
	if (strcmp(text, "}") != 0)
		return *text == '}' ? "braces stand for one number, the last"
				    : "the brace is not closed";
	entry->kind = ACCESS_FACTORS;
	entry->prefix = access_prefix_v4(quad->address, 8 * quad->count);
	return NULL;
}

static const char *
parse_v4(const char *word, struct access_entry *entry)
{
	struct quad quad;
	unsigned bits = 32;
	const char *reason = read_quad(&word, &quad);

	if (reason != NULL)
		return reason;
	if (*word == '{')
		return read_factors(word, &quad, entry);
	if (quad.count == 4 && quad.dot)
		return "an address has four numbers";
	if (*word == '/') {
		word++;
		reason = strchr(word, '.') != NULL
			     ? read_mask(word, &bits)
			     : read_length(word, 32, &bits);
		if (reason != NULL)
			return reason;
	} else if (*word != '\0') {
		return no_form;
	} else if (quad.count == 1 && !quad.dot) {
		return "a number alone is no address: 10.0.0.0/8, not 10";
	} else {
		bits = implied_bits(&quad);
		if (quad.count == 4 && bits == 0)
			entry->kind = ACCESS_ALL;
	}
	entry->prefix = access_prefix_v4(quad.address, bits);
	return NULL;
}

/* --- the others ------------------------------------------------------------
 */

static const char *
parse_v6(const char *word, struct access_entry *entry)
{
	size_t size = strcspn(word, "/");
	char text[INET6_ADDRSTRLEN];
	uint8_t address[16];
	unsigned bits = 128;
	const char *reason = NULL;

	if (strchr(word, '%') != NULL)
		return "an access list knows no zones";
	if (size >= sizeof(text))
		return "no IPv6 address";
	memcpy(text, word, size);
	text[size] = '\0';
	if (inet_pton(AF_INET6, text, address) != 1)
		return "no IPv6 address";
	if (word[size] == '/')
		reason = read_length(word + size + 1, 128, &bits);
	if (reason == NULL)
		entry->prefix = access_prefix_v6(address, bits);
	return reason;
}

static const char *
parse_name(const char *word, struct access_entry *entry)
{
	const char *at = word;

	entry->kind = *word == '.' ? ACCESS_DOMAIN : ACCESS_NAME;
	entry->name = word;
	at += *word == '.' ? 1 : 0;
	if (strlen(at) > NAME_MAX_BYTES)
		return "a name has at most 253 bytes";
	for (;;) {
		size_t size = strspn(at, "abcdefghijklmnopqrstuvwxyz_-"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789");

		if (size == 0 && (*at == '.' || *at == '\0'))
			return "between the dots of a name something stands";
		if (at[size] != '.' && at[size] != '\0')
			return at[size] == '/' ? "a name has no length"
					       : no_form;
		if (size > LABEL_MAX_BYTES)
			return "a part of a name has at most 63 bytes";
		if (at[size] == '\0')
			return NULL;
		at += size + 1;
	}
}

static const char *
parse_file(const char *path, struct access_entry *entry)
{
	entry->kind = ACCESS_FILE;
	entry->name = path;
	return *path == '/' ? NULL : "a path begins with '/'";
}

const char *
access_parse(const char *word, struct access_entry *ret_entry)
{
	struct access_entry entry = {.kind = ACCESS_PREFIX};
	const char *reason;

	if (strncmp(word, "file:", 5) == 0)
		reason = parse_file(word + 5, &entry);
	else if (strchr(word, ':') != NULL)
		reason = parse_v6(word, &entry);
	else if (isdigit((unsigned char)word[0]) &&
		 word[strspn(word, "0123456789./{},")] == '\0')
		reason = parse_v4(word, &entry);
	else
		reason = parse_name(word, &entry);
	if (reason == NULL)
		*ret_entry = entry;
	return reason;
}

struct access_prefix
access_factor(const struct access_entry *entry, unsigned number)
{
	struct access_prefix prefix = entry->prefix;

	prefix.bits = (uint8_t)(prefix.bits + 8);
	prefix.high |= (uint64_t)number << (64 - prefix.bits);
	return prefix;
}
