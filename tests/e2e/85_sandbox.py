# SPDX-License-Identifier: BSD-2-Clause
"""The sandbox of a program: what it finds of it, that a reload changes it for
the next process, and what is said of that which cannot be had."""

import os
import re
import tempfile

from berth_e2e import (
    BUILD, case, main, receive_all, run_berthd, wait_until)
from fleets import OFTEN, say, steered, worker
from steered import SANITIZED, Steered

PROBE = os.path.join(BUILD, "tests", "programs", "probe")
IS_ROOT = os.geteuid() == 0
CAP_CHOWN, CAP_KILL, CAP_NET_BIND_SERVICE = 1 << 0, 1 << 5, 1 << 10


def program(words, arguments="status"):
    return ("dynamic P Program * %s \"%s\" { listen = tcp:127.0.0.1:{p0}; %s }\n"
            % (PROBE, arguments, words))


def on_echo(words):
    return "static echo { listen = tcp:127.0.0.1:{p0}; %s }\n" % words


def status_of(host):
    """What the kernel tells of a process that starts now."""
    with host.connect(0) as client:
        said = receive_all(client).decode()
    return dict(line.split(":\t", 1) for line in said.splitlines()
                if ":\t" in line)


def checked(words, conf=program):
    """What `berthd -t` says of such a program."""
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        path = os.path.join(folder, "svc.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(conf(words).replace("{p0}", "0"))
        return run_berthd("-t", "-f", path)


@case
def capabilities_change_with_a_reload():
    if not IS_ROOT:  # to whom it is refused, see below
        assert checked("capability_bounding_set = kill").returncode == 1
        return
    with Steered(program("capability_bounding_set = kill chown")) as host:
        assert int(status_of(host)["CapBnd"], 16) == CAP_KILL | CAP_CHOWN
        pid = host.pid
        host.write_conf(program(
            "user = nobody; ambient_capabilities = net_bind_service"))
        host.reload()
        assert host.pid == pid
        status = status_of(host)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[name], 16) == CAP_NET_BIND_SERVICE, status
        host.write_conf(program("user = nobody"))
        host.reload()
        status = status_of(host)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[name], 16) == 0, status


@case
def what_cannot_be_had_is_refused_or_told():
    # No host keeps this one without being asked to.
    words = "ambient_capabilities = sys_ptrace"
    done = checked(words)
    assert done.returncode == 1, done
    assert "svc.conf:1:" in done.stderr, done
    assert "has no 'sys_ptrace' to give" in done.stderr, done
    done = checked("workers = 1; " + words, on_echo)
    assert done.returncode == 1, done
    assert "has no 'sys_ptrace' to give" in done.stderr, done
    words += "; sandbox_strict = no"
    for done in (checked(words), checked("workers = 1; " + words, on_echo)):
        assert done.returncode == 0, done
        assert done.stderr.count("goes on without ambient_cap") == 1, done
    with Steered(program("")) as host:
        manager = host.log_in()
        assert "not_applied" not in "\n".join(manager.do("show P"))
        host.write_conf(program(words))
        host.reload()
        said = "\n".join(manager.do("show P"))
        assert "not_applied    ambient_capabilities (" in said, said
        assert "'P' goes on without ambient_capabilities" in host.log_text()
        assert int(status_of(host)["CapAmb"], 16) == 0


@case
def paths_change_with_a_reload():
    with tempfile.NamedTemporaryFile(dir=BUILD) as file:
        os.chmod(file.name, 0o666)
        asks = "open " + file.name
        system = "read_only_paths = /usr -/lib -/lib64"

        def answer(host):
            with host.connect(0) as client:
                return receive_all(client).decode().split()[1:]

        with Steered(program("", asks)) as host:
            assert answer(host) == ["0", "0"]
            for words, expected in (
                    ("", ["13", "13"]), (" " + file.name, ["0", "13"]),
                    ("; read_write_paths = " + file.name, ["0", "0"])):
                host.write_conf(program(system + words, asks))
                host.reload()
                assert answer(host) == expected, words
            before = len(host.fds())
            for _ in range(5):  # rules are descriptors, which go with them
                for words in ("", " " + file.name):
                    host.write_conf(program(system + words, asks))
                    host.reload()
            wait_until(lambda: len(host.fds()) <= before, what="rules left")
            host.write_conf(program(system + " /nonexistent", asks))
            host.reload()
            text = host.log_text()
            assert "read_only_paths: '/nonexistent': No such file" in text
            assert answer(host) == ["0", "13"]


def status_of_process(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return dict(line.split(":\t", 1) for line in file if ":\t" in line)


@case
def workers_have_it_too_and_a_reload_changes_it():
    bounds = "; capability_bounding_set = kill" if IS_ROOT else ""
    system = "read_only_paths = /usr -/lib -/lib64 -/proc"
    with tempfile.NamedTemporaryFile(dir=BUILD) as file:
        os.chmod(file.name, 0o644)
        asks = "open " + file.name
        for kind in ("workers = 2", "concurrency = process"):
            with steered(worker(kind)) as host:
                assert say(host, asks) == b"0\n", kind
                for words, expected in (
                        (system + bounds, b"13\n"),
                        (system + " " + file.name + bounds, b"0\n"),
                        (system + bounds, b"13\n")):
                    host.write_conf(worker(kind + "; " + words))
                    host.reload()
                    assert say(host, asks) == expected, (kind, words)
                with host.connect(0) as client:
                    client.sendall(b"pid\n")
                    status = status_of_process(int(client.recv(20)))
                assert int(status["NoNewPrivs"]) == 1, status
                if IS_ROOT:
                    assert int(status["CapBnd"], 16) == CAP_KILL, status
                host.write_conf(worker(kind))
                host.reload()
                assert say(host, asks) == b"0\n", kind
                # What a reload refuses changes nothing.
                host.write_conf(worker(kind + "; " + system + " /nonexistent"))
                host.reload()
                assert "'/nonexistent': No such file" in host.log_text()
                assert say(host, asks) == b"0\n", kind


def has_filter():
    done = checked("system_call_filter = @system-service")
    assert done.returncode == 0 or "without libseccomp" in done.stderr, done
    return done.returncode == 0


@case
def system_calls_change_with_a_reload():
    if not has_filter():
        return
    words = "system_call_filter = @system-service"
    with Steered(program("", "call socket")) as host:
        def answer():
            with host.connect(0) as client:
                return receive_all(client).decode()

        assert answer() == "socket 0\n"
        for more, expected in (
                ("", "socket 0\n"), (" ~@network-io:EACCES", "socket 13\n"),
                (" ~socket; system_call_error_number = EPERM", "socket 1\n"),
                (" ~socket", "")):
            host.write_conf(program(words + more, "call socket"))
            host.reload()
            assert answer() == expected, more
        host.wait_log(r"P: process \d+ for .*: signal 31 .*: "
                      r"system_call_filter refuses what it did")
        host.write_conf(program("", "call socket"))
        host.reload()
        assert answer() == "socket 0\n"


@case
def system_calls_of_workers():
    if not has_filter():
        return
    if SANITIZED:  # which looks for leaks by calls that are none of these
        print("system_calls_of_workers: not under a sanitizer")
        return
    words = "; system_call_filter = @system-service"
    for kind in ("workers = 1; " + OFTEN, "concurrency = process"):
        with steered(worker(kind + words)) as host:
            assert say(host, "socket") == b"0\n", kind
            host.write_conf(worker(
                kind + words + " ~socket; system_call_error_number = EACCES"))
            host.reload()
            assert say(host, "socket") == b"13\n", kind
            host.write_conf(worker(kind + words + " ~socket"))
            host.reload()
            told = re.compile(r"process \d+.* ended .*signal 31 .*: "
                              r"system_call_filter refuses socket \(\d+\)")
            for times in (1, 2):
                assert say(host, "socket") == b"", kind
                wait_until(lambda: len(told.findall(host.log_text())) == times,
                           what="its end is told")
            assert say(host, "open /") == b"0\n", kind


@case
def mistakes_have_their_place():
    for words, said in (
            ("capability_bounding_set = kil", "no capability"),
            ("system_call_filter = a.b", "no name of a system call"),
            ("system_call_error_number = EWHAT", "error of errno"),
            ("ambient_capabilities = kill; capability_bounding_set = ~kill",
             "'kill' is not in capability_bounding_set")):
        if not IS_ROOT and "~" in words:
            continue  # it is refused for another reason
        done = checked(words)
        assert done.returncode == 1, (words, done)
        assert "svc.conf:1:" in done.stderr, (words, done)
        assert said in done.stderr, (words, done)


main()
