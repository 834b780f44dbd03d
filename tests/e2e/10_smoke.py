# SPDX-License-Identifier: BSD-2-Clause
"""The host starts, serves, reloads and ends; and refuses what is wrong."""

import re
import signal

from berth_e2e import (
    Host, ask_udp, case, main, receive, run_berthd, wait_until)

CONF = """
host { reload = exact }
static echo { listen = tcp:127.0.0.1:{p0} udp:127.0.0.1:{p0} }
static daytime { listen = tcp:127.0.0.1:{p1} }
static Service_Manager { listen = tcp:127.0.0.1:{p2} }
"""


@case
def version_and_help():
    done = run_berthd("-V")
    assert done.returncode == 0, done
    assert re.match(r"berthd \d+\.\d+\.\d+", done.stdout), done.stdout
    done = run_berthd("-h")
    assert done.returncode == 0 and "-f" in done.stdout, done
    assert run_berthd("--no-such-option").returncode == 2


@case
def check_tells_mistakes():
    done = run_berthd("-t", "-f", "{conf}", conf="static echo\n")
    assert done.returncode == 0, done.stderr
    done = run_berthd("-t", "-f", "{conf}", conf="\nstatic ekho\n")
    assert done.returncode == 1, done
    assert re.search(r"svc\.conf:2:8: error: .*'echo'", done.stderr), (
        done.stderr)


@case
def serves():
    with Host(CONF) as host:
        with host.connect(0) as client:
            client.sendall(b"hello")
            assert receive(client, 5) == b"hello"
        assert ask_udp(host.port(0), b"datagram") == b"datagram"
        with host.connect(1) as client:
            assert re.search(rb"\d\d:\d\d:\d\d", receive(client, 100))
        with host.manager(2) as manager:
            assert manager.ask("help").ok
            names = " ".join(manager.do("list"))
            for name in ("echo", "daytime", "Service_Manager"):
                assert name in names, names
            assert not manager.ask("no such command").ok


@case
def reload_keeps_what_did_not_change():
    with Host(CONF) as host:
        before = host.listening()
        with host.connect(0) as client:
            client.sendall(b"before")
            assert receive(client, 6) == b"before"
            host.write_conf(CONF.replace("static daytime", "static time"))
            host.reload()
            client.sendall(b"after")
            assert receive(client, 5) == b"after"
        assert host.listening() == before
        with host.connect(1) as client:
            assert len(receive(client, 100)) == 4  # RFC 868


@case
def a_mistake_changes_nothing():
    with Host(CONF) as host:
        before = host.listening(), host.fds()
        host.write_conf(CONF + "static ekho\n")
        lines = host.reload()
        assert any("svc.conf:6:8: error:" in line for line in lines), lines
        wait_until(lambda: (host.listening(), host.fds()) == before,
                   what="the same descriptors")


@case
def both_signals_end_it():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Host(CONF) as host:
            host.stop(number)
            assert host.count_notified("STOPPING") == 1


main()
