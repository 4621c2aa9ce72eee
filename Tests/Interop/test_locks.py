"""Who may use a file while it is uploaded or downloaded (`lock_upload_files`)."""

import os

import pytest

from control import finish, read_all, wait_until
from uploading import begin, drop, end, kill


@pytest.mark.parametrize("locks", ["YES", "NO"])
@pytest.mark.parametrize("second", ["STOR f", "APPE f", "REST 0"])
def test_two_uploads_of_one_name_never_interleave(serve, account, locks, second):
    gateway = serve(lock_upload_files=locks)
    one, two = gateway.session(account), gateway.session(account)
    data = begin(one, "STOR f", b"1" * 100_000)
    wait_until(lambda: (account.home / "f").exists(), what="the file")
    two.passive_port()
    if second == "REST 0":
        two.expect("TYPE I", 200)
        two.expect("REST 0", 350)
        second = "STOR f"
    two.expect(second, 450)
    data.sendall(b"1" * 100_000)
    end(one, data)
    assert (account.home / "f").read_bytes() == b"1" * 200_000
    two.store("STOR f", b"2" * 10)
    assert (account.home / "f").read_bytes() == b"2" * 10


def test_a_file_that_is_uploaded_is_not_downloaded(serve, account):
    gateway = serve()
    one, two = gateway.session(account), gateway.session(account)
    data = begin(one, "STOR f")
    wait_until(lambda: (account.home / "f").exists(), what="the file")
    two.passive_port()
    two.expect("RETR f", 450)
    assert two.alive()
    end(one, data)
    assert len(two.retrieve("RETR f")) == 100_000


def test_without_locks_for_readers_it_is(serve, account):
    gateway = serve(lock_upload_files="NO")
    one, two = gateway.session(account), gateway.session(account)
    account.file("f", b"old content")
    data = begin(one, "APPE f", b" and new")
    wait_until(lambda: (account.home / "f").stat().st_size > 11, what="the first bytes")
    assert two.retrieve("RETR f") == b"old content and new"
    end(one, data)


def begin_download(session, account, size):
    """A download of a file of zeros, and its first bytes."""
    account.sparse("f", size)
    data = session.connect_data()
    session.expect("RETR f", 150)
    data = session.wrap_data(data)
    return data, data.recv(1)


@pytest.mark.parametrize("locks", ["YES", "NO"])
def test_a_file_that_is_downloaded_is_not_changed_in_place(serve, account, locks):
    gateway = serve(lock_upload_files=locks)
    one, two = gateway.session(account), gateway.session(account)
    size = 1 << 26
    data, _ = begin_download(one, account, size)
    if locks == "YES":
        two.passive_port()
        two.expect("STOR f", 450)
        # Others may read it at the same time.
        assert len(two.retrieve("RETR f")) == size
    else:
        two.store("APPE f", b"more")
    rest = read_all(data)
    finish(data)
    one.next(226)
    assert rest[:size - 1].strip(b"\0") == b""
    two.store("STOR f", b"new")
    assert (account.home / "f").read_bytes() == b"new"


def test_an_atomic_upload_waits_for_no_reader(serve, account):
    gateway = serve(atomic_uploads="YES")
    one, two = gateway.session(account), gateway.session(account)
    size = 1 << 26
    data, first = begin_download(one, account, size)
    two.store("STOR f", b"new")
    assert (account.home / "f").read_bytes() == b"new"
    assert (first + read_all(data)).strip(b"\0") == b""
    finish(data)
    one.next(226)


@pytest.mark.parametrize("role", ["session", "agent"])
def test_a_lock_ends_with_its_session(serve, account, role):
    gateway = serve()
    session = gateway.session(account)
    data = begin(session, "STOR f")
    wait_until(lambda: (account.home / "f").exists(), what="the file")
    kill(gateway, role)
    data.close()
    gateway.session(account).store("STOR f", b"whole")
    assert (account.home / "f").read_bytes() == b"whole"


def test_a_lock_ends_with_a_failed_upload(serve, account):
    session = serve().session(account)
    drop(begin(session, "STOR f"))
    session.next(426)
    session.store("STOR f", b"whole")
    assert (account.home / "f").read_bytes() == b"whole"
    assert os.listdir(account.home) == ["f"]
