# SPDX-License-Identifier: Apache-2.0
"""
A network card of its own comes home: eth0 and eth1 of a guest are on one wire. eth1 goes to a namespace, and the kernel
gives it back to the machine's first one, where this runs. (In the tests elsewhere there are links that programs make.)
"""

import os
import signal
import subprocess

import machine
import netlab
import pytest
from oci import READY
from result import unique

FAMILIES = netlab.FAMILIES
HOST = {4: "10.77.0.1", 6: "fd77::1"}  # eth0's, which stays
CARD = {4: "10.77.0.2", 6: "fd77::2"}  # eth1's, which goes


class Cards:
    def __init__(self):
        self.spaces = []
        subprocess.run(["modprobe", "virtio_net"], check=True)
        self.host = self.look("/proc/self/ns/net")
        self.until_home()
        self.give("eth0", HOST)
        self.give("eth1", CARD)
        self.number = self.host.links()["eth1"]["ifindex"]
        self.address = self.host.links()["eth1"]["address"]

    def give(self, card, addresses):
        self.host.ip_batch("\n".join([f"link set {card} up", f"address add {addresses[4]}/24 dev {card}",
                                      f"address add {addresses[6]}/64 dev {card} nodad"]))

    def look(self, path):
        """Into the network namespace at this path, until the test lets go of it."""
        self.spaces.append(netlab.Space(os.open(path, os.O_RDONLY | os.O_CLOEXEC)))
        return self.spaces[-1]

    def let_go(self):
        """Of all but the host: a namespace that somebody has open does not end."""
        for space in self.spaces[1:]:
            space.close()
        del self.spaces[1:]

    def are_home(self, name="eth1"):
        return {"lo", "eth0", name} == set(self.host.links())

    def until_home(self, name="eth1"):
        """The kernel takes a namespace apart some time after its end."""
        machine.wait_until(lambda: self.are_home(name), 20, f"{name}, of which there is {set(self.host.links())}")

    def carry(self, space):
        """eth1 is in this namespace, with its addresses, and packets go both ways."""
        assert set(self.host.links()) == {"lo", "eth0"}
        return all(space.ping(HOST[family]) and self.host.ping(CARD[family]) for family in FAMILIES)

    def close(self):
        self.let_go()
        subprocess.run(["modprobe", "-r", "virtio_net"], check=True)  # wherever they are
        self.host.close()


@pytest.fixture(scope="module", autouse=True)
def netns_folder():
    """As `ip netns` and `nook ns` have it, who make it when they first need it."""
    subprocess.run(["ip", "netns", "add", "first"], check=True)
    subprocess.run(["ip", "netns", "del", "first"], check=True)


@pytest.fixture
def cards():
    made = Cards()
    yield made
    made.close()


@pytest.fixture
def kept(root_nook):
    """A name of `nook ns` with a network namespace."""
    name = unique("net")
    root_nook.cmd("ns", "new", name, "--net").ok()
    yield name
    root_nook.cmd("ns", "rm", "--force", name)


# ---- nook net move ----

def test_a_card_comes_home_when_the_namespace_is_removed(cards, root_nook, kept):
    said = root_nook.cmd("net", "move", "eth1", kept).ok()
    assert said == f"eth1 is eth1 in {kept}. When that namespace ends, it comes home to the machine's first one."
    assert cards.carry(cards.look(f"/run/netns/{kept}"))
    cards.let_go()
    root_nook.cmd("ns", "rm", kept).ok()
    cards.until_home()
    card = cards.host.links()["eth1"]
    assert card["address"] == cards.address and card["ifindex"] == cards.number
    assert "UP" not in card["flags"] and not cards.host.addresses("eth1")  # as the manual says


def test_a_card_can_go_again(cards, root_nook):
    for _ in range(2):
        with root_nook.background() as container:
            root_nook.cmd("net", "move", "eth1", container.name).ok()
            assert cards.carry(cards.look(f"/proc/{container.pid}/ns/net"))
            cards.let_go()
        cards.until_home()
        cards.give("eth1", CARD)


def test_a_card_comes_home_when_nook_is_killed(cards, root_nook):
    container = root_nook.background()
    root_nook.cmd("net", "move", "eth1", container.name).ok()
    assert not cards.are_home()
    container.process.send_signal(signal.SIGKILL)
    container.wait()
    cards.until_home()
    container.stop()
    root_nook.cmd("rm", "--force", container.name).ok()


@pytest.mark.parametrize("name", ["eth0", "in7"])
def test_a_card_comes_home_with_the_name_that_it_had(cards, root_nook, kept, name):
    """Or, where that is taken, with one that the kernel makes of its number."""
    said = root_nook.cmd("net", "move", "eth1", kept, "--name", name).ok()
    assert said == f"eth1 is {name} in {kept}. When that namespace ends, it comes home to the machine's first one, as {name}."
    assert cards.carry(cards.look(f"/run/netns/{kept}"))
    cards.let_go()
    root_nook.cmd("ns", "rm", kept).ok()
    cards.until_home(f"dev{cards.number}" if name == "eth0" else name)


def test_a_card_that_can_not_be_moved_stays(cards, root_nook, kept):
    before = cards.host.addresses("eth1")
    root_nook.cmd("net", "move", "eth1", kept, "--name", "lo").failed(125, "has a device lo already")
    assert cards.are_home() and cards.host.addresses("eth1") == before
    assert cards.host.ping(CARD[4])


# ---- netDevices of config.json ----

def test_a_card_of_an_engines_container(oci, bundle, cards):
    c = oci.container(bundle(READY, {"linux/netDevices": {"eth1": {}}}))
    c.create().ok()
    assert cards.carry(cards.look(f"/proc/{c.init.pid}/ns/net"))
    c.start().ok()
    c.until_said("ready")
    assert cards.carry(cards.spaces[-1])
    assert "10.77.0.2" in c.exec("ip", "addr", "show", "dev", "eth1").ok()
    cards.let_go()
    c.kill("KILL").ok()
    c.until("stopped")
    cards.until_home()  # its network namespace ends with its last process
    c.delete().ok()
    assert cards.host.links()["eth1"]["address"] == cards.address


def test_a_card_comes_home_when_the_container_is_deleted(oci, bundle, cards):
    c = oci.running(bundle(READY, {"linux/netDevices": {"eth1": {"name": "in7"}}}))
    assert set(cards.host.links()) == {"lo", "eth0"}
    c.delete("--force").ok()
    cards.until_home("in7")


def test_a_card_that_was_not_needed_after_all(oci, bundle, cards):
    """At once, with its name and its addresses: nothing is left of a container that could not be made."""
    c = oci.container(bundle(["/no/such/program"], {"linux/netDevices": {"eth1": {"name": "eth0"}}}))
    c.create().failed(1, "/no/such/program")
    assert cards.are_home() and cards.host.addresses("eth1") == {"10.77.0.2/24", "fd77::2/64"}
    assert "UP" in cards.host.links()["eth1"]["flags"]
    assert not oci.traces()
