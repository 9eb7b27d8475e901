# SPDX-License-Identifier: MIT
"""The livelock lab in its quick form: the shape of what `make lab-livelock` measures in full"""

import csv
import os
import subprocess

from weir import TOP, expect


def test_livelock_in_its_quick_form():
    lab = os.path.join(TOP, "tests", "lab", "livelock")
    done = subprocess.run([lab, "--quick"], capture_output=True, text=True, timeout=600)
    expect(done.returncode, 0, f"status of the lab, which said {done.stderr!r} and\n{done.stdout}")
    rows = {(row["mode"], float(row["load"])): row for row in csv.DictReader(done.stdout.splitlines())}
    interrupts = {mode: int(rows[mode, 6]["interrupts"]) for mode in ("irq", "napi")}
    assert interrupts["irq"] > 0.98 * int(rows["irq", 6]["offered"]), f"expected one a packet in irq, saw {interrupts}"
    assert interrupts["napi"] < 0.1 * int(rows["napi", 6]["offered"]), f"expected one for many in napi, saw {interrupts}"
    assert int(rows["irq", 6]["delivered"]) < 0.5 * int(rows["napi", 6]["delivered"]), f"goodput at 6: {rows}"
