/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acl: access lists of a million prefixes, read from a file as a host reads
 * them: the time to build, the memory, and the time of one lookup, of addresses
 * in the list and of random ones; also its instructions, where the machine
 * counts them.
 *
 *   bench/acl [PREFIXES]
 */
#include <arpa/inet.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guard/acl.h"

#define LOOKUPS 4000000u
#define PEERS (1u << 20)

struct shape {
	const char *name;
	bool v6;
	unsigned from, to; /* bits */
};

static const struct shape shapes[] = {
    {"IPv4 addresses", false, 32, 32},
    {"IPv4 networks, /12 to /32", false, 12, 32},
    {"IPv6 networks, /32 to /64", true, 32, 64},
    {"IPv6 addresses", true, 128, 128},
};

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t
draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static void
draw_bytes(uint8_t *bytes, bool v6)
{
	uint64_t parts[2] = {draw(), draw()};

	memcpy(bytes, parts, sizeof(parts));
	if (v6)
		bytes[0] = 0x20 | (bytes[0] & 0x0f);
}

static void
set_peer(struct sockaddr_in6 *peer, const uint8_t *bytes, bool v6)
{
	memset(peer, 0, sizeof(*peer));
	peer->sin6_family = AF_INET6;
	if (v6) {
		memcpy(&peer->sin6_addr, bytes, 16);
		return;
	}
	/* As it comes to a listener of both families. */
	memset(&peer->sin6_addr.s6_addr[10], 0xff, 2);
	memcpy(&peer->sin6_addr.s6_addr[12], bytes, 4);
}

/* A file of so many lines, and clients within. */
static void
write_list(const struct shape *shape, unsigned count, const char *path,
    struct sockaddr_in6 *peers)
{
	FILE *out = fopen(path, "we");
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (out == NULL) {
		perror(path);
		exit(1);
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned span = shape->to - shape->from + 1;

		draw_bytes(bytes, shape->v6);
		inet_ntop(
		    shape->v6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text));
		fprintf(out, "%s/%u\n", text,
		    shape->from + (unsigned)(draw() >> 33) % span);
		set_peer(&peers[draw() % PEERS], bytes, shape->v6);
	}
	fclose(out);
}

static int
open_counter(void)
{
	struct perf_event_attr attributes = {.type = PERF_TYPE_HARDWARE,
	    .size = sizeof(attributes),
	    .config = PERF_COUNT_HW_INSTRUCTIONS,
	    .exclude_kernel = 1,
	    .exclude_hv = 1};

	return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

/* Of this thread: what else runs here is not ours. */
static double
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint64_t
read_counter(int fd)
{
	uint64_t count = 0;

	if (fd < 0 || read(fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

static void
look_up(
    const struct acl *acl, const struct sockaddr_in6 *peers, const char *which)
{
	int counter = open_counter();
	uint64_t before = read_counter(counter), done;
	double start = cpu_ns(), ns;
	unsigned served = 0;

	for (unsigned i = 0; i < LOOKUPS; i++) {
		const void *peer = &peers[i % PEERS];

		served += acl_check(acl, peer, sizeof(*peers)) == ACL_ALLOWED;
	}
	ns = (cpu_ns() - start) / LOOKUPS;
	done = read_counter(counter) - before;
	printf("  %-18s %6.1f ns", which, ns);
	if (counter >= 0)
		printf(", %5.1f instructions", (double)done / LOOKUPS);
	printf(" a lookup; %.1f %% are served\n", 100.0 * served / LOOKUPS);
	if (counter >= 0)
		close(counter);
}

static struct acl *
build(const char *path)
{
	struct errors *errors = errors_new(0);
	struct settings settings;
	char word[128];
	const char *words[] = {word};
	struct acl *acl = NULL;
	struct acl_size size;
	double start;

	snprintf(word, sizeof(word), "file:%s", path);
	settings_init(&settings);
	settings.only_from = (struct word_list){words, 1, true, 0};
	start = cpu_ns();
	if (acl_new(&settings, NULL, errors, &acl) != 0) {
		fprintf(stderr, "acl: no list could be made\n");
		exit(1);
	}
	start = cpu_ns() - start;
	size = acl_size(acl);
	printf("  %llu prefixes in %.0f ms, %.1f MB, %.1f bytes each\n",
	    (unsigned long long)size.prefixes, start / 1e6,
	    (double)size.bytes / 1e6,
	    (double)size.bytes / (double)size.prefixes);
	errors_free(errors);
	return acl;
}

static void
measure(const struct shape *shape, unsigned count)
{
	char path[] = "/tmp/berth-acl-XXXXXX";
	int fd = mkstemp(path);
	struct sockaddr_in6 *peers = calloc(PEERS, sizeof(*peers));
	uint8_t bytes[16];
	struct acl *acl;

	if (fd < 0 || peers == NULL) {
		perror("acl");
		exit(1);
	}
	printf("%s\n", shape->name);
	for (unsigned i = 0; i < PEERS; i++) {
		draw_bytes(bytes, shape->v6);
		set_peer(&peers[i], bytes, shape->v6);
	}
	write_list(shape, count, path, peers);
	acl = build(path);
	look_up(acl, peers, "most in the list:");
	for (unsigned i = 0; i < PEERS; i++) {
		draw_bytes(bytes, shape->v6);
		set_peer(&peers[i], bytes, shape->v6);
	}
	look_up(acl, peers, "random:");
	acl_free(acl);
	free(peers);
	close(fd);
	unlink(path);
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10)
				  : 1000000;

	for (size_t i = 0; i < BASE_COUNT(shapes); i++)
		measure(&shapes[i], count);
	return 0;
}
