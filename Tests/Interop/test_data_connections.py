"""Data connections: when they begin, where they are announced, which ports they use."""

import re
import socket

import pytest

import proc
from control import VERSIONS, Control, finish, read_all, wait_until

BOTH = pytest.mark.parametrize("version", VERSIONS)


@BOTH
@pytest.mark.parametrize("resume", [False, True], ids=["full-handshake", "resumed"])
def test_the_handshake_may_come_before_the_transfer_command(gateway, account, version, resume):
    account.file("f", b"early")
    session = gateway.session(account, version)
    data = session.wrap_data(session.connect_data(), resume)
    session.expect("RETR f", 150)
    assert read_all(data) == b"early"
    finish(data)
    session.next(226)
    data = session.wrap_data(session.connect_data(), resume)
    assert session.alive(), "other commands may come in between"
    session.expect("STOR g", 150)
    data.sendall(b"stored")
    finish(data)
    session.next(226)
    assert (account.home / "g").read_bytes() == b"stored"


@BOTH
def test_an_upload_may_be_written_before_the_transfer_command_is_answered(
        gateway, account, version):
    session = gateway.session(account, version)
    data = session.wrap_data(session.connect_data())
    data.sendall(b"hasty")
    session.expect("STOR f", 150)
    finish(data)
    session.next(226)
    assert (account.home / "f").read_bytes() == b"hasty"


def test_the_configured_address_is_announced_by_pasv_only(serve, account):
    session = serve(pasv_address="192.0.2.10").session(account)
    assert "(192,0,2,10," in session.expect("PASV", 227).text
    assert re.search(r"\(\|\|\|\d+\|\)", session.expect("EPSV", 229).text)


def test_the_announced_address_goes_by_where_the_client_came_to(serve, account):
    gateway = serve(listen_address="0.0.0.0", pasv_address="192.0.2.10",
                    masquerade_address_map="127.0.0.1:198.51.100.1, 127.0.0.2:198.51.100.2")
    for host, told in (("127.0.0.1", "198,51,100,1"), ("127.0.0.2", "198,51,100,2"),
                       ("127.0.0.3", "192,0,2,10")):
        gateway.host = host
        session = Control(host, gateway.port, gateway.context())
        session.context.check_hostname = False
        gateway.clients.append(session)
        session.secure().protect().login(account)
        assert f"({told}," in session.expect("PASV", 227).text


def test_clients_inside_are_told_the_real_address(serve, account):
    gateway = serve(pasv_address="192.0.2.10", pasv_local_networks="10.0.0.0/8,127.0.0.2",
                    masquerade_address_map="127.0.0.1:198.51.100.1")
    outside, inside = gateway.session(account), gateway.session(account, source="127.0.0.2")
    assert "(198,51,100,1," in outside.expect("PASV", 227).text
    assert "(127,0,0,1," in inside.expect("PASV", 227).text


def test_a_host_name_is_announced_by_its_address(serve, account):
    session = serve(pasv_address="localhost", pasv_addr_resolve="YES").session(account)
    assert "(127,0,0,1," in session.expect("PASV", 227).text


def free_ports(count):
    """Neighbouring ports below the ephemeral range, so that no client socket takes one."""
    for first in range(23_000, 31_000, 97):
        sockets = []
        try:
            for port in range(first, first + count):
                sockets.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for opened in sockets:
                opened.close()
    raise AssertionError("no free ports")


def test_passive_ports_come_from_the_configured_range(serve, account):
    first = free_ports(5)
    session = serve(pasv_min_port=str(first), pasv_max_port=str(first + 4)).session(account)
    ports = {session.passive_port(command) for command in ["EPSV", "PASV"] * 20}
    assert ports <= set(range(first, first + 5))
    assert session.retrieve("NLST") == b""


def test_passive_ports_are_drawn_at_random(serve, account):
    """Bounds that chance alone breaks less than once in 10^9 runs, each for another bad choice."""
    first, size = 10_000, 50_000
    gateway = serve(pasv_min_port=str(first), pasv_max_port=str(first + size - 1))
    sessions = [gateway.session(account) for _ in range(3)]
    ports = [sessions[number % 3].passive_port() for number in range(60)]
    steps = [after - before for before, after in zip(ports, ports[1:])]
    ordered = sorted(ports)
    # Sessions that draw alike, and one stride again and again.
    assert len(set(ports)) >= 54
    assert len({step % size for step in steps}) >= 50
    # Small steps, in either direction: of chance about six in fifty-nine are that small.
    assert sum(abs(step) < size // 20 for step in steps) <= 30
    # One direction only: of chance about half of them are.
    assert 10 <= sum(step > 0 for step in steps) <= 49
    # A few places in the range: of chance less than one pair in sixty is that close.
    assert sum(after - before <= 8 for before, after in zip(ordered, ordered[1:])) <= 12
    # A part of the range.
    assert ordered[0] < first + size // 3 and ordered[-1] >= first + size - size // 3


def test_an_exhausted_range_is_425_and_heals(serve, account):
    first = free_ports(1)
    session = serve(pasv_min_port=str(first), pasv_max_port=str(first)).session(account)
    with socket.create_server(("127.0.0.1", first)):
        session.expect("EPSV", 425)
        session.expect("PASV", 425)
    assert session.alive()
    wait_until(lambda: session.command("EPSV").code == 229, what="a free port")
    assert session.retrieve("NLST") == b""


def test_every_port_of_a_small_range_is_found(serve, account):
    first = free_ports(4)
    gateway = serve(pasv_min_port=str(first), pasv_max_port=str(first + 3))
    sessions = [gateway.session(account) for _ in range(4)]
    ports = {session.passive_port() for session in sessions}
    assert ports == set(range(first, first + 4))


def test_passive_mode_can_be_switched_off(serve, account):
    session = serve(pasv_enable="NO").session(account)
    session.expect("PASV", 502, 550)
    session.expect("EPSV", 502, 550)
    assert session.alive()


def test_active_mode_can_be_switched_off(serve, account):
    session = serve(port_enable="NO").session(account)
    session.expect("PORT 127,0,0,1,200,200", 502, 550)
    session.expect("EPRT |1|127.0.0.1|50000|", 502, 550)
    assert session.retrieve("NLST") == b""


def test_extended_passive_mode_has_its_arguments(gateway, account):
    session = gateway.session(account)
    for line, code in (("EPSV 1", 229), ("EPSV 2", 522), ("EPSV 3", 522), ("EPSV x", 501),
                       ("EPSV ALL", 200)):
        session.expect(line, code)
    for line in ("PASV", "PORT 127,0,0,1,200,200", "EPRT |1|127.0.0.1|50000|"):
        session.expect(line, 501, 503)
    assert session.retrieve("NLST") == b""


MALFORMED = [
    *((f"EPSV {argument}", 501) for argument in
      ("x", "-1", "1x", "1 ", " 1", "ALLX", "1,2", "|1|")),
    ("EPSV 3", 522), ("EPSV 0", 522), ("EPSV 99999999999999999999", 522),
    *((f"PORT {argument}", 501) for argument in
      ("", "127,0,0,1,200", "127,0,0,1,200,200,200", "127,0,0,1,200,256", "127.0.0.1,200,200",
       "127,0,0,1,,200", "127,0,0,1,200,0x50", "a,b,c,d,e,f", "::1", "99999999999,0,0,1,1,1")),
    *((f"EPRT {argument}", 501) for argument in
      ("", "|", "||||", "|1|127.0.0.1|65536|", "|1|127.0.0.1|-1|", "|1|127.0.0.1|50000",
       "|1|127.0.0|50000|", "|2|127.0.0.1|50000|", "1|127.0.0.1|50000|", "|1|127.0.0.1|x|")),
    ("EPRT |9|127.0.0.1|50000|", 522),
]


def test_malformed_requests_open_and_connect_nothing(gateway, account):
    session = gateway.session(account)

    def sockets():
        """Of all processes, by /proc/net/tcp and tcp6."""
        return {pid: proc.internet_states(pid) for pid in [gateway.pid, *proc.tree(gateway.pid)]}

    before = sockets()
    for line, code in MALFORMED:
        session.expect(line, code)
        assert sockets() == before, line
    session.expect("EPSV", 229)
    assert sockets() != before


def test_pasv_cannot_tell_an_ipv6_address(serve, account, ipv6):
    session = serve(family=6).session(account)
    session.expect("PASV", 425, 522)
    session.expect("EPSV 1", 522)
    session.expect("EPRT |1|127.0.0.1|50000|", 500, 501, 522)
    session.expect("PORT 127,0,0,1,200,200", 500, 501, 522)
    assert session.retrieve("NLST") == b""


@pytest.mark.parametrize("line,codes", [
    ("PORT 10,0,0,1,200,200", (500, 501)), ("PORT 127,0,0,2,200,200", (500, 501)),
    ("PORT 127,0,0,1,0,22", (500, 501)), ("PORT 127,0,0,1,256,1", (500, 501)),
    ("PORT 127,0,0,1,200", (501,)), ("PORT 127,0,0,1,200,200,1", (501,)),
    ("PORT 127,0,0,1,-1,200", (501,)), ("PORT localhost", (501,)),
    ("EPRT |1|10.0.0.1|50000|", (500, 501)), ("EPRT |1|127.0.0.1|22|", (500, 501)),
    ("EPRT |3|127.0.0.1|50000|", (522,)), ("EPRT |1|127.0.0.1|0|", (500, 501)),
    ("EPRT |1|127.0.0.1|70000|", (501,)), ("EPRT |1|::1|50000|", (501,)),
    ("EPRT |2|::1|50000|", (500, 501, 522)), ("EPRT 127.0.0.1", (501,)), ("EPRT |||", (501, 522)),
])
def test_active_mode_goes_to_the_client_only(gateway, account, line, codes):
    session = gateway.session(account)
    session.expect(line, *codes)
    session.expect("LIST", 425, 503)
    assert session.alive()


@BOTH
@pytest.mark.parametrize("command", ["PORT", "EPRT"])
@pytest.mark.parametrize("resume", [False, True], ids=["full-handshake", "resumed"])
def test_active_transfers_work(gateway, account, version, command, resume):
    account.file("f", b"active")
    session = gateway.session(account, version)
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(20)
            port = server.getsockname()[1]
            if command == "PORT":
                session.expect(f"PORT 127,0,0,1,{port >> 8},{port & 255}", 200)
            else:
                session.expect(f"EPRT |1|127.0.0.1|{port}|", 200)
            session.send("RETR f")
            data, peer = server.accept()
            assert peer[0] == "127.0.0.1"
        session.next(150)
        data = session.wrap_data(data, resume)
        assert read_all(data) == b"active"
        finish(data)
        session.next(226)


def test_an_active_connection_that_is_refused_is_425(gateway, account):
    session = gateway.session(account)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        session.expect(f"PORT 127,0,0,1,{port >> 8},{port & 255}", 200)
        reply = session.command("NLST")
        if reply.code == 150:
            reply = session.reply()
        assert reply.code == 425
    assert session.retrieve("NLST") == b""


def test_a_new_passive_port_closes_the_one_before(gateway, account):
    session = gateway.session(account)
    first = session.passive_port()
    second = session.passive_port()
    assert first != second
    with pytest.raises(ConnectionError):
        session.connect_data(first)
    assert session.retrieve("NLST", port=second) == b""


def test_a_port_is_closed_after_its_transfer(gateway, account):
    session = gateway.session(account)
    port = session.passive_port()
    session.retrieve("NLST", port=port)
    with pytest.raises(ConnectionError):
        session.connect_data(port)
