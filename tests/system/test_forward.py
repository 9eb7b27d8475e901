# SPDX-License-Identifier: MIT
"""Frames from wire to wire: every kind and size unchanged, what is broken dropped by name, none lost, all counted"""

import random
import re

import pytest

import frames
import nic_checks
from frames import numbered, padded
from weir import expect

A, B = 1, 2  # stations behind nic0 and nic1


@pytest.fixture
def weir(lab):
    """One core, one queue: what goes in first comes out first."""
    return ready(lab.get(nics=2, smp=1))


def ready(weir):
    """Links up, and both stations known to the switch, so that nothing is flooded."""
    weir.wait_links()
    if frames.mac(A) not in weir.sh("bridge fdb") or frames.mac(B) not in weir.sh("bridge fdb"):
        weir.carry([(0, 1, "from A", numbered(A, B, 0)), (1, 0, "from B", numbered(B, A, 0))])
    return weir


def both_ways(there, back):
    """@there from nic0 and @back from nic1, mixed."""
    pairs = zip([(0, 1, "there", frame) for frame in there], [(1, 0, "back", frame) for frame in back])
    return [one for pair in pairs for one in pair]


# --- kinds and sizes --------------------------------------------------------------------------------------------------

BOUNDARIES = [60, 61, 63, 64, 65, 72, 82, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 1513, 1514]


def test_kinds_and_sizes(weir):
    """Every protocol that the parser knows, at every size at which something might change, both ways."""
    sent = {}
    for size in BOUNDARIES:
        for name, frame in frames.kinds(A, B, size).items():
            sent[name, size] = (0, 1, name, frame)
        for name, frame in frames.kinds(B, A, size).items():
            sent[name + " back", size] = (1, 0, name + " back", frame)
    with weir.dropping():
        weir.carry(list(sent.values()), window=32)


def test_kinds_by_a_cpu_without_crc32(lab):
    """Hashes are computed bit by bit there, and flows are found all the same."""
    weir = ready(lab.get(nics=2, smp=1, cpu="qemu64,-svm"))
    made = [frame for _ in range(2) for frame in frames.kinds(A, B, 100).values()]
    with weir.dropping():
        for frame in made:
            weir.carry([(0, 1, "there", frame)])


def test_every_size(weir):
    nic_checks.every_size(weir, A, B)


def test_tag_rides_on_top_of_the_mtu(weir):
    nic_checks.tag_on_top_of_the_mtu(weir, A, B)


def test_short_frames_are_padded(weir):
    """Fewer than 60 bytes come out as 60, the rest zeroes. QEMU pads in front of the NIC already: what padding Weir
    does itself the unit tests see."""
    whole = numbered(A, B, 7)[:14].replace(b"\x08\x00", b"\x88\xb5") + bytes(range(1, 47))
    for size in (14, 15, 30, 42, 59):
        weir.send(0, whole[:size])
        expect(weir.recv(1), padded(whole[:size]), f"frame of {size} bytes")


def test_jumbo(lab):
    """Several buffers a frame: sizes around each buffer's end, up to an MTU of 9,000 and its tag."""
    weir = ready(lab.get(nics=2, smp=2))
    weir.quiet("ip link set nic* mtu 9000")
    weir.wait_links()
    edges = [edge + off for edge in (2048, 4096, 6144, 8192) for off in (-5, -4, -1, 0, 1, 4)]
    sizes = [60, 1514, 1518, 1519, 2000, *edges, 8999, 9000, 9013, 9014, 9018]
    with weir.dropping():
        weir.carry(
            both_ways([numbered(A, B, n, size=n) for n in sizes], [numbered(B, A, n, size=n) for n in sizes]), 8
        )
    # a frame that is too long for the port it should leave by
    weir.quiet("ip link set nic1 mtu 1500")
    weir.wait_links()
    with weir.dropping(tx_too_long=2):
        for size in (1519, 9018):
            weir.send(0, numbered(A, B, 1, size=size))
        weir.carry([(0, 1, "after", numbered(A, B, 2))])
    weir.quiet("ip link set nic* mtu 1500")


# --- broken frames ----------------------------------------------------------------------------------------------------


def test_wrong_but_forwarded(weir):
    """A switch is no judge of checksums and lengths: they pass unchanged, and what it looks at anyway is counted."""
    for name, frame, length, version in frames.wrong_but_forwarded(A, B):
        before = weir.counter("net.bad_ip_len"), weir.counter("net.bad_ip_version")
        with weir.dropping():
            weir.carry([(0, 1, name, frame)])
        after = weir.counter("net.bad_ip_len"), weir.counter("net.bad_ip_version")
        counted = after[0] - before[0], after[1] - before[1]
        expect(counted, (length, version), f"'{name}' counted as (wrong length, wrong version)")


def test_wrong_checksums_are_forwarded_and_counted(weir):
    """The NIC checks those of IPv4's header, UDP and TCP; each frame counts once, a right one never."""
    right = [*frames.kinds(A, B, 100).items(), ("no udp checksum", numbered(A, B, 1))]
    checked = [(name, frame, 0) for name, frame in right if name != "sctp"]  # a stub without a CRC
    checked += [(name, frame, 1) for name, frame in frames.wrong_checksums(A, B)]
    for name, frame, errors in checked:
        before = weir.ethtool(0)["rx_queue_0_csum_err"]
        with weir.dropping():
            weir.carry([(0, 1, name, frame)])
        expect(weir.ethtool(0)["rx_queue_0_csum_err"] - before, errors, f"'{name}' counted as wrong checksum")


def test_filter_of_addresses(lab):
    """A port in no switch and not promiscuous: its NIC refuses frames for others. With promisc on it takes them."""
    weir = lab.get(nics=2, smp=1, config="ip link set nic* up\n")
    weir.wait_links()
    own = bytes.fromhex(re.search(r"link/ether (\S+)", weir.sh("ip link show nic0"))[1].replace(":", ""))

    def takes(target):
        before = weir.ethtool(0)["rx_packets"]
        weir.send(0, padded(target + frames.mac_bytes(A) + b"\x88\xb5"))
        expect(weir.hush(0.2), [], "frames that left")
        return weir.ethtool(0)["rx_packets"] - before

    with weir.dropping(no_switch=3):
        expect((takes(frames.mac_bytes(B)), takes(own)), (0, 1), "frames taken for another station and for nic0")
        weir.quiet("ip link set nic0 promisc on")
        expect((takes(frames.mac_bytes(B)), takes(own)), (1, 1), "the same with promisc on")
        weir.quiet("ip link set nic0 promisc off")
        expect(takes(frames.mac_bytes(B)), 0, "frames taken for another station with promisc off again")


def test_malformed_frames_are_dropped_by_name(weir):
    nic_checks.malformed_dropped_by_name(weir, A, B)


def test_malformed_frames_among_good_ones(weir):
    bad = frames.malformed(A, B)
    reasons = {reason: 5 * sum(1 for one in bad if one[2] == reason) for _, _, reason in bad}
    with weir.dropping(**reasons):
        for turn in range(5):
            for _, frame, _ in bad:
                weir.send(0, frame)
            weir.carry([(0, 1, "good", numbered(A, B, turn * 100 + n)) for n in range(20)], 8)


def mutants(count):
    """Good frames with a few bytes behind the addresses changed, or cut short; the same ones every time."""
    rnd = random.Random(82576)
    good = [frame for size in (60, 90, 200) for frame in frames.kinds(A, B, size).values()]
    for number in range(count):
        frame = bytearray(rnd.choice(good))
        for _ in range(rnd.randint(1, 4)):
            telling = (0, 1, 6, 17, 43, 44, 60, 69, 255, rnd.randrange(256))
            frame[rnd.randrange(12, min(len(frame), 80))] = rnd.choice(telling)
        frame = bytes(frame[: rnd.randint(60, len(frame))] + number.to_bytes(4, "big"))
        if not spoiled_by_qemu(frame):
            yield frame


EXTENSIONS = (0, 43, 44, 51, 60, 135)  # headers that IPv6 puts in front of the payload; 44: fragment


def spoiled_by_qemu(frame):
    """QEMU's NIC fills in an IPv6 payload length of 0. And it silently keeps fragments whose reserved byte is not 0,
    which it takes for a length, and later ones of an extension header, which it looks for where only its middle is."""
    at = 12
    while frame[at : at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    if frame[at : at + 2] != b"\x86\xdd":
        return False
    if frame[at + 6 : at + 8] == b"\0\0":
        return True
    following, here = frame[at + 8], at + 42
    while following in EXTENSIONS and here + 8 <= len(frame):
        later = frame[here + 2 : here + 4] > b"\0\7"
        if following == 44 and (frame[here + 1] or later and frame[here] in EXTENSIONS):
            return True
        length = 8 if following == 44 else (frame[here + 1] + 2) * 4 if following == 51 else (frame[here + 1] + 1) * 8
        following, here = frame[here], here + length
    return False


def test_mutants(weir):
    """Each leaves unchanged or is dropped and counted. A NIC that says "sent" and sends nothing would show here."""
    waiting, sent, before = {}, 0, weir.drops()["total"]
    for frame in mutants(3000):
        weir.send(0, frame)
        waiting[frame] = sent
        sent += 1
        if sent % 32 == 0:
            take(weir, waiting)
    take(weir, waiting, 0.5)
    dropped = weir.drops()["total"] - before
    expect(len(waiting), dropped, "frames that did not come out, which should be those dropped")
    assert 0 < dropped < sent / 2, f"expected some of {sent} mutants dropped and most forwarded, saw {dropped} dropped"


def take(weir, waiting, seconds=0.02):
    for port, frame in weir.hush(seconds):
        assert port == 1 and waiting.pop(frame, None) is not None, f"on NIC {port}: nobody sent {frame.hex()}"


def test_link_local_groups_stay_here(weir):
    """01:80:c2:00:00:00 to 0f are for the next bridge, which is this one; :10 is a group like others."""
    with weir.dropping(reserved_mac=16):
        for last in range(16):
            weir.send(0, padded(bytes.fromhex("0180c20000") + bytes([last]) + frames.mac_bytes(A) + b"\x88\xcc"))
        weir.carry([(0, 1, "after", numbered(A, B, 1))])
        group = padded(bytes.fromhex("0180c2000010") + frames.mac_bytes(A) + b"\x88\xcc")
        weir.carry([(0, 1, "group", group)])


# --- many -------------------------------------------------------------------------------------------------------------

FLOWS = 64


@pytest.mark.parametrize("smp", [1, 2, 4])
def test_ten_thousand(lab, smp):
    """Both directions at once, 64 flows each way, 64 frames under way: none lost, all in order, all queues busy."""
    weir = ready(lab.get(nics=2, smp=smp))
    before = [weir.ethtool(i) for i in (0, 1)]
    sent = [
        (source, 1 - source, (source, n % FLOWS), numbered(A + source, B - source, n, n % FLOWS, size=60 + n % 100))
        for n in range(5000)
        for source in (0, 1)
    ]
    with weir.dropping():
        weir.carry(sent, window=64)
    for i in (0, 1):
        after = weir.ethtool(i)
        new = {name: after[name] - before[i][name] for name in after}
        expect((new["rx_packets"], new["tx_packets"]), (5000, 5000), f"packets that nic{i} received and sent")
        for direction in ("rx", "tx"):
            by_queue = [new[f"{direction}_queue_{q}_packets"] for q in range(smp)]
            expect(sum(by_queue), 5000, f"packets of nic{i}'s {direction} queues {by_queue}")
            assert all(by_queue), f"nic{i}: expected packets in each of {smp} {direction} queues, saw {by_queue}"
    if smp > 1:
        busy = [processed for processed, _, _ in weir.softnet()]
        assert all(busy), f"expected packets processed on each of {smp} cores, saw {busy}"


def test_singles(weir):
    """One at a time: an interrupt, a poll, back to sleep; a lost wake-up would stop it."""
    napi = lambda: int(re.search(r"irqs (\d+)", weir.sh("napi"))[1])  # noqa: E731
    before = napi()
    weir.carry([(0, 1, "one", numbered(A, B, n)) for n in range(300)], window=1)
    irqs = napi() - before
    assert 200 <= irqs <= 400, f"expected about 300 interrupts of nic0 for 300 single frames, saw {irqs}"


def test_bursts(weir):
    """More at once than one poll takes; the window lets the ring fill."""
    with weir.dropping():
        weir.carry([(0, 1, "one", numbered(A, B, n)) for n in range(2000)], window=128)
    batches = re.findall(r"(\S+):(\d+)", re.search(r"^  batches (.*)$", weir.sh("napi"), re.MULTILINE)[1])
    large = sum(int(n) for size, n in batches if size in ("8-15", "16-31", "32-63", "64+"))
    assert large, f"expected polls that took 8 packets and more, saw {batches}"


# --- counts -----------------------------------------------------------------------------------------------------------


def test_counts_equal_what_was_sent(weir):
    """/proc/net/dev counts frames and bytes without FCS, ethtool -S with it; both exactly."""
    sent = [numbered(A, B, size, size=size) for size in range(60, 1500, 37)]
    total = sum(len(frame) for frame in sent)
    dev, nic = [weir.dev(i) for i in (0, 1)], [weir.ethtool(i) for i in (0, 1)]
    weir.carry([(0, 1, "one", frame) for frame in sent], 16)
    new = [tuple(a - b for a, b in zip(weir.dev(i), dev[i])) for i in (0, 1)]
    expect(new, [(total, len(sent), 0, 0), (0, 0, total, len(sent))], "/proc/net/dev, RX and TX bytes and packets")
    after = [weir.ethtool(i) for i in (0, 1)]
    for i, way in ((0, "rx"), (1, "tx")):
        counted = {name: after[i][name] - nic[i][name] for name in after[i]}
        expect(counted[f"{way}_packets"], len(sent), f"{way}_packets of nic{i}")
        expect(counted[f"{way}_bytes"], total + 4 * len(sent), f"{way}_bytes of nic{i}, FCS included")
        expect(counted[f"{way}_queue_0_packets"], len(sent), f"{way}_queue_0_packets of nic{i}")
        expect(counted[f"{way}_queue_0_bytes"], total, f"{way}_queue_0_bytes of nic{i}")
