# SPDX-License-Identifier: Apache-2.0
"""
Every system call and every step of nook-oci's commands fails in turn: there is one clear error, or it did not matter. What
makes a container leaves nothing then; for all others it is as it was, or as the command was to make it.
"""

import errno

import oci_sweep
import pytest
from oci_harness import COMMANDS, Case

MAKING = ["create", "run", "run --detach"]
READING = ["state", "list", "ps", "events --stats"]
OTHERS = ["start", "exec", "exec --detach", "kill", "kill --all", "delete a created one", "delete", "delete --force", "pause",
          "resume"]
MORE = ["exec in a created one", "kill a created one", *READING] if oci_sweep.FULL else READING
ERRORS = [errno.ENOMEM, errno.EIO, errno.EPERM, errno.ENOSYS, errno.EMFILE] if oci_sweep.FULL else [errno.ENOMEM]
SOME = ["plain", "everything"]
HIDDEN = ("exec in a created one",)  # what waits for its start is not dumpable: only root enters it
LIMITED = ("pause", "resume", "update", "events --stats", "ps", "kill --all")  # these take a cgroup of its own


def threes(commands, some=None):
    return [three for three in oci_sweep.pairs(commands, some)
            if (three[0] == "root" or three[2].name not in (*LIMITED, *HIDDEN)) and (three[2].name != "update" or three[1].name == "limits")]


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("three", threes(MAKING, SOME) + threes(OTHERS + MORE, SOME) + threes(["update"], ["limits"]), ids=oci_sweep.ids)
def test_a_call_that_fails(oci_sweeper, three, number):
    who, config, command = three
    workers = oci_sweeper(who)
    cases = [Case(config, command, f"{name} fails", env={"NOOK_FAULT_CALL": f"{call}:{number}"})
             for call, name in workers.calls(config, command).items()]
    outcomes = workers.sweep(f"nook-oci {command.group}, {errno.errorcode[number]} at every call: {who}", cases)
    reached = sum(bool(outcome.faults) for outcome in outcomes)
    assert reached > len(cases) * 0.8, f"only {reached} of {len(cases)} faults were reached"


@pytest.mark.parametrize("three", threes(["start"], [*SOME, "hooks", "mount namespace alone"]), ids=oci_sweep.ids)
@pytest.mark.parametrize("how", ["ENOMEM", "kill"])
def test_what_waited_for_its_start_fails(oci_sweeper, three, how):
    """The stage of a `create`, at its calls after that."""
    who, config, command = three
    workers = oci_sweeper(who)
    calls = workers.calls(config, command, "inside", later=True)
    first = min(call for call, name in calls.items() if name == "accept4")
    env = f":{how}" if how == "kill" else f":{errno.ENOMEM}"
    cases = [Case(config, command, f"stage, {how} at {name}", maker_env={"NOOK_FAULT_CALL": f"{call}{env}"}, killed=how == "kill")
             for call, name in calls.items() if call >= first]
    outcomes = workers.sweep(f"nook-oci start, stage, {how} at every call: {who}", cases)
    assert all(outcome.faults for outcome in outcomes)


@pytest.mark.parametrize("three", threes([*MAKING, "start", "exec", "exec --detach"], [*SOME, "hooks", "idmapped"]), ids=oci_sweep.ids)
def test_a_step_that_fails(oci_sweeper, three):
    """With a cleanup that works."""
    who, config, command = three
    workers = oci_sweeper(who)
    later = command.name == "start"
    names = workers.steps(config, command, later)
    assert names
    key = "maker_env" if later else "env"
    cases = [Case(config, command, f"step {name}", **{key: {"NOOK_FAULT_STEP": name}}, must_fail=True) for name in names]
    for outcome in workers.sweep(f"nook-oci {command.group}, every step fails: {who}", cases):
        assert outcome.faults, f"the fault was not reached: {outcome}"


@pytest.mark.parametrize("three", threes([*MAKING, *OTHERS, *MORE], SOME), ids=oci_sweep.ids)
def test_few_descriptors(oci_sweeper, three):
    """It works, or says clearly why not."""
    who, config, command = three
    workers = oci_sweeper(who)
    cases = [Case(config, command, f"{number} descriptors", nofile=number) for number in (*range(3, 40), 64)]
    outcomes = workers.sweep(f"nook-oci, 3 to 39, and 64, descriptors allowed: {who}", cases)
    assert outcomes[-1].status == 0, str(outcomes[-1])
