# SPDX-License-Identifier: Apache-2.0
"""Hooks: all six kinds, what they get, where and when they run, and what they can do."""

import json
import os
import re
import signal

import pytest

import machine
from hooks import ALL, CREATE, OUTER, START, PATH, Log, life, sh


# ---- when and where ----

def test_order(oci, logged):
    b, log = logged()
    for kind in reversed(ALL):
        log.add(kind, f"echo {kind} 1").add(kind, f"echo {kind} 2")
    c = oci.created(b)
    assert log.lines() == [f"{kind} {n}" for kind in CREATE for n in (1, 2)]
    c.start().ok()
    assert log.lines() == [f"{kind} {n}" for kind in CREATE + START for n in (1, 2)]
    c.kill("KILL").ok()
    c.until_stopped()
    assert len(log.lines()) == 10
    c.delete().ok()
    assert log.lines() == [f"{kind} {n}" for kind in ALL for n in (1, 2)]


def test_order_in_a_run(oci, logged):
    b, log = logged("echo program >>/tmp/log")
    for kind in ALL:
        log.add(kind, f"echo {kind}")
    oci.run(b).ok()
    said = log.lines()
    assert said[:4] == [*CREATE, "startContainer"]
    assert sorted(said[4:6]) == ["poststart", "program"]
    assert said[6:] == ["poststop"]


def test_the_program_runs_at_poststart(oci, logged):
    b, log = logged()
    log.add("poststart", "sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' | { read pid; cat /proc/$pid/comm; }")
    c = oci.created(b)
    c.start().ok()
    assert log.lines() == ["sh"] or log.lines() == ["sleep"]


@pytest.mark.parametrize("kind", ALL)
def test_state(oci, logged, kind):
    b, log = logged(edits={"annotations": {"a": "b \"c\" ü"}})
    log.add(kind, "cat")
    c = life(oci, b)
    state = json.loads(log.text())
    status = {"startContainer": "created", "poststart": "running", "poststop": "stopped"}.get(kind, "creating")
    pid = {"createContainer": 1, "startContainer": 1, "poststop": 0}.get(kind, c.pid)
    assert state["id"] == c.id
    assert state["bundle"] == b.path
    assert state["status"] == status
    assert state.get("pid", 0) == pid
    assert state["annotations"] == {"a": "b \"c\" ü"}
    assert re.fullmatch(r"1\.\d+\.\d+.*", state["ociVersion"])


@pytest.mark.parametrize("kind", ALL)
def test_namespaces(oci, logged, kind):
    b, log = logged()
    log.add(kind, "for ns in mnt pid net; do readlink /proc/self/ns/$ns; done")
    c = oci.created(b)
    inside = [os.readlink(f"/proc/{c.pid}/ns/{name}") for name in ("mnt", "pid", "net")]
    c.start().ok()
    c.kill("KILL").ok()
    c.until_stopped()
    c.delete().ok()
    ours = [os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "pid", "net")]
    assert log.lines() == (ours if kind in OUTER else inside)


@pytest.mark.parametrize("kind", ALL)
def test_working_directory(oci, logged, kind):
    b, log = logged(edits={"process/cwd": "/home"})
    log.add(kind, "pwd")
    life(oci, b)
    assert log.lines() == [{"createContainer": b.rootfs, "startContainer": "/home"}.get(kind, b.path)]


def test_a_bundle_that_is_gone_by_delete(oci, logged):
    b, log = logged("true")
    away = f"{b.path}.away"
    b.edit({"hooks/poststop": [sh(f"pwd >{away}.log")]})
    c = oci.created(b)
    c.start().ok()
    c.until_stopped()
    os.rename(b.path, away)
    try:
        c.delete().ok()
        assert machine.read(f"{away}.log") == "/\n"
    finally:
        os.rename(away, b.path)
        os.unlink(f"{away}.log")


# ---- what they get ----

def test_exact_words(oci, logged):
    b, log = logged("true")
    b.edit({"hooks/createRuntime": [{"path": "/bin/sh", "env": [PATH],
                                     "args": ["any name", "-c", f"printf '%s|' \"$0\" \"$@\" >{log.path}", "a b", "", "*"]}]})
    oci.run(b).ok()
    assert log.text() == "a b||*|"


@pytest.mark.parametrize("env", [None, [], ["A=1", "B=x y"]])
def test_only_their_variables(oci, logged, env):
    b, log = logged("true")
    hook = sh(f"tr '\\0' '\\n' </proc/self/environ >{log.path}")
    if env is None:
        del hook["env"]
    else:
        hook["env"] = env
    hook["args"][2] = f"/usr/bin/tr '\\0' '\\n' </proc/self/environ >{log.path}"
    b.edit({"hooks/createRuntime": [hook]})
    oci.run(b, env={"LEAKED": "1"}).ok()
    assert [line for line in log.lines() if not line.startswith(("PWD=", "OLDPWD=", "SHLVL=", "_="))] == (env or [])


def test_no_arguments(oci, logged):
    b, log = logged("true")
    script = f"{b.path}/hook"
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nset -- \"$0\" \"$@\"; echo $# $1 >{log.path}\n")
    os.chmod(script, 0o755)
    b.edit({"hooks/createRuntime": [{"path": script}]})
    oci.run(b).ok()
    assert log.text() == f"1 {script}\n"


@pytest.mark.parametrize("kind", ALL)
def test_no_descriptor_more(oci, logged, kind):
    b, log = logged()
    log.add(kind, "set -- /proc/self/fd/*; for f; do printf '%s ' ${f##*/}; done")
    with open("/dev/null", "rb") as leaked:
        c = oci.container(b)
        c.create(fds=[leaked.fileno()] * 5).ok()
        c.start(fds=[leaked.fileno()] * 5).ok()
        c.kill("KILL").ok()
        c.until_stopped()
        c.delete(fds=[leaked.fileno()] * 5).ok()
    said = log.text().split()
    # the shell's own: the folder that it reads, and where exec has put stdout
    assert set(said) <= {"0", "1", "2", "3", "10"}, said


@pytest.mark.parametrize("kind", ALL)
def test_signals(oci, logged, kind):
    b, log = logged()
    log.add(kind, "grep -E 'SigBlk|SigIgn' /proc/self/status")
    life(oci, b)
    blocked, ignored = (int(line.split()[1], 16) for line in log.lines())
    busybox = 1 << signal.SIGQUIT - 1 if kind == "startContainer" else 0  # its shell ignores that itself
    assert (blocked, ignored & ~busybox) == (0, 0)


@pytest.mark.parametrize("script", ["exec <&-; exit 0", "exit 0", "head -c 1 >/dev/null"])
@pytest.mark.parametrize("size", [100, 70_000, 300_000])
def test_not_read(oci, bundle, script, size):
    b = bundle("true", {"annotations": {"long": "x" * size}, "hooks": {kind: [sh(script)] for kind in ALL}})
    oci.run(b).ok()


@pytest.mark.parametrize("size", [100, 65_000, 66_000, 300_000])
def test_a_long_state(oci, logged, size):
    b, log = logged("true", {"annotations": {"long": "x" * size}})
    for kind in ("createRuntime", "createContainer", "poststop"):
        log.add(kind, "sleep 0.1; wc -c")
    oci.run(b).ok()
    assert [int(line) >= size for line in log.lines()] == [True] * 3


# ---- what they can do ----

def test_create_container_finds_the_root(oci, bundle):
    """NVIDIA's hooks, and many others, go by the bundle's path."""
    b = bundle("cat /mnt/new; grep -c ' /mnt ' /proc/self/mounts")
    b.edit({"hooks/createContainer": [sh(f"grep -q ' {b.rootfs}/proc ' /proc/self/mounts && "
                                         f"mount -t tmpfs none {b.rootfs}/mnt && echo hello >{b.rootfs}/mnt/new")]})
    assert oci.run(b).lines() == ["hello", "1"]
    assert b.rootfs not in machine.read("/proc/self/mounts")


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_runtime_hooks_find_the_mounts(oci, bundle, kind):
    b = bundle("cat /mnt/new")
    b.edit({f"hooks/{kind}": [sh("pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'); exec nsenter -t $pid -m sh -c '"
                                 f"mount -t tmpfs none {b.rootfs}/mnt && echo hello >{b.rootfs}/mnt/new'")]})
    assert oci.run(b).ok() == "hello"
    assert b.rootfs not in machine.read("/proc/self/mounts")


@pytest.mark.parametrize("propagation", ["shared", "slave", "private", "rshared", "rslave", "rprivate", "unbindable"])
def test_the_mounts_stay_inside(oci, bundle, propagation):
    """Whatever the propagation, putting the root where hooks see it reaches nobody else."""
    b = bundle("cat /mnt/new", {"linux/rootfsPropagation": propagation})
    b.edit({"hooks/createContainer": [sh(f"mount -t tmpfs none {b.rootfs}/mnt && echo hello >{b.rootfs}/mnt/new")]})
    before = machine.read("/proc/self/mountinfo")
    assert oci.run(b).ok() == "hello"
    assert machine.read("/proc/self/mountinfo") == before


def test_network(oci, bundle):
    b = bundle("grep -c 10.99.0.1 /proc/net/fib_trie")
    b.edit({"hooks/createRuntime": [sh("pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'); "
                                       "exec nsenter -t $pid -n ip address add 10.99.0.1/32 dev lo")]})
    assert int(oci.run(b).ok()) > 0
    assert "10.99.0.1" not in machine.read("/proc/net/fib_trie")


def test_start_container_is_the_user(oci, logged):
    b, log = logged(edits={"process/user": {"uid": 5, "gid": 6}, "process/user/umask": 0o27})
    log.add("startContainer", "id -u; id -g; umask; grep -E 'NoNewPrivs|CapEff' /proc/self/status")
    life(oci, b)
    assert [line.split()[-1] for line in log.lines()] == ["5", "6", "0027", "0" * 16, "1"]


@pytest.mark.parametrize("kind", CREATE)
def test_umask(oci, logged, kind):
    b, log = logged("true")
    log.add(kind, "umask")
    oci.run(b).ok()
    assert log.text() == "0022\n"


# ---- other ids ----

MAPS = {"linux/namespaces/-": {"type": "user"},
        "linux/uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
        "linux/gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}]}


@pytest.mark.parametrize("kind", ALL)
def test_in_a_user_namespace(oci, logged, kind):
    b, log = logged(edits=MAPS)
    os.chmod(b.path, 0o755)
    log.add(kind, "cat /proc/self/uid_map; id -u")
    life(oci, b)
    inside = kind not in OUTER
    assert log.text().split() == ["0", "100000" if inside else "0", "65536" if inside else "4294967295", "0"]


def test_mounts_in_a_user_namespace(oci, bundle):
    b = bundle("cat /mnt/new; cat /srv/new", MAPS)
    os.mkdir(f"{b.rootfs}/srv")
    b.edit({"hooks/createContainer": [sh(f"mount -t tmpfs none {b.rootfs}/mnt && echo inner >{b.rootfs}/mnt/new")],
            "hooks/prestart": [sh("pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'); exec nsenter -t $pid -U -m sh -c '"
                                  f"mount -t tmpfs none {b.rootfs}/srv && echo outer >{b.rootfs}/srv/new'")]})
    assert oci.run(b).lines() == ["inner", "outer"]


def test_of_an_ordinary_user(make_oci, lab, bundle):
    oci = make_oci(lab.account("nooktest", lab.USER))
    oci.own(oci.root)
    b = bundle("cat /mnt/new", {
        "linux/namespaces": [{"type": kind} for kind in ("user", "pid", "ipc", "uts", "mount")],
        "linux/uidMappings": [{"containerID": 0, "hostID": lab.USER, "size": 1}],
        "linux/gidMappings": [{"containerID": 0, "hostID": oci.account.gid, "size": 1}],
        "linux/resources": {},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}]})
    log = Log(b)
    for kind in ALL:
        log.add(kind, f"echo {kind} $(id -u)")
    b.edit({"hooks/createContainer/-": sh(f"mount -t tmpfs none {b.rootfs}/mnt && echo inner >{b.rootfs}/mnt/new")})
    oci.own(b.path)
    assert oci.run(b).ok() == "inner"
    assert sorted(log.lines()) == sorted([f"{kind} {lab.USER if kind in OUTER else 0}" for kind in ALL])
