# SPDX-License-Identifier: Apache-2.0
"""What articles on mount namespaces, unions and pivot_root show, on this kernel, with nook."""

import os

import machine
import rootfs

POWER = ["--cap-add", "sys_admin", "--seccomp", "off"]


def mount_points(nook):
    return nook.outside("cat", "/proc/self/mountinfo").ok()


def test_a_mount_inside_leaves_the_hosts_mount_table_alone(nook):
    """mount(8) inside: seen inside, and not outside while it lasts."""
    before = mount_points(nook)
    script = "mount -t tmpfs inner /mnt && grep -c ' /mnt .* - tmpfs inner ' /proc/self/mountinfo; echo; exec sleep 1000"
    with nook.background(script, *POWER) as one:
        assert one.first == "1"
        assert mount_points(nook) == before
    assert mount_points(nook) == before


def test_an_umount_inside_leaves_the_hosts_mount_table_alone(nook):
    """umount(8) of what nook mounted for the container: the host has its own /dev/shm still."""
    before = mount_points(nook)
    assert nook.sh("umount /dev/mqueue && grep -c ' /dev/mqueue ' /proc/self/mountinfo", *POWER).out == "0\n"
    assert mount_points(nook) == before


def test_a_union_of_a_read_only_layer_and_a_writable_one(nook):
    """A touched file lands in the writable layer; the layer below shows through and stays as it was."""
    lower = nook.own(rootfs.tree(rootfs.make(nook.scratch("lower")), {"etc/below": "below\n"}))
    changes = nook.scratch("changes")
    out = nook.sh("touch /etc/touched; cat /etc/below; ls /etc/touched", "--layer", lower, "--changes", changes).lines()
    assert out == ["below", "/etc/touched"]
    found = [os.path.join(where, "touched") for where, _, files in os.walk(changes) if "touched" in files]
    assert len(found) == 1
    assert sorted(os.listdir(f"{lower}/etc")) == ["below", "group", "passwd"]


def test_a_file_deleted_in_a_union_is_marked_in_the_writable_layer(nook):
    """A whiteout: the deletion is a mark above, nothing is deleted below."""
    lower = nook.own(rootfs.tree(rootfs.make(nook.scratch("lower")), {"etc/below": "below\n"}))
    changes = nook.scratch("changes")
    assert nook.sh("rm /etc/below; ls /etc/below 2>/dev/null; true", "--layer", lower, "--changes", changes).ok() == ""
    assert os.path.exists(f"{lower}/etc/below")
    assert nook.sh("test -e /etc/below", "--layer", lower, "--changes", changes).status == 1


def test_pivot_root_leaves_no_way_to_the_old_root(nook, busybox_root):
    """
    No path, no mount and no /proc link leads out, even for one with CAP_SYS_ADMIN and CAP_SYS_CHROOT: chroot's
    classic escape (a second chroot with the old directory kept, then `..`) ends at the container's root.
    """
    root = busybox_root(nook)
    rootfs.write(f"{root}/only-here", "x\n")
    escape = ("import os\nos.makedirs('/tmp/jail', exist_ok=True)\nfd = os.open('/', os.O_RDONLY)\nos.chroot('/tmp/jail')\n"
              "os.fchdir(fd)\n"
              "for _ in range(50): os.chdir('..')\nos.chroot('.')\nprint(sorted(os.listdir('/')) == sorted(os.listdir(fd)))")
    assert nook.run("--cap-add", "sys_chroot", *POWER, "--", "python3", "-c", escape).ok() == "True"
    out = nook.sh("cd / && cd ../../.. && ls only-here; cat /proc/self/mountinfo; ls -l /proc/1/root /proc/1/cwd 2>&1",
                  "--root", root, *POWER).ok()
    assert out.splitlines()[0] == "only-here"
    mounts = [line.split() for line in out.splitlines() if " - " in line]
    assert [row[4] for row in mounts].count("/") == 1
    parents = {row[0] for row in mounts}
    assert [row[4] for row in mounts if row[1] not in parents] == ["/"], "only the root has a parent that is not here"


def test_the_root_cannot_be_unmounted_to_bare_what_is_below(nook):
    """The old root was detached from below, not covered: umount of / finds nothing under it."""
    out = nook.sh("umount -l / 2>&1; ls /home/.. >/dev/null; cat /proc/self/mountinfo | wc -l", *POWER)
    assert out.status in (0, 1, 2, 127)
    assert "nook" not in out.out


def test_mounts_do_not_propagate_either_way(root_nook):
    """The host's new mounts don't appear in a running container, nor the other way."""
    folder = root_nook.scratch("shown")
    os.mkdir(f"{folder}/sub")
    with root_nook.background("echo ready; exec sleep 1000", "--volume", f"{folder}:/shown") as one:
        script = f"mount -t tmpfs none {folder}/sub && touch {folder}/sub/new && nsenter -t {one.pid} -m -- ls /shown/sub"
        seen = root_nook.outside("unshare", "-m", "--propagation", "private", "sh", "-c", script)
        assert seen.ok() == ""
        assert machine.state_of(one.pid) is not None
