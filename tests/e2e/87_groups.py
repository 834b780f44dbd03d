# SPDX-License-Identifier: BSD-2-Clause
"""Limits of control groups: what a service uses together, of which version
this machine has; who wants more is told of, and nobody else notices."""

import functools
import os
import re
import signal
import tempfile

from berth_e2e import case, main, receive_all, run_berthd, wait_until
from fleets import (
    NEIGHBOUR, OFTEN, Neighbour, alive, children, fleet, pid_of, say, steered,
    worker)
from steered import SANITIZED, Steered

# Sanitizers want some for themselves.
MEMORY = 1024 if SANITIZED else 64
LIMITS = "memory_max = %dM; tasks_max = 40; cpu_quota = 300%%" % MEMORY


def program(words, script):
    return ("dynamic P Program * /bin/sh \"-c '%s'\" "
            "{ listen = tcp:127.0.0.1:{p0}; %s }\n" % (script, words))


def checked(words):
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        path = os.path.join(folder, "svc.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(program(words, ":").replace("{p0}", "0"))
        return run_berthd("-t", "-f", path)


def goes_on(said):
    print("there are no control groups here that a host may make: " + said)
    return False


@functools.lru_cache(None)
def is_there():
    """Can a host here make such groups?  Else it says so, which is tested."""
    done = checked(LIMITS)
    if done.returncode != 0:
        found = re.search(r"svc.conf:1:\d+: error: 'P': memory_max: ((no "
                          r"control groups|the host can make no).*)",
                          done.stderr)
        assert found, done
        done = checked(LIMITS + "; sandbox_strict = no")
        assert done.returncode == 0, done
        assert "goes on without memory_max (" in done.stderr, done
        return goes_on(found.group(1))
    # Whether it is alone in its own group only a host knows that runs.
    with Steered(NEIGHBOUR) as host:
        host.write_conf(NEIGHBOUR + program(LIMITS, "echo"))
        host.reload()
        with host.log_in() as manager:
            if any(line.startswith("P ") for line in manager.do("list")):
                return True
        found = re.search(r"error: 'P': memory_max: ((other processes|the "
                          r"host can make no).*)", host.log_text())
        assert found, host.log_text()
        return goes_on(found.group(1))


def groups_of(pid):
    """Controller, or "" for the second version -> the group's path."""
    with open("/proc/%d/cgroup" % pid, encoding="ascii") as file:
        return {word: path for _, words, path in (
            line.rstrip("\n").split(":", 2) for line in file)
            for word in words.split(",")}


def folders(controller, path):
    """Where that group lies: its folder, if it is still there."""
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        for line in file:
            left, right = line.split(" - ")
            kind, _, options = right.split(" ", 2)
            if kind == "cgroup2" if controller == "" else (
                    kind == "cgroup" and
                    controller in options.strip().split(",")):
                root, point = left.split()[3:5]
                if root != "/" and path.startswith(root):
                    path = path[len(root):]
                return [point + path] if os.path.isdir(point + path) else []
    return []


def own_groups(pid):
    """Folders of the groups that a host made for this process."""
    found = []
    for controller, path in groups_of(pid).items():
        if os.path.basename(path).startswith("berth."):
            found += folders(controller, path)
    return found


def limit_of(places, *names):
    for place in places:
        for name in names:
            path = os.path.join(place, name)
            if os.path.exists(path):
                with open(path, encoding="ascii") as file:
                    return file.read().split()[0]
    return None


@case
def workers_are_in_a_group_and_it_goes_with_them():
    if not is_there():
        return
    for kind in ("workers = 2", "concurrency = process"):
        with steered(worker(kind + "; " + LIMITS)) as host:
            with host.connect(0) as client:
                client.sendall(b"pid\n")
                pid = int(client.recv(20))
                places = own_groups(pid)
                assert places, groups_of(pid)
            assert limit_of(places, "memory.max",
                            "memory.limit_in_bytes") == str(MEMORY << 20)
            assert limit_of(places, "pids.max") == "40"
            assert limit_of(places, "cpu.max", "cpu.cfs_quota_us") == "300000"
            assert not own_groups(host.pid), "the host itself is not in it"
            # What changes nothing of it keeps it; another limit is another.
            host.write_conf(worker(kind + "; instances = 7; " + LIMITS))
            host.reload()
            assert all(os.path.isdir(place) for place in places)
            host.write_conf(worker("%s; memory_max = %dM; tasks_max = 50" % (
                kind, MEMORY)))
            host.reload()
            with host.connect(0) as client:
                client.sendall(b"pid\n")
                fresh = own_groups(int(client.recv(20)))
                assert limit_of(fresh, "pids.max") == "50", fresh
            wait_until(lambda: not any(map(os.path.isdir, places)),
                       what="the old group is removed")
            host.write_conf(NEIGHBOUR)
            host.write_conf(worker(kind))
            host.reload()
            with host.connect(0) as client:
                client.sendall(b"pid\n")
                assert not own_groups(int(client.recv(20)))
            wait_until(lambda: not any(map(os.path.isdir, fresh)),
                       what="the group is removed")


@case
def they_are_removed_at_the_end_and_after_a_kill():
    if not is_there():
        return
    with steered(worker("workers = 1; " + LIMITS)) as host:
        places = own_groups(pid_of(host))
        assert places
    assert not any(map(os.path.isdir, places)), places
    host = steered(worker("workers = 1; " + LIMITS))
    try:
        pid = pid_of(host)
        left = own_groups(pid)
        host.stop(signal.SIGKILL, expected=-signal.SIGKILL)
        wait_until(lambda: not alive(pid), what="the worker goes with it")
    finally:
        host.close()
    with steered(worker("workers = 1; " + LIMITS, name="V")) as host:
        assert not any(map(os.path.isdir, left)), left
        assert own_groups(pid_of(host))


@case
def a_memory_bomb_is_killed_alone():
    if not is_there():
        return
    if SANITIZED:  # whose memory is not the service's alone
        print("a_memory_bomb_is_killed_alone: not under a sanitizer")
        return
    times = 3
    with steered(NEIGHBOUR + worker(
            "workers = 1; memory_max = 48M; " + OFTEN)) as host, \
            Neighbour(host), Neighbour(host, 0, may_lose=times):
        for count in range(times):
            before = pid_of(host)
            assert say(host, "bomb") == b""
            host.wait_log(r"process %d, ended .*signal 9 .*: the service has "
                          r"used up its memory_max" % before)
            # Who comes meanwhile waits, and is served.
            assert pid_of(host) != before
            with host.manager(9) as manager:
                shown = manager.do("show W")
            line = [x for x in shown if x.startswith("oom_kills")]
            assert line and line[0].split()[1] == str(count + 1), shown
        assert list(fleet(host)) == [0]
        assert len(children(host)) == 1


@case
def a_program_has_its_share():
    if not is_there():
        return
    script = ("for i in 1 2 3 4 5 6 7 8; do sleep 600 <&- >&- 2>&- & done; "
              "echo all")
    with Steered(program("tasks_max = 4", script)) as host:
        with host.connect(0) as client:
            said = receive_all(client).decode()
        assert "all" not in said, said
        host.write_conf(program("tasks_max = 100", "echo all"))
        host.reload()
        with host.connect(0) as client:
            assert receive_all(client) == b"all\n"
        if SANITIZED:
            return
        host.write_conf(program("memory_max = 16M", "exec tail /dev/zero"))
        host.reload()
        with host.connect(0) as client:
            assert receive_all(client) == b""
        host.wait_log(r"P: process \d+ .*signal 9 .*: the service has used up "
                      r"its memory_max")


@case
def what_a_service_leaves_behind_ends_with_it():
    if not is_there():
        return
    with Steered(program("tasks_max = 50",
                         "setsid sleep 600 >/dev/null 2>&1 & echo $!")) as host:
        with host.connect(0) as client:
            pid = int(receive_all(client))
        assert alive(pid)
        places = own_groups(pid)
        assert places
        host.write_conf(NEIGHBOUR)
        host.reload()
        with host.log_in() as manager:
            manager.do("remove P")
        wait_until(lambda: not alive(pid), what="it is killed")
        wait_until(lambda: not any(map(os.path.isdir, places)), what="gone")


@case
def mistakes_have_their_place():
    for words in ("memory_max = 64X", "memory_max = 0", "memory_max = 200%",
                  "tasks_max = -1", "tasks_max = 1K", "cpu_quota = 50",
                  "cpu_quota = 0.5%", "cpu_quota = x%"):
        done = checked(words)
        assert done.returncode == 1, (words, done)
        assert "svc.conf:1:" in done.stderr, (words, done)
    assert checked("memory_max = infinity; cpu_quota = infinity; "
                   "tasks_max = infinity").returncode == 0


main()
