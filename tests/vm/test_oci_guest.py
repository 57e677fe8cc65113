# SPDX-License-Identifier: Apache-2.0
"""nook-oci where cgroup v2 has every controller and systemd is pid 1: limits that bite, and units."""

import glob
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

import machine
from oci import READY, Process, unique

MIB = 1 << 20
SYSTEMD = machine.read("/proc/1/comm").strip() == "systemd"
needs_systemd = pytest.mark.skipif(not SYSTEMD, reason="systemd is not pid 1 here")


def limits(**resources):
    return {f"linux/resources/{name}": value for name, value in resources.items()}


def cgroup_file(container, name):
    return machine.read(f"{container.cgroup()}/{name}").strip()


def fields(container, name):
    return {line.split()[0]: int(line.split()[1]) for line in cgroup_file(container, name).splitlines()}


@needs_systemd
def test_the_machine_is_as_these_tests_want_it():
    assert machine.read("/sys/module/apparmor/parameters/enabled").strip() == "Y"
    assert {"memory", "cpu", "cpuset", "pids", "io"} <= set(machine.read("/sys/fs/cgroup/cgroup.controllers").split())
    assert subprocess.run(["busctl", "status", "org.freedesktop.systemd1"], stdout=subprocess.DEVNULL, check=False).returncode == 0


@pytest.fixture
def ours(oci):
    if not oci.is_ours:
        pytest.skip("of nook-oci alone")
    return oci


# ---- limits that bite ----

@pytest.mark.parametrize("kib", [512, 1024])
def test_a_container_starts_with_little_memory(ours, bundle, kib):
    """The floor that is promised is 512 KiB, with hooks of its engine and all."""
    c = ours.running(bundle(READY, limits(memory={"limit": kib << 10})))
    assert cgroup_file(c, "memory.max") == str(kib << 10)
    assert fields(c, "memory.events")["oom_kill"] == 0


def test_memory_runs_out(oci, bundle):
    c = oci.running(bundle("echo ready; dd if=/dev/zero of=/dev/null bs=200M count=1; echo status $?; exec sleep 1000",
                           limits(memory={"limit": 32 * MIB, "swap": 32 * MIB})))
    c.until_said("status 137", 60)
    assert fields(c, "memory.events")["oom_kill"] >= 1
    assert c.status == "running"


def test_an_oom_kill_is_an_event(ours, bundle):
    c = ours.running(bundle("echo ready; while [ ! -e /go ]; do sleep 0.1; done; dd if=/dev/zero of=/dev/null bs=200M count=1; exec sleep 1000",
                            limits(memory={"limit": 32 * MIB, "swap": 32 * MIB})))
    events = ours.popen("events", "--interval", "100ms", c.id)
    machine.wait_until(lambda: '"stats"' in events.out(), 20, "that it watches")
    c.bundle.file("go")
    machine.wait_until(lambda: '"oom"' in events.out(), 30, "an event of type oom")
    c.kill("KILL")  # it may have ended: where all is slow, the kernel kills more than it has to
    assert events.wait() == 0
    kinds = [json.loads(line)["type"] for line in events.out().splitlines()]
    assert kinds.count("oom") >= 1


def test_statistics(ours, bundle):
    c = ours.running(bundle("i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; echo ready; exec sleep 1000",
                            limits(memory={"limit": 64 * MIB}, pids={"limit": 20})))
    data = ours.cmd("events", "--stats", c.id).json()["data"]
    assert data["memory"]["usage"]["limit"] == 64 * MIB and data["memory"]["usage"]["usage"] > 0
    assert data["pids"] == {"current": 1, "limit": 20}
    assert data["cpu"]["usage"]["total"] == pytest.approx(fields(c, "cpu.stat")["usage_usec"] * 1000, rel=0.5)


def test_no_more_processes_than_allowed(oci, bundle):
    c = oci.running(bundle("sh -c 'sleep 1000 & sleep 1000 & echo two; sleep 1000 & echo more'; echo ready; exec sleep 1000",
                           limits(pids={"limit": 4})))
    assert "two" in c.out() and "more" not in c.out() and "fork" in c.err()
    assert fields(c, "pids.events")["max"] >= 1


def test_cpu_time_is_held_back(oci, bundle):
    c = oci.running(bundle("echo ready; while :; do :; done", limits(cpu={"quota": 10000, "period": 100000, "shares": 512})))
    begun, before = time.monotonic(), fields(c, "cpu.stat")["usage_usec"]
    machine.wait_until(lambda: fields(c, "cpu.stat")["nr_throttled"] >= 20, 10, "20 periods in which it was held back")
    used = fields(c, "cpu.stat")["usage_usec"] - before
    assert used < 0.5e6 * (time.monotonic() - begun)  # a tenth, and what the kernel counts in arrears
    assert cgroup_file(c, "cpu.weight") == "20"  # 1 + (shares - 2) × 9999 / 262142


def test_only_these_cpus(oci, bundle):
    last = str(os.cpu_count() - 1)
    c = oci.running(bundle("grep Cpus_allowed_list /proc/self/status; echo ready; exec sleep 1000",
                           limits(cpu={"cpus": last, "mems": "0"})))
    assert c.out().split()[:2] == ["Cpus_allowed_list:", last]
    assert [cgroup_file(c, name) for name in ("cpuset.cpus", "cpuset.cpus.effective", "cpuset.mems")] == [last, last, "0"]


def test_writes_are_held_back(oci, bundle):
    """To the disk below /tmp, where the bundle's root lies."""
    disk = os.stat("/tmp").st_dev
    throttle = {"throttleWriteBpsDevice": [{"major": os.major(disk), "minor": os.minor(disk), "rate": MIB}]}
    c = oci.running(bundle("dd if=/dev/zero of=/file bs=256k count=12 oflag=direct 2>/dev/null; echo ready; exec sleep 1000",
                           {"root/readonly": False, **limits(blockIO=throttle)}))
    assert f"wbps={MIB}" in cgroup_file(c, "io.max")
    begun = time.monotonic()
    c.exec("dd", "if=/dev/zero", "of=/file", "bs=256k", "count=12", "oflag=direct").ok()
    assert time.monotonic() - begun > 1.5


def test_update_of_what_runs(oci, bundle):
    c = oci.running(bundle(READY, limits(memory={"limit": 64 * MIB}, pids={"limit": 20})))
    new = {"memory": {"limit": 48 * MIB}, "pids": {"limit": 7}, "cpu": {"quota": 20000, "period": 50000, "cpus": "0"}}
    oci.cmd("update", "--resources", "-", c.id, input=json.dumps(new)).ok()
    values = {name: cgroup_file(c, name) for name in ("memory.max", "pids.max", "cpu.max", "cpuset.cpus")}
    assert values == {"memory.max": str(48 * MIB), "pids.max": "7", "cpu.max": "20000 50000", "cpuset.cpus": "0"}


def test_files_of_cgroup2_by_name(ours, bundle):
    unified = {"memory.high": str(40 * MIB), "pids.max": "33", "io.weight": "default 50", "memory.oom.group": "1"}
    c = ours.running(bundle(READY, limits(unified=unified)))
    assert {name: cgroup_file(c, name) for name in unified if name != "io.weight"} == \
        {name: value for name, value in unified.items() if name != "io.weight"}


def test_only_these_devices(oci, bundle):
    """By a program of type BPF_PROG_TYPE_CGROUP_DEVICE: there is no other way on v2."""
    rules = [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"}]
    devices = [{"type": "c", "path": "/dev/allowed", "major": 10, "minor": 229, "fileMode": 0o666},
               {"type": "b", "path": "/dev/denied", "major": 254, "minor": 0, "fileMode": 0o666}]
    script = "for d in null allowed denied; do (exec 3<>/dev/$d) 2>&1 && echo opened $d; done; echo ready; exec sleep 1000"
    c = oci.running(bundle(script, {"linux/devices": devices, **limits(devices=rules)}))
    assert "opened null" in c.out() and "opened denied" not in c.out()
    assert "not permitted" in c.out().split("denied", 1)[1].split("\n")[0]

    oci.cmd("update", "--resources", "-", c.id, input=json.dumps({"devices": [{"allow": True, "access": "rwm"}]}))
    assert c.status == "running"


def test_paused_is_frozen(oci, bundle):
    c = oci.running(bundle("echo ready; while :; do :; done"))
    c.cmd("pause").ok()
    assert c.status == "paused" and fields(c, "cgroup.events")["frozen"] == 1
    before = fields(c, "cpu.stat")["usage_usec"]
    time.sleep(0.5)
    assert fields(c, "cpu.stat")["usage_usec"] == before
    c.cmd("resume").ok()
    assert c.status == "running" and fields(c, "cgroup.events")["frozen"] == 0


def test_delete_of_a_tree_of_cgroups(oci, bundle):
    """What its root made below goes with it."""
    namespaces = [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup")]
    b = bundle("mkdir -p /sys/fs/cgroup/a/b && echo 1 >/sys/fs/cgroup/a/b/cgroup.procs; echo ready; exec sleep 1000",
               {"linux/namespaces": namespaces})
    for mount in b.config["mounts"]:
        if mount["type"] == "cgroup":
            mount["options"].remove("ro")
    c = oci.running(b)
    assert c.cgroup().endswith("/a/b")
    assert c.exec("true").ok() == ""
    c.delete("--force").ok()
    assert not oci.traces()


# ---- units ----

@pytest.fixture
def units(ours):
    """nook-oci with --systemd-cgroup."""
    ours.flags = ["--systemd-cgroup"]
    return ours


def show(unit, *names, user=()):
    argv = ["systemctl", *user, "show", unit, *(f"--property={name}" for name in names)]
    text = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in text.splitlines())


@needs_systemd
def test_a_scope_with_its_limits(units, bundle):
    c = units.container(bundle(READY, limits(memory={"limit": 64 * MIB}, pids={"limit": 20}, cpu={"quota": 50000, "period": 100000, "cpus": "0"})))
    c.bundle.edit({"linux/cgroupsPath": f"system.slice:nook:{c.id}"})
    c.create().ok()
    unit = f"nook-{c.id}.scope"
    c.start().ok()
    c.until_said("ready")
    assert c.cgroup() == f"/sys/fs/cgroup/system.slice/{unit}"
    got = show(unit, "ActiveState", "Slice", "Delegate", "MemoryMax", "TasksMax", "CPUQuotaPerSecUSec", "AllowedCPUs")
    assert got == {"ActiveState": "active", "Slice": "system.slice", "Delegate": "yes", "MemoryMax": str(64 * MIB),
                   "TasksMax": "20", "CPUQuotaPerSecUSec": "500ms", "AllowedCPUs": "0"}
    assert cgroup_file(c, "memory.max") == str(64 * MIB) and cgroup_file(c, "cpu.max") == "50000 100000"
    assert c.exec("cat", "/proc/self/cgroup").ok().endswith(unit)

    units.cmd("update", "--memory", str(48 * MIB), "--pids-limit", "9", c.id).ok()
    assert show(unit, "MemoryMax", "TasksMax") == {"MemoryMax": str(48 * MIB), "TasksMax": "9"}
    subprocess.run(["systemctl", "daemon-reload"], check=True)  # after which systemd writes what it knows
    assert cgroup_file(c, "memory.max") == str(48 * MIB) and cgroup_file(c, "pids.max") == "9"

    c.cmd("pause").ok()
    assert c.status == "paused"
    c.cmd("resume").ok()
    c.delete("--force").ok()
    assert show(unit, "LoadState")["LoadState"] == "not-found"
    assert not units.traces()


@needs_systemd
def test_devices_stay_denied_when_systemd_reloads(units, bundle):
    c = units.container(bundle("echo ready; while read go; do (exec 3<>/dev/denied) 2>&1; echo asked; done <>/pipe", {
        "root/readonly": False,
        "linux/devices": [{"type": "b", "path": "/dev/denied", "major": 254, "minor": 0, "fileMode": 0o666}]}))
    os.mkfifo(f"{c.bundle.rootfs}/pipe")
    c.create().ok()
    c.start().ok()
    c.until_said("ready")
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    with open(f"{c.bundle.rootfs}/pipe", "w", encoding="ascii") as pipe:
        pipe.write("go\n")
    assert "not permitted" in c.until_said("asked")


@needs_systemd
def test_a_program_that_ends_leaves_no_unit(units, bundle):
    c = units.container(bundle("exit 3"))
    assert c.run().status == 3
    left = subprocess.run(["systemctl", "list-units", "--all", "--no-legend", f"*{c.id}*"], stdout=subprocess.PIPE, text=True, check=True)
    assert left.stdout.strip() == ""


# ---- checkpoint and restore ----

needs_criu = pytest.mark.skipif(not shutil.which("criu", path=machine.PATH), reason="criu is not installed")
COUNT = "i=0; while :; do i=$((i+1)); echo $i >/vol/count.new; mv /vol/count.new /vol/count; sleep 0.2; done"


@pytest.fixture
def counting(ours, bundle):
    """A function: a container whose program counts, in a volume of the host's."""
    def make(edits=None):
        volume = ours.scratch("volume")
        b = bundle(COUNT, {"root/readonly": False, **(edits or {})})
        b.config["mounts"].append({"destination": "/vol", "type": "bind", "source": volume, "options": ["rbind"]})
        c = ours.container(b)
        c.count = lambda: int(machine.read(f"{volume}/count"))
        with open(os.devnull, "r+b") as null:  # CRIU saves no file of the host's
            c.create(stdio=[null.fileno()] * 3).ok()
        c.start().ok()
        machine.wait_until(lambda: os.path.exists(f"{volume}/count") and c.count() > 3, 20, "counting")
        return c

    return make


def restore(c, images, *options):
    """Into a new id, with the same bundle."""
    again = c.oci.container(c.bundle)
    again.touched = True
    again.count = getattr(c, "count", None)
    result = c.oci.cmd("restore", "--detach", "--bundle", c.bundle.path, "--image-path", images, "--pid-file", again.pid_file,
                       *options, again.id, timeout=60)
    if result.status == 0:
        again.init = Process(c.oci.keeper, int(machine.read(again.pid_file)))
    return again, result


@needs_criu
@pytest.mark.parametrize("kind", ["plain", "cgroup namespace", "scope"])
def test_it_goes_on_where_it_was_saved(counting, ours, kind):
    if kind == "scope" and not SYSTEMD:
        pytest.skip("systemd is not pid 1 here")
    ours.flags = ["--systemd-cgroup"] if kind == "scope" else []
    namespaces = [{"type": each} for each in ("pid", "network", "ipc", "uts", "mount", *(["cgroup"] if kind != "plain" else []))]
    c = counting({"linux/namespaces": namespaces, "hostname": "saved", **limits(memory={"limit": 64 * MIB}, pids={"limit": 20})})
    images = f"{ours.scratch()}/images"
    ours.cmd("checkpoint", "--image-path", images, c.id, timeout=60).ok()
    assert c.status == "stopped"
    assert len(json.loads(machine.read(f"{images}/descriptors.json"))) == 3
    c.wait()
    c.delete().ok()
    stood = c.count()

    again, result = restore(c, images)
    result.ok()
    state = again.state()
    assert (state["status"], state["pid"]) == ("running", again.pid)
    machine.wait_until(lambda: c.count() > stood + 2, 20, "counting on")
    assert c.count() < stood + 200
    assert again.exec("cat", "/proc/1/comm", "/proc/sys/kernel/hostname").ok().split() == ["sh", "saved"]
    assert cgroup_file(again, "memory.max") == str(64 * MIB) and cgroup_file(again, "pids.max") == "20"
    assert again.id in again.cgroup()
    assert again.exec("cat", "/proc/kcore").ok() == ""
    again.kill("KILL").ok()
    assert again.wait() == 137
    assert again.status == "stopped"
    again.delete().ok()
    assert not ours.traces()


@needs_criu
def test_left_running(counting, ours):
    c = counting()
    ours.cmd("checkpoint", "--leave-running", "--image-path", f"{ours.scratch()}/images", c.id, timeout=60).ok()
    stood = c.count()
    assert c.status == "running"
    machine.wait_until(lambda: c.count() > stood + 2, 20, "counting on")


@needs_criu
def test_memory_first(counting, ours):
    c = counting()
    images = ours.scratch()
    ours.cmd("checkpoint", "--pre-dump", "--image-path", f"{images}/first", c.id, timeout=60).ok()
    assert c.status == "running"
    ours.cmd("checkpoint", "--parent-path", "../first", "--image-path", f"{images}/second", c.id, timeout=60).ok()
    stood = c.count()
    c.delete().ok()
    again, result = restore(c, f"{images}/second")
    result.ok()
    machine.wait_until(lambda: c.count() > stood + 2, 20, "counting on")
    again.delete("--force").ok()


@needs_criu
def test_a_failing_restore_leaves_nothing(counting, ours):
    c = counting()
    images = f"{ours.scratch()}/images"
    ours.cmd("checkpoint", "--image-path", images, c.id, timeout=60).ok()
    c.delete().ok()
    os.unlink(f"{images}/pages-1.img")
    before = set(glob.glob("/sys/fs/cgroup/**/", recursive=True))
    again, result = restore(c, images)
    assert "restore.log" in result.failed(1, "CRIU")
    assert ours.cmd("state", again.id).status == 1
    assert set(glob.glob("/sys/fs/cgroup/**/", recursive=True)) == before
    assert not ours.traces() and not os.path.exists(again.pid_file)


@needs_criu
@pytest.mark.parametrize("moment", ["restore.log", "Forking task", "Restore via sigreturn"])
def test_a_killed_restore_is_deleted(counting, ours, moment):
    c = counting()
    images = f"{ours.scratch()}/images"
    ours.cmd("checkpoint", "--image-path", images, c.id, timeout=60).ok()
    c.delete().ok()
    again = ours.container(c.bundle)
    again.touched = True
    process = ours.popen("restore", "--detach", "--bundle", c.bundle.path, "--image-path", images, again.id)
    log = f"{images}/restore.log"
    machine.wait_until(lambda: os.path.exists(log) and (moment == "restore.log" or moment in machine.read(log)), 20, moment)
    process.signal(signal.SIGKILL)
    process.wait()
    again.delete("--force").ok()
    stood = c.count()
    assert not ours.traces()
    time.sleep(1)
    assert c.count() == stood


@pytest.fixture(scope="session", autouse=True)
def netns_place():
    machine.prepare_netns(unique("net"))


@needs_criu
def test_a_network_namespace_that_it_had_joined(counting, ours):
    name = unique("net")
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        kinds = [{"type": each} for each in ("pid", "ipc", "uts", "mount")]
        c = counting({"linux/namespaces": [*kinds, {"type": "network", "path": f"/run/netns/{name}"}]})
        images = f"{ours.scratch()}/images"
        ours.cmd("checkpoint", "--image-path", images, c.id, timeout=60).ok()
        stood = c.count()
        c.delete().ok()
        again, result = restore(c, images)
        result.ok()
        machine.wait_until(lambda: c.count() > stood + 2, 20, "counting on")
        assert os.stat(f"/proc/{again.pid}/ns/net").st_ino == os.stat(f"/run/netns/{name}").st_ino
        again.delete("--force").ok()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


@needs_criu
def test_a_failing_checkpoint_harms_nobody(ours, bundle):
    c = ours.running(bundle("i=0; echo ready; while :; do i=$((i+1)); echo $i; sleep 0.2; done"))  # into a file of the host's
    error = ours.cmd("checkpoint", "--image-path", f"{ours.scratch()}/images", c.id, timeout=60).failed(1, "CRIU failed")
    assert "dump.log" in error
    assert c.status == "running"
    stood = len(c.out())
    machine.wait_until(lambda: len(c.out()) > stood, 20, "counting on")


@needs_criu
def test_a_terminal_is_restored(ours, bundle, fd_socket):
    b = bundle("echo ready; while read line; do echo got $line; done", {"root/readonly": False, "process/terminal": True})
    sockets = fd_socket(), fd_socket()
    c = ours.container(b)
    c.create("--console-socket", sockets[0].path).ok()
    first = sockets[0].console()
    c.start().ok()
    first.until("ready")
    images = f"{ours.scratch()}/images"
    ours.cmd("checkpoint", "--image-path", images, c.id, timeout=60).ok()
    first.close()
    c.delete().ok()
    again, result = restore(c, images, "--console-socket", sockets[1].path)
    result.ok()
    second = sockets[1].console()
    second.say("hello\n")
    second.until("got hello", 20)
    again.delete("--force").ok()
    second.close()


def test_without_criu(ours, bundle):
    c = ours.running(bundle(READY))
    error = ours.cmd("--criu", "/no/such/criu", "checkpoint", "--image-path", f"{ours.scratch()}/images", c.id).failed(1, "/no/such/criu")
    assert "install it" in error
    assert c.status == "running"
