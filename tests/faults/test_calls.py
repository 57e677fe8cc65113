# SPDX-License-Identifier: Apache-2.0
"""Every system call, and every allocation, fails in turn; or nook is killed just before it."""

import errno

import pytest
import sweep

SOME = ["--root", "limits", "--share pid", "--join", "tty", "exec", "exec, limits"]
ERRORS = [errno.ENOMEM, errno.EPERM, errno.ENOSYS, errno.EMFILE] if sweep.FULL else [errno.ENOMEM]


def calls(sweeper, config, inside=True):
    """Numbers and names of the calls that this way to use nook makes."""
    outcome = sweeper.one(config.case(sweeper, "no fault", listed=True))
    assert outcome.status == 0 and not outcome.wrong, str(outcome)
    rows = [line.split(maxsplit=2) for line in outcome.calls]
    found = {int(row[1]): row[2] for row in rows if row[1] != "step" and (inside or row[0] == "outside")}
    assert len(found) > 30, found
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


@pytest.mark.parametrize("pair", sweep.pairs(some=SOME), ids=sweep.ids)
def test_nook_is_killed_before_a_call(sweeper, pair):
    """With SIGKILL. All inside dies with it; what is left goes by one `rm --force`, or by the next run of that name."""
    who, config = pair
    workers = sweeper(who)
    kinds = [""] if config.command == "exec" else ["rm rm", "run"]
    cases = [config.case(workers, f"killed before {name}", env={"NOOK_FAULT_CALL": f"{call}:kill"}, killed=True,
                         then=then)
             for call, name in calls(workers, config, inside=False).items()
             for then in (kinds if sweep.FULL else [kinds[call % len(kinds)]])]
    outcomes = workers.sweep(f"killed at every call: {who}", cases)
    assert sum(outcome.status == 137 for outcome in outcomes) > len(cases) * 0.8


@pytest.mark.parametrize("pair", sweep.pairs(some=SOME), ids=sweep.ids)
def test_the_stage_is_killed_before_a_call(sweeper, pair):
    """nook lives, and cleans up."""
    who, config = pair
    workers = sweeper(who)
    cases = [config.case(workers, f"stage killed before {name}", env={"NOOK_FAULT_CALL": f"{call}:kill"}, killed=True)
             for call, name in calls(workers, config).items() if call > 1000000]
    outcomes = workers.sweep(f"stage killed at every call: {who}", cases)
    assert sum(outcome.status in (125, 137) for outcome in outcomes) > len(cases) * 0.8


@pytest.mark.parametrize("pair", sweep.pairs(), ids=sweep.ids)
def test_few_descriptors(sweeper, pair):
    """It works, or says clearly why not."""
    who, config = pair
    workers = sweeper(who)
    cases = [config.case(workers, f"{number} descriptors", nofile=number) for number in (*range(3, 40), 64)]
    outcomes = workers.sweep(f"3 to 39, and 64, descriptors allowed: {who}", cases)
    assert outcomes[0].status == 125, str(outcomes[0])
    assert outcomes[-1].status == 0, str(outcomes[-1])
