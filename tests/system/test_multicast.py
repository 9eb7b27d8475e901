# SPDX-License-Identifier: MIT
"""Groups: a NIC that is in no switch takes those that it was told of, as the operator has them and Weir's addresses need"""

import pytest

from weir import expect, expect_in

CHIPS = {"igb": {}, "e1000e": {"e1000e": {0: 0x10}}, "e1000": {"e1000": {0: 0x10}}}
MINE, OTHER = "01:00:5e:00:00:05", "01:00:5e:00:00:06"
EVERYBODY, STATION = "ff:ff:ff:ff:ff:ff", "02:00:00:00:77:77"
SHARES = "01:00:5e:7f:0f:05"  # the chip's table has one bit for it and MINE


@pytest.fixture(params=CHIPS)
def weir(lab, request):
    weir = lab.get(nics=1, smp=1, config="ip link set nic0 up\n", **CHIPS[request.param])
    weir.wait_links()
    return weir


def frame(target):
    return bytes.fromhex(target.replace(":", "")) + bytes.fromhex("020000000001 88b5") + bytes(46)


def takes(weir, target):
    """Does one to @target come in, by the chip's count and ours? And does explain say so?

    A broadcast behind it says when to look. What the filter holds back is counted nowhere.
    """
    said = weir.sh(f"explain nic0 {frame(target).hex()}").splitlines()[0]
    before, packets = weir.ethtool(0), weir.dev(0)[1]
    weir.send(0, frame(target))
    weir.send(0, frame(EVERYBODY))
    came = lambda text: f"rx_broadcast: {before['rx_broadcast'] + 1}\n" in text  # noqa: E731
    weir.wait_sh("ethtool -S nic0", came, "the broadcast behind it")
    weir.wait_sh("cat /proc/net/dev", lambda text: weir.dev(0)[1] > packets, "a packet")
    after, packets = weir.ethtool(0), weir.dev(0)[1] - packets
    others = {name for name in after if after[name] != before[name] and name.endswith(("errors", "drops", "missed"))}
    expect(others, set(), f"statistics of loss that moved with a frame to {target}")
    expect(after["rx_packets"] - before["rx_packets"], packets, "frames by the chip's count")
    expect("not received" not in said, packets == 2, f"what came, where explain said {said!r}")
    return packets == 2


def heard(weir, *targets):
    return [target for target in targets if takes(weir, target)]


def test_groups_of_the_operator(weir):
    all_of_them = MINE, OTHER, SHARES, STATION
    expect(heard(weir, *all_of_them), [], "what is taken at first")
    weir.quiet(f"ip maddr add {MINE} dev nic0")
    expect(weir.sh("ip maddr show dev nic0"), f"1:\tnic0\n\tlink  {MINE} static\n", "groups")
    expect(heard(weir, *all_of_them), [MINE, SHARES], "what is taken with one group")
    expect_in(f"ip maddr add {MINE} dev nic0\n", weir.sh("show config"), "the config")
    weir.quiet("ip link set nic0 down", "ip link set nic0 up")
    weir.wait_links()
    expect(heard(weir, MINE, OTHER), [MINE], "what is taken after down and up")
    weir.quiet(f"ip maddr del {MINE} dev nic0")
    expect(heard(weir, MINE), [], "what is taken without it")
    weir.quiet("ip link set nic0 allmulticast on")
    expect_in("<BROADCAST,MULTICAST,ALLMULTI,UP,LOWER_UP>", weir.sh("ip link show nic0"), "flags")
    expect_in("ip link set nic0 allmulticast on\n", weir.sh("show config"), "the config")
    expect(heard(weir, OTHER, STATION), [OTHER], "what is taken with all groups")
    weir.quiet("ip link set nic0 allmulticast off promisc on")
    expect(heard(weir, OTHER, STATION), [OTHER, STATION], "what is taken in promiscuous mode")
    weir.quiet("ip link set nic0 promisc off")
    expect(heard(weir, OTHER), [], "what is taken in the end")


def test_groups_that_addresses_need(weir):
    """All hosts and nodes, and where its IPv6 addresses are asked for; gone with the addresses."""
    weir.quiet("ip addr add 10.9.0.1/24 dev nic0", "ip addr add fd09::12:3456/64 dev nic0", "ip addr add fd0a::12:3456/64 dev nic0")
    said = weir.sh("ip maddr show nic0")
    for line in ("01:00:5e:00:00:01", "33:33:00:00:00:01 users 3", "33:33:ff:12:34:56 users 2", "33:33:ff:00:00:0a"):
        expect_in(f"\tlink  {line}\n", said, "groups")
    needed = "01:00:5e:00:00:01", "33:33:00:00:00:01", "33:33:ff:12:34:56", "33:33:ff:00:00:0a"
    expect(heard(weir, *needed, OTHER, "33:33:ff:12:44:57"), list(needed), "what is taken")
    weir.quiet("ip addr del fd0a::12:3456/64 dev nic0", "ip addr del fd09::12:3456/64 dev nic0", "ip addr del 10.9.0.1/24 dev nic0")
    expect(weir.sh("ip maddr show nic0"), "1:\tnic0\n", "groups without addresses")
    expect(heard(weir, *needed), [], "what is taken without addresses")


def test_more_groups_than_the_table_holds(weir):
    """It takes all groups then, and goes by its table again when there is room."""
    groups = [f"01:00:5e:01:10:{n:02x}" for n in range(128)]
    weir.quiet(*(f"ip maddr add {group} dev nic0" for group in groups[:64]))
    expect_in("<BROADCAST,MULTICAST,UP,LOWER_UP>", weir.sh("ip link show nic0"), "flags")
    expect(heard(weir, groups[0], groups[63], OTHER), [groups[0], groups[63]], "what is taken with a full table")
    weir.quiet("ip addr add fd09::12:3456/64 dev nic0")
    expect_in("<BROADCAST,MULTICAST,ALLMULTI,UP,LOWER_UP>", weir.sh("ip link show nic0"), "flags")
    assert "allmulticast" not in weir.sh("show config"), "expected what the operator did not ask for to be in no config"
    expect_in("\tlink  33:33:ff:12:34:56\n", weir.sh("ip maddr show nic0"), "groups")
    expect(heard(weir, groups[0], "33:33:ff:12:34:56", OTHER, STATION), [groups[0], "33:33:ff:12:34:56", OTHER], "what is taken then")
    weir.quiet(*(f"ip maddr add {group} dev nic0" for group in groups[64:]))
    expect_in("no more than 128 groups", weir.sh(f"ip maddr add {MINE} dev nic0"), "one too many")
    weir.quiet(*(f"ip maddr del {group} dev nic0" for group in groups[1:]))
    expect_in("<BROADCAST,MULTICAST,UP,LOWER_UP>", weir.sh("ip link show nic0"), "flags")
    expect(heard(weir, groups[0], "33:33:ff:12:34:56", OTHER), [groups[0], "33:33:ff:12:34:56"], "what is taken in the end")
    weir.quiet(f"ip maddr del {groups[0]} dev nic0", "ip addr del fd09::12:3456/64 dev nic0")


def test_a_switch_takes_all(weir):
    weir.quiet("ovs-vsctl add-br sw9", "ovs-vsctl add-port sw9 nic0")
    expect(heard(weir, OTHER, STATION), [OTHER, STATION], "what is taken for a switch")
    weir.quiet("ovs-vsctl del-br sw9")
    expect(heard(weir, OTHER, STATION), [], "what is taken afterwards")


def test_words_that_are_wrong_are_named(weir):
    for line, said in (
        (f"ip maddr add {STATION} dev nic0", "expected the MAC address of a group, found '02:00:00:00:77:77'"),
        (f"ip maddr add {MINE}", "expected dev"),
        (f"ip maddr del {MINE} dev nic0", "nic0 was not given that group"),
        ("ip link set nic0 allmulticast", "expected on or off"),
    ):
        expect_in(said, weir.sh(line), line)
    weir.quiet(f"ip maddr add {MINE} dev nic0")
    expect_in("nic0 has that group already", weir.sh(f"ip maddr add {MINE} dev nic0"), "one twice")
    weir.quiet(f"ip maddr del {MINE} dev nic0")
