# SPDX-License-Identifier: Apache-2.0
"""exec: one more program in a running container."""

import os
import signal
import time

import pytest

import machine
from oci import READY, Process, last_error, process, unique

PATH_ENV = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture
def there(oci, bundle):
    """A container that runs."""
    return oci.running(bundle(READY, {"process/env/-": "OF=container"}))


# ---- how it ends ----

@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137),
                                            ("kill -15 $$", 143)])
def test_the_exit_status(there, script, status):
    assert there.exec("sh", "-c", script).status == status


def test_stdio(there):
    result = there.exec("sh", "-c", "cat; echo err >&2", input="some text\n")
    assert (result.status, result.out, result.err) == (0, "some text\n", "err\n")


@pytest.mark.parametrize("program, text", [
    ("/nonexist", "no such file or directory"), ("nonexist", "executable file not found"),
    ("/etc", "permission denied"), ("/etc/passwd", "permission denied")])
def test_programs_that_can_not_be(oci, there, program, text):
    log = os.path.join(oci.scratch(), "log")
    result = oci.cmd("--log", log, "--log-format", "json", "exec", there.id, program)
    assert text in result.failed(255)
    assert text in last_error(log)
    assert there.status == "running"


@pytest.mark.parametrize("program", ["/nonexist", "nonexist", "/etc"])
def test_programs_that_can_not_be_detached(there, program):
    there.exec_process(process([program]), "--detach").failed(255)


def test_in_a_created_container(oci, bundle):
    """runc and crun do that."""
    c = oci.container(bundle(READY))
    c.create().ok()
    assert c.exec("echo", "early").ok() == "early"
    assert c.status == "created"


def test_what_its_filter_forbids_in_a_created_container(oci, bundle):
    """It has not to do with the wait for its start, of which only ordinary users hear."""
    c = oci.created(bundle(READY, {"linux/seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["execve"], "action": "SCMP_ACT_ERRNO"}]}}))
    result = c.exec("true")
    assert result.status == 255 and "ns-entry-denied" not in result.err and "first" not in result.err, result


def test_in_a_stopped_container(oci, bundle):
    c = oci.container(bundle("true"))
    c.create().ok()
    c.start().ok()
    c.until_stopped()
    c.exec("true").failed(255, "stopped")


def test_in_a_paused_container(oci, there):
    there.cmd("pause").ok()
    there.exec("true").failed(255, "paused")
    there.cmd("resume").ok()
    there.exec("true").ok()


def test_signals_are_passed_on(oci, there):
    running = oci.popen("exec", there.id, "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done")
    machine.wait_until(lambda: "ready" in running.out(), what="its start")
    running.signal(signal.SIGTERM)
    assert running.wait() == 9


def test_what_exec_left_ends_with_the_container(oci, there):
    there.exec("sh", "-c", "sleep 1000 >/dev/null 2>&1 &").ok()
    assert len(there.cmd("ps", "--format", "json").json()) == 2
    there.kill("KILL").ok()
    there.wait()
    there.until("stopped")
    there.delete().ok()
    machine.wait_until(lambda: not oci.traces(), what="the end of all")


# ---- where it runs ----

def test_it_is_in_every_namespace(there):
    for kind in ("pid", "net", "ipc", "uts", "mnt", "user", "cgroup"):
        assert there.exec("readlink", f"/proc/self/ns/{kind}").ok() == machine.ns(kind, there.pid), kind


def test_it_is_in_the_cgroup(there):
    assert there.exec("cat", "/proc/self/cgroup").ok() == there.read("/proc/1/cgroup").rstrip("\n")
    assert there.exec("sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!").ok()


def test_it_is_in_the_cgroup_as_the_host_sees_it(oci, there):
    pid_file = os.path.join(oci.scratch(), "pid")
    there.exec("--detach", "--pid-file", pid_file, "--", "sleep", "1000").ok()
    pid = int(machine.read(pid_file))
    assert machine.read(f"/proc/{pid}/cgroup") == machine.read(f"/proc/{there.pid}/cgroup")
    os.kill(pid, signal.SIGKILL)


def test_detach(oci, there):
    pid_file = os.path.join(oci.scratch(), "pid")
    started = oci.popen("exec", "--detach", "--pid-file", pid_file, there.id, "sh", "-c", "echo detached; exit 6")
    assert started.wait() == 0
    program = Process(oci.keeper, int(machine.read(pid_file)))
    assert program.wait() == 6, "the caller is its parent"
    assert started.out() == "detached\n"


def test_a_pid_file_without_detach(oci, there):
    pid_file = os.path.join(oci.scratch(), "pid")
    running = oci.popen("exec", "--pid-file", pid_file, there.id, "sh", "-c", "echo ready; sleep 1000")
    machine.wait_until(lambda: "ready" in running.out() and os.path.exists(pid_file), what="its start")
    os.kill(int(machine.read(pid_file)), signal.SIGKILL)
    assert running.wait() == 137


def test_it_takes_the_containers_settings(oci, bundle):
    c = oci.running(bundle(READY, {"process/oomScoreAdj": 321, "process/user": {"uid": 1000, "gid": 1000,
                                                                                "additionalGids": [5, 2000]},
                                   "process/cwd": "/tmp", "process/env/-": "A=b"}))
    assert c.exec("id").ok() == "uid=1000(app) gid=1000(app) groups=5,1000(app),2000(extra)" or \
        c.exec("id", "-u").ok() == "1000"
    assert c.exec("pwd").ok() == "/tmp"
    assert "A=b" in c.exec("env").lines()
    assert c.exec("cat", "/proc/self/oom_score_adj").ok() == "321"
    assert "NoNewPrivs:\t1" in c.exec("cat", "/proc/self/status").out


def test_it_has_the_rlimits(oci, bundle):
    c = oci.running(bundle(READY, {"process/rlimits": [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}]}))
    assert c.exec("sh", "-c", "ulimit -Sn; ulimit -Hn").ok() == "77\n99"


def test_seccomp_holds_for_it(oci, bundle):
    c = oci.running(bundle(READY, {"linux/seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 123}]}}))
    assert "Seccomp:\t2" in c.exec("cat", "/proc/self/status").out
    assert c.exec("mkdir", "/tmp/x").status != 0


# ---- options ----

@pytest.mark.parametrize("option, user, ids", [
    ("5", (5, 0), "5 0"), ("5:6", (5, 6), "5 6"), ("0:7", (0, 7), "0 7"), ("1000", (1000, 0), None)])
def test_user(there, option, user, ids):
    uid, gid = there.exec("--user", option, "--", "sh", "-c", "echo $(id -u) $(id -g)").ok().split()
    assert int(uid) == user[0]
    if ids and ":" in option:
        assert int(gid) == user[1]


@pytest.mark.parametrize("word", ["nobody-here", "-1", "1:-1", "4294967295", "4294967296", "5:", ":5", "5:6:7", "0x5", "1e3",
                                  " 5", "5 ", "5:x", "99999999999999999999", "+5"])
def test_users_that_can_not_be(there, word):
    result = there.exec(f"--user={word}", "--", "id", "-u")
    assert result.status == 255, f"{result}"
    assert result.err.strip()


def test_cwd_and_env(there):
    assert there.exec("--cwd", "/tmp", "--", "pwd").ok() == "/tmp"
    said = there.exec("-e", "A=1", "-e", "B=2 3", "--", "env").lines()
    assert {"A=1", "B=2 3", "OF=container"} <= set(said)


def test_a_working_directory_that_is_not_there(oci, there):
    result = there.exec("--cwd", "/not/there", "--", "pwd")
    assert result.status == 255 or oci.name != "crun" and result.out == "/not/there\n"


def test_additional_gids(oci, there):
    option = "--additional-gids"
    said = there.exec(option, "17", option, "18", "--", "id", "-G").ok().split() if oci.name == "runc" else None
    if said is not None or oci.is_ours:
        said = said or there.exec(option, "17", option, "18", "--", "id", "-G").ok().split()
        assert {"17", "18"} <= set(said)


def test_cap(oci, there):
    before = int(there.exec("sh", "-c", "grep CapEff /proc/self/status").ok().split()[1], 16)
    assert not before >> 10 & 8
    after = int(there.exec("--cap", "CAP_NET_RAW", "--", "grep", "CapEff", "/proc/self/status").ok().split()[1], 16)
    assert after >> 13 & 1


def test_no_new_privs(oci, bundle):
    c = oci.running(bundle(READY, {"process/noNewPrivileges": False}))
    assert "NoNewPrivs:\t0" in c.exec("cat", "/proc/self/status").out
    assert "NoNewPrivs:\t1" in c.exec("--no-new-privs", "--", "cat", "/proc/self/status").out


def test_options_before_and_after_the_id(oci, there):
    """What follows the id is the program, whatever it looks like."""
    assert oci.cmd("exec", there.id, "echo", "--cwd", "-d", "--", "x").ok() == "--cwd -d -- x"


def test_no_program(oci, there):
    result = oci.cmd("exec", there.id)
    assert result.status != 0
    assert result.err.strip()


# ---- --process ----

def test_a_process_object(there):
    said = there.exec_process(process("echo $(id -u) $(id -g) $(id -G) $(pwd) $A", {
        "user": {"uid": 7, "gid": 8, "additionalGids": [9]}, "cwd": "/tmp", "env": [PATH_ENV, "A=1"]})).ok()
    assert said == "7 8 8 9 /tmp 1"


def test_the_environment_is_the_objects_alone(there):
    said = there.exec_process(process(["env"], {"env": [PATH_ENV, "X=y"]})).lines()
    assert "OF=container" not in said and "X=y" in said


def test_home_is_added(there):
    said = there.exec_process(process(["env"], {"env": [PATH_ENV], "user": {"uid": 1000, "gid": 1000}})).lines()
    assert "HOME=/home/app" in said


def test_its_capabilities(there):
    caps = ["CAP_CHOWN", "CAP_NET_RAW"]
    said = there.exec_process(process(["grep", "Cap", "/proc/self/status"], {
        "capabilities": {kind: caps for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")}})).ok()
    assert said.count("0000000000002001") == 5


def test_its_rlimits(there):
    said = there.exec_process(process("ulimit -Sn; ulimit -Hn", {
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 33, "hard": 44}]})).ok()
    assert said == "33\n44"


def test_its_umask(oci, there):
    said = there.exec_process(process("umask", {"user": {"uid": 0, "gid": 0, "umask": 0o27}})).ok()
    assert said == "0027"


def test_no_capabilities_at_all(there):
    said = there.exec_process(process(["grep", "Cap", "/proc/self/status"], {
        "capabilities": {kind: [] for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")}})).ok()
    assert said.count("0000000000000000") == 5


def test_the_containers_oom_score_adj(oci, bundle):
    """Engines' process objects don't say it, or say it again."""
    c = oci.running(bundle(READY, {"process/oomScoreAdj": 222}))
    assert c.exec_process(process(["cat", "/proc/self/oom_score_adj"])).ok() == "222"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", '{"args": 5}', '{"args": []}', '{"args": ["id"], "cwd": 5}',
                                  '{"args": ["id"], "cwd": "relative"}', '{"args": ["id"], "cwd": "/", "user": {"uid": -1}}',
                                  '{"args": ["id"], "cwd": "/", "user": {"uid": "0"}}'])
def test_wrong_process_objects(oci, there, text):
    result = there.exec_process(text)
    if oci.is_ours or text in ("", "{", "[]", "5"):
        assert result.status == 255, f"{result}"
        assert result.err.strip()
    assert there.status == "running"


def test_a_process_file_that_is_not_there(there, oci):
    oci.cmd("exec", "--process", "/no/such/file", there.id).failed(255 if oci.name != "crun" else 1, "no such file")


def test_as_conmon_calls_it(oci, there):
    """--pid-file --process --detach, with its exit status taken from the orphan."""
    where = oci.scratch()
    result = there.exec_process(process("exit 11"), "--pid-file", f"{where}/pid", "--detach")
    result.ok()
    assert Process(oci.keeper, int(machine.read(f"{where}/pid"))).wait() == 11


def test_six_at_once(oci, there):
    runs = [oci.popen("exec", there.id, "sh", "-c", f"sleep 0.1; echo {number}") for number in range(6)]
    assert [each.result().ok() for each in runs] == [str(number) for number in range(6)]


def test_exec_and_delete_at_once(oci, bundle):
    for _ in range(3):
        c = oci.running(bundle(READY))
        runs = [oci.popen("exec", c.id, "sleep", "1000") for _ in range(3)]
        c.delete("--force").ok()
        assert all(each.wait() != 0 for each in runs)
        machine.wait_until(lambda: not oci.traces(), what=f"the end of {oci.traces()}")


@pytest.mark.parametrize("delay", [0.0003, 0.0007, 0.001, 0.0015, 0.002, 0.003, 0.006, 0.012, 0.025])
def test_exec_killed_at_many_moments(oci, there, delay):
    for _ in range(3):
        running = oci.popen("exec", there.id, "sleep", "1000", stdio=None)
        time.sleep(delay)
        running.signal(signal.SIGKILL)
        running.wait()
    assert there.status == "running"
    assert there.exec("echo", "fine").ok() == "fine"
    there.delete("--force").ok()
    machine.wait_until(lambda: not oci.traces(), what=f"the end of {oci.traces()}")


def test_without_a_pid_namespace(oci, bundle):
    c = oci.running(bundle(READY, {"linux/namespaces": [{"type": kind} for kind in ("network", "ipc", "uts", "mount")]}))
    assert c.exec("echo", "fine").ok() == "fine"


def test_in_a_container_with_a_user_namespace(oci, bundle):
    c = oci.running(bundle(READY, {"linux/namespaces/-": {"type": "user"},
                                   "linux/uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
                                   "linux/gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}]}))
    assert c.exec("--user", "5:6", "--", "sh", "-c", "echo $(id -u) $(id -g)").ok() == "5 6"
    assert c.exec("cat", "/proc/self/uid_map").ok().split() == ["0", "100000", "65536"]


def test_the_name_of_the_container_is_checked(oci, there):
    oci.cmd("exec", unique("no"), "true").failed(255 if oci.name != "crun" else 1)
    assert oci.cmd("exec", "../" + there.id, "true").status != 0
