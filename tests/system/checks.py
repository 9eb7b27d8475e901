# SPDX-License-Identifier: MIT
"""checks.py - the tiny guest's checks on whatever platform Weir runs: run them all, keep what came of them for the table

    weir.results = checks.run(weir, guests...)      {name: "pass", "FAIL: why" or "n/a: why"}
    checks.record("TCG-SVM", weir, results)         build/checks/TCG-SVM.json, which scripts/mkchecks makes docs/checks.md of
"""

import importlib.machinery
import importlib.util
import json
import os
import re

from weir import TOP

_loader = importlib.machinery.SourceFileLoader("mkchecks", os.path.join(TOP, "scripts", "mkchecks"))
mkchecks = importlib.util.module_from_spec(importlib.util.spec_from_loader("mkchecks", _loader))
_loader.exec_module(mkchecks)

NAMES = sorted(mkchecks.known())
ROW = re.compile(r"^  check ([\w-]+): (pass|(?:FAIL|n/a): .*)$", re.MULTILINE)


def run(*guests, seconds=180):
    """All checks in each of @guests, at the same time if they are several; [{name: result}], or one if it is one."""
    for guest in guests:
        guest.begin("check")
    results = []
    for guest in guests:
        said = guest.finish(seconds)
        results.append(dict(ROW.findall(said)))
        missing = set(NAMES) - set(results[-1])
        assert not missing, f"{guest.name}: expected results of all checks, saw none of {sorted(missing)} in\n{said}"
    return results if len(results) > 1 else results[0]


def worst(*results):
    """Of several runs on one platform: a FAIL wherever there is one, n/a where it is so everywhere."""
    rank = lambda result: ("n", "p", "F").index(result[0])  # noqa: E731
    return {name: max((r[name] for r in results), key=rank) for name in results[0]}


def failed(results):
    return {name: result for name, result in results.items() if result.startswith("FAIL")}


def record(platform, weir, results):
    """For the table: what the checks said, and which parts of the virtualisation hardware the CPU has."""
    rows = re.findall(r"^(\S+) +(yes|no) ", weir.sh("guest features"), re.MULTILINE)
    path = os.path.join(TOP, "build", "checks", platform + ".json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        json.dump({"checks": results, "features": {name: has == "yes" for name, has in rows}}, f, indent=1)
