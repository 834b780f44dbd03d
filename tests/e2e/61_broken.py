# SPDX-License-Identifier: BSD-2-Clause
"""Broken configurations, each given to a loaded host by SIGHUP: all goes on as
it was, and every message says where.

A case is a name, the text that takes the place of (or, with a leading +, goes
behind) the good one, and the messages that have to come, as (place, part of
the text); a place is LINE:COLUMN of svc.conf, or FILE:LINE:COLUMN.
"""

import os
import re
import shutil
import socket

from berth_e2e import case, main, receive, wait_until
from steered import Load, Steered

GOOD = """# line 1 of the good file
static echo { listen = tcp:127.0.0.1:{p0} udp:127.0.0.1:{p0} }
dynamic Banner Service_Object * banner1:make_banner() { listen = tcp:127.0.0.1:{p1} }
dynamic Idle Service_Object * good:make_good() inactive
"""
# A + case begins on line 5.

CASES = [
    # the language
    ("no such directive", "+dynamik X\n", [("5:1", "did you mean 'dynamic'")]),
    ("keyword in capitals", "+Static discard\n",
     [("5:1", "did you mean 'static'")]),
    ("no name", "+static\n", [("5:1", "")]),
    ("keyword as a name", "+static remove\n", [("5:8", "remove")]),
    ("quoted name", "+static \"discard\"\n", [("5:8", "")]),
    ("no such type", "+dynamic X Service_Objet * good:make_good()\n",
     [("5:11", "did you mean 'Service_Object'")]),
    ("star is missing", "+dynamic X Service_Object good:make_good()\n",
     [("5:26", "")]),
    ("no location", "+dynamic X Service_Object *\n", [("5:26", "")]),
    ("open parenthesis", "+dynamic X Service_Object * good:make_good(\n",
     [("5:42", "")]),
    ("state behind the string",
     "+dynamic X Service_Object * good:make_good() \"a\" active\n",
     [("5:49", "")]),
    ("two strings", "+static discard \"a\" \"b\"\n", [("5:20", "second")]),
    ("string without end", "+static discard \"a\n", [("5:16", "")]),
    ("quote without partner", "+static discard \"a 'b\"\n", [("5:19", "")]),
    ("stray brace", "+}\n", [("5:1", "")]),
    ("block without end", "+static discard {\n\tdrain = 5\n", [("5:16", "")]),
    ("block without value", "+static discard { drain = }\n", [("5:24", "")]),
    ("state twice",
     "+dynamic X Service_Object * good:make_good() active inactive\n",
     [("5:52", "")]),
    ("two mistakes in one file", "+remove X\nremove Y\n",
     [("5:8", "'X'"), ("6:8", "'Y'")]),
    # attributes
    ("no such attribute", "+static discard { idle_timeot = 5 }\n",
     [("5:18", "did you mean 'idle_timeout'")]),
    ("bad number", "+static discard { instances = many }\n", [("5:30", "many")]),
    ("bad time", "+static discard { drain = 5 parsecs }\n", [("5:28", "")]),
    ("number out of range", "+static discard { backlog = 0 }\n",
     [("5:28", "1 to 65535")]),
    ("neither yes nor no", "+static discard { keepalive = perhaps }\n",
     [("5:30", "yes")]),
    ("attribute twice", "+static discard { drain = 5; drain = 6 }\n",
     [("5:29", "")]),
    ("setting of the host in a service",
     "+static discard { reload = exact }\n", [("5:18", "reload")]),
    ("no such setting", "+host { relaod = exact }\n",
     [("5:8", "did you mean 'reload'")]),
    ("a pool without a number",
     "+static discard { concurrency = pool }\n", [("5:32", "the number of its threads")]),
    # endpoints
    ("no such kind of endpoint", "+static discard { listen = tpc:*:7 }\n",
     [("5:27", "tpc")]),
    ("port too large", "+static discard { listen = tcp:127.0.0.1:70000 }\n",
     [("5:27", "")]),
    ("port unknown", "+static discard { listen = tcp:127.0.0.1:nosuch }\n",
     [("5:27", "nosuch")]),
    ("address that is not ours",
     "+static discard { listen = tcp:192.0.2.1:{p5} }\n",
     [("5:27", "192.0.2.1")]),
    ("port in use by a stranger",
     "+static discard { listen = tcp:127.0.0.1:{p8} }\n",
     [("5:27", "in use")]),
    ("port in use by a neighbour",
     "+static discard { listen = tcp:127.0.0.1:{p0} }\n",
     [("5:27", "'echo'")]),
    ("one port for two new ones",
     "+static discard { listen = tcp:127.0.0.1:{p5} }\n"
     "static daytime { listen = tcp:127.0.0.1:{p5} }\n",
     [("6:27", "'discard'")]),
    ("folder of a Unix path is missing",
     "+static discard { listen = unix:{dir}/none/socket }\n",
     [("5:27", "No such file")]),
    ("no hook for datagrams",
     "+dynamic X Service_Object * banner1:make_banner()"
     " { listen = udp:127.0.0.1:{p5} }\n",
     [("5:61", "datagrams")]),
    # services
    ("unknown static service", "+static discrad\n",
     [("5:8", "did you mean 'discard'")]),
    ("remove of an unknown service", "+remove Baner\n",
     [("5:8", "did you mean 'Banner'")]),
    ("suspend of an unknown service", "+suspend Nobody\n", [("5:9", "Nobody")]),
    ("resume of a removed service", "+remove Idle\nresume Idle\n",
     [("6:8", "Idle")]),
    ("name twice in an exact file",
     "+host { reload = exact }\nstatic discard\nstatic discard \"x\"\n",
     [("7:8", "")]),
    ("init fails", "+dynamic X Service_Object * good:make_good() \"fail\"\n",
     [("5:45", "init of 'X' failed")]),
    ("init of a replacement fails",
     GOOD.replace("inactive", "active \"fail\""),
     [("4:55", "init of 'Idle' failed")]),
    ("no such program", "+dynamic X Program * /nowhere/cat\n",
     [("5:21", "no program '/nowhere/cat': No such file")]),
    ("a folder as a program", "+dynamic X Program * /etc\n",
     [("5:21", "not a file")]),
    ("a program that nobody may run", "+dynamic X Program * /etc/passwd\n",
     [("5:21", "may not run '/etc/passwd'")]),
    ("a program of an unknown user",
     "+dynamic X Program * /bin/cat { user = nobody-at-all }\n",
     [("5:9", "no such user")]),
    ("a program in an unknown group",
     "+dynamic X Program * /bin/cat { group = nogroup-at-all }\n",
     [("5:9", "no such group")]),
    ("datagrams for a program per connection",
     "+dynamic X Program * /bin/cat { listen = udp:127.0.0.1:{p4} }\n",
     [("5:41", "need a program with wait = yes")]),
    ("a stream", "+stream S { remove M }\n", [("5:8", "no stream named")]),
    # plugins
    ("no such plugin", "+dynamic X Service_Object * nowhere:make_x()\n",
     [("5:28", "tried ")]),
    ("no such factory", "+dynamic X Service_Object * good:make_god()\n",
     [("5:28", "make_good")]),
    ("factory as an object", "+dynamic X Service_Object * good:make_good\n",
     [("5:28", "make_good()")]),
    ("wrong magic", "+dynamic X Service_Object * bad_magic:make_sin()\n",
     [("5:28", "magic")]),
    ("wrong interface",
     "+dynamic X Service_Object * bad_major:make_sin()\n",
     [("5:28", "interface")]),
    ("newer interface",
     "+dynamic X Service_Object * newer_minor:make_sin()\n",
     [("5:28", "interface")]),
    ("no plugin at all", "+dynamic X Service_Object * no_note:make_sin()\n",
     [("5:28", "not a Berth plugin")]),
    ("undefined symbol",
     "+dynamic X Service_Object * undefined:make_sin()\n",
     [("5:28", "undefined symbol")]),
    ("a text file", "+dynamic X Service_Object * text:make_text()\n",
     [("5:28", "")]),
    ("an empty file", "+dynamic X Service_Object * empty:make_empty()\n",
     [("5:28", "")]),
    ("a plugin that everybody may write",
     "+dynamic X Service_Object * loose:make_good()\n", [("5:28", "writ")]),
    ("a plugin in a folder that everybody may write",
     "+dynamic X Service_Object * {dir}/open/good.so:make_good()\n",
     [("5:28", "writ")]),
    # files
    ("included file is missing", "+include \"nowhere.conf\"\n",
     [("5:9", "nowhere.conf")]),
    ("included folder is missing", "+includedir \"nowhere.d\"\n",
     [("5:12", "nowhere.d")]),
    ("a file that includes itself", "+include \"loop.conf\"\n",
     [("loop.conf:1:9", "includes")]),
    ("a mistake in an included file", "+include \"bad.conf\"\n",
     [("bad.conf:2:8", "Nobody")]),
    ("a file that everybody may write", "+include \"loose.conf\"\n",
     [("5:9", "everybody")]),
    ("UTF-16", "+include \"utf16.conf\"\n", [(None, "UTF-16")]),
    ("an include that is a folder", "+include \"open\"\n",
     [("5:9", "directory")]),
]


def furnish(host):
    """The files that the cases speak of."""
    host.write("loop.conf", "include \"loop.conf\"\n")
    host.write("bad.conf", "# fine\nremove Nobody\n")
    host.write("loose.conf", "# fine\n")
    os.chmod(host.path("loose.conf"), 0o666)
    with open(host.path("utf16.conf"), "wb") as file:
        file.write("static discard\n".encode("utf-16"))
    os.mkdir(host.path("open"))
    os.chmod(host.path("open"), 0o777)
    shutil.copy(os.path.join(host.plugins, "good.so"), host.path("open"))
    host.copy_plugins("bad_magic", "bad_major", "newer_minor", "no_note",
                      "undefined")
    host.copy_plugins("good", to="loose")
    os.chmod(os.path.join(host.plugins, "loose.so"), 0o666)
    for name, text in (("text", "not an object\n" * 100), ("empty", "")):
        with open(os.path.join(host.plugins, name + ".so"), "w",
                  encoding="ascii") as file:
            file.write(text)


def check(host, text, expected, before):
    """What is wrong with the host's answer to a case; empty when all is
    as it should be."""
    host.write_conf(GOOD + text[1:] if text.startswith("+") else text)
    lines = "\n".join(host.reload())
    problems = []
    for place, part in expected:
        where = re.escape("svc.conf:" + place) if (
            place and place[0].isdigit()) else re.escape(place or "")
        if not re.search(where + r": .*" + re.escape(part), lines):
            problems.append("not told: %s %s" % (place, part))
    if "! nothing changed: %d error" % len(expected) not in lines:
        problems.append("not %d errors" % len(expected))
    if host.state() != before:
        problems.append("another state: %s" % host.state())
    return problems and problems + [lines]


@case
def broken_configurations_change_nothing():
    assert len(CASES) >= 40
    with socket.socket() as stranger, Steered(GOOD) as host:
        stranger.bind(("127.0.0.1", host.port(8)))
        stranger.listen()
        furnish(host)
        before = host.state()
        descriptors = None
        wrong = []
        with host.connect(0) as held, \
                Load(host.port(1), (b"first banner\n",), 4) as load:
            for number, (name, text, expected) in enumerate(CASES):
                problems = check(host, text, expected, before)
                if problems:
                    wrong.append("\n".join([name] + problems))
                held.sendall(b"held")
                assert receive(held, 4) == b"held", name
                if number == 5:
                    descriptors = len(host.fds())
            talks, failures, first = load.stop()
        assert not wrong, "\n\n".join(wrong)
        assert failures == 0, (talks, failures, first)
        wait_until(lambda: len(host.fds()) <= descriptors + 4,
                   what="no more descriptors than %d" % (descriptors + 4))
        # And what is good again is taken.
        host.write_conf(GOOD + "static discard\n")
        assert "+ discard" in "\n".join(host.reload())
        print("       %d cases, %d talks meanwhile" % (len(CASES), talks))


@case
def a_host_does_not_start_with_them():
    for name, text, _ in CASES[:3]:
        try:
            Steered(GOOD + text[1:]).close()
        except AssertionError as failure:
            assert "ended with 1" in str(failure), (name, failure)
        else:
            raise AssertionError(name)


main()
