# SPDX-License-Identifier: Apache-2.0
"""Edits of a bundle that the attacks on nook-oci have in common."""

ALL_CAPS = sorted(f"CAP_{name}" for name in (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP NET_ADMIN NET_RAW SYS_CHROOT SYS_PTRACE "
    "SYS_ADMIN MKNOD SETFCAP").split())


def caps(*names):
    return {f"process/capabilities/{kind}": [f"CAP_{name}" for name in names]
            for kind in ("bounding", "effective", "permitted")}


def userns(first=0, count=65536):
    """With first=0 root inside is root outside: as good as none, but by another road."""
    maps = [{"containerID": 0, "hostID": first, "size": count}]
    return {"linux/namespaces/-": {"type": "user"}, "linux/uidMappings": maps, "linux/gidMappings": maps}


def mount(destination, source, *options, kind="bind"):
    """One more mount: of several edits of one bundle, only one may be this."""
    return {"mounts/-": {"destination": destination, "type": kind, "source": source, "options": list(options)}}
