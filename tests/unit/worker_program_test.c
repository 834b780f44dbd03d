/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services whose sessions are processes: connections, sockets handed over,
 * starts that come to nothing, and the end.
 */
#include <signal.h>

#include "unit/net_bed.h"
#include "worker/worker.h"

struct desk {
	struct bed *bed;
	struct arena *arena;
	struct reactor_owner owner;
	struct berth_service service;
	struct external *program;
	struct server *server;
	struct listener *listener;
	struct spawn_template *template;
	char probe[512];
	unsigned drained;
	uint64_t wanted;
};

static int
setup(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	const char *build = getenv("top_builddir");
	void *bed = NULL;

	assert_non_null(desk);
	assert_int_equal(bed_setup(&bed), 0);
	desk->bed = bed;
	desk->arena = arena_new();
	desk->service.name = "prog";
	snprintf(desk->probe, sizeof(desk->probe), "%s/tests/programs/probe",
	    build != NULL ? build : ".");
	assert_int_equal(
	    reactor_owner_init(&desk->owner, desk->bed->reactor, "prog"), 0);
	*state = desk;
	return 0;
}

static int
teardown(void **state)
{
	struct desk *desk = *state;
	void *bed = desk->bed;

	server_abort(desk->server, BERTH_CLOSED_ABORTED);
	server_free(desk->server);
	external_free(desk->program);
	bed_settle(desk->bed);
	reactor_owner_fini(&desk->owner);
	arena_free(desk->arena);
	free(desk);
	return bed_teardown(&bed);
}

static void
count_drained(void *context)
{
	struct desk *desk = context;

	desk->drained++;
}

static void
serve(struct desk *desk, const char *endpoint, const char *path,
    const char *word, const char *more)
{
	char words_text[3][64];
	char *words[] = {words_text[0], words_text[1],
	    more != NULL ? words_text[2] : NULL, NULL};
	const struct spawn_request request = {
	    .name = "prog",
	    .path = path,
	    .argc = more != NULL ? 3 : 2,
	    .argv = words,
	    .settings = &desk->bed->settings,
	};
	struct server_options options = {
	    .owner = &desk->owner,
	    .service = &desk->service,
	    .type = &external_type.session,
	    .settings = &desk->bed->settings,
	    .listeners = desk->bed->listeners,
	    .log = &desk->bed->log,
	    .drained = count_drained,
	    .context = desk,
	};

	snprintf(words_text[0], sizeof(words_text[0]), "prog");
	snprintf(words_text[1], sizeof(words_text[1]), "%s", word);
	snprintf(words_text[2], sizeof(words_text[2]), "%s",
	    more != NULL ? more : "");
	assert_int_equal(template_new(desk->arena, &request, NULL,
			     desk->bed->errors, &desk->template),
	    0);
	assert_int_equal(
	    external_new(&options, NULL, desk->template, &desk->program), 0);
	options.units = desk->program;
	options.strategy = desk->bed->settings.wait ? &external_wait_strategy
						    : &external_strategy;
	assert_int_equal(server_new(&options, &desk->server), 0);
	external_set_server(desk->program, desk->server);
	desk->listener = bed_listen(desk->bed, endpoint);
	assert_int_equal(server_add_listener(desk->server, desk->listener), 0);
	server_accept(desk->server, true);
}

static struct server_counters
counters(const struct desk *desk)
{
	struct server_counters now;

	server_counters(desk->server, &now);
	return now;
}

static bool
is_active(void *context)
{
	struct desk *desk = context;

	return counters(desk).sessions_active == desk->wanted;
}

static bool
is_total(void *context)
{
	struct desk *desk = context;

	return counters(desk).sessions_total >= desk->wanted;
}

static void
until_active(struct desk *desk, uint64_t count)
{
	desk->wanted = count;
	bed_until(desk->bed, is_active, desk);
}

static void
until_total(struct desk *desk, uint64_t count)
{
	desk->wanted = count;
	bed_until(desk->bed, is_total, desk);
}

static bool
is_drained(void *context)
{
	struct desk *desk = context;

	return desk->drained > 0;
}

/* Turns the loop until the client has these bytes. */
struct expectation {
	int client;
	const char *text;
	char got[65536];
	size_t size;
	bool ended;
};

static bool
has_come(void *context)
{
	struct expectation *expectation = context;
	ssize_t got = recv(expectation->client,
	    expectation->got + expectation->size,
	    sizeof(expectation->got) - 1 - expectation->size, MSG_DONTWAIT);

	if (got > 0)
		expectation->size += (size_t)got;
	expectation->got[expectation->size] = '\0';
	expectation->ended = expectation->ended || got == 0 ||
			     (got < 0 && errno != EAGAIN);
	if (expectation->text == NULL)
		return expectation->ended;
	return strstr(expectation->got, expectation->text) != NULL;
}

/* NULL: until the end.  What came stays until the next call. */
static const char *
expect(struct desk *desk, int client, const char *text)
{
	static struct expectation expectation;

	expectation = (struct expectation){.client = client, .text = text};
	bed_until(desk->bed, has_come, &expectation);
	return expectation.got;
}

static void
test_a_process_for_each_connection(void **state)
{
	struct desk *desk = *state;
	char line[64];
	const char *said;
	int client;

	serve(desk, "tcp:127.0.0.1:0", desk->probe, "facts", NULL);
	client = bed_connect(desk->listener);
	said = expect(desk, client, NULL);
	assert_non_null(strstr(said, "fds=0 1 2 \n"));
	assert_non_null(strstr(said, "blocking=1\n"));
	assert_non_null(strstr(said, "signals=\n"));
	assert_non_null(strstr(said, "env PROTO=TCP\n"));
	assert_non_null(strstr(said, "env TCPREMOTEIP=127.0.0.1\n"));
	assert_non_null(strstr(said, "env REMOTE_HOST=127.0.0.1\n"));
	assert_null(strstr(said, "LISTEN_"));
	snprintf(line, sizeof(line), "env TCPLOCALPORT=%u\n",
	    bed_port(desk->listener));
	assert_non_null(strstr(said, line));
	close(client);
	until_active(desk, 0);
	assert_int_equal(counters(desk).sessions_total, 1);
	assert_int_equal(counters(desk).sessions_failed, 0);
}

static void
test_unix_peers(void **state)
{
	struct desk *desk = *state;
	const char *said;
	int client;

	serve(desk, "unix-seqpacket:@berth-worker-test", desk->probe, "facts",
	    NULL);
	client = bed_connect(desk->listener);
	said = expect(desk, client, "fds=");
	assert_non_null(strstr(said, "fds=0 1 2 \n"));
	close(client);
	until_active(desk, 0);
}

static void
test_instances_wait_in_the_backlog(void **state)
{
	struct desk *desk = *state;
	int one, two;

	desk->bed->settings.instances = 1;
	serve(desk, "tcp:127.0.0.1:0", desk->probe, "wait", NULL);
	one = bed_connect(desk->listener);
	two = bed_connect(desk->listener);
	expect(desk, one, "waits\n");
	bed_settle(desk->bed);
	assert_int_equal(counters(desk).sessions_total, 1);
	close(one);
	expect(desk, two, "waits\n");
	assert_int_equal(counters(desk).sessions_active, 1);
	close(two);
	until_active(desk, 0);
}

struct seen {
	unsigned count;
	int pid;
	char peer[128];
};

static void
see(void *context, const struct session_info *info)
{
	struct seen *seen = context;

	seen->count++;
	seen->pid = info->pid;
	snprintf(seen->peer, sizeof(seen->peer), "%s", info->peer);
}

static void
test_processes_are_shown(void **state)
{
	struct desk *desk = *state;
	struct seen seen = {.count = 0};
	int client;

	serve(desk, "tcp:127.0.0.1:0", desk->probe, "wait", NULL);
	client = bed_connect(desk->listener);
	expect(desk, client, "waits\n");
	server_each_session(desk->server, see, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(kill(seen.pid, 0), 0);
	assert_int_equal(strncmp(seen.peer, "127.0.0.1:", 10), 0);
	close(client);
	until_active(desk, 0);
}

/* The connection is closed, the cause is told; many in a row make a pause. */
static void
test_what_cannot_start(void **state)
{
	struct desk *desk = *state;
	uint64_t begun = 0;
	int client;

	serve(desk, "tcp:127.0.0.1:0", "/nonexistent/prog", "x", NULL);
	for (int i = 1; i <= 6; i++) {
		client = bed_connect(desk->listener);
		expect(desk, client, NULL);
		close(client);
		assert_int_equal(counters(desk).sessions_failed, i);
		if (i == 4)
			begun = mono_now().ns;
	}
	/* The last one waited, and was then tried. */
	assert_true(mono_now().ns - begun >= MONO_MS(100));
	assert_non_null(strstr(text_string(&desk->bed->lines),
	    "cannot start '/nonexistent/prog' for 127.0.0.1:"));
	assert_non_null(strstr(text_string(&desk->bed->lines),
	    "it cannot be run: No such file or directory"));
	assert_non_null(strstr(text_string(&desk->bed->lines),
	    "5 starts in a row came to nothing"));
	server_drain(desk->server, 0);
	bed_until(desk->bed, is_drained, desk);
	assert_int_equal(desk->owner.timers, 0);
}

static void
test_a_datagram_socket_is_handed_over(void **state)
{
	struct desk *desk = *state;
	struct sockaddr_storage to;
	socklen_t size;
	char mine[64];
	int client, pid, told;
	void *address = &to;

	desk->bed->settings.wait = true;
	serve(desk, "udp:127.0.0.1:0", desk->probe, "datagram", NULL);
	client = bed_datagram_client(desk->listener, NULL);
	bed_address(desk->listener, &to, &size);
	for (int i = 0; i < 12; i++) {
		const char *said;

		assert_int_equal(sendto(client, "x", 1, 0, address, size), 1);
		said = expect(desk, client, " 1 prog\n");
		assert_int_equal(
		    sscanf(said, "%d %d %63s", &pid, &told, mine), 3);
		assert_int_equal(pid, told);
		until_active(desk, 0);
	}
	/* A process that does what it shall is no failure. */
	assert_int_equal(counters(desk).sessions_failed, 0);
	assert_null(strstr(text_string(&desk->bed->lines), "came to nothing"));
	assert_true(
	    (fcntl(listener_fd(desk->listener), F_GETFL) & O_NONBLOCK) != 0);
	close(client);
}

static void
test_a_listening_socket_is_handed_over(void **state)
{
	struct desk *desk = *state;
	int one, two;

	desk->bed->settings.wait = true;
	serve(desk, "tcp:127.0.0.1:0", desk->probe, "serve", "2");
	one = bed_connect(desk->listener);
	expect(desk, one, " 1 prog\n");
	assert_int_equal(counters(desk).sessions_active, 1);
	two = bed_connect(desk->listener);
	expect(desk, two, " 1 prog\n");
	until_active(desk, 0);
	assert_int_equal(counters(desk).sessions_total, 1);
	close(one);
	close(two);
}

static void
test_one_that_reads_nothing_does_not_spin(void **state)
{
	struct desk *desk = *state;
	struct sockaddr_storage to;
	socklen_t size;
	void *address = &to;
	uint64_t begun;
	int client;

	desk->bed->settings.wait = true;
	serve(desk, "udp:127.0.0.1:0", desk->probe, "exit", "0");
	client = bed_datagram_client(desk->listener, NULL);
	bed_address(desk->listener, &to, &size);
	assert_int_equal(sendto(client, "x", 1, 0, address, size), 1);
	until_total(desk, 4);
	begun = mono_now().ns;
	/* Pauses of 100 and 200 ms, however often the loop turns. */
	until_total(desk, 7);
	assert_true(mono_now().ns - begun >= MONO_MS(300));
	until_active(desk, 0);
	assert_non_null(strstr(text_string(&desk->bed->lines),
	    "5 starts in a row came to nothing: clients wait for 100 ms"));
	assert_non_null(strstr(text_string(&desk->bed->lines), "200 ms"));
	close(client);
}

static void
test_draining_lets_them_end(void **state)
{
	struct desk *desk = *state;
	int client;

	serve(desk, "tcp:127.0.0.1:0", desk->probe, "wait", NULL);
	client = bed_connect(desk->listener);
	expect(desk, client, "waits\n");
	server_drain(desk->server, MONO_MS(3600000));
	bed_settle(desk->bed);
	assert_int_equal(desk->drained, 0);
	close(client);
	bed_until(desk->bed, is_drained, desk);
	assert_null(strstr(text_string(&desk->bed->lines), "signal"));
}

static void
test_at_the_deadline_they_are_asked(void **state)
{
	struct desk *desk = *state;
	int client;

	serve(desk, "tcp:127.0.0.1:0", desk->probe, "wait", NULL);
	client = bed_connect(desk->listener);
	expect(desk, client, "waits\n");
	server_drain(desk->server, MONO_MS(1));
	bed_until(desk->bed, is_drained, desk);
	assert_non_null(strstr(text_string(&desk->bed->lines), "signal 15"));
	assert_null(strstr(text_string(&desk->bed->lines), "killed"));
	close(client);
}

static void
test_the_deaf_are_killed(void **state)
{
	struct desk *desk = *state;
	uint64_t begun;
	int client;

	desk->bed->settings.linger_ms = 300;
	serve(desk, "tcp:127.0.0.1:0", desk->probe, "stubborn", NULL);
	client = bed_connect(desk->listener);
	expect(desk, client, "deaf\n");
	begun = mono_now().ns;
	server_drain(desk->server, 0);
	bed_until(desk->bed, is_drained, desk);
	/* Never at once. */
	assert_true(mono_now().ns - begun >= MONO_MS(300));
	assert_non_null(strstr(text_string(&desk->bed->lines),
	    "was asked to end, did not, and was killed"));
	expect(desk, client, NULL);
	close(client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_a_process_for_each_connection, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_unix_peers, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_instances_wait_in_the_backlog, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_processes_are_shown, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_what_cannot_start, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_a_datagram_socket_is_handed_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_a_listening_socket_is_handed_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_one_that_reads_nothing_does_not_spin, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_draining_lets_them_end, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_at_the_deadline_they_are_asked, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_the_deaf_are_killed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
