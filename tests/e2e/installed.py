# SPDX-License-Identifier: BSD-2-Clause
"""Plugins that were compiled outside of the tree, in an installed host: found
by their plain names, loaded, used, removed over the manager, and gone.

tests/install-check.sh calls it; the environment names the host (BERTHD) and
the folder of the plugins' sources (EXAMPLES).
"""

import glob
import os
import re
import socket

from berth_e2e import Host, case, main, wait_until

TOKEN = "0123456789abcdef0123456789abcdef"


def examples():
    """(name of the file, symbol of the factory) of every compiled plugin."""
    for path in sorted(glob.glob(os.path.join(os.environ["EXAMPLES"], "*.c"))):
        with open(path, encoding="utf-8") as file:
            found = re.search(r"BERTH_SERVICE\(\s*(\w+)", file.read())
        name = os.path.basename(path)[:-2]
        yield name, found.group(1)
        yield name + "_cxx", found.group(1)


def images(host):
    """What is mapped executable from something that has a name."""
    return {words[5] for words in
            (line.split(None, 5) for line in host.maps().splitlines())
            if len(words) > 5 and "x" in words[1]}


def ask(host, number):
    """What comes back for a line.

    A service that speaks first and then closes may have closed before the
    line is there, which the kernel answers with a reset.
    """
    answer = b""
    with host.connect(number) as client:
        try:
            client.sendall(b"hello\n")
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            while part := client.recv(4096):
                answer += part
        except ConnectionResetError:
            pass
    return answer


@case
def every_example_comes_and_goes():
    conf = ('static Service_Manager "-c -t {dir}/token" '
            "{ listen = tcp:127.0.0.1:{p0} }\n")
    with Host(conf, files={"token": TOKEN + "\n"}) as host:
        with host.manager(0) as manager:
            manager.do("login " + TOKEN)
            before = images(host)
            for name, symbol in examples():
                manager.do(host.fill(
                    "dynamic Guest Service_Object * %s:%s() "
                    "{ listen = tcp:127.0.0.1:{p1} }" % (name, symbol)))
                assert images(host) != before, host.maps()
                assert ask(host, 1), "%s gives no answer" % name
                manager.do("remove Guest")
                wait_until(lambda: images(host) == before,
                           what="%s is unloaded" % name)


main()
