# SPDX-License-Identifier: MIT
"""test_setup.py - what scripts/setup says when something is missing, on a machine of stand-ins

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
    expect_in("iputils-ping qemu-system-x86\n", (stage.directory / "bin" / "apt-get.log").read_text(), "apt-get")


def test_no_debian_source_at_all(stage):
    stage.stand_in("apt-cache", BACKPORTS)
    refuses(stage.run("--packages", "run", uid=0), "install QEMU 10 or newer by hand")
