/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record: a log record as it goes over the wire (C++NPv2, the networked
 * logging service; ACE's CDR).
 *
 *	header	 8 bytes  byte order (1: little endian), 3 of padding,
 *			  ULong: bytes of the payload
 *	payload		  Long type, Long pid, Long secs, Long usecs,
 *			  ULong bytes of text, text
 *
 * ACE since 6.0 sends the seconds as a LongLong, which makes the fields before
 * the text 24 bytes instead of 20.  Both are read, and told apart by the
 * lengths, which have to agree; what is written has the form that is asked
 * for.
 */
#ifndef LOGGING_RECORD_H
#define LOGGING_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define RECORD_HEADER_BYTES 8u
#define RECORD_FIELD_BYTES 20u
#define RECORD_WIDE_BYTES 24u
#define RECORD_MOST 65536u /* bytes with the header, if nobody says else */

/* Forms of a record. */
#define RECORD_LITTLE 0x1u /* least significant byte first */
#define RECORD_WIDE 0x2u   /* seconds of 64 bits */

/* An answer: the bytes end before the record does. */
#define RECORD_E_MORE 1

struct record {
	uint32_t type; /* a priority of ACE: one bit */
	int32_t pid;
	int64_t secs;
	int32_t usecs;
	unsigned form;	  /* RECORD_LITTLE, RECORD_WIDE */
	const char *text; /* not ended by a NUL */
	uint32_t text_size;
};

/*
 * How long the record is that begins here, header included.  0, or
 * RECORD_E_MORE: its header is not all there; -EPROTO: no header; -EMSGSIZE:
 * it is longer than most.
 */
int record_measure(
    const void *data, size_t size, size_t most, size_t *ret_size);

/*
 * Takes a whole record apart; text points into data, without the NUL that ACE
 * puts behind it.  0 or -EPROTO: its lengths do not agree.
 */
int record_decode(const void *data, size_t size, struct record *ret_record);

/* 0, or -EMSGSIZE: there is not so much room. */
int record_encode(
    const struct record *record, void *buffer, size_t room, size_t *ret_size);

/* The form of this machine. */
unsigned record_native_form(void);

/* "ERROR" and kin; NULL for a type that has no name. */
const char *record_type_name(uint32_t type);
/* By name, with or without LM_, in any case; 0 or -ENOENT. */
int record_type_of(const char *name, uint32_t *ret_type);
/* As syslog(3) has it. */
int record_severity(uint32_t type);

#endif
