"""What a Session does to the channels of its Agent and its Warden, and what others see of it.

The kernel counts descriptors that were sent and not yet received by user, and all sessions of anonymous
users, guests and virtual users have one user."""

import contextlib
import os
import signal
import struct
import subprocess
import sys
import time

import pytest

import proc
from control import wait_until
from injection import Inside, channel_to_warden, needs_injection, taken

MSG_DONTWAIT, MSG_NOSIGNAL = 0x40, 0x4000
OPEN_FOR_READING = 3
LISTEN = 3
SENDS_UNREAD = """
import os, resource, socket, sys
# As many as a process may have open, and its user on the way.
_, hard = resource.prlimit(int(sys.argv[1]), resource.RLIMIT_NOFILE)
resource.prlimit(int(sys.argv[1]), resource.RLIMIT_NOFILE, (50, hard))
near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
null = os.open(os.devnull, os.O_RDONLY)
for _ in range(60):
    socket.send_fds(near, [b"x"], [null])
print("sent", flush=True)
sys.stdin.read()
"""


def started(gateway, name, known):
    return wait_until(lambda: [pid for pid in proc.tree(gateway.pid)
                               if pid not in known and proc.name(pid) == name], what=name)[0]


@needs_injection
def test_answers_that_nobody_takes_end_their_own_agent_alone(serve, account):
    account.file("f", b"content")
    gateway = serve()
    other = gateway.session(account)
    assert other.retrieve("RETR f") == b"content"
    known = proc.tree(gateway.pid)
    client = gateway.control().secure()
    session = started(gateway, "ftps-session", known)
    before = set(proc.descriptors(session).values())
    client.login(account)
    agent = started(gateway, "ftps-agent", known)
    channel, = [number for number, target in proc.descriptors(session).items()
                if target.startswith("socket:") and target not in before]
    request = bytes([OPEN_FOR_READING]) + struct.pack("<I", 2) + b"/f"
    with Inside(session) as process:
        def ask():
            return process.call("sendto", channel, request, len(request),
                                MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0)
        assert ask() == len(request)
        wait_until(lambda: ask() in ("EPIPE", "ECONNRESET"), what="the end of the channel")
        wait_until(lambda: not proc.identity(agent), what="the end of the Agent")
        # What the Agent has sent waits still, and keeps nobody else from anything.
        assert other.retrieve("RETR f") == b"content"
        assert gateway.session(account).store("STOR g", b"more").code == 226
    client.close()


def test_answers_of_a_warden_that_nobody_takes_end_their_own_session_alone(serve, account):
    """Each brings a socket that listens."""
    gateway = serve(ssl_enable="NO", plain_system_logins="YES")
    gateway.secrets.append(account.password)
    client = gateway.control()
    warden, = gateway.wardens()
    session, = proc.children(warden)
    channel = channel_to_warden(session)
    client.login(account)
    # What it would read.
    os.kill(session, signal.SIGSTOP)
    with taken(session, channel) as own:
        own.setblocking(False)
        end = time.monotonic() + 10
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while time.monotonic() < end:
                with contextlib.suppress(BlockingIOError):
                    own.send(bytes([LISTEN]))
    wait_until(lambda: not gateway.wardens(), what="the end of the session")
    assert "violation on the warden channel" in gateway.log
    assert gateway.control().login(account).alive()


def test_too_many_descriptors_of_a_user_cost_a_transfer_and_no_session(serve, account):
    account.file("f", b"content")
    gateway = serve()
    session = gateway.session(account)
    agent = started(gateway, "ftps-agent", ())
    # Without the rights of root, which may send any number.
    with subprocess.Popen([sys.executable, "-c", SENDS_UNREAD, str(agent)], cwd="/",
                          user=account.uid, group=account.gid, extra_groups=[],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
        assert sender.stdout.readline() == b"sent\n"
        for line in ("RETR f", "STOR g", "APPE f"):
            session.passive_port()
            session.expect(line, 450, 451, 452, 550)
        sender.stdin.close()
    assert session.retrieve("RETR f") == b"content"
    assert not (account.home / "g").exists() or (account.home / "g").stat().st_size == 0
    assert session.store("STOR g", b"more").code == 226
