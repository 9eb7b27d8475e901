# SPDX-License-Identifier: MIT
"""The tiny guest's checks on QEMU's TCG: one vCPU and two, by x2APIC and by xAPIC, alone and several guests at once

The same checks run on the other platforms by test_bochs.py and test_nested.py; what came of them is docs/checks.md.
"""

import re

import pytest

import checks
from guests import config, guests, line
from weir import TOP, Weir, expect, expect_in

G2, G3 = 2, 3
SMP = [name for name in checks.NAMES if name.startswith("smp-")]
# what this platform has not, and the guest's word for it
ABSENT = {"alignment": "this CPU takes no #AC"}
ABSENT_XAPIC = {**ABSENT, "x2apic-msr": "the local APIC is in xAPIC mode"}


class TcgWeir(Weir):
    """On TCG, wherever the tests run."""

    def arguments(self, netdevs, **how):
        return super().arguments(netdevs, accel="tcg", **how)


@pytest.fixture(scope="module")
def weir():
    """A guest with two vCPUs on two cores, another with two on one of these cores and without x2APIC."""
    lines = [line(G2, vcpus=2, cpu="0,1"), line(G3, "apic=xapic", vcpus=2, cpu="1,1")]
    with TcgWeir(nics=1, smp=2, config=config(*lines), files=("tiny",)) as weir:
        weir.guests = guests(weir, G2, G3)
        weir.alone = [checks.run(guest) for guest in weir.guests]
        weir.together = checks.run(*weir.guests)
        checks.record("TCG-SVM", weir, checks.worst(*weir.alone, *weir.together))
        yield weir
        weir.poweroff()


def absent(results):
    return {name: result.removeprefix("n/a: ") for name, result in results.items() if result.startswith("n/a")}


@pytest.mark.parametrize("check", checks.NAMES)
def test_check(weir, check):
    """By x2APIC and by xAPIC, each alone, and both at once."""
    for when, results in (("alone", weir.alone), ("beside the other", weir.together)):
        for guest, result, lacks in zip(weir.guests, results, (ABSENT, ABSENT_XAPIC)):
            wanted = f"n/a: {lacks[check]}" if check in lacks else "pass"
            expect(result[check], wanted, f"'check {check}' in {guest.name}, {when}")


def test_one_vcpu():
    """What needs others says so, everything else holds as well."""
    with TcgWeir(nics=1, config=config(line(G2)), files=("tiny",)) as weir:
        results = checks.run(guests(weir, G2)[0])
        weir.poweroff()
    expect(checks.failed(results), {}, "checks that failed")
    expect(absent(results), {**ABSENT, **dict.fromkeys(SMP, "one vCPU")}, "checks that are not for this machine")


def test_pages_of_two_guests_on_one_core(weir):
    """The same addresses, another pattern in each guest; slices end, each sees its own pages."""
    two, three = weir.guests
    before = [guest.exits()["interrupt"] for guest in weir.guests]
    commands = [(two, "check tlb-guests 1 500"), (three, "check tlb-guests 14 500")]
    for guest, command in commands:
        guest.begin(command)
    for guest, command in commands:
        guest.good(guest.finish(60), command)
    slices = [guest.exits()["interrupt"] - n for guest, n in zip(weir.guests, before)]
    assert min(slices) > 0, f"expected interrupts to end runs of each guest, saw {slices}"


def test_one_by_name(weir):
    guest = weir.guests[1]
    expect(guest.ok("check cpuid"), "ok check cpuid\n", "one check")
    expect(guest.ok("check x2apic-msr"), f"ok check x2apic-msr n/a: {ABSENT_XAPIC['x2apic-msr']}\n", "one that is not for it")


def test_a_platform_that_did_not_run_keeps_its_column(monkeypatch, tmp_path):
    with open(f"{TOP}/docs/checks.md") as f:
        before = f.read()
    monkeypatch.setattr(checks.mkchecks, "RESULTS", str(tmp_path))
    expect(checks.mkchecks.document(before), before, "docs/checks.md without any results")
    (tmp_path / "KVM-SVM.json").write_text('{"checks": {"cpuid": "FAIL: 7"}, "features": {"avic": true}}')
    after = checks.mkchecks.document(before)
    cells = checks.mkchecks.table(after, "check")
    was = checks.mkchecks.table(before, "check")
    expect((cells["cpuid"]["KVM-SVM"], cells["dr"]["KVM-SVM"]), ("FAIL: 7", "not run"), "cells of a platform that ran")
    expect(cells["cpuid"]["Bochs-VMX"], was["cpuid"]["Bochs-VMX"], "a cell of one that did not")
    expect_in("| `avic` | no | - | yes |  |", after, "a feature that a platform has now")


def test_the_table_has_the_checks_that_the_guest_has(weir):
    """The guest's own list, what mkchecks finds in its sources, and the rows of docs/checks.md."""
    listed = dict(re.findall(r"^  check ([\w-]+): (.*)$", weir.guests[0].run("check nobody"), re.MULTILINE))
    expect(checks.mkchecks.known(), listed, "checks in the sources")
    with open(f"{TOP}/docs/checks.md") as f:
        rows = checks.mkchecks.table(f.read(), "check")
    expect(sorted(rows), sorted(listed), "rows of docs/checks.md ('make checks' writes them)")
    results = checks.worst(*weir.alone, *weir.together)
    expect({name: cells["TCG-SVM"] for name, cells in rows.items()}, results, "this platform's column of it")
