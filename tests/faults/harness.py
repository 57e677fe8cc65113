# SPDX-License-Identifier: Apache-2.0
"""
Runs nook many times, each time with something that fails, and looks for what is left.

A Worker is a process with a mount namespace of its own, in which /run/nook, /tmp and the like are empty and whose
mounts propagate as a host's do, and it is a subreaper: so every file, mount and process that nook leaves anywhere shows.
Workers run side by side.
"""

import ctypes
import fcntl
import os
import pty
import resource
import select
import shutil
import signal
import socket
import termios
import time
from dataclasses import dataclass, field

import machine
from result import RUN

PATIENCE = 10  # seconds, after which a run counts as hung
GRACE = 5  # seconds for processes that are just dying, on a busy machine
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 0x1000, 0x4000, 1 << 18, 1 << 20
LIST_FD = 199  # where a build with faults notes its steps and calls
LIST_SIZE = 1 << 18
PLACES = ["/tmp", "/var/tmp", "/dev/shm"]
FOLDERS = {"containers", "new", "locks", "seccomp", "ids", "start"}


@dataclass
class Case:
    """One run of nook, and what is done to it. Words: @NAME a name of its own, @PEER the container beside it, @CHANGES
    an empty directory."""

    words: list
    what: str = ""
    env: dict = field(default_factory=dict)
    prefix: list = field(default_factory=list)  # a tracer's words
    peer: tuple = None  # options of the container beside it; None: there is none
    nofile: int = 0  # RLIMIT_NOFILE; 0: as it is
    tty: bool = False
    killed: bool = False  # nook is killed, so that neither status nor error are looked at
    # What is to remove the leftovers: "rm rm" or "run", or "rm if it failed"; "": there must be none.
    then: str = ""
    must_fail: bool = False
    program_may_fail: bool = False  # any status, which is the program's then
    listed: bool = False  # report the steps and calls
    program: str = ""  # run instead of nook
    leaks: bool = False  # nook's caller has left descriptors 3 to 20 open
    signal: tuple = None  # (seconds, number): sent to nook after that time
    first: tuple = None  # (words, environment): a nook that is started, and ends, before


@dataclass
class Outcome:
    case: Case
    status: int
    err: str
    out: str
    faults: list  # lines of NOOK_FAULT_LIST that were failed
    calls: list
    seconds: float
    wrong: list  # sentences: residues, hangs, a missing error

    def __str__(self):
        case = self.case
        words = [f"{name}={value}" for name, value in case.env.items()] + case.prefix + ["nook"] + case.words
        return (f"{case.what}: {'; '.join(self.wrong)}\n  $ {' '.join(words)}\n  status {self.status}, "
                f"{self.seconds:.2f} s, failed: {', '.join(self.faults)}\n  {self.err.strip()}")


def mount(source, target, kind, flags, data=None):
    arguments = [word.encode() if word else None for word in (source, target, kind)]
    if machine.libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() if data else None) != 0:
        machine.syscall_failed(f"mount {target}")


class Worker:
    """In a process of its own: see enter()."""

    def __init__(self, binary, account, base):
        self.binary, self.account, self.base = binary, account, base
        self.count = 0
        self.peer = None  # pid of the nook that runs the container beside
        self.peer_pid = 0  # and of its pid 1
        self.peer_options = None
        self.stuck = []

    # ---- a world of its own ----

    def enter(self):
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # our children are sent some before they execute
        machine.libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        machine.libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        self._own_mounts()
        self.runtime = self._own_directory("runtime")
        self.scratch = self._own_directory("scratch")
        self.state = "/run/nook" if self.account.is_root else f"{self.runtime}/nook"
        self.folders = {self.state, *(f"{self.state}/{name}" for name in FOLDERS)}
        self.watched = [self.state if self.account.is_root else self.runtime, *PLACES]
        self.cgroups = [f"{top}/nook" for top in cgroup_tops()]
        self.mounts = machine.read("/proc/self/mountinfo")
        self.files = self._files()

    def _own_directory(self, stem):
        path = f"{self.base}/{stem}-{os.getpid()}"
        os.makedirs(path, mode=0o700)
        os.chown(path, self.account.uid, self.account.gid)
        return path

    def _own_mounts(self):
        if self.account.mount_ns >= 0:
            machine.setns(self.account.mount_ns, machine.CLONE_NEWNS)
            self.account.mount_ns = -1
        if machine.libc.unshare(machine.CLONE_NEWNS) != 0:
            machine.syscall_failed("unshare")
        mount(None, "/", None, MS_REC | MS_PRIVATE)
        here = os.open(self.base, os.O_PATH)
        os.makedirs("/run/nook", mode=0o700, exist_ok=True)
        for place in ("/run/nook", *PLACES):
            mount("tmpfs", place, "tmpfs", 0, "mode=1777" if place in PLACES else "mode=0700")
        os.makedirs(self.base, exist_ok=True)
        mount(f"/proc/self/fd/{here}", self.base, None, MS_BIND)
        os.close(here)
        os.chdir("/")
        mount(None, "/", None, MS_REC | MS_SHARED)  # as systemd leaves them: what nook mounts must not come here

    # ---- one run ----

    def start(self, argv, env=None, out=None, err=None, listing=None, case=None, terminal=None):
        """Return: pid of nook, or of what runs it."""
        pid = os.fork()
        if pid:
            return pid
        try:
            self._become(argv, env or {}, out, err, listing, case, terminal)
        finally:
            os._exit(99)

    def _become(self, argv, env, out, err, listing, case, terminal):
        os.setsid()
        if terminal is not None:
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            for fd in (0, 1):
                os.dup2(terminal, fd)
        else:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out if out is not None else os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(err if err is not None else os.open(os.devnull, os.O_WRONLY), 2)
        if listing is not None:
            os.dup2(listing, LIST_FD)
        if case and case.nofile:
            os.closerange(3, 1 << 16)
            resource.setrlimit(resource.RLIMIT_NOFILE, (case.nofile, case.nofile))
        if case and case.leaks:
            leak_descriptors()
        self.account.enter()
        for number in (signal.SIGPIPE, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        extra = {"XDG_RUNTIME_DIR": None if self.account.is_root else self.runtime, **env}
        os.execve(argv[0], argv, self.account.environment(extra))

    def await_end(self, pid, seconds=PATIENCE, terminal=None, shown=None):
        """Return: its status as a shell shows it, or None when it was still there and had to be killed."""
        watch = select.poll()
        pidfd = os.pidfd_open(pid)
        watch.register(pidfd, select.POLLIN)
        if terminal is not None:
            watch.register(terminal, select.POLLIN)
        end = time.monotonic() + seconds
        status = None
        while True:
            ready = dict(watch.poll(max(0, int((end - time.monotonic()) * 1000))))
            if terminal in ready and ready[terminal] & select.POLLIN:
                data = os.read(terminal, 4096)
                if shown is not None:
                    os.write(shown, data)
            elif terminal in ready:
                watch.unregister(terminal)
            if pidfd in ready or not ready:
                break
        if pidfd not in ready:
            self.stuck = [describe(each) for each in [pid, *machine.descendants(pid)]]
            os.kill(pid, signal.SIGKILL)
        _, code = os.waitpid(pid, 0)
        if pidfd in ready:
            status = machine.shell_status(os.waitstatus_to_exitcode(code))
        os.close(pidfd)
        return status

    def nook(self, *words, seconds=PATIENCE):
        """A command that is no case. Return: status, None after a hang."""
        return self.await_end(self.start([self.binary, *words]), seconds)

    def run(self, case):
        self._have_peer(case.peer)
        self.count += 1
        name = f"fault-{RUN}{os.getpid()}-{self.count}"
        changes = f"{self.scratch}/{name}"

        def placed(words):
            for place, text in (("@NAME", name), ("@PEER", f"peer-{RUN}{os.getpid()}"), ("@CHANGES", changes)):
                words = [word.replace(place, text) for word in words]
            return words

        argv = placed([*case.prefix, case.program or self.binary, *case.words])
        before = self._peer_state()
        if case.first:
            words, env = case.first
            self.await_end(self.start(placed([self.binary, *words]), env))
        wrong, status, text, out, calls, seconds = self._run(argv, case)
        if status is not None and not case.killed:
            wrong += check_error(case, status, text)
        wrong += self._left(case, name, status)
        wrong += [f"of the container itself, {a} became {b}" for a, b in zip(before, self._peer_state()) if a != b]
        shutil.rmtree(changes, ignore_errors=True)
        failed = [line for line in calls if line.endswith(" !")]
        return Outcome(case, status, text, out, failed, calls if case.listed else [], seconds, wrong)

    def _run(self, argv, case):
        err, out, listing = os.memfd_create("err"), os.memfd_create("out"), os.memfd_create("list")
        os.ftruncate(listing, LIST_SIZE)
        master = slave = modes = None
        env = dict(case.env)
        wrong = []
        if env or case.listed:
            env["NOOK_FAULT_LIST"] = str(LIST_FD)
        if case.tty:
            master, slave = pty.openpty()
            modes = termios.tcgetattr(slave)
        begin = time.monotonic()
        pid = self.start(argv, env, out, err, listing, case, slave)
        if case.signal:
            time.sleep(case.signal[0])
            os.kill(pid, case.signal[1])  # not waited for: at worst a zombie
        status = self.await_end(pid, terminal=master, shown=out)
        seconds = time.monotonic() - begin
        if status is None:
            wrong.append(f"hung: no end after {PATIENCE} s: {', '.join(self.stuck)}")
        if case.tty:
            if termios.tcgetattr(slave) != modes and not case.killed:
                wrong.append("the terminal was not restored")
            os.close(slave)
            os.close(master)
        return wrong, status, content(err), content(out), noted(listing), seconds

    def crowd(self, cases):
        """All at once. Return: an outcome each, and what they left together."""
        self._have_peer(None)
        started = []
        for case in cases:
            self.count += 1
            name = f"fault-{RUN}{os.getpid()}-{self.count}"
            err, out = os.memfd_create("err"), os.memfd_create("out")
            argv = [self.binary, *(word.replace("@NAME", name) for word in case.words)]
            started.append((case, name, err, out, self.start(argv, case.env, out, err)))
        outcomes = []
        for case, _, err, out, pid in started:
            status = self.await_end(pid, 3 * PATIENCE)
            outcomes.append(Outcome(case, status, content(err), content(out), [], [], 0, []))
        left = self._processes_left()
        for name in {name for _, name, *_ in started}:
            left += self._residues(name)
        return outcomes, sorted(set(left))

    # ---- what is left ----

    def _left(self, case, name, status):
        wrong = self._processes_left()
        if case.then:
            wrong += self._undo(case, name, status)
        found = self._residues(name)
        if found:
            self._clean(name)
        return wrong + found

    def _undo(self, case, name, status):
        """A later command must remove what a killed nook has left, at the first time."""
        if case.then == "rm if it failed" and status == 0:
            return []
        for word in case.then.split()[:2]:
            if word not in ("rm", "run"):
                break
            root = case.words[case.words.index("--root"):][:2] if "--root" in case.words else []
            words = ["rm", "--force", name] if word == "rm" else ["run", "--name", name, *root, "--", "true"]
            status = self.nook(*words)
            if status != 0:
                return [f"afterwards `nook {' '.join(words)}` ended with status {status}"]
        return []

    def _processes_left(self):
        """Reaps whatever came to us."""
        end = time.monotonic() + GRACE
        while True:
            left = [child for child in machine.children(os.getpid()) if child != self.peer]
            for child in left:
                os.waitpid(child, os.WNOHANG)
            if not left:
                return []
            if time.monotonic() > end:
                break
            time.sleep(0.001)
        texts = [f"process {child} is left: {command(child)}" for child in left]
        for child in left:
            for victim in [child, *machine.descendants(child)]:
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        while [child for child in machine.children(os.getpid()) if child != self.peer]:
            for child in machine.children(os.getpid()):
                if child != self.peer:
                    os.waitpid(child, 0)
        return texts

    def _residues(self, name):
        found = []
        now = machine.read("/proc/self/mountinfo")
        if now != self.mounts:
            found += ["mount left: " + line for line in set(now.splitlines()) - set(self.mounts.splitlines())]
        for top in self.cgroups:
            if os.path.lexists(f"{top}/{name}"):
                found.append(f"cgroup left: {top}/{name}")
        return found + ["file left: " + path for path in sorted(self._files() - self.files)]

    def _files(self):
        """Everything in the places that a container's files go to, but the state's own folders."""
        found = set()
        for top in self.watched:
            for where, dirs, files in os.walk(top):
                dirs[:] = [name for name in dirs if f"{where}/{name}" != self.base]
                found.update(f"{where}/{name}" for name in files + dirs)
        return found - self.folders

    def _clean(self, name):
        """So that one case's residue is not the next one's."""
        self.nook("rm", "--force", name)
        for path in self._files() - self.files:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            elif os.path.lexists(path):
                os.unlink(path)
        for top in self.cgroups:
            if os.path.isdir(f"{top}/{name}"):
                os.rmdir(f"{top}/{name}")
        self.mounts = machine.read("/proc/self/mountinfo")

    # ---- a container beside it, to exec in and to join ----

    def close(self):
        self._have_peer(None)

    def _have_peer(self, options):
        if options == self.peer_options:
            return
        if self.peer:
            os.kill(self.peer_pid, signal.SIGKILL)
            os.waitpid(self.peer, 0)
            self.peer = None
        self.peer_options = options
        if options is not None:
            name = f"peer-{RUN}{os.getpid()}"
            self.peer = self.start([self.binary, "run", "--name", name, *options, "--", "sleep", "1000"])
            # nook, its pid 1, its program
            machine.wait_until(lambda: self.nook("exec", name, "--", "true") == 0
                               and len(machine.descendants(self.peer)) == 2, what="the container beside")
            self.peer_pid = machine.children(self.peer)[0]
        self.files = self._files()

    def _peer_state(self):
        """What must be the same after somebody has failed to enter it."""
        if self.peer is None:
            return []
        record = machine.read(f"{self.state}/containers/peer-{RUN}{os.getpid()}")
        return [machine.descendants(self.peer), record, machine.read(f"/proc/{self.peer_pid}/mountinfo")]


def leak_descriptors():
    """As a careless caller: directories, sockets, files and pipes, none of them CLOEXEC."""
    kinds = [os.open("/", os.O_RDONLY), os.open("/proc/self/fd", os.O_RDONLY), os.open("/etc/passwd", os.O_RDONLY),
             os.open("/dev/null", os.O_RDWR), *os.pipe(), *(end.detach() for end in socket.socketpair()),
             os.open("/", os.O_PATH)]
    copies = [os.dup2(fd, 100 + i, inheritable=True) for i, fd in enumerate(kinds)]
    for fd in range(3, 21):
        os.dup2(copies[fd % len(copies)], fd, inheritable=True)
    os.closerange(21, LIST_FD)


def content(fd):
    size = os.fstat(fd).st_size
    text = os.pread(fd, size, 0).decode(errors="replace")
    os.close(fd)
    return text


def noted(listing):
    """The lines in memory that nook's processes have shared: src/sys/fault.c."""
    used = int.from_bytes(os.pread(listing, 8, 0), "little")
    lines = os.pread(listing, used, 8).decode(errors="replace").splitlines()
    os.close(listing)
    assert used < LIST_SIZE - 8, "the list is too short"
    return lines


def describe(pid):
    """Where a process is stuck."""
    try:
        fields = machine.status(pid)
        return (f"{command(pid)}: {fields['State']}, in call {machine.read(f'/proc/{pid}/syscall').strip()}, "
                f"signals pending {fields['SigPnd']} {fields['ShdPnd']}, blocked {fields['SigBlk']}")
    except OSError:
        return "?"


def command(pid):
    try:
        return machine.read(f"/proc/{pid}/cmdline").replace("\0", " ") or machine.read(f"/proc/{pid}/comm")
    except OSError:
        return "?"


def cgroup_tops():
    """Directories that may have a "nook" below: each hierarchy's root, and where we are in it."""
    ours = {}
    for line in machine.read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        ours[controllers] = path
    tops = set()
    for line in machine.read("/proc/self/mountinfo").splitlines():
        words, kind = line.split(), line.split(" - ")[1].split()
        if kind[0] not in ("cgroup", "cgroup2"):
            continue
        tops.add(words[4])
        for controllers, path in ours.items():
            if (kind[0] == "cgroup2") == (not controllers) and path != "/":
                tops.add(words[4] + path)
    return sorted(tops)


def check_error(case, status, text):
    """When nook fails, it is with its own status, and with one error that a person can read."""
    if status == 0:
        return ["ended with 0"] if case.must_fail else []
    if case.program_may_fail and status != 125:
        return []
    # What is asked for and can't be executed is 126 or 127, as in a shell.
    wrong = [] if status in (125, 126, 127) else [f"ended with status {status}"]
    heads = [line for line in text.splitlines() if line.startswith("nook: ")]
    others = [line for line in text.splitlines() if not line.startswith(("nook: ", "  "))]
    if len(heads) != 1 or others:
        wrong.append(f"{len(heads)} errors and {len(others)} other lines")
    elif "(injected)" in heads[0] and not heads[0].startswith("nook: cannot "):
        wrong.append("the error does not say what was wanted")
    return wrong
