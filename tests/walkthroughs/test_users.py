# SPDX-License-Identifier: Apache-2.0
"""What articles on user namespaces show, on this kernel, with nook."""

import os

import machine
import pytest


def test_the_ordinary_user_is_root_inside_and_has_no_power_outside(user_nook, lab):
    """uid 0 inside with capabilities, the same uid as ever outside: what only root may read stays closed."""
    with user_nook.background("echo $(id -u); exec sleep 1000", "--cap-add", "all") as one:
        assert one.first == "0"
        outside = machine.status(one.inside()[-1])
        assert outside["Uid"].split() == [str(lab.USER)] * 4
        assert int(outside["CapEff"], 16) != 0
    tries = "cat /root/secret; cat /etc/shadow-; echo x >/proc/sys/kernel/hostname-not-mine; mknod /tmp/sda b 8 0"
    result = user_nook.sh(f"({tries}) 2>/dev/null; true", "--cap-add", "all", "--expose", "/root", "--expose", "/etc/shadow-")
    assert lab.CANARY not in result.out


def test_a_file_made_by_root_inside_is_the_users_outside(user_nook, lab):
    """The same inode, two owners: 0 inside, the caller outside."""
    folder = user_nook.scratch()
    assert user_nook.sh("touch /data/mine; stat -c %u /data/mine", "--volume", f"{folder}:/data").ok() == "0"
    assert os.stat(f"{folder}/mine").st_uid == lab.USER


def test_capabilities_inside_are_none_over_the_host(user_nook):
    """CAP_SYS_TIME, CAP_SYS_MODULE and CAP_SYS_BOOT are shown, but the host's clock is not in this user namespace."""
    code = "import time\ntry:\n time.clock_settime(time.CLOCK_REALTIME, 0)\nexcept PermissionError: print('refused')"
    assert user_nook.run("--cap-add", "all", "--seccomp", "off", "--", "python3", "-c", code).ok() == "refused"


def test_ids_that_are_not_in_the_map_show_as_nobody(root_nook):
    """The overflow id 65534 stands for all that has no name inside."""
    assert root_nook.run("--", "stat", "-c", "%u", "/proc/sys").ok() == "65534"


def test_a_process_of_the_host_cannot_be_signalled_from_inside(root_nook):
    """Its own user namespace, though it is root outside too: no power over the caller's other processes."""
    code = f"import os\ntry:\n os.kill({os.getpid()}, 0)\nexcept (PermissionError, ProcessLookupError): print('refused')"
    assert root_nook.run("--share", "pid", "--", "python3", "-c", code).ok() == "refused"


@pytest.mark.parametrize("who", ["root", "user"])
def test_namespaces_are_owned_by_the_containers_user_namespace(make_nook, who):
    """So that root inside has power over its own network, and over no other."""
    nook = make_nook(who)
    out = nook.run("--cap-add", "net_admin", "--", "ip", "link", "add", "dummy0", "type", "dummy")
    up = nook.run("--cap-add", "net_admin", "--", "ip", "addr", "add", "10.9.9.9/32", "dev", "lo")
    assert up.status == 0, up
    assert out.status == 0 or "Unknown device type" in out.err, out
