# SPDX-License-Identifier: MIT
"""report.py - the figures as text, as Markdown and as a plot

A section is a heading and its parts; a part is a table (a list of lines, which are lists of cells) or a list of
sentences.
"""

import figures
import guest_figures


def targets(result):
    guests = result.get("guests")
    return list(figures.targets(result)) + (list(guest_figures.targets(guests)) if guests else [])


def target_table(result):
    lines = [[t.what, t.text or "-", t.limit, t.verdict] for t in targets(result)]
    return [["target", "measured", "limit", ""]] + lines


def sections(result):
    guests = result.get("guests")
    yield "Wire to wire", [
        figures.row_table(result["rows"], figures.COLUMNS),
        list(figures.sentences(result)),
        figures.function_table(result),
        figures.line_table(result),
    ]
    if guests:
        yield "Wire, guest, wire", [
            guest_figures.packet_table(guests),
            guest_figures.exit_table(guests),
            list(guest_figures.sentences(guests)),
        ]
    yield "Targets", [target_table(result)]
    yield "Others", [figures.peer_table()] + ([guest_figures.peer_table()] if guests else [])


def is_table(part):
    return isinstance(part[0], list)


# --- text -------------------------------------------------------------------------------------------------------------


def table(lines):
    """Columns as wide as they must be; the first is left-aligned."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line, widths)]
        yield "  ".join([line[0].ljust(widths[0])] + cells[1:]).rstrip()


def text(result):
    parts = [table(part) if is_table(part) else part for _, parts in sections(result) for part in parts if part]
    return "\n\n".join("\n".join(part) for part in parts)


# --- Markdown ---------------------------------------------------------------------------------------------------------


def markdown_table(lines):
    rule = ["---"] + ["---:"] * (len(lines[0]) - 1)
    for line in [lines[0], rule] + lines[1:]:
        yield "| " + " | ".join(line) + " |"


def markdown(result):
    said = [
        ["# Figures"],
        [
            f"Measured by `{result['command']}` ({result['qemu']}, one core, mode {result['mode']});"
            " `tests/bench/README.md` says how."
        ],
    ]
    for heading, parts in sections(result):
        said.append([f"## {heading}"])
        said += [markdown_table(part) if is_table(part) else [f"- {s}" for s in part] for part in parts if part]
    return "\n\n".join("\n".join(part) for part in said) + "\n"


# --- plot -------------------------------------------------------------------------------------------------------------


def bars(result):
    """[(name, instructions a packet at each burst)]: wire to wire, then others."""
    rows = figures.good_rows(result)
    for name in dict.fromkeys(row["traffic"] for row in rows):
        yield name, *[(figures.find(result, name, burst) or {}).get("insns") for burst in figures.BURSTS]
    for name, *insns in figures.PEERS:
        yield f"{name} (quoted)", *insns


def plot(result, path):
    """A bar a traffic and peer at either burst, on a logarithmic scale. Needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = list(bars(result))[::-1]
    figure, axes = pyplot.subplots(figsize=(9, 0.45 * len(shown) + 1))
    for i, burst in enumerate(figures.BURSTS):
        places = [y + 0.2 - 0.4 * i for y in range(len(shown))]
        axes.barh(places, [bar[1 + i] or 0 for bar in shown], height=0.38, label=f"burst {burst}")
        axes.axvline(figures.GOAL[burst], color=f"C{i}", linestyle=":")
    axes.set_yticks(range(len(shown)), [bar[0] for bar in shown])
    axes.set_xscale("log")
    axes.set_xlabel("instructions a packet; dotted: to be reached")
    axes.legend()
    figure.savefig(path, format="svg", bbox_inches="tight")
