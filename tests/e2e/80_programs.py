# SPDX-License-Identifier: BSD-2-Clause
"""External programs: what reaches them, how they end, and stock programs with
their real clients."""

import os
import pwd
import socket

from berth_e2e import (
    BUILD, Host, case, main, receive, receive_all, wait_until)
from stock import LIBRARIES, ask, stock, tool

PROBE = os.path.join(BUILD, "tests", "programs", "probe")
IS_ROOT = os.geteuid() == 0


def as_nobody():
    """Attributes, for a host that may change users."""
    return "user = nobody" if IS_ROOT else ""


def facts(client):
    return receive_all(client).decode().splitlines()


# --- what reaches a program ---------------------------------------------------

@case
def nothing_of_the_host_reaches_a_program():
    conf = "dynamic P Program * %s { listen = tcp:127.0.0.1:{p0}\n%s }" % (
        PROBE, as_nobody())
    leak = os.open("/dev/null", os.O_RDWR)
    os.set_inheritable(leak, True)
    before = os.umask(0o777)
    os.umask(before)
    groups = os.getgroups()
    if IS_ROOT:
        os.setgroups([0, 1, 2, 3, 4])
    try:
        host = Host(conf, env={"SECRET_TOKEN": "do-not-tell"},
                    pass_fds=[leak])
    finally:
        if IS_ROOT:
            os.setgroups(groups)
        os.close(leak)
    with host:
        # A host whose own mask is strange: the program's is not.
        with host.connect(0) as client:
            said = facts(client)
        assert "fds=0 1 2 " in said, said
        assert "signals=" in said, said
        assert "umask=0022" in said, said
        assert "leader=1" in said and "cwd=/" in said, said
        assert "env PROTO=TCP" in said, said
        assert not [line for line in said if "do-not-tell" in line
                    or "NOTIFY" in line or "top_builddir" in line], said
        if IS_ROOT:
            mine = [line for line in said if line.startswith("groups=")]
            assert len(mine[0].split("=")[1].split()) == 1, said
            assert "regains=0" in said and "no_new_privs=1" in said, said
            assert "env USER=nobody" in said, said


@case
def attributes_apply_to_the_next_process():
    conf = ("dynamic P Program * %s { listen = tcp:127.0.0.1:{p0}\n"
            "env = A=%%d\n rlimit_files = %%d }" % PROBE)
    with Host(conf % (1, 100)) as host:
        with host.connect(0) as client:
            said = facts(client)
        assert "env A=1" in said and "files=100 100" in said, said
        host.write_conf(conf % (2, 200))
        host.reload()
        with host.connect(0) as client:
            said = facts(client)
        assert "env A=2" in said and "files=200 200" in said, said


# --- reload and end -----------------------------------------------------------

@case
def running_programs_survive_a_reload():
    keep = ("dynamic P Program * /bin/cat { listen = tcp:127.0.0.1:{p0} }\n"
            "static echo { listen = tcp:127.0.0.1:{p1}\n instances = %d }\n")
    with Host(keep % 5) as host:
        with host.connect(0) as client:
            client.sendall(b"one")
            assert receive(client, 3) == b"one"
            for number in range(6, 16):
                host.write_conf(keep % number)
                host.reload()
            client.sendall(b"two")
            assert receive(client, 3) == b"two"


@case
def a_replaced_program_drains():
    conf = ("dynamic P Program * /bin/cat active \"%s\""
            " { listen = tcp:127.0.0.1:{p0}\n drain = %s }")
    with Host(conf % ("-", "1h")) as host:
        with host.connect(0) as old:
            old.sendall(b"old")
            assert receive(old, 3) == b"old"
            host.write_conf(conf % ("-u", "0"))
            host.reload()
            with host.connect(0) as new:
                new.sendall(b"new")
                assert receive(new, 3) == b"new"
                # Both generations serve.
                old.sendall(b"still")
                assert receive(old, 5) == b"still"
                host.write_conf(conf % ("-e", "0"))
                host.reload()
                # This one's service said `drain = 0`.
                assert new.recv(1) == b""
            old.sendall(b"and")
            assert receive(old, 3) == b"and"


@case
def the_hosts_end_asks_first():
    conf = ("host { shutdown = 100ms }\n"
            "dynamic P Program * %s active wait "
            "{ listen = tcp:127.0.0.1:{p0}; linger = 30s }") % PROBE
    conf = conf.replace("active wait", "active \"wait\"")
    with Host(conf) as host:
        with host.connect(0) as client:
            assert receive(client, 6) == b"waits\n"
            host.stop()
            assert client.recv(1) == b""
            assert "killed" not in host.log_text()


@case
def a_missing_program_is_told_and_answered():
    conf = "dynamic P Program * {dir}/prog { listen = tcp:127.0.0.1:{p0} }"
    host_files = {"prog": "#!/nonexistent/interpreter\n"}
    # The file has to be there, and to be executable, before the host looks.
    host = Host("static echo { listen = tcp:127.0.0.1:{p1} }",
                files=host_files)
    with host:
        os.chmod(host.path("prog"), 0o755)
        host.write_conf(conf)
        host.reload()
        with host.connect(0) as client:
            assert receive_all(client) == b""
        wait_until(lambda: "it cannot be run: No such file" in
                   host.log_text(), what="the reason in the log")


# --- stock programs, their real clients ---------------------------------------

def served(conf, files=None):
    return Host(conf, files=files)


@case
def busybox_httpd():
    program = stock("busybox-static", "bin/busybox")
    with served("dynamic W Program * %s \"httpd -i -h {dir}\" "
                "{ listen = tcp:127.0.0.1:{p0} }" % program,
                {"page.html": "<p>from httpd"}) as host:
        for _ in range(3):
            assert ask(tool("curl"), "-sf", "http://127.0.0.1:%d/page.html"
                       % host.port(0)) == b"<p>from httpd"


@case
def micro_httpd():
    program = stock("micro-httpd", "usr/sbin/micro-httpd")
    with served("dynamic W Program * %s \"{dir}\" "
                "{ listen = tcp:127.0.0.1:{p0} }" % program,
                {"page.html": "<p>micro"}) as host:
        assert ask(tool("curl"), "-sf", "http://127.0.0.1:%d/page.html"
                   % host.port(0)) == b"<p>micro"


@case
def gophernicus():
    program = stock("gophernicus", "usr/sbin/gophernicus")
    # It refuses to run as root.
    with served("dynamic G Program * %s \"-nv -nu -r {dir}/hole\" "
                "{ listen = tcp:127.0.0.1:{p0}\n %s }"
                % (program, as_nobody())) as host:
        os.mkdir(host.path("hole"))
        os.chmod(host.folder, 0o755)
        with open(host.path("hole/note.txt"), "w", encoding="ascii") as file:
            file.write("from a hole\n")
        os.chmod(host.path("hole/note.txt"), 0o644)
        said = ask(tool("curl"), "-sf", "gopher://127.0.0.1:%d/0/note.txt"
                   % host.port(0))
        assert b"from a hole" in said, said


@case
def git_daemon():
    git = tool("git")
    # Git is particular about who owns what it serves.
    with served("dynamic Git Program * %s "
                "\"daemon --inetd --export-all --base-path={dir}\" "
                "{ listen = tcp:127.0.0.1:{p0}\n"
                "env = HOME={dir} }" % git) as host:
        repository = host.path("r.git")
        env = {"HOME": host.folder, "GIT_AUTHOR_NAME": "a",
               "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
               "GIT_COMMITTER_EMAIL": "a@b"}
        ask(git, "init", "-q", host.path("work"), env=env)
        ask(git, "commit", "-q", "--allow-empty", "-m", "first",
            cwd=host.path("work"), env=env)
        ask(git, "clone", "-q", "--bare", host.path("work"), repository,
            env=env)
        ask(git, "clone", "-q", "git://127.0.0.1:%d/r.git" % host.port(0),
            host.path("copy"), env=env)
        assert b"first" in ask(git, "log", "--oneline",
                               cwd=host.path("copy"), env=env)


@case
def rsync_daemon():
    program = stock("rsync libpopt0", "usr/bin/rsync")
    with served("dynamic R Program * %s \"--daemon --config={dir}/conf\" "
                "{ listen = tcp:127.0.0.1:{p0}\n"
                "env = LD_LIBRARY_PATH=%s }" % (program, LIBRARIES),
                {"conf": "use chroot = no\n[m]\npath = {dir}/m\n" + (
                    "uid = 0\ngid = 0\n" if IS_ROOT else "")}) as host:
        os.mkdir(host.path("m"))
        with open(host.path("m/file"), "w", encoding="ascii") as file:
            file.write("x" * 100000)
        ask(program, "-a", "rsync://127.0.0.1:%d/m/" % host.port(0),
            host.path("got"))
        with open(host.path("got/file"), encoding="ascii") as file:
            assert file.read() == "x" * 100000


@case
def sshd_answers_a_key_scan():
    program = stock("openssh-server openssh-client", "usr/sbin/sshd")
    generate = stock("openssh-client", "usr/bin/ssh-keygen")
    scan = stock("openssh-client", "usr/bin/ssh-keyscan")
    with served("static echo { listen = tcp:127.0.0.1:{p1} }") as host:
        os.chmod(host.folder, 0o711)
        ask(generate, "-q", "-t", "ed25519", "-N", "", "-f", host.path("key"))
        if IS_ROOT:  # sshd itself would want a user and a folder of its own
            os.chown(host.path("key"), 65534, 65534)
        host.write_conf(
            "dynamic Ssh Program * %s \"-i -f /dev/null -h {dir}/key\" "
            "{ listen = tcp:127.0.0.1:{p0}\n %s }" % (program, as_nobody()))
        host.reload()
        with open(host.path("key.pub"), encoding="ascii") as file:
            key = file.read().split()[1]
        said = ask(scan, "-t", "ed25519", "-p", str(host.port(0)),
                   "127.0.0.1").decode()
        assert key in said, said


@case
def fingerd():
    program = stock("fingerd finger", "usr/sbin/in.fingerd")
    finger = stock("finger", "usr/bin/finger")
    with served("dynamic F Program * %s \"-p %s\" "
                "{ listen = tcp:127.0.0.1:{p0}\n %s }"
                % (program, finger, as_nobody())) as host:
        # finger(1) knows port 79 only; its protocol is a line (RFC 1288).
        said = ask(tool("socat"), "-t20", "-",
                   "TCP:127.0.0.1:%d" % host.port(0), data=b"root\r\n")
        assert b"Login" in said or b"root" in said, said


@case
def tftpd_over_udp():
    program = stock("tftpd-hpa", "usr/sbin/in.tftpd")
    client = stock("tftp-hpa", "usr/bin/tftp")
    user = "-u nobody" if IS_ROOT else "-u %s" % pwd.getpwuid(os.geteuid()).pw_name
    with served("dynamic T Program * %s \"%s -t 1 -s {dir}/boot\" "
                "{ listen = udp:127.0.0.1:{p0}\n wait = yes }"
                % (program, user)) as host:
        os.mkdir(host.path("boot"))
        os.chmod(host.folder, 0o755)
        with open(host.path("boot/kernel"), "wb") as file:
            file.write(b"k" * 70000)
        os.chmod(host.path("boot/kernel"), 0o644)
        for number in range(3):
            target = host.path("got%d" % number)
            ask(client, "-4", "-m", "binary", "127.0.0.1", str(host.port(0)),
                "-c", "get", "kernel", target)
            with open(target, "rb") as file:
                assert file.read() == b"k" * 70000


@case
def cvs_pserver():
    program = stock("cvs", "usr/bin/cvs")
    with served("dynamic C Program * %s "
                "\"-f --allow-root={dir}/root pserver\" "
                "{ listen = tcp:127.0.0.1:{p0} }" % program) as host:
        root = host.path("root")
        ask(program, "-d", root, "init")
        user = "nobody" if IS_ROOT else pwd.getpwuid(os.geteuid()).pw_name
        with open(os.path.join(root, "CVSROOT/passwd"), "w",
                  encoding="ascii") as file:
            file.write("anon::%s\n" % user)
        os.chmod(host.folder, 0o755)
        ask("chmod", "-R", "a+rwX", root)
        said = ask(program, "-d", ":pserver:anon@127.0.0.1:%d%s" % (
            host.port(0), root), "version", env={"HOME": host.folder})
        assert b"Server: Concurrent Versions System" in said, said


@case
def socat_and_a_shell():
    with served("dynamic S Program * %s \"STDIO EXEC:tac\" "
                "{ listen = tcp:127.0.0.1:{p0} }" % tool("socat")) as host:
        said = ask(tool("socat"), "-t20", "-",
                   "TCP:127.0.0.1:%d" % host.port(0), data=b"1\n2\n3\n")
        assert said == b"3\n2\n1\n", said


@case
def a_seqpacket_service():
    with served("dynamic S Program * /bin/cat "
                "{ listen = unix-seqpacket:{dir}/packets }") as host:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.connect(host.path("packets"))
        for word in (b"one", b"packets", b"stay"):
            client.send(word)
            assert client.recv(100) == word
        client.close()
        said = ask(tool("socat"), "-t20", "-",
                   "UNIX-CONNECT:%s,type=5" % host.path("packets"),
                   data=b"by socat")
        assert said == b"by socat", said


@case
def stunnel_in_front_of_a_program():
    program = stock("stunnel4", "usr/bin/stunnel4")
    with served("static echo { listen = tcp:127.0.0.1:{p1} }",
                {"conf": "cert = {dir}/both.pem\nforeground = quiet\n"
                 "exec = /bin/cat\nexecArgs = cat\n"}) as host:
        ask(tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes",
            "-subj", "/CN=localhost", "-days", "2", "-keyout",
            host.path("key.pem"), "-out", host.path("cert.pem"))
        with open(host.path("both.pem"), "w", encoding="ascii") as both:
            for name in ("key.pem", "cert.pem"):
                with open(host.path(name), encoding="ascii") as part:
                    both.write(part.read())
        os.chmod(host.path("both.pem"), 0o600)
        host.write_conf("dynamic T Program * %s \"{dir}/conf\" "
                        "{ listen = tcp:127.0.0.1:{p0} }" % program)
        host.reload()
        said = ask(tool("socat"), "-t20", "-",
                   "OPENSSL:127.0.0.1:%d,verify=0" % host.port(0),
                   data=b"through TLS")
        assert said == b"through TLS", said


@case
def dbus_daemon_by_listen_fds():
    program = stock("dbus-daemon", "usr/bin/dbus-daemon")
    client = stock("dbus-bin", "usr/bin/dbus-send")
    bus = ("<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus "
           "Configuration 1.0//EN\" \"http://www.freedesktop.org/standards/"
           "dbus/1.0/busconfig.dtd\"><busconfig><type>session</type>"
           "<listen>systemd:</listen><policy context=\"default\">"
           "<allow user=\"*\"/><allow own=\"*\"/>"
           "<allow send_destination=\"*\"/>"
           "<allow receive_sender=\"*\"/>"
           "</policy></busconfig>")
    with served("dynamic Bus Program * %s "
                "\"--nofork --nopidfile --config-file={dir}/bus.conf "
                "--address=systemd:\" { listen = unix:{dir}/bus\n wait = yes\n"
                " drain = 0 }" % program, {"bus.conf": bus}) as host:
        for _ in range(3):
            said = ask(client, "--bus=unix:path=" + host.path("bus"),
                       "--print-reply", "--dest=org.freedesktop.DBus", "/",
                       "org.freedesktop.DBus.ListNames")
            assert b"org.freedesktop.DBus" in said, said


main()
