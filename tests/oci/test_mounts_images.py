# SPDX-License-Identifier: Apache-2.0
"""What an image does to lead mounts astray: links in it, and what may lie over proc."""

import os

import pytest

from mounts import RW, bind, tmpfs


@pytest.mark.parametrize("name", ["proc", "sys", "dev"])
def test_a_place_of_the_kernels_is_no_symlink(oci, bundle, name):
    made = bundle("ls /elsewhere")
    os.rmdir(f"{made.rootfs}/{name}")
    os.mkdir(f"{made.rootfs}/elsewhere")
    os.symlink("elsewhere", f"{made.rootfs}/{name}")
    if name == "dev" and not oci.is_ours:
        pytest.skip("only proc and sys are looked at")
    oci.run(made).failed(1)


@pytest.mark.parametrize("link", ["/", "/../../../../../../../..", "../../../../../../.."])
def test_a_target_stays_in_the_root(on_host, host, bundle, link):
    """A symlink to the host's directories is one to the root's."""
    canary = on_host.scratch("canary")
    made = bundle("ls /canary", {**RW, **tmpfs(f"/link{canary}/made")})
    os.symlink(link, f"{made.rootfs}/link")
    on_host.run(made)
    assert os.listdir(canary) == []
    assert not [place for place in host.mounts() if place.startswith(canary)]
    assert os.path.isdir(f"{made.rootfs}{canary}/made") or not on_host.is_ours


def test_a_dangling_link_in_a_target(oci, bundle):
    canary = oci.scratch("canary")
    made = bundle("true", {**RW, **bind("/etc/hostname", "/etc/link")})
    os.symlink(f"{canary}/file", f"{made.rootfs}/etc/link")
    oci.run(made)
    assert os.listdir(canary) == []


PROC_FILES = ["cpuinfo", "meminfo", "stat", "uptime", "loadavg", "swaps", "diskstats"]


@pytest.mark.parametrize("name", PROC_FILES)
def test_files_of_proc_that_may_be_covered(oci, bundle, name):
    source = os.path.join(oci.scratch(), "file")
    with open(source, "w", encoding="utf-8") as file:
        file.write("fake\n")
    target = f"/proc/{name}"
    assert oci.run(bundle(f"cat {target}", bind(source, target))).ok() == "fake"


@pytest.mark.parametrize("target", ["/proc/self/status", "/proc/1/status", "/proc/sys/kernel/core_pattern", "/proc/mounts", "/proc/x",
                                    "/proc/sys", "/proc/sysrq-trigger", "/proc/../proc/sys"])
def test_files_of_proc_that_may_not(oci, bundle, target):
    oci.run(bundle("true", bind("/etc/hostname" if "sys" not in target[-4:] else "/etc", target))).failed(1, "/proc")


@pytest.mark.parametrize("link, target", [("/proc/sys/kernel/core_pattern", "/evil"), ("/proc/sysrq-trigger", "/evil"),
                                          ("/proc", "/evil/uptime"), ("/proc/self/attr", "/evil/exec"), ("proc/meminfo", "/evil")])
def test_links_into_proc(oci, bundle, link, target):
    made = bundle("true", {**RW, **bind("/etc/hostname", target)})
    os.symlink(link, f"{made.rootfs}/evil")
    oci.run(made).failed(1)


def test_proc_is_a_proc(oci, bundle):
    made = bundle("true")
    made.config["mounts"][0] = {"destination": "/proc", "type": "bind", "source": oci.scratch(), "options": ["rbind"]}
    oci.run(made).failed(1, "/proc")
    made.config["mounts"][0] = {"destination": "/proc", "type": "tmpfs", "source": "tmpfs"}
    oci.run(made).failed(1, "/proc")
