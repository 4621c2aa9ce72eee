"""Bytes that no client sends: the session answers in order or ends, and the log stays readable."""

import random
import re

import pytest

from control import Closed, wait_until
from loglines import parse


def lines_in_log(gateway):
    """The log, after checking that no byte in it can drive a terminal."""
    log = bytes(gateway.errors)
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", log), log
    log.decode("utf-8")
    return log.decode("utf-8").splitlines()


def test_random_bytes_do_not_stop_the_gateway(gateway):
    generator = random.Random(7)
    for _ in range(20):
        control = gateway.control()
        control.socket.settimeout(1)
        try:
            control.raw(generator.randbytes(generator.randrange(1, 5000)))
            control.raw(b"\r\nQUIT\r\n")
            while True:
                control.reply()
        except (Closed, OSError):
            pass
        control.close()
    assert gateway.control().alive()
    lines_in_log(gateway)


def test_random_bytes_after_login_do_not_stop_the_gateway(gateway, account):
    generator = random.Random(8)
    verbs = ["RETR", "STOR", "LIST", "MLST", "CWD", "MKD", "SITE", "PORT", "EPRT", "TYPE", "OPTS",
             "REST", "MFMT", "RNFR", "STAT", "USER", "HELP"]
    for _ in range(5):
        session = gateway.session(account)
        try:
            for _ in range(40):
                argument = generator.randbytes(generator.randrange(0, 300)).replace(b"\n", b"")
                session.raw(generator.choice(verbs).encode() + b" " + argument + b"\r\n")
                session.reply()
        except (Closed, OSError):
            pass
        session.close()
    assert gateway.session(account).alive()
    lines_in_log(gateway)


def test_random_records_in_the_handshake_do_not_stop_the_gateway(gateway):
    generator = random.Random(9)
    for size in (1, 5, 100, 20_000):
        control = gateway.control()
        control.expect("AUTH TLS", 234)
        try:
            control.raw(generator.randbytes(size))
            control.socket.shutdown(1)
            while control.socket.recv(4096):
                pass
        except OSError:
            pass
        control.close()
    gateway.control().secure()


def test_an_over_long_line_is_one_500_and_its_tail_is_no_command(gateway):
    for control in (gateway.control(), gateway.control().secure()):
        control.raw(b"NOOP " + b"x" * 5000 + b" QUIT\r\n")
        control.next(500)
        control.raw(b"x" * 4097 + b"\r\n")
        control.next(500)
        control.raw(b"x" * 1_000_000 + b"\r\nSYST\r\n")
        control.next(500)
        control.next(215)
        control.raw(b"QUIT " * 20_000 + b"\r\n")
        control.next(500)
        assert control.alive()


def test_a_line_of_exactly_the_limit_is_read(gateway):
    control = gateway.control()
    control.raw(b"HELP " + b"x" * 4091 + b"\r\n")
    control.next(214, 501, 502, 504)
    control.raw(b"HELP " + b"x" * 4092 + b"\r\n")
    control.next(500)
    assert control.alive()


def test_lines_may_come_in_pieces(gateway):
    control = gateway.control()
    for piece in (b"S", b"Y", b"ST", b"\r", b"\n"):
        control.raw(piece)
        if piece != b"\n":
            assert control.silent(0.1)
    control.next(215)
    control.raw(b"NOOP\r\nSY")
    control.next(200)
    control.raw(b"ST\r\n")
    control.next(215)
    control.raw(b"SYST\n")
    control.next(215)


def test_telnet_commands_are_taken_out(gateway):
    control = gateway.control()
    for line, code in ((b"\xff\xfb\x01SYST", 215), (b"SY\xff\xf1ST", 215),
                       (b"\xff\xfa\x18\x01xyz\xff\xf0SYST", 215), (b"SYS\xff\xfd\x06T", 215)):
        control.raw(line + b"\r\n")
        control.next(code)
    control.raw(b"\xff\xfa" + b"QUIT\r\n" * 10 + b"\xff\xf0SYST\r\n")
    control.next(215)
    control.raw(b"\xff")
    control.raw(b"\xfe\x01NOOP\r\n")
    control.next(200)


@pytest.mark.parametrize("line", [
    b"NOOP\x00", b"NO\x00OP", b"USER a\x00b", b"CWD a\rb", b"\x00", b"CWD /\x00/etc", b"SYST\rQUIT",
])
def test_nul_and_lone_cr_are_refused(gateway, account, line):
    session = gateway.session(account)
    session.raw(line + b"\r\n")
    session.next(500, 501, 550)
    assert session.alive()


@pytest.mark.parametrize("line", [
    b"", b" ", b"   NOOP", b"-1", b"\xc3\xa4", b"N" * 17, b"NOOP/", b"\x1b[31mRED", b"%s%n%x",
])
def test_lines_that_are_no_command_are_500(gateway, line):
    control = gateway.control()
    control.raw(line + b"\r\n")
    reply = control.next(500, 501)
    assert "\x1b" not in reply.text
    assert control.alive()


def test_replies_are_never_split_by_what_the_client_sent(gateway, account):
    session = gateway.session(account)
    for line in (b"CWD a\x0b\x0c\x1b]0;x\x07", b"MKD \x1b[2J", b"MKD \x7f\x85", b"RNFR \x01",
                 b"MLST \xff\xff\xfe", b"STAT \xc2\x9b31m", b"SITE \x1b", b"HELP \x1b"):
        session.raw(line + b"\r\n")
        reply = session.reply()
        # A 257 carries the name byte for byte (RFC 959 appendix II); nothing else does.
        forbidden = r"[\x00\r]" if reply.code == 257 else r"[\x00-\x08\x0b-\x1f]"
        assert len(reply.lines) == 1 or reply.code in (211, 213, 214, 250)
        assert not re.search(forbidden, reply.text), reply
    assert session.alive()


def test_the_log_escapes_what_could_drive_a_terminal(serve, account):
    gateway = serve(log_ftp_protocol="YES", debug_ssl="YES")
    control = gateway.control().secure()
    for line in (b"USER \x1b[31mroot", b"PASS \x1b[0m", b"USER a\x9b\x07b", b"USER x\xc2\x9by",
                 b"\x1b[2J", b"USER " + b"y" * 4000):
        control.raw(line + b"\r\n")
        control.reply()
    session = gateway.session(account)
    session.store(b"STOR evil\x1b[31m\x08name", b"x")
    session.command(b"DELE evil\x1b[31m\x08name")
    session.expect("QUIT", 221)
    lines = lines_in_log(gateway)
    assert all(len(line) < 4000 for line in lines)


FORGED = "peer=6.6.6.6:6 user=root uid=0 why=x [Isolation] login"
FORGERIES = [f"x {FORGED}", f'x" {FORGED}', f'x\\" {FORGED}', f'x\\\\" {FORGED} y="', "a\\", '"', "a b",
             "al\u200bice", "\u00a0root", "a\u00adb", "a\ufeffb", "a\U000e0061b", "a=b", "[x]"]


def test_nothing_that_a_client_says_passes_for_a_field_of_the_log(serve, account):
    gateway = serve(max_login_fails="100", ban_failures="0")
    control = gateway.control().secure()
    for name in FORGERIES:
        control.expect(f"USER {name}", 331)
        control.expect("PASS wrong-word", 530)
        control.expect(f"CLNT {name}", 200)
        control.expect(f"CSID {name}", 200)
    session = gateway.session(account)
    for name in FORGERIES:
        session.store(f"STOR {name}", b"content")
        assert session.retrieve(f"RETR {name}") == b"content"
        session.expect(f"RNFR {name}", 350)
        session.expect(f"RNTO {name}.new", 250)
        session.expect(f"DELE {name}.new", 250)
        session.expect(f"MKD {name}", 257)
        session.expect(f"RMD {name}", 250)
        session.expect(f"CWD {name}", 550)
        session.expect(f"MDTM {name}", 550)
    session.expect("QUIT", 221)
    control.expect("QUIT", 221)
    wait_until(lambda: gateway.log.count("] disconnected") == 2, what="the last line")
    lines = [parse(text) for text in gateway.log.splitlines()]
    assert sum(len(line.fields) > 0 for line in lines) > 10 * len(FORGERIES)
    for line in lines:
        assert line.fields.get("peer", "127.0.0.1:").startswith("127.0.0.1:")
        assert "=" not in line.own_words.replace("proof=", "") and "[" not in line.own_words, line
        assert not re.search("[\u00ad\u200b\ufeff\U000e0061]", str(line.message)), line
    assert [line.fields["user"] for line in lines if line.message == "login"] == [account.name]
    refused = [line.fields for line in lines if line.message == "login refused"]
    assert [fields["user"] for fields in refused] == FORGERIES
    assert {fields["why"] for fields in refused} == {"unknown user"}


def test_passwords_never_reach_the_log(serve, account):
    gateway = serve(log_ftp_protocol="YES", debug_ssl="YES", max_login_fails="100")
    control = gateway.control().secure()
    gateway.secrets += ["hunter2-one", "hunter2-two", "hunter2-three", "hunter2-four"]
    control.expect(f"USER {account.name}", 331)
    control.expect("PASS hunter2-one", 530)
    control.command("PASShunter2-two")
    control.command("pass hunter2-three")
    control.command("PASS\thunter2-four")
    assert control.alive()
    session = gateway.session(account)
    session.command(f"PASS {account.password}")
    session.expect("QUIT", 221)


def test_names_and_passwords_that_are_far_too_long_are_plain_failures(gateway, account):
    control = gateway.control().secure()
    control.command("USER " + "u" * 3000)
    control.expect("PASS " + "p" * 3000, 530, 503, 501)
    assert control.alive()
    gateway.secrets.append(account.password)
    control.login(account)


def test_a_flood_of_commands_is_answered_one_by_one(gateway):
    control = gateway.control()
    count = 2000
    control.raw(b"NOOP\r\n" * count)
    assert [control.reply().code for _ in range(count)] == [200] * count
