# SPDX-License-Identifier: Apache-2.0
"""Limits: what is asked is what the kernel holds, on each layout of cgroups; what it can't hold is refused."""

import glob
import os

import pytest

import machine
from nookrun import unique

GiB = 1 << 30


def hierarchies():
    """Controller → (mount point, is v2); "" is the v2 tree itself."""
    found = {}
    for line in machine.read("/proc/self/mountinfo").splitlines():
        left, right = line.split(" - ", 1)
        kind, _, options = right.split(" ", 2)
        point = left.split()[4]
        if kind == "cgroup2":
            found[""] = (point, True)
            for name in machine.read(f"{point}/cgroup.controllers").split():
                found[name] = (point, True)
        elif kind == "cgroup":
            for name in options.split(","):
                found.setdefault({"blkio": "io"}.get(name, name), (point, False))
    return found


def own_path(pid, controller):
    """A process's cgroup in the hierarchy of a controller."""
    point, is_v2 = hierarchies()[controller]
    for line in machine.read(f"/proc/{pid}/cgroup").splitlines():
        number, names, path = line.split(":", 2)
        if (is_v2 and number == "0" and not names) or (
                not is_v2 and {"io": "blkio"}.get(controller, controller) in names.split(",")):
            return os.path.normpath(point + path)
    raise AssertionError(f"process {pid} has no {controller} cgroup")


def limit(pid, v2, v1):
    """The text of a process's limit; `v2` and `v1` are its file's names on either."""
    controller = v2.split(".")[0]
    path = own_path(pid, controller)
    return machine.read(os.path.join(path, v2 if hierarchies()[controller][1] else v1)).strip()


def need(controller):
    if controller not in hierarchies():
        pytest.skip(f"no {controller} controller here")
    return hierarchies()[controller][1]


# ---- without limits ----

def test_a_container_has_a_cgroup_of_its_own_name(root_nook):
    need("")
    with root_nook.background() as container:
        assert own_path(container.pid, "").endswith(f"/nook/{container.name}")


def test_what_runs_inside_is_in_its_cgroup(root_nook):
    need("")
    with root_nook.background("sleep 1000 & echo ready; exec sleep 1000") as container:
        assert {own_path(pid, "") for pid in container.inside()} == {own_path(container.pid, "")}


@pytest.mark.parametrize("name", ["memory.max", "cgroup.procs", "tasks"])
def test_a_name_that_is_a_file_of_the_kernel(root_nook, name):
    """Each is a file in every cgroup of some layout."""
    root_nook.run("--name", name, "--", "true").ok()


def test_no_cgroup_is_no_failure(poor_nook):
    poor_nook.run("--", "true").ok()


# ---- what is asked is what the kernel holds ----

@pytest.mark.parametrize("option, v2, v2_value, v1, v1_value", [
    (["--memory", "64m"], "memory.max", 64 << 20, "memory.limit_in_bytes", 64 << 20),
    (["--memory", "1g", "--memory-swap", "1536m"], "memory.swap.max", GiB // 2, "memory.memsw.limit_in_bytes",
     3 * GiB // 2),
    (["--memory", "1g"], "memory.swap.max", 0, "memory.memsw.limit_in_bytes", GiB),
    (["--memory", "67108865"], "memory.max", 64 << 20, "memory.limit_in_bytes", 64 << 20),
    (["--cpus", "1.5"], "cpu.max", "150000 100000", "cpu.cfs_quota_us", 150000),
    (["--cpus", "0.05"], "cpu.max", "5000 100000", "cpu.cfs_quota_us", 5000),
    (["--cpu-weight", "100"], "cpu.weight", 100, "cpu.shares", 1024),
    (["--cpu-weight", "10000"], "cpu.weight", 10000, "cpu.shares", 102400),
    (["--cpu-weight", "1"], "cpu.weight", 1, "cpu.shares", 10),
    (["--pids", "17"], "pids.max", 17, "pids.max", 17),
])
def test_the_kernel_has_the_limit(root_nook, option, v2, v2_value, v1, v1_value):
    is_v2 = need(v2.split(".")[0])
    with root_nook.background("echo ready; exec sleep 1000", *option) as container:
        try:
            assert limit(container.pid, v2, v1) == str(v2_value if is_v2 else v1_value)
        except FileNotFoundError:
            assert "sw" in v2 + v1, "only swap may not be counted"
            pytest.skip("this kernel does not count swap by cgroup")


def test_unlimited_swap(root_nook):
    is_v2 = need("memory")
    with root_nook.background("echo ready; exec sleep 1000", "--memory", "64m", "--memory-swap", "-1") as container:
        try:
            text = limit(container.pid, "memory.swap.max", "memory.memsw.limit_in_bytes")
        except FileNotFoundError:
            pytest.skip("this kernel does not count swap by cgroup")
        assert text == "max" if is_v2 else int(text) > 1 << 60


def test_all_at_once_and_nothing_is_left(root_nook):
    for controller in ("memory", "cpu", "pids"):
        need(controller)
    root_nook.run("--memory", "64m", "--cpus", "2", "--cpu-weight", "50", "--pids", "64", "--", "true").ok()


def test_only_asked_hierarchies_are_entered(root_nook):
    """Each v1 hierarchy costs milliseconds."""
    if need("pids") or need("cpu"):
        pytest.skip("v2 has one hierarchy")
    with root_nook.background("echo ready; exec sleep 1000", "--pids", "20") as container:
        assert own_path(container.pid, "pids") != own_path(os.getpid(), "pids")
        assert own_path(container.pid, "cpu") == own_path(os.getpid(), "cpu")


def test_the_container_stays_below_its_caller(root_nook):
    """A limit that the caller lives under holds for its containers."""
    need("memory")
    with root_nook.background("echo ready; exec sleep 1000", "--memory", "64m") as container:
        inside, ours = own_path(container.pid, "memory"), own_path(os.getpid(), "memory")
        if hierarchies()["memory"][1]:
            ours = os.path.dirname(ours)  # no controllers for the children of a cgroup with processes
        assert inside.startswith(ours)


# ---- limits bite ----

TEN_PROCESSES = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 100 > /dev/null 2>&1 & done; echo all"


def test_a_program_that_needs_more_memory_is_killed(root_nook):
    need("memory")
    out = root_nook.sh("dd if=/dev/zero of=/dev/null bs=200M count=1; echo $?", "--memory", "32m").ok()
    assert out.splitlines()[-1] == "137"


def test_a_program_that_stays_below_is_not(root_nook):
    need("memory")
    assert root_nook.sh("head -c 8m /dev/zero | tail | wc -c", "--memory", "64m").ok() == str(8 << 20)


def test_no_more_processes_than_allowed(root_nook):
    need("pids")
    out = root_nook.sh(TEN_PROCESSES, "--pids", "6")
    assert "all" not in out.out
    assert "fork" in out.err.lower()


def test_no_more_cpu_time_than_allowed(root_nook):
    need("cpu")
    with root_nook.background("echo ready; while :; do :; done", "--cpus", "0.1") as container:
        path = os.path.join(own_path(container.pid, "cpu"), "cpu.stat")
        machine.wait_until(lambda: int(dict(line.split() for line in machine.read(path).splitlines())["nr_throttled"]) >= 3,
                           10, "three periods in which it was held back")


def test_exec_is_under_the_same_limit(root_nook):
    need("pids")
    with root_nook.background("echo ready; exec sleep 1000", "--pids", "6") as container:
        out = root_nook.cmd("exec", container.name, "sh", "-c", TEN_PROCESSES)
        assert "all" not in out.out


# ---- refused ----

@pytest.mark.quick
@pytest.mark.parametrize("words", [
    ["--memory", "0"],
    ["--memory", "4095"],
    ["--memory", "-1"],
    ["--memory", "much"],
    ["--memory", "1x"],
    ["--memory", "9223372036854775808"],
    ["--memory-swap", "64m"],
    ["--memory", "64m", "--memory-swap", "63m"],
    ["--memory", "64m", "--memory-swap", "-2"],
    ["--cpus", "0"],
    ["--cpus", "-1"],
    ["--cpus", "1e3"],
    ["--cpus", "0.0001"],
    ["--cpu-weight", "0"],
    ["--cpu-weight", "10001"],
    ["--pids", "0"],
    ["--pids", "-2"],
    ["--pids", "4194305"],
    ["--io-weight", "0"],
    ["--io-weight", "10001"],
])
def test_a_bad_limit_is_refused(root_nook, words):
    root_nook.run(*words, "--", "true").failed(125, words[-2])


def test_a_weight_that_no_device_honours_is_refused(root_nook):
    if any("[bfq]" in machine.read(path) for path in glob.glob("/sys/block/*/queue/scheduler")) or "io" not in hierarchies():
        pytest.skip("a device here uses bfq, or there is no io controller")
    if hierarchies()["io"][1]:
        pytest.skip("io.cost may be on")
    root_nook.run("--io-weight", "200", "--", "true").failed(125, "--io-weight", "bfq")


@pytest.mark.parametrize("words", [["--memory", "64m"], ["--pids", "20"], ["--cpus", "1"]])
def test_an_ordinary_user_needs_a_delegated_cgroup(poor_nook, words):
    controller = {"--cpus": "cpu"}.get(words[0], words[0][2:])
    need(controller)
    writable = poor_nook.outside("test", "-w", own_path(os.getpid(), controller), check=False)
    if writable.status == 0:
        pytest.skip("this cgroup is delegated to the user")
    poor_nook.run(*words, "--", "true").failed(125, words[0], "delegated")


@pytest.fixture
def own_cgroup():
    """A function: a cgroup of a v1 controller, with the test in it; given to an account."""
    made = []

    def make(controller, account):
        if os.getuid() != 0:
            pytest.skip("needs root, to delegate a cgroup")
        if need(controller):
            pytest.skip("on v2 it takes a cgroup manager: see tests/vm")
        home = own_path(os.getpid(), controller)
        path = os.path.join(home, unique("delegated"))
        os.mkdir(path)
        made.append((home, path))
        for name in [path, os.path.join(path, "cgroup.procs")]:
            os.chown(name, account.uid, account.gid)
        with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
        return path

    yield make
    for home, path in made:
        with open(os.path.join(home, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
        os.rmdir(path)


def test_an_ordinary_user_with_a_delegated_cgroup(user_nook, own_cgroup, busybox_root):
    """The directory can be removed in the end, so nook has left nothing in it."""
    path = own_cgroup("pids", user_nook.account)
    root = busybox_root(user_nook)
    with user_nook.background("echo ready; exec sleep 1000", "--pids", "17", "--root", root) as container:
        assert own_path(container.pid, "pids") == f"{path}/nook/{container.name}"
        assert limit(container.pid, "pids.max", "pids.max") == "17"
