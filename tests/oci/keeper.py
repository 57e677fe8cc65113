#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What conmon and containerd's shim are to a runtime: the process that starts it, becomes the parent of what it leaves
behind, and keeps how each of these ended. It takes requests of oci.Keeper by a socket, its argument.
"""

import array
import ctypes
import json
import os
import select
import signal
import socket
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
libc = ctypes.CDLL(None, use_errno=True)
ended = {}


def reap(pid=-1, flags=os.WNOHANG):
    try:
        got, status = os.waitpid(pid, flags)
    except ChildProcessError:
        return 0
    if got:
        ended[got] = os.waitstatus_to_exitcode(status)
    return got


def place(fds):
    """Our copies become 0, 1, 2, …, whatever numbers they have."""
    high = [os.dup(fd) for fd in fds]
    while min(high, default=99) < len(fds):
        high = [os.dup(fd) for fd in high]
    for number, fd in enumerate(high):
        os.dup2(fd, number, inheritable=True)
    os.closerange(len(fds), 1024)


def start(request, fds):
    pid = os.fork()
    if pid:
        ended.pop(pid, None)
        for fd in fds:
            os.close(fd)
        return pid
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        if request.get("session"):
            os.setsid()
        if request.get("mount_ns"):
            space = fds.pop()
            if libc.setns(space, 0x00020000) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            os.close(space)
        place(fds)
        if request.get("uid"):
            os.setgroups([request["gid"]])
            os.setresgid(*3 * (request["gid"],))
            os.setresuid(*3 * (request["uid"],))
        os.chdir(request["cwd"])
        os.execve(request["argv"][0], request["argv"], request["env"])
    except BaseException as error:
        os.write(2, f"keeper: {error}\n".encode())
    os._exit(121)


def answer(channel):
    data, rights, _, _ = channel.recvmsg(1 << 20, socket.CMSG_SPACE(4 * 64))
    if not data:
        sys.exit(0)
    fds = array.array("i")
    for _, _, more in rights:
        fds.frombytes(more)
    request = json.loads(data)
    if "argv" in request:
        reply = start(request, list(fds))
    else:  # how one of ours ended, which the asker has seen end
        pid = request["status"]
        while reap():  # the number may have been another's, whose end is in the list
            pass
        if pid not in ended:
            reap(pid, 0)
        reply = ended.get(pid)
    channel.send(json.dumps(reply).encode())


def hide(mount):
    """For a runtime that would not run with it: in a mount namespace of our own it isn't there."""
    CLONE_NEWNS, MS_REC, MS_PRIVATE, MNT_DETACH = 0x00020000, 1 << 14, 1 << 18, 2
    libc.unshare(CLONE_NEWNS)
    libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
    libc.umount2(mount.encode(), MNT_DETACH)


def main():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    channel = socket.socket(fileno=int(sys.argv[1]))
    for mount in sys.argv[2:]:
        hide(mount)
    wake, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([channel, wake], [], [])
        if wake in ready:
            os.read(wake, 4096)
            while reap():
                pass
        if channel in ready:
            answer(channel)


if __name__ == "__main__":
    main()
