# SPDX-License-Identifier: MIT
"""The 82540EM: one queue, legacy descriptors, and one interrupt line that it may share with a neighbour"""

import re

import pytest

import frames
import nic_checks
from frames import numbered
from nic_checks import among, learn, ready
from weir import Weir, expect, expect_in, expect_match

A, B, C = 1, 2, 3  # stations behind nic0, nic1 and nic2
TWO = {0: 0x10, 1: 0x14}  # slots a multiple of four apart share a line of q35
BOUNDARIES = [60, 61, 64, 65, 128, 256, 512, 1024, 1513, 1514]


@pytest.fixture
def weir(lab):
    """Two of them on one line, one core: what goes in first comes out first."""
    return ready(lab.get(nics=2, smp=1, e1000=TWO))


@pytest.fixture
def mixed(lab):
    """An 82576 and two 82540EM that share a line, two cores."""
    return ready(lab.get(nics=3, smp=2, e1000={1: 0x10, 2: 0x14}))


def line_of(weir, name):
    """(number, names, [count of each core]) of the interrupt that @name shares."""
    for names, (number, counts) in weir.interrupts().items():
        if name in names.split(", "):
            return number, names, counts
    raise AssertionError(f"expected a row of {name} in /proc/interrupts, saw {weir.interrupts()}")


# --- what it is -------------------------------------------------------------------------------------------------------


def test_commands_know_it(weir):
    booted = weir.booted()
    for i, slot in TWO.items():
        expect_match(rf"^e1000: nic{i} is an 82540EM at 0000:00:{slot:02x}\.0, 52:54:00:00:00:0[ab], 1 queue pair$",
                     booted, "what is said at boot")  # fmt: skip
        said = weir.sh(f"ethtool -i nic{i}")
        expect_match(r"^driver: e1000$", said, "its driver")
        expect_match(rf"^bus-info: 0000:00:{slot:02x}\.0$", said, "where it is")
        said = weir.sh(f"ethtool nic{i}")
        expect_match(r"^\tSpeed: 1000Mb/s$", said, "its speed")
        expect_match(r"^\tDuplex: Full$", said, "its duplex")
        expect_in(f"link/ether 52:54:00:00:00:0{'ab'[i]}", weir.sh(f"ip link show nic{i}"), "its address")
    expect_match(r"^00:10\.0 .*82540EM.*\n(?:\t.*\n)+?\tKernel driver in use: e1000$", weir.sh("lspci -v"), "lspci")
    expect_in("nic1-TxRx-0", weir.sh("napi"), "its queue")
    lines = set(re.findall(r"^e1000: .* interrupts by line (\d+)$", booted, re.MULTILINE))
    expect(len(lines), 1, f"lines of two in slots that share one, {lines}")
    expect(lines <= {str(n) for n in range(16, 24)}, True, f"that it is one of PCI's own, {lines}")
    expect(line_of(weir, "nic0")[1], "nic1, nic0", "who is on the line, in /proc/interrupts")
    expect_match(r"  IO-APIC +\d+-fasteoi   nic1, nic0$", weir.sh("cat /proc/interrupts"), "how it is triggered")


def test_commands_change_it(weir):
    weir.quiet("ethtool -C nic0 rx-usecs 1000", "ethtool -r nic0")
    expect_match(r"^rx-usecs:\t1000$", weir.sh("ethtool -c nic0"), "its throttle")
    weir.wait_links()
    weir.carry(among((0, 1), 200), window=8)
    expect_in("fewer microseconds", weir.sh("ethtool -C nic0 rx-usecs 65535"), "a throttle that it does not have")
    weir.quiet("ethtool -C nic0 rx-usecs 0")


# --- frames -----------------------------------------------------------------------------------------------------------


def test_kinds_and_sizes(weir):
    sent = {}
    for size in BOUNDARIES:
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
    """Several buffers a frame, both ways; and what no port may send is dropped with its reason."""
    weir.quiet("ip link set nic* mtu 9000")
    weir.wait_links()
    sizes = [60, 1514, 1519, *(edge + off for edge in (2048, 4096, 8192) for off in (-4, 0, 1, 4)), 9014, 9018]
    with weir.dropping():
        weir.carry([
            (i, 1 - i, i, numbered(A + i, B - i, n, size=n)) for n in sizes for i in (0, 1)
        ], 8)  # fmt: skip
    with weir.dropping(tx_too_long=1):
        weir.send(0, numbered(A, B, 1, size=9500))  # this chip has no limit between 1,522 bytes and 16 KiB
        weir.carry([(0, 1, "after", numbered(A, B, 2))])
    weir.quiet("ip link set nic* mtu 1500")
    weir.wait_links()


def test_broken_frames_are_dropped_by_name(weir):
    nic_checks.malformed_dropped_by_name(weir, A, B)


def test_ten_thousand_and_exact_counts(weir):
    before = [(weir.dev(i), weir.ethtool(i)) for i in (0, 1)]
    sent = among((0, 1), 5000)
    size = len(sent[0][3])
    with weir.dropping():
        weir.carry(sent, window=192)
    for i, (dev, nic) in enumerate(before):
        new = tuple(now - then for now, then in zip(weir.dev(i), dev))
        expect(new, (5000 * size, 5000) * 2, f"/proc/net/dev of nic{i}, RX and TX bytes and packets")
        after = weir.ethtool(i)
        for way in ("rx", "tx"):
            expect(after[f"{way}_packets"] - nic[f"{way}_packets"], 5000, f"{way}_packets of nic{i}")
            expect(after[f"{way}_bytes"] - nic[f"{way}_bytes"], 5000 * (size + 4), f"{way}_bytes of nic{i}, with FCS")


def test_singles(weir):
    """One at a time, by either: an interrupt, a poll, back to sleep; a lost wake-up would stop it."""
    _, _, before = line_of(weir, "nic0")
    weir.carry([(n % 2, 1 - n % 2, n % 2, numbered(A + n % 2, B - n % 2, n)) for n in range(400)], window=1)
    _, _, after = line_of(weir, "nic0")
    irqs = after[0] - before[0]
    assert 300 <= irqs <= 600, f"expected about 400 interrupts of the line for 400 single frames, saw {irqs}"


def test_more_than_a_ring_holds(weir):
    """QEMU's model keeps back what finds no descriptor: nothing is lost, and the ring starts again each time."""
    with weir.dropping():
        weir.carry([(0, 1, "one", numbered(A, B, n)) for n in range(3000)], window=600)


# --- beside an 82576, under way ---------------------------------------------------------------------------------------


def test_all_three_among_each_other(mixed):
    kinds = [expect_match(r"^driver: (.*)$", mixed.sh(f"ethtool -i nic{i}"), "driver")[1] for i in range(3)]
    expect(kinds, ["igb", "e1000", "e1000"], "drivers")
    with mixed.dropping():
        mixed.carry(among((0, 1, 2), 1000))


def test_line_moves_under_traffic(mixed):
    """Both on the line go with it to the other core, and back."""
    number, names, _ = line_of(mixed, "nic1")
    expect(names, "nic2, nic1", "who is on the line")
    for turn, core in enumerate((1, 0)):
        with mixed.dropping():
            mixed.carry(
                among((0, 1, 2), 300, 1000 * turn),
                midway=lambda: mixed.quiet(f"echo {1 << core} > /proc/irq/{number}/smp_affinity"),
            )
        before = line_of(mixed, "nic1")[2]
        mixed.carry(among((1, 2), 64, 5000), window=1)
        new = [now - then for now, then in zip(line_of(mixed, "nic1")[2], before)]
        assert new[core] > 0 and new[1 - core] == 0, f"expected interrupts on core {core} only, saw {new}"


def test_one_goes_down_and_its_neighbour_works_on(mixed):
    for down, up in ((1, 2), (2, 1)):
        mixed.quiet(f"ip link set nic{down} down")
        expect(line_of(mixed, f"nic{up}")[1], f"nic{up}", "who is left on the line")
        with mixed.dropping():
            learn(mixed, (0, up))
            mixed.carry(among((0, up), 200))
        ready(mixed)
        with mixed.dropping():
            mixed.carry(among((0, 1, 2), 50))


def test_ports_close_and_open_under_traffic(mixed):
    """Nothing leaks, whatever is in the rings then: the books are audited behind each test."""
    for n in range(6):
        for k in range(64):
            mixed.offer(0, numbered(A, A + 1 + n % 2, 64 * n + k))
        mixed.quiet(f"ip link set nic{1 + n % 2} down", f"ip link set nic{1 + n % 2} up")
    mixed.wait_links()
    mixed.hush(1.5)
    ready(mixed)
    mixed.carry(among((0, 1, 2), 50))


def test_link_flaps(mixed):
    for up in (False, True, False, True):
        mixed.qmp("set_link", name="net1", up=up)
        state = " state UP " if up else " state DOWN "
        mixed.wait_sh("ip link show nic1", lambda text: state in text, f"'{state.strip()}' of nic1")
        there = (0, 1, 2) if up else (0, 2)
        learn(mixed, there)
        with mixed.dropping():
            mixed.carry(among(there, 50))


# --- other boards -----------------------------------------------------------------------------------------------------


def test_lines_of_an_old_board(lab):
    """An i440FX leads INTx to ISA interrupts, as the firmware's overrides tell."""
    with Weir(nics=2, board="pc", e1000={0: 0x10, 1: 0x11}) as weir:
        lines = re.findall(r"^e1000: .* interrupts by line (\d+)$", weir.booted(), re.MULTILINE)
        expect(len(lines), 2, f"lines {lines}")
        assert all(int(line) < 16 for line in lines), f"expected lines of the ISA's, saw {lines}"
        ready(weir)
        with weir.dropping():
            weir.carry(among((0, 1), 300))
            weir.carry(among((0, 1), 30, 1000), window=1)
