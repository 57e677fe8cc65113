# SPDX-License-Identifier: Apache-2.0
"""nook net veth and move: each system call fails in turn, or nook is killed before it. No link is left half-made."""

import errno

import oci
import pytest
import sweep
from netlab import LINKS
from result import unique

MOST = 400  # calls: more than either makes


@pytest.fixture
def kept(netlab):
    """Name and namespace: where the links go."""
    name = unique("net")
    netlab.nook.cmd("ns", "new", name, "--net").ok()
    space = netlab.space_at(netlab.path(f"/run/netns/{name}"))
    yield name, space
    space.close()
    netlab.nook.cmd("ns", "rm", "--force", name).ok()


def each_call(lab, words, fault):
    """The command with each of its calls failed: number and result, until one is past the last."""
    for call in range(1, MOST):
        yield call, lab.nook.cmd("net", *words, env={"NOOK_FAULT_CALL": f"{call}:{fault}"})
    raise AssertionError(f"more than {MOST} calls")


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.EPERM], ids=errno.errorcode.get)
def test_a_call_of_veth_fails(netlab, kept, number):
    name, space = kept
    words = ["veth", f"{name}:eth0", "host:blue0", "--address", "10.9.8.1/24", "--address", "10.9.8.2/24"]
    failures = 0
    for call, result in each_call(netlab, words, number):
        if result.status == 0:
            # The call did not matter, or there was none of this number any more.
            assert "blue0" in netlab.host.links() and space.addresses("eth0") == {"10.9.8.1/24"}
            netlab.host.run("ip", "link", "del", "blue0")
            if call > failures + 20:
                break
            continue
        failures += 1
        result.failed(125)
        assert set(netlab.host.links()) == LINKS and set(space.links()) == {"lo"}, f"call {call}: {result}"
    assert failures > 20


def test_veth_is_killed(netlab, kept):
    """What was made by then is a whole pair: it goes with either end."""
    name, space = kept
    words = ["veth", f"{name}:eth0", "host:blue0", "--address", "10.9.8.1/24"]
    killed = made = 0
    for call, result in each_call(netlab, words, "kill"):
        links = set(netlab.host.links()) - LINKS
        assert set(space.links()) == ({"lo", "eth0"} if links else {"lo"}), f"call {call}: {result}"
        if links:
            made += 1
            netlab.host.run("ip", "link", "del", "blue0")
            assert set(space.links()) == {"lo"}
        if result.status == 0:
            break
        assert result.status == 137
        killed += 1
    assert killed > 20 and made > 1


def test_a_call_of_move_fails(netlab, kept):
    """The link is here as it was."""
    name, space = kept
    failures = fine = 0
    for call in range(1, MOST):
        netlab.host.ip_batch("link add spare type veth peer name other\naddress add 10.9.8.1/24 dev spare")
        result = netlab.nook.cmd("net", "move", "spare", name, "--name", "eth0",
                                 env={"NOOK_FAULT_CALL": f"{call}:{errno.ENOMEM}"})
        where = ("spare" in netlab.host.links(), "eth0" in space.links())
        if result.status:
            failures += 1
            result.failed(125)
            assert where == (True, False) and netlab.host.addresses("spare") == {"10.9.8.1/24"}, f"call {call}: {result}"
        else:
            fine += 1
            assert where == (False, True) and space.addresses("eth0") == {"10.9.8.1/24"}, f"call {call}: {result}"
        netlab.host.run("ip", "link", "del", "other")
        if fine > 20:
            return
    assert failures > 20


@pytest.mark.parametrize("name, begin, most", [("eth0", 1, 3), ("in%d", 1, 3), ("eth0", 1000001, 7)])
def test_a_call_of_create_fails(netlab, oci_binary, base, name, begin, most):
    """It brings the links home that it has moved in: those that programs make would end with the network namespace."""
    bundle = oci.Bundle(f"{base}/{unique('bundle')}", oci.default("true", {"linux/netDevices": {"spare": {"name": name}}})).write()
    root, failures, fine = f"{base}/{unique('state')}", 0, 0
    for call in range(begin, begin + 10 * MOST, 1 if sweep.FULL else most):
        netlab.host.ip_batch("link add spare type veth peer name other\naddress add 10.9.8.1/24 dev spare")
        words = [oci_binary, "--root", root, "create", "--bundle", bundle.path, f"c{call}"]
        # Not into pipes: the container would keep them open.
        result = netlab.host.try_("sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", "env", f"NOOK_FAULT_CALL={call}:{errno.ENOMEM}", *words)
        if result.status == 0:
            fine += 1
            assert "spare" not in netlab.host.links(), f"call {call}: {result}"
            netlab.host.run(*words[:3], "delete", "--force", words[-1])
        else:
            failures, fine = failures + 1, 0
            assert netlab.host.addresses("spare") == {"10.9.8.1/24"}, f"call {call}: {result}"
        netlab.host.try_("ip", "link", "del", "other")
        if fine > 20:  # in a row: past the last
            break
    assert failures > 20


def into_kept(base, name, inside):
    """A bundle that joins that namespace, with the link spare for it."""
    bundle = oci.Bundle(f"{base}/{unique('bundle')}", oci.default("true", {"linux/netDevices": {"spare": {"name": inside}}}))
    network = [n for n in bundle.config["linux"]["namespaces"] if n["type"] == "network"]
    network[0]["path"] = f"/run/netns/{name}"
    return bundle.write()


@pytest.mark.parametrize("inside, most", [("eth0", 4), ("in%d", 13)])
def test_create_into_a_namespace_that_stays_is_killed(netlab, kept, oci_binary, base, inside, most):
    """One `delete` brings home what had come to the namespace by then, with its addresses; so it does without the kill."""
    name, space = kept
    bundle = into_kept(base, name, inside)
    root, moved, call = f"{base}/{unique('state')}", 0, 0
    while True:
        call += 1 if sweep.FULL else most
        netlab.host.ip_batch("link add spare type veth peer name other\naddress add 10.9.8.1/24 dev spare\nlink set spare up")
        words = [oci_binary, "--root", root]
        result = netlab.host.try_("sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", "env", f"NOOK_FAULT_CALL={call}:kill",
                                  *words, "create", "--bundle", bundle.path, f"c{call}")
        moved += set(space.links()) != {"lo"}
        netlab.host.run(*words, "delete", "--force", f"c{call}")
        assert set(space.links()) == {"lo"}, f"call {call}: {result}"
        assert netlab.host.addresses("spare") == {"10.9.8.1/24"}, f"call {call}: {result}"
        assert netlab.host.try_("ip", "-o", "link", "show", "up", "dev", "spare").out, f"call {call}: it is down"
        if result.status == 0:
            break
        netlab.host.run("ip", "link", "del", "other")
    netlab.host.run("sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", *words, "create", "--bundle", bundle.path, "whole")
    netlab.host.run(*words, "start", "whole")
    netlab.host.run(*words, "delete", "--force", "whole")
    assert len(set(space.links()) - {"lo"}) == 1  # it has run: what it had is the namespace's
    netlab.host.run("ip", "link", "del", "other")
    assert moved > 1 and call > 100


def test_run_into_a_namespace_that_stays_is_killed(netlab, kept, oci_binary, base):
    """A program that has not begun leaves nothing there, even where the record is written that it runs."""
    name, space = kept
    bundle = into_kept(base, name, "eth0")
    bundle.config["process"]["args"] = ["sleep", "1000"]
    bundle.write()
    words = [oci_binary, "--root", f"{base}/{unique('state')}"]
    whole = call = home = 0
    while not whole:
        call += 1 if sweep.FULL or call > 200 else 20
        netlab.host.ip_batch("link add spare type veth peer name other\naddress add 10.9.8.1/24 dev spare")
        result = netlab.host.try_("sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", "env", f"NOOK_FAULT_CALL={call}:kill",
                                  *words, "run", "--detach", "--bundle", bundle.path, f"c{call}")
        whole = result.status == 0
        # Of one that is killed right after it has said so, the program may have begun.
        begun = netlab.host.try_(*words, "ps", "--format", "json", f"c{call}").out not in ("", "[]\n", "null\n")
        netlab.host.run(*words, "delete", "--force", f"c{call}")
        if set(space.links()) == {"lo"}:
            home += 1
            assert netlab.host.addresses("spare") == {"10.9.8.1/24"}, f"call {call}: {result}"
            assert not whole
        else:
            assert begun, f"call {call}: {result}"
        netlab.host.run("ip", "link", "del", "other")
    assert home > 20


def test_what_is_deleted_from_another_namespace(netlab, kept, oci_binary, base):
    """From there a link can't be brought home; who has taken it out by hand is not kept from the rest."""
    name, space = kept
    netlab.host.ip_batch("link add spare type veth peer name other\naddress add 10.9.8.1/24 dev spare")
    words = [oci_binary, "--root", f"{base}/{unique('state')}"]
    netlab.host.run("sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", *words, "create", "--bundle",
                    into_kept(base, name, "eth0").path, "made")
    assert set(space.links()) == {"lo", "eth0"}
    delete = ["unshare", "--net", *words, "delete", "--force", "made"]
    result = netlab.host.try_(*delete)
    assert result.status == 1 and "come from another network namespace" in result.err, result
    assert set(space.links()) == {"lo", "eth0"}
    space.run("ip", "link", "del", "eth0")
    netlab.host.run(*delete)
    assert netlab.host.run(*words, "list", "--quiet") == ""
