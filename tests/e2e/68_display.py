# SPDX-License-Identifier: BSD-2-Clause
"""The modules of display_logfile in streams of svc.conf: what they write is
what berth-logview prints."""

import json
import os
import random
import re
import subprocess

from berth_e2e import (
    BUILD, SOURCE, TIMEOUT, case, main, wait_until)
from log_records import record
from shipped import Shipped

UTC = dict(os.environ, TZ="UTC")
MODULE = '    dynamic %s Module * display_logfile:make_%s() "%s"\n'
STREAM = 'stream dynamic Display STREAM * :stream() {\n%s}\n'


def display(*modules):
    """A stream of these, the writer first: (kind, words) each."""
    return STREAM % "".join(
        MODULE % (kind.capitalize(), kind, words) for kind, words in modules)


def usual(reader="{dir}/in", *between):
    return display(("writer", "{dir}/out"), ("separator", ""),
                   ("formatter", ""), *between, ("reader", reader))


class Display(Shipped):
    """A host in whose folder the log file is."""

    def __init__(self, conf, data, **rest):
        self._data = data
        super().__init__(conf, "display_logfile", env={"TZ": "UTC"}, **rest)

    def write_conf(self, text):
        if not os.path.exists(self.path("in")):
            with open(self.path("in"), "wb") as file:
                file.write(self._data)
        super().write_conf(text)


start = Display


def view(host, *words):
    return subprocess.run(
        [os.path.join(BUILD, "berth-logview"), *words, host.path("in")],
        check=False, env=UTC, stdout=subprocess.PIPE, timeout=TIMEOUT).stdout


def written(host):
    with open(host.path("out"), "rb") as file:
        return file.read()


def entry(text, host=b"a.example", **rest):
    return host + b"\0" + record(text, **rest)


def sample():
    random.seed(6)
    return b"".join(
        entry(b"%d %s" % (n, b"x" * random.choice((0, 10, 3000, 70000))),
              host=random.choice((b"a.example", b"b.example")),
              order=random.choice("<>"), wide=random.random() < 0.5,
              kind=1 << random.randrange(1, 11), pid=n % 7,
              secs=random.randrange(10 ** 9), usecs=random.randrange(10 ** 6))
        for n in range(300))


@case
def lines_and_json():
    data = sample() + entry(b"a\nb\x1b[2J|c")
    with start(usual(), data) as host:
        wanted = view(host)
        assert wanted.count(b"\n") == 301
        assert wanted.endswith(b"|1|a\\nb\\x1b[2J|c\n") is False
        wait_until(lambda: written(host) == wanted, what="all lines")
    with start(display(("writer", "{dir}/out"), ("separator", ""),
                       ("formatter", "-j"), ("reader", "{dir}/in")),
               data) as host:
        wanted = view(host, "-j")
        wait_until(lambda: written(host) == wanted, what="all objects")
        assert len([json.loads(line) for line in wanted.splitlines()]) == 301


@case
def filter_and_sorter():
    for words in ("-p ERROR", "-H b.*", "-i 3", "-g 1", "-pERROR -H 'a.*'"):
        with start(usual("{dir}/in", ("filter", words)), sample()) as host:
            wanted = view(host, *words.replace("'", "").split())
            assert wanted
            wait_until(lambda: written(host) == wanted, what=words)
    data = b"".join(entry(b"%d" % n, secs=100 - n // 2) for n in range(50))
    with start(usual("{dir}/in", ("sorter", "-t text pid")), data) as host:
        wanted = "".join("%d|1\n" % n for n in sorted(
            range(50), key=lambda n: (100 - n // 2, n))).encode()
        wait_until(lambda: written(host) == wanted, what="sorted lines")


@case
def it_follows_and_is_changed_meanwhile():
    """Each record once, in order, whatever stands between."""
    with start(usual("-f {dir}/in"), entry(b"0")) as host:
        number = 1
        for turn in range(10):
            with_filter = (("filter", "-p DEBUG"),) if turn % 2 else ()
            host.write_conf(usual("-f {dir}/in", *with_filter))
            host.reload()
            with open(host.path("in"), "ab") as file:
                for _ in range(20):
                    file.write(entry(b"%d" % number))
                    number += 1
        os.rename(host.path("in"), host.path("old"))
        with open(host.path("new"), "wb") as file:
            file.write(entry(b"%d" % number))
        os.rename(host.path("new"), host.path("in"))

        def texts():
            return [int(line.rsplit(b"|", 1)[1])
                    for line in written(host).splitlines()]
        wait_until(lambda: len(texts()) > number, what="all lines")
        assert texts() == list(range(number + 1))
        assert "refused" not in host.log_text()


@case
def files_that_are_damaged():
    for data, said in ((entry(b"x")[:-1], "ends within this entry"),
                       (entry(b"x") + b"y\0junk ", "no entry of a log")):
        with start(usual(), data) as host:
            host.wait_log(said)


@case
def r_e_23_a_file_that_is_not_there_unwinds_the_stream():
    with start('host { reload = exact }\nstatic echo { listen = unix:{dir}/e }',
               b"") as host:
        host.write_conf(usual("{dir}/none"))
        host.reload()
        assert "No such file" in host.log_text()
        assert "nothing changed" in host.log_text()
        assert not os.path.exists(host.path("out")) or written(host) == b""


@case
def r_e_22_a_stop_goes_through_all_and_ends_their_threads():
    with start("host { watchdog = 0 }\n" + usual(), entry(b"x")) as host:
        wait_until(lambda: written(host).endswith(b"|x\n"), what="the line")

        def threads():
            return len(os.listdir("/proc/%d/task" % host.pid))
        wait_until(lambda: threads() == 1, what="the end of both threads")


@case
def mistakes():
    for kind, words, said in (
            ("reader", "", "it reads one file"),
            ("reader", "-x a", "it reads one file"),
            ("writer", "", "it writes one file"),
            ("writer", "{dir}/none/out", "No such file"),
            ("filter", "-z 1", "'-z' is no option"),
            ("filter", "-p", "-p needs a value"),
            ("filter", "-p LOUD", "'LOUD' is no priority"),
            ("sorter", "size", "'size': host, type"),
            ("formatter", "-x", "-j is all"),
            ("separator", "a b", "one separator")):
        host = start(display((kind, words)), b"", ready=False)
        assert host.wait_exit() == 1 and said in host.log_text(), (
            kind, words, host.log_text())
        host.close()


@case
def the_example_of_the_manual():
    with open(os.path.join(SOURCE, "man", "berth-display-logfile.8"),
              encoding="utf-8") as file:
        page = file.read()
    example = re.search(r"^\.Bd -literal\n(.*?)^\.Ed", page,
                        re.M | re.S).group(1)
    conf = example.replace("/var/log/berth/errors", "{dir}/out").replace(
        "/var/log/berth/192.0.2.7.log", "{dir}/in")
    data = entry(b"bad", kind=0o200) + entry(b"good", kind=0o10)
    with start(conf, data) as host:
        wait_until(lambda: written(host), what="a line")
        assert written(host).startswith(b"a.example | 128 | 1 | Jan  1 "), (
            written(host))
        assert written(host).endswith(b" 1970 | bad\n")


main()
