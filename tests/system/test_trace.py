# SPDX-License-Identifier: MIT
"""trace export: the last moments as a file that Perfetto takes; trace one: a frame's way as text to read aloud"""

import os

import pytest

from frames import malformed, numbered, ping
from guests import Tiny, config, line
from perfetto import Perfetto
from story import in_order, one
from weir import expect, expect_in, expect_match

STATION, GUEST = 1, 2
CORES = 2


@pytest.fixture
def weir(lab):
    weir = lab.get(nics=1, smp=CORES, config=config(line(GUEST, cpu=1)), files=("tiny",), host=True)
    guest = Tiny(weir, GUEST).wait_ready().wait_driven()
    weir.wait_links()
    guest.answers_arp(STATION)
    yield weir
    weir.hush(0.05)
    weir.quiet("trace off", "trace path off", "trace path reset", "trace clear", "guest injection g2 measure off")


def pings(weir, numbers):
    """Each is answered before the next one is sent."""
    for number in numbers:
        ask, answer = ping(STATION, GUEST, number)
        weir.send(0, ask)
        expect(weir.recv(0), answer, f"the answer to ping {number}")


def export(weir, name, *words):
    """(the trace as imported, what `trace export` said)"""
    said = weir.sh(" ".join(["trace export", name, *words]), seconds=120)
    return Perfetto(os.path.join(weir.host, name)), said


def test_pings_through_a_guest_become_slices_and_arrows(weir):
    """From the interrupt to the guest's first instruction with the interrupt for it, and of the answer out of the guest."""
    weir.quiet("guest injection g2 measure on", "trace path on 1", "trace on")
    pings(weir, range(20))
    bad = malformed(STATION, GUEST)[0]
    weir.send(0, bytes(bad[1]))
    weir.hush(0.05)
    weir.quiet("trace off")
    trace, said = export(weir, "pings.json")
    expect(trace.processes, {1: "cores", 2: "stamped packets", 10: "g2"}, "processes")
    threads = {name: tid for tid, name in trace.threads.items()}
    assert {"cpu0", "cpu1", "g2/0"} <= set(threads), f"expected threads of cores and vCPU, saw {list(threads)}"
    names = {slice.name for tid in (threads["cpu0"], threads["cpu1"]) for slice in trace.slices[tid]}
    assert {"hard_irq", "NET_RX", "VHOST", "TIMER", "g2/0"} <= names, f"expected softirqs by name, saw {names}"
    outs = {slice.args["exit"] for slice in trace.slices[threads["g2/0"]]}
    assert {"hlt", "io"} <= outs, f"expected the guest to come out by halts and doorbells, saw {outs}"
    turns = [slice for slice in trace.slices[threads["cpu1"]] if slice.name == "g2/0"]
    for slice in trace.slices[threads["g2/0"]]:
        inside = [turn for turn in turns if turn.begin <= slice.begin and slice.end <= turn.end]
        assert len(inside) == 1, f"expected {slice} to lie in a turn that its core gave it"
    drops = [event["name"] for event in trace.instants if event["name"].startswith("drop")]
    assert drops, f"expected an instant for the drop of {bad[0]}"
    ways = [[(trace.threads[slice.tid], slice.name) for slice in arrow] for arrow in trace.arrows()]
    into = [way for way in ways if way[-1][0] == "g2/0"]
    assert len(into) >= 8, f"expected arrows that end in the guest, saw {ways}"
    for way in into:
        steps = [name for _, name in way]
        expect(steps[-3:-1], ["VHOST", "g2/0"], "what comes before the guest's own slice")
        assert steps[0] == "hard_irq" and steps[1].startswith("poll nic0-TxRx-"), f"expected interrupt and poll first, saw {steps}"
    counts = expect_match(r"(\d+) records, (\d+) stamped packets, (\d+) of them as arrows", said, "the sum").groups()
    expect(int(counts[2]), len(ways), "arrows that it says it drew")


def test_only_so_many_records_and_no_arrow_without_its_slices(weir):
    weir.quiet("trace path on 1", "trace on")
    pings(weir, range(10))
    weir.quiet("trace off")
    trace, said = export(weir, "few.json", "30")
    expect(len([event for event in trace.events if event["ph"] in "Xi" and event["pid"] != 2]), 30, "records")
    trace.arrows()
    expect_in("few.json: 30 records,", said, "the sum")


def test_words_that_are_wrong_and_nothing_to_export(weir):
    weir.quiet("trace clear")
    expect_in("nothing was recorded: 'trace on' first", weir.sh("trace export none.json"), "without records")
    expect_in("expected a file's name", weir.sh("trace export"), "no name")
    expect_in("expected a number from 1 to 16384", weir.sh("trace export x.json 0"), "no records")
    weir.quiet("trace on", "trace off")
    expect_in("and no dot in front", weir.sh("trace export .x"), "a hidden file")


# --- trace one --------------------------------------------------------------------------------------------------------


def test_one_frame_into_a_guest(weir):
    """Interrupt, mask, poll, descriptor, switch, tap, worker, injection, entry: in this order, each with what belongs to it."""
    weir.quiet("ovs-ofctl add-flow sw0 priority=9,udp,tp_dst=53,actions=drop", "ovs-ofctl del-flows sw0 udp,tp_dst=53")  # no flow holds
    ask, answer = ping(STATION, GUEST, 1)
    lines, text = one(weir, "nic0", ask)
    expect(weir.recv(0), answer, "the guest's answer")
    in_order(
        lines,
        r"hard interrupt: vector \d+, irq number \d+; it takes",
        r"\* hard_irq:",
        r"nic0: write EIMC 0x01528: 0x0000000[12]$",
        r"softirq: action NET_RX",
        r"poll of nic0-TxRx-\d: it takes 1 packet, and ",
        r"\* poll:",
        r"\* descriptor_done:",
        r"\* ovs_vport_receive:",
        r"upcall:",
        r"\* ovs_dp_process_packet:",
        r"\* ovs_vport_send:",
        r"a batch of 1 goes to p2",
        r"\* tun_net_xmit:",
        r"nic0: write EIMS 0x01524: 0x0000000[12]$",
        r"softirq: action VHOST",
        r"\* handle_rx:",
        r"\* vhost_add_used:",
        r"injected at the next entry: vcpu g2/0, vector \d+",
        r"VM entry: g2/0 runs",
        r"VM exit of g2/0: ",
    )
    expect_in("IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 26", text, "what it is")
    slot, buffer = expect_match(
        r"receive descriptor (\d+) of 256, before: read format: buffer address (0x\w+), header buffer address 0x0", text, "before"
    ).groups()
    after = rf"receive descriptor {slot} of 256, after: write-back format: RSS type 2, packet type 0x1, RSS hash 0x\w{{8}}, "
    expect_match(after + r"status and errors 0x\w{8} DD EOP IPCS, length 60, VLAN tag 0x0000", text, "after")
    expect_in(f"its buffer is at {buffer};", text, "the buffer")
    expect_in("ipv4(src=10.0.0.1,dst=10.0.0.2,proto=1,frag=no),icmp(type=8,code=0)", text.replace(", ipv4", ",ipv4"), "its key")
    expect_in("no flow was known for it: an upcall decided", text, "the first of its flow")
    expect_in("actions: output to p2", text, "where it goes")
    expect_in("policy napi, at most 64 packets", text, "the poll's policy")
    _, text = one(weir, "nic0", ask)
    expect(weir.recv(0), answer, "the answer to the second")
    expect_in("a flow was known for it: no upcall", text, "the second of its flow")


def test_one_frame_received_in_its_interrupt(weir):
    """Out of the ring in the handler, which has no poll; everything else in the softirq behind the backlog."""
    weir.quiet("policy nic0/* irq")
    ask, answer = ping(STATION, GUEST, 3)
    for words in ("nic0", ""):
        lines, text = one(weir, words, ask)
        expect(weir.recv(0), answer, "the guest's answer")
        in_order(
            lines,
            r"hard interrupt: vector \d+, irq number \d+; it takes",
            r"\* hard_irq:",
            r"\* descriptor_done:",
            r"softirq: action NET_RX",
            r"poll of a backlog, or a link: it takes 1 packet, and ",
            r"\* __netif_receive_skb:",
            r"\* ovs_vport_receive:",
            r"\* ovs_dp_process_packet:",
            r"\* tun_net_xmit:",
            r"\* handle_rx:",
            r"VM entry: g2/0 runs",
        )
        assert not any("* poll:" in line for line in lines), "expected no poll of its queue"
        expect_in("policy irq: its interrupt puts it in a backlog, which a softirq polls", text, "the policy")
        expect_in("IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 3, length 26", text, "what it is")
        expect_match(r"receive descriptor (\d+) of 256, before: read format: .* receive descriptor \1 of 256, after: write-back format:",
                     text, "its descriptor")  # fmt: skip
    weir.quiet("policy nic0/* napi")


def test_one_frame_out_of_a_guest(weir):
    """From the doorbell's exit to the NIC, with the descriptor that sends it."""
    ask, answer = ping(STATION, GUEST, 2)
    lines, text = one(weir, "p2", ask)
    expect(weir.recv(0), answer, "the answer")
    in_order(
        lines, r"VM exit of g2/0: ", r"softirq: action VHOST", r"\* netif_rx_ni:", r"\* ovs_dp_process_packet:", r"\* netdev_start_xmit:",
        r"nic0: write TDT\(\d\)",
    )  # fmt: skip
    expect_match(r"transmit descriptor \d+ of 256 of nic0-TxRx-\d, a while later: advanced data: buffer address 0x\w+, length 60, "
                 r"command EOP IFCS (RS )?DEXT, DTYP 3, PAYLEN 60, status", text, "its descriptor")  # fmt: skip


def test_a_frame_that_is_dropped_says_why(weir):
    name, frame, reason = malformed(STATION, GUEST)[0]
    lines, text = one(weir, "", bytes(frame))
    in_order(lines, r"\* ovs_vport_receive:", rf"drop: {reason}, frame of \d+ bytes: ")
    expect_in("its key: none (", text, f"the key of {name}")
    assert "* ovs_dp_process_packet" not in text, "expected no flow for a frame without a key"


def test_trace_one_waits_with_a_bound_and_leaves_everything_as_it_was(weir):
    """No frame; Ctrl-C; a queue that gets none; and afterwards nothing is traced."""
    expect_in("no frame came in by nic0 in 1 s", weir.sh("trace one nic0 --timeout 1"), "without a frame")
    start = len(weir.console)
    weir.type("trace one --timeout 3000")
    weir.wait_until(lambda: "3000 s at most" in weir.text(start) or None, 30, "it to wait")
    weir.serial.sendall(b"\x03")
    weir.wait_until(lambda: "no frame came in by any port" in weir.text(start) or None, 30, "Ctrl-C to end it")
    for line, what in (
        ("trace one nic7", "expected a port, or a queue such as nic0/1"),
        ("trace one nic0/9", "nic0 has no queue 9"),
        ("trace one nic0 --timeout 0", "expected a number from 1 to 3600"),
        ("trace one nic0 soon", "expected --timeout SECONDS, or the end of the line"),
    ):
        expect_in(what, weir.sh(line), f"what '{line}' gets")
    expect_in("trace is off", weir.sh("trace"), "record points")
    expect_in("register trace of nic0 is off", weir.sh("trace nic0 regs"), "the register trace")
    before = weir.sh("trace")
    weir.send(0, numbered(STATION, GUEST, 0))
    weir.hush(0.05)
    expect(weir.sh("trace"), before, "records written by a frame")
