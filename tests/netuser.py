# SPDX-License-Identifier: Apache-2.0
"""What tests of networks without privilege share: accounts on the lab's host, programs that ask and answer."""

import os
import shutil
import socket
import subprocess
import time

import machine
import pytest

needs_pasta = pytest.mark.skipif(not shutil.which("pasta", path=machine.PATH), reason="pasta is not installed")
FOREVER = "echo ready; exec sleep 1000"


def in_mounts(nook, *argv, input=""):
    """As root, in the mount namespace that this nook runs in."""
    def enter():
        machine.setns(nook.account.mount_ns, machine.CLONE_NEWNS)
        os.chdir("/")
    subprocess.run(argv, input=input, text=True, check=True, preexec_fn=enter, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.fixture(params=["root", "user"])
def who(request, netlab):
    """nook of an account on the lab's host. A machine has /dev/net/tun for everybody, which a sandbox may lack."""
    if request.param == "root":
        nook = netlab.nook
    else:
        lab = request.getfixturevalue("lab")
        nook = netlab.nook_as(lab.account("nooktest", lab.USER) if request.param == "user" else lab.account("nookpoor", lab.POOR))
    in_mounts(nook, "sh", "-ec", "d=$(mktemp -d /run/tun-XXXXXX); mknod -m 666 $d/tun c 10 200; "
              "mount --bind $d/tun /dev/net/tun")
    yield nook
    in_mounts(nook, "umount", "/dev/net/tun")


def ask(address, port, seconds=5, say=""):
    """A program that asks a server and prints the answer, or why there is none."""
    return ["python3", "-c", f"""
import errno, socket
try:
    with socket.create_connection(({address!r}, {port}), {seconds * machine.PATIENCE}) as s:
        s.send({say!r}.encode())
        print(s.recv(99).decode())
except TimeoutError:
    print("ETIMEDOUT")
except OSError as e:
    print(errno.errorcode.get(e.errno, e))
"""]


def programs(name):
    """Processes of this name whose first word it is: pids."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                if file.read().split("(", 1)[1].rsplit(")", 1)[0].startswith(name):
                    found.append(int(pid))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def serving(nook, port, *options):
    """A container with a server on the port of all its addresses."""
    code = (f"import socket; s = socket.create_server(('::', {port}), family=socket.AF_INET6, dualstack_ipv6=True); "
            "print('ready', flush=True)\nwhile True:\n c, _ = s.accept(); c.recv(1); c.sendall(b'inside'); c.close()")
    return nook.background(f"exec python3 -c \"{code}\"", *options)


def call(space, address, port):
    """What a server answers to who speaks first: Debian 12's pasta carries the words of one that does itself only then."""
    def do():
        with socket.create_connection((address, port), 5 * machine.PATIENCE) as s:
            s.send(b"?")
            return s.recv(99).decode()
    return space.within(do)


def ours(nook, name):
    """Of these only those in the mount namespace of this nook's account: others may be at work on the machine."""
    here, found = os.fstat(nook.account.mount_ns).st_ino, []
    for pid in programs(name):
        try:
            if os.stat(f"/proc/{pid}/ns/mnt").st_ino == here:
                found.append(pid)
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            pass
    return found


def in_home(lab, user):
    """The net namespace of an ordinary user's networks."""
    holder, = ours(user, "nook-hold")
    return lab.space_of(holder)


def until(condition, seconds=10):
    end = time.monotonic() + seconds * machine.PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


@pytest.fixture
def user(who):
    """As `who`, an ordinary user's; its networks are removed at the end."""
    if who.is_root:
        pytest.skip("of an ordinary user")
    yield who
    for name in [line.split()[0] for line in who.cmd("net", "ls").lines()[1:]]:
        who.cmd("net", "rm", "--force", name).ok()
