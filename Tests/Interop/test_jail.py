"""The jail: no name and no link leads out of it, also while an attacker moves things about."""

import os
import time

import pytest

from downloading import attempt_download
from swapping import swapping

SECRET = b"outside the jail"


@pytest.fixture
def outside(account, tmp_path):
    """A directory outside the home in which the account itself may do everything."""
    for parent in reversed(tmp_path.parents):
        if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o7 == 0:
            parent.chmod(0o711)
    tmp_path.chmod(0o711)
    directory = tmp_path / "outside"
    directory.mkdir()
    (directory / "secret").write_bytes(SECRET)
    for path in (directory, directory / "secret"):
        path.chmod(0o777)
        account.own(path)
    return directory


def refused(session, line):
    session.passive_port()
    session.expect(line, 550, 553, 450)


def test_the_root_of_the_jail_has_no_parent(gateway, account, outside):
    session = gateway.session(account)
    for line in ("CDUP", "CWD ..", "CWD ../../..", "CWD /..", "CWD /../../"):
        session.expect(line, 200, 250)
        assert session.expect("PWD", 257).text.startswith('257 "/"')
    way = "../" * 20
    for path in (way + "etc/passwd", "/" + way + "etc/passwd", "/etc/passwd", "//etc//passwd",
                 str(outside / "secret"), way + str(outside / "secret")[1:], "~root/.bashrc",
                 "./../../etc/passwd", "%2e%2e/etc/passwd"):
        refused(session, "RETR " + path)
        if path.endswith("etc/passwd"):
            refused(session, "STOR " + path)
        session.expect("DELE " + path, 550)
        session.expect("SIZE " + path, 550)
        session.expect("MDTM " + path, 550)
    account.directory("sub")
    session.expect("CWD sub", 250)
    session.expect("CWD ../../..", 250)
    assert session.expect("PWD", 257).text.startswith('257 "/"')


def test_links_that_lead_out_lead_nowhere(gateway, account, outside):
    relative = os.path.relpath(outside, account.home)
    links = {"absolute": str(outside), "relative": relative, "file": str(outside / "secret"),
             "up": "../../../../../../etc", "magic": "/proc/self/root", "dangling": "/nowhere"}
    for name, target in links.items():
        os.symlink(target, account.home / name)
    session = gateway.session(account)
    for name in ("absolute", "relative", "up", "magic"):
        session.expect(f"CWD {name}", 550)
        refused(session, f"RETR {name}/secret")
        refused(session, f"RETR {name}/passwd")
        refused(session, f"STOR {name}/planted")
        session.expect(f"MKD {name}/planted", 550)
        session.expect(f"DELE {name}/secret", 550)
        session.expect(f"SITE CHMOD 600 {name}/secret", 550)
        session.expect(f"MFMT 20200101000000 {name}/secret", 550)
        session.expect(f"MLST {name}/secret", 550)
    refused(session, "RETR file")
    refused(session, "STOR file")
    refused(session, "APPE file")
    session.expect("SITE CHMOD 600 file", 550)
    account.file("mine", b"mine")
    session.expect("RNFR mine", 350)
    session.expect("RNTO absolute/mine", 550, 553)
    assert os.listdir(outside) == ["secret"]
    assert (outside / "secret").read_bytes() == SECRET
    assert (outside / "secret").stat().st_mode & 0o777 == 0o777
    session.expect("DELE file", 250)
    assert not os.path.lexists(account.home / "file"), "the link itself may go"
    assert (outside / "secret").exists()


def test_links_inside_the_jail_work(gateway, account):
    account.directory("real")
    account.file("real/f", b"inside")
    os.symlink("real", account.home / "link")
    os.symlink("/real/f", account.home / "rooted")
    os.symlink("../../../real/f", account.home / "real/up")
    session = gateway.session(account)
    for path in ("link/f", "rooted", "real/up", "link/up"):
        assert session.retrieve(f"RETR {path}") == b"inside"
    session.expect("CWD link", 250)
    assert session.retrieve("NLST").split() in ([b"f", b"up"], [b"up", b"f"])


def test_a_link_swapped_in_at_the_wrong_moment_leads_nowhere(gateway, account, outside):
    account.directory("swap")
    account.file("swap/secret", b"inside the jail")
    for name, target in (("absolute", str(outside)),
                         ("relative", os.path.relpath(outside, account.home))):
        os.symlink(target, account.home / name)
    session = gateway.session(account)
    session.expect("TYPE I", 200)
    served = 0
    traps = [account.home / "absolute", account.home / "relative"]
    with swapping(account.home / "swap", *traps, seconds=4) as swaps:
        while swaps.goes_on():
            for line in ("SIZE swap/secret", "MKD swap/d", "DELE swap/secret.x",
                         "SITE CHMOD 600 swap/secret", "MFMT 20200101000000 swap/secret"):
                reply = session.command(line)
                if line.startswith("SIZE") and reply.code == 213:
                    assert reply.text == "213 15", "the size of the file outside"
            session.command("RMD swap/d")
            content = attempt_download(session, "RETR swap/secret")
            assert content in (None, b"inside the jail")
            served += content is not None
    assert served > 5 and swaps.count > 100, "the race took place"
    assert os.listdir(outside) == ["secret"]
    facts = (outside / "secret").stat()
    assert facts.st_mode & 0o777 == 0o777 and time.gmtime(facts.st_mtime).tm_year > 2020


def test_a_directory_removed_under_the_session_is_a_plain_failure(gateway, account):
    account.directory("gone")
    session = gateway.session(account)
    session.expect("CWD gone", 250)
    (account.home / "gone").rmdir()
    refused(session, "STOR f")
    session.command("PWD")
    session.expect("CWD /", 250)
    session.store("STOR f", b"x")
