# SPDX-License-Identifier: MIT
"""Weir's own generators and sinks: what leaves by a wire, what comes back by another, as others see it and as it says"""

import re
import struct

from scapy.all import UDP, Ether, IPv6

from weir import expect, expect_match

MAGIC = 0x574549


def header(frame):
    """(run, stream, flow, number) of a frame as the sink reads it."""
    magic, id_, number, stamp = struct.unpack("!IHIQ", bytes(frame[UDP].payload)[:18])
    expect(magic >> 8, MAGIC, "magic of a numbered packet")
    assert stamp, "expected a stamp, saw 0"
    return magic & 255, id_ >> 12, id_ & 4095, number


def sink(weir, port):
    """{column: value} of stream 0."""
    head, *rows = weir.sh(f"sink show {port} csv").splitlines()
    row = next((row.split(",") for row in rows if row.startswith(f"{port},0,all,")), None)
    return row and {name: int(value) for name, value in zip(head.split(",")[3:], row[3:])}


def bounce(weir, frames, back=1):
    """What came out by nic0 goes in by NIC @back."""
    for frame in frames:
        weir.send(back, frame)


def outgoing(weir, count):
    return [weir.recv(0) for _ in range(count)]


def test_frames_as_a_host_reads_them(lab):
    weir = lab.get(nics=3, smp=2).wait_links()
    weir.quiet("pktgen nic0 reset count 24 size imix flows 3 to 10.9.0.2 src_min 10.9.1.1 src_max 10.9.1.3 dst_mac nic1")
    weir.quiet("pktgen start", "pktgen wait")
    seen = outgoing(weir, 24)
    expect(sorted(map(len, seen)), [60] * 14 + [566] * 8 + [1514] * 2, "sizes of two rounds of IMIX")
    for number, raw in enumerate(seen):
        frame = Ether(raw)
        sums = frame["IP"].chksum, frame[UDP].chksum
        del frame["IP"].chksum, frame[UDP].chksum
        again = Ether(bytes(frame))
        expect(sums, (again["IP"].chksum, again[UDP].chksum), "checksums of IP and UDP")
        expect(frame["IP"].src, f"10.9.1.{1 + number % 3}", "source of the flow")
        expect(header(frame)[2:], (number % 3, number // 3), "flow and number")
    expect_match(r"^Result: OK: \d+\(c\d+\+d\d+\) usec, 24 \(349byte,0frags\)$", weir.sh("pktgen show nic0"), "result")
    expect(weir.hush(), [], "frames beyond the count")


def test_ipv6_with_a_tag(lab):
    weir = lab.get(nics=3, smp=2).wait_links()
    weir.quiet("pktgen nic0 reset count 1 size 100 to fd00::2 vlan_id 7", "pktgen start", "pktgen wait")
    frame = Ether(weir.recv(0))
    expect((len(frame), frame["Dot1Q"].vlan, frame[IPv6].dst), (104, 7, "fd00::2"), "length, VLAN, address")
    before = frame[UDP].chksum
    del frame[UDP].chksum
    expect(before, Ether(bytes(frame))[UDP].chksum, "checksum of UDP")


def test_a_sink_tells_loss_reordering_and_duplicates_apart(lab):
    """The order is made here, outside; what the sink says of it must follow."""
    weir = lab.get(nics=3, smp=2).wait_links()
    weir.quiet("pktgen nic0 reset count 40", "sink nic1 on", "pktgen start", "pktgen wait")
    frames = outgoing(weir, 40)
    order = [*range(10), 12, 11, 13, 13, *range(20, 40), 15]  # 10, 14, 16 to 19 are missing
    bounce(weir, [frames[i] for i in order])
    seen = weir.wait_sh("sink show nic1 csv", lambda _: (s := sink(weir, "nic1")) and s["received"] == 34 and s, "34")
    expect([seen[what] for what in ("lost", "reordered", "duplicates", "late")], [6, 2, 1, 0], "lost, reordered, ...")
    assert 0 < seen["p50_ns"] <= seen["p99_ns"] <= seen["max_ns"], f"expected latencies to grow, saw {seen}"
    expect(weir.hush(), [], "frames that the sink let pass")
    weir.quiet("sink nic1 watch", "sink nic1 clear", "pktgen start", "pktgen wait")
    bounce(weir, outgoing(weir, 40))
    weir.wait_sh("sink show nic1 csv", lambda _: sink(weir, "nic1")["received"] == 40, "40 of a new run")
    expect(len(weir.hush()), 80, "frames that passed a sink which watches, flooded to two ports")
    weir.quiet("sink nic1 off")


def test_any_core_may_send(lab):
    """A core without a queue of its own on that port hands over, in order; two generators share the wire."""
    weir = lab.get(nics=3, smp=2).wait_links()
    weir.quiet("pktgen nic0 reset count 500 ratep 20000 core 1 stream 1 flows 2 arrivals poisson burst 2")
    weir.quiet("pktgen start nic0", "pktgen wait")
    last = {}
    for raw in outgoing(weir, 500):
        _, stream, flow, number = header(Ether(raw))
        expect((stream, number), (1, last.get(flow, -1) + 1), f"stream and number in flow {flow}")
        last[flow] = number
    expect_match(r"pkts-sofar: 500  errors: 0", weir.sh("pktgen show nic0"), "pktgen show")


def test_it_is_part_of_the_config(lab):
    weir = lab.get(nics=3, smp=2).wait_links()
    lines = ["sink nic1 watch streams 2", "pktgen nic2 count 5 flows 3 rate 300M dst 10.9.0.9"]
    weir.quiet("sink nic1 off", "pktgen nic2 reset", *lines)
    shown = weir.sh("show config")
    for line in lines:
        assert re.search(f"^{re.escape(line)}$", shown, re.MULTILINE), f"expected '{line}' in it, saw\n{shown}"
    weir.quiet("sink nic1 off", "pktgen nic2 reset")
    said = weir.sh("pktgen nic0 rate 300")
    assert "such as 300M" in said, f"expected an example of a rate, saw {said!r}"
    for line, wrong in (("to fd00::1 src_min 10.9.0.1", "10.9.0.1"), ("src_min 10.9.0.1 size 100 to fd00::1", "fd00::1")):
        said = weir.sh(f"pktgen nic0 reset {line}")
        expect_match(rf"expected an address of the same kind as \S+, found '{wrong}'", said, f"answer to {line}")
        expect(weir.sh("pktgen nic0 to 10.9.0.2"), "", "answer to one address of another kind than before")
    weir.quiet("pktgen nic0 reset to fd00::1 size 100", "pktgen nic0 reset")
    said = weir.sh("metronome show")
    assert "no virtio network device" in said, f"expected to be told what is missing, saw {said!r}"
