#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""
Measures a container on a bridge network: nook against the floor (bench/floor.c with the same netlink messages, in one
batch), against `podman run` with netavark, and against plain `ip` commands, which make no container around it. `make
bench` calls it, as root.

    bench/net_bench.py [--nook build/nook] [--rounds N] [--idle-rounds N] [--many N] [--json FILE]

Two times are taken: till the container's program has printed a byte, which is the start, and till the command has ended,
by when all is removed. The kernel needs some 15 ms to remove a pair of links, whoever asks it to. Then what the 2nd
and the 200th container on one network cost. All of it happens in a network namespace of its own.
"""

import argparse
import ctypes
import os
import shutil
import statistics
import subprocess
import sys

import bench
from bench import HERE, IDLE_MS, ROOT, compile_c, end, require, run
from oci_bench import can_raise_limits

CLONE_NEWNET = 0x40000000
NETWORK = "nookfloor"  # its bridge has its name: for the floor and for plain ip as well
# One of them runs until it is told to end.
WAITS = ["/bin/busybox", "sh", "-c", "echo up; exec sleep 10000"]
SAYS = ["/bin/busybox", "echo", "up"]

# What people write who have no more than ip(8).
BY_HAND = """set -e
ip netns add $1
ip link add $1 type veth peer name eth0 netns $1
ip link set $1 master nookfloor up
ip -n $1 link set lo up
ip -n $1 link set eth0 up
ip -n $1 address add 10.77.0.253/24 dev eth0
ip -n $1 address add fd77::fd/64 dev eth0 nodad
ip -n $1 route add default via 10.77.0.1
ip -n $1 route add default via fd77::1
ip netns exec $1 "$2" echo up
ip link del $1
ip netns del $1
"""


class Bench(bench.Bench):
    def make_programs(self):
        super().make_programs()
        compile_c(f"{self.build}/floor_net", f"{HERE}/floor.c", flags=[f"-I{self.build}", "-DFLOOR_NET"])

    def make_networks(self):
        """On a machine with nothing on it: nook's network, whose bridge the floor and plain ip use too, and Podman's."""
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise SystemExit(f"net_bench: unshare: {os.strerror(ctypes.get_errno())}")
        run("ip", "link", "set", "lo", "up")
        run(self.nook, "net", "new", NETWORK, "--subnet", "10.77.0.0/24", "--subnet", "fd77::/64", stdout=subprocess.DEVNULL)
        if self.podman():
            run(*self.podman(), "network", "create", "--disable-dns", "bench", stdout=subprocess.DEVNULL)

    def podman(self):
        """The command with files of its own; None where it or netavark is not installed."""
        program = shutil.which("podman")
        if not program or not os.path.exists("/usr/lib/podman/netavark"):
            return None
        return [program, "--runtime", self.crun(), "--root", f"{self.dir}/podman", "--runroot", f"/run/nook-bench-{self.tag}-podman",
                "--cgroup-manager", "cgroupfs", "--network-backend", "netavark", "--events-backend", "none",
                "--network-config-dir", f"{self.dir}/podman-networks", "--storage-driver", "vfs"]

    def crun(self):
        """Podman's default runtime; where it may not raise a limit that it wants, with memlock.c."""
        wrapper = f"{self.dir}/crun"
        if can_raise_limits():
            return shutil.which("crun")
        if not os.path.exists(wrapper):
            run("cc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", f"{self.build}/memlock.so", f"{HERE}/memlock.c")
            with open(wrapper, "w", encoding="utf-8") as file:
                file.write(f'#!/bin/sh\nLD_PRELOAD={self.build}/memlock.so exec {shutil.which("crun")} "$@"\n')
            os.chmod(wrapper, 0o755)
        return wrapper

    def on_network(self, argv, *options):
        return [self.nook, "run", *options, "--net", NETWORK, "--root", self.root, "--", *argv]

    def floor(self):
        return [f"{self.build}/floor_net", self.root, f"{self.tag}-floor", *SAYS]

    def contestants(self):
        found = {
            "floor": self.floor(),
            "nook": self.on_network(SAYS),
            "nook, no net": [self.nook, "run", "--root", self.root, "--", *SAYS],
            "ip": ["/bin/sh", "-c", BY_HAND, "sh", f"nk{os.getpid() % 100000}", f"{self.root}/bin/busybox"],
        }
        if self.podman():
            found["podman"] = [*self.podman(), "run", "--rm", "--ulimit", "nofile=1024:1024", "--ulimit",
                               "nproc=1024:1024", "--pids-limit", "-1", "--network", "bench", "--rootfs",
                               self.root, *SAYS]
        return found


def interleave(b, commands, rounds, idle_ms):
    """Milliseconds till the first byte, and till the end, of each round of each command."""
    words = []
    for name, argv in commands.items():
        words += (["++"] if words else []) + [name.replace(" ", "_"), *argv]
    times = {name: ([], []) for name in commands}
    out = run(f"{b.build}/driver", "--first", rounds, idle_ms, *words, stdout=subprocess.PIPE, text=True).stdout
    for line in out.splitlines():
        name, whole, first = line.split()
        times[name.replace("_", " ")][0].append(int(first) / 1e6)
        times[name.replace("_", " ")][1].append(int(whole) / 1e6)
    return times


def table(title, hot, idle):
    print(f"\n{title}\n")
    print(f"  {'':14}{'start':>9}{'':>9}{'after idle':>14}{'':>9}{'all, removed':>14}")
    print(f"  {'':14}{'ms':>9}{'× floor':>9}{'ms':>14}{'× floor':>9}{'ms':>14}")
    median = statistics.median
    for name in hot:
        h, i, w = median(hot[name][0]), median(idle[name][0]), median(hot[name][1])
        print(f"  {name:14}{h:9.2f}{h / median(hot['floor'][0]):9.2f}"
              f"{i:14.2f}{i / median(idle['floor'][0]):9.2f}{w:14.2f}")
    sys.stdout.flush()


def bench_start(b, args):
    commands = b.contestants()
    hot = interleave(b, commands, args.rounds, 0)
    idle = interleave(b, commands, args.idle_rounds, IDLE_MS)
    table("Start a program in a container on a bridge network. ip makes a network namespace and no container; podman\n"
          "goes through conmon, crun and netavark, without DNS. The target is 1.5 × the floor.", hot, idle)
    return {"hot": hot, "idle": idle}


def bench_many(b, args):
    """One more container, beside 1 and beside 199: what the kernel takes for a bridge with so many ports is the floor's too."""
    print(f"\nOne more container on the network, of {args.rounds} rounds the median, ms\n")
    running, found = [], {}
    for beside in (1, args.many - 1):
        running += [b.background(b.on_network(WAITS)) for _ in range(beside - len(running))]
        times = interleave(b, {"floor": b.floor(), "nook": b.on_network(SAYS)}, args.rounds, 0)
        found[beside + 1] = times
        start = {name: statistics.median(times[name][0]) for name in times}
        print(f"  as number {beside + 1:4}   floor {start['floor']:6.2f}   nook {start['nook']:6.2f}   "
              f"{start['nook'] / start['floor']:5.2f} × floor   removed after {statistics.median(times['nook'][1]):6.2f}")
        sys.stdout.flush()
    for process in running:
        end(process)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n", maxsplit=1)[0])
    parser.add_argument("--nook", default=f"{ROOT}/build/nook")
    parser.add_argument("--build", default=f"{ROOT}/build/bench", help="where the bench's programs go")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--idle-rounds", type=int, default=20)
    parser.add_argument("--many", type=int, default=200)
    parser.add_argument("--json", help="write every time measured to this file")
    args = parser.parse_args()

    require("ip", "unshare", "busybox")
    if "NOOK_BENCH_INSIDE" not in os.environ:
        return bench.go_inside()

    b = Bench(args.nook, args.build)

    def start():
        b.make_networks()
        return bench_start(b, args)

    return bench.measure(b, {"start": start, "many": lambda: bench_many(b, args)}, args.json)


if __name__ == "__main__":
    sys.exit(main())
