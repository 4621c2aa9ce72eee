"""What all processes of a server have used, whether they live or have ended.

Why no processor time is missed. Every process of a server descends from the one that was started,
and at any moment it is one of these:

1. alive, or ended and not yet waited for: it stands in /proc below the server, with its own times;
2. ended, and its parent has waited for it: the kernel added its times, and those of the children
   that it had waited for itself, to what the parent's children have used (cutime, cstime), and
   hands that sum on when the parent is waited for in turn;
3. orphaned: this process has declared itself a subreaper, so orphans become its children and no
   child of init. They are looked for in the same tree, and waited for here by their numbers; what
   wait4(2) tells of each is added to `reaped`.

The one way around it is a parent that ignores SIGCHLD: its children leave without a trace. /proc
shows who does, and such a server is not measured (`uncounted`). A parent that asks the same by
SA_NOCLDWAIT would not be seen. Sums are taken while no session goes on, so that nobody passes from
1 to 2 between two looks.

What is lost to rounding: the kernel adds up times in nanoseconds and shows them in hundredths of a
second. Of the living, schedstat has their own time in full; what is cut off is that of the children
of each resting process, less than two hundredths of a second each, however many sessions came.
"""

import ctypes
import os
import signal
import time

import proc

HERTZ = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIBC = ctypes.CDLL(None, use_errno=True)

# Fields of /proc/PID/stat behind the name.
STATE, PARENT, FAULTS, OWN, WAITED_FOR = 0, 1, (7, 8, 9, 10), (11, 12), (13, 14)


class Failed(Exception):
    """A load came to nothing, with the reason."""


def adopt_orphans():
    if LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def end_with_parent(number):
    """For a process that was just forked: it gets a signal when whoever started it has ended."""
    LIBC.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def fields(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def own_seconds(pid, found):
    """User and system time of one process: of its threads, and of those that have ended as well."""
    exact = 0
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat", "rb") as file:
                exact += int(file.read().split()[0])
    except (OSError, IndexError):
        # It has just ended, or the kernel does not tell.
        pass
    return max(exact / 1e9, sum(int(found[field]) for field in OWN) / HERTZ)


def busy_cores():
    """Seconds that all cores together have worked so far, for whomever."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:]]
    return (sum(ticks[:8]) - ticks[3] - ticks[4]) / HERTZ


class Tree:
    """The processes of one server. `strangers` are children of ours that are no part of it."""

    def __init__(self, strangers):
        self.strangers = strangers
        self.reaped = 0.0
        self.reaped_faults = 0
        self.root = None

    def processes(self):
        """Number to fields of /proc/PID/stat, the ended ones that nobody has waited for as well."""
        known = {pid: found for pid in proc.pids() if (found := fields(pid))}
        below = {}
        for pid, found in known.items():
            below.setdefault(int(found[PARENT]), []).append(pid)
        pending = [pid for pid in below.get(os.getpid(), []) if pid not in self.strangers]
        members = {}
        while pending:
            pid = pending.pop()
            members[pid] = known[pid]
            pending += below.get(pid, [])
        return members

    def reap(self):
        """Waits for orphans that have ended; the server itself is left to who started it."""
        for pid, found in self.processes().items():
            if int(found[PARENT]) == os.getpid() and found[STATE] == b"Z" and pid != self.root:
                _, _, usage = os.wait4(pid, 0)
                self.reaped += usage.ru_utime + usage.ru_stime
                self.reaped_faults += usage.ru_minflt + usage.ru_majflt

    def settle(self, resting=None, seconds=30):
        """Waits until no session goes on: as many processes as at rest, and none that ended.

        Without a number, until they have been the same for a while. How many there are."""
        end = time.monotonic() + seconds
        last, since = None, time.monotonic()
        while time.monotonic() < end:
            self.reap()
            members = self.processes()
            ended = any(found[STATE] == b"Z" for found in members.values())
            if set(members) != last or ended:
                last, since = set(members), time.monotonic()
            wanted = not ended and (resting is None or len(members) <= resting)
            if wanted and time.monotonic() - since >= (0.3 if resting is None else 0.03):
                return len(members)
            time.sleep(0.01)
        raise Failed(f"{len(last or ())} processes, {resting} at rest, after {seconds} s")

    def seconds(self):
        """User and system time of everybody so far."""
        members = self.processes()
        waited_for = sum(int(found[field]) for found in members.values() for field in WAITED_FOR)
        return (sum(own_seconds(pid, found) for pid, found in members.items())
                + waited_for / HERTZ + self.reaped)

    def faults(self):
        return self.reaped_faults + sum(
            int(found[field]) for found in self.processes().values() for field in FAULTS)

    def memory(self):
        """Proportional set size of all processes, in KiB: shared pages count once."""
        total = 0
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                    total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return total

    def uncounted(self):
        """Processes whose children the kernel forgets."""
        bit = 1 << (signal.SIGCHLD - 1)
        return [pid for pid, found in self.processes().items()
                if found[STATE] != b"Z" and int(proc.status(pid)["SigIgn"], 16) & bit]

    def kill(self):
        """Ends what is left, by number."""
        for _ in range(100):
            self.reap()
            members = [pid for pid, found in self.processes().items() if found[STATE] != b"Z"]
            if not members:
                return
            for pid in members:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)
        raise Failed(f"these processes do not end: {members}")
