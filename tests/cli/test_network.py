# SPDX-License-Identifier: Apache-2.0
"""--net none, host, private."""

import pytest

pytestmark = pytest.mark.quick

UP = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()); print('reached')"


def test_private_is_the_default_and_has_a_loopback_that_works(nook):
    for options in ([], ["--net", "private"]):
        assert nook.run(*options, "--", "ls", "/sys/class/net").ok() == "lo"
        assert nook.run(*options, "--", "python3", "-c", UP).ok() == "reached"


def test_private_loopback_has_both_addresses(nook):
    out = nook.run("--", "ip", "-o", "addr").ok()
    assert "127.0.0.1/8" in out and "::1/128" in out


def test_none_has_a_loopback_that_is_down(nook):
    out = nook.run("--net", "none", "--", "ip", "-o", "link").ok()
    assert "lo" in out and "state DOWN" in out and len(out.splitlines()) == 1


def test_host_is_the_callers(nook):
    assert nook.run("--net", "host", "--", "readlink", "/proc/self/ns/net").ok() == nook.outside(
        "readlink", "/proc/self/ns/net").ok()


def test_nothing_of_the_host_is_reached(nook):
    code = "import socket; s = socket.socket(); s.settimeout(2); print(s.connect_ex(('1.1.1.1', 53)))"
    assert nook.run("--", "python3", "-c", code).ok() == "101"  # ENETUNREACH


def test_abstract_sockets_of_the_host_are_out_of_reach(nook):
    import os
    import socket
    name = f"\0nook-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen(1)
        code = f"import socket; s = socket.socket(socket.AF_UNIX); print(s.connect_ex('\\0{name[1:]}'))"
        assert nook.run("--", "python3", "-c", code).ok() == "111"  # ECONNREFUSED


def test_low_ports_can_be_bound(nook):
    assert nook.run("--", "python3", "-c", "import socket; socket.create_server(('', 80)); print('bound')").ok() == "bound"


@pytest.mark.parametrize("words, named", [
    (["--net", "wrong"], "wrong"),
    (["--net", ""], "--net"),
    (["--net", "host", "--join", "net=1"], "--net"),
    (["--net", "private", "--share", "net"], "--net"),
])
def test_bad_networks_are_refused(nook, words, named):
    nook.run(*words, "true").failed(125, named)
