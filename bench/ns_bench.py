#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""
Measures `nook ns ls` against lsns(8) of util-linux. `make bench` calls it, as root.

    bench/ns_bench.py [--nook build/nook] [--rounds N]

3,000 processes in 300 namespaces besides what the machine has; both are started in turns, in a new order each round, and
the medians compared. nook must find at least what lsns finds. Then nook alone on 1/4, 1/2, 1 and 2 times as many
processes: the time for one more must stay the same.
"""

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys

from bench import HERE, ROOT, compile_c, interleave

PROCESSES, NAMESPACES = 3000, 300


class Crowd:
    """Processes in namespaces, for as long as it lasts."""

    def __init__(self, program, processes, namespaces):
        self.process = subprocess.Popen([program, str(processes), str(namespaces)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "up\n":
            raise SystemExit("ns_bench: the processes did not come up: is the limit of processes too low?")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


def measure(driver, rounds, commands):
    times = interleave(driver, commands, rounds, 0, stderr=subprocess.DEVNULL)
    return {name: statistics.median(rows) for name, rows in times.items()}


def found(*argv, pattern):
    shown = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return set(re.findall(pattern, shown, re.M))


def compare(nook, driver, rounds):
    lsns = shutil.which("lsns", path="/usr/bin:/bin")
    if not lsns:
        raise SystemExit("ns_bench: lsns is not installed: make deps installs it")
    first = found(nook, "ns", "ls", pattern=r"^\w+ +(\d+)")
    theirs = found(lsns, "-n", "-r", "-o", "NS", pattern=r"(\d+)")
    ours = found(nook, "ns", "ls", pattern=r"^\w+ +(\d+)")
    missed = theirs - ours - first
    times = measure(driver, rounds, {"nook": [nook, "ns", "ls"], "lsns": [lsns]})
    ratio = times["nook"] / times["lsns"]
    print(f"ns ls on {PROCESSES} processes in {NAMESPACES} namespaces, ms (medians of {rounds})")
    print(f"  nook  {times['nook']:8.1f}  finds {len(ours)}, {len(ours - theirs)} that lsns does not")
    print(f"  lsns  {times['lsns']:8.1f}  finds {len(theirs)}, {len(missed)} that nook does not")
    print(f"  nook takes {ratio:.2f} of lsns' time; the target is 0.50")
    return not missed and ratio <= 0.5


def cpu(argv, rounds):
    """Median of user and system time, ms: what else the machine does shows less in it."""
    times = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return statistics.median(times)


def grow(nook, rounds, program):
    """The time for one process more, between each size and the next."""
    sizes = [PROCESSES // 4, PROCESSES // 2, PROCESSES, PROCESSES * 2]
    times = []
    for size in sizes:
        with Crowd(program, size, size // 10):
            times.append(cpu([nook, "ns", "ls"], rounds))
    steps = [1000 * (b - a) / (n - m) for (m, a), (n, b) in zip(zip(sizes, times), zip(sizes[1:], times[1:]))]
    print("nook ns ls by processes, ms of CPU: " + ", ".join(f"{size}: {time:.1f}" for size, time in zip(sizes, times)))
    print("  µs for one process more: " + ", ".join(f"{step:.1f}" for step in steps))


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n", maxsplit=1)[0])
    parser.add_argument("--nook", default=f"{ROOT}/build/nook")
    parser.add_argument("--build", default=f"{ROOT}/build/bench", help="where the bench's programs go")
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()

    if os.getuid() != 0:
        raise SystemExit("ns_bench: run it as root: only root sees all namespaces")
    nook = os.path.abspath(args.nook)
    os.makedirs(args.build, exist_ok=True)
    for name in ("driver", "ns_procs"):
        compile_c(f"{args.build}/{name}", f"{HERE}/{name}.c")
    driver, program = f"{args.build}/driver", f"{args.build}/ns_procs"
    with Crowd(program, PROCESSES, NAMESPACES):
        good = compare(nook, driver, args.rounds)
    grow(nook, args.rounds, program)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
