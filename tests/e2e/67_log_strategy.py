# SPDX-License-Identifier: BSD-2-Clause
"""The plugin logging_strategy: where the host's log goes, what a line looks
like, files that turn, loggers that are away, and that no line is lost when it
comes, goes or fails."""

import os
import re
import socket
import threading

from berth_e2e import TIMEOUT, Manager, case, main, wait_until
from log_records import entries, text_of
from shipped import Shipped

SOURCE = 'dynamic Src Service_Object * udplog:make_udplog() ' \
         '{ listen = unix-dgram:{dir}/src }\n'
LOG = 'dynamic %s Service_Object * ' \
      'logging_strategy:make_logging_strategy() "%s"\n'
WHEN = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}"


def start(*words, name="Log", before=SOURCE, **rest):
    conf = before + "".join(
        LOG % (name + str(i or ""), one) for i, one in enumerate(words))
    return Shipped(conf, "logging_strategy", "logging_server", "udplog",
                   **rest)


def say(host, *texts):
    """Each is a line of the log; the sender of a full socket waits."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(TIMEOUT)
        sender.connect(host.path("src"))
        for text in texts:
            sender.send(text.encode())


def read(host, name="log"):
    try:
        with open(host.path(name), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def said(text):
    """What was said, by lines of the log."""
    return re.findall(r"Src: unix: (.*)$", text, re.MULTILINE)


def wait_said(host, count, name="log"):
    wait_until(lambda: len(said(read(host, name))) >= count,
               what="%d lines in %s" % (count, name))
    return said(read(host, name))


@case
def lines_go_to_the_file_and_nowhere_else():
    with start("-s {dir}/log") as host:
        say(host, "hello", "a\x1bb")
        assert wait_said(host, 2) == ["hello", "a\\x1bb"]
        assert said(host.log_text()) == []
        assert os.stat(host.path("log")).st_mode & 0o777 == 0o640
    # The host's own last words as well, until the service ended.
    with start("-s {dir}/log -f STDERR") as host:
        say(host, "both")
        wait_said(host, 1)
        assert said(host.log_text()) == ["both"]


@case
def what_a_line_looks_like():
    name = re.escape(socket.gethostname())
    for words, pattern in (
            ("", r"Src: unix: x$"),
            ("-n prog", r"prog::Src: unix: x$"),
            ("-f VERBOSE_LITE", WHEN + r"@INFO@Src: unix: x$"),
            ("-f OSTREAM|VERBOSE -n prog",
             WHEN + r"@" + name + r"@(\d+)@INFO@prog::Src: unix: x$")):
        with start("-s {dir}/log " + words) as host:
            say(host, "x")
            wait_said(host, 1)
            found = re.search("^" + pattern, read(host), re.MULTILINE)
            assert found, read(host)
            if found.groups():
                assert int(found[1]) == host.pid


@case
def masks_and_silence():
    with start("-s {dir}/log -p ~INFO", "-f SILENT -p ~ERROR") as host:
        say(host, "not this")
        host.reload()
        # A failed reload is told with an error.
        host.write_conf("remove Nobody\n" + SOURCE)
        host.reload()
        wait_until(lambda: "Nobody" in read(host))
        assert "Nobody" not in host.log_text()
        assert said(read(host)) == [] and said(host.log_text()) == []


@case
def two_have_all_lines():
    with start("-s {dir}/log", "-s {dir}/other -f VERBOSE") as host:
        texts = ["line %d" % i for i in range(50)]
        say(host, *texts)
        assert wait_said(host, 50) == texts
        assert wait_said(host, 50, "other") == texts
        assert said(host.log_text()) == []


def old_files(host):
    return sorted(name for name in os.listdir(host.folder)
                  if re.fullmatch(r"log\.\d+", name))


@case
def files_turn_by_size():
    texts = ["%04d %s" % (i, "x" * 90) for i in range(100)]
    for words, names in (("-m 2 -N 3 -o", ["log.1", "log.2", "log.3"]),
                         ("-m 2 -N 2", ["log.1", "log.2"]),
                         ("-m 2", ["log.1"])):
        with start("-s {dir}/log " + words) as host:
            say(host, *texts)
            wait_until(lambda h=host: texts[-1] in read(h))
            assert old_files(host) == names
            for name in names + ["log"]:
                assert 0 < os.stat(host.path(name)).st_size <= 2048
            # The newest lines of all, none missing between them.
            if "-o" in words:
                kept = [line for name in reversed(names)
                        for line in said(read(host, name))]
            elif len(names) == 1:
                kept = said(read(host, "log.1"))
            else:
                kept = sorted(line for name in names
                              for line in said(read(host, name)))
            kept += said(read(host))
            assert kept == texts[-len(kept):]


@case
def files_turn_by_age_and_are_missed_when_moved():
    with start("-s {dir}/log -r 1 -N 9 -o") as host:
        say(host, "old")
        wait_until(lambda: said(read(host, "log.1")) == ["old"])
        assert said(read(host)) == []
    with start("-s {dir}/log -i 1") as host:
        say(host, "first")
        wait_said(host, 1)
        os.rename(host.path("log"), host.path("moved"))
        wait_until(lambda: os.path.exists(host.path("log")))
        say(host, "second")
        assert wait_said(host, 1) == ["second"]
        assert said(read(host, "moved")) == ["first"]


@case
def it_wipes_only_when_it_takes_over():
    with start("-s {dir}/log -w", files={"log": "before\n"}) as host:
        say(host, "x")
        wait_said(host, 1)
        assert "before" not in read(host)
        # A reload that is refused has touched nothing.
        conf = SOURCE + LOG % ("Log", "-s {dir}/log -w -n new")
        host.write_conf(conf + LOG % ("Bad", "-z"))
        host.reload()
        say(host, "y")
        assert wait_said(host, 2) == ["x", "y"]
        host.write_conf(conf)
        host.reload()
        say(host, "z")
        wait_until(lambda: said(read(host))[-1:] == ["z"])
        assert "prog" not in read(host) and said(read(host)) == ["z"]


@case
def mistakes_are_told():
    for words, message in (
            ("-z", "'-z' is no option"),
            ("-s", "option -s needs a value"),
            ("-f OSTREAM", "-f OSTREAM: which file?"),
            ("-f NOWHERE", "-f: there is no 'NOWHERE', but STDERR"),
            ("-p ~LOUD", "-p: there is no 'LOUD', but DEBUG"),
            ("-N 0", "-N: a number from 1 to 9999, not '0'"),
            ("-m x", "-m: a number from 0 to"),
            ("-k :::", "-k: ':::' is no HOST:PORT and no path"),
            ("-s {dir}/no/log", "No such file or directory")):
        host = start(words, ready=False)
        try:
            assert host.wait_exit() == 1
            assert message in host.log_text(), host.log_text()
        finally:
            host.close()


@case
def what_cannot_be_written_goes_to_the_host():
    with start("-s /dev/full") as host:
        say(host, "one", "two")
        wait_until(lambda: said(host.log_text()) == ["one", "two"])
        assert host.log_text().count("can't take the lines of the log") == 1


@case
def a_logger_gets_records_when_it_is_there():
    server = 'dynamic Logs Service_Object * ' \
             'logging_server:make_logging_server() "-d {dir}/logs" ' \
             '{ listen = unix:{dir}/logger }\n'
    with Shipped("", "logging_server") as logger:
        os.mkdir(logger.path("logs"))
        with start("-k %s" % logger.path("logger")) as host:
            say(host, "early")
            host.write_conf(SOURCE + LOG % (
                "Log", "-k %s" % logger.path("logger")))
            logger.write_conf(server)
            logger.reload()
            say(host, "late")

            def received():
                data = b""
                for name in os.listdir(logger.path("logs")):
                    with open(logger.path("logs/" + name), "rb") as file:
                        data += file.read()
                return [text_of(one).decode() for _, one in entries(data)]
            wait_until(lambda: "Src: unix: late" in received())
            mine = [line for line in received() if line.startswith("Src:")]
            assert mine == ["Src: unix: early", "Src: unix: late"]


@case
def records_that_were_not_sent_stay():
    with start("-k {dir}/nobody") as host:
        count = 400
        say(host, *["%d %s" % (i, "x" * 1000) for i in range(count)])
        # The queue is full: the others went to the host's own place.
        wait_until(lambda: said(host.log_text())[-1:] == [
            "%d %s" % (count - 1, "x" * 1000)])
    # And those that waited are told at its end.
        host.stop()
        numbers = [int(n) for n in re.findall(
            r"Src: unix: (\d+) x", host.log_text())]
        assert sorted(numbers) == list(range(count))


@case
def no_line_is_lost_when_it_comes_and_goes_under_load():
    with start("-s {dir}/log") as host:
        count, done = [0], threading.Event()

        def talk():
            while not done.is_set():
                say(host, *["<%d>" % (count[0] + i) for i in range(50)])
                count[0] += 50

        talker = threading.Thread(target=talk)
        talker.start()
        try:
            for i in range(60):
                words = ("-s {dir}/log", None, "-s {dir}/log -n again")[i % 3]
                host.write_conf("host { reload = exact }\n" + SOURCE + (
                    LOG % ("Log", words) if words else ""))
                host.reload()
        finally:
            done.set()
            talker.join(TIMEOUT)
        say(host, "end")

        def all_said():
            return said(read(host)) + said(host.log_text())
        wait_until(lambda: "end" in all_said())
        lines = [int(line[1:-1]) for line in all_said() if line != "end"]
        assert sorted(lines) == list(range(count[0]))
        assert said(read(host)) and said(host.log_text())


@case
def suspended_it_takes_nothing():
    with start("-s {dir}/log",
               before="host { control = {dir}/ctl }\n" + SOURCE) as host:
        with Manager(host.path("ctl")) as manager:
            manager.do("suspend Log")
            say(host, "own")
            wait_until(lambda: said(host.log_text()) == ["own"])
            manager.do("resume Log")
            say(host, "file")
            assert wait_said(host, 1) == ["file"]
            assert "lines, to" in "\n".join(manager.do("show Log"))


main()
