# SPDX-License-Identifier: MIT
"""The checks that Weir makes of itself, on a machine that has all they need, on one core and on four"""

import re

import pytest

from weir import expect

ALL = {"libc", "qsbr", "timer", "park", "share", "pci", "edu"}


@pytest.mark.parametrize("smp", [1, 4])
def test_selftest(lab, smp):
    weir = lab.get(nics=1, smp=smp, config=None, extra=("-device", "edu"))
    said = weir.sh("selftest", 60)
    results = dict(re.findall(r"^selftest (\S+): (.*)$", said, re.MULTILINE))
    missing = ALL - results.keys()
    assert not missing, f"expected all of {sorted(ALL)}, saw no result of {sorted(missing)} in:\n{said}"
    for name, result in results.items():
        expect(result, "ok", f"selftest {name} on {smp} cores, which said:\n{said}\n")


def test_selftest_again_and_by_name(lab):
    """They leave the machine as it was: once more, one by one, in another order."""
    weir = lab.get(nics=1, smp=4, config=None, extra=("-device", "edu"))
    for name in sorted(ALL):
        said = weir.sh(f"selftest {name}", 30)
        expect(re.findall(r"^selftest (.*)$", said, re.MULTILINE), [f"{name}: ok"], f"'selftest {name}' said\n{said}\n")


def test_selftest_skips_what_is_not_there(lab):
    weir = lab.get(nics=1, smp=1, config=None)
    said = weir.sh("selftest edu")
    expect(said, "selftest edu: skipped, this machine lacks what it needs\n", "without an edu device")
