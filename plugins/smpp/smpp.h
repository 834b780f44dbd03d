/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smpp: numbers of the protocol, and what a submit_sm holds.
 */
#ifndef SMPP_SMPP_H
#define SMPP_SMPP_H

#include <berth/berth.h>
#include <stdbool.h>

#define HEADER_BYTES 16u
#define FRAME_BYTES 4096u
#define USER_BYTES 64u /* with the NUL */

#define RESPONSE 0x80000000u
#define SUBMIT_SM 0x00000004u
#define BIND_TRANSCEIVER 0x00000009u
#define ENQUIRE_LINK 0x00000015u

#define STATUS_OK 0x0u
#define STATUS_LENGTH 0x2u    /* the body is not what its kind has */
#define STATUS_NOT_BOUND 0x4u /* bind comes first */
#define STATUS_PASSWORD 0xeu

/* Of one service; the words are the service's. */
struct smpp {
	const char *user;
	const char *password;
	bool anybody; /* may submit */
};

struct request {
	uint32_t command;
	uint32_t sequence;
	struct berth_bytes body;
	bool *bound; /* of the session */
};

/* Of the frame, which has to live as long. */
struct submitted {
	const char *source, *destination;
	unsigned data_coding;
	struct berth_bytes text;
};

/* message.c.  Take a string with its NUL, of at most size bytes, from the
 * front; false: there is none. */
bool take_string(
    struct berth_bytes *body, size_t size, const char **ret_string);
bool submitted_parse(struct berth_bytes body, struct submitted *ret_message);
void submitted_log(
    struct berth_service *service, const struct submitted *message);

#endif
