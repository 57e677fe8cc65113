# SPDX-License-Identifier: Apache-2.0
"""What articles on network namespaces show, on this kernel, with nook."""

SERVE = ("import socket, sys; s = socket.create_server(('127.0.0.1', 8080)); print('ready', flush=True)\n"
         "while True: c, _ = s.accept(); c.sendall(sys.argv[1].encode()); c.close()")
ASK = "import socket; print(socket.create_connection(('127.0.0.1', 8080)).recv(99).decode())"


def test_a_new_network_namespace_has_only_a_loopback(nook):
    """No interface, route or neighbour of the host's."""
    assert nook.run("--", "ls", "/sys/class/net").ok() == "lo"
    assert nook.run("--", "ip", "route").ok() == ""
    assert [line.split()[1] for line in nook.run("--", "ip", "-o", "link").lines()] == ["lo:"]


def test_two_containers_bind_the_same_port(nook):
    """Each has its own port 8080, and reaches its own server there."""
    with nook.background(f'exec python3 -c "{SERVE}" one') as one, nook.background(f'exec python3 -c "{SERVE}" two') as two:
        assert nook.cmd("exec", one.name, "python3", "-c", ASK).ok() == "one"
        assert nook.cmd("exec", two.name, "python3", "-c", ASK).ok() == "two"


def test_a_sysctl_of_the_network_is_each_containers_own(nook):
    """net.ipv4.* belong to the namespace: one sees its own value."""
    name = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
    with open(name, encoding="ascii") as file:
        before = file.read()
    nook.run("--", "cat", name).ok()
    with open(name, encoding="ascii") as file:
        assert file.read() == before
