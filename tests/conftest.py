# SPDX-License-Identifier: Apache-2.0
"""
Fixtures of the behaviour tests.

`nook` is the program as root and, in a second turn, as an ordinary user with a range of ids; `root_nook`, `user_nook`
and `poor_nook` (an ordinary user without a range) are one of these. Every test checks that nothing was left behind.
"""

import os
import shutil
import subprocess
import tempfile
import time

import pytest

import machine
import netlab as stage
import nookrun
import rootfs

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def pytest_configure(config):
    machine.watch_over_ourselves()


def pytest_collection_modifyitems(items):
    for item in items:
        callspec = getattr(item, "callspec", None)
        as_user = callspec and {"user", "poor"} & {callspec.params.get(name) for name in ("nook", "seen", "who")}
        if as_user or {"user_nook", "poor_nook"} & set(item.fixturenames):
            item.add_marker("plain_user")


@pytest.fixture(scope="session")
def repository():
    return REPOSITORY


@pytest.fixture(scope="session")
def base():
    """The directory of this run of the tests; every account can pass through it."""
    path = tempfile.mkdtemp(prefix="nook-tests-")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def binary(base):
    """A copy of the program where ordinary users can reach it; NOOK names another than build/nook."""
    source = os.environ.get("NOOK", os.path.join(REPOSITORY, "build/nook"))
    if not os.path.exists(source):
        pytest.exit(f"{source} is not there: run make first", 2)
    target = os.path.join(base, "nook")
    shutil.copy(source, target)
    os.chmod(target, 0o755)
    return target


@pytest.fixture(scope="session")
def lab(base):
    if os.getuid() != 0:
        pytest.skip("needs root, to run as other users")
    path = os.path.join(base, "lab")
    os.mkdir(path)
    try:
        made = machine.Lab(path)
    except OSError as error:
        pytest.skip(f"no private mount namespace here: {error}")
    yield made
    made.close()


@pytest.fixture
def make_nook(binary, base, request):
    """Call it with an account's name: root, lab (root, where the secrets are ours), user or poor."""
    made = []

    def make(who):
        if who == "root":
            if os.getuid() != 0:
                pytest.skip("needs root")
            account = machine.Account("root", 0, 0, "/root")
        elif who in ("user", "poor") and os.getuid() != 0:
            account = ourselves(base, who == "user")
        else:
            lab = request.getfixturevalue("lab")
            account = {"lab": lab.root(), "user": lab.account("nooktest", lab.USER),
                       "poor": lab.account("nookpoor", lab.POOR)}[who]
        made.append(nookrun.Nook(binary, account, base))
        return made[-1]

    yield make
    for nook in made:
        nook.clean()


def ourselves(base, with_range):
    """The account that the tests run as, when that is not root; skips when it has no range and should, or the reverse."""
    account = machine.Account(machine.own_name(), os.getuid(), os.getgid(), os.environ["HOME"],
                              env={"XDG_RUNTIME_DIR": own_runtime_dir(base)})
    if machine.has_range(account) != with_range:
        pytest.skip(f"uid {account.uid} has {'no' if with_range else 'a'} range of ids in /etc/subuid")
    return account


def own_runtime_dir(base):
    path = os.path.join(base, "runtime")
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


@pytest.fixture(scope="session")
def why_no_netlab():
    """What is missing for tests with real packets; None: nothing."""
    return "needs root" if os.getuid() != 0 else stage.missing()


@pytest.fixture
def netlab(binary, base, why_no_netlab, no_leftovers):
    """A host and a world of net namespaces: netlab.py. Fails a test that leaves there what nook has made, networks apart."""
    if why_no_netlab:
        pytest.skip(why_no_netlab)
    made = stage.NetLab(binary, base)
    try:
        yield made
        for name in made.files("net/networks"):
            made.nook.cmd("net", "rm", "--force", name).ok()
        made.let_go()  # we keep them alive, too
        # A pair goes some time after the last who had its namespace.
        end = time.monotonic() + 3 * machine.PATIENCE
        while (left := made.left()) and time.monotonic() < end:
            time.sleep(0.02)
    finally:
        made.close()
    assert not left, "left behind on the lab's host: " + "; ".join(left)


@pytest.fixture(params=["root", "user"])
def nook(request, make_nook):
    return make_nook(request.param)


@pytest.fixture
def root_nook(make_nook):
    return make_nook("root")


@pytest.fixture
def lab_nook(make_nook):
    return make_nook("lab")


@pytest.fixture
def user_nook(make_nook):
    return make_nook("user")


@pytest.fixture
def poor_nook(make_nook):
    return make_nook("poor")


@pytest.fixture
def unsanitized(binary):
    """Skips a test that a sanitizer's runtime can't bear: it needs libraries, an address space and a process more."""
    with open(binary, "rb") as file:
        if b"__asan_init" in file.read():
            pytest.skip("the program is built with a sanitizer")


@pytest.fixture
def as_user(user_nook):
    """Runs a command of the machine, outside of nook, as an ordinary user: as_user("id", "-u").ok()."""
    return user_nook.outside


@pytest.fixture
def busybox_root(request):
    """A function: a root file system of one binary, owned by the account of the nook that is passed."""
    def make(nook):
        return nook.own(rootfs.make(nook.scratch("root")))
    return make


@pytest.fixture(autouse=True)
def no_leftovers(request):
    """Fails a test after which a mount, cgroup, process, state file or id range is there that wasn't before."""
    makes_lab = {"lab", "make_nook", "netlab"} & set(request.fixturenames)
    if not makes_lab:
        yield
        return
    states, spaces = places(request)
    before = machine.snapshot(states, spaces)
    yield
    # What is left stays: what was gone at one look, and is there at another, comes and goes by others' doing. Under load a
    # look takes a second, in which others do a lot.
    end, looks = time.monotonic() + 3 * machine.PATIENCE, 0
    left = machine.snapshot(states, spaces)
    while left := {text: name for text, name in left.items() if text not in before}:
        looks += 1
        if looks >= 10 and time.monotonic() > end:
            break
        time.sleep(0.02)
        now = machine.snapshot(states, spaces)
        left = {text: name for text, name in left.items() if text in now}
    if left:
        tidy(left, request)
    assert not left, "left behind: " + "; ".join(sorted(left))


def tidy(left, request):
    """So that one test's leftovers are not the next one's."""
    machine.end_all([int(text.split()[1].rstrip(":")) for text in left if text.startswith("process ")])
    if os.getuid() == 0:
        names = sorted({name for text, name in left.items() if "/run/nook/" in text or text.startswith("cgroup")})
        for name in names:
            subprocess.run([request.getfixturevalue("binary"), "rm", "--force", name], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20, check=False)


def places(request):
    """State directories and mount namespaces in which something could be left."""
    if os.getuid() != 0:
        return [os.path.join(own_runtime_dir(request.getfixturevalue("base")), "nook")], [-1]
    states, spaces = ["/run/nook"], [-1]
    try:
        lab = request.getfixturevalue("lab")
    except pytest.skip.Exception:
        return states, spaces
    states += [os.path.join(lab.base, "run-user", str(uid), "nook") for uid in (lab.USER, lab.POOR)]
    return states, spaces + [lab.mount_ns]
