# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the process share: folders, runs to the end, daemons, and
hosts that are handed descriptors."""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from berth_e2e import (
    BERTHD, TIMEOUT, Failure, Host, connect, receive, run_berthd)

ECHO = "static echo { listen = tcp:127.0.0.1:{p0} }\n"
BAD = "static ekho\n"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@contextlib.contextmanager
def folder(**files):
    """A folder with these files; NAME_conf is NAME.conf."""
    path = tempfile.mkdtemp(prefix="berth-")
    try:
        for name, text in files.items():
            with open(os.path.join(path, name.replace("_", ".")), "w",
                      encoding="utf-8") as file:
                file.write(text)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def expect(status, *words, stderr="", stdout="", **rest):
    """Runs berthd, which ends with this status and prints these patterns."""
    done = run_berthd(*words, **rest)
    if (done.returncode != status or not re.search(stderr, done.stderr, re.M)
            or not re.search(stdout, done.stdout, re.M)):
        raise Failure("%r: %r" % (words, done))
    return done


def answers(address):
    """Whether an echo service is there."""
    try:
        with connect(address) as client:
            client.sendall(b"hello")
            return receive(client, 5) == b"hello"
    except (FileNotFoundError, ConnectionRefusedError):
        return False


ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: daemons are ours


class Daemon:
    """What the pid file names: a process that berthd -b left behind."""

    def __init__(self, path):
        with open(path, encoding="ascii") as file:
            text = file.read()
        assert re.fullmatch(r"[1-9]\d*\n", text), text
        self.pid = int(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def status(self):
        with open("/proc/%d/status" % self.pid, encoding="ascii") as file:
            return file.read()

    def link(self, name):
        return os.readlink("/proc/%d/%s" % (self.pid, name))

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.002)
        raise Failure("the daemon did not end")


def no_children():
    """Nothing runs any more of what was started here."""
    try:
        os.waitpid(-1, os.WNOHANG)
        return False
    except ChildProcessError:
        return True


class Activated(Host):
    """A host that is handed descriptors, as a supervisor does it."""

    def __init__(self, conf, fds, **rest):
        self._fds = fds
        self._ports_of = rest.pop("ports", ())
        super().__init__(conf, **rest)

    def fill(self, text):
        self._ports.update(enumerate(self._ports_of))
        return super().fill(text)

    def _start(self, options, env, pass_fds):
        def hand_over():
            spares = [os.dup(fd) for fd in self._fds]
            for number, spare in enumerate(spares):
                os.dup2(spare, 3 + number)

        words = ["/bin/sh", "-c", 'exec env LISTEN_PID=$$ "$@"', "sh", BERTHD]
        words += ["-f", self.path("svc.conf")] + list(options)
        changes = dict(os.environ, NOTIFY_SOCKET=self.path("notify"),
                       LISTEN_FDS=str(len(self._fds)), LISTEN_FDNAMES="x")
        changes.update(env or {})
        with open(self.path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stderr=err, cwd=self.folder,
                env=changes, close_fds=False, preexec_fn=hand_over)
