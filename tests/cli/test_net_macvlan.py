# SPDX-License-Identifier: Apache-2.0
"""`--net macvlan:LINK`: a link of the container's own on one of the host's, with real packets."""

import json

import machine
import pytest
from netlab import GATEWAY, INTERNET, V4, V6
from result import unique

pytestmark = pytest.mark.quick

FOREVER = "echo ready; exec sleep 1000"
ONE, TWO = {V4: "192.0.2.11", V6: "2001:db8:1::11"}, {V4: "192.0.2.12", V6: "2001:db8:1::12"}


def words(link, addresses):
    return f"macvlan:{link}:ip={addresses[V4]}/24,ip={addresses[V6]}/64"


@pytest.fixture
def pair(netlab):
    """Two containers, each with a macvlan on the host's eth0, and their namespaces."""
    made = [netlab.nook.background(FOREVER, "--net", words("eth0", addresses)) for addresses in (ONE, TWO)]
    yield made, [netlab.space_of(each.pid) for each in made]
    for each in made:
        each.stop()


def test_two_containers_reach_each_other_and_the_outside(netlab, pair):
    _, (one, two) = pair
    two.serve("two", 80)
    for family in (V4, V6):
        assert one.ping(TWO[family]) and two.ping(ONE[family])
        assert one.ask(TWO[family], 80) == f"two {ONE[family]}"
        # Neighbours of the host's own link are theirs: they are on it as if they were machines.
        assert one.ping(GATEWAY[family])
        assert netlab.world.ask(TWO[family], 80) == f"two {GATEWAY[family]}"
        # They are given no default route: nobody has said one.
        assert one.why_not(INTERNET[family], 80) == "ENETUNREACH"


def test_they_are_links_of_their_own(netlab, pair):
    """Both are on eth0, told apart by their MACs, and on the host there is nothing but eth0."""
    _, spaces = pair
    links = [space.links()["eth0"] for space in spaces]
    assert all(link["linkinfo"]["info_kind"] == "macvlan" and link["linkinfo"]["info_data"]["mode"] == "bridge" for link in links)
    assert {link["link_index"] for link in links} == {netlab.host.links()["eth0"]["ifindex"]}
    assert len({link["address"] for link in [*links, netlab.host.links()["eth0"]]}) == 3
    assert set(netlab.host.links()) == {"lo", "eth0"} and not netlab.host.tables()


def test_it_ends_with_its_container(netlab, pair):
    (one, _), (space, other) = pair
    assert other.ping(ONE[V4])
    one.stop()
    space.close()  # which held its namespace, and its link, too
    # The next one may have its address, and with it its MAC, at once.
    for _ in range(5):
        with netlab.nook.background(FOREVER, "--net", words("eth0", ONE)):
            assert other.ping(ONE[V4])
    machine.wait_until(lambda: not other.ping(ONE[V4], 1), what="the end of the last one's link")


def test_one_without_an_address_is_up(netlab):
    """Its addresses are a matter of the network that it is on."""
    links = json.loads(netlab.nook.run("--net", "macvlan:eth0:name=lan0,mac=0a:01:02:03:04:05", "--", "ip", "-j", "address").ok())
    lan, = [link for link in links if link["ifname"] == "lan0"]
    assert "UP" in lan["flags"] and lan["address"] == "0a:01:02:03:04:05"
    assert not [a for a in lan["addr_info"] if a["scope"] == "global"]


def test_with_a_network_beside_it(netlab):
    """The way out is the network's."""
    netlab.nook.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24").ok()
    server = netlab.world.serve("world", address=INTERNET[V4])
    with netlab.nook.background(FOREVER, "--net", "blue", "--net", words("eth0", ONE)) as both:
        inside = netlab.space_of(both.pid)
        assert set(inside.links()) == {"lo", "eth0", "eth1"}
        assert inside.ping(GATEWAY[V4]) and inside.ask(INTERNET[V4], server.port).startswith("world")
        # Of `nook net connect` and `disconnect` it takes no notice.
        netlab.nook.cmd("net", "disconnect", both.name, "blue").ok()
        assert set(inside.links()) == {"lo", "eth1"} and inside.ping(GATEWAY[V4])


# ---- refused ----

def refused(lab, link, *texts):
    """One error, and nothing is left of it."""
    name = unique("web")
    result = lab.nook.run("--net", f"macvlan:{link}", "--name", name, "--", "true")
    result.failed(125, *texts)
    assert [line for line in result.err.splitlines() if not line.startswith("  ")] == result.err.splitlines()[:1], str(result)
    assert not [left for left in lab.left() if name in left], str(result)


def test_a_link_that_is_not_there(netlab):
    refused(netlab, "eth7", "--net macvlan:eth7", "eth7", "no such device", "`ip link`")


def test_a_loopback_carries_none(netlab):
    refused(netlab, "lo", "--net macvlan:lo", "lo", "`ip link`")


def test_a_port_of_a_bridge_carries_none(netlab):
    netlab.host.ip_batch("link add theirs type bridge\nlink add spare type veth peer name other\nlink set spare master theirs")
    refused(netlab, "spare", "--net macvlan:spare", "port of a bridge", "`ip -d link show spare`")
    refused(netlab, "theirs:name=lo", "macvlan:theirs:name=lo")
    assert netlab.nook.run("--net", "macvlan:theirs", "--", "ip", "link", "show", "eth0").ok()
    netlab.host.ip_batch("link del spare\nlink del theirs")


def test_the_mac_of_a_living_one(netlab, pair):
    """The kernel wants them all different: who asks for the same address, or the same MAC, is refused."""
    refused(netlab, f"eth0:ip={ONE[V4]}/24,ip={ONE[V6]}/64", "--net macvlan:eth0", "another container", "mac=")
    assert pair[1][1].ping(ONE[V4])
    assert netlab.nook.run("--net", f"macvlan:eth0:ip={ONE[V4]}/24,mac=0a:01:02:03:04:05", "true").ok() == ""


def test_a_name_that_is_inside_already(netlab):
    netlab.nook.run("--net", "macvlan:eth0:name=lo", "true").failed(125, "--net macvlan:eth0:name=lo")


def test_a_running_container_gets_one(netlab):
    with netlab.nook.background(FOREVER, "--net", "none") as one:
        netlab.nook.cmd("net", "connect", one.name, words("eth0", ONE)).ok()
        inside = netlab.space_of(one.pid)
        assert inside.ping(GATEWAY[V4]) and inside.ping(GATEWAY[V6])


def test_a_running_container_that_can_not_have_it(netlab, pair):
    """Nothing stays inside, which would be in the way of the next."""
    with netlab.nook.background(FOREVER, "--net", "none") as one:
        inside = netlab.space_of(one.pid)
        for link in (f"eth0:ip={ONE[V4]}/24,ip={ONE[V6]}/64", "eth0:name=lo", "lo"):
            netlab.nook.cmd("net", "connect", one.name, f"macvlan:{link}").failed(125)
            assert set(inside.links()) == {"lo"}, link
        netlab.nook.cmd("net", "connect", one.name, "macvlan:eth0:ip=192.0.2.13/24").ok()
        assert inside.ping(ONE[V4])


def test_an_ordinary_user_has_no_right_over_the_hosts_links(netlab, lab):
    user = netlab.nook_as(lab.account("nooktest", lab.USER))
    user.run("--net", "macvlan:eth0", "true").failed(125, "--net macvlan:eth0", "[no-net-admin]", "--net user")
