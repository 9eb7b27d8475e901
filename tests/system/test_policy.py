# SPDX-License-Identifier: MIT
"""How queues learn of work: each policy carries everything, changes under traffic, and shows in the counters"""

import concurrent.futures
import re

import pytest

from frames import numbered
from guests import config, echoes, guests, line
from weir import expect, expect_in, expect_match

A, B = 1, 2  # stations behind nic0 and nic1
RULES = [f"ovs-ofctl add-flow sw0 priority=1,in_port={i},actions=output:{3 - i}" for i in (1, 2)]
GUEST_POLICIES = ["kick", "busyloop", "poll", "adaptive"]
G2, G3 = 2, 3
GUESTS = config(line(G2, cpu=1), line(G3, cpu=0, port="worker 1"))  # with its worker, and apart from it
POLICIES = ["irq", "napi", "defer", "suspend", "poll", "adaptive"]


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


def moves(weir):
    """From one policy to another, of adaptive queues, so far."""
    return sum(int(n) for n in re.findall(r", moves while adaptive (\d+)$", weir.sh("napi"), re.MULTILINE))


def test_adaptive_moves_with_the_rate(weir):
    """With thresholds that this machine reaches however slow: up under traffic, and back when nothing comes."""
    weir.sh("sysctl kernel.policy_defer_pps=1")
    weir.sh("sysctl kernel.policy_poll_pps=100000000")
    weir.quiet("policy nic0/0 adaptive")
    weir.carry(frames_of(1000))
    expect(queues(weir)["nic0/0"][2], "defer", "what an adaptive queue does after many frames")
    weir.sh("sysctl kernel.policy_poll_pps=1")
    before = moves(weir)
    weir.carry(frames_of(1000, 2000))
    weir.wait_sh("policy nic0/0", lambda text: "adaptive  napi" in text, "napi again when nothing comes")
    assert moves(weir) >= before + 2, f"expected moves to poll and back after {before}, saw {moves(weir)}"
    for knob, value in (("defer", 20000), ("poll", 200000)):
        weir.sh(f"sysctl kernel.policy_{knob}_pps={value}")


def test_moderation(weir):
    """adaptive-rx: the queues look for their throttles while frames flow, and none is lost."""
    weir.quiet("ethtool -C nic0 adaptive-rx on")
    expect_in("Adaptive RX: on  TX: n/a", weir.sh("ethtool -c nic0"), "ethtool -c")
    expect_in("ethtool -C nic0 adaptive-rx on\n", weir.sh("show config"), "show config")
    with weir.dropping():
        weir.carry(frames_of(1500), midway=lambda: weir.quiet("policy nic0/* defer"))
    chosen = weir.sh("cat /sys/class/net/nic0/throttle")
    for queue in (0, 1):
        expect_match(rf"^queue {queue}: (1|8|64|128|256) us, by adaptive-rx$", chosen, "what it has chosen")
    assert "real:" not in chosen, f"expected nothing said of what is not in force, saw\n{chosen}"
    weir.quiet("ethtool -C nic0 adaptive-rx off rx-usecs 0", "policy nic0/* napi")
    expect_in("real: 0.000 us\n", weir.sh("cat /sys/class/net/nic0/throttle"), "without")
    expect_in("expected on or off", weir.sh("ethtool -C nic0 adaptive-rx maybe"), "answer")


def storms(weir):
    return sum(int(n) for n in re.findall(r"^  storms (\d+),", weir.sh("napi"), re.MULTILINE))


def test_throttle_timers_are_no_storm(weir):
    """They interrupt without a cause, once behind each interrupt: beyond the limit, and borne."""
    before = storms(weir)
    weir.sh("sysctl kernel.irq_storm_limit=5")
    weir.quiet("ethtool -C nic0 rx-usecs 20")
    _, interrupts, polls, empty = spent(weir, lambda: [weir.carry(frames_of(100, 100 * n), 1) for n in range(20)])
    assert empty > 100, f"expected the timers to interrupt, saw {interrupts} interrupts, {polls} polls, {empty} of them empty"
    weir.sh("sysctl kernel.irq_storm_limit=10000")
    weir.quiet("ethtool -C nic0 rx-usecs 0")
    expect(storms(weir), before, "storms")


def interrupts_without_cause(weir, times):
    """nic0 raises its first queue's: EICS, written from outside through its I/O window, address and then data."""
    monitor = lambda command: weir.qmp("human-monitor-command", **{"command-line": command})  # noqa: E731
    ports = re.findall(r'BAR2: I/O at (0x\w+)|id "(\w+)"', monitor("info pci"))
    window = int(ports[ports.index(("", "igb0")) - 1][0], 16)
    monitor(f"o/w {window:#x} 0x1520")
    for _ in range(times):
        monitor(f"o/w {window + 4:#x} 1")


def test_storm(weir):
    """More of them than the limit: the queue is polled by timer for a while, and its frames come through all the same."""
    weir.sh("sysctl kernel.irq_storm_limit=50")
    before, end = storms(weir), 30
    while storms(weir) == before and end:
        end -= 1
        interrupts_without_cause(weir, 100)
    weir.carry(frames_of(200))
    weir.sh("sysctl kernel.irq_storm_limit=10000")
    assert end, f"expected a storm, saw\n{weir.sh('napi')}"
    expect_match(r"irq: nic0/0 had \d+ interrupts in a second, most of them without work", weir.text(), "console")


def test_measured(weir):
    weir.quiet("napi measure on")
    weir.carry(frames_of(300))
    text = weir.sh("napi histogram")
    weir.quiet("napi measure off")
    for what in ("nanoseconds a packet waited for its poll", "nanoseconds from poll to poll"):
        found = re.findall(rf"^nic0-TxRx-\d, {what}: (\d+), half of them", text, re.MULTILINE)
        expect(len(found), 2, f"queues of nic0, '{what}', in\n{text}")
    waited = re.findall(r"^nic0-TxRx-\d, nanoseconds a packet waited for its poll: (\d+)", text, re.MULTILINE)
    expect(sum(map(int, waited)), 300, "packets whose wait was measured")
    depth = re.findall(r"buffers with packets that a poll found: (\d+), .*at most (\d+)$", text, re.MULTILINE)
    assert depth and all(int(most) >= 1 for _, most in depth), f"depths in\n{text}"
    weir.quiet("policy nic*/* poll", "napi measure on")
    weir.carry(frames_of(100, 1000))
    text = weir.sh("napi histogram")
    weir.quiet("napi measure off", "policy nic*/* napi")
    drawn = re.findall(r"^(nic\S+, .*?: (\d+).*)\n((?:\[.*\|\n)*)", text, re.MULTILINE)
    expect(len(drawn), 4 * 3, f"histograms in\n{text}")
    for head, count, bars in drawn:
        expect(sum(map(int, re.findall(r"^\[.*[)\]] +(\d+) \|", bars, re.MULTILINE))), int(count), f"sum of the bars of '{head}'")


def test_counts_add_up_while_polled(weir):
    """Whoever reads them does not stop the core that counts: what is printed belongs together all the same."""
    weir.quiet("policy nic*/* poll")
    for turn in range(5):
        weir.carry(frames_of(50, turn * 1000))
        text = weir.sh("napi")
        queues_of = re.findall(r"^  polls (\d+) \(empty (\d+)\).*\n(?:  [bsm].*\n)*?  batches (.*)$", text, re.MULTILINE)
        expect(len(queues_of), 4, f"queues in\n{text}")
        for polls, empty, batches in queues_of:
            took = [int(n) for n in re.findall(r":(\d+)", batches)]
            expect((sum(took), took[0]), (int(polls), int(empty)), f"polls, and those that took nothing, by the batches of\n{text}")
        for name, (*_, polls, empty) in queues(weir, "nic*/*").items():
            assert empty <= polls, f"{name}: expected no more empty polls than polls, saw {empty} and {polls}"
    weir.quiet("policy nic*/* napi")


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


OTHERS = {"82540EM": "e1000", "82574L": "e1000e"}  # the one by INTx, where link and queue share a level-triggered line


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("chip", OTHERS)
def test_other_chips(lab, chip, policy):
    """The same by those that interrupt in other ways."""
    weir = lab.get(nics=2, **{OTHERS[chip]: {0: 0x10, 1: 0x11}})
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
        packets, kicks, polls, empty = (now - was for now, was in zip(queues(guest)[tx][3:], before[3:]))
        expect(packets, 200, f"packets of {tx} under {policy}")
        assert empty <= polls, f"{tx}: expected no more empty polls than polls, saw {empty} and {polls}"
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


# --- comparing, and what the cores do -----------------------------------------------------------------------------


def while_traffic(weir, line):
    """What @line printed, frames passing from its first moment to its last: none lost."""
    with weir.dropping(), concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer, number = pool.submit(weir.sh, line, 60), 0
        while not answer.done():
            number += 1000
            weir.carry(frames_of(50, number), 8)
        return answer.result()


def compared(text):
    """[(policy, [packets, p50, ..., max, interrupts, polls, empty, exits], busy)] of `policy compare`."""
    rows = [line.split() for line in text.splitlines()[1:4]]
    return [(row[0], [int(n) for n in row[1:-1]], float(row[-1])) for row in rows]


def test_compare(weir):
    text = while_traffic(weir, "policy compare nic0/0 napi poll 1s")
    expect(text.split("\n")[0].split(), "POLICY PACKETS P50 P90 P99 P99.9 MAX INTERRUPTS POLLS EMPTY EXITS BUSY".split(),
           "head of the table")  # fmt: skip
    phases = compared(text)
    expect([name for name, _, _ in phases], ["napi", "poll", "napi"], "phases")
    for name, (packets, *waits, interrupts, polls, empty, exits), busy in phases:
        assert packets > 0, f"{name}: expected packets, saw none in\n{text}"
        expect(waits, sorted(waits), f"percentiles of {name}")
        assert waits[-1] > 0, f"{name}: expected that packets waited, saw\n{text}"
        assert (interrupts == 0) == (name == "poll"), f"{name}: interrupts in\n{text}"
        assert 0 < polls and empty <= polls, f"{name}: polls in\n{text}"
        expect(exits, 0, "exits of no guests")
        assert busy == 100 if name == "poll" else busy < 100, f"{name}: busy share in\n{text}"
    expect_match(r"^better: (napi|poll), by \w+", text, "verdict")
    expect(queues(weir)["nic0/0"][1], "napi", "policy afterwards")


def test_compare_keeps_the_better(weir):
    text = while_traffic(weir, "policy compare nic0/1 defer irq 1s --keep-best")
    better = expect_match(r"^better: (\w+), by ", text, "verdict")[1]
    expect(queues(weir)["nic0/1"][1], better, "policy afterwards")


def test_compare_changes_nothing_else(weir):
    """Knobs and measuring stay as they are; without packets there is no verdict."""
    weir.quiet("policy nic0/0 defer defer-hard-irqs 10 gro-flush-timeout 50000", "napi measure on")
    text = weir.sh("policy compare nic0/0 napi suspend 1s --keep-best", 60)
    expect(text.splitlines()[-1], "no packets came: nothing to compare", "verdict")
    expect_in("policy nic0/0 defer defer-hard-irqs 10 gro-flush-timeout 50000\n", weir.sh("show config"), "show config")
    weir.carry(frames_of(100))
    waits = re.findall(r"^nic0-TxRx-\d, .* waited for its poll: (\d+)", weir.sh("napi histogram"), re.MULTILINE)
    expect(sum(map(int, waits)), 100, f"packets of nic0 measured, by queue {waits}")
    weir.quiet("napi measure off", "policy nic0/0 napi gro-flush-timeout 0")


def test_compare_a_guests_ring(guest):
    """The same table: how long frames wait for the worker, and exits among it."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer, number = pool.submit(guest.sh, "policy compare p2/tx kick adaptive 1s", 60), 400000
        while not answer.done():
            number += 100
            guest.carry([echoes(number + n, G2) for n in range(20)], 1)
        text = answer.result()
    rows = [line.split() for line in text.splitlines()[1:4]]
    expect([row[0] for row in rows], ["kick", "adaptive", "kick"], "phases")
    for row in rows:
        waits = [int(n) for n in row[2:7]]
        expect(waits, sorted(waits), f"percentiles of {row[0]}")
        assert waits[-1] > 0, f"expected that frames waited, saw\n{text}"
        assert int(row[1]) > 0 and int(row[10]) > 0, f"expected packets and exits, saw {row}"
    expect(queues(guest)["p2/tx"][1], "adaptive", "policy afterwards")


CPU = r"^%Cpu(\d+) *: +([\d.]+) busy, +([\d.]+) sy, +([\d.]+) gu, +([\d.]+) id, +([\d.]+) hi, +([\d.]+) si$"


def test_top(guest):
    """One guest computes on core 1 and one sleeps; core 0 is polled."""
    tiny = guests(guest, G2)[0]
    guest.quiet("policy nic0/0 poll")
    tiny.begin("spin 4000ms")
    text = guest.sh("top 1 2", 30)
    guest.quiet("policy nic0/0 napi")
    tiny.finish()
    expect(text.count("top - up "), 2, f"rounds in\n{text}")
    cores = {int(core): [float(n) for n in rest] for core, *rest in re.findall(CPU, text, re.MULTILINE)}
    expect(sorted(cores), [0, 1], f"cores in\n{text}")
    for busy, sy, gu, idle, hi, si in cores.values():
        sums = [round(10 * sum(shares)) for shares in ((busy, idle), (sy, gu, idle, hi, si))]
        expect(sums, [1000, 1000], f"thousandths in all, in\n{text}")
    assert cores[0][5] > 50 and cores[0][3] < 20, f"expected core 0 busy with softirqs, saw\n{text}"
    assert cores[1][2] > 50, f"expected a guest on core 1 most of the time, saw\n{text}"
    shares = {name: float(cpu) for name, cpu in re.findall(r"^(g\d) +0 +\d +([\d.]+) +\d+$", text, re.MULTILINE)}
    assert shares["g2"] > 50 > shares["g3"], f"expected g2 to have most, saw\n{text}"


def ipis(weir):
    """Sent to each of two cores so far."""
    found = expect_match(r"RES: +(\d+) +(\d+)", weir.sh("cat /proc/interrupts"), "IPIs")
    return [int(n) for n in found.groups()]


IDLE_FRAMES = 40


# of the frames, half are on core 1. QEMU's MWAIT comes back at once, and a core on its way around is not asleep by it
@pytest.mark.parametrize("mode, least, most", [("hlt", 16, 40), ("mwait", 0, 15), ("spin", 0, 4)])
def test_idle(weir, mode, least, most):
    """However a core sleeps it wakes for what comes; without HLT it needs no IPI."""
    expect(weir.sh(f"sysctl kernel.idle={mode}"), f"kernel.idle = {mode}\n", "answer")
    for name, (number, _) in weir.interrupts().items():
        if name.startswith("nic1-TxRx-"):
            weir.quiet(f"echo 1 > /proc/irq/{number}/smp_affinity")  # what comes in on core 1 leaves by core 0
    weir.carry(frames_of(20))  # and whoever sleeps by the old mode has woken
    before = ipis(weir)
    with weir.dropping():
        for frame in frames_of(IDLE_FRAMES, 1000)[::2]:  # by nic0, half of them on core 1
            weir.carry([frame])  # with a pause behind it: nobody is busy when the next one comes
        new = ipis(weir)[0] - before[0]
        weir.carry(frames_of(300, 2000))
    expect_in(f"sysctl kernel.idle={mode}\n", weir.sh("show config"), "show config")
    assert least <= new <= most, f"{mode}: expected {least} to {most} IPIs to core 0 for {IDLE_FRAMES} frames, saw {new}"
    weir.sh("sysctl kernel.idle=hlt")
    for name, (number, _) in weir.interrupts().items():
        if name.startswith("nic1-TxRx-"):
            weir.quiet(f"echo {1 << int(name[-1])} > /proc/irq/{number}/smp_affinity")


def test_idle_on_one_core(lab):
    weir = lab.get(nics=2, smp=1)
    weir.wait_links()
    weir.quiet(*RULES)
    for mode in ("mwait", "spin", "hlt"):
        weir.sh(f"sysctl kernel.idle={mode}")
        weir.carry(frames_of(100), window=1)
        weir.carry(frames_of(100, 1000))
    expect_in("expected hlt, mwait or spin, found 'x'", weir.sh("sysctl kernel.idle=x"), "answer")


# --- words ------------------------------------------------------------------------------------------------------------


def test_wrong_words(weir):
    expect_in("expected a queue, as nic0/0", weir.sh("policy nic9/0 poll"), "answer")
    expect_in("expected irq, napi, defer", weir.sh("policy nic0/0 kick"), "answer")
    expect_in("expected a knob of that queue", weir.sh("policy nic0/0 poll 3"), "answer")
    expect_in("expected seconds of each phase", weir.sh("policy compare nic0/0 napi poll"), "answer")
    expect_in("expected a queue", weir.sh("policy compare nic0/* napi poll 1s"), "answer")
    expect_in("expected a number", weir.sh("policy nic0/0 defer gro-flush-timeout x"), "answer")
    expect_in("expected a knob of that queue", weir.sh("policy nic*/* defer defer-hard-irqs 5 gro-flush 1"), "answer")
    assert "policy nic" not in weir.sh("show config"), "expected nothing changed by a line that was refused"
