# SPDX-License-Identifier: MIT
"""guest_figures.py - wire, guest, wire: what was measured, what was to be reached, and what a peer needs

`result` is what guests.measure() returns. A row has figures as of figures.py, Weir's own, besides "guest_insns", and
"guest": what Weir counts of the guest.
"""

from figures import BURSTS, COST_COLUMNS, ROW_HEAD, number, row_cells, row_table, target

GOAL = 1500  # instructions of Weir's own a packet, at burst 32
GOAL_EXITS = {32: 0.3, 1: 6}
GOAL_CPUID = 400

# Quoted, not measured here: KVM as a guest of the same virtual machine, a Linux guest that bridges over vhost-net.
PEER = "nested KVM, Linux guest bridging over vhost-net"
PEER_ROWS = (  # burst, instructions a packet, of them the guest's own, exits
    (32, "23,000 to 34,000", "about 5,000", "0.5 to 3"),
    (1, "55,000 to 65,000", "-", "4.5 to 7"),
)
PEER_EXIT = "1,700 to 2,900 in KVM, 5,100 to 5,500 with user space"

COLUMNS = (  # heading, figure, digits
    ("Weir's insns", "insns", 1),
    ("+-", "spread", 1),
    ("guest's insns", "guest_insns", 1),
    ("exits", "vmrun", 3),
    *COST_COLUMNS,
)

# what Weir counts, behind the exits by reason
EVENTS = ("interrupts injected", "signals", "signals suppressed", "kicks", "looks")


def measured(result):
    return [row for row in result["rows"] if "void" not in row]


# --- tables -----------------------------------------------------------------------------------------------------------


def packet_table(result):
    return row_table(result["rows"], COLUMNS)


def reasons(rows):
    """Those of the exits that came often enough to be seen, in Weir's order."""
    names = dict.fromkeys(name for row in rows for name in row["guest"])
    return [name for name in names if name not in EVENTS and any(row["guest"].get(name, 0) > 0.005 for row in rows)]


def exit_table(result):
    """A line a row: how often a packet was a reason to leave the guest, and what came with it."""
    rows = measured(result)
    names = reasons(rows) + list(EVENTS)
    columns = [(name, name, 3) for name in names]
    lines = [row_cells({**row, **{name: row["guest"].get(name, 0) for name in names}}, columns) for row in rows]
    return [ROW_HEAD + names] + lines


def peer_table():
    return [[f"{PEER} (quoted)", "insns", "of them the guest's", "exits"]] + [
        [f"burst {burst}", insns, guests, exits] for burst, insns, guests, exits in PEER_ROWS
    ]


# --- targets and sentences --------------------------------------------------------------------------------------------


def targets(result):
    for burst in BURSTS:
        for row in measured(result):
            if row["burst"] != burst:
                continue
            what = f"{row['traffic']}, {row['bytes']} bytes, burst {burst}"
            if burst == 32:
                yield target(f"{what}: Weir's own instructions a packet", row["insns"], GOAL)
            yield target(f"{what}: exits a packet", row["vmrun"], GOAL_EXITS[burst], 2)
    yield target("a round trip for CPUID, instructions", result.get("cpuid", {}).get("insns"), GOAL_CPUID)


def sentences(result):
    cpuid = result.get("cpuid")
    if cpuid:
        yield (
            f"out of a guest for CPUID and in again: {number(cpuid['insns'], 1)} instructions,"
            f" {number(cpuid['loads'], 1)} loads, {number(cpuid['stores'], 1)} stores"
            f" (quoted: an exit costs {PEER_EXIT})"
        )
    for name, idle in result["idle"].items():
        yield (
            f"idle with a guest halted ({name}): {number(idle['insns'])} instructions,"
            f" {number(idle['interrupts'], 1)} interrupts and {number(idle['exits'], 1)} exits a second,"
            f" and {number(idle['guest_insns'])} instructions of the guest"
        )
