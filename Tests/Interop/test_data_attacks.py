"""Attacks by and on data connections: bounce, sockets that were refused, EPSV ALL."""

import socket
import time

import pytest

from control import finish, read_all, wait_until

THIRD = "127.0.0.9"


@pytest.fixture
def victim():
    """A service of a third host, which nobody may reach through the server."""
    with socket.create_server((THIRD, 0)) as listener:
        listener.settimeout(0.3)
        yield listener


def was_reached(listener):
    try:
        listener.accept()[0].close()
        return True
    except TimeoutError:
        return False


def numbers(address, port):
    return f"{address.replace('.', ',')},{port >> 8},{port & 255}"


@pytest.mark.parametrize("command", ["LIST", "RETR f", "STOR g", "NLST", "MLSD", "APPE f", "STOU"])
def test_no_command_reaches_a_third_host(gateway, account, victim, command):
    """RFC 2577 section 3."""
    account.file("f", b"HELO x\r\nMAIL FROM:<a@b>\r\n")
    port = victim.getsockname()[1]
    session = gateway.session(account)
    for line in (f"PORT {numbers(THIRD, port)}", f"EPRT |1|{THIRD}|{port}|"):
        session.expect(line, 500)
        session.expect(command, 425)
    assert not was_reached(victim)
    assert "to 127.0.0.9" in gateway.log


@pytest.mark.parametrize("before", ["PORT", "EPSV"])
@pytest.mark.parametrize("refused", [
    "PORT 127,0,0,9,200,200", "PORT 127,0,0,1", "EPRT |1|127.0.0.9|50000|", "EPRT |2|::1|50000|",
    "EPSV 2", "EPSV x"])
def test_a_refused_address_takes_the_place_of_a_good_one(gateway, account, before, refused):
    """Nothing is sent to a place that the client no longer means, as with vsftpd."""
    account.file("f", b"content")
    session = gateway.session(account)
    with socket.create_server(("127.0.0.1", 0)) as own:
        if before == "PORT":
            session.expect(f"PORT {numbers('127.0.0.1', own.getsockname()[1])}", 200)
        else:
            session.passive_port()
        session.expect(refused, 500, 501, 522)
        session.expect("RETR f", 425)
        own.settimeout(0.2)
        with pytest.raises(TimeoutError):
            own.accept()
    assert session.retrieve("RETR f") == b"content"


@pytest.mark.parametrize("address", ["::ffff:127.0.0.9", "::ffff:127.0.0.1", "::127.0.0.9", "::1",
                                     "::", "fe80::1%1", "0000:0000::ffff:7f00:9"])
def test_an_ipv6_spelling_is_no_way_around(gateway, account, victim, address):
    session = gateway.session(account)
    session.expect(f"EPRT |2|{address}|{victim.getsockname()[1]}|", 500, 501, 522)
    session.expect("LIST", 425)
    assert not was_reached(victim)


@pytest.mark.parametrize("line", [
    "PORT 0,0,0,0,{high},{low}", "PORT 127,0,0,9,{high},{low} ", "PORT 2130706441,{high},{low}",
    "PORT 127,0,0,265,{high},{low}", "PORT 0127,0,0,011,{high},{low}", "EPRT |1|127.9|{port}|",
    "EPRT |1|0x7f000009|{port}|", "EPRT |1|127.0.0.011|{port}|", "EPRT |1|localhost|{port}|",
    "EPRT |1|0.0.0.0|{port}|", "EPRT |1|255.255.255.255|{port}|", "PORT 127,0,0,1,0,{low}",
    "EPRT |1|127.0.0.1|1023|",
])
def test_an_odd_spelling_is_no_way_around(gateway, account, victim, line):
    port = victim.getsockname()[1]
    session = gateway.session(account)
    session.expect(line.format(high=port >> 8, low=port & 255, port=port), 500, 501)
    session.expect("LIST", 425)
    assert not was_reached(victim)


def test_on_ipv6_neither_a_mapped_address_nor_another_host_is_reached(
        serve, account, ipv6, victim):
    gateway = serve(family=6)
    session = gateway.session(account)
    port = victim.getsockname()[1]
    for address in ("::ffff:127.0.0.9", "::ffff:127.0.0.1", "::2", "::", "ff02::1"):
        session.expect(f"EPRT |2|{address}|{port}|", 500, 501)
        session.expect("LIST", 425)
    session.expect(f"EPRT |1|{THIRD}|{port}|", 522)
    session.expect(f"PORT {numbers(THIRD, port)}", 500, 501, 522)
    assert not was_reached(victim)
    assert session.retrieve("NLST") == b""


def test_a_client_of_a_dual_stack_listener_is_held_to_its_own_address(
        serve, account, ipv6, victim):
    gateway = serve(family=6, listen_address6="::")
    gateway.host = "127.0.0.1"
    session = gateway.session(account)
    port = victim.getsockname()[1]
    for line in (f"EPRT |1|{THIRD}|{port}|", f"EPRT |2|::ffff:{THIRD}|{port}|",
                 f"PORT {numbers(THIRD, port)}", f"EPRT |2|::ffff:127.0.0.1|{port}|"):
        session.expect(line, 500, 501, 522)
        session.expect("LIST", 425)
    assert not was_reached(victim)
    assert session.retrieve("NLST") == b""
    with socket.create_connection(
            ("127.0.0.1", session.passive_port()), 10, source_address=(THIRD, 0)) as stranger:
        stranger.settimeout(10)
        session.send("NOOP")
        session.next(200)
        try:
            assert stranger.recv(100) == b""
        except ConnectionError:
            pass


# Every try leaves one line.

def refusals(gateway, session):
    # The reply comes from who writes the log, after every line of the session so far.
    session.expect("EPSV", 229)
    return [line for line in gateway.log.splitlines() if " refused: " in line]


@pytest.mark.parametrize("line, target", [
    ("PORT 127,0,0,9,195,80", "127.0.0.9:50000"), ("EPRT |1|127.0.0.9|50000|", "127.0.0.9:50000"),
    ("PORT 0,0,0,0,195,80", "0.0.0.0:50000"), ("EPRT |1|10.0.0.1|50000|", "10.0.0.1:50000"),
    ("EPRT |2|::ffff:10.0.0.1|50000|", "10.0.0.1:50000"), ("EPRT |2|::1|50000|", "[::1]:50000"),
    ("EPRT |2|::ffff:127.0.0.1|50000|", "127.0.0.1:50000"),
    ("PORT 127,0,0,1,0,22", "127.0.0.1:22"), ("EPRT |1|127.0.0.1|1023|", "127.0.0.1:1023"),
])
def test_each_refused_target_leaves_one_line(gateway, account, line, target):
    session = gateway.session(account)
    session.expect(line, 500, 522)
    logged, = refusals(gateway, session)
    assert f"{line.split()[0]} to {target} refused: " in logged
    for mark in ("warning", "session=", "peer=127.0.0.1:", f"user={account.name}"):
        assert mark in logged


def test_from_an_ipv6_client_each_refused_target_leaves_one_line(serve, account, ipv6):
    gateway = serve(family=6)
    session = gateway.session(account)
    lines = ["EPRT |2|::ffff:127.0.0.9|50000|", "EPRT |2|::2|50000|", "EPRT |1|127.0.0.9|50000|",
             "PORT 127,0,0,9,195,80", "EPRT |2|::1|1023|"]
    for line in lines:
        session.expect(line, 500, 522)
    assert len(refusals(gateway, session)) == len(lines)


def test_a_flood_of_refused_targets_does_not_drown_the_log(gateway, account):
    session = gateway.session(account)
    start = time.monotonic()
    for _ in range(8):
        session.raw(b"PORT 127,0,0,9,195,80\r\n" * 100)
        for _ in range(100):
            session.next(500)
    lasted = time.monotonic() - start
    # 500 lines in ten seconds.
    assert 0 < len(refusals(gateway, session)) <= 500 * (1 + lasted // 10)


def test_noise_does_not_crowd_out_what_a_user_did(gateway, account):
    account.file("f", b"content")
    session = gateway.session(account)
    session.expect("TYPE I", 200)
    for _ in range(6):
        session.raw(b"PORT 127,0,0,9,195,80\r\n" * 100)
        for _ in range(100):
            session.next(500)
    assert session.retrieve("RETR f") == b"content"
    session.store("STOR g", b"new")
    session.expect("DELE f", 250)
    session.expect("QUIT", 221)
    wait_until(lambda: "disconnected" in gateway.log, 10, "the end of the session")
    lines = [line for line in gateway.log.splitlines() if f"user={account.name}" in line]
    for words in ("RETR \"/f\" ok", "STOR \"/g\" ok", "DELE \"/f\"", "dropped: "):
        assert any(words in line for line in lines), words


# A connection that was refused once stays refused.

def test_a_refused_connection_is_not_used_by_the_next_command(serve, account):
    account.file("f", b"secret")
    session = serve(accept_timeout="2").session(account)
    port = session.passive_port()
    with socket.create_connection(("127.0.0.1", port), 10, source_address=(THIRD, 0)) as thief:
        session.expect("RETR f", 150)
        session.next(425)
        for line in ("RETR f", "LIST", "STOR g"):
            session.expect(line, 425)
        thief.settimeout(5)
        try:
            assert thief.recv(100) == b""
        except ConnectionError:
            pass
    with pytest.raises(ConnectionError):
        session.connect_data(port)
    assert session.retrieve("RETR f") == b"secret"


def test_connections_beside_the_one_of_a_transfer_are_not_used_for_the_next(gateway, account):
    account.file("f", b"content")
    session = gateway.session(account)
    port = session.passive_port()
    spare = [session.connect_data(port) for _ in range(3)]
    session.expect("RETR f", 150)
    data = session.wrap_data(spare.pop(0))
    assert read_all(data) == b"content"
    finish(data)
    session.next(226)
    for line in ("RETR f", "LIST", "STOR g"):
        session.expect(line, 425)
    for one in spare:
        one.close()


def test_an_aborted_transfer_leaves_no_port_open(gateway, account):
    account.sparse("big", 1 << 28)
    session = gateway.session(account)
    port = session.passive_port()
    session.send("RETR big")
    session.next(150)
    session.expect("ABOR", 426)
    session.next(226)
    with pytest.raises(ConnectionError):
        session.connect_data(port)
    session.expect("RETR big", 425)


# EPSV ALL holds to the end of the session.

@pytest.mark.parametrize("between", [
    "ABOR", "NOOP", "CWD /", "TYPE I", "PBSZ 0", "PROT P", "EPSV", "RETR missing", "EPSV ALL",
    "OPTS UTF8 ON", "REST 0", "MODE S"])
def test_epsv_all_holds_whatever_comes_between(gateway, account, between):
    session = gateway.session(account)
    session.expect("EPSV ALL", 200)
    session.command(between)
    for line in ("PASV", "PORT 127,0,0,1,200,200", "EPRT |1|127.0.0.1|50000|"):
        session.expect(line, 501, 503)
    assert session.retrieve("NLST") == b""
    session.expect("PASV", 501, 503)


def test_epsv_all_holds_after_an_aborted_transfer(gateway, account):
    account.sparse("big", 1 << 28)
    session = gateway.session(account)
    session.expect("EPSV ALL", 200)
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    data.recv(1000)
    session.expect("ABOR", 426)
    session.next(226)
    data.close()
    for line in ("PASV", "PORT 127,0,0,1,200,200", "EPRT |1|127.0.0.1|50000|"):
        session.expect(line, 501, 503)
