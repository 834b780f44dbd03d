# SPDX-License-Identifier: BSD-2-Clause
"""The plugin health: one run for all who ask, within its time, in the form
that each understands."""

import http.client
import os
import socket
import threading

from berth_e2e import TIMEOUT, case, main, receive_all, wait_until
from shipped import Shipped

CONF = "host { shutdown = 1s }\n" \
       'dynamic H Service_Object * health:make_health() "%s" ' \
       '{ listen = tcp:127.0.0.1:{p0} }\n'


def health(words, script):
    host = Shipped("static echo { listen = tcp:127.0.0.1:{p1} }\n", "health",
                   files={"script": "#!/bin/sh\n" + script})
    os.chmod(host.path("script"), 0o755)
    host.write_conf(CONF % (words + " {dir}/script"))
    host.reload()
    return host


def get(host, method="GET"):
    """(status, text) of an HTTP client.  One that was held up between its
    connection and its question had the plain answer, and asks again."""
    for _ in range(10):
        client = http.client.HTTPConnection(
            "127.0.0.1", host.port(0), timeout=TIMEOUT)
        try:
            client.request(method, "/")
            reply = client.getresponse()
            return reply.status, reply.read().decode()
        except (http.client.BadStatusLine, ConnectionError) as problem:
            latest = problem
        finally:
            client.close()
    raise latest


def plain(host, words=b"", end=True):
    with host.connect(0) as client:
        client.sendall(words)
        if end:
            client.shutdown(socket.SHUT_WR)
        return receive_all(client).decode()


def count(host):
    try:
        with open(host.path("runs"), encoding="ascii") as file:
            return len(file.readlines())
    except FileNotFoundError:
        return 0


@case
def forms():
    with health("-c 0", "echo all is well") as host:
        assert get(host) == (200, "all is well\n")
        assert get(host, "HEAD") == (200, "")
        assert plain(host) == "all is well\n"
        assert plain(host, b"status\r\n", end=False) == "all is well\n"
        assert plain(host, b"", end=False) == "all is well\n"
        # In pieces, and with a header that comes late; who is too slow for
        # that tries again.
        def in_pieces():
            with host.connect(0) as client:
                for piece in (b"G", b"ET", b" / HTTP/1.0\r\n"):
                    client.sendall(piece)
                return receive_all(client).startswith(b"HTTP/1.1 200 OK\r\n")
        wait_until(in_pieces)
    with health("-c 0", "echo broken >&2; exit 3") as host:
        assert get(host) == (503, "broken\n")
        assert plain(host) == "broken\n"
    with health("-c 0 -f http", "exit 1") as host:
        assert plain(host, b"x\n").startswith("HTTP/1.1 503 Service")
    with health("-c 0 -f plain", "exit 0") as host:
        assert plain(host, end=False) == "ok\n"
    with health("-c 0", r"printf 'HTTP/1.1 404 Own\r\n"
                r"Content-Length: 0\r\n\r\n'") as host:
        assert get(host) == (404, "")


@case
def a_thousand_askers_are_one_run():
    script = "echo x >> {dir}/runs; while [ ! -e {dir}/go ]; do " \
             "sleep 0.05; done; echo done"
    with health("-c 1m", script) as host:
        clients = [host.connect(0) for _ in range(1000)]
        for client in clients:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        wait_until(lambda: count(host) == 1, what="the run")
        host.write("go", "")
        for client in clients:
            assert receive_all(client).endswith(b"done\n")
            client.close()
        # And of the cache.
        for _ in range(100):
            assert plain(host) == "done\n"
        assert count(host) == 1


@case
def the_cache_ends():
    with health("-c 100ms", "echo x >> {dir}/runs; wc -l < {dir}/runs") \
            as host:
        assert plain(host).strip() == "1"
        wait_until(lambda: plain(host).strip() == "2", what="a second run")


@case
def what_is_stale_is_given_meanwhile():
    script = "echo x >> {dir}/runs; [ $(wc -l < {dir}/runs) = 1 ] || " \
             "while [ ! -e {dir}/go ]; do sleep 0.05; done; " \
             "wc -l < {dir}/runs"
    with health("-c 1ms -s 1m", script) as host:
        assert plain(host).strip() == "1"
        wait_until(lambda: plain(host).strip() == "1" and count(host) == 2,
                   what="a run behind the stale verdict")
        host.write("go", "")
        wait_until(lambda: plain(host).strip() != "1", what="the new one")


@case
def too_long_is_killed_with_all_its_children():
    script = "sleep 1000 & echo $! > {dir}/child; echo begun; sleep 1000"
    with health("-t 3s -c 1m", script) as host:
        status, text = get(host)
        assert status == 503, (status, text)
        assert text == "begun\nkilled: not done within 3000 ms\n", text
        with open(host.path("child"), encoding="ascii") as file:
            child = int(file.read())

        def gone():
            try:
                with open("/proc/%d/stat" % child, encoding="ascii") as file:
                    return file.read().split()[2] in "ZX"
            except FileNotFoundError:
                return True
        wait_until(gone, what="the end of the child")


@case
def a_child_that_stays_holds_nobody_up():
    with health("-t 60m -c 1m", "sleep 1000 & echo quick") as host:
        assert plain(host) == "quick\n"


@case
def output_is_limited():
    with health("-c 1m", "head -c 1000000 /dev/zero | tr '\\0' x") as host:
        status, text = get(host)
        assert status == 200 and text == "x" * 4096, len(text)


@case
def nothing_of_the_host_reaches_it():
    with health("-c 1m", "env; ls /proc/self/fd | tr '\\n' ' '; pwd; "
                "grep SigBlk /proc/self/status") as host:
        said = plain(host)
        assert "NOTIFY" not in said and "HOME=" not in said, said
        assert "0 1 2 3 /\n" in said, said
        assert "SigBlk:\t0000000000000000" in said, said


@case
def it_ends_with_the_service():
    with health("-t 1m", "echo x >> {dir}/runs; sleep 1000") as host:
        with host.connect(0) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            wait_until(lambda: count(host) == 1, what="the run")
            host.write_conf("remove H\n")
            stopped = threading.Thread(target=host.stop)
            client.close()
            stopped.start()
            stopped.join(TIMEOUT)
            assert not stopped.is_alive()


@case
def mistakes():
    for words, said in (("", "which program?"),
                        ("relative", "an absolute path"),
                        ("/no/such/program", "No such file"),
                        ("-t 0 /bin/true", "has no time"),
                        ("-f xml /bin/true", "plain, http or auto"),
                        ("-c soon /bin/true", "'soon' is no time")):
        host = Shipped(CONF % words, "health", ready=False)
        assert host.wait_exit() == 1 and said in host.log_text(), (
            words, host.log_text())
        host.close()


main()
