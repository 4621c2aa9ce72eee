"""Passive ports are lent: to each session a few, to an address no more than it may have."""

import socket

import pytest

from control import wait_until
from test_data_connections import free_ports


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        return True
    except ConnectionRefusedError:
        return False


def test_thousands_of_ports_without_a_transfer_leak_nothing(serve, account):
    first = free_ports(6)
    gateway = serve(pasv_min_port=first, pasv_max_port=first + 5)
    session, other = gateway.session(account), gateway.session(account)
    for number in range(2000):
        session.expect("EPSV" if number % 2 else "PASV", 229, 227)
    # One is open, and five are left for the other.
    for _ in range(10):
        other.passive_port()
    account.file("f", b"content")
    assert other.retrieve("RETR f") == b"content"
    assert session.retrieve("RETR f") == b"content"
    assert not any(listens(port) for port in range(first, first + 6))


def test_a_port_that_no_transfer_follows_is_closed_in_time(serve, account):
    session = serve(accept_timeout="1").session(account)
    port = session.passive_port()
    wait_until(lambda: not listens(port), 10, "the end of the port")
    session.expect("NLST", 150)
    # The look at the port was a connection that said nothing.
    session.next(425, 522)
    assert session.retrieve("NLST") == b""


def test_an_address_holds_no_more_ports_than_it_may(serve, account):
    gateway = serve(pasv_max_per_ip="2")
    sessions = [gateway.session(account) for _ in range(3)]
    ports = [session.passive_port() for session in sessions[:2]]
    assert "Too many" in sessions[2].expect("EPSV", 425).text
    assert "Too many" in sessions[2].expect("PASV", 425).text
    # Others are not concerned, and whoever holds one may have another instead.
    assert gateway.session(account, source="127.0.0.2").passive_port()
    assert sessions[0].passive_port() not in (None, ports[1])
    sessions[0].expect("QUIT", 221)
    wait_until(lambda: sessions[2].command("EPSV").code == 229, 10, "a port for the third")


@pytest.mark.parametrize("command", ["EPSV", "PASV"])
def test_an_exhausted_range_is_told_at_once_and_recovers(serve, account, command):
    first = free_ports(2)
    gateway = serve(pasv_min_port=first, pasv_max_port=first + 1)
    one, two, three = (gateway.session(account) for _ in range(3))
    assert {one.passive_port(), two.passive_port()} == {first, first + 1}
    three.expect(command, 425)
    one.expect("QUIT", 221)
    wait_until(lambda: three.command(command).code in (227, 229), 10, "a free port")
