# SPDX-License-Identifier: MIT
"""Linux guests with several vCPUs: on two cores, and more of them than cores; started by PVH

g2 has a vCPU on each of the two cores, g4 four vCPUs on one core, which it shares with one of g2's. They boot side by
side, from the kernel as an ELF file. The tests go in order: the last ones end the guests.
"""

import http.client
import os
import re

import pytest

from guests import Linux, config, died, line
from weir import Weir, expect, expect_in, expect_match
from wires import Namespaces, inside, namespaces_refused

G2, G4 = 2, 4
BOOT_SECONDS = 240  # of both at once, on a loaded host under TCG
VCPUS = {G2: 2, G4: 4}
BUSY = "while :; do :; done"
REFUSED = namespaces_refused()

LINUX = {"memory": 192, "kernel": "vmlinux", "initrd": "linux.cpio.gz"}
CONFIG = config(
    line(G2, "console=ttyS0 quiet reboot=k", vcpus=2, **LINUX),
    line(G4, "console=ttyS0 quiet reboot=t", vcpus=4, cpu="0,0,0,0", **LINUX),
)


@pytest.fixture(scope="module")
def net():
    """Named after this process, so that nobody else's are touched; removed whatever happens."""
    if REFUSED:
        pytest.skip(REFUSED)
    with Namespaces(f"weir-smp-{os.getpid()}", ipv6=False, first="10.0.0.101") as net:
        yield net
    os.unlink(net.lock_path)


@pytest.fixture(scope="module")
def weir(net):
    with Weir(wires=net, smp=2, memory=1024, config=CONFIG, files=("vmlinux", "linux.cpio.gz")) as weir:
        weir.wait_links()
        weir.guests = {number: Linux(weir, number) for number in VCPUS}
        for guest in weir.guests.values():
            guest.wait_booted(BOOT_SECONDS)
        yield weir
        weir.poweroff()


@pytest.fixture(params=[G2, G4], ids=["2-vcpus", "4-vcpus"])
def guest(weir, request):
    return weir.guests[request.param]


def ran(guest):
    """Milliseconds that each vCPU has run."""
    rows = re.findall(r"^vCPU \d+: +core \d+, .*, ran (\d+)\.(\d+) s$", guest.info(), re.MULTILINE)
    return [int(seconds) * 1000 + int(ms) for seconds, ms in rows]


def gains(guest, ms):
    """What each vCPU has run while the least of them ran so long."""
    before = ran(guest)
    gained = lambda _: min(now - was for now, was in zip(ran(guest), before)) >= ms  # noqa: E731
    guest.weir.wait_sh(f"guest info {guest.name}", gained, f"{ms} ms for each vCPU", 60)
    return [now - was for now, was in zip(ran(guest), before)]


# --- they run ---------------------------------------------------------------------------------------------------------


def test_all_cpus_are_there(guest):
    count = VCPUS[guest.number]
    expect(guest.run("nproc").strip(), str(count), "CPUs that it sees")
    packages = guest.run("grep -E '^(siblings|cpu cores|apicid)' /proc/cpuinfo")
    expect(re.findall(r"^apicid\s+: (\d+)$", packages, re.MULTILINE), [str(n) for n in range(count)], "APIC IDs")
    expect(set(re.findall(r"^(?:siblings|cpu cores)\s+: (\d+)$", packages, re.MULTILINE)), {str(count)}, "in a package")


def test_nothing_to_complain_of(guest):
    """Among what a kernel looks at when it starts a CPU is whether its TSC agrees with the others'."""
    wrong = "Oops|BUG:|Call Trace|unchecked MSR|soft lockup|rcu.*stall|nobody cared|WATCHDOG|Firmware Bug"
    wrong += "|TSC warp|[Uu]nstable|not responding|failed to boot|APIC error"
    expect(guest.run(f"dmesg | grep -E '{wrong}'"), "", "what its log complains of")
    clock = guest.run("cat /sys/devices/system/clocksource/clocksource0/current_clocksource").strip()
    assert clock in ("tsc", "kvm-clock"), f"expected a clock that all CPUs read without an exit, saw {clock}"


def test_cpus_interrupt_each_other(guest):
    said = guest.run("grep -E '^ *(RES|CAL|LOC):' /proc/interrupts")
    for name in ("CAL", "LOC"):
        counts = expect_match(rf"^ *{name}:((?: +\d+)+) ", said, "its interrupts")[1].split()
        expect(len(counts), VCPUS[guest.number], f"columns of {name}")
        assert all(int(n) for n in counts), f"expected {name} on all of its CPUs, saw {counts}"


def test_time_goes_forward_from_cpu_to_cpu(guest):
    """Each reading comes after the one before it, by another CPU."""
    count = VCPUS[guest.number]
    loop = f"n=0; while [ $n -lt 60 ]; do taskset -c $((n%{count})) grep '^now at' /proc/timer_list; n=$((n+1)); done"
    times = [int(t) for t in re.findall(r"^now at (\d+) nsecs$", guest.run(loop, 120), re.MULTILINE)]
    expect(len(times), 60, "readings")
    back = [(a, b) for a, b in zip(times, times[1:]) if b <= a]
    expect(back, [], "readings that went back")


def test_ping_and_page(net, weir, guest):
    address = f"10.0.0.{guest.number}"
    with weir.dropping():
        done = net.exec(0, "ping", "-q", "-c", "200", "-i", "0.002", "-w", "60", address, seconds=90)
        expect_in(" 200 received", done.stdout, "ping said")
        with inside(net.names[1]):
            connection = http.client.HTTPConnection(address, timeout=60)
            connection.request("GET", "/")
            expect_in("It works", connection.getresponse().read().decode(), "its page")
            connection.close()


def test_a_cpu_goes_and_comes(guest):
    """INIT and STARTUP once more, while the others run."""
    last = VCPUS[guest.number] - 1
    online = f"/sys/devices/system/cpu/cpu{last}/online"
    for _ in range(2):
        expect(guest.run(f"echo 0 >{online}; nproc", 60).split()[-1], str(last), "CPUs without the last")
        expect(guest.run(f"echo 1 >{online}; nproc", 60).split()[-1], str(last + 1), "CPUs with it")
    expect(guest.run(f"taskset -c {last} nproc").strip(), "1", "what runs on it")


# --- load, and the end ------------------------------------------------------------------------------------------------


def test_four_on_a_core_get_the_same(weir):
    guest = weir.guests[G4]
    guest.run(f"for n in 0 1 2 3; do taskset -c $n sh -c '{BUSY}' & done")
    gains(guest, 200)  # until all of them are busy
    shares = gains(guest, 1000)
    assert min(shares) > 0.7 * max(shares), f"expected about the same for all four, saw milliseconds {shares}"


def test_one_vcpu_faults_and_all_end(weir):
    """A triple fault on one, while the others compute; one report, and its neighbour notices nothing."""
    guest = weir.guests[G4]
    guest.type("reboot -f")
    report = died(weir, guest.name, 60)
    expect_match(r"^died: triple fault \(vCPU \d on core 0\)$", report, "why")
    expect(report.count("rflags"), 1, "registers of how many vCPUs in the report")
    expect(re.findall(r"^vCPU \d: +core 0, (\w+),", guest.info(), re.MULTILINE), ["off"] * 4, "its vCPUs")
    expect(weir.guests[G2].run("nproc").strip(), "2", "CPUs of its neighbour")


def test_stop_while_it_boots(weir):
    """As soon as the second CPU has begun: nothing of four runs afterwards, and it can start again."""
    guest = weir.guests[G4]
    if guest.state() == "running":  # the fault above has not ended it
        weir.quiet(f"guest stop {guest.name}")
    started = lambda text: re.search(r"^vCPU 1: +core 0, (running|halted)", text, re.MULTILINE)  # noqa: E731
    for _ in range(2):
        weir.quiet(f"guest start {guest.name}")
        weir.wait_sh(f"guest info {guest.name}", started, "its second CPU", 90)
        weir.quiet(f"guest stop {guest.name}")
        expect(guest.state(), "off", "its state")
        before = ran(guest)
        expect(weir.guests[G2].run("nproc").strip(), "2", "CPUs of its neighbour")
        expect(ran(guest), before, "what its vCPUs have run since")


def test_reboot_and_power_button(weir):
    """From inside with both CPUs busy; then it is told to go, and goes by itself."""
    guest = weir.guests[G2]
    guest.run(f"for n in 0 1; do taskset -c $n sh -c '{BUSY}' & done")
    guest.type("reboot -f")
    weir.wait_sh("guest info g2", lambda text: re.search(r"^Starts: +2$", text, re.MULTILINE), "it to start again", 60)
    guest.wait_booted(BOOT_SECONDS)
    expect(guest.run("nproc").strip(), "2", "CPUs after a reboot")
    expect(weir.sh(f"guest shutdown {guest.name}", 90), "", "what 'guest shutdown' says")
    expect(guest.state(), "off", "its state")
