# SPDX-License-Identifier: BSD-2-Clause
"""Sequential services: a thousand at once, slow and half-closed clients, a
swap and a removal while they wait."""

import os
import socket

from berth_e2e import case, connect, main, receive, receive_all, wait_until
from shipped import Shipped
from steered import SANITIZED, Load, Steered

MANY = 200 if SANITIZED else 1000
SWAPS = 20 if SANITIZED else 100
BANNERS = (b"first banner\n", b"second banner\n")
SEQUENCE = """dynamic Banner Service_Object * live:make_banner()
    { listen = tcp:127.0.0.1:{p1}; drain = %s; backlog = 1000 }
"""


class Sequence(Steered):
    def _start(self, *rest):
        self.copy_plugins("sequence1", to="live")
        super()._start(*rest)


@case
def a_thousand_are_served_at_once():
    conf = """dynamic Hello Service_Object * hello:make_hello()
    { listen = tcp:127.0.0.1:{p0}; backlog = 1000 }
"""
    with Shipped(conf, "hello") as host:
        before = len(host.fds())
        clients = [connect(host.port(0)) for _ in range(MANY)]
        ends = ("\n", "\r\n")
        for number, client in enumerate(clients):
            # In two pieces, cut somewhere else for each.
            words = "client %d%shere I am%s" % (
                number, ends[number % 2], ends[number // 2 % 2])
            client.sendall(words[:number % len(words)].encode())
        for number, client in enumerate(clients):
            words = "client %d%shere I am%s" % (
                number, ends[number % 2], ends[number // 2 % 2])
            client.sendall(words[number % len(words):].encode())
        for number, client in enumerate(clients):
            want = "Hello client %d, this is PID %d\nhere I am" % (
                number, host.pid)
            assert receive_all(client) == want.encode(), number
            client.close()
        wait_until(lambda: len(host.fds()) == before, what="descriptors")


@case
def who_ends_after_one_line_gets_nothing():
    conf = """dynamic Hello Service_Object * hello:make_hello()
    { listen = tcp:127.0.0.1:{p0} unix:{dir}/hello }
"""
    with Shipped(conf, "hello") as host:
        with connect(host.port(0)) as client:
            client.sendall(b"me\n")
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        # A last line needs no end.
        with connect(host.path("hello")) as client:
            client.sendall(b"me\nmessage")
            client.shutdown(socket.SHUT_WR)
            want = "Hello me, this is PID %d\nmessage" % host.pid
            assert receive_all(client) == want.encode()


@case
def a_slow_reader_holds_up_nobody_else():
    with Sequence(SEQUENCE % "1h") as host, connect(host.port(1)) as slow:
        slow.setblocking(False)
        block = os.urandom(65536)
        sent = 0
        try:
            while True:
                sent += slow.send(block[sent % 65536:])
        except BlockingIOError:
            pass
        assert sent < 64 << 20, sent
        for _ in range(20):
            with connect(host.port(1)) as client:
                assert receive(client, 13) == BANNERS[0]
                client.sendall(b"hello")
                assert receive(client, 5) == b"hello"
        slow.settimeout(host.timeout)
        slow.shutdown(socket.SHUT_WR)
        back = receive_all(slow)
        assert back[:13] == BANNERS[0]
        assert len(back) == sent + 13, (len(back), sent)
        whole = block * (sent // 65536 + 1)
        assert back[13:] == whole[:sent]


@case
def a_swap_under_load_loses_nobody():
    with Sequence(SEQUENCE % "1h") as host:
        with host.connect(1) as held, Load(host.port(1), BANNERS) as load:
            assert receive(held, 13) == BANNERS[0]
            for number in range(SWAPS):
                host.copy_plugins("sequence%d" % (2 - number % 2), to="live")
                lines = "\n".join(host.reload())
                assert "> Banner (plugin file changed" in lines, lines
                target = load.done + 20
                wait_until(lambda: load.done >= target)
            # It is still served by the code of the start.
            held.sendall(b"hello")
            assert receive(held, 5) == b"hello"
            held.shutdown(socket.SHUT_WR)
            assert receive_all(held) == b""
            talks, failures, first = load.stop()
        assert failures == 0, (talks, failures, first)
        wait_until(lambda: len(host.images()) == 1, what="one image")


@case
def a_removal_ends_those_that_wait():
    with Sequence(SEQUENCE % "100ms") as host:
        before = len(host.fds())
        for _ in range(3):
            clients = [connect(host.port(1)) for _ in range(50)]
            for client in clients:
                assert receive(client, 13) == BANNERS[0]
            with host.log_in() as manager:
                manager.do("remove Banner")
            for client in clients:
                assert receive_all(client) == b""
                client.close()
            wait_until(lambda: host.images() == [], what="no image")
            host.reload()
        wait_until(lambda: len(host.fds()) == before, what="descriptors")


if __name__ == "__main__":
    main()
