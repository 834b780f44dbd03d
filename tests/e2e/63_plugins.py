# SPDX-License-Identifier: BSD-2-Clause
"""Plugins in a real host: how their files are named and found, what is refused
and when, and which code runs; rows D and L17."""

import os
import re
import shutil

from berth_e2e import SOURCE, case, main, run_berthd, wait_until
from steered import PLUGINS, Steered



def interface():
    """The numbers of <berth/abi.h>: "1.0"."""
    with open(os.path.join(SOURCE, "include", "berth", "abi.h"),
              encoding="ascii") as header:
        text = header.read()
    return ".".join(re.search(r"BERTH_ABI_%s (\d+)" % word, text).group(1)
                    for word in ("MAJOR", "MINOR"))


OURS = interface()

# Plugin, location, what is said behind svc.conf:1:28 and the file's name.
REFUSED = [
    ("descriptor_size", "x:make_sin()",
     "its descriptor has 24 bytes, in interface %s it has 120: rebuild "
     "the plugin" % OURS),
    ("not_exported", "x:make_sin()",
     "'make_sin' has a note, but the symbol is not exported"),
    ("module_kind", "x:make_sin()",
     "'make_sin' makes a Module, it is declared as Service_Object"),
    ("executable_stack", "x:make_sin()",
     "asks for an executable stack: link it with -z noexecstack"),
    ("relative_runpath", "x:make_sin()",
     "looks for libraries in 'lib', which is not an absolute folder: link it "
     "without -rpath"),
    ("constructor_refused", "x:make_constructor()",
     "needs interface 1.99, this host has %s: use a newer host or rebuild "
     "the plugin" % OURS),
    ("object", "x:object_type()",
     "'object_type' is an object, not a factory: write object_type without "
     "parentheses"),
]


def check(folder, line):
    """berthd -t; its exit status and what it says."""
    done = run_berthd("-t", "-f", "{conf}", "--plugin-path", folder,
                      conf=line + "\n")
    return done.returncode, done.stderr


def put(folder, plugin, name):
    target = os.path.join(folder, name)
    shutil.copy(os.path.join(PLUGINS, plugin + ".so"), target)
    os.chmod(target, 0o644)


def info(manager, name):
    """The last field of show, what the info hook says."""
    return dict(line.split(None, 1) for line in manager.do("show " + name)
                if " " in line)["info"]


@case
def D01_D02_names():
    with Steered("") as host, host.log_in() as manager:
        host.copy_plugins("good", to="libplug")
        host.copy_plugins("good", to="libplug.v1")
        for location in ("plug", "libplug", "libplug.so", "./plug",
                         "./libplug.so", host.plugins + "/libplug.so",
                         host.plugins + "/plug", "plug.v1"):
            manager.do("dynamic Svc Service_Object * %s:_make_Svc() \"x y\""
                       % location)
            manager.do("remove Svc")
        assert host.log_text().count("Svc: init <x><y>") == 8


@case
def D03_new_code_always():
    line = "dynamic Live Service_Object * live:make_banner() " \
           "{ listen = tcp:127.0.0.1:{p1} }"
    with Steered("") as host, host.log_in() as manager:
        for number in range(6):
            host.copy_plugins("banner%d" % (1 + number % 2), to="live")
            manager.do(host.fill(line))
            with host.connect(1) as client:
                banner = client.makefile("rb").readline()
            assert banner == (b"first banner\n", b"second banner\n")[
                number % 2], banner
            manager.do("remove Live")
            wait_until(lambda: not host.images(), what="unmapped")


@case
def D04_two_services_of_one_file():
    with Steered("") as host, host.log_in() as manager:
        host.copy_plugins("two")
        manager.do("dynamic A Service_Object * two:make_first()")
        manager.do("dynamic B Service_Object * two:make_second()")
        assert info(manager, "A") == "the first"
        assert info(manager, "B") == "the second"
        images = host.images()
        assert len(images) == 1, images
        manager.do("remove A")
        assert host.images() == images
        assert info(manager, "B") == "the second"
        manager.do("remove B")
        wait_until(lambda: not host.images(), what="unmapped")


@case
def L17_refused_before_any_code_runs():
    with Steered("") as host:
        for plugin, location, text in REFUSED:
            put(host.plugins, plugin, "x.so")
            status, said = check(
                host.plugins, "dynamic X Service_Object * " + location)
            want = "svc.conf:1:28: error: %s/x.so: %s\n" % (
                host.plugins, text)
            assert status == 1 and want in said, (plugin, said)
        put(host.plugins, "good", "x.so")
        status, said = check(host.plugins, "dynamic X STREAM * x:make_good()")
        assert status == 1, said


@case
def what_only_code_tells():
    with Steered("") as host, host.log_in() as manager:
        before = host.images()
        for plugin, text in (("null_factory", "make_sin() gave NULL"),
                             ("wild_pointer", "gave a wild pointer"),
                             ("undefined", "undefined symbol"),
                             ("garbage_type", "no 'make_sin' in it")):
            host.copy_plugins(plugin)
            reply = manager.ask(
                "dynamic X Service_Object * %s:make_sin()" % plugin)
            said = "\n".join([reply.status] + reply.body)
            assert not reply.ok and text in said, (plugin, reply)
            wait_until(lambda: host.images() == before, what="unmapped")


@case
def code_that_can_not_be_unloaded_is_told_and_does_not_come_back():
    with Steered("") as host, host.log_in() as manager:
        # Fresh code has fresh variables, but for those that are unique in the
        # whole process: the first generation has them for all later ones,
        # which so can be unloaded.
        for plugin, why, calls, told in (
                ("nodelete", "-z nodelete", (1, 1), (1, 2)),
                ("unique", "STB_GNU_UNIQUE", (1, 2), (1, 1))):
            host.copy_plugins(plugin)
            for number in range(2):
                manager.do("dynamic Sin Service_Object * %s:make_sin()"
                           % plugin)
                assert info(manager, "Sin") == "call %d" % calls[number]
                manager.do("remove Sin")
                wait_until(lambda: len(re.findall(
                    "stays mapped: .*" + why,
                    host.log_text())) == told[number], what="told: " + why)
        manager.do("list")


main()
