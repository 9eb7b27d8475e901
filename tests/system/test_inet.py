# SPDX-License-Identifier: MIT
"""Weir's own addresses: Linux hosts in network namespaces ping them, ask for them, and reach each other through them

sw0 with its internal port joins nic0 to host a's network, 10.9.0.0/24. nic1 is in no switch and has an address of its
own in host b's, 10.8.0.0/24.
"""

import contextlib
import os
import re

import pytest

from weir import Weir, expect, expect_match  # puts scripts/ on the path
from wires import Namespaces, namespaces_refused

REFUSED = namespaces_refused()
CONFIG = """sysctl net.ipv4.icmp_ratelimit=0
ovs-vsctl add-br sw0
ovs-vsctl add-port sw0 nic0
ip link set nic* up
ip link set sw0 up
ip addr add 10.9.0.100/24 dev sw0
ip addr add 10.8.0.100/24 dev nic1
"""
WEIR = ("10.9.0.100", "10.8.0.100")  # as host a and host b know it
HOSTS = ("10.9.0.1", "10.8.0.1")

pytestmark = pytest.mark.skipif(REFUSED is not None, reason=str(REFUSED))


@pytest.fixture(scope="module")
def net():
    with Namespaces(f"weir-inet-{os.getpid()}") as net:
        net.exec(1, "ip", "addr", "flush", "dev", "eth0")
        net.exec(1, "ip", "addr", "add", HOSTS[1] + "/24", "dev", "eth0")
        net.exec(0, "ip", "route", "add", "10.8.0.0/24", "via", WEIR[0])
        net.exec(1, "ip", "route", "add", "10.9.0.0/24", "via", WEIR[1])
        yield net
    os.unlink(net.lock_path)


@pytest.fixture(scope="module")
def weir(net):
    with Weir(wires=net, smp=2, config=CONFIG) as weir:
        weir.wait_links()
        yield weir
        weir.poweroff()


def ping(net, host, target, *options, count=3):
    done = net.exec(host, "ping", "-q", "-c", str(count), "-i", "0.02", "-W", "2", *options, target)
    return done.stdout + done.stderr


def answered(said, count=3):
    expect_match(rf"^{count} packets transmitted, {count} received", said, "ping")


@contextlib.contextmanager
def dropping(weir, reason, count):
    """As weir.dropping(), but for one reason: hosts say this and that by themselves at any moment."""
    before = weir.drops()[reason]
    yield
    expect(weir.drops()[reason] - before, count, f"packets dropped for {reason}")


def snmp(weir, table, column):
    """A figure of /proc/net/snmp, found as on Linux: by the name above it."""
    names, values = re.findall(rf"^{table}: (.*)$", weir.sh("cat /proc/net/snmp"), re.MULTILINE)
    return dict(zip(names.split(), map(int, values.split())))[column]


@pytest.mark.parametrize("host", [0, 1])
def test_ping(net, weir, host):
    """By the internal port of a switch, and by a NIC that is in none."""
    for size in (0, 1, 56, 1471, 1472):
        answered(ping(net, host, WEIR[host], "-s", str(size)))


@pytest.mark.parametrize("host", [0, 1])
def test_neighbours_know_each_other(net, weir, host):
    answered(ping(net, host, WEIR[host]))
    link = net.exec(host, "cat", "/sys/class/net/eth0/address").stdout.strip()
    dev = ("sw0", "nic1")[host]
    expect_match(rf"^{HOSTS[host]} dev {dev} lladdr {link} (REACHABLE|STALE|DELAY|PROBE)$", weir.sh("ip neigh"), "Weir's")
    own = expect_match(r"link/ether (\S+)", weir.sh(f"ip link show {dev}"), "Weir's address")[1]
    seen = net.exec(host, "ip", "neigh", "show", WEIR[host]).stdout
    expect_match(rf"lladdr {own} ", seen, "Linux's neighbours")


def test_forwarding_is_off_until_asked_for(net, weir):
    with dropping(weir, "ip_not_ours", 2):
        said = ping(net, 0, HOSTS[1], "-W", "0.3", count=2)
    expect_match(r"^2 packets transmitted, 0 received", said, "ping")


def test_forwarding(net, weir):
    """Between the switch and the NIC: one hop, fragments where the other link is narrower, an error where DF forbids."""
    weir.sh("sysctl net.ipv4.ip_forward=1")
    said = net.exec(0, "ping", "-c", "1", "-W", "2", HOSTS[1]).stdout
    expect_match(r"64 bytes from 10.8.0.1: icmp_seq=1 ttl=63 ", said, "one hop")
    answered(ping(net, 1, HOSTS[0], "-s", "4000"))
    weir.quiet("ip link set nic1 mtu 700")
    net.exec(1, "ip", "link", "set", "eth0", "mtu", "700")
    before = snmp(weir, "Ip", "FragCreates")
    answered(ping(net, 0, HOSTS[1], "-s", "1400", "-M", "dont", count=1), 1)
    expect(snmp(weir, "Ip", "FragCreates") - before, 3, "fragments made of 1,428 bytes for a link of 700")
    with dropping(weir, "ip_too_big", 1):
        said = net.exec(0, "ping", "-c", "1", "-W", "1", "-s", "1000", "-M", "do", HOSTS[1]).stdout
    expect_match(r"^From 10.9.0.100 .*Frag needed and DF set \(mtu = 700\)", said, "ping with DF")
    net.exec(1, "ip", "link", "set", "eth0", "mtu", "1500")
    weir.quiet("ip link set nic1 mtu 1500")
