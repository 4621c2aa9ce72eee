"""strace(1) on one process of the daemon: what it asks of the kernel, and a fault at any of it."""

import collections
import contextlib
import re
import subprocess

import proc

# Calls that change nothing anybody else could see.
SILENT = {"restart_syscall", "exit_group", "getpid", "brk", "mmap", "munmap", "madvise", "close",
          "getsockopt", "setsockopt", "clock_gettime", "getrandom"}


@contextlib.contextmanager
def traced(pid, report, *rules):
    """Traces a process as long as the block runs, or until it ends."""
    tracer = subprocess.Popen(["strace", "-o", str(report), *rules, "-p", str(pid)],
                              stderr=subprocess.PIPE, text=True)
    try:
        said = tracer.stderr.readline()
        assert "attached" in said, said
        yield tracer
    finally:
        # At SIGTERM it lets the process go on alone.
        tracer.terminate()
        tracer.wait(10)
        tracer.stderr.close()


def count(name, pid, report, action):
    """How often a process and those below it make a call while something is done."""
    below = (word for each in proc.tree(pid) for word in ("-p", str(each)))
    with traced(pid, report, "-f", "-e", f"trace={name}", *below):
        action()
    return report.read_text(encoding="utf-8").count(f"{name}(")


def calls(report):
    """The calls of a trace in order, each with its number among those of its name."""
    seen = collections.Counter()
    found = []
    for line in report.read_text(encoding="utf-8", errors="replace").splitlines():
        name = re.match(r"(\w+)\(", line)
        if name and name[1] not in SILENT:
            seen[name[1]] += 1
            found.append((name[1], seen[name[1]]))
    return found


def kills_at(call):
    """The rule by which a process dies at the beginning of a call."""
    name, number = call
    return "-e", f"trace={name}", "-e", f"inject={name}:signal=SIGKILL:when={number}"


def fails_at(name, error, when="1+"):
    """The rule by which calls are not carried out and fail."""
    return "-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={when}"
