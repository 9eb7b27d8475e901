# SPDX-License-Identifier: MIT
"""A guest that breaks every rule of virtio: its device needs a reset and gets one, its neighbour serves all along"""

import concurrent.futures
import re

import pytest

from frames import numbered
from guests import config, echoes, guests, line
from weir import expect, expect_in, expect_match

A = 1  # a station behind nic0
BAD, GOOD = 2, 3  # the guest that misbehaves, and the one that serves
APART = config(line(BAD, cpu=0, port="worker 1"), line(GOOD, cpu=1, port="worker 0"))
TOGETHER = config(line(BAD, cpu=1), line(GOOD, cpu=1))

# what is done, to which rings, and why the device then says that it needs a reset
NEEDS_RESET = [
    ("loop", "tx rx", "a chain that loops"),
    ("self", "tx rx", "a chain that loops"),
    ("long", "tx rx", "a chain of more than 64 pieces"),
    ("range", "tx rx", "an available descriptor beyond the table"),
    ("next", "tx rx", "a next descriptor beyond the table"),
    ("hole", "tx rx", "a descriptor that is not in memory"),
    ("end", "tx rx", "a descriptor that is not in memory"),
    ("wrap", "tx rx", "a descriptor that is not in memory"),
    ("zero", "tx rx", "a descriptor of no length"),
    ("order", "tx rx", "a buffer to read behind one to write"),
    ("wrong-way", "tx", "a transmit buffer that the device may write"),
    ("wrong-way", "rx", "a receive buffer that the device may not write"),
    ("jump", "tx rx", "an available index that jumps"),
    ("back", "tx rx", "an available index that jumps"),
    ("nested", "tx rx", "an indirect table within an indirect table"),
    ("indirect-next", "tx rx", "an indirect descriptor that goes on"),
    ("indirect-size", "tx rx", "an indirect table whose length is no number of descriptors"),
    ("indirect-empty", "tx rx", "an indirect table whose length is no number of descriptors"),
    ("indirect-loop", "tx rx", "a chain that loops"),
    ("indirect-range", "tx rx", "a next descriptor beyond the table"),
    ("indirect-hole", "tx rx", "an indirect table that is not in memory"),
    ("indirect-unasked", "tx rx", "an indirect descriptor, which was not negotiated"),
    ("rings", "tx rx", "rings that are misaligned or not in memory"),
    ("used", "tx rx", "rings that are misaligned or not in memory"),
    ("misaligned", "tx rx", "rings that are misaligned or not in memory"),
    ("badsize", "tx rx", "a queue size that is no power of two, or larger than offered"),
    ("badsize-odd", "tx rx", "a queue size that is no power of two, or larger than offered"),
    ("badsize-large", "tx rx", "a queue size that is no power of two, or larger than offered"),
]

# what only costs the guest its own frames, and what is refused at once: how the status stands, what was seen
BEARABLE = [
    ("huge", "tx", "f", ""),
    ("huge", "rx", "f", ""),
    ("twice", "tx", "f", ""),
    ("twice", "rx", "f", ""),
    ("short", "tx", "f", ""),
    ("short", "rx", "f", ""),
    ("header", "tx", "f", ""),
    ("header", "rx", "f", ""),
    ("gso", "tx", "f", ""),
    ("storm", "tx", "f", ""),
    ("early", "tx", "b", " not served"),
    ("early", "rx", "b", " not served"),
    ("features", "tx", "3", " FEATURES_OK refused"),
    ("not-offered", "tx", "3", " FEATURES_OK refused"),
    ("dependent", "tx", "3", " FEATURES_OK refused"),
    ("status", "tx", "3", " DRIVER_OK refused"),
]
MALFORMED = ("huge", "short", "header", "gso")  # as transmit buffers: no frame


@pytest.fixture(params=["apart", "together"])
def weir(lab, request):
    """The neighbour on a core of its own while workers are on the other's; and both on one core with both workers.

    What the bad guest sends ends at the switch, so that a wire carries the neighbour's frames alone.
    """
    weir = lab.get(nics=1, smp=2, config=APART if request.param == "apart" else TOGETHER, files=("tiny",))
    weir.bad, weir.good = guests(weir, BAD, GOOD)
    weir.quiet(f"ovs-ofctl add-flow sw0 priority=9,in_port=p{BAD},actions=drop")
    weir.hush(0.02)
    yield weir
    weir.quiet(f"ovs-ofctl del-flows sw0 in_port=p{BAD}")


def serve_till(weir, finished):
    """The neighbour answers, in order, whatever it is asked; the bad guest gets frames, too, but answers none."""
    n = 0
    while n < 10 or not finished():
        for i in range(8):
            weir.send(0, numbered(A, BAD, n + i, port=9))
        weir.carry([echoes(n + i, GOOD, 60 + n % 200, flow=i % 2) for i in range(8)])
        n += 8
    return n


def abuse(weir, case, ring):
    """What the guest saw of it."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ends = []
        served = pool.submit(serve_till, weir, lambda: ends)
        try:
            said = weir.bad.run(f"hostile {case} {ring}")
        finally:
            ends.append(True)
        served.result()
    expect_match(r"^ok recovered$", said, f"'hostile {case} {ring}'")
    return expect_match(rf"^  hostile {case}: .*$", said, f"'hostile {case} {ring}'")[0]


def works_again(weir):
    """Both are as if nothing had been."""
    weir.quiet(f"ovs-ofctl del-flows sw0 in_port=p{BAD}")
    weir.bad.answers_arp()
    with weir.dropping():
        weir.carry([echoes(n, guest) for n in range(40) for guest in (BAD, GOOD)], 16)


@pytest.mark.parametrize("case, rings, why", NEEDS_RESET, ids=[f"{case}-{rings}" for case, rings, _ in NEEDS_RESET])
def test_needs_reset(weir, case, rings, why):
    for ring in rings.split():
        before = weir.bad.device()["needed"]
        saw = abuse(weir, case, ring)
        expect_in("needs_reset yes", saw, "what the guest saw")
        driven = expect_match(r"config_interrupts (\d+) status (\w+)", saw, "what the guest saw").groups()
        # a driver that is up is told by an interrupt; one that sets up looks at the status itself [virtio 1.2 2.1.2]
        expect(driven in (("1", "4f"), ("0", "4b")), True, f"interrupts and status, {driven}, as they should be")
        expect(weir.bad.device()["needed"] - before, 1, "resets that the device needed")
        expect_in(f"  needed a reset: {why}\n", weir.bad.info(), f"'hostile {case} {ring}', why")
    works_again(weir)


@pytest.mark.parametrize("case, ring, status, note", BEARABLE, ids=[f"{case}-{ring}" for case, ring, _, _ in BEARABLE])
def test_bearable(weir, case, ring, status, note):
    before, drops = weir.bad.device()["needed"], weir.drops()["guest_malformed"]
    saw = abuse(weir, case, ring)
    expect(saw, f"  hostile {case}: needs_reset no config_interrupts 0 status {status}{note}", "what the guest saw")
    expect(weir.bad.device()["needed"] - before, 0, "resets that the device needed")
    malformed = 1 if ring == "tx" and case in MALFORMED else 0
    expect(weir.drops()["guest_malformed"] - drops, malformed, "frames dropped as malformed")
    works_again(weir)


def test_every_case_is_tried(weir):
    """The list here is the guest's own."""
    listed = re.findall(r"^  ([a-z-]+): ", weir.bad.run("hostile"), re.MULTILINE)
    tried = [case for case, *_ in NEEDS_RESET] + [case for case, *_ in BEARABLE]
    expect(sorted(set(tried)), sorted(listed), "cases that are tried")


def test_hostile_again_and_again(weir):
    """Twenty abuses in a row by one typed line, with frames coming in: still only its own trouble."""
    cases = ["loop tx", "range rx", "nested tx", "rings tx", "wrap rx"] * 4
    before = weir.bad.device()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        ends = []
        served = pool.submit(serve_till, weir, lambda: ends)
        try:
            said = weir.bad.run(";".join(f"hostile {case}" for case in cases))
        finally:
            ends.append(True)
        served.result()
    expect(len(re.findall(r"^ok recovered$", said, re.MULTILINE)), len(cases), f"recoveries in\n{said}\n")
    expect(weir.bad.device()["needed"] - before["needed"], len(cases), "resets that the device needed")
    works_again(weir)
