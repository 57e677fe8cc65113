# SPDX-License-Identifier: Apache-2.0
"""Hooks that fail, take too long or are interrupted: what becomes of the container."""

import os
import signal
import time

import pytest

import machine
from hooks import CREATE, START, sh


# ---- when one fails ----

FAILURES = [("exit 7", ["status 7"]), ("kill -TERM $$", ["signal 15"])]


@pytest.mark.parametrize("script,texts", FAILURES)
@pytest.mark.parametrize("kind", CREATE)
def test_one_fails_in_create(oci, ours, logged, kind, script, texts):
    b, log = logged("echo program >>/tmp/log")
    log.add(kind, script).add(kind, "echo after")
    c = oci.container(b)
    c.create().failed(1, f"/hooks/{kind}/0", "/bin/sh", *texts)
    oci.until_clear()
    c.delete("--force").ok()
    assert log.text() == ""


@pytest.mark.parametrize("kind", CREATE + ["startContainer"])
def test_one_fails_in_run(oci, logged, kind):
    b, log = logged("echo program >>/tmp/log")
    log.add(kind, "exit 7").add(kind, "echo after")
    assert oci.run(b).status == 1
    oci.until_clear()
    assert log.text() == ""


@pytest.mark.parametrize("kind", CREATE)
def test_poststop_follows_a_failure(oci, logged, kind):
    """runtime.md, "Lifecycle": a hook that fails leads to the steps of delete."""
    b, log = logged()
    log.add(kind, "exit 7").add("poststop", "cat >/dev/null; echo poststop")
    c = oci.container(b)
    assert c.create().status == 1
    c.delete("--force")
    assert log.lines() == ["poststop"]


def test_start_container_fails(oci, logged):
    b, log = logged("echo program >>/tmp/log")
    log.add("startContainer", "exit 7")
    c = oci.created(b)
    c.start().failed(1)
    c.until_stopped()
    c.delete().ok()
    assert log.text() == ""


def test_poststart_fails(oci, logged):
    b, log = logged()
    log.add("poststart", "exit 7").add("poststart", "echo after")
    c = oci.created(b)
    c.start().failed(1, "/bin/sh", "status 7")
    assert c.until_stopped() == 137
    c.delete().ok()
    assert log.text() == ""


def test_poststop_fails(oci, ours, logged):
    b, log = logged("true")
    log.add("poststop", "echo 1; exit 7").add("poststop", "echo 2; kill -9 $$").add("poststop", "echo 3")
    c = oci.created(b)
    c.start().ok()
    c.until_stopped()
    said = c.delete()
    said.ok()
    assert "status 7" in said.err and "signal 9" in said.err
    assert "warning" in said.err
    assert log.lines() == ["1", "2", "3"]
    assert not oci.traces()


def test_poststop_of_a_forced_delete(oci, logged):
    b, log = logged()
    log.add("poststop", "cat >/dev/null; echo poststop")
    c = oci.running(b)
    c.delete("--force").ok()
    assert log.lines() == ["poststop"]


def test_poststop_of_a_created_one(oci, logged):
    b, log = logged()
    log.add("poststop", "cat >/dev/null; echo poststop")
    c = oci.created(b)
    c.delete("--force").ok()
    assert log.lines() == ["poststop"]


@pytest.mark.parametrize("hook,texts", [
    ({"path": "/nonexistent/hook"}, ["/nonexistent/hook", "no such file or directory"]),
    ({"path": "/etc/passwd"}, ["/etc/passwd", "permission denied"]),
    ({"path": "/etc"}, ["/etc", "permission denied"]),
])
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_one_that_can_not_be(oci, bundle, kind, hook, texts):
    b = bundle("true", {f"hooks/{kind}": [hook]})
    oci.container(b).create().failed(1, *texts)
    oci.until_clear()


@pytest.mark.parametrize("hook", [
    {"path": "relative"}, {"path": ""}, {}, {"path": "/bin/true", "args": "x"}, {"path": "/bin/true", "env": [1]},
    {"path": "/bin/true", "timeout": -1}, {"path": "/bin/true", "timeout": 0}, {"path": "/bin/true", "timeout": "1"},
    "/bin/true",
])
def test_wrong_ones(oci, ours, bundle, hook):
    b = bundle("true", {"hooks/poststop": [hook]})
    oci.container(b).create().failed(1, "/hooks/poststop/0")
    oci.until_clear()


# ---- time ----

@pytest.mark.parametrize("kind", CREATE)
def test_timeout_of_create(oci, logged, kind):
    b, log = logged()
    log.add(kind, "sleep 1000 & echo $!; wait", timeout=1)
    begin = time.monotonic()
    c = oci.container(b)
    assert c.create().status == 1
    assert time.monotonic() - begin < 10 * machine.PATIENCE
    c.delete("--force")
    oci.until_clear()


def test_timeout_is_told(oci, ours, bundle):
    b = bundle("true", {"hooks/prestart": [sh("sleep 1000", timeout=1)]})
    oci.container(b).create().failed(1, "/hooks/prestart/0", "did not end within 1 s")


@pytest.mark.parametrize("kind", START)
def test_timeout_of_start(oci, logged, kind):
    b, log = logged("echo ready; sleep 1000")
    log.add(kind, "trap '' TERM; sleep 1000", timeout=1)
    c = oci.created(b)
    c.start().failed(1)
    c.until_stopped()
    c.delete().ok()


def test_timeout_of_poststop(oci, logged):
    b, log = logged("true")
    log.add("poststop", "sleep 1000", timeout=1).add("poststop", "echo after")
    oci.run(b)
    assert log.lines() == ["after"]
    machine.wait_until(lambda: not oci.traces(), what=f"the end of {oci.traces()}")


def test_what_a_hook_leaves_running(oci, ours, logged):
    """A daemon that a hook starts is not waited for, though it has our stdout."""
    b, log = logged("true")
    b.edit({"hooks/createRuntime": [sh(f"setsid sleep 1000 & echo $! >{log.path}", timeout=10)]})
    begin = time.monotonic()
    try:
        oci.run(b).ok()
        assert time.monotonic() - begin < 8 * machine.PATIENCE
    finally:
        os.kill(int(log.text()), signal.SIGKILL)


# ---- the runtime's end ----


@pytest.mark.parametrize("kind", CREATE)
@pytest.mark.parametrize("command", ["create", "run"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupted(oci, ours, logged, kind, command, number):
    b, log = logged("true")
    log.add(kind, "echo started 1; exec sleep 1000")
    c = oci.container(b)
    runtime = c.create(wait=False) if command == "create" else c.run_later()
    log.until_begun()
    runtime.signal(number)
    assert runtime.result().status == 1
    oci.until_clear()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("kind", ["poststart", "poststop"])
def test_a_run_interrupted_late(oci, ours, logged, kind, number):
    b, log = logged("exec sleep 1000" if kind == "poststart" else "true")
    log.add(kind, "echo started; exec sleep 1000").add(kind, "echo next")
    runtime = oci.container(b).run_later()
    log.until_begun()
    runtime.signal(number)
    result = runtime.result()
    oci.until_clear()
    assert "interrupted" in result.err
    assert result.status == (1 if kind == "poststart" else 128 + number)  # all is done, and then it has its way


@pytest.mark.parametrize("kind", CREATE)
def test_killed(oci, ours, logged, kind):
    b, log = logged("true")
    log.add(kind, "echo started; exec sleep 1000")
    c = oci.container(b)
    runtime = c.create(wait=False)
    log.until_begun()
    runtime.signal(signal.SIGKILL)
    runtime.wait()
    machine.wait_until(lambda: not machine.descendants(oci.keeper.pid) or
                       all(machine.state_of(pid) in (None, "Z") for pid in machine.descendants(oci.keeper.pid)), 5,
                       "the end of the hook and of the first process")
    c.delete("--force").ok()
    oci.until_clear()


def test_start_killed_when_it_has_said_go(oci, ours, logged):
    """The program goes its way, and is known to run from the moment that it does."""
    b, log = logged()
    log.add("startContainer", "echo started; read word </tmp/gate")
    os.mkfifo(f"{b.rootfs}/tmp/gate")
    c = oci.created(b)
    starter = oci.popen("start", c.id)
    log.until_begun()
    starter.signal(signal.SIGKILL)
    starter.wait()
    assert c.status == "created"
    with open(f"{b.rootfs}/tmp/gate", "w", encoding="ascii") as gate:
        gate.write("go\n")
    c.until_said("ready")
    assert c.status == "running"
    c.start().failed(1, "already running")
    c.delete().failed(1, "running")
    c.delete("--force").ok()
    oci.until_clear()


def test_delete_while_a_hook_runs(oci, ours, logged):
    b, log = logged("true")
    log.add("createRuntime", "echo started; exec sleep 1000")
    c = oci.container(b)
    runtime = c.create(wait=False)
    log.until_begun()
    c.delete("--force").ok()
    assert runtime.wait() != 0
    oci.until_clear()
