/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_bed: see net_bed.h.
 */
#include "unit/net_bed.h"

#include <dirent.h>
#include <time.h>

#define TEST_S 300

int
bed_count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 3; /* ".", ".." and the folder itself */
}

static void
write_line(
    struct log *log, int level, const char *who, const char *line, size_t size)
{
	struct text *lines = log->context;

	assert_int_equal(text_printf(lines, "%d %s: %.*s\n", level,
			     who != NULL ? who : "-", (int)size, line),
	    0);
}

static void
init_settings(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->backlog = 128;
	settings->nodelay = true;
	settings->linger_ms = 600000;
	settings->drain_ms = 30000;
	settings->input_limit_bytes = 65536;
	settings->output_limit_bytes = 65536;
}

/* Monotonic, and so far ahead as the test wants it. */
static struct mono
clock_ahead(void *context)
{
	const struct bed *bed = context;
	struct mono now = mono_now();

	now.ns += bed->ahead_ns;
	return now;
}

static int
setup(void **state, bool ahead)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	const struct reactor_options options = {
	    .clock = clock_ahead, .clock_context = bed};

	assert_non_null(bed);
	/* Whatever loop a test may be in: it fails, it does not hang. */
	alarm(TEST_S);
	bed->descriptors = bed_count_descriptors();
	init_settings(&bed->settings);
	text_init(&bed->lines);
	bed->log.write = write_line;
	bed->log.level = 7;
	bed->log.context = &bed->lines;
	bed->errors = errors_new(0);
	assert_non_null(bed->errors);
	snprintf(bed->folder, sizeof(bed->folder), "/tmp/berth-net-XXXXXX");
	assert_non_null(mkdtemp(bed->folder));
	assert_int_equal(
	    reactor_new(ahead ? &options : NULL, &bed->reactor), 0);
	assert_int_equal(
	    listeners_new(bed->reactor, &bed->log, &bed->listeners), 0);
	*state = bed;
	return 0;
}

int
bed_setup(void **state)
{
	return setup(state, false);
}

int
bed_setup_ahead(void **state)
{
	return setup(state, true);
}

int
bed_teardown(void **state)
{
	struct bed *bed = *state;

	bed_settle(bed);
	bed->listeners = listeners_free(bed->listeners);
	bed->reactor = reactor_free(bed->reactor);
	errors_free(bed->errors);
	text_fini(&bed->lines);
	/* Nobody left a path behind. */
	assert_int_equal(rmdir(bed->folder), 0);
	assert_int_equal(bed_count_descriptors(), bed->descriptors);
	alarm(0);
	free(bed);
	return 0;
}

/* --- endpoints -------------------------------------------------------------*/

static const struct word {
	const char *prefix;
	enum endpoint_kind kind;
} words[] = {
    {"tcp:", ENDPOINT_TCP},
    {"tcp4:", ENDPOINT_TCP4},
    {"tcp6:", ENDPOINT_TCP6},
    {"udp:", ENDPOINT_UDP},
    {"udp4:", ENDPOINT_UDP4},
    {"udp6:", ENDPOINT_UDP6},
    {"unix:", ENDPOINT_UNIX},
    {"unix-dgram:", ENDPOINT_UNIX_DGRAM},
    {"unix-seqpacket:", ENDPOINT_UNIX_SEQPACKET},
};

static void
split_host(struct endpoint_spec *spec, const char *rest, char *room)
{
	char *colon;

	strcpy(room, rest);
	colon = strrchr(room, ':');
	assert_non_null(colon);
	*colon = '\0';
	spec->port = colon + 1;
	spec->host = room;
	if (room[0] == '[') {
		room[strlen(room) - 1] = '\0';
		spec->host = room + 1;
	}
}

static char room[8][512];
static unsigned next;

/* Abstract names are the whole machine's, where others run these tests too. */
const char *
bed_word(const char *word)
{
	char *own = room[next++ % 8];

	if (strstr(word, ":@") == NULL)
		return word;
	snprintf(own, sizeof(room[0]), "%s-%d", word, (int)getpid());
	return own;
}

struct endpoint_spec
bed_spec(const char *plain)
{
	const char *word = bed_word(plain);
	struct endpoint_spec spec = {.text = word};
	unsigned i;

	for (i = 0; i < BASE_COUNT(words); i++) {
		size_t length = strlen(words[i].prefix);

		if (strncmp(word, words[i].prefix, length) != 0)
			continue;
		spec.kind = words[i].kind;
		if (spec.kind >= ENDPOINT_UNIX)
			spec.path = word + length;
		else
			split_host(&spec, word + length, room[next++ % 8]);
		return spec;
	}
	fail_msg("no endpoint: %s", word);
	return spec;
}

int
bed_try_listen(
    struct bed *bed, const char *word, struct listener **ret_listener)
{
	struct endpoint_spec spec = bed_spec(word);

	errors_reset(bed->errors);
	return listeners_acquire(bed->listeners, &spec, &bed->settings, "test",
	    0, bed->errors, ret_listener);
}

struct listener *
bed_listen(struct bed *bed, const char *word)
{
	struct listener *listener = NULL;
	int result = bed_try_listen(bed, word, &listener);

	if (result != 0)
		fail_msg("%s: %d %s", word, result, bed_error(bed));
	return listener;
}

const char *
bed_path(struct bed *bed, const char *prefix, const char *name)
{
	snprintf(
	    bed->path, sizeof(bed->path), "%s%s/%s", prefix, bed->folder, name);
	return bed->path;
}

const char *
bed_error(const struct bed *bed)
{
	unsigned count = errors_kept(bed->errors);

	return count == 0 ? "" : errors_get(bed->errors, count - 1)->text;
}

/* --- turns -----------------------------------------------------------------*/

void
bed_turn(struct bed *bed)
{
	assert_true(reactor_turn(bed->reactor, MONO_MS(1)) >= 0);
}

void
bed_until(struct bed *bed, bed_condition_fn *condition, void *context)
{
	uint64_t end = mono_now().ns + MONO_MS(1000) * PATIENCE_S;

	while (!condition(context)) {
		if (mono_now().ns > end)
			fail_msg("the condition never came true");
		bed_turn(bed);
	}
}

void
bed_settle(struct bed *bed)
{
	int result;

	do {
		result = reactor_turn(bed->reactor, 0);
		assert_true(result >= 0);
	} while (result > 0);
}

/* --- clients ---------------------------------------------------------------*/

int
bed_address(const struct listener *listener,
    struct sockaddr_storage *ret_address, socklen_t *ret_size)
{
	void *any = ret_address;
	struct sockaddr_in *v4 = any;
	struct sockaddr_in6 *v6 = any;

	*ret_size = sizeof(*ret_address);
	assert_int_equal(getsockname(listener_fd(listener), any, ret_size), 0);
	if (v4->sin_family == AF_INET && v4->sin_addr.s_addr == 0)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (v6->sin6_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		v6->sin6_addr = in6addr_loopback;
	return v4->sin_family;
}

unsigned
bed_port(const struct listener *listener)
{
	const char *colon = strrchr(listener_text(listener), ':');

	assert_non_null(colon);
	return (unsigned)strtoul(colon + 1, NULL, 10);
}

int
bed_connect(const struct listener *listener)
{
	struct sockaddr_storage address;
	socklen_t size;
	void *any = &address;
	int family = bed_address(listener, &address, &size);
	int fd = socket(
	    family, listener_socket_type(listener) | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	/* On the loopback the backlog takes it at once. */
	assert_int_equal(connect(fd, any, size), 0);
	assert_int_equal(fd_nonblock(fd), 0);
	return fd;
}

int
bed_datagram_client(const struct listener *listener, const char *path)
{
	struct sockaddr_storage address = {.ss_family = AF_INET};
	void *any = &address;
	struct sockaddr_un *name = any;
	struct sockaddr_in *v4 = any;
	struct sockaddr_in6 *v6 = any;
	struct sockaddr_storage peer;
	socklen_t size;
	int family = bed_address(listener, &peer, &size);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	address.ss_family = (sa_family_t)family;
	size = sizeof(*name);
	if (family == AF_UNIX) {
		if (path == NULL)
			return fd;
		strcpy(name->sun_path, path);
	} else if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		size = sizeof(*v4);
	} else {
		v6->sin6_addr = in6addr_loopback;
		size = sizeof(*v6);
	}
	assert_int_equal(bind(fd, any, size), 0);
	return fd;
}

void
bed_reset(int fd)
{
	struct linger linger = {1, 0};

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

bool
bed_has_v6(void)
{
	struct sockaddr_in6 address = {
	    .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	void *any = &address;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, any, sizeof(address)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}
