# SPDX-License-Identifier: BSD-2-Clause
"""The same plugin under each word of `concurrency`: the same bytes for many
sessions, and nothing is left behind by those that are swapped or removed."""

import os
import socket
import threading

from berth_e2e import Failure, case, main, receive, receive_all, wait_until
from steered import SANITIZED, Steered, in_threads

SESSIONS = 200 if SANITIZED else 1000
ROUNDS = 20 if SANITIZED else 100
LIVE = 100
BANNER = b"first banner\n"
WORDS = ("reactive", "iterative", "thread", "thread 4", "pool 4",
         "pool 2 queue 8")
MANY = ("reactive", "thread 120", "pool 110", "pool 4 queue 120")
CONF = """host { log_level = warning }
dynamic Banner Service_Object * live:make_banner()
    { listen = tcp:127.0.0.1:{p1}; concurrency = %s; drain = 0; linger = 100ms }
static echo { listen = tcp:127.0.0.1:{p2} }
"""


class Driven(Steered):
    def _start(self, *rest):
        self.copy_plugins("banner1", to="live")
        super()._start(*rest)

    def threads(self):
        return len(os.listdir("/proc/%d/task" % self.pid))

    def session_threads(self):
        count = 0
        for task in os.listdir("/proc/%d/task" % self.pid):
            try:
                with open("/proc/%d/task/%s/comm" % (self.pid, task),
                          encoding="ascii") as file:
                    count += file.read().startswith("Banner/")
            except OSError:
                pass  # it has ended meanwhile
        return count


def talk(host, number):
    """One session: text in pieces, then a half-close."""
    text = (b"%06d" % number) * 50
    with host.connect(1) as client:
        client.sendall(text[:100])
        client.sendall(text[100:])
        client.shutdown(socket.SHUT_WR)
        assert receive_all(client) == BANNER + text


def talk_slowly(host):
    """Much for a client that reads late, byte for byte."""
    text = os.urandom(1 << 16) * 16
    got = []

    with host.connect(1) as client:
        def read():
            got.append(receive(client, len(BANNER) + len(text)))

        def write():
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)

        writer = threading.Thread(target=write)
        writer.start()
        writer.join(0.2)  # by now it has to wait for its reader
        read()
        writer.join()
        assert receive_all(client) == b""
    assert got[0] == BANNER + text


@case
def the_same_bytes_under_each_word():
    for word in WORDS:
        with Driven(CONF % word) as host:
            with host.connect(2) as other:
                def talks(number, host=host):
                    for step in range(SESSIONS // 10):
                        talk(host, number * 1000 + step)

                in_threads(10, talks)
                talk_slowly(host)
                other.sendall(b"x")
                assert receive(other, 1) == b"x"
            with host.log_in() as manager:
                manager.send("json on")
                manager.line()
                wait_until(lambda m=manager:
                           m.json("show Banner")["sessions"] == 0)
                shown = manager.json("show Banner")
            assert shown["served"] == SESSIONS + 1, shown
            assert shown["failed"] == 0, shown


@case
def a_slow_client_holds_up_iterative_only():
    for word, waits in (("iterative", True), ("thread 4", False),
                        ("pool 4", False), ("reactive", False)):
        with Driven(CONF % word) as host:
            with host.connect(1) as slow, host.connect(1) as quick:
                assert receive(slow, len(BANNER)) == BANNER
                quick.settimeout(0.3 if waits else host.timeout)
                try:
                    assert receive(quick, len(BANNER)) == BANNER
                    served = True
                except (socket.timeout, Failure):
                    served = False
                assert served != waits, word
                quick.settimeout(host.timeout)
                slow.close()
                if waits:
                    assert receive(quick, len(BANNER)) == BANNER


def live_clients(host):
    """All of them accepted: nobody is left for the next instance."""
    clients = [host.connect(1) for _ in range(LIVE)]
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        wait_until(lambda: manager.json("show Banner")["sessions"] == LIVE)
    return clients


def all_ended(clients):
    for client in clients:
        try:
            receive_all(client)
        except OSError:
            pass  # a reset is an end as well
        client.close()


def at_rest(host):
    wait_until(lambda: len(host.images()) <= 1, what="one image")
    return len(host.fds())


@case
def swaps_with_live_sessions_leave_nothing():
    for word in MANY:
        with Driven(CONF % word) as host:
            base = early = None
            for number in range(ROUNDS):
                clients = live_clients(host)
                assert receive(clients[0], 6) in (b"first ", b"second")
                host.copy_plugins("banner%d" % (2 - number % 2), to="live")
                lines = "\n".join(host.reload())
                assert "> Banner" in lines or lines == "", lines
                all_ended(clients)
                if number == ROUNDS // 3:
                    base, early = at_rest(host), host.rss_kb()
            late = host.rss_kb()
            wait_until(lambda: at_rest(host) <= base,  # noqa: B023
                       what="descriptors of %s: %d, then %d" % (
                           word, base, len(host.fds())))
            print("       %-18s descriptors %d -> %d, KiB %d -> %d" % (
                word, base, len(host.fds()), early, late))
            # Each thread brings the allocator to another arena; with that
            # many the arenas fill up slowly, and then no more.
            if not SANITIZED:
                assert late <= early + 6144, (word, early, late)


@case
def removed_with_live_sessions_is_gone():
    for word in MANY:
        with Driven(CONF % word) as host:
            with host.log_in() as manager:
                manager.do("remove Banner")
                wait_until(lambda: not host.images())  # noqa: B023
                # One that was joined may be listed for a moment.
                wait_until(lambda: not host.session_threads())  # noqa: B023
                base = len(host.fds()), host.threads()
                add = host.fill(
                    "dynamic Banner Service_Object * live:make_banner() { "
                    "listen = tcp:127.0.0.1:{p1}; concurrency = %s; "
                    "drain = 0; linger = 100ms }" % word)
                for _ in range(max(3, ROUNDS // 10)):
                    manager.do(add)
                    clients = live_clients(host)
                    assert receive(clients[0], 13) == BANNER
                    manager.do("remove Banner")
                    all_ended(clients)
                    wait_until(lambda: not host.images())  # noqa: B023
                    wait_until(lambda: (
                        len(host.fds()), host.threads()) == base,  # noqa: B023
                        what="%s: %r, then %r" % (
                            word, base, (len(host.fds()), host.threads())))


@case
def what_cannot_be_is_refused_with_the_reason():
    with Driven(CONF % "reactive") as host:
        before = host.state()
        host.copy_plugins("good", to="shy")
        for word in ("thread", "pool 4"):
            host.write_conf(CONF % "pool 2" + (
                "dynamic Shy Service_Object * shy:make_good()"
                " { concurrency = %s }\n" % word))
            lines = "\n".join(host.reload())
            assert "'Shy' can't run in several threads" in lines, lines
            assert "BERTH_CONCURRENT" in lines, lines
            assert host.state() == before
        host.write_conf("""static echo { listen = tcp:127.0.0.1:{p2} }
dynamic Cat Program * /bin/cat { concurrency = pool 2 }
""")
        lines = "\n".join(host.reload())
        assert "'Cat' is a program" in lines, lines
        assert host.state() == before


@case
def idle_threads_cost_no_time():
    with Driven(CONF % "pool 16") as host:
        talk(host, 1)
        wait_until(lambda: host.session_threads() == 16)

        def switches():
            """Of the threads of sessions: the host has a watchdog."""
            total = 0
            for task in os.listdir("/proc/%d/task" % host.pid):
                with open("/proc/%d/task/%s/status" % (host.pid, task),
                          encoding="ascii") as file:
                    text = file.read()
                if "Banner/" in text:
                    total += int(text.split(
                        "voluntary_ctxt_switches:")[1].split()[0])
            return total

        def nothing_happens():
            before = switches()
            threading.Event().wait(1.5)
            return switches() == before

        # Threads may still be on their way to rest; then they stay there.
        wait_until(nothing_happens, what="threads that rest")


@case
def listed_and_suspended():
    with Driven(CONF % "pool 1 queue 4") as host:
        with host.log_in() as manager, host.connect(1) as first, \
                host.connect(1) as second:
            assert receive(first, 13) == BANNER

            def listed():
                return [line.split()[1:3]
                        for line in manager.do("sessions Banner")]
            # A thread that is not on time to be looked at is called busy.
            wait_until(lambda: [line[1] for line in listed()] ==
                       ["open", "waiting"], what="one open, one that waits")
            assert all(line[0].startswith("127.0.0.1:") for line in listed())
            manager.do("suspend Banner")
            first.close()
            second.settimeout(0.3)
            try:
                raise Failure("served: %r" % second.recv(1))
            except socket.timeout:
                pass
            manager.do("resume Banner")
            second.settimeout(host.timeout)
            assert receive(second, 13) == BANNER


main()
