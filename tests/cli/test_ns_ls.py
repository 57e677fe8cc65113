# SPDX-License-Identifier: Apache-2.0
"""nook ns ls, tree, show: every namespace is found, by whoever holds it, and none is invented."""

import contextlib
import fcntl
import glob
import json
import os
import re
import struct
import subprocess
import sys

import machine
import nookrun
import nsways
import pytest

HOW = {"fd_of_gone_mount": "fd", "fd_of_mount": "fd", "fd_of_thread": "fd", "mount_elsewhere": "mount",
       "mount_nobody_sees": "mount"}


class Held:
    """Namespaces held in each way, and nook in the mount namespace in which they are."""

    def __init__(self, nook):
        self.nook = nook
        folder = nook.scratch("ways")
        self.process = subprocess.Popen([sys.executable, nsways.__file__, folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line, "nsways.py did not start"
        self.ways = json.loads(line)
        self.mount_ns = os.open(f"/proc/{self.process.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        nook.account.mount_ns = self.mount_ns

    def close(self):
        self.nook.account.mount_ns = -1
        os.close(self.mount_ns)
        self.process.stdin.close()
        self.process.wait(5)
        self.process.stdout.close()


@pytest.fixture
def held(root_nook):
    made = Held(root_nook)
    yield made
    made.close()


def by_inode(listing):
    return {row["inode"]: row for row in listing["namespaces"]}


def ls(nook, *words):
    return nook.cmd("ns", "ls", "--json", *words).json()


@pytest.fixture
def found(held):
    return by_inode(ls(held.nook))


def test_each_way_of_holding_is_found(held, found):
    for way, truth in held.ways.items():
        how = HOW.get(way, way)
        row = found.get(truth["inode"])
        assert row, f"{way}: {truth} was not found"
        assert row["kind"] == truth["kind"], way
        wanted = {how} | ({"mount"} if way == "fd_of_mount" else set())
        assert {name for name, n in row["held"].items() if n} == wanted, f"{way}: {row}"
        assert row["held"][how] == 1, f"{way}: {row}"


def test_the_holder_is_named(held, found):
    for way, truth in held.ways.items():
        row, how = found[truth["inode"]], HOW.get(way, way)
        holders = [holder for holder in row["holders"] if holder["how"] == how]
        if how in ("process", "nested", "owner"):
            assert holders == []
            continue
        assert len(holders) == 1, f"{way}: {row}"
        for key in ("pid", "tid", "fd", "path"):
            if key in truth and not (how == "mount" and key in ("pid", "fd")) and not (how == "fd" and key == "path"):
                assert holders[0].get(key) == truth[key], f"{way}: {holders[0]} is not {truth}"
        if how == "mount":
            here = os.fstat(held.mount_ns).st_ino
            assert holders[0]["mount_namespace"] == {"kind": "mnt", "inode": truth.get("mount_ns", here)}, way
    assert found[held.ways["process"]["inode"]]["first"]["pid"] == held.ways["process"]["pid"]


def test_a_mount_namespace_without_a_process_is_found(held, found):
    truth = held.ways["mount_nobody_sees"]
    row = found[truth["mount_ns"]]
    assert row["kind"] == "mnt" and row["processes"] == 0
    assert [holder["fd"] for holder in row["holders"]] == [truth["mount_ns_fd"]]


def test_owners_and_parents(held, found):
    nested, owner = held.ways["nested"], held.ways["owner"]
    assert found[nested["below"]]["parent"] == {"kind": "user", "inode": nested["inode"]}
    assert found[owner["below"]]["owner"] == {"kind": "user", "inode": owner["inode"]}
    assert found[owner["inode"]]["creator"] == 0
    top = os.stat("/proc/self/ns/user").st_ino
    assert found[nested["inode"]]["parent"] == {"kind": "user", "inode": top}


def test_ids_are_those_of_the_kernel(found):
    for kind in machine.KINDS:
        fd = os.open(f"/proc/self/ns/{kind}", os.O_RDONLY)
        try:
            number, = struct.unpack("Q", fcntl.ioctl(fd, 0x8008b70d, bytes(8)))  # NS_GET_ID
        except OSError:
            number = None
        row = found[os.fstat(fd).st_ino]
        os.close(fd)
        if number is not None or kind != "mnt":
            assert row["id"] == number
        assert row["kind"] == kind


def test_the_table_for_people(held):
    lines = held.nook.cmd("ns", "ls").lines()
    assert lines[0].split() == ["KIND", "INODE", "ID", "PROCS", "PID", "COMMAND", "OWNER", "UID", "HELD", "BY", "NAMES"]
    rows = {int(line.split()[1]): line for line in lines[1:]}
    ways = held.ways
    assert f"thread {ways['thread']['pid']}/{ways['thread']['tid']}" in rows[ways["thread"]["inode"]]
    assert f"fd {ways['fd']['pid']}/{ways['fd']['fd']}" in rows[ways["fd"]["inode"]]
    assert f"socket {ways['socket']['pid']}/{ways['socket']['fd']}" in rows[ways["socket"]["inode"]]
    assert f"children of {ways['children']['pid']}" in rows[ways["children"]["inode"]]
    assert "parent of 1" in rows[ways["nested"]["inode"]]
    assert "owner of 1" in rows[ways["owner"]["inode"]]


def test_only_the_kinds_asked_for(root_nook):
    kinds = {row["kind"] for row in ls(root_nook, "--kind", "net,mount")["namespaces"]}
    assert kinds == {"net", "mnt"}
    root_nook.cmd("ns", "ls", "--kind", "nett").failed(125, "nett", "--kind")


# ---- nothing else ----

def truth_scan():
    """What a plain walk through /proc sees: {inode}."""
    inodes, nsfs = set(), os.stat("/proc/self/ns/net").st_dev
    for path in glob.glob("/proc/[0-9]*/ns/*") + glob.glob("/proc/[0-9]*/task/*/ns/*"):
        with contextlib.suppress(OSError, ValueError):
            inodes.add(int(re.search(r"\[(\d+)\]", os.readlink(path))[1]))
    for path in glob.glob("/proc/[0-9]*/fd/*") + glob.glob("/proc/[0-9]*/task/*/fd/*"):
        with contextlib.suppress(OSError):
            entry = os.stat(path)
            if entry.st_dev == nsfs:
                inodes.add(entry.st_ino)
    for path in glob.glob("/proc/[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):
            inodes.update(int(number) for number in re.findall(r"\w+:\[(\d+)\] .* - nsfs ", machine.read(path)))
    return inodes


def assert_true(before, listing, after, hidden):
    rows = by_inode(listing)
    missing = (before & after) - set(rows)
    assert not missing, f"not found: {missing}"
    for inode, row in rows.items():
        above = row["held"]["nested"] or row["held"]["owner"] or row["held"]["kernel"] or row["held"]["socket"]
        assert inode in before | after or above or inode in hidden, f"invented: {row}"
        assert any(row["held"].values()), f"held by nobody: {row}"


def test_nothing_is_missing_and_nothing_invented(held):
    hidden = {way["inode"] for way in held.ways.values()} | {way.get("mount_ns") for way in held.ways.values()}
    for left in reversed(range(8)):
        before = truth_scan()
        listing = ls(held.nook)
        try:
            assert_true(before, listing, truth_scan(), hidden)
            break
        except AssertionError:  # somebody else's came and went between two looks: not each time
            if left == 0:
                raise


STORM = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.prctl(1, 9)
while os.getppid() == int(sys.argv[1]):
    pid = os.fork()
    if pid == 0:
        libc.unshare(0x04000000 | 0x00020000 | 0x40000000 * (os.getpid() % 8 == 0))
        os._exit(0)
    os.waitpid(pid, 0)
"""


def only_in_the_kernels_list(listing):
    return {(row["kind"], row["id"], row["inode"]) for row in listing["namespaces"] if row["held"]["kernel"]}


def test_processes_that_come_and_go_meanwhile(held):
    """unshare(2) holds a new mount namespace while it makes the rest, and exit(2) an old one while it waits for a
    lock, as long as the machine likes: then the kernel alone has it, truly, but never for good."""
    storms = [subprocess.Popen([sys.executable, "-c", STORM, str(os.getpid())]) for _ in range(2)]
    try:
        for _ in range(25):
            before = {way["inode"] for way in held.ways.values()}
            answer = held.nook.cmd("ns", "ls", "--json")
            assert answer.status == 0, f"{answer}"
            rows = by_inode(json.loads(answer.out))
            assert before <= set(rows)
            for row in rows.values():
                assert any(row["held"].values())
            passing = only_in_the_kernels_list(json.loads(answer.out))
            machine.wait_until(lambda p=passing: not p or not p & only_in_the_kernels_list(ls(held.nook)),
                               what=f"the end of {passing}, of processes that came or went,")
    finally:
        for storm in storms:
            storm.kill()
            storm.wait()


# ---- an ordinary user ----

def test_an_ordinary_user_sees_its_own_and_is_told_of_the_rest(user_nook):
    with user_nook.background() as one:
        inode = os.stat(f"/proc/{one.pid}/ns/net").st_ino
        answer = user_nook.cmd("ns", "ls", "--json")
        listing = answer.json()
        if os.getuid() == 0:
            assert listing["unseen"]["processes"] > 0
            assert "could not be looked into" in user_nook.cmd("ns", "ls").err
        kinds = {row["kind"] for row in listing["namespaces"] if row["own"]}
        assert kinds == set(machine.KINDS)
        assert isinstance(inode, int)


# ---- names ----

def test_names_of_ip_netns(held):
    """In a mount namespace of its own, so that the machine's /run/netns stays as it is."""
    if not os.path.exists("/usr/sbin/ip") and not os.path.exists("/sbin/ip"):
        pytest.skip("no ip")
    held.nook.outside("mount", "-t", "tmpfs", "none", "/run")
    held.nook.outside("ip", "netns", "add", "blue")
    try:
        rows = [row for row in ls(held.nook, "--kind", "net")["namespaces"] if row["names"]]
        assert [(row["names"], row["processes"]) for row in rows] == [(["blue"], 0)]
        assert held.nook.cmd("ns", "ls", "--quiet").ok() == "blue"
        shown = held.nook.cmd("ns", "show", "blue").ok()
        assert shown.startswith(f"net:[{rows[0]['inode']}]") and "1 lo  down" in shown
    finally:
        held.nook.outside("ip", "netns", "del", "blue")


def test_names_that_nook_keeps(nook):
    """Kept by a bind mount as root, by a holder process else."""
    name = nookrun.unique("kept")
    made = nook.cmd("ns", "new", name, "--uts", "--ipc", "--json").json()
    try:
        rows = by_inode(ls(nook))
        for part in made["namespaces"]:
            assert rows[part["inode"]]["names"] == [name]
            if nook.is_root:
                assert rows[part["inode"]]["held"]["mount"] == 1 and rows[part["inode"]]["processes"] == 0
        assert name in nook.cmd("ns", "ls", "--quiet").lines()
        shown = nook.cmd("ns", "show", name, "--json").json()["namespaces"]
        assert {part["namespace"]["inode"] for part in shown} == {part["inode"] for part in made["namespaces"]}
    finally:
        nook.cmd("ns", "rm", name).ok()


# ---- tree ----

def test_the_tree_has_what_the_list_has(held):
    tree = held.nook.cmd("ns", "tree", "--json").json()
    rows = by_inode(ls(held.nook))
    users = {level["inode"]: level for level in tree["user"]}
    assert users[held.ways["nested"]["below"]]["parent"]["inode"] == held.ways["nested"]["inode"]
    assert {"kind": "uts", "inode": held.ways["owner"]["below"]} in users[held.ways["owner"]["inode"]]["owns"]
    pids = {process["pid"] for level in tree["pid"] for process in level["processes"]}
    assert {os.getpid(), held.process.pid} <= pids
    for way in held.ways.values():
        assert way["inode"] in rows
    lines = held.nook.cmd("ns", "tree").lines()
    nested, below = (next(line for line in lines if f"user:[{held.ways['nested'][key]}]" in line)
                     for key in ("inode", "below"))
    assert len(below) - len(below.lstrip()) == len(nested) - len(nested.lstrip()) + 2


# ---- show ----

def test_a_process_is_shown_with_all_kinds(nook):
    with nook.background("echo ready; exec sleep 1000", "--hostname", "shown-here") as one:
        # Pid 1 of a container doesn't let its own user look into it; what it started does.
        pid = one.inside()[-1]
        shown = nook.cmd("ns", "show", pid, "--json")
        if shown.status:
            assert not nook.is_root
            return
        parts = {part["namespace"]["kind"]: part for part in shown.json()["namespaces"]}
        assert set(parts) == set(machine.KINDS)
        for kind, part in parts.items():
            assert part["namespace"]["inode"] == os.stat(f"/proc/{pid}/ns/{kind}").st_ino
        assert parts["uts"]["hostname"] == "shown-here"
        assert [link["name"] for link in parts["net"]["links"]] == ["lo"]
        assert parts["user"]["uid_map"][0]["inside"] == 0
        assert parts["mnt"]["mount_count"] > 5
        assert [row["inner_pid"] for row in parts["pid"]["members"]][0] == 1
        assert set(parts["user"]["limits"]) == {f"max_{kind}_namespaces" for kind in machine.KINDS}
        assert parts["user"]["limits"]["max_net_namespaces"]["seen"] >= 1


def test_the_ways_to_say_which(held):
    row = held.ways["mount"]
    for word in (f"uts:[{row['inode']}]", f"uts:{row['inode']}", row["path"]):
        shown = held.nook.cmd("ns", "show", word)
        assert shown.ok().startswith(f"uts:[{row['inode']}]"), word
        assert row["path"].replace("\\", "\\") in shown.out


@pytest.mark.parametrize("words, named", [
    ([], "takes one"), (["a", "b"], "takes one"), (["no-such-name"], "no-such-name"), (["4194300"], "4194300"),
    (["/etc/passwd"], "no namespace"), (["/no/such/path"], "/no/such/path"), (["net:[12x]"], "net:[12x]"),
    (["net:[1]"], "net:[1]"),
])
def test_what_cannot_be_shown(root_nook, words, named):
    root_nook.cmd("ns", "show", *words).failed(125, named)


def test_links_and_addresses(root_nook):
    inode = os.stat("/proc/self/ns/net").st_ino
    part = root_nook.cmd("ns", "show", "--json", f"net:[{inode}]").json()["namespaces"][0]
    shown = {link["name"]: set(link["addresses"]) for link in part["links"]}
    truth = json.loads(subprocess.run(["ip", "-json", "addr"], stdout=subprocess.PIPE, check=True).stdout)
    assert shown == {link["ifname"]: {f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]} for link in truth}


def test_all_mounts_are_listed_when_asked(root_nook):
    inode = os.stat("/proc/self/ns/mnt").st_ino
    part = root_nook.cmd("ns", "show", "--json", "-v", f"mnt:[{inode}]").json()["namespaces"][0]
    truth = [line.split()[4] for line in machine.read("/proc/self/mountinfo").splitlines()]
    assert [mount["point"] for mount in part["mounts"]] == truth
    assert part["mount_count"] == len(truth)
