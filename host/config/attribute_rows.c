/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attribute_rows: the table of every attribute.  The readers, the printers,
 * the help and the manual page all take it from here; so do the defaults,
 * which are read from their text.
 *
 * A row whose `pending` is set is refused by the readers, except in a
 * conversion: who makes the host apply it takes the flag away.
 */
#include "config/config_priv.h"

/* --- the table -------------------------------------------------------------
 */

#define KIB UINT64_C(1024)
#define GIB (KIB * KIB * KIB)
#define SECOND UINT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define TCP_TIME_MAX (32767 * SECOND)

/* Sockets whose buffers can be set: a connection of a Unix socket does not
 * inherit those of the listening one. */
#define DATAGRAMS (ENDPOINTS_UDP | ENDPOINT_BIT(ENDPOINT_UNIX_DGRAM))
#define STREAMS                                                                \
	(ENDPOINTS_TCP | ENDPOINT_BIT(ENDPOINT_UNIX) |                         \
	    ENDPOINT_BIT(ENDPOINT_UNIX_SEQPACKET))
#define QUEUES (ENDPOINTS_INET | ENDPOINT_BIT(ENDPOINT_UNIX_DGRAM))

#define SERVICE(name_, kind_, change_, field_)                                 \
	.name = (name_), .scope = ATTRIBUTE_SERVICE, .change = (change_),      \
	.kind = (kind_), .offset = offsetof(struct settings, field_)
#define HOST(name_, kind_, change_, field_)                                    \
	.name = (name_), .scope = ATTRIBUTE_HOST, .change = (change_),         \
	.kind = (kind_), .offset = offsetof(struct host_settings, field_)
#define PART(name_, of_)                                                       \
	.name = (name_), .scope = ATTRIBUTE_SERVICE, .change = CHANGE_REBIND,  \
	.kind = VALUE_PART, .initial = "", .synonym_of = (of_)

static const char *const success_words[] = {
    "PID", "HOST", "USERID", "EXIT", "DURATION", "TRAFFIC", NULL};
static const char *const failure_words[] = {"HOST", "USERID", "ATTEMPT", NULL};

#define RLIMIT(name_, kind_, field_, help_)                                    \
	{                                                                      \
		SERVICE(name_, kind_, CHANGE_SESSION, field_),                 \
		    .of_process = true,                                        \
		    .syntax = "NUMBER | unlimited | inherit",                  \
		    .initial = "inherit", .low = 1, .high = INT64_MAX,         \
		    .help = (help_)                                            \
	}
#define PATHS(name_, field_, help_)                                            \
	{                                                                      \
		SERVICE(name_, VALUE_WORDS, CHANGE_SESSION, field_),           \
		    .of_process = true, .syntax = "[-]PATH ...",               \
		    .initial = "", .check = attribute_check_path,              \
		    .help = (help_)                                            \
	}
#define GROUP_LIMIT(name_, field_, syntax_, check_, help_)                     \
	{                                                                      \
		SERVICE(name_, VALUE_WORD, CHANGE_SESSION, field_),            \
		    .of_process = true, .syntax = (syntax_), .initial = "",    \
		    .check = (check_), .help = (help_)                         \
	}
#define BANNER(name_, field_, help_)                                           \
	{                                                                      \
		SERVICE(name_, VALUE_PATH, CHANGE_LIVE, field_),               \
		    .syntax = "PATH", .initial = "", .help = (help_)           \
	}
/* first_: the first of queue, reject and reset that is possible. */
#define POLICY(name_, field_, first_, syntax_, initial_, help_)                \
	{                                                                      \
		SERVICE(name_, VALUE_POLICY, CHANGE_LIVE, field_),             \
		    .low = (first_), .high = POLICY_RESET,                     \
		    .syntax = (syntax_), .initial = (initial_),                \
		    .help = (help_)                                            \
	}
#define ACCESS(name_, field_, help_)                                           \
	{                                                                      \
		SERVICE(name_, VALUE_WORDS, CHANGE_LIVE, field_),              \
		    .syntax = "ADDRESS[/BITS] | NAME | file:PATH ...",         \
		    .initial = "", .check = attribute_check_access,            \
		    .names_files = true, .help = (help_)                       \
	}

static const struct attribute service_attributes[] = {
    {SERVICE("listen", VALUE_ENDPOINTS, CHANGE_REBIND, listen),
	.syntax = "ENDPOINT ...", .initial = "",
	.help = "Where clients reach the service; see ENDPOINTS."},
    {PART("port", "listen"), .syntax = "NUMBER | NAME",
	.help = "The port of the one endpoint that port, bind, socket_type "
		"and protocol make up."},
    {PART("bind", "listen"), .syntax = "ADDRESS",
	.help = "The address to go with port; without it, all addresses."},
    {PART("interface", "bind"), .syntax = "ADDRESS",
	.help = "Another word for bind."},
    {PART("socket_type", "listen"), .syntax = "stream | dgram",
	.help = "To go with port; without it, what protocol implies, or "
		"stream."},
    {PART("protocol", "listen"),
	.syntax = "tcp | tcp4 | tcp6 | udp | udp4 | udp6",
	.help = "To go with port; without it, what socket_type implies, or "
		"tcp."},
    {SERVICE("backlog", VALUE_COUNT, CHANGE_LIVE, backlog), .syntax = "NUMBER",
	.initial = "511", .low = 1, .high = 65535,
	.help = "Connections that may wait in the kernel until the service "
		"takes them; the kernel's own limit is net.core.somaxconn."},
    {SERVICE("v6only", VALUE_FLAG, CHANGE_REBIND, v6only), .syntax = "yes | no",
	.initial = "no",
	.help = "Whether an endpoint on all addresses or on an IPv6 address "
		"refuses IPv4 clients."},
    {SERVICE("keepalive", VALUE_FLAG, CHANGE_SESSION, keepalive),
	.syntax = "yes | no", .initial = "no",
	.help = "Whether the kernel probes silent TCP connections."},
    {SERVICE("nodelay", VALUE_FLAG, CHANGE_SESSION, nodelay),
	.syntax = "yes | no", .initial = "yes",
	.help = "Whether TCP sends small pieces at once instead of "
		"collecting them."},
    {SERVICE("reserved_sources", VALUE_FLAG, CHANGE_LIVE, reserved_sources),
	.syntax = "yes | no", .initial = "no",
	.help = "Whether datagrams from ports below 1024 are served; they "
		"are how two servers are set upon each other."},
    {SERVICE("source_datagrams", VALUE_LIMIT, CHANGE_LIVE, source_datagrams),
	.kinds = DATAGRAMS, .syntax = "NUMBER | unlimited", .initial = "1000",
	.low = 0, .high = 10000000,
	.help = "Datagrams of one address that are served in ten seconds; what "
		"is more is dropped, so that two servers that were set upon "
		"each other stop."},
    {SERVICE("amplification", VALUE_FLAG, CHANGE_LIVE, amplification),
	.kinds = DATAGRAMS, .syntax = "yes | no", .initial = "no",
	.help = "Whether a datagram may be answered by more bytes than it "
		"had, or than 64; with a forged sender that is a weapon."},
    {SERVICE("concurrency", VALUE_CONCURRENCY, CHANGE_REPLACE, concurrency),
	.syntax = "reactive | iterative | thread [MAX] | "
		  "pool N [queue M] | process [MAX]",
	.initial = "reactive", .low = 1, .high = 4096,
	.help = "How connections are driven: all on the loop, one after the "
		"other, a thread for each, so many threads, or a process for "
		"each; see berth-concurrency(7)."},
    {SERVICE("instances", VALUE_LIMIT, CHANGE_LIVE, instances),
	.syntax = "NUMBER | unlimited", .initial = "unlimited", .low = 0,
	.high = 1000000, .help = "Sessions at once."},
    {SERVICE("idle_timeout", VALUE_TIME, CHANGE_LIVE, idle_timeout_ms),
	.syntax = "TIME", .initial = "0", .low = 0, .high = 365 * DAY,
	.not_of_programs =
	    "the host sees what passes between a program and its client only "
	    "through a stream; max_session ends a program",
	.help = "A session in which nothing moves for so long is closed; 0 "
		"means never.\nOf services inside the host, and of programs "
		"that have a stream: what others say to their clients does "
		"not pass through the host, which keeps no descriptor of "
		"theirs; max_session ends a program."},
    {SERVICE("max_session", VALUE_TIME, CHANGE_LIVE, max_session_ms),
	.syntax = "TIME", .initial = "0", .low = 0, .high = 365 * DAY,
	.help = "A session that has lasted so long is closed, and a program "
		"asked to end; 0 means never."},
    {SERVICE("drain", VALUE_TIME, CHANGE_LIVE, drain_ms), .syntax = "TIME",
	.initial = "30s", .low = 0, .high = DAY,
	.help = "How long sessions may go on when the service is removed or "
		"replaced, before they are closed."},
    {SERVICE("ready_timeout", VALUE_TIME, CHANGE_LIVE, ready_timeout_ms),
	.syntax = "TIME", .initial = "30s", .low = 1, .high = HOUR,
	.help = "How long a new instance that is asked whether it is ready "
		"may say not yet; then the one before it goes on."},
    {SERVICE("suspend", VALUE_SUSPEND, CHANGE_LIVE, suspend),
	.syntax = "clients | sessions", .initial = "clients",
	.help = "Whether a suspension lets only new clients wait, or is not "
		"reading from sessions either."},
    {SERVICE("socket_mode", VALUE_MODE, CHANGE_REBIND, socket_mode),
	.syntax = "MODE", .initial = "0666", .low = 0, .high = 0777,
	.help = "The mode of the file of a Unix endpoint, octal; the umask "
		"does not count."},
    {SERVICE("linger", VALUE_TIME, CHANGE_LIVE, linger_ms), .syntax = "TIME",
	.initial = "2s", .low = 0, .high = HOUR,
	.help = "How long an orderly close waits for the client to close as "
		"well, so that the last bytes are not lost."},
    {SERVICE("input_limit", VALUE_SIZE, CHANGE_LIVE, input_limit_bytes),
	.syntax = "SIZE", .initial = "64K", .low = 512, .high = GIB,
	.help = "Bytes of a session that are held while the service has not "
		"taken them; a session that needs more is closed."},
    {SERVICE("output_limit", VALUE_SIZE, CHANGE_LIVE, output_limit_bytes),
	.syntax = "SIZE", .initial = "256K", .low = 512, .high = GIB,
	.help = "Bytes that are held for a client that does not read; above "
		"it the service has to wait."},
    {SERVICE("stack", VALUE_SIZE, CHANGE_SESSION, stack_bytes),
	.syntax = "SIZE", .initial = "64K", .low = 16384, .high = GIB,
	.help = "The stack of a session of a service that is written in "
		"sequence; only what is used of it is memory."},
    {SERVICE("socket_user", VALUE_WORD, CHANGE_REBIND, socket_user),
	.syntax = "USER", .initial = "", .kinds = ENDPOINTS_UNIX,
	.help = "The owner of the file of a Unix endpoint, by name or number; "
		"without it, the user of the host."},
    {SERVICE("socket_group", VALUE_WORD, CHANGE_REBIND, socket_group),
	.syntax = "GROUP", .initial = "", .kinds = ENDPOINTS_UNIX,
	.help = "The group of the file of a Unix endpoint, by name or number; "
		"without it, that of socket_user, or of the host."},
    {SERVICE(
	 "receive_buffer", VALUE_SIZE, CHANGE_SESSION, receive_buffer_bytes),
	.kinds = QUEUES, .syntax = "SIZE", .initial = "0", .low = 0,
	.high = GIB,
	.help = "The kernel's buffer for what a client sent; 0 is the "
		"kernel's own size, and more than net.core.rmem_max needs "
		"CAP_NET_ADMIN."},
    {SERVICE("send_buffer", VALUE_SIZE, CHANGE_SESSION, send_buffer_bytes),
	.kinds = QUEUES, .syntax = "SIZE", .initial = "0", .low = 0,
	.high = GIB,
	.help = "The kernel's buffer for what is sent to a client; 0 is the "
		"kernel's own size, and more than net.core.wmem_max needs "
		"CAP_NET_ADMIN."},
    {SERVICE("keepalive_time", VALUE_TIME, CHANGE_SESSION, keepalive_time_ms),
	.kinds = ENDPOINTS_TCP, .syntax = "TIME", .initial = "0", .low = 0,
	.high = TCP_TIME_MAX,
	.help = "With keepalive, how long a connection is silent before it is "
		"probed, in whole seconds; 0 is the kernel's own time."},
    {SERVICE("keepalive_interval", VALUE_TIME, CHANGE_SESSION,
	 keepalive_interval_ms),
	.kinds = ENDPOINTS_TCP, .syntax = "TIME", .initial = "0", .low = 0,
	.high = TCP_TIME_MAX,
	.help = "With keepalive, the time between two probes, in whole "
		"seconds; 0 is the kernel's own."},
    {SERVICE("keepalive_probes", VALUE_COUNT, CHANGE_SESSION, keepalive_probes),
	.kinds = ENDPOINTS_TCP, .syntax = "NUMBER", .initial = "0", .low = 0,
	.high = 127,
	.help = "With keepalive, how many probes without an answer end a "
		"connection; 0 is the kernel's own number."},
    {SERVICE("defer_accept", VALUE_TIME, CHANGE_SESSION, defer_accept_ms),
	.kinds = ENDPOINTS_TCP, .syntax = "TIME", .initial = "0", .low = 0,
	.high = HOUR,
	.help = "A connection is taken once it has sent something, or after "
		"about so long; 0 takes it at once; not for services that "
		"speak first."},
    {SERVICE("fast_open", VALUE_COUNT, CHANGE_SESSION, fast_open),
	.kinds = ENDPOINTS_TCP, .syntax = "NUMBER", .initial = "0", .low = 0,
	.high = 65535,
	.help = "How many connections may wait whose first packet had data "
		"(TCP Fast Open); 0 is none."},
    {SERVICE("ip_tos", VALUE_COUNT, CHANGE_SESSION, ip_tos),
	.kinds = ENDPOINTS_INET, .syntax = "NUMBER", .initial = "0", .low = 0,
	.high = 255,
	.help = "The type of service or traffic class of what is sent."},
    {SERVICE("ip_ttl", VALUE_COUNT, CHANGE_SESSION, ip_ttl),
	.kinds = ENDPOINTS_INET, .syntax = "NUMBER", .initial = "0", .low = 0,
	.high = 255,
	.help = "How many routers what is sent may pass; 0 is the kernel's "
		"own number."},
    {SERVICE("free_bind", VALUE_FLAG, CHANGE_REBIND, free_bind),
	.kinds = ENDPOINTS_INET, .syntax = "yes | no", .initial = "no",
	.help = "Whether an address may be listened on that the machine does "
		"not have yet."},
    {SERVICE("transparent", VALUE_FLAG, CHANGE_REBIND, transparent),
	.kinds = ENDPOINTS_INET, .syntax = "yes | no", .initial = "no",
	.help = "Whether connections to addresses of others that are routed "
		"here are taken; needs CAP_NET_ADMIN."},
    {SERVICE("reuse_port", VALUE_FLAG, CHANGE_REBIND, reuse_port),
	.kinds = ENDPOINTS_INET, .syntax = "yes | no", .initial = "no",
	.help = "Whether other processes of the same user that say so too may "
		"listen on the same address; the kernel spreads the clients."},
    {SERVICE("bind_to_device", VALUE_WORD, CHANGE_REBIND, bind_to_device),
	.kinds = ENDPOINTS_INET, .syntax = "NAME", .initial = "",
	.help = "The one network interface whose clients are served."},
    {SERVICE("mark", VALUE_COUNT, CHANGE_REBIND, mark), .kinds = ENDPOINTS_INET,
	.syntax = "NUMBER", .initial = "0", .low = 0, .high = INT32_MAX,
	.help = "The firewall mark of what is sent; needs CAP_NET_ADMIN."},
    {SERVICE("tcpmux", VALUE_TCPMUX, CHANGE_LIVE, tcpmux),
	.syntax = "no | yes | plus", .initial = "no",
	.help = "Whether the service is reached through tcpmux by its name; "
		"with plus, the host tells the client that it was found."},
    {SERVICE("stream", VALUE_WORD, CHANGE_SESSION, stream), .syntax = "NAME",
	.initial = "",
	.help = "The stream whose modules stand around the service's "
		"connections; see STREAMS AROUND CONNECTIONS."},
    {SERVICE("proxy_protocol", VALUE_PROXY, CHANGE_SESSION, proxy_protocol),
	.kinds = STREAMS, .syntax = "no | v1 | v2 | any", .initial = "no",
	.help = "Whether a proxy says first, in this version of the PROXY "
		"protocol, who the client is; see PROXY PROTOCOL."},
    {SERVICE("proxy_from", VALUE_WORDS, CHANGE_SESSION, proxy_from),
	.syntax = "ADDRESS[/BITS] | unix ...", .initial = "",
	.check = check_proxy_word,
	.help = "The proxies that are believed; all others are refused when "
		"proxy_protocol is not no."},
    {SERVICE("user", VALUE_WORD, CHANGE_SESSION, user), .of_process = true,
	.syntax = "USER", .initial = "",
	.help = "Whom a program runs as, by name or number; without it, the "
		"user of the host."},
    {SERVICE("group", VALUE_WORD, CHANGE_SESSION, group), .of_process = true,
	.syntax = "GROUP", .initial = "",
	.help = "The group of a program, by name or number; without it, "
		"that of its user."},
    {SERVICE("groups", VALUE_FLAG, CHANGE_SESSION, groups), .of_process = true,
	.syntax = "yes | no", .initial = "no",
	.help = "Whether a program has its user's supplementary groups."},
    {SERVICE("argv0", VALUE_WORD, CHANGE_SESSION, argv0), .programs_only = true,
	.syntax = "WORD", .initial = "",
	.help = "What a program is told as its own name; without it, the "
		"last part of its path."},
    {SERVICE("wait", VALUE_FLAG, CHANGE_REPLACE, wait), .programs_only = true,
	.syntax = "yes | no", .initial = "no",
	.help = "Whether a program is handed the endpoint itself, and nobody "
		"else takes clients from it until the program ends."},
    {SERVICE("nice", VALUE_NICE, CHANGE_SESSION, nice), .of_process = true,
	.syntax = "NUMBER", .initial = "0",
	.help = "What is added to the nice value of a program, -20 to 19."},
    {SERVICE("umask", VALUE_MODE, CHANGE_SESSION, umask), .of_process = true,
	.syntax = "MODE", .initial = "0022", .low = 0, .high = 0777,
	.help = "The file creation mask of a program, octal."},
    {SERVICE("env", VALUE_WORDS, CHANGE_SESSION, env), .of_process = true,
	.syntax = "NAME=VALUE ...", .initial = "", .check = attribute_check_env,
	.help = "Variables that a program finds in its environment."},
    {SERVICE("passenv", VALUE_WORDS, CHANGE_SESSION, passenv),
	.of_process = true, .syntax = "NAME ...", .initial = "",
	.check = attribute_check_variable,
	.help = "Variables of the host's environment that a program is "
		"given; others are not."},
    {SERVICE("cwd", VALUE_PATH, CHANGE_SESSION, cwd), .of_process = true,
	.syntax = "PATH", .initial = "",
	.help = "The folder in which a program starts; without it, the "
		"root."},
    {SERVICE("chroot", VALUE_PATH, CHANGE_SESSION, chroot), .of_process = true,
	.syntax = "PATH", .initial = "",
	.help = "The folder that becomes the root of a program."},
    {SERVICE("no_new_privs", VALUE_FLAG, CHANGE_SESSION, no_new_privs),
	.of_process = true, .syntax = "yes | no", .initial = "yes",
	.help = "Whether set-user-id files give a program nothing, unless it "
		"runs as root."},
    {SERVICE("capability_bounding_set", VALUE_WORDS, CHANGE_SESSION,
	 capability_bounding_set),
	.of_process = true, .syntax = "[~]NAME ...", .initial = "",
	.check = attribute_check_capability,
	.help = "The capabilities that a program can ever have, root's "
		"programs too; when the first word has a ~, all but those; "
		"see SANDBOX."},
    {SERVICE("ambient_capabilities", VALUE_WORDS, CHANGE_SESSION,
	 ambient_capabilities),
	.of_process = true, .syntax = "[~]NAME ...", .initial = "",
	.check = attribute_check_capability,
	.help = "The capabilities of the host that a program of another user "
		"than root is given."},
    PATHS("read_only_paths", read_only_paths,
	"Files, and folders with all below them, that a program can read and "
	"run but not write; what none of these three words names it cannot "
	"open; see SANDBOX."),
    PATHS("read_write_paths", read_write_paths,
	"Those that it can read, run and write."),
    PATHS("exec_paths", exec_paths,
	"Those that it can read and run; with this word, nothing else can be "
	"run."),
    {SERVICE(
	 "system_call_filter", VALUE_WORDS, CHANGE_SESSION, system_call_filter),
	.of_process = true, .syntax = "[~]NAME | [~]@GROUP ...", .initial = "",
	.check = attribute_check_call,
	.help = "The system calls that a program can make; when the first "
		"word has a ~, all but those; see SANDBOX."},
    {SERVICE("system_call_error_number", VALUE_WORD, CHANGE_SESSION,
	 system_call_error_number),
	.of_process = true, .syntax = "NAME | NUMBER | kill", .initial = "",
	.check = attribute_check_errno,
	.help = "The error, such as EPERM, with which the others fail; "
		"without it, or with kill, they end the program by SIGSYS."},
    GROUP_LIMIT("memory_max", memory_max, "BYTES | PERCENT | infinity",
	attribute_check_memory,
	"The memory that all processes of the service have together; one that "
	"wants more is killed; see SANDBOX."),
    GROUP_LIMIT("tasks_max", tasks_max, "NUMBER | PERCENT | infinity",
	attribute_check_tasks,
	"How many processes and threads the service has together."),
    GROUP_LIMIT("cpu_quota", cpu_quota, "PERCENT | infinity",
	attribute_check_cpu,
	"The share of one processor that the service has; 200% are two."),
    {SERVICE("sandbox_strict", VALUE_FLAG, CHANGE_SESSION, sandbox_strict),
	.of_process = true, .syntax = "yes | no", .initial = "yes",
	.help = "Whether a service is refused when the machine cannot give it "
		"all of its sandbox; with no, it goes on without, and show and "
		"the log say without what."},
    RLIMIT("rlimit_as", VALUE_RLIMIT_SIZE, rlimit_as,
	"Bytes of address space of a program; K, M and G are understood."),
    RLIMIT("rlimit_core", VALUE_RLIMIT_SIZE, rlimit_core,
	"Bytes of a core file of a program; K, M and G are understood."),
    RLIMIT("rlimit_cpu", VALUE_RLIMIT, rlimit_cpu,
	"Seconds of processor time of a program."),
    RLIMIT("rlimit_data", VALUE_RLIMIT_SIZE, rlimit_data,
	"Bytes of data of a program; K, M and G are understood."),
    RLIMIT("rlimit_files", VALUE_RLIMIT, rlimit_files,
	"Descriptors of a program."),
    RLIMIT("rlimit_nproc", VALUE_RLIMIT, rlimit_nproc,
	"Processes of a program's user."),
    RLIMIT("rlimit_rss", VALUE_RLIMIT_SIZE, rlimit_rss,
	"Bytes of memory of a program; K, M and G are understood."),
    RLIMIT("rlimit_stack", VALUE_RLIMIT_SIZE, rlimit_stack,
	"Bytes of stack of a program; K, M and G are understood."),
    {SERVICE("workers", VALUE_WORKERS, CHANGE_LIVE, workers), .of_fleet = true,
	.syntax = "NUMBER [NUMBER]", .initial = "0", .low = 0, .high = 1000,
	.help = "In how many processes of its own the service runs, at least "
		"and, by load, at most, see WORKERS; 0 is inside the host."},
    {SERVICE("max_requests", VALUE_LIMIT, CHANGE_LIVE, max_requests),
	.of_fleet = true, .syntax = "NUMBER | unlimited",
	.initial = "unlimited", .low = 0, .high = UINT32_MAX,
	.help = "Connections that a worker takes before another replaces it."},
    {SERVICE("restart_delay", VALUE_TIME, CHANGE_LIVE, restart_delay_ms),
	.of_fleet = true, .syntax = "TIME", .initial = "100ms", .low = 0,
	.high = HOUR,
	.help = "How long the place of a worker that died stays empty; it "
		"doubles with every death in a row."},
    {SERVICE(
	 "restart_delay_max", VALUE_TIME, CHANGE_LIVE, restart_delay_max_ms),
	.of_fleet = true, .syntax = "TIME", .initial = "30s", .low = 1,
	.high = DAY,
	.help = "What restart_delay does not grow beyond; a worker that lives "
		"longer begins anew."},
    {SERVICE("start_limit", VALUE_LINE_RATE, CHANGE_LIVE, start_limit),
	.of_fleet = true, .syntax = "NUMBER[/TIME] | unlimited",
	.initial = "10/1m", .low = 1, .high = 1000000,
	.help = "With more deaths of workers in that time the service fails: "
		"clients wait until it is resumed."},
    {SERVICE("start_timeout", VALUE_TIME, CHANGE_LIVE, start_timeout_ms),
	.of_fleet = true, .syntax = "TIME", .initial = "30s", .low = 1,
	.high = HOUR,
	.help = "How long a worker may take until it is ready to serve."},
    {SERVICE("stop_timeout", VALUE_TIME, CHANGE_LIVE, stop_timeout_ms),
	.of_fleet = true, .syntax = "TIME", .initial = "5s", .low = 1,
	.high = HOUR,
	.help = "How long a worker that was told to end may take until it is "
		"killed."},
    {SERVICE("watchdog", VALUE_TIME, CHANGE_LIVE, watchdog_ms),
	.of_fleet = true, .syntax = "TIME", .initial = "30s", .low = 0,
	.high = HOUR,
	.help = "A worker that has not answered its host for so long hangs, "
		"and is killed and replaced; 0 means never."},
    {SERVICE("worker_idle", VALUE_TIME, CHANGE_LIVE, worker_idle_ms),
	.of_fleet = true, .syntax = "TIME", .initial = "1m", .low = 1,
	.high = DAY,
	.help = "A worker beyond the least number that has had no session for "
		"so long ends."},
    {SERVICE("per_source", VALUE_LIMIT, CHANGE_LIVE, per_source),
	.syntax = "NUMBER | unlimited", .initial = "unlimited", .low = 0,
	.high = 1000000,
	.help = "Sessions at once of clients from the same source: see "
		"source_prefix."},
    {SERVICE("cps", VALUE_RATE, CHANGE_LIVE, cps),
	.syntax = "NUMBER[/TIME] [PAUSE] | unlimited", .initial = "unlimited",
	.low = 1, .high = 10000000,
	.help = "Sessions that may begin in each second, or each TIME; with "
		"PAUSE, none begins for so long after too many."},
    {SERVICE("source_cps", VALUE_RATE, CHANGE_LIVE, source_cps),
	.syntax = "NUMBER[/TIME] [PAUSE] | unlimited", .initial = "unlimited",
	.low = 1, .high = 10000000,
	.help = "The same for clients from the same source."},
    {SERVICE("source_prefix", VALUE_PREFIXES, CHANGE_LIVE, source_prefix),
	.syntax = "BITS [BITS]", .initial = "32 64",
	.help = "How many bits of an IPv4 and of an IPv6 address tell one "
		"source from another."},
    ACCESS("only_from", only_from,
	"Clients that are served, see ACCESS LISTS; empty means nobody, and "
	"without it all are."),
    ACCESS("no_access", no_access,
	"Clients that are not served; of two entries that match, the nearer "
	"one counts."),
    {SERVICE("access_times", VALUE_WORDS, CHANGE_LIVE, access_times),
	.syntax = "HH:MM-HH:MM ...", .initial = "",
	.check = attribute_check_span,
	.help = "Times of day in which clients are served; without it, "
		"always."},
    {SERVICE("max_load", VALUE_LOAD, CHANGE_LIVE, max_load_percent),
	.syntax = "NUMBER", .initial = "0", .low = 0, .high = 100000,
	.help = "The load average of a minute from which on nobody is "
		"served; 0 is no limit."},
    {SERVICE("only_users", VALUE_WORDS, CHANGE_LIVE, only_users),
	.syntax = "USER ...", .initial = "",
	.help = "Who is served at a Unix endpoint, by name or number of the "
		"user; those of only_groups are, too."},
    {SERVICE("only_groups", VALUE_WORDS, CHANGE_LIVE, only_groups),
	.syntax = "GROUP ...", .initial = "",
	.help = "The same by the group that the client runs under."},
    POLICY("on_instances", on_instances, POLICY_QUEUE, "queue | reject | reset",
	"queue",
	"What becomes of clients when there are as many sessions as "
	"instances allows; see ADMISSION."),
    POLICY("on_cps", on_cps, POLICY_QUEUE, "queue | reject | reset", "queue",
	"The same when sessions begin too quickly for cps."),
    POLICY("on_max_load", on_max_load, POLICY_QUEUE, "queue | reject | reset",
	"queue", "The same when the load reaches max_load."),
    POLICY("on_access_times", on_access_times, POLICY_QUEUE,
	"queue | reject | reset", "reject",
	"The same at other times than access_times."),
    POLICY("on_per_source", on_per_source, POLICY_REJECT, "reject | reset",
	"reject",
	"What becomes of a client when his source has as many "
	"sessions as per_source allows."),
    POLICY("on_source_cps", on_source_cps, POLICY_REJECT, "reject | reset",
	"reject", "The same when his source comes too often for source_cps."),
    POLICY("on_access", on_access, POLICY_REJECT, "reject | reset", "reject",
	"The same when he is not among those who are served: only_from, "
	"no_access, only_users, only_groups, libwrap."),
    {SERVICE("libwrap", VALUE_WORD, CHANGE_LIVE, libwrap),
	.syntax = "NAME | auto", .initial = "",
	.help = "The service's name in hosts.allow and hosts.deny, or auto "
		"for that of its program, or its own; without it, they are "
		"not consulted; see ADMISSION."},
    BANNER("banner", banner,
	"A file that every client is sent, before anything else."),
    BANNER("banner_success", banner_success,
	"A file that a client who is served is sent first."),
    BANNER("banner_fail", banner_fail,
	"A file that a client who is not served is sent."),
    {SERVICE("log_type", VALUE_LOG_TYPE, CHANGE_LIVE, log_type),
	.syntax = "SYSLOG FACILITY [LEVEL] | FILE PATH [SIZE [SIZE]] | "
		  "JOURNAL | HOST",
	.initial = "",
	.help = "Where a line goes for each client; without it, to the log "
		"of the host; see LOGGING."},
    {SERVICE("log_on_success", VALUE_WORDS, CHANGE_LIVE, log_on_success),
	.syntax = "PID | HOST | USERID | EXIT | DURATION | TRAFFIC ...",
	.initial = "", .choices = success_words,
	.help = "What is logged of clients that are served; without it, "
		"nothing."},
    {SERVICE("log_on_failure", VALUE_WORDS, CHANGE_LIVE, log_on_failure),
	.syntax = "HOST | USERID | ATTEMPT ...", .initial = "",
	.choices = failure_words,
	.help = "What is logged of clients that are not; without it, "
		"nothing."},
    {SERVICE("log_format", VALUE_LOG_FORMAT, CHANGE_LIVE, log_format),
	.syntax = "xinetd | logfmt | json", .initial = "xinetd",
	.help = "How such a line looks."},
    {SERVICE("log_rate", VALUE_LINE_RATE, CHANGE_LIVE, log_rate),
	.syntax = "NUMBER[/TIME] | unlimited", .initial = "1000/1m", .low = 1,
	.high = 10000000,
	.help = "Lines of clients that come, that go and that are refused, "
		"of each so many in each second, or each TIME; then one line "
		"says how many more there were."},
    {.name = NULL},
};

static const struct attribute host_attributes[] = {
    {HOST("reload", VALUE_RELOAD, CHANGE_LIVE, reload),
	.syntax = "script | exact", .initial = "script",
	.help = "Whether the files are a script, and what they do not "
		"mention stays, or a declaration, and it is removed; see "
		"RELOADING."},
    {HOST("plugin_path", VALUE_PATH_LIST, CHANGE_LIVE, plugin_path),
	.syntax = "PATH[:PATH ...]", .initial = "",
	.help = "Folders in which plugins are looked for, instead of the one "
		"that was built in."},
    {HOST("pid_file", VALUE_PATH, CHANGE_RESTART, pid_file), .syntax = "PATH",
	.initial = "",
	.help = "A file that holds the process id and is locked while the "
		"host runs."},
    {HOST("control", VALUE_PATH, CHANGE_LIVE, control), .syntax = "PATH",
	.initial = "",
	.help = "The control socket, by which the host's own user and root "
		"steer it; see berthctl(1)."},
    {HOST("syslog_socket", VALUE_PATH, CHANGE_LIVE, syslog_socket),
	.syntax = "PATH", .initial = "",
	.help = "Where lines for log_type SYSLOG are sent; without it, to "
		"/dev/log."},
    {HOST("journal_socket", VALUE_PATH, CHANGE_LIVE, journal_socket),
	.syntax = "PATH", .initial = "",
	.help = "Where lines for log_type JOURNAL are sent; without it, to "
		"/run/systemd/journal/socket."},
    {HOST("hosts_access", VALUE_PATH, CHANGE_LIVE, hosts_access),
	.syntax = "PATH", .initial = "",
	.help = "The program that asks hosts.allow and hosts.deny for "
		"libwrap; without it, the berth-libwrap(8) that came with "
		"the host."},
    {HOST("hosts_allow", VALUE_PATH, CHANGE_LIVE, hosts_allow),
	.syntax = "PATH", .initial = "",
	.help = "The file that is hosts.allow; without it, "
		"/etc/hosts.allow."},
    {HOST("hosts_deny", VALUE_PATH, CHANGE_LIVE, hosts_deny), .syntax = "PATH",
	.initial = "",
	.help = "The file that is hosts.deny; without it, /etc/hosts.deny."},
    {HOST("reactors", VALUE_COUNT, CHANGE_LIVE, loops), .syntax = "NUMBER",
	.initial = "1", .low = 1, .high = 64,
	.help = "Loops, each in a thread of its own, on which sessions of "
		"reactive services run, if their code says that it may; all "
		"others, and all else, stay on the first; see "
		"berth-concurrency(7)."},
    {HOST("watch", VALUE_FLAG, CHANGE_LIVE, watch), .syntax = "yes | no",
	.initial = "no",
	.help = "Whether a changed file of the configuration is read at "
		"once, without a signal."},
    {HOST("log_level", VALUE_LEVEL, CHANGE_LIVE, log_level),
	.syntax = "error | warning | notice | info | debug", .initial = "info",
	.low = 3, .high = 7,
	.help = "The least severe messages that are logged."},
    {HOST("watchdog", VALUE_TIME, CHANGE_LIVE, watchdog_ms), .syntax = "TIME",
	.initial = "1s", .low = 0, .high = HOUR,
	.help = "A call into a service that takes longer is logged with its "
		"name; 0 means never."},
    {HOST("shutdown", VALUE_TIME, CHANGE_LIVE, shutdown_ms), .syntax = "TIME",
	.initial = "10s", .low = 0, .high = DAY,
	.help = "How long all sessions may go on when the host ends."},
    {HOST("capabilities", VALUE_WORDS, CHANGE_RESTART, capabilities),
	.syntax = "NAME ... | keep", .initial = "", .choices = capability_words,
	.help = "The most that the host keeps of the capabilities that it was "
		"started with, programs of root included, or keep for all; "
		"without it, a host that is root keeps those that it can "
		"use, see berthd(8)."},
    {.name = NULL},
};

const struct attribute *
attributes(enum attribute_scope scope)
{
	return scope == ATTRIBUTE_HOST ? host_attributes : service_attributes;
}
