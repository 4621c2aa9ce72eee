"""CPFR and CPTO, also behind SITE: copies made by the server."""

import os

import pytest

PREFIXES = ["", "SITE "]


@pytest.fixture
def session(gateway, account):
    account.file("f", b"content", 0o600)
    return gateway.session(account)


@pytest.mark.parametrize("site", PREFIXES)
def test_a_file_is_copied(session, account, site):
    account.directory("d")
    session.expect(site + "CPFR f", 350)
    session.expect(site + "CPTO d/a copy", 250)
    assert (account.home / "d/a copy").read_bytes() == b"content"
    assert (account.home / "d/a copy").stat().st_uid == account.uid
    session.expect(site + "CPTO g", 503)


@pytest.mark.parametrize("site", PREFIXES)
def test_an_old_file_is_replaced_as_by_stor(session, account, site):
    account.file("g", b"longer than the content")
    session.expect(site + "CPFR f", 350)
    session.expect(site + "CPTO g", 250)
    assert (account.home / "g").read_bytes() == b"content"


@pytest.mark.parametrize("site", PREFIXES)
def test_bad_use_is_told(session, account, site):
    account.directory("d")
    for line, code in [("CPFR", 501), ("CPTO", 501), ("CPTO g", 503), ("CPFR nothing", 550),
                       ("CPFR d", 550)]:
        session.expect(site + line, code)
    for target, code in [("no/where", 550), ("d", 553), ("f", 553), ("/", 553)]:
        session.expect(site + "CPFR f", 350)
        session.expect(site + "CPTO " + target, code)
    assert (account.home / "f").read_bytes() == b"content"


def test_nothing_comes_between_the_two(session):
    for between in ("NOOP", "SITE HELP", "CPFR nothing"):
        session.expect("CPFR f", 350)
        session.command(between)
        session.expect("CPTO g", 503)


@pytest.mark.parametrize("lock", ["YES", "NO"])
def test_a_file_is_never_copied_onto_itself(serve, account, lock):
    account.file("f", b"content", 0o600)
    session = serve(lock_upload_files=lock).session(account)
    os.link(account.home / "f", account.home / "hard")
    os.symlink("f", account.home / "soft")
    for name in ("f", "hard", "soft", "./f"):
        session.expect("CPFR f", 350)
        session.expect(f"CPTO {name}", 553, 450)
    assert (account.home / "f").read_bytes() == b"content"


def test_copies_stay_in_the_jail(session, account, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "secret").chmod(0o666)
    os.symlink(tmp_path / "secret", account.home / "out")
    session.expect("CPFR out", 550)
    session.expect("CPFR ../../../etc/passwd", 550)
    session.expect("CPFR f", 350)
    session.expect("CPTO out", 550, 553)
    assert (tmp_path / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize("option", ["write_enable", "download_enable"])
def test_copying_takes_the_rights_to_read_and_to_store(serve, account, option):
    account.file("f", b"1")
    session = serve(**{option: "NO"}).session(account)
    for site in PREFIXES:
        if session.command(site + "CPFR f").code != 550:
            session.expect(site + "CPTO g", 550)
    assert os.listdir(account.home) == ["f"]


def test_copying_can_be_switched_off(serve, account):
    account.file("f", b"1")
    session = serve(copy_enable="NO").session(account)
    for line in ("CPFR f", "CPTO g", "SITE CPFR f", "SITE CPTO g"):
        session.expect(line, 502)
    assert "CPFR" not in session.expect("HELP", 214).text
    assert "CPFR" not in session.expect("SITE HELP", 214).text


def test_a_copy_can_be_aborted_and_fails_as_an_upload_does(serve, account):
    session = serve(delete_failed_uploads="YES").session(account)
    account.sparse("huge", 1 << 36)
    session.expect("CPFR huge", 350)
    session.send("CPTO copy")
    session.expect("NOOP", 200)
    assert "CPTO /copy: " in session.expect("STAT", 211).text
    session.send("ABOR")
    session.next(426)
    session.next(226)
    assert not (account.home / "copy").exists()
    assert session.alive()
