# SPDX-License-Identifier: Apache-2.0
"""What a bundle says about its process beyond ids and capabilities: when and where it runs, what it is asked about, whose
its standard streams are, its keys, and devices of the host's network."""

import array
import ctypes
import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

import machine
from oci import DELETE, READY, process, unique

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_IOPRIO_GET = {"x86_64": 252, "aarch64": 31}[os.uname().machine]
CPUS = sorted(os.sched_getaffinity(0))
NOT_MASKED = {"linux/maskedPaths": DELETE, "linux/readonlyPaths": DELETE}


@pytest.fixture
def ours(oci):
    """For what Debian's runc and crun don't know yet."""
    if not oci.is_ours:
        pytest.skip("newer than this runtime")
    return oci


# ---- scheduling ----

@pytest.mark.parametrize("scheduler, policy, nice", [
    ({"policy": "SCHED_BATCH", "nice": 5}, os.SCHED_BATCH, 5),
    ({"policy": "SCHED_OTHER", "nice": 19}, os.SCHED_OTHER, 19),
    ({"policy": "SCHED_IDLE"}, os.SCHED_IDLE, None),  # the kernel leaves the caller's
    ({"policy": "SCHED_BATCH", "flags": ["SCHED_FLAG_RESET_ON_FORK"]}, os.SCHED_BATCH | os.SCHED_RESET_ON_FORK, 0),
])
def test_scheduler(ours, bundle, scheduler, policy, nice):
    c = ours.running(bundle(READY, {"process/scheduler": scheduler}))
    assert os.sched_getscheduler(c.pid) == policy
    expected = os.getpriority(os.PRIO_PROCESS, 0) if nice is None else nice
    assert os.getpriority(os.PRIO_PROCESS, c.pid) == expected


def test_a_scheduler_for_which_it_takes_a_capability(ours, bundle):
    fifo = {"process/scheduler": {"policy": "SCHED_FIFO", "priority": 10}}
    c = ours.container(bundle(READY, fifo))
    result = c.create()
    if result.status:
        result.failed(1, "sched_setattr", "CAP_SYS_NICE")
        c.delete("--force").ok()
        assert not ours.traces()
    else:
        assert os.sched_getscheduler(c.pid) == os.SCHED_FIFO


def test_the_callers_nice_value_is_not_changed(oci, bundle):
    c = oci.running(bundle(READY))
    assert os.getpriority(os.PRIO_PROCESS, c.pid) == os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.parametrize("asked, value", [
    ({"class": "IOPRIO_CLASS_IDLE", "priority": 0}, 3 << 13),
    ({"class": "IOPRIO_CLASS_BE", "priority": 7}, 2 << 13 | 7),
])
def test_io_priority(ours, bundle, asked, value):
    c = ours.running(bundle(READY, {"process/ioPriority": asked}))
    assert LIBC.syscall(SYS_IOPRIO_GET, 1, c.pid) == value


def test_the_callers_cpus_are_not_the_containers(ours, bundle):
    if len(CPUS) < 2:
        pytest.skip("one CPU")
    ours.prefix = ["taskset", "-c", str(CPUS[0])]
    c = ours.running(bundle(READY))
    assert sorted(os.sched_getaffinity(c.pid)) == CPUS


@pytest.mark.parametrize("asked", [{"initial": "0"}, {"final": str(CPUS[-1])}, {"initial": "0", "final": str(CPUS[-1])}])
def test_cpus_of_exec(ours, bundle, asked):
    c = ours.running(bundle(READY))
    result = c.exec_process(process("grep Cpus_allowed_list /proc/self/status", {"execCPUAffinity": asked}))
    expected = asked.get("final", f"{CPUS[0]}-{CPUS[-1]}" if len(CPUS) > 1 else "0")
    assert result.ok().split()[-1] == expected


def test_cpus_of_exec_are_not_the_first_processs(ours, bundle):
    c = ours.running(bundle(READY, {"process/execCPUAffinity": {"final": str(CPUS[-1])}}))
    assert sorted(os.sched_getaffinity(c.pid)) == CPUS
    assert c.exec("grep", "Cpus_allowed_list", "/proc/self/status").ok().split()[-1] == str(CPUS[-1])


def test_cpus_of_exec_that_are_not_there(ours, bundle):
    c = ours.running(bundle(READY))
    c.exec_process(process("true", {"execCPUAffinity": {"final": "4000"}})).failed(255, "sched_setaffinity")
    c.exec_process(process("true", {"execCPUAffinity": {"initial": "4000"}})).failed(255, "sched_setaffinity")


def test_memory_policy(ours, bundle):
    c = ours.container(bundle(READY, {"linux/memoryPolicy": {"mode": "MPOL_INTERLEAVE", "nodes": "0"}}))
    result = c.create()
    if result.status:  # a kernel without CONFIG_NUMA
        result.failed(1, "set_mempolicy")
        return
    c.start().ok()
    c.until_said("ready")
    machine.wait_until(lambda: "interleave:0" in c.proc("numa_maps"), 5, "the policy")  # while it executes there are none


def test_a_memory_node_that_is_not_there(ours, bundle):
    ours.run(bundle("true", {"linux/memoryPolicy": {"mode": "MPOL_BIND", "nodes": "1000"}})).failed(1, "set_mempolicy")
    assert not ours.traces()


# ---- keys ----

def session_keys(text, name):
    return [line.split()[0] for line in text.splitlines() if f"_ses.{name}" in line]


@pytest.mark.parametrize("no_keyring", [False, True])
def test_a_keyring_that_exec_shares(oci, bundle, no_keyring):
    if not os.path.exists("/proc/keys"):
        pytest.skip("a kernel without keys")
    c = oci.container(bundle("cat /proc/keys; echo ready; exec sleep 1000", NOT_MASKED))
    c.create(*(["--no-new-keyring"] if no_keyring else [])).ok()
    c.start().ok()
    first = session_keys(c.until_said("ready"), c.id)
    second = session_keys(c.exec("cat", "/proc/keys").ok(), c.id)
    assert first == second and len(first) == (0 if no_keyring else 1)


KEYRING_FOR_ALL = """
import ctypes, os, sys
keyctl = lambda *words: ctypes.CDLL(None).syscall({number}, *words)
os.setgid(1000)
os.setuid(1000)
assert keyctl(5, keyctl(1, sys.argv[1].encode()), 0x3f3f3f3f) == 0
print("there", flush=True)
sys.stdin.read()
"""


def test_a_keyring_of_another_users_is_not_shared(ours, bundle):
    """Who guesses the name could put keys into the container, and read its own."""
    if not os.path.exists("/proc/keys"):
        pytest.skip("a kernel without keys")
    c = ours.container(bundle("true"))
    script = KEYRING_FOR_ALL.format(number={"x86_64": 250, "aarch64": 219}[os.uname().machine])
    with subprocess.Popen([sys.executable, "-c", script, f"_ses.{c.id}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"there\n"
        c.run().failed(1, f"_ses.{c.id}", "another user")
        other.stdin.close()
    time.sleep(1)  # the kernel lets it go a little after those who had it, of whom we were one
    assert c.run().ok() == ""


# ---- labels ----

@pytest.mark.parametrize("member", ["apparmorProfile", "selinuxLabel"])
def test_a_label_that_can_not_be_had_is_no_container(ours, bundle, member):
    """Where no security module is at work, or it doesn't know the label."""
    result = ours.run(bundle("echo ran", {f"process/{member}": "no-such:label:for:s0"}))
    result.failed(1, member[:7])
    assert "ran" not in result.out
    assert not ours.traces()


def test_exec_with_a_label_that_can_not_be_had(ours, bundle):
    c = ours.running(bundle(READY))
    result = c.exec_process(process("echo ran", {"apparmorProfile": "no-such-profile"}))
    assert result.status == 255 and "ran" not in result.out and "AppArmor" in result.err, result


APPARMOR = "/sys/module/apparmor/parameters/enabled"
PROFILE = """profile {name} flags=(attach_disconnected,mediate_deleted) {{
  file, capability, network, mount, umount, signal, ptrace, pivot_root,
  deny /tmp/denied w,
}}
"""


@pytest.fixture
def profile(base):
    """A loaded AppArmor profile."""
    if not os.path.exists(APPARMOR) or machine.read(APPARMOR).strip() != "Y" or not shutil.which("apparmor_parser", path=machine.PATH):
        pytest.skip("no AppArmor")
    name, path = unique("nook-profile"), os.path.join(base, unique("profile"))
    with open(path, "w", encoding="ascii") as file:
        file.write(PROFILE.format(name=name))
    subprocess.run(["apparmor_parser", "--replace", "--skip-cache", path], check=True)
    yield name
    subprocess.run(["apparmor_parser", "--remove", path], check=True)


SHOW = "cat /proc/self/attr/current; cd /tmp; echo x >allowed && echo allowed; echo x >denied || echo refused"


@pytest.mark.parametrize("way", ["run", "exec", "exec into a user namespace"])
def test_an_apparmor_profile(oci, bundle, profile, way):
    edits = {"root/readonly": False}
    if way == "run":
        out = oci.run(bundle(SHOW, {**edits, "process/apparmorProfile": profile})).ok()
    else:
        b = bundle(READY, edits)
        if way != "exec":
            b.config["linux"]["namespaces"].append({"type": "user"})
            b.edit({f"linux/{kind}Mappings": [{"containerID": 0, "hostID": 0, "size": 65536}] for kind in ("uid", "gid")})
        out = oci.running(b).exec_process(process(SHOW, {"apparmorProfile": profile})).ok()
    assert out.splitlines() == [f"{profile} (enforce)", "allowed", "refused"]


def test_an_apparmor_profile_that_is_not_loaded(oci, bundle, profile):
    result = oci.run(bundle("echo ran", {"process/apparmorProfile": profile + "-other"}))
    result.failed(1, profile + "-other")
    assert "ran" not in result.out and not oci.traces()


# ---- standard streams ----

def test_pipes_become_the_users(oci, bundle):
    reader, writer = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    owner = os.fstat(null).st_uid
    c = oci.container(bundle("echo hello >/proc/self/fd/1", {"process/user": {"uid": 1000, "gid": 1000}}))
    assert c.create(stdio=[null, writer, null]).status == 0
    c.start().ok()
    assert c.wait() == 0
    os.close(writer)
    with os.fdopen(reader) as out:
        assert out.read() == "hello\n"
        assert os.fstat(reader).st_uid == 1000
    assert os.fstat(null).st_uid == owner
    os.close(null)


# ---- namespaces' own ----

def test_a_cgroup_namespace_shows_its_own_root(oci, bundle):
    c = bundle("cat /proc/self/cgroup")
    c.config["linux"]["namespaces"].append({"type": "cgroup"})
    for line in oci.run(c).lines():
        assert line.endswith(":/"), line


@pytest.mark.parametrize("key, texts", [
    ("net.ipv4.no_such_setting", ("/proc/sys/net/ipv4/no_such_setting",)),
    ("kernel.msgmax", ("kernel/msgmax",)),
])
def test_sysctls_that_can_not_be_set(ours, bundle, key, texts):
    value = "no number" if key == "kernel.msgmax" else "1"
    ours.run(bundle("true", {"linux/sysctl": {key: value}})).failed(1, *texts)
    assert not ours.traces()


# ---- a filter that asks ----

SECCOMP_RECV, SECCOMP_SEND = 0xc0502100, 0xc0182101
NAMES = {"x86_64": {83: "mkdir", 258: "mkdirat"}, "aarch64": {34: "mkdirat"}}[os.uname().machine]


class Agent(threading.Thread):
    """Answers EXDEV to each mkdir; other calls go on. With @count connections it ends."""

    def __init__(self, path, count=1):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen()
        self.states, self.asked, self.count, self.more = [], [], count, []
        self.start()

    def run(self):
        for _ in range(self.count):
            connection, _ = self.socket.accept()
            text, fds = b"", array.array("i")
            while True:
                data, control, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4))
                for _, _, payload in control:
                    fds.frombytes(payload)
                if not data:
                    break
                text += data
            self.states.append((json.loads(text), len(fds)))
            self.more.append(threading.Thread(target=self.answer, args=(fds[0],), daemon=True))
            self.more[-1].start()

    def answer(self, fd):
        while True:
            request = bytearray(80)
            try:
                fcntl.ioctl(fd, SECCOMP_RECV, request)
                number, = struct.unpack_from("i", request, 16)
                self.asked.append(NAMES.get(number, number))
                refuse = number in NAMES
                fcntl.ioctl(fd, SECCOMP_SEND, request[:8] + struct.pack("qiI", 0, -18 if refuse else 0, 0 if refuse else 1))
            except OSError:
                os.close(fd)
                return


@pytest.fixture
def agents(base):
    made = []

    def make(count=1):
        path = os.path.join(base, unique("agent"))
        made.append((path, Agent(path, count)))
        return made[-1]

    yield make
    for path, agent in made:
        agent.socket.close()
        os.unlink(path)


def asking(path, names, **more):
    return {"linux/seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path, "listenerMetadata": "a=b",
                              "syscalls": [{"names": names, "action": "SCMP_ACT_NOTIFY"}], **more}}


MKDIR = "mkdir /tmp/x 2>&1; echo done"


@pytest.mark.parametrize("privileges", [True, False])
def test_a_filter_asks_an_agent(oci, bundle, agents, privileges):
    path, agent = agents()
    b = bundle(MKDIR, {**asking(path, ["mkdir", "mkdirat"]), "process/noNewPrivileges": privileges,
                       "annotations": {"x": "y"}})
    c = oci.created(b)
    agent.join(10)
    (state, fds), = agent.states
    assert fds == 1 and state["fds"] == ["seccompFd"] and state["metadata"] == "a=b"
    assert state["pid"] == state["state"]["pid"] == c.pid
    assert state["state"]["id"] == c.id and state["state"]["status"] == "creating"
    assert state["state"]["bundle"] == b.path and state["state"]["annotations"]["x"] == "y"
    assert state["ociVersion"] == state["state"]["ociVersion"]
    c.start().ok()
    assert c.wait() == 0
    assert "cross-device" in c.out().lower() and "done" in c.out()
    assert set(agent.asked) <= {"mkdir", "mkdirat"} and agent.asked


def test_a_filter_that_asks_about_what_we_do_ourselves(ours, bundle, agents):
    """Whatever passes the descriptor on must not have to ask."""
    names = ["sendmsg", "recvmsg", "close", "wait4", "futex", "execve", "prctl", "capset", "poll", "accept4", "munmap"]
    for privileges in (True, False):
        path, agent = agents()
        edits = {**asking(path, names), "process/noNewPrivileges": privileges}
        assert "done" in ours.run(bundle(MKDIR, edits)).ok()
        assert len(agent.asked) > 5


def test_exec_asks_the_same_agent(ours, bundle, agents):
    path, agent = agents(2)
    c = ours.running(bundle(READY, asking(path, ["mkdir", "mkdirat"])))
    assert "cross-device" in c.exec("sh", "-c", MKDIR).ok().lower()
    agent.join(10)
    (first, _), (second, _) = agent.states
    assert second["state"]["pid"] == first["pid"] and second["pid"] not in (0, first["pid"])
    assert second["state"]["status"] == "running" and second["state"]["bundle"] == first["state"]["bundle"]


def test_an_agent_that_is_not_there(oci, bundle, base):
    oci.run(bundle("true", asking(os.path.join(base, "nobody"), ["mkdir"]))).failed(1, "nobody")
    assert not oci.traces()


def test_a_filter_before_privilege_is_dropped(oci, bundle):
    """Without no_new_privs it takes a capability, which the program need not have."""
    names = ["mkdir", "mkdirat"]
    edits = {"process/noNewPrivileges": False, "process/user": {"uid": 1000, "gid": 1000},
             "process/capabilities": {}, "linux/seccomp": {
                 "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": 18}]}}
    edits["process/capabilities"] = {kind: [] for kind in ("bounding", "effective", "permitted")}
    result = oci.run(bundle("mkdir /tmp/x; grep -E 'Seccomp:|NoNewPrivs|CapEff' /proc/self/status", edits))
    assert "cross-device" in result.err.lower()
    assert re.findall(r"\d+$", result.ok(), re.M)[:3] == ["0000000000000000", "0", "2"]


# ---- network devices ----

@pytest.fixture
def links():
    """Pairs of devices in our own network namespace."""
    if not shutil.which("ip", path=machine.PATH):
        pytest.skip("no ip(8)")
    made = []

    def make():
        name = f"nk{os.getpid() % 100000}{len(made)}"
        if subprocess.run(["ip", "link", "add", name, "type", "veth", "peer", f"{name}p"], capture_output=True).returncode:
            pytest.skip("no veth devices here")
        made.append(name)
        return name

    yield make
    for name in made:
        subprocess.run(["ip", "link", "del", f"{name}p"], capture_output=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def test_a_device_with_its_addresses(ours, bundle, links):
    name = links()
    ip("addr", "add", "192.0.2.7/24", "dev", name)
    ip("addr", "add", "192.0.2.8/24", "dev", name)
    ip("link", "set", name, "mtu", "1400", "up")
    subprocess.run(["ip", "addr", "add", "2001:db8::7/64", "dev", name, "nodad"], capture_output=True)
    has6 = "2001:db8::7" in subprocess.run(["ip", "addr", "show", "dev", name], capture_output=True, text=True).stdout
    out = ours.run(bundle("ip addr show dev eth7", {"linux/netDevices": {name: {"name": "eth7"}}})).ok()
    assert "192.0.2.7/24" in out and "192.0.2.8/24" in out and "mtu 1400" in out
    assert "2001:db8::7/64" in out or not has6
    assert re.search(r"<[^>]*\bUP\b", out)


def test_names_inside(ours, bundle, links):
    one, two = links(), links()
    out = ours.run(bundle("ls /sys/class/net", {"linux/netDevices": {one: {}, two: {"name": "in%d"}}})).ok()
    assert set(out.split()) == {"lo", one, "in0"}


def test_a_name_that_is_taken_moves_nothing(ours, bundle, links):
    one, two = links(), links()
    ours.run(bundle("true", {"linux/netDevices": {one: {"name": "eth0"}, two: {"name": "lo"}}})).failed(1, "lo", two)
    assert os.path.exists(f"/sys/class/net/{one}") and os.path.exists(f"/sys/class/net/{two}")
    ours.run(bundle("true", {"linux/netDevices": {"nosuchdev": {}}})).failed(1, "nosuchdev")
    assert not ours.traces()


@pytest.mark.parametrize("up", [True, False])
def test_a_device_comes_home_when_there_is_no_container(ours, bundle, links, up):
    """Also one that would end with the container's network namespace."""
    one, two = links(), links()
    ip("addr", "add", "192.0.2.7/24", "dev", one)
    ip("link", "set", one, "mtu", "1400", "up" if up else "down")
    before = device(one)
    c = ours.container(bundle(["/no/such/program"], {"linux/netDevices": {one: {"name": "eth0"}, two: {"name": "in%d"}}}))
    c.create().failed(1, "/no/such/program")
    assert device(one) == before
    assert os.path.exists(f"/sys/class/net/{two}")
    assert not ours.traces()


def device(name):
    """What it is told of it, but for its number and how long it is so."""
    text = subprocess.run(["ip", "-o", "-4", "addr", "show", "dev", name], check=True, capture_output=True, text=True).stdout
    flags = subprocess.run(["ip", "-o", "link", "show", "dev", name], check=True, capture_output=True, text=True).stdout
    return re.findall(r"inet .*?global", text), re.search(r"\bUP\b", flags) is not None, re.search(r"mtu \d+", flags)[0]


def test_a_device_into_a_user_namespace(ours, bundle, links):
    name = links()
    b = bundle("ls /sys/class/net", {"linux/netDevices": {name: {"name": "eth0"}},
                                     "linux/uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
                                     "linux/gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}]})
    b.config["linux"]["namespaces"].append({"type": "user"})
    ours.own(b.rootfs) if not ours.account.is_root else None
    assert set(ours.run(b).ok().split()) == {"lo", "eth0"}


# ---- resctrl ----

def test_resctrl_that_is_not_there(ours, bundle):
    if os.path.exists("/sys/fs/resctrl/tasks"):
        pytest.skip("it is there")
    ours.run(bundle("true", {"linux/intelRdt": {"l3CacheSchema": "L3:0=f"}})).failed(1, "resctrl", "intelRdt")
    assert not ours.traces()
