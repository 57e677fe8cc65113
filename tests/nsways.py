# SPDX-License-Identifier: Apache-2.0
"""
A program that holds a namespace in each of the ways there are, in a mount namespace of its own. It prints one line of
JSON, way → {kind, inode, …}, and ends when its stdin does. Run it as root: nsways.py DIR [WAY…]
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
import threading

NEWNS, NEWUTS, NEWUSER, NEWNET, NEWTIME = 0x20000, 0x4000000, 0x10000000, 0x40000000, 0x80
MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 4096, 16384, 1 << 18, 2

libc = ctypes.CDLL(None, use_errno=True)


def check(rc, what):
    if rc != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def unshare(flags):
    check(libc.unshare(flags), "unshare")


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def bind(source, target):
    write(target, "")
    check(libc.mount(source.encode(), target.encode(), None, MS_BIND, None), f"mount {target}")


def inode(path):
    return os.stat(path).st_ino


class Child:
    """A process that runs steps and stays."""

    def __init__(self, *steps, keep=()):
        ready, told = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                libc.prctl(1, 9)  # PR_SET_PDEATHSIG
                for name in os.listdir("/proc/self/fd"):  # it holds nothing of what was made before
                    if int(name) > 2 and int(name) not in (told, *keep):
                        with contextlib.suppress(OSError):
                            os.close(int(name))
                for step in steps:
                    step()
                os.write(told, b"x")
                signal.pause()
            finally:
                os._exit(0)
        os.close(told)
        if os.read(ready, 1) != b"x":
            raise OSError("a child failed")
        os.close(ready)

    def path(self, kind):
        return f"/proc/{self.pid}/ns/{kind}"

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def in_thread(fn):
    """Runs fn in a thread that stays; returns its tid and what fn returned."""
    done, result = threading.Event(), []

    def work():
        result.extend([threading.get_native_id(), fn()])
        done.set()
        threading.Event().wait()

    threading.Thread(target=work, daemon=True).start()
    done.wait()
    return result


class Ways:
    """In this order: a new mount namespace copies the mounts that are there."""

    def __init__(self, folder):
        self.folder = folder
        self.kept = []

    def uts(self, *more):
        return Child(lambda: unshare(NEWUTS), *more)

    def fd_of_thread(self):
        """In a thread that has descriptors of its own; the first way, so that it copies none of the others."""
        child = self.uts()

        def work():
            unshare(0x400)  # CLONE_FILES
            return os.open(child.path("uts"), os.O_RDONLY)

        number = inode(child.path("uts"))
        tid, fd = in_thread(work)
        child.end()
        return {"kind": "uts", "inode": number, "pid": os.getpid(), "tid": tid, "fd": fd}

    def process(self):
        child = self.uts()
        self.kept.append(child)
        return {"kind": "uts", "inode": inode(child.path("uts")), "pid": child.pid}

    def thread(self):
        tid, _ = in_thread(lambda: unshare(NEWUTS))
        return {"kind": "uts", "inode": inode(f"/proc/self/task/{tid}/ns/uts"), "pid": os.getpid(), "tid": tid}

    def children(self):
        child = Child(lambda: unshare(NEWTIME))
        self.kept.append(child)
        return {"kind": "time", "inode": inode(child.path("time_for_children")), "pid": child.pid}

    def fd(self):
        child = self.uts()
        fd = os.open(child.path("uts"), os.O_RDONLY)
        child.end()
        return {"kind": "uts", "inode": os.fstat(fd).st_ino, "pid": os.getpid(), "fd": fd}

    def fd_of_gone_mount(self):
        """Opened where it was mounted; then that was taken away, as `ip netns del` does."""
        child, path = self.uts(), f"{self.folder}/gone"
        bind(child.path("uts"), path)
        fd = os.open(path, os.O_RDONLY)
        child.end()
        check(libc.umount2(path.encode(), MNT_DETACH), "umount")
        return {"kind": "uts", "inode": os.fstat(fd).st_ino, "pid": os.getpid(), "fd": fd}

    def socket(self):
        """Made by a thread in a net namespace that it has left since."""
        def work():
            home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            unshare(NEWNET)
            number = inode("/proc/thread-self/ns/net")
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            check(libc.setns(home, 0), "setns")
            os.close(home)
            return number, made

        _, (number, made) = in_thread(work)
        self.kept.append(made)
        return {"kind": "net", "inode": number, "pid": os.getpid(), "fd": made.fileno()}

    def mount_elsewhere(self):
        """In the mount namespace of another process."""
        child, path = self.uts(), f"{self.folder}/elsewhere"
        other = Child(lambda: unshare(NEWNS), lambda: bind(child.path("uts"), path))
        number = inode(child.path("uts"))
        child.end()
        self.kept.append(other)
        return {"kind": "uts", "inode": number, "path": path, "mount_ns": inode(other.path("mnt"))}

    def mount_nobody_sees(self):
        """In a mount namespace that no process is in: a descriptor holds it."""
        child, path = self.uts(), f"{self.folder}/nobody"
        other = Child(lambda: unshare(NEWNS), lambda: bind(child.path("uts"), path))
        number, fd = inode(child.path("uts")), os.open(other.path("mnt"), os.O_RDONLY)
        child.end()
        other.end()
        return {"kind": "uts", "inode": number, "path": path, "mount_ns": os.fstat(fd).st_ino, "mount_ns_fd": fd}

    def fd_of_mount(self):
        child, path = self.uts(), f"{self.folder}/opened"
        bind(child.path("uts"), path)
        fd = os.open(path, os.O_RDONLY)
        child.end()
        return {"kind": "uts", "inode": os.fstat(fd).st_ino, "pid": os.getpid(), "fd": fd, "path": path}

    def mount(self):
        child, path = self.uts(), f"{self.folder}/a place with \\ and spaces"
        bind(child.path("uts"), path)
        child.end()
        return {"kind": "uts", "inode": inode(path), "path": path}

    def nested(self):
        """A user namespace of which only its child is left."""
        reader, writer = os.pipe()

        def enter():
            unshare(NEWUSER)
            for file, text in (("uid_map", "0 0 1"), ("setgroups", "deny"), ("gid_map", "0 0 1")):
                write(f"/proc/self/{file}", text)
            os.write(writer, str(inode("/proc/self/ns/user")).encode())
            unshare(NEWUSER)

        child = Child(enter, keep=[writer])
        number = int(os.read(reader, 32))
        os.close(reader)
        os.close(writer)
        self.kept.append(child)
        return {"kind": "user", "inode": number, "below": inode(child.path("user"))}

    def owner(self):
        """A user namespace of which only a namespace that it owns is left."""
        child = Child(lambda: unshare(NEWUSER | NEWUTS))
        number, fd = inode(child.path("user")), os.open(child.path("uts"), os.O_RDONLY)
        child.end()
        return {"kind": "user", "inode": number, "below": os.fstat(fd).st_ino}


ALL = [name for name in vars(Ways) if not name.startswith("_") and name not in ("uts",)]


def main():
    unshare(NEWNS)
    check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount --make-rprivate")
    check(libc.mount(b"nook-ways", sys.argv[1].encode(), b"tmpfs", 0, None), "mount tmpfs")
    ways = Ways(sys.argv[1])
    print(json.dumps({name: getattr(ways, name)() for name in sys.argv[2:] or ALL}), flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
