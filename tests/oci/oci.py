# SPDX-License-Identifier: Apache-2.0
"""
An OCI runtime as its engines use it. The fixture `oci` is a Runtime, `bundle` makes bundles:

    def test_x(oci, bundle):
        assert oci.run(bundle("id -u", {"process/user": {"uid": 5, "gid": 5}})).ok() == "5"

        c = oci.container(bundle("echo ready; exec sleep 1000"))
        c.create().ok()
        assert c.state()["status"] == "created"
        c.start().ok()

        c = oci.running(bundle("echo ready; exec sleep 1000"))
        assert c.exec("echo", "hello").ok() == "hello"

OCI_RUNTIME names another runtime than build/nook-oci, such as /usr/sbin/runc: what a test expects is first proved
with these.
"""

import array
import copy
import glob
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import machine
import rootfs
from result import Result, unique

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = "nook-oci"
READY = "echo ready; exec sleep 1000"  # a program for running()
DELETE = object()  # as an edit: the member is taken away


def runtime_path():
    return os.environ.get("OCI_RUNTIME") or os.path.join(REPOSITORY, "build/nook-oci")


def runtime_name():
    """nook-oci, runc or crun; what a test may ask to know which habits to expect."""
    return os.path.basename(runtime_path())


# ---- config.json ----

CAPS = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

DEFAULT = {  # what `runc spec` writes, without the terminal
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["sh"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": {name: CAPS for name in ("bounding", "effective", "permitted", "ambient")},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": True},
    "hostname": "runc",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
         "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]},
    ],
    "linux": {
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
        "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}


def words(program):
    """A shell script as a text, or the words of a command."""
    return ["sh", "-c", program] if isinstance(program, str) else [str(word) for word in program]


def edit(config, edits):
    """
    Changes members by their path: {"linux/sysctl": {…}, "process/user/uid": 5, "mounts/0/type": DELETE}. Missing
    objects on the way are made; a number is an index into a list, "-" is past its end.
    """
    for path, value in (edits or {}).items():
        *way, last = path.strip("/").split("/")
        here = config
        for name in way:
            here = here[int(name)] if isinstance(here, list) else here.setdefault(name, {})
        if isinstance(here, list):
            if last == "-":
                here.append(value)
            elif value is DELETE:
                del here[int(last)]
            else:
                here[int(last)] = value
        elif value is DELETE:
            here.pop(last, None)
        else:
            here[last] = value
    return config


def default(program="true", edits=None):
    config = copy.deepcopy(DEFAULT)
    config["process"]["args"] = words(program)
    return edit(config, edits)


def process(program, edits=None):
    """A process object, as exec --process takes it."""
    return edit(default(program)["process"], edits)


class Bundle:
    """A directory with config.json and rootfs. Change .config, then write(); `oci` writes it before each use."""

    def __init__(self, path, config):
        self.path = path
        self.config = config
        self.text = None  # written instead of .config: for what is no JSON
        os.mkdir(path, 0o755)
        rootfs.make(self.rootfs, dirs=("dev", "etc", "home", "mnt", "proc", "root", "run", "sys", "tmp", "usr", "var"))

    @property
    def rootfs(self):
        return os.path.join(self.path, "rootfs")

    def edit(self, edits):
        edit(self.config, edits)
        return self

    def file(self, name, text="", mode=0o644):
        """Writes a file into the root file system; return: its path outside."""
        return rootfs.write(os.path.join(self.rootfs, name.lstrip("/")), text, mode)

    def read(self, name):
        return machine.read(os.path.join(self.rootfs, name.lstrip("/")))

    def write(self):
        with open(os.path.join(self.path, "config.json"), "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(json.dumps(self.config) if self.text is None else self.text)
        return self


# ---- processes ----

class Keeper:
    """Our side of keeper.py."""

    def __init__(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel = ours
        self.lock = threading.Lock()
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keeper.py")
        # crun refuses a machine with cgroup v1 and v2 when v2 has a controller
        hidden = ["/sys/fs/cgroup/unified"] if runtime_name() == "crun" else []
        self.process = subprocess.Popen([sys.executable, "-B", path, str(theirs.fileno()), *hidden],
                                        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()

    @property
    def pid(self):
        return self.process.pid

    def ask(self, request, fds=()):
        with self.lock:
            self.channel.sendmsg([json.dumps(request).encode()],
                                 [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
            return json.loads(self.channel.recv(1 << 16))

    def close(self):
        self.channel.close()
        self.process.wait(10 * machine.PATIENCE)


def readable(fd, seconds):
    """Not by select(): numbers past 1023 are too large for that."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Process:
    """One that the keeper started, or the orphan of such a one."""

    def __init__(self, keeper, pid, argv=(), out=None, err=None):
        self.keeper, self.pid, self.argv, self.status = keeper, pid, list(argv), None
        self.out_file, self.err_file = out, err

    def wait(self, seconds=20):
        """How it ended, as a shell would show it."""
        if self.status is None:
            try:
                fd = os.pidfd_open(self.pid)
            except ProcessLookupError:
                fd = -1
            if fd >= 0:
                try:
                    if not readable(fd, seconds * machine.PATIENCE):
                        raise AssertionError(f"no end after {seconds} s: {' '.join(self.argv) or self.pid}\n"
                                             f"{self.out()}\n{self.err()}")
                finally:
                    os.close(fd)
            code = self.keeper.ask({"status": self.pid})
            assert code is not None, f"process {self.pid} is none of the keeper's"
            self.status = machine.shell_status(code)
        return self.status

    @property
    def running(self):
        return self.status is None and machine.state_of(self.pid) not in (None, "Z", "X")

    def signal(self, number):
        """No error when it has ended."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def out(self):
        return _text(self.out_file)

    def err(self):
        return _text(self.err_file)

    def result(self, seconds=20):
        try:
            status = self.wait(seconds)
        except AssertionError:
            self.signal(signal.SIGKILL)
            raise
        return Result(self.argv, status, self.out(), self.err())


def _text(file):
    if file is None:
        return ""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, 0).decode(errors="surrogateescape")


def _input(data):
    if data is None:
        return open(os.devnull, "rb")
    file = tempfile.TemporaryFile()
    file.write(data.encode() if isinstance(data, str) else data)
    file.seek(0)
    return file


# ---- the runtime ----

class Runtime:
    """The runtime with a state directory of its own, for one account."""

    def __init__(self, binary, keeper, base, account=None):
        self.binary, self.keeper, self.base = binary, keeper, base
        self.account = account or machine.Account("root", 0, 0, "/root")
        self.root = tempfile.mkdtemp(prefix="state-", dir=base)
        self.prefix = []  # words before the runtime, such as unshare and its options
        self.flags = []   # global options for every command
        self.containers = []
        self.files = []  # stdio of what was started
        self.made = [self.root]

    @property
    def name(self):
        return os.path.basename(self.binary)

    @property
    def is_ours(self):
        return self.name == OURS

    def popen(self, *argv, input=None, env=None, cwd="/", fds=(), stdio=None, session=False, root=True):
        """
        Starts the runtime. @stdio: three descriptors instead of a file or /dev/null, and two files that out() and err()
        read. @fds become 3, 4, …; root=False: without --root.
        """
        argv = [*self.prefix, self.binary, *(["--root", self.root] if root else []), *self.flags, *map(str, argv)]
        return self.start(argv, input=input, env=env, cwd=cwd, fds=fds, stdio=stdio, session=session)

    def start(self, argv, input=None, env=None, cwd="/", fds=(), stdio=None, session=False):
        """The same for any command, which begins with an absolute path or a name in PATH."""
        argv = [shutil.which(argv[0], path=machine.PATH) or argv[0], *map(str, argv[1:])]
        files = []
        if stdio is None:
            files = [_input(input), tempfile.TemporaryFile(), tempfile.TemporaryFile()]
            self.files += files[1:]
            stdio = [file.fileno() for file in files]
        request = {"argv": argv, "env": self.account.environment(env), "cwd": str(cwd), "session": session}
        passed = [*stdio, *fds]
        if not self.account.is_root:
            request.update(uid=self.account.uid, gid=self.account.gid)
        if self.account.mount_ns >= 0:
            request["mount_ns"] = True
            passed.append(self.account.mount_ns)
        pid = self.keeper.ask(request, passed)
        if files:
            files[0].close()
        return Process(self.keeper, pid, argv, *files[1:])

    def cmd(self, *argv, timeout=20, **kw):
        """One command of the runtime, to its end."""
        return self._result(self.popen(*argv, **kw), timeout)

    def _result(self, process, timeout):
        """Its files are closed: a test may start hundreds, and systemd's services have 1024 descriptors."""
        result = process.result(timeout)
        for file in (process.out_file, process.err_file):
            if file:
                self.files.remove(file)
                file.close()
        return result

    def container(self, bundle, name=None):
        made = Container(self, bundle, name or unique("o"))
        self.containers.append(made)
        return made

    def run(self, bundle, *options, timeout=20, **kw):
        """`run` in the foreground."""
        return self._result(self.container(bundle).run_later(*options, **kw), timeout)

    def running(self, bundle, *options, **kw):
        """create, start, and wait till its program has printed "ready"."""
        made = self.container(bundle)
        made.create(*options, **kw).ok()
        made.start().ok()
        made.until_said("ready")
        return made

    def own(self, path):
        """Gives a file or a tree that the test made to the account."""
        for where, dirs, files in os.walk(path):
            for name in dirs + files:
                os.lchown(os.path.join(where, name), self.account.uid, self.account.gid)
        os.lchown(path, self.account.uid, self.account.gid)
        return path

    def scratch(self, stem="dir"):
        """A new, empty directory."""
        path = os.path.join(self.base, unique(stem))
        os.mkdir(path, 0o755)
        self.made.append(path)
        return path

    def traces(self):
        """Everything that is left of our containers' ids: state, cgroups; and processes below the keeper."""
        found = [f"process {pid}: {machine.read(f'/proc/{pid}/cmdline').replace(chr(0), ' ')}"
                 for pid in machine.descendants(self.keeper.pid) if machine.state_of(pid) not in (None, "Z")]
        names = "|".join(re.escape(each.id) for each in self.containers)
        if names:
            pattern = re.compile(rf"(^|[^A-Za-z0-9-])({names})($|[^0-9])")
            for top in (self.root, "/sys/fs/cgroup"):
                for where, dirs, files in os.walk(top):
                    files = files if top == self.root else []
                    found += [f"left {where}/{each}" for each in dirs + files if pattern.search(each)]
        return found

    def until_clear(self):
        """Nothing of our containers is left; what ends in the background gets a moment."""
        machine.wait_until(lambda: not self.traces(), 3, f"the end of {self.traces()}")

    def clean(self):
        """Ends and deletes what the test left, as an engine would."""
        for each in self.containers:
            if each.touched:
                self.cmd("delete", "--force", each.id)
        for file in self.files:
            file.close()
        for path in self.made:
            shutil.rmtree(path, ignore_errors=True)


class Container:
    """One container's id, bundle and stdio."""

    def __init__(self, oci, bundle, name):
        self.oci, self.bundle, self.id = oci, bundle, name
        self.init = None  # its first process, once there was a pid file
        self.stdout = self.stderr = None
        self.touched = False
        self.pid_file = os.path.join(oci.base, f"{name}.pid")

    # -- commands --

    def create(self, *options, wait=True, **kw):
        """
        `create` with --bundle and --pid-file. Its stdout and stderr stay the container's: see out(). With wait=False
        returns a Process.
        """
        self.touched = True
        self.bundle.write()
        process = self.oci.popen("create", "--bundle", self.bundle.path, "--pid-file", self.pid_file, *options, self.id, **kw)
        self.stdout, self.stderr = process.out_file, process.err_file
        if not wait:
            return process
        result = process.result()
        if result.status == 0:
            self.init = Process(self.oci.keeper, int(machine.read(self.pid_file)))
        return result

    def run(self, *options, timeout=20, **kw):
        return self.run_later(*options, **kw).result(timeout)

    def run_later(self, *options, **kw):
        self.touched = True
        self.bundle.write()
        process = self.oci.popen("run", "--bundle", self.bundle.path, *options, self.id, **kw)
        self.stdout, self.stderr = process.out_file, process.err_file
        return process

    def start(self, **kw):
        return self.oci.cmd("start", self.id, **kw)

    def state(self):
        return self.oci.cmd("state", self.id).json()

    @property
    def status(self):
        return self.state()["status"]

    def kill(self, *words, **kw):
        return self.oci.cmd("kill", *self._options(words), self.id, *self._operands(words), **kw)

    def delete(self, *options, **kw):
        return self.oci.cmd("delete", *options, self.id, **kw)

    def exec(self, *words, timeout=20, **kw):
        """exec([options, beginning with "-"], command…): c.exec("--user", "5", "--", "id") has "--" after the options."""
        words = list(map(str, words))
        cut = words.index("--") if "--" in words else 0
        options, command = words[:cut], words[cut + 1:] if "--" in words else words
        return self.oci.cmd("exec", *options, self.id, *command, timeout=timeout, **kw)

    def exec_process(self, process, *options, timeout=20, **kw):
        """exec --process with this process object."""
        path = os.path.join(self.oci.base, unique("process"))
        rootfs.write(path, json.dumps(process) if not isinstance(process, str) else process)
        try:
            return self.oci.cmd("exec", "--process", path, *options, self.id, timeout=timeout, **kw)
        finally:
            os.unlink(path)

    def cmd(self, command, *words, **kw):
        """A command whose last word is the id."""
        return self.oci.cmd(command, *words, self.id, **kw)

    # -- what became of it --

    @property
    def pid(self):
        return self.init.pid

    def out(self):
        return _text(self.stdout)

    def err(self):
        return _text(self.stderr)

    def until_said(self, text, seconds=10):
        """Waits till the container's program has printed this, and returns all it printed."""
        def said():
            if text in self.out():
                return True
            assert self.init is None or self.init.running, f"it ended: {self.out()}\n{self.err()}"
            return False
        machine.wait_until(said, seconds, f"{text!r} in the output")
        return self.out()

    def wait(self, seconds=20):
        """How its first process ended."""
        return self.init.wait(seconds)

    def until(self, status, seconds=10):
        machine.wait_until(lambda: self.status == status, seconds, f"status {status}")

    def read(self, path):
        """A file as the container sees it, for containers that run."""
        return machine.read(f"/proc/{self.pid}/root/{path.lstrip('/')}")

    def proc(self, name):
        return machine.read(f"/proc/{self.pid}/{name}")

    def cgroup(self, controller=""):
        """The directory of its cgroup in the hierarchy of a controller, "" for cgroup2's; None: there is none."""
        return cgroup_of(self.pid, controller)

    @staticmethod
    def _options(words):
        return [word for word in words if str(word).startswith("--")]

    @staticmethod
    def _operands(words):
        return [word for word in words if not str(word).startswith("--")]


def said(oci, bundle, program, edits=None, **kw):
    """What a program that ends well prints. bundle: the fixture."""
    return oci.run(bundle(program, edits), **kw).ok()


def caps_in(text):
    return {line.split(":")[0]: int(line.split()[1], 16) for line in text.splitlines() if line.startswith("Cap")}


def cgroup_of(pid, controller=""):
    mounts = [line.split(" - ") for line in machine.read("/proc/self/mountinfo").splitlines()]
    for line in machine.read(f"/proc/{pid}/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if controller not in names.split(","):
            continue
        for left, right in mounts:
            kind, _, options = right.split(" ", 2)
            if kind == ("cgroup" if controller else "cgroup2") and (not controller or controller in options.split(",")):
                return os.path.normpath(left.split()[4] + path)
    return None


# ---- logs and consoles ----

def log_lines(path):
    """The JSON lines of --log, each with level, msg and time."""
    lines = [json.loads(line) for line in machine.read(path).splitlines()]
    for line in lines:
        assert {"level", "msg", "time"} <= set(line), line
    return lines


def last_error(path):
    """What containerd shows: the last line of level error."""
    errors = [line["msg"] for line in log_lines(path) if line["level"] == "error"]
    assert errors, f"no error in the log: {machine.read(path)}"
    return errors[-1]


class Console:
    """A terminal's master that we got."""

    def __init__(self, fd, name=""):
        self.fd, self.name, self.seen = fd, name, ""

    def until(self, text, seconds=10):
        """Reads till this text was seen and returns all up to its end since the last until()."""
        end = time.monotonic() + seconds * machine.PATIENCE
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not readable(self.fd, left):
                raise AssertionError(f"no {text!r} from the terminal: {self.seen!r}")
            try:
                data = os.read(self.fd, 4096)
            except OSError:  # EIO: nobody has the other side any more
                data = b""
            if not data:
                raise AssertionError(f"the terminal ended without {text!r}: {self.seen!r}")
            self.seen += data.decode(errors="replace")
        end = self.seen.index(text) + len(text)
        got, self.seen = self.seen[:end], self.seen[end:]
        return got

    def say(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class FdSocket:
    """The listening side of --console-socket, --pidfd-socket and the like: receives one descriptor a connection."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(path)
        self.socket.listen(8)

    def receive(self, seconds=10):
        """Return: the descriptor, and the text beside it."""
        self.socket.settimeout(seconds * machine.PATIENCE)
        connection, _ = self.socket.accept()
        with connection:
            connection.settimeout(seconds * machine.PATIENCE)
            data, rights, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4 * 8))
        fds = array.array("i")
        for _, _, more in rights:
            fds.frombytes(more)
        assert len(fds) == 1, f"{len(fds)} descriptors came"
        return fds[0], data.decode(errors="replace")

    def console(self, seconds=10):
        return Console(*self.receive(seconds))

    def close(self):
        self.socket.close()
        if os.path.exists(self.path):
            os.unlink(self.path)


def state_files(root, name):
    """Files of a container in a runtime's state directory."""
    return sorted(glob.glob(f"{root}/**/{name}*", recursive=True))
