# SPDX-License-Identifier: MIT
"""figures.py - wire to wire: what was measured, what was to be reached, and what others need

`result` is what tests/bench/run writes as JSON: "rows" (a traffic at a burst each), and by name "overload", "miss",
"idle", "idle_full", "idle_after", "traced" (by burst: a share), "mode", "boot_insns", "image_bytes", "functions" (by
burst: name, instructions and calls a packet), "lines" (by burst: what went from core to core) and "guests", which is
for guest_figures.py. A row that is void has "void", the reason, in place of figures.
"""

import collections

MIB = 1 << 20
BURSTS = (32, 1)
GOAL = {32: 120, 1: 450}  # instructions a packet
WORST = 1.3  # times the goal, the dearest of all traffics
TRACED = 3  # per cent more while paths are traced
IDLE_MOST = 3000  # instructions a second
IDLE = {
    "idle": "just booted",
    "idle_full": "16,384 silent flows known",
    "idle_after": "after all the flows above",
}
GOAL_TRAFFIC = ("one flow", "1,000 random flows")

# Quoted, not measured here: instructions a packet at burst 32 and burst 1, 64 bytes, one core, the same virtual
# machine and way of counting. Where one figure is None, none was given.
PEERS = (
    ("Linux 6.1 bridge", 3150, 5860),
    ("Linux 6.1 tc redirect", 2705, 5780),
    ("Open vSwitch, kernel datapath", 4380, 7200),
    ("XDP redirect", 904, 4000),
    ("OVS-DPDK", 700, None),
    ("OVS-DPDK, 1,000 flows (to 1,490)", 1330, None),
    ("DPDK testpmd, does not look at the packet", 264, 308),
    ("bare descriptor swap, one vector a port", 44, 203),
    ("modelled floor: descriptor swap and flow lookup", 62, None),
)

ROW_HEAD = ["a packet of", "bytes", "burst"]
COST_COLUMNS = (  # heading, figure, digits
    ("loads", "loads", 1),
    ("stores", "stores", 1),
    ("rep", "rep", 1),
    ("MMIO r", "mmio_reads", 3),
    ("MMIO w", "mmio_writes", 3),
    ("irqs", "iret", 3),
    ("polls", "polls", 3),
    ("doorbells", "doorbells", 3),
    ("copies", "copies", 3),
)
COLUMNS = (("insns", "insns", 1), ("+-", "spread", 1), *COST_COLUMNS)


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}".replace("-0.000", "0.000")


def good_rows(result):
    return [row for row in result["rows"] if "void" not in row]


def find(result, traffic, burst):
    return next((r for r in good_rows(result) if r["traffic"] == traffic and r["burst"] == burst), None)


def doorbells_a_batch(row):
    """A batch is what a poll takes; where polls cannot be told, what was sent at a time."""
    return row["doorbells"] / row["polls"] if row.get("polls") else row["doorbells"] * row["burst"]


# --- targets ----------------------------------------------------------------------------------------------------------


Target = collections.namedtuple("Target", "what text limit verdict")  # text: the figure; None if it was not measured

REACHED, MISSED, NOT_MEASURED = "reached", "NOT reached", "not measured"


def target(what, value, limit, digits=0, unit=""):
    text = None if value is None else number(value, digits) + unit
    verdict = NOT_MEASURED if value is None else REACHED if round(value, digits) <= limit else MISSED
    return Target(what, text, f"<= {number(limit, digits)}{unit}", verdict)


def targets(result):
    for burst in BURSTS:
        for traffic in GOAL_TRAFFIC:
            row = find(result, traffic, burst)
            yield target(f"instructions a packet, burst {burst}, {traffic}", row and row["insns"], GOAL[burst])
        row = worst(result, burst)
        yield target(f"instructions a packet, burst {burst}, the worst traffic", row and row["insns"], WORST * GOAL[burst])
    for burst in BURSTS:
        row = find(result, "one flow", burst)
        yield target(f"doorbell writes a batch, burst {burst}", row and doorbells_a_batch(row), 2, 2)
    for burst in BURSTS:
        moved = result.get("lines", {}).get(burst)
        what = f"cache lines that go from core to core, a packet, burst {burst}, 4 cores and 4 queues"
        yield target(what, None if moved is None else sum(line["moves"] for line in moved), 0, 2)
    for burst in BURSTS:
        share = result.get("traced", {}).get(burst)
        what = f"instructions more while a packet of one poll in 64 is stamped, burst {burst}"
        yield target(what, share and 100 * share, TRACED, 1, " %")
    overload = result.get("overload", {})
    yield target("interrupts a packet under overload", overload.get("iret"), 0.01, 3)
    for name, when in IDLE.items():
        yield target(f"instructions a second when idle, {when}", result.get(name, {}).get("insns"), IDLE_MOST)
    yield target("image, bytes loaded", result.get("image_bytes"), MIB)
    boot = result.get("boot_insns")
    yield target("kernel entry to first frame out, instructions", boot and boot / 1e6, 50, 1, " M")


# --- tables: lists of lines, which are lists of cells -----------------------------------------------------------------


def row_cells(row, columns):
    cells = [row["traffic"], str(row["bytes"]), str(row["burst"])]
    if "void" in row:
        return cells + ["VOID"] + [""] * (len(columns) - 1)
    return cells + [number(row.get(figure), digits) for _, figure, digits in columns]


def row_table(rows, columns):
    if not rows:
        return []
    return [ROW_HEAD + [heading for heading, _, _ in columns]] + [row_cells(row, columns) for row in rows]


def peer_table():
    return [["others (quoted, not measured here)", "burst 32", "burst 1"]] + [
        [name, number(at_32), number(at_1)] for name, at_32, at_1 in PEERS
    ]


def function_table(result):
    """What one flow costs, by function; those below half an instruction at either burst are left out."""
    costs = {burst: {name: insns for name, insns, _ in rows} for burst, rows in result.get("functions", {}).items()}
    names = sorted({name for by in costs.values() for name in by}, key=lambda name: -costs[BURSTS[0]].get(name, 0))
    lines = [[name] + [number(costs[burst].get(name, 0), 1) for burst in BURSTS] for name in names]
    shown = [line for line in lines if any(float(cell.replace(",", "")) >= 0.5 for cell in line[1:])]
    return [["one flow, by function", "burst 32", "burst 1"]] + shown if shown else []


def line_table(result):
    """The cache lines that go from core to core for packets, if there are any."""
    lines = [
        [", ".join(line["functions"]), str(burst), f"{line['address']:#x}", number(line["moves"], 3)]
        for burst, moved in result.get("lines", {}).items()
        for line in moved
    ]
    return [["cache lines moved by", "burst", "address", "a packet"]] + lines if lines else []


# --- sentences --------------------------------------------------------------------------------------------------------


def worst(result, burst):
    """The dearest row at @burst, or None."""
    return max((r for r in good_rows(result) if r["burst"] == burst), key=lambda r: r["insns"], default=None)


def sentences(result):
    """The figures that are no table."""
    for burst in BURSTS:
        row = worst(result, burst)
        if row:
            yield f"worst at burst {burst}: {row['traffic']}, {number(row['insns'], 1)} instructions a packet"
    row = find(result, "5 % malformed", 32)
    if row and row["drops"]:
        yield (
            f"malformed frames: each of {len(row['drops'])} kinds was dropped for its own reason"
            f" ({', '.join(sorted(row['drops']))}), all others came out"
        )
    miss = result.get("miss")
    if miss:
        yield (
            f"a miss (a new flow): {number(miss['cost'], 0)} instructions more than a hit"
            f" ({number(miss['insns'], 0)} a packet where each is a flow of its own, burst {miss['burst']})"
        )
    overload = result.get("overload")
    if overload:
        yield (
            f"overload (window {overload['window']}): {number(overload['insns'], 1)} instructions,"
            f" {number(overload['iret'], 3)} interrupts, {number(overload['polls'], 3)} polls a packet"
        )
    for name, when in IDLE.items():
        if name in result:
            yield (
                f"idle, mode {result['mode']}, {when}: {number(result[name]['insns'])} instructions and"
                f" {number(result[name]['interrupts'], 1)} interrupts a second"
            )
