# SPDX-License-Identifier: Apache-2.0
"""Rules 6, 11, 12 and 13: what root inside achieves, who enters a hostile container, a kernel that lies, loose words."""

import os
import subprocess

import machine
import pytest

# x86-64's numbers, and the first argument where one call does many things.
CALLS = {
    "setgroups": (116, -1), "setresuid": (117, -1), "setresgid": (119, -1), "capset": (126, -1), "pivot_root": (155, -1),
    "umount2": (166, -1), "seccomp": (317, -1), "no_new_privs": (157, 38), "drop from the bounding set": (157, 24),
    "mount_setattr": (442, -1),
}
STATE = "grep -E '^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status; ls /; " \
        "touch /etc/new 2>/dev/null && echo written"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of calls are x86-64's")
@pytest.mark.parametrize("user", ["0:0", "1000:1000"])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_says_done_and_did_nothing(root_nook, hostile_root, attacker, call, user):
    """Rule 13: an outer filter answers 0. Then nook fails, or all is as it would be without."""
    root = hostile_root(root_nook)
    os.chmod(f"{root}/etc", 0o777)
    words = ["run", "--root", root, "--read-only", "--user", user, "--", "sh", "-c", STATE]
    expected = root_nook.cmd(*words)
    number, first = CALLS[call]
    result = root_nook.outside(attacker, "lie", number, first, root_nook.binary, *words, check=False)
    # The outer filter itself has set no_new_privs and counts as one: what was said of these stays true.
    assert result.status == 125 or result.out == expected.out, f"{result}\nexpected:\n{expected.out}"


@pytest.mark.parametrize("options", [[], ["--cap-add", "all"], ["--cap-add", "all", "--seccomp", "off"]], ids=" ".join)
def test_root_inside_has_no_power_outside(nook, hostile_root, options):
    """Each way out that needs the machine's own root."""
    harmless = ("remount /proc/sys", "unmount a mask", "unmount /proc/sys", "umount the root", "write the cgroup's limit")
    before = {path: machine.read(path) for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname")}
    result = nook.run("--root", hostile_root(nook), *options, "--", "/attacker", "escape")
    done = [line for line in result.lines() if line.endswith(": DONE") and not line.startswith(harmless)]
    assert done == [], result
    assert {path: machine.read(path) for path in before} == before


@pytest.mark.parametrize("cap", [[], ["--cap-add", "sys_ptrace"], ["--cap-add", "all", "--seccomp", "off"]], ids=" ".join)
def test_who_enters_gives_nothing_away(nook, hostile_root, cap):
    """Rule 6, CVE-2016-9962: root inside lies in wait for nook exec's process and opens and traces what it can."""
    root = hostile_root(nook)
    with nook.background("exec /attacker spy 2", "--root", root, *cap) as container:
        assert container.first == "ready"
        for _ in range(25):
            nook.cmd("exec", container.name, "/bin/busybox", "true")
        lines = container.process.stdout.read().splitlines()
    assert lines and lines[-1] == "end" and set(lines) <= {"seen", "end"}, lines


# ---- words ----

BAD_NAMES = ["", ".", "..", "../x", "a/b", "/etc", "-x", ".hidden", "a b", "a\nb", "a\tb", "ä", "a\x1b[2J", "a:b", "a;b", "$x", "*",
             "x" * 256, "+a", "%s%n", "a\\b", "nook/../../etc"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_are_paths_or_worse(nook, name):
    """Rule 11, in every command that takes one."""
    for words in ([f"--name={name}", "--", "true"],):
        nook.run(*words).failed(125)
    for command in ("exec", "kill", "rm"):
        result = nook.cmd(command, "--", name, *(["true"] if command == "exec" else []))
        assert result.status == 125 and "\x1b" not in result.err, result


BAD_USERS = ["4294967295", "4294967296", "18446744073709551616", "-1", "0x10", "1e3", " 1", "1 ", "+1", "1.0", "01x", "", ":", "0:",
             ":0", "0:-1", "0:4294967295", "0:0x0", "0:0:0", "nobody-here", "root\n", "0\n", "root:nobody-here", "\t0", "٣", "0,1",
             "$(id)", "../root", "-", "0:root:x", "999999999999999999999"]


@pytest.mark.parametrize("user", BAD_USERS)
def test_users_that_are_none(nook, busybox_root, user):
    """Rule 12: a number never falls back to a name, and -1 is nobody: never root by mistake."""
    root = busybox_root(nook)
    result = nook.run("--root", root, f"--user={user}", "--", "id", "-u")
    assert result.status == 125 and result.out == "", result


def test_users_that_are_none_in_exec(nook, busybox_root):
    with nook.background("echo ready; exec sleep 1000", "--root", busybox_root(nook)) as container:
        for user in BAD_USERS:
            result = nook.cmd("exec", f"--user={user}", container.name, "id", "-u")
            assert result.status == 125 and result.out == "", result
        assert nook.cmd("exec", "--user=4294967294", container.name, "id", "-u").status != 0
        assert nook.cmd("exec", "--user=0:0", container.name, "id", "-u").ok() == "0"


# ---- the directory of the state ----

@pytest.mark.parametrize("how", ["symlink", "foreign", "writable", "file", "fifo"])
def test_a_state_directory_that_others_prepared(user_nook, busybox_root, how):
    runtime = user_nook.scratch("runtime")
    os.chmod(runtime, 0o700)
    place, elsewhere = f"{runtime}/nook", user_nook.scratch("elsewhere")
    if how == "symlink":
        os.symlink(elsewhere, place)
    elif how == "fifo":
        os.mkfifo(place)
    elif how == "file":
        with open(place, "w", encoding="utf-8"):
            pass
    else:
        os.mkdir(place)
        os.chmod(place, 0o777 if how == "writable" else 0o755)
    user_nook.own(runtime)
    if how == "foreign":
        if os.getuid() != 0:
            pytest.skip("needs root, to give it away")
        os.chown(place, 65534, 65534)
    for words in (["run", "--root", busybox_root(user_nook), "true"], ["ps"], ["rm", "--force", "x"], ["exec", "x", "true"]):
        result = user_nook.cmd(*words, env={"XDG_RUNTIME_DIR": runtime}, timeout=5)
        assert result.status == 125, result
    assert os.listdir(elsewhere) == []


def test_the_controls_are_alive(attacker):
    """The filter that lies does lie: without it the tests above would prove nothing."""
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers of calls are x86-64's")
    result = subprocess.run([attacker, "lie", "161", "-1", "/usr/bin/python3", "-c", "import os; os.chroot('/nonexistent'); print('lied')"],
                            capture_output=True, text=True, check=True)
    assert result.stdout == "lied\n"
