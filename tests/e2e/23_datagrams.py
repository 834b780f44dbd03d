# SPDX-License-Identifier: BSD-2-Clause
"""Servers that are set upon each other stop, and nobody is sent more than he
seems to have asked for (CVE-1999-0103, CVE-2024-2169).

A sender is forged by a socket that shares the port of the service that is to
look guilty, while that one's host does not run.
"""

import signal
import socket

from berth_e2e import Host, ask_udp, case, main, wait_until

ECHO = ("static echo { listen = udp:%s:{p0}\nreuse_port = yes\n%s }\n"
        "static Service_Manager \"-p {p9}\"\n")


def counted(host):
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        show = manager.json("show echo")
    return show["datagrams"]


def forge(source, to, data, stopped):
    """One datagram from a port that another process has as well; whoever
    answers does so when this socket is gone."""
    for host in stopped:
        host.signal(signal.SIGSTOP)
        wait_until(lambda h=host: h.proc("stat").rsplit(")", 1)[1].split()[0]
                   == "T")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        client.bind(source)
        client.sendto(data, to)
    for host in stopped:
        host.signal(signal.SIGCONT)


@case
def two_hosts_that_answer_each_other_stop_by_themselves():
    limit = "source_datagrams = 200"  # in ten seconds
    with Host(ECHO % ("127.0.0.1", limit)) as one, \
            Host(ECHO % ("127.0.0.2", limit)) as two:
        forge(("127.0.0.2", two.port(0)), ("127.0.0.1", one.port(0)), b"x",
              [one, two])
        wait_until(lambda: "too many of this address" in
                   one.log_text() + two.log_text())
        # It went round, and does no more: nothing is left to go round.
        first = counted(one), counted(two)
        assert min(first) >= 180, first
        for _ in range(5):
            ask_udp(one.port(0), b"y")
        last = counted(one), counted(two)
        assert last[0] - first[0] <= 5 and last[1] == first[1], (first, last)
        assert max(last) < 400, last


@case
def without_the_limit_they_would_go_on():
    # Otherwise the test above shows nothing.
    free = "source_datagrams = unlimited"
    with Host(ECHO % ("127.0.0.1", free)) as one, \
            Host(ECHO % ("127.0.0.2", free)) as two:
        forge(("127.0.0.2", two.port(0)), ("127.0.0.1", one.port(0)), b"x",
              [one, two])
        wait_until(lambda: counted(one) > 3000 and counted(two) > 3000)
        # And a reload ends it.
        one.write_conf(ECHO % ("127.0.0.1", "source_datagrams = 10"))
        one.reload()
        one.wait_log("too many of this address")
        before = counted(two)
        for _ in range(3):
            assert counted(two) == before


@case
def two_services_of_one_host_do_not_answer_each_other():
    conf = ("static echo { listen = udp:127.0.0.1:{p0}\nreuse_port = yes }\n"
            "dynamic Two Service_Object * :echo() "
            "{ listen = udp:127.0.0.1:{p1}\nreuse_port = yes }\n"
            "static Service_Manager \"-p {p9}\"\n")
    with Host(conf) as host:
        before = counted(host)
        forge(("127.0.0.1", host.port(1)), ("127.0.0.1", host.port(0)), b"x",
              [host])
        host.wait_log("it comes from a port that this host serves")
        assert counted(host) == before


@case
def no_answer_is_longer_than_its_question():
    with Host("static chargen { listen = udp:127.0.0.1:{p0} }\n"
              "static daytime { listen = udp:127.0.0.1:{p1} }\n"
              "static time { listen = udp:127.0.0.1:{p2} }\n") as host:
        for size in (1, 2, 63, 64, 65, 511, 512, 513, 1400):
            answer = ask_udp(host.port(0), b"?" * size)
            assert 0 < len(answer) <= size, (size, len(answer))
        # These two have one short answer, which headers make cheap.
        assert len(ask_udp(host.port(1), b"")) <= 64
        assert len(ask_udp(host.port(2), b"")) == 4


@case
def long_answers_have_to_be_asked_for():
    conf = ("static daytime \"-f '%s'\" { listen = udp:127.0.0.1:{p0}\n%s }\n"
            "static echo { listen = udp:127.0.0.1:{p1} }\n")
    text = "x" * 100
    with Host(conf % (text, "")) as host:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", host.port(0)))
            client.settimeout(host.timeout)
            client.send(b"?")
            host.wait_log("the answer is longer than it")
            client.send(b"?" * 200)  # is long enough for its own
            assert len(client.recv(2000)) == 102
        host.write_conf(conf % (text, "amplification = yes"))
        host.reload()
        assert len(ask_udp(host.port(0), b"?")) == 102


main()
