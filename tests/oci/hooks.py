# SPDX-License-Identifier: Apache-2.0
"""Hooks as the tests write them, and the file in which these say what they have seen."""

import machine

OUTER = ["prestart", "createRuntime", "poststart", "poststop"]
CREATE = ["prestart", "createRuntime", "createContainer"]
START = ["startContainer", "poststart"]
ALL = [*CREATE, *START, "poststop"]
PATH = "PATH=/usr/bin:/bin:/usr/sbin:/sbin"


def sh(script, **more):
    return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": [PATH], **more}


class Log:
    """A file that hooks write to; startContainer's sees it at /tmp/log of a root that can be written."""

    def __init__(self, bundle):
        self.path = bundle.file("/tmp/log", mode=0o666)
        self.bundle = bundle
        bundle.edit({"root/readonly": False})

    def place(self, kind):
        return "/tmp/log" if kind == "startContainer" else self.path

    def add(self, kind, script, **more):
        """A hook of this kind whose output goes there."""
        self.bundle.edit({f"hooks/{kind}": self.bundle.config.get("hooks", {}).get(kind, []) +
                          [sh(f"exec >>{self.place(kind)}; {script}", **more)]})
        return self

    def until_begun(self):
        """Waits till one has written."""
        machine.wait_until(self.lines, 10, "the hook")

    def lines(self):
        return machine.read(self.path).splitlines()

    def text(self):
        return machine.read(self.path)


def life(oci, bundle):
    """From create to delete."""
    c = oci.created(bundle)
    c.start().ok()
    c.kill("KILL").ok()
    c.until_stopped()
    c.delete().ok()
    return c
