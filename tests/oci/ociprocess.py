# SPDX-License-Identifier: Apache-2.0
"""Processes that a runtime leaves behind, and which runtime it is."""

import array
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import machine
from result import Result

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = "nook-oci"


def runtime_path():
    return os.environ.get("OCI_RUNTIME") or os.path.join(REPOSITORY, "build/nook-oci")


def runtime_name():
    """nook-oci, runc or crun; what a test may ask to know which habits to expect."""
    return os.path.basename(runtime_path())


class Keeper:
    """Our side of keeper.py."""

    def __init__(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel = ours
        self.lock = threading.Lock()
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keeper.py")
        # crun refuses a machine with cgroup v1 and v2 when v2 has a controller
        hidden = ["/sys/fs/cgroup/unified"] if runtime_name() == "crun" else []
        self.process = subprocess.Popen([sys.executable, "-B", path, str(theirs.fileno()), *hidden],
                                        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()

    @property
    def pid(self):
        return self.process.pid

    def ask(self, request, fds=()):
        with self.lock:
            self.channel.sendmsg([json.dumps(request).encode()],
                                 [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
            return json.loads(self.channel.recv(1 << 16))

    def close(self):
        self.channel.close()
        self.process.wait(10 * machine.PATIENCE)


def readable(fd, seconds):
    """Not by select(): numbers past 1023 are too large for that."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Process:
    """One that the keeper started, or the orphan of such a one."""

    def __init__(self, keeper, pid, argv=(), out=None, err=None):
        self.keeper, self.pid, self.argv, self.status = keeper, pid, list(argv), None
        self.out_file, self.err_file = out, err

    def wait(self, seconds=20):
        """How it ended, as a shell would show it."""
        if self.status is None:
            try:
                fd = os.pidfd_open(self.pid)
            except ProcessLookupError:
                fd = -1
            if fd >= 0:
                try:
                    if not readable(fd, seconds * machine.PATIENCE):
                        raise AssertionError(f"no end after {seconds} s: {' '.join(self.argv) or self.pid}\n"
                                             f"{self.out()}\n{self.err()}")
                finally:
                    os.close(fd)
            code = self.keeper.ask({"status": self.pid})
            assert code is not None, f"process {self.pid} is none of the keeper's"
            self.status = machine.shell_status(code)
        return self.status

    @property
    def running(self):
        return self.status is None and machine.state_of(self.pid) not in (None, "Z", "X")

    def signal(self, number):
        """No error when it has ended."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def out(self):
        return text_of(self.out_file)

    def err(self):
        return text_of(self.err_file)

    def result(self, seconds=20):
        try:
            status = self.wait(seconds)
        except AssertionError:
            self.signal(signal.SIGKILL)
            raise
        return Result(self.argv, status, self.out(), self.err())


def text_of(file):
    if file is None:
        return ""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, 0).decode(errors="surrogateescape")


def open_input(data):
    if data is None:
        return open(os.devnull, "rb")
    file = tempfile.TemporaryFile()
    file.write(data.encode() if isinstance(data, str) else data)
    file.seek(0)
    return file
