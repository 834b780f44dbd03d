/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules: what the settings of a service ask of those who come, made ready when
 * the settings are read: all that may block, fail or need memory is done here.
 *
 * A service that asks for nothing has no rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guard/guard_priv.h"

/* So many bytes fit into the buffer of any new connection: a banner is sent
 * by one call that does not wait. */
#define BANNER_MAX 8192u

static int
read_banner(const char *path, const struct place *place, struct errors *errors,
    struct berth_bytes *ret_banner)
{
	AUTO_FD fd = -1;
	AUTO_TEXT text;
	int result;

	text_init(&text);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	result = fd < 0 ? -errno : fd_read_all(fd, BANNER_MAX, &text);
	if (result == -ENOMEM)
		return result;
	if (result < 0) {
		errors_add(errors, SEVERITY_ERROR, result, place,
		    "cannot read the banner '%s': %s", path,
		    result == -EFBIG ? "it is longer than 8192 bytes"
				     : strerror(-result));
		return result;
	}
	*ret_banner = berth_bytes(text.data, text.size);
	text.data = NULL;
	return 0;
}

static int
read_banners(struct guard_rules *rules, const struct settings *settings,
    const struct place *place, struct errors *errors)
{
	const char *const paths[] = {
	    [GUARD_BANNER] = settings->banner,
	    [GUARD_BANNER_SUCCESS] = settings->banner_success,
	    [GUARD_BANNER_FAIL] = settings->banner_fail,
	};
	int result = 0;

	for (unsigned i = 0; i < BASE_COUNT(paths); i++) {
		int answer = 0;

		if (paths[i] != NULL)
			answer = read_banner(
			    paths[i], place, errors, &rules->banners[i]);
		result = result != 0 ? result : answer;
	}
	return result;
}

static bool
asks_something(const struct settings *settings)
{
	return settings->per_source != 0 || settings->cps.count != 0 ||
	       settings->source_cps.count != 0 ||
	       settings->max_load_percent != 0 || settings->only_from.is_set ||
	       settings->no_access.count != 0 ||
	       settings->access_times.is_set || settings->only_users.is_set ||
	       settings->only_groups.is_set || settings->banner != NULL ||
	       settings->banner_success != NULL ||
	       settings->banner_fail != NULL;
}

static int
fill(struct guard_rules *rules, const struct settings *settings,
    const struct place *place, struct errors *errors)
{
	int result = 0, answer;

	rules->cps = settings->cps;
	rules->source_cps = settings->source_cps;
	rules->prefixes = settings->source_prefix;
	rules->per_source = settings->per_source;
	rules->max_load_percent = settings->max_load_percent;
	rules->has_times = settings->access_times.is_set;
	rules->span_count = settings->access_times.count;
	if (rules->has_times)
		result = spans_new(&settings->access_times, &rules->spans);
	if (result == 0)
		result = rules_add_users(rules, settings, place, errors);
	answer = read_banners(rules, settings, place, errors);
	result = result != 0 ? result : answer;
	answer = acl_new(settings, place, errors, &rules->acl);
	if (answer == ACL_E_MISTAKE)
		answer = -EINVAL;
	return result != 0 ? result : answer;
}

int
guard_rules_new(const struct settings *settings, const struct place *place,
    struct errors *errors, struct guard_rules **ret_rules)
{
	struct guard_rules *rules;
	int result;

	if (!asks_something(settings)) {
		*ret_rules = NULL;
		return 0;
	}
	rules = calloc(1, sizeof(*rules));
	if (rules == NULL)
		return -ENOMEM;
	result = fill(rules, settings, place, errors);
	if (result < 0) {
		guard_rules_free(rules);
		return result;
	}
	*ret_rules = rules;
	return 0;
}

struct guard_rules *
guard_rules_free(struct guard_rules *rules)
{
	if (rules == NULL)
		return NULL;
	for (unsigned i = 0; i < BASE_COUNT(rules->banners); i++) {
		/* It is ours: read_banner() has made it. */
		union {
			const void *from;
			void *to;
		} data = {rules->banners[i].data};

		free(data.to);
	}
	acl_free(rules->acl);
	free(rules->spans);
	free(rules->users);
	free(rules->groups);
	free(rules);
	return NULL;
}

bool
guard_has_gate(const struct guard_rules *rules)
{
	return rules != NULL && (rules->cps.count != 0 || rules->has_times ||
				    rules->max_load_percent != 0);
}

bool
guard_has_door(const struct guard_rules *rules)
{
	return rules != NULL &&
	       (rules->per_source != 0 || rules->source_cps.count != 0 ||
		   rules->has_users);
}

const struct acl *
guard_acl(const struct guard_rules *rules)
{
	return rules != NULL ? rules->acl : NULL;
}

struct berth_bytes
guard_banner(const struct guard_rules *rules, enum guard_banner which)
{
	if (rules == NULL)
		return berth_bytes(NULL, 0);
	return rules->banners[which];
}
