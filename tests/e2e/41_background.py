# SPDX-License-Identifier: BSD-2-Clause
"""The background: berthd -b (row P01)."""

import os
import re
import signal
import stat
import subprocess

from berth_e2e import BERTHD, TIMEOUT, Host, case, free_port, main, wait_until
from berth_process import (
    BAD, ECHO, Daemon, answers, expect, folder, no_children)


@case
def the_background():
    port = free_port()
    with folder(rel_conf="static echo { listen = tcp:127.0.0.1:%d }\n" % port
                ) as cwd:
        old_mask = os.umask(0)
        try:
            # That this returns shows that the daemon let go of the pipes.
            done = expect(0, "-b", "-p", "rel.pid", "-f", "rel.conf", cwd=cwd)
        finally:
            os.umask(old_mask)
        assert (done.stdout, done.stderr) == ("", ""), done
        path = os.path.join(cwd, "rel.pid")
        with Daemon(path) as daemon:
            # Up when the caller returns: no waiting here.
            assert answers(port)
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
            assert daemon.link("cwd") == "/"
            for fd in range(3):
                assert daemon.link("fd/%d" % fd) == "/dev/null"
            assert "Umask:\t0022\n" in daemon.status(), daemon.status()
            assert os.getsid(daemon.pid) not in (os.getsid(0), daemon.pid)
            # The same file again, for a reload.
            os.kill(daemon.pid, signal.SIGHUP)
            assert answers(port)
            assert daemon.stop() == 0
        assert not os.path.exists(path)
        wait_until(no_children)


@case
def the_background_refuses():
    with folder(rel_conf=BAD) as cwd:
        done = expect(1, "-b", "-f", "rel.conf", "-p", "pid", cwd=cwd,
                      stderr=r"%s/rel\.conf:1:8: error:" % re.escape(cwd))
        assert "static ekho\n" in done.stderr, done.stderr
        assert os.listdir(cwd) == ["rel.conf"]
        expect(2, "-b", "--nonsense", cwd=cwd)
        expect(1, "-b", "-S", "static echo", "-p", "no/pid", cwd=cwd,
               stderr="pid file .*/no/pid: No such file")
    wait_until(no_children)


@case
def the_background_keeps_nothing_of_its_caller():
    reader, writer = os.pipe()
    with folder() as cwd:
        done = subprocess.run(
            [BERTHD, "-b", "-p", "pid", "-S", "static echo"], cwd=cwd,
            pass_fds=[writer], timeout=TIMEOUT, check=True,
            stdin=subprocess.DEVNULL)
        assert done.returncode == 0
        os.close(writer)
        with Daemon(os.path.join(cwd, "pid")) as daemon:
            assert os.read(reader, 1) == b""  # the only other end is closed
            assert daemon.stop() == 0
    os.close(reader)


@case
def the_background_tells_its_supervisor():
    with Host(ECHO, options=["-b", "-p", "{dir}/pid"]) as host:
        with Daemon(host.path("pid")) as daemon:
            ready = [n for n in host.notifications if n.get("READY") == "1"]
            assert ready[0]["MAINPID"] == str(daemon.pid), ready
            assert host.wait_exit() == 0
            assert daemon.stop() == 0


main()
