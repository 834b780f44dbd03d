# SPDX-License-Identifier: BSD-2-Clause
"""Streams in svc.conf: built whole or not at all, changed while they serve;
rows S of the conformance list."""

from berth_e2e import case, main, run_berthd, wait_until
from steered import Steered

STREAM = """
stream dynamic S STREAM * :stream() {
    dynamic Turn Module * layers:make_turn()
    dynamic B Module * layers:make_sign() "b"
    dynamic A Module * layers:make_sign() "a"
}
"""
UPON = """
dynamic Upon Service_Object * layers:make_upon() "S" {
    listen = tcp:127.0.0.1:{p1}
}
"""


def ask(host, word=b"."):
    with host.connect(1) as client:
        client.sendall(word)
        return client.recv(100)


def start(conf):
    host = Steered("")
    host.copy_plugins("layers")
    host.write_conf(conf)
    host.reload()
    return host


def info(manager, name):
    return dict(line.split(None, 1) for line in manager.do("show " + name)
                if " " in line)["info"]


@case
def S02_the_order_of_three():
    with start(STREAM + UPON) as host, host.log_in() as manager:
        assert ask(host) == b".abba"
        assert info(manager, "S") == "S/A S/B S/Turn"
        names = [line.split()[0] for line in manager.do("list")]
        for name in ("S", "S/A", "S/B", "S/Turn", "Upon"):
            assert name in names, names
        assert host.log_text().count("open") == 2


@case
def S01_suspend_resume_remove():
    with start(STREAM + UPON) as host, host.log_in() as manager:
        manager.do("suspend S")
        text = host.log_text()
        assert "S/A: suspended" in text and "S/B: suspended" in text
        manager.do("resume S")
        text = host.log_text()
        assert "S/A: resumed" in text and "S/B: resumed" in text
        manager.do("stream S { remove B }")
        assert ask(host) == b".aa"
        wait_until(lambda: "S/B: fini" in host.log_text(), what="fini of B")
        manager.do("remove Upon")
        manager.do("remove S")
        wait_until(lambda: "S/A: fini" in host.log_text(), what="fini of A")
        assert "S/A: close" in host.log_text()
        names = [line.split()[0] for line in manager.do("list")]
        assert not [n for n in names if n.startswith("S/") or n == "S"], names
        wait_until(lambda: not host.images(), what="unmapped")


@case
def S03_a_mistake_elsewhere_is_that_ones_alone():
    done = run_berthd("-t", "-f", "{conf}",
                      conf="remove Nope\nstream dynamic S STREAM * :stream() "
                           "{ }\nsuspend S\n")
    assert done.returncode == 1
    assert done.stderr.count("error:") == 1, done.stderr
    assert "Nope" in done.stderr


@case
def S04_whole_or_not_at_all():
    with start(UPON.replace("make_upon() \"S\"", "make_sign()")
               .replace("Service_Object", "Module")
               .replace("listen = tcp:127.0.0.1:{p1}", "")) as host, \
            host.log_in() as manager:
        before = host.state()
        said = "\n".join(manager.ask(
            STREAM.replace('"b"', '"!"').replace("\n", " ")).body)
        assert "open of 'S/B' failed: told not to open" in said, said
        assert host.state() == before
        wait_until(lambda: host.log_text().count("fini") == 2,
                   what="what was made to be undone")


@case
def S05_one_module_of_a_stream():
    with start(STREAM + UPON) as host, host.log_in() as manager:
        manager.do("stream S { suspend B }")
        assert "S/B: suspended" in host.log_text()
        assert "S/A: suspended" not in host.log_text()
        manager.do("stream S { resume B }")
        assert "S/B: resumed" in host.log_text()


@case
def S06_what_crashed_others():
    for words, why in (
            ("stream Nope { remove A }", "no stream named 'Nope'"),
            ("stream static Y { remove X }", "no static service named 'Y'"),
            ("stream static echo { remove X }", "'echo' is no stream"),
            ("static echo\nstream echo { remove A }", "'echo' is no stream"),
            ("stream dynamic S STREAM * :stream() { static echo }",
             "no static module named 'echo'"),
            ("stream dynamic S STREAM * :stream() { remove A }",
             "no service named 'S/A' to remove"),
            ("stream dynamic S STREAM * :echo() { }", "STREAM"),
            ("stream dynamic S STREAM * :stream() { dynamic A "
             "Service_Object * :echo() }", "a stream is made of Module")):
        done = run_berthd("-t", "-f", "{conf}", conf=words + "\n")
        assert done.returncode == 1, (words, done)
        assert why in done.stderr, (words, done.stderr)
    # A module that has a place, then its stream, in either order.
    with start(STREAM) as host, host.log_in() as manager:
        manager.do("stream S { remove A }")
        manager.do("remove S")
        wait_until(lambda: not host.images(), what="unmapped")


@case
def a_reload_goes_module_by_module():
    with start(STREAM + UPON) as host:
        host.write_conf(STREAM.replace('"b"', '"B"') + UPON)
        host.reload()
        assert ask(host) == b".aBBa"
        text = host.log_text()
        assert "> S/B (args changed)" in text, text
        assert text.count("S/A: init") == 1
        host.write_conf("host { reload = exact }\n" + UPON +
                        STREAM.replace(
                            '    dynamic B Module * layers:make_sign() "b"\n',
                            '    dynamic C Module * layers:make_sign() "c"\n'))
        host.reload()
        # The service came before the stream, which is there already.
        assert ask(host) == b".acca"
        text = host.log_text()
        assert "- S/B (no longer in its stream)" in text, text
        assert "+ S/C" in text
        assert text.count("S/A: init") == 1
        # Another order of the same.
        host.write_conf(STREAM.replace('A Module * layers:make_sign() "a"',
                                       'C Module * layers:make_sign() "c"')
                        .replace('B Module * layers:make_sign() "b"',
                                 'A Module * layers:make_sign() "a"') + UPON)
        host.reload()
        assert ask(host) == b".caac"


@case
def modules_come_and_go_by_command():
    with start(STREAM + UPON) as host, host.log_in() as manager:
        threads = int(host.status()["Threads"])
        for number in range(30):
            manager.do("stream S { dynamic X Module * layers:make_sign() "
                       "\"%d\" }" % (number % 10))
            word = b"%d" % (number % 10)
            assert ask(host) == b"." + word + b"abba" + word
            manager.do("stream S { dynamic X Module * layers:make_relay() }")
            assert ask(host) == b".abba"
            manager.do("stream S { remove X }")
            assert ask(host) == b".abba"
        wait_until(lambda: int(host.status()["Threads"]) == threads,
                   what="threads gone")


@case
def a_stream_waits_for_its_users():
    with start(STREAM + UPON) as host, host.log_in() as manager:
        manager.do("remove S")
        assert any("1 user" in line for line in manager.do("show S"))
        assert ask(host) == b".abba"
        manager.do("remove Upon")
        wait_until(lambda: "S/A: fini" in host.log_text(), what="its end")


@case
def a_replaced_stream_takes_its_modules_along():
    with start(STREAM) as host, host.log_in() as manager:
        host.write_conf("remove S\n" + STREAM)
        host.reload()
        text = host.log_text()
        assert text.count("S/A: init") == 2, text
        wait_until(lambda: host.log_text().count("S/A: fini") == 1,
                   what="the old one's end")
        assert info(manager, "S") == "S/A S/B S/Turn"


FOLLOW = UPON.replace("Upon", "Follow").replace("make_upon", "make_follow")


def wait_told(host, words, count):
    wait_until(lambda: host.log_text().count("Follow: " + words) == count,
               what="%s, %d times" % (words, count))


@case
def a_watched_stream_is_followed():
    with start(FOLLOW) as host, host.log_in() as manager:
        wait_told(host, "has no stream", 1)
        assert ask(host) == b"none\n"
        host.write_conf(STREAM + FOLLOW)
        host.reload()
        wait_told(host, "has a stream", 1)
        assert ask(host) == b".abba"
        # Its modules are its own affair.
        manager.do("stream S { remove B }")
        assert ask(host) == b".aa"
        for number in range(1, 6):
            word = "AB"[number % 2]
            host.write_conf("remove S\n" + STREAM.replace(
                '"b"', '"%s"' % word) + FOLLOW)
            host.reload()
            wait_told(host, "has another stream", number)
            assert ask(host) == b".a" + 2 * word.encode() + b"a"
            # The one before is not held.
            wait_until(lambda n=number: host.log_text().count(
                "S/A: fini") == n, what="the old one's end")
        manager.do("remove S")
        wait_told(host, "has no stream", 2)
        assert ask(host) == b"none\n"
        wait_until(lambda: host.log_text().count("S/A: fini") == 6)


@case
def a_refused_reload_tells_no_watcher():
    with start(STREAM + FOLLOW) as host, host.log_in() as manager:
        wait_told(host, "has a stream", 1)
        host.write_conf("remove S\n" + STREAM + FOLLOW + "remove Nobody\n")
        host.reload()
        host.write_conf("remove S\n" + STREAM.replace('"a"', '"!"') + FOLLOW)
        host.reload()
        assert ask(host) == b".abba"
        manager.do("suspend S")
        manager.do("resume S")
        assert ask(host) == b".abba"
        assert "another" not in host.log_text()


@case
def a_watch_may_end_in_its_hook():
    with start(STREAM + FOLLOW.replace('"S"', '"S 1"')) as host, \
            host.log_in() as manager:
        wait_told(host, "has a stream", 1)
        assert ask(host) == b"none\n"
        manager.do("remove S")
        # Nobody holds it.
        wait_until(lambda: host.log_text().count("S/A: fini") == 1)
        assert "has no stream" not in host.log_text()


main()
