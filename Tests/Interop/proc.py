"""Facts about processes, read from /proc."""

import os
import re
import struct


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def stat(pid):
    """(parent, session, state, start time) of a process, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[1]), int(fields[3]), fields[0].decode(), int(fields[19])


def children(pid):
    found = []
    for candidate in pids():
        facts = stat(candidate)
        if facts and facts[0] == pid and facts[2] != "Z":
            found.append(candidate)
    return sorted(found)


def tree(pid):
    found = []
    for child in children(pid):
        found += [child] + tree(child)
    return found


def anonymous(pid, least):
    """{address: physical page} of what is there of private mappings without a file that have at least
    so many bytes (proc_pid_pagemap(5))."""
    size, found = os.sysconf("SC_PAGESIZE"), {}
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, \
            open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            place, access, _, _, inode, *name = line.split()
            start, end = (int(number, 16) for number in place.split("-"))
            if access != "rw-p" or inode != "0" or name or end - start < least:
                continue
            pagemap.seek(start // size * 8)
            entries = pagemap.read((end - start) // size * 8)
            for number, (entry,) in enumerate(struct.iter_unpack("=Q", entries)):
                if entry >> 63:
                    found[start + number * size] = entry & ((1 << 55) - 1)
    return found


def started_as(pid):
    """The path that execve(2) was given (AT_EXECFN of getauxval(3))."""
    with open(f"/proc/{pid}/auxv", "rb") as file:
        values = dict(struct.iter_unpack("@NN", file.read()))
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(values[31])
        return memory.read(256).partition(b"\0")[0]


def identity(pid):
    """A value that tells a process from a later one with the same number."""
    facts = stat(pid)
    return (pid, facts[3]) if facts and facts[2] != "Z" else None


def of_session(session):
    """Every process of a terminal session; a Gateway is started in one of its own."""
    found = []
    for pid in pids():
        facts = stat(pid)
        if facts and facts[1] == session and facts[2] != "Z":
            found.append(pid)
    return found


def status(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        return dict(re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", file.read(), re.MULTILINE))


def kibibytes(pid, name):
    return int(status(pid)[name].split()[0])


def name(pid):
    """What ps(1) shows; nothing for a process that is gone."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def mappings(pid):
    """The rights and the name of each mapping of a process."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            yield fields[1], fields[5].strip() if len(fields) > 5 else ""


def is_confined(pid):
    """Whether a process is nobody's, in no group, without capabilities, and behind a filter."""
    facts = status(pid)
    return (facts["Uid"].split()[0] != "0" and facts["CapEff"] == "0" * 16
            and facts["Groups"] == "" and facts["Seccomp"] == "2" and facts["NoNewPrivs"] == "1")


def memory_holds(pid, needles):
    """Whether any of some byte strings stands in the memory of a process."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r.*", line)
            if not found or "[vvar]" in line or "[vsyscall]" in line:
                continue
            start, end = (int(number, 16) for number in found.groups())
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except (OSError, OverflowError, ValueError):
                continue
            if any(needle in content for needle in needles):
                return True
    return False


def numbers(text):
    return [int(word) for word in text.split()]


def descriptors(pid):
    """What each open descriptor of a process refers to."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            pass
    return found


def internet_sockets():
    """Inode to state of every INET socket of this network namespace; state 0A is listening."""
    found = {}
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        try:
            with open(f"/proc/net/{table}", encoding="ascii") as file:
                for line in file.readlines()[1:]:
                    fields = line.split()
                    found[int(fields[9])] = fields[3]
        except FileNotFoundError:
            pass
    return found


def internet_states(pid):
    """The states of the INET sockets that a process holds."""
    known = internet_sockets()
    states = []
    for target in descriptors(pid).values():
        found = re.fullmatch(r"socket:\[(\d+)\]", target)
        if found and int(found.group(1)) in known:
            states.append(known[int(found.group(1))])
    return sorted(states)
