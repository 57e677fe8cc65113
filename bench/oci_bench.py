#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""
Measures nook-oci against Debian's crun and runc, and against the floor (bench/floor_oci.c: the same kernel work in a bare
program), command by command as an engine calls them. `make bench` calls it, as root.

    bench/oci_bench.py [--nook-oci build/nook-oci] [--rounds N] [--idle-rounds N] [--json FILE] [PART…]

Parts: run life start state exec delete rate memory. Each with runc's default config; run and life with one of Docker's
too, whose seccomp profile has some 400 names. Every round calls each contestant once, in a new order; hot: back to back;
idle: after 40 ms of sleep before each call. Medians, and their ratio to crun's.
"""

import argparse
import concurrent.futures
import copy
import ctypes
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import bench
from bench import IDLE_MS, ROOT, compile_c, output

sys.path[:0] = [f"{ROOT}/tests", f"{ROOT}/tests/oci"]

import oci as bundles
import rootfs

DOCKER = f"{ROOT}/tests/data/bundles/docker-default.json"
SLEEP = ["/bin/busybox", "sleep", "1000"]
TRUE = ["/bin/busybox", "true"]
PEERS = ["nook-oci", "crun", "runc"]


class Bench:
    def __init__(self, args):
        self.dir = tempfile.mkdtemp(prefix="nook-bench-")
        self.build = os.path.abspath(args.build)
        self.tag = f"b{os.getpid()}"
        self.path = {"nook-oci": os.path.abspath(args.nook_oci), "crun": shutil.which("crun", path="/usr/bin"),
                     "runc": shutil.which("runc", path="/usr/sbin:/usr/bin")}
        self.nook = os.path.join(os.path.dirname(self.path["nook-oci"]), "nook")
        self.rootfs = rootfs.make(f"{self.dir}/rootfs")
        self.env = dict(os.environ)

    def make_programs(self):
        os.makedirs(self.build, exist_ok=True)
        library = os.path.join(os.path.dirname(self.nook), "libnook-internal.a")
        compile_c(f"{self.build}/filter-oci", f"{bench.HERE}/filter.c", library,
                  flags=["-DCAPS=0x20000420ULL", f"-I{ROOT}/include", "-iquote", f"{ROOT}/src"])
        os.makedirs(f"{self.build}/oci", exist_ok=True)
        with open(f"{self.build}/oci/floor_filter.h", "w", encoding="utf-8") as file:
            file.write(output(f"{self.build}/filter-oci"))
        compile_c(f"{self.build}/driver", f"{bench.HERE}/driver.c")
        if not can_raise_limits():
            bench.run("cc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", f"{self.build}/memlock.so", f"{bench.HERE}/memlock.c")
            self.env["LD_PRELOAD"] = f"{self.build}/memlock.so"
        compile_c(f"{self.build}/floor_oci", f"{bench.HERE}/floor_oci.c", flags=[f"-I{self.build}/oci"])

    def bundle(self, kind, argv):
        """runc's default config, or what Docker writes, with this root file system and program."""
        path = f"{self.dir}/{kind}-{argv[-1]}"
        if os.path.isdir(path):
            return path
        config = copy.deepcopy(bundles.DEFAULT)
        if kind == "docker":
            with open(DOCKER, encoding="utf-8") as file:
                docker = json.load(file)
            for part in ("process", "linux", "mounts"):
                config[part] = docker[part]
            config["linux"].pop("cgroupsPath", None)
            config["linux"]["resources"] = {"devices": docker["linux"]["resources"]["devices"]}
            config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "bind"]
            config["process"].update(terminal=False)
        config["process"].update(args=argv, cwd="/")
        os.mkdir(path)
        os.symlink(self.rootfs, f"{path}/rootfs")
        config["root"] = {"path": self.rootfs, "readonly": True}
        with open(f"{path}/config.json", "w", encoding="utf-8") as file:
            json.dump(config, file)
        return path

    def command(self, name):
        return [self.path[name], "--root", f"/run/{self.tag}-{name}"]

    def call(self, name, *words):
        subprocess.run([*self.command(name), *words], check=True, env=self.env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)

    def compare(self, commands, rounds, idle_ms):
        return bench.interleave(f"{self.build}/driver", commands, rounds, idle_ms, env=self.env)

    def measure(self, title, commands, args):
        hot = self.compare(commands, args.rounds, 0)
        idle = self.compare(commands, args.idle_rounds, IDLE_MS)
        table(title, hot, idle)
        return {"hot": hot, "idle": idle}

    def floor(self, kind, argv):
        return [f"{self.build}/floor_oci", self.bundle(kind, argv), f"{self.tag}-floor", str(int(kind == "docker")), *argv]

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def table(title, hot, idle):
    print(f"\n{title}\n")
    print(f"  {'':14}{'hot, ms':>9}{'crun is':>10}{'after idle, ms':>17}{'crun is':>10}")
    for name in hot:
        h, i = statistics.median(hot[name]), statistics.median(idle[name])
        hc, ic = statistics.median(hot["crun"]), statistics.median(idle["crun"])
        print(f"  {name:14}{h:9.2f}{hc / h:8.1f} ×{i:17.2f}{ic / i:8.1f} ×")
    sys.stdout.flush()


def can_raise_limits():
    """Has crun what it asks for before it loads a device filter? See memlock.c."""
    with open("/proc/self/status", encoding="utf-8") as file:
        return bool(int(re.search(r"^CapEff:\s+(\w+)", file.read(), re.M)[1], 16) >> 24 & 1)


def sequence(*commands):
    """Words of the driver for several commands."""
    words = []
    for command in commands:
        words += ([",,"] if words else []) + command
    return words


def part_run(b, args):
    found = {}
    for kind, text in (("default", "runc's default config"), ("docker", "Docker's: seccomp of some 400 names")):
        commands = {"floor": b.floor(kind, TRUE)}
        for name in PEERS:
            commands[name] = [*b.command(name), "run", "-b", b.bundle(kind, TRUE), f"{b.tag}-run-{name}"]
        found[kind] = b.measure(f"run of `true`, {text}", commands, args)
    return found


def part_life(b, args):
    found = {}
    for kind, text in (("default", "runc's default config"), ("docker", "Docker's")):
        commands = {}
        for name in PEERS:
            one, call = f"{b.tag}-life-{name}", b.command(name)
            commands[name] = sequence([*call, "create", "-b", b.bundle(kind, TRUE), one], [*call, "start", one], ["%"],
                                      [*call, "delete", one])
        found[kind] = b.measure(f"create + start + delete of `true`, {text}", commands, args)
    return found


def part_start(b, args):
    commands = {}
    for name in PEERS:
        one, call = f"{b.tag}-start-{name}", b.command(name)
        commands[name] = sequence(["@", *call, "create", "-b", b.bundle("default", SLEEP), one], [*call, "start", one],
                                  ["@", *call, "delete", "--force", one], ["%"])
    return b.measure("start", commands, args)


def part_delete(b, args):
    commands = {}
    for name in PEERS:
        one, call = f"{b.tag}-delete-{name}", b.command(name)
        commands[name] = sequence(["@", *call, "run", "-d", "-b", b.bundle("default", SLEEP), one],
                                  [*call, "delete", "--force", one], ["%"])
    return b.measure("delete --force of a running one", commands, args)


def part_running(b, args, title, *words):
    commands = {}
    for name in PEERS:
        one = f"{b.tag}-there-{name}"
        b.call(name, "run", "-d", "-b", b.bundle("default", SLEEP), one)
        commands[name] = [*b.command(name), words[0], one, *words[1:]]
    try:
        return b.measure(title, commands, args)
    finally:
        for name in PEERS:
            b.call(name, "delete", "--force", f"{b.tag}-there-{name}")


def part_state(b, args):
    return part_running(b, args, "state of a running one", "state")


def part_exec(b, args):
    return part_running(b, args, "exec of `true` in a running one", "exec", *TRUE)


def part_rate(b, args):
    """Whole lives a second, one after the other and four at once."""
    print(f"\nrun of `true`: starts a second\n\n  {'':14}{'serial':>9}{'4 at once':>11}")
    found = {}
    for name in PEERS:
        bundle, count = b.bundle("default", TRUE), args.rounds
        start = time.monotonic()
        b.compare({name: [*b.command(name), "run", "-b", bundle, f"{b.tag}-rate-{name}"]}, count, 0)
        serial = count / (time.monotonic() - start)

        def work(number):
            b.compare({"x": [*b.command(name), "run", "-b", bundle, f"{b.tag}-rate-{name}-{number}"]}, count, 0)

        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        at_once = 4 * count / (time.monotonic() - start)
        found[name] = {"serial": serial, "at once": at_once}
        print(f"  {name:14}{serial:9.0f}{at_once:11.0f}")
    return found


def part_memory(b, _):
    print(f"\npeak resident of the runtime's own process, KiB\n\n  {'':14}{'create':>9}{'run':>9}{'exec':>9}")
    found = {}
    for name in PEERS:
        one, row = f"{b.tag}-memory-{name}", {}
        row["run"] = peak(b.env, [*b.command(name), "run", "-b", b.bundle("default", TRUE), one])
        row["create"] = peak(b.env, [*b.command(name), "create", "-b", b.bundle("default", SLEEP), one])
        b.call(name, "start", one)
        row["exec"] = peak(b.env, [*b.command(name), "exec", one, *TRUE])
        b.call(name, "delete", "--force", one)
        found[name] = row
        print(f"  {name:14}{row['create']:9}{row['run']:9}{row['exec']:9}")
    return found


def peak(env, argv):
    """VmHWM of a command in KiB, read when ptrace stops it at its exit: ru_maxrss after vfork is the parent's."""
    PTRACE_TRACEME, PTRACE_CONT, PTRACE_SETOPTIONS, TRACEEXEC, TRACEEXIT, EVENT_EXIT = 0, 7, 0x4200, 0x10, 0x40, 6
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1):
            os.dup2(null, fd)
        libc.ptrace(PTRACE_TRACEME, 0, None, None)
        os.execve(argv[0], argv, env)
    os.waitpid(pid, 0)  # stopped by its execve
    libc.ptrace(PTRACE_SETOPTIONS, pid, None, TRACEEXEC | TRACEEXIT)
    found, signal = 0, 0
    while True:
        libc.ptrace(PTRACE_CONT, pid, None, signal)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            break
        if status >> 16 == EVENT_EXIT:
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                found = int(re.search(r"^VmHWM:\s+(\d+)", file.read(), re.M)[1])
        signal = 0 if status >> 16 else os.WSTOPSIG(status)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"bench: {' '.join(argv)} failed ({os.waitstatus_to_exitcode(status)})")
    return found


PARTS = {"run": part_run, "life": part_life, "start": part_start, "state": part_state, "exec": part_exec,
         "delete": part_delete, "rate": part_rate, "memory": part_memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n", maxsplit=1)[0])
    parser.add_argument("--nook-oci", default=f"{ROOT}/build/nook-oci")
    parser.add_argument("--build", default=f"{ROOT}/build/bench", help="where the bench's programs go")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--idle-rounds", type=int, default=30)
    parser.add_argument("--json", help="write every time measured to this file")
    parser.add_argument("parts", nargs="*", help=f"of {' '.join(PARTS)}; none: all")
    args = parser.parse_args()

    bench.require("crun", "runc", "busybox")
    if "NOOK_BENCH_INSIDE" not in os.environ:
        return bench.go_inside()

    b = Bench(args)
    return bench.measure(b, {name: lambda name=name: PARTS[name](b, args) for name in args.parts or PARTS}, args.json)


if __name__ == "__main__":
    sys.exit(main())
