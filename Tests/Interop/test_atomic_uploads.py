"""Uploads that appear whole or not at all (`atomic_uploads`, `fsync_uploads`)."""

import io
import os
import subprocess

import pytest

from control import Closed, wait_until
from uploading import begin, drop, end, has_part, kill, names, parts, roles

OLD = b"the old content"
PART = b"x" * 100_000


@pytest.fixture
def gateway(serve):
    return serve(atomic_uploads="YES", local_umask="022")


@pytest.fixture
def session(gateway, account):
    return gateway.session(account)


@pytest.mark.parametrize("old", [None, OLD])
def test_the_name_shows_the_old_file_until_the_new_one_is_whole(session, account, old):
    if old:
        account.file("f", old, 0o600)
    data = begin(session, "STOR f", PART)
    wait_until(lambda: has_part(account.home, len(PART)), what="the part")
    assert names(account.home) == (["f"] if old else [])
    if old:
        assert (account.home / "f").read_bytes() == old
    data.sendall(b"end")
    end(session, data)
    assert os.listdir(account.home) == ["f"]
    assert (account.home / "f").read_bytes() == PART + b"end"
    # The new file is a file of its own: its mode is that of new files.
    assert (account.home / "f").stat().st_mode & 0o777 == 0o644
    assert (account.home / "f").stat().st_uid == account.uid


@pytest.mark.parametrize("deletes", ["YES", "NO"])
def test_an_upload_that_is_cut_leaves_the_old_file(serve, account, deletes):
    account.file("f", OLD)
    session = serve(atomic_uploads="YES", delete_failed_uploads=deletes).session(account)
    data = begin(session, "STOR f", PART)
    wait_until(lambda: has_part(account.home, len(PART)), what="the part")
    drop(data)
    session.next(426)
    assert names(account.home) == ["f"] and (account.home / "f").read_bytes() == OLD
    # Nobody could see a part that stayed, nor remove it.
    assert parts(account.home) == []
    session.store("STOR f", b"whole")
    assert (account.home / "f").read_bytes() == b"whole"


def test_an_aborted_upload_leaves_the_old_file(serve, account):
    account.file("f", OLD)
    session = serve(atomic_uploads="YES", delete_failed_uploads="YES").session(account)
    data = begin(session, "STOR f", PART)
    session.send("ABOR")
    session.next(426)
    session.next(226)
    data.close()
    assert os.listdir(account.home) == ["f"] and (account.home / "f").read_bytes() == OLD


@pytest.mark.parametrize("role", ["session", "agent", "warden"])
@pytest.mark.parametrize("old", [None, OLD])
def test_a_process_that_is_killed_never_leaves_a_part_under_the_name(
        gateway, account, role, old):
    if old:
        account.file("f", old)
    session = gateway.session(account)
    data = begin(session, "STOR f", PART)
    wait_until(lambda: has_part(account.home, len(PART)), what="the part")
    kill(gateway, role)
    # Never a 226 for it.
    try:
        while True:
            assert session.reply().code in (421, 426)
    except (Closed, OSError):
        pass
    data.close()
    assert names(account.home) == (["f"] if old else [])
    if old:
        assert (account.home / "f").read_bytes() == old
    again = gateway.session(account)
    again.store("STOR f", b"whole")
    assert (account.home / "f").read_bytes() == b"whole"


def test_an_agent_whose_session_is_killed_removes_the_part(serve, account):
    gateway = serve(atomic_uploads="YES", delete_failed_uploads="YES")
    session = gateway.session(account)
    data = begin(session, "STOR f", PART)
    wait_until(lambda: has_part(account.home, len(PART)), what="the part")
    kill(gateway, "session")
    data.close()
    assert os.listdir(account.home) == []


def test_failed_uploads_are_removed_when_the_session_is_killed(serve, account):
    gateway = serve(delete_failed_uploads="YES")
    session = gateway.session(account)
    data = begin(session, "STOR f", PART)
    wait_until(lambda: (account.home / "f").exists(), what="the file")
    kill(gateway, "session")
    data.close()
    assert os.listdir(account.home) == []


def test_a_client_that_vanishes_leaves_nothing(serve, account):
    gateway = serve(atomic_uploads="YES", delete_failed_uploads="YES")
    session = gateway.session(account)
    data = begin(session, "STOR f", PART)
    wait_until(lambda: has_part(account.home, len(PART)), what="the part")
    session.socket.close()
    data.close()
    wait_until(lambda: not gateway.wardens(), 15, "the end of the session")
    assert os.listdir(account.home) == []


def test_parts_are_nobodys_business(session, account):
    data = begin(session, "STOR f", PART)
    wait_until(lambda: has_part(account.home, len(PART)), what="the part")
    part, = parts(account.home)
    end(session, data)
    account.file(part, b"left over")
    for line in ("LIST -a", "NLST -a", "MLSD"):
        assert part.encode() not in session.retrieve(line)
    for line in (f"SIZE {part}", f"DELE {part}", f"RNFR {part}", f"MLST {part}", f"MKD {part}"):
        session.expect("TYPE I", 200)
        session.expect(line, 550)
    session.passive_port()
    session.expect(f"RETR {part}", 550)
    session.expect(f"APPE {part}", 553)
    session.expect("RNFR f", 350)
    session.expect(f"RNTO {part}", 550)
    assert (account.home / part).read_bytes() == b"left over"


def test_append_and_restart_write_in_place(session, account):
    account.file("f", b"0123456789")
    session.store("APPE f", b"ab")
    assert (account.home / "f").read_bytes() == b"0123456789ab"
    session.expect("TYPE I", 200)
    session.expect("REST 10", 350)
    session.store("STOR f", b"xyz")
    assert (account.home / "f").read_bytes() == b"0123456789xyz"
    assert os.listdir(account.home) == ["f"]


def test_unique_names_are_told_and_kept(session, account):
    taken = set()
    for content in (b"one", b"two"):
        session.store("STOU report", content)
        name = session.first.text.split("FILE: ")[1].lstrip("/")
        assert (account.home / name).read_bytes() == content
        taken.add(name)
    assert set(os.listdir(account.home)) == taken and len(taken) == 2


def test_the_longest_name_can_be_uploaded(session, account):
    name = "n" * 255
    session.store(f"STOR {name}", b"x")
    assert os.listdir(account.home) == [name]
    session.passive_port()
    session.expect(f"STOR {name}n", 553)


def test_both_options_hold_together_and_stock_clients_do_not_notice(serve, account):
    gateway = serve(atomic_uploads="YES", fsync_uploads="YES")
    client = gateway.ftp(account)
    client.storbinary("STOR f", io.BytesIO(PART))
    client.storbinary("APPE f", io.BytesIO(b"more"))
    client.storbinary("STOR f2", io.BytesIO(b""))
    assert (account.home / "f").read_bytes() == PART + b"more"
    assert (account.home / "f2").read_bytes() == b""
    assert sorted(os.listdir(account.home)) == ["f", "f2"]
    client.quit()


def test_a_drop_box_that_cannot_be_read_takes_synchronised_uploads(serve, account):
    box = account.directory("box")
    box.chmod(0o300)
    session = serve(atomic_uploads="YES", fsync_uploads="YES").session(account)
    session.store("STOR box/f", b"content")
    assert (box / "f").read_bytes() == b"content"
    box.chmod(0o700)


@pytest.mark.parametrize("atomic", ["YES", "NO"])
def test_the_disk_is_asked_before_the_client_is_told(serve, account, atomic, tmp_path):
    """What the Agent does between the last byte and the 226, as the kernel sees it."""
    gateway = serve(atomic_uploads=atomic, fsync_uploads="YES", seccomp_sandbox="NO")
    session = gateway.session(account)
    trace = tmp_path / "trace"
    process = subprocess.Popen(
        ["strace", "-e", "trace=fsync,/rename.*", "-o", str(trace), "-p",
         str(roles(gateway)["agent"])], stderr=subprocess.PIPE, text=True)
    assert "attached" in process.stderr.readline()
    session.store("STOR f", PART)
    session.expect("QUIT", 221)
    process.wait(10)
    calls = [line[:5] for line in trace.read_text().splitlines() if "(" in line]
    assert calls == (["fsync", "renam", "fsync"] if atomic == "YES" else ["fsync", "fsync"])
