# SPDX-License-Identifier: Apache-2.0
"""What zsh itself offers when Tab is pressed: completions run in no other way than below its line editor, on a terminal."""

import os
import pty
import select
import signal
import time

BEGIN = r"""
PROMPT=
fpath=($NOOK_TEST/functions $fpath)
path=($NOOK_TEST/bin $path)
autoload -Uz compinit
compinit -u -D
# All that would be shown goes through compadd; with -O, -A or -D it only sorts out.
compadd() {
	local -a found
	if [[ " ${(j: :)@} " != *' -'[OAD]' '* ]]; then
		builtin compadd -A found "$@"
		print -rl -- "$found[@]" >>$NOOK_TEST/offered
	fi
	builtin compadd "$@"
}
ended() { : >$NOOK_TEST/ended }
comppostfuncs=(ended)
cd $NOOK_TEST/here
: >$NOOK_TEST/ready
"""


class Shell:
    """In a folder of its own, with one completion, a program of that name, and the files that are to be offered."""

    def __init__(self, folder, name, completion, program, files):
        self.folder = folder
        self.put(f"functions/_{name}", completion)
        self.put(f"bin/{name}", program, 0o755)
        self.put("begin", BEGIN)
        for path in files:
            self.put(f"here/{path}", "")

    def put(self, path, text, mode=0o644):
        path = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def offered(self, line, seconds=20):
        """The words for the last one of the line."""
        for name in ("ready", "offered", "ended"):
            if os.path.exists(f"{self.folder}/{name}"):
                os.unlink(f"{self.folder}/{name}")
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("zsh", ["zsh", "-f", "-i"], {"TERM": "dumb", "NOOK_TEST": self.folder, "HOME": self.folder,
                                                    "PATH": os.environ["PATH"]})
        said, typed = b"", False
        try:
            os.write(terminal, b". $NOOK_TEST/begin\n")
            end = time.monotonic() + seconds
            while not os.path.exists(f"{self.folder}/ended"):
                assert time.monotonic() < end, f"no completion of {line!r}: {said!r}"
                if select.select([terminal], [], [], 0.02)[0]:
                    said += os.read(terminal, 4096)
                if not typed and os.path.exists(f"{self.folder}/ready"):
                    os.write(terminal, line.encode() + b"\t")
                    typed = True
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(terminal)
        if not os.path.exists(f"{self.folder}/offered"):
            return []
        with open(f"{self.folder}/offered", encoding="utf-8") as file:
            # A word in two groups, as files are, is told twice.
            return sorted({word for word in file.read().splitlines() if word})
