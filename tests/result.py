# SPDX-License-Identifier: Apache-2.0
"""How a program that a test has started ended, and names for what it makes."""

import itertools
import json
import secrets
from dataclasses import dataclass

_numbers = itertools.count(1)

# Of this run of the tests. Digits, and not our pid: runs in pid namespaces of their own have the same ones, and would make
# the same cgroups, or remove each other's.
RUN = str(10**8 + secrets.randbelow(9 * 10**8))


def unique(stem="t"):
    """A name that no other test, and no other run of the tests, has."""
    return f"{stem}-{RUN}-{next(_numbers)}"


@dataclass
class Result:
    argv: list
    status: int  # as a shell shows it: 128+N after a signal
    out: str
    err: str

    def ok(self):
        """What it printed, when it ended well."""
        assert self.status == 0, f"{self}"
        return self.out.rstrip("\n")

    def json(self):
        return json.loads(self.ok())

    def lines(self):
        return self.ok().splitlines()

    def failed(self, status=1, *texts):
        """It ended with this status, said why on stderr, and all texts stand there, in any case."""
        assert self.status == status, f"{self}"
        assert self.err.strip(), f"no word of why\n{self}"
        for text in texts:
            assert text.lower() in self.err.lower(), f"{text!r} is not in the error\n{self}"
        return self.err

    def __str__(self):
        return f"$ {' '.join(self.argv)}\nstatus {self.status}\nstdout: {self.out}\nstderr: {self.err}"
