# SPDX-License-Identifier: BSD-2-Clause
"""The modules tee and proxy_protocol around connections: what is written
beside them, and who they say that the client is."""

import os
import re
import socket
import stat

from berth_e2e import (
    case, connect, main, receive, receive_all, wait_until)
from shipped import Shipped

STREAM = """
stream dynamic Around STREAM * :stream() {
%s
}
dynamic Echo Service_Object * :echo() {
    listen = tcp:127.0.0.1:{p0} unix:{dir}/echo
    stream = Around
    %s
}
"""
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"
V6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n"
V2 = (SIGNATURE + b"\x21\x11\0\x10" + bytes([192, 0, 2, 7, 198, 51, 100, 1])
      + b"\x12\x67\0\x50" + b"\x04\0\x01z")


def tee(words, more=""):
    return STREAM % ('    dynamic Tee Module * tee:make_tee() "%s"' % words,
                     more)


def contents(host, name):
    with open(host.path(name), "rb") as file:
        return file.read()


def talk(host, sent):
    with host.connect() as client:
        client.sendall(sent)
        assert receive(client, len(sent)) == sent


@case
def both_directions_are_copied():
    for more in ("", "concurrency = thread", "workers = 1"):
        with Shipped(tee("-f {dir}/copy", more), "tee") as host:
            talk(host, b"one\r\ntwo\\\0\x80\ttail")
            pattern = rb"(\d+) > one\\r\\n\n\1 > two\\\\\\x00\\x80\\ttail\n" \
                rb"\1 < one\\r\\n\n\1 < two\\\\\\x00\\x80\\ttail\n"
            wait_until(lambda: re.fullmatch(pattern, contents(host, "copy")),
                       what=lambda: contents(host, "copy"))
            mode = os.stat(host.path("copy")).st_mode
            assert stat.S_IMODE(mode) & 0o137 == 0, oct(mode)


@case
def one_direction_as_it_is():
    """All that a service's client sends, and of the other side a part."""
    data = bytes(range(256)) * 400
    for words, most in (("-u -r -q 16M", len(data)),
                        ("-d -r -m 1000 -q 16M", 1000)):
        with Shipped(tee(words + " -f {dir}/copy"), "tee") as host:
            talk(host, data)
            wait_until(lambda: len(contents(host, "copy")) >= most)
            assert contents(host, "copy") == data[:most]


@case
def a_file_that_was_renamed_is_opened_anew():
    with Shipped(tee("-f {dir}/copy"), "tee") as host:
        talk(host, b"first")
        wait_until(lambda: b"< first" in contents(host, "copy"))
        os.rename(host.path("copy"), host.path("old"))

        def again():
            talk(host, b"second")
            return os.path.exists(host.path("copy")) and \
                b"second" in contents(host, "copy")
        wait_until(again, what="another file")
        assert b"first" not in contents(host, "copy")


@case
def nobody_waits_for_a_file():
    """A pipe that nobody reads is full soon; what is lost is told."""
    data = b"x" * 4096
    with Shipped("static echo { listen = tcp:127.0.0.1:{p1} }\n",
                 "tee") as host:
        os.mkfifo(host.path("pipe"))
        pipe = os.open(host.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
        host.write_conf(tee("-f {dir}/pipe -q 8K"))
        host.reload()
        with host.connect() as client:
            for _ in range(256):
                client.sendall(data)
                assert receive(client, len(data)) == data
        host.wait_log(r"Around/Tee: .*pipe: \d+ bytes are lost")
        # With a reader it goes on, and says where something is missing.
        os.set_blocking(pipe, True)
        got = b""
        while b"bytes are lost\n" not in got:
            talk(host, b"more")
            got += os.read(pipe, 1 << 20)
        os.close(pipe)
        # Without any reader the service goes on as well.
        talk(host, b"still")
        host.wait_log("Around/Tee: .*pipe: Broken pipe")


@case
def what_a_tee_is_told():
    for words, why in (("", "-f FILE"), ("-f {dir}/x -r", "add -u or -d"),
                       ("-f {dir}/x -u -d", "alone"),
                       ("-f {dir}/no/x", "No such file")):
        with Shipped("static echo { listen = tcp:127.0.0.1:{p1} }\n",
                     "tee") as host:
            host.write_conf(tee(words))
            text = "\n".join(host.reload())
            assert why in text and "nothing changed" in text, text


# --- the PROXY protocol --------------------------------------------------------

def proxied(words, more=""):
    return STREAM % (
        "    dynamic P Module * proxy_protocol:make_proxy_protocol() "
        '"%s"' % words, more) + "static Service_Manager \"-p {p9}\"\n"


def sessions(host):
    with host.manager(9) as manager:
        return "\n".join(manager.do("sessions Echo"))


@case
def the_client_is_who_the_proxy_says():
    for more in ("", "concurrency = thread"):
        with Shipped(proxied("-f 127.0.0.0/8,unix", more),
                     "proxy_protocol") as host:
            for address in (host.port(0), host.path("echo")):
                for header, peer in ((V1, "192.0.2.7:4711"),
                                     (V2, "192.0.2.7:4711"),
                                     (V6, "[2001:db8::7]:4711")):
                    with connect(address) as client:
                        client.sendall(header + b"x")
                        assert client.recv(1) == b"x"
                        assert peer in sessions(host), sessions(host)
            # Nobody is named.
            for header in (b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0"):
                with host.connect() as client:
                    client.sendall(header + b"x")
                    assert client.recv(1) == b"x"
                    assert "127.0.0.1:" in sessions(host), sessions(host)


@case
def a_header_may_be_torn_and_the_rest_is_the_services():
    payload = b"PROXY is what I say, too\r\n"
    for more in ("", "workers = 1"):
        with Shipped(proxied("-f 127.0.0.1", more), "proxy_protocol") as host:
            for header in (V1, V2):
                data = header + payload
                with host.connect() as client:
                    client.setsockopt(
                        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for byte in data:
                        client.sendall(bytes((byte,)))
                    assert receive(client, len(payload)) == payload
                    client.shutdown(socket.SHUT_WR)
                    assert receive_all(client) == b""


def is_refused(address, data):
    """Nothing of the service is seen."""
    with connect(address) as client:
        try:
            client.sendall(data)
            return client.recv(100) == b""
        except ConnectionError:
            return True


@case
def what_is_no_header_ends_the_connection():
    bad = (b"GET / HTTP/1.0\r\n\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\nx",
           b"PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\nx",
           b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\nx",
           b"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\nx",
           b"PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\nx",
           b"PROXY UNKNOWN\nx", b"PROXY " + b"x" * 102,
           SIGNATURE + b"\x31\x11\0\x0c" + b"x" * 12,
           SIGNATURE + b"\x22\x11\0\x0c" + b"x" * 12,
           SIGNATURE + b"\x21\x11\0\x0b" + b"x" * 12,
           SIGNATURE + b"\x21\x41\0\x0c" + b"x" * 12,
           SIGNATURE + b"\x21\x11\xff\xff" + b"x" * 12)
    with Shipped(proxied("-f 127.0.0.1"), "proxy_protocol") as host:
        for number, data in enumerate(bad):
            assert is_refused(host.port(0), data), number
        host.wait_log("Around/P: what comes first is no header")
        with host.connect() as client:  # half a header, and its end
            client.sendall(V1[:20])
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        # A version that is not spoken, and proxies that nobody knows.
        assert is_refused(host.path("echo"), V1 + b"x")
        host.wait_log("Around/P: .*is no proxy that is believed")
    with Shipped(proxied("-f 127.0.0.1 -v 2"), "proxy_protocol") as host:
        assert is_refused(host.port(0), V1 + b"x")
    with Shipped(proxied("-f 192.0.2.0/24,::1"), "proxy_protocol") as host:
        assert is_refused(host.port(0), V1 + b"x")


@case
def who_says_nothing_is_closed():
    with Shipped(proxied("-f 127.0.0.1 -t 1s"), "proxy_protocol") as host:
        for data in (b"", V1[:10]):
            with host.connect() as client:
                client.sendall(data)
                assert receive_all(client) == b""


@case
def what_it_is_told():
    for words, why in (("", "-f ADDRESS"), ("-f 1.2.3", "'1.2.3' is no"),
                       ("-f 1.2.3.4/33", "'1.2.3.4/33'"),
                       ("-f 1.2.3.4,,::1", "''"), ("-f ::1/129", "'::1/129'"),
                       ("-f ::1 -v 3", "not '3'")):
        with Shipped("static echo { listen = tcp:127.0.0.1:{p1} }\n",
                     "proxy_protocol") as host:
            host.write_conf(proxied(words))
            text = "\n".join(host.reload())
            assert why in text and "nothing changed" in text, text


if __name__ == "__main__":
    main()
