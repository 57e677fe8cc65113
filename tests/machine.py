# SPDX-License-Identifier: Apache-2.0
"""What the tests know of the machine below them: accounts, namespaces, and what nook must not leave behind."""

import ctypes
import glob
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field

from result import RUN

KINDS = ["mnt", "uts", "ipc", "net", "pid", "user", "cgroup", "time"]
CLONE_NEWNS = 0x00020000
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# How many times longer things may take: tests/vm/suite sets it, because emulation is slow.
PATIENCE = int(os.environ.get("NOOK_TEST_PATIENCE", "1"))

libc = ctypes.CDLL(None, use_errno=True)
watcher = 0  # pid of the process that reaps our orphans


def syscall_failed(what):
    number = ctypes.get_errno()
    raise OSError(number, f"{what}: {os.strerror(number)}")


def setns(fd, kind=0):
    if libc.setns(fd, kind) != 0:
        syscall_failed("setns")


def watch_over_ourselves():
    """
    Forks: the child goes on as the tests, the parent stays as their init. Orphans of what the tests start become its
    children, so that none can hide, and their exit statuses are taken at once, as an init does: a pid namespace does
    not end before its last zombie.
    """
    global watcher
    pid = os.fork()
    if pid == 0:
        watcher = os.getppid()
        libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        return
    if libc.prctl(36, 1, 0, 0, 0) != 0:  # PR_SET_CHILD_SUBREAPER
        syscall_failed("prctl(PR_SET_CHILD_SUBREAPER)")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the tests too
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _: os.kill(pid, got))
    while True:
        ended, code = os.wait()
        if ended == pid:
            os._exit(shell_status(os.waitstatus_to_exitcode(code)))


def prepare_netns(name):
    """Leaves what the first `ip netns add` of a machine leaves, a mount that is not ours to judge by."""
    if os.getuid() == 0:
        subprocess.run(["ip", "netns", "add", name], check=True)
        subprocess.run(["ip", "netns", "del", name], check=True)


def shell_status(code):
    return 128 - code if code < 0 else code


def started_by_us():
    """Every process that the tests have started, also through others that ended."""
    return set(descendants(watcher or os.getpid())) - {os.getpid()}


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def kernel():
    """The running kernel's (major, minor)."""
    return tuple(int(number) for number in os.uname().release.split("-")[0].split(".")[:2])


def ns(kind, pid="self"):
    """A namespace's name as the kernel shows it: 'net:[4026531840]'."""
    return os.readlink(f"/proc/{pid}/ns/{kind}")


def children(pid):
    pids = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            pids += [int(word) for word in read(path).split()]
        except OSError:
            pass  # it ended meanwhile
    return pids


def child_called(pid, command):
    """The first child that has executed this; None: it has not yet."""
    for child in children(pid):
        try:
            if read(f"/proc/{child}/comm") == command + "\n":
                return child
        except OSError:
            pass  # one that only made the other
    return None


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child] + descendants(child)
    return found


def status(pid="self"):
    """/proc/PID/status as a dict."""
    return dict(line.split(":\t", 1) for line in read(f"/proc/{pid}/status").splitlines() if ":\t" in line)


def state_of(pid):
    try:
        return status(pid)["State"][0]
    except (OSError, KeyError):
        return None


def wait_until(condition, seconds=5.0, what="it"):
    """Polls until condition() is true, and returns its value. For what has no event to wait for."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.01)


@dataclass
class Account:
    """Who a command runs as, and in which view of the machine."""

    name: str
    uid: int
    gid: int
    home: str
    mount_ns: int = -1  # descriptor of the mount namespace to run in; -1: ours
    env: dict = field(default_factory=dict)

    @property
    def is_root(self):
        return self.uid == 0

    def enter(self):
        """In a forked child, before exec: become this account."""
        if self.mount_ns >= 0:
            cwd = os.getcwd()
            setns(self.mount_ns, CLONE_NEWNS)
            os.chdir(cwd)
        if os.getuid() != self.uid:
            os.setgroups([self.gid])
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)

    def environment(self, extra=None):
        env = {"PATH": PATH, "HOME": self.home, "USER": self.name, "LANG": "C.UTF-8", "TERM": "dumb", "SHELL": "/bin/sh"}
        env.update(self.env)
        env.update({name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ})
        env.update(extra or {})
        return {name: value for name, value in env.items() if value is not None}


def own_name():
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())  # an account that no file names


def has_range(account):
    """Whether /etc/subuid and /etc/subgid give the account ids."""
    return all(line_of(file, account) for file in ("/etc/subuid", "/etc/subgid"))


def line_of(file, account):
    try:
        lines = read(file).splitlines()
    except OSError:
        return False
    return any(line.split(":")[0] in (account.name, str(account.uid)) for line in lines)


class Lab:
    """
    A mount namespace in which /etc, /root, /home, /srv and /run/user are our own copies: with accounts that have and
    have not a range of ids, and with secrets whose text we know. The machine's own files stay as they are.
    """

    USER, POOR, OTHER = 61234, 61235, 61236
    RANGE = 1700000000
    CANARY = "canary-4f1c9a"

    def __init__(self, base):
        self.base = base
        etc = os.path.join(base, "etc")
        shutil.copytree("/etc", etc, symlinks=True, ignore_dangling_symlinks=True)
        for name in ("root", "home", "run-user"):
            os.makedirs(os.path.join(base, name))
        self._accounts(etc)
        self._secrets(etc)
        binds = [("etc", "/etc"), ("root", "/root"), ("home", "/home")]
        lines = [f"mount --bind {base}/{source} {target}" for source, target in binds]
        holder = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-ec", "\n".join(lines + ["echo ready", "read end"])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if holder.stdout.readline() != "ready\n":
            raise OSError(holder.communicate()[1])
        self.mount_ns = os.open(f"/proc/{holder.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        holder.communicate("end\n")  # the descriptor keeps the namespace

    def _accounts(self, etc):
        rows = [("nooktest", self.USER), ("nookpoor", self.POOR), ("nookother", self.OTHER)]
        for name, uid in rows:
            self._append(f"{etc}/passwd", f"{name}:x:{uid}:{uid}:test:/home/{name}:/bin/sh\n")
            self._append(f"{etc}/group", f"{name}:x:{uid}:\n")
            self._append(f"{etc}/shadow", f"{name}:$y$j9T${self.CANARY}:19000:0:99999:7:::\n")
            self._append(f"{etc}/gshadow", f"{name}:{self.CANARY}::\n")
            home = os.path.join(self.base, "home", name)
            os.makedirs(home, mode=0o755)
            self._write(f"{home}/secret", self.CANARY)
            runtime = os.path.join(self.base, "run-user", str(uid))
            os.makedirs(runtime, mode=0o700)
            for path in (home, f"{home}/secret", runtime):
                os.chown(path, uid, uid)
        for file in ("subuid", "subgid"):
            self._append(f"{etc}/{file}", f"nooktest:{self.RANGE}:65536\n")

    def _secrets(self, etc):
        os.chmod(f"{self.base}/root", 0o700)
        self._write(f"{self.base}/root/secret", self.CANARY)
        for path in ("ssh/ssh_host_test_key", "ssl/private/test.key", "shadow-", "gshadow-"):
            os.makedirs(os.path.dirname(f"{etc}/{path}"), exist_ok=True)
            self._write(f"{etc}/{path}", f"-----BEGIN OPENSSH PRIVATE KEY-----\n{self.CANARY}\n", 0o600)
        self._write(f"{etc}/nook-lab", "lab\n")

    @staticmethod
    def _append(path, text):
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)

    @staticmethod
    def _write(path, text, mode=0o644):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def account(self, name, uid):
        runtime = os.path.join(self.base, "run-user", str(uid))
        return Account(name, uid, uid, f"/home/{name}", self.mount_ns, {"XDG_RUNTIME_DIR": runtime})

    def root(self):
        return Account("root", 0, 0, "/root", self.mount_ns)

    def close(self):
        os.close(self.mount_ns)


# ---- what must not be left behind ----

def whose(name):
    """The run of the tests that a name of unique() is of; None: it is no such name."""
    match = re.fullmatch(r"[a-z]+-(\d+)-\d+", name)
    return match and match[1]


def is_foreign(name, state_dirs, own):
    """Whether a container is none of this run of the tests: another run's, or one that somebody else keeps alive."""
    if whose(name):
        return whose(name) != RUN
    for state in state_dirs:
        try:
            keeper = int(json.loads(read(f"{state}/containers/{name}"))["keeper"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        return keeper not in own and os.path.exists(f"/proc/{keeper}")
    return False


def is_foreign_mount(point, state_dirs):
    """
    Whether another run of the tests has mounted this: below a name of its own, or as the place of the names of its
    namespaces, which is a mount from before the first of them is made till after the last one is gone.
    """
    if any(whose(part.split(".")[0]) not in (None, RUN) for part in point.split("/")):
        return True
    state, _, folder = point.rpartition("/")
    if folder != "ns-pins" or state not in state_dirs:
        return False
    names = [os.path.basename(path) for at in ("ns", "ns-locks") for path in glob.glob(f"{state}/{at}/*")]
    return any(whose(name) not in (None, RUN) for name in names)


def snapshot(state_dirs, mount_spaces=(-1,)):
    """Everything of the machine that a container could leave behind: a dict of short text → the container's name."""
    own = started_by_us()
    found = {f"process {pid}: {_command(pid)}": "" for pid in own}
    for space in mount_spaces:
        for line in _mountinfo(space).splitlines():
            if not is_foreign_mount(line.split()[4], state_dirs):
                found[f"mount {' '.join(line.split()[2:6])}"] = ""
    for path in glob.glob("/sys/fs/cgroup/**/nook/*/", recursive=True):
        if "/nook-" not in path:  # nook-bench and the like bring their own parent
            found[f"cgroup {path}"] = os.path.basename(path[:-1])
    for state in state_dirs:
        for folder in ("containers", "new", "locks", "seccomp"):
            for path in glob.glob(f"{state}/{folder}/*"):
                found[f"state {path}"] = os.path.basename(path)
        for folder in ("ns", "ns-new", "ns-locks", "ns-pins"):
            for path in glob.glob(f"{state}/{folder}/*-{RUN}-*"):  # names of unique()
                found[f"state {path}"] = ""
        for path in glob.glob(f"{state}/ids/*"):
            try:
                found[f"id range {path}"] = os.readlink(path).removeprefix("ns:")
            except OSError:
                pass  # given back meanwhile
    return {text: name for text, name in found.items() if not name or not is_foreign(name, state_dirs, own)}


def _command(pid):
    try:
        return read(f"/proc/{pid}/cmdline").replace("\0", " ").strip() or read(f"/proc/{pid}/comm").strip()
    except OSError:
        return "?"


def _mountinfo(space):
    if space < 0:
        return read("/proc/self/mountinfo")
    result = subprocess.run(["cat", "/proc/self/mountinfo"], stdout=subprocess.PIPE, text=True, check=True,
                            preexec_fn=lambda: setns(space, CLONE_NEWNS))
    return result.stdout


def end_all(pids):
    """Only what we started: the descendants that a snapshot showed."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
