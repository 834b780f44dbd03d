# SPDX-License-Identifier: BSD-2-Clause
"""Many clients at once in one thread.

What a client does is a generator that is handed its socket, connected and
not blocking, and uses the steps below:

    def talk(client):
        yield from send(client, b"hello")
        assert (yield from read(client, 5)) == b"hello"

It yields None where it has to wait for its socket, or the seconds for which
it does nothing.  Whatever it raises, and whatever is not over in time, is a
failure of the crowd.
"""

import heapq
import select
import socket
import time

from berth_e2e import TIMEOUT, Failure

ROOM = 1 << 18


def send(client, data):
    """All of it."""
    view = memoryview(data)
    while view:
        try:
            view = view[client.send(view):]
        except BlockingIOError:
            yield None


def read(client, size):
    """So many bytes, or what came before the end."""
    parts = []
    while size > 0:
        try:
            part = client.recv(min(size, ROOM))
        except BlockingIOError:
            yield None
            continue
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def read_all(client, most=1 << 30):
    """Up to the end, which has to come."""
    data = yield from read(client, most)
    assert len(data) < most, "more than %d bytes" % most
    return data


def end(client):
    """Half-closes."""
    client.shutdown(socket.SHUT_WR)


class _Crowd:
    def __init__(self):
        self.epoll = select.epoll()
        self.live = {}     # descriptor -> (socket, generator)
        self.asleep = []   # (until, descriptor)

    def _step(self, number):
        client, talk = self.live[number]
        try:
            pause = next(talk)
        except StopIteration:
            del self.live[number]
            client.close()
            return
        if pause is not None:
            heapq.heappush(self.asleep, (time.monotonic() + pause, number))

    def begin(self, port, talk):
        client = socket.socket()
        client.setblocking(False)
        self.live[client.fileno()] = client, self._talk(client, port, talk)
        self.epoll.register(
            client, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        self._step(client.fileno())

    @staticmethod
    def _talk(client, port, talk):
        try:
            client.connect(("127.0.0.1", port))
        except BlockingIOError:
            while True:
                yield None
                if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise Failure("not connected to %d" % port)
                try:
                    client.getpeername()
                    break
                except OSError:
                    continue
        yield from talk(client)

    def wait(self):
        """For something to happen."""
        now = time.monotonic()
        pause = self.asleep[0][0] - now if self.asleep else 1
        sleeping = {number for _, number in self.asleep}
        for number, _ in self.epoll.poll(max(pause, 0) + 0.001):
            if number in self.live and number not in sleeping:
                self._step(number)
        now = time.monotonic()
        while self.asleep and self.asleep[0][0] <= now:
            self._step(heapq.heappop(self.asleep)[1])

    def close(self):
        for client, _ in self.live.values():
            client.close()
        self.epoll.close()


def crowd(visits, at_once=64, timeout=TIMEOUT):
    """visits: (port, talk) of each client."""
    crowd_ = _Crowd()
    deadline = time.monotonic() + timeout
    visits = iter(visits)
    more = True
    try:
        while more or crowd_.live:
            while more and len(crowd_.live) < at_once:
                visit = next(visits, None)
                if visit is None:
                    more = False
                else:
                    crowd_.begin(*visit)
            if crowd_.live:
                crowd_.wait()
            if time.monotonic() > deadline:
                raise Failure("%d clients are not served" % len(crowd_.live))
    finally:
        crowd_.close()
