# SPDX-License-Identifier: BSD-2-Clause
"""What the end-to-end tests share: a host in a folder of its own, clients,
polling, and a small runner.

A test program defines cases and ends with main():

    from berth_e2e import Host, case, main, receive

    @case
    def echo_answers():
        with Host("static echo { listen = tcp:127.0.0.1:{p0} }") as host:
            with host.connect(0) as client:
                client.sendall(b"hello")
                assert receive(client, 5) == b"hello"

    main()

`{p0}`, `{p1}`, ... in a configuration are ports that nobody else has, `{dir}`
is the host's folder.  Everything that a case starts is ended with it,
whether it passes or not.  Nothing here waits for a time: wait_until() polls a
condition, and its timeout is only for what never happens.
"""

import ctypes
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

from berth_client import (  # noqa: F401, for those who import this module
    TIMEOUT, Failure, Manager, Reply, ask_udp, connect, free_port, receive,
    receive_all, receive_until_reset)

CASE_TIMEOUT = int(os.environ.get("BERTH_CASE_TIMEOUT", "900"))

SOURCE = os.environ.get("top_srcdir", os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("top_builddir", os.path.join(SOURCE, "build"))
BERTHD = os.environ.get("BERTHD", os.path.join(BUILD, "berthd"))

# What a sanitizer says when it has found something.
SANITIZER = re.compile(
    r"ERROR: (Address|Leak|Memory)Sanitizer|WARNING: ThreadSanitizer"
    r"|runtime error: ")

_live = []  # every Host that was started and not yet closed


def wait_until(condition, timeout=TIMEOUT, what=None):
    """Calls condition() until it gives something true, and returns that."""
    deadline = time.monotonic() + timeout
    pause = 0.001
    while True:
        for host in _live:  # a supervisor that does not read holds it up
            host.read_notifications()
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure("not within %g s: %s" % (
                timeout, what or condition.__doc__ or condition.__name__))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


# --- the host --------------------------------------------------------------

def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def run_berthd(*arguments, conf=None, timeout=TIMEOUT, env=None, cwd=None):
    """Runs to its end, for -t, -V and kin; a CompletedProcess of text.

    conf, if given, is written to a file whose name stands for `{conf}` in
    the arguments.
    """
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        path = os.path.join(folder, "svc.conf")
        if conf is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(conf)
        done = subprocess.run(
            [BERTHD] + [a.replace("{conf}", path) for a in arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=timeout, cwd=cwd or folder,
            env=_environment(env), preexec_fn=_die_with_parent, check=False,
            encoding="utf-8", errors="replace")
    if SANITIZER.search(done.stderr):
        raise Failure("sanitizer:\n" + done.stderr)
    return done


def _environment(changes):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("LISTEN_", "NOTIFY_", "WATCHDOG_"))}
    # A resolver that nobody answers gives up within a moment.
    env["RES_OPTIONS"] = "timeout:1 attempts:1"
    env.update(changes or {})
    return env


class Host:
    """A berthd in a temporary folder.

    conf      what svc.conf holds, see above for {p0} and {dir}
    options   further words of the command line
    files     further files of the folder, name -> text
    env       changes of the environment
    pass_fds  descriptors that it inherits
    ready     whether to wait for READY=1
    """

    def __init__(self, conf, *, options=(), files=None, env=None,
                 pass_fds=(), ready=True, timeout=TIMEOUT):
        self.folder = tempfile.mkdtemp(prefix="berth-")
        self.timeout = timeout
        self.process = None
        self.status_code = None
        self.notifications = []  # dicts, in order of arrival
        self._ports = {}
        self._others = []  # pids of daemons
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(self.path("notify"))
        self._notify.setblocking(False)
        _live.append(self)
        try:
            self.write_conf(conf)
            for name, text in (files or {}).items():
                self.write(name, text)
            self._start(options, env, pass_fds)
            if ready:
                self.wait_ready()
        except BaseException:
            _report(self)
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
            else:
                _report(self)
        finally:
            self.close()

    # --- files

    def path(self, name):
        return os.path.join(self.folder, name)

    def port(self, number):
        """The port that stands for {pNUMBER}."""
        if number not in self._ports:
            self._ports[number] = free_port()
        return self._ports[number]

    def fill(self, text):
        text = re.sub(r"\{p(\d+)\}",
                      lambda m: str(self.port(int(m.group(1)))), text)
        return text.replace("{dir}", self.folder)

    def write(self, name, text):
        """At once: nobody reads half of it.  For nobody else's eyes."""
        temporary = self.path(name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(self.fill(text))
        os.rename(temporary, self.path(name))

    def write_conf(self, text):
        self.write("svc.conf", text)

    # --- start and end

    def _start(self, options, env, pass_fds):
        changes = {"NOTIFY_SOCKET": self.path("notify")}
        changes.update(env or {})
        words = [BERTHD, "-f", self.path("svc.conf")]
        words += [self.fill(word) for word in options]
        with open(self.path("stdout"), "wb") as out, \
                open(self.path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                cwd=self.folder, env=_environment(changes),
                pass_fds=pass_fds, preexec_fn=_die_with_parent)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def adopt(self, pid):
        """A daemon that this host became; it is ended with the case."""
        self._others.append(pid)

    def signal(self, number):
        os.kill(self.pid, number)

    def stop(self, number=None, expected=0):
        """Ends the host in order, by SIGTERM if no other signal is named; the
        exit status has to be the expected."""
        if self.running():
            self.signal(number or signal.SIGTERM)
        status = self.wait_exit()
        if status != expected:
            raise Failure("exit status %d, not %d" % (status, expected))
        return status

    def wait_exit(self):
        try:
            status = self.process.wait(self.timeout)
        except subprocess.TimeoutExpired:
            raise Failure("it did not end") from None
        found = SANITIZER.search(self.log_text())
        if found:
            raise Failure("sanitizer: " + found.group())
        return status

    def close(self):
        """Whatever is left of it goes."""
        for pid in self._others:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process is not None and self.running():
            self.process.kill()
            self.process.wait()
        self._notify.close()
        if self in _live:
            _live.remove(self)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what it tells its supervisor

    def read_notifications(self):
        """Takes what has come into self.notifications."""
        while True:
            try:
                data = self._notify.recv(4096)
            except BlockingIOError:
                return
            self.notifications.append(dict(
                line.split("=", 1)
                for line in data.decode().splitlines() if "=" in line))

    def count_notified(self, name):
        """How often NAME=1 has come."""
        self.read_notifications()
        return sum(1 for n in self.notifications if n.get(name) == "1")

    def wait_notified(self, name, count=1):
        """Waits until NAME=1 has come so many times."""
        deadline = time.monotonic() + self.timeout
        while self.count_notified(name) < count:
            if not self.running() and self.count_notified(name) < count:
                raise Failure("it ended with %d before %s=1" % (
                    self.process.returncode, name))
            if time.monotonic() > deadline:
                raise Failure("no %s=1 (%d times)" % (name, count))
            select.select([self._notify], [], [], 0.1)

    def wait_ready(self):
        self.wait_notified("READY")

    def _reloads_ended(self, first):
        """Whether a RELOADING=1 after so many of them was followed by its
        READY=1."""
        self.read_notifications()
        begun = 0
        for notification in self.notifications:
            if notification.get("RELOADING") == "1":
                begun += 1
            elif notification.get("READY") == "1" and begun > first:
                return True
        return False

    def reload(self):
        """SIGHUP, and wait for its end; the lines logged meanwhile."""
        reloading = self.count_notified("RELOADING")
        before = len(self.log())
        self.signal(signal.SIGHUP)
        self.wait_notified("RELOADING", reloading + 1)
        wait_until(lambda: self._reloads_ended(reloading) or
                   not self.running(), self.timeout, "the end of the reload")
        if not self._reloads_ended(reloading):
            raise Failure("it ended with %d in a reload" % (
                self.process.returncode))
        return self.log()[before:]

    # --- what it logs

    def log_text(self):
        with open(self.path("stderr"), encoding="utf-8",
                  errors="replace") as file:
            return file.read()

    def log(self):
        return self.log_text().splitlines()

    def wait_log(self, pattern):
        """The match of the first line that has the pattern."""
        def logged():
            return re.search(pattern, self.log_text(), re.MULTILINE)
        return wait_until(logged, self.timeout, "log line " + pattern)

    # --- what the kernel knows of it

    def proc(self, name):
        with open("/proc/%d/%s" % (self.pid, name), encoding="utf-8",
                  errors="replace") as file:
            return file.read()

    def fds(self):
        """Number -> what it links to."""
        folder = "/proc/%d/fd" % self.pid
        result = {}
        for name in os.listdir(folder):
            try:
                result[int(name)] = os.readlink(os.path.join(folder, name))
            except FileNotFoundError:
                pass  # closed meanwhile
        return result

    def maps(self):
        return self.proc("maps")

    def status(self):
        """The fields of /proc/PID/status."""
        return {k: v.strip() for k, v in (
            line.split(":", 1) for line in self.proc("status").splitlines())}

    def rss_kb(self):
        """By its page tables: the counters of status(5) lag behind, by more
        on a machine with many processors."""
        try:
            text, name = self.proc("smaps_rollup"), "Rss"
        except FileNotFoundError:  # a kernel without
            text, name = self.proc("status"), "VmRSS"
        return int(re.search(r"^%s:\s*(\d+) kB" % name, text,
                             re.MULTILINE)[1])

    def listening(self):
        """(family, local address in hexadecimal) -> inode, TCP only."""
        mine = {link[8:-1] for link in self.fds().values()
                if link.startswith("socket:[")}
        result = {}
        for family in ("tcp", "tcp6"):
            for line in self.proc("net/" + family).splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and words[9] in mine:
                    result[family, words[1]] = words[9]
        return result

    # --- clients

    def connect(self, number=0):
        return connect(self.port(number), self.timeout)

    def manager(self, number):
        """Talks to the manager that listens on {pNUMBER}."""
        return Manager(self.port(number), self.timeout)


# --- the runner ------------------------------------------------------------

_cases = []
_reports = []  # the logs of the hosts of a case that fails


def _report(host):
    if host.process is not None:
        _reports.append("--- log of %d\n%s" % (
            host.pid, host.log_text()[-8000:]))


def case(function):
    """Marks a function of no arguments as a case."""
    _cases.append(function)
    return function


def _timed_out(*_):
    raise Failure("the case took more than %d s" % CASE_TIMEOUT)


def _run(function):
    start = time.monotonic()
    problem = None
    signal.alarm(CASE_TIMEOUT)
    try:
        function()
    except Exception:  # whatever it is, the next case runs
        problem = traceback.format_exc()
        for host in _live:
            _report(host)
        problem += "".join(_reports)
    finally:
        signal.alarm(0)
        _reports.clear()
        for host in list(_live):
            host.close()
    print("%s %s (%.2f s)" % ("ok    " if problem is None else "FAILED",
                              function.__name__, time.monotonic() - start))
    if problem is not None:
        print(problem)
    sys.stdout.flush()
    return problem is None


def main():
    """Runs the cases, or those named on the command line, and exits."""
    signal.signal(signal.SIGALRM, _timed_out)
    chosen = [c for c in _cases
              if len(sys.argv) < 2 or c.__name__ in sys.argv[1:]]
    if not chosen:
        sys.exit("no such case")
    failed = sum(1 for function in chosen if not _run(function))
    print("%d passed, %d failed" % (len(chosen) - failed, failed))
    sys.exit(1 if failed else 0)
