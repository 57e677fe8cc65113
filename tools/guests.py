# SPDX-License-Identifier: Apache-2.0
"""
The tests on other kernels: tests/vm/suite in guests of QEMU, two at a time, for tools/test.

A test that fails there fails here. A guest that stops or falls silent is emulation's fault: it is booted once more, and
then its tests count as one that was skipped, with the reason.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import reports

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Longest first: the oldest kernel is asked most.
KERNELS = ["6.1", "6.12"]
PARTS = ["oci", "nook"]
AT_ONCE = 2
FULL = os.environ.get("NOOK_VM") == "full"
# Two virtual CPUs cost emulation half as much again, and twice as much on a busy machine: they wait for each other.
CPUS = 2 if FULL else 1
# The tests' own end, after which those that did not run are skipped: five times what they take on two cores.
SECONDS = 4000 if FULL else 1500
TIME_UP, GUEST_FAILED = 124, 125  # of vmrun; the suite's end is 124 too


@dataclass
class Outcome:
    """What became of a part on a kernel."""

    name: str
    counts: Counter
    notes: list = field(default_factory=list)  # why something was skipped or done twice
    text: str = ""                             # what was printed, when something failed
    seconds: float = 0.0


def why_no_kernel(kernel):
    """Why no guest can be had here, or None."""
    if os.getuid() != 0:
        return "needs root"
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86 is not installed: tools/deps vm"
    setup = subprocess.run(["tests/vm/setup", kernel], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False)
    if setup.returncode == 0:
        return None
    said = setup.stdout.strip().splitlines()
    return said[-1] if said else f"tests/vm/setup failed ({setup.returncode})"


def why_no_systemd():
    """Why no guest can have it as pid 1, or None."""
    missing = [path for path in ("/lib/systemd/systemd", "/usr/bin/dbus-daemon") if not os.path.exists(path)]
    return f"{missing[0]} is not there: tools/deps vm" if missing else None


def partial(text):
    """Counts of what `pytest -v` had printed when the guest stopped."""
    words = Counter(re.findall(r"^tests/\S+::.* (PASSED|FAILED|ERROR|SKIPPED|XFAIL)(?: |$)", text, re.MULTILINE))
    return Counter(passed=words["PASSED"], failed=words["FAILED"] + words["ERROR"], skipped=words["SKIPPED"] + words["XFAIL"])


def boot(kernel, part, words):
    """One guest. Return: (vmrun's status, what was printed, counts or None when no report came, text of bad unit tests)."""
    argv = ["tests/vm/vmrun", "-t", str(SECONDS + 900), "-c", str(CPUS), *(["--systemd"] if part == "oci" else [])]
    suite = ["tests/vm/suite", *(["-f"] if FULL else []), "-s", str(SECONDS), part, "build-test", *words]
    with tempfile.TemporaryDirectory(prefix="nook-vm-report-") as report, tempfile.TemporaryFile() as output:
        status = subprocess.run([*argv, "-r", report, kernel, "--", *suite], cwd=ROOT, stdin=subprocess.DEVNULL,
                                stdout=output, stderr=output, check=False).returncode
        output.seek(0)
        text = output.read().decode(errors="replace")
        if not os.path.exists(f"{report}/pytest.xml"):
            return status, text, None
        units, bad = reports.tap_files(report)
        return status, text + bad, units + reports.junit(f"{report}/pytest.xml")


def last_words(text):
    """Why vmrun gave up, and the test that was running."""
    said = re.findall(r"^vmrun: (.*)", text, re.MULTILINE)
    begun = re.findall(r"^(tests/\S+::.*?)(?: [A-Z]+(?: .*)?)?$", text, re.MULTILINE)
    return (said[-1] if said else "the guest failed") + (f" (in or after {begun[-1].strip()})" if begun else "")


def run(job):
    """(kernel, part, words of pytest) → Outcome."""
    kernel, part, words = job
    outcome = Outcome(f"{part} on Linux {kernel}", Counter())
    begun = time.monotonic()
    status, text, counts = boot(kernel, part, words)
    if counts is None and status in (TIME_UP, GUEST_FAILED):
        outcome.notes.append(f"once more, after: {last_words(text)}")
        status, text, counts = boot(kernel, part, words)
    show = counts is None
    if counts is None and status in (TIME_UP, GUEST_FAILED):
        outcome.notes.append(f"SKIPPED, the guest failed twice: {last_words(text)}")
        counts = partial(text) + Counter(skipped=1)
    elif status == TIME_UP:
        outcome.notes.append(f"SKIPPED, what had not run after {SECONDS} s: this machine is slow")
        counts = counts + Counter(skipped=1)
    elif status != 0 and not (counts and counts["failed"]):
        counts = (counts or Counter()) + Counter(failed=1)
    outcome.counts = counts
    outcome.notes += re.findall(r"^SKIPPED \[.*", text, re.MULTILINE)
    if show or counts["failed"]:
        outcome.text = re.sub(r"^tests/\S+::.* PASSED .*\n", "", text, flags=re.MULTILINE)
    outcome.seconds = time.monotonic() - begun
    return outcome


def outcomes(words):
    """Runs them; yields each Outcome in the order of KERNELS. @words of pytest: these tests alone."""
    parts = PARTS
    if words:  # where do these tests belong?
        parts = ["oci"] if any("oci" in word or "systemd" in word for word in words) else ["nook"]
    without = {kernel: why_no_kernel(kernel) for kernel in KERNELS}
    jobs = []
    for kernel in KERNELS:
        for part in parts:
            reason = without[kernel] or (why_no_systemd() if part == "oci" else None)
            if reason:
                yield Outcome(f"{part} on Linux {kernel}", Counter(skipped=1), [f"SKIPPED: {reason}"])
            else:
                jobs.append((kernel, part, words))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(run, jobs)
