# SPDX-License-Identifier: Apache-2.0
"""nook ns diff: in what two processes differ."""

import json
import subprocess

import machine
import pytest


def diff(nook, a, b, *words, status=1):
    result = nook.cmd("ns", "diff", "--json", a, b, *words)
    assert result.status == status, f"{result}"
    answer = json.loads(result.out)
    assert answer["version"] == 1
    return answer


def rows(answer, section):
    return {row["name"]: row for row in answer["differs"] if row["section"] == section}


def test_a_process_and_itself_are_the_same(nook):
    answer = diff(nook, "self", "self", status=0)
    assert answer["differs"] == [] and answer["same"]["namespaces"] == 8
    assert "Nothing differs." in nook.cmd("ns", "diff", "self", "self").ok()


def test_two_containers(nook):
    with nook.background("umask 077; ulimit -n 99; cd /tmp; echo ready; exec sleep 1000", "--no-init",
                         "--tmpfs", "/only", "--cap-drop", "chown") as one, \
            nook.background("echo ready; exec sleep 1000", "--no-init", "--oom-score-adj", "500") as two:
        answer = diff(nook, one.name, two.name)
        assert (answer["a"]["pid"], answer["b"]["pid"]) == (one.pid, two.pid)
        for kind, row in rows(answer, "namespaces").items():
            assert f"{kind}:[{row['a']}]" == machine.ns(kind, one.pid)
            assert f"{kind}:[{row['b']}]" == machine.ns(kind, two.pid)
        assert {"mnt", "pid", "net", "uts", "ipc"} <= set(rows(answer, "namespaces"))
        process = rows(answer, "process")
        assert (process["umask"]["a"], process["umask"]["b"]) == ("0077", "0022")
        assert (process["cwd"]["a"], process["cwd"]["b"]) == ("/tmp", "/")
        assert process["oom_score_adj"]["b"] == "500"
        assert rows(answer, "limits")["nofile"]["a"] == "99, at most 99"
        effective = rows(answer, "capabilities")["effective"]
        assert (effective["only_a"], effective["only_b"]) == ([], ["chown"])
        only = rows(answer, "mounts")["/only"]
        assert only["a"].startswith("tmpfs ") and only["b"] is None
        assert "/only" not in rows(answer, "mount_options")
        assert answer["same"]["security"] >= 3


def test_mount_options_that_differ(nook):
    source = nook.scratch("data")
    with nook.background("echo ready; exec sleep 1000", "--no-init", "--volume", f"{source}:/data") as one, \
            nook.background("echo ready; exec sleep 1000", "--no-init", "--volume", f"{source}:/data:ro") as two:
        row = rows(diff(nook, one.name, two.name), "mount_options")["/data"]
        assert "rw" in row["only_a"] and "ro" in row["only_b"]
        assert "/data" not in rows(diff(nook, one.name, two.name), "mounts")


def test_security(nook):
    with nook.background("echo ready; exec sleep 1000", "--no-init") as one, \
            nook.background("echo ready; exec sleep 1000", "--no-init", "--seccomp", "off", "--new-privs") as two:
        security = rows(diff(nook, one.name, two.name), "security")
        assert (security["seccomp"]["a"], security["seccomp"]["b"]) == ("filter", "off")
        assert (security["no_new_privs"]["a"], security["no_new_privs"]["b"]) == ("yes", "no")
        assert security["seccomp_filters"]["b"] == "0"


def test_the_environment_is_compared_only_when_asked(nook):
    with nook.background("echo ready; exec sleep 1000", "--no-init", "--env", "SECRET=one") as one, \
            nook.background("echo ready; exec sleep 1000", "--no-init", "--env", "SECRET=two") as two:
        assert "SECRET" not in nook.cmd("ns", "diff", one.name, two.name).out
        secret = rows(diff(nook, one.name, two.name, "--env"), "environment")["SECRET"]
        assert (secret["a"], secret["b"]) == ("one", "two")


def niceness(pid):
    return machine.read(f"/proc/{pid}/stat").rsplit(")")[1].split()[16]


def test_scheduling(nook):
    with nook.background("nice -n 5 sleep 1000 & echo ready; exec sleep 1000", "--no-init") as one:
        nice = machine.wait_until(lambda: [pid for pid in one.inside() if niceness(pid) == "5"], what="nice")[0]
        row = rows(diff(nook, str(one.pid), str(nice)), "scheduling")["nice"]
        assert (row["a"], row["b"]) == ("0", "5")


def test_for_people_each_difference_is_a_line(nook):
    with nook.background("umask 077; echo ready; exec sleep 1000", "--no-init") as one:
        result = nook.cmd("ns", "diff", "self", one.name)
        assert result.status == 1
        lines = result.out.splitlines()
        assert lines[0].startswith("DIFFERS") and "self (nook)" in lines[0] and f"{one.name} (" in lines[0]
        assert any(line.split()[:2] == ["process", "umask"] and "0077" in line for line in lines)
        assert any(line.startswith("The same: ") for line in lines)


def test_what_may_not_be_read_is_said(user_nook):
    other = subprocess.Popen(["sleep", "1000"])
    try:
        answer = diff(user_nook, "self", str(other.pid), status=1)
        if not [row for row in answer["unknown"] if row["section"] == "namespaces"]:
            pytest.skip("the tests run as the same user")
        assert {row["error_b"] for row in answer["unknown"] if row["section"] == "namespaces"} == {"EACCES"}
        assert not rows(answer, "namespaces")
        out = user_nook.cmd("ns", "diff", "self", other.pid).out
        assert "Not compared, because it can't be read:" in out and "namespace net of" in out
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("words, told", [
    ([], "needs two"),
    (["self"], "needs two"),
    (["self", "self", "self"], "needs two"),
    (["self", "no-such-container"], "named no-such-container"),
    (["self", "4194303x"], "named 4194303x"),
    (["self", "0"], "no pid"),
])
def test_bad_words(nook, words, told):
    nook.cmd("ns", "diff", *words).failed(125, told)


def test_a_process_that_has_ended(nook):
    process = subprocess.Popen(["true"])
    process.wait()
    nook.cmd("ns", "diff", "self", process.pid).failed(125, f"there is no process {process.pid}")
