# SPDX-License-Identifier: Apache-2.0
"""What Debian's runc 1.1.5 and crun 1.8.1 answer otherwise than these tests expect of nook-oci, and why."""

KNOWN = {}
