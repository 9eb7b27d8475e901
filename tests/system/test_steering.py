# SPDX-License-Identifier: MIT
"""Steering: packets of a queue spread over cores by flow, live, and no frame ever passes another one of its flow"""

import re

import pytest

from frames import numbered
from test_gro import interleaved, stream
from weir import expect, expect_in

A, B = 1, 2  # stations behind nic0 and nic1
RULES = [f"ovs-ofctl add-flow sw0 priority=1,in_port={i},actions=output:{3 - i}" for i in (1, 2)]
CORES = 4
QUEUES = [f"/sys/class/net/nic{nic}/queues/rx-{q}" for nic in (0, 1) for q in range(CORES)]


@pytest.fixture
def weir(lab):
    """Four cores, four queues a NIC, all of them core 0's: without steering the others have nothing to do."""
    weir = lab.get(nics=2, smp=CORES)
    weir.quiet("ip link set nic* up", *RULES)
    weir.wait_links()
    weir.hush(0.05)
    set_cores(weir, lambda queue: 0)
    yield weir
    steer(weir, cpus="0", flows=0)
    set_cores(weir, lambda queue: queue)


def set_cores(weir, core_of):
    for name, (number, _) in weir.interrupts().items():
        if "-TxRx-" in name:
            weir.quiet(f"echo {1 << core_of(int(name[-1])):x} > /proc/irq/{number}/smp_affinity")


def steer(weir, cpus=None, flows=None):
    for queue in QUEUES:
        if flows is not None:
            weir.quiet(f"echo {flows} > {queue}/rps_flow_cnt")
        if cpus is not None:
            weir.quiet(f"echo {cpus} > {queue}/rps_cpus")


def frames_of(flows, count, first=0):
    return [
        (source, 1 - source, (source, n % flows), numbered(A + source, B - source, first + n, flow=n % flows))
        for n in range(count)
        for source in (0, 1)
    ]


def wakeups(weir):
    """How often each core's backlog was woken by another core."""
    row = next(line for line in weir.sh("cat /proc/softirqs").splitlines() if "BACKLOG:" in line)
    return [int(n) for n in row.split()[1:]]


def test_other_cores_do_the_work(weir):
    """Core 0 receives all; what crosses the switch does so on the cores of rps_cpus."""
    steer(weir, cpus="e")
    before, polled = weir.softnet(), wakeups(weir)
    with weir.dropping():
        weir.carry(frames_of(32, 1000))
    work = [new[0] - old[0] for new, old in zip(weir.softnet(), before)]
    woken = [new - old for new, old in zip(wakeups(weir), polled)]
    expect(work[0], 0, "packets that core 0 processed, which gave all away")
    expect(sum(work[1:]), 2000, "packets that the others took out of their backlogs")
    assert all(work[1:]) and not woken[0] and all(woken[1:]), f"expected work for each, saw {work}, woken {woken}"
    assert sum(woken) < 2000, f"expected fewer wake-ups than packets, saw {woken}"


def test_drops_are_told_of_the_core_that_had_no_room(weir):
    """As in Linux: the second column is the full backlog's core, not the one that wanted to hand over."""
    steer(weir, cpus="8")
    before = weir.softnet()
    weir.sh("sysctl net.core.netdev_max_backlog=1")
    reasons = weir.drops()
    for n in range(2000):
        weir.offer(0, numbered(A, B, n, flow=n % 16))
    weir.hush(0.3)
    full = weir.drops()["backlog_full"] - reasons["backlog_full"]
    weir.sh("sysctl net.core.netdev_max_backlog=1000")
    new = [after[:2] for after in weir.softnet()]
    new = [[a - b for a, b in zip(after, was)] for after, was in zip(new, before)]
    assert full > 0, f"expected that a backlog of one packet was full, saw {new}"
    expect([dropped for _, dropped in new], [0, 0, 0, full], "drops by core")
    expect([processed for processed, _ in new[:3]], [0, 0, 0], "packets processed by the others")


def test_masks_and_flows_move_under_traffic(weir):
    """The mask, the table's size and its entries change in the middle of traffic: nothing is lost or overtaken."""
    for turn, change in enumerate(
        (
            lambda: steer(weir, cpus="f"),
            lambda: steer(weir, cpus="6"),
            lambda: steer(weir, flows=64),
            lambda: weir.quiet(*(f"echo {entry}:{entry % CORES} > {q}/rps_flows" for q in QUEUES for entry in (1, 9, 33))),
            lambda: set_cores(weir, lambda queue: queue),
            lambda: steer(weir, cpus="0"),
        )
    ):
        with weir.dropping():
            weir.carry(frames_of(32, 500, first=1000 * turn), midway=change)


def forwarded(weir):
    """Frames from nic0 that each core has looked up and sent."""
    return [int(row.split()[4]) for row in weir.sh("ports").splitlines() if row.startswith("nic0 ")]


def carried(weir, first, **how):
    """The same for flows that come now, sixteen of them."""
    before = forwarded(weir)
    with weir.dropping():
        weir.carry(frames_of(16, 320, first=first), **how)
    return [new - old for new, old in zip(forwarded(weir), before)]


def test_the_chips_hash_and_ours_are_one(weir):
    """With rxhash the chip tells RPS the hash, without it is computed: the same flows go to the same cores."""
    steer(weir, cpus="e")
    work = {}
    for n, words in enumerate(("off", "on")):
        weir.sh(f"ethtool -K nic0 rxhash {words}")
        expect_in(f"receive-hashing: {words}\n", weir.sh("ethtool -k nic0"), "features")
        work[words] = carried(weir, 20000 + 1000 * n)
    weir.sh("ethtool -K nic0 rxhash off")
    expect(work["on"], work["off"], "frames by core with the chip's hash, and with ours")
    assert all(work["off"][1:]), f"expected work for each core, saw {work}"


def test_another_hash_under_traffic(weir):
    """Where the chip leaves the ports of UDP out its hash is another one: flows move when it is asked for, in order."""
    steer(weir, cpus="e")
    weir.quiet("ethtool -N nic0 rx-flow-hash udp4 sd")
    changes = "; ".join(f"ethtool -K nic0 rxhash {words}" for words in ("on", "off") * 5)
    for n in range(4):
        work = carried(weir, 30000 + 1000 * n, window=512, midway=lambda: weir.sh(changes))
    assert all(work[1:]), f"expected work for each core, saw {work}"
    weir.quiet("ethtool -N nic0 rx-flow-hash udp4 sdfn")


@pytest.mark.parametrize("policy", ["napi", "defer", "irq"])
def test_another_hash_where_frames_are_merged(weir, policy):
    """The same with GRO, which holds frames, and with a queue behind its interrupt; and who sums them changes as well."""
    steer(weir, cpus="e")
    weir.quiet("ethtool -N nic0 rx-flow-hash udp4 sd", f"policy nic0/* {policy}")
    weir.quiet("ethtool -K nic0 gro on rx-udp-gro-forwarding on")
    changes = "; ".join(f"ethtool -K nic0 rxhash {words} rx {words}" for words in ("on", "off") * 5)
    for n in range(3):
        flows = [stream(12 * n + k, 40, size=600, udp=k % 3) for k in range(12)]
        with weir.dropping():
            mixed = [(0, 1, flow, frame) for flow, frame in interleaved(n, flows)]
            weir.carry(mixed, window=128, midway=lambda: weir.sh(changes))
        weir.audit()
    weir.quiet("ethtool -K nic0 gro off rx-udp-gro-forwarding off", "policy nic0/* napi")
    weir.quiet("ethtool -N nic0 rx-flow-hash udp4 sdfn")


def knobs(weir, **values):
    for name, value in values.items():
        weir.sh(f"sysctl net.balance.{name}={value}")


MOVE = r"nic\d rx-\d(?: flow \d+)?: core (\d) \([\d.]+ %\) to (\d) .*: (to be judged|kept|taken back)"


def test_the_balancer_moves_load_and_judges_what_came_of_it(weir):
    """All flows on one core at first; under traffic the balancer finds others for some, frame by frame in order."""
    steer(weir, flows=32, cpus="f")
    weir.quiet(*(f"echo {entry}:1 > {QUEUES[0]}/rps_flows" for entry in range(32)))
    # an emulated core is as busy as its host lets it, so any core may be the hot one, and any gap will do
    knobs(weir, hot_percent=0, gap_percent=1, interval_ms=20, hold_seconds=0)
    weir.quiet("balance on")
    with weir.dropping():
        weir.carry(frames_of(32, 4000))
    weir.quiet("balance off")
    moves = re.findall(MOVE, weir.sh("balance"))
    assert moves, f"expected moves, saw {weir.sh('balance')}"
    assert all(here != there for here, there, _ in moves), f"a move goes elsewhere: {moves}"
    judged = [outcome for _, _, outcome in moves if outcome != "to be judged"]
    assert judged, f"expected a move that was judged, saw {moves}"
    knobs(weir, hot_percent=80, gap_percent=20, interval_ms=1000, hold_seconds=60)


def test_the_config_has_it(weir):
    steer(weir, flows=16, cpus="a")
    weir.quiet(f"echo 3:0 > {QUEUES[0]}/rps_flows")
    lines = weir.sh("show config").splitlines()
    for line in (
        f"echo 16 > {QUEUES[0]}/rps_flow_cnt",
        f"echo a > {QUEUES[0]}/rps_cpus",
        f"echo 3:0 > {QUEUES[0]}/rps_flows",
    ):
        assert line in lines, f"expected {line!r} in {lines}"


def test_files_say_what_they_take(weir):
    assert "a mask of cores in hex, at most f" in weir.sh(f"echo 10 > {QUEUES[0]}/rps_cpus")
    assert "nic0 has no queue rx-9, but rx-0 to rx-3" in weir.sh("echo 1 > /sys/class/net/nic0/queues/rx-9/rps_cpus")
    assert "no port nic7" in weir.sh("cat /sys/class/net/nic7/queues/rx-0/rps_cpus")
    expect(weir.sh("ls /sys/class/net/nic0/queues"), "rx-0/\nrx-1/\nrx-2/\nrx-3/\n", "queues of nic0")
