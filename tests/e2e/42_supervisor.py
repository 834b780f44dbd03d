# SPDX-License-Identifier: BSD-2-Clause
"""What a supervisor hands over and is told; descriptors."""

import contextlib
import os
import re
import resource
import socket
import subprocess
import time

from berth_e2e import (
    BERTHD, TIMEOUT, Failure, Host, case, connect, main, receive, wait_until)
from berth_process import (
    BAD, ECHO, Activated, Daemon, answers, expect, folder, read)


# --- the supervisor ----------------------------------------------------------

def reloads_told(host):
    """The notifications since READY=1, RELOADING and READY taking turns."""
    told = [n for n in host.notifications if "WATCHDOG" not in n][1:]
    for number, notification in enumerate(told):
        assert ("RELOADING", "READY")[number % 2] in notification, told
    return told


@case
def a_supervisor_follows_reloads():
    with Host(ECHO) as host:
        before = time.monotonic_ns() // 1000
        host.write_conf(ECHO + "static discard\n")
        host.reload()
        after = time.monotonic_ns() // 1000
        begin, end = reloads_told(host)
        assert before <= int(begin["MONOTONIC_USEC"]) <= after
        assert end["STATUS"].startswith("reloaded: "), end
        host.write_conf(ECHO + BAD)
        host.reload()
        end = reloads_told(host)[3]
        assert re.match(r"reload refused: .*svc\.conf:2:8: error",
                        end["STATUS"]), end
        host.stop()
        assert host.count_notified("STOPPING") == 1


@case
def a_watchdog_is_fed():
    with Host(ECHO, env={"WATCHDOG_USEC": "100000"}) as host:
        host.wait_notified("WATCHDOG", 3)
    others = {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    with Host(ECHO, env=others) as host:
        host.reload()
        assert host.count_notified("WATCHDOG") == 0


@case
def sockets_that_were_handed_over():
    with socket.create_server(("127.0.0.1", 0)) as first, \
            socket.create_server(("127.0.0.1", 0)) as second:
        conf = ("static echo { listen = tcp:127.0.0.1:{p1} }\n"
                "static discard { listen = tcp:127.0.0.1:{p0} }\n")
        ports = [first.getsockname()[1], second.getsockname()[1]]
        fds = [first.fileno(), second.fileno()]
        inodes = {str(os.fstat(fd).st_ino) for fd in fds}
        early = connect(ports[1])
        with Activated(conf, fds, ports=ports) as host:
            assert set(host.listening().values()) == inodes
            with early:
                early.sendall(b"before it was there")
                assert receive(early, 19) == b"before it was there"
            host.reload()
            assert set(host.listening().values()) == inodes


@case
def sockets_that_were_handed_over_to_the_background():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        conf = "static echo { listen = tcp:127.0.0.1:%d }\n" % (
            listener.getsockname()[1])
        with Activated(conf, [listener.fileno()],
                       options=["-b", "-p", "pid"]) as host:
            inode = str(os.fstat(listener.fileno()).st_ino)
            assert host.wait_exit() == 0
            with Daemon(host.path("pid")) as daemon:
                links = [daemon.link("fd/" + fd) for fd in
                         os.listdir("/proc/%d/fd" % daemon.pid)]
                assert links.count("socket:[%s]" % inode) == 1, links
                assert answers(listener.getsockname()[1])
                assert daemon.stop() == 0


@case
def what_is_no_listening_socket():
    with folder(plain="") as cwd, \
            open(os.path.join(cwd, "plain"), "rb") as file:
        with contextlib.closing(
                Activated(ECHO, [file.fileno()], ready=False)) as host:
            assert host.wait_exit() == 1
            assert re.search("LISTEN_FDS: descriptor 3", host.log_text())


@case
def descriptors_for_somebody_else():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        conf = "static echo { listen = tcp:127.0.0.1:%d }\n" % (
            taken.getsockname()[1])
        with contextlib.closing(
                Activated(conf, [taken.fileno()], env={"LISTEN_FDS": "x"},
                          ready=False)) as host:
            assert host.wait_exit() == 1
            assert re.search("LISTEN_FDS: Invalid", host.log_text())
    # Not this process: the variable is of no interest.
    expect(0, "-t", "-S", "static echo",
           env={"LISTEN_FDS": "9", "LISTEN_PID": "1"})


# --- descriptors -------------------------------------------------------------

def not_inherited(host):
    """Whether every descriptor but 0, 1, 2 is closed by an exec."""
    for fd in host.fds():
        flags = int(re.search(r"^flags:\s*(\d+)",
                              host.proc("fdinfo/%d" % fd), re.M)[1], 8)
        if fd > 2 and not flags & os.O_CLOEXEC:
            raise Failure("%d, %s" % (fd, host.fds()[fd]))
    return True


@case
def nothing_is_inherited_by_accident():
    reader, writer = os.pipe()
    conf = ("static echo { listen = tcp:127.0.0.1:{p0} udp:127.0.0.1:{p0} "
            "unix:{dir}/s }\nhost { watchdog = 5s }\n")
    with Host(conf, pass_fds=[writer], options=["-p", "{dir}/pid"]) as host:
        with host.connect() as client:
            client.sendall(b"hello")
            assert receive(client, 5) == b"hello"
            assert not_inherited(host)
            assert host.fds()[writer].startswith("pipe:")
    os.close(reader)
    os.close(writer)


@case
def standard_streams_that_are_closed():
    with folder() as cwd:
        path = os.path.join(cwd, "socket")
        host = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", BERTHD,
             "-S", "static echo { listen = unix:%s }" % path], cwd=cwd)
        try:
            wait_until(lambda: answers(path), what="it answers")
            for fd in range(3):
                assert os.readlink("/proc/%d/fd/%d" % (host.pid, fd)) == (
                    "/dev/null")
            assert answers(path)
            host.terminate()
            assert host.wait(TIMEOUT) == 0
        finally:
            host.kill()
            host.wait()


@case
def the_limit_of_descriptors_is_raised():
    def lower():
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))

    with folder() as cwd:
        path = os.path.join(cwd, "socket")
        host = subprocess.Popen(
            [BERTHD, "-S", "static echo { listen = unix:%s }" % path],
            cwd=cwd, preexec_fn=lower, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: answers(path), what="it answers")
            limit = re.search(r"Max open files\s+(\S+)\s+(\S+)",
                              read("/proc/%d/limits" % host.pid))
            assert limit[1] == limit[2], limit
        finally:
            host.kill()
            host.wait()


main()
