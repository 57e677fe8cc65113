# SPDX-License-Identifier: Apache-2.0
"""What attacks need: the hostile program (attacker.c), a root that holds it, copies of nook to be overwritten."""

import os
import shutil
import subprocess

import pytest
import rootfs

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope="session")
def attacker(base):
    """attacker.c, static: it runs in any root."""
    path = os.path.join(base, "attacker")
    subprocess.run(["gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", path,
                    os.path.join(HERE, "attacker.c")], check=True)
    os.chmod(path, 0o755)
    return path


@pytest.fixture
def hostile_root(attacker):
    """A function: a root file system with the attacker in it, owned by the account of the nook that is passed."""
    def make(nook):
        root = rootfs.make(nook.scratch("hostile"))
        shutil.copy(attacker, f"{root}/attacker")
        return nook.own(root)
    return make
