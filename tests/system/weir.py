# SPDX-License-Identifier: MIT
"""weir.py - the machine under test: Weir in QEMU, its shell as a call, its NICs as sockets, its books audited

    with Weir(nics=3, smp=2) as weir:
        weir.sh("ip link show")
        weir.send(0, frame)
        weir.recv(1)

Built on scripts/machine.py, which `make run` uses too. A machine keeps a temporary directory of its own, is ended by
its process id, and every wait has an end.
"""

import collections
import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "scripts"))

import bochs  # noqa: E402
import machine  # noqa: E402
from bochs import Bochs, Datagrams  # noqa: E402
from machine import PANICKED, POWERED_OFF, Machine, Trouble, plain  # noqa: E402, F401: tests take them from here
from wires import FRAME_MAX, Sockets  # noqa: E402

ISO = os.path.join(TOP, "build", "weir.iso")
SWITCH = """ovs-vsctl add-br sw0
ovs-vsctl add-port sw0 nic*
ip link set nic* up
"""
NOTICE = re.compile(r"(?:igb|e1000e?): nic\d+ link is .*\n|g\d: (?:died: |  |powered itself off|asks for a reset).*\n")
SILENCE = 5  # seconds without any frame after which those still under way count as lost
NO_END = 60  # seconds of frames, one after the other, after which there is no hope of silence


def expect(seen, expected, what):
    """An assert that says what was expected and what was seen."""
    assert seen == expected, f"{what}: expected {expected!r}, saw {seen!r}"


def expect_in(part, text, what):
    assert part in text, f"{what}: expected {part!r} in it, saw:\n{text}"


def expect_match(pattern, text, what):
    found = re.search(pattern, text, re.MULTILINE)
    assert found, f"{what}: expected a match of {pattern!r}, saw:\n{text}"
    return found


def guest_file(name):
    """The bytes of a kernel or an initrd that make built for guests."""
    with open(os.path.join(TOP, "build", "guest", name), "rb") as f:
        return f.read()


def archive(directory, files):
    """A cpio with @files, {name: bytes}, in @directory; returns its path."""
    pairs = []
    for number, (name, content) in enumerate(files.items()):
        path = os.path.join(directory, f"file{number}")
        with open(path, "wb") as f:
            f.write(content)
        pairs.append(f"{name}={path}")
    path = os.path.join(directory, "weir.cpio")
    subprocess.run([os.path.join(TOP, "scripts", "mkcpio"), path, *pairs], check=True, timeout=60)
    return path


class UnderTest:
    """What a machine under test has beside a Machine's verbs, whatever emulates it.

    @config is the text of a weir.conf, the bytes of a whole archive, or None for no archive. @files go into the archive
    as well: names of what lies in build/guest, or {name: bytes}. @how is the emulator's.
    """

    alive = []  # for the report of a test that fails
    paused = False  # stopped, until somebody wants it again
    patience = 1  # times as long as elsewhere, until something that does not come is missing

    def __init__(self, directory, wires, smp, config, files, extra, boot_seconds, **how):
        self.directory, self.wires, self.smp = directory, wires, smp
        self.nics = len(wires.netdevs)
        self.spoiled = False  # a test failed while it ran
        super().__init__(wires, extra, boot_seconds, cores=smp, config=self.initrd(config, files), **how)
        self.alive.append(self)

    def initrd(self, config, files):
        if config is None or isinstance(config, str):
            held = files if isinstance(files, dict) else {name: guest_file(name) for name in files}
            return config and archive(self.directory.name, {"weir.conf": config.encode(), **held})
        path = os.path.join(self.directory.name, "raw.cpio")
        with open(path, "wb") as f:
            f.write(config)
        return path

    def __enter__(self):
        super().__enter__()
        try:
            expect_match(rf"^smp: {self.smp} cores?,", self.booted(), f"cores of a machine with {self.smp}")
        except AssertionError:
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        """Who leaves a machine running and well lets it be audited first; afterwards nobody could look."""
        try:
            if kind is None and not self.hung_up:
                self.audit()
        finally:
            self.close()

    def close(self):
        super().close()
        if self in self.alive:
            self.alive.remove(self)
            if isinstance(self.wires, Sockets):
                self.wires.__exit__()
            self.directory.cleanup()

    # --- the shell ---

    def text(self, since=0):
        """The console's text without what drivers and dying guests put in at any moment."""
        return NOTICE.sub("", plain(self.console[since:]))

    def sh(self, line, seconds=20):
        """Run a line; returns what it printed."""
        start = len(self.console)

        def answer():
            _, echo, said = self.text(start).partition(line + "\n")
            said, prompt, _ = ("\n" + said).partition("\n" + machine.PROMPT)
            return (said + "\n")[1:] if echo and prompt else None

        self.type(line)
        return self.wait_until(answer, seconds * self.patience, f"the answer to '{line}'")

    def quiet(self, *lines):
        """Run lines that must have nothing to say."""
        for line in lines:
            expect(self.sh(line), "", f"output of '{line}'")

    def booted(self):
        """All that was said before the first prompt."""
        return self.text().partition("\n" + machine.PROMPT)[0]

    def poweroff(self):
        """The end of a machine whose books are right; afterwards nobody could look."""
        self.audit()
        self.power_off()
        expect(self.status, POWERED_OFF, f"{self.emulator}'s status after poweroff")

    def wait_sh(self, line, done, what, seconds=20):
        """Ask again until done(answer) gives something true; returns that."""
        seconds *= self.patience
        end = time.monotonic() + seconds
        while True:
            answer = self.sh(line)
            result = done(answer)
            if result:
                return result
            assert time.monotonic() < end, f"{what}: expected within {seconds} s, last saw of '{line}':\n{answer}"
            time.sleep(0.05)

    def wait_links(self):
        """Links come up half a second after their ports."""
        for i in range(self.nics):
            self.wait_sh(f"ip link show nic{i}", lambda text: " state UP " in text, f"link of nic{i}")
        return self

    # --- the wires ---

    def send(self, i, frame):
        self.wires.send(i, bytes(frame))

    def offer(self, i, frame):
        """The same for a NIC that may take none: QEMU reads no frame for one that does not receive."""
        try:
            self.wires.send(i, bytes(frame), 0.05)
        except Trouble:
            return False
        return True

    def recv(self, i, seconds=5):
        return self.wires.receive(i, seconds)

    def arrivals(self, seconds):
        """[(port, frame)] that are there, or come first within @seconds; empty if none does."""
        ready, _, _ = select.select(self.wires.ends, [], [], seconds)
        return [(self.wires.ends.index(end), end.recv(FRAME_MAX)) for end in ready]

    def hush(self, seconds=0.2):
        """All that still arrives, until so long nothing has: [(port, frame)]."""
        left, end = [], time.monotonic() + NO_END * self.patience
        while now := self.arrivals(seconds):
            left += now
            assert time.monotonic() < end, f"expected frames to come to an end, saw {len(left)}, and no end"
        return left

    def arrives(self, source, frame, outs):
        """@frame, in by NIC @source, leaves unchanged and once by each of @outs, and by no other."""
        self.send(source, frame)
        seen = []
        while len(seen) < len(outs) and (now := self.arrivals(SILENCE * self.patience)):
            seen += now
        seen += self.hush(0.05)
        what = f"of {frame[:14].hex()}… that came in by nic{source}"
        expect(sorted(port for port, _ in seen), sorted(outs), f"NICs {what} left by")
        for port, got in seen:
            expect(got, frame, f"what {what} left by nic{port}")

    def carry(self, frames, window=64, midway=None):
        """Send @frames, (in, out, flow, bytes) each, with at most @window under way, and see each one arrive.

        Each must leave by its port as it is, or as a fifth item says: an answer. Those of one flow (any value) come in
        their order, and nothing else may arrive. No two frames for a port may be equal. @midway is called once, when
        half of them are sent.
        """
        pending, last, sent, half = {}, collections.defaultdict(lambda: -1), 0, len(frames) // 2
        while sent < len(frames) or pending:
            while sent < len(frames) and len(pending) < window:
                source, out, flow, frame, *becomes = frames[sent]
                pending[out, becomes[0] if becomes else frame] = (flow, sent)
                self.send(source, frame)
                sent += 1
                if midway and sent == half:
                    midway()
            now = self.arrivals(SILENCE * self.patience)
            lost = [number for _, number in pending.values()][:20]
            assert now, f"expected {len(frames)} frames, saw {sent - len(pending)} of {sent} sent, lost number {lost}"
            for out, frame in now:
                self.arrived(out, frame, pending, last)
        left = self.hush(0.05)
        expect([(port, len(frame)) for port, frame in left], [], "frames (port, length) that nobody sent")

    @staticmethod
    def arrived(out, frame, pending, last):
        found = pending.pop((out, frame), None)
        assert found, f"on NIC {out}: expected one of {len(pending)} frames under way, saw {frame[:64].hex()}"
        flow, number = found
        assert number > last[flow], f"flow {flow}: expected a frame after number {last[flow]}, saw number {number}"
        last[flow] = number

    # --- the books ---

    def audit(self):
        """Conservation law and pool equation, exact because the cores stand still while they are checked."""
        expect(self.sh("ports").splitlines()[-1], "conservation: ok", "last line of 'ports'")
        expect(self.sh("pool").splitlines()[-1], "pools: ok", "last line of 'pool'")
        drops = self.drops()
        total = drops.pop("total")
        expect(total, sum(drops.values()), f"the total of 'drops' beside the sum of {drops}")

    def drops(self):
        """{reason: packets} of all ports and cores; "total" among them."""
        rows = re.findall(r"^(\w+) +(\d+)(?:  .*)?$", self.sh("drops"), re.MULTILINE)
        return collections.Counter({reason: int(n) for reason, n in rows})

    @contextlib.contextmanager
    def dropping(self, **reasons):
        """What happens inside drops so many packets for these reasons, and none for any other."""
        before = self.drops()
        yield
        after = self.drops()
        seen = {reason: n - before[reason] for reason, n in after.items() if n != before[reason]}
        seen.pop("total", None)
        expect(seen, {reason: n for reason, n in reasons.items() if n}, "packets dropped, by reason")

    def counter(self, name):
        return int(expect_match(rf"^{re.escape(name)} +(\d+)", self.sh(f"counters {name}"), name)[1])

    def ethtool(self, i):
        """{statistic: value} of one NIC."""
        rows = re.findall(r"^ +(\w+): (\d+)$", self.sh(f"ethtool -S nic{i}"), re.MULTILINE)
        return {name: int(n) for name, n in rows}

    def dev(self, i):
        """(RX bytes, RX packets, TX bytes, TX packets) of a port in /proc/net/dev."""
        row = expect_match(rf"^ *nic{i}: +(.*)$", self.sh("cat /proc/net/dev"), "/proc/net/dev")[1].split()
        return tuple(int(row[column]) for column in (0, 1, 8, 9))

    def softnet(self):
        """A list a core: processed, dropped, time_squeeze."""
        return [[int(n, 16) for n in line.split()[:3]] for line in self.sh("cat /proc/net/softnet_stat").splitlines()]

    def interrupts(self):
        """{name: (number, [count of each core])}."""
        rows = re.findall(r"^ *(\d+):((?: +\d+)+) +\S+ +\d+-\w+ +(\S.*)$", self.sh("cat /proc/interrupts"), re.MULTILINE)
        return {name: (int(number), [int(n) for n in counts.split()]) for number, counts, name in rows}


class Weir(UnderTest, Machine):
    """One machine in QEMU. @e1000 and @e1000e say which NICs are one, and in which slot of the root bus: {1: 0x10}.

    These are numbered behind the others by Weir, so they have to be the last. @host: with weirhost at its second serial
    port; what it keeps is in the directory .host.
    """

    def __init__(
        self, nics=2, smp=1, config=SWITCH, memory=512, board="q35", cpu="max", iso=None, wires=None, extra=(),
        boot_seconds=60, files=(), e1000={}, e1000e={}, host=False,
    ):  # fmt: skip
        directory = tempfile.TemporaryDirectory(prefix="weir-")
        wires = wires or Sockets(directory.name, nics).__enter__().plug_in()
        self.board, self.cpu, self.iso = board, cpu, iso
        self.others = {i: (kind, slot) for kind, slots in (("e1000", e1000), ("e1000e", e1000e)) for i, slot in slots.items()}
        how = {"memory": memory, "host": os.path.join(directory.name, "host") if host else None}
        super().__init__(directory, wires, smp, config, files, extra, boot_seconds, **how)

    def arguments(self, netdevs, **how):
        """As scripts/launch starts it, but for what this machine has otherwise."""
        args = machine.arguments(netdevs, **how)
        args[args.index("-cpu") + 1] = self.cpu
        if self.iso:
            at = args.index("-kernel")
            args[at : at + 2] = ["-cdrom", self.iso]
        if self.board == "pc":  # no PCI Express: igb on the root bus, apart, as each is SR-IOV capable
            args[args.index("-M") + 1] = "pc"
            ports = [at for at, arg in enumerate(args) if arg.startswith("pcie-root-port")]
            for at in reversed(ports):
                del args[at - 1 : at + 1]
            args = [re.sub(r"bus=port(\d+)", lambda m: f"addr={4 * int(m[1]) + 4}", arg) for arg in args]
        for i, (kind, slot) in self.others.items():
            at = next(at for at, arg in enumerate(args) if arg.startswith(f"igb,id=igb{i},"))
            args[at] = re.sub(r"(bus|addr)=\w+", f"addr={slot:x}", args[at].replace("igb,", f"{kind},", 1))
        return args


class BochsWeir(UnderTest, Bochs):
    """One machine in Bochs, with a NIC for each of @macs, to which alone frames get in (bochs.Datagrams says why).

    @how: cpu, a model, and ips, instructions in a second of its time. An idle one keeps a core of the host busy, so
    who does not need it for a while pauses it.
    """

    patience = 4

    def __init__(
        self, macs=bochs.GUEST_MACS[:1], smp=1, config=SWITCH, memory=256, wires=None, extra=(), boot_seconds=60,
        files=(), **how,
    ):  # fmt: skip
        directory = tempfile.TemporaryDirectory(prefix="weir-")
        wires = wires or Datagrams(macs).plug_in()
        super().__init__(directory, wires, smp, config, files, extra, boot_seconds, memory=memory, **how)

    def pause(self):
        if not self.hung_up and not self.paused:
            self.paused = True
            self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        if self.paused:
            self.process.send_signal(signal.SIGCONT)
            self.paused = False
