"""Which TLS session may resume which, and when tickets are given out."""

import ftplib
import re
import ssl
import subprocess

import pytest

from control import VERSIONS, client_context, finish, read_all
from gateway import ResumingFTP

BOTH = pytest.mark.parametrize("version", VERSIONS)
FTP_ERRORS = (ftplib.error_perm, ftplib.error_temp)


@BOTH
def test_stock_ftplib_is_told_about_session_reuse_where_it_is_required(serve, account, version):
    ftp = serve(require_ssl_reuse="YES").ftp(account, version)
    with pytest.raises((ssl.SSLError, OSError, EOFError, *FTP_ERRORS)) as refusal:
        ftp.nlst()
    text = str(refusal.value)
    if not text.startswith("522"):
        # The data connection failed first; the reply is still to be read.
        text = reply_text(ftp)
    assert text.startswith("522") and ("reuse" in text.lower() or "resum" in text.lower())
    assert ftp.voidcmd("NOOP").startswith("200")


def reply_text(ftp):
    try:
        return ftp.getmultiline()
    except FTP_ERRORS as error:
        return str(error)


@BOTH
def test_a_resuming_client_satisfies_the_requirement_again_and_again(serve, account, version):
    account.file("f", b"x")
    ftp = serve(require_ssl_reuse="YES").ftp(account, version, ResumingFTP)
    for _ in range(10):
        assert ftp.nlst() == ["f"]
        assert ftp.reused


@BOTH
def test_one_session_may_be_used_many_times(serve, account, version):
    """z/OS and PHP offer the session of the control connection for every data connection."""
    account.file("f", b"x")
    session = serve(require_ssl_reuse="YES").session(account, version)
    session.expect("NOOP", 200)
    first = session.socket.session
    for _ in range(4):
        data = session.connect_data()
        session.expect("RETR f", 150)
        data = session.wrap_data(data, session=first)
        assert data.session_reused
        assert read_all(data) == b"x"
        finish(data)
        session.next(226)


@BOTH
@pytest.mark.parametrize("reuse", ["YES", "NO"])
def test_the_session_of_another_control_connection_is_not_resumed(
        serve, account, other_account, version, reuse):
    gateway = serve(require_ssl_reuse=reuse)
    context = gateway.context(version)
    account.file("f", b"mine")
    stranger = gateway.session(other_account, context=context)
    stranger.passive_port()
    session = gateway.session(account, context=context)
    data = session.connect_data()
    session.expect("RETR f", 150)
    try:
        data = session.wrap_data(data, session=stranger.socket.session)
        assert not data.session_reused
        content = read_all(data)
        finish(data)
    except OSError:
        content = b""
    finally:
        data.close()
    if reuse == "YES":
        assert content == b""
        session.next(522)
    else:
        assert content == b"mine"
        session.next(226)
    assert session.alive()
    assert session.retrieve("RETR f", resume=True) == b"mine"


# Tickets, as the client's TLS library sees them arrive.


def counting_context(gateway):
    context = client_context(gateway.certificate.chain, "TLSv1.3")
    tickets = {}

    def message(connection, direction, _version, _content_type, message_type, _data):
        if direction == "read" and getattr(message_type, "name", "") == "NEWSESSION_TICKET":
            key = getattr(connection, "fileno", lambda: -1)()
            tickets[key] = tickets.get(key, 0) + 1

    context._msg_callback = message
    return context, tickets


def test_tickets_come_at_login_and_before_each_data_connection_and_never_on_one(gateway, account):
    context, tickets = counting_context(gateway)
    session = gateway.session(account, context=context)
    control = session.socket.fileno()
    assert tickets == {control: 1}, "one ticket up to the end of the login"
    account.file("f", b"x" * 100_000)
    expected = 1
    for line, code in (("EPSV", 229), ("PASV", 227), ("PORT 127,0,0,1,200,200", 200),
                       ("EPRT |1|127.0.0.1|50000|", 200)):
        session.expect(line, code)
        expected += 1
        assert tickets == {control: expected}, line
        session.expect("NOOP", 200)
        assert tickets == {control: expected}
    for resume in (False, True):
        assert len(session.retrieve("RETR f", resume=resume)) == 100_000
        session.store("STOR g", b"y" * 100_000, resume=resume)
        expected += 2
        assert tickets == {control: expected}, "none on a data connection"


def test_tickets_carry_no_early_data(gateway, account):
    """Those of the login and of a passive port: there are no others."""
    gateway.secrets.append(account.password)
    lines = [f"USER {account.name}", f"PASS {account.password}", "EPSV", "QUIT"]
    done = subprocess.run(
        ["openssl", "s_client", "-starttls", "ftp", "-connect", f"{gateway.host}:{gateway.port}",
         "-tls1_3", "-CAfile", gateway.certificate.chain, "-ign_eof", "-nocommands"],
        input="".join(f"{line}\r\n" for line in lines).encode(), capture_output=True, timeout=30)
    text = done.stdout.decode(errors="replace")
    assert "\n230 " in text and "\n229 " in text and "Early data was not sent" in text
    assert text.count("New Session Ticket arrived") == 2
    assert re.findall(r"Max Early Data: (\d+)", text) == ["0", "0"]
