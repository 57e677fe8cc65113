# SPDX-License-Identifier: Apache-2.0
"""Callers at once, commands and containers that are killed, and records that are none: nothing is lost, nothing left."""

import json
import os
import signal
import time

import pytest

import machine
from oci import READY, unique


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
        oci.until_clear()


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
        oci.until_clear()


def test_delete_while_another_starts(oci, bundle):
    for _ in range(5):
        c = oci.container(bundle(READY))
        c.create().ok()
        starter, deleter = oci.popen("start", c.id), oci.popen("delete", "--force", c.id)
        starter.wait()
        assert deleter.result().status == 0, str(deleter.result())
        oci.until_clear()


def test_many_at_once(oci, bundle):
    made = [oci.container(bundle(f"echo {number}")) for number in range(8)]
    runs = [c.run_later() for c in made]
    assert [each.result(60).ok() for each in runs] == [str(number) for number in range(8)]
    assert not oci.traces()


# ---- what goes wrong outside ----

def test_the_first_process_is_killed_from_outside(oci, bundle):
    c = oci.running(bundle("sleep 1000 & " + READY))
    os.kill(c.pid, signal.SIGKILL)
    assert c.until_stopped() == 137
    c.delete().ok()
    oci.until_clear()


def test_the_created_one_is_killed_from_outside(oci, bundle):
    c = oci.container(bundle(READY))
    c.create().ok()
    os.kill(c.pid, signal.SIGKILL)
    c.until_stopped()
    c.start().failed(1)
    c.delete().ok()
    oci.until_clear()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_created_one_does_not_mind_signals(oci, bundle, number):
    """kill -TERM of a created container is not lost nor deadly before its start by accident: it dies or it starts."""
    c = oci.container(bundle(READY))
    c.create().ok()
    c.kill(str(number.value)).ok()
    time.sleep(0.05)
    assert c.status in ("created", "stopped")
    c.delete("--force").ok()
    oci.until_clear()


def test_the_bundle_is_gone(oci, bundle):
    """delete needs neither config.json nor the root file system."""
    c = oci.running(bundle(READY))
    os.rename(c.bundle.path, c.bundle.path + ".away")
    try:
        assert c.status == "running"
        c.kill("KILL").ok()
        c.until_stopped()
        c.delete().ok()
    finally:
        os.rename(c.bundle.path + ".away", c.bundle.path)
    oci.until_clear()


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
        oci.until_clear()
        c.create().ok()
        c.delete("--force").ok()
        oci.until_clear()


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
    oci.until_clear()


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
