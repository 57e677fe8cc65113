# SPDX-License-Identifier: Apache-2.0
"""Mounts of a bundle as the tests write them, those that a container has, and a stand-in for the machine's."""

import os
import subprocess

import machine
from oci import runtime_name

RW = {"root/readonly": False}


def bind(source, target, *options):
    return {"mounts/-": {"destination": target, "type": "bind", "source": source, "options": ["bind", *options]}}


def rbind(source, target, *options):
    return {"mounts/-": {"destination": target, "type": "bind", "source": source, "options": ["rbind", *options]}}


def tmpfs(target, *options):
    return {"mounts/-": {"destination": target, "type": "tmpfs", "source": "tmpfs", "options": list(options)}}


def mounts_in(text):
    """mountinfo as {target: (options of the mount, optional fields, type, source, options of the superblock)}."""
    found = {}
    for line in text.splitlines():
        left, right = line.split(" - ")
        left, right = left.split(), right.split()
        found[left[4]] = (set(left[5].split(",")), set(left[6:]), right[0], right[1], set(right[2].split(",")))
    return found


def options_of(oci, made):
    return mounts_in(oci.run(made).ok())


class Host:
    """A mount namespace that stands for the machine's: what is mounted there is no other test's."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo; exec sleep 1000"],
                                       stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.fd = os.open(f"/proc/{self.holder.pid}/ns/mnt", os.O_RDONLY)
        self.account = machine.Account("root", 0, 0, "/root", self.fd)
        if runtime_name() == "crun":  # see Keeper
            self.sh("umount -l /sys/fs/cgroup/unified")

    def sh(self, script):
        return subprocess.run(["nsenter", "--mount", "--target", str(self.holder.pid), "sh", "-ec", script],
                              check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def mounts(self):
        return mounts_in(machine.read(f"/proc/{self.holder.pid}/mountinfo"))

    def close(self):
        os.close(self.fd)
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
