# SPDX-License-Identifier: BSD-2-Clause
"""Hosts with services in processes: what tests of them ask and watch."""

import threading

from berth_e2e import receive, wait_until
from steered import Steered

NEIGHBOUR = "static echo { listen = tcp:127.0.0.1:{p1} }\n"
# Deaths in a row are what is wanted here.
OFTEN = "start_limit = unlimited; restart_delay = 10ms; restart_delay_max = 20ms"


def worker(attributes="workers = 2", words="", name="W"):
    return ('dynamic %s Service_Object * worker:make_worker() %s '
            '{ listen = tcp:127.0.0.1:{p0}; %s }\n' % (name, words, attributes))


def steered(conf, **rest):
    host = Steered("", **rest)
    host.copy_plugins("worker")
    host.write_conf(conf)
    host.reload()
    return host


def say(host, word, number=0):
    """The answer to one word; b"" if the session was lost."""
    try:
        with host.connect(number) as client:
            client.sendall(word.encode() + b"\n")
            return client.recv(100)
    except ConnectionError:
        return b""


def pid_of(host):
    return int(say(host, "pid"))


def fleet(host, name="W"):
    """Slot -> pid of the workers that serve."""
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        shown = manager.json("show " + name)
    return {w["slot"]: w["pid"] for w in shown["fleet"]
            if w["state"] == "serving"}


def state(host, name="W"):
    with host.manager(9) as manager:
        for line in manager.do("list"):
            if line.startswith(name + " "):
                return line.split()[1]
    return None


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii",
                  errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(host):
    path = "/proc/%d/task/%d/children" % (host.pid, host.pid)
    with open(path, encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def refused(host, number=0):
    """Does nobody listen there?"""
    try:
        host.connect(number).close()
        return False
    except ConnectionRefusedError:
        return True


class Neighbour:
    """A client that comes again and again; may_lose: so often it may lose its
    session.  It must never be turned away, and is served again and again."""

    def __init__(self, host, number=1, may_lose=0):
        self.host, self.number, self.may_lose = host, number, may_lose
        self.talks, self.problem = 0, None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        wait_until(lambda: self.talks > 0 or self.problem, what="a talk")
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        assert self.problem is None, self.problem

    def _talk(self, client):
        client.sendall(b"neighbour")
        if receive(client, 9) != b"neighbour":
            raise EOFError("short")

    def _run(self):
        while not self._stop.is_set():
            try:
                with self.host.connect(self.number) as client:
                    try:
                        self._talk(client)
                        self.talks += 1
                    except (ConnectionError, EOFError):
                        self.may_lose -= 1
                        if self.may_lose < 0:
                            raise
            except (OSError, EOFError) as problem:
                self.problem = repr(problem)
                return
