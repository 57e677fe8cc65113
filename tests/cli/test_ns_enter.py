# SPDX-License-Identifier: Apache-2.0
"""nook ns enter and nook ns can: into namespaces that are there, and a forecast that tells the truth."""

import ctypes
import os
import subprocess

import machine
import nookrun
import pytest

pytestmark = pytest.mark.quick

FLAGS = {"mnt": 0x00020000, "time": 0x00000080, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000,
         "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000}
LINKS = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in machine.KINDS)


@pytest.fixture
def kept(nook):
    """A name with all kinds."""
    name = nookrun.unique("ns")
    nook.cmd("ns", "new", name, "--all", "--hostname", "inside").ok()
    yield name
    nook.cmd("ns", "rm", "--force", name)


@pytest.fixture(autouse=True, scope="module")
def netns_directory():
    machine.prepare_netns(nookrun.unique("prepare"))


def new(nook, name, *kinds):
    nook.cmd("ns", "new", name, *[f"--{kind}" for kind in kinds]).ok()


# ---- where it leads ----

def test_a_container_by_name_and_by_pid(nook):
    with nook.background("echo ready; exec sleep 1000", "--hostname", "box") as one:
        wanted = [machine.ns(kind, one.pid) for kind in machine.KINDS]
        for target in (one.name, one.pid):
            out = nook.cmd("ns", "enter", target, "sh", "-c", f"{LINKS}; uname -n; id -u").lines()
            assert out == wanted + ["box", "0"]


def test_a_path(root_nook):
    with root_nook.background("echo ready; exec sleep 1000", "--hostname", "box") as one:
        path = f"/proc/{one.pid}/ns/uts"
        assert root_nook.cmd("ns", "enter", path, "uname", "-n").ok() == "box"
    root_nook.cmd("ns", "enter", "/etc/passwd", "true").failed(125, "not-a-namespace")
    root_nook.cmd("ns", "enter", "/nowhere/at/all", "true").failed(125, "/nowhere/at/all")


@pytest.mark.parametrize("kinds", [["uts"], ["net", "ipc"], ["pid"], ["mnt", "uts"], ["time", "cgroup"]])
def test_only_some_kinds(root_nook, kinds):
    name = nookrun.unique("ns")
    new(root_nook, name, "mnt", "uts", "ipc", "net", "pid", "cgroup", "time")
    try:
        out = root_nook.cmd("ns", "enter", "--only", ",".join(kinds), name, "sh", "-c", LINKS).lines()
        assert [kind for kind, link in zip(machine.KINDS, out) if link != machine.ns(kind)] == \
            [kind for kind in machine.KINDS if kind in kinds]
    finally:
        root_nook.cmd("ns", "rm", name).ok()


def test_a_kind_that_it_has_not(root_nook):
    name = nookrun.unique("ns")
    new(root_nook, name, "uts")
    try:
        root_nook.cmd("ns", "enter", "--only", "net", name, "true").failed(125, "--only net", "no network namespace")
    finally:
        root_nook.cmd("ns", "rm", name).ok()


def test_ones_own_process_is_no_entry_at_all(nook):
    """All kinds are the caller's already: the command just runs."""
    if nook.is_root:
        assert nook.cmd("ns", "enter", os.getpid(), "sh", "-c", LINKS).lines() == [machine.ns(kind) for kind in machine.KINDS]


def test_namespaces_of_two_owners(root_nook):
    """A clock of the machine's and a user namespace: entering the one first must not lose the other."""
    with root_nook.background("echo ready; exec sleep 1000", "--share", "time,cgroup,uts") as one:
        holder = subprocess.Popen(["unshare", "--time", "--cgroup", "--uts", "--fork", "nsenter", "-t", str(one.pid), "-U", "-S", "0",
                                   "sh", "-c", "echo ready; read end"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert holder.stdout.readline() == "ready\n"
            inner = machine.wait_until(lambda: machine.children(holder.pid), what="its child")[0]
            wanted = [machine.ns(kind, inner) for kind in machine.KINDS]
            assert root_nook.cmd("ns", "enter", inner, "sh", "-c", LINKS).lines() == wanted
        finally:
            holder.communicate("end\n")


# ---- how the command runs ----

def test_status(nook, kept):
    assert nook.cmd("ns", "enter", kept, "sh", "-c", "exit 7").status == 7
    assert nook.cmd("ns", "enter", kept, "sh", "-c", "kill -9 $$").status == 137
    nook.cmd("ns", "enter", kept, "no-such-command-here").failed(127, "no-such-command-here")
    nook.cmd("ns", "enter", kept, "/etc/passwd").failed(126)
    assert nook.cmd("ns", "enter", kept, "--", "echo", "--", "x").ok() == "-- x"
    nook.cmd("ns", "enter").failed(125, "NAME|PID|PATH")


def test_stdin_and_a_session_of_its_own(nook, kept):
    assert nook.cmd("ns", "enter", kept, "cat", input="through").ok() == "through"
    assert nook.cmd("ns", "enter", "--only", "user,uts", kept, "sh", "-c", "ps -o sid= -p $$; echo $$").ok().split()[0] != \
        str(os.getsid(0))


def test_nothing_leaks_into_the_command(nook, kept):
    fds = nook.cmd("ns", "enter", kept, "sh", "-c", "ls /proc/$$/fd /dev/fd 2>/dev/null | sort -u | tr '\\n' ' '").ok()
    assert "3" not in fds.replace("/proc", "").split() or fds.count("3") <= 1


def test_the_directory(nook, kept):
    assert nook.cmd("ns", "enter", kept, "pwd", cwd="/usr").ok() == "/usr"
    assert nook.cmd("ns", "enter", "--cwd", "/var", kept, "pwd").ok() == "/var"
    nook.cmd("ns", "enter", "--cwd", "/nowhere-at-all", kept, "pwd").failed(125, "--cwd", "/nowhere-at-all")


def test_a_directory_that_is_not_there_becomes_the_root(root_nook, busybox_root):
    with root_nook.background("echo ready; exec sleep 1000", "--root", busybox_root(root_nook)) as one:
        assert root_nook.cmd("ns", "enter", one.name, "pwd", cwd="/usr/share").ok() == "/"


def test_user(root_nook):
    name = nookrun.unique("ns")
    new(root_nook, name, "uts")
    try:
        out = root_nook.cmd("ns", "enter", "--user", "nobody", name, "sh", "-c", "id -un; grep CapEff /proc/self/status").lines()
        assert out[0] == "nobody" and out[1].split()[1] == "0" * 16
        assert root_nook.cmd("ns", "enter", "--user", "1234:5678", name, "sh", "-c", "id -u; id -g; id -G").lines() == ["1234", "5678", "5678"]
        root_nook.cmd("ns", "enter", "--user", "nobody-has-this", name, "true").failed(125, "--user")
    finally:
        root_nook.cmd("ns", "rm", name).ok()


def test_the_user_is_looked_up_in_the_entered_files(root_nook):
    script = "echo 'inner:x:777:777::/home/inner:/bin/sh' >>/etc/passwd; echo ready; exec sleep 1000"
    with root_nook.background(script) as one:
        out = root_nook.cmd("ns", "enter", "--user", "inner", one.name, "sh", "-c", "id -u; echo $HOME").lines()
        assert out == ["777", "/home/inner"]


def test_the_environment_goes_along_but_not_into_other_files(root_nook):
    name = nookrun.unique("ns")
    new(root_nook, name, "uts", "mnt")
    try:
        env = {"SECRET_TOKEN": "abc"}
        show = ["sh", "-c", "echo ${SECRET_TOKEN-none}"]
        assert root_nook.cmd("ns", "enter", "--only", "uts", name, *show, env=env).ok() == "abc"
        assert root_nook.cmd("ns", "enter", name, *show, env=env).ok() == "none"
    finally:
        root_nook.cmd("ns", "rm", name).ok()


def test_the_command_ends_with_nook(nook, kept):
    with nook.popen(["ns", "enter", kept, "sleep", "1000"], stdin=subprocess.DEVNULL) as process:
        inside = machine.wait_until(lambda: machine.child_called(process.pid, "sleep"), what="sleep inside")
        process.kill()
        machine.wait_until(lambda: machine.state_of(inside) in (None, "Z"), what="its end")


# ---- can: the forecast against the truth ----

def truth(account, pid, kind):
    """Really tries, in a child of the account's: 'yes', 'own', or the errno's name."""
    import errno
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            account.enter()
            machine.libc.prctl(4, 1, 0, 0, 0)
            try:
                fd = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
                own = os.stat(f"/proc/self/ns/{kind}")
                its = os.fstat(fd)
                if (own.st_ino, own.st_dev) == (its.st_ino, its.st_dev):
                    answer = "own"
                elif machine.libc.setns(fd, FLAGS[kind]) == 0:
                    answer = "yes"
                else:
                    answer = errno.errorcode[ctypes.get_errno()]
            except OSError as error:
                answer = errno.errorcode[error.errno]
            os.write(writer, answer.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        answer = file.read()
    os.waitpid(child, 0)
    return answer


def check_forecast(nook, pid):
    rows = nook.cmd("ns", "can", pid, "--json").json()["namespaces"]
    assert [row["kind"] for row in rows] and len(rows) == 8
    forecast = {row["kind"]: row["errno"] if row["can"] == "no" else row["can"] for row in rows}
    assert forecast == {kind: truth(nook.account, pid, kind) for kind in machine.KINDS}
    for row in rows:
        if row["can"] == "no":
            assert row["why"] and nook.cmd("check", "--explain", row["id"]).ok()
        if row["after_user"]:
            got = nook.cmd("ns", "enter", "--only", f"user,{row['kind']}", pid, "true", timeout=20)
            assert got.status == 0 or "command" in got.err, got
    return forecast


def test_can_of_oneself_and_of_pid_1(nook):
    check_forecast(nook, os.getpid())
    check_forecast(nook, 1)


def test_can_of_a_containers_process(nook):
    with nook.background() as one:
        forecast = check_forecast(nook, one.pid)
    assert forecast["user"] == "yes"


def test_can_of_another_users(root_nook, user_nook, poor_nook):
    with user_nook.background() as users, root_nook.background() as roots:
        assert set(check_forecast(root_nook, users.pid).values()) == {"yes"}
        assert set(check_forecast(poor_nook, users.pid).values()) == {"EACCES"}
        check_forecast(user_nook, roots.pid)
        plain = user_nook.popen(["version"], stdout=subprocess.DEVNULL)
        plain.wait(5)


def test_can_of_a_plain_process_of_ones_own(user_nook):
    """Same user, no namespaces of its own: all is shared, so nothing is to be entered."""
    process = subprocess.Popen(["sleep", "1000"], preexec_fn=user_nook.account.enter)
    try:
        machine.wait_until(lambda: machine.read(f"/proc/{process.pid}/comm") == "sleep\n", what="its start")
        assert set(check_forecast(user_nook, process.pid).values()) == {"own"}
    finally:
        process.kill()
        process.wait()


def test_can_of_an_undumpable_process(user_nook):
    script = "import ctypes, time; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); print('ready', flush=True); time.sleep(1000)"
    process = subprocess.Popen(["/usr/bin/python3", "-c", script], preexec_fn=user_nook.account.enter, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        assert set(check_forecast(user_nook, process.pid).values()) == {"EACCES"}
    finally:
        process.kill()
        process.communicate()


def test_can_of_a_root_without_capabilities(root_nook):
    """Root without CAP_SYS_ADMIN or CAP_SYS_CHROOT, against what setns says to it."""
    name = nookrun.unique("ns")
    new(root_nook, name, "mnt", "uts", "pid")
    try:
        for dropped, kinds in [("sys_admin", ["mnt", "uts", "pid"]), ("sys_chroot", ["mnt"])]:
            out = subprocess.run(["setpriv", f"--bounding-set=-{dropped}", f"--inh-caps=-{dropped}", root_nook.binary,
                                  "ns", "can", name, "--json"], stdout=subprocess.PIPE, text=True, check=True).stdout
            rows = nookrun.Result([], 0, out, "").json()["namespaces"]
            assert [row["kind"] for row in rows if row["can"] == "no"] == [kind for kind in ["mnt", "uts", "pid"] if kind in kinds]
    finally:
        root_nook.cmd("ns", "rm", name).ok()


def test_can_from_inside_a_pid_namespace(root_nook):
    """Nobody leaves a pid namespace upwards: EINVAL, and said beforehand."""
    name = nookrun.unique("ns")
    new(root_nook, name, "pid")
    try:
        outer = os.open("/proc/self/ns/pid", os.O_RDONLY)
        out = root_nook.cmd("ns", "enter", name, root_nook.binary, "ns", "can", f"/proc/{os.getpid()}/fd/{outer}", "--json").json()
        os.close(outer)
        row = out["namespaces"][0]
        assert (row["can"], row["errno"], row["id"]) == ("no", "EINVAL", "pid-namespace-outside")
        failed = root_nook.cmd("ns", "enter", name, root_nook.binary, "ns", "enter", f"/proc/{os.getpid()}/ns/pid", "true")
        failed.failed(125, "pid-namespace-outside")
    finally:
        root_nook.cmd("ns", "rm", name).ok()


def test_a_refused_entry_names_the_cause(user_nook):
    with user_nook.background() as one:
        user_nook.cmd("ns", "enter", "--only", "uts", one.pid, "true").failed(125, "setns", "missing-capability")
    user_nook.cmd("ns", "enter", "1", "true").failed(125, "ns-entry-denied")
