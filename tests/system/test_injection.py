# SPDX-License-Identifier: MIT
"""How interrupts get into a guest: modes switched under traffic, what each one saves, and how long it takes

On QEMU's SVM, which has neither posted interrupts nor any of the features that can be switched.
"""

import contextlib
import re

import pytest

from guests import config, echoes, guests, latencies, line
from weir import expect, expect_in, expect_match

G2 = 2
PROBE = 0x53  # the tiny guest's vector for it
APART = config(line(G2, cpu=1, port="worker 0"))  # all that is posted from the wire comes from another core
COLUMNS = ("here", "others", "kicks", "saved", "exits")
REFUSED = "this CPU has no posted interrupts"


@pytest.fixture
def weir(lab):
    weir = lab.get(nics=1, smp=2, config=APART, files=("tiny",))
    weir.guest, = guests(weir, G2)
    weir.quiet("guest injection g2 kick", "guest injection g2 measure off", "guest injection g2 reset")
    return weir


def counts(weir):
    """{mode: {column: number}}"""
    text = weir.sh("guest injection g2")
    rows = re.findall(r"^(kick|entry|posted) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$", text, re.MULTILINE)
    return {mode: dict(zip(COLUMNS, (int(n) for n in numbers))) for mode, *numbers in rows}


def mode(weir):
    return expect_match(r"^mode (\w+), ", weir.sh("guest injection g2"), "its mode")[1]


@contextlib.contextmanager
def spinning(weir):
    """The guest runs all the while, interrupts on, and does not exit by itself."""
    weir.guest.begin("spin 1500ms")
    yield
    weir.guest.good(weir.guest.finish(), "spin")


def traffic(weir, n, window, **how):
    with weir.dropping():
        weir.carry([echoes(i, G2, 60 + i % 100, flow=i % 8) for i in range(n)], window, **how)


def test_traffic_in_each_mode(weir):
    """Nothing is lost, one at a time or many, and each post is a kick or a kick saved."""
    for name in ("kick", "entry"):
        weir.quiet(f"guest injection g2 {name}", "guest injection g2 reset")
        traffic(weir, 400, window=1)
        traffic(weir, 2000, window=64)
        weir.guest.wait_asleep()
        now = counts(weir)
        expect(now[name]["others"], now[name]["kicks"] + now[name]["saved"], f"posts of mode {name}, kicked or not")
        assert now[name]["others"] >= 100, f"mode {name}: expected interrupts for frames that come alone, saw {now}"
        expect(now["entry" if name == "kick" else "kick"]["others"], 0, "posts of the other mode")
    expect(weir.guest.device()["needed"], 0, "resets that the device needed")


def test_modes_change_under_traffic(weir):
    """Kick, entry and back in the midst of it: each frame comes back, in order."""
    for name in ("entry", "kick") * 3:
        traffic(weir, 600, window=32, midway=lambda name=name: weir.quiet(f"guest injection g2 {name}"))
        expect(mode(weir), name, "the mode that was asked for")


def test_a_guest_that_computes_is_kicked_out_or_left_alone(weir):
    """What each mode costs it in exits, by interrupts that the operator posts."""
    seen = {}
    for name in ("kick", "entry"):
        weir.quiet(f"guest injection g2 {name}", "guest injection g2 reset")
        with spinning(weir):
            weir.wait_sh("guest info g2", lambda text: " running, " in text, "g2 to spin")
            expect(weir.sh(f"guest injection g2 test 20 {PROBE}"), "g2 took 20\n", "what it took")
            seen[name] = counts(weir)[name]
    kick, entry = seen["kick"], seen["entry"]
    assert kick["kicks"] >= 20 and kick["saved"] == 0, f"mode kick: expected a kick for each, saw {kick}"
    assert kick["exits"] >= 5, f"mode kick: expected them to end runs of the guest, saw {kick}"
    assert entry["saved"] >= 20, f"mode entry: expected the guest to be left alone 20 times, saw {entry}"
    assert entry["exits"] < kick["exits"], f"mode entry: expected fewer exits than {kick['exits']}, saw {entry}"


def test_a_guest_that_sleeps_is_woken_in_each_mode(weir):
    """Also in the one that leaves it alone while it runs."""
    for name in ("kick", "entry"):
        weir.quiet(f"guest injection g2 {name}")
        weir.guest.wait_asleep()
        weir.quiet("guest injection g2 reset")
        expect(weir.sh(f"guest injection g2 test 5 {PROBE} 20000"), "g2 took 5\n", "what it took")
        now = counts(weir)[name]
        assert now["kicks"] >= 1, f"mode {name}: expected a sleeping guest to be woken, saw {now}"


def test_nmi_and_stop_do_not_wait_for_an_entry(weir):
    """They kick in mode entry as well, a guest that computes."""
    count = lambda: int(expect_match(r"^ok (\d+) NMIs", weir.guest.ok("nmi"), "NMIs")[1])  # noqa: E731
    before = count()
    weir.quiet("guest injection g2 entry")
    with spinning(weir):
        weir.quiet("guest nmi g2")
    expect(count() - before, 1, "NMIs that it took")
    weir.guest.type("spin 60000ms")
    weir.quiet("guest reset g2")
    weir.guest.wait_ready().answers_arp()
    expect(mode(weir), "entry", "the mode behind a reset")


def test_latencies(weir):
    """From the post to the entry by Weir's clock, and to the handler's first instructions by the guest's."""
    expect_in("nothing of g2 was measured", weir.sh("guest injection g2 histogram"), "histograms of nothing")
    expect_match(r"^ok stamps on, ", weir.guest.ok("stamps on"), "stamps")
    weir.quiet("guest injection g2 measure on")
    for name in ("kick", "entry"):
        weir.quiet(f"guest injection g2 {name}")
        with spinning(weir):
            weir.sh(f"guest injection g2 test 20 {PROBE}")
        traffic(weir, 200, window=4)
    weir.guest.ok("stamps off")
    weir.quiet("guest injection g2 measure off")
    seen = latencies(weir, "g2")
    for name in ("kick", "entry"):
        entry, handler = seen["entry", name], seen["handler", name]
        assert entry[0] > 20, f"mode {name}: expected 20 interrupts of the operator's and more to be timed, saw {seen}"
        assert 0 <= entry[0] - handler[0] <= 2, f"mode {name}: expected the guest to tell of each, saw {seen}"
        for row in (entry, handler):
            expect(row[1:], sorted(row[1:]), f"p50, p90, p99 and maximum of mode {name}")
        assert handler[4] >= entry[1] > 0, f"mode {name}: expected the handler behind the entry, saw {seen}"
    text = weir.sh("guest injection g2 histogram")
    for (end, name), row in seen.items():
        head = rf"post to {end}, mode {name}, nanoseconds: {row[0]}, half of them up to {row[1]}\n"
        bars = expect_match(head + r"((?:\[.*\|\n)+)", text, f"bars of {end}, {name}")[1]
        drawn = sum(int(n) for n in re.findall(r"^\[.*[)\]] +(\d+) \|", bars, re.MULTILINE))
        expect(drawn, row[0], f"the sum of the bars of {end}, {name}")
    expect("times from the guest that cannot be" in weir.sh("guest injection g2"), False, "times that cannot be")


def test_what_is_refused(weir):
    said = weir.sh("guest injection g2 posted")
    expect_in(REFUSED, said, "the answer to mode posted")
    expect(mode(weir), "kick", "the mode behind it")
    expect_in(f"no mode posted: {REFUSED}", weir.sh("guest injection g2"), "what its list says")


def test_features(weir):
    """What this CPU has, what for, and why not."""
    rows = dict(re.findall(r"^([a-z-]+) +(\w+ +(?:always|not used|on|off|-)) ", weir.sh("guest features"), re.MULTILINE))
    rows = {name: re.sub(" +", " ", text) for name, text in rows.items()}
    expect(rows.pop("nested-paging"), "yes always", "nested-paging")
    expect(rows.pop("vgif"), "yes not used", "vgif")
    expect(set(rows.values()), {"no -"}, f"all others, {sorted(rows)}")
    expect_in("vmm: SVM, nested paging; has vgif\n", weir.booted(), "the line at boot")
    expect_in("vgif is not used: guests get no SVM", weir.sh("guest features vgif on"), "vgif on")
    expect_in("nested-paging is always on", weir.sh("guest features nested-paging off"), "nested-paging off")
    expect_in("this CPU has no nrip-save", weir.sh("guest features nrip-save on"), "nrip-save on")
