# SPDX-License-Identifier: BSD-2-Clause
"""Written once, run under every combination: the table of svc.conf(5), cell by
cell, and the same two plugins in each of its rows, which differ in one word."""

import os
import re
import socket

from berth_e2e import (
    BUILD, SOURCE, TIMEOUT, ask_udp, case, main, receive, run_berthd,
    wait_until)
from crowd import crowd, end, read, read_all, send
from fleets import fleet
from steered import HELLO, SANITIZED, Steered

SESSIONS = 100 if SANITIZED else 1000
SLOW = 3
WORDS = {"pool": "pool 4"}
COUNTS = {"N": 3}
ECHOES = os.path.join(BUILD, "plugins", "echoes", ".libs")

CONF = """host { log_level = warning }
defaults { %s = %s; %s = %s; drain = 0 }
dynamic Echo Service_Object * echoes:make_echo_raw()
    { listen = tcp:127.0.0.1:{p1} }
dynamic Lines Service_Object * echoes:make_echo_line()
    { listen = tcp:127.0.0.1:{p2} }
dynamic Hello Service_Object * hello:make_hello()
    { listen = tcp:127.0.0.1:{p3} }
defaults { concurrency = reactive; workers = 0 }
"""

# A column of the table -> a file with such a service.
COLUMNS = {
    "callbacks": "dynamic S Service_Object * echoes:make_echo_raw() "
                 "{ listen = tcp:127.0.0.1:{p1}; %s }\n",
    "sequence": "dynamic S Service_Object * hello:make_hello() "
                "{ listen = tcp:127.0.0.1:{p1}; %s }\n",
    "not concurrent": "dynamic S Service_Object * worker:make_worker() "
                      "{ listen = tcp:127.0.0.1:{p1}; %s }\n",
    "datagrams": "dynamic S Service_Object * :echo() "
                 "{ listen = udp:127.0.0.1:{p1}; %s }\n",
    "stream": "stream dynamic Around STREAM * :stream() {\n"
              "    dynamic Hex Module * hexdump:make_hexdump() "
              "\"-f {dir}/dump\"\n}\n"
              "dynamic S Service_Object * :echo() "
              "{ listen = tcp:127.0.0.1:{p1}; stream = Around; %s }\n",
    "hands over": "dynamic S Service_Object * :tcpmux() "
                  "{ listen = tcp:127.0.0.1:{p1}; %s }\n",
    "program": "dynamic S Program * /bin/cat "
               "{ listen = tcp:127.0.0.1:{p1}; %s }\n",
}
# What a letter of the table stands for: what the host says.
REASONS = {
    "a": "can't run in several threads.*BERTH_CONCURRENT",
    "b": "a datagram is no connection to hand over",
    "c": "hands connections over to services of the host",
    "d": "is a program, which is a process for each client",
}


def table():
    """[(concurrency, workers, column, cell)] of svc.conf(5)."""
    with open(os.path.join(SOURCE, "man", "svc.conf.5"),
              encoding="ascii") as file:
        text = file.read().split(".Sh CONCURRENCY")[1].split(".Sh ")[0]
    rows = [re.split(r"\s+Ta\s+", line[4:]) for line in text.splitlines()
            if line.startswith(".It ") and " Ta " in line]
    names = [cell.replace("Sy ", "") for cell in rows[0]]
    assert names == ["concurrency", "workers", *COLUMNS], names
    cells = [(row[0].replace("Cm ", ""), row[1], column, cell)
             for row in rows[1:]
             for column, cell in zip(names[2:], row[2:], strict=True)]
    assert len(cells) == 5 * 3 * len(COLUMNS), len(cells)
    assert {cell[:2] for cell in cells} == {
        (word, count) for word in ("iterative", "reactive", "thread", "pool",
                                   "process") for count in ("0", "1", "N")}
    # Each letter is explained, and stands in the table.
    assert {cell[3] for cell in cells} == {"yes", *REASONS}
    for letter in REASONS:
        assert ".It %s\n" % letter in text, letter
    return cells


def attributes(word, count):
    return "concurrency = %s; workers = %s" % (
        WORDS.get(word, word), COUNTS.get(count, count))


class Shipped(Steered):
    def _start(self, *rest):
        self.copy_plugins("echoes", source=ECHOES)
        self.copy_plugins("hello", source=HELLO)
        self.copy_plugins("worker")
        self.copy_plugins("hexdump", source=os.path.join(
            BUILD, "plugins", "around", ".libs"))
        super()._start(*rest)


# --- the table ----------------------------------------------------------------

@case
def a_check_says_what_the_table_says():
    with Shipped("") as host:
        for word, count, column, cell in table():
            conf = host.fill(COLUMNS[column] % attributes(word, count))
            done = run_berthd("--plugin-path", host.plugins, "-t", "-f",
                              "{conf}", conf=conf)
            what = word, count, column, done.stderr
            if cell == "yes":
                assert done.returncode == 0, what
            else:
                assert done.returncode == 1, what
                assert re.search(r"svc\.conf:\d+:\d+: error: 'S'.*" +
                                 REASONS[cell], done.stderr), what


def serves(host, port, column):
    if column == "datagrams":
        assert ask_udp(host.port(port), b"one") == b"one"
        return
    ask, answer = {
        "sequence": (b"me\nwords\n", b"Hello me, this is PID "),
        "hands over": (b"nobody\r\n", b"-no such service\r\n"),
    }.get(column, (b"some words\n", b"some words\n"))
    with host.connect(port) as client:
        client.sendall(ask)
        assert receive(client, len(answer)) == answer, column


@case
def a_reload_does_what_the_table_says():
    with Shipped("") as host:
        # Each at a port of its own: workers that end may still hold theirs.
        for number, (word, count, column, cell) in enumerate(table(), 10):
            conf = COLUMNS[column].replace("{p1}", "{p%d}" % number)
            host.write_conf(conf % attributes(word, count) +
                            "host { reload = exact }\n")
            log = "\n".join(host.reload())
            what = word, count, column, log
            if cell == "yes":
                assert "nothing changed" not in log, what
                serves(host, number, column)
            else:
                assert "nothing changed" in log, what
                assert re.search(REASONS[cell], log), what


# --- the matrix ---------------------------------------------------------------

def pattern(number, size):
    words = b"%06d the quick brown fox\n" % number
    return (words * (size // len(words) + 1))[:size - 1] + b"\n"


def echo(number, answer=lambda text: text):
    """One way or another to send a text and get it back."""
    text = pattern(number, 50 + number * 37 % 2000)
    want, way = answer(text), number % 4
    half = text.index(b"\n") + 1

    def talk(client):
        yield from send(client, text[:half])
        if way == 0:  # in pieces, and the end before anything is read
            yield from send(client, text[half:])
            end(client)
            assert (yield from read_all(client)) == want
            return
        if way == 1:  # the first line comes back before the rest is sent
            first = answer(text[:half])
            assert (yield from read(client, len(first))) == first
            yield from send(client, text[half:])
            end(client)
            assert (yield from read_all(client)) == want[len(first):]
            return
        yield from send(client, text[half:])
        assert (yield from read(client, len(want))) == want
        if way == 2:  # the end comes last
            end(client)
            assert (yield from read_all(client)) == b""
    return talk


def slow(number, answer=lambda text: text):
    """Sends until the host takes no more, and still reads nothing."""
    text = pattern(number, 1 << 20)
    want = answer(text)

    def talk(client):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        left, refused = memoryview(text), 0
        while left and refused < 5:
            try:
                left = left[client.send(left):]
            except BlockingIOError:
                refused += 1
                yield 0.01
        got = []
        size = 0
        while size < len(want):
            try:
                left = left[client.send(left):] if left else left
            except BlockingIOError:
                pass
            part = yield from read(client, min(1 << 14, len(want) - size))
            assert part, "the end after %d bytes" % size
            got.append(part)
            size += len(part)
        assert b"".join(got) == want
        end(client)
        assert (yield from read_all(client)) == b""
    return talk


def hello(number, pids, is_slow=False):
    """In one piece, in two, with an end before the answer, or byte by byte."""
    words = b"word%d" % number * (number % 30 + 1)
    lines = b"client%d\n" % number, words + b"\n"

    def talk(client):
        if number % 3 == 0:
            yield from send(client, lines[0] + lines[1])
        else:
            yield from send(client, lines[0])
            yield from send(client, lines[1])
        if number % 3 == 1:
            end(client)
        if is_slow:
            yield 0.05
            parts = []
            while part := (yield from read(client, 1)):
                parts.append(part)
            answer = b"".join(parts)
        else:
            answer = yield from read_all(client)
        match = re.fullmatch(rb"Hello client%d, this is PID (\d+)\n(.*)"
                             % number, answer)
        assert match and match.group(2) == words, answer
        pids.append(int(match.group(1)))
    return talk


def with_crlf(text):
    return text.replace(b"\n", b"\r\n")


def visits(host, pids):
    for number in range(SESSIONS):
        is_slow = number % (SESSIONS // SLOW) == 10
        yield host.port(1), (slow if is_slow else echo)(number)
        yield host.port(3), hello(number, pids, is_slow)
        if number % 10 == 0:  # sequential code, too, has slow readers
            yield host.port(2), (slow if is_slow or number == 0 else echo)(
                number, with_crlf)


def counted(host, name, least=0):
    """Clients served and failed, as soon as so many are counted."""
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        wait_until(lambda: manager.json("show " + name)["served"] >= least,
                   what="%s has served" % name)
        shown = manager.json("show " + name)
    return shown["served"], shown["failed"]


def where(host, word, count, pids):
    """The processes that served are those that should."""
    if word == "process":
        assert len(set(pids)) == SESSIONS and host.pid not in pids
    elif count == "0":
        assert set(pids) == {host.pid}, set(pids)
    else:
        assert set(pids) <= set(fleet(host, "Hello").values()), set(pids)


@case
def the_same_bytes_in_every_row_of_the_table():
    rows = list(dict.fromkeys(cell[:2] for cell in table()))
    with Shipped(CONF % ("concurrency", "reactive", "workers", "0")) as host:
        for word, count in rows:
            host.write_conf(CONF % (
                "concurrency", WORDS.get(word, word),
                "workers", COUNTS.get(count, count)))
            log = "\n".join(host.reload())
            assert "nothing changed" not in log, (word, count, log)
            # How many wait as processes is changed while they serve.
            before = {name: counted(host, name)[0]
                      for name in ("Echo", "Hello")}
            pids = []
            crowd(visits(host, pids), timeout=3 * TIMEOUT)
            where(host, word, count, pids)
            for name, served in before.items():
                want = served + SESSIONS
                assert counted(host, name, want) == (want, 0), (
                    word, count, name, counted(host, name))


main()
