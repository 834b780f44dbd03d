# SPDX-License-Identifier: BSD-2-Clause
"""A process for each connection of a service that is written once
(`concurrency = process`)."""

import os
import re
import signal
import socket

from berth_e2e import case, connect, main, receive, wait_until
from fleets import (
    NEIGHBOUR, Neighbour, alive, children, pid_of, refused, say, state,
    steered, worker)
from steered import HELLO, SANITIZED, Steered



def process(attributes="", words=""):
    return worker("concurrency = process %s" % attributes, words)


def ask_pid(client):
    client.sendall(b"pid\n")
    return int(client.recv(20))


def shown(host, name="W"):
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        return manager.json("show " + name)


def waiting(host):
    """The processes that wait for a client of their own."""
    return [w["pid"] for w in shown(host)["fleet"] if w["state"] == "waiting"]


# --- serving ------------------------------------------------------------------

@case
def each_client_has_a_process_of_his_own():
    with steered(process()) as host:
        clients = [host.connect(0) for _ in range(5)]
        pids = [ask_pid(client) for client in clients]
        assert len(set(pids)) == 5 and host.pid not in pids, pids
        assert shown(host)["sessions"] == 5
        # One session, from its first to its last byte.
        assert [ask_pid(client) for client in clients] == pids
        with host.log_in() as manager:
            listed = "\n".join(manager.do("sessions W"))
        for pid in pids:
            assert str(pid) in listed, (pid, listed)
        for client in clients:
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
            client.close()
        wait_until(lambda: not [pid for pid in pids if alive(pid)],
                   what="they ended with their sessions")
        wait_until(lambda: shown(host)["sessions"] == 0, what="none is left")
        assert shown(host)["served"] == 5
        assert shown(host)["failed"] == 0


@case
def sequential_code_is_served_so():
    conf = ("dynamic H Service_Object * hello:make_hello() "
            "{ listen = tcp:127.0.0.1:{p0}; concurrency = process }\n")
    with Steered("") as host:
        host.copy_plugins("hello", source=HELLO)
        host.write_conf(conf)
        host.reload()
        pids = set()
        for _ in range(3):
            with host.connect(0) as client:
                client.sendall(b"me\nwords\n")
                answer = b""
                while True:
                    more = client.recv(100)
                    if not more:
                        break
                    answer += more
            match = re.fullmatch(rb"Hello me, this is PID (\d+)\nwords",
                                 answer)
            assert match, answer
            pids.add(match.group(1))
        assert len(pids) == 3, pids


@case
def every_kind_of_connection_reaches_them():
    conf = ("static echo { listen = tcp:127.0.0.1:{p0} unix:{dir}/e "
            "unix-seqpacket:{dir}/s; concurrency = process }\n")
    with Steered(conf) as host:
        with host.connect(0) as client:
            client.sendall(b"x" * 300000)
            assert receive(client, 300000) == b"x" * 300000
        with connect(host.path("e")) as client:
            client.sendall(b"unix")
            assert receive(client, 4) == b"unix"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(host.timeout)
            client.connect(host.path("s"))
            client.send(b"one")
            client.send(b"two")
            assert client.recv(10) == b"one"
            assert client.recv(10) == b"two"


# --- bounds -------------------------------------------------------------------

@case
def at_the_bound_the_next_one_waits_in_the_backlog():
    with steered(process("2")) as host:
        one, two = host.connect(0), host.connect(0)
        pids = {ask_pid(one), ask_pid(two)}
        with host.connect(0) as three:
            three.sendall(b"pid\n")
            assert shown(host)["sessions"] == 2
            three.settimeout(0.3)
            try:
                assert False, three.recv(20)
            except socket.timeout:
                pass
            one.close()
            three.settimeout(host.timeout)
            assert int(three.recv(20)) not in pids
        two.close()


@case
def limits_are_those_of_the_service():
    with steered(process("; per_source = 2; on_per_source = reset")) as host:
        one, two = host.connect(0), host.connect(0)
        assert ask_pid(one) != ask_pid(two)
        assert say(host, "pid") == b""  # a third one of this source
        one.close()
        wait_until(lambda: say(host, "pid") != b"", what="room again")
        two.close()


@case
def as_many_wait_as_workers_says():
    with steered(process("; workers = 3")) as host:
        ready = waiting(host)
        assert len(ready) == 3
        with host.connect(0) as client:
            assert ask_pid(client) in ready
            wait_until(lambda: len(waiting(host)) == 3, what="three again")


@case
def what_cannot_be_is_refused_with_the_reason():
    with steered(NEIGHBOUR) as host, Neighbour(host):
        for more, words, said in (
                ("listen += udp:127.0.0.1:0", "", "udp"),
                ("", '"fail enough"', "it says 'enough'"),
                ("chroot = /", "", "chroot")):
            host.write_conf(NEIGHBOUR + process("; " + more, words))
            log = "\n".join(host.reload())
            assert said in log and "nothing changed" in log, log
        wait_until(lambda: not children(host), what="none is left")


# --- deaths -------------------------------------------------------------------

@case
def a_death_costs_one_session():
    ways = ["abort", "exit", "kill"] + ([] if SANITIZED else ["segv"])
    with steered(NEIGHBOUR + process("; start_limit = 1/1h")) as host:
        with Neighbour(host), host.connect(0) as other:
            mine = ask_pid(other)
            for how in ways * 2:
                if how == "kill":
                    with host.connect(0) as client:
                        os.kill(ask_pid(client), signal.SIGKILL)
                        assert client.recv(1) == b""
                else:
                    assert say(host, how) == b"", how
            assert ask_pid(other) == mine
            # However many: it is no reason for the service to fail.
            assert state(host) == "active"
            wait_until(lambda: shown(host)["sessions"] == 1, what="one left")
            assert shown(host)["failed"] == len(ways) * 2 - 2  # not `exit`
        host.wait_log(r"W: process \d+ for 127\.0\.0\.1:\d+ ended .*signal 9")


@case
def one_that_blocks_is_ended_by_the_watchdog():
    with steered(process("; watchdog = 3s; stop_timeout = 1s")) as host:
        with host.connect(0) as other:
            mine = ask_pid(other)
            assert say(host, "hang") == b""
            assert ask_pid(other) == mine
        assert "has not answered" in host.log_text()


# --- reloads ------------------------------------------------------------------

@case
def sessions_outlive_a_replacement():
    with steered(process()) as host:
        with host.connect(0) as client:
            old = ask_pid(client)
            host.write_conf(process("", '"new"'))
            log = "\n".join(host.reload())
            assert "> W (args changed)" in log, log
            assert pid_of(host) != old
            assert ask_pid(client) == old
        wait_until(lambda: not alive(old), what="it ended with its session")


@case
def a_replacement_under_load_loses_no_client():
    rest = "; drain = 20s; workers = 1"
    with steered(process(rest)) as host:
        before = len(host.fds())
        with Neighbour(host, 0):
            for number in range(5):
                host.write_conf(process(rest, '"%d"' % number))
                log = "\n".join(host.reload())
                assert "> W (args changed)" in log, log
        wait_until(lambda: len(host.fds()) <= before, what="descriptors")
        wait_until(lambda: len(children(host)) == len(waiting(host)),
                   what="old ones ended")


@case
def limits_change_live_in_sessions_that_there_are():
    with steered(process()) as host:
        with host.connect(0) as client:
            pid = ask_pid(client)
            host.write_conf(process("; idle_timeout = 500ms"))
            log = "\n".join(host.reload())
            assert "~ W (idle_timeout)" in log, log
            assert client.recv(1) == b""
        wait_until(lambda: not alive(pid), what="its process ended")


@case
def at_the_end_of_the_drain_it_is_told_to_end_then_killed():
    with steered(process("; drain = 100ms; stop_timeout = 100ms")) as host:
        with host.connect(0) as quiet, host.connect(0) as hung:
            pids = [ask_pid(quiet), ask_pid(hung)]
            hung.sendall(b"hang\n")
            with host.log_in() as manager:
                manager.do("remove W")
            assert quiet.recv(1) == b""
            wait_until(lambda: not [pid for pid in pids if alive(pid)],
                       what="both ended")
        wait_until(lambda: not children(host), what="no process is left")


@case
def a_removed_service_leaves_no_port_behind():
    for conf in process(), worker("workers = 1"):
        left_no_port(conf)


def left_no_port(conf):
    with steered(NEIGHBOUR + conf) as host:
        with host.connect(0) as client:
            ask_pid(client)
            with host.log_in() as manager:
                manager.do("remove W")
            wait_until(lambda: refused(host), what="nobody listens")
            client.sendall(b"on\n")
            assert receive(client, 3) == b"on\n"
        wait_until(lambda: not children(host), what="no process is left")


@case
def suspended_clients_wait():
    with steered(process()) as host, host.log_in() as manager:
        manager.do("suspend W")
        with host.connect(0) as client:
            client.sendall(b"hello")
            assert state(host) == "suspended"
            manager.do("resume W")
            assert receive(client, 5) == b"hello"


@case
def from_the_loop_into_processes_and_back():
    with steered(worker("workers = 0")) as host:
        for conf, inside in ((process(), False), (worker("workers = 2"), False),
                             (process(), False), (worker(""), True)):
            host.write_conf(conf)
            host.reload()
            assert (pid_of(host) == host.pid) == inside, conf
        wait_until(lambda: not children(host), what="no processes")


# --- the end ------------------------------------------------------------------

@case
def they_end_with_the_host():
    host = steered(process("; workers = 2"))
    try:
        with host.connect(0) as client:
            pids = waiting(host) + [ask_pid(client)]
            host.stop(signal.SIGKILL, expected=-signal.SIGKILL)
            wait_until(lambda: not [pid for pid in pids if alive(pid)],
                       what="processes ended")
    finally:
        host.close()


@case
def sigterm_lets_sessions_end():
    with steered("host { shutdown = 20s }\n" + process()) as host:
        with host.connect(0) as client:
            pid = ask_pid(client)
            host.signal(signal.SIGTERM)
            host.wait_log("SIGTERM: stop")
            assert ask_pid(client) == pid
        host.wait_exit()
        assert not alive(pid)


main()
