# SPDX-License-Identifier: BSD-2-Clause
"""The classic preforking server, `workers = 8` and `concurrency = iterative`,
row by row of what is expected of one (R-PRE-1 to R-PRE-13).

Two rows are about a lock around accept(2).  There is none here: the kernel
hands a connection to one of those who ask; what the lock was for is shown."""

import os
import re
import signal
import socket
import struct
import time

from berth_e2e import case, main, wait_until
from fleets import (
    alive, children, fleet, pid_of, refused, say, state, steered, worker)
from steered import HELLO, Steered

CHILDREN = 8


def hello(attributes="workers = 8", more=""):
    return ("dynamic H Service_Object * hello:make_hello() { "
            "listen = tcp:127.0.0.1:{p0}; backlog = 16; "
            "concurrency = iterative; %s }\n" % attributes) + more


def prefork(conf=None, **rest):
    host = Steered("", **rest)
    host.copy_plugins("hello", source=HELLO)
    host.copy_plugins("worker")
    host.write_conf(conf or hello())
    host.reload()
    return host


def greet(client, name=b"me", words=b"words"):
    """The whole answer."""
    client.sendall(name + b"\n" + words + b"\n")
    answer = b""
    while True:
        more = client.recv(1000)
        if not more:
            return answer
        answer += more


def greeted_by(host):
    with host.connect(0) as client:
        return int(re.search(rb"PID (\d+)", greet(client)).group(1))


def listening_inodes(*ports):
    """Of the sockets that listen on these ports."""
    found = set()
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in list(file)[1:]:
            words = line.split()
            if words[3] == "0A" and int(
                    words[1].rsplit(":", 1)[1], 16) in ports:
                found.add(words[9])
    return found


def descriptors(pid):
    folder = "/proc/%d/fd" % pid
    found = []
    for fd in os.listdir(folder):
        try:
            found.append(os.readlink(os.path.join(folder, fd)))
        except FileNotFoundError:
            pass  # it was closed meanwhile
    return found


def sessions(host):
    """Of each child, as it last said."""
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        return [w["sessions"] for w in manager.json("show H")["fleet"]]


# --- the rows -----------------------------------------------------------------

@case
def r_pre_1_children_backlog_and_address_are_configured():
    with prefork() as host, host.log_in() as manager:
        assert sorted(fleet(host, "H")) == list(range(CHILDREN))
        shown = "\n".join(manager.do("show H"))
        assert re.search(r"backlog\s+16$", shown, re.M), shown
        assert "tcp:127.0.0.1:%d" % host.port(0) in shown, shown
        host.write_conf(hello("workers = 3"))
        host.reload()
        wait_until(lambda: len(children(host)) == 3, what="three children")


@case
def r_pre_2_a_connection_is_taken_by_one_child():
    with prefork() as host:
        pids = set(fleet(host, "H").values())
        for number in range(200):
            with host.connect(0) as client:
                answer = greet(client, b"%d" % number)
            assert answer.count(b"Hello %d," % number) == 1, answer
            assert int(answer.split(b"PID ")[1].split()[0]) in pids, answer


@case
def r_pre_3_no_child_takes_two_and_none_is_idle_while_one_waits():
    with prefork() as host:
        held = [host.connect(0) for _ in range(CHILDREN)]
        wait_until(lambda: sessions(host) == [1] * CHILDREN,
                   what="each child has one client")
        with host.connect(0) as late:
            late.settimeout(0.3)
            late.sendall(b"late\nwords\n")
            try:
                assert False, late.recv(100)
            except socket.timeout:
                pass  # each has one client
            seen = {greet(client).split(b"PID ")[1] for client in held[1:]}
            late.settimeout(host.timeout)
            assert late.recv(100).startswith(b"Hello late")
            seen.add(greet(held[0]).split(b"PID ")[1])
        assert len(seen) == CHILDREN, seen


@case
def r_pre_4_a_dead_child_is_replaced_in_its_slot():
    with prefork() as host:
        before = fleet(host, "H")
        os.kill(before[5], signal.SIGKILL)
        wait_until(lambda: fleet(host, "H").get(5, before[5]) != before[5],
                   what="slot 5 is filled again")
        after = fleet(host, "H")
        assert {s: p for s, p in after.items() if s != 5} == \
            {s: p for s, p in before.items() if s != 5}


@case
def r_pre_5_only_its_own_are_reaped_and_at_once():
    other = ("static echo { listen = tcp:127.0.0.1:{p1}; workers = 2; "
             "restart_delay = 1h; restart_delay_max = 1h }\n"
             "dynamic Cat Program * /bin/cat "
             "{ listen = tcp:127.0.0.1:{p2} }\n")
    with prefork(hello(more=other)) as host, host.connect(2) as cat:
        cat.sendall(b"here\n")
        assert cat.recv(5) == b"here\n"
        theirs = fleet(host, "echo")
        for _ in range(3):
            before = fleet(host, "H")
            os.kill(before[0], signal.SIGKILL)
            wait_until(lambda: fleet(host, "H").get(0, before[0]) !=
                       before[0], what="replaced, at no tick of a minute")
        assert fleet(host, "echo") == theirs
        cat.sendall(b"still\n")
        assert cat.recv(6) == b"still\n"


@case
def r_pre_6_children_that_die_at_once_come_ever_later():
    with steered(worker("workers = 1; restart_delay = 150ms; "
                        "restart_delay_max = 1h")) as host:
        for least in 0.15, 0.3, 0.6:
            old = pid_of(host)
            began = time.monotonic()
            assert say(host, "abort") == b""
            assert pid_of(host) != old
            assert time.monotonic() - began >= least, least


@case
def r_pre_7_a_child_never_comes_back_into_the_host():
    settings = "host { pid_file = {dir}/pid }\n"
    with Steered(settings) as host:
        host.copy_plugins("worker")
        host.write_conf(settings + worker("workers = 2"))
        host.reload()
        assert say(host, "exit") == b""
        wait_until(lambda: len(fleet(host)) == 2, what="replaced")
        with open(host.path("pid"), encoding="ascii") as file:
            assert int(file.read()) == host.pid
        assert pid_of(host) != host.pid
        # Nobody has told the supervisor of an end.
        assert not [told for told in host.notifications
                    if "STOPPING" in told], host.notifications


@case
def r_pre_8_a_child_has_its_own_descriptors_and_signals():
    with prefork(hello("workers = 2", "static echo { listen = "
                       "tcp:127.0.0.1:{p1} }\n")) as host:
        mine = listening_inodes(host.port(0))
        others = listening_inodes(host.port(1), host.port(9))
        assert len(mine) == 1 and len(others) == 2
        for pid in fleet(host, "H").values():
            held = {re.sub(r"\D", "", link) for link in descriptors(pid)
                    if link.startswith("socket:")}
            assert mine <= held and not others & held, (held, others)
            with open("/proc/%d/status" % pid, encoding="ascii") as file:
                ignored = int(re.search(r"SigIgn:\s*(\w+)",
                                        file.read()).group(1), 16)
            assert ignored >> (signal.SIGINT - 1) & 1
        pids = fleet(host, "H")
        os.kill(pids[0], signal.SIGINT)
        os.kill(pids[1], signal.SIGTERM)
        wait_until(lambda: fleet(host, "H").get(1, pids[1]) != pids[1],
                   what="SIGTERM ends a child")
        assert fleet(host, "H")[0] == pids[0]


@case
def r_pre_9_at_the_end_all_are_told_waited_for_and_killed_at_the_deadline():
    conf = hello(more=worker(
        "workers = 2; drain = 100ms; stop_timeout = 100ms").replace(
            "{p0}", "{p1}"))
    with prefork(conf) as host, host.log_in() as manager:
        pids = list(fleet(host, "H").values()) + list(fleet(host).values())
        with host.connect(1) as client:
            client.sendall(b"hang\n")  # it will not listen
            manager.do("remove W")
            manager.do("remove H")
            wait_until(lambda: not children(host), what="no child, no zombie")
        assert not [pid for pid in pids if alive(pid)]
        for number in 0, 1:
            wait_until(lambda: refused(host, number), what="nobody listens")


@case
def r_pre_10_there_is_no_lock_file():
    with prefork() as host:
        assert greeted_by(host) in fleet(host, "H").values()
        for pid in fleet(host, "H").values():
            files = [link for link in descriptors(pid)
                     if link.startswith("/") and link != "/dev/null"
                     and not link.startswith("/memfd:")]
            assert not files, files


@case
def r_pre_11_a_failing_client_costs_one_child_at_most():
    with prefork() as host:
        pids = fleet(host, "H")
        with host.connect(0) as client:  # it resets
            client.sendall(b"half a li")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))
        with host.connect(0) as client:  # it ends early
            client.sendall(b"me\n")
        with host.connect(0) as client:  # its line is too long
            try:
                client.sendall(b"x" * 100000 + b"\n")
                while client.recv(1000):
                    pass
            except ConnectionError:
                pass
        for _ in range(2 * CHILDREN):
            assert greeted_by(host) in pids.values()
        assert fleet(host, "H") == pids


@case
def r_pre_12_suspended_clients_wait_and_the_children_stay():
    with prefork() as host, host.log_in() as manager:
        pids = fleet(host, "H")
        manager.do("suspend H")
        with host.connect(0) as client:
            client.sendall(b"me\nwords\n")
            assert state(host, "H") == "suspended"
            manager.do("resume H")
            assert client.recv(100).startswith(b"Hello me,")
        assert fleet(host, "H") == pids


@case
def r_pre_13_the_reply():
    with prefork() as host:
        for words in b"words", b"(delete-file \"x\")", b"$(exit 1)":
            with host.connect(0) as client:
                answer = greet(client, b"me", words)
            match = re.fullmatch(rb"Hello me, this is PID (\d+)\n(.*)",
                                 answer, re.S)
            assert match and match.group(2) == words, answer
            assert int(match.group(1)) in fleet(host, "H").values()


main()
