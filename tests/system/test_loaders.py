# SPDX-License-Identifier: MIT
"""Every medium that make builds, under a BIOS and under UEFI; the menu; and what each loader says of what is missing

Two machines boot side by side, each to be looked at in its turn: most of their time passes in firmware. They have one
core, as there are two of them; that Weir finds all cores behind UEFI, one test sees.
"""

import os
import shutil
import subprocess
import threading

import pytest

from guests import Guest
from weir import ISO, PANICKED, POWERED_OFF, TOP, Weir, expect, expect_in, expect_match, plain

DISK = os.path.join(TOP, "build", "weir.img")
LOADER = os.path.join(TOP, "build", "BOOTX64.EFI")
UEFI_CODE, UEFI_VARS = "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"
LAST_ENTRY = "3  selftest: Weir checks itself"  # of the menu, whoever shows it
BOOT_SECONDS = 120


def drive(number, path, bus):
    """QEMU's arguments for a disk, on which nothing stays written."""
    file = f"fat:rw:{path}" if os.path.isdir(path) else f"{path},snapshot=on"
    if bus == "cd":
        return ["-cdrom", path]
    args = ["-device", "qemu-xhci"] if bus == "usb" else []
    args += ["-drive", f"if=none,id=disk{number},format=raw,file={file}"]
    device = {"sata": f"ide-hd,bus=ide.{number}", "usb": "usb-storage"}[bus]
    return args + ["-device", f"{device},drive=disk{number},bootindex={number}"]


class Loaded(Weir):
    """A machine that starts from @media, each an image or a directory, on @bus: "cd", "sata" or "usb".

    At the menu, @key is pressed; None: nothing is.
    """

    def __init__(self, media, firmware="bios", key=None, bus="sata", **how):
        self.media, self.firmware, self.bus, self.key = media, firmware, bus, key
        for path in media:
            assert os.path.exists(path), f"expected {path}, saw none; 'make iso efi disk' builds it"
        super().__init__(config=None, boot_seconds=BOOT_SECONDS, **how)
        self.typist = threading.Thread(target=self.choose, daemon=True)
        self.typist.start()

    def arguments(self, netdevs, **how):
        args = super().arguments(netdevs, **how)
        at = args.index("-kernel")
        args[at : at + 2] = [word for n, path in enumerate(self.media) for word in drive(n, path, self.bus)]
        if self.firmware == "uefi":
            variables = os.path.join(self.directory.name, "vars.fd")
            shutil.copyfile(UEFI_VARS, variables)
            args += ["-drive", f"if=pflash,format=raw,readonly=on,file={UEFI_CODE}"]
            args += ["-drive", f"if=pflash,format=raw,file={variables}"]
        return args

    def choose(self):
        """In a thread of its own, as the test may be waiting for another machine while this one's menu counts down."""
        if self.key:
            self.wait_for(LAST_ENTRY, BOOT_SECONDS)
            self.serial.sendall(self.key.encode())


class Starting:
    """A machine that is not waited for: what it comes to, the test sees itself."""

    def __init__(self, weir):
        self.weir = weir

    def __enter__(self):
        return self.weir

    def __exit__(self, *_):
        self.weir.close()


def crossed(weir, loader):
    """It came by this loader, has two NICs, and carries a frame each way."""
    expect_match(rf"^Weir: .*; started by {loader}$", weir.booted(), "banner")
    weir.wait_links()
    for source, out in ((0, 1), (1, 0)):
        frame = bytes([2, 0, 0, 0, 0, out, 2, 0, 0, 0, 0, source]) + b"\x88\xb5" + bytes(46)
        weir.carry([(source, out, "one", frame)])


def ended(weir, seconds=30):
    """What a machine that stops by itself has said, and how it stopped."""
    status = weir.wait_for_end(seconds)
    return plain(weir.console), status


def folder(path, settings=None, loader=LOADER, **files):
    """An EFI system partition: BOOTX64.EFI, and in boot/ the @files, {name with _ for .: bytes or a path}."""
    os.makedirs(os.path.join(path, "EFI", "BOOT"))
    os.makedirs(os.path.join(path, "boot"))
    shutil.copy(loader, os.path.join(path, "EFI", "BOOT", "BOOTX64.EFI"))
    if settings is not None:
        files["weir_cfg"] = settings.encode()
    for name, content in files.items():
        to = os.path.join(path, "boot", name.replace("_", "."))
        if isinstance(content, bytes):
            with open(to, "wb") as f:
                f.write(content)
        else:
            shutil.copy(content, to)
    return str(path)


def iso(path, **files):
    """An ISO with the menu that is shipped, and of the rest only @files."""
    parts = {"boot/grub/grub.cfg": os.path.join(TOP, "boot", "grub.cfg")}
    parts |= {"boot/" + name.replace("_", "."): file for name, file in files.items()}
    mkiso = os.path.join(TOP, "scripts", "mkiso")
    subprocess.run([mkiso, str(path), *(f"{name}={file}" for name, file in parts.items())], check=True, timeout=120)
    return str(path)


def built(name):
    return os.path.join(TOP, "build", name)


# --- the ways in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bus", ["cd", "usb"])
def test_iso(bus):
    """One ISO, as a CD and written to a USB stick, by GRUB under either firmware; the menu's second entry."""
    with Loaded([ISO], "uefi", key="2", bus=bus) as uefi, Loaded([ISO], "bios", key="2", bus=bus) as bios:
        for weir in (bios, uefi):
            crossed(weir, "multiboot2")
            weir.poweroff()


def test_disk():
    """The image, by GRUB and by BOOTX64.EFI. Enter takes the entry that would come by itself: a Linux guest, beside which
    frames go their way all the same."""
    with Loaded([DISK], "uefi", key="\r", memory=1024, smp=2) as uefi, Loaded([DISK], key="2", bus="usb") as bios:
        crossed(bios, "multiboot2")
        bios.poweroff()
        crossed(uefi, "efi")
        Guest(uefi, 0).wait_log("^linux: ready$", 60)
        expect_match(r"^g0 +running ", uefi.sh("guest list"), "the guest of the demo")
        uefi.poweroff()


def test_an_efi_system_partition_of_ones_own(tmp_path):
    """weir.cfg there chooses, and nobody presses a key. Beside it the third entry of the other menu: a machine that says
    what it thinks of itself, and goes."""
    settings = "timeout 1\ndefault switch # no guests\n"
    esp = folder(tmp_path / "esp", settings, weir_elf=built("weir.elf"), switch_cpio=built("switch.cpio"))
    uefi = Loaded([esp], "uefi")
    with Starting(Loaded([DISK], "bios", key="3")) as bios:
        said, status = ended(bios, BOOT_SECONDS)
        expect_match(r"^selftest: PASS, 0 of \d+ failed$", said, "the third entry")
        expect(status, POWERED_OFF, "QEMU's status behind the self-test")
    with uefi:
        # not the menu above it: the firmware drops what the serial line does not take at once
        expect_in("weir: switch; Weir goes on", uefi.booted(), "the entry that weir.cfg chooses")
        crossed(uefi, "efi")
        uefi.poweroff()


# --- what is missing --------------------------------------------------------------------------------------------------


def test_efi_says_what_is_missing(tmp_path):
    """Three disks. Without a kernel, and with one cut short, the loader says so and leaves the machine to the firmware,
    which tries the next; there it finds a kernel, and settings and an archive that are no good."""
    with open(built("weir.elf"), "rb") as f:
        kernel = f.read()
    disks = [
        folder(tmp_path / "none", "timeout 0\n", switch_cpio=built("switch.cpio")),
        folder(tmp_path / "short", "timeout 0\n", weir_elf=kernel[: len(kernel) // 16]),
        folder(tmp_path / "poor", "timeout 0\ndefault swich\n", weir_elf=kernel),
    ]
    with Loaded(disks, "uefi", nics=1) as weir:
        said = weir.booted()
        expect_in(r"weir: \boot\weir.elf cannot be read (Not Found)", said, "the first disk")
        expect_in(r"weir: \boot\weir.elf is damaged: it ends inside a segment", said, "the second disk")
        expect_in("weir.cfg:2: expected demo, switch or selftest, found 'swich'", said, "the third disk's settings")
        expect_in(r"weir: \boot\linux.cpio cannot be read (Not Found); Weir starts without it", said, "its archive")
        expect_in("config: no archive was handed over; every port stays down", said, "what Weir says of that")
        expect(weir.sh("echo alive"), "alive\n", "its shell")
        weir.poweroff()


def test_grub_says_what_is_missing(tmp_path):
    """No kernel: GRUB says so and shows its menu again. A damaged archive, and none: Weir starts and says so."""
    damaged = tmp_path / "damaged.cpio"
    damaged.write_bytes(b"no archive" * 100)
    nothing = Starting(Loaded([iso(tmp_path / "nothing.iso")], bus="cd", nics=0, key="2"))
    kernel = iso(tmp_path / "kernel.iso", weir_elf=built("weir.elf"), switch_cpio=damaged)
    with Loaded([kernel], bus="cd", nics=1, key="2") as bad, Loaded([kernel], bus="cd", nics=1, key="1") as none:
        expect_in("config: archive damaged at offset 0: no header of the newc format", bad.booted(), "a damaged archive")
        expect_in("weir: /boot/linux.cpio is not there; Weir starts without it", none.booted(), "what GRUB says of none")
        expect_in("config: no archive was handed over; every port stays down", none.booted(), "what Weir says of none")
        for weir in (bad, none):
            expect(weir.sh("echo alive"), "alive\n", "its shell")
            weir.poweroff()
    with nothing as weir:
        weir.wait_for("error: file `/boot/weir.elf' not found.", BOOT_SECONDS)


def test_demo_where_it_cannot_run():
    """No NIC, a CPU without SVM, and nobody at the keyboard: each line that fails says why, and there is a shell. On the
    machine beside it there is too little memory for anything."""
    with Starting(Loaded([DISK], key="2", memory=24, smp=2)) as small:
        with Loaded([DISK], nics=0, cpu="qemu64,-svm") as weir:
            said = weir.booted()
            expect_match(r"^vmm: no guests: .*SVM", said, "what it says when it boots")
            expect_match(r"^weir\.conf:\d+:\d+: this machine runs no guests: .*SVM", said, "the guest")
            expect_match(r"^weir\.conf:\d+:\d+: expected .*, found 'nic\*'$", said, "a line that names NICs")
            expect(weir.sh("echo alive"), "alive\n", "its shell")
            weir.poweroff()
        said, status = ended(small)
        need = r"; \d+ of \d+ MiB are free. Weir takes 16 MiB and 8 more for each core"
        expect_match(r"out of memory: no \d+ KiB left for .*" + need, said, "24 MiB for two cores")
        expect(status, PANICKED, "its status")
