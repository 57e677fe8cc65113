# SPDX-License-Identifier: Apache-2.0
"""What is here is for the guests of tests/vm/vmrun alone: elsewhere it is not even collected."""

import os

collect_ignore_glob = [] if os.path.exists("/run/nook-vm") else ["test_*.py"]
