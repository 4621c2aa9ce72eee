"""deny_file, hide_file, upload_file and download_file, for every verb and through every link."""

import os
import shutil

import pytest

from downloading import attempt_download
from swapping import swapping
from verbs import DIRECTORY, FILE, FREE, accepted


def binary(gateway, account):
    session = gateway.session(account)
    session.expect("TYPE I", 200)
    return session


def grow(account):
    """A tree in which some names are denied, and links that lead to them."""
    for entry in account.home.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    for name in ("private", "private/empty", "open", "open/empty", "open/Secret.KEY.d"):
        account.directory(name)
    for name in ("spare", "x.key", "open/Y.Key", "open/ok", "private/f", "open/target"):
        account.file(name, b"content")
    for name, target in (("link", "x.key"), ("way", "private"), ("round", "open/../way")):
        os.symlink(target, account.home / name)


def snapshot(account):
    found = {}
    for path in sorted(account.home.rglob("*")):
        facts = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        found[str(path)] = (facts.st_mode, int(facts.st_mtime), facts.st_ino, content)
    return found


PLACES = [{"file": "private/f", "directory": "private/empty", "free": "private/new"},
          {"file": "way/f", "directory": "way/empty", "free": "way/new"},
          {"file": "round/f", "directory": "round/empty", "free": "round/new"},
          {"file": "PRIVATE/f", "directory": "Private", "free": "open/Private"},
          {"file": "open/Y.Key", "directory": "way", "free": "new.KEY"}]


def test_no_verb_and_no_link_gets_around_a_denied_name(serve, account):
    session = binary(serve(deny_file="{*.key,private}"), account)
    grow(account)
    before = snapshot(account)
    for place in PLACES:
        for verb in FILE + DIRECTORY + FREE:
            line = verb.format(group=account.gid, **place)
            # The link itself may go, and be called something else; what it leads to may not.
            if place["directory"] == "way" and line in ("RMD way", "RNFR way"):
                continue
            assert not accepted(session, line), line
    for verb in ("RETR", "STOR", "APPE", "SIZE", "MDTM", "MLST", "LIST", "STAT",
                 "MFMT 20200101000000", "SITE CHMOD 600"):
        assert not accepted(session, f"{verb} link"), verb
    session.expect("CWD open", 250)
    for line in ("RETR ../private/f", "CWD ../private", "RETR /x.key", "LIST ../private/*"):
        assert not accepted(session, line), line
    assert snapshot(account) == before
    assert accepted(session, "DELE /link"), "a link whose own name is free may go"


def test_without_the_rule_each_of_these_works(gateway, account):
    session = binary(gateway, account)
    for place in PLACES[:3] + [{"file": "open/Y.Key", "directory": "open/empty",
                                "free": "new.KEY"}]:
        for verb in FILE + DIRECTORY + FREE:
            # No link is made through a link, whatever the rules.
            if verb.startswith("SITE SYMLINK") and place["free"].startswith(("way", "round")):
                continue
            grow(account)
            line = verb.format(group=account.gid, **place)
            assert accepted(session, line), line
            session.expect("CWD /", 250)


def test_denied_names_are_still_listed(serve, account):
    session = binary(serve(deny_file="*.key"), account)
    grow(account)
    assert b"x.key" in session.retrieve("NLST").split()
    session.expect("OPTS MLST perm;", 200)
    perms = dict(reversed(line.split("; ")) for line in session.retrieve("MLSD").decode().split(
        "\r\n")[:-1])
    assert perms["x.key"] == "perm=" and "r" in perms["spare"]


def test_a_place_is_denied_by_its_path(serve, account):
    grow(account)
    session = binary(serve(deny_file="{/open/empty,open/t*}"), account)
    assert not accepted(session, "CWD open/empty")
    assert not accepted(session, "STOR open/empty/new")
    assert not accepted(session, "RETR open/target")
    assert accepted(session, "RETR open/ok") and accepted(session, "CWD private/empty")
    session.expect("CWD /", 250)
    # Under another name the rule would not find it any more.
    assert not accepted(session, "RNFR open") or session.command("RNTO elsewhere").code == 550
    assert (account.home / "open").is_dir()
    session.expect("RNFR private", 350)
    session.expect("RNTO elsewhere", 250)


def test_hidden_names_are_in_no_listing_and_still_there(serve, account):
    grow(account)
    for name in ("link", "way", "round"):
        (account.home / name).unlink()
    session = binary(serve(hide_file="{*.key,PRIVATE}", ls_recurse_enable="YES"), account)
    for line in ("LIST", "LIST -a", "NLST", "NLST -la", "MLSD", "NLST *", "NLST *.k*", "LIST p*",
                 "NLST -R", "LIST -lR", "NLST -t", "LIST open", "NLST open/*", "NLST x.key",
                 "LIST -d private", "LIST x.key"):
        shown = session.retrieve(line).decode().lower()
        assert ".key\r\n" not in shown and "private\r\n" not in shown, line
        assert "/f\r\n" not in shown, "nothing of a hidden directory shows in -R either"
    for line in ("STAT .", "STAT *", "STAT x.key"):
        shown = session.expect(line, 211, 212, 213).lines[1:-1]
        assert not [text for text in shown if text.endswith((".key", " private"))], line
    for line in ("RETR x.key", "SIZE x.key", "MLST x.key", "NLST private", "CWD private",
                 "STOR f", "MDTM /open/Y.Key"):
        assert accepted(session, line), line
    assert session.retrieve("NLST /private").split() == [b"/private/empty", b"/private/f"]


def test_a_directory_of_hidden_names_alone_lists_nothing(serve, account):
    for number in range(3000):
        account.file(f"{number}.tmp")
    account.file("seen")
    session = binary(serve(hide_file="*.tmp"), account)
    assert session.retrieve("NLST") == b"seen\r\n"
    (account.home / "seen").unlink()
    assert session.retrieve("MLSD") == b"" and session.retrieve("LIST") == b""


def test_only_some_names_are_uploaded(serve, account):
    session = binary(serve(upload_file="{*.csv,/in/*}"), account)
    account.directory("in")
    account.directory("d.csv")
    account.file("old.exe", b"old")
    account.file("free.csv", b"free")
    os.symlink("old.exe", account.home / "link.csv")
    os.symlink("free.csv", account.home / "link.exe")
    for line in ("STOR a.csv", "STOR in/a.exe", "APPE a.csv", "STOU b.csv", "MKD any", "STOR link.exe",
                 "RETR old.exe", "DELE in/a.exe"):
        assert accepted(session, line), line
    for line in ("STOR a.exe", "APPE old.exe", "STOU a.exe", "STOR link.csv", "STOR in/deep/a",
                 "STOR d.csv/a.exe", "STOR a.CSV"):
        assert not accepted(session, line), line
    assert not accepted(session, "RNTO a.exe", "free.csv"), "no name that could not be stored"
    assert accepted(session, "RNTO b.csv", "free.csv")
    assert (account.home / "old.exe").read_bytes() == b"old"
    assert accepted(session, "STOU free.csv") and not accepted(session, "STOU")


def test_the_name_that_is_made_unique_is_held_against_the_patterns(serve, account):
    session = binary(serve(upload_file="{*.csv,[abc]}"), account)
    for number in range(3):
        session.store("STOU a.csv", b"%d" % number)
        assert session.first.text.endswith(".csv")
    assert len(os.listdir(account.home)) == 3
    # No word fits between a single letter and its end.
    session.passive_port()
    session.expect("STOU a", 550)
    assert all(name.endswith(".csv") for name in os.listdir(account.home))


def test_only_some_names_are_downloaded(serve, account):
    session = binary(serve(download_file="*.csv"), account)
    account.file("a.csv", b"a")
    account.file("secret", b"secret")
    os.symlink("secret", account.home / "link.csv")
    assert accepted(session, "RETR a.csv")
    assert not accepted(session, "RETR secret") and not accepted(session, "RETR link.csv")
    assert not accepted(session, "RNTO secret.csv", "secret"), "no name that makes it fetchable"
    assert accepted(session, "RNTO other", "secret")
    assert accepted(session, "STOR secret") and accepted(session, "SIZE secret")


def test_a_link_swapped_in_between_leads_around_no_rule(serve, account):
    session = binary(serve(deny_file="private"), account)
    account.directory("private")
    account.directory("place")
    account.file("private/f", b"denied")
    account.file("place/f", b"open")
    os.symlink("private", account.home / "trap")
    session.expect("TYPE I", 200)
    served = 0
    with swapping(account.home / "place", account.home / "trap", seconds=3) as swaps:
        while swaps.goes_on():
            assert session.command("SIZE place/f").text in ("213 4", "550 Permission denied.",
                                                            "550 Too many symbolic links.",
                                                            "550 No such file or directory.",
                                                            "550 Not a directory.")
            session.command("DELE place/f.not")
            session.command("SITE CHMOD 640 place/f")
            content = attempt_download(session, "RETR place/f")
            assert content in (None, b"open")
            served += content is not None
    assert served > 3 and swaps.count > 100, "the race took place"
    assert (account.home / "private/f").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("links", [10, 60])
def test_a_chain_of_links_is_followed_as_far_as_the_kernel_would(serve, account, links):
    account.file("end", b"end")
    os.symlink("end", account.home / "l0")
    for number in range(1, links):
        os.symlink(f"/l{number - 1}", account.home / f"l{number}")
    os.symlink("loop", account.home / "loop")
    session = binary(serve(deny_file="private"), account)
    assert accepted(session, f"RETR l{links - 1}") == (links < 40)
    assert not accepted(session, "RETR loop")
    assert accepted(session, "RETR end")
