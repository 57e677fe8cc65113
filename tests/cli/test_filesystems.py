# SPDX-License-Identifier: Apache-2.0
"""/proc, /sys, /dev and the cgroup mount as a container needs them, and what of them is masked."""

import os
import re

import machine
import pytest

pytestmark = pytest.mark.quick

# What engines mask and make read-only: the OCI runtimes' common list.
MASKED = ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
          "/sys/devices/virtual/powercap"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


looked = {}


@pytest.fixture(params=["root", "user"])
def seen(request, make_nook):
    """One look at everything, for many questions."""
    if request.param not in looked:
        looked[request.param] = make_nook(request.param).run("--", "cat", "/proc/self/mountinfo").ok()
    return looked[request.param]


def mounts(text):
    """target → (type, options of the mount, options of the file system); the last one at a target counts."""
    found = {}
    for line in text.splitlines():
        left, right = line.split(" - ")
        fields = left.split()
        found[fields[4]] = (right.split()[0], set(fields[5].split(",")), set(right.split()[2].split(",")))
    return found


@pytest.mark.parametrize("target, kind", [
    ("/proc", "proc"), ("/sys", "sysfs"), ("/dev", "tmpfs"), ("/dev/pts", "devpts"), ("/dev/shm", "tmpfs"),
    ("/dev/mqueue", "mqueue"), ("/sys/fs/cgroup", "cgroup2")])
def test_what_a_container_needs_is_mounted(seen, target, kind):
    assert mounts(seen)[target][0] == kind


@pytest.mark.parametrize("target, options", [
    ("/proc", {"nosuid", "nodev", "noexec"}), ("/sys", {"nosuid", "nodev", "noexec", "ro"}), ("/dev", {"nosuid"}),
    ("/dev/shm", {"nosuid", "nodev"}), ("/dev/pts", {"nosuid", "noexec"}),
    ("/dev/mqueue", {"nosuid", "nodev", "noexec"}), ("/sys/fs/cgroup", {"nosuid", "nodev", "noexec"})])
def test_mounts_have_their_safe_options(seen, target, options):
    assert options <= mounts(seen)[target][1]


def test_no_mount_is_shared_with_the_host(seen):
    assert "shared:" not in seen


def test_no_path_of_the_host_shows_in_the_mount_table(seen):
    """The root, the devices and the masks come from detached mounts: no name of where they came from."""
    assert "nook" not in re.sub(r"upperdir=\S+|workdir=\S+|lowerdir\S*=\S+", "", seen)


@pytest.mark.parametrize("path", MASKED)
def test_a_masked_path_shows_nothing(nook, path):
    script = f"if test -d {path}; then ls -A {path}; elif test -e {path}; then head -c 10 {path}; fi"
    assert nook.sh(script).ok() == ""


@pytest.mark.parametrize("path", READ_ONLY)
def test_a_read_only_path_is(nook, path):
    if not os.path.exists(path):
        pytest.skip(f"{path} is not on this machine")
    options = mounts(nook.run("--", "cat", "/proc/self/mountinfo").ok())
    assert "ro" in options[path][1]


def test_a_sysctl_of_the_host_cannot_be_written(nook):
    before = machine.read("/proc/sys/kernel/printk")
    nook.sh("echo 1 >/proc/sys/kernel/printk; echo 1 >/proc/sys/vm/drop_caches; echo b >/proc/sysrq-trigger; true",
            "--cap-add", "all", "--seccomp", "off")
    assert machine.read("/proc/sys/kernel/printk") == before


def test_a_mask_cannot_be_taken_off(nook):
    script = "umount /proc/interrupts 2>/dev/null; umount -l /proc/interrupts 2>/dev/null; wc -c </proc/interrupts"
    assert nook.sh(script).ok() == "0"


def test_proc_shows_the_containers_processes_only(nook):
    assert [int(name) for name in nook.run("--", "ls", "/proc").ok().split() if name.isdigit()] in ([1, 2], [1, 2, 3])


# ---- /dev ----

DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
         "ptmx": "pts/ptmx"}


def test_dev_holds_these_and_no_other(nook):
    names = set(nook.run("--", "ls", "/dev").ok().split())
    assert names - {"core"} == {*DEVICES, *LINKS, "pts", "shm", "mqueue"}


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_is_the_real_one(nook, name):
    assert nook.run("--", "stat", "-c", "%F %t %T %a", f"/dev/{name}").ok() == (
        f"character special file {DEVICES[name][0]:x} {DEVICES[name][1]:x} 666")


@pytest.mark.parametrize("name", LINKS)
def test_a_link_leads_there(nook, name):
    assert nook.run("--", "readlink", f"/dev/{name}").ok() == LINKS[name]


def test_devices_work(nook):
    script = "echo x >/dev/null; head -c4 /dev/zero | wc -c; head -c4 /dev/urandom | wc -c; cat /etc/passwd 2>&1 >/dev/full; true"
    out = nook.sh(script).ok()
    assert out.split()[:2] == ["4", "4"] and "No space left" in out


def test_no_device_can_be_made(nook):
    result = nook.sh("mknod /dev/sda b 8 0 2>&1 || mknod /tmp/sda b 8 0 2>&1 || echo none", "--cap-add", "all")
    assert result.ok().endswith("none")


def test_a_pseudo_terminal_can_be_opened(nook):
    assert nook.run("--", "python3", "-c", "import os; print(os.ttyname(os.openpty()[1]))").ok().startswith("/dev/pts/")


def test_the_pts_are_the_containers_own(nook):
    assert nook.run("--", "ls", "/dev/pts").ok().split() == ["ptmx"]


def test_shared_memory_works_and_is_private(nook):
    name = f"nook-test-{os.getpid()}"
    assert nook.sh(f"echo x >/dev/shm/{name} && cat /dev/shm/{name}; stat -c %a /dev/shm").lines() == ["x", "1777"]
    assert not os.path.exists(f"/dev/shm/{name}")


def test_message_queues_are_private(nook):
    code = ("import ctypes, os; rt = ctypes.CDLL('librt.so.1', use_errno=True);"
            "fd = rt.mq_open(b'/nook-test', os.O_CREAT | os.O_RDWR, 0o600, None);"
            "print(fd >= 0 or ctypes.get_errno(), os.listdir('/dev/mqueue'))")
    assert nook.run("--", "python3", "-c", code).ok() == "True ['nook-test']"


# ---- cgroup ----

def test_the_cgroup_mount_shows_the_containers_own_root(nook):
    out = nook.sh("cat /proc/self/cgroup; ls /sys/fs/cgroup").ok()
    assert "0::/\n" in out
    assert "cgroup.procs" in out


def test_the_cgroup_mount_is_read_only(nook):
    out = nook.sh("mkdir /sys/fs/cgroup/x 2>&1; true").ok()
    assert "Read-only" in out or "Permission denied" in out


def test_the_hosts_cgroup_flags_stay(nook):
    """Mounting cgroup2 from the initial cgroup namespace would change them for everyone."""
    def flags():
        return [line for line in machine.read("/proc/self/mounts").splitlines() if " cgroup" in line]
    before = flags()
    nook.run("--", "true").ok()
    assert flags() == before
