# SPDX-License-Identifier: BSD-2-Clause
"""The plugins time_server and time_clerk: offsets, servers that lie, go and
come back, and what other processes read."""

import os
import re
import socket
import struct
import time

from berth_e2e import (
    TIMEOUT, Manager, case, free_port, main, receive, wait_until)
from shipped import Server, Shipped

SERVER = 'dynamic Time Service_Object * time_server:make_time_server() "" ' \
         '{ listen = tcp:127.0.0.1:{p0} udp:127.0.0.1:{p0} }\n'
CLERK = 'host { control = {dir}/ctl }\n' \
        'dynamic Clerk Service_Object * time_clerk:make_time_clerk() "%s"\n'


def question(number=1, token=2):
    return struct.pack("!4sIQQ", b"BTSQ", number, token, 0)


def off_by(seconds):
    """serve() of a server whose clock is off by so much."""
    def serve(connection):
        while True:
            data = receive(connection, 24)
            if len(data) < 24:
                return
            name, number, token, zero = struct.unpack("!4sIQQ", data)
            assert name == b"BTSQ" and zero == 0
            connection.sendall(struct.pack(
                "!4sIQQ", b"BTSA", number, token,
                time.time_ns() + int(seconds * 1e9)))
    return serve


def clerk(words, *servers, **rest):
    words += "".join(" -h 127.0.0.1:%d" % port for port in servers)
    return Shipped(CLERK % words, "time_clerk", **rest)


def info(host):
    with Manager(host.path("ctl")) as manager:
        return "\n".join(manager.do("show Clerk"))


def offset(host):
    """(seconds, how many servers know it), or None."""
    found = re.search(r"offset ([+-][\d.]+) s by (\d+) of", info(host))
    return found and (float(found[1]), int(found[2]))


def known(host, count):
    """The offset, once it is by so many servers."""
    def by_so_many():
        found = offset(host)
        return found and found[1] == count and found
    return wait_until(by_so_many, what="%d servers" % count)[0]


def page(path):
    while True:
        with open(path, "rb") as file:
            magic, version, before, servers, off, trip, when = \
                struct.unpack("=4sIIIqqq", file.read())
        with open(path, "rb") as file:
            after = struct.unpack("=4sIIIqqq", file.read())[2]
        if before == after and before % 2 == 0:
            assert magic == b"BTSP" and version == 1
            return servers, off / 1e9, trip / 1e9, when / 1e9


@case
def the_server_answers_what_is_a_question():
    with Shipped(SERVER, "time_server") as host:
        before = time.time_ns()
        with host.connect(0) as client:
            # By bytes, then several at once.
            for byte in question(7, 99):
                client.sendall(bytes([byte]))
            client.sendall(question(8) + question(9))
            for number, token in ((7, 99), (8, 2), (9, 2)):
                name, n, t, told = struct.unpack(
                    "!4sIQQ", receive(client, 24))
                assert (name, n, t) == (b"BTSA", number, token)
                assert before <= told <= time.time_ns()
        with host.connect(0) as client:
            client.sendall(b"x" * 24)
            try:
                assert client.recv(1) == b""
            except ConnectionResetError:
                pass
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(TIMEOUT)
            client.connect(("127.0.0.1", host.port(0)))
            # An answer is none, or two servers could be made to talk.
            client.send(b"BTSA" + question()[4:])
            client.send(question() + b"x")
            client.send(question(3))
            assert struct.unpack("!4sI", client.recv(100)[:8]) == (b"BTSA", 3)


@case
def a_real_server_is_right():
    port = free_port()
    with Shipped('dynamic Time Service_Object * '
                 'time_server:make_time_server() "-p %d"\n' % port,
                 "time_server"):
        with clerk("-t 1 -b", port) as host:
            # -b: it is known as soon as the service is.
            assert abs(known(host, 1)) < 60


@case
def the_median_is_not_moved_by_one_that_lies():
    with Server(off_by(5)) as a, Server(off_by(7)) as b, \
            Server(off_by(100000)) as liar:
        with clerk("-t 1 -p {dir}/page", a.port, b.port, liar.port) as host:
            assert abs(known(host, 3) - 7) < 5
            assert os.stat(host.path("page")).st_size == 40
            servers, seconds, trip, when = page(host.path("page"))
            assert servers == 3 and abs(seconds - 7) < 5 and trip > 0
            assert abs(when - time.time()) < TIMEOUT
            # Of two it is what lies between them.
            b.close()
            host.write_conf(CLERK % (
                "-t 1 -p {dir}/page -h 127.0.0.1:%d -h 127.0.0.1:%d" % (
                    a.port, liar.port)))
            host.reload()
            assert abs(known(host, 2) - 50002.5) < 10
            kept = host.path("page")
            host.write_conf("host { reload = exact; control = {dir}/ctl }\n")
            host.reload()
            wait_until(lambda: page(kept)[0] == 0)


@case
def servers_go_and_come_back():
    with Server(off_by(10)) as good:
        port = free_port()
        with clerk("-t 1", port, good.port) as host:
            assert abs(known(host, 1) - 10) < 5
            assert re.search(r"127.0.0.1:%d away" % port, info(host))
            with Server(off_by(30), ("127.0.0.1", port)):
                assert abs(known(host, 2) - 20) < 5
            # The listening socket is gone; so is the connection, soon.
        with Shipped("", "time_server") as server:
            with clerk("-t 1", port, good.port) as host:
                for _ in range(3):
                    server.write_conf(
                        'host { reload = exact }\n'
                        'dynamic Time Service_Object * '
                        'time_server:make_time_server() '
                        '{ listen = tcp:127.0.0.1:%d; drain = 0 }\n' % port)
                    server.reload()
                    known(host, 2)
                    server.write_conf("host { reload = exact }\n")
                    server.reload()
                    assert abs(known(host, 1) - 10) < 5


@case
def one_that_hangs_or_babbles_is_away():
    def hang(connection):
        while connection.recv(100):
            pass

    def babble(connection):
        connection.sendall(b"220 welcome to this fine machine\r\n")
        hang(connection)

    def answer_twice(connection):
        data = receive(connection, 24)
        connection.sendall(2 * (b"BTSA" + data[4:16] + b"\0" * 8))
        hang(connection)

    with Server(hang) as a, Server(babble) as b, Server(answer_twice) as c, \
            Server(off_by(3)) as good:
        with clerk("-t 1", a.port, b.port, c.port, good.port) as host:
            host.wait_log(r"%d: Connection timed out" % a.port)
            host.wait_log(r"%d: Protocol error" % b.port)
            host.wait_log(r"%d: Protocol error" % c.port)
            assert abs(known(host, 1) - 3) < 5


@case
def mistakes_are_told():
    for words, message in (
            ("", "which servers? (-h HOST:PORT)"), ("-h", "needs a value"),
            ("-x 1", "there is no option -x"), ("x", "'x' is no option"),
            ("-h ::::", "-h: '::::' is no HOST:PORT and no path"),
            ("-h a:1 -t 0", "-t: a number of seconds from 1 to 86400"),
            ("-h a:1 -p {dir}/no/page", "No such file or directory"),
            ("-h a:1" * 17, "")):
        host = Shipped(CLERK % words, "time_clerk", ready=False)
        try:
            assert host.wait_exit() == 1 and message in host.log_text(), (
                words, host.log_text())
        finally:
            host.close()


main()
