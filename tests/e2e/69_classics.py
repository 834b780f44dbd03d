#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The services of the textbooks, as plugins: to the byte, whatever pieces a
client sends, and with those who vanish, flood or do not read."""

import os
import re
import socket
import struct
import threading

from berth_e2e import (
    case, main, receive, receive_all, receive_until_reset, run_berthd,
    wait_until)
from shipped import Shipped, folder_of

WORDS = ("reactive", "iterative", "thread 4", "pool 4")
ONE = 'dynamic X Service_Object * %s "%s" ' \
      '{ listen = tcp:127.0.0.1:{p0}; linger = 2s; concurrency = %s }\n'


def served(location, words="", concurrency="reactive", more=""):
    return Shipped(ONE % (location, words, concurrency) + more,
                   location.split(":")[0])


def reset(client):
    """Ends it so that the other side is told of a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    client.close()


def batch(client, data):
    """Sends all, ends its side, and reads until the end."""
    def send():
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)

    writer = threading.Thread(target=send)
    writer.start()
    got = receive_all(client)
    writer.join()
    return got


@case
def daytime_without_zeros():
    with Shipped("static daytime \"-f '%-m/%-d/%Y %-H:%-M:%-S'\" "
                 "{ listen = tcp:127.0.0.1:{p0} }\n", "echoes") as host:
        for _ in range(3):
            reset(host.connect(0))
            with host.connect(0) as client:
                line = receive_all(client).decode("ascii")
            found = re.fullmatch(
                r"(\d+)/(\d+)/(\d{4}) (\d+):(\d+):(\d+)\r\n", line)
            assert found, line
            assert all(str(int(n)) == n for n in found.groups()), line


@case
def lines_come_back_under_each_word():
    lines = [b"%d %s" % (n, b"x" * (n % 300)) for n in range(3000)]
    for word in WORDS:
        with served("echoes:make_echo_line()", concurrency=word) as host:
            with host.connect(0) as client:
                for text in (b"one\n", b"two\r\n", b"\n", b"a\0b\r\n"):
                    client.sendall(text)
                    line = text.rstrip(b"\r\n") + b"\r\n"
                    assert receive(client, len(line)) == line
                for byte in b"slow":  # half a line is not answered
                    client.sendall(bytes((byte,)))
                client.sendall(b"ly\n")
                assert receive(client, 8) == b"slowly\r\n"
            with host.connect(0) as client:
                got = batch(client, b"\n".join(lines))
                assert got == b"\r\n".join(lines) + b"\r\n", word


@case
def quit_is_the_last_line():
    for word in WORDS:
        with served("echoes:make_echo_line()", concurrency=word) as host:
            with host.connect(0) as client:
                # What comes behind it is no reason for a reset.
                client.sendall(b"a\nquit\n" + b"more\n" * 2000)
                assert receive_all(client) == b"a\r\nquit\r\n"
            with host.connect(0) as client:
                client.sendall(b"quit \nquits\nquit")
                client.shutdown(socket.SHUT_WR)
                assert receive_all(client) == b"quit \r\nquits\r\nquit\r\n"


@case
def half_a_line_holds_up_nobody():
    for word in ("reactive", "thread 4", "pool 4"):
        with served("echoes:make_echo_line()", concurrency=word) as host:
            with host.connect(0) as one, host.connect(0) as other:
                one.sendall(b"x")
                other.sendall(b"y\n")
                assert receive(other, 3) == b"y\r\n"
                one.sendall(b"\n")
                assert receive(one, 3) == b"x\r\n"


@case
def a_line_has_a_most():
    longest = b"l" * 4096
    with served("echoes:make_echo_line()") as host:
        with host.connect(0) as client:
            client.sendall(longest + b"\r\n")
            assert receive(client, 4098) == longest + b"\r\n"
            client.sendall(b"a\n" + longest + b"l\nb\n")
            assert receive_all(client) == b"a\r\n"


@case
def bytes_come_back_under_each_word():
    data = os.urandom(1 << 20) + b"quit\n"
    for word in WORDS:
        with served("echoes:make_echo_raw()", concurrency=word) as host:
            with host.connect(0) as client:
                assert batch(client, data) == data, word


@case
def capitals_of_who_sends_before_he_reads():
    data = bytes(range(256)) * 4096  # a mebibyte
    for word in WORDS:
        with served("upper:make_upper()", concurrency=word) as host:
            for _ in range(20):
                client = host.connect(0)
                client.sendall(data[:8192])
                reset(client)
            with host.connect(0) as client:
                client.sendall(b"first ")
                assert receive(client, 6) == b"FIRST "
                assert batch(client, data) == data.upper(), word


@case
def capitals_of_datagrams():
    with Shipped("dynamic X Service_Object * upper:make_upper() "
                 "{ listen = udp:127.0.0.1:{p0} }\n", "upper") as host:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(host.timeout)
            client.connect(("127.0.0.1", host.port(0)))
            client.send(b"z" * 4097)  # has no answer
            client.send(b"abc xyz 1")
            assert client.recv(9000) == b"ABC XYZ 1"


@case
def datagrams_in_the_log():
    with Shipped("dynamic Notes Service_Object * udplog:make_udplog() "
                 "\"-l notice -n 20\" { listen = udp:127.0.0.1:{p0} }\n",
                 "udplog") as host:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind(("127.0.0.1", 0))
            client.connect(("127.0.0.1", host.port(0)))
            sender = "127.0.0.1:%d" % client.getsockname()[1]
            for text, line in ((b"hello\r\n", "hello"),
                               (b"a\0b\x1b[2J\nc", "a b\\x1b[2J\\nc"),
                               (b"0123456789" * 3,
                                "01234567890123456789 ..."),
                               (b"", "")):
                client.send(text)
                wait_until(lambda line=line: "%s: %s\n" % (sender, line)
                           in host.log_text(), what=line)


@case
def words_that_are_not_understood():
    folder = folder_of()
    for location, words, reason in (
            ("echoes:make_echo_line()", "x", "takes no words, not 'x'"),
            ("udplog:make_udplog()", "-l loud",
             "-l: error, warning, notice, info or debug, not 'loud'"),
            ("udplog:make_udplog()", "-n 0",
             "-n: a number from 1 to 8192, not '0'"),
            ("udplog:make_udplog()", "-n", "option -n needs a value"),
            ("chat:make_chat()", "-m 0",
             "-m: a number from 1 to 100000, not '0'"),
            ("smpp:make_smpp()", "-u admin",
             "-u USER and -p PASSWORD are needed")):
        done = run_berthd(
            "-f", "{conf}", "--plugin-path", folder,
            conf='dynamic X Service_Object * %s "%s"\n' % (location, words))
        assert done.returncode == 1, done.stderr
        assert "init of 'X' failed: " + reason in done.stderr, done.stderr


# --- chat ------------------------------------------------------------------

class Member:
    """A client, and what he is to read next, to the byte."""

    def __init__(self, host, name=None):
        self.socket = host.connect(0)
        self.reads("Connect Success")
        if name is not None:
            self.says("login " + name)
            self.reads("login success")

    def says(self, line, end="\n"):
        self.socket.sendall((line + end).encode())

    def reads(self, text):
        got = receive(self.socket, len(text)).decode()
        assert got == text, (got, text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@case
def a_talk():
    with served("chat:make_chat()") as host:
        with Member(host, "anna") as anna, Member(host, "bert") as bert:
            anna.reads("bert has entered the room. \n")
            anna.says("say  hello all ")
            for member in (anna, bert):
                member.reads("anna:hello all\n")
            bert.says("look", end="\r\n")
            bert.reads("Online Users:\nanna\nbert\n")
            bert.says("say \x1b[2J\x07ha")
            for member in (anna, bert):
                member.reads("bert:[2Jha\n")
            bert.says("logout")
            anna.reads("bert has left the room.\n")
            bert.says("say unheard")
            bert.reads("Unknown command")
            bert.says("login carl")
            bert.reads("login success")
            anna.reads("carl has entered the room. \n")


@case
def before_the_door():
    with served("chat:make_chat()", "-n -m 2") as host:
        with host.connect(0) as first:
            assert receive(first, 16) == b"Connect Success\n"
            for line, text in (
                    (b"\n \t\r\nlogin\n", b"Username empty\n"),
                    (b"login  \n", b"Username empty\n"),
                    (b"say x\n", b"Unknown command\n"),
                    (b"LOGIN a\n", b"Unknown command\n"),
                    (b"login " + b"n" * 33 + b"\n", b"Username too long\n"),
                    (b"login " + b"n" * 32 + b"\n", b"login success\n"),
                    (b"login again\n", b"Unknown command\n")):
                first.sendall(line)
                assert receive(first, len(text)) == text, line
            with host.connect(0) as second, host.connect(0) as third:
                for client in (second, third):
                    receive(client, 16)
                second.sendall(b"login " + b"n" * 32 + b"\nlogin b\n")
                assert receive(second, 30) == \
                    b"Username exists\nlogin success\n"
                third.sendall(b"login c\n")
                assert receive(third, 10) == b"Room full\n"


@case
def who_vanishes_has_left():
    with served("chat:make_chat()") as host:
        with Member(host, "anna") as anna:
            for end in (reset, socket.socket.close,
                        lambda s: s.shutdown(socket.SHUT_WR)):
                bert = Member(host, "bert")
                anna.reads("bert has entered the room. \n")
                end(bert.socket)
                anna.reads("bert has left the room.\n")
                bert.socket.close()
            anna.says("look")
            anna.reads("Online Users:\nanna\n")
            with Member(host, "bert") as bert:
                anna.reads("bert has entered the room. \n")
                bert.says("x" * 1025)
                bert.reads("Line too long")
                assert receive_all(bert.socket) == b""
                anna.reads("bert has left the room.\n")


@case
def who_does_not_read_holds_up_nobody():
    text = "x" * 1000
    with Shipped("dynamic X Service_Object * chat:make_chat() { "
                 "listen = tcp:127.0.0.1:{p0}; output_limit = 16K; "
                 "send_buffer = 4K }\n", "chat") as host:
        with Member(host, "anna") as anna, Member(host, "deaf") as deaf:
            anna.reads("deaf has entered the room. \n")
            deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lines = anna.socket.makefile("rb")
            line = b""
            while line != b"deaf has left the room.\n":
                anna.says("say " + text)
                line = lines.readline()
                assert line == b"anna:%s\n" % text.encode() or \
                    line.startswith(b"deaf "), line
            lines.close()


# --- smpp ------------------------------------------------------------------

BIND, ENQUIRE, SUBMIT = 0x00000009, 0x00000015, 0x00000004


def frame(command, body=b"", sequence=1, status=0):
    return struct.pack(">IIII", 16 + len(body), command, status,
                       sequence) + body


def bind(user, password, sequence=1):
    return frame(BIND, user + b"\0" + password + b"\0rest", sequence)


def submit(text, sequence):
    body = b"\0\0\0src\0\0\0dst\0\0\0\0\0\0\0\0\0\0" + \
        bytes((len(text),)) + text
    return frame(SUBMIT, body, sequence)


def answer(command, body=b"", sequence=1, status=0):
    return frame(command | 0x80000000, body, sequence, status)


TALK = (
    (bind(b"root", b"abcdba", 1), answer(BIND, b"root\0", 1, 14)),
    (submit(b"early", 2), answer(SUBMIT, b"", 2, 4)),
    (frame(ENQUIRE, sequence=3), answer(ENQUIRE, sequence=3)),
    (bind(b"admin", b"abcdef", 4), answer(BIND, b"admin\0", 4)),
    (frame(0x99, b"unknown" * 30, 5), b""),
    (submit(b"hello there", 0xfffffff0), answer(SUBMIT, b"7\0", 0xfffffff0)),
    (frame(SUBMIT, b"\0\0\0src", 7), answer(SUBMIT, b"", 7, 2)),
    (submit(b"", 8), answer(SUBMIT, b"7\0", 8)),
)


@case
def short_messages_in_any_pieces():
    asked = b"".join(pair[0] for pair in TALK)
    told = b"".join(pair[1] for pair in TALK)
    for word in WORDS:
        with served("smpp:make_smpp()", "-u admin -p abcdef", word) as host:
            with host.connect(0) as client:
                for request, reply in TALK:  # each is answered at once
                    client.sendall(request)
                    assert receive(client, len(reply)) == reply
            with host.connect(0) as client:
                client.sendall(asked)
                assert receive(client, len(told)) == told
            with host.connect(0) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in asked:
                    client.sendall(bytes((byte,)))
                assert receive(client, len(told)) == told
            assert "from 'src' to 'dst', coding 0, 11 bytes: hello there\n" \
                in host.log_text()


@case
def what_is_no_frame_is_the_end():
    good = frame(ENQUIRE, sequence=9)
    with served("smpp:make_smpp()", "-a -u admin -p abcdef") as host:
        for length in (0, 15, 4097, 0xffffffff):
            with host.connect(0) as client:
                client.sendall(good + struct.pack(">I", length) + good[4:])
                assert receive_all(client) == answer(ENQUIRE, sequence=9)
        with host.connect(0) as client:
            client.sendall(submit(b"x", 3))
            assert receive(client, 18) == answer(SUBMIT, b"7\0", 3)


# --- duplex ----------------------------------------------------------------

def events(first, last):
    return b"".join(b"event %d\r\n" % n for n in range(first, last + 1))


@case
def commands_of_another_thread_are_not_lost():
    for word in ("reactive", "iterative", "process", "reactive; workers = 2"):
        with served("duplex:make_duplex()", concurrency=word) as host:
            for ending in b"stop\n", b"":
                with host.connect(0) as client:
                    client.sendall(b"hello\r\nsend 1000\n")
                    got = receive(client, 16 + len(events(1, 1000)))
                    assert got == b"you said hello\r\n" + events(1, 1000), word
                    # Many at once are one event, and all are done.
                    client.sendall(b"send 3\n" * 100 + ending)
                    if not ending:
                        client.shutdown(socket.SHUT_WR)
                    assert receive_all(client) == events(1001, 1300), word


@case
def workers_have_events_of_their_own():
    with served("duplex:make_duplex()", more="host { log_level = info }\n") \
            as host:
        clients = [host.connect(0) for _ in range(20)]
        for number, client in enumerate(clients):
            client.sendall(b"send %d\n" % (100 + number))
        for number, client in enumerate(clients):
            want = events(1, 100 + number)
            assert receive(client, len(want)) == want, number
            client.sendall(b"send 0\nstop\nsend x\n")
        for client in clients:
            assert receive_until_reset(client).startswith(
                b"you said send 0\r\n")
            client.close()


@case
def who_does_not_read_is_not_commanded_for_ever():
    with served("duplex:make_duplex()") as host, host.connect(0) as slow, \
            host.connect(0) as quick:
        slow.sendall(b"send 400000\nlast words\nstop\n")
        for _ in range(20):
            quick.sendall(b"send 10\n")
        assert receive(quick, len(events(1, 200))) == events(1, 200)
        want = events(1, 400000)
        got = receive_all(slow)
        assert got.replace(b"you said last words\r\n", b"", 1) == want


@case
def a_commander_ends_with_its_service():
    with served("duplex:make_duplex()", concurrency="reactive; drain = 0") \
            as host:
        before = int(host.status()["Threads"])
        with host.connect(0) as client:
            client.sendall(b"send 1000000\n")
            assert receive(client, 9) == b"event 1\r\n"
            host.write_conf("static echo { listen = tcp:127.0.0.1:{p1} }\n"
                            "host { reload = exact }\n")
            text = "\n".join(host.reload())
            assert "- X" in text, text
            receive_until_reset(client)
        wait_until(lambda: int(host.status()["Threads"]) == before - 1 and
                   "duplex" not in host.maps(), what="the commander has ended")


main()
