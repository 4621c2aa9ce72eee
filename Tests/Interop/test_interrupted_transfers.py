"""Transfers that are aborted, watched, cut short, or left alone by their client."""

import os
import socket
import ssl
import struct

import pytest

from control import VERSIONS, finish, read_all, wait_until

BOTH = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def session(gateway, account):
    return gateway.session(account)


def begin_download(session, size=1 << 28):
    """A download of which the first bytes have arrived and most is still to come."""
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    assert data.recv(1000)
    return data, size


def aborted_download(gateway, account, version):
    account.sparse("big", 1 << 30)
    session = gateway.session(account, version)
    data, _ = begin_download(session)
    session.send("ABOR")
    session.next(426)
    session.next(226)
    return session, data


@BOTH
def test_abor_ends_a_download_at_once(gateway, account, version):
    session, data = aborted_download(gateway, account, version)
    data.close()
    assert session.alive()
    account.file("small", b"small")
    assert session.retrieve("RETR small") == b"small"


@BOTH
def test_an_aborted_download_does_not_look_complete(gateway, account, version):
    session, data = aborted_download(gateway, account, version)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        while data.recv(1 << 18):
            pass
    assert session.alive()


def test_abor_with_telnet_bytes_before_it_is_understood(session, account):
    account.sparse("big", 1 << 30)
    data, _ = begin_download(session)
    session.raw(b"\xff\xf4\xff\xf2ABOR\r\n")
    session.next(426)
    session.next(226)
    data.close()
    assert session.alive()


def test_abor_ends_an_upload(session, account):
    # Several times, because ABOR may be read before, with, or after the last of the data.
    for _ in range(5):
        data = session.connect_data()
        session.expect("STOR f", 150)
        data = session.wrap_data(data)
        data.sendall(b"x" * 100_000)
        session.send("ABOR")
        session.next(426)
        session.next(226)
        data.close()
        assert session.alive()


def test_stat_answers_while_a_download_waits_for_its_reader(session, account):
    size = 1 << 26
    account.sparse("big", size)
    data, _ = begin_download(session)
    for _ in range(3):
        session.expect("STAT", 211, 213)
    assert len(read_all(data)) == size - 1000
    finish(data)
    session.next(226)
    assert session.alive()


def test_stat_answers_while_an_upload_is_quiet(session, account):
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    data.sendall(b"first ")
    session.expect("STAT", 211, 213)
    data.sendall(b"second")
    finish(data)
    session.next(226)
    assert (account.home / "f").read_bytes() == b"first second"


def test_quit_during_a_transfer_lets_it_complete(session, account):
    size = 1 << 26
    account.sparse("big", size)
    data, _ = begin_download(session)
    session.expect("QUIT", 221)
    assert len(read_all(data)) == size - 1000
    finish(data)
    session.next(226)
    assert session.ended()


def test_commands_sent_during_a_transfer_are_answered_after_it(session, account):
    account.file("small", b"x" * 100_000)
    data = session.connect_data()
    session.raw(b"RETR small\r\nPWD\r\n")
    session.next(150)
    data = session.wrap_data(data)
    assert len(read_all(data)) == 100_000
    finish(data)
    session.next(226)
    session.next(257)


def cut(data, how):
    if how == "fin":
        # The TLS layer is left out, so the peer sees a FIN where close_notify belongs.
        socket.socket.shutdown(data, socket.SHUT_WR)
    else:
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.socket.close(data)


@BOTH
@pytest.mark.parametrize("how", ["fin", "reset"])
def test_an_upload_without_close_notify_is_incomplete(gateway, account, version, how):
    session = gateway.session(account, version)
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    data.sendall(b"x" * 50_000)
    cut(data, how)
    session.next(426)
    assert session.alive()
    session.store("STOR f", b"whole")
    assert (account.home / "f").read_bytes() == b"whole"


def test_failed_uploads_are_deleted_when_that_is_asked_for(serve, account):
    session = serve(delete_failed_uploads="YES").session(account)
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    data.sendall(b"x" * 50_000)
    cut(data, "fin")
    session.next(426)
    assert os.listdir(account.home) == []


@BOTH
def test_a_download_that_the_client_leaves_is_426(gateway, account, version):
    account.sparse("big", 1 << 28)
    session = gateway.session(account, version)
    data, _ = begin_download(session)
    cut(data, "reset")
    session.next(426)
    assert session.alive()


def test_a_client_that_dies_leaves_no_process(gateway, account):
    account.sparse("big", 1 << 28)
    session = gateway.session(account)
    data, _ = begin_download(session)
    cut(data, "reset")
    cut(session.socket, "reset")
    wait_until(lambda: not gateway.wardens(), 15, "the end of the session")
