# SPDX-License-Identifier: BSD-2-Clause
"""Plugins that do not clean up, or do not let go: each is named, what it left
is revoked or stays mapped, and the host goes on."""

import re
import signal

from berth_e2e import case, main, receive, receive_until_reset, wait_until
from steered import SANITIZED, Steered

NEIGHBOUR = "static echo { listen = tcp:127.0.0.1:{p0} }\n"


def lives(host):
    with host.connect(0) as client:
        client.sendall(b"alive")
        assert receive(client, 5) == b"alive"


def add_and_remove(host, manager, plugin, words="", factory="make_sin"):
    host.copy_plugins(plugin)
    manager.do("dynamic Sinner Service_Object * %s:%s() %s" % (
        plugin, factory, words))
    lives(host)
    manager.do("remove Sinner")


def gone(manager):
    def nobody():
        return not [line for line in manager.do("list")
                    if line.startswith("Sinner ")]
    wait_until(nobody, what="Sinner has ended")


@case
def a_handler_or_timer_left_behind_is_revoked():
    with Steered(NEIGHBOUR) as host, host.log_in() as manager:
        for plugin, what in (("keeps_handler", "1 descriptor and 0 timers"),
                             ("keeps_timer", "0 descriptors and 1 timer")):
            add_and_remove(host, manager, plugin)
            gone(manager)
            host.wait_log("Sinner: left %s registered after fini; revoked"
                          % what)
            wait_until(lambda: plugin not in host.maps(), what="unmapped")
            lives(host)


@case
def a_thread_that_stays_keeps_its_code_and_is_named():
    with Steered(NEIGHBOUR) as host, host.log_in() as manager:
        add_and_remove(host, manager, "leaks_thread",
                       "\"%s\" { drain = 0 }" % host.path("let-go"))
        host.wait_log("Sinner: does not end: thread 'stays'")
        assert "leaks_thread" in host.maps()
        shown = "\n".join(manager.do("show Sinner"))
        assert "failed" in shown and "thread 'stays'" in shown, shown
        lives(host)
        host.write("let-go", "\n")
        gone(manager)
        wait_until(lambda: "leaks_thread" not in host.maps(), what="unmapped")


@case
def a_pinned_image_is_reported_and_new_code_runs_all_the_same():
    with Steered(NEIGHBOUR) as host, host.log_in() as manager:
        for plugin in ("nodelete", "unique"):
            add_and_remove(host, manager, plugin)
            gone(manager)
            host.wait_log("Sinner: its code stays mapped")
            host.copy_plugins(plugin)  # a new file: fresh code
            manager.do("dynamic Sinner Service_Object * %s:make_sin()"
                       % plugin)
            report = "\n".join(manager.do("report"))
            assert "call 1" in report, report
            manager.do("remove Sinner")
            gone(manager)
            lives(host)


@case
def a_callback_that_overruns_is_named():
    conf = NEIGHBOUR + (
        "host { watchdog = 100ms }\n"
        "dynamic Slow Service_Object * blocks:make_sin()"
        " { listen = tcp:127.0.0.1:{p1} }\n")
    with Steered("") as host:
        host.copy_plugins("blocks")
        host.write_conf(conf)
        host.reload()
        with host.connect(1) as client:
            client.sendall(b"600")
            assert receive(client, 6) == b"slept\n"
        match = host.wait_log(r"Slow: .*in one callback for (\d+) ms")
        assert int(match.group(1)) >= 100
        host.wait_log(r"it is here.*\n(.*\n)*.*memfd:berth:blocks|"
                      r"it is here.*\n(.*\n)*.*/proc/self/fd/")
        lives(host)


@case
def a_crash_in_the_host_says_whose_it_was():
    with_crash = (NEIGHBOUR + "dynamic Sinner Service_Object * "
                  "worker:make_worker() { listen = tcp:127.0.0.1:{p1} }\n")
    host = Steered("")
    try:
        host.copy_plugins("worker")
        host.write_conf(with_crash)
        host.reload()
        with host.connect(1) as client:
            client.sendall(b"abort\n")
            assert client.recv(1) == b""
        host.stop(expected=-signal.SIGABRT)
        assert re.search(r"crash: signal 6 while 'Sinner' was running",
                         host.log_text()), host.log_text()
        assert "/proc/self/fd/" in host.log_text() \
            or "memfd:berth" in host.log_text(), host.log_text()
    finally:
        host.close()


def runs_out_of_stack(how, attributes):
    """A host whose service does, in the end."""
    host = Steered("")
    host.copy_plugins("deep")
    host.write_conf(NEIGHBOUR + "dynamic Sinner Service_Object * "
                    "deep:make_deep_%s() { listen = tcp:127.0.0.1:{p1}; %s }\n"
                    % (how, attributes))
    host.reload()
    with host.connect(1) as client:
        client.sendall(b"sink\n")
        assert receive_until_reset(client) == b""
    return host


@case
def a_stack_that_runs_out_is_told():
    if SANITIZED:  # it tells by itself
        print("a_stack_that_runs_out_is_told: a sanitizer tells otherwise")
        return
    session = (r"crash: signal 11 while 'Sinner' was running, and the stack of "
               r"its session ran out: give the service a larger 'stack';")
    thread = (r"crash: signal 11 in thread 'Sinner/1', and its stack ran out; "
              r"of code written in sequence, 'stack' of the service is its "
              r"size;")
    process = (r"crash: signal 11 while 'Sinner' was running, and the stack of "
               r"the process ran out;")
    for how, attributes, said in (
            ("serve", "concurrency = reactive", session),
            ("serve", "concurrency = reactive; stack = 1M", session),
            ("serve", "concurrency = thread", thread),
            ("input", "concurrency = reactive", process),
            ("input", "concurrency = pool 1", thread)):
        host = runs_out_of_stack(how, attributes)
        try:
            host.stop(expected=-signal.SIGSEGV)
            assert re.search(said, host.log_text()), host.log_text()
        finally:
            host.close()
    for how, attributes, said in (
            ("serve", "workers = 1", session),
            ("serve", "concurrency = process", session),
            ("serve", "concurrency = thread; workers = 1", thread),
            ("input", "workers = 1", process)):
        host = runs_out_of_stack(how, attributes)
        try:
            host.wait_log(r"Sinner: \[\d+\].*" + said)
            lives(host)
            host.stop()
        finally:
            host.close()


@case
def a_service_that_fails_to_resume_stays_suspended():
    with Steered(NEIGHBOUR) as host, host.log_in() as manager:
        host.copy_plugins("resume_fails")
        manager.do("dynamic Sleeper Service_Object * resume_fails:make_sin()"
                   " inactive")
        reply = manager.ask("resume Sleeper")
        assert not reply.ok and "sleeps on" in "\n".join(reply.body), reply
        states = [line.split()[1] for line in manager.do("list")
                  if line.startswith("Sleeper ")]
        assert states == ["suspended"], states


@case
def init_that_is_positive_or_silent_is_a_failure():
    with Steered(NEIGHBOUR) as host, host.log_in() as manager:
        host.copy_plugins("init_fails", "init_positive")
        for plugin in ("init_fails", "init_positive"):
            reply = manager.ask("dynamic X Service_Object * %s:make_sin()"
                                % plugin)
            assert not reply.ok, (plugin, reply)
            assert re.search("init of 'X' failed", "\n".join(reply.body))
        lives(host)


main()
