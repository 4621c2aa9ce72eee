"""Uploads that are held in the middle, and what lies on the disk meanwhile."""

import os
import signal

import proc
from control import finish, wait_until


def begin(session, line, content=b"x" * 100_000, *codes):
    """An upload of which `content` has been sent, and not yet its end."""
    data = session.connect_data()
    session.expect(line, *(codes or (150,)))
    data = session.wrap_data(data)
    data.sendall(content)
    return data


def end(session, data, code=226):
    finish(data)
    return session.next(code)


def attempt(session, line, content):
    """An upload that the server may refuse or break off before its end; its last reply."""
    data = session.connect_data()
    try:
        reply = session.command(line)
        if reply.code != 150:
            return reply
        data = session.wrap_data(data)
        try:
            data.sendall(content)
            finish(data)
        except OSError:
            reply = session.reply()
            assert reply.code >= 400, f"broken off, and yet {reply.text!r}"
            return reply
        return session.reply()
    finally:
        data.close()


def drop(data):
    """Ends a data connection without close_notify, as if somebody had cut it."""
    os.close(data.detach())


def parts(directory):
    """The names of what atomic uploads have written so far."""
    return sorted(name for name in os.listdir(directory) if name.startswith(".in."))


def names(directory):
    return sorted(set(os.listdir(directory)) - set(parts(directory)))


def has_part(directory, size):
    """True once a part of at least `size` bytes is there."""
    return any(os.stat(directory / name).st_size >= size for name in parts(directory))


def roles(gateway):
    """The processes of the one session that goes on, by what they are."""
    warden, = gateway.wardens()
    found = {"warden": warden}
    for pid in proc.children(warden):
        name = proc.status(pid)["Name"]
        found[name.removeprefix("ftps-")] = pid
    return found


def kill(gateway, role):
    pid = roles(gateway)[role]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not gateway.wardens(), 10, "the end of the session")
