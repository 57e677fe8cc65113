# SPDX-License-Identifier: Apache-2.0
"""nook-oci is killed before each of its system calls, or its stage is: one `delete --force` removes all that is left."""

import oci_sweep
import pytest
from oci_harness import Case, killed_by

MAKING = ["create", "run", "run --detach"]
OTHERS = ["start", "exec", "exec --detach", "kill", "delete a created one", "delete", "delete --force"]
SOME = ["plain", "everything"]


@pytest.mark.parametrize("three", oci_sweep.pairs(MAKING + OTHERS, SOME), ids=oci_sweep.ids)
def test_the_command_is_killed(oci_sweeper, three):
    who, config, command = three
    workers = oci_sweeper(who)
    cases = [Case(config, command, f"killed before {name}", env={"NOOK_FAULT_CALL": f"{call}:kill"}, killed=True)
             for call, name in workers.calls(config, command, "outside").items()]
    outcomes = workers.sweep(f"nook-oci {command.group}, killed at every call: {who}", cases)
    assert sum(map(killed_by, outcomes)) > len(cases) * 0.8


@pytest.mark.parametrize("three", oci_sweep.pairs([*MAKING, "exec"], SOME), ids=oci_sweep.ids)
def test_the_stage_is_killed(oci_sweeper, three):
    """Then the command says so."""
    who, config, command = three
    workers = oci_sweeper(who)
    cases = [Case(config, command, f"stage killed before {name}", env={"NOOK_FAULT_CALL": f"{call}:kill"}, killed=True)
             for call, name in workers.calls(config, command, "inside").items()]
    outcomes = workers.sweep(f"nook-oci {command.group}, stage killed at every call: {who}", cases)
    assert sum(bool(outcome.faults) for outcome in outcomes) > len(cases) * 0.8
