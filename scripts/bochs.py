# SPDX-License-Identifier: MIT
"""bochs.py - Weir in Bochs: a machine with VT-x on any host, without KVM and without root

    with Datagrams().plug_in() as wires, Bochs(wires, cores=2, config="tiny") as weir:
        print(weir.command("guest list"))

The same verbs as machine.py's Machine; scripts/launch --platform bochs and the system tests use it. The archive comes
by GRUB from a CD that is made for each run. The serial line is a TCP connection that Bochs makes to a port of ours,
its screen a pseudo-terminal at which nobody looks, a frame at a NIC a datagram. The clock inside has nothing to do
with the one outside: it counts instructions, and while Weir sleeps it jumps.
"""

import contextlib
import os
import pty
import re
import select
import socket
import subprocess
import tempfile
import threading
import time

from machine import KERNEL, PANICKED, POWERED_OFF, TOP, Machine, Trouble, archive, die_with_parent, plain
from wires import FRAME_MAX, Sockets

HOME = os.path.join(TOP, "build", "bochs")  # as scripts/setup left it: bin, lib and share of one release
LIBRARIES = "lib/x86_64-linux-gnu"
CPU = "corei7_skylake_x"  # all of VT-x that Bochs has; Linux guests are better off with corei7_haswell_4770
IPS = 10_000_000  # instructions a second of its own time
NICS = 4
GUEST_MACS = ["52:54:00:12:00:%02x" % (i + 1) for i in range(NICS)]  # of guests' ports if nobody says otherwise
CONNECT_SECONDS = 20
GRUB_CFG = """set timeout=0
menuentry "Weir" {
	multiboot2 /boot/weir.elf
	%s
}
"""

# `sync=none`: its time is a count of instructions, the same from run to run. A triple fault ends it.
SETTINGS = """config_interface: textconfig
display_library: term, options="hideIPS"
romimage: file="{home}/share/bochs/BIOS-bochs-latest"
vgaromimage: file="{home}/share/bochs/VGABIOS-lgpl-latest"
megs: {memory}
cpu: model={cpu}, count={cores}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs=0
clock: sync=none, time0=1700000000
pci: enabled=1, chipset=i440fx{slots}
boot: cdrom
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path="{iso}", status=inserted
floppya: type=none
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{console}
log: "{log}"
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
speaker: enabled=1, mode=none
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
"""


# --- command line and settings ----------------------------------------------------------------------------------------


def command(settings, commands):
    """The command that starts Bochs. Its own release's loader and C library come first, where it brought them."""
    library = os.path.join(HOME, LIBRARIES)
    loader, program = os.path.join(library, "ld-linux-x86-64.so.2"), os.path.join(HOME, "bin", "bochs-bin")
    if not os.path.exists(program):
        raise Trouble("Bochs is not there; scripts/setup bochs iso fetches it")
    path = f"{library}:/usr/{LIBRARIES}"
    return [loader, "--library-path", path, program, "-q", "-f", settings, "-rc", commands]


def environment():
    """Where its plugins lie, and a terminal that is known everywhere."""
    return {**os.environ, "LTDL_LIBRARY_PATH": os.path.join(HOME, LIBRARIES, "bochs", "plugins"), "TERM": "linux"}


def nic_settings(netdevs):
    """A line for each NIC, an 82540EM with @netdevs[i] (what e1000 takes of address and wire), and their slots."""
    if len(netdevs) > NICS:
        raise Trouble(f"Bochs has {NICS} e1000 at most, not {len(netdevs)}")
    lines = [f"e1000: card={i}, enabled=1, {netdev}\n" for i, netdev in enumerate(netdevs)]
    return "".join(lines), "".join(f", slot{i + 1}=e1000" for i in range(len(netdevs)))


def make_iso(path, config, kernel=KERNEL):
    """A CD from which GRUB starts @kernel with the archive that @config names, or with none."""
    directory = os.path.dirname(path)
    grub = os.path.join(directory, "grub.cfg")
    with open(grub, "w") as f:
        f.write(GRUB_CFG % ("module2 /boot/weir.cpio" if config else ""))
    parts = {"boot/weir.elf": kernel, "boot/grub/grub.cfg": grub}
    if config:
        parts["boot/weir.cpio"] = archive(config)
    mkiso = [os.path.join(TOP, "scripts", "mkiso"), path, *(f"{name}={part}" for name, part in parts.items())]
    done = subprocess.run(mkiso, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise Trouble(f"no CD for Bochs: {done.stderr.strip()}")


# --- wires ------------------------------------------------------------------------------------------------------------


class Datagrams(Sockets):
    """@count NICs on UDP ports of this host's loopback, one frame a datagram: no root, and every frame in hand.

    Bochs binds port P of a NIC and sends to P + 1, which is ours. Of what comes to P it passes on broadcasts and what
    is for the address that its settings give the NIC, promiscuous or not. So NIC number i has address @macs[i], and
    the guest whose address that is can be reached by it.
    """

    fds = ()

    def __init__(self, macs=GUEST_MACS[:1]):
        self.macs = macs
        self.ends, self.far, self.netdevs = [], [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unplug()

    def plug_in(self):
        for mac in self.macs:
            end = udp_port_after_a_free_one()
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            port = end.getsockname()[1] - 1
            self.ends.append(end)
            self.far.append(("127.0.0.1", port))
            self.netdevs.append(f"mac={mac}, ethmod=socket, ethdev={port}")
        return self

    def unplug(self):
        for end in self.ends:
            end.close()
        self.ends = []


def udp_port_after_a_free_one():
    """A socket at a port below which another is free, for Bochs."""
    for _ in range(100):
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial, contextlib.suppress(OSError):
            trial.bind(("", end.getsockname()[1] - 1))
            return end
        end.close()
    raise Trouble("no two neighbouring UDP ports of 127.0.0.1 are free")


class Taps:
    """The taps of @namespaces as wires of Bochs: a thread carries frames between them and its datagrams."""

    fds = ()

    def __init__(self, namespaces, macs=GUEST_MACS):
        self.namespaces = namespaces
        self.datagrams = Datagrams(macs[: len(namespaces.fds)])
        self.stop, self.stopped = os.pipe()

    def __enter__(self):
        self.netdevs = self.datagrams.plug_in().netdevs
        self.carrier = threading.Thread(target=self.carry, daemon=True)
        self.carrier.start()
        return self

    def __exit__(self, *_):
        os.close(self.stopped)
        self.carrier.join()
        os.close(self.stop)
        self.datagrams.unplug()

    def carry(self):
        taps, ends = list(self.namespaces.fds), self.datagrams.ends
        while True:
            ready, _, _ = select.select([*taps, *ends, self.stop], [], [])
            if self.stop in ready:
                return
            for tap, end, far in zip(taps, ends, self.datagrams.far):
                with contextlib.suppress(OSError):  # a tap that is down, a Bochs that has ended: the frame is lost
                    if tap in ready:
                        end.sendto(os.read(tap, FRAME_MAX), far)
                    if end in ready:
                        os.write(tap, end.recv(FRAME_MAX))


# --- the machine ------------------------------------------------------------------------------------------------------


class Bochs(Machine):
    """One Bochs with Weir in it. @how: cores, memory (MiB), cpu (a model), ips, config and kernel as for a Machine.

    @extra are more lines of its settings.
    """

    emulator = "Bochs"

    def start(self, wires, extra, how):
        self.place = tempfile.TemporaryDirectory(prefix="weir-bochs-")
        try:
            self.launch(wires, extra, **how)
        except BaseException:
            self.place.cleanup()
            raise

    def file(self, name):
        return os.path.join(self.place.name, name)

    def launch(self, wires, extra, cores=1, memory=512, cpu=CPU, ips=IPS, config="switch", kernel=KERNEL):
        make_iso(self.file("weir.iso"), config, kernel)
        nics, slots = nic_settings(wires.netdevs if wires else [])
        with socket.create_server(("127.0.0.1", 0)) as door:
            settings = SETTINGS.format(
                home=HOME, iso=self.file("weir.iso"), log=self.file("log"), console=door.getsockname()[1],
                memory=memory, cpu=cpu, cores=cores, ips=ips, slots=slots,
            )  # fmt: skip
            with open(self.file("settings"), "w") as f:
                f.write(settings + nics + "".join(line + "\n" for line in extra))
            with open(self.file("commands"), "w") as f:
                f.write("c\n")  # it starts in its debugger: continue
            self.run(command(self.file("settings"), self.file("commands")))
            self.serial = self.answer(door)

    def run(self, command):
        """Its screen must be a terminal: one of our own, whose text a thread throws away. Complaints go to .said."""
        near, far = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=far, stdout=far, stderr=self.said, env=environment(), cwd=self.place.name,
            start_new_session=True, preexec_fn=die_with_parent,
        )  # fmt: skip
        os.close(far)
        threading.Thread(target=drain, args=[near], daemon=True).start()

    def answer(self, door):
        """The serial line, once Bochs is so far that it calls."""
        door.settimeout(0.1)
        end = time.monotonic() + CONNECT_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(TimeoutError):
                line, _ = door.accept()
                line.settimeout(None)
                return line
        self.process.kill()
        self.process.wait()
        raise Trouble(f"Bochs does not start. {self.last_words()}")

    def close(self):
        super().close()
        self.place.cleanup()

    def exit_status(self):
        """Bochs itself always ends with 1. Weir says on its console that it stops, and nothing after that."""
        self.process.wait(5)
        if "Shutdown port: shutdown requested" not in self.log():
            return 0 if "exception with no resolution" in self.log() else 1
        return POWERED_OFF if plain(self.console).endswith("Weir stops.\n") else PANICKED

    def log(self):
        with contextlib.suppress(FileNotFoundError), open(self.file("log"), errors="replace") as f:
            return f.read()
        return ""

    def last_words(self):
        """What Bochs complained of: of a guest that it did not enter, the check that failed (VMENTER, VMFAIL)."""
        said = super().last_words() + "\n" + self.log()
        complaints = re.findall(r"^\d+[ep]\[(?!.*VMEXIT).*|^.*(?:VMENTER|VMFAIL).*|^\D.*", said, re.MULTILINE)
        return "\n".join("    " + line for line in complaints[-20:])


def drain(screen):
    """In a thread of its own: read and forget, until the other end is closed."""
    with contextlib.suppress(OSError):
        while os.read(screen, 1 << 16):
            pass
    os.close(screen)
