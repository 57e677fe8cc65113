# SPDX-License-Identifier: Apache-2.0
"""The mounts of a bundle: each option, what is made for them, devices and covers."""

import os
import stat

import pytest

import machine
from mounts import RW, bind, options_of, rbind, tmpfs


# ---- options ----

FLAGS = [
    ("ro", "ro"), ("nosuid", "nosuid"), ("nodev", "nodev"), ("noexec", "noexec"), ("noatime", "noatime"),
    ("nodiratime", "nodiratime"), ("relatime", "relatime"),
]


@pytest.mark.parametrize("option, seen", FLAGS)
def test_options_of_a_bind(on_host, bundle, tree, option, seen):
    here = options_of(on_host, bundle("cat /proc/self/mountinfo", rbind(tree, "/mnt", option)))
    assert seen in here["/mnt"][0]
    if seen != "relatime":
        assert seen not in here["/mnt/sub"][0]


@pytest.mark.parametrize("option, seen", FLAGS)
def test_options_of_a_tmpfs(oci, bundle, option, seen):
    here = options_of(oci, bundle("cat /proc/self/mountinfo", tmpfs("/mnt", option)))
    assert seen in here["/mnt"][0]


@pytest.mark.parametrize("option", ["strictatime", "nosymfollow"])
def test_less_usual_options(oci, bundle, option):
    here = options_of(oci, bundle("cat /proc/self/mountinfo", tmpfs("/mnt", option)))
    if option == "nosymfollow":
        assert option in here["/mnt"][0]
    else:
        assert not {"relatime", "noatime"} & here["/mnt"][0]


@pytest.mark.parametrize("option, seen", [("rro", "ro"), ("rnosuid", "nosuid"), ("rnodev", "nodev"), ("rnoexec", "noexec"),
                                          ("rnoatime", "noatime"), ("rnodiratime", "nodiratime")])
def test_recursive_options(on_host, bundle, tree, option, seen):
    here = options_of(on_host, bundle("cat /proc/self/mountinfo", rbind(tree, "/mnt", option)))
    assert seen in here["/mnt"][0] and seen in here["/mnt/sub"][0]


def test_recursive_options_leave_the_hosts_mounts(on_host, host, bundle, tree):
    on_host.run(bundle("true", rbind(tree, "/mnt", "rro", "rnoexec"))).ok()
    here = host.mounts()
    assert not {"ro", "noexec"} & (here[tree][0] | here[f"{tree}/sub"][0])


def test_what_is_taken_back(on_host, host, bundle, tree):
    host.sh(f"mount -o remount,bind,ro,noexec {tree}; mount -o remount,bind,ro {tree}/sub")
    here = options_of(on_host, bundle("cat /proc/self/mountinfo", rbind(tree, "/mnt", "rw", "exec")))
    assert "rw" in here["/mnt"][0] and "noexec" not in here["/mnt"][0]
    assert "ro" in here["/mnt/sub"][0]
    here = options_of(on_host, bundle("cat /proc/self/mountinfo", rbind(tree, "/mnt", "rrw")))
    assert "rw" in here["/mnt/sub"][0]
    assert "ro" in host.mounts()[tree][0]


def test_the_later_option_is_meant(on_host, bundle, tree):
    here = options_of(on_host, bundle("cat /proc/self/mountinfo", rbind(tree, "/mnt", "ro", "rw", "noexec", "exec", "dev", "nodev")))
    assert "rw" in here["/mnt"][0] and "noexec" not in here["/mnt"][0] and "nodev" in here["/mnt"][0]


def test_read_only_is_true(on_host, bundle, tree):
    script = "echo x >/mnt/new; echo x >/mnt/sub/new; ls /mnt /mnt/sub"
    done = on_host.run(bundle(script, rbind(tree, "/mnt", "rro")))
    assert "new" not in done.out and done.err.count("Read-only") == 2


def test_a_bind_without_what_is_below(on_host, bundle, tree):
    assert on_host.run(bundle("cat /mnt/file; ls /mnt/sub", bind(tree, "/mnt"))).ok() == "outer"
    assert on_host.run(bundle("cat /mnt/file /mnt/sub/file", rbind(tree, "/mnt"))).lines() == ["outer", "inner"]


def test_a_bind_of_a_file(oci, bundle):
    source = os.path.join(oci.scratch(), "file")
    with open(source, "w", encoding="utf-8") as file:
        file.write("outside\n")
    made = bundle("cat /mnt/deep/er/file; echo inside >/mnt/deep/er/file", {**RW, **bind(source, "/mnt/deep/er/file")})
    assert oci.run(made).ok() == "outside"
    assert machine.read(source) == "inside\n"
    # the place it lies on was made in the root, empty
    assert made.read("/mnt/deep/er/file") == ""


def test_a_relative_source_is_the_bundles(oci, bundle):
    made = bundle("cat /mnt/file", bind("data", "/mnt"))
    os.mkdir(f"{made.path}/data")
    with open(f"{made.path}/data/file", "w", encoding="utf-8") as file:
        file.write("mine\n")
    assert oci.run(made).ok() == "mine"


def test_places_are_made(oci, bundle):
    made = bundle("stat -c %a /a /a/b; stat -c %a /a/b/c", {**RW, **tmpfs("/a/b/c", "mode=710")})
    assert oci.run(made).lines() == ["755", "755", "710"]


def test_options_of_the_file_system(oci, bundle):
    here = options_of(oci, bundle("cat /proc/self/mountinfo", tmpfs("/mnt", "size=64k", "nr_inodes=77", "mode=0701", "uid=5", "gid=6")))
    assert {"size=64k", "nr_inodes=77", "mode=701", "uid=5", "gid=6"} <= here["/mnt"][4]


@pytest.mark.parametrize("option", ["sync", "dirsync", "lazytime"])
def test_flags_of_the_superblock(oci, bundle, option):
    here = options_of(oci, bundle("cat /proc/self/mountinfo", tmpfs("/mnt", option)))
    assert option in here["/mnt"][0] | here["/mnt"][4]


def test_a_remount(oci, bundle):
    edits = tmpfs("/mnt", "size=64k")
    made = bundle("cat /proc/self/mountinfo", edits)
    made.edit({"mounts/-": {"destination": "/mnt", "type": "bind", "options": ["bind", "remount", "ro", "nosuid"]}})
    here = options_of(oci, made)
    assert {"ro", "nosuid"} <= here["/mnt"][0]


def test_a_remount_of_what_is_no_mount(oci, bundle):
    made = bundle("true", {"mounts/-": {"destination": "/mnt", "type": "bind", "options": ["bind", "remount", "ro"]}})
    oci.run(made).failed(1, "/mnt")


def test_sources_and_types_are_seen(oci, bundle):
    here = options_of(oci, bundle("cat /proc/self/mountinfo", {"mounts/-": {
        "destination": "/mnt", "type": "tmpfs", "source": "my-name", "options": []}}))
    assert here["/mnt"][2:4] == ("tmpfs", "my-name")


def test_an_overlay(oci, bundle):
    base = oci.scratch()
    for name in ("low1", "low2", "up", "work"):
        os.mkdir(f"{base}/{name}")
        with open(f"{base}/{name}/{name}", "w", encoding="utf-8") as file:
            file.write(name)
    made = bundle("ls /mnt; touch /mnt/new", {"mounts/-": {
        "destination": "/mnt", "type": "overlay", "source": "overlay",
        "options": [f"lowerdir={base}/low1:{base}/low2", f"upperdir={base}/up", f"workdir={base}/work"]}})
    assert oci.run(made).lines() == ["low1", "low2", "up"]
    assert os.path.exists(f"{base}/up/new")


def test_an_overlay_of_many_layers(oci, bundle):
    base = oci.scratch()
    lowers = [f"{base}/{'long' * 20}{i}" for i in range(20)]
    for number, path in enumerate(lowers):
        os.mkdir(path)
        with open(f"{path}/{number}", "w", encoding="utf-8") as file:
            file.write("x")
    made = bundle("ls /mnt | wc -l", {"mounts/-": {
        "destination": "/mnt", "type": "overlay", "source": "overlay", "options": ["lowerdir=" + ":".join(lowers)]}})
    assert oci.run(made).ok() == "20"


def test_proc_with_options(oci, bundle):
    here = options_of(oci, bundle("cat /proc/self/mountinfo", {"mounts/0/options": ["nosuid", "noexec", "nodev", "hidepid=2"]}))
    assert here["/proc"][4] & {"hidepid=2", "hidepid=invisible"} and {"nosuid", "noexec", "nodev"} <= here["/proc"][0]
    here = options_of(oci, bundle("cat /proc/self/mountinfo"))
    assert not {"nosuid", "noexec", "nodev"} & here["/proc"][0]


def test_proc_read_only(oci, bundle):
    here = options_of(oci, bundle("cat /proc/self/mountinfo", {"mounts/0/options": ["ro"]}))
    assert "ro" in here["/proc"][0]


def test_dev_read_only(oci, bundle):
    """Its nodes are made all the same."""
    made = bundle("echo x >/dev/null && ls /dev/pts/ptmx && touch /dev/new",
                  {"mounts/1/options": ["nosuid", "ro", "mode=755", "size=65536k"]})
    done = oci.run(made)
    assert done.status == 1 and "/dev/pts/ptmx" in done.out and "Read-only" in done.err


def test_a_read_only_tmpfs_takes_mounts(oci, bundle):
    made = bundle("touch /mnt/a/x && ! touch /mnt/x", tmpfs("/mnt", "ro"))
    made.edit(tmpfs("/mnt/a"))
    oci.run(made).ok()


# ---- modes, tmpcopyup ----

def test_a_tmpfs_has_the_mode_of_what_it_covers(oci, bundle):
    made = bundle("stat -c %a /srv /mnt")
    made.edit(tmpfs("/srv")).edit(tmpfs("/mnt", "mode=700"))
    os.mkdir(f"{made.rootfs}/srv")
    os.chmod(f"{made.rootfs}/srv", 0o2750)
    os.chmod(f"{made.rootfs}/mnt", 0o711)
    assert oci.run(made).lines()[0] in ("2750", "750")
    assert oci.run(made).lines()[1] == "700"


def test_copy_up(oci, bundle):
    made = bundle("cat /srv/a/file; stat -c '%a %u:%g' /srv/a /srv/a/file; readlink /srv/link; echo new >/srv/new; rm /srv/link",
                  tmpfs("/srv", "tmpcopyup", "size=1m"))
    os.makedirs(f"{made.rootfs}/srv/a")
    made.file("/srv/a/file", "text\n", 0o4644)
    os.chown(f"{made.rootfs}/srv/a", 3, 4)
    os.chown(f"{made.rootfs}/srv/a/file", 5, 6)
    os.chmod(f"{made.rootfs}/srv/a/file", 0o4644)
    os.symlink("a/file", f"{made.rootfs}/srv/link")
    assert oci.run(made).lines() == ["text", "755 3:4", "4644 5:6", "a/file"]
    assert sorted(os.listdir(f"{made.rootfs}/srv")) == ["a", "link"]


def test_copy_up_follows_nothing(oci, bundle):
    secret = os.path.join(oci.scratch(), "secret")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("secret")
    made = bundle("ls -l /srv; cat /srv/a /srv/b/secret", tmpfs("/srv", "tmpcopyup"))
    os.mkdir(f"{made.rootfs}/srv")
    os.symlink(secret, f"{made.rootfs}/srv/a")
    os.symlink(os.path.dirname(secret), f"{made.rootfs}/srv/b")
    os.mkfifo(f"{made.rootfs}/srv/pipe")
    done = oci.run(made)
    assert "secret" not in done.out.replace(secret, "").replace(os.path.dirname(secret), "")
    assert done.err.count("can't open") == 2


def test_copy_up_of_what_does_not_fit(oci, bundle):
    made = bundle("true", tmpfs("/srv", "tmpcopyup", "size=4k"))
    os.mkdir(f"{made.rootfs}/srv")
    made.file("/srv/large", "x" * 100000)
    oci.run(made).failed(1, "no space left")


def test_copy_up_of_what_is_not_there(oci, bundle):
    assert oci.run(bundle("ls /srv", {**RW, **tmpfs("/srv", "tmpcopyup")})).ok() == ""


# ---- devices ----

def device(path, kind="c", major=1, minor=3, **more):
    return {"path": path, "type": kind, "major": major, "minor": minor, **more}


def test_default_devices(oci, bundle):
    lines = oci.run(bundle("stat -c '%n %F %t:%T %a %u:%g' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty; "
                           "for f in ptmx fd stdin stdout stderr; do readlink /dev/$f; done")).lines()
    numbers = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9", "tty": "5:0"}
    assert lines[:6] == [f"/dev/{name} character special file {number} 666 0:0" for name, number in numbers.items()]
    assert lines[6:] == ["pts/ptmx", "/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"]


def test_devices(oci, bundle):
    made = bundle("umask 077; stat -c '%n %F %t:%T %a %u:%g' /dev/my/null /dev/disk /dev/pipe", {"linux/devices": [
        device("/dev/my/null", fileMode=0o640, uid=7, gid=8), device("/dev/disk", "b", 7, 260, fileMode=0o600),
        {"path": "/dev/pipe", "type": "p", "fileMode": 0o622}]})
    assert oci.run(made).lines() == ["/dev/my/null character special file 1:3 640 7:8",
                                     "/dev/disk block special file 7:104 600 0:0", "/dev/pipe fifo 0:0 622 0:0"]


def test_a_device_in_place_of_a_default_one(oci, bundle):
    made = bundle("stat -c '%a %u' /dev/zero", {"linux/devices": [device("/dev/zero", minor=5, fileMode=0o600, uid=9, gid=9)]})
    assert oci.run(made).ok() == "600 9"


def test_a_device_that_is_there(oci, bundle):
    """On a root that has its own /dev, a second time as well."""
    made = bundle("stat -c '%t:%T' /dev/null /dev/mine", {**RW, "linux/devices": [device("/dev/mine")]})
    made.config["mounts"] = [m for m in made.config["mounts"] if not m["destination"].startswith("/dev")]
    assert oci.run(made).lines() == ["1:3", "1:3"]
    assert stat.S_ISCHR(os.stat(f"{made.rootfs}/dev/mine").st_mode)
    assert oci.run(made).lines() == ["1:3", "1:3"]


@pytest.mark.parametrize("what", ["file", "dir", "link", "other"])
def test_what_stands_in_a_devices_place(oci, bundle, what, ours):
    """An image's own idea of /dev/null is no /dev/null."""
    made = bundle("true", RW)
    made.config["mounts"] = [m for m in made.config["mounts"] if not m["destination"].startswith("/dev")]
    path = f"{made.rootfs}/dev/null"
    if what == "file":
        made.file("/dev/null")
    elif what == "dir":
        os.mkdir(path)
    elif what == "link":
        os.symlink("/etc/passwd", path)
    else:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    oci.run(made).failed(1, "/dev/null")


# ---- covers ----

def test_masked_paths(oci, bundle):
    made = bundle("cat /etc/secret; ls /srv; echo x >/etc/secret; touch /srv/x",
                  {**RW, "linux/maskedPaths": ["/etc/secret", "/srv", "/not/there"]})
    made.file("/etc/secret", "secret")
    made.file("/srv/file", "secret")
    done = oci.run(made)
    assert done.out == "" and "secret" not in done.out
    assert made.read("/etc/secret") == "secret" and os.listdir(f"{made.rootfs}/srv") == ["file"]


def test_read_only_paths(on_host, bundle, tree):
    made = bundle("cat /etc/conf; cat /mnt/sub/file; for f in /etc/conf /srv/x /mnt/x /mnt/sub/x; do touch $f || echo no; done",
                  {**RW, **rbind(tree, "/mnt"), "linux/readonlyPaths": ["/etc/conf", "/srv", "/mnt", "/not/there"]})
    made.file("/etc/conf", "conf\n")
    os.mkdir(f"{made.rootfs}/srv")
    done = on_host.run(made)
    assert done.out.splitlines()[:2] == ["conf", "inner"]
    assert done.out.count("no") == 4 or not on_host.is_ours


# ---- errors ----

def test_an_error_names_the_mount(oci, bundle, ours):
    number = len(bundle().config["mounts"])
    for edits in (bind("/no/such/source", "/mnt"), tmpfs("/mnt", "no-such-option"), bind("/etc/hostname", "/mnt"),
                  {"mounts/-": {"destination": "/mnt", "type": "nosuchfs", "source": "x"}}):
        oci.run(bundle("true", edits)).failed(1, f"/mounts/{number}")


@pytest.mark.parametrize("edits, text", [
    (bind("/no/such/source", "/mnt"), "no such file or directory"),
    (tmpfs("/mnt", "no-such-option"), "invalid argument"),
    ({"mounts/-": {"destination": "/mnt", "type": "nosuchfs", "source": "x"}}, "no such device"),
])
def test_mounts_that_can_not_be(oci, bundle, edits, text):
    oci.run(bundle("true", edits)).failed(1, text)
