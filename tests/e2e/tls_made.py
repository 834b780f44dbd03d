# SPDX-License-Identifier: BSD-2-Clause
"""Certificates that are made when they are wanted, and clients that speak
TLS."""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile

from berth_e2e import TIMEOUT, connect

STREAM = """
stream dynamic Secure STREAM * :stream() {
    dynamic TLS Module * tls:make_tls() "%s"
}
"""


class Authority:
    """A folder with an authority, ca.pem, and what it has signed."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="berth-tls-")
        self._make("ca", "-addext", "basicConstraints=critical,CA:TRUE")
        self.issue("server")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _make(self, name, *words):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=" + name, "-keyout", self.path(name + ".key"),
             "-out", self.path(name + ".pem"), *words],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=TIMEOUT)
        os.chmod(self.path(name + ".key"), 0o600)

    def issue(self, name, host="host.test"):
        """NAME.pem and NAME.key; the subject is CN=NAME."""
        self._make(name, "-CA", self.path("ca.pem"),
                   "-CAkey", self.path("ca.key"),
                   "-addext", "basicConstraints=critical,CA:FALSE",
                   "-addext", "subjectAltName=DNS:" + host)

    def put(self, name, place):
        """The pair takes the other's place, one file after the other."""
        for suffix in (".key", ".pem"):
            os.rename(self.path(name + suffix), self.path(place + suffix))

    def words(self, *more, name="server"):
        """What a server's module is told."""
        return " ".join(("-c " + self.path(name + ".pem"),
                         "-k " + self.path(name + ".key")) + more)

    def stream(self, *more):
        return STREAM % self.words(*more)

    def context(self, name=None, version=None):
        """A client's, with that certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.path("ca.pem"))
        if name is not None:
            context.load_cert_chain(
                self.path(name + ".pem"), self.path(name + ".key"))
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context


def dial(host, number, context, name="host.test", session=None):
    """A client of {pNUMBER} that has shaken hands."""
    client = connect(host.port(number), TIMEOUT)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        return context.wrap_socket(
            client, server_hostname=name, session=session)
    except BaseException:
        client.close()
        raise


def subject(client):
    """The common name in the server's certificate."""
    return dict(pair for part in client.getpeercert()["subject"]
                for pair in part)["commonName"]
