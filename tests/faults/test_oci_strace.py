# SPDX-License-Identifier: Apache-2.0
"""
The same by strace, which knows nothing of our fault points, with the program as it is installed. Following all that is forked only on `run`: a created
container's first process would stay traced, and strace never end.
"""

import os
import re
from collections import Counter

import oci_sweep
import pytest
from oci_harness import COMMANDS, Case, killed_by
from test_strace import NEVER_FAIL, STRACE

pytestmark = pytest.mark.skipif(not STRACE, reason="needs strace")
ERRORS = ["ENOMEM", "EPERM", "ENOSYS", "EMFILE"] if oci_sweep.FULL else ["ENOMEM"]
CONFIGS = {config.name: config for config in oci_sweep.CONFIGS}
KILLED = ["create", "start", "exec", "delete --force", *(["run"] if oci_sweep.FULL else [])]


def seen(workers, config, command, base, *options):
    """Names of the calls that strace sees, each with its number within one process."""
    path = f"{base}/oci-strace-{os.getpid()}"
    with open(path, "w", encoding="utf-8"):
        os.chmod(path, 0o666)
    outcome = workers.one(Case(config, command, "recorded", prefix=[STRACE, *options, "-o", path]))
    assert outcome.status == 0 and not outcome.wrong, str(outcome)
    counts, most = Counter(), Counter()
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            match = re.match(r"(\d+ +)?(\w+)\(", line)
            if match:
                counts[(match[1], match[2])] += 1
    for (_, name), number in counts.items():
        most[name] = max(most[name], number)
    found = [(name, number) for name in sorted(set(most) - NEVER_FAIL) for number in range(1, most[name] + 1)]
    assert len(found) > 30, found
    return found


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("config", ["plain", "limits", "hooks", "idmapped"] if oci_sweep.FULL else ["plain"])
def test_a_call_that_fails(installed_oci_sweeper, base, config, error):
    """In nook-oci, in the stage and in the program at the same time, each at its Nth call of a name."""
    workers = installed_oci_sweeper("root")
    config, command = CONFIGS[config], COMMANDS["run"]
    # To strace an injected close(2) does not close; a real one always does, and our lock with it. brk(2) is the program's
    # as well, and one of glibc that has no memory for its start aborts for ever as pid 1.
    cases = [Case(config, command, f"{name} {number}", program_may_fail=True,
                  prefix=[STRACE, *(["-f"] if name != "brk" else []), "-qq", "-o", "/dev/null", "-e",
                          f"inject={name}:error={error}:when={number}"])
             for name, number in seen(workers, config, command, base, "-f") if name != "close"]
    workers.sweep(f"nook-oci run, strace, {error} at every call", cases)


@pytest.mark.parametrize("name", KILLED)
def test_nook_is_killed_at_a_call(installed_oci_sweeper, base, name):
    workers = installed_oci_sweeper("root")
    config, command = CONFIGS["plain"], COMMANDS[name]
    cases = [Case(config, command, f"killed at {call} {number}", killed=True,
                  prefix=[STRACE, "-qq", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={number}"])
             for call, number in seen(workers, config, command, base)]
    outcomes = workers.sweep(f"nook-oci {name}, strace, killed at every call", cases)
    assert sum(map(killed_by, outcomes)) > len(cases) * 0.9
