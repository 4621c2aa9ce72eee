"""Anonymous uploads that are given to somebody else (`chown_uploads`)."""

import os
import stat

import pytest

from test_anonymous import login, public, upload  # noqa: F401


def facts(path):
    found = path.stat()
    return found.st_uid, stat.S_IMODE(found.st_mode)


@pytest.fixture
def start(serve, public):  # noqa: F811
    def run(**options):
        return serve(anonymous_enable="YES", ftp_username=public.name, anon_root=public.home,
                     anon_upload_enable="YES", chown_uploads="YES", **options)
    return run


@pytest.mark.parametrize("atomic", ["YES", "NO"])
def test_new_files_belong_to_the_new_owner(start, public, other_account, atomic):  # noqa: F811
    client = login(start(chown_username=other_account.name, chown_upload_mode="0640",
                         atomic_uploads=atomic))
    upload(client, "incoming/new", b"content")
    path = public.home / "incoming" / "new"
    assert path.read_bytes() == b"content"
    assert facts(path) == (other_account.uid, 0o640)
    # Nobody who is anonymous can change it any more.
    with pytest.raises(Exception, match="^55"):
        upload(client, "incoming/new", b"other")
    assert path.read_bytes() == b"content"


def test_the_default_owner_is_root(start, public):  # noqa: F811
    upload(login(start()), "incoming/new")
    assert facts(public.home / "incoming" / "new") == (0, 0o600)


def test_files_that_were_there_keep_their_owner(start, public, other_account):  # noqa: F811
    client = login(start(chown_username=other_account.name, anon_other_write_enable="YES"))
    public.file("incoming/old", b"old")
    import io
    client.storbinary("APPE incoming/old", io.BytesIO(b" and new"))
    assert facts(public.home / "incoming" / "old") == (public.uid, 0o644)
    assert (public.home / "incoming" / "old").read_bytes() == b"old and new"


def test_other_users_keep_their_files(serve, account, other_account):
    gateway = serve(anonymous_enable="YES", ftp_username=other_account.name,
                    chown_uploads="YES")
    gateway.session(account).store("STOR f", b"x")
    assert (account.home / "f").stat().st_uid == account.uid


def test_an_owner_who_does_not_exist_keeps_anonymous_users_out(start):
    with pytest.raises(Exception, match="^530"):
        login(start(chown_username="no-such-user"))
