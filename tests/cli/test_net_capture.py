# SPDX-License-Identifier: Apache-2.0
"""`nook net capture`: a program of the host's, in the network of a container and in nothing else of it."""

import os
import subprocess

import machine
import pytest

OTHERS = [kind for kind in machine.KINDS if kind != "net"]


def links(pid):
    return {kind: machine.ns(kind, pid) for kind in machine.KINDS}


def test_it_is_in_the_net_namespace_and_no_other(root_nook):
    """Files, host name, processes and ids are the caller's; so is who it runs as."""
    with root_nook.background() as one:
        script = "readlink /proc/self/ns/net; for kind in " + " ".join(OTHERS) + "; do readlink /proc/self/ns/$kind; done; id -u; pwd"
        out = root_nook.cmd("net", "capture", one.name, "--", "sh", "-c", script, cwd="/usr").lines()
        assert out[0] == machine.ns("net", one.pid) != machine.ns("net")
        mine = links("self")
        assert out[1:-2] == [mine[kind] for kind in OTHERS] and out[-2:] == ["0", "/usr"]


def test_a_user_gets_in_by_the_user_namespace_of_its_container(user_nook):
    with user_nook.background() as one:
        out = user_nook.cmd("net", "capture", one.name, "sh", "-c", "readlink /proc/self/ns/net /proc/self/ns/user /proc/self/ns/mnt").lines()
        assert out[:2] == [machine.ns("net", one.pid), machine.ns("user", one.pid)]
        assert out[2] != machine.ns("mnt", one.pid)


def test_tcpdump_sees_a_packet(netlab):
    """Of a container that has no tcpdump: that it is not in the picture shows by its root of one binary."""
    with netlab.nook.background() as one:
        command = ["net", "capture", one.name, "--", "tcpdump", "-n", "-l", "-i", "lo", "-c", "1", "icmp"]
        with netlab.nook.popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as dump:
            while "listening on lo" not in dump.stderr.readline():
                assert dump.poll() is None
            assert netlab.space_of(one.pid).ping("127.0.0.1")
            assert "127.0.0.1 > 127.0.0.1: ICMP echo request" in dump.stdout.readline()
            assert dump.wait(10) == 0


@pytest.mark.parametrize("command, status", [(["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137),
                                             (["no-such-program"], 127), (["/etc/passwd"], 126)])
def test_the_exit_status_is_the_programs(root_nook, command, status):
    with root_nook.background() as one:
        result = root_nook.cmd("net", "capture", one.name, *command)
        assert result.status == status
        if command[0] != "sh":
            assert f"execute {command[0]}" in result.err


def test_it_reads_what_we_say_and_inherits_nothing(root_nook):
    with root_nook.background() as one:
        assert root_nook.cmd("net", "capture", one.name, "cat", input="said\n").ok() == "said"
        assert root_nook.cmd("net", "capture", one.name, "ls", "/proc/self/fd").lines() == ["0", "1", "2", "3"]  # 3: ls' own


def test_it_is_no_child(root_nook):
    """It becomes the program: signals, the terminal and its end are the program's alone."""
    with root_nook.background() as one:
        with root_nook.popen(["net", "capture", one.name, "sh", "-c", "echo $$; read end"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE) as sh:
            assert int(sh.stdout.readline()) == sh.pid
            assert os.readlink(f"/proc/{sh.pid}/ns/net") == machine.ns("net", one.pid)
            sh.communicate("end\n")


@pytest.mark.parametrize("words, named", [([], "what to run"), (["x"], "what to run"), (["x", "--"], "what to run"),
                                          (["no-such-container", "true"], "no-such-container")])
def test_words_that_are_wrong(root_nook, words, named):
    root_nook.cmd("net", "capture", *words).failed(125, named)


def test_who_may_not(user_nook):
    user_nook.cmd("net", "capture", "1", "true").failed(125)
