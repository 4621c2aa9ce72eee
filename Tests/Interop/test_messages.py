"""What a session is told on the way: messages of directories, times, owners, and `~`."""

import os
import time

import pytest

from verbs import accepted


def test_a_directory_shows_its_message_once(serve, account):
    for name in ("d", "e"):
        account.directory(name)
    account.file(".message", b"Welcome home\n")
    account.file("d/.message", b"250 not the end\r\nwith\ttab \x1b[31m and \xc2\x9b\n\n\n")
    gateway = serve(dirmessage_enable="YES")
    session = gateway.control().secure().protect()
    gateway.secrets.append(account.password)
    session.expect(f"USER {account.name}", 331)
    reply = session.expect(f"PASS {account.password}", 230)
    assert reply.lines == ["230-Welcome home", "230 Login successful."]
    assert session.expect("CWD d", 250).lines == [
        "250-250 not the end", " with    tab ?[31m and ?", "250 Directory successfully changed."]
    for line in ("CDUP", "CWD e", "CWD ../d"):
        assert len(session.expect(line, 250).lines) == 1, line


def test_without_the_option_no_message_shows(gateway, account):
    account.directory("d")
    account.file("d/.message", b"unseen")
    assert len(gateway.session(account).expect("CWD d", 250).lines) == 1


def test_a_message_is_cut_and_comes_of_a_file_alone(serve, account):
    for name in ("long", "link", "pipe", "closed", "dir", "empty"):
        account.directory(name)
    account.file("long/hello", b"x" * 10_000)
    account.file("secret", b"secret")
    os.symlink("../secret", account.home / "link/hello")
    os.mkfifo(account.home / "pipe/hello")
    account.file("closed/hello", b"closed").chmod(0)
    account.directory("dir/hello")
    account.file("empty/hello")
    session = serve(dirmessage_enable="YES", message_file="hello").session(account)
    assert session.expect("CWD /long", 250).lines[0] == "250-" + "x" * 4000
    for name in ("link", "pipe", "closed", "dir", "empty"):
        assert len(session.expect(f"CWD /{name}", 250).lines) == 1, name


def test_a_message_opens_no_other_file(serve, account):
    """It shows without the letter r, but not to whoever could call any file so."""
    account.directory("d")
    account.file("d/.message", b"hello")
    box = serve(dirmessage_enable="YES", override_perm="/:ew:recursive").session(account)
    assert box.expect("CWD d", 250).lines[0] == "250-hello"
    assert not accepted(box, "RETR .message")
    mover = serve(dirmessage_enable="YES", override_perm="/:ewf:recursive").session(account)
    assert len(mover.expect("CWD d", 250).lines) == 1
    denied = serve(dirmessage_enable="YES", deny_file=".message").session(account)
    assert len(denied.expect("CWD d", 250).lines) == 1


def test_times_are_local_where_that_is_asked_for(serve, account, monkeypatch):
    monkeypatch.setenv("TZ", "ABC-05:30")
    moment = 1_600_000_000
    path = account.file("f")
    os.utime(path, (moment, moment))
    recent = time.time() - 3600
    os.utime(account.file("g"), (recent, recent))
    utc = time.strftime("%Y%m%d%H%M%S", time.gmtime(moment))
    local = time.strftime("%Y%m%d%H%M%S", time.gmtime(moment + 19_800))
    session = serve(use_localtime="YES").session(account)
    assert session.expect("MDTM f", 213).text == "213 " + local
    assert f"modify={utc};" in session.expect("MLST f", 250).text, "RFC 3659 knows UTC alone"
    shown = time.strftime("%b %d %H:%M", time.gmtime(recent + 19_800))
    assert shown in session.retrieve("LIST g").decode()
    session.expect("MFMT 20200102030405 f", 213)
    assert time.gmtime(path.stat().st_mtime + 19_800)[:6] == (2020, 1, 2, 3, 4, 5)
    assert session.expect("MDTM f", 213).text == "213 20200102030405"
    plain = serve().session(account)
    assert plain.expect("MDTM f", 213).text == "213 20200101213405"


def test_an_hour_that_does_not_exist_is_no_error(serve, account, monkeypatch):
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    account.file("f")
    session = serve(use_localtime="YES").session(account)
    for stamp in ("20240331023000", "20241027023000", "20240701120000", "20240101120000"):
        session.expect(f"MFMT {stamp} f", 213)
        if stamp != "20240331023000":
            assert session.expect("MDTM f", 213).text == "213 " + stamp


def test_a_tilde_is_where_the_session_began(serve, account):
    account.directory("d")
    account.file("f", b"found")
    session = serve(tilde_user_enable="YES").session(account)
    session.expect("CWD d", 250)
    assert session.retrieve("RETR ~/f") == b"found"
    assert session.retrieve(f"RETR ~{account.name}/f") == b"found"
    assert session.retrieve("NLST ~").split() == [b"~/d", b"~/f"]
    session.passive_port()
    session.expect("RETR ~root/.bashrc", 550)
    session.expect("CWD ~", 250)
    assert session.expect("PWD", 257).text.startswith('257 "/"')


def test_without_the_option_a_tilde_is_a_letter(gateway, account):
    account.directory("~")
    account.file("~/f", b"letter")
    session = gateway.session(account)
    assert session.retrieve("RETR ~/f") == b"letter"
    session.expect("CWD ~", 250)
    session.expect("CWD ~", 550)


def test_owners_have_names_where_that_is_asked_for(serve, account):
    account.file("mine")
    os.chown(account.file("strange"), 3_999_999, 3_999_998)
    users = {}
    for gateway in (serve(text_userdb_names="YES"), serve(),
                    serve(text_userdb_names="YES", hide_ids="YES")):
        session = gateway.session(account)
        for _ in range(2):
            shown = session.retrieve("LIST").decode().split("\r\n")[:-1]
        users[gateway] = {line.split()[-1]: line.split()[2:4] for line in shown}
    named, plain, hidden = users.values()
    assert named == {"mine": [account.name] * 2, "strange": ["3999999", "3999998"]}
    assert plain["mine"] == [str(account.uid), str(account.gid)]
    assert hidden["mine"] == ["ftp", "ftp"]
