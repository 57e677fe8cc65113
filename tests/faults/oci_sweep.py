# SPDX-License-Identifier: Apache-2.0
"""Bundles and commands of nook-oci that are swept, and over how many processes."""

import concurrent.futures
import multiprocessing
import os
from collections import Counter

import oci_harness
import sweep
from oci_harness import COMMANDS, Case, Config

FULL = sweep.FULL
worker = None
RANGE = 100000
MAPS = [{"containerID": 0, "hostID": RANGE, "size": 65536}]
TRUE = [{"path": "/bin/true", "args": ["true"]}]
HOOKS = {f"hooks/{kind}": TRUE for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart",
                                           "poststop")}
LIMITS = {"linux/resources/pids": {"limit": 50}, "linux/resources/memory": {"limit": 64 << 20},
          "linux/resources/cpu": {"shares": 512}}
EVERYTHING = {
    "linux/namespaces/-": {"type": "user"}, "linux/uidMappings": MAPS, "linux/gidMappings": MAPS, **HOOKS,
    "process/terminal": True, **LIMITS,
    "linux/resources/devices": [{"allow": False, "access": "rwm"},
                                {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rwm"}],
    "linux/sysctl": {"net.ipv4.ip_forward": "1"}, "process/oomScoreAdj": 500,
    "mounts/-": {"destination": "/srv", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]},
}
CONFIGS = [
    Config("plain", accounts=("root", "user")),
    Config("limits", LIMITS),
    Config("everything", EVERYTHING, ["--console-socket", "@CONSOLE"]),
    Config("hooks", {**HOOKS, "linux/resources/pids": {"limit": 50}}),
    Config("idmapped", {"mounts/-": {"destination": "/mnt", "type": "bind", "source": "@VOLUME", "options": ["rbind", "idmap"],
                                     "uidMappings": MAPS, "gidMappings": MAPS}}),
    Config("mount namespace alone", {"linux/namespaces": [{"type": "mount"}], "hostname": "@DELETE",
                                     "linux/maskedPaths": [], "linux/readonlyPaths": []}),
    Config("notify", notify=True),
]


def _begin(binary, account, base):
    global worker
    worker = oci_harness.Worker(binary, account, base)
    worker.enter()


def _run(case):
    return worker.run(case)


def _race(case):
    return worker.race(case)


class Sweeper(sweep.Sweeper):
    """Workers for one account."""

    def __init__(self, binary, account, base):
        self.account = account
        self.pool = concurrent.futures.ProcessPoolExecutor(
            int(os.environ.get("NOOK_WORKERS", os.cpu_count())), multiprocessing.get_context("fork"), _begin, (binary, account, base))

    def run(self, cases):
        return list(self.pool.map(_run, cases, chunksize=4))

    def races(self, title, cases, allowed):
        """
        @allowed: a function from the statuses and errors of a race, and the container's status then, to what is wrong
        with that. Fails when anything is.
        """
        bad, sums = [], sweep.figures.setdefault(title, Counter())
        for case, (ended, now, wrong) in zip(cases, self.pool.map(_race, cases, chunksize=4)):
            wrong = wrong + allowed(ended, now)
            sums["races"] += 1
            sums["wrong"] += bool(wrong)
            sums["hangs"] += any(status is None for status, _ in ended)
            sums["residues"] += "left" in " ".join(wrong)
            if wrong:
                bad.append(f"{case.together}: {'; '.join(wrong)}\n  {ended}, then {now!r}")
        assert not bad, f"{len(bad)} of {len(cases)} races:\n" + "\n".join(bad[:20])

    def calls(self, config, command, side=None, later=False):
        """
        Numbers and names of the calls that the command makes, "outside" or "inside". @later: those that the stage of
        its `create` makes meanwhile.
        """
        outcome = self.one(Case(config, command, "no fault", listed=True, maker_env={"NOOK_FAULT_CALL": "0"} if later else {}))
        assert outcome.status == 0 and not outcome.wrong, str(outcome)
        rows = [line.split(maxsplit=2) for line in outcome.calls]
        return {int(row[1]): row[2] for row in reversed(rows) if row[1] != "step" and side in (None, row[0])}

    def steps(self, config, command, later=False):
        """As NOOK_FAULT_STEP has them. @later: those of a created container's stage, from its start on."""
        env = {"NOOK_FAULT_CALL": "0"} if later else {}
        outcome = self.one(Case(config, command, "no fault", listed=True, maker_env=env))
        assert outcome.status == 0 and not outcome.wrong, str(outcome)
        rows = [line.split() for line in outcome.calls]
        names = list(dict.fromkeys(f"{row[0]}:{row[2]}" for row in rows if row[1] == "step"))
        # From then on a created container is alone, and its maker has just ended well. (The first closes a descriptor.)
        alone = ["inside:let_go_of_self", "inside:DETACH", "inside:await_start"]
        if later:
            names = names[names.index(alone[-1]):]
        return [name for name in names if name not in alone or command.name != "create"]


def named(*names):
    return [config for config in CONFIGS if config.name in names]


def pairs(commands, some=None, accounts=("root", "user")):
    """Parameters of a test: account, config and command. @some: names of configs that suffice unless NOOK_SWEEP=full."""
    return [(who, config, COMMANDS[name]) for who in accounts for config in CONFIGS
            if who in config.accounts and (FULL or some is None or config.name in some) for name in commands
            if not (config.notify and name.startswith("run")) and (FULL or is_quick(who, config, name))]


def is_quick(who, config, name):
    """Some commands are others with little more, and an ordinary user's go the same ways."""
    if name.endswith("--detach"):
        return False
    if name == "run" or who == "user":
        return config.name == "plain" and name in ("create", "run", "start", "exec", "delete --force")
    return True


def ids(three):
    return f"{three[0]}: {three[1].name}: {three[2].name}"
