"""Directories of a test that users have to reach, and disks that are full."""

import contextlib

import pytest


@contextlib.contextmanager
def passable(directory):
    """Lets everybody pass through the directories above, which belong to the test runner."""
    opened = []
    try:
        for parent in directory.parents:
            mode = parent.stat().st_mode & 0o7777
            if not mode & 0o001:
                parent.chmod(mode | 0o001)
                opened.append((parent, mode))
        yield directory
    finally:
        for parent, mode in opened:
            parent.chmod(mode)


def fill(file):
    """Appends to a file until its disk takes no more."""
    with pytest.raises(OSError):
        with file.open("ab", buffering=0) as opened:
            while opened.write(b"x" * 512):
                pass
