/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_access: the words of access lists, only_from and no_access, and the
 * files that hold such words, one a line.  svc.conf(5), ACCESS LISTS.
 *
 * What is checked when a configuration is read and what is compiled into a
 * list go through the same functions, so that they cannot disagree.
 */
#ifndef CONFIG_CONFIG_ACCESS_H
#define CONFIG_CONFIG_ACCESS_H

#include "config/config_settings.h"

/* An IPv4 address stands in the upper 32 bits of high.  Bits behind the
 * prefix are zero. */
struct access_prefix {
	uint64_t high, low;
	uint8_t bits; /* that count: 0 to 32, or to 128 */
	bool v6;
};

enum access_kind {
	ACCESS_PREFIX,	/* an address, or a network */
	ACCESS_FACTORS, /* networks: 192.0.2.{1,2} */
	ACCESS_ALL,	/* 0.0.0.0: every address, IPv6 as well */
	ACCESS_NAME,	/* of a network or a host */
	ACCESS_DOMAIN,	/* hosts whose names end so: .example.org */
	ACCESS_FILE	/* file:/path */
};

struct access_entry {
	enum access_kind kind;
	struct access_prefix prefix; /* of factors: what is before them */
	uint64_t factors[4];	     /* a bit for each number */
	const char *name; /* within the word; a domain has its dot, a file's
			     path no `file:` */
};

/* NULL, or what is wrong with the word: a constant. */
const char *access_parse(const char *word, struct access_entry *ret_entry);
/* The prefix of one of an entry's factors. */
struct access_prefix access_factor(
    const struct access_entry *entry, unsigned number);
/* Bits behind the prefix become zero. */
void access_prefix_trim(struct access_prefix *prefix);
/* Of an IPv4 address in host order. */
struct access_prefix access_prefix_v4(uint32_t address, unsigned bits);
/* An IPv4 address in IPv6's clothes becomes what it is. */
struct access_prefix access_prefix_v6(const uint8_t address[16], unsigned bits);

/* Something in the file is wrong, and told. */
#define ACCESS_E_MISTAKE 1

/* 0 goes on. */
typedef int(access_each_fn)(void *context, const struct access_entry *entry);

/*
 * Calls each (NULL: nobody) for every entry of a file; the entry's strings are
 * good for the call.  Mistakes are told at their place in the file, or at from
 * when it cannot be read.  0 and a number that another content would not have,
 * ACCESS_E_MISTAKE, -ENOMEM, or what each returned.
 */
int access_file_read(const char *path, const struct place *from,
    struct errors *errors, access_each_fn *each, void *context,
    uint64_t *ret_stamp);

#endif
