# SPDX-License-Identifier: MIT
"""kvm.py - Weir under the real KVM: this host's own where that nests, else Debian's, in a machine that TCG plays

    level 0   this host: QEMU, TCG, a CPU with SVM
    level 1   Debian's kernel with kvm_amd, and the same QEMU once more, with -accel kvm (kvmhost/init)
    level 2   Weir
    level 3   its guests

A test sees no difference: console, wires and exit status are Weir's. Where the host nests, level 1 falls away.
"""

import os
import re
import subprocess

import machine
from weir import TOP, Weir

KVM_HOST = os.path.join(TOP, "build", "kvmhost.cpio")
VMLINUZ = os.path.join(TOP, "build", "guest", "vmlinuz")
ROOM = 448  # MiB that level 1 takes for itself: its initrd twice, Linux, QEMU


def here():
    """(True if this host's KVM runs Weir itself, why or why not)"""
    accel, why = machine.accelerator()
    return accel == "kvm", why


class KvmWeir(Weir):
    """As Weir, and @extra is for the QEMU that runs it. The commands of qmp() go to the outermost one."""

    patience = 4  # a machine in a machine in a machine, on a loaded host

    def __init__(self, nics=2, memory=512, boot_seconds=120, extra=(), **how):
        self.inner = list(extra)
        super().__init__(nics=nics, memory=memory, boot_seconds=boot_seconds, **how)

    def arguments(self, netdevs, **how):
        self.host_said = None
        if here()[0]:
            return super().arguments(netdevs, accel="kvm", **how) + self.inner
        taps = [f"tap,ifname=tap{i},script=no,downscript=no" for i in range(len(netdevs))]
        inside = {**how, "kernel": "/weir/weir.elf", "config": how["config"] and "/weir/weir.cpio", "accel": "kvm"}
        command = super().arguments(taps, **inside) + self.inner + ["-serial", "/dev/ttyS1"]
        self.host_said = os.path.join(self.directory.name, "kvmhost.log")
        return self.kvm_host(netdevs, self.level1(command, how["config"]), how["memory"])

    def level1(self, command, config):
        """The initrd of level 1: what make built, and behind it Weir with this machine's command line."""
        words, weir, initrd = (os.path.join(self.directory.name, name) for name in ("words", "weir1", "initrd1"))
        with open(words, "w") as f:
            f.write("".join(word + "\n" for word in command))
        pairs = [f"weir/qemu={words}", f"weir/weir.elf={machine.KERNEL}"]
        pairs += [f"weir/weir.cpio={config}"] if config else []
        subprocess.run([os.path.join(TOP, "scripts", "mkcpio"), weir, *pairs], check=True, timeout=60)
        with open(initrd, "wb") as f:
            subprocess.run(["cat", KVM_HOST, weir], stdout=f, check=True, timeout=60)
        return initrd

    def kvm_host(self, netdevs, initrd, memory):
        """QEMU's arguments for level 1; its console goes to a file, the one that Machine adds is Weir's.

        One CPU, however many Weir has: with two threads TCG now and then walks Weir's page tables by the nested tables
        of Weir's guest, and Weir ends in a triple fault (docs/platforms.md).
        """
        args = [machine.qemu(), "-accel", "tcg,thread=multi", "-M", "q35", "-cpu", "max", "-smp", "1"]
        args += ["-m", str(memory + ROOM), "-nodefaults", "-display", "none", "-no-reboot"]
        args += ["-kernel", VMLINUZ, "-initrd", initrd]
        args += ["-append", "console=ttyS0 quiet panic=-1 tsc=reliable", "-serial", "file:" + self.host_said]
        for i, netdev in enumerate(netdevs):
            args += ["-netdev", netdev.replace(",", f",id=net{i},", 1)]
            args += ["-device", f"virtio-net-pci,netdev=net{i},mac=02:00:00:00:01:{i:02x},romfile="]
        return args

    def under_kvm(self):
        """Whether it is KVM that runs Weir: what QEMU says, or with which words level 1 started it, nested=1."""
        if not self.host_said:
            return self.qmp("query-kvm")["enabled"]
        return bool(re.search(r"^kvmhost: .* nested=[1Y], .* -accel kvm ", self.level1_said(), re.MULTILINE))

    # --- what level 1 says ---

    def level1_said(self):
        """What level 1 said, if there is one."""
        if not self.host_said or not os.path.exists(self.host_said):
            return ""
        with open(self.host_said, encoding="utf-8", errors="replace") as f:
            return f.read().replace("\r", "")

    def exit_status(self):
        """That of the QEMU that runs Weir."""
        status = super().exit_status()
        inner = re.findall(r"^kvmhost: QEMU ended with status (\d+)$", self.level1_said(), re.MULTILINE)
        return int(inner[-1]) if inner else status

    def last_words(self):
        """With those of level 1: why QEMU did not start, for one."""
        return "\n".join([super().last_words(), *self.level1_said().splitlines()[-12:]])
