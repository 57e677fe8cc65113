# SPDX-License-Identifier: Apache-2.0
"""Rules 12, 16, 17, 19 and 20 with nook-oci: what is said to people and engines, hooks, sockets, words."""

import json
import os
import shutil
import socket
import time

import machine
import oci as harness
import pytest
from hostile import mount, userns

ODD = "\x1b]0;owned\x07\x1b[2J\u202e\u2028\x7f\x9b31m"


def is_plain(text):
    return not any(ord(char) < 32 and char != "\n" or 0x7f <= ord(char) < 0xa0 or char in "\u202e\u2028" for char in text)


# ---- texts that come from the image or the config ----

ODD_EDITS = {
    "a program": {"process/args": [f"/{ODD}"]},
    "a program with lines": {"process/args": ['/x"\nlevel=error msg="all is well']},
    "a directory": {"process/cwd": f"/dev/null/{ODD}"},
    "a mount": {"mounts/0/destination": f"/proc/{ODD}", "mounts/0/type": "tmpfs"},
    "a source": mount("/mnt", f"/nowhere/{ODD}", "bind"),
    "an option": mount("/mnt", "tmpfs", ODD, kind="tmpfs"),
    "a file system": mount("/mnt", "x", kind=ODD),
    "a capability": {"process/capabilities/bounding": [f"CAP_{ODD}"]},
    "a sysctl": {"linux/sysctl": {f"kernel.{ODD}": "1"}},
    "a hook": {"hooks/createRuntime": [{"path": f"/nowhere/{ODD}"}]},
    "a namespace": {"linux/namespaces/0/path": f"/nowhere/{ODD}"},
    "a cgroup": {"linux/cgroupsPath": f"/{ODD}/../{ODD}"},
    "an interpreter": {"process/args": ["/evil"]},
    "an rlimit": {"process/rlimits": [{"type": ODD, "soft": 1, "hard": 1}]},
    "a member": {f"linux/{ODD}": 1, "linux/namespaces/0/type": ODD},
}


@pytest.mark.parametrize("what", ODD_EDITS)
def test_what_a_config_says_does_not_reach_the_terminal(oci, bundle, what):
    """No escape sequence on stderr, and one line of the log for an error: none that it has made up."""
    made = bundle("true", ODD_EDITS[what])
    made.file("/evil", f"#!/{ODD}\n", 0o755)
    log = f"{made.path}/log"
    for form in ("json", "text"):
        oci.flags = ["--log", log, "--log-format", form]
        result = oci.run(made)
        assert result.status in (0, 1, 126, 127) and is_plain(result.err), result
        if result.status == 0:
            continue  # a strange name for a cgroup is no error
        text = machine.read(log)
        assert is_plain(text) and text.count("\n") == 1, text
        assert form == "text" or is_plain(harness.log_lines(log)[0]["msg"]), text
        os.unlink(log)


def test_what_a_state_shows_of_annotations(oci, bundle):
    """An engine's terminal shows `list`; JSON escapes what it is given."""
    odd = "\x1b]0;owned\x07\x1b[2J\x7f"
    container = oci.container(bundle("true", {"annotations": {odd: f'"}},{odd}\n'}}))
    container.create().ok()
    for words in (["state", container.id], ["list"], ["list", "--format", "json"], ["ps", container.id]):
        assert is_plain(oci.cmd(*words).ok()), words
    assert container.state()["annotations"] == {odd: f'"}},{odd}\n'}


IDS = ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "a b", "a\nb", "ä", "a\x1b[2J", "a:b", "a;b", "$x", "*", "x" * 256, "+a", "%s%n",
       "a\\b", "nook/../../etc", "a\tb"]


@pytest.mark.parametrize("name", IDS)
def test_ids_that_are_paths_or_worse(oci, bundle, name):
    """Rule 11, in every command that takes one."""
    made = bundle("true").write()
    before = sorted(os.listdir(oci.base))
    for words in (["create", "--bundle", made.path], ["run", "--bundle", made.path], ["start"], ["state"], ["kill"], ["delete"],
                  ["delete", "--force"], ["exec"], ["ps"], ["pause"], ["resume"], ["update", "--memory", "1"], ["events", "--stats"]):
        result = oci.cmd(*words, "--", name, *(["true"] if words == ["exec"] else []))
        assert result.status in (1, 255) or words == ["delete", "--force"], result
        assert is_plain(result.err) and not result.out, result
    assert sorted(os.listdir(oci.base)) == before


USERS = ["4294967295", "4294967296", "18446744073709551616", "-1", "0x10", "1e3", " 1", "1 ", "+1", "1.0", "01x", "", ":", "0:", ":0", "0:-1",
         "0:4294967295", "0:0:0", "nobody", "root", "1000root", "0\n", "٣", "app", "0,1"]


def test_users_that_are_none_in_exec(oci, bundle):
    """CVE-2016-3697: a name in the image's passwd that looks like a number, or a number that is looked for as a name."""
    made = bundle(harness.READY)
    made.file("/etc/passwd", "".join(f"{name}:x:0:0::/:/bin/sh\n" for name in ("1000", "1000root", "-1", "nobody", "4294967295")))
    container = oci.running(made)
    for user in USERS:
        result = container.exec(f"--user={user}", "--", "id", "-u")
        assert result.status == 255 and not result.out, (user, result)
    assert container.exec("--user=1000", "--", "id", "-u").ok() == "1000"


# ---- hooks ----

def test_hooks_get_nothing_of_the_callers(oci, bundle):
    """Rule 16: not its variables, not its descriptors, not what it ignores; for every hook, from both commands."""
    path = f"{oci.scratch('hooks')}/said"
    script = (f"(env; ls -l /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status; umask) >>{path}")
    kinds = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
    hook = [{"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["ONLY=this"]}]
    made = bundle("true", {f"hooks/{kind}": hook for kind in kinds})
    with open("/etc/hostname", "rb") as secret:
        oci.run(made, env={"TOKEN": "canary-in-env"}, fds=[secret.fileno()] * 9).ok()
    said = machine.read(path)
    assert said.count("ONLY=this") == len(kinds), said
    assert "canary-in-env" not in said and "/etc/hostname" not in said
    blocked = {line.split()[1] for line in said.splitlines() if line.startswith("Sig")}
    assert blocked == {"0" * 16}, said


def test_a_hook_of_the_image_is_not_run(oci, bundle):
    """Hooks before the start are the host's files, whatever the image has of that name."""
    ran = f"{oci.scratch('hooks')}/ran"
    made = bundle("true", {"hooks/createContainer": [{"path": "/hook"}]})
    made.file("/hook", f"#!/bin/sh\ntouch {ran}\n", 0o755)
    oci.run(made).failed(1, "/hook")
    assert not os.path.exists(ran)


# ---- sockets ----

@pytest.fixture
def manager(oci):
    path = f"{oci.scratch('manager')}/notify"
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(path)
    made.settimeout(5)
    yield made, path
    made.close()


def test_a_flood_of_messages(oci, hostile_bundle, manager):
    """Rule 17: only READY and STATUS come through, a bounded number, without escapes; and the runtime goes on."""
    listening, path = manager
    messages = ["MAINPID=1\nREADY=0\nFDSTORE=1\nEXTEND_TIMEOUT_USEC=999999999\nWATCHDOG=trigger\nSTOPPING=1", f"STATUS={ODD}",
                "STATUS=" + "x" * 3000, "STATUS=" + "y" * 9000, "ERRNO=5\nBUSERROR=x\nRELOADING=1\nMONOTONIC_USEC=1"]
    program = ["/attacker", "notify", "3000", *messages, "READY=1"]
    container = oci.container(hostile_bundle(program))
    container.create(env={"NOTIFY_SOCKET": path}).ok()
    started, got = oci.popen("start", container.id, env={"NOTIFY_SOCKET": path}), []
    while not any("BARRIER=1" in text for text in got):
        got.append(listening.recv(65536).decode())
    assert started.wait(10) == 0, started.err()
    lines = [line for text in got for line in text.splitlines()]
    assert {line.split("=")[0] for line in lines} <= {"STATUS", "READY", "MAINPID", "BARRIER"}, lines[:20]
    assert f"MAINPID={container.pid}" in lines and "READY=1" in lines and "MAINPID=1" not in lines
    assert len(got) < 200 and all(is_plain(line) and len(line) < 2000 for line in lines), len(got)


def test_the_notify_directory_is_read_only(oci, bundle, manager):
    """The container can't put something else where the runtime looks for its socket."""
    _, path = manager
    container = oci.container(bundle('d=${NOTIFY_SOCKET%/*}; touch $d/x; rm $NOTIFY_SOCKET; mkdir $d/y; echo done; sleep 1000'))
    container.create(env={"NOTIFY_SOCKET": path}).ok()
    process = oci.popen("start", container.id, env={"NOTIFY_SOCKET": path})
    container.until_said("done")
    assert container.err().count("Read-only file system") == 3, container.err()
    container.kill("KILL")
    process.result()


def test_the_listener_is_not_the_programs(oci, hostile_bundle, fd_socket):
    """It would answer for its own system calls."""
    listener = fd_socket()
    made = hostile_bundle("echo ready; /attacker fds; sleep 1000", {"linux/seccomp": {
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": listener.path,
        "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_NOTIFY"}]}})
    container = oci.container(made)
    container.create().ok()
    fd, text = listener.receive()
    assert json.loads(text)["state"]["id"] == container.id
    container.start().ok()
    container.until_said("2 ")
    time.sleep(0.05)
    assert [line.split()[0] for line in container.out().splitlines()[1:]] == ["0", "1", "2"], container.out()
    links = {os.readlink(f"/proc/{container.pid}/fd/{name}") for name in os.listdir(f"/proc/{container.pid}/fd")}
    assert not any("seccomp" in link for link in links), links
    os.close(fd)


def test_a_terminal_of_the_containers_own(oci, hostile_bundle, fd_socket):
    """TIOCSTI reaches its own terminal at most; the engine's end is the master of a devpts that is the container's."""
    consoles = fd_socket()
    container = oci.container(hostile_bundle(["sh", "-c", "tty; /attacker type evil; ls -l /proc/self/fd; sleep 1000"],
                                             {"process/terminal": True}))
    container.create("--console-socket", consoles.path).ok()
    with consoles.console() as console:
        container.start().ok()
        console.until("/dev/")
        text = console.until("total")
        assert "a terminal" in text
    links = {name: os.readlink(f"/proc/{container.pid}/fd/{name}") for name in os.listdir(f"/proc/{container.pid}/fd")}
    assert not any("ptmx" in link for link in links.values()), links


def test_preserved_descriptors_and_no_more(oci, hostile_bundle):
    """--preserve-fds counts from 3; our own, which would fit into the row, are not in it."""
    with open("/etc/hostname", "rb") as one:
        for options in (["--preserve-fds", "2"], ["--preserve-fds=1"], []):
            count = int(options[-1].split("=")[-1]) if options else 0
            made = hostile_bundle(["/attacker", "fds"])
            lines = oci.run(made, *options, fds=[one.fileno()] * 6).lines()
            assert [int(line.split()[0]) for line in lines] == list(range(3 + count)), lines
            assert all(line.endswith("/etc/hostname") for line in lines[3:]), lines


# ---- setuid ----

@pytest.mark.parametrize("mode", [0o4755, 0o2755])
def test_a_setuid_runtime_refuses_before_it_reads_anything(oci, bundle, mode):
    """Rule 19. A pipe as config.json would block whoever reads it."""
    path = f"{oci.scratch('suid')}/nook-oci"
    shutil.copy(oci.binary, path)
    os.chmod(path, mode)
    made = bundle("true").write()
    os.unlink(f"{made.path}/config.json")
    os.mkfifo(f"{made.path}/config.json", 0o666)
    for words in (["run", "--bundle", made.path, "x"], ["--version"], ["--no-such-option"], []):
        result = oci.start(["setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", path, *words]).result(5)
        assert result.status != 0 and "setuid" in result.err and not result.out, result


def test_setuid_programs_inside(oci, hostile_bundle):
    """With noNewPrivileges they give nothing; the runtime sets it before the program is there."""
    made = hostile_bundle(["/suid", "credentials"], {"process/user": {"uid": 1000, "gid": 1000}})
    shutil.copy(f"{made.rootfs}/attacker", f"{made.rootfs}/suid")
    os.chmod(f"{made.rootfs}/suid", 0o6755)
    assert oci.run(made).ok() == "uid 1000 1000 gid 1000 1000 nnp 1"


# ---- id maps ----

MAPS = {
    "ids that wrap": [(0, 4294967290, 10)], "too many": [(0, 0, 4294967296)], "none": [(0, 1000, 0)], "overlapping": [(0, 1000, 10), (5, 3000, 5)],
    "overlapping outside": [(0, 1000, 10), (10, 1005, 5)], "the last id": [(0, 4294967295, 1)], "negative": [(0, -1, 1)],
    "341 of them": [(i, 100000 + i, 1) for i in range(341)],
}


@pytest.mark.parametrize("what", MAPS)
def test_maps_that_are_none(oci, bundle, what):
    lines = [{"containerID": inside, "hostID": outside, "size": count} for inside, outside, count in MAPS[what]]
    made = bundle("id -u", {**userns(), "linux/uidMappings": lines, "linux/gidMappings": lines})
    result = oci.run(made)
    assert result.status == 1 and not result.out, result


def test_a_map_without_root_is_no_root(oci, bundle):
    """Nobody inside is 0: the runtime must not go on as the machine's root instead."""
    lines = [{"containerID": 1, "hostID": 300000, "size": 1000}]
    made = bundle("cat /proc/self/status", {**userns(), "linux/uidMappings": lines, "linux/gidMappings": lines,
                                            "process/user": {"uid": 5, "gid": 5}})
    result = oci.run(made)
    assert result.status == 1 or "Uid:\t5\t5\t5\t5" in result.out, result
    assert "Uid:\t0" not in result.out and "Uid:\t65534" not in result.out
