# SPDX-License-Identifier: MIT
"""A hostile guest under the real KVM, the tests of test_hostile.py: an abuse of each kind, and many in a row"""

import pytest

import test_hostile
from kvm import KvmWeir
from test_hostile import test_hostile_again_and_again, weir  # noqa: F401: a test, and a fixture of them all

MACHINE = KvmWeir


@pytest.mark.parametrize("case, rings, why", test_hostile.NEEDS_RESET[::7])
def test_needs_reset(weir, case, rings, why):
    test_hostile.test_needs_reset(weir, case, rings, why)


@pytest.mark.parametrize("case, ring, status, note", test_hostile.BEARABLE[::5])
def test_bearable(weir, case, ring, status, note):
    test_hostile.test_bearable(weir, case, ring, status, note)
