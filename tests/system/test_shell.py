# SPDX-License-Identifier: MIT
"""The shell over the real serial line: keys, history, completion, knobs, files, and what it answers to nonsense"""

import re
import time

import pytest

from weir import PANICKED, SWITCH, Weir, expect, expect_in, expect_match

LEFT, UP, DOWN, HOME, END, DELETE = b"\x1b[D", b"\x1b[A", b"\x1b[B", b"\x1b[H", b"\x1b[F", b"\x1b[3~"
TAB, ENTER, BACKSPACE, BELL = b"\t", b"\r", b"\x7f", b"\x07"


@pytest.fixture
def weir(lab):
    return lab.get(nics=2, smp=2)


def keys(weir, *pieces):
    """Type bytes and Enter; returns what the line that came of it printed. Each ^C brings a prompt too."""
    start, typed = len(weir.console), b"".join(pieces) + ENTER
    prompts = 1 + typed.count(b"\x03")

    def answer():
        lines = weir.text(start).split("\nweir# ")
        if len(lines) <= prompts:
            return None
        said = lines[prompts - 1].partition("\n")[2]
        return said and said + "\n"

    weir.serial.sendall(typed)
    return weir.wait_until(answer, 10, f"the answer to {typed}")


# --- commands ---------------------------------------------------------------------------------------------------------


def commands(weir):
    return re.findall(r"^([a-z][a-z-]*)(?: |$)", weir.sh("help"), re.MULTILINE)


def test_help_lists_everything(weir):
    names = commands(weir)
    expect(names, sorted(names), "order of 'help'")
    wanted = """bridge cat counters crash drops echo ethtool help history ip ls lspci napi ovs-dpctl ovs-ofctl ovs-vsctl
        pool ports poweroff reboot selftest show sysctl trace""".split()
    missing = [name for name in wanted if name not in names]
    expect(missing, [], f"commands that 'help' leaves out of {names}")


def test_help_of_each(weir):
    for name in commands(weir):
        said = weir.sh(f"help {name}")
        assert said.startswith(name) and len(said.split()) > 3, f"expected usage and a line about {name}, saw {said!r}"
    wide = [line for line in weir.sh("help").splitlines() if len(line) > 110]
    expect(wide, [], "lines of help that are too long to read")
    ways = weir.sh("help guest").splitlines()
    expect(ways[2][:18], "      | start NAME", "where another way to say guest begins")
    expect_in("net.core.netdev_budget = 1..100000", weir.sh("help net.core.netdev_budget"), "help of a knob")
    expect_in("/proc/interrupts", weir.sh("help /proc/interrupts"), "help of a file")
    expect_in("/proc/irq/*/smp_affinity\n", weir.sh("help /proc/irq/2/smp_affinity"), "help of one of several files")


def test_every_command_refuses_what_it_does_not_know(weir):
    """A word that no command knows is answered with its column, and nothing else happens."""
    for name in commands(weir):
        if name in ("echo", "crash", "help", "watch"):
            continue
        said = weir.sh(f"{name}  xyzzy-42 xyzzy-43")
        first = len(name) + 3
        expect_match(rf"^col ({first}|{first + 9}): .*expected ", said, f"answer to '{name}  xyzzy-42 xyzzy-43'")


@pytest.mark.parametrize(
    "line, answer",
    [
        ("frobnicate", "unknown command 'frobnicate' (try 'help')\n"),
        ("pors", "unknown command 'pors' (try 'help'); did you mean 'ports'?\n"),
        ("crash", "col 6: expected text, rodata, data, heap, stack, null, opcode or panic, found the end of the line\n"),
        ("crash text twice", "col 12: expected the end of the line, found 'twice'\n"),
        ("  show  konfig", "col 9: expected 'config', found 'konfig'\n"),
        ("ovs-vsctl add-br a/b", "col 18: expected a name of at most 15 letters and digits, found 'a/b'\n"),
        ("ip route add 10.0.0.1/8 dev nic0", "col 14: the address goes on behind its prefix\n"),
        ("ip route add 10.0.0.0/8 dev nic0 src 10.0.0.1", "col 14: the source is no address of Weir's\n"),
        ("ip route flush", "col 10: expected show, add, del, get or the end of the line, found 'flush'\n"),
        ("ip route get 10.0.0.1 twice", "col 23: expected the end of the line, found 'twice'\n"),
        ("trace it", "col 7: expected on, off, show, "),
        ("trace nic9 regs", "col 7: expected a NIC's name, found 'nic9'\n"),
        ("policy nic0/0 fast", "col 15: expected irq, napi, defer, suspend, poll or adaptive, found 'fast'\n"),
        ("sysctl kernel.idle=nap", "col 20: expected hlt, mwait or spin, found 'nap'\n"),
        ("ls /sys/class/net/nic9", "col 4: expected a directory, like /proc, found '/sys/class/net/nic9'\n"),
        ("ls /sys/class/net/nic0/queues/rx-9", "col 4: expected a directory, like /proc, found "),
        ("sysctl net.core.dev_weight=65", "col 28: expected a number from 1 to 64, found '65'\n"),
        ("cat /proc/nothing", "col 5: expected a file under /proc or /sys ('ls' lists them), found '/proc/nothing'\n"),
        ("echo 'open", "col 11: expected a closing ', found the end of the line\n"),
        ("", ""),
        ("   # nothing but a remark", ""),
    ],
    ids=lambda text: text.split("\n")[0][:20],
)
def test_answers(weir, line, answer):
    said = weir.sh(line) if line else keys(weir)
    said = re.sub(r"^ *\^\n", "", said)
    assert said.startswith(answer) and bool(said) == bool(answer), f"'{line}': expected {answer!r}, saw {said!r}"


def test_caret_stands_under_the_word(weir):
    said = weir.sh("show konfig").splitlines()
    expect(said[0], " " * len("weir# show ") + "^", "the line under 'show konfig'")


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pieces, printed",
    [
        ([b"echo axc", LEFT, BACKSPACE, b"b"], "abc"),
        ([b"cho x", HOME, b"e", END, b"y"], "xy"),
        ([b"\x01echo \x05b\x01\x05c"], "bc"),
        ([b"echo abc", LEFT * 3, DELETE], "bc"),
        ([b"echo gone\x15echo kept"], "kept"),
        ([b"echo kept gone", LEFT * 5, b"\x0b"], "kept"),
        ([b"echo kept gone\x17new"], "kept new"),
        ([b"echo ab", LEFT, b"\x04c"], "ac"),
        ([b"nothing of this\x03echo after"], "after"),
        ([b"echo \xc3\xa4\x80\xffa\x00b"], "ab"),
        ([b"echo \x1b[99;99~\x1b[Z\x1bOZa\x1b[", b"1;5Xb"], "ab"),
    ],
    ids="backspace home-end ctrl-a-e delete ctrl-u ctrl-k ctrl-w ctrl-d ctrl-c no-ascii escapes".split(),
)
def test_line_editing(weir, pieces, printed):
    expect(keys(weir, *pieces).splitlines()[-1:], [printed], f"what {pieces} came to")


def test_history(weir):
    for word in ("first", "second", "third"):
        weir.sh(f"echo {word}")
    expect(keys(weir, UP * 2), "second\n", "two lines back")
    expect(keys(weir, UP * 3, DOWN), "third\n", "three lines back and one on")
    expect(keys(weir, UP, b" and more"), "third and more\n", "a recalled line, edited")
    rows = [line.split(None, 1)[1] for line in weir.sh("history").splitlines()]
    expect(rows[-4:], ["echo second", "echo third", "echo third and more", "history"], "end of 'history'")


def test_history_is_bounded(weir):
    for number in range(40):
        weir.sh(f"echo {number}")
    rows = weir.sh("history").splitlines()
    expect(len(rows), 32, "lines of 'history' after 40 more")
    expect(rows[0].split()[1:], ["echo", "9"], "the oldest line kept")


@pytest.mark.parametrize(
    "typed, line",
    [
        (b"hist" + TAB, "history"),
        (b"cat /proc/inter" + TAB, "cat /proc/interrupts"),
        (b"cat /proc/net/softn" + TAB, "cat /proc/net/softnet_stat"),
        (b"sysctl net.core.netdev_budget_" + TAB, "sysctl net.core.netdev_budget_usecs"),
        (b"selftest qs" + TAB, "selftest qsbr"),
        (b"help histo" + TAB, "help history"),
        (b"echo a; cat /proc/inter" + TAB, "echo a; cat /proc/interrupts"),
        (b"echo a | egr" + TAB, "echo a | egrep"),
        (b"ip link set nic0 promisc of" + TAB, "ip link set nic0 promisc off"),
        (b"ip route add 10.0.0.0/8 v" + TAB, "ip route add 10.0.0.0/8 via"),
        (b"ip addr add 10.0.0.1/8 " + TAB, "ip addr add 10.0.0.1/8 dev"),
        (b"tc qdisc add dev nic1 r" + TAB, "tc qdisc add dev nic1 root"),
        (b"tc qdisc add dev nic1 root tbf rate 1mbit " + TAB, "tc qdisc add dev nic1 root tbf rate 1mbit burst"),
        (b"ping -M don" + TAB, "ping -M dont"),
        (b"pktgen nic0 arrivals p" + TAB, "pktgen nic0 arrivals poisson"),
    ],
    ids="command path file knob self-test help second piped promisc via dev qdisc burst ping arrivals".split(),
)
def test_completion(weir, typed, line):
    start = len(weir.console)
    weir.serial.sendall(typed)
    weir.wait_until(lambda: weir.text(start).rstrip() == line or None, 5, f"{typed} to become {line!r}")
    keys(weir, b"\x03")


def test_completion_lists(weir):
    """What cannot be told apart rings first, and the second Tab lists it."""
    start = len(weir.console)
    weir.serial.sendall(b"ovs-" + TAB + TAB)
    for name in ("ovs-dpctl", "ovs-ofctl", "ovs-vsctl"):
        weir.wait_for(name, 5, start)
    keys(weir, b"\x03")


def test_statistics_are_files_too(weir):
    there = weir.sh("ls /sys/class/net/nic0/statistics").split()
    for name in ("rx_packets", "rx_bytes", "rx_dropped", "tx_packets", "rx_fifo_errors"):
        expect_in(name, there, "statistics")
    before = int(weir.sh("cat /sys/class/net/nic1/statistics/rx_packets"))
    weir.send(1, bytes(60))
    weir.wait_sh("cat /sys/class/net/nic1/statistics/rx_packets", lambda said: int(said) == before + 1, "one more")
    expect_in("no statistic is called 'foo'", weir.sh("cat /sys/class/net/nic0/statistics/foo"), "what is none")


def test_several_commands_on_a_line(weir):
    expect(weir.sh("sysctl -n net.core.dev_weight; echo a; echo 'b;'"), "64\na\nb;\n", "three commands")
    expect_in("'(ip)' has a group", weir.sh("help | egrep '(ip)'"), "a pattern with a group, which grep has not")
    expect(weir.sh("help | egrep '^ip |^ls ' | grep -c '\\['"), "2\n", "synopses")
    said = weir.sh("cat /proc/none | grep up; echo b")
    expect_in("expected a file under /proc or /sys", said, "what failed in front of a |")
    assert "b\n" not in said.splitlines(True), f"expected no more of the line, saw {said}"


def test_watch_until_ctrl_c(weir):
    start = len(weir.console)
    weir.type("watch -n 0.1 -d 'cat /proc/uptime | grep .'")
    weir.wait_until(lambda: weir.text(start).count("Every 0.1s: cat /proc/uptime | grep .\n\n") >= 3 or None, 10, "3 times")
    assert b"\x1b[7m" in weir.console[start:], "expected what had changed in reverse"
    weir.serial.sendall(b"\x03")
    weir.wait_until(lambda: weir.text(start).endswith("\nweir# ") or None, 10, "the prompt")
    said = weir.sh("watch -n0.1 -q 2 echo same")
    expect(said.count("same\n"), 3 + 3, "times that it is said, with its title")
    expect_in("unknown command", weir.sh("watch none"), "what fails")


@pytest.mark.parametrize("line", ["sleep 3600", "watch -n 0 echo a", "top 3600", "policy compare nic0/0 defer poll 600s"])
def test_ctrl_c_ends_what_takes_long(weir, line):
    start = len(weir.console)
    weir.type(line)
    weir.wait_for(line + "\n", 10, start)
    weir.serial.sendall(b"\x03")
    weir.wait_until(lambda: weir.text(start).endswith("\nweir# ") or None, 10, f"the prompt behind '{line}'")
    expect_match(r"^nic0/0 +0 napi ", weir.sh("policy nic0/0"), "the policy afterwards")


def test_line_too_long(weir):
    said = keys(weir, b"echo " + b"x" * 600)
    expect_in("longer than 511 characters: line not run", said, "answer to a line of 605 characters")
    expect(weir.sh("echo short"), "short\n", "the line behind it")


def test_pasted_lines(weir):
    """Lines that come faster than they run: each runs once, whole and in order, or is refused in words."""
    lines = [f"echo line {number}" for number in range(60)]
    start = len(weir.console)
    weir.serial.sendall("".join(line + "\r" for line in lines).encode() + b"echo the end\r")
    weir.wait_for("\nthe end\n", 20, start)
    time.sleep(0.1)
    said = weir.text(start)
    ran = [int(number) for number in re.findall(r"^line (\d+)$", said, re.MULTILINE)]
    refused = said.count("input came too fast and some was lost: line not run")
    expect(ran, sorted(set(ran)), "lines that ran")
    assert len(ran) == 60 or refused, f"expected 60 lines run, or some refused in words, saw {len(ran)} and none"
    expect(weir.sh("echo well"), "well\n", "the line behind them")


# --- knobs and files --------------------------------------------------------------------------------------------------


def test_sysctl(weir):
    before = weir.sh("sysctl -n net.core.netdev_budget").strip()
    expect(weir.sh("sysctl net.core.netdev_budget=123"), "net.core.netdev_budget = 123\n", "a knob turned")
    expect(weir.sh("sysctl net.core.netdev_budget"), "net.core.netdev_budget = 123\n", "the knob read")
    expect_in("net.core.netdev_budget = 123\n", weir.sh("sysctl -a"), "all knobs")
    weir.sh(f"sysctl -w net.core.netdev_budget={before}")
    knobs = re.findall(r"^(\S+) = (\w+)$", weir.sh("sysctl -a"), re.MULTILINE)
    names = [name for name, _ in knobs]
    expect(names, sorted(names), "order of 'sysctl -a'")
    expect(len(names), len(weir.sh("sysctl -a").splitlines()), "lines of 'sysctl -a' that are NAME = VALUE")
    for name in (name for name, value in knobs if value.isdigit()):
        expect_match(rf"^{re.escape(name)} = \d+\.\.\d+$", weir.sh(f"help {name}"), f"help of {name}")


def linux_columns(path, text):
    """Is each number where Linux has it, by the width of the first column? Returns what stands behind them."""
    head, *rows = text.splitlines()
    first, cores = len(head) - len(head.lstrip()) - 7, head.split()
    expect(head, " " * (first + 7) + "".join(f"{core:<11}" for core in cores), f"head of {path}")
    behind = []
    for row in rows:
        name, counts = row[:first], [row[first + 11 * i : first + 11 * (i + 1)] for i in range(len(cores))]
        if name.strip() in ("ERR:", "MIS:"):
            continue  # one number for all cores
        expect_match(r"^ *\w+:$", name, f"first column of {path}, in {row!r}")
        for count in counts:
            expect_match(r"^ +\d+$", count, f"a number of {path}, in {row!r}")
        behind.append((name.strip(), row[first + 11 * len(cores) :]))
    return behind


def test_tables_have_linux_columns(weir):
    """To the character, as this host's own files have them."""
    for path in ("/proc/interrupts", "/proc/softirqs"):
        with open(path) as f:
            linux_columns(path, f.read())
        behind = linux_columns(path, weir.sh(f"cat {path}"))
        if path == "/proc/interrupts":
            chips = r"^( {2}IO-APIC| PCI-MSIX-[0-9a-f:]+\.\d) +\d+-(edge     |fasteoi  ) \S+"
            for name, text in behind:
                expect_match(chips if name[0].isdigit() else r"^ {3}\S", text, f"what stands behind row {name}")
    with open("/proc/net/dev") as f:
        head, rule, *rows = f.read().splitlines()
    text = weir.sh("cat /proc/net/dev").splitlines()
    expect(text[:2], [head, rule], "head of /proc/net/dev")
    shape = r"^ *\w+:(?: +\d+){16}$"
    for row in rows + text[2:]:
        expect_match(shape, row, "a row of /proc/net/dev")


def test_every_file_can_be_read(weir):
    seen = []
    todo = ["/proc", "/sys"]
    while todo:
        path = todo.pop()
        said = weir.sh(f"ls {path}")
        if path == "/sys" and "expected a directory" in said:
            continue
        for name in said.split():
            (todo if name.endswith("/") else seen).append(f"{path}/{name.rstrip('/')}")
    for path in ("/proc/interrupts", "/proc/softirqs", "/proc/net/dev", "/proc/net/softnet_stat"):
        assert path in seen, f"expected {path} among the files, saw {seen}"
    for path in seen:
        said = weir.sh(f"cat {path}")
        assert said and "expected" not in said, f"cat {path}: expected some lines, saw {said!r}"


def test_files_are_linux_s(weir):
    dev = weir.sh("cat /proc/net/dev").splitlines()
    expect(dev[0].split("|")[0].strip(), "Inter-", "first line of /proc/net/dev")
    expect([line.split(":")[0].strip() for line in dev[2:]], ["nic0", "nic1", "sw0"], "ports in /proc/net/dev")
    for line in dev[2:]:
        expect(len(line.split(":")[1].split()), 16, f"columns of '{line}'")
    for line in weir.sh("cat /proc/net/softnet_stat").splitlines():
        expect_match(r"^([0-9a-f]{8} ?){13}$", line, "a line of softnet_stat")
    expect_match(r"^ *NET_RX: +\d+ +\d+$", weir.sh("cat /proc/softirqs"), "softirqs")


def test_affinity_file(weir):
    number = expect_match(r"^ *(\d+): .*nic0-TxRx-0$", weir.sh("cat /proc/interrupts"), "interrupts")[1]
    path = f"/proc/irq/{number}/smp_affinity"
    expect(weir.sh(f"cat {path}"), "1\n", "core of queue 0")
    for wrong in ("0", "4", "zebra", "-1"):
        expect_in("col 6: expected a mask of cores in hex, at most 3", weir.sh(f"echo {wrong} > {path}"), f"answer to the mask {wrong} on 2 cores")
        expect(weir.sh(f"cat {path}"), "1\n", f"core after the mask {wrong}")
    expect_in("col 10: no interrupt 255; see /proc/interrupts", weir.sh("echo 1 > /proc/irq/255/smp_affinity"), "a wrong number")
    expect_in("can only be read", weir.sh("echo 1 > /proc/interrupts"), "writing to a file that has no knob")


# --- the config that would rebuild it ---------------------------------------------------------------------------------

RICH = SWITCH + """sysctl net.core.netdev_budget=77
sysctl net.bridge.ageing_seconds=99
ovs-vsctl add-br sw1
ovs-vsctl del-port sw0 nic2
ovs-vsctl add-port sw1 nic2
ip link set nic1 mtu 9000
ip link set nic2 down
ovs-ofctl add-flow sw0 "priority=100,in_port=1,tcp,nw_src=10.0.0.0/8,tp_dst=80 actions=output:2"
ovs-ofctl add-flow sw0 priority=50,dl_src=02:00:00:00:00:07,actions=drop
ovs-ofctl add-flow sw1 priority=7,ipv6,actions=flood
ip link set sw0 up
ip addr add 10.9.0.1/24 dev sw0
ip route add 10.1.0.0/16 via 10.9.0.2 src 10.9.0.1 metric 5
ip route add unreachable 10.2.0.0/16
"""


def test_show_config_rebuilds():
    """What `show config` prints, given to a second machine as its weir.conf, makes it print the same."""
    with Weir(nics=3, smp=1, config=RICH) as first:
        assert "weir.conf:" not in first.booted(), f"expected no complaint, saw\n{first.booted()}"
        config = first.sh("show config")
        first.poweroff()
    for line in ("sysctl net.core.netdev_budget=77", "sysctl net.bridge.ageing_seconds=99"):
        expect_in(line + "\n", config, "show config")
    route = "ip route add 10.1.0.0/16 via 10.9.0.2 dev sw0 src 10.9.0.1 metric 5"
    for part in ("nw_src=10.0.0.0/8", "tp_dst=80", "dl_src=02:00:00:00:00:07", "ipv6", "mtu 9000", route):
        expect_in(part, config, "show config")
    with Weir(nics=3, smp=1, config=config) as second:
        assert "weir.conf:" not in second.booted(), f"expected its own config to run clean, saw\n{second.booted()}"
        expect(second.sh("show config").splitlines(), config.splitlines(), "'show config' of the second machine")
        second.poweroff()


def test_poweroff_and_crash_tell_apart():
    with Weir(nics=0) as weir:
        weir.type("crash opcode")
        expect(weir.wait_for_end(), PANICKED, "QEMU's status after a crash")
