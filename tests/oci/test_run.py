# SPDX-License-Identifier: Apache-2.0
"""run: the engine's short way, in front and behind."""

import signal

import pytest

import machine
from oci import READY, Process


def test_run(oci, bundle):
    result = oci.run(bundle("echo out; echo err >&2; exit 7"))
    assert (result.status, result.out, result.err) == (7, "out\n", "err\n")
    assert not oci.traces()


def test_run_reads_stdin(oci, bundle):
    assert oci.run(bundle("cat"), input="some text\n").ok() == "some text"


def test_run_of_what_a_signal_ends(oci, bundle):
    c = oci.container(bundle(READY))
    process = c.run_later()
    c.until_said("ready")
    c.kill("KILL").ok()
    assert process.wait() == 137
    assert not oci.traces()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT])
def test_run_passes_signals_on(oci, bundle, number):
    c = oci.container(bundle(f"trap 'exit 9' {number.value}; echo ready; while :; do sleep 0.05; done"))
    process = c.run_later()
    c.until_said("ready")
    process.signal(number)
    assert process.wait() == 9


def test_run_detached(oci, bundle):
    c = oci.container(bundle(READY))
    result = c.run("--detach", "--pid-file", c.pid_file)
    result.ok()
    assert c.status == "running"
    pid = int(machine.read(c.pid_file))
    assert pid == c.state()["pid"]
    c.init = Process(oci.keeper, pid)
    c.kill("KILL").ok()
    assert c.until_stopped() == 137
    c.delete().ok()
    assert not oci.traces()


def test_run_with_a_pid_file(oci, bundle):
    c = oci.container(bundle(READY))
    process = c.run_later("--pid-file", c.pid_file)
    c.until_said("ready")
    assert int(machine.read(c.pid_file)) == c.state()["pid"]
    c.kill("KILL").ok()
    process.wait()


def test_run_keep(oci, bundle):
    c = oci.container(bundle("exit 4"))
    assert c.run("--keep").status == 4
    assert c.status == "stopped"
    c.delete().ok()
    assert not oci.traces()


def test_run_ends_what_its_program_left(oci, bundle):
    assert oci.run(bundle("sleep 1000 & exit 0")).status == 0
    oci.until_clear()


def test_delete_force_while_run_waits(oci, bundle):
    c = oci.container(bundle(READY))
    process = c.run_later()
    c.until_said("ready")
    c.delete("--force").ok()
    process.wait()
    oci.until_clear()


def test_run_killed_with_9(oci, bundle):
    """The container goes on; delete --force ends all."""
    c = oci.container(bundle(READY))
    process = c.run_later()
    c.until_said("ready")
    process.signal(signal.SIGKILL)
    assert process.wait() == 137
    c.delete("--force").ok()
    oci.until_clear()
