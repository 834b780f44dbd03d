/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: the words of attributes that are options of a socket.
 *
 * An option is set when its attribute says something else than the kernel, and
 * again when that changes; what the kernel had before is remembered, so that
 * taking the word out of the file takes the option off the socket.
 *
 * All of them can be set while a socket listens.  Those that the kernel may
 * refuse are tried on a socket of no use first, so that the real one does not
 * fail where nothing may.  Accepted connections inherit them, but for those of
 * Unix sockets, which have none here but the buffers of datagrams.
 *
 * Results: 0, or a negative errno that was told.
 */
#include "net/net_priv.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

enum unit { FLAG, COUNT, SECONDS, BYTES };
enum sort { OF_TCP, OF_INET, OF_QUEUES };

struct option {
	const char *name;
	enum unit unit;
	size_t offset; /* in struct settings */
	enum sort sort;
	int level, number;
	int number_v6; /* of IPPROTO_IPV6, on sockets of that; 0: the same */
	int number_forced; /* without the system's limit; 0: none */
};

/* Of SO_BUF_LOCK: sizes that a person has set (linux/socket.h). */
#define SEND_LOCK 1
#define RECEIVE_LOCK 2

#define ROW(field_) #field_, COUNT, offsetof(struct settings, field_)
#define ROW_FLAG(field_) #field_, FLAG, offsetof(struct settings, field_)
#define ROW_TIME(field_)                                                       \
#field_, SECONDS, offsetof(struct settings, field_##_ms)
#define ROW_SIZE(field_)                                                       \
#field_, BYTES, offsetof(struct settings, field_##_bytes)

static const struct option options[] = {
    {ROW_TIME(keepalive_time), OF_TCP, IPPROTO_TCP, TCP_KEEPIDLE, 0, 0},
    {ROW_TIME(keepalive_interval), OF_TCP, IPPROTO_TCP, TCP_KEEPINTVL, 0, 0},
    {ROW(keepalive_probes), OF_TCP, IPPROTO_TCP, TCP_KEEPCNT, 0, 0},
    {ROW_TIME(defer_accept), OF_TCP, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, 0},
    {ROW(fast_open), OF_TCP, IPPROTO_TCP, TCP_FASTOPEN, 0, 0},
    {ROW(ip_tos), OF_INET, IPPROTO_IP, IP_TOS, IPV6_TCLASS, 0},
    {ROW(ip_ttl), OF_INET, IPPROTO_IP, IP_TTL, IPV6_UNICAST_HOPS, 0},
    {ROW(mark), OF_INET, SOL_SOCKET, SO_MARK, 0, 0},
    {ROW_FLAG(free_bind), OF_INET, IPPROTO_IP, IP_FREEBIND, IPV6_FREEBIND, 0},
    {ROW_FLAG(transparent), OF_INET, IPPROTO_IP, IP_TRANSPARENT,
	IPV6_TRANSPARENT, 0},
    {ROW_FLAG(reuse_port), OF_INET, SOL_SOCKET, SO_REUSEPORT, 0, 0},
    {ROW_SIZE(receive_buffer), OF_QUEUES, SOL_SOCKET, SO_RCVBUF, 0,
	SO_RCVBUFFORCE},
    {ROW_SIZE(send_buffer), OF_QUEUES, SOL_SOCKET, SO_SNDBUF, 0,
	SO_SNDBUFFORCE},
};

_Static_assert(BASE_COUNT(options) == SOCKET_OPTIONS, "memory for each");

/* What the attribute says; 0: nothing. */
static int
wanted_of(const struct option *option, const struct settings *settings)
{
	const void *field = (const char *)settings + option->offset;
	uint64_t number = 0;

	switch (option->unit) {
	case FLAG:
		return *(const bool *)field ? 1 : 0;
	case COUNT:
		return (int)*(const unsigned *)field;
	case SECONDS:
		number = (*(const uint64_t *)field + 999) / 1000;
		break;
	case BYTES:
		number = *(const uint64_t *)field;
		break;
	}
	return number > INT_MAX ? INT_MAX : (int)number;
}

static bool
concerns(const struct option *option, const struct binding *binding)
{
	bool inet = binding->address.storage.ss_family != AF_UNIX;

	if (option->sort == OF_TCP)
		return inet && !binding_is_datagram(binding);
	return inet ||
	       (option->sort == OF_QUEUES && binding_is_datagram(binding));
}

/* --- at the kernel ---------------------------------------------------------*/

static bool
is_v6(const struct option *option, const struct binding *binding)
{
	return option->number_v6 != 0 &&
	       binding->address.storage.ss_family == AF_INET6;
}

static int
read_option(int fd, const struct binding *binding, const struct option *option)
{
	int value = 0, level = option->level, number = option->number;
	socklen_t size = sizeof(value);

	if (is_v6(option, binding)) {
		level = IPPROTO_IPV6;
		number = option->number_v6;
	}
	if (getsockopt(fd, level, number, &value, &size) != 0)
		return 0;
	/* The kernel tells what it reserves, which is twice the size. */
	return option->number_forced != 0 ? value / 2 : value;
}

static int
set(int fd, int level, int number, int value)
{
	return setsockopt(fd, level, number, &value, sizeof(value)) != 0
		   ? -errno
		   : 0;
}

static int
write_option(int fd, const struct binding *binding, const struct option *option,
    int value)
{
	int result = 0;

	if (option->number_forced != 0 &&
	    set(fd, option->level, option->number_forced, value) == 0)
		return 0;
	if (is_v6(option, binding))
		result = set(fd, IPPROTO_IPV6, option->number_v6, value);
	if (result == 0 && (!is_v6(option, binding) || binding->dual))
		result = set(fd, option->level, option->number, value);
	return result;
}

/* The kernel sizes a buffer by itself again. */
static void
unlock_buffers(int fd, const struct socket_options *memory)
{
#ifdef SO_BUF_LOCK
	int lock = 0;

	for (unsigned i = 0; i < SOCKET_OPTIONS; i++)
		if (options[i].number_forced != 0 &&
		    (memory->changed >> i & 1) != 0)
			lock |= options[i].number == SO_RCVBUF ? RECEIVE_LOCK
							       : SEND_LOCK;
	set(fd, SOL_SOCKET, SO_BUF_LOCK, lock);
#else
	(void)fd;
	(void)memory;
#endif
}

static int
apply(int fd, struct binding *binding, unsigned row, int wanted)
{
	const struct option *option = &options[row];
	struct socket_options *memory = &binding->options;
	bool was_changed = (memory->changed >> row & 1) != 0;
	int result;

	if (!was_changed) {
		if (wanted == 0)
			return 0;
		memory->initial[row] = read_option(fd, binding, option);
	} else if (wanted == memory->current[row]) {
		return 0;
	}
	result = write_option(
	    fd, binding, option, wanted != 0 ? wanted : memory->initial[row]);
	if (result != 0)
		return result;
	memory->current[row] = wanted;
	memory->changed |= 1u << row;
	if (wanted == 0)
		memory->changed &= ~(1u << row);
	if (wanted == 0 && option->number_forced != 0)
		unlock_buffers(fd, memory);
	return 0;
}

static int
apply_device(int fd, struct binding *binding, const char *device)
{
	char *current = binding->options.device;
	size_t size = device != NULL ? strlen(device) : 0;

	if (binding->address.storage.ss_family == AF_UNIX ||
	    strcmp(current, size > 0 ? device : "") == 0)
		return 0;
	if (size >= IFNAMSIZ)
		return -ENODEV;
	if (setsockopt(
		fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)size) != 0)
		return -errno;
	if (size > 0)
		memcpy(current, device, size);
	current[size] = '\0';
	return 0;
}

/* --- for sockets -----------------------------------------------------------*/

static int
tell(const struct complaint *complaint, const char *name, int code)
{
	if (complaint == NULL)
		return 0;
	net_complain(complaint, code, "cannot listen on %s: %s: %s",
	    complaint->spec->text, name, strerror(-code));
	return -EEXIST;
}

static int
apply_all(int fd, struct binding *binding, const struct settings *settings,
    const struct complaint *complaint)
{
	int result = apply_device(fd, binding, settings->bind_to_device);

	if (result != 0)
		result = tell(complaint, "bind_to_device", result);
	for (unsigned i = 0; i < SOCKET_OPTIONS && result == 0; i++) {
		if (!concerns(&options[i], binding))
			continue;
		result = apply(
		    fd, binding, i, wanted_of(&options[i], settings));
		if (result != 0)
			result = tell(complaint, options[i].name, result);
	}
	return result;
}

int
options_set(int fd, struct binding *binding, const struct settings *settings,
    const struct complaint *complaint)
{
	return apply_all(fd, binding, settings, complaint);
}

void
options_tune(int fd, struct binding *binding, const struct settings *settings)
{
	apply_all(fd, binding, settings, NULL);
}

static bool
differs(const struct binding *binding, const struct settings *settings)
{
	const char *device = settings->bind_to_device;

	for (unsigned i = 0; i < SOCKET_OPTIONS; i++)
		if (wanted_of(&options[i], settings) !=
		    binding->options.current[i])
			return true;
	return strcmp(binding->options.device, device != NULL ? device : "") !=
	       0;
}

int
options_try(const struct binding *binding, const struct settings *settings,
    const struct complaint *complaint)
{
	struct binding copy = *binding;
	AUTO_FD fd = -1;

	if (!differs(binding, settings))
		return 0;
	fd = socket(binding->address.storage.ss_family,
	    binding->address.socket_type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* From one interface to another is more than from none to one. */
	memset(&copy.options, 0, sizeof(copy.options));
	if (apply_device(fd, &copy, binding->options.device) != 0)
		copy.options.device[0] = '\0';
	return apply_all(fd, &copy, settings, complaint);
}
