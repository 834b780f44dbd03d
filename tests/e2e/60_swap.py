# SPDX-License-Identifier: BSD-2-Clause
"""Code and settings change under full load, and nobody notices."""

import signal

from berth_e2e import case, main, receive, wait_until
from steered import SANITIZED, Load, Steered

SWAPS = 40 if SANITIZED else 200
BANNERS = (b"first banner\n", b"second banner\n")
CONF = """dynamic Banner Service_Object * live:make_banner()
    { listen = tcp:127.0.0.1:{p1} }
"""


class Swapped(Steered):
    def _start(self, *rest):
        self.copy_plugins("banner1", to="live")
        super()._start(*rest)

    def sizes(self, most=None):
        """When nothing drains any more, and there are no more descriptors
        than that."""
        wait_until(lambda: len(self.images()) == 1, what="one image")
        if most is not None:
            wait_until(lambda: len(self.fds()) <= most,
                       what="%d descriptors or less" % most)
        return len(self.fds()), self.rss_kb()


@case
def a_plugin_is_swapped_under_load():
    with Swapped(CONF) as host:
        before = host.listening()
        with Load(host.port(1), BANNERS) as load:
            early = None
            for number in range(SWAPS):
                host.copy_plugins("banner%d" % (2 - number % 2), to="live")
                lines = "\n".join(host.reload())
                assert "> Banner (plugin file changed" in lines, lines
                target = load.done + 20
                wait_until(lambda: load.done >= target)
                if number == 10:
                    early = host.sizes()
            talks, failures, first = load.stop()
        assert failures == 0, (talks, failures, first)
        # The clients of the moment hold some; beyond them nothing grows.
        late = host.sizes(early[0])
        assert host.listening() == before
        print("       %d swaps, %d talks, descriptors and KiB %s -> %s" % (
            SWAPS, talks, early, late))
        if not SANITIZED:
            assert late[1] <= early[1] + 512, (early, late)


@case
def settings_change_under_load():
    template = """host { log_level = %s }
dynamic Good Service_Object * banner1:make_banner()
    { listen = tcp:127.0.0.1:{p1}; idle_timeout = %d; instances = %d }
"""
    with Steered(template % ("info", 100, 1000)) as host:
        before = host.listening()
        with host.connect(1) as held, Load(host.port(1), BANNERS) as load:
            assert receive(held, 13) == b"first banner\n"
            for number in range(SWAPS):
                host.write_conf(template % (
                    ("debug", "info")[number % 2], 101 + number,
                    1001 + number))
                lines = "\n".join(host.reload())
                assert "~ Good (instances, idle_timeout" in lines, lines
                held.sendall(b"x%04d" % number)
                assert receive(held, 5) == b"x%04d" % number
            talks, failures, first = load.stop()
        assert failures == 0, (talks, failures, first)
        assert host.listening() == before
        with host.log_in() as manager:
            shown = dict(line.split(None, 1)
                         for line in manager.do("show Good"))
        # The very instance of the start.
        assert shown["generation"] == "1", shown


@case
def a_thousand_clients_wait_through_a_suspension():
    conf = "static echo { listen = tcp:127.0.0.1:{p0}; backlog = 2048 }\n"
    with Steered(conf) as host, host.log_in() as manager:
        manager.do("suspend echo for 1h")
        clients = [host.connect(0) for _ in range(1000)]
        for client in clients:
            client.sendall(b"waiting")
        listed = [line.split()[1] for line in manager.do("list")
                  if line.startswith("echo ")]
        assert listed == ["suspended"]
        manager.do("suspend echo for 100ms")  # the latest word counts
        for client in clients:
            assert receive(client, 7) == b"waiting"
            client.close()


@case
def a_signal_during_a_slow_init_is_honoured():
    with Steered("") as host:
        host.copy_plugins("slow_init")
        base = host.count_notified("READY")
        host.write_conf("dynamic Slow Service_Object * "
                        "slow_init:make_slow_init() \"%s\"\n"
                        % host.path("gate"))
        host.signal(signal.SIGHUP)
        host.wait_log("waits for its gate")
        # While init runs: the file changes once more.
        host.write_conf("static discard\n")
        host.signal(signal.SIGHUP)
        host.write("gate", "open\n")
        host.wait_notified("READY", base + 2)
        with host.log_in() as manager:
            names = {line.split()[0] for line in manager.do("list")}
        assert "discard" in names, names


@case
def thousand_signals_in_a_second():
    conf = "static echo { listen = tcp:127.0.0.1:{p0} }\n"
    with Steered(conf) as host:
        with host.log_in() as manager:
            for number in range(1000):
                if number == 900:
                    host.write_conf(conf + "static discard\n")
                host.signal(signal.SIGHUP)

            def settled():
                return any(line.startswith("discard ")
                           for line in manager.do("list"))
            wait_until(settled)
            stats = dict(line.split() for line in manager.do("stats"))
            print("       %s reloads" % stats["reloads"])
            assert int(stats["reloads"]) < 1000, stats


main()
