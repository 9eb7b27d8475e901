# SPDX-License-Identifier: MIT
"""nic_checks.py - what any NIC must carry or drop, whoever made it: from station @a behind nic0 to @b behind nic1

Where there are more, station A + i is behind nic i.
"""

import frames
from frames import numbered

A = 1


def ready(weir):
    """Links up, and all stations known to the switch, so that nothing is flooded.

    QEMU's 82540EM takes no frame for a second after each change of its receive control, so nothing here waits for silence.
    """
    for i in range(weir.nics):
        weir.qmp("set_link", name=f"net{i}", up=True)
    weir.quiet("ip link set nic* up")
    weir.wait_links()
    learn(weir, range(weir.nics))
    return weir


def learn(weir, nics):
    """Each of @nics takes frames again, and the switch knows who is there."""
    for i in nics:
        weir.arrives(i, frames.arp(A + i, A)[0], [j for j in nics if j != i])


def among(nics, count, first=0):
    """Frames from each of @nics to each other, numbered."""
    pairs = [(i, j) for i in nics for j in nics if i != j]
    return [(i, j, (i, j), numbered(A + i, A + j, first + n)) for n in range(count) for i, j in pairs]


def rx_queues(weir, i, frames_between):
    """[(before, after)] packets of each receive queue of nic@i, while these frames are carried."""
    before = weir.ethtool(i)
    with weir.dropping():
        weir.carry(frames_between)
    after = weir.ethtool(i)
    names = [f"rx_queue_{q}_packets" for q in range(16) if f"rx_queue_{q}_packets" in after]
    return [(before[name], after[name]) for name in names]


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
