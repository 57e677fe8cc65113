# SPDX-License-Identifier: Apache-2.0
"""What nook says when a machine, or a user's words, stand in its way: each known cause, provoked."""

import json
import os
import subprocess
import time

import pytest

import machine
import nookrun
import rootfs


def explained(result, cause, *words, status=125):
    """One error that names this cause, says what to try, and where more stands."""
    err = result.failed(status, *words)
    lines = err.splitlines()
    assert f"[{cause}]" in err, f"another cause was named\n{result}"
    assert any(line.startswith("  cause: ") and line.endswith(f"[{cause}]") for line in lines), result
    assert any(line.startswith("  try:   ") for line in lines), result
    assert lines[-1] == f"  more:  nook check --explain {cause}", result
    assert sum(line.startswith("nook: ") for line in lines) == 1, result


def script(nook, text, *options, user=None):
    """
    Runs a shell script as root in namespaces of its own, in the account's view of the machine. In it, $NOOK is the
    program and $AS becomes the account `user`.
    """
    account = user or nook.account
    as_user = f"setpriv --reuid {account.uid} --regid {account.gid} --clear-groups" if account.uid else ""
    env = nook.account.environment({"NOOK": nook.binary, "AS": as_user})

    def enter():
        if nook.account.mount_ns >= 0:
            machine.setns(nook.account.mount_ns, machine.CLONE_NEWNS)

    argv = ["unshare", *options, "sh", "-ec", text]
    result = subprocess.run(argv, env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=20, check=False, preexec_fn=enter)
    return nookrun.Result(argv, nookrun.shell_status(result.returncode), result.stdout, result.stderr)


# ---- namespaces ----

def test_no_user_namespace_allowed(root_nook):
    result = script(root_nook, "echo 0 > /proc/sys/user/max_user_namespaces; $NOOK run true", "-Urmpf", "--mount-proc")
    explained(result, "userns-limit", "max_user_namespaces is 0")


def test_user_namespaces_used_up(root_nook):
    """The one that is allowed is in use by another process."""
    result = script(root_nook, """
        echo 1 > /proc/sys/user/max_user_namespaces
        unshare -U sleep 5 & other=$!
        while [ "$(readlink /proc/$other/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
        status=0; $NOOK run true || status=$?
        kill $other; exit $status""", "-Urmpf", "--mount-proc")
    explained(result, "userns-limit", "user namespaces")


def test_no_net_namespace_allowed(root_nook):
    result = script(root_nook, "echo 0 > /proc/sys/user/max_net_namespaces; $NOOK run true", "-Urmpf", "--mount-proc")
    explained(result, "namespace-limit", "max_net_namespaces")


def test_in_a_shell_of_unshare(root_nook):
    """A user namespace around nook, whose other namespaces belong to the outside."""
    result = script(root_nook, "exec $NOOK run true", "-Ur")
    if result.status != 0:
        explained(result, "foreign-mnt", "mount namespace")


def test_in_a_chroot(root_nook, unsanitized):
    root = root_nook.scratch("chroot")
    rootfs.make(f"{root}/inner")
    text = f"""
        cp $NOOK {root}/nook
        mkdir -p {root}/run
        for dir in proc dev sys; do mkdir -p {root}/$dir; mount --rbind /$dir {root}/$dir; done
        exec chroot {root} /nook run --root /inner /bin/true"""
    explained(script(root_nook, text, "-m"), "userns-chroot", "chroot")


def test_root_without_cap_sys_admin(root_nook):
    result = script(root_nook, "exec setpriv --bounding-set=-sys_admin --inh-caps=-all $NOOK run --userns host true", "-m")
    explained(result, "missing-capability", "CAP_SYS_ADMIN")


def test_root_without_cap_sys_resource(root_nook):
    text = "exec setpriv --bounding-set=-sys_resource --inh-caps=-all $NOOK run {} true"
    explained(script(root_nook, text.format("--rlimit nofile=900000000"), "-m"), "missing-capability", "CAP_SYS_RESOURCE",
              "--rlimit nofile=900000000")
    explained(script(root_nook, text.format("--oom-score-adj -1000"), "-m"), "missing-capability", "CAP_SYS_RESOURCE")


def test_joining_what_is_gone(root_nook):
    explained(root_nook.run("--join", "net=/proc/4194304/ns/net", "true"), "namespace-gone", "--join")


def test_joining_what_is_no_namespace(root_nook):
    explained(root_nook.run("--join", "net=/etc/passwd", "true"), "not-a-namespace", "--join")
    explained(root_nook.run("--join", "net=/proc/self/ns/uts", "true"), "not-a-namespace", "--join")


# ---- ids ----

def test_helper_missing(user_nook):
    """newuidmap is whited out of /usr/bin, in a mount namespace of the test's."""
    scratch = user_nook.scratch("overlay")
    os.makedirs(f"{scratch}/up")
    os.makedirs(f"{scratch}/work")
    os.chmod(f"{scratch}/up", 0o755)
    os.mknod(f"{scratch}/up/newuidmap", 0o20000)
    text = f"""
        place=$(dirname $(readlink -f $(command -v newuidmap)))
        mount -t overlay overlay -o lowerdir=$place,upperdir={scratch}/up,workdir={scratch}/work $place
        exec $AS $NOOK run --user 1000 true"""
    explained(script(user_nook, text, "-m"), "setuid-helper-missing", "newuidmap")


def test_helper_without_setuid(user_nook):
    scratch = user_nook.scratch("helper")
    text = f"""
        for name in newuidmap newgidmap; do
            place=$(readlink -f $(command -v $name))
            cp $place {scratch}/$name; chmod 755 {scratch}/$name
            mount --bind {scratch}/$name $place
        done
        exec $AS $NOOK run true"""
    explained(script(user_nook, text, "-m"), "setuid-helper-failed", "newuidmap")


def test_helper_without_new_privileges(user_nook):
    result = script(user_nook, "exec $AS --no-new-privs $NOOK run true", "-m")
    explained(result, "setuid-helper-failed", "newuidmap")


def test_a_range_that_is_not_the_callers(user_nook):
    result = user_nook.run("--uid-map", "0:500000:10", "--gid-map", "0:500000:10", "true")
    explained(result, "setuid-helper-failed", "newuidmap")


def test_no_range(poor_nook):
    explained(poor_nook.run("--user", "1000", "true"), "no-subid-range", "--user 1000", "subuid")


def test_id_not_mapped(nook):
    explained(nook.run("--user", "70000", "true"), "id-not-mapped", "--user 70000")


def test_id_outside_of_the_outer_map(root_nook):
    """In a user namespace that has one id, another can't be handed on."""
    result = script(root_nook, "exec $NOOK run --uid-map 0:5:1 --gid-map 0:0:1 true", "-Urmpf", "--mount-proc")
    explained(result, "id-not-mapped", "uid_map")


def test_unknown_user(nook):
    explained(nook.run("--user", "nobody-of-this-name", "true"), "unknown-user", "--user nobody-of-this-name")


# ---- cgroups and limits ----

def test_no_delegated_cgroup(user_nook):
    explained(user_nook.run("--memory", "64m", "true"), "no-delegated-cgroup", "--memory 64m")


def test_controller_not_available(root_nook):
    if not os.path.ismount("/sys/fs/cgroup/memory"):
        pytest.skip("needs the v1 hierarchy memory, to take it away")
    text = "umount /sys/fs/cgroup/memory; exec $NOOK run --memory 64m true"
    explained(script(root_nook, text, "-m"), "controller-unavailable", "--memory 64m", "memory")


@pytest.fixture
def full_cgroup():
    """A cgroup that holds one process at most; yields its cgroup.procs."""
    for base in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
        if os.path.exists(f"{base}/cgroup.procs") and (base.endswith("pids") or "pids" in machine.read(
                f"{base}/cgroup.subtree_control")):
            break
    else:
        pytest.skip("no controller pids")
    path = f"{base}/{nookrun.unique('nook-errors')}"
    os.mkdir(path)
    with open(f"{path}/pids.max", "w", encoding="ascii") as file:
        file.write("1")
    yield f"{path}/cgroup.procs"
    machine.wait_until(lambda: removed(path), what=f"rmdir {path}")


def removed(path):
    try:
        os.rmdir(path)
    except OSError:
        return False
    return True


def test_pids_limit(root_nook, full_cgroup, unsanitized):
    result = script(root_nook, f"echo $$ > {full_cgroup}; exec $NOOK run --root / true", "-m")
    explained(result, "pids-limit", "pids.max", os.path.dirname(full_cgroup))


def test_too_many_open_files(nook):
    result = script(nook, "ulimit -n 6; exec $AS $NOOK run true", "-m")
    explained(result, "too-many-files", "RLIMIT_NOFILE")


def test_address_space(nook, unsanitized):
    result = script(nook, "ulimit -v 100000; exec $AS $NOOK run true", "-m")
    explained(result, "out-of-memory", "RLIMIT_AS")


# ---- mounts ----

@pytest.mark.parametrize("options", [[], ["--net", "host"]])
def test_masked_proc(nook, options):
    text = f"mount --bind /dev/null /proc/timer_list; exec $AS $NOOK run {' '.join(options)} true"
    explained(script(nook, text, "-m"), "masked-proc", "/proc")


def test_no_idmap(root_nook, busybox_root):
    """ramfs can't map ids."""
    scratch, root = root_nook.scratch("ramfs"), busybox_root(root_nook)
    text = f"mount -t ramfs ramfs {scratch}; exec $NOOK run --root {root} --volume {scratch}:/mnt true"
    explained(script(root_nook, text, "-m"), "no-idmap", f"--volume {scratch}:/mnt", "ramfs")


def test_overlay_on_overlay(nook, busybox_root):
    scratch, root = nook.scratch("overlay"), busybox_root(nook)
    for name in ("low", "up", "work", "merged"):
        os.mkdir(f"{scratch}/{name}")
        os.chmod(f"{scratch}/{name}", 0o777)
    text = f"""
        mount -t overlay overlay -o lowerdir={scratch}/low,upperdir={scratch}/up,workdir={scratch}/work {scratch}/merged
        mkdir {scratch}/merged/changes; chmod 777 {scratch}/merged/changes
        exec $AS $NOOK run --layer {root} --changes {scratch}/merged/changes true"""
    explained(script(nook, text, "-m"), "overlay-on-overlay", "overlay")


def test_source_missing(nook):
    explained(nook.run("--volume", "/no/such/place:/mnt", "true"), "source-missing", "--volume /no/such/place:/mnt", "/no")
    explained(nook.run("--root", "/no/such/place", "true"), "source-missing", "--root /no/such/place")
    explained(nook.run("--layer", "/no/such/place", "true"), "source-missing", "--layer /no/such/place")


def test_closed_directory(user_nook):
    closed = user_nook.scratch("closed")
    os.makedirs(f"{closed}/inner/deep")
    os.chown(closed, 0, 0)
    os.chmod(closed, 0o700)
    explained(user_nook.run("--volume", f"{closed}/inner/deep:/mnt", "true"), "no-access", closed)


def test_symlink_in_target(nook, busybox_root):
    root = busybox_root(nook)
    os.symlink("loop", f"{root}/loop")
    nook.own(root)
    result = nook.run("--root", root, "--volume", "/tmp:/loop/mnt", "true")
    explained(result, "symlink-in-target", "--volume /tmp:/loop/mnt", "loop")


def test_file_on_the_way(nook, busybox_root):
    root = busybox_root(nook)
    with open(f"{root}/file", "w", encoding="ascii"):
        pass
    nook.own(root)
    explained(nook.run("--root", root, "--volume", "/tmp:/file/mnt", "true"), "type-mismatch", "/file")


def test_no_inode_left(nook, busybox_root):
    if nook.is_root and machine.kernel() < (6, 3):
        pytest.skip("before Linux 6.3 no ids can be mapped on tmpfs")
    small, root = nook.scratch("small"), busybox_root(nook)
    text = f"""
        mount -t tmpfs -o nr_inodes=2,mode=777 tmpfs {small}; touch {small}/last
        exec $AS $NOOK run --layer {root} --changes {small} true"""
    explained(script(nook, text, "-m"), "no-space", "inode")


def test_missing_target_in_a_read_only_root(nook, busybox_root):
    source, root = nook.scratch("source"), busybox_root(nook)
    text = f"mount --bind -o ro {root} {root}; exec $AS $NOOK run --root {root} --volume {source}:/no/such true"
    explained(script(nook, text, "-m"), "read-only", f"--volume {source}:/no/such")


def test_working_directory_missing(nook):
    explained(nook.run("--cwd", "/no/such/place", "true"), "cwd-missing", "--cwd /no/such/place")


# ---- the program ----

@pytest.fixture
def program(nook, busybox_root):
    """A function: a root with this file as /program, run."""
    def run(text, mode=0o755):
        root = busybox_root(nook)
        with open(f"{root}/program", "wb") as file:
            file.write(text)
        os.chmod(f"{root}/program", mode)
        nook.own(root)
        return nook.run("--root", root, "/program")
    return run


def test_command_not_found(nook):
    explained(nook.run("no-such-command"), "command-not-found", "no-such-command", status=127)
    explained(nook.run("/no/such/command"), "command-not-found", "/no/such/command", status=127)


def test_not_executable(program, nook):
    explained(program(b"#!/bin/sh\n", 0o644), "not-executable", "/program", status=126)
    explained(nook.run("/etc"), "not-executable", "/etc", status=126)


def test_script_without_its_interpreter(program):
    explained(program(b"#!/no/such/shell -x\n"), "interpreter-missing", "/no/such/shell", status=126)


def test_script_with_carriage_returns(program):
    explained(program(b"#!/bin/sh\r\ntrue\r\n"), "interpreter-missing", "carriage return", status=126)


def test_program_without_its_loader(program):
    with open("/bin/true", "rb") as file:
        explained(program(file.read()), "interpreter-missing", "ld-linux", status=126)


def test_program_for_another_processor(program):
    head = bytearray(120)
    head[:20] = b"\x7fELF\2\1\1" + bytes(9) + b"\2\0" + (b"\xf3\0" if os.uname().machine != "riscv64" else b"\x3e\0")
    explained(program(bytes(head)), "wrong-arch", "/program", status=126)


def test_text_without_its_first_line(program):
    explained(program(b"echo hello\n"), "unknown-format", "/program", status=126)


def test_noexec(nook):
    source = nook.scratch("source")
    with open(f"{source}/program", "w", encoding="ascii") as file:
        file.write("#!/bin/sh\n")
    os.chmod(f"{source}/program", 0o755)
    nook.own(source)
    result = nook.run("--volume", f"{source}:/mnt:noexec", "/mnt/program")
    explained(result, "noexec-mount", "/mnt/program", status=126)


def test_unknown_system_call(nook):
    scratch = nook.scratch("profile")
    with open(f"{scratch}/profile.json", "w", encoding="ascii") as file:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW",
                   "syscalls": [{"names": ["no_such_call"], "action": "SCMP_ACT_ERRNO"}]}, file)
    explained(nook.run("--seccomp", f"{scratch}/profile.json", "true"), "unknown-syscall", "no_such_call")


# ---- names ----

def test_name_in_use(nook):
    with nook.background() as other:
        explained(nook.run("--name", other.name, "true"), "name-in-use", other.name)


def test_no_such_container(nook):
    explained(nook.cmd("exec", "no-such-container", "true"), "no-such-container", "no-such-container")


# ---- what the messages are made of ----

def test_escapes_in_words_are_shown_and_not_obeyed(nook):
    err = nook.run("--volume", "/no\033[31m/such\n:/mnt", "true").failed(125)
    assert "\033" not in err
    assert "\\x1b[31m" in err and "\\n" in err


def test_errors_come_fast(nook):
    """The search for the cause reads some files and no more."""
    begin = time.monotonic()
    nook.run("--volume", "/no/such/place:/mnt", "true").failed(125)
    assert time.monotonic() - begin < 1
