"""Fresh systems of Debian, each in a directory, for whoever has to have root on one."""

import os
import pathlib
import re
import shutil
import subprocess

from namespaces import CLONE_NEWNS, LIBC, MS_PRIVATE, MS_REC, checked


def run(*arguments, seconds=300, **settings):
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True,
                          timeout=seconds, stdin=settings.pop("stdin", subprocess.DEVNULL), **settings)
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}{done.stderr}"
    return done.stdout


class Machine:
    """A fresh system in a directory, with mounts of its own that end with its programs."""

    def __init__(self, root):
        self.root = root

    def enter(self):
        """For a process that is about to become a program of this machine."""
        own_mounts()
        checked(LIBC.mount(b"proc", os.fsencode(self.root / "proc"), b"proc", 0, None), "proc")
        os.chroot(self.root)
        os.chdir("/")

    def run(self, *arguments, **settings):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                       "DEBIAN_FRONTEND": "noninteractive"}
        return run(*arguments, preexec_fn=self.enter, env=environment, **settings)

    def install(self, package, *options):
        place = self.root / "tmp" / package.name
        shutil.copy(package, place)
        self.run("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *options,
                 f"/tmp/{package.name}")
        place.unlink()

    def names(self):
        """Every file that has to do with this server."""
        return sorted(
            str(path.relative_to(self.root)) for path in self.root.rglob("*portcullis*")
            if not path.is_relative_to(self.root / "var/cache")
            and not path.is_relative_to(self.root / "proc"))


def mirror():
    """Where this machine has its own packages from."""
    for file in [pathlib.Path("/etc/apt/sources.list"),
                 *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]:
        if file.is_file():
            found = re.search(r"^(?:URIs:|deb(?: \[.*?\])?) *(https?://\S+)", file.read_text(),
                              re.MULTILINE)
            if found:
                return found[1]
    return "http://deb.debian.org/debian"


def release():
    """What this system says that it is."""
    lines = pathlib.Path("/etc/os-release").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name: value.strip('"') for name, value in pairs}


def own_mounts():
    checked(LIBC.unshare(CLONE_NEWNS), "unshare")
    checked(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")


def bootstrap(place, packages=(), seconds=900):
    """Puts the release that this machine runs into a directory; the caller looks how it went."""
    return subprocess.run(
        ["debootstrap", "--variant=minbase",
         *([f"--include={','.join(packages)}"] if packages else []),
         release().get("VERSION_CODENAME", ""), str(place), mirror()],
        capture_output=True, text=True, timeout=seconds, preexec_fn=own_mounts)
