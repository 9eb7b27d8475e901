# SPDX-License-Identifier: MIT
"""An unmodified Linux as a guest: its page, TCP with checksums, its interrupts, its console, poweroff and reboot

Two of them boot side by side, as different as a port can make them, and serve all tests here: g2 with a vector a queue
and doorbells by port, g4 with INTx, doorbells by memory, jumbo frames and its worker on the other core. Beside them
a tiny one, g3. The hosts are network namespaces.
"""

import concurrent.futures
import hashlib
import http.client
import os
import re
import socket
import subprocess
import time

import pytest

from guests import Linux, Tiny, config, line
from weir import TOP, Weir, expect, expect_in, expect_match, plain  # puts scripts/ on the path
from guest import page
from traffic import fetch
from wires import Namespaces, UserNetwork, free_port, inside, namespaces_refused

G2, G3, G4 = 2, 3, 4
NOISE = 10 << 20
BOOT_SECONDS = 180  # of both at once, on a loaded host under TCG
REFUSED = namespaces_refused()

VMLINUZ = os.path.join(TOP, "build", "guest", "vmlinuz")
LINUX = {"memory": 192, "kernel": "vmlinuz", "initrd": "linux.cpio.gz"}
CONFIG = config(
    line(G2, "console=ttyS0 quiet", cpu=1, port="mtu 1500", **LINUX),
    line(G3, cpu=0),
    line(G4, "console=ttyS0 quiet mtu=9000", cpu=0, port="mtu 9000 vectors 0 notify mmio worker 1", **LINUX),
    mtu=9000,
)


def address(guest):
    return f"10.0.0.{guest if isinstance(guest, int) else guest.number}"


@pytest.fixture(scope="module")
def net():
    """Named after this process, so that nobody else's are touched; removed whatever happens. The second is jumbo."""
    if REFUSED:
        pytest.skip(REFUSED)
    with Namespaces(f"weir-linux-{os.getpid()}", ipv6=False, first="10.0.0.101") as net:
        subprocess.run(["ip", "-n", net.names[1], "link", "set", "eth0", "mtu", "9000"], check=True, timeout=20)
        yield net
    os.unlink(net.lock_path)


@pytest.fixture(scope="module")
def weir(net):
    with Weir(wires=net, smp=2, memory=1024, config=CONFIG, files=("vmlinuz", "linux.cpio.gz", "tiny")) as weir:
        weir.wait_links()
        weir.guests = {number: Linux(weir, number) for number in (G2, G4)}
        for guest in weir.guests.values():
            guest.wait_booted(BOOT_SECONDS)
        Tiny(weir, G3).wait_ready()
        yield weir
        weir.poweroff()


@pytest.fixture(params=[G2, G4], ids=["vectors", "intx"])
def guest(weir, request):
    return weir.guests[request.param]


# --- it runs ----------------------------------------------------------------------------------------------------------


def test_boots_without_complaint(guest):
    """The kernel of the package, on KVM's clock, and nothing in its log that it should not have met."""
    release = os.listdir(os.path.join(TOP, "build", "linux", "lib", "modules"))[0]
    expect(guest.run("uname -r").strip(), release, "its release")
    said = guest.run("dmesg | grep -E 'Hypervisor detected|clocksource: Switched' | cut -c1-100")
    expect_in("Hypervisor detected: KVM", said, "its log")
    wrong = "Oops|BUG:|Call Trace|unchecked MSR|soft lockup|rcu.*stall|nobody cared|WATCHDOG|[Ss]purious|Firmware Bug"
    expect(guest.run(f"dmesg | grep -E '{wrong}'"), "", "what its log complains of")


def test_shell_on_the_console(weir, guest):
    """Lines that are typed, and keys by `guest console`."""
    expect(guest.run("echo $((6*7)) one"), "42 one\n", "what its shell prints")
    start = len(weir.console)
    weir.type(f"guest console {guest.name}")
    try:
        weir.wait_for(f"attached to {guest.name}; Ctrl-] detaches", since=start)
        weir.serial.sendall(b"echo $((40+2)) by hand\r")
        weir.wait_for("\n42 by hand\n", 20, start)
        weir.serial.sendall(b"sleep 1000; echo $((43+1)) after\r")
        for _ in range(100):  # the first may come before the shell has given the terminal to sleep
            weir.serial.sendall(b"\x03")
            time.sleep(0.1)
            if re.search(r"\^C\n.*guest# $", plain(weir.console[start:]), re.DOTALL):
                break
        weir.serial.sendall(b"echo $((44+1)) interrupted\r")
        weir.wait_for("\n45 interrupted\n", 20, start)
    finally:
        weir.serial.sendall(b"\x1d")
    weir.wait_for(f"detached from {guest.name}\nweir# ", since=start)


def test_clock(guest):
    """It runs, no slower and no faster than itself; a sleep ends."""
    now = lambda: float(guest.run("cut -d' ' -f1 /proc/uptime"))  # noqa: E731
    before = now()
    guest.run("sleep 1")
    after = now()
    assert after - before >= 1, f"expected a second and more to pass in a sleep of one, saw {before} and then {after}"
    clock = guest.run("cat /sys/devices/system/clocksource/clocksource0/current_clocksource").strip()
    assert clock in ("tsc", "kvm-clock"), f"expected a clock that needs no exits, saw {clock}"


# --- pings and pages --------------------------------------------------------------------------------------------------


def ping(net, host, target, count, *how):
    """All answered. With -w ping waits for the last one, and may send a few more meanwhile."""
    done = net.exec(host, "ping", "-q", "-c", str(count), "-w", "60", *how, address(target), seconds=90)
    summary = expect_match(r"^(\d+) packets transmitted, (\d+) received", done.stdout, f"ping {how} said")
    sent, received = summary.groups()
    said = f"expected {count} answers to ping {how}, and some that were under way in the end; it said\n{done.stdout}{done.stderr}"
    assert count <= int(received) <= int(sent) < count + 64, said


@pytest.mark.parametrize("host", [0, 1])
def test_thousand_pings(net, weir, guest, host):
    with weir.dropping():
        ping(net, host, guest, 500, "-i", "0.002")


def test_pings_of_every_size(net, weir, guest):
    """One frame and many fragments, and a jumbo frame where both ends take it."""
    with weir.dropping():
        for size in (0, 17, 18, 100, 1472, 1473, 2953, 20000, 65000):
            ping(net, 0, guest, 3, "-i", "0.1", "-s", str(size))
        ping(net, 1, G4, 3, "-i", "0.1", "-s", "8972", "-M", "do")


def connect(net, host, guest, port):
    with inside(net.names[host]):
        connection = socket.create_connection((address(guest), port), 30)
    connection.settimeout(120)
    return connection


def get(net, host, guest, path):
    """What the guest serves at @path."""
    server = http.client.HTTPConnection(address(guest), timeout=120)
    server.sock = connect(net, host, guest, 80)
    server.request("GET", path)
    answer = server.getresponse()
    body = answer.read()
    server.close()
    expect(answer.status, 200, f"status of GET {path}")
    return body


def test_page(net, weir, guest):
    expect(get(net, 0, guest, "/"), page(VMLINUZ), "the page")


def test_many_pages_at_once(net, weir, guest):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        pages = list(pool.map(lambda i: get(net, i % 2, guest, "/"), range(64)))
    expect(set(pages), {page(VMLINUZ)}, "64 pages, 16 at a time")


# --- TCP with checksums -----------------------------------------------------------------------------------------------


def payload_sum():
    """Of what the guest makes by itself, made here."""
    script = os.path.join(TOP, "guest", "linux", "payload")
    made = subprocess.run(["sh", script], capture_output=True, check=True, timeout=60)
    return hashlib.sha256(made.stdout).hexdigest()


def upload(net, host, guest, data):
    """Send @data; the checksum that the guest makes of what arrived."""
    with connect(net, host, guest, 5001) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    return answer.decode().split()[0]


def download_sum(net, host, guest):
    return hashlib.sha256(get(net, host, guest, "/10mb.bin")).hexdigest()


def test_download(net, weir, guest):
    expect(download_sum(net, 0, guest), payload_sum(), "checksum of the 10 MB that came")
    expect_in(payload_sum(), get(net, 0, guest, "/10mb.bin.sha256").decode(), "the checksum that it serves beside")


def test_upload(net, weir, guest):
    data = os.urandom(NOISE)
    expect(upload(net, 1, guest, data), hashlib.sha256(data).hexdigest(), "checksum of the 10 MB that arrived")


def test_all_at_once(net, weir):
    """Up and down, both guests, both hosts."""
    data = os.urandom(NOISE // 2)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        up = [pool.submit(upload, net, host, guest, data) for host, guest in ((0, G2), (1, G4))]
        down = [pool.submit(download_sum, net, host, guest) for host, guest in ((1, G2), (0, G4))]
        expect([one.result() for one in up], 2 * [hashlib.sha256(data).hexdigest()], "checksums of what arrived there")
        expect([one.result() for one in down], 2 * [payload_sum()], "checksums of what came")


def test_guest_to_guest(weir):
    """Linux fetches from Linux, both ways; and pings the tiny guest."""
    for one, other in ((G2, G4), (G4, G2)):
        said = weir.guests[one].run(f"wget -qO- http://{address(other)}/10mb.bin | sha256sum", 120)
        expect(said.split()[0], payload_sum(), f"checksum of what g{one} fetched from g{other}")
        said = weir.guests[one].run(f"ping -q -c 50 -A {address(G3)} | grep received", 60)
        expect_match(r"^50 packets transmitted, 50 packets received", said, f"pings from g{one} to g3")


# --- what is left to the device ---------------------------------------------------------------------------------------


def long_frames(weir, direction, number, before):
    """Bytes a frame that guest @number's ring has carried since its device() said @before."""
    now = weir.guests[number].device()
    return (now[f"{direction} bytes"] - before[f"{direction} bytes"]) // (
        now[f"{direction} packets"] - before[f"{direction} packets"]
    )


def test_offloads_are_negotiated(weir, guest):
    """Checksums and TCP segmentation both ways, and changes of these at run time."""
    wanted = sum(1 << bit for bit in (0, 1, 2, 7, 8, 11, 12))
    expect(guest.device()["features"] & wanted, wanted, "features that its driver took")


def test_from_guest_to_guest_nothing_is_cut(weir):
    """g4 serves g2, whose MTU is the smaller one: what crosses is as long as Linux makes it."""
    before = {number: weir.guests[number].device() for number in (G2, G4)}
    said = weir.guests[G2].run(f"wget -qO- http://{address(G4)}/10mb.bin | sha256sum", 120)
    expect(said.split()[0], payload_sum(), "checksum of what g2 fetched from g4")
    for direction, number in (("tx", G4), ("rx", G2)):
        mean = long_frames(weir, direction, number, before[number])
        assert mean > 4000, f"{direction} of g{number}: expected frames of more than 4,000 bytes, saw {mean} on average"


def test_frames_of_a_stream_reach_the_guest_as_one(net, weir, guest):
    """With GRO a guest is given long packets, and what it uploads to a wire is cut again."""
    for nic in ("nic0", "nic1"):
        weir.quiet(f"ethtool -K {nic} gro on")
    before, data = guest.device(), os.urandom(NOISE)
    expect(upload(net, 0, guest, data), hashlib.sha256(data).hexdigest(), "checksum of the 10 MB that arrived")
    mean = long_frames(weir, "rx", guest.number, before)
    expect(download_sum(net, 0, guest), payload_sum(), "checksum of the 10 MB that came")
    for nic in ("nic0", "nic1"):
        weir.quiet(f"ethtool -K {nic} gro off")
    assert mean > 2000, f"expected frames of more than 2,000 bytes in the guest's ring, saw {mean} on average"


# --- its devices ------------------------------------------------------------------------------------------------------


def interrupts(guest):
    """{name: count} of virtio's, and of which kind they are."""
    rows = re.findall(r"^ *\d+: +(\d+) +(\S+ +\S+) +(virtio\S.*)$", guest.run("cat /proc/interrupts"), re.MULTILINE)
    return {name.strip(): int(count) for count, _, name in rows}, {kind.split()[0] for _, kind, _ in rows}


def test_interrupts_in_the_guest(net, weir):
    """MSI-X: one for the configuration and one a queue, or a line that all share; pings raise them."""
    before = {number: interrupts(guest) for number, guest in weir.guests.items()}
    for number in weir.guests:
        ping(net, 0, number, 100, "-i", "0.01")
    after = {number: interrupts(guest) for number, guest in weir.guests.items()}
    expect(sorted(after[G2][0]), ["virtio0-config", "virtio0-input.0", "virtio0-output.0"], "g2's interrupts")
    expect(after[G2][1], {"PCI-MSI"}, "the kind of g2's interrupts")
    expect(sorted(after[G4][0]), ["virtio0"], "g4's interrupts")
    expect(after[G4][1], {"IO-APIC"}, "the kind of g4's interrupts")
    for number, name in ((G2, "virtio0-input.0"), (G4, "virtio0")):
        new = after[number][0][name] - before[number][0][name]
        assert 50 <= new <= 400, f"g{number}: expected about 100 interrupts of {name} for 100 single pings, saw {new}"


def test_driver_is_taken_off_and_put_back(net, weir, guest):
    """Unbound and bound again while pings come in: reset, negotiation, queues anew."""
    resets = guest.device()["resets"]
    again = "ip addr add {0}/24 dev eth0; ip link set eth0 up".format(address(guest))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pinging = pool.submit(net.exec, 0, "ping", "-q", "-c", "150", "-i", "0.02", "-W", "1", address(guest))
        for _ in range(3):
            rebind = "cd /sys/bus/virtio/drivers/virtio_net; echo virtio0 >unbind; echo virtio0 >bind; cd /"
            said = guest.run(f"{rebind}; {again}")
            expect(said, "", "what it says")
        pinging.result()
    ping(net, 0, guest, 20, "-i", "0.02")
    assert guest.device()["resets"] >= resets + 3, f"expected three resets of the device and more, saw {guest.device()}"
    if guest.number == G4:
        guest.run("ip link set eth0 mtu 9000")


def test_promiscuous_and_groups(weir, guest):
    """What Linux asks for over the control queue is answered."""
    before = int(expect_match(r"(\d+) control commands", guest.info(), "control commands")[1])
    said = guest.run("ip link set eth0 promisc on; ip link set eth0 promisc off; ip link set eth0 allmulti on; "
                     "ip link set eth0 allmulti off; ip link show eth0 | head -1")  # fmt: skip
    expect_in("<BROADCAST,MULTICAST,UP,LOWER_UP>", said, "its link")
    after = int(expect_match(r"(\d+) control commands", guest.info(), "control commands")[1])
    assert after >= before + 4, f"expected four commands and more over the control queue, saw {after - before}"


# --- its end ----------------------------------------------------------------------------------------------------------


def test_reset_while_it_serves(net, weir):
    """Pulled away from under a download; the other one's download is whole, and it boots again."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        kept = pool.submit(download_sum, net, 1, G4)
        lost = connect(net, 0, G2, 80)
        lost.sendall(b"GET /10mb.bin HTTP/1.0\r\n\r\n")
        expect(len(lost.recv(1000)) > 0, True, "bytes came")
        weir.quiet("guest reset g2")
        expect(kept.result(), payload_sum(), "checksum of what the other guest served meanwhile")
        lost.close()
    weir.guests[G2].wait_booted(BOOT_SECONDS)
    expect(download_sum(net, 0, G2), payload_sum(), "checksum of what it serves again")


def test_reboot(net, weir):
    """By ACPI, from inside: it starts again by itself, and the other guest answers meanwhile."""
    starts = int(expect_match(r"^Starts: +(\d+)", weir.guests[G2].info(), "starts")[1])
    weir.guests[G2].type("reboot -f")
    ping(net, 1, G4, 20, "-i", "0.02")
    again = rf"^Starts: +{starts + 1}$"
    weir.wait_sh("guest info g2", lambda text: re.search(again, text, re.MULTILINE), "it to start again", BOOT_SECONDS)
    weir.guests[G2].wait_booted(BOOT_SECONDS)
    expect(int(expect_match(r"^Starts: +(\d+)", weir.guests[G2].info(), "starts")[1]), starts + 1, "starts")
    ping(net, 0, G2, 20, "-i", "0.02")


def test_poweroff(net, weir):
    """By ACPI, from inside: a sentence, and the guest is off until it is started again."""
    start = len(weir.console)
    weir.guests[G2].type("poweroff -f")
    weir.wait_for("g2: powered itself off", 60, start)
    expect(weir.guests[G2].state(), "off", "its state")
    ping(net, 1, G4, 20, "-i", "0.02")
    weir.quiet("guest start g2")
    weir.guests[G2].wait_booted(BOOT_SECONDS)
    expect(weir.guests[G2].run("echo alive"), "alive\n", "its shell")
    expect(plain(weir.console).count(": died: "), 0, "deaths in all")


# --- one core ---------------------------------------------------------------------------------------------------------


def test_one_core():
    """Wire, worker, guest and shell on a single core, the wire being QEMU's user network, which needs no root."""
    text = config(line(G2, "console=ttyS0 quiet", **LINUX)).replace(address(G2) + "/", UserNetwork.GUEST + "/")
    port = free_port(18080)
    with Weir(wires=UserNetwork(port), smp=1, config=text, files=("vmlinuz", "linux.cpio.gz")) as weir:
        guest = Linux(weir, G2).wait_booted(BOOT_SECONDS)
        with weir.dropping():
            expect(fetch(port, "/", 30), page(VMLINUZ), "the page")
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                down = [pool.submit(fetch, port, "/10mb.bin", 120) for _ in range(3)]
                expect(weir.sh("echo meanwhile"), "meanwhile\n", "the shell's answer")
                sums = [hashlib.sha256(one.result()).hexdigest() for one in down]
            expect(sums, 3 * [payload_sum()], "checksums of three downloads at once")
        expect(guest.run("echo $((6*7))"), "42\n", "its shell")
        weir.poweroff()
