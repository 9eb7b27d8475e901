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

COUNTERS = ["cat /proc/net/dev", "ethtool -S nic0", "cat /proc/interrupts", "cat /proc/net/softnet_stat", "napi", "drops"]


def counters(weir):
    for line in COUNTERS:
        print(f"weir# {line}\n{weir.command(line)}", end="")


def show(weir, found):
    step("Weir is up")
    if isinstance(found, Namespaces):
        wait_for_path(found)
        ping(found)
        tcp(found, 0, 1)
        tcp(found, 1, 0)
    else:
        found.plug_in()
        frames_cross(found)
    counters(weir)
    weir.power_off()
