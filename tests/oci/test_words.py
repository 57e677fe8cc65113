# SPDX-License-Identifier: Apache-2.0
"""The command line: words, what is printed, exit statuses, the log. No container is made here."""

import json
import os
import stat
import subprocess

import machine
import oci as harness
import pytest

COMMANDS = ["checkpoint", "create", "delete", "events", "exec", "features", "kill", "list", "pause", "ps", "restore", "resume",
            "run", "spec", "start", "state", "update"]


def linked(oci, name):
    """A link of another name to the runtime."""
    link = os.path.join(oci.scratch(), name)
    os.symlink(oci.binary, link)
    return link


# ---- --version and --help ----

@pytest.mark.parametrize("words", [["--version"], ["-v"], ["-version"], ["--version=true"], ["--log", "/dev/null", "--version"]])
def test_version(oci, words):
    """Podman and Docker read it."""
    lines = oci.cmd(*words, root=False).lines()
    assert lines[0].startswith(f"{oci.name} version ")
    assert [line for line in lines if line.startswith("commit: ")]
    assert [line for line in lines if line.startswith("spec: 1.")]


def test_one_line_has_the_word_version(oci, ours):
    """Docker takes every line that has it; the last wins."""
    assert [line for line in oci.cmd("--version").lines() if "version" in line] == [oci.cmd("--version").lines()[0]]


@pytest.mark.parametrize("name", ["runc", "crun"])
def test_version_under_another_name(oci, ours, name):
    """go-runc wants to see "runc version"."""
    said = subprocess.run([linked(oci, name), "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert said.startswith(f"{name} version ")


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], []])
def test_help(oci, ours, words):
    said = oci.cmd(*words, root=False).ok()
    for command in [*COMMANDS, "check", "help"]:
        assert f"\n  {command} " in said
    for option in ("--root", "--log", "--log-format", "--debug", "--systemd-cgroup", "--cgroup-manager", "--rootless", "--criu"):
        assert f" {option}" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(oci, ours, command):
    """Podman asks `checkpoint --help`, and looks at the exit status."""
    said = oci.cmd(command, "--help").ok()
    assert said.startswith(f"nook-oci {command}")
    assert oci.cmd("help", command).ok() == said
    if command not in ("exec", "ps"):  # where words after the id are another program's
        assert oci.cmd(command, "x", "-h", "--nonsense").ok() == said
    assert all(len(line) <= 100 for line in said.splitlines())


def test_help_of_no_command(oci, ours):
    oci.cmd("help", "nonsense").failed(1, "nonsense")


# ---- wrong words ----

@pytest.mark.parametrize("words, texts", [
    (["nonsense"], ["nonsense"]),
    (["creat", "x"], ["creat", "did you mean create"]),
    (["--nonsense", "list"], ["--nonsense"]),
    (["--rooot", "/x", "list"], ["--rooot", "did you mean --root"]),
    (["--debug=maybe", "list"], ["--debug=maybe"]),
    (["--log-format", "xml", "list"], ["--log-format xml", "json"]),
    (["--cgroup-manager", "x", "list"], ["--cgroup-manager x", "cgroupfs"]),
    (["--root"], ["--root", "value"]),
    (["create", "--nonsense", "x"], ["--nonsense", "create"]),
    (["create", "--bundel", "b", "x"], ["did you mean --bundle"]),
    (["create"], ["create"]),
    (["create", "--bundle"], ["--bundle", "DIR"]),
    (["create", "a", "b"], ["create"]),
    (["start", "a", "b"], ["start"]),
    (["kill", "a", "9", "b"], ["kill"]),
    (["kill", "a", "SIGNONE"], ["SIGNONE"]),
    (["list", "x"], ["list"]),
    (["list", "--format", "yaml"], ["yaml", "json"]),
    (["ps", "--format", "yaml", "x"], ["yaml", "json"]),
    (["run", "--preserve-fds", "x", "a"], ["--preserve-fds x"]),
    (["restore", "--preserve-fds", "1", "a"], ["--preserve-fds", "no such option"]),  # neither has runc
    (["create", "--plan=xml", "x"], ["--plan=xml"]),
    (["update", "--memory", "1x", "a"], ["--memory 1x"]),
    (["update", "--memory", "-2", "a"], ["--memory -2"]),
    (["update", "--cpu-share", "-1", "a"], ["--cpu-share -1"]),
    (["update", "--pids-limit", "many", "a"], ["--pids-limit many"]),
    (["update", "--resources", "/nonexist", "a"], ["/nonexist"]),
    (["events", "--interval", "5", "a"], ["--interval 5"]),
    (["events", "--interval", "0s", "a"], ["--interval 0s"]),
    (["events", "--interval", "-1s", "a"], ["--interval -1s"]),
])
def test_wrong_words(oci, ours, words, texts):
    oci.cmd(*words).failed(1, *texts)
    assert not os.listdir(oci.root)


def test_wrong_words_of_exec(oci, ours):
    """Its own failures are 255: 1 may be the program's."""
    oci.cmd("exec", "--nonsense", "x", "true").failed(255, "--nonsense")
    oci.cmd("exec", "x").failed(255, "command")
    oci.cmd("exec").failed(255)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"memory": 5}', '{"memory": {"limit": "5"}}', '{"pids": {"limit": 1e99}}'])
def test_wrong_resources(oci, ours, text):
    oci.cmd("update", "--resources", "-", "nobody", input=text).failed(1, "--resources -")
    file = os.path.join(oci.scratch(), "resources")
    with open(file, "w", encoding="utf-8") as out:
        out.write(text)
    oci.cmd("update", "nobody", f"-r={file}").failed(1, f"--resources {file}")


# ---- how words may be written ----

@pytest.mark.parametrize("words", [
    ["--root", "{root}", "state", "nobody"], ["--root={root}", "state", "nobody"], ["-root", "{root}", "state", "nobody"],
    ["-root={root}", "state", "nobody"], ["--root", "/nonexist", "--root", "{root}", "state", "nobody"],
    ["--debug", "--root", "{root}", "state", "nobody"], ["--debug=false", "--root", "{root}", "state", "nobody"],
    ["--systemd-cgroup", "--rootless", "auto", "--rootless=false", "--criu", "x", "--root={root}", "state", "nobody"],
])
def test_how_global_options_are_written(oci, words):
    if oci.name == "crun" and ("-root" in " ".join(words[:1])[:5] or any(word.startswith(("--criu", "--debug=")) for word in words)):
        pytest.skip("crun reads words by getopt")
    result = oci.cmd(*[word.format(root=oci.root) for word in words], root=False)
    result.failed(1, "does not exist" if oci.name != "crun" else "nobody")


@pytest.mark.parametrize("words", [
    ["--bundle", "{b}", "{id}"], ["--bundle={b}", "{id}"], ["-bundle", "{b}", "{id}"], ["-b", "{b}", "{id}"], ["-b={b}", "{id}"],
    ["{id}", "--bundle", "{b}"], ["--bundle", "/nonexist", "--bundle", "{b}", "{id}"], ["--bundle", "{b}", "--", "{id}"],
    ["--no-pivot=false", "-no-new-keyring=0", "--bundle", "{b}", "{id}"],
])
def test_how_options_are_written(oci, bundle, words):
    """A bundle without a root file system: all words were understood when that is what it says."""
    if oci.name == "crun" and any(word.startswith(("-bundle", "-b=", "--no-pivot=")) for word in words):
        pytest.skip("crun reads words by getopt")
    b = bundle("true", {"root/path": "is-not-here"}).write()
    result = oci.cmd("create", *[word.format(b=b.path, id=harness.unique()) for word in words])
    result.failed(1, "is-not-here")
    assert "config.json" not in result.err


# ---- the log ----

def is_text_line(line):
    return line.startswith('time="2') and " level=error msg=" in line


def test_errors_without_a_log(oci, ours):
    """They are lines of the log on stderr."""
    said = oci.cmd("state", "nobody").failed(1, "does not exist").splitlines()
    assert len(said) == 1 and is_text_line(said[0])
    said = oci.cmd("--log-format=json", "state", "nobody").failed(1).splitlines()
    assert len(said) == 1 and "does not exist" in json.loads(said[0])["msg"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_is_appended(oci, form):
    log = os.path.join(oci.scratch(), "log")
    old = os.umask(0o022)
    try:
        for _ in range(2):
            result = oci.cmd("--log", log, "--log-format", form, "state", "nobody")
            result.failed(1)
    finally:
        os.umask(old)
    if form == "json":
        assert len([line for line in harness.log_lines(log) if line["level"] == "error"]) == 2
    lines = machine.read(log).splitlines()
    assert len(lines) == 2
    if oci.is_ours:
        assert form == "json" or all(map(is_text_line, lines))
        assert stat.S_IMODE(os.stat(log).st_mode) == 0o644
        # on stderr it is the message alone
        assert result.err.rstrip("\n") == harness.last_error(log) if form == "json" else "level" not in result.err


def test_a_message_of_odd_bytes_is_one_line(oci, ours):
    log = os.path.join(oci.scratch(), "log")
    word = 'a"b\\c\nd\x1b[31m\u202eé日'
    oci.cmd("--log", log, "--log-format", "json", word).failed(1)
    oci.cmd("--log", log, "--log-format", "json", b"\xff\xfe".decode(errors="surrogateescape")).failed(1)
    first, second = harness.log_lines(log)
    assert r"'a\"b\\c\nd\x1b[31m\u{202e}é日'".replace(r"\"", '"').replace(r"\\c", "\\c") in first["msg"]
    assert r"'\xff\xfe'" in second["msg"]


def test_a_long_message_is_one_line(oci, ours):
    log = os.path.join(oci.scratch(), "log")
    result = oci.cmd("--log", log, "--log-format", "json", "state", '"' * 5000)
    result.failed(1)
    assert len(harness.log_lines(log)) == 1


@pytest.mark.parametrize("log", ["/nonexist/log", "/proc/self/mem/x", "/"])
def test_a_log_that_can_not_be_written(oci, ours, log):
    """Then stderr has all there is."""
    oci.cmd("--log", log, "--log-format", "json", "state", "nobody").failed(1, "does not exist")


def test_no_log_at_all_is_no_reason_to_fail(oci):
    oci.cmd("--log", "/dev/null", "--log-format", "json", "delete", "--force", "nobody").ok()


def test_stdout_that_can_not_be_written(oci, ours):
    with open("/dev/full", "wb") as full, open("/dev/null", "r+b") as null:
        for words in (["--help"], ["--version"], ["list"], ["list", "--format=json"], ["features"], ["state", "--help"]):
            process = oci.popen(*words, stdio=[null.fileno(), full.fileno(), null.fileno()])
            assert process.wait() == 1, words


# ---- ids that nobody has ----

@pytest.mark.parametrize("command", ["state", "start", "kill", "delete", "pause", "resume", "ps", "update", "events"])
def test_no_such_container(oci, command):
    """containerd looks for these words."""
    if oci.name == "crun":
        pytest.skip("says it otherwise")
    oci.cmd(command, "nobody").failed(1, "container does not exist")


def test_force_of_nobody(oci):
    assert oci.cmd("delete", "--force", "nobody").ok() == ""


@pytest.mark.parametrize("words, said", [
    (["list", "-q"], ""), (["list", "--quiet", "--format", "json"], ""), (["list", "--format", "json"], "[]"),
    (["list", "-f=json"], "[]"),
])
def test_an_empty_list(oci, ours, words, said):
    assert oci.cmd(*words).ok() == said


def test_an_empty_table(oci):
    assert oci.cmd("list").ok().split() == (
        ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"] if oci.name != "crun" else
        ["NAME", "PID", "STATUS", "BUNDLE", "PATH", "CREATED", "OWNER"])


def test_a_state_directory_that_is_not_there(oci):
    gone = os.path.join(oci.scratch(), "not", "yet")
    oci.cmd("--root", gone, "list", root=False).ok()
    oci.cmd("--root", gone, "delete", "--force", "nobody", root=False).ok()
    if oci.is_ours:
        assert not os.path.exists(gone)


# ---- spec ----

def test_spec(oci):
    folder = oci.scratch()
    assert oci.cmd("spec", "--bundle", folder).ok() == ""
    config = json.loads(machine.read(f"{folder}/config.json"))
    if not oci.is_ours:
        return
    expected = harness.default("sh", {"process/args": ["sh"], "process/terminal": True, "hostname": "nook", "ociVersion": "1.3.0",
                                      "process/capabilities/ambient": harness.DELETE})
    expected["linux"]["namespaces"].append({"type": "cgroup"})
    assert config == expected


def test_spec_rootless(make_oci, lab):
    account = lab.account("nooktest", lab.USER)
    oci = make_oci(account)
    folder = oci.own(oci.scratch())
    oci.cmd("spec", "--rootless", "--bundle", folder).ok()
    config = json.loads(machine.read(f"{folder}/config.json"))
    assert config["linux"]["uidMappings"] == [{"containerID": 0, "hostID": account.uid, "size": 1}]
    assert config["linux"]["gidMappings"] == [{"containerID": 0, "hostID": account.gid, "size": 1}]
    kinds = [each["type"] for each in config["linux"]["namespaces"]]
    assert "user" in kinds and "network" not in kinds
    assert "resources" not in config["linux"]
    assert not any("gid=5" in mount.get("options", []) for mount in config["mounts"])


def test_spec_in_the_working_directory(oci):
    folder = oci.scratch()
    oci.cmd("spec", cwd=folder).ok()
    assert os.listdir(folder) == ["config.json"]


def test_spec_overwrites_nothing(oci, ours):
    folder = oci.scratch()
    with open(f"{folder}/config.json", "w", encoding="utf-8") as file:
        file.write("mine")
    oci.cmd("spec", cwd=folder).failed(1, "File config.json exists. Remove it first")
    assert machine.read(f"{folder}/config.json") == "mine"
    os.unlink(f"{folder}/config.json")
    os.symlink("elsewhere", f"{folder}/config.json")
    oci.cmd("spec", cwd=folder).failed(1)
    assert os.listdir(folder) == ["config.json"]


def test_spec_has_the_callers_umask(oci, ours):
    folder = oci.scratch()
    oci.start(["sh", "-c", f"umask 027; cd {folder}; exec {oci.binary} spec"]).result().ok()
    assert stat.S_IMODE(os.stat(f"{folder}/config.json").st_mode) == 0o640
    oci.cmd("spec", "--file", "other.json", "--bundle", folder).ok()
    assert os.path.exists(f"{folder}/other.json")


def test_spec_where_it_can_not_be_written(oci, ours):
    oci.cmd("spec", "--bundle", "/nonexist").failed(1, "/nonexist/config.json", "no such file")


# ---- features ----

def test_features(oci):
    """CRI-O and others read stdout and stderr together."""
    if oci.name == "crun":
        pytest.skip("crun 1.8.1 has no features")
    result = oci.cmd("features")
    features = result.json()
    assert result.err == ""
    assert features["hooks"] == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
    assert {"rbind", "ro", "rro", "rslave", "tmpcopyup", "nosymfollow"} <= set(features["mountOptions"])
    assert features["mountOptions"] == sorted(features["mountOptions"])
    linux = features["linux"]
    assert {"cgroup", "ipc", "mount", "network", "pid", "user", "uts"} <= set(linux["namespaces"])
    assert {"CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"} <= set(linux["capabilities"])
    assert linux["cgroup"]["v1"] and linux["cgroup"]["v2"]
    assert linux["seccomp"]["enabled"]
    assert {"SCMP_ACT_NOTIFY", "SCMP_ACT_ERRNO"} <= set(linux["seccomp"]["actions"])
    assert {"SCMP_CMP_MASKED_EQ"} <= set(linux["seccomp"]["operators"])
    assert {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_S390X"} <= set(linux["seccomp"]["archs"])
    assert linux["apparmor"]["enabled"] and linux["selinux"]["enabled"]


def test_features_of_1_3(oci, ours):
    features = oci.cmd("features").json()
    assert features["ociVersionMin"] == "1.0.0" and features["ociVersionMax"] == "1.3.0"
    linux = features["linux"]
    assert "time" in linux["namespaces"]
    assert linux["mountExtensions"]["idmap"]["enabled"] and linux["netDevices"]["enabled"]
    assert linux["intelRdt"] == {"enabled": True, "schemata": True, "monitoring": True}
    assert {"idmap", "ridmap"} <= set(features["mountOptions"])
    assert set(linux["seccomp"]["supportedFlags"]) <= set(linux["seccomp"]["knownFlags"])
    assert {"MPOL_BIND", "MPOL_INTERLEAVE"} <= set(linux["memoryPolicy"]["modes"])
    assert linux["capabilities"][0] == "CAP_CHOWN" and len(linux["capabilities"]) == 41


def test_features_are_no_less_than_runcs(oci, ours):
    if not os.path.exists("/usr/sbin/runc"):
        pytest.skip("no runc here")
    theirs = json.loads(subprocess.run(["/usr/sbin/runc", "features"], stdout=subprocess.PIPE, check=True).stdout)
    mine = oci.cmd("features").json()

    def compare(a, b, place):
        if isinstance(a, dict):
            for key in a:
                assert key in b, f"{place}/{key}"
                compare(a[key], b[key], f"{place}/{key}")
        elif isinstance(a, list):
            assert set(a) <= set(b), place
        elif isinstance(a, bool):
            assert a == b or b, place
    for key in ("hooks", "mountOptions", "linux"):
        compare(theirs[key], mine[key], key)


# ---- setuid ----

def test_it_refuses_to_be_setuid(oci, ours, lab):
    """Nothing setuid is ever installed; started so it reads nothing."""
    copy = os.path.join(oci.scratch(), "nook-oci")
    with open(oci.binary, "rb") as source, open(copy, "wb") as target:
        target.write(source.read())
    os.chmod(copy, 0o4755)
    user = lab.account("nooktest", lab.USER)
    result = subprocess.run(["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups", copy, "--version"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 1 and result.stdout == "" and "setuid" in result.stderr


# ---- where records are ----

def test_the_default_root_of_a_user(make_oci, lab, ours):
    account = lab.account("nooktest", lab.USER)
    user = make_oci(account)
    runtime = user.own(user.scratch("runtime"))
    os.chmod(runtime, 0o700)
    spare = os.path.join(runtime, "nook-oci")
    os.mkdir(spare, 0o777)
    os.chmod(spare, 0o777)
    os.chown(spare, account.uid, account.gid)
    # a directory that others may write to is refused by its name
    said = user.cmd("state", "nobody", root=False, env={"XDG_RUNTIME_DIR": runtime}).failed(1)
    assert spare in said
    said = user.cmd("state", "nobody", root=False, env={"XDG_RUNTIME_DIR": ""}).failed(1, "does not exist")
    assert spare not in said


# ---- check and --plan ----

def test_check(oci, bundle, ours):
    assert "can do all" in oci.cmd("check", bundle().write().path).ok()
    assert "can do all" in oci.cmd("check", "--bundle", bundle().write().path).ok()
    assert "can do all" in oci.cmd("check", cwd=bundle().write().path).ok()


def test_check_names_all_that_is_wrong(oci, bundle, ours):
    b = bundle("true", {
        "mounts/-": {"destination": "/x", "type": "bind", "source": "/nonexist/x", "options": ["bind"]},
        "process/apparmorProfile": "nobody-has-this",
        "linux/namespaces/1/path": "/run/netns/is-not-here",
        "hooks/poststop": [{"path": "/nonexist/hook"}],
        "hooks/createContainer": [{"path": "/is/looked/for/inside"}],
        "root/path": "is-not-here",
    }).write()
    result = oci.cmd("check", b.path)
    assert result.status == 1 and result.err == ""
    for text in ("/mounts/7: ", "/nonexist/x", "/linux/namespaces/1", "/run/netns/is-not-here", "/hooks/poststop/0",
                 "/nonexist/hook", "/root/path", "is-not-here"):
        assert text in result.out, result
    assert "/is/looked/for/inside" not in result.out
    assert not os.listdir(oci.root)


def test_check_of_a_config_that_is_wrong(oci, bundle, ours):
    oci.cmd("check", bundle("true", {"process/args": 5}).write().path).failed(1, "/process/args")
    oci.cmd("check", "/nonexist").failed(1, "/nonexist/config.json")


@pytest.mark.parametrize("command", ["create", "run"])
def test_plan(oci, bundle, ours, command):
    """Nothing is made."""
    path = bundle("echo hello").write().path
    said = oci.cmd(command, "--plan", "--bundle", path, "web").ok()
    assert "clone3(" in said and "web" in said
    steps = oci.cmd(command, "--plan=json", "--bundle", path, "web").json()["steps"]
    assert any("clone3(" in step["call"] for step in steps)
    assert not os.listdir(oci.root)


def test_another_config(oci, bundle, ours):
    """crun's --config: relative to the bundle."""
    b = bundle("echo config.json").write()
    with open(f"{b.path}/other.json", "w", encoding="utf-8") as file:
        json.dump(harness.default("echo other.json"), file)
    assert oci.cmd("run", "--bundle", b.path, "--config", "other.json", harness.unique()).ok() == "other.json"
    assert oci.cmd("run", "--bundle", b.path, "-f", f"{b.path}/other.json", harness.unique()).ok() == "other.json"
    assert oci.cmd("run", "--bundle", b.path, harness.unique()).ok() == "config.json"
