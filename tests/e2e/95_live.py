# SPDX-License-Identifier: BSD-2-Clause
"""Services that are swapped and removed while they have live sessions, in each
way of driving and either style of code: threads, processes, descriptors and
memory are then what they were.

BERTH_SWAPS=100 makes it so often in each way."""

import os
import re

from berth_e2e import case, main, receive, wait_until
from fleets import children
from steered import SANITIZED, Steered

SWAPS = int(os.environ.get("BERTH_SWAPS", "4"))
LIVE = 30 if SANITIZED else 100
# The words, and how many sessions there can be at once: more wait.
WAYS = (
    ("concurrency = reactive", LIVE),
    ("concurrency = iterative", 1),
    ("concurrency = thread 120", LIVE),
    ("concurrency = pool 110", LIVE),
    ("concurrency = process 120; workers = 2", LIVE),
    ("concurrency = reactive; workers = 1", LIVE),
    ("concurrency = reactive; workers = 2", LIVE),
    ("concurrency = iterative; workers = 2", 2),
    ("concurrency = thread 120; workers = 2", LIVE),
    ("concurrency = pool 110; workers = 2", LIVE),
)
STYLES = "banner", "sequence"
SERVICE = ("dynamic Live Service_Object * live:make_banner() { "
           "listen = tcp:127.0.0.1:{p1}; drain = 0; linger = 100ms; %s }\n")
CONF = "host { log_level = warning }\n"
BANNERS = b"first banner\n", b"second banner\n"


class Swapped(Steered):
    def __init__(self, conf, style):
        self.style, self.number = style, 0
        super().__init__(conf)

    def _start(self, *rest):
        self.swap()
        super()._start(*rest)

    def swap(self):
        """The other plugin of this style is installed."""
        self.number += 1
        self.copy_plugins("%s%d" % (self.style, 2 - self.number % 2),
                          to="live")

    def count(self):
        """Threads, processes and descriptors that it has."""
        return (len(os.listdir("/proc/%d/task" % self.pid)),
                len(children(self)), len(self.fds()))


def workers_of(way):
    found = re.search(r"workers = (\d+)", way)
    return int(found.group(1)) if found else 0


def live_clients(host, count):
    """Each is in the middle of its session."""
    clients = [host.connect(1) for _ in range(count)]
    for number, client in enumerate(clients):
        banner = receive(client, 6)
        banner += receive(client, 7 if banner == b"first " else 8)
        assert banner in BANNERS, banner
        words = b"%05d words" % number
        client.sendall(words)
        assert receive(client, len(words)) == words
    return clients


def all_ended(clients):
    for client in clients:
        try:
            while client.recv(1000):
                pass
        except ConnectionError:
            pass  # a reset is an end as well
        client.close()


def back_to(host, base, way):
    wait_until(lambda: host.count() == base,
               what="%s: threads, processes, descriptors %r, then %r" % (
                   way, base, host.count()))


@case
def swaps_with_live_sessions_leave_nothing():
    for way, count in WAYS:
        for style in STYLES:
            with Swapped(CONF + SERVICE % way, style) as host:
                wait_until(lambda: len(children(host)) ==  # noqa: B023
                           workers_of(way), what="all workers")  # noqa: B023
                base = host.count()
                for number in range(SWAPS):
                    clients = live_clients(host, count)
                    host.swap()
                    lines = "\n".join(host.reload())
                    assert "nothing changed" not in lines, lines
                    all_ended(clients)
                    wait_until(lambda: len(host.images()) <= 1,  # noqa: B023
                               what="one image")
                    back_to(host, base, way)
                    if number == SWAPS // 3:
                        early = host.rss_kb()
                late = host.rss_kb()
                print("       %-40s %-8s %r, KiB %d -> %d" % (
                    way, style, base, early, late))
                if not SANITIZED:
                    assert late <= early + 6144, (way, style, early, late)


@case
def removed_with_live_sessions_is_gone():
    for way, count in WAYS:
        for style in STYLES:
            with Swapped(CONF, style) as host, host.log_in() as manager:
                base = host.count()
                for _ in range(max(2, SWAPS // 2)):
                    manager.do(host.fill(SERVICE % way).strip())
                    clients = live_clients(host, count)
                    manager.do("remove Live")
                    all_ended(clients)
                    wait_until(lambda: not host.images(),  # noqa: B023
                               what="no image")
                    back_to(host, base, way)


main()
