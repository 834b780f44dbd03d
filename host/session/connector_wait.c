/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connector_wait: connecting in a thread that may wait for it.
 *
 * A name is looked up first, for as long as that takes, and its first address
 * counts.  Nothing is allocated that stays.
 */
#include "session/connector_priv.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* What poll(2) may wait for, rounded up so that it never wakes too early. */
static int
wait_ms(struct mono until)
{
	struct mono now = mono_now();
	uint64_t left_ms;

	if (until.ns == UINT64_MAX)
		return -1;
	if (now.ns >= until.ns)
		return 0;
	left_ms = (until.ns - now.ns) / MONO_MS(1) + 1;
	return left_ms < INT32_MAX ? (int)left_ms : INT32_MAX;
}

/* 0: it is connected, or a negative errno. */
static int
wait_for(int fd, int stop_fd, uint64_t timeout_ns)
{
	struct pollfd waits[2] = {
	    {.fd = fd, .events = POLLOUT}, {.fd = stop_fd, .events = POLLIN}};
	struct mono until = mono_now();
	int count;

	until.ns = timeout_ns > UINT64_MAX - until.ns ? UINT64_MAX
						      : until.ns + timeout_ns;
	for (;;) {
		int ms = wait_ms(until);

		count = poll(waits, 2, ms);
		if (count < 0 && errno != EINTR)
			return -errno;
		if (count > 0 && waits[1].revents != 0)
			return -ECANCELED;
		if (count > 0)
			return connector_outcome(fd);
		if (count == 0 && ms == 0)
			return -ETIME;
	}
}

/* The address, in numbers.  0 or a negative errno. */
static int
find_address(struct connector_place *place)
{
	return place->is_name
		   ? address_resolve(&place->to, NULL, &place->address)
		   : 0;
}

static int
connect_to(struct connector_place *place, uint64_t timeout_ns, int stop_fd)
{
	bool waits = timeout_ns != BERTH_CONNECT_AT_ONCE;
	AUTO_FD fd = -1;
	int result;

	if (place->is_name && !waits)
		return -EWOULDBLOCK;
	result = find_address(place);
	if (result == 0)
		result = connector_begin(place, &place->address, &fd);
	if (result == -EINPROGRESS)
		result = waits ? wait_for(fd, stop_fd, timeout_ns)
			       : -EWOULDBLOCK;
	return result == 0 ? base_take_fd(&fd) : result;
}

int
connector_wait(
    const struct berth_connect_options *options, bool on_loop, int stop_fd)
{
	struct connector_place place;
	int result;

	if (on_loop && options->timeout_ns != BERTH_CONNECT_AT_ONCE)
		return -EPERM;
	result = connector_place_init(&place, options);
	if (result != 0)
		return result;
	result = connect_to(&place, options->timeout_ns, stop_fd);
	connector_place_fini(&place);
	return result;
}
