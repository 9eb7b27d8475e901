# SPDX-License-Identifier: MIT
"""Turning things while traffic runs: interrupts move, links come and go, ports close, knobs turn; nothing leaks"""

import concurrent.futures
import re

import pytest

from frames import numbered
from weir import Weir, expect, expect_match

A, B = 1, 2  # stations behind nic0 and nic1
RULES = [f"ovs-ofctl add-flow sw0 priority=1,in_port={i},actions=output:{3 - i}" for i in (1, 2)]


@pytest.fixture
def weir(lab):
    """Two cores, two queues a NIC; rules instead of learning, so that nothing is flooded or forgotten."""
    weir = lab.get(nics=2, smp=2)
    weir.qmp("set_link", name="net1", up=True)
    weir.quiet("ip link set nic* up", *RULES)
    weir.wait_links()
    weir.hush(0.05)
    return weir


def frames_of(flows, count, first=0):
    return [
        (source, 1 - source, (source, n % flows), numbered(A + source, B - source, first + n, flow=n % flows))
        for n in range(count)
        for source in (0, 1)
    ]


# --- interrupts -------------------------------------------------------------------------------------------------------


def test_affinity_moves_under_traffic(weir):
    """Each queue's interrupt moves to the other core, and back, in the middle of windowed traffic."""
    names = [f"nic{i}-TxRx-{q}" for i in (0, 1) for q in (0, 1)]
    irqs = {name: weir.interrupts()[name][0] for name in names}
    for turn, home in ((0, False), (1, True)):
        for name in names:
            queue = int(name[-1])
            core = queue if home else 1 - queue
            path = f"/proc/irq/{irqs[name]}/smp_affinity"
            with weir.dropping():
                weir.carry(frames_of(16, 400), midway=lambda: weir.quiet(f"echo {1 << core} > {path}"))
            expect(weir.sh(f"cat {path}"), f"{1 << core:x}\n", f"core of {name}")
            before = weir.interrupts()[name][1]
            weir.carry(frames_of(16, 64, first=10000), window=1)
            new = [a - b for a, b in zip(weir.interrupts()[name][1], before)]
            assert new[core] > 0 and new[1 - core] == 0, f"{name}: expected interrupts on core {core} only, saw {new}"


def test_all_queues_on_one_core(weir):
    """Core 1 owns no queue then, and core 0 all; later the other way round. What one cannot send crosses over."""
    irqs = {name: number for name, (number, _) in weir.interrupts().items() if "-TxRx-" in name}
    for core in (0, 1):
        weir.quiet(*(f"echo {1 << core} > /proc/irq/{number}/smp_affinity" for number in irqs.values()))
        processed = [row[0] for row in weir.softnet()]
        with weir.dropping():
            weir.carry(frames_of(16, 1000))
        new = [row[0] - before for row, before in zip(weir.softnet(), processed)]
        expect(new, [2000 if i == core else 0 for i in (0, 1)], f"packets processed by each core, all queues on {core}")
    for name, number in irqs.items():
        weir.quiet(f"echo {1 << int(name[-1])} > /proc/irq/{number}/smp_affinity")


def test_24_queues_on_one_core(lab):
    """Six NICs with four queues each, all moved to core 0: its pool feeds 24 rings, and no ring takes all."""
    weir = lab.get(nics=6, smp=4)
    weir.quiet(*(f"ovs-ofctl add-flow sw0 priority=1,in_port={i + 1},actions=output:{(i ^ 1) + 1}" for i in range(6)))
    weir.wait_links()
    for name, (number, _) in weir.interrupts().items():
        if "-TxRx-" in name:
            weir.quiet(f"echo 1 > /proc/irq/{number}/smp_affinity")
    with weir.dropping():
        weir.carry([  # more than all rings hold, in 64 flows a NIC, so that each ring is emptied and filled again
            (i, i ^ 1, (i, n % 64), numbered(A + i, A + (i ^ 1), n, flow=n % 64)) for n in range(2000) for i in range(6)
        ])  # fmt: skip
    held = expect_match(r"^pool 0: +(\d+) free", weir.sh("pool"), "free packets of core 0")
    assert int(held[1]) > 1000, f"expected a third of core 0's pool free, saw {held[1]} packets"


def test_queues_apart(weir):
    """nic0's queues on core 0, nic1's on core 1: every packet crosses to the core that may send it."""
    irqs = {name: number for name, (number, _) in weir.interrupts().items() if "-TxRx-" in name}
    weir.quiet(*(f"echo {1 << int(name[3])} > /proc/irq/{number}/smp_affinity" for name, number in irqs.items()))
    with weir.dropping():
        weir.carry(frames_of(16, 1500))
    crossed = [line.split()[-1] for line in weir.sh("ports").splitlines()[1:-1]]
    assert sum(map(int, crossed)) >= 3000, f"expected 3,000 packets given to another core, saw {crossed}"
    for name, number in irqs.items():
        weir.quiet(f"echo {1 << int(name[-1])} > /proc/irq/{number}/smp_affinity")


def crossed(weir):
    """Packets given to another core so far."""
    return sum(int(line.split()[-1]) for line in weir.sh("ports").splitlines()[1:-1])


def test_sender_moves_under_traffic(weir):
    """All of nic1's queues go from core to core while both cores send by it: none is lost, none overtaken."""
    irqs = {name: number for name, (number, _) in weir.interrupts().items() if name.startswith("nic1-TxRx-")}
    frames = [(0, 1, n % 16, numbered(A, B, n, flow=n % 16)) for n in range(30000)]
    moves, before = 0, crossed(weir)
    with weir.dropping(), concurrent.futures.ThreadPoolExecutor(1) as pool:
        traffic = pool.submit(weir.carry, frames)
        while not traffic.done():
            moves += 1
            weir.quiet(*(f"echo {1 << moves % 2} > /proc/irq/{number}/smp_affinity" for number in irqs.values()))
        traffic.result()
    assert moves >= 10, f"expected 10 moves and more while the frames passed, saw {moves}"
    given = crossed(weir) - before
    assert given >= 1000, f"expected 1,000 packets and more given to another core, saw {given}"
    for name, number in irqs.items():
        weir.quiet(f"echo {1 << int(name[-1])} > /proc/irq/{number}/smp_affinity")


def test_throttle(weir):
    """With interrupts held back, fewer of them carry the same packets."""
    def irqs_for_bursts():
        before = sum(sum(counts) for name, (_, counts) in weir.interrupts().items() if name.startswith("nic0-"))
        weir.carry(frames_of(4, 1000), window=16)
        return sum(sum(counts) for name, (_, counts) in weir.interrupts().items() if name.startswith("nic0-")) - before

    free = irqs_for_bursts()
    weir.quiet("ethtool -C nic0 rx-usecs 500")
    assert "rx-usecs:\t500" in weir.sh("ethtool -c nic0"), f"expected rx-usecs 500, saw\n{weir.sh('ethtool -c nic0')}"
    held = irqs_for_bursts()
    weir.quiet("ethtool -C nic0 rx-usecs 0")
    assert held < free, f"expected fewer interrupts with rx-usecs 500 than the {free} without, saw {held}"


# --- links and ports --------------------------------------------------------------------------------------------------


def test_link_goes_and_comes(weir):
    """The cable of nic1 is pulled: what should leave by it drops for that reason; it comes back by itself."""
    weir.qmp("set_link", name="net1", up=False)
    weir.wait_sh("ip link show nic1", lambda text: "NO-CARRIER" in text and " state DOWN " in text, "nic1 without link")
    with weir.dropping(tx_down=20):
        for n in range(20):
            weir.send(0, numbered(A, B, n, flow=n))
        weir.wait_sh("drops", lambda text: "tx_down" in text, "drops")
        expect(weir.hush(0.3), [], "frames that left")
    weir.qmp("set_link", name="net1", up=True)
    weir.wait_links()
    weir.carry(frames_of(8, 100))


def test_link_is_recorded_once(weir):
    weir.quiet("trace clear", "trace on")
    weir.qmp("set_link", name="net1", up=False)
    weir.wait_sh("ip link show nic1", lambda text: "NO-CARRIER" in text, "nic1 without link")
    weir.quiet("trace off")
    said = weir.sh("trace show 1000")
    expect(re.findall(r" link +(port.*)$", said, re.MULTILINE), ["port 2, up 0"], f"links in\n{said}")
    weir.quiet("trace clear")
    weir.qmp("set_link", name="net1", up=True)
    weir.wait_links()


def test_link_pulled_under_traffic(weir):
    """Frames on their way when it happens are sent, dropped with a reason or lost on the cable: never leaked."""
    for n in range(200):
        weir.send(0, numbered(A, B, n, flow=n % 8))
        if n == 100:
            weir.qmp("set_link", name="net1", up=False)
    weir.wait_sh("ip link show nic1", lambda text: "NO-CARRIER" in text, "nic1 without link")
    weir.hush(0.3)
    weir.audit()
    weir.qmp("set_link", name="net1", up=True)
    weir.wait_links()
    weir.hush(0.3)
    weir.carry(frames_of(8, 100, first=1000))


@pytest.mark.parametrize("port", [0, 1])
def test_port_down_and_up_under_traffic(weir, port):
    """Closing gives every buffer back, opening starts afresh, five times in the middle of a burst."""
    for turn in range(5):
        for n in range(120):
            if n < 60 or port != 0:
                weir.send(0, numbered(A, B, turn * 1000 + n, flow=n % 8))
            if n < 60 or port != 1:
                weir.send(1, numbered(B, A, turn * 1000 + n, flow=n % 8))
            if n == 59:
                weir.quiet(f"ip link set nic{port} down")
        weir.hush(0.2)
        weir.audit()
        held = weir.sh("pool")
        assert f"nic{port} rx rings" not in held, f"expected no buffer in the rings of a port that is down, saw\n{held}"
        weir.quiet(f"ip link set nic{port} up")
        weir.wait_links()
    weir.hush(0.3)
    weir.carry(frames_of(16, 200, first=100000))


def test_down_port_receives_nothing(weir):
    weir.quiet("ip link set nic0 down")
    before = weir.dev(0)
    while weir.offer(0, numbered(A, B, 0)):
        pass  # till the wire is full
    expect(weir.hush(0.3), [], "frames that left")
    expect(weir.dev(0), before, "/proc/net/dev of nic0, which is down")
    weir.quiet("ip link set nic0 up")
    weir.wait_links()
    weir.hush(0.3)
    weir.carry(frames_of(8, 50, first=5000))


def test_cable_without_an_end():
    """A NIC that no back end is plugged to: its own trouble, not that of the others."""
    with Weir(nics=2, extra=("-device", "pcie-root-port,id=lone,chassis=9,slot=9", "-device", "igb,bus=lone")) as weir:
        weir.wait_links()
        group = numbered(A, B, 1)
        weir.carry([(0, 1, "one", group)])  # flooded to nic2 as well
        weir.audit()
        weir.poweroff()


# --- knobs ------------------------------------------------------------------------------------------------------------


def test_budget(weir):
    """With a budget of one packet a round, a burst leaves work behind: time_squeeze grows, and nothing is lost."""
    weir.sh("sysctl net.core.netdev_budget=1")
    before = sum(squeezed for _, _, squeezed in weir.softnet())
    with weir.dropping():
        weir.carry(frames_of(16, 1500), window=128)
    after = sum(squeezed for _, _, squeezed in weir.softnet())
    weir.sh("sysctl net.core.netdev_budget=300")
    assert after - before > 10, f"expected time_squeeze to grow with a budget of 1, saw {before} and then {after}"


def test_weight(weir):
    """No poll takes more than dev_weight."""
    weir.sh("sysctl net.core.dev_weight=4")
    before = batches(weir)
    with weir.dropping():
        weir.carry(frames_of(16, 1500), window=128)
    new = [a - b for a, b in zip(batches(weir), before)]
    weir.sh("sysctl net.core.dev_weight=64")
    expect(new[4:], [0, 0, 0, 0], f"polls of 8 packets and more with a weight of 4, among {new}")
    assert new[3] > 0, f"expected polls of 4 packets, saw {new}"


def batches(weir):
    """Polls by the size of what they took: 0, 1, 2-3, 4-7, 8-15, ..., all queues together."""
    rows = [line.split()[1:] for line in weir.sh("napi").splitlines() if line.startswith("  batches")]
    return [sum(int(row[i].split(":")[1]) for row in rows) for i in range(8)]


def test_trace_under_traffic(weir):
    """Record points of both cores in order of time, taken while packets run."""
    weir.sh("trace on")
    weir.carry(frames_of(16, 200))
    weir.sh("trace off")
    said = weir.sh("trace show 200")
    times = [float(time) for time in re.findall(r"^ *(\d+\.\d+) ", said, re.MULTILINE)]
    assert len(times) >= 100, f"expected 100 record points and more, saw {len(times)} in\n{said}"
    expect(times, sorted(times), "order of the record points")
    weir.sh("trace clear")
