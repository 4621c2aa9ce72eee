"""Somebody who is first at the passive port, in every guise that can be had on one machine."""

import socket

import pytest

from control import finish, read_all, wait_until

SECRET = b"the partner's prices, " * 500


class Thief:
    """Connects to a passive port before its owner, and does what its kind does."""

    KINDS = ["silent", "clear", "handshake", "foreign-session", "stale-ticket"]

    def __init__(self, gateway, kind, source, version, port, account):
        self.kind = kind
        self.control = None
        self.received = b""
        context = gateway.context(version)
        session = None
        if kind == "foreign-session":
            # A session of this server's own making, with a place in a control connection.
            self.control = gateway.session(account, context=context)
            self.control.passive_port()
            session = self.control.socket.session
        elif kind == "stale-ticket":
            gone = gateway.session(account, context=context)
            gone.passive_port()
            session = gone.socket.session
            gone.expect("QUIT", 221)
            gone.close()
        self.socket = socket.create_connection(
            (gateway.host, port), 20, source_address=(source, 0))
        self.socket.settimeout(0.5)
        try:
            if kind == "clear":
                self.socket.sendall(b"poison\r\n" * 100)
            elif kind != "silent":
                self.socket = context.wrap_socket(
                    self.socket, server_hostname=gateway.host, session=session)
                assert not self.socket.session_reused
                self.socket.sendall(b"poison\r\n" * 100)
        except OSError:
            pass

    def look(self):
        """Takes what there is to take."""
        try:
            while chunk := self.socket.recv(65536):
                self.received += chunk
        except OSError:
            pass
        return self.received

    def close(self):
        self.socket.close()
        if self.control:
            self.control.close()


@pytest.fixture
def thief(request):
    """Makes thieves, and takes them away."""
    made = []

    def make(*arguments):
        made.append(Thief(*arguments))
        return made[-1]

    yield make
    for one in made:
        one.close()


def took_nothing(thief):
    received = thief.look()
    # Under TLS an alert of the server may come to one that never spoke TLS.
    assert received == b"" or thief.kind == "clear" and received[0] in (21, 22), received[:60]


def stored(account, name="g"):
    path = account.home / name
    return path.read_bytes() if path.exists() else b""


@pytest.mark.parametrize("command", ["RETR f", "LIST", "STOR g"])
@pytest.mark.parametrize("source,version", [
    ("127.0.0.1", "TLSv1.2"), ("127.0.0.1", "TLSv1.3"), ("127.0.0.7", "TLSv1.3")])
@pytest.mark.parametrize("kind", Thief.KINDS)
def test_where_reuse_is_required_the_thief_gets_nothing_and_the_owner_everything(
        serve, account, other_account, thief, kind, source, command, version):
    account.file("f", SECRET)
    gateway = serve(require_ssl_reuse="YES", ssl_handshake_timeout="2")
    gateway.secrets.append(other_account.password)
    session = gateway.session(account, version)
    port = session.passive_port()
    first = thief(gateway, kind, source, version, port, other_account)
    # The owner connects while the thief is there, resumes, and gets what it asked for.
    data = session.connect_data(port)
    session.expect(command, 150)
    data = session.wrap_data(data, resume=True)
    assert data.session_reused
    if command == "STOR g":
        data.sendall(b"pure")
        content = b""
    else:
        content = read_all(data)
    finish(data)
    session.next(226)
    took_nothing(first)
    if command == "RETR f":
        assert content == SECRET
    elif command == "LIST":
        assert content.count(b"\r\n") == 1 and content.endswith(b" f\r\n")
    else:
        assert stored(account) == b"pure"


@pytest.mark.parametrize("kind,command", [
    *((kind, "RETR f") for kind in Thief.KINDS), ("handshake", "LIST"), ("clear", "STOR g"),
    ("foreign-session", "STOR g")])
def test_where_reuse_is_required_a_thief_alone_ends_in_a_clear_refusal(
        serve, account, other_account, thief, kind, command):
    account.file("f", SECRET)
    gateway = serve(require_ssl_reuse="YES", ssl_handshake_timeout="1", accept_timeout="2")
    session = gateway.session(account)
    port = session.passive_port()
    first = thief(gateway, kind, "127.0.0.1", "TLSv1.3", port, other_account)
    session.expect(command, 150)
    session.next(522)
    took_nothing(first)
    assert stored(account) == b""
    # The connection that was refused is not there for the next command either.
    session.expect(command, 425)
    took_nothing(first)
    assert session.retrieve("RETR f", resume=True) == SECRET


@pytest.mark.parametrize("command", ["RETR f", "LIST", "STOR g"])
@pytest.mark.parametrize("kind", Thief.KINDS)
def test_where_reuse_is_optional_another_address_gets_nothing(
        serve, account, other_account, thief, kind, command):
    account.file("f", SECRET)
    gateway = serve(require_ssl_reuse="NO")
    session = gateway.session(account)
    port = session.passive_port()
    first = thief(gateway, kind, "127.0.0.7", "TLSv1.3", port, other_account)
    data = session.connect_data(port)
    session.expect(command, 150)
    data = session.wrap_data(data)
    if command == "STOR g":
        data.sendall(b"pure")
    else:
        assert read_all(data)
    finish(data)
    session.next(226)
    took_nothing(first)
    assert stored(account) == (b"pure" if command == "STOR g" else b"")


def test_the_log_names_who_was_turned_away(serve, account, thief, other_account):
    account.file("f", SECRET)
    gateway = serve(require_ssl_reuse="YES")
    session = gateway.session(account)
    port = session.passive_port()
    thief(gateway, "handshake", "127.0.0.7", "TLSv1.3", port, other_account)
    thief(gateway, "handshake", "127.0.0.1", "TLSv1.3", port, other_account)
    assert session.retrieve("RETR f", port=port, resume=True) == SECRET
    wait_until(lambda: "proof=session" in gateway.log, what="the line about the transfer")
    assert "foreign address refused: 127.0.0.7" in gateway.log
    assert "without proof from 127.0.0.1" in gateway.log


def test_a_crowd_at_the_port_does_not_keep_its_owner_out(serve, account):
    """First-connector denial: more connections than are looked at side by side."""
    account.file("f", SECRET)
    gateway = serve(require_ssl_reuse="YES", max_per_ip="0")
    session = gateway.session(account)
    port = session.passive_port()
    crowd = []
    try:
        for number in range(60):
            crowd.append(socket.create_connection(
                (gateway.host, port), 20, source_address=(f"127.0.0.{1 + number % 3}", 0)))
        assert session.alive()
        assert session.retrieve("RETR f", port=port, resume=True) == SECRET
        for one in crowd:
            one.settimeout(5)
            try:
                assert one.recv(100) == b""
            except ConnectionError:
                pass
    finally:
        for one in crowd:
            one.close()


def test_ports_are_not_to_be_guessed(gateway, account):
    session = gateway.session(account)
    ports = [session.passive_port() for _ in range(60)]
    steps = {after - before for before, after in zip(ports, ports[1:])}
    assert len(set(ports)) > 50 and len(steps) > 50
    assert max(ports) - min(ports) > 1000
