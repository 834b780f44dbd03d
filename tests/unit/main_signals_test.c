/* SPDX-License-Identifier: BSD-2-Clause */
/* Which signal asks a host (a fake one) for what, and which are ignored. */
#include "unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "main/main.h"

struct host {
	struct reactor *reactor;
	struct reactor_owner owner;
	unsigned reloads, stops, reopenings;
	struct log log;
	char logged[200];
};

struct reactor_owner *
host_owner(struct host *host)
{
	return &host->owner;
}

void
host_reload(struct host *host)
{
	host->reloads++;
}

void
host_reopen_logs(struct host *host)
{
	host->reopenings++;
}

void
host_stop(struct host *host)
{
	host->stops++;
}

static void
keep_line(
    struct log *log, int level, const char *who, const char *line, size_t size)
{
	struct host *host = BASE_CONTAINER(log, struct host, log);

	assert_null(who);
	snprintf(host->logged, sizeof(host->logged), "%d %.*s", level,
	    (int)size, line);
}

struct fixture {
	struct host host;
	struct signals signals;
};

static void
open_fixture(struct fixture *fixture, int reload_signal)
{
	struct host *host = &fixture->host;

	memset(fixture, 0, sizeof(*fixture));
	host->log.write = keep_line;
	host->log.level = 7;
	assert_int_equal(
	    signals_block(&fixture->signals, reload_signal, false), 0);
	assert_int_equal(
	    reactor_new(&(struct reactor_options){0}, &host->reactor), 0);
	assert_int_equal(
	    reactor_owner_init(&host->owner, host->reactor, "host"), 0);
}

static void
close_fixture(struct fixture *fixture)
{
	reactor_owner_fini(&fixture->host.owner);
	reactor_free(fixture->host.reactor);
	pthread_sigmask(SIG_SETMASK, &fixture->signals.original, NULL);
}

static void
deliver(struct fixture *fixture, int signum)
{
	assert_int_equal(kill(getpid(), signum), 0);
	assert_true(reactor_turn(fixture->host.reactor, REACTOR_FOREVER) >= 1);
}

static void
watch(struct fixture *fixture)
{
	assert_int_equal(signals_watch(&fixture->signals, &fixture->host,
			     &fixture->host.log),
	    0);
}

static void
test_default(void **state)
{
	struct fixture fixture;

	(void)state;
	open_fixture(&fixture, SIGHUP);
	watch(&fixture);
	deliver(&fixture, SIGHUP);
	assert_int_equal(fixture.host.reloads, 1);
	deliver(&fixture, SIGUSR1);
	assert_int_equal(fixture.host.reopenings, 1);
	deliver(&fixture, SIGTERM);
	assert_int_equal(fixture.host.stops, 1);
	assert_string_equal(fixture.host.logged, "5 SIGTERM: stop");
	deliver(&fixture, SIGINT);
	assert_int_equal(fixture.host.stops, 2);
	assert_int_equal(fixture.host.reloads, 1);
	close_fixture(&fixture);
}

static void
test_other(void **state)
{
	const int others[] = {SIGUSR1, SIGRTMIN + 2};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(others); i++) {
		struct fixture fixture;

		open_fixture(&fixture, others[i]);
		watch(&fixture);
		deliver(&fixture, SIGHUP);
		assert_int_equal(fixture.host.reloads, 0);
		assert_int_equal(fixture.host.stops, 0);
		assert_string_equal(fixture.host.logged,
		    i == 0 ? "5 SIGHUP ignored: SIGUSR1 asks for a reload "
			     "(-s)"
			   : "5 SIGHUP ignored: SIGRTMIN+2 asks for a reload "
			     "(-s)");
		deliver(&fixture, others[i]);
		assert_int_equal(fixture.host.reloads, 1);
		assert_int_equal(fixture.host.reopenings, 0);
		close_fixture(&fixture);
	}
}

/* What comes before the services are up is done when they are. */
static void
test_early(void **state)
{
	struct fixture fixture;

	(void)state;
	open_fixture(&fixture, SIGHUP);
	assert_int_equal(kill(getpid(), SIGHUP), 0);
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	watch(&fixture);
	while (fixture.host.reloads == 0 || fixture.host.stops == 0)
		reactor_turn(fixture.host.reactor, REACTOR_FOREVER);
	close_fixture(&fixture);
}

/* nohup(1) starts programs with SIGHUP ignored. */
static void
test_nohup(void **state)
{
	struct fixture fixture;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	open_fixture(&fixture, SIGHUP);
	watch(&fixture);
	deliver(&fixture, SIGHUP);
	assert_int_equal(fixture.host.reloads, 1);
	close_fixture(&fixture);
	signal(SIGHUP, SIG_DFL);
}

static void
test_ignored(void **state)
{
	static const int terminal[] = {SIGTTIN, SIGTTOU, SIGTSTP};
	struct sigaction action;
	struct signals signals;

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	for (int daemon = 0; daemon < 2; daemon++) {
		assert_int_equal(
		    signals_block(&signals, SIGHUP, daemon != 0), 0);
		sigaction(SIGPIPE, NULL, &action);
		assert_ptr_equal(action.sa_handler, SIG_IGN);
		sigaction(SIGXFSZ, NULL, &action);
		assert_ptr_equal(action.sa_handler, SIG_IGN);
		for (size_t i = 0; i < BASE_COUNT(terminal); i++) {
			sigaction(terminal[i], NULL, &action);
			assert_ptr_equal(
			    action.sa_handler, daemon != 0 ? SIG_IGN : SIG_DFL);
		}
		pthread_sigmask(SIG_SETMASK, &signals.original, NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_default),
	    cmocka_unit_test(test_other),
	    cmocka_unit_test(test_early),
	    cmocka_unit_test(test_nohup),
	    cmocka_unit_test(test_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
