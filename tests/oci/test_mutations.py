# SPDX-License-Identifier: Apache-2.0
"""
Each member of a rich config.json is taken away or becomes something else, and the runtime says what it would do: it does, or
it refuses with a reason. Nothing is made; `run` of the same is what test_refused.py looks at.
"""

import copy
import json
import os
import subprocess

import machine
import oci as harness
import pytest

HOOK = {"path": "/bin/true", "args": ["true"], "env": ["A=b"], "timeout": 3}
RICH = {
    "annotations": {"a": "b"},
    "hooks": {kind: [HOOK] for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")},
    "process/oomScoreAdj": 10,
    "process/user": {"uid": 5, "gid": 5, "umask": 18, "additionalGids": [6]},
    "process/consoleSize": {"height": 1, "width": 2},
    "process/scheduler": {"policy": "SCHED_OTHER", "nice": 1},
    "process/ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
    "process/execCPUAffinity": {"initial": "0", "final": "0-1"},
    "mounts/-": {"destination": "/x", "type": "bind", "source": "/usr", "options": ["rbind", "rro", "rslave"]},
    "linux/namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup", "user", "time")],
    "linux/uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
    "linux/gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
    "linux/timeOffsets": {"boottime": {"secs": 1, "nanosecs": 1}},
    "linux/cgroupsPath": "/nook-mutations",
    "linux/sysctl": {"net.ipv4.ip_forward": "1"},
    "linux/devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438, "uid": 0, "gid": 0}],
    "linux/rootfsPropagation": "rprivate",
    "linux/personality": {"domain": "LINUX"},
    "linux/netDevices": {"eth0": {"name": "eth1"}},
    "linux/seccomp": {
        "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "flags": ["SECCOMP_FILTER_FLAG_LOG"],
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
                      "args": [{"index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]}]},
    "linux/resources": {
        "devices": [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rw"}],
        "memory": {"limit": 1 << 28, "swap": 1 << 29, "swappiness": 5}, "pids": {"limit": 100},
        "cpu": {"shares": 512, "quota": 10000, "period": 100000, "cpus": "0", "mems": "0"},
        "hugepageLimits": [{"pageSize": "2MB", "limit": 0}],
        "blockIO": {"weight": 100, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1000}]}},
}
OTHERS = [harness.DELETE, None, [], {}, -1, 2 ** 64 - 1, "", "x/../..", [None], True]


def places(value, way=()):
    if way:
        yield way
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, way + (key,))


def mutate(config, way, other):
    config = copy.deepcopy(config)
    here = config
    for key in way[:-1]:
        here = here[key]
    if other is harness.DELETE:
        del here[way[-1]]
    else:
        here[way[-1]] = other
    return config


def test_the_rich_config_is_right(oci, bundle, ours):
    assert "clone3(" in oci.cmd("create", "--plan", "--bundle", bundle("true", RICH).write().path, "x").ok()


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: "deleted" if other is harness.DELETE else json.dumps(other))
def test_every_member(oci, bundle, ours, other):
    b = bundle("true", RICH)
    argv = [oci.binary, "--root", oci.root, "create", "--plan", "--bundle", b.path, "x"]
    for way in places(b.config):
        with open(f"{b.path}/config.json", "w", encoding="utf-8") as file:
            json.dump(mutate(b.config, way, other), file)
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20 * machine.PATIENCE, check=False)
        place = "/" + "/".join(map(str, way))
        assert done.returncode in (0, 1), f"{place}: {done}"
        assert bool(done.stderr) == bool(done.returncode) or b"level=warning" in done.stderr, f"{place}: {done}"
        assert b"Sanitizer" not in done.stderr and b"runtime error" not in done.stderr, f"{place}: {done}"
    assert not os.listdir(oci.root)
