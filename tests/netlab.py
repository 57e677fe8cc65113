# SPDX-License-Identifier: Apache-2.0
"""
A stage for tests with real packets, of net namespaces that nobody else is in:

    world ── eth0 ──────── eth0 ── host ── whatever nook makes

In `host` nook runs as root, with a /run of its own. `world` plays all that is outside: it knows the way to the host's
own addresses and to nothing behind it. The machine's own network is not touched, and when the test ends, however it
does, the namespaces end with all that is in them.
"""

import contextlib
import errno
import json
import os
import select
import shutil
import socket
import subprocess
import threading

import machine
import nookrun
from result import Result

CLONE_NEWNET = 0x40000000
V4, V6 = 4, 6
FAMILIES = [V4, V6]

HOST = {V4: "192.0.2.1", V6: "2001:db8:1::1"}  # the host's end of the way out
GATEWAY = {V4: "192.0.2.2", V6: "2001:db8:1::2"}  # the world's end of it
INTERNET = {V4: "198.51.100.1", V6: "2001:db8:ffff::1"}  # further out, behind the gateway
PREFIX = {V4: 24, V6: 64}
# What is on the host, and outside of a container, before nook makes anything.
LINKS = {"lo", "eth0"}

STATE = "/run/nook"
# Below STATE: what lives as long as its container, or its network, and no longer.
OWNED = ["containers", "new", "locks", "start", "ids", "net/networks", "net/addresses", "net/ports", "net/hosts",
         "net/containers", "net/relays"]


class Server:
    """Answers each who asks with its own text and the asker's address, until it is closed."""

    def __init__(self, bound, text):
        self.socket, self.text = bound, text
        self.port = bound.getsockname()[1]
        self.end, self.ended = os.pipe()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        watch = select.poll()
        watch.register(self.socket, select.POLLIN)
        watch.register(self.end, select.POLLHUP)
        while self.end not in dict(watch.poll()):
            with contextlib.suppress(OSError):  # who asked is gone
                self._answer()

    def _answer(self):
        if self.socket.type == socket.SOCK_DGRAM:
            # The answer comes from the address that was asked: without, from the one that is nearest to the asker.
            _, asked, _, peer = self.socket.recvmsg(99, 999)
            self.socket.sendmsg([self._text(peer)], asked, 0, peer)
        else:
            connection, peer = self.socket.accept()
            with connection:
                connection.sendall(self._text(peer))

    def _text(self, peer):
        return f"{self.text} {peer[0].removeprefix('::ffff:')}".encode()

    def close(self):
        if self.end < 0:
            return
        os.close(self.ended)
        self.thread.join()
        os.close(self.end)
        self.end = -1
        self.socket.close()


class Space:
    """A net namespace, and a mount namespace to run commands in (-1: ours)."""

    def __init__(self, net, mount=-1):
        self.net, self.mount = net, mount
        self.servers = []

    def _enter(self):
        if self.mount >= 0:
            machine.setns(self.mount, machine.CLONE_NEWNS)
            os.chdir("/")
        machine.setns(self.net, CLONE_NEWNET)

    def try_(self, *argv, input=None, timeout=20):
        """A command in it: how it ended."""
        argv = [str(word) for word in argv]
        result = subprocess.run(argv, input=input or "", text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                timeout=timeout * machine.PATIENCE, preexec_fn=self._enter, check=False,
                                env={"PATH": machine.PATH, "LANG": "C.UTF-8"})
        return Result(argv, machine.shell_status(result.returncode), result.stdout, result.stderr)

    def run(self, *argv, **kw):
        """A command in it, which must end well: what it printed."""
        return self.try_(*argv, **kw).ok()

    def ip(self, *words):
        """`ip -j WORDS`, read."""
        return json.loads(self.run("ip", "-d", "-j", *words) or "[]")

    def ip_batch(self, text):
        """Lines of `ip`, all in one program."""
        self.run("ip", "-batch", "-", input=text)

    def nft(self, text):
        self.run("nft", "-f", "-", input=text)

    def ruleset(self):
        """`nft -j list ruleset`: its objects but the first, which is about nft."""
        return json.loads(self.run("nft", "-j", "list", "ruleset"))["nftables"][1:]

    def tables(self):
        """Of nftables: {("inet", "nook"), …}"""
        return {(each["table"]["family"], each["table"]["name"]) for each in self.ruleset() if "table" in each}

    def links(self):
        return {link["ifname"]: link for link in self.ip("link", "show")}

    def addresses(self, link=None):
        """{"192.0.2.1/24", …} but those that the kernel made of a link's hardware address."""
        rows = self.ip("address", "show", *(["dev", link] if link else []))
        return {f"{a['local']}/{a['prefixlen']}" for row in rows for a in row["addr_info"] if "local" in a
                and not a["local"].startswith("fe80:")}

    def sysctl(self, name, value=None):
        """"ipv4/ip_forward", say: below /proc/sys/net who opens a file sees its own namespace's."""
        path = f"/proc/sys/net/{name}"

        def do():
            if value is None:
                return machine.read(path).strip()
            with open(path, "w", encoding="ascii") as file:
                return file.write(str(value))
        return self.within(do)

    # ---- packets ----

    def within(self, function):
        """
        Calls it in a thread of ours that is in this net namespace (which each thread has of its own), and nothing else
        is. A socket stays where it was made.
        """
        answer = []

        def work():
            try:
                machine.setns(self.net, CLONE_NEWNET)
                answer.append((function(), None))
            except BaseException as error:
                answer.append((None, error))
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        value, error = answer[0]
        if error:
            raise error
        return value

    def ping(self, address, seconds=5):
        """Whether an echo comes back; as soon as it does."""
        return self.try_("busybox", "ping", "-c", "1", "-W", seconds, address).status == 0

    def serve(self, text, port=0, address="", udp=False):
        """A server here. On no address it is on all, of both families. It listens when this returns."""
        def bind():
            made = socket.socket(socket.AF_INET if "." in address else socket.AF_INET6,
                                 socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if made.family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, bool(address))
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, udp)
            try:
                made.bind((address, port))
                if not udp:
                    made.listen()
            except BaseException:
                made.close()
                raise
            return made
        self.servers.append(Server(self.within(bind), text))
        return self.servers[-1]

    def ask(self, address, port, udp=False, seconds=5):
        """What the server says. OSError: ECONNREFUSED, ENETUNREACH, a timeout, …"""
        def do():
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as asking:
                asking.settimeout(seconds * machine.PATIENCE)
                asking.connect((address, port))
                if udp:
                    asking.send(b"?")
                return asking.recv(99).decode()
        return self.within(do)

    def why_not(self, address, port, udp=False, seconds=5):
        """Why the server can't be asked: "ECONNREFUSED", "ETIMEDOUT"; None: it can."""
        try:
            self.ask(address, port, udp, seconds)
        except TimeoutError:
            return "ETIMEDOUT"
        except OSError as error:
            return errno.errorcode[error.errno]
        return None

    def reaches(self, address, port, udp=False):
        """Whether the server answers; what answers at all does so within a second."""
        return self.why_not(address, port, udp, seconds=1) is None

    def close(self):
        while self.servers:
            self.servers.pop().close()
        for name in ("net", "mount"):
            fd = getattr(self, name)
            if fd >= 0:
                os.close(fd)
            setattr(self, name, -1)


class HostAccount(machine.Account):
    """An account whose commands run on the lab's host."""

    net_ns = -1

    def enter(self):
        machine.setns(self.net_ns, CLONE_NEWNET)
        super().enter()


def missing():
    """What of the kernel or the machine is not there, or None."""
    for program in ("ip", "nft", "busybox"):
        if not shutil.which(program, path=machine.PATH):
            return f"{program} is not installed"
    result = subprocess.run(["unshare", "-n", "sh", "-ec",
                             "ip link add nook-a type veth peer name nook-b; ip link add nook-c type bridge; "
                             "nft add table inet nook-d; nft add chain inet nook-d e '{ type nat hook postrouting priority 0; }'; "
                             "nft add rule inet nook-d e masquerade"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return None if result.returncode == 0 else f"this kernel has no veth, bridge or nftables: {result.stdout.strip()}"


class NetLab:
    """The stage: `host` and `world` are Spaces, `nook` runs on the host."""

    def __init__(self, binary, base):
        self.binary, self.base = binary, base
        self.spaces = []
        self.nooks = []
        self.holders = []
        try:
            self._raise(binary, base)
        except BaseException:
            self.close()
            raise

    def _raise(self, binary, base):
        self.host = self._hold("host")
        self.world = self._hold("world")
        self._wire()
        self.root_dir = f"/proc/{self.holders[0].pid}/root"  # the host's view of files
        self.nook = self.nook_as(machine.Account("root", 0, 0, "/root"))

    def _hold(self, name):
        """A process that ends with us holds the namespaces; they would end with our descriptors, too."""
        script = "mount -t tmpfs -o mode=755 tmpfs /run; mkdir -m 700 /run/nook; echo ready; read end"
        holder = subprocess.Popen(["unshare", "-m", "-n", "--propagation", "private", "sh", "-ec", script, name],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.holders.append(holder)
        if holder.stdout.readline() != "ready\n":
            raise OSError("no private namespaces here")
        self.spaces.append(Space(*(os.open(f"/proc/{holder.pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
                                   for kind in ("net", "mnt"))))
        return self.spaces[-1]

    def _wire(self):
        """nodad: an address that is still being looked at for duplicates answers nobody."""
        ends = {self.host: HOST, self.world: GATEWAY}
        self.host.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns",
                      f"/proc/{self.holders[1].pid}/ns/net")
        for space, own in ends.items():
            space.ip_batch("\n".join(["link set lo up", "link set eth0 up"] + [
                f"address add {own[family]}/{PREFIX[family]} dev eth0 {'nodad' if family == V6 else ''}"
                for family in FAMILIES]))
        self.world.ip_batch("\n".join(f"address add {INTERNET[family]} dev lo" for family in FAMILIES))
        self.host.ip_batch("\n".join(f"route add default via {GATEWAY[family]}" for family in FAMILIES))

    def nook_as(self, account):
        """nook for an account, on the host. One that has a mount namespace of its own keeps it."""
        mount = account.mount_ns if account.mount_ns >= 0 else self.host.mount
        here = HostAccount(account.name, account.uid, account.gid, account.home, mount, account.env)
        here.net_ns = self.host.net
        self.nooks.append(nookrun.Nook(self.binary, here, self.base))
        return self.nooks[-1]

    def space_of(self, pid):
        """Where a process is: a container's pid 1, say."""
        return self.space_at(f"/proc/{pid}/ns/net")

    def space_at(self, path):
        """The net namespace that a file stands for."""
        self.spaces.append(Space(os.open(path, os.O_RDONLY | os.O_CLOEXEC)))
        return self.spaces[-1]

    def space_at(self, path):
        """By its file, as the host sees it."""
        self.spaces.append(Space(os.open(self.path(path), os.O_RDONLY | os.O_CLOEXEC)))
        return self.spaces[-1]

    def new_space(self):
        """A net namespace that nook knows nothing of, with its loopback up."""
        space = self._hold("extra")
        space.run("ip", "link", "set", "lo", "up")
        return space

    def path(self, path):
        """Where a file of the host's can be opened by us: lab.path("/run/nook/net")."""
        return self.root_dir + path

    def files(self, folder):
        """Names in a folder below STATE; a folder that is not there is empty."""
        try:
            return sorted(os.listdir(self.path(f"{STATE}/{folder}")))
        except FileNotFoundError:
            return []

    def left(self):
        """All that nook has made on this host and not taken away: sentences."""
        found = [f"link {name}" for name in sorted(self.host.links().keys() - LINKS)]
        found += [f"nft table {' '.join(table)}" for table in sorted(self.host.tables()) if table[1] == "nook"]
        for folder in OWNED:
            found += [f"{folder}/{name}" for name in self.files(folder) if not name.startswith(".")]  # nook's own locks
        return found

    def let_go(self):
        """Of all namespaces but the host's and the world's."""
        for space in self.spaces[2:]:
            space.close()

    def close(self):
        for nook in self.nooks:
            nook.clean()
        for space in self.spaces:
            space.close()
        for holder in self.holders:
            holder.communicate("end\n")
