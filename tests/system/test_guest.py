# SPDX-License-Identifier: MIT
"""Tiny guests behind the switch: to wires and each other, every size, every kind of interrupt, resets under traffic"""

import concurrent.futures
import re
import struct

import pytest

import frames
from frames import mac, mac_bytes, numbered, udp_echo
from guests import config, echoes, guests, line, pings
from weir import expect, expect_match

A, B = 1, 20  # stations behind nic0 and nic1
G2, G3 = 2, 3  # guests
JUMBO = 9000
TAP_QUEUE, RING = 512, 256  # buffers that may wait in front of each of two guests

PAIR = config(line(G2, cpu=0, port=f"mtu {JUMBO}"), line(G3, cpu=1, port=f"mtu {JUMBO}"), mtu=JUMBO)
SOLO = config(line(G2))
APART = config(line(G2, cpu=0, port="worker 1"), line(G3, cpu=1, port="worker 0"))  # workers and guests meet by IPI


@pytest.fixture
def pair(lab):
    """Two cores with a guest each, two wires, everything at an MTU of 9,000."""
    return acquainted(ready(lab.get(nics=2, smp=2, config=PAIR, files=("tiny",)), G2, G3))


@pytest.fixture
def apart(lab):
    """Each guest's worker on the other one's core."""
    return acquainted(ready(lab.get(nics=2, smp=2, config=APART, files=("tiny",)), G2, G3))


@pytest.fixture
def solo(lab):
    """One core for everything, one guest."""
    return ready(lab.get(nics=2, smp=1, config=SOLO, files=("tiny",)), G2)


def ready(weir, *numbers):
    """All run and are known to the switch."""
    weir.guests = {guest.number: guest for guest in guests(weir, *numbers)}
    weir.arrives(1, numbered(B, A, 0), [0])  # the switch knows B
    return weir


def acquainted(weir):
    """The guests know each other's addresses; to ask for them is heard on the wires."""
    weir.guests[G2].ok(f"udp 10.0.0.{G3}")
    weir.hush(0.02)
    return weir


# --- to and from the wire ---------------------------------------------------------------------------------------------


def test_ready(pair):
    """What it found and was told, and where Weir lists it."""
    said = pair.guests[G2].log()
    what = rf"^tiny: nic0 {mac(G2)} mtu {JUMBO} features [0-9a-f]+ vectors 3 notify pio$"
    expect_match(what, said, "its first words")
    row = expect_match(r"^g2 +(.*)$", pair.sh("guest list"), "guest list")[1].split()
    expect(row, ["running", "1", "0", "16", "MiB", "tiny", "p2"], "g2 in 'guest list'")


@pytest.mark.parametrize("which", ["solo", "pair", "apart"])
def test_ping(request, which):
    """Each answered, byte for byte, also when they come one at a time."""
    weir = request.getfixturevalue(which)
    for window in (1, 32):
        with weir.dropping():
            weir.carry(pings(300, G2, A), window)


def test_every_size(pair):
    """60 to 9,014 bytes, to a guest on either core and back; around each buffer's end every single one."""
    edges = [edge + off for edge in (1972, 1984, 2048, 3968, 4096, 5952, 6144, 7936, 8192) for off in range(-3, 4)]
    sizes = sorted({*range(60, 300, 7), *range(300, 9014, 191), *edges, 1513, 1514, 1515, 9013, 9014})
    with pair.dropping():
        for guest in (G2, G3):
            pair.carry([echoes(size, guest, size) for size in sizes], window=8)


@pytest.mark.parametrize("which", ["solo", "pair", "apart"])
def test_many(request, which):
    """Thousands with 64 under way: none lost, each flow in order, and most of them in batches."""
    weir = request.getfixturevalue(which)
    before = weir.guests[G2].device()
    with weir.dropping():
        weir.carry([echoes(n, G2, 60 + n % 100, flow=n % 16) for n in range(4000)])
    after = weir.guests[G2].device()
    new = {what: after[what] - before[what] for what in after}
    for ring in ("rx", "tx"):
        expect(new[f"{ring} packets"], 4000, f"packets of the {ring} ring")
    assert new["rx signals"] < 4000, f"expected fewer interrupts than the 4,000 packets, saw {new}"
    assert new["tx kicks"] < 4000, f"expected fewer doorbells than the 4,000 packets, saw {new}"


def test_wrong_frames_are_no_guests_trouble(solo):
    """A switch passes them on; the guest throws them away and goes on."""
    wrong = frames.wrong_but_forwarded(A, G2)
    dropped = solo.guests[G2].count()["dropped"]
    with solo.dropping():
        for _, frame, _, _ in wrong:
            solo.send(0, frame)
        solo.hush()  # the tagged one is flooded: nobody is known in its VLAN
        solo.carry([echoes(n, G2) for n in range(100)])
    assert solo.guests[G2].count()["dropped"] > dropped, "expected some of them dropped by the guest, saw none"


def check_generated(got, guest, station, count, size):
    """@got is all that arrived of `gen` and its @count frames: each number once, in order, and each frame whole."""
    numbers = [struct.unpack("!I", frame[46:50])[0] for frame in got]
    expect(numbers, sorted(set(numbers)), f"numbers of the frames that came from g{guest}")
    expect(len(got), count, f"frames that came from g{guest}")
    for number, frame in zip(numbers, got):
        what = f"of frame {number} from g{guest}"
        expect(frame[:14], mac_bytes(station) + mac_bytes(guest) + b"\x08\x00", f"Ethernet header {what}")
        expect(len(frame), size, f"length {what}")
        expect(frame[50:], frames.ramp(number, size - 50), f"payload {what}")


@pytest.mark.parametrize("size", [60, 1514, 9014])
def test_guest_to_wire(pair, size):
    """What a guest sends by itself, with bursts of several lengths. Long jumbo ones may overrun the NIC's ring."""
    guest = pair.guests[G2]
    for burst in (1, 32, 200):
        before = pair.drops()
        guest.begin(f"gen {mac(A)} 300 {size} {burst}")
        got = take(pair, guest)
        expect_match(r"^ok sent 300 ", guest.finish(), "the guest's answer")
        after = pair.drops()
        full = after["tx_ring_full"] - before["tx_ring_full"]
        expect(after["total"] - before["total"], full if size > 1514 else 0, "frames dropped")
        expect({nic for nic, _ in got}, {0}, "NICs that frames left by")
        check_generated([frame for _, frame in got], G2, A, 300 - full, size)


def take(weir, *senders):
    """What comes off the wires until these guests have finished what they do."""
    got = []
    while not all(guest.finished() for guest in senders):
        got += weir.hush(0.02)
    return got + weir.hush()


def test_both_guests_to_the_wire_at_once(pair):
    """Two cores send by the same NIC, and by two; each guest's frames stay in order."""
    for out_of_g3, nic in ((A, 0), (B, 1)):
        with pair.dropping():
            two, three = pair.guests[G2], pair.guests[G3]
            two.begin(f"gen {mac(A)} 2000 60 32")
            three.begin(f"gen {mac(out_of_g3)} 2000 90 32")
            got = take(pair, two, three)
            two.good(two.finish(), "gen")
            three.good(three.finish(), "gen")
        by_guest = {G2: [], G3: []}
        for port, frame in got:
            by_guest[frame[11]].append((port, frame))
        for guest, station, port, size in ((G2, A, 0, 60), (G3, out_of_g3, nic, 90)):
            expect({seen for seen, _ in by_guest[guest]}, {port}, f"NICs that frames of g{guest} left by")
            check_generated([frame for _, frame in by_guest[guest]], guest, station, 2000, size)


@pytest.mark.parametrize("which, sizes", [("pair", (18, 19, 100, 1472, 1473, 4000, 8972)), ("apart", (18, 700, 1472))])
def test_guest_to_guest(request, which, sizes):
    """Across cores, every size, nothing of it on the wires."""
    weir = request.getfixturevalue(which)
    with weir.dropping():
        for size in sizes:
            said = weir.guests[G2].ok(f"udp 10.0.0.{G3} 7 300 {size}")
            expect_match(r"^ok sent 300 received 300 reordered 0 bad 0$", said, f"echo of {size} bytes from g3 to g2")
        expect(weir.hush(0.1), [], "frames that left by a NIC")


@pytest.mark.parametrize("which", ["pair", "apart"])
def test_guest_to_guest_both_ways_at_once(request, which):
    weir = request.getfixturevalue(which)
    two, three = weir.guests[G2], weir.guests[G3]
    with weir.dropping():
        two.begin(f"udp 10.0.0.{G3} 7 3000 100")
        three.begin(f"udp 10.0.0.{G2} 7 3000 200")
        for guest in (two, three):
            expect_match(r"^ok sent 3000 received 3000 reordered 0 bad 0$", guest.finish(), f"{guest.name}'s exchange")


def test_everybody_to_everybody(pair):
    """Wire to wire, wire to guests, guest to guest at the same time: all arrive, nothing else does."""
    two = pair.guests[G2]
    items = []
    for n in range(1500):
        items += [echoes(n, G2, flow=1), echoes(n, G3, flow=2, station=B, nic=1)]
        items += [(0, 1, "there", numbered(A, B, n)), (1, 0, "back", numbered(B, A, n))]
    with pair.dropping():
        two.begin(f"udp 10.0.0.{G3} 7 2000 64")
        pair.carry(items)
        expect_match(r"^ok sent 2000 received 2000 ", two.finish(), "the guests' exchange meanwhile")


def test_counters_of_the_port(solo):
    """/proc/net/dev and the guest agree on what went by, in packets and bytes."""
    def dev():
        row = expect_match(r"^ *p2: +(.*)$", solo.sh("cat /proc/net/dev"), "/proc/net/dev")[1].split()
        return [int(row[column]) for column in (0, 1, 8, 9)]

    before, mine = dev(), solo.guests[G2].count()
    solo.carry([echoes(n, G2, 100) for n in range(50)], 8)
    after, now = dev(), solo.guests[G2].count()
    new = [a - b for a, b in zip(after, before)]
    expect(new, [5000, 50, 5000, 50], "bytes and packets from the guest, to the guest")
    for what, many in (("rx", 50), ("tx", 50), ("rx_bytes", 5000), ("tx_bytes", 5000)):
        expect(now[what] - mine[what], many, f"{what}, as the guest counts")


# --- queues that are full, guests that are not there ------------------------------------------------------------------


def tap_share(weir, taps):
    """Buffers that may wait in front of each guest: its part of a third of a core's pool, but no more than 1,000."""
    return min(int(expect_match(r"^pool 0: .* (\d+) in all", weir.sh("pool"), "pool")[1]) // 3 // taps, 1000)


@pytest.mark.parametrize("size, buffers", [(60, 1), (9014, 5)])
def test_full_queue(pair, size, buffers):
    """A guest asleep for good: ring and queue take what they hold, the rest is dropped, and what waits is purged."""
    guest, sent = pair.guests[G2], 1024
    guest.type("die sleep")
    before, drops = guest.wait_asleep().device(), pair.drops()
    for n in range(0, sent, 32):
        for i in range(32):
            pair.send(0, numbered(A, G2, n + i, size=size, port=9))
        pair.carry([echoes(n, G3)])  # by the same ring of the NIC: those before it have been taken
    pair.hush()
    new = {what: n - before[what] for what, n in guest.device().items()}
    got, full = new["rx packets"], pair.drops()["tap_full"] - drops["tap_full"]
    assert RING // 2 <= got * buffers <= RING, f"expected a ring of {RING} buffers to be used up, saw {got} frames"
    waits = -(-tap_share(pair, 2) // buffers)
    expect(new["tap taken"] - new["tap delivered"], waits, "frames that wait in the tap")
    expect(full, sent - got - waits, "frames dropped for which there was no room")
    with pair.dropping(tap_purged=waits):
        pair.quiet("guest reset g2")
    pair.guests[G2].answers_arp()
    pair.carry([echoes(n, G2) for n in range(50)])


def test_sleepers_leave_the_others_their_buffers(lab):
    """Eight guests asleep with full queues: from wire to wire and back all is as ever."""
    lines = [line(n, cpu=n % 2) for n in range(G2, G2 + 8)]
    weir = lab.get(nics=2, smp=2, config=config(*lines), files=("tiny",))
    for guest in guests(weir, *range(G2, G2 + 8)):
        guest.type("die sleep")
        guest.wait_asleep()
    weir.arrives(1, numbered(B, A, 0), [0])
    for n in range(0, 600, 4):
        for target in range(G2, G2 + 8):
            for i in range(4):
                weir.send(0, numbered(A, target, n + i, port=9))
        weir.carry([(0, 1, "pace", numbered(A, B, n))])
    assert weir.drops()["tap_full"] > 8, f"expected full queues, saw {weir.drops()}"
    with weir.dropping():
        there = [(0, 1, ("there", n % 32), numbered(A, B, n, flow=n % 32)) for n in range(3000)]
        back = [(1, 0, ("back", n % 32), numbered(B, A, n, flow=n % 32)) for n in range(3000)]
        weir.carry([item for pair in zip(there, back) for item in pair], 128)
    weir.quiet(*(f"guest stop g{n}" for n in range(G2, G2 + 8)))


def test_port_down(pair):
    """`ip link set p2 down` holds up both ways, and says why; up again all is as before."""
    to_it = f"in_port=nic0,dl_dst={mac(G2)}"  # the switch forgets who is behind a port that goes down
    pair.quiet(f"ovs-ofctl add-flow sw0 priority=5,{to_it},actions=output:p2", "ip link set p2 down")
    with pair.dropping(tx_down=10):
        for n in range(10):
            pair.send(0, numbered(A, G2, n))
        pair.carry([echoes(n, G3) for n in range(10)])
    with pair.dropping(port_down=7):
        pair.guests[G2].ok(f"gen {mac(A)} 7")
    pair.quiet("ip link set p2 up", f"ovs-ofctl del-flows sw0 {to_it}")
    pair.guests[G2].answers_arp()
    pair.carry([echoes(n, G2) for n in range(10)])


def test_too_long_for_the_port(lab):
    """A guest with the usual MTU on a wire with jumbo frames: too long for its port, or for its buffers."""
    text = config(line(G2), line(G3, port="mtu 9000", cmdline="features=0x100000020"), mtu=JUMBO)
    weir = ready(lab.get(nics=2, smp=1, config=text, files=("tiny",)), G2, G3)
    with weir.dropping(tx_too_long=2):
        for size in (1519, 9014):
            weir.send(0, numbered(A, G2, 1, size=size))
        weir.carry([echoes(1, G2, 1514)])
    with weir.dropping(guest_too_small=2):  # without MRG_RXBUF a frame has to fit into one buffer
        for size in (1973, 9014):
            weir.send(0, numbered(A, G3, 1, size=size))
        weir.carry([echoes(n, G3, size) for n, size in enumerate((60, 1514, 1972))], 1)


def test_guest_that_is_off(pair):
    """Frames for it are dropped by name; nobody else notices; started again it serves."""
    pair.quiet("guest stop g2")
    expect(pair.guests[G2].state(), "off", "its state")
    with pair.dropping(tap_closed=20):
        for n in range(20):
            pair.send(0, numbered(A, G2, n))
        pair.carry([echoes(n, G3) for n in range(50)])
    pair.quiet("guest start g2")
    ready(pair, G2, G3)
    pair.carry([echoes(n, guest) for n in range(50) for guest in (G2, G3)])


# --- resets and deaths under traffic ----------------------------------------------------------------------------------


def flood(weir, target, count=400):
    """Frames for a guest that may answer or not: nobody counts on it."""
    for n in range(count):
        weir.send(1, numbered(B, target, n, port=9))


def served_meanwhile(weir, act, rounds=30):
    """g3 answers all that it is asked, while @act is done to g2, which gets frames all the time."""
    def traffic():
        for n in range(rounds):
            flood(weir, G2, 20)
            weir.carry([echoes(100 * n + i, G3, flow=n % 8) for i in range(40)], 16)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        done = pool.submit(traffic)
        while not done.done():
            act()
        done.result()


def test_reset_under_traffic(pair):
    """Again and again, from outside, in the midst of frames for it: its neighbour misses nothing."""
    starts = int(expect_match(r"^Starts: +(\d+)", pair.guests[G2].info(), "starts")[1])
    resets = 0

    def act():
        nonlocal resets
        pair.quiet("guest reset g2")
        resets += 1
        if resets % 2:
            pair.guests[G2].wait_driven()

    served_meanwhile(pair, act)
    assert resets >= 3, f"expected 3 resets and more while the frames passed, saw {resets}"
    now = int(expect_match(r"^Starts: +(\d+)", pair.guests[G2].info(), "starts")[1])
    expect(now - starts, resets, "starts counted")
    ready(pair, G2, G3)
    pair.carry([echoes(n, G2) for n in range(200)])


def test_device_reset_under_traffic(pair):
    """The guest resets its own device and sets it up anew while frames come in."""
    before = pair.guests[G2].device()["resets"]
    resets = 0

    def act():
        nonlocal resets
        said = pair.guests[G2].ok("reset")
        expect_match(r"^ok nic0 features ", said, "the guest's answer")
        resets += 1

    served_meanwhile(pair, act)
    assert resets >= 3, f"expected 3 resets and more while the frames passed, saw {resets}"
    expect(pair.guests[G2].device()["resets"] - before, resets, "resets that the device counted")
    ready(pair, G2, G3)
    pair.carry([echoes(n, G2) for n in range(200)])


def test_death_under_traffic(pair):
    """A guest that dies in the midst of frames for it, and is started again: its neighbour misses nothing."""
    deaths = 0

    def act():
        nonlocal deaths
        pair.guests[G2].type("die triple")
        pair.wait_sh("guest list", lambda text: re.search(r"^g2 +dead ", text, re.MULTILINE), "g2 to die")
        deaths += 1
        pair.quiet("guest start g2")
        pair.guests[G2].wait_driven()

    served_meanwhile(pair, act)
    assert deaths, "expected a death while the frames passed, saw none"
    ready(pair, G2, G3)
    pair.carry([echoes(n, G2) for n in range(200)])


def test_links_go_under_a_guest(pair):
    """The wire that a guest sends to is pulled: its frames drop by name, the guest goes on."""
    to_a = f"in_port=p2,dl_dst={mac(A)}"
    pair.quiet(f"ovs-ofctl add-flow sw0 priority=5,{to_a},actions=output:nic0")
    pair.qmp("set_link", name="net0", up=False)
    pair.wait_sh("ip link show nic0", lambda text: "NO-CARRIER" in text, "nic0 without link")
    with pair.dropping(tx_down=500):
        pair.guests[G2].ok(f"gen {mac(A)} 500")
        pair.guests[G3].ok(f"udp 10.0.0.{G2} 7 200")
    pair.quiet(f"ovs-ofctl del-flows sw0 {to_a}")
    pair.qmp("set_link", name="net0", up=True)
    ready(pair, G2, G3)


# --- features, vectors, doorbells -------------------------------------------------------------------------------------

MATRIX = [  # what the device has, what the driver does with it
    ("vectors 3", "", 3, "pio"),
    ("vectors 2", "", 2, "pio"),
    ("vectors 0", "", 0, "pio"),
    ("vectors 3 notify mmio", "", 3, "mmio"),
    ("vectors 2 notify mmio", "apic=xapic", 2, "mmio"),
    ("vectors 0 notify mmio", "apic=xapic", 0, "mmio"),
    ("vectors 3", "vectors=2 apic=xapic", 2, "pio"),
    ("vectors 3", "vectors=0 apic=xapic", 0, "pio"),
]


@pytest.fixture
def eight(lab):
    """As many guests as there can be, each with its own kind of device and driver."""
    lines = [line(G2 + i, words, port=port, cpu=i % 2) for i, (port, words, _, _) in enumerate(MATRIX)]
    weir = lab.get(nics=2, smp=2, config=config(*lines), files=("tiny",))
    weir.guests = {guest.number: guest for guest in guests(weir, *range(G2, G2 + len(MATRIX)))}
    return weir


def test_vectors_doorbells_and_apics(eight):
    """n + 1 vectors, two, none; doorbells by port and by memory; x2APIC and xAPIC: all serve, side by side."""
    for number, (port, words, vectors, notify) in enumerate(MATRIX, G2):
        guest, what = eight.guests[number], f"the driver with '{port} {words}'"
        expect_match(rf" vectors {vectors} notify {notify}$", guest.log(), what)
        eight.carry([echoes(n, number, 60 + n) for n in range(100)], 1)
        queue = r"^  nic0 (\S+) buffers .* kicks (\d+) suppressed \d+ interrupts (\d+)"
        rows = re.findall(queue, guest.ok("queues"), re.MULTILINE)
        counts = {name: (int(kicks), int(irqs)) for name, kicks, irqs in rows}
        assert counts["input.0"][1] > 0, f"{what}: expected interrupts of the receive queue, saw {counts}"
        assert counts["output.0"][0] > 0, f"{what}: expected kicks of the transmit queue, saw {counts}"
    with eight.dropping():
        eight.carry([echoes(n, number) for n in range(200) for number in eight.guests])


def test_a_ring_that_was_full(eight):
    """The driver asks for an interrupt when there is room again, by each kind of it."""
    for guest in eight.guests.values():
        guest.begin(f"gen {mac(A)} 2000 60 2000")
        got = take(eight, guest)
        expect_match(r"^ok sent 2000 ", guest.finish(), f"{guest.name} with {MATRIX[guest.number - G2]}")
        expect(len(got), 2000, f"frames from {guest.name}")


VERSION_1, EVENT_IDX, INDIRECT, MRG_RXBUF, CTRL_VQ = 1 << 32, 1 << 29, 1 << 28, 1 << 15, 1 << 17
MAC, STATUS, MTU = 1 << 5, 1 << 16, 1 << 3


@pytest.mark.parametrize(
    "features",
    [0, EVENT_IDX, INDIRECT, INDIRECT | EVENT_IDX, MRG_RXBUF, MRG_RXBUF | EVENT_IDX | CTRL_VQ, (1 << 40) - 1],
)
def test_features_are_negotiated_anew(pair, features):
    """Reset, other features, other vectors; what was agreed is what is used."""
    guest = pair.guests[G2]
    basic = VERSION_1 | MAC
    for vectors in (3, 2, 0):
        said = guest.ok(f"reset 0 {features | basic:#x} {vectors}")
        found = expect_match(r"^ok nic0 features ([0-9a-f]+) vectors (\d)", said, "its answer")
        agreed = int(found[1], 16)
        expect(agreed & ~(features | basic), 0, "features agreed that the driver did not ask for")
        expect(agreed & basic, basic, "features that every driver takes")
        expect(guest.device()["features"], agreed, "features as the device has them")
        expect(int(found[2]), vectors, "vectors")
        with pair.dropping():
            pair.carry([echoes(n, G2, 60 + n % 1400, flow=vectors) for n in range(200)], 32)
            expect_match(r"^ok sent 200 received 200 ", guest.ok(f"udp 10.0.0.{G3} 7 200"), "an exchange")
    guest.ok("reset 0 0xffffffffff 3")
    ready(pair, G2, G3)


# --- the control queue ------------------------------------------------------------------------------------------------

RX, CTRL_MAC = 0, 1
PROMISC, ALLMULTI, ALLUNI, NOMULTI, NOUNI, NOBCAST = range(6)


@pytest.fixture
def filtered(pair):
    """g2 takes what is for it alone; afterwards everything again."""
    pair.guests[G2].ok("reset")
    ctrl(pair, RX, PROMISC, "00")
    yield pair
    pair.guests[G2].ok("reset")


def ctrl(weir, kind, command, data, ack=0):
    expect(weir.guests[G2].ok(f"ctrl 0 {kind} {command} {data}"), f"ok ack {ack}\n", f"command {kind} {command} {data}")


def reaches(weir, target):
    """Is a frame for @target, flooded by the switch, one that g2 takes?"""
    frame = frames.padded(bytes.fromhex(target.replace(":", "")) + mac_bytes(B) + b"\x88\xb5")
    before = weir.guests[G2].device(), weir.drops()["guest_filtered"]
    weir.send(1, frame)
    weir.hush(0.05)  # flooded to nic0 too
    weir.carry([echoes(1, G2, station=B, nic=1)])  # came after it
    after = weir.guests[G2].device(), weir.drops()["guest_filtered"]
    took, refused = after[0]["rx packets"] - before[0]["rx packets"] - 1, after[1] - before[1]
    expect(took + refused, 1, f"g2 took or refused {target}")
    return took == 1


GROUP, OTHER, EVERYBODY = "01:00:5e:00:00:05", "02:00:00:00:55:55", "ff:ff:ff:ff:ff:ff"


def test_receive_modes(filtered):
    """Each mode lets through what it says, and no more."""
    heard = lambda: tuple(reaches(filtered, target) for target in (OTHER, GROUP, EVERYBODY))  # noqa: E731
    expect(heard(), (False, False, True), "other stations', groups', everybody's, without a mode")
    for command, on in (
        (PROMISC, (True, True, True)),
        (ALLMULTI, (False, True, True)),
        (ALLUNI, (True, False, True)),
        (NOBCAST, (False, False, False)),
    ):
        ctrl(filtered, RX, command, "01")
        expect(heard(), on, f"the same with mode {command} on")
        ctrl(filtered, RX, command, "00")
    expect(heard(), (False, False, True), "the same with all modes off again")


def test_address_table(filtered):
    """One unicast and one multicast address more."""
    table = "01000000" + OTHER.replace(":", "") + "01000000" + GROUP.replace(":", "")
    ctrl(filtered, CTRL_MAC, 0, table)
    heard = lambda: tuple(reaches(filtered, target) for target in (OTHER, GROUP, "01:00:5e:00:00:06"))  # noqa: E731
    expect(heard(), (True, True, False), "addresses of the table, another group")
    ctrl(filtered, CTRL_MAC, 0, "0000000000000000")
    expect(heard(), (False, False, False), "the same with an empty table")


def test_wrong_commands_are_refused(filtered):
    """An answer of 1, and nothing changes."""
    for kind, command, data in (
        (RX, 9, "01"), (RX, PROMISC, "02"), (RX, PROMISC, "0101"), (RX, PROMISC, ""), (7, 0, "01"), (CTRL_MAC, 5, ""),
        (CTRL_MAC, 0, "ff000000" + "020000000001" + "00000000"), (CTRL_MAC, 1, "0100000000"),
        (CTRL_MAC, 1, "010000000005"),
    ):  # fmt: skip
        ctrl(filtered, kind, command, data, ack=1)
    expect(reaches(filtered, OTHER), False, "another station's frames reach the guest")


def test_new_address(filtered):
    """The guest takes another address: its frames come there, those to the old one do not."""
    new = "02:00:00:00:77:77"
    ctrl(filtered, CTRL_MAC, 1, new.replace(":", ""))
    ask, _ = udp_echo(A, G2, 1)
    before = filtered.drops()["guest_filtered"]
    filtered.send(0, ask)
    filtered.carry([echoes(n, G3) for n in range(5)])
    expect(filtered.hush(0.1), [], "answers to the old address")
    expect(filtered.drops()["guest_filtered"] - before, 1, "frames to the old address refused")
    expect(reaches_new(filtered, new), True, "the new address reaches the guest")


def reaches_new(weir, target):
    before = weir.guests[G2].device()["rx packets"]
    weir.send(1, frames.padded(bytes.fromhex(target.replace(":", "")) + mac_bytes(B) + b"\x88\xb5"))
    weir.hush(0.1)
    return weir.guests[G2].device()["rx packets"] - before == 1
