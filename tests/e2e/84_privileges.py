# SPDX-License-Identifier: BSD-2-Clause
"""A host that is not root: what it can do, with the one capability that it
needs, and what it says of the rest before it starts.

Run by root, the host becomes nobody and keeps CAP_NET_BIND_SERVICE, as a unit
with AmbientCapabilities makes it; run by anybody else it is that user, in a
network in which low ports are free.
"""

import ctypes
import os
import pwd
import socket
import subprocess
import tempfile

from berth_e2e import (
    BERTHD, SOURCE, TIMEOUT, Host, case, main, receive_all, run_berthd)

NOBODY = pwd.getpwnam("nobody")
IS_ROOT = os.geteuid() == 0
LIBC = ctypes.CDLL(None, use_errno=True)
CAP_NET_BIND_SERVICE = 10
CAP_SETUID, CAP_SYS_CHROOT, CAP_SYS_NICE, PR_CAPBSET_DROP = 7, 18, 23, 24
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 47, 2


class Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class Data(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32),
                ("permitted", ctypes.c_uint32),
                ("inheritable", ctypes.c_uint32)]


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def become_nobody():
    """In a child of root's: nobody, who may bind low ports."""
    LIBC.prctl(1, 9)  # PR_SET_PDEATHSIG
    check(LIBC.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keepcaps")
    os.setgroups([])
    os.setresgid(*[NOBODY.pw_gid] * 3)
    os.setresuid(*[NOBODY.pw_uid] * 3)
    bit = 1 << CAP_NET_BIND_SERVICE
    data = (Data * 2)(Data(bit, bit, bit), Data(0, 0, 0))
    check(LIBC.capset(ctypes.byref(Header(0x20080522, 0)), data), "capset")
    check(LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE,
                     CAP_NET_BIND_SERVICE, 0, 0), "ambient")


class Unprivileged(Host):
    """A host that may bind low ports and nothing else."""

    def _start(self, options, env, pass_fds):
        changes = dict(os.environ, NOTIFY_SOCKET=self.path("notify"))
        if IS_ROOT:
            for folder, _, files in os.walk(self.folder):
                for name in [folder] + [os.path.join(folder, f)
                                        for f in files]:
                    os.chown(name, NOBODY.pw_uid, NOBODY.pw_gid)
        with open(self.path("stdout"), "wb") as out, \
                open(self.path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                [BERTHD, "-f", self.path("svc.conf")],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                cwd=self.folder, env=changes,
                preexec_fn=become_nobody if IS_ROOT else None)

    def write_conf(self, text):
        super().write_conf(text)
        if IS_ROOT:
            os.chown(self.path("svc.conf"), NOBODY.pw_uid, NOBODY.pw_gid)


def take_away(capability):
    """In a child of root's: no program it becomes has that any more."""
    def run():
        check(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "bounding set")
    return run


def low_port():
    """A port below 1024 that is free."""
    for port in range(600, 1023):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise AssertionError("no low port")


@case
def low_ports_need_no_root():
    """Before a reload and after it; programs get nothing of it."""
    port = low_port() if IS_ROOT else 0
    conf = ("static echo { listen = tcp:127.0.0.1:{p0}%s }\n"
            "dynamic P Program * /bin/cat \"/proc/self/status\" "
            "{ listen = tcp:127.0.0.1:{p1} }\n")
    with Unprivileged(conf % "") as host:
        if IS_ROOT:
            status = host.status()
            assert status["Uid"].split() == [str(NOBODY.pw_uid)] * 4, status
            assert int(status["CapEff"], 16) == 1 << CAP_NET_BIND_SERVICE
            # A reload binds, too.
            host.write_conf(conf % (" tcp:127.0.0.1:%d" % port))
            host.reload()
            with socket.create_connection(
                    ("127.0.0.1", port), TIMEOUT) as client:
                client.sendall(b"low")
                client.shutdown(socket.SHUT_WR)
                assert receive_all(client) == b"low"
        with host.connect(1) as client:
            said = receive_all(client).decode()
        if not IS_ROOT:
            return
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert "%s:\t0000000000000000\n" % name in said, said
        assert "NoNewPrivs:\t1" in said, said


@case
def what_needs_root_is_told_before_the_start():
    other = "root" if not IS_ROOT else "daemon"
    lines = [("user = " + other, "can change the user"),
             ("chroot = /", "can change the root"),
             ("nice = -5", "can raise the priority")]
    for attribute, said in lines:
        conf = ("static echo { listen = tcp:127.0.0.1:{p0} }\n"
                "dynamic P Program * /bin/cat "
                "{ listen = tcp:127.0.0.1:{p1}; %s }\n" % attribute)
        with Unprivileged(conf.split("dynamic")[0]) as host:
            host.write_conf(conf)
            host.reload()
            text = host.log_text()
            assert "svc.conf:2:9: error: " in text and said in text, text
            with host.connect(0) as client:  # and changes nothing
                client.sendall(b"x")
                client.shutdown(socket.SHUT_WR)
                assert receive_all(client) == b"x"


@case
def the_check_says_the_same():
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "svc.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("dynamic P Program * /bin/cat "
                       "{ listen = unix:@x; user = %s }\n"
                       % ("daemon" if IS_ROOT else "root"))
        done = subprocess.run(
            [BERTHD, "-t", "-f", path], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False,
            preexec_fn=become_nobody if IS_ROOT else None)
        assert done.returncode == 1, done
        assert "svc.conf:1:9: error: " in done.stderr, done
        assert "only a host that runs as root" in done.stderr, done
        if IS_ROOT:
            assert run_berthd("-t", "-f", path).returncode == 0


@case
def root_without_its_capabilities_is_judged_by_them():
    """As the unit that is installed makes it."""
    if not IS_ROOT:  # to whom the case before this one is the same
        return
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        path = os.path.join(folder, "svc.conf")
        for capability, attribute in ((CAP_SETUID, "user = daemon"),
                                      (CAP_SYS_CHROOT, "chroot = /"),
                                      (CAP_SYS_NICE, "nice = -5")):
            with open(path, "w", encoding="ascii") as file:
                file.write("dynamic P Program * /bin/cat "
                           "{ listen = unix:@x; %s }\n" % attribute)
            assert run_berthd("-t", "-f", path).returncode == 0
            done = subprocess.run(
                [BERTHD, "-t", "-f", path], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, timeout=TIMEOUT,
                check=False, preexec_fn=take_away(capability))
            assert done.returncode == 1, (attribute, done)
            assert "svc.conf:1:9: error: " in done.stderr, done


KEPT = sum(1 << number for number in (
    0, 1, 2, 3, 5, 6, 7, 8, 10, 12, 13, 18, 23, 24))
SHOW = ("dynamic P Program * /bin/cat \"/proc/self/status\" "
        "{ listen = tcp:127.0.0.1:{p0} }\n")
FULL = {line.split(":")[0]: int(line.split()[1], 16)
        for line in open("/proc/self/status", encoding="ascii")
        if line.startswith("Cap")}


def sets_of(status):
    return {key: int(value, 16) for key, value in status.items()
            if key.startswith("Cap")}


def sets_of_program(host):
    with host.connect(0) as client:
        said = receive_all(client).decode()
    return sets_of(dict(line.split(":\t", 1) for line in said.splitlines()
                        if line.startswith("Cap")))


@case
def root_gives_up_what_the_host_cannot_use():
    """For all of its threads, and its programs are what root is."""
    with Host(SHOW + "static echo { listen = tcp:127.0.0.1:{p1} }\n") as host:
        own = sets_of(host.status())
        program = sets_of_program(host)
        tasks = "/proc/%d/task" % host.pid
        for task in os.listdir(tasks):
            with open("%s/%s/status" % (tasks, task),
                      encoding="ascii") as file:
                lines = dict(line.rstrip("\n").split(":", 1) for line in file)
            assert sets_of(lines) == own, (task, lines)
        if IS_ROOT:
            for name in ("CapPrm", "CapEff"):
                assert own[name] == FULL[name] & KEPT, (name, own)
            assert program["CapPrm"] == FULL["CapBnd"], program
        else:
            assert own["CapPrm"] == FULL["CapPrm"], own
        assert own["CapBnd"] == program["CapBnd"] == FULL["CapBnd"], own


@case
def all_stay_where_they_are_to():
    with Host("host { capabilities = keep }\n" + SHOW) as host:
        assert sets_of(host.status()) == FULL, host.status()


@case
def only_those_with_a_name_stay():
    """With the host and with programs; a reload is judged by them."""
    order = "host { capabilities = net_bind_service kill }\n"
    with Host(order + SHOW) as host:
        left = FULL["CapPrm"] & (1 << CAP_NET_BIND_SERVICE | 1 << 5)
        own, program = sets_of(host.status()), sets_of_program(host)
        assert own["CapEff"] == own["CapPrm"] == left, own
        if IS_ROOT:
            assert own["CapBnd"] == left, own
            assert program["CapPrm"] == program["CapBnd"] == left, program
            before = host.status()
            host.write_conf(order + SHOW.replace(" }", "; user = daemon }"))
            host.reload()
            text = host.log_text()
            assert "svc.conf:2:9: error: " in text, text
            assert "with CAP_SETUID and CAP_SETGID" in text, text
            # Nothing comes back, whatever the file says now.
            host.write_conf("host { capabilities = keep }\n" + SHOW)
            host.reload()
            assert sets_of(host.status()) == sets_of(before), host.status()


@case
def the_check_is_judged_by_what_would_stay():
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        path = os.path.join(folder, "svc.conf")
        for words, status, said in (
                ("keep", 0 if IS_ROOT else 1, ""),
                ("setuid setgid", 0 if IS_ROOT else 1, ""),
                ("kill", 1, "svc.conf:2:9: error: "),
                ("net_bind_servic", 1, "did you mean 'net_bind_service'?")):
            with open(path, "w", encoding="ascii") as file:
                file.write("host { capabilities = %s }\n"
                           "dynamic P Program * /bin/cat "
                           "{ listen = unix:@x; user = daemon }\n" % words)
            done = run_berthd("-t", "-f", path)
            assert done.returncode == status, (words, done)
            assert said in done.stderr, (words, done)


@case
def what_root_is_for_is_told():
    if not IS_ROOT:  # to whom nothing is told
        with Host(SHOW) as host:
            assert "root is" not in host.log_text(), host.log_text()
        return
    echo = "static echo { listen = tcp:127.0.0.1:%s }\n"
    program = ("dynamic %s Program * /bin/cat { listen = tcp:127.0.0.1:0; "
               "%s }\n")
    for conf, said in (
            (echo % "0", "root is not needed for any of the services"),
            (echo % low_port(), "root is used only for: ports below 1024"),
            (program % ("A", "user = daemon") +
             program % ("B", "user = nobody; nice = -1") +
             program % ("C", "user = daemon; chroot = /") +
             program % ("D", "") + echo % low_port(),
             "root is used only for: programs of daemon, nobody, root; "
             "ports below 1024; other roots (chroot); priorities (nice)")):
        with Host(conf) as host:
            assert said + "\n" in host.log_text(), host.log_text()


@case
def the_unit_gives_what_services_may_ask_for():
    with open(os.path.join(SOURCE, "etc", "berthd.service.in"),
              encoding="ascii") as file:
        unit = [line.strip().split("=", 1) for line in file
                if "=" in line and not line.startswith("#")]
    words = dict(unit)
    assert len(words) == len(unit), "a word twice"
    bounds = words["CapabilityBoundingSet"].split()
    for name in ("NET_BIND_SERVICE", "SETUID", "SETGID", "KILL", "SETPCAP"):
        assert "CAP_" + name in bounds, bounds
    assert words["Delegate"] == "yes"
    # Else there is nothing to write to.
    assert words.get("ProtectControlGroups") != "yes"


main()
