# SPDX-License-Identifier: Apache-2.0
"""What is refused leaves nothing: bundles that are wrong in an ordinary way, and users that are none."""

import oci_sweep
import pytest
from oci_harness import COMMANDS, Case, Config


def mount(**row):
    return {"mounts/-": row}


BIND = {"destination": "/mnt", "type": "bind", "options": ["rbind"]}
REFUSED = {
    "a program that isn't there": {"process/args": ["/nowhere"]},
    "a program without a path that isn't there": {"process/args": ["nowhere"]},
    "a program that may not be executed": {"process/args": ["/etc/passwd"]},
    "a directory as the program": {"process/args": ["/etc"]},
    "no arguments": {"process/args": []},
    "a relative directory": {"process/cwd": "etc"},
    "a file as the directory": {"process/cwd": "/etc/passwd/x"},
    "an unknown capability": {"process/capabilities/bounding": ["CAP_NOTHING"]},
    "an unknown limit": {"process/rlimits": [{"type": "RLIMIT_NOTHING", "soft": 1, "hard": 1}]},
    "a limit twice": {"process/rlimits": [{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}] * 2},
    "a soft limit above the hard one": {"process/rlimits": [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]},
    "an OOM score out of range": {"process/oomScoreAdj": 5000},
    "no root": {"root": "@DELETE"},
    "a root that isn't there": {"root/path": "/nowhere"},
    "a file as the root": {"root/path": "/etc/passwd"},
    "an unknown namespace": {"linux/namespaces/-": {"type": "nothing"}},
    "a namespace twice": {"linux/namespaces/-": {"type": "pid"}},
    "a namespace by a path that isn't there": {"linux/namespaces/1": {"type": "network", "path": "/nowhere"}},
    "a namespace by a path that is none": {"linux/namespaces/1": {"type": "network", "path": "/etc/passwd"}},
    "maps without a user namespace": {"linux/uidMappings": oci_sweep.MAPS},
    "a user namespace without maps": {"linux/namespaces/-": {"type": "user"}},
    "maps that overlap": {"linux/namespaces/-": {"type": "user"}, "linux/uidMappings": oci_sweep.MAPS * 2,
                          "linux/gidMappings": oci_sweep.MAPS},
    "a source that isn't there": mount(**BIND, source="/nowhere"),
    "an unknown file system": mount(destination="/mnt", type="nothing", source="nothing"),
    "an unknown option of a file system": mount(destination="/mnt", type="tmpfs", source="tmpfs", options=["nothing=1"]),
    "a mount on /proc/sys": mount(destination="/proc/sys", type="tmpfs", source="tmpfs"),
    "a destination outside": mount(**{**BIND, "destination": "mnt/../../.."}, source="/nowhere"),
    "a file on a directory": mount(**BIND, source="/etc/passwd"),
    "an unknown propagation": {"linux/rootfsPropagation": "nothing"},
    "a sysctl that isn't there": {"linux/sysctl": {"net.ipv4.nothing": "1"}},
    "a sysctl of the host": {"linux/sysctl": {"kernel.panic": "1"}},
    "a value that a sysctl does not take": {"linux/sysctl": {"net.ipv4.ip_forward": "many"}},
    "a bad limit of memory": {"linux/resources/memory": {"limit": 1 << 62, "swap": 1}},
    "a cpuset that isn't there": {"linux/resources/cpu": {"cpus": "4000"}},
    "a device of an unknown type": {"linux/devices": [{"path": "/dev/x", "type": "z", "major": 1, "minor": 3}]},
    "a seccomp action that isn't there": {"linux/seccomp": {"defaultAction": "SCMP_ACT_NOTHING"}},
    "a hook by a relative path": {"hooks/createRuntime": [{"path": "true"}]},
    "a prestart hook that fails": {"hooks/prestart": [{"path": "/bin/false"}]},
    "a createRuntime hook that fails": {"hooks/createRuntime": [{"path": "/bin/false"}]},
    "a createContainer hook that fails": {"hooks/createContainer": [{"path": "/bin/false"}]},
    "a createRuntime hook that isn't there": {"hooks/createRuntime": [{"path": "/nowhere"}]},
    "a createRuntime hook that takes too long": {"hooks/createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "60"],
                                                                         "timeout": 1}]},
}
OF_CREATE = {"a terminal that nobody takes": {"process/terminal": True}}
OF_RUN = {
    "a startContainer hook that fails": {"hooks/startContainer": [{"path": "/bin/false"}]},
    "a poststart hook that fails": {"hooks/poststart": [{"path": "/bin/false"}]},
}
# As --user takes them: all that is no UID[:GID] in decimal.
USERS = ["", ":", "a", "root", "-1", "0x10", "1e3", " 1", "1 ", "+1", "1:", "1:a", "1:-1", ":1", "1:2:3", "4294967295",
         "1:4294967295", "4294967296", "18446744073709551616", "99999999999999999999", "1.0", "1,2", "1:0x1", "\t1", "1\n", "٣",
         "1/2", "nobody:nogroup", "01x", "0:4294967296", "1 :1", "1: 1", "%d", "$UID", "-0", "1:+1"]


@pytest.mark.parametrize("command", ["create", "run"])
def test_ordinary_mistakes(oci_sweeper, command):
    workers = oci_sweeper("root")
    limits = {"linux/resources/pids": {"limit": 50}}
    wrong = {**REFUSED, **(OF_CREATE if command == "create" else OF_RUN)}
    cases = [Case(Config(what, {**limits, **edits}), COMMANDS[command], what, must_fail=True) for what, edits in wrong.items()]
    workers.sweep(f"nook-oci {command}, {len(cases)} ordinary refused configs", cases)


@pytest.mark.parametrize("who", ["root", "user"])
def test_odd_users(oci_sweeper, who):
    workers = oci_sweeper(who)
    plain = oci_sweep.CONFIGS[0]
    cases = [Case(plain, COMMANDS["exec"], f"--user {user!r}", must_fail=True,
                  extra=["exec", "--user", user, "@ID", "echo", "hello"]) for user in USERS]
    workers.sweep(f"nook-oci exec --user, {len(cases)} odd strings: {who}", cases)


@pytest.mark.parametrize("who", ["root"])
def test_good_users(oci_sweeper, who):
    """A number is never a name, and is written in one way only."""
    workers = oci_sweeper(who)
    for user, printed in (("0", "0:0"), ("5", "5:0"), ("5:6", "5:6"), ("4294967294:4294967294", "4294967294:4294967294")):
        case = Case(oci_sweep.CONFIGS[0], COMMANDS["exec of a script"], f"--user {user}",
                    extra=["exec", "--user", user, "@ID", "sh", "-c", "echo $(id -u):$(id -g)"])
        outcome = workers.sweep(f"nook-oci exec --user, good ones: {who}", [case])[0]
        assert outcome.status == 0 and outcome.out == printed + "\n", f"{outcome}\n{outcome.out}"
