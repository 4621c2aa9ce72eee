"""Transfers that come to nothing, again and again: nothing of them stays (FIELD.md E8)."""

import contextlib

import pytest

import proc
from control import Closed, wait_until
from uploading import begin, drop, roles

ROUNDS = 30


def abort(session, data):
    session.send("ABOR")
    session.next(426)
    session.next(226)
    data.close()


def cut(session, data):
    drop(data)
    session.next(426)


def begin_download(session):
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    assert data.recv(1000)
    return data


def leave_port(session):
    session.passive_port()
    session.expect("ABOR", 225, 226)


def held(processes):
    """What the unprivileged processes of a session hold: descriptors and memory."""
    return {role: (len(proc.descriptors(processes[role])),
                   proc.kibibytes(processes[role], "VmRSS")) for role in processes}


def test_a_session_holds_nothing_of_what_has_failed(gateway, account):
    account.sparse("big", 1 << 28)
    session = gateway.session(account)
    processes = roles(gateway)

    def round_of_failures():
        abort(session, begin_download(session))
        cut(session, begin(session, "STOR f", b"x" * 1000))
        abort(session, begin(session, "APPE f", b"x" * 1000))
        session.passive_port()
        session.expect("RETR missing", 550)
        leave_port(session)

    for _ in range(5):
        round_of_failures()
    before = held(processes)
    for _ in range(ROUNDS):
        round_of_failures()
    for role, (descriptors, memory) in before.items():
        # The Warden closes a port a moment after the client has its reply.
        wait_until(lambda: held(processes)[role][0] <= descriptors, what=f"what the {role} had")
        assert held(processes)[role][1] - memory < 512, role
    assert session.store("STOR f", b"content").code == 226


def test_a_session_at_rest_gives_back_what_a_transfer_took(gateway, account):
    account.file("f", bytes(1 << 20))
    session = gateway.session(account)
    pid = roles(gateway)["session"]
    before = proc.kibibytes(pid, "RssAnon")
    assert len(session.retrieve("RETR f")) == 1 << 20
    # A buffer is 256 KiB.
    wait_until(lambda: proc.kibibytes(pid, "RssAnon") < before + 128, what="rest")
    assert len(session.retrieve("RETR f")) == 1 << 20


@pytest.mark.parametrize("how", ["QUIT", "nothing"])
def test_the_daemon_holds_nothing_of_sessions_that_left_in_the_middle(gateway, account, how):
    account.sparse("big", 1 << 28)

    def leave():
        session = gateway.session(account)
        data = begin_download(session)
        if how == "QUIT":
            session.expect("QUIT", 221)
        data.close()
        with contextlib.suppress(Closed, OSError):
            while how == "QUIT":
                session.reply()
        session.close()

    def rest():
        gateway.close_clients()
        wait_until(lambda: not gateway.wardens(), what="the end of the sessions")
        pids = [gateway.pid, *gateway.signers()]
        return [(len(proc.descriptors(pid)), proc.kibibytes(pid, "VmRSS")) for pid in pids]

    for _ in range(3):
        leave()
    before = rest()
    for _ in range(8):
        leave()
    after = rest()
    for (descriptors, memory), (later, more) in zip(before, after, strict=True):
        assert later == descriptors and more - memory < 512
