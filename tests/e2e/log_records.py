# SPDX-License-Identifier: BSD-2-Clause
"""Log records as they go over the wire, and the files of logging_server."""

import struct


def record(text, order="<", wide=False, kind=8, pid=1, secs=1, usecs=0):
    """One record with its header."""
    payload = struct.pack(order + ("iiqiI" if wide else "iiiiI"), kind, pid,
                          secs, usecs, len(text)) + text
    return struct.pack("B3x", order == "<") + \
        struct.pack(order + "I", len(payload)) + payload


def entries(data):
    """(host, bytes of the record) of each entry of a file's bytes; nothing
    may be left over."""
    found, at = [], 0
    while at < len(data):
        name = data.index(b"\0", at)
        order = "<" if data[name + 1] else ">"
        size = struct.unpack_from(order + "I", data, name + 5)[0] + 8
        assert len(data) >= name + 1 + size, "the file ends within an entry"
        found.append((data[at:name].decode(), data[name + 1:name + 1 + size]))
        at = name + 1 + size
    return found


def text_of(one):
    """The text of a record that is not wide."""
    return one[28:]
