# SPDX-License-Identifier: BSD-2-Clause
"""echo, discard, daytime, time, chargen and the reporter on real sockets."""

import glob
import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time

from berth_e2e import (
    SOURCE, TIMEOUT, Host, ask_udp, case, connect, main, receive, receive_all,
    receive_until_reset, run_berthd, wait_until)
from shipped import folder_of
from steered import SANITIZED

EPOCH = 2208988800  # RFC 868: from 1900 to 1970

SMALL = """
static echo {
	listen = tcp:127.0.0.1:{p0} udp:127.0.0.1:{p0}
	listen += tcp:[::1]:{p0} udp:[::1]:{p0}
	listen += unix:{dir}/echo unix:@berth-{p0}
	listen += unix-dgram:{dir}/echo-dgram unix-seqpacket:{dir}/echo-packet
}
static discard { listen = tcp:127.0.0.1:{p1} udp:127.0.0.1:{p1} }
static daytime { listen = tcp:127.0.0.1:{p2} udp:127.0.0.1:{p2} }
static time { listen = tcp:127.0.0.1:{p3} udp:127.0.0.1:{p3} }
static chargen { listen = tcp:127.0.0.1:{p4} udp:127.0.0.1:{p4} }
static Service_Reporter "-p {p5}"
"""


def pattern(size):
    """The beginning of chargen's answer."""
    ring = bytes(range(32, 127)) * 2
    period = b"".join(ring[n:n + 72] + b"\r\n" for n in range(95))
    return (period * (size // len(period) + 1))[:size]


def udp(address, family=socket.AF_INET):
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.settimeout(TIMEOUT)
    client.connect(address)
    return client


def half_close(client):
    client.shutdown(socket.SHUT_WR)


def exchange(client, data):
    """Sends all while receiving all, as a client must; then half-closes."""
    def send():
        client.sendall(data)
        half_close(client)
    sender = threading.Thread(target=send)
    sender.start()
    result = receive_all(client)
    sender.join()
    return result


@case
def echo_over_every_kind_of_connection():
    data = bytes(range(256)) * 100
    with Host(SMALL) as host:
        for address in (host.port(0), ("::1", host.port(0)),
                        host.path("echo"), "\0berth-%d" % host.port(0)):
            with connect(address) as client:
                client.sendall(b"quit\r\n")
                assert receive(client, 6) == b"quit\r\n"
                assert exchange(client, data) == data


@case
def echo_of_datagrams_and_records():
    data = bytes(range(256)) * 4
    with Host(SMALL) as host:
        assert ask_udp(host.port(0), data) == data
        with udp(("::1", host.port(0)), socket.AF_INET6) as client:
            client.send(data)
            assert client.recv(1 << 16) == data
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.settimeout(TIMEOUT)
            client.bind(host.path("me"))
            client.connect(host.path("echo-dgram"))
            client.send(data)
            assert client.recv(1 << 16) == data
        with socket.socket(
                socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(TIMEOUT)
            client.connect(host.path("echo-packet"))
            for record in (b"a", b"bc", data):
                client.send(record)
            for record in (b"a", b"bc", data):
                assert client.recv(1 << 16) == record


@case
def echo_gives_all_back_after_a_half_close():
    data = random.Random(1).randbytes(10 << 20)
    with Host(SMALL) as host, host.connect(0) as client:
        assert exchange(client, data) == data


@case
def discard_never_answers():
    with Host(SMALL) as host:
        with host.connect(1) as client:
            client.sendall(b"x" * 1000000)
            half_close(client)
            assert receive_all(client) == b""
        with udp(("127.0.0.1", host.port(1))) as client:
            client.send(b"x")
            client.send(b"")
            for _ in range(10):  # the host has long seen it
                assert ask_udp(host.port(0), b"y") == b"y"
            client.setblocking(False)
            try:
                assert False, client.recv(100)
            except BlockingIOError:
                pass


def expect_line(line, utc):
    """It is the time now, give or take what the test takes."""
    assert re.fullmatch(
        rb"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\r\n", line), line
    told = time.strptime(line.decode().strip(), "%a %b %d %H:%M:%S %Y")
    now = time.time()
    told = time.mktime(told) if not utc else (
        time.mktime(told) - time.timezone)
    assert now - 60 < told <= now + 1, line


@case
def daytime_tells_and_closes():
    with Host(SMALL) as host:
        with host.connect(2) as client:
            expect_line(receive_all(client), False)
        with host.connect(2) as client:  # what it says is never read
            client.sendall(b"x" * 10000)
            expect_line(receive_until_reset(client), False)
        for data in (b"", b"x" * 1000):
            expect_line(ask_udp(host.port(2), data), False)


@case
def daytime_in_another_form():
    conf = """
    static daytime "-u" { listen = tcp:127.0.0.1:{p0} }
    dynamic Seed Service_Object * :daytime() "-f '%-m/%-d/%Y %-H:%-M:%-S'" {
        listen = tcp:127.0.0.1:{p1}
    }
    """
    with Host(conf, env={"TZ": "XXX+5"}) as host:
        with host.connect(0) as client:
            line = receive_all(client)
        told = time.strptime(line.decode().strip(), "%a %b %d %H:%M:%S %Y")
        assert abs(time.mktime(told) - time.timezone - time.time()) < 60, line
        with host.connect(1) as client:
            line = receive_all(client)
        assert re.fullmatch(
            rb"[1-9]\d?/[1-9]\d?/\d{4} \d\d?:\d\d?:\d\d?\r\n", line), line


@case
def time_is_four_bytes():
    with Host(SMALL) as host:
        with host.connect(3) as client:
            answers = [receive_all(client)]
        answers.append(ask_udp(host.port(3), b""))
        answers.append(ask_udp(host.port(3), b"x" * 1000))
        for answer in answers:
            assert len(answer) == 4, answer
            told = int.from_bytes(answer, "big") - EPOCH
            assert abs(told % 2**32 - time.time() % 2**32) < 60, told


@case
def chargen_has_no_end_but_the_clients():
    with Host(SMALL) as host:
        with host.connect(4) as client:
            client.sendall(b"ignored")
            assert receive(client, 5000000) == pattern(5000000)
            half_close(client)
            rest = receive_all(client)  # it ends
            assert rest == pattern(5000000 + len(rest))[5000000:]


@case
def chargen_waits_for_its_reader():
    with Host(SMALL) as host:
        before = host.rss_kb()
        clients = [host.connect(4) for _ in range(20)]
        # Nobody reads, and the others are served at once.
        with host.connect(0) as client:
            for _ in range(100):
                client.sendall(b"ping")
                assert receive(client, 4) == b"ping"
        if not SANITIZED:  # whose allocator keeps what was freed
            assert host.rss_kb() - before < 20 * 1024
        for client in clients:
            assert receive(client, 20000) == pattern(20000)
            client.close()


@case
def chargen_amplifies_nothing():
    with Host(SMALL) as host, udp(("127.0.0.1", host.port(4))) as client:
        for size in (1, 71, 74, 75, 512, 513, 60000):
            client.send(b"x" * size)
            assert client.recv(1 << 16) == pattern(min(size, 512))
        client.send(b"")
        client.send(b"xy")
        assert client.recv(1 << 16) == pattern(2)


REPORT = (r"echo \(active\)  .*\ndiscard \(active\)  .*\n"
          r"daytime \(active\)  .*\ntime \(active\)  .*\n"
          r"chargen \(active\)  .*\n"
          r"Service_Reporter \(active\)  %d/tcp # reports all services\n")


@case
def the_reporter_lists_and_closes():
    with Host(SMALL) as host:
        expected = REPORT % host.port(5)
        for said in (b"", b"help\r\n", b"x" * 100000):
            with host.connect(5) as client:
                client.sendall(said)
                told = receive_until_reset(client).decode()
                assert re.fullmatch(expected, told), told
        with host.connect(5) as client:
            half_close(client)
            assert re.fullmatch(expected, receive_all(client).decode())


@case
def a_long_report_reaches_a_slow_reader():
    count = 3000
    conf = SMALL + "".join(
        "dynamic S%d Service_Object * :echo() inactive\n" % n
        for n in range(count))
    with Host(conf) as host:
        with host.connect(5) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            # Many who do not read at all are in nobody's way.
            others = [host.connect(5) for _ in range(30)]
            half_close(client)
            told = receive_all(client).decode()
            for other in others:
                other.close()
        lines = told.splitlines()
        assert len(lines) == count + 6, len(lines)
        assert lines[-1].startswith("S%d (paused)  " % (count - 1)), lines[-1]


@case
def nobody_leaves_anything_behind():
    with Host(SMALL) as host:
        # Whoever answers has done with telling its supervisor that it is up.
        assert ask_udp(host.port(0), b"x") == b"x"
        before = host.fds()
        for number in range(6):
            for _ in range(20):
                host.connect(number).close()
        wait_until(lambda: host.fds() == before, what="descriptors closed")


@case
def a_second_instance_has_a_name_of_its_own():
    conf = SMALL + """
    dynamic Mirror Service_Object * :echo() { listen = tcp:127.0.0.1:{p6} }
    """
    with Host(conf) as host:
        with host.connect(6) as client:
            client.sendall(b"hello")
            assert receive(client, 5) == b"hello"
        with host.connect(5) as client:
            assert "Mirror (active)" in receive_all(client).decode()


@case
def mistakes_keep_the_host_from_starting():
    for words, why in (
            ('static echo "-p 7"', "unknown option -p"),
            ('static daytime "-f"', "option -f needs a value"),
            ('static chargen "x"', "unexpected argument 'x'"),
            ('static Service_Reporter "-p"', "option -p needs a value"),
            ('static Service_Reporter "-p nosuchport"', "nosuchport"),
            ('static Service_Manager "-c -t /no/file -p 0"', "/no/file")):
        done = run_berthd("-f", "{conf}", conf=words + "\n")
        assert done.returncode == 1, (words, done)
        assert re.search(r"svc\.conf:1:\d+: error: .*" + re.escape(why),
                         done.stderr), (words, done.stderr)


@case
def examples_of_the_manual_are_good():
    """In the pages of services and modules; that of a program has none."""
    pages = glob.glob(os.path.join(SOURCE, "man", "berth-*.8"))
    assert len(pages) >= 7, pages
    plugins = folder_of()
    for page in pages:
        with open(page, encoding="utf-8") as file:
            text = file.read()
        blocks = re.findall(r"^\.Bd -literal.*\n((?s:.*?))^\.Ed$", text,
                            re.MULTILINE)
        blocks = [b.replace("\\e", "\\").replace("\\&", "") for b in blocks
                  if re.match("static|dynamic|stream", b)]
        assert blocks or ".Bd" not in text, page
        for block in blocks:
            done = run_berthd("-t", "--plugin-path", plugins,
                              "-f", "{conf}", conf=block)
            assert done.returncode == 0, (page, block, done.stderr)
    shutil.rmtree(plugins)


def build_plugin(folder, name):
    """The same file as a plugin; no symbol may be left undefined."""
    path = os.path.join(folder, name + ".so")
    services = os.path.join(SOURCE, "services")
    subprocess.run(
        [*os.environ.get("CC", "cc").split(), "-shared", "-fPIC",
         "-fvisibility=hidden", "-D_GNU_SOURCE", "-Wl,-z,defs",
         "-I" + os.path.join(SOURCE, "include"), "-o", path,
         os.path.join(services, name + ".c"),
         os.path.join(services, "options.c")], check=True)
    os.chmod(path, 0o644)


@case
def each_simple_service_is_a_plugin_as_well():
    names = ("echo", "discard", "daytime", "time", "chargen")
    conf = "".join(
        "dynamic P%s Service_Object * %s:make_%s() "
        "{ listen = tcp:127.0.0.1:{p%d} }\n" % (name, name, name, number)
        for number, name in enumerate(names))
    with Host('static Service_Reporter "-p {p5}"') as host:
        os.chmod(host.folder, 0o755)
        for name in names:
            build_plugin(host.folder, name)
        host.write_conf('host { plugin_path = %s }\n' % host.folder +
                        'static Service_Reporter "-p {p5}"\n' + conf)
        host.reload()
        with host.connect(5) as client:
            told = receive_all(client).decode()
        assert all("P%s (active)" % name in told for name in names), told
        with host.connect(0) as client:
            assert exchange(client, b"hello") == b"hello"
        with host.connect(1) as client:
            assert exchange(client, b"hello") == b""
        with host.connect(2) as client:
            expect_line(receive_all(client), False)
        with host.connect(3) as client:
            assert len(receive_all(client)) == 4
        with host.connect(4) as client:
            assert receive(client, 7030) == pattern(7030)


main()
