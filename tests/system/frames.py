# SPDX-License-Identifier: MIT
"""frames.py - Ethernet frames for tests: numbered ones quickly, odd ones by scapy"""

import struct

from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, IPv6, raw
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop

SHORTEST, MTU = 60, 1500
RAMP = bytes(range(256)) * 40


def mac(station):
    """Address of station number @station."""
    return f"02:00:00:00:{station >> 8:02x}:{station & 255:02x}"


def mac_bytes(station):
    return bytes([2, 0, 0, 0, station >> 8, station & 255])


def ip_bytes(station):
    return bytes([10, 0, station >> 8, station & 255])


def ramp(number, length):
    """@length bytes, each one up from the one before; the first is the number's last."""
    return RAMP[number & 255 : (number & 255) + length]


def ip_checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def numbered(source, target, number, flow=0, size=SHORTEST, port=5000):
    """A UDP frame of @size bytes from station to station; @flow chooses its source port, @number makes it unique."""
    data = struct.pack("!IQ", flow, number)
    data += ramp(number, size - 42 - len(data))
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(data), 0, 0, 64, 17, 0, ip_bytes(source),
                         ip_bytes(target))  # fmt: skip
    header = header[:10] + struct.pack("!H", ip_checksum(header)) + header[12:]
    udp = struct.pack("!HHHH", 1024 + flow, port, 8 + len(data), 0)
    return mac_bytes(target) + mac_bytes(source) + b"\x08\x00" + header + udp + data


def tcp_flow(source, target, flow, number):
    """A TCP segment of one of many flows between two stations: @flow chooses its source port."""
    ip = IP(src=f"10.0.0.{source}", dst=f"10.0.0.{target}")
    return padded(ether(source, target) / ip / TCP(sport=1024 + flow, dport=80, seq=number, flags="A"))


def udp_echo(source, target, number, flow=0, size=SHORTEST):
    """(question, answer): a datagram to the echo port of @target, and what must come back of it."""
    ask = numbered(source, target, number, flow, size, port=7)
    return ask, ask[6:12] + ask[:6] + ask[12:26] + ask[30:34] + ask[26:30] + ask[36:38] + ask[34:36] + ask[38:]


def ping(source, target, number, size=SHORTEST):
    """(question, answer): an ICMP echo request in a frame of @size bytes, and the reply to it."""
    ask = Ether(src=mac(source), dst=mac(target)) / IP(src=f"10.0.0.{source}", dst=f"10.0.0.{target}", flags="DF")
    answer = Ether(src=mac(target), dst=mac(source)) / IP(src=f"10.0.0.{target}", dst=f"10.0.0.{source}", flags="DF")
    echo = {"id": source, "seq": number & 0xFFFF}
    data = ramp(number, size - 42)
    return raw(ask / ICMP(type=8, **echo) / data), raw(answer / ICMP(type=0, **echo) / data)


def arp(source, target):
    """(question, answer): who has the address of @target?"""
    ask = Ether(src=mac(source), dst="ff:ff:ff:ff:ff:ff") / ARP(
        op=1, hwsrc=mac(source), psrc=f"10.0.0.{source}", pdst=f"10.0.0.{target}"
    )
    answer = Ether(src=mac(target), dst=mac(source)) / ARP(
        op=2, hwsrc=mac(target), psrc=f"10.0.0.{target}", hwdst=mac(source), pdst=f"10.0.0.{source}"
    )
    return padded(ask), padded(answer)


def padded(layers, size=SHORTEST):
    """Layers or bytes as a frame of at least @size bytes."""
    frame = layers if isinstance(layers, bytes) else raw(layers)
    return frame + bytes(max(0, size - len(frame)))


def ether(source, target):
    return Ether(src=mac(source), dst=target if isinstance(target, str) else mac(target))


def kinds(source, target, size):
    """{name: frame of @size bytes} of each protocol that the parser knows and that fits."""
    e = ether(source, target)
    ip, ip6 = IP(src=f"10.0.0.{source}", dst=f"10.0.0.{target}"), IPv6(src=f"fd00::{source}", dst=f"fd00::{target}")
    vlan = Dot1Q(vlan=5, prio=3)
    plain = {
        "udp": e / ip / UDP(sport=1, dport=2),
        "tcp": e / ip / TCP(sport=1, dport=2, flags="S"),
        "icmp": e / ip / ICMP(),
        "sctp": e / IP(src=ip.src, dst=ip.dst, proto=132) / b"abcdefgh",
        "ip options": e / IP(src=ip.src, dst=ip.dst, options=[]) / UDP(),
        "first fragment": e / IP(src=ip.src, dst=ip.dst, flags="MF") / UDP(),
        "later fragment": e / IP(src=ip.src, dst=ip.dst, frag=100) / b"abcdefgh",
        "udp6": e / ip6 / UDP(sport=1, dport=2),
        "tcp6": e / ip6 / TCP(sport=1, dport=2),
        "icmp6": e / ip6 / ICMPv6EchoRequest(),
        "hop by hop": e / ip6 / IPv6ExtHdrHopByHop() / UDP(),
        "fragment6": e / ip6 / IPv6ExtHdrFragment(offset=10) / b"abcdefgh",
        "two extensions": e / ip6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / UDP(),
        "arp": e / ARP(psrc=ip.src, pdst=ip.dst),
        "vlan udp": e / vlan / ip / UDP(),
        "vlan tcp6": e / vlan / ip6 / TCP(),
        "vlan arp": e / vlan / ARP(psrc=ip.src, pdst=ip.dst),
        "qinq": e / Dot1AD(vlan=7) / Dot1Q(vlan=5) / ip / UDP(),
        "unknown type": raw(e)[:12] + b"\x88\xb5",
        "llc": raw(e)[:12] + b"\x00\x2e",
    }
    built = {name: padded(layers, size) for name, layers in plain.items()}
    return {name: frame for name, frame in built.items() if len(frame) == size}


def wrong_but_forwarded(source, target):
    """[(name, frame, counts as a wrong length, as a wrong version)]: headers fit, so a switch passes it on."""
    e = ether(source, target)
    return [
        (name, padded(layers), length, version)
        for name, layers, length, version in [
            ("version 0", e / IP(version=0) / UDP(), 0, 1),
            ("version 6 in 0800", e / IP(version=6) / UDP(), 0, 1),
            ("total length beyond the frame", e / IP(len=1500) / UDP(), 1, 0),
            ("total length below the header", e / IP(len=10) / UDP(), 1, 0),
            ("header checksum", e / IP(chksum=1) / UDP(), 0, 0),
            ("udp checksum", e / IP() / UDP(chksum=1), 0, 0),
            ("udp length", e / IP() / UDP(len=9999), 0, 0),
            ("tcp data offset 0", e / IP() / TCP(dataofs=0), 0, 0),
            ("icmp checksum", e / IP() / ICMP(chksum=1), 0, 0),
            ("ipv6 version 0", e / IPv6(version=0) / UDP(), 0, 1),
            ("ipv6 payload beyond the frame", e / IPv6(plen=9999) / UDP(), 1, 0),
            ("arp of zeroes", raw(e)[:12] + b"\x08\x06", 0, 0),
            ("arp of odd hardware", raw(e)[:12] + b"\x08\x06\0\7\x08\0\x08\x08\0\1", 0, 0),
            ("three tags", e / Dot1Q() / Dot1Q() / Dot1Q() / IP() / UDP(), 0, 0),
        ]
    ]


def wrong_checksums(source, target):
    """[(name, frame)] with checksums that a NIC looks at and finds wrong."""
    e, tag, ip, ip6 = ether(source, target), Dot1Q(vlan=5), IP(chksum=1), IPv6()
    return [
        (name, padded(layers))
        for name, layers in [
            ("ip", e / ip / UDP()),
            ("udp", e / IP() / UDP(chksum=1)),
            ("tcp", e / IP() / TCP(chksum=1)),
            ("ip and udp", e / ip / UDP(chksum=1)),
            ("ip of a fragment", e / IP(chksum=1, flags="MF") / UDP()),
            ("vlan ip", e / tag / ip / UDP()),
            ("vlan udp", e / tag / IP() / UDP(chksum=1)),
            ("udp6", e / ip6 / UDP(chksum=1)),
            ("tcp6", e / ip6 / TCP(chksum=1)),
            ("udp6 behind an extension", e / ip6 / IPv6ExtHdrHopByHop() / UDP(chksum=1)),
            ("ip of 1,514 bytes", e / ip / UDP() / bytes(1472)),
        ]
    ]


def malformed(source, target):
    """[(name, frame, drop reason)]: a header does not fit the frame, or has no sense."""
    e = ether(source, target)
    ip = {"src": "10.0.0.1", "dst": "10.0.0.2"}
    return [
        (name, padded(layers), reason)
        for name, layers, reason in [
            *((f"ihl {n}", e / IP(ihl=n, **ip) / UDP(), "parse_ipv4_ihl") for n in range(5)),
            ("vlan, ip of zeroes", raw(e)[:12] + b"\x81\0\0\5\x08\0", "parse_ipv4_ihl"),
            ("ihl beyond the frame", e / IP(ihl=15, **ip) / UDP(), "parse_ipv4"),
            ("arp addresses beyond the frame", raw(e)[:12] + b"\x08\x06\0\1\x08\0\x10\x10\0\1", "parse_arp"),
            ("ipv6 behind two tags", raw(e / Dot1AD() / Dot1Q() / IPv6(nh=59))[:60], "parse_ipv6"),
            ("ipv6 extension beyond the frame", e / IPv6(nh=0) / b"\x3b\xff\0\0\0\0", "parse_ipv6_ext"),
            ("ipv6 extension cut", e / Dot1Q() / IPv6(nh=43) / b"\0", "parse_ipv6_ext"),
            ("ipv6 extensions without end", padded(raw(e / IPv6(nh=0)), 54 + 200), "parse_ipv6_ext"),
            ("tcp options beyond the frame", e / IP(**ip) / TCP(dataofs=15), "parse_tcp"),
            ("tcp header beyond the frame", e / IP(ihl=10, proto=6, **ip) / bytes(20), "parse_tcp"),
            ("udp header beyond the frame", e / IP(ihl=11, proto=17, **ip) / bytes(24), "parse_udp"),
            ("icmp header beyond the frame", e / IP(ihl=11, proto=1, **ip) / bytes(24), "parse_icmp"),
            ("icmp6 header beyond the frame", e / Dot1Q() / IPv6(nh=58, plen=2) / b"\1\2", "parse_icmp"),
        ]
    ]
