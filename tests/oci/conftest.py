# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import hooks
import machine
import mounts
import oci as harness
from known import KNOWN
from result import RUN


def pytest_collection_modifyitems(items):
    runtime = harness.runtime_name()
    for item in items:
        if "/tests/oci/" not in str(item.path):
            continue
        whole = item.name
        why = KNOWN.get((runtime, whole)) or KNOWN.get((runtime, whole.split("[")[0]))
        if why:
            item.add_marker(pytest.mark.xfail(reason=why, strict=False))


@pytest.fixture(scope="session")
def keeper():
    made = harness.Keeper()
    yield made
    made.close()


@pytest.fixture(scope="session")
def runtime_binary(base):
    """A copy of the runtime where ordinary users can reach it, under its own name."""
    source = harness.runtime_path()
    if not os.path.exists(source):
        pytest.exit(f"{source} is not there: run make first", 2)
    if harness.runtime_name() != harness.OURS:
        return source
    target = os.path.join(base, harness.OURS)
    shutil.copy(source, target)
    os.chmod(target, 0o755)
    return target


@pytest.fixture
def make_oci(runtime_binary, keeper, base):
    """A function: a runtime with a state directory of its own, for an account (root)."""
    made = []

    def make(account=None):
        if account is None and os.getuid() != 0:
            pytest.skip("needs root")
        made.append(harness.Runtime(runtime_binary, keeper, base, account))
        return made[-1]

    yield make
    for each in made:
        each.clean()


@pytest.fixture
def oci(make_oci):
    return make_oci()


@pytest.fixture
def bundle(base):
    """A function: bundle(program, edits); see oci.default() and oci.edit()."""
    made = []

    def make(program="true", edits=None):
        path = os.path.join(base, harness.unique("bundle"))
        made.append(harness.Bundle(path, harness.default(program, edits)))
        return made[-1]

    yield make
    for each in made:
        shutil.rmtree(each.path, ignore_errors=True)


@pytest.fixture
def fd_socket(base):
    """A function: a listening socket that receives descriptors."""
    made = []

    def make():
        made.append(harness.FdSocket(os.path.join(base, harness.unique("socket"))))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def ours(oci):
    """Skips a test of what only nook-oci has."""
    if not oci.is_ours:
        pytest.skip("of nook-oci alone")


@pytest.fixture(autouse=True)
def no_leftovers(request):
    """Fails a test after which a process, cgroup, mount or state is there that wasn't before, when all was deleted."""
    if "keeper" not in request.fixturenames and "oci" not in request.fixturenames:
        yield
        return
    keeper = request.getfixturevalue("keeper")
    before = seen(keeper)
    yield
    end = time.monotonic() + 3 * machine.PATIENCE
    while True:
        left = seen(keeper) - before
        if not left or time.monotonic() > end:
            break
        time.sleep(0.02)
    if left:
        machine.end_all(machine.descendants(keeper.pid))
        for path in sorted((text.split(" ", 1)[1] for text in left if text.startswith("cgroup ")), reverse=True):
            try:
                os.rmdir(path)
            except OSError:
                pass
    assert not left, "left behind: " + "; ".join(sorted(left))


def seen(keeper):
    """What of the machine is ours: processes, mounts, cgroups."""
    stem = f"-{RUN}-"
    found = {f"process {pid}" for pid in machine.descendants(keeper.pid)}
    mounts = (line.split() for line in machine.read("/proc/self/mountinfo").splitlines())
    found |= {f"mount {' '.join(words[2:6])}" for words in mounts if not machine.is_foreign_mount(words[4], ["/run/nook"])}
    for where, dirs, _ in os.walk("/sys/fs/cgroup"):
        found |= {f"cgroup {where}/{name}" for name in dirs if stem in name}
    return found


@pytest.fixture
def logged(bundle):
    """A function: a bundle, and the file that its hooks write to."""
    def make(program=harness.READY, edits=None):
        made = bundle(program, edits)
        return made, hooks.Log(made)
    return make


@pytest.fixture
def host():
    made = mounts.Host()
    yield made
    made.close()


@pytest.fixture
def on_host(host, make_oci):
    """The runtime, where Host.sh() mounts."""
    return make_oci(host.account)


@pytest.fixture
def tree(on_host, host):
    """A directory with a tmpfs on it, on which another one lies at sub."""
    path = on_host.scratch("tree")
    host.sh(f"mount -t tmpfs outer {path}; mkdir {path}/sub; mount -t tmpfs inner {path}/sub; "
            f"echo outer >{path}/file; echo inner >{path}/sub/file")
    return path
