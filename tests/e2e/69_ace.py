# SPDX-License-Identifier: BSD-2-Clause
"""Records of programs that are written against the real libace, and ours as a
server of libace understands them.

libace is Debian's, unpacked into the build folder.  What its client sent is
also kept here, so that both byte orders are seen on every machine."""

import os
import shlex
import socket
import struct
import subprocess

from berth_e2e import (
    BUILD, SOURCE, TIMEOUT, case, main, receive_all, wait_until)
from log_records import entries
from shipped import Shipped
from stock import FOLDER, LIBRARIES, ROOT, unpack

CONF = 'dynamic Logs Service_Object * logging_server:make_logging_server() ' \
       '"-d {dir}" { listen = tcp:127.0.0.1:{p0} }\n'

# Sent by ACE_Log_Msg of libace 7.0.8 on a machine of little endian: "hello
# world" as LM_ERROR, "that is all" as LM_DEBUG, each with its NUL.
FIXTURE = bytes.fromhex(
    "01b3f05d240000008000000043190000617502" "6b00000000b48c09000c000000"
    "68656c6c6f20776f726c6400"
    "01b3f05d240000000400000043190000617502" "6b000000008fc709000c000000"
    "7468617420697320616c6c00")
SHOWN = ["128|6467|1795323233|625844|hello world",
         "4|6467|1795323233|640911|that is all"]


def swapped(data):
    """The same records as a machine of big endian sends them."""
    made, at = b"", 0
    while at < len(data):
        length, kind, pid, secs, usecs, size = struct.unpack_from(
            "<IiiqiI", data, at + 4)
        text = data[at + 32:at + 32 + size]
        made += bytes([0]) + data[at + 1:at + 4] + struct.pack(
            ">IiiqiI", length, kind, pid, secs, usecs, size) + text
        at += 8 + length
    return made


def peer():
    """The program of both ends, compiled once."""
    unpack("libace-7.0.8 libace-dev")
    made = os.path.join(FOLDER, "ace_peer")
    source = os.path.join(SOURCE, "tests", "e2e", "ace_peer.cc")
    if not os.path.exists(made) or \
            os.path.getmtime(made) < os.path.getmtime(source):
        folders = LIBRARIES.split(":")
        subprocess.run(
            [*shlex.split(os.environ.get("CXX", "c++")), "-std=c++17", "-O0",
             "-I" + os.path.join(ROOT, "usr", "include"), "-o", made + ".new",
             source, *("-L" + folder for folder in folders), "-lACE",
             "-pthread"], check=True, timeout=300)
        os.rename(made + ".new", made)
    return made


def start_peer(*words):
    return subprocess.Popen(
        [peer(), *words], stdout=subprocess.PIPE, text=True,
        env=dict(os.environ, LD_LIBRARY_PATH=LIBRARIES))


def shown(host):
    """What berth-logview makes of the file, without the time in words."""
    done = subprocess.run(
        [os.path.join(BUILD, "berth-logview"), "-j",
         host.path("127.0.0.1.log")],
        check=True, stdout=subprocess.PIPE, timeout=TIMEOUT, text=True)
    return [line for line in done.stdout.splitlines() if line]


def texts(host):
    return [line.split('"text":')[1] for line in shown(host)]


@case
def a_client_of_libace():
    with Shipped(CONF, "logging_server") as host:
        client = start_peer("client", str(host.port(0)), "one", "zwei")
        assert client.communicate(timeout=TIMEOUT)[0] == ""
        assert client.returncode == 0
        wait_for_records(host, 3)
        assert texts(host) == ['"one"}', '"zwei"}', '"that is all"}']
        first = shown(host)[0]
        assert '"priority":"ERROR"' in first, first
        assert '"pid":%d,' % client.pid in first, (client.pid, first)


def wait_for_records(host, count):
    """The client does not wait for the server."""
    def there():
        try:
            with open(host.path("127.0.0.1.log"), "rb") as file:
                return len(entries(file.read())) >= count
        except (OSError, ValueError, AssertionError, struct.error):
            return False
    wait_until(there, what="%d records" % count)


@case
def what_it_sent_in_both_orders():
    with Shipped(CONF, "logging_server") as host:
        for data in (FIXTURE, swapped(FIXTURE)):
            with host.connect(0) as client:
                client.sendall(data)
                client.shutdown(1)
                assert receive_all(client) == b""
        lines = shown(host)
        assert len(lines) == 4 and lines[:2] == lines[2:], lines
        for line, wanted in zip(lines, SHOWN):
            kind, pid, secs, usecs, text = wanted.split("|")
            for mark in ('"type":' + kind, '"pid":' + pid, '"secs":' + secs,
                         '"usecs":' + usecs, '"text":"%s"' % text):
                assert mark in line, (mark, line)


@case
def a_server_of_libace():
    """Both orders of what it was sent, and both orders of what we send."""
    for send in (FIXTURE, swapped(FIXTURE), ("-w",), ("-w", "-b")):
        server = start_peer("server")
        port = int(server.stdout.readline())
        if isinstance(send, bytes):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(send)
            wanted = SHOWN
        else:
            subprocess.run(
                [os.path.join(BUILD, "berth-logger"), *send, "-h",
                 "127.0.0.1", "-p", str(port), "-t", "ERROR", "-i", "77",
                 "of", "ours"], check=True, timeout=TIMEOUT)
            wanted = ["of ours"]
        lines = server.communicate(timeout=TIMEOUT)[0].splitlines()
        assert server.returncode == 0
        if wanted is SHOWN:
            assert lines == SHOWN, lines
        else:
            assert len(lines) == 1, lines
            assert lines[0].startswith("128|77|"), lines
            assert lines[0].endswith("|of ours"), lines


# Before the cases, which have a limit of time.
peer()
main()
