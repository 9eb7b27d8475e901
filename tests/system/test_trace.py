# SPDX-License-Identifier: MIT
"""trace export: what cores, guests and packets did in the last moments, as a file that Perfetto takes"""

import os

import pytest

from frames import malformed, ping
from guests import Tiny, config, line
from perfetto import Perfetto
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
