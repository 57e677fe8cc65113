# SPDX-License-Identifier: Apache-2.0
"""Rules 5, 6, 9, 12 and 13 with nook-oci: what is seen of the runtime from inside, and what of the caller's comes along."""

import json
import os
import signal
import time

import machine
import oci as harness
import pytest
from hostile import ALL_CAPS, caps, userns

OWN_MAPS = userns(300000)
SPIES = {
    "root": {},
    "a user": {"process/user": {"uid": 1000, "gid": 1000}},
    "root of a user namespace": {**OWN_MAPS, **caps("SYS_PTRACE", "DAC_OVERRIDE", "KILL")},
}


def ours_of(made, first=300000):
    """A root file system that the container's own root owns."""
    for where, dirs, files in os.walk(made.rootfs):
        for name in dirs + files:
            os.lchown(os.path.join(where, name), first, first)
    os.lchown(made.rootfs, first, first)
    return made


def of_the_runtime(container):
    """What the spy has got hold of, up to now."""
    container.kill("KILL").ok()
    container.wait()
    lines = container.out().splitlines()
    assert lines[0] == "ready", lines
    return set(lines[1:])


# Every window is open for some milliseconds.
SLOWLY = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=setns,prctl,openat2,pivot_root:delay_exit=3000"]


def by_chance(run):
    """strace loses its way now and then, with what it has delayed: then it is tried again."""
    for _ in range(8):
        result = run()
        if "dispatch_event" not in result.err and "before it said why" not in result.err:
            return result.ok()
    pytest.skip("strace can't follow it here")


# ---- who enters ----

@pytest.mark.parametrize("who", SPIES)
def test_exec_gives_nothing_away(oci, hostile_bundle, who):
    """CVE-2016-9962: they lie in wait for exec's process, and open and trace what they can."""
    container = oci.running(hostile_bundle(["/attacker", "spy", "60"], SPIES[who]))
    for _ in range(5):
        container.exec("/bin/busybox", "true").ok()
    oci.prefix = SLOWLY
    by_chance(lambda: container.exec("/bin/busybox", "true"))
    assert of_the_runtime(container) == {"seen"}, container.out()


@pytest.mark.parametrize("who, edits", [*((who, {}) for who in SPIES),
                                        ("root of a user namespace", {"linux/timeOffsets": {"boottime": {"secs": 5}}})],
                         ids=[*SPIES, "root of a user namespace, with a time namespace"])
def test_a_pod_mate_that_is_created_gives_nothing_away(oci, hostile_bundle, bundle, who, edits):
    """The same of a container that is being made in their pid and user namespaces: it is in the host's root at first."""
    container = oci.running(hostile_bundle(["/attacker", "spy", "60"], SPIES[who]))
    for prefix in ([], [], SLOWLY):
        made = bundle("true", {"linux/namespaces/0/path": f"/proc/{container.pid}/ns/pid"})
        if "linux/uidMappings" in SPIES[who]:
            made.edit({"linux/namespaces/-": {"type": "user", "path": f"/proc/{container.pid}/ns/user"}})
            ours_of(made)
        if edits:
            made.edit({"linux/namespaces/-": {"type": "time"}, **edits})
        oci.prefix = prefix
        by_chance(lambda made=made: oci.run(made))
    assert of_the_runtime(container) == {"seen"}, container.out()


def test_what_waits_for_its_start_has_nothing(oci, bundle):
    """Its root, directory and descriptors are the container's by then; nothing of the caller's is in reach."""
    container = oci.container(bundle("true"))
    with open("/etc/hostname", "rb") as file:
        container.create(fds=[file.fileno()] * 20).ok()
    links = {fd: os.readlink(f"/proc/{container.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{container.pid}/fd")}
    kinds = {link.split(":")[0] for fd, link in links.items() if int(fd) > 2}
    assert kinds <= {"socket"} and len(links) <= 5, links
    assert os.readlink(f"/proc/{container.pid}/cwd") == "/" and os.path.samefile(
        f"/proc/{container.pid}/root", f"/proc/{container.pid}/cwd")
    assert not os.path.samefile(f"/proc/{container.pid}/root", "/")


def test_descriptors_at_the_first_instruction(oci, hostile_bundle, attacker):
    """CVE-2024-21626: a directory of the host that the caller or the runtime had open, low and high."""
    made = hostile_bundle(["/attacker", "fds"]).write()
    container = oci.container(made)
    container.touched = True
    result = oci.start([attacker, "with-fds", "/", "/etc/hostname", oci.binary, "--root", oci.root, "run", "--bundle", made.path,
                        container.id]).result()
    assert [line.split()[0] for line in result.lines()] == ["0", "1", "2"], result


def test_exec_killed_from_inside_is_told(oci, hostile_bundle):
    """A program that kills whatever appears: exec fails or ends by that signal, and never waits or says that all was well."""
    script = "echo ready; while :; do for p in /proc/[0-9]*; do p=${p#/proc/}; test $p -gt 1 && kill -9 $p 2>/dev/null; done; done"
    container = oci.running(hostile_bundle(script, caps("KILL")))
    ended = [container.exec("/bin/busybox", "sleep", "5", timeout=10) for _ in range(10)]
    assert all(result.status in (1, 137, 255) for result in ended), ended
    container.kill("KILL").ok()


# ---- what comes along ----

STATUS = r"sed -nE 's/^(Sig(Blk|Ign)|Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp|Groups):[[:space:]]*/\1 /p' /proc/self/status"


def test_signals_personality_and_umask_of_the_caller(oci, hostile_bundle, attacker):
    made = hostile_bundle(f"{STATUS}; umask; cat /proc/self/personality").write()
    container = oci.container(made)
    container.touched = True
    words = [attacker, "with-mess", oci.binary, "--root", oci.root, "run", "--bundle", made.path, container.id]
    lines = oci.start(words).result().lines()
    assert "SigBlk 0000000000000000" in lines and "SigIgn 0000000000000000" in lines, lines
    assert lines[-2:] == ["0022", "00000000"], lines


def test_signals_personality_and_umask_of_execs_caller(oci, hostile_bundle, attacker):
    container = oci.running(hostile_bundle(harness.READY))
    words = [attacker, "with-mess", oci.binary, "--root", oci.root, "exec", container.id, "sh", "-c",
             f"{STATUS}; umask; cat /proc/self/personality"]
    lines = oci.start(words).result().lines()
    assert "SigBlk 0000000000000000" in lines and "SigIgn 0000000000000000" in lines, lines
    assert lines[-2:] == ["0022", "00000000"], lines


def test_the_callers_session_keyring(oci, hostile_bundle, attacker):
    """A key that the caller's session holds is not found; the control is the same program without a container."""
    key = f"attack-{os.getpid()}"
    assert "in ring -3" in oci.start([attacker, "with-key", key, attacker, "keys", key]).result().out
    made = hostile_bundle(["/attacker", "keys", key]).write()
    container = oci.container(made)
    container.touched = True
    result = oci.start([attacker, "with-key", key, oci.binary, "--root", oci.root, "run", "--bundle", made.path, container.id]).result()
    assert "session " in result.ok() and "in ring -3" not in result.out, result
    running = oci.running(hostile_bundle(harness.READY))
    result = oci.start([attacker, "with-key", key, oci.binary, "--root", oci.root, "exec", running.id, "/attacker", "keys", key]).result()
    assert "session " in result.ok() and "in ring -3" not in result.out, result


def test_inheritable_capabilities(oci, bundle):
    """CVE-2022-29162: none is inheritable that the config doesn't call so; not by exec --cap either."""
    container = oci.running(bundle(harness.READY, {**caps("KILL", "CHOWN"), "process/capabilities/ambient": harness.DELETE}))
    for words in (["--"], ["--cap", "CAP_NET_RAW", "--"], ["--user", "1000", "--"]):
        lines = container.exec(*words, "sh", "-c", STATUS).lines()
        assert "CapInh 0000000000000000" in lines and "CapAmb 0000000000000000" in lines, lines


def test_a_user_that_is_none_has_no_capability(oci, bundle):
    """Not root: what isn't ambient is lost at execve, whatever the sets say."""
    lines = oci.run(bundle(STATUS, {"process/user": {"uid": 1000, "gid": 1000}, **caps("KILL", "SYS_ADMIN"),
                                    "process/capabilities/ambient": harness.DELETE})).lines()
    assert "CapEff 0000000000000000" in lines and "CapPrm 0000000000000000" in lines, lines


# ---- a kernel that lies: rule 13 ----

CALLS = {
    "setgroups": (116, -1), "setresuid": (117, -1), "setresgid": (119, -1), "capset": (126, -1), "pivot_root": (155, -1),
    "umount2": (166, -1), "seccomp": (317, -1), "no_new_privs": (157, 38), "drop from the bounding set": (157, 24),
    "mount_setattr": (442, -1), "move_mount": (429, -1), "setns": (308, -1), "close_range": (436, -1), "unshare": (272, -1),
}
WORLD = STATUS + "; ls /; ls -d /dev/null /proc/self/status /sys/kernel; id; touch /etc/new 2>/dev/null && echo written; " \
                 "ls -l /proc/self/fd | wc -l; echo x 2>/dev/null >/proc/sys/kernel/domainname && echo open"


A_USER = {"process/user": {"uid": 1000, "gid": 1000, "additionalGids": [5]}}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of calls are x86-64's")
@pytest.mark.parametrize("call, edits", [*((call, A_USER) for call in CALLS), *((call, OWN_MAPS) for call in (
    "setgroups", "setresuid", "setresgid", "capset", "mount_setattr", "move_mount"))])
def test_a_call_that_says_done_and_did_nothing(oci, bundle, attacker, call, edits):
    """An outer filter answers 0. Then nook-oci fails, or all is as it would be without."""
    made = bundle(WORLD, {"linux/seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}]}, **edits})
    if edits == OWN_MAPS:
        ours_of(made)
    expected = oci.run(made)
    container = oci.container(made)
    container.touched = True
    number, first = CALLS[call]
    result = oci.start([attacker, "lie", number, first, oci.binary, "--root", oci.root, "run", "--bundle", made.path,
                        container.id]).result()
    assert result.status == 1 or result.out == expected.out, f"{result}\nexpected:\n{expected.out}"


# ---- ways out ----

HARMLESS = ("remount /proc/sys", "unmount a mask", "unmount /proc/sys", "umount the root", "write the cgroup's limit", "set the clock")


@pytest.mark.parametrize("edits", [OWN_MAPS, {**OWN_MAPS, **{f"process/capabilities/{kind}": ALL_CAPS for kind in (
    "bounding", "effective", "permitted")}}], ids=["", "all capabilities"])
def test_root_of_a_user_namespace_has_no_power_outside(oci, hostile_bundle, edits):
    made = ours_of(hostile_bundle(["/attacker", "escape"], edits))
    result = oci.run(made)
    done = [line for line in result.lines() if line.endswith(": DONE") and not line.startswith(HARMLESS)]
    assert done == [] and "set the clock: DONE" not in result.out, result


def test_a_usual_container_has_no_power_outside(oci, hostile_bundle):
    """Without a user namespace, with the capabilities of `runc spec`."""
    result = oci.run(hostile_bundle(["/attacker", "escape"]))
    allowed = ("mknod", "read a boot key")  # what is not on the list of masks of runc spec
    done = [line for line in result.lines() if line.endswith(": DONE") and not line.startswith(allowed)]
    assert done == [], result


# ---- death: rule 9 ----

@pytest.mark.parametrize("edits", [{}, OWN_MAPS], ids=["", "a user namespace"])
def test_when_the_runtime_is_killed_in_a_hook_so_is_what_it_made(oci, bundle, edits):
    """The ids have been changed by then, which the kernel takes as a reason to forget whose death ends us."""
    made = bundle("true", {"hooks/createContainer": [{"path": "/bin/sleep", "args": ["sleep", "1000"]}], **edits})
    if edits:
        ours_of(made)
    container = oci.container(made)
    process = container.create(wait=False)
    machine.wait_until(lambda: any("sleep" in machine.read(f"/proc/{pid}/comm") for pid in machine.descendants(process.pid)), 10,
                       "the hook")
    inside = machine.descendants(process.pid)
    process.signal(signal.SIGKILL)
    process.wait()
    machine.wait_until(lambda: not any(machine.state_of(pid) not in (None, "Z") for pid in inside), 2, "their end")
    container.delete("--force").ok()


# ---- sockets ----

def test_no_abstract_socket(oci, bundle):
    """CVE-2020-15257: what shares the network could connect to it."""
    def abstract():
        return {line.split()[-1] for line in machine.read("/proc/net/unix").splitlines() if "@" in line.split()[-1]}

    before = abstract()
    made = bundle(harness.READY, {"linux/namespaces/1": harness.DELETE})
    container = oci.container(made)
    container.create().ok()
    assert abstract() <= before
    container.start().ok()
    assert container.exec("cat", "/proc/net/unix").ok().count("@") <= len(before)


def test_the_socket_of_the_start_is_not_for_others(oci, bundle, lab):
    """Another user of the machine, and the container itself, can't come to it."""
    container = oci.container(bundle("true"))
    container.create().ok()
    found = [os.path.join(where, name) for where, _, files in os.walk(oci.root) for name in files
             if os.path.basename(where) == "start"]
    assert found
    script = f"import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect({found[0]!r})"
    account = lab.account("nooktest", lab.USER)
    result = oci.start(["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups", "/usr/bin/python3", "-c",
                        script]).result()
    assert result.status == 1 and "PermissionError" in result.err, result
    assert container.status == "created"


def test_who_connects_and_says_nothing_starts_nothing(oci, bundle):
    """Nor who says something else; the next one is heard."""
    import socket
    container = oci.container(bundle("echo ran"))
    container.create().ok()
    folder = next(where for where, _, _ in os.walk(oci.root) if os.path.basename(where) == "start")
    name = json.loads(machine.read(harness.state_files(oci.root, container.id)[0]))["engine"]["start"]
    for text in (None, b"", b"\0" * 4, b"\xff" * 65536, b"start"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
            other.connect(f"{folder}/{name}")
            if text is not None:
                try:
                    other.send(text)
                except OSError:
                    pass
            time.sleep(0.02)
            assert container.out() == ""
    container.start().ok()
    container.until_said("ran")
    container.wait()
