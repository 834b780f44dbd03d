# SPDX-License-Identifier: BSD-2-Clause
"""Programs with modules around their connections: what reaches them and comes
back, whoever ends first and whoever is slow."""

import os
import socket
import sys
import threading

from berth_e2e import (
    BUILD, case, main, receive, receive_all, run_berthd, wait_until)
from fleets import alive, children
from shipped import Shipped
from steered import SANITIZED, Steered

PROBE = os.path.join(BUILD, "tests", "programs", "probe")
STREAM = """
stream dynamic Around STREAM * :stream() {
    dynamic Pass Module * around:make_pass()
    dynamic Moved Module * around:make_moved()
}
"""

HALF = """
import os, socket, sys
both = socket.socket(fileno=0)
both.sendall(b"go\\n")
both.shutdown(socket.SHUT_WR)
with open(sys.argv[1] + ".new", "wb") as file:
    while data := both.recv(100):
        file.write(data)
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""


def program(command, more=""):
    """What sh does, as a service on {p0}."""
    return STREAM + """
dynamic P Program * /bin/sh "-c '%s'" {
    listen = tcp:127.0.0.1:{p0}
    stream = Around
    %s
}
""" % (command, more)


class Wrapped(Steered):
    def __init__(self, conf):
        super().__init__("")
        self.copy_plugins("around")
        self.write_conf(conf)
        text = "\n".join(self.reload())
        assert "+ P" in text, text


def exchange(client, data):
    """Sends all, while it receives all; the client ends first."""
    sender = threading.Thread(
        target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
    sender.start()
    got = receive_all(client)
    sender.join()
    return got


@case
def much_in_both_directions():
    data = bytes(range(256)) * 16384
    with Wrapped(program("exec cat")) as host:
        for size in (0, 1, 70000, len(data)):
            with host.connect() as client:
                assert exchange(client, data[:size]) == data[:size], size
        wait_until(lambda: children(host) == [], what="no program")


@case
def half_closes_of_either_side():
    # The client has ended, and is answered for what it said.
    with Wrapped(program("wc -c; echo done")) as host:
        with host.connect() as client:
            assert exchange(client, b"x" * 100000).split() == \
                [b"100000", b"done"]
    # One that ends without having read all: what it wrote comes nevertheless.
    with Wrapped(program("head -c 5; echo enough")) as host:
        for _ in range(20):
            with host.connect() as client:
                client.sendall(b"12345" + b"x" * 100000)
                assert receive_all(client) == b"12345enough\n"
    # A program that says no more, but reads.
    with Wrapped(program("exec %s {dir}/half.py {dir}/heard"
                         % sys.executable)) as host:
        host.write("half.py", HALF)
        with host.connect() as client:
            assert receive_all(client) == b"go\n"
            client.sendall(b"it hears")
        wait_until(lambda: os.path.exists(host.path("heard")),
                   what="what it has heard")
        with open(host.path("heard"), "rb") as file:
            assert file.read() == b"it hears"


@case
def who_reads_slowly_holds_up_the_program_alone():
    with Wrapped(program("exec cat /dev/zero",
                         "output_limit = 64K")) as host:
        with host.connect() as slow:
            receive(slow, 100000)
            with host.connect() as quick:
                before = host.rss_kb()
                receive(quick, 4 << 20)
                if not SANITIZED:
                    assert host.rss_kb() - before < 2048
            receive(slow, 1 << 20)
    # And one that does not read holds up its client.
    with Wrapped(program("sleep 1000",
                         "input_limit = 16K; receive_buffer = 16K")) as host:
        with host.connect() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
            client.settimeout(2)
            sent = 0
            try:
                while sent < 64 << 20:
                    sent += client.send(b"x" * 65536)
                raise AssertionError("nobody held it up")
            except TimeoutError:
                pass


@case
def what_reaches_it():
    conf = STREAM + """
dynamic P Program * %s { listen = tcp:127.0.0.1:{p0}; stream = Around }
""" % PROBE
    with Wrapped(conf) as host:
        with host.connect() as client:
            said = receive_all(client).decode().splitlines()
        assert "fds=0 1 2 " in said, said
        assert "env TCPREMOTEIP=192.0.2.1" in said, said
        assert "env TCPREMOTEPORT=99" in said, said


@case
def limits_and_ends():
    conf = program("exec sleep 1000", "idle_timeout = 300ms")
    with Wrapped(conf) as host:
        with host.connect() as client:
            wait_until(lambda: len(children(host)) == 1)
            assert receive_all(client) == b""
        wait_until(lambda: children(host) == [], what="its end")
        # With the attribute it is another kind of service.
        host.write_conf(conf.replace("stream = Around", ""))
        text = "\n".join(host.reload())
        assert "> P (stream" in text, text
        host.write_conf(conf.replace("idle_timeout = 300ms", "drain = 100ms"))
        text = "\n".join(host.reload())
        assert "> P (" in text, text
        with host.connect() as client:
            wait_until(lambda: len(children(host)) == 1)
            host.write_conf("static echo { listen = tcp:127.0.0.1:{p1} }\n"
                            "host { reload = exact }\n")
            host.reload()
            try:
                assert receive_all(client) == b""
            except ConnectionResetError:
                pass
        wait_until(lambda: children(host) == [], what="its end")
    # One whose session has ended in order, and that stays.
    with Wrapped(program("exec >&- 2>&- <&-; exec sleep 1000")) as host:
        with host.connect() as client:
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        pid, = children(host)
        host.write_conf("static echo { listen = tcp:127.0.0.1:{p1} }\n"
                        "host { reload = exact }\n")
        host.reload()
        wait_until(lambda: not alive(pid), what="the program's end")


@case
def a_program_that_cannot_start():
    conf = program("exit").replace(
        "/bin/sh \"-c 'exit'\"", "{dir}/none")
    with Steered("") as host:
        host.copy_plugins("around")
        host.write("none", "#!/no/such/interpreter\n")
        os.chmod(host.path("none"), 0o755)
        host.write_conf(conf)
        host.reload()
        with host.connect() as client:
            assert receive_all(client) == b""
        host.wait_log("P: cannot start .*none")


@case
def what_is_refused():
    with Steered("") as host:
        host.copy_plugins("around")
        host.write_conf(program("exit", "wait = yes"))
        done = run_berthd("-t", "-f", host.path("svc.conf"),
                          "--plugin-path", host.plugins)
        assert done.returncode == 1
        assert "accepts its clients itself" in done.stderr, done.stderr


@case
def a_copy_of_what_a_program_says():
    conf = """
    stream dynamic Copied STREAM * :stream() {
        dynamic Tee Module * tee:make_tee() "-f {dir}/copy"
    }
    dynamic P Program * /bin/cat { listen = tcp:127.0.0.1:{p0}; stream = Copied }
    """
    with Shipped(conf, "tee") as host:
        with host.connect() as client:
            assert exchange(client, b"hello\n") == b"hello\n"

        def copied():
            with open(host.path("copy"), "rb") as file:
                return file.read()
        wait_until(lambda: b"< hello" in copied(), what="the copy")


if __name__ == "__main__":
    main()
