# SPDX-License-Identifier: MIT
"""A switch of three ports: learning, moving, ageing, flooding, and what rules say instead"""

import re

import pytest

import frames
from frames import mac, numbered, padded
from weir import Weir, expect, expect_match

A, B, C = 1, 2, 3  # stations behind nic0, nic1, nic2


@pytest.fixture
def weir(lab):
    """Three ports, nothing learnt, one rule."""
    weir = lab.get(nics=3, smp=2)
    weir.quiet("bridge fdb flush", "ovs-ofctl del-flows sw0", "ovs-ofctl add-flow sw0 priority=0,actions=NORMAL")
    return weir.wait_links()


def fdb(weir):
    """{address: port}"""
    rows = re.findall(r"^(\S+) dev (\S+) (?:vlan \d+ )?used \d+ master sw0$", weir.sh("bridge fdb show"), re.MULTILINE)
    return dict(rows)


# --- learning ---------------------------------------------------------------------------------------------------------


def test_learning(weir):
    weir.arrives(0, numbered(A, B, 1), [1, 2])  # B is nowhere yet
    expect(fdb(weir), {mac(A): "nic0"}, "addresses learnt from the first frame")
    weir.arrives(1, numbered(B, A, 2), [0])
    expect(fdb(weir), {mac(A): "nic0", mac(B): "nic1"}, "addresses learnt from the answer")
    weir.arrives(0, numbered(A, B, 3), [1])
    weir.arrives(2, numbered(C, A, 4), [0])
    with weir.dropping(same_port=1):
        weir.send(1, numbered(C + 1, B, 5))  # a neighbour of B, on B's side
        weir.carry([(1, 0, "after", numbered(B, A, 6))])


def test_groups_are_flooded(weir):
    for target in ("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01"):
        frame = padded(bytes.fromhex(target.replace(":", "")) + frames.mac_bytes(A) + b"\x88\xb5")
        for _ in range(3):  # the first asks the slow path, the others do not
            weir.arrives(0, frame, [1, 2])
    group_source = padded(frames.mac_bytes(A) + bytes.fromhex("030000000001") + b"\x88\xb5")
    weir.arrives(1, group_source, [0])
    expect(fdb(weir), {mac(A): "nic0"}, "addresses learnt; a group address sends nothing")


def test_flood_counts_copies(weir):
    before = ports(weir)
    for number in range(50):
        weir.send(0, numbered(A, C + 9, number))
    seen = weir.hush(0.5)
    expect(len(seen), 100, "frames that came of 50 flooded to two ports")
    new = {name: [a - b for a, b in zip(row, before[name])] for name, row in ports(weir).items()}
    expect(new["nic0"][:4], [50, 50, 100, 0], "nic0: in, created, forwarded, dropped")
    expect((new["nic1"][6], new["nic2"][6]), (50, 50), "out by nic1 and nic2")


def ports(weir):
    """{port: [in, created, forwarded, dropped, offered, taken, out, dropped, given]}, all cores together."""
    total = {}
    for line in weir.sh("ports").splitlines()[1:-1]:
        name, _, *row = line.replace("|", "").split()
        total[name] = [a + int(b) for a, b in zip(total.get(name, [0] * 9), row)]
    return total


def test_station_moves(weir):
    weir.arrives(0, numbered(A, 99, 0), [1, 2])
    weir.arrives(1, numbered(B, A, 1), [0])
    weir.arrives(0, numbered(A, B, 2), [1])
    moved = weir.counter("net.fdb_moved")
    weir.arrives(2, numbered(B, A, 3), [0])  # B speaks up behind nic2
    expect(fdb(weir)[mac(B)], "nic2", "where B is now")
    expect(weir.counter("net.fdb_moved") - moved, 1, "moves counted")
    weir.arrives(0, numbered(A, B, 4), [2])  # also by the cache that knew better


def test_vlans_learn_apart(weir):
    weir.arrives(1, frames.kinds(B, A, 100)["vlan udp"], [0, 2])
    weir.arrives(0, frames.kinds(A, B, 100)["vlan udp"], [1])
    weir.arrives(0, frames.kinds(A, B, 100)["udp"], [1, 2])  # untagged, B is unknown
    expect_match(rf"^{mac(B)} dev nic1 vlan 5 ", weir.sh("bridge fdb show"), "bridge fdb")


def test_ageing(weir):
    """A silent station is forgotten, one that speaks is not, also when only the cache sees it."""
    before = weir.sh("sysctl -n net.bridge.ageing_seconds").strip()
    weir.sh("sysctl net.bridge.ageing_seconds=2")
    weir.arrives(0, numbered(A, 99, 1), [1, 2])
    weir.arrives(1, numbered(B, A, 2), [0])

    def b_gone(text):
        weir.send(0, numbered(A, A + 1000, 3))
        weir.hush(0.05)
        return mac(B) not in text and text

    text = weir.wait_sh("bridge fdb show", b_gone, "B, which is silent, to be forgotten", 20)
    assert mac(A) in text, f"expected A, which speaks, to be kept, saw\n{text}"
    weir.arrives(0, numbered(A, B, 4), [1, 2])
    weir.sh(f"sysctl net.bridge.ageing_seconds={before}")


def test_table_limit(weir):
    before = weir.sh("sysctl -n net.bridge.fdb_limit").strip()
    weir.sh("sysctl net.bridge.fdb_limit=4")
    full = weir.counter("net.fdb_full")
    for station in range(10):
        weir.arrives(0, numbered(100 + station, 99, station), [1, 2])
    expect(len(fdb(weir)), 4, "addresses kept with a limit of 4")
    expect(weir.counter("net.fdb_full") - full, 6, "addresses refused")
    weir.sh(f"sysctl net.bridge.fdb_limit={before}")


def test_flush(weir):
    weir.arrives(0, numbered(A, 99, 1), [1, 2])
    weir.quiet("bridge fdb flush br sw0")
    expect(fdb(weir), {}, "addresses after a flush")
    weir.arrives(1, numbered(B, A, 2), [0, 2])


# --- rules ------------------------------------------------------------------------------------------------------------


def rules(weir):
    """{the rule's text: (packets, bytes)}"""
    rows = re.findall(r"n_packets=(\d+), n_bytes=(\d+), (.*)$", weir.sh("ovs-ofctl dump-flows sw0"), re.MULTILINE)
    return {text: (int(packets), int(bytes_)) for packets, bytes_, text in rows}


def test_rules_by_priority(weir):
    """The highest that matches decides; what it dropped and passed on is counted exactly."""
    weir.quiet(
        "ovs-ofctl add-flow sw0 priority=10,in_port=1,actions=output:3",
        "ovs-ofctl add-flow sw0 priority=20,in_port=1,udp,tp_dst=5000,actions=drop",
        'ovs-ofctl add-flow sw0 "priority=30, in_port=nic0, udp, tp_src=1031 actions=output:2"',
    )
    other = frames.kinds(A, B, 100)["tcp"]
    with weir.dropping(rule=20):
        for number in range(20):
            weir.send(0, numbered(A, B, number, flow=1))
        weir.carry([(0, 2, "tcp", other)])
        weir.carry([(0, 1, "flow 7", numbered(A, B, number, flow=7, size=80)) for number in range(30)], 8)
        weir.arrives(1, numbered(B, A, 1), [0, 2])
    seen = {text.partition(" actions")[0]: counts for text, counts in rules(weir).items()}
    counts = sorted(seen.values())
    expect(counts, sorted([(1, 100), (20, 1200), (30, 2400), (1, 60)]), f"packets and bytes of the rules {list(seen)}")
    order = re.findall(r"priority=(\d+)", weir.sh("ovs-ofctl dump-flows sw0"))
    expect(order, ["30", "20", "10", "0"], "priorities in the order of dump-flows")


def test_rule_takes_effect_on_a_known_flow(weir):
    """The cache knows a flow already; a new rule holds for its next packet, and so does its end."""
    weir.quiet("ovs-ofctl add-flow sw0 priority=1,in_port=1,actions=output:2")
    weir.carry([(0, 1, "one", numbered(A, B, n)) for n in range(10)])
    weir.quiet("ovs-ofctl add-flow sw0 priority=9,udp,nw_src=10.0.0.0/24,actions=drop")
    with weir.dropping(rule=5):
        for n in range(5):
            weir.send(0, numbered(A, B, n))
        weir.carry([(0, 1, "tcp6", frames.kinds(A, B, 100)["tcp6"])])
    weir.quiet("ovs-ofctl del-flows sw0 udp,nw_src=10.0.0.0/24")
    weir.carry([(0, 1, "one", numbered(A, B, n)) for n in range(10)])


@pytest.mark.parametrize(
    "match, kind",
    [
        ("arp", "arp"), ("arp,arp_tpa=10.0.0.2", "arp"), ("icmp", "icmp"), ("icmp6", "icmp6"), ("tcp,tp_dst=2", "tcp"),
        ("udp,tp_src=1", "udp"), ("udp6,ipv6_src=fd00::1", "udp6"), ("ipv6,ipv6_dst=fd00::/16", "tcp6"),
        ("dl_vlan=5", "vlan udp"), ("dl_vlan=5,arp", "vlan arp"), ("dl_type=0x88b5", "unknown type"),
        ("dl_src=02:00:00:00:00:01,ip,nw_proto=132", "sctp"), ("ip,nw_dst=10.0.0.0/30", "tcp"),
    ],
)  # fmt: skip
def test_rule_matches_its_kind(weir, match, kind):
    """What a rule names goes by nic2, everything else as if it were not there."""
    weir.quiet(
        "ovs-ofctl add-flow sw0 priority=1,in_port=1,actions=output:2",
        f"ovs-ofctl add-flow sw0 priority=5,{match},actions=output:3",
    )
    kinds = frames.kinds(A, B, 120)
    weir.carry([(0, 2, kind, kinds[kind])])
    strangers = {"arp": "udp", "vlan udp": "udp", "vlan arp": "arp", "unknown type": "llc"}
    other = strangers.get(kind, "arp")
    weir.carry([(0, 1, other, kinds[other])])


def test_actions(weir):
    frame = numbered(A, B, 1)
    for actions, outs in (
        ("in_port", [0]), ("all", [1, 2]), ("flood", [1, 2]), ("normal", [1, 2]), ("output:2,output:3", [1, 2]),
        ("output:nic2", [2]),
    ):  # fmt: skip
        weir.quiet(f"ovs-ofctl add-flow sw0 priority=7,in_port=1,actions={actions}")
        weir.arrives(0, frame, outs)
    weir.quiet("ovs-ofctl add-flow sw0 priority=7,in_port=1,actions=output:1")
    with weir.dropping(same_port=1):
        weir.arrives(0, frame, [])
    weir.quiet("ovs-ofctl del-flows sw0")
    with weir.dropping(no_rule=1):
        weir.arrives(0, frame, [])


@pytest.mark.parametrize(
    "rule, wrong",
    [
        ("priority=100,in_port=nic9,actions=drop", "nic9"),
        ("priority=100,nw_src=10.0.0.1,actions=drop", "nw_src"),
        ("priority=100,frob=1,actions=drop", "frob=1"),
        ("priority=x,actions=drop", "x"),
        ("priority=1,actions=explode", "explode"),
        ("priority=1,ip", ""),
    ],
)
def test_wrong_rules_are_answered_with_the_column(weir, rule, wrong):
    """The column is that of the wrong token within the rule; without one, that of the end."""
    before, line = rules(weir), f"ovs-ofctl add-flow sw0 {rule}"
    found = expect_match(r"^col (\d+): expected .*, found (.*)$", weir.sh(line), f"answer to '{line}'")
    expect(int(found[1]), (line.index(wrong, 23) if wrong else len(line)) + 1, f"column of {wrong!r}")
    expect(found[2], f"'{wrong}'" if wrong else "the end of the line", f"what was found in '{line}'")
    expect(rules(weir), before, "rules after a wrong one")


def test_too_many_rules(weir):
    for number in range(255):
        weir.quiet(f"ovs-ofctl add-flow sw0 priority={number + 1},in_port=1,tcp,tp_dst={number},actions=drop")
    said = weir.sh("ovs-ofctl add-flow sw0 priority=300,arp,actions=drop")
    assert "256" in said, f"expected the limit of 256 rules to be named, saw {said!r}"
    expect(len(rules(weir)), 256, "rules")


# --- flows, switches --------------------------------------------------------------------------------------------------


def test_flows_are_shown(weir):
    weir.quiet("ovs-ofctl add-flow sw0 priority=1,in_port=1,actions=output:2")
    weir.carry([(0, 1, "one", numbered(A, B, n, flow=9, size=100)) for n in range(25)], 1)
    weir.carry([(0, 1, "six", frames.kinds(A, B, 100)["udp6"]), (0, 1, "tag", frames.kinds(A, B, 100)["vlan udp"])], 1)
    flows = weir.sh("ovs-dpctl dump-flows")
    mine = expect_match(r"^recirc_id\(0\),in_port\(1\),.*udp\(src=1033,dst=5000\).*$", flows, "flow of 25 packets")[0]
    for part in (
        f"eth(src={mac(A)},dst={mac(B)})", "eth_type(0x0800)", "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,frag=no)",
        "packets:25, bytes:2500, used:", "actions:2",
    ):  # fmt: skip
        assert part in mine, f"expected {part} in the flow, saw {mine}"
    expect_match(r"^.*eth_type\(0x86dd\),ipv6\(src=fd00::1,dst=fd00::2,.*actions:2$", flows, "the flow of IPv6")
    expect_match(r"^.*vlan\(vid=5,pcp=3\).*actions:2$", flows, "the flow with a tag")


def test_thousand_flows(weir):
    """More flows than packets of each: the shared table and the caches keep them apart, rules count them all."""
    weir.quiet("ovs-ofctl add-flow sw0 priority=1,in_port=1,actions=output:2")
    sent = [(0, 1, n % 1000, numbered(A, B, n, flow=n % 1000)) for n in range(3000)]
    weir.carry(sent)
    counts = [counts for text, counts in rules(weir).items() if "output" in text]
    expect(counts, [(3000, 180000)], "packets and bytes of the rule that 1,000 flows go by")
    shown = int(re.search(r"flows: (\d+)", weir.sh("ovs-dpctl show"))[1])
    assert shown >= 1000, f"expected 1,000 flows and more in the table, saw {shown}"


def test_switches_are_apart():
    """Two switches: what enters one never leaves by the other; a port in none drops what it gets."""
    config = ["add-br one", "add-br two", "add-port one nic0 nic1", "add-port two nic2 nic3"]
    config = "".join(f"ovs-vsctl {line}\n" for line in config) + "ip link set nic* up\n"
    with Weir(nics=5, config=config) as weir:
        weir.wait_links()
        group = padded(b"\xff" * 6 + frames.mac_bytes(A) + b"\x88\xb5")
        weir.arrives(0, group, [1])
        weir.arrives(3, group, [2])
        with weir.dropping(no_switch=1):
            weir.arrives(4, group, [])
        weir.quiet("ovs-vsctl del-port two nic3", "ovs-vsctl add-port one nic3")
        weir.arrives(0, group, [1, 3])
        with weir.dropping(no_output=1):
            weir.arrives(2, group, [])
        weir.quiet("ovs-vsctl del-br one")
        expect(weir.sh("ovs-vsctl list-br"), "two\n", "switches left")
        with weir.dropping(no_switch=1):
            weir.arrives(0, group, [])
        weir.audit()
        weir.poweroff()
