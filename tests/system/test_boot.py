# SPDX-License-Identifier: MIT
"""Every way in, every number of cores, every kind of machine; and what is missing or wrong is said in a sentence"""

import os
import re
import subprocess

import pytest

import machine
from weir import PANICKED, SWITCH, TOP, Trouble, Weir, archive, expect, expect_in, expect_match, plain

STAYS = "; every port stays down"


def ports_down(weir, names):
    """None of the ports @names was raised; without UP among its flags, not only without a link."""
    for name in names:
        expect_match(r": <BROADCAST,MULTICAST> ", weir.sh(f"ip link show {name}"), f"{name}, which should be down")


def shell_works(weir):
    expect(weir.sh("echo one 'two  three'"), "one two  three\n", "output of echo")


# --- cores, loaders, boards -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smp", [1, 2, 4])
def test_cores(smp):
    with Weir(nics=2, smp=smp) as weir:
        said = weir.booted()
        expect_match(r"^Weir: .*; started by pvh$", said, "banner")
        expect_match(r"^memory: 51[012] MiB; TSC: \d+\.\d{3} MHz$", said, "memory of a machine with 512 MiB")
        expect_match(rf"^smp: {smp} core{'s' if smp > 1 else ''}, x2APIC$", said, "cores")
        expect_match(r"^Weir is ready\. ", said, "last line of the banner")
        expect(len(weir.sh("cat /proc/net/softnet_stat").splitlines()), smp, "lines of softnet_stat")
        columns = weir.sh("cat /proc/interrupts").splitlines()[0].split()
        expect(columns, [f"CPU{i}" for i in range(smp)], "columns of /proc/interrupts")
        weir.poweroff()


def test_xapic():
    """A CPU without x2APIC: the same by memory-mapped registers, on cores that have to talk to each other."""
    with Weir(nics=2, smp=2, cpu="max,-x2apic") as weir:
        expect_match(r"^smp: 2 cores, xAPIC$", weir.booted(), "cores")
        for name in ("timer", "park", "qsbr"):
            expect_in(f"selftest {name}: ok", weir.sh(f"selftest {name}"), "self-test by xAPIC")
        crossed(weir)
        weir.poweroff()


def test_sixteen_cores():
    """As many as there is room for, and more, which are left alone."""
    with Weir(nics=0, smp=16, config=None, extra=("-smp", "17")) as weir:
        expect_match(r"^smp: 16 cores, x2APIC$", weir.booted(), "cores")
        expect_in("1 cores beyond the first 16 are left alone", weir.booted(), "the seventeenth")
        for name in ("park", "qsbr", "rights"):
            expect_in(f"selftest {name}: ok", weir.sh(f"selftest {name}"), "self-test on 16 cores")
        weir.poweroff()


def test_tsc_is_measured_right():
    """With -icount shift=0 the TSC counts nanoseconds, so its rate is known from outside: 1,000 MHz."""
    with Weir(nics=0, cpu="max,-x2apic", config=None, extra=("-icount", "shift=0,sleep=off")) as weir:
        rate = float(expect_match(r"TSC: (\d+\.\d+) MHz", weir.booted(), "the rate")[1])
        assert abs(rate - 1000) < 1, f"expected a TSC of 1,000 MHz within a thousandth, saw {rate}"
        weir.poweroff()


def test_dead_timer():
    """Without an 8254 there is nothing to measure the TSC by: a sentence, and not a hang."""
    weir = Weir(nics=0, config=None, extra=("-M", "pit=off"))
    try:
        status = weir.wait_for_end(30)
        said = plain(weir.console)
    finally:
        weir.close()
    expect_in("the 8254 timer does not interrupt", said, "what it said")
    expect(status, PANICKED, f"QEMU's status; it said\n{said}\n")


def crossed(weir):
    """Two NICs and what is between them are alive: a frame each way."""
    weir.wait_links()
    for source, out in ((0, 1), (1, 0)):
        frame = bytes([2, 0, 0, 0, 0, out, 2, 0, 0, 0, 0, source]) + b"\x88\xb5" + bytes(46)
        weir.carry([(source, out, "one", frame)])


def test_pci_by_ecam():
    with Weir(nics=2) as weir:
        expect_match(r"^pci: \d+ functions by ECAM$", weir.booted(), "how PCI was found")
        expect_match(r"^01:00\.0 Ethernet controller: Intel 82576 \[8086:10c9\]", weir.sh("lspci"), "lspci")
        expect_match(r"^02:00\.0 Ethernet controller: Intel 82576 \[8086:10c9\]", weir.sh("lspci"), "lspci")
        expect_in("selftest pci: ok", weir.sh("selftest pci"), "both ways of access compared")
        weir.poweroff()


def test_pci_by_ports():
    """An i440fx has no ECAM; its NICs sit on the root bus."""
    with Weir(nics=2, board="pc") as weir:
        expect_match(r"^pci: \d+ functions by CF8$", weir.booted(), "how PCI was found")
        for slot in ("04", "08"):
            expect_match(rf"^00:{slot}\.0 Ethernet controller: Intel 82576 \[8086:10c9\]", weir.sh("lspci"), "lspci")
        crossed(weir)
        weir.poweroff()


def test_reboot():
    """QEMU, told not to reboot, ends with 0: that is how it looks, and why 0 is no success."""
    with Weir(nics=0) as weir:
        weir.type("reboot")
        expect(weir.wait_for_end(), 0, "QEMU's status after reboot")


# --- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("megabytes, smp", [(8, 1), (16, 4)])
def test_too_little_memory(megabytes, smp):
    weir = Weir(nics=2, smp=smp, memory=megabytes)
    try:
        status = weir.wait_for_end(30)
        said = plain(weir.console)
    finally:
        weir.close()
    expect_match(r"out of memory: no \d+ KiB left for .*\. Give the machine more RAM", said, "what it said")
    expect(status, PANICKED, f"QEMU's status; it said\n{said}\n")


# --- NICs, archives, configs ------------------------------------------------------------------------------------------


def test_no_nic():
    with Weir(nics=0) as weir:
        expect_match(r"^weir\.conf:2:\d+: expected .*, found 'nic\*'$", weir.booted(), "a line that names NICs")
        expect_match(r"^weir\.conf:3:\d+: expected .*, found 'nic\*'$", weir.booted(), "a line that names NICs")
        expect_in("config: 2 lines failed; what they name stays down", weir.booted(), "the sum of it")
        shell_works(weir)
        expect(weir.sh("ports").splitlines()[-1], "conservation: ok", "last line of 'ports' without ports")
        weir.poweroff()


def test_no_archive():
    with Weir(nics=2, config=None) as weir:
        expect_in("config: no archive was handed over" + STAYS, weir.booted(), "what it said")
        ports_down(weir, ["nic0", "nic1"])
        shell_works(weir)
        weir.poweroff()


def newc(name, content, magic=b"070701"):
    """One entry of an archive, by hand."""
    name += b"\0"
    fields = [1, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0]
    entry = magic + b"".join(b"%08X" % field for field in fields) + name
    entry += bytes(-len(entry) % 4) + content
    return entry + bytes(-len(entry) % 4)


WHOLE = newc(b"weir.conf", SWITCH.encode()) + newc(b"TRAILER!!!", b"")
FIRST = len(newc(b"weir.conf", SWITCH.encode()))
DAMAGE = {
    "no archive at all": (bytes(512), 0, "no header of the newc format (070701)"),
    "wrong magic": (newc(b"weir.conf", b"", magic=b"070707") + bytes(64), 0, "no header of the newc format (070701)"),
    "header cut short": (WHOLE[:50], 0, "it ends where a header should stand"),
    "name cut short": (WHOLE[:114], 110, "it ends inside a name"),
    "content cut short": (WHOLE[:130], 120, f"it ends inside 'weir.conf', which has {len(SWITCH)} bytes"),
    "no trailer": (WHOLE[:FIRST], FIRST, "it ends where a header should stand"),
    "no digit": (WHOLE[:54] + b"x" + WHOLE[55:], 54, "no hexadecimal digit in a header"),
    "no digit in the second header": (
        WHOLE[: FIRST + 97] + b"-" + WHOLE[FIRST + 98 :], FIRST + 97, "no hexadecimal digit in a header",
    ),  # fmt: skip
    "size beyond the end": (WHOLE[:54] + b"FFFFFFFF" + WHOLE[62:], 120, "it ends inside 'weir.conf'"),
    "name of no length": (WHOLE[:94] + b"00000000" + WHOLE[102:], 0, "a name of 0 bytes"),
    "name without an end": (WHOLE[:119] + b"!" + WHOLE[120:], 110, "a name without its end"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_archive(kind):
    content, offset, why = DAMAGE[kind]
    with Weir(nics=1, config=content) as weir:
        expect_in(f"config: archive damaged at offset {offset}: {why}", weir.booted(), kind)
        expect_in(STAYS, weir.booted(), kind)
        ports_down(weir, ["nic0"])
        shell_works(weir)
        weir.poweroff()


@pytest.mark.parametrize("loader", ["pvh", "multiboot2"])
def test_archive_is_not_overwritten(tmp_path, loader):
    """The loader leaves the archive in RAM that the memory map calls free: GRUB a large one right behind the kernel,
    where everything else is about to be allocated (QEMU at the end of RAM). This one has 4,000 headers, each of which
    must be whole."""
    content = b"".join(newc(b"%d" % number, bytes(8000)) for number in range(4000)) + WHOLE
    how = {"config": content}
    if loader == "multiboot2":
        cpio, iso, menu = tmp_path / "large.cpio", tmp_path / "large.iso", tmp_path / "grub.cfg"
        cpio.write_bytes(content)
        menu.write_text("set timeout=0\nmenuentry weir {\n multiboot2 /weir.elf\n module2 /large.cpio\n}\n")
        parts = {"weir.elf": machine.KERNEL, "large.cpio": cpio, "boot/grub/grub.cfg": menu}
        mkiso = os.path.join(TOP, "scripts", "mkiso")
        subprocess.run([mkiso, str(iso), *(f"{name}={path}" for name, path in parts.items())], check=True, timeout=120)
        how = {"iso": str(iso), "config": None, "boot_seconds": 120}
    with Weir(nics=2, memory=128, **how) as weir:
        assert "config:" not in weir.booted(), f"expected no complaint about the config, saw\n{weir.booted()}"
        crossed(weir)
        weir.poweroff()


def test_archive_without_config(tmp_path):
    with open(archive(str(tmp_path), {"other": b"text"}), "rb") as f:
        content = f.read()
    with Weir(nics=1, config=content) as weir:
        expect_in("config: no weir.conf in the archive" + STAYS, weir.booted(), "what it said")
        ports_down(weir, ["nic0"])
        weir.poweroff()


BAD_CONFIG = """# a line is tried after a bad one, and what a bad one names stays down
ovs-vsctl add-br sw0
ovs-vsctl add-port sw0 nic*

ip link set nic0 mtu 99999
ip link set nic* up
frobnicate nic2
sysctl net.core.netdev_budget=many
sysctl net.core.dev_weight=32
echo "never closed
"""


def test_bad_config():
    with Weir(nics=4, config=BAD_CONFIG) as weir:
        said = weir.booted()
        expect_match(r"^weir\.conf:5:22: expected .*, found '99999'$", said, "a number out of range")
        expect_match(r"^weir\.conf:7:1: unknown command 'frobnicate'", said, "an unknown word")
        expect_match(r"^weir\.conf:8:31: expected a number from 1 to 100000, found 'many'$", said, "no number")
        expect_match(r"^weir\.conf:10:\d+: expected ", said, "a quote that does not end")
        expect_in("config: 4 lines failed; what they name stays down", said, "the sum of it")
        expect_in("nic0 stays down: an earlier line that names it or its switch failed", said, "why 'nic*' left one out")
        wrong = re.findall(r"^weir\.conf:(\d+):\d+: (?:expected|unknown)", said, re.MULTILINE)
        expect(wrong, ["5", "7", "8", "10"], f"lines that failed, in\n{said}\n")
        expect(weir.sh("sysctl -n net.core.dev_weight"), "32\n", "a knob that a good line behind bad ones turned")
        ports_down(weir, ["nic0", "nic2"])  # one was named before the line that would have raised it, one after
        for name in ("nic1", "nic3"):
            weir.wait_sh(f"ip link show {name}", lambda text: "state UP" in text, f"{name}, which no bad line names")
        weir.quiet("ip link set nic0 up")  # the operator may say otherwise
        weir.wait_sh("ip link show nic0", lambda text: "state UP" in text, "nic0, after the operator raised it")
        weir.poweroff()


OPEN_CONFIG = """ovs-ofctl add-flow sw2 priority=100,actions=drop
ovs-vsctl add-br sw0
ovs-vsctl add-br sw1
ovs-vsctl add-br sw2
ovs-vsctl add-port sw0 nic0 nic1
ovs-vsctl add-port sw1 nic2 nic3
ovs-ofctl add-flow sw0 "priority=100,in_port=nic0,nw_src=10.0.0.1 actions=drop"
ovs-ofctl add-flow sw9 "priority=100,in_port=nic3,ip,nw_src=10.0.0.1 actions=drop"
ovs-vsctl add-port sw0 nic4
ovs-vsctl add-port sw2 nic5
ip link set nic* up
"""


def test_wrong_filter_stays_closed():
    """A rule that was refused leaves no switch that forwards without it."""
    with Weir(nics=6, config=OPEN_CONFIG) as weir:
        said = weir.booted()
        expect_match(r"^weir\.conf:1:20: expected a switch, found 'sw2'$", said, "a switch that is not there yet")
        expect_match(r"^weir\.conf:7:\d+: expected ip or arp beside it, found 'nw_src'$", said, "a rule without ip")
        expect_match(r"^weir\.conf:8:20: expected a switch, found 'sw9'$", said, "a switch that is nowhere")
        expect_in("config: 3 lines failed; what they name stays down", said, "the sum of it")
        ports_down(weir, ["nic0", "nic1", "nic4"])  # of sw0: one that the line names, one more, one added later
        ports_down(weir, ["nic3"])  # named within a word
        ports_down(weir, ["nic5"])  # of sw2, made after the line that names it
        weir.wait_sh("ip link show nic2", lambda text: "state UP" in text, "nic2, which no bad line names")
        weir.poweroff()


def test_config_of_odd_bytes():
    """Carriage returns, no newline at the end, a zero byte, a line too long: each by itself."""
    lines = [b"sysctl net.core.dev_weight=16\r", b"echo \0", b"echo " + b"x" * 600]
    lines += [b"sysctl net.core.netdev_budget=100"]
    content = newc(b"./weir.conf", b"\n".join(lines)) + newc(b"TRAILER!!!", b"") + bytes(256)
    with Weir(nics=0, config=content) as weir:
        said = weir.booted()
        expect_in("weir.conf:2:6: expected text, found 'a zero byte'", said, "a zero byte")
        expect_in("weir.conf:3:512: expected a line of at most 511 bytes, found 'more'", said, "a long line")
        expect_in("config: 2 lines failed", said, "the sum of it")
        expect(weir.sh("sysctl -n net.core.dev_weight"), "16\n", "a line that ends with a carriage return")
        expect(weir.sh("sysctl -n net.core.netdev_budget"), "100\n", "a last line without its newline")
        weir.poweroff()


def test_harness_notices_a_dead_machine():
    """A machine that stops by itself is an error in whatever waits for it, with its last words."""
    with Weir(nics=0) as weir:
        try:
            weir.sh("crash panic")
        except Trouble as e:
            expect_in("Panic on core 0: asked for", str(e), "the error")
        else:
            raise AssertionError("expected an error from a command on a machine that dies, saw none")
