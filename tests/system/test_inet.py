# SPDX-License-Identifier: MIT
"""Weir's own addresses: Linux hosts in network namespaces ping them, ask for them, and reach each other through them

sw0 with its internal port joins nic0 to host a's network, 10.9.0.0/24 and fd00:9::/64. nic1 is in no switch and has
addresses of its own in host b's, 10.8.0.0/24 and fd00:8::/64. Linux judges every checksum, header and state.
"""

import contextlib
import os
import re
import socket
import struct

import pytest

from weir import Weir, expect, expect_match  # puts scripts/ on the path
from wires import Namespaces, inside, namespaces_refused

REFUSED = namespaces_refused()
CONFIG = """sysctl net.ipv4.icmp_ratelimit=0
ovs-vsctl add-br sw0
ovs-vsctl add-port sw0 nic0
ip link set nic* up
ip link set sw0 up
ip addr add 10.9.0.100/24 dev sw0
ip addr add fd00:9::100/64 dev sw0
ip addr add 10.8.0.100/24 dev nic1
ip addr add fd00:8::100/64 dev nic1
"""
WEIR = ("10.9.0.100", "10.8.0.100")  # as host a and host b know it
WEIR6 = ("fd00:9::100", "fd00:8::100")
HOSTS = ("10.9.0.1", "10.8.0.1")
HOSTS6 = ("fd00:9::1", "fd00:8::1")
DEVS = ("sw0", "nic1")  # of Weir, towards each

pytestmark = pytest.mark.skipif(REFUSED is not None, reason=str(REFUSED))


@pytest.fixture(scope="module")
def net():
    with Namespaces(f"weir-inet-{os.getpid()}") as net:
        net.exec(1, "ip", "addr", "flush", "dev", "eth0")
        net.exec(1, "ip", "addr", "add", HOSTS[1] + "/24", "dev", "eth0")
        for i in (0, 1):
            net.exec(i, "ip", "addr", "add", HOSTS6[i] + "/64", "dev", "eth0", "nodad")
            net.exec(i, "ip", "route", "add", ("10.8.0.0/24", "10.9.0.0/24")[i], "via", WEIR[i])
            net.exec(i, "ip", "route", "add", ("fd00:8::/64", "fd00:9::/64")[i], "via", WEIR6[i])
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
    """By the internal port of a switch, and by a NIC that is in none; in fragments from an MTU on."""
    for size in (0, 1, 56, 1452, 1453, 1472, 1473, 4000, 65000):
        answered(ping(net, host, WEIR[host], "-s", str(size)))
        answered(ping(net, host, WEIR6[host], "-s", str(size)))
    answered(ping(net, host, WEIR[host], "-s", "1472", "-M", "do"))


@pytest.mark.parametrize("host", [0, 1])
def test_neighbours_know_each_other(net, weir, host):
    answered(ping(net, host, WEIR[host]))
    link = net.exec(host, "cat", "/sys/class/net/eth0/address").stdout.strip()
    answered(ping(net, host, WEIR6[host]))
    own = expect_match(r"link/ether (\S+)", weir.sh(f"ip link show {DEVS[host]}"), "Weir's address")[1]
    for them, us in ((HOSTS[host], WEIR[host]), (HOSTS6[host], WEIR6[host])):
        row = rf"^{them} dev {DEVS[host]} lladdr {link} (REACHABLE|STALE|DELAY|PROBE)$"
        expect_match(row, weir.sh("ip neigh"), "Weir's neighbours")
        expect_match(rf"lladdr {own} ", net.exec(host, "ip", "neigh", "show", us).stdout, "Linux's neighbours")


def test_weir_pings(net, weir):
    """iputils' lines from Weir's shell: hosts, itself, a group, nobody."""
    for host in (0, 1):
        for target, size in ((HOSTS[host], 56), (HOSTS6[host], 56), (HOSTS[host], 20000), (HOSTS6[host], 65000)):
            said = weir.sh(f"ping -c 3 -i 0.05 -s {size} {target}")
            expect_match(rf"^PING {target} ?\({target}\) {size}", said, "first line")
            expect_match(rf"^{size + 8} bytes from {target}: icmp_seq=3 ttl=64 time=[\d.]+ ms$", said, "a reply")
            expect_match(r"^3 packets transmitted, 3 received, 0% packet loss, time \d+ms$", said, "summary")
            expect_match(r"^rtt min/avg/max/mdev = [\d.]+(/[\d.]+){3} ms$", said, "round trips")
    expect_match(r"^1 packets transmitted, 1 received", weir.sh(f"ping -c 1 {WEIR[0]}"), "itself")
    link_local = net.exec(0, "ip", "-6", "addr", "show", "dev", "eth0", "scope", "link").stdout
    link_local = expect_match(r"inet6 (\S+)/64", link_local, "host a's link-local address")[1]
    said = weir.sh("ping -c 1 -W 5 ff02::1%sw0")
    expect_match(rf"^64 bytes from {link_local}: ", said, "who is there")
    weir.quiet("ip neigh flush all")
    for target, what in (("10.9.0.77", "Destination Host Unreachable"),
                         ("fd00:9::77", "Destination unreachable: Address unreachable")):  # fmt: skip
        said = weir.sh(f"ping -c 1 -W 8 {target}")
        expect_match(rf"^From \S+ icmp_seq=1 {what}$", said, "nobody there")
        expect_match(r"^1 packets transmitted, 0 received, \+1 errors, 100% packet loss", said, "summary")
        expect_match(rf"^{target} dev sw0 FAILED$", weir.sh("ip neigh"), "its state")
    expect_match("Network is unreachable", weir.sh("ping -c 1 192.0.2.1"), "no route")


def test_neighbour_grows_old(net, weir):
    """REACHABLE, STALE after base_reachable_time, DELAY when it is used, and Linux answers the probe."""
    weir.sh("sysctl net.ipv4.neigh.default.base_reachable_time_ms=1000")
    weir.sh("sysctl net.ipv4.neigh.default.delay_first_probe_time=1")
    weir.quiet("ip neigh flush dev nic1")
    weir.sh(f"ping -c 1 {HOSTS[1]}")
    state = lambda name: lambda said: re.search(rf"^{HOSTS[1]} .* {name}$", said, re.MULTILINE)  # noqa: E731
    weir.wait_sh("ip neigh", state("STALE"), "STALE")
    before = int(net.exec(1, "cat", "/sys/class/net/eth0/statistics/rx_packets").stdout)
    weir.sh(f"ping -c 1 {HOSTS[1]}")
    weir.wait_sh("ip neigh", state("STALE"), "probed, answered, and stale again")
    after = int(net.exec(1, "cat", "/sys/class/net/eth0/statistics/rx_packets").stdout)
    assert after - before >= 2, f"expected the ping and a probe at host b, saw {after - before} packets"
    weir.sh("sysctl net.ipv4.neigh.default.base_reachable_time_ms=30000")
    weir.sh("sysctl net.ipv4.neigh.default.delay_first_probe_time=5")


@pytest.mark.parametrize("family, target", [(socket.AF_INET, WEIR[0]), (socket.AF_INET6, WEIR6[0])])
def test_udp(net, weir, family, target):
    """Echo of every size, a port where nobody listens, and discard, which says nothing."""
    with inside(net.names[0]):
        sock = socket.socket(family, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(5)
        for size in (0, 1, 17, 1400, 1473, 9000, 60000):
            data = os.urandom(size)
            sock.sendto(data, (target, 7))
            expect(sock.recv(1 << 16) == data, True, f"echo of {size} bytes is what was sent")
        sock.connect((target, 9))
        sock.send(b"to discard")
        sock.connect((target, 4))
        sock.send(b"to nobody")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(100)


@pytest.mark.parametrize("family, target", [(socket.AF_INET, WEIR[1]), (socket.AF_INET6, WEIR6[1])])
def test_udp_that_was_merged(net, weir, family, target):
    """What GRO made one packet is answered datagram by datagram, as a socket of Linux gets it."""
    weir.quiet("ethtool -K nic1 gro on rx-udp-gro-forwarding on", "policy nic1/* defer gro-flush-timeout 20000000")
    merged = weir.counter("net.gro_merged")
    answered(ping(net, 1, target, count=1), count=1)  # the neighbours know each other
    with inside(net.names[1]):
        sock = socket.socket(family, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(5)
        for turn in range(5):
            sent = [bytes([turn, n]) + os.urandom(900) for n in range(30)]
            for data in sent:
                sock.sendto(data, (target, 7))
            expect([sock.recv(1 << 16) == data for data in sent], [True] * 30, "datagrams that came back as they were")
    assert weir.counter("net.gro_merged") > merged, "expected datagrams to be merged"
    weir.quiet("policy nic1/* napi gro-flush-timeout 0 defer-hard-irqs 0", "ethtool -K nic1 gro off rx-udp-gro-forwarding off")


def test_fragments_stay_within_their_limit(net, weir):
    """A flood of packets that never become whole: no more than ipfrag_high_thresh of them wait, and not for long."""
    held = lambda: sum(map(int, re.findall(r"(\d+) held by fragments", weir.sh("pool"))))  # noqa: E731
    weir.sh("sysctl net.ipv4.ipfrag_high_thresh=50")
    before = weir.drops()["frag_full"]
    addresses = socket.inet_aton(HOSTS[0]) + socket.inet_aton(WEIR[0])
    with inside(net.names[0]):
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with raw:
        for ident in range(300):
            header = struct.pack("!BBHHHBBH", 0x45, 0, 0, ident, 0x2000 | 5, 64, 17, 0)
            raw.sendto(header + addresses + b"12345678", (WEIR[0], 0))
            if ident % 50 == 0:
                answered(ping(net, 0, WEIR[0], count=1), 1)
    answered(ping(net, 0, WEIR[0], count=1), 1)
    expect(held(), 50, "buffers that fragments hold")
    expect(weir.drops()["frag_full"] - before, 250, "fragments beyond the limit")
    weir.audit()
    weir.sh("sysctl net.ipv4.ipfrag_time=1")
    weir.sh("sysctl net.ipv4.ipfrag_high_thresh=256")
    expect(snmp(weir, "Ip", "ReasmFails"), 250, "ReasmFails so far")


def test_forwarding_is_off_until_asked_for(net, weir):
    before, drops = snmp(weir, "Ip", "InAddrErrors"), weir.drops()["ip_not_ours"]
    said = ping(net, 0, HOSTS[1], "-W", "0.3", count=2)
    expect_match(r"^2 packets transmitted, 0 received", said, "ping")
    expect(snmp(weir, "Ip", "InAddrErrors") - before, 2, "packets that were not for Weir")
    # that reason is IPv6's as well, and hosts tell routers of their groups at any moment (MLD)
    assert weir.drops()["ip_not_ours"] - drops >= 2


def test_forwarding(net, weir):
    """Between the switch and the NIC: one hop, fragments where the other link is narrower, an error where DF forbids."""
    weir.sh("sysctl net.ipv4.ip_forward=1")
    weir.sh("sysctl net.ipv6.conf.all.forwarding=1")
    for target in (HOSTS[1], HOSTS6[1]):
        said = net.exec(0, "ping", "-c", "1", "-W", "2", target).stdout
        expect_match(rf"64 bytes from {target}: icmp_seq=1 ttl=63 ", said, "one hop")
        answered(ping(net, 0, target, "-s", "4000"))
    for target, router, what in ((HOSTS[1], WEIR[0], "Time to live exceeded"),
                                 (HOSTS6[1], WEIR6[0], "Time exceeded: Hop limit")):  # fmt: skip
        said = net.exec(0, "ping", "-c", "1", "-W", "2", "-t", "1", target).stdout
        expect_match(rf"^From {router} icmp_seq=1 {what}", said, "the first hop of a trace")
    said = net.exec(0, "ping", "-c", "1", "-W", "8", "10.8.0.77").stdout
    expect_match(rf"^From {WEIR[0]} icmp_seq=1 Destination Host Unreachable", said, "ping of nobody")
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


def test_ip_prints_what_linuxs_own_prints(net, weir):
    """Host a given Weir's addresses and routes: the same lines in the same order, but for its port's name."""
    routes = ["10.9.0.0/16 via 10.9.0.7", "10.0.0.0/8 via 10.9.0.7 metric 5", "10.9.0.9 via 10.9.0.7", "default via 10.9.0.7"]
    routes += ["blackhole 192.0.2.0/24", "unreachable fd00:7::/32", "fd00:7:1::/48 via fd00:9::7", "default via fd00:9::7"]
    with contextlib.ExitStack() as undo:
        for line in ("addr add 10.9.0.200/24 dev DEV", "-6 addr add fd00:9::200/64 dev DEV", *(f"route add {r}" for r in routes)):
            six = "-6 " if "fd00" in line and "-6" not in line else ""
            weir.quiet("ip " + six + line.replace("DEV", "sw0"))
            undo.callback(weir.sh, "ip " + six + line.replace(" add ", " del ").replace("DEV", "sw0"))
            line = line.replace("DEV", "eth0") + (" nodad" if "-6" in line else "")
            expect(net.exec(0, "ip", *(six + line).split()).stderr, "", f"what Linux says of {line}")
            undo.callback(net.exec, 0, "ip", *(six + line).replace(" add ", " del ").replace(" nodad", "").split())
        for what in ("-4 addr show dev DEV", "route", "-6 route", "route get 10.9.0.9", "route get 10.77.1.1", "route get 10.9.0.255",
                     "-6 route get fd00:7:1::9", "route get 10.9.0.200", "-6 route get fd00:9::200"):  # fmt: skip
            theirs = [row for row in net.exec(0, "ip", *what.replace("DEV", "eth0").split()).stdout.splitlines() if not re.match("10.8|fd00:8|fe80", row)]
            ours = [row for row in weir.sh(f"ip {what}".replace("DEV", "sw0")).splitlines() if not re.match("10.8|fd00:8|fe80", row)]
            expect([own(row) for row in ours], [own(row) for row in theirs], f"ip {what}")


def own(row):
    """A line without what differs between the two: the port's name and number, and which address is chosen of several."""
    row = re.sub(r"^\d+: (\w+): <.*> mtu 1500 qdisc \w+ state \w+ ", r"N: \1: ", row)
    return re.sub(r"sw0|eth0", "DEV", re.sub(r"\b(src|inet) (10\.9\.0\.|fd00:9::)(1|100|200)\b", r"\1 \2X", row))


def test_show_config_would_rebuild_it(weir):
    """Addresses, routes and neighbours of the operator's; not what comes by itself."""
    weir.quiet(
        "ip route add 172.16.0.0/12 via 10.9.0.1 src 10.8.0.100 metric 5", "ip -6 route add default via fd00:8::1",
        "ip route add blackhole 192.0.2.0/24", "ip neigh add 10.8.0.9 lladdr 02:00:00:00:00:09 dev nic1",
    )  # fmt: skip
    said = weir.sh("show config").splitlines()
    for line in CONFIG.splitlines() + [
        "ip route add 172.16.0.0/12 via 10.9.0.1 dev sw0 src 10.8.0.100 metric 5", "ip -6 route add default via fd00:8::1 dev nic1 metric 1024",
        "ip route add blackhole 192.0.2.0/24", "ip neigh add 10.8.0.9 lladdr 02:00:00:00:00:09 dev nic1",
    ]:  # fmt: skip
        if not line.startswith("ip link set nic*"):
            assert line in [row.strip() for row in said], f"expected '{line}' in show config, saw {said}"
    expect([row for row in said if "fe80" in row], [], "link-local addresses in show config")
    expect_match(r"^172.20.1.1 via 10.9.0.1 dev sw0 src 10.8.0.100 ", weir.sh("ip route get 172.20.1.1"), "route get")
    expect_match("black hole", weir.sh("ip route get 192.0.2.1"), "route get")
    listed = [row.split(" ")[0] for row in weir.sh("ip route").splitlines()]
    expect(listed, ["10.8.0.0/24", "10.9.0.0/24", "172.16.0.0/12", "blackhole"], "the order of ip route")
    weir.quiet("ip route del 172.16.0.0/12", "ip -6 route del default", "ip route del blackhole 192.0.2.0/24",
               "ip neigh del 10.8.0.9 dev nic1")  # fmt: skip
    for line in ("ip addr add 10.9.0.101 frob", "ip addr add 224.0.0.1/24 dev sw0", "ip addr add 10.9.0.100/24 dev sw0",
                 "ip addr add 10.1.1.1/24 dev nic0", "ip route add 10.77.0.0/16 via 203.0.113.1", "ip route del 10.77.0.0/16",
                 "ip route add 10.77.0.1/16 via 10.9.0.1", "ip route del 10.9.0.7/24", "ip -6 route del fd00:9::/64 metric 5",
                 "ip route add 10.77.0.0/16 via 10.9.0.1 src 10.9.0.99",
                 "ip neigh add 10.9.0.5 dev sw0", "ping", "ping -s 99999 10.9.0.1", "ping fe80::1"):  # fmt: skip
        expect_match(r"^col \d+: ", weir.sh(line), f"answer to '{line}'")
