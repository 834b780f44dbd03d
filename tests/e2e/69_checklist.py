# SPDX-License-Identifier: BSD-2-Clause
"""Requirements of the networked logging service and of what it stands on, from
the chapters 6 to 9 of C++NPv2, by their rows:

 1-7   queues: marks, states, order, deadlines   stream_queue_test
 8     batches: by size or time (-f), and at the end  r_e_08
 9     a server that is killed: all again        68_log_relay killed_under_load
 10    how often, and delays that double         session_connector_test
       delays_double; logging_client never gives up
 11    a disconnect is noticed without a send    r_e_11
 12    a slow server: back-pressure, none lost   68_log_relay
       a_full_relay_makes_its_clients_wait
 13    a client that has gone: its records are written  r_e_13
 14    one client that fills everything          r_e_14
 15    the end waits for busy threads            r_e_15
 16    clients without a certificate             69_tls who_is_let_in,
       programs_behind_tls
 17    cancelled connects                        session_connector_test cancelled
 18    the six rows of connecting                session_connector_test rows_*
 19    byte by byte; lengths that can't be       67_logging
       every_form_and_every_split, what_is_no_record
 20    the end closes all connections            r_e_20
 21    streams: tail, open and close, pass-through  stream_module_test
 22    a stop message goes through all           68_display r_e_22
 23    a module that does not open               68_display r_e_23
 24    a failed init is not in the repository    r_e_24
"""

import os
import socket
import struct
import threading

from berth_e2e import TIMEOUT, case, free_port, main, receive_all, wait_until
from log_records import entries, record, text_of
from shipped import Server, Shipped

LOGS = 'host { shutdown = 1s }\n' \
       'dynamic Logs Service_Object * logging_server:make_logging_server() ' \
       '"-d {dir}" { listen = tcp:127.0.0.1:{p0}; %s }\n'
RELAY = 'host { shutdown = 1s }\n' \
        'dynamic Relay Service_Object * logging_client:make_logging_client() ' \
        '"-r %d -b 10ms -B 50ms %s" { listen = tcp:127.0.0.1:{p0} }\n'
POOL = "concurrency = pool 4"


def start(attributes=POOL):
    return Shipped(LOGS % attributes, "logging_server", "logging_client")


def kept(host):
    try:
        with open(host.path("127.0.0.1.log"), "rb") as file:
            return [text_of(r) for _, r in entries(file.read())]
    except (OSError, AssertionError, ValueError, IndexError, struct.error):
        return []  # not there, or it is being written


@case
def r_e_08_batches_by_time_and_at_the_end():
    heard = []

    def listen(connection):
        while True:
            data = connection.recv(65536)
            if not data:
                return
            heard.append(data)

    with Server(listen) as server, Shipped(
            RELAY % (server.port, "-f 3600s"), "logging_client") as relay:
        relay.wait_log("connected to")
        with relay.connect(0) as client:
            client.sendall(record(b"x"))
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        assert heard == []
        big = b"".join(record(b"y" * 1000) for _ in range(70))
        with relay.connect(0) as client:
            client.sendall(big)
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        wait_until(lambda: sum(map(len, heard)) >= 65536, what="a batch")
        with relay.connect(0) as client:
            client.sendall(record(b"z"))
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        relay.stop()
        wanted = record(b"x") + big + record(b"z")
        wait_until(lambda: b"".join(heard) == wanted, what="the rest")


@case
def r_e_11_a_disconnect_is_noticed_without_a_send():
    come, go = threading.Event(), threading.Event()

    def leave(_):
        come.set()
        go.wait(TIMEOUT)

    with Server(leave, ("127.0.0.1", free_port())) as server, Shipped(
            RELAY % (server.port, ""), "logging_client") as relay:
        assert come.wait(TIMEOUT)
        go.set()
        wait_until(lambda: server.count >= 3, what="connections made again")
        relay.wait_log("Broken pipe")


@case
def r_e_13_records_of_a_client_that_has_gone():
    with start() as host:
        with host.connect(0) as client:
            client.sendall(b"".join(record(b"%d" % n) for n in range(5000)))
        wanted = [b"%d" % n for n in range(5000)]
        wait_until(lambda: kept(host) == wanted, what="all records")


@case
def r_e_14_one_client_that_fills_everything():
    """Others are served while it sends, and it ends as well."""
    stop = threading.Event()
    with start() as host:
        greedy = host.connect(0)

        def fill():
            block = b"".join(record(b"g" * 500) for _ in range(500))
            while not stop.is_set():
                greedy.sendall(block)
            greedy.shutdown(socket.SHUT_WR)
            receive_all(greedy)

        thread = threading.Thread(target=fill)
        thread.start()
        try:
            for n in range(20):
                with host.connect(0) as client:
                    client.sendall(record(b"polite %d" % n))
                    client.shutdown(socket.SHUT_WR)
                    assert receive_all(client) == b""
        finally:
            stop.set()
            thread.join(TIMEOUT)
        assert not thread.is_alive()
        greedy.close()
        found = [t for t in kept(host) if t.startswith(b"polite")]
        assert found == [b"polite %d" % n for n in range(20)]


@case
def r_e_15_the_end_waits_for_busy_threads():
    with start(POOL + "; drain = 0") as host:
        clients = [host.connect(0) for _ in range(4)]
        block = b"".join(record(b"b" * 500) for _ in range(200))
        stop = threading.Event()

        def load(client):
            try:
                while not stop.is_set():
                    client.sendall(block)
            except OSError:
                pass

        threads = [threading.Thread(target=load, args=(c,)) for c in clients]
        for thread in threads:
            thread.start()
        wait_until(lambda: os.path.exists(host.path("127.0.0.1.log")),
                   what="records")
        host.write_conf("static echo { listen = unix:{dir}/echo }\n"
                        "host { reload = exact }\n")
        host.reload()
        wait_until(lambda: "logging_server" not in host.maps(),
                   what="the code unloaded")
        stop.set()
        for thread in threads:
            thread.join(TIMEOUT)
        for client in clients:
            client.close()
        assert host.running()
        with open(host.path("127.0.0.1.log"), "rb") as file:
            assert entries(file.read())  # whole ones only


@case
def r_e_20_the_end_closes_all_connections():
    with start() as host:
        clients = [host.connect(0) for _ in range(20)]
        for client in clients:
            client.sendall(record(b"here"))
        wait_until(lambda: len(kept(host)) >= 4, what="records")
        host.stop()
        for client in clients:
            try:
                assert client.recv(1) == b""
            except ConnectionResetError:
                pass
            client.close()


@case
def r_e_24_a_failed_init_is_not_in_the_repository():
    with start() as host:
        before = host.maps().count("logging_client")
        host.write_conf(LOGS % POOL + "\n" + RELAY.split("\n", 1)[1] % (
            9, "-z"))
        host.reload()
        host.wait_log("'-z' is no option")
        # Its image goes at the end of the turn, after the words.
        wait_until(lambda: host.maps().count("logging_client") == before,
                   what="the end of the image")
        with host.connect(0) as client:
            client.sendall(record(b"goes on"))
            client.shutdown(socket.SHUT_WR)
            assert receive_all(client) == b""
        assert kept(host) == [b"goes on"]


main()
