# SPDX-License-Identifier: Apache-2.0
"""Terminals: sent to an engine's socket, or passed on to the caller's own."""

import fcntl
import os
import pty
import select
import signal
import socket
import struct
import termios

import pytest

import machine
from oci import READY, Console, process

TTY = {"process/terminal": True}
SIZED = {**TTY, "process/consoleSize": {"height": 33, "width": 77}}


def size_of(fd):
    return struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))[:2]


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


# ---- --console-socket ----

def test_the_master_comes_by_the_socket(oci, bundle, fd_socket):
    listener = fd_socket()
    c = oci.container(bundle("tty; echo ready; cat", TTY))
    c.create("--console-socket", listener.path).ok()
    with listener.console() as console:
        assert os.isatty(console.fd)
        c.start().ok()
        assert "/dev/pts/0" in console.until("ready")
        console.say("hello\n")
        console.until("hello")
        c.kill("KILL").ok()
        assert c.wait() == 137


def test_stdio_is_the_terminal(oci, bundle, fd_socket):
    listener = fd_socket()
    c = oci.container(bundle("test -t 0 && test -t 1 && test -t 2 && echo all three; sleep 1000", TTY))
    c.create("--console-socket", listener.path).ok()
    with listener.console() as console:
        c.start().ok()
        console.until("all three")


def test_dev_console(oci, bundle, fd_socket):
    listener = fd_socket()
    c = oci.container(bundle("test -c /dev/console && echo one; echo two > /dev/console; sleep 1000", TTY))
    c.create("--console-socket", listener.path).ok()
    with listener.console() as console:
        c.start().ok()
        console.until("one")
        console.until("two")


def test_it_is_the_controlling_terminal(oci, bundle, fd_socket):
    listener = fd_socket()
    c = oci.container(bundle("trap 'echo winch' WINCH; trap 'echo int; exit 5' INT; echo by tty > /dev/tty; "
                             "echo ready; while :; do sleep 0.05; done", TTY))
    c.create("--console-socket", listener.path).ok()
    with listener.console() as console:
        c.start().ok()
        console.until("by tty")
        console.until("ready")
        set_size(console.fd, 10, 20)
        console.until("winch")
        console.say("\x03")
        console.until("int")
        assert c.wait() == 5


def test_console_size(oci, bundle, fd_socket):
    listener = fd_socket()
    c = oci.container(bundle("stty size; sleep 1000", SIZED))
    c.create("--console-socket", listener.path).ok()
    with listener.console() as console:
        assert size_of(console.fd) == (33, 77)
        c.start().ok()
        console.until("33 77")


def test_the_owner_of_the_terminal(oci, bundle, fd_socket):
    listener = fd_socket()
    c = oci.container(bundle("stat -c '%u' $(tty); sleep 1000", {**TTY, "process/user": {"uid": 1000, "gid": 1000}}))
    c.create("--console-socket", listener.path).ok()
    with listener.console() as console:
        c.start().ok()
        console.until("1000")


@pytest.mark.parametrize("wrong", ["missing", "a file", "nobody listens"])
def test_a_console_socket_that_is_none(oci, bundle, wrong):
    c = oci.container(bundle(READY, TTY))
    path = os.path.join(oci.scratch(), "socket")
    if wrong == "a file":
        with open(path, "w", encoding="utf-8"):
            pass
    if wrong == "nobody listens":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path)
    c.create("--console-socket", path).failed(1)
    assert not oci.traces()


def test_a_terminal_without_a_socket(oci, bundle):
    c = oci.container(bundle(READY, TTY))
    c.create().failed(1, "console")
    assert not oci.traces()


def test_a_socket_without_a_terminal(oci, bundle, fd_socket):
    listener = fd_socket()
    c = oci.container(bundle(READY))
    result = c.create("--console-socket", listener.path)
    if oci.name != "crun":
        result.failed(1, "console")
        assert not oci.traces()


def test_a_socket_with_a_long_path(oci, bundle):
    """conmon's are short, Buildah's in a deep TMPDIR are not: past 107 bytes no address holds them."""
    where = os.path.join(oci.scratch(), "d" * 120)
    os.mkdir(where)
    here = os.open(where, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{here}/s")
        listener.listen()
        c = oci.container(bundle("echo ready; exec sleep 1000", TTY))
        result = c.create("--console-socket", f"{where}/s")
        os.close(here)
        if result.status == 0:
            listener.settimeout(5 * machine.PATIENCE)
            connection, _ = listener.accept()
            with connection:
                _, fds, _, _ = socket.recv_fds(connection, 4096, 4)
            with Console(fds[0]) as console:
                c.start().ok()
                console.until("ready")
        else:
            result.failed(1)
            assert not oci.is_ours


def test_exec_with_a_console_socket(oci, bundle, fd_socket):
    c = oci.running(bundle(READY))
    listener = fd_socket()
    pid_file = os.path.join(oci.scratch(), "pid")
    c.exec_process(process("stty size; tty; cat", {"terminal": True, "consoleSize": {"height": 12, "width": 34}}),
                   "--detach", "--pid-file", pid_file, "--tty", "--console-socket", listener.path).ok()
    with listener.console() as console:
        if oci.name != "runc":
            console.until("12 34")
        console.until("/dev/pts/")
        console.say("hello\n")
        console.until("hello")
        os.kill(int(machine.read(pid_file)), signal.SIGKILL)


def test_exec_tty_option_with_a_console_socket(oci, bundle, fd_socket):
    c = oci.running(bundle(READY))
    listener = fd_socket()
    running = oci.popen("exec", "--tty", "--detach", "--console-socket", listener.path, c.id, "sh", "-c", "tty; sleep 1000")
    with listener.console() as console:
        console.until("/dev/pts/")
    assert running.wait() == 0


def test_run_detached_with_a_console_socket(oci, bundle, fd_socket):
    listener = fd_socket()
    c = oci.container(bundle("tty; sleep 1000", TTY))
    c.run("--detach", "--console-socket", listener.path).ok()
    with listener.console() as console:
        console.until("/dev/pts/0")
        c.delete("--force").ok()


def test_run_detached_with_a_terminal_needs_a_socket(oci, bundle):
    c = oci.container(bundle("tty; sleep 1000", TTY))
    c.run("--detach").failed(1)
    assert not oci.traces()


# ---- in the foreground ----

class Terminal:
    """The caller's terminal."""

    def __init__(self, rows=24, columns=80):
        self.master, self.slave = pty.openpty()
        set_size(self.master, rows, columns)
        self.console = Console(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.console.close()
        os.close(self.slave)


def test_run_in_the_callers_terminal(oci, bundle):
    with Terminal(44, 99) as terminal:
        c = oci.container(bundle("tty; stty size; echo ready; read x; echo got $x; exit 4", TTY))
        c.touched = True
        c.bundle.write()
        running = oci.popen("run", "--bundle", c.bundle.path, c.id, stdio=[terminal.slave] * 3, session=True)
        said = terminal.console.until("ready")
        assert "/dev/pts/0" in said
        assert "44 99" in said
        terminal.console.say("word\n")
        terminal.console.until("got word")
        assert running.wait() == 4


def test_the_callers_terminal_is_as_it_was(oci, bundle):
    with Terminal() as terminal:
        before = termios.tcgetattr(terminal.slave)
        c = oci.container(bundle("exit 3", TTY))
        c.touched = True
        c.bundle.write()
        running = oci.popen("run", "--bundle", c.bundle.path, c.id, stdio=[terminal.slave] * 3, session=True)
        assert running.wait() == 3
        assert termios.tcgetattr(terminal.slave) == before


def test_exec_in_the_callers_terminal(oci, bundle):
    c = oci.running(bundle(READY))
    with Terminal(44, 99) as terminal:
        running = oci.popen("exec", "--tty", c.id, "sh", "-c", "tty; echo ready; read x; echo got $x; exit 4",
                            stdio=[terminal.slave] * 3, session=True)
        assert "/dev/pts/" in terminal.console.until("ready")
        terminal.console.say("word\n")
        terminal.console.until("got word")
        assert running.wait() == 4


def test_output_has_no_carriage_returns_of_the_inner_terminal(oci, bundle):
    """runc clears ONLCR of the inner one, so that the outer adds them once."""
    with Terminal() as terminal:
        c = oci.container(bundle("printf 'a\\nb\\n'", TTY))
        c.touched = True
        c.bundle.write()
        running = oci.popen("run", "--bundle", c.bundle.path, c.id, stdio=[terminal.slave] * 3, session=True)
        assert running.wait() == 0
        machine.wait_until(lambda: select.select([terminal.master], [], [], 0.1)[0], what="its output")
        assert os.read(terminal.master, 100) == b"a\r\nb\r\n"


def test_run_with_a_terminal_and_without_ours(oci, bundle):
    """stdin is no terminal: runc passes the output on all the same."""
    result = oci.run(bundle("tty; echo fine", TTY))
    if result.status == 0:
        assert "fine" in result.out
    else:
        result.failed(1)
