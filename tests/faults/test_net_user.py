# SPDX-License-Identifier: Apache-2.0
"""Ports of an ordinary user's containers: a call fails, or nook is killed before it. No process, socket or file is left."""

import errno

import pytest
import sweep
from netlab import HOST, V4
from netuser import FOREVER, needs_pasta, ours, programs, until, user, who  # noqa: F401
from result import unique

pytestmark = [needs_pasta, pytest.mark.parametrize("who", ["user"], indirect=True)]

MOST = 2000  # calls: more than any of these makes
# Of the calls every so manieth, unless NOOK_SWEEP=full; primes, so that they meet others.
STRIDES = {"kill": 3, errno.ENOMEM: 5}


@pytest.fixture(params=STRIDES, ids=lambda fault: fault if isinstance(fault, str) else errno.errorcode[fault])
def fault(request):
    return request.param


@pytest.fixture
def blue(user):
    user.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24").ok()


def each(nook, words, fault):
    """The command with its calls failed, one after another, until none of that number matters any more."""
    fine, stride = 0, 1 if sweep.FULL else STRIDES[fault]
    for call in range(1, MOST, stride):
        result = nook.cmd(*words, env={"NOOK_FAULT_CALL": f"{call}:{fault}"})
        # The relay is forked from it and counts on: that one is killed, too, and nook says so. Without a part of
        # the root that is no shortage of the command's, a program may not be found.
        assert result.status in ((0, 125, 137) if fault == "kill" else (0, 125, 126, 127)), str(result)
        result.argv.append(f"# call {call}")
        yield result
        fine = fine + 1 if result.status == 0 else 0
        if fine * stride > 60:
            return
    raise AssertionError(f"more than {MOST} calls")


def nothing_serves(netlab, user):
    until(lambda: not ours(user, "nook-relay") and not ours(user, "nook-outside"))
    assert netlab.world.why_not(HOST[V4], 8077) == "ECONNREFUSED"


def test_a_container_with_a_port_starts(netlab, user, blue, fault):
    failures = 0
    name = unique("web")
    for result in each(user, ["run", "--net", "blue", "--publish", "8077:80", "--name", name, "--", "true"], fault):
        failures += result.status != 0
        nothing_serves(netlab, user)
        if result.status != 0:
            user.cmd("rm", "--force", name)  # there may be no such container
            again = user.run("--net", "blue", "--publish", "8077:80", "--name", name, "--", "true")
            assert again.status == 0, f"{result}\n{again}"
    assert failures > 10


def test_a_port_is_published_and_taken_back(netlab, user, blue, fault):
    """Half published, it can be published, and unpublished."""
    failures = 0
    with user.background(FOREVER, "--net", "blue") as one:
        netlab.space_of(one.pid).serve("inside", 80)
        for verb in ("publish", "unpublish"):
            for result in each(user, ["net", verb, one.name, "8077:80"], fault):
                failures += result.status != 0
                again = user.cmd("net", "publish", one.name, "8077:80")
                assert again.status == 0, f"{result}\n{again}"
                # Whom the old relay has just not let in any more asks again.
                until(lambda: netlab.world.why_not(HOST[V4], 8077) != "ECONNRESET")
                assert netlab.world.why_not(HOST[V4], 8077) is None, f"{result}\n{again}"
                if verb == "publish":
                    user.cmd("net", "unpublish", one.name, "8077:80").ok()
                    nothing_serves(netlab, user)
        assert failures > 20
    nothing_serves(netlab, user)
