"""What somebody else can do who connects to the passive port: nothing."""

import socket
import time

import pytest

from control import VERSIONS, finish, read_all

BOTH = pytest.mark.parametrize("version", VERSIONS)


def stranger(port, source="127.0.0.2", say=b""):
    connection = socket.create_connection(("127.0.0.1", port), 10, source_address=(source, 0))
    if say:
        connection.sendall(say)
    return connection


@BOTH
@pytest.mark.parametrize("before", [True, False], ids=["before-retr", "after-retr"])
def test_a_stranger_neither_gets_nor_spoils_a_download(gateway, account, version, before):
    account.file("f", b"secret" * 1000)
    session = gateway.session(account, version)
    port = session.passive_port()
    if before:
        thief = stranger(port)
        assert session.retrieve("RETR f", port=port) == b"secret" * 1000
    else:
        session.expect("RETR f", 150)
        thief = stranger(port)
        time.sleep(0.2)
        data = session.wrap_data(session.connect_data(port))
        assert read_all(data) == b"secret" * 1000
        finish(data)
        session.next(226)
    with thief:
        try:
            assert thief.recv(100) == b""
        except ConnectionError:
            pass


def test_a_stranger_cannot_put_bytes_into_an_upload(gateway, account):
    session = gateway.session(account)
    port = session.passive_port()
    with stranger(port, say=b"poison"):
        data = session.connect_data(port)
        session.expect("STOR f", 150)
        data = session.wrap_data(data)
        data.sendall(b"pure")
        finish(data)
        session.next(226)
    assert (account.home / "f").read_bytes() == b"pure"


@pytest.mark.parametrize("say", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b""],
                         ids=["http", "broken-hello", "silence"])
def test_a_local_stranger_without_tls_does_not_spoil_a_transfer(serve, account, say):
    account.file("f", b"content")
    session = serve(ssl_handshake_timeout="3").session(account)
    port = session.passive_port()
    with stranger(port, "127.0.0.1", say):
        time.sleep(0.2)
        assert session.retrieve("RETR f", port=port) == b"content"


def test_a_resumed_session_wins_over_a_local_thief_where_reuse_is_required(serve, account):
    account.file("f", b"content")
    gateway = serve(require_ssl_reuse="YES")
    session = gateway.session(account)
    port = session.passive_port()
    thief = stranger(port, "127.0.0.1")
    thief.settimeout(5)
    try:
        thief = gateway.context().wrap_socket(thief, server_hostname="127.0.0.1")
    except OSError:
        pass
    with thief:
        assert session.retrieve("RETR f", port=port, resume=True) == b"content"


def test_any_address_may_fetch_with_a_resumed_session_where_that_is_configured(serve, account):
    account.file("f", b"content")
    gateway = serve(pasv_promiscuous="YES")
    session = gateway.session(account)
    port = session.passive_port()
    assert session.retrieve("RETR f", port=port, resume=True, source="127.0.0.2") == b"content"
    data = session.connect_data(source="127.0.0.3")
    session.expect("RETR f", 150)
    try:
        assert read_all(session.wrap_data(data)) == b""
    except OSError:
        pass
    data.close()
    session.next(522)
    assert session.alive()


def test_any_address_may_fetch_without_one_where_the_administrator_says_so(serve, account):
    account.file("f", b"content")
    session = serve(pasv_promiscuous="YES", require_ssl_reuse="NO").session(account)
    port = session.passive_port()
    assert session.retrieve("RETR f", port=port, source="127.0.0.2") == b"content"


@pytest.mark.parametrize("reuse", ["YES", "NO"])
def test_a_network_may_open_each_others_data_connections(serve, account, reuse):
    account.file("f", b"content")
    gateway = serve(pasv_promiscuous_networks="127.0.0.0/29,192.0.2.0/24", accept_timeout="2",
                    require_ssl_reuse=reuse)
    session = gateway.session(account)
    assert session.retrieve("RETR f", source="127.0.0.7", resume=True) == b"content"
    data = session.connect_data(source="127.0.0.8")
    session.expect("RETR f", 150)
    session.next(425)
    data.close()
    # Whoever is not in the networks gains nothing by them.
    outside = gateway.session(account, source="127.0.0.9")
    data = outside.connect_data(source="127.0.0.1")
    outside.expect("RETR f", 150)
    outside.next(425)
    data.close()
    assert outside.retrieve("RETR f", resume=True) == b"content"


def test_another_address_alone_ends_in_425(serve, account):
    account.file("f", b"content")
    session = serve(accept_timeout="2").session(account)
    port = session.passive_port()
    session.expect("RETR f", 150)
    with stranger(port):
        session.next(425)
    assert session.alive()
