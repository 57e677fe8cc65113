# SPDX-License-Identifier: Apache-2.0
"""Rules 5, 6 and 19: what of the caller's must not come along, and a terminal that nobody types into."""

import dataclasses
import os
import shutil
import signal
import stat
import subprocess

import machine
import pexpect
import pytest


def enterer(account):
    """Account.enter for pexpect, which closes every descriptor first: the parent's is opened again."""
    parent = os.getpid()

    def enter():
        if account.mount_ns < 0:
            return account.enter()
        fd = os.open(f"/proc/{parent}/fd/{account.mount_ns}", os.O_RDONLY | os.O_CLOEXEC)
        return dataclasses.replace(account, mount_ns=fd).enter()

    return enter


ONLY_STDIO = {"0", "1", "2"}


def test_descriptors_of_the_caller(nook, hostile_root, attacker):
    """CVE-2016-9962, CVE-2024-21626: a directory of the host that the caller had open, low and high."""
    root = hostile_root(nook)
    result = nook.outside(attacker, "with-fds", "/", "/etc/hostname", nook.binary, "run", "--root", root, "--",
                          "/attacker", "fds")
    assert {line.split()[0] for line in result.lines()} == ONLY_STDIO, result
    with nook.background("echo ready; exec sleep 1000", "--root", root) as container:
        result = nook.outside(attacker, "with-fds", "/", "/etc/hostname", nook.binary, "exec", container.name,
                              "/attacker", "fds")
        assert {line.split()[0] for line in result.lines()} == ONLY_STDIO, result


@pytest.mark.parametrize("options", [["--userns", "host", "--cap-add", "sys_ptrace"], ["--cap-add", "sys_ptrace"], []],
                         ids=" ".join)
def test_descriptors_of_pid_1_from_the_first_moment(root_nook, hostile_root, attacker, options):
    """The program looks into pid 1 while that still closes what it had: at most its end of nook's own channel is there."""
    root = hostile_root(root_nook)
    for _ in range(30):
        result = root_nook.outside(attacker, "with-fds", "/", "/etc/hostname", root_nook.binary, "run", "--root", root,
                                   *options, "--", "/attacker", "init-fds", "0.02")
        lines = {line.split(" ", 1)[1] for line in result.lines() if line != "end"}
        assert all(line.startswith("socket:") for line in lines), lines


def test_init_of_an_ordinary_user_keeps_nothing(user_nook, hostile_root):
    root = hostile_root(user_nook)
    for _ in range(10):
        assert user_nook.run("--root", root, "--", "/attacker", "init-fds", "0.05").ok().startswith(("end", "3 socket:"))


def test_words_and_environment_of_the_caller_are_not_in_pid_1(nook, busybox_root):
    root = busybox_root(nook)
    script = "cat /proc/1/cmdline /proc/1/environ /proc/1/mem 2>/dev/null; true"
    result = nook.run("--root", root, "--", "sh", "-c", script, env={"TOKEN": "canary-in-env"})
    assert "canary-in-env" not in result.out and root not in result.out


def test_memory_of_pid_1_has_none_of_the_callers_secrets(user_nook, hostile_root):
    """Its user may look into it; by then the environment and the plan are gone from its memory."""
    script = r"""
for map in $(sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) rw.*/\1-\2/p' /proc/1/maps); do
	from=$((0x${map%-*})); to=$((0x${map#*-}))
	dd if=/proc/1/mem bs=4096 skip=$((from / 4096)) count=$(((to - from) / 4096)) 2>/dev/null
done | grep -c canary-in-env; sed -n '$=' /proc/1/maps"""
    result = user_nook.run("--root", hostile_root(user_nook), "--", "sh", "-c", script, env={"TOKEN": "canary-in-env"})
    lines = result.out.split()
    assert lines[0] == "0" and (len(lines) == 1 or int(lines[1]) > 3), result


@pytest.mark.parametrize("options", [[], ["--userns", "host"], ["--seccomp", "off"], ["--seccomp", "off", "--userns", "host"]],
                         ids=" ".join)
def test_keys_of_the_callers_session(root_nook, hostile_root, attacker, options):
    root = hostile_root(root_nook)
    control = root_nook.outside(attacker, "with-key", "nook-canary", attacker, "keys", "nook-canary")
    assert "found canary in ring -3" in control.out, "there is nothing to find"
    result = root_nook.outside(attacker, "with-key", "nook-canary", root_nook.binary, "run", "--root", root, *options,
                               "--", "/attacker", "keys", "nook-canary")
    assert "in ring -3" not in result.out, result
    if "host" not in options or "off" not in options:
        assert "found" not in result.out, result
    with root_nook.background("echo ready; exec sleep 1000", "--root", root, *options) as container:
        result = root_nook.outside(attacker, "with-key", "nook-canary", root_nook.binary, "exec", container.name,
                                   "/attacker", "keys", "nook-canary")
        assert "in ring -3" not in result.out, result


def test_signals_and_personality_of_the_caller(nook, hostile_root, attacker):
    root = hostile_root(nook)
    script = "grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status; cat /proc/self/personality; umask"
    expected = ["SigIgn:\t" + "0" * 16]

    def check(result):
        lines = result.lines()
        assert [line for line in lines if line.startswith("SigIgn")] == expected, result
        assert lines[-2:] == ["00000000", "0022"], result

    check(nook.outside(attacker, "with-mess", nook.binary, "run", "--root", root, "--", "sh", "-c", script))
    with nook.background("echo ready; exec sleep 1000", "--root", root) as container:
        check(nook.outside(attacker, "with-mess", nook.binary, "exec", container.name, "sh", "-c", script))


def test_an_oom_score_that_spares_the_caller_does_not_spare_the_container(root_nook, busybox_root):
    """A service that is never to be killed starts a container that eats all memory: the host must not pay for it."""
    script = 'echo -1000 >/proc/self/oom_score_adj; exec "$0" run --root "$1" -- cat /proc/self/oom_score_adj /proc/1/oom_score_adj'
    result = root_nook.outside("sh", "-c", script, root_nook.binary, busybox_root(root_nook))
    assert result.lines() == ["0", "0"]


# ---- the terminal ----

@pytest.mark.parametrize("options", [[], ["--seccomp", "off"], ["--seccomp", "off", "--cap-add", "all"],
                                     ["--no-tty", "--seccomp", "off"], ["--no-tty", "--seccomp", "off", "--cap-add", "all"]],
                         ids=" ".join)
@pytest.mark.parametrize("how", ["run", "exec"])
def test_nothing_is_typed_into_the_callers_terminal(nook, hostile_root, how, options):
    """CVE-2016-2568, CVE-2017-5226: TIOCSTI puts a command where the caller's shell reads it after nook has ended."""
    root = hostile_root(nook)
    argv = ["run", *options, "--root", root, "--", "/attacker", "type", "echo typed\n"]
    container = None
    if how == "exec":
        container = nook.background("echo ready; exec sleep 1000", "--root", root,
                                    *[word for word in options if word != "--no-tty"], "--no-tty")
        argv = ["exec", *[word for word in options if word == "--no-tty"], container.name, "/attacker", "type",
                "echo typed\n"]
    command = " ".join(f"'{word}'" if word != "echo typed\n" else "'evil'" for word in argv)
    child = pexpect.spawn("/bin/sh", ["-c", f"{nook.binary} {command}; echo status=$?; head -c 4 | od -c; echo end"],
                          env=nook.account.environment(), cwd="/", preexec_fn=enterer(nook.account), encoding="utf-8",
                          timeout=10, echo=False)
    try:
        child.expect("status=")
        seen = child.before
        child.send("kept\n")
        child.expect("end")
        assert "k   e   p   t" in child.before, (seen, child.before)
        assert "attacker" not in seen, seen
    finally:
        child.close(force=True)
        if container:
            container.stop()


# ---- setuid ----

@pytest.mark.parametrize("make", ["setuid", "setgid", "file capabilities"])
def test_a_setuid_nook_refuses_before_it_reads_anything(root_nook, binary, make):
    """Rule 19. A pipe as the profile would block whoever reads it; a bad option would be told by whoever parses it."""
    path = f"{root_nook.scratch()}/nook"
    shutil.copy(binary, path)
    os.chmod(path, {"setuid": 0o4755, "setgid": 0o2755}.get(make, 0o755))
    if make == "file capabilities":
        subprocess.run(["setcap", "cap_sys_admin+ep", path], check=True)
    pipe = f"{os.path.dirname(path)}/pipe"
    os.mkfifo(pipe, 0o666)
    for words in (["run", "--seccomp", pipe, "true"], ["--no-such-option"], ["run", "id"], ["exec", "x", "id"], []):
        result = subprocess.run([path, *words], user=65534, group=65534, extra_groups=[], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=5, check=False)
        assert result.returncode == 125 and result.stdout == "" and "setuid" in result.stderr, result


def test_nothing_setuid_is_installed(binary):
    assert not os.stat(binary).st_mode & (stat.S_ISUID | stat.S_ISGID)


@pytest.mark.parametrize("options", [[], ["--userns", "host"]], ids=" ".join)
def test_a_setuid_program_inside_gains_nothing(root_nook, hostile_root, options):
    root = hostile_root(root_nook)
    shutil.copy(f"{root}/attacker", f"{root}/suid")
    os.chown(f"{root}/suid", 0, 0)
    os.chmod(f"{root}/suid", 0o6755)
    result = root_nook.run("--root", root, *options, "--user", "1000:1000", "--", "/suid", "credentials")
    assert result.ok() == "uid 1000 1000 gid 1000 1000 nnp 1"


# ---- death ----

def test_when_nook_is_killed_all_inside_dies(nook, busybox_root):
    """Rule 9, also for what has left its session and ignores signals."""
    script = "trap '' HUP TERM INT; (setsid sh -c 'trap \"\" HUP TERM; sleep 1000' &) ; echo ready; sleep 1000"
    with nook.background(script, "--root", busybox_root(nook)) as container:
        pids = container.inside()
        os.kill(container.process.pid, signal.SIGKILL)
        container.process.wait()
        machine.wait_until(lambda: not any(machine.state_of(pid) not in (None, "Z") for pid in pids), 3, "their end")
        nook.cmd("rm", "--force", container.name).ok()
