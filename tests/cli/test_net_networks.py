# SPDX-License-Identifier: Apache-2.0
"""nook net new, ls, show, rm: the networks themselves."""

import ipaddress
import json
import os
import re

import machine
import pytest
from netlab import HOST, LINKS

pytestmark = pytest.mark.quick


def new(lab, name, *options):
    return lab.nook.cmd("net", "new", name, *options, "--json").json()


def subnets(network):
    return [row["subnet"] for row in network["subnets"]]


def record(lab, name):
    return lab.path(f"/run/nook/net/networks/{name}")


# ---- new, ls, show, rm ----

def test_a_network_has_a_bridge_with_its_gateways_and_goes_whole(netlab):
    made = new(netlab, "blue")
    assert made["version"] == 1 and made["name"] == "blue" and made["up"] and made["nat"] and not made["internal"]
    v4, v6 = (ipaddress.ip_network(text) for text in subnets(made))
    assert str(v4) == "10.88.0.0/24" and v6.prefixlen == 64 and v6.subnet_of(ipaddress.ip_network("fd00::/8"))
    assert [row["gateway"] for row in made["subnets"]] == [str(v4[1]), str(v6[1])]

    link = netlab.host.links()[made["bridge"]]
    assert link["linkinfo"]["info_kind"] == "bridge" and "UP" in link["flags"] and link["ifalias"] == "nook network blue"
    assert netlab.host.addresses(made["bridge"]) == {f"{v4[1]}/24", f"{v6[1]}/64"}
    assert ("inet", "nook") in netlab.host.tables()

    assert netlab.nook.cmd("net", "rm", "blue").ok() == ""
    assert netlab.left() == []


def test_what_a_person_reads(netlab):
    assert netlab.nook.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24").ok() == "blue: 10.90.0.0/24 on nk-blue"
    assert netlab.nook.cmd("net", "new", "red", "--subnet", "fd90::/64", "--internal", "--mtu", "1400").ok() == (
        "red: fd90::/64 on nk-red")
    rows = [line.split(maxsplit=4) for line in netlab.nook.cmd("net", "ls").lines()]
    assert rows == [["NAME", "SUBNET", "BRIDGE", "CONTAINERS", "NOTES"], ["blue", "10.90.0.0/24", "nk-blue", "0", "-"],
                    ["red", "fd90::/64", "nk-red", "0", "internal, MTU 1400"]]
    assert netlab.nook.cmd("net", "ls", "-q").lines() == ["blue", "red"]
    shown = dict(line.split(maxsplit=1) for line in netlab.nook.cmd("net", "show", "red").lines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", shown.pop("made"))
    assert shown == {"network": "red", "bridge": "nk-red", "subnet": "fd90::/64, gateway fd90::1",
                     "outside": "no way there: internal", "mtu": "1400"}


def test_json_of_all_and_of_one_agree(netlab):
    made = [new(netlab, "blue", "--no-nat", "--mtu", "9000"), new(netlab, "red")]
    listed = netlab.nook.cmd("net", "ls", "--json").json()
    assert listed == {"version": 1, "networks": [{k: v for k, v in each.items() if k != "version"} for each in made]}
    assert netlab.nook.cmd("net", "show", "blue", "--json").json() == made[0]
    assert not made[0]["nat"] and made[0]["mtu"] == 9000 and made[1]["mtu"] is None
    assert netlab.host.links()["nk-blue"]["mtu"] == 9000


def test_no_network_is_an_empty_list(netlab):
    assert netlab.nook.cmd("net", "ls", "--json").json() == {"version": 1, "networks": []}
    assert netlab.nook.cmd("net", "ls", "-q").ok() == ""


def test_both_subnets_as_asked(netlab):
    made = new(netlab, "blue", "--subnet", "fd90:1::/112", "--subnet", "172.30.4.128/25")
    assert subnets(made) == ["172.30.4.128/25", "fd90:1::/112"]
    assert netlab.host.addresses("nk-blue") == {"172.30.4.129/25", "fd90:1::1/112"}


def test_one_subnet_asked_for_is_all_there_is(netlab):
    assert subnets(new(netlab, "blue", "--subnet", "10.90.0.0/16")) == ["10.90.0.0/16"]
    assert subnets(new(netlab, "red", "--subnet", "fd90::/64")) == ["fd90::/64"]


def test_without_ipv6_a_network_has_none(netlab):
    netlab.host.sysctl("ipv6/conf/default/disable_ipv6", 1)
    assert subnets(new(netlab, "blue")) == ["10.88.0.0/24"]


def test_a_long_name_has_a_short_bridge_of_its_own(netlab):
    names = ["a" * 32, "a" * 31 + "b", "nook-and-some-more"]
    bridges = [new(netlab, name)["bridge"] for name in names]
    assert len(set(bridges)) == 3 and all(len(bridge) <= 15 for bridge in bridges)
    assert set(bridges) <= netlab.host.links().keys()


def test_several_are_removed_at_once_and_one_missing_does_not_stop_it(netlab):
    for name in ("blue", "red"):
        new(netlab, name)
    netlab.nook.cmd("net", "rm", "blue", "nosuch", "red").failed(125, "there is no network nosuch", "[no-such-network]")
    assert netlab.left() == []
    assert netlab.nook.cmd("net", "rm", "--force", "blue").ok() == ""


# ---- which subnet ----

def test_a_free_subnet_is_chosen(netlab):
    """Free of the host's addresses, of what it has routes to, and of other networks."""
    netlab.host.ip_batch("address add 10.88.0.77/24 dev eth0\n"
                         "route add 10.88.1.128/25 via 192.0.2.2\n"
                         "route add 10.88.2.5/32 dev eth0 table 77\n"
                         "route add 0.0.0.0/1 via 192.0.2.2\n"  # as VPNs do: it takes nothing
                         "route add 10.88.4.0/22 via 192.0.2.2\n")
    assert [subnets(new(netlab, name))[0] for name in ("a", "b", "c")] == [
        "10.88.3.0/24", "10.88.8.0/24", "10.88.9.0/24"]
    netlab.nook.cmd("net", "rm", "b").ok()
    assert subnets(new(netlab, "d"))[0] == "10.88.8.0/24"


def test_a_machine_that_has_ten_slash_eight(netlab):
    netlab.host.ip_batch("route add 10.0.0.0/8 via 192.0.2.2")
    assert subnets(new(netlab, "blue"))[0] == "172.16.0.0/24"
    # What is only routed elsewhere gives way to the user's word.
    assert subnets(new(netlab, "red", "--subnet", "10.5.0.0/24")) == ["10.5.0.0/24"]


def test_a_machine_that_has_all_of_them(netlab):
    netlab.host.ip_batch("".join(f"route add {text} via 192.0.2.2\n"
                                 for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
    netlab.nook.cmd("net", "new", "blue").failed(125, "no subnet is free", "--subnet")
    assert netlab.left() == []


CLASHES = {
    "a link": (["--subnet", "192.0.2.128/25"], "overlaps 192.0.2.0/24 of link eth0"),
    "a link's ipv6": (["--subnet", "2001:db8:1::/80"], "overlaps 2001:db8:1::/64 of link eth0"),
    "a larger one": (["--subnet", "192.0.0.0/16"], "of link eth0"),
    "a route of its own": (["--subnet", "10.77.0.0/16"], "overlaps 10.77.5.0/24 of link eth0"),
    "a network": (["--subnet", "10.90.0.128/25"], "overlaps 10.90.0.0/24 of network red"),
    "a network around": (["--subnet", "10.64.0.0/10"], "of network red"),
}


@pytest.mark.parametrize("case", CLASHES)
def test_a_subnet_that_clashes_is_refused_with_what_has_it(netlab, case):
    options, text = CLASHES[case]
    netlab.host.ip_batch("route add 10.77.5.0/24 via 192.0.2.2")
    new(netlab, "red", "--subnet", "10.90.0.0/24")
    before = netlab.host.links().keys()
    netlab.nook.cmd("net", "new", "blue", *options).failed(125, " ".join(options), text, "[subnet-taken]")
    assert netlab.host.links().keys() == before and netlab.files("net/networks") == ["red"]


# ---- what is refused ----

WRONG = {
    "no name": ([], "NAME is missing"),
    "two names": (["a", "b"], "one NAME only"),
    "a path": (["../a"], "can't be a network's name"),
    "an option's word": (["host"], "--net host means something else"),
    "the default's word": (["bridge"], "nook0"),
    "a plus": (["a+b"], "can't be a network's name"),
    "too long": (["a" * 33], "32 at most"),
    "no subnet": (["a", "--subnet", "x"], "has no prefix"),
    "an address": (["a", "--subnet", "10.0.0.7/24"], "The subnet is 10.0.0.0/24"),
    "a leading zero": (["a", "--subnet", "010.0.0.0/24"], "is no address"),
    "no room": (["a", "--subnet", "10.0.0.0/31"], "no room for a gateway and a container"),
    "everything": (["a", "--subnet", "0.0.0.0/0"], "is too large"),
    "loopback": (["a", "--subnet", "127.0.0.0/8"], "loopback"),
    "multicast": (["a", "--subnet", "239.0.0.0/8"], "multicast"),
    "link-local": (["a", "--subnet", "fe80::/64"], "link-local"),
    "mapped": (["a", "--subnet", "::ffff:10.0.0.0/120"], "Write 10.0.0.0"),
    "two of a family": (["a", "--subnet", "10.1.0.0/24", "--subnet", "10.2.0.0/24"], "one subnet of each family"),
    "mtu 0": (["a", "--mtu", "0"], "from 68 to 65535"),
    "mtu text": (["a", "--mtu", "1e3"], "from 68 to 65535"),
    "mtu too small for ipv6": (["a", "--mtu", "1279"], "IPv6 needs"),
    "docker's driver": (["a", "--driver", "bridge"], "macvlan"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_gets_one_clear_error(netlab, case):
    words, text = WRONG[case]
    netlab.nook.cmd("net", "new", *words).failed(125, text)
    assert netlab.left() == []


def test_a_small_mtu_where_there_is_no_ipv6(netlab):
    assert new(netlab, "blue", "--subnet", "10.90.0.0/24", "--mtu", "576")["mtu"] == 576


def test_a_name_twice(netlab):
    made = new(netlab, "blue")
    netlab.nook.cmd("net", "new", "blue", "--internal").failed(125, "there is a network blue already", "nook net show blue")
    assert netlab.nook.cmd("net", "show", "blue", "--json").json() == made


def test_an_unknown_network_is_told_with_those_there_are(netlab):
    netlab.nook.cmd("net", "show", "blue").failed(125, "there is no network blue", "nook net new blue", "[no-such-network]")
    new(netlab, "red")
    for verb in ("show", "rm"):
        netlab.nook.cmd("net", verb, "blue").failed(125, "there is no network blue", "There is one: red.")


def test_somebody_elses_link_of_the_bridges_name_is_left_alone(netlab):
    netlab.host.ip_batch("link add nk-blue type bridge\naddress add 10.123.0.1/24 dev nk-blue")
    netlab.nook.cmd("net", "new", "blue").failed(125, "nk-blue", "not nook's")
    assert netlab.host.addresses("nk-blue") == {"10.123.0.1/24"}
    assert netlab.files("net/networks") == [] and ("inet", "nook") not in netlab.host.tables()
    netlab.host.ip_batch("link del nk-blue")


def test_other_peoples_things_stay(netlab):
    netlab.host.nft("add table inet other; add chain inet other c { type filter hook forward priority 0; }")
    netlab.host.ip_batch("link add br-other type bridge")
    new(netlab, "blue")
    netlab.nook.cmd("net", "rm", "blue").ok()
    assert netlab.host.links().keys() == LINKS | {"br-other"} and netlab.host.tables() == {("inet", "other")}
    netlab.host.ip_batch("link del br-other")


def test_without_the_right_to_it_nothing_is_made(netlab):
    """Root that has lost CAP_NET_ADMIN."""
    poor = netlab.host.try_("setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", netlab.binary, "net", "new",
                            "blue")
    poor.failed(125, "[no-net-admin]", "CAP_NET_ADMIN")
    assert netlab.left() == []


def test_an_ordinary_user_sees_its_own_networks_only(netlab):
    new(netlab, "blue")
    netlab.host.run("install", "-d", "-o", "65534", "-m", "700", "/run/nobody")
    user = netlab.nook_as(machine.Account("nobody", 65534, 65534, "/", env={"XDG_RUNTIME_DIR": "/run/nobody"}))
    assert user.cmd("net", "ls", "-q").ok() == ""
    for verb in ("show", "rm"):
        user.cmd("net", verb, "blue").failed(125, "there is no network blue", "[no-such-network]")


# ---- many at once, and what the dead leave ----

def test_many_at_once_get_subnets_of_their_own(netlab):
    names = [f"n{i}" for i in range(12)]
    made = [netlab.nook.popen(["net", "new", name, "--json"], stdout=-1, stderr=-1) for name in names]
    answers = [process.communicate(timeout=60 * machine.PATIENCE) for process in made]
    assert all(process.returncode == 0 for process in made), answers
    networks = [json.loads(out) for out, _ in answers]
    assert sorted(subnets(each)[0] for each in networks) == sorted(f"10.88.{i}.0/24" for i in range(12))
    assert len({subnets(each)[1] for each in networks}) == 12
    made = [netlab.nook.popen(["net", "rm", name]) for name in names]
    assert [process.wait(60 * machine.PATIENCE) for process in made] == [0] * 12
    assert netlab.left() == []


def rewrite(lab, name, **members):
    with open(record(lab, name), "r+", encoding="ascii") as file:
        row = json.load(file) | members
        file.seek(0)
        file.truncate()
        json.dump(row, file)


@pytest.mark.parametrize("phase", ["making", "removing"])
@pytest.mark.parametrize("rest", ["all of it", "no rules", "no bridge", "nothing"])
def test_what_a_killed_command_left_is_settled_by_the_next(netlab, phase, rest):
    new(netlab, "blue")
    rewrite(netlab, "blue", phase=phase)
    if rest in ("no rules", "nothing"):
        netlab.host.nft("flush ruleset")
    if rest in ("no bridge", "nothing"):
        netlab.host.ip_batch("link del nk-blue")
    assert netlab.nook.cmd("net", "ls", "-q").ok() == ""
    netlab.nook.cmd("net", "show", "blue").failed(125, "there is no network blue")
    new(netlab, "red")
    assert netlab.files("net/networks") == ["red"] and netlab.host.links().keys() == LINKS | {"nk-red"}
    netlab.nook.cmd("net", "rm", "red").ok()
    assert netlab.left() == []


def test_a_half_made_network_can_be_removed_by_name(netlab):
    new(netlab, "blue")
    rewrite(netlab, "blue", phase="making")
    netlab.nook.cmd("net", "rm", "blue").ok()
    assert netlab.left() == []


ODD = ["", "{}", "x" * 5000, '{"version":2}', "\0"]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_an_odd_record_is_told_and_can_be_removed(netlab, text):
    new(netlab, "blue")
    with open(record(netlab, "blue"), "w", encoding="ascii") as file:
        file.write(text)
    netlab.nook.cmd("net", "show", "blue").failed(125, "the record of network blue can't be used", "nook net rm --force blue")
    netlab.nook.cmd("net", "rm", "blue").failed(125, "nook net rm --force blue")
    netlab.nook.cmd("net", "rm", "--force", "blue").ok()
    assert "nk-blue" not in netlab.host.links() and netlab.files("net/networks") == []
    assert new(netlab, "blue")["up"]


def test_a_record_that_names_another_link_removes_nothing_of_it(netlab):
    new(netlab, "blue")
    netlab.host.ip_batch("link add br-other type bridge")
    rewrite(netlab, "blue", bridge="br-other")
    netlab.nook.cmd("net", "rm", "--force", "blue").ok()
    assert netlab.host.links().keys() == LINKS | {"br-other"}
    netlab.host.ip_batch("link del br-other")


def test_a_state_directory_that_is_not_ours_is_refused(netlab):
    os.chmod(netlab.path("/run/nook"), 0o777)
    netlab.nook.cmd("net", "new", "blue").failed(125, "can be written by others")
    os.chmod(netlab.path("/run/nook"), 0o700)
    assert netlab.left() == [] and netlab.host.addresses("eth0") >= {f"{HOST[4]}/24"}
