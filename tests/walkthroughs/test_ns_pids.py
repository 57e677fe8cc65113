# SPDX-License-Identifier: Apache-2.0
"""Nested pid namespaces, process groups and sessions across them, and ids at each level, with nook ns where."""

import os
import signal
import subprocess

import machine
import pytest

# Each level is a user and a pid namespace of its own, with a /proc of its own; the innermost one says what it sees.
LEVEL = "unshare --user --map-root-user --pid --fork --mount-proc --kill-child"
INNER = "ls /proc | grep -c \"^[0-9]\"; echo ready; exec sleep 1000"


@pytest.fixture(params=["root", "user"])
def nest(request, make_nook):
    """Three namespaces, one in the other, started as an account. Not in a session of their own."""
    nook = make_nook(request.param)
    script = f"exec {LEVEL} {LEVEL} {LEVEL} sh -c '{INNER}'"
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
                               preexec_fn=nook.account.enter, env=nook.account.environment())
    seen = process.stdout.readline()
    if process.stdout.readline() != "ready\n":
        reason = process.stderr.read()
        process.kill()
        process.wait()
        pytest.skip(f"no nested namespaces for this user: {reason}")
    yield nook, process.pid, int(seen)
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


def innermost(pid):
    return machine.descendants(pid)[-1]


def where(nook, *words):
    return nook.cmd("ns", "where", "--json", *words).json()


def test_the_outer_sees_the_inner_under_other_pids(nest):
    """One process, four numbers: 1 in its own namespace, another in each one above."""
    nook, pid, _ = nest
    process = innermost(pid)
    rows = where(nook, str(process))["pids"]
    assert len(rows) == 4 and len({row["namespace"] for row in rows}) == 4
    assert rows[0]["pid"] == process and rows[-1]["pid"] == 1
    assert [row["pid"] for row in rows] == [int(word) for word in machine.status(process)["NSpid"].split()]
    assert all(row["pid"] > 1 for row in rows[:-1])


def test_each_level_translates_to_each(nest):
    """From any namespace above, by any name of the process, it is the same one."""
    nook, pid, _ = nest
    chain = machine.descendants(pid)
    process = chain[-1]
    rows = where(nook, str(process))["pids"]
    firsts = [one for one in chain if machine.status(one)["NSpid"].split()[-1] == "1"]
    assert len(firsts) == 3
    for level, first in enumerate(firsts, 1):
        assert nook.cmd("ns", "where", "-q", f"{first}:{rows[level]['pid']}").ok() == str(process)
        assert nook.cmd("ns", "where", "-q", process, "--at", first).ok() == str(rows[level]["pid"])


def test_the_inner_does_not_see_the_outer(nest):
    """In the innermost /proc there are only its own processes; for its namespace, those above have no number."""
    nook, pid, seen = nest
    chain = machine.descendants(pid)
    assert seen <= 4  # the shell, ls and grep
    for outer in chain[:-1]:
        if machine.ns("pid", outer) != machine.ns("pid", chain[-1]):
            nook.cmd("ns", "where", outer, "--at", chain[-1]).failed(125, "is not in the pid namespace")
    nook.cmd("ns", "where", f"{chain[-1]}:{pid}").failed(125, "no process has the pid")


def test_the_end_of_an_outer_pid_1_ends_the_inner(nest):
    nook, pid, _ = nest
    chain = machine.descendants(pid)
    first = next(one for one in chain if machine.status(one)["NSpid"].split()[-1] == "1")
    os.kill(first, signal.SIGKILL)
    machine.wait_until(lambda: all(machine.state_of(one) in (None, "Z") for one in chain[chain.index(first):]),
                       what="the end of all inside")
    nook.cmd("ns", "where", "-q", f"{pid}:{chain[-1]}")


def test_a_group_and_a_session_from_outside_have_no_number_inside(nest):
    """Nobody called setsid inside: the leader is a process above, which the inner namespaces can't name."""
    nook, pid, _ = nest
    process = innermost(pid)
    rows = where(nook, str(process))["pids"]
    # Where the tests run in a pid namespace themselves, their own session may be from outside: getsid(2) says 0 then.
    assert (rows[0]["pgid"] or 0) == os.getpgid(process) and (rows[0]["sid"] or 0) == os.getsid(process)
    assert [row["pgid"] for row in rows[1:]] == [None] * 3
    assert [row["sid"] for row in rows[1:]] == [None] * 3
    assert "outside of this namespace" in nook.cmd("ns", "where", process).ok()


def test_a_session_of_its_own_has_a_number_at_each_level(nook):
    """setsid inside: the leader's pid is the group's and the session's number, as each level counts."""
    with nook.background("echo ready; setsid sleep 1000; true") as one:
        sleeper = machine.wait_until(lambda: [pid for pid in one.inside() if machine.read(f"/proc/{pid}/comm") == "sleep\n"],
                                     what="sleep")[0]
        machine.wait_until(lambda: os.getsid(sleeper) == sleeper, what="setsid")
        rows = where(nook, str(sleeper))["pids"]
        assert len(rows) == 2
        for row in rows:
            assert row["pid"] == row["pgid"] == row["sid"]
        assert rows[0]["pid"] == sleeper != rows[1]["pid"]


def test_the_uid_at_each_level(nest):
    """Root inside, whoever it is outside: each namespace maps its 0 to the 0 of the one above, the first to us."""
    nook, pid, _ = nest
    users = where(nook, str(innermost(pid)))["users"]
    assert [row["uid"]["effective"] for row in users] == [nook.account.uid, 0, 0, 0]
    assert len({row["namespace"] for row in users}) == 4
