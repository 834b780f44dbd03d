# SPDX-License-Identifier: BSD-2-Clause
"""tcpmux: services by name on one port, for services and programs, under
their own limits and as their own users."""

import os
import pwd
import socket

from berth_e2e import BUILD, Host, case, main, receive, receive_all

PROBE = os.path.join(BUILD, "tests", "programs", "probe")
IS_ROOT = os.geteuid() == 0

CONF = """
static tcpmux { listen = tcp:127.0.0.1:{p0} }
static echo { tcpmux = plus }
dynamic Own Service_Object * :echo() { tcpmux = yes }
dynamic Hidden Service_Object * :echo() { listen = tcp:127.0.0.1:{p1} }
dynamic Cat Program * /bin/cat { tcpmux = yes }
dynamic CatPlus Program * /bin/cat { tcpmux = plus }
"""


def ask(host, data):
    with host.connect(0) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return receive_all(client)


@case
def services_and_programs_by_name_in_any_case():
    with Host(CONF) as host:
        for name in (b"echo", b"ECHO", b"eChO"):
            assert ask(host, name + b"\r\nhello\r\n") == b"+Go\r\nhello\r\n"
        assert ask(host, b"own\r\nhello") == b"hello"
        assert ask(host, b"cat\r\nhello\r\n\0\xff") == b"hello\r\n\0\xff"
        assert ask(host, b"CATPLUS\r\nx") == b"+Go\r\nx"
        assert ask(host, b"echo\nx") == b"+Go\r\nx"


@case
def what_follows_the_name_is_kept_wherever_it_is_torn():
    data = b"cat\r\nline\r\n\r\nand more"
    with Host(CONF) as host:
        for name in (b"echo", b"own", b"cat", b"catplus"):
            whole = name + data[3:]
            plus = b"" if name in (b"own", b"cat") else b"+Go\r\n"
            for at in range(1, len(whole)):
                with host.connect(0) as client:
                    client.setsockopt(
                        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    client.sendall(whole[:at])
                    with host.connect(1) as other:
                        other.sendall(b"y")
                        assert other.recv(1) == b"y"
                    client.sendall(whole[at:])
                    client.shutdown(socket.SHUT_WR)
                    assert receive_all(client) == plus + data[5:], (name, at)


@case
def only_services_that_say_so_are_reached():
    # CVE-2012-0862: all services were.
    with Host(CONF) as host:
        for name in (b"hidden", b"Hidden", b"tcpmux", b"nothing", b"ech",
                     b"echo ", b"echo\0"):
            answer = ask(host, name + b"\r\n")
            assert answer == b"-no such service\r\n", (name, answer)
        assert ask(host, b"\r\n") == b"-which service?\r\n"
        listed = ask(host, b"HELP\r\n").decode().split("\r\n")
        assert sorted(listed) == ["", "Cat", "CatPlus", "Own", "echo"], listed
        # A reload lets another in, and this one out.
        host.write_conf(
            CONF.replace("static echo { tcpmux = plus }",
                         "static echo { tcpmux = no }").replace(
                             "{ listen = tcp:127.0.0.1:{p1} }",
                             "{ listen = tcp:127.0.0.1:{p1}; tcpmux = yes }"))
        host.reload()
        assert ask(host, b"echo\r\n") == b"-no such service\r\n"
        assert ask(host, b"hidden\r\nx") == b"x"


@case
def a_program_has_its_own_user_and_client():
    # CVE-2013-4342: it ran as root.
    user = "user = nobody\n" if IS_ROOT else ""
    with Host("static tcpmux { listen = tcp:127.0.0.1:{p0} }\n"
              "dynamic P Program * %s { tcpmux = yes\n%s }" % (
                  PROBE, user)) as host:
        with host.connect(0) as client:
            mine = client.getsockname()[1]
            client.sendall(b"p\r\n")
            said = receive_all(client).decode().splitlines()
        assert "env TCPREMOTEPORT=%d" % mine in said, said
        assert "fds=0 1 2 " in said, said
        if IS_ROOT:
            uid = pwd.getpwnam("nobody").pw_uid
            assert any(line.startswith("uid=%d" % uid) or
                       "uids=%d %d" % (uid, uid) in line
                       for line in said), said
            assert "regains=0" in said and "env USER=nobody" in said, said


@case
def limits_are_the_services_own():
    with Host("static tcpmux { listen = tcp:127.0.0.1:{p0} }\n"
              "static echo { tcpmux = plus; instances = 1 }") as host:
        with host.connect(0) as first:
            first.sendall(b"echo\r\nx")
            assert receive(first, 6) == b"+Go\r\nx"
            assert ask(host, b"echo\r\n") == b"-not now\r\n"
            first.sendall(b"y")
            assert first.recv(1) == b"y"
        host.write_conf(
            "static tcpmux { listen = tcp:127.0.0.1:{p0} }\n"
            "static echo { tcpmux = plus; instances = 1 }\nsuspend echo\n")
        host.reload()
        assert ask(host, b"echo\r\n") == b"-not now\r\n"


@case
def a_session_that_was_handed_over_outlives_tcpmux():
    with Host(CONF) as host:
        with host.connect(0) as client:
            client.sendall(b"own\r\nx")
            assert client.recv(1) == b"x"
            host.write_conf("remove tcpmux\n")
            host.reload()
            client.sendall(b"still")
            assert receive(client, 5) == b"still"


@case
def long_and_slow_names_end_the_connection():
    with Host("static tcpmux \"-t 1\" { listen = tcp:127.0.0.1:{p0} }\n"
              "static echo { tcpmux = plus }") as host:
        assert ask(host, b"x" * 300) == b"-the name is too long\r\n"
        with host.connect(0) as client:
            client.sendall(b"ech")
            assert receive_all(client) == b"-no name came in time\r\n"
        assert ask(host, b"ech") == b""


@case
def lines_of_inetd_and_sections_of_xinetd_are_reached():
    user = pwd.getpwuid(os.geteuid()).pw_name
    inetd = ("tcpmux/cat stream tcp nowait %s /bin/cat cat\n"
             "tcpmux/+plus stream tcp nowait %s /bin/cat cat\n"
             "tcpmux/+echo stream tcp nowait root internal\n" % (user, user))
    section = ("service %s\n{\n\ttype = %s UNLISTED\n\tsocket_type = stream\n"
               "\tprotocol = tcp\n\twait = no\n\tuser = " + user +
               "\n\tserver = /bin/cat\n}\n")
    xinetd = section % ("cat", "TCPMUX") + section % ("plus", "TCPMUXPLUS")
    for name, text, others in (("inetd.conf", inetd, [b"echo"]),
                               ("xinetd.conf", xinetd, [])):
        with Host("static tcpmux { listen = tcp:127.0.0.1:{p0} }\n",
                  files={name: text},
                  options=["-f", "{dir}/" + name]) as host:
            assert ask(host, b"Cat\r\nhello") == b"hello"
            for plus in [b"plus"] + others:
                assert ask(host, plus + b"\r\nhello") == b"+Go\r\nhello"


main()
