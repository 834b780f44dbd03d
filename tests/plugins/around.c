/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules around connections, for tests.
 *
 * make_pass: passes on, by hooks of its own; make_slow and make_hasty are ready
 * when the client has said his name; make_moved gives him another address.
 */
#include <arpa/inet.h>
#include <berth/berth.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/prctl.h>

/* --- pass ------------------------------------------------------------------*/

struct pass {
	uint64_t up;
	uint64_t down;
};

static int
pass_up(struct berth_filter *f, struct berth_bytes in)
{
	struct pass *pass = f->state;
	int result = berth_pass_up(f, in);

	pass->up += in.size;
	return result < 0 ? result : (int)in.size;
}

static int
pass_down(struct berth_filter *f, struct berth_bytes in)
{
	struct pass *pass = f->state;
	int result = berth_pass_down(f, in);

	pass->down += in.size;
	return result < 0 ? result : (int)in.size;
}

static const struct berth_filter_type pass_filter = {
    .state_size = sizeof(struct pass),
    .up = pass_up,
    .down = pass_down,
};

BERTH_FILTER(make_pass, .summary = "passes on", .filter = &pass_filter);

/* --- slow: ready when the client has said so -------------------------------*/

static int
slow_open(struct berth_filter *f)
{
	(void)f;
	return 600000;
}

static int
hasty_open(struct berth_filter *f)
{
	(void)f;
	return 3000;
}

/* A line that names who the client is: "name\n", or "!" for a refusal. */
static int
slow_up(struct berth_filter *f, struct berth_bytes in)
{
	struct pass *pass = f->state;
	const char *end = memchr(in.data, '\n', in.size);
	char name[64] = "";
	int result;

	if (pass->up > 0) {
		result = berth_pass_up(f, in);
		return result < 0 ? result : (int)in.size;
	}
	if (end == NULL)
		return 0;
	pass->up = (uint64_t)(end - (const char *)in.data) + 1;
	if (*(const char *)in.data == '!')
		return berth_filter_fail(f, EACCES, "refused");
	snprintf(name, sizeof(name), "%.*s", (int)pass->up - 1,
	    (const char *)in.data);
	result = berth_filter_set_identity(f, name);
	if (result == 0)
		result = berth_pass_down(f, berth_str("welcome\n"));
	if (result == 0)
		result = berth_filter_ready(f);
	return result < 0 ? result : (int)pass->up;
}

static int
slow_down_end(struct berth_filter *f)
{
	return berth_pass_down(f, berth_str("bye\n"));
}

static const struct berth_filter_type slow_filter = {
    .state_size = sizeof(struct pass),
    .open = slow_open,
    .up = slow_up,
    .down_end = slow_down_end,
};

static const struct berth_filter_type hasty_filter = {
    .state_size = sizeof(struct pass),
    .open = hasty_open,
    .up = slow_up,
};

BERTH_FILTER(make_slow, .summary = "waits for a name", .filter = &slow_filter);
BERTH_FILTER(
    make_hasty, .summary = "waits for a moment", .filter = &hasty_filter);

/* --- moved: another address ------------------------------------------------*/

static int
moved_open(struct berth_filter *f)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	const void *any = &from;

	from.sin_port = htons(99);
	from.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
	return berth_filter_set_peer(f, any, NULL);
}

static const struct berth_filter_type moved_filter = {.open = moved_open};

BERTH_FILTER(make_moved, .summary = "another address", .filter = &moved_filter);

/* --- homely: not in a worker
 * ------------------------------------------------*/

static int
homely_init(struct berth_service *module, int argc, char **argv)
{
	char name[16] = "";

	(void)argc;
	(void)argv;
	prctl(PR_GET_NAME, name, 0, 0, 0);
	if (strstr(name, "worker") != NULL)
		return berth_fail(module, EPERM, "this is no home");
	return 0;
}

static const struct berth_filter_type homely_filter = {
    .up = pass_up, .state_size = sizeof(struct pass)};

BERTH_FILTER(make_homely, .summary = "is at home in the host alone",
    .init = homely_init, .filter = &homely_filter);

/* --- a service that says who its client is ---------------------------------*/

static int
who_open(struct berth_session *session)
{
	char who[64] = "nobody", peer[64] = "";

	berth_peer_identity(session, who, sizeof(who));
	berth_peer(session, peer, sizeof(peer));
	berth_printf(session, "%s at %s\n", who, peer);
	return 0;
}

/* The client's words, and then its end. */
static int
who_input(struct berth_session *session, struct berth_bytes in)
{
	int result = berth_write(session, in);

	if (in.size > 0 && *(const char *)in.data == '.')
		berth_close(session);
	return result;
}

BERTH_SERVICE(make_who, .summary = "says who its client is",
    .flags = BERTH_CONCURRENT,
    .session = {.open = who_open, .input = who_input});
