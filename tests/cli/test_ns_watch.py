# SPDX-License-Identifier: Apache-2.0
"""nook ns watch: a line when a namespace is born or gone."""

import json
import subprocess
import time

import machine
import pytest


class Watch:
    """nook ns watch while a test makes namespaces."""

    def __init__(self, nook, *words):
        self.process = nook.popen(["ns", "watch", "--json", "--for", "30", *words], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        self.begin = json.loads(self.process.stdout.readline())

    def until(self, event, inode):
        for line in self.process.stdout:
            row = json.loads(line)
            assert row["version"] == 1
            if row["event"] == event and row["namespace"]["inode"] == inode:
                return row
        raise AssertionError(f"no {event} {inode}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def inode(kind, pid):
    return int(machine.ns(kind, pid).split("[")[1].rstrip("]"))


def test_a_container_is_born_and_gone(nook):
    with Watch(nook, "--interval", "0.1") as watch:
        assert watch.begin["event"] == "begin" and watch.begin["namespaces"] >= 8
        with nook.background("echo ready; exec sleep 1000", "--no-init") as one:
            pid, net = one.pid, inode("net", one.pid)
            row = watch.until("born", net)
            assert row["namespace"]["kind"] == "net" and row["namespace"]["first"]["pid"] == pid
            assert row["time"].endswith("Z")
        gone = watch.until("gone", net)
        assert gone["namespace"]["first"]["pid"] == pid


def test_the_kernel_makes_root_look_at_once(root_nook):
    """The interval is an hour: what is seen is seen by the kernel's messages."""
    with Watch(root_nook, "--interval", "3600", "--kind", "uts") as watch:
        if not watch.begin["process_events"]:
            pytest.skip("the kernel does not tell of processes here")
        began = time.monotonic()
        process = subprocess.Popen(["unshare", "-u", "sh", "-c", "echo ready; exec sleep 1000"], stdout=subprocess.PIPE,
                                   text=True)
        try:
            assert process.stdout.readline() == "ready\n"
            row = watch.until("born", inode("uts", process.pid))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        assert row["namespace"]["kind"] == "uts" and time.monotonic() - began < 20
        watch.until("gone", row["namespace"]["inode"])


def test_an_ordinary_user_is_told_that_it_polls(user_nook):
    with Watch(user_nook, "--interval", "0.1") as watch:
        with user_nook.background() as one:
            assert watch.until("born", inode("uts", one.pid))


def test_only_the_kind_that_was_asked_for_and_count(root_nook):
    with Watch(root_nook, "--kind", "ipc", "--count", "1", "--interval", "0.1") as watch:
        with root_nook.background():
            rows = [json.loads(line) for line in watch.process.stdout]
            assert watch.process.wait(10) == 0
    assert [row["event"] in ("born", "gone") for row in rows] == [True]
    assert {row["namespace"]["kind"] for row in rows} == {"ipc"}


def test_it_ends_after_its_time(nook):
    began = time.monotonic()
    result = nook.cmd("ns", "watch", "--for", "0.5", "--interval", "0.2")
    assert result.status == 0 and 0.4 < time.monotonic() - began < 10
    assert "namespaces are there" in result.err


def test_a_line_for_people(root_nook):
    process = root_nook.popen(["ns", "watch", "--kind", "uts", "--interval", "0.1", "--for", "30"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert "namespaces are there" in process.stderr.readline()
    with root_nook.background("echo ready; exec sleep 1000", "--no-init") as one:
        number = inode("uts", one.pid)
        line = next(line for line in process.stdout if str(number) in line)
        assert line.split()[1:4] == ["born", "uts", str(number)] and str(one.pid) in line
    line = next(line for line in process.stdout if str(number) in line)
    assert line.split()[1] == "gone" and "sleep 1000" in line
    process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize("words, told", [
    (["--interval", "0"], "number of seconds"),
    (["--interval", "-1"], "number of seconds"),
    (["--interval", "1e3"], "number of seconds"),
    (["--interval", "1."], "number of seconds"),
    (["--interval", "0.0001"], "number of seconds"),
    (["--interval", "3601"], "number of seconds"),
    (["--for", "x"], "number of seconds"),
    (["--count", "0"], "number of lines"),
    (["--count", "-1"], "number of lines"),
    (["--kind", "nets"], "no kind"),
    (["word"], "takes no word"),
])
def test_bad_words(nook, words, told):
    nook.cmd("ns", "watch", *words).failed(125, told)
