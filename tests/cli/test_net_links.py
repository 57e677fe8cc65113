# SPDX-License-Identifier: Apache-2.0
"""nook net veth and nook net move: links between namespaces that people name, with real packets."""

import json

import machine
import pytest
from netlab import FAMILIES, LINKS
from result import unique

FIRST_PROBE = 3  # where the kernel begins to count: at ucast_solicit, whose default is this
A = {4: "10.9.8.1", 6: "fd09::1"}
B = {4: "10.9.8.2", 6: "fd09::2"}
ADDRESSES = [word for family, prefix in ((4, 24), (6, 64)) for end in (A, B)
             for word in ("--address", f"{end[family]}/{prefix}")]


class Kept:
    """A name of `nook ns` with a network namespace, and the namespace to look into."""

    def __init__(self, lab):
        self.lab, self.name = lab, unique("net")
        self.nook = lab.nook
        self.nook.cmd("ns", "new", self.name, "--net").ok()
        self.path = f"/run/netns/{self.name}"
        self.space = lab.space_at(lab.path(self.path))

    def forget(self):
        """The namespace ends: nobody else is in it or has it open."""
        self.space.close()
        self.nook.cmd("ns", "rm", self.name).ok()


@pytest.fixture
def kept(netlab):
    """Call it for a new one."""
    made = []

    def make():
        made.append(Kept(netlab))
        return made[-1]
    yield make
    for each in made:
        each.space.close()
        each.nook.cmd("ns", "rm", "--force", each.name)
    gone(netlab)


def gone(lab):
    """The kernel takes links away some time after their namespace has ended."""
    machine.wait_until(lambda: set(lab.host.links()) == LINKS, what="the end of the links")


def veth(lab, *words):
    return lab.nook.cmd("net", "veth", *words)


# ---- veth ----

@pytest.mark.parametrize("family", FAMILIES)
def test_a_namespace_and_the_host_ping_each_other(netlab, kept, family):
    one = kept()
    assert veth(netlab, f"{one.name}:eth0", "host:blue0", *ADDRESSES).ok() == ""
    assert one.space.ping(B[family]) and netlab.host.ping(A[family])
    link, = netlab.host.ip("link", "show", "blue0")
    assert link["linkinfo"]["info_kind"] == "veth" and "UP" in link["flags"]
    assert link["ifalias"] == f"nook veth to {one.name}:eth0"
    assert one.space.addresses("eth0") == {"10.9.8.1/24", "fd09::1/64"}
    assert {"10.9.8.2/24", "fd09::2/64"} <= netlab.host.addresses("blue0")


@pytest.mark.parametrize("family", FAMILIES)
def test_two_namespaces_ping_each_other_and_nobody_else(netlab, kept, family):
    one, two = kept(), kept()
    veth(netlab, f"{one.name}:eth0", f"{two.name}:eth7", *ADDRESSES).ok()
    assert one.space.ping(B[family]) and two.space.ping(A[family])
    assert set(netlab.host.links()) == LINKS
    assert not netlab.host.ping(A[family], seconds=1)


def test_two_containers_by_name(netlab):
    with netlab.nook.background() as one, netlab.nook.background() as two:
        veth(netlab, f"{one.name}:eth0", f"{two.name}:eth0", *ADDRESSES).ok()
        for container, other in ((one, B), (two, A)):
            space = netlab.space_of(container.pid)
            assert all(space.ping(other[family]) for family in FAMILIES)
            space.close()


def test_a_pid_and_a_path(netlab, kept):
    one, two = kept(), netlab.new_space()
    pid = netlab.holders[-1].pid
    veth(netlab, f"{one.path}:eth0", f"{pid}:eth0", "--address", "10.9.8.1/24", "--address=10.9.8.2/24").ok()
    assert one.space.ping(B[4]) and two.ping(A[4])


def test_without_addresses_both_ends_are_up(netlab, kept):
    one = kept()
    veth(netlab, "host:blue0", f"{one.name}:eth0").ok()
    machine.wait_until(lambda: netlab.host.links()["blue0"]["operstate"] == "UP", what="its carrier")
    assert "UP" in one.space.links()["eth0"]["flags"]
    assert one.space.addresses("eth0") == set()


def test_addresses_of_one_end_only(netlab, kept):
    one = kept()
    veth(netlab, f"{one.name}:eth0", "host:blue0", "--address", "10.9.8.1/24").ok()
    assert one.space.addresses("eth0") == {"10.9.8.1/24"}
    assert netlab.host.addresses("blue0") == set()


def test_both_ends_in_one_namespace(netlab):
    veth(netlab, "host:blue0", "host:blue1").ok()
    assert set(netlab.host.links()) == LINKS | {"blue0", "blue1"}
    netlab.host.run("ip", "link", "del", "blue1")
    assert set(netlab.host.links()) == LINKS
    veth(netlab, "host:blue0", "host:blue0").failed(125, "blue0", "file exists")
    assert set(netlab.host.links()) == LINKS


def test_the_pair_ends_with_the_namespace(netlab, kept):
    one = kept()
    veth(netlab, f"{one.name}:eth0", "host:blue0").ok()
    assert "blue0" in netlab.host.links()
    one.forget()
    gone(netlab)


def test_the_pair_ends_with_the_container(netlab):
    with netlab.nook.background() as one:
        veth(netlab, f"{one.name}:eth0", "host:blue0").ok()
    gone(netlab)


@pytest.mark.parametrize("taken", [0, 1])
def test_a_name_that_is_taken_makes_nothing(netlab, kept, taken):
    one, two = kept(), kept()
    veth(netlab, f"{one.name}:eth0", f"{two.name}:eth0").ok()
    ends = ["host:blue0", f"{one.name}:eth0"]
    error = veth(netlab, *(ends if taken else reversed(ends))).failed(125, f"{one.name} has a link eth0 already")
    assert f"{one.name}:eth0" in error
    assert set(netlab.host.links()) == LINKS


def test_nothing_is_left_when_an_address_is_refused(netlab, kept):
    """The pair was made by then: IPv6 is off in there, and the kernel says so."""
    one = kept()
    one.space.sysctl("ipv6/conf/default/disable_ipv6", 1)
    veth(netlab, "host:blue0", f"{one.name}:eth0", *ADDRESSES).failed(125, "eth0", "address", "IPv6 is disabled")
    gone(netlab)
    assert set(one.space.links()) == {"lo"}


@pytest.mark.parametrize("words, said", [
    ([], ["two ends"]),
    (["host:a"], ["two ends"]),
    (["host:a", "host:b", "host:c"], ["two ends"]),
    (["host", "host:b"], ["TARGET:LINK", "host"]),
    (["host:", "host:b"], ["TARGET:LINK"]),
    ([":a", "host:b"], ["TARGET:LINK"]),
    (["host:a", "host:a name"], ["can't name a link"]),
    (["host:a", "host:more-than-15-bytes"], ["can't name a link", "15 characters"]),
    (["host:a", "host:b%d"], ["can't name a link"]),
    (["host:a", "host:."], ["can't name a link"]),
    (["host:a", "host:b\n"], ["can't name a link"]),
    (["host:a", "nobody-has-this:b"], ["no-such-namespace", "nobody-has-this"]),
    (["host:a", "4194304:b"], ["process", "4194304"]),
    (["host:a", "/etc/passwd:b"], ["not-a-namespace"]),
    (["host:a", "/proc/self/ns/uts:b"], ["no network namespace"]),
    (["host:a", "/no/such/path:b"], ["/no/such/path"]),
    (["host:a", "host:b", "--address", "10.9.8.1"], ["--address"]),
    (["host:a", "host:b", "--address", "10.9.8.1/33"], ["--address"]),
    (["host:a", "host:b", "--address", "0.0.0.0/8"], ["--address"]),
    (["host:a", "host:b", "--adress", "10.9.8.1/24"], ["--address"]),
])
def test_wrong_words(netlab, words, said):
    veth(netlab, *words).failed(125, *said)
    assert set(netlab.host.links()) == LINKS


def test_without_the_right_it_says_which(netlab):
    """In a namespace that is root's, an ordinary user makes nothing."""
    nobody = netlab.nook_as(machine.Account("nobody", 65534, 65534, "/", env={"XDG_RUNTIME_DIR": "/tmp"}))
    nobody.cmd("net", "veth", "host:a", "host:b").failed(125, "CAP_")
    assert set(netlab.host.links()) == LINKS


# ---- a container's links ----

@pytest.mark.parametrize("family", FAMILIES)
def test_the_first_packet_is_not_lost(netlab, family):
    """Else its neighbour is asked for again after a second. The kernel counts how often it was asked."""
    gateway = {4: "10.66.0.1", 6: "fd66::1"}[family]
    netlab.nook.cmd("net", "new", "quick", "--subnet", "10.66.0.0/24", "--subnet", "fd66::/64").ok()
    server = netlab.host.serve("hello")
    for _ in range(6):
        script = f"busybox nc {gateway} {server.port} </dev/null; echo; exec ip -j -s neighbour show {gateway}"
        said, neighbours = netlab.nook.run("--net", "quick", "--", "sh", "-c", script).lines()
        assert said.startswith("hello")
        asked, = json.loads(neighbours)
        assert asked["probes"] - FIRST_PROBE == 1, asked


# ---- move ----

@pytest.fixture
def spare(netlab, kept):
    """A pair of links on the host: "spare" is to be moved, "other" stays."""
    netlab.host.ip_batch("\n".join(["link add spare type veth peer name other", "link set spare mtu 1400",
                                    "address add 10.9.8.1/24 dev spare", "address add 10.9.9.1/24 dev spare",
                                    "address add fd09::1/64 dev spare nodad", "address add 10.9.8.2/24 dev other",
                                    "address add fd09::2/64 dev other nodad", "link set other up"]))
    yield "spare"
    netlab.host.try_("ip", "link", "del", "other")
    gone(netlab)


def test_a_moved_link_keeps_its_addresses_and_is_up(netlab, kept, spare):
    one = kept()
    said = netlab.nook.cmd("net", "move", spare, one.name).ok()
    assert said == f"spare is spare in {one.name}. When that namespace ends, it ends with it: it is no physical device."
    assert spare not in netlab.host.links()
    assert one.space.addresses("spare") == {"10.9.8.1/24", "10.9.9.1/24", "fd09::1/64"}
    assert one.space.links()["spare"]["mtu"] == 1400
    assert all(one.space.ping(B[family]) for family in FAMILIES)


def test_a_moved_link_gets_another_name(netlab, spare):
    with netlab.nook.background() as container:
        netlab.nook.cmd("net", "move", spare, container.name, "--name", "eth0").ok()
        space = netlab.space_of(container.pid)
        assert set(space.links()) == {"lo", "eth0"}
        assert space.ping(B[4])
        space.close()


def test_a_virtual_link_ends_with_the_namespace(netlab, kept, spare):
    one = kept()
    netlab.nook.cmd("net", "move", spare, one.name).ok()
    one.forget()
    gone(netlab)


def test_a_link_that_can_not_be_moved_stays(netlab, kept, spare):
    one = kept()
    move = lambda *words: netlab.nook.cmd("net", "move", *words)
    before = netlab.host.addresses(spare)
    move(spare, one.name, "--name", "lo").failed(125, f"{one.name} has a device lo already")
    move(spare, "host").failed(125, "host has a device spare already")
    move(spare, one.name, "--name", "in%d").failed(125, "can't name a link")
    move("lo", one.name, "--name", "lo1").failed(125, "lo", "try: ")
    move("nosuchlink", one.name).failed(125, "nosuchlink")
    move(spare, "nobody-has-this").failed(125, "no-such-namespace")
    move(spare).failed(125, "LINK TARGET")
    move(spare, one.name, "eth0").failed(125, "LINK TARGET")
    assert netlab.host.addresses(spare) == before and set(one.space.links()) == {"lo"}


def test_many_addresses(netlab, kept, spare):
    """More than one batch of messages to the kernel holds."""
    one = kept()
    netlab.host.ip_batch("\n".join(f"address add 10.7.{n}.1/24 dev spare" for n in range(120)))
    netlab.nook.cmd("net", "move", spare, one.name).ok()
    assert {f"10.7.{n}.1/24" for n in range(120)} < one.space.addresses(spare)
