# SPDX-License-Identifier: Apache-2.0
"""Networks that are made, removed, joined and left: a call fails, or nook is killed before it. What is left, nook itself removes."""

import errno
import re

import pytest
import sweep
from result import unique

MOST = 600  # calls: more than any of these makes
SUBNETS = ["--subnet", "10.88.7.0/24", "--subnet", "fd88::/64"]
FAULTS = ["kill", errno.ENOMEM, errno.EPERM] if sweep.FULL else ["kill", errno.ENOMEM]
# Of the calls of a command every so manieth, unless NOOK_SWEEP=full; primes, so that the two faults meet others.
STRIDES = {"kill": 3, errno.ENOMEM: 5, errno.EPERM: 7}


def name_of(fault):
    return fault if isinstance(fault, str) else errno.errorcode[fault]


@pytest.fixture(params=FAULTS, ids=name_of)
def fault(request):
    return request.param


def each(lab, words, fault):
    """The command with its calls failed, one after another: number and result, until none of that number matters any more."""
    stride = 1 if sweep.FULL else STRIDES[fault]
    fine = 0  # a call that fails need not matter: so many in a row don't when there are no more
    for call in range(1, MOST, stride):
        result = lab.nook.cmd("net", *words, env={"NOOK_FAULT_CALL": f"{call}:{fault}"})
        yield call, result
        fine = fine + 1 if result.status == 0 else 0
        if fine * stride > (0 if fault == "kill" else 24):
            return
    raise AssertionError(f"more than {MOST} calls")


def clear(result, fault):
    """One error, or none: it was killed, or the call did not matter."""
    if fault == "kill":
        assert result.status in (0, 137), str(result)
    else:
        assert result.status in (0, 125), str(result)


def no_network(lab):
    """Nothing is there, as before the first one."""
    assert lab.left() == []
    assert lab.nook.cmd("net", "ls", "--json").json()["networks"] == []


def test_a_network_is_made(netlab, fault):
    """Half made, it is no network: the next command settles it, and the same name can be made at once."""
    failures = 0
    for call, result in each(netlab, ["new", "blue", *SUBNETS], fault):
        clear(result, fault)
        failures += result.status != 0
        if result.status == 0:
            netlab.nook.cmd("net", "rm", "blue").ok()
        elif fault == "kill":
            netlab.nook.cmd("net", "new", "blue", *SUBNETS).ok() if call % 2 else netlab.nook.cmd("net", "rm", "--force", "blue")
            if call % 2:
                netlab.nook.cmd("net", "rm", "blue").ok()
        no_network(netlab)
    assert failures > 10


def test_a_network_is_removed(netlab, fault):
    """Half removed, a second `rm` removes the rest."""
    failures = 0
    netlab.nook.cmd("net", "new", "blue", *SUBNETS).ok()
    for _, result in each(netlab, ["rm", "blue"], fault):
        clear(result, fault)
        failures += result.status != 0
        if netlab.nook.cmd("net", "rm", "--force", "blue").status != 0:
            assert "blue" not in netlab.files("net/networks")
        no_network(netlab)
        netlab.nook.cmd("net", "new", "blue", *SUBNETS).ok()
    assert failures > 10


def test_a_container_is_connected_and_disconnected(netlab, fault):
    """Half connected, it can be connected or disconnected; its end removes all that is left."""
    netlab.nook.cmd("net", "new", "blue", *SUBNETS).ok()
    links = set(netlab.host.links())
    failures = 0
    with netlab.nook.background() as one:
        space = netlab.space_of(one.pid)
        for _, result in each(netlab, ["connect", one.name, "blue"], fault):
            clear(result, fault)
            failures += result.status != 0
            again = netlab.nook.cmd("net", "connect", one.name, "blue")
            if again.status != 0:
                again.failed(125, "blue")  # it is on it, as far as that goes
            netlab.nook.cmd("net", "disconnect", one.name, "blue").ok()
            assert set(netlab.host.links()) == links and set(space.links()) == {"lo"}
            assert netlab.files("net/addresses") == []
        assert failures > 10

        netlab.nook.cmd("net", "connect", one.name, "blue").ok()
        for _, result in each(netlab, ["disconnect", one.name, "blue"], fault):
            clear(result, fault)
            again = netlab.nook.cmd("net", "disconnect", one.name, "blue")
            assert again.status == (0 if result.status else 125), f"{result}\n{again}"
            assert set(netlab.host.links()) == links and set(space.links()) == {"lo"}
            netlab.nook.cmd("net", "connect", one.name, "blue").ok()
            assert space.ping("10.88.7.1")
    netlab.nook.cmd("net", "rm", "blue").ok()


def test_a_port_is_published(netlab, fault):
    """Half published, it can be published, or unpublished; nobody else is kept from it for ever."""
    netlab.nook.cmd("net", "new", "blue", *SUBNETS).ok()
    with netlab.nook.background("echo ready; exec sleep 1000", "--net", "blue") as one:
        netlab.space_of(one.pid).serve("inside", 80)
        failures = 0
        for _, result in each(netlab, ["publish", one.name, "8080:80"], fault):
            clear(result, fault)
            failures += result.status != 0
            again = netlab.nook.cmd("net", "publish", one.name, "8080:80")
            assert again.status == 0 or "8080" in again.err, str(again)
            assert netlab.world.reaches("192.0.2.1", 8080), f"{result}\n{again}"
            netlab.nook.cmd("net", "unpublish", one.name, "8080:80").ok()
            assert netlab.files("net/ports") == [] and not netlab.host.run("nft", "list", "map", "inet", "nook", "any4").count("8080")
        assert failures > 10


def test_repair_settles_a_port_that_is_half_published(netlab):
    """Then it is published, or nobody has it: no claim is left that nobody knows of."""
    netlab.nook.cmd("net", "new", "blue", *SUBNETS).ok()
    with netlab.nook.background("echo ready; exec sleep 1000", "--net", "blue") as one:
        netlab.space_of(one.pid).serve("inside", 80)
        seen = set()
        for _, result in each(netlab, ["publish", one.name, "8080-8081:80-81"], "kill"):
            out = netlab.nook.cmd("net", "repair").ok()
            shown = netlab.nook.cmd("net", "show", "blue", "--json").json()["containers"][0]["ports"]
            assert netlab.world.reaches("192.0.2.1", 8080) == bool(shown), f"{result}\n{out}"
            assert len(netlab.files("net/ports")) == (2 if shown else 0), f"{result}\n{out}"
            assert netlab.nook.cmd("net", "repair").ok() == ""
            seen.add((bool(shown), bool(out)))
            if shown:
                netlab.nook.cmd("net", "unpublish", one.name, "8080-8081:80-81").ok()
        assert len(seen) >= 3, f"nothing was half done: {seen}"


def test_a_kernel_that_lacks_something(netlab):
    """Whatever it says that it has not, there is one clear error, and nothing is left; of nf_tables it is known what it means."""
    causes, fine = set(), 0
    for call in range(1, MOST, 1 if sweep.FULL else 2):
        result = netlab.nook.cmd("net", "new", "blue", *SUBNETS, env={"NOOK_FAULT_CALL": f"{call}:{errno.EOPNOTSUPP}"})
        if result.status == 0:
            netlab.nook.cmd("net", "rm", "blue").ok()
            fine += 1
            if fine > 24:
                break
            continue
        fine = 0
        result.failed(125)
        assert [line for line in result.err.splitlines() if not line.startswith("  ")] == result.err.splitlines()[:1], str(result)
        causes.update(re.findall(r"\[([a-z-]+)\]", result.err))
        assert netlab.left() == [], str(result)
    assert "no-nftables" in causes
