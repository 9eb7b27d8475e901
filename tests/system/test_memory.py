# SPDX-License-Identifier: MIT
"""What must not be done is caught, told in words, traced to the function that did it, and ends with a failure"""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from weir import PANICKED, Trouble, Weir, expect, expect_match, plain

# kind: (exception, what it was in words, the function that did it)
CRASHES = {
    "text": (14, "write to read-only memory: write to 0x", "write_text"),
    "rodata": (14, "write to read-only memory: write to 0x", "write_rodata"),
    "data": (14, "jump into data: execution of 0x[0-9a-f]+, which is not executable", "jump_into_data"),
    "heap": (14, "jump into data: execution of 0x[0-9a-f]+, which is not executable", "jump_into_heap"),
    "stack": (14, "kernel stack overflow: write to guard page at 0x", "overflow"),
    "null": (14, "NULL pointer: read of address 0(x0)?$", "read_null"),
    "opcode": (6, None, "bad_opcode"),
    "panic": (None, "Panic on core 0: asked for", "our_panic"),
}


def crash(kind):
    """Returns QEMU's status and the last words."""
    with Weir(nics=0, smp=2, config=None) as weir:
        weir.type(f"crash {kind}")
        weir.wait_for_end(20)
        return weir.status, plain(weir.console).partition(f"crash {kind}\n")[2]


@pytest.fixture(scope="module")
def crashed():
    with ThreadPoolExecutor(2) as pool:
        futures = {kind: pool.submit(crash, kind) for kind in CRASHES}
    return futures


@pytest.mark.parametrize("kind", CRASHES)
def test_crash(crashed, kind):
    try:
        status, words = crashed[kind].result()
    except Trouble as e:
        raise AssertionError(f"crash {kind}: expected a report, saw {e}")
    number, text, function = CRASHES[kind]
    expect(status, PANICKED, f"QEMU's status after crash {kind}")
    if number is not None:
        expect_match(rf"^Exception {number} \([a-z ]+\) on core 0$", words, f"crash {kind}, the exception")
        expect_match(r"^rip [0-9a-f]{16} rsp [0-9a-f]{16} ", words, f"crash {kind}, the registers")
        expect_match(r"^r13 [0-9a-f]{16} .* cr2 [0-9a-f]{16}$", words, f"crash {kind}, the registers")
    if text:
        expect_match("^" + text, words, f"crash {kind}, the words")
    trace = re.findall(r"^  \[0x[0-9a-f]+\] (\w+)\+(?:0x[0-9a-f]+|0)$", words.partition("back trace:")[2], re.MULTILINE)
    assert function in trace, f"crash {kind}: expected {function} in the back trace, saw {trace} in\n{words}"
    if kind != "stack":  # its trace is as deep as is printed, and all of it one function
        after = trace[trace.index(function) :]
        for caller in ("shell_exec", "shell_main"):
            assert caller in after, f"crash {kind}: expected {caller} behind {function} in the back trace, saw {trace}"


def test_jump_is_traced_to_where_it_came_from(crashed):
    """The place that was jumped to is no function; the trace says so first and goes on with who jumped."""
    _, words = crashed["data"].result()
    lines = words.partition("back trace:\n")[2].splitlines()
    assert "not in text" in lines[0], f"expected the first address not to be in text, saw {lines[0]!r}"
