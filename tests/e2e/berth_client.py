# SPDX-License-Identifier: BSD-2-Clause
"""Clients of a host under test: ports, sockets, datagrams, the manager.

berth_e2e.py hands on all of it.
"""

import collections
import json
import os
import random
import re
import socket
import sys

TIMEOUT = float(os.environ.get("BERTH_TEST_TIMEOUT", "120"))


class Failure(AssertionError):
    """Something that a case needs to go on did not come about."""


_given_ports = {}  # number -> the socket that reserves it for this process
LOWEST_PORT = 10000


def _ephemeral_ports():
    """What the kernel gives to those who ask for any port."""
    with open("/proc/sys/net/ipv4/ip_local_port_range",
              encoding="ascii") as file:
        low, high = map(int, file.read().split())
    return low, high


def _reserved(port):
    """Takes a port from the tests that run beside this one, to the end of the
    process: by a name, as the port itself is for somebody else to bind."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind("\0berth-test-port-%d" % port)
    except OSError:
        name.close()
        return False
    _given_ports[port] = name
    return True


def _is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_port():
    """A TCP and UDP port of 127.0.0.1 that nobody has, never given twice, and
    not one that the kernel might give to a client meanwhile."""
    low, high = _ephemeral_ports()
    below = range(LOWEST_PORT, low)
    if len(below) < 1000:  # a machine whose clients may have any
        below = range(low, high)
    for _ in range(100000):
        port = random.choice(below)
        if port not in _given_ports and _reserved(port) and _is_free(port):
            return port
    raise Failure("no port is free")


def connect(address, timeout=TIMEOUT):
    """A stream socket: to a port of 127.0.0.1, (host, port), or a path."""
    if isinstance(address, int):
        address = ("127.0.0.1", address)
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout=timeout)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(timeout)
    client.connect(address)
    return client


def receive(client, size):
    """Exactly so many bytes, or what came before the end of the stream."""
    parts = []
    while size > 0:
        part = client.recv(min(size, 1 << 16))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def receive_all(client):
    """Everything up to the end of the stream."""
    return receive(client, sys.maxsize)


def receive_until_reset(client):
    """Everything up to the end; a reset is one, too.  The kernel sends it to a
    client whose bytes come just while the host closes its connection, behind
    what it was told."""
    data = b""
    try:
        while part := client.recv(1 << 16):
            data += part
    except ConnectionResetError:
        pass
    return data


def ask_udp(port, data, timeout=TIMEOUT):
    """One datagram and its answer."""
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        client.connect(("127.0.0.1", port))
        client.send(data)
        return client.recv(1 << 16)


Reply = collections.namedtuple("Reply", "ok status body")


class Manager:
    """A conversation with the manager service."""

    def __init__(self, address, timeout=TIMEOUT):
        self.socket = connect(address, timeout)
        self.file = self.socket.makefile("rwb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def line(self):
        """The next line without its end; None at the end of the stream."""
        line = self.file.readline()
        if not line:
            return None
        return line.decode(errors="replace").rstrip("\r\n")

    def send(self, command):
        self.file.write(command.encode() + b"\n")
        self.file.flush()

    def reply(self):
        """Lines up to the one that says OK or ERR."""
        body = []
        while True:
            line = self.line()
            if line is None:
                raise Failure("the manager hung up after %r" % body)
            if re.match(r"(OK|ERR)\b", line):
                return Reply(line.startswith("OK"), line, body)
            body.append(line)

    def ask(self, command):
        self.send(command)
        return self.reply()

    def do(self, command):
        """As ask(), for a command that has to succeed; gives the body."""
        reply = self.ask(command)
        if not reply.ok:
            raise Failure("%s: %s %s" % (command, reply.status, reply.body))
        return reply.body

    def json(self, command):
        """The result of a command as a value; after `json on`."""
        self.send(command)
        reply = json.loads(self.line())
        if not reply["ok"]:
            raise Failure("%s: %s" % (command, reply))
        return reply["result"]
