# SPDX-License-Identifier: Apache-2.0
"""run in the foreground, as people and scripts call it: lines, terminals, signals and the status."""

import contextlib
import os
import pty
import re
import select
import signal
import socket
import termios

import pytest

import machine
from oci import READY, Console, unique

TTY = {"process/terminal": True}


def test_lines_of_a_terminal_that_nobody_looks_at(oci, bundle):
    """Scripts compare what it printed: no carriage returns."""
    assert oci.run(bundle("test -t 1 && printf 'one\\ntwo\\n'", TTY), input="").out == "one\ntwo\n"


def test_lines_of_a_terminal_that_somebody_looks_at(oci, bundle):
    """Each begins at the left all the same."""
    ours, theirs = pty.openpty()
    with Console(ours) as console:
        before = termios.tcgetattr(theirs)
        c = oci.container(bundle("printf 'one\\ntwo\\n'; exec sleep 1000", TTY))
        running = c.run_later(stdio=[theirs] * 3, session=True)
        assert console.until("two\r\n") == "one\r\ntwo\r\n"
        during = termios.tcgetattr(theirs)
        assert not during[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
        c.kill("KILL").ok()
        assert running.wait() == 137
        assert termios.tcgetattr(theirs) == before
        os.close(theirs)


def test_exec_in_a_terminal(oci, bundle):
    c = oci.running(bundle(READY))
    assert c.exec("--tty", "--", "sh", "-c", "test -t 0 && printf 'one\\ntwo\\n'", input="").out == "one\ntwo\n"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGWINCH,
                                    signal.SIGRTMIN + 1])
def test_signals_are_passed_on(oci, bundle, number):
    c = oci.container(bundle(f"trap 'echo got; exit 5' {int(number)}; echo ready; while :; do sleep 0.02; done"))
    running = c.run_later()
    machine.wait_until(lambda: "ready" in c.out(), 10, "ready")
    running.signal(number)
    assert running.wait() == 5
    assert c.out() == "ready\ngot\n"


@pytest.mark.parametrize("script,status", [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM 1", 0),
                                           ("trap 'exit 9' TERM; kill -TERM 1", 9)])
def test_status(oci, bundle, script, status):
    assert oci.run(bundle(script)).status == status


@pytest.mark.parametrize("number", [signal.SIGKILL])
def test_status_of_a_killed_one(oci, bundle, number):
    c = oci.container(bundle(READY))
    running = c.run_later()
    machine.wait_until(lambda: "ready" in c.out(), 10, "ready")
    c.kill(str(int(number))).ok()
    assert running.wait() == 128 + number


def test_stdin_is_passed_on(oci, bundle):
    assert oci.run(bundle("cat"), input="one\ntwo\n").out == "one\ntwo\n"


def test_ended_with_its_runner(oci, ours, bundle):
    """A run that is killed leaves the container to whoever deletes it."""
    c = oci.container(bundle(READY))
    running = c.run_later()
    machine.wait_until(lambda: "ready" in c.out(), 10, "ready")
    running.signal(signal.SIGKILL)
    running.wait()
    assert c.status == "running"
    c.delete("--force").ok()
    assert not oci.traces()


# ---- --pidfd-socket, as runc 1.2 has it ----

def same_process(fd, pid):
    return re.search(rf"^Pid:\s+{pid}$", machine.read(f"/proc/self/fdinfo/{fd}"), re.M) is not None


@pytest.mark.parametrize("command", ["create", "run"])
def test_pidfd_socket(oci, ours, bundle, fd_socket, command):
    listener = fd_socket()
    c = oci.container(bundle(READY))
    if command == "create":
        c.create("--pidfd-socket", listener.path).ok()
    else:
        c.run("--detach", "--pidfd-socket", listener.path, "--pid-file", c.pid_file).ok()
    fd, text = listener.receive()
    assert text == "standard"
    assert same_process(fd, machine.read(c.pid_file))
    signal.pidfd_send_signal(fd, signal.SIGKILL)
    assert select.select([fd], [], [], 10)[0]
    os.close(fd)


def test_pidfd_socket_of_exec(oci, ours, bundle, fd_socket, base):
    listener = fd_socket()
    c = oci.running(bundle(READY))
    pid_file = os.path.join(base, unique("pid"))
    c.exec("--detach", "--pidfd-socket", listener.path, "--pid-file", pid_file, "--", "sleep", "1000").ok()
    fd, text = listener.receive()
    assert text == "setns"
    assert same_process(fd, machine.read(pid_file))
    os.close(fd)


def test_a_socket_that_nobody_accepts_at(oci, ours, bundle, base):
    """A queue that is full: it is waited for, but not for ever; nothing is left."""
    path = os.path.join(base, unique("full"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, contextlib.ExitStack() as others:
        listener.bind(path)
        listener.listen(0)
        full = others.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        full.connect(path)
        oci.container(bundle(READY)).create("--pidfd-socket", path).failed(1, "--pidfd-socket", "timed out")
        assert not oci.traces()
    os.unlink(path)
