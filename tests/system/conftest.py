# SPDX-License-Identifier: MIT
"""conftest.py - machines that tests share, the audit after each test, and the console of what failed"""

import pytest

from weir import Weir, plain


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With a failure, what each machine said last; no later test gets one of them."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for weir in Weir.alive:
            tail = "\n".join(plain(weir.console).splitlines()[-40:])
            tail += f"\n--- {weir.emulator} ---\n{weir.last_words()}"
            report.sections.append(("Captured stdout console", f"--- console of {weir.nics} NICs ---\n{tail}\n"))
            weir.spoiled = True


class Lab:
    """Machines of one file of tests, each started when first asked for and powered off at the end.

    They are of @kind where a test does not say otherwise.
    """

    def __init__(self, kind):
        self.kind = kind
        self.machines = {}

    def get(self, kind=None, **how):
        """The machine that is as @how says; a new one if it is not there or did not survive the last test."""
        kind = kind or self.kind
        key = repr((kind, sorted(how.items())))
        weir = self.machines.get(key)
        if not weir or weir.hung_up or weir.spoiled:
            if weir:
                weir.close()
            self.machines[key] = weir = kind(**how).__enter__()
        return weir

    def close(self):
        try:
            for weir in self.machines.values():
                if not weir.hung_up and not weir.spoiled:
                    if weir.paused:
                        weir.resume()
                    weir.poweroff()
        finally:
            for weir in self.machines.values():
                weir.close()


@pytest.fixture(scope="module")
def lab(request):
    """Machines of QEMU as it comes, or of what the file of tests says is its MACHINE."""
    lab = Lab(getattr(request.module, "MACHINE", Weir))
    yield lab
    lab.close()


@pytest.fixture(autouse=True)
def books(request):
    """After every test, whatever moved through the machines: nothing was lost unseen, nothing leaked."""
    yield
    for weir in Weir.alive:
        if not weir.hung_up and not weir.paused and b"weir# " in weir.console:
            weir.audit()
