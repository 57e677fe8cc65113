# SPDX-License-Identifier: Apache-2.0
"""Rules 1, 2, 3, 5, 7 and 14 with nook-oci: the image's names lead nowhere but into the image."""

import json
import os
import stat
import subprocess
import time

import machine
import oci as harness
import pytest
import rootfs
from hostile import caps, mount, userns

WITHOUT_DEV = [each for each in harness.DEFAULT["mounts"] if not each["destination"].startswith("/dev")]
WITHOUT_PROC = [each for each in harness.DEFAULT["mounts"] if each["destination"] != "/proc"]


@pytest.fixture
def outside(oci):
    """A directory of the host's with canaries; it must stay as it was."""
    path = rootfs.tree(oci.scratch("outside"), {"canary": "host\n", "dir/canary": "host\n"})
    os.chmod(f"{path}/canary", 0o600)
    before = tree(path)
    yield path
    assert tree(path) == before


def tree(path):
    found = {}
    for where, dirs, files in os.walk(path):
        for name in [".", *dirs, *files]:
            st = os.lstat(os.path.join(where, name))
            found[os.path.join(where, name)] = (st.st_mode, st.st_uid, st.st_gid, st.st_size, st.st_mtime_ns)
    return found


def swapped_runs(oci, attacker, made, one, other, seconds=1.0):
    """Runs it again and again while two names are exchanged without end."""
    swap = subprocess.Popen([attacker, "swap", one, other, "60"])
    try:
        end, results = time.monotonic() + seconds, []
        while time.monotonic() < end or not any(result.status == 0 for result in results):
            results.append(oci.run(made))
            assert results[-1].status in (0, 1), results[-1]
            assert time.monotonic() < end + 20, "no run got through"
    finally:
        swap.kill()
        swap.wait()
    return results


# ---- races ----

def test_a_working_directory_that_is_swapped(oci, bundle, attacker, outside):
    """CVE-2024-45310's kin: directories that are made on the way are made inside."""
    made = bundle("pwd", {"root/readonly": False, "process/cwd": "/a/b/new/dir"})
    os.makedirs(f"{made.rootfs}/a/b")
    os.symlink(outside, f"{made.rootfs}/a/link")
    swapped_runs(oci, attacker, made, f"{made.rootfs}/a/b", f"{made.rootfs}/a/link")


def test_files_to_mount_on_that_are_swapped(oci, bundle, attacker, outside):
    """CVE-2024-45310: an empty file is made for a volume, outside."""
    made = bundle("true", {"root/readonly": False, **mount("/a/b/file", "/etc/hostname", "bind")})
    os.makedirs(f"{made.rootfs}/a/b")
    os.symlink(outside, f"{made.rootfs}/a/link")
    swapped_runs(oci, attacker, made, f"{made.rootfs}/a/b", f"{made.rootfs}/a/link")


def test_a_mask_that_is_swapped(oci, bundle, attacker, outside):
    """CVE-2025-31133 and CVE-2025-52565: the image's /dev/null and /dev/console, while they are used, lead elsewhere."""
    made = bundle("head -c 1 /mask | wc -c", {"mounts": WITHOUT_DEV, "linux/maskedPaths": ["/mask"], "linux/devices": [
        {"path": "/dev/null", "type": "c", "major": 1, "minor": 3}]})
    made.file("/mask", "secret\n")
    os.symlink(f"{outside}/canary", f"{made.rootfs}/dev/null")
    rootfs.write(f"{made.rootfs}/dev/other", "")
    os.symlink("/proc/sys/kernel/domainname", f"{made.rootfs}/dev/console")
    swap = subprocess.Popen([attacker, "swap", f"{made.rootfs}/dev/null", f"{made.rootfs}/dev/other", "60"])
    try:
        for _ in range(10):
            result = oci.run(made)
            assert result.status == 1 or result.ok() == "0", result
    finally:
        swap.kill()
        swap.wait()


def test_labels_and_sysctls_do_not_go_by_names_of_the_container(oci, bundle):
    """CVE-2019-19921, CVE-2025-52881: its /proc is the image's, or a tmpfs, when they are written."""
    made = bundle("true", {"mounts": WITHOUT_PROC, "linux/sysctl": {"kernel.shm_rmid_forced": "1"}, "linux/maskedPaths": [],
                           "linux/readonlyPaths": []})
    rootfs.tree(f"{made.rootfs}/proc", {"sys/kernel/shm_rmid_forced": "image\n", "self/attr/exec": "image\n"})
    oci.run(made).ok()
    assert machine.read(f"{made.rootfs}/proc/sys/kernel/shm_rmid_forced") == "image\n"
    assert machine.read("/proc/sys/kernel/shm_rmid_forced").strip() == "0"


@pytest.mark.parametrize("where", ["/proc/self/attr", "/proc/self", "/proc/1", "/proc/thread-self/attr", "/proc/sys", "/proc/sys/kernel"])
def test_a_tmpfs_in_proc(oci, bundle, where):
    """CVE-2019-16884: what is written to set a label is then the container's."""
    oci.run(bundle("true", mount(where, "tmpfs", kind="tmpfs"))).failed(1, where)


# ---- inodes of the image ----

@pytest.mark.parametrize("name", ["null", "console", "ptmx", "zero", "tty", "fd", "stdin", "pts", "shm"])
@pytest.mark.parametrize("to", ["outside", "/proc/sys/kernel/domainname", "/proc/self/exe"])
def test_names_in_the_images_dev(oci, bundle, fd_socket, outside, name, to):
    """Without a tmpfs on /dev: what stands there is the image's, and is neither followed, written nor trusted."""
    terminal = name in ("console", "ptmx", "pts")
    mounts = [each for each in harness.DEFAULT["mounts"] if each["destination"] not in ("/dev", f"/dev/{name}" if name != "pts" else "")]
    made = bundle("echo ready; exec sleep 1000", {"root/readonly": False, "mounts": mounts, "process/terminal": terminal})
    os.symlink(f"{outside}/canary" if to == "outside" else to, f"{made.rootfs}/dev/{name}")
    container = oci.container(made)
    consoles = fd_socket() if terminal else None
    result = container.create(*(["--console-socket", consoles.path] if terminal else []))
    assert result.status in (0, 1), result
    if result.status == 0:
        target = os.readlink(f"{made.rootfs}/dev/{name}")
        assert target == (f"{outside}/canary" if to == "outside" else to) or not target.startswith("/etc")
    lines = machine.read("/proc/self/mountinfo")
    assert outside not in lines


def test_devices_of_the_image(oci, bundle):
    """The machine's memory and disks, made by who packed the image: the cgroup's devices refuse them."""
    made = bundle("for d in /mem /disk /kmsg; do head -c 1 $d; done", {"linux/devices": []})
    os.mknod(f"{made.rootfs}/mem", stat.S_IFCHR | 0o666, os.makedev(1, 1))
    os.mknod(f"{made.rootfs}/disk", stat.S_IFBLK | 0o666, os.makedev(254, 0))
    os.mknod(f"{made.rootfs}/kmsg", stat.S_IFCHR | 0o666, os.makedev(1, 11))
    result = oci.run(made)
    assert result.err.count("Operation not permitted") == 3 and result.out == "", result


def test_a_device_made_inside(oci, bundle):
    """The same with CAP_MKNOD, by a program inside; through exec too."""
    script = "mknod /mem$$ c 1 1; head -c 1 /mem$$; mknod /disk$$ b 254 0; head -c 1 /disk$$"
    container = oci.running(bundle(harness.READY, {"root/readonly": False, **caps("MKNOD")}))
    result = container.exec("sh", "-c", script)
    assert result.err.count("Operation not permitted") == 2 and result.out == "", result


PASSWD = ["fifo", "symlink to the host's", "loop", "directory", "device", "huge", "binary", "none", "socket"]


@pytest.mark.parametrize("kind", PASSWD)
def test_passwd_of_the_image(oci, bundle, kind):
    """Rule 14: it is read by who has the runtime's rights. Nobody has a home then, and nothing waits."""
    made = bundle("echo $HOME", {"process/user": {"uid": 1000, "gid": 1000}})
    path = f"{made.rootfs}/etc/passwd"
    os.unlink(path)
    if kind == "symlink to the host's":
        os.symlink("/proc/1/root/etc/passwd", path)
    elif kind == "binary":
        rootfs.write(path, "app:x:1000:1000::/h\0ome:/bin/sh\n" * 100)
    elif kind != "none":
        rootfs.odd_file(path, kind)
    assert oci.run(made, timeout=5).ok() == "/"


# ---- working directories and descriptors ----

@pytest.mark.parametrize("fd", [3, 5, 7, 9, 10, 700])
def test_a_working_directory_by_a_descriptor(oci, hostile_bundle, attacker, fd):
    """CVE-2024-21626: /proc/self/fd/N is a directory of the host that the caller or the runtime has open."""
    for cwd in (f"/proc/self/fd/{fd}", f"/proc/self/fd/{fd}/etc", "/link"):
        made = hostile_bundle("pwd; ls", {"process/cwd": cwd}).write()
        os.symlink(f"/proc/self/fd/{fd}", f"{made.rootfs}/link")
        container = oci.container(made)
        container.touched = True
        result = oci.start([attacker, "with-fds", "/", "/etc/hostname", oci.binary, "--root", oci.root, "run", "--bundle", made.path,
                            container.id]).result()
        assert result.status == 1 and not result.out, result


def test_a_working_directory_by_a_descriptor_in_exec(oci, hostile_bundle, attacker):
    made = hostile_bundle(harness.READY)
    for fd in (3, 5, 7, 9, 700):
        os.symlink(f"/proc/self/fd/{fd}", f"{made.rootfs}/link{fd}")
    container = oci.running(made)
    for cwd in ("/proc/1/root", "/proc/1/cwd", *(f"/proc/self/fd/{fd}" for fd in (3, 7, 9)), "/link5", "/link9", "/link700"):
        result = oci.start([attacker, "with-fds", "/", "/etc/hostname", oci.binary, "--root", oci.root, "exec", "--cwd", cwd,
                            container.id, "ls"]).result()
        assert result.status == 255 and not result.out, result


@pytest.mark.parametrize("args", [["/proc/self/fd/9/bin/sh"], ["/proc/self/cwd/bin/true"], ["/link/bin/sh", "-c", "true"]])
def test_a_program_by_a_descriptor(oci, hostile_bundle, attacker, args):
    """The host's shell by a directory that was left open."""
    made = hostile_bundle(args).write()
    os.symlink("/proc/self/fd/9", f"{made.rootfs}/link")
    container = oci.container(made)
    container.touched = True
    result = oci.start([attacker, "with-fds", "/", "/etc/hostname", oci.binary, "--root", oci.root, "run", "--bundle", made.path,
                        container.id]).result()
    assert (result.status == 0) == ("cwd" in args[0]) and not result.out, result


# ---- what the config names ----

@pytest.mark.parametrize("path", ["../../../NAME", "/../../NAME", "/NAME/../../../../NAME", "..", "/", "/NAME/./../..", "/NAME\nb",
                                  "NAME" + "x" * 300, "/NAME//../NAMEb"], ids=lambda path: path[:30])
def test_cgroup_paths_that_lead_out(oci, bundle, path):
    """Below the hierarchies, whatever is asked, or refused; and delete removes nothing but its own."""
    mark = harness.unique("lead")
    container = oci.container(bundle(harness.READY, {"linux/cgroupsPath": path.replace("NAME", mark)}))
    result = container.create()
    assert result.status in (0, 1), result
    if result.status == 0:
        assert "/.." not in container.proc("cgroup")
        assert container.cgroup() not in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"), container.proc("cgroup")
        container.delete("--force").ok()
    left = [f"{where}/{name}" for where, names, _ in os.walk("/sys/fs/cgroup") for name in names if mark in name]
    assert not left, left


SYSCTLS = ["kernel.core_pattern", "vm.overcommit_memory", "fs.file-max", "kernel/core_pattern", "net/../kernel/core_pattern",
           "net..kernel.core_pattern", "kernel.shmmax/../core_pattern", "kernel.sem/../core_pattern", "fs.mqueue/../file-max",
           "kernel.hostname/../core_pattern", "../sys/kernel/core_pattern", "kernel.core_pattern\0", "/kernel/core_pattern",
           "net.ipv4/../../kernel/core_pattern", "user.max_user_namespaces", "kernel.panic", ""]


@pytest.mark.parametrize("name", SYSCTLS)
def test_sysctls_of_the_machine(oci, bundle, name):
    """Its value is what the machine has already: should it be written, nothing is lost."""
    value = machine.read("/proc/sys/kernel/core_pattern").strip() if "core" in name else "0"
    oci.run(bundle("true", {"linux/sysctl": {name: value}})).failed(1)


@pytest.mark.parametrize("name, kind", [("net.ipv4.ip_forward", "network"), ("kernel.shmmax", "ipc"), ("fs.mqueue.msg_max", "ipc"),
                                        ("kernel.domainname", "uts")])
def test_sysctls_of_a_namespace_that_is_the_hosts(oci, bundle, name, kind):
    namespaces = [each for each in harness.DEFAULT["linux"]["namespaces"] if each["type"] != kind]
    value = machine.read(f"/proc/sys/{name.replace('.', '/')}").strip()
    edits = {"linux/namespaces": namespaces, "linux/sysctl": {name: value}, "hostname": harness.DELETE}
    oci.run(bundle("true", edits)).failed(1, name)


def test_the_hosts_name_is_not_ours_to_change(oci, bundle):
    before = os.uname().nodename
    namespaces = [each for each in harness.DEFAULT["linux"]["namespaces"] if each["type"] != "uts"]
    oci.run(bundle("true", {"linux/namespaces": namespaces, "hostname": before})).failed(1)
    assert os.uname().nodename == before


# ---- the record ----

def record_of(oci, container):
    return next(path for path in harness.state_files(oci.root, container.id) if "/containers/" in path)


def changed(path, change):
    record = json.loads(machine.read(path))
    change(record)
    rootfs.write(path, json.dumps(record), 0o600)


def hurt(record, **members):
    record.update(members)


@pytest.fixture
def bystander():
    """A process, and a cgroup, of nobody's business."""
    process = subprocess.Popen(["sleep", "1000"])
    path = f"/sys/fs/cgroup/pids/bystander-{os.getpid()}"
    os.mkdir(path)
    rootfs.write(f"{path}/cgroup.procs", str(process.pid), 0o644)
    yield process.pid, path
    alive = process.poll() is None
    process.kill()
    process.wait()
    machine.wait_until(lambda: rmdir(path), 3, "the end of its cgroup")
    assert alive, "a bystander was killed"


def rmdir(path):
    try:
        os.rmdir(path)
        return True
    except FileNotFoundError:
        return True
    except OSError:
        return False


RECORDS = {
    "a pid": lambda r, pid, cgroup: hurt(r, pid=pid),
    "a pid with its start": lambda r, pid, cgroup: hurt(r, pid=pid, start_time=1),
    "pid 1": lambda r, pid, cgroup: hurt(r, pid=1),
    "a keeper": lambda r, pid, cgroup: hurt(r, keeper=pid, phase="creating"),
    "a negative pid": lambda r, pid, cgroup: hurt(r, pid=-1),
    "a cgroup above": lambda r, pid, cgroup: hurt(r["cgroups"][0], path="/.."),
    "a cgroup that leads back": lambda r, pid, cgroup: hurt(r["cgroups"][0], path="/x/../" + os.path.basename(cgroup)),
    "the root cgroup": lambda r, pid, cgroup: hurt(r["cgroups"][0], path="/"),
    "no hierarchy": lambda r, pid, cgroup: hurt(r["cgroups"][0], mount="/etc"),
    "a name": lambda r, pid, cgroup: hurt(r, name="../x"),
    "a start": lambda r, pid, cgroup: hurt(r["engine"], start="../../../etc/pass"),
    "a long start": lambda r, pid, cgroup: hurt(r["engine"], start="0" * 4000),
    "a unit": lambda r, pid, cgroup: hurt(r["engine"], unit="../../init.scope"),
    "an rdt group": lambda r, pid, cgroup: hurt(r["engine"], rdt="/etc"),
    "another version": lambda r, pid, cgroup: hurt(r, version=2 ** 32 - 1),
    "namespaces": lambda r, pid, cgroup: hurt(r, namespaces=2 ** 63),
    "a text for a number": lambda r, pid, cgroup: hurt(r, pid="5"),
    "deep": lambda r, pid, cgroup: hurt(r, more=json.loads("[" * 500 + "]" * 500)),
}


@pytest.mark.parametrize("what", RECORDS)
def test_a_record_that_was_changed(oci, bundle, bystander, what):
    """Whoever could write it is root; yet a record that is damaged leads no command to what is not the container's."""
    container = oci.container(bundle(harness.READY))
    container.create().ok()
    path = record_of(oci, container)
    good = machine.read(path)
    changed(path, lambda record: RECORDS[what](record, *bystander))
    for words in (["state"], ["kill"], ["ps"], ["start"], ["pause"], ["delete"]):
        result = oci.cmd(*words, container.id, *(["KILL"] if words == ["kill"] else []), timeout=15)
        assert result.status in (0, 1), result
        if words == ["delete"] and result.status == 0:
            break
    if os.path.exists(path):
        rootfs.write(path, good, 0o600)
    container.delete("--force").ok()
    container.init.signal(9)


@pytest.mark.parametrize("kind", ["symlink", "fifo", "directory", "huge", "empty", "garbage"])
def test_a_record_that_is_none(oci, bundle, outside, kind):
    container = oci.container(bundle(harness.READY))
    container.create().ok()
    path = record_of(oci, container)
    os.rename(path, f"{path}.away")
    if kind == "symlink":
        os.symlink(f"{outside}/canary", path)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        os.mkdir(path)
    elif kind == "huge":
        with open(path, "wb") as file:
            file.truncate(1 << 40)
    else:
        rootfs.write(path, "" if kind == "empty" else "\0\xff{", 0o600)
    for words in (["state"], ["kill"], ["delete"], ["start"], ["list"]):
        result = oci.cmd(*words, *([] if words == ["list"] else [container.id]), timeout=5)
        assert words == ["list"] or result.status == 1, result
    if kind == "directory":
        os.rmdir(path)
    os.rename(f"{path}.away", path)
    container.delete("--force").ok()


# ---- what the host has as read-only ----

ON_HOST = """
mount --make-rprivate /
mount --bind "$0/volume" "$0/volume" && mount -o remount,bind,ro,nosuid,nodev,noexec "$0/volume"
exec "$@"
"""
REMOUNT = "grep ' /vol ' /proc/self/mountinfo; mount -o remount,rw,suid,dev,exec,bind /vol; touch /vol/written && echo written"


@pytest.mark.parametrize("options", [["rbind"], ["rbind", "rw"], ["bind", "rw", "noatime"], ["rbind", "rw", "suid", "dev", "exec"]],
                         ids=" ".join)
def test_what_is_read_only_on_the_host_stays_so_in_a_user_namespace(oci, bundle, options):
    """Whoever may mount inside takes away no flag of a mount of the host's, as runc has it."""
    made = bundle(REMOUNT, {**userns(300000), **caps("SYS_ADMIN", "DAC_OVERRIDE"),
                            **mount("/vol", f"{oci.base}/{harness.unique('locked')}/volume", *options)})
    os.mkdir(f"{made.rootfs}/vol")
    where = os.path.dirname(made.config["mounts"][-1]["source"])
    os.makedirs(f"{where}/volume")
    os.chmod(f"{where}/volume", 0o777)
    oci.prefix = ["unshare", "-m", "--propagation", "unchanged", "sh", "-c", ON_HOST, where]
    result = oci.run(made)
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(result.out.split()[5].split(",")), result
    assert "written" not in result.out.split() and os.listdir(f"{where}/volume") == [], result


@pytest.mark.parametrize("via", ["a link of proc", "a directory that only root may enter"])
def test_volumes_that_the_stage_can_not_come_to(oci, bundle, via):
    """They are shown all the same."""
    source = rootfs.tree(oci.scratch("volume"), {"inner/mark": "here\n"})
    where = f"{source}/inner"
    holder = subprocess.Popen(["sleep", "1000"], cwd=where)
    os.chmod(source, 0o755 if via == "a link of proc" else 0o700)
    if via != "a link of proc":
        os.chown(source, 1234, 1234)
    try:
        made = bundle("cat /vol/mark", {**userns(300000), **mount("/vol", where if "root" in via else f"/proc/{holder.pid}/cwd", "rbind", "ro")})
        os.mkdir(f"{made.rootfs}/vol")
        assert oci.run(made).ok() == "here"
    finally:
        holder.kill()
        holder.wait()
