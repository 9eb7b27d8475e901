# SPDX-License-Identifier: MIT
"""test_setup.py - what scripts/setup does and says when something is missing, on a machine of stand-ins

A copy of the script runs with a directory of small stand-ins first in its PATH and with its own /etc/apt.
"""

import os
import re
import subprocess

import pytest

from weir import TOP, expect, expect_in

STAND_INS = {
    "dpkg-query": "exit 1",
    "id": "echo ${FAKE_UID:-1000}",
    "sudo": "exit 1",
    "apt-get": 'echo "apt-get $*" >>"$0.log"',
    "apt-cache": 'case $1 in show) echo "Package: $2" ;; esac',
    "qemu-system-x86_64": "echo QEMU emulator version 7.2.1",
}

# QEMU is offered once the backports entry is there.
BACKPORTS = """case $1 in
show) echo "Package: $2" ;;
policy) echo "  Candidate: 1:7.2" ;;
madison) grep -qs bookworm-backports ETC/sources.list.d/weir-backports.* && echo "q | 1:10.0 | u bookworm-backports/main" ;;
esac
exit 0"""

DEB822 = """Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

# the real one
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main contrib
Signed-By: /k.gpg
"""
DEB822_DERIVED = """Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main
Signed-By: /k.gpg
"""
ONE_LINE = """# deb http://commented.example/debian bookworm main
deb http://security.example/ bookworm-security main
deb https://other.example/linux bookworm stable
deb [ signed-by=/k.gpg ] http://mirror.example/debian bookworm main contrib # note
"""
ONE_LINE_DERIVED = "deb [ signed-by=/k.gpg ] http://mirror.example/debian bookworm-backports main\n"


class Stage:
    """The copy, its stand-ins and its /etc."""

    def __init__(self, directory):
        self.directory = directory
        self.etc = directory / "etc-apt"
        (self.etc / "sources.list.d").mkdir(parents=True)
        (directory / "os-release").write_text("VERSION_CODENAME=bookworm\n")
        (directory / "meminfo").write_text("MemAvailable: 8000000 kB\n")
        (directory / "scripts").mkdir()
        (directory / "bin").mkdir()
        with open(os.path.join(TOP, "scripts", "setup")) as f:
            text = f.read()
        for path, ours in (("/etc/apt", self.etc), ("/etc/os-release", "os-release"), ("/proc/meminfo", "meminfo")):
            text = text.replace(path, str(directory / ours))
        (directory / "scripts" / "setup").write_text(text)
        for name, body in STAND_INS.items():
            self.stand_in(name, body)

    def stand_in(self, name, body):
        path = self.directory / "bin" / name
        path.write_text(f"#!/bin/sh\n{body}\n".replace("ETC", str(self.etc)))
        path.chmod(0o755)

    def run(self, *arguments, uid=1000):
        env = {"PATH": f"{self.directory}/bin:/usr/bin:/bin", "HOME": str(self.directory), "FAKE_UID": str(uid)}
        script = str(self.directory / "scripts" / "setup")
        return subprocess.run(
            ["sh", script, *arguments], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def refuses(done, sentence):
    expect(done.returncode, 1, f"status of set-up ({done.stdout}{done.stderr})")
    expect_in(sentence, re.sub(r"\s+", " ", done.stderr), "what set-up says")


def test_without_root_it_names_the_command(stage):
    done = stage.run("build")
    expect_in("not installed yet: gcc libc6-dev", done.stdout, "what set-up says")
    refuses(done, f"Run this as root, then try again: {stage.directory}/scripts/setup --packages build")


def test_an_unknown_group(stage):
    refuses(stage.run("bild"), "there is no group 'bild'")


def test_without_network(stage):
    stage.stand_in("apt-get", "echo 'Err:1 http://m Temporary failure resolving m'; [ $1 = update ]")
    refuses(stage.run("--packages", "build", uid=0), "the package servers cannot be reached")


def test_without_network_for_a_newer_qemu(stage):
    (stage.etc / "sources.list").write_text(ONE_LINE)
    stage.stand_in("apt-get", "echo 'Err:1 http://m Temporary failure resolving m'")
    refuses(stage.run("--packages", "run", uid=0), "the package servers cannot be reached")
    expect(os.listdir(stage.etc / "sources.list.d"), [], "sources left behind")


def test_while_another_program_installs(stage):
    stage.stand_in("apt-get", "echo 'E: Could not get lock /var/lib/dpkg/lock'; [ $1 = update ]")
    refuses(stage.run("--packages", "build", uid=0), "another program is installing packages; wait for it")


def test_a_package_that_is_not_offered(stage):
    stage.stand_in("apt-cache", "exit 0")
    refuses(stage.run("--packages", "tags", uid=0), "no apt source of this machine has 'universal-ctags'")


def test_too_little_disk(stage):
    stage.stand_in("df", "echo head; echo /dev/x 9999 9000 99 99% /")
    refuses(stage.run("--packages", "build", uid=0), "has 99 MB of disk left; free some")


def test_too_little_memory(stage):
    (stage.directory / "meminfo").write_text("MemAvailable: 102400 kB\n")
    stage.stand_in("dpkg-query", "for p; do echo ii $p 1:10.0.2; done")
    refuses(stage.run("run"), "100 MB of memory are available; end some programs")


@pytest.mark.parametrize(
    "source, text, target, derived",
    [
        ("sources.list", ONE_LINE, "weir-backports.list", ONE_LINE_DERIVED),
        ("sources.list.d/debian.sources", DEB822, "weir-backports.sources", DEB822_DERIVED),
    ],
    ids=["one-line", "deb822"],
)
def test_backports_come_from_the_own_source(stage, source, text, target, derived):
    (stage.etc / source).write_text(text)
    stage.stand_in("apt-cache", BACKPORTS)
    stage.run("--packages", "run", uid=0)
    expect((stage.etc / "sources.list.d" / target).read_text(), derived, target)
    asked = (stage.directory / "bin" / "apt-get.log").read_text()
    expect_in("qemu-system-x86/bookworm-backports qemu-system-common/bookworm-backports", asked, "apt-get's arguments")


def test_a_machine_that_offers_a_new_qemu_keeps_its_sources(stage):
    (stage.etc / "sources.list").write_text(ONE_LINE)
    stage.stand_in("apt-cache", 'case $1 in show) echo "Package: $2" ;; policy) echo "Candidate: 1:10.1" ;; esac')
    stage.run("--packages", "run", uid=0)
    expect(os.listdir(stage.etc / "sources.list.d"), [], "sources written")
    expect_in("iputils-ping tcpdump qemu-system-x86\n", (stage.directory / "bin" / "apt-get.log").read_text(), "apt-get")


def test_no_debian_source_at_all(stage):
    stage.stand_in("apt-cache", BACKPORTS)
    refuses(stage.run("--packages", "run", uid=0), "install QEMU 10 or newer by hand")


# --- Debian's kernels, for guests ---

CLOUD = "linux-image-6.1.0-9-cloud-amd64"
KERNEL_STAND_INS = {
    "dpkg-query": "for p; do echo ii $p 1.0; done",
    "apt-cache": f'case "$*" in *depends*cloud*) echo x; echo "  Depends: {CLOUD}" ;; esac',
    "apt-get": 'echo "apt-get $*" >>"$0.log"; case "$*" in *download*) echo deb >kernel.deb ;; esac',
    "dpkg-deb": """case $1 in
-f) echo 6.1.9-1 ;;
-x) mkdir -p "$3/boot" && echo kernel >"$3/boot/vmlinuz-6.1.0-9" ;;
esac""",
}
WITHOUT_NETWORK = 'echo "apt-get $*" >>"$0.log"; echo "Err:1 http://m Temporary failure resolving m"; exit 100'


@pytest.fixture
def kernels(stage):
    for name, body in KERNEL_STAND_INS.items():
        stage.stand_in(name, body)
    return stage


def cache(stage):
    return sorted(os.listdir(stage.directory / ".cache" / "weir"))


def again_without_network(stage, what, link):
    """Set-up of @what, build/@link forgotten, and the same once more with nothing to fetch or unpack by."""
    stage.run(what)
    (stage.directory / "build" / link).unlink()
    for name in "apt-get", "apt-cache", "dpkg-deb":
        stage.stand_in(name, "exit 1")
    return stage.run(what)


def kernel(stage):
    return (stage.directory / "build" / "linux" / "boot" / "vmlinuz-6.1.0-9").read_text()


def test_a_guests_kernel_is_unpacked_and_not_installed(kernels):
    done = kernels.run("guest")
    expect(done.returncode, 0, f"status of set-up ({done.stderr})")
    expect(kernel(kernels), "kernel\n", "what build/linux leads to")
    expect(cache(kernels), ["linux-cloud_6.1.9-1", "lock"], "the cache")
    asked = (kernels.directory / "bin" / "apt-get.log").read_text()
    expect_in(f"download {CLOUD}", asked, "apt-get's arguments")
    expect("install" in asked, False, "did it install anything")


def test_a_guests_kernel_from_the_cache_needs_no_network(kernels):
    expect(again_without_network(kernels, "guest", "linux").returncode, 0, "status of set-up")
    expect(kernel(kernels), "kernel\n", "what build/linux leads to")


def test_a_guests_kernel_with_package_lists_that_are_old(kernels):
    kernels.stand_in(
        "apt-get",
        """echo "apt-get $*" >>"$0.log"
case "$*" in *download*)
    case "$*" in *Dir::State::Lists*) echo deb >kernel.deb ;; *) echo "E: 404 Not Found"; exit 100 ;; esac ;;
esac""",
    )
    done = kernels.run("guest")
    expect(done.returncode, 0, f"status of set-up ({done.stderr})")
    lines = (kernels.directory / "bin" / "apt-get.log").read_text().splitlines()
    expect(len(lines), 3, f"calls of apt-get ({lines})")
    expect_in("update -o Dir::State::Lists=", lines[1], "the second, by an ordinary user")


@pytest.mark.parametrize(
    "stand_ins, sentence",
    [
        (
            {"apt-get": WITHOUT_NETWORK},
            "the guests' kernel linux-image-cloud-amd64 cannot be fetched: the package servers cannot be reached",
        ),
        ({"apt-cache": "exit 0"}, "linux-image-cloud-amd64 cannot be fetched: no apt source of this machine has it"),
        ({"dpkg-deb": "exit 2"}, "kernel.deb is damaged"),
        ({"dpkg-deb": 'mkdir -p "$3"'}, "kernel.deb has no kernel in /boot"),
    ],
    ids=["no-network", "not-offered", "damaged", "no-kernel"],
)
def test_a_guests_kernel_that_cannot_be_had(kernels, stand_ins, sentence):
    for name, body in stand_ins.items():
        kernels.stand_in(name, body)
    refuses(kernels.run("guest"), sentence)
    expect(cache(kernels), ["lock"], "what is left in the cache")
    expect(os.path.lexists(kernels.directory / "build" / "linux"), False, "is there a build/linux")


def test_what_was_made_of_another_kernel_goes(kernels):
    kernels.run("guest")
    images = kernels.directory / "build" / "guest"
    images.mkdir()
    for name in "vmlinuz", "linux.cpio.gz", "vmlinuz-generic":
        (images / name).write_text("old")
    kernels.run("guest")
    expect(len(os.listdir(images)), 3, "images while the kernel is the same")
    (kernels.directory / ".cache" / "weir" / "linux-cloud_6.1.10-1").mkdir()
    kernels.run("guest")
    expect(os.listdir(images), ["vmlinuz-generic"], "images when it is another")


# --- Bochs ---

BOCHS_STAND_INS = {
    "dpkg-query": "for p; do [ $p = bochs ] || echo ii $p 1.0; done",
    "apt-get": """echo "apt-get $*" >>"$0.log"
case "$*" in *sourcelist=*) cat "$(echo "$*" | sed 's/.*sourcelist=\\([^ ]*\\).*/\\1/')" >>"$0.lists" ;; esac
case "$*" in *download*) for p in bochs bochs-term bochsbios vgabios libc6; do echo deb >${p}_1.deb; done ;; esac""",
    "dpkg-deb": """case $1 in
-f) echo 3.0-1 ;;
-x) mkdir -p "$3/usr/bin" && echo bochs >"$3/usr/bin/bochs-bin" ;;
esac""",
}


@pytest.fixture
def emulator(stage):
    (stage.etc / "sources.list").write_text(ONE_LINE)
    for name, body in BOCHS_STAND_INS.items():
        stage.stand_in(name, body)
    return stage


def link(stage):
    return os.readlink(stage.directory / "build" / "bochs")


def test_bochs_of_debian_13_is_unpacked_and_not_installed(emulator):
    done = emulator.run("bochs")
    expect(done.returncode, 0, f"status of set-up ({done.stderr})")
    expect(cache(emulator), ["bochs-3.0-1", "lock"], "the cache")
    expect(link(emulator), str(emulator.directory / ".cache/weir/bochs-3.0-1/usr"), "what build/bochs leads to")
    asked = (emulator.directory / "bin" / "apt-get.log").read_text()
    expect_in("download bochs bochs-term bochsbios vgabios libc6", asked, "apt-get's arguments")
    expect("install" in asked, False, "did it install anything")
    lists = (emulator.directory / "bin" / "apt-get.lists").read_text()
    expect_in(ONE_LINE_DERIVED.replace("bookworm-backports", "trixie"), lists, "the package lists it used")
    expect(os.listdir(emulator.etc / "sources.list.d"), [], "sources written")


def test_bochs_from_the_cache_needs_no_network(emulator):
    expect(again_without_network(emulator, "bochs", "bochs").returncode, 0, "status of set-up")
    expect_in("bochs-3.0-1", link(emulator), "what build/bochs leads to")


def test_bochs_of_debian_12_if_the_other_cannot_be_had(emulator):
    """It says so, asks for root, and does not try again once that one is installed."""
    emulator.stand_in("apt-get", WITHOUT_NETWORK)
    done = emulator.run("bochs")
    expect_in("Bochs of Debian 13 cannot be fetched: the package servers cannot be reached", done.stdout, "set-up")
    refuses(done, f"then try again: {emulator.directory}/scripts/setup --packages bochs-own")
    emulator.stand_in("dpkg-query", "for p; do echo ii $p 2.7; done")
    emulator.stand_in("apt-get", "exit 1")
    expect(emulator.run("bochs").returncode, 0, "status of set-up with Debian 12's Bochs")
    expect(link(emulator), "/usr", "what build/bochs leads to")


def test_bochs_without_a_source_to_derive_from(emulator):
    (emulator.etc / "sources.list").write_text("")
    done = emulator.run("bochs")
    expect_in("no apt source of this machine has the suite 'bookworm'", done.stdout, "what set-up says")


def test_bochs_of_the_machine_itself_on_debian_13(emulator):
    (emulator.directory / "os-release").write_text("VERSION_CODENAME=trixie\n")
    done = emulator.run("bochs")
    expect_in("not installed yet: bochs\n", done.stdout, "what set-up wants")
    emulator.stand_in("dpkg-query", "for p; do echo ii $p 3.0; done")
    expect(emulator.run("bochs").returncode, 0, "status of set-up")
    expect(link(emulator), "/usr", "what build/bochs leads to")
