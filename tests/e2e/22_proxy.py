# SPDX-License-Identifier: BSD-2-Clause
"""The PROXY protocol: who is believed, what is taken from the connection and
what is left on it, for services and programs."""

import os
import socket

from berth_e2e import (
    BUILD, Host, case, connect, main, receive, receive_all)

PROBE = os.path.join(BUILD, "tests", "programs", "probe")
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"
V2 = (SIGNATURE + b"\x21\x11\0\x10" + bytes([192, 0, 2, 7, 198, 51, 100, 1])
      + b"\x12\x67\0\x50" + b"\x04\0\x01z")

ECHO = ("static echo { listen = tcp:127.0.0.1:{p0} unix:{dir}/echo\n"
        "proxy_protocol = any\nproxy_from = %s }\n"
        "static Service_Manager \"-p {p9}\"\n")


def torn(host, header, payload, at):
    """The answer to a header whose parts come one after the other."""
    client = host.connect(0)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = header + payload
    client.sendall(data[:at])
    with host.connect(1) as other:  # the host has seen the first part
        other.sendall(b"x")
        assert other.recv(1) == b"x"
    client.sendall(data[at:])
    return client


@case
def a_header_may_be_torn_anywhere_and_the_rest_is_the_services():
    payload = b"PROXY is what I say, too\r\n"

    conf = (ECHO % "127.0.0.1") + (
        "dynamic Plain Service_Object * :echo() "
        "{ listen = tcp:127.0.0.1:{p1} }\n")
    with Host(conf) as host:
        for header in (V1, V2):
            for at in range(len(header + payload) + 1):
                with torn(host, header, payload, at) as client:
                    assert receive(client, len(payload)) == payload, at


@case
def the_client_is_who_the_proxy_says():
    with Host(ECHO % "127.0.0.0/8 unix") as host:
        for address in (host.port(0), host.path("echo")):
            for header in (V1, V2):
                with connect(address) as client, host.manager(9) as manager:
                    client.sendall(header + b"x")
                    assert client.recv(1) == b"x"
                    lines = manager.do("sessions echo")
                    assert "192.0.2.7:4711" in "\n".join(lines), lines
        # Nobody is named: the connection's own address counts.
        for header in (b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0"):
            with host.connect(0) as client, host.manager(9) as manager:
                client.sendall(header + b"x")
                assert client.recv(1) == b"x"
                lines = "\n".join(manager.do("sessions echo"))
                assert "127.0.0.1:" in lines and "192.0.2" not in lines, lines


@case
def a_program_finds_the_client_and_its_bytes():
    conf = ("dynamic P Program * %s { listen = tcp:127.0.0.1:{p0}\n"
            "proxy_protocol = v%d; proxy_from = 127.0.0.1 }\n"
            "dynamic Cat Program * /bin/cat { listen = tcp:127.0.0.1:{p1}\n"
            "proxy_protocol = v%d; proxy_from = 127.0.0.1 }\n")
    for version, header in ((1, V1), (2, V2)):
        with Host(conf % (PROBE, version, version)) as host:
            with host.connect(0) as client:
                client.sendall(header)
                said = receive_all(client).decode().splitlines()
            for line in ("env REMOTE_HOST=192.0.2.7", "env PROTO=TCP",
                         "env TCPREMOTEIP=192.0.2.7",
                         "env TCPREMOTEPORT=4711", "env REMOTE_PORT=4711",
                         "env TCPLOCALIP=198.51.100.1",
                         "env TCPLOCALPORT=80"):
                assert line in said, (line, said)
            with host.connect(1) as client:
                client.sendall(header + b"all of it")
                client.shutdown(socket.SHUT_WR)
                assert receive_all(client) == b"all of it"


def is_refused(client):
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


@case
def nobody_else_is_believed_and_nothing_else_is_a_header():
    with Host(ECHO % "127.0.0.2 ::1") as host:
        for data in (V1 + b"x", b"x"):
            with host.connect(0) as client:
                client.sendall(data)
                assert is_refused(client)
        with connect(host.path("echo")) as client:
            assert is_refused(client)
        host.wait_log(r"refused \(proxy\)")
        # A reload believes somebody else.
        host.write_conf(ECHO % "127.0.0.1")
        host.reload()
        for data in (b"x" * 200, V1[:-2] + b"\n", b"PROXY TCP5 1 2 3 4\r\n"):
            with host.connect(0) as client:
                client.sendall(data)
                assert is_refused(client), data
        with host.connect(0) as client:
            client.sendall(V1[:20])
            client.shutdown(socket.SHUT_WR)
            assert is_refused(client)
        with host.connect(0) as client:
            client.sendall(V1 + b"x")
            assert client.recv(1) == b"x"


@case
def a_slow_header_is_not_waited_for_and_costs_nothing():
    with Host(ECHO % "127.0.0.1") as host:
        def spent():
            fields = host.proc("stat").rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])
        before = spent()
        with host.connect(0) as silent, host.connect(0) as slow:
            slow.sendall(V2[:15])
            assert is_refused(silent)
            assert is_refused(slow)
        # Not one turn of the loop after the other: it waited.
        assert spent() - before < 100, spent() - before
        host.wait_log(r"refused \(late\)")


main()
