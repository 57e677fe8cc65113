# SPDX-License-Identifier: Apache-2.0
"""
Configs that are wrong: each is refused before anything is made, with one clear error that says the place, and leaves
nothing. A second list has what is right in itself but can't be done.
"""

import json
import os

import pytest

from oci import DELETE, default, log_lines, last_error

BIND = {"type": "bind", "source": "/tmp", "options": ["bind"]}
USERNS = {"linux/namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network", "user")]}


def mount(**members):
    return {"mounts/-": {"destination": "/mnt", **members}}


def seccomp(**members):
    return {"linux/seccomp": {"defaultAction": "SCMP_ACT_ALLOW", **members}}


def rlimit(**members):
    return {"process/rlimits": [members]}


def maps(uid, gid=None):
    return {**USERNS, "linux/uidMappings": uid, "linux/gidMappings": gid or [{"containerID": 0, "hostID": 200000, "size": 65536}]}


def resources(**members):
    return {f"linux/resources/{name.replace('_', '/')}": value for name, value in members.items()}


ALL = [{"containerID": 0, "hostID": 100000, "size": 65536}]

# What is wrong → the edits, and the place that the error names: the path of the member or of what has it.
WRONG = {
    # the whole
    "no version": ({"ociVersion": DELETE}, "ociVersion"),
    "a version that is a number": ({"ociVersion": 1}, "/ociVersion"),
    "a version that is none": ({"ociVersion": "one"}, "/ociVersion"),
    "a version to come": ({"ociVersion": "2.0.0"}, "/ociVersion"),
    "no root": ({"root": DELETE}, "root"),
    "a root without a path": ({"root/path": DELETE}, "/root"),
    "an empty root path": ({"root/path": ""}, "/root/path"),
    "a root path that is a number": ({"root/path": 5}, "/root/path"),
    "a root that is a list": ({"root": []}, "/root"),
    "readonly as text": ({"root/readonly": "true"}, "/root/readonly"),
    "readonly as a number": ({"root/readonly": 1}, "/root/readonly"),
    "annotations with a number": ({"annotations": {"a": 5}}, "/annotations/a"),
    "annotations as a list": ({"annotations": ["a"]}, "/annotations"),
    "a hostname that is a number": ({"hostname": 5}, "/hostname"),
    "a hostname of 65 bytes": ({"hostname": "x" * 65}, "hostname"),
    "a hostname without a namespace": ({"linux/namespaces": [{"type": "mount"}]}, "hostname"),
    "a domainname of 65 bytes": ({"domainname": "x" * 65}, "domainname"),
    # process
    "process as text": ({"process": "sh"}, "/process"),
    "no args": ({"process/args": DELETE}, "/process"),
    "empty args": ({"process/args": []}, "/process/args"),
    "args as text": ({"process/args": "sh"}, "/process/args"),
    "args with a number": ({"process/args": ["sh", 5]}, "/process/args/1"),
    "args with null": ({"process/args": ["sh", None]}, "/process/args/1"),
    "args with a NUL": ({"process/args": ["sh", "a\0b"]}, "/process/args/1"),
    "env with a NUL": ({"process/env": ["A=\0"]}, "/process/env/0"),
    "env as an object": ({"process/env": {"A": "b"}}, "/process/env"),
    "env with a number": ({"process/env": ["A=b", 5]}, "/process/env/1"),
    "a relative cwd": ({"process/cwd": "tmp"}, "/process/cwd"),
    "no cwd": ({"process/cwd": DELETE}, "/process"),
    "an empty cwd": ({"process/cwd": ""}, "/process/cwd"),
    "a cwd that is a number": ({"process/cwd": 5}, "/process/cwd"),
    "terminal as text": ({"process/terminal": "no"}, "/process/terminal"),
    "a negative uid": ({"process/user/uid": -1}, "/process/user/uid"),
    "a uid as text": ({"process/user/uid": "0"}, "/process/user/uid"),
    "a uid with a fraction": ({"process/user/uid": 1.5}, "/process/user/uid"),
    "the uid that is none": ({"process/user/uid": 4294967295}, "/process/user/uid"),
    "a uid past 32 bits": ({"process/user/uid": 4294967296}, "/process/user/uid"),
    "the gid that is none": ({"process/user/gid": 4294967295}, "/process/user/gid"),
    "a negative group": ({"process/user/additionalGids": [5, -1]}, "/process/user/additionalGids/1"),
    "groups as text": ({"process/user/additionalGids": "5"}, "/process/user/additionalGids"),
    "a umask past 0777": ({"process/user/umask": 0o1000}, "/process/user/umask"),
    "a negative umask": ({"process/user/umask": -1}, "/process/user/umask"),
    "an unknown capability": ({"process/capabilities/bounding": ["CAP_NOSUCH"]}, "/process/capabilities/bounding/0"),
    "a capability in small letters": ({"process/capabilities/bounding": ["cap_chown"]}, "/process/capabilities/bounding/0"),
    "a capability that is a number": ({"process/capabilities/effective": [5]}, "/process/capabilities/effective/0"),
    "capabilities as a list": ({"process/capabilities": ["CAP_CHOWN"]}, "/process/capabilities"),
    "an unknown rlimit": (rlimit(type="RLIMIT_NOSUCH", soft=1, hard=1), "/process/rlimits/0/type"),
    "an rlimit without a type": (rlimit(soft=1, hard=1), "/process/rlimits/0"),
    "an rlimit twice": ({"process/rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}] * 2}, "/process/rlimits"),
    "a soft limit over the hard one": (rlimit(type="RLIMIT_CORE", soft=2, hard=1), "/process/rlimits/0"),
    "a negative rlimit": (rlimit(type="RLIMIT_CORE", soft=-1, hard=1), "/process/rlimits/0/soft"),
    "an rlimit past 64 bits": (rlimit(type="RLIMIT_CORE", soft=1, hard=2**64), "64 bits"),
    "an rlimit as text": (rlimit(type="RLIMIT_CORE", soft="1", hard=1), "/process/rlimits/0/soft"),
    "an oom score past its end": ({"process/oomScoreAdj": 1001}, "/process/oomScoreAdj"),
    "an oom score as text": ({"process/oomScoreAdj": "5"}, "/process/oomScoreAdj"),
    "noNewPrivileges as a number": ({"process/noNewPrivileges": 1}, "/process/noNewPrivileges"),
    "a scheduler that is none": ({"process/scheduler": {"policy": "SCHED_NOSUCH"}}, "/process/scheduler/policy"),
    "an I/O class that is none": ({"process/ioPriority": {"class": "IOPRIO_X", "priority": 1}}, "/process/ioPriority/class"),
    "an I/O priority past its end": ({"process/ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8}},
                                     "/process/ioPriority/priority"),
    "a console size as text": ({"process/terminal": True, "process/consoleSize": {"height": "5", "width": 5}},
                               "/process/consoleSize/height"),
    # mounts
    "mounts as an object": ({"mounts": {}}, "/mounts"),
    "a mount without a destination": ({"mounts/-": BIND}, "/mounts/7"),
    "a mount as text": ({"mounts/-": "/tmp"}, "/mounts/7"),
    "mount options as text": (mount(type="tmpfs", source="tmpfs", options="ro"), "/mounts/7/options"),
    "a mount option as a number": (mount(type="tmpfs", source="tmpfs", options=["ro", 5]), "/mounts/7/options/1"),
    "a bind mount without a source": (mount(type="bind", options=["bind"]), "/mounts/7"),
    "a volume on /proc": ({"mounts/-": {**BIND, "destination": "/proc/sys"}}, "/proc"),
    "a file system that is none": (mount(type="nosuchfs", source="x"), "nosuchfs"),
    # linux
    "linux as a list": ({"linux": []}, "/linux"),
    "an unknown namespace": ({"linux/namespaces/-": {"type": "nosuch"}}, "/linux/namespaces/5/type"),
    "a namespace without a type": ({"linux/namespaces/-": {}}, "/linux/namespaces/5"),
    "a namespace twice": ({"linux/namespaces/-": {"type": "uts"}}, "/linux/namespaces"),
    "a relative namespace path": ({"linux/namespaces/1": {"type": "network", "path": "ns/net"}}, "/linux/namespaces/1/path"),
    "a namespace path that is not there": ({"linux/namespaces/1": {"type": "network", "path": "/no/such"}},
                                           "/no/such"),
    "a namespace path that is a file": ({"linux/namespaces/1": {"type": "network", "path": "/etc/passwd"}}, "/etc/passwd"),
    "a namespace of another kind": ({"linux/namespaces/1": {"type": "network", "path": "/proc/self/ns/uts"}},
                                    "/proc/self/ns/uts"),
    "maps without a user namespace": ({"linux/uidMappings": ALL}, "uidMappings"),
    "a map of no ids": (maps([{"containerID": 0, "hostID": 100000, "size": 0}]), "/linux/uidMappings/0"),
    "a negative map": (maps([{"containerID": -1, "hostID": 100000, "size": 5}]), "/linux/uidMappings/0/containerID"),
    "a map past the last id": (maps([{"containerID": 0, "hostID": 4294967290, "size": 65536}]), "/linux/uidMappings/0"),
    "maps that overlap": (maps(ALL + [{"containerID": 5, "hostID": 300000, "size": 5}]), "/linux/uidMappings"),
    "a user without an id": ({**maps(ALL), "process/user": {"uid": 70000, "gid": 0}}, "/process/user"),
    "time offsets without a namespace": ({"linux/timeOffsets": {"monotonic": {"secs": 5}}}, "timeOffsets"),
    "a time offset of no clock": ({"linux/timeOffsets": {"realtime": {"secs": 5}}, "linux/namespaces/-": {"type": "time"}},
                                  "/linux/timeOffsets"),
    "nanoseconds past a second": ({"linux/timeOffsets": {"monotonic": {"secs": 5, "nanosecs": 1000000000}},
                                   "linux/namespaces/-": {"type": "time"}}, "/linux/timeOffsets/monotonic/nanosecs"),
    "a device of no type": ({"linux/devices": [{"path": "/dev/x", "type": "z", "major": 1, "minor": 3}]}, "/linux/devices/0/type"),
    "a device without a path": ({"linux/devices": [{"type": "c", "major": 1, "minor": 3}]}, "/linux/devices/0"),
    "a relative device path": ({"linux/devices": [{"path": "x", "type": "c", "major": 1, "minor": 3}]}, "/linux/devices/0/path"),
    "a device whose number is text": ({"linux/devices": [{"path": "/dev/x", "type": "c", "major": "1", "minor": 3}]},
                                      "/linux/devices/0/major"),
    "a device rule of no type": (resources(devices=[{"allow": True, "type": "z", "access": "r"}]),
                                 "/linux/resources/devices/0/type"),
    "a device rule's access": (resources(devices=[{"allow": True, "type": "c", "access": "rwx"}]),
                               "/linux/resources/devices/0/access"),
    "a device rule without allow": (resources(devices=[{"type": "c", "access": "r"}]), "/linux/resources/devices/0"),
    "a memory limit as text": (resources(memory_limit="5"), "/linux/resources/memory/limit"),
    "a memory limit with a fraction": (resources(memory_limit=1.5), "/linux/resources/memory/limit"),
    "swap below memory": (resources(memory={"limit": 1 << 26, "swap": 1 << 25}), "/linux/resources/memory"),
    "swappiness past 100": (resources(memory_swappiness=101), "/linux/resources/memory/swappiness"),
    "cpu shares as text": (resources(cpu_shares="5"), "/linux/resources/cpu/shares"),
    "a negative cpu period": (resources(cpu={"period": -5}), "/linux/resources/cpu/period"),
    "cpus that are none": (resources(cpu={"cpus": "a-b"}), "/linux/resources/cpu/cpus"),
    "a weight past its end": (resources(blockIO={"weight": 5000}), "/linux/resources/blockIO/weight"),
    "a pids limit as text": (resources(pids={"limit": "5"}), "/linux/resources/pids/limit"),
    "a huge page size that is none": (resources(hugepageLimits=[{"pageSize": "../x", "limit": 5}]),
                                      "/linux/resources/hugepageLimits/0/pageSize"),
    "a unified name with a slash": (resources(unified={"../memory.max": "5"}), "/linux/resources/unified"),
    "a cgroup path that is a number": ({"linux/cgroupsPath": 5}, "/linux/cgroupsPath"),
    "a propagation that is none": ({"linux/rootfsPropagation": "nosuch"}, "/linux/rootfsPropagation"),
    "masked paths as text": ({"linux/maskedPaths": "/proc/kcore"}, "/linux/maskedPaths"),
    "a relative masked path": ({"linux/maskedPaths": ["proc/kcore"]}, "/linux/maskedPaths/0"),
    "a relative read-only path": ({"linux/readonlyPaths": ["proc/sys"]}, "/linux/readonlyPaths/0"),
    "a sysctl that is a number": ({"linux/sysctl": {"kernel.msgmax": 5}}, "/linux/sysctl"),
    "a sysctl of the host's": ({"linux/sysctl": {"kernel.panic": "1"}}, "kernel.panic"),
    "a sysctl of the host's by dots": ({"linux/sysctl": {"net.../kernel/panic": "1"}}, "panic"),
    "a sysctl of the network without one": ({"linux/namespaces": [{"type": "mount"}, {"type": "uts"}],
                                             "linux/sysctl": {"net.ipv4.ip_forward": "0"}}, "net.ipv4.ip_forward"),
    "a personality that is none": ({"linux/personality": {"domain": "LINUX99"}}, "/linux/personality/domain"),
    # seccomp
    "no default action": ({"linux/seccomp": {"syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}}, "/linux/seccomp"),
    "a default action that is none": (seccomp(defaultAction="SCMP_ACT_NOSUCH"), "/linux/seccomp/defaultAction"),
    "an action that is none": (seccomp(syscalls=[{"names": ["mkdir"], "action": "X"}]), "/linux/seccomp/syscalls/0/action"),
    "a rule without names": (seccomp(syscalls=[{"action": "SCMP_ACT_ERRNO"}]), "/linux/seccomp/syscalls/0"),
    "names as text": (seccomp(syscalls=[{"names": "mkdir", "action": "SCMP_ACT_ERRNO"}]), "/linux/seccomp/syscalls/0/names"),
    "an architecture that is none": (seccomp(architectures=["SCMP_ARCH_NOSUCH"]), "/linux/seccomp/architectures/0"),
    "a seccomp flag that is none": (seccomp(flags=["NOSUCH"]), "/linux/seccomp/flags/0"),
    "an operator that is none": (seccomp(syscalls=[{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": [
        {"index": 0, "value": 1, "op": "X"}]}]), "/linux/seccomp/syscalls/0/args/0/op"),
    "a seventh argument": (seccomp(syscalls=[{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": [
        {"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]), "/linux/seccomp/syscalls/0/args/0/index"),
    # hooks
    "hooks as a list": ({"hooks": []}, "/hooks"),
    "a hook without a path": ({"hooks": {"prestart": [{"args": ["x"]}]}}, "/hooks/prestart/0"),
    "a relative hook": ({"hooks": {"createRuntime": [{"path": "bin/x"}]}}, "/hooks/createRuntime/0/path"),
    "a hook without time": ({"hooks": {"poststart": [{"path": "/bin/true", "timeout": 0}]}}, "/hooks/poststart/0/timeout"),
    "a hook's time as text": ({"hooks": {"poststop": [{"path": "/bin/true", "timeout": "5"}]}}, "/hooks/poststop/0/timeout"),
}

# Texts that are no config at all.
TEXTS = {
    "empty": "", "no object": "[]", "null": "null", "a number": "5", "cut": '{"ociVersion": "1.0.2", "process": {',
    "a trailing comma": '{"ociVersion": "1.0.2",}', "something after it": None, "a NUL": "\0", "deep": "[" * 20000,
    "deep inside": '{"a":' * 2000 + "1" + "}" * 2000, "no UTF-8": '{"ociVersion": "\udcff\udcfe"}', "one quote": '"',
    "a comment": '// x\n{}', "single quotes": "{'ociVersion': '1.0.2'}", "NaN": '{"ociVersion": NaN}',
}


def refused(oci, made, place=""):
    """create fails with one error of one line, in the log as well; nothing is there, and nothing was."""
    log = os.path.join(oci.scratch(), "log")
    c = oci.container(made)
    c.touched = True
    made.write()
    before = os.listdir(made.path)
    result = oci.cmd("--log", log, "--log-format", "json", "create", "--bundle", made.path, c.id, timeout=10)
    error = result.failed(1)
    traces = oci.traces()
    assert not traces, traces
    assert sorted(os.listdir(made.path)) == sorted(before)
    if oci.is_ours:
        assert place in error, f"{place!r} is not in the error\n{result}"
        assert place in last_error(log)
        assert len([line for line in log_lines(log) if line["level"] == "error"]) == 1
        assert len(error) < 2000
        assert not [letter for letter in error if ord(letter) < 32 and letter != "\n"]
    assert oci.cmd("state", c.id).status == 1
    return error


@pytest.mark.parametrize("what", WRONG)
def test_wrong(oci, bundle, what):
    edits, place = WRONG[what]
    if not oci.is_ours:
        made = bundle("true", edits).write()
        c = oci.container(made)
        c.touched = True
        oci.cmd("create", "--bundle", made.path, c.id, timeout=10)
        pytest.skip("no two runtimes refuse the same")
    refused(oci, bundle("true", edits), place)


@pytest.mark.parametrize("what", TEXTS)
def test_texts_that_are_no_config(oci, bundle, what):
    made = bundle("true")
    made.text = TEXTS[what]
    if made.text is None:
        made.text = json.dumps(default("true")) + "{}"
    if oci.name == "runc" and what == "something after it":
        pytest.skip("runc reads the first object alone")
    refused(oci, made)


def test_a_config_that_is_too_large(oci, bundle, ours):
    made = bundle("true")
    made.text = json.dumps(default("true"))[:-1] + ', "annotations": {"a": "' + "x" * (64 << 20) + '"}}'
    refused(oci, made)


@pytest.mark.parametrize("kind", ["none", "a directory", "a fifo", "a link to nothing"])
def test_no_config_file(oci, bundle, kind):
    made = bundle("true")
    path = os.path.join(made.path, "config.json")
    made.write = lambda: made
    if kind == "a directory":
        os.mkdir(path)
    if kind == "a fifo":
        if not oci.is_ours:
            pytest.skip("hangs")
        os.mkfifo(path)
    if kind == "a link to nothing":
        os.symlink("/no/such/config", path)
    refused(oci, made, "config.json")


def test_no_bundle(oci):
    oci.cmd("create", "--bundle", "/no/such/bundle", "some-id").failed(1, "no such file or directory")


@pytest.mark.parametrize("path", ["nosuch", "config.json", "../../../../../../../../etc/passwd"])
def test_roots_that_are_none(oci, bundle, path):
    refused(oci, bundle("true", {"root/path": path}), "root")


# What is right in itself, but fails on the way: everything that was made by then is taken back.
FAILS = {
    "a source that is not there": mount(type="bind", source="/no/such/source", options=["bind"]),
    "a file on a directory": mount(type="bind", source="/etc/passwd", options=["bind"]),
    "a mount option that the file system does not know": mount(type="tmpfs", source="tmpfs", options=["nosuchoption=5"]),
    "a size that is none": mount(type="tmpfs", source="tmpfs", options=["size=x"]),
    "an overlay without layers": mount(type="overlay", source="overlay", options=["lowerdir=/no/such"]),
    "a program that is not there": {"process/args": ["/no/such/program"]},
    "a hook that fails": {"hooks": {"prestart": [{"path": "/bin/false"}]}},
    "a hook that is not there": {"hooks": {"createRuntime": [{"path": "/no/such/hook"}]}},
    "a hook inside that fails": {"hooks": {"createContainer": [{"path": "/bin/false"}]}},
    "a hook that takes too long": {"hooks": {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}]}},
    "a sysctl with a wrong value": {"linux/sysctl": {"kernel.msgmax": "many"}},
    "a sysctl that is not there": {"linux/sysctl": {"net.ipv4.nosuch": "1"}},
    "an rlimit that we can't have": rlimit(type="RLIMIT_NOFILE", soft=1 << 40, hard=1 << 40),
    "an oom score that we can't have": {"process/oomScoreAdj": -1000},
    "a cpu that is not there": resources(cpu={"cpus": "900"}),
    "a cwd below a file": {"process/cwd": "/etc/passwd/x"},
    "a device in a file's place": {"linux/devices": [{"path": "/etc/passwd/x", "type": "c", "major": 1, "minor": 3}]},
}


@pytest.mark.parametrize("what", FAILS)
def test_fails_and_leaves_nothing(oci, bundle, what):
    made = bundle("true", FAILS[what])
    c = oci.container(made)
    result = c.create()
    if result.status == 0 and not oci.is_ours:
        pytest.skip("this runtime finds no fault with it")
    if "we can't have" in what and result.status == 0:
        pytest.skip("we can, here")
    result.failed(1)
    left = oci.traces()
    if oci.name != "crun":
        assert not left, left
    run = oci.run(bundle("true", FAILS[what]))
    assert run.status == 1, f"{run}"
    if oci.is_ours:
        assert not oci.traces()
