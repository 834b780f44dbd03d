# SPDX-License-Identifier: BSD-2-Clause
"""berth-tutorial(7), carried out as it stands: its files are written, its
commands run in one shell, and what they show is waited for."""

import os
import re
import shutil
import subprocess
import tempfile

from berth_e2e import BUILD, SOURCE, TIMEOUT, case, main, wait_until
from shipped import folder_of

SEEN = (b"the first record", b"the second record", b"the third record",
        b"THE FOURTH RECORD")


def blocks():
    with open(os.path.join(SOURCE, "man", "berth-tutorial.7"),
              encoding="utf-8") as file:
        page = file.read()
    return [block.replace("\\e", "\\") for block in re.findall(
        r"^\.Bd -literal\n(.*?)^\.Ed", page, re.M | re.S)]


class Pupil:
    """A folder, and a shell in it that knows the commands."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="berth-tutorial-")
        self.plugins = folder_of("logging_server", "display_logfile")
        tools = os.path.join(self.folder, "tools")
        os.mkdir(tools)
        self.tool("berthd", 'exec "%s/berthd" --plugin-path "%s" "$@"' % (
            BUILD, self.plugins))
        self.tool("pkg-config", 'echo "-I%s/include"' % SOURCE)
        for name in ("berth-logger", "berth-logview"):
            self.tool(name, 'exec "%s/%s" "$@"' % (BUILD, name))
        self.out = open(os.path.join(self.folder, "tools", "out"), "w+b")
        self.shell = subprocess.Popen(
            ["sh"], cwd=self.folder, stdin=subprocess.PIPE, stdout=self.out,
            stderr=self.out, env=dict(
                os.environ, PATH=tools + ":" + os.environ["PATH"], TZ="UTC"),
            umask=0o022)

    def tool(self, name, line):
        path = os.path.join(self.folder, "tools", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n%s\n" % line)
        os.chmod(path, 0o755)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def run(self, command):
        """Until the shell has done it."""
        mark = b"done %d\n" % len(command)
        before = self.read("tools/out").count(mark)
        self.shell.stdin.write(command.encode() + b"\necho " + mark)
        self.shell.stdin.flush()
        wait_until(lambda: self.read("tools/out").count(mark) > before,
                   what=command)

    def close(self):
        try:
            self.shell.communicate(b"kill $!; wait\n", timeout=TIMEOUT)
        finally:
            self.out.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            shutil.rmtree(self.plugins, ignore_errors=True)


def change_conf(pupil, block):
    """Behind what there is, or above the reader."""
    where, text = block.replace("/the/folder", pupil.folder).split("\n", 1)
    now = pupil.read("svc.conf").decode()
    if where == "# above Reader":
        at = now.index("\tdynamic Reader")
        now = now[:at] + text + now[at:]
    else:
        now += text
    with open(pupil.path("svc.conf"), "w", encoding="utf-8") as file:
        file.write(now)


def reloads(pupil):
    return pupil.read("tools/out").count(b" unchanged")


def carry_out(pupil, block):
    for line in block.splitlines():
        command = line[2:]
        before = reloads(pupil)
        if command.startswith("berth-logger"):
            wait_until(lambda: b" is up, " in pupil.read("tools/out"),
                       what="the server")
        if command.startswith("cat"):  # when what it shows is there
            seen = [text for text in SEEN
                    if text in pupil.read("localhost.log").replace(
                        b"fourth record", b"FOURTH RECORD").replace(
                            b"the FOURTH", b"THE FOURTH")]
            wait_until(lambda: seen[-1] in pupil.read("lines"),
                       what=str(seen[-1]))
        pupil.run(command)
        if command.startswith("kill"):
            wait_until(lambda: reloads(pupil) > before, what="the reload")


@case
def the_tutorial():
    pupil = Pupil()
    try:
        found = blocks()
        assert len(found) == 12, len(found)
        for block in found:
            if block.startswith("# "):
                change_conf(pupil, block)
            elif block.startswith("$ "):
                carry_out(pupil, block)
            elif block.startswith("/* "):
                name = block.split()[1]
                with open(pupil.path(name), "w", encoding="utf-8") as file:
                    file.write(block)
        lines = pupil.read("lines").splitlines()
        assert [line.split(b"|")[-1] for line in lines] == list(SEEN), lines
        shape = found[-1].encode().split(b"|")
        assert lines[-1].split(b"|")[:2] == shape[:2]
        assert lines[-1].split(b"|")[-1] == shape[-1].strip()
    except BaseException:
        print(pupil.read("tools/out").decode(errors="replace"))
        raise
    finally:
        pupil.close()


main()
