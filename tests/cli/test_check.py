# SPDX-License-Identifier: Apache-2.0
"""nook check: what this machine allows, and the pages about causes."""

import json
import os
import pty
import re
import subprocess

import pytest

VERDICTS = {"yes", "partly", "no", "fact"}
GROUPS = ["namespaces", "ids", "mounts", "idmapped mounts", "cgroups", "security", "kernel", "devices", "container"]


def probes(result):
    return {row["id"]: row for row in json.loads(result.out)["probes"]}


@pytest.mark.quick
def test_it_says_yes_where_nook_run_works(nook):
    result = nook.cmd("check")
    runs = nook.run("true")
    assert (result.status == 0) == (runs.status == 0), f"{result}\n{runs}"
    assert result.err == ""
    assert [line for line in result.out.splitlines() if line in GROUPS] == GROUPS
    assert ("`nook run` works here" in result.out) == (result.status == 0)


def test_json_has_the_same_and_a_version(nook):
    result = nook.cmd("check", "--json")
    document = json.loads(result.out)
    assert document["version"] == 1
    assert document["uid"] == nook.account.uid
    assert document["works"] == (result.status == 0)
    rows = document["probes"]
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert set(row) == {"group", "id", "title", "verdict", "needed", "detail", "why", "cause", "fix"}
        assert row["verdict"] in VERDICTS
        if row["verdict"] == "no":
            assert row["detail"] and row["fix"], row
    for kind in ("user", "mnt", "uts", "ipc", "net", "pid", "cgroup", "time"):
        assert f"namespace.{kind}" in {row["id"] for row in rows}


def test_each_red_line_has_a_reason_and_a_fix(nook):
    """An ordinary user has some; so have the pages that they name."""
    ids = {line.split()[0] for line in nook.cmd("check", "--explain").lines()}
    for row in probes(nook.cmd("check", "--json")).values():
        if row["verdict"] in ("no", "partly"):
            assert row["detail"], row
        if row["cause"]:
            assert row["cause"] in ids, row


def test_a_user_without_a_range_is_told(poor_nook):
    rows = probes(poor_nook.cmd("check", "--json"))
    assert rows["ids.subuid"]["verdict"] == "partly"
    assert rows["ids.subuid"]["cause"] == "no-subid-range"


def test_a_user_with_a_range_sees_it(user_nook, lab):
    rows = probes(user_nook.cmd("check", "--json"))
    assert rows["ids.subuid"]["detail"] == f"{lab.RANGE}-{lab.RANGE + 65535}"
    assert rows["ids.newuidmap"]["verdict"] == "yes"
    assert rows["idmap"]["verdict"] == "fact"


def in_namespace(nook, script, *options):
    """Runs a shell script as root in namespaces of its own; $NOOK is the program."""
    return subprocess.run(["unshare", *options, "sh", "-ec", script], env={**os.environ, "NOOK": nook.binary},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=20, check=False)


def test_a_limit_of_0_user_namespaces_is_red(root_nook):
    result = in_namespace(root_nook, "echo 0 > /proc/sys/user/max_user_namespaces; exec $NOOK check --json", "-Ur")
    assert result.returncode == 1, result
    rows = probes(as_result(result))
    assert rows["namespace.user"]["verdict"] == "no"
    assert rows["namespace.user"]["cause"] == "userns-limit"
    assert "sysctl" in rows["namespace.user"]["fix"]


def test_a_limit_of_0_net_namespaces_is_red_for_net_alone(root_nook):
    result = in_namespace(root_nook, "echo 0 > /proc/sys/user/max_net_namespaces; exec $NOOK check --json", "-Ur")
    assert result.returncode == 1, result
    rows = probes(as_result(result))
    assert rows["namespace.net"]["cause"] == "namespace-limit"
    assert rows["namespace.uts"]["verdict"] == "yes"
    assert rows["mount.tmpfs"]["verdict"] == "yes"


def test_a_masked_proc_is_red(root_nook):
    result = in_namespace(root_nook, "mount --bind /dev/null /proc/timer_list; exec $NOOK check --json", "-m")
    assert result.returncode == 1, result
    rows = probes(as_result(result))
    assert rows["mount.proc"]["verdict"] == "no"
    assert rows["mount.proc"]["cause"] == "masked-proc"
    assert "/proc/timer_list" in rows["mount.proc"]["why"]


def test_root_without_capabilities_is_told_which(root_nook):
    result = subprocess.run(["setpriv", "--bounding-set=-net_admin", "--inh-caps=-all", root_nook.binary, "check",
                             "--json"], stdout=subprocess.PIPE, text=True, timeout=20, check=False)
    row = probes(as_result(result))["capabilities"]
    assert row["verdict"] == "partly"
    assert "CAP_NET_ADMIN" in row["detail"]
    assert row["cause"] == "missing-capability"


def as_result(result):
    result.out = result.stdout
    return result


def test_a_chroot_is_named(root_nook, unsanitized):
    root = root_nook.scratch("chroot")
    os.mkdir(f"{root}/proc")
    script = f"cp $NOOK {root}/nook; mount --rbind /proc {root}/proc; exec chroot {root} /nook check --json"
    result = in_namespace(root_nook, script, "-m")
    assert result.returncode == 1, result
    assert probes(as_result(result))["namespace.user"]["cause"] == "userns-chroot"


def test_colours_only_on_a_terminal_and_not_with_no_color(root_nook):
    assert "\033" not in root_nook.cmd("check").out
    assert b"\033[32m" in on_terminal(root_nook, {"TERM": "xterm"})
    assert b"\033" not in on_terminal(root_nook, {"TERM": "xterm", "NO_COLOR": "1"})
    assert b"\033" not in on_terminal(root_nook, {"TERM": "dumb"})


def on_terminal(nook, env):
    master, slave = pty.openpty()
    with nook.popen(["check"], env={"NO_COLOR": None, **env}, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        text = b""
        while True:
            try:
                block = os.read(master, 65536)
            except OSError:
                break  # EIO: the other side is closed
            if not block:
                break
            text += block
        process.wait(20)
    os.close(master)
    return text


# ---- the pages ----

@pytest.mark.quick
def test_errors_md_is_the_table(root_nook, repository):
    with open(f"{repository}/docs/errors.md", encoding="utf-8") as file:
        assert file.read() == root_nook.cmd("check", "--explain-all", "--markdown").out, \
            "make it new: nook check --explain-all --markdown > docs/errors.md"


@pytest.mark.quick
def test_every_id_in_the_source_is_in_the_table(root_nook, repository):
    ids = {line.split()[0] for line in root_nook.cmd("check", "--explain").lines()}
    call = re.compile(r'\b(?:nook_cause|nook_answer)\(\s*[^,()]+(?:->[^,()]+)*,\s*"([^"]*)"')
    used = {}
    for top in ("src", "cli"):
        for where, _, names in os.walk(f"{repository}/{top}"):
            for name in names:
                if name.endswith(".c") and not name.endswith("_test.c"):
                    with open(f"{where}/{name}", encoding="utf-8") as file:
                        for match in call.finditer(file.read()):
                            used.setdefault(match[1], []).append(name)
    assert len(used) > 30
    assert not set(used) - ids, {key: used[key] for key in set(used) - ids}


@pytest.mark.quick
def test_explain_prints_the_page(user_nook):
    page = user_nook.cmd("check", "--explain", "userns-limit").ok()
    assert page.startswith("userns-limit: ")
    assert "How to see it" in page and "What helps" in page and "sysctl" in page
    assert user_nook.cmd("check", "--explain=userns-limit").ok() == page


def test_explain_as_json(user_nook):
    page = user_nook.cmd("check", "--json", "--explain", "no-idmap").json()
    assert page["id"] == "no-idmap"
    assert page["meaning"] and page["see"] and page["fix"]
    pages = user_nook.cmd("check", "--json", "--explain-all").json()
    assert page in pages["causes"] and pages["version"] == 1


@pytest.mark.quick
def test_an_unknown_id_names_the_nearest(user_nook):
    user_nook.cmd("check", "--explain", "userns-limt").failed(125, "userns-limit", "lists all ids")
    user_nook.cmd("check", "--explain", "").failed(125, "lists all ids")


@pytest.mark.parametrize("words", [["bla"], ["--markdown"], ["--explain-all", "--explain"], ["--json=x"],
                                   ["--explain-all", "--json", "--markdown"], ["--explain", "a", "b"]])
def test_wrong_words_are_refused(user_nook, words):
    user_nook.cmd("check", *words).failed(125)


def test_a_closed_stdout_is_reported(root_nook):
    with open("/dev/full", "w", encoding="utf-8") as full:
        for words in (["check"], ["check", "--json"], ["check", "--explain-all"]):
            with root_nook.popen(words, stdout=full, stderr=subprocess.PIPE) as process:
                err = process.stderr.read()
                assert process.wait(20) == 125
            assert err.startswith("nook: ") and "stdout" in err
