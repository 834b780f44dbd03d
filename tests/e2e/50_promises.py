# SPDX-License-Identifier: BSD-2-Clause
"""What the host promises to administrators, with real files and clients."""

import os
import re
import signal
import socket
import threading
import time

from berth_e2e import (
    Failure, Host, case, main, receive, receive_all, run_berthd, wait_until)
from steered import SANITIZED, Steered

def banner_of(host, number):
    with host.connect(number) as client:
        return receive_all(client).decode()


@case
def a_plugin_comes_and_goes():
    with Steered("") as host, host.log_in() as manager:
        path = host.compile_plugin("hello")
        manager.do(host.fill("dynamic Greeter Service_Object * %s:"
                             "make_greeter() { listen = tcp:127.0.0.1:{p1} }"
                             % path))
        assert banner_of(host, 1) == "hello\n"
        assert "greeter" in host.maps()
        assert "greeter" in " ".join(manager.do("show Greeter"))
        manager.do("remove Greeter")
        wait_until(lambda: "greeter" not in host.maps(), what="unmapped")
        try:
            host.connect(1)
            raise Failure("still listening")
        except ConnectionRefusedError:
            pass


@case
def a_changed_plugin_file_is_swapped_by_a_reload():
    conf = ("dynamic Banner Service_Object * banner1:make_banner()"
            " { listen = tcp:127.0.0.1:{p1} }\n")

    def banner(host):
        with host.connect(1) as client:
            return client.makefile("rb").readline()

    with Steered(conf) as host:
        path = os.path.join(host.plugins, "banner1.so")
        before = host.listening()
        assert banner(host) == b"first banner\n"
        # Overwritten in place and cut off: nothing happens yet.
        host.copy_plugins("banner2")
        with open(os.path.join(host.plugins, "banner2.so"), "rb") as file:
            content = file.read()
        with open(path, "r+b") as live:
            live.write(content)
            live.truncate()
        assert banner(host) == b"first banner\n"
        with open(path, "r+b") as live:
            live.truncate(100)
            assert banner(host) == b"first banner\n"
            refused = "\n".join(host.reload())
            assert "! nothing changed" in refused, refused
            assert banner(host) == b"first banner\n"
            live.write(content)
        lines = "\n".join(host.reload())
        assert "> Banner (plugin file changed" in lines, lines
        assert banner(host) == b"second banner\n"
        assert host.listening() == before
        wait_until(lambda: len(host.images()) == 1, what="old code is gone")


EIGHT = """static echo { listen = tcp:127.0.0.1:{p0} }
dynamik A Service_Object * x:make_x()
dynamic B Service_Objekt * x:make_x()
dynamic C Service_Object * nowhere_to_be_found:make_x()
static ekho
remove Nobody
static discard { listen = tcp:127.0.0.1:notaport }
static daytime { idle_timeot = 5 }
static time "unbalanced 'words"
"""
PLACES = ["2:1", "3:11", "4:28", "5:8", "6:8", "7:27", "8:18", "9:25"]


@case
def eight_mistakes_eight_messages():
    good = "static echo { listen = tcp:127.0.0.1:{p0} }\n"
    with Host(good) as host:
        bad = host.fill(EIGHT)
        done = run_berthd("-t", "-f", "{conf}", conf=bad)
        assert done.returncode == 1, done
        places = re.findall(r"svc\.conf:(\d+:\d+): error: ", done.stderr)
        assert places == PLACES, (places, done.stderr)
        done = run_berthd("-f", "{conf}", conf=bad)
        assert done.returncode == 1, done
        # The same file for a running host: all goes on as it was.
        before = host.listening()
        with host.connect(0) as client:
            client.sendall(b"one")
            assert receive(client, 3) == b"one"
            host.write_conf(bad)
            lines = "\n".join(host.reload())
            assert re.findall(r"svc\.conf:(\d+:\d+): error: ",
                              lines) == PLACES, lines
            assert "! nothing changed: 8 errors" in lines, lines
            client.sendall(b"two")
            assert receive(client, 3) == b"two"
        assert host.listening() == before


@case
def ten_thousand_services():
    count = 2000 if SANITIZED else 10000
    conf = "".join("dynamic S%d Service_Object * :echo()\n" % n
                   for n in range(count))
    with Steered(conf, timeout=120) as host, host.log_in() as manager:
        assert len(manager.do("list")) == count + 1
        assert "= %d unchanged" % (count + 1) in "\n".join(host.reload())


@case
def a_thousand_times_added_and_removed():
    with Steered("") as host, host.log_in() as manager:
        path = host.compile_plugin("churn")
        line = host.fill("dynamic Greeter Service_Object * %s:make_greeter()"
                         " { listen = tcp:127.0.0.1:{p1} }" % path)
        sizes = {}
        for number in range(1000):
            manager.do(line)
            if number % 100 == 0:
                assert banner_of(host, 1) == "churn\n"
            manager.do("remove Greeter")
            if number in (199, 999):
                wait_until(lambda: len(manager.do("list")) == 1)
                sizes[number] = (host.rss_kb(), len(host.fds()))
        if not SANITIZED:  # whose allocator keeps what was freed
            assert sizes[999][0] <= sizes[199][0] + 256, sizes
        assert sizes[999][1] == sizes[199][1], sizes
        assert "greeter" not in host.maps()


@case
def a_client_that_never_reads_costs_bounded_memory():
    with Host("static echo { listen = tcp:127.0.0.1:{p0} }\n") as host:
        with host.connect(0) as greedy:
            before = host.rss_kb()
            greedy.setblocking(False)
            sent, stalled = 0, 0
            chunk = b"x" * 65536
            while sent < 100_000_000 and stalled < 200:
                try:
                    sent += greedy.send(chunk)
                    stalled = 0
                except BlockingIOError:
                    stalled += 1
                    time.sleep(0.001)
            clients = [host.connect(0) for _ in range(50)]
            for number, client in enumerate(clients):
                client.sendall(b"%04d" % number * 256)
            for number, client in enumerate(clients):
                assert receive(client, 1024) == b"%04d" % number * 256
                client.close()
            bound = 16384 if SANITIZED else 2048  # kB; shadows count too
            assert host.rss_kb() < before + bound, (before, host.rss_kb())


@case
def ten_megabytes_through_a_half_close():
    data = os.urandom(10_000_000)
    with Host("static echo { listen = tcp:127.0.0.1:{p0} }\n") as host:
        with host.connect(0) as client:
            def send():
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
            thread = threading.Thread(target=send)
            thread.start()
            back = receive_all(client)
            thread.join()
            assert back == data


# The session of C++NPv2 5.4 with our equivalents: a reporter and a first
# service, then an extended one in its place and a service that shuts down.
FIRST = """
static Service_Reporter "-p {p3}"
dynamic Logging Service_Object * :echo() { listen = tcp:127.0.0.1:{p1} }
"""
SECOND = """
remove Logging
dynamic Logging Service_Object * greeter:make_greeter()
    { listen = tcp:127.0.0.1:{p1} }
"""


@case
def the_session_of_the_book():
    with Steered(FIRST) as host:
        assert "Logging (active)" in banner_of(host, 3)
        with host.connect(1) as old:
            old.sendall(b"record")
            assert receive(old, 6) == b"record"
            host.compile_plugin("extended")
            host.write_conf(SECOND)
            lines = "\n".join(host.reload())
            assert "> Logging (location changed" in lines, lines
            assert banner_of(host, 1) == "extended\n"
            old.sendall(b"goes on")  # on the old code, which drains
            assert receive(old, 7) == b"goes on"
        assert "Service_Reporter (active)" in banner_of(host, 3)
        with host.log_in() as manager:
            manager.do("shutdown")
        assert host.wait_exit() == 0


@case
def suspended_clients_wait():
    conf = "static echo { listen = tcp:127.0.0.1:{p0} }\n"
    with Steered(conf) as host, host.log_in() as manager:
        manager.do("suspend echo")
        clients = [host.connect(0) for _ in range(100)]
        for client in clients:
            client.sendall(b"waiting")
        assert " 0 " in manager.do("list")[0], manager.do("list")
        manager.do("resume echo")
        for client in clients:
            assert receive(client, 7) == b"waiting"
            client.close()


@case
def a_storm_of_signals_is_a_few_reloads():
    conf = "static echo { listen = tcp:127.0.0.1:{p0} }\n"
    with Steered(conf) as host:
        for _ in range(1000):
            host.signal(signal.SIGHUP)
        host.write_conf(conf + "static discard\n")
        host.reload()
        with host.log_in() as manager:
            names = [line.split()[0] for line in manager.do("list")]
            assert sorted(names) == ["Service_Manager", "discard", "echo"]
            stats = dict(line.split() for line in manager.do("stats"))
            assert int(stats["reloads"]) <= 1001


@case
def a_port_moves_between_services():
    one = "static echo { listen = tcp:127.0.0.1:{p0} }\nstatic discard\n"
    two = "static echo\nstatic discard { listen = tcp:127.0.0.1:{p0} }\n"
    with Host(one) as host:
        before = host.listening()
        host.write_conf(two)
        lines = "\n".join(host.reload())
        assert "nothing changed" not in lines, lines
        assert host.listening() == before
        with host.connect(0) as client:
            client.sendall(b"gone")
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""


@case
def one_port_for_two_services_is_refused():
    good = "static echo { listen = tcp:127.0.0.1:{p0} }\n"
    with Host(good) as host:
        host.write_conf(good + "static discard "
                        "{ listen = tcp:127.0.0.1:{p0} }\n")
        lines = "\n".join(host.reload())
        assert "! nothing changed: 1 error" in lines, lines
        assert "'echo'" in lines, lines
        with host.connect(0) as client:
            client.sendall(b"still")
            assert receive(client, 5) == b"still"


main()
