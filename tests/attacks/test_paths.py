# SPDX-License-Identifier: Apache-2.0
"""Rules 1, 2, 3, 7 and 14: the image's names lead nowhere but into the image."""

import contextlib
import os
import shutil
import stat
import subprocess
import time

import pytest
import rootfs


@contextlib.contextmanager
def swapping(nook, attacker, one, other, seconds=60):
    """Exchanges two names of the machine without end, as a container that has the same files could."""
    process = subprocess.Popen([attacker, "swap", one, other, str(seconds)], preexec_fn=nook.account.enter)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def tree(path):
    """Everything below path, with what chown, chmod and write change."""
    found = {}
    for where, dirs, files in os.walk(path):
        for name in [".", *dirs, *files]:
            full = os.path.join(where, name)
            st = os.lstat(full)
            found[full] = (st.st_mode, st.st_uid, st.st_gid, st.st_size)
    return found


@pytest.mark.parametrize("where", ["a/b/c", "a/b", "a"])
def test_a_volume_target_that_is_swapped_with_a_symlink(nook, hostile_root, attacker, where):
    """CVE-2021-30465: between the check and the mount, the target's directory becomes a symlink to the host's."""
    root, outside = hostile_root(nook), nook.own(rootfs.tree(nook.scratch("outside"), {"b/c/keep": "host\n"}))
    os.makedirs(f"{root}/a/b/c")
    link = f"{root}/{where}.link"
    os.symlink(outside, link)
    nook.own(root)
    volume = nook.own(rootfs.tree(nook.scratch("volume"), {"mark": "volume\n"}))
    before = tree(outside)
    end, good = time.monotonic() + 2, 0
    with swapping(nook, attacker, f"{root}/{where}", link):
        while time.monotonic() < end:
            result = nook.run("--root", root, "--volume", f"{volume}:/a/b/c", "--volume", f"{volume}:/a/b/new/dir",
                              "--", "/bin/busybox", "true")
            assert result.status in (0, 125), result
            good += result.status == 0
    assert tree(outside) == before
    assert good, "no run got through: the race was not run"


@pytest.mark.parametrize("options", [[], ["--userns", "host"]], ids=" ".join)
def test_proc_that_is_swapped_while_it_is_masked(root_nook, hostile_root, attacker, options):
    """CVE-2019-16884 and its kin: /proc is mounted, then its name means something else when parts of it are covered."""
    root = hostile_root(root_nook)
    rootfs.tree(f"{root}/fake", {"sys/kernel/x": "", "kcore": "", "irq/x": ""})
    end, seen = time.monotonic() + 2, 0
    with swapping(root_nook, attacker, f"{root}/proc", f"{root}/fake"):
        while time.monotonic() < end:
            result = root_nook.run("--root", root, *options, "--", "/attacker", "uncovered", "/proc", "/fake")
            assert result.status in (0, 125), result
            assert "open" not in result.out, result
            seen += "looked" in result.out
    assert seen


@pytest.mark.parametrize("name", ["dev", "proc", "sys"])
@pytest.mark.parametrize("to", ["/etc", "outside", "../../../../../../..", "/proc/self/root", "nowhere"])
def test_mount_points_that_are_symlinks(nook, hostile_root, name, to):
    """Rule 7: where the container's /dev, /proc and /sys go is not the image's to choose."""
    root, outside = hostile_root(nook), nook.scratch("outside")
    os.rmdir(f"{root}/{name}")
    os.symlink(outside if to == "outside" else to, f"{root}/{name}")
    nook.own(root)
    before = tree(outside)
    nook.run("--root", root, "--", "/bin/busybox", "true").failed(125, f"/{name}")
    assert tree(outside) == before


@pytest.mark.parametrize("make", [
    lambda path: os.mkfifo(path), lambda path: open(path, "w", encoding="utf-8").close(),
    lambda path: os.mknod(path, stat.S_IFBLK | 0o666, os.makedev(7, 0)),
], ids=["fifo", "file", "disk"])
@pytest.mark.parametrize("name", ["dev", "proc", "sys"])
def test_mount_points_that_are_no_directories(nook, hostile_root, name, make):
    root = hostile_root(nook)
    os.rmdir(f"{root}/{name}")
    make(f"{root}/{name}")
    nook.own(root)
    nook.run("--root", root, "--", "/bin/busybox", "true", timeout=5).failed(125, f"/{name}")


def test_devices_are_ours_whatever_the_image_has(nook, hostile_root):
    """CVE-2015-3629's kin: /dev/null of the image is a file, a pipe, a symlink to the host's shadow, another device."""
    root = hostile_root(nook)
    rootfs.write(f"{root}/dev/null", "a file\n")
    os.mkfifo(f"{root}/dev/zero")
    os.symlink("/etc/passwd", f"{root}/dev/full")
    os.mkdir(f"{root}/dev/random")
    if os.getuid() == 0:
        os.mknod(f"{root}/dev/urandom", stat.S_IFCHR | 0o666, os.makedev(1, 1))
    nook.own(root)
    script = "stat -c '%n %F %t:%T' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty"
    expected = ["1:3", "1:5", "1:7", "1:8", "1:9", "5:0"]
    lines = nook.sh(script, "--root", root).lines()
    assert [line.split()[-1] for line in lines] == expected
    assert all("character special" in line for line in lines)
    with open(f"{root}/dev/null", encoding="utf-8") as file:
        assert file.read() == "a file\n"


def test_a_device_of_the_image_does_not_work(root_nook, hostile_root):
    """The machine's memory and disks, made by who packed the image."""
    root = hostile_root(root_nook)
    os.mknod(f"{root}/mem", stat.S_IFCHR | 0o666, os.makedev(1, 1))
    os.mknod(f"{root}/zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    for options in ([], ["--userns", "host"], ["--userns", "host", "--cap-add", "mknod"]):
        for path in ("/mem", "/zero"):
            result = root_nook.sh(f"head -c 1 {path}", "--root", root, *options)
            assert "Permission denied" in result.err and result.status != 0, result


# ---- targets of volumes ----

@pytest.mark.parametrize("target", ["/proc", "/proc/", "/proc/self", "/proc/sys", "/proc/1/root", "/proc/self/fd/3",
                                    "/proc/self/attr/exec", "//proc/sys/kernel", "/./proc/uptime", "/dev/pts"])
@pytest.mark.parametrize("what", ["--volume", "--tmpfs"])
def test_nothing_of_the_users_in_proc(nook, busybox_root, what, target):
    """CVE-2019-16884, CVE-2019-19921: a file of the image over /proc/self/attr/exec, a tmpfs over /proc."""
    word = f"/etc:{target}" if what == "--volume" else target
    nook.run("--root", busybox_root(nook), what, word, "true").failed(125, what)


@pytest.mark.parametrize("link, target", [
    ("proc", "/x/sys"), ("/proc", "/x/self/attr/exec"), ("/proc/self/root", "/x/etc"), ("/proc/1/root", "/x"),
    ("/proc/self/cwd", "/x/etc"), ("/proc/self/fd/3", "/x"), ("/proc/self", "/x/root/etc"),
])
def test_a_volume_into_proc_by_a_symlink_of_the_image(nook, hostile_root, link, target):
    root = hostile_root(nook)
    os.symlink(link, f"{root}/x")
    nook.own(root)
    nook.run("--root", root, "--volume", f"/etc:{target}", "true").failed(125, "--volume")


def test_a_symlink_of_the_image_as_a_target_stays_inside(nook, hostile_root):
    root, outside = hostile_root(nook), nook.scratch("outside")
    volume = nook.own(rootfs.tree(nook.scratch("volume"), {"mark": "volume\n"}))
    os.symlink(outside, f"{root}/absolute")
    os.symlink("../../../../../../../../" + outside, f"{root}/upward")
    os.makedirs(f"{root}/{outside}")
    nook.own(root)
    for target in ("/absolute", "/upward", "/absolute/new/dir"):
        assert nook.run("--root", root, "--volume", f"{volume}:{target}", "--", "cat", f"{target}/mark").ok() == "volume"
    assert os.listdir(outside) == []


def test_a_source_that_is_a_symlink_of_the_caller_is_opened_before_anything_is_mounted(nook, hostile_root):
    """The caller's words are the host's; the second volume cannot change where the third one's source leads."""
    root = hostile_root(nook)
    volume = nook.own(rootfs.tree(nook.scratch("volume"), {"mark": "volume\n"}))
    result = nook.run("--root", root, "--volume", f"{volume}:/tmp", "--volume", "/tmp:/var", "--", "ls", "/var")
    assert result.status == 0 and "mark" not in result.out


# ---- files that nook reads from the image ----

@pytest.mark.parametrize("kind", ["fifo", "symlink", "loop", "directory", "device", "huge", "binary", "socket"])
def test_passwd_of_the_image(nook, hostile_root, kind):
    """Rule 14: it is read on the host's side, by who has the host's rights."""
    root = hostile_root(nook)
    path = f"{root}/etc/passwd"
    os.unlink(path)
    if kind == "symlink":
        os.symlink("/etc/group", path)
    elif kind == "binary":
        with open(path, "wb") as file:
            file.write(b"app:x:1000:1000::/:/bin/sh\0\n" * 100)
    elif kind == "device" and os.getuid() != 0:
        pytest.skip("needs root, to make one")
    else:
        rootfs.odd_file(path, kind)
    nook.own(root)
    nook.run("--root", root, "--user", "app", "true", timeout=5).failed(125, "/etc/passwd")
    assert nook.run("--root", root, "--", "echo", "ok", timeout=5).ok() == "ok"


def test_passwd_by_a_symlinked_etc_is_not_the_hosts(lab_nook, hostile_root, lab):
    root = hostile_root(lab_nook)
    shutil.rmtree(f"{root}/etc")
    for to in ("/proc/1/root/etc", "../../../../../../etc", "/etc/../../../etc"):
        os.symlink(to, f"{root}/etc")
        lab_nook.run("--root", root, "--user", "nooktest", "true").failed(125)
        os.unlink(f"{root}/etc")


def test_what_an_image_says_does_not_reach_the_terminal(nook, hostile_root):
    """The interpreter's name in an error is the image's: no escape sequence of it is printed."""
    root = hostile_root(nook)
    rootfs.write(f"{root}/evil", "#!/\x1b]0;owned\x07\x1b[2J\u202e\n", 0o755)
    nook.own(root)
    error = nook.run("--root", root, "--", "/evil").failed(127 if False else 126)
    assert "\x1b" not in error and "\x07" not in error and "\u202e" not in error


# ---- the working directory ----

@pytest.mark.parametrize("fd", [3, 4, 5, 6, 7, 8, 9, 10, 700])
def test_a_working_directory_by_a_descriptor(nook, hostile_root, attacker, fd):
    """CVE-2024-21626: /proc/self/fd/N is a directory of the host that was left open."""
    root = hostile_root(nook)
    link = f"{root}/link"
    os.symlink(f"/proc/self/fd/{fd}", link)
    nook.own(root)
    for directory in (f"/proc/self/fd/{fd}", f"/proc/self/fd/{fd}/etc", "/link", "/link/../../etc", f"/proc/1/fd/{fd}"):
        result = nook.outside(attacker, "with-fds", "/", "/etc/hostname", nook.binary, "run", "--root", root, "--cwd",
                              directory, "--", "pwd", check=False)
        assert result.status == 125 and not result.out, result
    with nook.background("echo ready; exec sleep 1000", "--root", root) as container:
        for directory in (f"/proc/self/fd/{fd}", "/link", f"/proc/1/fd/{fd}", "/proc/1/cwd", "/proc/1/root"):
            result = nook.outside(attacker, "with-fds", "/", "/etc/hostname", nook.binary, "exec", "--cwd", directory,
                                  container.name, "pwd", check=False)
            assert result.status == 125 and not result.out, result
