"""Other protocols at an FTP port (ALPACA, CVE-2021-3618): one answer at most, and no reflection."""

import pytest

from control import Closed

MARK = "<script>reflected()</script>"

REQUESTS = [
    "GET / HTTP/1.1", "get / http/1.1", "POST / HTTP/1.1", "PUT /x HTTP/1.0", "HEAD / HTTP/1.1",
    "OPTIONS * HTTP/1.1", "DELETE /x HTTP/1.1", "CONNECT x:25 HTTP/1.1", "TRACE / HTTP/1.1",
    "PATCH / HTTP/1.1", "PRI * HTTP/2.0", "PROPFIND / HTTP/1.1", "MADEUP / HTTP/1.1",
    "EHLO client.example", "HELO client.example", "LHLO client", "MAIL FROM:<a@example>",
    "RCPT TO:<b@example>", "DATA", "STARTTLS", "BDAT 100 LAST", "CAPA", "STLS", "APOP x y",
    "INVITE sip:x SIP/2.0", "REGISTER sip:x SIP/2.0", "DESCRIBE rtsp://x RTSP/1.0",
]

BODY = (
    "\r\nHost: ftp.example\r\nUser-Agent: Mozilla/5.0\r\nContent-Length: 200\r\n\r\n"
    "USER root\r\nPASS x\r\nSYST\r\nFEAT\r\nNOOP\r\nHELP\r\n"
)


def answers(control):
    """All replies until the server closes."""
    found = []
    try:
        while True:
            found.append(control.reply())
    except Closed:
        return found


@pytest.fixture(params=["clear", "tls"])
def control(gateway, request):
    control = gateway.control()
    return control if request.param == "clear" else control.secure()


@pytest.mark.parametrize("line", REQUESTS)
def test_another_protocol_is_answered_once_and_left(control, line):
    control.send(line + BODY)
    found = answers(control)
    assert [reply.code for reply in found] == [500]
    assert len(found[0].lines) == 1


def test_another_protocol_is_left_after_the_login_too(gateway, account):
    for line in ("GET / HTTP/1.1", "POST / HTTP/1.1", "EHLO x"):
        session = gateway.session(account)
        session.send(line + BODY)
        assert [reply.code for reply in answers(session)] == [500]


def test_a_browser_that_speaks_tls_first_gets_no_conversation(gateway):
    """https:// at the port: its ClientHello is no command, and what is said to it is in clear."""
    control = gateway.control()
    with pytest.raises(OSError):
        control.handshake()
    control.close()
    assert gateway.control().alive()


def test_names_of_files_may_look_like_a_protocol(gateway, account):
    session = gateway.session(account)
    session.store("STOR GET index HTTP", b"x")
    session.expect("MKD HTTP", 257)
    session.store("STOR HTTP/1.1", b"x")
    session.expect("DELE HTTP/1.1", 250)
    session.expect("SITE HELP", 214)


@pytest.mark.parametrize("verb", [
    "USER", "PASS", "ACCT", "CWD", "HELP", "SITE", "OPTS", "FEAT", "NOOP", "SYST", "STAT", "AUTH",
    "PBSZ", "PROT", "TYPE", "MODE", "STRU", "HOST", "LANG", "CLNT", "CSID", "PRET", "RETR", "STOR",
    "LIST", "MKD", "RNFR", "REST", "ALLO", "PORT", "EPRT", "EPSV", "HASH", "MLST", "ABOR", "QUIT",
    "REIN", "SMNT", "ADAT", "NOSUCH", MARK, "",
])
def test_no_reply_before_the_login_repeats_what_was_sent(gateway, verb):
    for control in (gateway.control(), gateway.control().secure()):
        for line in (f"{verb} {MARK}", f"{verb}\t{MARK}", f"{verb} a {MARK}", f"USER {MARK}",
                     f"PASS {MARK}"):
            try:
                control.send(line)
                reply = control.reply()
            except (Closed, OSError):
                break
            text = reply.text.lower()
            assert "script" not in text and "reflected" not in text, reply
        control.close()
    # No secret: the log shows the same as the name that USER gave.
    gateway.secrets.clear()


def test_few_errors_are_answered_before_the_login(control):
    """Each answer is a chance to reflect something."""
    control.raw(b"X-Header: value\r\n" * 200)
    assert len(answers(control)) <= 12
