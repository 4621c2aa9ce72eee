"""Real system accounts, made for a run and removed after it."""

import contextlib
import dataclasses
import fcntl
import grp
import os
import pathlib
import pwd
import secrets
import shutil
import subprocess

# What was given to anybody in this run; it must stand in the output of no daemon.
PASSWORDS = set()


@contextlib.contextmanager
def password_database():
    """useradd and its kin fail while another of them runs, so two runs of the suite take turns."""
    directory = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def run(*arguments, text=None):
    with password_database():
        subprocess.run(
            arguments, input=text, text=True, check=True, timeout=30, capture_output=True)


@dataclasses.dataclass
class Account:
    name: str
    password: str
    uid: int
    gid: int
    groups: list
    home: pathlib.Path

    @classmethod
    def create(cls):
        name = "pc" + secrets.token_hex(4)
        password = "Pw-" + secrets.token_hex(12)
        PASSWORDS.add(password)
        run("groupadd", name + "x")
        run("useradd", "--create-home", "--user-group", "--shell", "/usr/sbin/nologin",
            "--groups", name + "x", name)
        run("chpasswd", text=f"{name}:{password}\n")
        entry = pwd.getpwnam(name)
        groups = sorted({entry.pw_gid, grp.getgrnam(name + "x").gr_gid})
        home = pathlib.Path(entry.pw_dir)
        account = cls(name, password, entry.pw_uid, entry.pw_gid, groups, home)
        account.empty()
        return account

    def remove(self):
        run("userdel", "--force", self.name)
        run("groupdel", self.name + "x")
        shutil.rmtree(self.home, ignore_errors=True)

    def empty(self):
        """A home with nothing in it, owned by the account."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(mode=0o700)
        os.chown(self.home, self.uid, self.gid)
        self.home.chmod(0o700)

    def own(self, path):
        os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def file(self, name, content=b"", mode=0o644):
        """A file in the home that belongs to the account."""
        path = self.home / name
        path.write_bytes(content)
        path.chmod(mode)
        self.own(path)
        return path

    def directory(self, name):
        path = self.home / name
        path.mkdir()
        self.own(path)
        return path

    def sparse(self, name, size):
        path = self.file(name)
        os.truncate(path, size)
        return path
