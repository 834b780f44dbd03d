# SPDX-License-Identifier: BSD-2-Clause
"""Services in workers: what they serve, how they die, how they are replaced.

BERTH_DEATHS=50 makes each way to die happen so often."""

import os
import re
import signal

from berth_e2e import ask_udp, case, connect, main, receive, wait_until
from fleets import (
    NEIGHBOUR, OFTEN, Neighbour, alive, children, fleet, pid_of, say, state,
    steered, worker)
from steered import SANITIZED, Steered

DEATHS = int(os.environ.get("BERTH_DEATHS", "5"))

# --- serving ------------------------------------------------------------------

@case
def workers_are_other_processes_that_share_an_endpoint():
    # Each has room for one; who comes next is for the other.
    with steered(worker("workers = 2; instances = 1")) as host:
        assert len(fleet(host)) == 2
        assert host.pid not in fleet(host).values()
        clients = [host.connect(0) for _ in range(2)]
        for client in clients:
            client.sendall(b"pid\n")
        seen = {int(client.recv(20)) for client in clients}
        assert seen == set(fleet(host).values()), (seen, fleet(host))
        for client in clients:
            client.close()
        names = {open("/proc/%d/comm" % pid, encoding="ascii").read().strip()
                 for pid in seen}
        assert names == {"berthd-worker"}, names


@case
def every_kind_of_endpoint_reaches_them():
    conf = ("static echo { listen = tcp:127.0.0.1:{p0} udp:127.0.0.1:{p0} "
            "unix:{dir}/e tcp:127.0.0.1:0; workers = 1 }\n")
    with Steered(conf) as host:
        with host.connect(0) as client:
            client.sendall(b"tcp")
            assert receive(client, 3) == b"tcp"
        assert ask_udp(host.port(0), b"udp") == b"udp"
        with connect(host.path("e")) as client:
            client.sendall(b"unix")
            assert receive(client, 4) == b"unix"
        with host.log_in() as manager:
            line = [x for x in manager.do("list") if x.startswith("echo ")][0]
        port = int(line.split()[-1].rsplit(":", 1)[1])
        assert port != 0
        with connect(port) as client:
            client.sendall(b"any")
            assert receive(client, 3) == b"any"


# --- deaths -------------------------------------------------------------------

def die(how, attributes="", times=DEATHS):
    """Each death costs the sessions of its worker, and nobody else anything;
    who comes meanwhile waits and is served."""
    with steered(NEIGHBOUR + worker("workers = 1; %s; %s" % (
            OFTEN, attributes))) as host, Neighbour(host), \
            Neighbour(host, 0, may_lose=times), \
            Neighbour(host, 0, may_lose=times):
        for _ in range(times):
            before = pid_of(host)
            if how == "kill":
                os.kill(before, signal.SIGKILL)
                wait_until(lambda: not alive(before), what="killed")
            else:
                assert say(host, how) == b"", how
            # New clients wait in the backlog until another one serves.
            after = pid_of(host)
            assert after != before
        assert list(fleet(host)) == [0]
        assert len(children(host)) == 1
        return host.log_text()


@case
def killed():
    assert "signal 9" in die("kill")


@case
def segmentation_fault():
    if SANITIZED:  # it reports what is wanted here, and ends otherwise
        print("segmentation_fault: a sanitizer takes it for a mistake")
        return
    assert "signal 11" in die("segv")


@case
def aborted():
    assert "signal 6" in die("abort")


@case
def ended_by_itself():
    assert "exit status 0" in die("exit")


@case
def hung():
    log = die("hang", "watchdog = 3s; stop_timeout = 1s", (DEATHS + 1) // 2)
    assert "has not answered" in log, log


@case
def memory_bomb():
    if SANITIZED:  # its shadow memory is beyond every limit of address space
        print("memory_bomb: under a sanitizer there is no such limit")
        return
    die("bomb", "rlimit_as = 256M")


@case
def its_last_words_are_logged_under_its_name():
    with steered(worker("workers = 1; " + OFTEN)) as host:
        say(host, "say that hurts")
        host.wait_log(r"W: \[\d+\] that hurts")


@case
def too_many_deaths_are_a_failure_and_resume_recovers():
    with steered(NEIGHBOUR + worker(
            "workers = 1; start_limit = 2/1m; restart_delay = 1ms")) as host:
        with Neighbour(host), host.log_in() as manager:
            for _ in range(3):
                say(host, "abort")
            wait_until(lambda: state(host) == "failed", what="failed")
            shown = "\n".join(manager.do("show W"))
            assert "signal 6" in shown, shown
            host.wait_log("W: has failed: 3 workers ended")
            assert not children(host)
            with host.connect(0) as client:  # waits in the backlog
                client.sendall(b"pid\n")
                manager.do("resume W")
                assert int(client.recv(20)) in fleet(host).values()
            assert state(host) == "active"


# --- reloads ------------------------------------------------------------------

@case
def a_worker_that_fails_to_start_refuses_the_reload():
    with steered(NEIGHBOUR + worker()) as host:
        before, pids = host.state(), fleet(host)
        with Neighbour(host):
            fail_to_start(host, pids)
        host.write_conf(NEIGHBOUR + worker())
        host.reload()
        assert host.state()["services"] == before["services"]
        wait_until(lambda: len(children(host)) == 2, what="no others left")


def fail_to_start(host, pids):
    for words, said, more in (
            ('"fail enough"', "it says 'enough'", ""),
            ('"die"', "signal 6.*now it dies", ""),
            ('"listen"', "has the endpoints of its attributes", ""),
            ('"slow"', "start_timeout", "; start_timeout = 500ms")):
        host.write_conf(NEIGHBOUR + worker("workers = 2" + more, words))
        log = "\n".join(host.reload())
        assert re.search(said, log), (words, log)
        assert "nothing changed" in log, log
        assert fleet(host) == pids


@case
def settings_change_live_and_others_replace():
    with steered(worker("workers = 2")) as host:
        pids = fleet(host)
        host.write_conf(worker("workers = 2; idle_timeout = 300ms"))
        log = "\n".join(host.reload())
        assert "~ W (idle_timeout)" in log, log
        assert fleet(host) == pids
        with host.connect(0) as client:
            assert client.recv(1) == b""  # idle for too long
        host.write_conf(worker("workers = 3; idle_timeout = 300ms"))
        host.reload()
        wait_until(lambda: len(fleet(host)) == 3, what="one more")
        host.write_conf(worker("workers = 1; idle_timeout = 300ms"))
        host.reload()
        wait_until(lambda: len(children(host)) == 1, what="two fewer")
        before = fleet(host)
        host.write_conf(worker("workers = 1; umask = 077"))
        log = "\n".join(host.reload())
        assert "> W (" in log and "umask" in log, log
        assert fleet(host) != before
        wait_until(lambda: len(children(host)) == 1, what="the old one ended")


@case
def a_replacement_under_load_loses_no_client():
    with steered(worker("workers = 2; drain = 5s")) as host:
        descriptors = len(host.fds())
        with Neighbour(host, 0) as load:
            for round in range(DEATHS):
                host.write_conf(worker("workers = 2; drain = 5s", '"%d"'
                                       % round))
                log = "\n".join(host.reload())
                assert "> W (args changed)" in log, log
        assert load.talks > 0
        wait_until(lambda: len(children(host)) == 2, what="old ones ended")
        wait_until(lambda: len(host.fds()) <= descriptors + 1,
                   what="descriptors back to base")


@case
def sessions_go_on_while_the_old_ones_drain():
    with steered(worker("workers = 1")) as host:
        old = pid_of(host)
        with host.connect(0) as client:
            client.sendall(b"before")
            assert receive(client, 6) == b"before"
            host.write_conf(worker("workers = 1", '"new"'))
            host.reload()
            assert pid_of(host) != old
            client.sendall(b"pid\n")
            assert int(client.recv(20)) == old
        wait_until(lambda: not alive(old), what="the old one ended")


@case
def suspended_clients_wait():
    with steered(worker("workers = 2")) as host, host.log_in() as manager:
        pids = fleet(host)
        manager.do("suspend W")
        with host.connect(0) as client:
            client.sendall(b"hello")
            assert state(host) == "suspended"
            manager.do("resume W")
            assert receive(client, 5) == b"hello"
        assert fleet(host) == pids


@case
def from_inside_the_host_into_workers_and_back():
    with steered(worker("workers = 0")) as host:
        assert pid_of(host) == host.pid
        host.write_conf(worker("workers = 2"))
        host.reload()
        assert pid_of(host) in fleet(host).values()
        host.write_conf(worker("workers = 0"))
        host.reload()
        assert pid_of(host) == host.pid
        wait_until(lambda: not children(host), what="no workers")


@case
def removed_all_are_gone():
    with steered(NEIGHBOUR + worker("workers = 4")) as host:
        before = len(host.fds())
        with host.log_in() as manager:
            for _ in range(DEATHS):
                manager.do("remove W")
                wait_until(lambda: not children(host), what="no workers")
                manager.do("dynamic W Service_Object * worker:make_worker() "
                           "{ listen = tcp:127.0.0.1:%d; workers = 4 }"
                           % host.port(0))
                assert pid_of(host) in children(host)
        wait_until(lambda: len(host.fds()) <= before, what="descriptors")


# --- requests and load --------------------------------------------------------

@case
def a_worker_is_replaced_after_max_requests():
    with steered(worker("workers = 1; max_requests = 3; " + OFTEN)) as host:
        pids = [pid_of(host) for _ in range(12)]
        for pid in set(pids):
            assert pids.count(pid) == 3, pids


@case
def more_workers_come_with_load_and_go_without():
    with steered(worker("workers = 1 3; instances = 1; "
                        "worker_idle = 100ms")) as host:
        clients = [host.connect(0) for _ in range(3)]
        for client in clients:
            client.sendall(b"pid\n")
        pids = {int(client.recv(20)) for client in clients}
        assert len(pids) == 3, pids
        for client in clients:
            client.close()
        wait_until(lambda: len(children(host)) == 1, what="one is left")


# --- the end ------------------------------------------------------------------

@case
def they_end_with_the_host():
    """Also one that would never look at anything again."""
    host = steered(worker("workers = 2; instances = 1"))
    try:
        pids = list(fleet(host).values())
        with host.connect(0) as client:
            client.sendall(b"hang\n")
            say(host, "pid")  # by the other one
        host.stop(signal.SIGKILL, expected=-signal.SIGKILL)
        wait_until(lambda: not [pid for pid in pids if alive(pid)],
                   what="workers ended")
    finally:
        host.close()


@case
def sigterm_drains_them():
    with steered("host { shutdown = 20s }\n" + worker("workers = 2")) as host:
        pids = list(fleet(host).values())
        with host.connect(0) as client:
            client.sendall(b"one")
            assert receive(client, 3) == b"one"
            host.signal(signal.SIGTERM)
            host.wait_log("SIGTERM: stop")
            client.sendall(b"two")
            assert receive(client, 3) == b"two"
        host.wait_exit()
        assert not [pid for pid in pids if alive(pid)]


@case
def sigint_is_not_for_them():
    with steered(worker("workers = 1")) as host:
        pid = pid_of(host)
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGHUP)
        assert pid_of(host) == pid


main()
