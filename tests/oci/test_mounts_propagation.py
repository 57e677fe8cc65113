# SPDX-License-Identifier: Apache-2.0
"""How mounts travel: between a container and the machine, and with its root."""

import os
import subprocess

import pytest

import machine
from mounts import options_of, rbind, tmpfs
from oci import runtime_name


def spread(host, c, outside, inside):
    """Does a mount that is made outside show inside, and the other way round? Return: a pair."""
    host.sh(f"mkdir {outside}/o {outside}/i; mount -t tmpfs x {outside}/o; touch {outside}/o/yes")
    seen_inside = c.exec("test", "-e", f"{inside}/o/yes").status == 0
    pid = c.pid
    subprocess.run(["nsenter", "--mount", "--target", str(pid), "mount", "-t", "tmpfs", "x", f"{inside}/i"], check=False,
                   stderr=subprocess.DEVNULL)
    mounted = any(line.split()[4] == f"{outside}/i" for line in machine.read(f"/proc/{host.holder.pid}/mountinfo").splitlines())
    return seen_inside, mounted


CASES = [
    ([], (True, False)),  # rootfsPropagation is not said: everything is a slave
    (["private"], (False, False)),
    (["rprivate"], (False, False)),
    (["slave"], (True, False)),
    (["rslave"], (True, False)),
]


@pytest.mark.parametrize("options, expected", CASES)
def test_propagation_of_a_bind(on_host, host, bundle, options, expected):
    source = on_host.scratch("shared")
    host.sh(f"mount -t tmpfs top {source}; mount --make-shared {source}")
    c = on_host.running(bundle("echo ready; exec sleep 1000", rbind(source, "/mnt", *options)))
    assert spread(host, c, source, "/mnt") == expected


def test_propagation_shared(on_host, host, bundle):
    """Both ways, once the root's is shared as well: Kubernetes' Bidirectional."""
    source = on_host.scratch("shared")
    host.sh(f"mount -t tmpfs top {source}; mount --make-shared {source}")
    made = bundle("echo ready; exec sleep 1000", {"linux/rootfsPropagation": "rshared", **rbind(source, "/mnt", "rshared")})
    c = on_host.running(made)
    assert spread(host, c, source, "/mnt") == (True, True)
    c.kill("KILL").ok()
    c.wait()
    host.sh(f"umount {source}/i {source}/o")


@pytest.mark.parametrize("word, fields", [("shared", {"shared"}), ("rshared", {"shared"}), ("slave", set()), ("rslave", set()),
                                          ("private", set()), ("rprivate", set()), ("unbindable", {"unbindable"})])
def test_root_propagation(oci, bundle, word, fields):
    here = options_of(oci, bundle("cat /proc/self/mountinfo", {"linux/rootfsPropagation": word}))
    assert {field.split(":")[0] for field in here["/"][1]} - {"master", "propagate_from"} == fields


HOOK = {"hooks": {"createContainer": [{"path": "/bin/true"}], "createRuntime": [{"path": "/bin/true"}]}}


@pytest.mark.parametrize("edits", [{}, HOOK], ids=["", "hooks"])
@pytest.mark.parametrize("word, options", [
    ("shared", []), ("rshared", []), ("slave", []), ("rslave", []), ("private", []), ("rprivate", []),
    ("shared", ["--no-pivot"]), ("rslave", ["--no-pivot"]),
])
def test_nothing_of_it_reaches_the_host(on_host, host, bundle, word, options, edits):
    """Whatever is said of the root, on a host whose mounts are all shared, as systemd has them. With hooks, the root lies elsewhere."""
    if runtime_name() == "crun" and word == "shared" and options:
        pytest.skip("it unmounts the host's cgroups there")
    host.sh("mount --make-rshared /")
    before = machine.read(f"/proc/{host.holder.pid}/mountinfo")
    made = bundle("ls /; echo ready; exec sleep 1000", {"linux/rootfsPropagation": word, **edits})
    leaves_no_trace(on_host, host, made, before, options)


def leaves_no_trace(on_host, host, made, before, options):
    c = on_host.running(made, *options)
    assert set(c.out().split()) >= {"bin", "etc", "mnt"} and "boot" not in c.out()
    assert machine.read(f"/proc/{host.holder.pid}/mountinfo") == before
    c.kill("KILL").ok()
    c.wait()
    c.delete("--force").ok()
    assert machine.read(f"/proc/{host.holder.pid}/mountinfo") == before


@pytest.mark.parametrize("word", ["shared", "rslave"])
def test_stacked_mounts_stay_when_the_root_is_moved(on_host, host, bundle, word):
    """Two mounts on one place: no path leads to the lower one, whose peers would lose theirs with it."""
    if runtime_name() != "nook-oci":
        pytest.skip("runc takes the second one from the host, crun the host's cgroups")
    host.sh("mount -t proc second /proc; mount --make-rshared /")
    before = machine.read(f"/proc/{host.holder.pid}/mountinfo")
    made = bundle("ls /; echo ready; exec sleep 1000", {"linux/rootfsPropagation": word})
    leaves_no_trace(on_host, host, made, before, ["--no-pivot"])


def test_a_root_that_is_a_mount_with_mounts_below(on_host, host, bundle):
    made = bundle("cat /srv/below/file; touch /srv/below/new /new")
    made.config["root"]["readonly"] = False
    host.sh(f"mount --bind {made.rootfs} {made.rootfs}; mkdir -p {made.rootfs}/srv/below; "
            f"mount -t tmpfs below {made.rootfs}/srv/below; echo deep >{made.rootfs}/srv/below/file; "
            f"mount --make-rshared {made.rootfs}")
    assert on_host.run(made).ok() == "deep"
    host.sh(f"test -e {made.rootfs}/new -a -e {made.rootfs}/srv/below/new; umount -R {made.rootfs}")


def test_a_read_only_root_with_mounts(oci, bundle):
    made = bundle("touch /x 2>/dev/null || echo no; touch /mnt/x && echo yes", tmpfs("/mnt"))
    assert oci.run(made).lines() == ["no", "yes"]


def test_no_pivot(oci, bundle):
    made = bundle("ls /; cat /proc/self/mountinfo")
    done = oci.run(made, "--no-pivot").ok()
    assert "rootfs" not in done.split("\n")[0]
    assert set(os.listdir(made.rootfs)) <= set(done.split())
