# SPDX-License-Identifier: MIT
"""machine.py - Weir in QEMU: which accelerator, which command line, and its shell as a function call

Used by scripts/launch, the system tests and the benchmark, so that all of them start the same machine:

    with Machine(wires.taps, cores=2) as weir:
        print(weir.command("cat /proc/net/dev"))
        weir.power_off()

A machine never outlives the program that started it, and every wait has an end.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from weirhost import Host

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KERNEL = os.path.join(TOP, "build", "weir.elf")
PROMPT = "weir# "
MACS = ["52:54:00:00:00:%02x" % (0x0A + i) for i in range(8)]

# What QEMU returns when Weir writes 0x10 or 0x11 to its exit port. A triple fault returns 0: never a success.
POWERED_OFF = 33
PANICKED = 35


class Trouble(Exception):
    """Something the user can mend; the text says what to do."""


# --- accelerator ------------------------------------------------------------------------------------------------------


NESTS = {(0x80000001, 2): "SVM", (1, 5): "VT-x"}  # by CPUID leaf and bit of ECX


def kvm_cpuid(kvm):
    """What KVM offers its guests: {(leaf, subleaf): (eax, ebx, ecx, edx)}."""
    KVM_GET_SUPPORTED_CPUID = 0xC008AE05
    entries = 256
    buf = bytearray(struct.pack("II", entries, 0) + bytes(40 * entries))
    fcntl.ioctl(kvm, KVM_GET_SUPPORTED_CPUID, buf)
    leaves = {}
    for i in range(struct.unpack_from("I", buf)[0]):
        leaf, sub, _, *regs = struct.unpack_from("7I", buf, 8 + 40 * i)
        leaves[leaf, sub] = tuple(regs)
    return leaves


def accelerator(path="/dev/kvm"):
    """("kvm" or "tcg", why): KVM only where it lets a guest be a hypervisor in its turn, in the way that Weir is one.

    The device node alone says little: there are hosts whose KVM is far slower than TCG. Those do not nest.
    """
    wish = os.environ.get("WEIR_ACCEL")
    if wish:
        return wish, "WEIR_ACCEL says so"
    try:
        with open(path, "rb+", buffering=0) as kvm:
            leaves = kvm_cpuid(kvm)
    except FileNotFoundError:
        return "tcg", "this host has no KVM"
    except PermissionError:
        return "tcg", path + " may not be opened; the group kvm may"
    except OSError as e:
        return "tcg", "KVM does not answer: " + e.strerror
    for (leaf, bit), what in NESTS.items():
        if leaves.get((leaf, 0), (0,) * 4)[2] & 1 << bit:
            return "kvm", f"this host's KVM offers nested {what}"
    return "tcg", "this host's KVM offers neither nested SVM nor VT-x"


# --- command line -----------------------------------------------------------------------------------------------------


def qemu():
    """The path of QEMU, or what to do."""
    path = shutil.which("qemu-system-x86_64")
    if not path:
        raise Trouble("qemu-system-x86_64 is not installed; scripts/setup run installs it")
    return path


def archive(config):
    """The path of the archive that --config means: a NAME of boot/conf, or a path of its own."""
    return config if os.sep in config else os.path.join(TOP, "build", config + ".cpio")


def arguments(netdevs, cores=1, config="switch", kernel=KERNEL, accel=None, memory=512, icount=None, beat=None):
    """QEMU's arguments for a Weir with one igb for each of @netdevs (what -netdev takes, without the id).

    @config is the NAME of build/NAME.cpio, the path of another archive, or None for none. Each igb sits behind a
    root port of its own: two of them in neighbouring slots would collide, as each is SR-IOV capable.
    With @icount an instruction takes 2^icount ns and an idle machine no time at all: no clock of the host has a say.
    QEMU 10.0 aborts there when a guest sets the timer of an x2APIC, so it has none.
    @beat puts Weir's metronome on the hub of wires.Hub: it sends a frame each so many ns of the machine's time.
    """
    accel = "tcg" if icount is not None else accel or accelerator()[0]
    cpu = "max" if icount is None else "max,-x2apic"
    args = [qemu(), "-accel", accel, "-M", "q35", "-cpu", cpu, "-smp", str(cores), "-m", str(memory)]
    if icount is not None:
        args += ["-icount", f"shift={icount},sleep=off", "-rtc", "base=2000-01-01,clock=vm"]
    args += ["-nodefaults", "-display", "none", "-no-reboot"]
    args += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", kernel]
    if config:
        args += ["-initrd", archive(config)]
    for i, netdev in enumerate(netdevs):
        args += ["-device", f"pcie-root-port,id=port{i},chassis={i + 1},slot={i + 1}"]
        args += ["-netdev", netdev.replace(",", f",id=net{i},", 1)]
        args += ["-device", f"igb,id=igb{i},netdev=net{i},bus=port{i},mac={MACS[i]}"]
    if beat:
        device = "virtio-net-pci,disable-modern=on,ioeventfd=off,netdev=beat,mac=52:54:00:00:00:fe"
        args += ["-netdev", "hubport,id=beat,hubid=0"]
        args += ["-device", f"{device},tx=timer,x-txtimer={beat},x-txburst=1"]
    return args


def die_with_parent():
    """In the child: end when the launcher ends, however it ends."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# --- a machine without a host -----------------------------------------------------------------------------------------


def run_closed(netdevs, seconds=300, **how):
    """Run a machine with icount to its end; returns what Weir said. @how is arguments()'s.

    Nobody can talk to it, and its console is a file: a socket takes bytes when the host finds the time, and the UART's
    next interrupt waits for that. So what is said is the same each time, to the byte.
    """
    with tempfile.TemporaryDirectory(prefix="weir-") as directory:
        console = os.path.join(directory, "console")
        args = arguments(netdevs, **{"icount": 0, **how}) + ["-serial", "file:" + console]
        try:
            done = subprocess.run(
                args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
                preexec_fn=die_with_parent,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Trouble(f"a closed machine did not end within {seconds} s of the host's")
        said = ""
        with contextlib.suppress(FileNotFoundError):  # QEMU may not have come so far
            with open(console, "rb") as f:
                said = plain(f.read())
    if done.returncode != POWERED_OFF:
        why = done.stdout.decode("utf-8", "replace").strip()
        raise Trouble(f"Weir did not power off (status {done.returncode}). {why}\n{said}")
    return said


# --- a running machine ------------------------------------------------------------------------------------------------

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[78=>]")


def plain(raw):
    """Console bytes as text, without escape sequences and carriage returns."""
    text = ESCAPES.sub("", raw.decode("utf-8", "replace"))
    return text.replace("\r\n", "\n").replace("\r", "")


class Machine:
    """One QEMU with Weir in it. @wires gives .netdevs and .fds; the rest is what arguments() takes.

    @host: the directory where Weir may keep files, or None for a machine whose second serial port leads nowhere.

    `console` holds all that came over the serial line so far, `status` QEMU's exit code once it ended. bochs.py has
    the same machine on another emulator: it starts otherwise, and tells its end otherwise.
    """

    emulator = "QEMU"
    arguments = staticmethod(arguments)  # tests start machines of other kinds

    def __init__(self, wires=None, extra=(), boot_seconds=60, host=None, **how):
        self.console = bytearray()
        self.news = threading.Condition()
        self.hung_up = False
        self.status = None
        self.boot_seconds = boot_seconds
        self.said = tempfile.TemporaryFile()
        self.serial = self.monitor = self.link = None
        self.host = host
        self.start(wires, extra, how)
        threading.Thread(target=self.listen, daemon=True).start()

    def start(self, wires, extra, how):
        """Make .process, and .serial, a socket that leads to its COM1."""
        self.serial, far_serial = socket.socketpair()
        self.monitor, far_monitor = socket.socketpair()
        fds = [far_serial.fileno(), far_monitor.fileno()]
        args = self.arguments(wires.netdevs if wires else [], **how)
        args += ["-chardev", f"socket,id=con,fd={fds[0]}", "-serial", "chardev:con"]
        args += self.host_arguments(fds)
        args += ["-chardev", f"socket,id=mon,fd={fds[1]}", "-mon", "chardev=mon,mode=control"]
        self.process = subprocess.Popen(
            args + list(extra),
            pass_fds=fds + list(wires.fds if wires else []),
            stdin=subprocess.DEVNULL,
            stdout=self.said,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )
        far_serial.close()
        far_monitor.close()
        if self.link:
            self.far_link.close()

    def host_arguments(self, fds):
        """The second serial port, with weirhost at its end."""
        if not self.host:
            return []
        self.link, self.far_link = socket.socketpair()
        fds.append(self.far_link.fileno())
        Host(self.link, self.host).start()
        return ["-chardev", f"socket,id=host,fd={fds[-1]}", "-serial", "chardev:host"]

    def __enter__(self):
        try:
            self.wait_for("\n" + PROMPT, self.boot_seconds)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the emulator if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.status = self.process.wait()
        for thing in filter(None, (self.serial, self.monitor, self.link, self.said)):
            thing.close()

    def listen(self):
        """In a thread of its own: take what the console says at once, as a full line would hold Weir up."""
        got = b"-"
        while got:
            try:
                got = self.serial.recv(1 << 16)
            except OSError:
                got = b""
            with self.news:
                self.console += got
                self.hung_up = not got
                self.news.notify_all()

    def last_lines(self):
        return "\n".join("    " + line for line in plain(self.console).splitlines()[-20:])

    def exit_status(self):
        """How the emulator ended, once it has hung up."""
        return self.process.wait(5)

    def last_words(self):
        """What the emulator itself said."""
        self.said.seek(0)
        return self.said.read().decode("utf-8", "replace").strip()

    def obituary(self):
        """The emulator hung up: with which status, and what was said last, by it and by Weir."""
        try:
            self.status = self.exit_status()
        except subprocess.TimeoutExpired:
            return f"{self.emulator} closed the console but does not end"
        why = {PANICKED: "Weir failed", POWERED_OFF: "Weir powered off", 0: "Weir reset the machine"}
        how = why.get(self.status, f"{self.emulator} failed")
        return f"{how} (status {self.status}). {self.last_words()}\n{self.last_lines()}"

    def wait_until(self, done, seconds, what):
        """Listen until done() gives something other than None; return that."""
        end = time.monotonic() + seconds
        with self.news:
            while True:
                result = done()
                if result is not None:
                    return result
                if self.hung_up:
                    raise Trouble(self.obituary())
                if not self.news.wait(end - time.monotonic()):
                    raise Trouble(f"waited {seconds} s for {what}; the console's last lines:\n{self.last_lines()}")

    def wait_for(self, text, seconds=10, since=0):
        """Wait until @text stands on the console (past byte @since)."""
        self.wait_until(lambda: text in plain(self.console[since:]) or None, seconds, repr(text))

    def type(self, line):
        self.serial.sendall(line.encode() + b"\r")

    def command(self, line, seconds=10):
        """Type @line into Weir's shell; return what it printed, without the echo and the next prompt."""
        start = len(self.console)

        def answer():
            # the first line is the echo; the editor may redraw it, but starts no new line before Enter
            _, newline, said = plain(self.console[start:]).partition("\n")
            said, prompt, _ = (newline + said).partition("\n" + PROMPT)
            return (said + "\n")[1:] if prompt else None

        self.type(line)
        return self.wait_until(answer, seconds, f"the answer to '{line}'")

    def wait_for_end(self, seconds=10):
        """Wait until the emulator hangs up; returns its exit status."""
        self.wait_until(lambda: self.hung_up or None, seconds, f"{self.emulator} to end")
        self.status = self.exit_status()
        return self.status

    def power_off(self, seconds=10):
        """Type poweroff and wait; the exit status must say that Weir itself did it."""
        self.type("poweroff")
        if self.wait_for_end(seconds) != POWERED_OFF:
            raise Trouble(self.obituary())

    def qmp(self, execute, **arguments):
        """A command for QEMU itself, such as qmp("set_link", name="net0", up=False); returns its result."""
        self.monitor.settimeout(10)
        with self.monitor.makefile("rw", encoding="utf-8") as line:
            for request in ({"execute": "qmp_capabilities"}, {"execute": execute, "arguments": arguments}):
                line.write(json.dumps(request) + "\n")
                line.flush()
                reply = json.loads(line.readline())
                while "return" not in reply and "error" not in reply:  # greeting and events
                    reply = json.loads(line.readline())
        if "error" in reply:
            raise Trouble("QEMU: " + reply["error"]["desc"])
        return reply["return"]
