#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""transcript.py - docs/tuning.md as a session in Weir's shell: taken apart, typed, compared, written anew

    tests/system/transcript.py            what is printed otherwise than the document says; the test looks at the same
    tests/system/transcript.py --bless    writes it into the document; `make tuning-doc` calls it, nothing else does

A block between ``` lines that begins with the prompt is a part of the session: a line behind each prompt, and what it
prints. There, ≈ in front of a number says that it may be up to a quarter more or less; … within a line is a word or a
number, or the rest of one, that nobody compares; however many blanks stand around these two. … alone on a line is any number of lines.
Everything else is to be the same to the letter.
"""

import difflib
import os
import re
import subprocess
import sys

from weir import NOTICE, TOP

DOCUMENT = os.path.join(TOP, "docs", "tuning.md")
LAUNCH = [os.path.join(TOP, "scripts", "launch"), "run", "--config", "tuning"]
PROMPT = "weir# "
ANY, NEAR = "…", "≈"


class Step:
    """A line to type, and what stands below it: lines @first to @last (without) of the document."""

    def __init__(self, line, first):
        self.line, self.first, self.last = line, first, first
        self.wanted = []

def line_pattern(line):
    if line.strip() == ANY:
        return r"(?:.*\n)*?"
    if ANY not in line and NEAR not in line:
        return re.escape(line) + "\n"
    parts = re.split(rf"([ \t]+|{ANY}|{NEAR}[\d.]+)", line)
    return "".join(map(part_pattern, parts)) + "\n"


def part_pattern(part):
    if part == ANY:
        return r"\S+"
    if part.startswith(NEAR):
        return r"([\d.]+)"
    return r"[ \t]+" if part.isspace() else re.escape(part)


def fits(wanted, said):
    """Is @said what the lines @wanted say?"""
    found = re.fullmatch("".join(map(line_pattern, wanted)), said)
    near = re.findall(rf"{NEAR}([\d.]+)", "\n".join(wanted))
    return bool(found) and all(4 * abs(float(n) - float(m)) <= float(m) for n, m in zip(found.groups(), near))


def steps(text):
    """The session of a document, in order."""
    found, fenced, session = [], False, False
    for number, line in enumerate(text.splitlines()):
        if line.startswith("```"):
            fenced, session = not fenced, False
        elif fenced and line.startswith(PROMPT):
            session = True
            found.append(Step(line[len(PROMPT) :], number + 1))
        elif session:
            found[-1].wanted.append(line)
            found[-1].last = number + 1
    return found


def answer(part):
    """Of "LINE\\nwhat it printed": that, without blanks at the ends of lines."""
    _, newline, said = part.partition("\n")
    return re.sub(r"[ \t]+$", "", said, flags=re.MULTILINE) + newline


def typed(lines):
    """What each of @lines prints, when they are typed into the machine that the document is about."""
    done = subprocess.run(LAUNCH, input="".join(f"{line}\n" for line in lines), capture_output=True, text=True, timeout=600)
    said = NOTICE.sub("", done.stdout).removesuffix("\nweir: powered off\n")
    answers = [answer(part) for part in said.split("\n" + PROMPT)[1:]]
    assert done.returncode == 0 and len(answers) == len(lines), (
        f"expected the answers to {len(lines)} lines and status 0, saw {len(answers)} and {done.returncode};"
        f" it said {done.stderr}\n{done.stdout[-2000:]}"
    )
    return answers


def difference(step, said):
    """None if @said is what the document says; else how it differs, to be printed."""
    if fits(step.wanted, said):
        return None
    lines = difflib.unified_diff(step.wanted, said.splitlines(), "the document", "Weir", n=1, lineterm="")
    return "\n".join([f"docs/tuning.md:{step.first}: {PROMPT}{step.line}", *lines])


def renewed(step, said):
    """What is to stand below a line now: where … covers what is said, it stays."""
    old = [line for line in step.wanted if line.strip() != ANY]
    new = []
    for line in said.splitlines():
        kept = next((o for o in old if fits([o], line + "\n")), line)
        new.append(kept)
    return new


def bless(text, session, answers):
    lines = text.splitlines()
    for step, said in reversed(list(zip(session, answers))):
        if difference(step, said):
            lines[step.first : step.last] = renewed(step, said)
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:] not in ([], ["--bless"]):
        print(__doc__, end="")
        return 2
    with open(DOCUMENT) as f:
        text = f.read()
    session = steps(text)
    answers = typed([step.line for step in session])
    found = list(filter(None, map(difference, session, answers)))
    print("\n".join(found + [f"{len(session)} lines typed, {len(found)} printed otherwise than docs/tuning.md says"]))
    if sys.argv[1:] == ["--bless"]:
        with open(DOCUMENT, "w") as f:
            f.write(bless(text, session, answers))
        return 0
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
