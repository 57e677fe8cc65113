# SPDX-License-Identifier: Apache-2.0
"""
config.json as Podman, Buildah, containerd, CRI and Docker wrote them (tests/data/bundles), run with what is the engine's
put in its place: the root file system, sources of mounts, namespaces by path, ids of cgroups; without hooks of the
engine's own programs.
"""

import glob
import json
import os

import pytest

import machine
from oci import REPOSITORY, unique

FILES = sorted(glob.glob(f"{REPOSITORY}/tests/data/bundles/*.json"))
# every-member.json is for plans: no machine has all that it asks for
NAMES = [name for name in (os.path.basename(path)[:-len(".json")] for path in FILES) if name != "every-member"]
NAMESPACES = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt", "user": "user", "cgroup": "cgroup"}

# What the program prints, where its config says it all; the others print "ready".
SCRIPT = ("cat /proc/self/status | grep -E 'Cap|NoNew|Seccomp:|Uid|Gid|Groups'; pwd; umask; cat /proc/self/oom_score_adj; "
          "touch /x 2>/dev/null && echo writable; hostname; cat /proc/self/mountinfo | cut -d' ' -f5 | sort; echo ready; "
          "exec sleep 1000")


def hard_limits():
    """What we may have at most; an engine looks at that too."""
    found = {}
    for line in machine.read("/proc/self/limits").splitlines()[1:]:
        words = line[26:].split()
        found[line[:26].strip()] = None if words[1] == "unlimited" else int(words[1])
    return {"RLIMIT_NOFILE": found["Max open files"], "RLIMIT_NPROC": found["Max processes"]}


@pytest.fixture
def adapted(oci, bundle, fd_socket):
    """A function: a bundle of a sample, and the options of create."""
    def make(name):
        with open(f"{REPOSITORY}/tests/data/bundles/{name}.json", encoding="utf-8") as file:
            config = json.load(file)
        made = bundle("true")
        config["root"]["path"] = made.rootfs
        config["process"]["args"] = ["/bin/sh", "-c", SCRIPT]
        config["process"].setdefault("env", [])
        config["process"]["env"] = [word for word in config["process"]["env"] if not word.startswith("PATH=")] + ["PATH=/bin"]
        for limit in config["process"].get("rlimits") or []:
            most = hard_limits().get(limit["type"])
            if most is not None:
                limit["hard"], limit["soft"] = min(limit["hard"], most), min(limit["soft"], most)
        if config["linux"].get("cgroupsPath"):
            config["linux"]["cgroupsPath"] = f"/{unique('sample')}"
        config.pop("hooks", None)
        for mount in config["mounts"]:
            source(oci, mount)
        for namespace in config["linux"]["namespaces"]:
            if "path" in namespace:
                namespace["path"] = f"/proc/self/ns/{NAMESPACES[namespace['type']]}"
        if any(namespace.get("path") and namespace["type"] in ("uts", "network") for namespace in config["linux"]["namespaces"]):
            config["linux"].pop("sysctl", None)  # would be this machine's own
            if any(each.get("path") and each["type"] == "uts" for each in config["linux"]["namespaces"]):
                config.pop("hostname", None)
        config["linux"]["devices"] = [
            device for device in config["linux"].get("devices") or [] if os.path.exists(device["path"])]
        made.config = config
        if any(each["type"] == "user" for each in config["linux"]["namespaces"]):
            give(made.rootfs, config["linux"])
        options = []
        if config["process"].get("terminal"):
            options = ["--console-socket", fd_socket().path]
        return made, options
    return make


def is_bind(mount):
    return mount.get("type") == "bind" or {"bind", "rbind"} & set(mount.get("options") or [])


def give(path, maps):
    """An engine's root file system belongs to the container's root."""
    first = [next((each["hostID"] for each in maps.get(name) or [] if each["containerID"] == 0), 0)
             for name in ("uidMappings", "gidMappings")]
    for where, dirs, files in os.walk(path):
        for each in [".", *dirs, *files]:
            os.lchown(os.path.join(where, each), *first)


def source(oci, mount):
    """An engine's files become ours; what a kernel or the image gives stays."""
    if mount.get("type") == "overlay":
        lower, upper, work = (oci.scratch() for _ in range(3))
        mount["options"] = [f"lowerdir={lower}", f"upperdir={upper}", f"workdir={work}"]
        mount["source"] = "overlay"
    elif is_bind(mount) and not mount["source"].startswith(("/dev/", "/proc", "/sys")):
        inside = mount["destination"]
        is_file = inside.startswith("/etc/") or inside.endswith(("containerenv", "docker-init"))
        mount["source"] = os.path.join(oci.scratch(), "file") if is_file else oci.scratch()
        if is_file:
            with open(mount["source"], "w", encoding="utf-8") as file:
                file.write(f"of {inside}\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_sample(oci, adapted, name):
    made, options = adapted(name)
    if not options:
        c = oci.running(made, *options)
        check(c, made.config, c.out())
    else:
        c = oci.container(made)
        c.create(*options).ok()
        c.start().ok()
    assert c.status == "running"
    if oci.name != "crun":
        assert c.exec("echo", "fine").ok() == "fine"
    c.kill("KILL").ok()
    assert c.until_stopped() == 137
    c.delete().ok()
    assert not oci.traces()


def check(c, config, out):
    process, lines = config["process"], out.splitlines()
    ids = process["user"]
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    if not any(namespace["type"] == "user" for namespace in config["linux"]["namespaces"]):
        assert status["Uid"].split()[0] == str(ids.get("uid", 0))
    assert status["NoNewPrivs"] == str(int(process.get("noNewPrivileges", False)))
    assert status["Seccomp"] == ("2" if config["linux"].get("seccomp") else "0")
    assert process["cwd"] in lines
    if "umask" in ids:
        assert f"{ids['umask']:04o}" in lines
    if "hostname" in config:
        assert config["hostname"] in lines
    if process.get("oomScoreAdj"):
        assert str(process["oomScoreAdj"]) in lines
    assert ("writable" in lines) is not bool(config["root"].get("readonly")) or ids.get("uid", 0) != 0
    for mount in config["mounts"]:
        assert os.path.normpath(mount["destination"]).replace("/var/run", "/run") in lines, mount["destination"]
    for path in config["linux"].get("maskedPaths") or []:
        if path.startswith("/proc/") and os.path.exists(path):
            assert path in lines, path
    limit = (config["linux"].get("resources") or {}).get("pids", {}).get("limit", 0)
    where = c.cgroup("pids")
    if limit > 0 and where and config["linux"].get("cgroupsPath"):
        assert machine.read(f"{where}/pids.max").strip() == str(limit)
    limit = (config["linux"].get("resources") or {}).get("memory", {}).get("limit", 0)
    where = c.cgroup("memory")
    if limit and where:
        assert machine.read(f"{where}/memory.limit_in_bytes").strip() == str(limit)
