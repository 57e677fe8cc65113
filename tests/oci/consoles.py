# SPDX-License-Identifier: Apache-2.0
"""Terminals and other descriptors that a runtime hands over."""

import array
import os
import socket
import time

import machine
from ociprocess import readable


class Console:
    """A terminal's master that we got."""

    def __init__(self, fd, name=""):
        self.fd, self.name, self.seen = fd, name, ""

    def until(self, text, seconds=10):
        """Reads till this text was seen and returns all up to its end since the last until()."""
        end = time.monotonic() + seconds * machine.PATIENCE
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not readable(self.fd, left):
                raise AssertionError(f"no {text!r} from the terminal: {self.seen!r}")
            try:
                data = os.read(self.fd, 4096)
            except OSError:  # EIO: nobody has the other side any more
                data = b""
            if not data:
                raise AssertionError(f"the terminal ended without {text!r}: {self.seen!r}")
            self.seen += data.decode(errors="replace")
        end = self.seen.index(text) + len(text)
        got, self.seen = self.seen[:end], self.seen[end:]
        return got

    def say(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class FdSocket:
    """The listening side of --console-socket, --pidfd-socket and the like: receives one descriptor a connection."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(path)
        self.socket.listen(8)

    def receive(self, seconds=10):
        """Return: the descriptor, and the text beside it."""
        self.socket.settimeout(seconds * machine.PATIENCE)
        connection, _ = self.socket.accept()
        with connection:
            connection.settimeout(seconds * machine.PATIENCE)
            data, rights, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4 * 8))
        fds = array.array("i")
        for _, _, more in rights:
            fds.frombytes(more)
        assert len(fds) == 1, f"{len(fds)} descriptors came"
        return fds[0], data.decode(errors="replace")

    def console(self, seconds=10):
        return Console(*self.receive(seconds))

    def close(self):
        self.socket.close()
        if os.path.exists(self.path):
            os.unlink(self.path)
