"""What is left of a file when its upload fails."""

import os
import subprocess

import pytest

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


def test_a_file_beyond_the_size_limit_is_552(serve, account):
    gateway = serve()
    subprocess.run(["prlimit", "--pid", str(gateway.pid), "--fsize=1048576"], check=True)
    session = gateway.session(account)
    data = session.connect_data()
    session.expect("STOR f", 150)
    data = session.wrap_data(data)
    data.sendall(b"x" * 4_000_000)
    session.next(552)
    data.close()
    assert session.alive()
    assert session.store("STOR g", b"small").code == 226
