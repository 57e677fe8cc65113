# SPDX-License-Identifier: Apache-2.0
"""What a container has of networks is written down, and what is written can't be read: what it had is found, and goes, all the same."""

import signal

import pytest
from netlab import HOST, STATE, V4
from result import unique

pytestmark = pytest.mark.quick

FOREVER = "echo ready; exec sleep 1000"


@pytest.fixture
def blue(netlab):
    netlab.nook.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24", "--subnet", "fd90::/64").ok()


def garble(netlab, name, text="{"):
    with open(netlab.path(f"{STATE}/net/containers/{name}"), "w", encoding="ascii") as file:
        file.write(text)


def killed(netlab, *options):
    """A container whose nook was killed, and whose record is nonsense: its name."""
    with netlab.nook.background(FOREVER, "--net", "blue", *options) as one:
        one.process.send_signal(signal.SIGKILL)
        one.process.wait()
    garble(netlab, one.name)
    return one.name


def rules(netlab):
    return netlab.host.run("nft", "list", "table", "inet", "nook")


def left(netlab, name):
    """What is there of it."""
    found = [f"{folder}/{file}" for folder in ("net/addresses", "net/ports", "net/containers", "containers", "locks")
             for file in netlab.files(folder) if folder.startswith("net/a") or folder.startswith("net/p") or file == name]
    return found + [line.strip() for line in rules(netlab).splitlines() if "8080" in line or "5353" in line]


PORTS = ["--publish", "8080:80", "--publish", f"{HOST[V4]}:5353-5355:53-55/udp", "--publish", f"[::1]:8080:80/udp"]


@pytest.mark.parametrize("text", ["{", "", '{"version":1,"container":"other","links":[],"ports":[]}', "\0" * 99], ids=["cut", "empty", "another's", "zeros"])
def test_repair_removes_what_is_left_of_a_dead_one(netlab, blue, text):
    name = killed(netlab, *PORTS)
    garble(netlab, name, text)
    before = left(netlab, name)
    assert any("8080" in line for line in before) and any("5353" in line for line in before)
    out = netlab.nook.cmd("net", "repair").ok()
    assert f"mended container {name}: what was left of it" in out
    assert left(netlab, name) == [] and netlab.nook.cmd("net", "repair").ok() == ""


@pytest.mark.parametrize("how", ["its name", "its port", "rm"])
def test_the_next_one_removes_it(netlab, blue, how):
    name = killed(netlab, *PORTS)
    if how == "its name":
        netlab.nook.run("--name", name, "true").ok()
    elif how == "its port":
        with netlab.nook.background(FOREVER, "--net", "blue", "--publish", "8080:81") as other:
            netlab.space_of(other.pid).serve("other", 81)
            assert netlab.world.reaches(HOST[V4], 8080)
    else:
        netlab.nook.cmd("rm", name).ok()
    assert left(netlab, name) == []
    assert netlab.nook.cmd("net", "repair").ok() == ""


def test_a_record_of_nobody(netlab, blue):
    name = unique("nobody")
    with netlab.nook.background(FOREVER, "--net", "blue"):
        pass  # the folder is there now
    garble(netlab, name)
    assert name in netlab.nook.cmd("net", "repair").ok()
    assert netlab.files("net/containers") == [] and netlab.files("locks") == []


def test_of_a_living_one_nothing_is_taken(netlab, blue):
    """What it has is not known; its port goes on, others are mended, and it is told."""
    with netlab.nook.background(FOREVER, "--net", "blue", "--publish", "8080:80") as one:
        netlab.space_of(one.pid).serve("inside", 80)
        garble(netlab, one.name)
        netlab.host.run("ip", "address", "flush", "dev", "nk-blue", "scope", "global")
        result = netlab.nook.cmd("net", "repair")
        result.failed(125, one.name, "can't be read", f"nook rm --force {one.name}")
        assert "the bridge nk-blue" in result.out and netlab.world.reaches(HOST[V4], 8080)
        netlab.nook.cmd("net", "publish", one.name, "8081:80").failed(125, "can't be read")
    assert left(netlab, one.name) == []
