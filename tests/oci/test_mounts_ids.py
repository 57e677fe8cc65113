# SPDX-License-Identifier: Apache-2.0
"""Owners of what is mounted: user namespaces, idmapped mounts, and mounts of a runtime that is nobody on the machine."""

import os

import pytest

import machine
from oci import READY

RANGE = 100000
MAPS = [{"containerID": 0, "hostID": RANGE, "size": 65536}]
USERNS = {"linux/namespaces/-": {"type": "user"}, "linux/uidMappings": MAPS, "linux/gidMappings": MAPS}


def maps(*rows):
    return [{"containerID": inside, "hostID": outside, "size": size} for inside, outside, size in rows]


def own_root(made, first=RANGE):
    """The root file system belongs to the container's ids."""
    for where, dirs, files in os.walk(made.rootfs):
        for name in dirs + files:
            os.lchown(os.path.join(where, name), first, first)
    os.chown(made.rootfs, first, first)
    return made


@pytest.fixture
def volume(oci):
    """A directory with files of uid 0, 5 and 1000."""
    path = oci.scratch("volume")
    for uid in (0, 5, 1000):
        with open(f"{path}/{uid}", "w", encoding="utf-8") as file:
            file.write("x")
        os.chown(f"{path}/{uid}", uid, uid + 1 if uid else 0)
    os.chmod(path, 0o777)
    return path


def mount(source, *options, **more):
    return {"mounts/-": {"destination": "/mnt", "type": "bind", "source": source, "options": ["rbind", *options], **more}}


OWNERS = "stat -c '%n %u:%g' /mnt/0 /mnt/5 /mnt/1000"


def owners(result):
    return {line.split()[0].split("/")[-1]: line.split()[1] for line in result.lines()}


# ---- a user namespace ----

def test_a_container_with_a_user_namespace(oci, bundle):
    made = own_root(bundle("id -u; stat -c %u /bin /dev/null /proc/1; touch /tmp/new; cat /proc/self/uid_map",
                           {**USERNS, "root/readonly": False}))
    lines = oci.run(made).lines()
    assert lines[0] == "0" and lines[1] == "0" and lines[3] == "0"
    assert lines[4].split() == ["0", str(RANGE), "65536"]
    assert os.stat(f"{made.rootfs}/tmp/new").st_uid == RANGE


def test_devices_are_the_hosts(oci, bundle):
    """A user namespace can make none: the host's nodes are shown, and work."""
    made = own_root(bundle("for d in null zero full random urandom tty; do stat -c '%t:%T' /dev/$d; done; "
                           "echo x >/dev/null && head -c 3 /dev/zero | wc -c; stat -c %F /dev/mypipe", USERNS))
    made.edit({"linux/devices": [{"path": "/dev/mypipe", "type": "p", "fileMode": 0o666}]})
    assert oci.run(made).lines() == ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "3", "fifo"]


def test_all_mounts_of_the_usual_config(oci, bundle):
    made = own_root(bundle("cut -d' ' -f5 /proc/self/mountinfo", USERNS))
    seen = oci.run(made).lines()
    assert {"/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup", "/proc/sys"} <= set(seen)


def test_owners_without_idmap(oci, bundle, volume):
    made = own_root(bundle(OWNERS, {**USERNS, **mount(volume)}))
    assert owners(oci.run(made)) == {"0": "65534:65534", "5": "65534:65534", "1000": "65534:65534"}


# ---- idmap ----

@pytest.mark.parametrize("option", ["idmap", "ridmap"])
def test_idmap_takes_the_containers_ids(oci, bundle, volume, option, ours):
    made = own_root(bundle(f"{OWNERS}; touch /mnt/new; chown 33:34 /mnt/new",
                           {**USERNS, **mount(volume, option)}))
    made.config["process"]["capabilities"]["effective"] = ["CAP_CHOWN"]
    for kind in ("bounding", "permitted"):
        made.config["process"]["capabilities"][kind] = ["CAP_CHOWN"]
    made.config["process"]["capabilities"].pop("ambient")
    assert owners(oci.run(made)) == {"0": "0:0", "5": "5:6", "1000": "1000:1001"}
    made = os.stat(f"{volume}/new")
    assert (made.st_uid, made.st_gid) == (33, 34)


def test_own_maps(oci, bundle, volume, ours):
    """Without a user namespace: what is 5 on the file system shows as 7, and what has no map as nobody's."""
    made = bundle(OWNERS, mount(volume, "idmap", uidMappings=maps((5, 7, 1), (1000, 8000, 10)), gidMappings=maps((0, 0, 10))))
    assert owners(oci.run(made)) == {"0": "65534:0", "5": "7:6", "1000": "8000:65534"}


def test_own_maps_in_a_user_namespace(oci, bundle, volume, ours):
    """They lead to ids of the host, of which the container sees its own."""
    made = own_root(bundle(OWNERS, {**USERNS, **mount(
        volume, "idmap", uidMappings=maps((0, RANGE + 50, 1), (5, RANGE + 5, 1)), gidMappings=maps((0, RANGE, 65536)))}))
    assert owners(oci.run(made)) == {"0": "50:0", "5": "5:6", "1000": "65534:1001"}


def test_own_maps_without_the_option(oci, bundle, volume, ours):
    made = bundle(OWNERS, mount(volume, uidMappings=maps((0, 9, 1)), gidMappings=maps((0, 9, 1))))
    assert owners(oci.run(made))["0"] == "9:9"


def test_two_mounts_of_different_maps(oci, bundle, volume, ours):
    made = bundle("stat -c %u /mnt/5 /srv/5 /media/5", mount(volume, "idmap", uidMappings=maps((5, 7, 1)), gidMappings=maps((0, 0, 9))))
    for target, outside in (("/srv", 8), ("/media", 9)):
        made.edit({"mounts/-": {"destination": target, "type": "bind", "source": volume, "options": ["bind", "idmap"],
                                "uidMappings": maps((5, outside, 1)), "gidMappings": maps((0, 0, 9))}})
        os.mkdir(f"{made.rootfs}{target}")
    assert oci.run(made).lines() == ["7", "8", "9"]
    assert os.stat(f"{volume}/5").st_uid == 5


@pytest.mark.parametrize("uids", [[], maps((0, 0, 1), (0, 5, 1)), maps((0, 5, 1), (1, 5, 1)), maps((0, 0, 0))])
def test_maps_that_can_not_be(oci, bundle, volume, uids, ours):
    number = len(bundle().config["mounts"])
    made = bundle("true", mount(volume, "idmap", uidMappings=uids, gidMappings=maps((0, 0, 1))))
    oci.run(made).failed(1, f"/mounts/{number}")


def test_idmap_without_ids(oci, bundle, volume, ours):
    oci.run(bundle("true", mount(volume, "idmap"))).failed(1, "/mounts/", "maps")


def test_idmap_of_what_can_not_be(oci, bundle, ours):
    """procfs has no idmapped mounts."""
    made = bundle("true", mount("/proc/sys", "idmap", uidMappings=maps((0, 5, 1)), gidMappings=maps((0, 5, 1))))
    oci.run(made).failed(1, "/mounts/", "other owners")


def test_nobody_is_left_of_the_maps(oci, bundle, volume, ours, keeper):
    before = set(machine.descendants(keeper.pid))
    c = oci.container(bundle("true", mount(volume, "idmap", uidMappings=maps((0, 5, 1)), gidMappings=maps((0, 5, 1)))))
    c.create().ok()
    assert set(machine.descendants(keeper.pid)) - before == {c.pid}


# ---- nobody on the machine ----

@pytest.fixture
def rootless(make_oci, lab):
    made = make_oci(lab.account("nooktest", lab.USER))
    made.own(made.root)
    return made


def rootless_config(made, oci, edits=None):
    """As `runc spec --rootless` has it."""
    config = made.config
    config["linux"]["namespaces"] = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "user")]
    config["linux"].pop("resources")
    config["linux"]["uidMappings"] = maps((0, oci.account.uid, 1))
    config["linux"]["gidMappings"] = maps((0, oci.account.gid, 1))
    config["mounts"] = [m for m in config["mounts"] if m["destination"] not in ("/sys", "/sys/fs/cgroup")]
    for m in config["mounts"]:
        m["options"] = [o for o in m.get("options", []) if not o.startswith("gid=")]
    config["mounts"].append({"destination": "/sys", "type": "none", "source": "/sys",
                             "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]})
    made.edit(edits)
    oci.own(made.path)
    return made


def test_rootless(rootless, bundle):
    made = rootless_config(bundle("id -u; stat -c '%t:%T' /dev/null; echo x >/dev/null; ls -d /sys/kernel; tr '\\0' ' ' </proc/1/cmdline | cut -c1-5"), rootless)
    assert rootless.run(made).lines() == ["0", "1:3", "/sys/kernel", "sh -c"]


@pytest.mark.parametrize("more", [[], ["cgroup"]], ids=["plain", "cgroup"])
def test_rootless_exec_before_the_start(rootless, bundle, more):
    """What waits for its start hides itself: who is not root is told so."""
    made = rootless_config(bundle(READY), rootless)
    made.config["linux"]["namespaces"] += [{"type": kind} for kind in more]
    c = rootless.container(made)
    c.pid_file = os.path.join(rootless.own(rootless.scratch("pids")), "pid")
    c.create().ok()
    failed = c.exec("true")
    assert failed.status == 255
    assert "ns-entry-denied" in failed.err and f"`start {c.id}` first" in failed.err, failed.err
    c.start().ok()
    c.until_said("ready")
    assert c.exec("echo", "fine").ok() == "fine"



def test_rootless_volumes(rootless, bundle):
    source = rootless.own(rootless.scratch("volume"))
    made = rootless_config(bundle("touch /mnt/new; touch /srv/new", {
        "mounts/-": {"destination": "/mnt", "type": "bind", "source": source, "options": ["rbind", "rw"]}}), rootless)
    made.edit({"mounts/-": {"destination": "/srv", "type": "bind", "source": source, "options": ["rbind", "ro"]}})
    os.mkdir(f"{made.rootfs}/srv")
    done = rootless.run(made)
    assert done.status == 1 and "Read-only" in done.err
    assert os.stat(f"{source}/new").st_uid == rootless.account.uid


def test_rootless_takes_no_rights_back(rootless, bundle):
    """A mount that is read-only outside stays so, whatever the bundle says."""
    made = rootless_config(bundle("true", {
        "mounts/-": {"destination": "/mnt", "type": "bind", "source": "/sys", "options": ["rbind", "rw", "suid", "dev"]}}), rootless)
    rootless.run(made).ok()


def test_rootless_copy_up(rootless, bundle):
    made = rootless_config(bundle("cat /srv/file; touch /srv/new", {
        "mounts/-": {"destination": "/srv", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}}), rootless)
    os.mkdir(f"{made.rootfs}/srv")
    made.file("/srv/file", "text\n")
    rootless.own(made.path)
    assert rootless.run(made).ok() == "text"


def test_rootless_idmap_is_refused(rootless, bundle, ours):
    source = rootless.own(rootless.scratch("volume"))
    made = rootless_config(bundle("true", mount(source, "idmap")), rootless)
    rootless.run(made).failed(1, "/mounts/", "idmap")


def in_userns_config(made, oci):
    """As Podman without root has it: the user namespace is around the runtime already."""
    rootless_config(made, oci)
    linux = made.config["linux"]
    linux["namespaces"] = [row for row in linux["namespaces"] if row["type"] != "user"]
    del linux["uidMappings"], linux["gidMappings"]
    return made


def test_root_of_a_user_namespace(rootless, bundle):
    rootless.prefix = ["unshare", "--user", "--map-root-user", "--mount"]
    made = in_userns_config(bundle("id -u; stat -c '%t:%T' /dev/null; echo x >/dev/null; ls -d /sys/kernel; touch /srv/x && echo made"), rootless)
    made.edit({"mounts/-": {"destination": "/srv", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]}})
    os.mkdir(f"{made.rootfs}/srv")
    assert rootless.run(made).lines() == ["0", "1:3", "/sys/kernel", "made"]


def test_root_of_a_user_namespace_with_the_hosts_pids(rootless, bundle):
    """No new /proc may be mounted there: engines bind the host's."""
    rootless.prefix = ["unshare", "--user", "--map-root-user", "--mount"]
    made = in_userns_config(bundle("test $$ -gt 2 && cut -d' ' -f1 /proc/self/stat | wc -l"), rootless)
    made.config["linux"]["namespaces"] = [{"type": "mount"}]
    made.config["mounts"][0] = {"destination": "/proc", "type": "bind", "source": "/proc", "options": ["rbind"]}
    made.config["mounts"] = [m for m in made.config["mounts"] if m["destination"] != "/dev/mqueue"]
    made.config.pop("hostname")
    made.config["linux"]["maskedPaths"] = made.config["linux"]["readonlyPaths"] = []
    assert rootless.run(made).ok() == "1"
