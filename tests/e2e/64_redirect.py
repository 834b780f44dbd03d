# SPDX-License-Identifier: BSD-2-Clause
"""The plugin redirect: every byte, both ends, whoever is slow, dead or back
again."""

import hashlib
import socket
import struct
import threading

from berth_e2e import (
    TIMEOUT, case, free_port, main, receive, receive_all, wait_until)
from shipped import Server, Shipped

TO = 'dynamic R Service_Object * redirect:make_redirect() "%s" ' \
     '{ listen = tcp:127.0.0.1:{p0} }\n'
BIG = 100 << 20
BLOCK = bytes(range(256)) * 256


def echo(connection):
    while True:
        data = connection.recv(65536)
        if not data:
            return
        connection.sendall(data)


def answer_at_the_end(connection):
    """What xinetd's redirect never delivers: an answer after the end."""
    size = 0
    while True:
        data = connection.recv(65536)
        if not data:
            break
        size += len(data)
    connection.sendall(b"got %d\n" % size)


def target(server):
    return "tcp:127.0.0.1:%d" % server.port


@case
def an_answer_after_the_clients_end():
    with Server(answer_at_the_end) as server:
        with Shipped(TO % target(server), "redirect") as host:
            with host.connect(0) as client:
                client.sendall(b"x" * 1000)
                client.shutdown(socket.SHUT_WR)
                assert receive_all(client) == b"got 1000\n"
            # An empty one, and one that ends before it is connected.
            with host.connect(0) as client:
                client.shutdown(socket.SHUT_WR)
                assert receive_all(client) == b"got 0\n"


@case
def the_targets_end_is_the_clients():
    with Server(lambda c: c.sendall(b"bye\n")) as server:
        with Shipped(TO % target(server), "redirect") as host:
            with host.connect(0) as client:
                assert receive_all(client) == b"bye\n"


@case
def what_comes_after_the_targets_end_is_delivered():
    heard = []
    begun, done = threading.Event(), threading.Event()

    def end_first(connection):
        connection.sendall(b"bye\n")
        connection.shutdown(socket.SHUT_WR)
        heard.append(receive(connection, 5))
        begun.set()
        heard.append(receive_all(connection))
        done.set()

    with Server(end_first) as server:
        with Shipped(TO % target(server), "redirect") as host:
            with host.connect(0) as client:
                assert receive_all(client) == b"bye\n"
                client.sendall(b"first")
                assert begun.wait(TIMEOUT), heard
                client.sendall(b" and last")
                client.shutdown(socket.SHUT_WR)
                assert done.wait(TIMEOUT)
    assert heard == [b"first", b" and last"], heard


def blocks(size):
    for at in range(0, size, len(BLOCK)):
        yield struct.pack("!Q", at) + BLOCK[8:min(len(BLOCK), size - at)]


def digest_of(connection, size):
    seen, digest = 0, hashlib.sha256()
    while seen < size:
        data = connection.recv(1 << 18)
        if not data:
            break
        seen += len(data)
        digest.update(data)
    return seen, digest.hexdigest()


@case
def a_hundred_megabytes_both_ways():
    expected = hashlib.sha256()
    for block in blocks(BIG):
        expected.update(block)
    found = {}

    def exchange(connection, who):
        def send():
            for block in blocks(BIG):
                connection.sendall(block)
            connection.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        found[who] = digest_of(connection, BIG)
        sender.join()

    done = threading.Event()

    def serve(connection):
        exchange(connection, "target")
        done.set()

    with Server(serve) as server:
        with Shipped(TO % target(server), "redirect") as host:
            with host.connect(0) as client:
                exchange(client, "client")
                assert done.wait(TIMEOUT)
    for who in ("client", "target"):
        assert found[who] == (BIG, expected.hexdigest()), (who, found)


@case
def a_dead_target_is_passed_over():
    dead = "tcp:127.0.0.1:%d" % free_port()
    with Server(echo) as server:
        with Shipped(TO % (dead + " " + target(server)),
                     "redirect") as host:
            for _ in range(20):
                with host.connect(0) as client:
                    client.sendall(b"hello")
                    assert receive(client, 5) == b"hello"
            # Told once, not for every client.
            assert host.log_text().count("Connection refused") == 1


@case
def nobody_is_there():
    dead = "tcp:127.0.0.1:%d unix:/no/such/socket" % free_port()
    with Shipped(TO % dead, "redirect") as host:
        for _ in range(3):
            with host.connect(0) as client:
                try:
                    assert client.recv(1) == b""
                except ConnectionResetError:
                    pass


@case
def a_target_that_does_not_answer():
    """Its queue is full: connections to it neither fail nor succeed."""
    with Server(echo) as server, socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)
        words = "-c 300ms tcp:127.0.0.1:%d %s" % (
            full.getsockname()[1], target(server))
        with Shipped(TO % words, "redirect") as host:
            with host.connect(0) as client:
                client.sendall(b"hello")
                assert receive(client, 5) == b"hello"
            assert "timed out" in host.log_text()
        for one in waiting:
            one.close()


@case
def a_target_comes_back():
    server = Server(echo)
    address = server.address
    with Shipped(TO % target(server), "redirect") as host:
        with host.connect(0) as client:
            client.sendall(b"one")
            assert receive(client, 3) == b"one"
        server.close()
        with host.connect(0) as client:
            try:
                assert client.recv(1) == b""
            except ConnectionResetError:
                pass
        with Server(echo, address):
            with host.connect(0) as client:
                client.sendall(b"two")
                assert receive(client, 3) == b"two"


@case
def a_slow_reader_costs_nothing():
    """Neither end's: what is not read stays with who wrote it."""
    stop = threading.Event()

    def flood(connection):
        connection.settimeout(0.2)
        while not stop.is_set():
            try:
                connection.send(BLOCK)
            except TimeoutError:
                pass

    def deaf(connection):
        stop.wait(TIMEOUT)
        connection.close()

    for serve in (flood, deaf):
        stop.clear()
        with Server(serve) as server:
            with Shipped(TO % target(server), "redirect") as host:
                clients = [host.connect(0) for _ in range(20)]
                wait_until(lambda: server.count == 20, what="20 targets")
                before = host.rss_kb()
                for client in clients:
                    client.settimeout(0.05)
                    if serve is deaf:
                        try:
                            while True:
                                client.send(BLOCK)
                        except TimeoutError:
                            pass
                # The loop serves others meanwhile, and holds nothing.
                with host.connect(0) as other:
                    assert other is not None
                grown = host.rss_kb() - before
                assert grown < 20 * 512 + 2048, grown
                stop.set()
                for client in clients:
                    client.close()


@case
def names_are_looked_up():
    with Server(echo) as server:
        words = "-r 200ms tcp:localhost:%d" % server.port
        with Shipped(TO % words, "redirect") as host:
            with host.connect(0) as client:
                client.sendall(b"hello")
                assert receive(client, 5) == b"hello"
        words = "-c 300ms tcp:no.such.name.invalid:7"
        with Shipped(TO % words, "redirect") as host:
            with host.connect(0) as client:
                try:
                    assert client.recv(1) == b""
                except ConnectionResetError:
                    pass
            host.wait_log("no.such.name.invalid")


@case
def unix_and_the_words_of_xinetd():
    with Shipped("static echo { listen = unix:{dir}/echo }\n"
                 + TO % "unix:{dir}/echo", "redirect") as host:
        with host.connect(0) as client:
            client.sendall(b"hello")
            assert receive(client, 5) == b"hello"
    with Server(echo) as server:
        text = ("service r\n{\n\ttype = UNLISTED\n\tsocket_type = stream\n"
                "\twait = no\n\tport = {p0}\n"
                "\tredirect = 127.0.0.1 %d\n}\n" % server.port)
        with Shipped(text, "redirect") as host:
            with host.connect(0) as client:
                client.sendall(b"hello")
                assert receive(client, 5) == b"hello"


@case
def the_target_learns_who_it_is():
    heard = []

    def serve(connection):
        data = b""
        while not data.endswith(b"words"):
            data += connection.recv(1000)
        heard.append(data)
        connection.sendall(b"x")

    with Server(serve) as server:
        for version in (1, 2):
            with Shipped(TO % ("-P %d %s" % (version, target(server))),
                         "redirect") as host:
                with host.connect(0) as client:
                    mine = client.getsockname()[1]
                    client.sendall(b"words")
                    assert receive(client, 1) == b"x"
                port = host.port(0)
    assert heard[0] == b"PROXY TCP4 127.0.0.1 127.0.0.1 %d %d\r\nwords" % (
        int(heard[0].split()[4]), int(heard[0].split()[5])), heard
    assert heard[1] == (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + struct.pack(
        "!4s4sHH", b"\x7f\0\0\1", b"\x7f\0\0\1", mine, port) + b"words"), heard


@case
def a_reload_lets_clients_go_on():
    with Server(echo) as one, Server(lambda c: c.sendall(b"new")) as two:
        with Shipped(TO % target(one), "redirect") as host:
            with host.connect(0) as old:
                old.sendall(b"a")
                assert receive(old, 1) == b"a"
                host.write_conf(TO % target(two))
                host.reload()
                with host.connect(0) as new:
                    assert receive_all(new) == b"new"
                old.sendall(b"b")
                assert receive(old, 1) == b"b"


# --- datagrams ------------------------------------------------------------

class Udp:
    """Answers each datagram with it and the number of who asked."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.peers = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def _run(self):
        while True:
            data, peer = self.socket.recvfrom(65536)
            if data == b"end":
                return
            if peer not in self.peers:
                self.peers.append(peer)
            self.socket.sendto(data + b"%d" % self.peers.index(peer), peer)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"end", self.socket.getsockname())
        self._thread.join(TIMEOUT)
        self.socket.close()


DATAGRAMS = ('dynamic D Service_Object * redirect:make_redirect() '
             '"-x %s -u udp:127.0.0.1:{p0} udp:127.0.0.1:%d"')


def datagram_client(port):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(TIMEOUT)
    client.connect(("127.0.0.1", port))
    return client


@case
def datagrams_have_a_socket_each():
    server = Udp()
    with Shipped(DATAGRAMS % ("60m", server.port), "redirect") as host:
        clients = [datagram_client(host.port(0)) for _ in range(10)]
        for turn in range(3):
            for number, client in enumerate(clients):
                client.send(b"q%d-" % turn)
                assert client.recv(100) == b"q%d-%d" % (turn, number)
        assert len(server.peers) == 10
        # All that a question allows: nobody is sent more than he sent.
        clients.append(datagram_client(host.port(0)))
        clients[10].send(b"z" * 60000)
        host.wait_log("the answer is longer than it")
        clients[10].send(b"y" * 1000)
        assert clients[10].recv(65536) == b"y" * 1000 + b"10"
        # A reload that changes nothing forgets nobody.
        host.reload()
        clients[4].send(b"more-")
        assert clients[4].recv(100) == b"more-4"
        for client in clients:
            client.close()
    server.close()


@case
def datagrams_are_under_admission():
    server = Udp()
    conf = ('dynamic D Service_Object * redirect:make_redirect() '
            '"udp:127.0.0.1:%d" { listen = udp:127.0.0.1:{p0} '
            'udp:127.0.0.1:{p1}; %%s }' % server.port)
    with Shipped(conf % "amplification = yes", "redirect") as host:
        one, other = (datagram_client(host.port(i)) for i in (0, 1))
        # An answer from where the question was sent to, and longer than it.
        for client in (one, other):
            client.send(b"z" * 60000)
            assert client.recv(65536)[:60000] == b"z" * 60000
        host.write_conf(conf % "no_access = 127.0.0.1")
        host.reload()
        one.send(b"refused")
        other.send(b"refused")
        host.write_conf(conf % "only_from = 127.0.0.0/8")
        host.reload()
        one.send(b"served")
        assert one.recv(100)[:6] == b"served"
        # A change of the endpoints leaves those that stay.
        host.write_conf(conf.replace("udp:127.0.0.1:{p1};", ";") %
                        "source_datagrams = 20")
        host.reload()
        for number in range(40):
            one.send(b"%d-" % number)
        host.wait_log("too many of this address")
        assert one.recv(100)[:2] == b"0-"
        one.close()
        other.close()
    server.close()


def answered(client, question):
    client.settimeout(0.5)
    client.send(question)
    try:
        return client.recv(100).startswith(question)
    except TimeoutError:
        return False


@case
def datagrams_are_forgotten_and_asked_for_again():
    server = Udp()
    with Shipped(DATAGRAMS % ("100ms", server.port), "redirect") as host, \
            datagram_client(host.port(0)) as client:
        before = len(host.fds())
        for turn in range(3):
            # It may be forgotten before the answer is there.
            wait_until(lambda t=turn: answered(client, b"q%d-" % t))
            wait_until(lambda: len(host.fds()) == before, what="the expiry")
    server.close()


@case
def mistakes():
    cases = [("", "where to?"), ("nonsense", "no target"),
             ("-c never tcp:127.0.0.1:7", "'never' is no time"),
             ("-P 3 tcp:127.0.0.1:7", "versions 1 and 2"),
             ("-z 1 tcp:127.0.0.1:7", "no option -z"),
             ("-c", "needs a value"), ("tcp:127.0.0.1", "no target"),
             ("-u tcp:127.0.0.1:7 udp:127.0.0.1:7", "is expected"),
             ("-u udp:127.0.0.1:0 tcp:127.0.0.1:7", "are udp:HOST:PORT"),
             ("udp:127.0.0.1:7 tcp:127.0.0.1:7", "or for datagrams")]
    for words, said in cases:
        host = Shipped(TO % words, "redirect", ready=False)
        assert host.wait_exit() == 1 and said in host.log_text(), (
            words, host.log_text())
        host.close()


main()
