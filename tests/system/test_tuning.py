# SPDX-License-Identifier: MIT
"""docs/tuning.md, typed line by line: Weir prints what stands below each"""

import transcript
from weir import expect


def test_each_line_of_the_afternoon_prints_what_the_document_says():
    with open(transcript.DOCUMENT) as f:
        session = transcript.steps(f.read())
    answers = transcript.typed([step.line for step in session])
    found = list(filter(None, map(transcript.difference, session, answers)))
    assert not found, "expected what docs/tuning.md says (`make tuning-doc` would change it), saw\n" + "\n".join(found)
    assert len(session) >= 100, f"expected an afternoon, saw {len(session)} lines"


STEP = """A text.
```
weir# first
one 12 three
weir# second
head
…
  … seen, 4 left
weir# third
weir# fourth
≈100 of … and ≈8
```
"""


def differ(**said):
    session = {step.line: step for step in transcript.steps(STEP)}
    return [line for line, text in said.items() if transcript.difference(session[line], text)]


def test_what_is_compared_and_what_is_not():
    right = {"first": "one 12 three\n", "second": "head\n  5 seen, 4 left\n", "third": ""}
    right["fourth"] = "75   of 1000 and 10\n"
    expect(differ(**right), [], "lines that differ where all is right")
    expect(differ(first="one 13 three\n"), ["first"], "another number")
    expect(differ(first="one 12  three\n"), ["first"], "another blank")
    expect(differ(first=""), ["first"], "nothing")
    expect(differ(second="head\nmore\nand more\n   1000 seen, 4 left\n"), [], "what … stands for")
    expect(differ(second="head\n  5 seen, 3 left\n"), ["second"], "a number beside one that is not compared")
    expect(differ(second="head\n  5 6 seen, 4 left\n"), ["second"], "two words for one …")
    expect(differ(second="head\n  5 seen, 4 left\nmore\n"), ["second"], "a line behind the last")
    expect(differ(third="oops\n"), ["third"], "something said where nothing is")
    expect(differ(fourth="126 of 1000 and 8\n"), ["fourth"], "a number that is too far from the first")
    expect(differ(fourth="100 of 1000 and 5\n"), ["fourth"], "and from the second")


def test_blessing_changes_what_differs_alone():
    session = transcript.steps(STEP)
    same = transcript.bless(STEP, session, ["one 12 three\n", "head\n  7 seen, 4 left\n", "", "90 of 0 and 8\n"])
    expect(same, STEP, "a document that is right")
    new = transcript.bless(STEP, session, ["one 13 three\n", "HEAD\n  7 seen, 4 left\n", "said\n", "200 of 0 and 8\n"])
    changed = STEP.replace("12", "13").replace("head\n…", "HEAD").replace("third\n", "third\nsaid\n")
    changed = changed.replace("≈100 of … and ≈8", "200 of 0 and 8")
    expect(new, changed, "what it is made")
