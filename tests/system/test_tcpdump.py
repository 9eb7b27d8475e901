# SPDX-License-Identifier: MIT
"""tcpdump, captures and tc's filters: what passes is seen as the host's own tcpdump and tshark see it"""

import os
import re
import struct
import subprocess

import pytest

from frames import ether, kinds, mac, malformed, numbered, padded
from scapy.all import ARP, IP, UDP, IPv6, raw, rdpcap
from weir import expect, expect_in, expect_match

A, B = 1, 2  # stations behind nic0 and nic1
ARP_ALONE = "4,40 0 0 12,21 0 1 2054,6 0 0 4294967295,6 0 0 0"
CTRL_C = b"\x03"
# what tcpdump looks into and Weir does not
NOT_ALIKE = {"sctp", "later fragment", "llc", "ip options", "first fragment", "hop by hop", "two extensions"}
NOT_ALIKE |= {"vlan udp", "vlan tcp6", "qinq"}


@pytest.fixture
def weir(lab):
    weir = lab.get(nics=2, host=True)
    weir.quiet("ip link set nic* up")
    weir.wait_links()
    weir.hush(0.05)
    return weir


def capture(weir, line, traffic):
    """What `tcpdump` prints while traffic() happens; Ctrl-C ends it, unless it ends by itself."""
    start = len(weir.console)
    weir.type(line)
    weir.wait_until(lambda: "listening on" in weir.text(start) or None, 30, f"'{line}' to listen")
    traffic()
    weir.serial.sendall(CTRL_C)

    def end():
        text = weir.text(start)
        return text if re.search(r"packets? dropped by kernel\nweir# ", text) else None

    text = weir.wait_until(end, 60, f"the end of '{line}'")
    return text.partition("bytes\n")[2].partition("\nweir# ")[0]


def lines_of(text):
    """The lines of packets, without the sums at the end."""
    return re.split(r"^\d+ packets? captured$", text, flags=re.MULTILINE)[0]


def sums_of(text):
    pattern = r"(\d+) packets? captured\n(\d+) packets? received by filter\n(\d+) packets? dropped by kernel"
    return tuple(int(n) for n in expect_match(pattern, text, "sums").groups())


def host_tcpdump(path, *options):
    """What the host's own tcpdump prints of a capture."""
    env = {**os.environ, "TZ": "UTC"}
    done = subprocess.run(["tcpdump", "-n", "-r", path, *options], capture_output=True, text=True, env=env, timeout=60)
    expect(done.returncode, 0, f"status of tcpdump -r: {done.stderr}")
    return done.stdout


def tshark(path, *options):
    done = subprocess.run(["tshark", "-n", "-r", path, *options], capture_output=True, text=True, timeout=120)
    complaints = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    expect((done.returncode, complaints), (0, []), f"what tshark says of {path}")
    return done.stdout


def carry(weir, frames):
    """@frames from station A arrive at nic1, as they are."""
    weir.carry([(0, 1, 0, frame) for frame in frames], window=16)


# --- lines ------------------------------------------------------------------------------------------------------------


def test_lines_are_those_of_the_hosts_tcpdump(weir):
    """The same frames printed by Weir and, from Weir's capture of them, by tcpdump; plain, -e and -v."""
    frames = [frame for name, frame in kinds(A, B, 100).items() if name not in NOT_ALIKE]
    for option in ("-n", "-ne", "-nv", "-nev", "-nxx", "-nX"):
        printed = lines_of(capture(weir, f"tcpdump -t {option} -Q in", lambda: carry(weir, frames)))
        capture(weir, "tcpdump -Q in -w lines.pcapng", lambda: carry(weir, frames))
        expected = host_tcpdump(os.path.join(weir.host, "lines.pcapng"), "-t", option)
        for seen, wanted in zip(printed.splitlines(), expected.splitlines()):
            expect(seen, wanted, f"line with {option}")
        expect(printed.count("\n"), expected.count("\n"), f"lines with {option}")


def odd_ones():
    """ICMP of each type and code, ARP of each operation and of strange lengths, protocols that are none."""
    e, quoted = ether(A, B), raw(IP(src="10.0.0.2", dst="10.0.0.1") / UDP(sport=5, dport=6) / b"xx")
    codes = {3: 17, 5: 6, 11: 4, 12: 3}
    for kind in (0, 3, 4, 5, 8, 10, 11, 12, 13, 15, 16, 17, 18, 42):
        for code in range(codes.get(kind, 1)):
            said = struct.pack("!BBHHH", kind, code, 0, 0x0A00, 9) + quoted
            yield padded(e / IP(src="10.0.0.1", dst="10.0.0.2", proto=1) / said)
    for op in (*range(6), 8, 9, 11):
        yield padded(e / ARP(op=op, hwsrc=mac(A), hwdst=mac(B), psrc="10.0.0.1", pdst="10.0.0.2"))
    for wrong in ({"hwtype": 99}, {"ptype": 0x9400}, {"ptype": 0x86DD}, {"plen": 3}, {"hwlen": 0}):
        yield padded(e / ARP(psrc="10.0.0.1", pdst="10.0.0.2", **wrong))
    yield padded(e / IP(src="10.0.0.1", dst="10.0.0.2", proto=59) / b"abc")
    yield padded(e / IPv6(src="fd00::1", dst="fd00::2", nh=59) / b"abc")


def test_odd_ones_are_told_as_the_hosts_tcpdump_tells_them(weir):
    frames = list(odd_ones())
    for option in ("-n", "-ne", "-nX", "-nv"):
        if option == "-nv":
            frames = [frame for frame in frames if frame[12:14] != b"\x08\x06"]
        printed = lines_of(capture(weir, f"tcpdump -t {option} -Q in", lambda: carry(weir, frames)))
        capture(weir, "tcpdump -Q in -w odd.pcapng", lambda: carry(weir, frames))
        expected = host_tcpdump(os.path.join(weir.host, "odd.pcapng"), "-t", option)
        for seen, wanted in zip(printed.splitlines(), expected.splitlines()):
            expect(seen, wanted, f"line with {option}")
        expect(printed.count("\n"), expected.count("\n"), f"lines with {option}")


def test_protocols_have_tcpdumps_names(weir):
    """All 256 numbers; what stands behind the header is another matter."""
    frames = [padded(ether(A, B) / IP(src="10.0.0.1", dst="10.0.0.2", proto=number, frag=1) / b"abc") for number in range(256)]
    names = re.compile(r"proto (.* \(\d+\)), length")
    capture(weir, "tcpdump -Q in -w names.pcapng", lambda: carry(weir, frames))
    expected = names.findall(host_tcpdump(os.path.join(weir.host, "names.pcapng"), "-t", "-nv"))
    printed = names.findall(capture(weir, "tcpdump -t -nv -Q in", lambda: carry(weir, frames)))
    expect(len(expected), 256, "names that the host's tcpdump prints")
    expect(printed, expected, "names of protocols")


def test_both_ports_in_the_order_of_the_path(weir):
    """Each frame: in by nic0, out by nic1; and each side alone."""
    frames = [numbered(A, B, n) for n in range(20)]

    def one_by_one():
        for frame in frames:
            carry(weir, [frame])

    text = capture(weir, "tcpdump -i any -t", one_by_one)
    seen = re.findall(r"^(nic\d)  (\w+) +IP 10.0.0.1.1024 > 10.0.0.2.5000: UDP, length 18$", text, re.MULTILINE)
    expect(seen, [("nic0", "P"), ("nic1", "Out")] * len(frames), "where each was seen")
    for direction, where in (("in", "P"), ("out", "Out")):
        text = capture(weir, f"tcpdump -i any -Q {direction}", lambda: carry(weir, frames))
        expect(set(re.findall(r" nic\d  (\w+) ", text)), {where}, f"directions with -Q {direction}")
        expect(sums_of(text), (20, 20, 0), "sums")
    expect(sums_of(capture(weir, "tcpdump -i nic1 -Q in", lambda: carry(weir, frames))), (0, 0, 0), "sums of no traffic")


def test_a_count_ends_it(weir):
    text = capture(weir, "tcpdump -i nic0 -c 5", lambda: carry(weir, [numbered(A, B, n) for n in range(5)]))
    expect(sums_of(text)[0], 5, "packets captured with -c 5")


# --- filters ----------------------------------------------------------------------------------------------------------


def test_the_host_compiles_expressions(weir):
    frames = [numbered(A, B, n, port=53 if n % 3 == 0 else 9) for n in range(30)]
    text = capture(weir, "tcpdump -i nic0 udp port 53", lambda: carry(weir, frames))
    expect(sums_of(text), (10, 10, 0), "sums for every third frame")
    expect_in("expression", weir.sh("tcpdump -i nic0 port udp 53"), "what is said of a wrong expression")


def test_a_program_instead_of_an_expression(lab):
    """Where nobody is at the host's end, it says so and takes a program; damaged ones are refused with the reason."""
    weir = lab.get(nics=2, files={"arp.bpf": ARP_ALONE.replace(",", "\n").encode()})
    weir.wait_links()
    expect_in("this machine has no second serial port", weir.sh("tcpdump -i nic0 arp"), "answer without a host")
    expect_in("--bytecode", weir.sh("tcpdump -i nic0 arp"), "the other way")
    frames = [kinds(A, B, 60)[name] for name in ("udp", "arp", "tcp")]
    for program in (f"--bytecode '{ARP_ALONE}'", "--bytecode-file arp.bpf"):
        text = capture(weir, f"tcpdump -i nic0 {program}", lambda: carry(weir, frames))
        expect(sums_of(text), (1, 1, 0), f"sums with {program}")
        expect_in("ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 46", text, "the frame that it wants")
    for program, why in (
        ("2,40 0 0 12,21 0 1 2054", "a jump behind the end"),
        ("1,40 0 0 12", "the last instruction is no return"),
        ("2,52 0 0 0,6 0 0 0", "instruction 0: a division by zero"),
        ("rubbish", "it does not begin with a number of instructions"),
    ):
        expect_in(why, weir.sh(f"tcpdump -i nic0 --bytecode '{program}'"), f"answer to {program}")
    expect_in("no file none.bpf in the boot archive", weir.sh("tcpdump --bytecode-file none.bpf"), "answer")


# --- captures ---------------------------------------------------------------------------------------------------------


def test_tshark_opens_a_capture(weir):
    """Frame by frame what was sent, each with its interface, direction, stamp and length, and no complaint."""
    frames = [numbered(A, B, n, size=60 + 29 * n) for n in range(50)]
    text = capture(weir, "tcpdump -i any -w cap.pcapng", lambda: carry(weir, frames))
    expect(sums_of(text), (100, 100, 0), "sums")
    path = os.path.join(weir.host, "cap.pcapng")
    seen = sorted(bytes(packet) for packet in rdpcap(path))
    expect(seen, sorted(frames * 2), "frames in the capture")
    fields = ["frame.interface_name", "frame.packet_flags_direction", "frame.len"]
    rows = tshark(path, "-T", "fields", *(word for field in fields for word in ("-e", field))).splitlines()
    wanted = [f"nic0\t0x00000001\t{len(f)}" for f in frames] + [f"nic1\t0x00000002\t{len(f)}" for f in frames]
    expect(sorted(rows), sorted(wanted), "interface, direction and length, as tshark reads them")


def test_what_is_dropped_is_captured_with_its_reason(weir):
    bad = [(frame, reason) for _, frame, reason in malformed(A, B)]

    def traffic():
        for frame, _ in bad:
            weir.send(0, frame)
        carry(weir, [numbered(A, B, 1)])

    text = capture(weir, "tcpdump -i any -Q drop -w drops.pcapng", traffic)
    expect(sums_of(text), (len(bad), len(bad), 0), "sums")
    rows = tshark(os.path.join(weir.host, "drops.pcapng"), "-T", "fields", "-e", "frame.comment").splitlines()
    expect(rows, [f"dropped: {reason}" for _, reason in bad], "reasons in the capture")


def test_a_stamped_packet_carries_its_times(weir):
    """As a comment that tshark shows: points in the order of the path, seen on the way in and on the way out; others have none."""
    frames = [numbered(A, B, n) for n in range(10)]

    def one_by_one():
        for frame in frames:
            carry(weir, [frame])

    weir.arrives(1, numbered(B, A, 0), [0])  # the stations are known: what floods has no flow
    weir.arrives(0, numbered(A, B, 0), [1])
    capture(weir, "tcpdump -i any -w plain.pcapng", one_by_one)
    weir.quiet("trace path on 1")
    capture(weir, "tcpdump -i any -w stamped.pcapng", one_by_one)
    weir.quiet("trace path off", "trace path reset")
    fields = ("-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment")
    comments = [row.partition("\t") for row in tshark(os.path.join(weir.host, "plain.pcapng"), *fields).splitlines()]
    expect({comment for _, _, comment in comments}, {""}, "comments where nothing is stamped")
    rows = [row.partition("\t") for row in tshark(os.path.join(weir.host, "stamped.pcapng"), *fields).splitlines()]
    stamped = [(port, comment) for port, _, comment in rows if comment]
    assert {port for port, _ in stamped} == {"nic0", "nic1"}, f"expected stamps on both ways, saw {rows}"
    assert len(stamped) >= len(frames), f"expected most packets stamped on both ways, saw {rows}"
    for port, comment in stamped:
        expect_match(r"^stamped \d+: (hard_irq|poll) at \d+\.\d{9} s on core 0, ", comment, f"the beginning at {port}")
        points = ["descriptor_done", "__netif_receive_skb"]
        points += ["ovs_vport_receive", "ovs_dp_process_packet", "ovs_vport_send"] if port == "nic1" else []
        times = [float(expect_match(rf", {point} \+(\d+\.\d{{3}}) us", comment, f"{point} at {port}")[1]) for point in points]
        expect(times, sorted(times), f"times of {comment}")


def test_names_stay_in_the_directory(weir):
    for name in ("../up", "/etc/up", ".hidden", "a/b", ""):
        expect_in("a file on the host has a name of", weir.sh(f"tcpdump -i nic0 -w '{name}'"), f"answer to '{name}'")


# --- tc ---------------------------------------------------------------------------------------------------------------


def test_an_ingress_filter_drops_and_counts(weir):
    """ARP goes no further, all else does; the tap in front of it sees both; show config rebuilds it."""
    all_kinds = kinds(A, B, 60)
    line = f"tc filter add dev nic0 ingress pref 10 bpf bytecode '{ARP_ALONE}' action drop"
    expect_in("nic0 has no hook", weir.sh(line), "answer without clsact")
    weir.quiet("tc qdisc add dev nic0 clsact", line)
    expect_in("qdisc clsact ffff: dev nic0 parent ffff:fff1\n", weir.sh("tc qdisc show dev nic0"), "tc qdisc show")
    expect_in(line, weir.sh("show config"), "show config")

    def traffic():
        weir.send(0, all_kinds["arp"])
        weir.arrives(0, all_kinds["udp"], [1])

    with weir.dropping(filter=1):
        text = capture(weir, "tcpdump -i nic0 -Q in", traffic)
    expect(sums_of(text), (2, 2, 0), "sums of the tap")
    shown = weir.sh("tc -s filter show dev nic0 ingress")
    expect_in("Sent 60 bytes 1 pkt (dropped 1,", shown, "statistics")
    weir.quiet("tc filter del dev nic0 ingress pref 10", "tc qdisc del dev nic0 clsact")
    weir.arrives(0, all_kinds["arp"], [1])
