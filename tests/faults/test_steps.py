# SPDX-License-Identifier: Apache-2.0
"""Every step of both lists fails in turn."""

import pytest
import sweep


def steps(sweeper, config):
    """Names of the steps that this way to use nook walks, on each side, as NOOK_FAULT_STEP has them."""
    outcome = sweeper.one(config.case(sweeper, "no fault", listed=True))
    assert outcome.status == 0 and not outcome.wrong, str(outcome)
    words = [line.split() for line in outcome.calls]
    return list(dict.fromkeys(f"{word[0]}:{word[2]}" for word in words if word[1] == "step"))


@pytest.mark.parametrize("pair", sweep.pairs(), ids=sweep.ids)
def test_a_step_that_fails(sweeper, pair):
    who, config = pair
    workers = sweeper(who)
    names = steps(workers, config)
    assert any(name.startswith("inside:") for name in names) and any(name.startswith("outside:") for name in names)
    cases = [config.case(workers, f"step {name}", env={"NOOK_FAULT_STEP": name}, must_fail=True) for name in names]
    for outcome in workers.sweep(f"every step fails: {who}", cases):
        assert outcome.faults, f"the fault was not reached: {outcome}"
        # The program itself can't be executed: a status of its own.
        assert outcome.status == (126 if outcome.case.what.endswith(":exec_program") else 125), str(outcome)
