# SPDX-License-Identifier: Apache-2.0
"""Containers on a network, of which a step or a call fails, or that are killed: no link, rule, address, port or name is left."""

import errno

import harness
import net_sweep
import pytest
import sweep


@pytest.fixture(scope="module")
def workers(binary, base, why_no_netlab):
    yield from net_sweep.workers(binary, base, why_no_netlab)


def listed(workers):
    """Rows of a run without a fault: side, "step" or a call's number, and what it is."""
    outcome = workers.one(net_sweep.RUN.case(workers, "no fault", listed=True))
    assert outcome.status == 0 and not outcome.wrong, str(outcome)
    return [line.split(maxsplit=2) for line in outcome.calls]


def calls(workers, steps):
    """Numbers and names of the calls outside that are made in these steps; all of them with NOOK_SWEEP=full."""
    found, step = {}, None
    for side, number, what in (row for row in listed(workers) if row[0] == "outside"):
        if number == "step":
            step = what.split()[0]
        elif sweep.FULL or step in steps:
            found[int(number)] = what
    assert len(found) > 20, found
    return found


def test_a_step_that_fails(workers):
    names = {f"{side}:{what.split()[0]}" for side, number, what in listed(workers) if number == "step"}
    wanted = sorted(name for name in names if sweep.FULL or name.split(":")[1] in net_sweep.STEPS | {"configure_links", "await_program"})
    assert {"outside:connect_links", "outside:publish_ports"} < set(wanted), names
    cases = [net_sweep.RUN.case(workers, f"step {name}", env={"NOOK_FAULT_STEP": name}, must_fail=True) for name in wanted]
    for outcome in workers.sweep("every step of networks fails", cases):
        assert outcome.faults, f"the fault was not reached: {outcome}"


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.EPERM] if sweep.FULL else [errno.ENOMEM], ids=errno.errorcode.get)
def test_a_call_that_fails(workers, number):
    cases = [net_sweep.RUN.case(workers, f"{name} fails", env={"NOOK_FAULT_CALL": f"{call}:{number}"})
             for call, name in calls(workers, net_sweep.STEPS).items()]
    outcomes = workers.sweep(f"{errno.errorcode[number]} at every call of networks", cases)
    assert sum(bool(outcome.faults) for outcome in outcomes) > len(cases) * 0.9


def test_nook_is_killed_before_a_call(workers):
    """What is left goes by one `rm --force`, or by the next run of that name."""
    kinds = ["rm rm", "run"]
    cases = [net_sweep.RUN.case(workers, f"killed before {name}", env={"NOOK_FAULT_CALL": f"{call}:kill"}, killed=True, then=then)
             for call, name in calls(workers, net_sweep.STEPS).items()
             for then in (kinds if sweep.FULL else [kinds[call % 2]])]
    outcomes = workers.sweep("killed at every call of networks", cases)
    assert sum(outcome.status == 137 for outcome in outcomes) > len(cases) * 0.8


def test_two_hundred_at_once(workers):
    """Starts and stops side by side on one network: every start succeeds, no address is two's at a time, and nothing is left."""
    script = "cat /proc/uptime; ip -o -4 address show dev eth0; sleep 0.3; cat /proc/uptime"
    words = ["run", "--root", workers.root, "--net", net_sweep.NETWORK, "--name", "@NAME", "--", "sh", "-c", script]
    outcomes, left = workers.crowd([harness.Case(words, "crowd") for _ in range(200)])
    bad = [outcome for outcome in outcomes if outcome.status != 0]
    assert not bad, f"{len(bad)} failed, the first: {bad[0]}"
    assert not left, left
    had = {}
    for outcome in outcomes:
        begin, address, end = outcome.out.splitlines()
        had.setdefault(address.split()[3], []).append((float(begin.split()[0]), float(end.split()[0])))
    for address, times in had.items():
        times.sort()
        for (_, end), (begin, _) in zip(times, times[1:]):
            assert end <= begin, f"{address} was two's: until {end}, and from {begin}"
    side_by_side = max(sum(begin <= at <= end for times in had.values() for begin, end in times) for at in
                       (begin for times in had.values() for begin, _ in times))
    assert side_by_side > 1, "they came one after another: nothing was tried"
