# SPDX-License-Identifier: MIT
"""test_launch.py - `make run` and `make demo` as a user meets them, and the small tools that the build stands on"""

import hashlib
import http.server
import importlib.machinery
import importlib.util
import os
import re
import socket
import subprocess
import threading

import pexpect
import pytest

import demo
import guest
import machine
import traffic
import wires
from weir import TOP, expect, expect_in, expect_match

LAUNCH = os.path.join(TOP, "scripts", "launch")
needs_namespaces = pytest.mark.skipif(
    wires.namespaces_refused() is not None, reason=wires.namespaces_refused() or "they are not refused"
)


# Without what a make around the tests says to the makes in it.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def launch(*arguments, typed="", seconds=120):
    done = subprocess.run([LAUNCH, *arguments], input=typed, capture_output=True, text=True, timeout=seconds)
    return done.returncode, done.stdout + done.stderr


def launch_module():
    loader = importlib.machinery.SourceFileLoader("launch", LAUNCH)
    script = importlib.util.module_from_spec(importlib.util.spec_from_loader("launch", loader))
    loader.exec_module(script)
    return script


# --- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, answer",
    [
        (["run", "--config", "none"], "weir: there is no config 'none', as boot/conf/none.conf would be; --help lists"),
        (["run", "--config", "./none.cpio"], "weir: there is no archive ./none.cpio\n"),
        (["run", "--cores", "0"], "argument --cores: expected a number from 1 to 255, found '0'\n"),
        (["closed", "--icount", "99"], "argument --icount: expected a number from 0 to 10, found '99'\n"),
        (["run", "--http-port", "http"], "argument --http-port: expected a number from 1 to 65535, found 'http'\n"),
    ],
    ids=lambda what: what[1] if isinstance(what, list) else "",
)
def test_wrong_words_are_named_before_anything_is_started(arguments, answer):
    status, said = launch(*arguments)
    assert status, f"expected a failing status, saw {status}"
    expect_in(answer, said, "answer")
    assert "to leave" not in said and "Traceback" not in said, f"expected nothing else, saw {said}"


@pytest.mark.parametrize("script", ["mkcpio", "mkiso", "mkdisk", "check-rooms", "mkchecks", "setup"])
def test_scripts_say_how_they_are_called(script):
    done = subprocess.run([os.path.join(TOP, "scripts", script), "--help"], capture_output=True, text=True, timeout=20)
    assert (done.stdout + done.stderr).startswith(script), f"expected its usage, saw {done.stdout + done.stderr}"


# --- launch run: two NICs ---------------------------------------------------------------------------------------------


def spawn(*arguments):
    return pexpect.spawn(LAUNCH, ["run", *arguments], encoding="utf-8", timeout=90, cwd=TOP)


@pytest.fixture
def terminal():
    """`launch run` of the switch on a terminal of its own, over unix sockets."""
    terminal = spawn("--config", "switch", "--sockets")
    yield terminal
    terminal.close(force=True)


def leaves(terminal, status):
    terminal.expect(pexpect.EOF)
    terminal.close()
    expect(terminal.exitstatus, status, "exit status")


def test_run_on_a_terminal_leaves_by_poweroff(terminal):
    terminal.expect("QEMU with (TCG|KVM): ")
    terminal.expect("to try, in another terminal:  scripts/launch frames")
    terminal.expect("to leave:  poweroff")
    terminal.expect("weir# ")
    terminal.send("help\r")
    terminal.expect("poweroff.*weir# ")
    terminal.send("poweroff\r")
    terminal.expect("weir: powered off")
    leaves(terminal, 0)


def test_run_that_is_ended_otherwise_is_no_success(terminal):
    terminal.expect("weir# ")
    terminal.send("\x01x")
    terminal.expect("ended without powering off")
    leaves(terminal, 1)


def test_ctrl_a_twice_is_one_for_weir(terminal):
    """Ctrl-A moves to the beginning of the line; so does it after the launcher has looked at it."""
    terminal.expect("weir# ")
    terminal.send("elp")
    terminal.send("\x01")
    terminal.send("\x01")
    terminal.send("h\r")
    terminal.expect("poweroff +stop the machine")
    terminal.send("poweroff\r")
    leaves(terminal, 0)


def test_frames_cross_a_running_weir(terminal):
    terminal.expect("weir# ")
    status, said = launch("frames", "20")
    expect_in("frames nic1 to nic0: 20 of 20 arrived as they were sent", said, "output of launch frames")
    expect(status, 0, "exit status of launch frames")


def test_frames_without_a_weir_says_what_to_do():
    status, said = launch("frames")
    expect_in("start `scripts/launch run --config switch` in another terminal first", said, "output")
    expect(status, 1, "exit status")


def test_as_root_the_ping_to_try_needs_no_sudo():
    """A fresh Debian has no sudo, and whoever got namespaces is root."""
    to_try = "to try, as root, in another terminal:  ip netns exec weir-a ping 10.9.0.2"
    expect(launch_module().what_to_try(wires.Namespaces("weir")), to_try, "what to try")


def rows(said, head):
    """The table under the line that starts with @head, as {first column: [others]}."""
    lines = said.partition("\n  " + head)[2].partition("\n\n")[0].splitlines()[1:]
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_demo_of_the_switch_over_sockets():
    """400 frames and those that look for the way: each counted where it came in, where it left, and by who polled."""
    status, said = launch("demo", "--config", "switch", "--sockets")
    expect_in("frames nic0 to nic1: 200 of 200", said, "output")
    expect_in("frames nic1 to nic0: 200 of 200", said, "output")
    expect(status, 0, f"exit status ({said})")
    ports = {name: [int(n) for n in row] for name, row in rows(said, "port ").items()}
    expect(sorted(ports), ["nic0", "nic1"], f"ports in the table of\n{said}")
    for name, (came, left, _) in ports.items():
        assert 200 < came < 300 and 200 < left < 300, f"{name}: expected a little more than 200 frames, saw {said}"
    queues = rows(said, "queue ")
    expect({name.rpartition("-")[0] for name in queues}, {"nic0-TxRx", "nic1-TxRx"}, f"queues in the table of\n{said}")
    for column, least in ((0, 1), (1, 1)):  # interrupts, polls
        seen = sum(int(row[column]) for row in queues.values())
        assert seen >= least, f"column {column + 1} of the queues' table: expected some, saw\n{said}"
    polled, came = sum(int(row[2]) for row in queues.values()), sum(row[0] for row in ports.values())
    expect(polled, came, f"frames polled, beside those that came in, of\n{said}")
    expect_match(r"^ +total +0$", said, "drops by reason")
    expect_in("\n  conservation: ok\n  pools: ok\n", said, "the books")


@pytest.mark.parametrize("command", ["ports", "pool"])
def test_demo_fails_when_the_books_do_not_balance(command):
    class Leaking:
        @staticmethod
        def command(line):
            name = {"ports": "conservation", "pool": "pools"}[line]
            return f"some rows\n{name}: " + ("1 missing\n" if line == command else "ok\n")

    with pytest.raises(machine.Trouble, match="the books do not balance; .*\n.*\n.*: 1 missing"):
        demo.books(Leaking)


def no_namespace_left():
    left = subprocess.run(["ip", "netns"], capture_output=True, text=True, timeout=20).stdout
    assert "weir-demo" not in left, f"expected no namespace left behind, saw {left}"


@needs_namespaces
def test_demo_of_the_switch_between_namespaces():
    status, said = launch("demo", "--config", "switch")
    expect_in("ping: 20 of 20 answered", said, "output")
    expect_in("TCP weir-demo-b to weir-demo-a: 8 MiB, checksum right", said, "output")
    expect(status, 0, f"exit status ({said})")
    no_namespace_left()


def test_demo_without_a_switch_fails():
    """Ports that nobody switched on carry nothing: the demo must say so and not pass."""
    archive = os.path.join(TOP, "build", "test-nothing.cpio")
    subprocess.run([os.path.join(TOP, "scripts", "mkcpio"), archive, "weir.conf=/dev/null"], check=True, timeout=20)
    status, said = launch("demo", "--sockets", "--wires", "pair", "--config", archive)
    os.unlink(archive)
    expect_in("no frame came through from NIC 0 to NIC 1", said, "output")
    expect(status, 1, "exit status")


@needs_namespaces
def test_two_at_a_time_do_not_share_namespaces():
    with wires.Namespaces("weir-test"):
        with pytest.raises(machine.Trouble, match="another Weir uses the namespaces weir-test-a and weir-test-b"):
            wires.Namespaces("weir-test").__enter__()


# --- a guest that serves a page ---------------------------------------------------------------------------------------

NO_EXITS = {"all exits", "interrupts injected", "kicks", "signals", "signals suppressed"}
LINUX = os.path.join(TOP, "build", "linux.cpio")


def test_run_ends_with_a_page_and_the_shell():
    """The line stands there only when the page comes; then it comes here too, and the shell knows the guest."""
    terminal = spawn()
    try:
        terminal.expect(r"weir: guest g0 answers at http://127\.0\.0\.1:(\d+)/\r\n")
        page = traffic.fetch(int(terminal.match[1]), "/", 20)
        expect(page, guest.page(LINUX), "the page")
        terminal.expect("weir# ")
        terminal.send("guest console g0\r")
        terminal.expect("Ctrl-] detaches")
        terminal.send("\r")
        terminal.expect("guest# ")
        terminal.send("\x1d")
        terminal.expect("weir# ")
        terminal.send("poweroff\r")
        terminal.expect("weir: powered off")
        leaves(terminal, 0)
    finally:
        terminal.close(force=True)


def test_run_from_a_pipe():
    status, said = launch("run", typed="sysctl net.core.netdev_budget\nguest list\n")
    expect_match(r"^weir: guest g0 answers at http://127.0.0.1:\d+/$", said, "output")
    expect_in("weir# sysctl net.core.netdev_budget\nnet.core.netdev_budget = 300\n", said, "output")
    expect_match(r"^g0 +running ", said, "output")
    expect(status, 0, "exit status")


def parts(said):
    """The demo's table of what the guest made Weir do: {row: [a number for each of its four parts]}."""
    table = said.partition("g0: VM exits")[2].partition("\n\n")[0]
    found = re.findall(r"^  (\w[\w -]*?)((?: +\d+){4})$", table, re.MULTILINE)
    return {name: [int(n) for n in numbers.split()] for name, numbers in found}


def demo_reached_the_guest(said):
    expect_match(r"guest g0 answers at http://127.0.0.1:\d+/ after \d+ s", said, "output")
    expect_in("demo: the page: ", said, "output")
    expect_in("ping from nic1 to g0: 1,000 of 1,000 answered", said, "output")
    expect_in("demo: download: 10,485,760 bytes, SHA-256 ", said, "output")
    expect_in("ping from nic1 to the gateway behind nic0: 20 of 20 answered", said, "output")
    ports = {name: [int(n) for n in row] for name, row in rows(said, "port ").items()}
    expect(sorted(ports), ["nic0", "nic1", "tap0"], f"ports in the table of\n{said}")
    assert min(ports["nic1"][:2]) >= 1020, f"nic1: expected at least 1,020 frames each way, saw\n{said}"
    # a guest hands over segments of up to 64 KiB; they are cut for the wire
    segments = 10 * 1024 // 64
    assert min(ports["tap0"][:2]) >= 1000 + segments, f"tap0: expected 1,000 pings and 10 MiB, saw\n{said}"
    table = parts(said)
    for row in ("hlt", "io", "all exits", "interrupts injected", "kicks", "signals"):
        assert sum(table.get(row, [0])[2:]), f"{row}: expected some for the pings and the download, saw\n{said}"
    assert "signals suppressed" in table, f"expected the signals suppressed, saw\n{said}"
    reasons = [n for row, n in table.items() if row not in NO_EXITS]
    for total, column in zip(table["all exits"], zip(*reasons)):  # the guest runs while they are read
        assert abs(sum(column) - total) < 100, f"expected about {total} exits by reason, saw {sum(column)} in\n{said}"
    expect_in("\n  conservation: ok\n  pools: ok\n", said, "the books")
    expect_in("powered off; all of it happened", said, "output")


def test_demo_over_sockets():
    status, said = launch("demo", "--sockets")
    expect(status, 0, f"exit status ({said})")
    demo_reached_the_guest(said)


@needs_namespaces
def test_demo_in_a_namespace():
    status, said = launch("demo")
    expect(status, 0, f"exit status ({said})")
    demo_reached_the_guest(said)
    no_namespace_left()


def test_a_config_without_the_guest_says_so():
    status, said = launch("demo", "--sockets", "--config", "switch", "--wires", "web")
    expect_in("no guest of " + os.path.join(TOP, "build", "switch.cpio") + " has ip=10.0.2.15", said, "output")
    expect(status, 1, "exit status")


@pytest.fixture
def taken():
    """A port of 127.0.0.1 where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_passed_over(taken, monkeypatch, capsys):
    script = launch_module()
    monkeypatch.setattr(script, "HTTP_PORT", taken)
    options = script.parse(["run"])
    port = script.user_network(options).port
    assert taken < port < taken + 100, f"expected a port behind {taken}, saw {port}"
    expect(capsys.readouterr().out, f"weir: port {taken} of 127.0.0.1 is taken, so {port} it is\n", "what is said")


def test_a_taken_port_that_was_asked_for_is_an_error(taken):
    status, said = launch("run", "--http-port", str(taken))
    expect_match(rf"^weir: port {taken} of 127.0.0.1 is taken; \d+ is free$", said, "output")
    expect(status, 1, "exit status")


@pytest.mark.parametrize(
    "line, name",
    [
        ('guest create g0 memory 256 kernel k cmdline "console=ttyS0 ip=10.0.2.15/24" port tap0', "g0"),
        ("guest create web kernel k cmdline ip=10.0.2.15/24", "web"),
        ("guest create g0 kernel k cmdline ip=10.0.2.150/24", None),
        ("# guest create g0 kernel k cmdline ip=10.0.2.15/24", None),
        ("guest start g0", None),
    ],
)
def test_which_guest_has_the_address(tmp_path, line, name):
    for before in (b"# mine\n", b""):
        config = b"weir.conf\0\0" + before + line.encode() + b"\n\0\0"
        (tmp_path / "archive").write_bytes(b"070701..." + config + bytes(range(256)))
        expect(guest.served_by(tmp_path / "archive", "10.0.2.15"), name, f"guest of {line!r}")


# --- the demo's steps fail when they should ---------------------------------------------------------------------------


@pytest.fixture
def serve():
    """serve(body, length=None): a port where every page is @body, said to be @length bytes long."""
    servers = []

    def serve(body, length=None, status=200):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1].server_address[1]

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_fetch_gives_what_is_served(serve):
    expect(traffic.fetch(serve(b"a page"), "/", 10), b"a page", "the page")


@pytest.mark.parametrize(
    "how, why",
    [({"length": 9}, "3 bytes are missing"), ({"status": 404}, "the answer is 404")],
    ids=["cut", "refused"],
)
def test_fetch_takes_nothing_less(serve, how, why):
    with pytest.raises(machine.Trouble, match=why):
        traffic.fetch(serve(b"a page", **how), "/", 10)


def test_another_page_is_no_success(serve):
    with pytest.raises(machine.Trouble, match="the page is not what it should be"):
        demo.page(serve(b"It works!"), b"It works\n")


def test_another_download_is_no_success(serve):
    """Of the right length, and one byte wrong."""
    payload = subprocess.run(["sh", os.path.join(TOP, "guest", "linux", "payload")], capture_output=True, timeout=60)
    with pytest.raises(machine.Trouble, match="not those that were sent"):
        demo.download(serve(payload.stdout[:-1] + b"?"))


class Console:
    """Of a machine, as far as guest.await_page() looks."""

    hung_up = False

    def __init__(self, console=b""):
        self.console = console


@pytest.mark.parametrize(
    "line",
    ["g0: died: triple fault (vCPU 0 on core 1)", "g0: powered itself off", "weir.conf:6:13: g0: no file"],
)
def test_a_guest_that_cannot_come_is_not_waited_for(taken, line):
    """The port takes connections and says nothing, as QEMU's does."""
    with pytest.raises(machine.Trouble, match="g0 does not serve: " + re.escape(line)):
        guest.await_page(Console(f"Weir\r\n{line}\r\nweir# ".encode()), "g0", taken, print)


def test_a_guest_that_does_not_come_is_waited_for_with_an_end(taken):
    told = []
    with pytest.raises(machine.Trouble, match="g0 does not answer at .* within 3 s; `guest log g0` shows"):
        guest.await_page(Console(), "g0", taken, told.append, 3)


class Echoing:
    """Sockets with a host at the other end that answers ARP and ping; spoil(number, frame) lists what it sends."""

    MAC = b"\2\0\0\0\0\7"

    def __init__(self, spoil=lambda number, frame: [frame]):
        self.spoil, self.waiting = spoil, []

    def send(self, _, frame, seconds=5):
        head, body = frame[6:12] + self.MAC + frame[12:14], frame[14:]
        if frame[12:14] == traffic.ARP:
            answer = body[:6] + b"\0\2" + self.MAC + body[24:28] + body[8:18]
            question = body[:6] + b"\0\1" + self.MAC + body[24:28] + bytes(6) + body[14:18]
            self.waiting += [head + question, head + answer] if body[6:8] == b"\0\1" else []
            self.was_told = body[6:8] == b"\0\2"
            return
        icmp = b"\0\0" + traffic.checksum(b"\0\0\0\0" + body[24:84]).to_bytes(2, "big") + body[24:84]
        number = int.from_bytes(body[26:28], "big")
        self.waiting += self.spoil(number, head + body[:12] + body[16:20] + body[12:16] + icmp)

    def receive(self, _, seconds=5):
        return self.waiting.pop(0) if self.waiting else None


def test_a_station_pings_and_answers_for_its_address():
    sockets = Echoing()
    said = traffic.Station(sockets, 0, "10.0.2.50").ping("10.0.2.15", 1000)
    expect_in("1,000 of 1,000 answered", said, "what it says")
    expect(sockets.was_told, True, "whether the other got the station's address")


@pytest.mark.parametrize(
    "spoil, why",
    [
        (lambda number, frame: [frame] * (number != 7), "ping 7 was not answered, of 20"),
        (lambda number, frame: [frame] * (1 + (number == 7)), "ping 7 was answered twice, of 20"),
        (lambda number, frame: [frame[:-1] + b"?" if number == 7 else frame], "ping 7 is damaged"),
        (lambda number, frame: [frame[:22] + b"?" + frame[23:] if number == 7 else frame], "ping 7 is damaged"),
    ],
    ids=["lost", "twice", "payload", "header"],
)
def test_a_station_misses_what_does_not_come_back_whole(spoil, why):
    with pytest.raises(machine.Trouble, match=why):
        traffic.Station(Echoing(spoil), 0, "10.0.2.50").ping("10.0.2.15", 20)


# --- gdb --------------------------------------------------------------------------------------------------------------


def test_gdb_stops_where_it_is_told_and_by_ctrl_c():
    """`make gdb` (what it builds is built): the breakpoint is met, and Ctrl-C stops Weir, not QEMU."""
    gdb = pexpect.spawn("make", ["-o", "all", "gdb"], encoding="utf-8", timeout=60, cwd=TOP, env=ENVIRONMENT)
    try:
        ask = lambda line, answer: (gdb.expect(r"\(gdb\) "), gdb.sendline(line), gdb.expect(answer))  # noqa: E731
        ask("set style enabled off", "off")
        ask("set confirm off", "off")
        ask("break boot_main", r"Breakpoint 1 at 0x\w+: file boot/main.c")
        ask("continue", r"Breakpoint 1, boot_main \(door=")
        ask("break core_loop", "Breakpoint 2 at")
        ask("continue", r"Breakpoint 2, core_loop \(")
        ask("delete", "delete")
        ask("continue", "Continuing")
        gdb.sendintr()
        gdb.expect("received signal SIGINT, Interrupt")
        ask("print ncpus", r"\$1 = [12]\r")
        ask("quit", "quit")
        gdb.expect(pexpect.EOF)
    finally:
        gdb.close(force=True)
    expect(os.path.exists(os.path.join(TOP, "build", "run", "gdb")), False, "a socket left behind")


# --- accelerator ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "leaves, chosen",
    [
        ({(1, 0): (0,) * 4, (0x80000001, 0): (0, 0, 1 << 2, 0)}, ("kvm", "this host's KVM offers nested SVM")),
        ({(1, 0): (0, 0, 1 << 5, 0)}, ("kvm", "this host's KVM offers nested VT-x")),
        (
            {(1, 0): (~0, ~0, ~(1 << 5), ~0), (0x80000001, 0): (~0, ~0, ~(1 << 2), ~0), (1, 1): (0, 0, 1 << 5, 0)},
            ("tcg", "this host's KVM offers neither nested SVM nor VT-x"),
        ),
        ({}, ("tcg", "this host's KVM offers neither nested SVM nor VT-x")),
    ],
    ids=["svm", "vmx", "neither", "no answer"],
)
def test_kvm_is_taken_only_where_it_nests(monkeypatch, leaves, chosen):
    monkeypatch.delenv("WEIR_ACCEL", raising=False)
    monkeypatch.setattr(machine, "kvm_cpuid", lambda _: leaves)
    expect(machine.accelerator("/dev/null"), chosen, "accelerator")


def test_without_kvm_it_is_tcg(monkeypatch):
    monkeypatch.delenv("WEIR_ACCEL", raising=False)
    expect(machine.accelerator("/nowhere"), ("tcg", "this host has no KVM"), "accelerator")


# --- build tools ------------------------------------------------------------------------------------------------------


def test_the_archive_is_the_same_for_the_same_input(tmp_path):
    sums = []
    for stamp in (1000, 2000):
        conf = tmp_path / f"conf{stamp}"
        conf.write_text("help\n")
        os.utime(conf, (stamp, stamp))
        conf.chmod(0o600 + stamp // 1000)
        subprocess.run([os.path.join(TOP, "scripts", "mkcpio"), tmp_path / "out", f"weir.conf={conf}"], check=True)
        sums.append(hashlib.sha256((tmp_path / "out").read_bytes()).hexdigest())
    expect(sums[1], sums[0], "checksum of the second archive")


@pytest.mark.parametrize(
    "path, include, status",
    [
        ("kernel/a.c", '"net/port.h"', 1),
        ("drivers/a.c", '"net/port.h"', 1),
        ("net/a.h", "<boot/x.h>", 1),
        ("net/a.c", '"../kernel/pkt.h"', 1),
        ("net/a.c", '"drivers/netdev.h"', 0),
        ("net/a.c", '"port.h"', 0),
        ("boot/a.c", '"net/net.h"', 0),
    ],
)
def test_a_room_includes_only_what_stands_left_of_it(tmp_path, path, include, status):
    source = tmp_path / path
    source.parent.mkdir()
    source.write_text(f"# include {include}\n")
    done = subprocess.run([os.path.join(TOP, "scripts", "check-rooms"), path], cwd=tmp_path, timeout=20)
    expect(done.returncode, status, f"status of check-rooms for {path} including {include}")
