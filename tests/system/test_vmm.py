# SPDX-License-Identifier: MIT
"""The machine that a guest believes it has, guests that share a core, how they end, what the operator says to them"""

import re

import pytest

from frames import mac, numbered
from guests import Guest, config, died, echoes, guests, line
from weir import Weir, expect, expect_in, expect_match, guest_file, plain

A, B = 1, 20  # stations behind nic0 and nic1
G2, G3 = 2, 3


def lab_of(lab, *lines, **how):
    weir = lab.get(**{"nics": 2, "smp": 2, "config": config(*lines), "files": ("tiny",), **how})
    weir.guests = guests(weir, *(int(n) for n in re.findall(r"^guest create g(\d)", "".join(lines), re.MULTILINE)))
    weir.arrives(1, numbered(B, A, 0), [0])
    return weir


@pytest.fixture
def weir(lab):
    """Two guests on core 1: one with x2APIC, one without."""
    return lab_of(lab, line(G2, cpu=1), line(G3, "apic=xapic", cpu=1))


@pytest.fixture
def narrow(lab):
    """Two guests, two wires and the shell on one core."""
    return lab_of(lab, line(G2), line(G3), smp=1)


def together(commands):
    """Commands of several guests, typed before the first is done; what each answered."""
    for guest, command in commands:
        guest.begin(command)
    return [guest.good(guest.finish(60), command) for guest, command in commands]


# --- the machine ------------------------------------------------------------------------------------------------------


def test_registers_of_two_guests_on_one_core(weir):
    """Patterns in ymm0 to 15, x87, MXCSR and debug registers, another in each guest; slices end, packets go by.

    They were on the core in turns, or the test would show nothing: each saw the timer end its slices.
    """
    for first, second in (("check fpu 1 600", "check fpu 14 600"), ("check dr 5 400", "check fpu 7 400")):
        before = [guest.exits()["interrupt"] for guest in weir.guests]
        two, three = weir.guests
        two.begin(first)
        three.begin(second)
        weir.carry([(0, 1, "wire", numbered(A, B, n)) for n in range(300)], 1)
        two.good(two.finish(), first)
        three.good(three.finish(), second)
        slices = [guest.exits()["interrupt"] - n for guest, n in zip(weir.guests, before)]
        assert min(slices) >= 20, f"expected interrupts to end each guest's run 20 times and more, saw {slices}"


def test_what_nobody_claims_is_counted(weir):
    """Ports, addresses and MSRs that nobody has, by number."""
    def counted():
        said = weir.sh("guest exits g2")
        rows = re.findall(r"^unclaimed (port|memory) (0x\w+): (\d+) reads, (\d+) writes$", said, re.MULTILINE)
        seen = {f"{kind} {at}": (int(reads), int(writes)) for kind, at, reads, writes in rows}
        msrs = re.search(r"^unknown MSRs: (\d+) accesses took #GP, the last to (\w+)$", said, re.MULTILINE)
        return seen, msrs and (int(msrs[1]), msrs[2])

    weir.guests[0].ok("check")
    before, msrs = counted()
    for check in ("ports", "hole", "msr"):
        weir.guests[0].ok(f"check {check}")
    after, msrs_now = counted()
    for where in ("port 0x5150", "memory 0xd0000004"):
        new = [a - b for a, b in zip(after[where], before[where])]
        assert min(new) > 0, f"{where}: expected more reads and writes, saw {before[where]} and then {after[where]}"
    expect(msrs_now, (msrs[0] + 2, "0x12345"), "accesses to unknown MSRs, and the last of them")


def test_exits_add_up(weir):
    """Each entry ended in one exit, each exit has its reason; 1,000 CPUIDs are 1,000 exits."""
    guest = weir.guests[0]
    before = guest.wait_asleep().exits()
    guest.ok("cpuid 1000")
    after = guest.wait_asleep().exits()
    assert 1000 <= after["cpuid"] - before["cpuid"] < 1010, f"expected 1,000 CPUID exits and hardly more, saw {after}"
    reasons = [n for name, n in after.items() if name not in ("all", "entries", "injected", "nmis", "again")]
    expect(after["all"], sum(reasons), "the sum of all reasons")
    assert 0 <= after["entries"] - after["all"] <= 1, f"expected an exit for each entry, saw {after}"


def test_nmi(weir):
    """`guest nmi`: to a guest that sleeps, and to one that has interrupts off and runs."""
    guest = weir.guests[0]
    count = lambda: int(expect_match(r"^ok (\d+) NMIs, 0 stray", guest.ok("nmi"), "NMIs")[1])  # noqa: E731
    before = count()
    for _ in range(3):
        weir.quiet("guest nmi g2")
        guest.ok("echo awake")
    guest.begin("spin 300ms")
    weir.quiet("guest nmi g2")
    guest.finish()
    expect(count() - before, 4, "NMIs that it took")


# --- sharing a core ---------------------------------------------------------------------------------------------------


def ran(weir, name):
    """Seconds that the guest's vCPU ran."""
    return float(expect_match(r"^vCPU 0: .* ran (\d+\.\d+) s$", weir.sh(f"guest info {name}"), "vCPU 0")[1])


def loops(said):
    return int(expect_match(r"^ok (\d+) loops", said, "answer to 'spin'")[1])


def test_two_spinning_guests_on_one_core():
    """By count: with icount the clock is the number of instructions, so a fair share of it is a fair share of loops."""
    text = config(*(line(n, 'run="spin 400ms"', cpu=0) for n in (G2, G3)))
    text = "".join(row for row in text.splitlines(True) if "nic*" not in row)
    with Weir(nics=0, smp=1, config=text,
              files=("tiny",), cpu="max,-x2apic", extra=("-icount", "shift=0,sleep=off")) as weir:  # fmt: skip
        made = [loops(Guest(weir, n).wait_log(r"^ok \d+ loops", 120)[0]) for n in (G2, G3)]
        times = [ran(weir, f"g{n}") for n in (G2, G3)]
        weir.poweroff()
    for what, (two, three) in (("loops", made), ("seconds", times)):
        assert 0.9 < two / three < 1.1, f"expected the same number of {what} within a tenth, saw {two} and {three}"


def test_two_spinning_guests_on_two_cores(lab):
    """Neither waits for the other: each makes its loops in one go, hardly ever taken off its core."""
    weir = lab_of(lab, line(G2, cpu=0), line(G3, cpu=1))
    alone = loops(weir.guests[0].ok("spin 300ms"))
    two, three = (loops(said) for said in together([(guest, "spin 600ms") for guest in weir.guests]))
    assert two > alone / 2 and three > alone / 2, f"expected {alone} loops and more of both, saw {two} and {three}"


def test_spinning_guest_holds_up_nobody(narrow):
    """One core: a guest spins; the wires, the other guest and the shell go on beside it, and it goes on beside them."""
    two, _ = narrow.guests
    alone = loops(two.ok("spin 300ms"))
    before = ran(narrow, "g2")
    two.begin("spin 1500ms")
    with narrow.dropping():
        for turn in range(5):
            narrow.carry([(0, 1, "there", numbered(A, B, n)) for n in range(60)], 1)
            narrow.carry([(1, 0, "back", numbered(B, A, n)) for n in range(300)], 32)
            narrow.carry([echoes(n, G3, 100) for n in range(60)], 1)
            expect(narrow.sh(f"echo {turn}"), f"{turn}\n", "the shell's answer")
    made = loops(two.finish())
    assert made > alone, f"expected more loops in 1,500 ms beside others than the {alone} of 300 ms alone, saw {made}"
    assert ran(narrow, "g2") > before, "expected its vCPU to have run, saw that it has not"


def test_guest_has_its_share_under_load(narrow):
    """More frames than the core can carry for as long as the guest has to do something: it gets it done."""
    two, _ = narrow.guests
    two.begin("spin 20000000")
    sent = 0
    while not two.finished():
        narrow.carry([(0, 1, n % 8, numbered(A, B, sent + n, flow=n % 8)) for n in range(400)], 128)
        sent += 400
        assert sent < 100000, f"expected g2 to be done with 20 million loops by now, saw nothing; {sent} frames went by"
    loops(two.finish())


def test_stopping_a_guest_that_spins(weir):
    """It makes no exit by itself, and has to go at once: stop, start, reset."""
    for how in (("guest stop g2", "guest start g2"), ("guest reset g2",)):
        weir.guests[0].type("spin 3600000ms")
        weir.wait_sh("guest info g2", lambda text: " running, " in text, "g2 to run")
        weir.quiet(*how)
        weir.guests[0].answers_arp()
        weir.guests[0].ok("echo back")


# --- ends -------------------------------------------------------------------------------------------------------------

DEATHS = {
    "triple": r"triple fault",
    "undecodable": r"access to 0xd0000000 cannot be decoded: (c5 fe|f3 0f) 6f .*",
    "fetch": r"access to 0xd0000000 cannot be decoded:.*",
    "entry": r"the hardware refused to enter it: guest CR0 is 0x[0-9a-f]+: NW needs CD",
    "tables": r"access to 0xd0000[0-9a-f]{3} cannot be decoded:.*",
}


@pytest.mark.parametrize("way", DEATHS)
def test_death(weir, way):
    """A report of what it did, and where; its neighbour on the same core serves, and it comes back to life."""
    before = len(weir.console)
    weir.guests[0].type(f"die {way}")
    report = died(weir, "g2")
    expect_match(rf"^died: {DEATHS[way]} \(vCPU 0 on core 1\)$", report, "why")
    expect_match(r"^  rip [0-9a-f]{16} rflags [0-9a-f]+ exit (shutdown|mmio|failed)$", report, "where")
    for part in ("rax [0-9a-f]{16} rbx", "cr0 [0-9a-f]+ cr2 [0-9a-f]+ cr3", " cs [0-9a-f]{4} base", "bytes at rip: "):
        expect_match(part, report, "registers")
    named = re.search(r"guest CR0 is 0x([0-9a-f]+):", report)
    if named:
        expect(int(re.search(r" cr0 ([0-9a-f]+) ", report)[1], 16), int(named[1], 16), "the register that is at fault")
        expect_match(r"bytes at rip: [0-9a-f]{2} ", report, "its code, not Weir's")
    past = re.findall(r"^    (\S+) +rip [0-9a-f]{16} info [0-9a-f]+$", report, re.MULTILINE)
    expect(len(past), 16, "exits of the past")
    assert past[0] in ("shutdown", "mmio", "failed"), f"expected the exit that ended it first, saw {past}"
    expect(plain(weir.console[before:]).count("g2: died: "), 1, "reports")
    expect_match(rf"^State: +dead: {DEATHS[way]}$", weir.guests[0].info(), "its state")
    expect_match(r" is dead$", weir.sh("guest type g2 hello"), "the answer to who types to it")
    with weir.dropping(tap_closed=5):
        for n in range(5):
            weir.send(0, numbered(A, G2, n))
        weir.carry([echoes(n, G3) for n in range(50)])
    weir.quiet("guest start g2")
    weir.guests[0].answers_arp().ok("check")
    with weir.dropping():
        weir.carry([echoes(n, guest) for n in range(50) for guest in (G2, G3)])


def test_guest_that_sleeps_for_good(weir):
    """Interrupts off and HLT: no fault, no exit any more; nobody notices, and it can be stopped."""
    weir.guests[0].type("die sleep")
    weir.guests[0].wait_asleep()
    weir.carry([echoes(n, G3) for n in range(50)])
    weir.quiet("guest stop g2")
    expect(weir.guests[0].state(), "off", "its state")
    weir.quiet("guest start g2")
    weir.guests[0].answers_arp()


def test_deaths_in_a_row(weir):
    """Both at once, again and again: nothing is used up."""
    free = weir.sh("free")
    for _ in range(5):
        for guest in weir.guests:
            guest.type("die triple")
        for guest in weir.guests:
            died(weir, guest.name)
            weir.quiet(f"guest start {guest.name}")
        for guest in weir.guests:
            guest.answers_arp()
    expect(weir.sh("free"), free, "memory as 'free' shows it")


# --- console ----------------------------------------------------------------------------------------------------------

DETACH = b"\x1d"


def attached(weir, name, keys, until, seconds=10):
    """What stands on the terminal from `guest console` on until @until matches, with @keys typed meanwhile."""
    start = len(weir.console)
    seen = lambda pattern: lambda: re.search(pattern, plain(weir.console[start:]), re.MULTILINE)  # noqa: E731
    weir.type(f"guest console {name}")
    weir.wait_until(seen(rf"^attached to {name}; Ctrl-\] detaches$"), seconds, "the console")
    weir.serial.sendall(keys)
    weir.wait_until(seen(until), seconds, repr(until))
    return plain(weir.console[start:])


def test_console(weir):
    """The last that it said is shown, then what it says; keys go to it; Ctrl-] comes back."""
    weir.guests[0].ok("echo before")
    said = attached(weir, "g2", b"echo one two\r", r"^ok one two$")
    expect_in("ok before\n", said, "what it said before")
    weir.serial.sendall(b"nobody\recho three\r")
    weir.wait_for("ok three\n", since=len(weir.console) - 100)
    start = len(weir.console)
    weir.serial.sendall(DETACH)
    weir.wait_for("detached from g2\nweir# ", since=start)
    expect(weir.sh("echo shell"), "shell\n", "the shell, afterwards")
    expect_match(r"^FAIL no command nobody", weir.guests[0].log(), "its log")


def test_console_of_a_guest_that_is_off(weir):
    """Its last words, and back at the prompt."""
    weir.quiet("guest stop g3")
    said = weir.sh("guest console g3")
    expect_match(r"^attached to g3; Ctrl-\] detaches$", said, "the first line")
    expect(said.splitlines()[-1], "g3 is off", "the last line")
    weir.quiet("guest start g3")
    weir.guests[1].answers_arp()


def test_console_of_a_guest_that_dies(weir):
    """It ends with the guest."""
    said = attached(weir, "g2", b"die triple\r", r"^g2 is dead\nweir# $")
    expect_in("g2: died: triple fault", said, "the report, on the way")
    weir.quiet("guest start g2")
    weir.guests[0].answers_arp()


def test_console_of_a_guest_that_does_not_listen(weir):
    """More keys than it has room for are lost; the one that detaches is not."""
    weir.guests[0].type("die sleep")
    weir.guests[0].wait_asleep()
    attached(weir, "g2", b"x" * 400 + DETACH, r"^detached from g2$", 30)
    expect_match(r"bytes written, [1-9]\d* typed and lost$", weir.guests[0].info(), "keys that were lost")
    expect_match(r"g2 does not read its console$", weir.sh("guest type g2 " + "y" * 300), "'guest type' to it")
    weir.quiet("guest reset g2")
    weir.guests[0].answers_arp()


def test_log(weir):
    """The last lines, as many as asked for; control characters move no cursor."""
    guest = weir.guests[0]
    for word in ("one", "two", "three"):
        guest.ok(f"echo {word}")
    lines = guest.log(5).splitlines()
    expect(len(lines), 5, "lines of 'guest log g2 5'")
    expect(lines[3], "ok three", "the last but one")  # behind it is the mark that ok() waits for
    guest.ok("echo \x07bell")
    assert "\x07" not in guest.log(3), "expected no control character in the log, saw one"


# --- creating and starting --------------------------------------------------------------------------------------------

WRONG_LINES = [  # the line, the word it must point at, what it must say
    ("guest create g2 memory 7 kernel tiny", "7", "expected a number from 8 to 16384, found '7'"),
    ("guest create g2 memory 99999 kernel tiny", "99999", "expected a number from 8 to 16384, found '99999'"),
    ("guest create g2 memory 600 kernel tiny", "g2", r"g2 wants 600 MiB of memory, and 8 more must stay free; .*\d+ MiB"),
    ("guest create g2", "", "expected kernel FILE, found the end of the line"),
    ("guest create g2 kernel nothing", "nothing", "guest: no file nothing in the boot archive"),
    ("guest create g2 kernel tiny initrd nothing", "nothing", "guest: no file nothing in the boot archive"),
    ("guest create g2 kernel tiny frob 1", "frob", "expected memory, vcpus, .*, found 'frob'"),
    ("guest create 2g kernel tiny", "2g", "expected a name of at most 15 letters and digits, found '2g'"),
    ("guest create g2 kernel tiny cpus 2", "2", "expected cores that there are.*, found '2'"),
    ("guest create g2 kernel tiny vcpus 5", "5", "expected a number from 1 to 4, found '5'"),
    ("guest create g2 kernel tiny mac 02:00:00:00:00:01", "mac", "mac belongs to a port: name one first"),
    ("guest create g2 kernel tiny port p2 mac 01:00:00:00:00:01", "01:00", "expected a MAC address of one .*"),
    ("guest create g2 kernel tiny port p2 mtu 67", "67", "expected a number from 68 to 9000, found '67'"),
    ("guest create g2 kernel tiny port p2 vectors 1", "1", "expected 3 .*, 2 .* or 0 .*, found '1'"),
    ("guest create g2 kernel tiny port p2 notify smoke", "smoke", "expected pio or mmio, found 'smoke'"),
    ("guest create g2 kernel tiny port p2 worker 2", "2", "expected a number from 0 to 1, found '2'"),
    ("guest create g2 kernel tiny port nic0", "nic0", "there is a port nic0 already"),
    ("guest create g2 kernel tiny port sw0", "sw0", "sw0 is the name of a switch"),
    ("guest create g2 kernel tiny port p2 port p2", "p2", "p2 was named before"),
    ("guest create g3 kernel tiny", "g3", "there is a guest g3 already"),
    ("guest start g2", "g2", "expected a guest's name, found 'g2'"),
    ("guest start", "", "expected a guest's name, found the end of the line"),
    ("guest frob g3", "frob", "expected create, start, .*, found 'frob'"),
    ("guest start g3 now", "now", "expected the end of the line, found 'now'"),
    ("guest console g3", "console", "a console wants a person; use guest log and guest type"),
    ("guest type g3 hello", "g3", "g3 is off"),
    ("guest reset g3", "g3", "g3 is off; start it"),
    ("guest stop g3", "g3", "g3 is off"),
    ("guest nmi g3", "g3", "g3 is off"),
]


def column(text, word):
    """Of the last place where @word stands by itself; of the end without one."""
    return (text.rindex(" " + word) + 1 if word else len(text)) + 1


def test_wrong_lines(lab):
    """In weir.conf each is answered with file, line and column; on the terminal with the column."""
    first = "ovs-vsctl add-br sw0\nguest create g3 memory 16 kernel tiny\n"
    text = first + "".join(row + "\n" for row, _, _ in WRONG_LINES)
    weir = lab.get(nics=1, smp=2, config=text, files=("tiny",))
    said = weir.booted()
    for number, (row, word, what) in enumerate(WRONG_LINES, first.count("\n") + 1):
        expect_match(rf"^weir\.conf:{number}:{column(row, word)}: {what}$", said, f"what it says of '{row}'")
    expect_in(f"config: {len(WRONG_LINES)} lines failed; what they name stays down", said, "the sum of it")
    for row, word, what in WRONG_LINES:
        if not row.startswith("guest console"):
            expect_match(rf"^col {column(row, word)}: {what}$", weir.sh(row), f"the answer to '{row}'")
    expect(re.findall(r"^(\S+) +\w+ +1 ", weir.sh("guest list"), re.MULTILINE), ["g3"], "guests that there are")


def test_failed_lines_hold_down_ports():
    """A port whose guest was refused, and one that a failed line names, stay down; the others do not."""
    text = line(G2, port="frob x") + line(G3) + config().replace("nic*", "nic0") + "ovs-vsctl add-port sw0 p3\n"
    text += "ovs-ofctl add-flow sw9 in_port=nic1,actions=drop\nip link set nic* up\nip link set p3 up\nguest start g3\n"
    with Weir(nics=2, config=text, files=("tiny",)) as weir:
        expect_in("config: 2 lines failed; what they name stays down", weir.booted(), "the sum of it")
        expect_match(r": <BROADCAST,MULTICAST> ", weir.sh("ip link show nic1"), "nic1, which a failed line names")
        expect_match(r"expected .*, found 'p2'", weir.sh("ip link show p2"), "p2, whose guest was refused")
        weir.wait_sh("ip link show nic0", lambda said: " state UP " in said, "link of nic0")
        three = Guest(weir, G3).answers_arp()
        expect(three.state(), "running", "the guest that no failed line names")
        weir.poweroff()


@pytest.fixture
def tiny():
    return guest_file("tiny")


def damaged(tiny):
    """{name: (kernel, what is said of it)}"""
    def with_field(at, value, size):
        return tiny[:at] + value.to_bytes(size, "little") + tiny[at + size :]

    return {
        "empty": (b"", r"kernel empty is no bzImage: it has 0 bytes"),
        "text": (b"not a kernel\n" * 100, r"kernel text is no bzImage: no HdrS at offset 0x202"),
        "header": (tiny[:600], r"kernel header is no bzImage: it has 600 bytes"),
        "cut": (tiny[:-4096], rf"kernel cut is cut off: its header tells of \d+ bytes, it has {len(tiny) - 4096}"),
        "old": (with_field(0x206, 0x020A, 2), r"kernel old speaks boot protocol 2\.10, 2\.12 is needed"),
        "bits": (with_field(0x236, 0, 2), r"kernel bits has no 64-bit entry"),
        "low": (with_field(0x258, 0x1000, 8), r"kernel low is damaged: it wants to be loaded at 0x1000"),
        "large": (with_field(0x260, 64 << 20, 4), r"kernel large needs 65 MiB of memory, the guest has 16"),
        "nowhere": (with_field(0x258, 1 << 38, 8), r"kernel nowhere needs \d+ MiB of memory, the guest has 16"),
    }


def test_kernels_that_cannot_be_started(tiny):
    """Each is refused in a sentence, at the start and by a terminal; the guest stays off and can be tried again."""
    kernels, lines = damaged(tiny), ""
    with_initrd = {"tiny": tiny, "initrd": bytes(20 << 20)}
    names = [*kernels, "initrd"]
    for name in names:
        with_initrd[name] = kernels[name][0] if name in kernels else with_initrd[name]
    for batch in (names[:5], names[5:]):
        kernel = {name: "tiny initrd initrd" if name == "initrd" else name for name in batch}
        lines = "".join(f"guest create {name} memory 16 kernel {kernel[name]}\n" for name in batch)
        lines += "".join(f"guest start {name}\n" for name in batch)
        with Weir(nics=0, smp=2, config=lines, files=with_initrd) as weir:
            for number, name in enumerate(batch, len(batch) + 1):
                too_large = r"kernel tiny with initrd initrd needs \d+ MiB of memory, the guest has 16"
                what = kernels[name][1] if name in kernels else too_large
                expect_match(rf"^weir\.conf:{number}:13: {name}: {what}$", weir.booted(), f"what it says of '{name}'")
                expect_match(rf"^col 13: {name}: {what}$", weir.sh(f"guest start {name}"), f"'guest start {name}'")
                expect_match(rf"^{name} +off ", weir.sh("guest list"), f"guest {name}")
            weir.poweroff()


def test_kernel_of_noise(tiny):
    """A right header in front of noise: the guest dies of it, or spins; Weir and the others do not care."""
    noise = bytes((i * i >> 3) * 37 & 255 for i in range(len(tiny)))
    kernel = tiny[:1024] + noise[1024:]
    text = config(line(G2, kernel="noise"), line(G3))
    with Weir(nics=1, smp=2, config=text, files={"tiny": tiny, "noise": kernel}) as weir:
        guests(weir, G3)
        weir.carry([echoes(n, G3) for n in range(100)])
        weir.quiet("guest stop g2")
        expect_match(r"^g2 +off ", weir.sh("guest list"), "g2")
        weir.poweroff()


def test_no_svm():
    """A CPU without it: said when it boots; guests are refused with the reason, all else works."""
    text = config(line(G2))
    with Weir(nics=2, cpu="max,-svm", config=text, files=("tiny",)) as weir:
        why = expect_match(r"^vmm: no guests: (.*)$", weir.booted(), "what it says when it boots")[1]
        expect_in(f"this machine runs no guests: {why}", weir.booted(), "why the guest was refused")
        expect(len(weir.sh("guest list").splitlines()), 1, "lines of 'guest list', its heading among them")
        expect_in(f"this machine runs no guests: {why}", weir.sh("guest create g2 kernel tiny"), "and by hand")
        weir.poweroff()


def test_no_nested_paging():
    with Weir(nics=0, cpu="max,-npt", config=None) as weir:
        expect_match(r"^vmm: no guests: .*nested", weir.booted(), "what it says when it boots")
        weir.poweroff()


def test_as_many_guests_as_there_can_be():
    text = "".join(f"guest create g{n} memory 8 kernel tiny\nguest start g{n}\n" for n in range(9))
    with Weir(nics=0, smp=2, config=text, files=("tiny",)) as weir:
        expect_match(r"^weir\.conf:17:14: no more than 8 guests$", weir.booted(), "the ninth")
        for n in range(8):
            Guest(weir, n).wait_log(r"^tiny: ready$")
        expect(weir.sh("guest list").count(" running "), 8, "guests that run")
        weir.poweroff()


def test_memory_in_pieces():
    """3 GiB, of which 2 lie below the hole for PCI: no guest has more than that."""
    with Weir(nics=0, memory=3072, config="guest create g2 memory 2200 kernel tiny\n", files=("tiny",)) as weir:
        what = r"g2 wants 2200 MiB of memory in one piece; \d{4} MiB are free in several"
        expect_match(rf"^weir\.conf:1:14: {what}$", weir.booted(), "what it says")
        expect_match(rf"^col 14: {what}$", weir.sh("guest create g2 memory 2200 kernel tiny"), "and by hand")
        weir.quiet("guest create g2 memory 700 kernel tiny", "guest start g2")
        Guest(weir, G2).wait_log(r"^tiny: ready$")
        weir.poweroff()


def test_show_config_rebuilds_guests(lab):
    """What is printed, handed over as weir.conf, makes the same guests and prints the same."""
    port = "mtu 9000 vectors 2 notify mmio worker 1"
    lines = line(G2, 'run="spin 10"', memory=24, cpu=0, port=port)
    with Weir(nics=2, smp=2, config=config(lines, line(G3)), files=("tiny",)) as weir:
        guests(weir, G2, G3)
        weir.quiet("guest stop g3")
        first = weir.sh("show config")
        weir.poweroff()
    row = rf"^guest create g2 memory 24 cpus 0 kernel tiny .* port p2 mac {mac(G2)} {port}$"
    expect_match(row, first, "the line of g2")
    with Weir(nics=2, smp=2, config=first, files=("tiny",)) as weir:
        guests(weir, G2)
        expect(weir.sh("show config"), first, "the config of a machine made by it")
        expect(Guest(weir, G3).state(), "off", "the guest that was off")
        weir.poweroff()


def test_guests_leave_the_wires_alone(weir):
    """With both busy, frames from wire to wire are as ever: none lost, none changed."""
    with weir.dropping():
        for guest in weir.guests:
            guest.begin("check fpu 3 300")
        there = [(0, 1, ("there", n % 16), numbered(A, B, n, flow=n % 16)) for n in range(1500)]
        back = [(1, 0, ("back", n % 16), numbered(B, A, n, flow=n % 16)) for n in range(1500)]
        weir.carry([item for pair in zip(there, back) for item in pair])
        for guest in weir.guests:
            guest.good(guest.finish(), "check fpu")
