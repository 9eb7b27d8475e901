# SPDX-License-Identifier: MIT
"""Weir under the real KVM, the small form: a tiny guest, pings from outside, its checks; `make test-nested` has more"""

import pytest

import checks
from guests import config, guests, line, pings
from kvm import KvmWeir, here
from weir import expect

A, G2 = 1, 2  # a station behind nic0, a guest


@pytest.fixture(scope="module")
def weir():
    print("on this host:", here()[1])
    with KvmWeir(nics=1, config=config(line(G2, vcpus=2)), files=("tiny",)) as weir:
        weir.guest = guests(weir, G2)[0]
        yield weir
        weir.poweroff()


def test_ping(weir):
    """From this host by a wire, igb, switch and virtqueue to the guest at the third level, and back."""
    for window in (1, 16):
        with weir.dropping():
            weir.carry(pings(50, G2, A), window)


def test_it_is_kvm(weir):
    expect(weir.under_kvm(), True, "that Weir runs under KVM")


def test_checks(weir):
    results = checks.run(weir.guest)
    checks.record("KVM-SVM", weir, results)
    expect(checks.failed(results), {}, "checks that failed")
