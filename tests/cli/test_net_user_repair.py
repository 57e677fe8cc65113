# SPDX-License-Identifier: Apache-2.0
"""`nook net repair` and `watch` on an ordinary user's networks, which are in namespaces of the user's own."""

import os
import re
import signal
import subprocess

import machine
import pytest
from netlab import HOST, INTERNET, V4
from netuser import FOREVER, ask, in_home, needs_pasta, ours, programs, serving, until, user, who  # noqa: F401
from result import unique

pytestmark = [pytest.mark.quick, needs_pasta, pytest.mark.parametrize("who", ["user"], indirect=True)]


class Pair:
    """Two containers on a user's network, and the namespace that it is in, which root looks into."""

    def __init__(self, lab, user):
        self.lab, self.user = lab, user
        user.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24", "--subnet", "fd90::/64").ok()
        self.home = in_home(lab, user)
        self.web = serving(user, 80, "--net", "blue", "--name", unique("web"))
        self.other = user.background(FOREVER, "--net", "blue")
        self.server = lab.world.serve("world", address=INTERNET[V4])

    def asks(self, address, port, say=""):
        return self.user.cmd("exec", self.other.name, "--", *ask(address, port, 2, say)).ok()

    def works(self):
        """A sentence for the first thing that does not; None."""
        if self.asks(self.web.name, 80, "?") != "inside":
            return "the containers don't reach each other"
        if self.asks(INTERNET[V4], self.server.port) != f"world {HOST[V4]}":
            return "the outside is not reached"
        return None

    def host_end(self):
        shown = self.user.cmd("net", "show", "blue", "--json").json()
        return next(each["host_link"] for each in shown["containers"] if each["name"] == self.web.name)

    def stop(self):
        self.web.stop()
        self.other.stop()


@pytest.fixture
def pair(netlab, user):
    made = Pair(netlab, user)
    try:
        assert made.works() is None
        yield made
    finally:
        made.stop()


# What is done in there, and what the lines of repair speak of.
DAMAGES = {
    "the ruleset is flushed": (lambda p: p.home.run("nft", "flush", "ruleset"), ["rules: the table inet nook is missing"]),
    "the bridge is deleted": (lambda p: p.home.run("ip", "link", "del", "nk-blue"), ["the bridge nk-blue", "eth0"]),
    "the bridge is down": (lambda p: p.home.run("ip", "link", "set", "nk-blue", "down"), ["the bridge nk-blue"]),
    "a pair is deleted": (lambda p: p.home.run("ip", "link", "del", p.host_end()), ["eth0"]),
    "forwarding is off": (lambda p: p.home.sysctl("ipv4/ip_forward", 0), ["packets of IPv4 are not forwarded"]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_it_is_as_before(netlab, pair, damage):
    do, words = DAMAGES[damage]
    do(pair)
    # pasta takes packets of any sender: without rules nothing is masked and nothing apart, and all is reached.
    assert pair.works() is not None or not pair.home.tables(), "the damage does none"
    out = pair.user.cmd("net", "repair").ok()
    for word in words:
        assert re.search(rf"mended .*{word}", out), out
    assert pair.works() is None and pair.home.tables(), out
    assert pair.user.cmd("net", "repair").ok() == ""
    # All of it was done there, and nothing on the machine.
    assert set(netlab.host.links()) == {"lo", "eth0"} and not netlab.host.tables()


@pytest.mark.parametrize("damage", ["the ruleset is flushed", "the bridge is deleted", "a pair is deleted"])
def test_watch_repairs_by_itself(pair, damage):
    do, words = DAMAGES[damage]
    with pair.user.popen(["net", "watch"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watch:
        try:
            assert "watching" in watch.stderr.readline()
            do(pair)
            assert re.search(rf"mended .*{words[0]}", watch.stdout.readline())
            machine.wait_until(lambda: pair.works() is None and pair.home.tables(), 20, f"the repair after: {damage}")
            assert watch.poll() is None
        finally:
            watch.kill()


def test_a_home_that_was_killed(netlab, user):
    """It is made again, with its networks."""
    before = ours(user, "nook-hold")
    user.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24").ok()
    holder, = set(ours(user, "nook-hold")) - set(before)
    os.kill(holder, signal.SIGKILL)
    until(lambda: holder not in ours(user, "nook-hold"))
    assert "gone" in user.cmd("net", "ls").lines()[1]
    assert "mended network blue: the bridge nk-blue\n" in user.cmd("net", "repair").out
    assert "gone" not in user.cmd("net", "ls").lines()[1]
    assert user.cmd("net", "repair").ok() == ""
    server = netlab.world.serve("world", address=INTERNET[V4])
    assert user.run("--net", "blue", "--", *ask(INTERNET[V4], server.port)).ok() == f"world {HOST[V4]}"


def test_watch_ends_with_the_home(netlab, user):
    """It can't come out of a namespace that is nobody's any more."""
    before = ours(user, "nook-hold")
    user.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24").ok()
    holder, = set(ours(user, "nook-hold")) - set(before)
    with user.popen(["net", "watch"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watch:
        try:
            assert "watching" in watch.stderr.readline()
            os.kill(holder, signal.SIGKILL)
            assert watch.wait(10 * machine.PATIENCE) == 125
            assert "nook net repair" in watch.stderr.read()
        finally:
            watch.kill()
    # What is left are its records: these can be removed without making it again.
    user.cmd("net", "rm", "blue").ok()
    assert user.cmd("net", "ls").lines()[1:] == [] and set(ours(user, "nook-hold")) <= set(before)


def test_roots_network_of_the_same_name_is_left_alone(netlab, user):
    """When the user's home has gone, what is seen on the machine is another's."""
    netlab.nook.cmd("net", "new", "blue", "--subnet", "10.91.0.0/24").ok()
    before = ours(user, "nook-hold")
    user.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24").ok()
    with user.background(FOREVER, "--net", "blue") as one:
        holder, = set(ours(user, "nook-hold")) - set(before)
        for pid in (holder, one.process.pid):
            os.kill(pid, signal.SIGKILL)
        one.process.wait()
        until(lambda: holder not in ours(user, "nook-hold"))
    user.cmd("rm", "--force", one.name).ok()
    user.cmd("net", "rm", "blue").ok()
    assert netlab.nook.cmd("net", "repair").ok() == "" and "nk-blue" in netlab.host.links()


def test_without_networks_there_is_nothing_to_do(user):
    holders = set(ours(user, "nook-hold"))
    assert user.cmd("net", "repair").ok() == ""
    user.cmd("net", "repair", "blue").failed(125, "blue")
    user.cmd("net", "watch").failed(125, "no networks", "nook net new")
    assert set(ours(user, "nook-hold")) <= holders
