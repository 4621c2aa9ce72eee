"""Directories of a test that users have to reach."""

import contextlib


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
