"""A directory seen through FUSE, whose operations fail when a test wants them to.

Run as a program it serves BACKING at MOUNT; the file beside BACKING says what fails, one line for
each: the operation, the error, and what the path has to end with. Given the ids of a
user and a group it is theirs, and root may not enter it.
"""

import contextlib
import errno
import os
import subprocess
import sys

from control import wait_until

try:
    # fusepy as Debian packages it
    import fusepy as fuse
except ImportError:
    fuse = None


def faults_file(backing):
    return str(backing) + ".faults"


class Disk:
    """What a test holds: `path` is the mount, `backing` what lies behind it."""

    def __init__(self, directory):
        self.path = directory / "mount"
        self.backing = directory / "backing"
        for made in (self.path, self.backing):
            made.mkdir()
        self.repair()

    def fail(self, operation, error="EIO", path=""):
        """Lets an operation fail from now on, on top of what fails already."""
        with open(faults_file(self.backing), "a", encoding="utf-8") as file:
            file.write(f"{operation} {error} {path}\n")

    def repair(self):
        with open(faults_file(self.backing), "w", encoding="utf-8"):
            pass


@contextlib.contextmanager
def mounted(directory, account=None):
    """A mount for everybody, or for one account alone."""
    disk = Disk(directory)
    command = [sys.executable, __file__, str(disk.backing), str(disk.path)]
    if account:
        command += [str(account.uid), str(account.gid)]
        for path in (disk.path, disk.backing):
            account.own(path)
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        def is_there():
            assert program.poll() is None, "the FUSE program has ended"
            # Not os.path.ismount(), which has to enter it.
            with open("/proc/self/mounts", encoding="utf-8") as mounts:
                return any(line.split()[1] == str(disk.path) for line in mounts)
        wait_until(is_there, what="the FUSE mount")
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk.path], check=False, stderr=subprocess.DEVNULL)
        try:
            program.wait(5)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait(5)


def operations(backing):
    def real(path):
        return backing + path

    class Passage(fuse.Operations):
        """Every operation on what lies behind, as root, for a user that the kernel has checked."""

        def __call__(self, operation, *arguments):
            path = arguments[0] if arguments and isinstance(arguments[0], str) else ""
            with open(faults_file(backing), encoding="utf-8") as file:
                for line in file:
                    name, error, end = line.rstrip("\n").split(" ", 2)
                    if name == operation and path.endswith(end):
                        raise fuse.FuseOSError(getattr(errno, error))
            if not hasattr(self, operation):
                raise fuse.FuseOSError(errno.ENOSYS)
            return getattr(self, operation)(*arguments)

        def getattr(self, path, handle=None):
            facts = os.lstat(real(path))
            return {name: getattr(facts, name) for name in (
                "st_atime", "st_ctime", "st_gid", "st_ino", "st_mode", "st_mtime", "st_nlink",
                "st_size", "st_uid")}

        def readdir(self, path, handle):
            return [".", ".."] + os.listdir(real(path))

        def statfs(self, path):
            facts = os.statvfs(real(path))
            return {name: getattr(facts, name) for name in (
                "f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files",
                "f_flag", "f_frsize", "f_namemax")}

        def open(self, path, flags):
            return os.open(real(path), flags & ~os.O_APPEND)

        def create(self, path, mode, info=None):
            user, group, _ = fuse.fuse_get_context()
            handle = os.open(real(path), os.O_CREAT | os.O_RDWR | os.O_EXCL, mode)
            os.fchown(handle, user, group)
            return handle

        def read(self, path, size, offset, handle):
            return os.pread(handle, size, offset)

        def write(self, path, data, offset, handle):
            return os.pwrite(handle, data, offset)

        def truncate(self, path, length, handle=None):
            os.truncate(real(path), length)

        def flush(self, path, handle):
            return 0

        def fsync(self, path, dataonly, handle):
            return os.fsync(handle)

        def fsyncdir(self, path, dataonly, handle):
            return 0

        def release(self, path, handle):
            os.close(handle)

        def unlink(self, path):
            os.unlink(real(path))

        def rename(self, old, new):
            os.rename(real(old), real(new))

        def mkdir(self, path, mode):
            user, group, _ = fuse.fuse_get_context()
            os.mkdir(real(path), mode)
            os.chown(real(path), user, group)

        def rmdir(self, path):
            os.rmdir(real(path))

        def chmod(self, path, mode):
            os.chmod(real(path), mode)

        def utimens(self, path, times=None):
            os.utime(real(path), times)

    return Passage()


if __name__ == "__main__":
    if len(sys.argv) > 3:
        os.setgroups([])
        os.setgid(int(sys.argv[4]))
        os.setuid(int(sys.argv[3]))
    fuse.FUSE(operations(sys.argv[1]), sys.argv[2], foreground=True, nothreads=True,
              allow_other=os.geteuid() == 0, default_permissions=True, attr_timeout=0, entry_timeout=0,
              negative_timeout=0, use_ino=True, hard_remove=True)
