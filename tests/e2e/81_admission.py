# SPDX-License-Identifier: BSD-2-Clause
"""Admission: each limit, as a client meets it, for a service of the host and
for a program; recovery without help; what is counted and told."""

import os
import socket
import time

from berth_e2e import (
    Failure, case, connect, main, receive, run_berthd, wait_until)
from steered import SANITIZED, Steered

# Both answer what they are sent and go on until the client ends.
KINDS = {
    "service": "dynamic X Service_Object * :echo() { %s\n%s }\n",
    "program": "dynamic X Program * /bin/cat { %s\n%s }\n",
}
TCP = "listen = tcp:127.0.0.1:{p0}"


def each_kind(attributes, listen=TCP):
    for kind, conf in KINDS.items():
        yield kind, conf % (listen, attributes)


def serves(client, word=b"hello"):
    """Is it answered?  False: the connection was ended."""
    try:
        client.sendall(word)
        return receive(client, len(word)) == word
    except OSError:
        return False


def how_it_ends(client):
    """What it is sent before the end, and "end" or "reset"."""
    data = b""
    try:
        while True:
            part = client.recv(4096)
            if not part:
                return data, "end"
            data += part
    except ConnectionResetError:
        return data, "reset"


def refused(host):
    """A client who comes now: what he is sent, and how it ends for him."""
    try:
        with host.connect(0) as client:
            return how_it_ends(client)
    except ConnectionResetError:  # before connect() was through
        return b"", "reset"


def waits(client, host):
    """Nothing comes, and it is not refused, while others are talked to."""
    client.sendall(b"hello")
    for _ in range(3):
        shown(host)
    client.setblocking(False)
    try:
        client.recv(1)
    except BlockingIOError:
        return True
    finally:
        client.settimeout(host.timeout)
    return False


def shown(host, name="X"):
    with host.manager(9) as manager:
        manager.send("json on")
        manager.line()
        return manager.json("show " + name)


def refusals(host):
    return shown(host)["refusals"]


def until_alone(host, count=0):
    wait_until(lambda: shown(host)["sessions"] == count,
               what="%d sessions" % count)


# --- how many at once ---------------------------------------------------------

@case
def instances_let_wait_reject_and_reset():
    for policy, ending in (("queue", None), ("reject", "end"),
                           ("reset", "reset")):
        for kind, conf in each_kind(
                "instances = 2\non_instances = " + policy):
            with Steered(conf) as host:
                first, second = host.connect(0), host.connect(0)
                assert serves(first) and serves(second), kind
                if ending is None:
                    third = host.connect(0)
                    assert waits(third, host), kind
                    assert refusals(host) == {}
                    first.close()
                    assert receive(third, 5) == b"hello", kind
                else:
                    assert refused(host) == (b"", ending), (kind, policy)
                    assert refusals(host) == {"instances": 1}
                    first.close()
                    until_alone(host, 1)
                    third = host.connect(0)
                    assert serves(third), kind
                    host.wait_log("1 connection refused .instances.")
                second.close()
                third.close()


@case
def per_source_counts_sessions_of_an_address():
    for policy, ending in (("reject", "end"), ("reset", "reset")):
        for kind, conf in each_kind(
                "per_source = 2\non_per_source = " + policy):
            with Steered(conf) as host:
                clients = [host.connect(0) for _ in range(2)]
                assert all(serves(c) for c in clients), kind
                assert refused(host) == (b"", ending), (kind, policy)
                # Another source is another matter.
                other = socket.socket()
                other.settimeout(host.timeout)
                other.bind(("127.0.0.2", 0))
                other.connect(("127.0.0.1", host.port(0)))
                assert serves(other), kind
                other.close()
                assert refusals(host) == {"per_source": 1}
                clients.pop().close()
                until_alone(host, 1)
                with host.connect(0) as third:
                    assert serves(third), kind
                clients.pop().close()


@case
def mapped_addresses_are_the_same_source():
    conf = KINDS["service"] % (
        "listen = tcp:*:{p0} tcp4:127.0.0.1:{p1}", "per_source = 1")
    with Steered(conf) as host:
        with host.connect(0) as first:  # as ::ffff:127.0.0.1
            assert serves(first)
            with host.connect(1) as second:
                assert how_it_ends(second)[0] == b""
        assert refusals(host) == {"per_source": 1}


@case
def a_prefix_makes_neighbours_one_source():
    conf = KINDS["service"] % (
        TCP, "per_source = 1\nsource_prefix = 24")
    with Steered(conf) as host:
        with host.connect(0) as first:
            assert serves(first)
            other = socket.socket()
            other.settimeout(host.timeout)
            other.bind(("127.0.0.9", 0))
            other.connect(("127.0.0.1", host.port(0)))
            assert how_it_ends(other) == (b"", "end")
            other.close()


# --- how often ----------------------------------------------------------------

@case
def cps_lets_wait_and_recovers():
    for kind, conf in each_kind("cps = 3/500ms"):
        with Steered(conf) as host:
            start = time.monotonic()
            for _ in range(9):
                with host.connect(0) as client:
                    assert serves(client), kind
            # Three at once, and one in a sixth of a second after that.
            assert time.monotonic() - start >= 0.9, kind
            assert refusals(host) == {}


@case
def cps_as_xinetd_has_it_pauses_and_recovers():
    for kind, conf in each_kind("cps = 3 1"):
        with Steered(conf) as host, host.log_in() as manager:
            # They are all there before the first is served.
            manager.do("suspend X")
            clients = [host.connect(0) for _ in range(4)]
            start = time.monotonic()
            manager.do("resume X")
            assert all(serves(client) for client in clients), kind
            assert time.monotonic() - start >= 0.5, kind
            for client in clients:
                client.close()


@case
def cps_may_reject_and_reset():
    for policy, ending in (("reject", "end"), ("reset", "reset")):
        for kind, conf in each_kind("cps = 2/1h 300ms\non_cps = " + policy):
            with Steered(conf) as host:
                for _ in range(2):
                    with host.connect(0) as client:
                        assert serves(client), kind
                for _ in range(3):
                    assert refused(host) == (b"", ending), kind
                assert refusals(host) == {"cps": 3}
                # More are allowed from now on: no need to wait.
                host.write_conf(conf.replace("2/1h 300ms", "1000"))
                host.reload()
                with host.connect(0) as client:
                    assert serves(client), kind


@case
def source_cps_is_each_sources_own():
    for kind, conf in each_kind("source_cps = 2/1h"):
        with Steered(conf) as host:
            for _ in range(2):
                with host.connect(0) as client:
                    assert serves(client), kind
            with host.connect(0) as client:
                assert how_it_ends(client) == (b"", "end"), kind
            other = socket.socket()
            other.settimeout(host.timeout)
            other.bind(("127.0.0.2", 0))
            other.connect(("127.0.0.1", host.port(0)))
            assert serves(other), kind
            other.close()
            assert refusals(host) == {"source_cps": 1}


@case
def datagrams_have_rates():
    conf = KINDS["service"] % (
        "listen = udp:127.0.0.1:{p0}", "source_cps = 5/1h")
    with Steered(conf) as host:
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(host.timeout)
            client.connect(("127.0.0.1", host.port(0)))
            for number in range(5):
                client.send(b"%d" % number)
                assert client.recv(10) == b"%d" % number
            for _ in range(7):
                client.send(b"more")
            wait_until(lambda: refusals(host) == {"source_cps": 7},
                       what="seven refused")
            client.setblocking(False)
            try:
                raise Failure("answered: %r" % client.recv(10))
            except BlockingIOError:
                pass


# --- when and who -------------------------------------------------------------

@case
def access_times_are_times_of_day():
    for kind, conf in each_kind("access_times = %s"):
        inside = "00:00-24:00"
        # The hour may end while we look.
        outside = "00:00-00:01" if time.localtime().tm_hour in (
            11, 12) else "12:00-12:01"
        with Steered(conf.replace("%s", outside)) as host:
            with host.connect(0) as client:
                assert how_it_ends(client) == (b"", "end"), kind
            assert refusals(host) == {"time": 1}
            waiting = conf.replace(
                "%s", outside + "\non_access_times = queue")
            host.write_conf(waiting)
            host.reload()
            with host.connect(0) as client:
                assert waits(client, host), kind
                host.write_conf(conf.replace("%s", inside))
                host.reload()
                assert receive(client, 5) == b"hello", kind


@case
def only_users_are_served_at_a_unix_endpoint():
    mine = "only_users = %d" % os.geteuid()
    for kind, conf in each_kind("ATTRIBUTE", "listen = unix:{dir}/s"):
        with Steered(conf.replace("ATTRIBUTE", mine)) as host:
            with connect(host.path("s")) as client:
                assert serves(client), kind
            host.write_conf(conf.replace("ATTRIBUTE", "only_users = 4294"))
            host.reload()
            with connect(host.path("s")) as client:
                assert how_it_ends(client)[0] == b"", kind
            assert refusals(host) == {"user": 1}
            host.write_conf(conf.replace(
                "ATTRIBUTE", "only_groups = %d" % os.getegid()))
            host.reload()
            with connect(host.path("s")) as client:
                assert serves(client), kind


@case
def sources_at_a_unix_endpoint_are_users():
    for kind, conf in each_kind("per_source = 1", "listen = unix:{dir}/s"):
        with Steered(conf) as host:
            with connect(host.path("s")) as first:
                assert serves(first), kind
                with connect(host.path("s")) as second:
                    assert how_it_ends(second)[0] == b"", kind


@case
def max_session_ends_what_lasts_too_long():
    for kind, conf in each_kind("max_session = %s"):
        with Steered(conf.replace("%s", "0")) as host:
            with host.connect(0) as client:
                assert serves(client), kind
                host.write_conf(conf.replace("%s", "300ms"))
                host.reload()
                # However busy it is.
                wait_until(lambda: not serves(client), what="the end")
            until_alone(host)
            start = time.monotonic()
            with host.connect(0) as client:
                assert how_it_ends(client) == (b"", "end"), kind
            assert time.monotonic() - start >= 0.3, kind


# --- what they are told -------------------------------------------------------

@case
def banners_are_sent():
    files = {"b": "all\n", "s": "served\n", "f": "not served\n"}
    words = "banner = {dir}/b\nbanner_success = {dir}/s\nbanner_fail = {dir}/f"
    for kind, conf in each_kind(words + "\nper_source = 1"):
        with Steered(conf, files=files) as host:
            with host.connect(0) as first:
                assert receive(first, 11) == b"all\nserved\n", kind
                assert serves(first), kind
                with host.connect(0) as second:
                    assert how_it_ends(second) == (
                        b"all\nnot served\n", "end"), kind


@case
def a_client_who_talks_first_reads_why_he_is_refused():
    conf = KINDS["service"] % (
        TCP, "instances = 1\non_instances = reject\nbanner_fail = {dir}/f")
    with Steered(conf, files={"f": "full\n"}) as host:
        with host.connect(0) as first:
            assert serves(first)
            for _ in range(20):
                with host.connect(0) as client:
                    try:
                        client.sendall(b"hello")
                    except OSError:
                        pass
                    assert how_it_ends(client)[0] == b"full\n"


def refused_plan(host):
    """What `berthd -t` tells of the file as it is now."""
    done = run_berthd("-t", "-f", host.path("svc.conf"))
    assert done.returncode == 1, done
    return done.stderr.splitlines()


@case
def mistakes_refuse_the_reload():
    good = KINDS["service"] % (TCP, "per_source = 5")
    bad = (("only_users = no-such-user-here", "no user 'no-such-user-here'"),
           ("only_groups = no-such-group", "no group 'no-such-group'"),
           ("banner = /nonexistent", "cannot read the banner"),
           ("on_per_source = queue", "on_per_source"),
           ("source_prefix = 33", "source_prefix"),
           ("access_times = 22:00-06:00", "ends before it begins"))
    with Steered(good) as host:
        with host.connect(0) as client:
            assert serves(client)
            for attribute, message in bad:
                host.write_conf(KINDS["service"] % (TCP, attribute))
                checked = "\n".join(refused_plan(host))
                lines = "\n".join(host.reload())
                assert message in lines, (attribute, lines)
                assert message in checked, (attribute, checked)
                assert serves(client), attribute


# --- what stays ---------------------------------------------------------------

@case
def counts_survive_a_reload_and_a_replacement():
    conf = ("dynamic X Program * /bin/cat %s { " + TCP +
            "\nper_source = 2\ndrain = 1h }\n")
    with Steered(conf % '""') as host:
        first, second = host.connect(0), host.connect(0)
        assert serves(first) and serves(second)
        host.write_conf(conf % '"-u"')  # other words: it is replaced
        host.reload()
        with host.connect(0) as third:
            assert how_it_ends(third) == (b"", "end")
        assert serves(first) and serves(second)
        first.close()
        second.close()

        def served():
            with host.connect(0) as client:
                return serves(client)
        wait_until(served, what="their places are free")


@case
def lower_limits_touch_no_session():
    for kind, conf in each_kind("ATTRIBUTE"):
        with Steered(conf.replace("ATTRIBUTE", "per_source = 4")) as host:
            clients = [host.connect(0) for _ in range(4)]
            assert all(serves(c) for c in clients), kind
            host.write_conf(conf.replace(
                "ATTRIBUTE", "per_source = 1\ninstances = 2\ncps = 1/1h"))
            host.reload()
            assert all(serves(c) for c in clients), kind
            for client in clients:
                client.close()


@case
def thousands_of_refusals_cost_no_memory():
    conf = KINDS["service"] % (TCP, "per_source = 1\non_per_source = reset")
    rounds = 2000 if SANITIZED else 20000
    with Steered(conf) as host:
        with host.connect(0) as first:
            assert serves(first)

            def attack(count):
                for _ in range(count):
                    assert refused(host) == (b"", "reset")
            attack(500)
            before = host.rss_kb()
            lines = len(host.log())
            attack(rounds)
            assert refusals(host) == {"per_source": rounds + 500}
            if not SANITIZED:
                assert host.rss_kb() - before < 256, host.rss_kb() - before
            # And no log that grows.
            assert len(host.log()) - lines < 10
            assert serves(first)


main()
