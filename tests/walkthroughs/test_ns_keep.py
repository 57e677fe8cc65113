# SPDX-License-Identifier: Apache-2.0
"""namespaces(7), "The lifetime of a namespace": what keeps one alive, and what ends it."""

import os
import subprocess

import machine
import nookrun
import pytest

CLONE_NEWUTS = 0x04000000


@pytest.fixture(autouse=True, scope="module")
def netns_directory():
    machine.prepare_netns(nookrun.unique("prepare"))


def test_an_open_file_keeps_it(root_nook):
    """After the last process a descriptor is enough; the namespace can be joined by it."""
    with root_nook.background("echo ready; exec sleep 1000", "--hostname", "held", "--userns", "host") as one:
        link = machine.ns("uts", one.pid)
        fd = os.open(f"/proc/{one.pid}/ns/uts", os.O_RDONLY)
    try:
        assert root_nook.cmd("ns", "enter", f"/proc/{os.getpid()}/fd/{fd}", "sh", "-c",
                             "uname -n; readlink /proc/self/ns/uts").lines() == ["held", link]
    finally:
        os.close(fd)


def test_a_bind_mount_keeps_it(root_nook):
    """So does a bind mount of its file, which is how `nook ns keep` and `ip netns` do it: no process, no descriptor."""
    name = nookrun.unique("ns")
    with root_nook.background("echo ready; exec sleep 1000", "--hostname", "held", "--userns", "host") as one:
        link = machine.ns("uts", one.pid)
        path = root_nook.cmd("ns", "keep", one.pid, name, "uts", "--json").json()["namespaces"][0]["path"]
    try:
        assert os.stat(path).st_ino == int(link[5:-1])

        script = "import os, sys; sys.path.insert(0, sys.argv[1]); import machine\n" \
                 f"machine.setns(os.open(sys.argv[2], os.O_RDONLY), {CLONE_NEWUTS})\n" \
                 "print(machine.ns('uts'), os.uname().nodename)"
        tests = os.path.dirname(machine.__file__)
        assert root_nook.outside("/usr/bin/python3", "-B", "-c", script, tests, path).ok() == f"{link} held"
        assert root_nook.outside("nsenter", f"--uts={path}", "uname", "-n").ok() == "held"
    finally:
        root_nook.cmd("ns", "rm", name).ok()
    assert not os.path.exists(path)


def test_a_process_keeps_it_for_an_ordinary_user(user_nook):
    name = nookrun.unique("ns")
    made = user_nook.cmd("ns", "new", name, "--uts", "--hostname", "held", "--json").json()
    assert machine.state_of(made["holder"]) == "S"
    assert user_nook.cmd("ns", "enter", name, "uname", "-n").ok() == "held"
    user_nook.cmd("ns", "rm", name).ok()
    assert machine.state_of(made["holder"]) in (None, "Z")


def test_what_is_set_in_it_stays(root_nook):
    """An address and a host name outlive the commands that made them."""
    name = nookrun.unique("ns")
    root_nook.cmd("ns", "new", name, "--net", "--uts").ok()
    try:
        root_nook.cmd("ns", "enter", name, "sh", "-c", "ip address add 192.0.2.77/32 dev lo && hostname later").ok()
        out = root_nook.cmd("ns", "enter", name, "sh", "-c", "ip -o address; uname -n").ok()
        assert "192.0.2.77" in out and out.endswith("later")
        assert "192.0.2.77" not in root_nook.outside("ip", "-o", "address").ok()
    finally:
        root_nook.cmd("ns", "rm", name).ok()


def test_the_end_of_pid_1_ends_all_below(root_nook):
    """Three pid namespaces deep: with the outermost pid 1 die the nested ones, and theirs."""
    name = nookrun.unique("ns")
    holder = root_nook.cmd("ns", "new", name, "--pid", "--json").json()["holder"]
    script = "unshare --pid --fork sh -c 'unshare --pid --fork sh -c \"echo ready; exec sleep 1000\"'"
    process = subprocess.Popen([root_nook.binary, "ns", "enter", name, "sh", "-c", script], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        inside = machine.descendants(process.pid)
        spaces = {machine.ns("pid", pid) for pid in inside}
        assert len(spaces) == 3
        os.kill(holder, 9)
        assert process.wait(5 * machine.PATIENCE) == 137
        machine.wait_until(lambda: all(machine.state_of(pid) in (None, "Z") for pid in inside), what="the end of all")
        # The namespace's file could be kept, but nothing can be started in it any more.
        root_nook.cmd("ns", "enter", name, "true").failed(125)
    finally:
        root_nook.cmd("ns", "rm", "--force", name).ok()
        process.communicate()


def test_the_last_one_out_ends_it(root_nook):
    """Released while somebody is in it, it ends with that process: its file can't be opened any more."""
    name = nookrun.unique("ns")
    root_nook.cmd("ns", "new", name, "--uts").ok()
    with root_nook.popen(["ns", "enter", name, "sleep", "1000"], stdin=subprocess.DEVNULL) as process:
        inside = machine.wait_until(lambda: machine.child_called(process.pid, "sleep"), what="sleep inside")
        link = machine.ns("uts", inside)
        root_nook.cmd("ns", "rm", name).ok()
        assert machine.ns("uts", inside) == link
        assert root_nook.cmd("ns", "enter", inside, "readlink", "/proc/self/ns/uts").ok() == link
        process.terminate()
    root_nook.cmd("ns", "enter", inside, "true").failed(125)
