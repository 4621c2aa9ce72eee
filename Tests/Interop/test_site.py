"""The commands behind SITE, and MFF."""

import os
import time

import pytest


@pytest.fixture
def session(gateway, account):
    return gateway.session(account)


def test_every_command_is_explained_and_checked(session):
    lines = session.expect("SITE HELP", 214).lines[1:-1]
    names = {line.split()[1].rstrip(":") for line in lines}
    assert names >= {"HELP", "CHMOD", "CHGRP", "UTIME", "SYMLINK", "MKDIR", "RMDIR", "CPFR", "CPTO",
                     "UMASK", "IDLE", "WHO"}
    for name in names:
        session.expect(f"SITE HELP {name}", 214)
        session.expect(f"site help {name.lower()}", 214)
        reply = session.command(f"SITE {name}")
        optional = name in ("HELP", "UMASK", "IDLE", "WHO", "QUOTA", "TIME", "ALIAS")
        assert reply.code != 500 and (reply.code < 300 if optional else reply.code == 501)
    session.expect("SITE HELP NOSUCH", 501)
    session.expect("SITE WHO everybody", 501)


def test_what_is_switched_off_is_not_named(serve, account):
    session = serve(chmod_enable="NO", mdtm_write="NO").session(account)
    text = session.expect("SITE HELP", 214).text
    for name in ("CHMOD", "CHGRP", "UMASK", "UTIME"):
        assert f"SITE {name}" not in text
    account.file("f", mode=0o640)
    for line in ("SITE CHMOD 600 f", f"SITE CHGRP {account.groups[0]} f", "SITE UMASK 022",
                 "SITE UTIME 200001010000 f", "MFF UNIX.mode=600; f", "MFF Modify=20000101000000; f",
                 f"MFF UNIX.group={account.groups[0]}; f"):
        session.expect(line, 550)
    features = session.expect("FEAT", 211).text
    assert "MFF" not in features and "MFMT" not in features
    assert (account.home / "f").stat().st_mode & 0o777 == 0o640


def test_a_reader_changes_nothing(serve, account):
    account.file("f", b"1", 0o640)
    account.directory("d")
    before = (account.home / "f").stat()
    session = serve(write_enable="NO").session(account)
    for line in ("SITE CHMOD 600 f", f"SITE CHGRP {account.groups[-1]} f", "SITE UMASK 000",
                 "SITE UTIME 200001010000 f", "SITE SYMLINK f g", "SITE MKDIR x", "SITE MKDIR -p x/y",
                 "SITE RMDIR d", "MFF UNIX.mode=600; f"):
        session.expect(line, 550)
    after = (account.home / "f").stat()
    assert (before.st_mode, before.st_gid, before.st_mtime) == (
        after.st_mode, after.st_gid, after.st_mtime)
    assert sorted(os.listdir(account.home)) == ["d", "f"]
    features = session.expect("FEAT", 211).text
    assert not [name for name in ("AVBL", "MFF", "MFMT") if f" {name}" in features]
    for name in ("STOR", "MKD", "DELE", "CPTO"):
        assert f" {name} " not in session.expect("HELP", 214).text.replace("\n", " ") + " "


def test_groups_are_changed_among_the_users_own(session, account):
    path = account.file("f")
    for group in account.groups:
        session.expect(f"SITE CHGRP {group} f", 200)
        assert path.stat().st_gid == group
    session.expect("SITE CHGRP 0 f", 550)
    for bad in ("SITE CHGRP f", "SITE CHGRP root f", "SITE CHGRP 4294967295 f", "SITE CHGRP -1 f"):
        session.expect(bad, 501)
    assert path.stat().st_gid == account.groups[-1]


def test_times_are_changed_in_both_forms(session, account):
    path = account.file("a file")
    session.expect("SITE UTIME 200002290000 a file", 200)
    assert path.stat().st_mtime == 951_782_400
    session.expect("SITE UTIME 20010203040506 a file", 200)
    assert path.stat().st_mtime == 981_173_106
    session.expect("SITE UTIME a file 19990101000000 20000229000000 19980101000000 UTC", 200)
    assert path.stat().st_mtime == 951_782_400
    session.expect("SITE UTIME 200002290000 nothing", 550)
    for bad in ("SITE UTIME 200002300000 a file", "SITE UTIME x a file", "SITE UTIME 200002290000"):
        session.expect(bad, 501)


def test_links_lead_nowhere_but_inside(session, account):
    account.file("f", b"1")
    account.directory("d")
    account.file("d/g", b"1")
    for target, name, content in [("f", "l", "f"), ("/d/g", "d/l", "g"), ("d/g", "m", "d/g"),
                                  ("/etc/passwd", "o", "etc/passwd"), ("d", "way", "d"),
                                  ("/", "top", ".")]:
        session.expect(f"SITE SYMLINK {target} {name}", 200)
        assert os.readlink(account.home / name) == content
    assert session.retrieve("RETR d/l") == session.retrieve("RETR top/m") == b"1"
    session.passive_port()
    session.expect("RETR o", 550)
    # A step up would lead out of the jail once the link or its directory has moved.
    for target in ("/f", "../f", "/etc/passwd", "../../../../etc/passwd", "/", "/dd"):
        session.expect(f"SITE SYMLINK {target} d/up", 550)
    assert not os.path.lexists(account.home / "d/up")
    session.expect('SITE SYMLINK "a b" "c ""d"""', 200)
    assert os.readlink(account.home / 'c "d"') == "a b"
    # What lies beneath is told by name, so no link is made beyond one.
    session.expect("SITE SYMLINK way/x way/new", 550)
    for line, code in [("f", 501), ("f l", 550), ("f no/where", 550), ("a b c", 501), ("f /", 550),
                       ('"" l', 501)]:
        session.expect(f"SITE SYMLINK {line}", code)


def test_no_link_takes_the_name_of_a_part(serve, account):
    session = serve(atomic_uploads="YES").session(account)
    session.expect("SITE SYMLINK x .in.a.abcdefgh", 550)
    assert os.listdir(account.home) == []


def test_directories_are_made_with_those_above(session, account):
    session.expect("SITE MKDIR a", 200)
    session.expect("SITE MKDIR a", 550)
    session.expect("SITE MKDIR b/c", 550)
    for _ in range(2):
        session.expect("SITE MKDIR -p b/c/d e", 200)
    assert (account.home / "b/c/d e").is_dir()
    account.file("f")
    session.expect("SITE MKDIR -p f/x", 550)
    session.expect("SITE MKDIR -p f", 550)
    session.expect("SITE RMDIR b", 550)
    session.expect("SITE RMDIR b/c/d e", 200)
    session.expect("SITE RMDIR nothing", 550)
    assert sorted(os.listdir(account.home / "b/c")) == []


def test_the_umask_holds_for_the_session(serve, account):
    session = serve(local_umask="077").session(account)
    assert session.expect("SITE UMASK", 200).text == "200 Your current UMASK is 077"
    session.store("STOR one", b"")
    assert session.expect("SITE UMASK 027", 200).text == "200 UMASK set to 027"
    session.store("STOR two", b"")
    session.expect("MKD d", 257)
    assert session.expect("SITE UMASK", 200).text == "200 Your current UMASK is 027"
    for bad in ("SITE UMASK x", "SITE UMASK 1777", "SITE UMASK 7", "SITE UMASK 888"):
        session.expect(bad, 501)
    modes = [(account.home / name).stat().st_mode & 0o777 for name in ("one", "two", "d")]
    assert modes == [0o600, 0o640, 0o750]


def test_idleness_is_shortened_at_most(serve, account):
    session = serve(idle_session_timeout="100").session(account)
    assert " 100 seconds" in session.expect("SITE IDLE", 200).text
    session.expect("SITE IDLE 50", 200)
    assert " 50 seconds" in session.expect("SITE IDLE", 200).text
    session.expect("SITE IDLE 100", 200)
    for bad in ("SITE IDLE 101", "SITE IDLE 9", "SITE IDLE -1", "SITE IDLE x",
                "SITE IDLE 9223372036854775807"):
        session.expect(bad, 501)


def test_facts_are_set_together(session, account):
    path = account.file("a file", mode=0o600)
    group = account.groups[-1]
    reply = session.expect(
        f"MFF modify=20000229000000;unix.mode=640;UNIX.group={group}; a file", 213)
    assert reply.text \
        == f"213 Modify=20000229000000;UNIX.group={group};UNIX.mode=0640; /a file"
    status = path.stat()
    assert (status.st_mtime, status.st_mode & 0o7777, status.st_gid) == (951_782_400, 0o640, group)
    assert " MFF Modify;UNIX.group;UNIX.mode;" in session.expect("FEAT", 211).lines
    for line, code in [("", 501), (" f", 501), (" Modify=20000229000000 a file", 501),
                       (" Modify=x; a file", 501), (" UNIX.mode=600;Create=20000101000000; a file", 504),
                       (" UNIX.mode=600;Size=1; a file", 504), (" UNIX.mode=600; nothing", 550),
                       (" UNIX.mode=600;UNIX.group=x; a file", 501)]:
        session.expect("MFF" + line, code)
    assert path.stat().st_mode & 0o7777 == 0o640


def test_the_time_of_making_cannot_be_set(session):
    session.expect("MFCT 20000101000000 f", 502)
    assert "MFCT" not in session.expect("FEAT", 211).text


def test_a_denied_command_is_not_named_and_not_served_behind_site(serve, account):
    account.file("f", b"1")
    denied = "HASH,HOST,MLST,MKD,RMD,CPFR,CPTO,MFMT"
    session = serve(cmds_denied=denied).session(account)
    features = session.expect("FEAT", 211).lines
    for name in denied.split(","):
        assert not [line for line in features if line.split()[0] == name]
        # Denied comes before what is wrong with the argument.
        session.expect(name, 550)
        session.expect(f"HELP {name}", 501)
    for line in ("MKDIR d", "MKDIR -p d/e", "RMDIR d", "CPFR f", "CPTO g", "UTIME 200001010000 f"):
        session.expect(f"SITE {line}", 550)
        assert f"SITE {line.split()[0]} " not in session.expect("SITE HELP", 214).text
    assert os.listdir(account.home) == ["f"]


def test_the_time_of_the_server_is_told(serve, account):
    session = serve().session(account)
    told = session.expect("SITE TIME", 211).text.split()
    assert told[2] == "UTC"
    there = time.mktime(time.strptime(told[1], "%Y%m%d%H%M%S")) - time.timezone
    assert abs(there - time.time()) < 60


def test_a_transfer_may_be_announced(serve, account):
    account.file("f", b"content")
    session = serve().session(account)
    assert " PRET" in session.expect("FEAT", 211).lines
    session.expect("PRET RETR f", 200)
    assert session.retrieve("RETR f") == b"content"
    session.expect("PRET NOOP", 501)
    session.expect("PRET", 501)


def test_aliases_lead_to_directories_from_everywhere(serve, account):
    account.directory("deep")
    account.directory("deep/down")
    account.directory("real")
    gateway = serve(dir_aliases="down:/deep/down, real:/deep,gone:/nowhere")
    session = gateway.session(account)
    assert session.expect("SITE ALIAS", 214).lines[1:-1] == [
        " down /deep/down", " real /deep", " gone /nowhere"]
    session.expect("CWD deep", 250)
    session.expect("CWD down", 250)
    session.expect("CWD down", 250)
    assert session.expect("PWD", 257).text.startswith('257 "/deep/down"')
    session.expect("CWD gone", 550)
    session.expect("CWD /", 250)
    # What is there comes first.
    session.expect("CWD real", 250)
    assert session.expect("PWD", 257).text.startswith('257 "/real"')
    session.expect("CWD down/x", 550)
    session.expect("RMD down", 550)
    session.expect("SITE ALIAS x", 501)
    assert serve().session(account).expect("SITE ALIAS", 214).lines == ["214 There are no aliases."]
