# SPDX-License-Identifier: Apache-2.0
"""Counts of what test programs report: passed, failed, skipped."""

import os
import xml.etree.ElementTree as xml
from collections import Counter


def tap(text):
    """Counts of cmocka's TAP output, or a client test's."""
    counts = Counter()
    for line in text.splitlines():
        # cmocka says "not ok 1 # SKIP" of a test that was skipped.
        if line.startswith(("ok", "not ok")) and "# skip" in line.lower():
            counts["skipped"] += 1
        elif line.startswith("not ok"):
            counts["failed"] += 1
        elif line.startswith("ok"):
            counts["passed"] += 1
    return counts


def junit(path):
    """Counts of pytest's report; none when it was not written to its end."""
    try:
        suites = xml.parse(path).getroot().iter("testsuite")
    except (xml.ParseError, FileNotFoundError):
        suites = []
    counts = Counter()
    for suite in suites:
        number = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
        bad = number["failures"] + number["errors"]
        counts.update(passed=max(0, number["tests"] - bad - number["skipped"]), failed=bad, skipped=number["skipped"])
    return counts


def tap_files(folder):
    """Counts of the *.tap that tests/vm/suite leaves, and the text of those in which a test failed."""
    counts, bad = Counter(), []
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".tap")):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            text = file.read()
        result = tap(text)
        if "# exit status" in text and not result["failed"]:
            result["failed"] = 1  # it ended before it could say which case failed
        if result["failed"]:
            bad.append(f"FAILED  {name}\n{text}")
        counts.update(result)
    return counts, "".join(bad)
