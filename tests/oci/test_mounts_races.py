# SPDX-License-Identifier: Apache-2.0
"""Somebody changes the root while it is mounted: another container that has the same files, say."""

import contextlib
import os
import subprocess
import sys
import time

import machine
import rootfs

SWAP = """
import ctypes, sys
libc = ctypes.CDLL(None)
one, other = (name.encode() for name in sys.argv[1:])
print(flush=True)
while True:
    libc.renameat2(-100, one, -100, other, 2)  # RENAME_EXCHANGE
"""


@contextlib.contextmanager
def swapping(one, other):
    process = subprocess.Popen([sys.executable, "-c", SWAP, one, other], stdout=subprocess.PIPE)
    process.stdout.readline()
    try:
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def tree(path):
    found = {}
    for where, dirs, files in os.walk(path):
        for name in [".", *dirs, *files]:
            st = os.lstat(os.path.join(where, name))
            found[os.path.join(where, name)] = (st.st_mode, st.st_uid, st.st_gid, st.st_size)
    return found


def many_runs(oci, made, seconds=2):
    """Runs it again and again; return: the results."""
    end, results = time.monotonic() + seconds * machine.PATIENCE, []
    while time.monotonic() < end:
        results.append(oci.run(made))
        assert results[-1].status in (0, 1), results[-1]
    assert any(result.status == 0 for result in results), f"no run got through: {results[-1]}"
    return results


def test_a_target_that_is_swapped_with_a_symlink(oci, bundle):
    """CVE-2021-30465"""
    outside = rootfs.tree(oci.scratch("outside"), {"c/keep": "host\n"})
    volume = rootfs.tree(oci.scratch("volume"), {"mark": "volume\n"})
    made = bundle("true", {"root/readonly": False})
    for target in ("/a/b/c", "/a/b/new/dir"):
        made.edit({"mounts/-": {"destination": target, "type": "bind", "source": volume, "options": ["rbind"]}})
    made.edit({"linux/devices": [{"path": "/a/b/device", "type": "c", "major": 1, "minor": 3}]})
    os.makedirs(f"{made.rootfs}/a/b/c")
    os.symlink(outside, f"{made.rootfs}/a/link")
    before = tree(outside)
    with swapping(f"{made.rootfs}/a/b", f"{made.rootfs}/a/link"):
        many_runs(oci, made)
    assert tree(outside) == before


def test_proc_that_is_swapped_while_it_is_covered(oci, bundle):
    """CVE-2019-16884: what was mounted on /proc is made read-only, whatever its name is by then."""
    made = bundle("for p in /proc /fake; do test -e $p/1/stat && { echo x >$p/sys/kernel/domainname && echo open; }; done; true",
                  {"process/noNewPrivileges": True})
    rootfs.tree(f"{made.rootfs}/fake", {"sys/kernel/domainname": "", "bus/x": "", "irq/x": "", "fs/x": ""})
    with swapping(f"{made.rootfs}/proc", f"{made.rootfs}/fake"):
        results = many_runs(oci, made)
    assert not [result for result in results if "open" in result.out]


def test_copy_up_of_what_is_swapped(oci, bundle):
    """A file that becomes a symlink is copied as the one or the other, or not at all."""
    secret = rootfs.write(os.path.join(oci.scratch("outside"), "secret"), "secret\n", 0o600)
    made = bundle("cat /srv/file /srv/other 2>/dev/null; true", {"mounts/-": {
        "destination": "/srv", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}})
    made.file("/srv/file", "good\n")
    os.symlink(secret, f"{made.rootfs}/srv/other")
    with swapping(f"{made.rootfs}/srv/file", f"{made.rootfs}/srv/other"):
        results = many_runs(oci, made)
    assert not [result for result in results if "secret" in result.out]
    assert [result for result in results if "good" in result.out]
