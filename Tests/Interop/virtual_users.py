"""Files of virtual users, made by the command that an administrator has for it."""

import os
import pathlib
import secrets
import subprocess

from accounts import PASSWORDS
from gateway import BINARY


class VirtualUser:
    def __init__(self, name, home):
        self.name = name
        self.password = "Vu-" + secrets.token_hex(12)
        PASSWORDS.add(self.password)
        self.home = home


class UserFile:
    """A virtual_users_file, and homes that belong to the account behind all of its users."""

    def __init__(self, directory, account):
        self.directory = directory
        self.account = account
        self.path = directory / "users"
        self.passwd("nobody-in-particular", "--home", "/", text="never told\n")
        # The account behind the users has to get through to their homes.
        for folder in [directory, *directory.parents]:
            if folder == pathlib.Path("/tmp"):
                break
            folder.chmod(folder.stat().st_mode | 0o011)

    def passwd(self, *arguments, text="", check=True):
        done = subprocess.run(
            [BINARY, "passwd", str(self.path), *map(str, arguments)],
            input=text, text=True, capture_output=True, timeout=60, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done

    def add(self, name, *arguments, permissions="elradfmwMT"):
        home = self.directory / f"home of {name}"
        home.mkdir(exist_ok=True)
        os.chown(home, self.account.uid, self.account.gid)
        user = VirtualUser(name, home)
        self.passwd(name, "--home", home, "--permissions", permissions, *arguments,
                    text=user.password + "\n")
        return user

    def options(self, **more):
        return {"virtual_users_file": self.path, "guest_username": self.account.name, **more}
