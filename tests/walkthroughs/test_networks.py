# SPDX-License-Identifier: Apache-2.0
"""Containers on networks of nook's: bridge, NAT and ports, with real packets. A namespace plays the outside."""

import json

import machine
import pytest
from netlab import FAMILIES, GATEWAY, HOST, INTERNET
from result import unique

V6 = "fd88::/64"


def member(lab, network, container):
    """What `nook net show` says of a container's link."""
    shown = lab.nook.cmd("net", "show", network, "--json").json()
    return next(each for each in shown["containers"] if each["name"] == container)


def address_of(lab, network, container, family):
    return next(a for a in member(lab, network, container)["addresses"] if (":" in a) == (family == 6))


@pytest.fixture
def network(netlab):
    """A network with both families."""
    name = unique("n")
    netlab.nook.cmd("net", "new", name, "--subnet", "10.88.7.0/24", "--subnet", V6).ok()
    return name


def on(lab, network, *options):
    return lab.nook.background("echo ready; exec sleep 1000", "--net", network, *options)


@pytest.mark.parametrize("family", FAMILIES)
def test_two_containers_over_a_bridge(netlab, network, family):
    """Ping both ways, and with the host on the bridge."""
    with on(netlab, network) as one, on(netlab, network) as two:
        first, second = netlab.space_of(one.pid), netlab.space_of(two.pid)
        a, b = (address_of(netlab, network, each.name, family) for each in (one, two))
        assert a != b
        assert first.ping(b) and second.ping(a)
        assert netlab.host.ping(a) and netlab.host.ping(b)
        assert first.ping({4: "10.88.7.1", 6: "fd88::1"}[family])


def test_two_containers_listen_on_the_same_port(netlab, network):
    with on(netlab, network) as one, on(netlab, network) as two:
        first, second = netlab.space_of(one.pid), netlab.space_of(two.pid)
        first.serve("one", 8080)
        second.serve("two", 8080)
        for family in FAMILIES:
            a, b = (address_of(netlab, network, each.name, family) for each in (one, two))
            assert first.ask(b, 8080) == f"two {a}" and second.ask(a, 8080) == f"one {b}"


@pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
@pytest.mark.parametrize("family", FAMILIES)
def test_nat_to_the_outside(netlab, network, family, udp):
    """The world knows no way to the container, and sees the host ask."""
    server = netlab.world.serve("outside", udp=udp)
    with on(netlab, network) as one:
        space = netlab.space_of(one.pid)
        assert space.ask(INTERNET[family], server.port, udp) == f"outside {HOST[family]}"
        assert space.ping(INTERNET[family]) and space.ping(GATEWAY[family])
        inner = address_of(netlab, network, one.name, family)
        assert not netlab.world.ping(inner, seconds=1)


def test_nobody_outside_reaches_a_container_by_its_address(netlab, network):
    """Not even who knows the way: only what is published is."""
    with on(netlab, network) as one:
        space = netlab.space_of(one.pid)
        space.serve("one", 8080)
        inner = address_of(netlab, network, one.name, 4)
        netlab.world.run("ip", "route", "add", "10.88.0.0/16", "via", HOST[4])
        assert netlab.host.ask(inner, 8080).startswith("one")
        assert not netlab.world.reaches(inner, 8080)


def test_without_nat_its_own_address_is_seen(netlab):
    name = unique("n")
    netlab.nook.cmd("net", "new", name, "--subnet", "10.88.7.0/24", "--no-nat").ok()
    server = netlab.world.serve("outside")
    with on(netlab, name) as one:
        space = netlab.space_of(one.pid)
        inner = address_of(netlab, name, one.name, 4)
        assert not space.reaches(INTERNET[4], server.port)  # nobody knows the way back
        netlab.world.run("ip", "route", "add", "10.88.7.0/24", "via", HOST[4])
        assert space.ask(INTERNET[4], server.port) == f"outside {inner}"
        space.serve("one", 8080)
        assert netlab.world.ask(inner, 8080) == f"one {GATEWAY[4]}"


def test_an_internal_network_has_no_way_out(netlab):
    name = unique("n")
    netlab.nook.cmd("net", "new", name, "--subnet", "10.88.7.0/24", "--internal").ok()
    server = netlab.world.serve("outside")
    with on(netlab, name) as one, on(netlab, name) as two:
        space = netlab.space_of(one.pid)
        assert space.ping(address_of(netlab, name, two.name, 4))
        assert space.why_not(INTERNET[4], server.port) == "ENETUNREACH"
        # Not even with a route of its own making.
        space.run("ip", "route", "add", "default", "via", "10.88.7.1")
        assert not space.reaches(INTERNET[4], server.port)


def test_two_networks_are_kept_apart(netlab, network):
    other = unique("n")
    netlab.nook.cmd("net", "new", other, "--subnet", "10.88.8.0/24").ok()
    with on(netlab, network) as one, on(netlab, other) as two, on(netlab, network, "--net", other) as both:
        first, second, third = (netlab.space_of(each.pid) for each in (one, two, both))
        second.serve("two", 8080)
        inner = address_of(netlab, other, two.name, 4)
        assert not first.reaches(inner, 8080)
        assert third.ask(inner, 8080).startswith("two")
        assert first.ping(address_of(netlab, network, both.name, 4))


@pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_published_port(netlab, network, family, udp):
    """From outside, from another container by the host's address, and from itself the same way."""
    suffix = "/udp" if udp else ""
    with on(netlab, network, "--publish", f"8080:80{suffix}") as one, on(netlab, network) as two:
        space = netlab.space_of(one.pid)
        space.serve("inside", 80, udp=udp)
        assert netlab.world.ask(HOST[family], 8080, udp) == f"inside {GATEWAY[family]}"
        assert netlab.host.ask(HOST[family], 8080, udp).startswith("inside ")
        assert netlab.space_of(two.pid).ask(HOST[family], 8080, udp).startswith("inside ")
        assert space.ask(HOST[family], 8080, udp).startswith("inside ")
    assert netlab.world.why_not(HOST[family], 8080, udp) == "ECONNREFUSED"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_published_port_from_the_hosts_own_loopback(netlab, network, address):
    with on(netlab, network, "--publish", "8080:80") as one:
        netlab.space_of(one.pid).serve("inside", 80)
        assert netlab.host.ask(address, 8080).startswith("inside ")


def test_who_is_on_the_network_does_not_reach_the_hosts_loopback(netlab, network):
    """CVE-2020-8558: what listens on 127.0.0.1 of the host is its own, route_localnet or not."""
    netlab.host.serve("secret", 9999, address="127.0.0.1")
    with on(netlab, network, "--publish", "8080:80") as one:
        space = netlab.space_of(one.pid)
        space.run("ip", "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local")
        space.run("ip", "route", "flush", "table", "local", "type", "local", "dev", "lo")
        space.run("ip", "route", "add", "127.0.0.1/32", "via", "10.88.7.1")
        assert not space.reaches("127.0.0.1", 9999)


def test_names(netlab, network):
    """Containers on one network find each other by name, whoever came first; who has gone is forgotten."""
    with on(netlab, network) as one:
        with on(netlab, network) as two:
            for asking, asked in ((one, two), (two, one)):
                out = netlab.nook.cmd("exec", asking.name, "getent", "ahostsv4", asked.name).ok()
                assert address_of(netlab, network, asked.name, 4) in out
        machine.wait_until(lambda: netlab.nook.cmd("exec", one.name, "getent", "-s", "hosts:files", "hosts", two.name).status == 2, what="its name's end")


def test_it_asks_for_an_address(netlab, network):
    with on(netlab, f"{network}:ip=10.88.7.77,mac=02:00:00:00:00:07,name=lan0") as one:
        space = netlab.space_of(one.pid)
        assert "10.88.7.77/24" in space.addresses("lan0") and space.links()["lan0"]["address"] == "02:00:00:00:00:07"
        result = netlab.nook.run("--net", f"{network}:ip=10.88.7.77", "true")
        result.failed(125, "10.88.7.77", one.name)


def test_the_default_network_is_made_on_first_use(netlab):
    server = netlab.world.serve("outside")
    with netlab.nook.background("echo ready; exec sleep 1000", "--net", "bridge") as one:
        assert "nook0" in netlab.host.links()
        assert netlab.space_of(one.pid).ask(INTERNET[4], server.port) == f"outside {HOST[4]}"
    assert [each["name"] for each in netlab.nook.cmd("net", "ls", "--json").json()["networks"]] == ["nook0"]


def test_it_is_connected_and_disconnected_while_it_runs(netlab, network):
    """And published: what a container that starts can have, a running one gets."""
    with netlab.nook.background() as one, on(netlab, network) as two:
        space = netlab.space_of(one.pid)
        inner = address_of(netlab, network, two.name, 4)
        assert not space.ping(inner, seconds=1)
        netlab.nook.cmd("net", "connect", one.name, network).ok()
        assert space.ping(inner)
        space.serve("one", 80)
        netlab.nook.cmd("net", "publish", one.name, "8080:80").ok()
        assert netlab.world.ask(HOST[4], 8080) == f"one {GATEWAY[4]}"
        netlab.nook.cmd("net", "unpublish", one.name, "8080:80").ok()
        assert netlab.world.why_not(HOST[4], 8080) == "ECONNREFUSED"
        netlab.nook.cmd("net", "disconnect", one.name, network).ok()
        assert set(space.links()) == {"lo"}


def test_removal_leaves_nothing(netlab, network):
    """Links, rules, records, the forwarding that was switched on: as before the first network."""
    with on(netlab, network, "--publish", "8080:80") as one:
        assert ("inet", "nook") in netlab.host.tables()
        assert netlab.host.sysctl("ipv4/ip_forward") == "1"
        netlab.nook.cmd("net", "rm", network).failed(125, one.name)
    netlab.nook.cmd("net", "rm", network).ok()
    assert netlab.left() == []
    assert netlab.host.sysctl("ipv4/ip_forward") == "0"


def test_a_host_that_did_not_forward_becomes_no_router(netlab, network):
    """nook has switched forwarding on; packets that have nothing to do with its networks are still not forwarded."""
    neighbour = netlab.new_space()
    netlab.host.ip_batch(f"link add nb type veth peer name eth0 netns /proc/{netlab.holders[-1].pid}/ns/net\n"
                         "address add 10.55.5.1/24 dev nb\nlink set nb up")
    neighbour.ip_batch("address add 10.55.5.2/24 dev eth0\nlink set eth0 up\nroute add default via 10.55.5.1")
    netlab.world.run("ip", "route", "add", "10.55.5.0/24", "via", HOST[4])
    assert netlab.host.sysctl("ipv4/ip_forward") == "1"
    assert neighbour.ping("10.55.5.1") and not neighbour.ping(GATEWAY[4], seconds=1)
    # One that was a router before stays one.
    netlab.nook.cmd("net", "rm", network).ok()
    netlab.host.sysctl("ipv4/ip_forward", 1)
    netlab.nook.cmd("net", "new", network, "--subnet", "10.88.7.0/24").ok()
    assert neighbour.ping(GATEWAY[4])
    netlab.host.run("ip", "link", "del", "nb")


def test_explain_says_what_packets_do(netlab, network):
    """Over nook's own networks: by name, by a published port, out by NAT, and where it stops between two."""
    other = unique("n")
    netlab.nook.cmd("net", "new", other, "--subnet", "10.88.8.0/24").ok()

    def explain(source, to):
        result = netlab.nook.cmd("net", "explain", source, to, "--json")
        assert result.status in (0, 1), str(result)
        return json.loads(result.out)

    with on(netlab, network, "--publish", "8080:80") as one, on(netlab, network) as two, on(netlab, other) as three:
        netlab.space_of(one.pid).serve("inside", 80)
        assert explain(two.name, f"{one.name}:80")["verdict"] == "arrives"
        for source in ("host", two.name, GATEWAY[4]):
            answer = explain(source, f"{HOST[4]}:8080")
            assert answer["verdict"] == "arrives", answer
            assert any(step["what"] == "nat" and one.name in step["text"] for step in answer["steps"])
        answer = explain(two.name, INTERNET[4])
        assert answer["verdict"] == "leaves" and any(HOST[4] in step["text"] for step in answer["steps"] if step["what"] == "nat")
        answer = explain(three.name, f"{one.name}:80")
        assert answer["verdict"] == "stops" and answer["steps"][-1]["what"] == "rules" and "kept apart" in answer["steps"][-1]["text"]
        answer = explain(GATEWAY[4], f"{one.name}:80")
        assert answer["verdict"] == "stops" and "published" in answer["steps"][-1]["text"]
        assert not any(step["result"] == "suspect" for step in answer["steps"]), "nook's own table is no suspect"
