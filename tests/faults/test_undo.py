# SPDX-License-Identifier: Apache-2.0
"""What undoes a container meets a failure itself."""

import pytest
import sweep

SOME = ["--root", "--layer --changes", "limits", "--share pid", "--join", "tty", "exec"]


@pytest.mark.parametrize("pair", sweep.pairs(some=SOME), ids=sweep.ids)
def test_a_failed_start_whose_cleanup_meets_a_failure(sweeper, pair):
    """The last step fails, and one call of the cleanup too: that is tried again."""
    who, config = pair
    workers = sweeper(who)
    env = {"NOOK_FAULT_STEP": "outside:await_program"}
    rows = [line.split(maxsplit=2) for line in workers.one(config.case(workers, "", env=env, listed=True)).calls]
    begin = next(i for i, row in enumerate(rows) if row[1] == "step" and row[2] == "await_program !")
    numbers = {int(row[1]): row[2] for row in rows[begin:] if row[0] == "outside" and row[1] != "step"}
    assert len(numbers) > 1, rows
    # The stage goes on meanwhile, so that the number of calls differs.
    last = max(numbers) + 5
    cases = [config.case(workers, f"cleanup, {numbers.get(call, 'a later call')} fails", must_fail=True,
                         env={**env, "NOOK_FAULT_CALL": str(call)})
             for call in range(min(numbers), last)]
    workers.sweep(f"ENOMEM at every call of a cleanup: {who}", cases)


@pytest.mark.parametrize("pair", sweep.pairs(some=["--root", "limits", "--share pid"]), ids=sweep.ids)
def test_rm_that_meets_a_failure(sweeper, pair):
    """It says so, and the next one removes the rest; or it is done with 0, and then nothing is left."""
    who, config = pair
    if config.command == "exec":
        pytest.skip("an exec has nothing to remove")
    workers = sweeper(who)
    config = sweep.Config(config.name, config.options, program=["sleep", "1000"], peer=config.peer, tty=config.tty)
    if config.tty:
        pytest.skip("what runs before has no terminal")
    # Killed when its program runs: at the first call of the supervisor.
    running = sweep.Config(config.name, config.options, peer=config.peer)
    calls = workers.one(running.case(workers, "", listed=True)).calls
    signalfds = [line.split()[1] for line in calls if line.startswith("outside") and line.endswith("signalfd")]
    words = config.case(workers, "").words
    first = (words, {"NOOK_FAULT_CALL": f"{signalfds[-1]}:kill"})

    def case(what, **kw):
        made = config.case(workers, what, **kw)
        made.words, made.first, made.then = ["rm", "--force", "@NAME"], first, "rm if it failed"
        return made

    rows = workers.one(case("no fault", listed=True)).calls
    cases = [case(f"rm, {line.split(maxsplit=2)[2]} fails", env={"NOOK_FAULT_CALL": line.split()[1]}) for line in rows]
    assert len(cases) > 20, rows
    workers.sweep(f"ENOMEM at every call of rm: {who}", cases)
