# SPDX-License-Identifier: BSD-2-Clause
"""Connections that a plugin makes with the host's connector, and what becomes
of them when it goes."""

import select
import socket

from berth_e2e import case, free_port, main, wait_until
from shipped import Server
from steered import Steered

NEIGHBOUR = "static echo { listen = tcp:127.0.0.1:{p0} }\n"
DIALS = 'dynamic Dials Service_Object * dials:make_dials() "%s"'


def full():
    """A listener whose backlog is full, and the clients that fill it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    clients = [listener]
    while True:
        client = socket.socket()
        client.setblocking(False)
        clients.append(client)
        client.connect_ex(listener.getsockname())
        if not select.select([], [client], [], 0.3)[1]:
            return listener.getsockname()[1], clients


def sockets(host):
    return [link for link in host.fds().values() if link.startswith("socket:")]


def gone(manager):
    wait_until(lambda: not [line for line in manager.do("list")
                            if line.startswith("Dials ")], what="the end")


@case
def numbers_and_names():
    heard = []
    with Server(lambda c: heard.append(c.recv(100))) as server, \
            Steered(NEIGHBOUR) as host, host.log_in() as manager:
        host.copy_plugins("dials")
        for n, name in enumerate(("127.0.0.1", "localhost")):
            manager.do(DIALS % "tcp:%s:%d" % (name, server.port))
            wait_until(lambda: heard.count(b"dialled\n") == n + 1,
                       what="the greeting")
            wait_until(lambda: host.log_text().count(
                "the thread: connected") == n + 1, what="the thread's")
            manager.do("remove Dials")
            gone(manager)


@case
def a_server_that_comes_later():
    port, heard = free_port(), []
    with Steered(NEIGHBOUR) as host, host.log_in() as manager:
        host.copy_plugins("dials")
        manager.do(DIALS % "tcp:127.0.0.1:%d" % port)
        host.wait_log("failed: Connection refused, again")
        with Server(lambda c: heard.append(c.recv(100)),
                    ("127.0.0.1", port)):
            wait_until(lambda: b"dialled\n" in heard, what="the greeting")


@case
def what_is_under_way_ends_with_the_service():
    port, clients = full()
    with Steered(NEIGHBOUR) as host, host.log_in() as manager:
        host.copy_plugins("dials")
        before = len(sockets(host))
        for _ in range(3):
            manager.do(DIALS % "tcp:127.0.0.1:%d" % port)
            wait_until(lambda: len(sockets(host)) >= before + 2,
                       what="both on their way")
            manager.do("remove Dials")
            gone(manager)
            wait_until(lambda: "dials" not in host.maps(), what="unmapped")
            wait_until(lambda: len(sockets(host)) == before, what="the end")
        assert host.log_text().count("the thread: Operation canceled") == 3
        assert "connected" not in host.log_text()
        assert "registered after fini" not in host.log_text()
    for client in clients:
        client.close()


@case
def mistakes():
    with Steered(NEIGHBOUR) as host, host.log_in() as manager:
        host.copy_plugins("dials")
        for word in ("nonsense", "tcp:*:7", "tcp:127.0.0.1"):
            said = str(manager.ask(DIALS % word))
            assert "Invalid argument" in said, said


main()
