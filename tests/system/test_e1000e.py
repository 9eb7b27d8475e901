# SPDX-License-Identifier: MIT
"""The 82574L: two queues, a vector each, RSS, extended descriptors; beside an 82576 and an 82540EM"""

import re

import pytest

import frames
import nic_checks
from frames import numbered
from nic_checks import among
from weir import expect, expect_in, expect_match

A, B = 1, 2  # stations behind nic0 and nic1
SLOTS = {0: 0x10, 1: 0x11}


@pytest.fixture
def weir(lab):
    """Two of them, one core: what goes in first comes out first."""
    return nic_checks.ready(lab.get(nics=2, smp=1, e1000e=SLOTS))


@pytest.fixture
def wide(lab):
    """Two of them and two cores, so that both queues are in use."""
    return nic_checks.ready(lab.get(nics=2, smp=2, e1000e=SLOTS))


@pytest.fixture
def mixed(lab):
    """One of each kind, two cores."""
    return nic_checks.ready(lab.get(nics=3, smp=2, e1000e={1: 0x10}, e1000={2: 0x11}))


def test_commands_know_it(wide):
    booted = wide.booted()
    for i, slot in SLOTS.items():
        expect_match(rf"^e1000e: nic{i} is an 82574L at 0000:00:{slot:02x}\.0, 52:54:00:00:00:0[ab], 2 queue pairs$",
                     booted, "what is said at boot")  # fmt: skip
        expect_match(r"^driver: e1000e$", wide.sh(f"ethtool -i nic{i}"), "its driver")
        expect_match(r"^\tSpeed: 1000Mb/s$", wide.sh(f"ethtool nic{i}"), "its speed")
        expect_in(f"link/ether 52:54:00:00:00:0{'ab'[i]}", wide.sh(f"ip link show nic{i}"), "its address")
        for vector, name in enumerate((f"nic{i}-TxRx-0", f"nic{i}-TxRx-1", f"nic{i}")):
            expect_match(rf" PCI-MSIX-0000:00:{slot:x}\.0   {vector}-edge      {name}$", wide.sh("cat /proc/interrupts"), "its vectors")
    expect_match(r"^00:10\.0 .*82574L.*\n(?:\t.*\n)+?\tKernel driver in use: e1000e$", wide.sh("lspci -v"), "lspci")


def test_kinds_and_sizes(weir):
    sent = {}
    for size in (60, 61, 64, 65, 128, 256, 512, 1024, 1513, 1514):
        for source, (here, there) in enumerate(((A, B), (B, A))):
            for name, frame in frames.kinds(here, there, size).items():
                sent[name, size, source] = (source, 1 - source, (name, source), frame)
    with weir.dropping():
        weir.carry(list(sent.values()), window=32)


def test_every_size(weir):
    nic_checks.every_size(weir, A, B)


def test_tag_rides_on_top_of_the_mtu(weir):
    nic_checks.tag_on_top_of_the_mtu(weir, A, B)


def test_jumbo(weir):
    """Several buffers a frame, both ways, and back to short ones."""
    weir.quiet("ip link set nic* mtu 9000")
    sizes = [60, 1514, 1519, *(edge + off for edge in (2048, 4096, 8192) for off in (-4, 0, 1, 4)), 9014, 9018]
    with weir.dropping():
        weir.carry([(i, 1 - i, i, numbered(A + i, B - i, n, size=n)) for n in sizes for i in (0, 1)], 8)
    weir.quiet("ip link set nic* mtu 1500")
    with weir.dropping():
        weir.carry(among((0, 1), 50), 8)


def test_broken_frames_are_dropped_by_name(weir):
    nic_checks.malformed_dropped_by_name(weir, A, B)


def test_wrong_checksums_are_counted(weir):
    for name, frame in frames.wrong_checksums(A, B):
        before = weir.ethtool(0)["rx_queue_0_csum_err"]
        weir.carry([(0, 1, name, frame)])
        expect(weir.ethtool(0)["rx_queue_0_csum_err"] - before, 1, f"'{name}' counted as wrong checksum")


def test_ten_thousand_and_exact_counts(wide):
    before = [(wide.dev(i), wide.ethtool(i)) for i in (0, 1)]
    sent = among((0, 1), 5000)
    size = len(sent[0][3])
    with wide.dropping():
        wide.carry(sent, window=192)
    for i, (dev, nic) in enumerate(before):
        new = tuple(now - then for now, then in zip(wide.dev(i), dev))
        expect(new, (5000 * size, 5000) * 2, f"/proc/net/dev of nic{i}, RX and TX bytes and packets")
        after = wide.ethtool(i)
        for way in ("rx", "tx"):
            expect(after[f"{way}_packets"] - nic[f"{way}_packets"], 5000, f"{way}_packets of nic{i}")
            expect(after[f"{way}_bytes"] - nic[f"{way}_bytes"], 5000 * (size + 4), f"{way}_bytes of nic{i}, with FCS")


def test_singles(weir):
    """One at a time, by either: an interrupt, a poll, back to sleep; a lost wake-up would stop it."""
    before = weir.interrupts()
    weir.carry([(n % 2, 1 - n % 2, n % 2, numbered(A + n % 2, B - n % 2, n)) for n in range(400)], window=1)
    after = weir.interrupts()
    for name in ("nic0-TxRx-0", "nic1-TxRx-0"):
        irqs = after[name][1][0] - before[name][1][0]
        assert 150 <= irqs <= 400, f"expected about 200 interrupts of {name} for 200 single frames, saw {irqs}"


def test_more_than_a_ring_holds(weir):
    """QEMU's model keeps back what finds no descriptor: nothing is lost, and the ring starts again each time."""
    with weir.dropping():
        weir.carry([(0, 1, "one", numbered(A, B, n)) for n in range(3000)], window=600)


def test_flows_spread_over_both_queues(wide):
    """By addresses, and TCP's ports; one flow stays on one queue, in order. UDP's ports it does not hash."""
    before = wide.ethtool(0)
    with wide.dropping():
        wide.carry([(0, 1, n % 32, frames.tcp_flow(A, B, n % 32, n)) for n in range(640)])
    after = wide.ethtool(0)
    new = [after[f"rx_queue_{q}_packets"] - before[f"rx_queue_{q}_packets"] for q in (0, 1)]
    expect(sum(new), 640, f"frames of both queues, {new}")
    assert min(new) >= 640 / 5, f"expected both queues to take part, saw {new}"
    before = after
    wide.carry([(0, 1, n % 32, numbered(A, B, n, n % 32)) for n in range(320)])
    after = wide.ethtool(0)
    new = [after[f"rx_queue_{q}_packets"] - before[f"rx_queue_{q}_packets"] for q in (0, 1)]
    expect(sorted(new), [0, 320], "frames of each queue, one pair of addresses and many UDP ports")


def test_one_of_each_kind_among_each_other(mixed):
    kinds = [expect_match(r"^driver: (.*)$", mixed.sh(f"ethtool -i nic{i}"), "driver")[1] for i in range(3)]
    expect(kinds, ["igb", "e1000e", "e1000"], "drivers")
    with mixed.dropping():
        mixed.carry(among((0, 1, 2), 1000))


def test_interrupts_move_under_traffic(mixed):
    number = mixed.interrupts()["nic1-TxRx-0"][0]
    for turn, core in enumerate((1, 0)):
        with mixed.dropping():
            mixed.carry(
                among((0, 1, 2), 300, 1000 * turn),
                midway=lambda: mixed.quiet(f"echo {1 << core} > /proc/irq/{number}/smp_affinity"),
            )


def test_link_flaps(mixed):
    for up in (False, True, False, True):
        mixed.qmp("set_link", name="net1", up=up)
        state = " state UP " if up else " state DOWN "
        mixed.wait_sh("ip link show nic1", lambda text: state in text, f"'{state.strip()}' of nic1")
        there = (0, 1, 2) if up else (0, 2)
        nic_checks.learn(mixed, there)
        with mixed.dropping():
            mixed.carry(among(there, 50))
    changes = mixed.ethtool(1)["link_changes"]
    assert changes >= 4, f"expected the link's interrupt to have told of 4 changes at least, saw {changes}"


def test_ports_close_and_open_under_traffic(mixed):
    """Nothing leaks, whatever is in the rings then: the books are audited behind each test."""
    for n in range(6):
        for k in range(64):
            mixed.offer(0, numbered(A, A + 1, 64 * n + k))
        mixed.quiet("ip link set nic1 down", "ip link set nic1 up")
    mixed.wait_links()
    mixed.hush(1.5)
    nic_checks.ready(mixed)
    mixed.carry(among((0, 1, 2), 50))
    assert not re.search("(?i)panic", mixed.text()), "expected no panic"
