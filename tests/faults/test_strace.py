# SPDX-License-Identifier: Apache-2.0
"""
The same by strace, which knows nothing of nook's fault points: every call that the kernel sees fails, those of the C
library's start, of the program inside and of close(2) too. So it is the program as it is installed that meets this.
"""

import os
import re
import shutil
from collections import Counter

import pytest
import sweep

# These have no failure that a process could see; who they say we are is believed.
STRACE = shutil.which("strace")
NEVER_FAIL = {"exit", "exit_group", "rt_sigreturn", "restart_syscall", "getpid", "getppid", "gettid", "getuid", "geteuid",
              "getgid", "getegid"}

pytestmark = pytest.mark.skipif(not STRACE, reason="needs strace")

# A tracer without privilege would keep newuidmap from its own: so the user is one without a range.
PAIRS = sweep.pairs(("root", "poor"), ["--root"])
ERRORS = ["ENOMEM", "EPERM", "ENOSYS", "EMFILE"] if sweep.FULL else ["ENOMEM"]


def seen(workers, config, base, *options):
    """Names of the calls that strace sees, each with its number within one process."""
    path = f"{base}/strace-{os.getpid()}"
    case = config.case(workers, "recorded", prefix=[STRACE, *options, "-o", path])
    with open(path, "w", encoding="utf-8"):
        os.chmod(path, 0o666)
    outcome = workers.one(case)
    assert outcome.status == 0 and not outcome.wrong, str(outcome)
    counts = Counter()
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            match = re.match(r"(\d+ +)?(\w+)\(", line)
            if match:
                counts[(match[1], match[2])] += 1
    most = Counter()
    for (_, name), number in counts.items():
        most[name] = max(most[name], number)
    found = [(name, number) for name in sorted(set(most) - NEVER_FAIL) for number in range(1, most[name] + 1)]
    assert len(found) > 100, found
    return found


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("pair", PAIRS, ids=sweep.ids)
def test_a_call_that_fails(installed_sweeper, base, pair, error):
    """In nook, in the stage and in the program at the same time, each at its Nth call of a name."""
    who, config = pair
    workers = installed_sweeper(who)
    # brk(2) is the program's: a pid 1 that is traced survives the fault by which it would end, for ever.
    cases = [config.case(workers, f"{name} {number}",
                         prefix=[STRACE, *(["-f"] if name != "brk" else []), "-qq", "-o", "/dev/null", "-e",
                                 f"inject={name}:error={error}:when={number}"], program_may_fail=True)
             for name, number in seen(workers, config, base, "-f")]
    workers.sweep(f"strace, {error} at every call: {who}", cases)


@pytest.mark.parametrize("pair", PAIRS, ids=sweep.ids)
def test_nook_is_killed_at_a_call(installed_sweeper, base, pair):
    who, config = pair
    workers = installed_sweeper(who)
    kinds = [""] if config.command == "exec" else ["rm rm", "run"]
    cases = [config.case(workers, f"killed at {name} {number}", killed=True, then=kinds[i % len(kinds)],
                         prefix=[STRACE, "-qq", "-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={number}"])
             for i, (name, number) in enumerate(seen(workers, config, base))]
    outcomes = workers.sweep(f"strace, killed at every call: {who}", cases)
    assert sum(outcome.status == 137 for outcome in outcomes) > len(cases) * 0.9
