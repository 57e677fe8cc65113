# SPDX-License-Identifier: Apache-2.0
"""What articles on cgroup namespaces show, on this kernel, with nook."""

import machine


def test_a_cgroup_namespace_shows_the_root_where_the_host_shows_a_path(root_nook):
    """The same process: / in its own eyes, a path with the container's name in the host's."""
    with root_nook.background("grep ^0:: /proc/self/cgroup; exec sleep 1000") as one:
        assert one.first == "0::/"
        outside = [line for line in machine.read(f"/proc/{one.pid}/cgroup").splitlines() if line.startswith("0::")]
        assert outside[0] != "0::/" and one.name in outside[0]


def test_without_a_cgroup_namespace_the_path_shows(root_nook):
    """Shared, the program sees what the host sees."""
    with root_nook.background("grep ^0:: /proc/self/cgroup; exec sleep 1000", "--share", "cgroup") as one:
        outside = [line for line in machine.read(f"/proc/{one.pid}/cgroup").splitlines() if line.startswith("0::")]
        assert [one.first] == outside
