# SPDX-License-Identifier: Apache-2.0
"""What config.json says is what the program finds, field by field."""

import os
import random
import stat

import pytest

import machine
from oci import CAPS, DELETE, READY, default, unique

NAMESPACES = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt", "user": "user", "cgroup": "cgroup",
              "time": "time"}
SETS = ["bounding", "effective", "permitted", "inheritable", "ambient"]
STATUS_OF = {"bounding": "CapBnd", "effective": "CapEff", "permitted": "CapPrm", "inheritable": "CapInh", "ambient": "CapAmb"}
MAPS = {"linux/uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
        "linux/gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}]}


def without(*kinds, more=()):
    """The namespaces of the default without some, and others."""
    return {"linux/namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount") if kind not in kinds]
            + list(more)}


def said(oci, bundle, program, edits=None, **kw):
    return oci.run(bundle(program, edits), **kw).ok()


# ---- process: words ----

@pytest.mark.parametrize("args", [["echo", "a b", "", "c"], ["echo", "-n", "x\ny"], ["printf", "%s|", "é", "\\", "\"", "'"],
                                  ["sh", "-c", "echo $0 $1", "zero", "one"]])
def test_args(oci, bundle, args):
    expected = {"echo": "a b  c" if len(args) == 4 else "x\ny", "printf": "é|\\|\"|'|", "sh": "zero one"}[args[0]]
    assert oci.run(bundle(args)).ok() == expected


def test_a_long_argument(oci, bundle):
    assert said(oci, bundle, ["sh", "-c", "echo ${#1}", "sh", "x" * 100000]) == "100000"


def test_many_arguments(oci, bundle):
    assert said(oci, bundle, ["sh", "-c", "echo $#", "sh", *["y"] * 5000]) == "5000"


def test_env(oci, bundle):
    env = ["PATH=/bin", "A=1", "B=two words", "C=a=b", "D=", "E=line\nline", "é=ü"]
    out = said(oci, bundle, ["cat", "/proc/self/environ"], {"process/env": env}).split("\0")
    assert set(env) <= set(out)
    assert [word for word in out if word and not word.startswith("HOME=")] == env


def test_the_callers_environment_is_not_passed_on(oci, bundle):
    assert "SECRET" not in said(oci, bundle, ["env"], env={"SECRET": "x"})


def test_no_env_at_all(oci, bundle):
    assert oci.run(bundle(["/bin/echo", "fine"], {"process/env": DELETE})).ok() == "fine"


@pytest.mark.parametrize("user, home", [(0, "/root"), (1000, "/home/app"), (4321, "/")])
def test_home_comes_from_the_containers_passwd(oci, bundle, user, home):
    assert f"HOME={home}" in said(oci, bundle, ["env"], {"process/user/uid": user, "process/user/gid": user}).split("\n")


def test_home_that_is_said_stays(oci, bundle):
    assert "HOME=/elsewhere" in said(oci, bundle, ["env"], {"process/env/-": "HOME=/elsewhere"}).split("\n")


def test_the_program_is_found_by_the_containers_path(oci, bundle):
    b = bundle(["tool"], {"process/env": ["PATH=/nowhere:/opt/x:/bin"]})
    b.file("/opt/x/tool", "#!/bin/sh\necho found\n", 0o755)
    assert oci.run(b).ok() == "found"


def test_a_relative_program(oci, bundle):
    b = bundle(["./tool"], {"process/cwd": "/opt/x"})
    b.file("/opt/x/tool", "#!/bin/sh\necho found\n", 0o755)
    assert oci.run(b).ok() == "found"


# ---- process: cwd ----

def test_cwd(oci, bundle):
    assert said(oci, bundle, ["pwd"], {"process/cwd": "/tmp"}) == "/tmp"


@pytest.mark.parametrize("readonly", [True, False])
def test_a_missing_cwd_is_made(oci, bundle, readonly):
    b = bundle("pwd", {"process/cwd": "/new/dir", "root/readonly": readonly})
    assert oci.run(b).ok() == "/new/dir"


def test_a_cwd_that_leads_out(oci, bundle):
    """A link of the image's is followed inside of it."""
    b = bundle("pwd -P", {"process/cwd": "/link"})
    os.symlink("/../../tmp", os.path.join(b.rootfs, "link"))
    assert oci.run(b).ok() == "/tmp"


def test_a_cwd_that_is_a_file(oci, bundle):
    oci.run(bundle("pwd", {"process/cwd": "/etc/passwd"})).failed(1)
    assert not oci.traces()


def test_a_cwd_of_the_user_alone(oci, bundle):
    b = bundle("pwd", {"process/cwd": "/private", "process/user": {"uid": 1000, "gid": 1000},
                       "process/capabilities": {kind: [] for kind in SETS}})
    os.mkdir(os.path.join(b.rootfs, "private"), 0o700)
    os.chown(os.path.join(b.rootfs, "private"), 1000, 1000)
    assert oci.run(b).ok() == "/private"


# ---- process: user ----

def test_user_and_groups(oci, bundle):
    status = said(oci, bundle, ["cat", "/proc/self/status"], {
        "process/user": {"uid": 1234, "gid": 5678, "additionalGids": [3, 9999, 4294967294]}})
    assert "Uid:\t1234\t1234\t1234\t1234" in status
    assert "Gid:\t5678\t5678\t5678\t5678" in status
    groups = next(line for line in status.splitlines() if line.startswith("Groups:"))
    assert set(groups.split()[1:]) - {"5678"} == {"3", "9999", "4294967294"}


def test_no_groups_but_those_said(oci, bundle):
    assert set(said(oci, bundle, ["id", "-G"]).split()) == {"0"}


@pytest.mark.parametrize("umask, shown", [(0, "0000"), (0o27, "0027"), (0o777, "0777"), (None, "0022")])
def test_umask(oci, bundle, umask, shown):
    user = {"uid": 0, "gid": 0}
    if umask is not None:
        user["umask"] = umask
    b = bundle("umask", {"process/user": user})
    c = oci.container(b)
    b.write()
    c.touched = True
    result = oci.start(["sh", "-c", 'umask 077; exec "$@"', "sh", oci.binary, "--root", oci.root, "run", "-b", b.path, c.id]).result()
    assert result.ok() == shown


# ---- process: capabilities ----

def caps_in(text):
    return {line.split(":")[0]: int(line.split()[1], 16) for line in text.splitlines() if line.startswith("Cap")}


@pytest.mark.parametrize("sets", [
    {kind: [] for kind in SETS},
    {kind: ["CAP_CHOWN"] for kind in SETS},
    {"bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN"], "permitted": ["CAP_CHOWN", "CAP_KILL"]},
    {"bounding": ["CAP_NET_RAW"], "effective": [], "permitted": [], "inheritable": ["CAP_NET_RAW"]},
    {"bounding": ["CAP_CHOWN"]},
])
def test_capability_sets(oci, bundle, sets):
    bits = {"CAP_CHOWN": 1, "CAP_KILL": 1 << 5, "CAP_NET_RAW": 1 << 13}
    got = caps_in(said(oci, bundle, ["cat", "/proc/self/status"], {"process/capabilities": sets,
                                                                   "process/user": {"uid": 1000, "gid": 1000}}))
    want = {kind: sum(bits[name] for name in sets.get(kind, [])) for kind in SETS}
    # what execve(2) makes of them for a user who isn't root
    assert got["CapBnd"] == want["bounding"]
    assert got["CapInh"] == want["inheritable"]
    assert got["CapAmb"] == want["ambient"]
    assert got["CapEff"] == got["CapPrm"] == want["ambient"]


def test_root_has_what_is_permitted(oci, bundle):
    got = caps_in(said(oci, bundle, ["cat", "/proc/self/status"]))
    want = (1 << 29) | (1 << 5) | (1 << 10)
    assert got["CapBnd"] == got["CapEff"] == got["CapPrm"] == want


def test_no_capabilities_member(oci, bundle):
    got = caps_in(said(oci, bundle, ["cat", "/proc/self/status"], {"process/capabilities": DELETE}))
    if oci.name != "runc":
        assert got["CapEff"] == 0


def test_ambient_without_inheritable(oci, bundle):
    """Buildah asks for that."""
    said(oci, bundle, ["true"], {"process/capabilities": {"bounding": CAPS, "effective": CAPS, "permitted": CAPS,
                                                          "ambient": CAPS}, "process/user": {"uid": 1000, "gid": 1000}})


def test_capabilities_that_we_have_not(oci, bundle):
    """docker --privileged asks for all."""
    names = [f"CAP_{name}" for name in (
        "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
        "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
        "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
        "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE").split()]
    got = caps_in(said(oci, bundle, ["cat", "/proc/self/status"],
                       {"process/capabilities": {kind: names for kind in SETS[:3]}}))
    ours = caps_in(machine.read("/proc/self/status"))["CapPrm"]
    assert got["CapEff"] == ours & ((1 << 41) - 1)


def test_no_new_privileges(oci, bundle):
    for value in (True, False):
        status = said(oci, bundle, ["cat", "/proc/self/status"], {"process/noNewPrivileges": value})
        assert f"NoNewPrivs:\t{int(value)}" in status


# ---- process: limits ----

@pytest.mark.parametrize("kind, line", [
    ("RLIMIT_NOFILE", "Max open files"), ("RLIMIT_CORE", "Max core file size"), ("RLIMIT_CPU", "Max cpu time"),
    ("RLIMIT_DATA", "Max data size"), ("RLIMIT_FSIZE", "Max file size"), ("RLIMIT_LOCKS", "Max file locks"),
    ("RLIMIT_MEMLOCK", "Max locked memory"), ("RLIMIT_MSGQUEUE", "Max msgqueue size"), ("RLIMIT_NPROC", "Max processes"),
    ("RLIMIT_SIGPENDING", "Max pending signals"), ("RLIMIT_STACK", "Max stack size"), ("RLIMIT_RTTIME", "Max realtime timeout")])
def test_rlimits(oci, bundle, kind, line):
    soft, hard = {"RLIMIT_DATA": (1 << 30, 1 << 31), "RLIMIT_STACK": (8 << 20, 16 << 20), "RLIMIT_FSIZE": (1 << 30, 1 << 31),
                  }.get(kind, (123, 456))
    limits = said(oci, bundle, ["cat", "/proc/self/limits"], {
        "process/rlimits": [{"type": kind, "soft": soft, "hard": hard}]})
    got = next(text for text in limits.splitlines() if text.startswith(line))
    assert got[len(line):].split()[:2] == [str(soft), str(hard)]


def test_an_infinite_rlimit(oci, bundle):
    """RLIM_INFINITY in JSON is 18446744073709551615: a double can't hold it."""
    limits = said(oci, bundle, ["cat", "/proc/self/limits"], {
        "process/rlimits": [{"type": "RLIMIT_CORE", "soft": 2**64 - 1, "hard": 2**64 - 1}]})
    assert "unlimited" in next(line for line in limits.splitlines() if line.startswith("Max core"))


@pytest.mark.parametrize("value", [1000, 500])
def test_oom_score_adj(oci, bundle, value):
    assert said(oci, bundle, ["cat", "/proc/self/oom_score_adj"], {"process/oomScoreAdj": value}) == str(value)


# ---- root ----

@pytest.mark.parametrize("readonly", [True, False])
def test_root_readonly(oci, bundle, readonly):
    result = oci.run(bundle("touch /made", {"root/readonly": readonly}))
    assert (result.status == 0) is not readonly
    if readonly:
        assert "Read-only file system" in result.err


def test_an_absolute_root(oci, bundle):
    b = bundle("cat /etc/mark")
    b.file("/etc/mark", "here\n")
    b.config["root"]["path"] = b.rootfs
    assert oci.run(b).ok() == "here"


def test_a_root_that_is_a_link(oci, bundle):
    b = bundle("cat /etc/mark", {"root/path": "link"})
    b.file("/etc/mark", "here\n")
    os.symlink("rootfs", os.path.join(b.path, "link"))
    assert oci.run(b).ok() == "here"


def test_the_hosts_root_is_out_of_reach(oci, bundle):
    assert said(oci, bundle, "ls /proc/1/root/; cd ..; cd ..; ls") == said(oci, bundle, "ls /; ls /")


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
    assert c.wait() == 137
    c.until("stopped")
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


# ---- devices ----

def test_default_devices(oci, bundle):
    text = said(oci, bundle, "cd /dev; for d in null zero full random urandom tty; do stat -c '%n %F %t:%T %a' $d; done; "
                             "for l in fd stdin stdout stderr ptmx; do readlink $l; done")
    rows = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9", "tty": "5:0"}
    lines = text.splitlines()
    for name, numbers in rows.items():
        assert f"{name} character special file {numbers} 666" in lines
    assert lines[-5:] == ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "pts/ptmx"]


@pytest.mark.parametrize("device, shown", [
    ({"path": "/dev/mine", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 5, "gid": 6}, "character special file 1:3 640 5 6"),
    ({"path": "/dev/sub/dir/mine", "type": "c", "major": 1, "minor": 5}, None),
    ({"path": "/dev/block", "type": "b", "major": 7, "minor": 9, "fileMode": 0o600}, "block special file 7:9 600 0 0"),
    ({"path": "/dev/pipe", "type": "p", "fileMode": 0o622}, "fifo 0:0 622 0 0"),
    ({"path": "/dev/u", "type": "u", "major": 1, "minor": 7, "fileMode": 0o666}, "character special file 1:7 666 0 0"),
])
def test_devices(oci, bundle, device, shown):
    out = said(oci, bundle, ["stat", "-c", "%F %t:%T %a %u %g", device["path"]], {"linux/devices": [device]})
    assert out == shown or shown is None and out.startswith("character special file 1:5")


def other_device():
    """(major, minor) of a character device that root can open and that no runtime allows unasked."""
    for path in ("/dev/loop-control", "/dev/fuse", "/dev/kmsg"):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        except OSError:
            continue
        number = os.stat(path).st_rdev
        return os.major(number), os.minor(number)
    pytest.skip("no device here to try it with")


@pytest.mark.parametrize("access, allowed", [("rwm", True), ("rw", True), ("r", False), ("m", False), (None, False)])
def test_a_device_that_the_cgroup_allows(oci, bundle, access, allowed):
    major, minor = other_device()
    device = {"path": "/dev/other", "type": "c", "major": major, "minor": minor, "fileMode": 0o666}
    rules = [{"allow": False, "access": "rwm"}]
    if access:
        rules.append({"allow": True, "type": "c", "major": major, "minor": minor, "access": access})
    result = oci.run(bundle("exec 3<>/dev/other", {"linux/devices": [device], "linux/resources/devices": rules}))
    assert ("Operation not permitted" not in result.err) is allowed, f"{result}"


def test_a_device_that_is_denied_after_all_was_allowed(oci, bundle):
    """Docker's order: the last rule wins."""
    major, minor = other_device()
    device = {"path": "/dev/other", "type": "c", "major": major, "minor": minor, "fileMode": 0o666}
    rules = [{"allow": True, "access": "rwm"}, {"allow": False, "type": "c", "major": major, "minor": minor, "access": "rwm"}]
    result = oci.run(bundle("exec 3<>/dev/other", {"linux/devices": [device], "linux/resources/devices": rules}))
    assert "Operation not permitted" in result.err, f"{result}"


def test_the_defaults_can_be_used(oci, bundle):
    assert said(oci, bundle, "echo x > /dev/null; head -c 3 /dev/urandom | wc -c; head -c 2 /dev/zero | wc -c; "
                             "echo x 2>/dev/null > /dev/full || echo full") == "3\n2\nfull"


# ---- paths ----

def test_masked_paths(oci, bundle):
    b = bundle("cat /etc/secret; ls -a /etc/private; echo; cat /proc/kcore /proc/keys | wc -c",
               {"linux/maskedPaths": ["/etc/secret", "/etc/private", "/not/there", "/proc/kcore", "/proc/keys"]})
    b.file("/etc/secret", "secret")
    b.file("/etc/private/inner", "secret")
    assert oci.run(b).ok().split() == [".", "..", "0"]


def test_masks_can_not_be_written(oci, bundle):
    b = bundle("touch /etc/private/x; echo x > /etc/private/inner", {
        "linux/maskedPaths": ["/etc/private"], "root/readonly": False})
    b.file("/etc/private/inner", "secret")
    assert oci.run(b).status != 0
    assert b.read("/etc/private/inner") == "secret"


def test_readonly_paths(oci, bundle):
    b = bundle("touch /etc/kept/x || touch /etc/free; echo x > /etc/kept/inner; echo 1 > /proc/sys/kernel/msgmax; "
               "cat /etc/kept/inner", {"linux/readonlyPaths": ["/etc/kept", "/not/there", "/proc/sys"], "root/readonly": False})
    b.file("/etc/kept/inner", "kept\n")
    result = oci.run(b)
    assert result.out == "kept\n"
    assert result.err.count("Read-only file system") == 3
    assert os.path.exists(f"{b.rootfs}/etc/free")


def test_no_masks_at_all(oci, bundle):
    assert said(oci, bundle, "test -r /proc/keys && cat /proc/keys > /dev/null; echo fine", {
        "linux/maskedPaths": DELETE, "linux/readonlyPaths": DELETE}) == "fine"


# ---- cgroups ----

@pytest.mark.parametrize("path", ["/{}", "/deep/er/{}", "{}", "/../../{}", "/a/../{}"])
def test_where_its_cgroup_is(oci, bundle, path):
    name = unique("cg")
    c = oci.running(bundle(READY, {"linux/cgroupsPath": path.format(name)}))
    for controller in ("pids", "memory"):
        where = c.cgroup(controller)
        if where:
            assert where.endswith(f"/{name}") and where.startswith("/sys/fs/cgroup/")
    c.delete("--force").ok()
    for where, dirs, _ in os.walk("/sys/fs/cgroup"):
        assert name not in dirs, where


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


# ---- seccomp ----

def errno_of(names, **more):
    return {"linux/seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
                              "syscalls": [{"names": names, "action": "SCMP_ACT_ERRNO", **more}]}}


def test_seccomp(oci, bundle):
    result = oci.run(bundle("mkdir /tmp/x; grep Seccomp: /proc/self/status", {
        **errno_of(["mkdir", "mkdirat"], errnoRet=17), "root/readonly": False}))
    assert "File exists" in result.err and "Seccomp:\t2" in result.out


def test_seccomp_with_arguments(oci, bundle):
    edits = errno_of(["kill"], args=[{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}])
    assert said(oci, bundle, "trap : USR1 USR2; kill -USR1 $$ 2>/dev/null || echo refused; kill -USR2 $$ && echo allowed",
                edits) == "refused\nallowed"


def test_seccomp_with_unknown_names(oci, bundle):
    """A profile is for more kernels than this."""
    assert said(oci, bundle, "echo fine", errno_of(["no_such_call", "mkdir"])) == "fine"


def test_no_seccomp(oci, bundle):
    assert "Seccomp:\t0" in said(oci, bundle, ["cat", "/proc/self/status"])


# ---- the program's own surroundings ----

def test_signals_are_as_they_should_be(oci, bundle):
    b = bundle(["grep", "Sig", "/proc/self/status"])
    c = oci.container(b)
    b.write()
    c.touched = True
    argv = ["sh", "-c", 'trap "" HUP USR1 CHLD PIPE; exec "$@"', "sh", oci.binary, "--root", oci.root, "run", "-b", b.path, c.id]
    text = oci.start(argv).result().ok()
    masks = {line.split(":")[0]: int(line.split()[1], 16) for line in text.splitlines() if ":\t" in line and "SigQ" not in line}
    assert masks["SigBlk"] == 0
    if oci.is_ours:
        assert masks["SigIgn"] == 0


def test_it_leads_a_session(oci, bundle):
    fields = said(oci, bundle, ["cat", "/proc/self/stat"]).split()
    assert fields[0] == fields[5] == "1" or fields[5] == fields[4]


def test_nothing_of_the_runtime_is_seen(oci, bundle):
    """Its binary, its directory and its mounts."""
    b = bundle("cat /proc/self/mountinfo; ls -l /proc/self/exe; ls -l /proc/1/cwd")
    out = oci.run(b).ok()
    assert oci.root not in out
    assert b.path not in " ".join(line.split()[4] for line in out.splitlines() if line.count(" ") > 8)


def test_unknown_members_are_ignored(oci, bundle):
    assert said(oci, bundle, "echo fine", {"zzz": 1, "process/zzz": {"a": []}, "linux/zzz": None, "root/zzz": "x",
                                           "linux/resources/zzz": True, "mounts/0/zzz": 5, "vm": {"kernel": {"path": "/x"}}}) == "fine"


def test_the_least_config_there_is(oci, bundle):
    b = bundle()
    b.config = {"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "process": {
        "args": ["/bin/echo", "fine"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
                "linux": {"namespaces": [{"type": "mount"}]}}
    assert oci.run(b).ok() == "fine"


def test_a_large_config(oci, bundle):
    annotations = {f"org.example.{number}": "x" * 500 for number in range(1000)}
    c = oci.container(bundle("true", {"annotations": annotations}))
    c.create().ok()
    assert annotations.items() <= c.state()["annotations"].items()


def test_config_with_a_byte_order_of_members_turned_round(oci, bundle):
    """The order of members is nobody's promise."""
    b = bundle("echo fine")
    b.config = dict(reversed(list(default("echo fine").items())))
    assert oci.run(b).ok() == "fine"


def test_mode_of_the_roots_mountpoints(oci, bundle):
    """Missing ones are made as runc makes them."""
    b = bundle("stat -c %a /new/deep", {"root/readonly": False, "mounts/-": {
        "destination": "/new/deep", "type": "tmpfs", "source": "tmpfs", "options": ["mode=711"]}})
    assert oci.run(b).ok() == "711"
    assert stat.S_IMODE(os.stat(f"{b.rootfs}/new").st_mode) == 0o755
