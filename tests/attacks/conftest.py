# SPDX-License-Identifier: Apache-2.0
"""
What attacks need: the hostile program (attacker.c), a root that holds it, copies of nook to be overwritten; and for
test_oci_*.py the fixtures of tests/oci, and the machine as it was before.
"""

import importlib.util
import os
import shutil
import subprocess
import sys

import pytest
import rootfs

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


def of_oci():
    """tests/oci/conftest.py, whose fixtures are ours too."""
    path = os.path.join(os.path.dirname(HERE), "oci", "conftest.py")
    spec = importlib.util.spec_from_file_location("nook_oci_conftest", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


_oci = of_oci()
keeper, runtime_binary, make_oci, oci = _oci.keeper, _oci.runtime_binary, _oci.make_oci, _oci.oci
bundle, fd_socket, ours, no_oci_leftovers = _oci.bundle, _oci.fd_socket, _oci.ours, _oci.no_leftovers


@pytest.fixture(scope="session")
def attacker(base):
    """attacker.c, static: it runs in any root."""
    path = os.path.join(base, "attacker")
    subprocess.run(["gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", path,
                    os.path.join(HERE, "attacker.c")], check=True)
    os.chmod(path, 0o755)
    return path


@pytest.fixture
def hostile_root(attacker):
    """A function: a root file system with the attacker in it, owned by the account of the nook that is passed."""
    def make(nook):
        root = rootfs.make(nook.scratch("hostile"))
        shutil.copy(attacker, f"{root}/attacker")
        return nook.own(root)
    return make


@pytest.fixture
def hostile_bundle(bundle, attacker):
    """bundle(program, edits) with the attacker in its root, which is writable."""
    def make(program="true", edits=None):
        made = bundle(program, {"root/readonly": False, **(edits or {})})
        shutil.copy(attacker, f"{made.rootfs}/attacker")
        return made
    return make


def content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        return error.errno


def of_the_machine():
    """The host's sysctls, devices, mounts and cgroups: what no container may change."""
    found = {}
    for top in ("kernel", "vm", "fs", "net/core", "net/ipv4/conf/all"):
        for where, _, files in os.walk(f"/proc/sys/{top}"):
            for name in files:
                path = os.path.join(where, name)
                if name not in CHANGING:
                    found[path] = content(path)
    for where, dirs, files in os.walk("/dev"):
        dirs[:] = [name for name in dirs if name not in ("shm", "pts", "mqueue")]
        for name in dirs + files:
            st = os.lstat(os.path.join(where, name))
            found[os.path.join(where, name)] = (st.st_mode, st.st_uid, st.st_gid, st.st_rdev)
    for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx"):
        st = os.stat(f"/dev/{name}")
        found[f"/dev/{name} itself"] = (st.st_mode, st.st_uid, st.st_gid, st.st_rdev)
    return found


# What the kernel itself writes there all the time.
CHANGING = {"random", "entropy_avail", "uuid", "dentry-state", "file-nr", "inode-nr", "inode-state", "ns_last_pid", "boot_id",
            "aio-nr", "nr_open", "pty", "nr", "urandom_min_reseed_secs", "compact_memory", "drop_caches", "stat_refresh",
            "epoll", "tainted", "sched_domain", "keys", "acpi_video_flags", "loadavg", "ngroups_max"}


@pytest.fixture(scope="module", autouse=True)
def the_machine_stays(request):
    """Each file of test_oci_*.py leaves the host as it was; mounts, cgroups and processes are looked at by each test."""
    if "test_oci_" not in request.node.name or os.getuid() != 0:
        yield
        return
    before = of_the_machine()
    yield
    after = of_the_machine()
    changed = {name: (before.get(name), after.get(name)) for name in before.keys() | after.keys()
               if before.get(name) != after.get(name)}
    assert not changed, changed
