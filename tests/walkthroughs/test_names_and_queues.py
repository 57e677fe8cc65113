# SPDX-License-Identifier: Apache-2.0
"""What articles on uts, ipc and time namespaces show, on this kernel, with nook."""

import re
import time

import machine


def test_the_hostname_inside_changes_nothing_outside(nook):
    """sethostname(2) inside, by one who may: the host keeps its name."""
    before = nook.outside("uname", "-n").ok()
    script = "hostname changed-inside && uname -n"
    assert nook.sh(script, "--cap-add", "sys_admin", "--seccomp", "off").ok() == "changed-inside"
    assert nook.outside("uname", "-n").ok() == before


def test_a_queue_and_a_semaphore_made_inside_are_not_in_the_hosts_list(nook):
    """ipcmk inside; ipcs outside does not list it, and the ids are gone with the namespace."""
    before = machine.read("/proc/sysvipc/msg"), machine.read("/proc/sysvipc/sem"), machine.read("/proc/sysvipc/shm")
    with nook.background("ipcmk -Q >/dev/null; ipcmk -S 3 >/dev/null; ipcmk -M 4096 >/dev/null; echo ready; exec sleep 1000") as one:
        inside = nook.cmd("exec", one.name, "ipcs").ok()
        assert len(re.findall(r"^0x", inside, re.M)) == 3
        assert (machine.read("/proc/sysvipc/msg"), machine.read("/proc/sysvipc/sem"), machine.read("/proc/sysvipc/shm")) == before
    assert len(re.findall(r"^0x", nook.run("--", "ipcs").ok(), re.M)) == 0


def test_a_queue_of_the_host_is_not_seen_inside(nook):
    """The other way: what the host made is not listed inside, and its id leads nowhere there."""
    made = nook.outside("ipcmk", "-Q").ok().split()[-1]
    try:
        assert made in nook.outside("ipcs", "-q").ok().split()
        assert len(re.findall(r"^0x", nook.run("--", "ipcs", "-q").ok(), re.M)) == 0
    finally:
        nook.outside("ipcrm", "-q", made)


def test_the_uptime_of_a_time_namespace(nook):
    """A machine that says it has run for a hundred days more; the calendar's clock is the same."""
    offset = 100 * 86400
    up, now = nook.sh("cut -d' ' -f1 /proc/uptime; date +%s", "--boottime", str(offset)).lines()
    assert abs(float(up) - offset - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5
    assert abs(int(now) - time.time()) < 5
    assert float(machine.read("/proc/uptime").split()[0]) < float(up) - offset + 5
