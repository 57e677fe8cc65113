# SPDX-License-Identifier: Apache-2.0
"""cgroupsPath, limits, rules for devices, pause, update, events: in whatever layout this machine has."""

import glob
import json
import os
import subprocess
import time

import pytest

import machine
from oci import unique

FOREVER = "while :; do sleep 0.05; done"


def dirs(path):
    """The directories of a cgroup, one a hierarchy."""
    return [each for each in glob.glob("/sys/fs/cgroup" + path) + glob.glob("/sys/fs/cgroup/*" + path) if os.path.isdir(each)]


def find(path, *names):
    """The first of the files that is there; None."""
    for each in dirs(path):
        for name in names:
            if os.path.exists(f"{each}/{name}"):
                return f"{each}/{name}"
    return None


def hierarchies():
    """Of each that can be seen: where it is mounted, and its controllers."""
    found = {}
    for line in machine.read("/proc/self/mountinfo").splitlines():
        fields, kind = line.split(" - ")
        point = fields.split()[4]
        if kind.startswith("cgroup ") and os.path.exists(point + "/tasks"):
            found[point] = kind.split()[-1].split(",")
        elif kind.startswith("cgroup2 ") and os.path.exists(point + "/cgroup.controllers"):
            found[point] = machine.read(point + "/cgroup.controllers").split()
    return found


def needs(controller):
    if not any(controller in each for each in hierarchies().values()):
        pytest.skip(f"no controller {controller} here")


@pytest.fixture
def path():
    return "/" + unique("cg")


def test_a_path_in_every_hierarchy(oci, bundle, path):
    c = oci.container(bundle("cat /proc/self/cgroup", {"linux/cgroupsPath": path}))
    lines = c.run().lines()
    assert len([line for line in lines if line.endswith(path)]) >= len(hierarchies()) > 0
    assert not dirs(path)


def test_what_is_above_stays(oci, bundle, path):
    c = oci.container(bundle("true", {"linux/cgroupsPath": f"{path}/a/b"}))
    try:
        c.run().ok()
        assert dirs(f"{path}/a") and not dirs(f"{path}/a/b")
    finally:
        for each in dirs(path):
            for name in ("/a", ""):
                os.rmdir(each + name)


def test_the_root_is_no_path(oci, bundle):
    oci.container(bundle("true", {"linux/cgroupsPath": "/"})).run().failed()


def test_limits(oci, bundle, path):
    needs("memory")
    needs("pids")
    c = oci.container(bundle(FOREVER, {"linux/cgroupsPath": path, "linux/resources": {
        "memory": {"limit": 67108864, "swap": 134217728}, "pids": {"limit": 50}}}))
    c.create().ok()
    assert machine.read(find(path, "memory.limit_in_bytes", "memory.max")).strip() == "67108864"
    assert machine.read(find(path, "pids.max")).strip() == "50"
    c.delete("--force").ok()
    assert not dirs(path)


@pytest.mark.parametrize("place, value", [
    ("linux/resources/unified", {"cgroup.procs": "1"}),
    ("linux/resources/unified", {"../x.max": "1"}),
    ("linux/resources/hugepageLimits", [{"pageSize": "3MB", "limit": 1}]),
    ("linux/resources/cpu", {"cpus": "9999"}),
    ("linux/resources/memory", {"limit": 4096 * 2000, "swap": 4096}),
])
def test_refused_limits_leave_nothing(oci, bundle, path, place, value):
    oci.container(bundle("true", {"linux/cgroupsPath": path, place: value})).run().failed()
    assert not dirs(path)


def test_devices(oci, bundle):
    script = "mknod /k c 1 11; mknod /n c 1 3; (: < /k) 2>/dev/null && echo kmsg; (: < /n) && echo null; (: > /n) && echo write"
    caps = {name: ["CAP_MKNOD"] for name in ("bounding", "effective", "permitted")}
    c = oci.container(bundle(script, {"linux/resources": {"devices": [{"allow": False, "access": "rwm"}]},
                                      "root/readonly": False, "process/capabilities": caps}))
    assert c.run().lines() == ["null", "write"]


def test_somebody_lives_there(oci, bundle, path, ours):
    c = oci.container(bundle("true", {"linux/cgroupsPath": path}))
    made = glob.glob("/sys/fs/cgroup/unified") or ["/sys/fs/cgroup"]
    place = made[0] + path
    if not os.path.exists(made[0] + "/cgroup.procs"):
        pytest.skip("no cgroup v2 here")
    os.mkdir(place)
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        try:
            with open(place + "/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(sleeper.pid))
            c.run().failed(1, "not empty")
            c.delete("--force").ok()
            assert sleeper.poll() is None
        finally:
            sleeper.kill()
            sleeper.wait()
    os.rmdir(place)


def test_pause_and_resume(oci, bundle, path):
    c = oci.container(bundle("n=0; while :; do n=$((n+1)); echo $n > /n; sleep 0.02; done",
                             {"linux/cgroupsPath": path, "root/readonly": False}))
    c.create().ok()
    c.start().ok()
    machine.wait_until(lambda: os.path.exists(c.bundle.rootfs + "/n"), 5, "the first number")
    c.cmd("pause").ok()
    assert c.status == "paused"
    stopped_at = c.bundle.read("n")
    time.sleep(0.1)
    assert c.bundle.read("n") == stopped_at
    c.cmd("pause").failed()
    c.cmd("resume").ok()
    assert c.status == "running"
    c.cmd("resume").failed()
    c.cmd("pause").ok()
    c.delete("--force").ok()
    assert not dirs(path)


def test_what_is_frozen_can_be_killed(oci, bundle, path):
    c = oci.container(bundle(FOREVER, {"linux/cgroupsPath": path}))
    c.create().ok()
    c.start().ok()
    c.cmd("pause").ok()
    c.kill("KILL").ok()
    c.until("stopped")
    c.delete().ok()


def test_update_is_all_or_nothing(oci, bundle, path, ours):
    needs("pids")
    needs("cpuset")
    c = oci.container(bundle(FOREVER, {"linux/cgroupsPath": path, "linux/resources": {"pids": {"limit": 50}}}))
    c.create().ok()
    c.cmd("update", "--pids-limit", "60").ok()
    assert machine.read(find(path, "pids.max")).strip() == "60"
    c.cmd("update", "--pids-limit", "70", "--cpuset-cpus", "9999").failed()
    assert machine.read(find(path, "pids.max")).strip() == "60"


def test_memory_up_and_down(oci, bundle, path):
    needs("memory")
    c = oci.container(bundle(FOREVER, {"linux/cgroupsPath": path}))
    c.create().ok()
    for limit in (64, 512, 32):
        c.cmd("update", "--memory", f"{limit << 20}", "--memory-swap", f"{limit << 21}").ok()
        assert machine.read(find(path, "memory.limit_in_bytes", "memory.max")).strip() == str(limit << 20)


def test_stats(oci, bundle, path):
    c = oci.container(bundle(FOREVER, {"linux/cgroupsPath": path}))
    c.create().ok()
    c.start().ok()
    event = json.loads(oci.cmd("events", "--stats", c.id).ok())
    assert event["type"] == "stats" and event["id"] == c.id
    assert {"cpu", "cpuset", "memory", "pids", "blkio", "hugetlb"} <= set(event["data"])
    assert event["data"]["cpu"]["usage"]["total"] > 0


def test_exec_below(oci, bundle, path, ours):
    c = oci.container(bundle(FOREVER, {"linux/cgroupsPath": path}))
    c.create().ok()
    c.start().ok()
    for each in dirs(path):
        os.mkdir(each + "/sub")
        for name in ("cpuset.cpus", "cpuset.mems"):
            if os.path.exists(f"{each}/{name}") and not os.path.exists(each + "/cgroup.controllers"):
                with open(f"{each}/sub/{name}", "w", encoding="ascii") as file:
                    file.write(machine.read(f"{each}/{name}"))
    result = oci.cmd("exec", "--cgroup", "sub", c.id, "cat", "/proc/self/cgroup").ok()
    assert "/sub" in result
    oci.cmd("exec", "--cgroup", "../..", c.id, "true").failed(255)
    c.delete("--force").ok()
    assert not dirs(path)
