# SPDX-License-Identifier: BSD-2-Clause
"""`host { reactors = N }`: sessions of services that may are on several loops,
those of all others on the first; limits, reloads, swaps and ends are the same
as on one."""

import os
import re
import signal
import socket
import threading

from berth_e2e import Failure, case, main, receive, receive_all, wait_until
from steered import HELLO, SANITIZED, Load, Steered, in_threads

SESSIONS = 200 if SANITIZED else 1000
ROUNDS = 20 if SANITIZED else 100
LIVE = 100
BANNERS = {b"first banner\n", b"second banner\n"}
BANNER = b"first banner\n"
HOST = "host { log_level = warning; reactors = %d }\n"
LIVE_BANNER = ("dynamic Banner Service_Object * live:make_banner() "
               "{ listen = tcp:127.0.0.1:{p1}; drain = 0; linger = 100ms; "
               "%s }\n")
GENTLE = LIVE_BANNER.replace("drain = 0", "drain = 1m")
ECHO = "static echo { listen = tcp:127.0.0.1:{p2} }\n"
SHY = ("dynamic Shy Service_Object * good:make_good() "
       "{ listen = tcp:127.0.0.1:{p3} }\n")


def conf(count, attributes="", service=LIVE_BANNER):
    return HOST % count + service % attributes + ECHO + SHY


class Looped(Steered):
    def _start(self, *rest):
        self.copy_plugins("banner1", to="live")
        super()._start(*rest)

    def tasks(self):
        """Their names; one that has just ended may still be among them."""
        names = []
        for task in os.listdir("/proc/%d/task" % self.pid):
            try:
                with open("/proc/%d/task/%s/comm" % (self.pid, task),
                          encoding="ascii") as file:
                    names.append(file.read().strip())
            except OSError:
                pass
        return names

    def loops(self):
        """How many there are, the first included."""
        return 1 + sum(name.startswith("loop/") for name in self.tasks())

    def has_loops(self, count):
        wait_until(lambda: self.loops() == count, self.timeout,
                   "%d loops" % count)

    def shown(self, name):
        with self.manager(9) as manager:
            manager.send("json on")
            manager.line()
            return manager.json("show " + name)

    def on_loops(self, name):
        """Sessions on each, as far as the service can be there."""
        shown = self.shown(name)
        return [int(word) for word in
                shown.get("loops", str(shown["sessions"])).split()]

    def until_sessions(self, name, count):
        wait_until(lambda: self.shown(name)["sessions"] == count,
                   self.timeout, "%d sessions of %s" % (count, name))


def greeted(host):
    client = host.connect(1)
    banner = receive(client, 6)
    banner += receive(client, 7 if banner == b"first " else 8)
    assert banner in BANNERS, banner
    return client


def echoes(client, text):
    client.sendall(text)
    back = receive(client, len(text))
    assert back == text, back


def talk(host, number):
    """One session: text in pieces, then a half-close."""
    text = (b"%06d" % number) * 50
    with host.connect(1) as client:
        client.sendall(text[:100])
        client.sendall(text[100:])
        client.shutdown(socket.SHUT_WR)
        assert receive_all(client) == BANNER + text


def ended(client):
    try:
        while client.recv(4096):
            pass
    except ConnectionError:
        pass  # a reset is an end as well
    client.close()


# --- serving ------------------------------------------------------------------

@case
def sessions_are_on_all_loops():
    with Looped(conf(3)) as host:
        host.has_loops(3)
        clients = [greeted(host) for _ in range(12)]
        assert host.on_loops("Banner") == [4, 4, 4]
        for number, client in enumerate(clients):
            echoes(client, b"%d" % number * 1000)
        with host.log_in() as manager:
            def listed():
                return [line.rpartition("loop ")[2] if "loop " in line else "0"
                        for line in manager.do("sessions Banner")]
            wait_until(lambda: sorted(listed()) ==
                       ["0"] * 4 + ["1"] * 4 + ["2"] * 4, what="the list")
        for client in clients:
            client.close()
        host.until_sessions("Banner", 0)
        shown = host.shown("Banner")
        assert (shown["served"], shown["failed"]) == (12, 0), shown
        sent = sum(len(b"%d" % number) * 1000 for number in range(12))
        assert shown["bytes_in"] == sent, shown
        assert shown["bytes_out"] == sent + 12 * len(BANNER), shown


@case
def without_the_flag_all_are_on_the_first():
    with Looped(conf(3)) as host:
        clients = [host.connect(3) for _ in range(9)]
        for client in clients:
            echoes(client, b"shy")
        assert "loops" not in host.shown("Shy")
        with host.log_in() as manager:
            lines = manager.do("sessions Shy")
        assert len(lines) == 9 and "loop" not in "".join(lines), lines
        for client in clients:
            client.close()


@case
def the_same_bytes_for_many():
    with Looped(conf(3)) as host:
        with host.connect(2) as other:
            def talks(number):
                for step in range(SESSIONS // 10):
                    talk(host, number * 1000 + step)

            in_threads(10, talks)
            echoes(other, b"x")
        host.until_sessions("Banner", 0)
        shown = host.shown("Banner")
        assert shown["served"] == SESSIONS, shown
        assert shown["failed"] == 0, shown


@case
def a_client_that_reads_late_gets_all():
    text = os.urandom(1 << 16) * 16
    with Looped(conf(3)) as host:
        def write(client):
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)

        clients = [greeted(host) for _ in range(3)]
        writers = [threading.Thread(target=write, args=(client,))
                   for client in clients]
        for writer in writers:
            writer.start()
        writers[0].join(0.2)  # by now they have to wait for their readers
        for client in clients:
            assert receive(client, len(text)) == text
        for writer in writers:
            writer.join()
        for client in clients:
            assert receive_all(client) == b""
            client.close()


@case
def sequential_code_is_on_all_loops_too():
    text = HOST % 3 + ("dynamic Hello Service_Object * hello:make_hello() "
                       "{ listen = tcp:127.0.0.1:{p1} }\n")
    with Looped("") as host:
        host.copy_plugins("hello", source=HELLO)
        host.write_conf(text)
        host.reload()
        clients = [host.connect(1) for _ in range(9)]
        for number, client in enumerate(clients):
            client.sendall(b"me%d\n" % number)
        host.until_sessions("Hello", 9)
        assert host.on_loops("Hello") == [3, 3, 3]
        for number, client in enumerate(clients):
            client.sendall(b"words\n")
            assert receive_all(client) == (
                b"Hello me%d, this is PID %d\nwords" % (number, host.pid))
            client.close()


# --- limits and states --------------------------------------------------------

@case
def limits_are_exact_for_the_whole_service():
    with Looped(conf(3, "instances = 5")) as host:
        clients = [greeted(host) for _ in range(5)]
        waiting = [host.connect(1) for _ in range(4)]
        for client in waiting:
            client.sendall(b"waits")
        assert host.shown("Banner")["sessions"] == 5
        waiting[0].settimeout(0.3)
        try:
            raise Failure("served: %r" % waiting[0].recv(1))
        except socket.timeout:
            pass
        for client, next_one in zip(clients, waiting):
            client.close()
            next_one.settimeout(host.timeout)
            assert receive(next_one, len(BANNER) + 5) == BANNER + b"waits"
            assert host.shown("Banner")["sessions"] <= 5
        host.write_conf(conf(3, "per_source = 6; on_per_source = reset"))
        host.reload()
        for client in clients[4:] + waiting:
            client.close()
        host.until_sessions("Banner", 0)
        for _ in range(3):
            clients = [greeted(host) for _ in range(6)]
            try:  # perhaps before it knows that it is connected
                with host.connect(1) as client:
                    assert client.recv(1) == b""
            except ConnectionError:
                pass
            for client in clients:
                client.close()
            host.until_sessions("Banner", 0)


@case
def suspended_they_wait_and_lose_nobody():
    with Looped(conf(3)) as host, host.log_in() as manager:
        clients = [greeted(host) for _ in range(6)]
        manager.do("suspend Banner")
        waiting = [host.connect(1) for _ in range(6)]
        for number, client in enumerate(clients):
            echoes(client, b"%d" % number)
        waiting[0].settimeout(0.3)
        try:
            raise Failure("served: %r" % waiting[0].recv(1))
        except socket.timeout:
            pass
        manager.do("resume Banner")
        for client in waiting:
            client.settimeout(host.timeout)
            assert receive(client, len(BANNER)) == BANNER
        assert host.on_loops("Banner") == [4, 4, 4]
        for client in clients + waiting:
            client.close()


@case
def changed_attributes_reach_sessions_on_all_loops():
    with Looped(conf(3)) as host:
        clients = [greeted(host) for _ in range(6)]
        host.write_conf(conf(3, "idle_timeout = 100ms"))
        lines = "\n".join(host.reload())
        for client in clients:
            assert receive_all(client) == b"", lines
            client.close()
        assert host.shown("Banner")["served"] == 6


# --- reloads ------------------------------------------------------------------

@case
def the_number_changes_under_load():
    with Looped(conf(1, service=GENTLE)) as host:
        clients = [greeted(host) for _ in range(4)]
        assert host.loops() == 1
        with Load(host.port(1), BANNERS, clients=4) as load:
            for count in (3, 1, 2, 3, 1) * (1 if SANITIZED else 4):
                done = load.done
                host.write_conf(conf(count, service=GENTLE))
                log = "\n".join(host.reload())
                assert "nothing changed" not in log, log
                if count > 1:
                    host.has_loops(count)
                wait_until(lambda: load.done > done + 20,  # noqa: B023
                           what="clients that are served")
            done, failed, first = load.stop()
        assert failed == 0, (done, failed, first)
        host.has_loops(1)
        for client in clients:  # they have seen all of it
            echoes(client, b"still here")
            client.close()
        host.until_sessions("Banner", 0)
        assert host.shown("Banner")["generation"] == 1
        assert host.shown("Banner")["failed"] == 0


@case
def a_loop_stays_for_its_sessions():
    with Looped(conf(3)) as host:
        clients = [greeted(host) for _ in range(6)]
        host.write_conf(conf(1))
        host.reload()
        more = [greeted(host) for _ in range(3)]
        assert host.on_loops("Banner") == [5, 2, 2]
        assert host.loops() == 3
        for client in clients:
            echoes(client, b"still here")
            client.close()
        host.has_loops(1)
        for client in more:
            echoes(client, b"here")
            client.close()


@case
def a_refused_reload_changes_no_loop():
    with Looped(conf(2)) as host:
        host.has_loops(2)
        before = host.state()
        for number, said in (("0", "1"), ("65", "64"), ("many", "number")):
            host.write_conf((conf(2)).replace(
                "reactors = 2", "reactors = " + number))
            lines = "\n".join(host.reload())
            assert "nothing changed" in lines and said in lines, lines
        host.write_conf(conf(5) + "dynamic No Service_Object * no:make_no()\n")
        lines = "\n".join(host.reload())
        assert "nothing changed" in lines, lines
        host.has_loops(2)
        assert host.state() == before


@case
def swaps_under_load_lose_no_connection():
    with Looped(conf(3, service=GENTLE)) as host:
        with Load(host.port(1), BANNERS, clients=4) as load:
            for number in range(6 if SANITIZED else 30):
                done = load.done
                host.copy_plugins("banner%d" % (2 - number % 2), to="live")
                log = "\n".join(host.reload())
                assert "nothing changed" not in log, log
                wait_until(lambda: load.done > done + 10,  # noqa: B023
                           what="clients that are served")
            done, failed, first = load.stop()
        assert failed == 0, (done, failed, first)
        wait_until(lambda: len(host.images()) <= 2, what="two images")
        host.has_loops(3)


@case
def removed_with_live_sessions_is_gone():
    with Looped(conf(3)) as host, host.log_in() as manager:
        add = host.fill(LIVE_BANNER % "").strip()

        def rest():
            return len(host.fds()), len(host.tasks())

        def round_of_it():
            clients = [host.connect(1) for _ in range(LIVE)]
            host.until_sessions("Banner", LIVE)
            on_loops = host.on_loops("Banner")
            assert max(on_loops) - min(on_loops) <= 1, on_loops
            manager.do("remove Banner")
            for client in clients:
                ended(client)
            wait_until(lambda: not any("live" in line or "banner" in line
                                       for line in manager.do("list")))

        images = len(host.images()) - 1
        base = early = None
        for number in range(ROUNDS):
            round_of_it()
            wait_until(lambda: len(host.images()) == images,
                       what="its image to go")
            if number == ROUNDS // 3:
                base, early = rest(), host.rss_kb()
            elif number > ROUNDS // 3:
                wait_until(lambda: rest() == base,  # noqa: B023
                           what="%r again, not %r" % (base, rest()))
            manager.do(add)
        late = host.rss_kb()
        print("       descriptors, threads %r, KiB %d -> %d" % (
            base, early, late))
        if not SANITIZED:
            assert late <= early + 2048, (early, late)


# --- sins ---------------------------------------------------------------------

def sinner(plugin, host_words=""):
    """A host with two loops, and a client on each of them."""
    host = Steered("")
    host.copy_plugins(plugin)
    host.write_conf("host { reactors = 2; %s }\n" % host_words + ECHO + (
        "dynamic Sinner Service_Object * %s:make_sin() "
        "{ listen = tcp:127.0.0.1:{p1}; drain = 0; linger = 100ms }\n"
        % plugin))
    host.reload()
    clients = [host.connect(1) for _ in range(2)]

    def away():
        """The one that is not on the first."""
        with host.log_in() as manager:
            lines = [line for line in manager.do("sessions Sinner")
                     if line.endswith("loop 1")]
        for client in clients:
            name = "127.0.0.1:%d " % client.getsockname()[1]
            if len(lines) == 1 and name in lines[0]:
                return client
        return None

    client = wait_until(away, what="one on each")
    return host, client


@case
def a_callback_that_overruns_on_another_loop_is_named():
    host, client = sinner("blocks", "watchdog = 100ms")
    with host:
        client.sendall(b"600")
        with host.connect(2) as other:
            echoes(other, b"x")
        assert receive(client, 6) == b"slept\n"
        match = host.wait_log(r"Sinner: .*in one callback for (\d+) ms")
        assert int(match.group(1)) >= 100
        host.wait_log(r"it is here")


@case
def a_crash_on_another_loop_says_whose_it_was():
    host, client = sinner("crashes")
    try:
        client.sendall(b"abort")
        assert client.recv(1) == b""
        host.stop(expected=-signal.SIGABRT)
        assert re.search(r"crash: signal 6 while 'Sinner' was running",
                         host.log_text()), host.log_text()
    finally:
        host.close()


@case
def a_callback_that_never_returns_keeps_nobody():
    host, client = sinner("blocks", "watchdog = 100ms; shutdown = 0")
    with host:
        client.sendall(b"2000000000")
        host.wait_log(r"Sinner: .*in one callback")
        with host.connect(2) as other:
            echoes(other, b"x")
        with host.log_in() as manager:
            listed = "\n".join(manager.do("sessions Sinner"))
            assert "busy" in listed, listed
            manager.do("remove Sinner")
        host.wait_log(r"Sinner: does not end")
        host.signal(signal.SIGTERM)
        host.wait_log(r"SIGTERM: stop")
        host.stop()  # a second one does not wait for it


@case
def the_host_ends_with_sessions_on_all_loops():
    with Looped(conf(3).replace("log_level", "shutdown = 0; log_level")) \
            as host:
        clients = [greeted(host) for _ in range(9)]
        host.stop()
        for client in clients:
            ended(client)


main()
