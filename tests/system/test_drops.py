# SPDX-License-Identifier: MIT
"""top drops: what is dropped comes to the top with the knob for it, and each knob is a line that the shell takes"""

import concurrent.futures
import re

import pytest

from frames import malformed, numbered
from guests import config, line
from weir import expect, expect_in, expect_match

A, B = 1, 2  # stations behind nic0 and nic1
RULES = [f"ovs-ofctl add-flow sw0 priority=1,in_port={i},actions=output:{3 - i}" for i in (1, 2)]
GUEST = config(line(2, cpu=1))
REASON = re.compile(r"^\s*X\((?:\w+, )?\"(\w+)\", \"", re.MULTILINE)
REFUSED = re.compile(r"^col \d+:|^unknown command|: expected ", re.MULTILINE)


@pytest.fixture
def weir(lab):
    weir = lab.get(nics=2, smp=2, config=GUEST, files=("tiny",))
    weir.quiet("ip link set nic* up", *RULES)
    weir.wait_links()
    weir.hush(0.05)
    return weir


def knobs(weir, port):
    """{reason: its knob as it stands for @port}"""
    return dict(re.split(r" +", row, maxsplit=1) for row in weir.sh(f"drops knobs {port}").splitlines())


def top(weir, during):
    """[(reason, port, cores, count, rate, knob)] of a second in which during(n) is called for n = 0, 1, ..."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer, number = pool.submit(weir.sh, "top drops 2", 60), 0
        while not answer.done():
            during(number)
            number += 1
    text = answer.result()
    rows = re.findall(r"^(\w+) +(\S+) +(\S+) +(\d+) +(\d+) +[\d.]+  (.*)$", text, re.MULTILINE)
    assert rows, f"expected rows in\n{text}"
    rates = [int(row[4]) for row in rows]
    expect(rates, sorted(rates, reverse=True), f"rates, the highest first, in\n{text}")
    shares = [float(share) for share in re.findall(r" (\d+\.\d)  \S.*$", text, re.MULTILINE)]
    assert abs(sum(shares) - 100) < 0.1 * len(shares), f"expected shares of 100 % together, saw\n{text}"
    weir.hush(0.1)
    drops = weir.drops()
    for reason in {row[0] for row in rows} & set(drops):
        counted = sum(int(row[3]) for row in rows if row[0] == reason)
        assert 0 < counted <= drops[reason], f"{reason}: expected up to {drops[reason]}, saw\n{text}"
    return rows


def test_each_reason_has_a_knob_that_the_shell_takes(weir):
    """All reasons that the source knows are listed, and what is a line is typed: a number that is in force changes nothing."""
    first = ("ovs-ofctl del-flows sw0", "ovs-ofctl add-flow sw0 priority=0,actions=normal")
    weir.quiet(*first, "tc qdisc replace dev nic1 root fq_codel limit 77 noecn", "tc qdisc add dev nic1 clsact")
    before, settings = knobs(weir, "nic1"), weir.sh("show config")
    expect(list(before), REASON.findall(open("kernel/drop.h").read()), "reasons listed")
    for reason, knob in before.items():
        if knob.startswith("- "):
            assert len(knob) > 5, f"{reason}: expected a word why nothing can be turned, saw {knob!r}"
            for quoted in re.findall(r"`(\w+)[^`]*`", knob):
                assert not weir.sh(f"help {quoted}").startswith("col "), f"{reason}: no command of {knob!r}"
            continue
        assert not re.search(r"\b(DEV|BR|N|QDISC)\b", knob), f"{reason}: expected all filled in, saw {knob!r}"
        if reason == "no_switch":  # it is in one
            weir.quiet("ovs-vsctl del-port sw0 nic1")
        said = weir.sh(knob)
        assert not REFUSED.search(said), f"{reason}: {knob!r} was answered {said!r}"
    weir.quiet(*first)
    weir.sh("balance off")
    weir.sh("ethtool -K nic1 tx on")
    expect(knobs(weir, "nic1"), before, "knobs afterwards")
    expect(sorted(weir.sh("show config").splitlines()), sorted(settings.splitlines()), "settings afterwards")
    weir.quiet("tc qdisc del dev nic1 root", "tc qdisc del dev nic1 clsact")


def test_knobs_of_a_guests_port(weir):
    weir.quiet("ip link set p2 mtu 1400")
    expect(knobs(weir, "p2")["guest_too_small"], "ip link set p2 mtu 1400", "knob")
    weir.quiet("ip link set p2 mtu 1500")
    expect_in("expected a port, found 'p9'", weir.sh("drops knobs p9"), "no port")


def test_what_is_dropped_comes_to_the_top(weir):
    """Four frames for a rule that drops, one that no parser takes: two lines in this order, of nic0."""
    weir.quiet("ovs-ofctl add-flow sw0 priority=9,udp,tp_dst=53,actions=drop")
    bad, wrong = next((frame, why) for _, frame, why in malformed(A, B) if why == "parse_ipv4_ihl")

    def send(n):
        for k in range(4):
            weir.send(0, numbered(A, B, 4 * n + k, port=53))
        weir.send(0, bad)

    rows = top(weir, send)
    weir.quiet("ovs-ofctl del-flows sw0 udp,tp_dst=53")
    expect([row[:2] for row in rows[:2]], [("rule", "nic0"), (wrong, "nic0")], "reasons and ports")
    expect(rows[0][5], "ovs-ofctl dump-flows sw0", "knob of the rule")
    ratio = int(rows[0][4]) / int(rows[1][4])
    assert 3 < ratio < 5, f"expected four to one, saw {rows[:2]}"


def test_a_backlog_of_one(weir):
    """The knob that is named is the one that was turned, and its value is told."""
    weir.quiet("echo 2 > /sys/class/net/nic0/queues/rx-0/rps_cpus", "echo 2 > /sys/class/net/nic0/queues/rx-1/rps_cpus")
    weir.sh("sysctl net.core.netdev_max_backlog=1")
    rows = top(weir, lambda n: [weir.send(0, numbered(A, B, 32 * n + k)) for k in range(32)] and weir.arrivals(0))
    weir.sh("sysctl net.core.netdev_max_backlog=1000")
    weir.quiet("echo 0 > /sys/class/net/nic0/queues/rx-0/rps_cpus", "echo 0 > /sys/class/net/nic0/queues/rx-1/rps_cpus")
    expect(rows[0][:2], ("backlog_full", "nic0"), "reason and port")
    expect(rows[0][5], "sysctl net.core.netdev_max_backlog=1", "knob")


def test_a_queue_in_its_interrupt(weir):
    """No mouth of the port sees what its handler has no place for; the port and the core are named all the same."""
    weir.quiet("policy nic0/* irq")
    weir.sh("sysctl net.core.netdev_max_backlog=1")
    rows = top(weir, lambda n: [weir.send(0, numbered(A, B, 32 * n + k)) for k in range(32)] and weir.arrivals(0))
    weir.sh("sysctl net.core.netdev_max_backlog=1000")
    weir.quiet("policy nic0/* napi")
    reason, port, cores, _, _, knob = rows[0]
    expect((reason, port, knob), ("irq_backlog", "nic0", "policy nic0/* napi"), "reason, port and knob")
    expect_match(r"^[01](,1)?$", cores, "cores")


def test_a_queueing_discipline(weir):
    weir.quiet("tc qdisc add dev nic1 root handle 1: tbf rate 800kbit burst 2000b limit 5")
    weir.quiet("pktgen nic1 reset size 1000 ratep 2000 count 8000 to 10.9.0.2 dst_mac 02:00:00:00:00:02")
    weir.sh("pktgen start")
    rows = top(weir, lambda n: weir.arrivals(0.05))
    weir.sh("pktgen stop")
    expect(rows[0][:2], ("qdisc_full", "nic1"), "reason and port")
    expect(rows[0][5], "tc qdisc change dev nic1 parent 1:1 pfifo limit 5p", "knob")
    weir.quiet(rows[0][5].replace("5p", "50p"))
    expect(knobs(weir, "nic1")["qdisc_full"], "tc qdisc change dev nic1 parent 1:1 pfifo limit 50p", "knob afterwards")
    weir.hush()
    weir.sh("tc qdisc del dev nic1 root")
