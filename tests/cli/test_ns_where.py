# SPDX-License-Identifier: Apache-2.0
"""nook ns where: a process and a path, as several namespaces see them."""

import os
import subprocess

import machine
import nookrun
import pytest


def where(nook, *words):
    return nook.cmd("ns", "where", "--json", *words).json()


def two(nook, *options):
    """A container with a second process, which is pid 2 there."""
    return nook.background("echo ready; sleep 1000; true", *options)


def test_a_process_is_told_from_our_namespace_down(nook):
    with two(nook) as one:
        shell = machine.children(one.pid)[0]
        answer = where(nook, f"{one.name}:2")
        assert answer["name"] == "sh"
        assert [row["pid"] for row in answer["pids"]] == [shell, 2]
        assert [row["tgid"] for row in answer["pids"]] == [shell, 2]
        assert [f"pid:[{row['namespace']}]" for row in answer["pids"]] == [
            machine.ns("pid"), machine.ns("pid", shell)]
        assert answer == where(nook, str(shell)) == where(nook, f"{one.pid}:2")


def test_numbers_are_those_of_status(nook):
    """Whatever way they were found: by the kernel's calls or by the status file, they agree."""
    with two(nook) as one:
        for pid in one.inside():
            status = machine.status(pid)
            rows = where(nook, str(pid))["pids"]
            for member, key in (("pid", "NSpid"), ("tgid", "NStgid"), ("pgid", "NSpgid"), ("sid", "NSsid")):
                assert [row[member] or 0 for row in rows] == [int(word) for word in status[key].split()]
            inner = rows[-1]["pid"]
            assert where(nook, str(pid), "--at", one.name)["pids"] == [rows[-1]]
            assert nook.cmd("ns", "where", "-q", f"{one.name}:{inner}").ok() == str(pid)


def test_ids_at_each_user_namespace(nook):
    with two(nook) as one:
        pid = machine.children(one.pid)[0]
        ours, inner = where(nook, str(pid))["users"]
        assert ours["uid"] == dict(zip(("real", "effective", "saved", "fs"),
                                       map(int, machine.status(pid)["Uid"].split())))
        assert inner["uid"] == {"real": 0, "effective": 0, "saved": 0, "fs": 0}
        assert inner["gid"]["effective"] == 0
        assert f"user:[{inner['namespace']}]" == machine.ns("user", pid)


def test_an_id_between_two_namespaces_is_told_without_a_process_there(root_nook):
    """Three user namespaces, and the only process has gone on from the middle one to the innermost."""
    script = "echo made; read mapped; exec unshare -U --map-user=7 --map-group=8 sh -c 'echo ready; exec sleep 1000'"
    process = subprocess.Popen(["unshare", "-U", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    try:
        assert process.stdout.readline() == "made\n"
        for file, text in (("uid_map", "50 0 1"), ("gid_map", "60 0 1")):
            with open(f"/proc/{process.pid}/{file}", "w", encoding="ascii") as out:
                out.write(text)
        process.stdin.write("mapped\n")
        process.stdin.close()
        assert process.stdout.readline() == "ready\n"
        users = where(root_nook, str(process.pid))["users"]
        assert [row["uid"]["effective"] for row in users] == [0, 50, 7]
        assert [row["gid"]["effective"] for row in users] == [0, 60, 8]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_an_id_that_is_not_mapped_has_no_number(root_nook):
    process = subprocess.Popen(["unshare", "-U", "sh", "-c", "echo ready; exec sleep 1000"], stdout=subprocess.PIPE,
                               text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        users = where(root_nook, str(process.pid))["users"]
        assert users[0]["uid"]["effective"] == 0 and users[1]["uid"]["effective"] is None
        assert "65534" in root_nook.cmd("ns", "where", process.pid).ok()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_thread_has_its_own_pid(root_nook):
    code = ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start();"
            "print('ready', flush=True); threading.Event().wait()")
    with subprocess.Popen(["python3", "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        thread = max(int(name) for name in os.listdir(f"/proc/{process.pid}/task"))
        row = where(root_nook, str(thread))["pids"][0]
        process.kill()
    assert (row["pid"], row["tgid"]) == (thread, process.pid) and thread != process.pid


def test_an_ordinary_user_is_told_the_numbers_of_others(user_nook):
    """/proc/PID/status is everybody's; the namespaces are not, and that is said."""
    answer = where(user_nook, str(os.getpid()))
    assert answer["pids"][0]["pid"] == os.getpid()
    if os.getuid() == 0:
        assert answer["users_hidden"] is True and answer["pids"][0]["namespace"] is None
        assert "ask as root" in user_nook.cmd("ns", "where", os.getpid()).ok()


@pytest.mark.parametrize("words, told", [
    ([], "needs a process or a path"),
    (["1", "2"], "not also '2'"),
    (["0"], "no pid"),
    (["99999999999"], "no pid"),
    (["no-such-container"], "named no-such-container"),
    (["no-such-container:1"], "named no-such-container"),
    (["self:0"], "no pid"),
    (["self:x"], "no pid"),
    (["self:4194304"], "no process has the pid 4194304"),
    (["../x"], "neither a pid nor a name"),
    (["/etc"], "--at"),
    (["self:/etc", "--at", "self"], "has its place already"),
    (["self:/no/such/file"], "No such file"),
    (["/no/such/file", "--at", "self"], "No such file"),
    (["self", "--at", "/etc/passwd"], "no pid namespace"),
    (["self", "--at", "/no/such/file"], "No such file"),
])
def test_what_is_not_there_is_said(root_nook, words, told):
    root_nook.cmd("ns", "where", *words).failed(125, told)


def test_a_process_that_has_ended(nook):
    process = subprocess.Popen(["true"])
    process.wait()
    nook.cmd("ns", "where", process.pid).failed(125, f"there is no process {process.pid}")


def test_a_process_outside_is_not_in_the_container(nook):
    with two(nook) as one:
        outside = nook.popen(["ns", "watch", "--for", "20", "--json"], stdout=subprocess.PIPE)
        outside.stdout.readline()
        nook.cmd("ns", "where", outside.pid, "--at", one.name).failed(125, "is not in the pid namespace")
        outside.kill()
        outside.wait()
        outside.stdout.close()


def test_a_name_that_is_kept(root_nook):
    """A pid namespace without a container: its pid 1 is nook-hold."""
    name = nookrun.unique("kept")
    root_nook.cmd("ns", "new", name, "--pid").ok()
    try:
        rows = where(root_nook, name)["pids"]
        assert len(rows) == 2 and rows[1]["pid"] == 1
        assert where(root_nook, f"{name}:1")["pids"] == rows
        assert where(root_nook, str(rows[0]["pid"]), "--at", name)["pids"] == rows[1:]
    finally:
        root_nook.cmd("ns", "rm", "--force", name).ok()
    root_nook.cmd("ns", "where", name).failed(125, f"named {name}")


# ---- paths ----

def test_a_volume_is_the_hosts_directory_and_back(nook):
    source = nook.scratch("data")
    with open(os.path.join(source, "file"), "w", encoding="ascii"):
        pass
    nook.own(source)
    with two(nook, "--volume", f"{source}:/data") as one:
        there = where(nook, f"{one.name}:/data/file")
        assert (there["kind"], there["host"], there["sure"]) == ("host", f"{source}/file", True)
        assert there["mount"]["point"] == "/data"
        back = where(nook, f"{source}/file", "--at", one.name)
        assert (back["inside"], back["sure"]) == ("/data/file", True)
        assert nook.cmd("ns", "where", "-q", f"{one.name}:/data").ok() == source
        assert nook.cmd("ns", "where", "-q", source, "--at", one.name).ok() == "/data"


def test_a_file_of_the_hosts_root_is_in_a_layer(nook):
    with two(nook) as one:
        there = where(nook, f"{one.name}:/etc/passwd")
        assert there["mount"]["fstype"] == "overlay"
        there = where(nook, f"{one.name}:/bin/sh")
        assert (there["kind"], there["sure"]) == ("lower", True)
        assert os.path.samefile(there["host"], "/bin/sh")


def test_what_was_written_inside_has_no_path_outside(nook):
    with nook.background("echo new >/etc/made-inside; echo ready; exec sleep 1000", "--tmpfs", "/scratch") as one:
        there = where(nook, f"{one.name}:/etc/made-inside")
        assert (there["kind"], there["host"], there["sure"]) == ("layers", None, False) and there["note"]
        there = where(nook, f"{one.name}:/scratch")
        assert (there["kind"], there["host"]) == ("inside", None) and "memory" in there["note"]
        there = where(nook, f"{one.name}:/proc/1/status")
        assert (there["kind"], there["mount"]["fstype"]) == ("inside", "proc")
        nook.cmd("ns", "where", "-q", f"{one.name}:/scratch").failed(125, "no path to /scratch")


def test_a_place_that_the_container_does_not_see(nook):
    source = nook.scratch("unseen")
    with two(nook, "--tmpfs", os.path.dirname(source)) as one:
        nook.cmd("ns", "where", source, "--at", one.name).failed(125, "no place in", source)


def test_the_layers_of_an_overlay_mount(root_nook, base):
    """upper, lower, and a file that is in both: the upper one is meant."""
    top = root_nook.scratch("overlay")
    for name in ("upper", "lower", "work", "merged"):
        os.mkdir(os.path.join(top, name))
    for path, text in (("upper/both", "1"), ("lower/both", "22"), ("lower/low", "3")):
        with open(os.path.join(top, path), "w", encoding="ascii") as file:
            file.write(text)
    script = (f"mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w && mount -t overlay -o "
              f"lowerdir={top}/lower,upperdir={top}/upper,workdir={top}/work none {top}/merged && echo ready && read end")
    process = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", script], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        if process.stdout.readline() != "ready\n":
            pytest.skip(f"no overlay mount here: {process.stderr.read()}")
        low = where(root_nook, f"{process.pid}:{top}/merged/low")
        assert (low["kind"], low["host"], low["sure"]) == ("lower", f"{top}/lower/low", True)
        both = where(root_nook, f"{process.pid}:{top}/merged/both")
        assert (both["kind"], both["host"], both["sure"]) == ("upper", f"{top}/upper/both", True)
        folder = where(root_nook, f"{process.pid}:{top}/merged")
        assert (folder["kind"], folder["sure"]) == ("upper", False) and "all layers" in folder["note"]
    finally:
        process.communicate("end\n")


def test_a_link_inside_leads_nowhere_else(nook):
    """A container's own symlink is followed inside its root, never on the host."""
    with nook.background("ln -s /proc/self/root/etc /tmp/out; ln -s /etc /tmp/etc; echo ready; exec sleep 1000") as one:
        assert where(nook, f"{one.name}:/tmp/etc")["inside"] == "/etc"
        nook.cmd("ns", "where", f"{one.name}:/tmp/out").failed(125)
        assert where(nook, f"{one.name}:/../../../etc")["inside"] == "/etc"


def test_what_a_process_calls_itself_does_not_reach_the_terminal(root_nook):
    code = "open('/proc/self/comm', 'w').write('\\x1b[31mred'); print('ready', flush=True); input()"
    with subprocess.Popen(["python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        out = root_nook.cmd("ns", "where", process.pid).ok()
        process.kill()
    assert "\x1b" not in out and "red" in out
