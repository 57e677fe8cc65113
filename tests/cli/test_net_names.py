# SPDX-License-Identifier: Apache-2.0
"""Names inside: /etc/hosts of those who are on a network, and a resolv.conf that works there."""

import os

import pytest
import rootfs
from netlab import HOST, V4
from result import unique

pytestmark = pytest.mark.quick

# The names of containers are those of cgroups, which other runs of the tests share with us.
WEB, FIRST, SECOND, STAYS, DIES, OLD, NEW, ODD, B, G, BOTH, HOLDS, OWN = (
    unique(name) for name in ("web", "first", "second", "stays", "dies", "old", "new", "odd", "b", "g", "both", "holds", "own"))
FOREVER = "echo ready; exec sleep 1000"


@pytest.mark.parametrize("length", [64, 65, 253, 255])
def test_a_name_as_long_as_a_file_can_have(netlab, length):
    """It is on networks as any other. One of more than 64 characters is found by its hostname, the beginning of it."""
    netlab.nook.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24", "--subnet", "fd90::/64").ok()
    name = (unique("long") + "-" + "w" * 255)[:length]
    with netlab.nook.background("hostname; exec sleep 1000", "--name", name, "--net", "blue", "--publish", "8080:80") as one:
        known = name if length <= 64 else one.first
        assert name.startswith(known) and len(known) > 50
        netlab.space_of(one.pid).serve("inside", 80)
        assert netlab.world.reaches(HOST[V4], 8080)
        for word in (known, f"{known}.blue"):
            assert netlab.nook.run("--net", "blue", "--", "getent", "hosts", word).ok().split()[0] == "fd90::2"
        for words in (["disconnect", name, "blue"], ["connect", name, "blue:ip=10.90.0.9,ip=fd90::9"], ["publish", name, "8081:80"]):
            netlab.nook.cmd("net", *words).ok()
        assert netlab.nook.run("--net", "blue", "--", "getent", "hosts", known).ok().split()[0] == "fd90::9"
        assert netlab.nook.cmd("net", "show", "blue", "--json").json()["containers"][0]["name"] == name
        assert netlab.nook.cmd("net", "repair").ok() == ""
        one.process.kill()
        one.process.wait()
    netlab.nook.cmd("rm", "--force", name).ok()
    assert netlab.files("net/containers") == netlab.files("net/ports") == []


def hosts(lab, container):
    """What a reader takes from its /etc/hosts: lines as lists of words, without the loopback's."""
    text = lab.nook.cmd("exec", container, "--", "cat", "/etc/hosts").ok()
    lines = [line.split("#")[0].split() for line in text.splitlines()]
    return [words for words in lines if words and not words[0].startswith(("127.", "::1"))]


def host_file(lab, path, text):
    """On the lab's host, over the machine's own."""
    name = f"/run/{path.strip('/').replace('/', '-')}"
    lab.host.run("sh", "-ec", f"cat >{name}; touch {path}; mount --bind {name} {path}", input=text)


@pytest.fixture
def blue(netlab):
    netlab.nook.cmd("net", "new", "blue", "--subnet", "10.90.0.0/24", "--subnet", "fd90::/64").ok()
    return netlab


def test_containers_find_each_other_by_name(blue):
    with blue.nook.background(FOREVER, "--net", "blue", "--name", WEB) as web:
        server = blue.space_of(web.pid).serve("hello")
        code = (f"import socket; s = socket.create_connection(({WEB!r}, {server.port}), 5); print(s.recv(99).decode())")
        assert blue.nook.run("--net", "blue", "--", "python3", "-c", code).ok().startswith("hello ")
        for name in (WEB, f"{WEB}.blue"):
            assert blue.nook.run("--net", "blue", "--", "getent", "ahostsv4", name).ok().split()[0] == "10.90.0.2"
            assert blue.nook.run("--net", "blue", "--", "getent", "ahostsv6", name).ok().split()[0] == "fd90::2"


def test_who_runs_already_sees_who_comes_and_who_goes(blue):
    with blue.nook.background(FOREVER, "--net", "blue", "--name", FIRST):
        assert hosts(blue, FIRST) == [["10.90.0.2", FIRST, f"{FIRST}.blue"], ["fd90::2", FIRST, f"{FIRST}.blue"]]
        with blue.nook.background(FOREVER, "--net", "blue", "--name", SECOND):
            assert ["10.90.0.3", SECOND, f"{SECOND}.blue"] in hosts(blue, FIRST)
            assert hosts(blue, FIRST) == hosts(blue, SECOND)
        assert [words[1] for words in hosts(blue, FIRST)] == [FIRST, FIRST]


def test_the_killed_are_forgotten_when_they_are_cleared(blue):
    with blue.nook.background(FOREVER, "--net", "blue", "--name", STAYS):
        with blue.nook.background(FOREVER, "--net", "blue", "--name", DIES) as dies:
            dies.process.kill()
            dies.process.wait()
        blue.nook.cmd("rm", "--force", DIES).ok()
        assert {words[1] for words in hosts(blue, STAYS)} == {STAYS}


def test_the_hostname_is_a_name_too_and_the_older_comes_first(blue):
    with (blue.nook.background(FOREVER, "--net", "blue", "--name", OLD, "--hostname", "www"),
          blue.nook.background(FOREVER, "--net", "blue", "--name", NEW, "--hostname", "www")):
        assert [words[:3] for words in hosts(blue, NEW) if "www" in words and "." in words[0]] == [
            ["10.90.0.2", OLD, "www"], ["10.90.0.3", NEW, "www"]]
        assert blue.nook.cmd("exec", NEW, "--", "getent", "hosts", f"{OLD}.blue").ok().split()[0] == "fd90::2"


@pytest.mark.parametrize("hostname", ["localhost", "ip6-loopback"])
def test_nobody_takes_the_loopbacks_name(blue, hostname):
    with blue.nook.background(FOREVER, "--net", "blue", "--name", ODD, "--hostname", hostname):
        assert all(hostname not in words for words in hosts(blue, ODD))


def test_on_two_networks_one_sees_both_and_the_others_see_their_own(blue):
    blue.nook.cmd("net", "new", "green", "--subnet", "10.91.0.0/24").ok()
    with (blue.nook.background(FOREVER, "--net", "blue", "--name", B),
          blue.nook.background(FOREVER, "--net", "green", "--name", G),
          blue.nook.background(FOREVER, "--net", "green", "--net", "blue", "--name", BOTH)):
        assert {words[1] for words in hosts(blue, BOTH)} == {B, G, BOTH}
        assert {words[1] for words in hosts(blue, B)} == {B, BOTH}
        assert {words[0] for words in hosts(blue, G)} == {"10.91.0.2", "10.91.0.3"}


def test_lines_fit_every_reader(blue):
    """musl reads lines of 511 bytes; and no line lies across a page, which is what the kernel copies at once."""
    with blue.nook.background(FOREVER, "--net", "blue", "--name", unique("n" * 40), "--hostname", "h" * 60):
        data = open(blue.path("/run/nook/net/hosts/blue"), "rb").read()
        assert len(data) % 256 == 0 and 4096 % 256 == 0
        assert all(line.endswith(b"\n") and b"\n" not in line[:-1] for line in
                   (data[at:at + 256] for at in range(0, len(data), 256)))


def test_those_inside_can_only_read(blue):
    for path in ("/etc/hosts", "/etc/resolv.conf"):
        assert "cannot create" in blue.nook.sh(f"echo x >>{path}", "--net", "blue").err
        assert "Read-only" in blue.nook.sh(f"echo x >>{path}", "--net", "blue", "--userns", "host").err


def test_a_lock_inside_keeps_nobody_waiting(blue):
    code = ("import fcntl, time; f = open('/etc/hosts'); fcntl.lockf(f, fcntl.LOCK_SH); fcntl.flock(f, fcntl.LOCK_EX); "
            "print('held', flush=True); time.sleep(1000)")
    with blue.nook.background(f'exec python3 -c "{code}"', "--net", "blue", "--name", HOLDS):
        blue.nook.run("--net", "blue", "true", timeout=10).ok()


def test_a_volume_over_it_wins(blue):
    path = os.path.join(blue.nook.scratch(), "mine")
    with open(path, "w", encoding="ascii") as file:
        file.write("mine\n")
    for target in ("/etc/hosts", "/etc/resolv.conf"):
        assert blue.nook.run("--net", "blue", "--volume", f"{path}:{target}", "--", "cat", target).ok() == "mine"


# ---- resolv.conf ----

def resolv(lab, *options):
    return lab.nook.run("--net", "blue", *options, "--", "cat", "/etc/resolv.conf").ok()


def test_servers_on_the_hosts_loopback_are_left_out(blue):
    host_file(blue, "/etc/resolv.conf", "nameserver 127.0.0.1\nnameserver 192.0.2.53\nnameserver ::1\nsearch example.com\noptions ndots:2\n")
    assert resolv(blue) == "nameserver 192.0.2.53\nsearch example.com\noptions ndots:2"


def test_with_systemd_resolved_its_own_servers_are_taken(blue):
    host_file(blue, "/etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0 trust-ad\n")
    blue.host.run("mkdir", "-p", "/run/systemd/resolve")
    host_file(blue, "/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.54\nsearch lan\n")
    assert resolv(blue) == "nameserver 192.0.2.54\nsearch lan"


def test_without_any_the_file_says_what_to_do(blue):
    host_file(blue, "/etc/resolv.conf", "nameserver 127.0.0.53\n")
    assert "nameserver" not in resolv(blue).replace("name servers", "") and "--volume" in resolv(blue)


@pytest.mark.parametrize("text", ["nameserver 127.0.0.53\n", "# nothing\n"], ids=["loopback", "none"])
def test_without_a_server_there_is_one_warning(blue, text):
    """The program runs all the same."""
    host_file(blue, "/etc/resolv.conf", text)
    result = blue.nook.run("--net", "bridge", "--", "echo", "ran")
    assert result.ok() == "ran"
    assert result.err.splitlines()[0].startswith("nook: the container will find no names: ")
    assert result.err.splitlines()[1].startswith("  try:   ") and "--volume FILE:/etc/resolv.conf" in result.err
    assert len(result.err.splitlines()) == 2
    own = blue.nook.run("--net", "bridge", "--volume", "/etc/hostname:/etc/resolv.conf:ro", "--", "cat", "/etc/resolv.conf")
    assert own.ok() and own.err == "" and "nook" not in own.out
    blue.nook.cmd("net", "new", "inner", "--internal").ok()
    assert blue.nook.run("--net", "inner", "true").err == ""
    host_file(blue, "/etc/resolv.conf", "nameserver 192.0.2.53\n")
    assert blue.nook.run("--net", "bridge", "true").err == ""
    blue.nook.cmd("net", "rm", "nook0").ok()


def test_it_follows_the_host_and_those_that_run_keep_theirs(blue):
    host_file(blue, "/etc/resolv.conf", "nameserver 192.0.2.1\n")
    with blue.nook.background(FOREVER, "--net", "blue", "--name", OLD):
        host_file(blue, "/etc/resolv.conf", "nameserver 192.0.2.2\n")
        assert resolv(blue) == "nameserver 192.0.2.2"
        assert blue.nook.cmd("exec", OLD, "--", "cat", "/etc/resolv.conf").ok() == "nameserver 192.0.2.1"


@pytest.mark.parametrize("there", ["nothing", "a file", "a symlink that leads nowhere", "a symlink out of the root"])
def test_a_root_of_ones_own_gets_both(blue, there):
    """Whatever it has in their place; what it has stays as it is."""
    host_file(blue, "/etc/resolv.conf", "nameserver 192.0.2.53\n")
    root = rootfs.make(blue.nook.scratch("root"))
    place = f"{root}/etc/resolv.conf"
    if there == "a file":
        with open(place, "w", encoding="ascii") as file:
            file.write("old\n")
    elif there != "nothing":
        os.symlink("../run/systemd/resolve/stub-resolv.conf" if "nowhere" in there else "/proc/../../../etc/passwd", place)
    result = blue.nook.run("--net", "blue", "--name", OWN, "--root", root, "--", "/bin/busybox", "cat", "/etc/resolv.conf", "/etc/hosts")
    assert result.ok().splitlines()[0] == "nameserver 192.0.2.53" and f"{OWN}.blue" in result.out
    if there == "a file":
        assert open(place, encoding="ascii").read() == "old\n"
    elif there != "nothing":
        assert os.path.islink(place)
    assert os.path.getsize(f"{root}/etc/hosts") == 0


def test_busybox_finds_names_too(blue):
    root = rootfs.make(blue.nook.scratch("root"))
    with blue.nook.background(FOREVER, "--net", "blue", "--name", WEB) as web:
        server = blue.space_of(web.pid).serve("hello", address="10.90.0.2")
        out = blue.nook.run("--net", "blue", "--root", root, "--", "/bin/busybox", "nc", "-w", "5", WEB, server.port)
        assert out.ok().startswith("hello")
