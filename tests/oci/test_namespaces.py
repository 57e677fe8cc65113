# SPDX-License-Identifier: Apache-2.0
"""Namespaces, new and joined, and what config.json sets in them: names, clocks, ids, sysctls."""

import os
import random

import pytest

import machine
from oci import DELETE, READY, caps_in, said

NAMESPACES = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt", "user": "user", "cgroup": "cgroup",
              "time": "time"}
SETS = ["bounding", "effective", "permitted", "inheritable", "ambient"]
MAPS = {"linux/uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
        "linux/gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}]}


def without(*kinds, more=()):
    """The namespaces of the default without some, and others."""
    return {"linux/namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount") if kind not in kinds]
            + list(more)}


# ---- names ----

def test_hostname(oci, bundle):
    assert said(oci, bundle, ["hostname"], {"hostname": "some-name"}) == "some-name"


def test_no_hostname(oci, bundle):
    before = os.uname().nodename
    assert said(oci, bundle, ["hostname"], {"hostname": DELETE}) == before
    assert os.uname().nodename == before


def test_domainname(oci, bundle):
    assert said(oci, bundle, ["cat", "/proc/sys/kernel/domainname"], {"domainname": "example.org"}) == "example.org"


# ---- namespaces ----

@pytest.mark.parametrize("kind", ["network", "ipc", "uts", "pid", "cgroup"])
@pytest.mark.parametrize("way", ["new", "ours", "by path"])
def test_one_namespace(oci, bundle, kind, way):
    other = oci.running(bundle(READY, without(more=[{"type": "cgroup"}])))
    more = {"new": [{"type": kind}], "ours": [], "by path": [{"type": kind, "path": f"/proc/{other.pid}/ns/{NAMESPACES[kind]}"}]}
    edits = without(kind, more=more[way])
    if kind == "uts":
        edits["hostname"] = DELETE
    c = oci.running(bundle(READY, edits))
    name = NAMESPACES[kind]
    now = machine.ns(name, c.pid)
    assert (now == machine.ns(name)) is (way == "ours")
    assert (now == machine.ns(name, other.pid)) is (way == "by path")
    for each in ("mnt", "net", "ipc"):
        if each != name:
            assert machine.ns(each, c.pid) != machine.ns(each)


@pytest.mark.parametrize("seed", range(12))
def test_any_mix_of_namespaces(oci, bundle, seed):
    """New, the caller's or another container's, each of them."""
    chance = random.Random(seed)
    other = oci.running(bundle(READY, without(more=[{"type": "cgroup"}])))
    listed, want = [{"type": "mount"}], {}
    for kind in ("network", "ipc", "uts", "pid", "cgroup"):
        want[kind] = chance.choice(["new", "ours", "by path"])
        if want[kind] == "new":
            listed.append({"type": kind})
        if want[kind] == "by path":
            listed.append({"type": kind, "path": f"/proc/{other.pid}/ns/{NAMESPACES[kind]}"})
    chance.shuffle(listed)
    c = oci.running(bundle(READY, {"linux/namespaces": listed, "hostname": DELETE}))
    for kind, way in want.items():
        now = machine.ns(NAMESPACES[kind], c.pid)
        theirs = {"ours": machine.ns(NAMESPACES[kind]), "by path": machine.ns(NAMESPACES[kind], other.pid)}
        assert now == theirs.get(way, now), (want, kind)
        if way == "new":
            assert now not in theirs.values(), (want, kind)
    assert c.exec("echo", "fine").ok() == "fine"


def test_namespaces_by_path_that_were_pinned(oci, bundle, base):
    """As `ip netns` and CNI keep them."""
    other = oci.running(bundle(READY))
    path = f"/proc/{other.pid}/ns/net"
    c = oci.running(bundle(READY, without("network", more=[{"type": "network", "path": path}])))
    assert machine.ns("net", c.pid) == machine.ns("net", other.pid)
    other.delete("--force").ok()
    assert c.exec("ip", "link").status == 0


def test_pid_namespace_of_another(oci, bundle):
    """A pod's: its pid 1 is the other container's."""
    other = oci.running(bundle(READY))
    c = oci.running(bundle(READY, without("pid", more=[{"type": "pid", "path": f"/proc/{other.pid}/ns/pid"}])))
    assert c.exec("cat", "/proc/1/comm").ok() == "sleep"
    assert int(machine.status(c.pid)["NSpid"].split()[-1]) != 1
    c.kill("KILL").ok()
    assert c.until_stopped() == 137
    c.delete().ok()
    assert other.status == "running"


def test_lo_is_up_in_a_new_network_namespace(oci, bundle):
    assert "UP" in said(oci, bundle, ["ip", "link", "show", "lo"]).split("mtu")[0]


@pytest.mark.parametrize("offsets", [{"monotonic": {"secs": 172800, "nanosecs": 5}}, {"boottime": {"secs": 604800}},
                                     {"monotonic": {"secs": 1000}, "boottime": {"secs": 2000, "nanosecs": 7}}])
def test_time_offsets(oci, bundle, offsets):
    text = said(oci, bundle, ["cat", "/proc/self/timens_offsets"], {
        **without(more=[{"type": "time"}]), "linux/timeOffsets": offsets})
    shown = {words[0]: (int(words[1]), int(words[2])) for words in map(str.split, text.splitlines())}
    for clock, value in offsets.items():
        assert shown[clock] == (value.get("secs", 0), value.get("nanosecs", 0))


@pytest.mark.parametrize("domain, shown", [("LINUX32", "i686"), ("LINUX", os.uname().machine)])
def test_personality(oci, bundle, domain, shown):
    assert said(oci, bundle, ["uname", "-m"], {"linux/personality": {"domain": domain}}) == shown


def test_the_callers_personality_is_not_passed_on(oci, bundle):
    b = bundle(["uname", "-m"])
    c = oci.container(b)
    b.write()
    c.touched = True
    result = oci.start(["setarch", "linux32", oci.binary, "--root", oci.root, "run", "-b", b.path, c.id]).result()
    if oci.is_ours:
        assert result.ok() == os.uname().machine


# ---- user namespaces ----

def user_namespace(maps=None, **more):
    return {**without(more=[{"type": "user"}]), **(maps or MAPS), **more}


def test_id_maps(oci, bundle):
    text = said(oci, bundle, "cat /proc/self/uid_map /proc/self/gid_map", user_namespace())
    assert [line.split() for line in text.splitlines()] == [["0", "100000", "65536"], ["0", "200000", "65536"]]


def test_id_maps_of_several_lines(oci, bundle):
    maps = {"linux/uidMappings": [{"containerID": 0, "hostID": 100000, "size": 10}, {"containerID": 10, "hostID": 300000, "size": 5},
                                  {"containerID": 1000, "hostID": 50, "size": 1}],
            "linux/gidMappings": [{"containerID": 0, "hostID": 0, "size": 1}, {"containerID": 1, "hostID": 200000, "size": 9}]}
    text = said(oci, bundle, "cat /proc/self/uid_map /proc/self/gid_map", user_namespace(maps))
    assert [line.split() for line in text.splitlines()] == [
        ["0", "100000", "10"], ["10", "300000", "5"], ["1000", "50", "1"], ["0", "0", "1"], ["1", "200000", "9"]]


def test_ids_inside_and_outside(oci, bundle):
    c = oci.running(bundle(READY, user_namespace(**{"process/user": {"uid": 7, "gid": 8, "additionalGids": [9]}})))
    status = machine.status(c.pid)
    assert status["Uid"].split()[0] == "100007"
    assert status["Gid"].split()[0] == "200008"
    assert "200009" in status["Groups"].split()
    assert c.exec("id", "-u").ok() == "7"


def test_devices_in_a_user_namespace(oci, bundle):
    assert said(oci, bundle, "for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done; "
                             "echo x > /dev/null && head -c 4 /dev/zero | wc -c", user_namespace()) == "4"


def test_capabilities_in_a_user_namespace(oci, bundle):
    names = ["CAP_SYS_ADMIN", "CAP_SYS_RESOURCE", "CAP_CHOWN"]
    got = caps_in(said(oci, bundle, ["cat", "/proc/self/status"], user_namespace(
        **{"process/capabilities": {kind: names for kind in SETS[:3]}})))
    assert got["CapEff"] == (1 << 21) | (1 << 24) | 1


def test_a_user_namespace_by_path(oci, bundle):
    other = oci.running(bundle(READY, user_namespace()))
    listed = [{"type": kind} for kind in ("mount", "pid", "ipc", "uts")] + [
        {"type": "user", "path": f"/proc/{other.pid}/ns/user"}, {"type": "network", "path": f"/proc/{other.pid}/ns/net"}]
    c = oci.running(bundle(READY, {"linux/namespaces": listed}))
    assert machine.ns("user", c.pid) == machine.ns("user", other.pid)
    assert c.exec("cat", "/proc/self/uid_map").ok().split() == ["0", "100000", "65536"]


def test_dev_shm_is_owned_by_the_containers_root(oci, bundle):
    assert said(oci, bundle, "stat -c '%u %g' /dev/shm /dev /proc/1 /dev/pts | sort -u", user_namespace()) == "0 0"


# ---- sysctl ----

@pytest.mark.parametrize("name, value", [
    ("net.ipv4.ip_forward", "1"), ("net.core.somaxconn", "123"), ("kernel.msgmax", "9999"), ("kernel.shm_rmid_forced", "1"),
    ("fs.mqueue.msg_max", "11"), ("net/ipv4/ping_group_range", "0\t0")])
def test_sysctl(oci, bundle, name, value):
    path = "/proc/sys/" + (name if "/" in name else name.replace(".", "/"))
    before = machine.read(path)
    assert said(oci, bundle, ["cat", path], {"linux/sysctl": {name: value.replace("\t", " ")}}) == value
    assert machine.read(path) == before


def test_many_sysctls(oci, bundle):
    values = {"kernel.sem": "250 32000 32 128", "kernel.shmmni": "1234", "net.ipv4.tcp_syncookies": "0"}
    out = said(oci, bundle, "cat /proc/sys/kernel/sem /proc/sys/kernel/shmmni /proc/sys/net/ipv4/tcp_syncookies",
               {"linux/sysctl": values})
    assert out.split() == ["250", "32000", "32", "128", "1234", "0"]
