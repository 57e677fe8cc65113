# SPDX-License-Identifier: Apache-2.0
"""What else config.json says is what the program finds: its root, devices, covers, cgroup and filter."""

import os
import stat

import pytest

from oci import DELETE, READY, default, said, unique


# ---- root ----

@pytest.mark.parametrize("readonly", [True, False])
def test_root_readonly(oci, bundle, readonly):
    result = oci.run(bundle("touch /made", {"root/readonly": readonly}))
    assert (result.status == 0) is not readonly
    if readonly:
        assert "Read-only file system" in result.err


def test_an_absolute_root(oci, bundle):
    b = bundle("cat /etc/mark")
    b.file("/etc/mark", "here\n")
    b.config["root"]["path"] = b.rootfs
    assert oci.run(b).ok() == "here"


def test_a_root_that_is_a_link(oci, bundle):
    b = bundle("cat /etc/mark", {"root/path": "link"})
    b.file("/etc/mark", "here\n")
    os.symlink("rootfs", os.path.join(b.path, "link"))
    assert oci.run(b).ok() == "here"


def test_the_hosts_root_is_out_of_reach(oci, bundle):
    assert said(oci, bundle, "ls /proc/1/root/; cd ..; cd ..; ls") == said(oci, bundle, "ls /; ls /")


# ---- devices ----

def test_default_devices(oci, bundle):
    text = said(oci, bundle, "cd /dev; for d in null zero full random urandom tty; do stat -c '%n %F %t:%T %a' $d; done; "
                             "for l in fd stdin stdout stderr ptmx; do readlink $l; done")
    rows = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9", "tty": "5:0"}
    lines = text.splitlines()
    for name, numbers in rows.items():
        assert f"{name} character special file {numbers} 666" in lines
    assert lines[-5:] == ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "pts/ptmx"]


@pytest.mark.parametrize("device, shown", [
    ({"path": "/dev/mine", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 5, "gid": 6}, "character special file 1:3 640 5 6"),
    ({"path": "/dev/sub/dir/mine", "type": "c", "major": 1, "minor": 5}, None),
    ({"path": "/dev/block", "type": "b", "major": 7, "minor": 9, "fileMode": 0o600}, "block special file 7:9 600 0 0"),
    ({"path": "/dev/pipe", "type": "p", "fileMode": 0o622}, "fifo 0:0 622 0 0"),
    ({"path": "/dev/u", "type": "u", "major": 1, "minor": 7, "fileMode": 0o666}, "character special file 1:7 666 0 0"),
])
def test_devices(oci, bundle, device, shown):
    out = said(oci, bundle, ["stat", "-c", "%F %t:%T %a %u %g", device["path"]], {"linux/devices": [device]})
    assert out == shown or shown is None and out.startswith("character special file 1:5")


def other_device():
    """(major, minor) of a character device that root can open and that no runtime allows unasked."""
    for path in ("/dev/loop-control", "/dev/fuse", "/dev/kmsg"):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        except OSError:
            continue
        number = os.stat(path).st_rdev
        return os.major(number), os.minor(number)
    pytest.skip("no device here to try it with")


@pytest.mark.parametrize("access, allowed", [("rwm", True), ("rw", True), ("r", False), ("m", False), (None, False)])
def test_a_device_that_the_cgroup_allows(oci, bundle, access, allowed):
    major, minor = other_device()
    device = {"path": "/dev/other", "type": "c", "major": major, "minor": minor, "fileMode": 0o666}
    rules = [{"allow": False, "access": "rwm"}]
    if access:
        rules.append({"allow": True, "type": "c", "major": major, "minor": minor, "access": access})
    result = oci.run(bundle("exec 3<>/dev/other", {"linux/devices": [device], "linux/resources/devices": rules}))
    assert ("Operation not permitted" not in result.err) is allowed, f"{result}"


def test_a_device_that_is_denied_after_all_was_allowed(oci, bundle):
    """Docker's order: the last rule wins."""
    major, minor = other_device()
    device = {"path": "/dev/other", "type": "c", "major": major, "minor": minor, "fileMode": 0o666}
    rules = [{"allow": True, "access": "rwm"}, {"allow": False, "type": "c", "major": major, "minor": minor, "access": "rwm"}]
    result = oci.run(bundle("exec 3<>/dev/other", {"linux/devices": [device], "linux/resources/devices": rules}))
    assert "Operation not permitted" in result.err, f"{result}"


def test_the_defaults_can_be_used(oci, bundle):
    assert said(oci, bundle, "echo x > /dev/null; head -c 3 /dev/urandom | wc -c; head -c 2 /dev/zero | wc -c; "
                             "echo x 2>/dev/null > /dev/full || echo full") == "3\n2\nfull"


# ---- paths ----

def test_masked_paths(oci, bundle):
    b = bundle("cat /etc/secret; ls -a /etc/private; echo; cat /proc/kcore /proc/keys | wc -c",
               {"linux/maskedPaths": ["/etc/secret", "/etc/private", "/not/there", "/proc/kcore", "/proc/keys"]})
    b.file("/etc/secret", "secret")
    b.file("/etc/private/inner", "secret")
    assert oci.run(b).ok().split() == [".", "..", "0"]


def test_masks_can_not_be_written(oci, bundle):
    b = bundle("touch /etc/private/x; echo x > /etc/private/inner", {
        "linux/maskedPaths": ["/etc/private"], "root/readonly": False})
    b.file("/etc/private/inner", "secret")
    assert oci.run(b).status != 0
    assert b.read("/etc/private/inner") == "secret"


def test_readonly_paths(oci, bundle):
    b = bundle("touch /etc/kept/x || touch /etc/free; echo x > /etc/kept/inner; echo 1 > /proc/sys/kernel/msgmax; "
               "cat /etc/kept/inner", {"linux/readonlyPaths": ["/etc/kept", "/not/there", "/proc/sys"], "root/readonly": False})
    b.file("/etc/kept/inner", "kept\n")
    result = oci.run(b)
    assert result.out == "kept\n"
    assert result.err.count("Read-only file system") == 3
    assert os.path.exists(f"{b.rootfs}/etc/free")


def test_no_masks_at_all(oci, bundle):
    assert said(oci, bundle, "test -r /proc/keys && cat /proc/keys > /dev/null; echo fine", {
        "linux/maskedPaths": DELETE, "linux/readonlyPaths": DELETE}) == "fine"


# ---- cgroups ----

@pytest.mark.parametrize("path", ["/{}", "/deep/er/{}", "{}", "/../../{}", "/a/../{}"])
def test_where_its_cgroup_is(oci, bundle, path):
    name = unique("cg")
    c = oci.running(bundle(READY, {"linux/cgroupsPath": path.format(name)}))
    for controller in ("pids", "memory"):
        where = c.cgroup(controller)
        if where:
            assert where.endswith(f"/{name}") and where.startswith("/sys/fs/cgroup/")
    c.delete("--force").ok()
    for where, dirs, _ in os.walk("/sys/fs/cgroup"):
        assert name not in dirs, where


# ---- seccomp ----

def errno_of(names, **more):
    return {"linux/seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
                              "syscalls": [{"names": names, "action": "SCMP_ACT_ERRNO", **more}]}}


def test_seccomp(oci, bundle):
    result = oci.run(bundle("mkdir /tmp/x; grep Seccomp: /proc/self/status", {
        **errno_of(["mkdir", "mkdirat"], errnoRet=17), "root/readonly": False}))
    assert "File exists" in result.err and "Seccomp:\t2" in result.out


def test_seccomp_with_arguments(oci, bundle):
    edits = errno_of(["kill"], args=[{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}])
    assert said(oci, bundle, "trap : USR1 USR2; kill -USR1 $$ 2>/dev/null || echo refused; kill -USR2 $$ && echo allowed",
                edits) == "refused\nallowed"


def test_seccomp_with_unknown_names(oci, bundle):
    """A profile is for more kernels than this."""
    assert said(oci, bundle, "echo fine", errno_of(["no_such_call", "mkdir"])) == "fine"


def test_no_seccomp(oci, bundle):
    assert "Seccomp:\t0" in said(oci, bundle, ["cat", "/proc/self/status"])


# ---- the config as a text ----

def test_unknown_members_are_ignored(oci, bundle):
    assert said(oci, bundle, "echo fine", {"zzz": 1, "process/zzz": {"a": []}, "linux/zzz": None, "root/zzz": "x",
                                           "linux/resources/zzz": True, "mounts/0/zzz": 5, "vm": {"kernel": {"path": "/x"}}}) == "fine"


def test_the_least_config_there_is(oci, bundle):
    b = bundle()
    b.config = {"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "process": {
        "args": ["/bin/echo", "fine"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
                "linux": {"namespaces": [{"type": "mount"}]}}
    assert oci.run(b).ok() == "fine"


def test_a_large_config(oci, bundle):
    annotations = {f"org.example.{number}": "x" * 500 for number in range(1000)}
    c = oci.container(bundle("true", {"annotations": annotations}))
    c.create().ok()
    assert annotations.items() <= c.state()["annotations"].items()


def test_config_with_a_byte_order_of_members_turned_round(oci, bundle):
    """The order of members is nobody's promise."""
    b = bundle("echo fine")
    b.config = dict(reversed(list(default("echo fine").items())))
    assert oci.run(b).ok() == "fine"


def test_mode_of_the_roots_mountpoints(oci, bundle):
    """Missing ones are made as runc makes them."""
    b = bundle("stat -c %a /new/deep", {"root/readonly": False, "mounts/-": {
        "destination": "/new/deep", "type": "tmpfs", "source": "tmpfs", "options": ["mode=711"]}})
    assert oci.run(b).ok() == "711"
    assert stat.S_IMODE(os.stat(f"{b.rootfs}/new").st_mode) == 0o755
