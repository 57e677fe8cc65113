# SPDX-License-Identifier: Apache-2.0
"""Several callers of nook-oci want something of one container at once: each gets a right answer, and nothing is left."""

import random

import oci_sweep
import pytest
from oci_harness import SLEEPING, Race

RUNS = 200 if oci_sweep.FULL else 25
CREATE = ["create", "@OPTIONS", "@ID"]
FORCE = ["delete", "--force", "@ID"]
CONFIGS = {config.name: config for config in oci_sweep.CONFIGS}
TAKEN = ("already exists", "another command is at work")
GONE = ("does not exist",)
chance = random.Random(4)

WHO = pytest.mark.parametrize("who", ["root", "user"])


def late():
    return chance.uniform(0, 0.012)


def said(err, texts):
    return any(text in err for text in texts)


def one_wins(texts, left):
    """One ends well, and all others say this."""
    def check(ended, now):
        wrong = [] if sum(status == 0 for status, _ in ended) == 1 else ["not one of them has won"]
        wrong += [f"said {err!r}" for status, err in ended if status != 0 and not said(err, texts)]
        return wrong + ([] if now == left else [f"the container's status is {now!r}"])
    return check


def first_may_fail(texts):
    """The last is a `delete --force`, which ends well; the others do, or say this."""
    def check(ended, _):
        wrong = [f"said {err!r}" for status, err in ended[:-1] if status not in (0, 137) and not said(err, texts)]
        return wrong + ([f"delete ended with {ended[-1]}"] if ended[-1][0] != 0 else [])
    return check


@WHO
def test_one_id_for_many(oci_sweeper, who):
    races = [Race(CONFIGS["plain"], (), [CREATE] * (50 if i == 0 else 4)) for i in range(RUNS)]
    oci_sweeper(who).races(f"nook-oci create, 50 and 4 at once: {who}", races, one_wins(TAKEN, "created"))


@WHO
def test_many_starts(oci_sweeper, who):
    races = [Race(CONFIGS["plain"], ("create",), [["start", "@ID"]] * 4) for _ in range(RUNS)]
    oci_sweeper(who).races(f"nook-oci start, 4 at once: {who}", races, one_wins(("already running",), "running"))


@WHO
def test_many_deletes(oci_sweeper, who):
    races = [Race(CONFIGS["plain"], (*SLEEPING, "kill"), [["delete", "@ID"]] * 4) for _ in range(RUNS)]
    oci_sweeper(who).races(f"nook-oci delete, 4 at once: {who}", races, one_wins(GONE, ""))


@WHO
def test_many_forced_deletes(oci_sweeper, who):
    races = [Race(CONFIGS["plain"], SLEEPING, [FORCE] * 4) for _ in range(RUNS)]
    oci_sweeper(who).races(f"nook-oci delete --force, 4 at once: {who}", races,
                           lambda ended, now: [f"ended with {end}" for end in ended if end[0] != 0] + ([f"is {now}"] if now else []))


@WHO
@pytest.mark.parametrize("config", ["plain", "hooks", "limits"])
def test_delete_while_create(oci_sweeper, who, config):
    if who == "user" and config != "plain":
        pytest.skip("takes cgroups")
    races = [Race(CONFIGS[config], (), [CREATE, (late(), FORCE)]) for _ in range(RUNS)]

    def allowed(ended, now):
        return first_may_fail(("",))(ended, now) + ([] if now in ("", "created") else [f"the container's status is {now!r}"])
    oci_sweeper(who).races(f"nook-oci delete --force while create: {who}", races, allowed)


OTHERS = {
    "start": (("create",), ["start", "@ID"], ("stopped", "does not exist", "killed", "another command", "ended before")),
    "kill": (SLEEPING, ["kill", "@ID", "TERM"], ("not running", "does not exist")),
    "kill --all": (SLEEPING, ["kill", "--all", "@ID", "KILL"], ("not running", "does not exist")),
    "exec": (SLEEPING, ["exec", "@ID", "true"], ("stopped", "does not exist", "exec failed")),
    "state": (SLEEPING, ["state", "@ID"], GONE),
    "list": (SLEEPING, ["list"], ("-",)),
    "ps": (SLEEPING, ["ps", "@ID"], ("stopped", "not running", "does not exist")),
    "pause": (SLEEPING, ["pause", "@ID"], ("stopped", "not running", "does not exist")),
    "update": (SLEEPING, ["update", "--pids-limit", "40", "@ID"], ("stopped", "not running", "does not exist")),
    "delete": ((*SLEEPING, "kill"), ["delete", "@ID"], GONE),
}


@pytest.mark.parametrize("name", OTHERS)
def test_delete_while(oci_sweeper, name):
    before, words, texts = OTHERS[name]
    races = [Race(CONFIGS["limits"], before, [words, (late() / 2, FORCE)]) for _ in range(RUNS)]
    oci_sweeper("root").races("nook-oci delete --force while another command", races, first_may_fail(texts))


def test_start_while_kill(oci_sweeper):
    """Either the start is told that it has stopped, or the program that it has started ends."""
    races = [Race(CONFIGS["plain"], ("create",), [["start", "@ID"], (late() / 4, ["kill", "@ID", "KILL"])]) for _ in range(RUNS)]

    def allowed(ended, now):
        (start, why), (kill, err) = ended
        wrong = [] if start == 0 or said(why, ("stopped", "ended")) else [f"start said {why!r}"]
        wrong += [] if kill == 0 else [f"kill said {err!r}"]
        return wrong + ([] if now in ("stopped", "running") else [f"the container's status is {now!r}"])
    oci_sweeper("root").races("nook-oci kill while start", races, allowed)
