# SPDX-License-Identifier: MIT
"""How queues learn of work: each policy carries everything, changes under traffic, and shows in the counters"""

import pytest

from frames import numbered
from guests import config, echoes, guests, line
from weir import expect, expect_in

A, B = 1, 2  # stations behind nic0 and nic1
RULES = [f"ovs-ofctl add-flow sw0 priority=1,in_port={i},actions=output:{3 - i}" for i in (1, 2)]
GUEST_POLICIES = ["kick", "busyloop", "poll", "adaptive"]
G2, G3 = 2, 3
GUESTS = config(line(G2, cpu=1), line(G3, cpu=0, port="worker 1"))  # with its worker, and apart from it
POLICIES = ["irq", "napi", "defer", "suspend", "poll"]


@pytest.fixture
def weir(lab):
    """Two cores, two queues a NIC; rules instead of learning, so that nothing is flooded or forgotten."""
    weir = lab.get(nics=2, smp=2)
    weir.quiet(*RULES, "policy nic*/* napi")
    weir.wait_links()
    weir.hush(0.05)
    return weir


def frames_of(count, first=0, flows=16):
    return [
        (source, 1 - source, (source, n % flows), numbered(A + source, B - source, first + n, flow=n % flows))
        for n in range(count)
        for source in (0, 1)
    ]


def queues(weir, glob="*"):
    """{queue: (core, policy, now, packets, interrupts, polls, empty polls)} as `policy` shows them."""
    rows = [line.split() for line in weir.sh(f"policy {glob}").splitlines()[1:]]
    return {row[0]: (int(row[1]), row[2], row[3], *map(int, row[4:])) for row in rows}


def sums(weir):
    """Packets, interrupts, polls and empty polls of all queues together."""
    return [sum(column) for column in zip(*(row[3:] for row in queues(weir, "nic*/*").values()))]


def spent(weir, what):
    """What do() costs: packets, interrupts, polls, empty polls."""
    before = sums(weir)
    what()
    return [after - was for after, was in zip(sums(weir), before)]


@pytest.mark.parametrize("policy", POLICIES)
def test_each_carries(weir, policy):
    weir.quiet(f"policy nic*/* {policy}")
    with weir.dropping():
        for window in (1, 64):
            packets, interrupts, polls, _ = spent(weir, lambda: weir.carry(frames_of(300, window * 1000), window))
            expect(packets, 600, f"packets under {policy}, window {window}")
            if policy == "poll":
                expect(interrupts, 0, "interrupts of queues that are polled")
            elif policy == "irq":
                expect(polls, 0, "polls of queues that are received in their interrupts")
                assert window > 1 or interrupts >= 600, f"expected an interrupt a packet, saw {interrupts} for 600"
            else:
                assert interrupts > 0 and polls > 0, f"{policy}: expected interrupts and polls, saw {interrupts}, {polls}"


def test_fewer_interrupts_than_napi(weir):
    """Frames one by one: napi has an interrupt for each; deferring looks again by itself meanwhile."""
    _, napi, _, _ = spent(weir, lambda: weir.carry(frames_of(300), window=1))
    weir.quiet("policy nic*/* defer")
    _, deferred, _, empty = spent(weir, lambda: weir.carry(frames_of(300, 1000), window=1))
    assert deferred < napi, f"expected fewer interrupts than the {napi} of napi, saw {deferred}"
    assert empty > 0, "expected looks that found nothing, saw none"


def test_changes_under_traffic(weir):
    """From each policy to each other in the middle of a window of frames; none is lost, none overtaken."""
    number = 0
    with weir.dropping():
        for old in POLICIES:
            for new in POLICIES:
                weir.quiet(f"policy nic*/* {old}")
                number += 1000
                weir.carry(frames_of(60, number), midway=lambda: weir.quiet(f"policy nic*/* {new}"))
    expect({row[1] for row in queues(weir).values()}, {POLICIES[-1]}, "policies at the end")


def test_one_queue_alone(weir):
    weir.quiet("policy nic1/1 poll")
    expect({name: row[1] for name, row in queues(weir).items()},
           {"nic0/0": "napi", "nic0/1": "napi", "nic1/0": "napi", "nic1/1": "poll"}, "policies")  # fmt: skip
    expect_in("policy nic1/1 poll\n", weir.sh("show config"), "show config")
    weir.carry(frames_of(200))


def test_survives_port_down_and_up(weir):
    weir.quiet("policy nic*/* poll", "ip link set nic0 down")
    weir.quiet("ip link set nic0 up")
    weir.wait_links()
    weir.hush(0.3)
    _, interrupts, _, _ = spent(weir, lambda: weir.carry(frames_of(100)))
    expect(interrupts, 0, "interrupts")


def test_queue_moves_while_polled(weir):
    """The interrupt of a queue that has none moves to the other core: so does the polling."""
    number, _ = weir.interrupts()["nic0-TxRx-0"]
    weir.quiet("policy nic0/0 poll")
    with weir.dropping():
        weir.carry(frames_of(400), midway=lambda: weir.quiet(f"echo 2 > /proc/irq/{number}/smp_affinity"))
    expect(queues(weir)["nic0/0"][0], 1, "core of nic0/0")
    weir.carry(frames_of(100, 5000))
    weir.quiet(f"echo 1 > /proc/irq/{number}/smp_affinity")


def test_knobs_by_linux_files(weir):
    """Both knobs set: the queues of that NIC defer, as in Linux; one at 0 and they are napi again."""
    knobs = "/sys/class/net/nic0"
    weir.quiet(f"echo 5 > {knobs}/napi_defer_hard_irqs", f"echo 100000 > {knobs}/gro_flush_timeout")
    expect(weir.sh(f"cat {knobs}/napi_defer_hard_irqs {knobs}/gro_flush_timeout"), "5\n100000\n", "knobs")
    expect([row[1] for row in queues(weir).values()], ["defer", "defer", "napi", "napi"], "policies")
    expect_in("policy nic0/1 defer defer-hard-irqs 5 gro-flush-timeout 100000\n", weir.sh("show config"), "show config")
    weir.carry(frames_of(100))
    weir.quiet(f"echo 0 > {knobs}/napi_defer_hard_irqs", f"echo 0 > {knobs}/gro_flush_timeout")
    expect({row[1] for row in queues(weir).values()}, {"napi"}, "policies")
    weir.quiet("policy nic1/0 suspend irq-suspend-timeout 3000000")
    expect_in("policy nic1/0 suspend irq-suspend-timeout 3000000\n", weir.sh("show config"), "show config")
    weir.quiet("policy nic1/0 napi irq-suspend-timeout 0")
    assert "policy nic" not in weir.sh("show config"), "expected no line of a policy"


@pytest.mark.parametrize("policy", POLICIES)
def test_line_of_an_82540(lab, policy):
    """The same by INTx, where link and queue share a level-triggered line."""
    weir = lab.get(nics=2, e1000={0: 0x10, 1: 0x11})
    weir.quiet("policy nic*/* napi")
    weir.wait_links()
    weir.hush(0.05)
    weir.quiet(*RULES, f"policy nic*/* {policy}")
    with weir.dropping():
        weir.carry(frames_of(200, flows=8))
        weir.carry(frames_of(50, 1000), window=1)


# --- guests' rings ----------------------------------------------------------------------------------------------------


@pytest.fixture
def guest(lab):
    """Two cores, a guest that shares core 1 with its worker and one that does not."""
    weir = lab.get(nics=1, smp=2, config=GUESTS, files=("tiny",))
    guests(weir, G2, G3)
    weir.quiet("policy p*/* adaptive")
    return weir


@pytest.mark.parametrize("number", [G2, G3])
@pytest.mark.parametrize("policy", GUEST_POLICIES)
def test_each_serves_a_guest(guest, policy, number):
    guest.quiet(f"policy p{number}/* {policy} busyloop-timeout 1000")
    tx = f"p{number}/tx"
    for window in (1, 32):
        before = queues(guest)[tx]
        with guest.dropping():
            guest.carry([echoes(window * 10000 + n, number, flow=n % 4) for n in range(200)], window)
        packets, kicks, polls, _ = (now - was for now, was in zip(queues(guest)[tx][3:], before[3:]))
        expect(packets, 200, f"packets of {tx} under {policy}")
        if policy == "poll":
            expect(kicks, 0, f"kicks of {tx}, which is polled")
        if policy == "kick":
            expect(polls, 0, f"looks at {tx} that nobody kicked for")
            assert window > 1 or kicks >= 190, f"{tx}: expected a kick for each of 200 packets, saw {kicks}"


def test_guests_policies_change_under_traffic(guest):
    number = 100000
    for old in GUEST_POLICIES:
        for new in GUEST_POLICIES:
            guest.quiet(f"policy p*/* {old}")
            number += 1000
            frames = [echoes(number + n, G2 + n % 2, flow=n % 4) for n in range(120)]
            with guest.dropping():
                guest.carry(frames, 32, midway=lambda: guest.quiet(f"policy p*/* {new}"))


def test_polled_guest_computes_on(guest):
    """A guest that never leaves the core by itself: slices end, and its ring is looked at."""
    guest.quiet("policy p2/tx poll")
    tiny = guests(guest, G2)[0]
    tiny.begin("spin 1000ms")
    guest.carry([echoes(200000 + n, G3) for n in range(50)], 4)
    tiny.finish()
    expect_in("policy p2/tx poll", guest.sh("show config"), "show config")


def test_guest_resets_while_polled(guest):
    guest.quiet("policy p2/* poll", "guest reset g2")
    tiny = guests(guest, G2)[0].wait_driven()
    tiny.answers_arp(station=1)
    guest.carry([echoes(300000 + n, G2) for n in range(50)], 4)


# --- words ------------------------------------------------------------------------------------------------------------


def test_wrong_words(weir):
    expect_in("expected a queue, as nic0/0", weir.sh("policy nic9/0 poll"), "answer")
    expect_in("expected irq, napi, defer", weir.sh("policy nic0/0 kick"), "answer")
    expect_in("expected a knob of that queue", weir.sh("policy nic0/0 poll 3"), "answer")
    expect_in("expected a number", weir.sh("policy nic0/0 defer gro-flush-timeout x"), "answer")
