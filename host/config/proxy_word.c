/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_word: the words of proxy_from.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_priv.h"

/* "unix", or numbers: who is believed is not looked up. */
const char *
check_proxy_word(const char *word)
{
	size_t length = strcspn(word, "/");
	unsigned char ip[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];
	unsigned long bits = 128;
	bool v4;

	if (strcmp(word, "unix") == 0)
		return NULL;
	if (length >= sizeof(text))
		return "no address, and not 'unix'";
	memcpy(text, word, length);
	text[length] = '\0';
	v4 = inet_pton(AF_INET, text, ip) == 1;
	if (!v4 && inet_pton(AF_INET6, text, ip) != 1)
		return "no address, and not 'unix'";
	if (word[length] == '\0')
		return NULL;
	word += length + 1;
	length = strspn(word, "0123456789");
	if (length > 0 && length < 4 && word[length] == '\0')
		bits = strtoul(word, NULL, 10);
	else
		return "no number of bits behind the '/'";
	return bits > (v4 ? 32 : 128) ? "the address has not so many bits"
				      : NULL;
}
