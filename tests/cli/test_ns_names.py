# SPDX-License-Identifier: Apache-2.0
"""nook ns new, keep, rm: namespaces that live on under a name."""

import glob
import json
import os
import re
import signal
import subprocess

import machine
import nookrun
import pytest

pytestmark = pytest.mark.quick
EACH_KIND = pytest.mark.parametrize("kind", machine.KINDS)


@pytest.fixture(autouse=True, scope="module")
def netns_directory():
    machine.prepare_netns(nookrun.unique("prepare"))


@pytest.fixture
def name(nook):
    """A name that is given back at the end."""
    made = nookrun.unique("ns")
    yield made
    nook.cmd("ns", "rm", "--force", made)


@pytest.fixture
def root_name(root_nook):
    made = nookrun.unique("ns")
    yield made
    root_nook.cmd("ns", "rm", "--force", made)


def new(nook, name, *kinds, options=()):
    answer = nook.cmd("ns", "new", name, *[f"--{kind}" for kind in kinds], *options, "--json").json()
    answer["by"] = {row["kind"]: row for row in answer["namespaces"]}
    return answer


def link(kind, row):
    return f"{kind}:[{row['inode']}]"


def holders():
    """Every nook-hold on the machine."""
    found = []
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            if machine.read(path) == "nook-hold\n":
                found.append(int(path.split("/")[2]))
        except OSError:
            pass
    return set(found)


@EACH_KIND
def test_each_kind_is_made_and_lives_on(nook, name, kind):
    made = new(nook, name, kind)
    wanted = {kind} if nook.is_root else {kind, "user"}
    assert set(made["by"]) == wanted
    inside = nook.cmd("ns", "enter", name, "readlink", f"/proc/self/ns/{kind}").ok()
    assert inside == link(kind, made["by"][kind]) != machine.ns(kind)


def test_all_at_once(nook, name):
    made = new(nook, name, "all", options=("--hostname", "blue"))
    assert set(made["by"]) == set(machine.KINDS)
    script = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in machine.KINDS) + "; uname -n; id -u"
    out = nook.cmd("ns", "enter", name, "sh", "-c", script).lines()
    assert out[:8] == [link(kind, made["by"][kind]) for kind in machine.KINDS]
    assert out[8:] == ["blue", "0"]


def test_an_ordinary_user_gets_a_user_namespace_around(user_nook):
    name = nookrun.unique("ns")
    made = new(user_nook, name, "net")
    assert made["implied"] == ["user"]
    assert {row["held_by"] for row in made["namespaces"]} == {"process"}
    user_nook.cmd("ns", "rm", name).ok()


def test_roots_need_no_process(root_nook, root_name):
    before = holders()
    made = new(root_nook, root_name, "net", "uts", "ipc", "cgroup", "time", "user")
    assert made["holder"] is None
    assert {row["held_by"] for row in made["namespaces"]} == {"mount"}
    assert holders() - before == set()


def test_a_mount_namespace_is_held_by_one_of_both(root_nook, root_name):
    """Linux 6.18 binds a mount namespace only where the numbers of its CPU allow: else a process holds it."""
    made = new(root_nook, root_name, "mnt", "uts")
    row = made["by"]["mnt"]
    assert (row["held_by"], made["holder"] is None, row["note"] is None) in [("mount", True, True), ("process", False, False)]
    assert made["by"]["uts"]["held_by"] == "mount"
    assert root_nook.cmd("ns", "enter", root_name, "readlink", "/proc/self/ns/mnt").ok() == link("mnt", row)


def test_the_place_of_the_mounts_is_private_and_unbindable(root_nook, root_name):
    new(root_nook, root_name, "uts")
    place = [line for line in machine.read("/proc/self/mountinfo").splitlines() if line.split()[4] == "/run/nook/ns-pins"]
    assert len(place) == 1 and " unbindable " in place[0] and "shared:" not in place[0]


# ---- the holder ----

def test_the_holder_is_small_and_alone(unsanitized, nook, name):
    pid = new(nook, name, "pid")["holder"]
    status = machine.status(pid)
    assert status["Name"] == "nook-hold"
    assert machine.read(f"/proc/{pid}/cmdline").rstrip("\0") == "nook-hold"
    assert os.getsid(pid) == pid
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert {os.readlink(path) for path in glob.glob(f"/proc/{pid}/fd/*")} == {"/dev/null"}
    assert len(os.listdir(f"/proc/{pid}/fd")) == 3
    assert status["CapEff"] == status["CapPrm"] == "0000000000000000" and status["NoNewPrivs"] == "1"
    assert machine.read(f"/proc/{pid}/environ").strip("\0") in ("", "nook-hold")
    machine.wait_until(lambda: own_memory(pid) < 300, what="a resident set of less than 300 KiB")


def own_memory(pid):
    """KiB of a process that no file of the page cache backs, and what of the program it has mapped of its own."""
    fields = machine.status(pid)
    return int(fields["RssAnon"].split()[0]) + int(fields["RssShmem"].split()[0])


def test_a_pid_namespace_has_a_reaping_pid_1(nook, name):
    made = new(nook, name, "pid")
    out = nook.cmd("ns", "enter", name, "sh", "-c", "echo $$; (sleep 0.05 & ) ; echo over").lines()
    assert int(out[0]) > 1 and out[1] == "over"
    machine.wait_until(lambda: machine.children(made["holder"]) == [], what="the orphan's reaping")


def test_signals_from_inside_do_not_end_pid_1(nook, name):
    pid = new(nook, name, "pid", "mnt")["holder"]
    nook.cmd("ns", "enter", name, "sh", "-c", "kill -TERM 1; kill -KILL 1; kill -HUP 1; true").ok()
    machine.wait_until(lambda: machine.state_of(pid) == "S", what="pid 1 asleep again")


def test_sigterm_from_outside_ends_the_holder(root_nook, root_name):
    pid = new(root_nook, root_name, "pid")["holder"]
    os.kill(pid, signal.SIGTERM)
    machine.wait_until(lambda: machine.state_of(pid) in (None, "Z"), what="the holder's end")
    root_nook.cmd("ns", "enter", root_name, "true").failed(125, "namespace-gone")
    # A name whose holder was killed can be given again at once.
    assert new(root_nook, root_name, "pid")["holder"] != pid


# ---- ip netns ----

def test_ip_netns_lists_and_enters_ours(root_nook, root_name):
    made = new(root_nook, root_name, "net")
    assert root_name in [line.split()[0] for line in root_nook.outside("ip", "netns", "list").lines()]
    inside = root_nook.outside("ip", "netns", "exec", root_name, "readlink", "/proc/self/ns/net").ok()
    assert inside == link("net", made["by"]["net"])
    root_nook.cmd("ns", "rm", root_name).ok()
    assert root_name not in root_nook.outside("ip", "netns", "list").ok()


def test_names_of_ip_netns_are_entered_and_removed(root_nook, root_name):
    root_nook.outside("ip", "netns", "add", root_name)
    inside = root_nook.cmd("ns", "enter", root_name, "readlink", "/proc/self/ns/net").ok()
    assert inside == root_nook.outside("ip", "netns", "exec", root_name, "readlink", "/proc/self/ns/net").ok()
    assert root_nook.run("--join", f"net={root_name}", "--userns", "host", "--", "readlink", "/proc/self/ns/net").ok() == inside
    root_nook.cmd("ns", "new", root_name, "--net").failed(125, "name-in-use")
    root_nook.cmd("ns", "rm", root_name).failed(125, "ip netns")
    root_nook.cmd("ns", "rm", "--force", root_name).ok()
    assert root_name not in root_nook.outside("ip", "netns", "list").ok()


# ---- names ----

@pytest.mark.parametrize("bad", ["1234", "-x", "a/b", "..", ".", "", "x" * 256, "a b", "a:b"])
def test_names_that_cannot_be(nook, bad):
    nook.cmd("ns", "new", "--net", "--", bad).failed(125)
    nook.cmd("ns", "rm", "--", bad).failed(125)


def test_no_kind_is_refused(nook):
    nook.cmd("ns", "new", "blue").failed(125, "kind")
    nook.cmd("ns", "new", "blue", "--net", "--hostname", "x").failed(125, "--uts")


def test_a_name_is_given_once(nook, name):
    first = new(nook, name, "uts")
    nook.cmd("ns", "new", name, "--uts").failed(125, "name-in-use", name)
    assert nook.cmd("ns", "enter", name, "readlink", "/proc/self/ns/uts").ok() == link("uts", first["by"]["uts"])


def test_of_two_at_once_one_wins(nook, name):
    started = [nook.popen(["ns", "new", name, "--uts", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
               for _ in range(6)]
    answers = [(process.communicate(timeout=20), process.returncode) for process in started]
    won = [json.loads(out) for (out, _), status in answers if status == 0]
    assert len(won) == 1, answers
    assert all("name-in-use" in err for (_, err), status in answers if status)
    row = next(row for row in won[0]["namespaces"] if row["kind"] == "uts")
    assert nook.cmd("ns", "enter", name, "readlink", "/proc/self/ns/uts").ok() == link("uts", row)


def test_a_containers_name_is_taken(nook):
    with nook.background() as one:
        nook.cmd("ns", "new", one.name, "--uts").failed(125, "name-in-use")


def test_an_unknown_name(nook):
    for verb in ("rm", "enter", "can"):
        nook.cmd("ns", verb, "nobody-has-this").failed(125, "no-such-namespace")


def test_ranges_of_ids_are_not_given_twice(root_nook, root_name):
    """A kept user namespace holds its range without a process; containers get others."""
    new(root_nook, root_name, "user")
    kept = root_nook.cmd("ns", "enter", root_name, "cat", "/proc/self/uid_map").ok().split()[1]
    ids = {os.path.basename(path): os.readlink(path) for path in glob.glob("/run/nook/ids/*")}
    assert ids.get(kept) == f"ns:{root_name}"
    root_nook.cmd("ns", "rm", root_name).ok()
    assert not os.path.lexists(f"/run/nook/ids/{kept}")


# ---- rm ----

def test_rm_says_who_still_holds_it(root_nook, root_name):
    new(root_nook, root_name, "uts", "ipc")
    with root_nook.popen(["ns", "enter", root_name, "sleep", "1000"], stdin=subprocess.DEVNULL) as process:
        inside = machine.wait_until(lambda: machine.child_called(process.pid, "sleep"), what="sleep inside")
        answer = root_nook.cmd("ns", "rm", root_name, "--json").json()
        assert answer == {"version": 1, "released": [
            {"name": root_name, "held_by": [{"pid": inside, "kinds": ["ipc", "uts"]}]}]}
        assert machine.state_of(inside) == "S"  # it goes on
        process.terminate()


def test_rm_of_a_pid_namespace_in_use_wants_force(nook, name):
    new(nook, name, "pid")
    with nook.popen(["ns", "enter", name, "sleep", "1000"], stdin=subprocess.DEVNULL) as process:
        inside = machine.wait_until(lambda: machine.child_called(process.pid, "sleep"), what="sleep inside")
        nook.cmd("ns", "rm", name).failed(125, str(inside), "--force")
        nook.cmd("ns", "rm", "--force", name).ok()
        assert machine.shell_status(process.wait(5)) == 137


def test_rm_detaches_copies_in_other_mount_namespaces(root_nook, root_name):
    """A mount namespace that was made meanwhile has a copy of each pin, which must not keep the namespace."""
    path = new(root_nook, root_name, "uts")["by"]["uts"]["path"]
    other = subprocess.Popen(["unshare", "-m", "sh", "-c", "echo ready; read end"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "ready\n"
        assert path in machine.read(f"/proc/{other.pid}/mountinfo")
        root_nook.cmd("ns", "rm", root_name).ok()
        assert path not in machine.read(f"/proc/{other.pid}/mountinfo")
    finally:
        other.communicate("end\n")


def test_a_garbled_record_is_refused_and_removed(nook, name):
    new(nook, name, "uts")
    pid = json.loads(machine.read(f"{nook.state_dir}/ns/{name}"))["holder"]
    with open(f"{nook.state_dir}/ns/{name}", "w", encoding="utf-8") as file:
        file.write('{"version": 1, "name": "other"}')
    nook.cmd("ns", "enter", name, "true").failed(125, "record")
    nook.cmd("ns", "rm", name).failed(125, "record")
    nook.cmd("ns", "rm", "--force", name).ok()
    nookrun.signal_all([pid] if pid else [])
    nook.cmd("ns", "enter", name, "true").failed(125, "no-such-namespace")


@pytest.mark.parametrize("step", range(1, 40))
def test_nothing_is_left_when_a_call_fails(nook, name, step):
    """The fixture looks for leftovers; here every system call of the maker fails in turn."""
    result = nook.cmd("ns", "new", name, "--all", env={"NOOK_FAULT_CALL": f"{step}:12"})
    assert result.status in (0, 125)
    if result.status == 125:
        nook.cmd("ns", "enter", name, "true").failed(125)


# ---- keep ----

def test_keep_what_differs(nook):
    name = nookrun.unique("ns")
    with nook.background("echo ready; exec sleep 1000", "--hostname", "kept", "--share", "net") as one:
        links = {kind: machine.ns(kind, one.pid) for kind in machine.KINDS}
        kept = nook.cmd("ns", "keep", one.pid, name, "--json").json()
        found = {row["kind"]: f"{row['kind']}:[{row['inode']}]" for row in kept["namespaces"]}
        assert found == {kind: links[kind] for kind in machine.KINDS if kind != "net"}
    try:
        # The container has ended; its pid namespace with it, and the others live on.
        assert nook.cmd("ns", "enter", "--only", "user,uts", name, "uname", "-n").ok() == "kept"
    finally:
        nook.cmd("ns", "rm", name).ok()


def test_keep_some(nook, name):
    with nook.background() as one:
        kept = nook.cmd("ns", "keep", one.pid, name, "uts,ipc", "--json").json()
        assert {row["kind"] for row in kept["namespaces"]} - set(kept["implied"]) == {"uts", "ipc"}


def test_keep_refuses(nook, name):
    nook.cmd("ns", "keep", os.getpid() if nook.is_root else "self", name).failed(125)
    nook.cmd("ns", "keep", "4194303", name).failed(125, "pidfd_open")
    nook.cmd("ns", "keep", "0", name).failed(125, "pid")
    nook.cmd("ns", "keep", "1", name, "wrong").failed(125, "kind")
    nook.cmd("ns", "keep", "1").failed(125, "NAME")


def test_another_users_process_is_not_kept(user_nook):
    user_nook.cmd("ns", "keep", "1", nookrun.unique("ns"), "uts").failed(125, "ns-entry-denied")


def test_run_joins_a_kept_name(nook, name):
    made = new(nook, name, "uts", options=("--hostname", "joined"))
    join = ["--join", f"uts={name}"] + ([] if nook.is_root else ["--join", f"user={name}"])
    if nook.is_root:
        join += ["--userns", "host"]
    out = nook.run(*join, "--", "sh", "-c", "uname -n; readlink /proc/self/ns/uts").lines()
    assert out == ["joined", link("uts", made["by"]["uts"])]
    nook.run("--join", f"net={name}", "--", "true").failed(125, "has no network namespace")


def test_the_schema_is_documented(repository, root_nook, root_name):
    text = machine.read(f"{repository}/docs/ns-json.md")
    made = new(root_nook, root_name, "uts", "pid")
    del made["by"]
    for key in [*made, *made["namespaces"][0]]:
        assert re.search(rf"`{key}`", text), key


def test_ls_and_show_know_the_names(nook, name):
    made = new(nook, name, "uts", "pid")
    rows = nook.cmd("ns", "ls", "--json").json()["namespaces"]
    named = {row["kind"]: row["inode"] for row in rows if name in row["names"]}
    assert named == {row["kind"]: row["inode"] for row in made["namespaces"]}
    shown = nook.cmd("ns", "show", name, "--json").json()["namespaces"]
    for entry in shown:
        row = made["by"][entry["namespace"]["kind"]]
        assert entry["kept"] == [{"name": name, **{key: row[key] for key in ("held_by", "path", "note")}}]
