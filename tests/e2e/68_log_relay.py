# SPDX-License-Identifier: BSD-2-Clause
"""The plugin logging_client: no record is lost, whatever the server does."""

import os
import signal
import socket
import struct
import threading

from berth_e2e import TIMEOUT, case, free_port, main, receive_all, wait_until
from log_records import entries, record, text_of
from shipped import Server, Shipped

SERVER = 'host { shutdown = 1s }\n' \
         'dynamic Logs Service_Object * logging_server:make_logging_server() ' \
         '"%s -d {dir}" { listen = tcp:127.0.0.1:%d }\n'
RELAY = 'host { shutdown = 1s }\n' \
        'dynamic Relay Service_Object * logging_client:make_logging_client() ' \
        '"-r %d -b 10ms -B 50ms %s" ' \
        '{ listen = tcp:127.0.0.1:{p0} unix:{dir}/socket }\n'

# What a file that ends within an entry makes of entries().
PARTIAL = (AssertionError, ValueError, IndexError, struct.error)


def start_server(port, words=""):
    return Shipped(SERVER % (words, port), "logging_server")


def start_relay(port, words=""):
    return Shipped(RELAY % (port, words), "logging_client")


def kept(server):
    """The texts that a server has; it may be at writing."""
    try:
        with open(server.path("127.0.0.1.log"), "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return []
    try:
        return [text_of(r) for _, r in entries(data)]
    except PARTIAL:
        return []


def send(relay, texts):
    """Until the relay has taken all."""
    with relay.connect(0) as client:
        client.sendall(b"".join(record(t) for t in texts))
        client.shutdown(socket.SHUT_WR)
        assert receive_all(client) == b""


def numbers(first, last, size=0):
    return [b"%d" % n + b"." * size for n in range(first, last)]


def first_seen(texts):
    """Each once, in the order in which it came first."""
    return list(dict.fromkeys(texts))


@case
def records_arrive():
    port = free_port()
    with start_server(port) as server, start_relay(port) as relay:
        send(relay, numbers(0, 1000))
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(TIMEOUT)
            client.connect(relay.path("socket"))
            client.sendall(record(b"local", ">", secs=7))
            wait_until(lambda: len(kept(server)) == 1001, what="all records")
        assert kept(server) == numbers(0, 1000) + [b"local"]


@case
def the_server_comes_later():
    port = free_port()
    with start_relay(port, "-q 256K -S {dir}/spool -a") as relay:
        send(relay, numbers(0, 20000, 80))  # more than the queue holds
        assert os.path.getsize(relay.path("spool")) > 1000000
        with start_server(port, "-a") as server:
            wait_until(lambda: len(kept(server)) >= 20000, what="all records")
            assert kept(server) == numbers(0, 20000, 80)
            wait_until(lambda: os.path.getsize(relay.path("spool")) == 0,
                       what="an empty spool")


@case
def killed_under_load():
    """20 times, with 10,000 records a second and a small queue."""
    port, count, stop = free_port(), 60000, threading.Event()
    server = start_server(port, "-a")
    with start_relay(port, "-a -q 256K -S {dir}/spool") as relay:
        before = relay.rss_kb()
        sent = []

        def load():
            with relay.connect(0) as client:
                for n in range(0, count, 100):
                    client.sendall(b"".join(
                        record(t) for t in numbers(n, n + 100, 50)))
                    sent.append(n)
                    stop.wait(0.005)
                client.shutdown(socket.SHUT_WR)
                receive_all(client)

        thread = threading.Thread(target=load)
        thread.start()
        all_kept = []
        for turn in range(20):
            wait_until(lambda: len(sent) >= min(turn * 25 + 5, count // 100)
                       and os.path.exists(server.path("127.0.0.1.log")),
                       what="records in the server")
            server.signal(signal.SIGKILL)
            server.process.wait()
            with open(server.path("127.0.0.1.log"), "rb") as file:
                all_kept.append(file.read())
            server.close()
            server = start_server(port, "-a")
        thread.join(TIMEOUT)
        assert not thread.is_alive()
        wanted = set(numbers(0, count, 50))

        def everything():
            found = []
            for data in all_kept:
                found += [text_of(r) for _, r in whole(data)]
            return found + kept(server)
        wait_until(lambda: wanted <= set(everything()), what="every record")
        found = everything()
        assert set(found) == wanted
        assert first_seen(found) == numbers(0, count, 50)
        print("       %d duplicates" % (len(found) - len(wanted)))
        assert relay.rss_kb() - before < 4096
        server.stop()
        server.close()


def whole(data):
    """The entries, without one that the kill has cut short."""
    for cut in range(0, 300):
        try:
            return entries(data[:len(data) - cut])
        except PARTIAL:
            pass
    raise AssertionError("a file of no entries")


@case
def a_connection_that_breaks_without_acknowledgements():
    """What a server took and did not keep comes again."""
    port = free_port()
    heard = []
    first = threading.Event()

    def deaf(connection):
        heard.append(connection.recv(1000))
        first.set()

    fake = Server(deaf, ("127.0.0.1", port))
    with start_relay(port) as relay:
        send(relay, numbers(0, 1000))
        assert first.wait(TIMEOUT) and heard[0]
        fake.close()
        with start_server(port) as server:
            wait_until(lambda: len(kept(server)) >= 1000, what="all again")
            assert first_seen(kept(server)) == numbers(0, 1000)


@case
def a_full_relay_makes_its_clients_wait():
    port = free_port()
    with start_relay(port, "-q 256K -w 64K") as relay:
        with relay.connect(0) as client:
            client.settimeout(0.3)
            data, at = b"".join(
                record(t) for t in numbers(0, 100000, 100)), 0
            try:
                while at < len(data):
                    at += client.send(data[at:at + 65536])
            except TimeoutError:
                pass
            assert at < len(data)
            with start_server(port) as server:
                client.settimeout(TIMEOUT)
                client.sendall(data[at:])
                client.shutdown(socket.SHUT_WR)
                assert receive_all(client) == b""
                wait_until(lambda: len(kept(server)) >= 100000,
                           what="all records")
                assert first_seen(kept(server)) == numbers(0, 100000, 100)


@case
def the_spool_outlives_the_relay():
    port = free_port()
    with start_relay(port, "-S {dir}/spool") as relay:
        send(relay, numbers(0, 100))
        relay.stop()
        with open(relay.path("spool"), "ab") as file:
            file.write(record(b"cut short")[:20])
        with open(relay.path("spool"), "rb") as file:
            assert file.read().count(b"\1\0\0\0") >= 100
        with start_server(port) as server:
            conf = RELAY % (port, "-S %s" % relay.path("spool"))
            with Shipped(conf, "logging_client") as again:
                send(again, [b"new"])
                wait_until(lambda: len(kept(server)) >= 101, what="all")
                assert kept(server) == numbers(0, 100) + [b"new"]


@case
def a_reload_keeps_what_waits():
    port = free_port()
    with start_relay(port, "-S {dir}/spool") as relay:
        send(relay, numbers(0, 50))
        relay.write_conf(RELAY % (port, "-S {dir}/spool -f 10ms"))
        relay.reload()
        send(relay, numbers(50, 100))
        with start_server(port) as server:
            wait_until(lambda: len(kept(server)) >= 100, what="all records")
            assert kept(server) == numbers(0, 100)


@case
def a_file_that_ends_within_an_entry():
    port = free_port()
    with start_server(port) as server:
        path = server.path("127.0.0.1.log")
        with open(path, "wb") as file:
            file.write(b"127.0.0.1\0" + record(b"old") +
                       b"127.0.0.1\0" + record(b"half")[:15])
        os.utime(path, (1, 1))
        with start_relay(port) as relay:
            send(relay, [b"new"])
            wait_until(lambda: len(kept(server)) == 2, what="the new one")
        assert kept(server) == [b"old", b"new"]
        assert "cut off 25 bytes" in server.log_text()


@case
def clients_that_send_something_else():
    with start_relay(free_port()) as relay:
        with relay.connect(0) as client:
            client.sendall(record(b"x") + b"GET / HTTP/1.0\r\n\r\n")
            try:
                client.sendall(b"more")
                assert client.recv(1) == b""
            except ConnectionError:  # it may be closed already
                pass
        relay.wait_log("no log record")


@case
def mistakes():
    for words, said in (("-z 1", "'-z' is no option"), ("-s", "needs a value"),
                        ("-q 1K", "-q: '1K' is no size"),
                        ("-b never", "-b: 'never' is no time"),
                        ("-w 3M", "half of the queue"),
                        ("-S /nonexistent/spool", "/nonexistent/spool")):
        host = Shipped(RELAY % (9, words), "logging_client", ready=False)
        assert host.wait_exit() == 1 and said in host.log_text(), (
            words, host.log_text())
        host.close()


main()
