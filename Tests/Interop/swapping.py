"""Links that are put in the place of directories while the server resolves a path."""

import contextlib
import ctypes
import os
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
RENAME_EXCHANGE = 2


class Swaps:
    def __init__(self, seconds):
        self.count = 0
        self.end = time.monotonic() + seconds

    def goes_on(self):
        return time.monotonic() < self.end


@contextlib.contextmanager
def swapping(place, *traps, seconds):
    """Exchanges `place` with each of the traps and back, again and again, for some seconds."""
    swaps = Swaps(seconds)

    def swap():
        one = os.fsencode(place)
        while swaps.goes_on():
            for trap in traps:
                for _ in range(2):
                    if LIBC.renameat2(AT_FDCWD, one, AT_FDCWD, os.fsencode(trap),
                                      RENAME_EXCHANGE):
                        raise OSError(ctypes.get_errno(), "renameat2")
                    swaps.count += 1
                    time.sleep(0.0001)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield swaps
    finally:
        swaps.end = 0
        thread.join(10)
