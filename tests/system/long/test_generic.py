# SPDX-License-Identifier: MIT
"""Debian's generic kernel as a guest: another bzImage (XZ), another set of drivers built in, the same path"""

import os
import subprocess

import pytest

from guests import Linux, config, line
from weir import TOP, Weir  # puts scripts/ on the path
from guest import page
from wires import Namespaces, namespaces_refused

G2 = 2
BOOT_SECONDS = 300
REFUSED = namespaces_refused()

pytestmark = pytest.mark.skipif(REFUSED is not None, reason=str(REFUSED))

FILES = {"memory": 512, "kernel": "vmlinuz-generic", "initrd": "linux-generic.cpio.gz"}


@pytest.fixture(scope="module")
def net():
    with Namespaces(f"weir-generic-{os.getpid()}", ipv6=False, first="10.0.0.101") as net:
        yield net
    os.unlink(net.lock_path)


@pytest.fixture(scope="module")
def weir(net):
    text = config(line(G2, "console=ttyS0 quiet", cpu=1, **FILES))
    with Weir(wires=net, smp=2, memory=1024, config=text, files=("vmlinuz-generic", "linux-generic.cpio.gz")) as weir:
        weir.wait_links()
        Linux(weir, G2).wait_booted(BOOT_SECONDS)
        yield weir
        weir.poweroff()


def test_pings(net, weir):
    command = ["ip", "netns", "exec", net.names[0], "ping", "-q", "-c", "100", "-i", "0.01", f"10.0.0.{G2}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60)
    assert "100 received" in done.stdout, f"expected 100 of 100 pings answered, saw:\n{done.stdout}"


def test_page(net, weir):
    url = f"http://10.0.0.{G2}/"
    command = ["ip", "netns", "exec", net.names[0], "/usr/bin/python3", "-c"]
    command += [f"import urllib.request; print(urllib.request.urlopen({url!r}, timeout=30).read().decode(), end='')"]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=True)
    expected = page(os.path.join(TOP, "build", "guest", "vmlinuz-generic"))
    assert done.stdout == expected, f"the page: expected {expected!r}, saw {done.stdout!r}"
