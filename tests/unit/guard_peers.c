/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit/guard_peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#define WORDS_MAX 64u

struct peer
peer_of(const char *text)
{
	struct peer peer = {.size = sizeof(sa_family_t)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = 9};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = 9};

	peer.storage.ss_family = AF_UNIX;
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(&peer.storage, &v4, sizeof(v4));
		peer.size = sizeof(v4);
	} else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(&peer.storage, &v6, sizeof(v6));
		peer.size = sizeof(v6);
	} else {
		assert_string_equal(text, "");
	}
	return peer;
}

enum acl_answer
peer_check(const struct acl *acl, const char *text)
{
	struct peer peer = peer_of(text);
	const void *address = &peer.storage;

	return acl_check(acl, address, peer.size);
}

static void
split(const char *words, char *copy, size_t room, struct word_list *ret_list)
{
	static const char *list[2][WORDS_MAX];
	static unsigned turn;
	const char **at = list[turn++ % 2];
	char *rest = NULL;
	unsigned count = 0;

	memset(ret_list, 0, sizeof(*ret_list));
	if (words == NULL)
		return;
	assert_true(strlen(words) < room);
	memcpy(copy, words, strlen(words) + 1);
	for (char *word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		assert_true(count < WORDS_MAX);
		at[count++] = word;
	}
	*ret_list = (struct word_list){at, count, true, 0};
}

void
peer_settings(
    struct settings *settings, const char *only_from, const char *no_access)
{
	static char copies[2][4096];

	settings_init(settings);
	split(only_from, copies[0], sizeof(copies[0]), &settings->only_from);
	split(no_access, copies[1], sizeof(copies[1]), &settings->no_access);
}

struct acl *
peer_acl(const char *only_from, const char *no_access)
{
	struct settings settings;
	struct errors *errors = errors_new(0);
	struct acl *acl = NULL;

	peer_settings(&settings, only_from, no_access);
	assert_int_equal(acl_new(&settings, NULL, errors, &acl), 0);
	assert_int_equal(errors_kept(errors), 0);
	errors_free(errors);
	return acl;
}
