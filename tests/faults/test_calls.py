# SPDX-License-Identifier: Apache-2.0
"""Every system call, and every allocation, fails in turn; or nook is killed just before it."""

import errno

import pytest
import sweep

ERRORS = [errno.ENOMEM, errno.EPERM, errno.ENOSYS, errno.EMFILE] if sweep.FULL else [errno.ENOMEM]


def calls(sweeper, config, inside=True):
    """Numbers and names of the calls that this way to use nook makes."""
    outcome = sweeper.one(config.case(sweeper, "no fault", listed=True))
    assert outcome.status == 0 and not outcome.wrong, str(outcome)
    rows = [line.split(maxsplit=2) for line in outcome.calls]
    found = {int(row[1]): row[2] for row in rows if row[1] != "step" and (inside or row[0] == "outside")}
    assert len(found) > 100, found
    if inside:  # pid 1 inside has no descriptor to list its calls on
        last = max(found)
        found.update({call: "pid 1's call" for call in range(last + 1, last + 10)})
    return found


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("pair", sweep.pairs(), ids=sweep.ids)
def test_a_call_that_fails(sweeper, pair, number):
    """Whatever it is, there is a clear error or it did not matter; and nothing is left."""
    who, config = pair
    workers = sweeper(who)
    cases = [config.case(workers, f"{name} fails", env={"NOOK_FAULT_CALL": f"{call}:{number}"})
             for call, name in calls(workers, config).items()]
    outcomes = workers.sweep(f"{errno.errorcode[number]} at every call: {who}", cases)
    reached = sum(bool(outcome.faults) for outcome in outcomes)
    assert reached > len(cases) * 0.9, f"only {reached} of {len(cases)} faults were reached"
