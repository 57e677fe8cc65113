# SPDX-License-Identifier: Apache-2.0
"""What articles on pid namespaces show, on this kernel, with nook."""

import signal

import machine


def test_pid_1_inside_is_another_pid_outside(nook):
    """The first process inside is pid 1; the host sees the same process under another number, and both at once."""
    with nook.background("echo $$; exec sleep 1000", "--no-init") as one:
        assert one.first == "1"
        assert one.pid != 1
        assert machine.status(one.pid)["NSpid"].split()[0] == str(one.pid)
        assert machine.status(one.pid)["NSpid"].split()[-1] == "1"


def test_the_end_of_pid_1_ends_all_inside(nook):
    """The kernel kills every process of a pid namespace when its pid 1 ends."""
    with nook.background("sleep 1000 & sleep 1000 & echo ready; exec sleep 1000", "--no-init") as one:
        inside = one.inside()
        assert len(inside) == 3
        machine.libc.kill(one.pid, signal.SIGKILL)
        assert one.wait() == 128 + signal.SIGKILL
        machine.wait_until(lambda: all(machine.state_of(pid) is None for pid in inside), what="the end of all inside")


def test_pid_1_ignores_signals_from_inside_that_it_has_no_handler_for(nook):
    """Inside, even SIGKILL to pid 1 does nothing; the parent outside may."""
    assert nook.run("--no-init", "--", "sh", "-c", "kill -9 1; kill -15 1; echo alive").ok() == "alive"


def test_an_orphan_is_adopted_by_pid_1(nook):
    """When its parent ends, a process inside gets the container's pid 1 as parent, not the host's."""
    script = "sh -c 'sleep 1000 & echo $!' >/tmp/pid; ps -o ppid= -p $(cat /tmp/pid)"
    assert nook.sh(script, "--tmpfs", "/tmp").ok().strip() == "1"


def test_an_adopted_orphan_leaves_no_zombie(nook):
    """nook's init reaps what it adopted; a pid 1 that doesn't collects zombies, which --no-init shows."""
    script = ("sh -c 'sleep 0.1 & echo $! >/tmp/pid'; i=0; "
              "while test -d /proc/$(cat /tmp/pid) && test $i -lt 20; do sleep 0.1; i=$((i+1)); done; "
              "grep -s State /proc/$(cat /tmp/pid)/status || echo gone")
    assert nook.sh(script, "--tmpfs", "/tmp", "--init").ok() == "gone"
    stubborn = f'import subprocess; print(subprocess.run(["sh", "-c", """{script}"""], stdout=-1).stdout.decode())'
    out = nook.run("--tmpfs", "/tmp", "--no-init", "--", "python3", "-c", stubborn).ok()
    assert "Z (zombie)" in out


def test_processes_of_the_host_do_not_show(nook):
    """A new /proc shows the new pid namespace's processes and no other."""
    with nook.background() as one:
        pids = [int(name) for name in nook.run("--", "ls", "/proc").ok().split() if name.isdigit()]
        assert max(pids) < 10 and one.pid not in pids


def test_an_inner_namespace_nests(root_nook):
    """A container inside of a container: three numbers for one process."""
    script = "exec unshare --pid --fork sh -c 'echo ready; exec sleep 1000'"
    with root_nook.background(script, "--cap-add", "sys_admin", "--seccomp", "off") as one:
        innermost = one.inside()[-1]
        numbers = machine.status(innermost)["NSpid"].split()
        assert len(numbers) == 3 and numbers[-1] == "1"
