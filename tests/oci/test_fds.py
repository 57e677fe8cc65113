# SPDX-License-Identifier: Apache-2.0
"""Descriptors: what an engine leaks is closed, what it passes arrives."""

import os
import signal
import tempfile

import pytest

import machine
from oci import READY

LIST = ["sh", "-c", "exec ls /proc/self/fd"]




@pytest.fixture
def files():
    made = [tempfile.TemporaryFile() for _ in range(20)]
    for number, file in enumerate(made):
        file.write(f"file {number}\n".encode())
        file.flush()
        file.seek(0)
    yield [file.fileno() for file in made]
    for file in made:
        file.close()


def numbers(result):
    return [int(word) for word in result.ok().split()]


def test_stdio_and_nothing_else(oci, bundle):
    assert numbers(oci.run(bundle(LIST))) == [0, 1, 2, 3]  # 3 is ls's own


@pytest.mark.parametrize("count", [1, 3, 17])
def test_what_the_caller_leaks_is_closed(oci, bundle, files, count):
    """Buildah leaks 3 to 17 and waits for their end."""
    assert numbers(oci.run(bundle(LIST), fds=files[:count])) == [0, 1, 2, 3]


def test_create_and_start_leak_nothing(oci, bundle, files):
    c = oci.container(bundle(["ls", "/proc/self/fd"]))
    c.create(fds=files[:5]).ok()
    c.start(fds=files[:7]).ok()
    assert c.wait() == 0
    assert c.out().split() == ["0", "1", "2", "3"]


def test_a_created_one_holds_nothing_of_the_callers(oci, bundle):
    """A pipe's reader sees its end while the container waits for its start."""
    reader, writer = os.pipe()
    c = oci.container(bundle(READY))
    c.create(fds=[writer]).ok()
    os.close(writer)
    os.set_blocking(reader, False)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_exec_leaks_nothing(oci, bundle, files):
    c = oci.running(bundle(READY))
    assert numbers(c.exec("ls", "/proc/self/fd", fds=files[:9])) == [0, 1, 2, 3]


def test_a_detached_one_holds_nothing_of_the_callers(oci, bundle):
    reader, writer = os.pipe()
    c = oci.container(bundle(READY))
    assert c.run("--detach", fds=[writer]).status == 0
    os.close(writer)
    os.set_blocking(reader, False)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_preserve_fds(oci, bundle, files):
    c = oci.container(bundle("cat <&3; cat <&4; ls /proc/self/fd"))
    result = c.run("--preserve-fds", "2", fds=files[:5])
    said = result.ok().split("\n")
    assert said[:2] == ["file 0", "file 1"]
    assert said[2:] == ["0", "1", "2", "3", "4", "5"]


def test_preserve_fds_of_create(oci, bundle, files):
    c = oci.container(bundle("cat <&3; ls /proc/self/fd"))
    c.create("--preserve-fds", "1", fds=files[:3]).ok()
    c.start().ok()
    assert c.wait() == 0
    assert c.out().split("\n")[:-1] == ["file 0", "0", "1", "2", "3", "4"]


def test_preserve_fds_of_exec(oci, bundle, files):
    c = oci.running(bundle(READY))
    said = c.exec("--preserve-fds", "1", "--", "sh", "-c", "cat <&3; ls /proc/self/fd", fds=files[:3]).ok()
    assert said.split() == ["file", "0", "0", "1", "2", "3", "4"]


def test_preserve_fds_of_what_is_not_open(oci, bundle):
    c = oci.container(bundle("true"))
    result = c.run("--preserve-fds", "3")
    if oci.name != "crun":
        result.failed(1)
    assert not oci.traces()


@pytest.mark.parametrize("word", ["-1", "x", "1x", "99999999999", ""])
def test_preserve_fds_that_is_no_number(oci, bundle, word):
    c = oci.container(bundle("true"))
    result = c.run(f"--preserve-fds={word}")
    if oci.is_ours:
        result.failed(1)
    assert not oci.traces()


@pytest.fixture
def activated(oci):
    """A function: `run` as systemd starts a service that has sockets."""
    def run(c, count, *options, fds=(), **env):
        c.touched = True
        c.bundle.write()
        script = 'LISTEN_PID=$$ LISTEN_FDS=$1; export LISTEN_PID LISTEN_FDS; shift; exec "$@"'
        argv = ["sh", "-c", script, "sh", count, oci.binary, "--root", oci.root, "run", "--bundle", c.bundle.path, *options,
                c.id]
        return oci.start(argv, fds=fds, env=env).result()
    return run


def test_listen_fds(oci, bundle, files, activated):
    c = oci.container(bundle("echo $LISTEN_FDS $LISTEN_PID; cat <&3; cat <&4; ls /proc/self/fd"))
    said = activated(c, 2, fds=files[:3]).ok().split("\n")
    assert said[0] == "2 1"
    assert said[1:3] == ["file 0", "file 1"]
    assert said[3:] == ["0", "1", "2", "3", "4", "5"]


def test_listen_fds_with_preserve_fds(oci, bundle, files, activated):
    c = oci.container(bundle("echo $LISTEN_FDS; ls /proc/self/fd"))
    said = activated(c, 2, "--preserve-fds", "1", fds=files[:5]).ok().split()
    assert said == ["2", "0", "1", "2", "3", "4", "5", "6"]


def test_listen_fds_of_another_process(oci, bundle, files):
    """The variables of a service's that went down to us are not ours."""
    c = oci.container(bundle("echo $LISTEN_FDS.; ls /proc/self/fd"))
    said = c.run(fds=files[:3], env={"LISTEN_FDS": "2", "LISTEN_PID": "1"}).ok().split()
    assert said == [".", "0", "1", "2", "3"]


def test_without_listen_fds_the_variables_are_not_there(oci, bundle):
    said = oci.run(bundle(["env"])).lines()
    assert not [line for line in said if line.startswith("LISTEN_")]


@pytest.mark.parametrize("text", ["0", "-1", "x", "", "99999999999999999999"])
def test_listen_fds_that_is_no_number(oci, bundle, text):
    result = oci.run(bundle(["ls", "/proc/self/fd"]), env={"LISTEN_FDS": text})
    if oci.is_ours and result.status != 0:
        result.failed(1)
    elif oci.is_ours:
        assert numbers(result) == [0, 1, 2, 3]


def test_few_descriptors_allowed(oci, bundle):
    """A runtime that may open few either works or fails and leaves nothing."""
    for limit in (5, 6, 8, 10, 12, 16, 20, 30, 40):
        c = oci.container(bundle("echo fine", {"process/rlimits": []}))
        c.touched = True
        c.bundle.write()
        argv = ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", oci.binary, "--root", oci.root, "run", "--bundle",
                c.bundle.path, c.id]
        result = oci.start(argv).result()
        if oci.is_ours:
            assert result.status == 0 and result.out == "fine\n" or result.status == 1 and result.err, f"{limit}: {result}"
        assert oci.cmd("delete", "--force", c.id).status == 0
        machine.wait_until(lambda: not oci.traces(), what=f"the end of {oci.traces()}")


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]])
def test_stdio_that_is_closed(oci, bundle, closed):
    """No descriptor of the runtime's becomes the program's stdio."""
    b = bundle("ls -l /proc/self/fd > /tmp/seen", {"root/readonly": False})
    c = oci.container(b)
    c.touched = True
    b.write()
    script = " ".join(f"{fd}<&-" for fd in closed)
    result = oci.start(["sh", "-c", f'exec "$@" {script}', "sh", oci.binary, "--root", oci.root, "run", "--bundle", b.path,
                        c.id]).result()
    if oci.is_ours and result.status == 0:
        for line in b.read("/tmp/seen").splitlines():
            assert oci.root not in line and b.path not in line, line


def test_stdio_of_a_pipe_belongs_to_the_user(oci, bundle):
    """So that a program of another user can open /dev/stdout."""
    reader, writer = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    owner = os.stat(os.devnull).st_uid
    c = oci.container(bundle("echo through > /dev/stdout", {"process/user": {"uid": 1000, "gid": 1000}}))
    c.touched = True
    c.bundle.write()
    running = oci.popen("run", "--bundle", c.bundle.path, c.id, stdio=[null, writer, null])
    status = running.wait()
    os.close(writer)
    said = os.read(reader, 100)
    for fd in (reader, null):
        os.close(fd)
    assert os.stat(os.devnull).st_uid == owner, "/dev/null is nobody's"
    if oci.name != "crun":
        assert (status, said) == (0, b"through\n")


def test_a_full_pipe_of_output_ends_with_the_reader(oci, bundle):
    reader, writer = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    c = oci.container(bundle("yes"))
    c.touched = True
    c.bundle.write()
    running = oci.popen("run", "--bundle", c.bundle.path, c.id, stdio=[null, writer, null])
    os.close(writer)
    os.read(reader, 10)
    os.close(reader)
    status = running.wait()
    os.close(null)
    assert status not in (0, None)
    assert status in (1, 128 + signal.SIGPIPE)
