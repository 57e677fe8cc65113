# SPDX-License-Identifier: Apache-2.0
"""What an engine reads of errors: the status, stderr and the log."""

import os
import re

import pytest

import machine
from oci import last_error, log_lines, unique


@pytest.mark.parametrize("program, texts", [
    (["/nonexist"], ["no such file or directory"]),
    (["nonexist"], ["executable file not found"]),
    (["/etc"], ["permission denied"]),
    (["/etc/passwd"], ["permission denied"]),
    (["/nodir/prog"], ["no such file or directory"]),
    ([""], []),
])
def test_programs_that_can_not_be(oci, bundle, program, texts):
    """Podman and Docker make 127 and 126 of these texts, in lower case."""
    b = bundle(program)
    c = oci.container(b)
    log = os.path.join(oci.scratch(), "log")
    b.write()
    c.touched = True
    result = oci.cmd("--log", log, "--log-format", "json", "create", "--bundle", b.path, c.id)
    if result.status == 0:  # crun finds out at start
        result = oci.cmd("--log", log, "--log-format", "json", "start", c.id)
    for text in texts:
        if oci.name != "crun" or "/etc" not in program[0]:
            assert text in result.failed(1)
            assert text in last_error(log)
    c.delete("--force").ok()
    assert not oci.traces()


def test_run_of_a_program_that_is_not_there(oci, bundle):
    oci.run(bundle(["/nonexist"])).failed(1, "no such file or directory")
    assert not oci.traces()


def test_a_script_whose_interpreter_is_missing(oci, bundle):
    b = bundle(["/bin/script"])
    b.file("/bin/script", "#!/no/such/sh\n", 0o755)
    oci.run(b).failed(1, "no such file or directory")
    assert not oci.traces()


def test_a_failed_create_leaves_nothing(oci, bundle):
    """The engine calls nothing but delete --force then, and not all do."""
    c = oci.container(bundle("true", {"mounts/-": {"destination": "/mnt", "type": "bind", "source": "/no/such/dir",
                                                   "options": ["bind"]}}))
    c.create().failed(1, "no such file or directory")
    assert not oci.traces()
    c.delete("--force").ok()


def test_the_log_is_appended_to(oci, bundle):
    log = os.path.join(oci.scratch(), "log")
    for _ in range(2):
        oci.cmd("--log", log, "--log-format=json", "state", unique("nobody")).failed(1)
    assert len([line for line in log_lines(log) if line["level"] == "error"]) == 2


def test_the_error_is_on_stderr_too(oci):
    log = os.path.join(oci.scratch(), "log")
    result = oci.cmd("--log", log, "--log-format", "json", "state", "nobody-here")
    assert "does not exist" in result.failed(1)
    assert "does not exist" in last_error(log)


def test_a_text_log(oci):
    log = os.path.join(oci.scratch(), "log")
    oci.cmd("--log", log, "--log-format", "text", "state", "nobody-here").failed(1)
    if oci.name != "crun":
        assert re.search(r'^time="[^"]+" level=error msg="', machine.read(log), re.M)
