# SPDX-License-Identifier: Apache-2.0
"""`nook net explain`: what it says against what packets do. Each path is made by `ip`, broken, and asked about."""

import json

import pytest
from netlab import GATEWAY, HOST, INTERNET
from result import unique

NEAR = {4: "10.9.8.1/24", 6: "fd09::1/64"}
FIRST = {4: "10.9.8.7/24", 6: "fd09::7/64"}
SECOND = {4: "10.9.8.8/24", 6: "fd09::8/64"}


def bare(address):
    return address.split("/")[0]


class Stage:
    """Named namespaces on a bridge of the lab's host that no nook has made."""

    def __init__(self, lab):
        self.lab = lab
        self.names = []
        lab.host.ip_batch("link add br-test type bridge\nlink set br-test up\n"
                          + "\n".join(f"address add {NEAR[f]} dev br-test nodad" for f in (4, 6)))

    def add(self, addresses, gateway=True):
        """A namespace with these addresses on the bridge. Return: its name, its Space."""
        name = unique("ns")
        self.names.append(name)
        self.lab.nook.cmd("ns", "new", name, "--net").ok()
        pin = f"/run/nook/ns-pins/{name}.net"
        host = f"p{len(self.names)}"
        self.lab.host.ip_batch(f"link add {host} type veth peer name eth0 netns {pin}\n"
                               f"link set {host} master br-test up")
        space = self.lab.space_at(pin)
        space.ip_batch("\n".join(["link set lo up", "link set eth0 up"] + [f"address add {a} dev eth0 nodad" for a in addresses]
                                 + [f"route add default via {bare(NEAR[6 if ':' in a else 4])}" for a in addresses if gateway]))
        return name, space

    def explain(self, source, to, status=0):
        result = self.lab.nook.cmd("net", "explain", source, to, "--json")
        assert result.status == status, str(result)
        answer = json.loads(result.out)
        assert (answer["verdict"] == "stops") == (status == 1)
        return answer

    def stops(self, source, to, what, where, *words):
        """It stops at this kind of step, there, and the sentence has these words."""
        answer = self.explain(source, to, 1)
        last = answer["steps"][-1]
        assert (last["result"], last["what"], last["where"]) == ("stops", what, where), answer
        for word in words:
            assert word in last["text"], last
        assert last["hint"], last
        return answer

    def close(self):
        for name in self.names:
            self.lab.nook.cmd("ns", "rm", name).ok()
        self.lab.host.run("ip", "link", "del", "br-test")


@pytest.fixture
def stage(netlab):
    made = Stage(netlab)
    yield made
    made.close()


@pytest.mark.parametrize("family", [4, 6])
def test_over_a_bridge(stage, family):
    """Two names; the walk is the packet's: route, pair, bridge, and the listener at its end."""
    one, first = stage.add([FIRST[family]])
    two, second = stage.add([SECOND[family]])
    server = second.serve("two")
    assert first.ask(bare(SECOND[family]), server.port) == f"two {bare(FIRST[family])}"

    answer = stage.explain(one, f"{two}:{server.port}")
    assert (answer["verdict"], answer["address"], answer["port"]) == ("arrives", bare(SECOND[family]), server.port)
    assert [(step["what"], step["where"]) for step in answer["steps"]] == [
        ("route", one), ("pair", one), ("bridge", "host"), ("route", two), ("way back", two), ("listener", two)]
    assert {step["result"] for step in answer["steps"]} == {"passes"}


def test_for_people(stage):
    one, first = stage.add([FIRST[4]])
    first.serve("one", 8080)
    out = stage.lab.nook.cmd("net", "explain", "host", f"{one}:8080").ok()
    assert out.splitlines()[0] == f"from host to {one}, 10.9.8.7, tcp port 8080"
    assert out.splitlines()[-1] == "Nothing stops it."
    result = stage.lab.nook.cmd("net", "explain", "host", f"{one}:8081")
    assert result.status == 1 and f"It stops in {one}: nobody listens on tcp port 8081.\n" in result.out


def test_nobody_listens(stage):
    one, first = stage.add([FIRST[4]])
    server = first.serve("one", udp=True)
    assert stage.lab.host.why_not(bare(FIRST[4]), server.port) == "ECONNREFUSED"
    stage.stops("host", f"{one}:{server.port}", "listener", one, "nobody listens on tcp")
    assert stage.explain("host", f"{one}:{server.port}/udp")["verdict"] == "arrives"


@pytest.mark.parametrize("address, family", [("127.0.0.1", 4), ("::1", 6)])
def test_who_listens_on_its_loopback_only(stage, address, family):
    one, first = stage.add([FIRST[family]])
    server = first.serve("one", address=address)
    assert stage.lab.host.why_not(bare(FIRST[family]), server.port) == "ECONNREFUSED"
    stage.stops("host", f"{one}:{server.port}", "listener", one, f"on {address} only")
    assert stage.explain(one, f"{address}:{server.port}" if family == 4 else f"[{address}]:{server.port}")["verdict"] == "arrives"


def test_who_listens_on_ipv4_only(stage):
    one, first = stage.add([FIRST[6]])
    server = first.serve("one", address="0.0.0.0")
    stage.stops("host", f"{one}:{server.port}", "listener", one, "on IPv4 only")


def test_a_new_namespace_has_no_way_out(stage, netlab):
    name = unique("ns")
    netlab.nook.cmd("ns", "new", name, "--net").ok()
    stage.names.append(name)
    answer = stage.stops(name, INTERNET[4], "route", name, "there is no route")
    assert "nook net connect" in answer["steps"][-1]["hint"]
    stage.stops("host", name, "link", name, "no address but its loopback's")


@pytest.mark.parametrize("break_it, what, place, words", [
    ("one: ip link set eth0 down", "route", "one", ["no route"]),
    ("host: ip link set p1 down", "link", "one", ["its other end is not"]),
    ("host: ip link set p2 nomaster", "bridge", "host", []),
    ("host: bridge link set dev p2 state 0", "bridge", "host", ["does not forward"]),
    ("host: ip link set br-test down", "link", "host", ["br-test is down"]),
    ("two: ip route flush table main", "way back", "two", ["no route back"]),
])
def test_something_on_the_way_is_broken(stage, break_it, what, place, words):
    one, first = stage.add([FIRST[4]])
    two, second = stage.add([SECOND[4]])
    assert first.ping(bare(SECOND[4]))
    where, command = break_it.split(": ")
    {"one": first, "two": second, "host": stage.lab.host}[where].run(*command.split())
    assert not first.ping(bare(SECOND[4]), seconds=1)
    result = stage.lab.nook.cmd("net", "explain", one, two, "--json")
    last = json.loads(result.out)["steps"][-1]
    if break_it.endswith("nomaster"):
        # Of a bridge that is not nook's it is not known who else is there.
        assert (last["result"], last["what"]) == ("unknown", "bridge") and bare(SECOND[4]) in last["text"]
        return
    assert result.status == 1 and last["result"] == "stops", str(result)
    assert (last["what"], last["where"]) == (what, {"one": one, "two": two, "host": "host"}[place]), last
    for word in words:
        assert word in last["text"], last


def test_forwarding_is_off(stage):
    one, first = stage.add([FIRST[4]])
    stage.lab.host.sysctl("ipv4/ip_forward", 0)
    assert not first.ping(GATEWAY[4], seconds=1)
    answer = stage.stops(one, GATEWAY[4], "forward", "host", "forwarding of IPv4 is off")
    assert "net.ipv4.ip_forward=1" in answer["steps"][-1]["hint"]
    stage.lab.host.sysctl("ipv4/ip_forward", 1)
    assert stage.explain(one, GATEWAY[4])["verdict"] == "leaves"


def test_foreign_rules_are_suspects(stage):
    """What drops it is named, with how to look at it; a chain that can drop nothing is not."""
    one, first = stage.add([FIRST[4]])
    stage.lab.host.sysctl("ipv4/ip_forward", 1)
    stage.lab.host.nft("add table ip dockerish\nadd chain ip dockerish FORWARD { type filter hook forward priority 0; policy drop; }\n"
                       "add table inet calm\nadd chain inet calm f { type filter hook forward priority 0; }\n"
                       "add table ip6 other\nadd chain ip6 other f { type filter hook forward priority 0; policy drop; }\n"
                       "add table inet picky\nadd chain inet picky sub\nadd chain inet picky f { type filter hook forward priority 1; }\n"
                       "add rule inet picky f jump sub\nadd rule inet picky sub tcp dport 9 reject\n"
                       "add table inet in\nadd chain inet in i { type filter hook input priority 0; policy drop; }")
    suspects = [step for step in stage.explain(one, GATEWAY[4])["steps"] if step["result"] == "suspect"]
    assert [step["hint"] for step in suspects] == ["look at it: `nft list table ip dockerish`", "look at it: `nft list table inet picky`"]
    assert "drops what none of its rules accepts" in suspects[0]["text"] and "drop or reject" in suspects[1]["text"]

    first.nft("add table inet own\nadd chain inet own o { type filter hook output priority 0; policy drop; }")
    assert any(step["where"] == one and "table inet own" in step["text"] for step in stage.explain(one, "host")["steps"])


def test_an_address_outside_and_one_that_is_the_hosts(stage):
    one, first = stage.add([FIRST[4]])
    stage.lab.host.sysctl("ipv4/ip_forward", 1)
    answer = stage.explain(one, f"{INTERNET[4]}:443")
    assert answer["verdict"] == "leaves" and answer["steps"][-1]["result"] == "unknown"
    server = stage.lab.host.serve("host")
    assert first.ask(HOST[4], server.port) == "host 10.9.8.7"
    assert stage.explain(one, f"{HOST[4]}:{server.port}")["verdict"] == "arrives"
    assert stage.explain(one, f"host:{server.port}")["address"] == bare(NEAR[4])


def test_from_outside(stage):
    """An address that is nobody's comes in where the route back to it leads."""
    one, _ = stage.add([FIRST[4]])
    server = stage.lab.host.serve("host")
    answer = stage.explain(INTERNET[4], f"{HOST[4]}:{server.port}")
    assert answer["verdict"] == "arrives" and answer["steps"][0]["text"].startswith("it comes in by eth0")
    stage.lab.host.sysctl("ipv4/ip_forward", 0)
    stage.stops(INTERNET[4], one, "forward", "host")


def test_a_pair_without_a_bridge(netlab):
    """From the host into a container, by a process' number and by its name."""
    with netlab.nook.background() as one:
        netlab.host.ip_batch(f"link add nook-t type veth peer name eth0 netns /proc/{one.pid}/ns/net\n"
                             "address add 10.7.7.1/24 dev nook-t\nlink set nook-t up")
        space = netlab.space_of(one.pid)
        space.ip_batch("address add 10.7.7.2/24 dev eth0\nlink set eth0 up")
        server = space.serve("inside")
        assert netlab.host.ask("10.7.7.2", server.port) == "inside 10.7.7.1"
        for name in (one.name, str(one.pid)):
            answer = netlab.nook.cmd("net", "explain", "host", f"{name}:{server.port}", "--json").json()
            assert [step["what"] for step in answer["steps"]] == ["route", "pair", "route", "way back", "listener"]
        assert netlab.nook.cmd("net", "explain", one.name, "10.7.7.1", "--json").json()["verdict"] == "arrives"


@pytest.mark.parametrize("words, named", [
    ([], "two ends"), (["host"], "two ends"), (["host", "host", "host"], "two ends"),
    (["host", "host:0"], "0"), (["host", "host:65536"], "65536"), (["host", "host:http"], "http"),
    (["host", "host:80/sctp"], "80/sctp"), (["host", ":80"], "where to"), (["host", "[::1]80"], "bracket"),
    (["nobody-of-this-name", "host"], "nobody-of-this-name"), (["host", "nobody-of-this-name:80"], "nobody-of-this-name"),
    (["host", "4194304"], "4194304"),
])
def test_ends_that_are_none(netlab, words, named):
    netlab.nook.cmd("net", "explain", *words).failed(125, named)


def test_a_user_sees_its_own(user_nook):
    """From its container out: no route. Root's namespaces are not its to look into."""
    with user_nook.background() as one:
        result = user_nook.cmd("net", "explain", one.name, "192.0.2.1", "--json")
        assert result.status == 1 and json.loads(result.out)["steps"][-1]["what"] == "route"
        assert user_nook.cmd("net", "explain", one.name, one.name, "--json").json()["verdict"] == "arrives"
    user_nook.cmd("net", "explain", "1", "host").failed(125)
