"""Names are bytes: all of them pass unchanged, but for NUL, CR and LF."""

import os

import pytest

from control import Closed

# Latin 1, half a character of UTF-8, Telnet's IAC, a quote, a tab and an escape.
ODD = b'a\xe9 \xc3( \xff\xfe "q" \t\x1b[31m\x7f'


@pytest.fixture
def session(gateway, account):
    return gateway.session(account)


def sent(name):
    """A name as a Telnet connection carries it."""
    return name.replace(b"\xff", b"\xff\xff")


def raw(reply):
    return reply.text.encode("utf-8", "surrogateescape")


def home(account):
    return os.fsencode(account.home)


def test_every_byte_of_a_name_passes_both_ways(session, account):
    quoted = sent(ODD).replace(b'"', b'""')
    assert raw(session.expect(b"MKD " + sent(ODD), 257)) == b'257 "/' + quoted + b'" created'
    assert os.listdir(home(account)) == [ODD]
    session.expect(b"CWD " + sent(ODD), 250)
    assert raw(session.expect("PWD", 257)).startswith(b'257 "/' + quoted + b'" ')
    assert session.store(b"STOR " + sent(ODD), b"12").code == 226
    assert os.listdir(home(account) + b"/" + ODD) == [ODD]
    assert session.retrieve(b"RETR " + sent(ODD)) == b"12"
    lines = raw(session.expect(b"MLST " + sent(ODD), 250)).split(b"\n")
    assert lines[0].endswith(b"/" + sent(ODD) + b"/" + sent(ODD))
    assert lines[1].endswith(b"; /" + sent(ODD) + b"/" + sent(ODD))
    reply = session.expect(b"MFMT 20200101000000 " + sent(ODD), 213)
    assert raw(reply).endswith(b"; /" + sent(ODD) + b"/" + sent(ODD))
    assert sent(ODD) in raw(session.expect("STAT", 211))
    for line in ("STAT " , ):
        assert b" " + sent(ODD) + b"\n" in raw(session.expect(line + ".", 213))
    # Listings on a data connection are no Telnet.
    for line in ("LIST", "NLST", "MLSD"):
        assert ODD + b"\r\n" in session.retrieve(line)
    session.expect(b"DELE " + sent(ODD), 250)
    session.expect("CDUP", 250)
    session.expect(b"RNFR " + sent(ODD), 350)
    session.expect("RNTO plain", 250)
    assert os.listdir(home(account)) == [b"plain"]


def test_stou_tells_the_name_it_took(session, account):
    reply = session.store(b"STOU \xe9x", b"1")
    name, = os.listdir(home(account))
    assert raw(session.first) == b"150 FILE: /" + name
    assert raw(reply).endswith(b"FILE: /" + name)


@pytest.mark.parametrize("bad", [b"\0", b"a\0b", b"a\rb", b"\r\0"])
def test_nul_and_cr_never_pass(session, account, bad):
    for verb in (b"CWD ", b"MKD ", b"RETR ", b"DELE ", b"SIZE ", b"MLST ", b"RNFR ", b"STAT "):
        session.expect(verb + bad, 501)
    session.passive_port()
    session.expect(b"STOR " + bad, 501)
    assert os.listdir(home(account)) == []
    assert session.alive()


def test_a_line_end_in_a_name_on_the_disk_breaks_nothing(session, account):
    account.file("a\r\n213 b")
    for line in ("LIST", "NLST", "MLSD"):
        lines = session.retrieve(line).split(b"\r\n")
        assert [text for text in lines if text.endswith(b"a??213 b")] and len(lines) == 2
    reply = session.expect("STAT .", 213)
    assert len(reply.lines) == 3 and reply.lines[1].endswith("a??213 b")
    assert session.alive()


def test_telnet_commands_in_a_name_are_taken_out(session, account):
    # IAC NOP, IAC WILL ECHO, IAC SB ... IAC SE, then IAC IAC for the byte itself.
    session.expect(b"MKD a\xff\xf1b\xff\xfb\x01c\xff\xfa\x01x\xff\xf0d\xff\xffe", 257)
    assert os.listdir(home(account)) == [b"abcd\xffe"]


def test_p_at_sw_is_pasv(session):
    session.expect("P@SW", 227)
    session.expect("p@sw", 227)
    with pytest.raises((AssertionError, Closed)):
        session.expect("PASV@", 227)
