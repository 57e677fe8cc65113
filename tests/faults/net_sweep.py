# SPDX-License-Identifier: Apache-2.0
"""The sweeps of containers on a network: each worker has a net namespace of its own that plays the host, with a network in it."""

import dataclasses
import multiprocessing
import multiprocessing.util
import os
import socket
import subprocess

import pytest

import harness
import machine
import rootfs
import sweep

CLONE_NEWNET = 0x40000000
NETWORK = "swept"
PORT = 8080


def network_words(name=NETWORK):
    return ["net", "new", name, "--subnet", "10.88.7.0/24", "--subnet", "fd88::/64"]


class NetWorker(harness.Worker):
    """Everything of nook's network that is there between two cases is there from the beginning."""

    def enter(self):
        if machine.libc.unshare(CLONE_NEWNET) != 0:
            machine.syscall_failed("unshare")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        super().enter()
        for words in (network_words(), ["run", "--net", NETWORK, "--publish", f"{PORT}:80", "--name", f"fault-{os.getpid()}", "--", "true"]):
            if self.nook(*words) != 0:
                raise AssertionError(f"nook {' '.join(words)} failed")
        self.files = self._files()
        self.links, self.rules = self._links(), self._rules()

    def _run(self, argv, case):
        answer = super()._run(argv, case)
        self.faults = sum(line.endswith(" !") for line in answer[4])
        return answer

    def _left(self, case, name, status):
        """The relay counts its calls on from where it was forked: the fault meets it, and then the undo of that. What is
        left then goes by `rm`, as the error says."""
        if self.faults > 1 and not case.then:
            case = dataclasses.replace(case, then="rm if it failed")
        return super()._left(case, name, status)

    @staticmethod
    def _links():
        return {name for _, name in socket.if_nameindex()}

    @staticmethod
    def _rules():
        return subprocess.run(["nft", "-s", "list", "ruleset"], stdout=subprocess.PIPE, text=True, check=True).stdout

    def _names(self, name):
        """Lines of the hosts file that still have it; a free one begins with #."""
        lines = machine.read(f"{self.state}/net/hosts/{NETWORK}").splitlines()
        return [line for line in lines if not line.startswith("#") and name in line.split("#")[0].split()]

    def _residues(self, name):
        found = super()._residues(name)
        found += [f"link left: {link}" for link in sorted(self._links() - self.links)]
        found += [f"link lost: {link}" for link in sorted(self.links - self._links())]
        found += [f"hosts line left: {line.strip()}" for line in self._names(name)]
        rules = self._rules()
        if rules != self.rules:
            odd = set(rules.splitlines()) ^ set(self.rules.splitlines())
            found.append("rules differ: " + "; ".join(sorted(line.strip() for line in odd)))
        return found

    def _clean(self, name):
        super()._clean(name)
        self.nook("net", "repair")


def _begin(binary, account, base):
    sweep.worker = NetWorker(binary, account, base)
    sweep.worker.enter()
    multiprocessing.util.Finalize(None, sweep.worker.close, exitpriority=10)


class NetSweeper(sweep.Sweeper):
    begin = staticmethod(_begin)


def workers(program, base, why_not):
    """For a fixture: workers of this program, as root."""
    if why_not:
        pytest.skip(why_not)
    made = NetSweeper(program, machine.Account("root", 0, 0, "/root"), base, rootfs.make(f"{os.path.dirname(program)}/root-net"))
    yield made
    made.close()


RUN = sweep.Config("run --net", [*sweep.DIR, "--net", NETWORK, "--publish", f"{PORT}:80"], accounts=("root",))
# What only a container on a network needs: the rest is swept without one, too.
STEPS = {"claim_addresses", "claim_ports", "write_resolv", "connect_links", "publish_ports", "join_hosts", "leave_networks"}
