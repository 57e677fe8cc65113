# SPDX-License-Identifier: Apache-2.0
"""A container on a network with a published port, by strace: the program as it is installed, with every call that the kernel sees."""

import net_sweep
import pytest
import sweep
from test_strace import STRACE, seen

pytestmark = pytest.mark.skipif(not STRACE, reason="needs strace")
STRIDE = 1 if sweep.FULL else 4
MEMORY = {"mmap", "brk"}  # what no fault point stands for: every one of these


@pytest.fixture(scope="module")
def workers(installed, base, why_no_netlab):
    yield from net_sweep.workers(installed, base, why_no_netlab)


@pytest.mark.parametrize("error", ["ENOMEM", "EPERM", "ENOSYS", "EMFILE"] if sweep.FULL else ["ENOMEM"])
def test_a_call_that_fails(workers, base, error):
    """In nook alone: the relay counts its own calls, so that two would meet it."""
    cases = [net_sweep.RUN.case(workers, f"{name} {number}", program_may_fail=True,
                                prefix=[STRACE, "-qq", "-o", "/dev/null", "-e", f"inject={name}:error={error}:when={number}"])
             for i, (name, number) in enumerate(seen(workers, net_sweep.RUN, base))
             if name != "close" and (name in MEMORY or i % STRIDE == 0)]
    workers.sweep(f"strace, {error} at every call of run --net", cases)


def test_nook_is_killed_at_a_call(workers, base):
    kinds = ["rm rm", "run"]
    cases = [net_sweep.RUN.case(workers, f"killed at {name} {number}", killed=True, then=kinds[i % 2],
                                prefix=[STRACE, "-qq", "-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={number}"])
             for i, (name, number) in enumerate(seen(workers, net_sweep.RUN, base)[::STRIDE])]
    outcomes = workers.sweep("strace, killed at every call of run --net", cases)
    assert sum(outcome.status == 137 for outcome in outcomes) > len(cases) * 0.9
