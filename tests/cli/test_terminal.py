# SPDX-License-Identifier: Apache-2.0
"""A terminal of the container's own: what a person who types into it sees, and what is left of the caller's."""

import dataclasses
import os
import signal
import termios

import machine
import pexpect
import pytest


def enterer(account):
    """Account.enter for pexpect, which closes every descriptor first: the parent's is opened again."""
    parent = os.getpid()

    def enter():
        if account.mount_ns < 0:
            return account.enter()
        fd = os.open(f"/proc/{parent}/fd/{account.mount_ns}", os.O_RDONLY | os.O_CLOEXEC)
        return dataclasses.replace(account, mount_ns=fd).enter()

    return enter


class Terminal:
    """nook on a terminal, with the test as the person before it."""

    def __init__(self, nook, argv, size=(40, 132)):
        self.child = pexpect.spawn(nook.binary, argv, env=nook.account.environment(), cwd="/", encoding="utf-8",
                                   timeout=10, dimensions=size, preexec_fn=enterer(nook.account))
        self.child.delaybeforesend = None

    def see(self, pattern):
        self.child.expect(pattern)
        return self.child.match

    def type(self, text):
        self.child.send(text)

    def mode(self):
        return termios.tcgetattr(self.child.child_fd)

    def is_raw(self):
        _, oflag, _, lflag = self.mode()[:4]
        return not lflag & (termios.ICANON | termios.ECHO | termios.ISIG) and not oflag & termios.OPOST

    def end(self):
        """Its exit status, when all that it wrote was read."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus if self.child.signalstatus is None else 128 + self.child.signalstatus


@pytest.fixture
def terminal(nook, busybox_root):
    """A function: starts `nook run … -- sh -c SCRIPT` on a terminal."""
    made = []

    def start(script, *options, **kw):
        argv = ["run", "--root", busybox_root(nook), *options, "--", "sh", "-c", script]
        made.append(Terminal(nook, argv, **kw))
        return made[-1]

    yield start
    for one in made:
        try:
            one.child.close(force=True)
        except OSError:
            pass  # the test has closed it


def test_stdin_stdout_and_stderr_are_one_new_terminal(terminal):
    t = terminal("for n in 0 1 2; do test -t $n && echo $n is one; done; tty; ls -l /proc/self/fd/0")
    t.see("0 is one.*1 is one.*2 is one")
    assert t.see(r"(/dev/\S+)\r\n")[1] in ("/dev/pts/0", "/dev/console")
    assert t.end() == 0


def test_no_terminal_when_stdin_is_none(nook, busybox_root):
    assert nook.sh("test -t 0 || echo none", "--root", busybox_root(nook)).ok() == "none"


def test_a_terminal_by_wish(nook, busybox_root):
    result = nook.sh("test -t 0 && test -t 1 && echo both", "--tty", "--root", busybox_root(nook))
    assert result.ok().strip() == "both"


def test_no_terminal_by_wish(terminal):
    t = terminal("tty; test -e /dev/pts/0 || echo no pts", "--no-tty")
    t.see("no pts")
    assert t.end() == 0


def test_the_end_of_a_pipe_is_the_end_of_input(nook, busybox_root):
    result = nook.sh("wc -c", "--tty", "--root", busybox_root(nook), input="eight\nby")
    assert result.ok().endswith("by8")  # the echo of a line begun, and then the count


def test_what_is_typed_arrives_and_is_echoed_once(terminal):
    t = terminal("read line; echo \"got <$line>\"")
    machine.wait_until(t.is_raw, what="a raw terminal")
    t.type("hello\r")
    t.see("got <hello>")
    assert t.child.before.count("hello") == 1
    assert t.end() == 0


def test_the_exit_status_is_the_programs(terminal):
    t = terminal("exit 7")
    assert t.end() == 7


def test_a_signal_that_ends_the_program_is_told(terminal):
    t = terminal("kill -KILL $$")
    assert t.end() == 137


def test_all_of_a_long_output_is_shown(terminal):
    t = terminal("stty -opost; head -c 300000 /dev/zero | tr '\\0' x; echo; echo the end")
    t.see("the end")
    assert t.child.before.count("x") == 300000
    assert t.end() == 0


def test_the_window_is_the_callers_from_the_start(terminal):
    t = terminal("stty size", size=(33, 77))
    t.see("33 77")
    assert t.end() == 0


def test_the_window_follows(terminal):
    t = terminal("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done")
    t.see("ready")
    t.child.setwinsize(21, 43)
    t.see("21 43")
    assert t.end() == 0


def test_the_callers_terminal_is_raw_meanwhile_and_then_as_before(terminal):
    t = terminal("echo ready; read line")
    fresh, other = os.openpty()
    before = termios.tcgetattr(fresh)[:4]  # how pexpect's was made too
    os.close(fresh)
    os.close(other)
    t.see("ready")
    machine.wait_until(t.is_raw, what="a raw terminal")
    t.type("\r")
    machine.wait_until(lambda: not t.child.isalive(), what="the end")
    assert t.mode()[:4] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_terminal_is_restored_when_nook_is_told_to_end(terminal, number):
    t = terminal("trap 'exit 9' TERM HUP INT; echo ready; while :; do sleep 0.05; done")
    t.see("ready")
    machine.wait_until(t.is_raw, what="a raw terminal")
    os.kill(t.child.pid, number)
    machine.wait_until(lambda: not t.child.isalive(), what="the end")
    assert not t.is_raw()
    assert t.child.exitstatus == 9


def test_ctrl_c_ends_the_command_and_not_the_shell(terminal):
    t = terminal("trap 'echo caught' INT; sleep 100; echo on")
    machine.wait_until(t.is_raw, what="a raw terminal")
    machine.wait_until(lambda: len(machine.descendants(t.child.pid)) >= 2, what="the command")
    machine.wait_until(lambda: any(cmdline(pid).startswith(b"sleep") for pid in machine.descendants(t.child.pid)), what="sleep")
    t.type("\x03")
    t.see("on")
    assert t.end() == 0


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def test_job_control_inside(terminal):
    """Busybox's shell loses the line it is writing when SIGCHLD comes just then: so nothing is asked of it before
    the command has gone on, which is when that signal has come."""
    t = terminal("exec sh -i")
    t.see("[#$] ")
    t.type("sleep 100\r")
    sleep = machine.wait_until(
        lambda: [pid for pid in machine.descendants(t.child.pid) if cmdline(pid).startswith(b"sleep")], what="sleep")[0]
    t.type("\x1a")
    t.see("Stopped")
    t.see("[#$] ")
    t.type("bg >/dev/null\r")
    machine.wait_until(lambda: machine.state_of(sleep) == "S", what="the command's going on")
    t.type("jobs\r")
    t.see("Running.*sleep 100")
    t.type("kill %1; exit 5\r")
    assert t.end() == 5


def test_ctrl_d_ends_a_shell(terminal):
    t = terminal("exec sh -i")
    t.see("[#$] ")
    t.type("\x04")
    assert t.end() == 0


def test_the_shells_hang_up_ends_the_container(terminal):
    t = terminal("echo ready; while :; do sleep 0.05; done")
    t.see("ready")
    pids = machine.descendants(t.child.pid)
    os.close(t.child.child_fd)
    machine.wait_until(lambda: all(machine.state_of(pid) in (None, "Z") for pid in pids), what="the end")
    _, status = os.waitpid(t.child.pid, 0)
    t.child.terminated = t.child.ptyproc.terminated = True
    assert os.WEXITSTATUS(status) == 129


def test_nothing_inside_reaches_the_callers_terminal(terminal, nook):
    """Neither by a descriptor nor as the controlling terminal: else TIOCSTI would type for the caller."""
    t = terminal("ls -l /proc/self/fd; cat /proc/1/stat; echo end")
    t.see("end\r\n")
    outer = os.ttyname(t.child.child_fd) if os.isatty(t.child.child_fd) else ""
    assert "ptmx" not in t.child.before
    assert not outer or f"-> {outer}" not in t.child.before.replace("/dev/pts/0", "")
    stat = [line for line in t.child.before.splitlines() if line.startswith("1 (")][0]
    assert stat.rsplit(")", 1)[1].split()[4] == "0", "pid 1 has a controlling terminal"
    assert t.end() == 0


def test_pid_1_does_not_show_what_the_caller_typed(terminal):
    t = terminal("tr '\\0' ' ' </proc/1/cmdline; echo; echo end", "--env", "PASSWORD=geheim")
    t.see("end\r\n")
    assert "geheim" not in t.child.before and "--root" not in t.child.before
    assert t.end() == 0


def test_a_shells_job(nook, busybox_root):
    """^Z at a shell can't reach nook, whose terminal is raw; but SIGTSTP stops it, and `fg` goes on."""
    root = busybox_root(nook)
    shell = pexpect.spawn("/bin/bash", ["--norc", "--noprofile", "-i"], encoding="utf-8", timeout=10, cwd="/",
                          env={**nook.account.environment(), "PS1": "outer> "}, preexec_fn=enterer(nook.account))
    shell.delaybeforesend = None
    shell.expect("outer> ")
    shell.send(f"{nook.binary} run --root {root} -- sh -c 'echo ready; read line; echo got $line'\r")
    shell.expect("ready\r\n")
    job = machine.wait_until(lambda: machine.children(shell.pid), what="the job")[0]
    os.kill(job, signal.SIGTSTP)
    shell.expect("Stopped")
    shell.expect("outer> ")
    shell.send("echo $((6*7))\r")
    shell.expect("42\r\n")
    shell.send("fg\r")
    shell.expect("sh -c")
    machine.wait_until(lambda: not termios.tcgetattr(shell.child_fd)[3] & termios.ICANON, what="a raw terminal")
    shell.send("on\r")
    shell.expect("got on")
    shell.expect("outer> ")
    shell.send("exit\r")
    shell.expect(pexpect.EOF)
    shell.close()


def test_exec_has_a_terminal_of_its_own(nook, busybox_root):
    with nook.background("echo ready; exec sleep 1000", "--root", busybox_root(nook)) as container:
        t = Terminal(nook, ["exec", container.name, "--", "sh", "-c", "tty; stty size; read line; exit 6"], size=(12, 34))
        t.see(r"/dev/")
        t.see("12 34")
        machine.wait_until(t.is_raw, what="a raw terminal")
        t.type("\r")
        assert t.end() == 6
