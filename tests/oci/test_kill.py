# SPDX-License-Identifier: Apache-2.0
"""kill: which signal, and whom it reaches."""

import time

import pytest

import machine
from oci import READY

TRAP = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"


@pytest.mark.parametrize("word", ["TERM", "SIGTERM", "15", "term", "sigterm"])
def test_how_a_signal_is_said(oci, bundle, word):
    c = oci.running(bundle(TRAP))
    c.kill(word).ok()
    assert c.wait() == 3


def test_the_default_signal_is_term(oci, bundle):
    c = oci.running(bundle(TRAP))
    oci.cmd("kill", c.id).ok()
    assert c.wait() == 3


@pytest.mark.parametrize("word", ["NOSUCH", "65", "99999", "-1", "9x", "SIG", "4294967305"])
def test_signals_that_are_none(oci, bundle, word):
    c = oci.running(bundle(READY))
    oci.cmd("kill", "--", c.id, word).failed(1)
    assert c.status == "running"


@pytest.mark.parametrize("word", ["RTMIN+3", "37", "SIGRTMIN+3"])
def test_real_time_signals(oci, bundle, word):
    c = oci.running(bundle("trap 'exit 6' 37; echo ready; while :; do sleep 0.05; done"))
    c.kill(word).ok()
    assert c.wait() == 6


def test_kill_of_a_created_one(oci, bundle):
    c = oci.container(bundle(READY))
    c.create().ok()
    c.kill("KILL").ok()
    assert c.until_stopped() == 137
    c.delete().ok()
    assert not oci.traces()


def test_kill_of_a_stopped_one(oci, bundle):
    """containerd takes one of these texts as 'it is gone'."""
    c = oci.container(bundle("true"))
    c.create().ok()
    c.start().ok()
    c.until_stopped()
    error = c.kill("KILL").failed(1)
    assert any(text in error for text in ("not running", "no such process", "os: process already finished"))


def test_kill_all_of_a_stopped_one(oci, bundle):
    c = oci.container(bundle("true"))
    c.create().ok()
    c.start().ok()
    c.until_stopped()
    c.kill("--all", "KILL").ok()


def test_kill_all_reaches_every_process(oci, bundle):
    c = oci.running(bundle("for i in 1 2 3; do (trap 'echo got; exit' USR1; while :; do sleep 0.05; done) & done; sleep 0.2;"
                           "trap 'echo first' USR1; echo ready; while :; do sleep 0.05; done"))
    c.kill("--all", "USR1").ok()
    machine.wait_until(lambda: c.out().count("got") == 3 and "first" in c.out(), what="all signals")


def test_kill_without_all_reaches_the_first_alone(oci, bundle):
    c = oci.running(bundle("(trap 'echo got' USR1; while :; do sleep 0.05; done) & sleep 0.2;"
                           "trap 'echo first' USR1; echo ready; while :; do sleep 0.05; done"))
    c.kill("USR1").ok()
    c.until_said("first")
    time.sleep(0.1)
    assert "got" not in c.out()


def test_kill_of_a_paused_one(oci, bundle):
    c = oci.running(bundle(READY))
    c.cmd("pause").ok()
    c.kill("KILL").ok()
    assert c.until_stopped() == 137


def test_kill_all_of_a_paused_one(oci, bundle):
    c = oci.running(bundle("sleep 1000 & " + READY))
    c.cmd("pause").ok()
    c.kill("--all", "KILL").ok()
    assert c.wait() == 137
