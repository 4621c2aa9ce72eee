"""How data connections end: close_notify both ways, and what an end without it is worth."""

import ssl
import time

import pytest

from control import VERSIONS, finish, read_all, wait_until
from forge import ALERT, APPLICATION_DATA, Forge
from uploading import drop, names, parts

BOTH = pytest.mark.parametrize("version", VERSIONS)
CONTENT = bytes(range(256)) * 400


@BOTH
@pytest.mark.parametrize("line", ["RETR f", "RETR empty", "LIST", "NLST sub", "MLSD sub"])
def test_every_download_ends_with_close_notify(gateway, account, version, line):
    account.file("f", CONTENT)
    account.file("empty")
    account.directory("sub")
    session = gateway.session(account, version)
    data = session.connect_data()
    session.expect(line, 150)
    data = session.wrap_data(data)
    # Raises where the end comes without close_notify.
    read_all(data)
    finish(data)
    session.next(226)


@BOTH
@pytest.mark.parametrize("size", [0, 1, 16_384, 100_000])
def test_an_upload_is_answered_by_close_notify(gateway, account, version, size):
    session = gateway.session(account, version)
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    data.sendall(CONTENT[:size])
    # unwrap() returns only when the server's close_notify has come.
    plain = data.unwrap()
    assert plain.recv(1) == b"", "nothing in clear behind it"
    plain.close()
    session.next(226)
    assert (account.home / "f").read_bytes() == CONTENT[:size]


@BOTH
@pytest.mark.parametrize("atomic", ["YES", "NO"])
@pytest.mark.parametrize("size", [0, 1, 16_384, 100_000])
def test_a_cut_upload_is_never_taken_for_a_whole_one(serve, account, version, atomic, size):
    gateway = serve(atomic_uploads=atomic)
    session = gateway.session(account, version)
    account.file("f", b"old")
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    if size:
        data.sendall(CONTENT[:size])
    drop(data)
    assert "close_notify" in session.next(426).text
    wait_until(lambda: "truncated" in gateway.log, what="the line about the transfer")
    if atomic == "YES":
        assert (account.home / "f").read_bytes() == b"old"
        assert names(account.home) == ["f"] and parts(account.home) == []
    assert session.alive()


def forged_upload(gateway, account, version):
    """A session, its data connection, and an upload over that whose records are ours to make."""
    session = gateway.session(account, version)
    data = session.connect_data()
    session.expect("STOR f", 150)
    return session, data, Forge(data, gateway.certificate.chain, gateway.host, version)


@BOTH
def test_an_alert_is_no_end_of_an_upload(gateway, account, version):
    session, data, upload = forged_upload(gateway, account, version)
    upload.send(upload.make(APPLICATION_DATA, CONTENT[:1000]), upload.make(ALERT, b"\2\x50"))
    session.next(426)


@BOTH
def test_an_upload_cut_within_a_record_is_incomplete(gateway, account, version):
    session, data, upload = forged_upload(gateway, account, version)
    upload.send(upload.make(APPLICATION_DATA, CONTENT[:1000]),
                upload.make(APPLICATION_DATA, CONTENT[1000:2000])[:-5])
    data.close()
    session.next(426)


@BOTH
def test_what_comes_behind_close_notify_is_not_written(gateway, account, version):
    session, data, upload = forged_upload(gateway, account, version)
    upload.send(upload.make(APPLICATION_DATA, b"whole"), upload.make(ALERT, b"\1\0"),
                upload.make(APPLICATION_DATA, b" and more"))
    data.sendall(b"and clear")
    data.close()
    session.next(226)
    assert (account.home / "f").read_bytes() == b"whole"


@BOTH
def test_without_strictness_a_cut_upload_counts_and_a_broken_record_does_not(
        serve, account, version):
    gateway = serve(strict_ssl_read_eof="NO", atomic_uploads="YES")
    session = gateway.session(account, version)
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    data.sendall(b"old client")
    drop(data)
    session.next(226)
    assert (account.home / "f").read_bytes() == b"old client"

    data = session.connect_data()
    session.expect("STOR f", 150)
    upload = Forge(data, gateway.certificate.chain, gateway.host, version)
    broken = upload.make(APPLICATION_DATA, b"forged")
    upload.send(upload.make(APPLICATION_DATA, b"new"), broken[:-1] + bytes([broken[-1] ^ 1]))
    session.next(426)
    assert (account.home / "f").read_bytes() == b"old client"


@BOTH
@pytest.mark.parametrize("line", ["RETR f", "LIST", "STOR g"])
def test_a_client_that_never_answers_the_end_does_not_hold_the_session(
        gateway, account, version, line):
    account.file("f", CONTENT)
    session = gateway.session(account, version)
    data = session.connect_data()
    session.expect(line, 150)
    data = session.wrap_data(data)
    began = time.monotonic()
    if line == "STOR g":
        data.sendall(CONTENT)
        # close_notify is sent, and neither is the server's read nor the connection closed.
        data.setblocking(False)
        try:
            data.unwrap()
        except ssl.SSLWantReadError:
            pass
    else:
        read_all(data)
    session.next(226)
    assert session.alive()
    assert time.monotonic() - began < 10
    assert session.retrieve("RETR f")
    data.close()
    if line == "STOR g":
        assert (account.home / "g").read_bytes() == CONTENT


def test_quit_does_not_wait_for_a_data_connection_that_stays_open(gateway, account):
    account.file("f", CONTENT)
    session = gateway.session(account)
    data = session.connect_data()
    session.expect("RETR f", 150)
    data = session.wrap_data(data)
    read_all(data)
    session.next(226)
    session.expect("QUIT", 221)
    assert session.ended()
    wait_until(lambda: not gateway.wardens(), 10, "the end of the session")
    data.close()


@BOTH
def test_the_control_connection_ends_with_close_notify(gateway, version):
    control = gateway.control().secure(context=gateway.context(version))
    control.expect("QUIT", 221)
    # Without it this context raises.
    assert control.socket.recv(100) == b""
