"""Hosts of a test: network namespaces with cables between them.

They have no names and no files, only descriptors, so that the kernel removes them with the last
process that uses them, however a test ends.
"""

import ctypes
import os
import pathlib
import subprocess

CLONE_NEWNET, CLONE_NEWNS = 0x40000000, 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
LIBC = ctypes.CDLL(None, use_errno=True)
TOOLS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def checked(failed, what):
    if failed:
        raise OSError(ctypes.get_errno(), what)


def current():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def cover(files):
    """Has this process, before it becomes another program, see files in place of others."""
    checked(LIBC.unshare(CLONE_NEWNS), "unshare")
    checked(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")
    for place, file in files.items():
        checked(LIBC.mount(os.fsencode(file), os.fsencode(place), None, MS_BIND, None), place)


class Host:
    """A network namespace; what is opened or started in a `with` block of it belongs to it."""

    def __init__(self, name):
        self.name = name
        self.before = [current()]
        checked(LIBC.unshare(CLONE_NEWNET), "unshare")
        try:
            self.descriptor = current()
            # A new IPv6 address would stay unusable for seconds.
            for place in ("all", "default"):
                self.setting(f"ipv6/conf/{place}/accept_dad", 0)
            self.ip("link", "set", "dev", "lo", "up")
        finally:
            self.__exit__()

    def __enter__(self):
        self.before.append(current())
        checked(LIBC.setns(self.descriptor, CLONE_NEWNET), "setns")
        return self

    def __exit__(self, *_):
        before = self.before.pop()
        checked(LIBC.setns(before, CLONE_NEWNET), "setns")
        os.close(before)

    def close(self):
        os.close(self.descriptor)

    def run(self, *arguments, text=None):
        with self:
            done = subprocess.run(
                arguments, input=text, text=True, capture_output=True, timeout=30,
                env={**os.environ, "PATH": TOOLS})
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def ip(self, *arguments):
        return self.run("ip", *arguments)

    def setting(self, name, value):
        with self:
            pathlib.Path("/proc/sys/net", name).write_text(f"{value}\n")

    def connect(self, other, own, others):
        """A cable; each end is named after the host at the other one."""
        place = f"/proc/{os.getpid()}/fd/{other.descriptor}"
        self.ip("link", "add", "name", other.name, "type", "veth",
                "peer", "name", self.name, "netns", place)
        for host, far, addresses in ((self, other, own), (other, self, others)):
            for address in addresses:
                host.ip("address", "add", address, "dev", far.name)
            # No link-local address but those that were asked for.
            host.ip("link", "set", "dev", far.name, "addrgenmode", "none")
            host.ip("link", "set", "dev", far.name, "up")

    def default_route(self, gateway):
        self.ip("route", "add", "default", "via", gateway)

    def forward(self):
        self.setting("ipv4/ip_forward", 1)

    def filter(self, *arriving):
        """Statements of nft(8) about what arrives for the host itself."""
        self._load("filter", "chain input { type filter hook input priority 0;", *arriving, "}")

    def translate(self, arriving=(), leaving=()):
        """Network address translation by statements of nft(8)."""
        self._load(
            "nat", "chain arriving { type nat hook prerouting priority dstnat;", *arriving, "}",
            "chain leaving { type nat hook postrouting priority srcnat;", *leaving, "}")

    def _load(self, table, *lines):
        self.run("nft", "-f", "-", text="\n".join([f"table ip {table} {{", *lines, "}", ""]))
