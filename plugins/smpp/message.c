/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message: the body of a submit_sm, field by field.
 *
 * A table says what there is; strings end with a NUL and have a most, numbers
 * have one byte, and the last number is the size of the text.  A body that
 * ends before its last field is none; what follows the text is optional to the
 * protocol and passed over.
 */
#include "smpp.h"

/* The most of each, with its NUL; 0: a number. */
enum field {
	SERVICE_TYPE,
	SOURCE_TON,
	SOURCE_NPI,
	SOURCE,
	DESTINATION_TON,
	DESTINATION_NPI,
	DESTINATION,
	ESM_CLASS,
	PROTOCOL_ID,
	PRIORITY,
	DELIVERY_TIME,
	VALIDITY,
	REGISTERED,
	REPLACE,
	DATA_CODING,
	DEFAULT_MESSAGE,
	TEXT_SIZE,
	FIELDS
};

static const size_t sizes[FIELDS] = {
    [SERVICE_TYPE] = 6,
    [SOURCE] = 21,
    [DESTINATION] = 21,
    [DELIVERY_TIME] = 17,
    [VALIDITY] = 17,
};

bool
take_string(struct berth_bytes *body, size_t size, const char **ret_string)
{
	const char *string = body->data;
	const char *end = NULL;

	if (body->size > 0)
		end = memchr(
		    string, '\0', body->size < size ? body->size : size);
	if (end == NULL)
		return false;
	*body = berth_bytes_from(*body, (size_t)(end - string) + 1);
	*ret_string = string;
	return true;
}

static bool
take_number(struct berth_bytes *body, unsigned *ret_number)
{
	if (body->size == 0)
		return false;
	*ret_number = *(const unsigned char *)body->data;
	*body = berth_bytes_from(*body, 1);
	return true;
}

bool
submitted_parse(struct berth_bytes body, struct submitted *ret_message)
{
	const char *strings[FIELDS] = {NULL};
	unsigned numbers[FIELDS] = {0};

	for (unsigned i = 0; i < FIELDS; i++)
		if (sizes[i] > 0 ? !take_string(&body, sizes[i], &strings[i])
				 : !take_number(&body, &numbers[i]))
			return false;
	if (numbers[TEXT_SIZE] > body.size)
		return false;
	*ret_message = (struct submitted){
	    .source = strings[SOURCE],
	    .destination = strings[DESTINATION],
	    .data_coding = numbers[DATA_CODING],
	    .text = berth_bytes(body.data, numbers[TEXT_SIZE]),
	};
	return true;
}

void
submitted_log(struct berth_service *service, const struct submitted *message)
{
	berth_log(service, BERTH_INFO,
	    "from '%s' to '%s', coding %u, %zu bytes: %.*s", message->source,
	    message->destination, message->data_coding, message->text.size,
	    (int)message->text.size, (const char *)message->text.data);
}
