# SPDX-License-Identifier: Apache-2.0
"""A root of one's own: a directory (--root), or layers (--layer)."""

import os
import shutil

import machine
import pytest
import rootfs

pytestmark = pytest.mark.quick


def test_root_is_the_directory(nook, busybox_root):
    root = busybox_root(nook)
    rootfs.write(f"{root}/etc/mark", "here\n")
    assert nook.run("--root", root, "--", "cat", "/etc/mark").ok() == "here"


def test_root_is_written_through(nook, busybox_root):
    root = busybox_root(nook)
    nook.sh("echo written >/etc/new; rm /etc/group; mkdir /srv", "--root", root).ok()
    assert nook.outside("cat", f"{root}/etc/new").ok() == "written"
    assert not os.path.exists(f"{root}/etc/group")
    assert os.path.isdir(f"{root}/srv")


def test_what_root_writes_is_owned_by_the_caller(nook, busybox_root):
    root = busybox_root(nook)
    nook.sh("touch /etc/new; stat -c %u:%g /etc/new", "--root", root).ok()
    assert nook.outside("stat", "-c", "%u:%g", f"{root}/etc/new").ok() == f"{nook.account.uid}:{nook.account.gid}"


def test_owners_inside_are_those_of_the_directory(root_nook, busybox_root):
    """An idmapped mount: nothing is chowned."""
    root = busybox_root(root_nook)
    os.chown(f"{root}/tmp", 1000, 1000)
    assert root_nook.run("--root", root, "--", "stat", "-c", "%u:%g", "/etc", "/tmp").lines() == ["0:0", "1000:1000"]
    assert (os.stat(f"{root}/etc").st_uid, os.stat(f"{root}/tmp").st_uid) == (0, 1000)


def test_mount_points_that_root_lacks_are_made_or_done_without(nook, busybox_root):
    root = nook.own(rootfs.make(nook.scratch("bare"), dirs=()))
    assert nook.sh("test -d /proc/1 && test -c /dev/null && echo ok", "--root", root).ok() == "ok"


def test_a_read_only_root(nook, busybox_root):
    root = busybox_root(nook)
    assert "Read-only" in nook.sh("touch /etc/new 2>&1; true", "--root", root, "--read-only").ok()
    assert not os.path.exists(f"{root}/etc/new")


def test_a_relative_root_is_relative_to_the_caller(nook, busybox_root):
    root = busybox_root(nook)
    assert nook.run("--root", "./" + os.path.basename(root), "--", "echo", "ok", cwd=os.path.dirname(root)).ok() == "ok"


def test_a_symlink_to_a_root(nook, busybox_root):
    root = busybox_root(nook)
    link = f"{nook.scratch()}/link"
    os.symlink(root, link)
    assert nook.run("--root", link, "--", "echo", "ok").ok() == "ok"


def test_symlinks_in_the_root_stay_in_the_root(nook, busybox_root):
    """/dev, /proc and /etc of a hostile root lead out: nook's mounts must not follow."""
    root = busybox_root(nook)
    outside = nook.scratch("outside")
    shutil.rmtree(f"{root}/sys")
    os.symlink(outside, f"{root}/sys")
    nook.own(root)
    nook.run("--root", root, "--", "true")
    assert os.listdir(outside) == []


def test_two_containers_use_one_root(nook, busybox_root):
    root = busybox_root(nook)
    with nook.background("echo ready; exec sleep 1000", "--root", root):
        assert nook.run("--root", root, "--", "echo", "two").ok() == "two"


def test_the_machines_root_by_hand_is_the_real_one(root_nook):
    """--root / is written through: it's what was asked. Only looked at here, with nothing hidden."""
    out = root_nook.sh("cat /etc/shadow; touch /x 2>&1", "--root", "/", "--read-only", "--userns", "host").out
    assert out.startswith(machine.read("/etc/shadow")) and "Read-only file system" in out


@pytest.mark.parametrize("words, named", [
    (["--root", "/no/such"], "/no/such"),
    (["--root", "/etc/passwd"], "/etc/passwd"),
    (["--root", ""], "--root"),
    (["--layer", "/no/such"], "/no/such"),
    (["--layer", "/etc/passwd"], "/etc/passwd"),
    (["--root", "/usr", "--layer", "/usr"], "--layer"),
    (["--root", "/usr", "--changes", "/tmp/x"], "--changes"),
    (["--changes", "/etc/passwd"], "/etc/passwd"),
])
def test_bad_roots_are_refused(nook, words, named):
    nook.run(*words, "true").failed(125, named)


# ---- layers ----

def layers(nook, *files):
    """The busybox root as the lowest layer, and one layer a dict of files above it."""
    options = ["--layer", nook.own(rootfs.make(nook.scratch("layer")))]
    for each in files:
        options += ["--layer", nook.own(rootfs.tree(nook.scratch("layer"), each))]
    return options


def test_the_last_layer_is_on_top(nook):
    options = layers(nook, {"etc/x": "one\n", "etc/one": "1\n"}, {"etc/x": "two\n", "etc/two": "2\n"})
    assert nook.run(*options, "--", "cat", "/etc/x", "/etc/one", "/etc/two").lines() == ["two", "1", "2"]


def test_one_layer_alone(nook):
    assert nook.sh("echo ok", *layers(nook)).ok() == "ok"


def test_layers_are_not_written(nook):
    options = layers(nook, {"etc/x": "one\n"})
    assert nook.sh("echo new >/etc/x; touch /etc/y; rm /etc/group; cat /etc/x", *options).ok() == "new"
    assert open(f"{options[3]}/etc/x").read() == "one\n"
    assert os.path.exists(f"{options[1]}/etc/group") and not os.path.exists(f"{options[3]}/etc/y")


def test_what_is_written_is_thrown_away(nook):
    options = layers(nook)
    nook.sh("touch /etc/y", *options).ok()
    assert nook.sh("test -e /etc/y", *options).status == 1


def test_changes_keep_files_and_deletions(nook):
    options = layers(nook, {"etc/x": "one\n"}) + ["--changes", nook.scratch("changes")]
    nook.sh("rm /etc/x; rm -r /var; mkdir /var; touch /var/new; echo new >/etc/y", *options).ok()
    script = "cat /etc/y; ls /var; test -e /etc/x || echo gone"
    assert nook.sh(script, *options).lines() == ["new", "new", "gone"]
    nook.sh("echo back >/etc/x", *options).ok()
    assert nook.sh("cat /etc/x", *options).ok() == "back"
    assert nook.sh("cat /etc/x", *options[:-2]).ok() == "one"


def test_a_touched_file_lands_in_the_changes(nook):
    changes = nook.scratch("changes")
    nook.sh("touch /etc/touched-here", *layers(nook), "--changes", changes).ok()
    assert [files for _, _, files in os.walk(changes) if files] == [["touched-here"]]


def test_owners_of_layers_are_kept(root_nook):
    options = layers(root_nook, {"home/app/x": "x\n"})
    os.chown(f"{options[3]}/home/app/x", 1000, 1000)
    script = "stat -c %u:%g /home/app/x /etc; echo more >>/home/app/x; stat -c %u:%g /home/app/x"
    assert root_nook.sh(script, *options).lines() == ["1000:1000", "0:0", "1000:1000"]


def test_read_only_layers(nook):
    assert "Read-only" in nook.sh("touch /x 2>&1; true", *layers(nook), "--read-only").ok()


def test_500_layers(nook):
    """As many as the kernel's overlay takes."""
    options = layers(nook, *({f"n/{number}": f"{number}\n", "top": f"{number}\n"} for number in range(1, 500)))
    assert len(options) == 1000
    assert nook.sh("cat /top; ls /n | wc -l; cat /n/1 /n/250 /n/499", *options).lines() == ["499", "499", "1", "250", "499"]


def test_too_many_layers_are_refused(nook):
    """Before anything is made, with the number that would do."""
    options = layers(nook)
    nook.run(*options * 501, "true").failed(125, "500")


def test_a_layer_twice_is_refused_or_harmless(nook):
    """overlay says ELOOP for the same directory twice: nook says which."""
    options = layers(nook)
    result = nook.run(*options, *options, "--", "echo", "ok")
    assert result.status == 0 or result.failed(125, options[1])


@pytest.mark.parametrize("name", ["with space", "with:colon", "with,comma", "with\\backslash", "ümlaut", "-dash", "new\nline"])
def test_odd_names_of_layers(nook, name):
    """Overlay's old option string cannot hold some of these; nook does not use it where the kernel has lowerdir+."""
    odd = f"{nook.scratch()}/{name}"
    rootfs.make(odd)
    nook.own(odd)
    assert nook.run("--layer", odd, "--", "echo", "ok").ok() == "ok"
    assert nook.run("--root", odd, "--", "echo", "ok").ok() == "ok"
