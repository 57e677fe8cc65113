# SPDX-License-Identifier: Apache-2.0
"""The program as the tests use it: started as an account, with what it printed and how it ended."""

import os
import re
import shutil
import signal
import subprocess

import machine
from machine import shell_status
from result import Result, unique


class NookResult(Result):
    def failed(self, status=125, *words):
        """It ended with this status and one clear error in which all words stand."""
        assert self.err.startswith("nook: "), f"{self}"
        return super().failed(status, *words)


class Background:
    """A container that runs while a test looks at it. Its command says a line when it is ready."""

    def __init__(self, nook, argv, **popen):
        self.nook = nook
        self.name = argv[argv.index("--name") + 1] if "--name" in argv else None
        self.process = nook.popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            self.process.wait(5 * machine.PATIENCE)
            raise AssertionError(f"ended early, status {self.process.returncode}: {self.process.stderr.read()}")
        return text.rstrip("\n")

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    @property
    def pid(self):
        """The container's pid 1 as the host sees it."""
        relay = machine.child_called(self.process.pid, "nook-relay")  # of [::1], beside it
        pids = [pid for pid in machine.children(self.process.pid) if pid != relay]
        assert len(pids) == 1, f"children of nook: {pids}"
        return pids[0]

    def inside(self):
        """Every process inside, as the host sees them."""
        return machine.descendants(self.process.pid)

    def wait(self, seconds=10):
        """Ends as a shell would show it."""
        return shell_status(self.process.wait(seconds * machine.PATIENCE))

    def stop(self):
        """Ends it by its pid 1: a signal to nook would be passed on, and a pid 1 ignores what it has no handler for."""
        if self.process.poll() is None:
            signal_all(machine.children(self.process.pid))
            try:
                self.process.wait(10 * machine.PATIENCE)  # under a limit of CPU time, an end takes its time
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5 * machine.PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def without_asan_notes(err):
    """A sanitized nook exec notes on stderr that it doesn't know the stack of a process made by clone: no finding."""
    return re.sub(r"==\d+==WARNING: ASan is ignoring requested __asan_handle_no_return.*\n"
                  r"False positive error reports may follow\nFor details see \S+\n", "", err)


class Nook:
    """nook for one account."""

    def __init__(self, binary, account, base):
        self.binary = binary
        self.account = account
        self.base = base
        self.prefix = []  # words before the program, such as systemd-run and its options
        self.scratches = []

    @property
    def is_root(self):
        return self.account.is_root

    @property
    def state_dir(self):
        return "/run/nook" if self.is_root else os.path.join(self.account.env["XDG_RUNTIME_DIR"], "nook")

    def popen(self, argv, env=None, cwd="/", **kw):
        return subprocess.Popen([*self.prefix, self.binary, *argv], env=self.account.environment(env), cwd=cwd, text=True,
                                preexec_fn=self.account.enter, **kw)

    def cmd(self, *argv, input=None, timeout=20, env=None, cwd="/"):
        """nook ARGV…; the command line without `run`."""
        argv = [str(word) for word in argv]
        stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
        with self.popen(argv, env, cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                out, err = process.communicate(input, timeout * machine.PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                raise AssertionError(f"nook {' '.join(argv)}: no end after {timeout * machine.PATIENCE} s\n{out}\n{err}") from None
        return NookResult(["nook", *argv], shell_status(process.returncode), out, without_asan_notes(err))

    def run(self, *argv, **kw):
        return self.cmd("run", *argv, **kw)

    def sh(self, script, *options, **kw):
        """Runs a shell script inside."""
        return self.run(*options, "--", "sh", "-c", script, **kw)

    def background(self, script="echo ready; exec sleep 1000", *options, **popen):
        """Starts a container with a name whose script prints a line when it is ready, and waits for that line."""
        options = [str(word) for word in options]
        if "--name" not in options:
            options += ["--name", unique()]
        container = Background(self, ["run", *options, "--", "sh", "-c", script], **popen)
        try:
            container.first = container.line()
        except BaseException:
            container.stop()
            raise
        return container

    def outside(self, *argv, check=True, **kw):
        """A command of the machine, not in a container, as the same account."""
        result = subprocess.run([str(word) for word in argv], env=self.account.environment(), cwd="/", text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20 * machine.PATIENCE,
                                preexec_fn=self.account.enter, check=False, **kw)
        answer = NookResult(list(map(str, argv)), shell_status(result.returncode), result.stdout, result.stderr)
        if check:
            answer.ok()
        return answer

    def own(self, path):
        """Gives a file or a directory that the test made, with what is in it, to this account."""
        if os.getuid() != 0:
            return path
        for where, dirs, files in os.walk(path):
            for name in dirs + files:
                os.lchown(os.path.join(where, name), self.account.uid, self.account.gid)
        os.lchown(path, self.account.uid, self.account.gid)
        return path

    def scratch(self, name="dir"):
        """A new, empty directory of this account's that it can reach."""
        path = os.path.join(self.base, unique(name))
        os.mkdir(path)
        os.chmod(path, 0o755)
        self.scratches.append(path)
        return self.own(path)

    def clean(self):
        for path in self.scratches:
            shutil.rmtree(path, ignore_errors=True)
        self.scratches.clear()


def signal_all(pids, number=signal.SIGKILL):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
