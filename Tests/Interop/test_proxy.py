"""The PROXY protocol: a load balancer tells whom it speaks for (`proxy_protocol`)."""

import socket

import pytest

from control import Closed, Control, finish, read_all, wait_until
from proxying import (
    CHECKS, CLIENT, OTHER, PROXY, SIGNATURE, VERSIONS, binary, check, connect, data, line, session)


@VERSIONS
def test_limits_and_logs_see_the_client(balanced, account, header):
    gateway = balanced(max_per_ip="1")
    first = session(gateway, account, header(CLIENT))
    assert f"peer={CLIENT}:5555" in gateway.log and f"proxy={PROXY}:" in gateway.log
    assert CLIENT in first.expect("SITE WHO", 211, 214, 200).text
    refused = connect(gateway, header(CLIENT))
    assert "internet address" in refused.next(421).text and refused.ended()
    second = session(gateway, account, header("192.0.2.78"))
    first.expect("QUIT", 221)

    def comes_back():
        try:
            return connect(gateway, header(CLIENT)).reply().code == 220
        except (Closed, OSError):
            return False

    wait_until(comes_back, what="room for one more")
    assert second.alive()


@VERSIONS
def test_a_header_may_come_byte_by_byte_and_with_what_follows(balanced, account, header):
    gateway = balanced()
    slow = connect(gateway, b"")
    for byte in header(CLIENT):
        slow.raw(bytes([byte]))
    assert slow.next(220)
    hasty = connect(gateway, header(CLIENT) + b"NOOP\r\nNOOP\r\n")
    for code in (220, 200, 200):
        hasty.next(code)


def test_bans_hold_for_the_client_and_not_for_the_proxy(balanced):
    gateway = balanced(ban_failures="1", ban_time="3600")
    control = connect(gateway, line(CLIENT))
    control.next(220)
    control.secure().expect("USER nobody-of-ours", 331)
    control.expect("PASS wrong", 530)
    wait_until(lambda: "address banned" in gateway.log, what="the ban")
    assert connect(gateway, line(CLIENT)).ended(421)
    assert connect(gateway, line("192.0.2.78")).next(220)


def test_connections_a_minute_are_counted_by_client(balanced):
    gateway = balanced(max_connection_rate="2")
    for _ in range(2):
        assert connect(gateway, line(CLIENT)).next(220)
    assert connect(gateway, line(CLIENT)).ended(421)
    for number in range(4):
        assert connect(gateway, line(f"192.0.2.{number}")).next(220)


def test_a_header_from_elsewhere_is_no_header(balanced):
    gateway = balanced()
    direct = Control(gateway.host, gateway.port, gateway.context(), OTHER)
    gateway.clients.append(direct)
    direct.raw(line(CLIENT))
    direct.next(500)
    assert CLIENT not in gateway.log


@pytest.mark.parametrize("start", [
    b"USER x\r\n", b"GET / HTTP/1.1\r\n", b"PROXY TCP4 1.2.3.4\r\n", b"PROXY " + b"x" * 200,
    SIGNATURE + b"\x31\x11\0\x0c" + b"x" * 12, SIGNATURE + b"\x21\x11\xff\xff", b"\x16\x03\x01\x02\0\x01",
    b"\0" * 20, b"PROXY TCP4 192.0.2.1 198.51.100.7 49153 65536\r\n", b"PROXY TCP6 192.0.2.1 ::1 1 2\r\n",
    b"PROXY TCP4 ::1 ::1 1 2\r\n", b"PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n", b"proxy tcp4",
    SIGNATURE + b"\x21\x21\0\x0c" + b"x" * 12, SIGNATURE + b"\x21\x12\0\x0c" + b"x" * 12,
])
def test_a_proxy_without_a_header_is_served_nothing(balanced, start):
    gateway = balanced()
    control = connect(gateway, start)
    assert control.ended()
    wait_until(lambda: "no PROXY header" in gateway.log, what="the line in the log")
    wait_until(lambda: not gateway.wardens(), what="the end of the connection")
    assert gateway.log.count("session=") == 1


def test_a_header_that_breaks_off_is_none(balanced):
    gateway = balanced()
    control = connect(gateway, line(CLIENT)[:-4])
    control.socket.shutdown(socket.SHUT_WR)
    assert control.ended()


@pytest.mark.parametrize("start", CHECKS.values(), ids=CHECKS)
def test_health_checks_are_no_sessions(balanced, account, start):
    gateway = balanced(max_per_ip="1", max_connection_rate="3")
    for _ in range(5):
        check(gateway, start)
    wait_until(lambda: not gateway.wardens(), what="the end of the checks")
    assert "connected" not in gateway.log and "WARN" not in gateway.log.upper()
    assert session(gateway, account, line(CLIENT)).alive()


@VERSIONS
def test_a_check_that_names_its_own_connection_is_no_session(balanced, account, header):
    """HAProxy's checks by version 1 do, whose word UNKNOWN would mean the same."""
    gateway = balanced(max_clients="1")
    first = session(gateway, account, header(CLIENT))
    for _ in range(3):
        control = connect(gateway, b"")
        control.raw(header(PROXY, port=control.socket.getsockname()[1]))
        control.next(220)
        control.raw(b"USER x\r\n")
        assert control.ended()
    assert f"peer={PROXY}" not in gateway.log
    port = first.passive_port()
    with first.connect_data(port, source=PROXY) as probe:
        probe.sendall(header(PROXY, port=probe.getsockname()[1]))
        probe.settimeout(20)
        assert probe.recv(1) == b""
    # Any other port is a client's, who comes from where the balancer runs.
    assert connect(gateway, header(PROXY, port=1)).ended(421)
    assert f"peer={PROXY}:1 " in gateway.log and "data connection" not in gateway.log


def test_implicit_tls_begins_behind_the_header(balanced, account):
    gateway = balanced(implicit_ssl="YES", max_per_ip="1")
    control = connect(gateway, binary(CLIENT))
    control.handshake().next(220)
    gateway.secrets.append(account.password)
    control.protect().login(account)
    assert control.alive()
    refused = connect(gateway, binary(CLIENT))
    assert refused.ended() and not refused.pending


@VERSIONS
@pytest.mark.parametrize("reuse", ["YES", "NO"])
def test_data_connections_come_through_the_proxy(balanced, account, header, reuse):
    account.file("f", b"content")
    control = session(balanced(require_ssl_reuse=reuse), account, header(CLIENT))
    for port in (5556, 5557):
        connection = data(control, header(CLIENT, port=port))
        control.expect("RETR f", 150)
        connection = control.wrap_data(connection, resume=True)
        assert read_all(connection) == b"content"
        finish(connection)
        control.next(226)
    connection = data(control, header(CLIENT))
    control.expect("STOR g", 150)
    connection = control.wrap_data(connection, resume=True)
    connection.sendall(b"up")
    finish(connection)
    control.next(226)
    assert (account.home / "g").read_bytes() == b"up"


@pytest.mark.parametrize("start", [
    line("192.0.2.78"), b"", b"\x16\x03\x01", b"PROXY UNKNOWN\r\n", binary("192.0.2.78"),
], ids=["another-client", "silence", "tls", "check", "another-client-v2"])
def test_whoever_else_comes_through_the_proxy_neither_gets_nor_spoils_a_transfer(
        balanced, account, start):
    account.file("f", b"content")
    gateway = balanced()
    control = session(gateway, account, line(CLIENT))
    port = control.passive_port()
    stranger = control.connect_data(port)
    stranger.sendall(start)
    control.send("RETR f")
    control.next(150)
    connection = control.connect_data(port)
    connection.sendall(line(CLIENT))
    connection = control.wrap_data(connection)
    assert read_all(connection) == b"content"
    finish(connection)
    control.next(226)
    stranger.settimeout(5)
    try:
        assert b"content" not in stranger.recv(1000)
    except OSError:
        pass
    stranger.close()


@pytest.mark.parametrize("start", [line("192.0.2.78"), b"PROXY "], ids=["others", "silent"])
def test_many_strangers_do_not_push_the_client_out(balanced, account, start):
    account.file("f", b"content")
    control = session(balanced(), account, line(CLIENT))
    port = control.passive_port()
    own = control.connect_data(port)
    own.sendall(line(CLIENT))
    strangers = []
    for _ in range(20):
        stranger = control.connect_data(port)
        stranger.sendall(start)
        strangers.append(stranger)
    control.send("RETR f")
    control.next(150)
    own = control.wrap_data(own)
    assert read_all(own) == b"content"
    finish(own)
    control.next(226)
    for stranger in strangers:
        stranger.close()


def test_the_clients_address_alone_is_not_enough_without_the_proxy(balanced, account):
    """A data connection that claims the client's address comes from the proxy or is nobody's."""
    account.file("f", b"content")
    gateway = balanced(accept_timeout="2")
    control = session(gateway, account, line(CLIENT))
    connection = data(control, line(CLIENT), source=OTHER)
    control.expect("RETR f", 150)
    control.next(425)
    connection.close()


def test_a_slow_header_is_not_waited_for_without_end(balanced):
    gateway = balanced()
    control = connect(gateway, b"PROXY ")
    control.socket.settimeout(30)
    assert control.ended()


# A data port, and what it says of those who are no client.

UNNAMED = f"no PROXY header on a data connection from the proxy {PROXY}:"


def ends(connection):
    connection.settimeout(20)
    try:
        return connection.recv(1000) == b""
    except ConnectionError:
        return True
    finally:
        connection.close()


def said(gateway, text, count=1):
    """A line goes through the Warden, and may come a little later than what it is about."""
    wait_until(lambda: gateway.log.count(text) >= count, what=f"{text!r} in the log")
    assert gateway.log.count(text) == count, gateway.log


def serves_its_client(control, port):
    with data(control, line(CLIENT), port=port) as own:
        control.expect("RETR f", 150)
        own = control.wrap_data(own)
        assert read_all(own) == b"content"
        finish(own)
    control.next(226)


@pytest.mark.parametrize("start", [
    b"USER x\r\n", b"\x16\x03\x01\x02\0\x01" + b"x" * 300, b"PROXY TCP4 1.2.3.4\r\n", b"PROXY " + b"x" * 200,
    SIGNATURE + b"\x31\x11\0\x0c" + b"x" * 12, SIGNATURE + b"\x21\x11\xff\xff",
], ids=["command", "tls", "short", "long", "version-3", "too-long"])
def test_a_data_connection_without_a_header_is_ended_and_said(balanced, account, start):
    account.file("f", b"content")
    gateway = balanced()
    control = session(gateway, account, line(CLIENT))
    port = control.passive_port()
    assert ends(data(control, start, port=port))
    said(gateway, UNNAMED)
    assert max(map(len, gateway.log.splitlines())) < 400
    serves_its_client(control, port)
    said(gateway, "data connection from")


def test_a_header_that_breaks_off_or_does_not_come_is_said(balanced, account):
    account.file("f", b"content")
    gateway = balanced(ssl_handshake_timeout="2")
    control = session(gateway, account, line(CLIENT))
    port = control.passive_port()
    broken = data(control, line(CLIENT)[:-4], port=port)
    broken.shutdown(socket.SHUT_WR)
    assert ends(broken)
    said(gateway, UNNAMED)
    assert ends(data(control, b"", port=port))
    said(gateway, UNNAMED, 2)
    serves_its_client(control, port)


def test_what_the_client_waited_for_is_said_when_the_transfer_is_given_up(balanced, account):
    account.file("f", b"content")
    gateway = balanced(accept_timeout="1")
    control = session(gateway, account, line(CLIENT))
    with data(control, b""):
        control.expect("RETR f", 150)
        control.next(425)
    said(gateway, UNNAMED)


@pytest.mark.parametrize("start", CHECKS.values(), ids=CHECKS)
def test_checks_of_a_data_port_are_nobodys_mistake(balanced, account, start):
    account.file("f", b"content")
    gateway = balanced()
    control = session(gateway, account, line(CLIENT))
    port = control.passive_port()
    for _ in range(10):
        connection = data(control, start, port=port)
        if start:
            assert ends(connection)
        connection.close()
    serves_its_client(control, port)
    control.expect("QUIT", 221)
    wait_until(lambda: "disconnected" in gateway.log, what="the end in the log")
    assert "data connection" not in gateway.log


@pytest.mark.parametrize("start,source,address", [
    (line("192.0.2.78"), PROXY, "192.0.2.78:5555"), (binary("192.0.2.78"), PROXY, "192.0.2.78:5555"),
    (line("2001:db8::78"), PROXY, "[2001:db8::78]:5555"), (line(CLIENT), OTHER, f"{OTHER}:"),
], ids=["v1", "v2", "ipv6", "no-proxy"])
def test_a_foreign_data_connection_is_ended_and_said(balanced, account, start, source, address):
    account.file("f", b"content")
    gateway = balanced()
    control = session(gateway, account, line(CLIENT))
    port = control.passive_port()
    assert ends(data(control, start, source, port))
    said(gateway, f"data connection from a foreign address refused: {address}")
    serves_its_client(control, port)
