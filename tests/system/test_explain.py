# SPDX-License-Identifier: MIT
"""explain says of a frame what then really happens to it: queue, core, drop and its reason, the port it leaves by"""

import random
import re

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from frames import kinds, mac, malformed, numbered, wrong_but_forwarded
from guests import config, echoes, guests, line
from weir import Weir, expect, expect_in, expect_match

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


@pytest.mark.parametrize("key", ["default", "random", "without the ports of UDP"])
def test_queue_and_core_are_the_nics_own(weir, key):
    """Whatever the key, and what is hashed: the hash that Weir computes leads to the queue that the NIC chose. IPv4, IPv6, no IP.

    Not behind two tags: there QEMU's chip looks on, and a real one asks whether it was told to.
    """
    random.seed(5)
    hkey = ":".join(f"{random.randrange(256):02x}" for _ in range(40))
    weir.sh("ethtool -X nic0 default" if key == "default" else f"ethtool -X nic0 hkey {hkey}")
    ports = "sd" if "ports" in key else "sdfn"
    weir.quiet(f"ethtool -N nic0 rx-flow-hash udp4 {ports}", f"ethtool -N nic0 rx-flow-hash udp6 {ports}")
    seen = set()
    frames = {name: frame for name, frame in kinds(A, B, 100).items() if name != "qinq"}
    frames |= {f"flow {n}": numbered(A, B, n, flow=7 * n) for n in range(12)}
    frames |= {f"station {n}": numbered(n, B, n) for n in range(20, 32)}
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
    weir.quiet("ethtool -N nic0 rx-flow-hash udp4 sdfn", "ethtool -N nic0 rx-flow-hash udp6 sdfn")


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


@pytest.mark.parametrize("known", [False, True])
def test_a_frame_to_its_own_sender(weir, known):
    """The sender is learnt before the target is looked up, so it stays where it is, wherever that address was before."""
    station = 40 + known
    if known:
        weir.arrives(1, numbered(station, A, 0), [0])
    frame = numbered(station, station, 1)
    stages = explain(weir, frame)
    expect(stages["MAC table"], "behind nic0", "where it says that the target is")
    expect_in("drop (same_port)", stages["verdict"], "what it says becomes of it")
    with weir.dropping(same_port=1):
        weir.send(0, frame)
        expect(weir.hush(0.1), [], "frames that leave")


def test_a_nic_that_is_down_receives_nothing(weir):
    weir.quiet("ip link set nic0 down")
    expect(explain(weir, numbered(A, B, 1)), {"NIC": "not received: it is down"}, "what it says")
    weir.quiet("ip link set nic0 up")
    weir.wait_links()


def test_a_filter_and_steering_are_asked(weir):
    frame = numbered(A, B, 3, flow=3)
    queue = queue_of(explain(weir, frame))
    core = (queue + 1) % CORES
    weir.quiet(f"echo {1 << core} > /sys/class/net/nic0/queues/rx-{queue}/rps_cpus")
    expect_in(f"core {core}, in whose backlog 0 of 1000 wait", explain(weir, frame)["RPS"], "what RPS would do")
    weir.quiet(f"echo 0 > /sys/class/net/nic0/queues/rx-{queue}/rps_cpus", "tc qdisc add dev nic0 clsact")
    weir.quiet("tc filter add dev nic0 ingress bpf bytecode '1,6 0 0 4294967295' action drop")
    stages = explain(weir, frame)
    expect(list(stages)[-1], "tc ingress", "the last stage that was asked")
    expect_in("drop (filter)", stages["tc ingress"], "what the filter would do")
    weir.quiet("tc qdisc del dev nic0 clsact")


def forwarded(weir):
    """Frames from nic0 that each core has looked up."""
    return [int(row.split()[4]) for row in weir.sh("ports").splitlines() if row.startswith("nic0 ")]


def test_steering_by_the_hash_of_one_queue(weir):
    """RPS goes by what the chip tells, UDP's ports left out or not, of one queue as of several."""
    weir.quiet("ethtool -L nic0 combined 1", "ethtool -K nic0 rxhash on", "echo f > /sys/class/net/nic0/queues/rx-0/rps_cpus")
    for fields in ("sd", "sdfn"):
        weir.quiet(f"ethtool -N nic0 rx-flow-hash udp4 {fields}")
        cores = set()
        for n in range(8):
            frame = numbered(A, B, 600 + n, flow=n)
            said = explain(weir, frame)["RPS"]
            core = int(re.search(r"core (\d)", said)[1])
            before = forwarded(weir)
            weir.arrives(0, frame, [1])
            took = [new - old for new, old in zip(forwarded(weir), before)]
            expect(took, [int(k == core) for k in range(CORES)], f"frames by core, where explain said {said!r}")
            cores.add(core)
        expect(len(cores) > 1, fields == "sdfn", f"flows on several cores with {fields}")
    weir.quiet("echo 0 > /sys/class/net/nic0/queues/rx-0/rps_cpus", "ethtool -K nic0 rxhash off")
    weir.quiet(f"ethtool -L nic0 combined {CORES}")


def looked_at(weir):
    """All that a frame could move, but for times."""
    lines = "ports", "pool", "drops", "bridge fdb show", "ip neigh", "tc -s qdisc", "policy", "cat /proc/net/dev", "cat /proc/softirqs"
    seen = {line: weir.sh(line) for line in lines}
    seen["bridge fdb show"] = re.sub(r" used \d+", "", seen["bridge fdb show"])
    flows = weir.sh("ovs-dpctl dump-flows")
    seen["flows"] = sorted(re.sub(r", used:[\d.]+s|never", "", flow) for flow in flows.splitlines())
    seen["counters"] = re.findall(r"^((?:net|vmm)\S+ +\d+)", weir.sh("counters"), re.MULTILINE)
    seen["/proc/softirqs"] = re.findall(r"(?:NET|BACKLOG|VHOST)\S+ .*", seen.pop("cat /proc/softirqs"))
    return seen


def test_it_only_looks(weir):
    """Known flows, unknown ones, malformed ones, with all stages in their way: nothing is counted or learnt."""
    weir.sh("sysctl net.flow.idle_seconds=1000")
    weir.quiet("ethtool -K nic0 gro on", "echo f > /sys/class/net/nic0/queues/rx-0/rps_cpus")
    weir.quiet("tc qdisc add dev nic0 clsact", "tc qdisc add dev nic1 root fq_codel")
    weir.quiet("tc filter add dev nic0 ingress bpf bytecode '1,6 0 0 0' action drop")
    weir.arrives(0, numbered(A, B, 500), [1])
    before = looked_at(weir)
    frames = [*kinds(A, B, 300).values(), *(row[1] for row in wrong_but_forwarded(A, B)), *(frame for _, frame, _ in malformed(A, B))]
    frames += [numbered(A, 9, 1), numbered(7, B, 1), numbered(A, B, 500)]
    for frame in frames:
        if len(bytes(frame)) <= 240:
            explain(weir, frame)
    after = looked_at(weir)
    for what, text in before.items():
        expect(after[what], text, f"{what} afterwards")
    assert before["flows"], "expected flows to look at"
    weir.quiet("tc qdisc del dev nic0 clsact", "tc qdisc del dev nic1 root")
    weir.sh("sysctl net.flow.idle_seconds=10")
    weir.quiet("ethtool -K nic0 gro off", "echo 0 > /sys/class/net/nic0/queues/rx-0/rps_cpus")


@pytest.mark.parametrize("policy", ["irq", "napi", "defer", "suspend", "poll"])
def test_how_the_queue_learns_of_it(weir, policy):
    """An interrupt, says explain, or none; and so it is."""
    interrupts = lambda: sum(int(row.split()[5]) for row in weir.sh("policy nic0/*").splitlines()[1:])  # noqa: E731
    weir.quiet(f"policy nic0/* {policy}")
    weir.hush(0.05)
    frame = numbered(A, B, 7000)
    said, before = explain(weir, frame)["queue"], interrupts()
    weir.arrives(0, frame, [1])
    came = interrupts() - before
    weir.quiet("policy nic0/* napi")
    expect_in(f" is {policy}: ", said, "the queue's policy")
    assert ("interrupt" in said) == (came > 0), f"expected {said!r}, saw {came} interrupts"


def segment(n, flags="A"):
    """Number @n of a stream, ten bytes each."""
    ip = IP(src=f"10.0.0.{A}", dst=f"10.0.0.{B}", id=n)
    return bytes(Ether(src=mac(A), dst=mac(B)) / ip / TCP(sport=99, dport=98, seq=1000 + 10 * n, flags=flags) / f"number {n:03}")


def test_what_gro_would_do(weir):
    """A flow that is held waits for the next look at its queue, so there is time to ask about the next frame."""
    weir.sh("ethtool -K nic1 tso off")  # QEMU's chip loses PSH
    weir.quiet("ethtool -K nic0 gro on", "policy nic0/* defer defer-hard-irqs 1 gro-flush-timeout 1000000000")
    for first in range(0, 500, 100):
        said = explain(weir, segment(first))["GRO"]
        expect(said, "held, as the first of its flow", "what it says of the first")
        weir.send(0, segment(first))
        says = [explain(weir, frame)["GRO"] for frame in (segment(first + 1), segment(first + 1, "PA"), segment(first + 2))]
        left = weir.hush(0.01)
        if not left:  # else the host was slow, and the timer has looked
            break
    expect(left, [], "frames of a flow that is held")
    expect(says[0], "hangs on to those that are held of its flow, 2 with it", "what it says of the next one")
    expect(says[1], "hangs on to those that are held of its flow, as the last, 2 with it", "what it says of one with PSH")
    expect(says[2], "does not continue the 1 held of its flow, which go on; held, as the first of its flow", "of one too far")
    merged, ended = weir.counter("net.gro_merged"), weir.counter("net.gro_flush_end")
    weir.send(0, segment(first + 1, "PA"))
    expect([frame for _, frame in weir.hush(2)], [segment(first), segment(first + 1, "PA")], "frames that left")
    expect(weir.counter("net.gro_merged") - merged, 1, "frames merged")
    expect(weir.counter("net.gro_flush_end") - ended, 1, "flows ended by their last frame")
    no_sum = bytearray(segment(1))
    no_sum[50] ^= 1
    expect(explain(weir, bytes(no_sum))["GRO"], "no payload, or a length or checksum is wrong: goes on", "a wrong checksum")
    expect(explain(weir, segment(1, "SA"))["GRO"], "its flags end a flow: goes on", "a SYN")
    expect_in("no TCP", explain(weir, numbered(A, B, 1))["GRO"], "UDP")
    weir.quiet("ethtool -K nic0 gro off", "policy nic0/* napi gro-flush-timeout 0 defer-hard-irqs 0")
    expect(explain(weir, segment(1))["GRO"], "off", "GRO that is off")


def test_what_waits_in_a_discipline(weir):
    """Tokens for one long frame, room for two more: the next frame is dropped, as said."""
    weir.quiet("tc qdisc add dev nic1 root handle 1: tbf rate 8kbit burst 1600b limit 2")
    frame = numbered(A, B, 1)
    expect(explain(weir, frame)["qdisc"], "pfifo in tbf, 0 of 2 wait", "what it says before")
    waiting = sent = 0
    while waiting < 2:  # tokens come at a frame in a second and a half
        weir.send(0, numbered(A, B, sent, size=1500))
        sent += 1
        found = re.compile(r"Sent \d+ bytes (\d+) pkt .*\n backlog \d+b (\d+)p")
        taken = lambda text: (m := found.search(text)) and int(m[1]) + int(m[2]) == sent and m  # noqa: E731, B023
        waiting = int(weir.wait_sh("tc -s qdisc show dev nic1", taken, "the frame to be sent, or to wait")[2])
    expect_in("drop (qdisc_full)", explain(weir, frame)["qdisc"], "what it says of one too many")
    with weir.dropping(qdisc_full=1):
        weir.send(0, frame)
        expect(len(weir.hush(3)), sent, "frames that leave")
    weir.quiet("tc qdisc del dev nic1 root")


GUEST = 3


def signals(weir):
    return int(expect_match(r"rx: .* (\d+) signals", weir.sh(f"guest info g{GUEST}"), "signals")[1])


def test_the_guests_side(lab):
    """Its queue, buffers, header and interrupt, and what stops a frame there."""
    weir = lab.get(nics=1, smp=2, config=config(line(GUEST, cpu=0, port="worker 1")), files=("tiny",))
    weir.wait_links()
    tiny = guests(weir, GUEST)[0]
    weir.carry([echoes(1, GUEST)])
    frame = echoes(2, GUEST)[3]
    stages, before = explain(weir, frame), signals(weir)
    expect_in(f"0 of {1000} buffers wait for the worker on core 1", stages["tap"], "its queue")
    expect_match(r"^p3/rx: 1 of the guest's buffers, \d+ bytes, mergeable$", stages["ring"], "its ring")
    expect(stages["header"], "flags 0, gso_type 0, num_buffers 1", "its header")
    weir.carry([echoes(2, GUEST)])
    expect(int("wanted" in stages["interrupt"]), signals(weir) - before, f"interrupts, where {stages['interrupt']!r} was said")
    back = weir.sh(f"explain p{GUEST} {echoes(2, GUEST)[4].hex()}")
    expect_in(f"p{GUEST}/tx is adaptive: a kick", back, "its answer")
    expect_in("nic0: queue", back, "its answer")
    tiny.ok("ctrl 0 0 0 00")  # no longer promiscuous
    other = numbered(A, 9, 1)
    expect(list(explain(weir, other).items())[-1][1][:21], "drop (guest_filtered)", "another station's frame")
    with weir.dropping(guest_filtered=1):
        weir.send(0, other)
        weir.hush(0.1)
    weir.quiet(f"guest stop g{GUEST}")
    expect(list(explain(weir, frame).items())[-1][1][:17], "drop (tap_closed)", "one for a guest that is off")
    with weir.dropping(tap_closed=1):
        weir.send(0, frame)
        weir.hush(0.1)


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
