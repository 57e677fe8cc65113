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

import glob
import json
import os
import re
import shutil
import tempfile

import machine
import rootfs
# The tests have all of it from here.
from consoles import Console, FdSocket
from ocibundle import CAPS, DEFAULT, DELETE, Bundle, default, edit, process, words
from ociprocess import OURS, REPOSITORY, Keeper, Process, open_input, runtime_name, runtime_path, text_of
from result import unique

READY = "echo ready; exec sleep 1000"  # a program for running()


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
            files = [open_input(input), tempfile.TemporaryFile(), tempfile.TemporaryFile()]
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

    def created(self, bundle, *options, **kw):
        """A container that waits for its start."""
        made = self.container(bundle)
        made.create(*options, **kw).ok()
        return made

    def running(self, bundle, *options, **kw):
        """create, start, and wait till its program has printed "ready"."""
        made = self.created(bundle, *options, **kw)
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
        return text_of(self.stdout)

    def err(self):
        return text_of(self.stderr)

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

    def until_stopped(self):
        """Waits for the end of its first process, and until `state` knows; how that ended."""
        ended = self.wait()
        self.until("stopped")
        return ended

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


def state_files(root, name):
    """Files of a container in a runtime's state directory."""
    return sorted(glob.glob(f"{root}/**/{name}*", recursive=True))
