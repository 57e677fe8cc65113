# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.append(os.path.join(os.path.dirname(HERE), "oci"))

import machine
import oci_sweep
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
def oci_binary(binary, base):
    """nook-oci beside it, or NOOK_OCI_FAULTY."""
    repository = os.path.dirname(os.path.dirname(HERE))
    source = os.environ.get("NOOK_OCI_FAULTY", f"{repository}/build-faults/nook-oci")
    if not os.path.exists(source):
        pytest.skip(f"{source} is not there: tools/test faults builds it")
    target = os.path.join(base, "nook-oci")
    shutil.copy(source, target)
    os.chmod(target, 0o755)
    return target


@pytest.fixture(scope="session")
def oci_sweeper(oci_binary, base, request):
    """A function: workers that run nook-oci as an account, root or user."""
    made = {}

    def make(who):
        if who not in made:
            made[who] = oci_sweep.Sweeper(oci_binary, account_of(who, request), base)
        return made[who]

    yield make
    for each in made.values():
        each.close()


def account_of(who, request):
    if os.getuid() != 0:
        pytest.skip("needs root: each worker has mounts of its own")
    if who == "root":
        return machine.Account("root", 0, 0, "/root")
    lab = request.getfixturevalue("lab")
    return {"user": lambda: lab.account("nooktest", lab.USER), "poor": lambda: lab.account("nookpoor", lab.POOR)}[who]()


@pytest.fixture(scope="session")
def sweeper(binary, base, request):
    """A function: workers that run nook as an account, root, user or poor."""
    made = {}

    def make(who):
        if who in made:
            return made[who]
        account = account_of(who, request)
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
