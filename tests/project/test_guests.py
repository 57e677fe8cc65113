# SPDX-License-Identifier: Apache-2.0
"""What tools/test makes of guests that end well, fail, hang or can't be had: tools/guests.py with a vmrun of our own."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
import rootfs

pytestmark = pytest.mark.quick

# Does what boot/N says, N being how often it was called: out, status, and what becomes the report.
VMRUN = """#!/bin/sh
here=$PWD/boot
echo >>"$here/calls"
mine=$here/$(($(wc -l <"$here/calls")))
while [ "$1" != -r ]; do shift; done
[ ! -d "$mine/report" ] || cp "$mine"/report/* "$2"
cat "$mine/out"
exit "$(cat "$mine/status")"
"""
RUN = """
import json, sys
import guests
done = guests.run(("6.1", "nook", []))
print(json.dumps([+done.counts, done.notes, done.text]))
"""
ALL_GOOD = '<testsuites><testsuite errors="0" failures="0" skipped="1" tests="5"/></testsuites>'
ONE_BAD = '<testsuites><testsuite errors="0" failures="1" skipped="1" tests="5"/></testsuites>'
LINE = "tests/cli/test_x.py::test_{} {:9} [ 10%]\n"
PASSED, FAILED = LINE.format("good[a b]", "PASSED"), LINE.format("bad", "FAILED")
HANGS = "tests/cli/test_x.py::test_that_hangs "
SILENT = "vmrun: nothing heard of the guest for 180 s\n"


@pytest.fixture
def guest(repository, base):
    """A function: what guests.run() makes of boots, each (status, output, {name of a report's file: text})."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="checkout-", dir=base))
    shutil.copytree(f"{repository}/tools", folder / "tools")
    rootfs.write(f"{folder}/tests/vm/vmrun", VMRUN, 0o755)

    def run(*boots):
        for number, (status, out, report) in enumerate(boots, 1):
            rootfs.tree(f"{folder}/boot/{number}", {"status": str(status), "out": out})
            if report:
                rootfs.tree(f"{folder}/boot/{number}/report", report)
        env = {name: value for name, value in os.environ.items() if name != "NOOK_VM"}
        result = subprocess.run([sys.executable, "-B", "-c", RUN], cwd=folder / "tools", env=env, stdout=subprocess.PIPE, text=True, check=True)
        assert len((folder / "boot/calls").read_text()) == len(boots)
        counts, notes, text = json.loads(result.stdout)
        return counts, " ".join(notes), text

    yield run
    shutil.rmtree(folder)


def test_it_ends_well(guest):
    good = {"pytest.xml": ALL_GOOD, "a.tap": "1..2\nok 1 - a\nok 2 - b\n"}
    counts, notes, text = guest((0, PASSED + "SKIPPED [1] x.py:1: not here\n", good))
    assert counts == {"passed": 6, "skipped": 1}
    assert notes == "SKIPPED [1] x.py:1: not here" and text == ""


def test_a_test_fails(guest):
    counts, _, text = guest((1, PASSED + FAILED + "why\n", {"pytest.xml": ONE_BAD}))
    assert counts == {"passed": 3, "failed": 1, "skipped": 1}
    assert text == FAILED + "why\n"


@pytest.mark.parametrize("tap", ["1..1\nnot ok 1 - a\n", "1..2\nok 1 - a\n# exit status 139\n"])
def test_a_unit_test_fails(guest, tap):
    counts, _, text = guest((0, "", {"pytest.xml": ALL_GOOD, "a.tap": tap}))
    assert counts["failed"] == 1 and "a.tap" in text and tap in text


def test_a_guest_that_hangs_is_booted_once_more(guest):
    counts, notes, text = guest((125, PASSED + FAILED + HANGS + "\n" + SILENT, None), (0, PASSED, {"pytest.xml": ALL_GOOD}))
    assert counts == {"passed": 4, "skipped": 1} and text == ""
    assert "once more" in notes and "nothing heard of the guest" in notes and "test_that_hangs" in notes


@pytest.mark.parametrize("status", [124, 125])
def test_a_guest_that_hangs_twice_is_skipped(guest, status):
    hangs = (status, PASSED + HANGS + "\n" + SILENT, None)
    counts, notes, text = guest(hangs, hangs)
    assert counts == {"passed": 1, "skipped": 1}
    assert "SKIPPED, the guest failed twice: nothing heard" in notes and SILENT in text


def test_what_had_failed_before_it_hung_has_failed(guest):
    hangs = (125, FAILED + HANGS + "\n" + SILENT, None)
    counts, _, text = guest(hangs, hangs)
    assert counts == {"failed": 1, "skipped": 1} and FAILED in text


def test_a_slow_machine(guest):
    """The suite's own end, after which there is a report."""
    counts, notes, _ = guest((124, PASSED, {"pytest.xml": ALL_GOOD}))
    assert counts == {"passed": 4, "skipped": 2} and "slow" in notes


def test_no_report_though_the_guest_lived(guest):
    counts, _, text = guest((127, "suite: not found\n", None))
    assert counts == {"failed": 1} and "not found" in text
