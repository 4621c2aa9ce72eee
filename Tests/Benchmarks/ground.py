"""What a run stands on: a network, an account, users, a certificate, and files in memory.

All of it goes with the run. The loopback is one of its own, in a network namespace without a name;
files lie in a memory file system that only this process and its children see.
"""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import accounts
from accounting import Tree, adopt_orphans
from certificates import make_certificate
from embedding import combined
from gateway import PAM
from namespaces import (CLONE_NEWNS, LIBC, MS_PRIVATE, MS_REC, Host, checked)
from virtual_users import VirtualUser

MNT_DETACH = 2
# FALLOC_FL_PUNCH_HOLE and FALLOC_FL_KEEP_SIZE.
PUNCH_HOLE, HOLE = 3, 64 << 10
ENDS = {signal.SIGTERM, signal.SIGINT}
SMALL_FILES, SMALL_BYTES, BUSY_BYTES, MEGABYTE = 200, 4096, 256 << 10, 1 << 20
# Hashing is the same for everybody and would hide the rest of a login.
ROUNDS = "rounds=1000$"


def hashed(password):
    return subprocess.run(
        ["openssl", "passwd", "-6", "-salt", ROUNDS + os.urandom(6).hex(), "-stdin"],
        input=password, text=True, capture_output=True, check=True, timeout=20).stdout.strip()


def block_ends():
    """What is being made or undone is not broken off halfway; signals wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)


def unblock_ends():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)


class Ground:
    """Once per process, as root. Inside, the end of the process has to be let through again."""

    def __init__(self, sizes):
        self.sizes = sizes
        # Children of ours that are no part of a server.
        self.strangers = set()
        self.account = None

    def __enter__(self):
        block_ends()
        adopt_orphans()
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="portcullis-benchmarks-"))
        self.mounted = []
        try:
            checked(LIBC.unshare(CLONE_NEWNS), "unshare")
            checked(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")
            self._memory(self.root, 0o755)
            self.network = Host("benchmarks")
            self.network.__enter__()
            self.congestion = self._congestion()
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        block_ends()
        # Whatever was cut short between a fork and the note of it is a child of ours as well.
        Tree(set()).kill()
        for place in reversed(self.mounted):
            LIBC.umount2(os.fsencode(place), MNT_DETACH)
        if self.account:
            self.account.remove()
        if hasattr(self, "network"):
            self.network.__exit__()
            self.network.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def _memory(self, place, mode):
        checked(LIBC.mount(b"benchmarks", os.fsencode(place), b"tmpfs", 0,
                           f"mode={mode:o},size=60%".encode()), "mount")
        self.mounted.append(place)

    def _congestion(self):
        """Pacing costs time where nothing is lost."""
        try:
            self.network.setting("ipv4/tcp_congestion_control", "reno")
        except OSError:
            pass
        return pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()

    def _make(self):
        self.certificate = make_certificate(self.root, "localhost")
        self.both = combined(self.certificate, self.root)
        self.services = self.root / "services"
        self.services.mkdir(0o755)
        for name in ("portcullis", "pure-ftpd", "other"):
            shutil.copyfile(PAM / "portcullis", self.services / name)
        self.account = accounts.Account.create()
        accounts.run("usermod", "--password", hashed(self.account.password), self.account.name)
        self._memory(self.account.home, 0o700)
        os.chown(self.account.home, self.account.uid, self.account.gid)
        self.guest = VirtualUser("guest", self.account.home)
        self.users = self.root / "users"
        self.users.write_text(
            f"guest:{hashed(self.guest.password)}:{self.guest.home}:elradfmwMT:\n")
        self.users.chmod(0o600)
        self.noise = os.urandom(MEGABYTE)
        for name in ("small", "up", "many"):
            self.account.directory(name)
        for number in range(SMALL_FILES):
            self.file(f"small/{number}", SMALL_BYTES)
        self.file("busy", BUSY_BYTES)
        self.names(100)

    def file(self, name, size):
        """A file that is made when a load first asks for it."""
        path = self.account.home / name
        if path.exists() and path.stat().st_size == size:
            return name
        with open(path, "wb") as file:
            for start in range(0, size, MEGABYTE):
                file.write(self.noise[:min(MEGABYTE, size - start)])
        self.account.own(path)
        return name

    def names(self, count):
        """A directory of so many empty files."""
        name = f"names{count}"
        path = self.account.home / name
        if not path.exists():
            self.account.directory(name)
            for number in range(count):
                file = path / f"report-{number:06d}.csv"
                file.touch()
                self.account.own(file)
        return name

    def keep_pages(self, size):
        """Sees that uploads of `size` bytes find pages that the machine has; what was done.

        A virtual machine may hand large runs of free pages back to its host, and whoever needs them
        next waits, and pays, for all of them: the first upload was measured at up to three times the
        cost of the second. Holes in a file that stays leave pages too scattered for that."""
        with open("/proc/meminfo", encoding="ascii") as file:
            free = int(re.search(r"MemAvailable:\s+(\d+)", file.read()).group(1)) << 10
        if free < 4 * size:
            return "not kept at hand, there is too little memory"
        path = self.root / "ballast"
        with open(path, "wb") as file:
            for _ in range(0, 2 * size, MEGABYTE):
                file.write(self.noise)
            file.flush()
            for start in range(0, 2 * size, 2 * HOLE):
                checked(LIBC.fallocate(file.fileno(), PUNCH_HOLE, ctypes.c_long(start),
                                       ctypes.c_long(HOLE)), "fallocate")
        return f"{size >> 20:,} MiB of pages kept at hand"

    def clear_uploads(self):
        for path in (self.account.home / "up").iterdir():
            path.unlink()

    def directory_for_server(self):
        return pathlib.Path(tempfile.mkdtemp(prefix="server-", dir=self.root))

    def remove_directory(self, directory):
        shutil.rmtree(directory, ignore_errors=True)


def processor():
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    models = re.findall(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return models[0] if models else os.uname().machine
