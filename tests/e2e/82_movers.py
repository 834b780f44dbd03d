# SPDX-License-Identifier: BSD-2-Clause
"""Whoever comes from inetd or xinetd: their files as they are, their command
lines, their signals.

All of it runs in a network of its own, so that port 7 is free and may be had
by everybody.
"""

import ctypes
import fcntl
import os
import pwd
import signal
import socket
import struct
import subprocess

from berth_e2e import (
    BERTHD, TIMEOUT, Failure, Host, case, main, receive, receive_all,
    wait_until)
from stock import ask, stock, tool

USER = pwd.getpwuid(os.geteuid()).pw_name
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def enter_network():
    """A loopback of our own, in which every port may be bound."""
    uid, gid = os.geteuid(), os.getegid()
    flags = CLONE_NEWNET | (CLONE_NEWUSER if uid != 0 else 0)
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        raise Failure("unshare: " + os.strerror(ctypes.get_errno()))
    if uid != 0:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", "%d %d 1" % (uid, uid))
        write("/proc/self/gid_map", "%d %d 1" % (gid, gid))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS,
                    struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))
    try:
        write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0")
    except OSError:
        if uid != 0:  # root needs no leave
            raise


def talk(port, data, family=socket.AF_INET):
    """What a TCP service says to that, to its end."""
    address = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.socket(family) as client:
        client.settimeout(TIMEOUT)
        client.connect((address, port))
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return receive_all(client)


def refused(port, address="127.0.0.1"):
    with socket.socket() as client:
        return client.connect_ex((address, port)) != 0


class Called(Host):
    """berthd under another name, in the foreground."""

    def __init__(self, name, words, conf, **rest):
        self._name = name
        self._words = words
        super().__init__(conf, **rest)

    def _start(self, options, env, pass_fds):
        link = self.path(self._name)
        os.symlink(BERTHD, link)
        words = [link] + [self.fill(word) for word in self._words]
        environment = dict(os.environ, NOTIFY_SOCKET=self.path("notify"))
        with open(self.path("stdout"), "wb") as out, \
                open(self.path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                cwd=self.folder, env=environment)


# --- files ----------------------------------------------------------------

@case
def an_inetd_conf_works_as_it_is():
    finger = stock("fingerd finger", "usr/sbin/in.fingerd")
    stock("finger", "usr/bin/finger")
    conf = """# /etc/inetd.conf: see inetd(8) for further information.
#:INTERNAL: Internal services
echo\t\tstream\ttcp\tnowait\troot\tinternal
echo\t\tdgram\tudp\twait\troot\tinternal
127.0.0.1:daytime stream tcp nowait root internal
#discard\tstream\ttcp\tnowait\troot\tinternal

finger\tstream\ttcp\tnowait\t%s\t%s in.fingerd -p /bin/echo
{p0}\tstream tcp nowait %s /bin/cat\tcat -u
{dir}/s\tstream unix nowait %s /bin/cat cat
""" % (USER, finger, USER, USER)
    with Host(conf) as host:
        assert talk(7, b"hello") == b"hello"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(TIMEOUT)
            client.sendto(b"datagram", ("127.0.0.1", 7))
            assert client.recv(100) == b"datagram"
        assert b":" in talk(13, b"")
        assert refused(9)
        assert talk(host.port(0), b"through cat") == b"through cat"
        assert talk(79, b"somebody\r\n").split()[-1] == b"somebody"
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(host.path("s"))
            client.sendall(b"unix")
            assert receive(client, 4) == b"unix"
        # Two lines of one service are one service.
        with socket.create_connection(("127.0.0.1", 7)) as held:
            held.sendall(b"one")
            assert receive(held, 3) == b"one"
            host.write_conf(conf.replace("#discard", "discard").replace(
                "127.0.0.1:daytime", "#daytime"))
            said = "\n".join(host.reload())
            assert "+ discard" in said and "- daytime" in said, said
            assert talk(9, b"x") == b"" and refused(13)
            held.sendall(b"two")
            assert receive(held, 3) == b"two"
            # A bad line closes nothing, as it would with inetd.
            host.write_conf(conf.replace("{p0}\tstream", "{p0}\tstraem"))
            said = "\n".join(host.reload())
            assert "svc.conf:" in host.log_text() and "straem" in \
                host.log_text(), said
            held.sendall(b"six")
            assert receive(held, 3) == b"six"
            assert talk(host.port(0), b"still") == b"still"


@case
def includes_of_inetd():
    line = "{p%d} stream tcp nowait %s /bin/cat cat\n"
    with Host(line % (0, USER)) as host:
        os.mkdir(host.path("inetd.d"))
        assert talk(host.port(0), b"main") == b"main"
        host.write_conf(".include {dir}/inetd.d/*.conf\n" + line % (0, USER))
        host.write("inetd.d/a.conf", line % (1, USER))
        host.write("inetd.d/b.conf", line % (2, USER))
        host.write("inetd.d/c.other", "nonsense\n")
        host.reload()
        for number in range(3):
            assert talk(host.port(number), b"x") == b"x"
        os.unlink(host.path("inetd.d/a.conf"))
        host.reload()
        assert refused(host.port(1)) and talk(host.port(2), b"x") == b"x"


@case
def an_xinetd_conf_with_its_folder():
    httpd = stock("micro-httpd", "usr/sbin/micro-httpd")
    main_file = "defaults\n{\n}\nincludedir {dir}/xinetd.d\n"
    www = ("service www\n{\n\ttype = UNLISTED\n\tport = {p0}\n"
           "\tsocket_type = stream\n\twait = no\n\tuser = %s\n"
           "\tserver = %s\n\tserver_args = {dir}/pages\n\tdisable = %%s\n}\n"
           % (USER, httpd))
    echo = ("service echo\n{\n\ttype = INTERNAL\n\tsocket_type = stream\n"
            "\twait = no\n}\n")
    with Host("service daytime\n{\n type = INTERNAL\n wait = no\n"
              " socket_type = stream\n}\n") as host:
        os.mkdir(host.path("xinetd.d"))
        os.mkdir(host.path("pages"))
        os.chmod(host.folder, 0o755)
        write(host.path("pages/page.html"), "<p>page")
        host.write("xinetd.d/www", www % "no")
        host.write("xinetd.d/echo", echo)
        host.write("xinetd.d/echo~", "nonsense")
        host.write("xinetd.d/old.rpmsave", "nonsense")
        host.write_conf(main_file)
        host.reload()
        assert talk(7, b"hello") == b"hello" and refused(13)
        page = "http://127.0.0.1:%d/page.html" % host.port(0)
        assert ask(tool("curl"), "-sf", page) == b"<p>page"
        host.write("xinetd.d/www", www % "yes")
        host.reload()
        assert refused(host.port(0)) and talk(7, b"x") == b"x"


@case
def the_language_can_be_named():
    """A file that could be anything."""
    with Host("# nothing here yet\n", options=(
            "--format", "inetd", "-f", "{dir}/more"),
              files={"more": "echo stream tcp nowait root internal\n"
                             "# host {\n"}) as host:
        assert talk(7, b"x") == b"x"
        host.write("more", "daytime stream tcp nowait root internal\n")
        host.reload()
        assert refused(7) and talk(13, b"") != b""
        host.write("more", "service echo\n{\n}\n")
        host.reload()
        assert "more:1:" in host.log_text(), host.log_text()


# --- command lines --------------------------------------------------------

ECHO = "echo stream tcp nowait root internal\n"


@case
def inetd_goes_to_the_background():
    with Host(ECHO.replace("echo", "daytime")) as host:
        link = host.path("inetd")
        os.symlink(BERTHD, link)
        host.write("inetd.conf", ECHO)
        done = subprocess.run(
            [link, "-p", host.path("pid"), "inetd.conf"], cwd=host.folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT,
            check=False)
        assert done.returncode == 0, done
        with open(host.path("pid"), encoding="ascii") as file:
            pid = int(file.read())
        host.adopt(pid)
        assert talk(7, b"hello") == b"hello"
        # What every script does.
        host.write("inetd.conf", "discard stream tcp nowait root internal\n")
        os.kill(pid, signal.SIGHUP)
        wait_until(lambda: refused(7) and not refused(9), what="the reload")
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not os.path.exists(host.path("pid")),
                   what="the end")


@case
def inetd_in_the_foreground():
    for words in (["-d"], ["-i"], ["-f"], ["-lidE"], ["--debug"],
                  ["-q", "64", "-i"]):
        with Called("inetd", words + ["{dir}/svc.conf"], ECHO) as host:
            assert host.running() and talk(7, b"x") == b"x"
            if "-lidE" in words:
                host.wait_log(r"\[warning\] option -E has no effect: ")


@case
def inetd_on_one_address():
    lines = ECHO + "127.0.0.3:discard stream tcp nowait root internal\n"
    with Called("openbsd-inetd", ["-i", "-a", "127.0.0.2", "{dir}/svc.conf"],
                lines) as host:
        for _ in range(2):
            assert refused(7) and not refused(7, "127.0.0.2")
            assert refused(9) and not refused(9, "127.0.0.3")
            host.reload()


@case
def limits_of_inetd_are_defaults():
    lines = ("echo stream tcp nowait root internal\n"
             "daytime stream tcp nowait/7 root internal\n")
    with Called("inetd", ["-i", "-c", "3", "{dir}/svc.conf"], lines) as host:
        for _ in range(2):
            clients = [socket.create_connection(("127.0.0.1", 7))
                       for _ in range(4)]
            for client in clients[:3]:
                client.settimeout(TIMEOUT)
                client.sendall(b"x")
                assert receive(client, 1) == b"x"
            clients[3].sendall(b"x")
            clients[3].settimeout(0.2)
            try:
                assert clients[3].recv(1) is None, "a fourth client"
            except TimeoutError:
                pass
            for client in clients:
                client.close()
            # It holds after a reload, too.
            host.reload()


@case
def the_rate_of_inetd_is_one_too():
    line = "{p0} stream tcp nowait %s /bin/cat cat\n" % USER
    with Called("inetd", ["-i", "-R", "2", "{dir}/svc.conf"], line) as host:
        for _ in range(2):
            assert talk(host.port(0), b"x") == b"x"
        with host.connect(0) as client:  # waits, and is not refused
            client.sendall(b"x")
            client.settimeout(0.2)
            try:
                assert client.recv(1) is None, "a third in a minute"
            except TimeoutError:
                pass


@case
def xinetd_in_the_foreground():
    text = ("service echo\n{\n\ttype = INTERNAL\n\tsocket_type = stream\n"
            "\twait = no\n}\n")
    words = ["-dontfork", "-stayalive", "-pidfile", "{dir}/pid", "-f",
             "{dir}/svc.conf", "-limit", "50", "-cc", "60"]
    with Called("xinetd", words, text) as host:
        assert talk(7, b"x") == b"x"
        with open(host.path("pid"), encoding="ascii") as file:
            assert int(file.read()) == host.pid
        host.wait_log(r"\[warning\] option -limit has no effect: ")


@case
def mistakes_on_their_command_lines():
    cases = [("inetd", ["-Z"], 2, "there is no option '-Z'"),
             ("inetd", ["-R", "many"], 2, "'many' is no number"),
             ("inetd", ["-R"], 2, "needs a NUMBER"),
             ("inetd", ["-i", "/no/such.conf"], 1, "/no/such.conf"),
             ("xinetd", ["-pidfil"], 2, "needs a FILE"),
             ("xinetd", ["-wontfork"], 2, "there is no option '-wontfork'"),
             ("xinetd", ["-dontfork", "extra"], 2, "'extra' is no option"),
             ("inetd", ["-h"], 0, ""), ("xinetd", ["-version"], 0, "")]
    with Host("static echo { listen = tcp:127.0.0.1:{p0} }") as host:
        for name in ("inetd", "xinetd"):
            os.symlink(BERTHD, host.path(name))
        for name, words, status, said in cases:
            done = subprocess.run(
                [host.path(name)] + words, timeout=TIMEOUT, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            assert done.returncode == status, (name, words, done)
            assert said in done.stderr, (name, words, done)


for _package, _path in (("fingerd finger", "usr/sbin/in.fingerd"),
                        ("micro-httpd", "usr/sbin/micro-httpd")):
    stock(_package, _path)  # while there is a network to have them from
enter_network()
main()
