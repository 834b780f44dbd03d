/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_fixture: a whole host inside a test, with a static service `probe` that
 * writes down every call of its hooks.
 *
 * The words of a probe say how it behaves: `fail` init fails with a text,
 * `positive` init returns 1, `rfail` resume fails, `timer` and `thread` leave
 * one behind, `self` removes itself from a timer, `command=LINE` asks for a
 * command in init, `stubborn` starts a thread that ends only when the test
 * says so, `unready` says no when asked whether it is ready, `later` says yes
 * the third time, `never` always not yet.  The static service `keeper` is a
 * probe that hands its state over (`forgetful` can't read it), and `lonely`
 * one of which, besides, two can't be up at once.
 *
 * A session is greeted with "I am NAME WORDS", and gets back what it sends.
 */
#ifndef TESTS_UNIT_HOST_FIXTURE_H
#define TESTS_UNIT_HOST_FIXTURE_H

#include "control/control.h"

struct fixture {
	struct host *host;
	struct log log;
	struct text logged; /* every line of the log */
	struct text reply;  /* of the last command */
	char folder[64];
	char file[96]; /* folder/svc.conf */
	struct errors *errors;
};

/* What the probes were called: "init A x y\nfini A\n"; emptied by the test. */
extern struct text fixture_calls;
/* A stubborn thread runs until this is set. */
extern _Atomic bool fixture_let_go;

/* A host whose one input is folder/svc.conf with this text; not started. */
void fixture_init(struct fixture *fixture, const char *svc_conf);
void fixture_fini(struct fixture *fixture);
void fixture_write(struct fixture *fixture, const char *name, const char *text);
int fixture_start(struct fixture *fixture); /* result of host_start() */
/* Runs a line with control, then turns until nothing is left to do. */
enum command_status fixture_command(struct fixture *fixture, const char *line);
/* Turns of the loop: those that are due now. */
void fixture_settle(struct fixture *fixture);
/* Turns until the condition holds; fails the test after ten seconds. */
void fixture_until(
    struct fixture *fixture, bool (*condition)(struct fixture *fixture));
bool fixture_has_call(const char *call);
/* fixture_calls equals this, and is emptied. */
void fixture_expect_calls(const char *expected);
/* "A active\nB suspended\n", as `list` has it. */
void fixture_expect_states(struct fixture *fixture, const char *expected);

#endif
