# SPDX-License-Identifier: Apache-2.0
"""Bundles: a root file system and a config.json, which a test edits member by member."""

import copy
import json
import os

import machine
import rootfs

DELETE = object()  # as an edit: the member is taken away
CAPS = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

DEFAULT = {  # what `runc spec` writes, without the terminal
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["sh"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": {name: CAPS for name in ("bounding", "effective", "permitted", "ambient")},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": True},
    "hostname": "runc",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
         "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]},
    ],
    "linux": {
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
        "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}


def words(program):
    """A shell script as a text, or the words of a command."""
    return ["sh", "-c", program] if isinstance(program, str) else [str(word) for word in program]


def edit(config, edits):
    """
    Changes members by their path: {"linux/sysctl": {…}, "process/user/uid": 5, "mounts/0/type": DELETE}. Missing
    objects on the way are made; a number is an index into a list, "-" is past its end.
    """
    for path, value in (edits or {}).items():
        *way, last = path.strip("/").split("/")
        here = config
        for name in way:
            here = here[int(name)] if isinstance(here, list) else here.setdefault(name, {})
        if isinstance(here, list):
            if last == "-":
                here.append(value)
            elif value is DELETE:
                del here[int(last)]
            else:
                here[int(last)] = value
        elif value is DELETE:
            here.pop(last, None)
        else:
            here[last] = value
    return config


def default(program="true", edits=None):
    config = copy.deepcopy(DEFAULT)
    config["process"]["args"] = words(program)
    return edit(config, edits)


def process(program, edits=None):
    """A process object, as exec --process takes it."""
    return edit(default(program)["process"], edits)


class Bundle:
    """A directory with config.json and rootfs. Change .config, then write(); `oci` writes it before each use."""

    def __init__(self, path, config):
        self.path = path
        self.config = config
        self.text = None  # written instead of .config: for what is no JSON
        os.mkdir(path, 0o755)
        rootfs.make(self.rootfs, dirs=("dev", "etc", "home", "mnt", "proc", "root", "run", "sys", "tmp", "usr", "var"))

    @property
    def rootfs(self):
        return os.path.join(self.path, "rootfs")

    def edit(self, edits):
        edit(self.config, edits)
        return self

    def file(self, name, text="", mode=0o644):
        """Writes a file into the root file system; return: its path outside."""
        return rootfs.write(os.path.join(self.rootfs, name.lstrip("/")), text, mode)

    def read(self, name):
        return machine.read(os.path.join(self.rootfs, name.lstrip("/")))

    def write(self):
        with open(os.path.join(self.path, "config.json"), "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(json.dumps(self.config) if self.text is None else self.text)
        return self
