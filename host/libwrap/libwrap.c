/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * berth-libwrap: asks hosts.allow and hosts.deny about one client.
 *
 * Who the client is stands in the environment, in the words of UCSPI, and the
 * connection may be descriptor 3.  The process lives for one question, so that
 * the library may wait, run commands, and change what is the process's.
 *
 * `twist` would become another program in the place of the daemon, which is
 * not this one: the library is told that it is in a resident process, refuses
 * the client and says so in the system's log.
 *
 * Exit status: 0 serve, 1 refuse, 2 usage, 3 nobody can tell.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <tcpd.h>
#include <unistd.h>

#define CONNECTION 3
#define EXIT_REFUSED 1
#define EXIT_USAGE 2
#define EXIT_UNKNOWN 3

/* The library's, which asks for them; rules may change them. */
int allow_severity = LOG_INFO;
int deny_severity = LOG_WARNING;

static int
usage(void)
{
	fprintf(stderr,
	    "usage: berth-libwrap [-v] [-a hosts.allow] [-d hosts.deny] "
	    "daemon\n");
	return EXIT_USAGE;
}

/* From a number of an address and one of a port. */
static int
read_side(const char *ip_name, const char *port_name,
    struct sockaddr_storage *ret_side)
{
	const struct addrinfo hints = {
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	    .ai_socktype = SOCK_STREAM};
	const char *ip = getenv(ip_name), *port = getenv(port_name);
	struct addrinfo *found;

	memset(ret_side, 0, sizeof(*ret_side));
	if (ip == NULL || port == NULL ||
	    getaddrinfo(ip, port, &hints, &found) != 0)
		return -EINVAL;
	memcpy(ret_side, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

static int
ask(char *daemon)
{
	struct sockaddr_storage client, server;
	struct request_info request;

	if (read_side("TCPREMOTEIP", "TCPREMOTEPORT", &client) < 0 ||
	    read_side("TCPLOCALIP", "TCPLOCALPORT", &server) < 0) {
		syslog(LOG_ERR, "nothing says who the client is");
		return EXIT_UNKNOWN;
	}
	request_init(&request, RQ_DAEMON, daemon, RQ_CLIENT_SIN, &client,
	    RQ_SERVER_SIN, &server, RQ_FILE, CONNECTION, 0);
	sock_methods(&request);
	resident = 1;
	return hosts_access(&request) ? EXIT_SUCCESS : EXIT_REFUSED;
}

int
main(int argc, char **argv)
{
	int flags = LOG_PID, option;

	while ((option = getopt(argc, argv, "a:d:v")) != -1) {
		if (option == 'a')
			hosts_allow_table = optarg;
		else if (option == 'd')
			hosts_deny_table = optarg;
		else if (option == 'v')
			flags |= LOG_PERROR;
		else
			return usage();
	}
	if (optind + 1 != argc)
		return usage();
	openlog("berth-libwrap", flags, LOG_DAEMON);
	return ask(argv[optind]);
}
