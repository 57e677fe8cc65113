# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import machine
import rootfs
import sweep


@pytest.fixture(scope="session")
def binary(base):
    """A program that was built with fault points; NOOK_FAULTY names another than build-faults/nook."""
    repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    source = os.environ.get("NOOK_FAULTY", f"{repository}/build-faults/nook")
    if not os.path.exists(source):
        pytest.skip(f"{source} is not there: tools/test faults builds it")
    target = os.path.join(base, "nook-faulty")
    shutil.copy(source, target)
    os.chmod(target, 0o755)
    return target


@pytest.fixture(scope="session")
def sweeper(binary, base, request):
    """A function: workers that run nook as an account, root, user or poor."""
    made = {}

    def make(who):
        if who in made:
            return made[who]
        if os.getuid() != 0:
            pytest.skip("needs root: each worker has mounts of its own")
        lab = request.getfixturevalue("lab")
        account = machine.Account("root", 0, 0, "/root") if who == "root" else {
            "user": lambda: lab.account("nooktest", lab.USER), "poor": lambda: lab.account("nookpoor", lab.POOR)}[who]()
        root = rootfs.make(os.path.join(base, f"root-{who}"))
        rootfs.tree(f"{root}-layer", {"file": "layer\n"})
        for top in (root, f"{root}-layer"):
            for where, dirs, files in os.walk(top):
                for name in [".", *dirs, *files]:
                    os.lchown(os.path.join(where, name), account.uid, account.gid)
        made[who] = sweep.Sweeper(binary, account, base, root)
        return made[who]

    yield make
    for each in made.values():
        each.close()


@pytest.fixture(autouse=True)
def no_leftovers():
    """Each case looks for its own."""


def pytest_collection_modifyitems(items):
    for item in items:
        if "faults" in str(item.path):
            item.add_marker(pytest.mark.timeout(600))  # thousands of runs each; each of them has its own limit
            item.add_marker("slow")


def pytest_terminal_summary(terminalreporter):
    if not sweep.figures:
        return
    terminalreporter.section("sweeps")
    for title, sums in sweep.figures.items():
        terminalreporter.write_line(f"{title:60} " + ", ".join(f"{number} {what}" for what, number in sums.items()))
