# SPDX-License-Identifier: BSD-2-Clause
"""A hundred thousand clients who are refused, for several reasons and in both
ways: memory and descriptors of the host stay where they were, every one is
counted, and whoever may come is served afterwards."""

import os
import socket
import struct

from berth_e2e import case, main, receive, wait_until
from steered import SANITIZED, Steered

MANY = 17_000  # of each kind
FEW = 1000  # what is made once, is made with these
GROWTH_KB = 512  # five bytes for each

# Those of 127.1.0.0/16 are on the lists.  Where one may be inside, he is.
KINDS = (
    ("listed", "address", "reject", "listen = tcp:127.0.0.1:{p0}\n"
     "no_access = 127.1.0.0/16"),
    ("cut", "address", "reset", "listen = tcp:127.0.0.1:{p1}\n"
     "only_from = 127.0.0.0/16; on_access = reset"),
    ("full", "instances", "reject", "listen = unix:{plugins}/full\n"
     "instances = 1; on_instances = reject"),
    ("shut", "instances", "reset", "listen = unix:{plugins}/shut\n"
     "instances = 1; on_instances = reset"),
    ("quick", "cps", "reject", "listen = tcp:127.0.0.1:{p2}\n"
     "cps = 1/1h; on_cps = reject"),
    ("brisk", "cps", "reset", "listen = tcp:127.0.0.1:{p3}\n"
     "cps = 1/1h; on_cps = reset"),
)
PORTS = {"listed": 0, "cut": 1, "quick": 2, "brisk": 3}
NO_LINGER = struct.pack("ii", 1, 0)
PORTS_OF_A_SOURCE = 4096


def dial(host, kind, source):
    """One client; a reset may come before he is through."""
    if kind not in PORTS:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(host.timeout)
        client.connect(os.path.join(host.plugins, kind))
        return client
    client = socket.socket()
    client.settimeout(host.timeout)
    # His port is chosen when it is known whom he calls.
    client.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    # What he leaves behind is gone at once, and not a minute later.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    client.bind((source, 0))
    client.connect(("127.0.0.1", host.port(PORTS[kind])))
    return client


def be_refused(host, kind, source):
    client = None
    try:
        client = dial(host, kind, source)
        assert client.recv(1) == b"", kind
    except ConnectionResetError:
        pass
    finally:
        if client is not None:
            client.close()


def storm(host, kind, count):
    for i in range(count):
        be_refused(host, kind,
                   "127.1.1.%d" % (1 + i // PORTS_OF_A_SOURCE % 254))


def refusals(host, name):
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        return manager.json("show " + name)["refusals"]


def served(client):
    client.sendall(b"hello")
    return receive(client, 5) == b"hello"


@case
def they_leave_nothing_behind():
    conf = "".join("dynamic %s Service_Object * :echo() {\n%s }\n" % (
        name, attributes) for name, _, _, attributes in KINDS)
    with Steered(conf) as host:
        inside = []
        for name, reason, _, _ in KINDS:
            if reason != "address":
                inside.append(dial(host, name, "127.0.0.1"))
                assert served(inside[-1]), name
        for name, *_ in KINDS:
            storm(host, name, FEW)
        fds, before = sorted(host.fds()), host.rss_kb()
        for name, *_ in KINDS:
            storm(host, name, MANY)
        for name, reason, *_ in KINDS:
            told = {reason: FEW + MANY}
            assert refusals(host, name) == told, (name, refusals(host, name))
        wait_until(lambda: sorted(host.fds()) == fds,
                   what="the descriptors of before")
        grown = host.rss_kb() - before
        # A sanitizer's allocator keeps what was freed.
        assert SANITIZED or grown <= GROWTH_KB, "%d KiB more than before" % grown
        # Those inside have noticed nothing, and who may come is served.
        assert all(served(client) for client in inside)
        for name in ("listed", "cut"):
            with dial(host, name, "127.0.0.1") as client:
                assert served(client), name
        for name in ("full", "shut"):
            inside.pop(0).close()
            wait_until(lambda: comes_in(host, name), what="room in " + name)
        for client in inside:
            client.close()


def comes_in(host, name):
    try:
        with dial(host, name, "127.0.0.1") as client:
            return served(client)
    except (ConnectionResetError, BrokenPipeError):
        return False


main()
