# SPDX-License-Identifier: MIT
"""Knobs of all kinds in many orders, a new one each time it is run: the seed of what fails is printed"""

import random

import pytest

import knobs
from weir import Weir

KINDS = {"82576": {}, "82574L": {"e1000e": {0: 0x10, 1: 0x11}}, "82540EM": {"e1000": {0: 0x10, 1: 0x14}}}
ROUNDS = 60


@pytest.mark.parametrize("cores", [1, 2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_knobs_in_any_order(kind, cores):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    with Weir(nics=2, smp=cores, **KINDS[kind]) as weir:
        knobs.joined_in_pairs(weir)
        knobs.turned(weir, random.Random(seed), ROUNDS)
        weir.poweroff()
