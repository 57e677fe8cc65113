# SPDX-License-Identifier: Apache-2.0
"""
The same for nook-oci: one command of an engine meets a failure, and then a container is as it was before, or gone.

A Case is one command on a container that the commands before it have made. Whatever came of it, one
`delete --force` must end well at the end, and then nothing is left: no process, cgroup, mount or file.
"""

import copy
import json
import os
import re
import select
import shutil
import signal
import socket
import time
from dataclasses import dataclass, field

import harness
import machine
import oci as engine
import rootfs
from result import RUN

FOLDERS = [*harness.FOLDERS, "notify"]
SLOW = 8  # seconds that no command takes, whatever else is going on
ENDED = 5  # seconds for a process that was killed to be seen as ended
LINE = re.compile(r'time="[^"]*" level=(\w+) msg="(.*)"$')
PROGRAM = ["sleep", "1000"]
LIMITS = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 100}]  # not of descriptors, which our callers have few of


@dataclass
class Config:
    """A bundle, and with which words it is created."""

    name: str
    edits: dict = field(default_factory=dict)
    options: list = field(default_factory=list)
    accounts: tuple = ("root",)
    notify: bool = False  # created with a NOTIFY_SOCKET, and so never with `run`


@dataclass
class Command:
    """What is done to a container, after what, and what is true of it then."""

    name: str
    words: list  # @ID, @OPTIONS
    before: tuple = ()
    status: tuple = ()  # of the container, when it ended well; "": there is none
    failed: tuple = ()  # and when it did not; empty: as before
    program: tuple = tuple(PROGRAM)
    out: str = None  # what it prints when it ends well
    says: str = ""  # and what is in that

    @property
    def group(self):
        """What its figures are added to."""
        first = self.name.split()[0]
        return first if first in ("create", "run", "start", "exec", "kill", "delete") else "others"


SLEEPING = ("create", "start")
COMMANDS = {each.name: each for each in [
    Command("create", ["create", "@OPTIONS", "@ID"], (), ("created",), ("",)),
    Command("run", ["run", "@OPTIONS", "@ID"], (), ("",), ("",), ("true",)),
    Command("run --detach", ["run", "--detach", "@OPTIONS", "@ID"], (), ("running",), ("",)),
    Command("start", ["start", "@ID"], ("create",), ("running",), ("created", "running", "stopped")),
    Command("exec", ["exec", "@ID", "echo", "hello"], SLEEPING, ("running",), ("running",), out="hello\n"),
    Command("exec --detach", ["exec", "--detach", "--pid-file", "@IO/exec", "@ID", "true"], SLEEPING, ("running",),
            ("running",)),
    Command("exec in a created one", ["exec", "@ID", "echo", "hello"], ("create",), ("created",), ("created",),
            out="hello\n"),
    Command("exec of a script", ["exec", "@ID", "sh"], SLEEPING, ("running",), ("running",)),
    Command("kill", ["kill", "@ID", "KILL"], SLEEPING, ("stopped",), ("running",)),
    Command("kill --all", ["kill", "--all", "@ID", "KILL"], SLEEPING, ("stopped",), ("running", "stopped")),
    Command("kill a created one", ["kill", "@ID", "KILL"], ("create",), ("stopped",), ("created",)),
    Command("delete a created one", ["delete", "@ID"], ("create",), ("",), ("created", "stopped", "")),
    Command("delete", ["delete", "@ID"], (*SLEEPING, "kill"), ("",), ("stopped", "")),
    Command("delete --force", ["delete", "--force", "@ID"], SLEEPING, ("",), ("running", "stopped", "")),
    Command("state", ["state", "@ID"], ("create",), ("created",), ("created",), says='"status": "created"'),
    Command("list", ["list"], ("create",), ("created",), ("created",), says=" created "),
    Command("ps", ["ps", "@ID"], SLEEPING, ("running",), ("running",)),
    Command("pause", ["pause", "@ID"], SLEEPING, ("paused",), ("running", "paused")),
    Command("resume", ["resume", "@ID"], (*SLEEPING, "pause"), ("running",), ("running", "paused")),
    Command("update", ["update", "--pids-limit", "40", "@ID"], SLEEPING, ("running",), ("running",)),
    Command("events --stats", ["events", "--stats", "@ID"], SLEEPING, ("running",), ("running",)),
]}
SIMPLE = {"create": ["create", "@OPTIONS", "@ID"], "start": ["start", "@ID"], "kill": ["kill", "@ID", "KILL"],
          "pause": ["pause", "@ID"]}


@dataclass
class Case:
    """One command that meets something."""

    config: Config
    command: Command
    what: str = ""
    env: dict = field(default_factory=dict)
    maker_env: dict = field(default_factory=dict)  # the same for the `create` before it: its stage lives on
    prefix: list = field(default_factory=list)
    nofile: int = 0
    killed: bool = False  # neither status nor error are looked at, and what is left may need a delete --force
    must_fail: bool = False
    program_may_fail: bool = False  # any status, which is the program's then
    listed: bool = False
    again: list = field(default_factory=list)  # at these calls a `delete --force` after it is killed, too
    extra: list = field(default_factory=list)  # words in place of the command's
    tty: bool = False
    leaks: bool = False
    signal: tuple = None

    @property
    def words(self):
        return self.extra or self.command.words


class Worker(harness.Worker):
    """Runs the cases of one account."""

    def enter(self):
        super().enter()
        self.root = f"{self.state}/oci"
        os.chmod(self.scratch, 0o711)  # a container's root passes through it
        self.io = f"{self.scratch}/io"
        self.bundles = {}
        self.notify = False
        self.trees = {}
        os.makedirs(self.io)
        os.chown(self.io, self.account.uid, self.account.gid)
        self.folders |= {self.root, *(f"{self.root}/{name}" for name in FOLDERS)}
        self.watched = [*self.watched, self.scratch]
        self.stem = f"of-{RUN}-{os.getpid()}-"
        self.console = self.listen("console", socket.SOCK_STREAM)
        self.manager = self.listen("manager", socket.SOCK_DGRAM)
        self.files = self._files()

    def listen(self, name, kind):
        made = socket.socket(socket.AF_UNIX, kind)
        made.bind(f"{self.io}/{name}")
        os.chmod(f"{self.io}/{name}", 0o777)
        if kind == socket.SOCK_STREAM:
            made.listen(128)
        return made

    # ---- bundles ----

    def bundle(self, config, program):
        """The directory of one; made once."""
        path = self.bundles.get((config.name, program))
        if path:
            return path
        path = f"{self.scratch}/bundle-{len(self.bundles)}"
        os.makedirs(path)
        made = engine.default(program, {"root/path": self.tree(config), "process/rlimits": LIMITS, **self.own_edits(config)})
        edits = json.loads(json.dumps(config.edits).replace("@VOLUME", self.volume()))
        engine.edit(made, {way: engine.DELETE if value == "@DELETE" else value for way, value in edits.items()})
        rootfs.write(f"{path}/config.json", json.dumps(made))
        self.bundles[(config.name, program)] = path
        self.files = self._files()
        return path

    def own_edits(self, config):
        """What an account can't have is left out: as `runc spec --rootless` has it."""
        if self.account.is_root:
            return {}
        maps = [[{"containerID": 0, "hostID": number, "size": 1}] for number in (self.account.uid, self.account.gid)]
        mounts = [mount for mount in copy.deepcopy(engine.DEFAULT["mounts"])
                  if not mount["destination"].startswith("/sys")]
        for mount in mounts:
            mount["options"] = [word for word in mount.get("options", []) if not word.startswith("gid=")]
        return {"linux/namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "user")],
                "linux/resources": engine.DELETE, "linux/uidMappings": maps[0], "linux/gidMappings": maps[1],
                "mounts": mounts}

    def first_id(self, config):
        maps = config.edits.get("linux/uidMappings")
        return maps[0]["hostID"] if maps else self.account.uid

    def tree(self, config):
        """A root file system whose files are of the container's ids."""
        first = self.first_id(config)
        if first not in self.trees:
            path = rootfs.make(f"{self.scratch}/root-{first}", dirs=("dev", "etc", "mnt", "proc", "root", "run/notify", "srv", "sys",
                                                                    "tmp", "usr", "var"))
            rootfs.write(f"{path}/srv/file", "text\n")
            for where, dirs, files in os.walk(path):
                for name in [".", *dirs, *files]:
                    os.lchown(os.path.join(where, name), first, first)
            self.trees[first] = path
        return self.trees[first]

    def volume(self):
        path = f"{self.scratch}/volume"
        if not os.path.isdir(path):
            rootfs.tree(path, {"file": "volume\n"})
            os.chmod(path, 0o777)
        return path

    # ---- one case ----

    def run(self, case):
        self.count += 1
        name = f"{self.stem}{self.count}"
        place = self.placer(case, name)
        wrong, listing = [], None
        if case.maker_env:
            listing = os.memfd_create("list")
            os.ftruncate(listing, harness.LIST_SIZE)
        for step in case.command.before:
            if step in ("create", "start", "pause"):
                env = case.maker_env if step == "create" else {}
                status, err = self.command(place(SIMPLE[step]), env, listing if env else None)
            else:
                status, err = self.command(place(SIMPLE[step]))
                self.until(name, "stopped")
            if status != 0:
                wrong.append(f"before it, {step} ended with {status}: {err}")
        argv = [*case.prefix, self.binary, *place(["--root", "@ROOT", *case.words])]
        more, status, err, out, calls, seconds = self._run(argv, case)
        wrong += more
        if listing is not None:
            calls += harness.noted(listing)
        if status is not None:
            wrong += check_error(case, status, err)
        wrong += self.check(case, name, status, out)
        wrong += self.end(case, name, status)
        faults = [line for line in calls if line.endswith(" !")]
        return Outcome(case, status, err, out, faults, calls if case.listed else [], seconds, wrong)

    def race(self, case):
        """Return: status and error of each of the commands, the container's status then, and what is wrong."""
        self.count += 1
        name = f"{self.stem}{self.count}"
        place = self.placer(case, name)
        wrong = []
        for step in case.before:
            status, err = self.command(place(SIMPLE[step]))
            if step == "kill":
                self.until(name, "stopped")
            if status != 0:
                wrong.append(f"before it, {step} ended with {status}: {err}")
        started, ended = [], []
        for words in case.together:
            if isinstance(words, tuple):
                time.sleep(words[0])
                words = words[1]
            err = os.memfd_create("err")
            started.append((self.start([self.binary, "--root", self.root, *place(words)], None, None, err), err))
        mine = [pid for pid, _ in started]
        for pid, err in started:
            begin = time.monotonic()
            status = self.await_end(pid, 3 * harness.PATIENCE, but=mine)
            if time.monotonic() - begin > SLOW:
                wrong.append(f"took {time.monotonic() - begin:.1f} s")
            ended.append((status, harness.content(err)))
            if status is None:
                wrong.append(f"hung: {', '.join(self.stuck)}")
        now = self.state_of(name)
        if now == "created":
            pid = machine.read(f"{self.io}/pid")
            again, err = self.command(["start", name])
            if again != 0 or not self.runs(name):
                wrong.append(f"afterwards {pid!r} could not be started: {err}")
        status, err = self.command(["delete", "--force", name])
        if status != 0:
            wrong.append(f"afterwards `delete --force` ended with {status}: {err}")
        return ended, now, wrong + self.left(name)

    def placer(self, case, name):
        bundle = self.bundle(case.config, case.command.program)
        texts = {"@ID": name, "@ROOT": self.root, "@BUNDLE": bundle, "@IO": self.io, "@CONSOLE": f"{self.io}/console"}
        options = ["--bundle", bundle, "--pid-file", f"{self.io}/pid"]
        if not (case.command.name == "run" and "--console-socket" in case.config.options):
            options += case.config.options

        def place(words):
            done = []
            for word in words:
                for text in options if word == "@OPTIONS" else [word]:
                    for old, new in texts.items():
                        text = text.replace(old, new)
                    done.append(text)
            return done
        self.notify = case.config.notify
        return place

    def start(self, argv, env=None, *more, **kw):
        if self.notify and "create" in argv:
            env = {"NOTIFY_SOCKET": f"{self.io}/manager", **(env or {})}
        return super().start(argv, env, *more, **kw)

    def await_end(self, pid, seconds=harness.PATIENCE, terminal=None, shown=None, but=()):
        """Reaps meanwhile, as an engine does: a pid namespace doesn't end before those that were born outside of it."""
        pidfd, end = os.pidfd_open(pid), time.monotonic() + seconds
        try:
            while not select.select([pidfd], [], [], 0.01)[0]:
                if time.monotonic() > end:
                    return super().await_end(pid, 0)
                self.reap({pid, *but})
        finally:
            os.close(pidfd)
        return super().await_end(pid, seconds)

    def command(self, words, env=None, listing=None):
        """One that meets nothing. Return: status, None after a hang; and what it said."""
        err = os.memfd_create("err")
        env = dict(env or {})
        if listing is not None:
            env["NOOK_FAULT_LIST"] = str(harness.LIST_FD)
        pid = self.start([self.binary, "--root", self.root, *words], env, None, err, listing)
        status = self.await_end(pid)
        return status, harness.content(err)

    def state_of(self, name):
        """Its status; "" when there is none, None when `state` does not answer."""
        out, err = os.memfd_create("out"), os.memfd_create("err")
        status = self.await_end(self.start([self.binary, "--root", self.root, "state", name], None, out, err))
        text, why = harness.content(out), harness.content(err)
        if status == 0:
            return json.loads(text)["status"]
        return "" if status == 1 and "does not exist" in why else None

    def until(self, name, *wanted):
        """Return: its status, when that is one of these or some time has passed."""
        end = time.monotonic() + ENDED
        while True:
            now = self.state_of(name)
            if now in wanted or time.monotonic() > end:
                return now
            self.reap()
            time.sleep(0.002)

    def reap(self, but=()):
        for child in machine.children(os.getpid()):
            if child not in but:
                os.waitpid(child, os.WNOHANG)

    def check(self, case, name, status, out):
        """Is the container what the command's end says it is?"""
        if status is None or case.killed:
            return []
        command = case.command
        wanted = command.status if status == 0 or command.name == "run" else command.failed
        now = self.until(name, *wanted)
        wrong = [] if now in wanted else [f"ended with {status}, but the container's status is {now!r}, not {' or '.join(wanted)!r}"]
        if status == 0 and command.out is not None and out != command.out:
            wrong.append(f"printed {out!r}")
        if status == 0 and command.says not in out:
            wrong.append(f"said nothing of {command.says!r}: {out!r}")
        if command.name in ("create", "run --detach") and status == 0 and not wrong:
            pid = machine.read(f"{self.io}/pid")
            if not os.path.isdir(f"/proc/{pid}"):
                wrong.append(f"the pid file says {pid!r}")
        if command.name in ("create", "run --detach") and status != 0 and os.path.exists(f"{self.io}/pid"):
            wrong.append("file left: the pid file of what failed")
        if now == "running" and not wrong and not self.runs(name):
            wrong.append("its status is 'running', but its program is not")
        if command.words[0] == "exec" and not wrong:
            wrong += self.strays()
        # It still waits, so it can still be started.
        if now == "created" and not wrong and command.name not in ("state", "list"):
            again, err = self.command(["start", name])
            if again != 0 or self.until(name, "running") != "running":
                wrong.append(f"afterwards it could not be started: {err}")
        return wrong

    def runs(self, name):
        """Has its first process become the program?"""
        pid = machine.read(f"{self.io}/pid")
        return machine.read(f"/proc/{pid}/comm") == "sleep\n"

    def strays(self):
        """Processes beside the container's first."""
        end = time.monotonic() + harness.GRACE
        while True:
            self.reap()
            found = machine.descendants(os.getpid())
            if len(found) < 2:
                return []
            if time.monotonic() > end:
                return [f"process {pid} is left: {harness.command(pid)}" for pid in found]
            time.sleep(0.002)

    def end(self, case, name, status):
        """What is left of it after one `delete --force`, or without when there is none to delete."""
        wrong = []
        made = not case.command.before
        gone = case.command.status == ("",) and status == 0 or made and status not in (0, None)
        if gone and not case.killed:
            wrong += self.left(name)
        for call in case.again:
            self.command(["delete", "--force", name], {"NOOK_FAULT_CALL": f"{call}:kill"})
        if wrong or not gone or case.killed:
            status, err = self.command(["delete", "--force", name])
            if status != 0:
                wrong.append(f"afterwards `delete --force` ended with {status}: {err}")
            wrong += self.left(name)
        return wrong

    def left(self, name):
        for each in ("pid", "exec"):
            if os.path.exists(f"{self.io}/{each}"):
                os.unlink(f"{self.io}/{each}")
        wrong = self._processes_left()
        found = self._residues(name)
        if found:
            self._clean(name)
        return wrong + found

    def _residues(self, name):
        found = super()._residues(name)
        found += [f"cgroup left: {path}" for path in self.cgroups_of(name)]
        self.empty_sockets()
        return found

    def cgroups_of(self, name):
        return [f"{where}/{each}" for where, dirs, _ in os.walk("/sys/fs/cgroup") for each in dirs if each == name]

    def empty_sockets(self):
        self.console.setblocking(False)
        self.manager.setblocking(False)
        for take in (lambda: self.console.accept()[0].close(), lambda: self.manager.recv(4096)):
            try:
                while True:
                    take()
            except BlockingIOError:
                pass

    def _clean(self, name):
        self.command(["delete", "--force", name])
        for path in self._files() - self.files:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            elif os.path.lexists(path):
                os.unlink(path)
        for path in sorted(self.cgroups_of(name), reverse=True):
            try:
                os.rmdir(path)
            except OSError:
                pass
        self.mounts = machine.read("/proc/self/mountinfo")

    def _have_peer(self, options):
        """None: each case makes its own container."""

    def close(self):
        self.console.close()
        self.manager.close()


@dataclass
class Race:
    """Commands on one container at the same time."""

    config: Config
    before: tuple
    together: list  # of words, or (seconds to wait before, words)
    program: tuple = tuple(PROGRAM)
    command: Command = None

    def __post_init__(self):
        self.command = Command("race", [], self.before, program=self.program)


class Outcome(harness.Outcome):
    def __str__(self):
        case = self.case
        env = {**case.env, **{f"create:{key}": value for key, value in case.maker_env.items()}}
        words = [f"{key}={value}" for key, value in env.items()] + case.prefix + ["nook-oci", *case.words]
        return (f"{case.config.name}, {case.command.name}, {case.what}: {'; '.join(self.wrong)}\n  $ {' '.join(words)}\n"
                f"  status {self.status}, {self.seconds:.2f} s, failed: {', '.join(self.faults)}\n  {self.err.strip()}")


def check_error(case, status, text):
    """A failure has its own status and one error; success none."""
    if case.killed:
        return []
    exec_words = case.words[0] == "exec"
    if case.program_may_fail and "level=error" not in text:
        return []
    lines = [LINE.match(line) for line in text.splitlines()]
    errors = [line for line in lines if line and line[1] == "error"]
    others = [line for line in lines if not line or line[1] not in ("error", "warning")]
    if status == 0:
        wrong = ["ended with 0"] if case.must_fail else []
        return wrong + (["ended with 0 and an error"] if errors else [])
    # What fails before the command is read is none of its failures.
    usual = (1, 255) if exec_words and "address space" in text else (255,) if exec_words else (1,)
    wrong = [] if status in usual else [f"ended with status {status}"]
    if len(errors) != 1 or others and not case.program_may_fail:
        wrong.append(f"{len(errors)} errors and {len(others)} other lines: {text!r}")
    elif len(errors[0][2]) < 12:
        wrong.append("the error says nothing")
    return wrong


def killed_by(outcome):
    return outcome.status == 128 + signal.SIGKILL
