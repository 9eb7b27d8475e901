# SPDX-License-Identifier: MIT
"""Weir on an Intel machine, in Bochs: everything on one boot with one core and one with two

Bochs runs 30 to 100 million instructions a second and counts time in them, so waits are about what must happen and
not about how long it takes. Started from a CD by GRUB, on an i440FX: PCI by ports, one IOAPIC, an 82540EM for each
guest, as Bochs lets in frames for the NIC's own address alone. Guests run by VT-x: two, on one core or on both.
"""

import concurrent.futures
import os
import re
import subprocess

import pytest

import bochs
import checks
from frames import mac, numbered, ping
from guests import Tiny, config, died, echoes, latencies, line, pings
from story import in_order, one
from weir import PANICKED, TOP, BochsWeir, Trouble, expect, expect_in, expect_match, plain

MACHINE = BochsWeir  # of the lab
CORES = [1, 2]
SELFTESTS = {"rights", "share", "park", "timer", "qsbr", "libc", "edu", "pci"}
ABSENT = {"edu", "pci"}  # no such device, no memory-mapped configuration space
A, B = 1, 20  # stations behind nic0 and nic1
G2, G3 = 2, 3  # guests; A reaches the first, B the second
PROBE = 0x53  # the tiny guest's vector for what the operator posts


def guests_on(smp):
    """Both on core 0; or the first on both cores with two vCPUs, and the second on core 1, its worker on core 0."""
    if smp == 1:
        return config(line(G2), line(G3))
    return config(line(G2, vcpus=2, cpu="0,1"), line(G3, cpu=1, port="worker 0"))


@pytest.fixture(params=CORES, ids=["one-core", "two-cores"])
def weir(request, lab):
    smp = request.param
    weir = lab.get(smp=smp, macs=(mac(G2), mac(G3)), config=guests_on(smp), files=("tiny", "tiny.elf"))
    weir.resume()
    weir.wait_links()
    weir.two, weir.three = Tiny(weir, G2).answers_arp(A, 0), Tiny(weir, G3).answers_arp(B, 1)
    weir.hush(0.02)
    yield weir
    if not weir.spoiled and not weir.hung_up:
        weir.audit()
        weir.pause()


def asks(guest, number, size=60, flow=0):
    """An item for carry(): a datagram to the guest's echo port by the NIC that reaches it, and the answer."""
    return echoes(number, guest, size, flow, *{G2: (A, 0), G3: (B, 1)}[guest])


# --- the machine itself -----------------------------------------------------------------------------------------------


def test_boots(weir):
    said = weir.booted()
    expect_match(r"^Weir: .*; started by multiboot2$", said, "banner")
    expect_match(r"^memory: 255 MiB; ", said, "memory of a machine with 256 MiB")
    expect_match(rf"^smp: {weir.smp} cores?, x2APIC$", said, "cores")
    expect_match(r"^pci: 7 functions by CF8$", said, "functions of an i440FX with two NICs, without ECAM")
    expect(weir.sh("echo one 'two  three'"), "one two  three\n", "output of echo")


def test_tsc_is_measured_right(weir):
    """The TSC counts instructions, so its rate is known from outside: 10 MHz."""
    rate = float(expect_match(r"TSC: (\d+\.\d+) MHz", weir.booted(), "the rate")[1])
    assert abs(rate - 10) < 0.01, f"expected a TSC of 10 MHz within a thousandth, saw {rate}"


def test_functions_of_the_board(weir):
    said = weir.sh("lspci")
    expect_match(r"^00:00\.0 Host bridge: Intel 440FX \[8086:1237\]$", said, "its host bridge")
    expect_match(r"^00:02\.0 Ethernet controller: Intel 82540EM \[8086:100e\]", said, "its NIC")


def test_selftest(weir):
    said = weir.sh("selftest", 60)
    results = dict(re.findall(r"^selftest (\S+): (.*)$", said, re.MULTILINE))
    expect(set(results), SELFTESTS, f"self-tests that ran, in\n{said}\n")
    for name in SELFTESTS - ABSENT:
        expect(results[name], "ok", f"selftest {name} on {weir.smp} cores, which said\n{said}\n")
    for name in ABSENT:
        expect_in("skipped", results[name], f"selftest {name}")


def test_timers_interrupt_each_core(weir):
    before = local_interrupts(weir, "LOC")
    expect_in("selftest timer: ok", weir.sh("selftest timer"), "self-test")
    expect_in("selftest share: ok", weir.sh("selftest share"), "self-test")
    after = local_interrupts(weir, "LOC")
    assert after[0] > before[0], f"expected more timer interrupts on core 0 than {before}, saw {after}"


def test_keys_interrupt_whatever_core_they_are_sent_to(weir):
    """COM1 is an edge at the IOAPIC."""
    number, _ = weir.interrupts()["ttyS0"]
    for core in [*range(weir.smp), 0]:
        weir.quiet(f"echo {1 << core} > /proc/irq/{number}/smp_affinity")
        _, before = weir.interrupts()["ttyS0"]
        _, after = weir.interrupts()["ttyS0"]
        more = [now - then for now, then in zip(after, before)]
        assert more[core] > 0, f"expected keys to interrupt core {core}, saw {more} interrupts"
        expect(sum(more), more[core], f"interrupts on all cores and on core {core}")


@pytest.mark.parametrize("weir", [2], indirect=True, ids=["two-cores"])
def test_cores_interrupt_each_other(weir):
    before = local_interrupts(weir, "RES")
    expect_in("selftest qsbr: ok", weir.sh("selftest qsbr"), "self-test")
    expect_in("selftest park: ok", weir.sh("selftest park"), "self-test")
    after = local_interrupts(weir, "RES")
    assert after[1] > before[1], f"expected core 1 to be woken more often than {before}, saw {after}"


def local_interrupts(weir, kind):
    """One count a core."""
    row = expect_match(rf"^ *{kind}:((?: +\d+)+) ", weir.sh("cat /proc/interrupts"), f"row {kind}")
    return [int(count) for count in row[1].split()]


# --- guests, by VT-x --------------------------------------------------------------------------------------------------


def test_what_the_cpu_offers(weir):
    expect_match(r"^vmm: VT-x, nested paging; has .*virtual-interrupts.* preemption-timer, vpid$", weir.booted(), "vmm")
    row = expect_match(r"^g3 +(.*)$", weir.sh("guest list"), "guest list")[1].split()
    expect(row, ["running", "1", str(weir.smp - 1), "16", "MiB", "tiny", "p3"], "g3 in 'guest list'")


FEATURES = ["tpr-shadow", "apic-registers", "virtual-interrupts", "posted-interrupts", "preemption-timer", "vpid"]
WITHOUT = "irq irq-nested shadow nmi timer xapic level tlb"  # checks of what the features are about


@pytest.mark.parametrize("feature", FEATURES)
def test_without_a_feature(weir, feature):
    """Each is switched off and on again while guests run, and they see no difference."""
    weir.quiet(f"guest features {feature} off")
    expect_match(rf"^{feature} +yes +off ", weir.sh("guest features"), f"row of {feature}")
    said = weir.three.run(";".join(f"check {name}" for name in WITHOUT.split()), 120)
    weir.quiet(f"guest features {feature} on")
    passed = re.findall(r"^ok check ([a-z-]+)$", said, re.MULTILINE)
    expect(passed, WITHOUT.split(), f"checks that pass without {feature} in\n{said}")
    weir.three.ok("check irq")


def test_what_cannot_be_switched(weir):
    for feature in ("ept", "unrestricted-guest", "apic-accesses"):
        expect_in(f"{feature} is always on: ", weir.sh(f"guest features {feature} off"), f"{feature} off")


def test_a_pvh_kernel(weir):
    """It begins in 32-bit protected mode without paging."""
    if "g4 " not in weir.sh("guest list"):
        weir.quiet("guest create g4 memory 16 kernel tiny.elf")
    weir.quiet("guest start g4")
    weir.wait_sh("guest log g4", lambda text: "tiny: ready\n" in text, "g4 to be ready", 60)
    weir.quiet("guest stop g4")


def test_ping(weir):
    """Each answered, byte for byte, also when they come one at a time."""
    for window in (1, 32):
        with weir.dropping():
            weir.carry(pings(100, G2, A), window)


def test_every_size(weir):
    with weir.dropping():
        weir.carry([asks(guest, n, size) for n, size in enumerate(range(60, 1515, 67)) for guest in (G2, G3)], 8)
        weir.carry([asks(guest, size, size) for size in (1512, 1513, 1514) for guest in (G2, G3)], 8)


def test_many(weir):
    """A thousand with 64 under way: none lost, and each flow in order."""
    before = weir.two.device()
    with weir.dropping():
        weir.carry([asks(guest, n, 60 + n % 100, flow=n % 16) for n in range(500) for guest in (G2, G3)])
    new = {what: n - before[what] for what, n in weir.two.device().items()}
    assert min(new["rx packets"], new["tx packets"]) >= 500, f"expected 500 packets in both rings, saw {new}"


def test_guest_to_guest(weir):
    """By the switch alone, nothing of it on the wires."""
    weir.two.ok(f"udp 10.0.0.{G3}")  # to ask for the address is heard on the wires
    weir.hush(0.05)
    with weir.dropping():
        for size in (18, 700, 1472):
            said = weir.two.ok(f"udp 10.0.0.{G3} 7 100 {size}", 60)
            expect_match(r"^ok sent 100 received 100 reordered 0 bad 0$", said, f"echo of {size} bytes from g3 to g2")
        expect(weir.hush(0.1), [], "frames that left by a NIC")


def test_checks_in_both_at_once(weir):
    """What each finds of the machine that it believes it has, while the other one looks at its own."""
    results = checks.run(weir.two, weir.three)
    if weir.smp == 2:
        checks.record("Bochs-VMX", weir, checks.worst(*results))
    for guest, seen in zip((weir.two, weir.three), results):
        expect(checks.failed(seen), {}, f"checks that failed in {guest.name}")


def test_pages_of_two_guests_on_one_core(weir):
    """The same addresses, another pattern in each guest; their turns end, and each sees its own pages."""
    commands = [(weir.two, "check tlb-guests 1 300"), (weir.three, "check tlb-guests 14 300")]
    for guest, command in commands:
        guest.begin(command)
    for guest, command in commands:
        guest.good(guest.finish(60), command)


@pytest.mark.parametrize("weir", [1], indirect=True, ids=["one-core"])
def test_registers_of_two_guests_on_one_core(weir):
    """Patterns in vector, x87 and debug registers, another in each guest, while slices end and packets go by.

    They were on the core in turns, or the test would show nothing: each saw the preemption timer end its slices.
    """
    before = [guest.exits()["slice"] for guest in (weir.two, weir.three)]
    weir.two.begin("check fpu 1 60;check dr 5 40")
    weir.three.begin("check fpu 14 60;check fpu 7 40")
    for guest in (weir.two, weir.three):
        guest.good(guest.finish(120), "check")
    ended = [guest.exits()["slice"] - n for guest, n in zip((weir.two, weir.three), before)]
    assert min(ended) >= 5, f"expected the timer to end each guest's run 5 times and more, saw {ended}"


def test_nmi(weir):
    """To a guest that sleeps, and to one that has interrupts off and runs."""
    count = lambda: int(expect_match(r"^ok (\d+) NMIs, 0 stray", weir.two.ok("nmi"), "NMIs")[1])  # noqa: E731
    before = count()
    weir.quiet("guest nmi g2")
    weir.two.ok("echo awake")
    weir.two.begin("spin 300ms")
    weir.quiet("guest nmi g2")
    weir.two.finish()
    expect(count() - before, 2, "NMIs that it took")


def test_the_next_frame_is_told_of(weir):
    """trace one with the 82540EM's descriptors, up to an entry by VT-x with the interrupt, and what made the guest exit."""
    ask, answer = ping(A, G2, 7)
    lines, text = one(weir, "nic0", ask)
    expect(weir.recv(0, 30), answer, "the guest's answer")
    in_order(
        lines, r"hard interrupt: vector \d+, irq number", r"nic0: write IMC 0x000d8", r"\* descriptor_done:", r"\* ovs_dp_process_packet:",
        r"\* tun_net_xmit:", r"\* vhost_add_used:", r"VM entry: g2/\d runs", r"VM exit of g2/\d: [a-z]",
    )  # fmt: skip
    expect_match(r"before: posted: buffer address (0x\w+), status 0 .* after: given back: length 60, .* buffer address \1 ", text, "descriptors")
    weir.quiet("trace clear")


def test_exits_add_up(weir):
    """Each entry ended in one exit, each exit has its reason; 1,000 CPUIDs are 1,000 exits."""
    before = weir.two.wait_asleep().exits()
    weir.two.ok("cpuid 1000")
    after = weir.two.wait_asleep().exits()
    assert 1000 <= after["cpuid"] - before["cpuid"] < 1010, f"expected 1,000 CPUID exits and hardly more, saw {after}"
    reasons = [n for name, n in after.items() if name not in ("all", "entries", "injected", "nmis", "again")]
    expect(after["all"], sum(reasons), "the sum of all reasons")
    assert 0 <= after["entries"] - after["all"] <= 1, f"expected an exit for each entry, saw {after}"


MODES = {  # exits for a packet that comes alone and goes back, at most; and those for the end of its interrupt
    "kick": (4.2, 1),
    "entry": (4.2, 1),
    "posted": (3.2, 0),
}


@pytest.mark.parametrize("mode", MODES)
def test_exits_a_packet_by_the_way_of_injection(weir, mode):
    """Interrupt of the NIC or of the other core, HLT, the doorbell; and the end of interrupt, unless the CPU does it."""
    most, ends = MODES[mode]
    weir.quiet(f"guest injection g3 {mode}")
    before = weir.three.wait_asleep().exits()
    with weir.dropping():
        weir.carry([asks(G3, n) for n in range(200)], 1)
    after = weir.three.wait_asleep().exits()
    each = {name: (n - before.get(name, 0)) / 200 for name, n in after.items()}
    assert each["all"] <= most, f"mode {mode}: expected {most} exits a packet at most, saw {each}"
    expect((round(each["io"]), round(each["wrmsr"])), (1, ends), f"doorbells and ends of interrupts in {each}")


@pytest.mark.parametrize("mode", MODES)
def test_injection_while_the_guest_computes(weir, mode):
    """It takes what is posted, on its own core and from the other."""
    weir.quiet(f"guest injection g3 {mode}", "guest injection g3 reset")
    weir.three.type("spin 3600000ms")
    weir.wait_sh("guest info g3", lambda text: " running, " in text, "g3 to spin")
    expect(weir.sh(f"guest injection g3 test 20 {PROBE}", 60), "g3 took 20\n", "what it took")
    said = weir.sh("guest injection g3")
    weir.quiet("guest reset g3")
    here, others, kicks, saved, _ = (int(n) for n in expect_match(rf"^{mode}((?: +\d+){{5}})$", said, mode)[1].split())
    posts, none = (here, others) if weir.smp == 1 else (others, here)
    assert posts >= 20 and none == 0, f"expected 20 posts and more from one side, saw {said}"
    expect(kicks + saved, others, "posts from others, kicked or not")
    if others and mode == "kick":
        expect(saved, 0, "kicks saved")
    elif others:
        assert saved >= 20, f"mode {mode}: expected the guest to be left alone 20 times, saw {said}"


def test_latency_of_each_mode(weir):
    """From the post to the handler's first instructions, by the guest's word: the measure that all modes have."""
    weir.three.ok("stamps on")
    weir.three.type("spin 3600000ms")
    weir.wait_sh("guest info g3", lambda text: " running, " in text, "g3 to spin")
    weir.quiet("guest injection g3 reset", "guest injection g3 measure on")
    for mode in MODES:
        weir.quiet(f"guest injection g3 {mode}")
        expect(weir.sh(f"guest injection g3 test 20 {PROBE} 5000", 120), "g3 took 20\n", "what it took")
    seen, text = latencies(weir, "g3"), weir.sh("guest injection g3 histogram")
    weir.quiet("guest injection g3 measure off", "guest reset g3")
    for mode in MODES:
        count, *spread = seen["handler", mode]
        expect(count, 20, f"mode {mode}, interrupts that the guest told of, in {seen}")
        expect(spread, sorted(spread), f"p50, p90, p99 and maximum of mode {mode}")
        expect_in(f"post to handler, mode {mode}, nanoseconds: {count}, ", text, "the bars")
    expect(("entry", "posted") in seen, False, "an entry with an interrupt that the CPU takes by itself")
    if weir.smp == 2:
        p50 = {mode: seen["handler", mode][1] for mode in MODES}
        assert p50["posted"] < p50["kick"] < p50["entry"], f"expected no exit, an exit, a slice, saw {p50}"


def test_modes_of_injection_change_under_traffic(weir):
    for mode in (*MODES, *MODES):
        turn = lambda mode=mode: weir.quiet(f"guest injection g3 {mode}")  # noqa: E731
        with weir.dropping():
            weir.carry([asks(G3, n, flow=n % 4) for n in range(150)], 16, midway=turn)


def test_a_guest_that_spins_holds_up_nobody(weir):
    """It makes no exit by itself: the preemption timer and interrupts take it off its core."""
    weir.two.begin("spin 500ms")
    with weir.dropping():
        weir.carry([asks(G3, n, 100) for n in range(50)], 1)
    expect(weir.sh("echo here"), "here\n", "the shell's answer")
    expect_match(r"^ok \d+ loops", weir.two.finish(60), "answer to 'spin'")
    weir.two.type("spin 3600000ms")
    weir.wait_sh("guest info g2", lambda text: " running, " in text, "g2 to run")
    weir.quiet("guest stop g2", "guest start g2")
    weir.two.answers_arp(A, 0).ok("echo back")


# --- guests that misbehave --------------------------------------------------------------------------------------------

HOSTILE = {  # what is done to which ring, and why the device then says that it needs a reset
    "loop tx": "a chain that loops",
    "range rx": "an available descriptor beyond the table",
    "wrap rx": "a descriptor that is not in memory",
    "nested tx": "an indirect table within an indirect table",
    "rings tx": "rings that are misaligned or not in memory",
}


def serve_till(weir, ends):
    """g3 answers, in order, whatever it is asked; g2 gets frames, too, to which nobody listens."""
    n = 0
    while n < 10 or not ends:
        for i in range(8):
            weir.send(0, numbered(A, G2, n + i, port=9))
        weir.carry([asks(G3, n + i, 60 + n % 200, flow=i % 2) for i in range(8)])
        n += 8


def while_the_other_serves(weir, what):
    """The result of what(), with g3 asked all the while."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        ends = []
        served = pool.submit(serve_till, weir, ends)
        try:
            return what()
        finally:
            ends.append(True)
            served.result()


def test_a_hostile_guest_beside_one_that_serves(weir):
    weir.quiet(f"ovs-ofctl add-flow sw0 priority=9,in_port=p{G2},actions=drop")
    for case, why in HOSTILE.items():
        said = while_the_other_serves(weir, lambda case=case: weir.two.run(f"hostile {case}"))
        expect_match(r"^ok recovered$", said, f"'hostile {case}'")
        expect_in(f"  needed a reset: {why}\n", weir.two.info(), f"'hostile {case}', why")
    weir.quiet(f"ovs-ofctl del-flows sw0 in_port=p{G2}")
    weir.two.answers_arp(A, 0)
    with weir.dropping():
        weir.carry([asks(guest, n) for n in range(40) for guest in (G2, G3)], 16)


DEATHS = {
    "triple": (r"triple fault", "shutdown"),
    "undecodable": (r"access to 0xd0000000 cannot be decoded: .*", "mmio"),
    "fetch": (r"access to 0xd0000000 cannot be decoded:.*", "mmio"),
    "tables": (r"access to 0xd0000[0-9a-f]{3} cannot be decoded:.*", "mmio"),
}


@pytest.mark.parametrize("way", DEATHS)
def test_death(weir, way):
    """A report of what it did, and where; its neighbour serves all along, and it comes back to life."""
    why, last = DEATHS[way]
    before = len(weir.console)
    weir.two.type(f"die {way}")
    report = while_the_other_serves(weir, lambda: died(weir, "g2"))
    expect_match(rf"^died: {why} \(vCPU 0 on core 0\)$", report, "why")
    expect_match(rf"^  rip [0-9a-f]{{16}} rflags [0-9a-f]+ exit {last}$", report, "where")
    expect(plain(weir.console[before:]).count("g2: died: "), 1, "reports")
    expect_match(rf"^State: +dead: {why}$", weir.two.info(), "its state")
    weir.quiet("guest start g2")
    weir.two.answers_arp(A, 0).ok("echo alive")
    with weir.dropping():
        weir.carry([asks(guest, n) for n in range(40) for guest in (G2, G3)])


# --- other CPUs, and ends ---------------------------------------------------------------------------------------------


PARTS = "apic-registers", "virtual-interrupts", "posted-interrupts"
OTHERS = {  # models, and how many of these they have
    "corei7_sandy_bridge_2600k": 0,
    "corei7_haswell_4770": 2,
    "corei7_icelake_u": 3,
}


@pytest.mark.parametrize("cpu", OTHERS)
def test_other_cpus(cpu):
    """With less of VT-x and with more: the same checks, in a guest whose CPUs talk by the local APIC's page."""
    conf = config(line(G2, "apic=xapic", vcpus=2, cpu="0,0"))
    with BochsWeir(macs=[mac(G2)], cpu=cpu, config=conf, files=("tiny",)) as weir:
        said = expect_match(r"^vmm: VT-x, .*$", weir.booted(), "what the CPU has")[0]
        expect([part for part in PARTS if part in said], list(PARTS[: OTHERS[cpu]]), f"what {cpu} has")
        weir.wait_links()
        guest = Tiny(weir, G2).answers_arp(A, 0)
        with weir.dropping():
            weir.carry([asks(G2, n, flow=n % 4) for n in range(100)], 16)
        expect(checks.failed(checks.run(guest)), {}, f"checks that failed on {cpu}")
        weir.poweroff()


def test_a_cpu_without_x2apic_and_ept():
    """INIT, SIPI and IPIs by memory-mapped registers; guests are refused with the reason, and the rest works."""
    with BochsWeir(smp=2, cpu="core2_penryn_t9600", config=config(line(G2)), files=("tiny",)) as weir:
        expect_match(r"^smp: 2 cores, xAPIC$", weir.booted(), "cores")
        why = r"this CPU's VT-x has no EPT, no unrestricted guest or no RDTSCP in guests"
        expect_match(rf"^vmm: no guests: {why}$", weir.booted(), "why there are no guests")
        expect_match(rf"^weir\.conf:1:\d+: this machine runs no guests: {why}$", weir.booted(), "a line that makes one")
        for name in ("timer", "park", "qsbr"):
            expect_in(f"selftest {name}: ok", weir.sh(f"selftest {name}"), "self-test by xAPIC")
        weir.poweroff()


def test_it_reboots_and_panics():
    """By the reset control register and GRUB back to the prompt; then to an end that is no success."""
    with BochsWeir(macs=(), smp=2, config=None) as weir:
        weir.type("reboot")
        twice = lambda: plain(weir.console).count("\nweir# ") == 2 or None  # noqa: E731
        weir.wait_until(twice, 60, "a second prompt")
        expect(len(re.findall(r"^smp: 2 cores, ", weir.text(), re.MULTILINE)), 2, "starts of two cores")
        weir.type("crash panic")
        expect(weir.wait_for_end(30), PANICKED, "status after a panic")
        expect_in("Panic on core 0: asked for", plain(weir.console), "last words")


# --- the launcher -----------------------------------------------------------------------------------------------------


def test_launch_run_from_a_pipe():
    command = [os.path.join(TOP, "scripts", "launch"), "run", "--platform", "bochs", "--cores", "1", "--sockets"]
    done = subprocess.run(command, input="lspci\n", capture_output=True, text=True, timeout=60)
    expect(done.returncode, 0, f"status of launch, which said\n{done.stdout}{done.stderr}\n")
    expect_match(r"^00:02\.0 Ethernet controller: Intel 82540EM ", done.stdout, "its NIC")
    expect_match(r"^weir: powered off$", done.stdout, "its last line")


def test_without_bochs_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(bochs, "HOME", str(tmp_path))
    with pytest.raises(Trouble, match="Bochs is not there; scripts/setup bochs iso fetches it"):
        BochsWeir(macs=(), config=None)


def test_a_bochs_that_refuses_its_settings_is_reported():
    """With what it complains of, and without waiting for a machine that never was."""
    with pytest.raises(Trouble, match="(?s)Bochs does not start.*wrong value for parameter 'model'"):
        BochsWeir(macs=(), config=None, cpu="corei7_nowhere")
