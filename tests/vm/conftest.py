# SPDX-License-Identifier: Apache-2.0
"""What is here is for the guests of tests/vm/vmrun alone: elsewhere it is not even collected."""

import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OCI = os.path.join(os.path.dirname(HERE), "oci")

collect_ignore_glob = [] if os.path.exists("/run/nook-vm") else ["test_*.py"]

# The fixtures of tests/oci, for test_oci_*.py.
sys.path.insert(0, OCI)
_spec = importlib.util.spec_from_file_location("oci_fixtures", f"{OCI}/conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
keeper, runtime_binary = _fixtures.keeper, _fixtures.runtime_binary
make_oci, oci, bundle = _fixtures.make_oci, _fixtures.oci, _fixtures.bundle
fd_socket, no_oci_leftovers = _fixtures.fd_socket, _fixtures.no_leftovers
