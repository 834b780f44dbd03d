# SPDX-License-Identifier: BSD-2-Clause
"""Attributes that are options of sockets, seen from outside: by a program that
looks at its connection, in the file system, and in what the host says."""

import json
import os
import socket
import stat
import sys

from berth_e2e import (
    Host, case, connect, main, receive_all, run_berthd)
from steered import Steered

LOOK = """
import json, socket, sys
s = socket.socket(fileno=0)
sys.stdout.write(json.dumps([s.getsockopt(*map(int, o.split(":")))
                             for o in sys.argv[1:]]))
"""

# attribute, level, option, {value in the file: value at the kernel}
OPTIONS = [
    ("keepalive", socket.SOL_SOCKET, socket.SO_KEEPALIVE, {"yes": 1, "no": 0}),
    ("keepalive_time", socket.IPPROTO_TCP, socket.TCP_KEEPIDLE,
     {"90s": 90, "1s": 1}),
    ("keepalive_interval", socket.IPPROTO_TCP, socket.TCP_KEEPINTVL,
     {"9s": 9, "2m": 120}),
    ("keepalive_probes", socket.IPPROTO_TCP, socket.TCP_KEEPCNT,
     {"3": 3, "12": 12}),
    ("ip_tos", socket.IPPROTO_IP, socket.IP_TOS, {"16": 16, "8": 8}),
    ("ip_ttl", socket.IPPROTO_IP, socket.IP_TTL, {"5": 5, "77": 77}),
    ("send_buffer", socket.SOL_SOCKET, socket.SO_SNDBUF,
     {"32K": 65536, "64K": 131072}),
    ("receive_buffer", socket.SOL_SOCKET, socket.SO_RCVBUF,
     {"32K": 65536, "64K": 131072}),
]


def look(host):
    with host.connect(0) as client:
        return json.loads(receive_all(client))


def conf(attributes):
    return ("dynamic P Program * %s \"{dir}/look.py %s\""
            " { listen = tcp:127.0.0.1:{p0}\n%s }" % (
                sys.executable,
                " ".join("%d:%d" % row[1:3] for row in OPTIONS),
                "\n".join(attributes)))


@case
def connections_have_what_the_file_says_and_a_reload_changes_it():
    with Host(conf([]), files={"look.py": LOOK}) as host:
        plain = look(host)
        for turn in range(2):
            rows = [(row[0], list(row[3].items())[turn]) for row in OPTIONS]
            host.write_conf(conf(
                ["%s = %s" % (name, pair[0]) for name, pair in rows]))
            host.reload()
            assert look(host) == [pair[1] for _, pair in rows]
        host.write_conf(conf([]))
        host.reload()
        assert look(host) == plain


@case
def nobody_is_started_for_a_silent_connection():
    with Host("static daytime { listen = tcp:127.0.0.1:{p0}\n"
              "defer_accept = 1h }\n"
              "static echo { listen = tcp:127.0.0.1:{p1} }") as host:
        with host.connect(0) as client, host.connect(1) as other:
            for _ in range(20):  # the host goes round
                other.sendall(b"y")
                assert other.recv(1) == b"y"
            client.setblocking(False)
            try:
                assert not client.recv(1)
            except BlockingIOError:
                pass
            client.settimeout(host.timeout)
            client.sendall(b"now")
            assert client.recv(100)


@case
def a_path_belongs_to_whom_the_file_says():
    text = "static echo { listen = unix:{dir}/echo\n%s }"
    own = (os.geteuid(), os.getegid())
    with Steered(text % "") as host:
        def owner():
            status = os.lstat(host.path("echo"))
            return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)
        assert owner() == own + (0o666,)
        with connect(host.path("echo")) as client:
            if os.geteuid() == 0:
                host.write_conf(text % (
                    "socket_user = 1234; socket_group = 1235\n"
                    "socket_mode = 0620"))
                host.reload()
                assert owner() == (1234, 1235, 0o620), owner()
            before = host.state()
            for attribute, message in (
                    ("socket_user = nobody-of-that-name",
                     "socket_user: there is no 'nobody-of-that-name'"),
                    ("socket_group = no-group-of-that-name",
                     "socket_group: there is no 'no-group-of-that-name'")):
                was = owner()
                host.write_conf(text % attribute)
                host.signal(1)
                host.wait_log("svc.conf:1:24: error: cannot listen on "
                              "unix:.*" + message)
                assert owner() == was
                assert host.state() == before
            host.write_conf(text % "")
            host.reload()
            assert owner() == own + (0o666,)
            # The socket was the same one all the time.
            client.sendall(b"still")
            assert client.recv(5) == b"still"


@case
def what_the_kernel_refuses_is_told_at_its_place_and_changes_nothing():
    text = "static echo { listen = tcp:127.0.0.1:{p0}\n%s }"
    with Steered(text % "") as host:
        before = host.state()
        host.write_conf(text % "bind_to_device = no-such-dev0; ip_tos = 8")
        host.signal(1)
        host.wait_log("svc.conf:1:24: error: cannot listen on .*"
                      "bind_to_device: No such device")
        assert host.state() == before
        host.write_conf(text % "bind_to_device = lo")
        host.reload()
        with host.connect(0) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"


@case
def only_processes_that_agree_share_a_port():
    text = "static echo { listen = tcp:127.0.0.1:{p0}\nreuse_port = %s }"
    with Host(text % "no") as host:
        second = text.replace("{p0}", str(host.port(0)))
        result = run_berthd(conf=second % "yes")
        assert result.returncode == 1, result
        assert "Address already in use" in result.stderr, result
        host.write_conf(text % "yes")
        host.reload()
        with Host(second % "yes"):
            pass


@case
def words_for_other_endpoints_are_mistakes():
    for words, name in (
            ("listen = tcp:127.0.0.1:7\nsocket_group = 0", "socket_group"),
            ("listen = unix:/nowhere\nmark = 1", "mark"),
            ("listen = udp:127.0.0.1:7\nfast_open = 1", "fast_open")):
        result = run_berthd("-t", conf="static echo { %s }" % words)
        assert result.returncode == 1, result
        assert "'%s' is not about such an endpoint" % name in result.stderr, \
            result


main()
