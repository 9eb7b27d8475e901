# SPDX-License-Identifier: MIT
"""traffic.py - real traffic through a running Weir: pings and TCP between hosts, frames by hand, pages over HTTP

Each function returns, or prints, what happened, or raises Trouble. Nothing waits without an end.
"""

import contextlib
import hashlib
import http.client
import os
import re
import socket
import struct
import threading
import time

from machine import Trouble
from wires import inside

WINDOW = 16  # frames under way at a time: more than a burst, less than any queue


def step(text):
    print("demo:", text, flush=True)


# --- from a namespace -------------------------------------------------------------------------------------------------


def wait_for_path(net, target, seconds=20):
    """The links come up half a second after the ports; try until one ping gets through."""
    end = time.monotonic() + seconds
    while net.exec(0, "ping", "-c", "1", "-W", "1", target).returncode:
        if time.monotonic() > end:
            raise Trouble(f"no ping got from {net.names[0]} to {target} within {seconds} s")


def ping(net, target, count, interval):
    """@count pings from the first namespace, of which none may get lost; returns what to say of them."""
    seconds = 60 + 2 * count * interval
    done = net.exec(0, "ping", "-q", "-c", str(count), "-i", str(interval), "-W", "5", target, seconds=seconds)
    if f" {count} received" not in done.stdout:
        raise Trouble(f"ping lost packets:\n{done.stdout}{done.stderr}")
    took = re.search(r"= [\d.]+/([\d.]+)/", done.stdout)
    return f"{count:,} of {count:,} answered" + (f", {took[1]} ms each" if took else "")


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


def tcp(net, source, target, length):
    """@length bytes of noise from one namespace to the other; the checksums must agree."""
    data = os.urandom(length)
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


# --- over unix sockets: frames that only have to arrive ---------------------------------------------------------------


def frame(source, target, number):
    """An Ethernet frame of a type for local experiments, of a length and content that depend on its number."""
    mac = bytes([2, 0, 0, 0, 0])
    head = mac + bytes([target + 1]) + mac + bytes([source + 1]) + b"\x88\xb5" + number.to_bytes(4, "big")
    return head + bytes((number + i) & 0xFF for i in range(42 + number * 7 % 1400))


def receive_other(sockets, i, seconds):
    """The next frame that is one of ours; a guest beside us may ask for addresses meanwhile."""
    while got := sockets.receive(i, seconds):
        if got[12:14] == b"\x88\xb5":
            return got
    return None


def wait_for_wire(sockets, seconds=20):
    """As wait_for_path(); the frames also teach the switch where the two stations are."""
    end = time.monotonic() + seconds
    for source, target in ((0, 1), (1, 0)):
        while True:
            with contextlib.suppress(Trouble):
                sockets.send(source, frame(source, target, 0), 0.5)
            if receive_other(sockets, target, 0.5) == frame(source, target, 0):
                break
            if time.monotonic() > end:
                raise Trouble(f"no frame came through from NIC {source} to NIC {target} within {seconds} s")
    for end in (0, 1):
        while sockets.receive(end, 0.2):
            pass


def frames_cross(sockets, count):
    """@count frames each way, each compared with what was sent, in order."""
    wait_for_wire(sockets)
    for source, target in ((0, 1), (1, 0)):
        sent = [frame(source, target, number + 1) for number in range(count)]
        for first in range(0, count, WINDOW):
            window = sent[first : first + WINDOW]
            for one in window:
                sockets.send(source, one)
            for number, one in enumerate(window, first + 1):
                got = receive_other(sockets, target, 5)
                if got != one:
                    what = "did not arrive" if got is None else "arrived as another"
                    raise Trouble(f"frame {number} of {count} from NIC {source} to NIC {target} {what}")
        step(f"frames nic{source} to nic{target}: {count} of {count} arrived as they were sent")


# --- over unix sockets: a host made of frames -------------------------------------------------------------------------

ARP, IPV4 = b"\x08\x06", b"\x08\x00"
ETHERNET_ARP = bytes.fromhex("000108000604")  # hardware and protocol, and the lengths of their addresses


def checksum(data):
    """The Internet's; 0 over what carries a right one. [RFC 1071]"""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class Station:
    """A host at wire @i of @sockets that knows ARP and ping, for whoever may not have a namespace."""

    MAC, ANYONE = bytes([2, 0, 0, 0, 0, 50]), b"\xff" * 6

    def __init__(self, sockets, i, address):
        self.sockets, self.i = sockets, i
        self.address = socket.inet_aton(address)
        self.ident = os.getpid() & 0xFFFF

    def send(self, target, kind, body):
        self.sockets.send(self.i, (target + self.MAC + kind + body).ljust(60, b"\0"))

    def arp(self, operation, target, address):
        body = ETHERNET_ARP + struct.pack("!H", operation) + self.MAC + self.address
        self.send(target, ARP, body + (target if operation == 2 else bytes(6)) + address)

    def receive(self, end):
        """The next frame before the clock says @end, (sender, type, body); who asks for our address is answered."""
        while (left := end - time.monotonic()) > 0 and (got := self.sockets.receive(self.i, left)):
            sender, kind, body = got[6:12], got[12:14], got[14:]
            if kind == ARP and body[6:8] == b"\0\1" and body[24:28] == self.address:
                self.arp(2, sender, body[14:18])
            else:
                return sender, kind, body
        return None

    def resolve(self, address, seconds=20):
        """The MAC address of @address (4 bytes); asks until somebody answers."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            with contextlib.suppress(Trouble):  # the NIC may not be up yet
                self.arp(1, self.ANYONE, address)
            while got := self.receive(now + 0.5):
                if got[1] == ARP and got[2][6:8] == b"\0\2" and got[2][14:18] == address:
                    return got[2][8:14]
        raise Trouble(f"nobody answers for {socket.inet_ntoa(address)} within {seconds} s")

    def echo(self, kind, number):
        """ICMP echo request (8) or its reply (0), with 56 bytes that depend on the number. [RFC 792]"""
        payload = bytes((number + i) & 0xFF for i in range(56))
        head = struct.pack("!HH", self.ident, number) + payload
        return struct.pack("!BBH", kind, 0, checksum(bytes([kind, 0, 0, 0]) + head)) + head

    def packet(self, address, body):
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 1, 0) + self.address + address
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body

    def reply(self, end, address):
        """The number of the next echo reply from @address, right to the last byte; None if none comes."""
        while got := self.receive(end):
            _, kind, body = got
            if kind != IPV4 or body[9:10] != b"\1" or body[12:20] != address + self.address:
                continue
            head = (body[0] & 15) * 4
            icmp = body[head : int.from_bytes(body[2:4], "big")]
            number = int.from_bytes(icmp[6:8], "big")
            if checksum(body[:head]) or icmp != self.echo(0, number):
                raise Trouble(f"the answer to ping {number} is damaged: {body.hex()}")
            return number
        return None

    def ping(self, target, count):
        """As ping(): WINDOW of them under way at a time, each answer held against what it must be."""
        address = socket.inet_aton(target)
        mac, sent, waiting, took = self.resolve(address), 0, {}, 0.0
        while sent < count or waiting:
            while sent < count and len(waiting) < WINDOW:
                sent += 1
                waiting[sent] = time.monotonic()
                self.send(mac, IPV4, self.packet(address, self.echo(8, sent)))
            number = self.reply(time.monotonic() + 5, address)
            if number not in waiting:
                what = f"ping {number} was answered twice" if number else f"ping {min(waiting)} was not answered"
                raise Trouble(f"{what}, of {count} to {target}")
            took += time.monotonic() - waiting.pop(number)
        return f"{count:,} of {count:,} answered, {1000 * took / count:.3f} ms each, {WINDOW} at a time"


# --- over HTTP --------------------------------------------------------------------------------------------------------


def fetch(port, path, seconds):
    """What a guest serves as @path, through the @port of this host that leads to it; Trouble unless it comes whole."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    end, body = time.monotonic() + seconds, b""
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        while piece := answer.read(1 << 18):
            body += piece
            if time.monotonic() > end:
                raise TimeoutError(f"only {len(body)} bytes came within {seconds} s")
    except (OSError, http.client.HTTPException) as e:
        raise Trouble(f"http://127.0.0.1:{port}{path}: {str(e) or type(e).__name__}")
    finally:
        connection.close()
    if answer.status != 200:
        raise Trouble(f"http://127.0.0.1:{port}{path}: the answer is {answer.status} {answer.reason}")
    if answer.length:  # read(n) does not mind a body that ends early
        raise Trouble(f"http://127.0.0.1:{port}{path}: {answer.length} bytes are missing at the end")
    return body
