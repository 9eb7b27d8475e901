# SPDX-License-Identifier: MIT
"""test_launch.py - `make run` and `make demo` as a user meets them, and the small tools that the build stands on"""

import hashlib
import importlib.machinery
import importlib.util
import os
import subprocess

import pexpect
import pytest

import demo
import machine
import wires
from weir import TOP, expect, expect_in, expect_match

LAUNCH = os.path.join(TOP, "scripts", "launch")
needs_namespaces = pytest.mark.skipif(
    wires.namespaces_refused() is not None, reason=wires.namespaces_refused() or "they are not refused"
)


# Without what a make around the tests says to the makes in it.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def launch(*arguments, typed="", seconds=120):
    done = subprocess.run([LAUNCH, *arguments], input=typed, capture_output=True, text=True, timeout=seconds)
    return done.returncode, done.stdout + done.stderr


# --- launch -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def terminal():
    """`launch run` on a terminal of its own, over unix sockets."""
    terminal = pexpect.spawn(LAUNCH, ["run", "--sockets"], encoding="utf-8", timeout=60, cwd=TOP)
    yield terminal
    terminal.close(force=True)


def test_run_on_a_terminal_leaves_by_poweroff(terminal):
    terminal.expect("QEMU with (TCG|KVM): ")
    terminal.expect("to try, in another terminal:  scripts/launch frames")
    terminal.expect("to leave:  poweroff")
    terminal.expect("weir# ")
    terminal.send("help\r")
    terminal.expect("poweroff.*weir# ")
    terminal.send("poweroff\r")
    terminal.expect("weir: powered off")
    terminal.expect(pexpect.EOF)
    terminal.close()
    expect(terminal.exitstatus, 0, "exit status")


def test_run_that_is_ended_otherwise_is_no_success(terminal):
    terminal.expect("weir# ")
    terminal.send("\x01x")
    terminal.expect("ended without powering off")
    terminal.expect(pexpect.EOF)
    terminal.close()
    expect(terminal.exitstatus, 1, "exit status")


def test_run_from_a_pipe():
    status, said = launch("run", "--sockets", typed="sysctl net.core.netdev_budget\n")
    expect_in("weir# sysctl net.core.netdev_budget\nnet.core.netdev_budget = 300\n", said, "output")
    expect(status, 0, "exit status")


def test_frames_cross_a_running_weir(terminal):
    terminal.expect("weir# ")
    status, said = launch("frames", "20")
    expect_in("frames nic1 to nic0: 20 of 20 arrived as they were sent", said, "output of launch frames")
    expect(status, 0, "exit status of launch frames")


def test_frames_without_a_weir_says_what_to_do():
    status, said = launch("frames")
    expect_in("start `make run` in another terminal first", said, "output")
    expect(status, 1, "exit status")


def test_as_root_the_ping_to_try_needs_no_sudo():
    """A fresh Debian has no sudo, and whoever got namespaces is root."""
    loader = importlib.machinery.SourceFileLoader("launch", LAUNCH)
    script = importlib.util.module_from_spec(importlib.util.spec_from_loader("launch", loader))
    loader.exec_module(script)
    to_try = "to try, as root, in another terminal:  ip netns exec weir-a ping 10.9.0.2"
    expect(script.what_to_try(wires.Namespaces("weir")), to_try, "what to try")


def rows(said, head):
    """The table under the line that starts with @head, as {first column: [others]}."""
    lines = said.partition("\n  " + head)[2].partition("\n\n")[0].splitlines()[1:]
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_demo_over_sockets():
    """400 frames and those that look for the way: each counted where it came in, where it left, and by who polled."""
    status, said = launch("demo", "--sockets")
    expect_in("frames nic0 to nic1: 200 of 200", said, "output")
    expect_in("frames nic1 to nic0: 200 of 200", said, "output")
    expect(status, 0, f"exit status ({said})")
    ports = {name: [int(n) for n in row] for name, row in rows(said, "port ").items()}
    expect(sorted(ports), ["nic0", "nic1"], f"ports in the table of\n{said}")
    for name, (came, left, _) in ports.items():
        assert 200 < came < 300 and 200 < left < 300, f"{name}: expected a little more than 200 frames, saw {said}"
    queues = rows(said, "queue ")
    expect({name.rpartition("-")[0] for name in queues}, {"nic0-TxRx", "nic1-TxRx"}, f"queues in the table of\n{said}")
    for column, least in ((0, 1), (1, 1)):  # interrupts, polls
        seen = sum(int(row[column]) for row in queues.values())
        assert seen >= least, f"column {column + 1} of the queues' table: expected some, saw\n{said}"
    polled, came = sum(int(row[2]) for row in queues.values()), sum(row[0] for row in ports.values())
    expect(polled, came, f"frames polled, beside those that came in, of\n{said}")
    expect_match(r"^ +total +0$", said, "drops by reason")
    expect_in("\n  conservation: ok\n  pools: ok\n", said, "the books")


@pytest.mark.parametrize("command", ["ports", "pool"])
def test_demo_fails_when_the_books_do_not_balance(command):
    class Leaking:
        @staticmethod
        def command(line):
            name = {"ports": "conservation", "pool": "pools"}[line]
            return f"some rows\n{name}: " + ("1 missing\n" if line == command else "ok\n")

    with pytest.raises(machine.Trouble, match="the books do not balance; .*\n.*\n.*: 1 missing"):
        demo.books(Leaking)


@needs_namespaces
def test_demo_between_namespaces():
    status, said = launch("demo")
    expect_in("ping: 20 of 20 answered", said, "output")
    expect_in("TCP weir-demo-b to weir-demo-a: 8 MiB, checksum right", said, "output")
    expect(status, 0, f"exit status ({said})")
    left = subprocess.run(["ip", "netns"], capture_output=True, text=True, timeout=20).stdout
    assert "weir-demo" not in left, f"expected no namespace left behind, saw {left}"


def test_demo_without_a_switch_fails():
    """Ports that nobody switched on carry nothing: the demo must say so and not pass."""
    archive = os.path.join(TOP, "build", "test-nothing.cpio")
    subprocess.run([os.path.join(TOP, "scripts", "mkcpio"), archive, "weir.conf=/dev/null"], check=True, timeout=20)
    status, said = launch("demo", "--sockets", "--config", archive)
    os.unlink(archive)
    expect_in("no frame came through from NIC 0 to NIC 1", said, "output")
    expect(status, 1, "exit status")


@needs_namespaces
def test_two_at_a_time_do_not_share_namespaces():
    with wires.Namespaces("weir-test"):
        with pytest.raises(machine.Trouble, match="another Weir uses the namespaces weir-test-a and weir-test-b"):
            wires.Namespaces("weir-test").__enter__()


# --- gdb --------------------------------------------------------------------------------------------------------------


def test_gdb_stops_where_it_is_told_and_by_ctrl_c():
    """`make gdb` (what it builds is built): the breakpoint is met, and Ctrl-C stops Weir, not QEMU."""
    gdb = pexpect.spawn("make", ["-o", "all", "gdb"], encoding="utf-8", timeout=60, cwd=TOP, env=ENVIRONMENT)
    try:
        ask = lambda line, answer: (gdb.expect(r"\(gdb\) "), gdb.sendline(line), gdb.expect(answer))  # noqa: E731
        ask("set style enabled off", "off")
        ask("set confirm off", "off")
        ask("break boot_main", r"Breakpoint 1 at 0x\w+: file boot/main.c")
        ask("continue", r"Breakpoint 1, boot_main \(door=")
        ask("break cpu_idle", "Breakpoint 2 at")
        ask("continue", r"Breakpoint 2, cpu_idle \(")
        ask("delete", "delete")
        ask("continue", "Continuing")
        gdb.sendintr()
        gdb.expect("received signal SIGINT, Interrupt")
        ask("print ncpus", r"\$1 = [12]\r")
        ask("quit", "quit")
        gdb.expect(pexpect.EOF)
    finally:
        gdb.close(force=True)
    expect(os.path.exists(os.path.join(TOP, "build", "run", "gdb")), False, "a socket left behind")


# --- accelerator ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "leaves, chosen",
    [
        ({(1, 0): (0, 0, 1 << 5, 0)}, ("kvm", "it offers nested VT-x")),
        ({(1, 0): (0,) * 4, (0x80000001, 0): (0, 0, 1 << 2, 0)}, ("kvm", "it offers nested SVM")),
        ({(1, 0): (0, 0, ~(1 << 5), 0)}, ("tcg", "this host's KVM offers neither nested VT-x nor SVM")),
    ],
    ids=["vmx", "svm", "neither"],
)
def test_kvm_is_taken_only_where_it_nests(monkeypatch, leaves, chosen):
    monkeypatch.delenv("WEIR_ACCEL", raising=False)
    monkeypatch.setattr(machine, "kvm_cpuid", lambda _: leaves)
    expect(machine.accelerator("/dev/null"), chosen, "accelerator")


def test_without_kvm_it_is_tcg(monkeypatch):
    monkeypatch.delenv("WEIR_ACCEL", raising=False)
    expect(machine.accelerator("/nowhere"), ("tcg", "this host has no KVM"), "accelerator")


# --- build tools ------------------------------------------------------------------------------------------------------


def test_the_archive_is_the_same_for_the_same_input(tmp_path):
    sums = []
    for stamp in (1000, 2000):
        conf = tmp_path / f"conf{stamp}"
        conf.write_text("help\n")
        os.utime(conf, (stamp, stamp))
        conf.chmod(0o600 + stamp // 1000)
        subprocess.run([os.path.join(TOP, "scripts", "mkcpio"), tmp_path / "out", f"weir.conf={conf}"], check=True)
        sums.append(hashlib.sha256((tmp_path / "out").read_bytes()).hexdigest())
    expect(sums[1], sums[0], "checksum of the second archive")


@pytest.mark.parametrize(
    "path, include, status",
    [
        ("kernel/a.c", '"net/port.h"', 1),
        ("drivers/a.c", '"net/port.h"', 1),
        ("net/a.h", "<boot/x.h>", 1),
        ("net/a.c", '"../kernel/pkt.h"', 1),
        ("net/a.c", '"drivers/netdev.h"', 0),
        ("net/a.c", '"port.h"', 0),
        ("boot/a.c", '"net/net.h"', 0),
    ],
)
def test_a_room_includes_only_what_stands_left_of_it(tmp_path, path, include, status):
    source = tmp_path / path
    source.parent.mkdir()
    source.write_text(f"# include {include}\n")
    done = subprocess.run([os.path.join(TOP, "scripts", "check-rooms"), path], cwd=tmp_path, timeout=20)
    expect(done.returncode, status, f"status of check-rooms for {path} including {include}")
