"""Disks that fail: input and output errors, read-only file systems, homes that are not there."""

import os
import shutil
import subprocess

import pytest

from control import Closed, finish, read_all, wait_until
from disks import passable
from faulty_disk import mounted
from test_full_disk import small_disk  # noqa: F401
from uploading import attempt, begin, names, parts
from witness import Witness

OLD, NEW = b"the old content", b"the new one " * 20_000


@pytest.fixture
def disk(root, tmp_path, account):
    """A disk that works until it is told not to. Ask for it before `serve`."""
    if not os.access("/dev/fuse", os.W_OK):
        pytest.skip("there is no /dev/fuse here")
    tmp_path.chmod(0o755)
    with mounted(tmp_path) as made, passable(made.path):
        account.own(made.backing)
        yield made


def old_file(disk, account, name="f", content=OLD):
    path = disk.backing / name
    path.write_bytes(content)
    account.own(path)
    return path


def test_the_disk_of_these_tests_works(disk, serve, account):
    session = serve(local_root=disk.path, fsync_uploads="YES").session(account)
    session.store("STOR f", NEW)
    assert session.retrieve("RETR f") == NEW
    session.expect("MKD d", 257)
    session.expect("RNFR f", 350)
    session.expect("RNTO d/f", 250)
    assert b"f" in session.retrieve("NLST d")
    session.expect("DELE d/f", 250)
    session.expect("RMD d", 250)
    assert os.listdir(disk.backing) == []


# What the client is told where an upload came to nothing.
REFUSED = (450, 451, 452, 550, 552, 553)


@pytest.mark.parametrize("atomic", ["YES", "NO"])
@pytest.mark.parametrize("operation, error", [
    ("create", "EIO"), ("open", "EIO"), ("write", "EIO"), ("write", "EROFS"), ("write", "EDQUOT"),
    ("flush", "EIO"), ("flush", "ENOSPC"), ("flush", "EDQUOT"), ("fsync", "EIO"),
    ("fsyncdir", "EIO"), ("rename", "EIO"), ("truncate", "EIO")])
def test_no_upload_is_acknowledged_over_an_error(disk, serve, account, operation, error, atomic):
    path = old_file(disk, account)
    gateway = serve(local_root=disk.path, atomic_uploads=atomic, fsync_uploads="YES")
    session = gateway.session(account)
    # Only an atomic upload makes a file or a name, and only another one opens the old file.
    meets = {"create": atomic, "rename": atomic, "fsyncdir": atomic}.get(operation, "YES")
    if operation in ("open", "truncate"):
        meets = "NO" if atomic == "YES" else "YES"
    disk.fail(operation, error)
    reply = attempt(session, "STOR f", NEW)
    if meets == "YES":
        assert reply.code in REFUSED, reply.text
        assert "/" not in reply.text.removeprefix(f"{reply.code} ")
    else:
        assert reply.code == 226
    disk.repair()
    if atomic == "YES":
        # A directory that could not be written may or may not know of the new file.
        allowed = (NEW,) if reply.code == 226 else (OLD, NEW) if operation == "fsyncdir" else (OLD,)
        assert path.read_bytes() in allowed
    assert os.listdir(disk.backing) == ["f"]
    assert session.store("STOR f", b"again").code == 226
    assert path.read_bytes() == b"again"


def test_an_append_over_an_error_is_not_acknowledged(disk, serve, account):
    path = old_file(disk, account)
    session = serve(local_root=disk.path).session(account)
    disk.fail("write")
    assert attempt(session, "APPE f", NEW).code in REFUSED
    disk.repair()
    assert path.read_bytes().startswith(OLD)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_download_that_breaks_off_does_not_look_complete(disk, serve, account, version):
    size = 1 << 26
    os.truncate(old_file(disk, account, "big"), size)
    session = serve(local_root=disk.path).session(account, version)
    data = session.connect_data()
    session.expect("RETR big", 150)
    data = session.wrap_data(data)
    received = len(data.recv(1000))
    disk.fail("read")
    with data, pytest.raises((OSError, EOFError)):
        while chunk := data.recv(1 << 18):
            received += len(chunk)
        raise EOFError
    assert received < size
    session.next(426, 451, 550)
    disk.repair()
    assert len(session.retrieve("RETR big")) == size


@pytest.mark.parametrize("operation", ["readdir", "opendir"])
@pytest.mark.parametrize("line", ["LIST", "NLST", "MLSD", "LIST -R", "NLST *"])
def test_a_listing_that_breaks_off_does_not_look_complete(disk, serve, account, operation, line):
    old_file(disk, account)
    session = serve(local_root=disk.path).session(account)
    disk.fail(operation)
    data = session.connect_data()
    reply = session.command(line)
    if reply.code == 150:
        data = session.wrap_data(data)
        with pytest.raises(OSError):
            read_all(data)
        reply = session.reply()
    data.close()
    assert reply.code in (426, 450, 451, 550), reply.text
    disk.repair()
    assert b"f" in session.retrieve("NLST")


def test_a_file_that_cannot_be_looked_at_is_not_left_out_of_a_listing(disk, serve, account):
    old_file(disk, account)
    old_file(disk, account, "broken")
    session = serve(local_root=disk.path).session(account)
    disk.fail("getattr", "EIO", "/broken")
    for line in ("LIST", "MLSD"):
        assert attempt_listing(session, line) is None
    assert attempt_listing(session, "NLST").split() == [b"broken", b"f"]
    session.expect("SIZE broken", 450, 451, 550)
    session.expect("TYPE I", 200)
    session.expect("SIZE f", 213)


def attempt_listing(session, line):
    """The listing, or `None` where the server does not call it whole."""
    with session.connect_data() as data:
        if session.command(line).code != 150:
            return None
        data = session.wrap_data(data)
        try:
            content = read_all(data)
            finish(data)
        except OSError:
            content = None
    whole = session.reply().code == 226
    assert whole == (content is not None)
    return content


@pytest.mark.parametrize("operation, line", [
    ("unlink", "DELE f"), ("mkdir", "MKD x"), ("rmdir", "RMD d"), ("chmod", "SITE CHMOD 600 f"),
    ("getattr", "SIZE f"), ("getattr", "MDTM f"), ("getattr", "CWD d"), ("getattr", "MLST f"),
    ("getattr", "RNFR f"), ("open", "HASH f"), ("read", "HASH f"), ("statfs", "AVBL")])
def test_other_commands_fail_and_the_session_goes_on(disk, serve, account, operation, line):
    old_file(disk, account)
    (disk.backing / "d").mkdir()
    account.own(disk.backing / "d")
    session = serve(local_root=disk.path).session(account)
    session.expect("TYPE I", 200)
    disk.fail(operation)
    reply = session.command(line)
    assert 400 <= reply.code < 600 and reply.code not in (421, 500, 502), reply.text
    disk.repair()
    assert session.alive()
    assert sorted(os.listdir(disk.backing)) == ["d", "f"]
    assert session.retrieve("RETR f") == OLD


def test_a_disk_that_cannot_be_counted_has_no_room(disk, serve, account):
    old_file(disk, account, "f", b"x" * 900)
    (disk.backing / "d").mkdir()
    account.own(disk.backing / "d")
    gateway = serve(local_root=disk.path, quota_bytes="1000")
    disk.fail("readdir", "EIO", "/")
    session = gateway.session(account)
    assert attempt(session, "STOR g", b"x" * 200).code in REFUSED
    assert names(disk.backing) == ["d", "f"]


def test_a_directory_that_goes_while_it_is_counted_takes_no_room(disk, serve, account):
    old_file(disk, account, "f", b"x" * 900)
    (disk.backing / "d").mkdir()
    account.own(disk.backing / "d")
    gateway = serve(local_root=disk.path, quota_bytes="1000")
    disk.fail("readdir", "ENOENT", "/d")
    assert attempt(gateway.session(account), "STOR g", b"x" * 100).code == 226


# Read-only file systems.


def test_a_read_only_disk_is_read_and_not_written(small_disk, serve, account):  # noqa: F811
    for name in ("f", "g"):
        (small_disk / name).write_bytes(OLD)
        account.own(small_disk / name)
    (small_disk / "d").mkdir()
    account.own(small_disk / "d")
    gateway = serve(local_root=small_disk, atomic_uploads="NO")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    session = gateway.session(account)
    assert session.retrieve("RETR f") == OLD
    assert session.retrieve("NLST").split() == [b"d", b"f", b"g"]
    for line in ("STOR f", "STOR new", "APPE f", "STOU"):
        session.passive_port()
        session.expect(line, 550, 553)
    for line in ("DELE f", "MKD x", "RMD d", "SITE CHMOD 600 f", "MFMT 20200101000000 f"):
        session.expect(line, 550)
    session.expect("RNFR f", 350)
    session.expect("RNTO h", 550, 553)
    assert session.alive()


# Homes.


@pytest.fixture
def homeless(account):
    """Takes the home of the account away; it is back afterwards."""
    yield lambda: shutil.rmtree(account.home)
    if not account.home.is_dir():
        account.home.unlink(missing_ok=True)
        account.home.mkdir()
    account.empty()


@pytest.mark.parametrize("how", ["missing", "a file", "unreadable", "a link to nowhere"])
def test_a_home_that_is_none_refuses_the_login_alone(
        serve, account, other_account, homeless, tmp_path, how):
    witness = Witness(tmp_path)
    gateway = serve(pam_conf_dir=witness.directory)
    other = gateway.session(other_account)
    if how == "unreadable":
        os.chown(account.home, 0, 0)
        account.home.chmod(0o700)
    else:
        homeless()
        if how == "a file":
            account.home.write_bytes(b"")
        elif how == "a link to nowhere":
            account.home.symlink_to("/nonexistent")
    gateway.secrets.append(account.password)
    control = gateway.control().secure()
    control.expect(f"USER {account.name}", 331)
    reply = control.expect(f"PASS {account.password}", 530)
    assert str(account.home) not in reply.text
    assert "login refused" in gateway.log
    # The session that PAM had opened by then is closed again.
    witness.expect(1)
    assert other.store("STOR f", NEW).code == 226
    if how == "a link to nowhere":
        account.home.unlink()


def test_a_home_that_goes_away_meanwhile_ends_nothing(serve, account, homeless):
    session = serve().session(account)
    data = begin(session, "STOR f", NEW)
    wait_until(lambda: (account.home / "f").exists(), what="the upload")
    homeless()
    finish(data)
    session.next(*REFUSED)
    session.passive_port()
    session.expect("STOR g", 550, 553)
    session.expect("MKD d", 550)
    assert session.alive()
    session.expect("QUIT", 221)
