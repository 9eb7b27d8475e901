# SPDX-License-Identifier: MIT
"""A guest with memory on both sides of the hole below 4 GiB: where its rings and buffers lie, beyond it"""

import os
import re
import tempfile

import pytest

from guests import Linux, config, line
from weir import TOP, Weir, expect  # puts scripts/ on the path
from guest import page
from traffic import fetch
from wires import UserNetwork, free_port

G2, MEMORY = 2, 4608
MACHINE = 7168  # q35 has 2 GiB below its hole, and a guest lies in one piece
NEEDS_MIB = 8192  # of the host, available


def available():
    with open("/proc/meminfo") as f:
        return int(re.search(r"^MemAvailable: +(\d+) kB$", f.read(), re.MULTILINE)[1]) >> 10


@pytest.mark.skipif(available() < NEEDS_MIB, reason=f"this machine has less than {NEEDS_MIB} MiB of memory to spare")
def test_memory_above_4_gib():
    text = config(line(G2, "console=ttyS0 quiet", memory=MEMORY, cpu=1, kernel="vmlinuz", initrd="linux.cpio.gz"))
    text = text.replace(f"ip=10.0.0.{G2}/24", f"ip={UserNetwork.GUEST}/24")
    port = free_port(18080)
    with Weir(wires=UserNetwork(port), smp=2, memory=MACHINE, config=text, files=("vmlinuz", "linux.cpio.gz"),
              boot_seconds=180) as weir:  # fmt: skip
        guest = Linux(weir, G2).wait_booted(180)
        total = int(guest.run("grep MemTotal /proc/meminfo").split()[1]) >> 10
        assert total > MEMORY - 300, f"expected {MEMORY} MiB less what the kernel takes, saw {total}"
        expect(fetch(port, "/", 30), page(os.path.join(TOP, "build", "guest", "vmlinuz")), "the page")
        expect(guest.run("dmesg | grep -c 'Normal.*mem 0x0000000100000000-'").strip(), "1", "a zone above 4 GiB")
        expect(len(fetch(port, "/10mb.bin", 120)), 10 << 20, "bytes of the download")
        weir.poweroff()
