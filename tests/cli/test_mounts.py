# SPDX-License-Identifier: Apache-2.0
"""Volumes and tmpfs: what of the host is shown inside, and how."""

import os
import stat

import pytest
import rootfs

pytestmark = pytest.mark.quick


def mount_options(nook_result, target):
    """Options of the mount at target, from a mountinfo text: those of the mount and those of the file system."""
    for line in reversed(nook_result.splitlines()):
        words = line.split()
        if words[4] == target:
            return set(words[5].split(",")) | set(words[-1].split(","))
    raise AssertionError(f"{target} is no mount in\n{nook_result}")


@pytest.fixture
def folder(nook):
    path = nook.scratch("volume")
    rootfs.tree(path, {"file": "from outside\n", "sub/deep": "deep\n"})
    return nook.own(path)


def test_a_volume_shows_the_directory(nook, folder):
    assert nook.sh("cat /data/file /data/sub/deep", "--volume", f"{folder}:/data").lines() == ["from outside", "deep"]


def test_a_volume_is_written_through(nook, folder):
    nook.sh("echo inside >/data/new; rm /data/file", "--volume", f"{folder}:/data").ok()
    assert nook.outside("cat", f"{folder}/new").ok() == "inside"
    assert not os.path.exists(f"{folder}/file")


def test_what_root_inside_writes_belongs_to_the_caller(nook, folder):
    nook.sh("touch /data/new; mkdir /data/dir", "--volume", f"{folder}:/data").ok()
    for name in ("new", "dir"):
        found = os.stat(f"{folder}/{name}")
        assert (found.st_uid, found.st_gid) == (nook.account.uid, nook.account.gid)


def test_owners_inside_look_right(nook, folder):
    """The caller's files are root's inside."""
    assert nook.run("--volume", f"{folder}:/data", "--", "stat", "-c", "%u:%g", "/data/file").ok() == "0:0"


def test_owners_of_others_look_right(root_nook):
    """Root's range is mapped onto the file system's ids as they are: 1000 is 1000 on both sides."""
    path = root_nook.scratch("volume")
    rootfs.write(f"{path}/theirs", "x\n")
    os.chown(f"{path}/theirs", 1000, 1001)
    script = "stat -c %u:%g /data/theirs; touch /data/mine; chown 33:34 /data/mine"
    assert root_nook.sh(script, "--volume", f"{path}:/data").ok() == "1000:1001"
    assert (os.stat(f"{path}/mine").st_uid, os.stat(f"{path}/mine").st_gid) == (33, 34)


def test_without_idmap_the_hosts_owners_show(root_nook):
    """Ids of the host are none of this container's: nobody."""
    path = root_nook.scratch("volume")
    assert root_nook.run("--volume", f"{path}:/data:noidmap", "--", "stat", "-c", "%u", "/data").ok() == "65534"


def test_a_read_only_volume(nook, folder):
    out = nook.sh("touch /data/new 2>&1; echo x 2>&1 >/data/file; cat /data/file", "--volume", f"{folder}:/data:ro").ok()
    assert "Read-only file system" in out and "from outside" in out
    assert os.listdir(folder) and not os.path.exists(f"{folder}/new")


def test_a_read_only_volume_stays_so(nook, folder):
    """Root inside may not remount it."""
    script = "mount -o remount,rw,bind /data 2>/dev/null; touch /data/new 2>/dev/null && echo written; true"
    assert nook.sh(script, "--volume", f"{folder}:/data:ro").ok() == ""
    assert not os.path.exists(f"{folder}/new")


def test_a_file_as_a_volume(nook, folder):
    nook.sh("cat /opt/one; echo changed >/opt/one", "--volume", f"{folder}/file:/opt/one").ok()
    assert nook.outside("cat", f"{folder}/file").ok() == "changed"


def test_a_file_over_a_file_of_the_root(nook, folder):
    assert nook.run("--volume", f"{folder}/file:/etc/hostname:ro", "--", "cat", "/etc/hostname").ok() == "from outside"


def test_a_socket_as_a_volume(nook, folder):
    import socket
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/socket")
        os.chmod(f"{folder}/socket", 0o777)
        server.listen(1)
        code = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/it'); print('connected')"
        assert nook.run("--volume", f"{folder}/socket:/run/it", "--", "python3", "-c", code).ok() == "connected"


@pytest.mark.parametrize("target", ["/data", "/a/b/c/d", "/usr/lib/nook-test/x", "/data/"])
def test_a_missing_target_is_made(nook, folder, target):
    assert nook.sh(f"cat {target}/file", "--volume", f"{folder}:{target}").ok() == "from outside"


def test_a_missing_target_is_made_inside_of_a_volume(nook, folder):
    other = nook.scratch("volume")
    nook.sh("test -d /data/in/it", "--volume", f"{folder}:/data", "--volume", f"{other}:/data/in/it").ok()


def test_missing_targets_are_not_made_on_the_host(nook, folder):
    nook.sh("true", "--volume", f"{folder}:/nook-test-target").ok()
    assert not os.path.exists("/nook-test-target")


def test_volumes_are_mounted_in_the_order_given(nook, folder):
    other = nook.own(rootfs.tree(nook.scratch("volume"), {"file": "other\n"}))
    inner, outer = ["--volume", f"{other}:/data/sub"], ["--volume", f"{folder}:/data"]
    assert nook.sh("cat /data/sub/*", *outer, *inner).ok() == "other"
    assert nook.sh("cat /data/sub/*", *inner, *outer).ok() == "deep"


def test_a_relative_source_is_relative_to_the_caller(nook, folder):
    result = nook.run("--volume", f"./{os.path.basename(folder)}:/data", "--", "cat", "/data/file", cwd=os.path.dirname(folder))
    assert result.ok() == "from outside"


def test_mounts_below_a_source_are_shown_too(root_nook):
    """The host's /dev with its /dev/pts and /dev/shm; and without, when only the one mount is wanted."""
    kinds = "stat -f -c %T /data/pts"
    assert root_nook.sh(kinds, "--volume", "/dev:/data:ro,noidmap").ok() == "devpts"
    assert root_nook.sh(kinds, "--volume", "/dev:/data:ro,noidmap,bind").ok() != "devpts"


def test_device_nodes_and_setuid_are_dead_on_volumes(root_nook):
    path = root_nook.scratch("volume")
    os.mknod(f"{path}/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    info = root_nook.sh("cat /proc/self/mountinfo; cat /data/null 2>&1", "--volume", f"{path}:/data")
    assert {"nosuid", "nodev"} <= mount_options(info.out.split("cat:")[0].strip(), "/data")
    assert "Permission denied" in info.out


def test_noexec_on_a_volume(nook, folder):
    rootfs.write(f"{folder}/program", "#!/bin/sh\necho ran\n", 0o755)
    assert nook.run("--volume", f"{folder}:/data", "--", "/data/program").ok() == "ran"
    nook.run("--volume", f"{folder}:/data:noexec", "--", "/data/program").failed(126, "/data/program")


def test_a_symlink_in_a_target_stays_inside(nook, folder, busybox_root):
    root = busybox_root(nook)
    outside = nook.scratch("outside")
    os.symlink(outside, f"{root}/link")
    nook.own(root)
    nook.sh("touch /link/x", "--root", root, "--volume", f"{folder}:/link/sub")
    assert os.listdir(outside) == []


def test_a_target_is_made_below_a_symlinked_directory(nook, folder):
    """/lib is a symlink to usr/lib on the host: what is new below it lies there."""
    out = nook.sh("test -d /usr/lib/new-here && ls /lib/new-here/deep", "--volume", f"{folder}:/lib/new-here/deep").ok()
    assert out.split() == sorted(os.listdir(folder))


def test_a_source_that_is_a_symlink_is_followed(nook, folder):
    """It's the caller's own word, walked with the caller's rights on the host."""
    link = f"{nook.scratch()}/link"
    os.symlink(folder, link)
    assert nook.run("--volume", f"{link}:/data", "--", "cat", "/data/file").ok() == "from outside"


def test_a_colon_in_a_source_is_escaped(nook):
    path = f"{nook.scratch()}/with:colon"
    nook.own(rootfs.tree(path, {"file": "x\n"}))
    assert nook.run("--volume", path.replace(":", "\\:") + ":/data", "--", "cat", "/data/file").ok() == "x"


def test_an_ordinary_user_needs_its_own_rights_on_a_source(user_nook, lab):
    """Root inside is not root on the host's files, and the directories on the way count too."""
    seen = user_nook.sh("cat /data/secret", "--volume", "/root:/data")
    assert seen.status != 0 and lab.CANARY not in seen.out
    user_nook.run("--volume", "/root/secret:/data", "true").failed(125, "/root/secret")


def test_mounts_made_inside_do_not_come_out(nook, folder):
    script = "mount -t tmpfs none /data/sub && touch /data/sub/inner && ls /data/sub"
    options = ["--cap-add", "sys_admin", "--seccomp", "off", "--volume", f"{folder}:/data"]
    assert nook.sh(script, *options).ok() == "inner"
    assert os.listdir(f"{folder}/sub") == ["deep"]


# ---- tmpfs ----

def test_a_tmpfs_is_empty_and_writable(nook):
    assert nook.sh("ls -A /etc; echo x >/etc/x && cat /etc/x; stat -f -c %T /etc", "--tmpfs", "/etc").lines() == ["x", "tmpfs"]


def test_a_tmpfs_has_the_size_asked(nook):
    script = "head -c 900k /dev/zero >/t/a && echo fits; head -c 900k /dev/zero 2>&1 >/t/b; df -k /t | tail -n1"
    out = nook.sh(script, "--tmpfs", "/t:size=1m").ok()
    assert "fits" in out and "No space left" in out
    assert out.splitlines()[-1].split()[1] == "1024"


def test_a_tmpfs_has_the_mode_asked(nook):
    assert nook.run("--tmpfs", "/t:mode=700", "--", "stat", "-c", "%a", "/t").ok() == "700"
    assert nook.run("--tmpfs", "/t", "--", "stat", "-c", "%a", "/t").ok() == "1777"


def test_a_tmpfs_target_is_made(nook):
    assert nook.sh("touch /a/b/c/x", "--tmpfs", "/a/b/c").status == 0


def test_tmpfs_and_volumes_keep_their_order(nook, folder):
    options = ["--tmpfs", "/t", "--volume", f"{folder}:/t/sub"]
    assert nook.run(*options, "--", "cat", "/t/sub/file").ok() == "from outside"


@pytest.mark.parametrize("words, named", [
    (["--volume", "/no/such/source:/data"], "/no/such/source"),
    (["--volume", "/etc"], "--volume"),
    (["--volume", ":/data"], "--volume"),
    (["--volume", "/etc:"], "--volume"),
    (["--volume", "/etc:relative"], "relative"),
    (["--volume", "/etc:/a/../b"], ".."),
    (["--volume", "/etc:/"], "--volume"),
    (["--volume", "/etc:/data:wrong"], "wrong"),
    (["--volume", "/etc:/data:ro:x"], "--volume"),
    (["--volume", "/etc:/proc/sys"], "/proc"),
    (["--volume", "/etc:/proc"], "/proc"),
    (["--tmpfs", "relative"], "relative"),
    (["--tmpfs", "/t:size=x"], "size"),
    (["--tmpfs", "/t:size=-1"], "size"),
    (["--tmpfs", "/t:mode=9"], "mode"),
    (["--tmpfs", "/t:wrong=1"], "wrong"),
    (["--tmpfs", "/proc"], "/proc"),
    (["--volume", "/etc/passwd:/etc"], "/etc"),
    (["--volume", "/etc:/data", "--volume", "/usr:/data"], "/data"),
    (["--volume", "/etc:/data", "--tmpfs", "/data/"], "/data"),
])
def test_bad_mounts_are_refused(nook, words, named):
    nook.run(*words, "true").failed(125, named)
