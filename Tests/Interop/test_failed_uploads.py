"""What is left of a file when its upload fails."""

import os
import resource

import pytest

from control import wait_until
from uploading import begin, drop, kill

OLD = b"the old content"


@pytest.fixture
def session(serve, account):
    return serve(delete_failed_uploads="YES", accept_timeout="1").session(account)


@pytest.mark.parametrize("command", ["STOR f", "APPE f"])
def test_an_old_file_outlives_an_upload_that_never_began(session, account, command):
    account.file("f", OLD)
    session.expect("EPSV", 229)
    session.expect(command, 150)
    session.next(425)
    assert (account.home / "f").read_bytes() == OLD
    assert session.alive()


@pytest.mark.parametrize("deletes", ["YES", "NO"])
def test_no_empty_file_is_left_of_an_upload_that_never_began(serve, account, deletes):
    session = serve(delete_failed_uploads=deletes, accept_timeout="1").session(account)
    session.expect("EPSV", 229)
    session.expect("STOR f", 150)
    session.next(425)
    assert os.listdir(account.home) == []


@pytest.mark.parametrize("role", ["session", "agent", "warden"])
def test_nothing_is_left_of_an_upload_whose_process_was_killed(serve, account, role):
    gateway = serve(delete_failed_uploads="YES")
    data = begin(gateway.session(account), "STOR f", OLD)
    wait_until(lambda: (account.home / "f").stat().st_size == len(OLD), what="the content")
    kill(gateway, role)
    wait_until(lambda: os.listdir(account.home) == [], what="the end of the file")
    data.close()


def test_an_old_file_outlives_an_append_that_failed(session, account):
    account.file("f", OLD)
    data = session.connect_data()
    session.expect("APPE f", 150)
    data = session.wrap_data(data)
    data.sendall(b"more")
    # Closed without close_notify, as if somebody had cut the connection.
    os.close(data.detach())
    session.next(426)
    assert (account.home / "f").read_bytes().startswith(OLD)


@pytest.mark.parametrize("deletes", ["YES", "NO"])
def test_a_replaced_file_goes_with_the_upload_that_emptied_it(serve, account, deletes):
    account.file("f", OLD)
    account.file("empty", b"")
    account.file("linked", OLD)
    os.link(account.home / "linked", account.home / "other")
    session = serve(delete_failed_uploads=deletes).session(account)
    for name in ("f", "linked", "empty"):
        drop(begin(session, f"STOR {name}", b"half"))
        session.next(426)
    # Another name keeps the file, and what has become of it.
    kept = {"linked", "other"} | ({"f", "empty"} if deletes == "NO" else set())
    assert set(os.listdir(account.home)) == kept
    for name in kept:
        assert (account.home / name).read_bytes() in (b"half", b""), name


def test_a_quota_knows_that_a_replaced_file_is_gone(serve, account):
    account.file("f", b"x" * 5000)
    session = serve(delete_failed_uploads="YES", quota_bytes="6000").session(account)
    drop(begin(session, "STOR f", b"half"))
    session.next(426)
    assert "SITE QUOTA" in session.expect("SITE HELP", 214).text
    assert session.store("STOR g", b"x" * 6000).code == 226
    assert session.store("STOR g", b"x").code == 226
    assert os.listdir(account.home) == ["g"]


def test_a_file_beyond_the_size_limit_is_552(serve, account):
    # From the beginning: the daemon's own files in memory, which are larger, must not end it.
    gateway = serve(enter=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    session = gateway.session(account)
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    data.sendall(b"x" * 4_000_000)
    session.next(552)
    data.close()
    assert session.alive()
    assert session.store("STOR g", b"small").code == 226


@pytest.mark.parametrize("deletes", ["YES", "NO"])
def test_a_link_that_the_kernel_understands_is_followed_all_the_same(serve, account, deletes):
    account.directory("a")
    account.directory("a/b")
    account.file("a/x", OLD)
    os.symlink("a/b", account.home / "sub")
    os.symlink("sub/../x", account.home / "cur")
    session = serve(delete_failed_uploads=deletes).session(account)
    assert session.store("STOR cur", b"new").code == 226
    assert (account.home / "a/x").read_bytes() == b"new"
