# SPDX-License-Identifier: MIT
"""Frames of a flow made one packet and cut again: on the wire nothing of it shows but in the counters

Streams of TCP and UDP cross the switch with GRO on. Every frame leaves as it came, in the order of its flow, whether
the chip or software cuts.
"""

import random
import re

import pytest
from scapy.all import IP, TCP, UDP, Dot1Q, Ether, IPv6, raw

import frames
import nic_checks
from weir import expect, expect_in

A = 1  # station behind nic0; the next is behind nic1
CUT_BY = {
    "cut by the 82576": ({}, "tso on tx on"),
    "cut in software": ({}, "tso off tx off"),
    "cut by the 82574L": ({"e1000e": {1: 0x10}}, "tso on tx on"),
    "cut for the 82540EM": ({"e1000": {1: 0x10}}, "tx on"),
}


@pytest.fixture(params=CUT_BY)
def weir(lab, request):
    machine, words = CUT_BY[request.param]
    weir = lab.get(nics=2, smp=1, **machine)
    nic_checks.ready(weir)
    weir.quiet("ethtool -K nic0 gro on rx-udp-gro-forwarding on")
    weir.sh(f"ethtool -K nic1 {words}")
    yield weir
    weir.quiet("ethtool -K nic0 gro off rx-udp-gro-forwarding off")
    weir.sh("ethtool -K nic1 tx on")


def counters(weir):
    return {name: int(n) for name, n in re.findall(r"^(net\.\w+) +(\d+)", weir.sh("counters"), re.MULTILINE)}


def stream(flow, count, size=1400, source=A, target=A + 1, udp=False, v6=False, tag=False, options=True):
    """@count frames of one flow: equal headers, the next bytes each; the last is shorter, and says that it is the last."""
    ip = {"src": f"fd00::{source}", "dst": f"fd00::{target}"} if v6 else {"src": f"10.0.0.{source}", "dst": f"10.0.0.{target}"}
    ends, ports = Ether(src=frames.mac(source), dst=frames.mac(target)), {"sport": 2000 + flow, "dport": 80}
    made = []
    for n in range(count):
        data = frames.ramp(flow * 7 + n, size if n + 1 < count else size // 3)
        l3 = IPv6(fl=flow, **ip) if v6 else IP(id=flow * 1000 + n, flags="DF", **ip)
        stamps = [("NOP", None), ("NOP", None), ("Timestamp", (flow, 7))] if options else []
        last = "FA" if n + 1 == count else "A"  # QEMU's chips lose PSH
        l4 = UDP(**ports) if udp else TCP(seq=5000 + n * size, ack=77, flags=last, options=stamps, **ports)
        made.append(raw((ends / Dot1Q(vlan=5) if tag else ends) / l3 / l4 / data))
    return made


def interleaved(seed, flows):
    """[(flow, frame)]: frames of all @flows, each in its order, in runs as senders have them."""
    order, left = random.Random(seed), {n: list(flow) for n, flow in enumerate(flows)}
    mixed = []
    while left:
        n = order.choice(list(left))
        for _ in range(order.randint(1, 8)):
            if left[n]:
                mixed.append((n, left[n].pop(0)))
        if not left[n]:
            del left[n]
    return mixed


KINDS = [{}, {"v6": True}, {"tag": True}, {"udp": True}, {"udp": True, "v6": True}, {"size": 100}, {"options": False}]


def test_every_frame_leaves_as_it_came(weir):
    """Whatever kind of stream it is of; and merged they were."""
    flows = [stream(n, 45, **kind) for n, kind in enumerate(KINDS * 2)]
    before = counters(weir)
    with weir.dropping():
        weir.carry([(0, 1, flow, frame) for flow, frame in interleaved(1, flows)])
    after = counters(weir)
    grown = {name: after[name] - before[name] for name in after}
    # how many frames a poll finds is the host's affair; a window of 64 never comes one by one
    assert grown["net.gro_merged"] > 0, f"expected some of {45 * len(flows)} frames to be merged, saw {grown}"
    in_software = "tcp-segmentation-offload: off" in weir.sh("ethtool -k nic1")
    if in_software:
        expect(grown["net.gso_packets"], grown["net.gro_packets"], "long packets cut, of those merged")
        expect(grown["net.gso_segments"], grown["net.gso_packets"] + grown["net.gro_merged"], "segments")
    else:
        assert grown["net.gso_packets"] < grown["net.gro_packets"], f"expected the chip to cut TCP, saw {grown}"


def damaged(flow, at):
    """The stream @flow with one payload byte changed in frame @at: its checksum is wrong, and must stay so."""
    return [frame[:-1] + bytes([frame[-1] ^ 1]) if n == at else frame for n, frame in enumerate(flow)]


def test_whoever_looks_at_checksums(weir):
    """Told by the chip or summed here, hashed there or here: streams merge, and a wrong checksum is never mended."""
    for n, words in enumerate(("rx on rxhash on", "rx off rxhash off")):
        weir.sh(f"ethtool -K nic0 {words}")
        merged = counters(weir)["net.gro_merged"]
        flows = [damaged(stream(10 * n + k, 45, **kind), 20 + k) for k, kind in enumerate(KINDS)]
        with weir.dropping():
            weir.carry([(0, 1, flow, frame) for flow, frame in interleaved(n, flows)])
        assert counters(weir)["net.gro_merged"] > merged, f"expected frames to be merged with {words}"


def test_what_is_no_stream_is_left_alone(weir):
    """All kinds of frames, wrong ones too, in both directions."""
    sent = {}
    for i, j in ((0, 1), (1, 0)):
        for size in (60, 64, 500, 1514):
            for frame in frames.kinds(A + i, A + j, size).values():
                sent[frame, i, j] = (i, j, (i, j), frame)
        for _, frame, *_ in frames.wrong_but_forwarded(A + i, A + j):
            sent[frame, i, j] = (i, j, (i, j), frame)
        for _, frame in frames.wrong_checksums(A + i, A + j):
            sent[frame, i, j] = (i, j, (i, j), frame)
    with weir.dropping():
        weir.carry(list(sent.values()), window=16)


def test_switched_under_traffic(weir, request):
    """GRO, the chip's cutting, the queue's policy, the ring: what is held when they change goes on in its order."""
    lines = ["ethtool -K nic0 gro off", "ethtool -K nic0 gro on", "policy nic0/0 defer", "policy nic0/0 poll"]
    lines += ["policy nic0/0 irq", "policy nic0/0 napi", "ethtool -G nic0 rx 128", "policy nic0/0 defer"]
    if "82540EM" not in request.node.name:
        lines += ["ethtool -K nic1 tso off", "ethtool -K nic1 tso on"]
    for n, line in enumerate(lines):
        mixed = interleaved(n, [stream(flow, 40, size=1448 - 200 * flow) for flow in range(6)])
        with weir.dropping():
            weir.carry([(0, 1, flow, frame) for flow, frame in mixed], midway=lambda line=line: weir.sh(line))
        weir.audit()
    weir.sh("policy nic0/0 napi")
    weir.sh("ethtool -G nic0 rx 256")


def test_ethtool_shows_it(weir):
    said = weir.sh("ethtool -k nic0")
    expect_in("generic-receive-offload: on\n", said, "features")
    expect_in("rx-udp-gro-forwarding: on\n", said, "features")
    lines = "ethtool -K nic0 gro on\nethtool -K nic0 rx-udp-gro-forwarding on\n"
    expect_in(lines, weir.sh("show config"), "show config")
