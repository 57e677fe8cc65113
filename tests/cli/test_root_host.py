# SPDX-License-Identifier: Apache-2.0
"""The default root: the machine's own files, copy-on-write, without its secrets."""

import os

import machine
import pytest

pytestmark = pytest.mark.quick


@pytest.fixture
def with_owners():
    """Skips where the machine's files can't be shown with the container's ids: there they are nobody's, for its root too."""
    roots = [line for line in machine.read("/proc/self/mountinfo").splitlines() if line.split()[4] == "/"]
    if roots[-1].split(" - ")[1].startswith("overlay "):
        pytest.skip("/ is an overlay, on which no ids can be mapped")


def test_it_is_the_machines_root(nook):
    assert nook.run("--", "cat", "/etc/os-release").out == machine.read("/etc/os-release")
    assert nook.sh("command -v python3").ok() == "/usr/bin/python3"


def test_what_is_written_inside_stays_inside(nook):
    path = f"/etc/nook-test-{os.getpid()}"
    assert nook.sh(f"echo inside >{path} && cat {path}").ok() == "inside"
    assert nook.outside("ls", path, check=False).status != 0
    assert not os.path.exists(path)


def test_a_file_of_the_host_is_changed_inside_only(root_nook, with_owners):
    before = machine.read("/etc/os-release")
    assert root_nook.sh("echo changed >>/etc/os-release && tail -n1 /etc/os-release").ok() == "changed"
    assert machine.read("/etc/os-release") == before


def test_a_file_of_the_host_is_replaced_inside_only(nook):
    """As sed -i, editors and package managers do: an ordinary user can do this to a file that is not its own, too."""
    before = nook.outside("cat", "/etc/passwd").ok()
    script = "sed -i 's/^root:/toor:/' /etc/passwd && head -c5 /etc/passwd"
    assert nook.sh(script).ok() == "toor:"
    assert nook.outside("cat", "/etc/passwd").ok() == before


def test_a_file_of_the_host_is_deleted_inside_only(nook):
    assert nook.sh("rm /etc/os-release /usr/lib/os-release && ls /etc/os-release 2>&1 | grep -c 'No such'").ok() == "1"
    assert os.path.exists("/usr/lib/os-release")


def test_a_directory_of_the_host_is_renamed_inside_only(root_nook, with_owners):
    root_nook.sh("mv /etc/default /etc/moved && test -d /etc/moved && test ! -e /etc/default").ok()
    assert os.path.isdir("/etc/default")


def test_the_next_container_starts_afresh(nook):
    nook.sh("touch /usr/made").ok()
    assert nook.sh("test -e /usr/made").status == 1


def test_files_show_as_owned_by_root(root_nook, with_owners):
    assert root_nook.run("--", "stat", "-c", "%u:%g", "/", "/etc", "/usr/bin/sh", "/etc/passwd").lines() == ["0:0"] * 4


def test_what_is_written_keeps_owner_and_mode(root_nook):
    script = "umask 022; echo >/etc/new; chmod 640 /etc/new; chown 33:33 /etc/new; stat -c '%u:%g %a' /etc/new"
    assert root_nook.sh(script).ok() == "33:33 640"


def test_setuid_programs_give_nothing(nook):
    """no_new_privs: a setuid program that another user inside starts runs as that user."""
    script = "cp /usr/bin/id /usr/bin/setuid-id && chmod 4755 /usr/bin/setuid-id && exec setpriv --reuid 33 --clear-groups setuid-id -u"
    assert nook.sh(script).ok() == "33"


# ---- secrets ----

SECRETS = ["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/ssh/ssh_host_test_key",
           "/etc/ssl/private/test.key", "/root/secret", "/home/nookother/secret"]


@pytest.mark.parametrize("path", SECRETS)
def test_a_secret_of_the_machine_is_not_there(lab_nook, lab, path):
    assert lab.CANARY in lab_nook.outside("cat", path).ok(), "the test's own canary"
    seen = lab_nook.sh(f"cat {path} 2>/dev/null; true").ok()
    assert lab.CANARY not in seen


def test_no_secret_is_anywhere_inside(lab_nook, lab):
    """Whatever path leads there: bind mounts, layers, /proc."""
    found = lab_nook.sh(f"grep -rls {lab.CANARY} /etc /root /home /run /mnt /media /srv /opt 2>/dev/null; true").ok()
    assert found == ""


def test_an_ordinary_user_sees_its_own_home_only(user_nook, lab):
    seen = user_nook.sh("cat /home/nooktest/secret; cat /home/nookother/secret 2>/dev/null; true").ok()
    assert seen == lab.CANARY


def test_accounts_are_there_with_locked_passwords(root_nook):
    rows = [line.split(":") for line in root_nook.run("--", "cat", "/etc/shadow").lines()]
    names = [line.split(":")[0] for line in machine.read("/etc/passwd").splitlines()]
    assert {row[0] for row in rows} == set(names)
    assert all(row[1][:1] in ("*", "!") for row in rows)


def test_a_hidden_home_is_an_empty_directory_to_work_in(root_nook):
    assert root_nook.sh("ls -A /root; cd && pwd && touch x && ls").lines() == ["/root", "x"]


def test_nooks_own_data_is_hidden(nook):
    with nook.background() as other:
        assert nook.sh(f"grep -rl {other.name} /run /var/lib /tmp/nook-* 2>/dev/null; true").ok() == ""


@pytest.mark.parametrize("path", ["/etc/shadow", "/root", "/home/nookother", "/etc/ssl/private"])
def test_expose_brings_one_back(lab_nook, lab, path):
    found = lab_nook.sh(f"grep -rlsE {lab.CANARY} {path}; true", "--expose", path).ok()
    assert found.startswith(path)


def test_expose_brings_back_no_other(lab_nook, lab):
    found = lab_nook.sh(f"grep -rls {lab.CANARY} /etc /root /home; true", "--expose", "/root").ok()
    assert found == "/root/secret"


def test_an_exposed_file_is_copy_on_write_too(lab_nook, lab):
    assert lab_nook.sh("echo gone >/root/secret; cat /root/secret", "--expose", "/root").ok() == "gone"
    assert lab_nook.outside("cat", "/root/secret").ok() == lab.CANARY


@pytest.mark.parametrize("path", ["/usr/share/doc", "/etc/os-release", "/opt"])
def test_hide_takes_more_away(nook, path):
    seen = nook.sh(f"find {path} -mindepth 1 2>/dev/null | head -n1; cat {path} 2>/dev/null; true", "--hide", path).ok()
    assert seen == ""


@pytest.mark.parametrize("words, named", [
    (["--hide", "relative"], "relative"),
    (["--expose", "relative"], "relative"),
    (["--hide", "/no/such/path"], "/no/such/path"),
    (["--expose", "/no/such/path"], "/no/such/path"),
    (["--hide", "/"], "--hide"),
    (["--root", "/usr", "--hide", "/etc"], "--hide"),
    (["--root", "/usr", "--expose", "/etc/shadow"], "--expose"),
])
def test_what_cannot_be_hidden_or_exposed_is_refused(nook, words, named):
    nook.run(*words, "true").failed(125, named)


def test_an_ordinary_user_cannot_read_more_than_before(user_nook, lab):
    """Root inside, but the file system still knows who that is outside."""
    assert user_nook.sh("cat /root/secret 2>/dev/null; cat /etc/shadow- 2>/dev/null; true", "--expose", "/root").ok() == ""


def test_run_and_tmp_are_the_containers_own(nook):
    """The host's sockets, locks and other people's files are there."""
    assert nook.sh("ls -A /run /tmp; stat -f -c %T /run /tmp; stat -c %a /tmp").lines() == [
        "/run:", "", "/tmp:", "tmpfs", "tmpfs", "1777"]


# ---- kept changes ----

def test_changes_are_kept_for_the_next_run(nook):
    changes = nook.scratch("changes")
    nook.sh("echo kept >/etc/kept; rm /etc/os-release", "--changes", changes).ok()
    assert nook.sh("cat /etc/kept; test -e /etc/os-release || echo gone", "--changes", changes).lines() == ["kept", "gone"]
    assert nook.sh("test -e /etc/kept").status == 1
    assert not os.path.exists("/etc/kept")


def test_changes_make_their_directory(nook):
    parent = nook.scratch("parent")
    nook.sh("echo kept >/etc/kept", "--changes", f"{parent}/new").ok()
    assert nook.sh("cat /etc/kept", "--changes", f"{parent}/new").ok() == "kept"


def test_one_directory_of_changes_serves_one_container_at_a_time(nook):
    changes = nook.scratch("changes")
    with nook.background("echo ready; exec sleep 1000", "--changes", changes):
        nook.run("--changes", changes, "true").failed(125, changes)


def test_a_read_only_root(nook):
    """All of it, also where the host has more than one file system mounted."""
    script = "for dir in / /etc /usr /var /home /root /opt /srv; do touch $dir/x 2>&1; done; true"
    assert nook.sh(script, "--read-only").ok().count("Read-only file system") == 8


def test_a_read_only_root_over_several_file_systems(lab_nook):
    script = "for dir in / /etc /usr /var /home /root /opt /srv; do touch $dir/x 2>&1; done; true"
    assert lab_nook.sh(script, "--read-only").ok().count("Read-only file system") == 8


def test_a_read_only_root_has_writable_tmpfs_where_asked(nook):
    assert nook.sh("echo yes >/opt/x && cat /opt/x", "--read-only", "--tmpfs", "/opt").ok() == "yes"


# ---- no way out ----

def test_no_mount_of_the_old_root_is_reachable(nook):
    """A union is all that is seen of the host's disk: no mount inside is of the disk's own device."""
    mounts = [line.split() for line in nook.run("--", "cat", "/proc/self/mountinfo").lines()]
    disk = os.stat("/").st_dev
    assert [row[4] for row in mounts].count("/") == 1
    assert [row[4] for row in mounts if row[2] == f"{os.major(disk)}:{os.minor(disk)}"] == []


def test_the_root_has_no_parent(nook):
    found = nook.run("--", "stat", "-c", "%d:%i", "/", "/..", "/../../..").lines()
    assert len(found) == 3 and len(set(found)) == 1


def test_it_can_be_used_without_a_home(nook):
    assert nook.sh("pwd", env={"HOME": None}).status == 0
