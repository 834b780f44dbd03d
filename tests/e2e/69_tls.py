# SPDX-License-Identifier: BSD-2-Clause
"""TLS around connections: the same services in clear and sealed, to the
clients of others; who is let in; certificates exchanged under load."""

import os
import re
import shutil
import ssl
import subprocess
import threading

from berth_e2e import (
    BUILD, TIMEOUT, case, main, receive, receive_all, wait_until)
from fleets import children
from shipped import Shipped
from steered import SANITIZED
from tls_made import Authority, dial, subject

ECHO = """
static echo { listen = tcp:127.0.0.1:{p0} }
dynamic Sealed Service_Object * :echo() {
    listen = tcp:127.0.0.1:{p1}
    stream = Secure
    %s
}
"""
BLOCK = bytes(range(256)) * 256
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def echoes(client, size=1 << 20):
    """Block by block: Python's TLS is for one thread at a time."""
    for _ in range(size // len(BLOCK)):
        client.sendall(BLOCK)
        if receive(client, len(BLOCK)) != BLOCK:
            return False
    return True


def refused(host, context, number=1):
    """Nothing of the service is seen: a failed handshake, or with TLS 1.3 a
    failure right behind it."""
    try:
        with dial(host, number, context) as client:
            client.sendall(b"x")
            return client.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True


@case
def the_same_service_in_clear_and_sealed():
    with Authority() as made, \
            Shipped(made.stream() + ECHO % "", "tls") as host:
        with host.connect(0) as client:
            assert echoes(client)
        for version in (TLS12, TLS13):
            with dial(host, 1, made.context(version=version)) as client:
                assert echoes(client)
                assert subject(client) == "server"
                # The service ends its side when we have ended ours.
                client.unwrap().close()


@case
def services_in_sequence_and_at_the_end():
    """serve reads and writes, however it is driven; daytime writes and closes
    at once."""
    conf = """
    dynamic Hello Service_Object * hello:make_hello() {
        listen = tcp:127.0.0.1:{p1}
        stream = Secure
        stack = 32K
        %s
    }
    static daytime { listen = tcp:127.0.0.1:{p2}; stream = Secure; %s }
    """
    with Authority() as made:
        for words in ("concurrency = reactive", "concurrency = iterative",
                      "concurrency = thread", "concurrency = pool 2",
                      "concurrency = process", "workers = 2"):
            with Shipped(made.stream() + conf % (words, words),
                         "tls", "hello") as host:
                greetings(host, made.context(), words)


def greetings(host, context, words):
    for _ in range(10):
        with dial(host, 1, context) as client:
            for byte in b"Alice\nGood day":
                client.sendall(bytes([byte]))
            client.sendall(b"\n")
            # Not cut off, but ended.
            said = receive_all(client)
            told = re.fullmatch(
                rb"Hello Alice, this is PID (\d+)\nGood day", said)
            assert told, (words, said)
            assert (int(told[1]) == host.pid) == \
                ("process" not in words and "workers" not in words), \
                (words, said)
        with dial(host, 2, context) as client:
            assert receive_all(client).endswith(b"\r\n")


def s_client(made, host, number, *words, data=b""):
    return subprocess.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % host.port(number),
         "-servername", "host.test", "-verify_hostname", "host.test",
         "-CAfile", made.path("ca.pem"), "-verify_return_error", *words],
        input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=TIMEOUT, check=False)


@case
def much_for_who_reads_slowly():
    """Nothing is lost, and nothing kept in memory for it."""
    conf = """
    static chargen { listen = tcp:127.0.0.1:{p1}; stream = Secure }
    """
    with Authority() as made, Shipped(made.stream() + conf, "tls") as host:
        context = made.context()
        with dial(host, 1, context) as slow, dial(host, 1, context) as quick:
            before = host.rss_kb()
            first = receive(quick, 8 << 20)
            if not SANITIZED:  # whose memory is not the host's alone
                assert host.rss_kb() - before < 4096
            assert receive(slow, 1 << 20) == first[:1 << 20]
            lines = first.split(b"\r\n")
            assert all(len(line) == 72 for line in lines[:-1])
            assert [line[1:] for line in lines[:1000]] == \
                [line[:-1] for line in lines[1:1001]]


@case
def clients_of_others():
    conf = """
    static daytime { listen = tcp:127.0.0.1:{p1}; stream = Secure }
    dynamic Web Service_Object * health:make_health() "-f http /bin/echo all is well" {
        listen = tcp:127.0.0.1:{p2}
        stream = Secure
    }
    """
    with Authority() as made, \
            Shipped(made.stream("-p http/1.1") + conf, "tls", "health") as host:
        for version in ("-tls1_2", "-tls1_3"):
            done = s_client(made, host, 1, version, "-ign_eof", "-alpn",
                            "http/1.1")
            assert done.returncode == 0, done
            assert b"Verify return code: 0 (ok)" in done.stdout, done
            assert b"ALPN protocol: http/1.1" in done.stdout, done
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--fail", "--cacert",
             made.path("ca.pem"), "--resolve",
             "host.test:%d:127.0.0.1" % host.port(2),
             "https://host.test:%d/" % host.port(2)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
            timeout=TIMEOUT, env=dict(os.environ, no_proxy="*"))
        assert done.returncode == 0, done
        assert done.stdout.strip() == b"all is well", done


@case
def who_is_let_in():
    with Authority() as made, Authority() as others:
        made.issue("alice")
        others.issue("mallory")
        mutual = made.stream("-a " + made.path("ca.pem"))
        with Shipped(mutual + ECHO % "", "tls") as host:
            for version in (TLS12, TLS13):
                alice = made.context("alice", version)
                with dial(host, 1, alice) as client:
                    assert echoes(client, 65536)
                assert refused(host, made.context(version=version))
                mallory = made.context(version=version)
                mallory.load_cert_chain(
                    others.path("mallory.pem"), others.path("mallory.key"))
                assert refused(host, mallory)
            # The log says why.
            host.wait_log("peer did not return a certificate")
            host.wait_log("unable to get local issuer certificate")
            done = s_client(made, host, 1, "-ign_eof", "-tls1_3")
            assert done.returncode != 0, done
            assert b"certificate required" in done.stderr, done


@case
def a_service_learns_who_its_client_is():
    conf = """
    dynamic Who Service_Object * who:make_who() {
        listen = tcp:127.0.0.1:{p1}
        stream = Secure
    }
    """
    with Authority() as made, \
            Shipped("static echo { listen = tcp:127.0.0.1:{p0} }",
                    "tls") as host:
        made.issue("alice")
        shutil.copy(os.path.join(BUILD, "tests", "plugins", "who.so"),
                    host.plugins)
        os.chmod(os.path.join(host.plugins, "who.so"), 0o644)
        host.write_conf(made.stream("-v optional -a " + made.path("ca.pem")) +
                        conf)
        host.reload()
        for name, told in (("alice", b"CN=alice\n"), (None, b"nobody\n")):
            context = made.context(name)
            with dial(host, 1, context) as client:
                assert receive_all(client) == told
                session = client.session
            with dial(host, 1, context, session=session) as client:
                assert client.session_reused
                assert receive_all(client) == told


@case
def who_a_client_is_is_told():
    conf = """
    static Service_Manager "-p {p9}"
    dynamic Sealed Service_Object * :echo() {
        listen = tcp:127.0.0.1:{p1}
        stream = Secure
        log_type = FILE {dir}/lines
        log_format = logfmt
        log_on_success = HOST DURATION
        %s
    }
    """
    with Authority() as made:
        made.issue("alice")
        for words in ("concurrency = reactive", "concurrency = thread"):
            with Shipped(made.stream("-a " + made.path("ca.pem")) +
                         conf % words, "tls") as host:
                with dial(host, 1, made.context("alice")) as client:
                    assert echoes(client, 65536)
                    with host.manager(9) as manager:
                        said = "\n".join(manager.do("sessions Sealed"))
                        assert ", identity CN=alice" in said, said
                        manager.send("json on")
                        manager.line()
                        session, = manager.json("sessions Sealed")
                        assert session["identity"] == "CN=alice", session
                    client.unwrap().close()

                def ended(host=host):
                    with open(host.path("lines"), encoding="utf-8") as file:
                        return re.search(r"event=end .*identity=\"?CN=alice",
                                         file.read())
                wait_until(ended, what="the line of the end")


def stall(host, number):
    """Six clients: nothing, half of a greeting, and half of its head."""
    stalled = [host.connect(number) for _ in range(6)]
    for words, group in (
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", stalled[2:4]),
            (b"\x16\x03", stalled[4:])):
        for client in group:
            try:
                client.sendall(words)
            except ConnectionError:
                pass  # it was cut off by now
    return stalled


@case
def a_stalled_handshake_holds_up_nobody():
    impatient = """
    stream dynamic Impatient STREAM * :stream() {
        dynamic TLS Module * tls:make_tls() "%s -t 200ms"
    }
    dynamic Soon Service_Object * :echo() {
        listen = tcp:127.0.0.1:{p2}
        stream = Impatient
    }
    """
    with Authority() as made:
        for words in ("concurrency = reactive", "concurrency = pool 8",
                      "concurrency = process", "workers = 2"):
            conf = made.stream("-t 60m") + impatient % made.words() + \
                ECHO % words
            with Shipped(conf, "tls") as host:
                stalled = stall(host, 1)
                for _ in range(5):
                    with dial(host, 1, made.context()) as client:
                        assert echoes(client, 65536)
                        client.unwrap().close()
                for client in stall(host, 2):
                    assert cut_off(client)
                    client.close()
                for client in stalled:  # not these
                    client.setblocking(False)
                    try:
                        raise AssertionError(client.recv(1))
                    except BlockingIOError:
                        client.close()


def cut_off(client):
    try:
        while client.recv(100) != b"":
            pass
        return True
    except ConnectionResetError:
        return True


@case
def programs_behind_tls():
    """Whoever has no certificate starts none."""
    conf = """
    dynamic Cat Program * /bin/cat { listen = tcp:127.0.0.1:{p1}; stream = Secure }
    """
    with Authority() as made:
        made.issue("alice")
        with Shipped(made.stream("-a " + made.path("ca.pem")) + conf,
                     "tls") as host:
            for version in (TLS12, TLS13):
                with dial(host, 1, made.context("alice", version)) as client:
                    assert echoes(client)
                    client.unwrap().close()
                assert refused(host, made.context(version=version))
            data = BLOCK.hex().encode() + b"\n"
            done = s_client(made, host, 1, "-quiet", "-no_ign_eof", "-cert",
                            made.path("alice.pem"), "-key",
                            made.path("alice.key"), data=data)
            assert data.startswith(done.stdout), done
            wait_until(lambda: children(host) == [], what="no program")


@case
def what_is_no_tls():
    with Authority() as made, \
            Shipped(made.stream() + ECHO % "", "tls") as host:
        with host.connect(1) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert cut_off(client)
        host.wait_log("http request")
        with host.connect(1) as client:
            client.sendall(BLOCK[:1000])
            assert cut_off(client)
        with dial(host, 1, made.context()) as client:
            assert echoes(client, 65536)


@case
def an_end_without_a_word_is_told():
    with Authority() as made, \
            Shipped(made.stream() + ECHO % "", "tls") as host:
        client = dial(host, 1, made.context())
        client.sendall(b"half a sen")
        assert receive(client, 10) == b"half a sen"
        client.close()  # without unwrap(): no close_notify
        host.wait_log("without close_notify")


@case
def under_every_concurrency():
    with Authority() as made:
        for words in ("concurrency = reactive", "concurrency = iterative",
                      "concurrency = thread 20", "concurrency = pool 4",
                      "concurrency = process", "workers = 2",
                      "workers = 2; concurrency = pool 3"):
            conf = made.stream() + ECHO % words
            with Shipped(conf, "tls") as host:
                good = []

                def one(host=host, good=good):
                    context = made.context()
                    for _ in range(3):
                        with dial(host, 1, context) as client:
                            good.append(echoes(client, 65536))
                            client.unwrap().close()
                threads = [threading.Thread(target=one) for _ in range(8)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(TIMEOUT)
                assert good == [True] * 24, (words, good)


class Load(threading.Thread):
    """One client after the other; whose certificate each has seen, and what
    went wrong."""

    def __init__(self, made, host):
        super().__init__(daemon=True)
        self.made, self.host = made, host
        self.seen, self.failed = [], []
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            try:
                with dial(self.host, 1, self.made.context()) as client:
                    client.sendall(b"hello")
                    assert receive(client, 5) == b"hello"
                    self.seen.append(subject(client))
                    client.unwrap().close()
            except Exception as error:  # each counts
                self.failed.append(repr(error))


@case
def certificates_are_exchanged_under_load():
    names = ["first", "second", "third"]
    with Authority() as made:
        for name in names:
            made.issue(name)
        with Shipped(made.stream() + ECHO % "", "tls") as host:
            with dial(host, 1, made.context()) as lasting:
                loads = [Load(made, host) for _ in range(3)]
                for name in names:
                    made.put(name, "server")
                    host.reload()
                    wait_until(lambda: all(
                        load.failed or load.seen[-1:] == [name]
                        for load in loads), what=name)
                # What is bad changes nothing.
                with open(made.path("server.pem"), "w",
                          encoding="ascii") as file:
                    file.write("nonsense")
                host.wait_log("certificates of before stay in use.*server.pem")
                count = [len(load.seen) for load in loads]
                wait_until(lambda: all(
                    load.failed or len(load.seen) > before + 3
                    for load, before in zip(loads, count)), what="more")
                for load in loads:
                    load.over.set()
                    load.join(TIMEOUT)
                    assert load.failed == [], load.failed[:3]
                    assert load.seen[-1] == names[-1]
                # Who came before all that is still served.
                lasting.sendall(b"still here")
                assert receive(lasting, 10) == b"still here"


@case
def certificates_are_exchanged_in_workers():
    """Each looks for itself; one that starts in between is started again."""
    names = ["first", "second"]
    for words in ("workers = 1", "concurrency = process"):
        with Authority() as made:
            for name in names:
                made.issue(name)
            words += "; start_limit = unlimited; restart_delay = 10ms"
            with Shipped(made.stream() + ECHO % words, "tls") as host:
                loads = [Load(made, host) for _ in range(2)]
                for name in names:
                    made.put(name, "server")
                    host.reload()
                    wait_until(lambda: all(
                        load.failed or load.seen[-1:] == [name]
                        for load in loads), what=name)
                for load in loads:
                    load.over.set()
                    load.join(TIMEOUT)
                    assert load.failed == [], load.failed[:3]


@case
def a_session_is_resumed_after_an_exchange():
    with Authority() as made:
        made.issue("other")
        with Shipped(made.stream() + ECHO % "", "tls") as host:
            for version in (TLS12, TLS13):
                context = made.context(version=version)
                session = None
                for expected in (False, True):
                    with dial(host, 1, context, session=session) as client:
                        client.sendall(b"x")
                        assert receive(client, 1) == b"x"
                        assert client.session_reused == expected
                        session = client.session
                        client.unwrap().close()
                made.issue("other")
                made.put("other", "server")
                exchanged = "new certificates are in use"
                told = host.log_text().count(exchanged)

                def is_exchanged():
                    with dial(host, 1, made.context()) as client:
                        client.unwrap().close()
                    return host.log_text().count(exchanged) > told
                wait_until(is_exchanged)
                with dial(host, 1, context, session=session) as client:
                    assert client.session_reused


@case
def names_choose_the_certificate():
    with Authority() as made:
        made.issue("one", "one.test")
        made.issue("wild", "*.wild.test")
        words = ["-n %s:%s:%s" % (host, made.path(name + ".pem"),
                                  made.path(name + ".key"))
                 for host, name in (("one.test", "one"),
                                    ("*.wild.test", "wild"))]
        with Shipped(made.stream(*words) + ECHO % "", "tls") as host:
            for asked, name in (("host.test", "server"), ("one.test", "one"),
                                ("x.wild.test", "wild")):
                with dial(host, 1, made.context(), name=asked) as client:
                    assert subject(client) == name


@case
def the_module_comes_and_goes():
    with Authority() as made, Shipped(ECHO.split("dynamic", 1)[0],
                                      "tls") as host:
        assert "tls.so" not in host.maps()
        for _ in range(3):
            host.write_conf("host { reload = exact }\n" + made.stream() +
                            ECHO % "drain = 1s")
            host.reload()
            with dial(host, 1, made.context()) as client:
                assert echoes(client, 65536)
                client.unwrap().close()
            host.write_conf("host { reload = exact }\n" +
                            ECHO.split("dynamic", 1)[0])
            host.reload()
            wait_until(lambda: "tls.so" not in host.maps(), what="unloading")
            with host.connect(0) as client:
                assert echoes(client, 65536)


@case
def what_is_wrong_is_told_before_anything_changes():
    with Authority() as made:
        good = made.stream() + ECHO % ""
        with Shipped(good, "tls") as host:
            host.write_conf(good.replace("server.pem", "none.pem"))
            text = "\n".join(host.reload())
            assert "none.pem: No such file or directory" in text, text
            with dial(host, 1, made.context()) as client:
                assert echoes(client, 65536)


main()
