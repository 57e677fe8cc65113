# SPDX-License-Identifier: Apache-2.0
"""What the tests take for left behind: all of theirs, and nothing of another run's that goes on beside them."""

import os

import machine
import pytest
from result import RUN, unique

OTHERS = f"t-{int(RUN) + 1}-7"


@pytest.fixture
def state(tmp_path):
    for folder in ("containers", "ids", "locks", "ns", "ns-locks", "ns-pins"):
        (tmp_path / folder).mkdir()
    return tmp_path


def found(state):
    return {text for text in machine.snapshot([str(state)]) if str(state) in text}


@pytest.mark.parametrize("kept", ["", "ns:"], ids=["a container", "a kept namespace"])
def test_ranges(state, kept):
    os.symlink(kept + OTHERS, state / "ids/1")
    assert not found(state)
    os.symlink(kept + unique(), state / "ids/2")
    os.symlink(kept + "nobody", state / "ids/3")
    assert found(state) == {f"id range {state}/ids/2", f"id range {state}/ids/3"}


@pytest.mark.parametrize("point,foreign", [
    ("/", False), ("/tmp/x", False), ("/run/netns/blue", False), ("/t-1-x", False), (f"/tmp/x-{RUN}-1/dir", False),
    (f"/run/netns/{OTHERS}", True), (f"STATE/ns-pins/{OTHERS}.net", True), (f"STATE/ns-pins/x-{RUN}-1.net", False),
    (f"/tmp/nook-tests-abc/{OTHERS}/root/proc", True), ("/else/ns-pins", False),
])
def test_mounts(state, point, foreign):
    assert machine.is_foreign_mount(point.replace("STATE", str(state)), [str(state)]) == foreign


@pytest.mark.parametrize("folder", ["ns", "ns-locks"])
def test_the_place_of_names(state, folder):
    """It is a mount as long as anybody has a name there."""
    place = f"{state}/ns-pins"
    (state / folder / ".pins").touch()
    (state / folder / unique()).touch()
    (state / folder / "blue").touch()
    assert not machine.is_foreign_mount(place, [str(state)])
    (state / folder / OTHERS).touch()
    assert machine.is_foreign_mount(place, [str(state)])
