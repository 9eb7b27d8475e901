# SPDX-License-Identifier: MIT
"""An unmodified Linux as Weir's guest under the real KVM: with a machine between, it is at the third level"""

import hashlib
import os

from guests import Linux, config, line
from kvm import KvmWeir
from test_linux import LINUX, VMLINUZ
from weir import expect  # puts scripts/ on the path
from guest import page
from traffic import fetch
from wires import UserNetwork, free_port

G2 = 2
BOOT_SECONDS = 400  # of the guest, when TCG plays level 0


def test_page_and_download():
    text = config(line(G2, "console=ttyS0 quiet", cpu=1, **LINUX)).replace(f"ip=10.0.0.{G2}/24", f"ip={UserNetwork.GUEST}/24")
    port = free_port(18180)
    with KvmWeir(wires=UserNetwork(port), smp=2, memory=768, config=text, files=("vmlinuz", "linux.cpio.gz")) as weir:
        guest = Linux(weir, G2).wait_booted(BOOT_SECONDS)
        expect(weir.under_kvm(), True, "that Weir runs under KVM")
        expect(fetch(port, "/", 60), page(VMLINUZ), "the page")
        wanted = guest.run("cut -d' ' -f1 /www/10mb.bin.sha256").strip()
        expect(hashlib.sha256(fetch(port, "/10mb.bin", 300)).hexdigest(), wanted, "checksum of 10 MB")
        print(weir.sh("guest exits g2"))
        weir.poweroff()
