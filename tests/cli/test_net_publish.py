# SPDX-License-Identifier: Apache-2.0
"""--publish and the rules of networks, with real packets: who reaches whom, by which address, and who does not."""

import contextlib
import os
import socket

import machine
import pytest
from netlab import FAMILIES, GATEWAY, HOST, INTERNET, V4, V6

LOOPBACK = {V4: "127.0.0.1", V6: "::1"}
PROTOCOLS = [False, True]
PROTOCOL_IDS = ["tcp", "udp"]


class Member:
    """A container on networks, and its namespace."""

    def __init__(self, lab, *options):
        self.container = lab.nook.background("echo ready; exec sleep 1000", *options)
        self.name = self.container.name
        self.space = lab.space_of(self.container.pid)

    def address(self, family, link="eth0"):
        return next(a.split("/")[0] for a in sorted(self.space.addresses(link)) if (":" in a) == (family == V6))


@pytest.fixture
def member(netlab):
    """Call it with options of `nook run`. All end before the networks do."""
    with contextlib.ExitStack() as stack:
        def make(*options):
            have_network(netlab, options[options.index("--net") + 1])
            made = Member(netlab, *options)
            stack.enter_context(made.container)
            return made
        yield make


def have_network(lab, name):
    if name not in lab.files("net/networks"):
        lab.nook.cmd("net", "new", name).ok()


def words(answer):
    """What a server says, and whom it has seen."""
    return answer.split()


def reaches(space, address, port, udp=False):
    return space.why_not(address, port, udp, seconds=5) is None


def is_kept_from(space, address, port, udp=False):
    """Nobody answers, in any way; a short wait, as it costs time when all is well."""
    return space.why_not(address, port, udp, seconds=0.3) in ("ETIMEDOUT", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH")


def bridge_filter(lab, on):
    """br_netfilter: whether packets that stay on a bridge come by the rules too."""
    for name in ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables"):
        try:
            lab.host.sysctl(f"bridge/{name}", int(on))
        except FileNotFoundError:
            if on:
                pytest.skip("no br_netfilter here")


# ---- who reaches a published port ----

@pytest.mark.parametrize("filtered", [False, True], ids=["plain", "br_netfilter"])
@pytest.mark.parametrize("udp", PROTOCOLS, ids=PROTOCOL_IDS)
def test_a_port_is_reached_from_everywhere(netlab, member, udp, filtered):
    bridge_filter(netlab, filtered)
    suffix = "/udp" if udp else ""
    web = member("--net", "blue", "--publish", f"8080:80{suffix}")
    same = member("--net", "blue")
    other = member("--net", "red")
    web.space.serve("web", 80, udp=udp)
    for family in FAMILIES:
        # From outside, where the asker's own address is seen.
        assert words(netlab.world.ask(HOST[family], 8080, udp)) == ["web", GATEWAY[family]]
        # From the host itself: by its address, by the loopback's, by the network's.
        for address in (HOST[family], LOOPBACK[family], gateway_of(netlab, "blue", family)):
            assert words(netlab.host.ask(address, 8080, udp))[0] == "web", address
        # From containers: of the same network, of another one, and from the very container.
        for asker in (same, other, web):
            assert words(asker.space.ask(HOST[family], 8080, udp))[0] == "web", (asker.name, family)
        assert words(same.space.ask(gateway_of(netlab, "blue", family), 8080, udp))[0] == "web"
        # On the same network without any port, too; not from another one.
        assert words(same.space.ask(web.address(family), 80, udp)) == ["web", same.address(family)]
        assert is_kept_from(other.space, web.address(family), 80, udp)


def gateway_of(lab, network, family):
    rows = lab.nook.cmd("net", "show", network, "--json").json()["subnets"]
    return next(row["gateway"] for row in rows if (":" in row["gateway"]) == (family == V6))


@pytest.mark.parametrize("family", FAMILIES)
def test_of_one_address_the_others_know_nothing(netlab, member, family):
    bracket = f"[{HOST[V6]}]" if family == V6 else HOST[V4]
    web = member("--net", "blue", "--publish", f"{bracket}:8080:80")
    web.space.serve("web", 80)
    assert reaches(netlab.world, HOST[family], 8080) and reaches(netlab.host, HOST[family], 8080)
    other = V4 if family == V6 else V6
    assert netlab.world.why_not(HOST[other], 8080) == "ECONNREFUSED"
    assert netlab.host.why_not(LOOPBACK[family], 8080) == "ECONNREFUSED"


@pytest.mark.parametrize("udp", PROTOCOLS, ids=PROTOCOL_IDS)
def test_a_port_of_the_loopback_is_the_hosts_alone(netlab, member, udp):
    """A neighbour, and a container, may send what they like: packets for 127.0.0.1 that come in from a link go nowhere."""
    web = member("--net", "blue", "--publish", "127.0.0.1:8080:80" + ("/udp" if udp else ""))
    evil = member("--net", "blue")
    web.space.serve("web", 80, udp=udp)
    assert reaches(netlab.host, "127.0.0.1", 8080, udp)
    assert netlab.world.why_not(HOST[V4], 8080) == "ECONNREFUSED"
    for space, link, via in ((netlab.world, "eth0", HOST[V4]), (evil.space, "eth0", gateway_of(netlab, "blue", V4))):
        space.sysctl(f"ipv4/conf/{link}/route_localnet", 1)
        space.run("ip", "route", "del", "table", "local", "local", "127.0.0.0/8", "dev", "lo")
        space.run("ip", "route", "del", "table", "local", "local", "127.0.0.1", "dev", "lo")
        space.run("ip", "route", "add", "127.0.0.1", "via", via, "dev", link)
        assert is_kept_from(space, "127.0.0.1", 8080, udp)
        # Nor do programs of the host that trust in their loopback hear of them: CVE-2020-8558.
    netlab.host.serve("secret", 9999, address="127.0.0.1", udp=udp)
    assert reaches(netlab.host, "127.0.0.1", 9999, udp)
    assert is_kept_from(evil.space, "127.0.0.1", 9999, udp)


def test_ranges_and_several(netlab, member):
    web = member("--net", "blue", "--publish", "9000-9002:80-82", "--publish", "9100:81", "-p", "9000:53/udp")
    for port in (80, 81, 82):
        web.space.serve(f"tcp{port}", port)
    web.space.serve("udp53", 53, udp=True)
    for space, addresses in ((netlab.world, HOST), (netlab.host, LOOPBACK)):
        for family in FAMILIES:
            for offset in range(3):
                assert words(space.ask(addresses[family], 9000 + offset))[0] == f"tcp{80 + offset}"
            assert words(space.ask(addresses[family], 9100))[0] == "tcp81"
            assert words(space.ask(addresses[family], 9000, udp=True))[0] == "udp53"
            assert space.why_not(addresses[family], 9003) == "ECONNREFUSED"


def test_two_containers_have_the_same_port_inside(netlab, member):
    for name, port in (("one", 8001), ("two", 8002)):
        member("--net", "blue", "--name", f"c-{name}", "--publish", f"{port}:80").space.serve(name, 80)
    assert words(netlab.world.ask(HOST[V4], 8001))[0] == "one"
    assert words(netlab.world.ask(HOST[V4], 8002))[0] == "two"


def test_a_network_of_ipv4_alone_is_reached_by_localhost_too(netlab, member):
    netlab.nook.cmd("net", "new", "four", "--subnet", "10.91.0.0/24").ok()
    web = member("--net", "four", "--publish", "8080:80")
    web.space.serve("web", 80)
    assert reaches(netlab.host, "127.0.0.1", 8080) and reaches(netlab.host, "::1", 8080)
    assert not reaches(netlab.world, HOST[V6], 8080)


# ---- while it runs, and when it ends ----

def relays(lab):
    """Processes of that name on the lab's host: others may be at work on the machine."""
    here, found = os.fstat(lab.host.net).st_ino, set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if machine.read(f"/proc/{pid}/comm").strip() == "nook-relay" and os.stat(f"/proc/{pid}/ns/net").st_ino == here:
                found.add(int(pid))
    return found


def test_ports_are_published_and_taken_back_while_it_runs(netlab, member):
    web = member("--net", "blue")
    web.space.serve("web", 80)
    assert netlab.world.why_not(HOST[V4], 8080) == "ECONNREFUSED"
    netlab.nook.cmd("net", "publish", web.name, "8080:80").ok()
    netlab.nook.cmd("net", "publish", web.name, "8081:80").ok()
    for address in (HOST[V4], HOST[V6], *LOOPBACK.values()):
        assert reaches(netlab.host, address, 8080) and reaches(netlab.host, address, 8081)
    netlab.nook.cmd("net", "unpublish", web.name, "8080:80").ok()
    for address in (HOST[V4], HOST[V6], *LOOPBACK.values()):
        assert netlab.host.why_not(address, 8080) == "ECONNREFUSED" and reaches(netlab.host, address, 8081)


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_nothing_of_a_port_outlives_its_container(netlab, killed):
    before = relays(netlab)
    have_network(netlab, "blue")
    container = netlab.nook.background("echo ready; exec sleep 1000", "--net", "blue", "--publish", "8080:80")
    with container:
        assert len(relays(netlab) - before) == 1
        assert netlab.files("net/ports") == ["tcp:*:8080"] and netlab.files("net/relays") == [container.name]
        if killed:
            container.process.kill()
            container.process.wait()
    machine.wait_until(lambda: not relays(netlab) - before, what="the end of the relay")
    if killed:  # who comes next, and wants the port, makes way
        with netlab.nook.background("echo ready; exec sleep 1000", "--net", "blue", "--publish", "8080:80"):
            pass
    assert netlab.files("net/ports") == [] == netlab.files("net/relays")
    assert elements(netlab, "any4") == [] == elements(netlab, "any6")


def elements(lab, name):
    for each in lab.host.ruleset():
        for kind in ("set", "map"):
            if each.get(kind, {}).get("name") == name:
                return each[kind].get("elem", [])
    raise AssertionError(f"no {name}")


def test_the_relay_is_a_poor_process(netlab, member):
    before = relays(netlab)
    member("--net", "blue", "--publish", "8080:80")
    status = dict(line.split(":\t", 1) for line in machine.read(f"/proc/{(relays(netlab) - before).pop()}/status").splitlines()
                  if ":\t" in line)
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0000000000000000"}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert int(status["VmRSS"].split()[0]) < 1500


def talk(space, address, port):
    """A socket that goes on asking from the same port: one connection, for the kernel. Call it for an answer, or None."""
    def make():
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        made.connect((address, port))
        return made
    asking = space.within(make)

    def ask(seconds=5):
        asking.settimeout(seconds * machine.PATIENCE)
        try:
            asking.send(b"?")
            return asking.recv(99).decode().split()[0]
        except OSError:
            return None
    return ask, asking


@pytest.mark.parametrize("family", FAMILIES)
def test_who_asks_on_reaches_who_is_there_now(netlab, member, family):
    """Datagrams: neither the host, of before, nor the next container, that has the same address."""
    have_network(netlab, "blue")
    ask, asking = talk(netlab.world, HOST[family], 5353)
    with asking:
        assert ask() is None  # the host says that there is nobody
        one = member("--net", "blue", "--publish", "5353:53/udp")
        one.space.serve("one", 53, udp=True)
        assert ask() == "one" == ask()
        address = one.address(family)
        one.space.close()
        one.container.stop()
        two = member("--net", "blue", "--publish", "5354:53/udp")
        assert two.address(family) == address
        two.space.serve("two", 53, udp=True)
        assert ask(seconds=0.3) is None
        assert words(netlab.world.ask(HOST[family], 5354, udp=True))[0] == "two"


# ---- who has a port ----

def test_a_port_has_one_container(netlab, member):
    web = member("--net", "blue", "--publish", "8080:80")
    for publish in ("8080:81", f"{HOST[V4]}:8080:80", "127.0.0.1:8080:80", f"[{HOST[V6]}]:8080:80", "8070-8090:70-90"):
        refused = netlab.nook.run("--net", "blue", "--publish", publish, "--", "true")
        refused.failed(125, "8080", web.name, "port-taken")
    for publish in ("8080:80/udp", "8081:80"):
        netlab.nook.run("--net", "blue", "--publish", publish, "--", "true").ok()
    netlab.nook.cmd("net", "publish", web.name, "8080:99").failed(125, "8080")


def test_an_address_has_one_container_a_port(netlab, member):
    web = member("--net", "blue", "--publish", f"{HOST[V4]}:8080:80")
    for publish in ("8080:80", f"{HOST[V4]}:8080:81", "0.0.0.0:8080:80"):
        netlab.nook.run("--net", "blue", "--publish", publish, "--", "true").failed(125, "8080", web.name)
    for publish in ("127.0.0.1:8080:80", f"[{HOST[V6]}]:8080:80", "[::]:8080:80"):
        netlab.nook.run("--net", "blue", "--publish", publish, "--", "true").ok()


@pytest.mark.parametrize("address,taken,free", [
    ("", ["8080:80", f"{HOST[V4]}:8080:80", "[::1]:8080:80"], ["8081:80", "8080:80/udp"]),
    ("127.0.0.1", ["8080:80", "127.0.0.1:8080:80", "0.0.0.0:8080:80"], [f"{HOST[V4]}:8080:80", "[::]:8080:80"]),
    ("::1", ["8080:80", "[::]:8080:80"], ["0.0.0.0:8080:80", f"[{HOST[V6]}]:8080:80"]),
])
def test_a_program_of_the_host_keeps_its_port(netlab, address, taken, free):
    netlab.nook.cmd("net", "new", "blue").ok()
    netlab.host.serve("program", 8080, address=address)
    for publish in taken:
        netlab.nook.run("--net", "blue", "--publish", publish, "--", "true").failed(125, "8080", "port-taken")
    for publish in free:
        netlab.nook.run("--net", "blue", "--publish", publish, "--", "true").ok()


def test_a_datagram_program_too(netlab):
    have_network(netlab, "blue")
    netlab.host.serve("program", 5353, udp=True)
    netlab.nook.run("--net", "blue", "--publish", "5353:53/udp", "--", "true").failed(125, "5353", "port-taken")
    netlab.nook.run("--net", "blue", "--publish", "5353:53", "--", "true").ok()


def test_connections_of_the_same_number_are_in_nobodys_way(netlab):
    """One that has ended and is remembered (TIME_WAIT), and one of a client that was given this number."""
    def ended():
        with socket.socket() as listening, socket.socket() as asking:
            listening.bind(("127.0.0.1", 8080))
            listening.listen()
            asking.connect(("127.0.0.1", 8080))
            answering, _ = listening.accept()
            answering.close()
            asking.recv(1)

    def connected():
        asking = socket.socket()
        asking.bind((HOST[V4], 8081))
        asking.connect((GATEWAY[V4], far.port))
        return asking
    have_network(netlab, "blue")
    far = netlab.world.serve("far")
    netlab.host.within(ended)
    assert "8080" in netlab.host.run("ss", "-Htan", "state", "time-wait", "sport", "= :8080")
    with netlab.host.within(connected):
        netlab.nook.run("--net", "blue", "--publish", "8080:80", "--publish", "8081:81", "--", "true").ok()


# ---- what networks let through ----

def route_to(lab, network):
    """The world knows the way to a network's addresses."""
    for family in FAMILIES:
        subnet = next(row["subnet"] for row in lab.nook.cmd("net", "show", network, "--json").json()["subnets"]
                      if (":" in row["subnet"]) == (family == V6))
        lab.world.run("ip", "route", "add", subnet, "via", HOST[family])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_way_out_is_by_the_hosts_address(netlab, member, family):
    server = netlab.world.serve("world")
    inside = member("--net", "blue").space
    assert words(inside.ask(INTERNET[family], server.port)) == ["world", HOST[family]]
    assert inside.ping(INTERNET[family])


def test_nobody_outside_comes_in_by_a_route(netlab, member):
    inside = member("--net", "blue")
    inside.space.serve("web", 80)
    route_to(netlab, "blue")
    for family in FAMILIES:
        assert is_kept_from(netlab.world, inside.address(family), 80)
        assert not netlab.world.ping(inside.address(family), seconds=1)
        assert reaches(netlab.host, inside.address(family), 80)


def test_without_nat_addresses_are_their_own_both_ways(netlab, member):
    netlab.nook.cmd("net", "new", "open", "--no-nat").ok()
    inside = member("--net", "open")
    inside.space.serve("web", 80)
    server = netlab.world.serve("world")
    route_to(netlab, "open")
    for family in FAMILIES:
        assert words(netlab.world.ask(inside.address(family), 80)) == ["web", GATEWAY[family]]
        assert words(inside.space.ask(INTERNET[family], server.port)) == ["world", inside.address(family)]


def test_networks_are_apart(netlab, member):
    netlab.nook.cmd("net", "new", "open", "--no-nat").ok()
    members = {name: member("--net", name) for name in ("blue", "red", "open")}
    for one in members.values():
        one.space.serve("web", 80)
    for mine, one in members.items():
        for theirs, other in members.items():
            for family in FAMILIES:
                assert (mine == theirs) == reaches_soon(one.space, other.address(family)), (mine, theirs)


def reaches_soon(space, address):
    return space.why_not(address, 80, seconds=0.3) is None


def test_an_internal_network_has_no_way_out_or_in(netlab, member):
    netlab.nook.cmd("net", "new", "lonely", "--internal").ok()
    one, other = member("--net", "lonely", "--publish", "8080:80"), member("--net", "lonely")
    blue = member("--net", "blue")
    one.space.serve("web", 80)
    server = netlab.world.serve("world")
    route_to(netlab, "lonely")
    for family in FAMILIES:
        gateway = gateway_of(netlab, "lonely", family)
        assert reaches(other.space, one.address(family), 80)
        # Not even with a route that a container has no right to make.
        one.space.run("ip", "route", "add", "default", "via", gateway)
        assert is_kept_from(one.space, INTERNET[family], server.port)
        assert is_kept_from(netlab.world, one.address(family), 80)
        assert is_kept_from(netlab.world, HOST[family], 8080)
        assert is_kept_from(blue.space, one.address(family), 80)
        # The host itself is no other link.
        assert reaches(netlab.host, one.address(family), 80) and reaches(netlab.host, LOOPBACK[family], 8080)


# ---- forwarding, which is the whole host's ----

@pytest.fixture
def far_side(netlab):
    """Another link of the host, behind which somebody would like to talk with the world, through the host."""
    far = netlab.new_space()
    netlab.host.run("ip", "link", "add", "far0", "type", "veth", "peer", "name", "eth0", "netns", netlab_path(netlab, far))
    for space, link, end in ((netlab.host, "far0", 1), (far, "eth0", 2)):
        space.ip_batch(f"link set {link} up\naddress add 203.0.113.{end}/24 dev {link}\n"
                       f"address add 2001:db8:3::{end}/64 dev {link} nodad")
    far.ip_batch("route add default via 203.0.113.1\nroute add default via 2001:db8:3::1")
    netlab.world.ip_batch(f"route add 203.0.113.0/24 via {HOST[V4]}\nroute add 2001:db8:3::/64 via {HOST[V6]}")
    yield far
    netlab.host.run("ip", "link", "del", "far0")


def netlab_path(lab, space):
    return f"/proc/{lab.holders[lab.spaces.index(space)].pid}/ns/net"


def forwarding(lab, value=None):
    return [lab.host.sysctl(name, value) for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding")]


def test_the_host_does_not_become_a_router(netlab, member, far_side):
    forwarding(netlab, 0)
    inside = member("--net", "blue").space
    assert forwarding(netlab) == ["1", "1"]
    for family in FAMILIES:
        assert inside.ping(INTERNET[family])
        assert not far_side.ping(INTERNET[family], seconds=1)
    far_side.serve("far", 80)
    assert is_kept_from(netlab.world, "203.0.113.2", 80) and reaches(netlab.host, "203.0.113.2", 80)


def test_forwarding_goes_as_it_came(netlab):
    forwarding(netlab, 0)
    for name in ("blue", "red"):
        netlab.nook.cmd("net", "new", name).ok()
    netlab.nook.cmd("net", "rm", "blue").ok()
    assert forwarding(netlab) == ["1", "1"] and elements(netlab, "guarded") != []
    netlab.nook.cmd("net", "rm", "red").ok()
    assert forwarding(netlab) == ["0", "0"] and netlab.host.sysctl("ipv4/conf/all/tag") == "0"


def test_a_router_stays_one(netlab, far_side):
    forwarding(netlab, 1)
    netlab.nook.cmd("net", "new", "blue").ok()
    for family in FAMILIES:
        assert far_side.ping(INTERNET[family])
    netlab.nook.cmd("net", "rm", "blue").ok()
    assert forwarding(netlab) == ["1", "1"] and far_side.ping(INTERNET[V4])


def test_the_host_goes_on_listening_to_its_routers(netlab):
    """A host that forwards ignores router advertisements where accept_ra is 1, and would lose its address."""
    forwarding(netlab, 0)
    netlab.host.sysctl("ipv6/conf/lo/accept_ra", 0)
    netlab.nook.cmd("net", "new", "blue").ok()

    def accepts(link):
        return netlab.host.sysctl(f"ipv6/conf/{link}/accept_ra")
    assert [accepts(link) for link in ("eth0", "default", "lo", "nk-blue")] == ["2", "2", "0", "0"]
    netlab.nook.cmd("net", "rm", "blue").ok()
    assert [accepts(link) for link in ("eth0", "default", "lo")] == ["1", "1", "0"]


# ---- the rules as nft sees them ----

TABLE = """\
chain ports
  ip6 daddr ::1 return
  dnat ip to ip daddr . meta l4proto . th dport map @one4
  dnat ip6 to ip6 daddr . meta l4proto . th dport map @one6
  fib daddr type != local return
  meta nfproto ipv4 dnat ip to meta l4proto . th dport map @any4
  meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @any6
chain raw
  type filter hook prerouting priority raw; policy accept;
  iifname @networks ip daddr 127.0.0.0/8 drop
  iifname @networks ip saddr 127.0.0.0/8 drop
chain prerouting
  type nat hook prerouting priority dstnat; policy accept;
  ip daddr 127.0.0.0/8 return
  goto ports
chain output
  type nat hook output priority -100; policy accept;
  goto ports
chain postrouting
  type nat hook postrouting priority srcnat; policy accept;
  ip saddr . oifname @subnets4 ct status dnat masquerade
  ip6 saddr . oifname @subnets6 ct status dnat masquerade
  iifname . oifname @same return
  iifname @natted masquerade
  fib saddr type local oifname @networks ct status dnat masquerade
chain forward
  type filter hook forward priority filter; policy accept;
  ct state established,related accept
  iifname . oifname @same accept
  iifname @internal drop
  oifname @internal drop
  oifname @networks ct status dnat accept
  iifname @networks oifname @networks drop
  iifname @networks accept
  oifname @routed accept
  oifname @networks drop
  meta iifkind "bridge" meta oifkind "bridge" accept
  meta nfproto @guarded drop
"""


def test_the_table_is_what_nft_reads(netlab):
    netlab.nook.cmd("net", "new", "blue").ok()
    text = netlab.host.run("nft", "list", "table", "inet", "nook")
    chains = text[text.index("\tchain "):].replace("\t\t", "  ").replace("\t", "")
    lines = [line.removesuffix(" {") for line in chains.splitlines() if line.strip(" {}")]
    assert "\n".join(lines) + "\n" == TABLE
    assert 'comment "nook, layout 1"' in text
    # What it has printed it reads again: nothing of it is beyond nft.
    netlab.host.nft(f"delete table inet nook\n{text}")


def test_what_others_have_is_not_touched(netlab):
    theirs = "table inet theirs {\n\tchain c {\n\t\ttype filter hook forward priority filter; policy accept;\n\t}\n}\n"
    netlab.host.nft(theirs)
    for _ in range(2):
        have_network(netlab, "blue")
        netlab.nook.run("--net", "blue", "--publish", "8080:80", "--", "true").ok()
        assert netlab.host.tables() == {("inet", "theirs"), ("inet", "nook")}
        netlab.nook.cmd("net", "rm", "blue").ok()
        assert netlab.host.run("nft", "list", "ruleset") == theirs.rstrip("\n") or \
            netlab.host.run("nft", "list", "ruleset").strip() == theirs.strip()


def test_all_ports_of_the_machine(netlab, member):
    """A range as large as can be: elements for each, in one transaction."""
    web = member("--net", "blue", "--publish", "1-65535:1-65535")
    web.space.serve("high", 65535)
    web.space.serve("low", 1)
    for port, name in ((1, "low"), (65535, "high")):
        assert words(netlab.world.ask(HOST[V4], port))[0] == name
        assert words(netlab.world.ask(HOST[V6], port))[0] == name
