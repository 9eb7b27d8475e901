# SPDX-License-Identifier: MIT
"""test_run.py - tests/run itself, on small sets of tests planted for it, and the targets of make that tests do not call

tests/run takes the directory above its own for the tree. So a link to it in another directory runs what is there.
"""

import os
import re
import shutil
import subprocess
import tempfile

import pytest

from weir import TOP, Weir, expect, expect_in

NOBODY = 65534
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name not in ("CI", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "V")
}

UNIT = """#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
static void good(void **state) { (void)state; }
static void bad(void **state) { (void)state; assert_int_equal(1, 2); }
static void left_out(void **state) { (void)state; skip(); }
static void dies(void **state) { (void)state; _exit(3); }
int main(void)
{
	void *unused[] = { good, bad, left_out, dies };
	const struct CMUnitTest tests[] = { %s };
	(void)unused;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
"""

SYSTEM = """import pytest

@pytest.fixture
def broken():
    raise OSError("no such fixture")

"""


def unit(*names):
    return UNIT % ", ".join(f"cmocka_unit_test({name})" for name in names)


GOOD = {
    "unit/test_first.c": unit("good"),
    "proofs/sound": "#!/bin/sh\necho ok sound\n",
    "system/test_third.py": SYSTEM + "def test_good():\n    pass\n",
}
SKIPPING = {
    "unit/test_first.c": unit("good", "left_out"),
    "proofs/sound": "#!/bin/sh\necho ok sound\necho 'ok other # SKIP no tool'\n",
    "system/test_third.py": SYSTEM
    + "def test_good():\n    pass\n\ndef test_not_here():\n    pytest.skip('no such thing')\n",
}
BAD = {
    "unit/test_first.c": unit("good", "bad"),
    "unit/test_dying.c": unit("good", "dies", "good"),
    "unit/test_wrong.c": "this is no C\n",
    "proofs/sound": "#!/bin/sh\necho ok sound\necho 'not ok hollow: it is empty'\n",
    "proofs/silent": "#!/bin/sh\nexit 0\n",
    "proofs/late": "#!/bin/sh\necho ok late\nexit 4\n",
    "system/test_third.py": SYSTEM + "def test_bad():\n    assert 1 == 2\n\ndef test_unset(broken):\n    pass\n",
    "system/test_wrong.py": "import no_such_module\n",
}


@pytest.fixture
def plant(tmp_path):
    """plant(files)(arguments) - a tree with these tests; run them, and get (status, lines of the output)."""

    def plant(files):
        for name, text in files.items():
            path = tmp_path / "tests" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        for name in ("run", "unit.mk"):
            os.symlink(os.path.join(TOP, "tests", name), tmp_path / "tests" / name)
        return lambda *arguments, **env: run([str(tmp_path / "tests" / "run"), *arguments], **env)

    return plant


def run(command, env=None, **how):
    """Returns (status, lines of the output)."""
    done = subprocess.run(
        command, env={**ENVIRONMENT, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=120, **how,
    )  # fmt: skip
    return done.returncode, done.stdout.splitlines()


def ends(result, last, status):
    """The last line and the exit status."""
    said = "\n".join(result[1])
    expect(result[1][-1:], [last], f"last line of\n{said}\n")
    expect(result[0], status, f"status of tests/run, which said\n{said}\n")


# --- tests/run --------------------------------------------------------------------------------------------------------


def test_all_is_well(plant):
    result = plant(GOOD)()
    ends(result, "3 passed, 0 failed, 0 skipped", 0)
    for line in ("ok test_first: good", "ok proof sound", "ok system test_third: test_good"):
        expect(result[1].count(line), 1, f"lines {line!r} in {result[1]}")


def test_skipped_is_said_and_no_failure(plant):
    result = plant(SKIPPING)()
    ends(result, "3 passed, 0 failed, 3 skipped", 0)
    for line in (
        "skip test_first: left out: by the test itself",
        "skip proof other: no tool",
        "skip system test_third: test_not_here: no such thing",
    ):
        expect(result[1].count(line), 1, f"lines {line!r} in {result[1]}")


def test_ci_skips_nothing(plant):
    result = plant(SKIPPING)(env={"CI": "true"})
    ends(result, "3 passed, 3 failed, 0 skipped", 1)
    for name in ("test_first: left out", "proof other", "system test_third: test_not_here"):
        expect(result[1].count("not ok " + name), 1, f"lines 'not ok {name}' in {result[1]}")


def test_every_kind_of_failure_counts(plant):
    """An assert, a program that dies half-way, one that cannot be built; a proof that says no, or nothing, or leaves
    with a wrong status; an assert, a fixture and a file of the system tests."""
    result = plant(BAD)()
    ends(result, "4 passed, 9 failed, 0 skipped", 1)
    failed = {line.strip() for line in result[1][result[1].index("failed:") + 1 : -2]}
    names = {
        "test_first: bad", "test_dying", "test_wrong", "proof hollow", "proof silent", "proof late",
        "system test_third: test_bad", "system test_third: test_unset (setup)", "system tests/system/test_wrong.py",
    }  # fmt: skip
    expect(failed, names, "failures listed at the end")


def test_words_choose(plant):
    run_planted = plant(GOOD)
    ends(run_planted("sound", "third"), "2 passed, 0 failed, 0 skipped", 0)
    ends(run_planted("--units"), "1 passed, 0 failed, 0 skipped", 0)


def test_what_stands_apart(plant):
    """The folders of --long and --nested are no part of all, nor of each other."""
    apart = {f"system/{name}/test_{name}.py": "def test_it():\n    pass\n" for name in ("long", "nested")}
    run_planted = plant({**GOOD, **apart})
    ends(run_planted(), "3 passed, 0 failed, 0 skipped", 0)
    for name in ("long", "nested"):
        result = run_planted("--" + name)
        ends(result, "1 passed, 0 failed, 0 skipped", 0)
        expect(result[1].count(f"ok system {name}/test_{name}: test_it"), 1, f"its line in {result[1]}")


def test_nothing_chosen_is_a_failure(plant):
    """A word with a slip in it must not look like success."""
    ends(plant(GOOD)("thrid"), "0 passed, 1 failed, 0 skipped", 1)


@pytest.fixture
def copy_for_all():
    """The system tests and what they stand on, where anybody may read them."""
    with tempfile.TemporaryDirectory(prefix="weir-copy-") as top:
        os.chmod(top, 0o755)
        for name in ("tests/system", "scripts"):
            shutil.copytree(os.path.join(TOP, name), os.path.join(top, name), ignore=shutil.ignore_patterns("__pyc*"))
        for name in ("run", "unit.mk"):
            shutil.copy(os.path.join(TOP, "tests", name), os.path.join(top, "tests"))
        yield top


def test_without_root_what_needs_it_is_skipped(copy_for_all):
    how = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    result = run(
        [os.path.join(copy_for_all, "tests", "run"), "netns"], env={"HOME": "/nonexistent"}, cwd=copy_for_all, **how
    )
    skipped = [line for line in result[1] if line.startswith("skip ")]
    assert len(skipped) > 5, f"expected tests skipped, saw {result[1]}"
    for line in skipped:
        assert line.endswith(": network namespaces need root"), f"expected the reason, saw {line!r}"
    ends(result, f"0 passed, 0 failed, {len(skipped)} skipped", 0)


@pytest.mark.parametrize("leave", [Weir.poweroff, lambda weir: Weir.__exit__(weir, None, None, None)])
def test_no_machine_leaves_without_an_audit(leave):
    class Leaking:
        hung_up = closed = False

        @staticmethod
        def audit():
            raise AssertionError("a packet is missing")

        def close(self):
            self.closed = True

    with pytest.raises(AssertionError, match="a packet is missing"):
        leave(Leaking())


# --- make -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    """make in a tree of its own, with one C file: make(target) returns its status and the lines it printed."""
    for name in ("Makefile", ".clang-format", "scripts"):
        copy = shutil.copytree if os.path.isdir(os.path.join(TOP, name)) else shutil.copy
        copy(os.path.join(TOP, name), tmp_path / name)
    for name in ("kernel", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "kernel" / "one.c").write_text("int\none(void) { return   1; }\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True, timeout=20)
    return lambda target: run(["make", "--no-print-directory", target], cwd=tmp_path)


def test_help_lists_every_target():
    status, lines = run(["make", "--no-print-directory", "help"], cwd=TOP)
    expect(status, 0, "status of make help")
    listed = {line.split()[1] for line in lines if re.match("  make [a-z]", line)}
    with open(os.path.join(TOP, "Makefile")) as f:
        phony = {name for line in re.findall(r"^\.PHONY:(.*)", f.read(), re.MULTILINE) for name in line.split()}
    needed = {"run", "demo", "bochs", "gdb", "iso", "efi", "disk", "unit", "test", "bench", "tags", "format", "format-check", "clean", "help"}
    expect(needed - phony, set(), "targets that are not there")
    expect(phony - listed, {"all", "setup"}, f"targets that it does not list; it said {lines}")
    expect_in("  make                the kernel", "\n".join(lines), "make help")


def test_tags(tree, tmp_path):
    expect(tree("tags")[0], 0, "status of make tags")
    expect_in("\none\tkernel/one.c\t", (tmp_path / "tags").read_text(), "tags")


def test_format(tree, tmp_path):
    """format-check names the file and changes nothing; format mends it."""
    before = (tmp_path / "kernel" / "one.c").read_text()
    status, lines = tree("format-check")
    expect_in("kernel/one.c:", "\n".join(lines), "make format-check")
    expect((status, (tmp_path / "kernel" / "one.c").read_text()), (2, before), "status, and the file")
    expect(tree("format")[0], 0, "status of make format")
    expect((tmp_path / "kernel" / "one.c").read_text(), "int one(void)\n{\n\treturn 1;\n}\n", "the file")
    expect(tree("format-check")[0], 0, "status of make format-check")


def test_clean(tree, tmp_path):
    (tmp_path / "build" / "obj").mkdir(parents=True)
    (tmp_path / "tags").write_text("")
    expect(tree("clean")[0], 0, "status of make clean")
    left = {path.name for path in tmp_path.iterdir()} - {".git"}
    expect(left, {"Makefile", ".clang-format", "scripts", "kernel", "tests"}, "what is left")
