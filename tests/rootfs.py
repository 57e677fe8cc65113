# SPDX-License-Identifier: Apache-2.0
"""Small root file systems for --root and --layer: busybox, a few accounts, the directories that mounts go to."""

import os
import shutil
import stat
import subprocess

BUSYBOX = shutil.which("busybox", path="/bin:/usr/bin") or "/bin/busybox"
_applets = []


def applets():
    if not _applets:
        listed = subprocess.run([BUSYBOX, "--list"], stdout=subprocess.PIPE, text=True, check=True)
        _applets.extend(name for name in listed.stdout.split() if name != "busybox")
    return _applets


def make(path, dirs=("dev", "etc", "proc", "root", "sys", "tmp", "var")):
    """Fills the directory path with a root file system and returns path."""
    os.makedirs(f"{path}/bin", exist_ok=True)
    for name in dirs:
        os.makedirs(f"{path}/{name}", exist_ok=True)
    os.chmod(path, 0o755)
    if "tmp" in dirs:
        os.chmod(f"{path}/tmp", 0o1777)
    shutil.copy(BUSYBOX, f"{path}/bin/busybox")
    for name in applets():
        os.symlink("busybox", f"{path}/bin/{name}")
    if "etc" in dirs:
        write(f"{path}/etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n")
        write(f"{path}/etc/group", "root:x:0:\napp:x:1000:\nextra:x:2000:app\n")
    return path


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def tree(path, files):
    """Makes files below path from a dict of name → text."""
    os.makedirs(path, exist_ok=True)
    for name, text in files.items():
        write(os.path.join(path, name), text)
    return path


def odd_file(path, kind):
    """Something in the place of a file that is read: what takes it for one waits, swallows memory, or goes astray."""
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "loop":
        os.symlink(os.path.basename(path), path)
    elif kind == "directory":
        os.mkdir(path)
    elif kind == "device":
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    elif kind == "huge":
        with open(path, "wb") as file:
            file.truncate(1 << 40)
    elif kind == "socket":
        # By another process, from its directory: a socket's path has room for 107 bytes.
        subprocess.run(["/usr/bin/python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).bind({os.path.basename(path)!r})"],
                       cwd=os.path.dirname(path), check=True)
    else:
        raise ValueError(kind)
