# SPDX-License-Identifier: BSD-2-Clause
"""berthctl and the host: what it says, what it does, which status it has."""

import json
import os
import re
import shutil
import subprocess

from berth_ctl import BERTHCTL, Terminal, run
from berth_e2e import (
    BUILD, Failure, Host, case, main, receive, run_berthd, wait_until)

TOKEN = "a token of more than sixteen bytes"

CONF = """
host { reload = exact; control = {dir}/control }
static echo { listen = tcp:127.0.0.1:{p0} udp:127.0.0.1:{p0} }
static daytime { listen = tcp:127.0.0.1:{p1} }
static Service_Manager "-c -t {dir}/token -p {p9}"
"""


class Steered(Host):
    """A host that berthctl reaches at {dir}/control."""

    def __init__(self, conf=CONF):
        super().__init__(conf)

    def _start(self, *rest):
        self.write("token", TOKEN + "\n")
        os.chmod(self.path("token"), 0o600)
        super()._start(*rest)

    def run(self, *words, **options):
        return run("-s", self.path("control"), *words, **options)

    def ctl(self, *words, status=0, **options):
        """Its output, after it has ended as expected; messages if it was
        refused."""
        done = self.run(*words, **options)
        if done.returncode != status:
            raise Failure("%s: %s" % (" ".join(words), done))
        return done.stderr if status else done.stdout

    def json(self, *words):
        return json.loads(self.ctl("--json", *words))

    def states(self):
        return {row["name"]: row["state"] for row in self.json("list")}


@case
def looks():
    with Steered() as host:
        with host.connect(0) as client:
            client.sendall(b"hello")
            assert receive(client, 5) == b"hello"
            lines = host.ctl("list").splitlines()
            assert re.match(r"NAME +STATE +.*SESSIONS +ENDPOINTS$", lines[0])
            echo = [line for line in lines if line.startswith("echo ")]
            assert re.match(
                r"echo +active +1 +1  tcp:127\.0\.0\.1:%d udp:127\.0\.0\.1:%d$"
                % (host.port(0), host.port(0)), echo[0]), lines
            rows = {row["name"]: row for row in host.json("list")}
            assert list(rows) == ["echo", "daytime", "Service_Manager"]
            assert rows["echo"]["sessions"] == 1
            shown = host.ctl("show", "echo")
            assert re.search(r"^name +echo$", shown, re.M), shown
            assert re.search(r"^bytes_in +5$", shown, re.M), shown
            session, = host.json("sessions", "echo")
            assert session["bytes_in"] == 5, session
            table = host.ctl("sessions", "echo").splitlines()
            assert len(table) == 2 and "127.0.0.1" in table[1], table
        assert re.search(r"^services +3$", host.ctl("stats"), re.M)
        assert host.json("stats")["services"] == 3
        assert host.ctl("version").splitlines() == [
            run("--version").stdout.strip(), host.json("version")]
        known = {row["name"] for row in host.json("help")}
        assert {"list", "reload", "report"} <= known, known


@case
def every_command_of_ours_is_the_hosts():
    with Steered() as host:
        ours = set(re.findall(r"^  ([a-z]+) ", run("--help").stdout, re.M))
        assert len(ours) > 10, ours
        ours.remove("convert")  # asks no host
        assert ours <= {row["name"] for row in host.json("help")}


@case
def changes():
    with Steered() as host:
        assert host.ctl("suspend", "echo").splitlines()[0].startswith("~ echo")
        assert host.states()["echo"] == "suspended"
        host.ctl("resume", "echo")
        assert host.states()["echo"] == "active"
        added = host.ctl("dynamic", "Second", "Service_Object *", ":echo()",
                         "{ listen = tcp:127.0.0.1:%d; drain = 1s }"
                         % host.port(2))
        assert added.splitlines()[0] == "+ Second", added
        with host.connect(2) as client:
            client.sendall(b"x")
            assert receive(client, 1) == b"x"
        assert host.ctl("remove", "Second").startswith("- Second")
        assert "Second" not in host.states()
        host.ctl("static", "discard",
                 "{ listen = tcp:127.0.0.1:%d }" % host.port(3))
        host.ctl("log", "debug")


@case
def suspends():
    with Steered() as host:
        said = host.ctl("suspend", "all").splitlines()
        assert {line[0] for line in said} <= {"~", "="}, said
        assert set(host.states().values()) == {"suspended"}
        with host.connect(0) as client:  # waits in the backlog
            client.sendall(b"x")
            host.ctl("resume", "all")
            assert receive(client, 1) == b"x"
        host.ctl("suspend", "echo", "for", "100ms")
        wait_until(lambda: host.states()["echo"] == "active",
                   what="the end of the suspension")


@case
def plans_and_reloads():
    with Steered() as host:
        assert host.ctl("plan") == "= 3 unchanged\n"
        with host.connect(0) as client:
            client.sendall(b"x")  # whoever is served is counted
            assert receive(client, 1) == b"x"
            host.write_conf(CONF.replace(
                "udp:127.0.0.1:{p0}", "").replace(
                "static daytime", "static time"))
            plan = host.ctl("plan").splitlines()
            assert host.states()["daytime"] == "active"
            signs = {line.split()[1].rstrip(","): line[0]
                     for line in plan[:-1]}
            assert signs == {"echo": "~", "daytime": "-", "time": "+"}, plan
            for change in host.json("plan")["changes"]:
                line, = (line for line in plan
                         if re.match(r". %s\b" % change["service"], line))
                count = {"echo": 1}.get(change["service"], 0)
                assert change["sessions"] == count, change
                assert re.search(r", %d sessions?$" % count, line), line
            done = host.ctl("reload").splitlines()
            assert [line.split(", ")[0] for line in plan] == done, (plan, done)
        assert "daytime" not in host.states()


BROKEN = [
    "static ekho\n",
    "static echo { listen = tcp:127.0.0.1:99999 }\n",
    "static echo {\n\tlisten = tcp:127.0.0.1:7\n\tdrainn = 7s\n}\n",
    "static echo \"unended\n",
    "nonsense\nstatic echo { instances = many }\n",
    "dynamic X Service_Object * no_such_plugin:make()\n",
    "static \"Größe\nremove\n",
    "include \"/no/such/file\"\n",
    "".join("static none_%d\n" % i for i in range(30)),
]


@case
def check_agrees_with_berthd_t():
    with Steered() as host:
        for text in [""] + BROKEN:
            host.write_conf(CONF + text)
            path = host.path("svc.conf")
            host_says = host.run("check")
            berthd_says = run_berthd("-t", "-f", path)
            assert host_says.returncode == berthd_says.returncode == (
                1 if text else 0), (text, host_says, berthd_says)
            assert host_says.stderr == berthd_says.stderr, (
                host_says.stderr, berthd_says.stderr)
            assert host_says.stdout == berthd_says.stdout, (
                host_says.stdout, berthd_says.stdout)


@case
def a_mistake_refuses_a_reload():
    with Steered() as host:
        host.write_conf(CONF + "static ekho\n")
        before = host.json("list")
        said = host.ctl("reload", status=1)
        assert re.search(r"svc\.conf:\d+:8: error: .*'ekho'", said), said
        assert said.endswith("! nothing changed: 1 error\n"), said
        done = host.run("--json", "reload")
        assert done.returncode == 1 and done.stderr == said, done
        report = json.loads(done.stdout)
        assert report["changed"] is False and len(report["errors"]) == 1
        for row in before + host.json("list"):
            row.pop("sessions")
        assert [r["name"] for r in before] == list(host.states())


@case
def refusals():
    with Steered() as host:
        said = host.ctl("show", "ehco", status=1)
        assert said == ("berthctl: no service named 'ehco'; "
                        "did you mean 'echo'?\n"), said
        assert host.ctl("log", "loud", status=1).startswith("berthctl: ")
        assert "did you mean 'list'?" in host.ctl("lst", status=2)
        assert host.ctl("show", status=2).startswith("berthctl: usage: ")
        # The host's own, which we have no word for.
        assert re.search(r"^echo +active", host.ctl("report"), re.M)


@case
def nobody_there():
    done = run("-s", "/nonexistent/control", "list")
    assert done.returncode == 3 and done.stdout == "", done
    assert "/nonexistent/control: No such file or directory" in done.stderr
    with Steered() as host:
        host.stop()
        assert host.run("list").returncode == 3


@case
def over_tcp_with_a_token():
    with Steered() as host:
        door = "tcp:127.0.0.1:%d" % host.port(9)
        assert run("-s", door, "show", "echo").returncode == 0
        done = run("-s", door, "suspend", "echo")
        assert done.returncode == 1 and "--token" in done.stderr, done
        assert host.states()["echo"] == "active"
        done = run("suspend", "echo", "--token", host.path("token"),
                   env={"BERTH_CONTROL": door})
        assert done.returncode == 0, done
        assert host.states()["echo"] == "suspended"
        host.write("wrong", "not the token at all\n")
        done = run("-s", door, "--token", host.path("wrong"), "list")
        assert done.returncode == 1, done
        assert done.stderr == "berthctl: log-in refused: wrong token\n"


@case
def not_a_host():
    with Steered() as host:
        done = run("-s", "tcp:127.0.0.1:%d" % host.port(0), "list")
        assert done.returncode == 3, done  # echo is polite, and no host
        assert "no host of Berth's" in done.stderr, done
        done = run("-s", "tcp:127.0.0.1:%d" % host.port(1), "list")
        assert done.returncode == 3, done


@case
def shutdown():
    with Steered() as host:
        assert host.ctl("shutdown") == "shutting down\n"
        assert host.wait_exit() == 0


@case
def many_services():
    conf = CONF + "".join(
        "dynamic s%04d Service_Object * :echo() { listen = @berth-%d-%d }\n"
        % (i, os.getpid(), i) for i in range(3000))
    with Steered(conf) as host:
        assert len(host.ctl("list").splitlines()) == 3004
        assert len(host.json("list")) == 3003


@case
def output_that_cannot_be_written():
    with Steered() as host, open("/dev/full", "wb") as full:
        done = host.run("list", stdout=full)
        assert done.returncode == 3, done
        assert "No space left on device" in done.stderr, done


def on_terminal(host, *words, columns, env=None):
    with Terminal(BERTHCTL, "-s", host.path("control"), *words,
                  columns=columns, env=env) as terminal:
        return terminal.read_all()


@case
def terminals():
    conf = CONF.replace("udp:127.0.0.1:{p0}", "udp:127.0.0.1:{p0} "
                        "unix:{dir}/a_rather_long_name_of_a_socket")
    with Steered(conf) as host:
        for columns in (120, 60, 40):
            shown = on_terminal(host, "list", columns=columns)
            assert "\x1b[32mactive\x1b[0m" in shown, shown
            plain = re.sub(r"\x1b\[\d+m", "", shown).splitlines()
            assert len(plain) == 4, shown
            assert max(map(len, plain)) <= columns, shown
        assert "…" in on_terminal(host, "list", columns=60)
        for words, env in ((("list", "--no-color"), None),
                           (("list",), {"NO_COLOR": "1"}),
                           (("list",), {"TERM": "dumb"})):
            shown = on_terminal(host, *words, columns=80, env=env)
            assert "\x1b" not in shown and "active" in shown, shown
        # Neither on a terminal nor told: nothing is cut.
        assert "a_rather_long_name_of_a_socket" in host.ctl("list")
        assert "…" in host.ctl("list", env={"COLUMNS": "60"})


SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             "source '%s/completion/berthctl'" % BUILD),
    "zsh": (["zsh", "-f", "-i"],
            "fpath=('%s/completion' $fpath); autoload -Uz compinit; "
            "compinit -u -D" % BUILD),
}


def complete(shell, host, keys, expected):
    """Types the keys, TABs and all, at a prompt, and waits for what the
    command says that comes out."""
    words, setup = SHELLS[shell]
    env = {"PATH": "%s:%s" % (os.path.dirname(BERTHCTL), os.environ["PATH"]),
           "BERTH_CONTROL": host.path("control"), "TERM": "vt100",
           "HOME": host.folder, "NO_COLOR": "1"}
    with Terminal(*words, columns=200, env=env) as terminal:
        terminal.type(setup + "; PS1='rea''dy> '; PROMPT_EOL_MARK=\n")
        terminal.wait("ready> ")
        terminal.type(keys)
        terminal.wait(expected)


@case
def completion_in_shells():
    with Steered() as host:
        for shell in SHELLS:
            if shutil.which(shell) is None:
                raise Failure("install " + shell)
            complete(shell, host, "berthctl sho\tech\t\n", "since ")
            complete(shell, host, "berthctl -j suspend day\t\n", '"daytime"')
            assert host.states()["daytime"] == "suspended"
            complete(shell, host, "berthctl resume al\t \necho sta\"\"tus $?\n",
                     "status ")
            complete(shell, host, "berthctl log deb\t\n", "level is debug")
            complete(shell, host, "berthctl --vers\t\n", "berthctl 0.")
            complete(shell, host, "berthctl --to yam\t convert %s/svc.co\t\n"
                     % host.folder, "static: echo")
            host.ctl("resume", "daytime")


@case
def completion_reaches_the_named_host():
    with Steered() as other, Steered(CONF.replace(
            "static echo", "static discard")) as host:
        for shell in SHELLS:
            complete(shell, other, "berthctl -s %s show disc\t\n"
                     % host.path("control"), "since ")


@case
def completion_is_in_the_program():
    for shell, name in (("bash", "berthctl"), ("zsh", "_berthctl")):
        with open(os.path.join(BUILD, "completion", name),
                  encoding="utf-8") as file:
            assert run("--completion", shell).stdout == file.read()
        subprocess.run([shell, "-n", os.path.join(BUILD, "completion", name)],
                       check=True)
    assert run("--completion", "fish").returncode == 2


main()
