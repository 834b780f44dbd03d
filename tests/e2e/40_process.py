# SPDX-License-Identifier: BSD-2-Clause
"""The process: options and exit statuses, the background, the pid file,
signals, what a supervisor hands over and is told, descriptors."""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

from berth_e2e import (
    BERTHD, TIMEOUT, Failure, Host, Manager, case, connect, free_port, main, receive,
    receive_all, run_berthd, wait_until)

ECHO = "static echo { listen = tcp:127.0.0.1:{p0} }\n"
BAD = "static ekho\n"


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


# --- options and exit statuses (rows E03 to E08) -----------------------------

@case
def mistakes_on_the_command_line():
    for words in (["-o", "x"], ["-q"], ["--nonsense"], ["-f"], ["-f", ""],
                  ["svc.conf"], ["--daemon=yes"], ["--plugin-path", "a::b"]):
        done = expect(2, *words, stderr=r"\Aberthd: .*\nberthd: --help ")
        assert done.stdout == "", done
    expect(2, "--chekc", stderr="did you mean '--check'")


@case
def signals_by_name_and_number():
    for name in ("HUP", "SIGHUP", "hup", "1", "USR1", "RTMIN+1"):
        expect(0, "-t", "-s", name, "-S", "static echo")
    for name in ("0", "999", "bogus", "-1", "KILL", "TERM", ""):
        expect(2, "-t", "-s", name, "-S", "static echo")


@case
def help_and_version():
    assert expect(0, "-h", stdout="--plugin-path").stderr == ""
    assert expect(0, "-V", stdout=r"\Aberthd \d+\.\d+\.\d+\n\Z").stderr == ""


@case
def a_missing_file_starts_nothing():
    port = free_port()
    with folder(one_conf="static echo { listen = tcp:127.0.0.1:%d }\n"
                "static ekho\n" % port) as cwd:
        done = expect(1, "-f", "one.conf", "-f", "two.conf",
                      "-S", "static discard", "-S", "static diskard",
                      stderr="two.conf.*No such file", cwd=cwd)
        assert "one.conf:2:8: error:" in done.stderr, done.stderr
        assert "-S #2:1:8: error:" in done.stderr, done.stderr


@case
def a_folder_is_not_a_file():
    expect(1, "-f", "/tmp", stderr="/tmp.*(directory|folder)")


@case
def directives_are_counted():
    done = expect(1, "-S", "static echo", "-S", "remove Q", "-S", "bogus",
                  stderr=r"^-S #2:1:8: error: .*'Q'")
    assert re.search(r"^-S #3:1:1: error: ", done.stderr, re.M), done.stderr
    assert done.stderr.count("error:") == 2, done.stderr


@case
def which_file_is_read():
    with folder() as cwd:
        expect(1, "-t", cwd=cwd, stderr=r"svc\.conf.*No such file")
        expect(1, cwd=cwd, stderr=r"svc\.conf.*No such file")
        expect(0, "-T", "-S", "static echo", cwd=cwd,
               stdout=r"\Astatic echo.*\n\Z")
    with folder(svc_conf="static daytime\n", x_conf="static time\n") as cwd:
        expect(0, "-T", cwd=cwd, stdout=r"\Astatic daytime.*\n\Z")
        expect(0, "-T", "-S", "static echo", cwd=cwd,
               stdout=r"\Astatic daytime.*\nstatic echo.*\n\Z")
        expect(0, "-T", "-f", "x.conf", "-S", "static echo", cwd=cwd,
               stdout=r"\Astatic time.*\nstatic echo.*\n\Z")


@case
def check_touches_nothing():
    with socket.socket() as taken, folder() as cwd:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        conf = ("host { pid_file = %s/of-host }\n"
                "static echo { listen = tcp:127.0.0.1:%d unix:%s/path }\n"
                % (cwd, taken.getsockname()[1], cwd))
        done = expect(0, "-bt", "-f", "{conf}", "-p", "pid", conf=conf,
                      cwd=cwd, stdout="good")
        assert done.stderr == "", done
        assert os.listdir(cwd) == []
        # The start is another matter.
        expect(1, "-f", "{conf}", conf=conf, cwd=cwd, stderr="in use")
        assert os.listdir(cwd) == []


@case
def without_static_or_dynamic():
    expect(1, "-t", "-n", "-S", "static echo", stderr=r"-S #1:1:8: error")
    expect(0, "-t", "-n", "-y", "-S", "static echo")
    plugin = "dynamic X Service_Object * nowhere_to_be_found:make_x()"
    expect(1, "-t", "--no-dynamic", "-S", plugin, stderr=r"-S #1:1:28: error")
    with folder() as cwd:
        expect(1, "-t", "--plugin-path", "here:/there", "-S", plugin, cwd=cwd,
               stderr=r"(?s)%s/here/.*/there/" % re.escape(cwd))


# --- the background (row P01) --------------------------------------------------

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


# --- the pid file -----------------------------------------------------------

def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@case
def a_pid_file():
    with Host(ECHO, options=["-p", "{dir}/pid"]) as host:
        path = host.path("pid")
        assert read(path) == "%d\n" % host.pid
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
        expect(1, "-p", path, "-S", "static echo",
               stderr="process %d is running" % host.pid)
        assert read(path) == "%d\n" % host.pid
        host.stop()
        assert not os.path.exists(path)


@case
def a_pid_file_of_the_configuration():
    conf = "host { pid_file = {dir}/of-host }\n" + ECHO
    with Host(conf) as host:
        assert read(host.path("of-host")) == "%d\n" % host.pid
        host.stop()
        assert not os.path.exists(host.path("of-host"))
    with Host(conf, options=["-p", "{dir}/of-option"]) as host:
        assert read(host.path("of-option")) == "%d\n" % host.pid
        assert not os.path.exists(host.path("of-host"))


@case
def a_pid_file_that_was_left_behind():
    with contextlib.closing(Host(ECHO, options=["-p", "{dir}/pid"])) as first:
        path = first.path("pid")
        first.process.kill()
        first.process.wait()
        assert read(path) == "%d\n" % first.pid
        with Host(ECHO, options=["-p", path]) as second:
            assert read(path) == "%d\n" % second.pid
            # One that somebody put there instead is not ours to remove.
            os.unlink(path)
            with open(path, "w", encoding="ascii") as file:
                file.write("1\n")
            second.stop()
        assert read(path) == "1\n"


@case
def a_control_socket():
    conf = "host { control = {dir}/control }\n"
    for options in ([], ["-n"]):
        with Host(conf, options=options) as host:
            path = host.path("control")
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            with Manager(path) as manager:
                manager.do("reconfigure")
            host.stop()
            assert not os.path.exists(path)


# --- signals ------------------------------------------------------------------

@case
def the_end_waits_for_sessions():
    with Host(ECHO) as host:
        with host.connect() as client:
            client.sendall(b"before")
            assert receive(client, 6) == b"before"
            host.signal(signal.SIGTERM)
            host.wait_notified("STOPPING")
            client.sendall(b"after")
            assert receive(client, 5) == b"after"
            assert host.running()
        assert host.wait_exit() == 0
        assert "SIGTERM" in host.log_text()


@case
def the_second_signal_ends_at_once():
    for first, second in ((signal.SIGTERM, signal.SIGTERM),
                          (signal.SIGINT, signal.SIGTERM)):
        with Host("host { shutdown = 1000s }\n" + ECHO,
                  options=["-p", "{dir}/pid"]) as host:
            with host.connect() as client:
                client.sendall(b"held")
                assert receive(client, 4) == b"held"
                host.signal(first)
                host.wait_notified("STOPPING")
                host.signal(second)
                assert host.wait_exit() == 0
            assert not os.path.exists(host.path("pid"))


@case
def the_deadline_ends_sessions():
    with Host("host { shutdown = 100ms }\n" + ECHO) as host:
        with host.connect() as client:
            client.sendall(b"held")
            assert receive(client, 4) == b"held"
            host.signal(signal.SIGTERM)
            with contextlib.suppress(ConnectionResetError):
                assert receive_all(client) == b""
            assert host.wait_exit() == 0


@case
def another_signal_for_reloads():
    with Host(ECHO, options=["-s", "USR1"]) as host:
        host.signal(signal.SIGHUP)
        host.wait_log("SIGHUP ignored")
        assert host.count_notified("RELOADING") == 0
        host.signal(signal.SIGUSR1)
        host.wait_notified("RELOADING")
        host.wait_notified("READY", 2)


@case
def a_reader_of_the_log_that_went_away():
    with folder() as cwd:
        reader, writer = os.pipe()
        path = os.path.join(cwd, "socket")
        host = subprocess.Popen(
            [BERTHD, "-S", "static echo { listen = unix:%s }" % path],
            stdin=subprocess.DEVNULL, stderr=writer, cwd=cwd)
        try:
            os.close(writer)
            wait_until(lambda: answers(path), what="it answers")
            os.close(reader)
            for _ in range(3):
                host.send_signal(signal.SIGHUP)
            assert answers(path)
            host.terminate()
            assert host.wait(TIMEOUT) == 0
        finally:
            host.kill()
            host.wait()


# --- the supervisor -------------------------------------------------------------

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
        assert re.match(r"reload refused: .*svc\.conf:2:8: error", end["STATUS"]
                        ), end
        host.stop()
        assert host.count_notified("STOPPING") == 1


@case
def a_watchdog_is_fed():
    with Host(ECHO, env={"WATCHDOG_USEC": "100000"}) as host:
        host.wait_notified("WATCHDOG", 3)
    with Host(ECHO, env={"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}) as host:
        host.reload()
        assert host.count_notified("WATCHDOG") == 0


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
        import resource
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
