# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, completion, man pages, and how the program starts. Nothing here makes a container."""

import os
import pty
import re
import shutil
import signal
import stat
import struct
import subprocess

import pytest

import zshell

pytestmark = pytest.mark.quick

COMMANDS = ["run", "exec", "ps", "kill", "rm", "check", "ns", "net", "help", "completion", "version"]
VERBS = {"ns": ["ls", "tree", "show", "new", "keep", "enter", "rm", "can", "where", "diff", "watch"],
         "net": ["new", "ls", "show", "rm", "connect", "disconnect", "publish", "unpublish", "veth", "move", "explain", "repair",
                 "watch", "capture"]}
EVERY = COMMANDS + [f"{command} {verb}" for command, verbs in VERBS.items() for verb in verbs]

RUN_OPTIONS = """share join hostname domainname boottime monotonic userns uid-map gid-map root layer changes read-only
    expose hide volume tmpfs user group cwd env clear-env cap-add cap-drop new-privs no-new-privs seccomp rlimit
    oom-score-adj init no-init tty no-tty memory memory-swap cpus cpu-weight pids io-weight net name plan trace
    help""".split()


def options_in(text):
    return set(re.findall(r"--([a-z][a-z-]+)", text))


# ---- help ----

@pytest.mark.parametrize("command", EVERY)
def test_every_command_has_help(user_nook, command):
    shown = user_nook.cmd(*command.split(), "--help")
    assert shown.ok().startswith(f"nook {command}")
    assert shown.err == ""
    assert user_nook.cmd("help", *command.split()).out == user_nook.cmd(*command.split(), "-h").out == shown.out


@pytest.mark.parametrize("words", [["--help"]] + [[*command.split(), "--help"] for command in EVERY])
def test_help_is_plain_and_fits(user_nook, words):
    for line in user_nook.cmd(*words).lines():
        assert len(line) <= 100 and line == line.rstrip() and line.isprintable()


def test_the_short_help_lists_each_command(user_nook):
    shown = user_nook.cmd("--help")
    assert [line.split()[0] for line in shown.lines() if re.match("  [a-z]", line)] == COMMANDS
    assert user_nook.cmd("help").out == user_nook.cmd("-h").out == shown.out
    assert len(shown.lines()) <= 25


def test_nook_alone_shows_the_short_help_as_an_error(user_nook):
    alone = user_nook.cmd()
    assert (alone.status, alone.out) == (125, "")
    assert alone.err.startswith("nook: the command is missing")
    assert "  run " in alone.err


def test_help_of_run_has_all_options_by_topic(user_nook):
    shown = user_nook.run("--help").ok()
    assert options_in(shown) >= set(RUN_OPTIONS)
    headings = [line for line in shown.splitlines() if line and not line.startswith((" ", "nook ", "man "))]
    assert [h for h in headings if len(h) < 20] == ["Namespaces", "Root file system", "Mounts", "Process", "Limits",
                                                    "Network", "The run"]


@pytest.mark.parametrize("words", [["--help", "--no-such-option"], ["--root", "a", "--layer", "b", "-h"]])
def test_help_comes_before_errors(user_nook, words):
    assert user_nook.run(*words).ok() == user_nook.run("--help").ok()


def test_help_behind_the_command_is_the_commands_own(user_nook):
    user_nook.run("--no-such-option", "ls", "--help").failed(125, "--no-such-option")
    assert "Namespaces" not in user_nook.run("--plan=wrong", "ls", "--help").out


def on_a_terminal(nook, *words, term="xterm"):
    """What it writes when stdout is a terminal."""
    master, slave = pty.openpty()
    process = nook.popen(list(words), env={"TERM": term}, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # EIO: the other side is closed
            break
        if not piece:
            break
        text += piece
    os.close(master)
    assert process.wait(5) == 0
    return text.decode()


def test_headings_are_bold_on_a_terminal_only(user_nook):
    assert "\033[1mContainers\033[0m" in on_a_terminal(user_nook, "--help")
    assert "\033" not in on_a_terminal(user_nook, "--help", term="dumb")
    assert "\033" not in user_nook.cmd("--help").out


@pytest.mark.parametrize("words", ["--help", "run --help", "version", "completion bash", "help --scdoc run"])
def test_what_cannot_be_written_is_an_error(user_nook, words):
    shown = user_nook.outside("sh", "-c", f"{user_nook.binary} {words} >/dev/full", check=False)
    assert shown.status == 125 and "No space left on device" in shown.err


def test_a_reader_that_goes_away_ends_it_quietly(user_nook):
    """Also where the caller ignores SIGPIPE, as this Python does and hands down."""
    reader, writer = os.pipe()
    os.close(reader)
    process = user_nook.popen(["run", "--help"], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE,
                              restore_signals=False)
    os.close(writer)
    assert process.communicate(timeout=5) == (None, "")
    assert process.returncode == -signal.SIGPIPE


# ---- wrong words ----

@pytest.mark.parametrize("words, named", [
    (["run", "--vlume", "a:b"], "--volume"),
    (["run", "-it", "sh"], "leave -i away"),
    (["run", "--rm", "sh"], "leave --rm away"),
    (["run", "--name", "a", "--name", "b"], "--name a"),
    (["run", "--memory", "5q"], "'5q' is not a size"),
    (["run", "--cpu-weight", "0"], "from 1 to 10000"),
    (["run", "--expose", "/root", "--root", "/srv"], "contradicts --root /srv"),
    (["rum"], "nook run"),
    (["--plan"], "behind the command"),
    (["exec"], "NAME"),
    (["exec", "web"], "COMMAND"),
    (["exec", "web", "--tty", "sh"], "before the NAME"),
    (["exec", "web", ""], "COMMAND"),
    (["kill"], "NAME"),
    (["kill", "-s", "TREM", "web"], "term"),
    (["kill", "-9", "web"], "-s 9"),
    (["kill", "--signal"], "--signal"),
    (["rm"], "NAME"),
    (["rm", "a", "../b"], "../b"),
    (["rm", "a", "--no-force"], "--no-force"),
    (["ps", "web"], "'web'"),
    (["ns"], "nook ns VERB"),
    (["ns", "lss"], "'lss'"),
    (["ns ls"], "'ns ls'"),
    (["help", "ns", "lss"], "one command"),
    (["ps", "-a"], "leave -a away"),
    (["help", "rum"], "nook help run"),
    (["help", "run", "ps"], "one command"),
    (["help", "--scdoc"], "one command"),
    (["completion"], "bash or zsh"),
    (["completion", "fish"], "bash or zsh"),
    (["version", "x"], "'x'"),
])
def test_wrong_words_are_named(user_nook, words, named):
    answer = user_nook.cmd(*words)
    answer.failed(125, named)
    assert answer.out == ""
    assert len([line for line in answer.err.splitlines() if line.startswith("nook: ")]) == 1


def test_an_error_shows_control_characters_and_does_not_send_them(user_nook):
    err = user_nook.run("--name", "a\033[31m\n").failed(125)
    assert "\033" not in err and "\\x1b" in err


def test_the_version(user_nook):
    assert re.fullmatch(r"nook \d+\.\d+\.\d+", user_nook.cmd("version").ok())
    assert user_nook.cmd("--version").out == user_nook.cmd("version").out


# ---- how it starts ----

@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors(user_nook, closed):
    """What nook opens must not become its stdout."""
    assert user_nook.outside("sh", "-c", f"{user_nook.binary} ps {closed}", check=False).status == 0
    assert user_nook.outside("sh", "-c", f"{user_nook.binary} run --wrong {closed}", check=False).status == 125


def test_words_that_are_none(user_nook):
    """execve() with an empty argv: CVE-2021-4034 began so."""
    code = f"import ctypes; ctypes.CDLL(None).execve({user_nook.binary!r}.encode(), (ctypes.c_char_p * 1)(None), None)"
    assert user_nook.outside("/usr/bin/python3", "-c", code, check=False).status == 125


def powerful_copy(nook, name):
    """A copy of the program in a directory of its own."""
    path = os.path.join(nook.base, name)
    shutil.copy(nook.binary, path)
    os.chmod(path, 0o755)
    if os.statvfs(path).f_flag & os.ST_NOSUID:
        pytest.skip(f"{nook.base} is mounted nosuid")
    return path


@pytest.mark.parametrize("power", ["setuid", "setgid", "capability"])
def test_it_refuses_more_power_than_the_callers(user_nook, power):
    if os.getuid() != 0:
        pytest.skip("needs root, to give a program power")
    path = powerful_copy(user_nook, f"nook-{power}")
    try:
        if power == "capability":  # CAP_NET_RAW, permitted and effective: struct vfs_cap_data
            os.setxattr(path, "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
        else:
            os.chmod(path, 0o755 | (stat.S_ISUID if power == "setuid" else stat.S_ISGID))
        answer = user_nook.outside(path, "version", check=False)
        assert (answer.status, answer.out) == (125, "")
        assert "refuses to run setuid" in answer.err
    finally:
        os.unlink(path)


# ---- completion ----

COMPLETE = """
source /dev/stdin < <("$0" completion bash)
nook() { if [ "$1" = net ]; then echo blue; else printf 'web\\ndb\\n'; fi; }
cd "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_nook
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(user_nook):
    """A function: what bash offers for the last of these words. Bash splits words at = and : too."""
    folder = user_nook.scratch()
    os.makedirs(f"{folder}/layers/one")
    with open(f"{folder}/letter", "w", encoding="ascii"):
        pass
    os.chmod(folder, 0o755)

    def offered(line):
        words = line.split(" ")
        return user_nook.outside("bash", "-c", COMPLETE, user_nook.binary, folder, *words).lines()
    return offered


@pytest.mark.parametrize("line, offered", [
    ("nook ver", ["version"]),
    ("nook ", COMMANDS + ["--help", "--version"]),
    ("nook run --host", ["--hostname"]),
    ("nook run --no-i", ["--no-init"]),
    ("nook run --net ", ["private", "none", "host", "user", "bridge", "blue"]),
    ("nook run --net = h", ["host"]),
    ("nook run --net =", ["private", "none", "host", "user", "bridge", "blue"]),
    ("nook run --share ne", ["net"]),
    ("nook run --share net,u", ["net,uts", "net,user"]),
    ("nook run --share net,uts,n", []),
    ("nook run --cap-drop all --cap-add sys_t", ["sys_time", "sys_tty_config"]),
    ("nook run --root l", ["layers"]),
    ("nook run --volume l", ["layers", "letter"]),
    ("nook run --volume /a : l", ["layers", "letter"]),
    ("nook run --volume = /a : /b --na", ["--name"]),
    ("nook run -v /a : /b : ro --na", ["--name"]),
    ("nook run --plan = j", ["json"]),
    ("nook run --plan --tra", ["--trace"]),
    ("nook run -u roo", ["root"]),
    ("nook run --rlimit nof", ["nofile"]),
    ("nook run --memory 1", []),
    ("nook run --name a cat l", ["layers", "letter"]),
    ("nook run -- cat --na", []),
    ("nook kill ", ["web", "db"]),
    ("nook kill -s TERM w", ["web"]),
    ("nook kill --signal usr", ["usr1", "usr2"]),
    ("nook rm --force web d", ["db"]),
    ("nook exec d", ["db"]),
    ("nook exec -t web cat l", ["layers", "letter"]),
    ("nook ps --q", ["--quiet"]),
    ("nook ps ", []),
    ("nook help ch", ["check"]),
    ("nook ns ", VERBS["ns"] + ["--help"]),
    ("nook net ", VERBS["net"] + ["--help"]),
    ("nook net rm b", ["blue"]),
    ("nook net show ", ["blue"]),
    ("nook net connect ", ["web", "db"]),
    ("nook net connect web ", ["blue"]),
    ("nook completion ", ["bash", "zsh"]),
])
def test_bash_completion(complete, line, offered):
    assert sorted(filter(None, complete(line))) == sorted(offered)


@pytest.mark.parametrize("line, offered", [
    ("nook ver", ["version"]),
    ("nook run --host", ["--hostname"]),
    ("nook run --net ", ["private", "none", "host", "user", "bridge", "blue"]),
    ("nook run --net=h", ["host"]),
    ("nook run --share ne", ["net"]),
    ("nook run --cap-drop all --cap-add sys_t", ["sys_time", "sys_tty_config"]),
    ("nook run --root l", ["layers"]),
    ("nook run --plan=j", ["json"]),
    ("nook run --name a cat l", ["layers", "letter"]),
    ("nook kill ", ["web", "db"]),
    ("nook kill --signal usr", ["usr1", "usr2"]),
    ("nook rm --force web d", ["db"]),
    ("nook exec d", ["db"]),
    ("nook help ch", ["check"]),
    ("nook ns ", VERBS["ns"]),
    ("nook net ", VERBS["net"]),
    ("nook net rm b", ["blue"]),
    ("nook net connect web ", ["blue"]),
    ("nook completion ", ["bash", "zsh"]),
])
def test_zsh_completion(user_nook, line, offered):
    if not shutil.which("zsh"):
        pytest.skip("no zsh")
    folder = user_nook.scratch()
    os.chmod(folder, 0o755)
    zsh = zshell.Shell(folder, "nook", user_nook.cmd("completion", "zsh").ok(),
                       '#!/bin/sh\nif [ "$1" = net ]; then echo blue; else printf "web\\ndb\\n"; fi\n', ["layers/one/x", "letter"])
    assert zsh.offered(line) == sorted(offered)


def test_bash_completion_has_every_option(user_nook):
    script = user_nook.cmd("completion", "bash").ok()
    for command in EVERY:
        assert options_in(user_nook.cmd(*command.split(), "--help").ok().split("\n\n", 2)[-1]) <= options_in(script), command


def test_bash_completion_is_clean(user_nook, tmp_path):
    if not shutil.which("shellcheck"):
        pytest.skip("no shellcheck")
    script = tmp_path / "nook"
    script.write_text(user_nook.cmd("completion", "bash").out)
    found = subprocess.run(["shellcheck", "-s", "bash", script], text=True, capture_output=True, check=False)
    assert found.returncode == 0, found.stdout


def test_zsh_completion_has_every_option_and_parses(user_nook, tmp_path):
    script = user_nook.cmd("completion", "zsh").ok()
    assert script.startswith("#compdef nook\n")
    assert options_in(script) >= set(RUN_OPTIONS)
    for command in EVERY:
        assert f"\n_nook_{command.replace(' ', '_')}() {{\n" in script
    # zsh shares this much of its grammar with bash: quotes and braces are balanced.
    functions = re.sub(r"(?s)\n_nook\(\) \{.*", "\n", script).replace('${(f)"$(', '"$(').replace(')"})', ')")')
    path = tmp_path / "_nook"
    path.write_text(functions)
    subprocess.run(["bash", "-n", path], check=True)
    if shutil.which("zsh"):
        path.write_text(script)
        subprocess.run(["zsh", "-n", path], check=True)


# ---- man pages ----

@pytest.mark.parametrize("command", ["run", "exec", "ps", "kill", "rm", "check"])
def test_the_man_page_has_every_option(user_nook, repository, command):
    scdoc = shutil.which("scdoc")
    if not scdoc:
        pytest.skip("no scdoc")
    source = os.path.join(repository, f"man/nook-{command}.1.scd")
    page = subprocess.run([os.path.join(repository, "tools/manpage"), user_nook.binary, scdoc, source], text=True,
                          capture_output=True, check=True).stdout
    text = page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").replace("\\&", "")
    table = user_nook.cmd("help", "--scdoc", command).ok()
    assert table.startswith("# OPTIONS\n")
    assert options_in(table) and options_in(table) <= options_in(text)
    assert "@OPTIONS" not in text


def test_the_man_page_of_nook_lists_each_command(repository):
    with open(os.path.join(repository, "man/nook.1.scd"), encoding="utf-8") as file:
        text = file.read()
    for command in COMMANDS:
        assert f"*nook {command}*" in text
