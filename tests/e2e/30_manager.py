# SPDX-License-Identifier: BSD-2-Clause
"""The manager over real sockets: its protocol, ACE's, and who may do what.

The rows M01 to M06 are those of the conformance list for hosts that take the
place of the ACE Service Configurator.
"""

import json
import os
import re
import socket
import struct
import time

from berth_e2e import (
    Host, Manager, ask_udp, case, connect, main, receive, receive_all, wait_until)
from steered import SANITIZED

TOKEN = "a token of more than sixteen bytes"

LOOK = """
static echo { listen = tcp:127.0.0.1:{p0} udp:127.0.0.1:{p0} }
static daytime { listen = tcp:127.0.0.1:{p1} }
static Service_Manager "-p {p9}"
"""


class Steered(Host):
    """A host whose manager on {p9} takes the token, and, over the Unix socket
    {dir}/steer, its own user without one."""

    def __init__(self, conf=""):
        super().__init__(conf, files={"token": TOKEN + "\n"})

    def write_conf(self, text):
        super().write_conf(
            text + "static echo { listen = tcp:127.0.0.1:{p0} }\n"
            "static daytime { listen = tcp:127.0.0.1:{p1} }\n"
            'static Service_Manager "-p {p9} -c -t {dir}/token" {\n'
            "\tlisten = unix:{dir}/steer\n}\n")

    def write(self, name, text):
        super().write(name, text)
        if name == "token":
            os.chmod(self.path(name), 0o600)

    def _start(self, *rest):
        self.write("token", TOKEN + "\n")
        super()._start(*rest)

    def log_in(self):
        manager = self.manager(9)
        manager.do("login " + TOKEN)
        return manager


def one_command(address, data):
    """As `echo COMMAND | nc HOST PORT`: sends, half-closes, reads to the
    end."""
    with connect(address) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return receive_all(client)


def without_end(address, data):
    """Sends and reads to the end, which is the host's doing."""
    with connect(address) as client:
        client.sendall(data)
        return receive_all(client)


@case
def m01_ace_help():
    conf = LOOK + """
    dynamic Old Service_Object * :Service_Manager() "-l -p {p8}"
    suspend daytime
    """
    expected = (rb"echo \(active\)  .*\ndaytime \(paused\)  .*\n"
                rb"Service_Manager \(active\)  %d/tcp # .*\n"
                rb"Old \(active\)  %d/tcp # .*\n")
    with Host(conf) as host:
        expected = expected % (host.port(9), host.port(8))
        for asked in (b"help\n", b"help\r\n", b"help\r\nignored\r\n"):
            told = without_end(host.port(8), asked)
            assert re.fullmatch(expected, told), told
        told = one_command(host.port(8), b"help")
        assert re.fullmatch(expected, told), told


@case
def m02_ace_reconfigure():
    conf = LOOK + """
    dynamic Old Service_Object * :Service_Manager() "-l -p {p8}"
    """
    with Host(conf) as host:
        host.write_conf(conf + "suspend daytime\n")
        told = without_end(host.port(8), b"reconfigure\r\n")
        assert told == b"done\n\0", told
        told = without_end(host.port(8), b"help\n")
        assert b"daytime (paused)" in told, told
        # ACE has no answer to anything else; ours does not do it either.
        assert without_end(host.port(8), b"suspend echo\n") == b""
        assert without_end(host.port(8), b"nonsense\n") == b""
        told = without_end(host.port(8), b"help\n")
        assert b"echo (active)" in told, told


@case
def m03_directives_are_answered():
    with Steered() as host, host.log_in() as manager:
        assert manager.ask("suspend echo").status.startswith("OK")
        assert manager.ask("resume echo").ok
        assert manager.ask("remove daytime").ok
        reply = manager.ask("remove daytime")
        assert not reply.ok and "daytime" in reply.status, reply
        reply = manager.ask("remove ecko")
        assert "did you mean 'echo'" in reply.status, reply
        # One reply each, and the session is in step.
        assert "echo" in " ".join(manager.do("list"))


@case
def m04_commands_in_any_dress():
    with Host(LOOK) as host, host.manager(9) as manager:
        names = manager.do("list")
        for said in ("LIST", " list", "\tList  ", "list\r"):
            assert manager.do(said) == names, said
        for said in ("help", "HELP", " help"):
            assert any("reconfigure" in line for line in manager.do(said))
        for word in ("login", "json", "quit"):
            assert any(
                line.startswith(word) for line in manager.do("help")), word


@case
def m05_an_idle_client_is_in_nobodys_way():
    with Host(LOOK) as host:
        idle = [host.connect(9) for _ in range(200)]
        for number, client in enumerate(idle):  # some in the middle of a line
            client.sendall(b"lis"[:number % 4])
        with host.manager(9) as manager:
            assert manager.ask("list").ok
        idle[3].sendall(b"t\n")
        assert receive(idle[3], 4)
        for client in idle:
            client.close()


@case
def m06_bad_clients_leave_nothing_behind():
    with Host(LOOK) as host:
        # Whoever answers has done with telling its supervisor that it is up.
        assert ask_udp(host.port(0), b"x") == b"x"
        before = host.fds()
        for _ in range(20):
            host.connect(9).close()
        with host.manager(9) as manager:
            manager.send("x" * 9000)
            assert manager.reply().status == "ERR line too long"
            assert manager.ask("list").ok
        assert b"OK\n" in one_command(host.port(9), b"list")
        wait_until(lambda: host.fds() == before, what="descriptors closed")


@case
def one_command_as_with_nc():
    with Steered() as host:
        for data in (b"suspend echo\n", b"suspend echo\r\n", b"suspend echo"):
            told = one_command(host.path("steer"), data)
            assert told.endswith(b"OK\n"), told
            told = one_command(host.path("steer"), b"resume echo\n")
            assert told.endswith(b"OK\n"), told
        told = one_command(host.port(9), b"suspend echo\n")
        assert re.search(rb"^ERR .*not allowed", told, re.MULTILINE), told
        assert one_command(host.port(9), b"") == b""
        assert one_command(host.port(9), b"\r\n\r\n") == b""


@case
def telnet_speaks_its_own_tongue_in_between():
    options = b"\xff\xfb\x18\xff\xfd\x01\xff\xfa\x18\0xterm\xff\xf0"
    with Host(LOOK) as host:
        told = one_command(
            host.port(9), options + b"li\xff\xf1st\r\0" + options + b"quit\r\n")
        assert told.endswith(b"OK\nOK\n") and b"echo" in told, told


@case
def pipelined_commands_are_answered_in_order():
    with Host(LOOK) as host, host.connect(9) as client:
        client.sendall(b"show echo\nshow nothing\n" * 1000 + b"quit\n")
        told = receive_all(client).decode().splitlines()
        last = [line for line in told if re.match("OK|ERR", line)]
        assert len(last) == 2001, len(last)
        assert last[0:2000:2] == ["OK"] * 1000
        assert all("nothing" in line for line in last[1:2000:2])


@case
def byte_by_byte():
    with Host(LOOK) as host, host.connect(9) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"show echo\r\nquit\r\n":
            client.sendall(bytes([byte]))
        assert receive_all(client).endswith(b"OK\nOK\n")


@case
def json_of_every_look():
    with Host(LOOK) as host, host.manager(9) as manager:
        assert manager.json("json on") is None
        for command in ("help", "list", "show echo", "stats", "version",
                        "sessions Service_Manager", "report", "check"):
            manager.json(command)
        for command in ("show nothing", "no such command", "remove echo",
                        "json maybe"):
            manager.send(command)
            reply = json.loads(manager.line())
            assert reply["ok"] is False and reply["error"], (command, reply)
        manager.send("json off")
        assert manager.line() == "OK"
        assert manager.ask("list").ok


@case
def only_who_may_changes_something():
    with Steered() as host:
        with host.manager(9) as manager:
            for command in ("suspend echo", "remove echo", "reconfigure",
                            "static time", "log debug", "shutdown"):
                reply = manager.ask(command)
                assert not reply.ok and "not allowed" in reply.status, reply
            assert manager.ask("login wrong").status == "ERR wrong token"
            assert not manager.ask("suspend echo").ok
            assert manager.ask("login " + TOKEN).status == "OK"
            assert manager.ask("suspend echo").ok
        with host.manager(9) as manager:  # it was for that session only
            assert not manager.ask("resume echo").ok
            assert "echo (paused)" in "\n".join(manager.do("report"))
        host.wait_log(r"failed to log in: wrong token")
        host.wait_log(r"127\.0\.0\.1:\d+ logged in")
        host.wait_log(r"127\.0\.0\.1:\d+: suspend echo")
        assert TOKEN not in host.log_text()
        with host.manager(9) as manager:
            for _ in range(3):
                assert not manager.ask("login guess").ok
            assert manager.line() is None


@case
def over_a_unix_socket_its_user_needs_no_token():
    with Steered() as host, Manager(host.path("steer")) as manager:
        assert manager.ask("suspend echo").ok
        assert manager.ask("resume echo").ok


@case
def without_control_nobody_changes_anything():
    with Host(LOOK + "dynamic M Service_Object * :Service_Manager() "
              "{ listen = unix:{dir}/look }\n") as host:
        for address in (host.port(9), host.path("look")):
            with Manager(address) as manager:
                assert manager.ask("login x").status.startswith("ERR nobody")
                assert not manager.ask("suspend echo").ok


@case
def services_come_and_go_over_the_manager():
    with Steered() as host, host.log_in() as manager:
        manager.do(host.fill(
            "dynamic Mirror Service_Object * :echo() "
            "{ listen = tcp:127.0.0.1:{p2}; idle_timeout = 60 }"))
        with host.connect(2) as client:
            client.sendall(b"hello")
            assert receive(client, 5) == b"hello"
            # Nobody new from here on; who is there may go on.
            manager.do("remove Mirror")
            try:
                host.connect(2).close()
                assert False, "still listening"
            except ConnectionRefusedError:
                pass
            assert any("draining" in line for line in manager.do("list"))
            assert manager.ask("show Mirror").ok
            client.sendall(b"still")
            assert receive(client, 5) == b"still"
        wait_until(lambda: len(manager.do("list")) == 3, what="removed")


@case
def it_can_remove_itself():
    conf = "defaults { drain = 1 }\n"
    with Steered(conf) as host, host.log_in() as manager:
        manager.do("remove Service_Manager")
        wait_until(lambda: manager.line() is None, what="the end")
        with host.connect(0) as client:
            client.sendall(b"x")
            assert receive(client, 1) == b"x"


@case
def a_client_that_does_not_read_stops_only_itself():
    conf = "".join("dynamic S%d Service_Object * :echo() inactive\n" % n
                   for n in range(3000))
    with Steered(conf) as host:
        before = host.rss_kb()
        greedy = []
        for _ in range(10):
            client = host.connect(9)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.setblocking(False)
            try:
                for _ in range(10000):
                    client.send(b"list\nreport\n" * 100)
            except BlockingIOError:
                pass
            greedy.append(client)
        with host.manager(9) as manager:
            for _ in range(20):
                assert len(manager.do("report")) == 3003
        if not SANITIZED:  # whose allocator keeps what was freed
            assert host.rss_kb() - before < 64 * 1024
        # One of them thinks better of it, and everything is there.
        greedy[0].settimeout(host.timeout)
        told = receive(greedy[0], 2000000).decode()
        assert told.count("\nOK\n") >= 5, told.count("\nOK\n")
        for client in greedy:
            client.close()


@case
def a_line_without_end_costs_nothing():
    with Host(LOOK) as host, host.connect(9) as client:
        before = host.rss_kb()
        for _ in range(50):
            client.sendall(b"x" * (1 << 20))
        if not SANITIZED:
            assert host.rss_kb() - before < 8 * 1024
        client.sendall(b"\nquit\n")
        assert receive_all(client) == b"ERR line too long\nOK\n"


@case
def a_client_that_leaves_takes_its_command_back():
    with Host(LOOK) as host:
        for _ in range(200):
            client = host.connect(9)
            client.sendall(b"list\nlist\n")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))
            client.close()  # a reset, at some moment
        with host.manager(9) as manager:
            assert manager.ask("list").ok


@case
def an_idle_session_ends():
    conf = 'static Service_Manager "-p {p9} -i 1"\n'
    with Host(conf) as host, host.connect(9) as client:
        start = time.monotonic()
        client.sendall(b"lis")
        assert receive_all(client) == b"ERR idle for too long\n"
        assert time.monotonic() - start > 0.9


@case
def ace_s_name_and_line():
    conf = 'static ACE_Service_Manager "-d -p {p9}"\n'
    with Host(conf) as host, host.manager(9) as manager:
        assert "Service_Manager" in " ".join(manager.do("list"))


@case
def a_listen_attribute_stands_for_the_usual_port():
    conf = "static Service_Manager { listen = tcp:127.0.0.1:{p9} }\n"
    with Host(conf) as host:
        with host.manager(9) as manager:
            assert manager.ask("list").ok
        assert len(host.listening()) == 1, host.listening()


main()
