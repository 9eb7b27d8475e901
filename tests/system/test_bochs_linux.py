# SPDX-License-Identifier: MIT
"""An unmodified Linux by VT-x, in Bochs: it boots, answers pings, and serves its page

A second of this machine's time is 100 million instructions, so that the guest's ticks cost a boot little. The host that
asks is a network namespace, whose tap a thread joins to the NIC.
"""

import os

import pytest

from guests import Linux, config, line
from weir import TOP, BochsWeir, expect, expect_in, expect_match  # puts scripts/ on the path
from bochs import Taps
from frames import mac
from guest import page
from wires import Namespaces, namespaces_refused

G2 = 2
ADDRESS = f"10.0.0.{G2}"
BOOT_SECONDS = 600  # a minute on a quiet host; other tests may share it
# half of the boot would be its cryptography's self-tests
CONFIG = config(line(G2, "console=ttyS0 quiet cryptomgr.notests", memory=128, kernel="vmlinuz", initrd="linux.cpio.gz"))
FETCH = "import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=100).read())"
REFUSED = namespaces_refused()

pytestmark = pytest.mark.skipif(REFUSED is not None, reason=str(REFUSED))


@pytest.fixture(scope="module")
def net():
    with Namespaces(f"weir-bochs-{os.getpid()}", 1, ipv6=False, first="10.0.0.101") as net:
        yield net
    os.unlink(net.lock_path)


@pytest.fixture(scope="module")
def weir(net):
    how = {"memory": 384, "cpu": "corei7_haswell_4770", "ips": 100_000_000, "boot_seconds": 120}
    with Taps(net, [mac(G2)]) as taps:
        with BochsWeir(wires=taps, config=CONFIG, files=("vmlinuz", "linux.cpio.gz"), **how) as weir:
            weir.wait_links()
            weir.guest = Linux(weir, G2).wait_booted(BOOT_SECONDS)
            yield weir
            weir.poweroff()


def test_boots_by_vt_x(weir):
    expect_match(r"^vmm: VT-x, ", weir.booted(), "what runs it")
    release = os.listdir(os.path.join(TOP, "build", "linux", "lib", "modules"))[0]
    expect(weir.guest.run("uname -r", 60).strip(), release, "its release")
    expect_in("Hypervisor detected: KVM", weir.guest.run("dmesg | grep Hypervisor", 60), "its log")
    wrong = "Oops|BUG:|Call.Trace|unchecked.MSR|nobody.cared"
    expect(weir.guest.run(f"dmesg | grep -E '{wrong}'", 60), "", "what its log complains of")


def test_pings(net, weir):
    with weir.dropping():
        for size in (56, 1400):
            how = ("-q", "-c", "20", "-i", "0.05", "-w", "100", "-s", str(size))
            said = net.exec(0, "ping", *how, ADDRESS, seconds=120).stdout
            expect_match(r" 20 received, ", said, f"ping with {size} bytes")


def test_page(net, weir):
    done = net.exec(0, "/usr/bin/python3", "-c", FETCH, f"http://{ADDRESS}/", seconds=120)
    expect(done.returncode, 0, f"status of the download ({done.stderr})")
    expected = page(os.path.join(TOP, "build", "guest", "vmlinuz")).decode()
    expect(done.stdout, expected, "the page")
