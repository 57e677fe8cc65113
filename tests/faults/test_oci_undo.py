# SPDX-License-Identifier: Apache-2.0
"""What undoes a container meets a failure itself."""

import oci_sweep
import pytest
from oci_harness import COMMANDS, Case

SOME = ["plain", "everything", "notify"]


@pytest.mark.parametrize("three", oci_sweep.pairs(["create"], SOME), ids=oci_sweep.ids)
def test_a_failed_create_whose_cleanup_meets_a_failure(oci_sweeper, three):
    """The last step fails, and one call of the cleanup too: that is tried again."""
    who, config, command = three
    workers = oci_sweeper(who)
    env = {"NOOK_FAULT_STEP": "outside:tell_engine"}
    rows = [line.split(maxsplit=2) for line in workers.one(Case(config, command, env=env, listed=True)).calls]
    begin = next(i for i, row in enumerate(rows) if row[1] == "step" and row[2] == "tell_engine !")
    numbers = {int(row[1]): row[2] for row in rows[begin:] if row[0] == "outside" and row[1] != "step"}
    assert len(numbers) > 1, rows
    cases = [Case(config, command, f"cleanup, {name} fails", must_fail=True, env={**env, "NOOK_FAULT_CALL": str(call)})
             for call, name in numbers.items()]
    workers.sweep(f"nook-oci create, ENOMEM at every call of a cleanup: {who}", cases)


@pytest.mark.parametrize("three", oci_sweep.pairs(["create"], SOME), ids=oci_sweep.ids)
def test_a_failed_create_is_killed_in_its_cleanup(oci_sweeper, three):
    who, config, command = three
    workers = oci_sweeper(who)
    env = {"NOOK_FAULT_STEP": "outside:tell_engine"}
    rows = [line.split(maxsplit=2) for line in workers.one(Case(config, command, env=env, listed=True)).calls]
    begin = next(i for i, row in enumerate(rows) if row[1] == "step" and row[2] == "tell_engine !")
    numbers = {int(row[1]): row[2] for row in rows[begin:] if row[0] == "outside" and row[1] != "step"}
    cases = [Case(config, command, f"cleanup, killed before {name}", killed=True, env={**env, "NOOK_FAULT_CALL": f"{call}:kill"})
             for call, name in numbers.items()]
    workers.sweep(f"nook-oci create, killed at every call of a cleanup: {who}", cases)


@pytest.mark.parametrize("name", ["delete a created one", "delete", "delete --force"])
def test_a_delete_that_is_repeated(oci_sweeper, name):
    """Killed, killed again one call later: the third one does it."""
    workers = oci_sweeper("root")
    config = next(config for config in oci_sweep.CONFIGS if config.name == "everything")
    command = COMMANDS[name]
    cases = [Case(config, command, f"killed before {call}", killed=True, env={"NOOK_FAULT_CALL": f"{number}:kill"},
                  again=[number + more for more in (0, 7)])
             for number, call in workers.calls(config, command, "outside").items()]
    workers.sweep("nook-oci delete, killed three times", cases)
