# SPDX-License-Identifier: MIT
"""figures.py - what was measured, beside what was to be reached and what others need: as text, Markdown and a plot

`result` is what tests/bench/run writes as JSON: "rows" (a traffic at a burst each), and by name "overload", "miss",
"idle", "idle_after", "mode", "boot_insns", "image_bytes". A row that is void has "void", the reason, in place of
figures.
"""

MIB = 1 << 20
BURSTS = (32, 1)
GOAL = {32: 200, 1: 600}  # instructions a packet
GOAL_TRAFFIC = ("one flow", "1,000 random flows")

# Quoted, not measured here: instructions a packet at burst 32 and burst 1, 64 bytes, one core, the same virtual
# machine and way of counting. Where one figure is None, none was given.
PEERS = (
    ("Linux 6.1 bridge", 3150, 5860),
    ("Linux 6.1 tc redirect", 2705, 5780),
    ("Open vSwitch, kernel datapath", 4380, 7200),
    ("XDP redirect", 904, 4000),
    ("OVS-DPDK", 700, None),
    ("DPDK testpmd, does not look at the packet", 264, 308),
    ("bare descriptor swap, one vector a port", 44, 203),
    ("modelled floor: descriptor swap and flow lookup", 62, None),
)

COLUMNS = (  # heading, figure, digits
    ("insns", "insns", 1),
    ("+-", "spread", 1),
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


def targets(result):
    """[(what, figure as text or None if not measured, limit as text, reached)]"""
    found = []

    def add(what, value, limit, digits=0, unit=""):
        text = None if value is None else number(value, digits) + unit
        reached = value is not None and round(value, digits) <= limit
        found.append((what, text, f"<= {number(limit, digits)}{unit}", reached))

    for burst in BURSTS:
        for traffic in GOAL_TRAFFIC:
            row = find(result, traffic, burst)
            add(f"instructions a packet, burst {burst}, {traffic}", row and row["insns"], GOAL[burst])
    for burst in BURSTS:
        row = find(result, "one flow", burst)
        add(f"doorbell writes a batch, burst {burst}", row and doorbells_a_batch(row), 2, 2)
    overload = result.get("overload", {})
    add("interrupts a packet under overload", overload.get("iret"), 0.01, 3)
    add("image, bytes loaded", result.get("image_bytes"), MIB)
    boot = result.get("boot_insns")
    add("kernel entry to first frame out, instructions", boot and boot / 1e6, 50, 1, " M")
    return found


def verdict(text, reached):
    return "not measured" if text is None else "reached" if reached else "NOT reached"


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
    for when, name in (("just booted", "idle"), ("after all the flows above", "idle_after")):
        if name in result:
            yield (
                f"idle, mode {result['mode']}, {when}: {number(result[name]['insns'])} instructions and"
                f" {number(result[name]['interrupts'], 1)} interrupts a second"
            )


# --- text -------------------------------------------------------------------------------------------------------------


def table(lines):
    """Columns as wide as they must be; the first is left-aligned."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line, widths)]
        yield "  ".join([line[0].ljust(widths[0])] + cells[1:]).rstrip()


def row_cells(row):
    cells = [row["traffic"], str(row["bytes"]), str(row["burst"])]
    if "void" in row:
        return cells + ["VOID"] + [""] * (len(COLUMNS) - 1)
    return cells + [number(row.get(figure), digits) for _, figure, digits in COLUMNS]


def table_lines(result):
    head = ["a packet of", "bytes", "burst"] + [heading for heading, _, _ in COLUMNS]
    return [head] + [row_cells(row) for row in result["rows"]]


def target_lines(result):
    return [["target", "measured", "limit", ""]] + [
        [what, text or "-", limit, verdict(text, reached)] for what, text, limit, reached in targets(result)
    ]


def peer_lines():
    return [["others (quoted, not measured here)", "burst 32", "burst 1"]] + [
        [name, number(at_32), number(at_1)] for name, at_32, at_1 in PEERS
    ]


def text(result):
    parts = [table(table_lines(result)), sentences(result), table(target_lines(result)), table(peer_lines())]
    return "\n\n".join("\n".join(part) for part in parts)


# --- Markdown ---------------------------------------------------------------------------------------------------------


def markdown_table(lines):
    rule = ["---"] + ["---:"] * (len(lines[0]) - 1)
    for line in [lines[0], rule] + lines[1:]:
        yield "| " + " | ".join(line) + " |"


def markdown(result):
    parts = [
        ["# Figures"],
        [
            f"Measured by `{result['command']}` ({result['qemu']}, one core, mode {result['mode']});"
            " `tests/bench/README.md` says how."
        ],
        markdown_table(table_lines(result)),
        [f"- {sentence}" for sentence in sentences(result)],
        markdown_table(target_lines(result)),
        markdown_table(peer_lines()),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


# --- plot -------------------------------------------------------------------------------------------------------------


def plot(result, path):
    """A bar a traffic and peer at either burst, on a logarithmic scale. Needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(row["traffic"] for row in good_rows(result)))
    bars = [(name, *[(find(result, name, b) or {}).get("insns") for b in BURSTS]) for name in names]
    bars += [(f"{name} (quoted)", a, b) for name, a, b in PEERS]
    bars.reverse()
    figure, axes = pyplot.subplots(figsize=(9, 0.45 * len(bars) + 1))
    for i, burst in enumerate(BURSTS):
        places = [y + 0.2 - 0.4 * i for y in range(len(bars))]
        axes.barh(places, [bar[1 + i] or 0 for bar in bars], height=0.38, label=f"burst {burst}")
        axes.axvline(GOAL[burst], color=f"C{i}", linestyle=":")
    axes.set_yticks(range(len(bars)), [bar[0] for bar in bars])
    axes.set_xscale("log")
    axes.set_xlabel("instructions a packet; dotted: to be reached")
    axes.legend()
    figure.savefig(path, format="svg", bbox_inches="tight")
