# SPDX-License-Identifier: Apache-2.0
"""Below an ordinary user's systemd, which delegates cgroups to it: limits bite."""

import os
import pwd
import subprocess

import pytest

import machine
from nookrun import Nook
from oci import READY
from result import unique

CGROUPS = "/sys/fs/cgroup"

pytestmark = pytest.mark.skipif(machine.read("/proc/1/comm").strip() != "systemd", reason="systemd is not pid 1 here")


@pytest.fixture(scope="module")
def managed_user():
    """An account of the guest whose systemd runs, and whose environment names it."""
    name = unique("u").replace("-", "")
    subprocess.run(["useradd", "--create-home", name], check=True)
    entry = pwd.getpwnam(name)
    runtime = f"/run/user/{entry.pw_uid}"
    unit = f"user@{entry.pw_uid}.service"
    subprocess.run(["systemctl", "start", unit], check=True, timeout=20 * machine.PATIENCE)
    yield machine.Account(name, entry.pw_uid, entry.pw_gid, entry.pw_dir,
                          env={"XDG_RUNTIME_DIR": runtime, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus"})
    subprocess.run(["systemctl", "stop", unit], check=True, timeout=20 * machine.PATIENCE)
    subprocess.run(["userdel", "--remove", name], check=True, stderr=subprocess.DEVNULL)  # it misses a mail spool


@pytest.fixture
def nook(binary, base, managed_user):
    """Started as its own hint says."""
    made = Nook(binary, managed_user, base)
    made.prefix = ["systemd-run", "--user", "--scope", "--quiet", "--property=Delegate=yes"]
    yield made
    made.clean()


def test_memory_runs_out(nook, busybox_root):
    script = "dd if=/dev/zero of=/dev/null bs=200M count=1; echo status $?"
    assert nook.sh(script, "--memory", "32m", "--memory-swap", "32m", "--root", busybox_root(nook)).ok() == "status 137"


def test_no_more_processes_than_allowed(nook, busybox_root):
    script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & echo $i; done"
    result = nook.sh(script, "--pids", "5", "--root", busybox_root(nook))
    assert "fork" in result.err and "9" not in result.out.split(), f"{result}"


def test_no_more_cpu_time_than_allowed(nook, busybox_root):
    script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; grep nr_throttled /sys/fs/cgroup/cpu.stat"
    result = nook.sh(script, "--cpus", "0.1", "--root", busybox_root(nook))
    assert int(result.ok().split()[1]) >= 3


def test_the_container_lies_in_the_users_scope(nook, busybox_root):
    options = ["--memory", "64m", "--pids", "17", "--cpus", "0.5", "--root", busybox_root(nook)]
    with nook.background("echo ready; exec sleep 1000", *options) as container:
        path = machine.read(f"/proc/{container.pid}/cgroup").split("::", 1)[1].strip()
        scope = path.removesuffix(f"/nook/{container.name}")
        assert scope != path and f"/user@{nook.account.uid}.service/" in scope and scope.endswith(".scope")
        limits = {name: machine.read(f"{CGROUPS}{path}/{name}").strip() for name in ("memory.max", "pids.max", "cpu.max")}
        assert limits == {"memory.max": str(64 << 20), "pids.max": "17", "cpu.max": "50000 100000"}
    # Nothing of nook's keeps it.
    machine.wait_until(lambda: not os.path.exists(CGROUPS + scope), 20, "the end of the scope")


def test_nook_oci_has_units_of_the_users_manager(make_oci, bundle, managed_user):
    account = managed_user
    user = make_oci(account)
    user.flags = ["--systemd-cgroup"]
    user.own(user.root)
    b = bundle(READY, {"linux/resources": {"memory": {"limit": 64 << 20}, "pids": {"limit": 20}},
                       "linux/uidMappings": [{"containerID": 0, "hostID": account.uid, "size": 1}],
                       "linux/gidMappings": [{"containerID": 0, "hostID": account.gid, "size": 1}]})
    b.config["linux"]["namespaces"].append({"type": "user"})
    b.config["mounts"] = [mount for mount in b.config["mounts"] if mount["type"] not in ("sysfs", "cgroup", "devpts")]
    user.own(b.path)
    c = user.container(b)
    c.bundle.edit({"linux/cgroupsPath": f"user.slice:nook:{c.id}"})
    c.pid_file = f"{user.own(user.scratch())}/pid"
    c.create().ok()
    c.start().ok()
    c.until_said("ready")
    assert c.cgroup() == (f"/sys/fs/cgroup/user.slice/user-{account.uid}.slice/user@{account.uid}.service/"
                          f"user.slice/nook-{c.id}.scope")
    assert machine.read(f"{c.cgroup()}/memory.max").strip() == str(64 << 20)
    assert machine.read(f"{c.cgroup()}/pids.max").strip() == "20"
    c.delete("--force").ok()
    assert not user.traces()
