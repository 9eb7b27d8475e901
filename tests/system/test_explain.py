# SPDX-License-Identifier: MIT
"""explain says of a frame what then really happens to it: queue, core, drop and its reason, the port it leaves by"""

import random
import re

import pytest
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from frames import kinds, malformed, numbered, wrong_but_forwarded
from weir import Weir, expect, expect_in

A, B = 1, 2  # stations behind nic0 and nic1
CORES = 4


@pytest.fixture
def weir(lab):
    weir = lab.get(nics=2, smp=CORES)
    weir.quiet("ip link set nic* up")
    weir.wait_links()
    weir.hush(0.05)
    weir.arrives(1, numbered(B, A, 0), [0])  # the stations are known
    weir.arrives(0, numbered(A, B, 0), [1])
    weir.quiet("ovs-ofctl add-flow sw0 priority=9,udp,tp_dst=53,actions=drop")
    yield weir
    weir.quiet("ovs-ofctl del-flows sw0 udp,tp_dst=53")


def explain(weir, frame):
    """{stage: what it says} of a frame that comes in by nic0."""
    lines = weir.sh(f"explain nic0 {bytes(frame).hex()}").splitlines()
    return {line[:12].strip(): line[13:] for line in lines}


def received(weir):
    """Frames taken by each queue of nic0."""
    statistics = weir.ethtool(0)
    return [statistics[f"rx_queue_{q}_packets"] for q in range(CORES)]


def queue_of(stages):
    return int(re.search(r"queue (\d+)", stages["NIC"])[1])


@pytest.mark.parametrize("key", ["default", "random"])
def test_queue_and_core_are_the_nics_own(weir, key):
    """Whatever the key: the hash that Weir computes leads to the queue that the NIC chose. IPv4, IPv6, no IP.

    Not behind two tags: there QEMU's chip looks on, and a real one asks whether it was told to.
    """
    random.seed(5)
    hkey = ":".join(f"{random.randrange(256):02x}" for _ in range(40))
    weir.sh("ethtool -X nic0 default" if key == "default" else f"ethtool -X nic0 hkey {hkey}")
    seen = set()
    frames = {name: frame for name, frame in kinds(A, B, 100).items() if name != "qinq"}
    frames |= {f"flow {n}": numbered(A, B, n, flow=7 * n) for n in range(12)}
    for name, frame in frames.items():
        before = received(weir)
        queue = queue_of(explain(weir, frame))
        weir.send(0, frame)
        weir.hush(0.05)
        took = [new - old for new, old in zip(received(weir), before)]
        expect(took, [int(q == queue) for q in range(CORES)], f"frames by queue for {name}")
        seen.add(queue)
    assert len(seen) == CORES, f"expected flows on each of {CORES} queues, saw {seen}"
    weir.sh("ethtool -X nic0 hkey " + ":".join(["6d", "5a"] * 20))


def test_what_it_says_happens(weir):
    """Good frames, odd ones, malformed ones, one that a rule drops, one for a station nobody knows."""
    frames = [*kinds(A, B, 200).values(), *(row[1] for row in wrong_but_forwarded(A, B)), *(frame for _, frame, _ in malformed(A, B))]
    frames += [numbered(A, B, 1, port=53), numbered(A, 9, 1), numbered(A, A, 1)]
    for frame in (bytes(frame) for frame in frames if len(frame) <= 240):  # as hex, longer ones do not fit a line
        stages = explain(weir, frame)
        end = list(stages.items())[-1]
        drop = re.search(r"drop \((\w+)\)", end[1])
        with weir.dropping(**({drop[1]: 1} if drop else {})):
            weir.send(0, frame)
            out = [port for port, _ in weir.hush(0.05)]
        expect(out, [] if drop else [1], f"ports that {frame[:20].hex()}… left by, of which it said {end}")


def test_a_filter_and_steering_are_asked(weir):
    frame = numbered(A, B, 3, flow=3)
    queue = queue_of(explain(weir, frame))
    weir.quiet(f"echo 8 > /sys/class/net/nic0/queues/rx-{queue}/rps_cpus")
    expect_in("core 3", explain(weir, frame)["RPS"], "what RPS would do")
    weir.quiet(f"echo 0 > /sys/class/net/nic0/queues/rx-{queue}/rps_cpus", "tc qdisc add dev nic0 clsact")
    weir.quiet("tc filter add dev nic0 ingress bpf bytecode '1,6 0 0 4294967295' action drop")
    stages = explain(weir, frame)
    expect(list(stages)[-1], "tc ingress", "the last stage that was asked")
    expect_in("drop (filter)", stages["tc ingress"], "what the filter would do")
    weir.quiet("tc qdisc del dev nic0 clsact")


def test_frames_of_a_capture(tmp_path):
    capture = tmp_path / "some.pcap"
    frames = [numbered(A, B, n, flow=n) for n in range(3)]
    wrpcap(str(capture), [Ether(frame) for frame in frames])
    with Weir(nics=1, smp=1, files={"some.pcap": capture.read_bytes()}) as weir:
        for n, frame in enumerate(frames):
            by_hex = weir.sh(f"explain nic0 {frame.hex()}")
            expect(weir.sh(f"explain nic0 pcap some.pcap {n + 1}"), by_hex, f"what it says of packet {n + 1}")
        expect_in("some.pcap has no packet 4", weir.sh("explain nic0 pcap some.pcap 4"), "a packet too many")
        expect_in("weir.conf is no pcap file", weir.sh("explain nic0 pcap weir.conf"), "another file")
        weir.poweroff()


def test_words_that_are_wrong_are_named(weir):
    expect_in("expected a port", weir.sh("explain nic7 00"), "a port that is not there")
    expect_in("col 16: expected two hexadecimal digits a byte, found 'x0'", weir.sh("explain nic0 12x0"), "no digit")
    expect_in("expected a frame as hex, or pcap FILE", weir.sh("explain nic0"), "no frame")
