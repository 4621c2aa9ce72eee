"""The PROXY protocol: a load balancer tells whom it speaks for (`proxy_protocol`)."""

import socket
import struct

import pytest

from control import Closed, Control, finish, read_all, wait_until

PROXY, OTHER = "127.0.0.5", "127.0.0.6"
CLIENT = "192.0.2.77"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def line(client, to="198.51.100.9", port=5555):
    return f"PROXY TCP4 {client} {to} {port} 21\r\n".encode()


def binary(client, to="198.51.100.9", port=5555):
    # An extension (PP2_TYPE_NOOP) stands behind the addresses, as HAProxy may send them.
    body = (socket.inet_aton(client) + socket.inet_aton(to) + struct.pack("!HH", port, 21)
            + b"\x04\0\x03abc")
    return SIGNATURE + bytes([0x21, 0x11]) + struct.pack("!H", len(body)) + body


VERSIONS = pytest.mark.parametrize("header", [line, binary], ids=["v1", "v2"])


@pytest.fixture
def balanced(serve):
    def start(**options):
        return serve(proxy_protocol="YES", proxy_networks=f"{PROXY}/32,2001:db8::/32", **options)
    return start


def connect(gateway, header, source=PROXY):
    """A control connection over the proxy, up to the greeting."""
    control = Control(gateway.host, gateway.port, gateway.context(), source, greet=False)
    gateway.clients.append(control)
    control.raw(header)
    return control


def session(gateway, account, header):
    gateway.secrets.append(account.password)
    control = connect(gateway, header)
    control.next(220)
    return control.secure().protect().login(account)


def data(control, header, source=PROXY):
    connection = control.connect_data(source=source)
    connection.sendall(header)
    return connection


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
    b"\0" * 20,
])
def test_a_proxy_without_a_header_is_served_nothing(balanced, start):
    gateway = balanced()
    control = connect(gateway, start)
    assert control.ended()
    wait_until(lambda: "no PROXY header" in gateway.log, what="the line in the log")


def test_a_header_that_breaks_off_is_none(balanced):
    gateway = balanced()
    control = connect(gateway, line(CLIENT)[:-4])
    control.socket.shutdown(socket.SHUT_WR)
    assert control.ended()


@pytest.mark.parametrize("check", [
    b"", b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0",
    SIGNATURE + b"\x20\x11\0\x0c" + b"\x7f\0\0\1" * 2 + b"\0\1\0\2",
], ids=["connect", "unknown", "local", "local-with-addresses"])
def test_health_checks_are_no_sessions(balanced, account, check):
    gateway = balanced(max_per_ip="1", max_connection_rate="3")
    for _ in range(5):
        control = connect(gateway, check)
        if check:
            control.next(220)
            # Nothing is read of what it might say.
            control.raw(b"USER x\r\n")
            assert control.ended()
        control.close()
    wait_until(lambda: not gateway.wardens(), what="the end of the checks")
    assert "connected" not in gateway.log and "WARN" not in gateway.log.upper()
    assert session(gateway, account, line(CLIENT)).alive()


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
    stranger = control.connect_data(port, source=PROXY)
    stranger.sendall(start)
    control.send("RETR f")
    control.next(150)
    connection = control.connect_data(port, source=PROXY)
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
    own = control.connect_data(port, source=PROXY)
    own.sendall(line(CLIENT))
    strangers = []
    for _ in range(20):
        stranger = control.connect_data(port, source=PROXY)
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


def test_the_balancers_own_address_is_announced(balanced, account):
    control = session(balanced(), account, line(CLIENT, to="198.51.100.9"))
    assert "(198,51,100,9," in control.expect("PASV", 227).text


def test_active_connections_lead_to_the_client_and_not_to_the_proxy(balanced, account):
    account.file("f", b"content")
    control = session(balanced(), account, line("127.0.0.9", to="127.0.0.1"))
    control.expect("PORT 127,0,0,5,200,200", 500)
    with socket.create_server(("127.0.0.9", 0)) as listener:
        listener.settimeout(20)
        port = listener.getsockname()[1]
        control.expect(f"PORT 127,0,0,9,{port >> 8},{port & 255}", 200)
        control.expect("RETR f", 150)
        connection, _ = listener.accept()
    connection = control.wrap_data(connection)
    assert read_all(connection) == b"content"
    finish(connection)
    control.next(226)


def test_a_slow_header_is_not_waited_for_without_end(balanced):
    gateway = balanced()
    control = connect(gateway, b"PROXY ")
    control.socket.settimeout(30)
    assert control.ended()
