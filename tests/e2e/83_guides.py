# SPDX-License-Identifier: BSD-2-Clause
"""Every example of the guides for those who come from elsewhere, as they
stand there: good, and where two say the same, the same."""

import os
import re
import shutil
import tempfile

from berth_ctl import run
from berth_e2e import BUILD, SOURCE, Failure, case, main, run_berthd

GUIDES = ("inetd", "xinetd", "systemd")
EXAMPLE = re.compile(
    r'^\.\\" (example|same) (\w+)\n\.Bd [^\n]*\n(.*?)^\.Ed$', re.M | re.S)
PASSES = re.compile(r"error: not yet: |only a host that ")
PROGRAM = re.compile(r"/(?:usr/)?(?:local/)?s?bin/[\w.]+")


def examples(guide):
    """[(how, language, text)], with programs that there are."""
    path = os.path.join(SOURCE, "man", "berth-from-%s.7" % guide)
    with open(path, encoding="utf-8") as file:
        page = file.read()
    found = [(how, language, PROGRAM.sub("/bin/cat", text.replace(
        "\\e", "\\").replace("\\&", "")))
             for how, language, text in EXAMPLE.findall(page)]
    if not found:
        raise Failure("no example in " + path)
    return found


def convert(folder, language, text):
    path = os.path.join(folder, "example")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o600)
    done = run("convert", "--from", language, path)
    assert done.returncode == 0 and not done.stderr, (text, done)
    return done.stdout


def words(printed):
    """All of it but argv[0], which follows from the programs' paths."""
    return re.split(r"[\s;]+", re.sub(r"argv0 = \S+?(?=[; ])", "", printed))


def check(language, text):
    """berthd takes it, but for what this release does not apply yet, and
    what whoever runs this test may not do."""
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        shutil.copy(os.path.join(
            BUILD, "plugins/redirect/.libs/redirect.so"), folder)
        os.chmod(os.path.join(folder, "redirect.so"), 0o644)
        done = run_berthd(
            "-t", "--plugin-path", folder, "--format", language, "-f",
            "{conf}", conf=text)
    errors = [line for line in done.stderr.splitlines()
              if "error: " in line and not PASSES.search(line)]
    assert not errors, (text, done.stderr)
    assert done.returncode == 0 or PASSES.search(done.stderr), (text, done)


@case
def examples_are_good():
    for guide in GUIDES:
        for _, language, text in examples(guide):
            check(language, text)


@case
def pairs_are_the_same():
    pairs = 0
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        for guide in GUIDES:
            before = None
            for how, language, text in examples(guide):
                printed = convert(folder, language, text)
                if how == "same":
                    pairs += 1
                    assert words(before) == words(printed), (before, printed)
                before = printed
    assert pairs >= 6, pairs


main()
