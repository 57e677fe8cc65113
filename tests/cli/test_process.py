# SPDX-License-Identifier: Apache-2.0
"""The program inside: environment, directory, user, capabilities, seccomp, limits, descriptors, and how it ends."""

import json
import os
import signal

import machine
import pytest
import rootfs

pytestmark = pytest.mark.quick


def status_of(nook, *options):
    text = nook.run(*options, "--", "cat", "/proc/self/status").ok()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


# ---- environment ----

def environment(nook, *options, **kw):
    text = nook.run(*options, "--", "env", "-0", **kw).ok().rstrip("\0")
    return dict(line.split("=", 1) for line in text.split("\0") if line)


def test_a_variable_is_set(nook):
    assert environment(nook, "--env", "A=1", "--env", "B=two words", "--env", "C=")["B"] == "two words"
    assert environment(nook, "--env", "C=")["C"] == ""


def test_the_last_word_counts(nook):
    assert environment(nook, "--env", "A=1", "--env", "A=2")["A"] == "2"


def test_a_variable_is_taken_over(nook):
    assert environment(nook, "--clear-env", "--env", "MINE", env={"MINE": "x y"})["MINE"] == "x y"


def test_a_variable_that_is_not_there_is_not_taken_over(nook):
    assert "MINE" not in environment(nook, "--clear-env", "--env", "MINE", env={"MINE": None})


def test_a_value_may_hold_anything(nook):
    assert environment(nook, "--env", "A=x=y\n$HOME 'ü'")["A"] == "x=y\n$HOME 'ü'"


def test_the_callers_environment_stays_outside(nook):
    """It is full of tokens and paths; only what tells of the terminal and the language goes along."""
    found = environment(nook, env={"MINE": "secret", "TERM": "vt100", "LANG": "de_DE.UTF-8", "LC_TIME": "C", "TZ": "UTC"})
    assert "MINE" not in found
    assert {name: found[name] for name in ("TERM", "LANG", "LC_TIME", "TZ")} == {
        "TERM": "vt100", "LANG": "de_DE.UTF-8", "LC_TIME": "C", "TZ": "UTC"}


def test_the_default_environment(nook):
    found = environment(nook, env={"PATH": "/usr/bin", "HOME": "/elsewhere"})
    assert found["PATH"].split(":") == machine.PATH.split(":")
    assert (found["HOME"], found["USER"], found["LOGNAME"], found["container"]) == ("/root", "root", "root", "nook")


def test_clear_env_leaves_nothing_of_the_callers(nook):
    found = environment(nook, "--clear-env", "--env", "A=1", env={"MINE": "gone"})
    assert found["A"] == "1"
    assert set(found) == {"A"}


def test_home_is_the_users_inside(nook, busybox_root):
    root = busybox_root(nook)
    assert environment(nook, "--root", root)["HOME"] == "/root"


@pytest.mark.parametrize("word", ["=x", ""])
def test_a_bad_variable_is_refused(nook, word):
    nook.run("--env", word, "true").failed(125, "--env")


# ---- working directory, user ----

def test_the_working_directory(nook):
    assert nook.run("--cwd", "/usr/share", "--", "pwd").ok() == "/usr/share"


def test_a_missing_working_directory_is_an_error(nook):
    nook.run("--cwd", "/no/such", "true").failed(125, "/no/such")


@pytest.mark.parametrize("word", ["relative", ""])
def test_a_bad_working_directory_is_refused(nook, word):
    nook.run("--cwd", word, "true").failed(125, "--cwd")


def test_the_working_directory_is_inside(nook):
    """No process starts with a directory of the old root: getcwd(2) would say (unreachable)."""
    assert nook.sh("readlink /proc/self/cwd; pwd -P", cwd="/usr").lines() == ["/usr", "/usr"]


def test_a_working_directory_that_is_hidden_inside_is_the_root(nook, lab):
    """Nobody asked for it: what the caller's shell happened to be in may not be there."""
    folder = nook.scratch()
    assert nook.run("--", "pwd", cwd=folder).ok() == "/"


def test_a_user_by_number(nook):
    assert nook.sh("id -u; id -g", "--user", "33:34").lines() == ["33", "34"]


def test_a_user_by_name_with_its_groups(nook, busybox_root):
    root = busybox_root(nook)
    assert nook.run("--root", root, "--user", "app", "--", "id").ok() == (
        "uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)")


def test_a_group(nook, busybox_root):
    root = busybox_root(nook)
    assert nook.sh("id -u; id -g", "--root", root, "--user", "app", "--group", "extra").lines() == ["1000", "2000"]
    assert nook.sh("id -u; id -g", "--root", root, "--user", "app:extra").lines() == ["1000", "2000"]


def test_a_user_has_its_home(nook, busybox_root):
    assert nook.sh("echo $HOME", "--root", busybox_root(nook), "--user", "app").ok() == "/home/app"


def test_the_callers_groups_are_not_kept(root_nook):
    out = root_nook.outside("setpriv", "--groups", "4,24", root_nook.binary, "run", "--", "id", "-G")
    assert out.ok() == "0"


def test_another_user_has_no_capabilities(nook):
    found = status_of(nook, "--user", "33:33")
    assert [int(found[key], 16) for key in ("CapPrm", "CapEff", "CapAmb")] == [0, 0, 0]


@pytest.mark.parametrize("words, named", [
    (["--user", "nobody-of-that-name"], "nobody-of-that-name"),
    (["--user", "4294967295"], "4294967295"),
    (["--user", "0x0"], "0x0"),
    (["--user", "-1"], "--user"),
    (["--user", ""], "--user"),
    (["--user", "0:"], "--user"),
    (["--user", "70000"], "70000"),
    (["--group", "nobody-of-that-name"], "nobody-of-that-name"),
    (["--group", "4294967295"], "4294967295"),
])
def test_a_bad_user_is_refused(nook, words, named):
    nook.run(*words, "true").failed(125, named)


def test_a_user_that_the_map_does_not_hold_is_refused(poor_nook):
    poor_nook.run("--user", "1000", "true").failed(125, "1000")


# ---- capabilities, no_new_privs ----

CAPS = ["chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
        "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
        "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
        "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
        "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
        "checkpoint_restore"]


def caps(found, key):
    bits = int(found[key], 16)
    return {name for number, name in enumerate(CAPS) if bits >> number & 1}


def test_the_default_capabilities_are_few(nook):
    found = status_of(nook)
    assert caps(found, "CapEff") == caps(found, "CapPrm") == caps(found, "CapBnd")
    assert not caps(found, "CapEff") & {"sys_admin", "sys_module", "sys_ptrace", "net_admin", "sys_rawio", "bpf", "mknod"}
    assert {"chown", "setuid", "setgid", "kill", "net_bind_service"} <= caps(found, "CapEff")
    assert int(found["CapInh"], 16) == 0


@pytest.mark.parametrize("name", ["sys_admin", "SYS_ADMIN", "CAP_SYS_ADMIN", "cap_sys_admin"])
def test_a_capability_is_added(nook, name):
    before, after = caps(status_of(nook), "CapEff"), caps(status_of(nook, "--cap-add", name), "CapEff")
    assert after - before == {"sys_admin"}


def test_a_capability_is_dropped_everywhere(nook):
    found = status_of(nook, "--cap-drop", "chown")
    assert not [key for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if "chown" in caps(found, key)]


def test_all_are_dropped(nook):
    found = status_of(nook, "--cap-drop", "all")
    assert not any(int(found[key], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))


def test_all_but_one_are_dropped(nook):
    assert caps(status_of(nook, "--cap-drop", "all", "--cap-add", "kill"), "CapBnd") == {"kill"}


def test_all_are_added(nook):
    """Over what its user namespace owns, a container may have more than its caller has."""
    last = int(machine.read("/proc/sys/kernel/cap_last_cap"))
    assert int(status_of(nook, "--cap-add", "all")["CapEff"], 16) == (1 << last + 1) - 1


def test_without_a_user_namespace_all_is_what_the_caller_has(root_nook):
    found = status_of(root_nook, "--cap-add", "all", "--userns", "host")
    assert int(found["CapEff"], 16) == int(machine.status()["CapEff"], 16)


def test_an_added_capability_reaches_another_user(nook):
    """As ambient: the one way for a program that is not root to have it."""
    found = status_of(nook, "--user", "33:33", "--cap-add", "net_admin")
    assert caps(found, "CapEff") in ({"net_admin"}, set())
    assert caps(found, "CapEff") == caps(found, "CapAmb")


@pytest.mark.parametrize("option", ["--cap-add", "--cap-drop"])
@pytest.mark.parametrize("name", ["wrong", "", "CAP_", "sys_admin,kill extra"])
def test_an_unknown_capability_is_refused(nook, option, name):
    nook.run(option, name, "true").failed(125, option)


def test_no_new_privileges_is_on(nook):
    assert status_of(nook)["NoNewPrivs"] == "1"


# ---- seccomp ----

CALL = ("import ctypes, os, sys; c = ctypes.CDLL(None, use_errno=True); r = c.syscall({}); "
        "print('done' if r != -1 else os.strerror(ctypes.get_errno()))")


def answer(nook, call, *options):
    return nook.run(*options, "--", "python3", "-c", CALL.format(call)).ok()


def test_a_filter_is_on(nook):
    assert status_of(nook)["Seccomp"] == "2"


@pytest.mark.parametrize("call", [
    "250, 0, -1, 0",                 # keyctl
    "248, b'user', b'x', b'y', 1, -1",  # add_key
    "165, b'none', b'/mnt', b'tmpfs', 0, None",  # mount
    "166, b'/proc', 0",              # umount2
    "272, 0x10000000",               # unshare(CLONE_NEWUSER)
    "246, 0, 0, 0, 0",               # kexec_load
    "321, 0, 0, 0",                  # bpf
    "298, 0, 0, -1, -1, 0",          # perf_event_open
    "169, 0, 0, 0",                  # reboot
    "175, 0, 0, b''",                # init_module
    "304, -1, 0, 0",                 # open_by_handle_at
    "428, -1, b'/', 1",              # open_tree
    "323, 1",                        # userfaultfd
])
def test_the_default_filter_refuses(nook, call):
    assert answer(nook, call) in ("Operation not permitted", "Function not implemented")


def test_a_call_newer_than_the_profile_does_not_exist(nook):
    """ENOSYS, so that C libraries fall back to what they used before."""
    assert answer(nook, "5000, 0") == "Function not implemented"


def test_clone_into_a_new_user_namespace_is_refused(nook):
    assert answer(nook, "56, 0x10000000 | 17, 0, 0, 0, 0") == "Operation not permitted"


def test_clone3_falls_back(nook):
    """Its flags are in memory, where a filter can't look."""
    assert answer(nook, "435, 0, 0") == "Function not implemented"


def test_typing_into_the_callers_terminal_is_refused(nook):
    """ioctl TIOCSTI and TIOCLINUX."""
    assert answer(nook, "16, 0, 0x5412, b'x'") == "Operation not permitted"


def test_a_call_opens_with_its_capability(nook):
    assert answer(nook, "165, b'none', b'/mnt', b'tmpfs', 0, None", "--cap-add", "sys_admin") == "done"


def test_ordinary_programs_run_under_the_filter(nook):
    script = ("import threading, subprocess, socket, select, tempfile, sqlite3\n"
              "t = threading.Thread(target=lambda: None); t.start(); t.join()\n"
              "subprocess.run(['true'], check=True)\n"
              "s = socket.create_server(('127.0.0.1', 0)); select.epoll().close(); tempfile.TemporaryFile().close()\n"
              "sqlite3.connect(':memory:').execute('select 1'); print('fine')")
    assert nook.run("--", "python3", "-c", script).ok() == "fine"


def test_seccomp_off(nook):
    assert status_of(nook, "--seccomp", "off")["Seccomp"] == "0"


def test_a_profile_of_ones_own(nook):
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
               "syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 33}]}
    path = rootfs.write(f"{nook.scratch()}/profile.json", json.dumps(profile))
    assert answer(nook, "170, b'x', 1", "--seccomp", path) == os.strerror(33)
    assert answer(nook, "39", "--seccomp", path) == "done"


@pytest.mark.parametrize("text, named", [
    ("", "profile.json"),
    ("{", "profile.json"),
    ("[]", "profile.json"),
    ("{}", "defaultAction"),
    ('{"defaultAction": "SCMP_ACT_WRONG"}', "SCMP_ACT_WRONG"),
    ('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["no_such_call"], "action": "SCMP_ACT_ERRNO"}]}',
     "no_such_call"),
    ('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": "mount", "action": "SCMP_ACT_ERRNO"}]}', "names"),
    ('{"defaultAction": 3}', "defaultAction"),
])
def test_a_bad_profile_is_refused(nook, text, named):
    path = rootfs.write(f"{nook.scratch()}/profile.json", text)
    nook.run("--seccomp", path, "true").failed(125, named)


@pytest.mark.parametrize("word", ["/no/such/profile", "/etc", "/dev/zero", ""])
def test_a_profile_that_is_no_file_is_refused(nook, word):
    nook.run("--seccomp", word, "true").failed(125, "--seccomp")


# ---- limits of the process ----

@pytest.mark.parametrize("word, soft, hard", [("nofile=100:200", "100", "200"), ("nofile=64", "64", "64")])
def test_a_resource_limit(nook, word, soft, hard):
    assert nook.sh("ulimit -Sn; ulimit -Hn", "--rlimit", word).lines() == [soft, hard]


def test_core_dumps_can_be_turned_off(nook):
    assert nook.sh("ulimit -c", "--rlimit", "core=0").ok() == "0"


def test_a_raised_limit_needs_the_power_to(user_nook):
    user_nook.run("--rlimit", "nofile=99999999", "true").failed(125, "--rlimit")


@pytest.mark.parametrize("word", ["wrong=1", "nofile", "nofile=", "nofile=x", "nofile=2:1", "nofile=-2", "=1",
                                  "nofile=18446744073709551616"])
def test_a_bad_resource_limit_is_refused(nook, word):
    nook.run("--rlimit", word, "true").failed(125, "--rlimit")


def test_the_out_of_memory_score(nook):
    assert nook.run("--oom-score-adj", "500", "--", "cat", "/proc/self/oom_score_adj").ok() == "500"


@pytest.mark.parametrize("word", ["1001", "-1001", "x", ""])
def test_a_bad_score_is_refused(nook, word):
    nook.run("--oom-score-adj", word, "true").failed(125, "--oom-score-adj")


# ---- what else is handed over ----

def test_no_descriptor_but_the_three(nook):
    """ls itself opens the directory as number 3."""
    assert nook.run("--", "ls", "/proc/self/fd").ok().split() == ["0", "1", "2", "3"]


def test_descriptors_of_the_caller_are_not_handed_over(nook):
    inner, outer = os.pipe()
    os.set_inheritable(inner, True)
    try:
        with nook.popen(["run", "--", "ls", "/proc/self/fd"], stdout=-1, stderr=-1, stdin=-3, pass_fds=(inner,)) as process:
            assert process.communicate(timeout=10)[0].split() == ["0", "1", "2", "3"]
    finally:
        os.close(inner)
        os.close(outer)


def test_nor_does_the_init_keep_any(nook):
    with nook.background("echo ready; exec sleep 1000", "--init") as one:
        # It closes them while the program starts.
        machine.wait_until(lambda: set(os.listdir(f"/proc/{one.pid}/fd")) <= {"0", "1", "2"}, what="closing them")


def test_stdin_stdout_and_stderr_are_the_callers(nook):
    result = nook.sh("cat; echo bad >&2", input="through\n")
    assert (result.ok(), result.err) == ("through", "bad\n")


def test_closed_standard_streams_are_no_trouble(nook):
    """Descriptors 0 to 2 are never filled by a file of nook's."""
    for redirect in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        out = nook.outside("sh", "-c", f"{nook.binary} run -- sh -c 'exit 3' {redirect}", check=False)
        assert out.status == 3, redirect


def test_signals_are_as_a_new_program_expects(nook):
    """Nothing blocked or ignored, whatever nook itself has set and its caller had."""
    text = nook.outside("sh", "-c", f"trap '' INT QUIT PIPE USR1; {nook.binary} run -- cat /proc/self/status").ok()
    found = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert int(found["SigBlk"], 16) == 0
    assert int(found["SigIgn"], 16) == 0


def test_the_c_librarys_own_signals_are_not_ignored(nook):
    """posix_spawn(3), by which make starts us, ignores 32 and 33; sigaction(3) refuses to say anything of them."""
    ignore = ("import ctypes, os, struct, sys; act = struct.pack('QQQQ', 1, 0, 0, 0); c = ctypes.CDLL(None)\n"
              "for number in (32, 33): assert c.syscall(13, number, act, None, 8) == 0\n"
              "os.execv(sys.argv[1], sys.argv[1:])")
    text = nook.outside("python3", "-c", ignore, nook.binary, "run", "--", "cat", "/proc/self/status").ok()
    assert "SigIgn:\t0000000000000000" in text


def test_the_umask_is_as_usual(nook):
    assert nook.outside("sh", "-c", f"umask 077; {nook.binary} run -- sh -c umask").ok() == "0022"


def test_the_program_leads_no_session_of_the_caller(nook):
    """Its own session: it can't open the caller's terminal by /dev/tty."""
    assert nook.run("--no-init", "--", "sh", "-c", "exec 3</dev/tty").status != 0


# ---- pid 1 ----

def test_an_init_of_nook_is_pid_1(nook):
    out = nook.sh("echo $$; cat /proc/1/comm; ps -o ppid= -p $$").lines()
    assert out[0] != "1" and "nook" in out[1] and out[2].strip() == "1"


def test_no_init(nook):
    assert nook.run("--no-init", "--", "sh", "-c", "echo $$").ok() == "1"


def test_the_init_reaps_orphans(nook):
    script = "(sh -c 'sleep 0.1 & echo $! >/tmp/orphan') ; sleep 0.4; ps -p $(cat /tmp/orphan) -o stat= ; echo done"
    assert nook.sh(script, "--tmpfs", "/tmp", "--init").ok() == "done"


def test_the_init_cannot_be_looked_into(root_nook):
    """Non-dumpable: root inside learns nothing from nook's own memory."""
    assert root_nook.sh("cat /proc/1/environ /proc/1/maps 2>/dev/null | wc -c", "--init").ok() == "0"


def test_the_init_says_nothing_of_the_callers_environment(nook):
    """An ordinary user's init can be looked into, or its own nook exec could not join it: it has forgotten."""
    out = nook.sh("cat /proc/1/environ 2>/dev/null | tr -d '\\0'", "--init", env={"TOKEN": "very secret"}).ok()
    assert out == ""


@pytest.mark.parametrize("init", ["--init", "--no-init"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_to_nook_reaches_the_program(nook, init, number):
    script = f"trap 'echo got; exit 5' {number.name[3:]}; echo ready; while :; do sleep 0.05; done"
    with nook.background(script, init) as one:
        one.process.send_signal(number)
        assert (one.line(), one.wait()) == ("got", 5)


def test_a_signal_without_a_handler_ends_the_program(nook):
    with nook.background("echo ready; exec sleep 1000", "--init") as one:
        one.process.send_signal(signal.SIGTERM)
        assert one.wait() == 128 + signal.SIGTERM


# ---- how it ends ----

@pytest.mark.parametrize("init", ["--init", "--no-init"])
@pytest.mark.parametrize("status", [0, 1, 7, 125, 126, 127, 255])
def test_the_exit_status_is_the_programs(nook, init, status):
    result = nook.sh(f"exit {status}", init)
    assert result.status == status and result.err == ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGHUP, signal.SIGRTMAX])
def test_a_signal_shows_as_128_and_its_number(nook, number):
    assert nook.sh(f"kill -{int(number)} $$", "--init").status == 128 + number


def test_a_command_that_is_not_there_is_127(nook):
    nook.run("no-such-command-here").failed(127, "no-such-command-here")
    nook.run("/no/such/command").failed(127, "/no/such/command")


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc"])
def test_a_command_that_cannot_be_run_is_126(nook, path):
    nook.run(path).failed(126, path)


def test_a_script_without_its_interpreter_says_so(nook):
    path = nook.scratch()
    rootfs.write(f"{path}/script", "#!/no/such/interpreter\n", 0o755)
    nook.run("--volume", f"{path}:/data", "/data/script").failed(126, "/data/script", "interpreter")


def test_a_command_is_found_by_the_path_inside(nook):
    path = nook.scratch()
    rootfs.write(f"{path}/my-own", "#!/bin/sh\necho mine\n", 0o755)
    assert nook.run("--volume", f"{path}:/data", "--env", "PATH=/data:/bin", "my-own").ok() == "mine"


def test_an_argument_may_be_anything(nook):
    words = ["", " ", "-x", "--", "a\nb", "ü", "*", "$HOME", "\\"]
    assert nook.run("--", "printf", "[%s]", *words).ok() == "".join(f"[{word}]" for word in words)


def test_options_of_the_command_are_the_commands(nook):
    assert nook.run("echo", "--hostname", "x").ok() == "--hostname x"


def test_a_long_command_line(nook):
    words = ["x" * 1000] * 100
    assert len(nook.run("echo", *words).ok()) == 100099


def test_when_nook_is_killed_all_inside_dies(nook):
    with nook.background("sleep 1000 & echo ready; exec sleep 1000") as one:
        inside = one.inside()
        assert len(inside) >= 2
        name = one.name
        one.process.kill()
        one.wait()
        machine.wait_until(lambda: not [pid for pid in inside if machine.state_of(pid) not in (None, "Z")],
                           what="the end of all inside")
    nook.cmd("rm", name).ok()


def test_when_the_program_ends_all_inside_dies(nook):
    assert nook.sh("sleep 1000 & sleep 1000 & exit 4", timeout=5).status == 4


def test_output_is_not_lost_at_the_end(nook):
    assert len(nook.sh("head -c 1000000 /dev/zero | tr '\\0' x").out) == 1000000


def test_a_closed_pipe_ends_the_program(nook):
    """As without nook: SIGPIPE is not ignored."""
    assert nook.outside("bash", "-c", f"{nook.binary} run -- yes | head -n1; echo ${{PIPESTATUS[0]}}").ok() == "y\n141"
