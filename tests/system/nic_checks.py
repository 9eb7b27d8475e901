# SPDX-License-Identifier: MIT
"""nic_checks.py - what any NIC must carry or drop, whoever made it: from station @a behind nic0 to @b behind nic1"""

import frames
from frames import numbered


def every_size(weir, a, b):
    with weir.dropping():
        weir.carry([(0, 1, "one", numbered(a, b, size, size=size)) for size in range(60, 1515)], window=32)


def tag_on_top_of_the_mtu(weir, a, b):
    """1,514 bytes and a tag are 1,518. One more is refused by the NIC itself (QEMU's 82576 does not count it)."""
    tagged = frames.kinds(a, b, 1518)["vlan udp"]
    with weir.dropping():
        weir.carry([(0, 1, "tagged", tagged)])
        weir.send(0, tagged + b"\0")
        weir.carry([(0, 1, "after", numbered(a, b, 1))])


def malformed_dropped_by_name(weir, a, b):
    """Each alone: its own reason, once, and nothing leaves."""
    for name, frame, reason in frames.malformed(a, b):
        try:
            with weir.dropping(**{reason: 1}):
                weir.send(0, frame)
                weir.carry([(0, 1, "after", numbered(a, b, 1))])
        except AssertionError as e:
            raise AssertionError(f"'{name}': {e}")
