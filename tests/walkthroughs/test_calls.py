# SPDX-License-Identifier: Apache-2.0
"""The three calls of namespaces(7): clone, unshare and setns, each by its own path, and all kinds at once."""

import ctypes
import os
import subprocess

import machine

FLAGS = {"cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000, "user": 0x10000000, "pid": 0x20000000,
         "net": 0x40000000, "mnt": 0x00020000}


def in_child(do):
    """Runs do() in a forked child, with its text result; what it makes of itself does not touch the tests."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, str(do()).encode())
            os._exit(0)
        except BaseException as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    assert os.waitpid(pid, 0)[1] == 0, text
    return text


def must(result, what):
    if result == -1:
        machine.syscall_failed(what)
    return result


def test_clone(root_nook):
    """clone(2) with flags gives a child in new namespaces while the parent stays; nook's clone3 gives the same."""
    def by_hand():
        flags = FLAGS["uts"] | FLAGS["ipc"] | 17  # SIGCHLD
        machine.libc.syscall.restype = ctypes.c_long
        reader, writer = os.pipe()
        pid = must(machine.libc.syscall(56, flags, 0, 0, 0, 0), "clone")
        if pid == 0:
            os.write(writer, f"{machine.ns('uts')} {machine.ns('ipc')} {machine.ns('net')}".encode())
            os._exit(0)
        os.waitpid(pid, 0)
        return os.read(reader, 200).decode()

    uts, ipc, net = in_child(by_hand).split()
    assert uts != machine.ns("uts") and ipc != machine.ns("ipc") and net == machine.ns("net")
    inside = root_nook.sh("readlink /proc/self/ns/uts /proc/self/ns/ipc /proc/self/ns/net",
                          "--share", "user,mnt,net,pid,cgroup,time").lines()
    assert inside[0] != machine.ns("uts") and inside[1] != machine.ns("ipc") and inside[2] == machine.ns("net")


def test_unshare(root_nook):
    """unshare(2) moves the caller itself; for pid and time it is only the next child that is in the new one."""
    def by_hand():
        must(machine.libc.unshare(FLAGS["uts"] | FLAGS["pid"]), "unshare")
        own = machine.ns("uts") != before["uts"], machine.ns("pid") == before["pid"]
        pid = os.fork()
        if pid == 0:
            os._exit(0 if os.getpid() == 1 else 1)
        return own, os.waitpid(pid, 0)[1]

    before = {kind: machine.ns(kind) for kind in machine.KINDS}
    assert in_child(by_hand) == "((True, True), 0)"
    # util-linux's unshare and nook say the same of the same kinds.
    theirs = subprocess.run(["unshare", "--uts", "--pid", "--fork", "sh", "-c", "echo $$; readlink /proc/self/ns/net"],
                            stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    ours = root_nook.run("--share", "user,mnt,net,ipc,cgroup,time", "--no-init", "--", "sh", "-c",
                         "echo $$; readlink /proc/self/ns/net").lines()
    assert theirs == ours == ["1", machine.ns("net")]


def test_setns(root_nook):
    """setns(2) into a running container's namespaces: by hand, by nsenter, by nook exec, by nook run --join."""
    with root_nook.background("echo ready; exec sleep 1000", "--hostname", "joined") as one:
        def by_hand():
            # Opened first: from inside the other user namespace the files can't be.
            fds = [(kind, os.open(f"/proc/{one.pid}/ns/{kind}", os.O_RDONLY)) for kind in ("user", "uts")]
            for kind, fd in fds:
                must(machine.libc.setns(fd, FLAGS[kind]), f"setns {kind}")
            return os.uname().nodename

        assert in_child(by_hand) == "joined"
        assert root_nook.outside("nsenter", "-t", one.pid, "-u", "uname", "-n").ok() == "joined"
        assert root_nook.cmd("exec", one.name, "uname", "-n").ok() == "joined"
        assert root_nook.run("--join", f"user={one.name}", "--join", f"uts={one.name}", "--", "uname", "-n").ok() == "joined"


def test_a_namespace_lives_as_long_as_it_is_held(root_nook):
    """A descriptor keeps a namespace after its last process; nook joins it by that path."""
    with root_nook.background("echo ready; exec sleep 1000", "--hostname", "held", "--userns", "host") as one:
        fd = os.open(f"/proc/{one.pid}/ns/uts", os.O_RDONLY)
    try:
        path = f"/proc/{os.getpid()}/fd/{fd}"
        assert root_nook.run("--userns", "host", "--join", f"uts={path}", "--", "uname", "-n").ok() == "held"
    finally:
        os.close(fd)


def test_all_kinds_at_once(nook):
    """Eight new namespaces for one program, none of the host's and none twice, and it works in there."""
    script = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in machine.KINDS) + "; id -u; hostname; ls /sys/class/net"
    out = nook.sh(script, "--hostname", "all", "--boottime", "1000").lines()
    links, seen = out[:8], out[8:]
    assert len(set(links)) == 8
    assert not [link for kind, link in zip(machine.KINDS, links) if link == nook.outside("readlink", f"/proc/self/ns/{kind}").ok()]
    assert seen == ["0", "all", "lo"]


def test_all_kinds_of_another_are_entered_at_once(nook):
    """exec is eight times setns: one process, every namespace of the container."""
    with nook.background() as one:
        script = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in machine.KINDS)
        assert nook.cmd("exec", one.name, "sh", "-c", script).lines() == [machine.ns(kind, one.pid) for kind in machine.KINDS]
