# SPDX-License-Identifier: Apache-2.0
"""
`nook net` where the kernel lacks a module and finds none to load: a guest's kernel can be brought to that. One error
says what is missing and what to do, and nothing is left.
"""

import subprocess

import machine
import netlab
import pytest

LOADER = "/proc/sys/kernel/modprobe"
# All that networks are made of, dependents first: so they can be removed in this order.
RULES = ["nft_masq", "nft_chain_nat", "nft_nat", "nft_ct", "nft_fib_inet", "nft_fib_ipv4", "nft_fib_ipv6", "nft_fib",
         "nf_tables", "nfnetlink"]
LINKS = ["macvlan", "veth", "bridge", "dummy"]

NEW = ["net", "new", "blue", "--subnet", "10.88.7.0/24", "--subnet", "fd88::/64"]
RUN = ["run", "--net", "bridge", "--", "true"]
# The module, and what needs it; --net bridge makes its network itself.
MISSING = {
    "bridge": ("no-link-type", [NEW, RUN]),
    "veth": ("no-link-type", [RUN]),
    "macvlan": ("no-link-type", [["run", "--net", "macvlan:spare", "--", "true"]]),
    **{name: ("no-nftables", [NEW, RUN]) for name in ("nf_tables", "nft_masq", "nft_chain_nat", "nft_nat", "nft_ct", "nft_fib_inet")},
}


class Bare(netlab.NetLab):
    """A host with no way out: a pair would need its module."""

    def _wire(self):
        self.host.run("ip", "link", "set", "lo", "up")


def modprobe(*words):
    return subprocess.run(["modprobe", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)


def loaded():
    return {line.split()[0] for line in machine.read("/proc/modules").splitlines()}


def unload():
    """What the last test has used goes some time after its namespace."""
    def none_left():
        for name in RULES + LINKS:
            modprobe("-r", "-q", name)
        return not loaded() & set(RULES + LINKS)
    machine.wait_until(none_left, 30, f"the end of {', '.join(sorted(loaded() & set(RULES + LINKS)))}")


def needs(name):
    """Its modules, itself among them."""
    lines = modprobe("--show-depends", name).stdout.splitlines()
    return {line.split("/")[-1].split(".")[0] for line in lines if line.startswith("insmod")}


def load_by(program):
    """Who loads modules for the kernel."""
    with open(LOADER, "w", encoding="ascii") as file:
        file.write(program)


@pytest.fixture(scope="module")
def usual():
    return machine.read(LOADER).strip()


@pytest.fixture
def lacking(usual):
    """A function: from now on the kernel has every module but this, and those that need it; it loads none."""
    def lack(name):
        unload()
        for other in RULES + LINKS:
            if name not in needs(other):
                assert modprobe(other).returncode == 0
        load_by("/bin/false")
        assert name not in loaded(), f"{name} is built in"
    yield lack
    load_by(usual)


@pytest.fixture
def bare(binary, base, no_leftovers):
    made = Bare(binary, base)
    yield made
    made.close()


@pytest.mark.parametrize("name", MISSING)
def test_a_module_that_is_missing(bare, lacking, usual, name):
    cause, commands = MISSING[name]
    lacking(name)
    if name == "macvlan":
        bare.host.run("ip", "link", "add", "spare", "type", "dummy")
    before = set(bare.host.links())
    assert bare.nook.cmd("net", "repair").ok() == ""
    for words in commands:
        result = bare.nook.cmd(*words)
        result.failed(125, f"[{cause}]", "as root on the machine itself: `modprobe -a", name)
        first, *more = result.err.splitlines()
        assert all(line.startswith("  ") for line in more), str(result)
        if name == "veth":
            bare.nook.cmd("net", "rm", "nook0").ok()  # which is whole, for the next ones
        assert set(bare.host.links()) == before, str(result)
    load_by(usual)  # nft looks for tables
    assert not [left for left in bare.left() if left != "link spare"]


def test_with_all_modules_it_works(bare, lacking):
    """Else what is refused above might be refused for another reason."""
    lacking("no such module")
    bare.host.run("ip", "link", "add", "spare", "type", "dummy")
    for words in [command for _, commands in MISSING.values() for command in commands]:
        bare.nook.cmd(*words).ok()
        for network in bare.files("net/networks"):
            bare.nook.cmd("net", "rm", network).ok()
    assert bare.left() == ["link spare"]
