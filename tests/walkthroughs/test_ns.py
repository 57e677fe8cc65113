# SPDX-License-Identifier: Apache-2.0
"""What articles on namespaces show of finding and telling them apart, on this kernel, with `nook ns`."""

import contextlib
import os
import signal
import subprocess
import sys

import machine
import pytest

NEST = """
import os, sys
depth = int(sys.argv[1])
for level in range(depth):
    __import__("ctypes").CDLL(None).unshare(0x20000000)
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        os._exit(0)
    __import__("ctypes").CDLL(None).prctl(1, 9)
if len(sys.argv) > 2:
    os.setsid()
print("up", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def nest(depth, *more):
    """A process so many pid namespaces deep; gives the pids from the outermost namespace's first on."""
    process = subprocess.Popen([sys.executable, "-c", NEST, str(depth), *more], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up\n"
    try:
        yield machine.descendants(process.pid)
    finally:
        process.stdin.close()
        for pid in machine.descendants(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(5 * machine.PATIENCE)
        process.stdout.close()


def levels(nook):
    """The pid namespaces as `nook ns tree` shows them: inode → level."""
    return {level["inode"]: level for level in nook.cmd("ns", "tree", "--json").json()["pid"]}


def pid_ns(pid):
    return os.stat(f"/proc/{pid}/ns/pid").st_ino


def test_the_links_are_equal_in_one_namespace_and_differ_otherwise(nook):
    """Two processes are in one namespace when their links in /proc/PID/ns read the same."""
    with nook.background("sleep 1000 & echo ready; exec sleep 1000") as one, nook.background() as other:
        first, second = one.inside()[:2]
        for kind in machine.KINDS:
            mine = machine.ns(kind, first)
            assert mine == machine.ns(kind, second)
            assert mine != machine.ns(kind, other.pid)
            assert mine != machine.ns(kind)


def test_ls_counts_the_processes_of_a_namespace(root_nook):
    with root_nook.background("sleep 1000 & sleep 1000 & echo ready; exec sleep 1000", "--no-init") as one:
        inside = one.inside()
        rows = {row["inode"]: row for row in root_nook.cmd("ns", "ls", "--json").json()["namespaces"]}
        row = rows[os.stat(f"/proc/{inside[0]}/ns/uts").st_ino]
        assert row["processes"] == len(inside) == 3
        assert row["first"]["pid"] == min(inside)


def test_pid_namespaces_three_deep(root_nook):
    """The outer one sees the inner ones' processes, under other pids; the inner ones don't see the outer one's."""
    with nest(3) as pids:
        assert len(pids) == 3
        shown = levels(root_nook)
        outer, middle, inner = (pid_ns(pid) for pid in pids)
        assert shown[inner]["parent"]["inode"] == middle
        assert shown[middle]["parent"]["inode"] == outer
        assert shown[outer]["parent"]["inode"] == pid_ns(os.getpid())
        assert [process["pid"] for process in shown[inner]["processes"]] == [pids[2]]
        numbers = machine.status(pids[2])["NSpid"].split()
        assert numbers[0] == str(pids[2]) and numbers[-1] == "1" and len(numbers) == 4
        assert len(machine.status(pids[0])["NSpid"].split()) == 2


def test_the_end_of_pid_1_ends_the_namespaces_below(root_nook):
    """Its children's namespaces go with it."""
    with nest(3) as pids:
        namespaces = [pid_ns(pid) for pid in pids]
        os.kill(pids[0], signal.SIGKILL)
        machine.wait_until(lambda: all(machine.state_of(pid) is None for pid in pids), what="the end of all three")
        assert not set(namespaces) & set(levels(root_nook))


def test_a_session_across_levels(root_nook):
    """The innermost leads a session: it is 1 for itself, and its own pid for those above. Who joined none has 0 inside."""
    with nest(2, "setsid") as pids:
        status = machine.status(pids[1])
        assert status["NSsid"].split() == status["NSpid"].split() == status["NSpgid"].split()
        assert status["NSsid"].split()[-1] == "1"
        above = machine.status(pids[0])
        assert above["NSsid"].split()[-1] == "0"  # its session was begun outside
    assert root_nook


def test_who_made_a_user_namespace_and_what_it_owns(nook):
    """NS_GET_OWNER_UID and NS_GET_USERNS: the container's namespaces belong to its user namespace."""
    with nook.background() as one:
        pid = one.inside()[-1]
        user = os.stat(f"/proc/{pid}/ns/user").st_ino
        listing = nook.cmd("ns", "ls", "--json").json()["namespaces"] if nook.is_root else []
        rows = {row["inode"]: row for row in listing}
        if not nook.is_root:
            pytest.skip("pid 1 of a container is not to be looked into by its own user")
        assert rows[user]["creator"] == nook.account.uid
        for kind in ("net", "uts", "ipc", "pid", "mnt"):
            assert rows[os.stat(f"/proc/{pid}/ns/{kind}").st_ino]["owner"]["inode"] == user


def test_a_namespace_without_a_process_has_its_links_still(root_nook):
    """It lives as long as its file is open, and can be shown."""
    holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up; echo; read end"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    holder.stdout.readline()
    fd = os.open(f"/proc/{holder.pid}/ns/net", os.O_RDONLY)
    holder.communicate("end")
    try:
        number = os.fstat(fd).st_ino
        part = root_nook.cmd("ns", "show", f"net:{number}", "--json").json()["namespaces"][0]
        assert part["namespace"]["held"]["fd"] == 1 and part["namespace"]["processes"] == 0
        assert part["links"][0]["addresses"] == ["127.0.0.1/8", "::1/128"]
    finally:
        os.close(fd)
    listing = root_nook.cmd("ns", "ls", "--kind", "net", "--json").json()["namespaces"]
    assert number not in {row["inode"] for row in listing if row["held"]["fd"]}
