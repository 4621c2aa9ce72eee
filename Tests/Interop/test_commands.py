"""Every command, in good and in bad use, through a client that sends the very bytes."""

import os
import re

import pytest

from control import Closed


@pytest.fixture
def session(gateway, account):
    return gateway.session(account)


def expect_all(control, table):
    for line, *codes in table:
        control.expect(line, *codes)


def test_the_greeting_names_no_version(gateway):
    control = gateway.control()
    assert control.greeting.code == 220
    assert not re.search(r"\d\.\d", control.greeting.text)


def test_a_banner_is_the_administrators_words(serve):
    assert "Only by appointment" in serve(ftpd_banner="Only by appointment").control().greeting.text


def test_before_login_nothing_but_the_way_to_it_is_open(gateway):
    control = gateway.control().secure()
    expect_all(control, [
        ("NOOP", 200), ("SYST", 215), ("HELP", 214), ("FEAT", 211), ("OPTS UTF8 ON", 200),
        ("PASS x", 503),
    ])
    closed = [
        ("PWD", 530), ("CWD /", 530), ("LIST", 530), ("RETR x", 530),
        ("STOR x", 530), ("PASV", 530), ("EPSV", 530), ("PORT 127,0,0,1,200,200", 530),
        ("EPRT |1|127.0.0.1|50000|", 530), ("TYPE I", 530), ("REST 0", 530), ("RNFR x", 530),
        ("RNTO x", 530), ("DELE x", 530), ("MKD x", 530), ("RMD x", 530), ("SIZE x", 530),
        ("MDTM x", 530), ("MFMT 20200101000000 x", 530), ("MLSD", 530), ("MLST", 530),
        ("NLST", 530), ("STOU", 530), ("APPE x", 530), ("ABOR", 530, 225),
        ("SITE CHMOD 600 x", 530), ("STAT /", 530),
    ]
    for start in range(0, len(closed), 5):
        expect_all(gateway.control().secure(), closed[start:start + 5])
    assert control.expect("QUIT", 221) and control.ended()


def test_simple_commands_answer_with_their_codes(session):
    expect_all(session, [
        ("NOOP", 200), ("noop", 200), ("SYST", 215), ("PWD", 257), ("XPWD", 257),
        ("CDUP", 200, 250), ("XCUP", 200, 250), ("STAT", 211), ("ALLO 1000", 200, 202),
        ("HELP", 214),
        ("HELP RETR", 214), ("HELP NOSUCH", 502, 501, 504), ("SITE HELP", 214), ("ABOR", 225, 226),
        ("OPTS UTF8 ON", 200), ("OPTS NOSUCH", 501, 451), ("REIN", 502),
        ("STRU F", 200), ("STRU R", 504), ("STRU P", 504), ("STRU X", 501, 504),
        ("MODE S", 200), ("MODE B", 504), ("MODE C", 504), ("MODE Z", 504), ("MODE X", 501, 504),
        ("TYPE A", 200), ("TYPE A N", 200), ("TYPE I", 200), ("TYPE L 8", 200), ("type i", 200),
        ("TYPE L 7", 200), ("TYPE E", 504), ("TYPE A T", 504), ("TYPE L 9", 504), ("TYPE X", 501, 504),
        ("NOSUCH", 500), ("SMNT /", 502), ("LPRT 1", 500, 502),
        ("ADAT x", 502, 503), ("MIC x", 502, 503), ("CONF x", 502, 503), ("ENC x", 502, 503),
        ("SITE NOSUCH", 500, 501, 502, 504), ("CCC", 534), ("USER somebody", 503, 530, 331),
    ])


def test_a_missing_argument_is_501(session):
    for verb in ("RETR STOR APPE DELE MKD RMD RNFR RNTO SIZE MDTM MFMT TYPE STRU MODE REST "
                 "PORT EPRT PROT PBSZ SITE OPTS XMKD XRMD").split():
        session.expect(verb, 501)
        session.expect(verb + " ", 501)
    assert session.alive()


def test_a_client_that_errs_all_the_time_is_sent_away_before_login(gateway):
    control = gateway.control()
    control.raw(b"NOSUCH\r\n" * 100)
    assert control.ended(500, 421)
    for line in ("GET / HTTP/1.1", "POST /", "EHLO x", "HELO x"):
        control = gateway.control()
        control.send(line)
        control.next(500)
        assert control.ended(), "what speaks another protocol is cut off at once"


def test_user_and_pass_need_an_argument(gateway):
    control = gateway.control().secure()
    control.expect("USER", 501)
    control.expect("USER ", 501)
    control.expect("PASS x", 503)
    assert control.alive()


def test_feat_tells_what_is_there(session):
    reply = session.expect("FEAT", 211)
    features = [line[1:] for line in reply.lines[1:-1]]
    assert all(line.startswith(" ") for line in reply.lines[1:-1])
    for feature in ("AUTH TLS", "PBSZ", "PROT", "EPRT", "EPSV", "MDTM", "MFMT", "REST STREAM",
                    "SIZE", "TVFS", "UTF8"):
        assert feature in features, reply.text
    assert any(line.startswith("MLST type*;") for line in features)


def test_directories_are_named_with_their_quotes_doubled(session, account):
    reply = session.expect('MKD a "quoted" name', 257)
    assert reply.text.startswith('257 "/a ""quoted"" name"')
    session.expect('CWD a "quoted" name', 250)
    assert session.expect("PWD", 257).text.startswith('257 "/a ""quoted"" name"')
    session.expect("CDUP", 200, 250)
    session.expect('RMD a "quoted" name', 250)
    session.expect("MKD x/y", 550)
    session.expect("MKD x", 257)
    session.expect("MKD x", 550, 521)
    session.expect("RMD y", 550)
    account.file("f")
    session.expect("RMD f", 550)
    session.expect("CWD f", 550)
    session.expect("DELE x", 550)


def test_renaming_is_a_pair_that_nothing_may_split(session, account):
    account.file("one", b"1")
    session.expect("RNTO two", 503)
    session.expect("RNFR nothing", 550)
    session.expect("RNTO two", 503)
    session.expect("RNFR one", 350)
    session.expect("NOOP", 200)
    session.expect("RNTO two", 503)
    session.expect("RNFR one", 350)
    session.expect("RNTO no/where", 550, 553)
    session.expect("RNFR one", 350)
    session.expect("RNTO two", 250)
    session.expect("RNTO three", 503)
    assert (account.home / "two").read_bytes() == b"1"


def test_sizes_and_times_are_those_of_the_file(session, account):
    path = account.file("f", b"12345")
    os.utime(path, (951_782_400, 951_782_400))
    session.expect("TYPE I", 200)
    assert session.expect("SIZE f", 213).text == "213 5"
    assert session.expect("MDTM f", 213).text == "213 20000229000000"
    reply = session.expect("MFMT 20010203040506 f", 213)
    assert re.fullmatch(r"213 Modify=20010203040506; (/)?f", reply.text)
    assert session.expect("MDTM f", 213).text == "213 20010203040506"
    expect_all(session, [
        ("SIZE nothing", 550), ("MDTM nothing", 550), ("MFMT 20010203040506 nothing", 550),
        ("MFMT 20010229000000 f", 501), ("MFMT x f", 501), ("MFMT 20010203040506", 501),
        ("SIZE .", 550), ("TYPE A", 200), ("SIZE f", 550),
    ])


def test_machine_listings_name_type_size_and_time(session, account):
    path = account.file("a file", b"12345")
    os.utime(path, (951_782_400, 951_782_400))
    account.directory("dir")
    reply = session.expect("MLST a file", 250)
    assert len(reply.lines) == 3 and reply.lines[1].startswith(" ")
    facts, _, name = reply.lines[1][1:].partition("; ")
    facts = dict(fact.split("=", 1) for fact in facts.lower().split(";"))
    assert facts["type"] == "file" and facts["size"] == "5"
    assert facts["modify"] == "20000229000000" and name.endswith("a file")
    listing = session.retrieve("MLSD").decode().splitlines()
    entries = {line.partition("; ")[2]: line.lower() for line in listing}
    assert "type=file;" in entries["a file"] and "type=dir;" in entries["dir"]
    session.expect("OPTS MLST Type;Size;", 200)
    listing = session.retrieve("MLSD").decode().splitlines()
    line, = [line for line in listing if line.endswith("; a file")]
    assert sorted(line.lower().partition("; ")[0].split(";")) == ["size=5", "type=file"]
    session.expect("MLST nothing", 550)
    session.expect("MLST", 250)


def test_mlsd_of_a_file_is_refused(session, account):
    account.file("f")
    session.passive_port()
    session.expect("MLSD f", 501, 550)
    assert session.alive()


def test_lists_have_the_form_of_ls(session, account):
    account.file("a file", b"12345", 0o640)
    account.directory("dir")
    account.file(".hidden")
    os.symlink("a file", account.home / "link")
    for line in ("LIST", "LIST -l", "LIST /", "LIST .", "STAT ."):
        if line.startswith("STAT"):
            lines = session.expect(line, 211, 212, 213).lines[1:-1]
            lines = [text.strip() for text in lines]
        else:
            lines = session.retrieve(line).decode().split("\r\n")[:-1]
        lines = [text for text in lines if re.match(r"[-dl]", text)]
        assert sorted(text[0] for text in lines) == ["-", "d", "l"], lines
        found, = [text for text in lines if text.endswith(" a file") and "->" not in text]
        assert re.match(r"-rw-r----- +1 +\S+ +\S+ +5 \w{3} [ \d]\d ", found)
    hidden = session.retrieve("LIST -a").decode()
    assert ".hidden" in hidden
    assert "link -> a file" in hidden
    assert ".hidden" in session.retrieve("LIST -la").decode()


def test_names_are_listed_one_a_line(session, account):
    account.file("a")
    account.directory("d")
    account.file("d/b")
    assert sorted(session.retrieve("NLST").split(b"\r\n")[:-1]) == [b"a", b"d"]
    assert session.retrieve("NLST d").strip() in (b"b", b"d/b")
    session.passive_port()
    session.expect("NLST nothing", 450, 550)
    assert session.alive()


def test_modes_are_changed(session, account):
    path = account.file("f")
    session.expect("SITE CHMOD 640 f", 200)
    assert path.stat().st_mode & 0o7777 == 0o640
    session.expect("SITE CHMOD 0604 f", 200)
    assert path.stat().st_mode & 0o7777 == 0o604
    for bad in ("SITE CHMOD", "SITE CHMOD 640", "SITE CHMOD 9 f", "SITE CHMOD rwx f"):
        session.expect(bad, 501, 504)
    session.expect("SITE CHMOD 640 nothing", 550)
    assert path.stat().st_mode & 0o7777 == 0o604


def test_a_server_without_write_enable_changes_nothing(serve, account):
    account.file("f", b"1")
    account.directory("d")
    session = serve(write_enable="NO").session(account)
    expect_all(session, [
        ("DELE f", 550), ("MKD x", 550), ("RMD d", 550), ("RNFR f", 550), ("RNTO g", 503, 550),
        ("SITE CHMOD 600 f", 550), ("MFMT 20200101000000 f", 550),
    ])
    for line in ("STOR x", "STOU", "APPE f"):
        session.passive_port()
        session.expect(line, 550)
    assert session.retrieve("RETR f") == b"1"
    assert sorted(path.name for path in account.home.iterdir()) == ["d", "f"]


def test_wrong_logins_look_alike(gateway, account):
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    known = control.expect("PASS wrong-password", 530).text
    control.expect("USER nosuchuser", 331)
    unknown = control.expect("PASS wrong-password", 530).text
    assert known == unknown == "530 Login incorrect."
    control.login(account)


def test_an_empty_password_never_logs_in(gateway, account):
    control = gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    control.expect("PASS ", 530, 501)
    control.expect("PWD", 530)


def test_pipelined_commands_are_answered_in_order(session):
    session.raw(b"PWD\r\nSYST\r\nNOSUCH\r\nNOOP\r\nCWD nowhere\r\nNOOP\r\n")
    assert [session.reply().code for _ in range(6)] == [257, 215, 500, 200, 550, 200]


def test_reinitialising_works_in_clear(serve, account):
    gateway = serve(ssl_enable="NO", plain_system_logins="YES")
    control = gateway.control()
    gateway.secrets.append(account.password)
    control.login(account)
    control.expect("REIN", 220)
    control.expect("PWD", 530)
    control.login(account).expect("PWD", 257)
    control.expect("AUTH TLS", 500, 502, 503, 504, 534, 431)


def test_quit_ends_the_connection(session):
    session.expect("QUIT", 221)
    with pytest.raises(Closed):
        session.reply()


def test_mlst_without_facts_has_both_spaces(session):
    session.expect("OPTS MLST", 200)
    # RFC 3659 section 7.2: SP, then [facts] SP pathname.
    assert session.expect("MLST /", 250).lines[1] == "  /"
