# SPDX-License-Identifier: Apache-2.0
"""Without privilege: --net user, by pasta, and networks of an ordinary user's own."""

import os
import signal

import machine
import pytest
from netlab import FAMILIES, GATEWAY, HOST, INTERNET, V4
from netuser import FOREVER, ask, call, in_mounts, needs_pasta, ours, programs, serving, until, user, who  # noqa: F401
from result import unique

pytestmark = [pytest.mark.quick, needs_pasta]


# ---- --net user ----

@pytest.mark.parametrize("family", FAMILIES)
def test_the_outside_is_reached(netlab, who, family):
    server = netlab.world.serve("world", address=INTERNET[family])
    out = who.run("--net", "user", "--", *ask(INTERNET[family], server.port)).ok()
    assert out == f"world {HOST[family]}"  # as if the host itself had asked


def test_the_link_is_there_when_the_program_starts(who):
    out = who.sh("ip -o addr show eth0; ip route; ip -6 route", "--net", "user").ok()
    assert HOST[V4] in out and f"default via {GATEWAY[V4]}" in out


def test_the_hosts_own_services_are_not_reached(netlab, who):
    """Neither on its loopback nor on its addresses, nor by the gateway's address, which pasta would map by default."""
    loopback = netlab.host.serve("host", address="127.0.0.1")
    everywhere = netlab.host.serve("host")
    for address, port in (("127.0.0.1", loopback.port), (HOST[V4], everywhere.port), (GATEWAY[V4], everywhere.port)):
        assert "host" not in who.run("--net", "user", "--", *ask(address, port, 1)).ok()


def test_what_listens_inside_is_not_published_by_itself(netlab, who):
    with serving(who, 8077, "--net", "user"):
        assert netlab.host.why_not("127.0.0.1", 8077) == "ECONNREFUSED"
        assert netlab.world.why_not(HOST[V4], 8077) == "ECONNREFUSED"


def test_a_published_port_leads_inside(netlab, who):
    with serving(who, 80, "--net", "user", "--publish", "8077:80", "--publish", f"{HOST[V4]}:8078:80"):
        assert call(netlab.world, HOST[V4], 8077) == "inside"
        assert call(netlab.host, "127.0.0.1", 8077) == "inside"
        assert call(netlab.world, HOST[V4], 8078) == "inside"
        assert netlab.host.why_not("127.0.0.1", 8078) == "ECONNREFUSED"
    assert netlab.host.why_not("127.0.0.1", 8077) == "ECONNREFUSED"


def test_a_port_that_is_taken_is_refused(netlab, who):
    server = netlab.host.serve("other")
    who.run("--net", "user", "--publish", f"{server.port}:80", "true").failed(125, "port-taken", str(server.port))


def test_two_containers_cannot_publish_one_port(netlab, who):
    with serving(who, 80, "--net", "user", "--publish", "8077:80") as web:
        for words in ("8077:80", "127.0.0.1:8077:80", "8070-8080:80-90"):
            who.run("--net", "user", "--publish", words, "true").failed(125, f"--publish {words}", "[port-taken]", web.name)
        who.run("--net", "user", "--publish", "8077:80/udp", "true").ok()
        assert call(netlab.world, HOST[V4], 8077) == "inside"
        who.cmd("net", "publish", web.name, "8078:80").failed(125, "on no network")
        who.cmd("net", "unpublish", web.name, "8077:80").failed(125, "pasta")
        who.cmd("net", "repair").ok()
        assert call(netlab.world, HOST[V4], 8077) == "inside"
    who.run("--net", "user", "--publish", "8077:80", "true").ok()


def test_without_a_way_out_of_the_host_it_is_said(netlab, who):
    netlab.host.run("ip", "route", "del", "default")
    netlab.host.run("ip", "-6", "route", "del", "default")
    who.run("--net", "user", "true").failed(125, "no-default-route", "ip route")


def test_pasta_ends_with_the_container(who):
    before = programs("passt") + programs("pasta") + programs("nook-pasta")
    who.run("--net", "user", "true").ok()
    assert set(programs("passt") + programs("pasta") + programs("nook-pasta")) <= set(before)


def test_pasta_ends_when_nook_is_killed(who):
    def ours():
        return set(programs("passt") + programs("pasta") + programs("nook-pasta")) - before
    before = set(programs("passt") + programs("pasta") + programs("nook-pasta"))
    with who.background(FOREVER, "--net", "user", "--publish", "8077:80") as container:
        assert len(ours()) == 2
        os.kill(container.process.pid, signal.SIGKILL)
        container.process.wait()
        until(lambda: not ours())
    who.cmd("rm", "--force", container.name).ok()
    who.run("--net", "user", "--publish", "8077:80", "true").ok()


def test_pasta_is_nobody_outside(who):
    """Not root of the machine, nor with a right over it; and the container does not see it."""
    with who.background(FOREVER, "--net", "user") as container:
        pids = [pid for pid in machine.descendants(container.process.pid) if pid in programs("passt") + programs("pasta")]
        assert len(pids) == 1
        status = machine.read(f"/proc/{pids[0]}/status")
        assert "\nUid:\t0\t" not in status
        assert machine.read(f"/proc/{pids[0]}/uid_map") != machine.read("/proc/self/uid_map")
        assert "passt" not in who.cmd("exec", container.name, "--", "sh", "-c", "cat /proc/[0-9]*/comm").ok()


def test_the_hosts_name_server_is_asked_on_its_loopback(netlab, who):
    in_mounts(who, "sh", "-ec", "cat >/run/resolv; mount --bind /run/resolv /etc/resolv.conf", input="nameserver 127.0.0.53\n")
    try:
        server = netlab.host.serve("dns", port=53, address="127.0.0.53", udp=True)
        code = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(9); "
                "n = open('/etc/resolv.conf').read().split()[1]; s.sendto(b'?', (n, 53)); print(s.recv(99).decode())")
        assert server and who.run("--net", "user", "--", "python3", "-c", code).ok().startswith("dns ")
    finally:
        in_mounts(who, "umount", "/etc/resolv.conf")


def test_it_takes_a_user_namespace(who):
    if who.is_root:
        who.run("--net", "user", "--userns", "host", "true").failed(125, "--net user", "user namespace")


# ---- a user's own networks ----

def test_a_users_containers_are_on_a_network(netlab, user):
    user.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24").ok()
    with serving(user, 80, "--net", "blue", "--name", unique("web")) as web:
        assert user.run("--net", "blue", "--", *ask(web.name, 80, say="?")).ok() == "inside"
        assert "10.90.0.2" in user.cmd("net", "show", "blue").out
        assert user.cmd("exec", web.name, "--", "id", "-u").ok() == "0"
        # The machine's own network has none of it.
        assert set(netlab.host.links()) == {"lo", "eth0"} and not netlab.host.tables()
    assert user.cmd("net", "show", "blue").out.count("10.90.0.2") == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_users_network_has_a_way_out(netlab, user, family):
    user.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24", "--subnet", "fd90::/64").ok()
    server = netlab.world.serve("world", address=INTERNET[family])
    assert user.run("--net", "blue", "--", *ask(INTERNET[family], server.port)).ok() == f"world {HOST[family]}"
    loopback = netlab.host.serve("host", address="127.0.0.1")
    assert "host" not in user.run("--net", "blue", "--", *ask("127.0.0.1", loopback.port, 1)).ok()


def test_a_users_default_network_is_made_at_need(user):
    out = user.run("--net", "bridge", "--", "ip", "-o", "-4", "addr", "show", "eth0").ok()
    assert "10.88." in out
    assert user.cmd("net", "ls").lines()[1].startswith("nook0")


def test_ids_on_a_users_network_are_those_of_its_other_containers(user):
    plain = user.run("--", "cat", "/proc/self/uid_map").ok().split()
    user.cmd("net", "new", "blue").ok()
    within = user.run("--net", "blue", "--", "cat", "/proc/self/uid_map").ok().split()
    assert sum(map(int, plain[2::3])) == sum(map(int, within[2::3]))
    assert user.sh("touch /x; chown 1000:1000 /x; stat -c %u:%g /x", "--net", "blue").ok() == "1000:1000"


@pytest.mark.parametrize("who", ["poor"], indirect=True)
def test_one_without_subordinate_ids_has_networks_too(who):
    """setgroups is denied in its user namespaces."""
    who.cmd("net", "new", "blue").ok()
    with serving(who, 80, "--net", "blue", "--name", unique("web")) as web:
        assert who.run("--net", "blue", "--", *ask(web.name, 80, say="?")).ok() == "inside"
    who.cmd("net", "rm", "blue").ok()


def test_with_the_last_network_all_of_it_goes(user):
    user.cmd("net", "new", "blue").ok()
    holders = ours(user, "nook-hold")
    user.cmd("net", "rm", "blue").ok()
    until(lambda: len(ours(user, "nook-hold")) < len(holders))
    assert user.cmd("net", "ls").lines()[1:] == []


def test_what_fails_leaves_no_home(netlab, user):
    holders = set(ours(user, "nook-hold"))
    user.run("--net", "nowhere", "true").failed(125, "nowhere")
    user.cmd("net", "new", "blue", "--subnet", "192.0.2.0/24").failed(125, "192.0.2.0")
    until(lambda: set(ours(user, "nook-hold")) <= holders)


def test_a_home_that_was_killed_is_made_again(netlab, user):
    before = set(ours(user, "nook-hold"))
    user.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24").ok()
    holder, = set(ours(user, "nook-hold")) - before
    os.kill(holder, signal.SIGKILL)
    until(lambda: holder not in ours(user, "nook-hold"))
    server = netlab.world.serve("world", address=INTERNET[V4])
    assert user.run("--net", "blue", "--", *ask(INTERNET[V4], server.port)).ok() == f"world {HOST[V4]}"




def test_a_running_container_of_a_users_changes_networks(user):
    """With its names: the hosts file of the networks that it is on then."""
    for name, subnet in (("blue", "10.90.0.0/24"), ("red", "10.91.0.0/24")):
        user.cmd("net", "new", name, "--subnet", subnet).ok()
    with (serving(user, 80, "--net", "red", "--name", unique("web")) as web, user.background(FOREVER, "--net", "blue") as one):
        def asks():
            return user.cmd("exec", one.name, "--", *ask(web.name, 80, say="?")).ok()
        user.cmd("net", "connect", one.name, "red").ok()
        assert asks() == "inside"
        user.cmd("net", "disconnect", one.name, "blue").ok()
        assert asks() == "inside" and user.cmd("exec", one.name, "cat", "/etc/hosts").out.count("10.90.") == 0
