# SPDX-License-Identifier: MIT
"""demo.py - traffic through a running Weir, each step with a line that says what happened, or Trouble"""

import contextlib
import hashlib
import os
import re
import socket
import threading
import time

from machine import Trouble
from wires import Namespaces, inside

PINGS = 20
TCP_BYTES = 8 << 20
FRAMES = 200
WINDOW = 16  # frames under way at a time: more than a burst, less than any queue


def step(text):
    print("demo:", text, flush=True)


# --- between two namespaces -------------------------------------------------------------------------------------------


def wait_for_path(net, seconds=20):
    """The links come up half a second after the ports; try until one ping gets through."""
    end = time.monotonic() + seconds
    while net.exec(0, "ping", "-c", "1", "-W", "1", net.addresses[1]).returncode:
        if time.monotonic() > end:
            raise Trouble(f"no ping got through within {seconds} s")


def ping(net):
    done = net.exec(0, "ping", "-q", "-c", str(PINGS), "-i", "0.05", "-W", "2", net.addresses[1])
    if f" {PINGS} received" not in done.stdout:
        raise Trouble(f"ping lost packets:\n{done.stdout}{done.stderr}")
    took = re.search(r"= [\d.]+/([\d.]+)/", done.stdout)
    step(f"ping: {PINGS} of {PINGS} answered" + (f", {took[1]} ms each" if took else ""))


def receive_all(listener, result):
    """Accept one connection; put the length and the checksum of what comes into @result."""
    listener.settimeout(60)
    connection, _ = listener.accept()
    connection.settimeout(60)
    digest, length = hashlib.sha256(), 0
    with connection:
        while piece := connection.recv(1 << 16):
            digest.update(piece)
            length += len(piece)
    result.append((length, digest.hexdigest()))


def tcp(net, source, target):
    """TCP_BYTES of noise from one namespace to the other; the checksums must agree."""
    data = os.urandom(TCP_BYTES)
    received = []
    with inside(net.names[target]):
        listener = socket.create_server((net.addresses[target], 5001))
    thread = threading.Thread(target=receive_all, args=(listener, received), daemon=True)
    thread.start()
    began = time.monotonic()
    try:
        with inside(net.names[source]):
            sender = socket.create_connection((net.addresses[target], 5001), 20)
        with sender:
            sender.settimeout(60)
            sender.sendall(data)
        thread.join(60)
    except OSError as e:
        raise Trouble(f"TCP from {net.names[source]} to {net.names[target]}: {e}")
    finally:
        listener.close()
    if received != [(len(data), hashlib.sha256(data).hexdigest())]:
        raise Trouble(f"TCP from {net.names[source]} to {net.names[target]}: what arrived is not what was sent")
    seconds = time.monotonic() - began
    step(f"TCP {net.names[source]} to {net.names[target]}: {len(data) >> 20} MiB, checksum right, {seconds:.1f} s")


# --- over unix sockets ------------------------------------------------------------------------------------------------


def frame(source, target, number):
    """An Ethernet frame of a type for local experiments, of a length and content that depend on its number."""
    mac = bytes([2, 0, 0, 0, 0])
    head = mac + bytes([target + 1]) + mac + bytes([source + 1]) + b"\x88\xb5" + number.to_bytes(4, "big")
    return head + bytes((number + i) & 0xFF for i in range(42 + number * 7 % 1400))


def wait_for_wire(sockets, seconds=20):
    """As wait_for_path(); the frames also teach the switch where the two stations are."""
    end = time.monotonic() + seconds
    for source, target in ((0, 1), (1, 0)):
        while True:
            with contextlib.suppress(Trouble):
                sockets.send(source, frame(source, target, 0), 0.5)
            if sockets.receive(target, 0.5) == frame(source, target, 0):
                break
            if time.monotonic() > end:
                raise Trouble(f"no frame came through from NIC {source} to NIC {target} within {seconds} s")
    for end in (0, 1):
        while sockets.receive(end, 0.2):
            pass


def frames_cross(sockets, count=FRAMES):
    """@count frames each way, each compared with what was sent, in order."""
    wait_for_wire(sockets)
    for source, target in ((0, 1), (1, 0)):
        sent = [frame(source, target, number + 1) for number in range(count)]
        for first in range(0, count, WINDOW):
            window = sent[first : first + WINDOW]
            for one in window:
                sockets.send(source, one)
            for number, one in enumerate(window, first + 1):
                got = sockets.receive(target)
                if got != one:
                    what = "did not arrive" if got is None else "arrived as another"
                    raise Trouble(f"frame {number} of {count} from NIC {source} to NIC {target} {what}")
        step(f"frames nic{source} to nic{target}: {count} of {count} arrived as they were sent")


# --- what the path says of itself -------------------------------------------------------------------------------------


def table(head, rows):
    """Rows under their heads: the first column to the left, the others to the right."""
    lines = [[str(cell) for cell in row] for row in [head, *rows]]
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  " + line[0].ljust(width[0]), *(cell.rjust(w) for cell, w in zip(line[1:], width[1:])), sep="   ")
    print(flush=True)


def ports(weir):
    """[(port, frames in, frames out, dropped)], from /proc/net/dev."""
    rows = []
    for line in weir.command("cat /proc/net/dev").splitlines()[2:]:
        name, _, numbers = line.partition(":")
        number = [int(word) for word in numbers.split()]
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


def counters(weir, least):
    """Print them, and hold them against the @least number of frames that must have come in."""
    by_port, by_queue = ports(weir), queues(weir)
    table(("port", "frames in", "frames out", "dropped"), by_port)
    table(
        ("queue", "interrupts", "polls", "frames", "a poll", "polls of 0", "of 1", "of 2-31", "of 32+ frames"), by_queue
    )
    print("  drops by reason", *weir.command("drops").splitlines(), sep="\n    ", flush=True)
    for name, seen in (
        ("frames in", sum(row[1] for row in by_port)),
        ("frames out", sum(row[2] for row in by_port)),
        ("frames polled", sum(row[3] for row in by_queue)),
    ):
        if seen < least:
            raise Trouble(f"the counters know of {seen} {name}, but at least {least} crossed")
    if not sum(row[1] for row in by_queue):
        raise Trouble("the counters know of no interrupt")


def show(weir, found):
    """The whole demo on a Weir that has just come up; returns after it powered off, or raises Trouble."""
    step("Weir is up")
    if isinstance(found, Namespaces):
        wait_for_path(found)
        ping(found)
        tcp(found, 0, 1)
        tcp(found, 1, 0)
        least = 2 * PINGS + 2 * TCP_BYTES // 1500
    else:
        found.plug_in()
        frames_cross(found)
        least = 2 * FRAMES
    step("what the path counted")
    counters(weir, least)
    books(weir)
    weir.power_off()
