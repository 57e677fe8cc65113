# SPDX-License-Identifier: Apache-2.0
"""Signals at any moment, and many at once."""

import random
import signal

import pytest
import sweep

RUNS = 1000 if sweep.FULL else 200


@pytest.mark.parametrize("who", ["root", "user", "poor"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_a_signal_at_any_moment(sweeper, who, number):
    workers = sweeper(who)
    chance = random.Random(f"{who} {number}")
    config = sweep.Config("--root", sweep.DIR, program=["sleep", "0.005"])
    killed = number == signal.SIGKILL
    cases = [config.case(workers, f"{number.name}", signal=(chance.uniform(0, 0.02), number), killed=True,
                         then=chance.choice(["rm rm", "run"]) if killed else "") for _ in range(RUNS)]
    outcomes = workers.sweep(f"{number.name} at a random moment: {who}", cases)
    statuses = {outcome.status for outcome in outcomes}
    # Ended before it was heard; refused to go on; passed on to the program; too late.
    assert statuses <= {128 + number, 125, 0}, statuses
    assert 128 + number in statuses, "no signal came in time"


@pytest.mark.parametrize("who", ["root", "user"])
def test_one_name_for_many(sweeper, who):
    """One gets it at a time. The others are told who has it; and it is free at the end."""
    workers = sweeper(who)
    config = sweep.Config("one name", sweep.DIR, program=["sleep", "0.2"])
    cases = [config.case(workers) for _ in range(20)]
    for case in cases:
        case.words = ["one-name" if word == "@NAME" else word for word in case.words]
    outcomes, left = workers.crowd(cases)
    assert not left, left
    good = [outcome for outcome in outcomes if outcome.status == 0]
    refused = [outcome for outcome in outcomes if outcome.status != 0]
    assert good and refused
    for outcome in refused:
        assert outcome.status == 125 and "container one-name has been running since" in outcome.err, str(outcome)


@pytest.mark.parametrize("who", ["root", "user", "poor"])
def test_many_at_once(sweeper, who):
    """Each has ids of its own, where the account has more than one range."""
    workers = sweeper(who)
    config = sweep.Config("many", sweep.DIR, program=["sh", "-c", "cat /proc/self/uid_map; sleep 0.3"])
    outcomes, left = workers.crowd([config.case(workers) for _ in range(50)])
    assert not left, left
    assert {outcome.status for outcome in outcomes} == {0}, next(str(o) for o in outcomes if o.status)
    if who == "root":
        ranges = [int(outcome.out.split()[1]) for outcome in outcomes]
        assert len(set(ranges)) == 50 and all(first % 65536 == 0 for first in ranges), ranges
