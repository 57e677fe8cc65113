# SPDX-License-Identifier: Apache-2.0
"""Containers on networks: who is on one, which addresses they get, and what becomes of them with it."""

import ipaddress
import json
import os
import signal

import machine
import pytest
from netlab import LINKS
from result import unique

pytestmark = pytest.mark.quick

# /run is the lab's own, but cgroups are the machine's, where other tests have containers, too.
WEB, DB, LOG = (unique(stem) for stem in ("web", "db", "log"))


def new(lab, name, *options):
    return lab.nook.cmd("net", "new", name, *options, "--json").json()


def members(lab, name):
    return {row["name"]: row for row in lab.nook.cmd("net", "show", name, "--json").json()["containers"]}


def inside(lab, *options):
    """The links of a container that looks at itself, and ends."""
    rows = json.loads(lab.nook.run(*options, "--", "ip", "-j", "address").ok())
    return {row["ifname"]: [f"{a['local']}/{a['prefixlen']}" for a in row["addr_info"] if a["scope"] == "global"]
            for row in rows}


# ---- show ----

def test_a_container_is_shown_as_it_is(netlab):
    new(netlab, "blue", "--subnet", "10.90.0.0/24", "--subnet", "fd90::/64")
    with netlab.nook.background("cat /sys/class/net/eth0/address; exec sleep 1000", "--net", "blue", "--name", WEB,
                                "--publish", "192.0.2.1:5300-5301:53-54/udp") as web:
        row = members(netlab, "blue")[WEB]
        port = {"protocol": "udp", "address": "192.0.2.1", "host_port": 5300, "port": 53, "count": 2}
        assert row == {"name": WEB, "link": "eth0", "host_link": "nk0a5a0002", "mac": web.first,
                       "addresses": ["10.90.0.2", "fd90::2"], "ports": [port]}
        link = netlab.host.links()[row["host_link"]]
        assert link["master"] == "nk-blue" and link["ifalias"] == f"nook {WEB} eth0"
        assert [line.split() for line in netlab.nook.cmd("net", "show", "blue").lines()[-2:]] == [
            ["CONTAINER", "LINK", "ADDRESS", "MAC", "ON", "THE", "HOST", "PORTS"],
            [WEB, "eth0", "10.90.0.2,", "fd90::2", web.first, "nk0a5a0002", "192.0.2.1:5300-5301:53-54/udp"]]
        assert netlab.nook.cmd("net", "ls").lines()[1].split()[:5] == [
            "blue", "10.90.0.0/24,", "fd90::/64", "nk-blue", "1"]
    assert members(netlab, "blue") == {} and netlab.host.links().keys() == LINKS | {"nk-blue"}


def test_they_are_listed_by_address(netlab):
    new(netlab, "blue", "--subnet", "10.90.0.0/24")
    with (netlab.nook.background("echo x; sleep 1000", "--net", "blue:ip=10.90.0.200", "--name", WEB),
          netlab.nook.background("echo x; sleep 1000", "--net", "blue:ip=10.90.0.9", "--name", DB),
          netlab.nook.background("echo x; sleep 1000", "--net", "blue", "--name", LOG)):
        assert list(members(netlab, "blue")) == [LOG, DB, WEB]


# ---- addresses ----

def test_the_lowest_free_address_is_taken_and_given_back(netlab):
    new(netlab, "blue", "--subnet", "10.90.0.0/24", "--subnet", "fd90::/64")
    with netlab.nook.background("echo x; sleep 1000", "--net", "blue") as first:
        assert inside(netlab, "--net", "blue")["eth0"] == ["10.90.0.3/24", "fd90::3/64"]
        first.stop()
    assert inside(netlab, "--net", "blue")["eth0"] == ["10.90.0.2/24", "fd90::2/64"]
    assert netlab.files("net/addresses") == []


def test_an_address_of_a_living_container_is_refused_and_named(netlab):
    new(netlab, "blue", "--subnet", "10.90.0.0/24", "--subnet", "fd90::/64")
    with netlab.nook.background("echo x; sleep 1000", "--net", "blue:ip=10.90.0.7", "--name", WEB):
        for address in ("10.90.0.7", "fd90::7"):
            netlab.nook.run("--net", f"blue:ip={address}", "--", "true").failed(
                125, f"--net blue:ip={address}", f"container {WEB}", "[address-taken]")
        assert set(members(netlab, "blue")) == {WEB}
    assert inside(netlab, "--net", "blue:ip=10.90.0.7")["eth0"] == ["10.90.0.7/24", "fd90::7/64"]


@pytest.mark.parametrize("address, text", [("10.90.0.0", "10.90.0.0/24"), ("10.90.0.1", "10.90.0.0/24"),
                                           ("10.90.0.255", "10.90.0.0/24"), ("10.91.0.2", "is not in 10.90.0.0/24"),
                                           ("fd90::2", "no IPv6")])
def test_an_address_that_no_container_can_have_is_refused(netlab, address, text):
    new(netlab, "blue", "--subnet", "10.90.0.0/24")
    netlab.nook.run("--net", f"blue:ip={address}", "--", "true").failed(125, f"--net blue:ip={address}", text)
    assert netlab.files("net/addresses") == []


def test_a_full_network_says_so(netlab):
    new(netlab, "blue", "--subnet", "10.90.0.0/30")
    with netlab.nook.background("echo x; sleep 1000", "--net", "blue"):
        netlab.nook.run("--net", "blue", "--", "true").failed(125, "no address is free in 10.90.0.0/30", "[network-full]")
    assert inside(netlab, "--net", "blue")["eth0"] == ["10.90.0.2/30"]


def test_what_a_killed_nook_leaves_is_no_address_lost(netlab):
    """Its keeper was killed, and nobody has looked after it since: the next that needs the address undoes it."""
    new(netlab, "blue", "--subnet", "10.90.0.0/30")
    with netlab.nook.background("echo x; sleep 1000", "--net", "blue", "--name", WEB) as web:
        os.kill(web.process.pid, signal.SIGKILL)
        web.process.wait()
        assert members(netlab, "blue") == {}
        assert netlab.files("net/addresses") == ["blue:10.90.0.2"]
        assert inside(netlab, "--net", "blue")["eth0"] == ["10.90.0.2/30"]
    assert netlab.files("net/addresses") == [] and netlab.files("containers") == []


@pytest.mark.parametrize("n", [24])
def test_many_at_once_get_addresses_of_their_own(netlab, n):
    new(netlab, "blue", "--subnet", "10.90.0.0/27", "--subnet", "fd90::/64")
    started = [netlab.nook.popen(["run", "--net", "blue", "--", "sh", "-c", "ip -j address show eth0; read end"],
                                 stdin=-1, stdout=-1, stderr=-1) for _ in range(n)]
    try:
        rows = [json.loads(process.stdout.readline())[0]["addr_info"] for process in started]
        held = [row["addresses"] for row in members(netlab, "blue").values()]
        for family, subnet in (("inet", "10.90.0.0/27"), ("inet6", "fd90::/64")):
            got = [a["local"] for row in rows for a in row if a["family"] == family and a["scope"] == "global"]
            assert len(set(got)) == len(got) == n
            assert all(ipaddress.ip_address(a) in ipaddress.ip_network(subnet) for a in got)
            assert set(got) <= {address for addresses in held for address in addresses}
    finally:
        ends = [process.communicate("\n", timeout=60 * machine.PATIENCE) for process in started]
    assert all(process.returncode == 0 for process in started), ends
    assert netlab.files("net/addresses") == [] and netlab.host.links().keys() == LINKS | {"nk-blue"}


# ---- the network goes, or is lost ----

def test_a_network_that_is_used_is_not_removed(netlab):
    new(netlab, "blue")
    with netlab.nook.background("echo x; sleep 1000", "--net", "blue", "--name", WEB):
        netlab.nook.cmd("net", "rm", "blue").failed(125, f"network blue is used by {WEB}", "nook net rm --force blue")
        assert set(members(netlab, "blue")) == {WEB}
        assert inside(netlab, "--net", "blue")["eth0"]
    netlab.nook.cmd("net", "rm", "blue").ok()
    assert netlab.left() == []


def test_force_disconnects_and_the_container_goes_on(netlab):
    new(netlab, "blue", "--subnet", "10.90.0.0/24")
    new(netlab, "red", "--subnet", "10.91.0.0/24")
    with netlab.nook.background("echo x; sleep 1000", "--net", "blue", "--net", "red", "--name", WEB, "--publish",
                                "8080:80") as web:
        netlab.nook.cmd("net", "rm", "--force", "blue").ok()
        assert netlab.nook.cmd("exec", WEB, "ls", "/sys/class/net").ok().split() == ["eth1", "lo"]
        assert netlab.files("net/networks") == ["red"] and netlab.files("net/addresses") == ["red:10.91.0.2"]
        assert netlab.files("net/ports") == []
        assert "nk0a5a0002" not in netlab.host.links() and "nk-blue" not in netlab.host.links()
        assert web.process.poll() is None
    netlab.nook.cmd("net", "rm", "red").ok()
    assert netlab.left() == []


def test_a_lost_bridge_is_brought_back_by_the_next_container(netlab):
    new(netlab, "blue", "--subnet", "10.90.0.0/24")
    netlab.host.ip_batch("link del nk-blue")
    assert netlab.nook.cmd("net", "ls").lines()[1].endswith("its bridge is gone")
    assert "nook net repair" in netlab.nook.cmd("net", "show", "blue").ok()
    assert not netlab.nook.cmd("net", "show", "blue", "--json").json()["up"]
    assert inside(netlab, "--net", "blue")["eth0"] == ["10.90.0.2/24"]
    assert netlab.host.addresses("nk-blue") == {"10.90.0.1/24"}
    with netlab.nook.background("echo x; sleep 1000", "--net", "blue") as web:
        assert netlab.space_of(web.pid).ping("10.90.0.1")


def test_the_default_network_is_made_once_by_whoever_is_first(netlab):
    started = [netlab.nook.popen(["run", "--net", "bridge", "--", "sh", "-c", "ip -j address show eth0; read end"],
                                 stdin=-1, stdout=-1, stderr=-1) for _ in range(6)]
    got = [json.loads(process.stdout.readline())[0]["addr_info"][0]["local"] for process in started]
    try:
        assert sorted(got) == sorted(members(netlab, "nook0")[name]["addresses"][0] for name in members(netlab, "nook0"))
    finally:
        for process in started:
            process.communicate("\n", timeout=60 * machine.PATIENCE)
    assert len(set(got)) == 6 and netlab.files("net/networks") == ["nook0"]
    assert netlab.host.links().keys() == LINKS | {"nook0"}


def test_a_killed_removal_of_a_used_network_is_taken_back(netlab):
    new(netlab, "blue")
    with netlab.nook.background("echo x; sleep 1000", "--net", "blue", "--name", WEB):
        path = netlab.path("/run/nook/net/networks/blue")
        row = json.loads(machine.read(path)) | {"phase": "removing"}
        with open(path, "w", encoding="ascii") as file:
            json.dump(row, file)
        netlab.nook.run("--net", "nosuch", "--", "true").failed(125, "there is no network nosuch")
        assert set(members(netlab, "blue")) == {WEB}


def test_an_unknown_network_is_refused_before_anything_starts(netlab):
    netlab.nook.run("--net", "blue", "--", "true").failed(125, "--net blue", "there is no network blue", "[no-such-network]")
    assert netlab.left() == []


# ---- what costs nothing ----

def test_a_plan_makes_no_network(netlab):
    shown = netlab.nook.run("--net", "bridge", "--publish", "8080:80", "--plan", "--", "true").ok()
    assert 'MASTER "nook0"' in shown and "claim_ports" in shown
    assert set(netlab.host.links()) == {"lo", "eth0"} and not netlab.host.tables()
    assert netlab.nook.cmd("net", "ls").lines()[1:] == []


PING = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as ping:
    ping.settimeout(20)
    ping.sendto(bytes([8, 0, 0, 0, 0, 0, 0, 1]), ("10.91.0.1", 0))
    print(ping.recv(99)[0])
"""


@pytest.mark.parametrize("words", [[], ["--userns", "host"], ["--user", "1234:4321"]])
def test_ping_takes_no_capability(netlab, words):
    netlab.nook.cmd("net", "new", "blue", "--subnet", "10.91.0.0/24").ok()
    assert netlab.nook.run("--net", "blue", *words, "--", "python3", "-c", PING).ok() == "0"
    netlab.nook.cmd("net", "rm", "blue").ok()


# ---- the network of another ----

def test_a_network_namespace_by_its_name(netlab):
    """It is entered, not made: what stands in it is what the container has, and stays when it ends."""
    name = unique("lab")
    netlab.nook.cmd("ns", "new", name, "--net").ok()
    try:
        for address in ("10.93.0.1/24", "fd93::1/64"):
            netlab.nook.cmd("ns", "enter", name, "ip", "address", "add", address, "dev", "lo").ok()
        for _ in range(2):
            assert inside(netlab, "--net", f"ns:{name}") == {"lo": ["10.93.0.1/24", "fd93::1/64"]}
    finally:
        netlab.nook.cmd("ns", "rm", name).ok()
    netlab.nook.run("--net", f"ns:{name}", "--", "true").failed(125, f"--net ns:{name}")


def test_the_network_of_a_container(netlab):
    new(netlab, "blue", "--subnet", "10.90.0.0/24", "--subnet", "fd90::/64")
    with netlab.nook.background("echo x; exec busybox nc -l -p 80 -e echo hello", "--net", "blue", "--name", WEB):
        assert inside(netlab, "--net", f"container:{WEB}")["eth0"] == ["10.90.0.2/24", "fd90::2/64"]
        assert list(members(netlab, "blue")) == [WEB]  # it is nobody's second address
        assert netlab.nook.run("--net", f"container:{WEB}", "--", "busybox", "nc", "127.0.0.1", "80").ok() == "hello"
    netlab.nook.run("--net", f"container:{WEB}", "--", "true").failed(125, f"--net container:{WEB}")
