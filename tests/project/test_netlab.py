# SPDX-License-Identifier: Apache-2.0
"""The stage of the tests with real packets, tried with plain `ip` and `nft`: what its witnesses say must be true."""

import os

import machine
import pytest
from netlab import FAMILIES, GATEWAY, HOST, INTERNET, LINKS

INNER = {4: "10.9.8.7", 6: "fd09::7"}


def test_it_is_apart_from_the_machine(netlab):
    """Neither links nor files of the machine's are seen there, nor the other way round."""
    assert set(netlab.host.links()) == LINKS
    netlab.host.run("ip", "link", "add", "nook-mark", "type", "bridge")
    netlab.host.run("touch", "/run/nook-mark")
    assert not os.path.exists("/run/nook-mark") and os.path.exists(netlab.path("/run/nook-mark"))
    assert "nook-mark" not in machine.read("/proc/net/dev")
    netlab.host.run("ip", "link", "del", "nook-mark")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_world_is_reached_and_reaches_the_host(netlab, family):
    assert netlab.host.ping(GATEWAY[family]) and netlab.host.ping(INTERNET[family])
    assert netlab.world.ping(HOST[family])
    assert not netlab.host.ping({4: "192.0.2.99", 6: "2001:db8:1::99"}[family], seconds=1)


@pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_server_says_who_asked(netlab, family, udp):
    server = netlab.world.serve("outside", udp=udp)
    assert netlab.host.ask(INTERNET[family], server.port, udp) == f"outside {HOST[family]}"
    server.close()
    assert netlab.host.why_not(INTERNET[family], server.port, udp) == "ECONNREFUSED"


def test_a_server_of_one_address_is_on_no_other(netlab):
    server = netlab.host.serve("inside", address="127.0.0.1")
    assert netlab.host.ask("127.0.0.1", server.port) == "inside 127.0.0.1"
    assert netlab.world.why_not(HOST[4], server.port) == "ECONNREFUSED"


def put_behind_the_host(netlab, family):
    """A namespace that has the host as its gateway, and that the world knows no way to."""
    space = netlab.new_space()
    netlab.host.run("ip", "link", "add", "nook-in", "type", "veth", "peer", "name", "eth0", "netns",
                    f"/proc/{netlab.holders[-1].pid}/ns/net")
    near = {4: "10.9.8.1/24", 6: "fd09::1/64"}[family]
    far = INNER[family] + near[near.index("/"):]
    netlab.host.ip_batch(f"address add {near} dev nook-in nodad\nlink set nook-in up")
    space.ip_batch(f"address add {far} dev eth0 nodad\nlink set eth0 up\n"
                   f"route add default via {near.split('/')[0]}")
    netlab.host.sysctl({4: "ipv4/ip_forward", 6: "ipv6/conf/all/forwarding"}[family], 1)
    return space


@pytest.mark.parametrize("family", FAMILIES)
def test_the_world_knows_no_way_behind_the_host_but_by_nat(netlab, family):
    """Forwarded and not translated, nothing comes back; masqueraded, the world sees the host."""
    space = put_behind_the_host(netlab, family)
    server = netlab.world.serve("outside")
    assert space.ping(HOST[family])
    assert not space.reaches(INTERNET[family], server.port)
    netlab.host.nft("add table inet t\nadd chain inet t c { type nat hook postrouting priority 100; }\n"
                    "add rule inet t c oifname eth0 masquerade")
    assert space.ask(INTERNET[family], server.port) == f"outside {HOST[family]}"
    netlab.host.run("ip", "link", "del", "nook-in")


def test_sysctls_are_the_labs_own(netlab):
    mine = machine.read("/proc/sys/net/ipv4/ip_forward").strip()
    other = "0" if mine == "1" else "1"
    netlab.host.sysctl("ipv4/ip_forward", other)
    assert netlab.host.sysctl("ipv4/ip_forward") == other
    assert machine.read("/proc/sys/net/ipv4/ip_forward").strip() == mine


def test_what_is_left_is_seen(netlab):
    """The check after each test can fail."""
    assert netlab.left() == []
    netlab.host.run("ip", "link", "add", "nk-x", "type", "bridge")
    netlab.host.nft("table inet nook { }")
    netlab.host.run("mkdir", "-p", "/run/nook/net/addresses")
    netlab.host.run("touch", "/run/nook/net/addresses/x")
    assert netlab.left() == ["link nk-x", "nft table inet nook", "net/addresses/x"]
    netlab.host.run("ip", "link", "del", "nk-x")
    netlab.host.run("nft", "delete", "table", "inet", "nook")
    netlab.host.run("rm", "/run/nook/net/addresses/x")


def test_nook_runs_on_the_host(netlab):
    """Its state is the lab's own, and so is its network."""
    with netlab.nook.background("echo ready; exec sleep 1000", "--net", "host") as one:
        assert netlab.files("containers") == [one.name]
        assert machine.ns("net", one.pid) == netlab.host.run("readlink", "/proc/self/ns/net") != machine.ns("net")
        assert set(netlab.space_of(one.pid).links()) == LINKS


def test_the_end_of_the_lab_is_the_end_of_its_namespaces(netlab):
    """Of an extra one too, with a server in it."""
    space = netlab.new_space()
    space.serve("x")
    inode = os.fstat(space.net).st_ino
    netlab.host.run("ip", "link", "add", "nook-in", "type", "veth", "peer", "name", "eth0", "netns",
                    f"/proc/{netlab.holders[-1].pid}/ns/net")
    assert "nook-in" in netlab.host.links()
    netlab.spaces.remove(space)
    space.close()
    netlab.holders.pop().communicate("end\n")
    # The kernel ends a net namespace some time after the last who was in it; its end of the pair takes the other along.
    machine.wait_until(lambda: "nook-in" not in netlab.host.links(), what=f"the end of net:[{inode}]")
