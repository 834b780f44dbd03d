# SPDX-License-Identifier: BSD-2-Clause
"""berthctl, run to its end, and typed into a shell on a terminal."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

from berth_e2e import BUILD, SANITIZER, TIMEOUT, Failure

BERTHCTL = os.environ.get("BERTHCTL", os.path.join(BUILD, "berthctl"))


def environment(changes=None):
    """Without the habits of whoever runs the test."""
    env = {k: v for k, v in os.environ.items()
           if k not in ("BERTH_CONTROL", "COLUMNS", "LINES", "NO_COLOR")}
    env.update({"LC_ALL": "C.UTF-8", "TERM": "xterm"})
    env.update(changes or {})
    return env


def run(*words, env=None, **options):
    """A CompletedProcess of text."""
    done = subprocess.run(
        [BERTHCTL, *words], stdin=subprocess.DEVNULL, timeout=TIMEOUT,
        env=environment(env), encoding="utf-8", check=False,
        stderr=subprocess.PIPE,
        stdout=options.pop("stdout", subprocess.PIPE), **options)
    if SANITIZER.search(done.stderr):
        raise Failure("sanitizer:\n" + done.stderr)
    return done


class Terminal:
    """A program on a terminal of so many columns; what it wrote is `seen`."""

    def __init__(self, *words, columns=80, env=None):
        self.seen = ""
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("4H", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            words, stdin=slave, stdout=slave, stderr=slave,
            env=environment(env), start_new_session=True)
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def type(self, text):
        os.write(self.master, text.encode())

    def _read(self, seconds):
        """False at the end."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: nobody has it open any more
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def wait(self, text):
        """Until it has written the text, which is taken off `seen`."""
        deadline = time.monotonic() + TIMEOUT
        while text not in self.seen:
            if time.monotonic() > deadline or not self._read(0.1):
                raise Failure("no %r on the terminal: %r" % (text, self.seen))
        before, _, self.seen = self.seen.partition(text)
        return before

    def read_all(self):
        """What it writes up to its end."""
        deadline = time.monotonic() + TIMEOUT
        while self._read(0.1):
            if time.monotonic() > deadline:
                raise Failure("no end on the terminal: %r" % self.seen)
        self.process.wait(TIMEOUT)
        return self.seen.replace("\r\n", "\n")
