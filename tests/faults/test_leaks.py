# SPDX-License-Identifier: Apache-2.0
"""nook's caller has left descriptors 3 to 20 open, of directories, sockets, pipes and files: nothing inside has them."""

import os
import shutil
import subprocess

import pytest
import sweep

# ls has a fourth: the directory that it lists.
THREE = ["0", "1", "2", "3"]


@pytest.mark.parametrize("pair", sweep.pairs(), ids=sweep.ids)
def test_the_program_has_three_descriptors(sweeper, pair):
    who, config = pair
    workers = sweeper(who)
    config = sweep.Config(config.name, config.options, config.command, config.peer, config.tty,
                          program=["ls", "/proc/self/fd"])
    outcome = workers.sweep(f"descriptors of the caller: {who}", [config.case(workers, "", leaks=True)])[0]
    assert outcome.status == 0 and outcome.out.split() == THREE, f"{outcome}\n{outcome.out}"


@pytest.mark.parametrize("pair", sweep.pairs(), ids=sweep.ids)
def test_pid_1_has_none(sweeper, pair):
    """An init has closed all; what a program that is pid 1 has is in the other test."""
    who, config = pair
    if config.name in ("--no-init", "--share pid"):
        pytest.skip("pid 1 is none of nook's")
    workers = sweeper(who)
    config = sweep.Config(config.name, config.options, config.command, config.peer, config.tty,
                          program=["sh", "-c", "ls /proc/1/fd 2>&1 || true; grep Name /proc/1/status"])
    outcome = workers.sweep(f"descriptors of the caller: {who}", [config.case(workers, "", leaks=True)])[0]
    lines = [line for line in outcome.out.splitlines() if "ermission denied" not in line]
    assert len(lines) == 1 and lines[0].startswith("Name:\tnook"), outcome.out


@pytest.mark.parametrize("who", ["root", "user", "poor"])
def test_a_function_has_three_descriptors(sweeper, who, repository, base):
    workers = sweeper(who)
    build = os.path.dirname(os.environ.get("NOOK_FAULTY", f"{repository}/build-faults/nook"))
    library, program = f"{build}/libnook-internal.a", f"{base}/caller-{who}"
    if not os.path.exists(library) or not shutil.which("cc"):
        pytest.skip("needs a compiler and the library")
    subprocess.run(["cc", "-static", "-I", f"{repository}/include", f"{repository}/tests/faults/caller.c", library,
                    "-o", program], check=True)
    os.chmod(program, 0o755)
    case = sweep.Config("nook_call()", []).case(workers, "", leaks=True)
    case.words, case.program = [workers.root], program
    outcome = workers.sweep(f"descriptors of the caller: {who}", [case])[0]
    assert outcome.status == 0 and outcome.out.split() == ["0", "1", "2"], f"{outcome}\n{outcome.out}"
