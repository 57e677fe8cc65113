# SPDX-License-Identifier: Apache-2.0
"""Many cases at once, over all processors, and what came of them: figures that are printed at the end."""

import concurrent.futures
import multiprocessing
import multiprocessing.util
import os
from collections import Counter
from dataclasses import dataclass, field

import harness

FULL = os.environ.get("NOOK_SWEEP") == "full"
figures = {}  # of each sweep: cases, hangs, … in the order of the sweeps
worker = None


def _begin(binary, account, base):
    global worker
    worker = harness.Worker(binary, account, base)
    worker.enter()
    # A pool tells nobody that it ends, but for this: the container beside must not outlive its worker.
    multiprocessing.util.Finalize(None, worker.close, exitpriority=10)


def _run(case):
    return worker.run(case)


def _crowd(cases):
    return worker.crowd(cases)


class Sweeper:
    """Workers for one account."""

    begin = staticmethod(_begin)

    def __init__(self, binary, account, base, root):
        self.root = root  # a root file system that the account may write to
        self.account = account
        self.pool = concurrent.futures.ProcessPoolExecutor(
            int(os.environ.get("NOOK_WORKERS", os.cpu_count())), multiprocessing.get_context("fork"), self.begin, (binary, account, base))

    def run(self, cases):
        """Return: outcomes, in the order of the cases."""
        return list(self.pool.map(_run, cases, chunksize=4))

    def one(self, case):
        return self.run([case])[0]

    def crowd(self, cases):
        return self.pool.submit(_crowd, cases).result()

    def sweep(self, title, cases):
        """Fails when anything is wrong with any case."""
        outcomes = self.run(cases)
        bad = [outcome for outcome in outcomes if outcome.wrong]
        sums = figures.setdefault(title, Counter())
        sums["cases"] += len(outcomes)
        sums["wrong"] += len(bad)
        sums["hangs"] += sum(outcome.status is None for outcome in outcomes)
        sums["residues"] += sum("left" in " ".join(outcome.wrong) for outcome in outcomes)
        sums["ended well but wrong"] += sum(outcome.status == 0 and bool(outcome.wrong) for outcome in outcomes)
        assert not bad, f"{len(bad)} of {len(outcomes)} cases:\n" + "\n".join(map(str, bad[:20]))
        return outcomes

    def close(self):
        self.pool.shutdown(cancel_futures=True)


@dataclass
class Config:
    """A way to use nook that is swept."""

    name: str
    options: list
    command: str = "run"
    peer: tuple = None
    tty: bool = False
    accounts: tuple = ("root", "user")
    program: list = field(default_factory=lambda: ["true"])

    def case(self, sweeper, what="", **kw):
        def place(options):
            return [word.replace("@ROOT", sweeper.root) for word in options]
        name = ["--name", "@NAME"] if self.command == "run" else ["@PEER"]
        peer = None if self.peer is None else tuple(place(self.peer))
        words = [self.command, *place(self.options), *name, "--", *self.program]
        return harness.Case(words, f"{self.name}, {what}", peer=peer, tty=self.tty, **kw)


DIR = ["--root", "@ROOT"]
LIMITS = ["--memory", "64m", "--pids", "50", "--cpus", "0.5", "--cpu-weight", "50"]
MANY = ["--boottime", "1000", "--read-only", "--rlimit", "core=0:100", "--oom-score-adj", "500", "--tmpfs", "/t",
        "--volume", "/etc:/v:ro", "--domainname", "d", "--user", "1000:1000", "--cap-add", "net_admin"]

CONFIGS = [
    Config("host root", []),
    Config("--root", DIR),
    Config("--layer --changes", ["--layer", "@ROOT", "--layer", "@ROOT-layer", "--changes", "@CHANGES"]),
    Config("--userns host", [*DIR, "--userns", "host"], accounts=("root",)),
    Config("limits", [*DIR, *LIMITS], accounts=("root",)),
    Config("many options", [*DIR, *MANY]),
    Config("--share pid", [*DIR, "--share", "pid,net"]),
    Config("--no-init", [*DIR, "--no-init"]),
    Config("--join", [*DIR, "--join", "user=@PEER", "--join", "net=@PEER", "--join", "ipc=@PEER"], peer=(*DIR,)),
    Config("tty", [*DIR, "--tty"], tty=True),
    Config("exec", [], "exec", peer=(*DIR,)),
    Config("exec, limits", ["--user", "1000:1000"], "exec", peer=(*DIR, *LIMITS, "--oom-score-adj", "500"),
           accounts=("root",)),
    Config("exec, tty", ["--tty"], "exec", peer=(*DIR,), tty=True),
]
POOR = [Config("--root", DIR), Config("host root", [])]


def of(account):
    return POOR if account == "poor" else [config for config in CONFIGS if account in config.accounts]


def pairs(accounts=("root", "user", "poor"), some=None):
    """Parameters of a test: account and config. @some: names of those that suffice unless NOOK_SWEEP=full."""
    return [(account, config) for account in accounts for config in of(account)
            if FULL or some is None or config.name in some]


def ids(pair):
    return f"{pair[0]}: {pair[1].name}"
