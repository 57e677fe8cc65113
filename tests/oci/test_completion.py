# SPDX-License-Identifier: Apache-2.0
"""What the shells offer for a line that is being typed. Nothing here makes a container but for its name."""

import os
import re
import shutil
import subprocess

import pytest

import zshell

COMMANDS = ["create", "start", "run", "exec", "kill", "delete", "state", "list", "ps", "pause", "resume", "update", "events",
            "features", "spec", "check", "checkpoint", "restore", "completion", "help"]
IDS = ["start", "exec", "kill", "delete", "state", "ps", "pause", "resume", "update", "events", "checkpoint"]
COMPLETE = """
source /dev/stdin < <("$0" completion bash)
exec 3>&2
nook-oci() { echo "$*" >&3; printf 'web\\ndb\\n'; }
cd "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_nook_oci
printf '%s\\n' "${COMPREPLY[@]}"
"""

pytestmark = pytest.mark.usefixtures("ours")


@pytest.fixture
def complete(oci):
    """A function: what bash offers for the last of these words. Bash splits words at = and : too."""
    folder = oci.scratch()
    os.makedirs(f"{folder}/bundles/one")
    with open(f"{folder}/budget.json", "w", encoding="ascii"):
        pass

    def result(line):
        return oci.start(["bash", "-c", COMPLETE, oci.binary, folder, *line.split(" ")]).result()
    return result


@pytest.mark.parametrize("line, offered", [
    ("nook-oci ", COMMANDS),
    ("nook-oci crea", ["create"]),
    ("nook-oci --systemd-cgroup --log b st", ["start", "state"]),
    ("nook-oci --roo", ["--root", "--rootless"]),
    ("nook-oci --root b", ["bundles"]),
    ("nook-oci --log b", ["bundles", "budget.json"]),
    ("nook-oci --log-format ", ["text", "json"]),
    ("nook-oci --log-format = j", ["json"]),
    ("nook-oci --log-format =", ["text", "json"]),
    ("nook-oci --log-format = json st", ["start", "state"]),
    ("nook-oci create --pid", ["--pid-file", "--pidfd-socket"]),
    ("nook-oci create --no-sub", []),
    ("nook-oci create -b b", ["bundles"]),
    ("nook-oci create --plan = t", ["text"]),
    ("nook-oci create --plan --pid-", ["--pid-file"]),
    ("nook-oci create ", []),
    ("nook-oci run --preserve-fds 3 --ke", ["--keep"]),
    ("nook-oci restore --manage-cgroups-mode s", ["soft", "strict"]),
    *((f"nook-oci {command} w", ["web"]) for command in IDS),
    ("nook-oci kill --all ", ["web", "db"]),
    ("nook-oci kill web SIGUSR", ["SIGUSR1", "SIGUSR2"]),
    ("nook-oci exec --user 1 : 2 --env A = b d", ["db"]),
    ("nook-oci exec web cat b", ["bundles", "budget.json"]),
    ("nook-oci exec web cat --us", []),
    ("nook-oci ps web --fo", []),
    ("nook-oci update web --cpu-i", ["--cpu-idle"]),
    ("nook-oci check b", ["bundles"]),
    ("nook-oci help ch", ["check", "checkpoint"]),
    ("nook-oci completion ", ["bash", "zsh"]),
])
def test_bash(complete, line, offered):
    assert sorted(filter(None, complete(line).ok().splitlines())) == sorted(offered)


@pytest.mark.parametrize("root, words", [("", "list --quiet"), ("--root /x ", "--root /x list --quiet"),
                                         ("--root = /x ", "--root /x list --quiet")])
def test_bash_asks_for_the_ids_where_they_are(complete, root, words):
    asked = complete(f"nook-oci {root}state ")
    assert (asked.out, asked.err) == ("web\ndb\n", f"{words}\n")


def shown_options(oci, *command):
    said = oci.cmd(*command, "--help", root=False).ok()
    return set(re.findall(r"(?m)^  (?:-., |    )(--[a-z0-9-]+)", said))


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_every_option_is_there(oci, shell):
    script = oci.cmd("completion", shell, root=False).ok()
    known = set(re.findall(r"--[a-z0-9-]+", script))
    for command in [[], *([name] for name in COMMANDS)]:
        found = shown_options(oci, *command)
        assert "--help" in found and found <= known, command


def test_bash_is_clean(oci, tmp_path):
    if not shutil.which("shellcheck"):
        pytest.skip("no shellcheck")
    script = tmp_path / "nook-oci"
    script.write_text(oci.cmd("completion", "bash", root=False).out)
    found = subprocess.run(["shellcheck", "-s", "bash", script], text=True, capture_output=True, check=False)
    assert found.returncode == 0, found.stdout


def test_zsh_parses(oci, tmp_path):
    script = oci.cmd("completion", "zsh", root=False).ok()
    assert script.startswith("#compdef nook-oci\n")
    for command in COMMANDS:
        assert f"\n_nook_oci_{command}() {{\n" in script
    # zsh shares this much of its grammar with bash: quotes and braces are balanced.
    path = tmp_path / "_nook-oci"
    path.write_text(re.sub(r"(?s)\n_nook_oci\(\) \{.*", "\n", script).replace('${(f)"$(', '"$(').replace(')"})', ')")'))
    subprocess.run(["bash", "-n", path], check=True)
    if shutil.which("zsh"):
        path.write_text(script)
        subprocess.run(["zsh", "-n", path], check=True)


@pytest.fixture
def zsh(oci):
    if not shutil.which("zsh"):
        pytest.skip("no zsh")
    return zshell.Shell(oci.scratch(), "nook-oci", oci.cmd("completion", "zsh", root=False).ok(),
                        '#!/bin/sh\necho "$*" >$NOOK_TEST/asked\nprintf "web\\ndb\\n"\n', ["bundles/one/x", "budget.json"])


@pytest.mark.parametrize("line, offered", [
    ("nook-oci ", COMMANDS),
    ("nook-oci --systemd-cgroup --log b st", ["start", "state"]),
    ("nook-oci --roo", ["--root", "--rootless"]),
    ("nook-oci --root b", ["bundles"]),
    ("nook-oci --log b", ["budget.json", "bundles"]),
    ("nook-oci --log-format ", ["json", "text"]),
    ("nook-oci --log-format=j", ["json"]),
    ("nook-oci create --pid", ["--pid-file", "--pidfd-socket"]),
    ("nook-oci create --no-sub", []),
    ("nook-oci create -b b", ["bundles"]),
    ("nook-oci run --preserve-fds 3 --ke", ["--keep"]),
    ("nook-oci restore --manage-cgroups-mode s", ["soft", "strict"]),
    *((f"nook-oci {command} w", ["web"]) for command in IDS),
    ("nook-oci kill web SIGUSR", ["SIGUSR1", "SIGUSR2"]),
    ("nook-oci exec web cat b", ["budget.json", "bundles"]),
    ("nook-oci help ch", ["check", "checkpoint"]),
    ("nook-oci completion ", ["bash", "zsh"]),
])
def test_zsh(zsh, line, offered):
    assert zsh.offered(line) == sorted(offered)


def test_zsh_asks_for_the_ids_where_they_are(zsh):
    assert zsh.offered("nook-oci --root /x state ") == ["db", "web"]
    with open(f"{zsh.folder}/asked", encoding="ascii") as file:
        assert file.read() == "--root /x list --quiet\n"


@pytest.mark.parametrize("words", [["completion"], ["completion", "fish"], ["completion", "bash", "zsh"]])
def test_other_shells(oci, words):
    oci.cmd(*words, root=False).failed(1, "bash")
