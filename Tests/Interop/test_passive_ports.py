"""Passive ports are lent: to each session one, to an address no more than it may have."""

import os
import signal
import socket
import time

import pytest

import proc
from control import wait_until
from test_data_connections import free_ports

LISTEN = "0A"


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


def held(gateway):
    """Descriptors and memory of every process of the daemon."""
    return {(proc.name(pid), pid): (len(proc.descriptors(pid)), proc.kibibytes(pid, "VmRSS"))
            for pid in [gateway.pid, *proc.tree(gateway.pid)]}


def test_thousands_of_ports_leave_every_process_as_it_was(serve, account):
    gateway = serve()
    session = gateway.session(account)

    def ask(count):
        for number in range(count):
            session.expect("EPSV" if number % 2 else "PASV", 229, 227)
        # The last one goes, too.
        assert session.retrieve("NLST") == b""

    ask(300)
    before = held(gateway)
    assert {name for name, _ in before} >= {"ftps-listener", "ftps-warden", "ftps-session"}
    ask(3000)
    after = held(gateway)
    assert after.keys() == before.keys()
    for process, (descriptors, memory) in before.items():
        assert after[process][0] == descriptors, process
        # A tenth of a KiB for each would be more.
        assert after[process][1] - memory < 256, process


def test_the_warden_lets_go_of_a_port_that_its_session_has_closed(serve, account):
    gateway = serve()
    session = gateway.session(account)
    warden, = gateway.wardens()
    for _ in range(2):
        session.passive_port()
        assert proc.internet_states(warden) == [LISTEN]
    for end in (lambda: session.retrieve("NLST"), lambda: session.expect("ABOR", 225)):
        session.passive_port()
        end()
        wait_until(lambda: proc.internet_states(warden) == [], what="the end of the port")


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


def test_a_port_counts_until_a_transfer_has_begun_and_no_longer(serve, account):
    gateway = serve(pasv_max_per_ip="1")
    account.file("f", b"content")
    sessions = [gateway.session(account) for _ in range(3)]
    # At once, without a second try.
    for _ in range(5):
        for session in sessions:
            assert session.retrieve("RETR f") == b"content"


def test_of_sessions_that_ask_at_once_as_many_get_a_port_as_may(serve, account):
    gateway = serve(pasv_max_per_ip="3", max_per_ip="0")
    sessions = [gateway.session(account) for _ in range(10)]
    for _ in range(10):
        for session in sessions:
            session.send("EPSV")
        codes = [session.reply().code for session in sessions]
        assert sorted(codes) == [229] * 3 + [425] * 7
        for session in sessions:
            session.expect("ABOR", 225)


def test_a_port_that_others_have_taken_since_does_not_count(serve, account):
    first = free_ports(2)
    gateway = serve(pasv_min_port=first, pasv_max_port=first + 1, pasv_max_per_ip="1")
    one = gateway.session(account)
    port = one.passive_port()
    one.expect("ABOR", 225)
    other = gateway.session(account, source="127.0.0.2")
    wait_until(lambda: other.passive_port() == port, what="the same port for somebody else")
    assert gateway.session(account).passive_port() != port
    assert "Too many" in one.expect("EPSV", 425).text


def test_ports_on_each_of_our_addresses_count(serve, account):
    port = free_ports(1)
    gateway = serve(listen_address="0.0.0.0", pasv_min_port=port, pasv_max_port=port,
                    pasv_max_per_ip="1")
    sessions = []
    for gateway.host in ("127.0.0.1", "127.0.0.2"):
        context = gateway.context()
        # The certificate names one of them.
        context.check_hostname = False
        sessions.append(gateway.session(account, source="127.0.0.1", context=context))
    for session, other in (sessions, sessions[::-1]):
        assert session.passive_port() == port
        assert "Too many" in other.expect("EPSV", 425).text
        session.expect("ABOR", 225)


def test_a_port_that_could_not_be_opened_does_not_count(serve, account):
    port = free_ports(1)
    gateway = serve(pasv_min_port=port, pasv_max_port=port, pasv_max_per_ip="1")
    other = gateway.session(account, source="127.0.0.2")
    other.passive_port()
    sessions = [gateway.session(account) for _ in range(2)]
    for session in 2 * sessions:
        assert "No passive port is free" in session.expect("EPSV", 425).text
    other.expect("ABOR", 225)
    assert sessions[1].passive_port() == port


def test_the_port_of_a_warden_that_was_killed_does_not_count(serve, account):
    gateway = serve(pasv_max_per_ip="1")
    gateway.session(account).passive_port()
    warden, = gateway.wardens()
    os.kill(warden, signal.SIGKILL)
    session = gateway.session(account)
    wait_until(lambda: session.command("EPSV").code == 229, what="a port")


@pytest.mark.parametrize("command", ["EPSV", "PASV"])
def test_an_exhausted_range_is_told_at_once_and_recovers(serve, account, command):
    first = free_ports(2)
    gateway = serve(pasv_min_port=first, pasv_max_port=first + 1)
    one, two, three = (gateway.session(account) for _ in range(3))
    assert {one.passive_port(), two.passive_port()} == {first, first + 1}
    three.expect(command, 425)
    one.expect("QUIT", 221)
    wait_until(lambda: three.command(command).code in (227, 229), 10, "a free port")


def test_ports_that_are_not_to_be_had_do_not_fill_the_log(serve, account):
    first = free_ports(1)
    gateway = serve(pasv_min_port=first, pasv_max_port=first)
    holder, session = gateway.session(account), gateway.session(account)
    assert holder.passive_port() == first
    start = time.monotonic()
    for _ in range(10):
        session.raw(b"EPSV\r\n" * 100)
        for _ in range(100):
            session.next(425)
    lasted = time.monotonic() - start
    assert 0 < gateway.log.count("no passive port is free") <= 500 * (1 + lasted // 10)
