# SPDX-License-Identifier: MIT
"""story.py - what `trace one` tells of a frame"""

import re


def one(weir, words, frame, nic=0):
    """What `trace one` says of @frame, which comes by @nic while it waits: (lines with a time, all of it on one line)."""
    start = len(weir.console)
    weir.type(f"trace one {words}")
    weir.wait_until(lambda: "waiting for a frame" in weir.text(start) or None, 30 * weir.patience, "it to wait")
    weir.send(nic, frame)

    def end():
        text = weir.text(start)
        return text if re.search(r"s at most\n[^^]*\nweir# ", text) else None

    text = weir.wait_until(end, 60 * weir.patience, "the frame's story")
    return re.findall(r"^[ -] *\d+\.\d{3} us (cpu\d+ +.*)$", text, re.MULTILINE), re.sub(r"\s+", " ", text)


def in_order(lines, *steps):
    """Each of the regular expressions @steps finds a line behind that of the one before."""
    at = 0
    for step in steps:
        found = [i for i in range(at, len(lines)) if re.search(step, lines[i])]
        assert found, f"expected {step!r} behind line {at}, saw:\n" + "\n".join(lines)
        at = found[0] + 1
