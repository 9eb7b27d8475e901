# SPDX-License-Identifier: MIT
"""What the NICs do with a frame beside carrying it: checksums, tags, hashes; told, asked for, switched under traffic

And how long their interrupts really wait.
"""

import re

import pytest

import frames
import nic_checks
from nic_checks import among
from weir import Weir, expect, expect_in, expect_match

A = 1  # station behind nic0; the next is behind nic1
SIZES = [60, 64, 65, 500, 1514]
MACHINES = {"82576 and 82574L": {"e1000e": {1: 0x10}}, "82576 and 82540EM": {"e1000": {1: 0x10}}}


@pytest.fixture(params=MACHINES)
def weir(lab, request):
    """Two NICs, one core: what goes in first comes out first. Who a tagged frame is for is nowhere but at the other."""
    weir = lab.get(nics=2, smp=1, **MACHINES[request.param])
    switched(weir, "rx off rxvlan off")
    return nic_checks.ready(weir)


def switched(weir, words):
    for i in (0, 1):
        weir.sh(f"ethtool -K nic{i} {words}")


def features(weir, i):
    """{name: on or off, and what stands behind} of one NIC."""
    rows = weir.sh(f"ethtool -k nic{i}").splitlines()
    expect(rows[0], f"Features for nic{i}:", "first line of ethtool -k")
    return dict(row.strip().split(": ", 1) for row in rows[1:])


def all_kinds(weir, sizes=SIZES):
    """Frames of each kind and size between all NICs, tags and wrong checksums among them: each keeps its bytes."""
    sent = {}
    for i, j in ((0, 1), (1, 0)):
        for size in sizes:
            for frame in frames.kinds(A + i, A + j, size).values():
                sent[frame, i, j] = (i, j, (i, j), frame)
        for _, frame, *_ in frames.wrong_but_forwarded(A + i, A + j):
            sent[frame, i, j] = (i, j, (i, j), frame)
    with weir.dropping():
        weir.carry(list(sent.values()), window=16)


def test_features_are_those_of_the_chips(weir, request):
    old = "82540EM" in request.node.name
    expect(features(weir, 0)["receive-hashing"], "off", "hashes of the 82576")
    expect(features(weir, 1)["receive-hashing"], "off [fixed]" if old else "off", "hashes of the other")
    for i in (0, 1):
        expect(features(weir, i)["tcp-segmentation-offload"], "off" if i and old else "on", f"TSO of nic{i}")
        expect(features(weir, i)["rx-checksumming"], "off", f"checksums in of nic{i}, while nobody wants them")
    expect_in("large-receive-offload of nic0 is fixed", weir.sh("ethtool -K nic0 lro on"), "what it has not")
    expect_in("rx-vlan-offload: on\n", weir.sh("ethtool -K nic0 rxvlan on") + weir.sh("ethtool -k nic0"), "switched")
    expect_in("ethtool -K nic0 rxvlan on\n", weir.sh("show config"), "show config")


@pytest.mark.parametrize("words", ["rx on", "rxvlan on", "rx on rxvlan on"])
def test_frames_keep_their_bytes(weir, words):
    """A tag that goes aside comes back, by the chip or by software, whatever else is told of the frame."""
    switched(weir, words)
    all_kinds(weir)
    weir.quiet("ethtool -K nic0 rxhash on")
    all_kinds(weir, SIZES[:2])
    weir.quiet("ethtool -K nic0 rxhash off")


def test_tags_come_back_by_software(weir):
    """One takes them out, the other cannot put them in."""
    for i in (0, 1):
        weir.sh(f"ethtool -K nic{i} rxvlan on")
        weir.sh(f"ethtool -K nic{1 - i} rxvlan off")
        all_kinds(weir)


def test_switched_under_traffic(weir):
    number = 0
    for words in ("rxvlan on", "rx on", "rxvlan off", "rx off rxvlan on", "rxvlan off"):
        tagged = []
        for n in range(60):
            for i, j, flow, frame in among((0, 1), 1, number + n):
                tagged.append((i, j, flow, frame if n % 2 else frame[:12] + b"\x81\x00\x20\x07" + frame[12:]))
        number += 60
        with weir.dropping():
            weir.carry(tagged, 16, midway=lambda words=words: switched(weir, words))


def test_wrong_checksums_are_counted_and_pass(weir):
    """What is right is told and what is wrong is not; both are forwarded. The 82540EM never looks."""
    switched(weir, "rx on")
    before = weir.ethtool(0)["rx_queue_0_csum_err"]
    wrong = [frame for _, frame in frames.wrong_checksums(A, A + 1)]
    with weir.dropping():
        weir.carry([(0, 1, 0, frame) for frame in wrong], 4)
    expect(weir.ethtool(0)["rx_queue_0_csum_err"] - before, len(wrong), "wrong checksums that nic0 saw")


def last_ctrl(weir, i):
    """Bits of the last write of CTRL; the watchdog's reads may stand behind it."""
    return re.findall(r"CTRL 0x00000 W \w+(.*)$", weir.sh(f"trace nic{i} regs show"), re.MULTILINE)[-1]


def test_pause_frames_are_programmed(weir, request):
    """Nothing of it can be seen on a wire of QEMU's: what is asked for, agreed on with the model's PHY, and written."""
    for i, kind in enumerate(re.findall(r"82\w+", request.node.name)):
        agreed = "off" if kind == "82540EM" else "on"  # the other end of that one knows no pause frames
        expect_in("RX:\t\toff\nTX:\t\toff\n", weir.sh(f"ethtool -a nic{i}"), "pause frames at first")
        weir.quiet(f"trace nic{i} regs on", f"ethtool -A nic{i} autoneg on rx on tx on")
        weir.wait_sh(f"trace nic{i} regs show", lambda text: "REG=5" in text, "the question what the other end can")
        expect_in(f"RX negotiated: {agreed}\nTX negotiated: {agreed}\n", weir.sh(f"ethtool -a nic{i}"), "what is agreed on")
        text = weir.sh(f"trace nic{i} regs show")
        expect_match(r"FCAL 0x00028 W 0x00c28001$", text, "the address of pause frames")
        expect_match(r"FCRTL 0x02160 W 0x8000\w+ XONE", text, "the lower mark")
        expect_match(r"MDIC 0x00020 W \w+ DATA=1505 REG=4 PHY=1 OP=1$", text, "what the PHY advertises")
        expect_in("Advertised pause frame use: Symmetric\n", weir.sh(f"ethtool nic{i}"), "what is advertised")
        expect_in(f"ethtool -A nic{i} autoneg on rx on tx on\n", weir.sh("show config"), "show config")
        weir.quiet(f"ethtool -A nic{i} autoneg off")
        expect_in(" RFCE TFCE", last_ctrl(weir, i), "forced on, both ways")
        weir.quiet(f"ethtool -A nic{i} rx off tx off", f"trace nic{i} regs off")
        assert "FCE" not in last_ctrl(weir, i), f"expected both ways off, saw:{last_ctrl(weir, i)}"


# what a reset writes, in the datasheet's order [82576 4.5.3] [82574 4.6] [8254x 14]
RESETS = {
    "82576": ["IMC 0x000d8 W 0xffffffff", "CTRL 0x00000 W .* GIO_OFF ", "CTRL 0x00000 W .* RST", "CTRL 0x00000 W .* SLU",
              r"MDIC 0x00020 W 0x04201340 DATA=4928 PHY=1 OP=1", r"MTA\(0\) to MTA\(127\)", "RAH 0x05404 W .* AV",
              r"RDBAL\(0\)", r"RXDCTL\(0\) 0x0c028 W .* ENABLE", r"TDBAL\(0\)", r"TXDCTL\(0\) 0x0e028 W .* ENABLE",
              "TCTL 0x00400 W .* EN ", "IVAR_MISC", "RCTL 0x00100 W .* EN ", r"RDT\(0\) 0x0c018 W", "EIMS 0x01524 W 0x00000001"],
    "82574L": ["IMC 0x000d8 W 0xffffffff", "CTRL 0x00000 W .* RST", "CTRL 0x00000 W .* SLU", "MDIC 0x00020 W",
               r"MTA\(0\) to MTA\(127\)", "RFCTL 0x05008 W .* EXSTEN", r"RDBAL\(0\)", r"TDBAL\(0\)", "TCTL 0x00400 W .* EN ",
               "IVAR 0x000e4 W 0x00090008 RX0=8 OTHER=9", "RCTL 0x00100 W .* EN ", "IMS 0x000d0 W 0x00100000 RXQ0"],
    "82540EM": ["IMC 0x000d8 W 0xffffffff", "CTRL 0x00000 W .* RST", "CTRL 0x00000 W .* SLU", "MDIC 0x00020 W",
                r"MTA\(0\) to MTA\(127\)", r"RDBAL\(0\)", r"TDBAL\(0\)", "TCTL 0x00400 W .* EN ", "TIPG", "RCTL 0x00100 W .* EN ",
                "IMS 0x000d0 W 0x00000080 RX"],
}  # fmt: skip


def test_reset_traced_by_name(weir, request):
    """Both ways of writing a register are seen, and frames are carried as before while it is traced and behind it."""
    for i, kind in enumerate(re.findall(r"82\w+", request.node.name)):
        weir.quiet(f"trace nic{i} regs on", f"ip link set nic{i} down", f"ip link set nic{i} up")
        text, at = weir.sh(f"trace nic{i} regs show"), 0
        for step in RESETS[kind]:
            found = re.compile(step).search(text, at)
            assert found, f"expected {step!r} behind the steps before it, saw:\n{text}"
            at = found.end()
        expect_match(rf"^register trace of nic{i} is on; \d+ accesses of at most 4096, 0 lost$", text, "the end of the trace")
    nic_checks.ready(weir)
    weir.carry(among((0, 1), 50), 8)
    for i in (0, 1):
        text = weir.sh(f"trace nic{i} regs show")
        for name in ("TDT", "RDT"):
            expect_match(rf"  {name}\(0\) 0x\w+ W 0x000000..$", text, f"a doorbell of nic{i}")
        weir.quiet(f"trace nic{i} regs off")
    weir.carry(among((0, 1), 50, 50), 8)


# by icount time is a count: (unit as measured, shortest interval)
THROTTLES = {"igb": (r"[14]\.0\d\d", "0.000"), "e1000e": (r"0\.25\d", r"128\.\d+"), "e1000": (r"0\.25\d", r"128\.\d+")}


@pytest.mark.parametrize("kind", THROTTLES)
def test_throttle_is_measured_and_made_up_for(kind):
    """Interrupts wait as long as was asked for, within a count, or as long as the model makes them at least."""
    unit, shortest = THROTTLES[kind]
    others = {} if kind == "igb" else {kind: {0: 0x10}}
    with Weir(nics=1, cpu="max,-x2apic", extra=("-icount", "shift=0,sleep=off"), **others) as weir:
        for asked in (100, 1000):
            weir.quiet(f"ethtool -C nic0 rx-usecs {asked}")
            text = weir.sh("cat /sys/class/net/nic0/throttle")
            found = float(expect_match(rf"^unit: ({unit}) us$", text, "the unit")[1])
            least = float(expect_match(rf"^shortest: ({shortest}) us$", text, "the shortest")[1])
            real = float(re.search(r"^real: ([\d.]+) us$", text, re.MULTILINE)[1])
            assert abs(real - max(asked, least)) <= found, f"expected {asked} us or {least} us, saw:\n{text}"
        weir.poweroff()
