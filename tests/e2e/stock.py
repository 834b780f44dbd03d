# SPDX-License-Identifier: BSD-2-Clause
"""Programs of Debian packages, downloaded and unpacked into the build folder,
or into the folder that BERTH_STOCK names, which several builds may share.

Nothing is installed, and nothing of a package runs by itself.  A package that
cannot be had is a failure, never a skip: what a test did not see, it does not
vouch for.  A network that is slow or fails for a while is tried again.
"""

import fcntl
import glob
import os
import shutil
import subprocess
import time

from berth_e2e import BUILD, Failure

FOLDER = os.path.abspath(os.environ.get(
    "BERTH_STOCK", os.path.join(BUILD, "tests", "stock")))
TRIES = 5
ROOT = os.path.join(FOLDER, "root")


def _run(*words):
    """(whether it succeeded, what it said)."""
    try:
        done = subprocess.run(words, cwd=FOLDER, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False,
                              timeout=180, text=True)
    except subprocess.TimeoutExpired as expired:
        return False, str(expired)
    return done.returncode == 0, done.stdout


def _download(package):
    """The file."""
    said = ""
    for number in range(TRIES):
        for old in glob.glob(os.path.join(FOLDER, package + "_*.deb")):
            os.unlink(old)
        good, said = _run("apt-get", "-o", "Acquire::Retries=3", "download",
                          "-q", package)
        files = glob.glob(os.path.join(FOLDER, package + "_*.deb"))
        if good and len(files) == 1:
            return files[0]
        if number > 0:
            time.sleep(5 * number)
        _update()
    raise Failure("package %s: %s" % (package, said))


def _update():
    """The lists of packages: old, or not there at all on a new machine."""
    words = ["apt-get", "-o", "Acquire::Retries=3", "update", "-qq"]
    if os.geteuid() != 0:
        words.insert(0, "sudo")
    _run(*words)


def _unpack(package):
    done = os.path.join(FOLDER, package + ".done")
    if os.path.exists(done):
        return
    subprocess.run(["dpkg-deb", "-x", _download(package), ROOT], check=True,
                   timeout=300)
    with open(done, "w", encoding="ascii"):
        pass


def unpack(packages):
    os.makedirs(ROOT, exist_ok=True)
    with open(os.path.join(FOLDER, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for package in packages.split():
            _unpack(package)


def stock(packages, path):
    """The path of a packaged program; packages are what it needs."""
    unpack(packages)
    program = os.path.join(ROOT, path)
    if not os.access(program, os.X_OK):
        raise Failure("%s has no %s" % (packages, path))
    return program


def tool(name):
    """A program that is a prerequisite of building or testing anyway."""
    path = shutil.which(name)
    if path is None:
        raise Failure("%s is missing: install it" % name)
    return path


LIBRARIES = ":".join(os.path.join(ROOT, folder, "x86_64-linux-gnu")
                     if os.uname().machine == "x86_64"
                     else os.path.join(ROOT, folder,
                                       os.uname().machine + "-linux-gnu")
                     for folder in ("usr/lib", "lib"))


def ask(*words, data=None, timeout=60, expected=0, env=None, cwd=None):
    """Runs a client to its end; what it wrote."""
    environment = dict(os.environ, LD_LIBRARY_PATH=LIBRARIES, **(env or {}))
    done = subprocess.run(words, input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout, cwd=cwd,
                          env=environment, check=False)
    if expected is not None and done.returncode != expected:
        raise Failure("%s: exit status %d\n%s\n%s" % (
            " ".join(words), done.returncode,
            done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace")))
    return done.stdout
