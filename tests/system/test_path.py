# SPDX-License-Identifier: MIT
"""`trace path`: which points packets come by, counted; whoever else looks on at a queue, and whatever it does meanwhile"""

import re

import pytest

from frames import numbered
from guests import config, echoes, guests, line
from weir import expect, expect_in

A, B = 1, 2  # stations behind nic0 and nic1
GUEST = 2
RULES = [f"ovs-ofctl add-flow sw0 priority=1,in_port={i},actions=output:{3 - i}" for i in (1, 2)]
RECEIVED = ["poll", "descriptor_done", "__netif_receive_skb", "ovs_vport_receive", "ovs_dp_process_packet", "ovs_vport_send"]
WIRE = "netdev_start_xmit"
INTO_GUEST = ["tun_net_xmit", "handle_rx", "vhost_add_used", "inject_irq"]
WAYS = ["first point to wire", "first point to guest"]


@pytest.fixture
def weir(lab):
    weir = lab.get(nics=2, smp=1)
    weir.quiet(*RULES)
    weir.wait_links()
    weir.hush(0.05)
    weir.quiet("trace path reset")
    yield weir
    weir.quiet("trace path off", "ethtool -K nic0 gro off")


def counted(weir):
    """{point: how many} of `trace path`; each with its percentiles in order."""
    points = {}
    for line in weir.sh("trace path").splitlines()[2:]:
        name, count, *ns = re.fullmatch(r"(.{24}) +(\d+)" + r" +(\d+|-)" * 5, line).groups()
        ns = [int(n) for n in ns if n != "-"]
        expect(ns, sorted(ns), f"percentiles of {name}, and the most")
        points[name.strip()] = int(count)
    return points


def there(count, first=0):
    """Frames by nic0, one by one, so that each has a poll of its own."""
    return [(0, 1, 0, numbered(A, B, first + n)) for n in range(count)]


def test_each_poll(weir):
    weir.quiet("trace path on 1")
    weir.carry(there(200), window=1)
    points = counted(weir)
    stamped = points[WIRE]
    assert 66 <= stamped <= 200, f"a poll in one, each second one told of interrupts: expected some 100 of 200, saw {stamped}"
    for point in RECEIVED + WAYS[:1]:
        expect(points[point], stamped, f"stamped packets that came by {point}")
    assert points["hard_irq"] > stamped / 2, f"expected most polls behind an interrupt, saw {points}"
    expect(set(points), {"hard_irq", *RECEIVED, WIRE, WAYS[0]}, "points")


def test_one_in_many(weir):
    weir.quiet("trace path on 16")
    weir.carry(there(800), window=1)
    weir.quiet("trace path off")
    stamped = counted(weir)[WIRE]
    assert 40 <= stamped <= 50, f"expected one of 16 polls of at least 800 stamped, saw {stamped}"
    weir.carry(there(100, 1000), window=1)
    expect(counted(weir)[WIRE], stamped, "stamped packets, now that none is")


def test_others_look_on_as_well(weir):
    """Measured at the same time, merged by GRO or not: whatever comes or goes, the rest stays."""
    seen = 0
    weir.quiet("trace path on 1", "napi measure on")
    for n, change in enumerate(["gro on", "gro off", "gro on"]):
        weir.quiet(f"ethtool -K nic0 {change}")
        weir.carry(there(60, 100 * n), window=1)
        now = counted(weir)[WIRE]
        assert now > seen, f"{change}: expected more stamped packets than {seen}, saw {now}"
        seen = now
    weir.quiet("trace path off")
    weir.carry(there(60, 1000), window=1)  # merged still, so none is kept
    expect(counted(weir)[WIRE], seen, "stamped packets, now that none is")
    waited = re.findall(r"^nic0-TxRx-\d, nanoseconds a packet waited for its poll: (\d+)", weir.sh("napi histogram"), re.MULTILINE)
    weir.quiet("napi measure off")
    expect(sum(map(int, waited)), 240, "packets whose wait was measured")


def test_commands_change_queues_meanwhile(weir):
    """Registers traced, MSI for MSI-X, down and up: a queue's own functions change under the layer."""
    changes = ["trace nic0 regs on", "trace nic0 regs off", "ethtool -L nic0 combined 1", "ip link set nic0 down"]
    weir.quiet("trace path on 1")
    for n, change in enumerate(changes):
        seen = counted(weir).get("hard_irq", 0)
        weir.quiet(change)
        if change.endswith("down"):
            weir.quiet("ip link set nic0 up")
            weir.wait_links()
        weir.carry(there(60, 100 * n), window=1)
        now = counted(weir)["hard_irq"]
        assert now > seen, f"{change}: expected more interrupts seen than {seen}, saw {now}"


@pytest.fixture
def guest(lab):
    weir = lab.get(nics=1, smp=1, config=config(line(GUEST, cpu=0)), files=("tiny",))
    guests(weir, GUEST)
    weir.quiet("trace path reset")
    yield weir
    weir.quiet("trace path off")


def test_into_a_guest_and_out(guest):
    """All points of the article's way in, and those of the way out that a guest's answer takes."""
    guest.quiet("trace path on 1", f"guest injection g{GUEST} measure on")
    guest.carry([echoes(n, GUEST) for n in range(200)], window=1)
    guest.quiet(f"guest injection g{GUEST} measure off")
    points = counted(guest)
    for point in ["hard_irq", *RECEIVED, *INTO_GUEST, "netif_rx_ni", WIRE, *WAYS]:
        assert points.get(point, 0) > 50, f"expected packets that came by {point}, saw {points}"
