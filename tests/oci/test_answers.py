# SPDX-License-Identifier: Apache-2.0
"""What commands answer of containers that are there: state, list, ps, events, errors in the log."""

import json
import os
import re
import time

import machine
import oci as harness
import pytest

STATE = {"ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "owner"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


@pytest.fixture
def two(oci, bundle):
    """One that is created, with annotations, and one that runs."""
    created = oci.container(bundle("true", {"annotations": {"org.example.a": 'x"\\\n\x1b', "b": ""}}))
    created.create().ok()
    # a path has a cgroup in every hierarchy, which count
    return created, oci.running(bundle(harness.READY, {"linux/cgroupsPath": "/" + harness.unique("group")}))


def test_state(two, ours):
    created, running = two
    state = created.state()
    assert set(state) == STATE | {"annotations"}
    assert state["annotations"] == {"org.example.a": 'x"\\\n\x1b', "b": ""}
    assert TIME.fullmatch(state["created"])
    assert (state["pid"], state["status"]) == (created.pid, "created")
    assert state["rootfs"] == created.bundle.rootfs and state["bundle"] == created.bundle.path
    assert set(running.state()) == STATE


def test_state_is_for_people_too(two, ours):
    """A member a line, as runc prints it."""
    assert '\n  "id": "' in two[0].oci.cmd("state", two[0].id).out


def test_list_as_json(oci, two, ours):
    """One line, for programs."""
    result = oci.cmd("list", "--format", "json")
    assert len(result.lines()) == 1
    listed = {each["id"]: each for each in result.json()}
    assert set(listed) == {each.id for each in two}
    for each in two:
        state = each.state()
        assert listed[each.id].pop("owner") == "root" and state.pop("owner") == ""
        assert listed[each.id] == state


def test_list_as_a_table(oci, two, ours):
    head, *rows = oci.cmd("list").lines()
    assert head.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    at = [head.index(title) for title in head.split()]
    assert len(rows) == 2
    for each in two:
        row = next(row for row in rows if row.startswith(each.id + " "))
        cells = [row[begin:end].strip() for begin, end in zip(at, at[1:] + [None])]
        state = each.state()
        assert cells == [each.id, str(each.pid), state["status"], each.bundle.path, state["created"], "root"]
    assert sorted(oci.cmd("list", "-q").lines()) == sorted(each.id for each in two)


def test_a_record_that_can_not_be_read_hides_no_other(oci, two, ours):
    file, = [path for path in harness.state_files(oci.root, two[0].id) if "/containers/" in path]
    old = machine.read(file)
    with open(file, "w", encoding="utf-8") as out:
        out.write("{")
    for words in (["list"], ["list", "--format=json"]):
        result = oci.cmd(*words)
        assert result.status == 1 and two[1].id in result.out and two[0].id in result.err, result
    assert set(oci.cmd("list", "-q").out.split()) == {each.id for each in two}
    with open(file, "w", encoding="utf-8") as out:
        out.write(old)


def test_ps_as_json_and_as_a_table(oci, two):
    running = two[1]
    assert oci.cmd("ps", "--format", "json", running.id).json() == [running.pid]
    if oci.name == "crun":
        return  # prints pids alone
    head, row = oci.cmd("ps", running.id).lines()
    assert head.split()[:2] == ["UID", "PID"] and row.split()[1] == str(running.pid)


def test_ps_takes_words_of_ps(oci, two, ours):
    running = two[1]
    assert [line.split() for line in oci.cmd("ps", running.id, "-eo", "comm,pid").lines()] == [
        ["COMMAND", "PID"], ["sleep", str(running.pid)]]
    oci.cmd("ps", running.id, "-eo", "comm").failed(1, "no column PID")
    oci.cmd("ps", running.id, "--nonsense").failed(1, "ps failed")
    oci.cmd("ps", running.id, env={"PATH": "/nonexist"}).failed(1, "ps failed", "install")


@pytest.mark.parametrize("command, status", [("kill", 0), ("delete", 0)])
def test_by_a_regular_expression(oci, bundle, ours, command, status):
    """crun's --regex."""
    group = [oci.container(bundle("exec sleep 1000"), harness.unique("group")) for _ in range(2)]
    other = oci.container(bundle("exec sleep 1000"), harness.unique("other"))
    for each in [*group, other]:
        each.create().ok()
        each.start().ok()
    pattern = "^group-[0-9]+-"
    if command == "kill":
        oci.cmd("kill", "--regex", pattern, "KILL").ok()
        for each in group:
            assert each.wait() == 137
    else:
        oci.cmd("delete", "--regex", "--force", pattern).ok()
        assert oci.cmd("list", "-q").lines() == [other.id]
    assert other.status == "running"
    oci.cmd(command, "--regex", "(", *(["KILL"] if command == "kill" else [])).failed(1, "regular expression")
    oci.cmd(command, "--regex", "^nobody").ok()


def test_regex_tells_each_failure(oci, two, ours):
    """A running one can't be deleted without --force; the other is."""
    result = oci.cmd("delete", "--regex", ".")
    result.failed(1, two[1].id)
    assert oci.cmd("list", "-q").lines() == [two[1].id]


# ---- update ----

@pytest.mark.parametrize("words, text", [
    (["--l3-cache-schema", "L3:0=f"], "intelRdt"), (["--mem-bw-schema", "MB:0=50"], "intelRdt"),
    (["--cpuset-cpus", "x"], "--cpuset-cpus"), (["--memory", "1e9"], "--memory 1e9"),
])
def test_an_update_that_can_not_be(oci, two, ours, words, text):
    oci.cmd("update", *words, two[1].id).failed(1, text)


def test_update(oci, two):
    """Options may follow the id, sizes may have a suffix, and what isn't said stays."""
    c = two[1]
    path = c.cgroup("memory")
    if not path:
        pytest.skip("looks at cgroup v1")
    oci.cmd("update", c.id, "--memory", "64m", "--pids-limit=20").ok()
    assert machine.read(f"{path}/memory.limit_in_bytes").strip() == str(64 << 20)
    oci.cmd("update", "--resources", "-", c.id, input='{"pids": {"limit": 30}}').ok()
    assert machine.read(f"{path}/memory.limit_in_bytes").strip() == str(64 << 20)
    assert machine.read(c.cgroup("pids") + "/pids.max").strip() == "30"
    if oci.is_ours:
        oci.cmd("update", "-r=-", "--cpu-share", "512", c.id, input='{"pids": {"limit": 40}}').ok()
        assert machine.read(c.cgroup("pids") + "/pids.max").strip() == "40"
        assert machine.read(c.cgroup("cpu") + "/cpu.shares").strip() == "512"


# ---- what engines look for ----

@pytest.mark.parametrize("program, text", [
    (["/nonexist"], 'exec: "/nonexist": stat /nonexist: no such file or directory'),
    (["nonexist"], 'exec: "nonexist": executable file not found in $PATH'),
    (["/etc"], 'exec: "/etc": '),
    (["/plain"], 'exec: "/plain": permission denied'),
])
def test_the_words_of_a_failed_create(oci, bundle, program, text):
    """Podman and Docker make 126 and 127 of them; containerd takes the last error of the log."""
    if oci.name == "crun" or (oci.name == "runc" and program == ["/etc"]):
        pytest.skip("says it otherwise")
    log = os.path.join(oci.scratch(), "log")
    b = bundle(program)
    b.file("plain", "", 0o644)
    c = oci.container(b)
    oci.flags = ["--log", log, "--log-format", "json"]
    said = c.create().failed(1, text)
    assert text in harness.last_error(log)
    if oci.is_ours:
        assert said.rstrip("\n") == harness.last_error(log)
    oci.flags = []


def test_kill_of_what_has_ended(oci, bundle):
    """containerd takes it as gone."""
    c = oci.running(bundle("echo ready"))
    c.wait()
    c.kill("9").failed(1, "container not running" if oci.name != "crun" else "")
    c.delete().ok()
    c.kill("9").failed(1, "does not exist" if oci.name != "crun" else "")


def test_the_place_of_what_is_wrong(oci, bundle, ours):
    log = os.path.join(oci.scratch(), "log")
    c = oci.container(bundle("true", {"linux/resources/memory": {"limit": "much"}}))
    oci.flags = ["--log", log, "--log-format", "json"]
    c.create().failed(1, "/linux/resources/memory/limit")
    assert "/linux/resources/memory/limit" in harness.last_error(log)


def test_warnings_go_to_the_log_alone(oci, bundle, ours):
    """Capabilities that nobody can have here."""
    log = os.path.join(oci.scratch(), "log")
    everything = oci.cmd("features").json()["linux"]["capabilities"]
    c = oci.container(bundle("true", {"process/capabilities": {name: everything for name in ("bounding", "effective", "permitted")}}))
    oci.prefix = ["setpriv", "--bounding-set=-mknod,-audit_write"]
    oci.flags = ["--log", log, "--log-format", "json"]
    assert c.run().err == ""
    warnings = [line["msg"] for line in harness.log_lines(log) if line["level"] == "warning"]
    assert len(warnings) == 1 and "mknod" in warnings[0] and "audit_write" in warnings[0]
    oci.prefix, oci.flags = [], []


def test_debug_logs_each_step(oci, bundle, ours):
    log = os.path.join(oci.scratch(), "log")
    oci.flags = ["--debug", "--log", log, "--log-format", "json"]
    oci.run(bundle("true")).ok()
    oci.flags = []
    steps = [line["msg"] for line in harness.log_lines(log) if line["level"] == "debug"]
    assert any(line.startswith("outside clone_stage: clone3(") for line in steps)
    assert any(line.startswith("inside pivot: ") for line in steps)


# ---- events ----

def test_events_stats(oci, two):
    running = two[1]
    if oci.name == "crun":
        pytest.skip("crun has no events")
    lines = oci.cmd("events", "--stats", running.id).lines()
    assert len(lines) == 1
    event = json.loads(lines[0])
    assert event["type"] == "stats" and event["id"] == running.id
    assert event["data"]["pids"]["current"] == 1
    assert event["data"]["cpu"]["usage"]["total"] > 0


def test_events_until_it_ends(oci, two):
    running = two[1]
    if oci.name == "crun":
        pytest.skip("crun has no events")
    process = oci.popen("events", "--interval", "50ms", running.id)
    machine.wait_until(lambda: process.out().count("\n") >= 3, 10, "three lines of events")
    running.kill("KILL").ok()
    assert process.wait() == 0
    for line in process.out().splitlines():
        event = json.loads(line)
        assert (event["type"], event["id"]) == ("stats", running.id)


def test_events_of_a_stopped_one(oci, bundle, ours):
    c = oci.running(bundle("echo ready"))
    c.wait()
    c.cmd("events", "--stats").failed(1, "not running")
    c.cmd("events").failed(1, "not running")


def test_events_interval(oci, two, ours):
    begin = time.monotonic()
    process = oci.popen("events", "--interval", "400ms", two[1].id)
    machine.wait_until(lambda: process.out().count("\n") >= 2, 10, "two lines of events")
    assert time.monotonic() - begin >= 0.8
    two[1].kill("KILL").ok()
    assert process.wait() == 0


# ---- rare bundles ----

def test_a_bundle_without_a_process(oci, bundle):
    """create may do without; run and start may not."""
    b = bundle("true", {"process": harness.DELETE})
    c = oci.container(b)
    c.run().failed(1, "process")
    assert not oci.traces()


def test_start_of_a_bundle_without_a_process(oci, bundle, ours):
    c = oci.container(bundle("true", {"process": harness.DELETE}))
    c.create().ok()
    c.start().failed(1, "/process")
    c.delete("--force").ok()
    assert not oci.traces()


@pytest.mark.parametrize("hooks", [None, "prestart", "createRuntime", "createContainer"])
def test_a_root_that_is_a_symlink(oci, bundle, hooks):
    """Hooks that look for the root's place find it there, too."""
    b = bundle("echo fine")
    os.rename(b.rootfs, f"{b.path}/elsewhere")
    os.symlink("elsewhere", b.rootfs)
    if hooks:
        b.edit({f"hooks/{hooks}": [{"path": "/bin/true"}]})
    assert oci.run(b).ok() == "fine"
