# SPDX-License-Identifier: Apache-2.0
"""The documents against what they speak of: lists, rooms, links, and the demonstration of `make run`."""

import importlib.machinery
import importlib.util
import os
import pathlib
import re
import shutil

import pytest

pytestmark = pytest.mark.quick

DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/README.md", "docs/testing.md",
             "docs/seccomp.md", "docs/check.md", "docs/engines.md", "docs/errors.md"]


@pytest.fixture
def read(repository):
    return lambda path: (pathlib.Path(repository) / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("source, name", [("src/run/create.c", "nook_create_steps"), ("src/stage/stage.c", "nook_stage_steps")])
def test_architecture_shows_the_two_lists(read, source, name):
    steps = re.search(rf"(?ms)^const struct nook_step {name}\[\] = {{$.*?^}};$", read(source))[0]
    assert f"```c\n{steps}\n```" in read("ARCHITECTURE.md"), f"copy {name} into ARCHITECTURE.md"


def test_architecture_shows_the_rooms(read, repository):
    loader = importlib.machinery.SourceFileLoader("check_rooms", os.path.join(repository, "tools/check-rooms"))
    check_rooms = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_rooms", loader))
    loader.exec_module(check_rooms)
    rows = re.findall(r"(?m)^\| `([a-z/]+)` \| (.*?) \| .+ \|$", read("ARCHITECTURE.md"))
    assert {room: re.findall("`(.*?)`", below) for room, below in rows} == check_rooms.ROOMS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(read, repository, document):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(document))
    for link in links:
        assert os.path.exists(os.path.join(repository, os.path.dirname(document), link)), link


def test_every_document_is_in_the_index(read, repository):
    index = read("docs/README.md")
    for name in sorted(os.listdir(os.path.join(repository, "docs"))):
        assert name == "README.md" or f"({name})" in index, name


def test_the_pieces_of_the_tests_are_described(read):
    pieces = set(re.findall(r'(?m)^    "([a-z-]+)": \("', read("tools/test")))
    assert pieces and pieces <= set(re.findall(r"(?m)^\| `([a-z-]+)` \|", read("docs/testing.md")))


def test_make_run_shows_a_container(nook, repository):
    """What README.md says of it."""
    demo = shutil.copy(os.path.join(repository, "tools/demo"), nook.scratch())  # where the user may read it
    shown = nook.outside("sh", demo, nook.binary).lines()
    rows = dict(line.split(None, 1) for line in shown if line and not line.startswith("$"))
    assert rows["interfaces"].strip() == "lo"
    assert rows["ids"].startswith("uid=0(root)")
    assert rows["wrote"] == "/etc/made-by-nook-demo: written inside"
    assert "is not here" in shown[-1]
    assert rows["hostname"] == os.uname().nodename  # the later line: outside
    assert "hostname    demo" in shown
