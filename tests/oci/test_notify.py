# SPDX-License-Identifier: Apache-2.0
"""sd_notify(3) of a service's container: what the program says reaches the service manager, and nothing else does."""

import os
import select
import shutil
import socket
import time

import pytest

import machine
import oci as harness

# Says its arguments, one datagram each, to NOTIFY_SOCKET; then stays. At "go" it waits for the file /go; what follows
# "ever" it says as long as somebody hears it.
NOTIFY = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), ever = 0;

	if (!path)
		return 3;
	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "end"))
			return 0;
		if (!strcmp(argv[i], "wait")) {
			usleep(300000);
			continue;
		}
		if (!strcmp(argv[i], "go")) {
			while (access("/go", F_OK) < 0)
				usleep(1000);
			continue;
		}
		if (!strcmp(argv[i], "ever")) {
			ever = 1;
			continue;
		}
		do {
			if (sendto(fd, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&a, sizeof(a)) < 0)
				return 4;
		} while (ever);
	}
	for (;;)
		pause();
}
"""


class Manager:
    """What systemd is for a unit of Type=notify: answers a barrier by closing its descriptor."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.said = []

    @property
    def env(self):
        return {"NOTIFY_SOCKET": self.path}

    def hear(self, seconds=0):
        """All that has come; waits as long for the first."""
        while select.select([self.socket], [], [], seconds)[0]:
            self.said.append(self.socket.recv(65536).decode())
            seconds = 0
        return [line for each in self.said for line in each.splitlines()]

    def until(self, line, seconds=10):
        end = time.monotonic() + seconds * machine.PATIENCE
        while line not in self.hear(0.05):
            assert time.monotonic() < end, f"no {line} but {self.said}"

    def close(self):
        self.socket.close()
        os.unlink(self.path)


@pytest.fixture(scope="module")
def program(base):
    path = os.path.join(base, "notify")
    with open(f"{path}.c", "w", encoding="utf-8") as file:
        file.write(NOTIFY)
    if os.system(f"cc -static -O1 -o {path} {path}.c") != 0:
        pytest.skip("no static programs here")
    return path


@pytest.fixture
def manager(base):
    made = Manager(os.path.join(base, harness.unique("manager")))
    yield made
    made.close()


@pytest.fixture
def notifying(bundle, program):
    """A function: a bundle whose program says these words."""
    def make(*said, edits=None):
        made = bundle(["/notify", *said], edits)
        shutil.copy(program, f"{made.rootfs}/notify")
        made.file("/run/notify/.keep")
        return made
    return make


def test_start_waits_for_ready(oci, notifying, manager):
    c = oci.container(notifying("wait", "READY=1"))
    c.create(env=manager.env).ok()
    assert manager.hear() == []
    starting = c.oci.popen("start", c.id, env=manager.env)
    manager.until("READY=1")
    assert f"MAINPID={c.pid}" in manager.hear(0.3)
    assert starting.wait() == 0
    c.delete("--force").ok()
    assert not oci.traces()


def test_run_detached_waits_for_ready(oci, notifying, manager, base):
    c = oci.container(notifying("wait", "READY=1"))
    pid_file = os.path.join(base, harness.unique("pid"))
    running = c.run_later("--detach", "--pid-file", pid_file, env=manager.env)
    manager.until("READY=1")
    assert f"MAINPID={machine.read(pid_file)}" in manager.hear(0.3)
    assert running.wait() == 0


def test_run_tells_of_itself(oci, notifying, manager):
    c = oci.container(notifying("wait", "READY=1", "wait", "end"))
    running = c.run_later(env=manager.env)
    manager.until("READY=1")
    assert f"MAINPID={running.pid}" in manager.hear(0.3)
    assert running.wait() == 0


def test_run_passes_on_what_is_said_later(oci, ours, notifying, manager):
    """And never keeps the program waiting, whose socket's queue holds ten messages. What it says right before its end counts."""
    said = [f"STATUS={number}" for number in range(40)]
    c = oci.container(notifying("READY=1", *said, "READY=1\nSTATUS=last", "end"))
    running = c.run_later(env=manager.env)
    manager.until("STATUS=last")
    assert running.wait() == 0
    assert manager.hear() == [f"MAINPID={running.pid}", "READY=1", *said, "STATUS=last"]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_run_without_its_manager(oci, ours, notifying, manager, when):
    """Nobody hears the program, which is told so, and isn't kept waiting. (Its queue holds 10 messages, with systemd 512.)"""
    c = oci.container(notifying("READY=1", "go", "ever", "STATUS=x"))
    if when == "before":
        manager.socket.close()
    running = c.run_later(env=manager.env)
    if when == "meanwhile":
        manager.until("READY=1")
        manager.socket.close()
    c.bundle.file("go")
    assert running.wait() == 4


def test_a_container_that_ends_first(oci, notifying, manager):
    c = oci.container(notifying("wait", "end"))
    c.create(env=manager.env).ok()
    assert c.start(env=manager.env).status == 0
    assert manager.hear() == []


def test_what_is_passed_on(oci, ours, notifying, manager):
    c = oci.container(notifying("MAINPID=1", "STATUS=half", "STOPPING=1\nFDSTORE=1", "STATUS=\x1b[1mx", "X=1\nREADY=1\nMAINPID=2",
                                "STATUS=too late"))
    c.create(env=manager.env).ok()
    starting = c.oci.popen("start", c.id, env=manager.env)
    manager.until("BARRIER=1")
    assert starting.wait() == 0
    assert manager.hear() == ["STATUS=half", "STATUS=\\x1b[1mx", f"MAINPID={c.pid}", "READY=1", "BARRIER=1"]


def test_what_the_container_sees(oci, ours, bundle, manager):
    b = bundle("echo $NOTIFY_SOCKET; ls -ld $NOTIFY_SOCKET | cut -c1-10; touch /run/notify/x 2>/dev/null || echo ro; "
               "grep -c ' /run/notify ' /proc/mounts", {"process/user": {"uid": 5, "gid": 5}, "root/readonly": False})
    b.config["process"]["env"].append("NOTIFY_SOCKET=/elsewhere")
    assert oci.run(b, env=manager.env).lines() == ["/run/notify/notify.sock", "srwxrwxrwx", "ro", "1"]


def test_started_without(oci, ours, notifying, manager):
    """Created with a manager and started without: nobody listens."""
    c = oci.container(notifying("READY=1"))
    c.create(env=manager.env).ok()
    c.start().ok()
    assert c.wait() == 4


def test_created_without(oci, ours, notifying, manager):
    c = oci.container(notifying("READY=1"))
    c.create().ok()
    c.start(env=manager.env).ok()
    assert c.wait() == 3
    assert manager.hear() == []


@pytest.mark.parametrize("path", ["relative", "vsock:2:1", "/"])
def test_no_socket_that_we_know(oci, ours, bundle, path):
    assert oci.run(bundle("echo ${NOTIFY_SOCKET-none}"), env={"NOTIFY_SOCKET": path}).ok() == "none"


def test_a_manager_that_is_gone(oci, ours, notifying):
    c = oci.container(notifying())  # who says something may end for want of somebody who hears it
    gone = {"NOTIFY_SOCKET": "/nonexistent/notify"}
    c.create(env=gone).ok()
    c.start(env=gone).failed(1, "/nonexistent/notify", "no such file or directory")
    assert c.status == "running"


def test_a_long_state_directory(oci, ours, notifying, manager):
    """Longer than a socket's address may be."""
    oci.root = os.path.join(oci.root, "d" * 100, "e" * 100)
    os.makedirs(oci.root)
    c = oci.container(notifying("wait", "READY=1"))
    c.create(env=manager.env).ok()
    starting = c.oci.popen("start", c.id, env=manager.env)
    manager.until("READY=1")
    assert starting.wait() == 0


def test_killed_while_it_waits(oci, ours, notifying, manager):
    """The container is started all the same; others can work with it meanwhile."""
    c = oci.container(notifying())
    c.create(env=manager.env).ok()
    starting = c.oci.popen("start", c.id, env=manager.env)
    c.until("running")
    c.kill("KILL").ok()
    assert starting.wait() == 0
    c.until("stopped")
    c.delete().ok()
    assert not oci.traces()


def test_a_failed_create_leaves_no_place(oci, ours, bundle, manager):
    b = bundle("true", {"hooks/createRuntime": [{"path": "/bin/false"}]})
    c = oci.container(b)
    assert c.create(env=manager.env).status == 1
    assert not oci.traces()
