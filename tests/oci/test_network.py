# SPDX-License-Identifier: Apache-2.0
"""A new network namespace is there, and whole, before anything depends on it: see src/run/new_net.h."""

import os

import pytest

import machine
from oci import DELETE, READY, default

SYSFS = {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}


@pytest.mark.parametrize("place", ["first", "last"])
def test_sysfs_shows_its_devices(oci, ours, bundle, place):
    """It shows those of the namespace that it was mounted from, whenever that is."""
    mounts = [mount for mount in default()["mounts"] if not mount["destination"].startswith("/sys")]
    mounts.insert(0 if place == "first" else len(mounts), SYSFS)
    if os.listdir("/sys/class/net") == ["lo"]:
        pytest.skip("the machine has no other devices to be told from")
    assert oci.run(bundle("ls /sys/class/net", {"mounts": mounts})).ok() == "lo"


def test_it_is_whole_when_hooks_run(oci, ours, bundle, tmp_path):
    seen = tmp_path / "seen"
    b = bundle("true")
    b.edit({"hooks/createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'); "
                                                                 f"exec nsenter -t $pid -n ip -o link >{seen}"]}]})
    oci.run(b).ok()
    lines = seen.read_text().splitlines()
    assert len(lines) == 1 and "lo: <LOOPBACK,UP" in lines[0], lines


def test_sysctls_are_its(oci, ours, bundle):
    """Written before the file systems are mounted."""
    path = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
    before = machine.read(path)
    out = oci.run(bundle(["cat", path], {"linux/sysctl": {"net.ipv4.ip_unprivileged_port_start": "7"}})).ok()
    assert (out, machine.read(path)) == ("7", before)


def test_nothing_holds_it_but_its_processes(oci, ours, bundle):
    """Nobody who can look into pid 1 finds a descriptor of it."""
    c = oci.running(bundle(READY))
    assert all("net:[" not in os.readlink(f"/proc/{c.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{c.pid}/fd"))


def test_no_more_are_allowed(oci, ours, bundle):
    """The limit is a user namespace's own, so that it hits nobody else."""
    oci.prefix = ["unshare", "-Ur", "sh", "-c", "echo 0 >/proc/sys/user/max_net_namespaces && exec \"$@\"", "sh"]
    c = oci.container(bundle("true", {"linux/cgroupsPath": DELETE}))
    result = c.run()
    oci.prefix = []
    assert result.status == 1, result
    assert "unshare(CLONE_NEWNET)" in result.err and "max_net_namespaces" in result.err, result.err
    assert oci.cmd("state", c.id).status != 0
