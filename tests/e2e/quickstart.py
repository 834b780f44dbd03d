# SPDX-License-Identifier: BSD-2-Clause
"""The README's first command: ./dev run serves what etc/quickstart.conf says.

The continuous integration calls it; the ports are the file's own.
"""

import os
import re
import signal
import subprocess

from berth_e2e import (
    SOURCE, Manager, ask_udp, case, connect, main, receive, receive_all,
    wait_until)


def answers(port):
    try:
        with connect(port, 1):
            return True
    except OSError:
        return False


@case
def dev_run_serves():
    run = subprocess.Popen([os.path.join(SOURCE, "dev"), "run"], cwd=SOURCE)
    try:
        wait_until(lambda: answers(7011) or run.poll() is not None, 200,
                   "a manager on port 7011")
        assert run.poll() is None, run.returncode
        with connect(7007) as client:
            client.sendall(b"hello")
            assert receive(client, 5) == b"hello"
        assert ask_udp(7007, b"hello") == b"hello"
        with connect(7013) as client:
            assert re.search(rb"\d\d:\d\d:\d\d \d{4}", receive_all(client))
        with connect(7010) as client:
            assert b"Service_Manager" in receive_all(client)
        with Manager(7011) as manager:
            assert len(manager.do("list")) == 7
        run.send_signal(signal.SIGTERM)
        assert run.wait(30) == 0
    finally:
        run.kill()
        run.wait()


main()
