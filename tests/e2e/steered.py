# SPDX-License-Identifier: BSD-2-Clause
"""Hosts that a test steers and changes: a manager with full rights, plugins
compiled or copied for the occasion, the whole state as one value, a load of
clients that verify every byte."""

import glob
import multiprocessing
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading

from berth_e2e import (
    BUILD, BERTHD, SOURCE, TIMEOUT, Failure, Host, connect, receive)

PLUGINS = os.path.join(BUILD, "tests", "plugins")
# A plugin that comes with the host.
HELLO = os.path.join(BUILD, "plugins", "hello", ".libs")
TOKEN = "0123456789abcdef0123456789abcdef"

with open(BERTHD, "rb") as _file:
    SANITIZED = re.search(rb"__[at]san_init", _file.read()) is not None

TEN_LINES = """
#include <berth/berth.h>

static int
greet(struct berth_session *session)
{
	int result = berth_printf(session, "BANNER\\n");

	berth_close(session);
	return result < 0 ? result : 0;
}

BERTH_SERVICE(make_greeter, .summary = "greets", .session = { .open = greet });
"""


def _secret(folder):
    path = os.path.join(folder, "token")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w",
              encoding="ascii") as file:
        file.write(TOKEN + "\n")
    return path


class Steered(Host):
    """A host with a manager on {p9} that this test may steer, and a folder
    for plugins, {plugins}, that is its plugin_path."""

    def __init__(self, conf, *, options=(), **rest):
        self._own = tempfile.mkdtemp(prefix="berth-steered-")
        self.plugins = os.path.join(self._own, "plugins")
        os.mkdir(self.plugins)
        self._manager = 'static Service_Manager "-p {p9} -c -t %s"\n' % (
            _secret(self._own))
        self.copy_plugins("good", "banner1")
        super().__init__(
            conf, options=("--plugin-path", self.plugins) + tuple(options),
            **rest)

    def fill(self, text):
        return super().fill(text).replace("{plugins}", self.plugins)

    def write_conf(self, text):
        super().write_conf(text + self._manager)

    def log_in(self):
        manager = self.manager(9)
        manager.do("login " + TOKEN)
        return manager

    def close(self):
        super().close()
        shutil.rmtree(self._own, ignore_errors=True)

    # --- plugins

    def copy_plugins(self, *names, to=None, source=PLUGINS):
        """Of tests/plugins; replaced by rename, as installers do."""
        for name in names:
            target = os.path.join(self.plugins, (to or name) + ".so")
            shutil.copy(os.path.join(source, name + ".so"), target + ".new")
            os.chmod(target + ".new", 0o644)
            os.rename(target + ".new", target)

    def copy_shipped(self, *names, to=None):
        """Of those that come with the host."""
        for name in names:
            path, = glob.glob(os.path.join(
                BUILD, "plugins", "*", ".libs", name + ".so"))
            self.copy_plugins(name, to=to, source=os.path.dirname(path))

    def stamp_plugin(self, name):
        """The same code in a file that is another one."""
        path = os.path.join(self.plugins, name + ".so")
        shutil.copy(path, path + ".new")
        with open(path + ".new", "ab") as file:
            file.write(b"another")
        os.rename(path + ".new", path)

    def compile_plugin(self, banner, name="greeter"):
        """cc, as a third party does it."""
        source = os.path.join(self._own, name + ".c")
        target = os.path.join(self.plugins, name + ".so")
        with open(source, "w", encoding="ascii") as file:
            file.write(TEN_LINES.replace("BANNER", banner))
        subprocess.run(
            [*os.environ.get("CC", "cc").split(), "-shared", "-fPIC",
             "-I" + os.path.join(SOURCE, "include"), "-o", target + ".new",
             source], check=True)
        os.rename(target + ".new", target)
        return target

    # --- the state, for comparison

    def state(self):
        """All that a refused reload must not change."""
        with self.manager(9) as manager:
            manager.send("json on")
            manager.line()
            services = manager.json("list")
            shown = [manager.json("show " + s["name"]) for s in services]
        for show in shown:  # what moves by itself, or by our asking
            for key in ("since_ms", "sessions", "served", "failed",
                        "bytes_in", "bytes_out", "datagrams", "holds", "info"):
                show.pop(key, None)
        for service in services:
            service.pop("sessions")
        sockets = sorted(link for link in self.fds().values()
                         if link.startswith("socket:"))
        return {"services": services, "shown": shown,
                "listening": self.listening(), "pid": self.pid,
                "images": self.images(), "sockets": len(sockets) > 0}

    def images(self):
        return sorted({line.split()[-2] for line in self.maps().splitlines()
                       if "memfd:berth" in line})


class Load:
    """Clients in a process of their own: connect, read a banner of those
    given, send, verify the echo, close; for ever.  Counts what went wrong."""

    def __init__(self, port, banners, clients=32, held=0):
        self._stop = multiprocessing.Event()
        self._counts = multiprocessing.Array("L", 3)
        self._what = multiprocessing.Queue()
        self._process = multiprocessing.Process(
            target=self._run, args=(port, banners, clients, held),
            daemon=True)
        self._process.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def done(self):
        return self._counts[0]

    def stop(self):
        """(talks, failures, the first failure)."""
        self._stop.set()
        self._process.join(TIMEOUT)
        if self._process.is_alive():
            self._process.kill()
        first = None if self._what.empty() else self._what.get()
        return self._counts[0], self._counts[1], first

    def _talk(self, port, banners, number):
        with connect(port) as client:
            banner = b""
            while not banner.endswith(b"\n"):
                part = client.recv(256)
                if not part:
                    raise EOFError("end of stream after %r" % banner)
                banner += part
            if banner not in banners:
                raise ValueError("banner %r" % banner)
            words = b"%06d" % (number % 1000000) * 20
            client.sendall(words)
            back = receive(client, len(words))
            if back != words:
                raise ValueError("echo of %d bytes" % len(back))
            client.shutdown(socket.SHUT_WR)
            if client.recv(1):
                raise ValueError("more than was sent")

    def _client(self, port, banners):
        number = 0
        while not self._stop.is_set():
            number += 1
            try:
                self._talk(port, banners, number)
            except (OSError, EOFError, ValueError) as problem:
                with self._counts.get_lock():
                    self._counts[1] += 1
                self._what.put(repr(problem))
            with self._counts.get_lock():
                self._counts[0] += 1

    def _run(self, port, banners, clients, _held):
        threads = [threading.Thread(target=self._client, args=(port, banners))
                   for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def in_threads(count, function):
    """function(0), function(1), ... at once; none may fail."""
    failures = []

    def run(number):
        try:
            function(number)
        except (Failure, AssertionError, OSError) as failure:
            failures.append((number, repr(failure)))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
