# SPDX-License-Identifier: MIT
"""guests.py - guests under test: the config that makes them, their console as a call, what Weir says of them

Guest number N is station N of frames.py: MAC 02:00:00:00:00:0N, address 10.0.0.N; its name is gN, its port pN.
"""

import itertools
import re
import time

from frames import arp, mac, ping, udp_echo
from weir import expect_match, plain


def line(number, cmdline="", memory=16, cpu=None, port="", kernel="tiny", initrd="", vcpus=None):
    """The config line that makes guest @number. @port is what to say of its port besides name and MAC."""
    words = [f"guest create g{number} memory {memory}", f"vcpus {vcpus}" if vcpus else ""]
    words += [f"cpus {cpu}" if cpu is not None else "", f"kernel {kernel}"]
    words += [f"initrd {initrd}" if initrd else "", f"cmdline '{f'ip=10.0.0.{number}/24 {cmdline}'.strip()}'"]
    words += [f"port p{number} mac {mac(number)} {port}"]
    return " ".join(word for word in words if word) + "\n"


def config(*lines, mtu=1500, start=True):
    """A weir.conf: guests by line(), one switch that joins every NIC and every guest; all up and running."""
    numbers = re.findall(r"^guest create g(\d+) ", "".join(lines), re.MULTILINE)
    text = "".join(lines) + "ovs-vsctl add-br sw0\novs-vsctl add-port sw0 nic*\n"
    if mtu != 1500:
        text += f"ip link set nic* mtu {mtu}\n"
    text += "".join(f"ovs-vsctl add-port sw0 p{n}\n" for n in numbers) + "ip link set nic* up\n"
    text += "".join(f"ip link set p{n} up\n" for n in numbers)
    return text + "".join(f"guest start g{n}\n" for n in numbers if start)


class Guest:
    """What any guest has. Its shell, if it has one, is typed to over its console."""

    ready = "ready"  # the line that it prints when it is
    calls = itertools.count(1)

    def __init__(self, weir, number):
        self.weir, self.number = weir, number
        self.name, self.port = f"g{number}", f"p{number}"
        self.call = 0

    def log(self, lines=40):
        return self.weir.sh(f"guest log {self.name} {lines}")

    def wait_log(self, pattern, seconds=20, lines=40):
        """Until @pattern stands in what it printed last."""
        found = lambda text: re.search(pattern, text, re.MULTILINE)  # noqa: E731
        return self.weir.wait_sh(f"guest log {self.name} {lines}", found, f"{pattern!r} from {self.name}", seconds)

    def wait_ready(self, seconds=20):
        self.wait_log(rf"^{self.ready}$", seconds)
        return self

    def wait_driven(self, seconds=20):
        """Until its driver has said DRIVER_OK; not so since the last start or reset of the device."""
        driven = lambda text: " status 0xf," in text  # noqa: E731
        self.weir.wait_sh(f"guest info {self.name}", driven, f"{self.name}'s driver", seconds)
        return self

    def info(self):
        return self.weir.sh(f"guest info {self.name}")

    def state(self):
        return expect_match(r"^State: +(\w+)", self.info(), f"state of {self.name}")[1]

    def device(self):
        """{what: number} of its port's device, tap and rings: status, features, needed, rx packets, tx kicks ..."""
        text, seen = self.info(), {}
        found = expect_match(r"^  device: status (\w+), features (\w+), (\d+) resets, (\d+) needed", text, "device")
        seen.update(zip(("status", "features", "resets", "needed"), (int(n, 0) for n in found.groups())))
        for part, row in re.findall(r"^  (tap|rx|tx): (.*)$", text, re.MULTILINE):
            seen.update({f"{part} {what}": int(n) for n, what in re.findall(r"(\d+) (\w+)", row)})
        return seen

    def wait_asleep(self, seconds=20):
        self.weir.wait_sh(f"guest info {self.name}", lambda text: " halted, " in text, f"{self.name} to sleep", seconds)
        return self

    def exits(self):
        """{exit's name, or "entries", "injected", ...: how often}."""
        text = self.weir.sh(f"guest exits {self.name}")
        seen = {name: int(n) for name, n in re.findall(r"^([a-z0-9-]+) +(\d+)(?:  .*)?$", text, re.MULTILINE)}
        events = r"^entries (\d+), interrupts injected (\d+), NMIs (\d+), events injected again (\d+)$"
        names = ("entries", "injected", "nmis", "again")
        seen.update(zip(names, (int(n) for n in expect_match(events, text, "exits").groups())))
        return seen

    def type(self, text):
        """Type a line and do not wait for what comes of it."""
        self.weir.quiet(f'guest type {self.name} "{text}"')

    def answers_arp(self, station=1, nic=0, seconds=20):
        """Until it answers for its address; now the switch knows it, and the station that asked."""
        ask, answer = arp(station, self.number)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.weir.send(nic, ask)
            seen = self.weir.arrivals(0.5)
            if (nic, answer) in seen + self.weir.hush(0.02):
                return self
        raise AssertionError(f"{self.name}: expected an answer to ARP within {seconds} s, saw none")


class Tiny(Guest):
    """The guest of guest/tiny: a command answers with lines of which the last begins with ok or FAIL."""

    ready = "tiny: ready"

    def begin(self, command):
        """Type a command whose answer finish() will wait for; meanwhile others may be spoken to."""
        self.call = next(self.calls)
        self.type(f"echo begin {self.call};{command};echo end {self.call}")

    def finished(self):
        return f"ok end {self.call}\n" in self.log(1)

    def finish(self, seconds=30):
        self.wait_log(rf"^ok end {self.call}$", seconds, lines=1)
        return self.log(200).partition(f"ok begin {self.call}\n")[2].partition(f"ok end {self.call}\n")[0]

    def run(self, command, seconds=30):
        """What it answered, all lines."""
        self.begin(command)
        return self.finish(seconds)

    def ok(self, command, seconds=30):
        """The same of a command that must succeed."""
        return self.good(self.run(command, seconds), command)

    def good(self, said, command):
        last = said.splitlines()[-1] if said else ""
        assert last == "ok" or last.startswith("ok "), f"{self.name}, '{command}': expected ok, saw:\n{said}"
        return said

    def count(self):
        """{what: number} of `count`: "rx", "tx", "arp", "icmp" and so on, "9 received" for port 9."""
        said = self.ok("count")
        seen = {}
        for row in said.splitlines():
            port = re.match(r"  port (\d+) (.*)", row)
            pairs = re.findall(r"(\w+) (\d+)", port[2] if port else row)
            seen.update({f"{port[1]} {what}" if port else what: int(n) for what, n in pairs})
        return seen


class Linux(Guest):
    """The guest of guest/linux: a shell on its console, which echoes what is typed."""

    ready = "linux: ready"  # behind whatever stood on the console when it was reset

    def wait_booted(self, seconds):
        """Until its shell asks for the first command since the last start."""
        self.wait_log(r"^Enter 'help' for a list of built-in commands\.\n\nguest# [^\n]*\n\Z", seconds, lines=4)
        expect_match(rf"{self.ready}$", self.log(20), f"what {self.name} says")
        return self

    def run(self, command, seconds=30):
        """What a command printed. The markers are sums, so that the echo of the line is none of them."""
        mark = 1000 + next(self.calls)
        self.type(f"echo begin $(({mark}-1+1)); {command}; echo end $(({mark}-1+1))")
        self.wait_log(rf"^end {mark}$", seconds, lines=3)
        return self.log(200).partition(f"\nbegin {mark}\n")[2].partition(f"end {mark}\n")[0]


def guests(weir, *numbers, kind=Tiny):
    """Those guests of @weir, each up and known to the switch."""
    weir.wait_links()
    return [kind(weir, number).answers_arp() for number in numbers]


def echoes(number, guest, size=60, flow=0, station=1, nic=0):
    """An item for carry(): a datagram to the guest's echo port, and the answer."""
    ask, answer = udp_echo(station, guest, number, flow, size)
    return nic, nic, (guest, flow), ask, answer


def pings(count, guest, station=1):
    """Items for carry(): echo requests of many sizes to the guest by NIC 0, and the replies."""
    asked = (ping(station, guest, n, 60 + n % 200) for n in range(count))
    return [(0, 0, "ping", ask, answer) for ask, answer in asked]


def died(weir, name, seconds=20):
    """The report of a guest that died, its lines without the name in front, and what the console said since."""
    dead = lambda text: re.search(rf"^{name} +dead ", text, re.MULTILINE)  # noqa: E731
    weir.wait_sh("guest list", dead, f"{name} to die", seconds)
    report = plain(weir.console).rpartition(f"{name}: died: ")[2]
    return "died: " + re.sub(rf"^.*?{name}: ", "", report, flags=re.MULTILINE)


def latencies(weir, name):
    """Guest @name's `guest injection`: {(end, mode): [count, p50, p90, p99, max]}"""
    rows = re.findall(r"^post to (entry|handler) +(\w+)((?: +\d+){5})$", weir.sh(f"guest injection {name}"), re.MULTILINE)
    return {(end, mode): [int(n) for n in numbers.split()] for end, mode, numbers in rows}
