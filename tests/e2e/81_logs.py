# SPDX-License-Identifier: BSD-2-Clause
"""Lines about clients: what they say, where they go, and that nothing that
happens to them holds up a service."""

import json
import os
import re
import resource
import signal
import socket

from berth_e2e import Host, case, main, receive_all, wait_until
from steered import Steered

TIME = r"\d+/\d+/\d+@\d\d:\d\d:\d\d: "
ECHO = "static echo { listen = tcp:127.0.0.1:{p0} }\n"
ALL = "PID HOST EXIT DURATION TRAFFIC"


def visit(host, number=0, data=b"hello"):
    """One client, to its end; the port that it had."""
    with host.connect(number) as client:
        port = client.getsockname()[1]
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        assert receive_all(client) == data
    return port


def lines(host, name="log"):
    try:
        with open(host.path(name), encoding="utf-8") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def wait_lines(host, count, name="log"):
    def there():
        found = lines(host, name)
        return found if len(found) >= count else None
    found = wait_until(there, what="%d lines in %s" % (count, name))
    assert len(found) == count, found
    return found


def reopen(host):
    with host.log_in() as manager:
        manager.do("log reopen")


# --- what they say ------------------------------------------------------------

@case
def sessions_and_programs_in_xinetds_words():
    conf = ("defaults { log_type = FILE {dir}/log; log_on_success = %s }\n"
            % ALL + ECHO +
            "dynamic cat Program * /bin/cat { listen = tcp:127.0.0.1:{p1} }\n"
            "dynamic no Program * /bin/sh -c { listen = tcp:127.0.0.1:{p2} }")
    conf = conf.replace("/bin/sh -c", "/bin/sh active \"-c 'exit 3'\"")
    with Host(conf) as host:
        visit(host, 0)
        found = wait_lines(host, 2)
        assert re.fullmatch(
            TIME + r"START: echo pid=0 from=127\.0\.0\.1", found[0]), found
        assert re.fullmatch(
            TIME + r"EXIT: echo status=0 pid=0 duration=\d+\(sec\) in=5 out=5",
            found[1]), found
        visit(host, 1)
        found = wait_lines(host, 4)
        start = re.fullmatch(
            TIME + r"START: cat pid=(\d+) from=127\.0\.0\.1", found[2])
        assert start, found
        assert re.fullmatch(
            TIME + r"EXIT: cat status=0 pid=%s duration=\d+\(sec\)"
            % start.group(1), found[3]), found
        with host.connect(2) as client:
            receive_all(client)
        found = wait_lines(host, 6)
        assert re.search(r"EXIT: no status=3 pid=\d+ ", found[5]), found
        assert os.stat(host.path("log")).st_mode & 0o777 == 0o640


@case
def the_same_as_json_and_logfmt():
    conf = ("defaults { log_type = FILE {dir}/log\n"
            "log_on_success = %s; log_format = json }\n" % ALL + ECHO +
            "dynamic cat Program * /bin/cat { listen = tcp:127.0.0.1:{p1}\n"
            "log_type = FILE {dir}/fmt; log_format = logfmt }")
    with Host(conf) as host:
        port = visit(host, 0)
        start, end = [json.loads(line) for line in wait_lines(host, 2)]
        assert start["event"] == "start" and start["service"] == "echo"
        assert start["client"] == "127.0.0.1" and start["port"] == port
        assert end["session"] == start["session"] and end["port"] == port
        assert end["reason"] == "closed in order"
        assert end["in"] == end["out"] == 5 and end["duration"] < 100
        port = visit(host, 1)
        found = wait_lines(host, 2, "fmt")
        assert re.search(
            r" event=end service=cat session=\d+ pid=\d+ client=127\.0\.0\.1 "
            r"port=%d status=0 user=\d+\.\d{3} system=\d+\.\d{3} "
            r"max_rss_kb=[1-9]\d* duration=\d+\.\d{3}$" % port, found[1]), found


@case
def a_start_that_fails_is_a_refusal():
    conf = ("dynamic P Program * {dir}/prog { listen = tcp:127.0.0.1:{p0}\n"
            "log_type = FILE {dir}/log; log_on_failure = HOST }")
    with Host(ECHO.replace("{p0}", "{p1}")) as host:
        host.write("prog", "#!/nonexistent/interpreter\n")
        os.chmod(host.path("prog"), 0o755)
        host.write_conf(conf)
        host.reload()
        with host.connect(0) as client:
            assert receive_all(client) == b""
        found = wait_lines(host, 1)
        # As fail2ban's filter takes it apart.
        assert re.fullmatch(
            TIME + r"FAIL: \S+ fork from=127\.0\.0\.1", found[0]), found


@case
def who_is_refused_is_named():
    conf = ECHO.replace(
        " }", "\nlog_type = FILE {dir}/log; log_on_failure = HOST\n"
        "per_source = 1 }")
    with Host(conf) as host:
        with host.connect(0) as served:
            served.sendall(b"x")
            assert served.recv(1) == b"x"
            with host.connect(0):
                found = wait_lines(host, 1)
        assert re.fullmatch(
            TIME + r"FAIL: \S+ per_source_limit from=127\.0\.0\.1",
            found[0]), found


@case
def a_client_cannot_write_lines():
    conf = ("static echo { listen = unix:{dir}/echo\nlog_type = FILE {dir}/log\n"
            "log_on_success = HOST }")
    with Host(conf) as host:
        with socket.socket(socket.AF_UNIX) as client:
            client.bind(host.path("a\nFAIL: echo address from=192.0.2.1\x1b"))
            client.connect(host.path("echo"))
            found = wait_lines(host, 1)
        assert "\x1b" not in found[0] and " FAIL" not in found[0], found
        assert found[0].count(" from=") == 1, found


@case
def xinetd_conf_as_it_stands():
    text = ("defaults\n{\n\tlog_type = FILE {dir}/log\n"
            "\tlog_on_success = HOST PID\n\tlog_on_failure = HOST\n}\n"
            "service cat\n{\n\ttype = UNLISTED\n\tport = {p0}\n"
            "\tbind = 127.0.0.1\n\tsocket_type = stream\n\twait = no\n"
            "\tuser = %d\n\tserver = /bin/cat\n"
            "\tlog_on_success += EXIT USERID\n\tlog_on_success -= PID\n}\n"
            % os.getuid())
    with Host(text, options=("--format", "xinetd")) as host:
        assert "'USERID' is not carried out" in host.log_text()
        visit(host, 0)
        found = wait_lines(host, 2)
        assert re.fullmatch(
            TIME + r"START: cat from=127\.0\.0\.1", found[0]), found
        assert re.fullmatch(TIME + r"EXIT: cat status=0", found[1]), found


# --- where they go ------------------------------------------------------------

@case
def files_are_opened_anew():
    conf = ("defaults { log_type = FILE {dir}/log; log_on_success = HOST }\n"
            + ECHO + "static discard { listen = tcp:127.0.0.1:{p1} }")
    with Steered(conf) as host:
        ways = [lambda: host.signal(signal.SIGUSR1), host.reload,
                lambda: reopen(host)]
        for number, way in enumerate(ways):
            visit(host, 0)
            wait_lines(host, 1)
            os.rename(host.path("log"), host.path("log.%d" % number))
            way()
            wait_until(lambda: os.path.exists(host.path("log")),
                       what="a new file")
        # Both services share it.
        assert len([link for link in host.fds().values()
                    if link == host.path("log")]) == 1


@case
def a_change_is_live():
    conf = ECHO.replace(" }", "\nlog_type = %s; log_on_success = PID EXIT }")
    with Host(conf % "FILE {dir}/one") as host:
        with host.connect(0) as client:
            wait_lines(host, 1, "one")
            host.write_conf(conf % "FILE {dir}/two")
            assert "~ echo" in "\n".join(host.reload())
            wait_until(lambda: host.path("one") not in host.fds().values(),
                       what="the old file closed")
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        assert "EXIT: echo" in wait_lines(host, 1, "two")[0]
        assert len(lines(host, "one")) == 1


@case
def a_file_that_cannot_be_opened_refuses_the_reload():
    conf = ECHO.replace(" }", "\nlog_type = FILE %s\nlog_on_success = PID }")
    with Host(conf % "{dir}/log") as host:
        os.symlink("/etc/passwd", host.path("link"))
        for path, words in (("{dir}/link", "is a symbolic link"),
                            ("{dir}/no/log", "No such file or directory")):
            host.write_conf(conf % path)
            told = "\n".join(host.reload())
            assert "svc.conf:2:12: error: log_type of 'echo'" in told, told
            assert words in told, told
        visit(host, 0)
        wait_lines(host, 1)


@case
def syslog_and_the_journal():
    conf = ("host { syslog_socket = {dir}/sys; journal_socket = {dir}/jour }\n"
            "defaults { log_on_success = HOST }\n" +
            ECHO.replace(" }", "\nlog_type = SYSLOG local2 notice }") +
            "static discard { listen = tcp:127.0.0.1:{p1}\n"
            "log_type = JOURNAL }")
    with Host(conf) as host, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        for server, name in ((syslog, "sys"), (journal, "jour")):
            server.settimeout(host.timeout)
            server.bind(host.path(name))
        visit(host, 0)
        line = syslog.recv(4096).decode()
        assert re.fullmatch(
            r"<149>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d berthd\[%d\]: "
            r"START: echo from=127\.0\.0\.1" % host.pid, line), line
        with host.connect(1):
            fields = dict(field.split("=", 1) for field in
                          journal.recv(4096).decode().splitlines())
        assert fields["MESSAGE"] == "START: discard from=127.0.0.1", fields
        assert fields["PRIORITY"] == "6", fields
        assert fields["BERTH_SERVICE"] == "discard", fields
        assert fields["BERTH_CLIENT"] == "127.0.0.1", fields
        # Nobody is there any more: the service goes on, and it is said once.
        syslog.close()
        for _ in range(3):
            visit(host, 0)
        host.wait_log("syslog at '.*/sys': .*; lines are lost")
        assert host.log_text().count("lines are lost") == 1


# --- what cannot be written ---------------------------------------------------

@case
def a_full_disk_holds_nobody_up():
    conf = ("defaults { log_on_success = HOST }\n" +
            ECHO.replace(" }", "\nlog_type = FILE /dev/full }") +
            "static discard { listen = tcp:127.0.0.1:{p1}\n"
            "log_type = FILE {dir}/log }")
    with Host(conf) as host:
        for _ in range(20):
            visit(host, 0)
        host.wait_log("log file '/dev/full': No space left on device")
        assert host.log_text().count("lines are lost") == 1
        # A limit of the process is no other thing, and does not kill it.
        with open(host.path("log"), "ab") as file:
            file.truncate(1 << 20)
        resource.prlimit(host.pid, resource.RLIMIT_FSIZE,
                         (1 << 20, resource.RLIM_INFINITY))
        with host.connect(1):
            host.wait_log("log file '.*/log': ")
        resource.prlimit(host.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with host.connect(1):
            host.wait_log("takes lines again; 1 were lost")


@case
def a_hard_limit_is_said_and_over_when_there_is_room():
    conf = ECHO.replace(
        " }", "\nlog_type = FILE {dir}/log 500 1k; log_on_success = HOST }")
    with Host(conf) as host:
        for _ in range(100):
            visit(host, 0)
        host.wait_log("above its soft limit of 500 bytes; at 1024 no more")
        host.wait_log("its hard limit is reached; lines are lost")
        assert os.path.getsize(host.path("log")) <= 1024
        assert host.log_text().count("limit") == 2
        lost = 100 - len(lines(host))
        os.truncate(host.path("log"), 0)
        visit(host, 0)
        host.wait_log("takes lines again; %d were lost" % lost)
        assert len(lines(host)) == 1


@case
def a_burst_is_counted():
    conf = ECHO.replace(
        " }", "\nlog_type = FILE {dir}/log; log_on_success = HOST\n"
        "log_rate = %s }")
    with Host(conf % "100/24h") as host:
        for _ in range(9999):
            host.connect(0).close()
        # Who is served last comes behind all that wait.
        visit(host, 0)
        found = wait_lines(host, 100)
        assert all("START: echo from=" in line for line in found)
        # All were there, as another span of time shows.
        host.write_conf(conf % "100/23h")
        host.reload()
        found = wait_lines(host, 101)
        assert found[100].endswith(
            "NOTE: echo 9900 START lines suppressed"), found[100]


if __name__ == "__main__":
    main()
