# SPDX-License-Identifier: MIT
"""The closed bench: no host, instructions for a clock. What it says are the same bytes whenever and wherever it runs"""

import csv
import os
import subprocess
import sys

from weir import TOP, expect, expect_in, expect_match

LAUNCH = os.path.join(TOP, "scripts", "launch")


def closed(*arguments):
    done = subprocess.run([LAUNCH, "closed", *arguments], capture_output=True, text=True, timeout=300)
    expect(done.returncode, 0, f"status of launch closed, which said {done.stderr!r}")
    return done.stdout


def sinks(said):
    """[{column: text}] of the tables that `sink show csv` printed."""
    lines = said.splitlines()
    heads = [i for i, line in enumerate(lines) if line.startswith("port,stream,")]
    return [next(csv.DictReader(lines[i : i + 2])) for i in heads]


def test_the_same_bytes_on_a_busy_host():
    first = closed()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        second = closed()
    finally:
        for one in busy:
            one.kill()
            one.wait()
    expect(second, first, "what the second run said")
    expect_in("conservation: ok", first, "closed.conf")
    expect_in("pools: ok", first, "closed.conf")
    seen = [(row["port"], row["received"], row["lost"], row["reordered"]) for row in sinks(first)]
    expect(seen, [("nic1", "4000", "0", "0"), ("tap0", "1000", "0", "0"), ("nic0", "1000", "0", "0")], "sinks")
    expect_match(r"^ok sent 1000 in \d+ us$", first, "the guest's generator")
    wire, echo, guest = ({name: int(row[name]) for name in ("p50_ns", "max_ns", "unstamped")} for row in sinks(first))
    assert 500 < wire["p50_ns"] < 3000 < echo["p50_ns"] < 12000, f"expected a few thousand ns, saw {wire} and {echo}"
    expect((guest["unstamped"], guest["p50_ns"] < 6000), (0, True), f"a guest's stamps by Weir's clock, saw {guest}")


def test_cores_take_turns_and_repeat_too(tmp_path):
    """Generator on core 1, sink on core 0: who waits gives its turn away, so virtual time stays small."""
    config = tmp_path / "weir.conf"
    config.write_text(
        "ip link set nic* up\nsink nic1 on\necho 1 > /proc/irq/5/smp_affinity\n"
        "pktgen nic0 dst_mac nic1 flows 8 count 2000 ratep 20000 core 1\n"
        "pktgen start\npktgen wait\npktgen show\nsink show csv\nports\npoweroff\n"
    )
    archive = tmp_path / "two.cpio"
    subprocess.run([os.path.join(TOP, "scripts", "mkcpio"), archive, f"weir.conf={config}"], check=True, timeout=60)
    first, second = (closed("--config", str(archive), "--cores", "2") for _ in range(2))
    expect(second, first, "what the second run said")
    row = sinks(first)[0]
    expect((row["received"], row["lost"], row["reordered"]), ("2000", "0", "0"), "what the sink counted")
    expect_in("conservation: ok", first, "ports")
    assert int(row["p50_ns"]) < 10000, f"expected a median of a few thousand ns, saw {row['p50_ns']}"


def test_a_config_that_does_not_end_is_no_success(tmp_path):
    archive = tmp_path / "none.cpio"
    (tmp_path / "weir.conf").write_text("reboot\n")
    mkcpio = os.path.join(TOP, "scripts", "mkcpio")
    subprocess.run([mkcpio, archive, f"weir.conf={tmp_path / 'weir.conf'}"], check=True, timeout=60)
    done = subprocess.run([LAUNCH, "closed", "--config", str(archive)], capture_output=True, text=True, timeout=60)
    expect(done.returncode, 1, "status")
    expect_in("did not power off", done.stderr, "complaint")
