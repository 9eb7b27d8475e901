# SPDX-License-Identifier: MIT
"""perfetto.py - an exported trace as Perfetto's importer of JSON reads it, and what it would count as errors

Events are sorted by time, those of one moment stay in the order of the file. A thread has a stack of open slices: one that
is over is closed when the next one opens. A flow's event takes the slice on top of its thread's stack. A thread is known by
its number alone, whatever its process.
"""

import json
from fractions import Fraction

from weir import expect

FLOW = {"s": "begins", "t": "comes by", "f": "ends"}


def nanoseconds(number):
    """Of microseconds as they stand in the file, to the digit."""
    ns = Fraction(str(number)) * 1000
    expect(ns.denominator, 1, f"nanoseconds in a time of {number}")
    return int(ns)


class Slice:
    def __init__(self, event):
        self.name, self.args, self.tid = event["name"], event["args"], event["tid"]
        self.begin = nanoseconds(event["ts"])
        self.end = self.begin + nanoseconds(event["dur"])

    def __repr__(self):
        return f"{self.name} [{self.begin}, {self.end}]"


class Perfetto:
    """The file at @path, imported: .threads {tid: name}, .processes, .slices {tid: [Slice]}, .flows {id: [Slice]}."""

    def __init__(self, path):
        whole = json.loads(open(path).read(), parse_float=str)  # as they are written
        expect(sorted(whole), ["displayTimeUnit", "traceEvents"], "members of the file")
        self.events = whole["traceEvents"]
        self.processes, self.threads, self.process_of = {}, {}, {}
        self.slices, self.flows, self.instants = {}, {}, []
        self.open = {}  # the stack of each thread
        for event in self.events:
            if event["ph"] == "M":
                self.metadata(event)
        timed = [event for event in self.events if event["ph"] != "M"]
        for event in sorted(timed, key=lambda event: nanoseconds(event["ts"])):
            self.take(event)

    def metadata(self, event):
        names = {"process_name": self.processes, "thread_name": self.threads}[event["name"]]
        key = event["pid"] if event["name"] == "process_name" else event["tid"]
        assert key not in names, f"expected one name for {key}, saw {event} behind {names[key]!r}"
        names[key] = event["args"]["name"]

    def take(self, event):
        pid, tid, ts = event["pid"], event["tid"], nanoseconds(event["ts"])
        assert pid in self.processes and tid in self.threads, f"expected names for process and thread of {event}"
        expect(self.process_of.setdefault(tid, pid), pid, f"process of thread {tid}")
        stack = self.open.setdefault(tid, [])
        if event["ph"] == "X":
            self.push(stack, Slice(event))
        elif event["ph"] == "i":
            expect(event["s"], "t", "what an instant belongs to")
            self.instants.append(event)
        else:
            self.flow(event, stack, ts)

    def push(self, stack, new):
        while stack and stack[-1].end <= new.begin:
            stack.pop()
        assert not stack or new.end <= stack[-1].end, f"expected {new} to lie in {stack[-1]}, or behind it"
        stack.append(new)
        self.slices.setdefault(new.tid, []).append(new)

    def flow(self, event, stack, ts):
        passed = self.flows.setdefault((event["cat"], event["name"], event["id"]), [])
        while stack and stack[-1].end < ts:
            stack.pop()
        assert stack, f"expected a slice where a flow {FLOW[event['ph']]}: {event}"
        expect(event["ph"] == "s", not passed, f"whether {event} is the first of its flow")
        expect(event.get("bp"), "e" if event["ph"] == "f" else None, f"what {event} binds to")
        assert not passed or passed[-1][0] != "f", f"expected nothing behind a flow's end, saw {event}"
        passed.append((event["ph"], stack[-1]))

    def arrows(self):
        """Each flow as the slices that it goes through."""
        for key, passed in self.flows.items():
            expect(passed[-1][0], "f", f"the last event of flow {key}")
        return [[slice for _, slice in passed] for passed in self.flows.values()]
