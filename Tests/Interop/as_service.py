"""Runs a program under the restrictions of a service unit, as systemd would, on a machine without it.

usage: as_service.py UNIT PROGRAM [ARGUMENT...]

To be started in a mount namespace of its own. Carried out are the file system (ProtectSystem=strict,
ReadWritePaths=, ProtectProc=, ProtectKernelTunables=, PrivateDevices=), the capabilities, the limits, and
the filters of system calls and address families, which is what a server can trip over.
"""

import ctypes
import functools
import os
import pathlib
import resource
import socket
import stat
import subprocess
import sys

PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
# The devices that PrivateDevices= leaves.
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9),
           "tty": (5, 0)}
ALLOW, ERRNO_EPERM = 0x7FFF0000, 0x00050001
EQUAL, MASKED_EQUAL = 4, 7


def settings(unit):
    """Every value of every setting, in order."""
    found = {}
    for line in pathlib.Path(unit).read_text().splitlines():
        name, mark, value = line.partition("=")
        if mark and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def words(values):
    return [word for value in values for word in value.split()]


def capabilities(unit):
    return words(settings(unit)["CapabilityBoundingSet"])


@functools.cache
def members(name):
    """The system calls of one name, which may stand for a set of them."""
    if not name.startswith("@"):
        return frozenset([name])
    listing = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name],
                             capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()[1:]]
    return frozenset().union(*(members(row[0]) for row in rows if row and row[0] != "#"))


def system_calls(unit):
    """What is allowed by SystemCallFilter= in the end."""
    allowed = set()
    for value in settings(unit)["SystemCallFilter"]:
        found = set().union(*(members(name) for name in value.lstrip("~").split()))
        allowed = allowed - found if value.startswith("~") else allowed | found
    # What systemd allows whatever is written: it could not start the program otherwise.
    return allowed | members("@default")


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int),
                ("first", ctypes.c_uint64), ("second", ctypes.c_uint64)]


def comparisons(unit):
    """For some calls, the arguments that are allowed; any of them is enough."""
    families = words(settings(unit)["RestrictAddressFamilies"])
    both = PROT_WRITE | PROT_EXEC
    # What openat2(2) would make lies in memory, where no filter sees it: systemd takes all of it away.
    hidden = {"openat2": []} if settings(unit).get("RestrictSUIDSGID") == ["yes"] else {}
    return {
        **hidden,
        "socket": [Comparison(0, EQUAL, getattr(socket, name), 0) for name in families],
        "mmap": [Comparison(2, MASKED_EQUAL, both, some) for some in (0, PROT_WRITE, PROT_EXEC)],
        "mprotect": [Comparison(2, MASKED_EQUAL, PROT_EXEC, 0)],
        "pkey_mprotect": [Comparison(2, MASKED_EQUAL, PROT_EXEC, 0)],
        "shmat": [Comparison(2, MASKED_EQUAL, SHM_EXEC, 0)],
        # RestrictNamespaces=yes.
        "unshare": [], "setns": [],
    }


def filter_system_calls(unit):
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ERRNO_EPERM))
    limited = comparisons(unit)
    for name in system_calls(unit):
        number = library.seccomp_syscall_resolve_name(name.encode())
        # Calls of other architectures, or of a kernel that is younger than the library.
        if number < 0:
            continue
        rules = [[one] for one in limited[name]] if name in limited else [[]]
        for rule in rules:
            array = (Comparison * len(rule))(*rule)
            result = library.seccomp_rule_add_array(
                context, ctypes.c_uint32(ALLOW), number, len(rule), array)
            assert result == 0, (name, result)
    assert library.seccomp_load(context) == 0


def protect_files(unit):
    def mount(*arguments):
        subprocess.run(["mount", *arguments], check=True)

    mount("--make-rprivate", "/")
    for path in words(settings(unit)["ReadWritePaths"]):
        path = path.removeprefix("-")
        if os.path.exists(path):
            mount("--bind", path, path)
    mount("-o", "remount,bind,ro", "/")
    mount("-t", "proc", "-o", "hidepid=invisible", "proc", "/proc")
    mount("--bind", "-o", "ro", "/proc/sys", "/proc/sys")
    mount("-t", "tmpfs", "-o", "mode=0755,nosuid,noexec", "tmpfs", "/dev")
    os.umask(0)
    for name, numbers in DEVICES.items():
        os.mknod(f"/dev/{name}", stat.S_IFCHR | 0o666, os.makedev(*numbers))
    mount("-o", "remount,bind,ro", "/dev")


def main(unit, *command):
    protect_files(unit)
    found = settings(unit)
    for name, limit in (("LimitNOFILE", resource.RLIMIT_NOFILE), ("LimitCORE", resource.RLIMIT_CORE)):
        value = int(found[name][-1])
        resource.setrlimit(limit, (value, value))
    os.umask(int(found["UMask"][-1], 8))
    kept = [name.removeprefix("CAP_").lower() for name in capabilities(unit)]
    inside = [sys.executable, __file__, "--inside", unit, *command]
    os.execvp("setpriv", [
        "setpriv", "--bounding-set", ",".join(["-all", *(f"+{name}" for name in kept)]),
        "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs", *inside])


def inside(unit, *command):
    filter_system_calls(unit)
    os.execv(command[0], command)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
