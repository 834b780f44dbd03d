# SPDX-License-Identifier: BSD-2-Clause
"""The process: options and exit statuses, the pid file, signals."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess

from berth_e2e import (
    BERTHD, TIMEOUT, Host, Manager, case, free_port, main, receive,
    receive_all, wait_until)
from berth_process import ECHO, answers, expect, folder, read


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


# --- the pid file ------------------------------------------------------------

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


# --- signals -----------------------------------------------------------------

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


main()
