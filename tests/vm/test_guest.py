# SPDX-License-Identifier: Apache-2.0
"""What only a machine of our own allows: cgroup v2 with every controller, delegated; a root on ext4; memory that runs out."""

import os
import subprocess

import pytest

import machine
from nookrun import unique

CGROUPS = "/sys/fs/cgroup"


def own_cgroup(pid="self"):
    return machine.read(f"/proc/{pid}/cgroup").split("::", 1)[1].split("\n")[0]


def events(cgroup, file):
    return dict(line.split() for line in machine.read(f"{CGROUPS}{cgroup}/{file}").splitlines())


def test_the_machine_is_as_the_other_tests_want_it():
    """Else they would pass without having tried what they are here for."""
    options = {line.split()[1]: line.split()[2:4] for line in machine.read("/proc/mounts").splitlines()}
    assert options["/tmp"][0] == "ext4"
    assert options["/"][0] == "overlay"
    assert "nsdelegate" in options[CGROUPS][1]
    assert {"memory", "cpu", "pids", "io"} <= set(machine.read(f"{CGROUPS}/slice/cgroup.controllers").split())
    assert {"apparmor", "yama"} <= set(machine.read("/sys/kernel/security/lsm").strip().split(","))


def test_memory_runs_out_in_the_container_only(root_nook):
    script = "echo ready; read go; dd if=/dev/zero of=/dev/null bs=200M count=1; echo $?; exec sleep 1000"
    with root_nook.background(script, "--memory", "32m") as container:
        cgroup = own_cgroup(container.pid)
        outside = events("/slice/session", "memory.events.local")
        container.say("go")
        assert container.line() == "137"
        assert int(events(cgroup, "memory.events")["oom_kill"]) >= 1
        assert events("/slice/session", "memory.events.local") == outside


def test_exec_enters_the_cgroup_from_outside_of_its_namespace(root_nook):
    """With nsdelegate, clone3(CLONE_INTO_CGROUP) from inside of the cgroup namespace answers ENOENT."""
    with root_nook.background("echo ready; exec sleep 1000", "--pids", "20") as container:
        assert root_nook.cmd("exec", container.name, "cat", "/proc/self/cgroup").ok() == "0::/"
        assert own_cgroup(container.pid).endswith(f"/nook/{container.name}")


# ---- cgroups in the hands of an ordinary user ----

@pytest.fixture
def session():
    """A function: a cgroup that is an account's, with the test in a leaf of it, as systemd delegates one."""
    home, made = own_cgroup(), []

    def make(account, controllers):
        above = f"{CGROUPS}/slice/{unique('users')}"  # what it hands on, the user can have
        top = f"{above}/user"
        made.extend([above, top, f"{top}/leaf"])
        os.mkdir(above)
        with open(f"{above}/cgroup.subtree_control", "w", encoding="ascii") as file:
            file.write(" ".join(f"+{name}" for name in controllers))
        os.mkdir(top)
        os.mkdir(f"{top}/leaf")
        for name in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads", "leaf", "leaf/cgroup.procs"):
            os.chown(f"{top}/{name}", account.uid, account.gid)
        with open(f"{top}/leaf/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
        return top

    yield make
    with open(f"{CGROUPS}{home}/cgroup.procs", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    for path in reversed(made):
        os.rmdir(path)


@pytest.mark.parametrize("who", ["user", "poor"])
def test_an_ordinary_user_sets_limits_where_it_was_given_a_cgroup(make_nook, session, busybox_root, who):
    nook = make_nook(who)
    top = session(nook.account, ["memory", "pids", "cpu"])
    options = ["--memory", "64m", "--pids", "17", "--cpus", "0.5", "--root", busybox_root(nook)]
    with nook.background("echo ready; exec sleep 1000", *options) as container:
        path = CGROUPS + own_cgroup(container.pid)
        assert path == f"{top}/nook/{container.name}"
        limits = {name: machine.read(f"{path}/{name}").strip() for name in ("memory.max", "pids.max", "cpu.max")}
        assert limits == {"memory.max": str(64 << 20), "pids.max": "17", "cpu.max": "50000 100000"}
        assert nook.cmd("exec", container.name, "cat", "/proc/self/cgroup").ok() == "0::/"
    assert not os.path.exists(f"{top}/nook")


def test_a_controller_that_was_not_given(user_nook, session, busybox_root):
    session(user_nook.account, ["pids"])
    root = busybox_root(user_nook)
    user_nook.run("--root", root, "--memory", "64m", "--", "true").failed(125, "--memory", "controller")
    user_nook.run("--root", root, "--pids", "20", "--", "true").ok()


# ---- a root that can be shown with other ids ----

@pytest.fixture
def on_ext4(root_nook, busybox_root):
    """A function: runs a script where the root file system is a directory of the ext4 file system."""
    root = busybox_root(root_nook)
    for name in ("old", "run", "dev/pts", "sys/fs/cgroup"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    with open(f"{root}/owned", "w", encoding="ascii") as file:
        file.write("text\n")
    os.chown(f"{root}/owned", 1000, 1000)

    def run(script):
        mounts = f"""
            mount --bind {root} {root}; cd {root}
            for name in proc sys dev sys/fs/cgroup; do mount --rbind /$name $name; done
            mount -t tmpfs tmpfs run; touch run/program; mount --bind {root_nook.binary} run/program
            pivot_root . old; cd /; exec /bin/sh -ec 'umount -l /old; export PATH=/bin; {script}'"""
        result = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-ec", mounts], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20 * machine.PATIENCE, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()

    return run


def test_the_host_root_on_ext4_has_its_owners(on_ext4):
    """Shown with mapped ids: root's is root's, and what belongs to 1000 belongs to 1000."""
    lines = on_ext4('/run/program run -- sh -c "stat -c %u:%g /bin/busybox /owned; echo new >/owned; cat /owned; '
                    'chown 5:6 /owned; stat -c %u:%g /owned"; cat /owned; stat -c %u:%g /owned')
    assert lines == ["0:0", "1000:1000", "new", "5:6", "text", "1000:1000"]
