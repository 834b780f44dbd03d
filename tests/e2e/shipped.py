# SPDX-License-Identifier: BSD-2-Clause
"""Hosts with the plugins that come with Berth, and servers for them."""

import glob
import os
import shutil
import socket
import tempfile
import threading

from berth_e2e import BUILD, TIMEOUT, Failure, Host, free_port


def folder_of(*names):
    """A new folder with these plugins, or with all."""
    folder = tempfile.mkdtemp(prefix="berth-plugins-")
    paths = []
    for name in names or ("*",):
        found = glob.glob(os.path.join(
            BUILD, "plugins", "*", ".libs", name + ".so"))
        if not found:
            raise Failure("plugin %s is not built" % name)
        paths += found
    for path in paths:
        shutil.copy(path, folder)
        os.chmod(os.path.join(folder, os.path.basename(path)), 0o644)
    return folder


class Shipped(Host):
    """A host whose plugin_path is {plugins}, with these plugins in it."""

    def __init__(self, conf, *names, options=(), **rest):
        self.plugins = folder_of(*names)
        super().__init__(
            conf, options=("--plugin-path", self.plugins) + tuple(options),
            **rest)

    def close(self):
        super().close()
        shutil.rmtree(self.plugins, ignore_errors=True)


class Server:
    """A listening socket and a thread that calls serve(connection) for each
    client in a thread of its own."""

    def __init__(self, serve, address=None, family=None):
        # One of its own: it may go and come back.
        address = address or ("127.0.0.1", free_port())
        family = family or (socket.AF_INET if isinstance(address, tuple)
                            else socket.AF_UNIX)
        self._serve = serve
        self.socket = socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address)
        self.socket.listen(128)
        self.count = 0
        self.address = self.socket.getsockname()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            connection.settimeout(TIMEOUT)
            threading.Thread(target=self._one, args=(connection,),
                             daemon=True).start()

    def _one(self, connection):
        with connection:
            try:
                self._serve(connection)
            except OSError:
                pass

    @property
    def port(self):
        return self.address[1]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        self._thread.join(TIMEOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
