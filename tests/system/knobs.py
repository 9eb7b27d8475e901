# SPDX-License-Identifier: MIT
"""knobs.py - lines that change how frames are received, in any order, while numbered frames are under way

    turned(weir, random.Random(1), 24)

Each may be typed at any time: all frames come, each flow's in its order, and the counters are exact. What a chip does not
have it refuses. What takes the link away is not among these, nor what QEMU's models lose frames by (docs/platforms.md).
"""

import concurrent.futures
import re

from frames import numbered
from weir import expect

A = 1  # station A + i is behind nic i
FLOWS, FRAMES, WINDOW = 16, 300, 48
SIZES = (60, 60, 60, 300, 1514)
POLICIES = ("irq", "napi", "defer", "suspend", "poll", "adaptive")

# a word with bars is one of these; NIC is any, QUEUE one or all of its queues, IRQ the number of one of its interrupts
KNOBS = """
ethtool -L NIC combined 1|2|3|8
ethtool -G NIC rx 512 tx 64|256|1024
ethtool -C NIC rx-usecs 0|20|500
ethtool -C NIC adaptive-rx on|off
ethtool -X NIC equal 1|2
ethtool -X NIC default
ethtool -N NIC rx-flow-hash udp4 sd|sdfn
ethtool -K NIC rx|tx|rxvlan|txvlan|rxhash|tso|gro|rx-udp-gro-forwarding on|off
ethtool -A NIC autoneg off rx on|off tx on|off
ip link set NIC mtu 1500|4000
ip link set NIC promisc on|off
echo MASK > /proc/irq/IRQ/smp_affinity
echo MASK > /sys/class/net/NIC/queues/rx-0/rps_cpus
echo 0|64 > /sys/class/net/NIC/queues/rx-0/rps_flow_cnt
echo 0|2 > /sys/class/net/NIC/napi_defer_hard_irqs
echo 0|20000 > /sys/class/net/NIC/gro_flush_timeout
policy QUEUE irq|napi|defer|suspend|poll|adaptive
policy QUEUE defer defer-hard-irqs 1|20 gro-flush-timeout 1000|2000000
policy QUEUE suspend irq-suspend-timeout 1000|20000000
sysctl kernel.idle=hlt|mwait|spin
sysctl kernel.policy_poll_pps=100|200000
sysctl net.core.dev_weight=1|64
sysctl net.core.netdev_budget=1|300
tc qdisc replace dev NIC root fq_codel|pfifo
tc qdisc del dev NIC root
napi measure on|off
trace path on|off
trace NIC regs on|off
""".strip().splitlines()
REFUSED = re.compile(r"^ *\^\ncol \d+: ", re.MULTILINE)  # in words, having changed nothing


def any_line(weir, rng):
    nic = f"nic{rng.randrange(weir.nics)}"
    irqs = [number for name, (number, _) in weir.interrupts().items() if name.startswith(nic)]
    line = rng.choice(KNOBS).replace("NIC", nic).replace("QUEUE", f"{nic}/{rng.choice('0*')}")
    line = line.replace("IRQ", str(rng.choice(irqs or [0]))).replace("MASK", f"{1 << rng.randrange(weir.smp):x}")
    return re.sub(r"[\w-]+(?:\|[\w-]+)+", lambda words: rng.choice(words[0].split("|")), line)


def joined_in_pairs(weir):
    """nic0 and nic1, nic2 and nic3: what comes in by one leaves by the other, with no learning."""
    for i in range(weir.nics):
        weir.quiet(f"ovs-ofctl add-flow sw0 priority=1,in_port={i + 1},actions=output:{(i ^ 1) + 1}")
    weir.wait_links()
    weir.hush(0.1)


def frames_of(weir, rng, first):
    return [
        (i, i ^ 1, (i, n % FLOWS), numbered(A + i, A + (i ^ 1), first + n, n % FLOWS, rng.choice(SIZES)))
        for n in range(FRAMES)
        for i in range(weir.nics)
    ]


def counts(weir):
    """Of each NIC: frames in and out as the port has counted them, as the chip has."""
    chips = [weir.ethtool(i) for i in range(weir.nics)]
    return [(*weir.dev(i)[1::2], chip["rx_packets"], chip["tx_packets"]) for i, chip in enumerate(chips)]


def turned(weir, rng, rounds):
    """So many times a policy, each in its turn, and a few knobs in the middle of traffic.

    Returns how many lines were typed, how many refused.
    """
    typed = refused = 0
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for turn in range(rounds):
            before, frames = counts(weir), frames_of(weir, rng, turn * FRAMES)
            lines = [f"policy nic*/* {POLICIES[turn % len(POLICIES)]}"]
            lines += [any_line(weir, rng) for _ in range(rng.randint(1, 5))]
            try:
                with weir.dropping():
                    traffic = pool.submit(weir.carry, frames, WINDOW)
                    for line in lines:
                        refused += bool(REFUSED.search(weir.sh(line, 60)))
                    traffic.result()
                weir.audit()
                new = [tuple(now - was for now, was in zip(*pair)) for pair in zip(counts(weir), before)]
                expect(new, [(FRAMES,) * 4] * weir.nics, "frames in and out of each NIC, by the port and by the chip")
            except AssertionError as e:
                raise AssertionError(f"round {turn}, after {lines}: {e}") from e
            typed += len(lines)
    return typed, refused
