"""Letters of single directories (override_perm), and set-ups that administrators ask for."""

import ftplib
import io
import os

import pytest

from test_lftp import lftp
from verbs import DIRECTORY, FILE, FREE, accepted


def binary(gateway, account):
    session = gateway.session(account)
    session.expect("TYPE I", 200)
    return session


@pytest.fixture
def tree(account):
    for name in ("in", "in/sub", "out", "out/sub"):
        account.directory(name)
    for name in ("f", "in/f", "in/sub/f", "out/f", "out/sub/f"):
        account.file(name, b"content")
    return account


def perms(session, line):
    session.expect("OPTS MLST perm;", 200)
    if line.startswith("MLST"):
        return session.expect(line, 250).lines[1].split(";")[0].strip().removeprefix("perm=")
    return {name: perm.removeprefix("perm=") for perm, name in (
        entry.split("; ", 1) for entry in session.retrieve(line).decode().split("\r\n")[:-1])}


def test_letters_of_a_directory_and_the_files_in_it(serve, tree):
    session = binary(serve(override_perm="/out:elr"), tree)
    for line in ("STOR out/f", "STOR out/new", "APPE out/f", "DELE out/f", "MKD out/new",
                 "SITE CHMOD 600 out/f", "MFMT 20200101000000 out/f", "RNFR out/f", "STOU out/x"):
        assert not accepted(session, line), line
    for line in ("RETR out/f", "LIST out", "CWD /out", "STOR /f", "STOR /in/f"):
        assert accepted(session, line), line
    session.expect("CWD /", 250)
    # pyftpdlib's rule: directories in it are others.
    for line in ("STOR out/sub/f", "DELE out/sub/f", "MKD out/sub/new", "RMD out/sub/new"):
        assert accepted(session, line), line


def test_letters_of_a_tree(serve, tree):
    session = binary(serve(override_perm="/out:elr:recursive, /out/sub:elrw"), tree)
    for line in ("STOR out/f", "MKD out/sub/new", "RMD out/sub", "DELE out/sub/f", "RNFR out/sub"):
        assert not accepted(session, line), line
    assert accepted(session, "STOR out/sub/f"), "the most specific directory decides"
    tree.directory("out/other")
    assert not accepted(session, "STOR out/other/f")


def test_more_letters_in_one_place(serve, tree):
    session = binary(serve(override_perm="/:elr:recursive /in:elradfmwMT:recursive"), tree)
    for line in ("STOR f", "DELE out/f", "MKD new"):
        assert not accepted(session, line), line
    session.expect("RNFR f", 550)
    for line in ("STOR in/f", "STOR in/sub/f", "MKD in/sub/new", "DELE in/f", "APPE in/g"):
        assert accepted(session, line), line
    session.expect("RNFR in/g", 350)
    session.expect("RNTO out/g", 550)
    session.expect("RNFR in/g", 350)
    session.expect("RNTO in/sub/h", 250)


def test_links_lead_to_the_letters_of_where_they_lead(serve, tree):
    os.symlink("out", tree.home / "way")
    os.symlink("../out/f", tree.home / "in/way")
    session = binary(serve(override_perm="/out:elr:recursive"), tree)
    for line in ("STOR way/f", "STOR way/new", "DELE way/sub/f", "MKD way/new", "STOR in/way",
                 "APPE in/way", "SITE CHMOD 600 in/way", "MFMT 20200101000000 way/sub/f"):
        assert not accepted(session, line), line
    assert accepted(session, "RETR in/way") and accepted(session, "RETR way/f")
    assert (tree.home / "out/f").read_bytes() == b"content"


def test_a_directory_may_be_named_by_a_link_to_it(serve, tree):
    os.symlink("out", tree.home / "way")
    session = binary(serve(override_perm="/way:elr"), tree)
    assert not accepted(session, "STOR way/f") and not accepted(session, "STOR out/f")


def test_directories_with_letters_of_their_own_keep_their_names(serve, tree):
    session = binary(serve(override_perm="/out/sub:elr"), tree)
    for name in ("out", "out/sub"):
        session.expect(f"RNFR {name}", 350, 550)
        assert session.command("RNTO elsewhere").code in (550, 503), name
    assert (tree.home / "out/sub/f").exists()
    session.expect("RNFR in", 350)
    session.expect("RNTO elsewhere", 250)


def test_switches_hold_everywhere(serve, tree):
    gateway = serve(override_perm="/in:elradfmwMT:recursive", write_enable="NO",
                    download_enable="NO")
    session = binary(gateway, tree)
    for line in ("STOR in/f", "DELE in/f", "MKD in/x", "RETR in/f", "SITE CHMOD 600 in/f"):
        assert not accepted(session, line), line
    assert accepted(session, "LIST in")


def test_facts_tell_what_holds_where(serve, tree):
    session = binary(serve(override_perm="/out:elr /in:ew", deny_file="*.key",
                           upload_file="*.csv"), tree)
    tree.file("x.key")
    tree.file("x.csv")
    top = perms(session, "MLSD /")
    assert top["x.key"] == ""
    assert top["f"] == "dfr" and set("arw") <= set(top["x.csv"])
    assert top["out"] == "el" and top["in"] == "ce"
    out = perms(session, "MLSD /out")
    assert out["f"] == "r" and set("cdefmlp") == set(out["sub"])
    assert perms(session, "MLST out/f") == "r" and perms(session, "MLST out") == "el"
    session.passive_port()
    session.expect("MLSD in", 550)
    session.expect("MLST in/f", 550)


def test_without_rules_for_places_facts_tell_the_letters_of_the_user(gateway, tree):
    assert perms(gateway.session(tree), "MLST f") == "adfrw"


def test_letters_are_the_users_own(serve, tree, other_account, tmp_path):
    users = tmp_path / "users"
    users.mkdir(mode=0o755)
    (users / tree.name).write_text("override_perm=/:elr:recursive\n")
    gateway = serve(user_config_dir=users)
    assert not accepted(gateway.session(tree), "STOR f")
    other = gateway.session(other_account)
    assert accepted(other, "STOR f")


def test_what_is_missing_is_not_told_to_who_may_not_ask(serve, tree):
    session = binary(serve(override_perm="/in:w:recursive"), tree)
    answers = {session.command(f"SIZE in/{name}").text
               for name in ("f", "missing", "sub", "missing/deep", "sub/f")}
    assert answers == {"550 Permission denied."}


# How the commands begin that do nothing without a letter.
LETTERS = {
    "e": ("CWD", "SITE MKDIR -p"),
    "l": ("LIST", "NLST", "MLSD", "MLST", "STAT", "SIZE", "MDTM"),
    "r": ("RETR", "HASH", "XCRC", "XMD5", "XSHA", "MD5", "CPFR", "SITE CPFR", "CPTO"),
    "a": ("APPE",),
    "d": ("DELE", "RMD", "SITE RMDIR"),
    "f": ("RNFR", "RNTO"),
    "m": ("MKD", "SITE MKDIR"),
    "w": ("STOR", "STOU", "CPTO", "SITE SYMLINK"),
    "M": ("SITE CHMOD", "SITE CHGRP", "MFF UNIX.mode"),
    "T": ("MFMT", "SITE UTIME"),
}
VERBS = FILE + DIRECTORY + FREE


def refused_verbs(serve, account, letters):
    """The verbs that do nothing for a user who has these letters everywhere."""
    gateway = serve(override_perm=f"/:{letters}:recursive")
    refused = set()
    for verb in VERBS:
        account.empty()
        account.directory("d")
        account.file("f", b"content")
        account.file("spare", b"spare")
        session = binary(gateway, account)
        line = verb.format(file="f", directory="d", free="g", group=account.gid)
        try:
            works = accepted(session, line)
        except AssertionError:
            # What has to come before it is refused.
            works = False
        if not works:
            refused.add(verb)
        session.close()
    return refused


def without(letter):
    return {verb for verb in VERBS if verb.startswith(LETTERS[letter])}


@pytest.mark.parametrize("letter", LETTERS)
def test_every_verb_takes_its_letter(serve, account, letter):
    assert refused_verbs(serve, account, "".join(LETTERS).replace(letter, "")) == without(letter)


def test_a_single_letter_gives_nothing_but_its_own(serve, account):
    others = set().union(*(without(letter) for letter in LETTERS if letter != "T"))
    assert others | without("T") == set(VERBS)
    assert refused_verbs(serve, account, "T") == others


# Set-ups.

def refuses(call, *arguments):
    with pytest.raises(ftplib.error_perm, match="^55[03]"):
        call(*arguments)


def test_a_user_who_only_reads(serve, tree):
    gateway = serve(write_enable="NO")
    client = gateway.ftp(tree)
    assert "f" in client.nlst()
    got = io.BytesIO()
    client.retrbinary("RETR f", got.write)
    assert got.getvalue() == b"content"
    refuses(client.storbinary, "STOR g", io.BytesIO(b"x"))
    refuses(client.storbinary, "APPE f", io.BytesIO(b"x"))
    refuses(client.delete, "f")
    refuses(client.rename, "f", "g")
    refuses(client.mkd, "d")
    refuses(client.rmd, "in")
    for line in ("MFMT 20200101000000 f", "SITE CHMOD 600 f"):
        refuses(client.sendcmd, line)
    assert "content" in lftp(gateway, tree, "cat f")


def test_a_drop_box(serve, tree):
    """Files go in; nothing can be seen, fetched, replaced or taken away."""
    gateway = serve(override_perm="/:e /in:ew:recursive", overwrite_enable="NO")
    client = gateway.ftp(tree)
    client.cwd("in")
    client.storbinary("STOR report", io.BytesIO(b"one"))
    refuses(client.storbinary, "STOR report", io.BytesIO(b"two"))
    refuses(client.storbinary, "APPE report", io.BytesIO(b"two"))
    refuses(client.retrbinary, "RETR report", print)
    for call, arguments in ((client.nlst, ()), (client.dir, ()), (client.size, ("report",)),
                            (client.delete, ("report",)), (client.rename, ("report", "x")),
                            (client.mkd, ("d",)), (client.nlst, ("*",))):
        refuses(call, *arguments)
    refuses(client.storbinary, "STOR /outside", io.BytesIO(b"x"))
    assert (tree.home / "in/report").read_bytes() == b"one"
    lftp(gateway, tree, "set ftp:use-size no", "set xfer:clobber yes", "cd in",
         f"put {__file__} -o by-lftp")
    assert (tree.home / "in/by-lftp").exists()


def test_new_files_only(serve, tree):
    client = serve(overwrite_enable="NO", override_perm="/:elrmw:recursive",
                   delete_failed_uploads="YES").ftp(tree)
    client.storbinary("STOR new", io.BytesIO(b"one"))
    refuses(client.storbinary, "STOR new", io.BytesIO(b"two"))
    refuses(client.storbinary, "APPE new", io.BytesIO(b"two"))
    client.voidcmd("TYPE I")
    client.sendcmd("REST 1")
    refuses(client.storbinary, "STOR new", io.BytesIO(b"two"))
    refuses(client.rename, "f", "new")
    refuses(client.delete, "new")
    refuses(client.rename, "new", "away")
    assert (tree.home / "new").read_bytes() == b"one"


def test_nothing_is_deleted(serve, tree):
    client = serve(override_perm="/:elrafmwMT:recursive").ftp(tree)
    refuses(client.delete, "f")
    refuses(client.rmd, "in/sub")
    client.storbinary("STOR f", io.BytesIO(b"replaced"))
    client.storbinary("APPE f", io.BytesIO(b"!"))
    client.rename("f", "g")
    client.mkd("new")
    assert (tree.home / "g").read_bytes() == b"replaced!"


def test_nothing_is_resumed_where_files_are_new_only(serve, account):
    account.file("old", b"old")
    session = binary(serve(overwrite_enable="NO"), account)
    for name, code in (("old", 550), ("new", 554)):
        session.passive_port()
        session.expect("REST 1", 350)
        session.expect(f"STOR {name}", code)
    assert os.listdir(account.home) == ["old"]
    assert (account.home / "old").read_bytes() == b"old"
    session.expect("REST 0", 350)
    session.store("STOR new", b"whole")
    assert (account.home / "new").read_bytes() == b"whole"


def test_links_show_nothing_of_what_may_not_be_listed(serve, account):
    account.directory("locked")
    account.directory("open")
    account.file("a.key", b"k" * 777)
    account.file("locked/p", b"p" * 555)
    account.file("open/o", b"o" * 333)
    for target, name in (("a.key", "l1"), ("locked/p", "l2"), ("open/o", "l3")):
        os.symlink(target, account.home / name)
    session = serve(deny_file="*.key", override_perm="/locked:e").session(account)
    facts = {line.split("; ")[1]: line for line in session.retrieve("MLSD").decode().splitlines()}
    assert "=777;" not in facts["l1"] and "=555;" not in facts["l2"]
    assert "type=file;" in facts["l3"] and "size=333;" in facts["l3"]
