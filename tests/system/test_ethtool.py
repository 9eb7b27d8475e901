# SPDX-License-Identifier: MIT
"""A NIC's knobs while frames flow: queues, rings, spreading, interrupts. All comes back, each flow in its order"""

import re

import pytest

import nic_checks
from frames import numbered
from nic_checks import among
from weir import expect, expect_in, expect_match

A, B = 1, 2
FLOWS = 16
CHIPS = {"igb": {}, "e1000e": {"e1000e": {0: 0x10, 1: 0x11}}}
MAX = {"igb": 8, "e1000e": 2}


@pytest.fixture(params=CHIPS)
def chip(request):
    return request.param


@pytest.fixture
def weir(lab, chip):
    """Two of a kind, two cores."""
    return nic_checks.ready(lab.get(nics=2, smp=2, **CHIPS[chip]))


@pytest.fixture
def old(lab):
    """Two 82540EM: one queue, one line."""
    return nic_checks.ready(lab.get(nics=2, smp=2, e1000={0: 0x10, 1: 0x14}))


def flows(count, first=0):
    """Frames of many flows, both ways."""
    return [
        (i, 1 - i, (i, n % FLOWS), numbered(A + i, B - i, first + n, n % FLOWS)) for n in range(count) for i in (0, 1)
    ]


def live(weir, line, count=300, window=96):
    """@line is typed while frames are under way, and more follow at once; it has nothing to say."""
    start = len(weir.console)
    with weir.dropping():
        weir.carry(flows(count), window=window, midway=lambda: weir.type(line))
        weir.sh("history")
        said = weir.text(start).partition(line + "\n")[2].partition("weir# ")[0]
        expect(said, "", f"what '{line}' had to say")
        weir.carry(flows(50, 10_000), window=16)


def rows(text, name):
    """The numbers of the rows called @name: pre-set maximum, current."""
    return [int(n) for n in re.findall(rf"^{name}:\s+(\d+)$", text, re.MULTILINE)]


def queues_used(weir, i, flows=range(64), count=640):
    """Packets of each receive queue of nic@i while these flows pass."""
    of = [flows[n % len(flows)] for n in range(count)]
    sent = [(i, 1 - i, flow, numbered(A + i, B - i, n, flow)) for n, flow in enumerate(of)]
    return [after - before for before, after in nic_checks.rx_queues(weir, i, sent)]


def irqs_of(weir, nic):
    """All that a NIC has interrupted."""
    return sum(sum(counts) for name, (_, counts) in weir.interrupts().items() if name.startswith(nic))


# --- live -------------------------------------------------------------------------------------------------------------


def test_queues_come_and_go(weir, chip):
    for n in (1, MAX[chip], 2, 1, 2):
        live(weir, f"ethtool -L nic0 combined {n}")
        expect(rows(weir.sh("ethtool -l nic0"), "Combined"), [MAX[chip], n], "queue pairs, at most and now")
        names = [f"nic0-TxRx-{q}" for q in range(n)]
        expect([name for name in weir.interrupts() if name.startswith("nic0-")], names, "vectors of its queues")
        config = weir.sh("show config")
        expect("ethtool -L nic0" in config, n != 2, f"that 'show config' tells of {n} queues on two cores")


def test_more_queues_than_cores_all_work(lab):
    weir = nic_checks.ready(lab.get(nics=2, smp=2))
    weir.quiet("ethtool -L nic0 combined 8")
    used = queues_used(weir, 0)
    expect(len(used), 8, "queues that tell of themselves")
    assert min(used) > 0, f"expected each of 8 queues to take part, saw {used}"
    weir.quiet("ethtool -L nic0 combined 2")


def test_rings_grow_and_shrink(weir):
    """QEMU gives a frame that waits to a receiver that is off, if the tail has to be written: so they shrink in a pause.

    No more frames are under way than one queue's ring has buffers for, as all of them may wait there for a slow core.
    """
    for rx, tx in ((64, 64), (512, 64), (4096, 1024), (1024, 4096), (256, 256), (256, 512), (256, 256)):
        line, was = f"ethtool -G nic0 rx {rx} tx {tx}", rows(weir.sh("ethtool -g nic0"), "RX")[1]
        window = min(96, was // 2, rx // 2)
        if rx < was:
            weir.quiet(line)
            with weir.dropping():
                weir.carry(flows(300), window=window)
        else:
            live(weir, line, window=window)
        said = weir.sh("ethtool -g nic0")
        expect((rows(said, "RX"), rows(said, "TX")), ([4096, rx], [4096, tx]), "descriptors, at most and now")
        config = weir.sh("show config")
        expect(f"ethtool -G nic0 rx {rx} tx {tx}\n" in config, (rx, tx) != (256, 256), f"that 'show config' tells of {rx} and {tx}")


def test_flows_are_spread_anew(weir):
    table = [
        ("ethtool -X nic0 equal 1", {0: 128}),
        ("ethtool -X nic0 weight 1 3", {0: 32, 1: 96}),
        ("ethtool -X nic0 weight 0 1", {1: 128}),
        ("ethtool -X nic0 default", {0: 64, 1: 64}),
    ]
    for line, entries in table:
        live(weir, line)
        said = weir.sh("ethtool -x nic0")
        expect_in("indirection table for nic0 with 2 RX ring(s):\n", said, "ethtool -x")
        seen = [int(n) for row in re.findall(r"^ +\d+: ((?: +\d+){8})$", said, re.MULTILINE) for n in row.split()]
        expect({q: seen.count(q) for q in set(seen)}, entries, f"entries of each queue after '{line}'")
        config = weir.sh("show config")
        expect("ethtool -X nic0" in config, "default" not in line, f"that 'show config' tells of '{line}'")
        if line.endswith("0 1"):
            new = [after - before for before, after in nic_checks.rx_queues(weir, 0, among((0, 1), 100))]
            expect(new, [0, 100], "frames of each queue, all of them being sent to the second")


def test_the_key_changes_where_flows_go(lab):
    weir = nic_checks.ready(lab.get(nics=2, smp=2))
    key = ":".join(f"{n:02x}" for n in range(1, 41))
    before = [queues_used(weir, 0, [flow], 8) for flow in range(FLOWS)]
    live(weir, f"ethtool -X nic0 hkey {key}")
    expect_match(rf"^RSS hash key:\n{key}$", weir.sh("ethtool -x nic0"), "the key")
    expect_in(f"ethtool -X nic0 hkey {key}\n", weir.sh("show config"), "show config")
    after = [queues_used(weir, 0, [flow], 8) for flow in range(FLOWS)]
    assert before != after, f"expected flows elsewhere by another key, saw {before} packets of the queues both times"
    whole = [sorted(used) for used in before + after]
    expect(whole, [[0, 8]] * 2 * FLOWS, "packets of each queue, of one flow at a time")
    live(weir, "ethtool -X nic0 hkey " + ":".join(["6d:5a"] * 20))
    expect("hkey" in weir.sh("show config"), False, "that 'show config' tells of the default key")


def test_udp_ports_count_or_not(lab):
    weir = nic_checks.ready(lab.get(nics=2, smp=2))
    for fields, alone in (("sd", True), ("sdfn", False)):
        live(weir, f"ethtool -N nic0 rx-flow-hash udp4 {fields}")
        used = queues_used(weir, 0)
        expect(0 in used, alone, f"that one pair of addresses stays on a queue, {used} packets by '{fields}'")
        said = weir.sh("ethtool -n nic0 rx-flow-hash udp4")
        expect("src port" in said, not alone, f"that ports are among the fields:\n{said}")


def test_interrupts_move_mtu_changes_ports_close(weir):
    number = weir.interrupts()["nic0-TxRx-0"][0]
    for line in (f"echo 2 > /proc/irq/{number}/smp_affinity", "ip link set nic0 mtu 4000",
                 f"echo 1 > /proc/irq/{number}/smp_affinity", "ip link set nic0 mtu 1500",
                 "ethtool -C nic0 rx-usecs 50", "ethtool -C nic0 rx-usecs 0"):  # fmt: skip
        live(weir, line)
    for _ in range(3):
        for n in range(96):
            weir.offer(0, numbered(A, B, n))
        weir.quiet("ip link set nic0 down", "ip link set nic0 up")
    weir.wait_links()
    weir.hush(0.5)
    nic_checks.ready(weir)
    with weir.dropping():
        weir.carry(flows(100))


def test_old_chip_has_rings_too(old):
    """QEMU's model takes no frame for a second after each switch of its receiver: nothing is lost all the same."""
    for rx, tx in ((512, 64), (1024, 64), (1024, 256)):
        live(old, f"ethtool -G nic0 rx {rx} tx {tx}")
        expect(rows(old.sh("ethtool -g nic0"), "RX"), [4096, rx], "descriptors")
    old.quiet("ethtool -G nic0 rx 256 tx 256")
    with old.dropping():
        old.carry(flows(50))
    expect(rows(old.sh("ethtool -l nic0"), "Combined"), [1, 1], "queue pairs")


# --- by what it interrupts --------------------------------------------------------------------------------------------

FALLBACKS = [("no-msix on", "PCI-MSI"), ("no-msix on no-msi on", "IO-APIC"), ("no-msix off no-msi off", "PCI-MSIX")]


def test_falls_back_to_msi_and_to_a_line(weir, chip):
    for flags, kind in FALLBACKS:
        weir.sh(f"ethtool --set-priv-flags nic0 {flags}")
        weir.wait_links()
        nic_checks.learn(weir, (0, 1))
        listed = weir.sh("cat /proc/interrupts")
        name = "nic0-TxRx-0" if kind == "PCI-MSIX" else "nic0"
        expect_match(rf" {kind}(?:-[0-9a-f:]+\.0)? +\d+-\w+ +{name}$", listed, "its interrupt")
        expect(rows(weir.sh("ethtool -l nic0"), "Combined"), [MAX[chip], 2] if kind == "PCI-MSIX" else [1, 1], "pairs")
        before = irqs_of(weir, "nic0")
        with weir.dropping():
            weir.carry(flows(500), window=64)
            weir.carry(among((0, 1), 100, 5000), window=1)
        irqs = irqs_of(weir, "nic0") - before
        assert irqs >= 50, f"expected an interrupt for each of 100 single frames or so by {kind}, saw {irqs}"
        config = weir.sh("show config")
        expect("priv-flags nic0" in config, kind != "PCI-MSIX", f"that 'show config' tells of '{flags}'")


def test_fallback_follows_link_and_affinity(weir):
    weir.sh("ethtool --set-priv-flags nic0 no-msix on")
    weir.wait_links()
    nic_checks.learn(weir, (0, 1))
    number = weir.interrupts()["nic0"][0]
    for core in (1, 0):
        live(weir, f"echo {1 << core} > /proc/irq/{number}/smp_affinity")
    for up in (False, True):
        weir.qmp("set_link", name="net0", up=up)
        state = " state UP " if up else " state DOWN "
        weir.wait_sh("ip link show nic0", lambda text: state in text, f"'{state.strip()}' of nic0")
    nic_checks.learn(weir, (0, 1))
    with weir.dropping():
        weir.carry(flows(50))
    weir.sh("ethtool --set-priv-flags nic0 no-msix off")
    weir.wait_links()


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_wrong_lines_say_what_was_expected(weir, chip):
    for line, what in (
        ("ethtool -L nic0 combined 0", f"a number from 1 to {MAX[chip]}"),
        ("ethtool -L nic0 rx 1", "expected combined"),
        ("ethtool -G nic0 rx 100", "expected a power of two from 64 to 4096"),
        ("ethtool -G nic0 rx 8192", "expected a power of two from 64 to 4096"),
        ("ethtool -G nic0", "expected rx or tx"),
        ("ethtool -X nic0 equal 3", "a number from 1 to 2"),
        ("ethtool -X nic0 weight 0 0", "not 1 to 128"),
        ("ethtool -X nic0 hkey 01:02", "40 bytes in hex"),
        ("ethtool -X nic0", "expected equal, weight, hkey or default"),
        ("ethtool -N nic0 rx-flow-hash tcp4 sd", "unchangeably"),
        ("ethtool -N nic0 rx-flow-hash udp5 sd", "expected tcp4"),
        ("ethtool -N nic0 rx-flow-hash udp4 s", "expected sd or sdfn"),
        ("ethtool --set-priv-flags nic0 no-irq on", "expected a flag"),
        ("ethtool --set-priv-flags nic0 no-msi maybe", "expected on or off"),
    ):
        expect_in(what, weir.sh(line), f"answer to '{line}'")
    weir.quiet("ethtool -X nic0 weight 0 1")
    expect_in("ethtool -X nic0 default", weir.sh("ethtool -L nic0 combined 1"), "a queue that the table needs")
    weir.quiet("ethtool -X nic0 default")
    with weir.dropping():
        weir.carry(flows(50))
