# SPDX-License-Identifier: MIT
"""guest.py - the guest that serves a page, as seen from the host: which one it is, when it answers, what it counted"""

import os
import re
import time

from machine import TOP, Trouble, plain
from traffic import fetch

SECONDS = 60  # to the first answer, on TCG and a slow host
PROGRESS = 5  # seconds between two lines that say so


def served_by(archive, address):
    """The name of the guest that the weir.conf in @archive gives @address, or None."""
    with open(archive, "rb") as f:
        line = rb"[\n\0]guest create (\w+)[^\n]*\bip=%s\b" % re.escape(address.encode())
        found = re.search(line, f.read())
    return found and found[1].decode()


def await_page(weir, name, port, say, seconds=SECONDS):
    """Until the page comes, whole; returns how long that took. Trouble if the guest ends first, or does not come."""
    url, began, told = f"http://127.0.0.1:{port}/", time.monotonic(), 0
    while True:
        try:
            fetch(port, "/", 2)
            return time.monotonic() - began
        except Trouble:
            passed = time.monotonic() - began
        ended = re.search(rf"^({name}: (died|powered)|weir\.conf:\d+:).*", plain(weir.console), re.MULTILINE)
        if ended or weir.hung_up:
            raise Trouble(f"{name} does not serve: " + (ended[0] if ended else "Weir ended"))
        if passed > seconds:
            raise Trouble(f"{name} does not answer at {url} within {seconds} s; `guest log {name}` shows what it said")
        if passed > told + PROGRESS:
            told = passed
            say(f"guest {name} boots, {passed:.0f} s")
        time.sleep(0.2)


# --- what it must serve -----------------------------------------------------------------------------------------------


def kernel_version(archive):
    """What `uname -r` and `uname -v` say in a guest, by the header of the kernel in @archive. [Linux boot protocol]"""
    with open(archive, "rb") as f:
        image = f.read()
    start = image.index(b"HdrS") - 0x202
    at = start + 0x200 + int.from_bytes(image[start + 0x20E : start + 0x210], "little")
    release, _, version = image[at : image.index(b"\0", at)].decode().partition(" ")
    return release, "#" + version.partition("#")[2]


def page(archive):
    """The page that guest/linux/init writes, as the kernel in @archive must fill it in."""
    with open(os.path.join(TOP, "guest", "linux", "init")) as f:
        text = re.search(r"^cat >/www/index.html <<end\n(.*?)^end$", f.read(), re.MULTILINE | re.DOTALL)[1]
    release, version = kernel_version(archive)
    return text.replace("$(uname -r)", release).replace("$(uname -v)", version).encode()


# --- what was counted -------------------------------------------------------------------------------------------------

VRING = ("packets", "kicks", "polls", "signals", "suppressed")


def counts(weir, name):
    """{exit or event: how often}, in the order of `guest exits`."""
    said = weir.command(f"guest exits {name}")
    found = {row[1]: int(row[2]) for row in re.finditer(r"^([a-z0-9-]+) +(\d+) +\d+\.\d  ", said, re.MULTILINE)}
    for key, pattern in (
        ("all exits", r"^all +(\d+)"),
        ("interrupts injected", r"interrupts injected (\d+)"),
        ("kicks", r"^kicks (\d+)"),
        ("signals", r"signals (\d+)"),
        ("signals suppressed", r"signals suppressed (\d+)"),
    ):
        row = re.search(pattern, said, re.MULTILINE)
        if not row:
            raise Trouble(f"'guest exits {name}' does not tell of {key}:\n{said}")
        found[key] = int(row[1])
    return found


def vrings(weir, name):
    """[(vring, its counters of VRING)] from `guest info`."""
    rows, port = [], ""
    for line in weir.command(f"guest info {name}").splitlines():
        if found := re.match(r"Port (\S+):", line):
            port = found[1]
        elif found := re.match(r"  (rx|tx): (.*)", line):
            number = {what: int(n) for n, what in re.findall(r"(\d+) (\w+)", found[2])}
            rows.append((f"{port} {found[1]}", *(number[counter] for counter in VRING)))
    return rows
