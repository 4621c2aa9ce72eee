"""What an attack must leave alone: other clients, and the daemon as it was before."""

import contextlib
import time

import proc
from control import wait_until


def serves_others(gateway, account, source="127.0.0.250", seconds=20):
    """Whether somebody else logs in and transfers in a time that a person would wait."""
    start = time.monotonic()
    session = gateway.session(account, source=source)
    session.store("STOR other", b"x" * 100_000)
    assert session.retrieve("RETR other") == b"x" * 100_000
    session.expect("QUIT", 221)
    session.close()
    assert time.monotonic() - start < seconds
    return True


def at_rest(gateway):
    """What there is when nobody is connected; to be compared before and after."""
    return {"processes": len(proc.tree(gateway.pid)),
            "descriptors": len(proc.descriptors(gateway.pid))}


def settled(gateway):
    """What there is before anybody connects: the daemon listens a little before it has all that it
    keeps, and has it when it greets."""
    gateway.control()
    gateway.close_clients()
    wait_until(lambda: not gateway.wardens(), 20, "the end of the first session")
    return at_rest(gateway)


@contextlib.contextmanager
def releases_everything(gateway, kibibytes=1024):
    """Once everybody has left, the daemon has what it had before the block: processes, descriptors,
    and about as much memory."""
    def memory():
        return {pid: proc.kibibytes(pid, "VmRSS") for pid in [gateway.pid, *gateway.signers()]}

    def leave():
        gateway.close_clients()
        wait_until(lambda: not gateway.wardens(), 20, "the end of every session")

    # What the first signature takes stays.
    first = gateway.control()
    if gateway.signers():
        first.secure()
    leave()
    before, held = at_rest(gateway), memory()
    yield
    leave()
    wait_until(lambda: at_rest(gateway) == before, 10, "what there was before")
    after = memory()
    assert after.keys() == held.keys()
    for pid, amount in held.items():
        assert after[pid] - amount < kibibytes, proc.name(pid)
