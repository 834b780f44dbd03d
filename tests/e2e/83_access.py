# SPDX-License-Identifier: BSD-2-Clause
"""Access lists: real clients from several addresses, of a service of the host
and of a program, admitted and refused; files of entries; names; changes."""

import os
import signal
import socket

from berth_e2e import Failure, case, main, receive, wait_until
from steered import Steered

KINDS = {
    "service": "dynamic X Service_Object * :echo() { %s\n%s }\n",
    "program": "dynamic X Program * /bin/cat { %s\n%s }\n",
}
BOTH = "listen = tcp:*:{p0}"


def each_kind(attributes, listen=BOTH):
    for kind, conf in KINDS.items():
        yield kind, conf % (listen, attributes)


def dial(host, source, to=None):
    """A client with that address of its own; v4 comes mapped to a listener
    of both families."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    client = socket.socket(family)
    client.settimeout(host.timeout)
    client.bind((source, 0))
    client.connect((to or ("::1" if ":" in source else "127.0.0.1"),
                    host.port(0)))
    return client


def answered(client, word=b"hello"):
    try:
        client.sendall(word)
        return receive(client, len(word)) == word
    except OSError:
        return False


def admits(host, source):
    try:
        with dial(host, source) as client:
            return answered(client)
    except ConnectionResetError:
        return False


def refusals(host):
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        return manager.json("show X")["refusals"]


def expect(host, what, **clients):
    for source, wanted in clients.items():
        address = source[1:].replace("_", ".") if source != "v6" else "::1"
        if admits(host, address) != wanted:
            raise Failure("%s: %s is %s" % (
                what, address, "refused" if wanted else "served"))


@case
def addresses_are_admitted_and_refused():
    for kind, conf in each_kind(
            "only_from = 127.0.0.0/8\nno_access = 127.0.0.2"):
        with Steered(conf) as host:
            expect(host, kind, a127_0_0_1=True, a127_0_0_2=False,
                   a127_0_0_3=True, v6=False)
            assert refusals(host) == {"address": 2}, refusals(host)
            host.wait_log("connection refused .address.")


@case
def zeros_are_wildcards_and_nobody_is_nobody():
    for attributes, clients in (
            ("only_from = 127.0.0.0", dict(a127_0_0_1=True, v6=False)),
            ("only_from = 0.0.0.0", dict(a127_0_0_1=True, v6=True)),
            ("only_from = ::1", dict(a127_0_0_1=False, v6=True)),
            ('only_from = "127.0.0.{1,3}"',
             dict(a127_0_0_1=True, a127_0_0_2=False, a127_0_0_3=True)),
            ("only_from =", dict(a127_0_0_1=False, v6=False)),
            ("no_access = 127.0.0.1", dict(a127_0_0_1=False, v6=True))):
        for kind, conf in each_kind(attributes):
            with Steered(conf) as host:
                expect(host, kind + " " + attributes, **clients)


@case
def lists_change_live_and_touch_no_session():
    for kind, conf in each_kind("LIST"):
        with Steered(conf.replace("LIST", "")) as host:
            with dial(host, "127.0.0.1") as old:
                assert answered(old), kind
                host.write_conf(conf.replace("LIST", "only_from = 127.0.0.2"))
                host.reload()
                expect(host, kind, a127_0_0_1=False, a127_0_0_2=True)
                assert answered(old), kind
                host.write_conf(conf.replace("LIST", "no_access = 127.0.0.2"))
                host.reload()
                expect(host, kind, a127_0_0_1=True, a127_0_0_2=False)
                assert answered(old), kind


@case
def a_file_is_read_again_and_its_mistakes_are_told():
    conf = KINDS["service"] % (BOTH, "only_from = file:{plugins}/list")
    host = None

    def write(text):
        path = os.path.join(host.plugins, "list")
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    with Steered(KINDS["service"] % (BOTH, "")) as host:
        write("# friends\n127.0.0.2\n")
        host.write_conf(conf)
        host.reload()
        expect(host, "file", a127_0_0_1=False, a127_0_0_2=True)
        write("127.0.0.1 # now he\n")
        host.reload()
        expect(host, "file", a127_0_0_1=True, a127_0_0_2=False)
        # A mistake keeps the list that there is.
        write("127.0.0.2\n127.0.0.0/99\n")
        host.signal(signal.SIGHUP)
        host.wait_log("list:2:1: error: .127.0.0.0/99.: behind the slash")
        expect(host, "file", a127_0_0_1=True, a127_0_0_2=False)


@case
def names_are_asked():
    for kind, conf in each_kind("only_from = localhost"):
        with Steered(conf) as host:
            expect(host, kind, a127_0_0_1=True, a127_0_0_2=False)
    # Nobody is called so.
    for kind, conf in each_kind("only_from = nobody.invalid 127.0.0.2"):
        with Steered(conf) as host:
            expect(host, kind, a127_0_0_1=False, a127_0_0_2=True)


@case
def datagrams_are_judged():
    conf = KINDS["service"] % (
        "listen = udp:127.0.0.1:{p0}", "only_from = 127.0.0.2")
    with Steered(conf) as host:
        for source in ("127.0.0.1", "127.0.0.2"):
            with socket.socket(type=socket.SOCK_DGRAM) as client:
                client.bind((source, 0))
                client.settimeout(host.timeout)
                client.sendto(b"hello", ("127.0.0.1", host.port(0)))
                if source == "127.0.0.2":
                    assert client.recv(64) == b"hello"
        wait_until(lambda: refusals(host) == {"address": 1},
                   what="the refusal")


@case
def a_program_that_accepts_cannot_have_a_list():
    conf = ("dynamic X Program * /bin/cat { listen = tcp:127.0.0.1:{p0}\n"
            "wait = yes\n%s }\n")
    with Steered(conf % "") as host:
        host.write_conf(conf % "only_from = 127.0.0.1")
        host.signal(signal.SIGHUP)
        host.wait_log("only_from and no_access cannot be kept at")


main()
