# SPDX-License-Identifier: MIT
"""Knobs of all kinds, in one arbitrary order that is the same each time, under traffic, on each chip"""

import random

import knobs
from weir import Weir

SEED, ROUNDS = 1, 24


def test_knobs_in_any_order():
    """Two 82576, an 82574L and an 82540EM; on two cores."""
    with Weir(nics=4, smp=2, e1000e={2: 0x10}, e1000={3: 0x11}) as weir:
        knobs.joined_in_pairs(weir)
        typed, refused = knobs.turned(weir, random.Random(SEED), ROUNDS)
        assert 0 < refused < typed / 3, f"expected that most lines are taken and some refused, saw {refused} of {typed}"
        weir.poweroff()
