# SPDX-License-Identifier: Apache-2.0
"""
Rule 4, the sealed self: nobody inside gets hold of the host's nook and overwrites it (CVE-2019-5736).

The container is started by another copy of nook than the one that is attacked, so that the attacked file is free to be
written as soon as `nook exec` has ended: the attack needs no luck then.
"""

import os
import shutil

import nookrun
import pytest
import rootfs

WAYS = {"a script": "/script", "a symlink": "/link", "itself": "/proc/self/exe", "a program": "/bin/true"}


def canary(nook, source):
    """A copy of a program, owned by this account: what is to be overwritten."""
    path = f"{nook.scratch('canary')}/program"
    shutil.copy(source, path)
    os.chmod(path, 0o755)
    nook.own(os.path.dirname(path))
    return path


def prepare(nook, root):
    rootfs.write(f"{root}/script", "#!/proc/self/exe\n", 0o755)
    os.symlink("/proc/self/exe", f"{root}/link")
    nook.own(root)


def attack(nook, root, options, runtime):
    """Starts a container that lies in wait; runtime(name, pid) then enters it several times. Return: what it achieved."""
    with nook.background("exec /attacker grab 1", "--root", root, *options) as container:
        assert container.first == "ready"
        pid = container.pid
        for _ in range(6):
            runtime(container.name, pid)
        return container.process.stdout.read().split("\n")


def same(path, other):
    with open(path, "rb") as one, open(other, "rb") as two:
        return one.read() == two.read()


ROOT_OPTIONS = [["--userns", "host"], ["--userns", "host", "--cap-add", "sys_ptrace"],
                ["--userns", "host", "--cap-add", "all"], ["--uid-map", "0:0:1000", "--gid-map", "0:0:1000"]]


def nook_enters(nook, victim, way):
    def enter(name, _):
        other = nookrun.Nook(victim, nook.account, nook.base)
        other.cmd("exec", name, WAYS[way], timeout=10)
    return enter


def test_the_attack_works_on_a_careless_runtime(root_nook, hostile_root, attacker):
    root, victim = hostile_root(root_nook), canary(root_nook, attacker)
    prepare(root_nook, root)

    def enter(_, pid):
        try:
            root_nook.outside(victim, "careless", pid, "/script", check=False)
        except OSError:
            pass  # it is overwritten by now, and no program any more

    result = attack(root_nook, root, ["--userns", "host", "--cap-add", "sys_ptrace"], enter)
    assert "overwritten" in result, result
    assert not same(victim, attacker)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", ROOT_OPTIONS, ids=" ".join)
def test_exec_as_root(root_nook, hostile_root, options, way):
    root, victim = hostile_root(root_nook), canary(root_nook, root_nook.binary)
    prepare(root_nook, root)
    result = attack(root_nook, root, options, nook_enters(root_nook, victim, way))
    assert "overwritten" not in result, result
    assert same(victim, root_nook.binary), result
    assert os.stat(victim).st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("way", WAYS)
def test_exec_by_an_ordinary_user_with_an_own_binary(user_nook, hostile_root, way):
    root, victim = hostile_root(user_nook), canary(user_nook, user_nook.binary)
    prepare(user_nook, root)
    result = attack(user_nook, root, [], nook_enters(user_nook, victim, way))
    assert "overwritten" not in result, result
    assert same(victim, user_nook.binary), result
    assert os.stat(victim).st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("options", [*ROOT_OPTIONS, []], ids=" ".join)
@pytest.mark.parametrize("target", ["/proc/1/exe", "/proc/self/exe"])
def test_run_as_root(root_nook, hostile_root, options, target):
    """By pid 1, which is nook's; and by a program that is nook's own file."""
    run_and_compare(root_nook, hostile_root(root_nook), options, target)


@pytest.mark.parametrize("target", ["/proc/1/exe", "/proc/self/exe"])
def test_run_by_an_ordinary_user_with_an_own_binary(user_nook, hostile_root, target):
    """Its pid 1 may be looked into by its own user, and so by root inside."""
    run_and_compare(user_nook, hostile_root(user_nook), [], target)


def run_and_compare(nook, root, options, target):
    victim = canary(nook, nook.binary)
    prepare(nook, root)
    other = nookrun.Nook(victim, nook.account, nook.base)
    if target == "/proc/1/exe":
        result = other.run("--root", root, *options, "--", "/attacker", "write-exe", target)
        assert "overwritten" not in result.out and result.status == 0, result
    else:
        for program in ("/script", "/link", "/proc/self/exe"):
            other.run("--root", root, *options, "--", program)
    assert same(victim, nook.binary)
    assert os.stat(victim).st_mode & 0o7777 == 0o755


def test_pid_1_is_a_sealed_copy(root_nook, hostile_root):
    """With CAP_SYS_PTRACE over the host's ids /proc/1/exe can be opened: it is a file of its own then."""
    root = hostile_root(root_nook)
    options = ["--root", root, "--userns", "host", "--cap-add", "sys_ptrace,sys_admin"]
    assert "opened" in root_nook.run(*options, "--", "/attacker", "write-exe", "/proc/1/exe").lines()
    assert "memfd:nook" in root_nook.run(*options, "--", "readlink", "/proc/1/exe").ok()


def test_an_installed_nook_is_executed_once(root_nook, binary):
    """The copy costs about a millisecond: where the owner has no id inside, nothing is spent."""
    traced = root_nook.outside("strace", "-qq", "-f", "-e", "trace=execveat,memfd_create", binary, "run", "true")
    assert "execveat" not in traced.err and "memfd_create" not in traced.err


def test_an_installed_nook_is_executed_once_by_an_ordinary_user(user_nook, busybox_root, binary):
    assert user_nook.run("--root", busybox_root(user_nook), "--", "readlink", "/proc/1/exe").ok() == binary


def test_no_copy_in_memory_where_that_is_forbidden(root_nook, user_nook, binary):
    """vm.memfd_noexec=2, in a pid namespace of its own: root's read-only mount does, an ordinary user is told."""
    own = canary(user_nook, binary)
    script = ("echo 2 >/proc/sys/vm/memfd_noexec && \"$0\" run --userns host -- echo root-runs;"
              "exec setpriv --reuid=61234 --regid=61234 --clear-groups env XDG_RUNTIME_DIR= \"$1\" run -- echo user-runs")
    result = root_nook.outside("unshare", "-pfm", "--mount-proc", "sh", "-c", script, binary, own, check=False)
    if "memfd_noexec" in result.err and "sh:" in result.err:
        pytest.skip("this kernel has no vm.memfd_noexec")
    assert result.out.split() == ["root-runs"], result
    assert result.status == 125 and "vm.memfd_noexec" in result.err, result
