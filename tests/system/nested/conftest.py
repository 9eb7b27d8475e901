# SPDX-License-Identifier: MIT
"""conftest.py - says first of all which KVM it is that Weir runs on"""

import machine


def pytest_configure():
    accel, why = machine.accelerator()
    where = "so Weir runs on it" if accel == "kvm" else "so Debian's, in a machine that TCG plays"
    print(f"which KVM: {why}; {where}", flush=True)
