# SPDX-License-Identifier: Apache-2.0
"""Namespaces: all new by default, kept with --share, entered with --join; what the host's name and clocks are inside."""

import os
import time

import machine
import pytest

pytestmark = pytest.mark.quick
EACH_KIND = pytest.mark.parametrize("kind", machine.KINDS)
CLOCK = "import time; print(time.clock_gettime(time.{}))"


def links(nook, *options):
    """The namespaces that a program sees itself in, by kind."""
    script = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in machine.KINDS)
    return dict(zip(machine.KINDS, nook.sh(script, *options).lines()))


def host_link(nook, kind):
    return nook.outside("readlink", f"/proc/self/ns/{kind}").ok()


def test_all_kinds_are_new_by_default(nook):
    inside = links(nook)
    same = [kind for kind in machine.KINDS if inside[kind] == host_link(nook, kind)]
    assert same == []
    assert len(inside) == len(set(inside.values())) == 8


def test_two_containers_have_nothing_in_common(nook):
    # Ids of namespaces that ended may be given out again, so both must live to be compared.
    with nook.background() as one:
        second = links(nook)
        first = {kind: machine.ns(kind, one.pid) for kind in machine.KINDS}
    assert [kind for kind in machine.KINDS if first[kind] == second[kind]] == []


@EACH_KIND
def test_root_shares_one_kind(root_nook, kind):
    inside = links(root_nook, "--share", kind)
    assert [k for k in machine.KINDS if inside[k] == host_link(root_nook, k)] == [kind]


@pytest.mark.parametrize("kind", [kind for kind in machine.KINDS if kind != "user"])
def test_ordinary_user_shares_one_kind(user_nook, kind):
    inside = links(user_nook, "--share", kind)
    assert [k for k in machine.KINDS if inside[k] == host_link(user_nook, k)] == [kind]


def test_ordinary_user_cannot_share_the_user_namespace(user_nook):
    """Without a user namespace of its own an ordinary user may make none of the others."""
    user_nook.run("--share", "user", "true").failed(125, "--share user")


def test_several_kinds_are_shared_by_one_list(root_nook):
    inside = links(root_nook, "--share", "uts,ipc,net")
    assert {k for k in machine.KINDS if inside[k] == host_link(root_nook, k)} == {"uts", "ipc", "net"}


def test_share_may_be_repeated(root_nook):
    inside = links(root_nook, "--share", "uts", "--share", "time")
    assert {k for k in machine.KINDS if inside[k] == host_link(root_nook, k)} == {"uts", "time"}


def test_a_shared_network_is_the_callers(nook):
    inside = nook.run("--share", "net", "--", "ls", "/sys/class/net").ok().split()
    assert inside == nook.outside("ls", "/sys/class/net").ok().split()


def test_a_shared_pid_namespace_shows_the_callers_processes(root_nook):
    assert root_nook.sh("test -d /proc/$OUTER && echo seen", "--share", "pid", "--env", f"OUTER={os.getpid()}").ok() == "seen"


@pytest.mark.parametrize("kind", ["uts", "ipc", "net", "cgroup", "time"])
def test_root_joins_one_kind_by_pid(root_nook, kind):
    """The other container shares root's user namespace: this one has no power over that of another range."""
    with root_nook.background("echo ready; exec sleep 1000", "--userns", "host") as other:
        inside = links(root_nook, "--userns", "host", "--join", f"{kind}={other.pid}")
        assert inside[kind] == machine.ns(kind, other.pid)
        others = [k for k in machine.KINDS if k not in (kind, "user") and inside[k] == machine.ns(k, other.pid)]
        assert others == []


@pytest.mark.parametrize("kind", ["uts", "ipc", "net", "cgroup", "time"])
def test_root_joins_one_kind_by_path(root_nook, kind):
    with root_nook.background("echo ready; exec sleep 1000", "--userns", "host") as other:
        inside = links(root_nook, "--userns", "host", "--join", f"{kind}=/proc/{other.pid}/ns/{kind}")
        assert inside[kind] == machine.ns(kind, other.pid)


@pytest.mark.parametrize("kind", ["uts", "ipc", "net", "cgroup", "time"])
@pytest.mark.parametrize("who", ["root", "user", "poor"])
def test_one_kind_of_a_container_is_joined_by_its_name(make_nook, who, kind):
    """With its user namespace, which owns the other: so that an ordinary user may, too."""
    nook = make_nook(who)
    with nook.background() as other:
        inside = links(nook, "--join", f"user={other.name}", "--join", f"{kind}={other.name}")
        assert inside["user"] == machine.ns("user", other.pid)
        assert inside[kind] == machine.ns(kind, other.pid)


def test_a_joined_pid_namespace_shows_the_others_processes(nook):
    with nook.background("echo ready; exec sleep 12345") as other:
        seen = nook.run("--join", f"user={other.name}", "--join", f"pid={other.name}", "--", "ps", "-eo", "args").ok()
        assert "sleep 12345" in seen
        assert "ps -eo args" in seen
        assert "pytest" not in seen  # and none of the host's: its /proc is that of the namespace


def test_a_program_is_our_own_child_when_namespaces_are_joined(root_nook):
    """Its exit status comes through, and it ends with nook."""
    with root_nook.background("echo ready; exec sleep 1000", "--userns", "host") as other:
        assert root_nook.sh("exit 9", "--userns", "host", "--join", f"net={other.pid}").status == 9


def test_processes_that_share_a_joined_network_reach_each_other(nook):
    serve = ("import socket; s = socket.create_server(('127.0.0.1', 7777)); print('ready', flush=True)\n"
             "while True: c, _ = s.accept(); c.sendall(b'hello'); c.close()")
    ask = "import socket; print(socket.create_connection(('127.0.0.1', 7777)).recv(9).decode())"
    with nook.background(f'exec python3 -c "{serve}"') as other:
        joined = ["--join", f"user={other.name}", "--join", f"net={other.name}"]
        assert nook.run(*joined, "--", "python3", "-c", ask).ok() == "hello"
        assert "refused" in nook.run("--", "python3", "-c", ask).err


@pytest.mark.parametrize("words, named", [
    (["--join", "net=nobody-has-this-name"], "nobody-has-this-name"),
    (["--join", "net=/proc/self/ns/uts"], "/proc/self/ns/uts"),
    (["--join", "net=/etc/passwd"], "/etc/passwd"),
    (["--join", "net=/no/such/file"], "/no/such/file"),
    (["--join", "net=4194303"], "4194303"),
    (["--join", "wrong=1"], "wrong"),
    (["--join", "net"], "--join"),
    (["--share", "wrong"], "wrong"),
    (["--share", ""], "--share"),
    (["--share", "net", "--join", "net=1"], "net"),
    (["--share", "uts", "--hostname", "x"], "--hostname"),
    (["--share", "time", "--boottime", "5"], "--boottime"),
])
def test_what_cannot_be_shared_or_joined_is_refused(nook, words, named):
    nook.run(*words, "true").failed(125, named)


def test_the_host_name_inside_is_its_own(nook):
    outside = nook.outside("uname", "-n").ok()
    assert nook.sh("uname -n; hostname", "--hostname", "blue").lines() == ["blue", "blue"]
    assert nook.outside("uname", "-n").ok() == outside


def test_the_host_name_resolves_inside(nook):
    """A host of its own knows its own name."""
    assert nook.sh("getent hosts blue || python3 -c 'import socket; print(socket.gethostbyname(\"blue\"))'",
                   "--hostname", "blue").ok() != ""


def test_without_a_host_name_it_is_the_containers_name(nook):
    assert nook.run("--name", (name := f"t-{os.getpid()}-hostname"), "--", "uname", "-n").ok() == name


def test_the_domain_name(nook):
    assert nook.sh("cat /proc/sys/kernel/domainname", "--domainname", "example.org").ok() == "example.org"


@pytest.mark.parametrize("option, clock", [("--boottime", "CLOCK_BOOTTIME"), ("--monotonic", "CLOCK_MONOTONIC")])
@pytest.mark.parametrize("offset", [864000, -1])
def test_a_clock_is_moved(nook, option, clock, offset):
    now = time.clock_gettime(getattr(time, clock))
    inside = float(nook.run(option, str(offset), "--", "python3", "-c", CLOCK.format(clock)).ok())
    assert now + offset <= inside < now + offset + 10


def test_both_clocks_are_moved_apart(nook):
    code = CLOCK.format("CLOCK_BOOTTIME") + "; " + CLOCK.format("CLOCK_MONOTONIC")
    boot, mono = map(float, nook.run("--boottime", "10000", "--monotonic", "20000", "--", "python3", "-c", code).lines())
    assert abs(boot - time.clock_gettime(time.CLOCK_BOOTTIME) - 10000) < 10
    assert abs(mono - time.clock_gettime(time.CLOCK_MONOTONIC) - 20000) < 10


def test_uptime_shows_the_moved_clock(nook):
    up = float(nook.sh("cut -d' ' -f1 /proc/uptime", "--boottime", "1000000").ok())
    assert up > 1000000


def test_children_are_in_the_moved_time_too(nook):
    """Both links: the program itself is in the new time namespace, not only what it starts."""
    own, for_children = nook.sh("readlink /proc/self/ns/time /proc/self/ns/time_for_children", "--boottime", "5").lines()
    assert own == for_children != machine.ns("time")


@pytest.mark.parametrize("words", [["--boottime", "x"], ["--boottime", "1.5"], ["--monotonic", "99999999999999999999"],
                                   ["--boottime", "-99999999999"]])
def test_a_clock_that_cannot_be_is_refused(nook, words):
    nook.run(*words, "true").failed(125, words[0])
