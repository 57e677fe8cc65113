# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.path.append(os.path.join(os.path.dirname(HERE), "oci"))

import machine
import oci_sweep
import rootfs
import sweep


def copy_of(base, name, folder, variable, hint):
    """A program where ordinary users can reach it; @variable names another than @folder has."""
    source = os.environ.get(variable, f"{REPOSITORY}/{folder}/{name}")
    if not os.path.exists(source):
        pytest.skip(f"{source} is not there: {hint}")
    os.makedirs(f"{base}/{folder}", exist_ok=True)
    os.chmod(f"{base}/{folder}", 0o755)
    shutil.copy(source, f"{base}/{folder}/{name}")
    os.chmod(f"{base}/{folder}/{name}", 0o755)
    return f"{base}/{folder}/{name}"


@pytest.fixture(scope="session")
def binary(base):
    """A program that was built with fault points."""
    return copy_of(base, "nook", "build-faults", "NOOK_FAULTY", "tools/test faults builds it")


@pytest.fixture(scope="session")
def oci_binary(base):
    return copy_of(base, "nook-oci", "build-faults", "NOOK_OCI_FAULTY", "tools/test faults builds it")


@pytest.fixture(scope="session")
def oci_sweeper(oci_binary, base, request):
    """A function: workers that run nook-oci as an account, root or user."""
    yield from oci_sweepers(oci_binary, base, request)


@pytest.fixture(scope="session")
def installed_oci_sweeper(base, request):
    """The same of the program as it is installed: with another C library, and no fault points."""
    yield from oci_sweepers(copy_of(base, "nook-oci", "build", "OCI_RUNTIME", "make builds it"), base, request)


def oci_sweepers(program, base, request):
    made = {}

    def make(who):
        if who not in made:
            made[who] = oci_sweep.Sweeper(program, account_of(who, request), base)
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
    yield from sweepers(binary, base, request)


@pytest.fixture(scope="session")
def installed(base):
    """nook as it is installed."""
    return copy_of(base, "nook", "build", "NOOK", "make builds it")


@pytest.fixture(scope="session")
def installed_sweeper(installed, base, request):
    yield from sweepers(installed, base, request)


def sweepers(program, base, request):
    made = {}

    def make(who):
        if who in made:
            return made[who]
        account = account_of(who, request)
        root = rootfs.make(f"{os.path.dirname(program)}/root-{who}")
        rootfs.tree(f"{root}-layer", {"file": "layer\n"})
        for top in (root, f"{root}-layer"):
            for where, dirs, files in os.walk(top):
                for name in [".", *dirs, *files]:
                    os.lchown(os.path.join(where, name), account.uid, account.gid)
        made[who] = sweep.Sweeper(program, account, base, root)
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
