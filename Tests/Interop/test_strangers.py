"""What somebody else can do who connects to the passive port: nothing."""

import contextlib
import socket
import threading
import time

import pytest

from control import VERSIONS, finish, read_all, wait_until
from test_options import listen_locally, port_command

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


# Many of them. Without a promiscuous option they share the client's address, as behind a NAT.

CROWDS = pytest.mark.parametrize("options,source", [
    ({"require_ssl_reuse": "NO"}, "127.0.0.1"),
    ({"require_ssl_reuse": "YES"}, "127.0.0.1"),
    ({"require_ssl_reuse": "NO", "pasv_promiscuous": "YES"}, "127.0.0.66"),
    ({"require_ssl_reuse": "YES", "pasv_promiscuous": "YES"}, "127.0.0.66"),
], ids=["same-address", "same-address-reuse", "anywhere", "anywhere-reuse"])

#: More than a session looks at side by side.
MANY = 320


@contextlib.contextmanager
def crowd(port, source, count=MANY, say=b""):
    """Connections that say no more than `say`; those that find no room go on trying."""
    made = []
    try:
        for _ in range(count):
            made.append(join(port, source))
        for one in made if say else ():
            one.settimeout(20)
            one.sendall(say)
        yield made
    finally:
        for one in made:
            one.close()


def join(port, source):
    one = socket.socket()
    one.bind((source, 0))
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", port))
    return one


def fetch(session, data, pause=0.0):
    """RETR over a connection, with the pauses that a round trip makes."""
    time.sleep(pause)
    session.expect("RETR f", 150)
    time.sleep(pause)
    data = session.wrap_data(data, resume=True)
    content = read_all(data)
    finish(data)
    session.next(226)
    return content


@CROWDS
@pytest.mark.parametrize("count", [9, MANY])
def test_a_silent_crowd_that_came_first_spoils_nothing(serve, account, options, source, count):
    account.file("f", b"content")
    session = serve(**options).session(account)
    port = session.passive_port()
    with crowd(port, source, count):
        assert session.alive()
        assert fetch(session, session.connect_data(port)) == b"content"


@CROWDS
@pytest.mark.parametrize("count", [9, MANY])
def test_a_silent_crowd_that_comes_after_the_client_spoils_nothing(
        serve, account, options, source, count):
    account.file("f", b"content")
    session = serve(**options).session(account)
    port = session.passive_port()
    data = session.connect_data(port)
    with crowd(port, source, count):
        assert session.alive()
        assert fetch(session, data) == b"content"


def test_a_client_that_takes_its_time_is_not_pushed_out_meanwhile(serve, account):
    account.file("f", b"content")
    session = serve().session(account)
    port = session.passive_port()
    data = session.connect_data(port)
    with crowd(port, "127.0.0.1"):
        # Longer than anybody is spared who takes a place from others.
        time.sleep(3)
        assert fetch(session, data) == b"content"


@CROWDS
def test_a_stream_of_silent_connections_spoils_nothing(serve, account, options, source):
    account.file("f", b"content")
    session = serve(**options).session(account)
    target, ended, made = [session.passive_port()], threading.Event(), []

    def run():
        while not ended.wait(0.01):
            with contextlib.suppress(OSError):
                made.append(join(target[0], source))

    stream = threading.Thread(target=run)
    stream.start()
    try:
        for _ in range(4):
            already = len(made)
            wait_until(lambda: len(made) > already + 30, what="thirty strangers")
            assert fetch(session, session.connect_data(target[0]), 0.1) == b"content"
            target[0] = session.passive_port()
    finally:
        ended.set()
        stream.join()
        for one in made:
            one.close()


def test_a_crowd_that_begins_a_handshake_and_stops_spoils_nothing(serve, account):
    account.file("f", b"content")
    session = serve().session(account)
    port = session.passive_port()
    # Fewer than are looked at, and more than are under TLS side by side.
    with crowd(port, "127.0.0.1", 100, say=b"\x16"):
        assert session.alive()
        assert fetch(session, session.connect_data(port)) == b"content"


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.66"])
def test_one_that_came_and_left_does_not_cut_the_clients_time(serve, account, source):
    account.file("f", b"content")
    session = serve(pasv_promiscuous="YES", accept_timeout="8").session(account)
    port = session.passive_port()
    stranger(port, source).close()
    session.expect("RETR f", 150)
    stranger(port, source).close()
    # Longer than the client has after one that spoke, and proved nothing.
    time.sleep(4)
    data = session.wrap_data(session.connect_data(port), resume=True)
    assert read_all(data) == b"content"
    finish(data)
    session.next(226)


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.66"])
def test_one_that_came_and_left_does_not_change_the_reply(serve, account, source):
    account.file("f", b"content")
    session = serve(pasv_promiscuous="YES", accept_timeout="1").session(account)
    stranger(session.passive_port(), source).close()
    session.expect("RETR f", 150)
    session.next(425)


@pytest.mark.parametrize("option", ["ssl_handshake_timeout", "accept_timeout"])
def test_a_client_may_connect_long_before_its_transfer(serve, account, option):
    """The time that it has is that of the transfer, and not of the connection."""
    account.file("f", b"content")
    session = serve(**{option: "2"}).session(account)
    data = session.connect_data()
    time.sleep(3)
    assert fetch(session, data) == b"content"
    with listen_locally() as listener:
        session.expect(port_command(listener), 200)
        session.expect("ESTA", 225)
        data, _ = listener.accept()
        time.sleep(3)
        assert fetch(session, data) == b"content"


def test_a_client_that_connects_and_leaves_again_is_not_waited_for(serve, account):
    account.file("f", b"content")
    session = serve(accept_timeout="1").session(account)
    data = session.connect_data()
    time.sleep(2)
    data.close()
    session.expect("RETR f", 150)
    session.next(425)
    assert session.retrieve("RETR f") == b"content"


def test_strangers_cannot_fill_the_log(serve, account):
    account.file("f", b"content")
    gateway = serve()
    session = gateway.session(account)
    for _ in range(2):
        port = session.passive_port()
        for _ in range(20):
            with stranger(port) as one:
                one.settimeout(20)
                with contextlib.suppress(ConnectionError):
                    assert one.recv(1) == b""
        assert session.retrieve("RETR f", port=port) == b"content"
    rest = "17 more data connections from foreign addresses refused"
    wait_until(lambda: gateway.log.count(rest) == 2, what="the count of the others")
    assert gateway.log.count("foreign address refused") == 6
