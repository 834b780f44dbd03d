# SPDX-License-Identifier: BSD-2-Clause
"""What the comparisons share.

Two servers are up at the same time, ours and the other, and are measured
in turns of a second each, so that whatever else the machine does meets both.
What is told are ratios: the median over the rounds of (ours / other) for the
throughput, and of (other / ours) for the CPU time of an operation.  1.00 is as
good as the other, more is better.
"""

import argparse
import os
import pwd
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("top_builddir") or os.path.join(HERE, "..", "build")


def program(name):
    """A program of bench/ as it was built."""
    path = os.path.join(BUILD, "bench", name)
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is missing: build it, or set top_builddir")
    return path


def on_cpu(number):
    """Server and clients each on a processor of their own, if there are two."""
    cpus = sorted(os.sched_getaffinity(0))

    def pin():
        if len(cpus) > 1:
            os.sched_setaffinity(0, {cpus[number % len(cpus)]})

    return pin


class Server:
    """A process that serves on a port."""

    def __init__(self, command, port=None, folder=None, pinned=True):
        self.folder = folder
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL if port else subprocess.PIPE,
            stderr=subprocess.DEVNULL if port else None,
            preexec_fn=on_cpu(0) if pinned else None,
        )
        self.port = port or int(self.process.stdout.readline())
        self.wait_until_up()

    def wait_until_up(self):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit(f"{self.process.args[0]} ended at once")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        sys.exit(f"{self.process.args[0]} does not serve")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.folder:
            self.folder.cleanup()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def berthd(service):
    """The host with one static service and nothing else."""
    return host(f"static {service}")


def host(directive, attributes="", before="", plugins=()):
    """The host with one service and nothing else; with attributes, which may
    be processes and threads, it has all processors."""
    path = os.environ.get("BERTHD") or os.path.join(BUILD, "berthd")
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is missing: build it, or set BERTHD")
    folder = tempfile.TemporaryDirectory(prefix="berth-bench-")
    port = free_port()
    config = os.path.join(folder.name, "svc.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(
            f"{before}{directive} {{\n"
            f"\tlisten = tcp:127.0.0.1:{port}\n"
            f"\tbacklog = 4096\n"
            f"\t{attributes}\n"
            f"}}\n"
        )
    command = [path, "-f", config]
    if plugins:
        command += ["--plugin-path", ":".join(map(os.path.abspath, plugins))]
    return Server(command, port, folder, pinned=not attributes)


def xinetd(name, words):
    """xinetd with one service, without limits."""
    sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
    from stock import stock  # pylint: disable=import-outside-toplevel
    port = free_port()
    folder = tempfile.TemporaryDirectory(prefix="berth-bench-")
    path = os.path.join(folder.name, "xinetd.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"""
defaults
{{
	cps = 1000000 1
	instances = UNLIMITED
	per_source = UNLIMITED
}}
service {name}
{{
	port = {port}
	bind = 127.0.0.1
	socket_type = stream
	protocol = tcp
	wait = no
	flags = NOLIBWRAP
	user = {pwd.getpwuid(os.geteuid()).pw_name}
	{words}
}}
""")
    os.chmod(path, 0o600)
    return Server(
        [stock("xinetd", "usr/sbin/xinetd"), "-dontfork", "-f", path,
         "-pidfile", os.path.join(folder.name, "pid")], port, folder)


def one(arguments, server, children=False):
    """Operations in a second, and CPU microseconds for each, of the server's
    children as well if that is asked for."""
    result = subprocess.run(
        [program("load"), arguments[0], str(server.port)]
        + [str(word) for word in arguments[1:]]
        + [("+" if children else "") + str(server.process.pid)],
        stdout=subprocess.PIPE,
        preexec_fn=on_cpu(1),
        check=True,
    )
    operations, seconds, cpu = result.stdout.split()
    operations = int(operations)
    return operations / float(seconds), float(cpu) / operations * 1e6


def compare(label, arguments, ours, bare, rounds, peer="bare"):
    rates, costs = [], []
    last = None
    for index in range(rounds):
        pair = [(ours, "ours"), (bare, "bare")]
        if index % 2:
            pair.reverse()
        got = {name: one(arguments, server) for server, name in pair}
        rates.append(got["ours"][0] / got["bare"][0])
        costs.append(got["bare"][1] / got["ours"][1])
        last = got
    print(
        f"{label:34} throughput {statistics.median(rates):5.2f}"
        f"   CPU {statistics.median(costs):5.2f}"
        f"   ({last['ours'][0]:9.0f}/s {last['ours'][1]:6.2f} us;"
        f" {peer} {last['bare'][0]:9.0f}/s {last['bare'][1]:6.2f} us)",
        flush=True,
    )
    return statistics.median(rates), statistics.median(costs)


def options(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--quick", action="store_true", help="3 rounds of 0.3 s, one case"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--size", type=int, default=64, help="of a message")
    parser.add_argument(
        "--rooms",
        action="store_true",
        help="reactor, net and session alone instead of the whole host",
    )
    found = parser.parse_args()
    if found.quick:
        found.rounds, found.seconds = 3, 0.3
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return found
