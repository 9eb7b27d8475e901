# SPDX-License-Identifier: MIT
"""lab.py - an image in QEMU with frames going through it, and what it executes counted from outside

    with Lab() as lab:                      # Weir as built; Lab(kernel=..., config=None) for any image that forwards
        lab.warm_up(flows=1000)
        figures = lab.slope(n=8000, burst=32, flows=1000, order=RANDOM)

Nothing in the guest has to help: icount.c counts its instructions, gen.c sends the frames and looks at what comes out.
"""

import bisect
import collections
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "scripts"))

from machine import KERNEL, PROMPT, Machine, Trouble  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(TOP, "build", "bench")

# one instruction is one nanosecond; an idle guest sleeps in real time. QEMU 10.0 aborts with "Bad icount read" where
# the timer of an x2APIC is set, so the counted machine has an xAPIC.
ACCEL = "tcg,thread=single"
ICOUNT = ["-icount", "shift=0,sleep=on", "-cpu", "max,-x2apic"]

IPV4, IPV6, VLAN = range(3)  # frames.h: enum kind
IN_TURN, RANDOM, ALL_NEW = range(3)  # enum order

PAGE = 4096
LINE_SELDOM = 100
SETTLE_SECONDS = 0.1  # after a run: the guest cleans up and goes to sleep


# --- the tools --------------------------------------------------------------------------------------------------------


def build_tool(name, sources, flags):
    target = os.path.join(TOOLS, name)
    inputs = [os.path.join(HERE, s) for s in os.listdir(HERE) if s.endswith((".c", ".h"))]
    if not os.path.exists(target) or os.path.getmtime(target) < max(map(os.path.getmtime, inputs)):
        os.makedirs(TOOLS, exist_ok=True)
        common = ["gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror"]
        new = f"{target}.{os.getpid()}"  # a test may build the same at the same time
        sources = [os.path.join(HERE, s) for s in sources]
        if subprocess.call(common + flags + ["-o", new] + sources):
            raise Trouble(f"tests/bench: {name} could not be built, see above")
        os.replace(new, target)
    return target


def plugin_file():
    return build_tool("icount.so", ["icount.c"], ["-fPIC", "-shared", "-fvisibility=hidden"])


def generator_file():
    return build_tool("gen", ["gen.c", "frames.c"], [])


def numbers(line):
    """'a=1 b=2' as a Counter, which knows how to subtract."""
    return collections.Counter({name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)})


def said(arguments):
    return " ".join(f"{name}={value}" for name, value in arguments.items())


class Plugin:
    """The client of icount.c's socket."""

    def __init__(self, path, obituary=lambda: None, seconds=10):
        """@obituary() says why QEMU ended, or None."""
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + seconds
        while True:
            try:
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if obituary() or time.monotonic() > end:
                    raise Trouble(obituary() or "QEMU does not load the counting plugin; it must be 9.1 or newer")
                time.sleep(0.01)
        self.socket.settimeout(30)
        self.lines = self.socket.makefile("r")

    def ask(self, request):
        self.socket.sendall(request.encode() + b"\n")

    def counts(self):
        self.ask("counts")
        counts = numbers(self.lines.readline())
        if not counts or counts["left_out"]:
            raise Trouble("the counting plugin gave up: " + (str(dict(counts)) or "QEMU ended"))
        return counts

    def table(self, request):
        self.ask(request)
        for line in self.lines:
            if line == ".\n":
                return
            yield line.split(None, 4 if request == "lines" else 3)

    def profile(self):
        """{address: executions} of every instruction executed so far."""
        return collections.Counter({int(va, 16): int(times) for va, times in self.table("profile")})

    def mmio(self):
        """{(device, address, "r" or "w"): accesses}."""
        found = collections.Counter()
        for pa, reads, writes, device in self.table("mmio"):
            found[device.strip(), int(pa, 16), "r"] += int(reads)
            found[device.strip(), int(pa, 16), "w"] += int(writes)
        return found

    def shared_lines(self):
        """{address: {core: (reads, writes, code)}} of the cache lines that several cores touch and one writes."""
        found = collections.defaultdict(dict)
        for address, core, reads, writes, code in self.table("lines"):
            found[int(address, 16)][int(core)] = (int(reads), int(writes), int(code, 16))
        return found

    def close(self):
        self.lines.close()
        self.socket.close()


class Generator:
    """gen.c as a child: a command, an answer."""

    def __init__(self, a, b):
        self.child = subprocess.Popen(
            [generator_file(), a, b], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        if not self.child.stdout.readline():
            raise Trouble("the frame generator could not reach QEMU")

    def ask(self, command):
        self.child.stdin.write(command + "\n")
        answer = self.child.stdout.readline()
        if not answer or answer.startswith("what?"):
            raise Trouble(f"the frame generator ended or refused '{command}': {answer.strip()}")
        return numbers(answer)

    def run(self, **arguments):
        return self.ask("run " + said(arguments))

    def first(self, **arguments):
        return self.ask("first " + said(arguments))

    def close(self):
        self.child.stdin.close()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()


# --- what runs in the guest -------------------------------------------------------------------------------------------


class Symbols:
    """The functions of an ELF."""

    def __init__(self, path):
        self.path = path
        out = subprocess.run(["nm", "-n", path], capture_output=True, text=True).stdout
        found = re.findall(r"^([0-9a-f]+) [tTwW] (\S+)$", out, re.MULTILINE)
        self.names = [name for _, name in found]
        self.starts = [int(address, 16) for address, _ in found]

    def address(self, name):
        """Of a function; None if there is none of that name."""
        return self.starts[self.names.index(name)] if name in self.names else None

    def covers(self, address):
        return self.starts[0] <= address < self.starts[-1] + PAGE

    def function(self, address):
        i = bisect.bisect_right(self.starts, address) - 1
        return self.names[i] if i >= 0 else "firmware"


def is_doorbell(device, address):
    """RDT or TDT of an igb queue [82576 8.10.8, 8.12.11]; the BAR is 128 KiB."""
    offset = address & 0x1FFFF
    return device == "igb-mmio" and offset & ~0x3C0 in (0xC018, 0xE018)


# figures that are calls of functions; one that an image does not have, nobody calls
CALLS = {"polls": ("nic_poll",), "copies": ("pkt_copy", "tun_get_user", "tun_put_user")}


class Reading:
    """All that the plugin knows at one moment; differences make figures. `guest`: what Weir counts of a guest."""

    def __init__(self, counts, profile, mmio, guest=()):
        self.counts, self.profile, self.mmio, self.guest = counts, profile, mmio, collections.Counter(guest)

    def __sub__(self, earlier):
        parts = []
        for name in ("counts", "profile", "mmio", "guest"):
            difference = collections.Counter(getattr(self, name))
            difference.subtract(getattr(earlier, name))
            parts.append(difference)
        return Reading(*parts)

    def figures(self, symbols, n):
        """Per packet."""
        figures = {name: value / n for name, value in self.counts.items() if name not in ("since", "left_out")}
        figures["guest"] = {name: times / n for name, times in self.guest.items()}
        doorbells = sum(v for (dev, pa, way), v in self.mmio.items() if way == "w" and is_doorbell(dev, pa))
        figures["doorbells"] = doorbells / n
        for what, functions in CALLS.items():
            addresses = [symbols.address(function) for function in functions if function in symbols.names]
            if addresses:
                figures[what] = sum(self.profile[address] for address in addresses) / n
        return figures


# --- the lab ----------------------------------------------------------------------------------------------------------


class Void(Exception):
    """What was sent did not come out; the run counts for nothing."""


def check_delivery(answer):
    good = answer["sent"] - answer["bad"]
    if answer["delivered"] != good or answer["twice"] or answer["damaged"] or answer["strange"]:
        raise Void(
            f"{good} frames were to come out, {answer['delivered']} did; {answer['lost']} lost,"
            f" {answer['twice']} twice, {answer['damaged']} damaged, {answer['strange']} that should not have"
        )


class Wires:
    """Two NICs on `-netdev stream` unix sockets; the generator is at the other end."""

    fds = ()

    def __init__(self, directory):
        self.paths = [os.path.join(directory, side) for side in ("a", "b")]
        self.netdevs = [f"stream,server=on,addr.type=unix,addr.path={path}" for path in self.paths]


class Lab:
    """One machine with one core, booted and forwarding. `boot_insns`: from kernel entry to the first frame out."""

    traffic = {}  # what all runs in it have in common

    cores = 1
    accel, clock = ACCEL, ICOUNT
    plugin_options = ""

    def __init__(self, kernel=KERNEL, config="switch", memory=512):
        self.symbols = Symbols(kernel)
        self.is_weir = self.symbols.address("pvh_start") is not None
        self.options = {"kernel": kernel, "config": config, "memory": memory}
        self.next_flow = 1 << 20
        self.malformed = collections.Counter()  # frames sent that were to be dropped, by the reason

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            directory = tempfile.mkdtemp(prefix="weir-bench-")
            stack.callback(shutil.rmtree, directory)
            wires, counter = Wires(directory), os.path.join(directory, "icount")
            plugin = f"{plugin_file()},socket={counter}{self.count_from()}{self.plugin_options}"
            extra = self.clock + ["-plugin", plugin]
            self.machine = Machine(wires, extra=extra, accel=self.accel, cores=self.cores, **self.options)
            stack.callback(self.machine.close)
            self.plugin = Plugin(counter, lambda: self.machine.hung_up and self.machine.obituary())
            stack.callback(self.plugin.close)
            self.generator = Generator(*wires.paths)
            stack.callback(self.generator.close)
            self.boot()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def count_from(self):
        return f",from={self.symbols.address('pvh_start'):#x}" if self.is_weir else ""

    def boot(self):
        answer = self.generator.first(**self.traffic)
        self.boot_insns = self.plugin.counts()["since"]
        if not answer["delivered"]:
            raise Trouble("no frame crossed the machine:\n" + self.machine.last_lines())
        if self.is_weir:
            self.machine.wait_for("\n" + PROMPT, 60)
        time.sleep(0.5)  # frames that were sent during the boot still come out

    def read(self):
        return Reading(self.plugin.counts(), self.plugin.profile(), self.plugin.mmio())

    def run(self, **traffic):
        """One run; returns the Reading of what it cost. Void if not all came out."""
        before = self.read()
        answer = self.generator.run(**{**self.traffic, **traffic})
        time.sleep(SETTLE_SECONDS)
        cost = self.read() - before
        check_delivery(answer)
        self.malformed += collections.Counter({k: v for k, v in answer.items() if k.startswith("parse_")})
        return cost

    def warm_up(self, **traffic):
        """Both addresses learnt, and each flow seen once, which slopes do not measure."""
        for to in (0, 1):  # with the tag that the traffic has: addresses are learnt by VLAN
            learnt = {"to": to, "kind": traffic.get("kind", IPV4), **self.traffic}
            check_delivery(self.generator.run(n=4, burst=1, **learnt))
        traffic = {**self.traffic, **traffic, "order": IN_TURN}
        check_delivery(self.generator.run(n=max(64, traffic.get("flows", 1)), burst=32, **traffic))

    def slope(self, n, **traffic):
        """Figures per packet from a run of @n and one of 2 * @n: what both have in common falls out."""
        costs = []
        for frames in (n, 2 * n):
            if traffic.get("order") == ALL_NEW:
                traffic["first"] = self.next_flow
                self.next_flow += frames
            costs.append(self.run(n=frames, **traffic))
        return (costs[1] - costs[0]).figures(self.symbols, n)

    def median_slope(self, repeats, n, **traffic):
        """Figures of the run in the middle, by instructions; `spread` says how far apart the others are."""
        runs = sorted((self.slope(n, **traffic) for _ in range(repeats)), key=lambda figures: figures["insns"])
        return {**runs[len(runs) // 2], "spread": (runs[-1]["insns"] - runs[0]["insns"]) / 2}

    def drops(self):
        """{reason: packets} as Weir's own `drops` says; an image that is not Weir says nothing."""
        if not self.is_weir:
            return self.malformed.copy()
        said = self.machine.command("drops")
        return collections.Counter({name: int(n) for name, n in re.findall(r"^(\w+) +(\d+) ", said, re.MULTILINE)})

    def idle(self, seconds):
        """Instructions and interrupts a second with nothing to do; those of guests, and exits, too."""
        before, began = self.plugin.counts(), time.monotonic()
        time.sleep(seconds)
        cost = self.plugin.counts() - before
        passed = time.monotonic() - began
        names = {"insns": "insns", "interrupts": "iret", "guest_insns": "guest_insns", "exits": "vmrun"}
        return {figure: cost[name] / passed for figure, name in names.items()}


class SharedLab(Lab):
    """Four cores, and four queues a NIC: which cache lines go from one to the other?"""

    cores = 4
    # QEMU 10.0 crashes with a plugin where several vCPUs take turns on one thread, and -icount has them do that
    accel, clock = "tcg,thread=multi", ["-cpu", "max,-x2apic"]
    plugin_options = ",lines=on"

    def moves(self, n, **traffic):
        """
        The lines that go over for packets, the dearest first: address, moves a packet, cores, functions. What goes
        over less than once in LINE_SELDOM packets does so by the clock.
        """
        before = self.plugin.shared_lines()
        self.run(n=n, **traffic)
        rows = []
        for address, by in self.plugin.shared_lines().items():
            was = before.get(address, {})
            spent = {core: (r - was.get(core, (0, 0))[0], w - was.get(core, (0, 0))[1]) for core, (r, w, _) in by.items()}
            moves = line_moves(spent) / n
            cores = sorted(core for core, used in spent.items() if any(used))
            if moves * LINE_SELDOM >= 1:
                names = sorted({self.symbols.function(by[core][2]) for core in cores})
                rows.append({"address": address, "moves": moves, "cores": cores, "functions": names})
        return sorted(rows, key=lambda row: -row["moves"])


def line_moves(spent):
    """How often a line went over, from {core: (reads, writes)}. It is at home with the core that writes most: each
    write of another one fetches it, and each read that finds a write of its home's since."""
    home = max(spent, key=lambda core: spent[core][1])
    reads = sum(r for core, (r, _) in spent.items() if core != home)
    writes = sum(w for core, (_, w) in spent.items() if core != home)
    return writes + min(reads, spent[home][1])


# --- profile ----------------------------------------------------------------------------------------------------------


def by_function(symbols, profile, n):
    """[(function, instructions a packet, calls a packet)], the dearest first."""
    insns = collections.Counter()
    for address, times in profile.items():
        insns[symbols.function(address)] += times
    calls = {name: profile[symbols.address(name)] for name in insns if symbols.address(name)}
    return [(name, total / n, calls.get(name, 0) / n) for name, total in insns.most_common() if total > 0]


def annotate(symbols, profile, n, function):
    """The lines of objdump's listing of @function, each with its executions a packet and where it comes from."""
    command = ["objdump", "-dl", "--no-show-raw-insn", f"--disassemble={function}", symbols.path]
    for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines():
        instruction = re.match(r"\s*([0-9a-f]+):\t", line)
        if instruction:
            yield f"{profile[int(instruction[1], 16)] / n:8.3f} {line.strip()}"
        elif re.match(r"/.*:\d+", line):
            yield " " * 9 + os.path.relpath(line.split(" ")[0], TOP)
