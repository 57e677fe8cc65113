# SPDX-License-Identifier: Apache-2.0
"""create, start, state, kill, delete: what an engine calls, in every order and at every moment."""

from oci import READY


def test_a_life(oci, bundle):
    c = oci.container(bundle(READY))
    c.create().ok()
    assert c.status == "created"
    assert c.out() == ""
    c.start().ok()
    c.until_said("ready")
    assert c.status == "running"
    c.kill("KILL").ok()
    assert c.wait() == 137
    c.until("stopped")
    c.delete().ok()
    assert not oci.traces()


def test_run(oci, bundle):
    result = oci.run(bundle("echo out; echo err >&2; exit 7"))
    assert (result.status, result.out, result.err) == (7, "out\n", "err\n")
    assert not oci.traces()


def test_exec(oci, bundle):
    c = oci.running(bundle(READY))
    assert c.exec("echo", "hello").ok() == "hello"
