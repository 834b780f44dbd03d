# SPDX-License-Identifier: BSD-2-Clause
"""Streams around connections: what the modules do, with every way of driving
a service, and what a reload makes of them."""

import select
import socket
import time

from berth_e2e import case, main, receive, receive_all, run_berthd, wait_until
from shipped import Shipped
from steered import Steered

STREAM = """
stream dynamic Around STREAM * :stream() {
%s
}
dynamic Echo Service_Object * :echo() {
    listen = tcp:127.0.0.1:{p0}
    stream = Around
%s
}
"""


def stream(*modules, more=""):
    """Named m0, m1, ... from the client on."""
    lines = ["    dynamic m%d Module * %s" % pair
             for pair in enumerate(modules)]
    return STREAM % ("\n".join(lines), more)


def talk(host, sent, expected, number=0):
    with host.connect(number) as client:
        client.sendall(sent)
        assert receive(client, len(expected)) == expected


@case
def lines_are_frames():
    with Shipped(stream("frame:make_line() \"-m 20 -c\""), "frame") as host:
        talk(host, b"one\ntwo\r\n\nfour\r\n", b"one\r\ntwo\r\n\r\nfour\r\n")
        with host.connect() as client:
            for byte in b"byte by byte\n":
                client.sendall(bytes((byte,)))
            assert receive(client, 14) == b"byte by byte\r\n"
            client.sendall(b"no end")
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b"no end\r\n"
        with host.connect() as client:
            client.sendall(b"x" * 40)
            assert receive_all(client) == b""
        host.wait_log("Around/m0: a frame of more than 20 bytes")


@case
def frames_of_every_kind():
    for module, sent, expected in (
            ("frame:make_delimiter() \"-d '\\\\x00;'\"", b"a\0;b\0;\0;",
             b"a\0;b\0;\0;"),
            ("frame:make_fixed() \"-s 4\"", b"abcdefgh", b"abcdefgh"),
            ("frame:make_fixed() \"-s 4 -p\"", b"ab\0\0cde\0",
             b"ab\0\0cde\0"),
            ("frame:make_length() \"-n 2\"", b"\0\3abc\0\0\0\1d",
             b"\0\3abc\0\0\0\1d"),
            ("frame:make_length() \"-n 4 -l -w\"",
             b"\7\0\0\0abc\4\0\0\0", b"\7\0\0\0abc\4\0\0\0"),
            ("frame:make_line() -k", b"as\r\nit\nis\r\n", b"as\r\nit\nis\r\n"),
    ):
        if module.endswith(" -k"):
            module = module.replace(" -k", " \"-k\"")
        with Shipped(stream(module), "frame") as host:
            talk(host, sent, expected)
            with host.connect() as client:
                for byte in sent:
                    client.sendall(bytes((byte,)))
                assert receive(client, len(expected)) == expected


@case
def bad_lengths_end_the_connection():
    with Shipped(stream("frame:make_length() \"-w -m 100\""),
                 "frame") as host:
        for length in (0, 3, 101, 0xffffffff):
            with host.connect() as client:
                client.sendall(length.to_bytes(4, "big"))
                assert receive_all(client) == b""
        talk(host, b"\0\0\0\5x", b"\0\0\0\5x")


@case
def bytes_in_hexadecimal():
    with Shipped(stream("hexdump:make_hexdump() \"-f {dir}/dump -m 16\""),
                 "hexdump") as host:
        talk(host, b"hello, hexdump\n\0and more", b"hello, hexdump\n\0and more")

        def lines():
            with open(host.path("dump"), encoding="ascii") as file:
                return file.read().splitlines()

        wait_until(lambda: len(lines()) >= 2, what="two lines")
        up, down = lines()[:2]
        assert " > 00000000  68 65 6c 6c 6f 2c " in up, up
        assert up.endswith("  hello, hexdump.."), up
        assert " < 00000000 " in down, down
        assert len(lines()) == 2, lines()


@case
def every_way_of_driving():
    five = ["around:make_pass()"] * 5
    for how in ("concurrency = reactive", "concurrency = iterative",
                "concurrency = thread", "concurrency = pool 3 queue 10",
                "concurrency = process", "workers = 2",
                "workers = 2; concurrency = pool 3"):
        with Steered("") as host:
            host.copy_plugins("around")
            host.write_conf(stream(*five, more="    " + how))
            host.reload()
            for size in (1, 70000, 300000):
                with host.connect() as client:
                    client.settimeout(60)
                    data = bytes(range(256)) * (size // 256 + 1)
                    got = bytearray()
                    view = memoryview(data)
                    while view:
                        sent = client.send(view[:40000])
                        view = view[sent:]
                        got += receive(client, sent)
                    client.shutdown(socket.SHUT_WR)
                    assert receive_all(client) == b""
                    assert bytes(got) == data
            assert host.log_text().count("session") < 1000


@case
def what_a_check_says():
    base = stream("around:make_pass()")
    for conf, why in (
            ("static echo { listen = tcp:127.0.0.1:{p0}\nstream = Nope }",
             "'echo' has 'Nope' around its connections: there is no stream"),
            ("static discard { listen = tcp:127.0.0.1:{p1} }\n"
             "static echo { listen = tcp:127.0.0.1:{p0}\nstream = discard }",
             "there is no stream of that name"),
            ("stream dynamic S STREAM * :stream() {\n"
             "dynamic Sign Module * layers:make_sign() }\n"
             "static echo { listen = tcp:127.0.0.1:{p0}\nstream = S }",
             "S/Sign can't stand there, it is no filter"),
            (base.replace("tcp:127.0.0.1:{p0}", "udp:127.0.0.1:{p0}"),
             "has no connections of bytes"),
            (base + "dynamic P Program * /bin/cat { wait = yes\n"
             "listen = tcp:127.0.0.1:{p1}\nstream = Around }",
             "the program accepts its clients itself"),
            (base + "static tcpmux { listen = tcp:127.0.0.1:{p1}\n"
             "stream = Around }", "'tcpmux' hands connections over"),
    ):
        with Steered("") as host:
            host.copy_plugins("around", "layers")
            host.write_conf(conf)
            done = run_berthd("-t", "-f", host.path("svc.conf"),
                              "--plugin-path", host.plugins)
            assert done.returncode == 1, conf
            assert why in done.stderr, done.stderr


@case
def a_stream_in_use_stays():
    with Steered("") as host, host.log_in() as manager:
        host.copy_plugins("around", "layers")
        host.write_conf(stream("around:make_pass()"))
        host.reload()
        for line in ("remove Around", "stream Around { dynamic Sign Module * "
                     "layers:make_sign() }"):
            said = "\n".join(manager.ask(line).body)
            assert "'Echo' has 'Around' around its connections" in said, said
        talk(host, b"still", b"still")


@case
def connections_keep_their_modules():
    first = stream("frame:make_line() \"-c\"")
    with Shipped(first, "frame", "hexdump") as host:
        with host.connect() as old:
            old.sendall(b"one\n")
            assert receive(old, 5) == b"one\r\n"
            host.write_conf(stream("frame:make_line()"))
            host.reload()
            talk(host, b"new\r\n", b"new\n")
            old.sendall(b"two\n")
            assert receive(old, 5) == b"two\r\n"
            host.write_conf(first.replace("    stream = Around", ""))
            host.reload()
            talk(host, b"plain\r\nx", b"plain\r\nx")
            old.sendall(b"three\n")
            assert receive(old, 7) == b"three\r\n"


def workers(host):
    """The processes that take clients, or wait for one of their own."""
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        fleet = manager.json("show Echo")["fleet"]
    return sorted(worker["pid"] for worker in fleet
                  if worker["state"] in ("serving", "waiting"))


def steer(host, conf):
    """The report of a reload with this file."""
    host.write_conf(conf)
    return "\n".join(host.reload())


@case
def workers_have_the_stream_of_the_moment():
    """Whatever changes it replaces them, and nothing else does; who is
    served keeps what there was."""
    both = ["around:make_pass()", "frame:make_line() \"-c\""]
    for how in ("workers = 2", "concurrency = process; workers = 1"):
        conf = stream(*both, more="    drain = 1h; " + how)
        with Steered("") as host, host.log_in() as manager:
            host.copy_plugins("around")
            host.copy_shipped("frame", "idle")
            steer(host, conf)
            with host.connect() as old:
                old.sendall(b"one\n")
                assert receive(old, 5) == b"one\r\n"
                changes(host, manager, conf)
                old.sendall(b"three\n")
                assert receive(old, 7) == b"three\r\n"


def changes(host, manager, conf):
    wait_until(lambda: workers(host), what="workers")
    pids = workers(host)
    text = steer(host, conf)
    assert "= 5 unchanged" in text, text
    if "process" not in conf:
        assert workers(host) == pids
    text = steer(host, conf.replace('"-c"', '"-m 10"'))
    assert "> Echo (its stream has changed)" in text, text
    talk(host, b"two\r\n", b"two\n")
    # By commands; a new one is the nearest to the service.
    for line, sent, expected in (
            ("stream Around { dynamic m9 Module * "
             "frame:make_delimiter() \"-d ; -k\" }", b"a;\nb;\n",
             b"a;\nb;\n"),
            ("stream Around { remove m9 }", b"c\n", b"c\n")):
        manager.do(line)
        talk(host, sent, expected)
    # The code of a module alone.
    conf = conf.replace('frame:make_line() "-c"', "code:make_line()")
    host.copy_shipped("frame", to="code")
    steer(host, conf)
    talk(host, b"d\r\n", b"d\n")
    pids = workers(host)
    host.stamp_plugin("code")
    text = steer(host, conf)
    assert "> Echo (its stream has changed)" in text, text
    wait_until(lambda: workers(host) and
               not set(workers(host)) & set(pids), what="other workers")
    talk(host, b"d\r\n", b"d\n")
    # None at all; and a file that does not say it removes the service.
    text = steer(host, conf.replace("stream = Around", ""))
    assert "> Echo (stream" in text, text
    talk(host, b"plain\r\n", b"plain\r\n")


@case
def a_module_that_fails_in_workers_changes_nothing():
    conf = stream("around:make_pass()", more="    workers = 2")
    with Steered("") as host:
        host.copy_plugins("around")
        steer(host, conf)
        before = host.listening(), workers(host)
        text = steer(host, conf.replace(
            "}\ndynamic Echo", "    dynamic m1 Module * "
            "around:make_homely()\n}\ndynamic Echo"))
        assert "this is no home" in text, text
        assert "nothing changed" in text, text
        assert before == (host.listening(), workers(host))
        talk(host, b"still", b"still")


@case
def the_service_is_told_when_all_are_ready():
    with Steered("") as host:
        host.copy_plugins("around")
        conf = stream("around:make_moved()", "around:make_slow()",
                      "around:make_pass()").replace(
                          "* :echo()", "* around:make_who()")
        for how in ("reactive", "pool 2 queue 100"):
            host.write_conf(conf.replace(
                "stream = Around", "stream = Around\nconcurrency = " + how))
            host.reload()
            stalled = [host.connect() for _ in range(1 if "2" in how else 20)]
            with host.connect() as client:
                client.sendall(b"ann")
                client.sendall(b"\nhello")
                assert receive(client, 8) == b"welcome\n"
                assert receive(client, 25) == b"ann at 192.0.2.1:99\nhello"
                client.sendall(b".")
                assert receive_all(client) == b".bye\n"
            with host.connect() as client:
                client.sendall(b"!\n")
                assert receive_all(client) == b""
            host.wait_log("Around/m1: refused")
            for client in stalled:
                client.shutdown(socket.SHUT_WR)
                assert receive_all(client) == b""
                client.close()


@case
def whoever_is_not_ready_in_time_is_closed():
    with Steered("") as host:
        host.copy_plugins("around")
        host.write_conf(stream("around:make_hasty()"))
        host.reload()
        with host.connect() as client:
            assert receive_all(client) == b""
        host.wait_log("timed out")
        talk(host, b"me\nx", b"welcome\nx")


@case
def silence_ends_a_connection():
    with Shipped(stream("idle:make_idle() \"-t 3s\""), "idle") as host:
        with host.connect() as client:
            client.sendall(b"x")
            assert receive_all(client) == b"x"
        host.wait_log("Around/m0: nothing passed for")


@case
def heartbeats_are_answered_or_not():
    with Shipped(stream("heartbeat:make_heartbeat() "
                        "\"-t 1s -n 3 -s 'alive?\\\\n'\""),
                 "heartbeat") as host:
        with host.connect() as client:
            assert receive_all(client) == b"alive?\n" * 3
        host.wait_log("Around/m0: 3 heartbeats unanswered")
        with host.connect() as client:
            for _ in range(3):
                assert receive(client, 7) == b"alive?\n"
                client.sendall(b"y")
                # Another beat may have been on its way.
                got = b""
                while not got.endswith(b"y"):
                    got += receive(client, 1)


@case
def so_many_bytes_a_second():
    for how in ("reactive", "thread"):
        with Shipped(stream("rate:make_rate() \"-u 400K -d 400K -b 10K\"",
                            more="    concurrency = " + how),
                     "rate") as host:
            data = bytes(range(256)) * 800
            began = time.monotonic()
            with host.connect() as client:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                assert receive_all(client) == data
            # 190 KiB more than the burst take 475 ms; nothing is too slow.
            assert time.monotonic() - began > 0.4


@case
def a_slow_reader_holds_up_its_sender_alone():
    """64 KiB a second behind five modules: who sends has to wait, what is
    kept stays below the limits, nothing is lost, and others notice nothing."""
    five = ["rate:make_rate() \"-d 64K\"", "hexdump:make_hexdump() \"-m 16\"",
            "idle:make_idle()", "heartbeat:make_heartbeat()",
            "frame:make_line() \"-k\""]
    conf = stream(*five, more="    output_limit = 64K\n    input_limit = 16K\n"
                  "    receive_buffer = 16K\n    send_buffer = 16K\n")
    with Shipped(conf + "static discard { listen = tcp:127.0.0.1:{p1} }\n",
                 "rate", "hexdump", "idle", "heartbeat", "frame") as host:
        line = bytes(range(32, 127)) + b"\n"
        with host.connect() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
            slow.setblocking(False)
            sent, began = 0, time.monotonic()
            while time.monotonic() - began < 2:
                try:
                    sent += slow.send((line * 600)[sent % 96:])
                except BlockingIOError:
                    select.select([], [slow], [], 0.1)
            # Without flow control these would be hundreds of megabytes.
            most = 1 << 20
            assert sent < most + 65536 * (time.monotonic() - began), sent
            talk(host, b"quick\n", b"quick\n")
            with host.connect(1) as third:
                third.sendall(b"x" * 1000000)
            slow.setblocking(True)
            slow.settimeout(60)
            slow.shutdown(socket.SHUT_WR)
            expected = (line * (sent // 96 + 1))[:sent]
            assert receive_all(slow) == expected


if __name__ == "__main__":
    main()
