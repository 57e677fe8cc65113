# SPDX-License-Identifier: Apache-2.0
"""The doors of the project: tools/deps, tools/check-rooms, tools/test, on made-up machines and sources."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
import rootfs

pytestmark = pytest.mark.quick

PACKAGES = "# a comment\nhere build it is\nabsent build is not\nalso-absent test is not\n"
QUERY = "#!/bin/sh\necho 'here installed'\necho 'absent config-files'\nexit 1\n"


@pytest.fixture
def checkout(repository, base):
    """A copy of tools/ with a packages.txt of our own, and commands that stand in for Debian's."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="checkout-", dir=base))
    shutil.copytree(f"{repository}/tools", folder / "tools")
    rootfs.write(f"{folder}/packages.txt", PACKAGES)
    rootfs.write(f"{folder}/bin/dpkg-query", QUERY, 0o755)
    rootfs.write(f"{folder}/bin/id", "#!/bin/sh\necho ${FAKE_UID:-0}\n", 0o755)
    rootfs.write(f"{folder}/bin/apt-get", APT, 0o755)
    yield folder
    shutil.rmtree(folder)


# Fails to install until the lists were fetched.
APT = """#!/bin/sh
echo "apt-get $*" >>"$LOG"
case $1 in
update) touch "$LOG.updated" ;;
install) test -e "$LOG.updated" || { echo "E: Unable to locate package"; exit 100; } ;;
esac
"""


def deps(checkout, *kinds, uid=0, path=None, env=None):
    log = checkout / "log"
    result = subprocess.run([checkout / "tools/deps", *kinds], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, check=False,
                            env={"PATH": f"{checkout}/bin:{path or '/usr/bin:/bin'}", "LOG": str(log), "FAKE_UID": str(uid),
                                 **(env or {})})
    return result, log.read_text().splitlines() if log.exists() else []


def test_nothing_is_done_when_nothing_is_missing(checkout):
    rootfs.write(f"{checkout}/packages.txt", "here build it is\n")
    result, calls = deps(checkout)
    assert (result.returncode, result.stdout, result.stderr, calls) == (0, "", "", [])


def test_it_says_what_it_installs_and_fetches_lists_only_when_needed(checkout):
    result, calls = deps(checkout)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0] == "installing with apt-get: absent also-absent"
    assert [call.split()[1] for call in calls] == ["install", "update", "install"]
    assert calls[2].endswith(" absent also-absent")
    _, calls = deps(checkout)
    assert [call.split()[1] for call in calls[3:]] == ["install"]


def test_only_the_kinds_asked_for(checkout):
    result, _ = deps(checkout, "build")
    assert result.stdout.splitlines()[0] == "installing with apt-get: absent"


@pytest.mark.parametrize("kinds, wanted", [(["vm"], "both alone"), (["engines"], "both"), (["vm", "engines"], "both alone")])
def test_a_package_of_several_kinds(checkout, kinds, wanted):
    rootfs.write(f"{checkout}/packages.txt", "both vm,engines it is not\nalone vm it is not\nother vmx it is not\n")
    result, _ = deps(checkout, *kinds)
    assert result.stdout.splitlines()[0] == f"installing with apt-get: {wanted}"


def test_an_unknown_kind(checkout):
    result, calls = deps(checkout, "wrong")
    assert result.returncode == 2 and "wrong" in result.stderr and calls == []


def test_neither_root_nor_sudo(checkout):
    """Says what to run as root, and fails."""
    for name in ("sh", "awk", "sed", "dirname", "mktemp", "rm", "env"):
        os.symlink(shutil.which(name, path="/usr/bin:/bin"), checkout / "bin" / name)
    result, calls = deps(checkout, uid=1000, path="/nowhere")
    assert result.returncode == 1 and "apt-get install absent also-absent" in result.stderr and calls == []


def test_through_sudo(checkout):
    rootfs.write(f"{checkout}/bin/sudo", '#!/bin/sh\necho "sudo $*" >>"$LOG"\ntest "$1" = -n && exit 0\nexec "$@"\n', 0o755)
    result, calls = deps(checkout, "build", uid=1000)
    assert result.returncode == 0, result.stderr
    assert "installing with apt-get (through sudo): absent" in result.stdout
    assert not [call for call, before in zip(calls[1:], calls) if call.startswith("apt-get") and not before.startswith("sudo ")]


def test_another_distribution(checkout):
    os.unlink(checkout / "bin/dpkg-query")
    for name in ("sh", "awk", "sed", "dirname", "mktemp", "rm", "env"):
        os.symlink(shutil.which(name, path="/usr/bin:/bin"), checkout / "bin" / name)
    result, _ = deps(checkout, path="/nowhere")
    assert result.returncode == 1 and "packages.txt" in result.stderr
    assert deps(checkout, path="/nowhere", env={"NOOK_NO_DEPS": "1"})[0].returncode == 0


def test_a_failing_install_fails(checkout):
    rootfs.write(f"{checkout}/bin/apt-get", "#!/bin/sh\necho 'E: no network'\nexit 100\n", 0o755)
    assert deps(checkout)[0].returncode != 0


# ---- rooms ----

@pytest.mark.parametrize("path, text, said", [
    ("src/base/x.c", '#include "run/y.h"\n', "src/base may not know of src/run"),
    ("src/stage/x.c", '#include "host/y.h"\n', "src/stage may not know of src/host"),
    ("src/elsewhere/x.c", "\n", "is in no room"),
    ("src/stage/x.c", "int f(void)\n{\n\treturn mkdir(path, 0);\n}\n", "src/stage/x.c:3: calls mkdir()"),
    ("src/stage/sources.c", "nook_open_tree(dir, path);\nnook_openat2(dir, path);\n", None),
    ("src/stage/sources.c", "mkdir(path, 0);\nnook_open_tree(dir, path);\n", "sources.c:1: calls mkdir()"),
    ("src/run/create_steps.c", "mkdir(path, 0);\nopen(path, 0);\n", None),
    ("src/run/create_steps.c", "mkdir(path, 0);\nopen(path, 0);\nstat(path, st);\n", "create_steps.c:3: calls stat()"),
    ("src/stage/sources.c", "mkdir(path, 0);\n", "src/stage/sources.c may call nook_open_tree(), and does not"),
    ("cli/x.c", "\tint fd = open(path, O_RDONLY);\n", "calls open()"),
    ("src/stage/x.c", '/* mkdir(2), open(path) */ const char *s = "open(x)";\nplan->open(x); my_open(x);\n', None),
    ("src/run/x.c", '#include "base/y.h"\n#include "nook/y.h"\n#include <stdio.h>\n', None),
    ("src/stage/x_test.c", "open(path, 0);\n", None),
])
def test_rooms(checkout, path, text, said):
    for header in ("src/run/y.h", "src/host/y.h", "src/base/y.h", "include/nook/y.h"):
        rootfs.write(f"{checkout}/{header}", "\n")
    rootfs.write(f"{checkout}/{path}", text)
    result = subprocess.run([checkout / "tools/check-rooms"], stdout=subprocess.PIPE, text=True, check=False)
    assert result.returncode == (1 if said else 0), result.stdout
    if said:
        assert said in result.stdout
