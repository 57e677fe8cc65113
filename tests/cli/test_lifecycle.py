# SPDX-License-Identifier: Apache-2.0
"""Names, ps, exec, kill, rm: a container while it runs, and what is left of it after."""

import os
import signal
import time

import machine
import pytest
from nookrun import unique
from rootfs import write

pytestmark = pytest.mark.quick


# ---- names and ps ----

def test_nothing_runs_nothing_is_listed(user_nook):
    assert len(user_nook.cmd("ps").lines()) <= 1


def test_ps_lists_a_running_container(nook):
    with nook.background() as one:
        row = [line for line in nook.cmd("ps").lines() if one.name in line.split()]
        assert len(row) == 1 and str(one.pid) in row[0].split() and "running" in row[0]
    assert one.name not in nook.cmd("ps").ok()


def test_ps_as_json(nook):
    with nook.background() as one:
        listed = nook.cmd("ps", "--json").json()
        rows = [row for row in listed["containers"] if row["name"] == one.name]
        assert listed["version"] == 1 and len(rows) == 1 and rows[0]["pid"] == one.pid


def test_a_container_without_a_name_gets_one(nook):
    with nook.popen(["run", "--", "sh", "-c", "uname -n; read end"], stdin=-1, stdout=-1, stderr=-1) as process:
        name = process.stdout.readline().strip()
        assert name in nook.cmd("ps").ok()
        process.communicate("\n")


def test_a_name_is_taken_while_it_runs(nook):
    with nook.background() as one:
        nook.run("--name", one.name, "true").failed(125, one.name)
        assert nook.cmd("exec", one.name, "echo", "alive").ok() == "alive"
    nook.run("--name", one.name, "true").ok()


def test_two_that_start_at_once_with_one_name(nook):
    name = unique()
    pipes = {"stdin": -1, "stdout": -1, "stderr": -1}
    started = [nook.popen(["run", "--name", name, "--", "sh", "-c", "echo got; read end"], **pipes) for _ in range(6)]
    time.sleep(0.5)
    ends = [process.communicate("\n", timeout=20 * machine.PATIENCE) for process in started]
    assert [out for out, _ in ends].count("got\n") == 1
    assert sorted(process.returncode for process in started) == [0] + [125] * 5 or sorted(
        process.returncode for process in started)[1:] == [125] * 5


def test_the_name_of_a_killed_run_can_be_used_again(nook):
    with nook.background() as one:
        one.process.kill()
        one.wait()
    assert nook.run("--name", one.name, "echo", "again").ok() == "again"


@pytest.mark.parametrize("name", ["", ".", "..", "-x", "a/b", "../x", "a b", "ü", "x" * 256, "a\nb", ".hidden", "+x"])
@pytest.mark.parametrize("command", ["run", "exec", "kill", "rm"])
def test_a_bad_name_is_refused(user_nook, command, name):
    words = {"run": ["--name", name, "true"], "exec": ["--", name, "true"], "kill": ["--", name], "rm": ["--", name]}
    user_nook.cmd(command, *words[command]).failed(125)


def test_a_long_name(nook):
    name = unique("n" * 150)
    assert nook.run("--name", name, "--hostname", "x", "echo", "ok").ok() == "ok"


def test_users_do_not_see_each_others_containers(root_nook, user_nook):
    with root_nook.background() as one:
        assert one.name not in user_nook.cmd("ps").ok()
        user_nook.cmd("exec", one.name, "true").failed(125, one.name)
        user_nook.cmd("kill", one.name).failed(125, one.name)


# ---- exec ----

def test_exec_joins_every_namespace(nook):
    with nook.background() as one:
        script = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in machine.KINDS)
        assert nook.cmd("exec", one.name, "sh", "-c", script).lines() == [
            machine.ns(kind, one.pid) for kind in machine.KINDS]


def test_exec_of_one_who_has_no_range(poor_nook):
    with poor_nook.background() as one:
        assert poor_nook.cmd("exec", one.name, "sh", "-c", "id -u; readlink /proc/self/ns/user").lines() == [
            "0", machine.ns("user", one.pid)]


def test_exec_joins_what_is_shared_and_what_is_moved(root_nook):
    with root_nook.background("echo ready; exec sleep 1000", "--share", "net,uts", "--boottime", "100000") as one:
        out = root_nook.cmd("exec", one.name, "sh", "-c", "readlink /proc/self/ns/net; cut -d. -f1 /proc/uptime").lines()
        assert out[0] == machine.ns("net") and int(out[1]) > 100000


def test_exec_sees_the_containers_files_and_processes(nook):
    with nook.background("echo mine >/etc/mine; echo ready; exec sleep 4321") as one:
        assert nook.cmd("exec", one.name, "cat", "/etc/mine").ok() == "mine"
        assert "sleep 4321" in nook.cmd("exec", one.name, "ps", "-eo", "args").ok()


def test_exec_is_in_the_containers_cgroup(nook):
    with nook.background() as one:
        with nook.popen(["exec", one.name, "sh", "-c", "echo ready; read end"], stdin=-1, stdout=-1, stderr=-1) as process:
            process.stdout.readline()
            [inside] = [pid for pid in machine.descendants(process.pid) if not machine.children(pid)]
            assert machine.read(f"/proc/{inside}/cgroup") == machine.read(f"/proc/{one.pid}/cgroup")
            process.communicate("\n")


@pytest.mark.parametrize("key", ["Uid", "Gid", "CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb", "NoNewPrivs", "Seccomp",
                                 "Seccomp_filters", "SigBlk", "SigIgn"])
def test_exec_has_the_containers_credentials(nook, key):
    options = ["--cap-drop", "chown", "--no-init"]
    with nook.background("cat /proc/self/status; echo .; exec sleep 1000", *options) as one:
        first = [one.first]
        while first[-1] != ".":
            first.append(one.line())
        inside = nook.cmd("exec", one.name, "cat", "/proc/self/status").lines()
        assert [line for line in inside if line.startswith(f"{key}:")] == [line for line in first if line.startswith(f"{key}:")]


def test_exec_exit_status(nook):
    with nook.background() as one:
        for status in (0, 7, 125, 255):
            assert nook.cmd("exec", one.name, "sh", "-c", f"exit {status}").status == status
        assert nook.cmd("exec", one.name, "sh", "-c", "kill -9 $$").status == 137


def test_exec_of_what_cannot_be_run(nook):
    with nook.background() as one:
        nook.cmd("exec", one.name, "no-such-command").failed(127, "no-such-command")
        nook.cmd("exec", one.name, "/etc/passwd").failed(126, "/etc/passwd")


def test_exec_environment(nook):
    with nook.background("echo ready; exec sleep 1000", "--env", "A=1", "--env", "B=2") as one:
        out = nook.cmd("exec", "--env", "B=3", "--env", "C=4", one.name, "sh", "-c", "echo $A $B $C $MINE", env={"MINE": "no"})
        assert out.ok() == "1 3 4"


def test_exec_directory_and_user(nook):
    with nook.background("echo ready; exec sleep 1000", "--cwd", "/usr") as one:
        assert nook.cmd("exec", one.name, "pwd").ok() == "/usr"
        assert nook.cmd("exec", "--cwd", "/etc", one.name, "pwd").ok() == "/etc"
        assert nook.cmd("exec", "--user", "33:34", one.name, "sh", "-c", "id -u; id -g").lines() == ["33", "34"]
        nook.cmd("exec", "--cwd", "/no/such", one.name, "pwd").failed(125, "/no/such")


def test_exec_streams(nook):
    with nook.background() as one:
        result = nook.cmd("exec", one.name, "sh", "-c", "cat; echo bad >&2", input="through\n")
        assert (result.ok(), result.err) == ("through", "bad\n")


def test_exec_leaks_no_descriptor(nook):
    with nook.background() as one:
        assert nook.cmd("exec", one.name, "ls", "/proc/self/fd").ok().split() == ["0", "1", "2", "3"]


def test_exec_ends_with_its_caller(nook):
    with nook.background() as one:
        with nook.popen(["exec", one.name, "sh", "-c", "echo ready; exec sleep 777"], stdin=-1, stdout=-1, stderr=-1) as process:
            process.stdout.readline()
            process.kill()
        machine.wait_until(lambda: "sleep 777" not in nook.cmd("exec", one.name, "ps", "-eo", "args").ok(),
                           what="the end of the program")


def test_exec_ends_with_the_container(nook):
    with nook.background() as one:
        with nook.popen(["exec", one.name, "sh", "-c", "echo ready; exec sleep 1000"], stdin=-1, stdout=-1, stderr=-1) as process:
            process.stdout.readline()
            one.process.terminate()
            assert process.wait(5 * machine.PATIENCE) == 137 or process.returncode == -9


def test_exec_of_a_container_that_is_not_there(nook):
    nook.cmd("exec", "no-such-container", "true").failed(125, "no-such-container")


def test_exec_without_a_command(nook):
    nook.cmd("exec").failed(125)


# ---- kill ----

def test_kill_ends_it(nook):
    with nook.background() as one:
        nook.cmd("kill", one.name).ok()
        assert one.wait() in (128 + signal.SIGTERM, 128 + signal.SIGKILL)


@pytest.mark.parametrize("word", ["KILL", "SIGKILL", "9", "kill"])
def test_kill_with_a_signal(nook, word):
    with nook.background() as one:
        nook.cmd("kill", "--signal", word, one.name).ok()
        assert one.wait() == 137


def test_kill_reaches_the_program(nook):
    with nook.background("trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.05; done") as one:
        nook.cmd("kill", "--signal", "USR1", one.name).ok()
        assert (one.line(), one.wait()) == ("got", 3)


@pytest.mark.parametrize("word", ["WRONG", "0", "65", "-1", ""])
def test_kill_with_a_bad_signal(nook, word):
    with nook.background() as one:
        nook.cmd("kill", "--signal", word, one.name).failed(125)
        assert one.process.poll() is None


def test_kill_of_what_is_not_there(nook):
    nook.cmd("kill", "no-such-container").failed(125, "no-such-container")


# ---- rm ----

def test_rm_of_a_running_one_is_refused(nook):
    with nook.background() as one:
        nook.cmd("rm", one.name).failed(125, one.name)
        assert one.process.poll() is None


def test_rm_by_force(nook):
    with nook.background() as one:
        nook.cmd("rm", "--force", one.name).ok()
        assert one.wait() != 0
    assert one.name not in nook.cmd("ps").ok()


def test_rm_of_what_a_killed_run_left(nook):
    with nook.background() as one:
        one.process.kill()
        one.wait()
    nook.cmd("rm", one.name).ok()
    nook.cmd("rm", one.name).failed(125, one.name)


def test_rm_of_what_is_not_there(nook):
    nook.cmd("rm", "no-such-container").failed(125, "no-such-container")


def test_rm_by_force_may_be_repeated(nook):
    """For scripts that tidy up: what isn't there is what they want."""
    assert nook.cmd("rm", "--force", "no-such-container").ok() == ""


def test_the_record_is_the_owners_alone(nook):
    with nook.background():
        for where, _, _ in os.walk(nook.state_dir):
            if where != nook.state_dir:
                assert os.stat(where).st_mode & 0o077 == 0, where
        assert os.stat(nook.state_dir).st_mode & 0o022 == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": 3}', "\0" * 100, "x" * 100000])
def test_a_spoilt_record_harms_nobody(user_nook, text):
    """State is input too: it may be cut by a full disk, or another's."""
    with user_nook.background() as one, user_nook.background() as other:
        record = f"{user_nook.state_dir}/containers/{one.name}"
        good = machine.read(record)
        write(record, text)
        listed = user_nook.cmd("ps")
        assert other.name in listed.out and listed.status in (0, 125)
        user_nook.cmd("exec", one.name, "true").failed(125, one.name)
        write(record, good)
