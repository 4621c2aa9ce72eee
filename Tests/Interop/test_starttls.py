"""Attacks around AUTH TLS: what somebody on the path writes in clear, before the handshake or into it."""

import socket
import time

import pytest

from control import VERSIONS, Closed, finish, read_all

BEHIND = [b"NOOP\r\n", b"USER root\r\nPASS x\r\n", b"\r\n", b"\n", b"\0", b"FEAT"]


def send_slowly(control, content):
    """One byte in each packet."""
    control.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in content:
        control.raw(bytes([byte]))
        time.sleep(0.002)


def said(control):
    """Everything that the server says in clear until it closes."""
    received = control.pending
    control.socket.settimeout(20)
    try:
        while chunk := control.socket.recv(65536):
            received += chunk
    except ConnectionError:
        pass
    return received


@pytest.mark.parametrize("behind", BEHIND)
def test_a_command_in_the_packet_of_auth_is_never_executed(gateway, behind):
    control = gateway.control()
    control.raw(b"AUTH TLS\r\n" + behind)
    assert said(control).startswith(b"503 ") or behind in (b"\r\n", b"\n", b"\0")


@pytest.mark.parametrize("behind", BEHIND)
def test_a_command_behind_an_auth_in_pieces_is_never_executed(gateway, behind):
    control = gateway.control()
    send_slowly(control, b"AUTH TLS\r")
    control.raw(b"\n" + behind)
    answer = said(control)
    assert b"503 " in answer and answer.count(b"\r\n") == 1


@pytest.mark.parametrize("behind", BEHIND)
def test_a_command_in_its_own_packets_is_never_executed(gateway, behind):
    """It comes too late to be seen with AUTH, so the handshake meets it, and fails."""
    control = gateway.control()
    control.raw(b"AUTH TLS\r\n")
    control.next(234)
    try:
        send_slowly(control, behind + b"NOOP\r\n" * 3)
    except ConnectionError:
        pass
    answer = said(control)
    assert answer == b"" or answer[0] == 21, "an alert at most"


def test_a_command_injected_in_front_of_a_clients_handshake_breaks_it(gateway):
    """The man in the middle of CVE-2011-0411: his words first, then the client's own hello."""
    control = gateway.control()
    control.raw(b"AUTH TLS\r\nNOOP\r\nFEAT\r\n")
    try:
        control.next(503)
        control.handshake()
    except (Closed, OSError):
        pass
    else:
        raise AssertionError("the handshake went on")
    assert gateway.control().secure().alive()


def test_auth_with_a_bare_line_feed_is_no_way_around(gateway):
    control = gateway.control()
    control.raw(b"AUTH TLS\nNOOP\n")
    answer = said(control)
    assert answer.startswith(b"503 ") and answer.count(b"\r\n") == 1


def test_commands_queued_before_auth_are_answered_before_it(gateway):
    control = gateway.control()
    control.raw(b"SYST\r\nNOOP\r\nAUTH TLS\r\n")
    assert [control.reply().code for _ in range(3)] == [215, 200, 234]
    assert control.handshake().alive()


def test_nothing_is_said_in_clear_before_the_handshake_is_over(gateway):
    control = gateway.control()
    control.expect("AUTH TLS", 234)
    assert control.silent(0.5)


def test_auth_again_after_a_refused_mechanism(gateway):
    control = gateway.control()
    control.expect("AUTH KERBEROS_V4", 504)
    assert control.secure().alive()
    control.expect("AUTH TLS", 503)
    control.expect("AUTH SSL", 503)
    assert control.alive(), "a second AUTH changes nothing"


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_set_up_in_clear_does_not_outlive_auth(serve, account, version):
    """RFC 4217 section 4.2: as if the connection had just been made."""
    account.file("f", b"0123456789")
    account.directory("sub")
    account.file("sub/f", b"sub")
    gateway = serve(force_local_logins_ssl="NO", plain_system_logins="YES", force_local_data_ssl="NO")
    gateway.secrets.append(account.password)
    for line, code in (("REST 5", 350), ("RNFR f", 350), ("CWD sub", 250), ("TYPE I", 200),
                       ("SITE UMASK 077", 200), ("EPSV", 229), ("PASV", 227),
                       ("PORT 127,0,0,1,200,200", 200), ("EPSV ALL", 200)):
        control = gateway.control(context=gateway.context(version)).login(account)
        control.expect("TYPE I", 200)
        control.expect(line, code)
        control.secure()
        for verb in ("PWD", "RETR f", "RNTO g", "LIST", "STOR x"):
            control.expect(verb, 530)
        control.login(account)
        assert '"/"' in control.expect("PWD", 257).text
        control.expect("RNTO g", 503)
        # Neither a port nor an address of before is used.
        control.expect("RETR f", 425)
        assert control.protect().retrieve("RETR f") == b"0123456789", line
    assert sorted(path.name for path in account.home.iterdir()) == ["f", "sub"]


def test_a_port_opened_in_clear_is_not_used_under_tls(serve, account):
    """Who waits at it was told in clear, perhaps by somebody else."""
    account.file("f", b"content")
    gateway = serve(force_local_logins_ssl="NO", plain_system_logins="YES", force_local_data_ssl="NO")
    gateway.secrets.append(account.password)
    control = gateway.control().login(account)
    data = control.connect_data()
    control.secure().login(account)
    control.expect("RETR f", 425)
    with data:
        data.settimeout(5)
        try:
            assert data.recv(100) == b""
        except ConnectionError:
            pass


@pytest.mark.parametrize("line", ["PROT C", "CCC", "REIN", "AUTH TLS"])
def test_no_command_leads_back_to_clear_text(gateway, account, line):
    account.file("f", b"content")
    session = gateway.session(account)
    session.expect(line, 534, 502, 503)
    assert session.alive()
    data = session.wrap_data(session.connect_data())
    session.expect("RETR f", 150)
    assert read_all(data) == b"content"
    finish(data)
    session.next(226)


def test_feat_offers_tls_before_the_login_and_user_is_refused_without(gateway):
    control = gateway.control()
    features = control.expect("FEAT", 211).text
    assert "AUTH TLS" in features and "PBSZ" in features and "PROT" in features
    for line in ("USER anonymous", "USER root", "PASS x"):
        control.expect(line, 530, 503)
    for line in ("PASV", "EPSV", "LIST", "RETR f", "STOR f", "PORT 127,0,0,1,200,200"):
        assert "AUTH TLS" in control.expect(line, 530).text


def test_implicit_tls_knows_no_second_handshake(serve, account):
    gateway = serve(implicit_ssl="YES")
    control = gateway.control(greet=False).handshake()
    control.next(220)
    control.expect("AUTH TLS", 503)
    gateway.secrets.append(account.password)
    control.protect().login(account)
    assert control.retrieve("NLST") == b""


def test_clear_text_on_an_implicit_port_is_never_a_command(serve):
    gateway = serve(implicit_ssl="YES")
    control = gateway.control(greet=False)
    control.raw(b"USER root\r\nPASS x\r\n" * 10)
    answer = said(control)
    assert answer == b"" or answer[0] == 21
