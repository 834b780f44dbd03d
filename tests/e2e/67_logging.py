# SPDX-License-Identifier: BSD-2-Clause
"""The networked logging service: records of clients in files, and what people
see of them."""

import json
import os
import random
import re
import socket
import struct
import subprocess
import threading

from berth_e2e import (
    BUILD, SOURCE, TIMEOUT, case, main, receive, receive_all, wait_until)
from log_records import entries, record, text_of
from shipped import Shipped

CONF = 'dynamic Logs Service_Object * logging_server:make_logging_server() ' \
       '"%s" { listen = tcp:127.0.0.1:{p0} unix:{dir}/socket; %s }\n'


def server(words="-d {dir}", attributes="", **rest):
    return Shipped(CONF % (words, attributes), "logging_server", **rest)


def run(program, *words, data=None, status=0):
    done = subprocess.run(
        [os.path.join(BUILD, program), *words], input=data, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT,
        env=dict(os.environ, TZ="UTC"))
    assert done.returncode == status, done
    return done


def read(host, name="127.0.0.1.log"):
    try:
        with open(host.path(name), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def send_all(host, data):
    """Until the server has read and closed."""
    with host.connect(0) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        assert receive_all(client) == b""


def cut_off(client):
    try:
        return client.recv(100) == b""
    except ConnectionResetError:
        return True


@case
def every_form_and_every_split():
    forms = [record(b"%d%d" % (n, w), order, w) for n, order in
             enumerate("<>") for w in (False, True)]
    with server() as host:
        with host.connect(0) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"".join(forms):
                client.sendall(bytes([byte]))
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        assert entries(read(host)) == [("127.0.0.1", f) for f in forms]
        for at in range(1, len(forms[0])):
            send_all(host, forms[0][:at])  # an incomplete one is not kept
        assert len(entries(read(host))) == len(forms)
        assert "ended within a record" in host.log_text()


@case
def many_clients_at_once():
    """Whatever drives them."""
    for words in ("reactive", "thread", "pool 4"):
        with server(attributes="concurrency = " + words) as host:
            from_many_clients(host)


def from_many_clients(host):
    sent = {b"%d-%d" % (c, n) for c in range(20) for n in range(300)}
    clients = [host.connect(0) for _ in range(20)]

    def send(c):
        for n in range(300):
            clients[c].sendall(record(b"%d-%d" % (c, n), "<>"[c % 2]))
        clients[c].shutdown(socket.SHUT_WR)
        assert receive_all(clients[c]) == b""
        clients[c].close()

    threads = [threading.Thread(target=send, args=(c,)) for c in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    found = [text_of(r) for _, r in entries(read(host))]
    assert len(found) == len(sent) and set(found) == sent
    for c in range(20):  # each client's in its order
        mine = [t for t in found if t.startswith(b"%d-" % c)]
        assert mine == [b"%d-%d" % (c, n) for n in range(300)]


@case
def what_is_no_record():
    bad = [b"GET / HTTP/1.0\r\n\r\n", b"\1\0\0\0\x13\0\0\0" + b"x" * 19,
           b"\1\0\0\0" + struct.pack("<I", 70000),
           b"\1\0\0\0" + struct.pack("<I", 20) + b"\xff" * 20]
    with server("-d {dir} -m 1K") as host:
        for data in bad + [record(b"x" * 1024)]:
            with host.connect(0) as client:
                client.sendall(record(b"good") + data)
                assert cut_off(client)
        # What stood before the mistake is kept.
        found = entries(read(host))
        assert [text_of(r) for _, r in found] == [b"good"] * 5
        assert "no log records" in host.log_text()
        assert "too long" in host.log_text()


@case
def idle_clients_are_evicted():
    with server() as host:
        with host.connect(0) as client:
            client.sendall(record(b"one"))
            wait_until(lambda: read(host), what="the record")
            host.write_conf(CONF % ("-d {dir}", "idle_timeout = 200ms"))
            host.reload()
            assert receive_all(client) == b""
        assert len(entries(read(host))) == 1


@case
def rotation():
    one = record(b"x" * 100)
    with server("-d {dir} -s 1K -k 2") as host:
        for _ in range(40):
            send_all(host, one)
        sizes = [len(read(host, "127.0.0.1.log" + end))
                 for end in ("", ".1", ".2", ".3")]
        assert all(0 < size <= 1024 for size in sizes[:3]), sizes
        assert sizes[3] == 0
        for end in ("", ".1", ".2"):
            assert all(r == one for _, r in
                       entries(read(host, "127.0.0.1.log" + end)))


@case
def a_file_that_was_moved_away():
    with server() as host:
        with host.connect(0) as client:
            client.sendall(record(b"before"))
            wait_until(lambda: read(host), what="the first record")
            os.rename(host.path("127.0.0.1.log"), host.path("moved"))

            def made_again():
                client.sendall(record(b"after"))
                return read(host)
            wait_until(made_again, what="a new file")
        texts = [text_of(r) for _, r in entries(read(host, "moved"))]
        assert texts[0] == b"before"


@case
def one_file_and_reload():
    with server("-o one {dir}/all") as host:
        with host.connect(0) as client:
            client.sendall(record(b"1"))
            wait_until(lambda: read(host, "all"), what="the first record")
            host.write_conf(CONF % ("-o one {dir}/other", ""))
            host.reload()
            client.sendall(record(b"2"))  # served by the old one
            send_all(host, record(b"3"))
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        assert [text_of(r) for _, r in entries(read(host, "all"))] == [
            b"1", b"2"]
        assert [text_of(r) for _, r in entries(read(host, "other"))] == [b"3"]


@case
def acknowledgements():
    with server("-a -d {dir}") as host:
        with host.connect(0) as client:
            client.sendall(record(b"x") * 3)
            client.sendall(record(b"y")[:10])
            last = 0
            while last < 3:
                last = struct.unpack("!Q", receive(client, 8))[0]
            assert last == 3
            client.sendall(record(b"y")[10:])
            assert struct.unpack("!Q", receive(client, 8))[0] == 4


@case
def daemons():
    for name, marks in (
            ("syslog", (b"<11>", b" localhost[7]: a b")),
            ("journal", (b"PRIORITY=3\n", b"\nMESSAGE=a b\n"))):
        host = Shipped("static echo { listen = unix:{dir}/e }",
                       "logging_server")
        with host, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
            daemon.bind(host.path("daemon"))
            daemon.settimeout(TIMEOUT)
            host.write_conf(CONF % ("-o %s {dir}/daemon" % name, ""))
            host.reload()
            run("berth-logger", "-u", host.path("socket"), "-t", "ERROR",
                "-i", "7", "a\nb")
            heard = daemon.recv(65536)
            assert all(mark in heard for mark in marks), heard


@case
def logger_and_view():
    with server() as host:
        port = str(host.port(0))
        run("berth-logger", "-p", port, "-h", "127.0.0.1", "-t", "ERROR",
            "-i", "42", "two", "words")
        run("berth-logger", "-b", "-w", "-p", port, "-h", "127.0.0.1",
            data=b"line one\nline \x1b[2J two\n")
        run("berth-logger", "-u", host.path("socket"), data=b"z" * 200000)
        path, local = host.path("127.0.0.1.log"), host.path("localhost.log")
        lines = run("berth-logview", path).stdout.decode().splitlines()
        assert len(lines) == 3, lines
        fields = lines[0].split("|")
        assert fields[:3] == ["127.0.0.1", "128", "42"], fields
        assert fields[4] == "two words", fields
        assert lines[2].endswith("|line \\x1b[2J two"), lines
        objects = [json.loads(line) for line in run(
            "berth-logview", "--json", path, local).stdout.splitlines()]
        assert objects[0]["priority"] == "ERROR"
        assert objects[0]["text"] == "two words"
        assert "".join(o["text"] for o in objects[3:]) == "z" * 200000
        for words, count in ((("-p", "ERROR"), 1), (("-g", "line"), 2),
                             (("-i", "42"), 1), (("-H", "local*"), 4),
                             (("-p", "ERROR", "-g", "line"), 0)):
            found = run("berth-logview", *words, path, local).stdout
            assert found.count(b"\n") == count, (words, found)
        done = run("berth-logview", "-", data=read(host)[:-1], status=1)
        assert done.stdout.count(b"\n") == 2
        assert b"ends within this entry" in done.stderr
        done = run("berth-logview", data=read(host) + b"x\0junk ", status=1)
        assert b"no entry of a log" in done.stderr
        run("berth-logview", "-p", "LOUD", status=2)
        run("berth-logger", "-t", "LOUD", "x", status=2)
        run("berth-logger", "-u", host.path("none"), "x", status=1)


@case
def the_library():
    """The example of berth_log_client(3), compiled and run."""
    with open(os.path.join(SOURCE, "man", "berth_log_client.3"),
              encoding="utf-8") as file:
        example = re.search(r"^\.Bd -literal\n(.*?)^\.Ed", file.read(),
                            re.M | re.S).group(1).replace("\\e", "\\")
    with server() as host:
        host.write("example.c", example)
        compiler = os.environ.get("CC", "cc").split()
        folders = ["-I" + os.path.join(SOURCE, "include")]
        subprocess.run(
            [*compiler, *folders, "-std=c99", "-Wall", "-Wextra", "-pedantic",
             "-Werror", "-c", "-o", host.path("example.o"),
             host.path("example.c")], check=True)
        # The library's sources: itself may be made with a sanitizer.
        subprocess.run(
            [*compiler, *folders, "-D_GNU_SOURCE", "-o", host.path("example"),
             host.path("example.o"),
             *(os.path.join(SOURCE, "plugins", "logging", name)
               for name in ("log_client.c", "record.c"))], check=True)
        done = subprocess.run([host.path("example"), host.path("socket")],
                              check=False, timeout=TIMEOUT)
        assert done.returncode == 0
        name, one = entries(read(host, "localhost.log"))[0]
        assert name == "localhost"
        assert text_of(one) == b"the program has started"
        assert one[8:12] == struct.pack("=I", 0o100)
        assert subprocess.run(
            [host.path("example"), host.path("none")], check=False,
            stderr=subprocess.DEVNULL, timeout=TIMEOUT).returncode == 1


@case
def files_read_in_pieces():
    """Longer entries than what one reading brings, and every border."""
    random.seed(1)
    texts = [b"%d" % n * random.choice((1, 10, 3000, 40000))
             for n in range(60)]
    data = b"".join(b"host\0" + record(t, random.choice("<>")) for t in texts)
    found = run("berth-logview", "-j", data=data).stdout.splitlines()
    assert [json.loads(line)["text"].encode() for line in found] == texts


@case
def mistakes():
    for words, said in (
            ("-z 1", "no option -z"), ("-d", "needs a value"),
            ("-d /nonexistent", "/nonexistent"), ("-o what", "-o: hosts"),
            ("-o one", "into which file"), ("-m 5", "at least"),
            ("-s never", "'never' is no number"), ("9700 9701", "one port"),
            ("9700", "from `listen` already")):
        host = server(words, ready=False)
        assert host.wait_exit() == 1 and said in host.log_text(), (
            words, host.log_text())
        host.close()


main()
