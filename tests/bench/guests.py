# SPDX-License-Identifier: MIT
"""guests.py - wire, guest, wire: what a packet costs Weir and what the guest, and the exits it takes

    with GuestLab(scene("Linux guest, bridge")) as lab:
        figures = lab.slope(n=1600, burst=32)   # as any Lab's; besides "guest_insns", "vmrun" and "guest"

`guest` are Weir's own counters, a packet. The plugin counts VMRUNs from outside, and the two must agree.
"""

import collections
import os
import re
import subprocess
import tempfile
import time

from lab import Lab, Trouble, Void  # first: it knows where the others are

import guest
from machine import PROMPT, TOP, plain

NAME = "g0"
BOOT_SECONDS = 300  # Linux executes 2.2 G instructions
SLACK = 20  # exits of a guest that is idle but for its clock, between two readings

ECHO = """guest create {name} memory {memory} kernel {kernel} cmdline '{cmdline}' port p0
ovs-vsctl add-br sw0
ovs-vsctl add-port sw0 nic0 p0
"""
THROUGH = """guest create {name} memory {memory} kernel {kernel} cmdline '{cmdline}' port p0 port p1
ovs-vsctl add-br sw0
ovs-vsctl add-port sw0 nic0 p0
ovs-vsctl add-br sw1
ovs-vsctl add-port sw1 nic1 p1
"""
UP = """ip link set nic* up
ip link set p* up
guest start {name}
"""


class Scene(collections.namedtuple("Scene", "name topology kernel initrd memory cmdline ready traffic sizes")):
    """What is booted, and which traffic goes through it. All of Weir and of the guest is on one core."""

    def config(self):
        kernel = self.kernel + (f" initrd {self.initrd}" if self.initrd else "")
        text = (self.topology + UP).format(name=NAME, memory=self.memory, kernel=kernel, cmdline=self.cmdline)
        return text.encode()

    def archive(self, directory):
        """The path of the archive that boots it."""
        config = os.path.join(directory, "weir.conf")
        with open(config, "wb") as out:
            out.write(self.config())
        files = [f"{name}={os.path.join(TOP, 'build', 'guest', name)}" for name in (self.kernel, self.initrd) if name]
        path = os.path.join(directory, "guest.cpio")
        if subprocess.call([os.path.join(TOP, "scripts", "mkcpio"), path, f"weir.conf={config}", *files]):
            raise Trouble(f"the archive for '{self.name}' could not be made; `make` builds what it holds")
        return path


SCENES = (
    Scene("tiny guest, echo", ECHO, "tiny", None, 32, "mode=echo-l2", "tiny: ready", {"to": 0, "echo": 1}, (60,)),
    Scene("tiny guest, forward", THROUGH, "tiny", None, 32, "mode=forward", "tiny: ready", {}, (60, 1514)),
    Scene(
        "Linux guest, bridge", THROUGH, "vmlinuz", "linux.cpio.gz", 192, "console=ttyS0 bridge=1", "linux: ready", {},
        (60,),
    ),
)  # fmt: skip


def scene(name):
    """The first whose name has @name in it."""
    found = [s for s in SCENES if name.lower() in s.name.lower()]
    if not found:
        raise Trouble(f"no guest is called '{name}'; there are {', '.join(s.name for s in SCENES)}")
    return found[0]


# --- the lab ----------------------------------------------------------------------------------------------------------


class GuestLab(Lab):
    """A Lab whose frames go through a guest."""

    def __init__(self, scene):
        self.scene, self.traffic = scene, scene.traffic
        self.directory = tempfile.TemporaryDirectory(prefix="weir-bench-")
        super().__init__(config=scene.archive(self.directory.name))

    def __exit__(self, *why):
        super().__exit__(*why)
        self.directory.cleanup()

    def boot(self):
        self.machine.wait_for("\n" + PROMPT, 60)
        end = time.monotonic() + BOOT_SECONDS
        while self.scene.ready not in (said := self.machine.command(f"guest log {NAME} 40", 60)):
            if time.monotonic() > end or re.search(rf"^{NAME}: died", plain(self.machine.console), re.MULTILINE):
                raise Trouble(f"'{self.scene.ready}' did not come from the guest; it said last:\n{said}")
            time.sleep(0.5)
        super().boot()

    def counted(self):
        """Weir's counters of the guest, and the plugin's of entries."""
        counts = collections.Counter(guest.counts(self.machine, NAME))
        counts["looks"] = sum(dict(zip(guest.VRING, row[1:]))["polls"] for row in guest.vrings(self.machine, NAME))
        counts["vmrun"] = self.plugin.counts()["vmrun"]
        return counts

    def run(self, **traffic):
        before = self.counted()
        cost = super().run(**traffic)
        cost.guest = self.counted()
        cost.guest.subtract(before)
        self.check(cost)
        return cost

    def check(self, cost):
        """Two who count exits agree, and nothing of the guest was taken for Weir's."""
        weir, plugin = cost.guest.pop("all exits"), cost.guest.pop("vmrun")
        if abs(weir - plugin) > SLACK:
            raise Trouble(f"Weir counted {weir} exits, but VMRUN was executed {plugin} times")
        strange = sum(times for address, times in cost.profile.items() if not self.symbols.covers(address))
        if strange:
            raise Trouble(f"{strange} instructions outside of Weir's text were taken for Weir's")

    def quiet(self):
        """The counts once no guest has been entered for a while: three looks, as a busy host may keep QEMU from one."""
        looks = []
        for _ in range(100):
            counts = self.plugin.counts()
            looks.append(counts["vmrun"])
            if looks[-4:] == looks[-1:] * 4:
                return counts
            time.sleep(0.3)
        raise Trouble("the guest does not come to rest")


# --- measuring --------------------------------------------------------------------------------------------------------

FRAMES = {32: 6400, 1: 3200}
REPEATS = 3
CPUIDS = 20000
IDLE_SECONDS = 6


def measure_row(lab, size, burst, quick):
    row = {"traffic": lab.scene.name, "bytes": size, "burst": burst}
    try:
        lab.warm_up(size=size)
        drops = lab.drops()
        row.update(lab.median_slope(1 if quick else REPEATS, FRAMES[burst], burst=burst, size=size))
        if lab.drops() != drops:
            raise Void(f"Weir dropped packets: {dict(lab.drops() - drops)}")
    except Void as e:
        row["void"] = str(e)
    return row


def measure_cpuid(lab):
    """A round trip: out of the guest for CPUID, and in again."""
    costs = []
    for n in (CPUIDS, 2 * CPUIDS):
        before = lab.quiet()
        lab.machine.command(f"guest type {NAME} cpuid {n}")
        costs.append(lab.quiet() - before)
    if abs(costs[1]["vmrun"] - costs[0]["vmrun"] - CPUIDS) > SLACK:
        raise Trouble(f"{CPUIDS} CPUIDs more were {costs[1]['vmrun'] - costs[0]['vmrun']} exits more")
    return {name: (costs[1][name] - costs[0][name]) / CPUIDS for name in ("insns", "guest_insns", "loads", "stores")}


def measure_scene(scene, bursts, quick, result):
    with GuestLab(scene) as lab:
        result["idle"][scene.name] = lab.idle(IDLE_SECONDS)
        for size in scene.sizes:
            for burst in bursts:
                result["rows"].append(measure_row(lab, size, burst, quick))
        if scene.kernel == "tiny" and "cpuid" not in result:
            result["cpuid"] = measure_cpuid(lab)


def measure(only, bursts, quick, progress):
    """{"rows", "idle" by guest, "cpuid"}: all guests whose name has @only in it."""
    result = {"rows": [], "idle": {}}
    for scene in SCENES:
        if only.lower() in scene.name.lower():
            progress(f"  {scene.name}")
            measure_scene(scene, bursts, quick, result)
    return result
