"""When a program that writes into a pipe has said everything, and somebody has come to read it."""

import fcntl
import struct
import termios
import time

# Looks, five milliseconds apart, that find nothing new before a log counts as written.
LOOKS = 10


def unread(stream):
    """Whether bytes wait in a pipe."""
    try:
        answer = fcntl.ioctl(stream.fileno(), termios.FIONREAD, b"\0" * 4)
    except (OSError, ValueError):
        return False
    return struct.unpack("=i", answer)[0] > 0


def await_quiet(look):
    """`look` tells how much has been read, and whether more waits."""
    known, quiet = -1, 0
    for _ in range(400):
        size, waits = look()
        quiet = 0 if size != known or waits else quiet + 1
        if quiet >= LOOKS:
            break
        known = size
        time.sleep(0.005)
