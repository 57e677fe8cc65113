# SPDX-License-Identifier: Apache-2.0
"""create, start, state, kill, pause, run, delete: what an engine calls, in every order."""

import os
import re
import time

import pytest

import machine
from oci import READY, unique


# ---- create, start, state, kill, delete ----

def test_a_life(oci, bundle):
    c = oci.container(bundle(READY))
    c.create().ok()
    assert c.status == "created"
    assert c.out() == ""
    c.start().ok()
    c.until_said("ready")
    assert c.status == "running"
    c.kill("KILL").ok()
    assert c.until_stopped() == 137
    c.delete().ok()
    assert not oci.traces()


def test_commands_that_end_well_print_nothing(oci, bundle):
    c = oci.container(bundle("true"))
    said = [c.create(), c.start()]
    c.until_stopped()
    said.append(c.delete())
    assert [(result.out, result.err) for result in said] == [("", "")] * 3


def test_the_program_has_not_begun_before_start(oci, bundle):
    b = bundle("echo begun > /tmp/begun", {"root/readonly": False})
    c = oci.created(b)
    time.sleep(0.1)
    assert not os.path.exists(f"{b.rootfs}/tmp/begun")
    c.start().ok()
    assert c.wait() == 0
    assert b.read("/tmp/begun") == "begun\n"


def test_state_of_a_created_container(oci, bundle):
    c = oci.container(bundle("true", {"annotations": {"org.example.a": "1", "b": "two words"}}))
    c.create().ok()
    state = c.state()
    assert re.fullmatch(r"1\.\d+\.\d+(-\w+)?", state["ociVersion"])
    assert state["id"] == c.id
    assert state["pid"] == c.pid == int(machine.read(c.pid_file))
    assert state["status"] == "created"
    assert os.path.realpath(state["bundle"]) == os.path.realpath(c.bundle.path)
    assert {"org.example.a": "1", "b": "two words"}.items() <= state["annotations"].items()
    if oci.name != "crun":
        assert os.path.realpath(state["rootfs"]) == os.path.realpath(c.bundle.rootfs)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", state["created"])


def test_the_time_of_creation_is_now(oci, bundle):
    c = oci.container(bundle("true"))
    before = time.time()
    c.create().ok()
    text = c.state()["created"][:19]
    made = time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert before - 2 <= made <= time.time() + 2


def test_pid_is_0_in_the_state_of_a_stopped_one(oci, bundle):
    c = oci.running(bundle(READY))
    c.kill("KILL").ok()
    c.until_stopped()
    assert c.state().get("pid", 0) == 0


def test_the_pid_file_has_digits_and_nothing_else(oci, bundle):
    c = oci.container(bundle("true"))
    c.create().ok()
    assert re.fullmatch(r"[1-9]\d*", machine.read(c.pid_file))


def test_a_pid_file_is_relative_to_the_callers_directory(oci, bundle):
    c = oci.container(bundle("true"))
    c.touched = True
    c.bundle.write()
    oci.cmd("create", "--bundle", c.bundle.path, "--pid-file", "here.pid", c.id, cwd=oci.scratch()).ok()
    assert machine.read(os.path.join(oci.made[-1], "here.pid")) == str(c.state()["pid"])


def test_the_bundle_is_the_working_directory_when_none_is_said(oci, bundle):
    c = oci.container(bundle("true").write())
    c.touched = True
    oci.cmd("create", c.id, cwd=c.bundle.path).ok()
    state = c.state()
    assert os.path.realpath(state["bundle"]) == os.path.realpath(c.bundle.path)


def test_a_relative_bundle(oci, bundle):
    c = oci.container(bundle("true").write())
    c.touched = True
    oci.cmd("create", "-b", os.path.basename(c.bundle.path), c.id, cwd=os.path.dirname(c.bundle.path)).ok()
    assert os.path.isabs(c.state()["bundle"])
    oci.cmd("start", c.id).ok()


def test_the_first_process_becomes_the_callers_child(oci, bundle):
    """conmon and the shim wait for it."""
    c = oci.container(bundle("exit 42"))
    c.create().ok()
    assert c.pid in machine.children(oci.keeper.pid)
    c.start().ok()
    assert c.wait() == 42


@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 1", 1), ("exit 255", 255), ("kill -9 $$; sleep 9", None)])
def test_the_exit_status_reaches_the_parent(oci, bundle, script, status):
    c = oci.container(bundle(script))
    c.create().ok()
    c.start().ok()
    if status is None:  # a pid 1 does not die of its own signals
        c.kill("KILL").ok()
        status = 137
    assert c.wait() == status


def test_start_twice(oci, bundle):
    c = oci.running(bundle(READY))
    c.start().failed(1)
    assert c.status == "running"


def test_start_of_a_stopped_one(oci, bundle):
    c = oci.container(bundle("true"))
    c.create().ok()
    c.start().ok()
    c.until_stopped()
    c.start().failed(1, "stopped")
    assert c.status == "stopped"


def test_create_twice(oci, bundle):
    c = oci.running(bundle(READY))
    again = oci.cmd("create", "--bundle", c.bundle.path, c.id)
    again.failed(1, "exist")
    assert c.status == "running", "the one that is there is not harmed"
    c.kill("KILL").ok()
    c.wait()
    oci.cmd("create", "--bundle", c.bundle.path, c.id).failed(1, "exist")
    c.delete().ok()


def test_run_of_an_id_in_use(oci, bundle):
    c = oci.running(bundle(READY))
    oci.cmd("run", "--bundle", c.bundle.path, c.id).failed(1, "exist")
    assert c.status == "running"


def test_delete_of_a_created_one(oci, bundle):
    c = oci.container(bundle(READY))
    c.create().ok()
    c.delete().ok()
    assert c.wait() == 137
    oci.until_clear()


def test_delete_of_a_running_one_is_refused(oci, bundle):
    c = oci.running(bundle(READY))
    c.delete().failed(1)
    assert c.status == "running"
    assert c.exec("echo", "alive").ok() == "alive"


def test_delete_of_a_paused_one_is_refused(oci, bundle):
    c = oci.running(bundle(READY))
    c.cmd("pause").ok()
    c.delete().failed(1)
    assert c.status == "paused"
    c.cmd("resume").ok()
    assert c.status == "running"


def test_delete_of_a_stopped_one_is_all(oci, bundle):
    c = oci.container(bundle("true"))
    c.create().ok()
    c.start().ok()
    c.until_stopped()
    c.delete().ok()
    assert not oci.traces()
    c.delete().failed(1, "exist")
    c.delete("--force").ok()


@pytest.mark.parametrize("moment", ["created", "running", "paused", "stopped"])
def test_delete_force(oci, bundle, moment):
    c = oci.container(bundle("sleep 1000 & " + READY))
    c.create().ok()
    if moment != "created":
        c.start().ok()
        c.until_said("ready")
    if moment == "paused":
        c.cmd("pause").ok()
    if moment == "stopped":
        c.kill("KILL").ok()
        c.wait()
    result = c.delete("--force")
    result.ok()
    assert (result.out, result.err) == ("", "")
    assert c.wait() == 137
    oci.until_clear()
    c.delete("--force").ok()


def test_delete_force_ends_all_processes(oci, bundle):
    """Also those of a container that shares the caller's pid namespace."""
    c = oci.running(bundle("sleep 1000 & sleep 1001 & " + READY,
                           {"linux/namespaces": [{"type": kind} for kind in ("network", "ipc", "uts", "mount")]}))
    c.delete("--force").ok()
    oci.until_clear()


def test_delete_of_one_whose_orphans_live(oci, bundle):
    """Without a pid namespace of its own, what pid 1 left goes on: delete ends it."""
    c = oci.container(bundle("sleep 1000 & echo ready", {"linux/namespaces": [
        {"type": kind} for kind in ("network", "ipc", "uts", "mount")]}))
    c.create().ok()
    c.start().ok()
    assert c.until_stopped() == 0
    c.delete("--force").ok()
    oci.until_clear()


@pytest.mark.parametrize("command, status", [
    (["state"], 1), (["start"], 1), (["delete"], 1), (["delete", "--force"], 0), (["kill"], 1), (["pause"], 1),
    (["resume"], 1), (["ps"], 1), (["update", "--pids-limit", "5"], 1)])
def test_an_id_that_nobody_has(oci, command, status):
    result = oci.cmd(*command, unique("nobody"))
    assert result.status == status, f"{result}"
    if status:
        result.failed(status, "does not exist")


def test_exec_in_an_id_that_nobody_has(oci):
    oci.cmd("exec", unique("nobody"), "true").failed(255 if oci.name != "crun" else 1, "does not exist")


@pytest.mark.parametrize("command", ["create", "start", "state", "delete", "kill", "exec", "run", "pause", "resume", "ps"])
def test_no_id_at_all(oci, command):
    result = oci.cmd(command)
    assert result.status != 0
    assert result.err.strip() or result.out.strip()


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/abs", "a b", "a\nb", "x" * 1025, "é", "a\x1bb", "*", "-x"])
def test_ids_that_can_not_be(oci, bundle, name):
    b = bundle("true").write()
    words = ["create", "--bundle", b.path, "--", name] if name.startswith("-") else ["create", "--bundle", b.path, name]
    result = oci.cmd(*words)
    assert result.status == 1, f"{result}"
    assert result.err.strip()
    assert "\x1b" not in result.err
    assert os.listdir(oci.root) == [] or oci.is_ours
    assert oci.cmd("list", "--quiet").out == ""


@pytest.mark.parametrize("name", ["a", "A1", "a.b", "a-b", "a_b", "a+b", "0", "x" * 200])
def test_ids_that_can_be(oci, bundle, name):
    name = f"{unique('id')}.{name}"[-200:] if len(name) > 100 else f"{name}{unique('.')}"
    c = oci.container(bundle("echo fine"), name)
    assert c.run().ok() == "fine"
    c.touched = False


def test_reuse_of_an_id(oci, bundle):
    c = oci.container(bundle("exit 5"))
    for _ in range(3):
        assert c.run().status == 5
        c.create().ok()
        c.start().ok()
        assert c.until_stopped() == 5
        c.delete().ok()
    c.create().ok()
    c.delete("--force").ok()
    assert c.run().status == 5
    assert not oci.traces()


def test_the_same_id_in_two_state_directories(make_oci, bundle):
    one, two = make_oci(), make_oci()
    name = unique("twin")
    first = one.container(bundle(READY, {"linux/cgroupsPath": f"/{unique('cg')}"}), name)
    second = two.container(bundle(READY, {"linux/cgroupsPath": f"/{unique('cg')}"}), name)
    first.create().ok()
    second.create().ok()
    assert first.state()["pid"] != second.state()["pid"]
    first.delete("--force").ok()
    assert second.status == "created"


# ---- pause and resume ----

def test_pause_and_resume(oci, bundle):
    c = oci.running(bundle("echo ready; i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done"))
    c.cmd("pause").ok()
    assert c.status == "paused"
    before = c.out()
    time.sleep(0.15)
    assert c.out() == before
    c.cmd("pause").failed(1)
    c.cmd("resume").ok()
    assert c.status == "running"
    machine.wait_until(lambda: c.out() != before, what="a further line")
    c.cmd("resume").failed(1)


@pytest.mark.parametrize("moment", ["created", "stopped"])
def test_pause_of_one_that_does_not_run(oci, bundle, moment):
    c = oci.container(bundle("true"))
    c.create().ok()
    if moment == "stopped":
        c.start().ok()
        c.until_stopped()
        c.cmd("pause").failed(1)
    else:
        c.cmd("resume").failed(1)
    assert c.status == moment


# ---- list and ps ----

def test_list(oci, bundle):
    assert oci.cmd("list", "--quiet").ok() == ""
    c = oci.running(bundle(READY))
    made = oci.container(bundle("true"))
    made.create().ok()
    assert set(oci.cmd("list", "-q").lines()) == {c.id, made.id}
    rows = {row["id"]: row for row in oci.cmd("list", "--format", "json").json()}
    assert set(rows) == {c.id, made.id}
    assert rows[c.id]["status"] == "running" and rows[c.id]["pid"] == c.pid
    assert rows[made.id]["status"] == "created"
    assert "created" in rows[c.id] and "bundle" in rows[c.id]
    table = oci.cmd("list").lines()
    assert c.id in "".join(table) and "running" in "".join(table)


def test_ps(oci, bundle):
    c = oci.running(bundle("sleep 1000 & " + READY))
    pids = c.cmd("ps", "--format", "json").json()
    assert c.pid in pids and len(pids) == 2
    assert str(c.pid) in c.cmd("ps").ok()


def test_ps_of_a_stopped_one(oci, bundle):
    c = oci.container(bundle("true"))
    c.create().ok()
    c.start().ok()
    c.until_stopped()
    assert c.cmd("ps", "--format", "json").json() in ([], None)
