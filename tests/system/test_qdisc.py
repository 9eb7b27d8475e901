# SPDX-License-Identifier: MIT
"""Queueing disciplines: a rate that makes a queue stand, what is dropped there, queues that move while packets wait"""

import re

import pytest

from frames import numbered
from weir import expect, expect_in

A, B = 1, 2  # stations behind nic0 and nic1
RULES = [f"ovs-ofctl add-flow sw0 priority=1,in_port={i},actions=output:{3 - i}" for i in (1, 2)]


@pytest.fixture
def weir(lab):
    weir = lab.get(nics=2, smp=2)
    weir.quiet("ip link set nic* up", *RULES)
    weir.wait_links()
    weir.hush(0.05)
    yield weir
    for nic in ("nic0", "nic1"):
        weir.sh(f"tc qdisc del dev {nic} root")  # some tests have none left


def frames_of(flows, count, first=0):
    return [(0, 1, n % flows, numbered(A, B, first + n, flow=n % flows)) for n in range(count)]


def statistics(weir, nic):
    """What `tc -s qdisc` says of one port: sent, dropped, overlimits, waiting."""
    text = weir.sh(f"tc -s qdisc show dev {nic}")
    sent = re.search(r"Sent (\d+) bytes (\d+) pkt \(dropped (\d+), overlimits (\d+) requeues (\d+)\)", text)
    waiting = re.search(r"backlog \d+b (\d+)p", text)
    assert sent and waiting, f"expected iproute2's lines, saw {text!r}"
    return {"sent": int(sent[2]), "dropped": int(sent[3]), "overlimits": int(sent[4]), "waiting": int(waiting[1])}


def test_packets_wait_for_tokens_and_the_rest_is_dropped(weir):
    """A thousand packets at once into a queue of 50 and a rate: what leaves is what is not dropped, in order."""
    weir.quiet("tc qdisc add dev nic1 root handle 1: tbf rate 8mbit burst 10kb limit 50")
    expect_in(" qdisc tbf ", weir.sh("ip link show nic1"), "ip link of a port that has one")
    weir.quiet("pktgen nic1 reset size 1000 count 1000 to 10.9.0.2 dst_mac 02:00:00:00:00:02")
    dropped = weir.drops()["qdisc_full"]
    weir.sh("pktgen start")
    weir.sh("pktgen wait", seconds=60)
    # those that still wait leave at a packet a millisecond
    weir.wait_sh("tc -s qdisc show dev nic1", lambda text: "backlog 0b 0p" in text, "an empty queue")
    numbers = [int.from_bytes(frame[48:52], "big") for _, frame in weir.hush()]  # where pktgen puts them
    seen = statistics(weir, "nic1")
    expect(seen["sent"] + seen["dropped"], 1000, "packets sent and dropped")
    expect(weir.drops()["qdisc_full"] - dropped, seen["dropped"], "drops of this reason")
    expect(len(numbers), seen["sent"], "frames on the wire")
    expect(numbers, sorted(set(numbers)), "their numbers, each once and in order")
    assert 60 <= seen["sent"] < 1000, f"expected the burst and the queue to leave and others not: {seen}"
    assert seen["overlimits"] > 0, f"expected a queue that waited for tokens: {seen}"


@pytest.mark.parametrize("inner", ["pfifo limit 1000", "fq_codel"])
def test_a_queue_moves_while_packets_wait_in_it(weir, inner):
    """Its interrupt goes to the other core and back under a rate: nothing is lost, no flow's frames change places."""
    weir.quiet("tc qdisc add dev nic1 root handle 1: tbf rate 800kbit burst 200b", f"tc qdisc add dev nic1 parent 1:1 {inner}")
    irqs = [number for name, (number, _) in weir.interrupts().items() if name.startswith("nic1-TxRx")]
    for turn, core in enumerate((1, 0)):
        moves = [f"echo {1 << core} > /proc/irq/{irq}/smp_affinity" for irq in irqs]
        with weir.dropping():
            weir.carry(frames_of(8, 600, first=1000 * turn), window=32, midway=lambda: weir.quiet(*moves))
    weir.quiet(*(f"echo {1 << queue} > /proc/irq/{irq}/smp_affinity" for queue, irq in enumerate(irqs)))
    assert statistics(weir, "nic1")["overlimits"] > 0


def test_disciplines_come_and_go_under_traffic(weir):
    """Where nothing waits a change loses nothing."""
    changes = ("root pfifo", "root fq_codel", "root tbf rate 1gbit burst 100kb")
    for turn, change in enumerate(changes):
        with weir.dropping():
            weir.carry(
                frames_of(8, 400, first=1000 * turn),
                midway=lambda: weir.quiet(f"tc qdisc replace dev nic1 {change}"),
            )
    with weir.dropping():
        weir.carry(frames_of(8, 400), midway=lambda: weir.quiet("tc qdisc del dev nic1 root"))


def test_the_config_has_it_and_takes_it_again(weir):
    lines = [
        "tc qdisc add dev nic0 root handle 1: tbf rate 10Mbit burst 10240b",
        "tc qdisc add dev nic0 parent 1:1 fq_codel limit 4096p flows 64 quantum 1514 target 5ms interval 100ms noecn",
        "tc qdisc add dev nic1 root pfifo limit 50p",
    ]
    weir.quiet(*lines)
    shown = [line for line in weir.sh("show config").splitlines() if line.startswith("tc qdisc")]
    expect(shown, lines, "lines of the config")
    weir.quiet("tc qdisc del dev nic* root", *shown)
    expect([x for x in weir.sh("show config").splitlines() if x.startswith("tc qdisc")], lines, "lines once more")


def test_words_that_are_wrong_are_named(weir):
    for line, said in (
        ("tc qdisc add dev nic0 root htb", "expected pfifo, fq_codel or tbf, found 'htb'"),
        ("tc qdisc add dev nic0 root pfifo limit 0", "expected packets, 1 to 4096, found '0'"),
        ("tc qdisc add dev nic0 root tbf rate fast", "expected a rate of 8kbit at least, found 'fast'"),
        ("tc qdisc add dev nic0 parent 1:1 pfifo", "nic0 has no tbf for it to stand in"),
        ("tc qdisc add dev nic9 root pfifo", "expected a port, found 'nic9'"),
        ("tc qdisc del dev nic0 root", "nic0 has none"),
        ("tc qdisc add dev nic0 root fq_codel flows", "expected flows, 1 to 1024"),
    ):
        assert said in weir.sh(line), f"{line}: expected {said!r}, saw {weir.sh(line)!r}"
