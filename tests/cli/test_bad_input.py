# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong with the words: 125, one clear error that names it, and (by the fixture) nothing left."""

import pytest

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("words, named", [
    (["--no-such-option", "true"], "--no-such-option"),
    (["--hostnam", "x", "true"], "--hostname"),
    (["-Z", "true"], "-Z"),
    (["--hostname"], "--hostname"),
    (["--hostname", "", "true"], "--hostname"),
    (["--hostname", "x" * 65, "true"], "64"),
    (["--hostname", "a b", "true"], "a b"),
    (["--domainname", "x" * 65, "true"], "64"),
    (["--read-only=yes", "true"], "--read-only"),
    (["--clear-env=1", "true"], "--clear-env"),
    (["--init", "--no-init=1", "true"], "--no-init"),
    (["--", ""], "command"),
])
def test_bad_words(nook, words, named):
    nook.run(*words).failed(125, named)


def test_the_error_is_one(nook):
    err = nook.run("--hostname", "a b", "--cap-add", "wrong", "true").failed(125)
    assert len([line for line in err.splitlines() if line.startswith("nook: ")]) == 1


def test_nothing_goes_to_stdout(nook):
    assert nook.run("--no-such-option").out == ""


@pytest.mark.parametrize("words", [[], ["no-such-command"], ["--no-such-option"]])
def test_a_wrong_command_line_of_nook_itself(nook, words):
    nook.cmd(*words).failed(125)


def test_a_command_is_guessed(nook):
    nook.cmd("rnu").failed(125, "run")


def test_an_error_that_cannot_be_printed_is_an_error(nook):
    assert nook.outside("sh", "-c", f"{nook.binary} run --no-such-option 2>/dev/full", check=False).status == 125


def test_help_that_cannot_be_printed_is_an_error(nook):
    assert nook.outside("sh", "-c", f"{nook.binary} run --plan -- true >/dev/full", check=False).status == 125


def test_a_missing_state_directory_is_made(user_nook):
    import shutil
    shutil.rmtree(user_nook.state_dir, ignore_errors=True)
    user_nook.run("true").ok()


@pytest.mark.parametrize("limit", range(3, 40, 4))
def test_few_descriptors_allowed(nook, unsanitized, limit):
    """It works, or says why not; and leaves nothing."""
    out = nook.outside("sh", "-c", f"ulimit -n {limit}; exec {nook.binary} run -- true", check=False)
    assert out.status == 0 or (out.status == 125 and out.err.startswith("nook: ")), out


def test_a_state_directory_that_others_could_write_is_refused(user_nook):
    import os
    os.makedirs(user_nook.state_dir, exist_ok=True)
    os.chmod(user_nook.state_dir, 0o777)
    try:
        user_nook.run("true").failed(125, user_nook.state_dir)
    finally:
        os.chmod(user_nook.state_dir, 0o700)
