# SPDX-License-Identifier: BSD-2-Clause
"""hosts.allow and hosts.deny: real clients of a service of the host and of a
program, judged by the rules of files that a test writes; options of rules."""

import os
import signal
import socket
import subprocess

from berth_e2e import BUILD, case, main, receive, wait_until
from steered import Steered

ASKER = os.path.join(BUILD, "berth-libwrap")
HOST = ("host { hosts_access = %s; hosts_allow = {plugins}/allow\n"
        "hosts_deny = {plugins}/deny }\n" % ASKER)
KINDS = {
    "service": "dynamic X Service_Object * :echo() { %s\n%s }\n",
    "program": "dynamic X Program * /bin/cat { %s\n%s }\n",
}
TCP = "listen = tcp:127.0.0.1:{p0}"


def each_kind(attributes="libwrap = in.testd", listen=TCP):
    for kind, conf in KINDS.items():
        yield kind, HOST + conf % (listen, attributes)


def rules(host, allow="", deny=""):
    for name, text in (("allow", allow), ("deny", deny)):
        path = os.path.join(host.plugins, name)
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.rename(path + ".new", path)


def dial(host, source="127.0.0.1"):
    client = socket.socket()
    client.settimeout(host.timeout)
    client.bind((source, 0))
    client.connect(("127.0.0.1", host.port(0)))
    return client


def admits(host, source="127.0.0.1"):
    try:
        with dial(host, source) as client:
            client.sendall(b"hello")
            return receive(client, 5) == b"hello"
    except ConnectionError:  # maybe before connect() was through
        return False


def shown(host):
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        return manager.json("show X")


def ask(daemon, allow, deny, client="192.0.2.7"):
    """The program by itself; 192.0.2.0/24 belongs to nobody."""
    return subprocess.run(
        [ASKER, "-v", "-a", allow, "-d", deny, daemon],
        env={"TCPREMOTEIP": client, "TCPREMOTEPORT": "4711",
             "TCPLOCALIP": "192.0.2.1", "TCPLOCALPORT": "21"},
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)


@case
def rules_are_obeyed_and_read_with_every_client():
    for kind, conf in each_kind():
        with Steered(conf) as host:
            # There are no files, then none with a rule: everybody is served.
            assert admits(host), kind
            rules(host, "# nobody\n\n", " \t\n# here: ALL: ALL\n")
            assert admits(host), kind
            rules(host, deny="other: ALL\n")
            assert admits(host), kind
            rules(host, deny="in.testd: 127.0.0.2\n")
            assert admits(host), kind
            assert not admits(host, "127.0.0.2"), kind
            rules(host, "in.testd: 127.0.0.2\n", "ALL: ALL\n")
            assert not admits(host), kind
            assert admits(host, "127.0.0.2"), kind
            assert shown(host)["refusals"] == {"libwrap": 2}, kind
            host.wait_log(r"connection refused .libwrap., the last from "
                          r"127\.0\.0\.2:\d+: hosts\.allow and hosts\.deny")


@case
def who_is_refused_is_told_as_on_access_says():
    for policy in ("reject", "reset"):
        for kind, conf in each_kind(
                "libwrap = in.testd\nbanner_fail = {plugins}/deny\n"
                "on_access = " + policy):
            with Steered(HOST) as host:
                rules(host, deny="ALL: ALL\n")
                host.write_conf(conf)
                host.reload()
                told, how = b"", "end"
                try:
                    with dial(host) as client:
                        while part := client.recv(64):
                            told += part
                except ConnectionResetError:  # as above
                    how = "reset"
                wanted = ((b"ALL: ALL\n", "end") if policy == "reject"
                          else (b"", "reset"))
                assert (told, how) == wanted, (kind, told, how)


@case
def a_twist_runs_nothing_and_refuses():
    for kind, conf in each_kind():
        with Steered(conf) as host:
            trace = os.path.join(host.plugins, "trace")
            for options in ("twist /bin/touch %s", "twist echo hello >%s"):
                rules(host, "in.testd: ALL: " + options % trace + "\n")
                assert not admits(host), kind
            assert not os.path.exists(trace), kind
            assert shown(host)["refusals"] == {"libwrap": 2}, kind
            answer = ask("in.testd", os.path.join(host.plugins, "allow"),
                         os.path.join(host.plugins, "deny"))
            assert answer.returncode == 1, answer
            assert b"line 1: twist option in resident" in answer.stderr, answer


@case
def other_options_do_not_reach_the_host():
    """Commands, variables, users and masks are the asking process's."""
    for kind, conf in each_kind():
        with Steered(conf) as host:
            trace = os.path.join(host.plugins, "trace")

            def process():
                with open("/proc/%d/status" % host.pid,
                          encoding="ascii") as file:
                    return [line for line in file if line.startswith(
                        ("Umask", "Uid", "Gid", "Groups"))]

            before = process()
            user = "user nobody: " if os.geteuid() == 0 else ""
            rules(host, "in.testd: 127.0.0.1: spawn (echo %%a %%d >%s.new; "
                  "mv %s.new %s): umask 0777: setenv A b: %snice: allow\n" % (
                      trace, trace, trace, user), "ALL: ALL\n")
            assert admits(host), kind
            wait_until(lambda: os.path.exists(trace), what="the command")
            with open(trace, encoding="ascii") as file:
                assert file.read() == "127.0.0.1 in.testd\n", kind
            assert process() == before, kind
            assert not admits(host, "127.0.0.2"), kind


@case
def others_are_served_while_one_is_asked_about():
    for kind, conf in each_kind("libwrap = in.testd\ndrain = 0"):
        with Steered(conf) as host:
            gate = os.path.join(host.plugins, "gate")
            sign = os.path.join(host.plugins, "sign")
            os.mkfifo(gate)
            rules(host, "in.testd: 127.0.0.3: "
                  "spawn (touch %s; read a <%s): allow\n" % (sign, gate),
                  "in.testd: 127.0.0.4\n")

            def one_is_asked_about():
                wait_until(lambda: os.path.exists(sign), what="the command")
                os.unlink(sign)

            with dial(host, "127.0.0.3") as slow:
                slow.sendall(b"hello")
                one_is_asked_about()
                assert admits(host), kind
                assert not admits(host, "127.0.0.4"), kind
                with open(gate, "w", encoding="ascii") as file:
                    file.write("go\n")
                assert receive(slow, 5) == b"hello", kind
            # Who still waits at the end is not served, and nobody waits.
            waiting = dial(host, "127.0.0.3")
            one_is_asked_about()
            with host.log_in() as manager:
                manager.do("remove X")
            assert waiting.recv(1) == b"", kind
            waiting.close()


@case
def who_cannot_be_asked_about_is_refused():
    for kind, conf in each_kind():
        with Steered(conf) as host:
            rules(host, deny="other: ALL\n")
            host.write_conf(conf.replace(ASKER, "/bin/ls"))
            host.reload()
            assert not admits(host), kind
            host.wait_log("error. X: hosts.allow and hosts.deny cannot be "
                          "asked")
            host.write_conf(conf)
            host.reload()
            assert admits(host), kind


@case
def mistakes_are_told_before_anything_changes():
    with Steered(HOST) as host:
        for conf, told in (
                (HOST.replace(ASKER, "/nowhere/to/be/found") +
                 KINDS["service"] % (TCP, "libwrap = a"),
                 "'X' has libwrap, and '/nowhere/to/be/found', which asks "),
                (HOST + KINDS["service"] % (
                    "listen = udp:127.0.0.1:{p0}", "libwrap = a"),
                 "libwrap cannot be kept at 'udp:127.0.0.1:"),
                (HOST + KINDS["program"] % (TCP, "libwrap = a\nwait = yes"),
                 "libwrap cannot be kept at 'tcp:127.0.0.1:")):
            host.write_conf(conf)
            host.signal(signal.SIGHUP)
            host.wait_log("error: " + told)
        host.write_conf(HOST)
        host.reload()


@case
def it_changes_live_and_touches_no_session():
    for kind, conf in each_kind():
        with Steered(conf.replace("libwrap = in.testd", "")) as host:
            rules(host, deny="ALL: ALL\n")
            with dial(host) as old:
                old.sendall(b"hello")
                assert receive(old, 5) == b"hello", kind
                host.write_conf(conf)
                host.reload()
                assert not admits(host), kind
                old.sendall(b"again")
                assert receive(old, 5) == b"again", kind
                host.write_conf(conf.replace("in.testd", "in.other"))
                rules(host, deny="in.testd: ALL\n")
                host.reload()
                assert admits(host), kind
                old.sendall(b"third")
                assert receive(old, 5) == b"third", kind


@case
def auto_is_the_name_of_the_program_or_the_service():
    for kind, name in (("service", "X"), ("program", "cat")):
        conf = HOST + KINDS[kind] % (
            TCP + " udp:127.0.0.1:{p1}" * (kind == "service"),
            "libwrap = auto")
        with Steered(conf) as host:
            rules(host, "%s: 127.0.0.2\n" % name, "ALL: ALL\n")
            assert not admits(host), kind
            assert admits(host, "127.0.0.2"), kind
        # While there is nothing to ask, nobody has to be there to ask.
        with Steered(conf.replace(ASKER, "/nowhere/to/be/found")) as host:
            assert admits(host), kind
            rules(host, deny="other: ALL\n")
            assert not admits(host), kind
            host.signal(signal.SIGHUP)
            host.wait_log("error: 'X' has libwrap, and '/nowhere")
            rules(host)
            assert admits(host), kind


@case
def the_program_tells_by_its_status():
    nowhere = "/nowhere/to/be/found"
    assert ask("x", nowhere, nowhere).returncode == 0
    assert ask("x", nowhere, nowhere, client="no address").returncode == 3
    for words in ((), ("a", "b"), ("-x",)):
        answer = subprocess.run([ASKER, *words], stderr=subprocess.PIPE,
                                check=False)
        assert answer.returncode == 2, answer
        assert b"usage: berth-libwrap" in answer.stderr, answer


main()
