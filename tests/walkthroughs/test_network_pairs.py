# SPDX-License-Identifier: Apache-2.0
"""What articles on network namespaces show with `ip netns` and veth(4): here with nook, and with real packets."""

import machine
import pytest
from netlab import FAMILIES, GATEWAY, HOST, INTERNET, LINKS
from result import unique

A = {4: "10.1.1.1/24", 6: "fd01::1/64"}
B = {4: "10.1.1.2/24", 6: "fd01::2/64"}


def bare(address):
    return address.split("/")[0]


class Names:
    """Kept net namespaces of a lab, each with its Space; their loopback is down, as the kernel makes it."""

    def __init__(self, lab):
        self.lab, self.names = lab, []

    def new(self):
        self.names.append(unique("ns"))
        self.lab.nook.cmd("ns", "new", self.names[-1], "--net").ok()
        return self.names[-1], self.lab.space_at(f"/run/nook/ns-pins/{self.names[-1]}.net")

    def rm(self, name):
        self.names.remove(name)
        self.lab.nook.cmd("ns", "rm", name).ok()


@pytest.fixture
def names(netlab):
    made = Names(netlab)
    yield made
    for name in list(made.names):
        made.rm(name)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_new_one_reaches_nothing(netlab, names, family):
    """Neither the host, nor what is behind it; and nobody reaches it: it has no address."""
    name, space = names.new()
    server = netlab.host.serve("host")
    for address in (HOST[family], GATEWAY[family], INTERNET[family]):
        assert not space.ping(address, seconds=1)
        # IPv6 looks for an address of its own first, and there is not even ::1.
        assert space.why_not(address, server.port) == {4: "ENETUNREACH", 6: "EADDRNOTAVAIL"}[family]
    assert netlab.host.why_not(HOST[family], server.port) is None  # the control
    assert set(space.links()) == {"lo"} and not space.links()["lo"]["flags"].count("UP")
    assert name in netlab.nook.cmd("ns", "ls").ok()


def test_its_loopback_has_to_be_brought_up(netlab):
    """A container's is; one that is kept bare is down until somebody does it."""
    with netlab.nook.background() as one:
        assert netlab.space_of(one.pid).ping("127.0.0.1")
    with netlab.nook.background("echo ready; exec sleep 1000", "--net", "none") as two:
        space = netlab.space_of(two.pid)
        assert not space.ping("127.0.0.1", seconds=1)
        space.run("ip", "link", "set", "lo", "up")
        assert space.ping("127.0.0.1")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pair_between_two_namespaces(netlab, names, family):
    """Ping both ways, and a connection; the host is not in between, and sees nothing of it."""
    (one, first), (two, second) = names.new(), names.new()
    netlab.nook.cmd("net", "veth", f"{one}:eth0", f"{two}:eth1", "--address", A[family], "--address", B[family]).ok()
    assert A[family] in first.addresses("eth0") and B[family] in second.addresses("eth1")
    assert first.ping(bare(B[family])) and second.ping(bare(A[family]))
    server = second.serve("two")
    assert first.ask(bare(B[family]), server.port) == f"two {bare(A[family])}"
    assert set(netlab.host.links()) == LINKS
    # Only each other: neither has a way further.
    assert first.why_not(INTERNET[family], server.port) == "ENETUNREACH"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pair_between_a_namespace_and_the_host(netlab, names, family):
    name, space = names.new()
    netlab.nook.cmd("net", "veth", f"{name}:eth0", "host:to-ns", "--address", A[family], "--address", B[family]).ok()
    assert netlab.host.ping(bare(A[family])) and space.ping(bare(B[family]))
    # The host's other address is further away: that takes a route, and the host answers by its own.
    assert not space.ping(HOST[family], seconds=1)
    space.run("ip", "route", "add", "default", "via", bare(B[family]))
    assert space.ping(HOST[family])
    # Behind the host is still nothing: it does not forward, and nobody there knows the way back.
    assert not space.ping(GATEWAY[family], seconds=1)


def test_a_pair_between_containers(netlab):
    """Of two that run, by their names; each sees the other's server on the same port as its own."""
    pings = ["echo ready; exec sleep 1000", "--cap-add", "net_raw"]
    with netlab.nook.background(*pings) as one, netlab.nook.background() as two:
        netlab.nook.cmd("net", "veth", f"{one.name}:eth0", f"{two.name}:eth0", "--address", A[4], "--address", B[4]).ok()
        first, second = netlab.space_of(one.pid), netlab.space_of(two.pid)
        first.serve("one", 8080)
        second.serve("two", 8080)
        assert first.ask(bare(B[4]), 8080) == f"two {bare(A[4])}" and second.ask(bare(A[4]), 8080) == f"one {bare(B[4])}"
        assert first.ask("127.0.0.1", 8080) == "one 127.0.0.1"
        assert netlab.nook.cmd("exec", one.name, "busybox", "ping", "-c", "1", "-W", "5", bare(B[4])).ok()


def test_the_removal_of_a_namespace_removes_the_pair(netlab, names):
    """Its other end goes with it, on the host and in another namespace."""
    (one, _), (two, second) = names.new(), names.new()
    netlab.nook.cmd("net", "veth", f"{one}:eth0", f"{two}:eth0").ok()
    netlab.nook.cmd("net", "veth", f"{one}:eth1", "host:to-ns").ok()
    assert "to-ns" in netlab.host.links() and "eth0" in second.links()
    netlab.spaces.pop(2).close()  # ours keeps it too
    names.rm(one)
    machine.wait_until(lambda: set(netlab.host.links()) == LINKS and set(second.links()) == {"lo"}, what="the end of the pairs")


def test_a_link_that_is_moved_disappears_outside(netlab, names):
    """It is in one namespace only, with its address; a virtual one ends with that, which nook says."""
    name, space = names.new()
    netlab.host.ip_batch(f"link add mv0 type veth peer name mv1\naddress add {A[4]} dev mv0\nlink set mv0 up\nlink set mv1 up")
    assert {"mv0", "mv1"} < set(netlab.host.links())
    out = netlab.nook.cmd("net", "move", "mv0", name, "--name", "eth7").ok()
    assert "ends with it" in out
    assert "mv0" not in netlab.host.links() and A[4] in space.addresses("eth7")
    netlab.host.run("ip", "address", "add", B[4], "dev", "mv1")
    assert netlab.host.ping(bare(A[4])) and space.ping(bare(B[4]))
    netlab.spaces.pop().close()
    names.rm(name)
    machine.wait_until(lambda: set(netlab.host.links()) == LINKS, what="the end of the link")


def test_a_link_that_is_moved_home_before_the_end_stays(netlab, names):
    """What nook has moved in, `ip` inside moves out: by the pid of somebody there."""
    name, space = names.new()
    netlab.host.ip_batch("link add mv0 type veth peer name mv1")
    netlab.nook.cmd("net", "move", "mv0", name).ok()
    assert "mv0" not in netlab.host.links()
    space.run("ip", "link", "set", "mv0", "netns", netlab.holders[0].pid)
    assert "mv0" in netlab.host.links() and set(space.links()) == {"lo"}
    names.rm(name)
    assert "mv0" in netlab.host.links()
    netlab.host.run("ip", "link", "del", "mv0")
