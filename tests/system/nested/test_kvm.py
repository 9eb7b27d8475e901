# SPDX-License-Identifier: MIT
"""Weir under the real KVM: tests of test_vmm.py and test_guest.py once more, on KvmWeir machines

Their fixtures take the machines of MACHINE. Left out is what asks QEMU itself for something (cables, icount, damaged
memory maps), and what tries the same with other numbers.
"""

import pytest

import checks
import test_vmm
from kvm import KvmWeir, here
from test_guest import (  # noqa: F401: fixtures, and tests that pytest finds here
    apart,
    pair,
    solo,
    test_death_under_traffic,
    test_device_reset_under_traffic,
    test_everybody_to_everybody,
    test_every_size,
    test_guest_to_guest,
    test_many,
    test_ping,
    test_reset_under_traffic,
)
from test_vmm import (  # noqa: F401
    narrow,
    test_exits_add_up,
    test_guest_that_sleeps_for_good,
    test_guests_leave_the_wires_alone,
    test_nmi,
    test_registers_of_two_guests_on_one_core,
    test_spinning_guest_holds_up_nobody,
    test_stopping_a_guest_that_spins,
    test_what_nobody_claims_is_counted,
    weir,
)
from weir import expect, expect_match

MACHINE = KvmWeir


def test_it_is_kvm(weir):
    print("on this host:", here()[1])
    expect(weir.under_kvm(), True, "that Weir runs under KVM")


def test_checks_in_two_guests_at_once(weir):
    for guest, results in zip(weir.guests, checks.run(*weir.guests, seconds=300)):
        expect(checks.failed(results), {}, f"checks that failed in {guest.name}")


@pytest.mark.parametrize("way", sorted(set(test_vmm.DEATHS) - {"entry"}))
def test_death(weir, way):
    test_vmm.test_death(weir, way)


def test_what_would_be_a_refused_entry(weir):
    """CR0 with NW and without CD: TCG lets a guest write it, and refuses the next entry; here the write takes #GP."""
    said = weir.guests[0].run("die entry")
    expect_match(r"^FAIL still alive$", said, "what the guest says after it")
    weir.guests[0].ok("check")
