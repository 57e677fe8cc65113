# SPDX-License-Identifier: Apache-2.0
"""create, start, state, kill, delete, run: what an engine calls, in every order and at every moment."""

import json
import os
import re
import signal
import time

import pytest

import machine
from oci import READY, Process, last_error, log_lines, unique

TRAP = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"


def clear(oci):
    """Nothing of our containers is left; what ends in the background gets a moment."""
    machine.wait_until(lambda: not oci.traces(), 3, f"the end of {oci.traces()}")


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
    assert c.wait() == 137
    c.until("stopped")
    c.delete().ok()
    assert not oci.traces()


def test_commands_that_end_well_print_nothing(oci, bundle):
    c = oci.container(bundle("true"))
    said = [c.create(), c.start()]
    c.wait()
    c.until("stopped")
    said.append(c.delete())
    assert [(result.out, result.err) for result in said] == [("", "")] * 3


def test_the_program_has_not_begun_before_start(oci, bundle):
    b = bundle("echo begun > /tmp/begun", {"root/readonly": False})
    c = oci.container(b)
    c.create().ok()
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
    c.wait()
    c.until("stopped")
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
    c.wait()
    c.until("stopped")
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
    clear(oci)


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
    c.wait()
    c.until("stopped")
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
    clear(oci)
    c.delete("--force").ok()


def test_delete_force_ends_all_processes(oci, bundle):
    """Also those of a container that shares the caller's pid namespace."""
    c = oci.running(bundle("sleep 1000 & sleep 1001 & " + READY,
                           {"linux/namespaces": [{"type": kind} for kind in ("network", "ipc", "uts", "mount")]}))
    c.delete("--force").ok()
    clear(oci)


def test_delete_of_one_whose_orphans_live(oci, bundle):
    """Without a pid namespace of its own, what pid 1 left goes on: delete ends it."""
    c = oci.container(bundle("sleep 1000 & echo ready", {"linux/namespaces": [
        {"type": kind} for kind in ("network", "ipc", "uts", "mount")]}))
    c.create().ok()
    c.start().ok()
    assert c.wait() == 0
    c.until("stopped")
    c.delete("--force").ok()
    clear(oci)


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
        assert c.wait() == 5
        c.until("stopped")
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


# ---- kill ----

@pytest.mark.parametrize("word", ["TERM", "SIGTERM", "15", "term", "sigterm"])
def test_how_a_signal_is_said(oci, bundle, word):
    c = oci.running(bundle(TRAP))
    c.kill(word).ok()
    assert c.wait() == 3


def test_the_default_signal_is_term(oci, bundle):
    c = oci.running(bundle(TRAP))
    oci.cmd("kill", c.id).ok()
    assert c.wait() == 3


@pytest.mark.parametrize("word", ["NOSUCH", "65", "99999", "-1", "9x", "SIG", "4294967305"])
def test_signals_that_are_none(oci, bundle, word):
    c = oci.running(bundle(READY))
    oci.cmd("kill", "--", c.id, word).failed(1)
    assert c.status == "running"


@pytest.mark.parametrize("word", ["RTMIN+3", "37", "SIGRTMIN+3"])
def test_real_time_signals(oci, bundle, word):
    c = oci.running(bundle("trap 'exit 6' 37; echo ready; while :; do sleep 0.05; done"))
    c.kill(word).ok()
    assert c.wait() == 6


def test_kill_of_a_created_one(oci, bundle):
    c = oci.container(bundle(READY))
    c.create().ok()
    c.kill("KILL").ok()
    assert c.wait() == 137
    c.until("stopped")
    c.delete().ok()
    assert not oci.traces()


def test_kill_of_a_stopped_one(oci, bundle):
    """containerd takes one of these texts as 'it is gone'."""
    c = oci.container(bundle("true"))
    c.create().ok()
    c.start().ok()
    c.wait()
    c.until("stopped")
    error = c.kill("KILL").failed(1)
    assert any(text in error for text in ("not running", "no such process", "os: process already finished"))


def test_kill_all_of_a_stopped_one(oci, bundle):
    c = oci.container(bundle("true"))
    c.create().ok()
    c.start().ok()
    c.wait()
    c.until("stopped")
    c.kill("--all", "KILL").ok()


def test_kill_all_reaches_every_process(oci, bundle):
    c = oci.running(bundle("for i in 1 2 3; do (trap 'echo got; exit' USR1; while :; do sleep 0.05; done) & done; sleep 0.2;"
                           "trap 'echo first' USR1; echo ready; while :; do sleep 0.05; done"))
    c.kill("--all", "USR1").ok()
    machine.wait_until(lambda: c.out().count("got") == 3 and "first" in c.out(), what="all signals")


def test_kill_without_all_reaches_the_first_alone(oci, bundle):
    c = oci.running(bundle("(trap 'echo got' USR1; while :; do sleep 0.05; done) & sleep 0.2;"
                           "trap 'echo first' USR1; echo ready; while :; do sleep 0.05; done"))
    c.kill("USR1").ok()
    c.until_said("first")
    time.sleep(0.1)
    assert "got" not in c.out()


def test_kill_of_a_paused_one(oci, bundle):
    c = oci.running(bundle(READY))
    c.cmd("pause").ok()
    c.kill("KILL").ok()
    assert c.wait() == 137
    c.until("stopped")


def test_kill_all_of_a_paused_one(oci, bundle):
    c = oci.running(bundle("sleep 1000 & " + READY))
    c.cmd("pause").ok()
    c.kill("--all", "KILL").ok()
    assert c.wait() == 137


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
        c.wait()
        c.until("stopped")
        c.cmd("pause").failed(1)
    else:
        c.cmd("resume").failed(1)
    assert c.status == moment


# ---- run ----

def test_run(oci, bundle):
    result = oci.run(bundle("echo out; echo err >&2; exit 7"))
    assert (result.status, result.out, result.err) == (7, "out\n", "err\n")
    assert not oci.traces()


def test_run_reads_stdin(oci, bundle):
    assert oci.run(bundle("cat"), input="some text\n").ok() == "some text"


def test_run_of_what_a_signal_ends(oci, bundle):
    c = oci.container(bundle(READY))
    process = c.run_later()
    c.until_said("ready")
    c.kill("KILL").ok()
    assert process.wait() == 137
    assert not oci.traces()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT])
def test_run_passes_signals_on(oci, bundle, number):
    c = oci.container(bundle(f"trap 'exit 9' {number.value}; echo ready; while :; do sleep 0.05; done"))
    process = c.run_later()
    c.until_said("ready")
    process.signal(number)
    assert process.wait() == 9


def test_run_detached(oci, bundle):
    c = oci.container(bundle(READY))
    result = c.run("--detach", "--pid-file", c.pid_file)
    result.ok()
    assert c.status == "running"
    pid = int(machine.read(c.pid_file))
    assert pid == c.state()["pid"]
    c.init = Process(oci.keeper, pid)
    c.kill("KILL").ok()
    assert c.wait() == 137
    c.until("stopped")
    c.delete().ok()
    assert not oci.traces()


def test_run_with_a_pid_file(oci, bundle):
    c = oci.container(bundle(READY))
    process = c.run_later("--pid-file", c.pid_file)
    c.until_said("ready")
    assert int(machine.read(c.pid_file)) == c.state()["pid"]
    c.kill("KILL").ok()
    process.wait()


def test_run_keep(oci, bundle):
    c = oci.container(bundle("exit 4"))
    assert c.run("--keep").status == 4
    assert c.status == "stopped"
    c.delete().ok()
    assert not oci.traces()


def test_run_ends_what_its_program_left(oci, bundle):
    assert oci.run(bundle("sleep 1000 & exit 0")).status == 0
    clear(oci)


def test_delete_force_while_run_waits(oci, bundle):
    c = oci.container(bundle(READY))
    process = c.run_later()
    c.until_said("ready")
    c.delete("--force").ok()
    process.wait()
    clear(oci)


def test_run_killed_with_9(oci, bundle):
    """The container goes on; delete --force ends all."""
    c = oci.container(bundle(READY))
    process = c.run_later()
    c.until_said("ready")
    process.signal(signal.SIGKILL)
    assert process.wait() == 137
    c.delete("--force").ok()
    clear(oci)


# ---- what an engine reads of errors ----

@pytest.mark.parametrize("program, texts", [
    (["/nonexist"], ["no such file or directory"]),
    (["nonexist"], ["executable file not found"]),
    (["/etc"], ["permission denied"]),
    (["/etc/passwd"], ["permission denied"]),
    (["/nodir/prog"], ["no such file or directory"]),
    ([""], []),
])
def test_programs_that_can_not_be(oci, bundle, program, texts):
    """Podman and Docker make 127 and 126 of these texts, in lower case."""
    b = bundle(program)
    c = oci.container(b)
    log = os.path.join(oci.scratch(), "log")
    b.write()
    c.touched = True
    result = oci.cmd("--log", log, "--log-format", "json", "create", "--bundle", b.path, c.id)
    if result.status == 0:  # crun finds out at start
        result = oci.cmd("--log", log, "--log-format", "json", "start", c.id)
    for text in texts:
        if oci.name != "crun" or "/etc" not in program[0]:
            assert text in result.failed(1)
            assert text in last_error(log)
    c.delete("--force").ok()
    assert not oci.traces()


def test_run_of_a_program_that_is_not_there(oci, bundle):
    oci.run(bundle(["/nonexist"])).failed(1, "no such file or directory")
    assert not oci.traces()


def test_a_script_whose_interpreter_is_missing(oci, bundle):
    b = bundle(["/bin/script"])
    b.file("/bin/script", "#!/no/such/sh\n", 0o755)
    oci.run(b).failed(1, "no such file or directory")
    assert not oci.traces()


def test_a_failed_create_leaves_nothing(oci, bundle):
    """The engine calls nothing but delete --force then, and not all do."""
    c = oci.container(bundle("true", {"mounts/-": {"destination": "/mnt", "type": "bind", "source": "/no/such/dir",
                                                   "options": ["bind"]}}))
    c.create().failed(1, "no such file or directory")
    assert not oci.traces()
    c.delete("--force").ok()


def test_the_log_is_appended_to(oci, bundle):
    log = os.path.join(oci.scratch(), "log")
    for _ in range(2):
        oci.cmd("--log", log, "--log-format=json", "state", unique("nobody")).failed(1)
    assert len([line for line in log_lines(log) if line["level"] == "error"]) == 2


def test_the_error_is_on_stderr_too(oci):
    log = os.path.join(oci.scratch(), "log")
    result = oci.cmd("--log", log, "--log-format", "json", "state", "nobody-here")
    assert "does not exist" in result.failed(1)
    assert "does not exist" in last_error(log)


def test_a_text_log(oci):
    log = os.path.join(oci.scratch(), "log")
    oci.cmd("--log", log, "--log-format", "text", "state", "nobody-here").failed(1)
    if oci.name != "crun":
        assert re.search(r'^time="[^"]+" level=error msg="', machine.read(log), re.M)


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
    c.wait()
    c.until("stopped")
    assert c.cmd("ps", "--format", "json").json() in ([], None)


# ---- callers at once ----

def test_two_create_the_same_id(oci, bundle):
    for _ in range(5):
        c = oci.container(bundle(READY))
        c.touched = True
        c.bundle.write()
        words = ["create", "--bundle", c.bundle.path, c.id]
        both = [oci.popen(*words), oci.popen(*words)]
        statuses = sorted(each.result().status for each in both)
        assert statuses == [0, 1], [str(each.result()) for each in both]
        assert c.status == "created"
        c.start().ok()
        c.delete("--force").ok()
        clear(oci)


def test_two_start_the_same(oci, bundle):
    for _ in range(5):
        c = oci.container(bundle("echo ready >> /tmp/started; exec sleep 1000", {"root/readonly": False}))
        c.create().ok()
        both = [oci.popen("start", c.id) for _ in range(2)]
        assert sorted(each.result().status for each in both) == [0, 1]
        machine.wait_until(lambda: os.path.exists(f"{c.bundle.rootfs}/tmp/started"), what="its start")
        assert c.bundle.read("/tmp/started") == "ready\n"
        c.delete("--force").ok()


def test_three_delete_the_same(oci, bundle):
    for _ in range(5):
        c = oci.running(bundle(READY))
        every = [oci.popen("delete", "--force", c.id) for _ in range(3)]
        assert [each.result().status for each in every] == [0, 0, 0], [str(each.result()) for each in every]
        clear(oci)


def test_delete_while_another_starts(oci, bundle):
    for _ in range(5):
        c = oci.container(bundle(READY))
        c.create().ok()
        starter, deleter = oci.popen("start", c.id), oci.popen("delete", "--force", c.id)
        starter.wait()
        assert deleter.result().status == 0, str(deleter.result())
        clear(oci)


def test_many_at_once(oci, bundle):
    made = [oci.container(bundle(f"echo {number}")) for number in range(8)]
    runs = [c.run_later() for c in made]
    assert [each.result(60).ok() for each in runs] == [str(number) for number in range(8)]
    assert not oci.traces()


# ---- what goes wrong outside ----

def test_the_first_process_is_killed_from_outside(oci, bundle):
    c = oci.running(bundle("sleep 1000 & " + READY))
    os.kill(c.pid, signal.SIGKILL)
    assert c.wait() == 137
    c.until("stopped")
    c.delete().ok()
    clear(oci)


def test_the_created_one_is_killed_from_outside(oci, bundle):
    c = oci.container(bundle(READY))
    c.create().ok()
    os.kill(c.pid, signal.SIGKILL)
    c.wait()
    c.until("stopped")
    c.start().failed(1)
    c.delete().ok()
    clear(oci)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_created_one_does_not_mind_signals(oci, bundle, number):
    """kill -TERM of a created container is not lost nor deadly before its start by accident: it dies or it starts."""
    c = oci.container(bundle(READY))
    c.create().ok()
    c.kill(str(number.value)).ok()
    time.sleep(0.05)
    assert c.status in ("created", "stopped")
    c.delete("--force").ok()
    clear(oci)


def test_the_bundle_is_gone(oci, bundle):
    """delete needs neither config.json nor the root file system."""
    c = oci.running(bundle(READY))
    os.rename(c.bundle.path, c.bundle.path + ".away")
    try:
        assert c.status == "running"
        c.kill("KILL").ok()
        c.wait()
        c.until("stopped")
        c.delete().ok()
    finally:
        os.rename(c.bundle.path + ".away", c.bundle.path)
    clear(oci)


def test_config_is_changed_after_create(oci, bundle):
    c = oci.container(bundle("echo first"))
    c.create().ok()
    c.bundle.config["process"]["args"] = ["echo", "second"]
    c.bundle.write()
    c.start().ok()
    assert c.wait() == 0
    assert c.out() == "first\n"


def test_the_callers_directory_is_deleted(oci, bundle):
    """Buildah does that on its failure path."""
    c = oci.container(bundle("true"))
    c.create().ok()
    path = oci.scratch()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    for words in (["state", c.id], ["delete", "--force", c.id]):
        os.makedirs(path, exist_ok=True)
        oci.start(["sh", "-c", script, "sh", path, oci.binary, "--root", oci.root, *words]).result().ok()


def test_an_empty_runtime_directory_variable(oci, bundle):
    """Podman as root sets XDG_RUNTIME_DIR to the empty text, and nothing else."""
    c = oci.container(bundle("true"))
    c.create().ok()
    argv = ["env", "-i", "XDG_RUNTIME_DIR=", oci.binary, "--root", oci.root, "state", c.id]
    assert json.loads(oci.start(argv).result().ok())["status"] == "created"


def test_no_environment_at_all(oci, bundle):
    c = oci.container(bundle("echo fine"))
    c.create().ok()
    oci.start(["env", "-i", oci.binary, "--root", oci.root, "start", c.id]).result().ok()
    assert c.wait() == 0
    assert c.out() == "fine\n"


@pytest.mark.parametrize("delay", [0.0002, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.009, 0.013, 0.02, 0.03])
def test_create_killed_at_many_moments(oci, bundle, delay):
    """One delete --force is enough, from any phase."""
    for _ in range(3):
        c = oci.container(bundle(READY, {"linux/cgroupsPath": f"/{unique('cg')}"}))
        process = c.create(wait=False)
        time.sleep(delay)
        process.signal(signal.SIGKILL)
        process.wait()
        c.delete("--force").ok()
        clear(oci)
        c.create().ok()
        c.delete("--force").ok()
        clear(oci)


@pytest.mark.parametrize("delay", [0.0002, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.015])
@pytest.mark.parametrize("command", ["start", "delete --force"])
def test_other_commands_killed_at_many_moments(oci, bundle, command, delay):
    c = oci.container(bundle(READY))
    c.create().ok()
    process = oci.popen(*command.split(), c.id)
    time.sleep(delay)
    process.signal(signal.SIGKILL)
    process.wait()
    assert oci.cmd("state", c.id).status in (0, 1)
    c.delete("--force").ok()
    clear(oci)


# ---- the record: nook-oci's own ----

def record(oci, c):
    path = os.path.join(oci.root, "containers", c.id)
    return path, json.loads(machine.read(path))


def rewrite(path, data):
    with open(path, "w", encoding="utf-8") as file:
        file.write(data if isinstance(data, str) else json.dumps(data))


@pytest.mark.usefixtures("ours")
def test_after_a_reboot(oci, bundle):
    """Its pids and cgroups are somebody else's then."""
    c = oci.running(bundle(READY))
    c.oci.cmd("pause", c.id).ok()
    c.oci.cmd("resume", c.id).ok()
    path, data = record(oci, c)
    name = next(key for key in data if "boot" in key)
    data[name] = "00000000-0000-4000-8000-000000000000"
    rewrite(path, data)
    assert c.status == "stopped"
    assert c.state().get("pid", 0) == 0
    c.kill("KILL").failed(1, "not running")
    c.start().failed(1)
    c.exec("true").failed(255)
    c.delete().ok()
    assert oci.cmd("list", "-q").ok() == ""
    assert c.init.running, "what has its old pid is left alone"
    c.init.signal(signal.SIGKILL)
    c.wait()
    for where, dirs, _ in os.walk("/sys/fs/cgroup", topdown=False):
        for each in dirs:
            if each == c.id:
                machine.wait_until(lambda path=os.path.join(where, each): _gone(path), what="its cgroup's end")


def _gone(path):
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


@pytest.mark.usefixtures("ours")
def test_a_pid_that_is_another_process_now(oci, bundle):
    c = oci.container(bundle("true"))
    c.create().ok()
    c.start().ok()
    c.wait()
    time.sleep(0.05)  # a later tick than the container's
    other = oci.start(["sleep", "1000"])
    path, data = record(oci, c)
    data["pid"] = other.pid
    rewrite(path, data)
    assert c.status == "stopped"
    c.kill("KILL").failed(1, "not running")
    c.delete("--force").ok()
    assert other.running
    other.signal(signal.SIGKILL)
    other.wait()


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"name": 5}', "\x00" * 100, "[" * 5000])
def test_a_garbled_record(oci, bundle, text):
    """Every command says so; delete --force clears it away."""
    c = oci.container(bundle(READY))
    c.create().ok()
    path, _ = record(oci, c)
    rewrite(path, text)
    for words in (["state", c.id], ["start", c.id], ["kill", c.id, "KILL"], ["delete", c.id]):
        assert oci.cmd(*words).status == 1
    assert oci.cmd("list", "-q").status in (0, 1)
    oci.cmd("delete", "--force", c.id)
    oci.cmd("state", c.id).failed(1, "does not exist")
    os.kill(c.pid, signal.SIGKILL)  # nobody could know of it any more
    c.wait()
    for where, dirs, _ in os.walk("/sys/fs/cgroup", topdown=False):
        for each in dirs:
            if each == c.id:
                machine.wait_until(lambda path=os.path.join(where, each): _gone(path), what="its cgroup's end")
