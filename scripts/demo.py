# SPDX-License-Identifier: MIT
"""demo.py - what `make demo` shows: real traffic through a Weir that has just come up, and what the path counted

Each step prints a line that says what happened, or raises Trouble.
"""

import hashlib
import os
import re
import subprocess

import guest
from machine import TOP, Trouble
from traffic import Station, fetch, frames_cross, ping, step, tcp, wait_for_path
from wires import Namespaces

# between two wires
PINGS = 20
TCP_BYTES = 8 << 20
FRAMES = 200

# to a guest and back
BESIDE = "10.0.2.50"  # a host on the guest's network, at nic1
GUEST_PINGS = 1000
GATEWAY_PINGS = 20
DOWNLOAD_SECONDS = 120
SEGMENT = 1460  # bytes of TCP in a frame


# --- what the path says of itself -------------------------------------------------------------------------------------


def table(head, rows):
    """Rows under their heads: the first column to the left, the others to the right."""
    lines = [[str(cell) for cell in row] for row in [head, *rows]]
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  " + line[0].ljust(width[0]), *(cell.rjust(w) for cell, w in zip(line[1:], width[1:])), sep="   ")
    print(flush=True)


def ports(weir):
    """[(port, frames in, frames out, dropped)] of those that had any, from /proc/net/dev."""
    rows = []
    for line in weir.command("cat /proc/net/dev").splitlines()[2:]:
        name, _, numbers = line.partition(":")
        number = [int(word) for word in numbers.split()]
        if any(number):
            rows.append((name.strip(), number[1], number[9], number[3] + number[11]))
    return rows


def interrupts(weir):
    """{name: interrupts on all cores}, from /proc/interrupts."""
    lines = weir.command("cat /proc/interrupts").splitlines()
    cores = lines[0].count("CPU")
    return {line.split()[-1]: sum(map(int, line.split()[1 : 1 + cores])) for line in lines[1:]}


def sizes(histogram):
    """`0:36 1:34 2-3:2 …` as polls that brought nothing, one frame, a few, and 32 or more."""
    groups = dict.fromkeys(("0", "1", "2-31", "32+"), 0)
    for size, polls in re.findall(r"(\d+)[-+]?\d*:(\d+)", histogram):
        size = int(size)
        groups["0" if size == 0 else "1" if size == 1 else "2-31" if size < 32 else "32+"] += int(polls)
    return tuple(groups.values())


def queues(weir):
    """[(queue, interrupts, polls, frames, frames a poll, polls by batch size...)], from `napi`."""
    fired = interrupts(weir)
    pattern = r"^(\S+): core.*?polls (\d+) .*?packets (\d+).*?batches ([^\n]*)"
    rows = []
    for name, polls, frames, batches in re.findall(pattern, weir.command("napi"), re.DOTALL | re.MULTILINE):
        average = f"{int(frames) / max(int(polls), 1):.1f}"
        rows.append((name, fired[name], int(polls), int(frames), average, *sizes(batches)))
    return rows


def books(weir):
    """Where every frame and every buffer is, by Weir's own count; Trouble if one is nowhere."""
    for command, verdict in (("ports", "conservation: ok"), ("pool", "pools: ok")):
        said = weir.command(command)
        last = said.rstrip().rpartition("\n")[2]
        print("  " + last, flush=True)
        if last != verdict:
            raise Trouble(f"the books do not balance; '{command}' says\n{said}")


def path_counters(weir, least):
    """Print them, and hold them against the @least number of frames that must have come in, and as many gone out."""
    by_port, by_queue = ports(weir), queues(weir)
    table(("port", "frames in", "frames out", "dropped"), by_port)
    table(
        ("queue", "interrupts", "polls", "frames", "a poll", "polls of 0", "of 1", "of 2-31", "of 32+ frames"), by_queue
    )
    print("  drops by reason", *weir.command("drops").splitlines(), sep="\n    ", flush=True)
    for name, seen in (
        ("frames in", sum(row[1] for row in by_port)),
        ("frames out", sum(row[2] for row in by_port)),
    ):
        if seen < least:
            raise Trouble(f"the counters know of {seen} {name}, but at least {least} crossed")
    polled, came = sum(row[3] for row in by_queue), sum(row[1] for row in by_port if row[0].startswith("nic"))
    if polled < came:
        raise Trouble(f"the counters know of {polled} frames polled, but of {came} that came in by a NIC")
    if not sum(row[1] for row in by_queue):
        raise Trouble("the counters know of no interrupt")


# --- between two wires ------------------------------------------------------------------------------------------------


def show_wires(weir, found):
    """From one NIC to the other and back; returns after Weir powered off."""
    step("Weir is up")
    if isinstance(found, Namespaces):
        wait_for_path(found, found.addresses[1])
        step("ping: " + ping(found, found.addresses[1], PINGS, 0.05))
        tcp(found, 0, 1, TCP_BYTES)
        tcp(found, 1, 0, TCP_BYTES)
        least = 2 * PINGS + 2 * TCP_BYTES // 1500
    else:
        found.plug_in()
        frames_cross(found, FRAMES)
        least = 2 * FRAMES
    step("what the path counted")
    path_counters(weir, least)
    books(weir)
    weir.power_off()


# --- to a guest and back ----------------------------------------------------------------------------------------------


def pinger(host):
    """ping(target, count) from the host at nic1, whichever kind it is."""
    if isinstance(host, Namespaces):

        def from_namespace(target, count):
            wait_for_path(host, target)
            return ping(host, target, count, 0.002)

        return from_namespace
    return Station(host.plug_in(), 0, BESIDE).ping


def page(port, expected):
    body = fetch(port, "/", 20)
    if body != expected:
        raise Trouble(f"the page is not what it should be:\n{body.decode(errors='replace')}\nbut:\n{expected.decode()}")
    step(f"the page: {len(body)} bytes, as expected")


def download(port):
    """10 MiB that this host can make as well; and the checksum that the guest serves beside it is right."""
    made = subprocess.run(["sh", os.path.join(TOP, "guest", "linux", "payload")], capture_output=True, timeout=60)
    expected = hashlib.sha256(made.stdout).hexdigest()
    body = fetch(port, "/10mb.bin", DOWNLOAD_SECONDS)
    beside = fetch(port, "/10mb.bin.sha256", 20).split()[0].decode()
    if len(body) < 10_000_000 or {hashlib.sha256(body).hexdigest(), beside} != {expected}:
        raise Trouble(f"10mb.bin: {len(body)} bytes came, and they are not those that were sent")
    step(f"download: {len(body):,} bytes, SHA-256 {expected[:16]}… as expected")
    return len(body)


class Watch:
    """What the guest made Weir do in each part of the demo, as columns of one table."""

    def __init__(self, weir, name):
        self.weir, self.name = weir, name
        self.last, self.parts = {}, []

    def part(self, head):
        now = guest.counts(self.weir, self.name)
        self.parts.append((head, {key: now[key] - self.last.get(key, 0) for key in now}))
        self.last = now

    def show(self):
        table(
            (f"{self.name}: VM exits", *(head for head, _ in self.parts)),
            [(key, *(part.get(key, 0) for _, part in self.parts)) for key in self.last],
        )

    def check(self):
        """Nothing gets to a guest and back without these."""
        for key in ("all exits", "interrupts injected", "kicks", "signals"):
            if not self.last[key]:
                raise Trouble(f"the counters know of no {key} of {self.name}")


def show_guest(weir, name, user, host, expected):
    """From the host and from beside to the guest and back, and between the wires; returns after Weir powered off.

    @expected is the page that it must serve.
    """
    step("Weir is up; its guest boots")
    seconds = guest.await_page(weir, name, user.port, step)
    step(f"guest {name} answers at http://127.0.0.1:{user.port}/ after {seconds:.0f} s more")
    watch = Watch(weir, name)
    watch.part("until it answered")
    page(user.port, expected)
    watch.part("the page")
    ping_from_nic1 = pinger(host)
    step(f"ping from nic1 to {name}: " + ping_from_nic1(user.GUEST, GUEST_PINGS))
    watch.part(f"{GUEST_PINGS:,} pings")
    length = download(user.port)
    watch.part("the download")
    step("ping from nic1 to the gateway behind nic0: " + ping_from_nic1(user.GATEWAY, GATEWAY_PINGS))
    step("what the path counted")
    path_counters(weir, 2 * (GUEST_PINGS + GATEWAY_PINGS) + length // SEGMENT)
    watch.show()
    table(("virtqueue", *guest.VRING), guest.vrings(weir, name))
    watch.check()
    books(weir)
    weir.power_off()
