# SPDX-License-Identifier: Apache-2.0
"""Ports of the machine that lead to containers on an ordinary user's networks."""

import os
import signal
import socket
import subprocess

import machine
import pytest
from netlab import GATEWAY, HOST, V4, V6
from netuser import FOREVER, ask, call, in_home, needs_pasta, ours, programs, serving, until, user, who  # noqa: F401
from result import unique

pytestmark = [pytest.mark.quick, needs_pasta, pytest.mark.parametrize("who", ["user"], indirect=True)]

SUBNETS = ["--subnet", "10.90.0.0/24", "--subnet", "fd90::/64"]
LOOPBACK = {V4: "127.0.0.1", V6: "::1"}


@pytest.fixture
def blue(netlab, user):
    """A network of the user's, and the namespace that it is in."""
    user.cmd("net", "new", "blue", *SUBNETS).ok()
    return in_home(netlab, user)


def echoing(nook, *options):
    """A container with a UDP server on port 53 that says who has asked."""
    code = ("import socket; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(('::', 53)); print('ready', flush=True)\n"
            "while True:\n t, a = s.recvfrom(99); s.sendto(b'inside ' + t, a)")
    return nook.background(f"exec python3 -c \"{code}\"", *options)


def quiet(netlab, user, *ports):
    """Nothing serves them any more."""
    for port in ports:
        until(lambda port=port: netlab.host.why_not("127.0.0.1", port) == "ECONNREFUSED")
    until(lambda: not ours(user, "nook-relay") and not ours(user, "nook-outside"))


def gone(netlab, user, *ports):
    """And nothing is written down."""
    quiet(netlab, user, *ports)
    for folder in ("ports", "relays", "containers", "addresses"):
        assert os.listdir(f"{user.state_dir}/net/{folder}") == []


def test_it_is_reached_from_everywhere(netlab, user, blue):
    with serving(user, 80, "--net", "blue", "--publish", "8077:80"):
        for family in (V4, V6):
            assert call(netlab.world, HOST[family], 8077) == "inside"
            assert call(netlab.host, HOST[family], 8077) == "inside"
            assert call(netlab.host, LOOPBACK[family], 8077) == "inside"
            # From another container: at the host's address, which is that of their namespace too, and at the bridge's.
            assert user.run("--net", "blue", "--", *ask(HOST[family], 8077, say="?")).ok() == "inside"
        assert user.run("--net", "blue", "--", *ask("10.90.0.1", 8077, say="?")).ok() == "inside"
        assert not ours(user, "nook-outside")
    gone(netlab, user, 8077)


def test_datagrams(netlab, user, blue):
    with echoing(user, "--net", "blue", "--publish", "5377:53/udp"):
        for family in (V4, V6):
            for space, address in ((netlab.world, HOST[family]), (netlab.host, HOST[family]), (netlab.host, LOOPBACK[family])):
                assert space.ask(address, 5377, udp=True) == "inside ?"
        assert netlab.world.why_not(HOST[V4], 5377) == "ECONNREFUSED"


def test_an_answer_comes_from_the_address_that_was_asked(netlab, user, blue):
    """Of a host with several; the kernel would take the one that is nearest to the asker."""
    netlab.host.ip_batch("address add 192.0.2.9/32 dev eth0\naddress add 2001:db8:1::9/128 dev eth0 nodad")
    with echoing(user, "--net", "blue", "--publish", "5377:53/udp"):
        for address in ("192.0.2.9", "2001:db8:1::9"):
            assert netlab.world.ask(address, 5377, udp=True) == "inside ?"


def test_on_one_address_only(netlab, user, blue):
    with serving(user, 80, "--net", "blue", "--publish", "127.0.0.1:8077:80", "--publish", f"[{HOST[V6]}]:8078:80",
                 "--publish", "8080-8082:80-82"):
        assert call(netlab.host, "127.0.0.1", 8077) == "inside"
        assert netlab.world.why_not(HOST[V4], 8077) == "ECONNREFUSED"
        assert netlab.host.why_not("::1", 8077) == "ECONNREFUSED"
        assert call(netlab.world, HOST[V6], 8078) == "inside"
        assert netlab.world.why_not(HOST[V4], 8078) == "ECONNREFUSED"
        assert call(netlab.world, HOST[V4], 8080) == "inside"
        # Nobody listens inside: the connection is there, and is cut.
        with pytest.raises(ConnectionResetError):
            call(netlab.world, HOST[V4], 8081)
    gone(netlab, user, 8077, 8080)


def test_much_is_carried_both_ways(netlab, user, blue):
    code = ("import socket; s = socket.create_server(('::', 80), family=socket.AF_INET6, dualstack_ipv6=True); print('ready', flush=True)\n"
            "while True:\n c, _ = s.accept()\n while t := c.recv(65536):\n  c.sendall(t)\n c.close()")
    text = os.urandom(1 << 16) * 64

    def do():
        with socket.create_connection((HOST[V4], 8077), 20 * machine.PATIENCE) as s:
            # As much as the way holds, and then its end: what is under way must not be lost.
            sent, back = 0, b""
            while len(back) < len(text):
                if sent < len(text):
                    sent += s.send(text[sent:sent + 65536])
                    if sent == len(text):
                        s.shutdown(socket.SHUT_WR)
                back += s.recv(1 << 20)
            return back == text and s.recv(1) == b""
    with user.background(f"exec python3 -c \"{code}\"", "--net", "blue", "--publish", "8077:80"):
        assert netlab.world.within(do)


# ---- refused ----

def test_a_port_that_somebody_has(netlab, user, blue):
    server = netlab.host.serve("other")
    for words in (f"{server.port}:80", f"127.0.0.1:{server.port}:80"):
        user.run("--net", "blue", "--publish", words, "true").failed(125, f"--publish {words}", "[port-taken]", str(server.port))
    with serving(user, 80, "--net", "blue", "--publish", "8077:80") as web:
        user.run("--net", "blue", "--publish", "127.0.0.1:8077:80", "true").failed(125, "[port-taken]", web.name)
        with user.background(FOREVER, "--net", "blue") as other:
            user.cmd("net", "publish", other.name, "8077:81").failed(125, "[port-taken]", web.name)
            user.cmd("net", "publish", other.name, f"{server.port}:81").failed(125, "[port-taken]")
        assert call(netlab.world, HOST[V4], 8077) == "inside"
    assert netlab.host.ask("127.0.0.1", server.port).startswith("other")
    gone(netlab, user, 8077)


def test_a_port_of_roots(netlab, user, blue):
    netlab.host.sysctl("ipv4/ip_unprivileged_port_start", 1024)
    user.run("--net", "blue", "--publish", "1023-1025:80-82", "true").failed(
        125, "--publish 1023-1025:80-82", "1023", "[port-of-root]", "Publish a higher one")
    with user.background(FOREVER, "--net", "blue") as web:
        user.cmd("net", "publish", web.name, "80:80/udp").failed(125, "[port-of-root]", "80:80/udp")
    netlab.host.sysctl("ipv4/ip_unprivileged_port_start", 80)
    with serving(user, 80, "--net", "blue", "--publish", "81:80"):
        assert call(netlab.world, HOST[V4], 81) == "inside"


def test_an_address_that_the_machine_lacks(user, blue):
    user.run("--net", "blue", "--publish", "192.0.2.77:8077:80", "true").failed(125, "192.0.2.77", "`ip address`")


def test_more_than_can_be_served(user, blue):
    user.run("--net", "blue", "--publish", "10000-12000:10000-12000", "true").failed(125, "2001 ports", "1024")
    # Each takes up to four sockets.
    options = ["--net", "blue", "--publish", "10000-10099:10000-10099"]
    few = user.outside("sh", "-c", 'ulimit -n 256; exec "$@"', "sh", user.binary, "run", *options, "--", "true", check=False)
    few.failed(125, "too many open files")
    user.run(*options, "true").ok()


def test_what_is_refused_leaves_nothing(netlab, user, blue):
    name = unique("web")
    user.run("--net", "nowhere", "--publish", "8077:80", "true", "--name", name).failed(125, "nowhere")
    user.run("--net", "blue", "--publish", "8077:80", "--name", name, "no-such-program").failed(127)
    gone(netlab, user, 8077)
    assert user.cmd("ps").lines()[1:] == []
    user.run("--net", "blue", "--publish", "8077:80", "true").ok()


# ---- of a running container ----

def test_publish_and_unpublish(netlab, user, blue):
    with serving(user, 80, "--net", "blue") as web:
        user.cmd("net", "publish", web.name, "8077:80").ok()
        assert call(netlab.world, HOST[V4], 8077) == "inside"
        user.cmd("net", "publish", web.name, "127.0.0.1:8078:80").ok()
        assert call(netlab.world, HOST[V6], 8077) == "inside" and call(netlab.host, "127.0.0.1", 8078) == "inside"
        assert "8077" in user.cmd("net", "show", "blue").out
        user.cmd("net", "unpublish", web.name, "8077:80").ok()
        assert netlab.world.why_not(HOST[V4], 8077) == "ECONNREFUSED" and call(netlab.host, "127.0.0.1", 8078) == "inside"
        user.cmd("net", "unpublish", web.name, "8077:80").failed(125, "no such port")
        user.cmd("net", "publish", web.name, "8077:80").ok()
        assert call(netlab.world, HOST[V4], 8077) == "inside"
        assert not ours(user, "nook-outside")
    gone(netlab, user, 8077, 8078)


def test_a_connection_outlives_another_port(netlab, user, blue):
    """The process that carries it is replaced by one that has both ports, and goes on till it ends."""
    code = ("import socket; s = socket.create_server(('', 81)); print('ready', flush=True)\n"
            "while True:\n c, _ = s.accept(); c.recv(1); c.sendall(b'late'); c.close()")
    with user.background(f"exec python3 -c \"{code}\"", "--net", "blue", "--publish", "8077:81") as slow:
        first, = ours(user, "nook-relay")
        with netlab.world.within(lambda: socket.create_connection((HOST[V4], 8077), 10 * machine.PATIENCE)) as s:
            user.cmd("net", "publish", slow.name, "8078:81").ok()
            assert first in ours(user, "nook-relay") and len(ours(user, "nook-relay")) == 2
            s.send(b"?")
            assert s.recv(99) == b"late"
        until(lambda: machine.state_of(first) in ("Z", None))  # nook is not looking for its end
        assert call(netlab.world, HOST[V4], 8077) == "late" and call(netlab.world, HOST[V4], 8078) == "late"
    gone(netlab, user, 8077, 8078)


def test_connections_end_when_a_port_is_taken_back(netlab, user, blue):
    """Those of relays that were replaced, too; what is published still is reached anew."""
    with serving(user, 80, "--net", "blue", "--publish", "8077:80") as web:
        with netlab.world.within(lambda: socket.create_connection((HOST[V4], 8077), 10 * machine.PATIENCE)) as s:
            user.cmd("net", "publish", web.name, "8078:80").ok()
            user.cmd("net", "unpublish", web.name, "8078:80").ok()
            s.settimeout(10 * machine.PATIENCE)
            assert s.recv(1) == b""
            assert len(ours(user, "nook-relay")) == 1
        assert call(netlab.world, HOST[V4], 8077) == "inside"
    gone(netlab, user, 8077)


def test_disconnected_it_is_published_no_more(netlab, user, blue):
    user.cmd("net", "new", "red", "--subnet", "10.91.0.0/24").ok()
    with serving(user, 80, "--net", "blue", "--net", "red", "--publish", "8077:80") as web:
        user.cmd("net", "disconnect", web.name, "blue").ok()
        assert netlab.world.why_not(HOST[V4], 8077) == "ECONNREFUSED"
    gone(netlab, user, 8077)


# ---- ends ----

@pytest.mark.parametrize("whom", ["nook", "pid 1"])
def test_killed(netlab, user, blue, whom):
    """The relay ends with the container by itself; what is written down goes with `rm`, or with the next who wants the port."""
    with serving(user, 80, "--net", "blue", "--publish", "8077:80") as web:
        os.kill(web.process.pid if whom == "nook" else web.pid, signal.SIGKILL)
        web.process.wait()
        quiet(netlab, user, 8077)
        with serving(user, 80, "--net", "blue", "--publish", "8077:80"):
            assert call(netlab.world, HOST[V4], 8077) == "inside"
        user.cmd("rm", "--force", web.name).ok()
    gone(netlab, user, 8077)


def test_the_relay_is_killed(netlab, user, blue):
    with serving(user, 80, "--net", "blue", "--publish", "8077:80") as web:
        relay, = ours(user, "nook-relay")
        os.kill(relay, signal.SIGKILL)
        until(lambda: netlab.host.why_not("127.0.0.1", 8077) == "ECONNREFUSED")
        assert f"container {web.name}: the relay of its ports" in user.cmd("net", "repair").out
        assert call(netlab.world, HOST[V4], 8077) == "inside"
        assert user.cmd("net", "repair").ok() == ""


def test_by_name_removed_while_it_runs(netlab, user, blue):
    with serving(user, 80, "--net", "blue", "--publish", "8077:80") as web:
        user.cmd("rm", "--force", web.name).ok()
        web.wait()
    gone(netlab, user, 8077)


def test_the_relay_has_no_rights(netlab, user, blue, unsanitized):
    with serving(user, 80, "--net", "blue", "--publish", "8077:80"):
        relay, = ours(user, "nook-relay")
        status = machine.status(relay)
        assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0 and status["Seccomp"] == "2"
        assert status["Uid"].split()[0] == str(user.account.uid)


def test_it_is_made_of_sockets_alone(user, blue):
    """With --plan nothing is opened, and it says what would be."""
    out = user.run("--plan", "--net", "blue", "--publish", "8077:80", "true").ok()
    assert "nook-relay" in out and not ours(user, "nook-outside")


def test_a_nook_of_the_users_own(netlab, user, blue):
    """Its file could be written by the container's root: it executes itself anew, in there, and finds who stayed outside."""
    copy = user.own(user.scratch("bin")) + "/nook"
    subprocess.run(["cp", user.binary, copy], check=True)
    os.chown(copy, user.account.uid, user.account.gid)
    user.binary, theirs = copy, user.binary
    try:
        with serving(user, 80, "--net", "blue", "--publish", "8077:80"):
            assert call(netlab.world, HOST[V4], 8077) == "inside" and not ours(user, "nook-outside")
    finally:
        user.binary = theirs
