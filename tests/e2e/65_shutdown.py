# SPDX-License-Identifier: BSD-2-Clause
"""The plugin server_shutdown: who may end the host, and who may not."""

import socket
import subprocess

from berth_e2e import BERTHD, TIMEOUT, case, main, receive_all
from shipped import Shipped

CONF = 'dynamic Shutdown Service_Object * ' \
       'server_shutdown:make_server_shutdown() "%s" %s\n'
UNIX = "{ listen = unix:{dir}/quit tcp:127.0.0.1:{p0} }"


def start(words="", attributes=UNIX, **rest):
    return Shipped(CONF % (words, attributes), "server_shutdown", **rest)


def say(host, line):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(TIMEOUT)
        client.connect(host.path("quit"))
        client.sendall(line)
        client.shutdown(socket.SHUT_WR)
        return receive_all(client)


@case
def its_word_ends_the_host():
    with start() as host:
        for line in (b"quit!\n", b"\n", b"qui\nt\n"):
            assert b"say quit\n" in say(host, line)
        assert host.running()
        say(host, b"quit\r\n")
        assert host.wait_exit() == 0
        assert "to end the host" in host.log_text()
    with start("-w 'good night'") as host:
        assert say(host, b"quit\n") == b"say good night\n"
        say(host, b"good night\n")
        assert host.wait_exit() == 0


@case
def it_is_not_for_everybody():
    with start() as host:
        with host.connect(0) as client:
            assert receive_all(client) == b"this is not for you\n"
        try:
            say(host, b"x" * 1000)
        except ConnectionError:
            pass
        assert host.running()


@case
def standard_input():
    with start("-i", "") as host:  # it is /dev/null
        assert host.running()
        host.write_conf("static echo { listen = unix:{dir}/e }\n")
        host.reload()
        assert host.running()
    with start() as host:
        other = subprocess.Popen(
            [BERTHD, "--plugin-path", host.plugins, "-f", "/dev/null", "-S",
             (CONF % ("-i", "")).strip()],
            stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        other.stdin.write(b"x" * 500 + b"\nno\nqu")
        other.stdin.flush()
        other.stdin.write(b"it\n")
        other.stdin.flush()
        assert other.wait(TIMEOUT) == 0
        other.stdin.close()


@case
def mistakes():
    for words, attributes, said in (
            ("", "", "does not read standard input"),
            ("-x", UNIX, "'-x': -i, or -w"), ("-w", UNIX, "'-w': -i")):
        host = start(words, attributes, ready=False)
        assert host.wait_exit() == 1 and said in host.log_text(), (
            words, host.log_text())
        host.close()


main()
