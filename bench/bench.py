#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""
Measures nook against the floor (bench/floor.c: the same kernel work in a bare program) and against other programs that
start containers, on the same root and command. `make bench` calls it, as root.

    bench/bench.py [--nook build/nook] [--rounds N] [--idle-rounds N] [--json FILE]

All run where /run is a tmpfs and /sys/fs/cgroup a cgroup2 of their own, whatever this machine has: so each makes one
cgroup, and crun, which refuses the hybrid layout, can be measured. Every round starts each contestant once, in a new order; hot: back to back; idle: after 40 ms of sleep, when costs of the
kernel show that are hidden before (grace periods, cold caches). Medians, and their ratios to the floor.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
IDLE_MS = 40
CGROUPS = "/sys/fs/cgroup"
SPAN = "1879048192"  # ids that runc and crun map: nobody's
CFLAGS = ["-O2", "-static", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wshadow"]

CAPS = """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL
	AUDIT_WRITE""".split()
MASKED = ["acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug",
          "scsi"]
READ_ONLY = ["bus", "fs", "irq", "sys", "sysrq-trigger"]


def run(*argv, **kw):
    return subprocess.run([str(word) for word in argv], check=True, **kw)


def output(*argv):
    return run(*argv, stdout=subprocess.PIPE, text=True).stdout


def compile_c(target, *sources, flags=()):
    run(os.environ.get("CC", "cc"), *CFLAGS, *flags, "-o", target, *sources)


def interleave(driver, commands, rounds, idle_ms, **kw):
    """Milliseconds of each round of each command, which bench/driver.c calls in turns; **kw: of subprocess.run()."""
    words = []
    for name, argv in commands.items():
        words += (["++"] if words else []) + [name, *argv]
    times = {name: [] for name in commands}
    for line in run(driver, rounds, idle_ms, *words, stdout=subprocess.PIPE, text=True, **kw).stdout.splitlines():
        name, nanoseconds = line.split()
        times[name].append(int(nanoseconds) / 1e6)
    return times


def require(*programs):
    if os.getuid() != 0:
        raise SystemExit("bench: runc needs root, and so do fair rounds: run it as root")
    missing = [name for name in programs if not shutil.which(name, path="/usr/bin:/usr/sbin:/bin")]
    if missing:
        raise SystemExit(f"bench: not installed: {', '.join(missing)}; make deps installs them")


def measure(b, parts, file):
    """Makes @b's programs, calls each part, and closes @b; all times go to @file, if any."""
    try:
        b.make_programs()
        result = {name: part() for name, part in parts.items()}
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"bench: {' '.join(map(str, error.cmd))} failed with status {error.returncode}") from None
    finally:
        b.close()
    if file:
        with open(file, "w", encoding="utf-8") as out:
            json.dump(result, out, indent=1)
    return 0


class Bench:
    def __init__(self, nook, build):
        self.nook = os.path.abspath(nook)
        self.build = os.path.abspath(build)
        self.dir = tempfile.mkdtemp(prefix="nook-bench-")
        os.chmod(self.dir, 0o755)  # a container's root is somebody else here
        self.tag = f"b{os.getpid()}"
        self.undo = []

    # ---- what is measured ----

    def make_root(self):
        self.root = f"{self.dir}/root"
        for name in ("bin", "dev", "etc", "proc", "root", "sys", "tmp"):
            os.makedirs(f"{self.root}/{name}")
        busybox = shutil.which("busybox", path="/bin:/usr/bin")
        shutil.copy(busybox, f"{self.root}/bin/busybox")
        for name in ("true", "sleep", "sh"):
            os.symlink("busybox", f"{self.root}/bin/{name}")

    def make_programs(self):
        """And the root. The floor loads the filter and the capabilities that nook's own containers have."""
        self.make_root()
        os.makedirs(self.build, exist_ok=True)
        caps = "0x" + output(self.nook, "run", "--root", self.root, "--", "/bin/busybox", "grep", "CapBnd",
                             "/proc/self/status").split()[1]
        library = os.path.join(os.path.dirname(self.nook), "libnook-internal.a")
        compile_c(f"{self.build}/filter", f"{HERE}/filter.c", library,
                  flags=[f"-DCAPS={caps}ULL", f"-I{ROOT}/include", "-iquote", f"{ROOT}/src"])
        with open(f"{self.build}/floor_filter.h", "w", encoding="utf-8") as file:
            file.write(output(f"{self.build}/filter"))
        for name in ("driver", "floor", "floor_exec"):
            compile_c(f"{self.build}/{name}", f"{HERE}/{name}.c", flags=[f"-I{self.build}"])

    def bundle(self, argv):
        """A bundle for runc and crun: nook's namespaces (but time, which they don't know), its mounts, its masks."""
        def mount(target, kind, *options):
            return {"destination": target, "type": kind, "source": kind, "options": list(options)}

        ids = [{"containerID": 0, "hostID": int(SPAN), "size": 65536}]
        caps = [f"CAP_{name}" for name in CAPS]
        config = {
            "ociVersion": "1.0.2",
            "hostname": "bench",
            "root": {"path": self.root},
            "process": {
                "user": {"uid": 0, "gid": 0}, "args": argv, "env": ["PATH=/bin", "HOME=/root"], "cwd": "/",
                "noNewPrivileges": True,
                "capabilities": {"bounding": caps, "effective": caps, "permitted": caps},
            },
            "mounts": [
                mount("/proc", "proc", "nosuid", "noexec", "nodev"),
                mount("/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
                mount("/sys/fs/cgroup", "cgroup", "nosuid", "noexec", "nodev", "ro"),
                mount("/dev", "tmpfs", "nosuid", "mode=755", "size=65536k"),
                mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
                mount("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
                mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
            ],
            "linux": {
                "uidMappings": ids, "gidMappings": ids,
                "namespaces": [{"type": name} for name in ("pid", "network", "ipc", "uts", "mount", "user", "cgroup")],
                "maskedPaths": [f"/proc/{name}" for name in MASKED] + ["/sys/firmware"],
                "readonlyPaths": [f"/proc/{name}" for name in READ_ONLY],
            },
        }
        path = f"{self.dir}/bundle-{len(argv)}-{argv[-1]}"
        os.makedirs(path, exist_ok=True)
        with open(f"{path}/config.json", "w", encoding="utf-8") as file:
            json.dump(config, file)
        return path

    def oci(self, name):
        """The command with its own state directory."""
        return [shutil.which(name, path="/usr/bin:/usr/sbin"), "--root", f"/run/nook-bench-{self.tag}-{name}"]

    def starts(self, argv, name):
        """Contestants for starting argv: name → command line."""
        bundle = self.bundle(argv)
        bwrap = [shutil.which("bwrap"), "--unshare-all", "--bind", self.root, "/", "--proc", "/proc", "--dev", "/dev",
                 "--tmpfs", "/dev/shm", "--clearenv", *argv]
        unshare = [shutil.which("unshare"), "-muinpUCT", "--fork", "--map-root-user", f"--root={self.root}",
                   "--mount-proc", *argv]
        return {
            "floor": [f"{self.build}/floor", self.root, f"{self.tag}-{name}-floor", *argv],
            "nook": [self.nook, "run", "--root", self.root, "--", *argv],
            "bubblewrap": bwrap,
            "unshare": unshare,
            "crun": [*self.oci("crun"), "run", "-b", bundle, f"{self.tag}-{name}-crun"],
            "runc": [*self.oci("runc"), "run", "-b", bundle, f"{self.tag}-{name}-runc"],
        }

    # ---- how ----

    def compare(self, commands, rounds, idle_ms):
        return interleave(f"{self.build}/driver", commands, rounds, idle_ms)

    def background(self, argv):
        with tempfile.TemporaryFile(mode="w+") as errors:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
            self.undo.append(lambda: end(process))
            if process.stdout.readline() != "up\n":
                errors.seek(0)
                raise SystemExit(f"bench: {' '.join(argv)} did not start: {errors.read()}")
        return process

    def close(self):
        for undo in reversed(self.undo):
            undo()
        shutil.rmtree(self.dir, ignore_errors=True)


def end(process):
    """Ends a container in the foreground. A pid 1 without handlers takes no other signal than SIGKILL."""
    if process.poll() is None:
        for pid in descendants(process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # its pid 1 was first
        process.wait(5)
    process.stdout.close()


def descendants(pid):
    children = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="utf-8") as file:
            children += [int(word) for word in file.read().split()]
    return [one for child in children for one in [child] + descendants(child)]


def memory(pid):
    """Rss and Pss of a process in KiB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        text = file.read()
    return tuple(int(re.search(rf"^{name}: +(\d+)", text, re.M)[1]) for name in ("Rss", "Pss"))


def cgroup_of(pid):
    with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
        path = re.search(r"^0::(.*)$", file.read(), re.M)[1]
    return CGROUPS + path


# ---- what is shown ----

def table(title, hot, idle, base):
    print(f"\n{title}\n")
    print(f"  {'':14}{'hot':>9}{'':>9}{'after idle':>14}")
    print(f"  {'':14}{'ms':>9}{'× floor':>9}{'ms':>14}{'× floor':>9}")
    for name in hot:
        h, i = statistics.median(hot[name]), statistics.median(idle[name])
        hb, ib = statistics.median(hot[base]), statistics.median(idle[base])
        print(f"  {name:14}{h:9.2f}{h / hb:9.2f}{i:14.2f}{i / ib:9.2f}")
    sys.stdout.flush()


def bench_run(b, args):
    commands = b.starts(["/bin/busybox", "true"], "run")
    hot = b.compare(commands, args.rounds, 0)
    idle = b.compare(commands, args.idle_rounds, IDLE_MS)
    table("Run `true` in a container of its own and remove it. bubblewrap and unshare do less (no cgroup, id range,\n"
          "seccomp filter, masks); crun and runc have no time namespace and no seccomp filter here.", hot, idle, "floor")
    return {"hot": hot, "idle": idle}


UP = ["/bin/busybox", "sh", "-c", "echo up; exec sleep 1000"]


def bench_exec(b, args):
    name = f"{b.tag}-exec"
    nook = b.background([b.nook, "run", "--name", name, "--root", b.root, "--", *UP])
    pid1 = descendants(nook.pid)[0]
    crun = b.background([*b.oci("crun"), "run", "-b", b.bundle(UP), f"{name}-crun"])
    runc = b.background([*b.oci("runc"), "run", "-b", b.bundle(UP), f"{name}-runc"])
    record = f"{b.dir}/record"
    with open(record, "w", encoding="utf-8") as file:
        file.write("x" * 8192)
    argv = ["/bin/busybox", "true"]
    commands = {
        "floor": [f"{b.build}/floor_exec", str(pid1), cgroup_of(pid1), record, *argv],
        "nook": [b.nook, "exec", name, "--", *argv],
        "nsenter": [shutil.which("nsenter"), "-t", str(pid1), "-a", *argv],
        "crun": [*b.oci("crun"), "exec", f"{name}-crun", *argv],
        "runc": [*b.oci("runc"), "exec", f"{name}-runc", *argv],
    }
    hot = b.compare(commands, args.rounds, 0)
    idle = b.compare(commands, args.idle_rounds, IDLE_MS)
    table("Execute `true` in a running container. nsenter sets no credentials, cgroup or filter.", hot, idle, "floor")
    for process in (runc, crun, nook):
        end(process)
    return {"hot": hot, "idle": idle}


def bench_memory(b, _):
    """What stays beside the program while a container runs."""
    print("\nResident while a container runs, beside its program: all processes together\n")
    print(f"  {'':14}{'processes':>10}{'Rss KiB':>10}{'Pss KiB':>10}")
    found = {}
    for name, command in b.starts(UP, "memory").items():
        process = b.background(command)
        time.sleep(0.6)  # nook lets go of its code when it has waited for 0.2 s
        pids = [process.pid] + descendants(process.pid)
        ours = [pid for pid in pids if os.readlink(f"/proc/{pid}/exe") != f"{b.root}/bin/busybox"
                and not os.readlink(f"/proc/{pid}/exe").endswith("/bin/busybox")]
        rss, pss = (sum(memory(pid)[i] for pid in ours) for i in (0, 1))
        found[name] = {"processes": len(ours), "rss_kib": rss, "pss_kib": pss}
        print(f"  {name:14}{len(ours):10}{rss:10}{pss:10}")
        end(process)
    return found


# ---- a cgroup and a mount namespace of our own ----

# /run is a tmpfs on real machines; on one where it lies on ext4, to replace and remove a file costs 1 ms. No process
# stays at the top of the cgroups: crun would try for two seconds to hand controllers down from there.
PRIVATE = "mount -t tmpfs -o mode=755 tmpfs /run && umount -lR /sys/fs/cgroup && mount -t cgroup2 -o rw,nosuid,nodev,noexec cgroup2 /sys/fs/cgroup && mkdir /sys/fs/cgroup/caller && echo $$ > /sys/fs/cgroup/caller/cgroup.procs && exec \"$@\""


def find_cgroup2():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            before, after = line.split(" - ")
            if after.startswith("cgroup2 "):
                return before.split()[4]
    raise SystemExit("bench: no cgroup2 is mounted here, and nook starts processes right into one")


def go_inside():
    """Runs this program again in there. Return: its exit status."""
    cgroup = f"{find_cgroup2()}/nook-bench-{os.getpid()}"
    os.mkdir(cgroup)

    def enter():
        with open(f"{cgroup}/cgroup.procs", "w", encoding="utf-8") as file:
            file.write("0")

    argv = ["unshare", "-Cm", "--propagation", "private", "sh", "-c", PRIVATE, "sh", sys.executable, "-B",
            os.path.abspath(sys.argv[0]), *sys.argv[1:]]
    try:
        return subprocess.run(argv, env=dict(os.environ, NOOK_BENCH_INSIDE="1"), preexec_fn=enter, check=False).returncode
    finally:
        for where, _, _ in sorted(os.walk(cgroup), reverse=True):  # the deepest first
            os.rmdir(where)


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n", maxsplit=1)[0])
    parser.add_argument("--nook", default=f"{ROOT}/build/nook")
    parser.add_argument("--build", default=f"{ROOT}/build/bench", help="where the bench's programs go")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--idle-rounds", type=int, default=40)
    parser.add_argument("--json", help="write every time measured to this file")
    args = parser.parse_args()

    require("bwrap", "unshare", "nsenter", "crun", "runc", "busybox")
    if "NOOK_BENCH_INSIDE" not in os.environ:
        return go_inside()

    b = Bench(args.nook, args.build)
    return measure(b, {"run": lambda: bench_run(b, args), "exec": lambda: bench_exec(b, args),
                       "memory": lambda: bench_memory(b, args)}, args.json)


if __name__ == "__main__":
    sys.exit(main())
