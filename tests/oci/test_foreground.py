# SPDX-License-Identifier: Apache-2.0
"""run in the foreground, as people and scripts call it: lines, terminals, signals and the status."""

import os
import pty
import signal
import termios

import pytest

import machine
from oci import READY, Console

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
