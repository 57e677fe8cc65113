# SPDX-License-Identifier: Apache-2.0
"""`nook net repair` and `nook net watch`: what somebody has taken away of a network is there again, and packets pass."""

import json
import re
import subprocess

import machine
import pytest
from netlab import GATEWAY, HOST, INTERNET
from result import unique

SUBNETS = ["--subnet", "10.88.7.0/24", "--subnet", "fd88::/64"]


@pytest.fixture
def network(netlab):
    name = unique("n")
    netlab.nook.cmd("net", "new", name, *SUBNETS).ok()
    return name


# What is done to a network alone, "NET" its bridge, and what the line of repair speaks of.
ALONE = {
    "nft flush ruleset": "rules: the table inet nook is missing", "nft delete table inet nook": "rules: the table inet nook is missing",
    "nft flush table inet nook": "rules: rules of the chain forward were added, changed or are missing",
    "nft flush chain inet nook raw": "rules: rules of the chain raw were", "nft flush set inet nook networks": "rules: network NAME is missing",
    "nft insert rule inet nook forward drop": "rules: rules of the chain forward were",
    "nft add rule inet nook postrouting accept": "rules: rules of the chain postrouting were",
    "nft add element inet nook networks { eth0 }": "rules: the set networks has 1 of nobody",
    "ip link del NET": "network NAME: the bridge NET", "ip link set NET down": "network NAME: the bridge NET",
    "ip address flush dev NET": "network NAME: the bridge NET",
    "ip -6 address flush dev NET scope global": "network NAME: the bridge NET",
    "sysctl -q -w net.ipv4.ip_forward=0": "rules: packets of IPv4 are not forwarded",
    "sysctl -q -w net.ipv6.conf.all.forwarding=0": "rules: packets of IPv6 are not forwarded",
}


@pytest.mark.parametrize("damage", ALONE)
def test_a_network_that_nobody_is_on(netlab, network, damage):
    """By nft's and ip's own words, it is as it was; and a second repair finds nothing."""
    link = netlab.nook.cmd("net", "show", network, "--json").json()["bridge"]

    def seen():
        return netlab.host.run("nft", "-s", "list", "ruleset"), netlab.host.addresses(), set(netlab.host.links())
    assert netlab.nook.cmd("net", "repair").ok() == ""
    before = seen()
    netlab.host.run(*damage.replace("NET", link).split())
    lines = netlab.nook.cmd("net", "repair").lines()
    assert all(line.startswith("mended ") for line in lines)
    assert ALONE[damage].replace("NET", link).replace("NAME", network) in "\n".join(lines)
    assert seen() == before
    assert netlab.nook.cmd("net", "repair").ok() == ""


class Pair:
    """Two containers on it, one with a published port, and all that they are to reach."""

    def __init__(self, lab, network):
        self.lab, self.network = lab, network
        ready = "echo ready; exec sleep 1000"
        self.one = lab.nook.background(ready, "--net", f"{network}:ip=10.88.7.2", "--publish", "8080:80")
        self.two = lab.nook.background(ready, "--net", f"{network}:ip=10.88.7.3")
        self.first, self.second = lab.space_of(self.one.pid), lab.space_of(self.two.pid)
        self.outside = lab.world.serve("outside")
        self.first.serve("inside", 80)

    def works(self, seconds=5):
        """A sentence for the first thing that does not; None. @seconds: how long an answer may take."""
        if not self.first.ping("10.88.7.3", seconds):
            return "the containers don't reach each other"
        for family, sort in ((4, "IPv4"), (6, "IPv6")):
            if self.first.why_not(INTERNET[family], self.outside.port, seconds=seconds):
                return f"the outside is not reached by {sort}"
            if self.lab.world.why_not(HOST[family], 8080, seconds=seconds):
                return f"the published port is not reached by {sort}"
        if self.lab.nook.cmd("exec", self.two.name, "getent", "-s", "hosts:files", "hosts", self.one.name).status != 0:
            return "the name is not known"
        return None

    def host_end(self, name):
        shown = self.lab.nook.cmd("net", "show", self.network, "--json").json()
        return next(each["host_link"] for each in shown["containers"] if each["name"] == name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.one.stop()
        self.two.stop()


@pytest.fixture
def pair(netlab, network):
    with Pair(netlab, network) as made:
        assert made.works() is None
        yield made


def bridge(pair):
    return next(name for name, link in pair.lab.host.links().items() if link.get("linkinfo", {}).get("info_kind") == "bridge")


# What is done to it, and what the lines of repair speak of.
DAMAGES = {
    "the ruleset is flushed": (lambda p: p.lab.host.run("nft", "flush", "ruleset"), ["rules"]),
    "nook's table is deleted": (lambda p: p.lab.host.run("nft", "delete", "table", "inet", "nook"), ["rules"]),
    "nook's table is emptied": (lambda p: p.lab.host.run("nft", "flush", "table", "inet", "nook"), ["rules"]),
    "the bridge is deleted": (lambda p: p.lab.host.run("ip", "link", "del", bridge(p)), ["the bridge", "eth0"]),
    "the bridge is down": (lambda p: p.lab.host.run("ip", "link", "set", bridge(p), "down"), ["the bridge"]),
    "the bridge has lost its addresses": (lambda p: p.lab.host.run("ip", "address", "flush", "dev", bridge(p)), ["the bridge"]),
    "a host's end is deleted": (lambda p: p.lab.host.run("ip", "link", "del", p.host_end(p.one.name)), ["eth0"]),
    "a host's end is no port": (lambda p: p.lab.host.run("ip", "link", "set", p.host_end(p.two.name), "nomaster"), ["eth0"]),
    "a host's end is down": (lambda p: p.lab.host.run("ip", "link", "set", p.host_end(p.two.name), "down"), ["eth0"]),
    "forwarding is off": (lambda p: p.lab.host.sysctl("ipv4/ip_forward", 0), ["packets of IPv4 are not forwarded"]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_it_is_as_before(pair, damage):
    """It works again, a line tells of each thing; a second repair finds nothing."""
    do, words = DAMAGES[damage]
    do(pair)
    assert pair.works(1) is not None, "the damage does none"
    out = pair.lab.nook.cmd("net", "repair").ok()
    for word in words:
        assert re.search(rf"mended .*{word}", out), out
    assert pair.works() is None, out
    assert pair.lab.nook.cmd("net", "repair").ok() == ""


def test_what_is_fine_is_not_touched(pair):
    """Rules keep their handles, links their numbers; a connection lives on."""
    before = pair.lab.host.ruleset(), {name: link["ifindex"] for name, link in pair.lab.host.links().items()}
    assert pair.lab.nook.cmd("net", "repair").ok() == ""
    assert (pair.lab.host.ruleset(), {name: link["ifindex"] for name, link in pair.lab.host.links().items()}) == before


def test_only_the_network_that_was_named(pair, network):
    other = unique("n")
    pair.lab.nook.cmd("net", "new", other, "--subnet", "10.88.9.0/24").ok()
    for link in [name for name in pair.lab.host.links() if name.startswith("nk-")]:
        pair.lab.host.run("ip", "link", "set", link, "down")
    assert pair.lab.nook.cmd("net", "repair", other).ok().startswith(f"mended network {other}: the bridge ")
    assert pair.works(1) is not None
    pair.lab.nook.cmd("net", "repair", network, "--json").ok()
    assert pair.works() is None


def test_json(pair, network):
    pair.lab.host.run("ip", "link", "del", pair.host_end(pair.one.name))
    lines = [json.loads(line) for line in pair.lab.nook.cmd("net", "repair", "--json").lines()]
    assert [(line["version"], line["network"], line["container"]) for line in lines] == [(1, network, pair.one.name)]
    assert "eth0" in lines[0]["mended"]
    pair.lab.host.run("nft", "flush", "ruleset")
    lines = [json.loads(line) for line in pair.lab.nook.cmd("net", "repair", "--json").lines()]
    assert [(line["network"], line["container"]) for line in lines] == [(None, None)]


def test_nothing_of_the_dead_comes_back(netlab, network):
    """A killed nook's container is to be undone: its link is not made anew."""
    with netlab.nook.background("echo ready; exec sleep 1000", "--net", network, "--publish", "8080:80") as one:
        one.process.kill()
        one.process.wait()
        machine.wait_until(lambda: not machine.children(one.process.pid), what="its end")
        netlab.host.run("nft", "flush", "ruleset")
        netlab.nook.cmd("net", "repair").ok()
        assert "8080" not in netlab.host.run("nft", "list", "ruleset")
        netlab.nook.cmd("rm", "--force", one.name).ok()


def test_without_networks_there_is_nothing_to_do(netlab):
    assert netlab.nook.cmd("net", "repair").ok() == ""
    assert netlab.left() == []
    netlab.nook.cmd("net", "repair", "no-such-network").failed(125, "no-such-network")
    netlab.nook.cmd("net", "repair", "one", "two").failed(125, "two")


def test_one_that_cannot_be_mended_keeps_no_other_from_it(pair, network):
    """Somebody else's link has the name: it is left alone, and told; the rest is mended."""
    other = unique("n")
    pair.lab.nook.cmd("net", "new", other, "--subnet", "10.88.9.0/24").ok()
    theirs = json.loads(pair.lab.nook.cmd("net", "show", other, "--json").ok())["bridge"]
    pair.lab.host.ip_batch(f"link del {theirs}\nlink add {theirs} type veth peer name x9")
    pair.lab.host.run("nft", "flush", "ruleset")
    pair.lab.nook.cmd("net", "repair").failed(125, theirs)
    assert pair.works() is None
    assert pair.lab.host.links()[theirs]["linkinfo"]["info_kind"] == "veth"
    pair.lab.host.run("ip", "link", "del", theirs)


# ---- watch ----

@pytest.fixture
def watch(pair):
    with pair.lab.nook.popen(["net", "watch"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert "watching" in process.stderr.readline()
        yield process
        process.kill()


@pytest.mark.parametrize("damage", ["the ruleset is flushed", "the bridge is deleted", "a host's end is deleted", "a host's end is no port",
                                    "the bridge has lost its addresses", "forwarding is off"])
def test_watch_repairs_by_itself(pair, watch, damage):
    do, words = DAMAGES[damage]
    do(pair)
    assert re.search(rf"mended .*{words[0]}", watch.stdout.readline())
    machine.wait_until(lambda: pair.works(1) is None, 20, f"the repair after: {damage}")
    assert watch.poll() is None


def test_watch_sleeps_when_nothing_happens(pair, watch):
    """What it has mended itself makes it look once more, and no more than that."""
    pair.lab.host.run("nft", "flush", "ruleset")
    assert "mended" in watch.stdout.readline()
    machine.wait_until(lambda: pair.works(1) is None, 20, "the repair")
    idle = machine.wait_until(lambda: asleep(watch.pid), what="its sleep")
    assert pair.first.ping("10.88.7.3")
    assert voluntary(watch.pid) == idle, "it woke up though nothing has changed"


def asleep(pid):
    """Its count of context switches, when it waits in poll and that has not changed for a while."""
    before = voluntary(pid)
    if machine.read(f"/proc/{pid}/wchan") not in ("poll_schedule_timeout.constprop.0", "do_sys_poll", "poll_schedule_timeout", "0"):
        return 0
    return before if machine.state_of(pid) == "S" and voluntary(pid) == before else 0


def voluntary(pid):
    return int(machine.status(pid)["voluntary_ctxt_switches"])


def test_watch_sees_new_containers_and_leaves_them_alone(pair, watch):
    """One that starts and ends meanwhile is no damage."""
    for _ in range(5):
        pair.lab.nook.run("--net", pair.network, "--publish", "9090:90", "true").ok()
    pair.lab.host.run("ip", "link", "set", bridge(pair), "down")
    assert "the bridge" in watch.stdout.readline()
