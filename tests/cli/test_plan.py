# SPDX-License-Identifier: Apache-2.0
"""--plan says what would be done and does nothing; --trace says what was."""

import json
import os
import re

import pytest

pytestmark = pytest.mark.quick


def test_the_plan_needs_no_privilege(poor_nook):
    out = poor_nook.run("--plan", "--", "true").ok()
    assert "clone3" in out and "execve" in out


def test_the_plan_shows_both_sides(nook):
    out = nook.run("--plan", "--", "true").ok()
    assert re.search(r"\boutside\b", out) and re.search(r"\binside\b", out)


@pytest.mark.parametrize("options, shown", [
    (["--hostname", "blue"], "blue"),
    (["--tmpfs", "/very/special:size=3m"], "/very/special"),
    (["--volume", "/usr/share:/shown:ro"], "/shown"),
    (["--boottime", "12345"], "12345"),
    (["--name", "shown-name"], "shown-name"),
])
def test_the_plan_shows_what_was_asked(nook, options, shown):
    assert shown in nook.run(*options, "--plan", "--", "true").ok()


def test_the_plan_does_nothing(nook):
    """The fixture looks for leftovers; the command would have left a mark."""
    path = nook.scratch()
    nook.sh("touch /data/ran", "--volume", f"{path}:/data", "--changes", f"{path}/new", "--plan").ok()
    assert os.listdir(path) == []


def test_the_plan_as_json(nook):
    plan = nook.run("--plan=json", "--hostname", "blue", "--", "true").json()
    assert isinstance(plan, dict)
    assert "blue" in json.dumps(plan)


def test_the_plan_is_the_same_each_time(user_nook):
    words = ["--plan=json", "--name", "same", "--", "true"]
    assert user_nook.run(*words).ok() == user_nook.run(*words).ok()


def test_the_plan_refuses_what_a_run_would(nook):
    nook.run("--plan", "--cap-add", "wrong", "--", "true").failed(125, "wrong")


def test_a_wrong_form_of_plan(nook):
    nook.run("--plan=wrong", "--", "true").failed(125, "--plan")


def steps(text):
    """Names of kernel calls in the order in which a list shows them."""
    return re.findall(r"\b(clone3|pivot_root|execve|sethostname|seccomp)\b", text)


def test_the_trace_shows_the_steps_with_their_times(nook):
    result = nook.run("--trace", "--", "echo", "ran")
    assert result.ok() == "ran"
    assert "clone3" in result.err and "pivot_root" in result.err
    assert re.search(r"\d+(\.\d+)?\s*(µs|us|ms)", result.err)


def test_trace_and_plan_are_the_same_list(nook):
    """All but the last: who became the program can't tell any more."""
    plan, trace = nook.run("--plan", "--", "true").out, nook.run("--trace", "--", "true").err
    assert set(steps(plan)) - {"execve"} == set(steps(trace)) - {"execve"} >= {"clone3", "pivot_root", "seccomp"}


def test_the_trace_keeps_the_exit_status(nook):
    assert nook.run("--trace", "--", "sh", "-c", "exit 6").status == 6
