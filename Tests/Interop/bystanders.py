"""What an attack must leave alone: other clients, and the daemon as it was before."""

import time

import proc


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
