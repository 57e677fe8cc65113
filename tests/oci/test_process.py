# SPDX-License-Identifier: Apache-2.0
"""What config.json says of the process is what the program finds."""

import os

import pytest

import machine
from oci import CAPS, DELETE, caps_in, said

SETS = ["bounding", "effective", "permitted", "inheritable", "ambient"]


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
